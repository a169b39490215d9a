"""Programs that a bench starts: until when they are ready, what they took, what a sink has seen."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))
from launcher.layout import own_host  # noqa: E402  # found by the line above, whoever starts this file

__all__ = [
    "ROOT",
    "cpu_seconds",
    "drained",
    "google_benchmark",
    "own_host",
    "resident_mib",
    "running",
    "seen",
    "wait_for_port",
]

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGESIZE")
GRPC_PORT = 4317  # each program has an address of its own


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_mib(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / 2**20


def wait_for_port(host: str, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection((host, GRPC_PORT), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"{process.args!r} does not listen")


@contextlib.contextmanager
def running(words: list[str], **options: object) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(words, text=True, stdout=subprocess.PIPE, stdin=subprocess.PIPE, **options)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def seen(sink_port: int) -> tuple[int, int, int]:
    with urllib.request.urlopen(f"http://127.0.0.1:{sink_port}/", timeout=10) as answer:
        requests, size, samples = (int(word) for word in answer.read().split())
    return requests, size, samples


def drained(sink_port: int) -> tuple[float, bool]:
    """Waits until nothing has come for a second. How long it went on coming, and whether it ended at all."""
    begin = changed = time.monotonic()
    last = seen(sink_port)
    while time.monotonic() < changed + 1:
        if time.monotonic() > begin + 60:
            return time.monotonic() - begin, False
        time.sleep(0.05)
        now = seen(sink_port)
        if now != last:
            last, changed = now, time.monotonic()
    return changed - begin, True


def google_benchmark(program: Path, *arguments: str) -> list[dict[str, object]]:
    words = [str(program), "--benchmark_format=json", *arguments]
    found = subprocess.run(words, text=True, capture_output=True, check=True).stdout
    benchmarks: list[dict[str, object]] = json.loads(found)["benchmarks"]
    return benchmarks
