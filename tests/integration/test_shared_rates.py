"""Several collectors behind a balancer grant together what the directory says, each its part (`vigia_auth.collectors`)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from launcher.commands import Command
from launcher.layout import own_host
from otlp import gauge, metrics_request, post, resource_of
from stack import Running, binaries

RATE = 1000  # points a second, of the customer over all collectors
COLLECTORS = 2
POINTS = 50  # of a request
SECONDS = 12.0

DIRECTORY = f"""
customers:
  - {{id: cliente-a, limits: {{points_per_second: {RATE}}}, tokens: [{{token: token-a, scope: ingest}}]}}
"""
COLLECTOR = """
extensions:
  health_check: {{endpoint: "{host}:13133"}}
  vigia_auth: {{directory: {{file: "{folder}/customers.yaml"}}, collectors: {collectors}}}
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


class OneOfSeveral:
    """A collector with its own address and log."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.host = own_host()
        (folder / "customers.yaml").write_text(DIRECTORY)
        text = COLLECTOR.format(folder=folder, host=self.host, collectors=COLLECTORS)
        (folder / "collector.yaml").write_text(text)
        words = [str(binaries() / "vigia-collector"), "--config", str(folder / "collector.yaml")]
        command = Command("collector", words, f"http://{self.host}:13133/health")
        self.running = Running(command, folder / "collector.log")
        self.running.wait_until_ready()

    def send(self) -> requests.Response:
        now_ms = time.time_ns() // 1_000_000
        points = [(now_ms - at, 1.0) for at in range(POINTS)]
        body = metrics_request(resource_of("cliente-a"), gauge("m", points)).SerializeToString()
        return post(f"http://{self.host}:4318", "token-a", body)

    def taken_in(self, seconds: float) -> int:
        """Points that it took of a sender who sends as fast as it can, and waits a moment when refused."""
        taken = 0
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            answer = self.send()
            if answer.status_code == 200:
                taken += POINTS
                continue
            assert answer.status_code == 429, answer.text
            assert f"of {RATE} among {COLLECTORS} collectors" in answer.text
            time.sleep(0.05)
        return taken


@pytest.fixture
def collectors(tmp_path: Path) -> Iterator[list[OneOfSeveral]]:
    started: list[OneOfSeveral] = []
    try:
        for index in range(COLLECTORS):
            started.append(OneOfSeveral(tmp_path / f"collector-{index}"))
        yield started
    finally:
        for one in started:
            one.running.end()


def test_all_collectors_together_grant_the_rate_of_the_directory(collectors: list[OneOfSeveral]) -> None:
    began = time.monotonic()
    with ThreadPoolExecutor(COLLECTORS) as threads:
        taken = list(threads.map(lambda one: one.taken_in(SECONDS), collectors))
    lasted = time.monotonic() - began
    # A bucket of ten seconds, which may be overdrawn by ten more (rate_limiter.hpp).
    most = RATE * (lasted + 20) + COLLECTORS * POINTS
    assert RATE * SECONDS < sum(taken) <= most, taken
    assert max(taken) <= most / COLLECTORS, "each its part"
