"""What failed beside others is run once more, alone, and that is said.

A loaded machine may stretch a wait beyond what a test gives it; a real fault fails again. A test that passes only alone is
no failure, and not sound either: its name is told, and somebody looks into it.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

# More than these at once are no matter of load, and to repeat them would only take long.
REPEATED_MAX = 30
_KILLED = -9


@dataclass(frozen=True)
class Program:
    """One program of tests that is run with others of its kind beside it."""

    name: str
    words: Sequence[str]
    cwd: Path
    env: Mapping[str, str]
    seconds_max: float | None = None  # then it is killed, and has failed


def judge(failed: Sequence[str], again: Callable[[Sequence[str]], Sequence[str]]) -> int:
    """The exit code of a run in which `failed` failed: 0 if there was none, or if `again` lets all of them pass.

    `again` runs what it is given, nothing beside it, and gives what failed then.
    """
    if not failed:
        return 0
    if len(failed) > REPEATED_MAX:
        _tell(f"{len(failed)} failed, more than the {REPEATED_MAX} that are repeated: no matter of load", failed)
        return 1
    _tell(f"{len(failed)} failed; once more, alone", failed)
    still = again(failed)
    passed = [name for name in failed if name not in still]
    if passed:
        _tell(
            f"{len(passed)} failed at first and passed alone; their first output is above. A finding to look into,"
            " whatever this run's end: a test that a loaded machine breaks, or a fault that shows only now and then",
            passed,
        )
    if still:
        _tell(f"{len(still)} failed twice", still)
    return 1 if still else 0


def side_by_side(programs: Sequence[Program], at_once: int) -> list[str]:
    """Runs the programs, so many at once, in their order; shows what each printed when it ends. Which of them failed."""
    with ThreadPoolExecutor(at_once) as pool:
        runs = [pool.submit(_run_and_show, program) for program in programs]
        return [program.name for program, run in zip(programs, runs, strict=True) if run.result() != 0]


def _run_and_show(program: Program) -> int:
    started = time.monotonic()
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        code = _run(program, output)
        output.seek(0)
        print(f"{program.name}: {time.monotonic() - started:.0f} s, exit code {code}\n{output.read()}", flush=True)
    return code


def _run(program: Program, output: IO[str]) -> int:
    try:
        return subprocess.run(
            list(program.words),
            cwd=program.cwd,
            env=dict(program.env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            check=False,
            timeout=program.seconds_max,
        ).returncode
    except subprocess.TimeoutExpired:
        output.write(f"{program.name}: killed after {program.seconds_max:g} s\n")
        return _KILLED


def _tell(what: str, names: Sequence[str]) -> None:
    print("\n".join([f"\n{what}:", *(f"  {name}" for name in names)]), flush=True)
