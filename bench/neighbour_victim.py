"""Customer B of the fairness bench: what it does all the time, and what it feels meanwhile."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import requests
from otlp import gauge, metrics_request, post, resource_of
from rest import Caller
from stack import Stack

CUSTOMER = "cliente-b"
CALM_DOWN_SECONDS = 60
# Five of B's nodes send a point a second each, and five of its people ask one query a second: a hundred of each in 20 s, of
# which a 99th percentile can be told.
BEAT_SECONDS = 0.2
WATCHED = ("collector", "storage", "router", "monitor", "prometheus-hot", "prometheus-query")


@dataclass
class Felt:
    """What B measured. Times in seconds."""

    name: str
    fault: str
    ingest: list[float] = field(default_factory=list)
    query: list[float] = field(default_factory=list)
    hot_lag: list[float] = field(default_factory=list)
    page: list[float] = field(default_factory=list)
    alert_delay: float = -1
    refused: int = 0
    sent: int = 0
    lost_hot: int = 0
    lost_cold: int = 0
    rss_mib: dict[str, int] = field(default_factory=dict)
    cpu_cores: dict[str, float] = field(default_factory=dict)  # of our programs and the Prometheuses, on average
    rules_failed: int = 0  # evaluations of hot that failed, and notifications that it dropped
    of_a: dict[str, int] = field(default_factory=dict)
    rejected_of_a: int = 0  # points, spans or records that a 200 refused
    why_of_a: str = ""
    is_legal: bool = False
    broken: str = ""  # what went wrong with the load itself


class Victim:
    """Customer B for the time of one load: its nodes send a point, and its people ask a query, each BEAT_SECONDS; one of them has
    the overview open. On threads of their own."""

    def __init__(self, stack: Stack, felt: Felt, number: int) -> None:
        self.stack, self.felt, self.number = stack, felt, number
        self.begin_ms = time.time_ns() // 1_000_000
        self.failed_before = failed_in_hot(stack)
        self.stopping = threading.Event()
        self.acknowledged: dict[int, float] = {}
        self.seen: dict[int, float] = {}
        self.threads = [threading.Thread(target=run) for run in self.parts()]
        for thread in self.threads:
            thread.start()

    def parts(self) -> tuple[Callable[[], None], ...]:
        return (self.send, self.ask, self.look, self.watch, self.open_page)

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
            self.stopping.wait(max(0, began + BEAT_SECONDS - time.monotonic()))

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
            self.stopping.wait(max(0, began + BEAT_SECONDS - time.monotonic()))

    def open_page(self) -> None:
        """The overview of one of B's people, once a second."""
        own = self.stack.secrets["customers"][CUSTOMER]
        person = Caller(self.stack.layout.url("monitor"))
        is_in = False
        while not self.stopping.is_set():
            began = time.monotonic()
            try:
                if not is_in:
                    person.log_in(own["user"], own["password"])
                    is_in = True
                is_answered = person.call("GET", "/overview").status_code == 200
            except (requests.RequestException, AssertionError):
                is_answered = False
            self.felt.page.append(time.monotonic() - began)
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
        """Memory and processor time of the programs, and when Alertmanager has B's alert."""
        began = time.monotonic()
        before = {name: cpu_seconds(self.stack.running[name].pid) for name in WATCHED}
        while not self.stopping.is_set():
            for name in WATCHED:
                rss = resident_mib(self.stack.running[name].pid)
                self.felt.rss_mib[name] = max(self.felt.rss_mib.get(name, 0), rss)
            if self.felt.alert_delay < 0 and self.is_alerted():
                self.felt.alert_delay = time.monotonic() - began
            time.sleep(0.25)
        for name in WATCHED:
            used = cpu_seconds(self.stack.running[name].pid) - before[name]
            self.felt.cpu_cores[name] = round(used / (time.monotonic() - began), 2)

    def is_alerted(self) -> bool:
        try:
            return any(a["labels"].get("round") == str(self.number) for a in self.stack.alerts())
        except (requests.RequestException, ValueError):
            return False

    def settle(self) -> None:
        """Waits until all that B sent is there, then counts what is not."""
        self.felt.rules_failed = failed_in_hot(self.stack) - self.failed_before
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


def cpu_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def failed_in_hot(stack: Stack) -> int:
    """What hot counts of alerting that failed, everybody's: evaluations in error or missed, notifications dropped."""
    names = (
        "prometheus_rule_evaluation_failures_total",
        "prometheus_rule_group_iterations_missed_total",
        "prometheus_notifications_dropped_total",
    )
    found = stack.own_metrics("hot")
    return int(sum(value for key, value in found.items() if key.partition("{")[0] in names))
