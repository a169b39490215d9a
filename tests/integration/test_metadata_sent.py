"""Type, help and unit of metrics that come by OTLP, as `/api/v1/metadata` tells them to their customer, and start times in hot."""

from __future__ import annotations

import time
from typing import Any

from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_CUMULATIVE, Metric, NumberDataPoint
from otlp import gauge, metrics_request, post, resource_of
from stack import Stack, wait_for

KINDS = {"asked_total": "counter", "took_seconds": "histogram", "level": "gauge"}


def _metrics(now_ns: int) -> list[Metric]:
    counter = Metric(name="asked", description="questions so far")
    counter.sum.aggregation_temporality = AGGREGATION_TEMPORALITY_CUMULATIVE
    counter.sum.is_monotonic = True
    counter.sum.data_points.append(
        NumberDataPoint(time_unix_nano=now_ns, start_time_unix_nano=now_ns - 60 * 10**9, as_double=5)
    )
    histogram = Metric(name="took", unit="s", description="how long they took")
    histogram.histogram.aggregation_temporality = AGGREGATION_TEMPORALITY_CUMULATIVE
    histogram.histogram.data_points.add(
        time_unix_nano=now_ns, count=3, sum=1.5, explicit_bounds=[1.0], bucket_counts=[2, 1]
    )
    level = gauge("level", [(now_ns // 1_000_000, 4.0)])
    level.description = "how high"
    return [counter, histogram, level]


def _said(stack: Stack, customer: str) -> dict[str, list[dict[str, Any]]]:
    answer = stack.ask("/api/v1/metadata", stack.token(customer, "read"))
    assert answer.status_code == 200, answer.text
    found: dict[str, list[dict[str, Any]]] = answer.json()["data"]
    return found


def test_what_metrics_are_is_known_to_their_customer(stack: Stack) -> None:  # R-RW-7
    stack.start_central()
    body = metrics_request(resource_of("cliente-a"), *_metrics(time.time_ns())).SerializeToString()
    answer = post(stack.layout.url("collector_http"), stack.token("cliente-a", "ingest"), body)
    assert answer.status_code == 200, answer.text

    def types() -> dict[str, str]:
        said = _said(stack, "cliente-a")
        return {name: said[name][0]["type"] for name in KINDS if name in said}

    wait_for("types", lambda: types() == KINDS, 20)
    said = _said(stack, "cliente-a")
    assert said["asked_total"][0]["help"] == "questions so far"
    assert said["took_seconds"][0]["help"] == "how long they took"
    assert said["took_seconds"][0]["unit"] == "s"
    assert not set(KINDS) & set(_said(stack, "cliente-b")), "another customer's"
