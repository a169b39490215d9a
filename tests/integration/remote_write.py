"""Remote write 1.0 requests made by hand, for tests that put samples into a store without a collector."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import requests

_LITERAL_BYTES_MAX = 65536


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def sized(field: int, content: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(content)) + content


def _zigzag(value: int) -> bytes:
    return varint(value << 1 if value >= 0 else (-value << 1) - 1)


def _series(labels: Mapping[str, str], samples: Sequence[tuple[int, float]], histograms: Sequence[bytes] = ()) -> bytes:
    out = b"".join(
        sized(1, sized(1, name.encode()) + sized(2, value.encode())) for name, value in sorted(labels.items())
    )
    for timestamp_ms, value in samples:
        out += sized(2, b"\x09" + struct.pack("<d", value) + b"\x10" + varint(timestamp_ms))
    return out + b"".join(sized(4, histogram) for histogram in histograms)


def histogram(
    timestamp_ms: int, buckets: Sequence[float], *, is_float: bool, offset: int = 0, zero: int = 1, hint: int = 0
) -> bytes:
    """A prometheus.Histogram of schema 0: positive buckets from `offset` on, `zero` observations at zero."""
    count = zero + sum(buckets)
    span = b"\x08" + _zigzag(offset) + b"\x10" + varint(len(buckets))
    out = b"\x19" + struct.pack("<d", 1.5 * count) + b"\x20" + _zigzag(0) + b"\x29" + struct.pack("<d", 0.001)
    if is_float:
        out = b"\x11" + struct.pack("<d", count) + out + b"\x39" + struct.pack("<d", zero) + sized(11, span)
        out += sized(13, struct.pack(f"<{len(buckets)}d", *buckets))
    else:
        deltas = [int(value) - int(before) for value, before in zip(buckets, [0, *buckets], strict=False)]
        out = b"\x08" + varint(int(count)) + out + b"\x30" + varint(zero) + sized(11, span)
        out += sized(12, b"".join(_zigzag(delta) for delta in deltas))
    return out + b"\x70" + varint(hint) + b"\x78" + varint(timestamp_ms)


@dataclass(frozen=True)
class Histogram:
    """A native histogram of integers. A side is the index of its first bucket and the counts from there on."""

    count: int
    sum: float
    schema: int
    zero_threshold: float
    zero_count: int
    positive: tuple[int, Sequence[int]]
    negative: tuple[int, Sequence[int]]


def _side(side: tuple[int, Sequence[int]], spans: int, deltas: int) -> bytes:
    first, counts = side
    if not counts:
        return b""
    changes = [count - before for before, count in zip([0, *counts], counts, strict=False)]
    span = b"\x08" + _zigzag(first) + b"\x10" + varint(len(counts))
    return sized(spans, span) + sized(deltas, b"".join(map(_zigzag, changes)))


def _histogram(histogram: Histogram, timestamp_ms: int) -> bytes:
    """prometheus.Histogram."""
    return (
        b"\x08"
        + varint(histogram.count)
        + b"\x19"
        + struct.pack("<d", histogram.sum)
        + b"\x20"
        + _zigzag(histogram.schema)
        + b"\x29"
        + struct.pack("<d", histogram.zero_threshold)
        + b"\x30"
        + varint(histogram.zero_count)
        + _side(histogram.negative, 8, 9)
        + _side(histogram.positive, 11, 12)
        + b"\x78"
        + varint(timestamp_ms)
    )


def snappy(content: bytes) -> bytes:
    """The block format, literals only."""
    out = varint(len(content))
    for at in range(0, len(content), _LITERAL_BYTES_MAX):
        piece = content[at : at + _LITERAL_BYTES_MAX]
        out += b"\xf4" + struct.pack("<H", len(piece) - 1) + piece
    return out


def write(
    url: str,
    series: Sequence[tuple[Mapping[str, str], Sequence[tuple[int, float]]]],
    headers: Mapping[str, str] | None = None,
) -> None:
    """Writes series (labels, [(milliseconds since 1970, value)]) to URL/api/v1/write; fails unless it is taken."""
    answer = _post(url, b"".join(sized(1, _series(labels, samples)) for labels, samples in series), headers)
    assert answer.status_code in (200, 204), f"{answer.status_code} {answer.text}"


def write_mixed(
    url: str,
    labels: Mapping[str, str],
    samples: Sequence[tuple[int, float]],
    histograms: Sequence[bytes],
    headers: Mapping[str, str] | None = None,
) -> None:
    """Writes one series that may have both."""
    answer = _post(url, sized(1, _series(labels, samples, histograms)), headers)
    assert answer.status_code in (200, 204), f"{answer.status_code} {answer.text}"


def series_bytes(labels: Mapping[str, str], samples: bytes) -> bytes:
    """One series of a request, its samples encoded already."""
    return sized(1, _series(labels, []) + samples)


def sample_with_exemplar(timestamp_ms: int, value: float, trace_id: str) -> bytes:
    """For series_bytes."""
    number = b"\x09" + struct.pack("<d", value)
    label = sized(1, sized(1, b"trace_id") + sized(2, trace_id.encode()))
    exemplar = label + b"\x11" + struct.pack("<d", value) + b"\x18" + varint(timestamp_ms)
    return sized(2, number + b"\x10" + varint(timestamp_ms)) + sized(3, exemplar)


def series_of_histogram(labels: Mapping[str, str], histogram: bytes) -> bytes:
    """One series of customer A with one histogram."""
    return sized(1, _series({**labels, "customer_id": "cliente-a"}, [], [histogram]))


def write_bytes(url: str, message: bytes, headers: Mapping[str, str] | None = None) -> requests.Response:
    """A whole request of series_bytes."""
    return _post(url, message, headers)


def one_sample(labels: Mapping[str, str], timestamp_ms: int, value: float) -> bytes:
    """A request of one sample; several after one another are a request too."""
    return sized(1, _series(labels, [(timestamp_ms, value)]))


def one_histogram(labels: Mapping[str, str], histogram: Histogram, timestamp_ms: int) -> bytes:
    """As one_sample."""
    return sized(1, _series(labels, []) + sized(4, _histogram(histogram, timestamp_ms)))


def post_histogram(
    url: str,
    labels: Mapping[str, str],
    histogram: Histogram,
    timestamp_ms: int,
    headers: Mapping[str, str] | None = None,
) -> requests.Response:
    """One native histogram, taken or not."""
    return _post(url, one_histogram(labels, histogram, timestamp_ms), headers)


def _post(url: str, message: bytes, headers: Mapping[str, str] | None = None) -> requests.Response:
    return requests.post(
        f"{url}/api/v1/write",
        data=snappy(message),
        headers={
            "Content-Type": "application/x-protobuf",
            "Content-Encoding": "snappy",
            "X-Prometheus-Remote-Write-Version": "0.1.0",
            **(headers or {}),
        },
        timeout=10,
    )


def unpack(block: bytes) -> bytes:
    """The content of a snappy block, as a destination of remote write gets it."""
    at = shift = size = 0
    while True:
        size |= (block[at] & 0x7F) << shift
        shift += 7
        at += 1
        if block[at - 1] < 0x80:
            break
    out = bytearray()
    while at < len(block):
        tag = block[at]
        kind, length = tag & 3, (tag >> 2) + 1
        at += 1
        if kind == 0:  # a literal; past 60 its length follows
            if length > 60:
                wide = length - 60
                length = int.from_bytes(block[at : at + wide], "little") + 1
                at += wide
            out += block[at : at + length]
            at += length
            continue
        if kind == 1:
            length, offset = (tag >> 2 & 7) + 4, (tag >> 5) << 8 | block[at]
            at += 1
        else:
            wide = 2 if kind == 2 else 4
            offset = int.from_bytes(block[at : at + wide], "little")
            at += wide
        end = len(out)
        copied = out[end - offset : end - offset + length]
        while len(copied) < length:  # it reaches into what it makes
            copied += copied[: length - len(copied)]
        out += copied
    assert len(out) == size
    return bytes(out)
