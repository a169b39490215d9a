"""The cold store alone: what it acknowledged survives kill -9, and both Prometheus versions read the same from it."""

from __future__ import annotations

import math
import random
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from launcher.commands import Command
from launcher.layout import own_host
from remote_read import SAMPLES, post_read, read_request, samples_of
from remote_write import write
from stack import Running, binaries, prometheus_programs, wait_for

TOKEN = {"Authorization": "Bearer secret"}
STEP_MS = 15_000
KILLS = 5

STORAGE = """
listen: {host}:{storage}
metrics: {{listen: "{host}:{metrics}"}}
internal_token: secret
store: {{rocksdb: {{directory: "{folder}/storage"}}}}
"""
QUERY = """
global: {{}}
remote_read:
  - url: http://{host}:{storage}/api/v1/read
    read_recent: true
    authorization: {{credentials: secret}}
"""


class ColdStore:
    """vigia-storage, and one Prometheus of each version that evaluates over it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        names = ("storage", "metrics", *(name for name, _ in prometheus_programs()))
        self.host = own_host()
        self.port = dict(zip(names, range(9096, 9096 + len(names)), strict=True))
        self.url = f"http://{self.host}:{self.port['storage']}"
        self.running: dict[str, Running] = {}
        (folder / "storage.yaml").write_text(STORAGE.format(folder=folder, host=self.host, **self.port))
        (folder / "query.yml").write_text(QUERY.format(host=self.host, **self.port))

    def start(self) -> None:
        words = [str(binaries() / "vigia-storage"), "--config", str(self.folder / "storage.yaml")]
        self._run("storage", Command("storage", words, f"{self.url}/ready", {}))

    def kill(self) -> None:
        self.running.pop("storage").end(9)

    def start_queries(self) -> None:
        for name, program in prometheus_programs():
            url = f"http://{self.host}:{self.port[name]}"
            words = [
                str(program),
                f"--config.file={self.folder}/query.yml",
                f"--storage.tsdb.path={self.folder}/{name}",
                f"--web.listen-address={self.host}:{self.port[name]}",
            ]
            self._run(name, Command(name, words, f"{url}/-/ready", {}))

    def _run(self, name: str, command: Command) -> None:
        self.running[name] = Running(command, self.folder / f"{name}.log")
        self.running[name].wait_until_ready()

    def query(self, version: str, expression: str) -> list[dict[str, Any]]:
        url = f"http://{self.host}:{self.port[version]}/api/v1/query"
        answer = requests.get(url, params={"query": expression}, timeout=60)
        assert answer.status_code == 200, answer.text
        result: list[dict[str, Any]] = answer.json()["data"]["result"]
        return result

    def own_metrics(self) -> dict[str, float]:
        text = requests.get(f"http://{self.host}:{self.port['metrics']}/metrics", timeout=10).text
        pairs = (line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
        return {key: float(value) for key, value in pairs}


@pytest.fixture
def cold(tmp_path: Path) -> Iterator[ColdStore]:
    store = ColdStore(tmp_path)
    try:
        store.start()
        yield store
    finally:
        for running in store.running.values():
            running.end(9)


def labels(customer: str, series: int) -> dict[str, str]:
    return {"__name__": "probe", "customer_id": customer, "series": str(series)}


def value_of(customer: str, series: int, number: int) -> float:
    return float(number * 1000 + series * 10 + len(customer))


class Writer(threading.Thread):
    """Writes numbered samples of one customer, each batch until it is acknowledged."""

    SERIES = 7

    def __init__(self, url: str, customer: str, start_ms: int) -> None:
        super().__init__()
        self.url, self.customer, self.start_ms = url, customer, start_ms
        self.acknowledged = 0
        self.failures = 0
        self.over = threading.Event()

    def run(self) -> None:
        headers = {**TOKEN, "X-Vigia-Customer": self.customer}
        while not self.over.is_set():
            number = self.acknowledged
            sample = [
                (labels(self.customer, s), [(self.start_ms + number * STEP_MS, value_of(self.customer, s, number))])
                for s in range(self.SERIES)
            ]
            try:
                write(self.url, sample, headers)
                self.acknowledged += 1
            except (requests.RequestException, AssertionError):
                self.failures += 1
                time.sleep(0.02)  # the program is being started again


def test_what_is_acknowledged_survives_kills(cold: ColdStore) -> None:
    now_ms = int(time.time()) * 1000
    writers = [Writer(cold.url, customer, now_ms - 3000 * STEP_MS) for customer in ("cliente-a", "cliente-bb")]
    for writer in writers:
        writer.start()
    moments = random.Random(7)
    for _ in range(KILLS):
        time.sleep(moments.uniform(0.3, 1.2))  # the load runs meanwhile; this is the fault's moment, not a wait
        cold.kill()
        cold.start()
    for writer in writers:
        writer.over.set()
        writer.join()
        assert writer.acknowledged > 50
    cold.start_queries()
    for version, _ in prometheus_programs():
        for writer in writers:
            found = cold.query(version, f'probe{{customer_id="{writer.customer}"}}[1d]')
            assert len(found) == Writer.SERIES
            for entry in found:
                series = int(entry["metric"]["series"])
                samples = {round(float(t) * 1000): float(v) for t, v in entry["values"]}
                assert len(samples) == len(entry["values"]), "doubled"
                expected = {
                    writer.start_ms + n * STEP_MS: value_of(writer.customer, series, n)
                    for n in range(writer.acknowledged)
                }
                lost = [t for t in expected if t not in samples]
                assert lost == [], f"{version}: {len(lost)} of {len(expected)} lost"
                # One batch more may be there: written, its answer cut off by the last kill.
                foreign = [t for t in samples if t not in expected]
                assert len(foreign) <= 1
                assert all(samples[t] == v for t, v in expected.items()), "damaged"


def test_late_repeated_and_conflicting_samples(cold: ColdStore) -> None:
    cold.start_queries()
    now_ms = int(time.time()) // 15 * 15_000
    headers = {**TOKEN, "X-Vigia-Customer": "cliente-a"}
    run = [(now_ms - n * STEP_MS, float(n)) for n in range(2000, -1, -1)]
    gap = run[300:600]
    write(cold.url, [(labels("cliente-a", 0), run[:300] + run[600:])], headers)
    write(cold.url, [(labels("cliente-a", 0), gap[150:])], headers)
    write(cold.url, [(labels("cliente-a", 0), run)], headers)  # the first half of the gap, and 1,851 repeats
    with pytest.raises(AssertionError, match="400 .*1 in conflict"):
        write(cold.url, [(labels("cliente-a", 0), [(run[5][0], -1.0)])], headers)
    for version, _ in prometheus_programs():
        entry = cold.query(version, "probe[1d]")[0]
        assert [(round(float(t) * 1000), float(v)) for t, v in entry["values"]] == run, version
    own = cold.own_metrics()
    assert own["vigia_storage_samples_stored_total"] == len(run)
    assert own["vigia_storage_samples_late_total"] == len(gap)
    assert own["vigia_storage_samples_repeated_total"] == len(run) - 150
    assert own["vigia_storage_samples_conflicting_total"] == 1


def test_series_are_listed_from_their_days(cold: ColdStore) -> None:
    """For /api/v1/series a Prometheus says so in its hints: no sample is read, and the day of one is enough."""
    cold.start_queries()
    hour_ms, day_ms = 3_600_000, 86_400_000
    day = int(time.time() * 1000) // day_ms * day_ms - day_ms
    headers = {**TOKEN, "X-Vigia-Customer": "cliente-a"}
    write(cold.url, [(labels("cliente-a", 0), [(day + 6 * hour_ms, 1.0)])], headers)
    write(cold.url, [(labels("cliente-a", 1), [(day - day_ms + 6 * hour_ms, 1.0)])], headers)

    def listed(version: str, from_ms: int, to_ms: int) -> list[dict[str, str]]:
        asked = {"match[]": "probe", "start": f"{from_ms / 1000}", "end": f"{to_ms / 1000}"}
        answer = requests.get(f"http://{cold.host}:{cold.port[version]}/api/v1/series", params=asked, timeout=60)
        assert answer.status_code == 200, answer.text
        data: list[dict[str, str]] = answer.json()["data"]
        return sorted(data, key=lambda series: series["series"])

    both = [labels("cliente-a", 0), labels("cliente-a", 1)]
    for version, _ in prometheus_programs():
        assert listed(version, day + 10 * hour_ms, day + 11 * hour_ms) == both[:1], version
        assert listed(version, day - day_ms, day + 11 * hour_ms) == both, version
        assert listed(version, day - 9 * day_ms, day - 8 * day_ms) == [], version


def test_every_response_type_gives_the_same(cold: ColdStore) -> None:
    """Special values, steps of every width and many series, asked of 2.42 (samples) and 3.x (chunks)."""
    cold.start_queries()
    now_ms = int(time.time()) * 1000
    dice = random.Random(3)
    headers = {**TOKEN, "X-Vigia-Customer": "cliente-a"}
    for series in range(50):
        time_ms = now_ms - 20 * 3_600_000
        samples = []
        for _ in range(400):
            time_ms += dice.choice([1, 15_000, 15_001, 14_000, 8_192, 65_537, 600_000])
            samples.append((min(time_ms, now_ms), dice.choice([0.0, -0.0, float("inf"), 1e300, dice.random()])))
        unique = sorted(dict(samples).items())
        write(cold.url, [(labels("cliente-a", series), unique)], headers)
    (old, _), (new, _) = prometheus_programs()
    expression = "sort_desc(sum by (series) (count_over_time(probe[1d])))"
    assert len(cold.query(old, "probe[1d]")) == 50
    wait_for("the same from both", lambda: cold.query(old, "probe[1d]") == cold.query(new, "probe[1d]"), 5)
    assert cold.query(old, expression)


@pytest.mark.parametrize("count", [70_000, 140_000])
def test_samples_a_millisecond_apart_come_back_bit_by_bit(cold: ColdStore, count: int) -> None:
    """D14: more samples than any chunk holds, extreme values among them, read before and after kill -9."""
    begin_ms = int(time.time() * 1000) - count
    extremes = [0.0, -0.0, 5e-324, -1.7976931348623157e308, math.inf, -math.inf, 1e-300, 2.0**53 + 1]
    samples = [(begin_ms + n, extremes[n % 97] if n % 97 < len(extremes) else n / 7) for n in range(count)]
    headers = {**TOKEN, "X-Vigia-Customer": "cliente-a"}
    for at in range(0, count, 20_000):
        write(cold.url, [(labels("cliente-a", 0), samples[at : at + 20_000])], headers)

    def are_there() -> None:
        request = read_request([("probe", begin_ms, begin_ms + count)])
        (found,) = samples_of(post_read(cold.url, request, SAMPLES, TOKEN)).values()
        assert list(found) == [time_ms for time_ms, _ in samples]
        assert struct.pack(f"<{count}d", *found.values()) == struct.pack(f"<{count}d", *(v for _, v in samples))

    are_there()
    cold.kill()
    cold.start()
    are_there()
