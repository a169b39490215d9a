"""All nodes of one customer go down: what Alertmanager, mail and hooks have to bear, and when the others are told."""

from __future__ import annotations

import email.policy
import json
import re
import sqlite3
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from datetime import UTC, datetime
from email import message_from_string
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from launcher.layout import beside
from rest import Caller
from stack import Stack, wait_for
from two_customers import (
    add_to_alerting,
    add_two_customers,
    channels_of,
    host_that_answers,
    is_active,
    mail_server,
    operator_of,
)

NODES = 2_000
CHANNELS = 20  # as many as a customer may have
ALERTS_OF_MESSAGE = 100
LISTED = 20
GROUP_INTERVAL = 15


def _alerts(customer: str, name: str, nodes: list[str], ends_in: float = 300) -> list[dict[str, Any]]:
    """As a hot Prometheus sends them for the standard rules."""
    ends = datetime.fromtimestamp(time.time() + ends_in, UTC).isoformat()
    fixed = {"alertname": name, "customer_id": customer, "job": "customer-agents", "reach": "push"}
    url = "http://127.0.0.1:9090/graph?g0.expr=" + "max+by+%28job%2C+customer_id%29" * 20
    return [
        {
            "labels": {**fixed, "node_id": node, "severity": "critical", "environment": "production"},
            "annotations": {
                "summary": f"Nodo {node} del cliente {customer} está caído",
                "summary_en": f"Node {node} of customer {customer} is down",
                "resolved": f"Nodo {node} del cliente {customer} ya no está caído",
                "resolved_en": f"Node {node} of customer {customer} is no longer down",
            },
            "endsAt": ends,
            "generatorURL": url,
        }
        for node in nodes
    ]


def _post(stack: Stack, alerts: list[dict[str, Any]]) -> None:
    for first in range(0, len(alerts), 256):  # as Prometheus does
        part = alerts[first : first + 256]
        url = f"{stack.layout.url('alertmanager')}/api/v2/alerts"
        requests.post(url, json=part, timeout=10).raise_for_status()


def _host(host: str, take: Callable[[dict[str, Any], str], int]) -> AbstractContextManager[str]:
    """A customer's machine: answers with the status that `take` gives of message and path."""

    def answer(hook: BaseHTTPRequestHandler, body: bytes) -> None:
        hook.send_response(take(json.loads(body), hook.path))
        hook.send_header("Content-Length", "0")
        hook.end_headers()

    return host_that_answers(host, answer)


class _Told:
    """A healthy webhook's memory: when it was first told of each name, and all messages."""

    def __init__(self) -> None:
        self.at: dict[str, float] = {}
        self.messages: list[dict[str, Any]] = []

    def take(self, message: dict[str, Any], _: str) -> int:
        self.messages.append(message)
        for alert in message["alerts"]:
            self.at.setdefault(alert["labels"]["alertname"], time.monotonic())
        return 204

    def nodes(self) -> list[str]:
        return [one["labels"]["node_id"] for one in self.messages[-1]["alerts"]] if self.messages else []


def _add_channels(operator: Caller, customer: str, *targets: str, kind: str = "webhook") -> list[str]:
    made = [
        operator.good("POST", f"/customers/{customer}/channels", {"type": kind, "target": target})["id"]
        for target in targets
    ]
    for one in made:
        wait_for("the channel is active", partial(is_active, operator, customer, one), 20)
    return made


def _status_mib(pid: int, key: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key)) // 1024


@pytest.mark.long(45)
def test_all_nodes_of_a_customer_cost_alertmanager_and_the_others_little(tmp_path: Path) -> None:
    """Grouped by node they were 40,000 notifications at once: gigabytes, every file, and B told after 21 s or never."""
    told = _Told()
    asked: list[str] = []

    def hang(message: dict[str, Any], path: str) -> int:
        assert len(message["alerts"]) <= ALERTS_OF_MESSAGE
        asked.append(path)
        time.sleep(9)
        return 500

    with (
        Stack(tmp_path) as stack,
        _host(beside(stack.layout.host, 98), hang) as slow,
        _host(beside(stack.layout.host, 99), told.take) as good,
    ):
        add_to_alerting(stack, "allow_private_targets: true")
        stack.start("webhook", "alertmanager", "monitor")
        operator = operator_of(stack)
        add_two_customers(operator)
        channels = _add_channels(operator, "cliente-a", *(f"{slow}/{number}" for number in range(CHANNELS)))
        _add_channels(operator, "cliente-b", good)
        pid = stack.running["alertmanager"].pid
        started = time.monotonic()
        _post(stack, _alerts("cliente-a", "CustomerNodeDown", [f"x-{number}" for number in range(NODES)]))
        sent: dict[str, float] = {}
        files = rss = 0
        while (elapsed := time.monotonic() - started) < 45:
            if elapsed > 5 + 8 * len(sent) and len(sent) < 4:
                name = f"Alert{len(sent)}"  # a group of its own, so no interval counts
                sent[name] = time.monotonic()
                _post(stack, _alerts("cliente-b", name, ["b-1"]))
            files = max(files, len(list(Path(f"/proc/{pid}/fd").iterdir())))
            rss = max(rss, _status_mib(pid, "VmRSS"))
            assert files < 300, f"Alertmanager's open files, after {elapsed:.0f} s"
            assert rss < 250, f"Alertmanager's memory in MiB, after {elapsed:.0f} s"
            time.sleep(0.1)
        waits = {name: round(told.at.get(name, time.monotonic()) - at, 1) for name, at in sent.items()}
        print(f"files {files}, RSS {rss} MiB, B told after {waits}, A's hosts asked {len(asked)} times")
        assert set(told.at) == set(sent)
        assert max(waits.values()) < 8, "5 s of waiting for others of the group, and what a busy machine takes"
        assert set(asked) == {f"/{number}" for number in range(CHANNELS)}, "no channel waits for another's room"
        failures = [channels_of(operator, "cliente-a")[one]["last_failure"] for one in channels]
        assert all(one and one["reason"] for one in failures), "what did not arrive is told"
        alerts = operator.good("GET", "/alerts?customer_id=cliente-b")["alerts"]
        assert {one["name"] for one in alerts} == set(sent)


def _add_nodes(stack: Stack, customer: str, nodes: list[str]) -> None:
    """Beside the interface, where a customer may make 200 at once."""
    with closing(sqlite3.connect(stack.layout.data / "monitor.db", timeout=10)) as database, database:
        rows = [(customer, node, "eu", "production", "", 1, 1, 0, 1) for node in nodes]
        database.executemany("INSERT INTO nodes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)


def _routes(stack: Stack, customer: str) -> int:
    text = (stack.layout.data / "alertmanager.yml").read_text()
    return text.count(f"""- matchers: ['customer_id="{customer}"']""")


def _mails_by_address(mails: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for to, subject, _ in map(_read, list(mails)):
        found.setdefault(to, []).append(subject)
    return found


@pytest.mark.long(60)
def test_a_large_customers_mails_are_few_groups_and_one_dead_address_stops_no_other(tmp_path: Path) -> None:
    """Each address had a route of its own: at each flush Alertmanager sorted 5,000 alerts for each, 37 s of its core in 15."""
    told = _Told()
    dead = "a7@a.example"
    with (
        Stack(tmp_path) as stack,
        _host(beside(stack.layout.host, 99), told.take) as good,
        mail_server(beside(stack.layout.host, 98), lambda: dead, hold=2) as (port, mails),
    ):
        mail = (
            f'mail: {{smarthost: "{beside(stack.layout.host, 98)}:{port}", from: vigia@p.example, require_tls: false}}'
        )
        add_to_alerting(stack, "allow_private_targets: true", mail)
        stack.start("webhook", "alertmanager", "monitor")
        operator = operator_of(stack)
        add_two_customers(operator)
        addresses = [f"a{number}@a.example" for number in range(CHANNELS)]
        channels = _add_channels(operator, "cliente-a", *addresses, kind="email")
        _add_channels(operator, "cliente-b", good)
        assert _routes(stack, "cliente-a") == CHANNELS
        nodes = [f"x-{number}" for number in range(4_100)]
        _add_nodes(stack, "cliente-a", nodes)
        wait_for("the customer has grown", lambda: _routes(stack, "cliente-a") == 3, 40)
        pid = stack.running["alertmanager"].pid
        started = time.monotonic()
        # None of which has Alertmanager keep quiet about the other.
        names = {"HighMemoryUsage": "Memoria alta", "HighCPUUsage": "CPU alta"}
        for name in names:
            _post(stack, _alerts("cliente-a", name, nodes[:NODES]))
        sent = time.monotonic()
        _post(stack, _alerts("cliente-b", "OfB", ["b-1"]))
        wait_for("B is told", lambda: "OfB" in told.at, 12)
        print(f"flood {sent - started:.1f} s, B after {told.at['OfB'] - sent:.1f} s", end=", ")
        living = [one for one in addresses if one != dead]
        wait_for("all others' mail", lambda: set(_mails_by_address(mails)) == set(living), 40)
        failures = wait_for("it is told that some fail", lambda: _failures(operator, channels), 40)
        assert (
            failures[dead] == "the mail server does not take the message, to this address or to another of the customer"
        )
        # Two flushes more, in which the dead one is tried again.
        time.sleep(2 * GROUP_INTERVAL)
        subjects = {subject for some in _mails_by_address(mails).values() for subject in some}
        assert subjects == {f"[ACTIVA: {NODES}] {title}" for title in names.values()}
        assert all(len(some) == len(names) for some in _mails_by_address(mails).values()), "nobody is told twice"
        files, rss = len(list(Path(f"/proc/{pid}/fd").iterdir())), _status_mib(pid, "VmHWM")
        print(f"files {files}, RSS {rss} MiB at most")
        assert files < 200


def _sharers(stack: Stack, address: str) -> list[str]:
    """All addresses of the receiver that tells this one, in its order."""
    for receiver in yaml.safe_load((stack.layout.data / "alertmanager.yml").read_text())["receivers"]:
        told = [one["to"] for one in receiver.get("email_configs", [])]
        if address in told:
            return told
    return []


@pytest.mark.long(20)
def test_who_shares_a_receiver_does_not_take_over_what_a_removed_neighbour_was_told(tmp_path: Path) -> None:
    """Alertmanager remembers by receiver and place: who moved up counted as told, and the page said so."""
    refused = ["nobody@a.example"]
    with (
        Stack(tmp_path) as stack,
        mail_server(beside(stack.layout.host, 98), lambda: refused[0]) as (port, mails),
    ):
        smarthost = f"{beside(stack.layout.host, 98)}:{port}"
        mail = f'mail: {{smarthost: "{smarthost}", from: vigia@p.example, require_tls: false}}'
        add_to_alerting(stack, mail)
        stack.start("webhook", "alertmanager", "monitor")
        operator = operator_of(stack)
        add_two_customers(operator)
        addresses = [f"a{number}@a.example" for number in range(8)]
        ids = dict(zip(addresses, _add_channels(operator, "cliente-a", *addresses, kind="email"), strict=True))
        nodes = [f"x-{number}" for number in range(4_100)]
        _add_nodes(stack, "cliente-a", nodes)
        wait_for("the customer has grown", lambda: _routes(stack, "cliente-a") == 3, 40)
        groups = {tuple(_sharers(stack, one)) for one in addresses}
        gone, waiting, *_ = max(groups, key=len)
        refused[0] = waiting
        _post(stack, _alerts("cliente-a", "CustomerNodeDown", nodes[:3], ends_in=600))
        others = set(addresses) - {waiting}
        wait_for("all others are told", lambda: set(_mails_by_address(mails)) == others, 20)
        operator.good("DELETE", f"/customers/cliente-a/channels/{ids[gone]}")
        wait_for("it is gone", lambda: not _sharers(stack, gone) and _sharers(stack, waiting)[0] == waiting, 20)
        refused[0] = "nobody@a.example"
        wait_for("who was refused is told", lambda: waiting in _mails_by_address(mails), 40)
        assert _mails_by_address(mails)[waiting] == ["[ACTIVA: 3] Nodo caído"]
        apart = [one for one in addresses if not any({gone, one} <= set(group) for group in groups)]
        assert all(len(_mails_by_address(mails)[one]) == 1 for one in apart), "others hear nothing of it"
        shared = [one for one in _sharers(stack, waiting) if len(_sharers(stack, waiting)) > 1]
        of_all = channels_of(operator, "cliente-a")
        assert not any(of_all[ids[one]]["last_delivered_at"] for one in shared), "it may have been another's mail"


def _failures(operator: Caller, channels: list[str]) -> dict[str, str]:
    """By address, once the dead one has one."""
    of_all = channels_of(operator, "cliente-a")
    found = {of_all[one]["target"]: of_all[one]["last_failure"] for one in channels}
    return {to: why["reason"] for to, why in found.items() if why} if found["a7@a.example"] else {}


@pytest.mark.long(35)
def test_whose_alerts_are_many_hides_nobody_elses(tmp_path: Path) -> None:
    """They were read all together within 64 MiB, or nobody's page had any."""
    many = 3_000
    with Stack(tmp_path) as stack:
        stack.start("alertmanager", "monitor")
        operator = operator_of(stack)
        add_two_customers(operator)
        of_a = _alerts("cliente-a", "CustomerNodeDown", [f"x-{number}" for number in range(many)])
        for one in of_a:
            one["annotations"]["summary_en"] = "s" * 25_000
        _post(stack, of_a)
        _post(stack, _alerts("cliente-b", "CustomerNodeDown", ["b-1"]))

        def alerts_of(customer: str) -> dict[str, Any]:
            return dict(operator.good("GET", f"/alerts?customer_id={customer}"))

        wait_for("B's are shown", lambda: len(alerts_of("cliente-b")["alerts"]) == 1, 20)
        # 75 MB: it is not known how many.
        wait_for("A's are cut", lambda: alerts_of("cliente-a")["are_more_left_out"], 60)
        of_a_now = alerts_of("cliente-a")
        assert len(of_a_now["alerts"]) == 1_000
        assert of_a_now["left_out"] > 1_000
        assert alerts_of("cliente-b")["left_out"] == 0
        overview = operator.good("GET", "/overview")
        assert "alertmanager" not in overview["away"]
        shown = {one["id"]: one for one in overview["customers"]}
        assert shown["cliente-b"]["alerts_firing"] == 1
        assert shown["cliente-a"]["alerts_left_out"] == of_a_now["left_out"]
        for one in of_a:  # the same alerts, with less to say
            one["annotations"]["summary_en"] = "s"
        _post(stack, of_a)
        wait_for("they are counted", lambda: alerts_of("cliente-a")["left_out"] == many - 1_000, 40)
        assert not alerts_of("cliente-a")["are_more_left_out"]


@pytest.mark.long(40)
def test_a_further_node_is_told_within_the_interval_and_long_lists_say_how_many_more(tmp_path: Path) -> None:
    told = _Told()
    pages: list[dict[str, Any]] = []
    with (
        Stack(tmp_path) as stack,
        _host(beside(stack.layout.host, 98), partial(_keep, pages)) as slack,
        _host(beside(stack.layout.host, 99), told.take) as hook,
        mail_server(beside(stack.layout.host, 97)) as (port, mails),
    ):
        smarthost = f"{beside(stack.layout.host, 97)}:{port}"
        mail = f'mail: {{smarthost: "{smarthost}", from: vigia@p.example, require_tls: false}}'
        add_to_alerting(stack, "allow_private_targets: true", mail)
        stack.start("webhook", "alertmanager", "monitor")
        operator = operator_of(stack)
        add_two_customers(operator)
        operator.good("PATCH", "/customers/cliente-b", {"language": "en"})
        _add_channels(operator, "cliente-a", hook)
        for customer in ("cliente-a", "cliente-b"):
            _add_channels(operator, customer, "ops@" + customer + ".example", kind="email")
        _add_channels(operator, "cliente-b", slack, kind="slack")

        def subjects(customer: str) -> list[str]:
            return [subject for to, subject, _ in map(_read, list(mails)) if customer in to]

        down = partial(_alerts, "cliente-a", "CustomerNodeDown")
        _post(stack, down(["n1"]))
        wait_for("the first is told", told.nodes, 12)
        wait_for("and by mail", lambda: subjects("cliente-a") == ["[ACTIVA] Nodo caído · n1"], 12)
        at = time.monotonic()
        _post(stack, down(["n2"]))
        wait_for("the second is told", lambda: told.nodes() == ["n1", "n2"], 30)
        assert time.monotonic() - at < GROUP_INTERVAL + 3
        wait_for("and by mail", lambda: subjects("cliente-a")[1:] == ["[ACTIVA: 2] Nodo caído"], 12)
        # The end of one of them beside the other.
        _post(stack, down(["n1"], ends_in=0))
        wait_for("its end is told", lambda: told.messages[-1]["alerts"][0]["status"] == "resolved", 30)
        assert [one["status"] for one in told.messages[-1]["alerts"]] == ["resolved", "firing"]
        both = "[ACTIVA: 1, RESUELTA: 1] Nodo caído"
        wait_for("and by mail", lambda: subjects("cliente-a")[2:] == [both], 12)
        text = _read(mails[-1])[2]
        assert re.search(r"ACTIVA: Nodo n2 del cliente cliente-a está caído \(desde [^)]+\)", text)
        assert re.search(r"RESUELTA: Nodo n1 del cliente cliente-a ya no está caído \(desde .* hasta [^)]+\)", text)
        # All nodes at once: what is told has a bound and says how many more there are.
        nodes = [f"x-{number}" for number in range(300)]
        for customer in ("cliente-a", "cliente-b"):
            _post(stack, _alerts(customer, "HighCPUUsage", nodes))
        wait_for("the hook is told", lambda: "HighCPUUsage" in told.at, 12)
        assert len(told.messages[-1]["alerts"]) == ALERTS_OF_MESSAGE
        assert told.messages[-1]["truncatedAlerts"] == 300 - ALERTS_OF_MESSAGE
        wait_for("mails are told", lambda: subjects("cliente-b") and len(subjects("cliente-a")) == 4, 12)
        texts = {to: text for to, subject, text in map(_read, mails) if "High CPU" in subject or "CPU alta" in subject}
        assert subjects("cliente-b") == ["[FIRING: 300] High CPU"]
        spanish, english = texts["ops@cliente-a.example"], texts["ops@cliente-b.example"]
        # Each as plain text and as HTML.
        assert spanish.count("(desde ") == english.count("(since ") == 2 * LISTED
        assert spanish.count(f"ACTIVA: y {300 - LISTED} más") == 2
        assert english.count(f"FIRING: and {300 - LISTED} more") == 2
        wait_for("Slack is told", lambda: pages, 12)
        attachment = pages[0]["attachments"][0]
        assert attachment["title"] == "[FIRING: 300] High CPU"
        assert attachment["text"].count("(since ") == LISTED
        assert f"\nFIRING: and {300 - LISTED} more\nCustomer: " in attachment["text"]


def _keep(messages: list[dict[str, Any]], message: dict[str, Any], _: str) -> int:
    messages.append(message)
    return 200


def _read(text: str) -> tuple[str, str, str]:
    """Of a mail whom it is to, its subject, and its parts as one text."""
    mail = message_from_string(text, policy=email.policy.default)
    parts = [one.get_content() for one in mail.walk() if one.get_content_maintype() == "text"]
    return str(mail["To"]), str(mail["Subject"]), "".join(parts)
