"""Customer A of the fairness bench: how it sends and asks, and the process that does so.

A's load runs in a process of its own at the lowest priority: in truth it is another machine, and neither its Python threads
nor its packing of bodies may stand in the way of what measures B.
"""

from __future__ import annotations

import gzip
import multiprocessing
import os
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import NamedTuple

import requests
from launcher.layout import Layout
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from protobuf_bytes import attribute, double, fixed64, message, varint
from stack import Stack

START_SECONDS = 120  # for making bodies
# Whose data the bodies of this process are. Each load has a customer of its own, since a customer's limits look back: series
# count for up to 40 minutes.
_customer = "cliente-a"


def resource(*more: tuple[str, str]) -> bytes:
    own = {"customer.id": _customer, "node.id": "load", "service.name": "load", **dict(more)}
    return message(1, *(attribute(1, key, value) for key, value in own.items()))


def request(of_resource: bytes, *items: bytes) -> bytes:
    """One resource, one scope; items are metrics, spans or log records (field 2 in all three)."""
    return message(1, of_resource, message(2, *(message(2, item) for item in items)))


def gauge(name: str, *points: bytes) -> bytes:
    return message(1, name.encode()) + message(5, *(message(1, point) for point in points))


def point(time_ns: int, value: float, *labels: tuple[str, str]) -> bytes:
    return fixed64(3, time_ns) + double(4, value) + b"".join(attribute(7, key, text) for key, text in labels)


def histogram(name: str, buckets: int, times_ns: list[int]) -> bytes:
    """One point of a cumulative histogram for each time; points differ in a label."""
    bounds = b"".join(struct.pack("<d", n) for n in range(buckets - 1))
    counts = struct.pack("<Q", 1) * buckets
    points = [
        fixed64(3, time_ns)
        + fixed64(4, buckets)
        + double(5, 1)
        + message(6, counts)
        + message(7, bounds)
        + attribute(9, "n", str(number))
        for number, time_ns in enumerate(times_ns)
    ]
    return message(1, name.encode()) + message(9, *(message(1, one) for one in points), varint(2 << 3) + varint(2))


def bad_exponential_histogram(name: str, time_ns: int) -> bytes:
    """100 observations by its count, 3 by its buckets: a Prometheus answers it with 500."""
    buckets = message(8, varint(1 << 3) + varint(2), message(2, b"\x01\x02"))
    one = fixed64(3, time_ns) + fixed64(4, 100) + double(5, 1.0) + varint(6 << 3) + varint(0) + buckets
    return message(1, name.encode()) + message(10, message(1, one), varint(2 << 3) + varint(2))


def span(trace: int, number: int, time_ns: int, name: str = "s") -> bytes:
    return (
        message(1, struct.pack(">QQ", trace, number + 1))
        + message(2, struct.pack(">Q", number + 1))
        + message(5, name.encode())
        + fixed64(7, time_ns)
        + fixed64(8, time_ns)
    )


def now_ns() -> int:
    return time.time_ns()


class Place(NamedTuple):
    """Where A finds what it loads; what of a Stack another process can be given."""

    layout: Layout
    customer: str
    ingest_token: str
    read_token: str
    admin_password: str  # of the operator who enters A's channels


@dataclass
class Neighbour:
    """Customer A. Loads end by themselves when `ends_at` (monotonic) has passed."""

    place: Place
    ends_at: float
    answers: Counter[str] = field(default_factory=Counter)  # by status; what a 200 refused stands in `rejected`
    rejected: int = 0
    why: str = ""  # the first reason of those

    def is_over(self) -> bool:
        return time.monotonic() >= self.ends_at

    def send(self, signal: str, body: bytes, encoding: str = "gzip", url: str = "") -> None:
        """`body` is encoded already. To the collector, or to `url` (of a relay, which asks for no token)."""
        headers = {
            **({} if url else {"Authorization": f"Bearer {self.place.ingest_token}"}),
            "Content-Type": "application/x-protobuf",
            **({"Content-Encoding": encoding} if encoding else {}),
        }
        base = url or self.place.layout.url("collector_http")
        try:
            answer = requests.post(f"{base}/v1/{signal}", data=body, headers=headers, timeout=60)
        except requests.RequestException as error:
            self.answers[type(error).__name__] += 1
            return
        self.answers[str(answer.status_code)] += 1
        if answer.status_code == 200 and answer.content:
            # The three signals' answers have the same fields.
            partial = ExportMetricsServiceResponse.FromString(answer.content).partial_success
            self.rejected += partial.rejected_data_points
            self.why = self.why or partial.error_message
        elif answer.status_code != 200:
            self.why = self.why or answer.text[:300]

    def ask(self, path: str, **form: str) -> None:
        """Does not wait longer for the answer than the load lasts: B's time would go on after it, with nothing beside it."""
        headers = {"Authorization": f"Bearer {self.place.read_token}"}
        url = f"{self.place.layout.url('router')}{path}"
        patience = max(1.0, self.ends_at - time.monotonic())
        try:
            answer = requests.get(url, params=form, headers=headers, timeout=patience)
            self.answers[str(answer.status_code)] += 1
        except requests.RequestException as error:
            self.answers[type(error).__name__] += 1

    def repeat(self, act: Callable[[], None], every: float = 0, at_once: int = 1) -> None:
        """Until the time is over, from so many threads; each begins `every` seconds after it began the last time."""

        def run() -> None:
            while not self.is_over():
                began = time.monotonic()
                act()
                time.sleep(max(0.0, min(began + every, self.ends_at) - time.monotonic()))

        threads = [threading.Thread(target=run, daemon=True) for _ in range(at_once)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


Load = Callable[[Neighbour], None]
Prepared = Callable[[], Load]
Around = Callable[[Stack, Place], AbstractContextManager[None]]


class Registered(NamedTuple):
    fault: str
    prepare: Prepared
    is_legal: bool  # all of it must be taken
    around: Around  # what stands beside it, made before the measured time and taken away after it


LOADS: dict[str, Registered] = {}


def _nothing_around(_: Stack, __: Place) -> AbstractContextManager[None]:
    return nullcontext()


def load(
    name: str, fault: str, *, is_legal: bool = False, around: Around = _nothing_around
) -> Callable[[Prepared], Prepared]:
    """Registers what makes a load: name in the table, and the fault that it stands for."""

    def register(prepare: Prepared) -> Prepared:
        assert name not in LOADS, name
        LOADS[name] = Registered(fault, prepare, is_legal, around)
        return prepare

    return register


def repeated(signal: str, make: Callable[[int], bytes], count: int, every: float, at_once: int = 1) -> Load:
    """Sends `count` bodies in turn, each made and packed beforehand: the same again, for what is refused anyway."""
    bodies = [gzip.compress(make(number), 1) for number in range(count)]

    def run(neighbour: Neighbour) -> None:
        turn = iter(range(10**9))
        neighbour.repeat(lambda: neighbour.send(signal, bodies[next(turn) % count]), every, at_once)

    return run


def fresh(signal: str, make: Callable[[int], bytes], every: float, at_once: int = 1) -> Load:
    """Makes each body when it is sent, so that its times are new and no store knows it as a repeat."""

    def run(neighbour: Neighbour) -> None:
        turn = iter(range(10**9))
        neighbour.repeat(lambda: neighbour.send(signal, gzip.compress(make(next(turn)), 1)), every, at_once)

    return run


@contextmanager
def acting(name: str, place: Place, seconds: float) -> Iterator[Callable[[], Neighbour]]:
    """A's process, its bodies made and waiting. Call what this gives to let it act; it returns when the load is over."""
    context = multiprocessing.get_context("spawn")
    ours, its = context.Pipe()
    process = context.Process(target=_act, args=(its, name, place, seconds), daemon=True)
    process.start()
    its.close()

    def run() -> Neighbour:
        ours.send("go")
        acted = receive(seconds + START_SECONDS)
        assert isinstance(acted, Neighbour)
        return acted

    def receive(patience: float) -> object:
        if not ours.poll(patience):
            raise RuntimeError(f"{name}: A's process does not answer")
        try:
            return ours.recv()
        except EOFError as error:
            raise RuntimeError(f"{name}: A's process has ended, its reason stands above") from error

    try:
        receive(START_SECONDS)
        yield run
    finally:
        ours.close()
        process.join(5)
        if process.is_alive():
            process.kill()


def _act(pipe: Connection, name: str, place: Place, seconds: float) -> None:
    import neighbour_loads  # noqa: F401  # registers; not above, since it imports this file

    global _customer
    _customer = place.customer
    os.nice(10)
    run = LOADS[name].prepare()
    pipe.send("ready")
    pipe.recv()
    neighbour = Neighbour(place, time.monotonic() + seconds)
    run(neighbour)
    pipe.send(neighbour)
