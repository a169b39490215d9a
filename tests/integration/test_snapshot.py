"""What the control plane tells collector, router and Prometheus, on its real binary."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
from monitor_home import make_home
from rest import Caller, unique
from stack import Stack, wait_for


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

            def ask_for_a_change() -> None:
                asked = headers | {"If-None-Match": etag}
                answers.append(requests.get(f"{url}/snapshot?wait=20", headers=asked, timeout=30).status_code)

            # On its way before the other one is, of which is told that it waits.
            layout = stack.layout
            health = http.client.HTTPConnection(layout.host, layout.ports["monitor_internal"], timeout=30)
            health.request("GET", "/nodes/cliente-a/web-01/health", headers=headers)
            reader = threading.Thread(target=ask_for_a_change)
            reader.start()
            wait_for("the reader waits", lambda: "snapshot_waiters 1" in idle.get(f"{url}/metrics").text, 5)
            begun = time.monotonic()
            assert stack.running["monitor"].end() == 0
            seconds = time.monotonic() - begun
            reader.join(30)
            assert seconds < 4, seconds
            assert answers == [304]
            assert health.getresponse().status == 503

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
