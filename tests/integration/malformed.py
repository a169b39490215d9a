"""Malformed OTLP requests, each with a name: the same ones on every run.

A body goes over both transports where it is protobuf, over HTTP where it is JSON. tests/golden/malformed has what each is
answered; what it is answered *with* is judged by test_malformed.py, beside the reference parser.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, Metric
from otlp import attributes, gauge, log_request, metrics_request, span_request

CUSTOMER = "cliente-a"
PROTOBUF, JSON = "application/x-protobuf", "application/json"
SIGNALS = ("metrics", "traces", "logs")
DELTA = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
TIME_MS = 1_700_000_000_000  # the past: no clock plays a part


@dataclass(frozen=True)
class Case:
    name: str
    signal: str
    body: bytes
    content_type: str = PROTOBUF
    headers: dict[str, str] = field(default_factory=dict)  # of HTTP: a case with some goes over HTTP alone

    @property
    def over_grpc(self) -> bool:
        return self.content_type == PROTOBUF and not self.headers


def good(signal: str) -> Message:
    resource = {"customer.id": CUSTOMER}
    if signal == "metrics":
        return metrics_request(resource, gauge("m", [(TIME_MS, 1.0)], {"k": "v"}))
    if signal == "traces":
        return span_request(resource, bytes(range(16)), bytes(range(1, 9)), "s")
    return log_request(resource, "line")


def cases() -> Iterator[Case]:
    for signal in SIGNALS:
        yield from _cut(signal)
        yield from _with_bits_changed(signal)
        yield from _framing(signal)
        yield from _depths(signal)
        yield from _json(signal)
        yield from _codings(signal)
    yield from _values()
    yield from _texts()


def _cut(signal: str) -> Iterator[Case]:
    whole = good(signal).SerializeToString()
    for size in range(0, len(whole), 2):
        yield Case(f"{signal}/cut at {size} of {len(whole)}", signal, whole[:size])


def _with_bits_changed(signal: str) -> Iterator[Case]:
    whole = good(signal).SerializeToString()
    for at in range(0, len(whole), 6):
        for bit in (0x01, 0x80):
            body = bytearray(whole)
            body[at] ^= bit
            yield Case(f"{signal}/byte {at} ^ {bit:#04x}", signal, bytes(body))


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _framing(signal: str) -> Iterator[Case]:
    whole = good(signal).SerializeToString()
    inner = whole[1 + len(_varint(len(whole))) :]
    tags = {
        "field 0": b"\x02\x00",
        "field 0 as varint": b"\x00\x01",
        "a group begins": b"\x0b",
        "a group ends": b"\x0c",
        "a group, empty": b"\x0b\x0c",
        "an unknown group": b"\x9b\x06\x9c\x06",
        "wire type 6": b"\x0e",
        "wire type 7": b"\x0f",
        "a tag of 11 bytes": b"\xff" * 10 + b"\x01",
        "a tag alone": b"\x0a",
        "a varint that never ends": b"\x08" + b"\xff" * 11,
        "a varint of 10 bytes and too large": b"\x98\x06" + b"\xff" * 9 + b"\x7f",
        "four bytes for fixed64": b"\x99\x06\x00\x00\x00\x00",
        "three bytes for fixed32": b"\x9d\x06\x00\x00\x00",
        "the resource as a varint": b"\x08\x01",
        "the resource as fixed64": b"\x09" + b"\0" * 8,
        "the resource as fixed32": b"\x0d" + b"\0" * 4,
        "an unknown varint": b"\x98\x06\x07",
        "an unknown text": b"\x9a\x06\x03abc",
    }
    for name, more in tags.items():
        yield Case(f"{signal}/{name}, alone", signal, more)
        yield Case(f"{signal}/{name}, behind a good one", signal, whole + more)
    for name, length in (
        ("one more than there is", len(inner) + 1),
        ("one less than there is", len(inner) - 1),
        ("2^31 - 1", 2**31 - 1),
        ("2^31", 2**31),
        ("2^32", 2**32),
        ("2^63", 2**63),
        ("2^64 - 1", 2**64 - 1),
    ):
        yield Case(f"{signal}/length {name}", signal, b"\x0a" + _varint(length) + inner)
    for name, body in (
        ("text", b"hello, world"),
        ("zeros", bytes(64)),
        ("ones", b"\xff" * 64),
        ("JSON as protobuf", b'{"resourceSpans":[]}'),
        ("gzip that is not said", gzip.compress(whole, mtime=0)),
        ("another signal's", good(SIGNALS[(SIGNALS.index(signal) + 1) % 3]).SerializeToString()),
    ):
        yield Case(f"{signal}/{name}", signal, body)


def _nested(depth: int) -> bytes:
    value: bytes = AnyValue(string_value="x").SerializeToString()
    for _ in range(depth):
        array = b"\x0a" + _varint(len(value)) + value
        value = b"\x2a" + _varint(len(array)) + array
    key = b"\x0a\x01d" + b"\x12" + _varint(len(value)) + value
    return b"\x0a" + _varint(len(key)) + key


def _depths(signal: str) -> Iterator[Case]:
    own = KeyValue(key="customer.id", value=AnyValue(string_value=CUSTOMER)).SerializeToString()
    rest = good(signal).SerializeToString()
    for depth in (1, 10, 30, 31, 32, 33, 60, 64, 65, 66, 100, 1_000, 10_000):
        resource = b"\x0a" + _varint(len(own)) + own + _nested(depth)
        entry = b"\x0a" + _varint(len(resource)) + resource
        yield Case(f"{signal}/a resource's list {depth} deep", signal, b"\x0a" + _varint(len(entry)) + entry + rest)


def _as_json(signal: str) -> dict[str, Any]:
    resource = {"attributes": [{"key": "customer.id", "value": {"stringValue": CUSTOMER}}]}
    time_ns = str(TIME_MS * 1_000_000)
    if signal == "metrics":
        point = {"timeUnixNano": time_ns, "asDouble": 1.0, "attributes": []}
        scope = {"scope": {}, "metrics": [{"name": "m", "gauge": {"dataPoints": [point]}}]}
        return {"resourceMetrics": [{"resource": resource, "scopeMetrics": [scope]}]}
    if signal == "traces":
        span = {"traceId": "0" * 31 + "1", "spanId": "0" * 15 + "1", "name": "s", "startTimeUnixNano": time_ns,
                "endTimeUnixNano": time_ns, "kind": 1}  # fmt: skip
        return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]}
    record = {"timeUnixNano": time_ns, "severityNumber": 9, "body": {"stringValue": "line"}}
    return {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": [record]}]}]}


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, below in steps:
        yield from _places(below, (*path, step))


def _with(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = _with(value[path[0]], path[1:], new)
    return copy


def _json(signal: str) -> Iterator[Case]:
    whole = _as_json(signal)
    for path in _places(whole):
        at = ".".join(map(str, path))
        for name, new in (
            ("a number", 7),
            ("a text", "?"),
            ("true", True),
            ("null", None),
            ("a list", [1]),
            ("an object", {}),
        ):
            yield Case(f"{signal}/json: {at} is {name}", signal, json.dumps(_with(whole, path, new)).encode(), JSON)
    text = json.dumps(whole)
    raws = {
        "empty": b"",
        "white space": b" \n ",
        "a list": b"[]",
        "null": b"null",
        "a number": b"7",
        "an object that is not closed": b"{",
        "cut": text[:-1].encode(),
        "cut in a text": text[: text.index("stringValue") + 16].encode(),
        "text behind it": text.encode() + b"x",
        "twice": text.encode() * 2,
        "a comma too many": text[:-1].encode() + b",}",
        "single quotes": text.replace('"', "'").encode(),
        "a comment": b"/* */" + text.encode(),
        "a byte order mark": b"\xef\xbb\xbf" + text.encode(),
        "UTF-16": text.encode("utf-16"),
        "bad UTF-8 in a text": text.encode().replace(CUSTOMER.encode(), b"cliente-\xff"),
        "half a surrogate": text.replace(CUSTOMER, "\\ud800").encode(),
        "a control character": text.replace(CUSTOMER, "a\x01b").encode(),
        "NaN bare": text.replace("1.0", "NaN").encode() if signal == "metrics" else b'{"x":NaN}',
        "protobuf": good(signal).SerializeToString(),
        "100 deep": b'{"x":' * 100 + b"1" + b"}" * 100,
        "2,000 deep": b'{"x":' * 2_000 + b"1" + b"}" * 2_000,
        "100,000 deep": b"[" * 100_000,
        "an unknown key": text[:-1].encode() + b',"later":{"x":[1,{}]}}',
        "keys in snake case": text.replace("resourceMetrics", "resource_metrics").replace("resourceSpans", "resource_spans")
        .replace("resourceLogs", "resource_logs").encode(),
    }  # fmt: skip
    for name, body in raws.items():
        yield Case(f"{signal}/json: {name}", signal, body, JSON)


def _codings(signal: str) -> Iterator[Case]:
    whole = good(signal).SerializeToString()
    packed = gzip.compress(whole, mtime=0)
    for name, coding, body in (
        ("gzip of plain", "gzip", whole),
        ("gzip cut in its head", "gzip", packed[:5]),
        ("gzip cut in its middle", "gzip", packed[: len(packed) // 2]),
        ("gzip without its checksum", "gzip", packed[:-8]),
        ("gzip with another checksum", "gzip", packed[:-8] + b"\0\0\0\0" + packed[-4:]),
        ("gzip with another size", "gzip", packed[:-1] + b"\x7f"),
        ("gzip, something behind it", "gzip", packed + b"xxxx"),
        ("gzip in gzip", "gzip", gzip.compress(packed, mtime=0)),
        ("gzip empty", "gzip", b""),
        ("deflate of plain", "deflate", whole),
        ("deflate cut", "deflate", zlib.compress(whole)[:-5]),
        ("zstd of plain", "zstd", whole),
        ("zstd's magic alone", "zstd", b"\x28\xb5\x2f\xfd"),
        ("zstd that declares 4 GiB", "zstd", b"\x28\xb5\x2f\xfd\xa0\x00\x00\x00\xff\x00\x00\x00"),
        ("brotli", "br", whole),
        ("two codings", "gzip, gzip", gzip.compress(packed, mtime=0)),
        ("an unknown coding", "rot13", whole),
    ):
        yield Case(f"{signal}/{name}", signal, body, headers={"Content-Encoding": coding})
    for name, kind in (
        ("no type", ""),
        ("text", "text/plain"),
        ("protobuf without x-", "application/protobuf"),
        ("a form", "application/x-www-form-urlencoded"),
        ("half a type", "application"),
        ("two types", "application/json, application/x-protobuf"),
        ("JSON with a suffix", "application/json+otlp"),
    ):
        yield Case(f"{signal}/type: {name}", signal, whole, kind, {"X-Case": name})


def _metric(change: Any) -> bytes:
    metric = Metric(name="m")
    change(metric)
    body: bytes = metrics_request({"customer.id": CUSTOMER}, metric).SerializeToString()
    return body


def _histogram(counts: list[int], bounds: list[float], count: int | None = None, delta: bool = False) -> bytes:
    def fill(metric: Metric) -> None:
        metric.histogram.aggregation_temporality = DELTA if delta else CUMULATIVE
        point = metric.histogram.data_points.add(
            time_unix_nano=TIME_MS * 10**6, bucket_counts=counts, explicit_bounds=bounds
        )
        point.count = sum(counts) if count is None else count
        point.sum = 1

    return _metric(fill)


def _values() -> Iterator[Case]:
    nan, infinite = float("nan"), float("inf")
    for name, body in (
        ("fewer bounds", _histogram([1, 2, 3], [1.0])),
        ("more bounds", _histogram([1], [1.0, 2.0])),
        ("bounds that fall", _histogram([1, 2, 3], [2.0, 1.0])),
        ("equal bounds", _histogram([1, 2, 3], [1.0, 1.0])),
        ("a bound that is no number", _histogram([1, 2], [nan])),
        ("an infinite bound", _histogram([1, 2], [infinite])),
        ("another count", _histogram([1, 2], [1.0], 7)),
        ("delta", _histogram([1, 2], [1.0], delta=True)),
        ("no buckets", _histogram([], [], 3)),
    ):
        yield Case(f"metrics/histogram: {name}", "metrics", body)
    for name, time_ns in (("0", 0), ("1", 1), ("2^63", 2**63), ("2^64 - 1", 2**64 - 1)):
        yield Case(
            f"metrics/time {name}",
            "metrics",
            _metric(lambda m, t=time_ns: m.gauge.data_points.add(time_unix_nano=t, as_double=1)),
        )
    for name, metric in (("", "empty"), ("1", "a digit"), ("\u00e9", "not ASCII"), ("a" * 70_000, "70,000 letters")):
        yield Case(f"metrics/name: {metric}", "metrics", _named(name))
    yield Case("metrics/no data", "metrics", _metric(lambda m: None))
    yield Case(
        "metrics/a point without a value",
        "metrics",
        _metric(lambda m: m.gauge.data_points.add(time_unix_nano=TIME_MS * 10**6)),
    )
    yield Case("metrics/a delta sum", "metrics", _metric(_delta_sum))
    for name, trace, span in (
        ("15 bytes", b"t" * 15, b"s" * 8),
        ("17 bytes", b"t" * 17, b"s" * 8),
        ("none", b"", b"s" * 8),
        ("zeros", bytes(16), b"s" * 8),
        ("no span id", b"t" * 16, b""),
        ("span id of 7", b"t" * 16, b"s" * 7),
        ("span id of zeros", b"t" * 16, bytes(8)),
    ):
        yield Case(
            f"traces/id: {name}",
            "traces",
            span_request({"customer.id": CUSTOMER}, trace, span, "s").SerializeToString(),
        )


def _named(name: str) -> bytes:
    body: bytes = metrics_request({"customer.id": CUSTOMER}, gauge(name, [(TIME_MS, 1.0)])).SerializeToString()
    return body


def _delta_sum(metric: Metric) -> None:
    metric.sum.aggregation_temporality = DELTA
    metric.sum.is_monotonic = True
    metric.sum.data_points.add(time_unix_nano=TIME_MS * 10**6, as_int=1)


def _texts() -> Iterator[Case]:
    """A text of as many letters that is not UTF-8, in each place where one may stand; and whose a resource is."""
    for signal in SIGNALS:
        request = good(signal)
        whole = request.SerializeToString()
        for place in (
            b"customer.id",
            CUSTOMER.encode(),
            {"metrics": b"\x01m", "traces": b"\x01s", "logs": b"line"}[signal],
        ):
            bad = place[:-1] + b"\xff"
            yield Case(f"{signal}/bad UTF-8 in {place!r}", signal, whole.replace(place, bad, 1))
        for name, resource in (
            ("nobody's", {}),
            ("another's", {"customer.id": "cliente-b"}),
            ("an empty one's", {"customer.id": ""}),
            ("one with a path's", {"customer.id": "../cliente-a"}),
            ("a spelling of it", {"customer_id": CUSTOMER}),
        ):
            entry = getattr(
                request, {"metrics": "resource_metrics", "traces": "resource_spans", "logs": "resource_logs"}[signal]
            )
            del entry[0].resource.attributes[:]
            entry[0].resource.attributes.extend(attributes(resource))
            yield Case(f"{signal}/a resource: {name}", signal, request.SerializeToString())
        twice = good(signal)
        entry = getattr(
            twice, {"metrics": "resource_metrics", "traces": "resource_spans", "logs": "resource_logs"}[signal]
        )
        entry[0].resource.attributes.extend(attributes({"customer.id": "cliente-b"}))
        yield Case(f"{signal}/a resource: of two", signal, twice.SerializeToString())
