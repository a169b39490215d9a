"""What fails beside others is run once more, alone: what then makes a whole run fail, and what is told."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from launcher.checks import BESIDE_INTEGRATION, STEPS
from launcher.once_more import REPEATED_MAX, Program, judge, side_by_side
from test_beside_others import QUICK_START
from whole_run import PLACES, ROUNDS, THOROUGH_ROUNDS, Round, pytest_words, whole_run, with_steps

PASSES = "def test_passes(): pass\n"
FAILS = "def test_fails(): assert 1 == 2, 'always wrong'\n"
# Each of these fails the first time only, by what lies in the folder then.
ONCE = (
    "from pathlib import Path\ndef first(name):\n    file = Path(__file__).with_name(name)\n    found = file.exists()\n"
)
ONCE += "    file.touch()\n    return not found\n"
FAILS_ONCE = ONCE + "def test_once(): assert not first('call'), 'the first time'\n"
SETUP_FAILS_ONCE = ONCE + (
    "import pytest\n@pytest.fixture(scope='module')\ndef part():\n    assert not first('setup'), 'not ready'\n"
    "@pytest.mark.parametrize('n', ['a b', '[x]@y'])\ndef test_uses(part, n): pass\n"
)
END_FAILS_ONCE = ONCE + (
    "import pytest\n@pytest.fixture\ndef part():\n    yield\n    assert not first('end'), 'a fault was caught'\n"
    "def test_ends(part): pass\n"
)
DIES_ONCE = ONCE + "import os\ndef test_dies():\n    if first('death'): os._exit(3)\n"
DOES_NOT_LOAD = "import a_module_that_nobody_has\n"


@pytest.fixture(autouse=True)
def _quick_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of some sixty starts of pytest would load every plugin that is installed, at two seconds of processor."""
    for name, value in QUICK_START.items():
        monkeypatch.setenv(name, value)


BESIDE = Round("side by side", ("-m", "not alone", "-n", "2", "-p", "beside_others"))
ALONE = Round("alone", ("-m", "alone"))


def _ends(capfd: pytest.CaptureFixture[str], folder: Path, *sources: str) -> tuple[int, str]:
    """Exit code and output of a whole run of files with these sources, beside each other, and of a test that is alone."""
    marked = "import pytest\n@pytest.mark.alone\ndef test_alone(): pass\n"
    for number, source in enumerate([*sources, marked]):
        (folder / f"test_{number}.py").write_text(source)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = alone\n")
    code = whole_run((BESIDE, ALONE), ["."], folder)
    return code, capfd.readouterr().out


def test_all_pass(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, told = _ends(capfd, tmp_path, PASSES)
    assert code == 0
    assert "failed" not in told
    assert "integration tests: side by side" in told


@pytest.mark.parametrize(
    ("source", "names"),
    [
        (FAILS_ONCE, ["test_0.py::test_once"]),
        (SETUP_FAILS_ONCE, ["test_0.py::test_uses[a b]", "test_0.py::test_uses[[x]@y]"]),
        (END_FAILS_ONCE, ["test_0.py::test_ends"]),
        (DIES_ONCE, ["test_0.py::test_dies"]),
    ],
    ids=["in the test", "in its setup", "at its end", "with its process"],
)
def test_what_fails_the_first_time_only_is_named_and_no_failure(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], source: str, names: list[str]
) -> None:
    code, told = _ends(capfd, tmp_path, source, PASSES)
    assert code == 0, told
    assert f"{len(names)} failed at first and passed alone" in told
    for name in names:
        assert told.count(f"\n  {name}\n") == 2, "before it is repeated and in the end"
    assert "failed twice" not in told


def test_the_first_output_stays(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    _, told = _ends(capfd, tmp_path, FAILS_ONCE)
    assert told.index("the first time") < told.index("once more, alone")


def test_what_fails_again_fails_the_run(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, told = _ends(capfd, tmp_path, FAILS, FAILS_ONCE)
    assert code == 1
    assert "1 failed at first and passed alone" in told
    assert "1 failed twice:\n  test_0.py::test_fails\n" in told
    assert told.count("always wrong") >= 2


def test_what_fails_alone_is_repeated_too(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, told = _ends(capfd, tmp_path, FAILS_ONCE.replace("def test_", "import pytest\n@pytest.mark.alone\ndef test_"))
    assert code == 1, "a round without tests is broken"
    assert "1 failed at first and passed alone" in told


def test_what_cannot_be_run_fails_the_run_though_the_rest_passes(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code, told = _ends(capfd, tmp_path, DOES_NOT_LOAD, PASSES)
    assert code == 1
    assert "side by side: pytest ended with exit code" in told


def test_a_repeat_that_cannot_be_run_fails_the_run(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    vanishes = ONCE + "if first('load'):\n    def test_once(): assert False\n"
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "test_0.py").write_text(vanishes)
    code = whole_run((Round("only", ()),), ["own"], tmp_path)
    told = capfd.readouterr().out
    assert code == 1
    assert "once more: pytest ended with exit code 4" in told
    assert "1 failed twice" in told


def test_too_many_are_not_repeated(capfd: pytest.CaptureFixture[str]) -> None:
    def again(names: object) -> list[str]:
        raise AssertionError(f"repeated {names}")

    assert judge([f"t{number}" for number in range(REPEATED_MAX + 1)], again) == 1
    assert f"{REPEATED_MAX + 1} failed, more than" in capfd.readouterr().out


@pytest.mark.parametrize("code", [0, 3])
@pytest.mark.parametrize("number", [0, 1])
def test_what_runs_beside_a_round_counts_and_the_next_round_waits_for_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], number: int, code: int
) -> None:
    names = ("first", "second", "third")
    for name in names:
        source = f"from pathlib import Path\ndef test_a(): Path('{name} ran').touch()\n"
        (tmp_path / f"test_{name}.py").write_text(source)
    waits = "def test_b(): assert Path('beside ran').exists()\n"
    with (tmp_path / f"test_{names[number + 1]}.py").open("a") as file:
        file.write(waits)
    # It ends only after its round has begun, so the next would find nothing if it did not wait.
    source = (
        "import time\nfrom pathlib import Path\nend = time.monotonic() + 60\n"
        f"while not Path('{names[number]} ran').exists() and time.monotonic() < end: time.sleep(0.01)\n"
        f"time.sleep(1)\nPath('beside ran').touch()\nprint('said beside')\nraise SystemExit({code})"
    )
    beside = Program("the others", [sys.executable, "-c", source], tmp_path, os.environ)
    rounds = [Round(name, (f"test_{name}.py",)) for name in names]
    rounds[number] = replace(rounds[number], beside=beside)
    assert whole_run(rounds, [], tmp_path) == (1 if code else 0)
    told = capfd.readouterr().out
    assert "said beside" in told
    assert ("the others: failed" in told) == bool(code)


def test_what_runs_beside_a_round_that_measures_goes_on_beside_the_next_and_counts(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("first", "second"):
        (tmp_path / f"test_{name}.py").write_text(
            f"from pathlib import Path\ndef test_a(): Path('{name} ran').touch()\n"
        )
    # It ends only after the second round has begun, which therefore must not wait.
    source = (
        "import time\nfrom pathlib import Path\nend = time.monotonic() + 60\n"
        "while not Path('second ran').exists() and time.monotonic() < end: time.sleep(0.01)\n"
        "raise SystemExit(3 if Path('second ran').exists() else 0)"
    )
    beside = Program("the others", [sys.executable, "-c", source], tmp_path, os.environ)
    rounds = [
        Round("first", ("test_first.py",), measures=True, beside=beside),
        Round("second", ("test_second.py",), measures=True),
    ]
    assert whole_run(rounds, [], tmp_path) == 1
    assert "the others: failed" in capfd.readouterr().out


def test_every_step_has_its_round_and_takes_no_time_from_those_that_measure_it() -> None:
    beside = [f"{name}={','.join(steps)}" for name, steps in BESIDE_INTEGRATION.items()]
    taken = [step for steps in BESIDE_INTEGRATION.values() for step in steps]
    assert sorted([*taken, "integration"]) == sorted(STEPS), "each once"
    for one in with_steps(ROUNDS, beside):
        if one.name not in BESIDE_INTEGRATION:
            assert one.beside is None
            continue
        assert one.beside is not None
        words = list(one.beside.words)
        assert words[-len(BESIDE_INTEGRATION[one.name]) :] == list(BESIDE_INTEGRATION[one.name])
        assert (words[:2] == ["chrt", "--idle"]) == one.measures
    assert {one.name for one in ROUNDS if one.measures} == {"two at a time", "alone"}
    assert all(one.beside is None for one in with_steps(ROUNDS, []))
    with pytest.raises(ValueError, match="no such round: never"):
        with_steps(ROUNDS, ["never=lint"])


def test_what_one_program_prints_stays_together(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def program(name: str, code: int) -> Program:
        source = f"import time\nfor n in range(3): print('{name}', n, flush=True); time.sleep(0.02)\nraise SystemExit({code})"
        return Program(name, [sys.executable, "-c", source], tmp_path, os.environ)

    assert side_by_side([program("one", 0), program("two", 3), program("three", 1)], 2) == ["two", "three"]
    told = capfd.readouterr().out
    for name in ("one", "two", "three"):
        assert f"{name} 0\n{name} 1\n{name} 2\n" in told


MARKS_TOLD = """
def pytest_collection_modifyitems(items):
    for item in items:
        print("marks", item.nodeid.partition(" ")[0], *(mark.name for mark in item.iter_markers()))
"""


def test_the_rounds_take_every_test_once(tmp_path: Path) -> None:
    """By their markers as they stand: no test is left out by plain and thorough runs together, and none runs in two rounds."""
    (tmp_path / "marks_told.py").write_text(MARKS_TOLD)
    command = pytest_words("-p", "marks_told", "--collect-only", "-q", "-q", *PLACES)
    env = {**os.environ, "PYTHONPATH": f"{tmp_path}:{os.environ['PYTHONPATH']}"}
    lines = subprocess.run(command, capture_output=True, text=True, check=True, env=env).stdout.splitlines()
    tests = [line.split() for line in lines if line.startswith("marks ")]
    assert len(tests) > 900
    known = {"thorough", "alone", "two_at_a_time", "cassandra", "waits"}
    expressions = [one.words[one.words.index("-m") + 1] for one in (*ROUNDS, *THOROUGH_ROUNDS)]
    for _, name, *marks in tests:
        chosen = [eval(expression, {}, {mark: mark in marks for mark in known}) for expression in expressions]
        assert sum(chosen) == 1, name
