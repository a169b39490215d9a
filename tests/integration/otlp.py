"""OTLP requests made by hand, with the reference protobuf classes, and a sender of numbered samples."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import requests
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric, NumberDataPoint

PROTOBUF = {"Content-Type": "application/x-protobuf"}


def attributes(values: Mapping[str, str]) -> list[KeyValue]:
    return [KeyValue(key=key, value=AnyValue(string_value=value)) for key, value in values.items()]


def gauge(name: str, points: Sequence[tuple[int, float]], labels: Mapping[str, str] | None = None) -> Metric:
    """A gauge with points (milliseconds since 1970, value)."""
    metric = Metric(name=name)
    for timestamp_ms, value in points:
        metric.gauge.data_points.append(
            NumberDataPoint(
                time_unix_nano=timestamp_ms * 1_000_000, as_double=value, attributes=attributes(labels or {})
            )
        )
    return metric


def metrics_request(resource: Mapping[str, str], *metrics: Metric) -> ExportMetricsServiceRequest:
    request = ExportMetricsServiceRequest()
    entry = request.resource_metrics.add()
    entry.resource.attributes.extend(attributes(resource))
    entry.scope_metrics.add().metrics.extend(metrics)
    return request


def resource_of(customer_id: str, node_id: str = "n1", service: str = "probe") -> dict[str, str]:
    return {"customer.id": customer_id, "node.id": node_id, "service.name": service, "environment": "production"}


def post(
    url: str, token: str | None, body: bytes, *, signal: str = "metrics", headers: Mapping[str, str] | None = None
) -> requests.Response:
    """One OTLP/HTTP request in protobuf."""
    sent = {**PROTOBUF, **(headers or {})}
    if token is not None:
        sent["Authorization"] = f"Bearer {token}"
    return requests.post(f"{url}/v1/{signal}", data=body, headers=sent, timeout=10)


def rejected_points(answer: requests.Response) -> int:
    """How many points a successful answer says were refused."""
    response = ExportMetricsServiceResponse.FromString(answer.content)
    return int(response.partial_success.rejected_data_points)


def span_request(resource: Mapping[str, str], trace_id: bytes, span_id: bytes, name: str) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    entry = request.resource_spans.add()
    entry.resource.attributes.extend(attributes(resource))
    now = time.time_ns()
    entry.scope_spans.add().spans.add(
        trace_id=trace_id, span_id=span_id, name=name, start_time_unix_nano=now - 1_000_000, end_time_unix_nano=now
    )
    return request


def log_request(resource: Mapping[str, str], text: str) -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    entry = request.resource_logs.add()
    entry.resource.attributes.extend(attributes(resource))
    entry.scope_logs.add().log_records.add(time_unix_nano=time.time_ns(), body=AnyValue(string_value=text))
    return request


def value_of(customer_id: str, series: int, number: int) -> float:
    """The one right value of sample `number`: a gap, a swap or another customer's sample shows."""
    return (sum(customer_id.encode()) * 1000 + series) * 1_000_000.0 + number


@dataclass
class NumberedSender:
    """Sends numbered samples of some series of one customer, as a patient client: what was not acknowledged is sent
    again until it is. `acknowledged` counts samples; sample n of every series is at start_ms + n × step_ms."""

    url: str
    token: str
    customer_id: str
    start_ms: int
    step_ms: int = 200
    series: int = 5
    resource: Mapping[str, str] | None = None  # default: one that names the customer
    acknowledged: int = 0
    retries: int = 0
    refused: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self, seconds: float = 30) -> None:
        """Ends after the batch under way is acknowledged."""
        self._stop.set()
        assert self._thread is not None
        self._thread.join(seconds)
        assert not self._thread.is_alive(), "the last batch was not acknowledged in time"

    def _run(self) -> None:
        with requests.Session() as session:
            while not self._stop.is_set():
                if not self._send_one(session):
                    return
                self._stop.wait(0.01)

    def _send_one(self, session: requests.Session) -> bool:
        number = self.acknowledged
        timestamp_ms = self.start_ms + number * self.step_ms
        metrics = [
            gauge("probe_numbered", [(timestamp_ms, value_of(self.customer_id, n, number))], {"series": str(n)})
            for n in range(self.series)
        ]
        body = metrics_request(self.resource or resource_of(self.customer_id), *metrics).SerializeToString()
        headers = {**PROTOBUF, "Authorization": f"Bearer {self.token}"}
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                answer = session.post(f"{self.url}/v1/metrics", data=body, headers=headers, timeout=5)
            except requests.RequestException:
                self.retries += 1
                time.sleep(0.05)
                continue
            if answer.status_code == 200:
                self.acknowledged += 1
                return True
            if answer.status_code not in (429, 502, 503, 504):
                self.refused.append(f"{answer.status_code}: {answer.text}")
                return False
            self.retries += 1
            time.sleep(0.05)
        self.refused.append("not acknowledged within 60 s")
        return False
