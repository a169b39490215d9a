"""filter and transform beside OpenTelemetry's own OTTL: the same texts over the same requests, and each kind of difference by name.

docs/ottl.md says why each kind is. What differs and is of none fails.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import random
import re
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError
from launcher.compliance import ottl_runner
from launcher.paths import STATE
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from ottl_requests import ATTRIBUTES, BODIES, REQUESTS
from stack import binaries

CONTEXTS = ("log", "span", "spanevent", "metric", "datapoint", "resource", "scope")
FIELDS = {
    "log": [
        "log.body", "log.body.string", 'log.body["k"]', 'log.body["list"][1]', "log.severity_number", "log.severity_text", "log.flags",
        "log.time", "log.observed_time", "log.time_unix_nano", "log.trace_id", "log.trace_id.string", "log.span_id.string",
        "log.dropped_attributes_count", "log.event_name", 'resource.attributes["service.name"]', 'resource.attributes["map"]["in"]',
        'scope.attributes["a"]', "scope.name", "log.attributes", "resource.attributes",
    ],
    "span": [
        "span.name", "span.kind", "span.kind.string", "span.status.code", "span.status.message", "span.trace_id.string", "span.span_id",
        "span.parent_span_id.string", "span.trace_state", 'span.trace_state["a"]', "span.start_time", "span.end_time",
        "span.end_time_unix_nano", "span.dropped_events_count", "span.attributes", "(span.end_time - span.start_time)", "span.flags",
        "span.kind.deprecated_string", "IsRootSpan()",
    ],
    "spanevent": [
        "spanevent.name", "spanevent.time", "spanevent.time_unix_nano", "spanevent.dropped_attributes_count", "spanevent.attributes",
        "span.name", "span.status.code", "spanevent.event_index",
    ],
    "metric": [
        "metric.name", "metric.description", "metric.unit", "metric.type", "metric.aggregation_temporality", "metric.is_monotonic",
        'resource.attributes["service.name"]', "scope.name", "metric.metadata",
    ],
    "datapoint": [
        "datapoint.value_int", "datapoint.value_double", "datapoint.count", "datapoint.sum", "datapoint.flags", "datapoint.time",
        "datapoint.start_time_unix_nano", "datapoint.attributes", "metric.name", "metric.type", "datapoint.bucket_counts",
        "datapoint.explicit_bounds", "datapoint.scale", "datapoint.zero_count", "datapoint.positive.offset",
        "datapoint.positive.bucket_counts", "datapoint.negative.bucket_counts", "datapoint.bucket_counts[1]",
    ],
    "resource": [
        "resource.dropped_attributes_count", "resource.attributes", 'resource.attributes["service.name"]',
    ],
    "scope": [
        "scope.name", "scope.version", "scope.attributes", "scope.dropped_attributes_count", 'resource.attributes["service.name"]',
    ],
}  # fmt: skip
KEYS = [*ATTRIBUTES, "none", 'map"]["in', 'map"]["more"]["k', 'a"]["b']
LITERALS = [
    '"b"', '"7"', "7", "1.5", "-1", ".5", "0", "true", "false", "nil", "0x01", '[1, "a"]', '["a", 2]', '{"in": "deep"}', "[]", "{}",
    '"ERROR"', "1e3", '"\\\\d"', '""', '"secret"', "[nil]", '{"a": {"b": [1.5, true]}}', "2.0", '"añ"', "9223372036854775807",
]  # fmt: skip
ENUMS = [
    "SEVERITY_NUMBER_ERROR", "SEVERITY_NUMBER_WARN2", "SPAN_KIND_SERVER", "STATUS_CODE_ERROR", "METRIC_DATA_TYPE_SUM",
    "AGGREGATION_TEMPORALITY_DELTA", "METRIC_DATA_TYPE_HISTOGRAM", "FLAG_NONE",
]  # fmt: skip
# What a converter is called with: v any value, s one that is a text as a rule, and what is written there.
CONVERTERS = [
    'Concat([v, v], "-")', 'Concat([s, "x", v], "")', 'Split(s, "/")', 'Split(s, "")', 'Split(s, "a")[0]', "Substring(s, 0, 1)", "Substring(s, 1, 3)",
    "Int(v)", "Double(v)", "String(v)", "Bool(v)", "ToLowerCase(s)", "ToUpperCase(s)", "Trim(s)", 'Trim(s, "se")', 'TrimPrefix(s, "pass")',
    'TrimSuffix(s, "d")', "Len(v)", "SHA256(s)", "SHA1(s)", "SHA512(s)", "MD5(s)", "FNV(s)", 'ConvertCase(s, "upper")', 'ConvertCase(s, "lower")',
    'ConvertCase(s, "snake")', 'ConvertCase(s, "camel")', "Hex(v)", 'ExtractPatterns(s, "(?P<w>[a-z]+)=(?P<v>\\\\w*)")', "ParseJSON(s)",
    'ParseJSON(s)["user"]["id"]', 'ParseKeyValue(s)', 'ParseKeyValue(s, "=", " ")', 'Format("%s-%d", [v, v])', 'Format("%v|%5.2f|%x", [v, v, v])',
    "Base64Decode(s)", 'Decode(s, "base64")', "Keys(v)", "Values(v)", "UnixNano(v)", "Hours(v)", "Seconds(v)", "Milliseconds(v)", "Nanoseconds(v)",
    'Duration("1h30m")', "Duration(s)", "Coalesce([v, v])", "ToSnakeCase(s)", "ToCamelCase(s)", "IsEmpty(v)", 'Index(v, v)',
    "ToKeyValueString(v)", "Sort(v)", 'Sort(v, "desc")', 'ParseInt(s, 10)', "Base64Encode(s)", "Murmur3Hash(s)", "XXH3(s)",
    'TraceID("30313233343536373839616263646566")', "(v + v)", "(v - v)", "(v * v)", "(v / v)", "-v", 'Time("2026-12-01", "%Y-%m-%d")',
    'UnixSeconds(Time("2026-12-01 03:04:05", "%Y-%m-%d %H:%M:%S"))', 'FormatTime(v, "%Y-%m-%dT%H:%M:%SZ")',
]  # fmt: skip
QUESTIONS = [
    "IsString(v)", "IsInt(v)", "IsDouble(v)", "IsBool(v)", "IsMap(v)", "IsList(v)", 'IsMatch(v, "^.$")', 'IsMatch(s, "[a-z]+=")', "HasPrefix(s, s)",
    "HasSuffix(s, s)", "ContainsValue(v, v)", 'HasPrefix(s, "pass")', "IsEmpty(v)",
]  # fmt: skip
REGEXES = [r"\\d+", r"[a-z]+", r"(\\w+)=(\\w+)", r"^.", r"(?P<x>a)", r"(?i)TOKEN|n", r"/(\\d)(\\d)"]
REPLACEMENTS = ["x", "", "$1", "${1}-$2", "$$1", "$x", "[$0]", "***", "$", "$10"]
GLOBS = ["*", "b", "/account/*", "?", "{a,b}", "[a-c]*", "pass*=secret*"]
EDITORS = [
    "set(t, v)", "set(t, v)", "set(k, v)", "set(k, v)", "set(k, s)", "delete_key(m, q)", 'delete_matching_keys(m, "r")', 'keep_matching_keys(m, "r")',
    'keep_keys(m, [q, q, "a"])', 'replace_pattern(t, "r", "p")', 'replace_pattern(k, "r", "p")', 'replace_pattern(k, "r", s)',
    'replace_match(t, "g", "p")', 'replace_match(k, "g", s)', 'replace_all_patterns(m, "value", "r", "p")',
    'replace_all_patterns(m, "key", "r", "p")', 'replace_all_matches(m, "g", s)', "truncate_all(m, 3)", "truncate_all(m, 0)", "limit(m, 3, [q])",
    "limit(m, 100, [])", 'merge_maps(m, k, "upsert")', 'merge_maps(m, {"new": 1, "a": "z"}, "insert")', 'merge_maps(m, k, "update")',
    'merge_maps(m, ParseJSON(s), "upsert")', "append(k, v)", "append(k, values=[v, v])",
    'replace_pattern(k, "r", "p", SHA256)', 'replace_pattern(k, "r", "p", SHA256, "h=%s")', 'replace_match(k, "g", "p", SHA256)',
    'replace_all_patterns(m, "value", "r", "p", SHA256, "%s")', 'replace_all_matches(m, "g", "p", MD5)', "flatten(m)", 'flatten(m, "p")',
    'flatten(m, depth=1)', 'set(k, v) where c', 'set(t, v) where c', 'delete_index(k, 0)', 'delete_index(k, 0, 1)',
]  # fmt: skip


class Maker:
    """Random texts of one context."""

    def __init__(self, chance: random.Random, context: str) -> None:
        self.chance = chance
        self.context = context

    def key(self) -> str:
        name = self.context if self.context != "metric" else "resource"
        return f'{name}.attributes["{self.chance.choice(KEYS)}"]'

    def value(self, depth: int = 0) -> str:
        of = self.chance.random()
        if depth < 3 and of < 0.25:
            return self.filled(self.chance.choice(CONVERTERS), depth + 1)
        if of < 0.5:
            return self.key()
        if of < 0.72:
            return self.chance.choice(FIELDS[self.context])
        return self.chance.choice(ENUMS if of > 0.97 else LITERALS)

    def text(self, depth: int = 0) -> str:
        if self.chance.random() < 0.3:
            return self.value(depth)
        name = self.context if self.context != "metric" else "resource"
        texts = [f'{name}.attributes["{key}"]' for key in ("a", "json", "kv", "path", "utf8", "empty", "Token")]
        return self.chance.choice([*texts, '"some_TextHere now"', '"a=b"', *FIELDS[self.context][:2]])

    def condition(self, depth: int = 0) -> str:
        of = self.chance.random()
        if depth > 2 or of < 0.5:
            return f"{self.value()} {self.chance.choice(['==', '!=', '<', '<=', '>', '>='])} {self.value()}"
        if of < 0.75:
            return self.filled(self.chance.choice(QUESTIONS), 1)
        if of < 0.83:
            return f"not ({self.condition(depth + 1)})"
        if of < 0.9:
            return f"({self.condition(depth + 1)})"
        return f"{self.condition(depth + 1)} {self.chance.choice(['and', 'or'])} {self.condition(depth + 1)}"

    def filled(self, pattern: str, depth: int) -> str:
        makers: dict[str, Callable[[], str]] = {
            "v": lambda: self.value(depth),
            "s": lambda: self.text(depth),
            "t": lambda: self.chance.choice(FIELDS[self.context]),
            "k": self.key,
            "m": lambda: (self.context if self.context != "metric" else "resource") + ".attributes",
            "q": lambda: f'"{self.chance.choice([*ATTRIBUTES, "none", "new"])}"',
            "r": lambda: self.chance.choice(REGEXES),
            "p": lambda: self.chance.choice(REPLACEMENTS),
            "g": lambda: self.chance.choice(GLOBS),
            "c": self.condition,
        }
        return re.sub(r"(?<![\w%\\.])([vstkmqrpgc])(?![\w:'=])", lambda found: makers[found[1]](), pattern)

    def broken(self, text: str) -> str:
        at = self.chance.randrange(len(text))
        return text[:at] + self.chance.choice(["", " ", "(", ")", '"', "=", "x", "[", "7", ","]) + text[at + 1 :]


@dataclass
class Case:
    context: str
    kind: str  # condition, statement
    text: str

    def line(self) -> str:
        return "\t".join((self.context, self.kind, json.dumps(self.text), BODIES[self.context]))


def make(count: int, seed: int) -> list[Case]:
    chance = random.Random(seed)
    cases = []
    for number in range(count):
        context = CONTEXTS[number % len(CONTEXTS)]
        maker = Maker(chance, context)
        kind = "condition" if chance.random() < 0.4 else "statement"
        text = maker.condition() if kind == "condition" else maker.filled(chance.choice(EDITORS), 0)
        cases.append(Case(context, kind, maker.broken(text) if number % 20 == 0 else text))
    return cases


def _plain(value: AnyValue) -> Any:
    which = value.WhichOneof("value")
    if which == "kvlist_value":
        return {"map": _map(value.kvlist_value.values)}
    if which == "array_value":
        return [_plain(each) for each in value.array_value.values]
    if which is None:
        return None
    plain = getattr(value, which)
    if which == "double_value":
        return {"double": "nan" if math.isnan(plain) else plain}
    return {"bytes": plain.hex()} if which == "bytes_value" else plain


def _map(entries: Any) -> dict[str, Any]:
    return {entry.key: _plain(entry.value) for entry in entries}


def plain(message: Any) -> Any:
    """Alike where two messages mean the same: attributes have no order."""
    name = type(message).__name__
    if name == "AnyValue":
        return _plain(message)
    made: dict[str, Any] = {}
    for field, value in message.ListFields():
        if field.name in ("attributes", "metadata"):
            made[field.name] = _map(value)
        elif field.type == field.TYPE_MESSAGE:
            repeated = hasattr(value, "__len__")
            told = [plain(each) for each in value] if repeated else plain(value)
            if told or repeated or name in ("Metric",):
                made[field.name] = told
        elif hasattr(value, "__len__") and not isinstance(value, str | bytes):
            made[field.name] = list(value)
        else:
            made[field.name] = value.hex() if isinstance(value, bytes) else value
    return made


NO_UTF8 = "a text that is no UTF-8"


@dataclass
class Outcome:
    status: str  # error, ran, refused, panic
    faults: int
    left: str  # the request as text, for comparison; or why not

    @classmethod
    def of(cls, context: str, line: str) -> Outcome:
        status, _, rest = line.partition("\t")
        if status != "ran":
            return cls(status, 0, rest)
        faults, _, body = rest.partition("\t")
        try:
            message = type(REQUESTS[context]).FromString(base64.b64decode(body))
        except DecodeError:
            return cls(status, int(faults), NO_UTF8)
        return cls(status, int(faults), json.dumps(plain(message), sort_keys=True))

    def key(self) -> str:
        """What is kept of upstream's in the golden sample."""
        if self.status != "ran":
            return self.status
        return f"ran {self.faults} {hashlib.sha256(self.left.encode()).hexdigest()[:16]}"


def run(program: Path, cases: list[Case]) -> list[Outcome]:
    lines = "".join(case.line() + "\n" for case in cases)
    done = subprocess.run([str(program)], input=lines.encode(), check=True, capture_output=True, timeout=600)
    told = done.stdout.decode("utf-8", "replace").split("\n")[:-1]
    assert len(told) == len(cases), done.stderr[-500:]
    return [Outcome.of(case.context, line) for case, line in zip(cases, told, strict=True)]


def run_ours(cases: list[Case]) -> list[Outcome]:
    return run(binaries() / "vigia-ottl-processed", cases)


def run_theirs(cases: list[Case]) -> list[Outcome]:
    return run(ottl_runner(), cases)


# Each kind of difference: what it is called in docs/ottl.md, and whether a case is of it.
NOT_TAKEN = re.compile(r"is not taken|no field of a|has no keys|a converter's name alone")
KNOWN_BEFORE = re.compile(
    r"cannot be set|in which nothing is replaced|, and this is |and no list|no duration|holds |a bracket in this|the replacement_format|is no int|is no number"
)
AN_ID = re.compile(r"(trace|span)_id(?!\.)|TraceID|SpanID")


def _errors(_case: Case, ours: Outcome, theirs: Outcome) -> str | None:
    if ours.status == "error" and theirs.status == "ran":
        if NOT_TAKEN.search(ours.left):
            return "not taken"
        return "told when the file is read" if KNOWN_BEFORE.search(ours.left) else None
    if theirs.status == "panic":
        return "breaks there"
    if theirs.status == "error" and ours.status == "ran" and "unsupported type" in theirs.left:
        return "told for each item"
    return None


def _faults(case: Case, ours: Outcome, theirs: Outcome) -> str | None:
    if theirs.faults > ours.faults:
        if case.text.startswith("append("):
            return "maps, bytes and ids in lists"
        return "ids as values" if case.text.startswith("set(") and AN_ID.search(case.text) else None
    if " or " in case.text or " and " in case.text:
        return "what is written is evaluated first"
    return "what an item may become" if re.search(r"SHA256|replace_", case.text) else None


def _left(case: Case, ours: Outcome, theirs: Outcome) -> str | None:
    if NO_UTF8 in (ours.left, theirs.left):
        return "half characters"
    target = re.match(r"set\(([\w.]+(?:\[[^\]]*\])*)\[.*, \1\)", case.text)
    if target:
        return "a map that is set below itself"
    if '"?"' in case.text and case.text.startswith("replace_"):
        return "? for nothing"
    if case.text.startswith("set(") and ours.faults > 0 and "null" in theirs.left:
        return "what a fault leaves"
    return "ids as values" if AN_ID.search(case.text) else None


def explain(case: Case, ours: Outcome, theirs: Outcome) -> str | None:
    """The kind of a difference; nothing where it has none."""
    if ours.status != "ran" or theirs.status != "ran":
        return _errors(case, ours, theirs)
    if "bucket_counts" in case.text:
        return "buckets as a list"
    return _faults(case, ours, theirs) if ours.faults != theirs.faults else _left(case, ours, theirs)


def is_same(ours: Outcome, theirs: Outcome) -> bool:
    return ours.key() == theirs.key()


def compare(count: int, seed: int) -> Counter[str]:
    """How many cases there are of each kind; fails on a difference without one."""
    cases = make(count, seed)
    counts: Counter[str] = Counter()
    wrong = []
    for case, ours, theirs in zip(cases, run_ours(cases), run_theirs(cases), strict=True):
        if is_same(ours, theirs):
            counts[f"the same: {ours.status}" + (" with faults" if ours.faults else "")] += 1
            continue
        kind = explain(case, ours, theirs)
        if kind is None:
            wrong.append(
                f"{case.context} {case.kind} {case.text}\n"
                f"   here  {ours.status} {ours.faults} {ours.left[:2000]}\n"
                f"   there {theirs.status} {theirs.faults} {theirs.left[:2000]}"
            )
        counts[kind or "without a kind"] += 1
    if wrong:
        kept = STATE / "compliance" / "ottl.txt"
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text("\n".join(wrong))
        raise AssertionError(
            f"{len(wrong)} of {count} differ without a reason, all in {kept}:\n" + "\n".join(wrong[:5])
        )
    return counts


def write_golden(path: Path, count: int, seed: int) -> None:
    """Cases in which both agree, with what upstream makes of each, for runs without Go."""
    cases = make(count, seed)
    lines = [
        "\t".join((case.context, case.kind, json.dumps(case.text), theirs.key()))
        for case, ours, theirs in zip(cases, run_ours(cases), run_theirs(cases), strict=True)
        if is_same(ours, theirs)
    ]
    path.write_text("\n".join(lines) + "\n")


def read_golden(path: Path) -> tuple[list[Case], list[str]]:
    rows = [line.split("\t") for line in path.read_text().splitlines()]
    return [Case(row[0], row[1], json.loads(row[2])) for row in rows], [row[3] for row in rows]
