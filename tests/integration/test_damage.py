"""Cases A3, B8: any file of the store is damaged. It starts, serves what is whole, and says what it cost."""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from cold_store import DAY_MS, StorageAlone
from stack import wait_for

CUSTOMERS = ("cliente-a", "cliente-b")
SERIES = 30
HOURS = 24
MUTATIONS = 14


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[StorageAlone]:
    store = StorageAlone(tmp_path)
    try:
        store.start()
        fill(store)
        yield store
    finally:
        store.kill()


def fill(store: StorageAlone) -> None:
    """A day of every series; twice killed, so that tables and logs of RocksDB hold them."""
    random_values = random.Random(1)
    start_ms = int(time.time() * 1000) - HOURS * 3_600_000
    for customer in CUSTOMERS:
        for series in range(SERIES):
            samples = [(start_ms + step * 60_000, random_values.random()) for step in range(HOURS * 60)]
            store.write(customer, samples, series)
    for _ in range(2):
        store.kill()
        store.start()


def write_new(store: StorageAlone, number: int) -> None:
    for customer in CUSTOMERS:
        store.write(customer, [(int(time.time() * 1000), float(number))], SERIES + number)


def serves(store: StorageAlone) -> bool:
    now_ms = int(time.time() * 1000)
    return all(store.has_samples(customer, now_ms - DAY_MS, now_ms) for customer in CUSTOMERS)


def tables(store: StorageAlone) -> list[Path]:
    return sorted(store.folder.glob("*.sst"), key=lambda path: path.stat().st_size)


def flip(path: Path, at: int, bits: int = 4) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ bits]))


def damage_counted(store: StorageAlone) -> float:
    metrics = store.metrics()
    return sum(value for key, value in metrics.items() if key.startswith("vigia_storage_damage_total"))


def test_a_flipped_bit_in_a_table_stops_nobody(storage: StorageAlone) -> None:
    for number in range(3):
        storage.kill()
        largest = tables(storage)[-1]
        flip(largest, largest.stat().st_size // 4)
        storage.start()
        write_new(storage, number)
        assert serves(storage)
        if number == 1:  # killed while the table is taken out and its rows are written anew
            storage.kill()
            storage.start()
            assert serves(storage)
    quarantine = storage.folder / "quarantine"
    wait_for("there is a note of what it cost", lambda: list(quarantine.glob("*.note")), 30)
    assert "rows lost" in next(iter(quarantine.glob("*.note"))).read_text()
    assert storage.metrics()["vigia_storage_quarantined_files"] >= 1
    assert storage.metrics()["vigia_faults_total"] == 0


def mutate(moments: random.Random, path: Path) -> str:
    size = path.stat().st_size
    kind = moments.choice(("flip", "flip", "zeros", "cut"))
    at = moments.randrange(size)
    if kind == "flip":
        flip(path, at, 1 << moments.randrange(8))
    elif kind == "zeros":
        at = at // 4096 * 4096
        with path.open("r+b") as file:
            file.seek(at)
            file.write(bytes(min(4096, size - at)))
    else:
        with path.open("r+b") as file:
            file.truncate(at)
    return f"{kind} at {at} of {size} in {path.name}"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_is_damaged_it_starts_and_serves_the_rest(storage: StorageAlone, seed: int) -> None:
    moments = random.Random(seed)
    for number in range(MUTATIONS // 2):
        storage.kill()
        files = [
            path
            for path in storage.folder.rglob("*")
            if path.is_file()
            and path.stat().st_size > 0
            and "quarantine" not in path.parts
            and not path.name.startswith(("LOG", "LOCK", "OPTIONS"))
            and path.name != "lock"
        ]
        path = moments.choice(files)
        what = mutate(moments, path)
        try:
            storage.start()
            write_new(storage, number)
            assert serves(storage), what
        except BaseException as failure:
            raise AssertionError(f"seed {seed}, mutation {number}: {what}") from failure
    assert storage.metrics()["vigia_faults_total"] == 0


def fill_disk(ballast: Path) -> None:
    with ballast.open("wb") as file:
        while True:
            try:
                file.write(bytes(65536))
                file.flush()
            except OSError:
                return


def is_ready(store: StorageAlone) -> bool:
    return requests.get(f"{store.url}/ready", timeout=2).status_code == 200


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_full_disk_is_said_and_waited_for(tmp_path: Path) -> None:
    """Case B9, and a start with a log to replay."""
    store = StorageAlone(tmp_path)
    store.folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(store.folder)], check=True)
    ballast = store.folder / "ballast"
    try:
        store.start()
        write_new(store, 0)
        fill_disk(ballast)
        wait_for("it says that it takes nothing", lambda: not is_ready(store), 20)
        assert serves(store)
        store.kill()
        store.launch()
        wait_for("the start waits", lambda: "the start waits" in store.log.read_text(), 30)
        ballast.unlink()
        wait_for("it is ready", lambda: is_ready(store), 30)
        assert serves(store)
        write_new(store, 1)
        wait_for("it stays ready", lambda: is_ready(store), 10)
    finally:
        store.kill()
        subprocess.run(["umount", "-l", str(store.folder)], check=True)
