"""Requests of all signals with what OTTL reads and changes: values of each kind, fields that are set and that are not."""

from __future__ import annotations

import base64
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

START = 1_764_489_600_000_000_000
Message = ExportLogsServiceRequest | ExportTraceServiceRequest | ExportMetricsServiceRequest


def _value(value: Any) -> AnyValue:
    made = AnyValue()
    if value is None:
        return made
    if isinstance(value, bool):
        made.bool_value = value
    elif isinstance(value, int):
        made.int_value = value
    elif isinstance(value, float):
        made.double_value = value
    elif isinstance(value, bytes):
        made.bytes_value = value
    elif isinstance(value, str):
        made.string_value = value
    elif isinstance(value, list):
        made.array_value.SetInParent()
        made.array_value.values.extend(_value(each) for each in value)
    else:
        made.kvlist_value.SetInParent()
        made.kvlist_value.values.extend(_pairs(value))
    return made


def _pairs(values: dict[str, Any]) -> list[KeyValue]:
    return [KeyValue(key=key, value=_value(value)) for key, value in values.items()]


ATTRIBUTES = {
    "a": "b",
    "n": 7,
    "x": 1.5,
    "yes": True,
    "bytes": b"\x01\xff",
    "empty": "",
    "list": ["a", 2, "a"],
    "map": {"in": "deep", "more": {"k": 1}},
    "json": '{"user": {"id": 7, "tags": ["x", 1.5, null, true]}, "s": "t"}',
    "kv": "k1=v1 k2='v 2' k3=v3",
    "path": "/account/1234/user/98",
    "utf8": "añ€😀z",
    "Token": "secret",
}
OTHER = {"a": 3, "n": "7", "x": "1.5e3", "json": "[1, 2", "kv": "k1", "path": "", "map": "none", "list": {"in": 1}}


def logs() -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    group = request.resource_logs.add()
    group.resource.attributes.extend(_pairs({"service.name": "shop", **ATTRIBUTES}))
    group.resource.dropped_attributes_count = 2
    scope = group.scope_logs.add()
    scope.scope.name, scope.scope.version = "library", "1.2"
    scope.scope.attributes.extend(_pairs({"a": "of scope", "n": 9}))
    bodies: list[Any] = ["password=secret user=ana", {"k": "v", "list": [1, "two"]}, 7, None, '{"k": [1, {"in": "x"}]}']
    for number, body in enumerate(bodies):
        record = scope.log_records.add()
        record.time_unix_nano = START + number
        record.observed_time_unix_nano = START + 1000
        record.severity_number, record.severity_text = (17, "ERROR") if number % 2 == 0 else (9, "info")
        record.body.CopyFrom(_value(body))
        record.attributes.extend(_pairs(ATTRIBUTES if number < 3 else OTHER))
        if number < 4:
            record.trace_id, record.span_id, record.flags = b"0123456789abcdef", b"01234567", 1
    bare = request.resource_logs.add().scope_logs.add().log_records.add()
    bare.body.string_value = "bare"
    return request


def traces() -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.extend(_pairs({"service.name": "shop"}))
    scope = group.scope_spans.add()
    scope.scope.name = "library"
    for number, values in enumerate((ATTRIBUTES, OTHER, {})):
        span = scope.spans.add()
        span.trace_id, span.span_id = b"0123456789abcdef", bytes([number + 1]) * 8
        if number > 0:
            span.parent_span_id = b"\1" * 8
        span.name = ("GET /cart/12", "charge", "")[number]
        span.kind = number
        span.trace_state = ("", "a=1,ot=th:8", "b=2")[number]
        span.start_time_unix_nano, span.end_time_unix_nano = START, START + 1_500_000_000 * number
        span.status.code, span.status.message = number, "no stock" if number == 2 else ""
        span.attributes.extend(_pairs(values))
        span.dropped_attributes_count, span.dropped_events_count, span.dropped_links_count = number, number, 1
        for name in ("exception", "retry")[: 2 - number]:
            event = span.events.add()
            event.name, event.time_unix_nano = name, START + 5
            event.attributes.extend(_pairs(values))
    return request


def metrics() -> ExportMetricsServiceRequest:
    request = ExportMetricsServiceRequest()
    group = request.resource_metrics.add()
    group.resource.attributes.extend(_pairs({"service.name": "shop"}))
    scope = group.scope_metrics.add()
    scope.scope.name = "library"

    def point(points: Any, values: dict[str, Any]) -> Any:
        made = points.add()
        made.start_time_unix_nano, made.time_unix_nano = START, START + 60
        made.attributes.extend(_pairs(values))
        return made

    one = scope.metrics.add(name="http.requests", unit="1", description="all of them")
    one.sum.aggregation_temporality, one.sum.is_monotonic = 2, True
    point(one.sum.data_points, ATTRIBUTES).as_int = 4
    point(one.sum.data_points, OTHER).as_double = 2.5
    point(scope.metrics.add(name="room", unit="By").gauge.data_points, ATTRIBUTES).as_double = 0.5
    histogram = scope.metrics.add(name="latency", unit="s")
    histogram.histogram.aggregation_temporality = 1
    of = point(histogram.histogram.data_points, ATTRIBUTES)
    of.count, of.sum = 6, 4.5
    of.bucket_counts.extend([1, 2, 3])
    of.explicit_bounds.extend([0.5, 1.0])
    exponential = scope.metrics.add(name="sizes")
    exponential.exponential_histogram.aggregation_temporality = 2
    wide = point(exponential.exponential_histogram.data_points, OTHER)
    wide.count, wide.sum, wide.scale, wide.zero_count = 9, 12.5, 3, 2
    wide.positive.offset = -1
    wide.positive.bucket_counts.extend([4, 0, 3])
    quantiles = point(scope.metrics.add(name="old").summary.data_points, {"a": "b"})
    quantiles.count, quantiles.sum = 3, 1.5
    quantiles.quantile_values.add(quantile=0.5, value=1.0)
    return request


REQUESTS: dict[str, Message] = {
    "log": logs(),
    "resource": logs(),
    "scope": logs(),
    "span": traces(),
    "spanevent": traces(),
    "metric": metrics(),
    "datapoint": metrics(),
}
BODIES = {context: base64.b64encode(request.SerializeToString()).decode() for context, request in REQUESTS.items()}
