"""Senders that others made, three signals each, through a collector to the Go collector, where what has come is counted.

The Go collector itself (otlp and otlphttp, gzip and zstd), the SDKs for Node, Java and Python, telemetrygen, and grpcurl by
what reflection tells it. `./vigia test compliance`; a whole Vigía behind some of them: tests/integration/test_clients.py.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from collector_alone import CUSTOMER, TOKEN, CollectorAlone
from go_collector import PORTS, GoCollector
from launcher.commands import Command
from launcher.compliance import go_collector, grpcurl, java_sdk, node_sdk, telemetrygen
from launcher.layout import own_host
from otlp import resource_of
from otlp_items import SIGNALS, exporter_of, request_of
from stack import Running, wait_for

ITEMS = 20
SENDER = """
receivers:
  otlp: {{protocols: {{http: {{endpoint: "{host}:16318"}}}}}}
exporters:
  {kind}: {{endpoint: "{endpoint}", tls: {{insecure: true}}, compression: {compression}, headers: {{authorization: "Bearer {token}"}}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    metrics: {{receivers: [otlp], exporters: [{kind}]}}
    traces: {{receivers: [otlp], exporters: [{kind}]}}
    logs: {{receivers: [otlp], exporters: [{kind}]}}
"""


@pytest.fixture
def path(tmp_path: Path) -> Iterator[tuple[CollectorAlone, GoCollector]]:
    """A collector, and the far end of what it takes."""
    go_collector()
    host = own_host()
    words = exporter_of("grpc", "http", host, PORTS["grpc"])
    with GoCollector(tmp_path, host) as end, CollectorAlone(tmp_path, host, **words) as collector:
        yield collector, end


def _assert_items(end: GoCollector) -> None:
    for signal in SIGNALS:
        wait_for(f"all {signal}", lambda s=signal: sum(end.names(s).values()) >= ITEMS)  # type: ignore[misc]
        assert end.names(signal) == Counter(f"item_{n}" for n in range(ITEMS)), signal


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
@pytest.mark.parametrize("kind", ["otlp", "otlphttp"])
def test_the_go_collector(
    path: tuple[CollectorAlone, GoCollector], tmp_path: Path, kind: str, compression: str
) -> None:
    import requests

    collector, end = path
    host = collector.host
    endpoint = f"{host}:4317" if kind == "otlp" else collector.http
    text = SENDER.format(host=host, kind=kind, endpoint=endpoint, compression=compression, token=TOKEN)
    (tmp_path / "sender.yaml").write_text(text)
    words = [str(go_collector()), "--config", str(tmp_path / "sender.yaml")]
    sender = Running(Command("sender", words, ""), tmp_path / "sender.log")
    try:
        for signal in SIGNALS:
            body = request_of(signal, [f"item_{n}" for n in range(ITEMS)])

            def is_taken(signal: str = signal, body: bytes = body) -> bool:
                url = f"http://{host}:16318/v1/{signal}"
                headers = {"Content-Type": "application/x-protobuf"}
                return requests.post(url, data=body, headers=headers, timeout=10).status_code == 200

            wait_for("the sender takes it", is_taken, 20)
        _assert_items(end)
    finally:
        sender.end(9)


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize("transport", ["grpc", "proto", "http"])
def test_the_sdk_for_node(path: tuple[CollectorAlone, GoCollector], transport: str, compression: str) -> None:
    collector, end = path
    endpoint = f"http://{collector.host}:4317" if transport == "grpc" else collector.http
    script = node_sdk() / "send.mjs"
    words = [shutil.which("node") or "node", str(script), transport, endpoint, TOKEN, CUSTOMER, str(ITEMS), compression]
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    _assert_items(end)


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize("transport", ["grpc", "http"])
def test_the_sdk_for_java(path: tuple[CollectorAlone, GoCollector], transport: str, compression: str) -> None:
    collector, end = path
    endpoint = f"http://{collector.host}:4317" if transport == "grpc" else collector.http
    words = [*java_sdk(), transport, endpoint, TOKEN, CUSTOMER, str(ITEMS), compression]
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    _assert_items(end)


def _python_exporters(transport: str, compression: str, collector: CollectorAlone) -> tuple[Any, Any, Any]:
    """Of metrics, spans and records."""
    headers = {"authorization": f"Bearer {TOKEN}"}
    if transport == "grpc":
        import grpc
        from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
        from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

        packing = grpc.Compression.Gzip if compression == "gzip" else grpc.Compression.NoCompression
        at: dict[str, Any] = {"endpoint": f"http://{collector.host}:4317", "headers": headers, "compression": packing}
        return OTLPMetricExporter(**at), OTLPSpanExporter(**at), OTLPLogExporter(**at)
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpanExporter

    more: dict[str, Any] = {"headers": headers, "compression": Compression(compression)}
    return (
        HttpMetricExporter(endpoint=f"{collector.http}/v1/metrics", **more),
        HttpSpanExporter(endpoint=f"{collector.http}/v1/traces", **more),
        HttpLogExporter(endpoint=f"{collector.http}/v1/logs", **more),
    )


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize("transport", ["grpc", "http"])
def test_the_sdk_for_python(path: tuple[CollectorAlone, GoCollector], transport: str, compression: str) -> None:
    from opentelemetry._logs import LogRecord
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    collector, end = path
    metric_exporter, span_exporter, log_exporter = _python_exporters(transport, compression, collector)
    resource = Resource.create(resource_of(CUSTOMER, service="python-sdk"))
    reader = PeriodicExportingMetricReader(metric_exporter, export_interval_millis=3_600_000)
    meters = MeterProvider([reader], resource)
    tracers = TracerProvider(resource=resource)
    tracers.add_span_processor(BatchSpanProcessor(span_exporter))
    loggers = LoggerProvider(resource)
    loggers.add_log_record_processor(BatchLogRecordProcessor(log_exporter))
    for n in range(ITEMS):
        meters.get_meter("test").create_gauge(f"item_{n}").set(n + 0.5)
        tracers.get_tracer("test").start_span(f"item_{n}").end()
        loggers.get_logger("test").emit(LogRecord(body=f"item_{n}"))
    # Each sends what it has; the meters' end sends once more what a flush has sent.
    for provider in (meters, tracers, loggers):
        provider.shutdown()
    _assert_items(end)


@pytest.mark.parametrize("transport", ["grpc", "http"])
def test_telemetrygen(path: tuple[CollectorAlone, GoCollector], transport: str) -> None:
    collector, end = path
    host = collector.host
    at = [f"--otlp-endpoint={host}:4317"] if transport == "grpc" else [f"--otlp-endpoint={host}:4318", "--otlp-http"]
    # A trace of it is a span with one child.
    for signal, items in (("metrics", ITEMS), ("traces", 2 * ITEMS), ("logs", ITEMS)):
        words = [str(telemetrygen()), signal, "--otlp-insecure", *at, f'--otlp-header=authorization="Bearer {TOKEN}"']
        words += [f'--otlp-attributes=customer.id="{CUSTOMER}"', f"--{signal}={ITEMS}", "--rate=0", "--workers=1"]
        done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        wait_for(f"all {signal}", lambda s=signal, n=items: sum(end.names(s).values()) >= n)  # type: ignore[misc]
        assert sum(end.names(signal).values()) == items, signal


def test_grpcurl_needs_no_proto_files(path: tuple[CollectorAlone, GoCollector]) -> None:
    from google.protobuf import json_format
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    collector, end = path
    kinds: dict[str, Any] = {
        "metrics": ExportMetricsServiceRequest,
        "traces": ExportTraceServiceRequest,
        "logs": ExportLogsServiceRequest,
    }
    services = {
        "metrics": "metrics.v1.MetricsService",
        "traces": "trace.v1.TraceService",
        "logs": "logs.v1.LogsService",
    }

    def ask(*words: str, token: str = TOKEN) -> subprocess.CompletedProcess[str]:
        begin = [str(grpcurl()), "-plaintext", "-H", f"authorization: Bearer {token}"]
        return subprocess.run([*begin, *words], check=False, capture_output=True, text=True, timeout=60)

    address = f"{collector.host}:4317"
    listed = ask(address, "list")
    assert {f"opentelemetry.proto.collector.{service}" for service in services.values()} < set(listed.stdout.split())
    for name in [*listed.stdout.split(), "opentelemetry.proto.metrics.v1.ExponentialHistogramDataPoint.Buckets"]:
        described = ask(address, "describe", name)
        assert described.returncode == 0, described.stderr
        assert f"{name} is a" in described.stdout
    unknown = ask(address, "describe", "opentelemetry.proto.Nothing")
    assert unknown.returncode != 0
    assert "Nothing" in unknown.stderr
    for signal, service in services.items():
        names = [f"item_{n}" for n in range(ITEMS)]
        request = json_format.MessageToJson(kinds[signal].FromString(request_of(signal, names)))
        method = f"opentelemetry.proto.collector.{service}/Export"
        done = ask("-d", request, address, method)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == {}
        assert "Unauthenticated" in ask("-d", request, address, method, token="wrong").stderr
    assert json.loads(ask(address, "grpc.health.v1.Health/Check").stdout) == {"status": "SERVING"}
    _assert_items(end)
