"""Processes that go on running after ./vigia has ended, each known by its pid and start time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from launcher.paths import LOG, RUN
from launcher.shell import Failure

STOP_SECONDS_MAX = 20


@dataclass(frozen=True)
class Process:
    """One started program. A pid alone may be reused by a stranger, hence the start time in clock ticks."""

    name: str
    pid: int
    start_ticks: int


def _start_ticks(pid: int) -> int | None:
    """Field 22 of /proc/PID/stat; None where there is no such process or it is a zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] == "Z" else int(fields[19])


def is_running(process: Process) -> bool:
    return _start_ticks(process.pid) == process.start_ticks


def is_outdated(process: Process) -> bool:
    """True where the program's file was replaced since it was started, as a new build does."""
    try:
        return os.readlink(f"/proc/{process.pid}/exe").endswith(" (deleted)")
    except OSError:
        return False


def is_older_than(process: Process, file: Path) -> bool:
    """True where the file was written after the process was started: for what a program reads once."""
    return file.stat().st_mtime > (RUN / f"{process.name}.json").stat().st_mtime


def known() -> list[Process]:
    """Every process that was started and not stopped, running or not, in the order of their start."""
    found = [Process(**json.loads(file.read_text())) for file in RUN.glob("*.json")]
    return sorted(found, key=lambda process: (process.start_ticks, process.pid))


def strangers_with(folder: Path) -> dict[int, list[str]]:
    """Programs that we did not start whose command line names a file under `folder`, by pid."""
    ours = {process.pid for process in known()} | {os.getpid()}
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
            names = [(entry / "cwd").readlink() / word for word in words if "--config" in words]
        except OSError:  # ended meanwhile, or another user's
            continue
        if int(entry.name) not in ours and any(name.is_relative_to(folder) for name in names):
            found[int(entry.name)] = words
    return found


def find(name: str) -> Process | None:
    return next((process for process in known() if process.name == name), None)


def start(
    name: str, command: Sequence[str | Path], env: Mapping[str, str] | None = None, folder: Path | None = None
) -> Process:
    """Starts a program in a session of its own, its output in .vigia/log/NAME.log; it works in `folder`, or where we do."""
    log = LOG / f"{name}.log"
    with log.open("ab") as file:
        child = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            cwd=folder,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )
    ticks = _start_ticks(child.pid)
    if ticks is None:
        raise Failure(f"{name} ended at once:\n{log_tail(name)}")
    process = Process(name, child.pid, ticks)
    (RUN / f"{name}.json").write_text(json.dumps(asdict(process)))
    return process


def stop(process: Process) -> None:
    """SIGTERM, then after a while SIGKILL; forgets the process."""
    if is_running(process):
        os.kill(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS_MAX
        while is_running(process) and time.monotonic() < deadline:
            time.sleep(0.05)
        if is_running(process):
            os.kill(process.pid, signal.SIGKILL)
    (RUN / f"{process.name}.json").unlink(missing_ok=True)


def log_tail(name: str, lines: int = 15) -> str:
    file = LOG / f"{name}.log"
    if not file.exists():
        return "(no log)"
    with file.open("rb") as handle:
        handle.seek(max(0, file.stat().st_size - 16384))
        return "\n".join(handle.read().decode(errors="replace").splitlines()[-lines:])
