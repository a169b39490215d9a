"""`vigia-storage inspect`: what was acknowledged is read back three ways, from the folder and from who answers."""

from __future__ import annotations

import json
import random
import subprocess
import time
from pathlib import Path
from typing import Any

import requests
from cold_neighbour import A, B, ColdStore
from cold_store import StorageAlone
from launcher import parts
from launcher.commands import Command
from remote_read import CHUNKS, SAMPLES, post_read, read_request, samples_of
from remote_write import write
from stack import Running, binaries
from streamed_chunks import streamed_samples

Stored = dict[tuple[tuple[str, str], ...], dict[int, float]]
STEP_MS = 15_000
READS_COLD = """
global: {{}}
remote_read: [{{url: "{url}/api/v1/read", read_recent: true, headers: {{X-Vigia-Customer: cliente-a}},
  authorization: {{credentials: secret}}}}]
"""


def inspect(cold: ColdStore, *words: str) -> subprocess.CompletedProcess[str]:
    command = [str(binaries() / "vigia-storage"), "inspect", str(cold.folder / "storage"), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def raw_samples(text: str) -> tuple[Stored, set[str]]:
    """Of lines for one time the one with the lowest version, the log's last; and where they lay."""
    best: dict[tuple[tuple[tuple[str, str], ...], int], tuple[float, float]] = {}
    places = set()
    for line in map(json.loads, text.splitlines()):
        place = (tuple(sorted(line["labels"].items())), line["time_ms"])
        found = (line.get("version", float("inf")), float(line["value"]))
        best[place] = min(best.get(place, found), found, key=lambda pair: pair[0])
        places.add(line["place"])
    stored: Stored = {}
    for (labels, time_ms), (_, value) in best.items():
        stored.setdefault(labels, {})[time_ms] = value
    return stored, places


def ask_promql(cold: ColdStore | StorageAlone, folder: Path, query: str, at_ms: int) -> list[dict[str, Any]]:
    """As a real Prometheus without data of its own gives it."""
    (folder / "reads.yml").write_text(READS_COLD.format(url=cold.url))
    url = f"http://{cold.host}:9091"
    words = [
        str(parts.program("prometheus-3")),
        f"--config.file={folder}/reads.yml",
        f"--storage.tsdb.path={folder}/reads",
        f"--web.listen-address={cold.host}:9091",
    ]
    running = Running(Command("reads", words, f"{url}/-/ready", {}), folder / "reads.log")
    try:
        running.wait_until_ready()
        answer = requests.get(f"{url}/api/v1/query", params={"query": query, "time": str(at_ms / 1000)}, timeout=30)
        assert answer.status_code == 200, answer.text
        result: list[dict[str, Any]] = answer.json()["data"]["result"]
        return result
    finally:
        running.end()


def by_promql(cold: ColdStore | StorageAlone, folder: Path, start_ms: int, end_ms: int) -> Stored:
    seconds = (end_ms - start_ms) // 1000 + 1
    return {
        tuple(sorted(series["metric"].items())): {round(t * 1000): float(v) for t, v in series["values"]}
        for series in ask_promql(cold, folder, f"kept[{seconds}s]", end_ms)
    }


def test_what_was_acknowledged_is_read_back_three_ways(cold: ColdStore, tmp_path: Path) -> None:
    chance = random.Random(8)
    end_ms = int(time.time() * 1000) // STEP_MS * STEP_MS
    start_ms = end_ms - 500 * STEP_MS
    acknowledged: Stored = {}

    def add(number: int, samples: list[tuple[int, float]]) -> None:
        labels = {"__name__": "kept", "customer_id": "cliente-a", "n": str(number)}
        write(cold.url, [(labels, samples)], A)
        acknowledged.setdefault(tuple(sorted(labels.items())), {}).update(samples)

    times = [start_ms + n * STEP_MS for n in range(500)]
    for number in range(6):
        add(number, [(t, chance.choice([chance.random(), float(number), float("inf")])) for t in times[:400:2]])
        write(cold.url, [({"__name__": "kept", "customer_id": "cliente-b"}, [(times[number], 7.0)])], B)
    cold.end(15)
    cold.start()
    for number in range(6):
        add(number, [(t, chance.random()) for t in times[1:300:2]])  # late
        add(number, [(t, chance.random()) for t in times[400:]])
    assert inspect(cold).returncode == 2
    cold.end(9)  # what is open lies in the log alone

    raw = inspect(cold, "--raw", "--customer", "cliente-a", "--series", '{__name__="kept"}')
    assert raw.returncode == 0, raw.stderr
    stored, places = raw_samples(raw.stdout)
    assert places == {"chunks", "log"}
    assert stored == acknowledged
    summary = inspect(cold)
    assert summary.returncode == 0, summary.stderr
    assert "customer cliente-a (number 1)" in summary.stdout
    assert "customer cliente-b (number 2)" in summary.stdout

    cold.start()
    request = read_request([("kept", start_ms, end_ms)])
    assert samples_of(post_read(cold.url, request, SAMPLES, A)) == acknowledged
    assert streamed_samples(post_read(cold.url, request, CHUNKS, A).content) == acknowledged
    assert by_promql(cold, tmp_path, start_ms, end_ms) == acknowledged
    cold.end(15)
    after, _ = raw_samples(inspect(cold, "--raw", "--customer", "cliente-a").stdout)
    assert after == acknowledged
