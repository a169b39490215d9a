"""What the router adds to a hot dashboard query, beside Prometheus alone and prom-label-proxy.

Real Prometheus as hot, the router of VIGIA_BIN (default: the release build), prom-label-proxy where --proxy names it
(`bench/peers/build.sh` brings it). The three are asked in turn over connections
that are kept, so that noise of the machine meets all alike. Prints latencies and CPU time per query, one line each, or with --json an
object each; "the mix" are all of them, as often each.

    PYTHONPATH=tools:tests/integration python3 bench/router/query_overhead.py --proxy .vigia/peers/prom-label-proxy
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import subprocess
import tempfile
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import requests
from processes import cpu_seconds
from reading import is_hot
from remote_write import write
from stack import Stack, prometheus_programs, wait_for

NODES = 100
MINUTES = 60
DIRECTORY = """\
customers: [{id: cliente-a, name: A, hot_shard: hot-0, tokens: [{token: read-a, scope: read}]}]
operators: [{token: op, scope: read}]
"""


class Target:
    """One way to ask: a kept connection, and the process whose CPU time counts beside Prometheus'."""

    def __init__(
        self, name: str, place: tuple[str, int], headers: dict[str, str], pid: int | None, extra: dict[str, str]
    ) -> None:
        self.name, self.headers, self.pid, self.extra = name, headers, pid, extra
        self.connection = http.client.HTTPConnection(*place, timeout=30)
        self.latencies: list[float] = []

    def ask(self, path: str, form: dict[str, str]) -> int:
        body = urllib.parse.urlencode({**form, **self.extra})
        headers = {**self.headers, "Content-Type": "application/x-www-form-urlencoded"}
        began = time.perf_counter()
        self.connection.request("POST", path, body, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        self.latencies.append(time.perf_counter() - began)
        assert answer.status == 200, content[:300]
        # Else another way is measured: hot instead of prometheus-query, which is not there.
        assert b'"cold part missing' not in content, content[-300:]
        return len(content)


def fill(stack: Stack) -> None:
    now_ms = int(time.time()) // 60 * 60_000
    times = [now_ms - n * 15_000 for n in reversed(range(MINUTES * 4))]
    series = []
    for node in range(NODES):
        for mode in ("user", "system", "idle"):
            labels = {
                "__name__": "cpu_seconds_total",
                "customer_id": "cliente-a",
                "node_id": f"node-{node:03}",
                "mode": mode,
            }
            series.append((labels, [(t, float(i * (node + 1))) for i, t in enumerate(times)]))
    for at in range(0, len(series), 50):
        write(stack.layout.url("hot"), series[at : at + 50])
    beats = [(now_ms - n * 60_000, 1.0) for n in reversed(range(MINUTES))]
    write(stack.layout.url("hot"), [({"__name__": "vigia_hot_heartbeat", "shard": "hot-0"}, beats)])


def prepare(stack: Stack) -> None:
    (stack.layout.config / "customers.yaml").write_text(DIRECTORY)
    file = stack.layout.config / "router.yaml"
    lines = [line for line in file.read_text().splitlines() if not line.startswith(("directory", "  "))]
    # No collector goes on with the heartbeats while the queries run.
    lines += [f"directory: {{file: {stack.layout.config}/customers.yaml}}", "heartbeat: {gap_max: 1h}"]
    file.write_text("\n".join(lines) + "\n")


QUERIES = {
    "instant, 1 series": ("/api/v1/query", 'cpu_seconds_total{node_id="node-007",mode="user"}', False),
    "instant, 100 series": ("/api/v1/query", 'sum by (node_id) (rate(cpu_seconds_total{mode!="idle"}[5m]))', False),
    "range 30 min, 5 series": ("/api/v1/query_range", 'topk(5, rate(cpu_seconds_total{mode="user"}[5m]))', True),
    "range 30 min, 100 series": ("/api/v1/query_range", 'rate(cpu_seconds_total{mode="user"}[5m])', True),
}


class Row(NamedTuple):
    query: str
    target: str
    size: int  # bytes of an answer
    p50_ms: float
    p99_ms: float
    cpu_us: float | None  # of the target's process, a query; None of Prometheus, which all ask

    def text(self) -> str:
        used = " " * 13 if self.cpu_us is None else f"{self.cpu_us:13.0f}"
        return f"{self.query:26} {self.size:8} {self.target:18} {self.p50_ms:8.3f} {self.p99_ms:8.3f} {used}"


def row(query: str, target: Target, size: int, latencies: list[float], cpu: float) -> Row:
    cuts = statistics.quantiles(latencies, n=100)
    return Row(query, target.name, size, cuts[49] * 1e3, cuts[98] * 1e3, cpu * 1e6 if target.pid else None)


def measure(targets: list[Target], path: str, query: str, is_range: bool, count: int) -> tuple[int, dict[str, float]]:
    """Bytes of an answer and CPU seconds a query; the latencies are the targets'."""
    now = time.time()
    form = {"query": query}
    form |= {"start": f"{now - 1800:.0f}", "end": f"{now:.0f}", "step": "15"} if is_range else {"time": f"{now:.0f}"}
    for target in targets:
        for _ in range(20):
            target.ask(path, form)
        target.latencies.clear()
    spent = dict.fromkeys((target.name for target in targets), 0.0)
    size = 0
    for _ in range(10):
        for target in targets:
            before = cpu_seconds(target.pid) if target.pid else 0.0
            for _ in range(count // 10):
                size = target.ask(path, form)
            spent[target.name] += cpu_seconds(target.pid) - before if target.pid else 0.0
    return size, {name: seconds / (count // 10 * 10) for name, seconds in spent.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--proxy", type=Path, help="prom-label-proxy, to measure beside")
    parser.add_argument("--count", type=int, default=2000, help="queries per kind and target")
    parser.add_argument("--json", action="store_true", help="an object a line, for bench/run.py")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        stack.hot_program = prometheus_programs()[0][1]
        prepare(stack)
        stack.start("prometheus-hot", "router")
        fill(stack)
        read = {"Authorization": "Bearer read-a"}
        url = f"{stack.layout.url('router')}/api/v1/query?query=up"
        wait_for("hot covers", lambda: is_hot(requests.get(url, headers=read, timeout=5)))
        proxy = None
        host = stack.layout.host
        targets = [
            Target("prometheus", (host, stack.layout.ports["hot"]), {}, None, {}),
            Target("router", (host, stack.layout.ports["router"]), read, stack.running["router"].pid, {}),
        ]
        if options.proxy:
            port = stack.layout.ports["shop"]
            words = [options.proxy, "-label", "customer_id", "-header-name", "X-Customer", "-upstream"]
            words += [stack.layout.url("hot"), "-insecure-listen-address", f"{host}:{port}"]
            proxy = subprocess.Popen(words, stderr=subprocess.DEVNULL)
            wait_for("the proxy", lambda: requests.get(f"http://{host}:{port}/healthz", timeout=1).ok)
            targets.append(Target("prom-label-proxy", (host, port), {"X-Customer": "cliente-a"}, proxy.pid, {}))
        show = print_json if options.json else print_text
        if not options.json:
            print(f"{'query':26} {'bytes':>8} {'target':18} {'p50 ms':>8} {'p99 ms':>8} {'CPU µs/query':>13}")
        for line in rows(targets, options.count):
            show(line)
        if proxy:
            proxy.terminate()
            proxy.wait(10)


def print_text(line: Row) -> None:
    print(line.text(), flush=True)


def print_json(line: Row) -> None:
    print(json.dumps(line._asdict()), flush=True)


def rows(targets: list[Target], count: int) -> Iterator[Row]:
    every: dict[str, list[float]] = {target.name: [] for target in targets}
    spent: dict[str, list[float]] = {target.name: [] for target in targets}
    for name, (path, query, is_range) in QUERIES.items():
        size, cpu = measure(targets, path, query, is_range, count)
        for target in targets:
            every[target.name] += target.latencies
            spent[target.name].append(cpu[target.name])
            yield row(name, target, size, target.latencies, cpu[target.name])
    for target in targets:
        yield row("the mix", target, 0, every[target.name], statistics.mean(spent[target.name]))


if __name__ == "__main__":
    main()
