"""The collector's wall clock is wrong, for seconds or for good: what it writes of its own harms no store, and no neighbour."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from collector_lanes import HOT, Lanes, newest_in_hot, now_ms
from otlp import gauge
from stack import wait_for, with_more_of
from wall_clock import WallClock

HOUR = 3600


class WrongClock(Lanes):
    def __init__(self, folder: Path, prometheus: Path) -> None:
        super().__init__(folder)
        self.clock = WallClock(folder)
        self.collector_env = self.clock.env
        self.configure()
        self.start("hot", prometheus)

    def newest_of_all_ms(self) -> float:
        """Of whatever hot has taken, in the future too."""
        text = requests.get(f"http://{self.host}:9090/metrics", timeout=5).text
        found = re.search(r"^prometheus_tsdb_head_max_time (\S+)$", text, re.MULTILINE)
        assert found is not None
        return float(found[1])

    def marks(self) -> int:
        result = self.query("count_over_time(vigia_hot_heartbeat[10m])")
        return int(float(result[0]["value"][1])) if result else 0

    def unconfirmed(self) -> float:
        return next(value for name, _, value in self.metrics() if name == "vigia_clock_unconfirmed")

    def send_now(self, customer: str, ahead_ms: int = 0) -> int:
        sent_ms = now_ms() + ahead_ms
        self.send_metrics(customer, gauge(f"probe_{customer[-1]}", [(sent_ms, 1.0)]))
        return sent_ms


@pytest.fixture(params=with_more_of("3.x"))
def wrong(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[WrongClock]:
    made = WrongClock(tmp_path, Path(request.param[1]))
    yield made
    made.end()


@pytest.mark.long(60)
@pytest.mark.parametrize("hours", [72, 3])
def test_three_seconds_ahead_shut_no_store(wrong: WrongClock, hours: int) -> None:
    wrong.start("collector")
    wait_for("a mark", lambda: wrong.marks() >= 1)
    before = wrong.marks()
    assert wrong.unconfirmed() == 0
    wrong.clock.set_ahead(hours * HOUR)
    wait_for("the step is seen", lambda: wrong.unconfirmed() == 1)
    time.sleep(3)
    wrong.clock.set_ahead(0)
    assert wrong.newest_of_all_ms() <= now_ms() + 1_000, "neither a mark nor a probe is of the future"
    for customer in ("cliente-a", "cliente-b"):
        for _ in range(3):
            wrong.send_now(customer)
        book = wrong.settle(customer, HOT)
        assert (book["sent"], book.get("dropped", 0)) == (3, 0)
    assert wrong.unconfirmed() == 0
    wait_for("the next minute's mark", lambda: wrong.marks() > before, 90)
    assert wrong.running["collector"].tail().count("the wall clock has stepped") == 1


def test_a_start_with_a_clock_that_is_ahead_writes_nothing_of_its_own(wrong: WrongClock) -> None:
    wrong.clock.set_ahead(72 * HOUR)
    wrong.start("collector")
    sent_ms = wrong.send_now("cliente-b")
    wait_for("b's sample", lambda: newest_in_hot(wrong)() >= sent_ms / 1000)
    time.sleep(10)
    assert wrong.marks() == 0
    assert wrong.unconfirmed() == 1
    assert wrong.newest_of_all_ms() <= now_ms() + 1_000


@pytest.mark.long(60)
def test_what_is_ahead_of_the_store_waits_alone_and_arrives(wrong: WrongClock) -> None:
    """Prometheus 3 takes up to ten minutes of its future. Read as "too old" it cost everybody all current data."""
    wrong.clock.set_ahead(4 * HOUR)
    wrong.start("collector")
    wrong.send_now("cliente-b")
    wrong.settle("cliente-b", HOT)
    wrong.send_now("cliente-a", ahead_ms=10 * 60_000 + 20_000)
    for _ in range(3):
        time.sleep(1)
        wrong.send_now("cliente-b")
        wrong.send_now("cliente-a")
    book = wrong.settle("cliente-b", HOT, seconds=15)
    assert (book["sent"], book.get("dropped", 0)) == (4, 0)
    wait_for("a's own other data", lambda: wrong.books("cliente-a", HOT).get("sent", 0) >= 3, 15)
    book = wrong.settle("cliente-a", HOT, seconds=120)
    assert (book["sent"], book.get("dropped", 0)) == (4, 0)
