"""What the overview and the curves say while parts are away (C-A1 to C-A7, C-B10): the node's truth, never our own."""

from __future__ import annotations

import time
from typing import Any

from launcher.control import Control
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from otlp import gauge, metrics_request, post, resource_of
from stack import Stack, wait_for

PUSHED_AGE_S = 45  # a pushed node is judged by health that is younger


def _control(stack: Stack) -> Control:
    return Control(stack.layout.url("monitor"), "admin", stack.secrets["admin_password"])


def _overview(control: Control) -> dict[str, Any]:
    found: dict[str, Any] = control.request("GET", "/overview")
    return found


def _node(overview: dict[str, Any], node_id: str) -> dict[str, Any]:
    return next(node for customer in overview["customers"] for node in customer["nodes"] if node["id"] == node_id)


def _all_up(control: Control) -> bool:
    overview = _overview(control)
    nodes = [node for customer in overview["customers"] for node in customer["nodes"]]
    return len(nodes) == 3 and all(node["status"] == "up" for node in nodes) and overview["away"] == []


def test_a_node_that_was_just_added_waits(stack: Stack) -> None:
    stack.start_central()
    control = _control(stack)
    control.request("POST", "/customers/cliente-a/nodes", {"id": "asked", "address": f"{stack.layout.host}:9"})
    control.request("POST", "/customers/cliente-a/nodes", {"id": "pushes"})

    def is_looked_at() -> bool:
        return bool(stack.query('up{node_id="asked"} == 0') and stack.query('up{node_id="pushes"} == 0'))

    wait_for("both are asked in vain", is_looked_at, 30)
    time.sleep(6)  # a whole look at the live state after it
    overview = _overview(control)
    for node_id in ("asked", "pushes"):
        node = _node(overview, node_id)
        assert (node["status"], node["status_reason"]) == ("unknown", "waiting"), node


def test_while_the_collector_is_away(stack: Stack) -> None:
    stack.start_central()
    stack.start(*(place.name for place in stack.agents))
    control = _control(stack)
    wait_for("all are up", lambda: _all_up(control), 60)
    stack.kill("collector")
    wait_for("it is known to be away", lambda: "collector" in _overview(control)["away"], 30)
    wait_for(
        "the agent that is asked says so itself",
        lambda: _node(_overview(control), "b-web-01")["collector_reachable"] is False,
        30,
    )
    until = time.monotonic() + PUSHED_AGE_S + 15
    statuses = set()
    while time.monotonic() < until:
        overview = _overview(control)
        pushes, asked = _node(overview, "b-db-01"), _node(overview, "b-web-01")
        statuses.add((pushes["status"], pushes["status_reason"]))
        assert asked["status"] == "up", asked
        time.sleep(1)
    assert statuses <= {("up", None), ("unknown", "collector_away")}, statuses
    assert ("unknown", "collector_away") in statuses
    assert pushes["collector_reachable"] is None
    assert any("collector away" in warning for warning in overview["warnings"])
    stack.start("collector")

    def is_back() -> bool:
        node = _node(_overview(control), "b-db-01")
        assert node["status"] != "down", node
        return node["status"] == "up" and node["collector_reachable"] is True

    wait_for("it is back, never down on the way", is_back, 60)


def test_while_the_hot_store_is_away(stack: Stack) -> None:
    stack.start_central()
    stack.start(*(place.name for place in stack.agents))
    control = _control(stack)
    wait_for("all are up", lambda: _all_up(control), 60)
    stack.kill("prometheus-hot")
    wait_for("it is known to be away", lambda: "hot" in _overview(control)["away"], 30)
    assert any("no alert is evaluated" in warning for warning in _overview(control)["warnings"])
    for _ in range(20):
        for customer in _overview(control)["customers"]:
            assert customer["nodes_down"] == 0, customer
        time.sleep(1)
    stack.start("prometheus-hot")
    wait_for("all are up", lambda: _all_up(control), 60)


def test_a_dead_nodes_curve_has_a_hole_and_every_range_its_peak(stack: Stack) -> None:
    stack.start_central()
    agent = stack.agents[0]
    stack.start(agent.name)
    control = _control(stack)

    def metrics(span: str) -> dict[str, Any]:
        found: dict[str, Any] = control.request(
            "GET", f"/customers/cliente-a/nodes/{agent.node_id}/metrics?range={span}"
        )
        assert len({len(found[name]) for name in ("times", "cpu_percent", "cpu_maximum", "down_share")}) == 1
        return found

    wait_for("a minute of its curve", lambda: sum(v is not None for v in metrics("15m")["cpu_percent"]) >= 4, 120)
    killed = time.time()
    stack.kill(agent.name)
    wait_for("it is down", lambda: _node(_overview(control), agent.node_id)["status"] == "down", 60)
    node = _node(_overview(control), agent.node_id)
    assert node["collector_reachable"] is None
    assert node["buffer_percent"] is None
    time.sleep(max(0.0, killed + 75 - time.time()))  # five steps of the curve
    dead = metrics("15m")
    assert dead["cpu_percent"][-2:] == [None, None], "a dead node's curve goes on"
    assert dead["down_share"][-2:] == [1, 1], dead["down_share"]
    stack.start(agent.name)
    wait_for("its curve goes on", lambda: metrics("15m")["cpu_percent"][-1] is not None, 60)
    back = metrics("15m")
    hole = [time_s for time_s, share in zip(back["times"], back["down_share"], strict=True) if share == 1]
    assert len(hole) >= 4
    assert hole[0] - 15 <= killed + 15, (killed, hole)
    assert killed <= hole[-1], (killed, hole)
    highest = stack.query(f'max_over_time(system_cpu_usage{{node_id="{agent.node_id}"}}[1h])')
    peak = float(highest[0]["value"][1])
    for span in ("1h", "24h", "7d", "30d", "2y"):
        summary = metrics(span)["cpu_summary"]
        assert summary is not None, f"{span} shows nothing of a new node"
        assert summary["maximum"] >= peak, (span, summary, peak)


def _invent_nodes(stack: Stack, customer_id: str, count: int) -> None:
    """What a customer may send: agents' health of nodes that do not exist."""
    token = stack.token(customer_id, "ingest")
    now = int(time.time() * 1000)
    for first in range(0, count, 1000):
        request = ExportMetricsServiceRequest()
        for number in range(first, first + 1000):
            health = [gauge(name, [(now, 99.0)]) for name in ("agent_uptime_seconds", "agent_buffer_usage_percent")]
            resource = resource_of(customer_id, f"invented-{number}", "vigia-agent")
            request.MergeFrom(metrics_request(resource, *health))
        answer = post(stack.layout.url("collector_http"), token, request.SerializeToString())
        assert answer.status_code == 200, answer.text


def test_one_customers_invented_nodes_cost_no_other_its_live_state(stack: Stack) -> None:
    """B5: 12,000 nodes that one customer made up took the live state from all."""
    stack.start_central()
    stack.start(*(place.name for place in stack.agents))
    control = _control(stack)
    wait_for("all are up", lambda: _all_up(control), 60)
    _invent_nodes(stack, "cliente-a", 12_000)
    seen = wait_for(
        "hot has them",
        lambda: stack.query('count(agent_uptime_seconds{node_id=~"invented.*"})')[0]["value"][1] == "12000",
        60,
    )
    assert seen
    until = time.monotonic() + 40
    while time.monotonic() < until:
        overview = _overview(control)
        other = next(customer for customer in overview["customers"] if customer["id"] == "cliente-b")
        assert other["nodes_up"] == 2, other
        assert overview["warnings"] == []
        time.sleep(1)
    assert stack.own_metrics("monitor_internal")["vigia_faults_total"] == 0
