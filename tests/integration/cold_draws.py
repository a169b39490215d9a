"""What a walk of chance draws: of whom, which series, when, and which value."""

from __future__ import annotations

import random

from cold_model import Labels, Request, Value
from cold_site import CUSTOMERS, ColdSite
from cold_values import NAN, STALE, bits_of

SERVICES = ("shop", "bank", "mail")
DAYS_AGO = 14
ODD_VALUES = (
    NAN,
    STALE,
    bits_of(float("inf")),
    bits_of(float("-inf")),
    bits_of(-0.0),
    bits_of(0.0),
    0x7FF8_0000_DEAD_BEEF,
    1,
)


class Draws:
    """All of it from `chance`, which the walk sets for each step."""

    def __init__(self, site: ColdSite) -> None:
        self.site = site
        self.chance = random.Random()
        self.done: list[str] = []
        self._numbers: dict[tuple[str, str], int] = {}

    def note(self, what: str) -> None:
        """Said beside the step where it is told."""
        self.done[-1] += f", {what}"

    def customer(self) -> str:
        return self.chance.choice(CUSTOMERS)

    def labels(self, customer: str, metric: str = "") -> Labels:
        metric = metric or self.chance.choice(["m0", "m0", "m1"])
        labels = {"__name__": metric, "customer_id": customer, "n": str(self.chance.randrange(6))}
        if int(labels["n"]) % 2:
            labels["zone"] = self.chance.choice(["east", "west"])
        return tuple(sorted(labels.items()))

    def time_in(self, days_ago: int) -> int:
        first, last = self.site.day_ms(days_ago)
        return self.chance.randrange(first, last)

    def days_ago(self) -> int:
        return self.chance.choice([1, 1, 1, 2, 2, 3, 5, 8, 11, DAYS_AGO])

    def value(self) -> int:
        if self.chance.random() < 0.15:
            return self.chance.choice(ODD_VALUES)
        return bits_of(
            self.chance.choice([self.chance.random(), float(self.chance.randrange(1000)), self.chance.random() * 1e200])
        )

    def in_order_samples(self) -> list[tuple[int, Value]]:
        """Up to a few hours: chunks close by their number and by their windows."""
        first, last = self.site.day_ms(self.days_ago())
        step = self.chance.choice([1_000, 15_000, 15_000, 60_000])
        start = self.chance.randrange(first, last)
        count = min(self.chance.choice([1, 5, 60, 300, 700]), (last - start) // step + 1)
        return [(start + number * step, self.value()) for number in range(count)]

    def known(self, customer: str, count: int) -> list[tuple[Labels, int]]:
        own = self.site.model.of(customer).series
        places = [(labels, at) for labels, series in own.items() if len(series.cells) > 1 for at in series.cells]
        places = [place for place in places if dict(place[0])["__name__"].startswith("m")]
        return [self.chance.choice(places) for _ in range(count if places else 0)]

    def request(self, customer: str) -> Request:
        """In order, late, known ones anew: as it comes."""
        form = self.chance.choice(["in order", "late", "known"])
        if form == "in order":
            return [(self.labels(customer), self.in_order_samples()) for _ in range(self.chance.choice([1, 4]))]
        if form == "late":
            times = [self.time_in(self.days_ago()) for _ in range(self.chance.choice([3, 40, 200]))]
            return [(self.labels(customer), [(at, self.value()) for at in times])]
        return [(labels, [(at, self.value())]) for labels, at in self.known(customer, 20)] or self.burst(customer)

    def burst(self, customer: str) -> Request:
        """More late ones than are kept open: a row of their own, of a higher version."""
        first, last = self.site.day_ms(self.chance.choice([1, 2]))
        times = [self.chance.randrange(first, last) for _ in range(600)]
        return [(self.labels(customer), [(last, self.value()), *((at, self.value()) for at in times)])]

    def next_number(self, customer: str, kind: str) -> int:
        """Of lines and spans: none is another's equal by chance."""
        self._numbers[customer, kind] = number = self._numbers.get((customer, kind), 0) + 1
        return number
