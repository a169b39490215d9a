"""Two real Prometheus as hot behind one router: a pair, each written and scraped, or two shards."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from launcher import commands
from launcher.commands import Command
from launcher.layout import beside
from reading import MINUTE_MS, Reading
from remote_write import write
from stack import Running, Stack, wait_for

MEMBERS = ("hot-0-a", "hot-0-b")
SHARDS = ("hot-0", "hot-1")
Rows = Sequence[tuple[Mapping[str, str], Sequence[tuple[int, float]]]]


def sent_of(stack: Stack, exporter: str) -> float:
    """Points of cliente-a that this remote write has delivered."""
    found = 0.0
    for key, value in stack.own_metrics("collector_metrics").items():
        labels = dict(re.findall(r'(\w+)="([^"]*)"', key))
        if not key.startswith("vigia_items_sent_total{") or labels["customer_id"] != "cliente-a":
            continue
        if labels["exporter"] == f"prometheusremotewrite/{exporter}" and labels["signal"] == "metrics":
            found += value
    return found


class TwoHot(Reading):
    """As Reading, with two Prometheus, by their names in the router's metrics."""

    names: tuple[str, str]

    def __init__(self, stack: Stack) -> None:
        super().__init__(stack, gap_max="15m")  # the heartbeats that a test writes are to last as long as it runs
        layout = stack.layout
        first, second = self.names
        self.layouts = {
            first: layout,
            second: replace(layout, host=beside(layout.host, 2), data=layout.data / "b"),
        }
        file = layout.config / "router.yaml"
        lines = [line for line in file.read_text().splitlines() if not line.startswith("hot:")]
        file.write_text("\n".join([*lines, f"hot: {{shards: [{self.shards()}]}}"]) + "\n")

    def shards(self) -> str:
        """As the router's configuration names them."""
        raise NotImplementedError

    def member_url(self, name: str) -> str:
        return self.layouts[name].url("hot")

    def _command(self, name: str) -> Command:
        command = commands.hot(self.layouts[name], self.stack.hot_program)
        return replace(command, name=name)

    def start_member(self, name: str) -> None:
        running = Running(self._command(name), self.stack.folder / "log" / f"{name}.log")
        self.stack.running[name] = running
        running.wait_until_ready()

    def start(self) -> None:
        self.stack.start("storage")
        for name in self.names:
            self.start_member(name)
        self.stack.start("prometheus-query", "router")

    def to_member(self, name: str, rows: Rows) -> None:
        write(self.member_url(name), [(dict(labels), list(samples)) for labels, samples in rows])

    def beat_at(self, name: str, count: int) -> None:
        """So many heartbeats in one member, and as long the scrapes of a Prometheus that was always there."""
        newest_ms = int(time.time() * 1000) // MINUTE_MS * MINUTE_MS
        times = [(newest_ms - n * MINUTE_MS, 1.0) for n in reversed(range(count))]
        beats = {"__name__": "vigia_hot_heartbeat", "shard": name if name in SHARDS else "hot-0"}
        scrapes = {"__name__": "up", "job": "otel-collector", "instance": "before"}
        self.to_member(name, [(scrapes, times)])
        self.to_member(name, [(beats, times)])  # last: what is there when they are seen is what counts

    def asked_of(self, store: str) -> float:
        """Requests that were sent there for callers; what the router looks at by itself is left out."""
        lanes = "usual", "unknown", "heavy", "look_up"
        metrics = self.stack.own_metrics("router_metrics")
        name = "vigia_router_upstream_lane_requests_total"
        return sum(metrics.get(f'{name}{{lane="{lane}",upstream="{store}"}}', 0) for lane in lanes)


class Pair(TwoHot):
    """hot-0 is a pair; who writes to hot writes to both unless it names a member."""

    names = MEMBERS

    def shards(self) -> str:
        urls = ", ".join(f'"{self.member_url(name)}"' for name in MEMBERS)
        return f"{{name: hot-0, urls: [{urls}]}}"

    def wipe(self, name: str) -> None:
        """It comes back empty."""
        self.stack.kill(name)
        shutil.rmtree(self.layouts[name].data / "prometheus-hot")
        self.start_member(name)

    def to_hot(self, labels: dict[str, str], samples: list[tuple[int, float]]) -> None:
        for name in MEMBERS:
            self.to_member(name, [(labels, samples)])

    def beat(self, count: int, every_ms: int = MINUTE_MS) -> None:
        assert every_ms == MINUTE_MS
        for name in MEMBERS:
            self.beat_at(name, count)

    def covered(self, name: str) -> float:
        """How many seconds of the past the router knows that member to hold."""
        for key, value in self.stack.own_metrics("router_metrics").items():
            if key.startswith("vigia_router_hot_covered_seconds{") and f'member="{name}"' in key:
                return value
        raise KeyError(name)

    def wait_for_coverage(self, *names: str, seconds: float = 1800) -> None:
        wait_for(f"{names} cover", lambda: all(self.covered(name) > seconds for name in names))

    def own_member(self, token: str) -> str:
        """Which member this customer asks first."""
        before = {name: self.asked_of(name) for name in MEMBERS}
        for _ in range(20):
            assert self.ask("/api/v1/query", token, query="up").status_code == 200
        return max(MEMBERS, key=lambda name: self.asked_of(name) - before[name])

    def hour(self, query: str = "a_own_total") -> dict[str, Any]:
        now = self.now_ms / 1000
        return {"query": query, "start": now - 1800, "end": now, "step": 60}


class Split(TwoHot):
    """Two shards; cliente-a has both, and its nodes are split over them."""

    names = SHARDS

    def __init__(self, stack: Stack) -> None:
        super().__init__(stack)
        file = stack.layout.config / "customers.yaml"
        file.write_text(file.read_text().replace("    hot_shard: hot-0\n", "    hot_shards: [hot-0, hot-1]\n", 1))

    def shards(self) -> str:
        return ", ".join(f'{{name: {name}, url: "{self.member_url(name)}"}}' for name in SHARDS)

    def to_hot(self, labels: dict[str, str], samples: list[tuple[int, float]]) -> None:
        """As the collector: what has no node goes to both."""
        node = labels.get("node_id", "")
        is_split = labels["customer_id"] == "cliente-a"
        chosen = SHARDS[:1] if not is_split else SHARDS if not node else (shard_of_node(node),)
        for name in chosen:
            self.to_member(name, [(labels, samples)])


def shard_of_node(node: str) -> str:
    """As libs/tenancy/hot_shards.cpp, written anew."""

    def weight(shard: str) -> int:
        bits = (1 << 64) - 1
        value = 0xCBF29CE484222325
        for byte in f"{shard}\0{node}".encode():
            value = (value ^ byte) * 0x100000001B3 & bits
        value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & bits
        value = (value ^ value >> 27) * 0x94D049BB133111EB & bits
        return value ^ value >> 31

    return max(SHARDS, key=weight)
