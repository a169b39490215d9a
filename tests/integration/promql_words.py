"""Random PromQL over every kind of node, for probes: it names what others have, in every way that a selector can, and never a
secret word."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tree_kinds import PROMQL, aggregates, enumerators, functions, has

OPERATORS = {
    "Or": "or",
    "And": "and",
    "Unless": "unless",
    "Equal": "==",
    "NotEqual": "!=",
    "Greater": ">",
    "GreaterOrEqual": ">=",
    "Less": "<",
    "LessOrEqual": "<=",
    "Add": "+",
    "Subtract": "-",
    "Multiply": "*",
    "Divide": "/",
    "Modulo": "%",
    "Atan2": "atan2",
    "Power": "^",
    "TrimUpper": "</",
    "TrimLower": ">/",
}
EXTENSIONS = {"None": "", "Anchored": " anchored", "Smoothed": " smoothed"}
# A length that is computed, by its first operation.
LENGTHS = {
    "Literal": "10m",
    "Step": "step() * 5",
    "Range": "range() + 1m",
    "Min": "min_of(10m, 1h)",
    "Max": "max_of(10m, step())",
    "Add": "5m + 5m",
    "Subtract": "1h - 50m",
    "Multiply": "2 * 5m",
    "Divide": "1h / 6",
    "Modulo": "70m % 30m",
    "Power": "25 ^ 2",
    "Negate": "-(-10m)",
    "Paren": "(10m)",
}
_SETS = ("Or", "And", "Unless")
MATCHERS = {"Equal": "=", "NotEqual": "!=", "Regex": "=~", "NotRegex": "!~"}
NAMES = (
    "shared",
    "shared_total",
    "shared_old_total",
    "shared_seconds_bucket",
    "shared_native",
    "shared_traced_total",
    "guess_a_total",
    "guess_b_total",
    "guess_c_total",
    "ALERTS",
    "ALERTS_FOR_STATE",
    "target_info",
    "up",
    "vigia_hot_heartbeat",
    "vigia_cold_hole",
)
# Of a label: what it is compared with. Regexes have to match the whole value.
VALUES = {
    "customer_id": ("cliente-a", "cliente-b", "cliente-c", "", "_provider", "CLIENTE-B", "cliente-b "),
    "job": ("shop", "", "x"),
    "node_id": ("", "x"),
    "__name__": ("shared", "guess_b_total", "shared_old_total", ""),
    "le": ("+Inf", "0.1", ""),
    "alertname": ("", "x"),
    "__rollup__": ("1h:sum", ""),
}
REGEXES = (
    ".*",
    ".+",
    "cliente-.*",
    "cliente-b|cliente-c",
    "(?i)CLIENTE-B",
    "[^x]*",
    "shared.*|guess.*",
    "(?s:.*)",
    "|.+",
)
_AGGREGATES_WITH = {
    "bottomk": "S",
    "topk": "S",
    "quantile": "S",
    "limitk": "S",
    "limit_ratio": "S",
    "count_values": "T",
}


class PromqlWords:
    """`made` says which kinds it has written so far (tree_kinds.promql_kinds)."""

    def __init__(self, chance: random.Random, old_s: int, now_s: int) -> None:
        self._chance = chance
        self._times = (str(old_s + 1800), str(now_s), f"{now_s}.5", "0")
        self._functions = functions()
        self._aggregates = aggregates()
        tree = PROMQL / "ast.hpp"
        self._operators = enumerators(tree, "BinaryOperator")
        self._extensions = enumerators(tree, "Extension") if has(tree, "enum class Extension ") else ["None"]
        self._lengths = enumerators(tree, "Op") if has(tree, "struct LengthExpr ") else []
        self.made: set[str] = set()

    def _note(self, *kinds: str) -> None:
        self.made.update(kinds)

    def _pick(self, choices: tuple[str, ...] | list[str]) -> str:
        return self._chance.choice(choices)

    def each(self) -> Iterator[str]:
        """One expression for each function, aggregate, operator and matcher, and one of each node."""
        for name in self._functions:
            yield self.call(name, 1)
        for name in self._aggregates:
            yield self.aggregation(name, 1)
        for name in self._operators:
            yield self.binary(name, 1)
        for name in self._extensions:
            yield f"rate({self.selector('None', '10m', name)})"
        for name in self._lengths:
            yield f"rate({self.selector('None', self.length(name))})"
            yield f"last_over_time({self.selector('None', '1h')} offset ({self.length(name)}))"
        for name in MATCHERS:
            yield "{" + self.matcher(name) + ',__name__=~".+"}'
        for grouping in ("None", "By", "Without"):
            yield self.aggregation("sum", 1, grouping)
        for at in ("None", "Timestamp", "Start", "End"):
            yield self.selector(at)
        for which in ("All", "On", "Ignoring"):
            for group in ("None", "Left", "Right"):
                yield self.binary("Add", 1, which, group)
        yield from (self.subquery(1), self.unary(1), self.paren(1), self.string(), self.number(), "1h30m")

    def any(self, depth: int = 3) -> str:
        kind = self._pick(["V"] * 8 + ["S", "M"])
        return self.of_type(kind, depth)

    def of_type(self, kind: str, depth: int) -> str:
        if kind == "T":
            return self.string()
        if kind == "M":
            if depth > 0 and self._chance.random() < 0.3:
                return self.subquery(depth - 1)
            return self.selector(length=self.length())
        if kind == "S":
            return (
                self.number()
                if depth <= 0 or self._chance.random() < 0.6
                else f"scalar({self.of_type('V', depth - 1)})"
            )
        if depth <= 0:
            return self.selector()
        choice = self._chance.random()
        if choice < 0.3:
            return self.call(self._pick(list(self._functions)), depth - 1)
        if choice < 0.55:
            return self.aggregation(self._pick(self._aggregates), depth - 1)
        if choice < 0.8:
            return self.binary(self._pick(self._operators), depth - 1)
        if choice < 0.87:
            return self.unary(depth - 1)
        return self.paren(depth - 1) if choice < 0.92 else self.selector()

    def matcher(self, kind: str = "") -> str:
        kind = kind or self._pick(list(MATCHERS))
        self._note(f"matcher {kind}")
        label = self._pick(["customer_id"] * 4 + list(VALUES))
        value = self._pick(REGEXES) if "Regex" in kind else self._pick(VALUES[label])
        quoted = self._pick((f'"{value}"', f"'{value}'", f"`{value}`"))
        shown = self._pick((label, label, f'"{label}"'))
        return f"{shown}{MATCHERS[kind]}{quoted}"

    def length(self, name: str = "") -> str:
        if not name and (not self._lengths or self._chance.random() < 0.8):
            return self._pick(["5m", "1h", "90s", "1d"])
        name = name or self._pick(self._lengths)
        self._note(f"Op {name}")
        return LENGTHS[name]

    def selector(self, at: str = "", length: str = "", extension: str = "None") -> str:
        self._note("node Selector")
        matchers = [self.matcher() for _ in range(self._chance.randrange(3))]
        form = self._chance.randrange(3)
        if form == 0:
            text = self._pick(NAMES) + ("{" + ",".join(matchers) + "}" if matchers else "")
        elif form == 1:
            text = "{" + ",".join([f'"{self._pick(NAMES)}"', *matchers]) + "}"
        else:
            text = "{" + ",".join(['__name__=~".+"', *matchers]) + "}"
        self._note(f"Extension {extension}")
        return text + (f"[{length}]{EXTENSIONS[extension]}" if length else "") + self._shift(at)

    def _shift(self, at: str = "") -> str:
        at = at or self._pick(["None"] * 5 + ["Timestamp", "Start", "End"])
        self._note(f"At {at}")
        moment = {"None": "", "Timestamp": f" @ {self._pick(self._times)}", "Start": " @ start()", "End": " @ end()"}[
            at
        ]
        offset = self._pick(["", "", "", " offset 5m", " offset -5m", " offset 10d", " offset 1w3d"])
        return self._pick((offset + moment, moment + offset))

    def number(self) -> str:
        self._note("node NumberLiteral")
        return self._pick(("1", "0", "-1", "0.5", "1e3", "Inf", "NaN", "0x1f", "5m"))

    def string(self) -> str:
        self._note("node StringLiteral")
        return self._pick(('"customer_id"', "'node_id'", "`job`", '"x"', '"$1"', '"(.*)"', '"cliente-b"', '"__name__"'))

    def subquery(self, depth: int) -> str:
        self._note("node Subquery")
        span = self._pick(("10m:1m", "1h:5m", "10m:", "1d:1h"))
        return f"({self.of_type('V', depth)})[{span}]{self._shift()}"

    def call(self, name: str, depth: int) -> str:
        self._note("node Call", f"function {name}")
        types, variadic = self._functions[name]
        if variadic == 1 and self._chance.random() < 0.3:
            types = types[:-1]
        if name == "label_replace":
            made = self._pick(('"customer_id", "$1"', '"x", "cliente-b"', '"node_id", "$1"'))
            source = self._pick(('"node_id"', '"job"', '"customer_id"'))
            return f'label_replace({self.of_type("V", depth)}, {made}, {source}, "(.*)")'
        if name == "label_join":
            return f'label_join({self.of_type("V", depth)}, "customer_id", "-", "node_id", "job")'
        return f"{name}({', '.join(self.of_type(one, depth) for one in types)})"

    def aggregation(self, name: str, depth: int, grouping: str = "") -> str:
        grouping = grouping or self._pick(("None", "By", "Without"))
        self._note("node Aggregation", f"aggregate {name}", f"Grouping {grouping}")
        with_type = _AGGREGATES_WITH.get(name)
        first = '"v", ' if with_type == "T" else "2, " if with_type == "S" else ""
        labels = self._pick(("customer_id", "node_id, job", "__name__", "customer_id, node_id, job, alertname", ""))
        words = "" if grouping == "None" else f"{grouping.lower()} ({labels}) "
        return f"{name} {words}({first}{self.of_type('V', depth)})"

    def binary(self, name: str, depth: int, which: str = "", group: str = "") -> str:
        which = which or self._pick(("All", "On", "Ignoring"))
        may_group = name not in _SETS and which != "All"
        group = group if group and may_group else self._pick(("None", "None", "Left", "Right")) if may_group else "None"
        self._note("node Binary", f"BinaryOperator {name}", f"WhichLabels {which}", f"Group {group}")
        labels = self._pick(("customer_id", "job", "node_id, job", ""))
        words = "" if which == "All" else f" {which.lower()} ({labels})"
        words += "" if group == "None" else f" group_{group.lower()} ({self._pick(('node_id', ''))})"
        is_compared = name in ("Equal", "NotEqual", "Greater", "GreaterOrEqual", "Less", "LessOrEqual")
        if name not in _SETS and len(self._extensions) > 1 and self._chance.random() < 0.2:  # of the same Prometheus
            words += self._pick((" fill (0)", " fill_left (1)", " fill_right (NaN)"))
        bool_ = " bool" if is_compared and self._chance.random() < 0.3 else ""
        return f"{self.of_type('V', depth)} {OPERATORS[name]}{bool_}{words} {self.of_type('V', depth)}"

    def unary(self, depth: int) -> str:
        self._note("node Unary")
        return f"{self._pick(('-', '+'))}{self.of_type('V', depth)}"

    def paren(self, depth: int) -> str:
        self._note("node Paren")
        return f"({self.of_type('V', depth)})"
