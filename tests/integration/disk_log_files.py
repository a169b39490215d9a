"""Segments of a disk log by hand, for records that today's intake would not take (docs/formats/disk-log.md)."""

from __future__ import annotations

import gzip
import secrets
import struct
import time
from pathlib import Path

from remote_write import varint

SIGNALS = {"metrics": 1, "traces": 2, "logs": 3}
_POLYNOMIAL = 0x82F63B78
_GZIP = 1


def _table() -> list[int]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (_POLYNOMIAL if byte & 1 else 0)
        table.append(byte)
    return table


_TABLE = _table()


def crc32c(content: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in content:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def write_segment(folder: Path, records: list[tuple[str, str, int, bytes]], route: str = "hot-0") -> None:
    """Segment 1 of a log that is not there yet: records of (customer, signal, items, body), all accepted."""
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    marker = secrets.token_bytes(8)
    header = b"VGLG" + struct.pack("<IQ", 1, 1) + marker + struct.pack("<I", 0)
    out = (header + struct.pack("<I", crc32c(header))) * 2
    for sequence, (customer, signal, items, body) in enumerate(records, 1):
        stored = gzip.compress(body, 9)
        head = struct.pack("<III", len(stored), len(stored), crc32c(stored))
        head += struct.pack("<IIQqI", len(route) << 24, items, sequence, time.time_ns() // 1_000_000, 0)
        head += bytes([SIGNALS[signal], _GZIP, 0, len(customer)]) + customer.encode() + route.encode()
        out += marker + struct.pack("<I", crc32c(head)) + head + stored
    (folder / f"segment-{1:016x}.log").write_bytes(out)


def change_records(folder: Path, old: bytes, new: bytes) -> int:
    """Puts `new` where `old` stands in the bodies of a log that nobody has open; returns how often. Of one size."""
    assert len(old) == len(new)
    changed = 0
    for path in folder.glob("segment-*.log"):
        content = path.read_bytes()
        marker = content[16:24]
        out, at = content[:64], 64
        while content[at : at + 8] == marker:
            stored_size, _, _, sizes = struct.unpack_from("<IIII", content, at + 12)
            rest = 32 + content[at + 55] + (sizes >> 24) + (sizes & 0xFFFFFF)
            body_at = at + 24 + rest
            body = content[body_at : body_at + stored_size]
            changed += body.count(old)
            body = body.replace(old, new)
            head = content[at + 12 : at + 20] + struct.pack("<I", crc32c(body)) + content[at + 24 : body_at]
            out += marker + struct.pack("<I", crc32c(head)) + head + body
            at = body_at + stored_size
        path.write_bytes(out + content[at:])
    return changed


def write_side_entry(folder: Path, customer: str, units: list[bytes]) -> None:
    """What an older version (1) set aside of a customer's metrics, to be sent together; an item each. The folder is the
    exporter's (docs/formats/side-queue.md)."""
    folder.mkdir(parents=True, mode=0o700)
    content = varint(len(units))
    for item, unit in enumerate(units):
        content += varint(len(unit)) + varint(1) + varint(item) + varint(0)
    content += b"".join(units)
    head = bytes([SIGNALS["metrics"], 0, 0])
    head += struct.pack("<qQQI", time.time_ns() // 1_000_000, len(units), len(content), crc32c(content))
    head += varint(len(customer)) + customer.encode()
    whole = b"VGSQ" + struct.pack("<III", 1, crc32c(head), len(head)) + head + content
    (folder / f"{1:016x}.side").write_bytes(whole)
