"""kill -9 of a cold store at each point that has a name: what was acknowledged is answered from the next start on, whatever it was."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from cold_shim import POINTS
from cold_site import ColdSite
from cold_walk import Walk


@pytest.mark.two_at_a_time
@pytest.mark.parametrize(
    "is_power_lost", [True, pytest.param(False, marks=pytest.mark.thorough)], ids=["power lost", "killed"]
)
def test_nothing_that_was_acknowledged_is_lost_at_any_named_point(tmp_path: Path, is_power_lost: bool) -> None:
    """One store goes through all of them, so that each finds what the ones before have left."""
    site = ColdSite(tmp_path)
    walk = Walk(site, 1)
    try:
        site.start()
        for number, name in enumerate(POINTS):
            walk.done.append(name)
            walk.chance = random.Random(number)
            try:
                assert walk.come_to(name, 1), "it never comes to this point"
                if is_power_lost:
                    walk.note(f"{site.lose_power()} bytes lost")
                site.check_stopped()
                site.start()
                site.settle()
            except BaseException as error:
                raise AssertionError(walk.told(error)) from error
        walk.read_all()
    finally:
        site.kill()
