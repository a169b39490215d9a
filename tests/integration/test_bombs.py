"""What is small on the wire and large in memory, at the doors of one customer: what it may cost, and what it may not
cost another one. C21, R-SEC-1."""

from __future__ import annotations

import gzip
import os
import re
import statistics
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from collector_lanes import now_ms
from otlp import gauge, metrics_request
from remote_write import one_sample, sized, snappy, varint
from test_remote_write_in import FORM_2, Site

MIB = 1 << 20
MESSAGE_BYTES = 16 * MIB - 200_000  # a little below what a request may be, unpacked
NAME = sized(1, sized(1, b"__name__") + sized(2, b"a"))


def packed(begin: bytes, unit: bytes, times: int) -> bytes:
    """A snappy block of `begin` and so many units: a literal, then copies of what lies a unit back."""
    out = bytearray(varint(len(begin) + len(unit) * times))
    literal = begin + unit
    out += b"\xf4" + struct.pack("<H", len(literal) - 1) + literal
    left = len(unit) * (times - 1)
    while left > 0:
        size = min(left, 64)
        out += bytes([(size - 1) << 2 | 2]) + struct.pack("<H", len(unit))
        left -= size
    return bytes(out)


def in_series(unit: bytes, count: int) -> bytes:
    """One series of so many units of 1.0, as a block."""
    size = len(NAME) + len(unit) * count
    return packed(b"\x0a" + varint(size) + NAME, unit, count)


def _exemplars_2(count: int) -> bytes:
    exemplar = sized(4, sized(1, bytes(32_000)))
    size = 4 + len(exemplar) * count
    return packed(b"\x22\x00\x2a" + varint(size) + sized(1, b"\x00\x00"), exemplar, count)


def _long_texts(version: int) -> bytes:
    """90,000 samples of a metric with a name, or a help, of 400,000 bytes."""
    text, samples = b"n" * 400_000, b"\x12\x02\x10\x01" * 90_000
    if version == 1:
        name = sized(1, sized(1, b"__name__") + sized(2, text))
        return _of_runs(b"\x0a" + varint(len(name) + len(samples)) + name, samples)
    symbols = b"".join(sized(4, symbol) for symbol in (b"", b"__name__", b"m", text))
    series = sized(1, b"\x01\x02") + sized(5, b"\x18\x03")
    return _of_runs(symbols + b"\x2a" + varint(len(series) + len(samples)) + series, samples)


def _of_runs(begin: bytes, end: bytes) -> bytes:
    """A snappy block in which what repeats itself by four bytes, or by one, is copies."""
    whole = begin + end
    out, at, literal = bytearray(varint(len(whole))), 0, bytearray()
    while at < len(whole):
        run = whole[at : at + 64]
        back = next((size for size in (1, 4) if at >= size and run == (whole[at - size : at] * 64)[: len(run)]), 0)
        if back == 0 or len(run) < 64:
            literal += whole[at : at + 1]
            at += 1
            continue
        if literal:
            out += b"\xf4" + struct.pack("<H", len(literal) - 1) + literal
            literal.clear()
        out += bytes([63 << 2 | 2]) + struct.pack("<H", back)
        at += 64
    if literal:
        out += b"\xf4" + struct.pack("<H", len(literal) - 1) + literal
    return bytes(out)


# Each with the statuses that it may have: 400 where its items are refused one by one.
BOMBS: dict[str, tuple[bytes, int, set[int]]] = {
    "exemplars of 16,000 labels": (in_series(sized(3, b"\x0a\x00" * 16_000), MESSAGE_BYTES // 32_006), 1, {413}),
    "exemplars of 2.0, likewise": (_exemplars_2(MESSAGE_BYTES // 32_008), 2, {413}),
    "a million empty samples": (in_series(b"\x12\x00", 1_000_000), 1, {413}),
    "8 million empty samples": (in_series(b"\x12\x00", MESSAGE_BYTES // 2), 1, {413}),
    "100,000 empty samples": (in_series(b"\x12\x00", 100_000), 1, {400}),
    "80 series of 12,000 samples": (packed(b"", sized(1, NAME + b"\x12\x02\x10\x01" * 12_000), 80), 1, {204}),
    "a histogram of 15 MiB": (
        packed(
            b"\x0a" + varint(len(NAME) + 12 + MESSAGE_BYTES) + NAME + b"\x22" + varint(MESSAGE_BYTES + 5) + b"\x62" + varint(MESSAGE_BYTES),
            b"\x00" * 64,
            MESSAGE_BYTES // 64,
        ),
        1,
        {400},
    ),
    "histograms of empty spans": (in_series(sized(4, b"\x5a\x00" * 30_000), MESSAGE_BYTES // 60_005), 1, {400}),
    # Their comparison, once for each sample, took a thread for a second.
    "a long name, many samples": (_long_texts(1), 1, {400}),
    "a long help, many samples": (_long_texts(2), 2, {204}),
    "unpacked 4 GiB, by its word": (b"\xff\xff\xff\xff\x0f" + bytes(10_000), 1, {400}),
    "unpacked 17 MiB": (packed(b"", bytes(64), 17 * MIB // 64), 1, {413}),
}  # fmt: skip
# What any of them may add to the memory at its peak: the message and what is made of it, once each.
GROWTH_MIB_MAX = 80
# And one that is refused as a whole: a window of the message, and what a limit lets be read of it.
REFUSED_MIB_MAX, REFUSED_CPU_MS_MAX = 8, 100
CPU_MS_MAX = 2_000
STORAGE_GROWTH_MIB_MAX = 160


class Watch:
    """Memory and processor time of one process from here on."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak is that of now
        self.resident, self.cpu = self._memory()["VmRSS"], self._cpu()

    def _memory(self) -> dict[str, int]:
        text = Path(f"/proc/{self.pid}/status").read_text()
        return {key: int(value) for key, value in re.findall(r"(VmRSS|VmHWM):\s+(\d+)", text)}

    def _cpu(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")

    def grown_mib(self) -> float:
        return (self._memory()["VmHWM"] - self.resident) / 1024

    def cpu_ms(self) -> float:
        return self._cpu() - self.cpu


class Neighbour:
    """Another customer, who sends one sample after the other by remote write and by OTLP."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.took: list[float] = []
        self.statuses: Counter[object] = Counter()
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _once(self, turn: int) -> int:
        if turn % 2 == 0:
            return self.site.post(snappy(one_sample({"__name__": "b"}, now_ms(), 1)), token="token-b").status_code
        body = metrics_request({"customer.id": "cliente-b"}, gauge("c", [(now_ms(), 1.0)])).SerializeToString()
        headers = {"Authorization": "Bearer token-b", "Content-Type": "application/x-protobuf"}
        url = f"http://{self.site.host}:4318/v1/metrics"
        return requests.post(url, data=body, headers=headers, timeout=10).status_code

    def _run(self) -> None:
        turn = 0
        while not self.is_over.is_set():
            begin = time.monotonic()
            try:
                self.statuses[self._once(turn)] += 1
            except requests.RequestException as error:
                self.statuses[type(error).__name__] += 1
            self.took.append(time.monotonic() - begin)
            turn += 1
            self.is_over.wait(0.01)

    def during(self, work: Callable[[], None]) -> None:
        self.thread.start()
        try:
            work()
        finally:
            self.is_over.set()
            self.thread.join()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    try:
        made.start("collector")
        yield made
    finally:
        made.end()


def _post(site: Site, block: bytes, version: int) -> int:
    kind = {"Content-Type": f"application/x-protobuf;proto={FORM_2}"} if version == 2 else {}
    return site.post(block, **kind).status_code


def test_a_bomb_by_remote_write_costs_little(site: Site) -> None:
    pid = site.running["collector"].pid
    assert site.post(snappy(one_sample({"__name__": "a"}, now_ms(), 1))).status_code == 204
    for name, (block, version, statuses) in BOMBS.items():
        watch = Watch(pid)
        status = _post(site, block, version)
        told = f"{name}: {len(block)} bytes, {status}, {watch.grown_mib():.1f} MiB, {watch.cpu_ms():.0f} ms"
        print(told)
        assert status in statuses, told
        assert watch.grown_mib() <= (REFUSED_MIB_MAX if status == 413 else GROWTH_MIB_MAX), told
        assert status != 413 or watch.cpu_ms() <= REFUSED_CPU_MS_MAX, told
        # Of the long name each sample's refusal looked at all of it again: 6.4 s.
        assert watch.cpu_ms() <= CPU_MS_MAX, told
        assert site.post(snappy(one_sample({"__name__": "a"}, now_ms(), 1))).status_code == 204


# Behind the internal token: who has it sends 4 MiB at most, and yet a mistaken one stops nobody.
def test_a_bomb_at_storage_ends_at_its_bound(site: Site) -> None:
    site.start("storage")
    pid = site.running["storage"].pid
    url = f"http://{site.host}:9096/api/v1/write"
    for name, (block, version, _) in BOMBS.items():
        kind = f"application/x-protobuf;proto={FORM_2}" if version == 2 else "application/x-protobuf"
        headers = {"Authorization": "Bearer secret", "Content-Type": kind, "Content-Encoding": "snappy"}
        watch = Watch(pid)
        status = requests.post(url, data=block, headers=headers, timeout=30).status_code
        told = f"storage, {name}: {len(block)} bytes, {status}, {watch.grown_mib():.1f} MiB, {watch.cpu_ms():.0f} ms"
        print(told)
        assert status in (204, 400, 413), told  # of what is legal it takes more than the collector
        assert watch.grown_mib() <= STORAGE_GROWTH_MIB_MAX, told


# One customer's bombs by all doors at once: another's requests are taken, each of them.
@pytest.mark.two_at_a_time
def test_bombs_side_by_side_hold_nobody_else_up(site: Site) -> None:
    pid = site.running["collector"].pid
    alone = Neighbour(site)
    alone.during(lambda: time.sleep(2))
    zeros = gzip.compress(bytes(256 * MIB), 9)
    headers = {
        "Authorization": "Bearer token-a",
        "Content-Type": "application/x-protobuf",
        "Content-Encoding": "gzip",
    }
    answers: Counter[object] = Counter()

    def attack() -> None:
        for block, version, _ in BOMBS.values():
            try:
                answers[_post(site, block, version)] += 1
                url = f"http://{site.host}:4318/v1/metrics"
                answers[requests.post(url, data=zeros, headers=headers, timeout=30).status_code] += 1
            except requests.RequestException as error:
                answers[type(error).__name__] += 1

    def side_by_side() -> None:
        threads = [threading.Thread(target=attack) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    watch, beside = Watch(pid), Neighbour(site)
    beside.during(side_by_side)
    print(
        f"{watch.grown_mib():.0f} MiB, {watch.cpu_ms():.0f} ms; {dict(answers)}; alone {statistics.median(alone.took):.4f} s, "
        f"beside {statistics.median(beside.took):.4f} s, slowest {max(beside.took):.3f} of {len(beside.took)}"
    )
    assert set(beside.statuses) == {200, 204}, beside.statuses
    # The share of all remote write in work, and the bodies of 32 MiB that are unpacked at a time.
    assert watch.grown_mib() <= 256
    assert site.post(snappy(one_sample({"__name__": "a"}, now_ms(), 1))).status_code == 204
