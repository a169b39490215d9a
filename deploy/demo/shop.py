"""A small HTTP shop, instrumented with the OpenTelemetry SDK, and a customer that never stops buying.

It stands for a customer's application: it sends spans, a request-duration histogram and logs by OTLP to the agent on
its node (OTEL_EXPORTER_OTLP_ENDPOINT), without any token or customer in its configuration.
"""

from __future__ import annotations

import argparse
import logging
import random
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry import metrics, trace
from opentelemetry._logs import set_logger_provider
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
from opentelemetry.trace import SpanKind, StatusCode

ROUTES = {"/": 0.004, "/producto": 0.012, "/carrito": 0.020, "/pago": 0.060}  # usual seconds of work
FAILURES = 0.03  # share of payments that fail
EXPORT_MILLISECONDS = 5000

log = logging.getLogger("tienda")


def set_up_telemetry() -> list[TracerProvider | MeterProvider | LoggerProvider]:
    """The three signals, exported by OTLP as the environment says. Returned in the order of their shutdown."""
    resource = Resource.create()
    tracers = TracerProvider(resource=resource)
    tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(tracers)
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(), export_interval_millis=EXPORT_MILLISECONDS)
    meters = MeterProvider(resource=resource, metric_readers=[reader])
    metrics.set_meter_provider(meters)
    loggers = LoggerProvider(resource=resource)
    loggers.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
    set_logger_provider(loggers)
    log.addHandler(LoggingHandler(logger_provider=loggers))
    log.setLevel(logging.INFO)
    return [tracers, meters, loggers]


class Shop(BaseHTTPRequestHandler):
    tracer: trace.Tracer
    duration: metrics.Histogram

    def do_GET(self) -> None:  # noqa: N802 (the base class names it so)
        if self.path == "/health":
            self._answer(200)
            return
        route = self.path.split("?")[0]
        if route not in ROUTES:
            self._answer(404)
            return
        started = time.perf_counter()
        with self.tracer.start_as_current_span(f"GET {route}", kind=SpanKind.SERVER) as span:
            status = self._serve(route)
            span.set_attribute("http.request.method", "GET")
            span.set_attribute("http.route", route)
            span.set_attribute("http.response.status_code", status)
            if status >= 500:
                span.set_status(StatusCode.ERROR)
                log.error("el pago fue rechazado")
            elif route == "/pago":
                log.info("compra terminada")
        attributes = {"http.request.method": "GET", "http.route": route, "http.response.status_code": status}
        self.duration.record(time.perf_counter() - started, attributes)
        self._answer(status)

    def _serve(self, route: str) -> int:
        with self.tracer.start_as_current_span("SELECT producto", kind=SpanKind.CLIENT) as span:
            span.set_attribute("db.system.name", "sqlite")
            time.sleep(random.gammavariate(4.0, ROUTES[route] / 4.0))
        return 500 if route == "/pago" and random.random() < FAILURES else 200

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class names it so)
        """Requests are told by telemetry."""


def buy(base: str, stop: threading.Event) -> None:
    """About two requests a second, mostly looking and sometimes paying, until told to stop."""
    while not stop.wait(random.uniform(0.2, 0.8)):
        route = random.choices(list(ROUTES), weights=[6, 4, 2, 1])[0]
        try:
            urllib.request.urlopen(base + route, timeout=5).close()
        except urllib.error.HTTPError:
            continue  # a failed payment is part of the play
        except OSError as error:
            print(f"shop: {error}", file=sys.stderr)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen", default="127.0.0.1:8088", help="host:port (default %(default)s)")
    listen = parser.parse_args().listen
    providers = set_up_telemetry()
    Shop.tracer = trace.get_tracer("tienda")
    Shop.duration = metrics.get_meter("tienda").create_histogram("http.server.request.duration", unit="s")
    host, _, port = listen.rpartition(":")
    server = ThreadingHTTPServer((host, int(port)), Shop)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    buy(f"http://{listen}", stop)
    server.shutdown()
    for provider in providers:
        provider.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
