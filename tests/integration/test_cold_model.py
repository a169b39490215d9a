"""A walk of chance over everything that may happen to a cold store, each answer held against a plain model of it."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterable
from pathlib import Path

import pytest
from cold_site import ColdSite
from cold_walk import Walk

STEPS = 60
STEPS_THOROUGH = 600


def walk(folder: Path, seed: int, steps: Iterable[int]) -> None:
    seed = int(os.environ.get("VIGIA_MODEL_SEED", seed))
    if os.environ.get("VIGIA_MODEL_STEPS"):
        steps = [number for part in os.environ["VIGIA_MODEL_STEPS"].split(",") for number in _between(part)]
    print(f"seed {seed}: VIGIA_MODEL_SEED and VIGIA_MODEL_STEPS (3,17,40-60) walk it again, all of it or some steps")
    site = ColdSite(folder)
    try:
        Walk(site, seed).run(steps)
    finally:
        site.kill()


def _between(part: str) -> range:
    first, _, last = part.partition("-")
    return range(int(first), int(last or first) + 1)


def seed_of_the_day() -> int:
    return int(time.time()) // 86_400


@pytest.mark.two_at_a_time
@pytest.mark.parametrize("seed", [1, 2, pytest.param(seed_of_the_day(), id="of the day")])
def test_what_was_acknowledged_is_answered_whatever_happens(tmp_path: Path, seed: int) -> None:
    walk(tmp_path, seed, range(STEPS))


@pytest.mark.thorough
@pytest.mark.two_at_a_time
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("round_", range(3))
def test_nor_on_a_long_walk(tmp_path: Path, round_: int) -> None:
    walk(tmp_path, random.randrange(1 << 32) if round_ else 3, range(STEPS_THOROUGH))
