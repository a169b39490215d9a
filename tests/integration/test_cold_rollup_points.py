"""kill -9, or loss of power, of a cold store that makes roll-ups, at each point that has a name: windows are what a plain model says."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from cold_model import DAY_MS, Labels, Request
from cold_questions import headers_of
from cold_shim import POINTS, Point
from cold_site import CUSTOMERS, ColdSite
from cold_values import bits_of
from cold_walk import Walk
from remote_read import SAMPLES, post_read, rolled_request, samples_of
from stack import wait_for

METRIC, SERIES = "rolled", 4
ROLLED_DAYS = (1, 2, 3)  # ago, at the walk's begin: all kept to its end
WIDTHS = {"5m": 300_000, "1h": 3_600_000, "1d": DAY_MS}
PARTS = ("count", "sum", "first", "last", "min", "max")
OFF, MADE = "rollup_5m: off, rollup_1h: off, rollup_1d: off", "rollup_5m: 40d, rollup_1h: 40d, rollup_1d: 40d"
LOG = "*/storage/[0-9]*.log"
# Days are put in one write of all resolutions, then their marks go.
OF_ROLLUPS = {
    "windows before they are written": Point("write", LOG, first="windows"),
    "half of the windows written": Point("write", LOG, is_torn=True, first="windows"),
    "windows written": Point("write", LOG, is_behind=True, first="windows"),
    "marks before they go": Point("write", LOG, first="done"),
    "marks are gone": Point("write", LOG, is_behind=True, first="done"),
}
# A segment of the log stays as long as samples are open, and here some always are.
ALL = tuple(name for name in POINTS if name != "sweep: a segment of the log goes")
SOME = ("log record synced", "expiry: days have gone")


class RolledSite(ColdSite):
    """The configuration is written by its parent; roll-ups are switched on in it."""

    def start(self, interval: int = 1) -> None:
        launch = self.storage.launch

        def launch_with_rollups() -> None:
            self.switch_on()
            launch()

        self.storage.launch = launch_with_rollups  # type: ignore[method-assign]
        try:
            super().start(interval)
        finally:
            self.storage.launch = launch  # type: ignore[method-assign]

    def switch_on(self) -> None:
        text = self.storage.config.read_text()
        assert OFF in text or MADE in text
        self.storage.config.write_text(text.replace(OFF, MADE))

    def is_resting(self) -> bool:
        """A round has found nothing: the next one is a minute later."""
        return self.storage.metrics().get("vigia_storage_rollup_resting", 0) == 1


class RolledWalk(Walk):
    site: RolledSite

    written = 0  # series of each customer

    def write_rolled(self) -> None:
        """Series whose days are due at the next start, and late samples of those of before, whose days are rolled up, and are not due
        again before the late ones are stored. Whole numbers, so that sums are exact in any order."""
        self.written += SERIES
        for customer in CUSTOMERS:
            request: Request = [
                (self.rolled_labels(customer, n), [(at, bits_of(float(self.chance.randrange(1000)))) for at in times])
                for n in range(self.written)
                if (times := sorted(self.time_in(self.chance.choice(ROLLED_DAYS)) for _ in range(12)))
            ]
            now = tuple(sorted({"__name__": "now", "customer_id": customer, "n": "0"}.items()))
            self.take(customer, [request, [(now, [(self.site.now_ms(), bits_of(1.0))])]])

    @staticmethod
    def rolled_labels(customer: str, number: int) -> Labels:
        return tuple(sorted({"__name__": METRIC, "customer_id": customer, "n": str(number)}.items()))

    def die_in_roller(self, name: str) -> None:
        """The days that were written behind its round are made at the next start."""
        wait_for("a round has found nothing", self.site.is_resting, 90)
        self.write_rolled()
        self.site.stop()
        self.site.is_doomed = True
        self.site.shim.arm(OF_ROLLUPS[name], self.chance.choice([1, 2, 5]) if "windows" in name else 1)
        self.site.switch_on()
        self.site.storage.launch()
        self.site.await_ready_or_end()
        if self.site.shim.left() > 0:
            self.site.tell_time()  # no day is over before it knows
        self.site.await_end()
        assert self.site.shim.left() == 0, "it never comes to this point"

    def check_windows(self) -> None:
        """After settle(): nothing is unsure any more."""
        for customer in CUSTOMERS:
            own = self.site.model.of(customer).series
            for width, width_ms in WIDTHS.items():
                for part in PARTS:
                    request = rolled_request(METRIC, f"{width}:{part}", 0, self.site.now_ms() + 2 * DAY_MS)
                    answer = post_read(self.site.storage.url, request, SAMPLES, headers_of(customer))
                    assert answer.status_code == 200, f"{width}:{part}: {answer.text}"
                    found = samples_of(answer)
                    series = {labels: one for labels, one in own.items() if ("__name__", METRIC) in labels}
                    assert set(found) <= set(series)
                    for labels, one in series.items():
                        assert all(cell.is_sure and len(cell.values) == 1 for cell in one.cells.values())
                        samples = {at: _number(cell.values[0]) for at, cell in one.cells.items()}
                        assert found.get(labels, {}) == windows(samples, width_ms, part), f"{width}:{part} {labels}"


def _number(bits: object) -> float:
    assert isinstance(bits, int)
    return float(struct.unpack("<d", struct.pack("<Q", bits))[0])


def windows(samples: dict[int, float], width_ms: int, part: str) -> dict[int, float]:
    """Left-open, stamped a millisecond before their end."""
    within: dict[int, list[float]] = {}
    for at in sorted(samples):
        within.setdefault(-(-at // width_ms) * width_ms - 1, []).append(samples[at])
    of: dict[str, Callable[[list[float]], float]] = {
        "count": lambda values: float(len(values)),
        "sum": sum,
        "first": lambda values: values[0],
        "last": lambda values: values[-1],
        "min": min,
        "max": max,
    }
    return {stamp: of[part](values) for stamp, values in within.items()}


@pytest.mark.two_at_a_time
@pytest.mark.parametrize(
    ("is_power_lost", "names"),
    [
        (True, [*OF_ROLLUPS, *SOME]),
        pytest.param(True, [*ALL, *OF_ROLLUPS], marks=pytest.mark.thorough),
        pytest.param(False, [*OF_ROLLUPS, *ALL, *OF_ROLLUPS], marks=pytest.mark.thorough),
    ],
    ids=["some, power lost", "all, power lost", "all, killed"],
)
def test_windows_are_those_of_the_samples_after_a_kill_at_any_named_point(
    tmp_path: Path, is_power_lost: bool, names: list[str]
) -> None:
    site = RolledSite(tmp_path)
    walk = RolledWalk(site, 1)
    made = 0.0
    try:
        site.start()
        for number, name in enumerate(names):
            walk.done.append(name)
            walk.chance = random.Random(number)
            try:
                if name in OF_ROLLUPS:
                    walk.die_in_roller(name)
                else:
                    walk.write_rolled()
                    assert walk.come_to(name, 1), "it never comes to this point"
                if is_power_lost:
                    walk.note(f"{site.lose_power()} bytes lost")
                site.check_stopped()
                site.start()
                site.settle()
                walk.check_windows()
                made += site.storage.metrics()["vigia_storage_rollup_days_total"]
            except BaseException as error:
                raise AssertionError(walk.told(error)) from error
        wait_for("all that is due is made", lambda: site.storage.metrics()["vigia_storage_rollup_days_due"] == 0, 90)
        walk.check_windows()
        walk.read_all()
        print(f"{made:.0f} days of series were rolled up")
        assert made > len(CUSTOMERS) * SERIES
    finally:
        site.kill()
