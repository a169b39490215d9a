"""What an answer of remote read in STREAMED_XOR_CHUNKS holds: frames, series, and the samples of float chunks."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from remote_read import fields, messages, text

XOR = 1


class Bits:
    def __init__(self, data: bytes) -> None:
        self.value = int.from_bytes(data, "big")
        self.left = len(data) * 8

    def take(self, count: int) -> int:
        self.left -= count
        assert self.left >= 0
        return self.value >> self.left & ((1 << count) - 1)

    def uvarint(self) -> int:
        value, shift = 0, 0
        while True:
            byte = self.take(8)
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def varint(self) -> int:
        value = self.uvarint()
        return value >> 1 ^ -(value & 1)


class _Values:
    """Each value as its difference, bit by bit, from the one before."""

    def __init__(self, bits: Bits) -> None:
        self.bits = bits
        self.value = bits.take(64)
        self.leading = self.length = 0

    def next(self) -> int:
        if self.bits.take(1) == 0:
            return self.value
        if self.bits.take(1) == 1:
            self.leading = self.bits.take(5)
            self.length = self.bits.take(6) or 64
        self.value ^= self.bits.take(self.length) << 64 - self.leading - self.length
        return self.value


def _change_of_step(bits: Bits) -> int:
    for size in (0, 14, 17, 20):
        if bits.take(1) == 0:
            value = bits.take(size)
            return value - (1 << size) if size and value > 1 << size - 1 else value
    value = bits.take(64)
    return value - (1 << 64) if value >> 63 else value


def xor_samples(chunk: bytes) -> Iterator[tuple[int, float]]:
    """Milliseconds and value, as Prometheus' tsdb/chunkenc/xor.go has them."""
    (count,) = struct.unpack(">H", chunk[:2])
    bits = Bits(chunk[2:])
    time_ms = bits.varint()
    values = _Values(bits)
    step = 0
    for number in range(count):
        if number == 1:
            step = bits.uvarint()
        elif number > 1:
            step += _change_of_step(bits)
        time_ms += step
        value = values.next() if number else values.value
        yield time_ms, struct.unpack(">d", value.to_bytes(8, "big"))[0]


def streamed_samples(content: bytes) -> dict[tuple[tuple[str, str], ...], dict[int, float]]:
    """As remote_read.samples_of: sorted labels, then milliseconds and values. Each time comes once."""
    found: dict[tuple[tuple[str, str], ...], dict[int, float]] = {}
    for frame in frames_of(content):
        for series in messages(frame, 1):
            labels = [dict(fields(label)) for label in messages(series, 1)]
            key = tuple(sorted((text(label[1]), text(label.get(2, b""))) for label in labels))
            into = found.setdefault(key, {})
            for chunk in messages(series, 2):
                parts = dict(fields(chunk))
                assert parts[3] == XOR
                data = parts[4]
                assert isinstance(data, bytes)
                for time_ms, value in xor_samples(data):
                    assert time_ms not in into
                    into[time_ms] = value
    return found


def frames_of(content: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(content):
        size, shift = 0, 0
        while True:
            byte = content[at]
            at += 1
            size |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        at += 4  # the checksum
        yield content[at : at + size]
        at += size


def chunks_of(content: bytes) -> dict[tuple[tuple[str, str], ...], list[tuple[int, bytes]]]:
    """Sorted labels, then encoding and bytes of each chunk."""
    found: dict[tuple[tuple[str, str], ...], list[tuple[int, bytes]]] = {}
    for frame in frames_of(content):
        for series in messages(frame, 1):
            labels = [dict(fields(label)) for label in messages(series, 1)]
            key = tuple(sorted((text(label[1]), text(label.get(2, b""))) for label in labels))
            for chunk in map(dict, map(fields, messages(series, 2))):
                encoding, data = chunk[3], chunk[4]
                assert isinstance(encoding, int)
                assert isinstance(data, bytes)
                found.setdefault(key, []).append((encoding, data))
    return found
