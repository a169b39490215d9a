"""A customer's own Prometheus writes to the collector: what hot and cold answer is what the source itself answers.
C21, R-RW-4 to R-RW-6."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from collector_lanes import COLD, HOT, Lanes, now_ms
from launcher import parts
from launcher.commands import Command
from remote_write import one_sample, snappy, unpack, varint
from stack import Running, wait_for

FORM_1 = "prometheus.WriteRequest"
FORM_2 = "io.prometheus.write.v2.Request"
RECEIVER = """receivers:
  prometheusremotewrite: {{endpoint: "{host}:9201", auth: {{authenticator: vigia_auth}}}}
"""
SOURCE = """
global: {{scrape_interval: 1s{external}}}
scrape_configs:
  - {{job_name: self, static_configs: [{{targets: ["{host}:9290"]}}]}}
  - {{job_name: app, static_configs: [{{targets: ["{host}:9291"]}}]{classic}}}
remote_write:
  - url: http://{host}:9201/api/v1/{path}
    authorization: {{credentials: {token}}}
    send_exemplars: true
    send_native_histograms: true
    queue_config: {{batch_send_deadline: 1s, max_samples_per_send: 500}}
{form}"""
COLD_READER = """
remote_read: [{{url: "http://{host}:9096/api/v1/read", read_recent: true, authorization: {{credentials: secret}}}}]
"""
SHOWN = """# TYPE app_requests counter
app_requests_total{{path="/a\\\\b\\"c",status="200"}} {number} # {{trace_id="{number:032x}"}} 1.5
# TYPE app_temperature gauge
app_temperature{{place="north"}} -0.1
app_temperature{{place="nowhere"}} NaN
app_temperature{{place="sun"}} +Inf
# TYPE app_seconds histogram
app_seconds_bucket{{le="0.1"}} {number}
app_seconds_bucket{{le="1.0"}} {number}
app_seconds_bucket{{le="+Inf"}} {number}
app_seconds_sum {number}
app_seconds_count {number}
# EOF
"""
Answers = dict[tuple[tuple[str, str], ...], Any]


class Application:
    """What a Prometheus scrapes; another value each time."""

    def __init__(self, host: str) -> None:
        self.scrapes = 0
        application = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                application.scrapes += 1
                body = SHOWN.format(number=application.scrapes).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/openmetrics-text; version=1.0.0; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer((host, 9291), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def end(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Site(Lanes):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.application = Application(self.host)
        self.configure(exporters=f"{HOT}, {COLD}")
        text = (folder / "collector.yaml").read_text()
        text = text.replace("receivers:\n", RECEIVER.format(host=self.host), 1)
        text = text.replace("metrics: {receivers: [otlp]", "metrics: {receivers: [otlp, prometheusremotewrite]", 1)
        (folder / "collector.yaml").write_text(text)

    def start_prometheus(self, name: str, program: Path, port: int, config: str) -> None:
        path = self.folder / f"{name}.yml"
        path.write_text(config)
        words = [str(program), f"--config.file={path}", f"--storage.tsdb.path={self.folder}/{name}"]
        words += [f"--web.listen-address={self.host}:{port}", "--enable-feature=native-histograms,exemplar-storage"]
        ready = f"http://{self.host}:{port}/-/ready"
        self.running[name] = Running(Command(name, words, ready, env={}), self.folder / f"{name}.log")
        self.running[name].wait_until_ready()

    def start_source(self, program: Path, **settings: str) -> None:
        config = SOURCE.format(
            host=self.host,
            **{"external": "", "classic": "", "path": "write", "form": "", "token": "token-a"} | settings,
        )
        self.start_prometheus("source", program, 9290, config)

    def ask(self, port: int, expression: str, at: float) -> Answers:
        """By label set without the customer."""
        answer = requests.get(
            f"http://{self.host}:{port}/api/v1/query", params={"query": expression, "time": str(at)}, timeout=30
        )
        assert answer.status_code == 200, answer.text
        found: Answers = {}
        for series in answer.json()["data"]["result"]:
            labels = dict(series["metric"])
            assert labels.pop("customer_id", "cliente-a") == "cliente-a"
            found[tuple(sorted(labels.items()))] = (series.get("values"), series.get("histograms"))
        return found

    def post(self, body: bytes, token: str = "token-a", path: str = "write", **headers: str) -> requests.Response:
        sent = {
            "Content-Type": "application/x-protobuf",
            "Content-Encoding": "snappy",
            "Authorization": f"Bearer {token}",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return requests.post(f"http://{self.host}:9201/api/v1/{path}", data=body, headers=sent, timeout=10)

    def end(self) -> None:
        super().end()
        self.application.end()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    try:
        yield made
    finally:
        made.end()


def _start(site: Site, hot: str) -> None:
    site.start("storage")
    site.start("hot", parts.program(hot))
    site.start("collector")


def _has_scraped(site: Site, scrapes: int) -> bool:
    return site.application.scrapes >= scrapes


def _has_ended(site: Site, port: int) -> bool:
    return not site.ask(port, "app_temperature", time.time())


FORM = "    protobuf_message: {}\n"
NHCB = ", convert_classic_histograms_to_nhcb: true"


def _await_equal(site: Site, everything: str, at: float, wanted: Answers) -> None:
    """Hot, and a Prometheus that reads from cold, answer that at that time."""
    site.start_prometheus("reader", parts.program("prometheus-3"), 9292, COLD_READER.format(host=site.host))
    for port in (9090, 9292):
        last: list[Answers] = []

        def is_there(port: int = port, last: list[Answers] = last) -> bool:
            last[:] = [site.ask(port, everything, at)]
            return last[0].keys() >= wanted.keys() and last[0] == wanted

        try:
            wait_for(f"{port} answers as the source does", is_there, 60, every=1)
        except AssertionError:
            differing = {key: (value, last[0].get(key)) for key, value in wanted.items() if last[0].get(key) != value}
            pytest.fail(f"{port}: {len(differing)} of {len(wanted)} differ, such as {list(differing.items())[:3]}")


@pytest.mark.parametrize(
    ("source", "hot", "settings"),
    [
        pytest.param("prometheus-3", "prometheus-3", {"form": FORM.format(FORM_2), "classic": NHCB}, id="3.x by 2.0"),
        pytest.param("prometheus-3", "prometheus-3", {"form": FORM.format(FORM_1), "path": "push"}, id="3.x by 1.0"),
        pytest.param("prometheus-2", "prometheus-2", {}, id="2.42"),
    ],
)
def test_hot_and_cold_answer_as_the_source_does(site: Site, source: str, hot: str, settings: dict[str, str]) -> None:
    _start(site, hot)
    site.start_source(parts.program(source), **settings)
    wait_for("some scrapes", lambda: site.application.scrapes >= 6, 60)
    at = time.time()
    everything = '{job=~"self|app"}[1m]'
    wanted = site.ask(9290, everything, at)
    names = {dict(labels)["__name__"] for labels in wanted}
    assert {"up", "scrape_duration_seconds", "app_requests_total", "app_temperature"} <= names
    if source == "prometheus-3":
        assert any(histograms for _, histograms in wanted.values()), "the source has native histograms"
    _await_equal(site, everything, at, wanted)
    books = site.books("cliente-a", COLD)
    assert books.get("rejected", 0) == books.get("dropped", 0) == 0
    failed = site.ask(9290, "prometheus_remote_storage_samples_failed_total[1m]", time.time())
    assert all(float(values[-1][1]) == 0 for values, _ in failed.values())
    # Exemplars, which come apart from the samples.
    answer = requests.get(
        f"http://{site.host}:9096/api/v1/exemplars",
        params={"matcher": "__name__=app_requests_total"},
        headers={"Authorization": "Bearer secret", "X-Vigia-Customer": "cliente-a"},
        timeout=10,
    )
    [series] = answer.json()["data"]
    assert series["exemplars"][0]["labels"] == {"trace_id": f"{1:032x}"}
    # R-RW-4: what ends at the source ends here, and not five minutes later.
    site.application.end()
    wait_for("it has ended at the source", partial(_has_ended, site, 9290), 30)
    for port in (9090, 9292):
        wait_for("it has ended here", partial(_has_ended, site, port), 30)


# Answered is on disk; what was not answered is sent again, and a repeat does no harm (R-RW-6).
def test_a_kill_in_the_middle_loses_and_doubles_nothing(site: Site) -> None:
    _start(site, "prometheus-3")
    site.start_source(parts.program("prometheus-3"), form=FORM.format(FORM_2))
    for scrapes in (4, 8):
        wait_for("some scrapes", partial(_has_scraped, site, scrapes), 60)
        site.kill("collector")
        site.start("collector")
    wait_for("some more", lambda: site.application.scrapes >= 12, 60)
    everything, at = '{job="app"}[1m]', time.time()
    wanted = site.ask(9290, everything, at)
    assert len(wanted[next(key for key in wanted if ("__name__", "app_requests_total") in key)][0]) >= 10
    _await_equal(site, everything, at, wanted)


def test_a_foreign_token_and_label_reach_nobody(site: Site) -> None:
    _start(site, "prometheus-3")
    # Another customer's label, said by the whole Prometheus.
    site.start_source(parts.program("prometheus-3"), external=", external_labels: {customer_id: cliente-b}")
    wait_for("refusals", lambda: site.books("cliente-a", HOT).get("rejected", 0) > 100, 30)
    assert site.count('{customer_id="cliente-b"}') == 0
    assert site.books("cliente-a", HOT).get("sent", 0) == 0
    for name in ("customer.id", "customer-id", "customer_id"):
        answer = site.post(snappy(one_sample({"__name__": "forged", name: "cliente-a"}, now_ms(), 1)), token="token-b")
        assert answer.status_code == 403, answer.text
    for labels in (
        {"__name__": "vigia_hot_heartbeat", "shard": "hot-0"},
        {"__name__": "up", "job": "customer-agents", "node_id": "n"},
        {"__name__": "forged", "__rollup__": "1h:sum"},
        {"__name__": "ALERTS", "alertname": "CustomerNodeDown"},
    ):
        answer = site.post(snappy(one_sample(labels, now_ms(), 0)), token="token-b")
        assert (answer.status_code, "reserved" in answer.text) == (400, True), (labels, answer.text)
    assert site.count('{__name__=~"forged|up|ALERTS"}') == 0


def test_statuses_and_headers(site: Site) -> None:
    _start(site, "prometheus-3")
    good, bad = one_sample({"__name__": "good"}, now_ms(), 1), one_sample({"no_name": "x"}, now_ms(), 1)
    written = "X-Prometheus-Remote-Write-{}-Written"
    answer = site.post(snappy(good))
    assert (answer.status_code, answer.headers[written.format("Samples")]) == (204, "1")
    assert answer.headers[written.format("Histograms")] == answer.headers[written.format("Exemplars")] == "0"
    answer = site.post(snappy(good + bad), path="push")
    assert (answer.status_code, answer.headers[written.format("Samples")]) == (400, "1")
    assert "1 of 2 data points refused: 1 invalid (a series without a metric name)" in answer.text
    wait_for("the good one is there", lambda: site.count('good{customer_id="cliente-a"}') == 1)
    wanted = {
        "no token": (401, {"Authorization": ""}),
        "unknown token": (401, {"Authorization": "Bearer nobody"}),
        "3.0": (415, {"Content-Type": "application/x-protobuf;proto=io.prometheus.write.v3.Request"}),
        "json": (415, {"Content-Type": "application/json"}),
        "gzip": (415, {"Content-Encoding": "gzip"}),
        "zstd": (415, {"Content-Encoding": "zstd"}),
        "no coding": (415, {"Content-Encoding": ""}),
    }
    for name, (status, headers) in wanted.items():
        assert site.post(snappy(good), **headers).status_code == status, name
    as_2 = f"application/x-protobuf;proto={FORM_2}"
    bodies = {
        "not snappy": (400, b"\xff\xff\xff\xff\xff\xff"),
        "cut": (400, snappy(good)[:-2]),
        "not protobuf": (400, snappy(b"\x0a\x7f")),
        "a length that cannot be": (400, varint(1 << 32) + b"\x00"),
        "more than may be": (413, varint(17 << 20) + b"\x00" * (1 << 20)),
    }
    for name, (status, body) in bodies.items():
        for form in ("application/x-protobuf", as_2):
            answer = site.post(body, **{"Content-Type": form})
            assert answer.status_code == status, (name, form, answer.text)
    assert site.post(snappy(b"")).status_code == 204
    for symbols in (b"\x22\x01a", b"\x2a\x04\x0a\x02\x07\x08"):  # the first is not empty; a reference to nothing
        assert site.post(snappy(symbols), **{"Content-Type": as_2}).status_code == 400
    url = f"http://{site.host}:9201"
    headers = {"Authorization": "Bearer token-a"}
    assert requests.get(f"{url}/api/v1/write", headers=headers, timeout=10).status_code == 405
    assert requests.post(f"{url}/v1/metrics", headers=headers, timeout=10).status_code == 404
    # Snappy is no coding of OTLP: it is never passed on as it is.
    answer = requests.post(
        f"http://{site.host}:4318/v1/metrics",
        data=snappy(b""),
        headers=headers | {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"},
        timeout=10,
    )
    assert answer.status_code == 415
    assert unpack(snappy(good)) == good
