"""Exemplars from a real SDK through the collector into the cold store: kept over a kill -9, and fenced."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
from collector_lanes import COLD, Lanes
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import AlwaysOnExemplarFilter, MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from otlp import resource_of
from stack import wait_for


@pytest.fixture
def lanes(tmp_path: Path) -> Iterator[Lanes]:
    made = Lanes(tmp_path)
    made.configure(exporters=COLD)
    made.start("storage")
    made.start("collector")
    yield made
    made.end()


def _record(lanes: Lanes, customer: str) -> tuple[str, str]:
    """One observation inside a span; the ids of the two."""
    exporter = OTLPMetricExporter(
        endpoint=f"http://{lanes.host}:4318/v1/metrics",
        headers={"Authorization": f"Bearer token-{customer[-1]}"},
    )
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
    resource = Resource(resource_of(customer))
    meters = MeterProvider([reader], resource=resource, exemplar_filter=AlwaysOnExemplarFilter())
    histogram = meters.get_meter("test").create_histogram("checkout", unit="s")
    with TracerProvider(resource=resource).get_tracer("test").start_as_current_span("pay") as span:
        histogram.record(0.25, {"route": "/pay"})
    assert meters.force_flush()
    meters.shutdown()
    context = span.get_span_context()
    return f"{context.trace_id:032x}", f"{context.span_id:016x}"


def _exemplars(lanes: Lanes, customer: str | None, **more: str) -> list[dict[str, Any]]:
    headers = {"Authorization": "Bearer secret"} | ({"X-Vigia-Customer": customer} if customer else {})
    parameters = {"matcher": "__name__=checkout_seconds_bucket", **more}
    answer = requests.get(f"http://{lanes.host}:9096/api/v1/exemplars", params=parameters, headers=headers, timeout=10)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["data"])


def test_an_observation_leads_to_its_trace_and_to_nobody_elses(lanes: Lanes) -> None:
    ids = {customer: _record(lanes, customer) for customer in ("cliente-a", "cliente-b")}
    for customer, (trace, span) in ids.items():
        wait_for("the exemplar in the cold store", partial(_exemplars, lanes, customer))
        [series] = _exemplars(lanes, customer)
        assert series["seriesLabels"]["customer_id"] == customer
        assert series["seriesLabels"]["route"] == "/pay"
        [exemplar] = series["exemplars"]
        assert exemplar["value"] == "0.25"
        assert (exemplar["labels"]["trace_id"], exemplar["labels"]["span_id"]) == (trace, span)
        other = "cliente-b" if customer == "cliente-a" else "cliente-a"
        assert trace not in str(_exemplars(lanes, other))
    assert len(_exemplars(lanes, None)) == len(ids)
    before = _exemplars(lanes, "cliente-a")
    lanes.kill("storage")
    lanes.start("storage")
    assert _exemplars(lanes, "cliente-a") == before
