"""Remote write 1.0 requests made by hand, for tests that put samples into a store without a collector."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

import requests

_LITERAL_BYTES_MAX = 65536


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _sized(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _series(labels: Mapping[str, str], samples: Sequence[tuple[int, float]]) -> bytes:
    out = b"".join(
        _sized(1, _sized(1, name.encode()) + _sized(2, value.encode())) for name, value in sorted(labels.items())
    )
    for timestamp_ms, value in samples:
        out += _sized(2, b"\x09" + struct.pack("<d", value) + b"\x10" + _varint(timestamp_ms))
    return out


def _snappy(content: bytes) -> bytes:
    """The block format, literals only."""
    out = _varint(len(content))
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
    body = _snappy(b"".join(_sized(1, _series(labels, samples)) for labels, samples in series))
    answer = requests.post(
        f"{url}/api/v1/write",
        data=body,
        headers={
            "Content-Type": "application/x-protobuf",
            "Content-Encoding": "snappy",
            "X-Prometheus-Remote-Write-Version": "0.1.0",
            **(headers or {}),
        },
        timeout=10,
    )
    assert answer.status_code in (200, 204), f"{answer.status_code} {answer.text}"
