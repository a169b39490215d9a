"""Fixtures of the integration tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from stack import Stack


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """A Vigía that is not started yet, for tests that stop and break parts."""
    with Stack(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def running_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A whole Vigía with its agents, shared by the tests of a module that only look."""
    folder = tmp_path_factory.mktemp("stack")
    with Stack(folder) as made:
        made.start_central()
        made.start(*(place.name for place in made.agents))
        yield made
