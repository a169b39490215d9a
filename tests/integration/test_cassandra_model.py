"""The walk of test_cold_model.py on a real Cassandra node: each answer is held against the same plain model."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cassandra_server import OwnCassandra
from cassandra_site import CassandraSite
from cold_site import ColdSite
from cold_walk import STEPS, Walk, walk

# A Java machine that starts, and starts anew: two minutes of a machine with two processors.
pytestmark = [pytest.mark.thorough, pytest.mark.cassandra]

STEPS_USUAL = 40
STEPS_THOROUGH = 300


class CassandraWalk(Walk):
    """What a store on one disk has and this one has not (deletion, checkpoints, a look into the folder) does not come."""

    def __init__(self, site: ColdSite, seed: int) -> None:
        super().__init__(site, seed)
        assert isinstance(site, CassandraSite)
        self.on_cassandra = site

    def kinds(self) -> dict[str, int]:
        return KINDS

    def step(self, kind: str) -> None:
        own = OWN_STEPS.get(kind)
        own(self) if own else super().step(kind)

    def machine_lost(self) -> None:
        """Its disk with it, or its log alone: what was acknowledged is taken from the copies."""
        what = self.chance.choice([CassandraSite.lose_disk, CassandraSite.lose_disk, CassandraSite.lose_log])
        self.note(what.__name__)
        self.site.kill()
        what(self.on_cassandra)
        self.site.start()
        self.site.settle()

    def node_killed(self) -> None:
        """While it is written to; the program is killed too, or goes on when the node is there again."""
        site = self.on_cassandra
        site.is_doomed = True
        self.write_at_once(kill_after=self.chance.random() * 0.08, kill=site.kill_node)
        if self.chance.random() < 0.3:
            self.note("and the program")
            site.kill()
        site.start_node()
        if site.storage.running is None:
            site.start()
        site.settle()


# How often in forty steps.
KINDS = {
    "write": 6,
    "write burst": 2,
    "write again": 3,
    "write histograms": 3,
    "write exemplars": 1,
    "write at once": 1,
    "write logs": 3,
    "write spans": 3,
    "read": 4,
    "read logs": 2,
    "read traces": 2,
    "minutes pass": 1,
    "kill": 1,
    "kill while written": 1,
    "kill at a point": 2,
    "kill while it starts": 1,
    "stop": 1,
    "days pass": 1,
    "machine lost": 1,
    "node killed": 1,
}
OWN_STEPS: dict[str, Callable[[CassandraWalk], None]] = {
    "machine lost": CassandraWalk.machine_lost,
    "node killed": CassandraWalk.node_killed,
}
assert set(KINDS) <= {*STEPS, *OWN_STEPS}


@pytest.fixture(scope="module")
def cassandra(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnCassandra]:
    with OwnCassandra(tmp_path_factory.mktemp("cassandra")) as made:
        yield made


def test_what_was_acknowledged_is_answered_whatever_happens(cassandra: OwnCassandra, tmp_path: Path) -> None:
    walk(CassandraSite(tmp_path, cassandra, "usual", "1s"), 1, range(STEPS_USUAL), CassandraWalk)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("gather", ["0s", "1s", "10m"])
def test_nor_on_a_long_walk(cassandra: OwnCassandra, tmp_path: Path, gather: str) -> None:
    """Chunks go one by one, gathered for a second, and by all that a walk has."""
    site = CassandraSite(tmp_path, cassandra, f"gathered_{gather}", gather)
    walk(site, random.randrange(1 << 32), range(STEPS_THOROUGH), CassandraWalk)
