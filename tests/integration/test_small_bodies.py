"""Legal OTLP of a few KiB that multiplies inside: what stands once in a scope or a metric, times its points. What one such
request may cost of a processor, and what it may not cost another customer."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from collector_lanes import now_ms
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import ScopeMetrics
from otlp import attributes
from test_bombs import Neighbour, Watch
from test_remote_write_in import Site

# A scope of 5,000 attributes times 15,000 points took 16 to 40 s. What is refused costs little more than to read it; what is
# taken may become 128 MiB of labels, more than a second of it.
CPU_MS_MAX = 4000


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    try:
        made.start("collector")
        yield made
    finally:
        made.end()


def _scope(request: ExportMetricsServiceRequest) -> ScopeMetrics:
    resource = request.resource_metrics.add()
    resource.resource.attributes.extend(attributes({"customer.id": "cliente-a", "node.id": "n1"}))
    scope: ScopeMetrics = resource.scope_metrics.add()
    return scope


def _points(scope: ScopeMetrics, count: int, name: str = "m", unit: str = "", description: str = "") -> None:
    metric = scope.metrics.add(name=name, unit=unit, description=description)
    for number in range(count):
        point = metric.gauge.data_points.add(time_unix_nano=now_ms() * 1_000_000, as_double=1.0)
        point.attributes.extend(attributes({"p": str(number)}))


def _scope_of_attributes(scope: ScopeMetrics, count: int, value: str) -> None:
    scope.scope.attributes.extend(attributes({f"k{number}": value for number in range(count)}))
    _points(scope, 15_000)


def _schema_url(scope: ScopeMetrics, size: int) -> None:
    scope.schema_url = "u" * size
    _points(scope, 15_000)


def _bounds(scope: ScopeMetrics, bounds: int, points: int) -> None:
    metric = scope.metrics.add(name="h")
    metric.histogram.aggregation_temporality = 2
    for number in range(points):
        point = metric.histogram.data_points.add(time_unix_nano=now_ms() * 1_000_000, count=0)
        point.attributes.extend(attributes({"p": str(number), "long": "x" * 700}))
        point.explicit_bounds.extend(float(bound) for bound in range(bounds))
        point.bucket_counts.extend([0] * (bounds + 1))


def _metrics_of_long_names(scope: ScopeMetrics, size: int, count: int) -> None:
    for _ in range(count):
        _points(scope, 1, name="n" * size)


BODIES: dict[str, Callable[[ScopeMetrics], None]] = {
    "a scope of 5,000 attributes": lambda scope: _scope_of_attributes(scope, 5_000, "v"),
    "a scope of 200 labels": lambda scope: _scope_of_attributes(scope, 200, "v" * 200),
    "a scope of 25 labels": lambda scope: _scope_of_attributes(scope, 25, "v" * 1_500),
    "a schema_url of 2 MB": lambda scope: _schema_url(scope, 2_000_000),
    "a schema_url of 200 KB": lambda scope: _schema_url(scope, 200_000),
    "a name of 2 MB": lambda scope: _points(scope, 15_000, name="n" * 2_000_000),
    "a unit of 2 MB": lambda scope: _points(scope, 15_000, unit="u" * 2_000_000),
    "a description of 2 MB": lambda scope: _points(scope, 15_000, description="d" * 2_000_000),
    "5,000 bounds": lambda scope: _bounds(scope, 5_000, 60),
    "names of 2 KB": lambda scope: _metrics_of_long_names(scope, 2_048, 1_500),
}


def _packed(fill: Callable[[ScopeMetrics], None]) -> bytes:
    request = ExportMetricsServiceRequest()
    fill(_scope(request))
    return gzip.compress(request.SerializeToString(), 9)


def _post(site: Site, body: bytes) -> requests.Response:
    headers = {"Authorization": "Bearer token-a", "Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"}
    return requests.post(f"http://{site.host}:4318/v1/metrics", data=body, headers=headers, timeout=60)


@pytest.mark.two_at_a_time
def test_what_a_few_kib_may_cost(site: Site) -> None:
    pid = site.running["collector"].pid
    slow = []
    for name, fill in BODIES.items():
        body = _packed(fill)
        watch = Watch(pid)
        answer = _post(site, body)
        told = f"{name}: {len(body)} bytes, {answer.status_code}, {watch.cpu_ms():.0f} ms, {watch.grown_mib():.0f} MiB"
        print(told, answer.content[:200] if answer.status_code == 200 else answer.text[:200])
        assert answer.status_code in (200, 400, 413, 503), told
        if watch.cpu_ms() > CPU_MS_MAX:
            slow.append(told)
    assert not slow, slow


@pytest.mark.two_at_a_time
def test_many_of_them_hold_nobody_else_up(site: Site) -> None:
    bodies = [_packed(fill) for fill in BODIES.values()]

    def attack() -> None:
        for body in bodies:
            _post(site, body)

    def side_by_side() -> None:
        threads = [threading.Thread(target=attack) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    beside = Neighbour(site)
    beside.during(side_by_side)
    print(f"slowest {max(beside.took):.3f} s of {len(beside.took)}, {dict(beside.statuses)}")
    assert set(beside.statuses) == {200, 204}, beside.statuses
    # An event loop meets each kind once or twice before its bodies go elsewhere.
    assert max(beside.took) < 4
