"""Alerts and whom they reach: real Prometheus and Alertmanager, what one customer enters beside another's."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from rest import Caller
from stack import Stack, wait_for

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


def _add_and_wait(stack: Stack, operator: Caller, customer: str, seconds: float = 5) -> None:
    channel = operator.good("POST", f"/customers/{customer}/channels", {"type": "webhook", "target": GOOD})
    assert channel["status"] == "pending"
    wait_for(
        f"{customer}'s channel is active",
        lambda: _channels(operator, customer)[channel["id"]]["status"] == "active",
        seconds,
    )
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
        assert "9.9.9.9/fine" in written
        assert "localhost" not in written
        assert "%zz" not in written

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
            rows = [("webhook", f"https://9.9.9.9/{word}") for word in ("a", "strict", "b", "c", "strict", "d")]
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
            assert "strict" not in log, "a target may be a secret"


@contextmanager
def _stricter_alertmanager(real: str, config_file: Path) -> Iterator[tuple[str, list[str]]]:
    """The real Alertmanager behind a door that refuses to reload what it does not like, as a newer version may."""
    refused: list[str] = []

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # noqa: N802 (the base class names it so)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.path == "/-/reload" and "9.9.9.9/strict" in config_file.read_text():
                refused.append(self.path)
                self._answer(500, b'failed to reload config: unsupported url "https://9.9.9.9/strict"')
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
