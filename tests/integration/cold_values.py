"""Samples and native histograms of answers as a model compares them: a float by its bits, a histogram by what it says."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from itertools import accumulate

import requests
from cold_model import Labels, Matchers, Value
from remote_read import fields, messages, text
from remote_write import sized, unpack, varint
from streamed_chunks import XOR, Bits, frames_of, xor_samples

Values = dict[Labels, dict[int, Value]]
NAN = 0x7FF8000000000001  # what any NaN becomes
STALE = 0x7FF0000000000002  # but this one
_HISTOGRAM, _FLOAT_HISTOGRAM = 2, 3
_CUSTOM = -53  # the schema of custom buckets
_WIDTHS = (0, 3, 6, 9, 12, 18, 25, 56, 64)
_KINDS = {"=": 0, "!=": 1, "=~": 2, "!~": 3}


class Native(tuple[object, ...]):
    """What a native histogram says, and the field of a series that brings it."""

    message: bytes

    @staticmethod
    def of(message: bytes) -> Native:
        made = Native(histogram_of(message)[1])  # type: ignore[arg-type]
        made.message = sized(4, message)
        return made


def bits_of(value: float) -> int:
    return int(struct.unpack("<Q", struct.pack("<d", value))[0])


def kept_bits(bits: int) -> int:
    """As the store keeps a value of these bits."""
    is_nan = bits & ~(1 << 63) > 0x7FF << 52
    return NAN if is_nan and bits != STALE else bits


def sample_message(time_ms: int, bits: int) -> bytes:
    """A prometheus.Sample with just these bits, as a field of a series."""
    return sized(2, b"\x09" + struct.pack("<Q", bits) + b"\x10" + varint(time_ms))


def read_query(matchers: Matchers, from_ms: int, to_ms: int) -> bytes:
    out = b"\x08" + varint(from_ms) + b"\x10" + varint(to_ms)
    for name, operator, value in matchers:
        out += sized(3, b"\x08" + varint(_KINDS[operator]) + sized(2, name.encode()) + sized(3, value.encode()))
    return sized(1, out)


def sampled(answer: requests.Response) -> Values:
    """Of an answer in SAMPLES to one query."""
    found: Values = {}
    for result in messages(unpack(answer.content), 1):
        for series in messages(result, 1):
            into = found.setdefault(_labels(series), {})
            for sample in messages(series, 2):
                parts = dict(fields(sample))
                _put(into, _signed(parts.get(2, 0)), _bits(parts.get(1, bytes(8))))
            for histogram in messages(series, 4):
                _put(into, *histogram_of(histogram))
    return found


def streamed(content: bytes) -> Values:
    """Of an answer in STREAMED_XOR_CHUNKS."""
    found: Values = {}
    for frame in frames_of(content):
        for series in messages(frame, 1):
            into = found.setdefault(_labels(series), {})
            for chunk in messages(series, 2):
                parts = dict(fields(chunk))
                data = parts[4]
                assert isinstance(data, bytes)
                if parts[3] == XOR:
                    for time_ms, value in xor_samples(data):
                        _put(into, time_ms, bits_of(value))
                else:
                    for time_ms, histogram in _histograms_of_chunk(data, parts[3] == _FLOAT_HISTOGRAM):
                        _put(into, time_ms, histogram)
    return found


def _put(into: dict[int, Value], time_ms: int, value: Value) -> None:
    assert time_ms not in into, f"{time_ms} came twice"
    into[time_ms] = value


def _labels(series: bytes) -> Labels:
    labels = [dict(fields(label)) for label in messages(series, 1)]
    return tuple(sorted((text(label[1]), text(label.get(2, b""))) for label in labels))


def _bits(content: bytes | int) -> int:
    assert isinstance(content, bytes)
    return int.from_bytes(content, "little")


def _signed(content: bytes | int) -> int:
    assert isinstance(content, int)
    return content - (1 << 64) if content >> 63 else content


def _unzigzag(content: bytes | int) -> int:
    assert isinstance(content, int)
    return content >> 1 ^ -(content & 1)


def histogram_of(message: bytes) -> tuple[int, Value]:
    """Time and value of a prometheus.Histogram: no reset hint, which depends on what is sent before; no empty bucket."""
    parts = dict(fields(message))
    is_float = 2 in parts
    count, zero = (
        _bits(parts.get(one, bytes(8))) if is_float else parts.get(one, 0) for one in ((2, 7) if is_float else (1, 6))
    )
    sides = tuple(_side(message, *numbers, is_float) for numbers in ((8, 9, 10), (11, 12, 13)))
    rest = (_bits(parts.get(3, bytes(8))), _unzigzag(parts.get(4, 0)), _bits(parts.get(5, bytes(8))))
    return _signed(parts.get(15, 0)), (is_float, count, zero, *rest, *sides)


def _side(message: bytes, spans: int, deltas: int, counts: int, is_float: bool) -> tuple[object, ...]:
    shape: list[tuple[int, int]] = []
    for span in messages(message, spans):
        parts = dict(fields(span))
        shape.append((_unzigzag(parts.get(1, 0)), _signed(parts.get(2, 0))))
    buckets: list[int] = []
    for packed in messages(message, counts if is_float else deltas):
        if is_float:
            buckets += [_bits(packed[at : at + 8]) for at in range(0, len(packed), 8)]
        else:
            buckets += [_unzigzag(number) for number in _varints(packed)]
    return _counts(shape, buckets, is_float)


def _counts(shape: Sequence[tuple[int, int]], buckets: Sequence[int], is_float: bool) -> tuple[object, ...]:
    """Index and count of each bucket that is not empty: of integers the differences are given."""
    counts = buckets if is_float else list(accumulate(buckets))
    places: list[int] = []
    at = 0
    for offset, length in shape:
        places += range(at + offset, at + offset + length)
        at += offset + length
    return tuple((place, count) for place, count in zip(places, counts, strict=True) if count)


def _varints(packed: bytes) -> Iterator[int]:
    value = shift = 0
    for byte in packed:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            yield value
            value = shift = 0


class _Wide:
    """Prometheus' variable widths (tsdb/chunkenc/varbit.go)."""

    def __init__(self, bits: Bits) -> None:
        self.bits = bits

    def unsigned(self) -> int:
        return self.bits.take(self._width())

    def signed(self) -> int:
        width = self._width()
        value = self.bits.take(width)
        return value - (1 << width) if width and value > 1 << width - 1 else value

    def _width(self) -> int:
        ones = 0
        while ones < len(_WIDTHS) - 1 and self.bits.take(1) == 1:
            ones += 1
        return _WIDTHS[ones]


def has_a_bucket_twice(chunk: bytes) -> bool:
    """Prometheus 3.5 now and then makes such a chunk of floats whose empty buckets come and go: a span goes back."""
    bits = Bits(chunk[3:])
    wide = _Wide(bits)
    if bits.take(8) == 255:
        bits.take(64)
    wide.signed()
    for _ in range(2):
        spans = [(wide.unsigned(), wide.signed()) for _ in range(wide.unsigned())]
        if any(offset < 0 for _, offset in spans[1:]):
            return True
    return False


class _Xor:
    """A float after the first, as what differs (tsdb/chunkenc/xor.go)."""

    def __init__(self, bits: Bits) -> None:
        self.bits, self.value = bits, bits.take(64)
        self.leading = self.width = 0

    def next(self) -> int:
        if self.bits.take(1):
            if self.bits.take(1):
                self.leading, self.width = self.bits.take(5), self.bits.take(6) or 64
            self.value ^= self.bits.take(self.width) << 64 - self.leading - self.width
        return self.value


class _Twice:
    """An integer after the first, as the change of its change."""

    def __init__(self, wide: _Wide, first: int) -> None:
        self.wide, self.value, self.step = wide, first, 0

    def next(self) -> int:
        self.step += self.wide.signed()
        self.value += self.step
        return self.value


def _histograms_of_chunk(chunk: bytes, is_float: bool) -> Iterator[tuple[int, Value]]:
    """tsdb/chunkenc/histogram.go, float_histogram.go."""
    bits = Bits(chunk[3:])
    wide = _Wide(bits)
    code = bits.take(8)
    threshold = bits.take(64) if code == 255 else bits_of(0.0 if code == 0 else 2.0 ** (code - 243 - 1))
    schema = wide.signed()
    shapes = []
    for _ in range(2):  # positive first
        lengths = [(wide.unsigned(), wide.signed()) for _ in range(wide.unsigned())]
        shapes.append([(offset, length) for length, offset in lengths])
    for _ in range(wide.unsigned() if schema == _CUSTOM else 0):
        if wide.unsigned() == 0:  # a bound that is not in thousandths
            bits.take(64)
    number = [sum(length for _, length in shape) for shape in shapes]
    times = _Twice(wide, wide.signed())
    counts: list[_Xor | _Twice] = []
    for _ in range(2):
        counts.append(_Xor(bits) if is_float else _Twice(wide, wide.unsigned()))
    total = _Xor(bits)
    buckets = [_Xor(bits) if is_float else _Twice(wide, wide.signed()) for _ in range(sum(number))]
    for at in range(int.from_bytes(chunk[:2], "big")):
        if at:
            times.next(), [count.next() for count in counts], total.next()
            if total.value != STALE:
                [bucket.next() for bucket in buckets]
        values = [bucket.value for bucket in buckets]
        sides = (values[: number[0]], values[number[0] :])
        said = [_counts(shape, side, is_float) for shape, side in zip(shapes, sides, strict=True)]
        yield (
            times.value,
            (is_float, counts[0].value, counts[1].value, total.value, schema, threshold, said[1], said[0]),
        )
