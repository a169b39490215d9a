"""What the collector makes of OTLP metrics, at real destinations: pages that Prometheus scrapes, and names in UTF-8."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from launcher import parts
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AGGREGATION_TEMPORALITY_CUMULATIVE,
    Exemplar,
    ExponentialHistogramDataPoint,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    SummaryDataPoint,
)
from otlp import attributes, gauge
from stack import prometheus_programs, wait_for
from test_exporters import Exporting

SCRAPES = """
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - {job_name: pull, honor_labels: true, static_configs: [{targets: ["HOST:8889"]}]}
"""


@pytest.fixture(params=prometheus_programs(), ids=lambda found: found[0])
def exporting(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Exporting]:
    made = Exporting(tmp_path, Path(request.param[1]))
    made.version = request.param[0]
    yield made
    made.end()


def all_kinds() -> list[Metric]:
    """One metric of each kind."""
    now = time.time_ns()
    exemplar = Exemplar(as_double=0.4, time_unix_nano=now, trace_id=b"t" * 16, span_id=b"s" * 8)
    counter = Metric(name="shop.orders", description='Orders\nof a \\ "shop"')
    counter.sum.is_monotonic = True
    counter.sum.aggregation_temporality = AGGREGATION_TEMPORALITY_CUMULATIVE
    counter.sum.data_points.append(NumberDataPoint(time_unix_nano=now, as_int=7, exemplars=[exemplar]))
    histogram = Metric(name="shop.duration", unit="s", description="How long")
    histogram.histogram.aggregation_temporality = AGGREGATION_TEMPORALITY_CUMULATIVE
    for zone in ("b", "a"):
        histogram.histogram.data_points.append(
            HistogramDataPoint(
                time_unix_nano=now,
                attributes=attributes({"zone": zone}),
                explicit_bounds=[0.5, 2, 10],
                bucket_counts=[1, 2, 3, 4],
                count=10,
                sum=30,
                exemplars=[exemplar],
            )
        )
    native = Metric(name="shop.size", unit="By")
    native.exponential_histogram.aggregation_temporality = AGGREGATION_TEMPORALITY_CUMULATIVE
    point = ExponentialHistogramDataPoint(time_unix_nano=now, count=6, sum=20, zero_count=1, exemplars=[exemplar])
    point.positive.bucket_counts.extend([2, 0, 3])
    native.exponential_histogram.data_points.append(point)
    summary = Metric(name="shop.wait", unit="s")
    values = [SummaryDataPoint.ValueAtQuantile(quantile=q, value=10 * q) for q in (0.99, 0.5)]
    summary.summary.data_points.append(SummaryDataPoint(time_unix_nano=now, count=3, sum=4.5, quantile_values=values))
    level = Metric(name="shop.level", unit="1")
    level.gauge.data_points.append(NumberDataPoint(time_unix_nano=now, as_double=0.5, exemplars=[exemplar]))
    return [counter, histogram, native, summary, level]


def ask(exporting: Exporting, part: str, expression: str) -> dict[str, float]:
    answer = requests.get(exporting.url(part, "/api/v1/query"), params={"query": expression}, timeout=5).json()
    found = {}
    for one in answer["data"]["result"]:
        labels = {k: v for k, v in one["metric"].items() if k in ("__name__", "le", "quantile", "zone")}
        found[" ".join(labels.values())] = float(one["value"][1])
    return found


def scraping(exporting: Exporting) -> None:
    (exporting.folder / "prometheus.yml").write_text(SCRAPES.replace("HOST", exporting.host))
    exporting.start("collector")
    # Whose remote write is of the other shard: this one has what it scrapes.
    exporting.send("cliente-b", *all_kinds())
    page = exporting.url("pull", "/metrics")
    wait_for("the page", lambda: "shop_wait_seconds_count" in requests.get(page, timeout=5).text)


# R-PM-7, R-PM-9, R-PM-11.
def test_a_prometheus_scrapes_every_kind(exporting: Exporting) -> None:
    scraping(exporting)
    exporting.start("hot0")
    wait_for("a scrape", lambda: ask(exporting, "hot0", "shop_orders_total"))
    assert ask(exporting, "hot0", "up") == {"up": 1}
    assert ask(exporting, "hot0", "shop_orders_total") == {"shop_orders_total": 7}
    assert ask(exporting, "hot0", "shop_level_ratio") == {"shop_level_ratio": 0.5}
    # 3.x writes `le` of a scrape as a number of its own, 2.42 as it came.
    buckets = ask(exporting, "hot0", 'shop_duration_seconds_bucket{zone="a"}')
    by_bound = {float(key.split()[1].replace("+Inf", "inf")): value for key, value in buckets.items()}
    assert by_bound == {0.5: 1, 2: 3, 10: 6, float("inf"): 10}
    assert ask(exporting, "hot0", 'shop_duration_seconds_sum{zone="b"}') == {"shop_duration_seconds_sum b": 30}
    sizes = ask(exporting, "hot0", "shop_size_bytes_bucket")
    assert sorted(sizes.values()) == [1, 1, 3, 3, 6, 6], sizes
    assert ask(exporting, "hot0", "histogram_quantile(0.5, shop_size_bytes_bucket)") == {"": 2}
    waits = ask(exporting, "hot0", "shop_wait_seconds")
    assert {float(key.split()[1]): value for key, value in waits.items()} == {0.5: 5, 0.99: 9.9}
    kinds = requests.get(exporting.url("hot0", "/api/v1/targets/metadata"), timeout=5).json()["data"]
    types = {one["metric"]: one["type"] for one in kinds}
    base = "shop_orders" if "shop_orders" in types else "shop_orders_total"
    expected = {base: "counter", "shop_duration_seconds": "histogram", "shop_size_bytes": "histogram"}
    expected |= {"shop_wait_seconds": "summary", "shop_level_ratio": "gauge"}
    assert expected.items() <= types.items()


def test_a_scrape_brings_exemplars(exporting: Exporting) -> None:
    scraping(exporting)
    exporting.features = "exemplar-storage"
    exporting.start("hot0")
    wait_for("a scrape", lambda: ask(exporting, "hot0", "shop_orders_total"))

    def kept() -> Any:
        window: dict[str, str | float] = {
            "query": '{__name__=~"shop_.+"}',
            "start": time.time() - 600,
            "end": time.time() + 60,
        }
        found = requests.get(exporting.url("hot0", "/api/v1/query_exemplars"), params=window, timeout=5).json()["data"]
        return {one["seriesLabels"]["__name__"]: one["exemplars"][0] for one in found}

    found = wait_for("exemplars", kept)
    assert set(found) == {"shop_orders_total", "shop_duration_seconds_bucket", "shop_size_bytes_bucket"}
    assert found["shop_orders_total"]["labels"] == {"trace_id": (b"t" * 16).hex(), "span_id": (b"s" * 8).hex()}
    assert float(found["shop_orders_total"]["value"]) == 0.4


def test_promtool_and_openmetrics_have_nothing_to_say_of_a_page(tmp_path: Path) -> None:
    exporting = Exporting(tmp_path, prometheus_programs()[0][1])
    try:
        scraping(exporting)
        # A customer's own words are not promtool's to judge: what is asked for is that it reads all of it.
        page = requests.get(exporting.url("pull", "/metrics"), timeout=5)
        assert page.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        check = [str(parts.promtool()), "check", "metrics"]
        told = subprocess.run(check, input=page.text, capture_output=True, text=True, timeout=30, check=False)
        wrong = [line for line in told.stderr.splitlines() if "no help text" not in line]
        assert told.returncode in (0, 3), told.stderr
        assert not wrong, wrong
        accept = {"Accept": "application/openmetrics-text;version=1.0.0"}
        newer = requests.get(exporting.url("pull", "/metrics"), headers=accept, timeout=5)
        assert newer.headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
        assert newer.text.endswith("# EOF\n")
        assert re.search(
            r'^shop_orders_total\{.*\} 7 # \{span_id=".+",trace_id=".+"\} 0\.4 \d+\.\d+$', newer.text, re.M
        )
        assert "# TYPE target info" in newer.text
    finally:
        exporting.end()


# C06: a Prometheus before 3 would answer 204 and leave them out.
def test_names_in_utf8_reach_who_can_read_them(exporting: Exporting) -> None:
    path = exporting.folder / "collector.yaml"
    text = path.read_text().replace(
        '{endpoint: "http://' + f"{exporting.host}:9090",
        '{translation_strategy: NoUTF8EscapingWithSuffixes, endpoint: "http://' + f"{exporting.host}:9090",
    )
    assert "NoUTF8" in text
    path.write_text(text)
    exporting.start("hot0", "hot1", "collector")
    now = time.time_ns() // 1_000_000
    exporting.send("cliente-a", gauge("данные.size", [(now, 1.0)], {"http.route": "/x"}))
    exporting.send("cliente-b", gauge("probe.size", [(now, 2.0)], {"http.route": "/x"}))
    # The other shard has the other translation, and nothing of this one's trouble.
    assert wait_for("b's sample", lambda: exporting.values("hot1", 'probe_size{http_route="/x"}[1m]')) == [
        (now / 1000, 2.0)
    ]
    if exporting.version == "2.42":
        log = exporting.folder / "collector.log"
        wait_for("the reason", lambda: "leaves out series with names in UTF-8" in log.read_text())
        assert "translation_strategy: UnderscoreEscapingWithSuffixes" in log.read_text()
        assert exporting.books("cliente-a", "prometheusremotewrite/hot-0")["queued"] == 1
        return
    query = '{"данные.size","http.route"="/x",node_id="n1"}[1m]'
    assert wait_for("a's sample", lambda: exporting.values("hot0", query)) == [(now / 1000, 1.0)]
    exporting.assert_balanced("cliente-a", "prometheusremotewrite/hot-0")
