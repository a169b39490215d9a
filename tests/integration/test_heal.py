"""Healing from hot: what a real Prometheus made while the cold store was away, and never sent, comes into it once."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import yaml
from cold_neighbour import TOKEN, A, B, ColdStore
from launcher import parts
from launcher.commands import Command
from launcher.paths import ROOT
from remote_read import CHUNKS, post_read, read_request
from stack import Running, wait_for
from streamed_chunks import streamed_samples

NAMES = ("up", "vigia:nodes_up:sum", "ALERTS", "ALERTS_FOR_STATE", "scrape_samples_scraped")
CUSTOMERS = ("cliente-a", "cliente-b", "")
RULES = """
groups:
  - name: made
    interval: 1s
    rules:
      - {record: "vigia:nodes_up:sum", expr: 'sum by (customer_id) (up{job="customer-agents"})'}
      - {alert: NodeWatched, expr: 'up{job="customer-agents"} >= 0', labels: {severity: none}}
"""
HEAL = "heal: {{prometheus: '{url}', interval: 5s, settle: 2s, back: 30m}}"


class Hot:
    """A Prometheus that scrapes three customers' nodes, and sends what the shipped one sends, but for cliente-c's."""

    def __init__(self, folder: Path, cold: ColdStore) -> None:
        self.folder = folder
        self.url = f"http://{cold.host}:9090"
        self.running: Running | None = None
        shipped = yaml.safe_load((ROOT / "deploy/prometheus/prometheus-hot.yml").read_text())
        (write,) = shipped["remote_write"]
        without_c = {"source_labels": ["customer_id"], "regex": "cliente-c", "action": "drop"}
        target = f"{cold.host}:9196"
        node = {"customer_id": "cliente-a", "node_id": "n"}
        nodes = [{"targets": [target], "labels": {**node, "customer_id": f"cliente-{one}"}} for one in "abc"]
        keep = [{"source_labels": ["__name__"], "regex": "vigia_build_info", "action": "keep"}]
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(folder / "rules.yml")],
            "scrape_configs": [
                {"job_name": "customer-agents", "static_configs": nodes, "metric_relabel_configs": keep},
                {
                    "job_name": "vigia-storage",
                    "static_configs": [{"targets": [target]}],
                    "metric_relabel_configs": keep,
                },
            ],
            "remote_write": [
                {
                    "url": f"{cold.url}/api/v1/write",
                    "authorization": {"type": "Bearer", "credentials": "secret"},
                    "write_relabel_configs": [*write["write_relabel_configs"], without_c],
                    "queue_config": {"batch_send_deadline": "200ms"},
                    "metadata_config": {"send": False},
                }
            ],
        }
        (folder / "rules.yml").write_text(RULES)
        (folder / "hot.yml").write_text(yaml.safe_dump(config))

    def start(self) -> None:
        words = [
            str(parts.program("prometheus-3")),
            f"--config.file={self.folder}/hot.yml",
            f"--storage.tsdb.path={self.folder}/hot",
            f"--web.listen-address={self.url.removeprefix('http://')}",
            "--storage.remote.flush-deadline=1s",  # so long its end waits for a store that is away
        ]
        self.running = Running(Command("hot", words, f"{self.url}/-/ready", {}), self.folder / "hot.log")
        self.running.wait_until_ready()

    def end(self) -> None:
        if self.running is not None:
            self.running.end()
        self.running = None


@pytest.fixture
def hot(cold: ColdStore, tmp_path: Path) -> Iterator[Hot]:
    made = Hot(tmp_path, cold)
    try:
        made.start()
        yield made
    finally:
        made.end()


Series = tuple[tuple[str, str], ...]
Found = dict[Series, dict[int, bytes]]


def customer_of(key: Series) -> str:
    return dict(key).get("customer_id", "")


def read(url: str, headers: dict[str, str], from_ms: int, to_ms: int) -> Found:
    """What Prometheus makes, by series and time, the values bit by bit; a sample that comes twice fails the test."""
    found: Found = {}
    for name in NAMES:
        request = read_request([(name, from_ms, to_ms)])
        for key, values in streamed_samples(post_read(url, request, CHUNKS, headers).content).items():
            inside = {at: struct.pack(">d", value) for at, value in values.items() if from_ms <= at <= to_ms}
            if inside:
                found[key] = inside
    return found


def made(hot: Hot, from_ms: int, to_ms: int) -> Found:
    """Of the customers whom the store may know."""
    of_all = read(hot.url, {}, from_ms, to_ms)
    return {key: values for key, values in of_all.items() if customer_of(key) in CUSTOMERS}


def lacks(cold: ColdStore, truth: Found, from_ms: int, to_ms: int) -> dict[Series, list[int]]:
    stored = read(cold.url, TOKEN, from_ms, to_ms)
    return {key: sorted(set(values) - set(stored.get(key, {}))) for key, values in truth.items()}


def now_ms() -> int:
    return int(time.time() * 1000)


def wait_for_sent(cold: ColdStore, hot: Hot, seconds: float) -> None:
    """Hot has made something for so long, and the store has the newest of each customer."""
    until_ms = now_ms() + int(seconds * 1000)

    def is_sent() -> bool:
        stored = read(cold.url, TOKEN, until_ms, until_ms + 3_600_000)
        return {(customer_of(key), dict(key)["__name__"]) for key in stored} >= {
            *((customer, "up") for customer in CUSTOMERS),
            *((customer, name) for customer in CUSTOMERS[:2] for name in NAMES),
        }

    wait_for("what hot makes comes into the store", is_sent, 90)


# R-RR-3
def test_what_the_store_missed_of_hots_own_series_comes_into_it_once(cold: ColdStore, hot: Hot) -> None:
    begin_ms = now_ms()
    wait_for_sent(cold, hot, 3)

    # Away, and Prometheus begins anew meanwhile: what it made before it never sends.
    cold.end(15)
    away_ms = now_ms()
    wait_for("hot makes something meanwhile", lambda: len(read(hot.url, {}, away_ms + 4_000, now_ms())) > 5)
    hot.end()
    hot.start()
    cold.start()
    wait_for_sent(cold, hot, 2)
    end_ms = now_ms() - 3_000
    truth = made(hot, begin_ms, end_ms)
    holes = lacks(cold, truth, begin_ms, end_ms)
    for customer in CUSTOMERS:
        names = {dict(key)["__name__"] for key, times in holes.items() if times and customer_of(key) == customer}
        expected = set(NAMES) if customer else {"up", "scrape_samples_scraped"}
        assert names == expected, (customer, holes)
    missing = sum(len(times) for times in holes.values())

    # Another Prometheus' answer, or none, is a failure that is told, and holds up neither start nor end.
    cold.configure(HEAL.format(url=f"http://{cold.host}:9"))
    cold.end(15)
    cold.start()
    wait_for("a failure is counted", lambda: cold.own_metric("vigia_storage_heal_failures_total") > 0)
    cold.end(15)
    assert "healing from hot failed" in (cold.folder / "storage.log").read_text()

    cold.configure(HEAL.format(url=hot.url))
    cold.start()
    wait_for("the store lacks nothing", lambda: not any(lacks(cold, truth, begin_ms, end_ms).values()), 60)
    assert read(cold.url, TOKEN, begin_ms, end_ms) == truth
    for customer, headers in (("cliente-a", A), ("cliente-b", B)):
        own = read(cold.url, headers, begin_ms, end_ms)
        assert own == {key: values for key, values in truth.items() if customer_of(key) == customer}
    assert cold.own_metric("vigia_storage_heal_samples_stored_total") >= missing
    assert cold.own_metric("vigia_storage_heal_holes_total") >= len([times for times in holes.values() if times])
    assert cold.own_metric("vigia_storage_samples_conflicting_total") == 0

    # What nobody sent of a customer is not taken on hot's word.
    wait_for("cliente-c is named", lambda: cold.own_metric("vigia_storage_heal_unknown_customers") == 1)
    answer = requests.get(f"{cold.url}/api/v1/label/customer_id/values", headers=TOKEN, timeout=10)
    assert answer.json()["data"] == ["cliente-a", "cliente-b"]

    # Over kills: what was compared is not compared again, and nothing comes twice.
    stretches = cold.own_metric("vigia_storage_heal_stretches_total")
    cold.kill_and_start()
    wait_for("it goes on", lambda: cold.own_metric("vigia_storage_heal_stretches_total") > 0, 60)
    assert cold.own_metric("vigia_storage_heal_stretches_total") < stretches
    assert read(cold.url, TOKEN, begin_ms, end_ms) == truth
