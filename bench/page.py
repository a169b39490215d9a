"""The page of the figures: its parts, those of this run and those that an earlier one left, each with when and where it was measured."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from figures import Figure, commit, load_average, machine


@dataclass
class Part:
    lines: list[str]  # of the page, its heading first
    figures: dict[str, Figure]
    measured: str  # when, of which commit, how busy the machine was
    machine: str
    command: str


@dataclass
class Page:
    """Kept as JSON beside the page, so that a run of one part leaves the others as they were."""

    text: Path
    kept: Path
    parts: dict[str, Part] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)  # of this run, with why
    more: list[str] = field(default_factory=list)  # lines behind the parts

    @classmethod
    def open(cls, text: Path, kept: Path) -> Page:
        """With the parts of the run before, if there was one."""
        page = cls(text, kept)
        found: dict[str, Any] = json.loads(kept.read_text()).get("parts", {}) if kept.exists() else {}
        for name, part in found.items():
            figures = {title: Figure(*pair) for title, pair in part["figures"].items()}
            page.parts[name] = Part(**{**part, "figures": figures})
        return page

    def write(self, order: list[str]) -> None:
        parts = {name: self.parts[name] for name in order if name in self.parts}
        figures: dict[str, Figure] = {}
        for part in parts.values():
            figures |= part.figures
        kept = {"figures": figures, "parts": {name: asdict(part) for name, part in parts.items()}}
        self.kept.write_text(json.dumps(kept, indent=1) + "\n")
        body: list[str] = []
        for part in parts.values():
            heading, *lines = part.lines
            body += [heading, "", f"*{part.measured}; {part.machine}; `{part.command}`*", *lines, ""]
        absent = [name for name in order if name not in parts]
        self.text.write_text("\n".join([*self._head(absent), *body, *self.more]).rstrip() + "\n")

    def _head(self, absent: list[str]) -> list[str]:
        left_out = [*self.left_out, *(f"{name} (never measured)" for name in absent)]
        return [
            "# Benchmarks",
            "",
            "Written by `bench/run.py`; what each load is stands in [bench/README.md](../bench/README.md). Under each heading: when it was",
            "measured, of which commit, the machine's load average before and after, the machine, the command. Ratios to a peer are of one run;",
            "figures of different machines say nothing about each other.",
            "",
            "- Left out: " + ("; ".join(left_out) if left_out else "nothing of bench/run.py") + ".",
            "- Not part of the run, since they take long: 10,000 agents that reconnect at once, and the seed's largest plan.",
            "",
            "A percentage in bold is what was reached of a target that was missed.",
            "",
        ]


def measured_now(lines: list[str], figures: dict[str, Figure], load_before: str) -> Part:
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    measured = f"{when}, {commit()}, load {load_before.split()[0]} to {load_average().split()[0]}"
    return Part(lines, figures, measured, machine(), " ".join(["bench/run.py", *sys.argv[1:]]))
