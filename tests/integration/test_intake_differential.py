"""Intake takes nothing that a hot store refuses for ever: its verdicts beside those of real Prometheus servers (D01).

Histograms are generated from a seed, VIGIA_SEED or the one below; each goes to the collector by OTLP and, as the native
histogram that it is, straight to Prometheus 2.42 and 3.x. What the collector then sends goes to both servers, too.
"""

from __future__ import annotations

import math
import os
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import remote_write
import requests
from launcher.commands import Command
from launcher.layout import own_host
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AGGREGATION_TEMPORALITY_CUMULATIVE,
    ExponentialHistogramDataPoint,
    HistogramDataPoint,
    Metric,
    SummaryDataPoint,
)
from otlp import metrics_request, post, rejected_points, resource_of
from stack import Running, binaries, prometheus_programs, wait_for

SEED = int(os.environ.get("VIGIA_SEED", "20260601"))
CASES = int(os.environ.get("VIGIA_CASES", "250"))
PROMETHEUS = """
global: {scrape_interval: 1h}
storage: {tsdb: {out_of_order_time_window: 48h}}
"""
COLLECTOR = """
extensions:
  health_check: {{endpoint: "{host}:13133"}}
  vigia_auth: {{directory: {{file: "{folder}/customers.yaml"}}}}
  file_storage: {{directory: "{folder}/log"}}
receivers:
  otlp: {{protocols: {{http: {{endpoint: "{host}:4318", auth: {{authenticator: vigia_auth}}}}}}}}
exporters:
  prometheusremotewrite/hot-0: {{endpoint: "http://{host}:9000/api/v1/write"}}
service:
  extensions: [health_check, vigia_auth, file_storage]
  telemetry: {{metrics: {{address: "{host}:8888"}}}}
  pipelines: {{metrics: {{receivers: [otlp], exporters: [prometheusremotewrite/hot-0]}}}}
"""
DIRECTORY = "customers: [{id: cliente-a, name: A, hot_shard: hot-0, tokens: [{token: token-a, scope: ingest}]}]\n"


@dataclass(frozen=True)
class Case:
    """One exponential histogram point of OTLP. A sum of None is left out."""

    scale: int = 0
    count: int = 0
    zero_count: int = 0
    zero_threshold: float = 0
    sum: float | None = 0
    positive_offset: int = 0
    positive: tuple[int, ...] = ()
    negative_offset: int = 0
    negative: tuple[int, ...] = ()

    def otlp(self, name: str, time_ms: int) -> Metric:
        point = ExponentialHistogramDataPoint(
            time_unix_nano=time_ms * 1_000_000,
            scale=self.scale,
            count=self.count,
            zero_count=self.zero_count,
            zero_threshold=self.zero_threshold,
        )
        if self.sum is not None:
            point.sum = self.sum
        point.positive.offset, point.negative.offset = self.positive_offset, self.negative_offset
        point.positive.bucket_counts.extend(self.positive)
        point.negative.bucket_counts.extend(self.negative)
        metric = Metric(name=name)
        metric.exponential_histogram.aggregation_temporality = AGGREGATION_TEMPORALITY_CUMULATIVE
        metric.exponential_histogram.data_points.append(point)
        return metric

    def native(self) -> remote_write.Histogram:
        """Scales up to 8 alone: each bucket is one of Prometheus', whose index is one more."""
        return remote_write.Histogram(
            count=self.count,
            sum=math.nan if self.sum is None else self.sum,
            schema=self.scale,
            zero_threshold=self.zero_threshold or 1e-128,
            zero_count=self.zero_count,
            positive=(self.positive_offset + 1, self.positive),
            negative=(self.negative_offset + 1, self.negative),
        )


def _generated(chance: random.Random) -> Case:
    """Sound, or broken in one of the ways in which senders break them."""

    def buckets() -> tuple[int, ...]:
        return tuple(chance.choice((0, 0, 1, 2, 7, 100, 10**12)) for _ in range(chance.choice((0, 0, 1, 3, 20))))

    made = Case(
        scale=chance.randint(-4, 8),
        zero_count=chance.choice((0, 0, 1, 5)),
        zero_threshold=chance.choice((0, 0, 1e-6, 0.5)),
        sum=chance.choice((0.0, 1.5, -3.0, 1e300, math.nan, math.inf, None)),
        positive_offset=chance.randint(-300, 300),
        positive=buckets(),
        negative_offset=chance.randint(-300, 300),
        negative=buckets(),
    )
    made = replace(made, count=sum(made.positive) + sum(made.negative) + made.zero_count)
    broken = chance.randint(0, 9)
    if broken == 0:
        return replace(made, count=made.count + chance.choice((1, 1000)))
    if broken == 1:
        return replace(made, count=max(0, made.count - chance.choice((1, 2, 1000))))
    if broken == 2:
        return replace(made, zero_count=made.count + 1)
    if broken == 3:
        return replace(made, count=0)
    if broken == 4:
        return replace(made, positive=(), negative=())
    return made


@dataclass
class Servers:
    """Two Prometheus servers, and a collector whose remote write goes to both through us."""

    host: str
    urls: dict[str, str]
    running: list[Running] = field(default_factory=list)
    forwarded: list[tuple[str, int, str]] = field(default_factory=list)  # version, status, text
    requests_seen: int = 0

    def verdicts(self, name: str, case: Case, time_ms: int) -> dict[str, bool]:
        found = {}
        for version, url in self.urls.items():
            answer = remote_write.post_histogram(url, {"__name__": name}, case.native(), time_ms)
            assert answer.status_code in (200, 204, 400, 500), answer.text
            found[version] = answer.status_code in (200, 204)
        return found

    def is_taken(self, metric: Metric) -> bool:
        body = metrics_request(resource_of("cliente-a"), metric).SerializeToString()
        answer = post(f"http://{self.host}:4318", "token-a", body)
        assert answer.status_code == 200, answer.text
        return rejected_points(answer) == 0

    def wait_until_sent(self) -> None:
        def is_empty() -> bool:
            text = requests.get(f"http://{self.host}:8888/metrics", timeout=5).text
            waiting = [line for line in text.splitlines() if line.startswith("vigia_items_queued{")]
            return bool(waiting) and all(line.endswith(" 0") for line in waiting)

        wait_for("all is sent", is_empty, 30)


def _forwarder(servers: Servers) -> ThreadingHTTPServer:
    class Forward(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # noqa: N802 (the base class names it so)
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers["X-Prometheus-Remote-Write-Version"] == "2.0.0":  # 2.42 would take it for empty
                self.send_response(415)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            kept = ("Content-Type", "Content-Encoding", "X-Prometheus-Remote-Write-Version")
            headers = {name: self.headers[name] for name in kept}
            for version, url in servers.urls.items():
                answer = requests.post(f"{url}/api/v1/write", data=body, headers=headers, timeout=10)
                servers.forwarded.append((version, answer.status_code, answer.text))
            self.send_response(204)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class names it so)
            """Answers are remembered, not printed."""

    return ThreadingHTTPServer((servers.host, 9000), Forward)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    folder = tmp_path_factory.mktemp("differential")
    host = own_host()
    made = Servers(host, {})
    forwarder = _forwarder(made)
    threading.Thread(target=forwarder.serve_forever, daemon=True).start()
    try:
        _start(made, folder)
        yield made
    finally:
        for running in made.running:
            running.end(9)
        forwarder.shutdown()
        forwarder.server_close()


def _start(made: Servers, folder: Path) -> None:
    (folder / "prometheus.yml").write_text(PROMETHEUS)
    (folder / "customers.yaml").write_text(DIRECTORY)
    (folder / "collector.yaml").write_text(COLLECTOR.format(folder=folder, host=made.host))
    for port, (version, program) in enumerate(prometheus_programs(), 9090):
        url = f"http://{made.host}:{port}"
        words = [
            str(program),
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/{version}",
            f"--web.listen-address={made.host}:{port}",
            "--web.enable-remote-write-receiver",
            "--enable-feature=native-histograms",
        ]
        made.running.append(Running(Command(version, words, f"{url}/-/ready"), folder / f"{version}.log"))
        made.urls[version] = url
    # Before the collector, whose first heartbeat would be refused by one that is not ready.
    for running in made.running:
        running.wait_until_ready()
    words = [str(binaries() / "vigia-collector"), "--config", str(folder / "collector.yaml")]
    made.running.append(Running(Command("collector", words, f"http://{made.host}:13133/health"), folder / "c.log"))
    made.running[-1].wait_until_ready()


def _assert_what_was_sent_is_taken(servers: Servers) -> None:
    servers.wait_until_sent()
    refused = [one for one in servers.forwarded if one[1] not in (200, 204)]
    assert servers.forwarded
    assert not refused, f"seed {SEED}: {refused[:3]}"


def test_the_verdict_on_a_native_histogram_is_that_of_both_versions(servers: Servers) -> None:
    chance = random.Random(SEED)
    now_ms = time.time_ns() // 1_000_000
    taken = 0
    for number in range(CASES):
        case = _generated(chance)
        theirs = servers.verdicts(f"straight_{number}", case, now_ms)
        ours = servers.is_taken(case.otlp(f"probe_{number}", now_ms))
        assert ours == all(theirs.values()), f"seed {SEED}, case {number}: ours {ours}, theirs {theirs}: {case}"
        taken += ours
    assert CASES * 0.3 < taken < CASES * 0.9, "the set holds both kinds"
    _assert_what_was_sent_is_taken(servers)


def test_named_cases_of_histograms_that_senders_break(servers: Servers) -> None:
    large = 1 << 62
    now_ms = time.time_ns() // 1_000_000
    broken = {
        "count under the buckets (d01.json)": Case(scale=3, count=10, sum=50, positive=(10, 10, 7)),
        "count over the buckets": Case(count=28, sum=50, positive=(10, 10, 7)),
        "zero_count over count": Case(count=3, zero_count=5),
        "count 0 with buckets": Case(count=0, positive=(1,)),
        "count without any bucket": Case(count=7, sum=1),
        "sum NaN, count under the buckets": Case(count=5, sum=math.nan, positive=(6,)),
        "sums past 64 bits": Case(count=0, zero_count=large, positive=(large, large), negative=(large,)),
    }
    for number, (what, case) in enumerate(broken.items()):
        assert not servers.is_taken(case.otlp(f"broken_{number}", now_ms)), what
        if max(case.positive, default=0) < large:
            assert not all(servers.verdicts(f"broken_straight_{number}", case, now_ms).values()), what
    fine = Case(scale=20, count=6, sum=1, positive_offset=-1000, positive=(1, 2, 3))  # merged down to schema 8
    assert servers.is_taken(fine.otlp("fine_scale", now_ms))
    assert servers.is_taken(Case(count=7, sum=None, positive=(6,)).otlp("fine_without_sum", now_ms))
    _assert_what_was_sent_is_taken(servers)


@pytest.mark.parametrize("threshold", [math.nan, math.inf, -math.inf, -1.0])
def test_a_zero_threshold_that_is_no_width_is_refused(servers: Servers, threshold: float) -> None:
    """Prometheus takes NaN, and then merges it with another threshold for ever: a query without an end."""
    now_ms = time.time_ns() // 1_000_000
    bad = Case(scale=3, count=6, sum=1, positive=(1, 2, 3), zero_threshold=threshold)
    assert not servers.is_taken(bad.otlp("bad_threshold", now_ms))


def test_classic_histograms_and_summaries_that_are_taken_are_taken_by_both(servers: Servers) -> None:
    chance = random.Random(SEED)
    now_ms = time.time_ns() // 1_000_000
    verdicts = set()
    for number in range(CASES // 2):
        bounds = sorted(chance.sample((-math.inf, -1.0, 0.0, -0.0, 0.5, 1.0, 1.0, 2.5, math.inf), chance.randint(0, 6)))
        point = HistogramDataPoint(
            time_unix_nano=now_ms * 1_000_000,
            count=chance.randint(0, 9),
            sum=chance.choice((0.0, -1.0, math.nan, math.inf)),
            explicit_bounds=bounds,
            bucket_counts=[chance.randint(0, 3) for _ in range(len(bounds) + 1)],
        )
        classic = Metric(name=f"classic_{number}")
        classic.histogram.aggregation_temporality = AGGREGATION_TEMPORALITY_CUMULATIVE
        classic.histogram.data_points.append(point)
        summary = Metric(name=f"summary_{number}")
        quantiles = [chance.choice((0.0, 0.5, 0.9, 1.0, math.nan)) for _ in range(chance.randint(0, 3))]
        summary.summary.data_points.append(
            SummaryDataPoint(
                time_unix_nano=now_ms * 1_000_000,
                quantile_values=[
                    SummaryDataPoint.ValueAtQuantile(quantile=quantile, value=chance.random()) for quantile in quantiles
                ],
            )
        )
        verdicts.add(servers.is_taken(classic))
        verdicts.add(servers.is_taken(summary))
    assert verdicts == {True, False}, "the set holds both kinds"
    _assert_what_was_sent_is_taken(servers)
