"""Clients that ask and do not read: HTTP/2 with a window of nothing, HTTP/1.1 that leaves its socket full. What a program
keeps for them is bounded, goes back to the system when they leave, and costs no other address anything."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import requests
from beside import Beside
from launcher import demo
from launcher.paths import PORTAL
from stack import Stack, wait_for

pytestmark = pytest.mark.two_at_a_time  # memory, and another who is served within seconds

MIB = 1 << 20
A, B = "cliente-a", "cliente-b"
CONNECTIONS = 40
STREAMS = 250
# Beside what the program has when nothing happens. Without a bound 40 connections hold 600 MiB of answers of 63 KB in the
# router, and 3 GiB of the portal's largest file in the monitor.
GROWTH_MAX = 160 * MIB
LATENCY_MAX = 5.0

HEADERS, RESET, SETTINGS, PING, GOAWAY = 1, 3, 4, 6, 7
END_STREAM, END_HEADERS, ACK = 1, 4, 1


@pytest.fixture(scope="module")
def central(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("unread")) as stack:
        stack.start("storage", "monitor", "prometheus-hot", "prometheus-query", "router", "collector")
        demo.create(stack.layout, stack.agents, stack.secrets, stack.folder / "secrets.json")
        stack.wait_for_tokens()
        yield stack


def _resident(stack: Stack, part: str) -> int:
    pages = int(Path(f"/proc/{stack.running[part].pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE")


def _address(stack: Stack, part: str) -> tuple[str, int]:
    url = urllib.parse.urlsplit(stack.layout.url(part))
    assert url.hostname
    assert url.port
    return url.hostname, url.port


class Watch(Beside):
    """Another address' requests, one after the other, and a program's memory, while something goes on."""

    def __init__(self, stack: Stack, part: str, ask: Callable[[], int]) -> None:
        super().__init__(self._requests, self._memory)
        self.statuses: list[int] = []
        self.seconds: list[float] = []
        self.calm = _resident(stack, part)
        self.resident_max = 0
        self._stack, self._part, self._ask = stack, part, ask

    def _requests(self) -> None:
        while not self.ends.wait(0.2):
            begin = time.monotonic()
            try:
                self.statuses.append(self._ask())
            except requests.RequestException:
                self.statuses.append(0)
            self.seconds.append(time.monotonic() - begin)

    def _memory(self) -> None:
        while not self.ends.wait(0.05):
            self.resident_max = max(self.resident_max, _resident(self._stack, self._part))

    def check(self) -> None:
        print(
            f"\n{self._part}: {self.calm / MIB:.0f} MiB, at most {self.resident_max / MIB:.0f} MiB; "
            f"{len(self.statuses)} requests of another, the slowest {max(self.seconds):.3f} s"
        )
        assert self.resident_max - self.calm < GROWTH_MAX
        assert len(self.statuses) >= 8, "the watch was too short to say anything"
        assert set(self.statuses) == {200}, f"{self.statuses}"
        assert max(self.seconds) < LATENCY_MAX


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def _hpack_length(value: int) -> bytes:
    if value < 127:
        return bytes([value])
    text = [127]
    value -= 127
    while value > 127:
        text.append(value & 127 | 128)
        value >>= 7
    return bytes([*text, value])


def _hpack(headers: list[tuple[str, str]]) -> bytes:
    text = b""
    for pair in headers:
        text += b"\x00"
        for word in pair:
            text += _hpack_length(len(word.encode())) + word.encode()
    return text


class WindowlessClient:
    """Asks, one request after the other, and lets no byte of an answer's body come."""

    def __init__(self, address: tuple[str, int], source: str, head: bytes) -> None:
        self._socket = socket.create_connection(address, timeout=2, source_address=(source, 0))
        self._head = head
        self._bytes = b""
        self.answered = 0
        preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        self._socket.sendall(preface + _frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 0)))

    def ask(self) -> None:
        """Until a request is not answered for two seconds, or the server ends it."""
        with contextlib.suppress(OSError):
            for k in range(STREAMS):
                self._socket.sendall(_frame(HEADERS, END_STREAM | END_HEADERS, 2 * k + 1, self._head))
                self._wait(2 * k + 1)
                self.answered += 1

    def _wait(self, stream: int) -> None:
        while True:
            while len(self._bytes) < 9 or len(self._bytes) < 9 + int.from_bytes(self._bytes[:3], "big"):
                more = self._socket.recv(65536)
                if not more:
                    raise ConnectionResetError
                self._bytes += more
            size, kind, flags = int.from_bytes(self._bytes[:3], "big"), self._bytes[3], self._bytes[4]
            of, payload = int.from_bytes(self._bytes[5:9], "big"), self._bytes[9 : 9 + size]
            self._bytes = self._bytes[9 + size :]
            if kind in {SETTINGS, PING} and not flags & ACK:
                self._socket.sendall(_frame(kind, ACK, 0, payload if kind == PING else b""))
            if kind == GOAWAY:
                raise ConnectionResetError
            if kind in {HEADERS, RESET} and of == stream:
                return

    def close(self) -> None:
        self._socket.close()


def _head_of(path: str, token: str | None) -> bytes:
    headers = [(":method", "GET"), (":scheme", "http"), (":authority", "x"), (":path", path)]
    if token:
        headers.append(("authorization", f"Bearer {token}"))
    return _hpack(headers)


def _attack(address: tuple[str, int], head: bytes) -> int:
    """All answers that were begun for clients that take none of them."""
    clients = [WindowlessClient(address, "127.66.0.7", head) for _ in range(CONNECTIONS)]
    threads = [threading.Thread(target=client.ask) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    time.sleep(3)
    for client in clients:
        client.close()
    return sum(client.answered for client in clients)


def _goes_back(stack: Stack, part: str, calm: int) -> None:
    wait_for("what was held goes back to the system", lambda: _resident(stack, part) < calm + GROWTH_MAX / 2, 20)


def _query(stack: Stack) -> int:
    url = f"{stack.layout.url('router')}/api/v1/query?query=vector(1)"
    return requests.get(url, headers={"Authorization": f"Bearer {stack.token(B, 'read')}"}, timeout=20).status_code


def _small_range(steps: int) -> str:
    end = int(time.time())
    return f"/api/v1/query_range?query=vector(0)&start={end - steps}&end={end}&step=1"


def _largest_page() -> str:
    files = [file for file in (PORTAL / "dist").rglob("*") if file.is_file()]
    return "/" + str(max(files, key=lambda file: file.stat().st_size).relative_to(PORTAL / "dist"))


def test_answers_of_a_router_that_nobody_takes_are_bounded(central: Stack) -> None:
    token = central.token(A, "read")
    head = _head_of(_small_range(3_100), token)
    with Watch(central, "router", partial(_query, central)) as watch:
        answered = _attack(_address(central, "router"), head)
    print(f"\n{answered} answers begun")
    watch.check()
    assert answered >= CONNECTIONS, "the attack reached nothing"
    _goes_back(central, "router", watch.calm)


def test_pages_of_a_monitor_that_nobody_takes_are_there_once(central: Stack) -> None:
    path = _largest_page()
    url = central.layout.url("monitor")
    assert len(requests.get(url + path, timeout=10).content) > 100_000
    with Watch(central, "monitor", lambda: requests.get(url, timeout=20).status_code) as watch:
        answered = _attack(_address(central, "monitor"), _head_of(path, None))
    print(f"\n{answered} answers begun")
    watch.check()
    assert answered >= CONNECTIONS, "the attack reached nothing"
    _goes_back(central, "monitor", watch.calm)


def test_pipelined_answers_of_a_router_that_nobody_reads_are_bounded(central: Stack) -> None:
    path = _small_range(3_100)
    token = central.token(A, "read")
    one = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    with Watch(central, "router", partial(_query, central)) as watch, contextlib.ExitStack() as stack:
        for _ in range(4 * CONNECTIONS):
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.bind(("127.66.0.8", 0))
            client.connect(_address(central, "router"))
            client.settimeout(2)
            with contextlib.suppress(OSError):
                client.sendall(one * 100)
        time.sleep(5)
    watch.check()
    _goes_back(central, "router", watch.calm)


def test_no_fault_was_caught(central: Stack) -> None:
    for part, port in (("router", "router_metrics"), ("monitor", "monitor_internal")):
        assert central.running[part].is_running()
        assert central.own_metrics(port)["vigia_faults_total"] == 0
