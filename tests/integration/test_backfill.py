"""`vigia-storage backfill`: what a real Prometheus holds comes into a cold store that runs, once, through kills."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from cold_neighbour import TOKEN, A, ColdStore
from cold_values import histogram_of
from launcher import parts
from launcher.commands import Command
from remote_read import SAMPLES, messages, post_read, read_request, samples_of
from remote_write import histogram, unpack, write, write_mixed
from stack import Running, binaries

STEP_MS = 15_000
DAYS = 3
OUT_OF_ORDER = """
global: {}
storage: {tsdb: {out_of_order_time_window: 30d}}
"""


@pytest.fixture
def hot(cold: ColdStore, tmp_path: Path) -> Iterator[str]:
    (tmp_path / "hot.yml").write_text(OUT_OF_ORDER)
    url = f"http://{cold.host}:9090"
    words = [
        str(parts.program("prometheus-3")),
        f"--config.file={tmp_path}/hot.yml",
        f"--storage.tsdb.path={tmp_path}/hot",
        f"--web.listen-address={cold.host}:9090",
        "--web.enable-remote-write-receiver",
        "--enable-feature=native-histograms",
    ]
    running = Running(Command("hot", words, f"{url}/-/ready", {}), tmp_path / "hot.log")
    try:
        running.wait_until_ready()
        yield url
    finally:
        running.end()


def words(cold: ColdStore, hot: str, from_ms: int, to_ms: int, *more: str) -> list[str]:
    command = [str(binaries() / "vigia-storage"), "backfill", "--config", str(cold.folder / "storage.yaml")]
    return [*command, "--prometheus", hot, "--from", f"{from_ms / 1000}", "--to", f"{to_ms / 1000}", *more]


def backfill(cold: ColdStore, hot: str, from_ms: int, to_ms: int, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words(cold, hot, from_ms, to_ms, *more), capture_output=True, text=True, timeout=200)


def histograms_of(answer: requests.Response) -> list[bytes]:
    results = messages(unpack(answer.content), 1)
    return [made for result in results for series in messages(result, 1) for made in messages(series, 4)]


def test_what_a_prometheus_holds_comes_into_the_store_once(cold: ColdStore, hot: str, tmp_path: Path) -> None:
    chance = random.Random(6)
    end_ms = int(time.time() * 1000) // STEP_MS * STEP_MS - STEP_MS
    start_ms = end_ms - DAYS * 86_400_000
    times = range(start_ms, end_ms, 20 * STEP_MS)
    for customer in ("cliente-a", "cliente-b", ""):
        for number in range(4):
            labels = {"__name__": "kept", "n": str(number)} | ({"customer_id": customer} if customer else {})
            write(hot, [(labels, [(t, chance.random()) for t in times])], {})
    labels = {"__name__": "h", "customer_id": "cliente-a"}
    write_mixed(hot, labels, [], [histogram(t, [1.0, 2.0], is_float=False) for t in times])
    request = read_request([("kept", start_ms, end_ms)])
    truth = samples_of(post_read(hot, request, SAMPLES, {}))
    assert len(truth) == 12

    # One customer's, killed on the way.
    state = ("--customer", "cliente-a", "--state", str(tmp_path / "state"))
    for _ in range(4):
        command = words(cold, hot, start_ms, end_ms, *state)
        running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            running.wait(0.05 + chance.random() * 0.2)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
    done = backfill(cold, hot, start_ms, end_ms, *state)
    assert done.returncode == 0, done.stdout + done.stderr
    of_a = {key: values for key, values in truth.items() if ("customer_id", "cliente-a") in key}
    assert samples_of(post_read(cold.url, request, SAMPLES, TOKEN)) == of_a
    assert samples_of(post_read(cold.url, request, SAMPLES, A)) == of_a
    another = backfill(cold, hot, start_ms, end_ms - 1, *state)
    assert another.returncode == 2
    assert "of another backfill" in another.stderr

    # All of it; what is there already is there once.
    stored = cold.own_metric("vigia_storage_samples_stored_total")
    everything = backfill(cold, hot, start_ms, end_ms)
    assert everything.returncode == 0, everything.stdout + everything.stderr
    assert samples_of(post_read(cold.url, request, SAMPLES, TOKEN)) == truth
    assert cold.own_metric("vigia_storage_samples_stored_total") - stored == 8 * len(times)
    assert cold.own_metric("vigia_storage_samples_repeated_total") >= 5 * len(times)
    of_h = read_request([("h", start_ms, end_ms)])
    histograms = histograms_of(post_read(cold.url, of_h, SAMPLES, A))
    assert len(histograms) == len(times)
    of_hot = histograms_of(post_read(hot, of_h, SAMPLES, {}))
    assert [histogram_of(one) for one in histograms] == [histogram_of(one) for one in of_hot]

    # Of another value the one that was there stays, and it is told.
    write(cold.url, [({"__name__": "kept", "n": "new", "customer_id": "cliente-a"}, [(end_ms, 1.0)])], A)
    write(hot, [({"__name__": "kept", "n": "new", "customer_id": "cliente-a"}, [(end_ms, 2.0)])], {})
    conflict = backfill(cold, hot, end_ms, end_ms)
    assert conflict.returncode == 1, conflict.stdout + conflict.stderr
    assert "in conflict" in conflict.stdout
    nobody = backfill(cold, f"http://{cold.host}:9", end_ms, end_ms, "--customer", "Bad Name")
    assert nobody.returncode == 2
