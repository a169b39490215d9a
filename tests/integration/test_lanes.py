"""No destination is one customer's to stop: the collector against a real store that misbehaves for one of them."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from collector_lanes import COLD, HOT, OTLP, RSS_MAX, Lanes, Neighbour, log_lines, newest_in_hot, newest_taken, now_ms
from disk_log_files import write_segment
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_CUMULATIVE, Metric
from otlp import attributes, gauge, metrics_request, resource_of
from stack import prometheus_programs, wait_for

pytestmark = pytest.mark.alone  # what it measures, others on the machine would change

FRESH_SECONDS = 6.0


@pytest.fixture
def lanes(tmp_path: Path) -> Iterator[Lanes]:
    made = Lanes(tmp_path)
    yield made
    made.end()


@pytest.fixture(params=prometheus_programs(), ids=lambda found: found[0])
def hot(request: pytest.FixtureRequest, lanes: Lanes) -> Lanes:
    lanes.start("hot", Path(request.param[1]))
    return lanes


def _bad_histogram(name: str, number: int) -> Metric:
    """Hot says 500 to it and always will: its count is not the sum of its buckets."""
    metric = Metric(name=name)
    metric.exponential_histogram.aggregation_temporality = AGGREGATION_TEMPORALITY_CUMULATIVE
    point = metric.exponential_histogram.data_points.add()
    point.time_unix_nano = time.time_ns()
    point.count = 10
    point.sum = 1.0
    point.scale = 3
    point.positive.bucket_counts.extend([10, 10, 7])
    point.attributes.extend(attributes({"n": str(number)}))
    return metric


def test_a2_all_of_one_customer_answered_500_holds_nobody_up(lanes: Lanes) -> None:
    destination = lanes.serve()
    destination.script = lambda customer, path, body: 500 if customer == "cliente-a" else 204
    lanes.configure(hot=lanes.destination_url)
    lanes.start("collector")
    with Neighbour(lanes, newest_taken(destination)) as b:
        lanes.send_metrics("cliente-a", *(gauge(f"probe_{n}", [(now_ms(), 1.0)]) for n in range(30)))
        time.sleep(20)
    assert b.worst < FRESH_SECONDS
    assert lanes.settle("cliente-b", HOT)["sent"] > 50
    book = lanes.books("cliente-a", HOT)
    assert (book.get("dropped", 0), book["queued"]) == (0, 30)
    assert lanes.gauge_of("vigia_exporter_side_items", HOT) == 30
    assert lanes.gauge_of("vigia_exporter_oldest_waiting_seconds", HOT) > 15
    destination.script = lambda customer, path, body: 204
    assert lanes.settle("cliente-a", HOT)["sent"] == 30


def test_a2_one_series_answered_500_costs_that_series(lanes: Lanes) -> None:
    destination = lanes.serve()
    destination.script = lambda customer, path, body: 500 if b"probe_13" in body else 204
    lanes.configure(hot=lanes.destination_url, give_up_after="3s")
    lanes.start("collector")
    with Neighbour(lanes, newest_taken(destination)) as b:
        for _ in range(4):
            lanes.send_metrics("cliente-a", *(gauge(f"probe_{n}", [(now_ms(), 1.0)]) for n in range(10, 70)))
            time.sleep(5)
        book = lanes.settle("cliente-a", HOT)
    assert b.worst < FRESH_SECONDS
    assert (book["sent"], book["dropped"]) == (4 * 59, 4)
    letters = (lanes.folder / "log" / "dead-letters" / "prometheusremotewrite~hot-0.jsonl").read_text().splitlines()
    assert [json.loads(letter)["content"][:8] for letter in letters] == ["probe_13"] * 4


def test_a_passing_500_for_all_costs_nothing(lanes: Lanes) -> None:
    destination = lanes.serve()
    destination.script = lambda customer, path, body: 500
    lanes.configure(hot=lanes.destination_url, give_up_after="1s")
    lanes.start("collector")
    for n in range(5):
        for customer in ("cliente-a", "cliente-b"):
            lanes.send_metrics(customer, gauge(f"probe_{n}", [(now_ms(), 1.0)]))
        time.sleep(1)
    time.sleep(5)
    assert lanes.gauge_of("vigia_exporter_side_items", HOT) == 0
    destination.script = lambda customer, path, body: 204
    for customer in ("cliente-a", "cliente-b"):
        assert lanes.settle(customer, HOT)["sent"] == 5


@pytest.mark.parametrize("status", [301, 308, 401, 403, 404, 405, 407, 408, 415])
def test_what_speaks_of_the_set_up_drops_nothing(lanes: Lanes, status: int) -> None:
    destination = lanes.serve()
    destination.script = lambda customer, path, body: status
    lanes.configure(hot=lanes.destination_url, cold=lanes.destination_url, give_up_after="1s")
    lanes.start("collector")
    lanes.send_metrics("cliente-a", gauge("probe", [(now_ms(), 1.0)]))
    assert lanes.send("cliente-a", log_lines("cliente-a", 3), "logs").status_code == 200
    time.sleep(4)
    assert lanes.books("cliente-a", HOT)["queued"] == 1
    assert lanes.books("cliente-a", OTLP, "logs")["queued"] == 3
    destination.script = lambda customer, path, body: 204 if "write" in path else 200
    assert lanes.settle("cliente-a", HOT)["sent"] == 1
    assert lanes.settle("cliente-a", OTLP, "logs")["sent"] == 3


def test_one_customers_requests_that_time_out_hold_nobody_up(lanes: Lanes) -> None:
    destination = lanes.serve()
    destination.script = lambda customer, path, body: 0 if customer == "cliente-a" else 204
    lanes.configure(hot=lanes.destination_url)
    lanes.start("collector")
    with Neighbour(lanes, newest_taken(destination)) as b:
        for n in range(20):
            lanes.send_metrics("cliente-a", gauge("probe_a", [(now_ms(), float(n))]))
            time.sleep(1)
    assert b.worst < FRESH_SECONDS
    assert lanes.books("cliente-a", HOT)["queued"] == 20
    destination.script = lambda customer, path, body: 204
    destination.hangs.set()
    assert lanes.settle("cliente-a", HOT)["sent"] == 20


def test_many_customers_that_hang_take_no_connections_from_others(lanes: Lanes) -> None:
    hanging = [f"cliente-{letter}" for letter in "cdefghijklmn"]
    with (lanes.folder / "customers.yaml").open("a") as file:
        for customer in hanging:
            file.write(
                f"  - {{id: {customer}, name: H, hot_shard: hot-0, tokens: [{{token: token-{customer[-1]}, scope: ingest}}]}}\n"
            )
    destination = lanes.serve()
    destination.script = lambda customer, path, body: 0 if customer in hanging else 204
    lanes.configure(hot=lanes.destination_url)
    lanes.start("collector")
    with Neighbour(lanes, newest_taken(destination)) as b:
        for n in range(10):
            for customer in hanging:
                lanes.send_metrics(customer, gauge("probe", [(now_ms(), float(n))]))
            time.sleep(1)
    # Their first requests come in two groups of eight at most, each of which is waited for once.
    assert b.worst < 2 * FRESH_SECONDS
    assert lanes.books("cliente-c", HOT)["queued"] == 10


def test_d01_histograms_that_hot_never_takes_hold_nobody_up(hot: Lanes) -> None:
    hot.configure(give_up_after="5s")
    hot.start("collector")
    with Neighbour(hot, newest_in_hot(hot)) as b:
        for _ in range(3):
            bad = [_bad_histogram("probe_bad", n) for n in range(10)]
            good = [gauge(f"probe_good_{n}", [(now_ms(), 1.0)]) for n in range(40)]
            hot.send_metrics("cliente-a", *good[:20], *bad, *good[20:])
            time.sleep(10)
        # Intake may refuse such points by now; then they never come here.
        book = hot.settle("cliente-a", HOT, seconds=90)
    assert b.worst < FRESH_SECONDS
    assert book["sent"] == 120
    assert book.get("dropped", 0) + book.get("rejected", 0) == 30
    assert hot.count('{__name__=~"probe_good_.*"}') == 40


def test_b1_one_histogram_alone_holds_nobody_up(hot: Lanes) -> None:
    hot.configure(give_up_after="5s")
    hot.start("collector")
    hot.send("cliente-a", metrics_request(resource_of("cliente-a"), _bad_histogram("probe_bad", 1)).SerializeToString())
    with Neighbour(hot, newest_in_hot(hot)) as b:
        time.sleep(15)
        book = hot.settle("cliente-a", HOT)
    assert b.worst < FRESH_SECONDS
    assert book.get("dropped", 0) + book.get("rejected", 0) == 1


@pytest.mark.parametrize("conflicts", [20, 60, 300])
def test_a5_conflicting_series_take_no_good_ones_with_them(hot: Lanes, conflicts: int) -> None:
    hot.configure()
    hot.start("collector")
    now = now_ms()
    hot.send_metrics("cliente-a", *(gauge(f"probe_conflict_{n}", [(now - 5000, 1.0)]) for n in range(conflicts)))
    wait_for("the first values", lambda: hot.count('{__name__=~"probe_conflict_.*"}') == conflicts)
    mixed: list[Metric] = [gauge(f"probe_good_{n}", [(now, 1.0)]) for n in range(4000)]
    step = 4000 // conflicts
    for n in range(conflicts):
        mixed.insert(n * (step + 1), gauge(f"probe_conflict_{n}", [(now - 5000, 2.0)]))
    with Neighbour(hot, newest_in_hot(hot)) as b:
        hot.send_metrics("cliente-a", *mixed)
        book = hot.settle("cliente-a", HOT)
    assert hot.count('{__name__=~"probe_good_.*"}') == 4000
    assert book["dropped"] == conflicts
    assert b.worst < FRESH_SECONDS


def test_cold_counts_as_dropped_what_storage_says(lanes: Lanes) -> None:  # A5, D28
    lanes.start("storage")
    lanes.configure(exporters=COLD)
    lanes.start("collector")
    now = now_ms()
    lanes.send_metrics("cliente-a", *(gauge(f"probe_conflict_{n}", [(now - 5000, 1.0)]) for n in range(60)))
    assert lanes.settle("cliente-a", COLD)["sent"] == 60
    good = [gauge(f"probe_good_{n}", [(now, 1.0)]) for n in range(400)]
    bad = [gauge(f"probe_conflict_{n}", [(now - 5000, 2.0)]) for n in range(60)]
    lanes.send_metrics("cliente-a", *good[:200], *bad, *good[200:])
    book = lanes.settle("cliente-a", COLD)
    assert (book["sent"], book["dropped"]) == (460, 60)


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

    def take(customer: str, path: str, body: bytes) -> int:
        taken["requests"] += customer == "cliente-a"
        return 204

    destination.script = take
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
    assert lanes.rss_peak < RSS_MAX, lanes.rss_peak >> 20


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
    for _ in range(10):
        assert lanes.send("cliente-b", log_lines("cliente-b", 1), "logs").status_code == 200
        began = time.monotonic()
        lanes.settle("cliente-b", OTLP, "logs", 30)
        worst = max(worst, time.monotonic() - began)
        time.sleep(0.5)
    assert worst < 10
    assert lanes.settle("cliente-a", OTLP, "logs", 240).get("dropped", 0) == 0
    assert lanes.rss_peak < RSS_MAX, lanes.rss_peak >> 20


def test_a9_many_short_lines_hold_no_other_lines_up(lanes: Lanes) -> None:
    """One record of 600,000 lines, as an older version took it: storage gets it in requests that it takes in time."""
    lanes.start("storage")
    count = 600_000
    write_segment(lanes.folder / "log", [("cliente-a", "logs", count, log_lines("cliente-a", count))])
    lanes.configure(exporters=COLD, timeout="10s")
    lanes.start("collector")
    worst = 0.0
    for _ in range(10):
        assert lanes.send("cliente-b", log_lines("cliente-b", 1), "logs").status_code == 200
        began = time.monotonic()
        lanes.settle("cliente-b", OTLP, "logs", 20)
        worst = max(worst, time.monotonic() - began)
        time.sleep(0.5)
    assert worst < 10
    book = lanes.settle("cliente-a", OTLP, "logs", 120)
    print(f"RSS at most {lanes.rss_peak >> 20} MiB, B's line at most {worst:.1f} s")
    assert (book.get("dropped", 0), book["sent"]) == (0, count)
    assert lanes.rss_peak < RSS_MAX


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


def _wide_gauges(customer: str, first: int, count: int) -> bytes:
    """Some 1 KiB on the way out each."""
    wide = {**resource_of(customer), "service.name": "s" * 900}
    series = [gauge(f"probe_{n}", [(now_ms(), 1.0)]) for n in range(first, first + count)]
    body: bytes = metrics_request(wide, *series).SerializeToString()
    return body


def test_a_required_destination_loses_nothing_at_the_side_queues_share(lanes: Lanes) -> None:
    """Over its share aside A is refused retryably, B is not, and all that was acknowledged arrives."""
    share = 64 << 10
    destination = lanes.serve()
    destination.script = lambda customer, path, body: 503  # all of it waits in the log
    lanes.configure(cold=lanes.destination_url, exporters=COLD, side_share="64KiB")
    lanes.start("collector")
    taken = 0
    for _ in range(60):  # two windows of 8 MiB on the way out
        assert lanes.send("cliente-a", _wide_gauges("cliente-a", taken, 200)).status_code == 200
        taken += 200
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
    assert all(f"probe_{n}".encode() in arrived for n in range(taken))
    assert lanes.send("cliente-a", _wide_gauges("cliente-a", taken, 1)).status_code == 200
    assert lanes.settle("cliente-a", COLD)["sent"] == book["sent"] + 1


def _grows_to(mib: int) -> bytes:
    """Points of one series under labels of 10 KB: so many MiB on the way out, within intake's limits."""
    wide = {
        **resource_of("cliente-a"),
        "service.name": "s" * 2000,
        "node.region": "r" * 2000,
        "environment": "e" * 2000,
    }
    now, points = now_ms(), mib * 1024 // 6
    body: bytes = metrics_request(
        wide, gauge("probe_grows", [(now - n, 1.0) for n in range(points)])
    ).SerializeToString()
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
    assert lanes.rss_peak < RSS_MAX
    assert b.worst < FRESH_SECONDS + 5  # the restart
    destination.script = lambda customer, path, body: 204
    book = lanes.settle("cliente-a", COLD, seconds=120)
    assert book.get("dropped", 0) == 0
    assert book["sent"] >= points > 0


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
            while time.monotonic() < until:
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
