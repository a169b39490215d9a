"""What hot refuses it writes down with all labels, on the provider's disk: of one customer no more than its share."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from collector_lanes import HOT, Lanes, Neighbour, newest_in_hot, now_ms
from otlp import gauge, metrics_request, resource_of
from stack import prometheus_programs, wait_for

SERIES = 80
LABELS = {f"label_{n}": "v" * 2000 for n in range(20)}  # 40 KB a series, which compress well
SHARE_A_SECOND = 16 << 10
BURST = 64 * SHARE_A_SECOND
SEARCH = 17 * 64 * 1024  # a search that has begun ends at its sample, of each lane
# Prometheus 3 takes 2.0 and writes a line of each value of a request, of which four are under way.
UNDER_WAY = {"2.42": 0, "3.x": 4 << 20}
WIRE_BYTES = 1 << 20
LOG_BYTES_A_BYTE_SENT_MAX = 5


@pytest.fixture(params=prometheus_programs(), ids=lambda found: found[0])
def hot(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lanes]:
    lanes = Lanes(tmp_path)
    lanes.start("hot", Path(request.param[1]))
    lanes.under_way = UNDER_WAY[request.param[0]]
    yield lanes
    lanes.end()


def _values(value: float, at_ms: int) -> bytes:
    """The same series at the same time, with that value."""
    series = [gauge(f"probe_double_{n}", [(at_ms, value)], LABELS) for n in range(SERIES)]
    body: bytes = metrics_request(resource_of("cliente-a"), *series).SerializeToString()
    return body


@pytest.mark.two_at_a_time
def test_one_customers_duplicates_make_little_of_hots_log_and_keep_nobody(hot: Lanes) -> None:
    """7 MB of them, compressed, made 836 MB of hot's log in two minutes: more than a hundred bytes of each."""
    hot.configure()
    hot.start("collector")
    log = hot.folder / "hot.log"
    at_ms = now_ms() - 5000
    assert hot.send("cliente-a", _values(1, at_ms)).status_code == 200
    wait_for("the first values", lambda: hot.count('{__name__=~"probe_double_.*"}') == SERIES)
    before, began = log.stat().st_size, time.monotonic()
    wire = 0
    with Neighbour(hot, newest_in_hot(hot)) as b:
        value = 1.0
        while wire < WIRE_BYTES:
            value += 1
            body = _values(value, at_ms)
            answer = hot.send("cliente-a", body)
            assert answer.status_code == 200, answer.text
            wire += len(gzip.compress(body, 1))
        wait_for("the share is spent", lambda: _refusals(hot) > BURST)
        seconds = time.monotonic() - began
        grown = log.stat().st_size - before
    assert b.worst < 6.0
    assert _refusals(hot) < BURST + 2 * SEARCH + hot.under_way + seconds * SHARE_A_SECOND
    # Quotes are escaped twice in a line, and each has a time and a text of its own.
    assert grown < 1.3 * (BURST + 2 * SEARCH + hot.under_way + seconds * SHARE_A_SECOND)
    assert grown < LOG_BYTES_A_BYTE_SENT_MAX * wire
    book = hot.books("cliente-a", HOT)
    assert book["queued"] > 0
    reasons = {labels["reason"] for name, labels, _ in hot.metrics() if name == "vigia_items_dropped_total"}
    assert reasons <= {"refused"}, "nothing goes for room"


def _refusals(hot: Lanes) -> float:
    found = [
        value
        for name, labels, value in hot.metrics()
        if name == "vigia_exporter_refused_bytes_total" and labels["exporter"] == HOT
    ]
    return sum(found)
