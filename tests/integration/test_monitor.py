"""The control plane alone, on its real binary: what it refuses, sessions, the audit log, its databases."""

from __future__ import annotations

import tempfile
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from launcher.layout import own_host
from monitor_home import ALLOWED, make_home, operations, perform
from postgresql_server import PostgreSql
from rest import PASSWORD, Caller, unique
from stack import Stack, wait_for


class TestBadRequests:
    def test_bodies(self, operator: Caller) -> None:
        for raw in (
            "",
            "{",
            "[]",
            "null",
            '"x"',
            '{"id":"a","id":"b","name":"x"}',
            "[" * 5000,
            '{"id":1,"name":"x"}',
            "\xff",
        ):
            answer = operator.http.post(
                f"{operator.url}/api/v1/customers",
                data=raw.encode("latin-1"),
                headers={"X-CSRF-Token": operator.csrf, "Content-Type": "application/json"},
                timeout=5,
            )
            assert answer.status_code == 400, raw
            assert answer.json()["error"] == "invalid"

    def test_unknown_fields_are_named(self, operator: Caller) -> None:
        answer = operator.call("POST", "/customers", {"id": "a", "name": "b", "tenant": 1})
        assert answer.status_code == 400
        assert "tenant" in answer.json()["message"]

    def test_content_type_and_size(self, operator: Caller) -> None:
        headers = {"X-CSRF-Token": operator.csrf, "Content-Type": "text/plain"}
        url = f"{operator.url}/api/v1/customers"
        assert operator.http.post(url, data="{}", headers=headers, timeout=5).status_code == 415
        assert operator.call("POST", "/customers", {"id": "a", "name": "b" * 70_000}).status_code == 413

    # C64, R-SEC-9.
    @pytest.mark.parametrize(
        "customer", ["..", ".", "a/../b", "a\\b", "a%2F..", "", "a" * 300, "A", "a--b", "-a", "_provider", "a\n", "ñ"]
    )
    def test_customer_ids(self, operator: Caller, customer: str) -> None:
        assert operator.call("POST", "/customers", {"id": customer, "name": "x"}).status_code == 400

    # R-SEC-7, R-SEC-10.
    @pytest.mark.parametrize(
        "path", ["/", "//", "/customers/", "/customers//tokens", "/customers/%2e%2e", "/session/x", "/x"]
    )
    def test_unknown_paths(self, operator: Caller, path: str) -> None:
        assert operator.call("GET", path).status_code == 404

    def test_wrong_methods(self, operator: Caller) -> None:
        answer = operator.call("PUT", "/customers")
        assert answer.status_code == 405
        assert answer.headers["Allow"] == "GET, POST"

    # R-SEC-18.
    def test_addresses_of_our_own_machines(self, operator: Caller) -> None:
        home = make_home(operator)
        for address in (
            "169.254.169.254:80",
            "0.0.0.0:80",
            "2130706433:80",
            "[::ffff:127.0.0.1]:80",
            "x y:1",
            "8.8.8.8",
        ):
            body = {"id": "n", "address": address}
            assert operator.call("POST", f"/customers/{home.id}/nodes", body).status_code == 400, address
        for target in ("http://127.0.0.1/x", "http://169.254.169.254/", "ftp://8.8.8.8/", "http://10.0.0.1/"):
            body = {"type": "webhook", "target": target}
            assert operator.call("POST", f"/customers/{home.id}/channels", body).status_code == 400, target

    def test_passwords(self, operator: Caller) -> None:
        home = make_home(operator)
        for password in ("short", "password1234", "aaaaaaaaaaaa", "123456789012"):
            body = {"name": unique("u"), "password": password}
            assert operator.call("POST", f"/customers/{home.id}/users", body).status_code == 400, password


class TestSessions:
    # R-WEB-1.
    def test_every_failed_log_in_gets_one_answer(self, operator: Caller) -> None:
        home = make_home(operator)
        operator.good("PATCH", f"/customers/{home.id}/users/{home.ids['user_id']}", {"is_enabled": False})
        answers = [
            Caller(operator.url).call("POST", "/session", {"user": user, "password": password})
            for user, password in ((unique("no"), "x"), ("admin", "wrong"), (f"user-{home.id}", PASSWORD))
        ]
        assert {answer.status_code for answer in answers} == {401}
        assert len({answer.text for answer in answers}) == 1
        assert not any("Set-Cookie" in answer.headers for answer in answers)

    # R-WEB-5.
    def test_the_cookie_is_for_this_server_only(self, operator: Caller) -> None:
        home = make_home(operator)
        answer = Caller(operator.url).call("POST", "/session", {"user": f"user-{home.id}", "password": PASSWORD})
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert "Domain" not in cookie

    # R-WEB-4, R-SEC-17.
    def test_log_out_ends_it_on_the_server(self, operator: Caller) -> None:
        home = make_home(operator)
        kept = home.user.http.cookies.get_dict()
        home.user.good("DELETE", "/session")
        again = Caller(operator.url)
        again.http.cookies.update(kept)
        assert again.call("GET", "/session").status_code == 401

    # R-WEB-4.
    def test_a_new_password_ends_the_other_sessions(self, operator: Caller) -> None:
        home = make_home(operator)
        other = Caller(operator.url).log_in(f"user-{home.id}", PASSWORD)
        body = {"current_password": PASSWORD, "new_password": "Otra-lampara-93"}
        home.user.good("POST", "/session/password", body)
        assert other.call("GET", "/session").status_code == 401
        assert home.user.call("GET", "/session").status_code == 200
        Caller(operator.url).log_in(f"user-{home.id}", "Otra-lampara-93")

    def test_guessing_is_slowed_down(self, operator: Caller) -> None:
        user = unique("guess")
        statuses = [
            Caller(operator.url).call("POST", "/session", {"user": user, "password": f"wrong-{n}"}).status_code
            for n in range(8)
        ]
        assert statuses[:5] == [401] * 5
        assert 429 in statuses
        answer = Caller(operator.url).call("POST", "/session", {"user": user, "password": "x"})
        assert int(answer.headers["Retry-After"]) >= 1

    # R-WEB-7, R-SEC-12.
    def test_every_answer_carries_the_security_headers(self, operator: Caller) -> None:
        for path in ("/", "/some/page", "/api/v1/overview", "/api/v1/nope", "/missing.js"):
            headers = requests.get(operator.url + path, timeout=5).headers
            policy = headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert "frame-ancestors 'none'" in policy


class TestAudit:
    def test_says_who_did_what_and_is_intact(self, operator: Caller) -> None:
        home = make_home(operator)
        home.user.good("POST", f"/customers/{home.id}/tokens", {"name": "mine", "scope": "ingest"})
        entries = home.user.good("GET", "/audit?limit=2")["entries"]
        assert entries[0]["actor"] == f"user:user-{home.id}"
        assert entries[0]["action"] == "token.create"
        assert entries[0]["address"].startswith("127.0.0.1")
        outcome = operator.good("GET", "/audit/verification")
        assert outcome["is_intact"]
        assert outcome["entries"] >= len(entries)

    # C63.
    def test_names_what_was_revoked_and_removed(self, operator: Caller) -> None:
        home = make_home(operator)
        tokens = f"/customers/{home.id}/tokens"
        token = home.user.good("POST", tokens, {"name": "of the old web", "scope": "ingest"})
        home.user.good("DELETE", f"{tokens}/{token['id']}")
        assert home.user.call("DELETE", f"{tokens}/{'0' * 32}").status_code == 404
        channels = f"/customers/{home.id}/channels"
        channel = operator.good("POST", channels, {"type": "webhook", "target": "https://8.8.8.8/secret"})
        operator.good("DELETE", f"{channels}/{channel['id']}")
        assert operator.call("DELETE", f"{channels}/{channel['id']}").status_code == 404
        entries = operator.good("GET", f"/audit?limit=4&customer_id={home.id}")["entries"]
        assert [(entry["action"], entry["detail"]) for entry in entries] == [
            ("channel.delete", "webhook https://8.8.8.8"),
            ("channel.create", "webhook https://8.8.8.8"),
            ("token.revoke", "scope=ingest name=of the old web"),
            ("token.create", "scope=ingest name=of the old web"),
        ]

    def test_pages_meet_without_gap(self, operator: Caller) -> None:
        make_home(operator)
        seen: list[int] = []
        before = None
        while True:
            page = operator.good("GET", "/audit?limit=100" + (f"&before={before}" if before else ""))
            seen += [entry["sequence"] for entry in page["entries"]]
            before = page["next_before"]
            if before is None:
                break
        assert seen == list(range(seen[0], 0, -1))

    # R-SEC-13, R-WEB-13.
    def test_never_holds_a_secret(self, operator: Caller, stack_of_one: Stack) -> None:
        make_home(operator)
        text = operator.call("GET", "/audit?limit=500").text + stack_of_one.running["monitor"].log.read_text()
        assert PASSWORD not in text
        assert stack_of_one.secrets["internal_token"] not in text
        assert stack_of_one.secrets["admin_password"] not in text
        assert "vgi_" not in text


def test_all_is_kept_over_a_restart(tmp_path: Path) -> None:
    with Stack(tmp_path) as stack:
        stack.start("monitor")
        operator = Caller(stack.layout.url("monitor")).log_in("admin", stack.secrets["admin_password"])
        home = make_home(operator)
        stack.kill("monitor")
        kept = stack.secrets["admin_password"]
        stack.secrets["admin_password"] = "Nueva-clave-del-arranque-1"
        stack.start("monitor")
        # The session, the customer and the first password are still good; the one in the configuration changes nothing.
        assert home.user.good("GET", "/session")["customer_id"] == home.id
        assert home.read.good("GET", f"/customers/{home.id}/nodes")["nodes"][0]["id"] == "web-01"
        Caller(operator.url).log_in("admin", kept)
        refused = Caller(operator.url).call(
            "POST", "/session", {"user": "admin", "password": "Nueva-clave-del-arranque-1"}
        )
        assert refused.status_code == 401
        assert operator.good("GET", "/audit/verification")["is_intact"]


def test_a_node_that_moves_is_one_series(tmp_path: Path) -> None:
    """What was at the old address must not go on as a node that is down, with an alert of its own."""
    with Stack(tmp_path) as stack:
        stack.start("monitor", "prometheus-hot")
        operator = Caller(stack.layout.url("monitor")).log_in("admin", stack.secrets["admin_password"])
        operator.good("POST", "/customers", {"id": "movers", "name": "M"})
        hot = f"{stack.layout.url('hot')}/api/v1"

        class Node(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.add(self.server.server_address)
                content = b"agent_healthy 1\n"
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        asked: set[Any] = set()
        operator.good("POST", "/customers/movers/nodes", {"id": "web-01"})
        for _ in range(2):
            place = ThreadingHTTPServer((own_host(), 0), Node)
            threading.Thread(target=place.serve_forever, daemon=True).start()
            host, port = place.server_address[:2]
            operator.good("PATCH", "/customers/movers/nodes/web-01", {"address": f"{host!s}:{port}"})
            wait_for(f"{host!s}:{port} is asked", partial(asked.__contains__, place.server_address), 30)
            place.shutdown()
        found = requests.get(f"{hot}/series", {"match[]": 'up{job="customer-agents",reach="scrape"}'}, timeout=5).json()
        assert [one["instance"] for one in found["data"]] == ["web-01"]


@pytest.mark.skipif(not list(Path("/usr/lib/postgresql").glob("*/bin")), reason="PostgreSQL is not installed")
def test_postgresql_serves_as_well(tmp_path: Path) -> None:
    """The same over PostgreSQL, also after its server was restarted."""
    with tempfile.TemporaryDirectory() as folder, Stack(tmp_path) as stack:
        server = PostgreSql(Path(folder))
        server.start()
        try:
            config = stack.layout.config / "monitor.yaml"
            lines = config.read_text().splitlines(keepends=True)
            url = f"database: postgresql://vigia@{server.host}:{server.port}/postgres\nstate_directory: {tmp_path}/state\n"
            config.write_text("".join(url if line.startswith("database:") else line for line in lines))
            stack.start("monitor")
            operator = Caller(stack.layout.url("monitor")).log_in("admin", stack.secrets["admin_password"])
            home, stranger = make_home(operator), make_home(operator)
            assert stranger.user.call("GET", f"/customers/{home.id}").status_code == 404
            for operation in operations("known", "customer"):
                if operation[0] == "GET":
                    assert perform(home.user, operation, home.ids).status_code in ALLOWED
            server.stop()
            assert home.user.call("GET", f"/customers/{home.id}").status_code == 503
            server.start()
            wait_for("the connection is back", lambda: home.user.call("GET", "/session").status_code == 200, 10)
            stack.kill("monitor")
            stack.start("monitor")
            home.user.good("DELETE", f"/customers/{home.id}/tokens/{home.ids['token_id']}")
            wait_for("intact", lambda: operator.good("GET", "/audit/verification")["is_intact"], 10)
        finally:
            server.stop()
