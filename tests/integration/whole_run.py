"""The integration tests, in rounds: side by side what mostly waits, two at a time what measures memory, and beside it what needs a
Cassandra, one after the other, and the few that wait for minutes and do nothing else, alone what measures times. What fails is run once more at the end, alone (launcher/once_more.py says why).

Other steps of ./vigia test may run beside a round: --beside "NAME=STEP,STEP". The next round waits for their end. Beside the
rounds that measure they get only what it leaves idle, which is more than half of two processors. --thorough runs what
is marked so, and nothing else: loads of minutes, and further variants of what a usual run tries once.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path

from beside_others import SECONDS_FILE
from launcher.once_more import Program, judge, side_by_side
from launcher.paths import ROOT

PLACES = ("tests/integration", "services/collector/test_collector.py")
_BESIDE = ("-p", "beside_others")
# Some 580 seconds of processors and 4000 of waits: fewer leave one of two processors idle.
SIDE_BY_SIDE = 10
CASSANDRAS = 1  # beside two that measure: each would be a Java machine of 2 GB
WAITING = 5  # beside two that measure: as many as there are tests that wait for minutes, each some tenth of a processor


@dataclass(frozen=True)
class Round:
    name: str
    words: tuple[str, ...]
    measures: bool = False
    beside: Program | None = None  # runs at the same time


def _rounds(thorough: str) -> tuple[Round, ...]:
    first = f"{thorough} and not alone and not two_at_a_time and not cassandra and not waits"
    second = f"{thorough} and (two_at_a_time or cassandra or waits)"
    return (
        Round("side by side", ("-m", first, "-n", str(SIDE_BY_SIDE), *_BESIDE)),
        Round("two at a time", ("-m", second, "-n", str(2 + CASSANDRAS + WAITING), *_BESIDE), measures=True),
        Round("alone", ("-m", f"{thorough} and alone"), measures=True),
    )


ROUNDS = _rounds("not thorough")
THOROUGH_ROUNDS = _rounds("thorough")


class Broken(Exception):
    """A run that ended otherwise than with tests that passed or failed: nothing is known of what it did not run."""


def pytest_words(*words: str) -> list[str]:
    return [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--durations=20", *words]


def run(words: Sequence[str], root: Path) -> list[str]:
    """Runs pytest, its output shown; the node ids of what failed."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "failures"
        command = pytest_words("-p", "failures_kept", "--failures-to", str(file), *words)
        code = subprocess.run(command, cwd=root, check=False).returncode
        failed = file.read_text().splitlines() if file.exists() else []
    if code == 0 and not failed:
        return []
    if code == 1 and failed:
        return failed
    raise Broken(f"pytest ended with exit code {code}: {' '.join(words)}")


@dataclass
class _Rounds:
    """What the rounds have shown so far."""

    failed: list[str]
    broken: list[str]
    times: list[str]

    def take(self, name: str, words: Sequence[str], root: Path) -> None:
        started = time.monotonic()
        try:
            self.failed += run(words, root)
        except Broken as error:
            self.broken.append(f"{name}: {error}")
        self.times.append(f"{name} {time.monotonic() - started:.0f} s")

    def again(self, names: Sequence[str], root: Path) -> Sequence[str]:
        try:
            return run(names, root)
        except Broken as error:
            self.broken.append(f"once more: {error}")
            return names


def whole_run(rounds: Sequence[Round], places: Sequence[str], root: Path) -> int:
    """0 if every test passed, in its round or alone afterwards, and so did what ran beside the rounds."""
    seen = _Rounds([], [], [])
    with ThreadPoolExecutor(len(rounds)) as pool:
        others = []
        for one in rounds:
            started = pool.submit(side_by_side, [one.beside] if one.beside else [], 1)
            seen.take(one.name, [*places, *one.words], root)
            others.append(started)
            if not one.measures:
                wait(others)
        seen.broken += [f"{name}: failed; its output is above" for started in others for name in started.result()]
    code = judge(seen.failed, lambda names: seen.again(names, root))
    print(f"\nintegration tests: {', '.join(seen.times)}", *seen.broken, sep="\n", flush=True)
    return 1 if seen.broken else code


def _compile_once() -> None:
    """Else each of the first round's processes would, at four seconds of a processor."""
    subprocess.run([*pytest_words("--collect-only", "-q"), *PLACES], cwd=ROOT, check=False, stdout=subprocess.DEVNULL)


def recording(rounds: Sequence[Round]) -> list[Round]:
    """The rounds that write what took long into SECONDS_FILE, which is empty before: what is gone is not kept."""
    SECONDS_FILE.write_text("")
    return [
        replace(one, words=(*one.words, "--record-group-seconds")) if _BESIDE[1] in one.words else one for one in rounds
    ]


def with_steps(rounds: Sequence[Round], beside: Sequence[str]) -> list[Round]:
    """The rounds with steps of ./vigia test beside those that `beside` names, each as "NAME=STEP,STEP"."""
    steps = dict(entry.split("=", 1) for entry in beside)
    unknown = set(steps) - {one.name for one in rounds}
    if unknown:
        raise ValueError(f"no such round: {', '.join(sorted(unknown))}")
    return [replace(one, beside=_steps(steps[one.name], one.measures)) if one.name in steps else one for one in rounds]


def _steps(names: str, only_what_is_idle: bool) -> Program:
    words = [str(ROOT / "vigia"), "test", *names.split(",")]
    # Of util-linux. The kernel's class for what runs only where nothing else wants to: being nice would still take its turns.
    idle = ["chrt", "--idle", "0"] if only_what_is_idle and shutil.which("chrt") else []
    return Program(f"./vigia test {names.replace(',', ' ')}", [*idle, *words], ROOT, os.environ)


def main() -> int:
    parser = argparse.ArgumentParser(description="Runs the integration tests, in rounds.")
    parser.add_argument("--thorough", action="store_true", help="those that are marked thorough, and no others")
    parser.add_argument("--beside", action="append", default=[], metavar="NAME=STEP,STEP", help="steps beside a round")
    parser.add_argument("--record", action="store_true", help=f"write {SECONDS_FILE.name} anew")
    given = parser.parse_args()
    _compile_once()
    rounds = with_steps(THOROUGH_ROUNDS if given.thorough else ROUNDS, given.beside)
    return whole_run(recording(rounds) if given.record else rounds, PLACES, ROOT)


if __name__ == "__main__":
    sys.exit(main())
