"""Which tests go together where they run side by side, and in which order they begin."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from beside_others import Recorder, recorded
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


TWO = """
@pytest.fixture(scope="module")
def stack():
    note("stack")

@pytest.mark.parametrize("number", range(2))
def test_shares(stack, number):
    note(f"shares {number}")

@pytest.mark.parametrize("number", range(3))
def test_alone(number):
    note(f"alone {number}")
"""


def test_what_took_long_is_kept_and_begins_first_the_next_time(tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text(RECORDS + TWO)
    file = tmp_path / "seconds"
    file.write_text("40 test_one.py::test_alone[2]\n30 test_one.py\n20 test_other.py::test_that_is_not_run\n")
    words = pytest_words("-n", "1", "-p", "beside_others", "--group-seconds", str(file), "--record-group-seconds")
    env = {**os.environ, **QUICK_START}
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    ran = [json.loads(line)[0] for line in (tmp_path / "notes").read_text().splitlines()]
    assert ran == ["alone 2", "alone 0", "stack", "shares 0", "shares 1", "alone 1"], "no long one behind another"
    assert file.read_text() == "20 test_other.py::test_that_is_not_run\n", "what ran was short"


def test_a_group_takes_what_its_tests_take(tmp_path: Path) -> None:
    groups, file = tmp_path / "groups", tmp_path / "seconds"
    groups.write_text(json.dumps({"groups": {"a.py::one": "a.py", "a.py::two": "a.py", "b.py::x": "b.py::x"}}))
    file.write_text("70 c.py\n60 a.py\n50 b.py::x\n")
    recorder = Recorder(groups, file)
    for name, when, seconds in (
        ("a.py::one", "setup", 4.0),
        ("a.py::one", "call", 3.4),
        ("a.py::two", "call", 4.0),
        ("b.py::x", "call", 9.9),
    ):
        recorder.pytest_runtest_logreport(pytest.TestReport(name, ("", 0, ""), {}, "passed", None, when, (), seconds))  # type: ignore[arg-type]
    recorder.pytest_sessionfinish()
    assert file.read_text() == "70 c.py\n11 a.py\n"
    assert recorded(file) == {"c.py": 70, "a.py": 11}


OF_TWO = """
pytestmark = pytest.mark.two_at_a_time

@pytest.mark.parametrize("number", range(8))
def test_of_two(number):
    note(f"begins {number}")
    note(f"ends {number}")
"""
WAITS = """
@pytest.mark.long(200)
@pytest.mark.parametrize("number", range(3))
def test_waits(number):
    note(f"waits {number}")
    ends = time.monotonic() + 30
    while (Path(__file__).parent / "notes").read_text().count("ends") < 8:
        assert time.monotonic() < ends, "all others end beside it"
        time.sleep(0.02)
"""


def test_two_workers_take_what_is_two_at_a_time_and_the_others_all_else(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n  long\n  two_at_a_time\n")
    (tmp_path / "test_of_two.py").write_text(RECORDS + OF_TWO)
    (tmp_path / "test_waits.py").write_text(RECORDS + WAITS)
    words = pytest_words("-n", "6", "-p", "beside_others", "--strict-markers")  # one more than there is work for
    env = {**os.environ, **QUICK_START}
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stdout
    notes = [json.loads(line) for line in (tmp_path / "notes").read_text().splitlines()]
    assert len(notes) == 2 * 8 + 3, "each once"
    of_two = {worker for what, worker, _ in notes if not what.startswith("waits")}
    waiting = {worker for what, worker, _ in notes if what.startswith("waits")}
    assert len(of_two) == 2
    assert len(waiting) == 3
    assert not of_two & waiting


OF_CASSANDRA = """
@pytest.fixture(scope="session")
def node():
    note("node")

@pytest.mark.cassandra
@pytest.mark.parametrize("number", range(9))
def test_of_cassandra(node, number):
    note(f"cassandra {number}")
"""
FEW_OF_TWO = """
@pytest.mark.two_at_a_time
@pytest.mark.parametrize("number", range(2))
def test_of_two(number):
    note(f"two {number}")

@pytest.mark.parametrize("number", range(2))
def test_waits(number):
    note(f"waits {number}")
    ends = time.monotonic() + 30
    while (Path(__file__).parent / "notes").read_text().count("cassandra") < 9:
        assert time.monotonic() < ends, "they go on when those before them have ended"
        time.sleep(0.02)
"""


@pytest.mark.parametrize("workers", [1, 2, 3, 6])
def test_one_worker_takes_what_is_cassandras_and_there_is_one_node(tmp_path: Path, workers: int) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n  cassandra\n  two_at_a_time\n")
    (tmp_path / "test_a.py").write_text(RECORDS + OF_CASSANDRA)
    if workers > 2:
        (tmp_path / "test_b.py").write_text(RECORDS + FEW_OF_TWO)
    words = pytest_words("-n", str(workers), "-p", "beside_others", "--strict-markers")
    done = subprocess.run(
        words, cwd=tmp_path, capture_output=True, text=True, check=False, env={**os.environ, **QUICK_START}
    )
    assert done.returncode == 0, done.stdout
    notes = [json.loads(line) for line in (tmp_path / "notes").read_text().splitlines()]
    assert len([what for what, _, _ in notes if what.startswith("cassandra")]) == 9, "each once"
    assert [what for what, _, _ in notes].count("node") == 1
    # Whichever: workers are given their place as they come up.
    assert len({worker for what, worker, _ in notes if what.startswith("cassandra")}) == 1
