"""A plugin of pytest-xdist, for tests that run side by side (-p beside_others): those of a file that share a stack go to
one worker, all others wherever there is room, and the longest begin first, so that none of them is what all wait for at the end.

What is long waits more than it computes: with such tests alone in hand, the processors would be idle for minutes and crowded
afterwards. So three of five workers take long ones and two of five do not as long as there are others; and no worker is given
two long ones in a row, as it would not let go of the second while it is busy with the first.

Two workers take what is `two_at_a_time`, whoever else is there, and a third one what is `cassandra`, which mostly waits: its
process has the one node that they share. The others end when nothing else is left.

What is long stands in group_seconds.txt, as it was when that was written last (whole_run.py --record); of what is not there
yet its mark `long` says it.

The workers know the tests, the one who hands them out knows their names alone. So each worker writes down which belong
together; all write the same.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

_folder = pytest.StashKey[tempfile.TemporaryDirectory[str]]()
_INPUT = "vigia_groups_file"
_OF_TWO, _OF_CASSANDRA = "two_at_a_time", "cassandra"
SECONDS_FILE = Path(__file__).with_name("group_seconds.txt")
LONG_SECONDS = 10  # and more


class Grouped(LoadScopeScheduling):  # type: ignore[misc]
    """Hands out groups in the order in which they were collected."""

    def __init__(self, config: pytest.Config, log: Any) -> None:
        super().__init__(config, log)
        self._groups: dict[str, str] = {}
        self._long: set[str] = set()
        self._two_at_a_time: set[str] = set()
        self._cassandra: set[str] = set()
        self._has_the_node: Any = None

    def schedule(self) -> None:
        written = json.loads(_groups_file(self.config).read_text())
        self._groups, self._long = written["groups"], set(written["long"])
        self._two_at_a_time, self._cassandra = set(written[_OF_TWO]), set(written[_OF_CASSANDRA])
        super().schedule()

    def _assign_work_unit(self, node: Any) -> None:
        group = self._next_for(node)
        if group is None:
            node.shutdown()
            return
        self.workqueue.move_to_end(group, last=False)
        super()._assign_work_unit(node)

    def _next_for(self, node: Any) -> str | None:
        groups = list(self.workqueue)
        of_two = [group for group in groups if group in self._two_at_a_time]
        of_cassandra = [group for group in groups if group in self._cassandra]
        others = [group for group in groups if group not in self._two_at_a_time | self._cassandra]
        mine = others
        if self.nodes.index(node) < 2:  # of those that are there: who crashed has a successor
            mine = of_two or others
        if self._is_cassandras(node):
            mine = of_cassandra or mine
        wanted = self._takes_a_long_one(node)
        return next((group for group in mine if (group in self._long) == wanted), next(iter(mine), None))

    def _is_cassandras(self, node: Any) -> bool:
        """The same worker as long as it is there, also when those before it have ended: another would start a node of its own."""
        if self._has_the_node not in self.nodes:
            self._has_the_node = self.nodes[min(2, len(self.nodes) - 1)]
        return node is self._has_the_node

    def _takes_a_long_one(self, node: Any) -> bool:
        number = int(node.gateway.id.removeprefix("gw"))
        newest = next(reversed(self.assigned_work[node]), None)
        return number % 5 < 3 and newest not in self._long

    def _split_scope(self, nodeid: str) -> str:
        return self._groups[nodeid]


class Recorder:
    """Adds up what the tests of each group took, and keeps of the long ones how long."""

    def __init__(self, groups: Path, file: Path) -> None:
        self._groups, self._file = groups, file
        self._took: dict[str, float] = defaultdict(float)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._took[report.nodeid] += report.duration

    def pytest_sessionfinish(self) -> None:
        if not self._took:
            return
        groups: dict[str, str] = json.loads(self._groups.read_text())["groups"]
        took: dict[str, float] = defaultdict(float)
        for name, seconds in self._took.items():
            took[groups[name]] += seconds
        kept = {group: seconds for group, seconds in recorded(self._file).items() if group not in took}
        kept |= {group: round(seconds) for group, seconds in took.items() if seconds >= LONG_SECONDS}
        lines = [f"{seconds} {group}" for group, seconds in sorted(kept.items(), key=lambda one: (-one[1], one[0]))]
        self._file.write_text("\n".join(lines) + "\n")


def recorded(file: Path) -> dict[str, int]:
    """Seconds by group."""
    lines = file.read_text().splitlines() if file.exists() else []
    return {group: int(seconds) for seconds, group in (line.split(" ", 1) for line in lines)}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--group-seconds", default=str(SECONDS_FILE), help="the file that says what is long")
    parser.addoption("--record-group-seconds", action="store_true", help="write it anew of this run")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--record-group-seconds") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Recorder(_groups_file(config), Path(config.getoption("--group-seconds"))))


def pytest_configure_node(node: Any) -> None:
    node.workerinput[_INPUT] = str(_groups_file(node.config))


@pytest.hookimpl(tryfirst=True)  # before xdist's own choice
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Grouped:
    config.option.loadscopereorder = False
    return Grouped(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    workerinput = getattr(config, "workerinput", None)
    if workerinput is None:
        return
    groups = {item.nodeid: group_of(item) for item in items}
    together = Counter(groups.values())
    known = recorded(Path(config.getoption("--group-seconds")))
    seconds = {item.nodeid: known.get(groups[item.nodeid], _marked(item)) for item in items}
    # What shares a stack stays with one worker however many are free: begun last, two hundred such tests ran on alone.
    items.sort(key=lambda item: (-seconds[item.nodeid], -together[groups[item.nodeid]]))
    file = Path(workerinput[_INPUT])
    own = file.with_name(f"{os.getpid()}")
    long = sorted({groups[name] for name, length in seconds.items() if length >= LONG_SECONDS})
    marked = {
        mark: sorted({groups[item.nodeid] for item in items if item.get_closest_marker(mark)})
        for mark in (_OF_TWO, _OF_CASSANDRA)
    }
    own.write_text(json.dumps({"groups": groups, "long": long, **marked}))
    own.replace(file)


def group_of(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0] if shares_a_stack(item) else item.nodeid


def shares_a_stack(item: pytest.Item) -> bool:
    """Whether it uses a fixture of ours that outlives a test. Each process has those of a session: these keep nobody together."""
    assert isinstance(item, pytest.Function)
    fixtures = [found[-1] for found in item._fixtureinfo.name2fixturedefs.values()]
    return any(
        one.scope not in ("function", "session") and one.baseid and one.argname != "nor_at_the_end_of_a_module"
        for one in fixtures
    )


def _marked(item: pytest.Item) -> int:
    marker = item.get_closest_marker("long")
    return int(marker.args[0]) if marker else 0


def _groups_file(config: pytest.Config) -> Path:
    if _folder not in config.stash:
        config.stash[_folder] = tempfile.TemporaryDirectory()
    return Path(config.stash[_folder].name) / "groups.json"
