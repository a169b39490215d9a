"""Protobuf fields by hand, where the reference classes would take gigabytes or hours."""

from __future__ import annotations

import struct


def message(number: int, *parts: bytes) -> bytes:
    """A protobuf field of bytes."""
    payload = b"".join(parts)
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def fixed64(number: int, value: int) -> bytes:
    return varint(number << 3 | 1) + struct.pack("<Q", value)


def double(number: int, value: float) -> bytes:
    return varint(number << 3 | 1) + struct.pack("<d", value)


def attribute(number: int, key: str, value: str) -> bytes:
    return message(number, message(1, key.encode()), message(2, message(1, value.encode())))
