"""Two years of a hundred nodes through the router: how long a graph takes from roll-ups, and from samples.

Real storage, prometheus-query and router of VIGIA_BIN (default: the release build); samples each half hour, so that storage
has roll-ups of all days within minutes. Prints one line for each query: which windows were read, and milliseconds; or with --json an
object each.

    PYTHONPATH=tools:tests/integration python3 bench/router/years.py --nodes 100 --days 730
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from processes import cpu_seconds
from reading import Reading
from stack import Stack, wait_for

HOUR = 3600
DAY = 86_400
SPACING = 1800
QUERIES = [
    ("daily, a line for each node", "max_over_time(cpu{}[1d])", DAY),
    ("daily, one line", "avg(max_over_time(cpu{}[1d]))", DAY),
    ("daily, what counters grew by", "sum(increase(cpu{}[1d]))", DAY),
    ("of every hour, one line", "avg(max_over_time(cpu{}[2h]))", 2 * HOUR),
    ("of every hour, by day", "avg(max_over_time(cpu{}[1d] offset 1h))", DAY),
    ("daily, of samples", "avg(quantile_over_time(1, cpu{}[1d]))", DAY),
]


def fill(reading: Reading, nodes: int, begin: int, end: int) -> None:
    chance = random.Random(1)
    for node in range(nodes):
        labels = {"__name__": "cpu", "customer_id": "cliente-a", "node_id": f"node-{node:03}"}
        times = range(begin + SPACING, end, SPACING)
        reading.to_cold(labels, [(at * 1000, round(chance.random() * 100, 1)) for at in times])


class Row(NamedTuple):
    query: str
    served: str  # the store, and the windows that it read
    p50_ms: float
    least_ms: float
    cpu_ms: float  # of storage, prometheus-query and router, a query

    def text(self) -> str:
        times = f"median {self.p50_ms:7.1f} ms, least {self.least_ms:7.1f} ms, CPU {self.cpu_ms:7.1f} ms"
        return f"{self.query:32} {self.served:9} {times}"


def measure(reading: Reading, name: str, form: dict[str, Any], count: int) -> Row:
    parts = ("storage", "prometheus-query", "router")
    pids = [reading.stack.running[part].pid for part in parts]
    before = sum(cpu_seconds(pid) for pid in pids)
    taken = []
    for _ in range(count):
        began = time.perf_counter()
        answer = reading.ask("/api/v1/query_range", **form)
        taken.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200, answer.text
    served = answer.headers["X-Vigia-Served"].split("=")[0]
    cpu = (sum(cpu_seconds(pid) for pid in pids) - before) / count
    return Row(name, served, statistics.median(taken), min(taken), cpu * 1000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=100)
    parser.add_argument("--days", type=int, default=730)
    parser.add_argument("--count", type=int, default=10, help="times that each is asked")
    parser.add_argument("--json", action="store_true", help="an object a line, for bench/run.py")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        config = stack.layout.config / "storage.yaml"
        config.write_text(
            config.read_text().replace(
                "raw: 400d, rollup_5m: 2y, rollup_1h: 2y", "raw: 3y, rollup_5m: 3y, rollup_1h: 3y"
            )
        )
        router = stack.layout.config / "router.yaml"
        # Else all but the first of each would be what the router has kept: bench/router/panels.py is of that.
        router.write_text(router.read_text() + "cache: {bytes_total_max: 0}\n")
        reading = Reading(stack)
        reading.start()
        end = int(time.time()) // DAY * DAY
        begin = end - options.days * DAY
        fill(reading, options.nodes, begin, end)

        def are_made() -> bool:
            made = stack.own_metrics("storage_metrics")["vigia_storage_rollup_days_total"]
            return bool(made >= (options.days - 2) * options.nodes)

        wait_for("roll-ups of all days", are_made, 900, 1)
        for name, query, step in QUERIES:
            form = {"query": query, "start": begin + DAY, "end": end, "step": step}
            row = measure(reading, name, form, options.count)
            print(json.dumps(row._asdict()) if options.json else row.text(), flush=True)


if __name__ == "__main__":
    main()
