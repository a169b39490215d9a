"""libs/promql beside Prometheus' own parser, of the newest version that it knows.

Both read the same queries. They must agree which of them are PromQL; and of those, Prometheus must read what we print as what
was asked: the two texts, read and printed by it, are the same. Where they do not agree the reason stands here by name, and in
docs/compliance.md.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from launcher.compliance import promql_parser
from launcher.paths import STATE
from stack import binaries

VERSION = "3.14.0"
FEATURES = "promql-experimental-functions,promql-extended-range-selectors,promql-binop-fill-modifiers"


@dataclass
class Judged:
    query: str
    ours: dict[str, str]
    theirs: dict[str, str]

    @property
    def is_taken_here(self) -> bool:
        return "text" in self.ours

    @property
    def is_taken_there(self) -> bool:
        return "text" in self.theirs


def _ours(what: str, *words: str, lines: str = "") -> list[str]:
    program = [str(binaries() / "vigia-promql-parsed"), what, VERSION, FEATURES, *words]
    done = subprocess.run(program, input=lines, check=True, capture_output=True, text=True, timeout=300)
    return done.stdout.splitlines()


def _theirs(lines: str, *words: str) -> list[str]:
    program = [str(promql_parser()[0]), *words]
    done = subprocess.run(program, input=lines, check=True, capture_output=True, text=True, timeout=300)
    return done.stdout.splitlines()


def made(count: int, seed: int) -> list[str]:
    """Queries of our grammar, every second one changed at random."""
    return [json.loads(line) for line in _ours("make", str(count), str(seed))]


def of_prometheus_tests() -> list[str]:
    """Those of its own tests, each once."""
    lines = _theirs("", "queries", str(promql_parser()[1] / "promql"))
    return list(dict.fromkeys(json.loads(line) for line in lines))


def _as_lines(queries: list[str]) -> str:
    return "".join(json.dumps(query, ensure_ascii=False) + "\n" for query in queries)


def judge(queries: list[str]) -> list[Judged]:
    lines = _as_lines(queries)
    ours, theirs = _ours("read", lines=lines), _theirs(lines)
    assert len(ours) == len(theirs) == len(queries), (len(ours), len(theirs), len(queries))
    return [Judged(query, json.loads(a), json.loads(b)) for query, a, b in zip(queries, ours, theirs, strict=True)]


Reason = Callable[[Judged], bool]


EMPTY_NAME = re.compile(r"""(""|''|``)\s*[=!,}]""")
NAN = re.compile(r"offset\s+[-+\s]*nan\b", re.IGNORECASE)


def _says(words: str) -> Reason:
    return lambda one: words in one.ours["error"]


# Taken there and refused here, each with its reason in docs/compliance.md.
REFUSED_HERE: dict[str, Reason] = {
    "over a limit of ours": lambda one: "more than" in one.ours["error"] or "deeper than" in one.ours["error"],
    "a metric's name twice in braces": _says("metric name must not be set twice"),
    "a label without a name": lambda one: "bad quoted name" in one.ours["error"] and bool(EMPTY_NAME.search(one.query)),
    "a regex that cannot be read": lambda one: (
        "a regex that cannot be read in call to function" in one.ours["error"]
        or ("a regex that cannot be read" in one.ours["error"] and r"\x" in one.theirs["text"])
    ),
    "an offset of NaN": lambda one: "duration out of range" in one.ours["error"] and bool(NAN.search(one.query)),
}
# Refused there and taken here.
TAKEN_HERE: dict[str, Reason] = {}
PRINTED_OTHERWISE = "a sum behind `offset`, which is printed there without its parentheses"
UNREADABLE = "printed there so that it does not read it, or as something else"


def _without_parens(text: str) -> str:
    return re.sub(r"[()]", "", text)


def _reason(one: Judged, reasons: dict[str, Reason]) -> str:
    return next((name for name, is_so in reasons.items() if is_so(one)), "")


def _told(wrong: list[str]) -> str:
    kept = STATE / "compliance" / "promql-parser.txt"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text("\n".join(wrong))
    return f"{len(wrong)} differ, all in {kept}:\n" + "\n".join(wrong[:10])


def compare(queries: list[str]) -> Counter[str]:
    """How many there are of each kind; fails on a difference without a reason."""
    counts: Counter[str] = Counter()
    wrong = []
    both = []
    for one in judge(queries):
        if one.is_taken_here and one.is_taken_there:
            both.append(one)
            continue
        if one.is_taken_here == one.is_taken_there:
            counts["refused by both"] += 1
            continue
        reason = _reason(one, REFUSED_HERE if one.is_taken_there else TAKEN_HERE)
        counts[f"refused here: {reason}" if one.is_taken_there else f"taken here: {reason}"] += 1
        if not reason:
            wrong.append(f"{one.query!r}\n   here  {one.ours}\n   there {one.theirs}")
    counts["taken by both"] = len(both)
    printed = [json.loads(line) for line in _theirs(_as_lines([one.ours["text"] for one in both]))]
    theirs_here = [json.loads(line) for line in _ours("read", lines=_as_lines([one.theirs["text"] for one in both]))]
    again = [json.loads(line) for line in _theirs(_as_lines([read.get("text", "") for read in theirs_here]))]
    # What Prometheus prints it need not read: of `info(x, {})` it prints `info(x, )`, of `by ("inf")` `by (inf)`.
    fixed = [json.loads(line) for line in _theirs(_as_lines([one.theirs["text"] for one in both]))]
    for one, ours, theirs, own in zip(both, printed, again, fixed, strict=True):
        if ours.get("text") != one.theirs["text"]:
            if _without_parens(ours.get("text", "")) == _without_parens(one.theirs["text"]) and "offset" in one.query:
                counts[PRINTED_OTHERWISE] += 1
                continue
            wrong.append(
                f"{one.query!r}\n   is printed here {one.ours['text']!r}\n   and means {ours}\n   not {one.theirs}"
            )
        elif own.get("text") != one.theirs["text"]:
            counts[UNREADABLE] += 1
        elif theirs.get("text") != one.theirs["text"]:
            wrong.append(f"{one.query!r}\n   is printed there {one.theirs['text']!r}, which is here {theirs}")
    assert not wrong, _told(wrong)
    return counts


def table(columns: dict[str, Counter[str]]) -> str:
    """For docs/compliance.md: a row for each kind, those that both agree on first."""
    kinds = sorted(
        {kind for counts in columns.values() for kind in counts}, key=lambda kind: (" both" not in kind, kind)
    )
    lines = [f"| | {' | '.join(columns)} |", f"|---|{'--:|' * len(columns)}"]
    lines += [f"| {kind} | {' | '.join(f'{counts[kind]:,}' for counts in columns.values())} |" for kind in kinds]
    return "\n".join(lines) + "\n"
