"""What one customer's heavy reads cost the router, the stores and the others: turns, clients that leave, memory."""

from __future__ import annotations

import socket
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from remote_write import write
from stack import Stack, wait_for
from test_router import MINUTE_MS, Reading

SERIES = 400
# Some seconds of one core of Prometheus each, and little memory: 10,000 steps of 400 series, several times.
SLOW = " + ".join(["sum(last_over_time(load[3h]))"] * 12)


class Loaded(Reading):
    """Two customers' samples in hot, and requests that nobody waits for to the end."""

    def fill(self) -> None:
        self.beat(60 * 24)
        at_ms = int(time.time() * 1000) - MINUTE_MS
        rows = [
            ({"__name__": "load", "customer_id": "cliente-a", "n": str(n)}, [(at_ms, float(n))]) for n in range(SERIES)
        ]
        write(self.stack.layout.url("hot"), rows)
        self.to_both({"__name__": "light", "customer_id": "cliente-b"}, [(at_ms, 1.0)])
        wait_for("hot covers", lambda: self.ask("/api/v1/query", query="load").headers["x-vigia-served"][:3] == "hot")

    def open_slow(self) -> socket.socket:
        """A range query of cliente-a, sent and not read."""
        host, _, port = self.stack.layout.address("router").partition(":")
        end = int(time.time())
        query = urllib.parse.urlencode({"query": SLOW, "start": end - 9_999, "end": end, "step": 1})
        client = socket.create_connection((host, int(port)), timeout=10)
        client.sendall(
            f"GET /api/v1/query_range?{query} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer read-a\r\n\r\n".encode()
        )
        return client

    def at_hot(self) -> float:
        """Queries that hot works on or keeps waiting."""
        text = requests.get(f"{self.stack.layout.url('hot')}/metrics", timeout=10).text
        lines = [line for line in text.splitlines() if line.startswith("prometheus_engine_queries ")]
        return float(lines[0].split()[1])


@pytest.fixture
def loaded(tmp_path: Path) -> Iterator[Loaded]:
    with Stack(tmp_path, agents=[]) as stack:
        reading = Loaded(stack)
        file = stack.layout.config / "router.yaml"
        file.write_text(file.read_text() + "at_store: {slow_per_customer_max: 1}\n")
        reading.start()
        reading.fill()
        yield reading


def test_b5_slow_queries_of_one_customer_leave_the_stores_cores_to_the_others(loaded: Loaded) -> None:
    clients = [loaded.open_slow() for _ in range(30)]
    wait_for("one of them is at hot", lambda: loaded.at_hot() >= 1)
    seen = []
    for _ in range(20):
        assert loaded.result("light", "read-b")[0]["value"][1] == "1"
        seen.append(loaded.at_hot())
    # The router's own questions about heartbeats are among them now and then.
    assert sorted(seen)[len(seen) // 2] <= 1, seen
    assert max(seen) <= 2, seen
    for client in clients:
        client.close()


def test_whoever_leaves_takes_its_work_along(loaded: Loaded) -> None:
    """As many as one customer may have under way: the next one would be 429 as long as any was worked on."""
    clients = [loaded.open_slow() for _ in range(64)]
    wait_for("one of them is at hot", lambda: loaded.at_hot() >= 1)
    over = loaded.ask("/api/v1/query", query="1")
    assert over.status_code == 429, "all places are taken"
    for client in clients:
        client.close()
    wait_for("the places are given back", lambda: loaded.ask("/api/v1/query", query="1").status_code == 200, 5)
    wait_for("hot has stopped", lambda: loaded.at_hot() < 1, 5)
    assert len(loaded.result("load")) == SERIES
    metrics = loaded.stack.own_metrics("router_metrics")
    assert metrics['vigia_router_requests_total{code="499",route="/api/v1/query_range"}'] == 64
    assert metrics.get('vigia_router_upstream_errors_total{upstream="hot-0"}', 0) == 0, "none of the store's"


def test_whoever_leaves_and_comes_again_holds_nothing(loaded: Loaded) -> None:
    """What waits in the row of a store goes with its client, too."""
    slow = loaded.open_slow()
    wait_for("it is at hot", lambda: loaded.at_hot() >= 1)
    for _ in range(300):
        loaded.open_slow().close()
    slow.close()
    wait_for("hot has stopped, and nothing came after it", lambda: loaded.at_hot() < 1, 5)
    assert len(loaded.result("load")) == SERIES
