"""Log-ins under attack, on the real vigia-monitor: floods, guesses at once, addresses behind a proxy, the audit log."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from rest import PASSWORD, Caller
from stack import Stack, wait_for

of_two = pytest.mark.two_at_a_time  # each log-in takes a processor


@pytest.fixture(scope="module")
def stack_of_one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """vigia-monitor alone; every peer of this stack is one of its trusted proxies, so that a test plays many addresses."""
    with Stack(tmp_path_factory.mktemp("log-ins")) as made:
        config = made.layout.config / "monitor.yaml"
        config.write_text(config.read_text() + 'trusted_proxies: ["127.0.0.0/8"]\n')
        made.start("monitor")
        yield made


def _log_in(stack: Stack, address: str, user: str, password: str) -> requests.Response:
    return requests.post(
        f"{stack.layout.url('monitor')}/api/v1/session",
        json={"user": user, "password": password},
        headers={"X-Forwarded-For": f"8.8.8.8, {address}"},
        timeout=30,
    )


def _operator(stack: Stack) -> Caller:
    return Caller(stack.layout.url("monitor")).log_in("admin", stack.secrets["admin_password"])


@of_two
def test_the_address_before_the_trusted_proxy_is_what_counts(stack_of_one: Stack) -> None:
    operator = _operator(stack_of_one)
    for _ in range(5):
        assert _log_in(stack_of_one, "198.51.100.1", "guessed", "wrong-password-1").status_code == 401
    assert _log_in(stack_of_one, "198.51.100.1", "guessed", "wrong-password-1").status_code == 429
    assert _log_in(stack_of_one, "198.51.100.2", "guessed", "wrong-password-1").status_code == 401
    entries = operator.good("GET", "/audit")["entries"]
    assert {one["address"] for one in entries if one["actor"] == "user:guessed"} == {"198.51.100.1", "198.51.100.2"}


@of_two
def test_three_hundred_guesses_at_once_are_five(stack_of_one: Stack) -> None:
    """B9: eight were hashed before the first failure was noted."""
    with ThreadPoolExecutor(60) as pool:
        codes = list(
            pool.map(
                lambda _: _log_in(stack_of_one, "198.51.100.3", "hurried", "wrong-password-1").status_code, range(300)
            )
        )
    assert set(codes) <= {401, 429}
    assert codes.count(401) <= 5


@pytest.mark.alone  # a page and a log-in within seconds
def test_a_flood_of_log_ins_stops_neither_pages_nor_known_callers(stack_of_one: Stack) -> None:
    """B8: two hundred addresses made everybody's overview wait for seconds."""
    operator = _operator(stack_of_one)
    operator.good("POST", "/customers", {"id": "cliente-b", "name": "B"})
    operator.good("POST", "/customers/cliente-b/users", {"name": "berta", "password": PASSWORD})
    assert _log_in(stack_of_one, "203.0.113.5", "berta", PASSWORD).status_code == 200
    ends = threading.Event()
    codes: list[int] = []

    def flood(number: int) -> None:
        while not ends.is_set():
            address = f"198.18.{number % 200}.7"
            with contextlib.suppress(requests.ConnectionError):  # while the monitor is killed
                codes.append(_log_in(stack_of_one, address, f"user{number}", "wrong-password-1").status_code)
            ends.wait(0.25)  # else this process would take the monitor's processor, not the flood

    threads = [threading.Thread(target=flood, args=(number,), daemon=True) for number in range(120)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(2)
        waits, log_ins = [], []
        for _ in range(10):
            begun = time.monotonic()
            operator.good("GET", "/overview")
            waits.append(time.monotonic() - begun)
            begun = time.monotonic()
            assert _log_in(stack_of_one, "203.0.113.5", "berta", PASSWORD).status_code == 200
            log_ins.append(time.monotonic() - begun)
        stack_of_one.kill("monitor")  # in the middle of it
        stack_of_one.start("monitor")
        begun = time.monotonic()
        operator.good("GET", "/overview")
        killed_wait = time.monotonic() - begun
        # Who is known is forgotten with a kill: she waits her turn among strangers, and is not shut out.
        wait_for("berta is in", lambda: _log_in(stack_of_one, "203.0.113.5", "berta", PASSWORD).status_code == 200, 30)
    finally:
        ends.set()
        for thread in threads:
            thread.join()
    print(f"overview {sorted(waits)[5]:.3f} s, log-in {sorted(log_ins)[5]:.3f} s, {len(codes)} strangers' tries")
    assert 429 in codes, "more asked than may wait"
    # A loaded machine is slow; what must not be is that the flood's queue stands before them.
    assert sorted(waits)[5] < 2
    assert sorted(log_ins)[5] < 4
    assert killed_wait < 2


@of_two
def test_guessing_does_not_fill_the_audit_log(tmp_path: Path) -> None:
    with Stack(tmp_path) as stack:
        config = stack.layout.config / "monitor.yaml"
        config.write_text(config.read_text() + 'trusted_proxies: ["127.0.0.0/8"]\n')
        stack.start("monitor")
        for number in range(150):
            _log_in(stack, f"198.51.100.{number % 100}", f"u{number % 70}", "wrong-password-1")
        stack.stop("monitor")
        stack.start("monitor")
        entries = _operator(stack).good("GET", "/audit?limit=500")["entries"]
        refused = [one for one in entries if one["action"] == "session.refused"]
        assert 20 <= len(refused) <= 41
        assert any(one["actor"] == "user:(others)" and one["detail"].startswith("times=") for one in refused)
        assert _operator(stack).good("GET", "/audit/verification")["is_intact"]


@of_two
class TestOneCustomersPeople:
    """What a person of one customer can do to the log-ins, pages and audit log of all."""

    def test_whose_changes_wait_takes_nobodys_place(self, stack_of_one: Stack) -> None:
        """All waited in one queue of 512: one customer's script that waited there refused everybody else."""
        stack = stack_of_one
        operator = _operator(stack)
        operator.good("POST", "/customers", {"id": "crowd", "name": "C"})
        operator.good("POST", "/customers/crowd/users", {"name": "carla", "password": PASSWORD})
        operator.good("POST", "/customers", {"id": "quiet", "name": "Q"})
        operator.good("POST", "/customers/quiet/users", {"name": "diego", "password": PASSWORD})
        reader = operator.good("POST", "/customers/quiet/tokens", {"name": "r", "scope": "read"})["token"]
        carla = Caller(stack.layout.url("monitor")).log_in("carla", PASSWORD)
        with sqlite3.connect(stack.layout.data / "monitor.db", isolation_level=None) as database:
            database.execute("BEGIN IMMEDIATE")  # as a disk that is slow: what changes something waits
            try:
                codes, others = asyncio.run(_crowd(stack, carla, reader, database))
            finally:
                if database.in_transaction:
                    database.execute("ROLLBACK")
        assert others == [200, 200], "a page and a log-in of others"
        assert sum(codes.values()) == 700
        assert codes[503] >= 300, codes
        assert set(codes) <= {201, 429, 503}, codes

    def test_log_ins_that_succeed_do_not_fill_the_audit_log(self, tmp_path: Path) -> None:
        with Stack(tmp_path) as stack:
            stack.start("monitor")
            operator = _operator(stack)
            operator.good("POST", "/customers", {"id": "cliente-a", "name": "A"})
            operator.good("POST", "/customers/cliente-a/users", {"name": "ana", "password": PASSWORD})
            for _ in range(30):
                Caller(stack.layout.url("monitor")).log_in("ana", PASSWORD).good("DELETE", "/session")
            stack.stop("monitor")
            stack.start("monitor")
            entries = _operator(stack).good("GET", "/audit?limit=500")["entries"]
            own = [(one["action"], one["detail"].partition(" ")[0]) for one in entries if one["actor"] == "user:ana"]
            assert sorted(own) == [
                ("session.close", ""),
                ("session.close", "times=29"),
                ("session.open", ""),
                ("session.open", "times=29"),
            ]
            assert _operator(stack).good("GET", "/audit/verification")["is_intact"]

    def test_changes_without_end_are_slowed_down_and_no_other_customers(self, stack_of_one: Stack) -> None:
        operator = _operator(stack_of_one)
        for customer in ("busy", "calm"):
            operator.good("POST", "/customers", {"id": customer, "name": customer})
            operator.good("POST", f"/customers/{customer}/users", {"name": f"of-{customer}", "password": PASSWORD})
        busy, calm = (
            Caller(stack_of_one.layout.url("monitor")).log_in(f"of-{one}", PASSWORD) for one in ("busy", "calm")
        )
        token = {"name": "x", "scope": "ingest"}
        codes = [busy.call("POST", "/customers/busy/tokens", token).status_code for _ in range(230)]
        assert codes[:200] == [201] * 200
        assert 429 in codes[200:]
        refused = busy.call("POST", "/customers/busy/tokens", token)
        assert int(refused.headers["Retry-After"]) >= 1
        assert calm.call("POST", "/customers/calm/tokens", token).status_code == 201
        assert busy.call("DELETE", "/session").status_code == 204, "who is slowed down may go"


async def _crowd(
    stack: Stack, carla: Caller, token_of_other: str, database: sqlite3.Connection
) -> tuple[Counter[int], list[int]]:
    """700 changes of one person while the database takes none, a page and a log-in of others; then it takes them."""
    host, _, port = stack.layout.address("monitor").partition(":")

    async def ask(method: str, path: str, headers: dict[str, str], body: object = None) -> int:
        reader, writer = await asyncio.open_connection(host, int(port))
        text = b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} /api/v1{path} HTTP/1.1", f"Host: {host}:{port}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += ["Content-Type: application/json", f"Content-Length: {len(text)}", "", ""]
        writer.write("\r\n".join(lines).encode() + text)
        status = int((await asyncio.wait_for(reader.readline(), 60)).split()[1])
        writer.close()
        return status

    cookie = "; ".join(f"{name}={value}" for name, value in carla.http.cookies.items())
    hers = {"Cookie": cookie, "X-CSRF-Token": carla.csrf, "X-Forwarded-For": "198.51.100.77"}
    token = {"name": "x", "scope": "ingest"}
    crowd = [asyncio.create_task(ask("POST", "/customers/crowd/tokens", hers, token)) for _ in range(700)]
    while not any(task.done() for task in crowd):  # the first is refused once her share is full
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.5)
    reads = {"Authorization": f"Bearer {token_of_other}", "X-Forwarded-For": "198.51.100.78"}
    others = [
        asyncio.create_task(ask("GET", "/overview", reads)),
        asyncio.create_task(
            ask("POST", "/session", {"X-Forwarded-For": "198.51.100.79"}, {"user": "diego", "password": PASSWORD})
        ),
    ]
    await asyncio.sleep(0.5)
    database.execute("ROLLBACK")
    return Counter(await asyncio.gather(*crowd)), await asyncio.gather(*others)
