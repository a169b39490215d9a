"""One customer's data against the collector's processors: what it costs is bounded, and nobody else waits for it.

C62, C63: each attack is sent by several connections with one token, while another customer's small requests are timed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from collector_lanes import Lanes
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otlp import log_request, resource_of
from processor_site import Processing

PROCESSING = Processing(
    processors="""
  attributes/tidy:
    actions:
      - {pattern: "(a+)+$", action: hash}
      - {key: path, pattern: "^(?P<one>.*)/(?P<two>.*)/(?P<three>.*)$", action: extract}
      - {key: seen, value: "yes", action: upsert}
  resource/tidy:
    attributes: [{key: region, value: eu, action: insert}, {pattern: "(x+x+)+y", action: delete}]
  filter/noise:
    logs: {log_record: ['IsMatch(body, "^(a|aa)+$")', 'IsMatch(body, "(.*)(.*)(.*)(.*)=[0-9]{40}$")']}
    traces: {span: ['IsMatch(attributes["path"], "(x+x+)+y")']}
  transform/redact:
    log_statements:
      - replace_pattern(log.body, "e", "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee")
      - replace_all_patterns(log.attributes, "value", "[a-z]", "$$0$$0$$0$$0", SHA256)
      - merge_maps(log.attributes, ParseJSON(log.body), "upsert") where IsMatch(log.body, "^[\\\\[{]")
      - flatten(log.attributes)
      - keep_keys(log.attributes, ["a", "b", "c", "k1", "k2", "k3", "path"])
    trace_statements:
      - replace_all_patterns(span.attributes, "key", "^.", "$$0$$0")
      - limit(span.attributes, 64, ["path"])
  probabilistic_sampler: {mode: proportional, sampling_percentage: 99}
""",
    pipelines="""
    logs: {receivers: [otlp], processors: [memory_limiter, attributes/tidy, resource/tidy, filter/noise, transform/redact], exporters: [otlphttp/cold]}
    traces: {receivers: [otlp], processors: [attributes/tidy, filter/noise, transform/redact, probabilistic_sampler], exporters: [otlphttp/cold]}
""",
)
SECONDS = 4.0
CONNECTIONS = 6
P99_MAX_S = 0.5
WORST_MAX_S = 3.0


@pytest.fixture
def lanes(tmp_path: Path) -> Iterator[Lanes]:
    yield from PROCESSING.running(tmp_path)


def _log(body: str, keys: int = 0, value: str = "v", records: int = 1) -> bytes:
    request = log_request(resource_of("cliente-a"), body)
    record = request.resource_logs[0].scope_logs[0].log_records[0]
    for number in range(keys):
        record.attributes.add(key=f"k{number}").value.string_value = value
    for _ in range(records - 1):
        request.resource_logs[0].scope_logs[0].log_records.add().CopyFrom(record)
    made: bytes = request.SerializeToString()
    return made


def _listed(elements: int, records: int) -> bytes:
    request = log_request(resource_of("cliente-a"), "b")
    record = request.resource_logs[0].scope_logs[0].log_records[0]
    values = record.attributes.add(key="k").value.array_value.values
    for _ in range(elements):
        values.add()
    for _ in range(records - 1):
        request.resource_logs[0].scope_logs[0].log_records.add().CopyFrom(record)
    made: bytes = request.SerializeToString()
    return made


def _traces(spans: int, states: Callable[[int], str], keys: int, path: str) -> bytes:
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.CopyFrom(log_request(resource_of("cliente-a"), "").resource_logs[0].resource)
    scope = group.scope_spans.add()
    for number in range(spans):
        span = scope.spans.add(name="s", trace_state=states(number))
        span.trace_id, span.span_id = number.to_bytes(8, "big") + b"\1" * 8, b"\1" * 8
        span.start_time_unix_nano = time.time_ns()
        span.attributes.add(key="path").value.string_value = path
        for at in range(keys):
            span.attributes.add(key=f"k{at}").value.int_value = at
    made: bytes = request.SerializeToString()
    return made


ATTACKS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "keep_keys on 100,000 attributes": ("logs", lambda: _log("b", keys=100_000)),
    "a pattern that multiplies": ("logs", lambda: _log("e" * 500_000, records=4)),
    "a function at each match": ("logs", lambda: _log("b", keys=900, value="a" * 4_000)),
    "regexes that others backtrack in": ("logs", lambda: _log("a" * 30_000 + "!", records=60)),
    "deep JSON": ("logs", lambda: _log('{"a":' * 50_000, records=16)),
    "wide JSON": ("logs", lambda: _log("[" + "0," * 120_000 + "0]", records=16)),
    "JSON in levels": ("logs", lambda: _log('{"a":' * 60 + '"' + "x" * 200_000 + '"' + "}" * 60, records=12)),
    "many small records": ("logs", lambda: _log('{"k1": {"x": [1, 2]}}', keys=8, records=40_000)),
    "lists to flatten": ("logs", lambda: _listed(60_000, records=10)),
    "tracestates of a KiB": ("traces", lambda: _traces(3_000, lambda n: f"a=1,ot=th:8;rv:{n:014x};" + "x:" + "y" * 200, 4, "/a")),
    "paths for extract": ("traces", lambda: _traces(200, lambda _: "", 900, "/" * 20_000)),
}  # fmt: skip


def _percentile(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


class Other:
    """Customer B's small requests, one every 20 ms, and how long each takes."""

    def __init__(self, lanes: Lanes) -> None:
        self.lanes = lanes
        self.took: list[float] = []
        self.answers: set[int] = set()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Other:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        body = ExportLogsServiceRequest(
            resource_logs=log_request(resource_of("cliente-b"), "user=ana path=/cart").resource_logs
        ).SerializeToString()
        while not self._end.wait(0.02):
            begin = time.monotonic()
            self.answers.add(self.lanes.send("cliente-b", body, "logs").status_code)
            self.took.append(time.monotonic() - begin)


@pytest.mark.two_at_a_time
@pytest.mark.parametrize("name", list(ATTACKS))
def test_nobody_else_waits(lanes: Lanes, name: str) -> None:
    signal, make = ATTACKS[name]
    body = make()
    until = time.monotonic() + SECONDS
    answers: list[int] = []

    def attack() -> None:
        while time.monotonic() < until:
            answers.append(lanes.send("cliente-a", body, signal).status_code)

    with Other(lanes) as other, ThreadPoolExecutor(CONNECTIONS) as pool:
        for done in [pool.submit(attack) for _ in range(CONNECTIONS)]:
            done.result()
    p99, worst = _percentile(other.took, 0.99), max(other.took)
    told = f"{len(body)} bytes, {len(answers)} answers {sorted(set(answers))}; B: {len(other.took)}, p99 {p99:.3f} s, worst {worst:.3f} s"
    print(f"{name}: {told}, {lanes.rss_peak >> 20} MiB")
    assert other.answers == {200}, told
    assert set(answers) <= {200, 400, 413, 429, 503}, told
    assert p99 < P99_MAX_S, told
    assert worst < WORST_MAX_S, told
