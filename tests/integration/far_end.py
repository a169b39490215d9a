"""A far end of OTLP that answers as a test tells it, by gRPC or HTTP, and keeps what it took."""

from __future__ import annotations

import gzip
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

REQUESTS: dict[str, Any] = {
    "metrics": ExportMetricsServiceRequest,
    "traces": ExportTraceServiceRequest,
    "logs": ExportLogsServiceRequest,
}
RESPONSES: dict[str, Any] = {
    "metrics": ExportMetricsServiceResponse,
    "traces": ExportTraceServiceResponse,
    "logs": ExportLogsServiceResponse,
}
SERVICES = {"metrics": "metrics.v1.MetricsService", "traces": "trace.v1.TraceService", "logs": "logs.v1.LogsService"}
REJECTED = {"metrics": "rejected_data_points", "traces": "rejected_spans", "logs": "rejected_log_records"}
# What means the same over either transport.
CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    503: grpc.StatusCode.UNAVAILABLE,
}


@dataclass
class Answer:
    status: int = 200  # of HTTP; over gRPC the code that means the same
    rejected: int = 0
    wait_s: int = 0  # Retry-After, RetryInfo
    location: str = ""


@dataclass
class Taken:
    signal: str
    names: list[str]
    at: float = field(default_factory=time.monotonic)
    status: int = 200


def names_of(signal: str, message: Any) -> list[str]:
    """Names of metrics and spans, bodies of records."""
    if signal == "metrics":
        scopes = [s for entry in message.resource_metrics for s in entry.scope_metrics]
        return [metric.name for scope in scopes for metric in scope.metrics]
    if signal == "traces":
        scopes = [s for entry in message.resource_spans for s in entry.scope_spans]
        return [span.name for scope in scopes for span in scope.spans]
    scopes = [s for entry in message.resource_logs for s in entry.scope_logs]
    return [record.body.string_value for scope in scopes for record in scope.log_records]


Script = Callable[[str, Sequence[str]], Answer]


class FarEnd:
    """`script` says what is answered to a request of those items. All requests are kept with their answers."""

    def __init__(self, host: str, transport: str) -> None:
        self.script: Script = lambda signal, names: Answer()
        self.seen: list[Taken] = []
        self._lock = threading.Lock()
        self.port = self._serve_grpc(host) if transport == "grpc" else self._serve_http(host)

    def taken(self, signal: str) -> Counter[str]:
        with self._lock:
            return Counter(n for one in self.seen if one.signal == signal and one.status == 200 for n in one.names)

    def _judge(self, signal: str, body: bytes) -> Answer:
        names = names_of(signal, REQUESTS[signal].FromString(body))
        answer = self.script(signal, names)
        with self._lock:
            self.seen.append(Taken(signal, names, status=answer.status))
        return answer

    @staticmethod
    def _response(signal: str, answer: Answer) -> bytes:
        response = RESPONSES[signal]()
        if answer.rejected:
            setattr(response.partial_success, REJECTED[signal], answer.rejected)
            response.partial_success.error_message = "not those"
        made: bytes = response.SerializeToString()
        return made

    def _serve_grpc(self, host: str) -> int:
        self._grpc = grpc.server(ThreadPoolExecutor(8))
        for signal, service in SERVICES.items():

            def export(body: bytes, context: grpc.ServicerContext, signal: str = signal) -> bytes:
                answer = self._judge(signal, body)
                if answer.status == 200:
                    return self._response(signal, answer)
                code = CODES[answer.status]
                if answer.wait_s:
                    hint = AnyMessage()
                    hint.Pack(RetryInfo(retry_delay=Duration(seconds=answer.wait_s)))
                    status = Status(code=code.value[0], message="as told", details=[hint])
                    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
                context.abort(code, "as told")
                raise AssertionError("abort raises")

            method = grpc.unary_unary_rpc_method_handler(export)
            name = f"opentelemetry.proto.collector.{service}"
            self._grpc.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, {"Export": method}),))
        port = self._grpc.add_insecure_port(f"{host}:0")
        self._grpc.start()
        self.close: Callable[[], Any] = lambda: self._grpc.stop(0)
        return int(port)

    def _serve_http(self, host: str) -> int:
        far_end = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                signal = self.path.rpartition("/")[2]
                answer = far_end._judge(signal, body)
                content = far_end._response(signal, answer) if answer.status == 200 else b""
                self.send_response(answer.status)
                if answer.location:
                    self.send_header("Location", answer.location)
                if answer.wait_s:
                    self.send_header("Retry-After", str(answer.wait_s))
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        self._http = ThreadingHTTPServer((host, 0), Handler)
        self._http.daemon_threads = True
        self._http.handle_error = lambda *_: None  # type: ignore[method-assign]  # the other side has gone
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        self.close = self._http.shutdown
        return int(self._http.server_address[1])
