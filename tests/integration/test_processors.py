"""Processors from outside: a collector with a file as users have it, spoken to by a client, and what arrives at its destination."""

from __future__ import annotations

import hashlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from collector_lanes import DIRECTORY, OTLP, Lanes
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from otlp import attributes, gauge, log_request, metrics_request, resource_of, span_request
from processor_site import Processing
from remote_write import one_sample, sized, write_bytes
from stack import binaries, wait_for

PROCESSING = Processing(
    processors="""
  batch: {}
  resource:
    attributes:
      - {key: deployment.environment, value: production, action: upsert}
      - {key: secret, action: delete}
  attributes/points:
    include: {match_type: regexp, metric_names: ["^http"]}
    actions: [{key: zone, value: eu-1, action: insert}]
  attributes/spans:
    include: {match_type: strict, services: [shop]}
    exclude: {match_type: strict, span_names: [health]}
    actions:
      - {key: user.email, action: hash}
      - {key: url, pattern: "^/(?P<area>[a-z]+)/", action: extract}
      - {key: status, converted_type: int, action: convert}
  attributes/logs:
    include: {match_type: regexp, log_bodies: ["password"]}
    actions: [{pattern: "^auth", action: delete}]
""",
    pipelines="""
    metrics: {receivers: [otlp], processors: [memory_limiter, resource, attributes/points, batch], exporters: [otlphttp/cold]}
    traces: {receivers: [otlp], processors: [memory_limiter, attributes/spans, batch], exporters: [otlphttp/cold]}
    logs: {receivers: [otlp], processors: [attributes/logs, resource], exporters: [otlphttp/cold]}
""",
)


def _texts(entries: object) -> dict[str, str | int]:
    found: dict[str, str | int] = {}
    for entry in entries:  # type: ignore[attr-defined]
        assert isinstance(entry, KeyValue)
        value = entry.value
        found[entry.key] = value.int_value if value.WhichOneof("value") == "int_value" else value.string_value
    return found


@pytest.fixture
def lanes(tmp_path: Path) -> Iterator[Lanes]:
    yield from PROCESSING.running(tmp_path)


def _arrived(lanes: Lanes) -> bytes:
    assert lanes.destination is not None
    destination = lanes.destination
    wait_for("the data arrives", lambda: destination.arrived("cliente-a") != b"")
    return destination.arrived("cliente-a")


def test_points_and_their_resource_arrive_as_the_processors_made_them(lanes: Lanes) -> None:
    resource = resource_of("cliente-a") | {"secret": "x"}
    now = 1_000
    request = metrics_request(resource, gauge("http.requests", [(now, 1.0)], {"path": "/"}), gauge("cpu", [(now, 2.0)]))
    answer = lanes.send("cliente-a", request.SerializeToString())
    assert answer.status_code == 200, answer.text
    came = ExportMetricsServiceRequest.FromString(_arrived(lanes))
    group = came.resource_metrics[0]
    assert _texts(group.resource.attributes) == resource_of("cliente-a") | {"deployment.environment": "production"}
    points = {metric.name: _texts(metric.gauge.data_points[0].attributes) for metric in group.scope_metrics[0].metrics}
    assert points == {"http.requests": {"path": "/", "zone": "eu-1"}, "cpu": {}}
    lanes.settle("cliente-a", OTLP)


def test_spans_are_matched_hashed_and_taken_apart(lanes: Lanes) -> None:
    request = ExportTraceServiceRequest()
    texts = {"user.email": "a@b.example", "url": "/cart/7", "status": "404"}
    for service, name in (("shop", "GET"), ("shop", "health"), ("other", "GET")):
        one = span_request(resource_of("cliente-a", service=service), b"\1" * 16, b"\2" * 8, name)
        one.resource_spans[0].scope_spans[0].spans[0].attributes.extend(attributes(texts))
        request.MergeFrom(one)
    answer = lanes.send("cliente-a", request.SerializeToString(), "traces")
    assert answer.status_code == 200, answer.text
    came = ExportTraceServiceRequest.FromString(_arrived(lanes))
    found = [_texts(group.scope_spans[0].spans[0].attributes) for group in came.resource_spans]
    changed = {
        "user.email": hashlib.sha256(b"a@b.example").hexdigest(),
        "url": "/cart/7",
        "status": 404,
        "area": "cart",
    }
    assert found == [changed, texts, texts]


def test_log_records_lose_what_a_pattern_finds(lanes: Lanes) -> None:
    request = ExportLogsServiceRequest()
    for text in ("the password is wrong", "nothing"):
        one = log_request(resource_of("cliente-a"), text)
        one.resource_logs[0].scope_logs[0].log_records[0].attributes.extend(
            attributes({"auth.token": "t", "path": "/"})
        )
        request.MergeFrom(one)
    answer = lanes.send("cliente-a", request.SerializeToString(), "logs")
    assert answer.status_code == 200, answer.text
    came = ExportLogsServiceRequest.FromString(_arrived(lanes))
    found = [_texts(group.scope_logs[0].log_records[0].attributes) for group in came.resource_logs]
    assert found == [{"path": "/"}, {"auth.token": "t", "path": "/"}]


def test_a_processor_takes_no_data_over(lanes: Lanes) -> None:
    """C62: what names another customer is refused, whatever a processor does before it is looked at."""
    answer = lanes.send(
        "cliente-a", metrics_request(resource_of("cliente-b"), gauge("m", [(1, 1.0)])).SerializeToString()
    )
    assert answer.status_code == 403, answer.text


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ("{key: customer.id, value: cliente-b, action: upsert}", "whose data"),
        ("{pattern: 'customer.*', action: delete}", "whose data"),
        ("{key: a, from_context: metadata.x, action: insert}", "from_context is not supported"),
    ],
)
def test_what_cannot_be_done_is_told_with_its_line(tmp_path: Path, bad: str, told: str) -> None:
    text = PROCESSING.text(tmp_path, "127.0.0.1", "http://127.0.0.1:1")
    text = text.replace("{key: secret, action: delete}", bad)
    path = tmp_path / "collector.yaml"
    path.write_text(text)
    (tmp_path / "customers.yaml").write_text(DIRECTORY)
    line = next(number for number, each in enumerate(text.splitlines(), 1) if bad in each)
    ended = subprocess.run(
        [str(binaries() / "vigia-collector"), "--config", str(path)], capture_output=True, text=True, timeout=20
    )
    assert ended.returncode != 0
    assert f"collector.yaml:{line}: processors.resource.attributes[1]" in ended.stderr
    assert told in ended.stderr


def test_requests_that_go_out_are_as_large_as_the_batch_processor_allows(tmp_path: Path) -> None:
    lanes = Lanes(tmp_path)
    destination = lanes.serve()
    text = PROCESSING.text(tmp_path, lanes.host, lanes.destination_url)
    text = text.replace("batch: {}", "batch: {send_batch_size: 5, send_batch_max_size: 7}")
    (tmp_path / "collector.yaml").write_text(text)
    lanes.start("collector")
    metrics = [gauge(f"m{number}", [(1_000, float(number))]) for number in range(40)]
    answer = lanes.send("cliente-a", metrics_request(resource_of("cliente-a"), *metrics).SerializeToString())
    assert answer.status_code == 200, answer.text
    lanes.settle("cliente-a", OTLP)
    sizes = [
        sum(
            len(scope.metrics)
            for scope in ExportMetricsServiceRequest.FromString(body).resource_metrics[0].scope_metrics
        )
        for _, _, body in destination.bodies
    ]
    assert sum(sizes) == 40
    assert max(sizes) <= 7, sizes
    lanes.end()


def test_a_sampler_keeps_whole_traces_and_the_books_balance(tmp_path: Path) -> None:
    lanes = Lanes(tmp_path)
    destination = lanes.serve()
    text = PROCESSING.text(tmp_path, lanes.host, lanes.destination_url)
    text = text.replace("  batch: {}", "  batch: {}\n  probabilistic_sampler: {sampling_percentage: 50}")
    text = text.replace("[memory_limiter, attributes/spans, batch]", "[probabilistic_sampler]")
    (tmp_path / "collector.yaml").write_text(text)
    lanes.start("collector")
    for span in (b"\2" * 8, b"\3" * 8):
        request = ExportTraceServiceRequest()
        for trace in range(1, 7):
            request.MergeFrom(span_request(resource_of("cliente-a"), bytes([trace]) * 16, span, "GET"))
        answer = lanes.send("cliente-a", request.SerializeToString(), "traces")
        assert answer.status_code == 200, answer.text
        assert answer.content == b"", "what is taken out is no partial success"
    books = lanes.settle("cliente-a", OTLP, "traces")
    assert books["received"] == 12
    assert books["filtered"] == 6
    assert books["sent"] == 6
    came = ExportTraceServiceRequest.FromString(destination.arrived("cliente-a"))
    spans = [span for group in came.resource_spans for span in group.scope_spans[0].spans]
    # What every collector keeps of these six traces, by its hash.
    assert sorted((span.trace_id[0], span.span_id[0]) for span in spans) == [
        (trace, span) for trace in (1, 3, 4) for span in (2, 3)
    ]
    assert all(span.trace_state.startswith("ot=th:8;rv:") for span in spans)
    lanes.end()


def test_series_of_a_prometheus_are_changed_as_points_are(tmp_path: Path) -> None:
    lanes = Lanes(tmp_path)
    destination = lanes.serve()
    text = PROCESSING.text(tmp_path, lanes.host, lanes.destination_url)
    text = text.replace(
        "receivers:\n",
        "receivers:\n"
        f'  prometheusremotewrite: {{endpoint: "{lanes.host}:9201", auth: {{authenticator: vigia_auth}}}}\n',
        1,
    )
    text = text.replace("metrics: {receivers: [otlp]", "metrics: {receivers: [prometheusremotewrite, otlp]")
    text = text.replace(
        "exporters:\n", f'exporters:\n  prometheusremotewrite: {{endpoint: "{lanes.destination_url}/write"}}\n', 1
    )
    text = text.replace(
        "attributes/points, batch], exporters: [otlphttp/cold]",
        "attributes/points], exporters: [prometheusremotewrite]",
    )
    (tmp_path / "collector.yaml").write_text(text)
    lanes.start("collector")
    labels = {"__name__": "http_requests_total", "job": "app", "zz": "last"}
    answer = write_bytes(
        f"http://{lanes.host}:9201",
        one_sample(labels, time.time_ns() // 1_000_000, 7.0),
        {"Authorization": "Bearer token-a"},
    )
    assert answer.status_code in (200, 204), answer.text
    wait_for("the series arrives", lambda: b"http_requests_total" in destination.arrived("cliente-a"))
    series = destination.arrived("cliente-a")
    expected = labels | {"customer_id": "cliente-a", "zone": "eu-1"}
    pairs = [sized(1, sized(1, name.encode()) + sized(2, expected[name].encode())) for name in sorted(expected)]
    assert b"".join(pairs) in series, "its labels in order, and the new one among them"
    lanes.end()
