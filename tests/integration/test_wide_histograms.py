"""Exponential histograms of thousands of buckets: what a real Prometheus answers of them, beside the values themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from collector_lanes import HOT, Lanes, now_ms
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_CUMULATIVE, Metric
from otlp import metrics_request, rejected_points, resource_of
from stack import prometheus_programs, wait_for

SCALE = 8  # a bucket is 0.27 % wide
QUANTILES = (0.01, 0.1, 0.25, 0.4, 0.6, 0.75, 0.9, 0.99)


def width(schema: int) -> float:
    """By how much a bucket's end is above its begin."""
    return float(2**2**-schema) - 1


@dataclass
class Values:
    """Counts by index of their bucket, and how often nought."""

    positive: dict[int, int] = field(default_factory=dict)
    negative: dict[int, int] = field(default_factory=dict)
    zeros: int = 0

    def metric(self, name: str, time_ms: int) -> Metric:
        metric = Metric(name=name)
        metric.exponential_histogram.aggregation_temporality = AGGREGATION_TEMPORALITY_CUMULATIVE
        point = metric.exponential_histogram.data_points.add()
        point.start_time_unix_nano = (time_ms - 600_000) * 1_000_000
        point.time_unix_nano = time_ms * 1_000_000
        point.scale = SCALE
        point.zero_count = self.zeros
        point.count = self.count
        point.sum = sum(self.sorted())
        for counts, side in ((self.positive, point.positive), (self.negative, point.negative)):
            if counts:
                side.offset = min(counts)
                side.bucket_counts.extend(counts.get(n, 0) for n in range(min(counts), max(counts) + 1))
        return metric

    @property
    def count(self) -> int:
        return self.zeros + sum(self.positive.values()) + sum(self.negative.values())

    def sorted(self) -> list[float]:
        """Each value in the middle of its bucket."""
        found = [0.0] * self.zeros
        for counts, sign in ((self.positive, 1), (self.negative, -1)):
            for index, count in counts.items():
                found += [sign * 2 ** ((index + 0.5) / 2**SCALE)] * count
        return sorted(found)

    def minus(self, other: Values) -> Values:
        def less(mine: dict[int, int], others: dict[int, int]) -> dict[int, int]:
            return {index: count - others.get(index, 0) for index, count in mine.items()}

        return Values(
            less(self.positive, other.positive), less(self.negative, other.negative), self.zeros - other.zeros
        )


@pytest.fixture(params=prometheus_programs(), ids=lambda found: found[0])
def hot(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lanes]:
    made = Lanes(tmp_path)
    made.start("hot", Path(request.param[1]))
    made.configure()
    made.start("collector")
    yield made
    made.end()


def _send(hot: Lanes, name: str, values: Values, time_ms: int) -> None:
    body = metrics_request(resource_of("cliente-a"), values.metric(name, time_ms)).SerializeToString()
    answer = hot.send("cliente-a", body)
    assert (answer.status_code, rejected_points(answer)) == (200, 0), answer.text
    assert hot.settle("cliente-a", HOT).get("dropped", 0) == 0
    wait_for(f"{name} is in hot", lambda: hot.query(f"histogram_count({name})"))


def _check_quantiles(hot: Lanes, expression: str, values: Values, schema: int) -> None:
    """Within one bucket of that schema of the value that stands there."""
    truth = values.sorted()
    for quantile in QUANTILES:
        found = float(hot.query(f"histogram_quantile({quantile}, {expression})")[0]["value"][1])
        # By its rank it is this value or the one beside it.
        rank = min(int(quantile * len(truth)), len(truth) - 1)
        near = truth[max(rank - 1, 0) : rank + 2]
        error = min(abs(found - value) / abs(value) if value else abs(found) * 1e6 for value in near)
        assert error <= width(schema), f"{quantile}: {found}, the value is {truth[rank]}"


def _wide(first: int = -1_500) -> Values:
    """5,000 buckets on each side, more in those that are near to nought, as latencies and temperatures have them."""
    counts = {n: 1 + (n * 7919) % 5 + 3 * (n % 3 == 0) for n in range(first, first + 5_000)}
    return Values(dict(counts), {n: count + 1 for n, count in counts.items()}, 700)


def test_quantiles_of_5_000_buckets_are_as_near_as_320_buckets_allow(hot: Lanes) -> None:
    values = _wide()
    _send(hot, "wide", values, now_ms())
    assert float(hot.query("histogram_count(wide)")[0]["value"][1]) == values.count
    buckets = hot.query("wide")[0]["histogram"][1]["buckets"]
    assert 620 < len(buckets) <= 641, "as many as may be"
    assert sum(float(bucket[3]) for bucket in buckets) == values.count, "none is lost"
    _check_quantiles(hot, "wide", values, SCALE - 4)  # 5,000 / 16 = 313


def test_two_values_far_apart_keep_their_resolution(hot: Lanes) -> None:
    values = Values({-2_000: 40, 5_000: 60}, {3_000: 50}, 1)
    _send(hot, "sparse", values, now_ms())
    buckets = hot.query("sparse")[0]["histogram"][1]["buckets"]
    assert [float(bucket[3]) for bucket in buckets] == [50, 1, 40, 60]
    _check_quantiles(hot, "sparse", values, SCALE)


def test_one_that_becomes_wide_has_no_reset(hot: Lanes) -> None:
    """Its schema changes on the way, from 8 to 4."""
    before = Values(dict.fromkeys(range(100, 200), 5))
    after = _wide()
    for n in before.positive:
        after.positive[n] += 5
    now = now_ms()
    _send(hot, "growing", before, now - 20_000)
    _send(hot, "growing", after, now)
    wait_for("both are there", lambda: hot.query("count_over_time(growing[1m])")[0]["value"][1] == "2")
    assert float(hot.query("resets(growing[1m])")[0]["value"][1]) == 0
    assert float(hot.query("histogram_count(delta(growing[1m])) > 0")[0]["value"][1]) > 0
    _check_quantiles(hot, "increase(growing[1m])", after.minus(before), SCALE - 4)
