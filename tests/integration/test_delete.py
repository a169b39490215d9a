"""`vigia-storage delete`: a customer goes for ever, through kills on the way, and his neighbour keeps all."""

from __future__ import annotations

import random
import subprocess
import time
from pathlib import Path

from cold_neighbour import A, B, ColdStore, sample_bytes
from remote_read import SAMPLES, post_read, read_request, samples_of
from remote_write import series_bytes, write, write_bytes
from stack import binaries

MARK = "mark7Zk1pVw93xTt0LsQ"
STEP_MS = 15_000
SAMPLES_EACH = 4_000


def words(cold: ColdStore, *more: str) -> list[str]:
    folder = str(cold.folder / "storage")
    return [str(binaries() / "vigia-storage"), "delete", folder, "--customer", "cliente-a", *more]


def delete(cold: ColdStore, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words(cold, *more), capture_output=True, text=True, timeout=120, check=False)


def bytes_with(folder: Path, text: str) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def fill(cold: ColdStore, customer: str, headers: dict[str, str], mark: str, start_ms: int) -> None:
    values = random.Random(customer)
    for number in range(10):
        labels = {"__name__": "kept", "customer_id": customer, "n": str(number), "mark": f"{mark}{number}"}
        samples = sample_bytes(start_ms, STEP_MS, [values.random() for _ in range(SAMPLES_EACH)])
        assert write_bytes(cold.url, series_bytes(labels, samples), headers).status_code == 204
        write(cold.url, [(labels, [(start_ms + 7, 1.0)])], headers)  # late


def test_a_deleted_customer_is_gone_through_kills_and_the_neighbour_keeps_all(cold: ColdStore) -> None:
    folder = cold.folder / "storage"
    start_ms = int(time.time() * 1000) // STEP_MS * STEP_MS - SAMPLES_EACH * STEP_MS
    fill(cold, "cliente-a", A, MARK, start_ms)
    fill(cold, "cliente-b", B, "other", start_ms)
    request = read_request([("kept", 0, start_ms + SAMPLES_EACH * STEP_MS)])
    before = samples_of(post_read(cold.url, request, SAMPLES, B))
    assert len(before) == 10
    assert all(len(samples) == SAMPLES_EACH + 1 for samples in before.values())
    in_use = delete(cold, "--yes")
    assert in_use.returncode == 2
    assert "stop vigia-storage first" in in_use.stderr
    cold.end(9)  # what is open lies in the log
    assert bytes_with(folder, MARK)

    chance = random.Random(3)
    for _ in range(6):  # kills of it, at any moment
        running = subprocess.Popen(words(cold, "--yes"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            running.wait(chance.random() * 0.6)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
    done = delete(cold, "--yes")
    # The last of those that were killed may have come to its end: then nobody of that name is there.
    assert done.returncode == 0 or "no customer cliente-a" in done.stderr, done.stdout + done.stderr
    if done.returncode == 0:
        assert "nothing of customer cliente-a is left" in done.stdout
    assert bytes_with(folder, MARK) == []
    assert bytes_with(folder, "cliente-a") == []
    assert not list((folder / "wal").glob("segment-*"))
    verified = [str(binaries() / "vigia-storage"), "verify", "--config", str(cold.folder / "storage.yaml")]
    assert subprocess.run(verified, capture_output=True, timeout=120, check=False).returncode == 0

    config = [str(binaries() / "vigia-storage"), "delete", "--config", str(cold.folder / "storage.yaml")]
    said = subprocess.run(
        [*config, "--customer", "cliente-b"], capture_output=True, text=True, timeout=120, check=False
    )
    assert said.returncode == 1, said.stderr
    assert "before: customer cliente-b" in said.stdout
    both = subprocess.run([*config, *words(cold)[2:]], capture_output=True, text=True, timeout=120, check=False)
    assert both.returncode == 2, both.stdout
    assert "either the store's folder or its --config" in both.stderr

    cold.start()
    assert samples_of(post_read(cold.url, request, SAMPLES, B)) == before
    assert samples_of(post_read(cold.url, request, SAMPLES, A)) == {}
    fill(cold, "cliente-a", A, "anew", start_ms)
    assert len(samples_of(post_read(cold.url, request, SAMPLES, A))) == 10
    assert samples_of(post_read(cold.url, request, SAMPLES, B)) == before
