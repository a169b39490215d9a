"""A store whose answers are as large as a test says, and who reads them at his own pace."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests

BEGIN = b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":['
PAIR = b'[1700000000.123,"12.345678901234567"],'
END = b'[1700000060,"1"]]}]}}'
MIB = 1 << 20


class LargeStore:
    """In the place of a hot Prometheus: query_range gives `mebibytes`, everything else nothing."""

    def __init__(self, host: str, mebibytes: int) -> None:
        self.bytes = mebibytes * MIB
        self.sent = 0
        self.hold_at: int | None = None  # from so many bytes on it waits for go_on
        self.go_on = threading.Event()
        self.cut_off = threading.Event()  # somebody did not take all of an answer
        store = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                is_list = self.path.startswith("/api/v1/series")
                data = b"[]" if is_list else b'{"resultType":"vector","result":[]}'
                self.answer(b'{"status":"success","data":' + data + b"}")

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", "0")))
                if not self.path.startswith("/api/v1/query_range"):
                    return self.do_GET()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(store.bytes))
                self.end_headers()
                try:
                    for piece in store.pieces():
                        if store.hold_at is not None and store.sent >= store.hold_at:
                            store.go_on.wait()
                        self.wfile.write(piece)
                        store.sent += len(piece)
                except OSError:
                    self.close_connection = True
                    store.cut_off.set()
                return None

            def answer(self, body: bytes) -> None:
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self.server = ThreadingHTTPServer((host, 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        host, port = self.server.server_address[:2]
        return f"http://{host!s}:{port}"

    def pieces(self) -> Iterator[bytes]:
        """A matrix of exactly so many bytes; spaces make up what no sample has room for."""
        yield BEGIN
        block = PAIR * (MIB // len(PAIR))
        left = self.bytes - len(BEGIN) - len(END)
        while left >= len(block):
            yield block
            left -= len(block)
        yield PAIR * (left // len(PAIR)) + b" " * (left % len(PAIR)) + END

    def close(self) -> None:
        self.go_on.set()
        self.server.shutdown()
        self.server.server_close()


class Memory:
    """What a program has in memory: now, and at the most since the last `forget`."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def _status(self, name: str) -> float:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) / 1024
        raise AssertionError(name)

    def forget(self) -> float:
        """Gives what it has now, in MiB."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")
        return self._status("VmRSS")

    def most(self) -> float:
        return self._status("VmHWM")


class Read:
    """One answer, read to its end and not kept."""

    def __init__(self, url: str, token: str, encoding: str = "identity", **form: Any) -> None:
        self.bytes = 0
        self.first = b""
        self.last = b""
        headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": encoding}
        with requests.get(url, params=form, headers=headers, timeout=120, stream=True) as answer:
            self.status = answer.status_code
            self.headers = answer.headers
            for piece in answer.iter_content(1 << 18):
                self.first = (self.first + piece)[:200]
                self.last = (self.last + piece)[-400:]
                self.bytes += len(piece)


def files_held(pid: int, folder: Path) -> list[str]:
    """The files without a name in that folder that a program has open."""
    held = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(link.readlink())
        except OSError:
            continue
        if target.startswith(str(folder)):
            assert target.endswith(" (deleted)"), target
            held.append(target)
    return held
