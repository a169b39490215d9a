"""The table of the fairness bench, and the judgement: which cells are too much, and what excuses one.

A cell is bold where B's figure is more than twice that of the calm runs beside it, something of B was refused or lost, an
alerting rule of hot failed, or a load that is legal was not taken whole. Each bold cell needs a sentence in bench/reasons.toml:

    [neighbour."64 heavy queries at once"]
    query = "why this cell may be bold"
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from neighbour_victim import Felt

CALM = "nothing"
REASONS = Path(__file__).with_name("reasons.toml")
# Below twice these a figure is never marked, whatever the calm run had: a turn of the scheduler with the load on the same
# two cores; the overview, which is some six queries; the look at hot each 100 ms; the rule that is evaluated each second.
FLOOR_SECONDS = 0.025
PAGE_FLOOR_SECONDS = 0.05
LAG_FLOOR_SECONDS = 0.2
ALERT_FLOOR_SECONDS = 1.0
SHOWN = ("collector", "storage", "router", "prometheus-hot", "prometheus-query")
HEAD = [
    "| what A does | fault | B's ingest, p99 (worst) ms | B's query | B's page | hot lag | alert, ms "
    "| B refused / lost hot / cold; rules failed | RSS (cores) of " + " / ".join(SHOWN) + ", MiB | A's answers |",
    "|---|---|---:|---:|---:|---:|---:|---|---|---|",
]


class Cell(NamedTuple):
    key: str
    text: str
    is_bold: bool


def percentile(values: list[float], part: float = 0.99) -> float:
    """By nearest rank; -1 where there is none. Of fewer than a hundred it is the worst."""
    return sorted(values)[math.ceil(part * len(values)) - 1] if values else -1.0


def is_doubled(mine: float, base: float, floor: float) -> bool:
    return mine < 0 or mine > 2 * max(base, floor)


def cells(felt: Felt, calm: list[Felt]) -> Iterator[Cell]:
    """`calm`: the runs beside it; the worse of them is what counts as calm."""
    floors = {"ingest": FLOOR_SECONDS, "query": FLOOR_SECONDS, "page": PAGE_FLOOR_SECONDS, "hot_lag": LAG_FLOOR_SECONDS}
    for key, floor in floors.items():
        values: list[float] = getattr(felt, key)
        mine, base = percentile(values), max((percentile(getattr(one, key)) for one in calm), default=-1.0)
        text = f"{mine * 1000:,.0f} ({max(values) * 1000:,.0f})" if values else "never"
        yield Cell(key, text, is_doubled(mine, base, floor))
    base = max((one.alert_delay for one in calm), default=-1.0)
    text = f"{felt.alert_delay * 1000:,.0f}" if felt.alert_delay >= 0 else "never"
    yield Cell("alert", text, is_doubled(felt.alert_delay, base, ALERT_FLOOR_SECONDS))
    lost = (felt.refused, felt.lost_hot, felt.lost_cold)
    yield Cell("lost", " / ".join(map(str, lost)) + f"; {felt.rules_failed}", any(lost) or felt.rules_failed > 0)
    used = (f"{felt.rss_mib.get(part, 0)} ({felt.cpu_cores.get(part, 0):.1f})" for part in SHOWN)
    yield Cell("memory", " / ".join(used), False)
    yield answers(felt)


def answers(felt: Felt) -> Cell:
    """What A was told. A 200 that refuses a part says so, and of a legal load nothing may be refused."""
    text = " ".join(f"{count} × {status}" for status, count in sorted(felt.of_a.items()))
    if felt.rejected_of_a:
        text += f", {felt.rejected_of_a:,} items refused in them"
    is_whole = not felt.rejected_of_a and set(felt.of_a) <= {"200"}
    if felt.is_legal and not is_whole:
        text += f": **not legal**: {felt.why_of_a}"
    return Cell(
        "answers",
        (text + (f" {felt.broken}" if felt.broken else "")).replace("\n", " "),
        felt.is_legal and not is_whole,
    )


def beside(all_felt: list[Felt], number: int) -> list[Felt]:
    """The calm runs next to a load, before and after."""
    before = [one for one in all_felt[: number + 1] if one.name == CALM][-1:]
    after = [one for one in all_felt[number + 1 :] if one.name == CALM][:1]
    return before + after


def reasons() -> dict[str, dict[str, str]]:
    """Sentences by load and cell."""
    found: dict[str, dict[str, str]] = tomllib.loads(REASONS.read_text()).get("neighbour", {})
    return found


def lines(all_felt: list[Felt]) -> list[str]:
    """The table. A bold cell that has a reason points to it, and the reasons stand below."""
    known, told, rows = reasons(), [], []
    for number, felt in enumerate(all_felt):
        texts = []
        for cell in cells(felt, beside(all_felt, number)):
            reason = known.get(felt.name, {}).get(cell.key)
            if cell.is_bold and reason:
                told.append(f"{len(told) + 1}. {felt.name}, {cell.key}: {reason}")
            texts.append(f"**{cell.text}**" + (f" ({len(told)})" if reason else "") if cell.is_bold else cell.text)
        rows.append(f"| {felt.name} | {felt.fault} | " + " | ".join(texts) + " |")
    return [*HEAD, *rows, *(["", *told] if told else [])]


def faults(all_felt: list[Felt]) -> list[str]:
    """Bold cells without a reason, and loads that did not work."""
    known = reasons()
    found = []
    for number, felt in enumerate(all_felt):
        if felt.broken:
            found.append(f"{felt.name}: {felt.broken}")
        for cell in cells(felt, beside(all_felt, number)):
            if cell.is_bold and cell.key not in known.get(felt.name, {}):
                found.append(f"{felt.name}: {cell.key} is {cell.text}, and bench/reasons.toml has no reason for it")
    return found
