"""One customer cannot hurt another, on both Prometheus versions as hot store."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from otlp import gauge, metrics_request, post, rejected_points, resource_of
from stack import Stack, prometheus_programs, wait_for

pytestmark = pytest.mark.two_at_a_time  # counts


@pytest.fixture(scope="module", params=prometheus_programs(), ids=lambda found: found[0])
def neighbours(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    version, program = request.param
    with Stack(tmp_path_factory.mktemp(f"hot-{version}")) as stack:
        stack.hot_program = Path(program)
        stack.start("webhook")
        for name in ("storage", "alertmanager", "monitor", "prometheus-hot", "prometheus-query", "router", "collector"):
            stack.start(name)
        from launcher import demo

        demo.create(stack.layout, stack.agents, stack.secrets, stack.folder / "secrets.json")
        stack.wait_for_tokens()
        yield stack


def _send(stack: Stack, customer: str, *metrics: object, resource: dict[str, str] | None = None) -> tuple[int, int]:
    """Status and rejected points of one request with `customer`'s token."""
    request = metrics_request(resource or resource_of(customer), *metrics)  # type: ignore[arg-type]
    url = stack.layout.url("collector_http")
    answer = post(url, stack.token(customer, "ingest"), request.SerializeToString())
    return answer.status_code, rejected_points(answer) if answer.status_code == 200 else -1


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _assert_goes_on(stack: Stack, name: str) -> None:
    """A fresh sample of cliente-a reaches hot and cold."""
    value = float(_now_ms() % 1_000_000)
    assert _send(stack, "cliente-a", gauge(name, [(_now_ms(), value)])) == (200, 0)

    def is_there() -> bool:
        result = stack.query(name, stack.token("cliente-a", "read"))
        return bool(result) and float(result[0]["value"][1]) == value

    wait_for(f"cliente-a's {name} at the router", is_there, 15)


def test_a_sample_from_the_future_is_refused(neighbours: Stack) -> None:
    month_ahead = _now_ms() + 30 * 86_400_000
    # For good, or, while nobody's samples have told whose clock is wrong, to be sent again.
    assert _send(neighbours, "cliente-b", gauge("future", [(month_ahead, 1.0)])) in ((200, 1), (503, -1))
    _assert_goes_on(neighbours, "after_future")


@pytest.mark.parametrize("part", ["hot", "query"])
def test_a_long_list_does_not_hold_all_places_of_a_prometheus(neighbours: Stack, part: str) -> None:
    """One customer's list runs on one, and what collects its garbage on a quarter, or on all that would stand idle."""
    told = requests.get(f"{neighbours.layout.url(part)}/api/v1/status/runtimeinfo", timeout=5).json()
    assert told["data"]["GOMAXPROCS"] >= 4 * (os.cpu_count() or 1)


def test_a_pushed_up_is_refused(neighbours: Stack) -> None:
    metric = gauge("up", [(_now_ms(), 1.0)], {"job": "customer-agents", "instance": "x"})
    assert _send(neighbours, "cliente-b", metric) == (200, 1)
    fine = gauge("fine", [(_now_ms(), 1.0)])
    job = resource_of("cliente-b", service="customer-agents")
    assert _send(neighbours, "cliente-b", fine, resource=job) == (200, 1)
    assert _send(neighbours, "cliente-b", gauge("ALERTS", [(_now_ms(), 1.0)]), fine) == (200, 1)
    assert neighbours.query('up{customer_id="cliente-b"}', neighbours.token("cliente-b", "read")) == []
    _assert_goes_on(neighbours, "after_up")


# D28.
def test_bad_samples_do_not_take_good_ones_with_them(neighbours: Stack) -> None:
    now = _now_ms()
    assert _send(neighbours, "cliente-a", gauge("mixed", [(now - 4000, 1.0)])) == (200, 0)
    conflicting = gauge("mixed", [(now - 4000, 2.0)])
    too_old = gauge("mixed_old", [(now - 60 * 86_400_000, 3.0)])
    good = gauge("mixed_good", [(now, 4.0)])
    assert _send(neighbours, "cliente-a", conflicting, too_old, good) == (200, 0)
    token = neighbours.token("cliente-a", "read")

    def good_is_there() -> bool:
        result = neighbours.query("mixed_good", token)
        return bool(result) and result[0]["value"][1] == "4"

    wait_for("the good sample", good_is_there, 20)
    result = wait_for("the first value", lambda: neighbours.query("mixed", token, time=(now - 3500) / 1000))
    assert result[0]["value"][1] == "1", "of conflicting values the first stays"
    old = wait_for(
        "what hot cannot take is cold", lambda: neighbours.query("mixed_old", token, time=now / 1000 - 60 * 86_400 + 1)
    )
    assert old[0]["value"][1] == "3"
    _assert_goes_on(neighbours, "after_mixed")


# R-SEC-11, R-OTLP-6.
def test_a_forged_customer_is_refused(neighbours: Stack) -> None:
    forged = metrics_request(resource_of("cliente-a"), gauge("forged", [(_now_ms(), 1.0)]))
    url = neighbours.layout.url("collector_http")
    answer = post(url, neighbours.token("cliente-b", "ingest"), forged.SerializeToString())
    assert answer.status_code == 403
    nameless = metrics_request({"service.name": "x"}, gauge("nameless", [(_now_ms(), 1.0)]))
    assert post(url, neighbours.token("cliente-b", "ingest"), nameless.SerializeToString()).status_code == 400
    both = metrics_request(resource_of("cliente-b"), gauge("honest", [(_now_ms(), 1.0)]))
    both.MergeFrom(forged)
    mixed = post(url, neighbours.token("cliente-b", "ingest"), both.SerializeToString())
    assert (mixed.status_code, rejected_points(mixed)) == (200, 1)
    wait_for("the honest one", lambda: neighbours.query("honest", neighbours.token("cliente-b", "read")), 15)
    assert neighbours.query("forged") == []


# R-PM-14.
@pytest.mark.parametrize("key", ["customer.id", "customer-id", "customer__id", "customer_id", "customer/id"])
def test_no_attribute_becomes_the_customer(neighbours: Stack, key: str) -> None:
    name = f"sanitised_{abs(hash(key)) % 100000}"
    metric = gauge(name, [(_now_ms(), 1.0)], {key: "cliente-a"})
    assert _send(neighbours, "cliente-b", metric)[0] == 200
    _assert_goes_on(neighbours, "after_sanitised")
    result = neighbours.query(name)
    assert [entry["metric"]["customer_id"] for entry in result] in ([], ["cliente-b"])
    assert neighbours.query(name, neighbours.token("cliente-a", "read")) == []
