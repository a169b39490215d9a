"""vigia-storage on a real Cassandra node: what it has acknowledged outlives kill -9 of itself and of the node."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from cassandra_server import OwnCassandra
from cold_store import TOKEN, StorageAlone
from otlp import log_request, post, resource_of
from remote_read import SAMPLES, post_read, read_request, samples_of
from remote_write import write
from stack import wait_for

pytestmark = pytest.mark.two_at_a_time  # a Java machine that starts

CUSTOMER = "cliente-a"
HEADERS = {**TOKEN, "X-Vigia-Customer": CUSTOMER}

_STORAGE = """
listen: {host}:9096
metrics: {{listen: "{host}:9196"}}
internal_token: secret
store: {{cassandra: {{directory: "{folder}", contact_points: ["{node}"], keyspace: {keyspace}, replication_factor: 1}}}}
retention: {{raw: 30d, interval: 1s}}
"""


class StorageOnCassandra(StorageAlone):
    def __init__(self, folder: Path, node: str, keyspace: str) -> None:
        folder.mkdir(exist_ok=True)
        super().__init__(folder)
        text = _STORAGE.format(host=self.host, folder=self.folder, node=node, keyspace=keyspace)
        self.config.write_text(text)

    def read(self, metric: str) -> dict[tuple[tuple[str, str], ...], dict[int, float]]:
        answer = post_read(self.url, read_request([(metric, 0, 2**62)]), SAMPLES, HEADERS)
        assert answer.status_code == 200, answer.text
        return samples_of(answer)


@pytest.fixture(scope="module")
def cassandra(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnCassandra]:
    with OwnCassandra(tmp_path_factory.mktemp("cassandra")) as made:
        yield made


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
    waiting = "vigia_storage_closed_chunks_waiting_bytes"
    wait_for("closed chunks are in the cluster", lambda: storage.metrics().get(waiting) == 0)
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


def test_while_the_node_is_away_known_series_are_taken_and_nothing_is_lost(
    cassandra: OwnCassandra, tmp_path: Path
) -> None:
    """A series that nobody knows yet is refused retryably, the others are on this disk; a start waits for the node."""
    storage = StorageOnCassandra(tmp_path / "away", cassandra.node.contact_point, "away")
    storage.start()
    begin = yesterday_ms(12)
    before, while_away, after = (range(begin + at, begin + at + 300_000, 60_000) for at in (0, 600_000, 1_200_000))
    send(storage, range(5), before)
    cassandra.kill()
    send(storage, range(5), while_away)
    with pytest.raises(AssertionError, match="503"):
        send(storage, range(5, 6), while_away)
    storage.kill()
    storage.launch()
    wait_for("the start waits for the node", lambda: storage.metrics().get("vigia_storage_start_waits") == 1)
    cassandra.start()
    assert storage.running is not None
    storage.running.wait_until_ready()
    send(storage, range(6), after)
    wanted = {ms: 1.0 for times in (before, while_away, after) for ms in times}
    found = storage.read("probe")
    assert found[tuple(sorted(labels(1).items()))] == wanted
    assert found[tuple(sorted(labels(5).items()))] == dict.fromkeys(after, 5.0)
    assert storage.stop() == 0
