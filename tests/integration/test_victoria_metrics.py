"""VictoriaMetrics at both ends: as a destination of the collector, and its vmagent as a sender to the collector's receiver of remote
write. What it keeps is what a Prometheus at the same place keeps."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from collector_lanes import COLD, HOT, now_ms
from launcher import parts
from launcher.commands import Command
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_CUMULATIVE, Metric
from otlp import gauge
from stack import Running, wait_for
from test_remote_write_in import Answers, Site

VICTORIA = 8428
Samples = dict[tuple[tuple[str, str], ...], list[tuple[int, float]]]  # by labels: times in milliseconds, values
SCRAPES = """
global: {{scrape_interval: 1s}}
scrape_configs: [{{job_name: app, static_configs: [{{targets: ["{host}:9291"]}}]}}]
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    try:
        yield made
    finally:
        made.end()


def _start_victoria(site: Site) -> None:
    words = [str(parts.program("victoria-metrics")), f"-storageDataPath={site.folder}/victoria"]
    words += [f"-httpListenAddr={site.host}:{VICTORIA}", "-search.latencyOffset=0s", "-retentionPeriod=1y"]
    command = Command("victoria", words, f"http://{site.host}:{VICTORIA}/health", env={})
    site.running["victoria"] = Running(command, site.folder / "victoria.log")
    site.running["victoria"].wait_until_ready()


def _start_vmagent(site: Site, token: str) -> None:
    """Writes to the collector, and beside it to VictoriaMetrics what it has scraped."""
    (site.folder / "scrapes.yml").write_text(SCRAPES.format(host=site.host))
    words = [str(parts.vmagent()), f"-promscrape.config={site.folder}/scrapes.yml", f"-httpListenAddr={site.host}:8429"]
    words += [f"-remoteWrite.tmpDataPath={site.folder}/vmagent", "-remoteWrite.flushInterval=500ms"]
    words += [f"-remoteWrite.url=http://{site.host}:9201/api/v1/write", f"-remoteWrite.bearerToken={token}"]
    words += [f"-remoteWrite.url=http://{site.host}:{VICTORIA}/api/v1/write", "-remoteWrite.bearerToken=none"]
    command = Command("vmagent", words, f"http://{site.host}:8429/health", env={})
    site.running["vmagent"] = Running(command, site.folder / "vmagent.log")
    site.running["vmagent"].wait_until_ready()


def _metrics(step: int) -> list[Metric]:
    """Of each kind that a store without native histograms keeps."""
    time_ns = now_ms() * 1_000_000
    requests_total = Metric(name="requests", unit="1")
    requests_total.sum.is_monotonic = True
    requests_total.sum.aggregation_temporality = AGGREGATION_TEMPORALITY_CUMULATIVE
    requests_total.sum.data_points.add(time_unix_nano=time_ns, start_time_unix_nano=time_ns - 10**9, as_int=step)
    seconds = Metric(name="answer", unit="s")
    seconds.histogram.aggregation_temporality = AGGREGATION_TEMPORALITY_CUMULATIVE
    seconds.histogram.data_points.add(
        time_unix_nano=time_ns,
        start_time_unix_nano=time_ns - 10**9,
        count=3 * step,
        sum=1.5 * step,
        bucket_counts=[step, step, step],
        explicit_bounds=[0.1, 1.0],
    )
    quantiles = Metric(name="size", unit="By")
    point = quantiles.summary.data_points.add(time_unix_nano=time_ns, count=step, sum=0.1 * step)
    point.quantile_values.add(quantile=0.99, value=step / 3)
    values = {"tenth": 0.1 * step, "large": 1e300, "small": 2.5e-10, "negative": -0.0}
    gauges = [gauge("level", [(time_ns // 1_000_000, value)], {"of": of}) for of, value in values.items()]
    return [requests_total, seconds, quantiles, *gauges]


def _samples(answers: Answers) -> Samples:
    return {
        labels: [(round(float(at) * 1000), float(value)) for at, value in values or []]
        for labels, (values, _) in answers.items()
    }


def _are_equal(left: Samples, right: Samples) -> bool:
    """VictoriaMetrics keeps decimals, of some twelve digits: 0.30000000000000004 is 0.3 there."""
    if left.keys() != right.keys():
        return False
    pairs = [pair for key in left for pair in zip(left[key], right[key], strict=False)]
    return all(len(left[key]) == len(right[key]) for key in left) and all(
        at == other_at and math.isclose(value, other, rel_tol=1e-11) for (at, value), (other_at, other) in pairs
    )


def _await_equal(site: Site, everything: str, series_min: int, samples_min: int) -> None:
    """VictoriaMetrics and hot have the same series, times and values."""
    at = time.time()
    last: list[Samples] = []

    def is_equal() -> bool:
        last[:] = [_samples(site.ask(port, everything, at)) for port in (9090, VICTORIA)]
        return _are_equal(last[0], last[1]) and len(last[0]) >= series_min

    try:
        wait_for("both have the same", is_equal, 60, every=1)
    except AssertionError:
        hot, victoria = last
        unlike = {key: (hot.get(key), victoria.get(key)) for key in hot | victoria if hot.get(key) != victoria.get(key)}
        pytest.fail(
            f"{len(unlike)} of {len(hot)} and {len(victoria)} series differ, such as {list(unlike.items())[:2]}"
        )
    assert all(len(samples) >= samples_min for samples in last[0].values())


def test_victoria_metrics_takes_what_the_collector_sends(site: Site) -> None:
    site.configure(exporters=f"{HOT}, {COLD}", cold=f"http://{site.host}:{VICTORIA}")
    _start_victoria(site)
    site.start("hot", parts.program("prometheus-3"))
    site.start("collector")
    for step in range(1, 6):
        site.send_metrics("cliente-a", *_metrics(step))
    for exporter in (HOT, COLD):
        assert site.settle("cliente-a", exporter).get("dropped", 0) == 0
    # A counter, a histogram's five, a summary's three, four gauges.
    _await_equal(site, '{__name__=~"requests.*|answer.*|size.*|level"}[5m]', 13, 5)


def test_a_vmagent_writes_to_the_collector(site: Site) -> None:
    _start_victoria(site)
    site.start("hot", parts.program("prometheus-3"))
    site.start("collector")
    _start_vmagent(site, "token-a")
    wait_for("some scrapes", lambda: site.application.scrapes >= 6, 60)
    site.kill("vmagent")
    # NaN is nothing that VictoriaMetrics keeps.
    _await_equal(site, '{job="app",place!="nowhere",__name__!~"scrape_.*"}[5m]', 8, 3)
    assert site.ask(9090, 'app_temperature{place="nowhere"}[5m]', time.time())
    books = site.settle("cliente-a", HOT)
    assert books.get("rejected", 0) == books.get("dropped", 0) == 0


def test_a_vmagent_with_another_token_is_told(site: Site) -> None:
    _start_victoria(site)
    site.start("hot", parts.program("prometheus-3"))
    site.start("collector")
    _start_vmagent(site, "nobody")
    wait_for("it tells", lambda: "401" in (site.folder / "vmagent.log").read_text(errors="replace"), 30)
    assert site.count('{__name__=~"app_.*"}') == 0
