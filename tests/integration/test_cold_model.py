"""A walk of chance over everything that may happen to a cold store, each answer held against a plain model of it."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from cold_site import ColdSite
from cold_walk import walk

STEPS = 60
STEPS_THOROUGH = 600


def seed_of_the_day() -> int:
    return int(time.time()) // 86_400


@pytest.mark.two_at_a_time
@pytest.mark.parametrize("seed", [1, 2, pytest.param(seed_of_the_day(), id="of the day", marks=pytest.mark.thorough)])
def test_what_was_acknowledged_is_answered_whatever_happens(tmp_path: Path, seed: int) -> None:
    walk(ColdSite(tmp_path), seed, range(STEPS))


@pytest.mark.thorough
@pytest.mark.two_at_a_time
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("round_", range(3))
def test_nor_on_a_long_walk(tmp_path: Path, round_: int) -> None:
    walk(ColdSite(tmp_path), random.randrange(1 << 32) if round_ else 3, range(STEPS_THOROUGH))
