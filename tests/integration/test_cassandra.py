"""Session and tables on a real Cassandra node."""

from __future__ import annotations

import os
import subprocess

import pytest
from cassandra_server import OwnCassandra
from stack import binaries

PARTS = 3

pytestmark = pytest.mark.cassandra


def test_values_come_back_as_they_were_bound(cassandra: OwnCassandra) -> None:
    """Extreme numbers, a text of no bytes, null, and a key that is no ASCII."""
    cassandra.exercise("create")
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
