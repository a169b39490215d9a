"""Several vigia-storage on one Cassandra keyspace answer alike, whoever took the samples and whatever becomes of it."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import requests
from cassandra_server import OwnCassandra
from cold_store import TOKEN, StorageAlone
from remote_read import CHUNKS, SAMPLES, post_read, read_request, samples_of
from remote_write import sample_with_exemplar, series_bytes, write, write_bytes
from stack import wait_for
from streamed_chunks import streamed_samples

pytestmark = pytest.mark.cassandra

CUSTOMER = "cliente-a"
HEADERS = {**TOKEN, "X-Vigia-Customer": CUSTOMER}
LABELS = {"__name__": "probe", "customer_id": CUSTOMER}
STEP_MS = 15_000

_STORAGE = """
listen: {host}:9096
metrics: {{listen: "{host}:9196"}}
internal_token: secret
store:
  cassandra:
    directory: "{folder}"
    contact_points: ["{node}"]
    keyspace: {keyspace}
    replication_factor: 1
    lease: {lease}
    peers: [{peers}]
retention: {{raw: 30d, interval: 1s}}
"""


class Instance(StorageAlone):
    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        super().__init__(folder)

    def read(self, kind: bytes = CHUNKS) -> tuple[dict[int, float], str]:
        """Every sample of the one series, in chunks none of them twice, and what the answer says that it lacks."""
        answer = post_read(self.url, read_request([("probe", 0, 2**62)]), kind, HEADERS, 10)
        assert answer.status_code == 200, answer.text
        found = streamed_samples(answer.content) if kind == CHUNKS else samples_of(answer)
        assert len(found) <= 1
        return next(iter(found.values()), {}), answer.headers.get("X-Vigia-Incomplete", "")

    def send(self, ms: int, value: float) -> None:
        write(self.url, [(LABELS, [(ms, value)])], HEADERS)


class Sender(threading.Thread):
    """One sample after the other until one is not acknowledged; what was."""

    def __init__(self, to: Instance, begin: int) -> None:
        super().__init__()
        self.to = to
        self.begin = begin
        self.acknowledged: dict[int, float] = {}

    def run(self) -> None:
        for number in range(100_000):
            ms = self.begin + number * STEP_MS
            try:
                self.to.send(ms, float(number))
            except (requests.RequestException, AssertionError):
                return
            self.acknowledged[ms] = float(number)


def misses_nobody(instance: Instance) -> bool:
    """Both answer it, and whoever else shares the keyspace."""
    metrics = instance.metrics()
    answering = [value for key, value in metrics.items() if key.startswith("vigia_storage_peer_answers{")]
    return metrics["vigia_storage_peers_missing"] == 0 and answering == [1.0, 1.0]


Pair = Callable[[str, str], tuple[Instance, Instance]]


@pytest.fixture
def pair(cassandra: OwnCassandra, tmp_path: Path) -> Iterator[Pair]:
    """Two that name each other and themselves, by keyspace and lease; killed at the end, however it came."""
    made = [Instance(tmp_path / name) for name in ("one", "two")]

    def start(keyspace: str, lease: str) -> tuple[Instance, Instance]:
        peers = ", ".join(f'"{one.url}"' for one in made)
        node = cassandra.node.contact_point
        for one in made:
            text = _STORAGE.format(
                host=one.host, folder=one.folder, node=node, keyspace=keyspace, lease=lease, peers=peers
            )
            one.config.write_text(text)
            one.start()
        for one in made:
            wait_for("each answers the other", partial(misses_nobody, one))
        return made[0], made[1]

    yield start
    for one in made:
        one.kill()


def yesterday_ms() -> int:
    """Far from midnight, before which the next day is noted, too."""
    return (int(time.time()) // 86_400 - 1) * 86_400_000 + 6 * 3_600_000


def test_a_sample_is_there_once_while_it_is_open_closed_and_taken_over(pair: Pair) -> None:
    """All that the other one has acknowledged when a read begins is in its answer, once, unless it says that it lacks some."""
    one, two = pair("alike", "10s")
    sender = Sender(two, yesterday_ms())
    sender.start()
    reads = 0
    while len(sender.acknowledged) < 700:  # three hours: chunks are closed meanwhile
        assert sender.is_alive()
        before = dict(sender.acknowledged)
        found, lacks = one.read()
        assert lacks == ""
        assert before.items() <= found.items()
        reads += 1
    assert reads > 20
    two.kill()
    sender.join()
    acknowledged = sender.acknowledged
    lacking = 0

    def is_taken_over() -> bool:
        nonlocal lacking
        found, lacks = one.read()
        assert lacks in ("", "peers")
        if lacks == "":
            assert acknowledged.items() <= found.items()
            # One request was under way when it ended, and may be there.
            assert set(found) - set(acknowledged) <= {sender.begin + len(acknowledged) * STEP_MS}
        lacking += lacks == "peers"
        return one.metrics().get("vigia_storage_instances_taken_over_total") == 1 and lacks == ""

    wait_for("it is taken over, and answers are whole", is_taken_over, 120)
    assert lacking > 0
    two.start()  # what it had is there twice now, and is given once

    def is_whole(instance: Instance) -> bool:
        found, lacks = instance.read()
        assert acknowledged.items() <= found.items() or lacks == "peers"
        return lacks == ""

    for instance in (one, two):
        wait_for("each answers the other", partial(is_whole, instance))


def test_who_hangs_holds_nobody_up_and_is_missed(pair: Pair) -> None:
    """Stopped, not ended: answers come in time, with their own, and say that they may lack some; then it goes on."""
    one, two = pair("hanging", "60s")
    begin = yesterday_ms()
    of_one = {begin + i * STEP_MS: 1.0 for i in range(5)}
    of_two = {begin + (i + 5) * STEP_MS: 2.0 for i in range(5)}
    for instance, samples in ((one, of_one), (two, of_two)):
        for ms, value in samples.items():
            instance.send(ms, value)
    assert one.read() == (of_one | of_two, "")
    assert two.read() == two.read(SAMPLES) == (of_one | of_two, "")
    assert two.running is not None
    os.kill(two.running.pid, signal.SIGSTOP)
    try:
        for _ in range(20):  # each has ten seconds, of which the first may use two
            assert one.read() == one.read(SAMPLES) == (of_one, "peers")
        health = requests.get(f"{one.url}/health", timeout=10)
        assert health.headers.get("X-Vigia-Incomplete") == "peers"
    finally:
        os.kill(two.running.pid, signal.SIGCONT)
    wait_for("it is asked again", lambda: one.read() == (of_one | of_two, ""))


def exemplars_of(storage: Instance, customer: str) -> list[tuple[float, str]]:
    """Seconds and traces, in the order of the answer."""
    answer = requests.get(
        f"{storage.url}/api/v1/exemplars",
        params={"matcher": "__name__=probe"},
        headers={**TOKEN, "X-Vigia-Customer": customer},
        timeout=10,
    )
    assert answer.status_code == 200, answer.text
    found = [one for series in answer.json()["data"] for one in series["exemplars"]]
    return [(one["timestamp"], one["labels"]["trace_id"]) for one in found]


def test_exemplars_are_found_whoever_took_them_and_by_their_customer_alone(pair: Pair) -> None:
    one, two = pair("exemplars", "60s")
    begin = yesterday_ms()
    wanted = []
    for number in range(6):  # over an hour's end
        ms = begin + number * 900_000
        trace = f"{number:032x}"
        message = series_bytes(LABELS, sample_with_exemplar(ms, 1.0, trace))
        for _ in range(2):  # a repeat is one
            assert write_bytes((one, two)[number % 2].url, message, HEADERS).status_code == 204
        wanted.append((ms / 1000, trace))

    def has_all(instance: Instance) -> bool:
        return exemplars_of(instance, CUSTOMER) == wanted

    for instance in (one, two):
        wait_for("exemplars are in the cluster", partial(has_all, instance))
        assert exemplars_of(instance, "cliente-b") == []
