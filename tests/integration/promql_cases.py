"""PromQL that a server is compared by, and the data that it is asked of: literals, selectors, each aggregation with each grouping, each
operator between vectors and scalars, each function over each range, labels, dates, subqueries, and what must be refused.

The groups are those of prometheus/compliance's PromQL tester, whose module is in no registry; the queries and the data are our own.
"""

from __future__ import annotations

import itertools
import math
import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from histogram_shapes import NO, Native
from remote_write import sized

STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]
Samples = list[tuple[int, float]]

QUANTILES = ("-0.5", "0.1", "0.5", "0.75", "0.95", "0.9", "0.99", "1", "1.5")
SIMPLE = ("sum", "avg", "max", "min", "count", "stddev", "stdvar", "group")
ARITHMETIC = ("+", "-", "*", "/", "%", "^", "atan2")
COMPARISONS = ("==", "!=", "<", ">", "<=", ">=")
OVER_TIME = ("sum", "avg", "max", "min", "count", "stddev", "stdvar", "absent", "last", "present")
MATHS = (
    *(
        "absent",
        "ceil",
        "floor",
        "sgn",
        "sqrt",
        "exp",
        "ln",
        "log2",
        "log10",
        "round",
        "abs",
        "rad",
        "deg",
        "timestamp",
    ),
    *("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "scalar"),
)
DATES = ("day_of_month", "day_of_week", "day_of_year", "days_in_month", "hour", "minute", "month", "year")
GAUGE = "node_bytes"
COUNTER = "work_seconds_total"
CPUS = "node_cpus"
NATIVE = "request_size_bytes"
# Queries that are answered otherwise, and why; the same everywhere.
DIFFERENT = {
    'label_replace(node_cpus, "job", "x-$1", "instance", "(.*")': "a regex that cannot be read is refused before a store is asked, "
    "as any other text that is wrong (400, `bad_data`); Prometheus finds it while it evaluates (422, `execution`)",
}
# With a hot 2.42 beside a prometheus-query 3.x.
DIFFERENT_AT_OLD_HOT = {
    f"holt_winters({GAUGE}[1m], 0.5, 0.5)": "with hot 2.42 alone: prometheus-query, which would have to answer it where hot does not "
    "reach, has no `holt_winters` (decision 34)",
}


def different_at(place: str) -> dict[str, str]:
    return {**DIFFERENT, **DIFFERENT_AT_OLD_HOT} if place == "hot 2.42" else DIFFERENT


@dataclass(frozen=True)
class Times:
    """Seconds where nothing else is said."""

    length: int  # of what is asked
    step: int
    spacing: int  # of samples
    before: int  # how long ago its data begins, from the end of what is asked
    histograms_before: int  # theirs: 2.42 takes none that is an hour older than others
    ranges: tuple[str, ...]
    offsets: tuple[str, ...]
    window: str  # of a rate
    subquery: str


# Over samples; and over whole hours, which roll-ups may stand for.
NEAR = Times(600, 10, 15, 9000, 3000, ("1s", "15s", "1m", "5m", "15m", "1h"), ("1m", "5m", "10m"), "1m", "2m:10s")
WHOLE_HOURS = Times(
    86_400, 3600, 60, 3 * 86_400, 3 * 86_400, ("1h", "2h", "6h", "1d"), ("1h", "2h", "1d"), "1h", "4h:1h"
)


@dataclass(frozen=True)
class Case:
    query: str
    fails: bool = False  # refused, or not to be evaluated


def cases(times: Times = NEAR) -> list[Case]:
    """Each once."""
    made = [*(Case(query) for query in _good(times)), *(Case(query, True) for query in _bad())]
    return list({case.query: case for case in made}.values())


def _good(times: Times) -> Iterator[str]:
    yield from ("42", "1.234", ".123", "1.23e-3", "0x3d", "Inf", "+Inf", "-Inf", "NaN", "time()", "pi()", '"text"')
    yield from _selectors(times)
    yield from _aggregations()
    yield from _operators()
    yield from _functions(times)
    yield from _changes(times)
    yield from _histograms(times)
    yield from _labels()


def _selectors(times: Times) -> Iterator[str]:
    yield from (GAUGE, f'{{__name__="{GAUGE}"}}', f'{GAUGE}{{kind="free"}}', f'{GAUGE}{{kind!="free"}}', "no_such_name")
    yield from (f'{GAUGE}{{instance=~"host-.*"}}', f'{GAUGE}{{instance=~"host"}}', f'{GAUGE}{{instance!~".*:1"}}')
    yield from (
        f'{GAUGE}{{kind="free", instance!="host-0:1"}}',
        '{kind="free", instance!="host-0:1"}',
        "comes_and_goes",
    )
    for offset in times.offsets:
        yield from (f"{GAUGE} offset {offset}", f"{GAUGE} offset -{offset}")
    yield from (f"{GAUGE} @ start()", f"{GAUGE} @ end()", f"sum_over_time({GAUGE}[{times.window}] @ end())")


def _aggregations() -> Iterator[str]:
    groupings = ["", "by ()", "by (instance)", "by (instance, kind)", "by (nothing)"]
    groupings += ("without ()", "without (instance)", "without (instance, kind)", "without (nothing)")
    for op, grouping in itertools.product(SIMPLE, groupings):
        yield f"{op} {grouping} ({GAUGE})"
    for op in SIMPLE:
        yield f"{op}(no_such_name)"
    for op, grouping in itertools.product(
        ("topk", "bottomk"), ("", "by (instance)", "without (instance)", "without ()")
    ):
        yield f"{op} {grouping} (2, {GAUGE})"
    for quantile in QUANTILES:
        yield f"quantile({quantile}, {GAUGE})"
    yield from (f"avg(max by (kind) ({GAUGE}))", f'count_values("value", {CPUS})')
    yield 'count_values("value", request_seconds_bucket)'


def _operators() -> Iterator[str]:
    yield from (
        "1 * 2 + 4 / 6 - 10 % 2 ^ 2",
        "-1 ^ 2",
        f"-{GAUGE}",
        f"{GAUGE} + -(1)",
        f"timestamp(-{GAUGE})",
        f"timestamp({GAUGE} * 1)",
    )
    for op in (*ARITHMETIC, *COMPARISONS):
        yield from (f"{GAUGE} {op} 1.2345", f"0.12345 {op} {GAUGE}", f"time() {op} {GAUGE}", f"{GAUGE} {op} time()")
        yield from (f"(1 * 2 + 4 / 6 - (10 % 7) ^ 2) {op} {GAUGE}", f"{GAUGE} {op} (1 * 2 + 4 / 6 - 10)")
        yield f"{GAUGE} {op} on (instance, job, kind) {GAUGE}"
        yield f"sum by (instance, kind) ({GAUGE}) {op} on (instance, kind) group_left (job) {GAUGE}"
    for op in ARITHMETIC:
        yield from (f"1 {op} time()", f"time() {op} 1", f"time() {op} time()")
    for op in COMPARISONS:
        yield from (f"{CPUS} + (1 {op} bool 2)", f"{GAUGE} {op} bool 1.2345", f"1.2345 {op} bool {GAUGE}")
        yield from (f"time() {op} bool 1", f"1 {op} bool time()", f"time() {op} bool time()")
        yield f"{GAUGE} {op} bool on (instance, job, kind) {GAUGE}"
    for op in ("and", "or", "unless"):
        yield from (
            f'{GAUGE} {op} {GAUGE}{{kind="free"}}',
            f"{GAUGE} {op} on (instance) {CPUS}",
            f"{CPUS} {op} ignoring (kind) {GAUGE}",
        )
    yield f"{GAUGE} / on (instance, job, kind, __name__) {GAUGE}"
    for words in ("", "group_left", "group_left (job)"):
        yield f"sum without (job) ({GAUGE}) / on (instance, kind) {words} {GAUGE}"
    yield from (
        f"{GAUGE} / on (instance, job) group_left {CPUS}",
        f"{GAUGE} / on (instance, kind, job, nothing) {GAUGE}",
    )
    yield from (f"{CPUS} * Inf", f"{CPUS} * -Inf", f"{CPUS} * NaN")


def _functions(times: Times) -> Iterator[str]:
    for op, length in itertools.product(OVER_TIME, times.ranges):
        yield f"{op}_over_time({GAUGE}[{length}])"
    for quantile, length in itertools.product(QUANTILES, times.ranges):
        yield f"quantile_over_time({quantile}, {GAUGE}[{length}])"
    for name in MATHS:
        yield from (f"{name}({GAUGE})", f"{name}(-{GAUGE})")
    yield from (f"timestamp(timestamp({CPUS}))", "vector(1.23)", "vector(time())", "absent(no_such_name)")
    for low, high in (("0", "1"), ("0", "1e12"), ("1e12", "0"), ("1e12", "1e12")):
        yield f"clamp({GAUGE}, {low}, {high})"
    yield from (f"clamp_min({GAUGE}, 2)", f"clamp_max({GAUGE}, 2)", f"round({GAUGE}, 5)")
    yield from (f"sort({GAUGE})", f"sort_desc({GAUGE})")
    for name in DATES:
        yield f"{name}()"
        yield from (f"{name}(last_success_seconds offset {offset})" for offset in times.offsets)


def _changes(times: Times) -> Iterator[str]:
    for name in ("rate", "increase", "delta", "irate", "idelta", "resets", "changes", "deriv"):
        yield f"{name}(no_such_name[{times.window}])"
        for length in times.ranges:
            yield from (f"{name}({COUNTER}[{length}])", f"sum by (instance) ({name}({COUNTER}[{length}]))")
    yield f"holt_winters({GAUGE}[{times.window}], 0.5, 0.5)"
    for length in times.ranges:
        yield from (f"deriv(disk_bytes[{length}])", f"predict_linear(disk_bytes[{length}], 600)")
        yield from (f"changes(last_success_seconds[{length}])", f"irate(disk_bytes[{length}])")
        yield from (f"count_over_time(comes_and_goes[{length}])", f"last_over_time(comes_and_goes[{length}])")
    offset, span = times.offsets[1], times.subquery
    yield f"max_over_time((time() - max(last_success_seconds) < 1000)[{span}] offset {offset})"
    yield f"avg_over_time(rate({COUNTER}[{times.window}])[{span}])"


def _histograms(times: Times) -> Iterator[str]:
    window = times.window
    for quantile in QUANTILES:
        yield f"histogram_quantile({quantile}, rate(request_seconds_bucket[{window}]))"
        yield f"histogram_quantile({quantile}, sum by (le) (rate(request_seconds_bucket[{window}])))"
        yield f"histogram_quantile({quantile}, rate({NATIVE}[{window}]))"
    yield from ("histogram_quantile(0.9, no_such_name)", f"histogram_quantile(0.9, {GAUGE})")
    yield 'histogram_quantile(0.9, {__name__=~"request_seconds_.+"})'
    for name in ("count", "sum", "avg", "stddev", "stdvar"):
        yield from (f"histogram_{name}({NATIVE})", f"histogram_{name}(rate({NATIVE}[{window}]))")
    yield from (f"histogram_fraction(0, 2, {NATIVE})", f"histogram_fraction(-Inf, 1, rate({NATIVE}[{window}]))")
    yield from (NATIVE, f"sum({NATIVE})", f"sum by (instance) (rate({NATIVE}[{window}]))", f"avg({NATIVE})")
    yield from (
        f"{NATIVE} * 2",
        f"{NATIVE} / 2",
        f"{NATIVE} + {NATIVE}",
        f"{NATIVE} - {NATIVE} offset {times.offsets[0]}",
    )
    for op in ("count", "last", "present", "sum", "avg"):
        yield f"{op}_over_time({NATIVE}[{window}])"
    yield from (f"increase({NATIVE}[{window}])", f"resets({NATIVE}[{window}])", f"changes({NATIVE}[{window}])")
    yield from (f"{NATIVE} > 1", f"max({NATIVE})", f"{GAUGE} + on (instance) group_left () {NATIVE}")


def _labels() -> Iterator[str]:
    for target, value, source, regex in (
        ("job", "made-$1", "instance", "host-(.*)"),
        ("job", "made-$1", "instance", "ost-(.*)"),
        ("job", "$1-$2", "instance", "host(.*):(.*)"),
        ("job", "value-$1", "nothing", "source-(.*)"),
        ("job", "value-$1", "nothing", "(.*)"),
        ("job", "value-$1", "instance", "another"),
        ("job", "", "nothing", ".*"),
    ):
        yield f'label_replace({CPUS}, "{target}", "{value}", "{source}", "{regex}")'
    yield f'label_join({CPUS}, "new", "-", "instance", "job")'
    yield f'label_join({CPUS}, "job", "-", "instance", "job")'
    yield f'label_join({CPUS}, "job", "-", "instance")'


def _bad() -> Iterator[str]:
    yield '{__name__=~".*"}'
    yield f'label_replace({CPUS}, "job", "x-$1", "instance", "(.*")'
    yield f'label_replace({CPUS}, "\\xff", "", "instance", "(.*)")'
    yield f'label_replace({CPUS}, "instance", "", "", "")'
    yield f'label_join({CPUS}, "\\xff", "-", "instance")'
    yield f"{GAUGE} / on (instance) {GAUGE}"
    yield f"rate({GAUGE})"


def histograms(times: Times, end_s: int) -> list[tuple[dict[str, str], bytes]]:
    """Of each node one series of native histograms that grow; as series_bytes takes them."""
    made = []
    for node in range(3):
        chance, counts, text = random.Random(node), dict.fromkeys(range(-2, 6), 0.0), b""
        for at in range(end_s - times.histograms_before, end_s + 1, times.spacing):
            for place in counts:
                counts[place] += chance.randrange(4)
            total = sum(value * 2.0**place for place, value in counts.items())
            text += sized(4, Native(positive=dict(counts), sum=total, hint=NO).message(at * 1000))
        made.append(({"__name__": NATIVE, "job": "node", "instance": f"host-{node}:{node}"}, text))
    return made


def data(times: Times, end_s: int) -> list[tuple[dict[str, str], Samples]]:
    """Three nodes: the same for the same times."""
    chance = random.Random(7)
    start_s = end_s - times.before
    grid = range(start_s, end_s + 1, times.spacing)
    series: list[tuple[dict[str, str], Samples]] = []

    def add(name: str, values: Iterator[float], **labels: str) -> None:
        samples = [(at * 1000, value) for at, value in zip(grid, values, strict=False) if value != -1e300]
        series.append(({"__name__": name, "job": "node", **labels}, samples))

    for node in range(3):
        place = {"instance": f"host-{node}:{node}"}
        for number, kind in enumerate(("free", "used", "cached")):
            add(GAUGE, _wave(chance, 1e9 * (number + 1)), kind=kind, **place)
        for mode in ("idle", "user"):
            add(COUNTER, _counter(chance, 0.02), mode=mode, **place)
        add(CPUS, itertools.repeat(4.0 + node), **place)
        add("disk_bytes", _slope(chance, 1e6), **place)
        add("last_success_seconds", _batch(start_s, times.spacing, 300 + 60 * node), **place)
        add("comes_and_goes", _holes(chance), **place)
        totals = [_counter(chance, 0.001, whole=True) for _ in range(4)]
        for number, le in enumerate(("0.01", "0.1", "1", "+Inf")):
            copies = [itertools.tee(totals[i]) for i in range(4)]
            totals = [copy[0] for copy in copies]
            add(
                "request_seconds_bucket",
                map(sum, zip(*(copy[1] for copy in copies[: number + 1]), strict=True)),
                le=le,
                **place,
            )
        add("request_seconds_sum", _counter(chance, 0.001), **place)
    return series


def _wave(chance: random.Random, middle: float) -> Iterator[float]:
    for number in itertools.count():
        yield middle * (1 + 0.3 * math.sin(number / 20) + chance.uniform(-0.05, 0.05))


def _counter(chance: random.Random, reset: float, *, whole: bool = False) -> Iterator[float]:
    value = chance.uniform(0, 100)
    while True:
        value = 0.0 if chance.random() < reset else value + (chance.randrange(10) if whole else chance.uniform(0, 15))
        yield float(int(value)) if whole else value


def _slope(chance: random.Random, by: float) -> Iterator[float]:
    value = 1e10
    while True:
        value += chance.uniform(0.5, 1.5) * by
        yield value


def _batch(start_s: int, spacing_s: int, every_s: int) -> Iterator[float]:
    for number in itertools.count():
        yield float(start_s + number * spacing_s // every_s * every_s)


def _holes(chance: random.Random) -> Iterator[float]:
    """Now and then it ends, with a mark, and comes back later; -1e300 is no sample."""
    while True:
        yield from (chance.uniform(0, 10) for _ in range(chance.randrange(3, 12)))
        yield STALE
        yield from itertools.repeat(-1e300, chance.randrange(2, 8))
