"""Alerts and whom they reach: real Prometheus and Alertmanager, what one customer enters beside another's."""

from __future__ import annotations

import email.policy
import json
import math
import re
import socketserver
import sqlite3
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_string
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from launcher import commands
from launcher.layout import AgentPlace, beside, demo_agents
from launcher.paths import ROOT
from remote_write import sized, varint, write
from rest import Caller
from stack import Running, Stack, binaries, quick_layout, wait_for
from test_monitor import PostgreSql

GOOD = "https://8.8.8.8/good"


def _operator(stack: Stack) -> Caller:
    return Caller(stack.layout.url("monitor")).log_in("admin", stack.secrets["admin_password"])


def _channels(operator: Caller, customer: str) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in operator.good("GET", f"/customers/{customer}/channels")["channels"]}


def _receivers(stack: Stack) -> list[str]:
    answer = requests.get(f"{stack.layout.url('alertmanager')}/api/v2/receivers", timeout=5)
    return [one["name"] for one in answer.json()]


def _two_customers(operator: Caller) -> None:
    for customer in ("cliente-a", "cliente-b"):
        operator.good("POST", "/customers", {"id": customer, "name": customer})


def _insert_channels(stack: Stack, customer: str, rows: list[tuple[str, str]], state: str) -> list[str]:
    """What an earlier version, or another hand, left in the database. The monitor is stopped meanwhile."""
    ids = [f"{number:032x}" for number in range(1, len(rows) + 1)]
    with closing(sqlite3.connect(stack.layout.data / "monitor.db")) as database, database:
        for channel_id, (kind, target) in zip(ids, rows, strict=True):
            database.execute(
                "INSERT INTO channels (id, customer_id, type, target, channel, created_ms, state, reason) "
                "VALUES (?, ?, ?, ?, '', 1, ?, '')",
                (channel_id, customer, kind, target, state),
            )
    return ids


def _is_active(operator: Caller, customer: str, channel_id: str) -> bool:
    return bool(_channels(operator, customer)[channel_id]["status"] == "active")


def _add_and_wait(stack: Stack, operator: Caller, customer: str, seconds: float = 5) -> None:
    channel = operator.good("POST", f"/customers/{customer}/channels", {"type": "webhook", "target": GOOD})
    assert channel["status"] == "pending"
    wait_for(f"{customer}'s channel is active", partial(_is_active, operator, customer, channel["id"]), seconds)
    assert f"customer-{customer}" in _receivers(stack)


class TestOneCustomersChannelsCostNobodyElse:
    """D18: one entry that Alertmanager does not take kept everybody's changes out."""

    @pytest.mark.parametrize("kind", ["webhook", "slack"])
    def test_what_alertmanager_would_refuse_is_refused(self, stack: Stack, kind: str) -> None:
        stack.start("webhook", "alertmanager", "monitor")
        operator = _operator(stack)
        _two_customers(operator)
        for target in ("https://9.9.9.9/%zz", "https://9.9.9.9/a%", "https://9.9.9.9/?q=%1", "https://9.9.9.9/#%x"):
            body = {"type": kind, "target": target}
            answer = operator.call("POST", "/customers/cliente-a/channels", body)
            assert answer.status_code == 400, target
            assert "hexadecimal" in answer.json()["message"]
        _add_and_wait(stack, operator, "cliente-b")

    def test_what_is_in_the_database_already_is_left_out_and_told(self, stack: Stack) -> None:
        stack.start("webhook", "alertmanager", "monitor")
        _two_customers(_operator(stack))
        stack.stop("monitor")
        rows = [
            ("webhook", "https://9.9.9.9/%zz"),
            ("slack", "https://9.9.9.9/a%"),
            ("email", "a@x.example, b@y.example"),
            ("webhook", "https://9.9.9.9/fine"),
            ("webhook", f"http://localhost:{stack.layout.ports['webhook']}/"),
        ]
        ids = _insert_channels(stack, "cliente-a", rows, "active")
        stack.start("monitor")
        operator = _operator(stack)
        _add_and_wait(stack, operator, "cliente-b")

        def are_sorted() -> bool:
            found = _channels(operator, "cliente-a")
            assert [found[one]["status"] for one in ids] == ["not_active"] * 3 + ["active", "not_active"]
            # B9: its name leads to this machine by now.
            assert "loopback" in found[ids[4]]["reason"]
            assert all(found[one]["reason"] for one in ids[:3])
            return True

        wait_for("A's channels are told", are_sorted, 10)
        written = (stack.layout.data / "alertmanager.yml").read_text()
        assert f"/hooks/cliente-a/{ids[3]}" in written
        assert not [one for one in (*ids[:3], ids[4], "9.9.9.9", "localhost", "%zz") if one in written]

    def test_one_that_only_alertmanager_knows_to_refuse_is_found(self, stack: Stack) -> None:
        stack.start("webhook", "alertmanager", "monitor")
        operator = _operator(stack)
        _two_customers(operator)
        _add_and_wait(stack, operator, "cliente-b")
        stack.stop("monitor")
        config = stack.layout.config / "monitor.yaml"
        real = stack.layout.url("alertmanager")
        with _stricter_alertmanager(real, stack.layout.data / "alertmanager.yml") as (url, refused):
            config.write_text(config.read_text().replace(f'"{real}"', f'"{url}"'))
            rows = [("webhook", f"https://9.9.9.9/{number}") for number in range(6)]
            ids = _insert_channels(stack, "cliente-a", rows, "pending")
            stack.start("monitor")
            operator = _operator(stack)
            wanted = ["active", "not_active", "active", "active", "not_active", "active"]
            wait_for(
                "the two are found",
                lambda: [_channels(operator, "cliente-a")[one]["status"] for one in ids] == wanted,
                15,
            )
            assert refused, "it was asked, and refused"
            reason = _channels(operator, "cliente-a")[ids[1]]["reason"]
            assert "Alertmanager does not take it" in reason
            assert "9.9.9.9" not in reason
            _add_and_wait(stack, operator, "cliente-a")
            assert {"customer-cliente-a", "customer-cliente-b"} <= set(_receivers(stack))
            log = (stack.folder / "log" / "monitor.log").read_text()
            assert "9.9.9.9" not in log, "a target may be a secret"
            assert stack.secrets["internal_token"] not in log


@contextmanager
def _stricter_alertmanager(real: str, config_file: Path) -> Iterator[tuple[str, list[str]]]:
    """The real Alertmanager behind a door that refuses to reload what it does not like, as a newer version may."""
    refused: list[str] = []
    poison = [f"/hooks/cliente-a/{number:032x}" for number in (2, 5)]

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # noqa: N802 (the base class names it so)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.path == "/-/reload" and any(one in config_file.read_text() for one in poison):
                refused.append(self.path)
                token = re.findall("credentials: [^}]+", config_file.read_text())[0]
                self._answer(500, f"failed to reload config: unsupported https://9.9.9.9/1 {token}".encode())
                return
            answer = requests.post(real + self.path, data=body, timeout=5)
            self._answer(answer.status_code, answer.content)

        def do_GET(self) -> None:  # noqa: N802
            answer = requests.get(real + self.path, timeout=5)
            self._answer(answer.status_code, answer.content)

        def _answer(self, status: int, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class names it so)
            """Quiet."""

    server = ThreadingHTTPServer((real.removeprefix("http://").rpartition(":")[0], 0), Door)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{server.server_address[0]!s}:{server.server_address[1]}", refused
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def _sink(host: str) -> Iterator[tuple[str, list[tuple[str, dict[str, str]]]]]:
    """A customer's own webhook: what it was told, as (status, labels), one an alert."""
    told: list[tuple[str, dict[str, str]]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # noqa: N802 (the base class names it so)
            message = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
            told.extend((alert["status"], alert["labels"]) for alert in message["alerts"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class names it so)
            """Quiet."""

    server = ThreadingHTTPServer((host, 0), Hook)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_address[1]}/", told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def _host(host: str, answer: Callable[[BaseHTTPRequestHandler, bytes], None]) -> Iterator[str]:
    """A customer's machine that answers each POST as it likes."""

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # noqa: N802 (the base class names it so)
            with suppress(OSError):  # who asked may have heard enough
                answer(self, self.rfile.read(int(self.headers.get("Content-Length") or 0)))

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class names it so)
            """Quiet."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 256

    server = Server((host, 0), Hook)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _answer_status(asked: BaseHTTPRequestHandler, status: int) -> None:
    asked.send_response(status)
    asked.send_header("Content-Length", "0")
    asked.end_headers()


def _post_alerts(stack: Stack, customer: str, *nodes: str) -> None:
    labels = {"alertname": "CustomerNodeDown", "customer_id": customer}
    stamp = datetime.fromtimestamp(time.time() + 300, UTC).isoformat()
    words = {"summary": "Nodo caído", "summary_en": "Node down"}
    body = [{"labels": {**labels, "node_id": node}, "annotations": words, "endsAt": stamp} for node in nodes]
    requests.post(f"{stack.layout.url('alertmanager')}/api/v2/alerts", json=body, timeout=5).raise_for_status()


def _add_channel(operator: Caller, customer: str, **channel: str) -> str:
    made = operator.good("POST", f"/customers/{customer}/channels", channel)
    wait_for("the channel is active", partial(_is_active, operator, customer, made["id"]), 10)
    return str(made["id"])


def _rss_mib(pid: int) -> int:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) // 1024 if found else 0


class TestCustomersHostsAndAlertmanager:
    """Alertmanager reads all that a host answers into memory; one customer's host could end everybody's alerts."""

    @pytest.mark.parametrize("kind", ["webhook", "slack"])
    def test_an_endless_answer_costs_nobody_anything(self, tmp_path: Path, kind: str) -> None:
        sent = [0]

        def endless(asked: BaseHTTPRequestHandler, _: bytes) -> None:
            asked.send_response(500)
            asked.end_headers()
            while sum(sent) < 1 << 30:  # what this machine can bear where it is all read
                sent[-1] += asked.wfile.write(bytes(1 << 16))

        with (
            Stack(tmp_path) as stack,
            _host(beside(stack.layout.host, 98), endless) as evil,
            _sink(beside(stack.layout.host, 99)) as (url, told),
        ):
            _add_to_alerting(stack, "allow_private_targets: true")
            stack.start("webhook", "alertmanager", "monitor")
            operator = _operator(stack)
            _two_customers(operator)
            _add_channel(operator, "cliente-a", type=kind, target=evil)
            _add_channel(operator, "cliente-b", type="webhook", target=url)
            _post_alerts(stack, "cliente-a", "n1", "n2", "n3")
            wait_for("A's host is asked", lambda: sent[0] > 0, 20)
            _post_alerts(stack, "cliente-b", "n4")
            ends, peak = time.monotonic() + 10, 0
            while time.monotonic() < ends:
                peak = max(peak, _rss_mib(stack.running["alertmanager"].pid))
                assert peak < 150, "Alertmanager's memory, MiB"
                time.sleep(0.02)
            wait_for("B is told", lambda: told, 20)
            assert [one["node_id"] for _, one in told] == ["n4"]
            print(f"Alertmanager's peak: {peak} MiB; the host could send {sum(sent) >> 10} KiB")

    def test_messages_arrive_as_alertmanager_writes_them(self, tmp_path: Path) -> None:
        got: list[tuple[str, dict[str, str], dict[str, Any]]] = []

        def take(asked: BaseHTTPRequestHandler, body: bytes) -> None:
            got.append((asked.path, {name.lower(): value for name, value in asked.headers.items()}, json.loads(body)))
            _answer_status(asked, 410 if asked.path == "/gone" else 302 if asked.path == "/moved" else 200)

        with Stack(tmp_path) as stack, _host(beside(stack.layout.host, 98), take) as url:
            _add_to_alerting(stack, "allow_private_targets: true")
            stack.start("webhook", "alertmanager", "monitor")
            operator = _operator(stack)
            _two_customers(operator)
            _add_channel(operator, "cliente-a", type="webhook", target=f"{url}/secret/hook?x=%41#part")
            _add_channel(operator, "cliente-a", type="slack", target=f"{url}/services/T/B", channel="#ops")
            for path in ("/gone", "/moved"):
                _add_channel(operator, "cliente-b", type="webhook", target=url + path)
            _post_alerts(stack, "cliente-a", "n1")
            _post_alerts(stack, "cliente-b", "n2")
            wait_for("all have arrived", lambda: len(got) >= 4, 20)
            time.sleep(4)  # Alertmanager tries again after less
            by_path = {path: (headers, message) for path, headers, message in got}
            assert sorted(path for path, _, _ in got) == sorted(by_path), "none is sent twice"
            assert set(by_path) == {"/secret/hook?x=%41", "/services/T/B", "/gone", "/moved"}
            headers, message = by_path["/secret/hook?x=%41"]
            assert headers["host"] == url.removeprefix("http://")
            assert headers["content-type"] == "application/json"
            assert (message["status"], message["receiver"]) == ("firing", "customer-cliente-a")
            assert message["alerts"][0]["labels"]["node_id"] == "n1"
            slack = by_path["/services/T/B"][1]
            assert slack["channel"] == "#ops"
            assert slack["attachments"][0]["title"] == "[ACTIVA] CustomerNodeDown · n1"
            assert all("authorization" not in headers for _, headers, _ in got), "the internal token stays inside"
            written = (stack.layout.data / "alertmanager.yml").read_text()
            assert "secret" not in written
            assert url not in written

    def test_where_a_channel_leads_is_checked_when_it_is_told(self, stack: Stack) -> None:
        """A name that leads inside by then: it is refused, whatever was found when it was entered."""
        asked: list[str] = []

        def take(one: BaseHTTPRequestHandler, _: bytes) -> None:
            asked.append(one.path)
            _answer_status(one, 200)

        stack.start("webhook", "monitor")
        _two_customers(_operator(stack))
        stack.stop("monitor")
        with _host("127.0.0.1", take) as url:
            (channel,) = _insert_channels(
                stack, "cliente-a", [("webhook", url.replace("127.0.0.1", "localhost"))], "active"
            )
            stack.start("monitor")
            inside = stack.layout.url("monitor_internal")
            token = {"Authorization": f"Bearer {stack.secrets['internal_token']}"}

            def post(customer: str, headers: dict[str, str], size: int = 2) -> int:
                where = f"{inside}/hooks/{customer}/{channel}"
                return requests.post(where, data=b"x" * size, headers=headers, timeout=15).status_code

            assert post("cliente-a", token) == 403
            assert post("cliente-b", token) == 404, "another's channel"
            assert post("cliente-a", {}) == 401
            assert post("cliente-a", token, (1 << 20) + 1) == 413
            assert asked == []
            stack.stop("monitor")
            _add_to_alerting(stack, "allow_private_targets: true")
            stack.start("monitor")
            assert post("cliente-a", token) == 200
            assert asked == ["/"]

    def test_a_host_that_hangs_takes_its_customers_share_alone(self, tmp_path: Path) -> None:
        over = threading.Event()
        under_way: list[int] = []

        def hang(asked: BaseHTTPRequestHandler, _: bytes) -> None:
            under_way.append(1)
            over.wait(30)
            _answer_status(asked, 200)

        with (
            Stack(tmp_path) as stack,
            _host(beside(stack.layout.host, 98), hang) as hanging,
            _sink(beside(stack.layout.host, 99)) as (url, told),
        ):
            _add_to_alerting(stack, "allow_private_targets: true")
            stack.start("webhook", "alertmanager", "monitor")
            operator = _operator(stack)
            _two_customers(operator)
            own = _add_channel(operator, "cliente-a", type="webhook", target=hanging)
            _add_channel(operator, "cliente-b", type="webhook", target=url)
            where = f"{stack.layout.url('monitor_internal')}/hooks/cliente-a/{own}"
            token = {"Authorization": f"Bearer {stack.secrets['internal_token']}"}

            def post(_: int) -> int:
                return requests.post(where, data=b"{}", headers=token, timeout=30).status_code

            with ThreadPoolExecutor(150) as pool:
                answers = pool.map(post, range(150))
                wait_for("A's share is taken", lambda: len(under_way) == 64, 10)
                _post_alerts(stack, "cliente-b", "n4")
                wait_for("B is told meanwhile", lambda: told, 9)
                statuses = list(answers)
            over.set()
            assert len(under_way) == 64
            assert set(statuses) == {503}, "too many, and no answer within 10 s"


@contextmanager
def _mail_server(host: str) -> Iterator[tuple[int, list[str]]]:
    """An SMTP server that takes everything: what it was sent, head and body."""
    mails: list[str] = []

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 ready\r\n")
            for line in self.rfile:
                word = line.strip().upper().partition(b" ")[0]
                if word == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    lines = iter(self.rfile.readline, b".\r\n")
                    # A line that begins with a dot is sent with two (RFC 5321, 4.5.2).
                    mails.append(b"".join(one[1:] if one.startswith(b"..") else one for one in lines).decode())
                self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 fine\r\n")
                if word == b"QUIT":
                    return

    with socketserver.ThreadingTCPServer((host, 0), Session) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_address[1], mails
        finally:
            server.shutdown()
            thread.join()


def test_mails_are_in_the_customers_language(tmp_path: Path) -> None:
    with Stack(tmp_path) as stack, _mail_server(beside(stack.layout.host, 97)) as (port, mails):
        smarthost = f"{beside(stack.layout.host, 97)}:{port}"
        _add_to_alerting(stack, f'mail: {{smarthost: "{smarthost}", from: vigia@p.example, require_tls: false}}')
        portal = stack.layout.url("monitor")
        config = stack.layout.config / "monitor.yaml"
        config.write_text(config.read_text().replace("public:\n", f"public:\n  url: {portal}\n"))
        stack.start("webhook", "alertmanager", "monitor")
        operator = _operator(stack)
        names = {"inglesa": "Smith & {{ Sons }}", "espanola": "Española S.A."}
        for customer, language in (("inglesa", "en"), ("espanola", "es")):
            operator.good("POST", "/customers", {"id": customer, "name": names[customer], "language": language})
            channel = {"type": "email", "target": f"a@{customer}.example"}
            created = operator.good("POST", f"/customers/{customer}/channels", channel)
            wait_for("it is active", partial(_is_active, operator, customer, created["id"]), 10)

        def alert_of(customer: str, ends: float) -> dict[str, Any]:
            node = {"alertname": "CustomerNodeDown", "node_id": "web-01", "customer_id": customer}
            summary = {"summary": "Nodo web-01 <está> caído", "summary_en": "Node web-01 <is> down"}
            summary |= {"resolved": "Nodo web-01 ya no está caído", "resolved_en": "Node web-01 is no longer down"}
            stamp = datetime.fromtimestamp(time.time() + ends, UTC).isoformat()
            return {"labels": node, "annotations": summary, "endsAt": stamp}

        def post(ends: float) -> None:
            body = [alert_of(customer, ends) for customer in ("inglesa", "espanola")]
            url = f"{stack.layout.url('alertmanager')}/api/v2/alerts"
            requests.post(url, json=body, timeout=5).raise_for_status()

        def parsed() -> dict[tuple[str, str], str]:
            found = {}
            for text in mails:
                mail = message_from_string(text, policy=email.policy.default)
                parts = [one.get_content() for one in mail.walk() if one.get_content_maintype() == "text"]
                found[str(mail["To"]), str(mail["Subject"])] = "".join(parts)
            return found

        post(300)
        wait_for("both are told", lambda: len(mails) == 2, 30)
        english, spanish = "[FIRING] CustomerNodeDown · web-01", "[ACTIVA] CustomerNodeDown · web-01"
        sent = parsed()
        assert set(sent) == {("a@inglesa.example", english), ("a@espanola.example", spanish)}
        assert "FIRING: Node web-01 &lt;is&gt; down (since 2" in sent["a@inglesa.example", english]
        assert "ACTIVA: Nodo web-01 <está> caído (desde 2" in sent["a@espanola.example", spanish]
        assert "Customer: Smith &amp; {{ Sons }} · node: web-01" in sent["a@inglesa.example", english]
        assert "Cliente: Española S.A. · nodo: web-01" in sent["a@espanola.example", spanish]
        for customer, subject in (("inglesa", english), ("espanola", spanish)):
            text = sent[f"a@{customer}.example", subject]
            page = f"{portal}/#/nodes/{customer}/web-01"
            assert f'<a href="{page}">{page}</a>' in text
        assert re.search(r"desde [0-9: -]+ UTC[+-]\d\d:\d\d\)", sent["a@espanola.example", spanish])
        # Its end is told in words of its own, and without a second "is down".
        post(0)
        wait_for("both are told of the end", lambda: len(mails) == 4, 90)
        ended = parsed()["a@inglesa.example", "[RESOLVED] CustomerNodeDown · web-01"]
        assert "RESOLVED: Node web-01 is no longer down (since 2" in ended
        assert re.search(r" until [0-9: -]+ UTC[+-]\d\d:\d\d\)", ended)
        assert "&lt;is&gt; down" not in ended
        ended = parsed()["a@espanola.example", "[RESUELTA] CustomerNodeDown · web-01"]
        assert "RESUELTA: Nodo web-01 ya no está caído (desde 2" in ended
        # A change of language or name holds from the next message on.
        operator.good("PATCH", "/customers/espanola", {"name": "Otra S.A."})
        operator.good("PATCH", "/customers/inglesa", {"language": "es"})
        config = stack.layout.data / "alertmanager.yml"
        wait_for("it is written", lambda: "FIRING" not in config.read_text(), 10)
        assert "Otra S.A." in config.read_text()
        assert operator.call("PATCH", "/customers/inglesa", {"language": "fr"}).status_code == 400
        assert operator.good("GET", "/customers/inglesa")["language"] == "es"


def _add_to_alerting(stack: Stack, *lines: str) -> None:
    config = stack.layout.config / "monitor.yaml"
    added = "".join(f"  {line}\n" for line in lines)
    config.write_text(config.read_text().replace("alerting:\n", "alerting:\n" + added))


def _up(stack: Stack, node_id: str) -> str | None:
    result = stack.query(f'up{{job="customer-agents", node_id="{node_id}", waiting=""}}')
    return str(result[0]["value"][1]) if result else None


def _told_provider(stack: Stack) -> list[tuple[str, str]]:
    received = requests.get(stack.layout.url("webhook"), timeout=5).json()["alerts"]
    return [(alert["status"], alert["labels"]["alertname"]) for alert in received]


def _places() -> list[AgentPlace]:
    """One node that is scraped, two that only push: one of these dies while our own collector is away."""
    scraped, _, living = demo_agents()
    dying = AgentPlace(
        "agent-b3", "cliente-b", "Comercial ABC", "b-db-02", "sa-east-1", "127.0.0.14", "127.0.0.14", False
    )
    return [scraped, living, dying]


def test_our_own_outage_pages_no_customer(tmp_path: Path) -> None:
    """C-A3: the collector away made every node that pushes a critical alert at its customer."""
    # Agents wait up to half a minute between their tries, which no layout shortens: so a grace that is not too short.
    layout = replace(quick_layout(tmp_path), outage_grace="20s")
    with Stack(tmp_path, layout, _places()) as stack, _sink(beside(layout.host, 99)) as (url, told):
        # keep_firing_for is shortened as the stack's other waits are.
        _add_to_alerting(stack, "allow_private_targets: true", "keep_firing_for: 5s")
        stack.start_central()
        stack.start(*(place.name for place in stack.agents))
        operator = _operator(stack)
        for customer in ("cliente-a", "cliente-b"):
            channel = operator.good("POST", f"/customers/{customer}/channels", {"type": "webhook", "target": url})
            wait_for("the channel is active", partial(_is_active, operator, customer, channel["id"]), 10)
        nodes = [place.node_id for place in stack.agents]
        wait_for("every node is up", lambda: [_up(stack, node) for node in nodes] == ["1", "1", "1"], 60)
        stack.stop("collector")
        stack.kill("agent-b3")
        # Longer than pushed health is believed (45 s) and CustomerNodeDown waits (2 s here), and CollectorDown's minute.
        wait_for("both look silent", lambda: {_up(stack, "b-db-01"), _up(stack, "b-db-02")} == {"0"}, 90, every=1)
        wait_for("the provider is told", lambda: ("firing", "CollectorDown") in _told_provider(stack), 90, every=1)
        time.sleep(10)
        assert told == []
        stack.start("collector")
        wait_for("the living one is back", lambda: _up(stack, "b-db-01") == "1", 60)

        def dead_one_is_told() -> bool:
            found = [(status, one["alertname"], one.get("node_id")) for status, one in told]
            assert found == [("firing", "CustomerNodeDown", "b-db-02")], found
            return True

        wait_for("the dead one is told after our outage", dead_one_is_told, 150, every=1)
        time.sleep(10)
        assert dead_one_is_told()
        provider = _told_provider(stack)
        assert [name for status, name in provider if status == "firing"] == ["CollectorDown", "CustomerNodeDown"]
        assert all(name != "NodeAlertsHeld" for _, name in provider)
        assert _up(stack, nodes[0]) == "1"


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
            wait_for("the node is up", lambda: _up(stack, place.node_id) == "1", 60)
            server.stop()
            ends = time.monotonic() + 100  # pushed health is believed for 45 s, CustomerNodeDown waits for 2 s
            while time.monotonic() < ends:
                assert _up(stack, place.node_id) == "1"
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
            wait_for("the database is back", lambda: _operator(stack).call("GET", "/overview").status_code == 200, 15)
        finally:
            server.stop()


def _list_customers_alerts(stack: Stack) -> list[dict[str, Any]]:
    return [alert for alert in stack.alerts() if alert["labels"].get("customer_id")]


def test_the_hot_stores_death_is_told_to_the_provider_and_to_no_customer(tmp_path: Path) -> None:
    """Whoever evaluates the rules cannot tell that it is dead; and the alerts that it kept may not end as if cured."""
    layout = replace(quick_layout(tmp_path), resend_delay="2s")  # what it told then ends 8 s after its death
    with Stack(tmp_path, layout, demo_agents()[:1]) as stack, _sink(beside(layout.host, 99)) as (url, told):
        _add_to_alerting(stack, "allow_private_targets: true", "collector_down_for: 3s", "rules_silent_for: 20s")
        stack.start_central()
        stack.start("agent-a1")
        operator = _operator(stack)
        channel = operator.good("POST", "/customers/cliente-a/channels", {"type": "webhook", "target": url})
        wait_for("the channel is active", partial(_is_active, operator, "cliente-a", channel["id"]), 10)
        wait_for("the node is up", lambda: _up(stack, "prod-web-01") == "1", 60)
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


def test_a_hot_store_that_is_there_and_tells_nothing_is_told(tmp_path: Path) -> None:
    """Its rules are gone; a dead man's switch outside hears the same silence."""
    layout = replace(quick_layout(tmp_path), resend_delay="2s")
    with Stack(tmp_path, layout) as stack, _sink(beside(layout.host, 99)) as (url, beats):
        _add_to_alerting(stack, "rules_silent_for: 15s", f'dead_mans_switch: "{url}"')
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
        _add_to_alerting(stack, "collector_down_for: 2s")
        stack.start("webhook", "alertmanager", "monitor", "prometheus-hot")
        stack.kill("alertmanager")
        wait_for("the provider is told", lambda: ("firing", "AlertmanagerDown") in _told_provider(stack), 30)
        stack.start("alertmanager")
        wait_for("and told its end", lambda: ("resolved", "AlertmanagerDown") in _told_provider(stack), 30)


def test_one_customers_series_neither_break_nor_flood_the_alerts_of_all(tmp_path: Path) -> None:
    """B2, B5: written to the hot store as intake would let them through, with labels of alerts and invented nodes, for
    longer than any rule waits; the other customer's node dies before, and its alert stands all the while."""
    dying = replace(_places()[2], is_scraped=True)
    with (
        Stack(tmp_path, agents=[demo_agents()[0], dying]) as stack,
        _sink(beside(stack.layout.host, 99)) as (url, told),
    ):
        waits = [f"{one}: 4s" for one in ("high_cpu_for", "buffer_saturated_for", "high_memory_for", "keep_firing_for")]
        _add_to_alerting(stack, "allow_private_targets: true", *waits)
        stack.start_central()
        stack.start(dying.name)
        operator = _operator(stack)
        channel = {"type": "webhook", "target": url}
        made = operator.good("POST", "/customers/cliente-b/channels", channel)
        wait_for("the channel is active", partial(_is_active, operator, "cliente-b", made["id"]), 10)
        wait_for("B's node is up", lambda: _up(stack, dying.node_id) == "1", 60)
        hot = stack.layout.url("hot")

        def of_hot(expression: str) -> list[dict[str, Any]]:
            answer = requests.get(f"{hot}/api/v1/query", params={"query": expression}, timeout=20)
            found: list[dict[str, Any]] = answer.json()["data"]["result"]
            return found

        def flood() -> None:
            now = [(int(time.time() * 1000), 99.0)]
            of_a = {"customer_id": "cliente-a"}
            cpu = {"__name__": "system_cpu_usage", "node_id": "prod-web-01", **of_a}
            evil = [({**cpu, "severity": "a"}, now), ({**cpu, "severity": "b"}, now), ({**cpu, "alertname": "x"}, now)]
            down = {"__name__": "up", "job": "customer-agents", "node_id": dying.node_id, "reach": "scrape", **of_a}
            names = ("agent_buffer_usage_percent", "system_memory_usage_percent")
            invented = [
                ({"__name__": name, "node_id": f"n{number}", **of_a}, now) for name in names for number in range(20_000)
            ]
            write(hot, [*evil, (down, now), *invented])

        flood()
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
            flood()
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


def test_all_of_our_own_are_scraped_and_the_absence_of_one_pages_no_customer(tmp_path: Path) -> None:
    """C-A3: router and monitor in turn, for longer than pushed health is believed and CustomerNodeDown waits."""
    scraped, _, pushing = demo_agents()
    with Stack(tmp_path, agents=[scraped, pushing]) as stack, _sink(beside(stack.layout.host, 99)) as (url, told):
        _add_to_alerting(stack, "allow_private_targets: true", "keep_firing_for: 5s", "collector_down_for: 3s")
        stack.start_central()
        stack.start(scraped.name, pushing.name)
        operator = _operator(stack)
        for customer in ("cliente-a", "cliente-b"):
            channel = operator.good("POST", f"/customers/{customer}/channels", {"type": "webhook", "target": url})
            wait_for("the channel is active", partial(_is_active, operator, customer, channel["id"]), 10)
        nodes = [scraped.node_id, pushing.node_id]
        wait_for("both nodes are up", lambda: [_up(stack, node) for node in nodes] == ["1", "1"], 60)
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
        wait_for("and told the end of both", lambda: ended <= _told_of_parts(stack), 60)
        wait_for("both nodes are up", lambda: [_up(stack, node) for node in nodes] == ["1", "1"], 60)
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
        central = {command.name for command in commands.central(stack.layout, binaries(), stack.secrets)}
        named = {"otel-collector": "collector", "prometheus": "prometheus-hot"}
        assert {named.get(job, job.removeprefix("vigia-")) for job in OWN_JOBS} == central


def test_a_nodes_own_answer_cannot_break_the_rules(tmp_path: Path) -> None:
    """B2 without a token: what a node's /health serves twice under labels of alerts."""
    with Stack(tmp_path) as stack:
        stack.start("webhook", "alertmanager", "monitor", "prometheus-hot")
        operator = _operator(stack)
        _two_customers(operator)
        host = beside(stack.layout.host, 98)

        class Hostile(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # noqa: N802 (the base class names it so)
                lines = [f'agent_collector_reachable{{severity="{one}",alertname="{one}"}} 0' for one in "abc"]
                content = ("\n".join(lines) + "\n").encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class names it so)
                """Quiet."""

        server = ThreadingHTTPServer((host, 8080), Hostile)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            node = {"id": "evil", "address": f"{host}:8080"}
            operator.good("POST", "/customers/cliente-a/nodes", node)
            hot = stack.layout.url("hot")

            def scraped() -> list[dict[str, Any]]:
                query = {"query": "agent_collector_reachable"}
                answer = requests.get(f"{hot}/api/v1/query", params=query, timeout=5)
                found: list[dict[str, Any]] = answer.json()["data"]["result"]
                return found

            wait_for("it is scraped", scraped, 30)
            time.sleep(5)
            assert len(scraped()) == 1
            assert not {"severity", "alertname"} & set(scraped()[0]["metric"])
            rules = requests.get(f"{hot}/api/v1/rules", timeout=5).json()["data"]["groups"]
            assert {rule["health"] for group in rules for rule in group["rules"]} == {"ok"}
        finally:
            server.shutdown()
            server.server_close()


def _endless_histogram() -> bytes:
    """A native histogram as a client answers a scrape in protobuf, whose zero threshold is not a number."""
    threshold = bytes([6 << 3 | 1]) + struct.pack("<d", math.nan)
    buckets = sized(12, b"\x08\x00\x10\x01") + sized(13, b"\x02")
    histogram = b"\x08\x01" + bytes([2 << 3 | 1]) + struct.pack("<d", 1.0) + b"\x28\x00" + threshold + buckets
    family = sized(1, b"agent_endless") + b"\x18\x04" + sized(4, sized(7, histogram))
    return varint(len(family)) + family


def test_what_a_node_answers_in_protobuf_never_reaches_hot_as_such(tmp_path: Path) -> None:
    """Prometheus chooses its parser by the answer's own type; one such histogram, and its queries never end."""
    with Stack(tmp_path) as stack:
        stack.start("webhook", "alertmanager", "monitor", "prometheus-hot")
        operator = _operator(stack)
        _two_customers(operator)
        asked: list[str] = []

        class Hostile(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # noqa: N802 (the base class names it so)
                asked.append(self.headers.get("Accept", ""))
                content = _endless_histogram()
                self.send_response(200)
                kind = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class names it so)
                """Quiet."""

        server = ThreadingHTTPServer((beside(stack.layout.host, 98), 8080), Hostile)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            node = {"id": "evil", "address": f"{server.server_address[0]!s}:8080"}
            operator.good("POST", "/customers/cliente-a/nodes", node)
            wait_for("it is asked three times", lambda: len(asked) >= 3, 30)
            assert set(asked) == {"text/plain;version=0.0.4"}
            hot = f"{stack.layout.url('hot')}/api/v1"
            found = requests.get(f"{hot}/series", params={"match[]": "agent_endless"}, timeout=5).json()["data"]
            assert found == []
            up = requests.get(f"{hot}/query", params={"query": 'up{node_id="evil"}'}, timeout=5).json()["data"][
                "result"
            ]
            assert [one["value"][1] for one in up] == ["0"], "what is no text is no health"
            query = {"query": "sum_over_time({__name__=~'agent_.*'}[1m])", "timeout": "3s"}
            assert requests.get(f"{hot}/query", params=query, timeout=5).status_code == 200
        finally:
            server.shutdown()
            server.server_close()


def test_a_node_whose_health_has_tls_is_asked_by_https(tmp_path: Path) -> None:
    """Its agent offers TLS, and the targets named no scheme: it was red for ever."""
    place = demo_agents()[0]
    with Stack(tmp_path, agents=[place]) as stack:
        key, certificate = tmp_path / "health.key", tmp_path / "health.crt"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=node",
             "-keyout", str(key), "-out", str(certificate)],
            check=True, capture_output=True,
        )  # fmt: skip
        agent = stack.agents[0]
        config = stack.layout.config / f"{agent.name}.yaml"
        port = stack.layout.ports["agent_health"]
        listen = f"listen: {agent.host}:{port}"
        tls = f"{listen}, tls: {{cert_file: {certificate}, key_file: {key}}}"
        config.write_text(config.read_text().replace(listen, tls))
        stack.start_central()
        operator = _operator(stack)
        operator.good(
            "PATCH", f"/customers/cliente-a/nodes/{agent.node_id}", {"address": f"https://{agent.host}:{port}"}
        )
        command = stack.command(agent.name)
        running = Running(command, stack.folder / "log" / f"{agent.name}.log")
        stack.running[agent.name] = running
        wait_for("it is asked, and answers", lambda: _up(stack, agent.node_id) == "1", 60)
        node = operator.good("GET", f"/customers/cliente-a/nodes/{agent.node_id}")
        assert (node["reach"], node["address"]) == ("scrape", f"https://{agent.host}:{port}")
        for bad in ("https://169.254.169.254:80", "http://10.0.0.1:80", "https://", "https://x"):
            answer = operator.call("PATCH", f"/customers/cliente-a/nodes/{agent.node_id}", {"address": bad})
            assert answer.status_code == 400, bad
