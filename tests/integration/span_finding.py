"""Spans that are sent while storage is killed, and found by a search afterwards: on whatever store."""

from __future__ import annotations

import time

import requests
from cold_store import TOKEN, StorageAlone
from killed_while_sending import CUSTOMERS, send_through_kills
from killed_while_sending import Sender as AnySender
from otlp import span_request

SPANS_A_REQUEST = 20


class Sender(AnySender):
    """Sends requests of spans, a trace each, of one customer."""

    path = "/v1/traces"

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
    senders = [Sender(storage.url, customer) for customer in CUSTOMERS]
    send_through_kills(storage, senders)
    for sender in senders:
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
