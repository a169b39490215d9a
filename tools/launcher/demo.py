"""The two demo customers: created over REST at the first `up`, kept from then on."""

from __future__ import annotations

import json
import secrets
import time
from pathlib import Path
from typing import Any

from launcher.control import Control, RequestRefused, is_sendable, read
from launcher.layout import AgentPlace, Layout

Json = dict[str, Any]


def load_secrets(file: Path) -> Json:
    """The passwords and tokens of this installation; those that must exist before the first start are made here."""
    kept: Json = json.loads(file.read_text()) if file.exists() else {}
    kept.setdefault("internal_token", secrets.token_urlsafe(32))
    kept.setdefault("admin_password", secrets.token_urlsafe(12))
    kept.setdefault("customers", {})
    save_private(file, kept)
    return kept


def save_private(file: Path, content: Json) -> None:
    """Writes JSON that only the owner can read, whole or not at all."""
    draft = file.with_suffix(".draft")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    draft.replace(file)


def create(layout: Layout, agents: list[AgentPlace], kept: Json, file: Path) -> None:
    """Creates customers, users, tokens and nodes that are not there; saves every secret as soon as it is known."""
    with Control(layout.url("monitor"), "admin", kept["admin_password"]) as control:
        if "operator_token" not in kept:
            kept["operator_token"] = control.request("POST", "/operator-tokens", {"name": "demo"})["token"]
            save_private(file, kept)
        for customer_id, name in {place.customer_id: place.customer_name for place in agents}.items():
            control.create_unless_there("/customers", {"id": customer_id, "name": name})
            _create_access(control, customer_id, kept, file)
        for place in agents:
            if place.is_scraped:
                address = f"{place.host}:{layout.ports['agent_health']}"
                node = {"id": place.node_id, "region": place.region, "environment": "production", "address": address}
                control.create_unless_there(f"/customers/{place.customer_id}/nodes", node)
                # After a start with other ports the address has changed.
                path = f"/customers/{place.customer_id}/nodes/{place.node_id}"
                if control.request("GET", path)["address"] != address:
                    control.request("PATCH", path, {"address": address})


def wait_for_tokens(layout: Layout, kept: Json, seconds: float = 10) -> bool:
    """Waits until the collector takes each customer's ingest token.

    It is told of new ones by the monitor, a moment after they are made: agents that start before that are refused, and
    warn of it.
    """
    unknown = [access["ingest_token"] for access in kept["customers"].values()]
    deadline = time.monotonic() + seconds
    while unknown and time.monotonic() < deadline:
        unknown = [token for token in unknown if not is_sendable(layout.url("collector_http"), token)]
        time.sleep(0.05 if unknown else 0)
    return not unknown


def _user_names(answer: Json) -> set[str]:
    return {user["name"] for user in answer["users"]}


def gone_log_ins(content: Json) -> set[str]:
    """Which users of a description (below) the monitor does not have."""
    gone = set()
    for customer in content["customers"]:
        path = f"/customers/{customer['id']}/users"
        try:
            there = _user_names(read(content["monitor"]["url"], content["operator"]["token"], path))
        except RequestRefused as refused:
            if refused.status != 404:  # the whole customer is not there
                raise
            there = set()
        gone |= {customer["user"]} - there
    return gone


def _create_access(control: Control, customer_id: str, kept: Json, file: Path) -> None:
    access = kept["customers"].setdefault(customer_id, {})
    path = f"/customers/{customer_id}"
    if "password" not in access:
        access.update(user=customer_id, password=secrets.token_urlsafe(12))
        save_private(file, kept)
    # Asked each time: users are those of the copy after `vigia-monitor restore` (tokens it brings back by itself).
    if access["user"] not in _user_names(control.request("GET", f"{path}/users")):
        control.request("POST", f"{path}/users", {"name": access["user"], "password": access["password"]})
    for scope in ("ingest", "read"):
        if f"{scope}_token" not in access:
            token = control.request("POST", f"{path}/tokens", {"name": "demo", "scope": scope})["token"]
            access[f"{scope}_token"] = token
            save_private(file, kept)


def description(layout: Layout, agents: list[AgentPlace], kept: Json, pids: dict[str, int]) -> Json:
    """The content of .vigia/demo.json: addresses, log-ins and agents, for people's scripts and for tests."""
    names = {place.customer_id: place.customer_name for place in agents}
    port = layout.ports["agent_health"]
    return {
        **{part: {"url": layout.url(part)} for part in ("monitor", "router", "storage", "query", "alertmanager")},
        "prometheus": {"url": layout.url("hot")},
        "collector": {
            "grpc": layout.address("collector_grpc"),
            "http": layout.url("collector_http"),
            "metrics": layout.url("collector_metrics"),
            "exporter": layout.url("collector_exporter"),
            "health": layout.url("collector_health"),
        },
        "webhook": {"url": layout.url("webhook")},
        "internal_token": kept["internal_token"],
        "operator": {"user": "admin", "password": kept["admin_password"], "token": kept["operator_token"]},
        "customers": [{"id": id_, "name": names[id_], **access} for id_, access in kept["customers"].items()],
        "agents": [
            {
                "customer_id": place.customer_id,
                "node_id": place.node_id,
                "health": f"http://{place.host}:{port}/health",
                "pid": pids.get(place.name, 0),
            }
            for place in agents
        ],
    }
