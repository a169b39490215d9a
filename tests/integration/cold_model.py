"""What a cold store must answer, said as plainly as it can be: dictionaries, and nothing of how it is done.

Of what was never answered (the program was killed meanwhile) each sample, record and span may be there or not. What is seen of it once,
is so from then on: `Cell.settle`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

DAY_MS = 86_400_000
NOTED_AHEAD_MS = 3_600_000  # in a day's last hour series are noted for the next one
STORED_MS = 2 * DAY_MS  # what has expired no longer than this is stored, and not read
Labels = tuple[tuple[str, str], ...]
Value = int | tuple[object, ...]  # the bits of a float, or a histogram
Matchers = Sequence[tuple[str, str, str]]  # name, one of = != =~ !~, text
Request = Sequence[tuple[Labels, Sequence[tuple[int, Value]]]]


@dataclass
class Cell:
    """What may stand at one place. Sure: something does."""

    values: list[Value]
    is_sure: bool

    def settle(self, found: Value) -> None:
        assert found in self.values, f"{found!r} is none of {self.values!r}"
        self.values, self.is_sure = [found], True


@dataclass
class Series:
    cells: dict[int, Cell] = field(default_factory=dict)
    first_ms: int = 1 << 62
    last_ms: int = 0  # of all that was ever sent: how far a look-up by days may see it

    def note(self, time_ms: int) -> None:
        self.first_ms, self.last_ms = min(self.first_ms, time_ms), max(self.last_ms, time_ms)

    def days(self) -> tuple[float, float]:
        return self.first_ms / DAY_MS, self.last_ms / DAY_MS

    def may_be_found(self, from_ms: int, to_ms: int) -> bool:
        last = (self.last_ms + NOTED_AHEAD_MS) // DAY_MS
        return self.first_ms // DAY_MS <= to_ms // DAY_MS and last >= from_ms // DAY_MS

    def must_be_found(self, from_ms: int, to_ms: int) -> bool:
        return any(from_ms <= at <= to_ms and cell.is_sure for at, cell in self.cells.items())


@dataclass(frozen=True)
class LogLine:
    time_ns: int
    service: str
    node: str
    text: str
    copy: int = 0  # which of equal ones in its request


@dataclass(frozen=True)
class Span:
    trace: int
    span: int
    service: str
    name: str
    start_ns: int


@dataclass(frozen=True)
class Exemplar:
    series: Labels
    time_ms: int
    value: str
    trace: str


@dataclass
class Customer:
    series: dict[Labels, Series] = field(default_factory=dict)
    lines: dict[LogLine, tuple[int, int]] = field(default_factory=dict)  # arrival, place in its request
    unsure_lines: set[LogLine] = field(default_factory=set)
    spans: dict[Span, bool] = field(default_factory=dict)  # whether it is sure
    exemplars: dict[Exemplar, bool] = field(default_factory=dict)


def matches(labels: Mapping[str, str], matchers: Matchers) -> bool:
    def one(name: str, operator: str, text: str) -> bool:
        value = labels.get(name, "")
        is_so = value == text if operator in ("=", "!=") else re.fullmatch(text, value) is not None
        return is_so != operator.startswith("!")

    return all(one(*matcher) for matcher in matchers)


class Model:
    def __init__(self) -> None:
        self.customers: dict[str, Customer] = {}
        self.kept_ms = {"raw": 0, "traces": 0, "logs": 0}  # nothing before is read
        self._arrivals = 0

    def of(self, customer: str) -> Customer:
        return self.customers.setdefault(customer, Customer())

    def take(self, requests: Sequence[tuple[str, Request, bool]]) -> None:
        """Requests (customer, series, whether it was answered) that were under way at once; of one sample in several any may be first."""
        before: dict[int, bool] = {}
        for customer, request, is_answered in requests:
            seen: set[tuple[Labels, int]] = set()
            for labels, samples in request:
                for time_ms, value in samples:
                    if time_ms < self.kept_ms["raw"] - STORED_MS or (labels, time_ms) in seen:
                        continue  # in one request the first one stays
                    seen.add((labels, time_ms))
                    series = self.of(customer).series.setdefault(labels, Series())
                    series.note(time_ms)
                    cell = series.cells.setdefault(time_ms, Cell([], False))
                    if before.setdefault(id(cell), cell.is_sure):
                        continue
                    cell.values += [] if value in cell.values else [value]
                    cell.is_sure = cell.is_sure or is_answered

    def take_lines(self, customer: str, lines: Sequence[LogLine], is_answered: bool) -> None:
        own, self._arrivals = self.of(customer), self._arrivals + 1
        for place, line in enumerate(lines):
            if line.time_ns < self.kept_ms["logs"] * 1_000_000:
                continue
            if line not in own.lines or line in own.unsure_lines:
                own.lines[line] = (self._arrivals, place)
                (own.unsure_lines.discard if is_answered else own.unsure_lines.add)(line)

    def take_spans(self, customer: str, spans: Iterable[Span], is_answered: bool) -> None:
        own = self.of(customer)
        for span in spans:
            if span.start_ns >= self.kept_ms["traces"] * 1_000_000:
                own.spans[span] = own.spans.get(span, False) or is_answered

    def take_exemplars(self, customer: str, exemplars: Iterable[Exemplar], is_answered: bool) -> None:
        own = self.of(customer)
        for exemplar in exemplars:
            if exemplar.time_ms >= self.kept_ms["raw"]:
                own.exemplars[exemplar] = own.exemplars.get(exemplar, False) or is_answered

    # What is answered

    def check_samples(
        self,
        customer: str,
        found: Mapping[Labels, Mapping[int, Value]],
        asked: tuple[Matchers, int, int] = ((), 0, 1 << 62),
        *,
        is_settled: bool = False,
        is_by_chunk: bool = False,
    ) -> None:
        """Of that range, of the series that match. Settled: what is not there now, never came. By chunk: those at the range's edges
        are given whole."""
        matchers, from_ms, to_ms = asked
        from_ms = max(from_ms, self.kept_ms["raw"])
        first_ms, last_ms = (self.kept_ms["raw"], 1 << 62) if is_by_chunk else (from_ms, to_ms)
        own = self.customers.get(customer, Customer()).series
        strange = set(found) - {labels for labels in own if matches(dict(labels), matchers)}
        assert not strange, f"{customer}: nobody wrote {sorted(strange)[:3]}, or did not ask for it"
        for labels, series in own.items():
            if not matches(dict(labels), matchers):
                continue
            there = found.get(labels, {})
            wrong = [at for at in there if at not in series.cells or not first_ms <= at <= last_ms]
            assert not wrong, f"{customer} {dict(labels)}: {len(wrong)} times are there that should not, as {wrong[:5]}"
            inside = [at for at in series.cells if from_ms <= at <= to_ms]
            lost = [at for at in inside if series.cells[at].is_sure and at not in there]
            assert not lost, (
                f"{customer} {dict(labels)}: {len(lost)} of {len(inside)} samples are lost, as {sorted(lost)[:5]}"
            )
            for at, value in there.items():
                try:
                    series.cells[at].settle(value)
                except AssertionError as error:
                    raise AssertionError(f"{customer} {dict(labels)} at {at}: {error}") from error
            for at in inside if is_settled else []:
                if at not in there:
                    del series.cells[at]

    def check_series(
        self, customer: str, found: Iterable[Labels], asked: tuple[Matchers, int, int] = ((), 0, 1 << 62)
    ) -> None:
        """Days are looked up, so a series of the same days may be there too."""
        got, own = list(found), self.customers.get(customer, Customer())
        assert len(got) == len(set(got)), f"{customer}: a series came twice"
        must, may = self.series_between(customer, asked)
        assert must <= set(got), f"{customer}: series are missing, as {sorted(must - set(got))[:3]}"
        strange = [(labels, own.series.get(labels, Series()).days()) for labels in sorted(set(got) - may)[:3]]
        assert not strange, f"{customer}: series that should not be there from {asked[1]} to {asked[2]}, as {strange}"

    def series_between(self, customer: str, asked: tuple[Matchers, int, int]) -> tuple[set[Labels], set[Labels]]:
        """Those that must be found, and those that may."""
        matchers, from_ms, to_ms = asked
        kept = max(from_ms, self.kept_ms["raw"])
        own = self.customers.get(customer, Customer()).series.items()
        fitting = [(labels, series) for labels, series in own if matches(dict(labels), matchers)]
        must = {labels for labels, series in fitting if series.must_be_found(kept, to_ms)}
        return must, {labels for labels, series in fitting if series.may_be_found(from_ms, to_ms)}

    def values_between(self, customer: str, from_ms: int, to_ms: int) -> set[Labels]:
        """Label values, each alone, that may be found where no matcher is given: a value is noted from its first day to its last, of
        whichever series these are, and between them no series needs to have samples."""
        ranges: dict[tuple[str, str], Series] = {}
        for labels, series in self.customers.get(customer, Customer()).series.items():
            for label in labels:
                of = ranges.setdefault(label, Series())
                of.first_ms, of.last_ms = min(of.first_ms, series.first_ms), max(of.last_ms, series.last_ms)
        return {(label,) for label, of in ranges.items() if of.may_be_found(from_ms, to_ms)}

    def lines_of(
        self, customer: str, wanted: Callable[[LogLine], bool], from_ns: int = 0, to_ns: int = 1 << 63
    ) -> list[tuple[LogLine, bool]]:
        """In their order, and whether each is sure."""
        own = self.customers.get(customer, Customer())
        from_ns = max(from_ns, self.kept_ms["logs"] * 1_000_000)
        inside = [line for line in own.lines if from_ns <= line.time_ns <= to_ns and wanted(line)]
        inside.sort(key=lambda line: (line.time_ns, own.lines[line]))
        return [(line, line not in own.unsure_lines) for line in inside]

    def settle_lines(self, customer: str, found: set[LogLine]) -> None:
        own = self.of(customer)
        for line in own.unsure_lines - found:
            del own.lines[line]
        own.unsure_lines.clear()

    def spans_of(self, customer: str, wanted: Callable[[Span], bool] = lambda _: True) -> list[Span]:
        """Those that are kept."""
        kept_ns = self.kept_ms["traces"] * 1_000_000
        own = self.customers.get(customer, Customer()).spans
        return [span for span in own if span.start_ns >= kept_ns and wanted(span)]

    def settle_spans(self, customer: str, found: set[Span]) -> None:
        """After a look for those that are not sure."""
        own = self.of(customer).spans
        for span in [span for span, is_sure in own.items() if not is_sure]:
            if span in found:
                own[span] = True
            else:
                del own[span]

    def check_exemplars(self, customer: str, found: set[Exemplar], *, is_settled: bool = False) -> None:
        own = self.of(customer).exemplars
        kept = {one: is_sure for one, is_sure in own.items() if one.time_ms >= self.kept_ms["raw"]}
        assert found <= set(kept), f"{customer}: exemplars nobody wrote, as {list(found - set(kept))[:3]}"
        lost = {one for one, is_sure in kept.items() if is_sure} - found
        assert not lost, f"{customer}: exemplars are lost, as {list(lost)[:3]}"
        for one in list(kept) if is_settled else []:
            if one in found:
                own[one] = True
            else:
                del own[one]
