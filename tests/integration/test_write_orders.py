"""What one series is at the door of the cold store, whatever the order of its labels, and what a request costs that is good in
part: remote write 1.0 and 2.0, by hand."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import requests
from cold_store import DAY_MS, TOKEN, StorageAlone
from remote_read import SAMPLES, post_read, read_request, samples_of
from remote_write import sized, snappy, varint, write_bytes

A = {**TOKEN, "X-Vigia-Customer": "cliente-a"}
VERSION_2 = {
    "Content-Type": "application/x-protobuf;proto=io.prometheus.write.v2.Request",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "2.0.0",
}
Pairs = Sequence[tuple[str, str]]  # labels, in the order in which they are written

SORTED = [("Zone", "z"), ("__name__", "ordered"), ("customer_id", "cliente-a"), ("node_id", "n1")]
REVERSED = SORTED[::-1]
MIXED = [SORTED[at] for at in (2, 0, 3, 1)]


def message_1(labels: Pairs, samples: Sequence[tuple[int, float]]) -> bytes:
    out = b"".join(sized(1, sized(1, name.encode()) + sized(2, value.encode())) for name, value in labels)
    return sized(1, out + b"".join(sized(2, _sample(*sample)) for sample in samples))


def message_2(labels: Pairs, samples: Sequence[tuple[int, float]]) -> bytes:
    """Its texts stand in the table of symbols in the order of the labels."""
    texts = ["", *(text for pair in labels for text in pair)]
    references = b"".join(varint(number) for number in range(1, len(texts)))
    series = sized(1, references) + b"".join(sized(2, _sample(*sample)) for sample in samples)
    return b"".join(sized(4, text.encode()) for text in texts) + sized(5, series)


def _sample(time_ms: int, value: float) -> bytes:
    return b"\x09" + struct.pack("<d", value) + b"\x10" + varint(time_ms)


class Door(StorageAlone):
    def send(self, version: int, labels: Pairs, samples: Sequence[tuple[int, float]]) -> requests.Response:
        if version == 1:
            return write_bytes(self.url, message_1(labels, samples), A)
        body = snappy(message_2(labels, samples))
        return requests.post(f"{self.url}/api/v1/write", data=body, headers={**A, **VERSION_2}, timeout=10)

    def series(self) -> Any:
        parameters = {"matcher": "__name__=ordered"}
        return requests.get(f"{self.url}/api/v1/series", params=parameters, headers=A, timeout=10).json()["data"]

    def samples(self, metric: str) -> dict[tuple[tuple[str, str], ...], dict[int, float]]:
        now_ms = int(time.time() * 1000)
        return samples_of(post_read(self.url, read_request([(metric, 0, now_ms + DAY_MS)]), SAMPLES, A))

    def counts(self) -> dict[str, float]:
        own = self.metrics()
        return {kind: own[f"vigia_storage_samples_{kind}_total"] for kind in ("stored", "repeated", "conflicting")}


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    made = Door(tmp_path)
    try:
        made.start()
        yield made
    finally:
        made.kill()


# R-RW-5, R-RW-6. Unsorted labels were another series, or none.
def test_labels_in_any_order_are_one_series(door: Door) -> None:
    at = int(time.time() * 1000)
    sent = [(version, labels) for labels in (REVERSED, SORTED, MIXED) for version in (1, 2)]
    for version, labels in sent:
        answer = door.send(version, labels, [(at, 1.0)])
        assert answer.status_code == 204, answer.text
        assert answer.headers["X-Prometheus-Remote-Write-Samples-Written"] == "1"
    assert door.counts() == {"stored": 1, "repeated": len(sent) - 1, "conflicting": 0}
    for number, (version, labels) in enumerate(sent, 1):
        conflict = door.send(version, labels, [(at, 2.0), (at + number, 3.0)])
        assert conflict.status_code == 400, "of the same series another value"
        assert conflict.headers["X-Prometheus-Remote-Write-Samples-Written"] == "1"
    expected = {tuple(sorted(SORTED)): {at: 1.0} | {at + number: 3.0 for number in range(1, len(sent) + 1)}}
    for is_killed in (False, True):
        if is_killed:
            door.kill()
            door.start()
        assert door.samples("ordered") == expected
        assert door.series() == [dict(SORTED)]
        assert door.metrics()["vigia_storage_open_series"] == 1, "one id"
    assert door.send(2, MIXED, [(at, 1.0)]).status_code == 204
    assert door.counts() == {"stored": 0, "repeated": 1, "conflicting": 0}, "of the new process"
    assert door.samples("ordered") == expected


# C48, as the case is written but for the two hours: late_max is a day at the least.
@pytest.mark.parametrize("is_one_series", [True, False], ids=["in one series", "each for itself"])
def test_the_good_of_a_request_is_written_beside_equal_conflicting_and_late(door: Door, is_one_series: bool) -> None:
    assert door.stop() == 0
    door.config.write_text(door.config.read_text() + "late_max: 1d\n")
    door.start()
    at = int(time.time() * 1000)

    def named(name: str) -> Pairs:
        return [("__name__", name), ("customer_id", "cliente-a")]

    assert door.send(1, named("stands"), [(at, 1.0)]).status_code == 204
    before = door.counts()
    twice = [message_1(named("stands"), [(at, 1.0), (at, 2.0)])]
    if not is_one_series:
        twice = [message_1(named("stands"), [(at, value)]) for value in (1.0, 2.0)]
    late = message_1(named("late"), [(at - 2 * DAY_MS, 4.0)])
    request = b"".join([*twice, late, message_1(named("good"), [(at, 5.0)])])
    for is_again in (False, True):
        answer = write_bytes(door.url, request, A)
        assert answer.status_code == 400, "not to be sent again"
        assert "1 samples refused, 1 in conflict" in answer.text
        assert 'the first: late{customer_id="cliente-a"}: too_old' in answer.text
        assert f"in conflict: stands{{}} at {at}: a stored sample" in answer.text
        assert "good" not in answer.text
        # The equal one is there, as the sender wants it: it counts as written.
        assert answer.headers["X-Prometheus-Remote-Write-Samples-Written"] == "2"
        written = {kind: count - before[kind] for kind, count in door.counts().items()}
        expected = {"stored": 1, "repeated": 1, "conflicting": 1}
        assert written == (expected if not is_again else {"stored": 1, "repeated": 3, "conflicting": 2})
    for _ in range(2):
        assert door.samples("stands") == {tuple(sorted(named("stands"))): {at: 1.0}}
        assert door.samples("good") == {tuple(sorted(named("good"))): {at: 5.0}}
        assert door.samples("late") == {}
        door.kill()
        door.start()
