"""The processors filter and transform from outside: what their conditions drop, what their statements change, and what arrives."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from collector_lanes import DIRECTORY, OTLP, Lanes
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otlp import attributes, gauge, log_request, metrics_request, resource_of, span_request
from processor_site import Processing
from stack import binaries, wait_for

PROCESSING = Processing(
    processors="""
  filter/noise:
    error_mode: ignore
    traces:
      span: ['name == "GET /health"', 'attributes["synthetic"] == "true"']
    metrics:
      metric: ['IsMatch(name, "^go_")']
      datapoint: ['metric.name == "http.requests" and attributes["path"] == "/ready"']
    logs:
      log_record: ['IsMatch(body, "^debug:")']
  transform/redact:
    error_mode: ignore
    log_statements:
      - replace_pattern(log.body, "password=\\\\S+", "password=***")
      - set(log.attributes["service"], resource.attributes["service.name"])
      - set(log.attributes["part"], Substring(log.body, 0, 9)) where log.severity_text == "part"
      - delete_matching_keys(log.attributes, "(?i)^(token|secret)$")
      - keep_keys(resource.attributes, ["service.name"])
    metric_statements:
      - set(datapoint.attributes["path"], "/item/*") where IsMatch(datapoint.attributes["path"], "^/item/\\\\d+$")
    trace_statements:
      - context: span
        conditions: ['attributes["card"] != nil']
        statements:
          - set(attributes["card"], SHA256(attributes["card"]))
          - truncate_all(attributes, 16)
""",
    pipelines="""
    metrics: {receivers: [otlp], processors: [memory_limiter, filter/noise, transform/redact], exporters: [otlphttp/cold]}
    traces: {receivers: [otlp], processors: [memory_limiter, filter/noise, transform/redact], exporters: [otlphttp/cold]}
    logs: {receivers: [otlp], processors: [filter/noise, transform/redact], exporters: [otlphttp/cold]}
""",
)


def _texts(entries: object) -> dict[str, str]:
    return {entry.key: entry.value.string_value for entry in entries}  # type: ignore[attr-defined]


@pytest.fixture
def lanes(tmp_path: Path) -> Iterator[Lanes]:
    yield from PROCESSING.running(tmp_path)


def _arrived(lanes: Lanes) -> bytes:
    assert lanes.destination is not None
    destination = lanes.destination
    wait_for("the data arrives", lambda: destination.arrived("cliente-a") != b"")
    return destination.arrived("cliente-a")


def _books(lanes: Lanes, signal: str, received: int, filtered: int) -> None:
    books = lanes.settle("cliente-a", OTLP, signal)
    assert (books["received"], books["filtered"], books.get("sent", 0)) == (received, filtered, received - filtered)


def test_log_records_are_dropped_and_redacted(lanes: Lanes) -> None:
    request = ExportLogsServiceRequest()
    for text in ("debug: entering", "login password=hunter2 ok", "plain"):
        one = log_request(resource_of("cliente-a", service="shop") | {"host.name": "h"}, text)
        one.resource_logs[0].scope_logs[0].log_records[0].attributes.extend(attributes({"Token": "t", "path": "/"}))
        request.MergeFrom(one)
    answer = lanes.send("cliente-a", request.SerializeToString(), "logs")
    assert answer.status_code == 200, answer.text
    assert answer.content == b"", "what a filter drops is no partial success"
    came = ExportLogsServiceRequest.FromString(_arrived(lanes))
    records = [group.scope_logs[0].log_records[0] for group in came.resource_logs]
    assert [record.body.string_value for record in records] == ["login password=*** ok", "plain"]
    assert [_texts(record.attributes) for record in records] == [{"path": "/", "service": "shop"}] * 2
    resources = [_texts(group.resource.attributes) for group in came.resource_logs]
    assert resources == [{"customer.id": "cliente-a", "service.name": "shop"}] * 2, "the customer stays"
    _books(lanes, "logs", 3, 1)


def test_metrics_and_points_are_dropped_and_changed(lanes: Lanes) -> None:
    now = 1_000
    request = metrics_request(
        resource_of("cliente-a"),
        gauge("go_gc", [(now, 1.0), (now + 1, 1.0)]),
        gauge("http.requests", [(now, 1.0)], {"path": "/ready"}),
        gauge("http.latency", [(now, 2.0)], {"path": "/item/42"}),
    )
    answer = lanes.send("cliente-a", request.SerializeToString())
    assert answer.status_code == 200, answer.text
    came = ExportMetricsServiceRequest.FromString(_arrived(lanes))
    metrics = came.resource_metrics[0].scope_metrics[0].metrics
    assert [(metric.name, _texts(metric.gauge.data_points[0].attributes)) for metric in metrics] == [
        ("http.latency", {"path": "/item/*"})
    ]
    _books(lanes, "metrics", 4, 3)


def test_spans_are_dropped_and_hashed(lanes: Lanes) -> None:
    request = ExportTraceServiceRequest()
    for number, (name, texts) in enumerate(
        [("GET /health", {}), ("GET /cart", {"card": "4111"}), ("GET /cart", {"synthetic": "true"}), ("GET /", {})]
    ):
        one = span_request(resource_of("cliente-a"), b"\1" * 16, bytes([number + 1]) * 8, name)
        one.resource_spans[0].scope_spans[0].spans[0].attributes.extend(attributes(texts))
        request.MergeFrom(one)
    answer = lanes.send("cliente-a", request.SerializeToString(), "traces")
    assert answer.status_code == 200, answer.text
    came = ExportTraceServiceRequest.FromString(_arrived(lanes))
    spans = [group.scope_spans[0].spans[0] for group in came.resource_spans]
    assert [(span.name, _texts(span.attributes)) for span in spans] == [
        ("GET /cart", {"card": hashlib.sha256(b"4111").hexdigest()[:16]}),
        ("GET /", {}),
    ]
    _books(lanes, "traces", 4, 2)


def test_all_of_a_request_may_be_dropped(lanes: Lanes) -> None:
    answer = lanes.send(
        "cliente-a", log_request(resource_of("cliente-a"), "debug: nothing else").SerializeToString(), "logs"
    )
    assert answer.status_code == 200, answer.text
    _books(lanes, "logs", 1, 1)


def test_what_cannot_be_run_is_counted_and_told_once_a_minute(lanes: Lanes) -> None:
    """R-OTLP-8's other side: the request goes on, its customer's provider finds out."""
    record = log_request(resource_of("cliente-a"), "short")
    record.resource_logs[0].scope_logs[0].log_records[0].severity_text = "part"
    for _ in range(5):
        assert lanes.send("cliente-a", record.SerializeToString(), "logs").status_code == 200
    theirs = ExportLogsServiceRequest.FromString(
        record.SerializeToString().replace(b"cliente-a", b"cliente-b")
    ).SerializeToString()
    assert lanes.send("cliente-b", theirs, "logs").status_code == 200
    faults = {
        labels["customer_id"]: (labels["processor"], value)
        for name, labels, value in lanes.metrics()
        if name == "vigia_processor_faults_total"
    }
    assert faults == {"cliente-a": ("transform/redact", 5), "cliente-b": ("transform/redact", 1)}
    told = [line for line in (lanes.folder / "collector.log").read_text().splitlines() if "could not be run" in line]
    assert len(told) == 2, "one line of each customer"
    for part in ("cliente-a", "outside of the text", "transform/redact"):
        assert part in told[0]


def test_another_customers_data_is_refused_all_the_same(lanes: Lanes) -> None:
    """C62: no statement makes one customer's data another's."""
    answer = lanes.send("cliente-a", log_request(resource_of("cliente-b"), "theirs").SerializeToString(), "logs")
    assert answer.status_code == 403, answer.text


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ('set(resource.attributes["customer.id"], "cliente-b")', "1:5: this attribute says whose data it is"),
        ('set(log.bodyy, "x")', "1:5: log.bodyy is no field of a log"),
        ("copy_metric(log.attributes)", "1:1: the function copy_metric is not taken; there are append, "),
        ('set(log.body, "x") where', "1:25: a value is missing at the end"),
    ],
)
def test_what_cannot_be_run_is_told_with_its_line_and_place(tmp_path: Path, bad: str, told: str) -> None:
    text = PROCESSING.text(tmp_path, "127.0.0.1", "http://127.0.0.1:1")
    text = text.replace('set(log.attributes["service"], resource.attributes["service.name"])', bad)
    path = tmp_path / "collector.yaml"
    path.write_text(text)
    (tmp_path / "customers.yaml").write_text(DIRECTORY)
    line = next(number for number, each in enumerate(text.splitlines(), 1) if bad in each)
    ended = subprocess.run(
        [str(binaries() / "vigia-collector"), "--config", str(path)], capture_output=True, text=True, timeout=20
    )
    assert ended.returncode != 0
    assert f"collector.yaml:{line}: processors.transform/redact.log_statements[1]" in ended.stderr
    assert told in ended.stderr
