"""kill -9 of a storage that makes roll-ups: in the end each part of each window is what the samples give."""

from __future__ import annotations

import random
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from cold_shim import ColdShim, Point
from cold_store import DAY_MS, TOKEN, StorageAlone
from remote_read import SAMPLES, post_read, rolled_request, samples_of
from remote_write import write
from stack import binaries, wait_for

CUSTOMER = "cliente-a"
HEADERS = {**TOKEN, "X-Vigia-Customer": CUSTOMER}
SERIES = 40
DAYS = 12  # no more are written
EACH_MS = 2 * 3_600_000 + 60_000
PARTS = [
    "first",
    "last",
    "count",
    "sum",
    "min",
    "max",
    "resets",
    "dropped",
    "first_time",
    "last_time",
    "stale_time",
    "increase",
    "rate",
    "delta",
]
DUE = "vigia_storage_rollup_days_due"
ROLLED = "vigia_storage_rollup_days_total"
MARKED = "vigia_storage_rollup_marked"
WAITING = "vigia_storage_closed_chunks_waiting_bytes"
MADE = "retention: {raw: 30d, rollup_5m: 30d, rollup_1h: 30d, rollup_1d: 30d, interval: 1s}"
OFF = "retention: {raw: 30d, rollup_5m: off, rollup_1h: off, rollup_1d: off, interval: 1s}"


class Stop(NamedTuple):
    """A write of RocksDB's log."""

    first: str  # Point.first
    moment: str  # "before", "torn", "after"
    number: int = 1  # of such writes, this one

    def point(self) -> Point:
        log = "*/storage/[0-9]*.log"
        return Point("write", log, self.moment == "after", self.moment == "torn", self.first)


# That they are made now is noted before all else, then the days that lie there are marked, and that all are marked is noted.
WHEN_SWITCHED_ON = [
    Stop("note", "before"),
    Stop("note", "after"),
    Stop("mark", "torn"),
    Stop("note", "before"),
    Stop("note", "after"),
]
# A series' days are put in one write of all resolutions, finest first; then their marks go.
WHEN_DAYS_ARE_OVER = [
    Stop("windows", "before", SERIES // 2),
    Stop("windows", "torn", SERIES // 3),
    Stop("windows", "after", SERIES // 4),
    Stop("done", "before"),
    Stop("done", "torn"),
    Stop("done", "after"),
]

Samples = dict[int, float]


@pytest.fixture
def cold(tmp_path: Path) -> Iterator[StorageAlone]:
    storage = StorageAlone(tmp_path)
    assert MADE in storage.config.read_text()
    try:
        yield storage
    finally:
        storage.kill()


class Site:
    """Writes, and remembers what was acknowledged."""

    def __init__(self, cold: StorageAlone, seed: int) -> None:
        self.cold = cold
        self.random = random.Random(seed)
        self.start_ms = (int(time.time() * 1000) // DAY_MS - DAYS - 2) * DAY_MS
        self.sent: list[Samples] = [{} for _ in range(SERIES)]
        self.days = 0  # that were written

    def batch(self, day: int) -> list[tuple[dict[str, str], list[tuple[int, float]]]]:
        """Of each series a day in order, some gaps and resets in it, and a late sample for each day before."""
        batch = []
        for series, sent in enumerate(self.sent):
            times = range(self.start_ms + day * DAY_MS + 1 + series, self.start_ms + (day + 1) * DAY_MS, EACH_MS)
            in_order = [at for at in times if self.random.random() > 0.1]
            late = [self.start_ms + before * DAY_MS + self.random.randrange(1, DAY_MS) for before in range(day)]
            samples = {at: float(self.random.randrange(1000)) for at in in_order + late if at not in sent}
            batch.append(({"__name__": "rolled", "customer_id": CUSTOMER, "n": str(series)}, list(samples.items())))
        return batch

    def send(self, batch: list[tuple[dict[str, str], list[tuple[int, float]]]]) -> None:
        write(self.cold.url, batch, HEADERS)
        for labels, samples in batch:
            self.sent[int(labels["n"])].update(samples)

    def rolled(self) -> float:
        return self.cold.metrics().get(ROLLED, 0)  # not there where none are made

    def leave_due(self) -> None:
        """Starts it, writes a day and late samples, and stops it with these stored and not rolled up."""
        self.cold.start()
        batch = self.batch(self.days)
        self.days += 1

        def is_left() -> bool:
            """Rounds are a minute apart once nothing is left to make."""
            wait_for("a round has found nothing", self.is_through, 60)
            rolled = self.rolled()
            self.send(batch)
            wait_for("what is closed is stored", lambda: self.cold.metrics()[WAITING] == 0)
            self.tell_time()  # last, so that the next start knows it from its log at once
            if self.rolled() == rolled:
                return True
            late = [(labels, samples[-1:]) for labels, samples in batch]
            batch[:] = [(labels, [(at + 1, value) for at, value in samples]) for labels, samples in late]
            return False

        wait_for("days are left to be rolled up", is_left, 120)
        assert self.cold.stop() == 0

    def is_through(self) -> bool:
        """Whether a round has ended without having made something: the next one is a minute later."""
        return self.cold.metrics().get("vigia_storage_rollup_resting", 1) == 1  # not there where none are made

    def die_at(self, shim: ColdShim, stop: Stop) -> None:
        """Starts it, and waits until it has died there."""
        self.cold.environment = shim.environment()
        shim.arm(stop.point(), stop.number)
        self.cold.launch()
        running = self.cold.running
        assert running is not None

        wait_for(f"the program dies at {stop}", lambda: not running.is_running(), 60)
        assert shim.left() == 0, f"it ended otherwise than at {stop}"
        assert running.end() == -9
        self.cold.running = None
        self.cold.environment = {}

    def tell_time(self) -> None:
        """Days are over by what comes in."""
        write(
            self.cold.url, [({"__name__": "now", "customer_id": CUSTOMER}, [(int(time.time() * 1000), 1.0)])], HEADERS
        )


def _answers(site: Site, rollup: str) -> dict[int, Samples]:
    request = rolled_request("rolled", rollup, site.start_ms, site.start_ms + (DAYS + 1) * DAY_MS)
    answer = post_read(site.cold.url, request, SAMPLES, HEADERS)
    assert answer.status_code == 200, f"{rollup}: {answer.text}"
    return {int(dict(key)["n"]): samples for key, samples in samples_of(answer).items()}


def _all_answers(site: Site) -> dict[str, dict[int, Samples]]:
    asked = [f"{width}:{part}" for width in ("5m", "1h", "1d") for part in PARTS]
    return {rollup: _answers(site, rollup) for rollup in asked}


def _counts(samples: Samples, width_ms: int) -> Samples:
    counts: Samples = {}
    for at in samples:
        stamp = -(-at // width_ms) * width_ms - 1
        counts[stamp] = counts.get(stamp, 0) + 1
    return counts


@pytest.mark.timeout(300)
@pytest.mark.long(25)
def test_every_window_is_what_the_samples_give(cold: StorageAlone, tmp_path: Path) -> None:
    """Killed at each stage of the roller's work, of a store that had no roll-ups too."""
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    site = Site(cold, seed)
    shim = ColdShim(tmp_path)
    made = cold.config.read_text()
    cold.config.write_text(made.replace(MADE, OFF))
    for _ in range(2):
        site.leave_due()
    cold.config.write_text(made)
    for stop in WHEN_SWITCHED_ON:
        site.die_at(shim, stop)
    for stop in WHEN_DAYS_ARE_OVER:
        site.leave_due()
        site.die_at(shim, stop)
    site.leave_due()
    cold.start()

    def all_is_made() -> bool:
        metrics = cold.metrics()
        return metrics[ROLLED] >= SERIES and metrics[DUE] == 0 and metrics[MARKED] == 1 and site.is_through()

    wait_for("all days are rolled up", all_is_made, 60)
    assert cold.metrics()["vigia_storage_rollup_windows_kept_total"] == 0
    stored = _all_answers(site)
    assert _answers(site, "") == dict(enumerate(site.sent))
    for width, width_ms in {"5m": 300_000, "1h": 3_600_000, "1d": DAY_MS}.items():
        assert stored[f"{width}:count"] == {n: _counts(sent, width_ms) for n, sent in enumerate(site.sent)}
    assert cold.stop() == 0
    verified = subprocess.run(
        [str(binaries() / "vigia-storage"), "verify", "--config", str(cold.config)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert verified.returncode == 0, verified.stdout
    rows = {name: int(number) for name, number in re.findall(r"(rollup_\w+): (\d+)", verified.stdout)}
    print(f"rows of roll-ups: {rows}")
    assert rows["rollup_5m"] >= SERIES * (site.days - 1), verified.stdout
    assert min(rows["rollup_1h"], rows["rollup_1d"]) >= SERIES, verified.stdout
    cold.config.write_text(made.replace(MADE, OFF))
    cold.start()
    of_samples = _all_answers(site)
    for rollup, answers in of_samples.items():
        assert stored[rollup] == answers, rollup
