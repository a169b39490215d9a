"""Case A4: storage's wall clock is wrong, at the start and while it runs. Nothing is lost by it, and nothing refused."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from cold_store import DAY_MS, TOKEN, StorageAlone
from otlp import log_request, post, resource_of, span_request
from remote_write import one_sample, write_bytes
from stack import wait_for
from wall_clock import WallClock

CUSTOMERS = ("cliente-a", "cliente-b")
DAY_S = 86_400
EVENTS_DAYS_AGO = 20
TRACE = bytes(range(16))


class SteppedStorage(StorageAlone):
    def __init__(self, folder: Path) -> None:
        self.clock = WallClock(folder)
        super().__init__(folder, self.clock.env)

    def write_now(self, number: int) -> None:
        """What a collector with a right clock sends."""
        for customer in CUSTOMERS:
            self.write(customer, [(int(time.time() * 1000), float(number))])

    def write_events(self, days_ago: int) -> None:
        """A span and a log record of that time."""
        at_ns = time.time_ns() - days_ago * DAY_MS * 1_000_000
        for customer in CUSTOMERS:
            spans = span_request(resource_of(customer), TRACE, os.urandom(8), "old")
            span = spans.resource_spans[0].scope_spans[0].spans[0]
            span.start_time_unix_nano, span.end_time_unix_nano = at_ns - 1_000_000, at_ns
            logs = log_request(resource_of(customer), f"old line of {customer}")
            logs.resource_logs[0].scope_logs[0].log_records[0].time_unix_nano = at_ns
            for signal, request in (("traces", spans), ("logs", logs)):
                headers = {**TOKEN, "X-Vigia-Customer": customer}
                answer = post(self.url, None, request.SerializeToString(), signal=signal, headers=headers)
                assert (answer.status_code, answer.content) == (200, b"")

    def keeps(self, days_ago: int) -> bool:
        """Of that day everybody's samples, and where some were written then spans and log records (A4b)."""
        at_ms = int(time.time() * 1000) - days_ago * DAY_MS
        begin_ms, end_ms = at_ms - DAY_MS, at_ms + DAY_MS
        has_samples = all(self.has_samples(customer, begin_ms, end_ms) for customer in CUSTOMERS)
        if days_ago == EVENTS_DAYS_AGO:
            for customer in CUSTOMERS:
                assert self.spans(customer) == ["old"], f"{customer}'s span is gone"
                assert self.lines(customer, begin_ms, end_ms) == [f"old line of {customer}"], (
                    f"{customer}'s line is gone"
                )
        return has_samples

    def spans(self, customer: str) -> list[str]:
        answer = self._get(f"/api/v1/traces/{TRACE.hex()}", customer)
        return (
            [] if answer.status_code == 404 else [span["operationName"] for span in answer.json()["data"][0]["spans"]]
        )

    def lines(self, customer: str, begin_ms: int, end_ms: int) -> list[str]:
        answer = self._get("/api/v1/logs", customer, start=begin_ms / 1000, end=end_ms / 1000)
        return [record["body"] for record in answer.json()["data"]]

    def _get(self, path: str, customer: str, **parameters: float) -> requests.Response:
        headers = {**TOKEN, "X-Vigia-Customer": customer}
        answer = requests.get(f"{self.url}{path}", params=parameters, headers=headers, timeout=10)
        assert answer.status_code in (200, 404), answer.text
        return answer

    def wait_for_sweeps(self) -> None:
        """Some intervals of one second: the test looks at what must not happen in them."""
        time.sleep(4)


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[SteppedStorage]:
    store = SteppedStorage(tmp_path)
    try:
        store.start()
        now_ms = int(time.time() * 1000)
        for customer in CUSTOMERS:
            for days in (45, 20):
                store.write(customer, [(now_ms - days * DAY_MS, 1.0)], days)
        store.write_events(EVENTS_DAYS_AGO)
        yield store
    finally:
        store.kill()


def is_held(store: SteppedStorage) -> bool:
    return store.metrics()["vigia_storage_expiry_held"] == 1


def close_old_chunks(store: SteppedStorage) -> None:
    """A later sample of the series closes the chunk: then there is something to expire."""
    now_ms = int(time.time() * 1000)
    for customer in CUSTOMERS:
        for days in (45, 20):
            store.write(customer, [(now_ms - 15 * DAY_MS, 1.0)], days)


@pytest.mark.parametrize("ahead_days", [31, 403])
def test_a_clock_that_is_ahead_deletes_nothing(storage: SteppedStorage, ahead_days: int) -> None:
    close_old_chunks(storage)
    storage.write_now(0)
    wait_for("an unknown store's time is in doubt", lambda: is_held(storage), 20)
    assert storage.keeps(45)
    assert storage.post("/api/v1/retention/confirm").status_code == 200  # a person: the clock is right
    wait_for("what is too old expires", lambda: not storage.keeps(45), 90)
    assert storage.keeps(20)
    # While it runs.
    storage.clock.set_ahead(ahead_days * DAY_S)
    storage.write_now(1)
    storage.wait_for_sweeps()
    assert storage.keeps(20)
    # At the start, killed in the middle, with and without records.
    for number in range(2):
        storage.kill()
        storage.start()
        storage.wait_for_sweeps()
        assert storage.keeps(20)
        storage.write_now(2 + number)
        storage.wait_for_sweeps()
        assert storage.keeps(20)
    storage.clock.set_ahead(0)
    storage.write_now(5)
    storage.wait_for_sweeps()
    assert storage.keeps(20)
    assert storage.keeps(0)
    assert storage.metrics()["vigia_faults_total"] == 0


@pytest.mark.parametrize("behind_s", [360, 40 * DAY_S])
def test_a_clock_that_is_behind_refuses_nothing(storage: SteppedStorage, behind_s: int) -> None:
    storage.clock.set_ahead(-behind_s)
    storage.kill()
    storage.start()
    for number in range(5):
        storage.write_now(number)  # acknowledged by the collector: asserts 204
        time.sleep(0.01)
    assert storage.keeps(0)
    metrics = storage.metrics()
    assert not [key for key in metrics if "refused" in key and metrics[key] > 0]
    storage.kill()
    storage.clock.set_ahead(0)
    storage.start()
    assert storage.keeps(0)
    assert storage.keeps(20)


def test_with_late_max_a_clock_that_is_stepped_refuses_nothing_that_is_new(storage: SteppedStorage) -> None:
    storage.kill()
    storage.config.write_text(storage.config.read_text() + "late_max: 7d\n")
    storage.start()

    def late(days_ago: int, series: int) -> int:
        labels = {"__name__": "late", "customer_id": "cliente-a", "series": str(series)}
        sample = one_sample(labels, int(time.time() * 1000) - days_ago * DAY_MS, 1.0)
        return write_bytes(storage.url, sample, {**TOKEN, "X-Vigia-Customer": "cliente-a"}).status_code

    for number, ahead_s in enumerate((0, 30 * DAY_S, 3_000 * DAY_S, -30 * DAY_S, 0)):
        storage.clock.set_ahead(ahead_s)
        storage.write_now(number)  # acknowledged by the collector: asserts 204
        assert late(6, number) == 204, f"{ahead_s} s ahead"
        # Of a clock that is ahead the records say what is late; one that is behind lets all in.
        assert late(8, number) == (204 if ahead_s < 0 else 400), f"{ahead_s} s ahead"
    assert storage.metrics()['vigia_storage_samples_refused_total{reason="too_old"}'] == 4
    assert storage.keeps(0)
