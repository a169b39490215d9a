"""This translation of OTLP metrics beside Prometheus' own: the same requests through both, and each kind of difference by name.

A kind is a change that makes the two samples alike, where what is asked for it of the request is so; docs/translation.md says why it
is. What is not alike after all of them fails.
"""

from __future__ import annotations

import base64
import math
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from launcher.compliance import otlp_translator
from launcher.paths import STATE
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from stack import binaries

LABEL = re.compile(r'"((?:[^"\\]|\\.)*)"="((?:[^"\\]|\\.)*)",')
INFINITY = "7ff0000000000000"
PER_LAST = re.compile(r"_per_[a-z]+(?=(_total|_ratio)?(_bucket|_sum|_count)?$)")
PER = re.compile(r"_per(_[a-z]+)(?=(_total|_ratio|_bucket|_sum|_count|$))")
BOUNDS = {"histogram": "le", "summary": "quantile"}
PARTS = ("_bucket", "_sum", "_count")


@dataclass
class Sample:
    labels: dict[str, str]
    value: str  # with its time
    exemplars: list[str]

    @classmethod
    def of(cls, text: str) -> Sample:
        labels = {}
        at = 0
        while match := LABEL.match(text, at):
            labels[match[1]] = match[2]
            at = match.end()
        value, *exemplars = text[at:].split(" # ")
        return cls(labels, value, exemplars)

    def key(self) -> tuple[Any, ...]:
        return (sorted(self.labels.items()), self.value, self.exemplars)


@dataclass
class Case:
    """A request that the two have translated otherwise."""

    body: bytes
    ours: list[Sample]
    theirs: list[Sample]
    refused: str  # here
    error: str  # there
    kinds: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.resource = ExportMetricsServiceRequest.FromString(self.body).resource_metrics[0]
        self.scope = self.resource.scope_metrics[0]
        self.metric = self.scope.metrics[0]
        self.kind = self.metric.WhichOneof("data")
        self.point = getattr(self.metric, self.kind).data_points[0]

    @property
    def is_stale(self) -> bool:
        return bool(self.point.flags & 1)

    def note(self, kind: str, is_so: bool = True) -> bool:
        if is_so:
            self.kinds.add(kind)
        return is_so


def _totals(point: Any) -> int:
    return int(point.zero_count + sum(point.positive.bucket_counts) + sum(point.negative.bucket_counts))


def _is_invalid(case: Case) -> bool:
    if case.kind == "summary":
        return any(not 0 <= one.quantile <= 1 for one in case.point.quantile_values)
    return case.kind == "exponential_histogram" and int(case.point.count) != _totals(case.point)


def _without_letters(case: Case) -> bool:
    return not re.search(r"[A-Za-z0-9:]", case.metric.name)


def refusals(case: Case) -> bool:
    """Whether one of the two took nothing of the points, for a reason that is known."""
    rest = [one for one in case.theirs if one.labels.get("__name__") != "target_info"]
    if case.refused == "reserved":
        return case.note("refused here: a name that is the provider's")
    if case.refused == "invalid" and _is_invalid(case):
        return case.note("refused here: a quantile or a count that cannot be")
    if case.refused and case.error and not rest:
        return case.note("refused by both, which there makes a target_info")
    if "empty name" in case.error or "invalid name" in case.error:
        return case.note("refused there: a name without an ASCII letter", _without_letters(case))
    if "Scale must be" in case.error and case.is_stale:
        return case.note("refused there: the end of a histogram of a scale below -4")
    return False


def resource_kinds(case: Case) -> None:
    texts = {one.key: one.value.string_value for one in case.resource.resource.attributes}
    for one in case.theirs:
        if one.labels.get("job", "").startswith("/") and texts.get("service.namespace") == "":
            one.labels["job"] = one.labels["job"][1:]
            case.note("an empty namespace, which there stands before the job")
    if not [one for one in case.ours if one.labels.get("__name__") == "target_info"]:
        told = set(texts) - {"customer.id", "service.name", "service.namespace", "service.instance.id"}
        if not told:
            case.theirs = [one for one in case.theirs if one.labels.get("__name__") != "target_info"]
            case.note("a target_info of the customer alone")


def _split(text: str) -> str:
    parts = [part for part in dict.fromkeys(text.split(";")) if part]
    return ";".join(parts)


SCOPE_KEYS = "keys of scope attributes that become one label, of which there one is kept"
WRITTEN = (
    ("an exponent of one digit", r"e([-+])0(\d)", r"e\1\2"),
    ("empty bytes in a list, which there are null", r'\\"\\"', "null"),
)
UNSUPPORTED = "NaN or infinity in a list, which there makes no value"


def _without_unsupported(text: str) -> str:
    """Without the values that JSON of Go's cannot write."""
    is_one = re.compile(r'^[\[{].*\\"-?(NaN|Infinity)\\"')
    return ";".join(part for part in text.split(";") if not is_one.match(part))


def label_kinds(case: Case) -> None:
    for one in case.ours:
        if not case.scope.scope.name:
            dropped = [name for name in one.labels if name.startswith("otel_scope_")]
            for name in dropped:
                del one.labels[name]
            case.note("a scope without a name, of which there nothing is kept", bool(dropped))
        if "key_name_" in one.labels:
            del one.labels["key_name_"]
            case.note("an attribute __name__, which there is dropped")
    for one in case.theirs:
        for name in ("severity",):
            if name in one.labels:
                one.labels[f"key_{name}"] = one.labels.pop(name)
                case.note("a label of alerts, which here is the sender's no more")
    for one in case.ours + case.theirs:
        for name, value in one.labels.items():
            if ";" in value:
                one.labels[name] = _split(value)
                case.note(
                    "keys that become one label, of which one is empty or both are the same", one.labels[name] != value
                )
    for ours, theirs in _pairs(case):
        for name in ours.labels.keys() - theirs.labels.keys():
            keys = [re.sub("[^A-Za-z0-9]+", "_", f"otel_scope_{one.key}") for one in case.scope.scope.attributes]
            if case.note(UNSUPPORTED, not _without_unsupported(ours.labels[name])) or case.note(
                SCOPE_KEYS, keys.count(name) > 1
            ):
                del ours.labels[name]
        for name in ours.labels.keys() & theirs.labels.keys():
            if ours.labels[name] != theirs.labels[name] and _alike(case, name, ours.labels[name], theirs.labels[name]):
                ours.labels[name] = theirs.labels[name]


def _alike(case: Case, name: str, here: str, there: str) -> bool:
    """Whether two values of a label are the same but for how they are written."""
    for kind, pattern, instead in WRITTEN:
        changed = re.sub(pattern, instead, here), re.sub(pattern, instead, there)
        case.note(kind, changed[0] == changed[1])
        here, there = changed
        if here == there:
            return True
    if _without_unsupported(here) == there:
        return case.note(UNSUPPORTED)
    return name.startswith("otel_scope_") and case.note(SCOPE_KEYS, there in here.split(";"))


def _family(name: str) -> tuple[str, str]:
    for part in PARTS:
        if name.endswith(part):
            return name[: -len(part)], part
    return name, ""


def name_kinds(case: Case) -> None:
    per = case.metric.unit.partition("/")[2]
    for ours, theirs in _pairs(case):
        here, there = ours.labels["__name__"], theirs.labels["__name__"]
        if here == there:
            continue
        if _without_letters(case) and here == f"_{there}":
            case.note("a name without an ASCII letter, whose `_` is kept here")
        elif here.strip("_") == re.sub("_+", "_", there.strip("_")) and case.metric.unit.endswith("_"):
            case.note("a unit that ends in `_`")
        elif per and here in (
            re.sub("_per_[a-z]+", "", there),
            PER_LAST.sub("", there),
            PER.sub("", there),
            PER.sub(r"\1", there),
        ):
            case.note("a unit by time in a name that has the word already")
        else:
            continue
        theirs.labels["__name__"] = here


def _pairs(case: Case) -> Iterator[tuple[Sample, Sample]]:
    """Samples that stand for each other: by their part, their bound and their value."""

    def place(one: Sample) -> tuple[Any, ...]:
        name = one.labels["__name__"]
        if name == "target_info" or case.kind not in BOUNDS:
            return (name == "target_info",)
        bound = one.labels.get(BOUNDS[case.kind], "")
        is_number = bool(re.fullmatch("[0-9a-f]{16}", bound))
        return (False, is_number, bound if is_number else _family(name)[1])

    here, there = sorted(case.ours, key=place), sorted(case.theirs, key=place)
    if [place(one) for one in here] == [place(one) for one in there]:
        yield from zip(here, there, strict=True)


def shape_kinds(case: Case) -> None:
    if case.kind == "histogram":
        if case.point.explicit_bounds and math.isinf(case.point.explicit_bounds[-1]):
            case.note("a last bound of +Inf, which there is written twice")
            case.ours = [one for one in case.ours if one.labels.get("le") != INFINITY]
            case.theirs = [one for one in case.theirs if one.labels.get("le") != INFINITY]
            for one in case.ours + case.theirs:
                one.exemplars = []  # of which some stand at that bucket
        if case.is_stale and not case.point.HasField("sum"):
            kept = [one for one in case.ours if not one.labels["__name__"].endswith("_sum")]
            case.note(
                "the end of a histogram without a sum, which here ends that series too", len(kept) < len(case.ours)
            )
            case.ours = kept
    if case.kind == "exponential_histogram":
        _native_kinds(case)


def _merged(case: Case) -> str:
    """The buckets of a point as a direct count has them, at schema 8."""
    shift = case.point.scale - 8
    text = []
    for side in (case.point.positive, case.point.negative):
        counts: Counter[int] = Counter()
        for at, count in enumerate(side.bucket_counts):
            counts[((side.offset + at) >> shift) + 1] += count
        text.append("".join(f" {at}:{counts[at]}" for at in sorted(counts) if counts[at]))
    return f"+{text[0]} -{text[1]}"


def _native_kinds(case: Case) -> None:
    natives = [[one for one in side if " native " in one.value] for side in (case.ours, case.theirs)]
    for ours, theirs in zip(*natives, strict=False):
        if case.is_stale:
            theirs.value = ours.value
            case.note("the end of a native histogram, whose count nobody reads", " stale " in ours.value)
            continue
        here, there = ours.value.split(" "), theirs.value.split(" ")
        if here[4] == "NaN" and not case.point.HasField("sum"):
            there[4] = "NaN"
            case.note("an exponential histogram without a sum, which there is 0")
        if here[7] != there[7] and case.point.zero_threshold:
            there[7] = here[7]
            case.note("a zero threshold, which there is always 1e-128")
        ours.value, theirs.value = " ".join(here), " ".join(there)
        head, _, buckets = ours.value.partition("+")
        if case.point.scale > 8 and f"+{buckets}" == _merged(case) and theirs.value != ours.value:
            theirs.value = f"{theirs.value.partition('+')[0]}+{buckets}"
            case.note("empty buckets in a scale that is merged, where there counts are a bucket too low")


def _bare(exemplar: str) -> str:
    labels = "".join(
        f'"{name}"="{value}",' for name, value in LABEL.findall(exemplar) if name in ("span_id", "trace_id")
    )
    return labels + exemplar[exemplar.rindex(", ") + 1 :]


def exemplar_kinds(case: Case) -> None:
    if case.kind == "histogram" and not case.is_stale:
        values = [one.as_double for one in case.point.exemplars]
        all_of = [sorted(_bare(text) for one in side for text in one.exemplars) for side in (case.ours, case.theirs)]
        if values != sorted(values) and all_of[0] == all_of[1]:
            for one in case.ours + case.theirs:
                one.exemplars = []
            case.note("exemplars that do not ascend, which there come to another bucket")
    for one in case.theirs:
        if case.is_stale and one.exemplars:
            one.exemplars = []
            case.note("exemplars of a point without a value")
    for ours, theirs in _pairs(case):
        if ours.exemplars and not theirs.exemplars and case.kind in ("gauge", "sum"):
            ours.exemplars = []
            case.note("exemplars of gauges and of sums that may fall")
        elif ours.exemplars != theirs.exemplars:
            ours.exemplars = [_bare(one) for one in ours.exemplars]
            theirs.exemplars = [_bare(one) for one in theirs.exemplars]
            case.note("filtered attributes of exemplars, whose names here are as labels'")


def explain(case: Case) -> bool:
    if refusals(case):
        return True
    for kinds in (resource_kinds, shape_kinds, name_kinds, label_kinds, exemplar_kinds):
        kinds(case)
    return sorted(one.key() for one in case.ours) == sorted(one.key() for one in case.theirs)


def _run(program: list[str], lines: str) -> list[str]:
    done = subprocess.run(program, input=lines.encode(), check=True, capture_output=True, timeout=600)
    return done.stdout.decode().split("\n")[:-1]


def _samples(line: str) -> tuple[list[Sample], str]:
    samples, _, told = line.partition("\x1e")
    return [Sample.of(text) for text in samples.split("\t") if text], told


def compare(count: int, seed: int, strategy: str = "UnderscoreEscapingWithSuffixes") -> Counter[str]:
    """How many requests there are of each kind; fails on a difference without a name."""
    ours_program = str(binaries() / "vigia-otlp-translated")
    requests = _run([ours_program, "make", str(count), str(seed)], "")
    lines = "\n".join(requests) + "\n"
    # customer_id is ours to set; there it is a label of target_info, from the attribute.
    ours, theirs = (
        [line.replace('"customer_id"="cliente-a",', "") for line in _run(program, lines)]
        for program in ([ours_program, "read", strategy], [str(otlp_translator()), strategy])
    )
    assert len(ours) == len(theirs) == len(requests) == count
    counts: Counter[str] = Counter()
    wrong = []
    for request, here, there in zip(requests, ours, theirs, strict=True):
        if here == there:
            counts["the same"] += 1
            continue
        case = Case(
            base64.b64decode(request), _samples(here)[0], _samples(there)[0], _samples(here)[1], _samples(there)[1]
        )
        if not explain(case):
            wrong.append(f"{request}\n   here  {here}\n   there {there}\n   {sorted(case.kinds)}")
        counts.update(case.kinds)
    if wrong:
        kept = STATE / "compliance" / "otlp-translation.txt"
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text("\n".join(wrong))
        raise AssertionError(
            f"{len(wrong)} of {count} differ without a reason, all in {kept}:\n" + "\n".join(wrong[:3])
        )
    return counts
