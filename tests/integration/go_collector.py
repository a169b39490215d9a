"""The Go collector as a far end: what it has taken lies in a file, a line a request, and is counted there."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from launcher.commands import Command
from launcher.compliance import built_go_collector
from stack import Running

# With `rotation` the file is written without a buffer: what was answered is there after kill -9 too.
CONFIG = """
receivers:
  otlp:
    protocols:
      grpc: {{endpoint: "{host}:{grpc}"{tls}{grpc_more}}}
      http: {{endpoint: "{host}:{http}"{tls}{http_more}}}
exporters:
  file: {{path: "{file}", rotation: {{max_megabytes: 1000}}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    metrics: {{receivers: [otlp], exporters: [file]}}
    traces: {{receivers: [otlp], exporters: [file]}}
    logs: {{receivers: [otlp], exporters: [file]}}
"""
PORTS = {"grpc": 14317, "http": 14318}


class GoCollector:
    """`grpc_more` and `http_more` are further keys of the doors; with `certificate` (name.pem, name.key) both speak TLS."""

    def __init__(
        self, folder: Path, host: str, certificate: Path | None = None, grpc_more: str = "", http_more: str = ""
    ) -> None:
        self.folder = folder
        self.host = host
        self.file = folder / "far_end.json"
        self.scheme = "https" if certificate else "http"
        pair = f"cert_file: {certificate}.pem, key_file: {certificate}.key" if certificate else ""
        text = CONFIG.format(
            host=host,
            file=self.file,
            tls=f", tls: {{{pair}}}" if pair else "",
            grpc_more=grpc_more,
            http_more=http_more,
            **PORTS,
        )
        (folder / "far_end.yaml").write_text(text)

    def start(self) -> None:
        words = [str(built_go_collector()), "--config", str(self.folder / "far_end.yaml")]
        self.running = Running(Command("far end", words, ""), self.folder / "far_end.log")
        try:
            self._wait()
        except BaseException:
            self.end(9)
            raise

    def _wait(self) -> None:
        from stack import wait_for

        def is_open() -> bool:
            assert self.running.is_running(), self.running.tail()
            for port in PORTS.values():
                with socket.socket() as probe:
                    if probe.connect_ex((self.host, port)) != 0:
                        return False
            return True

        wait_for("the far end listens", is_open, 20)

    def __enter__(self) -> GoCollector:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end(9)

    def end(self, number: int = 15) -> None:
        self.running.end(number)

    def requests(self) -> Iterator[dict[str, list[dict[str, object]]]]:
        """What it has taken, in order; a line that is not whole yet is left out."""
        if not self.file.exists():
            return
        for line in self.file.read_bytes().split(b"\n")[:-1]:
            yield json.loads(line)

    def names(self, signal: str) -> Counter[str]:
        """How often each item was taken: spans and metrics' points by their names, records by their bodies."""
        found: Counter[str] = Counter()
        for request in self.requests():
            found.update(_names(signal, request))
        return found


def _names(signal: str, request: dict[str, list[dict[str, object]]]) -> Iterator[str]:
    whole, scoped, items = {
        "metrics": ("resourceMetrics", "scopeMetrics", "metrics"),
        "traces": ("resourceSpans", "scopeSpans", "spans"),
        "logs": ("resourceLogs", "scopeLogs", "logRecords"),
    }[signal]
    for resource in request.get(whole, []):
        for scope in resource.get(scoped, []):  # type: ignore[attr-defined]
            for item in scope.get(items, []):
                if signal == "logs":
                    yield item["body"]["stringValue"]
                elif signal == "traces":
                    yield item["name"]
                else:
                    yield from [item["name"]] * len(item["gauge"]["dataPoints"])


class Wire:
    """Passes connections on and counts them. `cut` drops what there is and takes no more: nobody hears an answer then."""

    def __init__(self, host: str, port: int, target: int) -> None:
        self.target = (host, target)
        self.accepted = 0
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()
        self.is_cut = False
        self._listener = socket.create_server((host, port))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self.is_cut:
                near.close()
                continue
            try:
                far = socket.create_connection(self.target, 5)
            except OSError:
                near.close()
                continue
            with self._lock:
                self.accepted += 1
                self._open += [near, far]
            for ends in ((near, far), (far, near)):
                threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    @staticmethod
    def _pass_on(source: socket.socket, sink: socket.socket) -> None:
        try:
            while piece := source.recv(65536):
                sink.sendall(piece)
        except OSError:
            pass
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        self.is_cut = True
        with self._lock:
            ends, self._open = self._open, []
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self.is_cut = False

    def close(self) -> None:
        self._listener.close()
        self.cut()
