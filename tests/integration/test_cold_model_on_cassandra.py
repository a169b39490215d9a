"""The walk of test_cold_model.py on a real Cassandra node, over what that store keeps and can be asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cassandra_server import OwnCassandra
from cold_site import ColdSite
from cold_walk import SHARED_KINDS, walk

pytestmark = pytest.mark.two_at_a_time  # a Java machine that starts

STEPS = 40
STORE = (
    """{{cassandra: {{directory: "{folder}", contact_points: ["NODE"], keyspace: walked, replication_factor: 1}}}}"""
)


@pytest.fixture(scope="module")
def cassandra(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnCassandra]:
    with OwnCassandra(tmp_path_factory.mktemp("cassandra")) as made:
        yield made


def test_what_was_acknowledged_is_answered_whatever_happens(cassandra: OwnCassandra, tmp_path: Path) -> None:
    store = STORE.replace("NODE", cassandra.node.contact_point)
    walk(ColdSite(tmp_path, store, is_shared=True), 1, range(STEPS), SHARED_KINDS)
