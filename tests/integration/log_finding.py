"""Log records that are sent while storage is killed, and found by their stream afterwards: on whatever store."""

from __future__ import annotations

import time

import requests
from cold_store import TOKEN, StorageAlone
from killed_while_sending import CUSTOMERS, send_through_kills
from killed_while_sending import Sender as AnySender
from otlp import log_request

STREAMS = 20
OF_ONE_STREAM = 3


class Sender(AnySender):
    """Sends requests of records of many streams, of one customer."""

    path = "/v1/logs"

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
    senders = [Sender(storage.url, customer) for customer in CUSTOMERS]
    send_through_kills(storage, senders)
    for sender in senders:
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
