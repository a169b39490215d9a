"""What customer A does beside customer B: hostile things, each of which once failed everybody, and heavy reading.

What is legal and stands just below a bound is in neighbour_bounds.py, what needs a part of its own beside it in
neighbour_parts.py; importing this file registers all. Bodies are made before the measured time begins, or (`fresh`) in A's
own process, so that making them costs B nothing.
"""

from __future__ import annotations

import socket
import time

import neighbour_bounds
import neighbour_parts
from neighbour_customer import (
    LOADS,
    Load,
    Neighbour,
    bad_exponential_histogram,
    fresh,
    gauge,
    histogram,
    load,
    now_ns,
    point,
    repeated,
    request,
    resource,
    span,
)
from neighbour_parts import filled
from protobuf_bytes import message


@load("nothing", "")
def nothing() -> Load:
    return lambda neighbour: neighbour.repeat(lambda: None, 1)


@load("60,000 points under a label of 59,000 letters", "A1")
def labels_times_points() -> Load:
    def make(number: int) -> bytes:
        points = [point(now_ns() + n * 1000 + number, 1.0) for n in range(60_000)]
        return request(resource(("node.region", "r" * 59_000)), gauge("big", *points))

    return repeated("metrics", make, 1, 5)


@load("histograms of 10,000 buckets under 59,000 letters", "A1")
def buckets_times_labels() -> Load:
    return fresh(
        "metrics",
        lambda _: request(resource(("node.region", "r" * 59_000)), histogram("fine", 10_000, [now_ns()])),
        3,
    )


@load("2.5 million short log lines in one request", "A9")
def many_lines() -> Load:
    return repeated("logs", lambda _: request(resource(), *[message(5, message(1, b"line"))] * 2_500_000), 1, 10)


@load("2 million empty log records in 4 KB", "B3")
def empty_records() -> Load:
    return repeated("logs", lambda _: request(resource(), *[b""] * 2_000_000), 1, 5)


@load("3,000 spans under a resource of 1 MiB", "B4")
def resource_times_spans() -> Load:
    def make(number: int) -> bytes:
        at = now_ns()
        return request(resource(("big", "x" * (1 << 20))), *(span(number + 1, n, at) for n in range(3_000)))

    return fresh("traces", make, 3)


@load("2 million empty resources in 4 KB, 24 at once", "B6")
def empty_resources() -> Load:
    return repeated("metrics", lambda _: b"\x0a\x00" * 2_000_000, 1, 0.2, at_once=24)


@load("histograms that no Prometheus takes, 10 a second", "B1, D01")
def bad_histograms() -> Load:
    return fresh("metrics", lambda _: request(resource(), bad_exponential_histogram("bad", now_ns())), 0.1)


@load("series with the labels severity and alertname", "B2")
def rule_labels() -> Load:
    def make(number: int) -> bytes:
        names = ("system_cpu_usage", "system_memory_usage_percent")
        both = [gauge(n, *(point(now_ns(), 99.0, ("severity", s), ("alertname", s)) for s in "ab")) for n in names]
        return request(resource(), *both)

    return fresh("metrics", make, 1)


def flood_of_nodes(name: str, service: str = "load") -> Load:
    """The gauge at 99 on 40,000 invented nodes, 5,000 in a request."""

    def make(number: int) -> bytes:
        first, at = number % 8 * 5_000, now_ns()
        return b"".join(
            message(
                1,
                resource(("node.id", f"n{n}"), ("service.name", service)),
                message(2, message(2, gauge(name, point(at, 99.0)))),
            )
            for n in range(first, first + 5_000)
        )

    return fresh("metrics", make, 0.5)


@load("99 % of CPU on 40,000 invented nodes", "B5")
def alert_flood() -> Load:
    return flood_of_nodes("system_cpu_usage")


@load("agent_buffer_usage_percent at 99 on 40,000 invented nodes", "B5")
def buffer_flood() -> Load:
    return flood_of_nodes("agent_buffer_usage_percent", "vigia-agent")


@load("4,000 good series beside 300 in conflict", "A5, A2")
def conflicts() -> Load:
    fixed = now_ns() - 60_000_000_000

    def make(number: int) -> bytes:
        good = [gauge(f"good_{n}", point(now_ns(), 1.0)) for n in range(4_000)]
        bad = [gauge(f"twice_{n}", point(fixed, float(number))) for n in range(300)]
        return request(resource(), *good, *bad)

    return fresh("metrics", make, 3)


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

    return fresh("metrics", make, 0.25)


@load("50,000 points a second, its limit", "B8")
def full_pace() -> Load:
    def make(number: int) -> bytes:
        return request(
            resource(), *(gauge(f"pace_{n % 500}", point(now_ns() + n, 1.0, ("n", str(n)))) for n in range(5_000))
        )

    return fresh("metrics", make, 0.1)


@load("64 heavy queries at once", "B5", around=filled)
def heavy_queries() -> Load:
    query = 'sum by (a) (rate({__name__=~".+"}[5m])) + on (a) group_left sum by (a) ({__name__=~".+"})'
    return lambda neighbour: neighbour.repeat(
        lambda: neighbour.ask(
            "/api/v1/query_range", query=query, start=str(time.time() - 3600), end=str(time.time()), step="5"
        ),
        at_once=64,
    )


@load("32 label look-ups at once", "A10", around=filled)
def label_lookups() -> Load:
    return lambda neighbour: neighbour.repeat(
        lambda: neighbour.ask("/api/v1/series", **{"match[]": '{__name__=~".+"}', "start": "0"}), at_once=32
    )


def hold_sockets(count: int, first: bytes, then: bytes = b"") -> Load:
    """Opens so many connections to the collector, says something unfinished on each and keeps them."""

    def run(neighbour: Neighbour) -> None:
        host, _, port = neighbour.place.layout.address("collector_http").partition(":")
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
        token = neighbour.place.ingest_token
        head = (
            f"POST /v1/metrics HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n"
            "content-type: application/x-protobuf\r\ncontent-length: 60000000\r\n\r\n"
        )
        hold_sockets(9, head.encode(), b"\0" * 30_000_000)(neighbour)

    return run


@load("points an hour ahead", "A4")
def wrong_times() -> Load:
    def make(_: int) -> bytes:
        ahead = gauge("ahead", *(point(now_ns() + 3_600 * 10**9 + n, 1.0) for n in range(1_000)))
        return request(resource(), ahead, gauge("good", point(now_ns(), 1.0)))

    return fresh("metrics", make, 0.2)


__all__ = ["LOADS", "neighbour_bounds", "neighbour_parts"]
