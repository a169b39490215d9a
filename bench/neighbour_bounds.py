"""Legal loads of customer A, each just below one bound of the collector (services/collector/limits.hpp): all is taken, and
goes through every store behind it. Times are new at each send. The pace is what the customer's default rates allow.
"""

from __future__ import annotations

import struct

from neighbour_customer import (
    Load,
    fresh,
    gauge,
    histogram,
    load,
    now_ns,
    point,
    request,
    resource,
    span,
)
from protobuf_bytes import attribute, message

# Stands for the time in bodies that are made once: eight bytes that nothing else in them has.
_TIME = b"\xf1TIME\xf2\xf3\xf4"


def timed(body: bytes) -> bytes:
    return body.replace(_TIME, struct.pack("<Q", now_ns()))


def gauge_point(*labels: tuple[str, str]) -> bytes:
    """At _TIME."""
    return (
        b"\x19" + _TIME + b"\x21" + struct.pack("<d", 1.0) + b"".join(attribute(7, key, text) for key, text in labels)
    )


@load("2,200 points under 30 labels of 1,900 letters", "A1, legal", is_legal=True)
def labels_times_points_within() -> Load:
    """57 KB on each point: 125 of 128 MiB, 57 of 64 KiB of resource, 1,900 of 2,048 letters."""
    labels = [(f"label_{n:02}", "v" * 1_900) for n in range(30)]

    def make(_: int) -> bytes:
        at = now_ns()
        return request(resource(*labels), gauge("wide", *(point(at - n * 1_000_000, 1.0) for n in range(2_200))))

    return fresh("metrics", make, 2.5)


@load("histograms of 10,000 buckets under 500 letters, 10 points", "A1, legal", is_legal=True)
def buckets_times_labels_within() -> Load:
    """10,003 series of some 600 bytes a point: 6 of 8 MiB, 60 of 128 MiB a request; 100,000 series of 200,000."""

    def make(_: int) -> bytes:
        return request(resource(("node.region", "r" * 500)), histogram("deep", 10_000, [now_ns()] * 10))

    return fresh("metrics", make, 4)


@load("4,000 spans under a resource of 60 KB", "B4, legal", is_legal=True)
def resource_times_spans_within() -> Load:
    """240 of 256 MiB, 60 of 64 KiB."""

    def make(number: int) -> bytes:
        at = now_ns()
        return request(resource(("big", "x" * 60_000)), *(span(at, n, at) for n in range(4_000)))

    return fresh("traces", make, 2)


@load("100,000 log records in each request", "A9, B3, legal", is_legal=True)
def records_within() -> Load:
    """20,000 a second: its rate, in the fewest requests."""
    records = (
        b"\x09" + _TIME + message(5, message(1, f"line {n} of a hundred thousand".encode())) for n in range(100_000)
    )
    body = request(resource(), *records)
    return fresh("logs", lambda _: timed(body), 6)


@load("90,000 empty resources in each request", "B6, legal", is_legal=True)
def envelopes_within() -> Load:
    """Each is charged as a point: 45,000 of 50,000 a second."""
    point_of_now = request(resource(), gauge("beside_envelopes", gauge_point()))
    return fresh("metrics", lambda _: timed(point_of_now) + b"\x0a\x00" * 90_000, 2)


@load("190,000 series of 900 bytes, just below its limit", "A10, legal", is_legal=True)
def many_wide_series() -> Load:
    """10,000 in each of 20 requests, then again at new times; 20,000 points a second."""
    bodies = [
        request(
            resource(),
            *(gauge("many", gauge_point(("n", f"{number}-{n}"), ("text", "t" * 800))) for n in range(10_000)),
        )
        for number in range(19)
    ]
    return fresh("metrics", lambda number: timed(bodies[number % len(bodies)]), 0.5)


@load("5,000 spans in each request, its rate", "B3, legal", is_legal=True)
def spans_within() -> Load:
    """16,700 of 20,000 a second; one of them with 128 attributes, as many as SDKs keep."""
    attributes = b"".join(attribute(9, f"key_{n:03}", "value") for n in range(128))

    def make(_: int) -> bytes:
        at = now_ns()
        return request(resource(), *(span(at, n, at) + (b"" if n else attributes) for n in range(5_000)))

    return fresh("traces", make, 0.3)
