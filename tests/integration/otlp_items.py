"""Items by name, of each signal, through a collector that hands them on as OTLP."""

from __future__ import annotations

import os
from collections.abc import Sequence

from collector_alone import CUSTOMER, TOKEN, CollectorAlone, now_ms
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otlp import gauge, log_request, metrics_request, post, resource_of, span_request

SIGNALS = ("metrics", "traces", "logs")
TOKENS = {CUSTOMER: TOKEN, "cliente-b": "token-b"}
KINDS = {"grpc": "otlp", "http": "otlphttp"}


def request_of(signal: str, names: Sequence[str], tail: str = "", customer: str = CUSTOMER) -> bytes:
    """One request with an item of each name."""
    resource = resource_of(customer)
    if signal == "metrics":
        points = [gauge(name, [(now_ms(), 1.0)]) for name in names]
        return bytes(metrics_request(resource, *points).SerializeToString())
    if signal == "traces":
        spans = ExportTraceServiceRequest()
        for name in names:
            spans.MergeFrom(span_request(resource, os.urandom(16), os.urandom(8), name))
        return bytes(spans.SerializeToString())
    records = ExportLogsServiceRequest()
    for name in names:
        records.MergeFrom(log_request(resource, name + tail))
    return bytes(records.SerializeToString())


def send(
    collector: CollectorAlone, signal: str, names: Sequence[str], tail: str = "", customer: str = CUSTOMER
) -> None:
    answer = post(collector.http, TOKENS[customer], request_of(signal, names, tail, customer), signal=signal)
    assert answer.status_code == 200, answer.text


def exporter_of(transport: str, scheme: str, host: str, port: int, more: str = "") -> dict[str, str]:
    """As people write them: an address alone over gRPC, a URL over HTTP."""
    plain = ", tls: {insecure: true}" if transport == "grpc" and scheme == "http" else ""
    endpoint = f"{host}:{port}" if transport == "grpc" else f"{scheme}://{host}:{port}"
    retry = "retry_on_failure: {initial_interval: 50ms, max_interval: 500ms}"
    words = f'{KINDS[transport]}: {{endpoint: "{endpoint}"{plain}{more}, {retry}}}'
    return {"exporters": words, "exporter": KINDS[transport]}


def books(collector: CollectorAlone, term: str) -> float:
    """Of all customers and signals."""
    return collector.metric(f"vigia_items_{term}{{")
