"""Grafana's common dashboards for OpenTelemetry Collectors, asked through a real Prometheus that scrapes ours at 8888."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from collector_alone import TOKEN, CollectorAlone
from launcher import parts
from launcher.commands import Command
from launcher.paths import ROOT
from stack import Running, wait_for
from test_collector_tells import ITEMS, _send_all

RULES = ROOT / "services" / "monitor" / "prometheus" / "alerts" / "vigia.yml"
SCRAPE = """
global: {{scrape_interval: 500ms, evaluation_interval: 500ms}}
rule_files: ["{folder}/names.yml"]
scrape_configs: [{{job_name: otel-collector, static_configs: [{{targets: ["{host}:8888"]}}]}}]
"""
# What 15983, 12553 and 18309 draw, without the variables that Grafana puts in. {s}: the suffix that they look up, or that the
# newer ones have fixed; {l}: matchers that choose all, as "All" does.
COUNTERS = (
    *(f"otelcol_receiver_{what}_{items}" for what in ("accepted", "refused") for items in ITEMS),
    *(f"otelcol_processor_{what}_{items}" for what in ("accepted", "refused", "dropped") for items in ITEMS),
    *(f"otelcol_exporter_{what}_{items}" for what in ("sent", "send_failed", "enqueue_failed") for items in ITEMS),
    "otelcol_processor_batch_batch_size_trigger_send",
    "otelcol_processor_batch_timeout_trigger_send",
    "otelcol_processor_incoming_items",
    "otelcol_processor_outgoing_items",
    "otelcol_process_cpu_seconds",
)
BY = {"receiver": "receiver, transport", "exporter": "exporter", "processor": "processor", "process": "job"}
LABELS = 'job="otel-collector", service_name=~".*", service_instance_id=~".*", k8s_node_name=~".*"'
PLAIN = (  # of no suffix, or of several spellings of their own
    "sum(rate(otelcol_processor_batch_batch_send_size_bucket{{{l}}}[10s])) by (le)",
    "sum(rate(otelcol_processor_batch_batch_send_size_sum{{{l}}}[10s]))"
    " / sum(rate(otelcol_processor_batch_batch_send_size_count{{{l}}}[10s]))",
    "max(otelcol_exporter_queue_size{{{l}}}) by (exporter)",
    "max(otelcol_exporter_queue_size{{{l}}} / otelcol_exporter_queue_capacity{{{l}}}) by (exporter)",
    "min(otelcol_processor_batch_metadata_cardinality{{{l}}}) by (processor)",
    "avg(otelcol_process_runtime_heap_alloc_bytes{{{l}}}) by (job)",
    "avg(otelcol_process_runtime_total_sys_memory_bytes{{{l}}}) by (job)",
    *(f"max(otelcol_process_uptime{s}{{{{{{l}}}}}}) by (job)" for s in ("", "_total", "_seconds_total")),
    *(f"max(otelcol_process_memory_rss{s}{{{{{{l}}}}}}) by (job)" for s in ("", "_bytes")),
)


def queries(labels: str, suffix: str) -> Iterator[str]:
    for name in COUNTERS:
        by = BY[name.split("_")[1]]
        yield f"sum(rate({name}{suffix}{{{labels}}}[10s])) by ({by})"
        yield f"sum({name}{suffix}{{{labels}}}) by ({by})"
    for query in PLAIN:
        yield query.format(l=labels)


@pytest.fixture
def near(tmp_path: Path) -> Iterator[CollectorAlone]:
    for name in ("far", "near"):
        (tmp_path / name).mkdir()
    with CollectorAlone(tmp_path / "far") as far:
        headers = f'{{Authorization: "Bearer {TOKEN}"}}'
        exporters = f'otlp: {{endpoint: "{far.host}:4317", tls: {{insecure: true}}, headers: {headers}}}'
        pipelines = {"exporters": exporters, "exporter": "otlp"}
        with CollectorAlone(tmp_path / "near", **pipelines) as collector:
            yield collector


def start_prometheus(program: Path, folder: Path, host: str) -> Running:
    group = RULES.read_text().partition("  - name: collector_names\n")[2]
    group = re.sub(r"interval: \S+", "interval: 500ms", group, count=1)
    (folder / "names.yml").write_text(f"groups:\n  - name: collector_names\n{group}")
    (folder / "prometheus.yml").write_text(SCRAPE.format(folder=folder, host=host))
    words = [str(program), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    command = Command(
        "prometheus", [*words, f"--web.listen-address={host}:9090"], f"http://{host}:9090/-/ready", env={}
    )
    running = Running(command, folder / "prometheus.log")
    running.wait_until_ready()
    return running


@pytest.mark.parametrize("version", ["prometheus-2", "prometheus-3"])
def test_every_query_of_the_common_dashboards_finds_a_series(
    near: CollectorAlone, tmp_path: Path, version: str
) -> None:
    running = start_prometheus(parts.program(version), tmp_path, near.host)

    def found(query: str) -> bool:
        url = f"http://{near.host}:9090/api/v1/query"
        answer = requests.get(url, params={"query": query, "time": str(time.time())}, timeout=10)
        assert answer.status_code == 200, answer.text
        return bool(answer.json()["data"]["result"])

    try:
        for _ in range(3):
            assert _send_all(near) == [200, 200, 200]
        for suffix in ("", "_total"):
            for labels in ("", LABELS):
                for query in queries(labels, suffix):
                    wait_for(query, lambda query=query: found(query), 20)  # type: ignore[misc]
        sent = 'sum(otelcol_exporter_sent_spans_total{exporter="otlp"}) == 3'
        wait_for("the values are those of the traffic", lambda: found(sent), 20)
        assert not found("otelcol_nothing_total"), "a query can find nothing"
    finally:
        running.end()
