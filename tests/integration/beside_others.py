"""A plugin of pytest-xdist, for tests that run side by side (-p beside_others): those of a file that share a stack go to
one worker, all others wherever there is room, and the longest begin first, so that none of them is what all wait for at the end.

What is marked `long` waits more than it computes: with such tests alone in hand, the processors would be idle for minutes and
crowded afterwards. So three of five workers take long ones and two of five do not as long as there are others; and no worker
is given two long ones in a row, as it would not let go of the second while it is busy with the first.

The workers know the tests, the one who hands them out knows their names alone. So each worker writes down which belong
together; all write the same.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

_folder = pytest.StashKey[tempfile.TemporaryDirectory[str]]()
_INPUT = "vigia_groups_file"


class Grouped(LoadScopeScheduling):  # type: ignore[misc]
    """Hands out groups in the order in which they were collected."""

    def __init__(self, config: pytest.Config, log: Any) -> None:
        super().__init__(config, log)
        self._groups: dict[str, str] = {}
        self._long: set[str] = set()

    def schedule(self) -> None:
        written = json.loads(_groups_file(self.config).read_text())
        self._groups, self._long = written["groups"], set(written["long"])
        super().schedule()

    def _assign_work_unit(self, node: Any) -> None:
        wanted = self._takes_a_long_one(node)
        fitting = next((group for group in self.workqueue if (group in self._long) == wanted), None)
        if fitting is not None:
            self.workqueue.move_to_end(fitting, last=False)
        super()._assign_work_unit(node)

    def _takes_a_long_one(self, node: Any) -> bool:
        number = int(node.gateway.id.removeprefix("gw"))
        newest = next(reversed(self.assigned_work[node]), None)
        return number % 5 < 3 and newest not in self._long

    def _split_scope(self, nodeid: str) -> str:
        return self._groups[nodeid]


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
    groups = {item.nodeid: str(item.path) if shares_a_stack(item) else item.nodeid for item in items}
    together = Counter(groups.values())
    # What shares a stack stays with one worker however many are free: begun last, two hundred such tests ran on alone.
    items.sort(key=lambda item: (-_seconds(item), -together[groups[item.nodeid]]))
    file = Path(workerinput[_INPUT])
    own = file.with_name(f"{os.getpid()}")
    long = sorted({groups[item.nodeid] for item in items if _seconds(item) > 0})
    own.write_text(json.dumps({"groups": groups, "long": long}))
    own.replace(file)


def shares_a_stack(item: pytest.Item) -> bool:
    """Whether it uses a fixture of ours that outlives a test."""
    assert isinstance(item, pytest.Function)
    fixtures = [found[-1] for found in item._fixtureinfo.name2fixturedefs.values()]
    return any(
        one.scope != "function" and one.baseid and one.argname != "nor_at_the_end_of_a_module" for one in fixtures
    )


def _seconds(item: pytest.Item) -> int:
    marker = item.get_closest_marker("long")
    return int(marker.args[0]) if marker else 0


def _groups_file(config: pytest.Config) -> Path:
    if _folder not in config.stash:
        config.stash[_folder] = tempfile.TemporaryDirectory()
    return Path(config.stash[_folder].name) / "groups.json"
