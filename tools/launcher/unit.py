"""Unit tests: each program whole or in a few shards, four at a time, the largest first.

ctest starts a process for every case, two thousand of them, each with the sanitizers' own start: more work than the cases
themselves. `ctest --preset dev -R NAME` stays the way to one case; what programs there are is asked of it. A program of very
many cases is dealt out to several processes, by GoogleTest itself: whole, storage's had one processor busy for longer than
all the others together had the second one.

They wait more than they compute: for disks, for timers, for each other. Measured, net's 234 cases took 17 s of processors in
68 s, storage's 724 took 198 s in 413 s. So more of them run at once than there are processors. And their files lie in memory
where that has room: what waits for the disk would have tests wait that measure beside them.
"""

from __future__ import annotations

import json
import math
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from launcher.once_more import Program, judge, side_by_side
from launcher.paths import ROOT
from launcher.shell import Failure, output

AT_ONCE = 4
CASES_MAX = 150  # of one process
SECONDS_MAX = 900  # of one process; what takes longer hangs
_FILTER = "--gtest_filter="
_MEMORY = Path("/dev/shm")
_SCRATCH = "vigia-unit-"
_FREE_MIN = 8 << 30  # bytes, of the machine's memory and of what may be files there
# AddressSanitizer walks up the stack at every allocation; of a program that allocates much a fifth of its processor time goes
# there. Eight frames name the caller; what fails is repeated with all thirty.
_FRAMES = 8


def programs(listed: Mapping[str, Any], env: Mapping[str, str]) -> list[Program]:
    """Of what `ctest --show-only=json-v1` lists: each program of cases, in shards where it has many; all else as it stands there."""
    found: dict[str, Program] = {}
    cases: Counter[str] = Counter()
    for test in listed["tests"]:
        command = test.get("command")
        if not command:
            raise Failure(f"{test['name']} is not built: its program does not list its cases, or the build failed")
        is_case = any(word.startswith(_FILTER) for word in command)
        words = [command[0], "--gtest_brief=1"] if is_case else command
        name = Path(command[0]).name if is_case else test["name"]
        found[name] = Program(name, words, _folder(test), env, SECONDS_MAX)
        cases[name] += is_case
    by_size = sorted(found.values(), key=lambda program: -_size(program))
    return [shard for program in by_size for shard in _shards(program, math.ceil(cases[program.name] / CASES_MAX))]


def run_all(preset: str, env: Mapping[str, str]) -> None:
    """Fails where a program fails, alone too."""
    listed = output(["ctest", "--preset", preset, "--show-only=json-v1"], cwd=ROOT)
    if not listed:
        raise Failure(f"ctest does not list the tests of the preset {preset}: run `ctest --preset {preset} -N`")
    with scratch(_MEMORY) as folder:
        found = {program.name: program for program in programs(json.loads(listed), {**os.environ, **env, **folder})}
        failed = side_by_side([with_short_stacks(program) for program in found.values()], AT_ONCE)
        if judge(failed, lambda names: side_by_side([found[name] for name in names], 1)) != 0:
            raise Failure("unit tests failed, once more alone too: their output is above")


def with_short_stacks(program: Program) -> Program:
    """Whoever runs the tests may say otherwise: of an option that stands twice the last one holds."""
    options = f"malloc_context_size={_FRAMES}"
    if said := program.env.get("ASAN_OPTIONS"):
        options += f":{said}"
    return replace(program, env={**program.env, "ASAN_OPTIONS": options})


@contextmanager
def scratch(memory: Path) -> Iterator[dict[str, str]]:
    """The environment that has programs keep their files in a folder of this run; empty where there is no room."""
    if not has_room(memory):
        yield {}
        return
    for left in memory.glob(f"{_SCRATCH}*"):  # by a run that was killed
        if not Path("/proc", left.name.removeprefix(_SCRATCH)).exists():
            shutil.rmtree(left, ignore_errors=True)
    folder = memory / f"{_SCRATCH}{os.getpid()}"
    folder.mkdir(mode=0o700)
    try:
        yield {"TMPDIR": str(folder)}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def has_room(memory: Path) -> bool:
    if not memory.is_mount() or not os.access(memory, os.W_OK):
        return False
    lines = Path("/proc/meminfo").read_text().splitlines()
    available = next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:"))
    return min(available, shutil.disk_usage(memory).free) >= _FREE_MIN


def _shards(program: Program, count: int) -> list[Program]:
    if count <= 1:
        return [program]
    return [
        replace(
            program,
            name=f"{program.name} {number + 1}/{count}",
            env={**program.env, "GTEST_TOTAL_SHARDS": str(count), "GTEST_SHARD_INDEX": str(number)},
        )
        for number in range(count)
    ]


def _folder(test: Mapping[str, Any]) -> Path:
    for one in test.get("properties", []):
        if one["name"] == "WORKING_DIRECTORY":
            return Path(one["value"])
    return ROOT


def _size(program: Program) -> int:
    file = Path(program.words[0])
    return file.stat().st_size if file.exists() else 0
