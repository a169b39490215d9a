"""Retention by customer: a class each, what is past it is not read and goes, and nobody's is made shorter by mistake."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cold_store import DAY_MS, TOKEN, StorageAlone
from remote_write import write
from stack import binaries, wait_for

CUSTOMERS = ("long", "plain", "short")
AGES = (200, 45, 20)  # days
CLASSES = """retention: {raw: 30d, rollup_5m: off, rollup_1h: off, rollup_1d: off, interval: 1s}
retention_classes: {long: {raw: 2y}, short: {raw: 10d}, middle: {raw: 100d}}
retention_customers_file: FILE
"""


class Classed(StorageAlone):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.customers = folder / "customers.yaml"
        head = self.config.read_text().split("retention:", maxsplit=1)[0]
        self.config.write_text(head + CLASSES.replace("FILE", str(self.customers)))

    def say(self, classes: dict[str, str]) -> None:
        draft = self.customers.with_suffix(".new")
        draft.write_text(json.dumps({"customers": [{"id": who, "class": name} for who, name in classes.items()]}))
        draft.rename(self.customers)

    def ages(self, customer: str) -> list[int]:
        """Of which of the days there are answers."""
        now_ms = int(time.time() * 1000)
        return [
            age
            for age in AGES
            if self.has_samples(customer, now_ms - age * DAY_MS - 3_600_000, now_ms - age * DAY_MS + 3_600_000)
        ]

    def stored_ages(self, customer: str) -> list[int]:
        """What lies in the stopped store, as the command that reads its bytes finds it."""
        words = [str(binaries() / "vigia-storage"), "inspect", str(self.folder), "--customer", customer, "--raw"]
        read = subprocess.run(words, check=True, capture_output=True, text=True)
        samples = [json.loads(line) for line in read.stdout.splitlines()]
        times = {sample["time_ms"] for sample in samples if sample["place"] == "chunks"}
        now_ms = int(time.time() * 1000)
        return [age for age in AGES if any(abs(now_ms - age * DAY_MS - at) < 3_600_000 for at in times)]

    def write_now(self, number: int) -> None:
        """By the records it is now; each old series goes on, so that its chunk closes."""
        now_ms = int(time.time() * 1000) + number
        for customer in CUSTOMERS:
            for age in AGES:
                self.write(customer, [(now_ms, 1.0)], age)

    def confirm(self, query: str = "") -> int:
        return int(self.post(f"/api/v1/retention/confirm{query}").status_code)

    def wait_for_sweeps(self) -> None:
        """Two that began after this: the test looks at what must not happen in them."""
        name = "vigia_storage_expiry_sweeps_total"
        ended = self.metrics()[name]
        wait_for("it has looked for what is over", lambda: self.metrics()[name] >= ended + 3, 20)

    def held(self) -> float:
        return self.metrics()["vigia_storage_retention_held_customers"]


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Classed]:
    store = Classed(tmp_path)
    store.say({"long": "long"})
    try:
        store.start()
        now_ms = int(time.time() * 1000)
        for age in AGES:  # the oldest first: by the records it is then so long ago
            for customer in CUSTOMERS:
                store.write(customer, [(now_ms - age * DAY_MS, 1.0)], age)
        store.write_now(0)
        yield store
    finally:
        store.kill()


def test_each_customer_keeps_what_his_class_says(storage: Classed) -> None:
    for customer in CUSTOMERS:
        assert storage.ages(customer) == [200, 45, 20], "nothing is over while the time is in doubt"
    wait_for("the time is in doubt", lambda: storage.metrics()["vigia_storage_expiry_held"] == 1, 20)
    assert storage.confirm() == 200
    wait_for("what is past its retention is not read", lambda: storage.ages("plain") == [20], 30)
    assert storage.ages("long") == [200, 45, 20]
    assert storage.ages("short") == [20], "he has no class yet"
    # To be kept shorter waits for a person or an hour, over restarts too.
    storage.say({"long": "long", "short": "short"})
    wait_for("it is announced", lambda: storage.held() == 1, 20)
    assert storage.metrics()['vigia_storage_retention_customers{class="short"}'] == 1
    storage.wait_for_sweeps()
    assert storage.ages("short") == [20]
    assert storage.stop() == 0
    assert storage.stored_ages("short") == [20]
    assert storage.stored_ages("plain") == [20]
    assert storage.stored_ages("long") == [200, 45, 20]
    storage.start()
    storage.write_now(1)
    assert storage.ages("short") == [20]
    assert storage.confirm("?customer=plain") == 409
    assert storage.confirm("?customer=short") == 200
    wait_for("his are over", lambda: storage.ages("short") == [], 30)
    assert storage.held() == 0
    assert storage.ages("plain") == [20]
    storage.wait_for_sweeps()
    storage.kill()
    storage.start()
    storage.write_now(2)
    assert storage.ages("short") == []
    storage.wait_for_sweeps()  # what the log gave back goes again
    assert storage.stop() == 0
    assert storage.stored_ages("short") == []
    assert storage.stored_ages("plain") == [20]
    assert storage.stored_ages("long") == [200, 45, 20]


def test_a_file_that_says_less_takes_nothing_away(storage: Classed) -> None:
    wait_for("the time is in doubt", lambda: storage.metrics()["vigia_storage_expiry_held"] == 1, 20)
    assert storage.confirm() == 200
    wait_for("what is past its retention is not read", lambda: storage.ages("plain") == [20], 30)
    storage.say({"long": "logn", "plain": "nothing"})
    wait_for("classes that are none are counted", lambda: is_unknown(storage, 2), 20)
    assert storage.ages("plain") == [20]
    storage.say({})
    wait_for("the file is read", lambda: is_unknown(storage, 0), 20)
    storage.customers.write_text("customers: [")
    failures = "vigia_storage_retention_file_failures_total"
    wait_for("a file that is none is counted", lambda: storage.metrics()[failures] > 0, 20)
    storage.kill()
    storage.say({})
    storage.start()
    storage.write_now(1)
    storage.wait_for_sweeps()
    assert storage.ages("long") == [200, 45, 20]
    assert storage.held() == 1
    # A class that is shorter, and still keeps what there is.
    storage.say({"long": "middle"})
    wait_for("it is announced anew", lambda: storage.held() == 1, 20)
    assert storage.confirm("?customer=long") == 200
    wait_for("what is past his new class is not read", lambda: storage.ages("long") == [45, 20], 30)
    # Up again: at once, for what comes from then on.
    storage.say({"long": "long"})
    now_ms = int(time.time() * 1000)

    def is_taken() -> bool:
        labels = {"__name__": "probe", "customer_id": "long", "series": "again"}
        write(storage.url, [(labels, [(now_ms - 200 * DAY_MS, 2.0)])], {**TOKEN, "X-Vigia-Customer": "long"})
        return storage.ages("long") == [200, 45, 20]

    wait_for("old samples are taken again", is_taken, 30)


def is_unknown(storage: Classed, count: int) -> bool:
    return storage.metrics()["vigia_storage_retention_unknown_customers"] == count


def test_wrong_names_are_told_where_the_file_is_checked(tmp_path: Path) -> None:
    storage = Classed(tmp_path)

    def check() -> subprocess.CompletedProcess[str]:
        words = [str(binaries() / "vigia-storage"), "--config", str(storage.config), "--check-config"]
        return subprocess.run(words, check=False, capture_output=True, text=True)

    storage.say({"a": "long"})
    assert check().returncode == 0
    storage.say({"a": "lnog"})
    checked = check()
    assert checked.returncode == 2
    assert '"lnog", which is none of retention_classes' in checked.stderr
