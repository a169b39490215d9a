"""Requests that are sent while storage is killed, each until it is acknowledged: of spans or log records."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence

import requests
from cold_store import TOKEN, StorageAlone
from stack import wait_for

KILLS = 6
CUSTOMERS = ("cliente-a", "cliente-bb")


class Sender(threading.Thread):
    """Of one customer."""

    path = ""  # of OTLP

    def __init__(self, url: str, customer: str) -> None:
        super().__init__()
        self.url, self.customer = url, customer
        self.acknowledged = 0
        self.over = threading.Event()

    def body(self, number: int) -> bytes:
        raise NotImplementedError

    def run(self) -> None:
        headers = {**TOKEN, "X-Vigia-Customer": self.customer, "Content-Type": "application/x-protobuf"}
        body = self.body(0)
        while not self.over.is_set():
            try:
                answer = requests.post(f"{self.url}{self.path}", data=body, headers=headers, timeout=10)
                if answer.status_code == 200:
                    self.acknowledged += 1
                    body = self.body(self.acknowledged)
            except requests.RequestException:
                time.sleep(0.02)  # the program is being started again


def send_through_kills(storage: StorageAlone, senders: Sequence[Sender]) -> None:
    """`storage` has been started, and is running when this returns; every sender has been acknowledged more than KILLS times."""
    for sender in senders:
        sender.start()
    moments = random.Random(8)
    for _ in range(KILLS):
        time.sleep(moments.uniform(0.3, 1.2))  # the load runs meanwhile; this is the fault's moment, not a wait
        storage.kill()
        storage.start()
    wait_for("each has been acknowledged often", lambda: all(sender.acknowledged > KILLS for sender in senders), 60)
    for sender in senders:
        sender.over.set()
        sender.join()
