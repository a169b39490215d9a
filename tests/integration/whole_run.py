"""All integration tests, in rounds: side by side what mostly waits, two at a time what measures memory, alone what measures
times. What fails is run once more at the end, alone (launcher/once_more.py says why)."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from launcher.once_more import judge
from launcher.paths import ROOT

PLACES = ("tests/integration", "services/collector/test_collector.py")
_BESIDE = ("-p", "beside_others")


@dataclass(frozen=True)
class Round:
    name: str
    words: tuple[str, ...]


ROUNDS = (
    Round("side by side", ("-m", "not alone and not two_at_a_time", "-n", "6", *_BESIDE)),
    Round("two at a time", ("-m", "two_at_a_time", "-n", "2", *_BESIDE)),
    Round("alone", ("-m", "alone")),
)


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


def whole_run(rounds: Sequence[Round], places: Sequence[str], root: Path) -> int:
    """0 if every test passed, in its round or alone afterwards."""
    failed, broken, times = [], [], []
    for one in rounds:
        started = time.monotonic()
        try:
            failed += run([*places, *one.words], root)
        except Broken as error:
            broken.append(f"{one.name}: {error}")
        times.append(f"{one.name} {time.monotonic() - started:.0f} s")

    def again(names: Sequence[str]) -> Sequence[str]:
        try:
            return run(names, root)
        except Broken as error:
            broken.append(f"once more: {error}")
            return names

    code = judge(failed, again)
    print(f"\nintegration tests: {', '.join(times)}", *broken, sep="\n", flush=True)
    return 1 if broken else code


if __name__ == "__main__":
    sys.exit(whole_run(ROUNDS, PLACES, ROOT))
