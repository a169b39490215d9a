"""Tokens that are revoked and users who are disabled are in nobody's way, on the real vigia-monitor."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from rest import PASSWORD, Caller, unique
from stack import Stack


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    with Stack(tmp_path_factory.mktemp("places")) as made:
        made.start("monitor")
        yield Caller(made.layout.url("monitor")).log_in("admin", made.secrets["admin_password"])


def test_tokens_that_are_revoked_take_nobodys_place(operator: Caller) -> None:
    """A thousand of them were the end: no node could be added any more."""
    customer = unique("t")
    operator.good("POST", "/customers", {"id": customer, "name": customer})
    path = f"/customers/{customer}/tokens"
    kept = operator.good("POST", path, {"name": "kept", "scope": "ingest"})["id"]
    for i in range(1_100):
        made = operator.good("POST", path, {"name": f"t{i}", "scope": "ingest"})
        operator.good("DELETE", f"{path}/{made['id']}")
    listed = [token["id"] for token in operator.good("GET", path)["tokens"]]
    assert 999 <= len(listed) <= 1_001, "the oldest of the dead are forgotten"
    assert kept in listed, "it is valid, however old"
    assert made["id"] in listed


def test_users_who_are_disabled_take_nobodys_place(operator: Caller) -> None:
    customer = unique("u")
    operator.good("POST", "/customers", {"id": customer, "name": customer})
    path = f"/customers/{customer}/users"
    first = operator.good("POST", path, {"name": unique("p"), "password": PASSWORD})
    operator.good("PATCH", f"{path}/{first['id']}", {"is_enabled": False})
    for _ in range(200):
        operator.good("POST", path, {"name": unique("p"), "password": PASSWORD})
    full = operator.call("POST", path, {"name": unique("p"), "password": PASSWORD})
    assert full.status_code in (409, 429), full.text
    assert "disable one first" in full.text
    assert operator.call("PATCH", f"{path}/{first['id']}", {"is_enabled": True}).status_code == full.status_code
    assert len(operator.good("GET", path)["users"]) == 201
