"""The cold store takes spans and log records by gRPC too, from a real SDK, as durable as by HTTP."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from cold_neighbour import A, B, ColdStore
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult

RESOURCE = Resource({"customer.id": "cliente-a", "node.id": "n1", "service.name": "shop"})
HEADERS = (("authorization", "Bearer secret"), ("x-vigia-customer", "cliente-a"))


@pytest.fixture
def cold(tmp_path: Path) -> Iterator[ColdStore]:
    store = ColdStore(tmp_path)
    try:
        store.start()
        yield store
        assert store.own_metric("vigia_faults_total") == 0
    finally:
        store.end()


def test_an_sdk_sends_by_grpc_and_a_kill_takes_nothing(cold: ColdStore) -> None:
    endpoint = f"{cold.host}:9096"
    tracer = TracerProvider(resource=RESOURCE).get_tracer("test")
    spans = [tracer.start_span(f"step {number}") for number in range(5)]
    for span in spans:
        span.end()
    exporter = OTLPSpanExporter(endpoint=endpoint, insecure=True, headers=HEADERS, timeout=10)
    assert exporter.export(spans) == SpanExportResult.SUCCESS
    exporter.shutdown()
    provider = LoggerProvider(resource=RESOURCE)
    by_grpc = OTLPLogExporter(endpoint=endpoint, insecure=True, headers=HEADERS, timeout=10)
    provider.add_log_record_processor(SimpleLogRecordProcessor(by_grpc))
    logger = logging.Logger("test")
    logger.addHandler(LoggingHandler(logger_provider=provider))
    for number in range(5):
        logger.warning("line %d", number)
    provider.shutdown()
    cold.kill_and_start()
    for number, span in enumerate(spans):
        trace = f"{cold.url}/api/v1/traces/{span.get_span_context().trace_id:032x}"
        found = requests.get(trace, headers=A, timeout=20)
        assert found.status_code == 200, found.text
        assert [each["operationName"] for each in found.json()["data"][0]["spans"]] == [f"step {number}"]
        assert requests.get(trace, headers=B, timeout=20).status_code == 404
    seconds = time.time()
    logs = f"{cold.url}/api/v1/logs?start={seconds - 600}&end={seconds + 600}"
    lines = requests.get(logs, headers=A, timeout=20).json()
    assert [record["body"] for record in lines["data"]] == [f"line {number}" for number in range(5)]


def test_a_token_that_is_wrong_is_told_in_grpcs_words(cold: ColdStore, caplog: pytest.LogCaptureFixture) -> None:
    span = TracerProvider(resource=RESOURCE).get_tracer("test").start_span("step")
    span.end()
    headers = (("authorization", "Bearer wrong"), ("x-vigia-customer", "cliente-a"))
    exporter = OTLPSpanExporter(endpoint=f"{cold.host}:9096", insecure=True, headers=headers, timeout=5)
    assert exporter.export([span]) == SpanExportResult.FAILURE
    exporter.shutdown()
    assert "UNAUTHENTICATED" in caplog.text
