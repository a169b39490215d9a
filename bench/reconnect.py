"""10,000 agents come back at once with an hour that they have kept: until when it is sent, and that nothing is lost.

    .vigia/venv/bin/python bench/reconnect.py [--agents 10000] [--series 300] [--hours 1] [--interval 60]

Each agent sends its oldest request first, the next when that is acknowledged, and again what is refused for now.
Ends with 1 where something was lost, or where it took over ten minutes.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from fleet_run import check, default_bin, measure

WITHIN_S = 600


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agents", type=int, default=10_000)
    parser.add_argument("--customers", type=int, default=1000)
    parser.add_argument("--series", type=int, default=300)
    parser.add_argument("--hours", type=float, default=1)
    parser.add_argument("--interval", type=int, default=60, help="seconds between an agent's samples")
    parser.add_argument("--bin", type=Path, default=default_bin())
    given = parser.parse_args()
    backlog = int(given.hours * 3600 / given.interval)
    words = ["--agents", given.agents, "--customers", given.customers, "--series", given.series]
    words += ["--interval", given.interval, "--seconds", 2 * WITHIN_S, "--backlog", backlog]
    said = measure(
        given.bin, customer_count=given.customers, patience_s=WITHIN_S, fleet_words=[str(word) for word in words]
    )
    log = said.pop("log")
    print(json.dumps(said))
    whole = said["seconds"] + said["behind_s"]
    print(
        f"{said['points']:,} points of {given.agents:,} agents: acknowledged after {said['seconds']:.0f} s, in both stores after {whole:.0f}; "
        f"{said['refused']:,} times told to come again; collector {said['cpu']:.0f} CPU-s, {said['rss_mib']:.0f} MiB at most"
    )
    wrong = check(said)
    if whole > WITHIN_S:
        wrong.append(f"{whole:.0f} s, over {WITHIN_S}")
    for what in wrong:
        print("wrong:", what)
    if wrong:
        print(log)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
