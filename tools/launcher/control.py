"""A client of the control plane: what ./vigia does over REST, like any other program would."""

from __future__ import annotations

import http.cookiejar
import json
import time
import urllib.error
import urllib.request
from typing import Any

from launcher.shell import Failure

Json = dict[str, Any]


class RequestRefused(Exception):
    """An answer that is not a success."""

    def __init__(self, method: str, path: str, status: int, body: str) -> None:
        super().__init__(f"{method} {path} was answered {status}: {body}")
        self.status = status


class Control:
    """A session of one user with vigia-monitor."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self._url = url
        self._csrf = ""
        jar = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        self._csrf = self.request("POST", "/session", {"user": user, "password": password})["csrf_token"]

    def __enter__(self) -> Control:
        return self

    def __exit__(self, *_: object) -> None:
        # Otherwise each `up` would stand among the operator's sessions for half an hour.
        self.request("DELETE", "/session")

    def request(self, method: str, path: str, body: Json | None = None) -> Json:
        """One call below /api/v1; the parsed answer, {} where there is no body."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "X-CSRF-Token": self._csrf}
        request = urllib.request.Request(f"{self._url}/api/v1{path}", data, headers, method=method)
        try:
            with self._opener.open(request, timeout=10) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise RequestRefused(method, path, error.code, error.read().decode(errors="replace")) from error
        return json.loads(text) if text else {}

    def create_unless_there(self, path: str, body: Json) -> None:
        """POST; an object that is there already (409) is fine."""
        try:
            self.request("POST", path, body)
        except RequestRefused as refused:
            if refused.status != 409:
                raise


def read(url: str, token: str, path: str) -> Json:
    """GET below /api/v1 with an operator's token, which leaves no log-in behind."""
    request = urllib.request.Request(f"{url}/api/v1{path}", headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            content: Json = json.loads(answer.read())
    except urllib.error.HTTPError as error:
        raise RequestRefused("GET", path, error.code, error.read().decode(errors="replace")) from error
    return content


def is_sendable(collector: str, token: str) -> bool:
    """Whether the collector takes what is sent with that token: an export of nothing, which leaves no trace."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-protobuf"}
    try:
        with urllib.request.urlopen(
            urllib.request.Request(f"{collector}/v1/metrics", b"", headers, method="POST"), timeout=2
        ) as answer:
            return bool(answer.status == 200)
    except OSError:  # HTTPError is one
        return False


def wait_until_ready(name: str, url: str, is_alive: object, seconds: float = 60) -> None:
    """Waits until the URL answers 200. `is_alive()` false ends the wait at once."""
    deadline = time.monotonic() + seconds
    problem = "no answer yet"
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.status == 200:
                    return
        except urllib.error.HTTPError as error:
            problem = f"answered {error.code}"
        except OSError as error:
            problem = str(error)
        if callable(is_alive) and not is_alive():
            raise Failure(f"{name} ended before it was ready; see ./vigia logs {name}")
        time.sleep(0.1)
    raise Failure(f"{name} is not ready after {seconds:.0f} s ({url}: {problem}); see ./vigia logs {name}")
