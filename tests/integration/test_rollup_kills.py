"""kill -9 of a storage that makes roll-ups: in the end each part of each window is what the samples give."""

from __future__ import annotations

import random
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from cold_store import DAY_MS, TOKEN, StorageAlone
from remote_read import SAMPLES, post_read, rolled_request, samples_of
from remote_write import write
from stack import binaries, wait_for

CUSTOMER = "cliente-a"
HEADERS = {**TOKEN, "X-Vigia-Customer": CUSTOMER}
SERIES, AT_ONCE = 250, 125
DAYS = 4
EACH_MS = 2 * 3_600_000 + 60_000
PARTS = ["first", "last", "count", "sum", "min", "max", "resets", "dropped", "first_time", "last_time", "stale_time"]
DUE = "vigia_storage_rollup_days_due"
ROLLED = "vigia_storage_rollup_days_total"
MADE = "retention: {raw: 30d, rollup_5m: 30d, rollup_1h: 30d, rollup_1d: 30d, interval: 1s}"

Samples = dict[int, float]


@pytest.fixture
def cold(tmp_path: Path) -> Iterator[StorageAlone]:
    storage = StorageAlone(tmp_path)
    assert MADE in storage.config.read_text()
    storage.start()
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
        """Until all is acknowledged; what was before is sent again."""
        for first in range(0, SERIES, AT_ONCE):
            part = batch[first : first + AT_ONCE]

            def is_taken(part: list[tuple[dict[str, str], list[tuple[int, float]]]] = part) -> bool:
                try:
                    write(self.cold.url, part, HEADERS)
                except (requests.RequestException, AssertionError):
                    return False
                return True

            wait_for("a write is taken", is_taken, 60)
            for labels, samples in part:
                self.sent[int(labels["n"])].update(samples)

    def tell_time(self) -> None:
        """Days are over by what comes in."""
        self.cold.write(CUSTOMER, [(int(time.time() * 1000), 1.0)])

    def rolled(self) -> float | None:
        """Nothing while the program starts."""
        try:
            return self.cold.metrics().get(ROLLED)
        except requests.RequestException:
            return None

    def kill_while_rolling(self) -> bool:
        """Starts it, and kills it at a moment that chance chooses of the roller's work. Whether it was at work."""
        wanted = self.random.uniform(0, 0.8) * SERIES
        self.cold.launch()
        before: float | None = None
        now: float | None = None
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            before, now = now, self.rolled()
            if before is None and now is not None:
                self.tell_time()
            if before is not None and now is not None and now > 0 and (now == before or now >= wanted):
                break
        time.sleep(self.random.uniform(0, 0.01))  # the fault's moment, not a wait
        self.cold.kill()
        return before is not None and now is not None and now > before


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


@pytest.mark.thorough
@pytest.mark.timeout(600)
@pytest.mark.two_at_a_time
def test_every_window_is_what_the_samples_give(cold: StorageAlone) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    site = Site(cold, seed)
    hits = kills = 0
    for day in range(DAYS):
        batch = site.batch(day)
        if day % 2 == 1:  # while samples come in
            sender = threading.Thread(target=site.send, args=(batch,))
            sender.start()
            time.sleep(site.random.uniform(0, 0.5))  # the fault's moment, not a wait
            cold.kill()
            kills += 1
            cold.start()
            sender.join()
        site.send(batch)
        for again in range(2):
            assert cold.stop() == 0  # what is open stays in the log
            hits += site.kill_while_rolling()
            kills += 1
            cold.start()
            late = [(labels, samples[-1:]) for labels, samples in batch]
            site.send([(labels, [(at + 7 + again, value) for at, value in samples]) for labels, samples in late])
    print(f"{kills} kills, of which {hits} hit the roller at work")
    assert hits > 0
    assert cold.stop() == 0
    cold.start()
    site.tell_time()

    # What is open after the start is due once it is closed, and perhaps all else was rolled before: so nothing need be made
    # any more. Over is it where a whole round, of a minute, has found nothing.
    rolled = {"days": -1.0, "since": time.monotonic()}

    def all_is_made() -> bool:
        metrics = cold.metrics()
        if metrics[ROLLED] != rolled["days"] or metrics[DUE] > 0 or metrics["vigia_storage_rollup_marked"] != 1:
            rolled.update(days=metrics[ROLLED], since=time.monotonic())
        return time.monotonic() - rolled["since"] > 65

    wait_for("all days are rolled up", all_is_made, 240, every=2)
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
    assert "rollup_1h: " in verified.stdout
    cold.config.write_text(
        cold.config.read_text().replace(MADE, "retention: {raw: 30d, rollup_5m: off, rollup_1h: off, rollup_1d: off}")
    )
    cold.start()
    made = _all_answers(site)
    for rollup, of_samples in made.items():
        assert stored[rollup] == of_samples, rollup
