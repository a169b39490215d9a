"""The three scenarios of the founding document on the real programs: normal, collector down, node down."""

from __future__ import annotations

import re
import time

import pytest
import requests
from stack import Stack, wait_for


def _health(stack: Stack, index: int) -> dict[str, object]:
    place = stack.agents[index]
    answer = requests.get(f"http://{place.host}:{stack.layout.ports['agent_health']}/health", timeout=5)
    content: dict[str, object] = answer.json()
    assert answer.status_code == 200
    return content


def _alert(stack: Stack, name: str, node_id: str) -> dict[str, object] | None:
    for alert in stack.alerts():
        labels = alert["labels"]
        if labels["alertname"] == name and labels.get("node_id") == node_id:
            return alert
    return None


def _node(stack: Stack, node_id: str) -> dict[str, object]:
    from launcher.control import Control

    overview = Control(stack.layout.url("monitor"), "admin", stack.secrets["admin_password"]).request(
        "GET", "/overview"
    )
    return next(node for customer in overview["customers"] for node in customer["nodes"] if node["id"] == node_id)


def test_normal_operation(running_stack: Stack) -> None:
    stack = running_stack
    for place in stack.agents:
        token = stack.token(place.customer_id, "read")
        by_node = f'avg(system_cpu_usage{{customer_id="{place.customer_id}"}}) by (node_id)'

        def has_node(by_node: str = by_node, token: str = token, node_id: str = place.node_id) -> bool:
            found = {entry["metric"]["node_id"]: float(entry["value"][1]) for entry in stack.query(by_node, token)}
            return node_id in found and 0 <= found[node_id] <= 100

        wait_for(f"{place.node_id}'s CPU at the router", has_node, 30)
    health = _health(stack, 0)
    assert health["status"] == "healthy"
    assert health["collector_reachable"] is True
    assert re.fullmatch(r"\d+%", str(health["buffer_usage"]))
    assert re.fullmatch(r"(\d+[dhms])+", str(health["uptime"]))

    def all_up() -> bool:
        result = stack.query('count(up{job="customer-agents"} == 1) by (customer_id)')
        counts = {entry["metric"]["customer_id"]: entry["value"][1] for entry in result}
        assert counts == {"cliente-a": "1", "cliente-b": "2"}, counts
        return True

    wait_for("every node is up, the push-only one too", all_up, 40)
    own = stack.query('up{customer_id="cliente-a"} == 0', stack.token("cliente-a", "read"))
    assert own == []
    assert stack.query("agent_buffer_usage_percent > 80", stack.token("cliente-a", "read")) == []
    wait_for("a green node", lambda: _node(stack, "b-db-01")["status"] == "up", 20)


@pytest.mark.long(100)
def test_collector_down(stack: Stack) -> None:
    agent = stack.agents[0]
    stack.start_central()
    stack.start(agent.name)
    expression = f'system_cpu_usage{{node_id="{agent.node_id}"}}[15m]'

    def times() -> list[float]:
        result = stack.query(expression, stack.token(agent.customer_id, "read"))
        return [float(t) for t, _ in result[0]["values"]] if result else []

    wait_for("samples before", lambda: len(times()) >= 5)
    stack.stop("collector")
    stopped_at = time.time()
    wait_for("the agent says so", lambda: _health(stack, 0)["status"] == "degraded", 20)
    degraded = _health(stack, 0)
    assert degraded["collector_reachable"] is False
    wait_for(
        "the alert at the real Alertmanager",
        lambda: _alert(stack, "AgentCollectorUnreachable", agent.node_id),
        90,
        every=1,
    )
    stack.start("collector")
    wait_for("healthy again", lambda: _health(stack, 0)["status"] == "healthy", 60)
    resumed_at = time.time()

    def nothing_is_missing() -> bool:
        found = times()
        assert found[-1] >= resumed_at - 5
        gaps = [b - a for a, b in zip(found, found[1:], strict=False) if round(b - a, 3) != 1]
        assert gaps == [], gaps
        return True

    wait_for("every sample, once, on the grid", nothing_is_missing, 60, every=1)
    assert times()[0] < stopped_at


def _node_goes_down_and_comes_back(stack: Stack, index: int, seconds: float) -> None:
    place = stack.agents[index]
    up = f'up{{job="customer-agents", node_id="{place.node_id}"}}'

    def value() -> str | None:
        result = stack.query(up, stack.token(place.customer_id, "read"))
        return str(result[0]["value"][1]) if result else None

    wait_for("up is 1", lambda: value() == "1", 40)
    stack.kill(place.name)
    wait_for("up is 0", lambda: value() == "0", seconds)
    alert = wait_for("CustomerNodeDown", lambda: _alert(stack, "CustomerNodeDown", place.node_id), 90, every=1)
    assert alert["labels"]["severity"] == "critical"  # type: ignore[index]
    summary = str(alert["annotations"]["summary"])  # type: ignore[index]
    assert summary == f"Nodo {place.node_id} del cliente {place.customer_id} está caído"

    def was_notified() -> bool:
        received = requests.get(stack.layout.url("webhook"), timeout=5).json()["alerts"]
        return any(
            a["labels"]["alertname"] == "CustomerNodeDown" and a["labels"]["node_id"] == place.node_id for a in received
        )

    wait_for("the webhook was called", was_notified, 60, every=1)
    wait_for("the page is red", lambda: _node(stack, place.node_id)["status"] == "down", 30)
    stack.start(place.name)
    wait_for("up is 1 again", lambda: value() == "1", 60)
    wait_for("the page is green", lambda: _node(stack, place.node_id)["status"] == "up", 30)


def test_scraped_node_down(stack: Stack) -> None:
    stack.start_central()
    stack.start(stack.agents[0].name)
    _node_goes_down_and_comes_back(stack, 0, 15)


@pytest.mark.long(80)
def test_push_only_node_down(stack: Stack) -> None:
    stack.start_central()
    stack.start(stack.agents[2].name)
    _node_goes_down_and_comes_back(stack, 2, 90)
