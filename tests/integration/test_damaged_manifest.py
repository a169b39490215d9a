"""Case A3 after a kill -9: the MANIFEST is damaged, and no sample of anybody is missing."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cold_store import TOKEN, StorageAlone
from remote_read import SAMPLES, post_read, read_request, samples_of
from stack import wait_for

CUSTOMERS = ("cliente-a", "cliente-b")
SERIES = 6
SAMPLES_EACH = 600
ROUNDS = 3

Truth = dict[tuple[str, int], dict[int, float]]


def cut_below_copy(manifest: bytes, copy: bytes) -> bytes:
    return manifest[: max(len(copy) - 100, 0)]


def flip(manifest: bytes, copy: bytes) -> bytes:
    at = len(manifest) * 2 // 3
    return manifest[:at] + bytes([manifest[at] ^ 16]) + manifest[at + 1 :]


DAMAGES: dict[str, Callable[[bytes, bytes], bytes]] = {
    "truncated": lambda manifest, copy: b"",
    "shorter than its copy": cut_below_copy,
    "as long as its copy": lambda manifest, copy: manifest[: len(copy)],
    "without its end": lambda manifest, copy: manifest[:-20],
    "a flipped bit": flip,
    "zeros": lambda manifest, copy: bytes(len(manifest)),
    "zeros at its end": lambda manifest, copy: manifest[: len(manifest) // 2] + bytes(len(manifest) // 2),
}


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[StorageAlone]:
    store = StorageAlone(tmp_path)
    try:
        store.start()
        yield store
    finally:
        store.kill()


def fill(store: StorageAlone, truth: Truth, number: int) -> None:
    start_ms = int(time.time() * 1000) - 3_600_000
    for customer in CUSTOMERS:
        for series in range(number * SERIES, (number + 1) * SERIES):
            samples = [(start_ms + step * 1000, float(step + series)) for step in range(SAMPLES_EACH)]
            store.write(customer, samples, series)
            truth[customer, series] = dict(samples)


def missing(store: StorageAlone, truth: Truth) -> int:
    """Samples that cannot be read, or with another value; fails where one is somebody else's."""
    now_ms = int(time.time() * 1000)
    request = read_request([("probe", now_ms - 7_200_000, now_ms)])
    count = 0
    for customer in CUSTOMERS:
        answer = post_read(store.url, request, SAMPLES, {**TOKEN, "X-Vigia-Customer": customer})
        if answer.status_code == 503:
            return -1
        assert answer.status_code == 200, answer.text
        found = {}
        for labels, samples in samples_of(answer).items():
            named = dict(labels)
            assert named["customer_id"] == customer
            found[int(named["series"])] = samples
        for (owner, series), samples in truth.items():
            if owner == customer:
                got = found.get(series, {})
                count += sum(1 for at, value in samples.items() if got.get(at) != value)
    return count


def damage(store: StorageAlone, how: Callable[[bytes, bytes], bytes], with_mark: bool) -> bool:
    """Whether that changed anything."""
    manifest = store.folder / (store.folder / "CURRENT").read_text().strip()
    copy = store.folder / manifest.name.replace("MANIFEST", "vigia-manifest")
    before = manifest.read_bytes()
    manifest.write_bytes(how(before, copy.read_bytes() if copy.exists() else b""))
    if with_mark:
        mark = store.folder / "vigia-mark"
        mark.write_bytes(bytes(mark.stat().st_size))
    return with_mark or manifest.read_bytes() != before


@pytest.mark.parametrize("with_mark", [False, True], ids=["manifest", "manifest and mark"])
@pytest.mark.parametrize("what", DAMAGES)
def test_a_manifest_damaged_after_a_kill_costs_no_sample(storage: StorageAlone, what: str, with_mark: bool) -> None:
    seed = random.randrange(1 << 32)
    moments = random.Random(seed)
    truth: Truth = {}
    for number in range(ROUNDS):
        fill(storage, truth, number)
        assert storage.running is not None
        storage.running.end(15)  # all that is open goes into tables, and the log is passed
        storage.start()
        fill(storage, truth, ROUNDS + number)
        time.sleep(moments.uniform(0, 0.6))
        storage.kill()
        is_damaged = damage(storage, DAMAGES[what], with_mark)
        storage.start()
        wait_for(f"all samples are there, seed {seed}", lambda: missing(storage, truth) == 0, 40)
        metrics = storage.metrics()
        assert metrics["vigia_faults_total"] == 0
        damages = sum(value for key, value in metrics.items() if key.startswith("vigia_storage_damage_total"))
        assert damages > 0 or not is_damaged, f"seed {seed}"
