"""A cold store that comes up empty, or another one in its place, is never taken for the truth: real programs."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest
import requests
from cold_store import StorageAlone
from otlp import gauge, metrics_request, post, resource_of
from stack import Stack, wait_for

MINUTE_MS = 60_000
CUSTOMER = "cliente-a"


def _is_refused(log: Path) -> bool:
    return "holds no store" in log.read_text()


def _forget(folder: Path) -> None:
    """What the message and docs/deployment.md tell an operator who wants a new store."""
    for ending in (".known", ".known.copy"):
        folder.with_name(folder.name + ending).unlink()


def test_a_disk_that_is_not_mounted_is_waited_for(tmp_path: Path) -> None:
    storage = StorageAlone(tmp_path)
    storage.start()
    now_ms = time.time_ns() // 1_000_000
    storage.write(CUSTOMER, [(now_ms, 1.0)])
    storage.kill()
    mounted = tmp_path / "mounted"
    storage.folder.rename(mounted)
    storage.folder.mkdir()
    storage.launch()
    try:
        wait_for("the empty folder is refused", lambda: _is_refused(storage.log), 20)
        assert list(storage.folder.iterdir()) == [], "nothing is begun there"
        assert not _answers(storage.url)
        storage.folder.rmdir()
        mounted.rename(storage.folder)
        wait_for("it goes on by itself", lambda: _answers(storage.url), 30)
        assert storage.has_samples(CUSTOMER, now_ms - 1000, now_ms + 1000)
    finally:
        storage.kill()


def test_a_backup_that_is_copied_back_while_it_waits_is_whole(tmp_path: Path) -> None:
    """Opened when the first table was there, RocksDB began anew and deleted all that came after."""
    storage = StorageAlone(tmp_path)
    storage.start()
    now_ms = time.time_ns() // 1_000_000
    for series in range(50):
        storage.write(CUSTOMER, [(now_ms, 1.0)], series)
    storage.stop()
    backup = tmp_path / "backup"
    storage.folder.rename(backup)
    storage.launch()
    try:
        wait_for("its folder is missed", lambda: _is_refused(storage.log), 20)
        for source in sorted(path for path in backup.rglob("*") if path.is_file()):
            target = storage.folder / source.relative_to(backup)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            time.sleep(0.3)
            assert not _answers(storage.url), f"{source.name} and what follows is still on its way"
        wait_for("it goes on by itself", lambda: _answers(storage.url), 40)
        assert storage.count_series(CUSTOMER, now_ms - 1000, now_ms + 1000) == 50
    finally:
        storage.kill()


def test_a_start_that_waits_ends_well_when_it_is_asked_to(tmp_path: Path) -> None:
    """By 2, a wrong configuration, its unit would be failed and not started again."""
    storage = StorageAlone(tmp_path)
    storage.start()
    storage.kill()
    shutil.rmtree(storage.folder)
    storage.launch()
    wait_for("its folder is missed", lambda: _is_refused(storage.log), 20)
    assert storage.stop() == 0


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/ready", timeout=2).status_code == 200
    except requests.RequestException:
        return False


def _send(stack: Stack, points: list[tuple[int, float]]) -> None:
    body = metrics_request(resource_of(CUSTOMER), gauge("past", points)).SerializeToString()
    answer = post(stack.layout.url("collector_http"), stack.token(CUSTOMER, "ingest"), body)
    assert answer.status_code == 200, answer.text


def _look(stack: Stack, start_ms: int, end_ms: int) -> tuple[int, list[str]]:
    """How many samples a query over that time finds, and its warnings."""
    answer = stack.ask(
        "/api/v1/query_range",
        stack.token(CUSTOMER, "read"),
        query="past",
        start=start_ms / 1000,
        end=end_ms / 1000,
        step=60,
    )
    assert answer.status_code == 200, answer.text
    content = answer.json()
    return sum(len(series["values"]) for series in content["data"]["result"]), content.get("warnings", [])


def _is_replaced(stack: Stack) -> bool:
    return stack.own_metrics("router_metrics")["vigia_router_cold_store_is_replaced"] == 1


def _confirm(stack: Stack, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.post(f"{stack.layout.url('router')}/api/v1/cold/confirm", headers=headers, timeout=10).status_code


def test_another_store_in_its_place_is_said_until_a_person_confirms(stack: Stack) -> None:
    stack.start_central()
    # Inside hot's out-of-order window, and before hot's first heartbeat: cold answers.
    start_ms = (int(time.time()) // 60 * 60 - 20 * 3600) * 1000
    end_ms = start_ms + 9 * MINUTE_MS
    points = [(start_ms + n * MINUTE_MS, float(n)) for n in range(10)]
    _send(stack, points)
    wait_for("the past", lambda: _look(stack, start_ms, end_ms) == (10, []), 30)
    assert not _is_replaced(stack)

    stack.stop("storage", "router")
    folder = stack.layout.data / "storage"
    shutil.rmtree(folder)
    _forget(folder)  # as if it had been started with another path
    stack.start("storage", "router")
    wait_for("the router sees it", lambda: _is_replaced(stack), 10)
    # Until the router knows from when on hot is whole, hot may answer for the new store, which has less.
    wait_for("the new store answers", lambda: _look(stack, start_ms, end_ms)[0] == 0, 20)
    found, warnings = _look(stack, start_ms, end_ms)
    assert found == 0
    assert [text for text in warnings if "the cold store is new since" in text], warnings
    lists = stack.ask("/api/v1/label/__name__/values", stack.token(CUSTOMER, "read")).json()
    assert [text for text in lists["warnings"] if "the cold store is new since" in text], lists
    trace = stack.ask(f"/jaeger/api/traces/{1:032x}", stack.token(CUSTOMER, "read"))
    assert (trace.status_code, "the cold store is new since" in trace.text) == (404, True)

    stack.stop("router")
    stack.start("router")
    wait_for("a restart of the router forgets nothing", lambda: _is_replaced(stack), 10)
    assert _confirm(stack, stack.token(CUSTOMER, "read")) == 403
    assert _is_replaced(stack)
    assert _confirm(stack, stack.secrets["operator_token"]) == 200
    assert _confirm(stack, stack.secrets["operator_token"]) == 409
    assert not _is_replaced(stack)
    assert _look(stack, start_ms, end_ms)[1] == []
    stack.stop("router")
    stack.start("router")
    wait_for("it looks at cold", lambda: _look(stack, start_ms, end_ms) == (0, []), 10)
    assert not _is_replaced(stack)


@pytest.mark.long(55)
def test_hot_answers_where_it_has_more_than_the_new_store(stack: Stack) -> None:
    stack.start_central()
    wait_for("hot covers something", lambda: _covered_seconds(stack) > 15, 150)
    stack.stop("storage")
    folder = stack.layout.data / "storage"
    shutil.rmtree(folder)
    _forget(folder)
    stack.start("storage")
    wait_for("the router sees it", lambda: _is_replaced(stack), 10)
    now = time.time()
    answer = stack.ask(
        "/api/v1/query_range", stack.token(CUSTOMER, "read"), query="up", start=now - 3600, end=now, step=15
    )
    assert answer.headers["X-Vigia-Served"].startswith("hot="), answer.headers
    warnings = answer.json()["warnings"]
    assert [text for text in warnings if text.startswith("cold part missing: the cold store is new since")], warnings


def _covered_seconds(stack: Stack) -> float:
    return stack.own_metrics("router_metrics")['vigia_router_hot_covered_seconds{shard="hot-0"}']
