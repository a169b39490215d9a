"""Deltas of direct senders: counted once at hot and cold, whatever happens to the collector on the way (R-PM-5)."""

from __future__ import annotations

import queue
import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, Metric
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality as SdkTemporality
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from otlp import PROTOBUF, metrics_request, post, rejected_points, resource_of
from stack import Stack, wait_for

DELTA = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
SECOND = 1_000_000_000
STREAMS = 3
KILLS = 4


def _orders(stream: int, begin_s: int, value: int) -> Metric:
    metric = Metric(name=f"orders_{stream}")
    metric.sum.is_monotonic, metric.sum.aggregation_temporality = True, DELTA
    point = metric.sum.data_points.add(as_int=value)
    point.start_time_unix_nano, point.time_unix_nano = begin_s * SECOND, (begin_s + 1) * SECOND
    return metric


def _waits(stream: int, begin_s: int, values: tuple[int, int]) -> Metric:
    metric = Metric(name=f"waits_{stream}")
    metric.histogram.aggregation_temporality = DELTA
    point = metric.histogram.data_points.add(count=sum(values), sum=float(values[1]))
    point.bucket_counts.extend(values)
    point.explicit_bounds.append(1.0)
    point.start_time_unix_nano, point.time_unix_nano = begin_s * SECOND, (begin_s + 1) * SECOND
    return metric


@dataclass
class DeltaSender:
    """Three connections of one sender, which bring its reports in any order, and again until they are taken."""

    url: str
    token: str
    customer_id: str
    begin_s: int
    orders: dict[int, int] = field(default_factory=dict)
    waits: dict[int, int] = field(default_factory=dict)
    reports: int = 0
    refused: list[str] = field(default_factory=list)
    _bodies: queue.Queue[bytes | None] = field(default_factory=lambda: queue.Queue(6))
    _threads: list[threading.Thread] = field(default_factory=list)
    _is_stopping: bool = False

    def start(self) -> None:
        for target in (self._report, self._send, self._send, self._send):
            self._threads.append(threading.Thread(target=target, daemon=True))
            self._threads[-1].start()

    def stop(self) -> None:
        self._is_stopping = True
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive(), "a report was not taken in time"

    def _report(self) -> None:
        chance = random.Random(self.customer_id)
        while not self._is_stopping and self.reports < 550:
            metrics = []
            for stream in range(STREAMS):
                value, waits = chance.randrange(100), (chance.randrange(9), chance.randrange(9))
                self.orders[stream] = self.orders.get(stream, 0) + value
                self.waits[stream] = self.waits.get(stream, 0) + sum(waits)
                metrics.append(_orders(stream, self.begin_s + self.reports, value))
                metrics.append(_waits(stream, self.begin_s + self.reports, waits))
            self.reports += 1
            self._bodies.put(metrics_request(resource_of(self.customer_id), *metrics).SerializeToString())
            time.sleep(0.02)
        for _ in range(3):
            self._bodies.put(None)

    def _send(self) -> None:
        headers = {**PROTOBUF, "Authorization": f"Bearer {self.token}"}
        while (body := self._bodies.get()) is not None:
            for _ in range(300):
                try:
                    answer = requests.post(f"{self.url}/v1/metrics", data=body, headers=headers, timeout=5)
                except requests.RequestException:
                    time.sleep(0.1)
                    continue
                if answer.status_code == 200:
                    break
                if answer.status_code != 503:
                    self.refused.append(answer.text)
                    break
                time.sleep(0.1)


def _samples(stack: Stack, store: str, expression: str) -> dict[str, list[float]]:
    answer = requests.get(f"{stack.layout.url(store)}/api/v1/query", params={"query": expression}, timeout=10)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]["result"]
    return {entry["metric"]["__name__"]: [float(value) for _, value in entry["values"]] for entry in found}


def _assert_counted_once(stack: Stack, customer: str, totals: dict[str, int]) -> None:
    """In both stores every series grows from first to last, without a reset, to what was sent."""
    names = "|".join(totals)
    for store in ("hot", "query"):

        def is_all_there(store: str = store) -> bool:
            found = _samples(stack, store, f'{{__name__=~"{names}",customer_id="{customer}"}}[20m]')
            assert {name: values[-1] for name, values in found.items()} == totals, store
            return True

        wait_for(f"{store}: what was sent is counted, once", is_all_there, 40, every=0.5)
        for name, values in _samples(stack, store, f'{{__name__=~"{names}",customer_id="{customer}"}}[20m]').items():
            assert values == sorted(values), f"{store}: {name} falls"


def test_deltas_are_counted_once_through_kills(stack: Stack) -> None:
    stack.start_central()
    begin_s = int(time.time()) - 600
    url = stack.layout.url("collector_http")
    senders = [
        DeltaSender(url, stack.token(customer, "ingest"), customer, begin_s) for customer in ("cliente-a", "cliente-b")
    ]
    for sender in senders:
        sender.start()
    moments = random.Random(49)
    for _ in range(KILLS):
        time.sleep(moments.uniform(0.5, 1.5))  # the fault's moment, not a wait
        stack.kill("collector")
        stack.start("collector")
    for sender in senders:

        def is_enough(sender: DeltaSender = sender) -> bool:
            return sender.reports > 100

        wait_for("enough was reported", is_enough, 60)
        sender.stop()
        assert sender.refused == []
        totals = {f"orders_{stream}_total": total for stream, total in sender.orders.items()}
        totals |= {f"waits_{stream}_count": total for stream, total in sender.waits.items()}
        _assert_counted_once(stack, sender.customer_id, totals)
    own = stack.own_metrics("collector_metrics")
    assert own["vigia_delta_streams"] == 2 * 2 * STREAMS
    assert own["vigia_delta_states_damaged"] == 0


def test_an_sdk_that_prefers_deltas(stack: Stack) -> None:
    stack.start_central()
    preferred = {Counter: SdkTemporality.DELTA, Histogram: SdkTemporality.DELTA}
    exporter = OTLPMetricExporter(
        f"{stack.layout.url('collector_http')}/v1/metrics",
        headers={"authorization": f"Bearer {stack.token('cliente-a', 'ingest')}"},
        preferred_temporality=preferred,
        timeout=20,
    )
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
    provider = MeterProvider([reader], Resource(resource_of("cliente-a", service="tienda")))
    meter = provider.get_meter("probe")
    sold, waited = meter.create_counter("sold"), meter.create_histogram("waited", "s")
    for report in range(1, 9):
        sold.add(report)
        waited.record(0.1 * report)
        if report == 4:
            stack.kill("collector")
            stack.start("collector")
        assert provider.force_flush(30_000)
    provider.shutdown()
    _assert_counted_once(stack, "cliente-a", {"sold_total": 36, "waited_seconds_count": 8})


def test_a_repeat_is_told_and_counted_once(stack: Stack) -> None:
    stack.start_central()
    url, token = stack.layout.url("collector_http"), stack.token("cliente-a", "ingest")
    begin_s = int(time.time()) - 60
    body = metrics_request(resource_of("cliente-a"), _orders(0, begin_s, 5)).SerializeToString()
    assert rejected_points(post(url, token, body)) == 0
    again = post(url, token, body)
    assert again.status_code == 200
    assert rejected_points(again) == 1
    assert b"repeated" in again.content
    _assert_counted_once(stack, "cliente-a", {"orders_0_total": 5})


@pytest.mark.parametrize("is_sticky", [False, True])
def test_several_collectors_take_deltas_of_senders_that_keep_to_one(stack: Stack, is_sticky: bool) -> None:
    path = stack.layout.config / "collector.yaml"
    text = path.read_text()
    words = "vigia_auth:\n    collectors: 2\n" + ("    sticky_senders: true\n" if is_sticky else "")
    assert "vigia_auth:\n" in text
    path.write_text(text.replace("vigia_auth:\n", words, 1))
    stack.start_central()
    url, token = stack.layout.url("collector_http"), stack.token("cliente-a", "ingest")
    body = metrics_request(resource_of("cliente-a"), _orders(0, int(time.time()) - 60, 5)).SerializeToString()
    answer = post(url, token, body)
    assert answer.status_code == 200
    assert rejected_points(answer) == (0 if is_sticky else 1)
    assert (b"sticky_senders" in answer.content) != is_sticky
