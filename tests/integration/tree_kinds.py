"""What the trees of both query languages consist of, read from the headers that define them: a generator that says what it has
made is held to it, so that a new node, operator or function is never left out of what is tried."""

from __future__ import annotations

import re
from pathlib import Path

from launcher.paths import ROOT

PROMQL = ROOT / "libs" / "promql"
LOGQL = ROOT / "libs" / "logql"
_LETTERS = {"kV": "V", "kM": "M", "kS": "S", "kT": "T"}


def alternatives(header: Path, before: str) -> set[str]:
    """The types of the std::variant that stands behind `before`, at its first place."""
    text = header.read_text()
    begin = text.index("std::variant<", text.index(before)) + len("std::variant<")
    return set(re.findall(r"\w+", text[begin : text.index(">", begin)]))


def enumerators(header: Path, name: str) -> list[str]:
    """Without their k, in order."""
    found = re.search(rf"enum class {name}\b[^{{]*{{([^}}]*)}}", header.read_text())
    assert found, f"{header} has no enum {name}"
    return [word.removeprefix("k") for word in re.findall(r"\bk\w+", found[1])]


def has(header: Path, words: str) -> bool:
    """Whether the tree has that kind at all."""
    return words in header.read_text()


def functions() -> dict[str, tuple[str, int]]:
    """Of PromQL: name to the types of its arguments (V, M, S, T) and `variadic`, as functions.cpp has them."""
    text = (PROMQL / "functions.cpp").read_text()
    found: dict[str, tuple[str, int]] = {}
    for table, types, variadic in (("kOfVector", "V", 0), ("kOfRange", "M", 0), ("kOfDate", "V", 1)):
        for words in re.findall(rf"{table}\w*\s*=\s*std::to_array<std::string_view>\(\s*{{([^}}]*)}}", text):
            found |= dict.fromkeys(re.findall(r'"(\w+)"', words), (types, variadic))
    shapes = {name: re.findall(r"k\w", types) for name, types in re.findall(r"ValueType, \d> (k\w+){([^}]*)}", text)}
    for name, shape, variadic in re.findall(r'Function{"(\w+)",\s*k\w,\s*(k\w+|{})(?:,\s*(-?\d+))?}', text):
        types = "" if shape == "{}" else "".join(_LETTERS[one] for one in shapes[shape])
        found[name] = (types, int(variadic or 0))
    assert len(found) > 60, f"{PROMQL}/functions.cpp is written in another way: {sorted(found)}"
    return found


def aggregates() -> list[str]:
    """Their words, in the order of AggregateOperator."""
    text = (PROMQL / "functions.cpp").read_text()
    found = re.search(r"kAggregates{([^}]*)}", text)
    assert found
    words = re.findall(r'"(\w+)"', found[1])
    assert len(words) == len(enumerators(PROMQL / "functions.hpp", "AggregateOperator"))
    return words


def promql_kinds() -> set[str]:
    tree = PROMQL / "ast.hpp"
    kinds = {f"node {name}" for name in alternatives(tree, "struct Expr {")}
    for name in ("BinaryOperator", "At", "Grouping", "WhichLabels", "Group"):
        kinds |= {f"{name} {one}" for one in enumerators(tree, name)}
    for name in ("Extension", "Op"):  # of range selectors, and of lengths that are computed
        kinds |= {f"{name} {one}" for one in enumerators(tree, name)} if has(tree, f"enum class {name} ") else set()
    kinds |= {f"matcher {one}" for one in enumerators(ROOT / "libs" / "model" / "matcher.hpp", "MatchType")}
    return kinds | {f"function {name}" for name in functions()} | {f"aggregate {name}" for name in aggregates()}


def logql_kinds() -> set[str]:
    tree = LOGQL / "ast.hpp"
    kinds = {f"node {name}" for name in alternatives(tree, "struct LogExpr {")}
    kinds |= {f"stage {name}" for name in alternatives(tree, "using Stage")}
    kinds |= {f"condition {name}" for name in alternatives(tree, "struct LabelCondition {")}
    for name in ("LineTest", "Comparison", "Conversion", "RangeOperator", "VectorOperator"):
        kinds |= {f"{name} {one}" for one in enumerators(tree, name)}
    return kinds | {f"matcher {one}" for one in enumerators(ROOT / "libs" / "model" / "matcher.hpp", "MatchType")}
