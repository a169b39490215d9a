"""What the OTLP exporters make of each answer, over gRPC and HTTP: a far end that answers as told, and what it took is counted.

The Go collector as the far end: test_otlp_out.py.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from collector_alone import CollectorAlone
from far_end import Answer, FarEnd
from launcher.layout import own_host
from otlp_items import SIGNALS, books, exporter_of, send
from stack import wait_for

both = pytest.mark.parametrize("transport", ["grpc", "http"])


@contextmanager
def _beside(folder: Path, transport: str, more: str = "") -> Iterator[tuple[CollectorAlone, FarEnd]]:
    host = own_host()
    far_end = FarEnd(host, transport)
    words = exporter_of(transport, "http", host, far_end.port, more)
    try:
        with CollectorAlone(folder, host, **words) as collector:
            yield collector, far_end
    finally:
        far_end.close()


def _letters(folder: Path) -> list[dict[str, str]]:
    files = list((folder / "log" / "dead-letters").glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


# R-EXP-2: whoever runs the two ends can mend it, and the token must not travel on.
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_a_passing_fault(tmp_path: Path, status: int) -> None:
    elsewhere = FarEnd(own_host(), "http")
    with _beside(tmp_path, "http") as (collector, far_end):
        location = f"http://{collector.host}:{elsewhere.port}/v1/logs"
        far_end.script = lambda signal, names: Answer(status, location=location)
        for signal in SIGNALS:
            send(collector, signal, [f"{signal}_{n}" for n in range(5)])
        wait_for(
            "each was tried twice", lambda: all(len([s for s in far_end.seen if s.signal == x]) > 1 for x in SIGNALS)
        )
        assert books(collector, "dropped_total") == 0
        far_end.script = lambda signal, names: Answer()
        for signal in SIGNALS:
            wait_for(f"all {signal}", lambda s=signal: sum(far_end.taken(s).values()) == 5)  # type: ignore[misc]
        wait_for("all is booked", lambda: books(collector, "sent_total") == 15)
        assert not elsewhere.seen
    elsewhere.close()


# R-EXP-1, R-EXP-2: a client error costs the item that is to blame.
@both
@pytest.mark.parametrize("signal", SIGNALS)
def test_of_what_is_refused_only_the_bad_item_is_given_up(tmp_path: Path, transport: str, signal: str) -> None:
    def judge(_: str, names: Sequence[str]) -> Answer:
        return Answer(400 if any(name.startswith("poison") for name in names) else 200)

    with _beside(tmp_path, transport) as (collector, far_end):
        far_end.script = judge
        names = [f"n{n}" if n not in (17, 71) else f"poison{n}" for n in range(100)]
        send(collector, signal, names)
        send(collector, signal, ["behind"])
        send(collector, signal, ["other"], customer="cliente-b")
        wait_for("what comes behind", lambda: far_end.taken(signal)["behind"] == 1, 10)
        wait_for("another customer's", lambda: far_end.taken(signal)["other"] == 1, 10)
        wait_for("the rest is sent", lambda: books(collector, "sent_total") == 100)
        good = [name for name in names if not name.startswith("poison")]
        assert far_end.taken(signal) == Counter([*good, "behind", "other"])
        assert books(collector, "dropped_total") == 2
        assert len(_letters(tmp_path)) == 2


@both
@pytest.mark.parametrize("signal", SIGNALS)
def test_what_is_too_large_is_halved(tmp_path: Path, transport: str, signal: str) -> None:
    with _beside(tmp_path, transport) as (collector, far_end):
        far_end.script = lambda signal, names: Answer(413 if len(names) > 6 else 200)
        names = [f"n{n}" for n in range(50)]
        send(collector, signal, names)
        wait_for("all is sent", lambda: books(collector, "sent_total") == 50)
        assert far_end.taken(signal) == Counter(names)
        assert books(collector, "dropped_total") == 0


@both
@pytest.mark.parametrize("signal", SIGNALS)
def test_what_a_partial_success_leaves_out_is_booked(tmp_path: Path, transport: str, signal: str) -> None:  # R-EXP-4
    with _beside(tmp_path, transport) as (collector, far_end):
        far_end.script = lambda signal, names: Answer(rejected=3)
        send(collector, signal, [f"n{n}" for n in range(10)])
        wait_for("seven are sent", lambda: books(collector, "sent_total") == 7)
        assert books(collector, "dropped_total") == 3
        assert len(far_end.seen) == 1


# R-EXP-3: Retry-After and RetryInfo are the least that is waited.
@both
def test_a_wait_that_is_asked_for_is_kept(tmp_path: Path, transport: str) -> None:
    with _beside(tmp_path, transport) as (collector, far_end):
        answers = [Answer(503, wait_s=2), Answer(413, wait_s=2) if transport == "grpc" else Answer(503, wait_s=2)]
        far_end.script = lambda signal, names: answers.pop(0) if answers else Answer()
        send(collector, "logs", ["line"])
        wait_for("it is sent", lambda: books(collector, "sent_total") == 1, 20)
        times = [one.at for one in far_end.seen if one.names]  # a probe is no second try
        assert len(times) == 3
        # The jitter is on top; a spread of timers below.
        assert all(later - earlier > 1.95 for earlier, later in zip(times, times[1:], strict=False)), times
        assert books(collector, "dropped_total") == 0
