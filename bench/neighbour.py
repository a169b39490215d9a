"""What one customer feels of another: B sends a point and asks a query every second and has one alert, while A does each
of the loads of neighbour_loads.py. A whole Vigía on real Prometheus and Alertmanager; each load beside a calm run.

    ./vigia test integration        # once: builds, and sets up the Python environment
    PYTHONPATH=tools:tests/integration:bench .vigia/venv/bin/python bench/neighbour.py [--seconds 30] [--only A1,B3] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import requests
from neighbour_loads import LOADS, Neighbour
from otlp import gauge, metrics_request, post, resource_of
from stack import Stack, wait_for

CUSTOMER = "cliente-b"
CALM_DOWN_SECONDS = 60
WARM_UP_SECONDS = 20
# Below twice these a figure is never marked, whatever the calm run had: a turn of the scheduler with the load on the same
# two cores; the look at hot each 100 ms; the rule that is evaluated each second.
FLOOR_SECONDS = 0.025
LAG_FLOOR_SECONDS = 0.2
ALERT_FLOOR_SECONDS = 1.0
RULES = """\
groups:
  - name: neighbour
    interval: 1s
    rules:
      - {alert: NeighbourFlag, expr: 'neighbour_flag == 1', labels: {severity: warning, customer_id: cliente-b}}
"""


@dataclass
class Felt:
    """What B measured. Seconds; the worst of one a second, which is more than a 99th percentile."""

    name: str
    fault: str
    ingest: list[float] = field(default_factory=list)
    query: list[float] = field(default_factory=list)
    hot_lag: list[float] = field(default_factory=list)
    alert_delay: float = -1
    refused: int = 0
    sent: int = 0
    lost_hot: int = 0
    lost_cold: int = 0
    rss_mib: dict[str, int] = field(default_factory=dict)
    of_a: dict[str, int] = field(default_factory=dict)


class Victim:
    """Customer B for the time of one load."""

    def __init__(self, stack: Stack, felt: Felt, number: int) -> None:
        self.stack, self.felt, self.number = stack, felt, number
        self.begin_ms = time.time_ns() // 1_000_000
        self.stopping = threading.Event()
        self.acknowledged: dict[int, float] = {}
        self.seen: dict[int, float] = {}
        self.threads = [threading.Thread(target=run) for run in (self.send, self.ask, self.look, self.watch)]
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def send(self) -> None:
        url, token = self.stack.layout.url("collector_http"), self.stack.token(CUSTOMER, "ingest")
        while not self.stopping.is_set():
            began = time.monotonic()
            at_ms = time.time_ns() // 1_000_000
            metrics = [
                gauge("neighbour_probe", [(at_ms, float(self.felt.sent))], {"round": str(self.number)}),
                gauge("neighbour_flag", [(at_ms, 1.0)], {"round": str(self.number)}),
            ]
            body = metrics_request(resource_of(CUSTOMER), *metrics).SerializeToString()
            try:
                is_taken = post(url, token, body).status_code == 200
            except requests.RequestException:
                is_taken = False
            self.felt.ingest.append(time.monotonic() - began)
            if is_taken:
                self.acknowledged[self.felt.sent] = time.monotonic()
                self.felt.sent += 1
            else:
                self.felt.refused += 1
            self.stopping.wait(max(0, began + 1 - time.monotonic()))

    def ask(self) -> None:
        while not self.stopping.is_set():
            began = time.monotonic()
            try:
                is_answered = (
                    self.stack.ask(
                        "/api/v1/query", self.stack.token(CUSTOMER, "read"), query="neighbour_probe"
                    ).status_code
                    == 200
                )
            except requests.RequestException:
                is_answered = False
            self.felt.query.append(time.monotonic() - began)
            self.felt.refused += not is_answered
            self.stopping.wait(max(0, began + 1 - time.monotonic()))

    def look(self) -> None:
        """Which of B's points hot has, asked of hot itself; the newest at each look."""
        while not self.stopping.is_set():
            newest = self.newest_in_hot()
            now = time.monotonic()
            for number in range(len(self.seen), newest + 1):
                self.seen[number] = now
            time.sleep(0.1)

    def newest_in_hot(self) -> int:
        query = f'neighbour_probe{{customer_id="{CUSTOMER}",round="{self.number}"}}'
        try:
            found = requests.get(f"{self.stack.layout.url('hot')}/api/v1/query", {"query": query}, timeout=10).json()
            result = found["data"]["result"]
            return int(float(result[0]["value"][1])) if result else -1
        except (requests.RequestException, KeyError, ValueError):
            return -1

    def watch(self) -> None:
        """Memory of our programs, and when Alertmanager has B's alert."""
        began = time.monotonic()
        while not self.stopping.is_set():
            for name in ("collector", "storage", "router", "monitor", "prometheus-hot"):
                self.felt.rss_mib[name] = max(
                    self.felt.rss_mib.get(name, 0), resident_mib(self.stack.running[name].pid)
                )
            if self.felt.alert_delay < 0 and self.is_alerted():
                self.felt.alert_delay = time.monotonic() - began
            time.sleep(0.25)

    def is_alerted(self) -> bool:
        try:
            return any(a["labels"].get("round") == str(self.number) for a in self.stack.alerts())
        except (requests.RequestException, ValueError):
            return False

    def settle(self) -> None:
        """Waits until all that B sent is there, then counts what is not."""
        last = self.felt.sent - 1
        deadline = time.monotonic() + CALM_DOWN_SECONDS
        while time.monotonic() < deadline and self.newest_in_hot() < last:
            time.sleep(0.1)
        now = time.monotonic()
        is_there = self.newest_in_hot() >= last
        for number, at in self.acknowledged.items():
            seen = self.seen.get(number, now if is_there else None)
            if seen is not None:
                self.felt.hot_lag.append(max(0.0, seen - at))
        seconds = (time.time_ns() // 1_000_000 - self.begin_ms) // 1000 + 5
        for part, name in (("hot", "lost_hot"), ("query", "lost_cold")):
            selector = f'neighbour_probe{{customer_id="{CUSTOMER}",round="{self.number}"}}'
            lost = self.felt.sent
            while time.monotonic() < deadline + CALM_DOWN_SECONDS and lost > 0:
                lost = self.felt.sent - self.count(part, f"count_over_time({selector}[{seconds}s])")
                time.sleep(0.2)
            setattr(self.felt, name, lost)

    def count(self, part: str, query: str) -> int:
        found = requests.get(f"{self.stack.layout.url(part)}/api/v1/query", {"query": query}, timeout=30).json()
        result = found.get("data", {}).get("result", [])
        return int(float(result[0]["value"][1])) if result else 0


def resident_mib(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 // 2**20
    except OSError:
        return 0


def measure(stack: Stack, name: str, number: int, seconds: float) -> Felt:
    fault, prepare = LOADS[name]
    act = prepare()
    felt = Felt(name, fault)
    victim = Victim(stack, felt, number)
    neighbour = Neighbour(stack, time.monotonic() + seconds)
    act(neighbour)
    victim.stop()
    felt.of_a = dict(neighbour.answers)
    victim.settle()
    return felt


def start(folder: Path) -> Stack:
    stack = Stack(folder, agents=[])
    (stack.layout.data / "rules" / "hot-0" / "neighbour.yml").write_text(RULES)
    from launcher.layout import demo_agents

    stack.start("webhook")
    for name in ("storage", "alertmanager", "monitor", "prometheus-hot", "prometheus-query", "router", "collector"):
        stack.start(name)
    from launcher import demo

    demo.create(stack.layout, demo_agents(), stack.secrets, folder / "secrets.json")
    stack.wait_for_tokens()
    url, token = stack.layout.url("collector_http"), stack.token(CUSTOMER, "ingest")
    body = metrics_request(resource_of(CUSTOMER), gauge("first", [(time.time_ns() // 1_000_000, 1.0)]))
    wait_for("B is taken", lambda: post(url, token, body.SerializeToString()).status_code == 200)
    return stack


def worst(values: list[float]) -> float:
    return max(values, default=-1)


def row(felt: Felt, calm: Felt) -> str:
    def cell(mine: float, base: float, floor: float) -> str:
        text = f"{mine * 1000:,.0f}" if mine >= 0 else "never"
        return f"**{text}**" if mine < 0 or mine > 2 * max(base, floor) else text

    cells = [
        cell(worst(felt.ingest), worst(calm.ingest), FLOOR_SECONDS),
        cell(worst(felt.query), worst(calm.query), FLOOR_SECONDS),
        cell(worst(felt.hot_lag), worst(calm.hot_lag), LAG_FLOOR_SECONDS),
        cell(felt.alert_delay, calm.alert_delay, ALERT_FLOOR_SECONDS),
        f"{felt.refused} / {felt.lost_hot} / {felt.lost_cold}",
        f"{felt.rss_mib.get('collector', 0)} / {felt.rss_mib.get('storage', 0)} / {felt.rss_mib.get('router', 0)}",
        " ".join(f"{count} × {status}" for status, count in sorted(felt.of_a.items())),
    ]
    return f"| {felt.name} | {felt.fault} | " + " | ".join(cells) + " |"


def table(all_felt: list[Felt]) -> list[str]:
    calm = all_felt[0]
    lines = [
        "| what A does | fault | B's ingest, ms | B's query, ms | hot lag, ms | alert, ms | B refused / lost hot / cold "
        "| RSS collector / storage / router, MiB | A's answers |",
        "|---|---|---:|---:|---:|---:|---|---|---|",
    ]
    return lines + [row(felt, calm) for felt in all_felt]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30, help="of each load")
    parser.add_argument("--only", default="", help="faults, with commas; the calm run comes first in any case")
    parser.add_argument("--json", type=Path, help="what was measured, for bench/run.py")
    options = parser.parse_args()
    wanted = {word for word in options.only.split(",") if word}
    names = [
        name
        for name, (fault, _) in LOADS.items()
        if not fault or not wanted or wanted & {word.strip() for word in fault.split(",")}
    ]
    felt: list[Felt] = []
    calm = next(iter(LOADS))
    with tempfile.TemporaryDirectory(prefix="vigia-neighbour-") as folder, start(Path(folder)) as stack:
        measure(stack, calm, -1, WARM_UP_SECONDS)  # connections, caches, the first notification
        for number, name in enumerate(names):
            felt.append(measure(stack, name, number, options.seconds))
            print(row(felt[-1], felt[0]), flush=True)
            dead = [part for part, running in stack.running.items() if not running.is_running()]
            if dead:
                print(f"    ended: {', '.join(dead)}", flush=True)
                stack.start(*dead)
            if options.json:
                options.json.write_text(json.dumps([asdict(one) for one in felt]))
    print("\n".join(table(felt)))


if __name__ == "__main__":
    main()
