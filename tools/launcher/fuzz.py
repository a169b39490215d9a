"""`./vigia test fuzz`: every x_fuzz.cpp for a minute, from its seeds in tests/golden/fuzz/x on.

What is found anew stays in .vigia/fuzz/x, beside what stopped the program (crash-…, oom-…, timeout-…): the next run begins
from there. An input that found a fault goes into tests/golden/fuzz/x with its repair, where every run replays it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from launcher import build
from launcher.once_more import Program, side_by_side
from launcher.paths import ROOT, STATE
from launcher.shell import Failure

SECONDS = 60
AT_ONCE = 2
INPUT_BYTES_MAX = 16_384
MEMORY_MIB_MAX = 2_048


def sources() -> list[Path]:
    """Those of the programs' services and libraries."""
    return sorted(file for folder in ("libs", "services") for file in (ROOT / folder).rglob("*_fuzz.cpp"))


def programs(folder: Path, seconds: int = SECONDS) -> Iterator[Program]:
    for source in sources():
        name = source.stem.removesuffix("_fuzz")
        found = folder / name
        found.mkdir(parents=True, exist_ok=True)
        seeds = ROOT / "tests" / "golden" / "fuzz" / name
        words = [
            str(ROOT / "build" / "fuzz" / "bin" / source.stem),
            str(found),
            *([str(seeds)] if seeds.is_dir() else []),
            f"-max_total_time={seconds}",
            f"-max_len={INPUT_BYTES_MAX}",
            f"-rss_limit_mb={MEMORY_MIB_MAX}",
            f"-artifact_prefix={found}/",
            "-timeout=10",
            "-print_final_stats=1",
        ]
        yield Program(source.stem, words, ROOT, os.environ, seconds + 120)


def run_all() -> None:
    """Fails where one of them is stopped by what it found. Nothing is tried again: what was found is a fault."""
    build.programs("fuzz", [source.stem for source in sources()])
    failed = side_by_side(list(programs(STATE / "fuzz")), AT_ONCE)
    if failed:
        raise Failure(f"{', '.join(failed)} found something: the output is above, the input in {STATE / 'fuzz'}")
