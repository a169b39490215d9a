"""Many hosts out of one recorded one: each begins at another scrape of it, so that no two are alike at the same time."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import cramjam
from recording import Recording, Series
from remote_write import sized, varint

SAMPLES_A_REQUEST = 2000  # as Prometheus sends them
CUSTOMERS = 4


def decimals(values: list[float]) -> int:
    """How many digits behind the point they were written with."""
    texts = (f"{value:.17g}" if value == int(value) else repr(value) for value in values)
    return max((len(text.partition(".")[2]) for text in texts if "." in text and "e" not in text), default=0)


class Wheel:
    """A series' values, which go on from its end with its beginning; a counter goes on counting."""

    def __init__(self, series: Series) -> None:
        self.values = series.values
        rises = all(before <= after for before, after in zip(self.values, self.values[1:], strict=False))
        is_counter = rises and self.values[-1] > self.values[0]
        self._turn = self.values[-1] - self.values[0] if is_counter else 0.0
        self._digits = decimals(self.values)

    def at(self, step: int) -> float:
        turns, place = divmod(step, len(self.values))
        value = self.values[place]
        # a sum has digits that no host has written: they would not pack
        return round(value + turns * self._turn, self._digits) if turns and self._turn else value


@dataclass(frozen=True)
class Body:
    """A remote write 1.0 request, packed, and how many samples it holds."""

    content: bytes
    samples: int


class Hosts:
    """`count` hosts of four customers; their scrapes are spread over the step, as Prometheus spreads them.

    Each goes `turns` times through the recording."""

    def __init__(self, recording: Recording, count: int, end_ms: int, turns: int = 1) -> None:
        self.recording = recording
        self.count = count
        self.steps = recording.steps * turns
        self.begin_ms = end_ms - self.steps * recording.step_ms
        self.end_ms = end_ms
        self._wheels = [Wheel(series) for series in recording.series]
        self._labels = [[self._labels_of(series, host) for series in recording.series] for host in range(count)]

    @property
    def series(self) -> int:
        return self.count * len(self.recording.series)

    @property
    def samples(self) -> int:
        return self.series * self.steps

    @staticmethod
    def customer(host: int) -> str:
        return f"customer-{host % CUSTOMERS}"

    def _labels_of(self, series: Series, host: int) -> bytes:
        labels = {**series.labels, "instance": f"host-{host}", "customer_id": self.customer(host)}
        return b"".join(sized(1, sized(1, name.encode()) + sized(2, labels[name].encode())) for name in sorted(labels))

    def bodies(self, host: int) -> Iterator[Body]:
        """In the order of time, each scrape in as many requests as it needs."""
        first_step = host * 37 % self.steps
        offset_ms = host * 7919 % self.recording.step_ms
        for step in range(self.steps):
            at = b"\x10" + varint(self.begin_ms + offset_ms + step * self.recording.step_ms)
            written = [
                sized(1, labels + sized(2, b"\x09" + struct.pack("<d", wheel.at(first_step + step)) + at))
                for labels, wheel in zip(self._labels[host], self._wheels, strict=True)
            ]
            for begin in range(0, len(written), SAMPLES_A_REQUEST):
                part = written[begin : begin + SAMPLES_A_REQUEST]
                yield Body(bytes(cramjam.snappy.compress_raw(b"".join(part))), len(part))
