"""Hot and cold are one: with hot wiped, with old data drained into the new hot store, with storage down."""

from __future__ import annotations

import shutil
import time

import pytest
from otlp import gauge, metrics_request, post, resource_of
from stack import Stack, wait_for

MINUTE_MS = 60_000


def _send(stack: Stack, customer: str, name: str, points: list[tuple[int, float]]) -> None:
    body = metrics_request(resource_of(customer), gauge(name, points)).SerializeToString()
    answer = post(stack.layout.url("collector_http"), stack.token(customer, "ingest"), body)
    assert answer.status_code == 200, answer.text


def _curve(stack: Stack, customer: str, start_ms: int, count: int) -> list[tuple[int, float]]:
    answer = stack.ask(
        "/api/v1/query_range",
        stack.token(customer, "read"),
        query="past",
        start=start_ms / 1000,
        end=(start_ms + (count - 1) * MINUTE_MS) / 1000,
        step=60,
    )
    assert answer.status_code == 200, answer.text
    result = answer.json()["data"]["result"]
    return [(round(float(t) * 1000), float(v)) for t, v in result[0]["values"]] if result else []


def test_the_past_outlives_hot(stack: Stack) -> None:
    stack.start_central()
    count = 120
    # 20 h old: inside hot's out-of-order window, so that hot takes it too.
    start_ms = (int(time.time()) // 60 * 60 - 20 * 3600) * 1000
    points = [(start_ms + n * MINUTE_MS, float(n)) for n in range(count)]
    _send(stack, "cliente-a", "past", points)
    wait_for("all of the past", lambda: _curve(stack, "cliente-a", start_ms, count) == points, 30)

    stack.stop("prometheus-hot")
    shutil.rmtree(stack.layout.data / "prometheus-hot")
    stack.start("prometheus-hot")
    wait_for("all of the past, hot being empty", lambda: _curve(stack, "cliente-a", start_ms, count) == points, 30)

    late = [(start_ms + n * MINUTE_MS, float(-n)) for n in range(count)]
    _send(stack, "cliente-b", "past", late)
    wait_for("cliente-b's drained buffer", lambda: _curve(stack, "cliente-b", start_ms, count) == late, 30)
    assert _curve(stack, "cliente-a", start_ms, count) == points, "cliente-b's late data hides nothing"
    now_ms = time.time_ns() // 1_000_000
    _send(stack, "cliente-a", "past", [(now_ms, 1.0)])
    wait_for("fresh data", lambda: stack.query("past", stack.token("cliente-a", "read")), 15)
    assert _curve(stack, "cliente-a", start_ms, count) == points


def test_storage_down_is_said(stack: Stack) -> None:
    stack.start_central()
    now_ms = time.time_ns() // 1_000_000
    _send(stack, "cliente-a", "recent", [(now_ms, 7.0)])
    token = stack.token("cliente-a", "read")
    wait_for("the sample", lambda: stack.query("recent", token), 15)
    stack.kill("storage")
    answer = stack.ask(
        "/api/v1/query_range",
        token,
        query="recent",
        start=now_ms / 1000 - 40 * 86_400,
        end=now_ms / 1000 + 1,
        step=3600,
    )
    if answer.status_code == 200:
        content = answer.json()
        assert any("cold part missing" in warning for warning in content.get("warnings", [])), content
        assert "hot=" in answer.headers["X-Vigia-Served"]
        assert stack.layout.host not in answer.text, "no internal address is shown"
    else:
        pytest.fail(f"hot's part is owed: {answer.status_code} {answer.text}")
    assert stack.query("recent", token, time=now_ms / 1000 + 1)[0]["value"][1] == "7"
    stack.start("storage")
    _send(stack, "cliente-a", "recent", [(now_ms + 1000, 8.0)])
    wait_for("cold goes on", lambda: not stack.ask("/api/v1/labels", token).json().get("warnings"), 30)
