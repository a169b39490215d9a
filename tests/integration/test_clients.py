"""Real clients, not ours: the Python OpenTelemetry SDK over gRPC and HTTP, and grpcurl."""

from __future__ import annotations

import base64
import json
import logging
import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from launcher.compliance import grpcurl, telemetrygen
from otlp import gauge, log_request, metrics_request, resource_of, span_request
from stack import Stack, wait_for

CUSTOMER = "cliente-a"


def _exporters(stack: Stack, protocol: str) -> tuple[Any, Any, Any]:
    """Metric, span and log exporter of the SDK, with the customer's token."""
    headers = {"authorization": f"Bearer {stack.token(CUSTOMER, 'ingest')}"}
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
        from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

        at: dict[str, Any] = {"endpoint": stack.layout.url("collector_grpc"), "headers": headers, "insecure": True}
        return OTLPMetricExporter(**at), OTLPSpanExporter(**at), OTLPLogExporter(**at)
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpanExporter

    url = stack.layout.url("collector_http")
    return (
        HttpMetricExporter(endpoint=f"{url}/v1/metrics", headers=headers),
        HttpSpanExporter(endpoint=f"{url}/v1/traces", headers=headers),
        HttpLogExporter(endpoint=f"{url}/v1/logs", headers=headers),
    )


# R-OTLP-2: a sender that others made.
@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_python_sdk(running_stack: Stack, protocol: str) -> None:
    from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
    from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor

    stack = running_stack
    resource = Resource.create(resource_of(CUSTOMER, service=f"sdk-{protocol}"))
    metric_exporter, span_exporter, log_exporter = _exporters(stack, protocol)
    meters = MeterProvider([PeriodicExportingMetricReader(metric_exporter)], resource)
    counter = meters.get_meter("test").create_counter("sdk.requests", unit="{request}")
    counter.add(41, {"route": "/a"})
    counter.add(1, {"route": "/a"})
    assert meters.force_flush()
    tracers = TracerProvider(resource=resource)
    tracers.add_span_processor(SimpleSpanProcessor(span_exporter))
    with tracers.get_tracer("test").start_as_current_span("sdk-span") as span:
        trace_id = f"{span.get_span_context().trace_id:032x}"
    before = _stored_logs(stack)
    loggers = LoggerProvider(resource)
    loggers.add_log_record_processor(SimpleLogRecordProcessor(log_exporter))
    logger = logging.getLogger(f"sdk-{protocol}")
    logger.addHandler(LoggingHandler(logger_provider=loggers))
    logger.warning("sdk log line")

    token = stack.token(CUSTOMER, "read")
    query = f'sdk_requests_total{{job="sdk-{protocol}"}}'
    wait_for("the SDK's counter", lambda: [e["value"][1] for e in stack.query(query, token)] == ["42"], 20)

    def trace_is_there() -> bool:
        answer = stack.ask(f"/jaeger/api/traces/{trace_id}", token)
        return answer.status_code == 200 and "sdk-span" in answer.text

    wait_for("the SDK's span by its trace id", trace_is_there, 20)
    foreign = stack.ask(f"/jaeger/api/traces/{trace_id}", stack.token("cliente-b", "read"))
    assert foreign.status_code == 404
    wait_for("the SDK's log record", lambda: _stored_logs(stack) == before + 1, 20)
    for provider in (meters, tracers, loggers):
        provider.shutdown()


def _stored_logs(stack: Stack) -> float:
    """Log records of the customer that storage has taken."""
    samples = stack.own_metrics("storage_metrics")
    return sum(v for k, v in samples.items() if "log_records" in k and f'customer_id="{CUSTOMER}"' in k)


@pytest.mark.skipif(shutil.which("go") is None, reason="grpcurl is built from Go modules and no Go is here")
@pytest.mark.timeout(400)
def test_grpcurl(running_stack: Stack, tmp_path: Path) -> None:
    from google.protobuf import descriptor_pb2, json_format
    from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
    from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

    # grpcurl needs the message descriptions; the SDK's Python package has them.
    files = descriptor_pb2.FileDescriptorSet()
    seen: set[str] = set()

    def add(file: Any) -> None:
        if file.name in seen:
            return
        seen.add(file.name)
        for needed in file.dependencies:
            add(needed)
        file.CopyToProto(files.file.add())

    for module in (metrics_service_pb2, trace_service_pb2, logs_service_pb2):
        add(module.DESCRIPTOR)
    protoset = tmp_path / "otlp.protoset"
    protoset.write_bytes(files.SerializeToString())

    resource = resource_of(CUSTOMER, service="grpcurl")
    trace_id = os.urandom(16)
    now_ms = time.time_ns() // 1_000_000
    calls = {
        "metrics.v1.MetricsService": metrics_request(resource, gauge("from_grpcurl", [(now_ms, 5.0)])),
        "trace.v1.TraceService": span_request(resource, trace_id, os.urandom(8), "grpcurl-span"),
        "logs.v1.LogsService": log_request(resource, "grpcurl line"),
    }
    for service, request in calls.items():
        words = [
            str(grpcurl()),
            "-plaintext",
            "-protoset",
            str(protoset),
            "-H",
            f"authorization: Bearer {running_stack.token(CUSTOMER, 'ingest')}",
            "-d",
            json_format.MessageToJson(request),
            running_stack.layout.address("collector_grpc"),
            f"opentelemetry.proto.collector.{service}/Export",
        ]
        done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == {}
    token = running_stack.token(CUSTOMER, "read")
    wait_for("grpcurl's gauge", lambda: running_stack.query("from_grpcurl", token), 20)
    path = f"/jaeger/api/traces/{base64.b16encode(trace_id).decode().lower()}"
    wait_for("grpcurl's span", lambda: running_stack.ask(path, token).status_code == 200, 20)
    words[words.index("-H") + 1] = "authorization: Bearer wrong"
    refused = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
    assert "Unauthenticated" in refused.stderr


def _go_version() -> tuple[int, int]:
    """The minor version of Go here; (0, 0) where there is none."""
    if shutil.which("go") is None:
        return (0, 0)
    shown = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"go(\d+)\.(\d+)", shown)
    return (int(found[1]), int(found[2])) if found else (0, 0)


@pytest.mark.skipif(_go_version() < (1, 26), reason="telemetrygen is built from Go modules by Go 1.26 or newer")
@pytest.mark.timeout(400)
@pytest.mark.parametrize("signal", ["metrics", "traces", "logs"])
def test_telemetrygen(running_stack: Stack, signal: str) -> None:
    stack = running_stack
    samples = f'vigia_items_received_total{{customer_id="{CUSTOMER}",signal="{signal}"}}'
    before = stack.own_metrics("collector_metrics").get(samples, 0)
    words = [
        str(telemetrygen()),
        signal,
        "--otlp-insecure",
        "--otlp-endpoint",
        stack.layout.address("collector_grpc"),
        "--otlp-header",
        f'authorization="Bearer {stack.token(CUSTOMER, "ingest")}"',
        "--otlp-attributes",
        f'customer.id="{CUSTOMER}"',
        "--rate",
        "0",
        f"--{signal}",
        "20",
    ]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    received = stack.own_metrics("collector_metrics")[samples] - before
    assert received >= 20, done.stderr
    rejected = [key for key in stack.own_metrics("collector_metrics") if "items_rejected" in key and "foreign" in key]
    assert all(stack.own_metrics("collector_metrics")[key] == 0 for key in rejected if CUSTOMER in key)
    if signal == "metrics":
        wait_for("telemetrygen's gauge", lambda: stack.query("gen", stack.token(CUSTOMER, "read")), 20)
