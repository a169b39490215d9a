"""vigia-storage on a real Cassandra node: what it has acknowledged outlives kill -9, and the loss of its machine."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import log_finding
import pytest
import requests
import span_finding
from cassandra_server import OwnCassandra
from cold_store import TOKEN, StorageAlone
from otlp import log_request, post, resource_of
from remote_read import SAMPLES, post_read, read_request, rolled_request, samples_of
from remote_write import write
from stack import wait_for

pytestmark = pytest.mark.cassandra

CUSTOMER = "cliente-a"
HEADERS = {**TOKEN, "X-Vigia-Customer": CUSTOMER}

_STORAGE = """
listen: {host}:9096
metrics: {{listen: "{host}:9196"}}
internal_token: secret
store:
  cassandra:
    {{directory: "{folder}", contact_points: ["{node}"], keyspace: {keyspace}, replication_factor: 1, lease: {lease}, gather: 1s}}
retention: {{raw: {raw}, interval: 1s}}
"""
_DAY_MS = 86_400_000
_DUE = "vigia_storage_rollup_days_due"
_ROLLED = "vigia_storage_rollup_days_total"
_WAITING = "vigia_storage_closed_chunks_waiting_bytes"


class StorageOnCassandra(StorageAlone):
    ready_seconds = 150  # the first start on a keyspace makes some forty tables

    def __init__(self, folder: Path, node: str, keyspace: str, lease: str = "60s") -> None:
        folder.mkdir(exist_ok=True)
        super().__init__(folder)
        self.words = {"host": self.host, "folder": self.folder, "node": node, "keyspace": keyspace, "lease": lease}
        self.keep_raw("30d")

    def keep_raw(self, how_long: str) -> None:
        """From its next start on."""
        self.config.write_text(_STORAGE.format(**self.words, raw=how_long))

    def read(self, metric: str) -> dict[tuple[tuple[str, str], ...], dict[int, float]]:
        answer = post_read(self.url, read_request([(metric, 0, 2**62)]), SAMPLES, HEADERS)
        assert answer.status_code == 200, answer.text
        return samples_of(answer)


def labels(series: int) -> dict[str, str]:
    return {"__name__": "probe", "customer_id": CUSTOMER, "series": str(series)}


def yesterday_ms(hour: int) -> int:
    """Far from midnight, before which the next day is noted, too."""
    return (int(time.time()) // 86_400 - 1) * 86_400_000 + hour * 3_600_000


def send(storage: StorageAlone, series: range, times: range) -> None:
    """One request for each time, all acknowledged; a sample's value is its series' number."""
    for time_ms in times:
        write(storage.url, [(labels(one), [(time_ms, float(one))]) for one in series], HEADERS)


def test_what_was_acknowledged_is_there_after_a_kill_and_another_instance_finds_it(
    cassandra: OwnCassandra, tmp_path: Path
) -> None:
    """Four hours of 20 series, so that chunks are closed; kill -9; the same is read, by another instance what is in the cluster."""
    storage = StorageOnCassandra(tmp_path / "one", cassandra.node.contact_point, "kept")
    storage.start()
    begin = yesterday_ms(6)
    times = range(begin, begin + 4 * 3_600_000, 60_000)
    send(storage, range(20), times)
    wanted = {tuple(sorted(labels(one).items())): {ms: float(one) for ms in times} for one in range(20)}
    assert storage.read("probe") == wanted
    log = log_request(resource_of(CUSTOMER), "kept")
    answer = post(storage.url, "secret", log.SerializeToString(), signal="logs", headers={"X-Vigia-Customer": CUSTOMER})
    assert answer.status_code == 200, answer.text
    wait_for("closed chunks are in the cluster", lambda: storage.metrics().get(_WAITING) == 0)
    storage.kill()
    storage.start()
    assert storage.read("probe") == wanted
    storage.kill()
    other = StorageOnCassandra(tmp_path / "two", cassandra.node.contact_point, "kept")
    other.start()
    try:
        assert other.count_series(CUSTOMER, begin, times[-1]) == 20
        found = other.read("probe")
        assert set(found) == set(wanted)
        assert all(set(found[key].items()) <= set(wanted[key].items()) for key in wanted)
        assert min(len(samples) for samples in found.values()) >= 60, "closed chunks are the cluster's"
        span = {"start": "0", "end": str(time.time() + 60)}
        records = requests.get(f"{other.url}/api/v1/logs", params=span, headers=HEADERS, timeout=30)
        assert records.status_code == 200, records.text
        assert "kept" in records.text
    finally:
        other.kill()


def test_every_acknowledged_span_is_found_after_kills(cassandra: OwnCassandra, tmp_path: Path) -> None:
    """By service and operation, in pages, each trace once; storage is killed six times while it acknowledges."""
    storage = StorageOnCassandra(tmp_path / "spans", cassandra.node.contact_point, "spans")
    storage.start()
    try:
        span_finding.find_after_kills(storage)
    finally:
        storage.kill()


def test_every_acknowledged_record_is_found_by_its_stream_after_kills(cassandra: OwnCassandra, tmp_path: Path) -> None:
    """Forward and backward, in pages, each record once and in order; storage is killed six times while it acknowledges."""
    storage = StorageOnCassandra(tmp_path / "streams", cassandra.node.contact_point, "streams")
    storage.start()
    try:
        log_finding.find_after_kills(storage)
    finally:
        storage.kill()


Maker = Callable[[str, str, str], StorageOnCassandra]


@pytest.fixture
def make(cassandra: OwnCassandra, tmp_path: Path) -> Iterator[Maker]:
    """Instances by name, keyspace and lease; killed at the end, however it came."""
    made: list[StorageOnCassandra] = []

    def one(name: str, keyspace: str, lease: str) -> StorageOnCassandra:
        made.append(StorageOnCassandra(tmp_path / name, cassandra.node.contact_point, keyspace, lease))
        return made[-1]

    yield one
    for instance in made:
        instance.kill()


class Sender(threading.Thread):
    """One request after the other until one is not acknowledged; what was."""

    def __init__(self, storage: StorageAlone, customers: list[str], begin: int) -> None:
        super().__init__()
        self.storage = storage
        self.customers = customers
        self.begin = begin
        self.acknowledged: dict[str, dict[int, float]] = {customer: {} for customer in customers}

    def run(self) -> None:
        for number in range(100_000):
            for customer in self.customers:
                ms = self.begin + number * 15_000
                series = {"__name__": "probe", "customer_id": customer}
                headers = {**TOKEN, "X-Vigia-Customer": customer}
                try:
                    write(self.storage.url, [(series, [(ms, float(number))])], headers)
                except (requests.RequestException, AssertionError):
                    return
                self.acknowledged[customer][ms] = float(number)

    def await_number(self, number: int) -> None:
        wait_for("requests are acknowledged", lambda: len(self.acknowledged[self.customers[-1]]) >= number, 120)


def read_of(storage: StorageAlone, customer: str) -> dict[int, float]:
    headers = {**TOKEN, "X-Vigia-Customer": customer}
    answer = post_read(storage.url, read_request([("probe", 0, 2**62)]), SAMPLES, headers)
    assert answer.status_code == 200, answer.text
    found = samples_of(answer)
    assert len(found) <= 1
    return next(iter(found.values()), {})


def is_taken_over(storage: StorageAlone, number: int) -> bool:
    return storage.metrics().get("vigia_storage_instances_taken_over_total") == number


def lose_disk(storage: StorageAlone) -> None:
    shutil.rmtree(storage.folder)
    storage.folder.with_name(storage.folder.name + ".known").unlink()


def test_a_machine_that_is_lost_with_its_disk_loses_nothing(make: Maker) -> None:
    """Killed while it acknowledges, and its folder is gone: another has all of it, once, and closes it into the cluster."""
    one, two = (make(name, "lost", "3s") for name in ("one", "two"))
    one.start()
    two.start()
    sender = Sender(one, ["cliente-a", "cliente-b"], yesterday_ms(6))
    sender.start()
    sender.await_number(700)  # three hours: some of it is in closed chunks
    one.kill()
    sender.join()
    lose_disk(one)
    wait_for("it is taken over", lambda: is_taken_over(two, 1), 60)
    begin = sender.begin
    for customer, acknowledged in sender.acknowledged.items():
        found = read_of(two, customer)
        assert acknowledged.items() <= found.items()
        # One request was under way when it ended, and may be there.
        assert set(found) - set(acknowledged) <= {begin + len(acknowledged) * 15_000}
    assert two.metrics()["vigia_storage_samples_taken_over_total"] > 0
    for customer in sender.customers:  # a chunk ends where the next window begins
        series = {"__name__": "probe", "customer_id": customer}
        write(two.url, [(series, [(begin + 8 * 3_600_000, 1.0)])], {**TOKEN, "X-Vigia-Customer": customer})
    # What is open is not another's to see: what the third one finds, who took over has closed.
    three = make("three", "lost", "3s")
    three.start()
    wanted = sender.acknowledged
    wait_for("all is closed", lambda: all(wanted[one].items() <= read_of(three, one).items() for one in wanted), 90)
    assert is_taken_over(three, 0)


def test_who_was_taken_for_gone_goes_on_and_still_loses_nothing(make: Maker) -> None:
    """Stopped for longer than its lease, it acknowledges nothing that another may have passed over. Then its disk is lost."""
    one, two = (make(name, "paused", "3s") for name in ("one", "two"))
    one.start()
    two.start()
    begin = yesterday_ms(6)
    first = Sender(one, ["cliente-a"], begin)
    first.start()
    first.await_number(50)
    assert one.running is not None
    os.kill(one.running.pid, signal.SIGSTOP)
    wait_for("it is taken over", lambda: is_taken_over(two, 1), 60)
    os.kill(one.running.pid, signal.SIGCONT)
    first.join()
    wait_for("it lives under another number", lambda: one.metrics().get("vigia_storage_lease_held") == 1)
    second = Sender(one, ["cliente-a"], begin + 3_600_000)
    second.start()
    second.await_number(50)
    one.kill()
    second.join()
    lose_disk(one)
    wait_for("it is taken over again", lambda: is_taken_over(two, 2), 60)
    acknowledged = first.acknowledged["cliente-a"] | second.acknowledged["cliente-a"]
    assert acknowledged.items() <= read_of(two, "cliente-a").items()


def test_a_restart_is_no_end(make: Maker) -> None:
    """Whoever comes back within the lease keeps its number: nobody takes over, and nothing is read twice."""
    lease = 10  # seconds: a restart is far shorter, and three of them are waited for
    one, two = (make(name, "restarted", f"{lease}s") for name in ("one", "two"))
    one.start()
    two.start()
    sender = Sender(one, ["cliente-a"], yesterday_ms(6))
    sender.start()
    sender.await_number(20)
    one.kill()
    sender.join()
    one.start()
    acknowledged = sender.acknowledged["cliente-a"]
    assert acknowledged.items() <= read_of(one, "cliente-a").items()
    one.write("cliente-b", [(yesterday_ms(7), 1.0)])
    back = time.monotonic()
    wait_for("it would have been taken for gone", lambda: time.monotonic() > back + 3 * lease, 5 * lease)
    assert one.metrics()["vigia_storage_lease_held"] == 1
    assert is_taken_over(one, 0)
    assert is_taken_over(two, 0)
    one.kill()  # what has not come back is taken for gone, and counts as one: its number is that of before
    wait_for("it is taken over", lambda: is_taken_over(two, 1), 90)
    assert acknowledged.items() <= read_of(two, "cliente-a").items()


def test_a_log_that_was_emptied_is_taken_back_from_the_copies(make: Maker) -> None:
    """Alone, and its folder is that of before but for the write-ahead log: the copies are all that there is."""
    one = make("one", "emptied", "3s")
    one.start()
    sender = Sender(one, ["cliente-a", "cliente-b"], yesterday_ms(6))
    sender.start()
    sender.await_number(30)
    one.kill()
    sender.join()
    shutil.rmtree(one.folder / "wal")
    one.start()
    one.write("cliente-c", [(yesterday_ms(7), 1.0)])  # what comes meanwhile lets nothing go
    wait_for("it is taken back", lambda: is_taken_over(one, 1), 60)
    for _ in range(2):
        for customer, acknowledged in sender.acknowledged.items():
            assert acknowledged.items() <= read_of(one, customer).items()
        one.kill()
        one.start()
    assert is_taken_over(one, 0), "the log that it has now is whole"


def test_a_node_that_hangs_costs_a_search_its_time_and_the_end_seconds(cassandra: OwnCassandra, tmp_path: Path) -> None:
    """The end comes while it does not answer."""
    storage = StorageOnCassandra(tmp_path / "hanging", cassandra.node.contact_point, "hanging")
    storage.start()
    storage.write(CUSTOMER, [(yesterday_ms(6), 1.0)])
    assert storage.stop() == 0
    storage.start()
    cassandra.hang()
    try:
        asked = {"matcher": "__name__=probe", "start": str(time.time() - 86_400 * 2), "end": str(time.time())}
        answer = requests.get(f"{storage.url}/api/v1/series", params=asked, headers=HEADERS, timeout=30)
        assert answer.status_code in {503, 504}, answer.text
        assert storage.stop() == 0, "within what a stop is given"
    finally:
        cassandra.go_on()
        storage.kill()  # where it is not stopped
    storage.start()
    assert read_of(storage, CUSTOMER) == {yesterday_ms(6): 1.0}
    assert storage.stop() == 0


def ask_and_leave(url: str, parameters: dict[str, str]) -> None:
    """Gone before there is an answer, from more connections than a customer has readers."""

    def ask() -> None:
        with contextlib.suppress(requests.Timeout):
            requests.get(url, params=parameters, headers=HEADERS, timeout=0.3)

    asking = [threading.Thread(target=ask) for _ in range(8)]
    for one in asking:
        one.start()
    for one in asking:
        one.join()


def test_whoever_has_left_holds_no_reader_of_a_node_that_hangs(cassandra: OwnCassandra, tmp_path: Path) -> None:
    """Each question to the node was waited for for 10 s."""
    storage = StorageOnCassandra(tmp_path / "left", cassandra.node.contact_point, "left")
    storage.start()
    span = {"start": str(time.time() - 3_600), "end": str(time.time())}
    asked = {
        "logs": span,
        "traces/0102030405060708090a0b0c0d0e0f10": {},
        "traces": {"service": "shop", **span},
        "services": span,
        "services/shop/operations": span,
    }
    for path, parameters in asked.items():
        answer = requests.get(f"{storage.url}/api/v1/{path}", params=parameters, headers=HEADERS, timeout=30)
        assert answer.status_code in {200, 404}, (path, answer.text)
    cassandra.hang()
    try:
        for path, parameters in asked.items():
            ask_and_leave(f"{storage.url}/api/v1/{path}", parameters)
            # It needs a reader, and no node.
            wrong = requests.get(f"{storage.url}/api/v1/logs", params={"wrong": "1"}, headers=HEADERS, timeout=8)
            assert wrong.status_code == 400, path
    finally:
        cassandra.go_on()
    assert storage.stop() == 0


class Rolled:
    """Three days of a few series that go up and begin anew, and what roll-ups of them are."""

    def __init__(self) -> None:
        self.begin = self.day_ms(5)
        self.samples: dict[int, dict[int, float]] = {
            series: {
                self.begin + at: float((at // 300_000 * (series + 1)) % 37)
                for at in range(300_000, 3 * _DAY_MS, 300_000)
            }
            for series in range(5)
        }

    @staticmethod
    def day_ms(ago: int) -> int:
        return (int(time.time()) // 86_400 - ago) * _DAY_MS

    def write_to(self, storage: StorageAlone) -> None:
        """Two hours a request, and a sample of a later day, so that what lies before it is closed."""
        for first in range(self.begin, self.begin + 3 * _DAY_MS, 7_200_000):
            part = {
                one: [p for p in all_.items() if first <= p[0] < first + 7_200_000]
                for one, all_ in self.samples.items()
            }
            write(storage.url, [(labels(one), samples) for one, samples in part.items()], HEADERS)
        self.add(storage, self.day_ms(1) + 3_600_000, 5.0)

    def add(self, storage: StorageAlone, time_ms: int, value: float) -> None:
        write(storage.url, [(labels(one), [(time_ms, value)]) for one in self.samples], HEADERS)
        for all_ in self.samples.values():
            all_[time_ms] = value

    def windows(self, series: int, width_ms: int, part: Callable[[list[float]], float]) -> dict[int, float]:
        """By their stamps: open on the left, closed on the right. Of the three days."""
        found: dict[int, list[float]] = {}
        for time_ms, value in sorted(self.samples[series].items()):
            if time_ms <= self.begin + 3 * _DAY_MS:
                found.setdefault(-(-time_ms // width_ms) * width_ms - 1, []).append(value)
        return {stamp: part(values) for stamp, values in found.items()}

    def are_in(self, storage: StorageAlone) -> None:
        asked: dict[str, tuple[int, Callable[[list[float]], float]]] = {
            "5m:max": (300_000, max),
            "1h:sum": (3_600_000, sum),
            "1h:resets": (
                3_600_000,
                lambda values: float(sum(b < a for a, b in zip(values, values[1:], strict=False))),
            ),
            "1d:count": (_DAY_MS, len),
            "1d:last": (_DAY_MS, lambda values: values[-1]),
        }
        for rollup, (width_ms, part) in asked.items():
            request = rolled_request("probe", rollup, self.begin, self.begin + 3 * _DAY_MS - 1)
            answer = post_read(storage.url, request, SAMPLES, HEADERS)
            assert answer.status_code == 200, f"{rollup}: {answer.text}"
            found = samples_of(answer)
            for series in self.samples:
                assert found[tuple(sorted(labels(series).items()))] == self.windows(series, width_ms, part), rollup


def test_roll_ups_are_made_by_whoever_is_there_and_read_by_all(make: Maker) -> None:
    """Killed with its marks set and nothing made: another makes them, and they are the same for a third."""
    one, two = (make(name, "rolled", "3s") for name in ("one", "two"))
    one.start()
    rolled = Rolled()
    rolled.write_to(one)
    wait_for("closed chunks are in the cluster", lambda: one.metrics().get(_WAITING) == 0)
    rolled.are_in(one)
    made_before = one.metrics()[_ROLLED]
    one.kill()
    two.start()
    now = [({"__name__": "now", "customer_id": CUSTOMER}, [(int(time.time() * 1000), 1.0)])]
    write(two.url, now, HEADERS)  # days are over by what comes in
    everything = 3 * len(rolled.samples)
    wait_for("another makes them", lambda: two.metrics().get(_ROLLED, 0) >= everything - made_before, 180)
    wait_for("nothing is due", lambda: two.metrics()[_DUE] == 0, 180)
    rolled.are_in(two)
    third = make("three", "rolled", "3s")
    third.start()
    rolled.are_in(third)
