"""Exemplars from a real SDK through the collector into the cold store: kept over a kill -9, and fenced."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
from cold_store import TOKEN, StorageAlone
from collector_lanes import COLD, Lanes
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import AlwaysOnExemplarFilter, MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from otlp import resource_of
from remote_write import sample_with_exemplar, series_bytes, write_bytes
from small_disk import fill_disk, small_disk
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


def _write_one(store: StorageAlone, at_ms: int, value: float) -> int:
    """A sample with an exemplar whose trace is named by the value; the status."""
    series = series_bytes(
        {"__name__": "probe", "customer_id": "cliente-a"}, sample_with_exemplar(at_ms, value, f"{value:032.0f}")
    )
    return write_bytes(store.url, series, {**TOKEN, "X-Vigia-Customer": "cliente-a"}).status_code


def _traces(store: StorageAlone) -> set[str]:
    answer = requests.get(
        f"{store.url}/api/v1/exemplars",
        params={"matcher": "__name__=probe"},
        headers={**TOKEN, "X-Vigia-Customer": "cliente-a"},
        timeout=10,
    )
    assert answer.status_code == 200, answer.text
    return {one["labels"]["trace_id"] for series in answer.json()["data"] for one in series["exemplars"]}


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_what_a_full_disk_refuses_is_refused_and_what_was_taken_is_there(tmp_path: Path) -> None:
    store = StorageAlone(tmp_path)
    begin_ms = int(time.time() * 1000) - 3_600_000
    taken: set[str] = set()
    with small_disk(store.folder, 64):
        try:
            store.start()
            ballast = store.folder / "ballast"
            for number in range(3):
                assert _write_one(store, begin_ms + number, number) == 204
                taken.add(f"{number:032}")
            fill_disk(ballast)
            number = 3
            while (status := _write_one(store, begin_ms + number, number)) == 204:
                taken.add(f"{number:032}")  # there was room in a file that was made before
                number += 1
            assert status == 503
            store.kill()
            ballast.unlink()
            store.start()
            assert taken <= _traces(store)
            wait_for("it takes them again", lambda: _write_one(store, begin_ms + number, number) == 204, 30)
            assert f"{number:032}" in _traces(store)
        finally:
            store.kill()
