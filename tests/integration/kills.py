"""kill -9 in the middle of something, for tests of what must hold through it too."""

from __future__ import annotations

import time
from typing import Protocol

import pytest

RUNS_OR_KILLED = pytest.mark.parametrize(
    "is_killed",
    [pytest.param(False, id="runs on"), pytest.param(True, id="killed", marks=pytest.mark.thorough)],
)


class Site(Protocol):
    """What starts programs by name and kills them."""

    def kill(self, name: str, /) -> None: ...
    def start(self, name: str, /) -> None: ...


def killed_in_the_middle(site: Site, name: str, seconds: float, is_killed: bool = True) -> None:
    """Lets that time pass. Where it is to be, the program is killed in the middle of it and started again."""
    time.sleep(seconds / 2)
    if is_killed:
        site.kill(name)
        site.start(name)
    time.sleep(seconds / 2)
