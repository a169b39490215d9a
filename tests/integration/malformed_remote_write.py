"""Malformed requests of remote write 1.0 and 2.0, each with a name: the same ones on every run.

tests/golden/malformed/remote_write.tsv has what each is answered and what of it is counted. Where the fault is one
series' there are two cases: alone, and beside a good series, which is taken.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from remote_write import histogram, sized, snappy, varint

FORMS = {1: "application/x-protobuf", 2: "application/x-protobuf;proto=io.prometheus.write.v2.Request"}
TIME_MS = 1_700_000_000_000  # the past: no clock plays a part
VALUE = b"\x09" + struct.pack("<d", 1.5)
SAMPLE = VALUE + b"\x10" + varint(TIME_MS)
# Of 2.0; the first ones are the good series'.
SYMBOLS = [b"", b"__name__", b"m", b"k", b"v", b"a text", b"customer_id", b"cliente-b", b"\xff\xfe", b"up", b"job"]
LONG = 5  # the place of "a text"


@dataclass(frozen=True)
class Case:
    name: str
    version: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def form(self) -> str:
        return FORMS[self.version]


def _label(name: bytes, value: bytes) -> bytes:
    return sized(1, sized(1, name) + sized(2, value))


def _labels_1(*pairs: tuple[bytes, bytes]) -> bytes:
    return b"".join(_label(name, value) for name, value in pairs)


def _refs(*places: int) -> bytes:
    return sized(1, b"".join(varint(place) for place in places))


def _symbols(symbols: list[bytes] | None = None) -> bytes:
    return b"".join(sized(4, symbol) for symbol in (SYMBOLS if symbols is None else symbols))


NAMED_1 = _labels_1((b"__name__", b"m"), (b"k", b"v"))
NAMED_2 = _refs(1, 2, 3, 4)
EXEMPLAR_1 = sized(3, _label(b"trace_id", b"x") + b"\x11" + struct.pack("<d", 1.0) + b"\x18" + varint(TIME_MS))
EXEMPLAR_2 = sized(4, _refs(3, 4) + b"\x11" + struct.pack("<d", 1.0) + b"\x18" + varint(TIME_MS))
GOOD_1 = sized(1, NAMED_1 + sized(2, SAMPLE) + EXEMPLAR_1)
GOOD_2 = sized(5, NAMED_2 + sized(2, SAMPLE) + EXEMPLAR_2 + sized(5, b"\x08\x02\x18\x05"))
METADATA_1 = sized(3, b"\x08\x01" + sized(2, b"m") + sized(4, b"help") + sized(5, b"s"))


def good(version: int) -> bytes:
    """A message."""
    return GOOD_1 + METADATA_1 if version == 1 else _symbols() + GOOD_2


def cases() -> Iterator[Case]:
    for version in (1, 2):
        for name, body in [*_cut(version), *_with_bits_changed(version), *_framing(version)]:
            yield Case(f"{version}.0/{name}", version, snappy(body))
        for name, body in _blocks(version):
            yield Case(f"{version}.0/block: {name}", version, body)
        for name, series in [*_series_of_both(version), *(_series_1() if version == 1 else _series_2())]:
            before = b"" if version == 1 else _symbols()
            yield Case(f"{version}.0/series: {name}", version, snappy(before + series))
            yield Case(
                f"{version}.0/series: {name}, beside a good one", version, snappy(before + GOOD[version] + series)
            )
        for name, headers in _headers():
            yield Case(f"{version}.0/header: {name}", version, snappy(good(version)), headers)
    for name, body in _whole_2():
        yield Case(f"2.0/{name}", 2, snappy(body))
    for name, body in _whole_1():
        yield Case(f"1.0/{name}", 1, snappy(body))


GOOD = {1: GOOD_1, 2: GOOD_2}


def _cut(version: int) -> Iterator[tuple[str, bytes]]:
    whole = good(version)
    for size in range(1, len(whole), 3):
        yield f"cut at {size} of {len(whole)}", whole[:size]


def _with_bits_changed(version: int) -> Iterator[tuple[str, bytes]]:
    whole = good(version)
    for at in range(0, len(whole), 5):
        for bit in (0x01, 0x80):
            body = bytearray(whole)
            body[at] ^= bit
            yield f"byte {at} ^ {bit:#04x}", bytes(body)


def _framing(version: int) -> Iterator[tuple[str, bytes]]:
    whole = good(version)
    number = 1 if version == 1 else 5
    tags = {
        "field 0": b"\x02\x00",
        "a group begins": b"\x0b",
        "a group ends": b"\x0c",
        "wire type 6": b"\x0e",
        "wire type 7": b"\x0f",
        "a tag of 11 bytes": b"\xff" * 10 + b"\x01",
        "a tag alone": bytes([number << 3 | 2]),
        "a varint that never ends": b"\x98\x06" + b"\xff" * 11,
        "four bytes for fixed64": b"\x99\x06\x00\x00\x00\x00",
        "three bytes for fixed32": b"\x9d\x06\x00\x00\x00",
        "a series as a varint": bytes([number << 3, 1]),
        "a series as fixed64": bytes([number << 3 | 1]) + b"\0" * 8,
        "an unknown varint": b"\x98\x06\x07",
        "an unknown text": b"\x9a\x06\x03abc",
    }
    for name, more in tags.items():
        yield f"{name}, alone", more
        yield f"{name}, behind a good one", whole + more
    inner = NAMED_1 if version == 1 else NAMED_2
    for name, length in (
        ("one more than there is", len(inner) + 1),
        ("one less than there is", len(inner) - 1),
        ("2^31", 2**31),
        ("2^32", 2**32),
        ("2^63", 2**63),
        ("2^64 - 1", 2**64 - 1),
    ):
        yield f"length {name}", bytes([number << 3 | 2]) + varint(length) + inner
    for name, body in (
        ("nothing", b""),
        ("text", b"hello, world"),
        ("zeros", bytes(64)),
        ("ones", b"\xff" * 64),
        ("JSON", b'{"timeseries":[]}'),
        ("the other version's", good(3 - version)),
    ):
        yield name, body


def _blocks(version: int) -> Iterator[tuple[str, bytes]]:
    whole = good(version)
    block = snappy(whole)
    head = len(varint(len(whole)))
    elements = block[head:]
    for size in sorted({0, 1, head, head + 1, head + 2, head + 3, len(block) // 2, len(block) - 1}):
        yield f"cut at {size}", block[:size]
    for name, length in (
        ("nothing", 0),
        ("one less", len(whole) - 1),
        ("one more", len(whole) + 1),
        ("17 MiB", 17 << 20),
        ("2^32 - 1", 2**32 - 1),
        ("2^32", 2**32),
        ("2^63", 2**63),
    ):
        yield f"a length of {name}", varint(length) + elements
    yield "17 MiB of room for it", varint(17 << 20) + bytes(1 << 20)
    yield "a byte behind", block + b"\x00"
    yield "the message as it is", whole
    yield "framed as a stream", b"\xff\x06\x00\x00sNaPpY" + block
    yield "a copy from before the beginning", varint(len(whole) + 4) + elements + b"\x0e" + struct.pack("<H", 60_000)
    yield "a copy of nothing", varint(len(whole) + 4) + elements + b"\x0e\x00\x00"
    yield "gzip's first bytes", b"\x1f\x8b\x08\x00\x00\x00\x00\x00"


def _histograms(version: int) -> Iterator[tuple[str, bytes]]:
    number = 4 if version == 1 else 3
    whole = histogram(TIME_MS, [1, 2], is_float=False)
    time = b"\x78" + varint(TIME_MS)
    for name, content in (
        ("empty", b""),
        ("a time alone", time),
        ("cut", whole[: len(whole) // 2] + time),
        ("schema 9", b"\x08\x01\x20" + varint(18) + time),
        ("schema -5", b"\x08\x01\x20" + varint(9) + time),
        ("a span without buckets", b"\x08\x03" + sized(11, b"\x08\x00\x10\x03") + time),
        ("buckets without a span", b"\x08\x03" + sized(12, b"\x02\x02") + time),
        ("a negative count", b"\x08\x01" + sized(11, b"\x08\x00\x10\x01") + sized(12, b"\x01") + time),
        ("a span of 2^31 buckets", b"\x08\x03" + sized(11, b"\x08\x00\x10" + varint(2**31)) + time),
        ("4,000 spans", b"\x08\x03" + sized(11, b"") * 4_000 + time),
        ("70,000 bytes", b"\x08\x03" + sized(12, b"\x02" * 70_000) + time),
        ("no time", whole[: whole.rindex(b"\x78")]),
    ):
        yield f"a histogram: {name}", sized(number, content)


def _series_of_both(version: int) -> Iterator[tuple[str, bytes]]:
    number, named = (1, NAMED_1) if version == 1 else (5, NAMED_2)
    values = {
        "no value": b"",
        "an empty sample": sized(2, b""),
        "a time of 0": sized(2, VALUE + b"\x10\x00"),
        "a time before 1970": sized(2, VALUE + b"\x10" + varint(-5)),
        "a time of the year 9999": sized(2, VALUE + b"\x10" + varint(253_402_300_799_000)),
        "the last of all times": sized(2, VALUE + b"\x10" + varint(2**63 - 1)),
        "not a number": sized(2, b"\x09" + struct.pack("<d", float("nan")) + b"\x10" + varint(TIME_MS)),
        "infinity": sized(2, b"\x09" + struct.pack("<d", float("inf")) + b"\x10" + varint(TIME_MS)),
        "a stale mark": sized(2, b"\x09" + struct.pack("<Q", 0x7FF0000000000002) + b"\x10" + varint(TIME_MS)),
        "a sample of 70,000 bytes": sized(2, SAMPLE + sized(15, bytes(70_000))),
        "a sample and a histogram": sized(2, SAMPLE)
        + sized(4 if version == 1 else 3, histogram(TIME_MS, [1], is_float=False)),
        "an unknown field": sized(2, SAMPLE) + sized(99, b"x"),
        **dict(_histograms(version)),
    }
    for name, value in values.items():
        yield name, sized(number, named + value)


def _series_1() -> Iterator[tuple[str, bytes]]:
    name = (b"__name__", b"m")
    for what, labels in {
        "no labels": _labels_1(),
        "no name": _labels_1((b"k", b"v")),
        "an empty name": _labels_1((b"__name__", b"")),
        "a name of two": _labels_1(name, name),
        "a label twice": _labels_1(name, (b"k", b"v"), (b"k", b"w")),
        "labels in another order": _labels_1((b"k", b"v"), name),
        "a label without a name": _labels_1((b"", b"v"), name),
        "a label without a value": _labels_1(name, (b"k", b"")),
        "a name that is no UTF-8": _labels_1((b"__name__", b"\xff")),
        "a value that is no UTF-8": _labels_1(name, (b"k", b"\xff")),
        "a label's name that is no UTF-8": _labels_1(name, (b"\xff", b"v")),
        "a name with a dot": _labels_1((b"__name__", b"a.b")),
        "a name that begins with a digit": _labels_1((b"__name__", b"1a")),
        "a label of __": _labels_1(name, (b"__rollup__", b"1h")),
        "another's customer_id": _labels_1(name, (b"customer_id", b"cliente-b")),
        "its own customer_id": _labels_1(name, (b"customer_id", b"cliente-a")),
        "another's customer.id": _labels_1(name, (b"customer.id", b"cliente-b")),
        "a heartbeat of ours": _labels_1((b"__name__", b"vigia_hot_heartbeat")),
        "an agent's up": _labels_1((b"__name__", b"up"), (b"job", b"customer-agents")),
        "a label of 70,000 bytes": _labels_1(name, (b"k", b"v" * 70_000)),
        "300 labels": _labels_1(name, *((f"l{i:03}".encode(), b"v") for i in range(300))),
        "a label as a varint": NAMED_1 + b"\x08\x01",
        "a label that is damaged": NAMED_1 + sized(1, b"\x0a\x7f"),
    }.items():
        yield what, sized(1, labels + sized(2, SAMPLE))
    yield "an exemplar of 600 bytes", sized(1, NAMED_1 + sized(2, SAMPLE) + sized(3, _label(b"a", b"x" * 600)))
    yield "an exemplar of 70,000 bytes", sized(1, NAMED_1 + sized(2, SAMPLE) + sized(3, _label(b"a", b"x" * 70_000)))


def _series_2() -> Iterator[tuple[str, bytes]]:
    for what, references in {
        "no labels": b"",
        "a reference to nothing": _refs(1, 2, 99, 4),
        "a name that leads to nothing": _refs(1, 99),
        "a reference of 2^32 - 1": _refs(1, 2, 2**32 - 1, 4),
        "a name without a value": _refs(1, 2, 3),
        "no name": _refs(3, 4),
        "an empty name": _refs(1, 0),
        "a label without a name": _refs(1, 2, 0, 4),
        "a label without a value": _refs(1, 2, 3, 0),
        "a label twice": _refs(1, 2, 3, 4, 3, 5),
        "a value that is no UTF-8": _refs(1, 2, 3, 8),
        "another's customer_id": _refs(1, 2, 6, 7),
        "references one by one": b"\x08\x01\x08\x02",
        "references as text": sized(1, b"\xff"),
    }.items():
        yield what, sized(5, references + sized(2, SAMPLE))
    for what, exemplar in {
        "an exemplar that leads to nothing": _refs(3, 99),
        "an exemplar of a name without a value": _refs(3),
    }.items():
        yield what, sized(5, NAMED_2 + sized(2, SAMPLE) + sized(4, exemplar))
    for what, metadata in {
        "a help that leads to nothing": b"\x08\x01\x18\x63",
        "a unit that leads to nothing": b"\x08\x01\x20\x63",
        "a type that nobody knows": b"\x08\x63",
        "a help that is no UTF-8": b"\x08\x01\x18\x08",
    }.items():
        yield what, sized(5, NAMED_2 + sized(2, SAMPLE) + sized(5, metadata))
    yield "a reference to nothing and no value", sized(5, _refs(1, 99))


def _whole_1() -> Iterator[tuple[str, bytes]]:
    yield "metadata alone", METADATA_1
    yield "metadata of no metric", sized(3, b"\x08\x01" + sized(4, b"help"))
    yield "metadata of a type that nobody knows", sized(3, b"\x08\x63" + sized(2, b"m"))
    yield "metadata that is damaged", GOOD_1 + sized(3, b"\x12\x7f")
    yield "a series of 100,001 samples", sized(1, NAMED_1 + b"\x12\x00" * 100_001)


def _whole_2() -> Iterator[tuple[str, bytes]]:
    yield "no symbols", GOOD_2
    yield "symbols alone", _symbols()
    yield "symbols behind the series", GOOD_2 + _symbols()
    yield "the first symbol is a text", _symbols([b"x", *SYMBOLS]) + GOOD_2
    yield "300,000 symbols", _symbols() + b"\x22\x00" * 300_000 + GOOD_2
    yield "a symbol as a varint", _symbols() + GOOD_2 + b"\x20\x01"
    yield "a series of 100,001 samples", _symbols() + sized(5, NAMED_2 + b"\x12\x00" * 100_001)


def _headers() -> Iterator[tuple[str, dict[str, str]]]:
    yield "no content type", {"Content-Type": ""}
    yield "JSON", {"Content-Type": "application/json"}
    yield "protobuf by another name", {"Content-Type": "application/protobuf"}
    yield "a message of 3.0", {"Content-Type": "application/x-protobuf;proto=io.prometheus.write.v3.Request"}
    yield "a message that is none", {"Content-Type": "application/x-protobuf;proto=x"}
    yield "no coding", {"Content-Encoding": ""}
    yield "gzip", {"Content-Encoding": "gzip"}
    yield "two codings", {"Content-Encoding": "snappy, gzip"}
    yield "no token", {"Authorization": ""}
    yield "another's scope", {"Authorization": "Bearer reader"}
    yield "nobody's token", {"Authorization": "Bearer nobody"}
