"""`vigia-storage delete --config` on a real Cassandra node: a customer goes for ever, through kills on the way and from what
two instances have open, and his neighbour keeps all."""

from __future__ import annotations

import random
import subprocess
import time
from pathlib import Path

import pytest
import requests
from cassandra_server import OwnCassandra
from cold_store import TOKEN
from otlp import log_request, post, resource_of
from remote_read import SAMPLES, post_read, read_request, samples_of
from remote_write import write
from stack import binaries, wait_for
from test_cassandra_store import StorageOnCassandra, yesterday_ms

pytestmark = pytest.mark.cassandra

GOES = "cliente-a"
STAYS = "cliente-b"
KEYSPACE = "deleted"
LEASE = "3s"
_WAITING = "vigia_storage_closed_chunks_waiting_bytes"


def words(storage: StorageOnCassandra, *more: str) -> list[str]:
    program = str(binaries() / "vigia-storage")
    return [program, "delete", "--config", str(storage.config), "--customer", GOES, *more]


def delete(storage: StorageOnCassandra, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words(storage, *more), capture_output=True, text=True, timeout=120, check=False)


def headers(customer: str) -> dict[str, str]:
    return {**TOKEN, "X-Vigia-Customer": customer}


def labels(customer: str, series: int) -> dict[str, str]:
    return {"__name__": "probe", "customer_id": customer, "series": str(series)}


def fill(storage: StorageOnCassandra, customer: str, begin: int) -> None:
    """Four hours of ten series, so that some of it is in closed chunks and some of it open; a log record beside it."""
    for ms in range(begin, begin + 4 * 3_600_000, 60_000):
        samples = [(labels(customer, one), [(ms, float(one))]) for one in range(10)]
        write(storage.url, samples, headers(customer))
    body = log_request(resource_of(customer), f"said by {customer}").SerializeToString()
    answer = post(storage.url, "secret", body, signal="logs", headers={"X-Vigia-Customer": customer})
    assert answer.status_code == 200, answer.text


def answers(storage: StorageOnCassandra, customer: str) -> tuple[object, str]:
    """Its samples and its log records."""
    read = post_read(storage.url, read_request([("probe", 0, 2**62)]), SAMPLES, headers(customer))
    assert read.status_code == 200, read.text
    span = {"start": "0", "end": str(time.time() + 60)}
    records = requests.get(f"{storage.url}/api/v1/logs", params=span, headers=headers(customer), timeout=30)
    assert records.status_code == 200, records.text
    return samples_of(read), records.json()["data"]


def test_a_deleted_customer_is_gone_from_the_cluster_and_the_neighbour_keeps_all(
    cassandra: OwnCassandra, tmp_path: Path
) -> None:
    """Two instances have something of him open. None may live; the command is killed six times; each instance's log is emptied."""
    one, two = (StorageOnCassandra(tmp_path / name, cassandra.node.contact_point, KEYSPACE, LEASE) for name in "ab")
    try:
        one.start()
        begin = yesterday_ms(6)
        for customer in (GOES, STAYS):
            fill(one, customer, begin)
        wait_for("closed chunks are in the cluster", lambda: one.metrics().get(_WAITING) == 0)
        before = answers(one, STAYS)
        samples = before[0]
        assert isinstance(samples, dict)
        assert len(samples) == 10
        assert all(len(found) == 240 for found in samples.values())
        two.start()
        write(two.url, [(labels(GOES, 10), [(begin, 1.0)])], headers(GOES))
        write(two.url, [(labels(STAYS, 10), [(begin, 1.0)])], headers(STAYS))

        alive = delete(one, "--yes")
        assert alive.returncode == 2, alive.stdout
        assert "stop every vigia-storage" in alive.stderr
        one.kill()  # what is open lies in the log, and in the cluster
        alive = delete(one, "--yes")
        assert alive.returncode == 2, alive.stdout
        assert "stop every vigia-storage" in alive.stderr
        two.kill()

        said = delete(one)
        assert said.returncode == 1, said.stdout + said.stderr
        for table in ("series: ", "chunk_days: ", "head_rows: ", "log_rows: "):
            assert f"\n  {table}" in said.stdout, said.stdout
        chance = random.Random(5)
        for _ in range(6):  # kills of it: while it waits for signs of life, and behind that
            running = subprocess.Popen(words(one, "--yes"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                running.wait(2.5 + chance.random() * 4)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()
        done = delete(one, "--yes")
        # Whoever was killed last may have come to its end, and named the other instance.
        assert done.returncode == 0 or "the write-ahead log of the instance" in done.stdout, done.stdout + done.stderr
        other = delete(two, "--yes")
        assert other.returncode == 0, other.stdout + other.stderr
        assert f"nothing of customer {GOES} is left" in other.stdout
        said = delete(two)
        assert said.returncode == 0, said.stdout
        for storage in (one, two):
            assert GOES not in (storage.folder / "vigia-customers").read_text()
            assert not list((storage.folder / "wal").glob("segment-*"))

        one.start()
        two.start()
        for storage in (one, two):
            samples, records = answers(storage, STAYS)
            assert isinstance(samples, dict)
            assert samples.pop(tuple(sorted(labels(STAYS, 10).items()))) == {begin: 1.0}
            assert (samples, records) == before
            assert answers(storage, GOES)[0] == {}
            assert f"said by {GOES}" not in str(answers(storage, GOES)[1])
    finally:
        one.kill()
        two.kill()
