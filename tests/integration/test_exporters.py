"""The collector's exporters against real Prometheus servers: what is refused, what is down, what goes where."""

from __future__ import annotations

import json
import re
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
from launcher.commands import Command
from launcher.layout import own_host
from launcher.paths import ROOT
from otlp import gauge, metrics_request, post, resource_of
from stack import Running, binaries, prometheus_programs, wait_for

TOKENS = {"cliente-a": "token-a", "cliente-b": "token-b", "cliente-c": "token-c"}
DIRECTORY = """
customers:
  - {id: cliente-a, name: A, hot_shard: hot-0, tokens: [{token: token-a, scope: ingest}]}
  - {id: cliente-b, name: B, hot_shard: hot-1, tokens: [{token: token-b, scope: ingest}]}
  - {id: cliente-c, name: C, hot_shard: hot-0, tokens: [{token: token-c, scope: ingest}]}
"""
PROMETHEUS = """
global: {scrape_interval: 1h}
storage: {tsdb: {out_of_order_time_window: 48h}}
"""
COLLECTOR = """
extensions:
  health_check: {{endpoint: "{host}:{health}"}}
  vigia_auth: {{directory: {{file: "{folder}/customers.yaml"}}}}
  file_storage: {{directory: "{folder}/log"}}
receivers:
  otlp: {{protocols: {{http: {{endpoint: "{host}:{otlp}", auth: {{authenticator: vigia_auth}}}}}}}}
processors: {{batch: {{}}}}
exporters:
  prometheus: {{endpoint: "{host}:{pull}"}}
  prometheusremotewrite/hot-0: {{endpoint: "http://{host}:{hot0}/api/v1/write", retry_on_failure: {{initial_interval: 100ms, max_interval: 1s}}}}
  prometheusremotewrite/hot-1: {{endpoint: "http://{host}:{hot1}/api/v1/write", retry_on_failure: {{initial_interval: 100ms, max_interval: 1s}}}}
service:
  extensions: [health_check, vigia_auth, file_storage]
  telemetry: {{metrics: {{address: "{host}:{metrics}"}}}}
  pipelines:
    metrics: {{receivers: [otlp], processors: [batch], exporters: [prometheus, prometheusremotewrite/hot-0, prometheusremotewrite/hot-1]}}
"""


class Exporting:
    """A collector with two hot shards. The second shard is started only by the test that needs it."""

    def __init__(self, folder: Path, prometheus: Path) -> None:
        self.folder = folder
        self.prometheus = prometheus
        self.host = own_host()
        self.port = {"health": 13133, "otlp": 4318, "pull": 8889, "hot0": 9090, "hot1": 9092, "metrics": 8888}
        self.running: dict[str, Running] = {}
        self.features = "native-histograms"
        self.version = ""
        (folder / "customers.yaml").write_text(DIRECTORY)
        (folder / "prometheus.yml").write_text(PROMETHEUS)
        (folder / "collector.yaml").write_text(COLLECTOR.format(folder=folder, host=self.host, **self.port))

    def start(self, *names: str) -> None:
        for name in names:
            if name == "collector":
                words = [str(binaries() / "vigia-collector"), "--config", str(self.folder / "collector.yaml")]
                command = Command(name, words, self.url("health", "/health"))
            else:
                words = [
                    str(self.prometheus),
                    f"--config.file={self.folder}/prometheus.yml",
                    f"--storage.tsdb.path={self.folder}/{name}",
                    f"--web.listen-address={self.host}:{self.port[name]}",
                    "--web.enable-remote-write-receiver",
                    f"--enable-feature={self.features}",
                ]
                command = Command(name, words, self.url(name, "/-/ready"))
            self.running[name] = Running(command, self.folder / f"{name}.log")
            self.running[name].wait_until_ready()

    def end(self) -> None:
        for running in self.running.values():
            running.end(9)

    def url(self, part: str, path: str) -> str:
        return f"http://{self.host}:{self.port[part]}{path}"

    def send(self, customer: str, *metrics: object) -> None:
        body = metrics_request(resource_of(customer), *metrics).SerializeToString()  # type: ignore[arg-type]
        answer = post(self.url("otlp", ""), TOKENS[customer], body)
        assert answer.status_code == 200, answer.text

    def values(self, part: str, expression: str) -> list[tuple[float, float]]:
        """Times and values of the one series that a range selector finds; none where there is no series."""
        found = requests.get(self.url(part, "/api/v1/query"), params={"query": expression}, timeout=5).json()
        result = found["data"]["result"]
        assert len(result) <= 1, result
        return [(float(t), float(v)) for t, v in result[0]["values"]] if result else []

    def books(self, customer: str, exporter: str) -> dict[str, float]:
        """The equation's terms of one customer's metrics at one exporter."""
        terms: dict[str, float] = {}
        for line in requests.get(self.url("metrics", "/metrics"), timeout=5).text.splitlines():
            match = re.match(r"vigia_items_(\w+?)(_total)?\{(.*)\} (\S+)$", line)
            labels = dict(re.findall(r'(\w+)="([^"]*)"', match[3])) if match else {}
            if match and labels["customer_id"] == customer and labels.get("exporter", exporter) == exporter:
                terms[match[1]] = terms.get(match[1], 0) + float(match[4])
        return terms

    def assert_balanced(self, customer: str, exporter: str) -> None:
        book = self.books(customer, exporter)
        left = book.get("queued_at_start", 0) + book.get("received", 0)
        right = sum(book.get(term, 0) for term in ("rejected", "filtered", "sent", "dropped", "queued"))
        assert left == right, book
        assert book["unexplained"] == 0, book


@pytest.fixture(params=prometheus_programs(), ids=lambda found: found[0])
def exporting(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Exporting]:
    assert ROOT.exists()
    made = Exporting(tmp_path, Path(request.param[1]))
    yield made
    made.end()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def test_only_what_is_bad_is_set_aside(exporting: Exporting) -> None:
    exporting.start("hot0", "collector")
    now = _now_ms()
    exporting.send("cliente-a", gauge("probe_conflict", [(now - 5000, 1.0)]))
    wait_for("the first value", lambda: exporting.values("hot0", "probe_conflict[1m]"))
    good = [gauge(f"probe_good_{n}", [(now, float(n))]) for n in range(40)]
    bad = [gauge("probe_conflict", [(now - 5000, 2.0)]), gauge("probe_old", [(now - 90 * 86_400_000, 3.0)])]
    exporting.send("cliente-a", *good[:11], bad[0], *good[11:30], bad[1], *good[30:])

    for n in (0, 10, 11, 29, 30, 39):
        found = wait_for(f"good sample {n}", lambda n=n: exporting.values("hot0", f"probe_good_{n}[5m]"), 20)  # type: ignore[misc]
        assert found == [(now / 1000, float(n))]
    assert exporting.values("hot0", "probe_conflict[5m]") == [((now - 5000) / 1000, 1.0)]

    exporter = "prometheusremotewrite/hot-0"
    wait_for("nothing waits", lambda: exporting.books("cliente-a", exporter).get("queued") == 0)
    book = exporting.books("cliente-a", exporter)
    assert (book["received"], book["sent"], book["dropped"]) == (43, 41, 2)
    exporting.assert_balanced("cliente-a", exporter)
    letters = (exporting.folder / "log" / "dead-letters" / "prometheusremotewrite~hot-0.jsonl").read_text().splitlines()
    contents = [json.loads(line)["content"] for line in letters]
    assert sorted(re.match(r"\w+", content)[0] for content in contents) == ["probe_conflict", "probe_old"]  # type: ignore[index]
    assert all('customer_id="cliente-a"' in content for content in contents)


def test_a_flood_of_old_data_holds_nobody_up(exporting: Exporting) -> None:
    exporting.start("hot0", "collector")
    now = _now_ms()
    exporting.send("cliente-c", gauge("probe", [(now - 1000, 0.0)]))
    wait_for("a first sample", lambda: exporting.values("hot0", "probe[1m]"))
    month_ago = now - 30 * 86_400_000
    for request in range(40):
        times = range(month_ago + request * 500_000, month_ago + (request + 1) * 500_000, 1000)
        exporting.send("cliente-a", gauge("flood", [(time_ms, 1.0) for time_ms in times]))
    exporting.send("cliente-c", gauge("probe", [(now, 1.0)]))
    began = time.monotonic()
    wait_for("the neighbour's sample", lambda: len(exporting.values("hot0", "probe[1m]")) == 2, 10)
    assert time.monotonic() - began < 10
    exporter = "prometheusremotewrite/hot-0"
    wait_for("nothing waits", lambda: exporting.books("cliente-a", exporter).get("queued") == 0)
    assert exporting.books("cliente-a", exporter)["dropped"] == 20_000
    for customer in ("cliente-a", "cliente-c"):
        exporting.assert_balanced(customer, exporter)


def test_each_customer_goes_to_its_shard(exporting: Exporting) -> None:
    exporting.start("hot0", "hot1", "collector")
    now = _now_ms()
    exporting.send("cliente-a", gauge("probe", [(now, 1.0)]))
    exporting.send("cliente-b", gauge("probe", [(now, 2.0)]))
    # `values` fails where a second series, the other customer's, is there too.
    assert wait_for("a's sample", lambda: exporting.values("hot0", "probe[1m]")) == [(now / 1000, 1.0)]
    assert wait_for("b's sample", lambda: exporting.values("hot1", "probe[1m]")) == [(now / 1000, 2.0)]
    for part, shard in (("hot0", "hot-0"), ("hot1", "hot-1")):
        expression = f'vigia_hot_heartbeat{{shard="{shard}"}}[10m]'
        beats = wait_for("a heartbeat", lambda p=part, e=expression: exporting.values(p, e))  # type: ignore[misc]
        assert all(t % 60 == 0 for t, _ in beats)
    page = requests.get(exporting.url("pull", "/metrics"), timeout=5).text
    assert re.search(r'^probe\{.*customer_id="cliente-b".*\} 2$', page, re.MULTILINE)
    for customer, exporter in (("cliente-a", "hot-0"), ("cliente-b", "hot-1")):
        exporting.assert_balanced(customer, f"prometheusremotewrite/{exporter}")
        exporting.assert_balanced(customer, "prometheus")


# R-EXP-6.
def test_a_shard_that_is_down_keeps_no_other_waiting(exporting: Exporting) -> None:
    exporting.start("hot1", "collector")
    now = _now_ms()
    exporting.send("cliente-a", gauge("probe", [(now, 1.0)]))
    exporting.send("cliente-b", gauge("probe", [(now, 2.0)]))
    found = wait_for("b's sample", lambda: exporting.values("hot1", "probe[1m]"), 20)
    assert found == [(now / 1000, 2.0)]
    page = wait_for("a's on the exposition", lambda: _exposed(exporting, "cliente-a"), 20)
    assert page == ["1"]
    assert exporting.books("cliente-a", "prometheusremotewrite/hot-0")["queued"] == 1


def _exposed(exporting: Exporting, customer: str) -> list[str]:
    page = requests.get(exporting.url("pull", "/metrics"), timeout=5).text
    return re.findall(rf'^probe\{{.*customer_id="{customer}".*\}} (\S+)$', page, re.MULTILINE)


# R-RW-2, R-RW-3: in order and whole over an outage.
def test_a_shard_that_is_down_costs_nothing(exporting: Exporting) -> None:
    exporting.start("hot0", "collector")
    start = _now_ms() - 60_000
    sent: list[tuple[float, float]] = []

    def send_some(count: int) -> None:
        for _ in range(count):
            number = len(sent)
            sent.append((start / 1000 + number / 10, float(number)))
            exporting.send("cliente-a", gauge("probe", [(start + number * 100, float(number))]))

    send_some(20)
    exporting.running["hot0"].end(9)
    send_some(40)
    exporting.running["collector"].end(9)
    exporting.start("collector")
    send_some(40)
    assert exporting.books("cliente-a", "prometheusremotewrite/hot-0")["queued_at_start"] >= 40
    exporting.start("hot0")
    send_some(20)

    def all_there() -> bool:
        found = exporting.values("hot0", "probe[10m]")
        assert len(found) == len(sent), len(found)
        return True

    wait_for("all samples", all_there, 30)
    assert [value for _, value in exporting.values("hot0", "probe[10m]")] == [value for _, value in sent]
    exporter = "prometheusremotewrite/hot-0"
    wait_for("nothing waits", lambda: exporting.books("cliente-a", exporter).get("queued") == 0)
    exporting.assert_balanced("cliente-a", exporter)
    assert exporting.books("cliente-a", exporter).get("dropped", 0) == 0


class SelfSigned:
    """A destination by TLS whose certificate nobody has signed."""

    def __init__(self, folder: Path) -> None:
        words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=elsewhere"]
        files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
        subprocess.run(words + files, check=True, capture_output=True)
        self.taken = taken = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(204)
                self.end_headers()
                taken.set()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer((own_host(), 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        host, port = self.server.server_address[:2]
        self.url = f"https://{host!s}:{port}"


def test_a_certificate_that_nobody_signed_is_taken_by_its_key_alone(tmp_path: Path) -> None:
    destination = SelfSigned(tmp_path)
    exporting = Exporting(tmp_path, prometheus_programs()[0][1])
    file = tmp_path / "collector.yaml"
    text = file.read_text().replace(f"http://{exporting.host}:{exporting.port['hot0']}", destination.url)
    try:
        file.write_text(text)
        exporting.start("collector")
        exporting.send("cliente-a", gauge("m", [(_now_ms(), 1.0)]))
        log = tmp_path / "collector.log"
        wait_for("it is refused", lambda: "certificate" in log.read_text(), 15)
        assert not destination.taken.is_set()
        exporting.running["collector"].end()
        file.write_text(text.replace('/api/v1/write", ', '/api/v1/write", tls: {insecure_skip_verify: true}, '))
        exporting.start("collector")
        assert destination.taken.wait(15), "what waited is sent"
    finally:
        exporting.end()
        destination.server.shutdown()
