"""Which tests go together where they run side by side, and in which order they begin."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from whole_run import pytest_words

RECORDS = """
import json, os, time
from pathlib import Path
import pytest

def note(what):
    with (Path(__file__).parent / "notes").open("a") as file:
        file.write(json.dumps([what, os.environ["PYTEST_XDIST_WORKER"], time.monotonic()]) + "\\n")
    time.sleep(0.05)

def workers_of(kind):
    lines = (Path(__file__).parent / "notes").read_text().splitlines()
    return {worker for what, worker, _ in map(json.loads, lines) if what.startswith(kind)}
"""
SHARES = """
@pytest.fixture(scope="module")
def stack():
    note("stack")

@pytest.fixture
def one_of_it(stack):
    return stack

@pytest.mark.parametrize("number", range(6))
def test_shares(one_of_it, number):
    note(f"shares {number}")
"""
OWN = """
@pytest.mark.parametrize("number", range(12))
def test_own(tmp_path, number):
    note(f"own {number}")
    ends = time.monotonic() + 30  # the other one may be slow to begin
    while len(workers_of("own")) < 2 and time.monotonic() < ends:
        time.sleep(0.02)
"""
LONG = """
@pytest.mark.parametrize("number", range(3))
def test_short(number):
    note(f"short {number}")

@pytest.mark.long(30)
def test_long():
    note("long")

@pytest.mark.long(90)
def test_longer():
    note("longer")
"""

ROW = """
def wait_until(what, count):
    ends = time.monotonic() + 30
    while len([line for line in (Path(__file__).parent / "notes").read_text().splitlines() if json.loads(line)[0].startswith(what)]) < count:
        assert time.monotonic() < ends, f"not begun: {count} of {what}"
        time.sleep(0.02)

@pytest.mark.parametrize("number", range(9))
def test_short(number):
    note(f"short {number}")

@pytest.mark.long(10)
def test_last():
    note("last")

@pytest.mark.long(20)
def test_soon_over():
    note("soon over")

@pytest.mark.long(30)
@pytest.mark.parametrize("number", range(2))
def test_waits(number):
    note(f"waits {number}")
    wait_until("last", 1)
    wait_until("short", 7)
"""

# Of a pytest of a test's own: the plugins that it needs, and nothing kept of files that are gone after it.
QUICK_START = {
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "PYTEST_ADDOPTS": "-p xdist -p timeout",
    "PYTHONDONTWRITEBYTECODE": "1",
}


def test_what_shares_a_stack_stays_together_and_the_longest_begin(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = long\n")
    for name, source in (("test_a.py", SHARES), ("test_b.py", OWN), ("test_c.py", LONG)):
        (tmp_path / name).write_text(RECORDS + source)
    words = pytest_words("-n", "2", "-p", "beside_others", "--strict-markers")
    env = {**os.environ, **QUICK_START}
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stdout
    notes = [json.loads(line) for line in (tmp_path / "notes").read_text().splitlines()]
    ran = [what for what, _, _ in notes]
    assert sorted(ran) == sorted(
        ["stack", "long", "longer"]
        + [f"{kind} {n}" for kind, count in (("shares", 6), ("own", 12), ("short", 3)) for n in range(count)]
    ), "each once, and one stack"
    workers = {what: worker for what, worker, _ in notes}
    assert len({workers[what] for what in ran if what.startswith("shares")}) == 1
    assert len({workers[what] for what in ran if what.startswith("own")}) == 2
    assert ran.index("stack") < max(ran.index(what) for what in ran if what.startswith("own")), "not after all others"
    assert ran.index("stack") < min(ran.index(f"short {number}") for number in range(3)), "which came last"
    first = {worker: next(what for what, other, _ in notes if other == worker) for worker in set(workers.values())}
    assert set(first.values()) == {"longer", "long"}, notes


@pytest.mark.parametrize("workers", [3, 4], ids=["all take long ones", "one takes none"])
def test_no_long_one_stands_behind_another_and_short_ones_go_on(tmp_path: Path, workers: int) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = long\n")
    (tmp_path / "test_row.py").write_text(RECORDS + ROW)
    words = pytest_words("-n", str(workers), "-p", "beside_others", "--strict-markers")
    env = {**os.environ, **QUICK_START}
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stdout
    notes = [json.loads(line) for line in (tmp_path / "notes").read_text().splitlines()]
    assert len(notes) == 13, "each once"
    taking = {worker for what, worker, _ in notes if not what.startswith("short")}
    assert taking <= {"gw0", "gw1", "gw2"}, notes
