"""One customer sends 50 times its quota for ten minutes; what the others of the same collector feel (F12).

    cmake --preset release && ninja -C build/release
    .vigia/venv/bin/python bench/quota.py [--seconds 600] [--calm 60] [--times 50] [--quota 2000]

Two collectors run at once, each with the same 200 agents of 100 customers; one of them also has the loud customer, so that the
other, the twin, tells what the machine itself does in the same minutes. Before it both are measured calm. Ends with 1 where a
request of the others was refused, failed or was not answered, where a point of theirs is not in a store, where their p99 is twice the twin's or
more, or where the loud customer was given more than its quota.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleet_run import CONFIG, books, customers, default_bin
from programs import cpu_seconds, own_host, resident_mib, running, seen, wait_for_port

LOUD = "loud"
AGENTS, CUSTOMERS, SERIES, INTERVAL_S = 200, 100, 150, 5
ITEMS = 500  # points of a request of the loud customer's
BURST_S = 10  # what a rate gives at most ahead of time
P99_TIMES_MAX = 2.0
WRONG = ("partly", "failed", "refused", "broken", "unanswered", "left")


@dataclass
class Site:
    """A collector with its two stores."""

    host: str
    pid: int
    sinks: tuple[int, int]

    def accepted_of_loud(self) -> float:
        with urllib.request.urlopen(f"http://{self.host}:8888/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        terms = {"received": 0.0, "rejected": 0.0}
        for line in lines:
            for term in terms:
                if line.startswith(f"vigia_items_{term}_total{{") and f'customer_id="{LOUD}"' in line:
                    terms[term] += float(line.rpartition(" ")[2])
        return terms["received"] - terms["rejected"]


@contextlib.contextmanager
def site(bin_folder: Path, quota: int) -> Iterator[Site]:
    with (
        tempfile.TemporaryDirectory(prefix="vigia-quota-") as folder,
        running([str(bin_folder / "vigia-bench-sink")]) as hot,
        running([str(bin_folder / "vigia-bench-sink")]) as cold,
    ):
        assert hot.stdout
        assert cold.stdout
        ports = int(hot.stdout.readline()), int(cold.stdout.readline())
        host = own_host()
        loud = (
            f"  - {{id: {LOUD}, hot_shard: hot-0, limits: {{points_per_second: {quota}}},"
            " tokens: [{token: token-of-loud, scope: ingest}]}\n"
        )
        (Path(folder) / "customers.yaml").write_text(customers(CUSTOMERS) + loud)
        config = Path(folder) / "config.yaml"
        config.write_text(CONFIG.format(folder=folder, host=host, hot=ports[0], cold=ports[1]))
        words = [str(bin_folder / "vigia-collector"), "--config", str(config)]
        with (Path(folder) / "output").open("w") as output, running(words, stderr=output) as collector:
            wait_for_port(host, collector)
            yield Site(host, collector.pid, ports)


def fleet(bin_folder: Path, at: Site, seconds: int) -> subprocess.Popen[str]:
    sizes = {"agents": AGENTS, "customers": CUSTOMERS, "series": SERIES, "interval": INTERVAL_S, "seconds": seconds}
    words = [word for name, size in sizes.items() for word in (f"--{name}", str(size))]
    program = [str(bin_folder / "vigia-bench-fleet"), "--host", at.host, *words]
    return subprocess.Popen(program, text=True, stdout=subprocess.PIPE)


def loud_load(bin_folder: Path, at: Site, rate: int, seconds: int) -> subprocess.Popen[str]:
    given = {"host": at.host, "token": "token-of-loud", "customer": LOUD, "rate": rate, "items": ITEMS, "pid": at.pid}
    given |= {"warm-up": 0, "seconds": seconds, "connections": 2, "in-flight": 64}
    words = [word for name, value in given.items() for word in (f"--{name}", str(value))]
    return subprocess.Popen([str(bin_folder / "vigia-bench-load"), *words], text=True, stdout=subprocess.PIPE)


def told(process: subprocess.Popen[str]) -> dict[str, Any]:
    output, _ = process.communicate()
    said: dict[str, Any] = json.loads(output)
    return said


def phase(bin_folder: Path, sites: tuple[Site, Site], seconds: int, rate: int = 0) -> list[dict[str, Any]]:
    """What the agents of both felt; with a rate, the loud customer sends to the first."""
    began, cpu = time.monotonic(), [cpu_seconds(at.pid) for at in sites]
    load = loud_load(bin_folder, sites[0], rate, seconds + INTERVAL_S) if rate else None
    said = [told(process) for process in [fleet(bin_folder, at, seconds) for at in sites]]
    wall = time.monotonic() - began
    for one, at, before in zip(said, sites, cpu, strict=True):
        one |= {"cores": (cpu_seconds(at.pid) - before) / wall, "rss_mib": resident_mib(at.pid)}
    if load is not None:
        said[0]["loud"] = load.communicate()[0].strip()
    return said


def wrong_of(said: dict[str, Any], name: str) -> list[str]:
    return [f"{name}: {said[what]} {what}" for what in WRONG if said.get(what)]


def settle(at: Site, points: float) -> float:
    """Samples that are not in the store that has fewer, once nothing more comes."""
    deadline = time.monotonic() + 60
    while (missing := points - min(seen(port)[2] for port in at.sinks)) > 0 and time.monotonic() < deadline:
        time.sleep(0.2)
    return max(0.0, missing)


def line(name: str, said: dict[str, Any]) -> str:
    return (
        f"{name}: an answer {said['p50_ms']:.1f} ms, p99 {said['p99_ms']:.1f}; {said['requests']} taken, {said['refused']} refused; "
        f"collector {said['cores']:.2f} cores, {said['rss_mib']:.0f} MiB"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--calm", type=int, default=60, help="seconds before the loud customer begins")
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--quota", type=int, default=2000, help="points a second")
    parser.add_argument("--bin", type=Path, default=default_bin())
    given = parser.parse_args()
    with site(given.bin, given.quota) as first, site(given.bin, given.quota) as twin:
        calm = phase(given.bin, (first, twin), given.calm)
        began = time.monotonic()
        loud = phase(given.bin, (first, twin), given.seconds, given.times * given.quota)
        lasted = time.monotonic() - began
        taken = first.accepted_of_loud()
        missing = settle(first, calm[0]["points"] + loud[0]["points"] + taken)
        missing += settle(twin, calm[1]["points"] + loud[1]["points"])
        dropped = sum(one.get("dropped", 0) for at in (first, twin) for name, one in books(at.host).items() if name)
    print(line("calm", calm[0]), line("calm, the twin", calm[1]), sep="\n")
    print(line(f"{given.times} × the quota", loud[0]), line("the same minutes, the twin", loud[1]), sep="\n")
    print(f"the loud customer: {taken / lasted:,.0f} points/s taken of {given.quota:,}; {loud[0]['loud']}")
    times = loud[0]["p99_ms"] / loud[1]["p99_ms"]
    print(f"p99 is {times:.2f} × the twin's, {loud[0]['p99_ms'] / calm[0]['p99_ms']:.2f} × the calm one")
    wrong = [*wrong_of(calm[0], "calm"), *wrong_of(calm[1], "twin, calm"), *wrong_of(loud[1], "twin")]
    wrong += wrong_of(loud[0], "beside the loud customer")
    if times >= P99_TIMES_MAX:
        wrong.append(f"p99 is {times:.2f} × that of the twin")
    if taken > given.quota * (lasted + BURST_S):
        wrong.append(f"the loud customer was given {taken:,.0f} points in {lasted:.0f} s")
    if missing or dropped:
        wrong.append(f"{missing:.0f} samples are in no store, {dropped:.0f} were dropped")
    for what in wrong:
        print("wrong:", what)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
