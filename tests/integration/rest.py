"""Calling the REST interface of vigia-monitor as a person or a program does."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

import requests

PASSWORD = "Tr0mbon-lluvia-7"


def unique(prefix: str) -> str:
    return f"{prefix}-{secrets.token_hex(4)}"


@dataclass
class Caller:
    """One way to call: a session, a token, or nothing."""

    url: str
    http: requests.Session = field(default_factory=requests.Session)
    csrf: str = ""

    def log_in(self, user: str, password: str) -> Caller:
        answer = self.call("POST", "/session", {"user": user, "password": password})
        assert answer.status_code == 200, answer.text
        self.csrf = answer.json()["csrf_token"]
        return self

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        sent = {"X-CSRF-Token": self.csrf} if self.csrf else {}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        if body is None and method in ("POST", "PATCH"):
            body = {}
        return self.http.request(method, f"{self.url}/api/v1{path}", json=body, headers=sent, timeout=10)

    def good(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.call(method, path, body)
        assert answer.status_code in (200, 201, 204), f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None


def with_token(url: str, token: str) -> Caller:
    caller = Caller(url)
    caller.http.headers["Authorization"] = f"Bearer {token}"
    return caller
