"""`vigia-storage copy`: everything, or one customer, goes from one store into another, through kills on the way."""

from __future__ import annotations

import random
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import requests
from cassandra_server import OwnCassandra
from cold_neighbour import TOKEN, A, B, ColdStore, sample_bytes
from otlp import log_request, post, resource_of, span_request
from remote_read import SAMPLES, post_read, read_request, rolled_request, samples_of
from remote_write import series_bytes, write, write_bytes
from stack import binaries, wait_for

DAY_MS = 86_400_000
STEP_MS = 15_000
SAMPLES_EACH = 12_000  # two days
CUSTOMERS = {"cliente-a": A, "cliente-b": B}
TRACE = "0a" * 16


def words(source: ColdStore, target: Path, *more: str) -> list[str]:
    program = str(binaries() / "vigia-storage")
    return [program, "copy", "--from", str(source.folder / "storage.yaml"), "--to", str(target), *more]


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)


def fill(cold: ColdStore) -> int:
    """Samples, some of them late or in conflict, spans and log records of both; the time of the first."""
    start_ms = int(time.time() * 1000) // STEP_MS * STEP_MS - SAMPLES_EACH * STEP_MS
    for customer, headers in CUSTOMERS.items():
        values = random.Random(customer)
        for number in range(10):
            labels = {"__name__": "kept", "customer_id": customer, "n": str(number)}
            samples = sample_bytes(start_ms, STEP_MS, [values.random() for _ in range(SAMPLES_EACH)])
            assert write_bytes(cold.url, series_bytes(labels, samples), headers).status_code == 204
            write(cold.url, [(labels, [(start_ms + 7, 1.0)])], headers)  # late
        fenced = {"X-Vigia-Customer": customer}
        for number in range(60):  # several log records of one time, spans of two days
            log = log_request(resource_of(customer, f"n{number % 3}"), f"line {number}")
            time_ns = (start_ms + number // 4 * 3_600_000) * 1_000_000
            log.resource_logs[0].scope_logs[0].log_records[0].time_unix_nano = time_ns
            sent = post(cold.url, "secret", log.SerializeToString(), signal="logs", headers=fenced)
            assert sent.status_code == 200, sent.text
            trace = span_request(resource_of(customer), bytes.fromhex(TRACE), (number + 1).to_bytes(8, "big"), "GET")
            span = trace.resource_spans[0].scope_spans[0].spans[0]
            span.start_time_unix_nano = (start_ms + number * 2_400_000) * 1_000_000
            span.end_time_unix_nano = span.start_time_unix_nano + 1_000
            sent = post(cold.url, "secret", trace.SerializeToString(), signal="traces", headers=fenced)
            assert sent.status_code == 200, sent.text
    return start_ms


def answers(cold: ColdStore, headers: dict[str, str], start_ms: int) -> dict[str, Any]:
    """All that the customer is answered."""
    end_ms = start_ms + SAMPLES_EACH * STEP_MS
    span = {"start": str(start_ms / 1000 - 1000), "end": str(end_ms / 1000 + 60), "limit": "1000"}
    found: dict[str, Any] = {
        "samples": samples_of(post_read(cold.url, read_request([("kept", 0, end_ms)]), SAMPLES, headers))
    }
    for path in ("series?matcher=__name__=kept", "logs?direction=backward", f"traces/{TRACE}"):
        answer = requests.get(f"{cold.url}/api/v1/{path}", params=span, headers=headers, timeout=30)
        found[path] = answer.json()["data"] if answer.status_code == 200 else answer.status_code
    found["series?matcher=__name__=kept"].sort(key=str)  # they come by ids, which differ
    return found


KEPT_LONG = "retention: {raw: 100d, rollup_5m: 2y, rollup_1h: 2y, rollup_1d: 5y, interval: 1s}"
KEPT_SHORT = "retention: {raw: 10d, rollup_5m: 2y, rollup_1h: 2y, rollup_1d: 5y, interval: 1s}"
ROLLED_DAYS = 20  # the first forty days ago


def fill_days(cold: ColdStore) -> int:
    """Samples of days of both, of which roll-ups are made; the first of these days."""
    now_ms = int(time.time() * 1000)
    first_ms = now_ms // DAY_MS * DAY_MS - 40 * DAY_MS
    for customer, headers in CUSTOMERS.items():
        values = random.Random(customer)
        for number in range(3):
            labels = {"__name__": "kept", "customer_id": customer, "n": str(number)}
            samples = sample_bytes(first_ms + 60_000, 600_000, [values.random() for _ in range(ROLLED_DAYS * 144)])
            assert write_bytes(cold.url, series_bytes(labels, samples), headers).status_code == 204
            write(cold.url, [(labels, [(now_ms - 3 * DAY_MS, 2.0), (now_ms, 1.0)])], headers)
    return first_ms


def windows(cold: ColdStore, headers: dict[str, str], first_ms: int) -> dict[str, Any]:
    """What the customer is answered of windows of the days."""
    found: dict[str, Any] = {}
    for rollup in (f"{width}:{part}" for width in ("5m", "1h", "1d") for part in ("sum", "count", "last", "max")):
        request = rolled_request("kept", rollup, first_ms, first_ms + ROLLED_DAYS * DAY_MS - 1)
        answer = post_read(cold.url, request, SAMPLES, headers)
        found[rollup] = samples_of(answer) if answer.status_code == 200 else (answer.status_code, answer.text)
    return found


def wait_until_rolled_up(cold: ColdStore) -> None:
    def is_rolled_up() -> bool:
        names = ("days_due", "marked", "resting")
        return [cold.own_metric(f"vigia_storage_rollup_{name}") for name in names] == [0, 1, 1]

    wait_for("all days are rolled up", is_rolled_up, 90)


def tell_time(cold: ColdStore) -> None:
    """Days are over by what comes in."""
    write(cold.url, [({"__name__": "now", "customer_id": "cliente-a"}, [(int(time.time() * 1000), 1.0)])], A)


def wait_until_answered(cold: ColdStore, headers: dict[str, str], first_ms: int, wanted: dict[str, Any]) -> None:
    """Once it has looked at the days that are marked there."""
    tell_time(cold)
    wait_for("windows are answered as before", lambda: windows(cold, headers, first_ms) == wanted, 60)
    wait_until_rolled_up(cold)
    assert windows(cold, headers, first_ms) == wanted


def let_raw_go(cold: ColdStore, first_ms: int) -> dict[str, dict[str, Any]]:
    """Rolls up what there is, and keeps samples no longer; what is answered then of windows, by customer."""
    wait_until_rolled_up(cold)
    cold.end(15)
    cold.configure(KEPT_SHORT)
    cold.start()
    tell_time(cold)
    wait_for("the time is in doubt", lambda: cold.own_metric("vigia_storage_expiry_held") == 1, 30)
    assert requests.post(f"{cold.url}/api/v1/retention/confirm", headers=TOKEN, timeout=10).status_code == 200
    swept = cold.own_metric("vigia_storage_expiry_sweeps_total")
    wait_for("samples go", lambda: cold.own_metric("vigia_storage_expiry_sweeps_total") >= swept + 3, 30)
    answered = {customer: windows(cold, headers, first_ms) for customer, headers in CUSTOMERS.items()}
    for found in answered.values():
        assert [len(series) for series in found["1h:count"].values()] == [ROLLED_DAYS * 24] * 3
        assert [sum(series.values()) for series in found["1d:count"].values()] == [ROLLED_DAYS * 144.0] * 3
    cold.end(15)
    raw = run(
        [
            str(binaries() / "vigia-storage"),
            "inspect",
            str(cold.folder / "storage"),
            "--customer",
            "cliente-a",
            "--raw",
            "--to",
            str(first_ms // 1000 + (ROLLED_DAYS + 1) * 86_400),
        ]
    )
    assert raw.returncode == 0, raw.stderr
    assert '"place":"chunks"' not in raw.stdout, "samples have gone"
    return answered


def other(tmp_path: Path, name: str) -> ColdStore:
    (tmp_path / name).mkdir()
    return ColdStore(tmp_path / name)


def test_all_is_copied_through_kills_and_answered_alike(cold: ColdStore, tmp_path: Path) -> None:
    start_ms = fill(cold)
    before = {customer: answers(cold, headers, start_ms) for customer, headers in CUSTOMERS.items()}
    assert all(len(samples) == SAMPLES_EACH + 1 for samples in before["cliente-a"]["samples"].values())
    assert len(before["cliente-a"]["logs?direction=backward"]) == 60
    target = other(tmp_path, "copy")
    state = str(tmp_path / "state")
    command = words(cold, target.folder / "storage.yaml", "--state", state, "--yes")
    in_use = run(command)
    assert in_use.returncode == 2
    assert "stop vigia-storage first" in in_use.stderr
    cold.end(9)  # what is open lies in the log
    asked = run(command[:-1])
    assert asked.returncode == 1
    assert "nothing was copied" in asked.stdout
    assert not (target.folder / "storage").exists()

    chance = random.Random(5)
    for _ in range(8):  # kills of it, at any moment
        running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            running.wait(chance.random() * 0.8)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
    done = run(command)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the stores are equal" in done.stdout
    again = run([*command[:-3], "--yes"])  # without a state: all is looked at anew
    assert again.returncode == 0, again.stdout + again.stderr
    assert "written: 0 rows of samples, " in again.stdout
    assert " 0 spans, 0 log records, metadata of 0 metrics; there already: " in again.stdout

    for store in (target, cold):  # the source answers as it did
        store.start()
        try:
            for customer, headers in CUSTOMERS.items():
                assert answers(store, headers, start_ms) == before[customer]
        finally:
            store.end(15)
    target.start()
    write(target.url, [({"__name__": "kept", "customer_id": "cliente-b"}, [(start_ms, 1.0)])], B)
    target.end(15)
    verified = run(words(cold, target.folder / "storage.yaml", "--verify-only"))
    assert verified.returncode == 1, verified.stdout + verified.stderr
    different = [line for line in verified.stdout.splitlines() if line.startswith("DIFFERENT")]
    assert len(different) == 1
    assert different[0].startswith("DIFFERENT cliente-b ")
    assert " samples: " in different[0]


def test_a_customer_is_copied_alone(cold: ColdStore, tmp_path: Path) -> None:
    start_ms = fill(cold)
    before = answers(cold, A, start_ms)
    cold.end(15)
    target = other(tmp_path, "copy")
    done = run(words(cold, target.folder / "storage.yaml", "--customer", "cliente-a", "--yes"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "cliente-b" not in done.stdout
    nobody = run(words(cold, target.folder / "storage.yaml", "--customer", "nobody", "--yes"))
    assert nobody.returncode == 2
    assert "no customer nobody" in nobody.stderr
    held = [path for path in target.folder.rglob("*") if path.is_file() and b"cliente-b" in path.read_bytes()]
    assert held == []
    try:
        target.start()
        assert answers(target, A, start_ms) == before
        assert answers(target, B, start_ms)["samples"] == {}
    finally:
        target.end(15)


@pytest.mark.long(30)
def test_rollups_of_samples_that_are_gone_are_answered_alike(cold: ColdStore, tmp_path: Path) -> None:
    """The destination cannot make them; with `copy` of one customer alone, too, and kills on the way."""
    cold.end(15)
    cold.configure(KEPT_LONG)
    cold.start()
    first_ms = fill_days(cold)
    before = let_raw_go(cold, first_ms)
    target = other(tmp_path, "copy")
    target.configure(KEPT_SHORT)
    state = str(tmp_path / "state")
    command = words(cold, target.folder / "storage.yaml", "--state", state, "--yes")
    chance = random.Random(6)
    for _ in range(5):
        running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            running.wait(chance.random() * 0.8)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
    done = run(command)
    assert done.returncode == 0, done.stdout + done.stderr
    day = time.strftime("%Y-%m-%d", time.gmtime(first_ms / 1000))
    assert re.search(f"^cliente-a {day} 1h roll-ups: 72 of 3, checksum [0-9a-f]{{16}}: equal$", done.stdout, re.M)
    alone = other(tmp_path, "alone")
    alone.configure(KEPT_SHORT)
    done = run(words(cold, alone.folder / "storage.yaml", "--customer", "cliente-b", "--yes"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "windows of roll-ups were written" in done.stdout
    for store, customers in ((target, list(CUSTOMERS)), (alone, ["cliente-b"])):
        store.start()
        try:
            for customer in customers:
                wait_until_answered(store, CUSTOMERS[customer], first_ms, before[customer])
        finally:
            store.end(15)
    verified = run(words(cold, target.folder / "storage.yaml", "--customer", "cliente-b", "--verify-only"))
    assert verified.returncode == 0, verified.stdout + verified.stderr


_CASSANDRA = """
listen: {host}:9096
metrics: {{listen: "{host}:9196"}}
internal_token: secret
store: {{cassandra: {{directory: "{folder}/storage", contact_points: ["{node}"], keyspace: {keyspace}, replication_factor: 1}}}}
"""


@pytest.mark.cassandra
def test_a_folder_goes_to_a_cluster_and_back(cold: ColdStore, cassandra: OwnCassandra, tmp_path: Path) -> None:
    start_ms = fill(cold)
    before = {customer: answers(cold, headers, start_ms) for customer, headers in CUSTOMERS.items()}
    cold.end(9)
    target = other(tmp_path, "cluster")
    text = _CASSANDRA.format(
        keyspace="copied", host=target.host, folder=target.folder, node=cassandra.node.contact_point
    )
    (target.folder / "storage.yaml").write_text(text)
    done = run(words(cold, target.folder / "storage.yaml", "--yes"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the stores are equal" in done.stdout
    again = run(words(cold, target.folder / "storage.yaml", "--yes"))
    assert again.returncode == 0, again.stdout + again.stderr
    assert "written: 0 rows of samples, " in again.stdout
    try:
        target.start()
        for customer, headers in CUSTOMERS.items():
            assert answers(target, headers, start_ms) == before[customer]
    finally:
        target.end(15)
    back = other(tmp_path, "back")
    done = run(words(target, back.folder / "storage.yaml", "--customer", "cliente-a", "--yes"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the stores are equal" in done.stdout
    try:
        back.start()
        assert answers(back, A, start_ms) == before["cliente-a"]
    finally:
        back.end(15)


@pytest.mark.cassandra
@pytest.mark.long(60)
def test_rollups_go_to_a_cluster_and_back(cold: ColdStore, cassandra: OwnCassandra, tmp_path: Path) -> None:
    cold.end(15)
    cold.configure(KEPT_LONG)
    cold.start()
    first_ms = fill_days(cold)
    before = let_raw_go(cold, first_ms)
    target = other(tmp_path, "cluster")
    text = _CASSANDRA.format(
        keyspace="copied_rollups", host=target.host, folder=target.folder, node=cassandra.node.contact_point
    )
    (target.folder / "storage.yaml").write_text(text)
    back = other(tmp_path, "back")
    back.configure(KEPT_SHORT)
    for source, store in ((cold, target), (target, back)):
        done = run(words(source, store.folder / "storage.yaml", "--customer", "cliente-a", "--yes"))
        assert done.returncode == 0, done.stdout + done.stderr
        assert " 1d roll-ups: 3 of 3, checksum " in done.stdout
        store.start()
        try:
            wait_until_answered(store, A, first_ms, before["cliente-a"])
        finally:
            store.end(15)
