"""`vigia-storage verify`: what it says of a store that was killed, and of one whose files are damaged."""

from __future__ import annotations

import random
import subprocess
import time
from pathlib import Path

from cold_neighbour import ColdStore, Load, of_a, sample_bytes
from stack import binaries

SAMPLES = 40_000


def verify(cold: ColdStore) -> subprocess.CompletedProcess[str]:
    words = [str(binaries() / "vigia-storage"), "verify", "--config", str(cold.folder / "storage.yaml")]
    return subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)


def fill(cold: ColdStore) -> Load:
    load = Load(cold)
    values = random.Random(4)
    start_ms = int(time.time() * 1000) - SAMPLES * 15_000
    for number in range(8):
        samples = sample_bytes(start_ms, 15_000, [values.random() for _ in range(SAMPLES)])
        load.write(of_a("wide", {"n": str(number)}, samples), SAMPLES)
    return load


def largest(folder: Path, *endings: str) -> Path:
    return max((path for ending in endings for path in folder.glob(f"*{ending}")), key=lambda path: path.stat().st_size)


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def test_a_killed_store_is_whole_and_a_damaged_one_is_told_by_file(cold: ColdStore) -> None:
    folder = cold.folder / "storage"
    load = fill(cold)
    running = verify(cold)
    assert running.returncode == 2, running.stdout
    assert "stop vigia-storage first" in running.stderr
    cold.end(9)
    whole = verify(cold)
    assert whole.returncode == 0, whole.stdout + whole.stderr
    assert "no damage was found" in whole.stdout
    cold.start()
    load.assert_all_there()
    cold.end(15)  # a stop closes what is open: chunks lie in tables or RocksDB's log now
    segment = largest(folder / "wal", ".log")
    if segment.stat().st_size > 10_000:
        flip(segment, 5_000)
        damaged = verify(cold)
        assert damaged.returncode == 1, damaged.stdout
        assert f"DAMAGED wal/{segment.name}" in damaged.stdout
        flip(segment, 5_000)
    file = largest(folder, ".log", ".sst")  # what is in tables by then goes by the time
    flip(file, file.stat().st_size // 2)
    damaged = verify(cold)
    assert damaged.returncode == 1, damaged.stdout
    assert f"DAMAGED {file.name} ({'table' if file.suffix == '.sst' else 'wal'})" in damaged.stdout
    flip(file, file.stat().st_size // 2)
    assert verify(cold).returncode == 0
    cold.start()
    load.assert_all_there()
