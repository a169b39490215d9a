"""One customer's deltas of every bad kind keep nobody: what they take has a bound, and the books add up."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from collector_lanes import COLD, FRESH_SECONDS, HOT, Lanes
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, Metric, NumberDataPoint
from otlp import attributes, metrics_request, rejected_points, resource_of
from stack import wait_for

DELTA = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
SECOND = 1_000_000_000
STREAMS_MAX = 20_000
STREAMS_SENT = 1_000_000
AT_ONCE = 50_000


@pytest.fixture
def lanes(tmp_path: Path) -> Iterator[Lanes]:
    made = Lanes(tmp_path)
    destination = made.serve()
    destination.unpacks = destination.keeps = False
    made.configure(hot=made.destination_url, cold=made.destination_url, exporters=f"{HOT}, {COLD}")
    made.start("collector")
    yield made
    made.end()


def _sum(name: str, *points: NumberDataPoint, temporality: AggregationTemporality.ValueType = DELTA) -> Metric:
    metric = Metric(name=name)
    metric.sum.is_monotonic, metric.sum.aggregation_temporality = True, temporality
    metric.sum.data_points.extend(points)
    return metric


def _point(at_ns: int, value: float, start_ns: int = 0, **labels: str) -> NumberDataPoint:
    point = NumberDataPoint(time_unix_nano=at_ns, start_time_unix_nano=start_ns, as_double=value)
    point.attributes.extend(attributes(labels))
    return point


def _streams(first: int, count: int) -> bytes:
    now = time.time_ns()
    points = [_point(now, 1.0, now - SECOND, n=str(n)) for n in range(first, first + count)]
    body: bytes = metrics_request(resource_of("cliente-a"), _sum("flood", *points)).SerializeToString()
    return body


def _odd(turn: int) -> bytes:
    """Both temporalities of one series, starts ahead of the clock and behind the end, resets, what no sum is made of."""
    now = time.time_ns()
    body: bytes = metrics_request(
        resource_of("cliente-a"),
        _sum("both", _point(now, 5.0, now - SECOND)),
        _sum("both", _point(now + 1_000_000, 7.0, now - SECOND), temporality=CUMULATIVE),
        _sum("ahead", *(_point(now + n, 1.0, now + n * 3600 * SECOND) for n in range(100))),
        _sum("resets", *(_point(now + n, 1.0, now - (turn + n) * SECOND) for n in range(100))),
        _sum("huge", *(_point(now + n, 1.7e308) for n in range(100))),
        _sum("nan", *(_point(now + n, value) for n, value in enumerate((float("nan"), float("inf"), -1.0)))),
    ).SerializeToString()
    return body


def _scales(turn: int) -> bytes:
    """Wide streams, then many small points of them, each of which becomes a wide one; and scales up and down."""
    now = time.time_ns()
    request = ExportMetricsServiceRequest()
    entry = request.resource_metrics.add()
    entry.resource.attributes.extend(attributes(resource_of("cliente-a")))
    histogram = entry.scope_metrics.add().metrics.add(name="scales").exponential_histogram
    histogram.aggregation_temporality = DELTA
    for n in range(3_000):
        is_wide = n < 20
        point = histogram.data_points.add(time_unix_nano=now + n, scale=(20, 3, 8, -4)[n % 4] if n % 7 == 0 else 3)
        point.attributes.extend(attributes({"n": str(n % 20), "turn": str(turn % 3)}))
        point.positive.offset = 0 if is_wide else (n * 7919) % 300
        point.positive.bucket_counts.extend([1 << 35] * (300 if is_wide else 1))
        point.count, point.sum = sum(point.positive.bucket_counts), 1.0
    body: bytes = request.SerializeToString()
    return body


class DeltaNeighbour:
    """Customer B's delta of one stream, one every 0.1 s."""

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes
        self.seconds: list[float] = []
        self.refused: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._stop.wait(0.1):
            now = time.time_ns()
            body = metrics_request(resource_of("cliente-b"), _sum("b", _point(now, 1.0, now - SECOND)))
            began = time.monotonic()
            answer = self._lanes.send("cliente-b", body.SerializeToString())
            self.seconds.append(time.monotonic() - began)
            if answer.status_code != 200 or rejected_points(answer):
                self.refused.append(answer.text)

    def __enter__(self) -> DeltaNeighbour:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


@pytest.mark.two_at_a_time
def test_one_customers_deltas_keep_nobody(lanes: Lanes) -> None:
    def attack(kind: int) -> None:
        if kind == 0:
            for first in range(0, STREAMS_SENT, AT_ONCE):
                lanes.send("cliente-a", _streams(first, AT_ONCE))
        for turn in range(40):
            lanes.send("cliente-a", _odd(turn) if kind == 1 else _scales(turn))

    rest = lanes.rss_peak
    with DeltaNeighbour(lanes) as b:
        threads = [threading.Thread(target=attack, args=(kind,)) for kind in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    ordered = sorted(b.seconds)
    print(
        f"B: {len(ordered)} deltas, p50 {ordered[len(ordered) // 2]:.3f} s, p99 {ordered[len(ordered) * 99 // 100]:.3f} s,"
        f" slowest {ordered[-1]:.3f} s; RSS {rest >> 20} to {lanes.rss_peak >> 20} MiB"
    )
    assert b.refused == []
    assert ordered[-1] < FRESH_SECONDS
    shown = {name: value for name, _, value in lanes.metrics()}
    assert 1 < shown["vigia_delta_streams"] <= STREAMS_MAX + 1
    assert shown["vigia_delta_state_bytes"] <= 32 << 20
    reasons = {
        labels["reason"]: value
        for name, labels, value in lanes.metrics()
        if name == "vigia_items_rejected_total" and labels["customer_id"] == "cliente-a"
    }
    assert reasons["delta_streams"] >= STREAMS_SENT - STREAMS_MAX - AT_ONCE
    assert reasons["invalid"] > 0
    assert not (lanes.folder / "log" / "delta-states").exists() or (
        (lanes.folder / "log" / "delta-states").stat().st_size < 40 << 20
    )
    for customer in ("cliente-a", "cliente-b"):
        lanes.settle(customer, COLD)
    wait_for("B's own", lambda: lanes.books("cliente-b", COLD)["sent"] == len(b.seconds), 20)
