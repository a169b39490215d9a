"""The last lines of several logs as one, in the order in which they were written."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from pathlib import Path

# Vigía's own programs write ts=, Prometheus and Alertmanager time=; both in UTC, so that words compare as times do.
_TIME = re.compile(r"^(?:ts|time)=(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)")


def merged(logs: Mapping[str, list[str]]) -> list[str]:
    """Lines by time, each behind its log's name; a line without one stays behind the line before it.

    A log that never names a time comes last: nothing says between which others its lines belong.
    """
    width = max((len(name) for name in logs), default=0)
    timed: list[tuple[str, str]] = []
    for name, lines in logs.items():
        last = ""
        times = []
        for line in lines:
            found = _TIME.match(line)
            last = found[1] if found is not None else last
            times.append(last)
        first = next((time for time in times if time), "~")
        timed += [(time or first, f"{name:<{width}} | {line}") for time, line in zip(times, lines, strict=True)]
    return [line for _, line in sorted(timed, key=lambda pair: pair[0])]


def tail(file: Path, lines: int) -> list[str]:
    with file.open(errors="replace") as stream:
        return [line.rstrip("\n") for line in deque(stream, maxlen=max(0, lines))]
