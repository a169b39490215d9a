"""A collector with a real store, or with one that answers as a test tells it; and another customer who watches."""

from __future__ import annotations

import contextlib
import gzip
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests
from launcher.commands import Command
from launcher.layout import own_host
from launcher.paths import ROOT
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from otlp import attributes, gauge, log_request, metrics_request, post, resource_of, span_request
from remote_write import unpack
from stack import Running, binaries, wait_for

HOT = "prometheusremotewrite/hot-0"
COLD = "prometheusremotewrite/cold"
OTLP = "otlphttp/cold"
RSS_MAX = 640 << 20
FRESH_SECONDS = 6.0  # how far behind a customer may be while another does its worst

DIRECTORY = """
customers:
  - {id: cliente-a, name: A, hot_shard: hot-0, tokens: [{token: token-a, scope: ingest}]}
  - {id: cliente-b, name: B, hot_shard: hot-0, tokens: [{token: token-b, scope: ingest}]}
"""
PROMETHEUS = """
global: {scrape_interval: 1h}
storage: {tsdb: {out_of_order_time_window: 48h}}
"""
COLLECTOR = """
extensions:
  health_check: {{endpoint: "{host}:13133"}}
  vigia_auth: {{directory: {{file: "{folder}/customers.yaml"}}}}
  file_storage: {{directory: "{folder}/log"{storage}}}
receivers:
  otlp: {{protocols: {{http: {{endpoint: "{host}:4318", auth: {{authenticator: vigia_auth}}}}}}}}
processors: {{batch: {{}}, memory_limiter: {{limit_mib: 512}}}}
exporters:
  prometheus: {{endpoint: "{host}:8889"}}
  prometheusremotewrite/hot-0: {{endpoint: "{hot}/api/v1/write", give_up_after: {give_up_after}, retry_on_failure: {{initial_interval: 100ms, max_interval: 2s}}}}
  prometheusremotewrite/cold: {{endpoint: "{cold}/api/v1/write", required: true, headers: {{Authorization: "Bearer secret"}}, timeout: {timeout}, side_queue: {{customer_bytes_max: {side_share}}}}}
  otlphttp/cold: {{endpoint: "{cold}", required: true, headers: {{Authorization: "Bearer secret"}}, timeout: {timeout}, give_up_after: {give_up_after}, side_queue: {{customer_bytes_max: {otlp_side_share}}}, retry_on_failure: {{initial_interval: 100ms, max_interval: 2s}}}}
service:
  extensions: [health_check, vigia_auth, file_storage]
  telemetry: {{metrics: {{address: "{host}:8888"}}}}
  pipelines:
    metrics: {{receivers: [otlp], processors: [memory_limiter, batch], exporters: [{metrics_exporters}]}}
    logs: {{receivers: [otlp], exporters: [otlphttp/cold]}}
    traces: {{receivers: [otlp], exporters: [otlphttp/cold]}}
"""
STORAGE = """
listen: {host}:9096
metrics: {{listen: "{host}:9196"}}
internal_token: secret
store: {{rocksdb: {{directory: "{folder}/storage"}}}}
"""

Script = Callable[[str, str, bytes], int]


class Destination:
    """A store that answers as a test tells it. 0: no answer for as long as the test runs."""

    def __init__(self, host: str, port: int) -> None:
        self.script: Script = lambda customer, path, body: 204
        self.bodies: list[tuple[float, str, bytes]] = []  # taken
        self.hangs = threading.Event()
        self.unpacks = self.keeps = True
        destination = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                elif self.path.endswith("/write") and destination.unpacks:
                    body = unpack(body)
                customer = self.headers.get("X-Vigia-Customer", "")
                # Of remote write it reads 1.0 alone.
                is_2 = self.headers.get("X-Prometheus-Remote-Write-Version", "").startswith("2.")
                status = 415 if is_2 else destination.script(customer, self.path, body)
                if status == 0:
                    destination.hangs.wait(60)
                    self.close_connection = True
                    return
                if status < 300:
                    destination.bodies.append((time.time(), customer, body if destination.keeps else b""))
                self.send_response(status)
                if status in (301, 302, 307, 308):
                    self.send_header("Location", "http://127.0.0.1:1/")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer((host, port), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a killed collector's connection
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def arrived(self, customer: str) -> bytes:
        """All that was taken of a customer, some of it perhaps twice."""
        return b"".join(body for _, of, body in self.bodies if of == customer)

    def end(self) -> None:
        self.hangs.set()
        self.server.shutdown()
        self.server.server_close()


class Lanes:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host = own_host()
        self.running: dict[str, Running] = {}
        self.under_way = 0  # bytes of refusals that requests under way may cost before any is answered
        self.destination: Destination | None = None
        self.rss_peak = 0
        self._is_watching = True
        self.collector_env: dict[str, str] = {}
        (folder / "customers.yaml").write_text(DIRECTORY)
        (folder / "prometheus.yml").write_text(PROMETHEUS)
        (folder / "storage.yaml").write_text(STORAGE.format(folder=folder, host=self.host))
        threading.Thread(target=self._watch_memory, daemon=True).start()

    def _watch_memory(self) -> None:
        while self._is_watching:
            running = self.running.get("collector")
            if running is not None:
                try:
                    status = Path(f"/proc/{running.pid}/status").read_text()
                    match = re.search(r"VmRSS:\s+(\d+) kB", status)
                    self.rss_peak = max(self.rss_peak, int(match[1]) * 1024 if match else 0)
                except OSError:
                    pass
            time.sleep(0.1)

    def configure(
        self,
        *,
        hot: str = "",
        cold: str = "",
        exporters: str = HOT,
        give_up_after: str = "10m",
        timeout: str = "2s",
        side_share: str = "256MiB",
        otlp_side_share: str = "256MiB",
        storage: str = "",
    ) -> None:
        text = COLLECTOR.format(
            folder=self.folder,
            host=self.host,
            hot=hot or f"http://{self.host}:9090",
            cold=cold or f"http://{self.host}:9096",
            give_up_after=give_up_after,
            timeout=timeout,
            side_share=side_share,
            otlp_side_share=otlp_side_share,
            storage=f", {storage}" if storage else "",
            metrics_exporters=exporters,
        )
        (self.folder / "collector.yaml").write_text(text)

    def serve(self) -> Destination:
        self.destination = Destination(self.host, 9099)
        return self.destination

    @property
    def destination_url(self) -> str:
        return f"http://{self.host}:9099"

    def start(self, name: str, program: Path | None = None) -> None:
        if name == "collector":
            words = [str(binaries() / "vigia-collector"), "--config", str(self.folder / "collector.yaml")]
            ready = f"http://{self.host}:13133/health"
        elif name == "storage":
            words = [str(binaries() / "vigia-storage"), "--config", str(self.folder / "storage.yaml")]
            ready = f"http://{self.host}:9096/ready"
        else:
            words = [
                str(program),
                f"--config.file={self.folder}/prometheus.yml",
                f"--storage.tsdb.path={self.folder}/hot",
                f"--web.listen-address={self.host}:9090",
                "--web.enable-remote-write-receiver",
                "--enable-feature=native-histograms",
            ]
            ready = f"http://{self.host}:9090/-/ready"
        env = self.collector_env if name == "collector" else {}
        self.running[name] = Running(Command(name, words, ready, env=env), self.folder / f"{name}.log")
        self.running[name].wait_until_ready()

    def start_sick_hot(self, customer: str, *more: str) -> None:
        """A proxy before hot that answers 500 to that customer alone."""
        words = [sys.executable, str(ROOT / "bench" / "sick_store.py"), "--listen", f"{self.host}:9091"]
        words += ["--to", f"{self.host}:9090", "--customer", customer, "--answer", "500", *more]
        self.running["sick"] = Running(
            Command("sick", words, f"http://{self.host}:9091/-/ready"), self.folder / "sick.log"
        )
        self.running["sick"].wait_until_ready()

    def kill(self, name: str) -> None:
        self.running.pop(name).end(9)

    def end(self) -> None:
        self._is_watching = False
        for running in self.running.values():
            running.end(9)
        if self.destination is not None:
            self.destination.end()
        assert 0 < self.rss_peak < RSS_MAX, f"the collector held {self.rss_peak >> 20} MiB"

    def send(self, customer: str, body: bytes, signal: str = "metrics") -> requests.Response:
        headers = {"Content-Encoding": "gzip"} if len(body) > 100_000 else {}
        sent = gzip.compress(body, 1) if headers else body
        token = f"token-{customer[-1]}"
        return post(f"http://{self.host}:4318", token, sent, signal=signal, headers=headers)

    def send_metrics(self, customer: str, *metrics: Metric) -> None:
        answer = self.send(customer, metrics_request(resource_of(customer), *metrics).SerializeToString())
        assert answer.status_code == 200, answer.text

    def send_items(self, kind: Kind, customer: str, names: Sequence[str]) -> None:
        answer = self.send(customer, kind.request(customer, names), kind.signal)
        assert answer.status_code == 200, answer.text

    def query(self, expression: str, part: str = "hot") -> list[dict[str, Any]]:
        assert part == "hot"
        url = f"http://{self.host}:9090/api/v1/query"
        found = requests.get(url, params={"query": expression}, timeout=5).json()
        result: list[dict[str, Any]] = found["data"]["result"]
        return result

    def count(self, expression: str) -> int:
        result = self.query(f"count({expression})")
        return int(float(result[0]["value"][1])) if result else 0

    def stored(self, items: str, customer: str) -> float:
        """What storage says that it keeps of a customer's spans or log records."""
        text = requests.get(f"http://{self.host}:9196/metrics", timeout=5).text
        match = re.search(rf'vigia_storage_{items}_stored_total{{customer_id="{customer}"}} (\S+)', text)
        return float(match[1]) if match else 0

    def metrics(self) -> list[tuple[str, dict[str, str], float]]:
        lines = requests.get(f"http://{self.host}:8888/metrics", timeout=5).text.splitlines()
        found = []
        for line in lines:
            match = re.match(r"(\w+)(?:\{(.*)\})? (\S+)$", line)
            if match:
                found.append((match[1], dict(re.findall(r'(\w+)="([^"]*)"', match[2] or "")), float(match[3])))
        return found

    def gauge_of(self, name: str, exporter: str) -> float:
        return next(
            value for found, labels, value in self.metrics() if (found, labels.get("exporter")) == (name, exporter)
        )

    def books(self, customer: str, exporter: str, signal: str = "metrics") -> dict[str, float]:
        """The equation's terms; it holds whenever one looks, and nothing leaves that was not seen to come."""
        terms: dict[str, float] = {}
        for name, labels, value in self.metrics():
            match = re.match(r"vigia_items_(\w+?)(_total)?$", name)
            if (
                match
                and labels["customer_id"] == customer
                and labels["signal"] == signal
                and labels.get("exporter", exporter) == exporter
            ):
                terms[match[1]] = terms.get(match[1], 0) + value
        left = terms.get("queued_at_start", 0) + terms.get("received", 0)
        right = sum(terms.get(term, 0) for term in ("rejected", "filtered", "sent", "dropped", "queued"))
        assert left == right, terms
        assert terms.get("unexplained", 0) == 0, terms
        return terms

    def settle(self, customer: str, exporter: str, signal: str = "metrics", seconds: float = 60) -> dict[str, float]:
        wait_for("nothing waits", lambda: self.books(customer, exporter, signal).get("queued", 0) == 0, seconds)
        return self.books(customer, exporter, signal)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def _gauges(customer: str, names: Sequence[str]) -> bytes:
    series = [gauge(name, [(now_ms(), 1.0)]) for name in names]
    body: bytes = metrics_request(resource_of(customer), *series).SerializeToString()
    return body


def _lines(customer: str, names: Sequence[str]) -> bytes:
    request = ExportLogsServiceRequest()
    for name in names:
        request.MergeFrom(log_request(resource_of(customer), name))
    body: bytes = request.SerializeToString()
    return body


def _spans(customer: str, names: Sequence[str]) -> bytes:
    request = ExportTraceServiceRequest()
    for name in names:
        request.MergeFrom(span_request(resource_of(customer), os.urandom(16), os.urandom(8), name))
    body: bytes = request.SerializeToString()
    return body


@dataclass(frozen=True)
class Kind:
    """One signal: the exporter that it goes through, and a request of items of those names."""

    signal: str
    exporter: str
    request: Callable[[str, Sequence[str]], bytes]

    def __str__(self) -> str:
        return self.signal


METRICS = Kind("metrics", HOT, _gauges)
LOGS = Kind("logs", OTLP, _lines)
TRACES = Kind("traces", OTLP, _spans)


class Neighbour:
    """Customer B's item, one every 0.2 s, and how far behind the store is with it."""

    def __init__(self, lanes: Lanes, look: Callable[[], float], kind: Kind = METRICS) -> None:
        self.lanes = lanes
        self.look = look  # time stamp of B's newest item in the store
        self.kind = kind
        self.worst = 0.0
        self.seen: list[float] = []  # how far behind, at each look
        self._failure: BaseException | None = None
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._try, args=(of,)) for of in (self._send, self._watch)]

    def __enter__(self) -> Neighbour:
        self._threads[0].start()
        try:
            wait_for("B's first item", lambda: self.look() > 0)
        except BaseException:
            self._stop.set()
            raise
        self._threads[1].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        if self._failure is not None:
            raise self._failure

    def _try(self, what: Callable[[], None]) -> None:
        """Else a look that failed would end the watch, and nothing would be found late."""
        try:
            while not self._stop.wait(0.2):
                what()
        except BaseException as failure:
            self._failure = failure

    def _send(self) -> None:
        with contextlib.suppress(requests.ConnectionError):  # while the collector is killed
            self.lanes.send_items(self.kind, "cliente-b", ["probe_b"])

    def _watch(self) -> None:
        behind = time.time() - self.look()
        self.seen.append(behind)
        self.worst = max(self.worst, behind)


def newest_in_hot(lanes: Lanes) -> Callable[[], float]:
    def look() -> float:
        found = lanes.query('timestamp(last_over_time(probe_b{customer_id="cliente-b"}[10m]))')
        found = lanes.query('max_over_time(timestamp(probe_b{customer_id="cliente-b"})[10m:200ms])') if found else []
        return float(found[0]["value"][1]) if found else 0.0

    return look


def newest_taken(destination: Destination) -> Callable[[], float]:
    return lambda: max((at for at, customer, _ in destination.bodies if customer == "cliente-b"), default=0.0)


def log_lines(customer: str, count: int, tail: str = "") -> bytes:
    request = ExportLogsServiceRequest()
    entry = request.resource_logs.add()
    entry.resource.attributes.extend(attributes(resource_of(customer)))
    records = entry.scope_logs.add().log_records
    now = time.time_ns()
    for n in range(count):
        records.add(time_unix_nano=now + n).body.string_value = f"l{n}{tail}"
    body: bytes = request.SerializeToString()
    return body
