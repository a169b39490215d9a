"""Where a customer's alerts go: what it enters beside another's, what its hosts answer, what arrives."""

from __future__ import annotations

import json
import re
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from launcher.layout import beside
from rest import Caller
from stack import Stack, wait_for
from two_customers import (
    add_channel,
    add_to_alerting,
    add_two_customers,
    answer_status,
    channels_of,
    host_that_answers,
    is_active,
    mail_server,
    operator_of,
    post_alerts,
    sink,
)

GOOD = "https://8.8.8.8/good"


def _receivers(stack: Stack) -> list[str]:
    answer = requests.get(f"{stack.layout.url('alertmanager')}/api/v2/receivers", timeout=5)
    return [one["name"] for one in answer.json()]


def _insertchannels_of(stack: Stack, customer: str, rows: list[tuple[str, str]], state: str) -> list[str]:
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


def _add_and_wait(stack: Stack, operator: Caller, customer: str, seconds: float = 5) -> None:
    channel = operator.good("POST", f"/customers/{customer}/channels", {"type": "webhook", "target": GOOD})
    assert channel["status"] == "pending"
    wait_for(f"{customer}'s channel is active", partial(is_active, operator, customer, channel["id"]), seconds)
    assert f"customer-{customer}" in _receivers(stack)


class TestOneCustomersChannelsCostNobodyElse:
    """D18: one entry that Alertmanager does not take kept everybody's changes out."""

    @pytest.mark.parametrize("kind", ["webhook", "slack"])
    def test_what_alertmanager_would_refuse_is_refused(self, stack: Stack, kind: str) -> None:
        stack.start("webhook", "alertmanager", "monitor")
        operator = operator_of(stack)
        add_two_customers(operator)
        for target in ("https://9.9.9.9/%zz", "https://9.9.9.9/a%", "https://9.9.9.9/?q=%1", "https://9.9.9.9/#%x"):
            body = {"type": kind, "target": target}
            answer = operator.call("POST", "/customers/cliente-a/channels", body)
            assert answer.status_code == 400, target
            assert "hexadecimal" in answer.json()["message"]
        _add_and_wait(stack, operator, "cliente-b")

    def test_what_is_in_the_database_already_is_left_out_and_told(self, stack: Stack) -> None:
        stack.start("webhook", "alertmanager", "monitor")
        add_two_customers(operator_of(stack))
        stack.stop("monitor")
        rows = [
            ("webhook", "https://9.9.9.9/%zz"),
            ("slack", "https://9.9.9.9/a%"),
            ("email", "a@x.example, b@y.example"),
            ("webhook", "https://9.9.9.9/fine"),
            ("webhook", f"http://localhost:{stack.layout.ports['webhook']}/"),
        ]
        ids = _insertchannels_of(stack, "cliente-a", rows, "active")
        stack.start("monitor")
        operator = operator_of(stack)
        _add_and_wait(stack, operator, "cliente-b")

        def are_sorted() -> bool:
            found = channels_of(operator, "cliente-a")
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
        operator = operator_of(stack)
        add_two_customers(operator)
        _add_and_wait(stack, operator, "cliente-b")
        stack.stop("monitor")
        config = stack.layout.config / "monitor.yaml"
        real = stack.layout.url("alertmanager")
        with _stricter_alertmanager(real, stack.layout.data / "alertmanager.yml") as (url, refused):
            config.write_text(config.read_text().replace(f'"{real}"', f'"{url}"'))
            rows = [("webhook", f"https://9.9.9.9/{number}") for number in range(6)]
            ids = _insertchannels_of(stack, "cliente-a", rows, "pending")
            stack.start("monitor")
            operator = operator_of(stack)
            wanted = ["active", "not_active", "active", "active", "not_active", "active"]
            wait_for(
                "the two are found",
                lambda: [channels_of(operator, "cliente-a")[one]["status"] for one in ids] == wanted,
                15,
            )
            assert refused, "it was asked, and refused"
            reason = channels_of(operator, "cliente-a")[ids[1]]["reason"]
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
            host_that_answers(beside(stack.layout.host, 98), endless) as evil,
            sink(beside(stack.layout.host, 99)) as (url, told),
        ):
            add_to_alerting(stack, "allow_private_targets: true")
            stack.start("webhook", "alertmanager", "monitor")
            operator = operator_of(stack)
            add_two_customers(operator)
            add_channel(operator, "cliente-a", type=kind, target=evil)
            add_channel(operator, "cliente-b", type="webhook", target=url)
            post_alerts(stack, "cliente-a", "n1", "n2", "n3")
            wait_for("A's host is asked", lambda: sent[0] > 0, 20)
            post_alerts(stack, "cliente-b", "n4")
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
            answer_status(asked, 410 if asked.path == "/gone" else 302 if asked.path == "/moved" else 200)

        with Stack(tmp_path) as stack, host_that_answers(beside(stack.layout.host, 98), take) as url:
            add_to_alerting(stack, "allow_private_targets: true")
            stack.start("webhook", "alertmanager", "monitor")
            operator = operator_of(stack)
            add_two_customers(operator)
            add_channel(operator, "cliente-a", type="webhook", target=f"{url}/secret/hook?x=%41#part")
            add_channel(operator, "cliente-a", type="slack", target=f"{url}/services/T/B", channel="#ops")
            for path in ("/gone", "/moved"):
                add_channel(operator, "cliente-b", type="webhook", target=url + path)
            post_alerts(stack, "cliente-a", "n1")
            post_alerts(stack, "cliente-b", "n2")
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
            assert slack["attachments"][0]["title"] == "[ACTIVA] Nodo caído · n1"
            assert all("authorization" not in headers for _, headers, _ in got), "the internal token stays inside"
            written = (stack.layout.data / "alertmanager.yml").read_text()
            assert "secret" not in written
            assert url not in written

    def test_where_a_channel_leads_is_checked_when_it_is_told(self, stack: Stack) -> None:
        """A name that leads inside by then: it is refused, whatever was found when it was entered."""
        asked: list[str] = []

        def take(one: BaseHTTPRequestHandler, _: bytes) -> None:
            asked.append(one.path)
            answer_status(one, 200)

        stack.start("webhook", "monitor")
        add_two_customers(operator_of(stack))
        stack.stop("monitor")
        with host_that_answers("127.0.0.1", take) as url:
            (channel,) = _insertchannels_of(
                stack, "cliente-a", [("webhook", url.replace("127.0.0.1", "localhost"))], "active"
            )
            stack.start("monitor")
            inside = stack.layout.url("monitor_internal")
            token = {"Authorization": f"Bearer {stack.secrets['internal_token']}"}

            def post(customer: str, headers: dict[str, str], size: int = 2) -> int:
                where = f"{inside}/hooks/{customer}/{channel}"
                message = b"{" + b" " * (size - 2) + b"}"
                return requests.post(where, data=message, headers=headers, timeout=15).status_code

            assert post("cliente-a", token) == 403
            assert post("cliente-b", token) == 404, "another's channel"
            assert post("cliente-a", {}) == 401
            assert post("cliente-a", token, (1 << 20) + 1) == 413
            assert asked == []
            stack.stop("monitor")
            add_to_alerting(stack, "allow_private_targets: true")
            stack.start("monitor")
            assert post("cliente-a", token) == 200
            assert asked == ["/"]

    def test_a_host_that_hangs_takes_its_customers_share_alone(self, tmp_path: Path) -> None:
        over = threading.Event()
        under_way: list[int] = []

        def hang(asked: BaseHTTPRequestHandler, _: bytes) -> None:
            under_way.append(1)
            over.wait(30)
            answer_status(asked, 200)

        with (
            Stack(tmp_path) as stack,
            host_that_answers(beside(stack.layout.host, 98), hang) as hanging,
            sink(beside(stack.layout.host, 99)) as (url, told),
        ):
            add_to_alerting(stack, "allow_private_targets: true")
            stack.start("webhook", "alertmanager", "monitor")
            operator = operator_of(stack)
            add_two_customers(operator)
            own = add_channel(operator, "cliente-a", type="webhook", target=hanging)
            others = add_channel(operator, "cliente-a", type="webhook", target=url)
            add_channel(operator, "cliente-b", type="webhook", target=url)
            token = {"Authorization": f"Bearer {stack.secrets['internal_token']}"}

            def post_to(channel: str, message: bytes) -> int:
                where = f"{stack.layout.url('monitor_internal')}/hooks/cliente-a/{channel}"
                return requests.post(where, data=message, headers=token, timeout=30).status_code

            def post(_: int) -> int:
                return post_to(own, b"{}")

            with ThreadPoolExecutor(150) as pool:
                answers = pool.map(post, range(150))
                wait_for("A's share is taken", lambda: len(under_way) == 64, 10)
                assert post_to(own, b"{}") == 503
                assert post_to(others, b'{"alerts":[]}') == 200, "its other channels have room"
                post_alerts(stack, "cliente-b", "n4")
                wait_for("B is told meanwhile", lambda: told, 9)
                statuses = list(answers)
            over.set()
            assert len(under_way) == 64
            assert set(statuses) == {503}, "too many, and no answer within 10 s"


def _is_kept(stack: Stack, shown: dict[str, Any]) -> bool:
    """Whether the database has what a page showed of a channel, or what came later."""
    with closing(sqlite3.connect(stack.layout.data / "monitor.db")) as database:
        statement = "SELECT delivered_ms, failed_ms FROM channels WHERE id = ?"
        times_ms = database.execute(statement, (shown["id"],)).fetchone()
    failure = shown["last_failure"]
    seen = (shown["last_delivered_at"], failure["at"] if failure else None)
    return all(
        at is None or ms // 1000 >= datetime.fromisoformat(at).timestamp()
        for at, ms in zip(seen, times_ms, strict=True)
    )


def test_how_each_channel_fares_is_shown(tmp_path: Path) -> None:
    """It stood in nobody's sight but the log's; and it stays known over a restart."""
    statuses = {"/hook-secret": 503, "/slack-secret": 410}

    def take(asked: BaseHTTPRequestHandler, _: bytes) -> None:
        answer_status(asked, statuses[asked.path])

    unknown = ["nobody@a.example"]
    with (
        Stack(tmp_path) as stack,
        host_that_answers(beside(stack.layout.host, 98), take) as url,
        mail_server(beside(stack.layout.host, 97), lambda: unknown[0]) as (port, mails),
    ):
        smarthost = f"{beside(stack.layout.host, 97)}:{port}"
        mail = f'mail: {{smarthost: "{smarthost}", from: vigia@p.example, require_tls: false}}'
        add_to_alerting(stack, "allow_private_targets: true", mail)
        stack.start("webhook", "alertmanager", "monitor")
        operator = operator_of(stack)
        add_two_customers(operator)
        hook = add_channel(operator, "cliente-a", type="webhook", target=url + "/hook-secret")
        slack = add_channel(operator, "cliente-a", type="slack", target=url + "/slack-secret")
        refused = add_channel(operator, "cliente-a", type="email", target="nobody@a.example")
        taken = add_channel(operator, "cliente-a", type="email", target="ops@a.example")
        others = add_channel(operator, "cliente-b", type="email", target="ops@b.example")
        assert all(one["last_failure"] is None for one in channels_of(operator, "cliente-a").values())
        time.sleep(12)  # the first look at Alertmanager's counters tells nothing
        post_alerts(stack, "cliente-a", "n1")

        def failure_of(channel: str) -> str | None:
            failure = channels_of(operator, "cliente-a")[channel]["last_failure"]
            return failure["reason"] if failure else None

        def delivered(customer: str, channel: str) -> str | None:
            at: str | None = channels_of(operator, customer)[channel]["last_delivered_at"]
            return at

        wait_for("the webhook's", lambda: failure_of(hook) == "its host answers 503", 20)
        wait_for("Slack's", lambda: failure_of(slack) == "its host answers 410", 20)
        wait_for("the mail's", lambda: failure_of(refused) == "the mail server does not take the message", 30)
        wait_for("the other mail's", lambda: delivered("cliente-a", taken), 30)
        assert failure_of(taken) is None
        assert delivered("cliente-a", refused) is None
        assert delivered("cliente-b", others) is None
        shown = json.dumps(operator.good("GET", "/customers/cliente-a/channels"))
        assert not re.search(r"secret|inside|127\.0\.0\.1|" + re.escape(smarthost), shown), shown
        assert mails
        statuses["/hook-secret"] = 200
        unknown[0] = ""
        wait_for("Alertmanager's next try arrives", lambda: delivered("cliente-a", hook), 90)
        assert failure_of(hook) == "its host answers 503", "what failed before stays known"
        before = channels_of(operator, "cliente-a")
        wait_for("that is kept", lambda: all(_is_kept(stack, before[one]) for one in (hook, slack, refused, taken)), 90)
        stack.stop("monitor")
        stack.start("monitor")
        after = channels_of(operator_of(stack), "cliente-a")
        for channel in (hook, slack, refused, taken):
            kept, was = after[channel]["last_failure"] or {}, before[channel]["last_failure"] or {}
            assert kept.get("reason") == was.get("reason")
            assert kept.get("at", "") >= was.get("at", ""), "Alertmanager tries again meanwhile"
            assert (after[channel]["last_delivered_at"] is None) == (before[channel]["last_delivered_at"] is None)
