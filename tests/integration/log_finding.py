"""Log records that are sent while storage is killed, and found by their stream afterwards: on whatever store."""

from __future__ import annotations

import random
import threading
import time

import requests
from cold_store import TOKEN, StorageAlone
from otlp import log_request

KILLS = 6
STREAMS = 20
OF_ONE_STREAM = 3


class Sender(threading.Thread):
    """Sends requests of records of many streams, of one customer, each until it is acknowledged."""

    def __init__(self, url: str, customer: str) -> None:
        super().__init__()
        self.url, self.customer = url, customer
        self.acknowledged = 0
        self.over = threading.Event()

    def body(self, number: int) -> bytes:
        whole = None
        for record in range(STREAMS * OF_ONE_STREAM):
            stream = record % STREAMS
            resource = {"customer.id": self.customer, "service.name": f"service-{stream}", "node.id": f"n{stream % 2}"}
            one = log_request(resource, f"{number}/{record}")
            if whole is None:
                whole = one
            else:
                whole.resource_logs.extend(one.resource_logs)
        assert whole is not None
        return bytes(whole.SerializeToString())

    def run(self) -> None:
        headers = {**TOKEN, "X-Vigia-Customer": self.customer, "Content-Type": "application/x-protobuf"}
        body = self.body(0)
        while not self.over.is_set():
            try:
                answer = requests.post(f"{self.url}/v1/logs", data=body, headers=headers, timeout=10)
                if answer.status_code == 200:
                    self.acknowledged += 1
                    body = self.body(self.acknowledged)
            except requests.RequestException:
                time.sleep(0.02)  # the program is being started again

    def acknowledged_of(self, stream: int) -> list[str]:
        records = range(stream, STREAMS * OF_ONE_STREAM, STREAMS)
        return [f"{number}/{record}" for number in range(self.acknowledged) for record in records]


def found(url: str, customer: str, query: str, direction: str) -> list[str]:
    """The texts of all pages' records, in their order."""
    now = time.time()
    asked = {
        "query": query,
        "start": f"{now - 3600:.0f}",
        "end": f"{now + 60:.0f}",
        "limit": "50",
        "direction": direction,
    }
    texts: list[str] = []
    while True:
        headers = {**TOKEN, "X-Vigia-Customer": customer}
        answer = requests.get(f"{url}/api/v1/logs", params=asked, headers=headers, timeout=60)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        texts += [record["body"] for record in page["data"]]
        if "cursor" not in page:
            return texts
        asked["cursor"] = page["cursor"]


def find_after_kills(storage: StorageAlone) -> None:
    """`storage` has been started. Every acknowledged record is found by its stream, once and in order."""
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
        for stream in (0, 7, STREAMS - 1):
            texts = found(storage.url, sender.customer, f'{{service_name="service-{stream}"}}', "forward")
            assert len(texts) == len(set(texts)), "a record came twice"
            wanted = sender.acknowledged_of(stream)
            assert set(wanted) - set(texts) == set(), "acknowledged and not found"
            # One request more may be there: written, its answer cut off by the last kill.
            assert len(set(texts) - set(wanted)) <= OF_ONE_STREAM
            # Records of one time come as they arrived: the order of the requests.
            numbers = [int(text.split("/")[0]) for text in texts]
            assert numbers == sorted(numbers)
            backward = found(storage.url, sender.customer, f'{{service_name="service-{stream}"}}', "backward")
            assert backward == texts[::-1]
        several = found(storage.url, sender.customer, '{service_name=~"service-[34]",node_id!="n0"}', "forward")
        assert set(sender.acknowledged_of(3)) <= set(several)
        assert not set(several) & set(sender.acknowledged_of(4))
