"""No destination is one customer's to stop: the collector against a real store that misbehaves for one of them."""

from __future__ import annotations

import json
import time
from collections.abc import Container, Iterator
from pathlib import Path
from statistics import quantiles
from typing import Any

import pytest
from collector_lanes import (
    COLD,
    FRESH_SECONDS,
    HOT,
    LOGS,
    METRICS,
    OTLP,
    TRACES,
    Kind,
    Lanes,
    Neighbour,
    Script,
    log_lines,
    newest_in_hot,
    newest_taken,
    now_ms,
)
from disk_log_files import write_segment, write_side_entry
from kills import RUNS_OR_KILLED, killed_in_the_middle
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_CUMULATIVE, Metric
from otlp import attributes, gauge, metrics_request, rejected_points, resource_of
from remote_write import Histogram, one_histogram, one_sample
from stack import wait_for, with_more_of

RESTART_SECONDS = 5.0
# Metrics go one way, logs and traces another; each with and without a kill would only take longer.
KINDS = [(METRICS, False), (METRICS, True), (LOGS, False), (TRACES, True)]
OTHER_KINDS = [(METRICS, False), (METRICS, True), (TRACES, False), (LOGS, True)]


def of_kinds(kinds: list[tuple[Kind, bool]]) -> pytest.MarkDecorator:
    ids = [f"{kind}, {'killed' if is_killed else 'runs on'}" for kind, is_killed in kinds]
    return pytest.mark.parametrize(("kind", "is_killed"), kinds, ids=ids)


def _taken(path: str) -> int:
    return 204 if path.endswith("/write") else 200


def take(customer: str, path: str, body: bytes) -> int:
    return _taken(path)


def answering(status: int, customers: Container[str]) -> Script:
    """To all that those customers send; what others send is taken."""
    return lambda customer, path, body: status if customer in customers else _taken(path)


def letters_of(lanes: Lanes, exporter: str) -> list[dict[str, Any]]:
    file = lanes.folder / "log" / "dead-letters" / f"{exporter.replace('/', '~')}.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


@pytest.fixture
def lanes(tmp_path: Path) -> Iterator[Lanes]:
    made = Lanes(tmp_path)
    yield made
    made.end()


@pytest.fixture(params=with_more_of("3.x"))
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


@of_kinds(KINDS)
def test_a2_all_of_one_customer_answered_500_holds_nobody_up(lanes: Lanes, kind: Kind, is_killed: bool) -> None:
    destination = lanes.serve()
    destination.script = answering(500, ["cliente-a"])
    lanes.configure(hot=lanes.destination_url, cold=lanes.destination_url)
    lanes.start("collector")
    names = [f"probe_{n}" for n in range(10, 40)]
    with Neighbour(lanes, newest_taken(destination), kind) as b:
        lanes.send_items(kind, "cliente-a", names)
        killed_in_the_middle(lanes, "collector", 12, is_killed)
    assert b.worst < FRESH_SECONDS + RESTART_SECONDS * is_killed
    assert lanes.settle("cliente-b", kind.exporter, kind.signal)["sent"] > 20
    book = lanes.books("cliente-a", kind.exporter, kind.signal)
    assert (book.get("dropped", 0), book["queued"]) == (0, 30)
    assert book.get("queued_at_start", 0) == 30 * is_killed
    assert lanes.gauge_of("vigia_exporter_side_items", kind.exporter) == 30
    assert lanes.gauge_of("vigia_exporter_side_oldest_seconds", kind.exporter) > 9
    assert lanes.gauge_of("vigia_exporter_oldest_waiting_seconds", kind.exporter) < 9, "it delays nobody else"
    assert b"probe_1" not in destination.arrived("cliente-a")
    destination.script = take
    assert lanes.settle("cliente-a", kind.exporter, kind.signal)["sent"] == 30
    arrived = destination.arrived("cliente-a")
    assert [name for name in names if name.encode() not in arrived] == []


POISON = "zq7x_k9vw"  # letters that Snappy finds nowhere before


def _steady(lanes: Lanes) -> None:
    """Customer A's 500 points, twenty times a second less what sending them takes."""
    names = [f"steady_{n}" for n in range(499)] + [POISON]
    lanes.send_metrics("cliente-a", *(gauge(name, [(now_ms(), 1.0)]) for name in names))
    time.sleep(0.05)


@pytest.mark.alone  # compares delays
@pytest.mark.parametrize(
    "content", [pytest.param("", id="all", marks=pytest.mark.thorough), pytest.param(POISON, id="one series")]
)
def test_a2_hot_answers_500_for_one_customer_and_the_other_is_as_calm_as_before(hot: Lanes, content: str) -> None:
    """Windows that hold A's data alone are not the place to find out, again and again, that hot does not take it."""
    hot.start_sick_hot("cliente-c")  # of whom there is nothing: as calm as it gets
    hot.configure(hot=f"http://{hot.host}:9091")
    hot.start("collector")

    def behind(seconds: float) -> float:
        """Of nine looks in ten B was less than this behind."""
        until = time.monotonic() + seconds
        with Neighbour(hot, newest_in_hot(hot)) as b:
            while time.monotonic() < until:
                _steady(hot)
        return quantiles(b.seen, n=10)[-1]

    calm = behind(8)
    hot.kill("sick")
    hot.start_sick_hot("cliente-a", *(["--content", content] if content else []))
    sick = behind(12)
    print(f"\nB was behind hot by {calm:.2f} s, and {sick:.2f} s where hot answers 500 for A")
    assert sick < calm + 0.3
    assert hot.books("cliente-b", HOT).get("dropped", 0) == 0
    assert hot.books("cliente-a", HOT).get("dropped", 0) == 0
    hot.kill("sick")
    hot.start_sick_hot("cliente-c")
    # Suspects take their time.
    poisoned = hot.books("cliente-a", HOT)["received"] / 500 if content else 0
    wait_for("A's is taken", lambda: hot.books("cliente-a", HOT)["queued"] <= poisoned, 60)
    assert hot.books("cliente-a", HOT).get("dropped", 0) == 0
    assert hot.count('{__name__=~"steady_.*"}') == 499


@of_kinds(OTHER_KINDS)
def test_a2_one_item_answered_500_costs_that_item(lanes: Lanes, kind: Kind, is_killed: bool) -> None:
    destination = lanes.serve()
    destination.script = lambda customer, path, body: 500 if b"probe_13" in body else _taken(path)
    lanes.configure(hot=lanes.destination_url, cold=lanes.destination_url, give_up_after="3s")
    lanes.start("collector")
    names = [f"probe_{n}" for n in range(10, 70)]
    with Neighbour(lanes, newest_taken(destination), kind) as b:
        for n in range(4):
            lanes.send_items(kind, "cliente-a", names)
            killed_in_the_middle(lanes, "collector", 2.5, is_killed and n == 1)
        book = lanes.settle("cliente-a", kind.exporter, kind.signal)
    assert b.worst < FRESH_SECONDS + RESTART_SECONDS * is_killed
    letters = letters_of(lanes, kind.exporter)
    assert all(b"probe_13" in bytes.fromhex(letter["message"]) for letter in letters)
    if kind is METRICS:
        assert {letter["content"][:8] for letter in letters} == {"probe_13"}
    if is_killed:  # what was under way comes twice
        assert 4 <= len(letters) <= 8
    else:
        assert (book["sent"], book["dropped"], len(letters)) == (4 * 59, 4, 4)
    arrived = destination.arrived("cliente-a")
    assert [name for name in names if arrived.count(name.encode()) < 4] == ["probe_13"]


@RUNS_OR_KILLED
def test_a_passing_500_for_all_costs_nothing(lanes: Lanes, is_killed: bool) -> None:
    destination = lanes.serve()
    destination.script = lambda customer, path, body: 500
    lanes.configure(hot=lanes.destination_url, give_up_after="1s")
    lanes.start("collector")
    customers = ("cliente-a", "cliente-b")
    for n in range(5):
        for customer in customers:
            lanes.send_items(METRICS, customer, [f"probe_{n}"])
        time.sleep(1)
    killed_in_the_middle(lanes, "collector", 5, is_killed)
    assert lanes.gauge_of("vigia_exporter_side_items", HOT) == 0
    destination.script = take
    for customer in customers:
        assert lanes.settle(customer, HOT)["sent"] == 5
        arrived = destination.arrived(customer)
        assert all(f"probe_{n}".encode() in arrived for n in range(5))


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


@of_kinds(KINDS)
def test_one_customers_requests_that_time_out_hold_nobody_up(lanes: Lanes, kind: Kind, is_killed: bool) -> None:
    destination = lanes.serve()
    destination.script = answering(0, ["cliente-a"])
    lanes.configure(hot=lanes.destination_url, cold=lanes.destination_url)
    lanes.start("collector")
    names = [f"probe_{n}" for n in range(10, 22)]
    with Neighbour(lanes, newest_taken(destination), kind) as b:
        for name in names:
            lanes.send_items(kind, "cliente-a", [name])
            killed_in_the_middle(lanes, "collector", 1, is_killed and name == names[len(names) // 2])
    assert b.worst < FRESH_SECONDS + RESTART_SECONDS * is_killed
    assert lanes.books("cliente-a", kind.exporter, kind.signal)["queued"] >= len(names)
    destination.script = take
    destination.hangs.set()
    book = lanes.settle("cliente-a", kind.exporter, kind.signal)
    assert book.get("dropped", 0) == 0
    assert book["sent"] == len(names) or is_killed  # what went aside just before it comes twice
    arrived = destination.arrived("cliente-a")
    assert [name for name in names if name.encode() not in arrived] == []


@pytest.mark.parametrize("kind", [METRICS, LOGS], ids=str)
def test_a_request_that_times_out_is_cut_until_it_is_taken(lanes: Lanes, kind: Kind) -> None:
    """The store manages no more than 200 KB in time: all of 600 KB arrives, and nobody waits for it."""
    largest = 200_000
    destination = lanes.serve()
    timed_out: list[int] = []

    def script(customer: str, path: str, body: bytes) -> int:
        if len(body) <= largest:
            return _taken(path)
        timed_out.append(len(body))
        return 0

    destination.script = script
    lanes.configure(hot=lanes.destination_url, cold=lanes.destination_url, timeout="1s", give_up_after="2s")
    lanes.start("collector")
    names = [f"probe_{n}_{'x' * 900}" for n in range(600)]
    with Neighbour(lanes, newest_taken(destination), kind) as b:
        lanes.send_items(kind, "cliente-a", names)
        wait_for("the whole was tried", lambda: timed_out, 20)
        book = lanes.settle("cliente-a", kind.exporter, kind.signal, 90)
    assert max(timed_out) > 400_000
    assert len(timed_out) < 20, "what is learnt of one request holds for the next"
    assert (book.get("dropped", 0), book["sent"]) == (0, len(names))
    arrived = destination.arrived("cliente-a")
    assert [n for n in range(len(names)) if f"probe_{n}_".encode() not in arrived] == []
    assert b.worst < FRESH_SECONDS


@pytest.mark.parametrize(
    "slow",
    [
        pytest.param(["cliente-a"], id="one", marks=pytest.mark.thorough),
        pytest.param(["cliente-a", "cliente-c"], id="two at once"),
    ],
)
def test_slow_answers_to_much_data_keep_nobody_waiting(lanes: Lanes, slow: list[str]) -> None:
    """Each request is answered within its time, and taken: 12 windows of them were 15 s each for everybody."""
    with (lanes.folder / "customers.yaml").open("a") as file:
        file.write("  - {id: cliente-c, name: C, hot_shard: hot-0, tokens: [{token: token-c, scope: ingest}]}\n")
    destination = lanes.serve()

    def script(customer: str, path: str, body: bytes) -> int:
        time.sleep(2 if customer in slow else 0)
        return _taken(path)

    destination.script = script
    lanes.configure(hot=lanes.destination_url, timeout="10s")
    lanes.start("collector")
    series = {n: [f"probe_{n}_{m}_{'x' * 1_900}" for m in range(1_000)] for n in range(20)}
    with Neighbour(lanes, newest_taken(destination)) as b:
        for names in series.values():
            for customer in slow:
                lanes.send_items(METRICS, customer, names)
        time.sleep(15)  # B goes on being watched
    print(f"B at most {b.worst:.1f} s behind")
    assert b.worst < FRESH_SECONDS
    destination.script = take
    for customer in slow:
        book = lanes.settle(customer, HOT, seconds=90)
        assert (book.get("dropped", 0), book["sent"]) == (0, 20_000)
        arrived = destination.arrived(customer)
        assert [n for n in series if f"probe_{n}_999_".encode() not in arrived] == []


@RUNS_OR_KILLED
def test_many_customers_that_hang_take_no_connections_from_others(lanes: Lanes, is_killed: bool) -> None:
    hanging = [f"cliente-{letter}" for letter in "cdefghijklmn"]
    with (lanes.folder / "customers.yaml").open("a") as file:
        for customer in hanging:
            file.write(
                f"  - {{id: {customer}, name: H, hot_shard: hot-0, tokens: [{{token: token-{customer[-1]}, scope: ingest}}]}}\n"
            )
    destination = lanes.serve()
    destination.script = answering(0, hanging)
    lanes.configure(hot=lanes.destination_url)
    lanes.start("collector")
    with Neighbour(lanes, newest_taken(destination)) as b:
        for n in range(10):
            for customer in hanging:
                lanes.send_items(METRICS, customer, [f"probe_{n}"])
            killed_in_the_middle(lanes, "collector", 1, is_killed and n == 5)
    # Their first requests come in two groups of eight at most, each of which is waited for once.
    assert b.worst < 2 * FRESH_SECONDS + RESTART_SECONDS * is_killed
    queued = lanes.books("cliente-c", HOT)["queued"]
    assert queued >= 10 if is_killed else queued == 10
    destination.script = take
    destination.hangs.set()
    for customer in hanging:
        assert lanes.settle(customer, HOT).get("dropped", 0) == 0
        arrived = destination.arrived(customer)
        assert all(f"probe_{n}".encode() in arrived for n in range(10)), customer


# Hot says 500 to it and always will: its count is not the sum of its buckets.
BAD_HISTOGRAM = Histogram(10, 1.0, 3, 0.0, 0, (0, [10, 10, 7]), (0, []))


def _set_aside_by_an_older_version(hot: Lanes, good: int, bad: int) -> None:
    """Series that hot takes, and between them histograms that it never does, which intake refuses by now."""
    labels = {"customer_id": "cliente-a"}
    taken = [one_sample({"__name__": f"probe_good_{n}", **labels}, now_ms(), 1.0) for n in range(good)]
    never = [
        one_histogram({"__name__": "probe_bad", "n": str(n), **labels}, BAD_HISTOGRAM, now_ms()) for n in range(bad)
    ]
    folder = hot.folder / "log" / "side" / HOT.replace("/", "~")
    write_side_entry(folder, "cliente-a", taken[: good // 2] + never + taken[good // 2 :])


@RUNS_OR_KILLED
def test_d01_histograms_that_hot_never_takes_hold_nobody_up(hot: Lanes, is_killed: bool) -> None:
    """What is good among them arrives, each bad one is given up after its time, by what hot itself says."""
    good = bad = 40
    _set_aside_by_an_older_version(hot, good, bad)
    hot.configure(give_up_after="3s")
    hot.start("collector")
    assert hot.books("cliente-a", HOT)["queued_at_start"] == good + bad
    with Neighbour(hot, newest_in_hot(hot)) as b:
        hot.send_items(METRICS, "cliente-a", ["probe_more"])
        wait_for("the good ones are in", lambda: hot.count('{__name__=~"probe_good_.*"}') == good, 20)
        killed_in_the_middle(hot, "collector", 2, is_killed)
        book = hot.settle("cliente-a", HOT, seconds=90)
    assert b.worst < FRESH_SECONDS + RESTART_SECONDS * is_killed
    assert hot.count("probe_more") == 1
    assert hot.count('{__name__=~"probe_bad.*"}') == 0
    letters = letters_of(hot, HOT)
    assert {letter["why"][:8] for letter in letters} == {"HTTP 500"}, letters[0]["why"]
    assert len({letter["content"].partition(" histogram@")[0] for letter in letters}) == bad
    assert book["dropped"] == bad
    if not is_killed:
        assert (book["sent"], len(letters)) == (good + 1, bad)


def test_b1_one_histogram_alone_holds_nobody_up(hot: Lanes) -> None:
    _set_aside_by_an_older_version(hot, 0, 1)
    body = metrics_request(resource_of("cliente-a"), _bad_histogram("probe_bad", 1)).SerializeToString()
    write_segment(hot.folder / "log", [("cliente-a", "metrics", 1, body)])
    hot.configure(give_up_after="3s")
    hot.start("collector")
    answer = hot.send("cliente-a", body)
    assert (answer.status_code, rejected_points(answer)) == (200, 1)  # intake's own check
    with Neighbour(hot, newest_in_hot(hot)) as b:
        killed_in_the_middle(hot, "collector", 2)
        book = hot.settle("cliente-a", HOT)
    assert b.worst < FRESH_SECONDS + RESTART_SECONDS
    assert book["dropped"] == 1
    # One was in the log, and has no form that could be sent.
    assert sorted(letter["why"][:8] for letter in letters_of(hot, HOT)) == ["1 points", "HTTP 500"]


@pytest.mark.parametrize(("conflicts", "is_killed"), [(20, False), (60, True), (300, False)])
def test_a5_conflicting_series_take_no_good_ones_with_them(hot: Lanes, conflicts: int, is_killed: bool) -> None:
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
        killed_in_the_middle(hot, "collector", 0.2 * is_killed, is_killed)
        book = hot.settle("cliente-a", HOT)
    assert hot.count('{__name__=~"probe_good_.*"}') == 4000
    if is_killed:  # some were given up in the life before
        assert len({letter["content"].partition(" ")[0] for letter in letters_of(hot, HOT)}) == conflicts
    else:
        assert book["dropped"] == conflicts
    assert b.worst < FRESH_SECONDS + RESTART_SECONDS * is_killed


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
