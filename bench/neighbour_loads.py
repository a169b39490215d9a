"""What customer A does beside customer B: legal things at its limits, and hostile ones. Each once failed everybody.

Bodies are made before the measured time begins, so that making them costs B nothing.
"""

from __future__ import annotations

import gzip
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import requests
from protobuf_bytes import attribute, double, fixed64, message, varint
from stack import Stack

CUSTOMER = "cliente-a"


def resource(*more: tuple[str, str]) -> bytes:
    own = [("customer.id", CUSTOMER), ("node.id", "load"), ("service.name", "load"), *more]
    return message(1, *(attribute(1, key, value) for key, value in own))


def request(of_resource: bytes, *items: bytes) -> bytes:
    """One resource, one scope; items are metrics, spans or log records (field 2 in all three)."""
    return message(1, of_resource, message(2, *(message(2, item) for item in items)))


def gauge(name: str, *points: bytes) -> bytes:
    return message(1, name.encode()) + message(5, *(message(1, point) for point in points))


def point(time_ns: int, value: float, *labels: tuple[str, str]) -> bytes:
    return fixed64(3, time_ns) + double(4, value) + b"".join(attribute(7, key, text) for key, text in labels)


def now_ns() -> int:
    return time.time_ns()


@dataclass
class Neighbour:
    """Customer A. Loads end by themselves when `ends_at` (monotonic) has passed."""

    stack: Stack
    ends_at: float
    answers: Counter[str] = field(default_factory=Counter)

    def is_over(self) -> bool:
        return time.monotonic() >= self.ends_at

    def send(self, signal: str, body: bytes, encoding: str = "gzip") -> None:
        """`body` is encoded already."""
        headers = {
            "Authorization": f"Bearer {self.stack.token(CUSTOMER, 'ingest')}",
            "Content-Type": "application/x-protobuf",
            **({"Content-Encoding": encoding} if encoding else {}),
        }
        url = f"{self.stack.layout.url('collector_http')}/v1/{signal}"
        try:
            status = str(requests.post(url, data=body, headers=headers, timeout=60).status_code)
        except requests.RequestException as error:
            status = type(error).__name__
        self.answers[status] += 1

    def ask(self, path: str, **form: str) -> None:
        headers = {"Authorization": f"Bearer {self.stack.token(CUSTOMER, 'read')}"}
        try:
            answer = requests.get(f"{self.stack.layout.url('router')}{path}", params=form, headers=headers, timeout=60)
            self.answers[str(answer.status_code)] += 1
        except requests.RequestException as error:
            self.answers[type(error).__name__] += 1

    def repeat(self, act: Callable[[], None], every: float = 0, at_once: int = 1) -> None:
        """Until the time is over, from so many threads."""

        def run() -> None:
            while not self.is_over():
                act()
                time.sleep(every)

        threads = [threading.Thread(target=run, daemon=True) for _ in range(at_once)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


Load = Callable[[Neighbour], None]
Prepared = Callable[[], Load]
LOADS: dict[str, tuple[str, Prepared]] = {}


def load(name: str, fault: str) -> Callable[[Prepared], Prepared]:
    """Registers what makes a load: name in the table, and the fault that it stands for."""

    def register(prepare: Prepared) -> Prepared:
        LOADS[name] = (fault, prepare)
        return prepare

    return register


def repeated(signal: str, make: Callable[[int], bytes], count: int, every: float, at_once: int = 1) -> Load:
    """Sends `count` bodies in turn, each made and packed beforehand."""
    bodies = [gzip.compress(make(number), 1) for number in range(count)]

    def run(neighbour: Neighbour) -> None:
        turn = iter(range(10**9))
        neighbour.repeat(lambda: neighbour.send(signal, bodies[next(turn) % count]), every, at_once)

    return run


@load("nothing", "")
def nothing() -> Load:
    return lambda neighbour: neighbour.repeat(lambda: None, 1)


@load("60,000 points under a label of 59,000 letters", "A1")
def labels_times_points() -> Load:
    def make(number: int) -> bytes:
        points = [point(now_ns() + n * 1000 + number, 1.0) for n in range(60_000)]
        return request(resource(("node.region", "r" * 59_000)), gauge("big", *points))

    return repeated("metrics", make, 1, 5)


@load("60,000 points under 60 labels of 2,000 letters", "A1, legal")
def legal_labels_times_points() -> Load:
    def make(number: int) -> bytes:
        labels = [(f"label_{n:02}", "v" * 2000) for n in range(50)]
        points = [point(now_ns() + n * 1_000_000 + number, 1.0) for n in range(20_000)]
        return request(resource(*labels), gauge("wide", *points))

    return repeated("metrics", make, 1, 5)


@load("histograms of 10,000 buckets under 59,000 letters", "A1")
def buckets_times_labels() -> Load:
    def make(number: int) -> bytes:
        bounds = b"".join(struct.pack("<d", n) for n in range(9_999))
        counts = b"".join(struct.pack("<Q", 1) for n in range(10_000))
        one = (
            fixed64(3, now_ns() + number) + fixed64(4, 10_000) + double(5, 1) + message(6, counts) + message(7, bounds)
        )
        histogram = message(9, message(1, one), varint(2 << 3) + varint(2))
        return request(resource(("node.region", "r" * 59_000)), message(1, b"fine") + histogram)

    return repeated("metrics", make, 1, 3)


@load("2.5 million short log lines in one request", "A9")
def many_lines() -> Load:
    return repeated("logs", lambda _: request(resource(), *[message(5, message(1, b"line"))] * 2_500_000), 1, 10)


@load("2 million empty log records in 4 KB", "B3")
def empty_records() -> Load:
    return repeated("logs", lambda _: request(resource(), *[b""] * 2_000_000), 1, 5)


@load("3,000 spans under a resource of 1 MiB", "B4")
def resource_times_spans() -> Load:
    def make(number: int) -> bytes:
        spans = [
            message(1, struct.pack(">QQ", number + 1, n + 1))
            + message(2, struct.pack(">Q", n + 1))
            + message(5, b"s")
            + fixed64(7, now_ns())
            + fixed64(8, now_ns())
            for n in range(3_000)
        ]
        return request(resource(("big", "x" * (1 << 20))), *spans)

    return repeated("traces", make, 2, 3)


@load("2 million empty resources in 4 KB, 24 at once", "B6")
def empty_resources() -> Load:
    return repeated("metrics", lambda _: b"\x0a\x00" * 2_000_000, 1, 0.2, at_once=24)


@load("histograms that no Prometheus takes, 10 a second", "B1, D01")
def bad_histograms() -> Load:
    def make(number: int) -> bytes:
        buckets = message(8, varint(1 << 3) + varint(2), message(2, b"\x01\x02"))
        one = fixed64(3, now_ns() + number) + fixed64(4, 100) + double(5, 1.0) + varint(6 << 3) + varint(0) + buckets
        return request(resource(), message(1, b"bad") + message(10, message(1, one), varint(2 << 3) + varint(2)))

    return repeated("metrics", make, 200, 0.1)


@load("series with the labels severity and alertname", "B2")
def rule_labels() -> Load:
    def make(number: int) -> bytes:
        names = ("system_cpu_usage", "system_memory_usage_percent")
        both = [gauge(n, *(point(now_ns(), 99.0, ("severity", s), ("alertname", s)) for s in "ab")) for n in names]
        return request(resource(), *both)

    return repeated("metrics", make, 20, 1)


@load("99 % of CPU on 40,000 invented nodes", "B5")
def alert_flood() -> Load:
    def make(number: int) -> bytes:
        nodes = range(number * 5_000, number * 5_000 + 5_000)
        return b"".join(
            message(
                1,
                resource(("node.id", f"n{n}")),
                message(2, message(2, gauge("system_cpu_usage", point(now_ns(), 99.0)))),
            )
            for n in nodes
        )

    return repeated("metrics", make, 8, 1)


@load("4,000 good series beside 300 in conflict", "A5, A2")
def conflicts() -> Load:
    fixed = now_ns() - 60_000_000_000

    def make(number: int) -> bytes:
        good = [gauge(f"good_{n}", point(now_ns() + number, 1.0)) for n in range(4_000)]
        bad = [gauge(f"twice_{n}", point(fixed, float(number))) for n in range(300)]
        return request(resource(), *good, *bad)

    return repeated("metrics", make, 6, 3)


@load("one point and 30 MiB of an unknown field", "A6")
def unknown_field() -> Load:
    padding = message(99, b"\0" * (30 << 20))
    return repeated(
        "metrics", lambda n: request(resource(), gauge("one", point(now_ns() + n, 1.0))) + padding, 1, 0.5, 4
    )


@load("20,000 points a second, each a day late", "A7")
def late_points() -> Load:
    begin = now_ns() - 20 * 3_600 * 10**9

    def make(number: int) -> bytes:
        series = [f"late_{n}" for n in range(100)]
        at = [begin + ((number * 100 + k) * 7_919 % 60_000) * 10**9 for k in range(50)]
        return request(resource(), *(gauge(name, *(point(t, 1.0) for t in at)) for name in series))

    return repeated("metrics", make, 60, 0.25)


@load("50,000 points a second, its limit", "B8")
def full_pace() -> Load:
    def make(number: int) -> bytes:
        return request(
            resource(), *(gauge(f"pace_{n % 500}", point(now_ns() + n, 1.0, ("n", str(n)))) for n in range(5_000))
        )

    return repeated("metrics", make, 40, 0.1)


@load("200,000 series, its limit", "A10")
def many_series() -> Load:
    def make(number: int) -> bytes:
        return request(
            resource(), *(gauge("many", point(now_ns(), 1.0, ("n", f"{number}-{n}"))) for n in range(10_000))
        )

    return repeated("metrics", make, 20, 1)


@load("64 heavy queries at once", "B5")
def heavy_queries() -> Load:
    query = 'sum by (a) (rate({__name__=~".+"}[5m])) + on (a) group_left sum by (a) ({__name__=~".+"})'
    return lambda neighbour: neighbour.repeat(
        lambda: neighbour.ask(
            "/api/v1/query_range", query=query, start=str(time.time() - 3600), end=str(time.time()), step="5"
        ),
        at_once=64,
    )


@load("32 label look-ups at once", "A10")
def label_lookups() -> Load:
    return lambda neighbour: neighbour.repeat(
        lambda: neighbour.ask("/api/v1/series", **{"match[]": '{__name__=~".+"}', "start": "0"}), at_once=32
    )


def hold_sockets(count: int, first: bytes, then: bytes = b"") -> Load:
    """Opens so many connections to the collector, says something unfinished on each and keeps them."""

    def run(neighbour: Neighbour) -> None:
        host, _, port = neighbour.stack.layout.address("collector_http").partition(":")
        held: list[socket.socket] = []
        try:
            for _ in range(count):
                if neighbour.is_over():
                    break
                try:
                    one = socket.create_connection((host, int(port)), timeout=2)
                    one.sendall(first)
                    one.sendall(then)
                    held.append(one)
                except OSError as error:
                    neighbour.answers[type(error).__name__] += 1
            neighbour.answers["held"] += len(held)
            while not neighbour.is_over():
                time.sleep(0.2)
        finally:
            for one in held:
                one.close()

    return run


@load("9,000 heads of 63 KB without an end, no token", "B7")
def unfinished_heads() -> Load:
    return hold_sockets(9_000, b"POST /v1/metrics HTTP/1.1\r\nhost: x\r\nx: " + b"y" * 63_000)


@load("10,500 connections that sent 20 bytes, no token", "B7")
def idle_connections() -> Load:
    return hold_sockets(10_500, b"POST /v1/metrics HT")


@load("268 MB of bodies that never end", "B7")
def held_bodies() -> Load:
    def run(neighbour: Neighbour) -> None:
        token = neighbour.stack.token(CUSTOMER, "ingest")
        head = (
            f"POST /v1/metrics HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n"
            "content-type: application/x-protobuf\r\ncontent-length: 60000000\r\n\r\n"
        )
        hold_sockets(9, head.encode(), b"\0" * 30_000_000)(neighbour)

    return run


@load("points an hour ahead, and delta sums", "A4, A8")
def wrong_times() -> Load:
    def make(number: int) -> bytes:
        ahead = gauge("ahead", *(point(now_ns() + 3_600 * 10**9 + n, 1.0) for n in range(1_000)))
        delta = message(1, b"delta") + message(7, message(1, point(now_ns(), 1.0)), varint(2 << 3) + varint(1))
        return request(resource(), ahead, delta, gauge("good", point(now_ns() + number, 1.0)))

    return repeated("metrics", make, 20, 0.2)
