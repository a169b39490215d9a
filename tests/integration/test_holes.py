"""What hot lacks of one customer sends that customer's reads to cold, and nobody else's: real collector and stores."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from otlp import gauge, metrics_request, post, resource_of
from stack import Stack, wait_for

GAP_MAX_SECONDS = 80  # a mark a minute


@pytest.fixture
def holes(tmp_path: Path) -> Iterator[Stack]:
    with Stack(tmp_path, agents=[]) as stack:
        file = stack.layout.config / "router.yaml"
        file.write_text(file.read_text() + f"heartbeat: {{poll: 200ms, gap_max: {GAP_MAX_SECONDS}s}}\n")
        stack.start("webhook")
        for name in ("storage", "alertmanager", "monitor", "prometheus-hot", "prometheus-query", "router", "collector"):
            stack.start(name)
        from launcher import demo
        from launcher.layout import demo_agents

        demo.create(stack.layout, demo_agents(), stack.secrets, stack.folder / "secrets.json")
        stack.wait_for_tokens()
        yield stack


def _send(stack: Stack, customer: str, name: str, time_ms: int, value: float) -> None:
    body = metrics_request(resource_of(customer), gauge(name, [(time_ms, value)])).SerializeToString()
    assert post(stack.layout.url("collector_http"), stack.token(customer, "ingest"), body).status_code == 200


def _served(stack: Stack, customer: str) -> str:
    """By whom a read of the last five seconds was answered: "hot" or "cold"."""
    answer = stack.ask("/api/v1/query", stack.token(customer, "read"), query="count_over_time(alive[5s])")
    assert answer.status_code == 200, answer.text
    served: str = answer.headers["x-vigia-served"]
    return served.partition("=")[0].partition(":")[0]


@pytest.mark.waits
@pytest.mark.long(170)
def test_one_customers_refused_samples_are_its_own_hole(holes: Stack) -> None:
    """A cloned node of cliente-a sends other values for the same times, all the time."""
    both = ("cliente-a", "cliente-b")
    for customer in both:
        _send(holes, customer, "alive", time.time_ns() // 1_000_000, 1.0)
    wait_for("both are served by hot", lambda: {_served(holes, customer) for customer in both} == {"hot"}, 150)
    began = time.monotonic()
    fixed_ms = time.time_ns() // 1_000_000
    a_is_cold_since = 0.0
    number = 0
    # As long as it takes until the marks, were they held back, would no longer speak for anybody.
    while not a_is_cold_since or time.monotonic() < a_is_cold_since + GAP_MAX_SECONDS + 5:
        number += 1
        _send(holes, "cliente-a", "twice", fixed_ms, float(number))
        for customer in both:
            _send(holes, customer, "alive", time.time_ns() // 1_000_000, float(number))
        assert _served(holes, "cliente-b") == "hot", f"{time.monotonic() - began:.0f} s"
        if _served(holes, "cliente-a") == "cold":
            a_is_cold_since = a_is_cold_since or time.monotonic()
        else:
            assert not a_is_cold_since, "conflicts go on, and hot has not all of it"
        assert time.monotonic() < began + 200, "cliente-a's reads have not left hot"
        time.sleep(1)
    hot = f"{holes.layout.url('hot')}/api/v1/query"
    shown = requests.get(hot, {"query": 'vigia_hot_hole{shard="hot-0"}'}, timeout=10).json()["data"]["result"]
    assert {entry["metric"]["of_customer"] for entry in shown} == {"cliente-a"}
    read_by_b = holes.query("vigia_hot_hole[5s]", holes.token("cliente-b", "read"))
    assert read_by_b == [], "it is the operators'"
