"""What comes out of one customer's records, or lies aside for it, has a bound: the collector where that would hold others up."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from collector_lanes import (
    COLD,
    FRESH_SECONDS,
    HOT,
    OTLP,
    Lanes,
    Neighbour,
    log_lines,
    newest_taken,
    now_ms,
)
from disk_log_files import write_segment
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from otlp import attributes, gauge, metrics_request, resource_of
from stack import wait_for


@pytest.fixture
def lanes(tmp_path: Path) -> Iterator[Lanes]:
    made = Lanes(tmp_path)
    yield made
    made.end()


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _amplified(customer: str, points: int, label_bytes: int) -> bytes:
    resource = {**resource_of(customer), "node.region": "r" * label_bytes}
    now = now_ms()
    wide = gauge("probe_wide", [(now - points + n, float(n)) for n in range(points)])
    body: bytes = metrics_request(resource, wide).SerializeToString()
    return body


def test_a1_a_record_that_comes_out_a_thousand_times_is_bounded(lanes: Lanes) -> None:
    """60,000 points under a label of 59 KB, durable since a version that took it: 3.5 GB on the way out."""
    destination = lanes.serve()
    destination.unpacks = destination.keeps = False  # gigabytes
    points = 60_000
    write_segment(lanes.folder / "log", [("cliente-a", "metrics", points, _amplified("cliente-a", points, 59_000))])
    taken = {"requests": 0}

    def count(customer: str, path: str, body: bytes) -> int:
        taken["requests"] += customer == "cliente-a"
        return 204

    destination.script = count
    lanes.configure(hot=lanes.destination_url, exporters=f"prometheus, {HOT}")
    lanes.start("collector")
    assert lanes.books("cliente-a", HOT)["queued_at_start"] == points
    with Neighbour(lanes, newest_taken(destination)) as b:
        wait_for("half of it is out", lambda: lanes.books("cliente-a", HOT).get("sent", 0) > points / 2, 180)
        lanes.kill("collector")
        lanes.start("collector")
        book = lanes.settle("cliente-a", HOT, seconds=240)
    assert book.get("dropped", 0) == 0
    assert taken["requests"] > 3000  # of some MiB each before compression
    assert b.worst < FRESH_SECONDS + 5  # the restart
    print(f"RSS at most {lanes.rss_peak >> 20} MiB, {taken['requests']} requests, B at most {b.worst:.1f} s behind")


def test_b3_empty_records_hold_no_other_lines_up(lanes: Lanes) -> None:
    """Two million records with nothing in them, in 4 KB: as an older version took them."""
    lanes.start("storage")
    count = 2_000_000
    request = ExportLogsServiceRequest()
    request.resource_logs.add().resource.attributes.extend(attributes(resource_of("cliente-a")))
    whole = request.SerializeToString()
    resource = whole[2:]  # without tag and length of the resource's entry
    inner = resource + b"\x12" + _varint(2 * count) + b"\x12\x00" * count
    body = b"\x0a" + _varint(len(inner)) + inner
    write_segment(lanes.folder / "log", [("cliente-a", "logs", count, body)])
    lanes.configure(exporters=COLD, timeout="10s")
    lanes.start("collector")
    worst = 0.0
    for n in range(10):
        if n == 5:
            lanes.kill("collector")
            lanes.start("collector")
        assert lanes.send("cliente-b", log_lines("cliente-b", 1), "logs").status_code == 200
        began = time.monotonic()
        lanes.settle("cliente-b", OTLP, "logs", 30)
        worst = max(worst, time.monotonic() - began)
        time.sleep(0.5)
    assert worst < 10
    assert lanes.settle("cliente-a", OTLP, "logs", 240).get("dropped", 0) == 0


def test_a9_many_short_lines_hold_no_other_lines_up(lanes: Lanes) -> None:
    """One record of 600,000 lines, as an older version took it: storage gets it in requests that it takes in time."""
    lanes.start("storage")
    count = 600_000
    write_segment(lanes.folder / "log", [("cliente-a", "logs", count, log_lines("cliente-a", count))])
    lanes.configure(exporters=COLD, timeout="10s")
    lanes.start("collector")
    worst = 0.0
    for n in range(10):
        if n == 5:
            lanes.kill("collector")
            lanes.start("collector")
        assert lanes.send("cliente-b", log_lines("cliente-b", 1), "logs").status_code == 200
        began = time.monotonic()
        lanes.settle("cliente-b", OTLP, "logs", 20)
        worst = max(worst, time.monotonic() - began)
        time.sleep(0.5)
    assert worst < 10
    book = lanes.settle("cliente-a", OTLP, "logs", 120)
    print(f"RSS at most {lanes.rss_peak >> 20} MiB, B's line at most {worst:.1f} s")
    assert book.get("dropped", 0) == 0
    assert lanes.stored("log_records", "cliente-a") == count  # what the kill made come twice was there already


def test_what_lies_aside_survives_kill_9(lanes: Lanes) -> None:
    """Killed again and again while A's data lies aside: all of it arrives, the books balance in each life."""
    destination = lanes.serve()
    destination.script = lambda customer, path, body: 500 if customer == "cliente-a" else 204
    lanes.configure(hot=lanes.destination_url)
    lanes.start("collector")
    names = []
    for life in range(4):
        for n in range(5):
            names.append(f"probe_{life}_{n}")
            lanes.send_metrics("cliente-a", gauge(names[-1], [(now_ms(), 1.0)]))
            lanes.send_metrics("cliente-b", gauge("probe_b", [(now_ms(), 1.0)]))
        time.sleep(0.3 * life)
        lanes.kill("collector")
        if life == 3:
            destination.script = lambda customer, path, body: 204
        lanes.start("collector")
        assert lanes.books("cliente-a", HOT)["queued_at_start"] >= len(names)
    book = lanes.settle("cliente-a", HOT)
    assert book.get("dropped", 0) == 0
    arrived = b"".join(body for _, customer, body in destination.bodies if customer == "cliente-a")
    for name in names:
        assert name.encode() in arrived, name
    wait_for("no file is left", lambda: not list((lanes.folder / "log" / "side").rglob("*.side")))


def _wide(customer: str) -> dict[str, str]:
    """A resource whose labels are some 6 KiB."""
    return {**resource_of(customer), "service.name": "s" * 2000, "node.region": "r" * 2000, "environment": "e" * 2000}


def _wide_gauges(customer: str, first: int, count: int) -> bytes:
    """Some 6 KiB on the way out each: few, since each that lies aside is sent by itself."""
    series = [gauge(f"probe_{n}", [(now_ms(), 1.0)]) for n in range(first, first + count)]
    body: bytes = metrics_request(_wide(customer), *series).SerializeToString()
    return body


@pytest.mark.long(45)
def test_a_required_destination_loses_nothing_at_the_side_queues_share(lanes: Lanes) -> None:
    """Over its share aside A is refused retryably, B is not, and all that was acknowledged arrives."""
    share = 64 << 10
    destination = lanes.serve()
    destination.script = lambda customer, path, body: 503  # all of it waits in the log
    lanes.configure(cold=lanes.destination_url, exporters=COLD, side_share="64KiB")
    lanes.start("collector")
    taken = 0
    for _ in range(60):  # two windows of 8 MiB on the way out
        assert lanes.send("cliente-a", _wide_gauges("cliente-a", taken, 35)).status_code == 200
        taken += 35
    destination.script = lambda customer, path, body: 500 if customer == "cliente-a" else 204
    with Neighbour(lanes, newest_taken(destination)) as b:
        wait_for("A's data lies aside", lambda: lanes.gauge_of("vigia_exporter_side_items", COLD) == taken, 90)
        assert lanes.gauge_of("vigia_exporter_side_bytes", COLD) > 4 * share
        for life in range(2):
            refused = lanes.send("cliente-a", _wide_gauges("cliente-a", taken, 1))
            assert refused.status_code == 429, refused.text
            assert int(refused.headers["Retry-After"]) > 0
            assert COLD in refused.text
            assert "customer_bytes_max" in refused.text
            # Where it does not go to that destination it is taken.
            assert lanes.send("cliente-a", log_lines("cliente-a", 1), "logs").status_code == 200
            book = lanes.books("cliente-a", COLD)
            assert (book.get("dropped", 0), book["rejected"]) == (0, 1)
            refusals = {
                labels["reason"]: value
                for name, labels, value in lanes.metrics()
                if name == "vigia_items_rejected_total" and labels["customer_id"] == "cliente-a"
            }
            assert refusals == {"side_share": 1}
            held = [
                value
                for name, labels, value in lanes.metrics()
                if name == "vigia_exporter_side_customer_bytes"
                and (labels["exporter"], labels["customer_id"]) == (COLD, "cliente-a")
            ]
            assert held[0] > 4 * share
            # What went aside just before a kill is read from the log again: it comes twice.
            assert book["queued"] == taken if life == 0 else book["queued"] >= taken
            if life == 0:
                lanes.kill("collector")
                lanes.start("collector")
        time.sleep(5)
    assert b.worst < FRESH_SECONDS + 5  # the restart
    assert lanes.books("cliente-b", COLD).get("rejected", 0) == 0
    destination.script = lambda customer, path, body: 204
    book = lanes.settle("cliente-a", COLD, seconds=180)
    assert book.get("dropped", 0) == 0
    assert book["sent"] >= taken
    arrived = b"".join(body for _, customer, body in destination.bodies if customer == "cliente-a")
    assert set(map(int, re.findall(rb"probe_(\d+)", arrived))) >= set(range(taken))
    assert lanes.send("cliente-a", _wide_gauges("cliente-a", taken, 1)).status_code == 200
    assert lanes.settle("cliente-a", COLD)["sent"] == book["sent"] + 1


def _grows_to(mib: int) -> bytes:
    """Points of one series under wide labels: so many MiB on the way out, within intake's limits."""
    now, points = now_ms(), mib * 1024 // 6
    grows = gauge("probe_grows", [(now - n, 1.0) for n in range(points)])
    body: bytes = metrics_request(_wide("cliente-a"), grows).SerializeToString()
    return body


def test_what_comes_out_of_a_refused_customers_records_stays_within_its_share(lanes: Lanes) -> None:
    """Each request is 40 MiB on the way out, and all of it fails: the share (8 MiB) is passed by a window and a piece."""
    destination = lanes.serve()
    destination.unpacks = destination.keeps = False
    destination.script = lambda customer, path, body: 500 if customer == "cliente-a" else 204
    lanes.configure(cold=lanes.destination_url, exporters=COLD, side_share="8MiB")
    lanes.start("collector")
    folder = lanes.folder / "log" / "side"
    highest = points = 0

    def look() -> None:
        nonlocal highest
        with contextlib.suppress(FileNotFoundError):  # one that is done meanwhile
            highest = max(highest, sum(file.stat().st_size for file in folder.rglob("*.side")))

    with Neighbour(lanes, newest_taken(destination)) as b:
        for _ in range(4):
            answer = lanes.send("cliente-a", _grows_to(40))
            assert answer.status_code in (200, 429), answer.text
            points += 40 * 1024 // 6 if answer.status_code == 200 else 0
        for life in range(2):
            until = time.monotonic() + 12
            while time.monotonic() < until:
                look()
                time.sleep(0.05)
            if life == 0:
                lanes.kill("collector")
                lanes.start("collector")
    print(f"aside at most {highest >> 10} KiB, RSS {lanes.rss_peak >> 20} MiB, B {b.worst:.1f} s")
    assert highest < (8 + 8 + 4) << 20
    assert b.worst < FRESH_SECONDS + 5  # the restart
    destination.script = lambda customer, path, body: 204
    book = lanes.settle("cliente-a", COLD, seconds=120)
    assert book.get("dropped", 0) == 0
    assert book["sent"] >= points > 0


@pytest.mark.long(100)
def test_a_series_that_fails_for_ever_is_a_few_files_and_holds_nothing_of_its_customer_up(lanes: Lanes) -> None:
    """In each window one of A's series is answered 500: what is set aside of it becomes few entries, nothing is lost."""
    destination = lanes.serve()

    def script(customer: str, path: str, body: bytes) -> int:
        return 500 if b"probe_broken" in body else 204

    destination.script = script
    lanes.configure(cold=lanes.destination_url, exporters=COLD, side_share="2MiB")
    lanes.start("collector")
    folder = lanes.folder / "log" / "side"
    sent, worst, most = 0, 0.0, 0
    with Neighbour(lanes, newest_taken(destination)) as b:
        for life in range(2):
            until = time.monotonic() + 20
            while time.monotonic() < until or sent <= 200 * (life + 1):  # so many take longer on a busy machine
                lanes.send_metrics(
                    "cliente-a",
                    gauge("probe_broken", [(now_ms(), 1.0)]),
                    gauge("probe_good", [(now_ms(), float(sent))]),
                )
                sent += 1
                time.sleep(0.03)
                most = max(most, len(list(folder.rglob("*.side"))))
                good = max(
                    (at for at, customer, body in destination.bodies[-50:] if b"probe_good" in body),
                    default=time.time(),
                )
                worst = max(worst, time.time() - good)
            if life == 0:
                lanes.kill("collector")
                lanes.start("collector")
    waiting = lanes.gauge_of("vigia_exporter_side_items", COLD)
    print(
        f"{sent} values, {waiting:.0f} aside, at most {most} files, A's good series {worst:.1f} s behind, B {b.worst:.1f} s"
    )
    assert sent > 400
    assert waiting >= sent * 0.9
    assert most < 60
    assert worst < FRESH_SECONDS + 5  # the restart
    assert b.worst < FRESH_SECONDS + 5
    destination.script = lambda customer, path, body: 204
    book = lanes.settle("cliente-a", COLD, seconds=120)
    assert book.get("dropped", 0) == 0
    assert book["queued_at_start"] > sent / 4
    arrived = sum(body.count(b"probe_broken") for _, _, body in destination.bodies)
    assert arrived >= sent
