"""Remote read requests made by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import requests
from remote_write import sized, snappy, varint

CHUNKS = b"\x10\x01"
SAMPLES = b"\x10\x00"


def read_request(queries: Sequence[tuple[str, int, int]]) -> bytes:
    """Queries (metric, first and last millisecond), without the wanted type."""
    out = b""
    for metric, start_ms, end_ms in queries:
        matcher = sized(2, b"__name__") + sized(3, metric.encode())
        out += sized(1, b"\x08" + varint(start_ms) + b"\x10" + varint(end_ms) + sized(3, matcher))
    return out


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
