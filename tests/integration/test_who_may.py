"""Who may do what at the control plane, on its real binary: each operation of the contract by each kind of caller."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests
import yaml
from launcher.paths import ROOT
from monitor_home import ALLOWED, CHANGES, OPERATIONS, body_of, fill, make_home, named, operations, perform
from rest import PASSWORD, Caller, unique, with_token

CONTRACT = yaml.safe_load((ROOT / "docs" / "api" / "openapi.yaml").read_text())


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
            "query_range_seconds": 0,
            "query_steps": 0,
            "query_series": 0,
            "query_samples": 0,
            "query_bytes": 0,
            "query_seconds": 0,
            "log_query_lines": 0,
            "log_query_bytes": 0,
            "log_query_cpu_seconds": 0,
        }
        changed = {
            "points_per_second": 0,
            "spans_per_second": 7,
            "bytes_per_second": 9,
            "label_value_bytes": 100,
            "query_steps": 12,
        }
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
