"""Runs a whole Vigía for the browser tests until its standard input is closed; prints where its demo.json is.

Takes `stop NAME` and `start NAME` of a part, a line each, and answers each with a line.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from launcher import demo
from stack import Stack, quick_layout

SCRAPE_INTERVAL = "3s"  # pages ask every 5 s; every second would take an eighth of the tests' processor time


def main() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="vigia-browser-") as name,
        Stack(Path(name), replace(quick_layout(Path(name)), scrape_interval=SCRAPE_INTERVAL)) as stack,
    ):
        stack.start_central()
        stack.start(*(place.name for place in stack.agents))
        pids = {place.name: stack.running[place.name].pid for place in stack.agents}
        file = Path(name) / "demo.json"
        demo.save_private(file, demo.description(stack.layout, stack.agents, stack.secrets, pids))
        print(file, flush=True)
        for line in sys.stdin:
            action, part = line.split()
            {"stop": stack.stop, "start": stack.start}[action](part)
            print(line.strip(), flush=True)


if __name__ == "__main__":
    main()
