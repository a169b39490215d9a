"""Two customers on a stack that is started, their channels and where these lead, and how hot sees a node."""

from __future__ import annotations

import json
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests
from rest import Caller
from stack import Stack, wait_for


def operator_of(stack: Stack) -> Caller:
    return Caller(stack.layout.url("monitor")).log_in("admin", stack.secrets["admin_password"])


def add_two_customers(operator: Caller) -> None:
    for customer in ("cliente-a", "cliente-b"):
        operator.good("POST", "/customers", {"id": customer, "name": customer})


def up_of(stack: Stack, node_id: str) -> str | None:
    result = stack.query(f'up{{job="customer-agents", node_id="{node_id}", waiting=""}}')
    return str(result[0]["value"][1]) if result else None


def channels_of(operator: Caller, customer: str) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in operator.good("GET", f"/customers/{customer}/channels")["channels"]}


def is_active(operator: Caller, customer: str, channel_id: str) -> bool:
    return bool(channels_of(operator, customer)[channel_id]["status"] == "active")


def add_to_alerting(stack: Stack, *lines: str) -> None:
    config = stack.layout.config / "monitor.yaml"
    added = "".join(f"  {line}\n" for line in lines)
    config.write_text(config.read_text().replace("alerting:\n", "alerting:\n" + added))


@contextmanager
def host_that_answers(host: str, answer: Callable[[BaseHTTPRequestHandler, bytes], None]) -> Iterator[str]:
    """A customer's machine that answers each POST as it likes."""

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # noqa: N802 (the base class names it so)
            with suppress(OSError):  # who asked may have heard enough
                answer(self, self.rfile.read(int(self.headers.get("Content-Length") or 0)))

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class names it so)
            """Quiet."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 512

    server = Server((host, 0), Hook)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def sink(host: str) -> Iterator[tuple[str, list[tuple[str, dict[str, str]]]]]:
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
def mail_server(host: str, unknown: Callable[[], str] = lambda: "", hold: float = 0) -> Iterator[tuple[int, list[str]]]:
    """An SMTP server that takes all but mail to the address that `unknown` gives: what it was sent, head and body.

    It has each mail for `hold` seconds before it says that it is taken."""
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
                    time.sleep(hold)
                is_refused = word == b"RCPT" and unknown() and unknown().encode() in line
                if is_refused:
                    self.wfile.write(b"550 no such user at mx.inside\r\n")
                    continue
                self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 fine\r\n")
                if word == b"QUIT":
                    return

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        request_queue_size = 512

    with Server((host, 0), Session) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_address[1], mails
        finally:
            server.shutdown()
            thread.join()


def post_alerts(stack: Stack, customer: str, *nodes: str) -> None:
    labels = {"alertname": "CustomerNodeDown", "customer_id": customer}
    stamp = datetime.fromtimestamp(time.time() + 300, UTC).isoformat()
    words = {"summary": "Nodo caído", "summary_en": "Node down"}
    body = [{"labels": {**labels, "node_id": node}, "annotations": words, "endsAt": stamp} for node in nodes]
    requests.post(f"{stack.layout.url('alertmanager')}/api/v2/alerts", json=body, timeout=5).raise_for_status()


def add_channel(operator: Caller, customer: str, **channel: str) -> str:
    made = operator.good("POST", f"/customers/{customer}/channels", channel)
    wait_for("the channel is active", partial(is_active, operator, customer, made["id"]), 10)
    return str(made["id"])


def answer_status(asked: BaseHTTPRequestHandler, status: int) -> None:
    asked.send_response(status)
    asked.send_header("Content-Length", "0")
    asked.end_headers()
