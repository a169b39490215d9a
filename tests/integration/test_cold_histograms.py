"""Native histograms from the cold store, beside a real Prometheus that holds the same and is read the same way."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from launcher import parts
from launcher.commands import Command
from launcher.layout import own_host
from remote_write import histogram, write_mixed
from stack import Running, binaries

TOKEN = {"Authorization": "Bearer secret"}
STEP_MS = 15_000
GAUGE = 3
STORAGE = """
listen: {host}:9096
metrics: {{listen: "{host}:9196"}}
internal_token: secret
store: {{rocksdb: {{directory: "{folder}/storage"}}}}
"""
QUERY = """
global: {{}}
remote_read: [{{url: "{url}/api/v1/read", read_recent: true, authorization: {{credentials: secret}}}}]
"""
EXPRESSIONS = (
    "h[20m]",
    "resets(h[6m])",
    "resets(h[20m])",
    "changes(h[6m])",
    "rate(h[5m])",
    "increase(h[15m])",
    "delta(h[5m])",
    "sum_over_time(h[3m])",
    "histogram_count(h)",
    "histogram_sum(rate(h[5m]))",
    "histogram_quantile(0.9, rate(h[5m]))",
    "sum(h)",
)


class Reads:
    """vigia-storage and a Prometheus with the same data, and over each an empty Prometheus that evaluates."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host = own_host()
        self.running: list[Running] = []
        self.cold = f"http://{self.host}:9096"
        self.truth = f"http://{self.host}:9090"
        (folder / "storage.yaml").write_text(STORAGE.format(folder=folder, host=self.host))
        (folder / "truth.yml").write_text("global: {}\n")

    def start(self) -> None:
        words = [str(binaries() / "vigia-storage"), "--config", str(self.folder / "storage.yaml")]
        self._run(Command("storage", words, f"{self.cold}/ready", {}))
        self._prometheus("truth", 9090, "--web.enable-remote-write-receiver")
        for name, url, port in (("over-cold", self.cold, 9091), ("over-truth", self.truth, 9092)):
            (self.folder / f"{name}.yml").write_text(QUERY.format(url=url))
            self._prometheus(name, port)

    def _prometheus(self, name: str, port: int, *flags: str) -> None:
        words = [
            str(parts.program("prometheus-3")),
            f"--config.file={self.folder}/{name}.yml",
            f"--storage.tsdb.path={self.folder}/{name}",
            f"--web.listen-address={self.host}:{port}",
            "--enable-feature=native-histograms",
            *flags,
        ]
        self._run(Command(name, words, f"http://{self.host}:{port}/-/ready", {}))

    def _run(self, command: Command) -> None:
        self.running.append(Running(command, self.folder / f"{command.name}.log"))
        self.running[-1].wait_until_ready()

    def write(self, kind: str, samples: list[tuple[int, float]], histograms: list[bytes]) -> None:
        labels = {"__name__": "h", "customer_id": "cliente-a", "kind": kind}
        write_mixed(self.cold, labels, samples, histograms, {**TOKEN, "X-Vigia-Customer": "cliente-a"})
        write_mixed(self.truth, labels, samples, histograms)

    def evaluate(self, port: int, expression: str, at_ms: int) -> Any:
        answer = requests.get(
            f"http://{self.host}:{port}/api/v1/query",
            params={"query": expression, "time": str(at_ms / 1000)},
            timeout=60,
        )
        assert answer.status_code == 200, f"{expression}: {answer.text}"
        return sorted(answer.json()["data"]["result"], key=lambda entry: str(entry["metric"]))


@pytest.fixture
def reads(tmp_path: Path) -> Iterator[Reads]:
    made = Reads(tmp_path)
    try:
        made.start()
        yield made
    finally:
        for running in made.running:
            running.end(9)


def buckets_at(number: int) -> list[float]:
    """Grows, loses everything at the twentieth step, and has one bucket more from the thirtieth on."""
    since = number if number < 20 else number - 20
    return [since * 2.0 + 1, since + 3.0, *([float(since)] if number >= 30 else [])]


def test_histograms_read_as_from_a_prometheus(reads: Reads) -> None:
    """D-F2: float histograms and mixed series failed or gave other values."""
    start_ms = (int(time.time()) // 15 - 60) * STEP_MS
    times = [start_ms + n * STEP_MS for n in range(50)]
    for is_float in (False, True):
        name = "float" if is_float else "integer"
        reads.write(name, [], [histogram(t, buckets_at(n), is_float=is_float) for n, t in enumerate(times)])
        gauges = [histogram(t, buckets_at(n), is_float=is_float, hint=GAUGE) for n, t in enumerate(times)]
        reads.write(f"{name} gauge", [], gauges)
        # Floats, then histograms, then floats: Prometheus takes a series as it comes, in the order of time.
        for part in range(5):
            some = list(enumerate(times))[part * 10 : part * 10 + 10]
            floats = [(t, float(n)) for n, t in some] if part % 2 == 0 else []
            packed = [] if floats else [histogram(t, buckets_at(n), is_float=is_float, offset=2) for n, t in some]
            reads.write(f"{name} mixed", floats, packed)
    compared = 0
    for expression in EXPRESSIONS:
        for at_ms in (*times[::7], times[-1] + 60_000):
            expected = reads.evaluate(9092, expression, at_ms)
            assert reads.evaluate(9091, expression, at_ms) == expected, f"{expression} at {at_ms - start_ms}"
            compared += len(expected)
    assert compared > 200
