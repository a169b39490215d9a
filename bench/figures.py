"""The figures of a run: of which commit and machine, kept beside the page, compared with those of an earlier run."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
WORSE_FROM = 0.03


class Figure(NamedTuple):
    """One number that a later run is compared by."""

    value: float
    more_is_better: bool


def read_figures(file: Path) -> dict[str, Figure]:
    return {name: Figure(*pair) for name, pair in json.loads(file.read_text())["figures"].items()}


def compare(earlier: dict[str, Figure], now: dict[str, Figure], reasons: dict[str, str]) -> tuple[list[str], list[str]]:
    """The page's lines about figures that are more than 3 % worse, each with its reason; and those that have none."""
    rows, unexcused = [], []
    for name, before in earlier.items():
        if name not in now:
            continue
        value = now[name].value
        change = value / before.value - 1 if before.value else 0.0
        if (-change if before.more_is_better else change) <= WORSE_FROM:
            continue
        reason = reasons.get(name, "")
        if not reason:
            unexcused.append(
                f"{name}: {change:+.1%} against {before.value:,.4g}, and bench/reasons.toml has no reason for it"
            )
        rows.append(f"| {name} | {before.value:,.4g} | {value:,.4g} | **{change:+.1%}** | {reason or '**none**'} |")
    shared = sum(name in now for name in earlier)
    lines = [f"{len(rows)} of {shared} figures are more than {WORSE_FROM:.0%} worse."]
    absent = sorted(set(earlier) - set(now))
    if absent:
        lines += ["", f"Measured then and not now: {'; '.join(absent)}."]
    if rows:
        lines += ["", "| figure | then | now | change | reason |", "|---|---:|---:|---:|---|", *rows]
    return lines, unexcused


def machine() -> str:
    text = Path("/proc/cpuinfo").read_text()
    model = re.findall(r"model name\s*: (.*)", text)[0]
    memory = int(re.findall(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())[0]) / 2**20
    return f"{os.cpu_count()} cores of {model}, {memory:.0f} GiB, Linux {platform.release()}"


def commit() -> str:
    words = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    return subprocess.run(words, text=True, capture_output=True, check=True).stdout.strip()


def load_average() -> str:
    return " ".join(f"{value:.1f}" for value in os.getloadavg())


def million(value: float) -> str:
    return f"{value / 1e6:.2f} M"


def verdict(value: float, target: float | None) -> str:
    if target is None:
        return ""
    return f"{target:g} M: " + ("met" if value >= target * 1e6 else f"**{value / target / 1e4:.0f} %**")
