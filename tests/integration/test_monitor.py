"""The control plane alone, on its real binary: who may do what, tokens, snapshot, sessions, alert channels."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from launcher.layout import own_host
from launcher.paths import ROOT
from rest import PASSWORD, Caller, unique, with_token
from stack import Stack, wait_for

CONTRACT = yaml.safe_load((ROOT / "docs" / "api" / "openapi.yaml").read_text())

# Who may call: "public", "known" (anybody logged in), "person" (with a cookie), "operator", "customer" (operators and the
# customer itself), "team" (the same, but not the customer's tokens), "protected" (operators; the customer itself gets 403),
# "log" (as "known", but not a customer's tokens).
OPERATIONS = {
    ("POST", "/session"): "public",
    ("GET", "/session"): "known",
    ("DELETE", "/session"): "person",
    ("POST", "/session/password"): "person",
    ("GET", "/sessions"): "person",
    ("DELETE", "/sessions/{session_id}"): "person",
    ("GET", "/system"): "known",
    ("GET", "/overview"): "known",
    ("GET", "/alerts"): "known",
    ("GET", "/customers"): "known",
    ("POST", "/customers"): "operator",
    ("GET", "/customers/{customer_id}"): "customer",
    ("PATCH", "/customers/{customer_id}"): "protected",
    ("DELETE", "/customers/{customer_id}"): "protected",
    ("GET", "/customers/{customer_id}/tokens"): "team",
    ("POST", "/customers/{customer_id}/tokens"): "customer",
    ("DELETE", "/customers/{customer_id}/tokens/{token_id}"): "customer",
    ("GET", "/customers/{customer_id}/nodes"): "customer",
    ("POST", "/customers/{customer_id}/nodes"): "protected",
    ("GET", "/customers/{customer_id}/nodes/{node_id}"): "customer",
    ("PATCH", "/customers/{customer_id}/nodes/{node_id}"): "protected",
    ("DELETE", "/customers/{customer_id}/nodes/{node_id}"): "protected",
    ("GET", "/customers/{customer_id}/nodes/{node_id}/metrics"): "customer",
    ("GET", "/customers/{customer_id}/users"): "team",
    ("POST", "/customers/{customer_id}/users"): "protected",
    ("PATCH", "/customers/{customer_id}/users/{user_id}"): "protected",
    ("GET", "/customers/{customer_id}/channels"): "team",
    ("POST", "/customers/{customer_id}/channels"): "protected",
    ("DELETE", "/customers/{customer_id}/channels/{channel_id}"): "protected",
    ("GET", "/operators"): "operator",
    ("POST", "/operators"): "operator",
    ("PATCH", "/operators/{user_id}"): "operator",
    ("GET", "/operator-tokens"): "operator",
    ("POST", "/operator-tokens"): "operator",
    ("DELETE", "/operator-tokens/{token_id}"): "operator",
    ("GET", "/audit"): "log",
    ("GET", "/audit/verification"): "operator",
}
# Bodies that are good where the caller may do it. "" in a name is filled with something new.
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/session"): {"user": "nobody", "password": "nothing"},
    ("POST", "/session/password"): {"current_password": PASSWORD, "new_password": PASSWORD + "-nueva"},
    ("POST", "/customers"): {"id": "", "name": "Nueva"},
    ("PATCH", "/customers/{customer_id}"): {"name": "Otro nombre"},
    ("POST", "/customers/{customer_id}/tokens"): {"name": "t", "scope": "read"},
    ("POST", "/customers/{customer_id}/nodes"): {"id": ""},
    ("PATCH", "/customers/{customer_id}/nodes/{node_id}"): {"region": "eu"},
    ("POST", "/customers/{customer_id}/users"): {"name": "", "password": PASSWORD},
    ("PATCH", "/customers/{customer_id}/users/{user_id}"): {"is_enabled": True},
    ("POST", "/customers/{customer_id}/channels"): {"type": "webhook", "target": "https://8.8.8.8/hook"},
    ("POST", "/operators"): {"name": "", "password": PASSWORD},
    ("PATCH", "/operators/{user_id}"): {"is_enabled": False},
    ("POST", "/operator-tokens"): {"name": "t"},
}
CHANGES = {"POST", "PATCH", "DELETE"}
# The router is not running here, so what needs it answers 503; Alertmanager neither.
ALLOWED = {200, 201, 204, 503}


@dataclass
class Home:
    """A customer with one of everything."""

    id: str
    user: Caller
    ids: dict[str, str]
    read: Caller
    ingest: Caller


def make_home(operator: Caller) -> Home:
    customer = unique("c")
    path = f"/customers/{customer}"
    operator.good("POST", "/customers", {"id": customer, "name": f"Empresa {customer}"})
    user = operator.good("POST", f"{path}/users", {"name": f"user-{customer}", "password": PASSWORD})
    read = operator.good("POST", f"{path}/tokens", {"name": "r", "scope": "read"})
    ingest = operator.good("POST", f"{path}/tokens", {"name": "i", "scope": "ingest"})
    operator.good("POST", f"{path}/nodes", {"id": "web-01"})
    channel = operator.good("POST", f"{path}/channels", {"type": "webhook", "target": "https://8.8.8.8/hook"})
    person = Caller(operator.url).log_in(f"user-{customer}", PASSWORD)
    ids = {
        "customer_id": customer,
        "token_id": read["id"],
        "node_id": "web-01",
        "user_id": user["id"],
        "channel_id": channel["id"],
        "session_id": person.good("GET", "/sessions")["sessions"][0]["id"],
    }
    return Home(
        customer, person, ids, with_token(operator.url, read["token"]), with_token(operator.url, ingest["token"])
    )


@pytest.fixture(scope="module")
def stack_of_one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Only vigia-monitor runs; its neighbours do not answer."""
    with Stack(tmp_path_factory.mktemp("monitor")) as made:
        made.start("monitor")
        yield made


@pytest.fixture(scope="module")
def operator(stack_of_one: Stack) -> Caller:
    return Caller(stack_of_one.layout.url("monitor")).log_in("admin", stack_of_one.secrets["admin_password"])


@pytest.fixture(scope="module")
def inside(stack_of_one: Stack) -> Callable[..., requests.Response]:
    """GET on the internal port with the internal token."""
    url = stack_of_one.layout.url("monitor_internal")
    token = stack_of_one.secrets["internal_token"]

    def get(path: str, timeout: float = 10, **headers: str) -> requests.Response:
        sent = {"Authorization": f"Bearer {token}"} | {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.get(url + path, headers=sent, timeout=timeout)

    return get


def fill(path: str, ids: dict[str, str]) -> str:
    for name, value in ids.items():
        path = path.replace("{" + name + "}", value)
    return path


def body_of(operation: tuple[str, str]) -> dict[str, Any] | None:
    body = BODIES.get(operation)
    return {key: value or unique("x") for key, value in body.items()} if body else None


def operations(*kinds: str) -> list[tuple[str, str]]:
    return [operation for operation, kind in OPERATIONS.items() if not kinds or kind in kinds]


def named(operation: tuple[str, str]) -> str:
    return " ".join(operation)


def perform(caller: Caller, operation: tuple[str, str], ids: dict[str, str]) -> requests.Response:
    return caller.call(operation[0], fill(operation[1], ids), body_of(operation))


class TestWhoMayDoWhat:
    """Every operation of the contract, for every kind of caller."""

    def test_the_table_is_the_contract(self) -> None:
        contract = {
            (method.upper(), path)
            for path, item in CONTRACT["paths"].items()
            for method in item
            if method != "parameters"
        }
        assert set(OPERATIONS) == contract

    # R-WEB-8.
    @pytest.mark.parametrize("operation", operations(), ids=named)
    def test_nobody(self, operator: Caller, operation: tuple[str, str]) -> None:
        nobody = Caller(operator.url)
        ids = dict.fromkeys(("token_id", "user_id", "channel_id", "session_id"), "0" * 32)
        answer = perform(nobody, operation, ids | {"customer_id": "cliente-x", "node_id": "n"})
        assert answer.status_code == 401
        assert answer.json()["error"] == "unauthenticated"

    @pytest.mark.parametrize("operation", operations(), ids=named)
    def test_an_ingest_token_opens_nothing(self, operator: Caller, operation: tuple[str, str]) -> None:
        home = make_home(operator)
        assert perform(home.ingest, operation, home.ids).status_code == 401

    # R-WEB-8, R-SEC-10.
    @pytest.mark.parametrize("operation", operations("customer", "team", "protected"), ids=named)
    def test_a_foreign_customer_sees_what_is_not_there(self, operator: Caller, operation: tuple[str, str]) -> None:
        home, stranger = make_home(operator), make_home(operator)
        for caller in (stranger.user, stranger.read):
            foreign = perform(caller, operation, home.ids)
            missing = perform(caller, operation, home.ids | {"customer_id": unique("gone")})
            assert foreign.status_code == missing.status_code == 404
            assert foreign.json() == missing.json()
        assert home.id not in foreign.text

    # R-WEB-8, R-SEC-10.
    @pytest.mark.parametrize("operation", operations("customer", "team", "protected"), ids=named)
    def test_foreign_objects_under_ones_own_path(self, operator: Caller, operation: tuple[str, str]) -> None:
        method, path = operation
        if path.count("{") < 2 or "{node_id}" in path:
            pytest.skip("no random id in this path")
        home, stranger = make_home(operator), make_home(operator)
        ids = stranger.ids | {"customer_id": home.id}
        for caller in (home.user, operator):
            expected = 403 if caller is home.user and OPERATIONS[operation] == "protected" else 404
            assert perform(caller, operation, ids).status_code == expected
        # The stranger still has everything.
        assert (
            perform(operator, ("GET", "/customers/{customer_id}/tokens"), stranger.ids).json()["tokens"][-1][
                "revoked_at"
            ]
            is None
        )
        assert perform(operator, ("GET", "/customers/{customer_id}/channels"), stranger.ids).json()["channels"]

    def test_a_new_customer_has_limits_until_they_are_lifted(
        self, operator: Caller, inside: Callable[..., requests.Response]
    ) -> None:
        home = make_home(operator)
        limits = operator.good("GET", f"/customers/{home.id}")["limits"]
        assert limits == {
            "points_per_second": 50_000,
            "spans_per_second": 20_000,
            "log_records_per_second": 20_000,
            "bytes_per_second": 20_971_520,
            "active_series": 200_000,
            "label_value_bytes": 0,
            "labels_per_series": 0,
        }
        changed = {"points_per_second": 0, "spans_per_second": 7, "bytes_per_second": 9, "label_value_bytes": 100}
        operator.good("PATCH", f"/customers/{home.id}", {"limits": changed})
        assert operator.good("GET", f"/customers/{home.id}")["limits"] == limits | changed
        snapshot = inside("/snapshot").json()["customers"]
        assert next(one["limits"] for one in snapshot if one["id"] == home.id) == limits | changed
        refused = operator.call("PATCH", f"/customers/{home.id}", {"limits": {"spans": 1}})
        assert refused.status_code == 400

    def test_a_customer_does_not_learn_where_operators_sit(self, operator: Caller) -> None:
        home = make_home(operator)
        entries = home.user.good("GET", "/audit")["entries"]
        addresses = {entry["actor"]: entry["address"] for entry in entries}
        assert addresses["user:admin"] == ""
        assert addresses[f"user:user-{home.id}"].startswith("127.0.0.1")

    def test_nodes_of_others_are_not_there(self, operator: Caller) -> None:
        home, stranger = make_home(operator), make_home(operator)
        operator.good("POST", f"/customers/{stranger.id}/nodes", {"id": "only-theirs"})
        for path in ("", "/metrics"):
            answer = home.user.call("GET", f"/customers/{home.id}/nodes/only-theirs{path}")
            assert answer.status_code == 404

    def test_a_foreign_session_cannot_be_ended(self, operator: Caller) -> None:
        home, stranger = make_home(operator), make_home(operator)
        assert home.user.call("DELETE", f"/sessions/{stranger.ids['session_id']}").status_code == 404
        assert stranger.user.call("GET", "/session").status_code == 200

    # R-WEB-8.
    @pytest.mark.parametrize("operation", operations("protected", "operator"), ids=named)
    def test_a_customers_user_may_not(self, operator: Caller, operation: tuple[str, str]) -> None:
        home = make_home(operator)
        assert perform(home.user, operation, home.ids).status_code == 403

    @pytest.mark.parametrize("operation", operations("known", "log", "person", "customer", "team"), ids=named)
    def test_a_customers_user_may(self, operator: Caller, operation: tuple[str, str]) -> None:
        home = make_home(operator)
        assert perform(home.user, operation, home.ids).status_code in ALLOWED

    @pytest.mark.parametrize("operation", operations("known", "log", "customer", "team", "protected"), ids=named)
    def test_an_operator_may(self, operator: Caller, operation: tuple[str, str]) -> None:
        home = make_home(operator)
        assert perform(operator, operation, home.ids).status_code in ALLOWED

    @pytest.mark.parametrize("operation", operations(), ids=named)
    def test_a_read_token_only_reads(self, operator: Caller, operation: tuple[str, str]) -> None:
        home = make_home(operator)
        made = operator.good("POST", "/operator-tokens", {"name": "r", "scope": "read"})
        reader = with_token(operator.url, made["token"])
        kind, changes = OPERATIONS[operation], operation[0] in CHANGES
        if kind == "public":
            return
        for caller, may_read in ((reader, kind != "person"), (home.read, kind in ("known", "customer"))):
            answer = perform(caller, operation, home.ids | {"token_id": made["id"]} if kind == "operator" else home.ids)
            assert answer.status_code in (ALLOWED if may_read and not changes else {403})

    def test_an_operator_can_be_disabled_but_not_the_last(self, operator: Caller) -> None:
        name = unique("op")
        made = operator.good("POST", "/operators", {"name": name, "password": PASSWORD})
        second = Caller(operator.url).log_in(name, PASSWORD)
        operator.good("PATCH", f"/operators/{made['id']}", {"is_enabled": False})
        assert second.call("GET", "/session").status_code == 401
        everybody = operator.good("GET", "/operators")["users"]
        for one in everybody:
            if one["is_enabled"] and one["name"] != "admin":
                operator.good("PATCH", f"/operators/{one['id']}", {"is_enabled": False})
        own = next(one["id"] for one in everybody if one["name"] == "admin")
        answer = operator.call("PATCH", f"/operators/{own}", {"is_enabled": False})
        assert answer.status_code == 400
        assert "last operator" in answer.json()["message"]
        assert operator.good("GET", "/session")["user"] == "admin"
        # A customer's user is no operator, so here it does not exist.
        home = make_home(operator)
        assert operator.call("PATCH", f"/operators/{home.ids['user_id']}", {"is_enabled": False}).status_code == 404
        assert home.user.call("GET", "/session").status_code == 200

    def test_a_managing_token_changes_without_csrf(self, operator: Caller) -> None:
        made = operator.good("POST", "/operator-tokens", {"name": "m", "scope": "manage"})
        manager = with_token(operator.url, made["token"])
        manager.good("POST", "/customers", {"id": unique("m"), "name": "M"})
        operator.good("DELETE", f"/operator-tokens/{made['id']}")
        assert manager.call("GET", "/overview").status_code == 401

    # R-WEB-6.
    @pytest.mark.parametrize(
        "operation", [o for o in operations() if o[0] in CHANGES and o[1] != "/session"], ids=named
    )
    def test_changes_need_the_csrf_token_and_this_origin(self, operator: Caller, operation: tuple[str, str]) -> None:
        home = make_home(operator)
        method, path = operation[0], fill(operation[1], home.ids)
        caller = home.user if OPERATIONS[operation] in ("person", "customer") else operator
        body = body_of(operation)
        assert caller.call(method, path, body, X_CSRF_Token="").status_code == 403
        assert caller.call(method, path, body, X_CSRF_Token="0" * 64).status_code == 403
        assert caller.call(method, path, body, Origin="https://evil.example").status_code == 403
        assert caller.call(method, path, body, Origin="null").status_code == 403
        assert caller.call(method, path, body, Sec_Fetch_Site="cross-site").status_code == 403

    # R-WEB-6.
    def test_log_in_from_another_site_is_refused(self, operator: Caller) -> None:
        answer = Caller(operator.url).call(
            "POST", "/session", {"user": "a", "password": "b"}, Origin="https://evil.example"
        )
        assert answer.status_code == 403

    def test_lists_hold_only_ones_own(self, operator: Caller) -> None:
        home, stranger = make_home(operator), make_home(operator)
        for caller in (home.user, home.read):
            assert [one["id"] for one in caller.good("GET", "/customers")["customers"]] == [home.id]
            assert [one["id"] for one in caller.good("GET", "/overview")["customers"]] == [home.id]
        entries = home.user.good("GET", "/audit")["entries"]
        assert {entry["customer_id"] for entry in entries} == {home.id}
        assert home.user.call("GET", f"/audit?customer_id={stranger.id}").status_code == 404


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


class TestDirectory:
    """What collector and router are told."""

    def customers(self, inside: Callable[..., requests.Response]) -> dict[str, Any]:
        return {one["id"]: one for one in inside("/snapshot").json()["customers"]}

    def test_needs_the_internal_token(self, stack_of_one: Stack) -> None:
        url = stack_of_one.layout.url("monitor_internal")
        for path in ("/snapshot", "/http_sd/hot-0", "/nodes/a/b/health"):
            assert requests.get(url + path, timeout=5).status_code == 401
            assert requests.get(url + path, headers={"Authorization": "Bearer x"}, timeout=5).status_code == 401

    # R-WEB-3, R-SEC-13.
    def test_holds_hashes_and_never_a_token(self, operator: Caller, inside: Callable[..., requests.Response]) -> None:
        home = make_home(operator)
        made = operator.good("POST", f"/customers/{home.id}/tokens", {"name": "x", "scope": "ingest"})
        text = inside("/snapshot").text
        assert made["token"] not in text
        assert len(self.customers(inside)[home.id]["tokens"]) == 3
        listed = operator.good("GET", f"/customers/{home.id}/tokens")["tokens"]
        assert all("token" not in token for token in listed)
        operator.good("DELETE", f"/customers/{home.id}/tokens/{made['id']}")
        assert len(self.customers(inside)[home.id]["tokens"]) == 2

    def test_a_disabled_customer_is_out_at_once(
        self, operator: Caller, inside: Callable[..., requests.Response]
    ) -> None:
        home = make_home(operator)
        operator.good("DELETE", f"/customers/{home.id}")
        assert self.customers(inside)[home.id]["tokens"] == []
        assert home.user.call("GET", "/session").status_code == 401
        assert home.read.call("GET", "/overview").status_code == 401
        operator.good("PATCH", f"/customers/{home.id}", {"is_enabled": True})
        assert len(self.customers(inside)[home.id]["tokens"]) == 2

    def test_a_reader_that_waits_hears_of_a_change(
        self, operator: Caller, inside: Callable[..., requests.Response]
    ) -> None:
        etag = inside("/snapshot").headers["ETag"]
        assert inside("/snapshot", If_None_Match=etag).status_code == 304
        answers: list[tuple[float, requests.Response]] = []

        def wait() -> None:
            answer = inside("/snapshot", 25, If_None_Match=etag, Prefer="wait=20")
            answers.append((time.monotonic(), answer))

        waiting = threading.Thread(target=wait)
        waiting.start()
        wait_for("the reader waits", lambda: "snapshot_waiters 1" in inside("/metrics").text, 5)
        operator.good("POST", "/customers", {"id": unique("w"), "name": "W"})
        changed = time.monotonic()
        waiting.join(10)
        (arrived, answer) = answers[0]
        assert answer.status_code == 200
        assert answer.headers["ETag"] != etag
        assert arrived - changed < 1

    def test_a_stop_does_not_wait_for_those_who_wait(self, tmp_path: Path) -> None:
        """Readers of the snapshot, health requests before the first look, and connections that stay open."""
        # A router that takes connections and never answers: the first look at the live state hangs.
        stack = Stack(tmp_path)
        with stack, socket.create_server((stack.layout.host, stack.layout.ports["router"])):
            stack.start("monitor")
            headers = {"Authorization": f"Bearer {stack.secrets['internal_token']}"}
            url = stack.layout.url("monitor_internal")
            idle = requests.Session()
            etag = idle.get(f"{url}/snapshot", headers=headers, timeout=10).headers["ETag"]
            answers: list[int] = []

            def ask(path: str, **more: str) -> None:
                answers.append(requests.get(url + path, headers=headers | more, timeout=30).status_code)

            waiting = [
                threading.Thread(target=ask, args=("/snapshot?wait=20",), kwargs={"If-None-Match": etag}),
                threading.Thread(target=ask, args=("/nodes/cliente-a/web-01/health",)),
            ]
            for thread in waiting:
                thread.start()
            wait_for("the reader waits", lambda: "snapshot_waiters 1" in idle.get(f"{url}/metrics").text, 5)
            begun = time.monotonic()
            assert stack.running["monitor"].end() == 0
            seconds = time.monotonic() - begun
            for thread in waiting:
                thread.join(30)
            assert seconds < 4, seconds
            assert sorted(answers) == [304, 503]

    def test_a_wait_ends_without_a_change(self, inside: Callable[..., requests.Response]) -> None:
        etag = inside("/snapshot").headers["ETag"]
        begun = time.monotonic()
        assert inside("/snapshot?wait=1", If_None_Match=etag).status_code == 304
        assert 0.9 < time.monotonic() - begun < 5

    def test_targets(self, operator: Caller, inside: Callable[..., requests.Response], stack_of_one: Stack) -> None:
        home = make_home(operator)
        operator.good("POST", f"/customers/{home.id}/nodes", {"id": "db-01", "region": "r", "address": "10.1.2.3:8080"})
        targets = {
            target["labels"]["node_id"]: target
            for target in inside("/http_sd/hot-0").json()
            if target["labels"]["customer_id"] == home.id
        }
        assert targets["db-01"]["targets"] == [stack_of_one.layout.address("monitor_internal")]
        assert targets["db-01"]["labels"]["__metrics_path__"] == f"/nodes/{home.id}/db-01/scrape"
        assert targets["db-01"]["labels"]["reach"] == "scrape"
        assert targets["web-01"]["targets"] == [stack_of_one.layout.address("monitor_internal")]
        assert targets["web-01"]["labels"]["reach"] == "push"
        # Nothing is known since the start, so the answer waits for the first look; none comes here.
        health = inside(targets["web-01"]["labels"]["__metrics_path__"], 12)
        assert health.status_code == 503
        operator.good("DELETE", f"/customers/{home.id}/nodes/db-01")
        left = [
            t["labels"]["node_id"] for t in inside("/http_sd/hot-0").json() if t["labels"]["customer_id"] == home.id
        ]
        assert left == ["web-01"]


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


class PostgreSql:
    """A PostgreSQL server of a test's own; it refuses to run as root, so there its own user runs it."""

    def __init__(self, folder: Path) -> None:
        self._programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
        self._folder = folder
        self.host = own_host()
        self.port = 5432
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        self.run("initdb", "-D", f"{folder}/data", "-U", "vigia", "--auth=trust")

    def run(self, program: str, *words: str) -> None:
        command = [str(self._programs / program), *words]
        if os.geteuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        subprocess.run(command, check=True, cwd=self._folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses={self.host} -c unix_socket_directories={self._folder}"
        self.run("pg_ctl", "-D", f"{self._folder}/data", "-o", options, "-l", f"{self._folder}/log", "-w", "start")

    def stop(self) -> None:
        self.run("pg_ctl", "-D", f"{self._folder}/data", "-m", "immediate", "stop")


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
