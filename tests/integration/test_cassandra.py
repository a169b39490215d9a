"""Session and tables on a real Cassandra node: what it has acknowledged outlives kill -9, and the session heals by itself."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest
from cassandra_server import OwnCassandra
from stack import binaries

PARTS = 3

pytestmark = pytest.mark.two_at_a_time  # a Java machine that starts, and writes as fast as it goes


@pytest.fixture(scope="module")
def cassandra(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnCassandra]:
    with OwnCassandra(tmp_path_factory.mktemp("cassandra")) as made:
        made.exercise("create")
        yield made


def test_values_come_back_as_they_were_bound(cassandra: OwnCassandra) -> None:
    """Extreme numbers, a text of no bytes, null, and a key that is no ASCII."""
    assert cassandra.exercise("cells") == ["-2147483648 -9223372036854775808 -1 '' null ok"]


@pytest.mark.parametrize("part", range(PARTS))
def test_what_the_store_asks_of_a_node(cassandra: OwnCassandra, part: int) -> None:
    """The tests of services/storage/store/cassandra/testing, which make keyspaces of their own; in parts, each far from the limit of
    one test on a machine that does other things, too."""
    program = binaries() / "vigia-cassandra-node-test"
    env = {**os.environ, "VIGIA_CASSANDRA": cassandra.node.contact_point}
    env |= {"GTEST_TOTAL_SHARDS": str(PARTS), "GTEST_SHARD_INDEX": str(part)}
    words = [str(program), "--gtest_brief=1"]
    done = subprocess.run(words, env=env, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SKIPPED" not in done.stdout


def test_what_was_acknowledged_outlives_kill_9_and_the_session_heals(cassandra: OwnCassandra) -> None:
    """The node is killed while 3,000 rows of 4 KiB are on their way. What failed is sent again by the writer, nothing else is."""
    words = cassandra.exercise_command("write", 0, 3000, 4096)
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stderr is not None
        before = [writer.stdout.readline() for _ in range(500)]
        cassandra.kill()
        assert writer.poll() is None, "it was killed when all had been written"
        cassandra.start()
        after = writer.stdout.read().split()
        assert writer.wait(timeout=60) == 0, writer.stderr.read()
    assert len({*map(int, before), *map(int, after)}) == 3000
    assert cassandra.exercise("read", 100) == ["3000 rows, 0 damaged"]
    assert cassandra.exercise("read", 5000) == ["3000 rows, 0 damaged"]
