"""The collector from outside: the built program on an address of its own, spoken to by real clients.

    python -m pytest test_collector.py

The program is build/release/bin/vigia-collector, or what VIGIA_COLLECTOR names.
"""

from __future__ import annotations

import contextlib
import gzip
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
import pytest
import requests
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)

HERE = Path(__file__).resolve().parent
TOKEN = "secret-of-cliente-a"
PROTOBUF = "application/x-protobuf"


def program() -> Path:
    named = os.environ.get("VIGIA_COLLECTOR")
    if named:
        return Path(named)
    builds = [HERE.parents[1] / "build" / preset / "bin" / "vigia-collector" for preset in ("release", "dev")]
    found = [path for path in builds if path.exists()]
    assert found, f"build it first: none of {builds} exists"
    return found[0]


def own_host() -> str:
    """A loopback address of the test's own: there a port stays free while the program is stopped and started again."""
    return f"127.{secrets.randbelow(254) + 1}.{secrets.randbelow(254) + 1}.1"


def wait_for(what: str, probe: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            if probe():
                return
        except requests.RequestException:
            pass
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.05)


class Store(BaseHTTPRequestHandler):
    """Stands where storage stands: takes everything, and remembers what came for whom."""

    received: list[tuple[str, str]] = []

    @classmethod
    def has(cls, path: str, customer: str) -> bool:
        return (path, customer) in cls.received

    def do_POST(self) -> None:  # noqa: N802 (the base class names it so)
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.received.append((self.path, self.headers.get("X-Vigia-Customer", "")))
        self.send_response(200)
        self.send_header("Content-Type", PROTOBUF)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class names it so)
        """Requests are remembered, not printed."""


class Collector:
    """The program with a configuration made from otel-collector-config.yaml: other ports, another folder."""

    def __init__(self, folder: Path, store_url: str) -> None:
        self.host = own_host()
        (folder / "customers.yaml").write_text((HERE / "customers.yaml").read_text())
        text = (HERE / "otel-collector-config.yaml").read_text()
        for port in ("4317", "4318", "8888", "8889", "13133"):
            text = re.sub(rf"[0-9.]+:{port}\b", f"{self.host}:{port}", text)
        self.config = folder / "collector.yaml"
        self.config.write_text(text)
        self.log = folder / "collector.log"
        self.environment = {
            **os.environ,
            "VIGIA_TOKEN_A": TOKEN,
            "VIGIA_INTERNAL_TOKEN": "internal",
            "VIGIA_CUSTOMERS": str(folder / "customers.yaml"),
            "VIGIA_DATA": str(folder / "log"),
            "VIGIA_OWN_HOST": self.host,
            "VIGIA_HOT_URL": store_url,
            "VIGIA_STORAGE_URL": store_url,
        }
        self.start()

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(program()), "--config", str(self.config)], env=self.environment, stdout=log, stderr=log
            )
        wait_for("the collector is healthy", lambda: requests.get(self.url("13133", "/health"), timeout=2).ok)

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(20)

    def url(self, port: str, path: str = "") -> str:
        return f"http://{self.host}:{port}{path}"

    def post(self, body: bytes, token: str | None = TOKEN, **headers: str) -> requests.Response:
        """POST /v1/metrics; headers by name, underscores for hyphens."""
        named = {"Content-Type": PROTOBUF} | {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            named["Authorization"] = f"Bearer {token}"
        return requests.post(self.url("4318", "/v1/metrics"), data=body, headers=named, timeout=10)

    def metric(self, name: str, **labels: str) -> float:
        """Sum of a metric of the collector's own over all series with these labels."""
        total = 0.0
        for line in requests.get(self.url("8888", "/metrics"), timeout=5).text.splitlines():
            if line.split("{")[0].split(" ")[0] == name and all(f'{k}="{v}"' in line for k, v in labels.items()):
                total += float(line.rsplit(" ", 1)[1])
        return total


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Store)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory, store: str) -> Iterator[Collector]:
    running = Collector(tmp_path_factory.mktemp("collector"), store)
    yield running
    if running.process.poll() is None:
        running.end(signal.SIGKILL)
    assert "a fault of this program, please report it" not in running.log.read_text(errors="replace")


def gauges(*names: str, customer: str | None = "cliente-a", ahead_s: float = 0) -> bytes:
    """One resource of that customer with a gauge of one point for each name."""
    request = ExportMetricsServiceRequest()
    group = request.resource_metrics.add()
    if customer is not None:
        group.resource.attributes.add(key="customer.id").value.string_value = customer
    group.resource.attributes.add(key="service.name").value.string_value = "test"
    scope = group.scope_metrics.add()
    for name in names:
        point = scope.metrics.add(name=name).gauge.data_points.add(as_double=1.5)
        point.time_unix_nano = time.time_ns() + int(ahead_s * 1e9)
    body: bytes = request.SerializeToString()
    return body


def rejected(answer: requests.Response) -> int:
    assert answer.status_code == 200, answer.content
    response = ExportMetricsServiceResponse()
    response.ParseFromString(answer.content)
    return int(response.partial_success.rejected_data_points)


def test_health(collector: Collector) -> None:
    for path in ("/health", "/"):
        answer = requests.get(collector.url("13133", path), timeout=5)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def run_example(collector: Collector, token: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(HERE / "example.py"), "--endpoint", collector.url("4317")],
        env={**os.environ, "VIGIA_TOKEN": token},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_example_with_a_wrong_token_says_that_nothing_was_sent(collector: Collector) -> None:
    done = run_example(collector, "no-such-token")
    assert done.returncode == 1
    assert "not sent" in done.stdout + done.stderr


def test_example_sends_all_three_signals(collector: Collector) -> None:
    names = ("metric_points", "spans", "log_records")
    before = {name: collector.metric(f"otelcol_receiver_accepted_{name}") for name in names}
    done = run_example(collector, TOKEN)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in names:
        assert collector.metric(f"otelcol_receiver_accepted_{name}") > before[name], name
    for path in ("/v1/traces", "/v1/logs", "/api/v1/write"):
        wait_for(f"the store has {path}", partial(Store.has, path, "cliente-a"))


def test_the_pull_exporter_shows_the_translated_series(collector: Collector) -> None:
    assert rejected(collector.post(gauges("system.cpu.usage"))) == 0
    line = 'system_cpu_usage{customer_id="cliente-a",job="test"} 1.5'
    wait_for(line, lambda: line in requests.get(collector.url("8889", "/metrics"), timeout=5).text)


def test_tokens(collector: Collector) -> None:
    for token in (None, "", "wrong", TOKEN.upper()):
        assert collector.post(gauges("m"), token).status_code == 401
    assert collector.post(gauges("m"), Authorization=f"bearer {TOKEN}", token=None).status_code == 200


def test_a_foreign_or_missing_customer(collector: Collector) -> None:
    assert collector.post(gauges("m", customer="cliente-b")).status_code == 403
    assert collector.post(gauges("m", customer=None)).status_code == 400
    mixed = gauges("mine") + gauges("stolen", customer="cliente-b")
    assert rejected(collector.post(mixed)) == 1


def test_reserved_names_and_the_future(collector: Collector) -> None:
    assert rejected(collector.post(gauges("up", "scrape.duration", "fine"))) == 2
    assert rejected(collector.post(gauges("now") + gauges("later", ahead_s=6 * 60))) == 1
    assert rejected(collector.post(gauges("soon", ahead_s=4 * 60))) == 0


def test_bodies(collector: Collector) -> None:
    assert collector.post(b"\xff" * 10).status_code == 400
    assert rejected(collector.post(gzip.compress(gauges("zipped")), Content_Encoding="gzip")) == 0
    bomb = gzip.compress(b"\0" * (256 << 20))
    assert collector.post(bomb, Content_Encoding="gzip").status_code == 413
    broken = collector.post(b"{broken", Content_Type="application/json")
    assert (broken.status_code, broken.json()["code"]) == (400, 3)
    assert collector.post(b"{}", Content_Type="application/json").json() == {}
    assert collector.post(b"x", Content_Type="text/plain").status_code == 415


def test_books_balance_and_survive_a_kill(collector: Collector) -> None:
    for _ in range(20):
        assert rejected(collector.post(gauges("counted", "up"))) == 1

    def balances() -> bool:
        here = {"customer_id": "cliente-a", "signal": "metrics"}
        exporter = {"exporter": "prometheusremotewrite/cold"}
        came = collector.metric("vigia_items_received_total", **here)
        came += collector.metric("vigia_items_queued_at_start", **here, **exporter)
        went = collector.metric("vigia_items_rejected_total", **here)
        for name in ("sent_total", "dropped_total", "queued"):
            went += collector.metric(f"vigia_items_{name}", **here, **exporter)
        assert collector.metric("vigia_items_unexplained_total", **here, **exporter) == 0
        return came == went and collector.metric("vigia_items_queued", **here, **exporter) == 0

    wait_for("the books balance and nothing is queued", balances)
    collector.end(signal.SIGKILL)
    collector.start()
    wait_for("the books balance after a kill", balances)


def test_a_bad_key_is_named(collector: Collector, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(collector.config.read_text().replace("limit_mib: 512", "limit_mb: 512"))
    done = subprocess.run(
        [str(program()), "--config", str(bad), "--check-config"],
        env=collector.environment,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    line = next(n for n, text in enumerate(bad.read_text().splitlines(), 1) if "limit_mb" in text)
    assert done.returncode == 2
    assert f"bad.yaml:{line}:" in done.stderr


class Frames:
    """HTTP/2 by hand: what no good client sends."""

    DATA, HEADERS, SETTINGS, GOAWAY = 0, 1, 4, 7
    END_STREAM, END_HEADERS = 1, 4

    def __init__(self, collector: Collector, port: int) -> None:
        self.socket = socket.create_connection((collector.host, port), timeout=20)
        self.socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + self.frame(self.SETTINGS, 0, 0, b""))

    @staticmethod
    def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
        return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload

    def request(self, stream: int, path: str, token: str) -> None:
        headers = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "x"}
        headers |= {"authorization": f"Bearer {token}", "content-type": PROTOBUF}
        fields = (b"\0%c%b%c%b" % (len(k), k.encode(), len(v), v.encode()) for k, v in headers.items())
        flags = self.END_HEADERS | self.END_STREAM
        self.socket.sendall(self.frame(self.HEADERS, flags, stream, b"".join(fields)))

    def read(self) -> tuple[int, int, int, bytes] | None:
        """Kind, flags, stream, payload; nothing where the other side has closed."""
        head = self._read(9)
        if head is None:
            return None
        payload = self._read(int.from_bytes(head[:3], "big"))
        return None if payload is None else (head[3], head[4], int.from_bytes(head[5:9], "big"), payload)

    def _read(self, count: int) -> bytes | None:
        got = b""
        while len(got) < count:
            try:
                piece = self.socket.recv(count - len(got))
            except ConnectionError:
                return None
            if not piece:
                return None
            got += piece
        return got


def test_data_on_a_stream_that_is_gone_ends_the_connection(collector: Collector) -> None:
    """S6, the family of rapid reset: bytes that belong to no request are not read for nothing."""
    client = Frames(collector, 4318)
    client.request(1, "/v1/metrics", TOKEN)
    while (found := client.read()) is not None and not (found[2] == 1 and found[1] & Frames.END_STREAM):
        pass
    page = Frames.frame(Frames.DATA, 0, 1, bytes(16 << 10)) * 64
    sent = 0
    with contextlib.suppress(ConnectionError):
        while sent < 1 << 30:
            client.socket.sendall(page)
            sent += len(page)
    assert sent < 256 << 20
    last = found
    while (found := client.read()) is not None:
        last = found
    # The GOAWAY may be lost where the socket closes with bytes of ours unread.
    assert last is None or last[0] != Frames.GOAWAY or int.from_bytes(last[3][4:8], "big") == 11
    assert rejected(collector.post(gauges("after_the_flood"))) == 0
    text = requests.get(collector.url("8888", "/metrics"), timeout=5).text
    assert re.search(r"^vigia_faults_total(\{.*\})? 0$", text, re.M)


def test_a_client_builds_a_request_of_what_reflection_tells(collector: Collector) -> None:
    from google.protobuf import json_format
    from google.protobuf.descriptor_pool import DescriptorPool
    from google.protobuf.message_factory import GetMessageClass
    from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

    with grpc.insecure_channel(f"{collector.host}:4317") as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        services = set(database.get_services())
        assert {
            f"opentelemetry.proto.collector.{s}" for s in ("logs.v1.LogsService", "metrics.v1.MetricsService")
        } < services
        assert {"grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"} < services
        pool = DescriptorPool(database)  # type: ignore[no-untyped-call]
        method = pool.FindServiceByName("opentelemetry.proto.collector.metrics.v1.MetricsService").FindMethodByName(
            "Export"
        )
        request = GetMessageClass(method.input_type)()
        point = {"asDouble": 7, "timeUnixNano": str(time.time_ns())}
        metric = {"name": "from_reflection", "gauge": {"dataPoints": [point]}}
        resource = {"attributes": [{"key": "customer.id", "value": {"stringValue": "cliente-a"}}]}
        scopes = [{"metrics": [metric]}]
        json_format.ParseDict({"resourceMetrics": [{"resource": resource, "scopeMetrics": scopes}]}, request)
        call = channel.unary_unary(f"/{method.containing_service.full_name}/{method.name}")
        with pytest.raises(grpc.RpcError) as refused:
            call(request.SerializeToString(), timeout=10)
        assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED
        answer = call(request.SerializeToString(), metadata=(("authorization", f"Bearer {TOKEN}"),), timeout=10)
        assert ExportMetricsServiceResponse.FromString(answer).partial_success.rejected_data_points == 0
        with pytest.raises(KeyError):
            pool.FindServiceByName("opentelemetry.proto.collector.profiles.v1development.ProfilesService")


def test_a_reflection_stream_is_bounded(collector: Collector) -> None:
    from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

    question = reflection_pb2.ServerReflectionRequest(file_by_filename="opentelemetry/proto/common/v1/common.proto")
    with grpc.insecure_channel(f"{collector.host}:4317") as channel:
        for version in ("v1", "v1alpha"):
            path = f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo"
            ask = channel.stream_stream(
                path, question.SerializeToString, reflection_pb2.ServerReflectionResponse.FromString
            )
            answers: list[int] = []

            def all_of(call: Iterator[Any], answers: list[int] = answers) -> None:
                for answer in call:
                    answers.append(len(answer.file_descriptor_response.file_descriptor_proto))

            with pytest.raises(grpc.RpcError) as refused:
                all_of(ask((question for _ in range(1_000_000)), timeout=30))
            assert refused.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
            assert len(answers) <= 1000
            assert set(answers) <= {1}
        long = reflection_pb2.ServerReflectionRequest(file_by_filename="x" * 5000)
        with pytest.raises(grpc.RpcError) as refused:
            list(reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(iter([long]), timeout=10))
        assert refused.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert rejected(collector.post(gauges("after_the_questions"))) == 0


def test_grpc_health_needs_no_token_and_says_what_is_served(collector: Collector) -> None:
    with grpc.insecure_channel(f"{collector.host}:4317") as channel:

        def ask(service: str, method: str = "Check") -> bytes:
            call = channel.unary_unary(f"/grpc.health.v1.Health/{method}")
            answer: bytes = call(b"\x0a" + bytes([len(service)]) + service.encode(), timeout=10)
            return answer

        assert ask("") == b"\x08\x01"
        assert ask("opentelemetry.proto.collector.logs.v1.LogsService") == b"\x08\x01"
        for service, method, code in (
            ("nobody", "Check", grpc.StatusCode.NOT_FOUND),
            ("", "Watch", grpc.StatusCode.UNIMPLEMENTED),
            ("s" * 100, "Check", grpc.StatusCode.NOT_FOUND),
        ):
            with pytest.raises(grpc.RpcError) as refused:
                ask(service, method)
            assert refused.value.code() == code
        large = channel.unary_unary("/grpc.health.v1.Health/Check")
        with pytest.raises(grpc.RpcError) as refused:
            large(bytes(100_000), timeout=10)
        assert refused.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_typo_in_the_configuration_is_named_with_its_line(collector: Collector, tmp_path: Path) -> None:
    lines = collector.config.read_text().splitlines()
    line = lines.index("receivers:")
    lines[line] = "recievers:"
    (tmp_path / "typo.yaml").write_text("\n".join(lines))
    words = [str(program()), "--check-config", "--config", str(tmp_path / "typo.yaml")]
    checked = subprocess.run(words, env=collector.environment, capture_output=True, text=True, timeout=20, check=False)
    assert checked.returncode == 2
    assert (
        checked.stderr == f'{tmp_path}/typo.yaml:{line + 1}: recievers: the key is not known; is "receivers" meant?\n'
    )


def test_it_ends_on_sigterm(collector: Collector) -> None:  # last: the others' collector ends here
    assert collector.end() == 0
