"""Stores that take connections and never answer: SIGSTOP, as a disk that hangs or a machine that swaps looks from outside."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from reading import Reading, fill, is_cold, is_hot
from stack import Stack, wait_for

# A look every 2 s, 10 s until it counts as unanswered, and the query itself.
FOUND_SECONDS_MAX = 15.0
AT_ONCE_SECONDS_MAX = 2.0


@pytest.fixture
def own_reading(tmp_path: Path) -> Iterator[Reading]:
    with Stack(tmp_path) as stack:
        made = Reading(stack)
        made.start()
        fill(made)
        yield made


@contextmanager
def frozen(reading: Reading, part: str) -> Iterator[None]:
    pid = reading.stack.running[part].pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _timed(reading: Reading, path: str, **form: Any) -> tuple[float, requests.Response]:
    begin = time.monotonic()
    answer = reading.ask(path, **form)
    return time.monotonic() - begin, answer


def _answers(reading: Reading, store: str) -> float:
    return reading.stack.own_metrics("router_metrics")[f'vigia_router_store_answers{{store="{store}"}}']


def _over_the_edge(reading: Reading) -> dict[str, Any]:
    now = reading.now_ms / 1000
    return {"query": "a_own_total", "start": now - 7200, "end": now, "step": 60}


@pytest.mark.parametrize(("part", "store"), [("prometheus-query", "query"), ("storage", "cold")])
def test_a_cold_store_that_hangs_costs_its_part_alone(own_reading: Reading, part: str, store: str) -> None:
    """504 after 125 s, and after 60 s, with nothing of what hot holds."""
    reading = own_reading
    form = _over_the_edge(reading)
    assert is_cold(reading.ask("/api/v1/query_range", **form))
    with frozen(reading, part):
        # Several at once: more than may be under way, so that some wait in the row.
        first: list[tuple[float, requests.Response]] = []
        threads = [
            threading.Thread(target=lambda: first.append(_timed(reading, "/api/v1/query_range", **form)))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for seconds, answer in first:
            assert seconds < FOUND_SECONDS_MAX
            assert answer.status_code == 200, answer.text
            assert any(warning.startswith("cold part missing: ") for warning in answer.json()["warnings"])
            assert answer.json()["data"]["result"][0]["values"], "hot's part is owed"
        assert _answers(reading, store) == 0
        for path, asked in (("/api/v1/query_range", form), ("/api/v1/labels", {}), ("/api/v1/series", {"match": "up"})):
            if store == "query" and path != "/api/v1/query_range":
                continue
            seconds, answer = _timed(reading, path, **asked)
            assert seconds < AT_ONCE_SECONDS_MAX, path
            assert answer.status_code == 200, answer.text
            assert any(warning.startswith("cold part missing: ") for warning in answer.json()["warnings"]), path
        assert is_hot(reading.ask("/api/v1/query", query="up"))
    wait_for("all is whole again", lambda: is_cold(reading.ask("/api/v1/query_range", **form)), 10)
    assert _answers(reading, store) == 1
    assert "warnings" not in reading.ask("/api/v1/labels").json()


def test_a_hot_store_that_hangs_is_answered_for_by_cold(own_reading: Reading) -> None:
    reading = own_reading
    now = reading.now_ms / 1000
    form: dict[str, Any] = {"query": "a_own_total", "start": now - 1800, "end": now, "step": 60}
    before = reading.ask("/api/v1/query_range", **form)
    assert is_hot(before)
    with frozen(reading, "prometheus-hot"):
        seconds, answer = _timed(reading, "/api/v1/query_range", **form)
        assert seconds < FOUND_SECONDS_MAX
        assert is_cold(answer), answer.text
        assert answer.json()["data"] == before.json()["data"]
        wait_for("it is known to be away", lambda: _answers(reading, "hot-0") == 0, FOUND_SECONDS_MAX)
        seconds, labels = _timed(reading, "/api/v1/labels")
        assert seconds < AT_ONCE_SECONDS_MAX
        assert any(warning.startswith("hot part missing: ") for warning in labels.json()["warnings"])
        assert "mine_label" in labels.json()["data"]
        seconds, rules = _timed(reading, "/api/v1/rules")
        assert seconds < AT_ONCE_SECONDS_MAX
        assert rules.status_code == 503
        assert "ask again" in rules.json()["error"]
        with frozen(reading, "storage"):
            wait_for("so is storage", lambda: _answers(reading, "cold") == 0, FOUND_SECONDS_MAX)
            seconds, nothing = _timed(reading, "/api/v1/query_range", **form)
            assert seconds < AT_ONCE_SECONDS_MAX
            assert nothing.status_code == 503
            assert "ask again" in nothing.json()["error"]
            assert int(nothing.headers["Retry-After"]) > 0
            assert reading.stack.layout.host not in nothing.text
    wait_for("hot covers again", lambda: is_hot(reading.ask("/api/v1/query_range", **form)), 20)


# Each is the same wherever it is asked: no selector stands in it.
WITHOUT_A_SELECTOR = ("1+1", "time()", "vector(1)", "scalar(vector(3)) * 2", "hour()", '"text"')


def _constants(reading: Reading) -> list[Any]:
    """What they give, at one time, by query and query_range."""
    found = []
    for query in WITHOUT_A_SELECTOR:
        answer = reading.ask("/api/v1/query", query=query, time=reading.now_ms / 1000)
        assert answer.status_code == 200, answer.text
        content = answer.json()
        assert "warnings" not in content, content
        assert "X-Vigia-Served" not in answer.headers, "it touches nothing that a store could lack"
        found.append(content["data"])
        if query == '"text"':
            continue
        end = reading.now_ms / 1000
        answer = reading.ask("/api/v1/query_range", query=query, start=end - 60, end=end, step=30)
        assert answer.status_code == 200, answer.text
        found.append(answer.json()["data"])
    return found


def test_a_query_without_a_selector_needs_no_hot_store(own_reading: Reading) -> None:
    """Owed by issue 9: hot down, and nothing that any store would have to hold."""
    reading = own_reading
    with_all = _constants(reading)
    assert with_all[0]["result"][1] == "2"
    reading.stack.kill("prometheus-hot")
    assert _constants(reading) == with_all, "hot is down"
    reading.stack.kill("storage")
    assert _constants(reading) == with_all, "prometheus-query reads storage only for selectors"
    reading.stack.kill("prometheus-query")
    nothing = reading.ask("/api/v1/query", query="1+1")
    assert (nothing.status_code, nothing.json()["errorType"]) == (503, "unavailable"), nothing.text
    reading.stack.start("prometheus-hot")
    wait_for("hot answers again", lambda: reading.ask("/api/v1/query", query="1+1").status_code == 200)
    assert _constants(reading) == with_all, "hot alone"


def test_a_query_without_a_selector_waits_for_no_hot_store_that_hangs(own_reading: Reading) -> None:
    reading = own_reading
    with frozen(reading, "prometheus-hot"):
        seconds, first = _timed(reading, "/api/v1/query", query="1+1")
        assert first.status_code == 200, first.text
        assert seconds < FOUND_SECONDS_MAX
        assert first.json()["data"]["result"][1] == "2"
        wait_for("it is seen that hot hangs", lambda: _answers(reading, "hot-0") == 0, FOUND_SECONDS_MAX)
        for query in WITHOUT_A_SELECTOR:
            seconds, answer = _timed(reading, "/api/v1/query", query=query)
            assert answer.status_code == 200, answer.text
            assert seconds < AT_ONCE_SECONDS_MAX


def test_one_query_may_hold_too_much_of_a_store_and_the_provider_sees_it(tmp_path: Path) -> None:
    """An operator's own Prometheus without --query.max-samples."""
    with Stack(tmp_path, agents=[]) as stack:
        reading = Reading(stack)
        command = stack.command

        def without_the_flag(name: str) -> Any:
            made = command(name)
            if name == "prometheus-hot":
                made.words[:] = [word for word in made.words if not word.startswith("--query.max-samples")]
            return made

        stack.command = without_the_flag  # type: ignore[method-assign]
        reading.start()

        def metrics() -> dict[str, float]:
            return stack.own_metrics("router_metrics")

        wait_for("the flags are read", lambda: 'vigia_router_store_query_samples_max{store="query"}' in metrics())
        wait_for("hot is seen", lambda: metrics()['vigia_router_store_is_unbounded{store="hot-0"}'] == 1)
        assert metrics()['vigia_router_store_query_samples_max{store="hot-0"}'] == 50_000_000
        assert metrics()['vigia_router_store_query_samples_max{store="query"}'] == 5_000_000
        assert metrics()['vigia_router_store_is_unbounded{store="query"}'] == 0
        said = [line for line in stack.running["router"].log.read_text().splitlines() if "query.max-samples" in line]
        assert len(said) == 1
        assert "hot-0" in said[0]
        assert reading.ask("/api/v1/query", query="1").status_code == 200
        stack.stop("prometheus-hot")
        stack.command = command  # type: ignore[method-assign]
        wait_for("its end is seen", lambda: metrics()['vigia_router_store_answers{store="hot-0"}'] == 0)
        stack.start("prometheus-hot")
        wait_for("it is mended", lambda: metrics()['vigia_router_store_is_unbounded{store="hot-0"}'] == 0)
