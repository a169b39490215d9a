"""Random LogQL over every kind of node, stage and condition, for probes: as promql_words.py."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from promql_words import MATCHERS, OPERATORS, REGEXES
from tree_kinds import LOGQL, enumerators

LINE_TESTS = {
    "Contains": "|=",
    "Lacks": "!=",
    "Matches": "|~",
    "DoesNotMatch": "!~",
    "HasPattern": "|>",
    "LacksPattern": "!>",
}
COMPARISONS = {
    "Equal": "==",
    "NotEqual": "!=",
    "Greater": ">",
    "GreaterOrEqual": ">=",
    "Less": "<",
    "LessOrEqual": "<=",
}
CONVERSIONS = {
    "None": "{}",
    "Duration": "duration({})",
    "DurationSeconds": "duration_seconds({})",
    "Bytes": "bytes({})",
}
STAGES = (
    "LineFilter",
    "JsonStage",
    "LogfmtStage",
    "RegexpStage",
    "PatternStage",
    "UnpackStage",
    "DecolorizeStage",
    "LineFormatStage",
    "LabelFormatStage",
    "DropStage",
    "KeepStage",
    "LabelFilterStage",
)
CONDITIONS = (
    "Matcher",
    "NumberCondition",
    "DurationCondition",
    "BytesCondition",
    "AddressCondition",
    "ConditionPair",
)
VALUES = {
    "customer_id": ("cliente-a", "cliente-b", "cliente-c", "", "_provider", "CLIENTE-B"),
    "service_name": ("shop", "guess-a", "guess-b", "guess-c"),
    "node_id": ("n1", ""),
    "environment": ("test", ""),
    "level": ("info", "error"),
    "pod": ("", "x"),
}
# Histograms are PromQL's alone.
_OPERATORS = [name for name in OPERATORS if not name.startswith("Trim")]
_UNWRAPPED = ("Avg", "First", "Last", "Max", "Min", "Quantile", "Stddev", "Stdvar", "Sum")


def word_of(enumerator: str) -> str:
    """CountOverTime: count_over_time."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", enumerator).lower()


class LogqlWords:
    """`made` says which kinds it has written so far (tree_kinds.logql_kinds)."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._range_operators = enumerators(LOGQL / "ast.hpp", "RangeOperator")
        self._vector_operators = enumerators(LOGQL / "ast.hpp", "VectorOperator")
        self.made: set[str] = set()

    def _note(self, *kinds: str) -> None:
        self.made.update(kinds)

    def _pick(self, choices: tuple[str, ...] | list[str]) -> str:
        return self._chance.choice(choices)

    def each(self) -> Iterator[str]:
        for name in STAGES:
            yield self.stream() + self.stage(name)
        for name in LINE_TESTS:
            yield self.stream() + self.line_filter(name)
        for name in CONDITIONS:
            yield f"{self.stream()} | json | {self.condition(name)}"
        for name in COMPARISONS:
            yield f"{self.stream()} | logfmt | {self.condition('NumberCondition', name)}"
        for name in self._range_operators:
            yield self.range_aggregation(name)
        for name in CONVERSIONS:
            yield self.range_aggregation("SumOverTime", name)
        for name in self._vector_operators:
            yield self.vector_aggregation(name, 1)
        for name in _OPERATORS:
            yield self.pair(name, 1)
        for name in MATCHERS:
            yield "{" + self.matcher(name) + ',service_name=~".+"}'
        yield from (self.grouped(1), self.label_replace(1), self.constant(), "vector(1)")

    def any(self) -> str:
        return self.lines() if self._chance.random() < 0.5 else self.metric(2)

    def lines(self) -> str:
        self._note("node LogSelector")
        return self.stream() + "".join(self.stage(self._pick(STAGES)) for _ in range(self._chance.randrange(4)))

    def metric(self, depth: int) -> str:
        choice = self._chance.random()
        if depth <= 0 or choice < 0.4:
            return self.range_aggregation(self._pick(self._range_operators))
        if choice < 0.65:
            return self.vector_aggregation(self._pick(self._vector_operators), depth - 1)
        if choice < 0.8:
            return self.pair(self._pick(_OPERATORS), depth - 1)
        return self.grouped(depth - 1) if choice < 0.9 else self.label_replace(depth - 1)

    def matcher(self, kind: str = "") -> str:
        kind = kind or self._pick(list(MATCHERS))
        self._note(f"matcher {kind}")
        label = self._pick(["customer_id"] * 3 + list(VALUES))
        value = self._pick(REGEXES) if "Regex" in kind else self._pick(VALUES[label])
        quote = self._pick(('"', "`"))
        return f"{label}{MATCHERS[kind]}{quote}{value}{quote}"

    def stream(self) -> str:
        self._note("node LogSelector")
        first = self._pick(
            ('service_name=~".+"', 'environment="test"', 'service_name="shop"', 'service_name="guess-b"')
        )
        return "{" + ", ".join([first, *(self.matcher() for _ in range(self._chance.randrange(3)))]) + "}"

    def line_filter(self, kind: str) -> str:
        self._note("stage LineFilter", f"LineTest {kind}")
        if "Pattern" in kind:
            return f" {LINE_TESTS[kind]} `<_> order <_>`"
        text = self._pick(('"order"', "`x`", '"e"', '""', "`.*`", '"cliente-b"', '"o" or "e"', 'ip("10.0.0.0/8")'))
        if "atch" in kind and text.startswith("ip"):
            text = '"[0-9]+"'
        return f" {LINE_TESTS[kind]} {text}"

    def stage(self, kind: str) -> str:
        self._note(f"stage {kind}")
        if kind == "LineFilter":
            return self.line_filter(self._pick(list(LINE_TESTS)))
        if kind == "LabelFilterStage":
            return f" | {self.condition(self._pick(CONDITIONS))}"
        texts = {
            "JsonStage": ("json", 'json way="way", c="code"'),
            "LogfmtStage": ("logfmt", "logfmt --strict --keep-empty", 'logfmt way="way"'),
            "RegexpStage": ("regexp `(?P<first>\\w+) (?P<customer_id>.*)`",),
            "PatternStage": ("pattern `<first> <rest>`", "pattern `<_>way=<node_id> <_>`"),
            "UnpackStage": ("unpack",),
            "DecolorizeStage": ("decolorize",),
            "LineFormatStage": (
                "line_format `{{.customer_id}} {{.node_id}} {{__line__}}`",
                "line_format `{{ToUpper .service_name}}{{.trace_id}}`",
            ),
            "LabelFormatStage": (
                "label_format customer_id=`cliente-b`",
                "label_format x=node_id, y=`{{.customer_id}}`",
            ),
            "DropStage": ("drop customer_id", 'drop level, code="500"'),
            "KeepStage": ("keep customer_id, node_id", 'keep level="info"'),
        }
        return f" | {self._pick(texts[kind])}"

    def condition(self, kind: str, comparison: str = "") -> str:
        self._note("stage LabelFilterStage", f"condition {kind}")
        if kind == "ConditionPair":
            first, second = (self.condition(self._pick(CONDITIONS[:-1])) for _ in range(2))
            return f"({first} {self._pick(('and', 'or'))} {second})"
        if kind == "Matcher":
            label = self._pick(("customer_id", "code", "way", "level", "trace_id"))
            return f'{label}{self._pick(("=", "!=", "=~", "!~"))}"{self._pick(("cliente-b", ".*", "500", ""))}"'
        if kind == "AddressCondition":
            return f'way{self._pick(("=", "!="))}ip("10.0.0.1")'
        comparison = comparison or self._pick(list(COMPARISONS))
        self._note(f"Comparison {comparison}")
        label, value = {"NumberCondition": ("code", "404"), "DurationCondition": ("took", "6ms")}.get(
            kind, ("size", "2KB")
        )
        return f"{label} {COMPARISONS[comparison]} {value}"

    def range_aggregation(self, name: str, conversion: str = "") -> str:
        self._note("node RangeAggregation", f"RangeOperator {name}")
        is_unwrapped = name.startswith(_UNWRAPPED) or name == "RateCounter"
        text = self.lines()
        if is_unwrapped:
            conversion = conversion or self._pick(list(CONVERSIONS))
            self._note("stage UnwrapStage", f"Conversion {conversion}")
            label = {"Duration": "took", "DurationSeconds": "took", "Bytes": "size"}.get(conversion, "code")
            text += f" | logfmt | unwrap {CONVERSIONS[conversion].format(label)} | __error__=``"
        first = "0.9, " if name.startswith("Quantile") else ""
        offset = self._pick(("", "", " offset 1m", " offset -5m"))
        grouping = ""
        if is_unwrapped and not name.startswith(("Sum", "Rate")) and self._chance.random() < 0.5:
            grouping = f" by ({self._pick(('customer_id', 'node_id, level', 'trace_id'))})"
        return f"{word_of(name)}({first}{text} [{self._pick(('1h', '10m', '90s'))}]{offset}){grouping}"

    def vector_aggregation(self, name: str, depth: int) -> str:
        self._note("node VectorAggregation", f"VectorOperator {name}")
        first = "2, " if name in ("Topk", "Bottomk") else ""
        grouping = ""
        if not name.startswith("Sort"):
            labels = self._pick(("customer_id", "node_id, service_name", "level", ""))
            grouping = self._pick(("", f" by ({labels})", f" without ({labels})"))
        return f"{word_of(name)}{grouping} ({first}{self.metric(depth)})"

    def pair(self, name: str, depth: int) -> str:
        self._note("node MetricPair", f"BinaryOperator {name}")
        matching = self._pick(("", "", " on (level)", " ignoring (node_id)"))
        if matching and name not in ("Or", "And", "Unless"):
            matching += self._pick(("", " group_left ()", " group_right (node_id)"))
        return f"{self.metric(depth)} {OPERATORS[name]}{matching} {self.metric(depth)}"

    def grouped(self, depth: int) -> str:
        self._note("node GroupedExpr")
        return f"({self.metric(depth)})"

    def label_replace(self, depth: int) -> str:
        self._note("node LabelReplaceExpr")
        return f'label_replace({self.metric(depth)}, "customer_id", "$1", "node_id", "(.*)")'

    def constant(self) -> str:
        self._note("node ConstantExpr")
        return self._pick(("1", "vector(2)", "0.5"))
