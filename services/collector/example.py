"""Sends one metric, one span and one log record by OTLP/gRPC, as a customer's application would.

    VIGIA_TOKEN=… python example.py [--endpoint http://localhost:4317] [--customer cliente-a]

Behind an agent neither token nor customer is needed: the agent adds both. Straight to the collector, as here, the
token goes into the headers and the customer into the resource; the collector compares them.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from operator import attrgetter
from typing import TypeVar

from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

E = TypeVar("E")


def remembered(exporter: E, results: list[str]) -> E:
    """The exporter, which writes down how each request of its ended: a flush succeeds even where all was refused."""
    export = attrgetter("export")(exporter)

    def export_and_remember(*arguments: object, **named: object) -> object:
        result = export(*arguments, **named)
        results.append(result.name)
        return result

    vars(exporter)["export"] = export_and_remember
    return exporter


def send(endpoint: str, token: str, resource: Resource) -> bool:
    """True where all three were taken."""
    results: list[str] = []
    door = {"endpoint": endpoint, "headers": {"authorization": f"Bearer {token}"}}
    insecure = not endpoint.startswith("https://")
    metric_exporter = remembered(OTLPMetricExporter(**door, insecure=insecure), results)
    meters = MeterProvider([PeriodicExportingMetricReader(metric_exporter)], resource)
    tracers = TracerProvider(resource=resource)
    tracers.add_span_processor(BatchSpanProcessor(remembered(OTLPSpanExporter(**door, insecure=insecure), results)))
    loggers = LoggerProvider(resource)
    loggers.add_log_record_processor(
        BatchLogRecordProcessor(remembered(OTLPLogExporter(**door, insecure=insecure), results))
    )
    logger = logging.getLogger("example")
    logger.addHandler(LoggingHandler(logger_provider=loggers))
    logger.setLevel(logging.INFO)

    requests = meters.get_meter("example").create_counter("example.requests", unit="{request}")
    with tracers.get_tracer("example").start_as_current_span("GET /") as span:
        requests.add(1, {"http.route": "/"})
        logger.info("served one request")
        print(f"trace {span.get_span_context().trace_id:032x}")
    flushed = [provider.force_flush() for provider in (meters, tracers, loggers)]
    for provider in (meters, tracers, loggers):
        provider.shutdown()
    return all(flushed) and len(results) >= 3 and set(results) == {"SUCCESS"}


def main() -> int:
    parser = argparse.ArgumentParser(description="Sends one metric, one span and one log record by OTLP/gRPC.")
    parser.add_argument("--endpoint", default="http://localhost:4317", help="the collector (default %(default)s)")
    parser.add_argument("--customer", default="cliente-a", help="whose token it is (default %(default)s)")
    arguments = parser.parse_args()
    token = os.environ.get("VIGIA_TOKEN")
    if not token:
        print("set VIGIA_TOKEN to an ingest token of the customer", file=sys.stderr)
        return 2
    resource = Resource.create(
        {
            "service.name": "example",
            "customer.id": arguments.customer,
            "node.id": os.uname().nodename,
            "environment": "demo",
        }
    )
    sent = send(arguments.endpoint, token, resource)
    print("sent" if sent else "not sent: see the messages above")
    return 0 if sent else 1


if __name__ == "__main__":
    sys.exit(main())
