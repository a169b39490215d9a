"""Remote read in chunks, sent as it is made: to clients that are slow, that take nothing, and that lose the store halfway.

R-RR-3, R-RR-5. A real Prometheus evaluates what it reads.
"""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from cold_neighbour import MIB, A, ColdStore, Load, bounded, of_a, sample_bytes
from launcher import parts
from launcher.commands import Command
from remote_read import CHUNKS, post_read, read_request
from remote_write import snappy
from stack import Running, wait_for

pytestmark = pytest.mark.two_at_a_time  # memory, and another who is served within seconds

SERIES = 60
SAMPLES = 15_000  # of random values: some 130 KB a series
STEP_MS = 15_000
EVALUATE = """
global: {{}}
remote_read: [{{url: "{url}/api/v1/read", read_recent: true, authorization: {{credentials: secret}}}}]
"""


class CuttingProxy:
    """Passes on what both sides say, and closes the client's connection after so many bytes of the answer."""

    def __init__(self, host: str, to_port: int) -> None:
        self.to = (host, to_port)
        self.cut_after = 1 << 40
        self.open: list[socket.socket] = []
        self.listener = socket.create_server((host, 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(self.to)
            self.open += [client, server]
            threading.Thread(target=self._pass, args=(client, server, 1 << 40), daemon=True).start()
            threading.Thread(target=self._pass, args=(server, client, self.cut_after), daemon=True).start()

    def cut(self, after: int) -> None:
        """From the next connection on; those that are kept for further requests end."""
        self.cut_after = after
        self._close(self.open)
        self.open = []

    @staticmethod
    def _close(sockets: list[socket.socket]) -> None:
        for each in sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    @classmethod
    def _pass(cls, source: socket.socket, target: socket.socket, left: int) -> None:
        try:
            while left > 0 and (piece := source.recv(min(65_536, left))):
                target.sendall(piece)
                left -= len(piece)
        except OSError:  # the other direction has closed them
            pass
        finally:
            cls._close([source, target])

    def end(self) -> None:
        self.listener.close()


class Streams:
    def __init__(self, folder: Path) -> None:
        self.cold = ColdStore(folder)
        self.cold.start()
        self.load = Load(self.cold)
        self.start_ms = int(time.time() * 1000) // 1000 * 1000 - SAMPLES * STEP_MS
        values = random.Random(8)
        for number in range(SERIES):
            samples = sample_bytes(self.start_ms, STEP_MS, [values.random() for _ in range(SAMPLES)])
            self.load.write(of_a("wide", {"n": f"{number:03}"}, samples), SAMPLES)
        self.request = read_request([("wide", 0, 2**62)])

    def open_unread(self) -> socket.socket:
        """A client that asks for all of it and takes nothing."""
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect((self.cold.host, 9096))
        body = snappy(self.request + CHUNKS)
        head = "".join(f"{name}: {value}\r\n" for name, value in A.items())
        head += f"content-length: {len(body)}\r\ncontent-encoding: snappy\r\n"
        connection.sendall(f"POST /api/v1/read HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode() + body)
        return connection

    def bytes_of_answer(self) -> int:
        answer = post_read(self.cold.url, self.request, CHUNKS, A)
        assert answer.status_code == 200, answer.text
        return len(answer.content)


@pytest.fixture
def streams(tmp_path: Path) -> Iterator[Streams]:
    made = Streams(tmp_path)
    try:
        yield made
        assert made.cold.own_metric("vigia_faults_total") == 0
    finally:
        made.cold.end()


def test_clients_that_take_nothing_hold_neither_threads_nor_the_memory_of_all(streams: Streams) -> None:
    """Each had its whole answer made and kept; more of them than there are readers, and B still reads."""
    whole = streams.bytes_of_answer()
    assert whole > 6 * MIB
    with bounded(streams.cold, rss_max=600 * MIB) as neighbour:
        unread = [streams.open_unread() for _ in range(24)]
        wait_for("all have an answer", lambda: all(_has_begun(each) for each in unread), 60)
        before = len(neighbour.reads)
        wait_for("B reads meanwhile", lambda: len(neighbour.reads) > before + 20, 30)
        for connection in unread:
            connection.close()
        assert streams.bytes_of_answer() == whole
    streams.load.assert_all_there(neighbour)


def _has_begun(connection: socket.socket) -> bool:
    """200, or that too much of A's is under way: one customer's answers have a share."""
    connection.settimeout(5)
    head = connection.recv(16, socket.MSG_PEEK)
    assert head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 503")), head
    return True


def test_a_client_sees_that_the_store_was_killed(streams: Streams) -> None:
    with requests.post(
        f"{streams.cold.url}/api/v1/read",
        data=snappy(streams.request + CHUNKS),
        headers={"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy", **A},
        stream=True,
        timeout=60,
    ) as answer:
        assert answer.status_code == 200
        assert answer.raw.read(1000)
        streams.cold.kill_and_start()
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            for _ in answer.iter_content(1 << 20):
                pass


def test_a_prometheus_tells_of_an_answer_that_is_cut(streams: Streams, tmp_path: Path) -> None:
    """Never a sum over the series that came before the cut: an error, or, where not even one came, nothing and a warning
    (a Prometheus asks a remote store beside its own, and goes on without one that fails at once)."""
    proxy = CuttingProxy(streams.cold.host, 9096)
    (tmp_path / "query.yml").write_text(EVALUATE.format(url=f"http://{streams.cold.host}:{proxy.port}"))
    url = f"http://{streams.cold.host}:9091"
    words = [
        str(parts.program("prometheus-3")),
        f"--config.file={tmp_path}/query.yml",
        f"--storage.tsdb.path={tmp_path}/query",
        f"--web.listen-address={streams.cold.host}:9091",
    ]
    prometheus = Running(Command("query", words, f"{url}/-/ready", {}), tmp_path / "query.log")
    try:
        prometheus.wait_until_ready()
        days = SAMPLES * STEP_MS // 86_400_000 + 1
        form = {
            "query": f"sum(count_over_time(wide[{days}d]))",
            "time": str((streams.start_ms + SAMPLES * STEP_MS) / 1000),
        }
        whole = requests.post(f"{url}/api/v1/query", data=form, timeout=60)
        assert whole.json()["data"]["result"][0]["value"][1] == str(SERIES * SAMPLES), whole.text
        size = streams.bytes_of_answer()
        for part in (0.001, 0.1, 0.5, 0.9, 0.999):
            proxy.cut(int(size * part))
            cut = requests.post(f"{url}/api/v1/query", data=form, timeout=60)
            if cut.status_code != 200:
                assert cut.json()["status"] == "error", cut.text
                continue
            assert cut.json()["warnings"], f"{part}: {cut.text}"
            assert cut.json()["data"]["result"] == [], f"{part}: {cut.text}"
    finally:
        prometheus.end(9)
        proxy.end()
