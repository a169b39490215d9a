"""The collector's own wall clock is wrong: what is ahead of it is not refused for good (A4d)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from launcher.commands import Command
from launcher.layout import own_host
from otlp import gauge, metrics_request, post, rejected_points, resource_of
from stack import Running, binaries
from wall_clock import WallClock

DIRECTORY = """
customers:
  - {id: cliente-a, tokens: [{token: token-a, scope: ingest}]}
  - {id: cliente-b, tokens: [{token: token-b, scope: ingest}]}
"""
# Nothing listens where it writes to: what is kept waits.
COLLECTOR = """
extensions:
  health_check: {{endpoint: "{host}:13133"}}
  vigia_auth: {{directory: {{file: "{folder}/customers.yaml"}}}}
  file_storage: {{directory: "{folder}/log"}}
receivers:
  otlp: {{protocols: {{http: {{endpoint: "{host}:4318", auth: {{authenticator: vigia_auth}}}}}}}}
exporters:
  prometheusremotewrite/cold: {{endpoint: "http://{host}:9/api/v1/write", required: true}}
service:
  extensions: [health_check, vigia_auth, file_storage]
  telemetry: {{metrics: {{address: "{host}:8888"}}}}
  pipelines: {{metrics: {{receivers: [otlp], exporters: [prometheusremotewrite/cold]}}}}
"""
BEHIND_SECONDS = -6 * 60 - 5


class Clocked:
    """A collector alone, whose wall clock the test sets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host = own_host()
        self.clock = WallClock(folder)
        (folder / "customers.yaml").write_text(DIRECTORY)
        (folder / "collector.yaml").write_text(COLLECTOR.format(folder=folder, host=self.host))
        self.start()

    def start(self) -> None:
        words = [str(binaries() / "vigia-collector"), "--config", str(self.folder / "collector.yaml")]
        command = Command("collector", words, f"http://{self.host}:13133/health", env=self.clock.env)
        self.running = Running(command, self.folder / "collector.log")
        self.running.wait_until_ready()

    def send(self, customer: str) -> tuple[int, int]:
        """Status, and how many of one right point were refused."""
        metric = gauge("m", [(time.time_ns() // 1_000_000, 1.0)])
        body = metrics_request(resource_of(f"cliente-{customer}"), metric).SerializeToString()
        answer = post(f"http://{self.host}:4318", f"token-{customer}", body)
        return answer.status_code, rejected_points(answer) if answer.status_code == 200 else 0

    def says(self) -> str:
        return str(requests.get(f"http://{self.host}:13133/", timeout=5).json()["status"])

    def metric(self, name: str, **labels: str) -> float:
        text = requests.get(f"http://{self.host}:8888/metrics", timeout=5).text
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        found = [line for line in text.splitlines() if line.startswith(name) and all(part in line for part in wanted)]
        return sum(float(line.rsplit(" ", 1)[1]) for line in found)


@pytest.fixture
def clocked(tmp_path: Path) -> Iterator[Clocked]:
    made = Clocked(tmp_path)
    yield made
    made.running.end(9)


def test_where_several_customers_are_ahead_the_clock_is_in_doubt(clocked: Clocked) -> None:
    clocked.clock.set_ahead(BEHIND_SECONDS)
    for customer in ("a", "b", "a", "b", "a"):
        assert clocked.send(customer) == (503, 0)
    assert clocked.says() == "clock_in_doubt"
    assert clocked.metric("vigia_clock_in_doubt") == 1
    assert clocked.metric("vigia_items_rejected_total", customer_id="cliente-b", reason="clock") == 2
    assert clocked.running.tail().count("our wall clock seems to be behind") == 1
    clocked.clock.set_ahead(0)
    assert clocked.send("a") == (200, 0)
    assert clocked.send("b") == (200, 0)
    assert clocked.says() == "ok"
    assert clocked.metric("vigia_clock_in_doubt") == 0


def test_behind_a_record_that_was_kept_it_is_in_doubt_at_once(clocked: Clocked) -> None:
    assert clocked.send("a") == (200, 0)
    clocked.clock.set_ahead(BEHIND_SECONDS)
    assert clocked.send("a") == (503, 0)
    clocked.running.end(9)
    clocked.start()
    assert clocked.send("a") == (503, 0), "the record waits: its time is known after a restart"
    assert clocked.says() == "clock_in_doubt"
    clocked.clock.set_ahead(0)
    assert clocked.send("a") == (200, 0)
    assert clocked.says() == "ok"


def test_the_only_customer_of_a_fresh_collector_loses_nothing_to_its_clock(clocked: Clocked) -> None:
    """Nothing was ever kept, nobody else sends: who of the two is wrong is not known, and nothing is refused for good."""
    clocked.clock.set_ahead(BEHIND_SECONDS)
    for life in range(2):
        for _ in range(3):
            assert clocked.send("a") == (503, 0)
        assert clocked.says() == "clock_in_doubt"
        if life == 0:
            clocked.running.end(9)
            clocked.start()
    clocked.clock.set_ahead(0)
    assert clocked.send("a") == (200, 0)
    assert clocked.says() == "ok"
    # A second opinion is enough: then the one that is ahead is wrong itself.
    assert clocked.send("b") == (200, 0)
    clocked.clock.set_ahead(0)
    metric = gauge("m", [(time.time_ns() // 1_000_000 + 3_600_000, 1.0)])
    body = metrics_request(resource_of("cliente-b"), metric).SerializeToString()
    assert rejected_points(post(f"http://{clocked.host}:4318", "token-b", body)) == 1
    assert clocked.metric("vigia_items_rejected_total", customer_id="cliente-b", reason="future") == 1
