"""The operations of the control plane with who may call them, and customers with one of everything to try them on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import requests
from rest import PASSWORD, Caller, unique, with_token

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
