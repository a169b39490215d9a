"""Remote read requests made by hand."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence

import requests
from remote_write import sized, snappy, unpack, varint

CHUNKS = b"\x10\x01"
SAMPLES = b"\x10\x00"


def read_request(queries: Sequence[tuple[str, int, int]]) -> bytes:
    """Queries (metric, first and last millisecond), without the wanted type."""
    out = b""
    for metric, start_ms, end_ms in queries:
        matcher = sized(2, b"__name__") + sized(3, metric.encode())
        out += sized(1, b"\x08" + varint(start_ms) + b"\x10" + varint(end_ms) + sized(3, matcher))
    return out


def rolled_request(metric: str, rollup: str, start_ms: int, end_ms: int) -> bytes:
    """One query for roll-ups, as "1h:sum"; "" asks for samples. Without the wanted type."""
    out = b"\x08" + varint(start_ms) + b"\x10" + varint(end_ms)
    for name, value in {"__name__": metric, "__rollup__": rollup}.items():
        if value:
            out += sized(3, sized(2, name.encode()) + sized(3, value.encode()))
    return sized(1, out)


def post_read(
    url: str, request: bytes, kind: bytes, headers: Mapping[str, str], seconds: float = 120
) -> requests.Response:
    """The answer in chunks or samples."""
    return requests.post(
        f"{url}/api/v1/read",
        data=snappy(request + kind),
        headers={"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy", **headers},
        timeout=seconds,
    )


def fields(message: bytes) -> Iterator[tuple[int, bytes | int]]:
    at = 0

    def number() -> int:
        nonlocal at
        value = message[at]
        at += 1
        if value < 128:
            return value
        value, shift = value & 127, 7
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        tag = number()
        if tag & 7 == 0:
            yield tag >> 3, number()
            continue
        size = 8 if tag & 7 == 1 else number()
        yield tag >> 3, message[at : at + size]
        at += size


def messages(message: bytes, field: int) -> Iterator[bytes]:
    for name, content in fields(message):
        if name == field:
            assert isinstance(content, bytes)
            yield content


def samples_of(answer: requests.Response) -> dict[tuple[tuple[str, str], ...], dict[int, float]]:
    """What an answer in samples holds: sorted labels, then milliseconds and values."""
    found: dict[tuple[tuple[str, str], ...], dict[int, float]] = {}
    for result in messages(unpack(answer.content), 1):
        for series in messages(result, 1):
            labels = [dict(fields(label)) for label in messages(series, 1)]
            key = tuple(sorted((text(label[1]), text(label.get(2, b""))) for label in labels))
            assert key not in found
            found[key] = dict(map(_sample, messages(series, 2)))
    return found


def _sample(content: bytes) -> tuple[int, float]:
    """Milliseconds and value. Nearly all are of one form, and a test may read a million of them."""
    if len(content) == 16:
        first, value, second, low, middle, high = _USUAL_SAMPLE.unpack(content)
        if (first, second) == (0x09, 0x10):
            return _fourteen_bits(low) | _fourteen_bits(middle) << 14 | _fourteen_bits(high) << 28, value
    sample = dict(fields(content))
    return _whole(sample.get(2, 0)), _double(sample.get(1, bytes(8)))


_USUAL_SAMPLE = struct.Struct("<BdBHHH")  # the value, then a time whose varint has six bytes, as from 2004 to 2109


def _fourteen_bits(word: int) -> int:
    """Two bytes of a varint."""
    return word & 0x7F | word >> 1 & 0x3F80


def text(content: bytes | int) -> str:
    assert isinstance(content, bytes)
    return content.decode()


def _whole(content: bytes | int) -> int:
    assert isinstance(content, int)
    return content


def _double(content: bytes | int) -> float:
    assert isinstance(content, bytes)
    return float(struct.unpack("<d", content)[0])
