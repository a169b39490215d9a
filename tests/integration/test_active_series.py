"""active_series bounds what reaches the store, whatever shape the series have: a real Prometheus counts what arrived."""

from __future__ import annotations

import gzip
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import collector_lanes
import pytest
import requests
from beside import Beside
from collector_lanes import HOT, Lanes, now_ms
from launcher import parts
from otlp import PROTOBUF, gauge, metrics_request, resource_of
from protobuf_bytes import attribute, double, fixed64, message, varint
from stack import wait_for

pytestmark = pytest.mark.two_at_a_time  # counts, and half a million series

LIMIT = 200_000
CUMULATIVE = varint(2 << 3) + varint(2)


def _request(*metrics: bytes) -> bytes:
    resource = b"".join(attribute(1, key, value) for key, value in resource_of("cliente-a").items())
    return message(1, message(1, resource), message(2, *(message(2, metric) for metric in metrics)))


def _histogram(name: str, number: int, buckets: int) -> bytes:
    counts = message(6, struct.pack("<Q", 1) * buckets)
    bounds = message(7, struct.pack(f"<{buckets - 1}d", *range(buckets - 1)))
    point = fixed64(3, time.time_ns()) + fixed64(4, buckets) + double(5, 1.0) + counts + bounds
    return message(1, name.encode()) + message(9, message(1, point, attribute(9, "n", str(number))), CUMULATIVE)


def churning(number: int) -> bytes:
    """20,000 points, each of a new series."""
    points = (
        message(1, fixed64(3, time.time_ns()), double(4, 1.0), attribute(7, "n", f"{number}-{n}"))
        for n in range(20_000)
    )
    return _request(message(1, b"churning") + message(5, *points))


def wide(number: int) -> bytes:
    """400 series of 30 labels of 2,000 letters: 58 KiB each in a store's memory."""
    labels = b"".join(attribute(7, f"l{n:02}", f"{n:02}" * 1_000) for n in range(30))
    points = (
        message(1, fixed64(3, time.time_ns()), double(4, 1.0), labels, attribute(7, "n", f"{number}-{n}"))
        for n in range(400)
    )
    return _request(message(1, b"wide") + message(5, *points))


def histograms(number: int) -> bytes:
    """1,000 points of 1,000 buckets: a million series, of the 331 KB that made as many before."""
    return _request(*(_histogram("buckets", number * 1_000 + n, 1_000) for n in range(1_000)))


def large_histograms(number: int) -> bytes:
    """Thirty points of 10,000 buckets, the most that one may have."""
    return _request(*(_histogram("b", number * 30 + n, 10_000) for n in range(30)))


def summaries(number: int) -> bytes:
    """2,000 points of 100 quantiles."""
    quantiles = b"".join(message(6, double(1, n / 100), double(2, 1.0)) for n in range(100))
    points = (
        message(
            1, fixed64(3, time.time_ns()), fixed64(4, 1), double(5, 1.0), quantiles, attribute(7, "n", f"{number}-{n}")
        )
        for n in range(2_000)
    )
    return _request(message(1, b"quantiles") + message(11, *points))


# How many bodies, how the store calls what comes of them, and for how much of the limit one of its series counts.
SHAPES = [
    pytest.param(churning, 20, "churning", 1, id="churning"),
    pytest.param(wide, 12, "wide", 58, id="wide", marks=pytest.mark.thorough),
    pytest.param(histograms, 2, "buckets_.+", 1, id="histograms", marks=pytest.mark.thorough),
    pytest.param(large_histograms, 1, "b_.+", 1, id="large_histograms"),
    pytest.param(summaries, 5, "quantiles.*", 1, id="summaries", marks=pytest.mark.thorough),
]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lanes]:
    limited = collector_lanes.DIRECTORY.replace("name: A,", f"name: A, limits: {{active_series: {LIMIT}}},")
    monkeypatch.setattr(collector_lanes, "DIRECTORY", limited)
    lanes = Lanes(tmp_path)
    lanes.configure()
    lanes.start("hot", parts.program("prometheus-3"))
    lanes.start("collector")
    yield lanes
    lanes.end()


def _head_series(site: Lanes) -> int:
    text = requests.get(f"http://{site.host}:9090/metrics", timeout=10).text
    return next(
        int(float(line.split()[1])) for line in text.splitlines() if line.startswith("prometheus_tsdb_head_series ")
    )


class Numbered(Beside):
    """Customer B: numbered values, ten a second; each must be taken."""

    def __init__(self, site: Lanes) -> None:
        super().__init__(self._run)
        self.site = site
        self.sent = 0
        self.failures: list[object] = []

    def _run(self) -> None:
        while not self.ends.wait(0.1):
            body = metrics_request(resource_of("cliente-b"), gauge("numbered", [(now_ms(), float(self.sent))]))
            try:
                status = self.site.send("cliente-b", body.SerializeToString()).status_code
            except requests.RequestException as error:
                self.failures.append(error)
                continue
            if status == 200:
                self.sent += 1
            else:
                self.failures.append(status)

    def arrived(self) -> int:
        found = self.site.query('count_over_time(numbered{customer_id="cliente-b"}[30m])')
        return int(float(found[0]["value"][1])) if found else 0


@pytest.mark.parametrize(("shape", "bodies", "name", "weight"), SHAPES)
def test_series_of_any_shape_stay_within_the_limit(
    site: Lanes, shape: Callable[[int], bytes], bodies: int, name: str, weight: int
) -> None:
    before = _head_series(site)
    headers = {"Content-Type": PROTOBUF["Content-Type"], "Content-Encoding": "gzip", "Authorization": "Bearer token-a"}
    answers: Counter[int] = Counter()
    largest = 0
    with Numbered(site) as numbered:
        for number in range(bodies):
            body = gzip.compress(shape(number), 6)
            largest = max(largest, len(body))
            answer = requests.post(f"http://{site.host}:4318/v1/metrics", data=body, headers=headers, timeout=60)
            answers[answer.status_code] += 1
        site.settle("cliente-a", HOT)
    wait_for("all of B's values are in hot", lambda: numbered.arrived() == numbered.sent, 30)
    made = _head_series(site) - before
    of_a = site.count(f'{{__name__=~"{name}",customer_id="cliente-a"}}')
    print(f"\n{made} series, {of_a} of A, from {bodies} bodies of {largest} bytes at most; B {numbered.sent} values")
    assert numbered.failures == []
    assert set(answers) == {200}, answers
    assert b"over_limit" in answer.content
    assert LIMIT * 0.9 < of_a * weight < LIMIT * 1.01
    assert made < of_a + 100, "B's, the heartbeat and its own"
