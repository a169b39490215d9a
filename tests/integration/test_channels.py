"""Where a customer's alerts go: what it enters beside another's, what its hosts answer, what arrives."""

from __future__ import annotations

import email.policy
import json
import re
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from email import message_from_string
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from launcher.layout import beside, demo_agents
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
    sink,
    up_of,
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
    wait_for("the channel is active", partial(is_active, operator, customer, made["id"]), 10)
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
            host_that_answers(beside(stack.layout.host, 98), endless) as evil,
            sink(beside(stack.layout.host, 99)) as (url, told),
        ):
            add_to_alerting(stack, "allow_private_targets: true")
            stack.start("webhook", "alertmanager", "monitor")
            operator = operator_of(stack)
            add_two_customers(operator)
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

        with Stack(tmp_path) as stack, host_that_answers(beside(stack.layout.host, 98), take) as url:
            add_to_alerting(stack, "allow_private_targets: true")
            stack.start("webhook", "alertmanager", "monitor")
            operator = operator_of(stack)
            add_two_customers(operator)
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
            _answer_status(one, 200)

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
            _answer_status(asked, 200)

        with (
            Stack(tmp_path) as stack,
            host_that_answers(beside(stack.layout.host, 98), hang) as hanging,
            sink(beside(stack.layout.host, 99)) as (url, told),
        ):
            add_to_alerting(stack, "allow_private_targets: true")
            stack.start("webhook", "alertmanager", "monitor")
            operator = operator_of(stack)
            add_two_customers(operator)
            own = _add_channel(operator, "cliente-a", type="webhook", target=hanging)
            others = _add_channel(operator, "cliente-a", type="webhook", target=url)
            _add_channel(operator, "cliente-b", type="webhook", target=url)
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
                _post_alerts(stack, "cliente-b", "n4")
                wait_for("B is told meanwhile", lambda: told, 9)
                statuses = list(answers)
            over.set()
            assert len(under_way) == 64
            assert set(statuses) == {503}, "too many, and no answer within 10 s"


def _with_portal(stack: Stack, *alerting: str) -> str:
    portal = stack.layout.url("monitor")
    add_to_alerting(stack, *alerting)
    config = stack.layout.config / "monitor.yaml"
    config.write_text(config.read_text().replace("public:\n", f"public:\n  url: {portal}\n"))
    return portal


def test_how_each_channel_fares_is_shown(tmp_path: Path) -> None:
    """It stood in nobody's sight but the log's; and it stays known over a restart."""
    statuses = {"/hook-secret": 503, "/slack-secret": 410}

    def take(asked: BaseHTTPRequestHandler, _: bytes) -> None:
        _answer_status(asked, statuses[asked.path])

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
        hook = _add_channel(operator, "cliente-a", type="webhook", target=url + "/hook-secret")
        slack = _add_channel(operator, "cliente-a", type="slack", target=url + "/slack-secret")
        refused = _add_channel(operator, "cliente-a", type="email", target="nobody@a.example")
        taken = _add_channel(operator, "cliente-a", type="email", target="ops@a.example")
        others = _add_channel(operator, "cliente-b", type="email", target="ops@b.example")
        assert all(one["last_failure"] is None for one in channels_of(operator, "cliente-a").values())
        time.sleep(12)  # the first look at Alertmanager's counters tells nothing
        _post_alerts(stack, "cliente-a", "n1")

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
        time.sleep(6)  # a look, after which it is kept
        before = channels_of(operator, "cliente-a")
        stack.stop("monitor")
        stack.start("monitor")
        after = channels_of(operator_of(stack), "cliente-a")
        for channel in (hook, slack, refused, taken):
            assert after[channel]["last_failure"] == before[channel]["last_failure"]
            assert (after[channel]["last_delivered_at"] is None) == (before[channel]["last_delivered_at"] is None)


def test_what_a_customer_is_told_leads_to_the_portal_and_names_no_machine_of_ours(tmp_path: Path) -> None:
    """generatorURL and externalURL named Prometheus and Alertmanager inside, to a customer and for nobody to open."""
    got: dict[str, str] = {}

    def take(asked: BaseHTTPRequestHandler, body: bytes) -> None:
        got[asked.path] = body.decode()
        _answer_status(asked, 200)

    with (
        Stack(tmp_path, agents=demo_agents()[:1]) as stack,
        host_that_answers(beside(stack.layout.host, 98), take) as url,
        mail_server(beside(stack.layout.host, 97)) as (port, mails),
    ):
        smarthost = f"{beside(stack.layout.host, 97)}:{port}"
        mail = f'mail: {{smarthost: "{smarthost}", from: vigia@p.example, require_tls: false}}'
        portal = _with_portal(stack, "allow_private_targets: true", mail)
        stack.start_central()
        stack.start("agent-a1")
        operator = operator_of(stack)
        _add_channel(operator, "cliente-a", type="webhook", target=f"{url}/hook")
        _add_channel(operator, "cliente-a", type="slack", target=f"{url}/slack")
        _add_channel(operator, "cliente-a", type="email", target="ops@a.example")
        wait_for("the node is up", lambda: up_of(stack, "prod-web-01") == "1", 60)
        stack.kill("agent-a1")
        wait_for("all three are told", lambda: len(got) == 2 and mails, 90)
        message = json.loads(got["/hook"])
        page = f"{portal}/nodes/cliente-a/prod-web-01"
        assert message["alerts"][0]["labels"]["alertname"] == "CustomerNodeDown"
        assert [one["generatorURL"] for one in message["alerts"]] == [page]
        assert message["externalURL"] == f"{portal}/alerts"
        assert json.loads(got["/slack"])["attachments"][0]["title_link"] == page
        for name, text in {**got, "mail": mails[0].replace("=\r\n", "").replace("=3D", "=")}.items():
            assert page in text, (name, text)
            inside = re.findall(r"127\.\d+\.\d+\.\d+(?::\d+)?", text.replace(portal, ""))
            assert inside == [], (name, text)
            assert stack.secrets["internal_token"] not in text


def test_mails_are_in_the_customers_language(tmp_path: Path) -> None:
    with Stack(tmp_path) as stack, mail_server(beside(stack.layout.host, 97)) as (port, mails):
        smarthost = f"{beside(stack.layout.host, 97)}:{port}"
        add_to_alerting(stack, f'mail: {{smarthost: "{smarthost}", from: vigia@p.example, require_tls: false}}')
        portal = stack.layout.url("monitor")
        config = stack.layout.config / "monitor.yaml"
        config.write_text(config.read_text().replace("public:\n", f"public:\n  url: {portal}\n"))
        stack.start("webhook", "alertmanager", "monitor")
        operator = operator_of(stack)
        names = {"inglesa": "Smith & {{ Sons }}", "espanola": "Española S.A."}
        for customer, language in (("inglesa", "en"), ("espanola", "es")):
            operator.good("POST", "/customers", {"id": customer, "name": names[customer], "language": language})
            channel = {"type": "email", "target": f"a@{customer}.example"}
            created = operator.good("POST", f"/customers/{customer}/channels", channel)
            wait_for("it is active", partial(is_active, operator, customer, created["id"]), 10)

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
        english, spanish = "[FIRING] Node down · web-01", "[ACTIVA] Nodo caído · web-01"
        sent = parsed()
        assert set(sent) == {("a@inglesa.example", english), ("a@espanola.example", spanish)}
        assert "FIRING: Node web-01 &lt;is&gt; down (since 2" in sent["a@inglesa.example", english]
        assert "ACTIVA: Nodo web-01 <está> caído (desde 2" in sent["a@espanola.example", spanish]
        assert "Customer: Smith &amp; {{ Sons }} · node: web-01" in sent["a@inglesa.example", english]
        assert "Cliente: Española S.A. · nodo: web-01" in sent["a@espanola.example", spanish]
        for customer, subject in (("inglesa", english), ("espanola", spanish)):
            text = sent[f"a@{customer}.example", subject]
            page = f"{portal}/nodes/{customer}/web-01"
            assert f'<a href="{page}">{page}</a>' in text
        assert re.search(r"desde [0-9: -]+ UTC[+-]\d\d:\d\d\)", sent["a@espanola.example", spanish])
        # Its end is told in words of its own, and without a second "is down".
        post(0)
        wait_for("both are told of the end", lambda: len(mails) == 4, 90)
        ended = parsed()["a@inglesa.example", "[RESOLVED] Node down · web-01"]
        assert "RESOLVED: Node web-01 is no longer down (since 2" in ended
        assert re.search(r" until [0-9: -]+ UTC[+-]\d\d:\d\d\)", ended)
        assert "&lt;is&gt; down" not in ended
        ended = parsed()["a@espanola.example", "[RESUELTA] Nodo caído · web-01"]
        assert "RESUELTA: Nodo web-01 ya no está caído (desde 2" in ended
        # A change of language or name holds from the next message on.
        operator.good("PATCH", "/customers/espanola", {"name": "Otra S.A."})
        operator.good("PATCH", "/customers/inglesa", {"language": "es"})
        config = stack.layout.data / "alertmanager.yml"
        wait_for("it is written", lambda: "FIRING" not in config.read_text(), 10)
        assert "Otra S.A." in config.read_text()
        assert operator.call("PATCH", "/customers/inglesa", {"language": "fr"}).status_code == 400
        assert operator.good("GET", "/customers/inglesa")["language"] == "es"
