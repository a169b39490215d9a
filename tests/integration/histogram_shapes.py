"""Series of native histograms of every shape that decides how Prometheus packs them."""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from remote_write import sized, varint

STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]
YES, NO, GAUGE = 1, 2, 3
Buckets = Mapping[int, float]


@dataclass(frozen=True)
class Native:
    """Buckets by index. What is said by spans follows; `split` says it in more of them, as one may."""

    is_float: bool = False
    positive: Buckets = field(default_factory=dict)
    negative: Buckets = field(default_factory=dict)
    sum: float = 1.5
    schema: int = 1
    zero_threshold: float = 0.001
    zero_count: float = 0
    hint: int = 0
    bounds: tuple[float, ...] = ()
    split: bool = False

    def count(self) -> float:
        return self.zero_count + sum(self.positive.values()) + sum(self.negative.values())

    def message(self, time_ms: int) -> bytes:
        """prometheus.Histogram."""
        out = _double(2, self.count()) if self.is_float else b"\x08" + varint(int(self.count()))
        out += _double(3, self.sum) + b"\x20" + _signed(self.schema) + _double(5, self.zero_threshold)
        out += _double(7, self.zero_count) if self.is_float else b"\x30" + varint(int(self.zero_count))
        out += self._side(self.negative, 8) + self._side(self.positive, 11)
        out += b"\x70" + varint(self.hint) + b"\x78" + varint(time_ms)
        return out + (sized(16, b"".join(struct.pack("<d", bound) for bound in self.bounds)) if self.bounds else b"")

    def _side(self, buckets: Buckets, spans: int) -> bytes:
        out = b"".join(
            sized(spans, b"\x08" + _signed(offset) + b"\x10" + varint(length))
            for offset, length in self._spans(buckets)
        )
        counts = [buckets[place] for place in sorted(buckets)]
        if not counts:
            return out
        if self.is_float:
            return out + sized(spans + 2, b"".join(struct.pack("<d", count) for count in counts))
        changes = [int(count - before) for before, count in zip([0, *counts], counts, strict=False)]
        return out + sized(spans + 1, b"".join(map(_signed, changes)))

    def _spans(self, buckets: Buckets) -> Iterator[tuple[int, int]]:
        at, offset, length = 0, 0, 0
        for place in sorted(buckets):
            if length and (place != at or (self.split and length == 2)):
                yield offset, length
                if self.split:
                    yield 0, 0
                length = 0
            if not length:
                offset = place - at
            length, at = length + 1, place + 1
        if length:
            yield offset, length


def _signed(value: int) -> bytes:
    return varint(value * 2 if value >= 0 else -value * 2 - 1)


def _double(number: int, value: float) -> bytes:
    return varint(number << 3 | 1) + struct.pack("<d", value)


def _grown(buckets: Buckets, chance: random.Random, places: Sequence[int]) -> dict[int, float]:
    grown = {place: count + chance.choice((0, 0, 1, 1, 2, 300)) for place, count in buckets.items()}
    if chance.random() < 0.4:
        grown.setdefault(chance.choice(places), chance.choice((0, 1, 7)))
    # An empty bucket may be left out.
    return {place: count for place, count in grown.items() if count or chance.random() < 0.6}


def _shaken(buckets: Buckets, chance: random.Random, places: Sequence[int]) -> dict[int, float]:
    shaken: dict[int, float] = {place: chance.randrange(9) for place in buckets if chance.random() < 0.8}
    shaken[chance.choice(places)] = chance.randrange(9)
    return shaken


def _steps(chance: random.Random, count: int) -> list[Native]:
    """A counter that grows, in buckets that come and, while they are empty, go."""
    made = Native(positive={3: 1, 4: 2}, zero_count=1)
    steps = []
    for _ in range(count):
        steps.append(made)
        made = replace(
            made,
            positive=_grown(made.positive, chance, range(-3, 15)),
            negative=_grown(made.negative, chance, range(0, 6)),
            zero_count=made.zero_count + chance.choice((0, 0, 1)),
            sum=made.sum + chance.random(),
            split=chance.random() < 0.2,
        )
    return steps


def _gauges(chance: random.Random, count: int) -> list[Native]:
    made = Native(positive={3: 1, 4: 2}, hint=GAUGE)
    steps = []
    for _ in range(count):
        steps.append(made)
        made = replace(
            made,
            positive=_shaken(made.positive, chance, range(-3, 12)),
            negative=_shaken(made.negative, chance, range(0, 6)),
            zero_count=chance.randrange(3),
            sum=chance.uniform(-9, 9),
        )
    return steps


def _changed(steps: list[Native], at: int, number: int) -> list[Native]:
    """From step `at` on another of what begins a chunk, or might."""
    since = steps[at:]
    began = since[0]
    other = [
        lambda one: replace(one, positive={3: 1, **dict.fromkeys(one.positive, 1)}, negative={}, zero_count=0),
        lambda one: replace(one, hint=YES) if one is began else one,
        lambda one: replace(one, schema=2),
        lambda one: replace(one, zero_threshold=0.5),
        lambda one: replace(one, zero_threshold=2.0**-130),
        lambda one: replace(one, hint=GAUGE),
        lambda one: replace(one, hint=NO),
        lambda one: replace(one, zero_count=0, positive={**one.positive, 3: one.positive.get(3, 0) + one.zero_count}),
        lambda one: Native(is_float=one.is_float, sum=STALE) if one is began else one,
        lambda one: Native(is_float=one.is_float, sum=STALE),
        lambda one: replace(one, sum=math.nan),
        lambda one: replace(one, positive={place: count * 10**9 for place, count in one.positive.items()}),
    ][number]
    return [*steps[:at], *map(other, since)]


CHANGES = 12


def _custom(chance: random.Random, count: int, bounds: tuple[float, ...]) -> list[Native]:
    made = Native(schema=-53, zero_threshold=0, positive={0: 1}, bounds=bounds)
    steps = []
    for _ in range(count):
        steps.append(made)
        made = replace(made, positive=_grown(made.positive, chance, range(len(bounds) + 1)), sum=made.sum + 0.5)
    return steps


def _as_floats(steps: list[Native]) -> list[Native]:
    def more(buckets: Buckets) -> Buckets:
        return {place: count * 1.25 for place, count in buckets.items()}

    return [
        replace(one, is_float=True, positive=more(one.positive), negative=more(one.negative), zero_count=one.zero_count)
        for one in steps
    ]


def shapes(seed: int, count: int) -> dict[str, list[Native]]:
    """Name and steps of each, `count` of them; of `long` four times as many."""
    chance = random.Random(seed)
    made = {"grows": _steps(chance, count), "gauge": _gauges(chance, count), "long": _steps(chance, 4 * count)}
    for number in range(CHANGES):
        made[f"change {number}"] = _changed(_steps(chance, count), count // 2, number)
    made["gauge changes"] = _changed(_gauges(chance, count), count // 2, 3)
    made["gauge ends"] = [*_gauges(chance, count // 2), *_steps(chance, count - count // 2)]
    made["custom"] = _custom(chance, count, (0.005, 0.01, 2.5, 33554.43))
    made["custom odd"] = _custom(chance, count, (-1.5, 1 / 3, 40000.0, 1e300))
    made["custom changes"] = [
        *_custom(chance, count // 2, (0.1, 1.0)),
        *_custom(chance, count - count // 2, (0.1, 2.0)),
    ]
    made.update({f"{name} float": _as_floats(steps) for name, steps in made.items()})
    made["mixed kinds"] = [*_steps(chance, count // 2), *_as_floats(_steps(chance, count - count // 2))]
    return made
