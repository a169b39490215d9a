"""What the collector's disk log loses before cold has it is told to whoever reads that time of cold, for as long as it is kept."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

from otlp import gauge, metrics_request, post, resource_of
from stack import Stack, wait_for
from test_disk_log import record_ends

CUSTOMERS = ("cliente-a", "cliente-b")


def _send(stack: Stack, customer: str, value: float) -> None:
    points = [(time.time_ns() // 1_000_000, value)]
    body = metrics_request(resource_of(customer), gauge("alive", points)).SerializeToString()
    assert post(stack.layout.url("collector_http"), stack.token(customer, "ingest"), body).status_code == 200


def _warnings(stack: Stack, customer: str, start: float, end: float) -> list[str]:
    """Of a query that begins before hot, so that cold answers."""
    answer = stack.ask(
        "/api/v1/query_range", stack.token(customer, "read"), query="alive", start=start, end=end, step=15
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["X-Vigia-Served"].startswith("cold:"), answer.headers
    warnings: list[str] = answer.json().get("warnings", [])
    return warnings


def _is_told_now(stack: Stack, customer: str, since: float) -> bool:
    warnings = _warnings(stack, customer, since, time.time())
    return any("some was lost before it was stored" in warning for warning in warnings)


def _damage_a_record(log: Path) -> None:
    """The last but two of the newest segment, its head too: nobody can say whose it was."""
    segment = max(log.glob("segment-*.log"))
    ends = record_ends(segment)
    with segment.open("r+b") as file:
        file.seek(ends[-4])
        file.write(bytes(ends[-3] - ends[-4]))


def test_a_loss_in_the_log_is_said_by_answers_of_cold(tmp_path: Path) -> None:
    with Stack(tmp_path, agents=[]) as stack:
        stack.start("webhook")
        for name in ("storage", "alertmanager", "monitor", "prometheus-hot", "prometheus-query", "router", "collector"):
            stack.start(name)
        from launcher import demo
        from launcher.layout import demo_agents

        demo.create(stack.layout, demo_agents(), stack.secrets, stack.folder / "secrets.json")
        stack.wait_for_tokens()
        _send(stack, "cliente-a", 1.0)
        wait_for(
            "hot is marked, so that times are confirmed",
            lambda: stack.own_metrics("router_metrics")['vigia_router_hot_covered_seconds{shard="hot-0"}'] > 0,
            150,
        )
        before = time.time() - 3600
        for customer in CUSTOMERS:
            assert _warnings(stack, customer, before, time.time()) == []

        stack.stop("storage")
        for number in range(6):
            _send(stack, "cliente-a", float(number))
        stack.kill("collector")
        _damage_a_record(stack.layout.data / "collector")
        stack.start("storage", "collector")
        # Unknown whose it was: everybody is told. An hour before nothing was lost.
        for customer in CUSTOMERS:
            wait_for(f"{customer} is told", partial(_is_told_now, stack, customer, before), 60)
            assert _warnings(stack, customer, before - 7200, before) == []
        stack.stop("router")
        stack.start("router")
        wait_for("after a restart too", partial(_is_told_now, stack, "cliente-a", before), 30)
