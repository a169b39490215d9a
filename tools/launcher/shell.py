"""Running other programs and talking to the person in front of the terminal."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path


class Failure(Exception):
    """Something that ends the command: one sentence that says what happened and what to do."""


_started = time.monotonic()


def say(text: str) -> None:
    """One line of progress, with the seconds since the start."""
    print(f"[{time.monotonic() - _started:5.0f} s] {text}", flush=True)


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    what: str,
) -> None:
    """Runs a command with its output shown; a failure names `what`."""
    full_env = {**os.environ, **(env or {})}
    code = subprocess.run([str(part) for part in command], cwd=cwd, env=full_env, check=False).returncode
    if code != 0:
        raise Failure(f"{what} failed (exit code {code}): {' '.join(str(part) for part in command)}")


def output(command: Sequence[str | Path], *, cwd: Path | None = None) -> str:
    """What a command prints; empty where it fails."""
    done = subprocess.run([str(part) for part in command], cwd=cwd, check=False, capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else ""


def as_root(command: Sequence[str]) -> list[str]:
    """The command as root: as it is, or by sudo."""
    if os.geteuid() == 0:
        return list(command)
    return ["sudo", "--preserve-env=DEBIAN_FRONTEND", *command]


def fail(message: str) -> None:
    print(f"vigia: {message}", file=sys.stderr)
