"""Which version of remote write real Prometheus servers get, and that the change from one to the other loses and doubles
nothing: 2.42 takes 2.0 for an empty request of 1.0 and answers as to success, 3.x speaks it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from otlp import gauge
from stack import prometheus_programs, wait_for
from test_exporters import Exporting

FELL_BACK = "does not speak remote write 2.0"
SAMPLES = 30


@pytest.fixture(params=prometheus_programs(), ids=lambda found: found[0])
def writing(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Exporting]]:
    made = Exporting(tmp_path, Path(request.param[1]))
    yield request.param[0], made
    made.end()


def _version(exporting: Exporting) -> float:
    text = requests.get(exporting.url("metrics", "/metrics"), timeout=5).text
    found = re.search(
        r'^vigia_exporter_remote_write_version\{exporter="prometheusremotewrite/hot-0"\} (\S+)$', text, re.M
    )
    assert found, text
    return float(found[1])


def _is_all_sent(exporting: Exporting) -> bool:
    return exporting.books("cliente-a", "prometheusremotewrite/hot-0").get("queued") == 0


def test_each_gets_the_version_that_it_speaks(writing: tuple[str, Exporting]) -> None:  # R-RW-1, R-RW-7
    version, exporting = writing
    exporting.start("hot0", "collector")
    now = time.time_ns() // 1_000_000
    for number in range(SAMPLES):
        exporting.send("cliente-a", gauge("probe_version", [(now - 60_000 + number * 1000, float(number))]))
    found = wait_for(
        "all samples", lambda: (v := exporting.values("hot0", "probe_version[10m]")) and len(v) >= SAMPLES and v
    )
    assert found == [((now - 60_000 + n * 1000) / 1000, float(n)) for n in range(SAMPLES)]
    log = (exporting.folder / "collector.log").read_text()
    assert log.count(FELL_BACK + ": ") == (1 if version == "2.42" else 0), log
    assert _version(exporting) == (1 if version == "2.42" else 2)
    wait_for("all is booked", lambda: _is_all_sent(exporting))
    exporting.assert_balanced("cliente-a", "prometheusremotewrite/hot-0")


def test_kills_of_either_side_lose_and_double_nothing(writing: tuple[str, Exporting]) -> None:  # R-RW-2, R-RW-3, R-RW-7
    _, exporting = writing
    exporting.start("hot0", "collector")
    start = time.time_ns() // 1_000_000 - 120_000
    sent = 0
    for victim in ("collector", "hot0", "collector", "hot0"):
        for _ in range(20):
            exporting.send("cliente-a", gauge("probe_killed", [(start + sent * 500, float(sent))], {"part": "x"}))
            sent += 1
        exporting.running[victim].end(9)
        if victim == "hot0":  # what comes while it is away waits
            exporting.send("cliente-a", gauge("probe_killed", [(start + sent * 500, float(sent))], {"part": "x"}))
            sent += 1
        exporting.start(victim)
    found = wait_for(
        "all samples", lambda: (v := exporting.values("hot0", "probe_killed[30m]")) and len(v) >= sent and v, 60
    )
    assert found == [((start + n * 500) / 1000, float(n)) for n in range(sent)]
    wait_for("all is booked", lambda: _is_all_sent(exporting))
    exporting.assert_balanced("cliente-a", "prometheusremotewrite/hot-0")


def test_requests_side_by_side_are_killed_without_loss(writing: tuple[str, Exporting]) -> None:  # R-RW-2, R-RW-3
    """Each request to the collector is two to the store and more, of other series: several are under way at a kill."""
    _, exporting = writing
    exporting.start("hot0", "collector")
    start = time.time_ns() // 1_000_000 - 60_000
    wide = {f"part_{n}": "x" * 2_000 for n in range(10)}
    rounds = range(12)
    for n in rounds:
        exporting.send(
            "cliente-a", *(gauge(f"probe_wide_{m}", [(start + n * 1000, float(n))], wide) for m in range(120))
        )
        if n % 3 == 1:
            victim = ("collector", "hot0")[n // 3 % 2]
            exporting.running[victim].end(9)
            exporting.start(victim)
    wait_for("all is booked", lambda: _is_all_sent(exporting), 60)
    for m in range(120):
        found = exporting.values("hot0", f"probe_wide_{m}[30m]")
        assert found == [((start + n * 1000) / 1000, float(n)) for n in rounds], m
    exporting.assert_balanced("cliente-a", "prometheusremotewrite/hot-0")


def test_what_a_partial_write_leaves_out_is_counted_and_the_rest_is_there(writing: tuple[str, Exporting]) -> None:
    # R-RW-7: the 400 of 3.x to 2.0 says that some is written, that of 2.42 that nothing is
    _, exporting = writing
    exporting.start("hot0", "collector")
    now = time.time_ns() // 1_000_000
    exporting.send("cliente-a", gauge("probe_conflict", [(now - 5000, 1.0)]))
    wait_for("the first value", lambda: exporting.values("hot0", "probe_conflict[1m]"))
    # Of each good series an older and a newer sample: what is stored must not be sent again.
    good = [gauge(f"probe_good_{n}", [(now - 2000, 1.0), (now - 1000, 2.0)]) for n in range(20)]
    exporting.send("cliente-a", *good[:7], gauge("probe_conflict", [(now - 5000, 2.0)]), *good[7:])
    wait_for("all is booked", lambda: _is_all_sent(exporting))
    for n in range(20):
        found = wait_for("a good series", lambda n=n: exporting.values("hot0", f"probe_good_{n}[5m]"))  # type: ignore[misc]
        assert found == [((now - 2000) / 1000, 1.0), ((now - 1000) / 1000, 2.0)]
    assert exporting.values("hot0", "probe_conflict[5m]") == [((now - 5000) / 1000, 1.0)]
    book = exporting.books("cliente-a", "prometheusremotewrite/hot-0")
    assert book["sent"] == 41, book
    assert book["dropped"] == 1, book
    exporting.assert_balanced("cliente-a", "prometheusremotewrite/hot-0")
