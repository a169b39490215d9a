"""`vigia-storage inspect --config` on a real Cassandra node: what was acknowledged is read back three ways, from the tables and
from who answers."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest
from cassandra_server import OwnCassandra
from cold_store import TOKEN
from remote_read import CHUNKS, SAMPLES, post_read, read_request, samples_of
from remote_write import write
from stack import binaries, wait_for
from streamed_chunks import streamed_samples
from test_cassandra_store import StorageOnCassandra, yesterday_ms
from test_inspect import Stored, by_promql, raw_samples

pytestmark = pytest.mark.cassandra

STEP_MS = 15_000
A = {**TOKEN, "X-Vigia-Customer": "cliente-a"}
B = {**TOKEN, "X-Vigia-Customer": "cliente-b"}
_WAITING = "vigia_storage_closed_chunks_waiting_bytes"


def inspect(storage: StorageOnCassandra, *words: str) -> subprocess.CompletedProcess[str]:
    command = [str(binaries() / "vigia-storage"), "inspect", "--config", str(storage.config), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_what_was_acknowledged_is_read_back_three_ways(cassandra: OwnCassandra, tmp_path: Path) -> None:
    """Closed chunks, late samples and what is open; from the tables beside the log, and from another folder without it."""
    storage = StorageOnCassandra(tmp_path / "one", cassandra.node.contact_point, "inspected")
    other = StorageOnCassandra(tmp_path / "two", cassandra.node.contact_point, "inspected")
    chance = random.Random(8)
    start_ms = yesterday_ms(6)
    times = [start_ms + n * STEP_MS for n in range(1_000)]  # four hours
    acknowledged: Stored = {}

    def add(number: int, samples: list[tuple[int, float]]) -> None:
        labels = {"__name__": "kept", "customer_id": "cliente-a", "n": str(number)}
        write(storage.url, [(labels, samples)], A)
        acknowledged.setdefault(tuple(sorted(labels.items())), {}).update(samples)

    try:
        storage.start()
        for number in range(6):
            add(number, [(t, chance.choice([chance.random(), float(number), float("inf")])) for t in times[:800:2]])
            write(storage.url, [({"__name__": "kept", "customer_id": "cliente-b"}, [(times[number], 7.0)])], B)
        for number in range(6):
            add(number, [(t, chance.random()) for t in times[1:600:2]])  # late
            add(number, [(t, chance.random()) for t in times[800:]])
        wait_for("closed chunks are in the cluster", lambda: storage.metrics().get(_WAITING) == 0)
        assert inspect(storage).returncode == 2, "the folder is held"
        storage.kill()

        raw = inspect(storage, "--raw", "--customer", "cliente-a", "--series", '{__name__="kept"}')
        assert raw.returncode == 0, raw.stderr
        stored, places = raw_samples(raw.stdout)
        assert places == {"chunks", "log", "copies"}
        assert stored == acknowledged
        other.folder.mkdir()
        elsewhere = inspect(other, "--raw", "--customer", "cliente-a")
        assert elsewhere.returncode == 0, elsewhere.stderr
        stored, places = raw_samples(elsewhere.stdout)
        assert places == {"chunks", "copies"}
        assert stored == acknowledged
        assert not list(other.folder.glob("vigia-customers*")), "nothing is changed"

        summary = inspect(storage)
        assert summary.returncode == 0, summary.stderr
        for line in ("format: keyspace inspected, step ", "customer cliente-a (number ", "customer cliente-b (number "):
            assert line in summary.stdout, summary.stdout
        assert "\n  chunks_" in summary.stdout
        assert "\n  series: 6 rows" in summary.stdout
        unknown = inspect(storage, "--customer", "cliente-c")
        assert unknown.returncode == 2, unknown.stdout
        assert "no customer cliente-c" in unknown.stderr

        verified = subprocess.run(
            [str(binaries() / "vigia-storage"), "verify", "--config", str(storage.config)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert verified.returncode == 0, verified.stdout + verified.stderr
        for line in ("store: 11 tables, ", "chunks of customer cliente-a: ", "no damage was found"):
            assert line in verified.stdout, verified.stdout

        storage.start()
        request = read_request([("kept", start_ms, times[-1])])
        assert samples_of(post_read(storage.url, request, SAMPLES, A)) == acknowledged
        assert streamed_samples(post_read(storage.url, request, CHUNKS, A).content) == acknowledged
        assert by_promql(storage, tmp_path, start_ms, times[-1]) == acknowledged
    finally:
        storage.kill()
