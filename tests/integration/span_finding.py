"""Spans that are sent while storage is killed, and found by a search afterwards: on whatever store."""

from __future__ import annotations

import random
import threading
import time

import requests
from cold_store import TOKEN, StorageAlone
from otlp import span_request

KILLS = 6
SPANS_A_REQUEST = 20


class Sender(threading.Thread):
    """Sends requests of spans, a trace each, of one customer, each until it is acknowledged."""

    def __init__(self, url: str, customer: str) -> None:
        super().__init__()
        self.url, self.customer = url, customer
        self.acknowledged = 0
        self.over = threading.Event()

    def body(self, number: int) -> bytes:
        resource = {"customer.id": self.customer, "service.name": "shop"}
        whole = None
        for span in range(SPANS_A_REQUEST):
            trace = (number * SPANS_A_REQUEST + span + 1).to_bytes(16, "big")
            one = span_request(resource, trace, b"\x01" * 8, f"op-{span % 3}")
            if whole is None:
                whole = one
            else:
                whole.resource_spans.extend(one.resource_spans)
        assert whole is not None
        return bytes(whole.SerializeToString())

    def run(self) -> None:
        headers = {**TOKEN, "X-Vigia-Customer": self.customer, "Content-Type": "application/x-protobuf"}
        body = self.body(0)
        while not self.over.is_set():
            try:
                answer = requests.post(f"{self.url}/v1/traces", data=body, headers=headers, timeout=10)
                if answer.status_code == 200:
                    self.acknowledged += 1
                    body = self.body(self.acknowledged)
            except requests.RequestException:
                time.sleep(0.02)  # the program is being started again


def found_traces(url: str, customer: str, parameters: dict[str, str]) -> list[int]:
    """The numbers of all pages' traces, in their order."""
    now = time.time()
    asked = {"service": "shop", "start": f"{now - 3600:.0f}", "end": f"{now + 60:.0f}", "limit": "1000", **parameters}
    numbers: list[int] = []
    while True:
        headers = {**TOKEN, "X-Vigia-Customer": customer}
        answer = requests.get(f"{url}/api/v1/traces", params=asked, headers=headers, timeout=60)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        numbers += [int(trace["traceID"], 16) for trace in page["data"]]
        if "cursor" not in page:
            return numbers
        asked["cursor"] = page["cursor"]


def find_after_kills(storage: StorageAlone) -> None:
    """`storage` has been started. Every acknowledged span is found, each trace once."""
    senders = [Sender(storage.url, customer) for customer in ("cliente-a", "cliente-bb")]
    for sender in senders:
        sender.start()
    moments = random.Random(8)
    for _ in range(KILLS):
        time.sleep(moments.uniform(0.3, 1.2))  # the load runs meanwhile; this is the fault's moment, not a wait
        storage.kill()
        storage.start()
    for sender in senders:
        sender.over.set()
        sender.join()
    for sender in senders:
        assert sender.acknowledged > KILLS
        wanted = set(range(1, sender.acknowledged * SPANS_A_REQUEST + 1))
        found = found_traces(storage.url, sender.customer, {})
        assert len(found) == len(set(found)), "a trace came twice"
        assert wanted - set(found) == set(), "acknowledged and not found"
        # One request more may be there: written, its answer cut off by the last kill.
        assert len(set(found) - wanted) <= SPANS_A_REQUEST
        one_of_three = found_traces(storage.url, sender.customer, {"operation": "op-1"})
        assert {number for number in wanted if (number - 1) % SPANS_A_REQUEST % 3 == 1} <= set(one_of_three)
        headers = {**TOKEN, "X-Vigia-Customer": sender.customer}
        listed = requests.get(f"{storage.url}/api/v1/services/shop/operations", headers=headers, timeout=10).json()
        assert [entry["name"] for entry in listed["data"]] == ["op-0", "op-1", "op-2"]
