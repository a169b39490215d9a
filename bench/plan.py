"""The seed's largest plan at one collector: 5,000 agents of 1,000 customers, 500,000 points a second, 7.5 M series.

    cmake --preset release && ninja -C build/release
    .vigia/venv/bin/python bench/plan.py [--seconds 600] [--agents 5000] [--series 1500]

Every agent has a connection of its own and sends its 1,500 series each 15 s (half of them counters).
The stores are two programs that take all, count the samples and keep none, as if they stood on other machines; the
load's and the stores' processor time is counted apart. Ends with 1 where something was lost, refused for good or late.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from fleet_run import check, default_bin, measure

INTERVAL_S = 15
RSS_MAX_MIB = 1536


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--agents", type=int, default=5000)
    parser.add_argument("--customers", type=int, default=1000)
    parser.add_argument("--series", type=int, default=1500, help="of each agent, sent each 15 s")
    parser.add_argument("--bin", type=Path, default=default_bin())
    given = parser.parse_args()
    words = ["--agents", given.agents, "--customers", given.customers, "--series", given.series]
    words += ["--interval", INTERVAL_S, "--seconds", given.seconds]
    said = measure(given.bin, customer_count=given.customers, patience_s=120, fleet_words=[str(word) for word in words])
    log = said.pop("log")
    print(json.dumps(said))
    print(
        f"{said['points'] / said['seconds']:,.0f} points/s of {given.agents * given.series:,} series for {said['seconds']:.0f} s: "
        f"collector {said['cpu'] / said['wall']:.2f} cores ({said['points'] / said['cpu'] / 1e6:.2f} M points to both stores a CPU-s), "
        f"{said['rss_mib']:.0f} MiB at most; an answer {said['p50_ms']:.0f} ms, p99 {said['p99_ms']:.0f}; "
        f"the oldest that waited {said['waiting_s']:.1f} s; the load {said['own_cpu'] / said['wall']:.2f} cores, "
        f"the stores {sum(said['sink_cpu']) / said['wall']:.2f}"
    )
    wrong = check(said)
    if said["late"]:
        wrong.append(f"{said['late']} requests were begun an interval late")
    if said["rss_mib"] > RSS_MAX_MIB:
        wrong.append(f"{said['rss_mib']:.0f} MiB, over {RSS_MAX_MIB}")
    for what in wrong:
        print("wrong:", what)
    if wrong:
        print(log)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
