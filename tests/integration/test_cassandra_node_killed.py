"""A real Cassandra node is killed under those who write to it: what it has acknowledged is there, and they go on by themselves."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cassandra_server import OwnCassandra
from stack import wait_for
from test_cassandra_store import StorageOnCassandra, labels, send, yesterday_ms

pytestmark = pytest.mark.cassandra


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnCassandra]:
    with OwnCassandra(tmp_path_factory.mktemp("cassandra")) as made:
        yield made


def test_what_was_acknowledged_outlives_kill_9_and_the_session_heals(killed: OwnCassandra) -> None:
    """The node is killed while 3,000 rows of 4 KiB are on their way. What failed is sent again by the writer, nothing else is."""
    killed.exercise("create")
    words = killed.exercise_command("write", 0, 3000, 4096)
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stderr is not None
        before = [writer.stdout.readline() for _ in range(500)]
        killed.kill()
        assert writer.poll() is None, "it was killed when all had been written"
        killed.start()
        after = writer.stdout.read().split()
        assert writer.wait(timeout=60) == 0, writer.stderr.read()
    assert len({*map(int, before), *map(int, after)}) == 3000
    assert killed.exercise("read", 100) == ["3000 rows, 0 damaged"]
    assert killed.exercise("read", 5000) == ["3000 rows, 0 damaged"]


def test_while_the_node_is_away_writers_are_asked_to_come_again_and_nothing_is_lost(
    killed: OwnCassandra, tmp_path: Path
) -> None:
    """What only this disk has is not acknowledged, and is there all the same; a start waits for the node."""
    storage = StorageOnCassandra(tmp_path / "away", killed.node.contact_point, "away")
    storage.start()
    begin = yesterday_ms(12)
    before, while_away, after = (range(begin + at, begin + at + 300_000, 60_000) for at in (0, 600_000, 1_200_000))
    send(storage, range(5), before)
    killed.kill()
    for series in (range(5), range(5, 6)):
        with pytest.raises(AssertionError, match="503"):
            send(storage, series, while_away)
    storage.kill()
    storage.launch()
    wait_for("the start waits for the node", lambda: storage.metrics().get("vigia_storage_start_waits") == 1)
    killed.start()
    assert storage.running is not None
    storage.running.wait_until_ready(150)
    send(storage, range(5), while_away)
    send(storage, range(6), after)
    wanted = {ms: 1.0 for times in (before, while_away, after) for ms in times}
    found = storage.read("probe")
    assert found[tuple(sorted(labels(1).items()))] == wanted
    assert found[tuple(sorted(labels(5).items()))] == dict.fromkeys(after, 5.0)
    assert storage.stop() == 0
