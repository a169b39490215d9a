"""Case A3: after a kill one file is there as it was some rounds ago (a copy put back, a disk that lost its last writes). It starts, serves
nothing that is wrong, and what it cost is counted and named."""

from __future__ import annotations

import contextlib
import random
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_damage import CUSTOMERS, SERIES, DamagedStore

LIVES = 4
# What may be put back: the files that match, of those that are not so any more.
KINDS = {
    "table": "*.sst",
    "log of the tables": "[0-9]*.log",
    "current": "CURRENT",
    "manifest": "MANIFEST-*",
    "copy of the manifest": "vigia-manifest-*",
    "segment": "wal/segment-*",
    "cursors": "wal/cursors*",
    "mark": "vigia-mark",
}
TOGETHER = {
    "current and manifest": ("current", "manifest"),
    "current, manifest and mark": ("current", "manifest", "mark"),
}
ALWAYS = {"table", "log of the tables", "segment", "current and manifest"}  # the others are thorough


class OldStore(DamagedStore):
    """And what its folder held at some moments of its lives."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.copies: dict[Path, int] = {}  # and how many samples were acknowledged by then

    def copy(self) -> None:
        """While it runs: what ends meanwhile is left out."""
        copy = self.folder.with_name(f"copy-{len(self.copies)}")
        for path in self.folder.rglob("*"):
            if path.is_file() and "quarantine" not in path.parts:
                target = copy / path.relative_to(self.folder)
                target.parent.mkdir(parents=True, exist_ok=True)
                with contextlib.suppress(FileNotFoundError):
                    shutil.copyfile(path, target)
        self.copies[copy] = self.acknowledged()

    def acknowledged(self) -> int:
        return sum(map(len, self.truth.values()))

    def newest_segment(self) -> Path:
        return max((self.folder / "wal").glob("segment-*.log")).relative_to(self.folder)

    def old_files(self, kind: str, copy: Path) -> list[Path]:
        """Those of a kind that are no more, or are not the same any more; relative."""
        found = [path.relative_to(copy) for path in sorted(copy.glob(KINDS[kind]))]
        return [one for one in found if not self._is_the_same(one, copy)]

    def _is_the_same(self, one: Path, copy: Path) -> bool:
        now = self.folder / one
        return now.exists() and now.read_bytes() == (copy / one).read_bytes()

    def live(self, number: int, chance: random.Random) -> None:
        """Writes, with a copy between them, until it is killed."""
        now_ms = int(time.time() * 1000)
        for half in range(2):
            for customer in CUSTOMERS:
                for series in range(SERIES):
                    start_ms = now_ms - (2 * LIVES - 2 * number - half) * 3_600_000
                    self.write(customer, [(start_ms + n * 15_000, chance.random()) for n in range(200)], series)
            self.write_new(2 * number + half)
            if half == 0:
                self.copy()
        if chance.random() < 0.5:
            assert self.stop() == 0
            self.start()
        self.kill()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[OldStore]:
    made = OldStore(tmp_path)
    try:
        made.start()
        yield made
    finally:
        made.kill()


def untold(store: OldStore, chosen: list[Path], copy: Path) -> int:
    """How many samples may be gone without a word: where the newest segment of the write-ahead log ends, a kill may have ended it, and
    what says how long it was is as old as the last sweep (docs/formats/disk-log.md). No more than what came after the copy."""
    return store.acknowledged() - store.copies[copy] if store.newest_segment() in chosen else 0


@pytest.mark.parametrize(
    ("kind", "seed"),
    [
        pytest.param(kind, seed, marks=[] if seed == 1 and kind in ALWAYS else pytest.mark.thorough)
        for seed in (1, 2, 3)
        for kind in (*KINDS, *TOGETHER)
    ],
)
def test_a_file_of_an_earlier_moment_is_put_back(store: OldStore, kind: str, seed: int) -> None:
    chance = random.Random(f"{seed}/{kind}")
    done: list[str] = []
    for number in range(LIVES):
        store.live(number, chance)
        copies = [
            (copy, files)
            for copy in store.copies
            if all(files := [store.old_files(one, copy) for one in TOGETHER.get(kind, (kind,))])
        ]
        allowed = 0
        if copies:
            copy, files = chance.choice(copies)
            chosen = [chance.choice(some) for some in files]
            allowed = untold(store, chosen, copy)
            for one in chosen:
                shutil.copyfile(copy / one, store.folder / one)
            done.append(f"{', '.join(map(str, chosen))} of {copy.name}")
        try:
            store.start()
            cost = store.cost()
            assert cost.lost <= max(allowed, cost.allowed()), cost
            assert cost.kinds or not copies or "current" not in kind or "mark" in kind, "an old CURRENT is counted"
        except BaseException as failure:
            raise AssertionError(f"seed {seed}, {kind}, life {number}: {done}") from failure
    print(done)
    assert done or seed > 1, "no file was other than it is"
    store.kill()
    store.start()
    assert store.missing() == store.lost
    assert store.metrics()["vigia_faults_total"] == 0
