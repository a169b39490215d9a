"""What applications on a node may take of its agent: much that comes out of little, all at once, and another one beside it."""

from __future__ import annotations

import gzip
import os
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from agent_site import Site
from beside import Beside
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, Metric
from otlp import attributes, gauge, log_request, metrics_request, resource_of

pytestmark = pytest.mark.two_at_a_time  # the agent's memory

MIB = 1 << 20
RSS_MIB_MAX = 160  # the agent at rest has 18 MiB; its deltas may take 32, one body 16
JSON = {"Content-Type": "application/json"}
GZIP = {"Content-Encoding": "gzip"}
DELTA = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    try:
        site.start("collector")
        site.start("agent")
        yield site
    finally:
        site.close()


def _delta_sums(first: int, count: int) -> bytes:
    metric = Metric(name="jobs")
    metric.sum.aggregation_temporality = DELTA
    metric.sum.is_monotonic = True
    now = time.time_ns()
    for number in range(first, first + count):
        point = metric.sum.data_points.add(as_int=1, start_time_unix_nano=now - 10**9, time_unix_nano=now)
        point.attributes.extend(attributes({"job": str(number)}))
    return bytes(metrics_request(resource_of("x"), metric).SerializeToString())


def _wide_histograms(first: int, count: int, buckets: int) -> bytes:
    """Delta exponential histograms, so many buckets on both sides."""
    metric = Metric(name="wide")
    metric.exponential_histogram.aggregation_temporality = DELTA
    now = time.time_ns()
    for number in range(first, first + count):
        point = metric.exponential_histogram.data_points.add(
            count=2 * buckets, sum=1, scale=4, start_time_unix_nano=now - 10**9, time_unix_nano=now
        )
        for side in (point.positive, point.negative):
            side.offset = -buckets // 2
            side.bucket_counts.extend([1] * buckets)
        point.attributes.extend(attributes({"series": str(number)}))
    return bytes(metrics_request(resource_of("x"), metric).SerializeToString())


class Application(Beside):
    """A well-behaved one beside the others: one gauge, ten times a second."""

    def __init__(self, site: Site) -> None:
        super().__init__(self._run)
        self.site = site
        self.statuses: Counter[int] = Counter()

    def _run(self) -> None:
        while not self.ends.wait(0.1):
            body = metrics_request(resource_of("x"), gauge("small", [(int(time.time() * 1000), 1.0)]))
            try:
                self.statuses[self.site.relay(body.SerializeToString()).status_code] += 1
            except requests.RequestException:
                self.statuses[0] += 1


def _peak_mib(site: Site) -> int:
    """The most that the agent has held since it started."""
    status = Path(f"/proc/{site.parts['agent'].pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found
    return int(found[1]) // 1024


def _cpu_seconds(site: Site) -> float:
    words = Path(f"/proc/{site.parts['agent'].pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def _flood(site: Site, signal: str, body: bytes, headers: dict[str, str]) -> Counter[int]:
    """Twelve senders at once, all with that body; what they were told."""
    told: Counter[int] = Counter()

    def send() -> None:
        url = f"http://{site.address('relay_http')}/v1/{signal}"
        sent = {"Content-Type": "application/x-protobuf", **headers}
        try:
            told[requests.post(url, body, headers=sent, timeout=60).status_code] += 1
        except requests.RequestException:
            told[0] += 1  # refused while the body was still being sent

    senders = [threading.Thread(target=send) for _ in range(12)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    return told


def test_more_delta_series_than_are_kept_cost_themselves_alone(site: Site) -> None:
    for first in range(0, 25_000, 5_000):
        assert site.relay(_delta_sums(first, 5_000)).status_code == 200
    assert site.own("agent_relay_items_left_out_total") == 5_000
    assert _peak_mib(site) < RSS_MIB_MAX
    assert site.relay(_delta_sums(0, 10)).status_code == 200  # those that are kept go on
    assert site.own("agent_relay_items_left_out_total") == 5_000


def test_series_over_the_limit_do_not_hold_up_the_others(site: Site) -> None:
    for first in range(0, 20_000, 5_000):
        assert site.relay(_delta_sums(first, 5_000)).status_code == 200
    before = _cpu_seconds(site)
    assert site.relay(_delta_sums(20_000, 100_000)).status_code == 200  # a walk for each took 11 s
    assert _cpu_seconds(site) - before < 4
    assert site.own("agent_relay_items_left_out_total") == 100_000


def test_wide_delta_histograms_are_kept_narrow_and_by_their_bytes(site: Site) -> None:
    told: Counter[int] = Counter()
    for first in range(0, 12_000, 250):
        told[site.relay(_wide_histograms(first, 250, 2_000)).status_code] += 1
    assert told == {200: 48}
    left_out = site.own("agent_relay_items_left_out_total")
    # 32 MiB of 640 buckets of 8 bytes each, kept for a series from its first point on, and half a KiB beside them.
    assert 3_000 < left_out < 12_000 - (32 * MIB) // (2 * 320 * 8 + 600), left_out
    assert _peak_mib(site) < RSS_MIB_MAX


def test_bodies_at_their_bound_all_at_once_leave_room_for_a_small_application(site: Site) -> None:
    record = b'{"body":{"intValue":"1"}}'
    marks = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[' + b",".join([record] * 620_000) + b"]}]}]}"
    large = metrics_request({"service.name": "a" * 60_000}, gauge("g", [(int(time.time() * 1000), 1.0)]))
    one = log_request(resource_of("x"), "hola").SerializeToString()
    with Application(site) as small:
        # Each of these gets customer and node: 1 GiB in all.
        assert site.relay(one + b"\x0a\x00" * 7_900_000, "logs").status_code == 413
        told = {
            "json": _flood(site, "logs", marks, JSON),
            "json, gzip": _flood(site, "logs", gzip.compress(marks, 1), {**JSON, **GZIP}),
            "empties, gzip": _flood(site, "metrics", gzip.compress(b"\x0a\x00" * 8_000_000), GZIP),
            "zeros, gzip": _flood(site, "metrics", gzip.compress(bytes(16_000_000)), GZIP),
            "large resources": _flood(site, "metrics", large.SerializeToString() * 250, {}),
        }
    said = f"{_peak_mib(site)} MiB, {told}, beside it {dict(small.statuses)}"
    print("\n" + said)
    assert _peak_mib(site) < RSS_MIB_MAX, said
    assert set(small.statuses) == {200}, said
    assert set().union(*told.values()) <= {0, 200, 400, 503}, said
    assert told["json"][200] > 0, said
    assert site.own("agent_points_lost_total") == 0
    assert site.health()["collector_reachable"] is True
