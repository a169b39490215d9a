"""Alerts and whom they reach: real Prometheus and Alertmanager, our own parts and stores away, floods."""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
from launcher import commands, parts
from launcher.layout import AgentPlace, beside, demo_agents
from launcher.paths import ROOT
from monitor_home import make_home
from postgresql_server import PostgreSql
from remote_write import write
from rest import Caller
from stack import Stack, binaries, quick_layout, wait_for
from two_customers import add_to_alerting, is_active, operator_of, sink, up_of


def _told_provider(stack: Stack) -> list[tuple[str, str]]:
    received = requests.get(stack.layout.url("webhook"), timeout=5).json()["alerts"]
    return [(alert["status"], alert["labels"]["alertname"]) for alert in received]


def _places() -> list[AgentPlace]:
    """One node that is scraped, three that only push: while our own collector is away one dies and one comes back."""
    scraped, _, living = demo_agents()
    dying, back = (
        AgentPlace(f"agent-b{i}", "cliente-b", "Comercial ABC", f"b-db-0{i - 1}", "sa-east-1", host, host, False)
        for i, host in ((3, "127.0.0.14"), (4, "127.0.0.15"))
    )
    return [scraped, living, dying, back]


@pytest.mark.waits
@pytest.mark.long(250)
@pytest.mark.timeout(480)  # a node's silence, CollectorDown's minute, five graces of an outage, one after the other
def test_our_own_outage_pages_no_customer(tmp_path: Path) -> None:
    """C-A3: the collector away made every node that pushes a critical alert at its customer."""
    # Agents wait up to half a minute between their tries, which no layout shortens: so a grace that is not too short.
    layout = replace(quick_layout(tmp_path), outage_grace="20s")
    with Stack(tmp_path, layout, _places()) as stack, sink(beside(layout.host, 99)) as (url, told):
        # keep_firing_for is shortened as the stack's other waits are.
        add_to_alerting(stack, "allow_private_targets: true", "keep_firing_for: 5s")
        stack.start_central()
        stack.start(*(place.name for place in stack.agents))
        operator = operator_of(stack)
        for customer in ("cliente-a", "cliente-b"):
            channel = operator.good("POST", f"/customers/{customer}/channels", {"type": "webhook", "target": url})
            wait_for("the channel is active", partial(is_active, operator, customer, channel["id"]), 10)
        nodes = [place.node_id for place in stack.agents]
        wait_for("every node is up", lambda: [up_of(stack, node) for node in nodes] == ["1"] * 4, 60)

        def told_of(node: str) -> list[tuple[str, str]]:
            return [(status, one["alertname"]) for status, one in told if one.get("node_id") == node]

        stack.kill("agent-b4")
        wait_for("its death is told", lambda: told_of("b-db-03") == [("firing", "CustomerNodeDown")], 90, every=1)
        stack.stop("collector")
        stack.start("agent-b4")
        stack.kill("agent-b3")
        # Longer than pushed health is believed (45 s) and CustomerNodeDown waits (2 s here), and CollectorDown's minute.
        wait_for("both look silent", lambda: {up_of(stack, "b-db-01"), up_of(stack, "b-db-02")} == {"0"}, 90, every=1)
        wait_for("the provider is told", lambda: ("firing", "CollectorDown") in _told_provider(stack), 90, every=1)
        time.sleep(10)
        assert len(told) == 1, told
        stack.start("collector")
        wait_for("the living ones are back", lambda: up_of(stack, "b-db-01") == up_of(stack, "b-db-03") == "1", 60)
        # While what is held still stands: an end that Alertmanager inhibits is never told.
        ended = ("resolved", "CustomerNodeDown")
        wait_for("the end is told", lambda: ended in told_of("b-db-03"), 90, every=1)

        def dead_one_is_told() -> bool:
            # One message has all of a customer's nodes, and comes again where one of them changes.
            found = {(status, one["alertname"], one.get("node_id")) for status, one in told}
            found -= {("firing", "CustomerNodeDown", "b-db-03"), ("resolved", "CustomerNodeDown", "b-db-03")}
            assert found == {("firing", "CustomerNodeDown", "b-db-02")}, found
            return True

        wait_for("the dead one is told after our outage", dead_one_is_told, 150, every=1)
        time.sleep(10)
        assert dead_one_is_told()
        provider = _told_provider(stack)
        assert {name for status, name in provider if status == "firing"} == {"CollectorDown", "CustomerNodeDown"}
        assert all(name != "NodeAlertsHeld" for _, name in provider)
        assert up_of(stack, nodes[0]) == "1"


@pytest.mark.waits
@pytest.mark.long(170)
@pytest.mark.skipif(not list(Path("/usr/lib/postgresql").glob("*/bin")), reason="PostgreSQL is not installed")
def test_the_monitors_database_away_takes_no_node_down(tmp_path: Path) -> None:
    """The looks at the live state ended with it; after 45 s every node that pushes was down, and its customer told."""
    with tempfile.TemporaryDirectory() as folder, Stack(tmp_path, quick_layout(tmp_path), demo_agents()[2:]) as stack:
        server = PostgreSql(Path(folder))
        server.start()
        try:
            config = stack.layout.config / "monitor.yaml"
            url = (
                f"database: postgresql://vigia@{server.host}:{server.port}/postgres\nstate_directory: {tmp_path}/state"
            )
            config.write_text(re.sub(r"(?m)^database:.*$", url, config.read_text()))
            stack.start_central()
            place = stack.agents[0]
            stack.start(place.name)
            wait_for("the node is up", lambda: up_of(stack, place.node_id) == "1", 60)
            server.stop()
            ends = time.monotonic() + 100  # pushed health is believed for 45 s, CustomerNodeDown waits for 2 s
            while time.monotonic() < ends:
                assert up_of(stack, place.node_id) == "1"
                assert _list_customers_alerts(stack) == []
                time.sleep(1)
            shown = requests.get(stack.layout.url("monitor_internal") + "/metrics", timeout=5).text
            assert "vigia_monitor_customers_unseen 0" in shown
            failures = re.search(r"(?m)^vigia_monitor_database_failures_total (\d+)", shown)
            assert failures
            assert int(failures[1]) > 5
            # A node that dies meanwhile is told: the rules go on without the database.
            stack.kill(place.name)
            wait_for(
                "the dead one is told",
                lambda: [one["labels"]["alertname"] for one in _list_customers_alerts(stack)] == ["CustomerNodeDown"],
                90,
                every=1,
            )
            server.start()
            wait_for("the database is back", lambda: operator_of(stack).call("GET", "/overview").status_code == 200, 15)
        finally:
            server.stop()


def _list_customers_alerts(stack: Stack) -> list[dict[str, Any]]:
    return [alert for alert in stack.alerts() if alert["labels"].get("customer_id")]


@pytest.mark.long(95)
def test_the_hot_stores_death_is_told_to_the_provider_and_to_no_customer(tmp_path: Path) -> None:
    """Whoever evaluates the rules cannot tell that it is dead; and the alerts that it kept may not end as if cured."""
    layout = replace(quick_layout(tmp_path), resend_delay="2s")  # what it told then ends 8 s after its death
    with Stack(tmp_path, layout, demo_agents()[:1]) as stack, sink(beside(layout.host, 99)) as (url, told):
        add_to_alerting(stack, "allow_private_targets: true", "collector_down_for: 3s", "rules_silent_for: 20s")
        stack.start_central()
        stack.start("agent-a1")
        operator = operator_of(stack)
        channel = operator.good("POST", "/customers/cliente-a/channels", {"type": "webhook", "target": url})
        wait_for("the channel is active", partial(is_active, operator, "cliente-a", channel["id"]), 10)
        wait_for("the node is up", lambda: up_of(stack, "prod-web-01") == "1", 60)
        stack.kill("agent-a1")
        down = ("firing", "CustomerNodeDown")
        wait_for("its customer is told", lambda: [(state, one["alertname"]) for state, one in told] == [down], 60)
        stack.kill("prometheus-hot")
        dead = ("firing", "HotStoreDown")
        wait_for("the provider is told", lambda: dead in _told_provider(stack), 60)

        def page() -> dict[str, str]:
            return {one["name"]: one["severity"] for one in operator.good("GET", "/alerts")["alerts"]}

        wait_for("the provider's page has it", lambda: page().get("HotStoreDown") == "critical", 15)
        assert "Watchdog" not in page()
        ends = time.monotonic() + 25  # three times what Prometheus gave its alert
        while time.monotonic() < ends:
            assert [one["labels"]["alertname"] for one in _list_customers_alerts(stack)] == ["CustomerNodeDown"]
            time.sleep(1)
        assert len(told) == 1, told
        stack.start("prometheus-hot")
        wait_for("it is told that it is back", lambda: ("resolved", "HotStoreDown") in _told_provider(stack), 90)
        wait_for(
            "the rules are evaluated", lambda: "Watchdog" in {one["labels"]["alertname"] for one in stack.alerts()}
        )
        names = [name for _, name in _told_provider(stack)]
        assert names.count("HotStoreDown") == 2
        assert not {"Watchdog", "RulesNotEvaluated", "NodeAlertsHeld"} & set(names)
        assert len(told) == 1, told


@pytest.mark.long(90)
def test_a_hot_store_that_is_there_and_tells_nothing_is_told(tmp_path: Path) -> None:
    """Its rules are gone; a dead man's switch outside hears the same silence."""
    layout = replace(quick_layout(tmp_path), resend_delay="2s")
    with Stack(tmp_path, layout) as stack, sink(beside(layout.host, 99)) as (url, beats):
        add_to_alerting(stack, "rules_silent_for: 15s", f'dead_mans_switch: "{url}"')
        stack.start("webhook", "alertmanager", "monitor", "prometheus-hot")
        wait_for("the switch is called", lambda: beats, 30)
        assert beats[0] == ("firing", {"alertname": "Watchdog", "severity": "none", "shard": "hot-0"})
        rules = stack.layout.data / "rules" / "hot-0" / "vigia.yml"
        kept = rules.read_text()
        rules.unlink()
        requests.post(f"{stack.layout.url('hot')}/-/reload", timeout=5)
        silent = ("firing", "RulesNotEvaluated")
        wait_for("the provider is told", lambda: silent in _told_provider(stack), 60)
        assert ("firing", "HotStoreDown") not in _told_provider(stack)
        rules.write_text(kept)
        requests.post(f"{stack.layout.url('hot')}/-/reload", timeout=5)
        wait_for("and told its end", lambda: ("resolved", "RulesNotEvaluated") in _told_provider(stack), 90)


def test_without_alertmanager_the_provider_is_told_all_the_same(tmp_path: Path) -> None:
    with Stack(tmp_path) as stack:
        add_to_alerting(stack, "collector_down_for: 2s")
        stack.start("webhook", "alertmanager", "monitor", "prometheus-hot")
        stack.kill("alertmanager")
        wait_for("the provider is told", lambda: ("firing", "AlertmanagerDown") in _told_provider(stack), 30)
        stack.start("alertmanager")
        wait_for("and told its end", lambda: ("resolved", "AlertmanagerDown") in _told_provider(stack), 30)


def _flood(hot: str, node_id: str) -> None:
    """A's labels of alerts, a copy of B's node under A's name, and nodes that nobody has."""
    now = [(int(time.time() * 1000), 99.0)]
    of_a = {"customer_id": "cliente-a"}
    cpu = {"__name__": "system_cpu_usage", "node_id": "prod-web-01", **of_a}
    evil = [({**cpu, "severity": "a"}, now), ({**cpu, "severity": "b"}, now), ({**cpu, "alertname": "x"}, now)]
    down = {"__name__": "up", "job": "customer-agents", "node_id": node_id, "reach": "scrape", **of_a}
    names = ("agent_buffer_usage_percent", "system_memory_usage_percent")
    invented = [
        ({"__name__": name, "node_id": f"n{number}", **of_a}, now) for name in names for number in range(20_000)
    ]
    write(hot, [*evil, (down, now), *invented])


# R-AL-2.
@pytest.mark.long(55)
def test_one_customers_series_neither_break_nor_flood_the_alerts_of_all(tmp_path: Path) -> None:
    """B2, B5: written to the hot store as intake would let them through, with labels of alerts and invented nodes, for
    longer than any rule waits; the other customer's node dies before, and its alert stands all the while."""
    dying = replace(_places()[2], is_scraped=True)
    with (
        Stack(tmp_path, agents=[demo_agents()[0], dying]) as stack,
        sink(beside(stack.layout.host, 99)) as (url, told),
    ):
        waits = [f"{one}: 4s" for one in ("high_cpu_for", "buffer_saturated_for", "high_memory_for", "keep_firing_for")]
        add_to_alerting(stack, "allow_private_targets: true", *waits)
        stack.start_central()
        stack.start(dying.name)
        operator = operator_of(stack)
        channel = {"type": "webhook", "target": url}
        made = operator.good("POST", "/customers/cliente-b/channels", channel)
        wait_for("the channel is active", partial(is_active, operator, "cliente-b", made["id"]), 10)
        wait_for("B's node is up", lambda: up_of(stack, dying.node_id) == "1", 60)
        hot = stack.layout.url("hot")

        def of_hot(expression: str) -> list[dict[str, Any]]:
            answer = requests.get(f"{hot}/api/v1/query", params={"query": expression}, timeout=20)
            found: list[dict[str, Any]] = answer.json()["data"]["result"]
            return found

        _flood(hot, dying.node_id)
        stack.kill(dying.name)
        firing = ("firing", "CustomerNodeDown", dying.node_id)

        def dropped() -> set[str]:
            return {one["value"][1] for one in of_hot("prometheus_notifications_dropped_total")}

        def told_of_nodes() -> list[tuple[str, str, str | None]]:
            """Its machine's CPU is that of this test, which may be high."""
            found = [(status, one["alertname"], one.get("node_id")) for status, one in told]
            return [one for one in found if one[1] == "CustomerNodeDown"]

        wait_for("B is told", told_of_nodes, 20)
        ends, looked, is_killed = time.monotonic() + 24, 0, False
        while time.monotonic() < ends:
            if not is_killed and time.monotonic() > ends - 14:  # in the middle of it
                assert of_hot("sum(prometheus_notifications_sent_total) > 0")
                assert dropped() == {"0"}
                stack.kill("prometheus-hot")
                stack.start("prometheus-hot")
                is_killed = True
            _flood(hot, dying.node_id)
            time.sleep(1)
            looked += told_of_nodes() == [firing]
        assert looked >= 4, told
        rules = requests.get(f"{hot}/api/v1/rules", timeout=20).json()["data"]["groups"]
        states = {rule["name"]: (rule["health"], rule.get("lastError")) for group in rules for rule in group["rules"]}
        assert states["HighCPUUsage"] == ("ok", None)
        assert {state for state, _ in states.values()} == {"ok"}, states
        stand = of_hot('count by (alertname, customer_id) (ALERTS{alertstate="firing"})')
        counts = {(one["metric"]["alertname"], one["metric"].get("customer_id")): one["value"][1] for one in stand}
        assert counts.pop(("HighCPUUsage", "cliente-a")) == "1"
        assert counts.pop(("CustomerNodeDown", "cliente-b")) == "1"
        assert counts.pop(("Watchdog", None)) == "1"
        may_stand = {("HighCPUUsage", "cliente-b"), ("HighMemoryUsage", "cliente-b"), ("NodeAlertsHeld", None)}
        assert counts.keys() <= may_stand, "nothing of nodes that the directory does not have"
        slowest = max(group["evaluationTime"] for group in rules)
        assert slowest < 5, "an evaluation of 40,000 series"
        assert dropped() == {"0"}
        assert told_of_nodes() == [firing]


@pytest.mark.waits
@pytest.mark.long(150)
def test_all_of_our_own_are_scraped_and_the_absence_of_one_pages_no_customer(tmp_path: Path) -> None:
    """C-A3: router and monitor in turn, for longer than pushed health is believed and CustomerNodeDown waits."""
    scraped, _, pushing = demo_agents()
    with Stack(tmp_path, agents=[scraped, pushing]) as stack, sink(beside(stack.layout.host, 99)) as (url, told):
        add_to_alerting(stack, "allow_private_targets: true", "keep_firing_for: 5s", "collector_down_for: 3s")
        stack.start_central()
        stack.start(scraped.name, pushing.name)
        operator = operator_of(stack)
        for customer in ("cliente-a", "cliente-b"):
            channel = operator.good("POST", f"/customers/{customer}/channels", {"type": "webhook", "target": url})
            wait_for("the channel is active", partial(is_active, operator, customer, channel["id"]), 10)
        nodes = [scraped.node_id, pushing.node_id]
        wait_for("both nodes are up", lambda: [up_of(stack, node) for node in nodes] == ["1", "1"], 60)
        asked = {"query": 'up{customer_id=""}'}
        answer = requests.get(f"{stack.layout.url('hot')}/api/v1/query", params=asked, timeout=5)
        own = {one["metric"]["job"]: one["value"][1] for one in answer.json()["data"]["result"]}
        assert own == dict.fromkeys([*OWN_JOBS], "1")
        for part, seconds in (("router", 50), ("monitor", 15)):
            stack.kill(part)
            ends = time.monotonic() + seconds
            down = {("firing", "VigiaPartDown", f"vigia-{part}")}
            wait_for("the provider is told", lambda: down <= _told_of_parts(stack), 30)  # noqa: B023
            time.sleep(max(0, ends - time.monotonic()))
            assert told == [], part
            stack.start(part)
        ended = {("resolved", "VigiaPartDown", f"vigia-{part}") for part in ("router", "monitor")}
        wait_for("and told the end of both", lambda: ended <= _told_of_parts(stack), 180)
        wait_for("both nodes are up", lambda: [up_of(stack, node) for node in nodes] == ["1", "1"], 60)
        assert told == []
        assert {name for _, name in _told_provider(stack)} == {"VigiaPartDown"}


# What ./vigia and the units start on the provider's side, as hot's configuration names it.
OWN_JOBS = (
    "otel-collector",
    "vigia-storage",
    "vigia-router",
    "vigia-monitor",
    "prometheus",
    "prometheus-query",
    "alertmanager",
)


def _told_of_parts(stack: Stack) -> set[tuple[str, str, str]]:
    received = requests.get(stack.layout.url("webhook"), timeout=5).json()["alerts"]
    return {(one["status"], one["labels"]["alertname"], one["labels"].get("job", "")) for one in received}


def test_what_starts_the_stores_bounds_them(tmp_path: Path) -> None:
    """One queue of notifications for all customers; one query may not take all of a store's memory."""
    with Stack(tmp_path) as stack:
        words = {name: stack.command(name).words for name in ("prometheus-hot", "prometheus-query")}
        assert "--alertmanager.notification-queue-capacity=100000" in words["prometheus-hot"]
        assert all("--query.max-samples=5000000" in one for one in words.values())
        template = (ROOT / "deploy" / "prometheus" / "prometheus-hot.yml").read_text()
        jobs = re.findall(r"job_name: (\S+)", template)
        assert jobs == ["customer-agents", *OWN_JOBS]
        for flag in ("--alertmanager.notification-queue-capacity=100000", "--query.max-samples=5000000"):
            assert flag in template
        for name in ("prometheus-hot.yml", "prometheus-query.yml"):
            check = [str(parts.promtool()), "check", "config", str(stack.layout.config / name)]
            checked = subprocess.run(check, capture_output=True, text=True)
            assert checked.returncode == 0, checked.stdout + checked.stderr
        central = {command.name for command in commands.central(stack.layout, binaries(), stack.secrets)}
        named = {"otel-collector": "collector", "prometheus": "prometheus-hot"}
        assert {named.get(job, job.removeprefix("vigia-")) for job in OWN_JOBS} == central


# R-SEC-10.
def test_alerts_reach_their_customer_alone(tmp_path: Path) -> None:
    """A real Alertmanager loads what the monitor writes, and its alerts come back fenced."""
    with Stack(tmp_path) as stack:
        stack.start("webhook", "alertmanager", "monitor")
        operator = Caller(stack.layout.url("monitor")).log_in("admin", stack.secrets["admin_password"])
        home, stranger = make_home(operator), make_home(operator)
        alertmanager = stack.layout.url("alertmanager")

        def receivers() -> list[str]:
            return [one["name"] for one in requests.get(f"{alertmanager}/api/v2/receivers", timeout=5).json()]

        wait_for("channels are loaded", lambda: f"customer-{home.id}" in receivers(), 15)
        alerts = [
            {"labels": {"alertname": "CustomerNodeDown", "severity": "critical", "customer_id": one, "node_id": "web-01"},
             "annotations": {"summary": f"Nodo web-01 del cliente {one} está caído"}}
            for one in (home.id, stranger.id)
        ]  # fmt: skip
        alerts.append(
            {"labels": {"alertname": "CollectorDown", "severity": "critical"}, "annotations": {"summary": "s"}}
        )
        requests.post(f"{alertmanager}/api/v2/alerts", json=alerts, timeout=5).raise_for_status()

        def customers(caller: Caller) -> set[str | None]:
            answer = caller.call("GET", "/alerts")
            return {one["customer_id"] for one in answer.json()["alerts"]} if answer.status_code == 200 else set()

        wait_for("the operator sees all", lambda: customers(operator) == {home.id, stranger.id, None}, 15)
        assert customers(home.user) == {home.id}
        assert customers(home.read) == {home.id}
        assert home.user.good("GET", f"/alerts?customer_id={stranger.id}")["alerts"] == []
        assert [one["alerts_firing"] for one in home.user.good("GET", "/overview")["customers"]] == [1]
        # Our own outage explains it; it is so all the same, so the alert does not disappear.
        held = [{"labels": {"alertname": "NodeAlertsHeld", "severity": "info", "reach": "push"}}]
        alerts[0]["labels"]["alertname"] = "AgentBufferSaturated"
        requests.post(f"{alertmanager}/api/v2/alerts", json=held + alerts[:1], timeout=5).raise_for_status()

        def states() -> set[tuple[str, str]]:
            found = home.user.good("GET", "/alerts")["alerts"]
            return {(one["labels"]["alertname"], one["state"]) for one in found}

        expected = {("CustomerNodeDown", "firing"), ("AgentBufferSaturated", "inhibited")}
        wait_for("the customer sees that it is inhibited", lambda: states() == expected, 15)
        assert customers(stranger.user) == {stranger.id}
        for one in operator.good("GET", f"/customers/{home.id}/channels")["channels"]:
            operator.good("DELETE", f"/customers/{home.id}/channels/{one['id']}")
        wait_for("the channel is gone", lambda: f"customer-{home.id}" not in receivers(), 15)


# R-AL-1, C52: also while data has stopped.
def test_the_standard_alerts_fire_when_they_should() -> None:
    """promtool runs the shipped rules over made-up series; the unit tests hold the file to what the monitor writes."""
    command = [str(parts.promtool()), "test", "rules", str(ROOT / "tests" / "golden" / "alert_rules_test.yml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
