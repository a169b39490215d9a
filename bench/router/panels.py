"""A dashboard of twenty panels over thirty days, asked as a browser asks it: all at once, over six connections.

Real storage, prometheus-query, hot and router of VIGIA_BIN (default: the release build). Each round asks the twenty range
queries at another start, as a page that is loaded anew a step later. Prints one line for each way: where nothing is kept
(`cache: {bytes_total_max: 0}`), where past steps are, and where all steps are past; of hot, which holds all of it, and of
storage. Hot is asked when it has put its blocks together, as one has that was written to for thirty days: one that was filled
within a minute has 360 of two hours, and each query opens all of them.

    PYTHONPATH=tools:tests/integration python3 bench/router/panels.py --nodes 10 --spacing 600
"""

from __future__ import annotations

import argparse
import dataclasses
import http.client
import json
import random
import statistics
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from processes import cpu_seconds
from reading import Reading, is_hot
from remote_write import write
from stack import Stack, quick_layout, wait_for

HOUR = 3600
DAY = 86_400
DAYS = 30
STEP = HOUR
BLOCKS_MAX = 24  # of thirty days: ten of 54 hours, and what is still to be put together
CONNECTIONS = 6  # as browsers have to one host
NAMES = ("cpu", "memory", "disk", "net_total", "requests_total")
PANELS = [
    template.replace("NAME", name)
    for name in NAMES
    for template in (
        "NAME",
        "avg(NAME)",
        "max_over_time(NAME[1h])",
        "sum by (node_id) (rate(NAME[1h]))" if name.endswith("total") else "quantile(0.9, NAME)",
    )
]


def fill(reading: Reading, nodes: int, spacing: int, begin: int, end: int) -> None:
    """In the order of time: hot takes nothing that is more than two days older than its newest."""
    chance = random.Random(1)
    token = reading.stack.secrets["internal_token"]
    headers = {"Authorization": f"Bearer {token}", "X-Vigia-Customer": "cliente-a"}
    beat = {"__name__": "vigia_hot_heartbeat", "shard": "hot-0"}
    for day in range(begin, end, DAY):
        times = range(day, min(day + DAY, end), spacing)
        series = []
        for name in NAMES:
            for node in range(nodes):
                labels = {"__name__": name, "customer_id": "cliente-a", "node_id": f"node-{node:03}"}
                series.append((labels, [(at * 1000, round(chance.random() * 100, 1)) for at in times]))
        for at in range(0, len(series), 100):
            write(reading.stack.layout.url("storage"), series[at : at + 100], headers)
            write(reading.stack.layout.url("hot"), series[at : at + 100])
        write(
            reading.stack.layout.url("hot"), [(beat, [(at * 1000, 1.0) for at in range(day, min(day + DAY, end), 600)])]
        )


def are_blocks_together(stack: Stack) -> bool:
    """Of a Prometheus that has only just been filled, all lies in its head, and then in some hundred blocks."""
    metrics = stack.own_metrics("hot")
    is_head_short = metrics["prometheus_tsdb_head_min_time_seconds"] > time.time() - 12 * HOUR
    return is_head_short and metrics["prometheus_tsdb_blocks_loaded"] <= BLOCKS_MAX


class Page:
    """Twenty panels over connections that stay open."""

    def __init__(self, reading: Reading) -> None:
        place = urllib.parse.urlsplit(reading.url)
        self.connections = [http.client.HTTPConnection(place.netloc, timeout=60) for _ in range(CONNECTIONS)]
        self.served: set[str] = set()

    def load(self, start: int, end: int) -> float:
        """Milliseconds until the last answer is there."""
        waiting = list(PANELS)
        lock = threading.Lock()

        def ask(connection: http.client.HTTPConnection) -> None:
            while True:
                with lock:
                    if not waiting:
                        return
                    query = waiting.pop(0)
                form = urllib.parse.urlencode({"query": query, "start": start, "end": end, "step": STEP})
                connection.request("GET", f"/api/v1/query_range?{form}", headers={"Authorization": "Bearer read-a"})
                answer = connection.getresponse()
                body = answer.read()
                assert answer.status == 200, body[:300]
                self.served.add("+".join(part.split("=")[0] for part in answer.headers["X-Vigia-Served"].split(", ")))

        threads = [threading.Thread(target=ask, args=(connection,)) for connection in self.connections]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return (time.perf_counter() - began) * 1000


class Row(NamedTuple):
    way: str
    served: str
    first_ms: float
    p50_ms: float
    most_ms: float
    cpu_ms: float  # of router, hot, prometheus-query and storage, a page

    def text(self) -> str:
        return (
            f"{self.way:30} {self.served:30} first {self.first_ms:7.1f} ms, then median {self.p50_ms:6.1f} ms, "
            f"most {self.most_ms:6.1f} ms, CPU {self.cpu_ms:6.1f} ms"
        )


def cpu_of_all(reading: Reading) -> float:
    running = reading.stack.running.values()
    return sum(cpu_seconds(each.pid) for each in running if each.is_running())


def measure(reading: Reading, name: str, span: tuple[int, int], rounds: int) -> Row:
    page = Page(reading)
    start, end = span
    first = page.load(start, end)
    page.load(start, end)  # what queries weigh is known from here on
    page.served.clear()
    before = cpu_of_all(reading)
    taken = [page.load(start + n * STEP, end) for n in range(rounds)]
    cpu_ms = (cpu_of_all(reading) - before) / rounds * 1000
    served = "/".join(sorted(page.served))
    return Row(name, served, first, statistics.median(taken), max(taken), cpu_ms)


def set_cache(reading: Reading, is_on: bool) -> None:
    file = reading.stack.layout.config / "router.yaml"
    lines = [line for line in file.read_text().splitlines() if not line.startswith("cache:")]
    file.write_text("\n".join([*lines, *([] if is_on else ["cache: {bytes_total_max: 0}"])]) + "\n")
    reading.stack.stop("router")
    reading.stack.start("router")


def ways(reading: Reading, end: int, rounds: int) -> Iterator[Row]:
    # Hot is asked for thirty days at the most, with what the first step looks back.
    begins = {"hot": end - (DAYS - 1) * DAY, "storage": end - DAYS * DAY}

    def covers() -> bool:
        form: dict[str, Any] = {"query": "max_over_time(cpu[1h])", "start": begins["hot"], "end": end, "step": STEP}
        return is_hot(reading.ask("/api/v1/query_range", **form))

    wait_for("hot covers the range", covers, 60, 0.5)
    wait_for("hot's blocks are put together", lambda: are_blocks_together(reading.stack), 600, 1)
    for store, begin in begins.items():
        if store == "storage":
            reading.stack.kill("prometheus-hot")
        for is_on in (False, True):
            set_cache(reading, is_on)
            if store == "hot":
                wait_for("hot covers the range", covers, 60, 0.5)
            kept = "kept" if is_on else "nothing kept"
            yield measure(reading, f"{store}, up to now, {kept}", (begin, end), rounds)
            if is_on:
                yield measure(reading, f"{store}, all past, {kept}", (begin, end - 3 * DAY), rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=10)
    parser.add_argument("--spacing", type=int, default=600, help="seconds from one sample to the next")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true", help="an object a line, for bench/run.py")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        # It scrapes nothing: what is older than two days before its newest sample hot would not take.
        layout = dataclasses.replace(quick_layout(Path(folder)), scrape_interval="1d")
        with Stack(Path(folder), layout) as stack:
            reading = Reading(stack, gap_max="1h")
            reading.start()
            end = int(time.time()) // STEP * STEP
            fill(reading, options.nodes, options.spacing, end - (DAYS + 1) * DAY, int(time.time()))
            reading.beat(1)
            for row in ways(reading, end, options.rounds):
                print(json.dumps(row._asdict()) if options.json else row.text(), flush=True)


if __name__ == "__main__":
    main()
