"""vigia-storage alone while one customer loads it: what it holds, what a neighbour waits, what a kill leaves."""

from __future__ import annotations

import os
import statistics
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import requests
from launcher.commands import Command
from launcher.layout import own_host
from remote_read import CHUNKS, post_read, read_request
from remote_write import series_bytes, write, write_bytes
from stack import Running, binaries, wait_for

TOKEN = {"Authorization": "Bearer secret"}
A = {**TOKEN, "X-Vigia-Customer": "cliente-a"}
B = {**TOKEN, "X-Vigia-Customer": "cliente-b"}
MIB = 1 << 20
RSS_MAX = 1200 * MIB
LONGEST_S = 5.0
READY_SECONDS = 150  # a log of millions of samples is replayed first
STORAGE = """
listen: {host}:9096
metrics: {{listen: "{host}:9196"}}
internal_token: secret
store: {{rocksdb: {{directory: "{folder}/storage"}}}}
{more}
"""


class ColdStore:
    def __init__(self, folder: Path, more: str = "") -> None:
        self.folder = folder
        self.host = own_host()
        self.url = f"http://{self.host}:9096"
        self.peak_rss = 0
        self.cpu_before = 0.0  # of those that have ended
        self.running: Running | None = None
        self.configure(more)

    def configure(self, more: str) -> None:
        text = STORAGE.format(folder=self.folder, host=self.host, more=more)
        (self.folder / "storage.yaml").write_text(text)

    def start(self) -> None:
        words = [str(binaries() / "vigia-storage"), "--config", str(self.folder / "storage.yaml")]
        self.running = Running(Command("storage", words, f"{self.url}/ready", {}), self.folder / "storage.log")
        ready = f"{self.url}/ready"
        begin = time.monotonic()
        wait_for("storage is ready", lambda: requests.get(ready, timeout=2).status_code == 200, READY_SECONDS)
        print(f"ready after {time.monotonic() - begin:.1f} s")

    def end(self, number: int = 9) -> None:
        if self.running is not None:
            self.note_rss()
            self.cpu_before = self.cpu_seconds()
            ended, self.running = self.running, None
            ended.end(number)

    def kill_and_start(self) -> None:
        self.end(9)
        self.start()

    def note_rss(self) -> None:
        """The most that the program has held since its start."""
        assert self.running is not None
        for line in Path(f"/proc/{self.running.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                self.peak_rss = max(self.peak_rss, int(line.split()[1]) * 1024)

    def cpu_seconds(self) -> float:
        """Of the program and of those before it."""
        if self.running is None:
            return self.cpu_before
        fields = Path(f"/proc/{self.running.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return self.cpu_before + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def own_metric(self, name: str) -> float:
        text = requests.get(f"http://{self.host}:9196/metrics", timeout=20).text
        values = [line.rsplit(" ", 1) for line in text.splitlines() if line.split("{")[0].split(" ")[0] == name]
        return sum(float(value) for _, value in values)


class Neighbour:
    """B writes one sample every 50 ms, and looks up its series and reads them, each in a thread of its own; notes how long
    each took. Through a kill it tries again."""

    LABELS = {"__name__": "neighbour", "customer_id": "cliente-b"}

    def __init__(self, url: str) -> None:
        self.url = url
        self.seconds: list[float] = []  # of writes
        self.look_ups: list[float] = []
        self.reads: list[float] = []
        self.acknowledged: list[int] = []
        self.may_fail = threading.Event()
        self.failed = ""
        self.over = threading.Event()
        actions = ((self._write, self.seconds), (self._look_up, self.look_ups), (self._read, self.reads))
        self.threads = [threading.Thread(target=self._run, args=each, daemon=True) for each in actions]

    def start(self) -> None:
        """What is looked up and read is there from the beginning."""
        self._write()
        for thread in self.threads:
            thread.start()

    def _run(self, act: Callable[[], None], seconds: list[float]) -> None:
        while not self.failed:
            begin = time.monotonic()
            began_through_a_kill = self.may_fail.is_set()
            try:
                act()
            except (requests.RequestException, AssertionError) as error:
                if not began_through_a_kill and not self.may_fail.is_set():
                    self.failed = f"{act.__name__}: {error}"
            else:
                seconds.append(time.monotonic() - begin)
            if self.over.wait(0.05):
                return

    def _write(self) -> None:
        now_ms = int(time.time() * 1000)
        write(self.url, [(self.LABELS, [(now_ms, 1.0)])], B)
        self.acknowledged.append(now_ms)

    def _look_up(self) -> None:
        now = time.time()
        query: dict[str, str | float] = {"matcher": "__name__=neighbour", "start": now - 300, "end": now + 60}
        answer = requests.get(f"{self.url}/api/v1/series", params=query, headers=B, timeout=30)
        assert answer.status_code == 200, answer.text
        assert answer.json()["data"] == [self.LABELS]

    def _read(self) -> None:
        now_ms = int(time.time() * 1000)
        answer = post_read(self.url, read_request([("neighbour", now_ms - 300_000, now_ms + 60_000)]), CHUNKS, B, 30)
        assert answer.status_code == 200, answer.text
        assert b"neighbour" in answer.content

    def result(self) -> tuple[float, float]:
        """Median and maximum of its writes."""
        self.over.set()
        for thread in self.threads:
            thread.join(60)
        assert not self.failed, self.failed
        assert self.seconds
        return statistics.median(self.seconds), max(self.seconds)

    def assert_is_answered(self, median_s: float, longest_s: float) -> None:
        """Look-ups and reads, too. After result()."""
        for name, seconds in (("look-ups", self.look_ups), ("reads", self.reads)):
            assert seconds, name
            median, longest = statistics.median(seconds), max(seconds)
            print(f"neighbour's {name}: median {median * 1000:.0f} ms, longest {longest:.2f} s of {len(seconds)}")
            assert median < median_s, name
            assert longest < longest_s, name


@contextmanager
def bounded(cold: ColdStore, rss_max: int = RSS_MAX, longest_s: float = LONGEST_S) -> Iterator[Neighbour]:
    """The program stays within its memory while the block loads it, and a neighbour's writes, look-ups and reads are
    answered all the time."""
    neighbour = Neighbour(cold.url)
    neighbour.start()
    begin, cpu = time.monotonic(), cold.cpu_seconds()
    try:
        yield neighbour
    finally:
        cold.note_rss()
        print(
            f"peak {cold.peak_rss // MIB} MiB, {cold.cpu_seconds() - cpu:.1f} CPU-s in {time.monotonic() - begin:.1f} s"
        )
    median, longest = neighbour.result()
    print(f"neighbour: median {median * 1000:.0f} ms, longest {longest:.2f} s of {len(neighbour.seconds)}")
    assert cold.peak_rss < rss_max, cold.peak_rss // MIB
    assert median < 0.5
    assert longest < longest_s
    neighbour.assert_is_answered(1, 2 * longest_s)


@contextmanager
def costing(cold: ColdStore, cpu_max_s: float, count: int = 1) -> Iterator[None]:
    """What so many requests of the block cost the program, each."""
    before = cold.cpu_seconds()
    yield
    each = (cold.cpu_seconds() - before) / count
    print(f"{each:.2f} CPU-s a request")
    assert each < cpu_max_s


class Load:
    """Requests of customer A that were acknowledged, to be told from what is there after a kill."""

    def __init__(self, cold: ColdStore) -> None:
        self.cold = cold
        self.bodies: list[tuple[bytes, int]] = []

    def write(self, body: bytes, samples: int) -> None:
        """Until it is taken."""

        def is_taken() -> bool:
            answer = write_bytes(self.cold.url, body, A)
            assert answer.status_code == 204, answer.text
            return True

        wait_for("a write is taken", is_taken, 120, 0.2)
        self.bodies.append((body, samples))

    def assert_all_there(self, neighbour: Neighbour | None = None) -> None:
        """What comes again is a repeat, nothing of it is stored: all of it is there, with its value."""
        before = [self.cold.own_metric(f"vigia_storage_samples_{kind}_total") for kind in ("stored", "repeated")]
        count = 0
        for body, samples in list(self.bodies):
            self.write(body, samples)
            count += samples
        if neighbour is not None:
            write(self.cold.url, [(neighbour.LABELS, [(t, 1.0) for t in neighbour.acknowledged])], B)
            count += len(neighbour.acknowledged)
        after = [self.cold.own_metric(f"vigia_storage_samples_{kind}_total") for kind in ("stored", "repeated")]
        assert after[0] - before[0] == 0
        assert after[1] - before[1] == count, (after[1] - before[1], count)


def of_a(name: str, labels: Mapping[str, str], samples: bytes) -> bytes:
    """One series of customer A with samples as sample_bytes gives them."""
    return series_bytes({"__name__": name, "customer_id": "cliente-a", **labels}, samples)


_FOURTEEN_BITS = [0x8080 | (n & 0x7F) | n >> 7 << 8 for n in range(1 << 14)]  # two bytes of a varint that goes on
_SAMPLE = struct.Struct("<3sd1sHHBB")


def sample_bytes(start_ms: int, step_ms: int, values: Sequence[float]) -> bytes:
    """Messages of samples; fast enough for millions. Times need 41 or 42 bits, so six bytes."""
    pack, bits = _SAMPLE.pack, _FOURTEEN_BITS
    times = range(start_ms, start_ms + step_ms * len(values), step_ms)
    return b"".join(
        [
            pack(
                b"\x12\x10\x09", value, b"\x10", bits[t & 16383], bits[t >> 14 & 16383], t >> 28 & 0x7F | 0x80, t >> 35
            )
            for t, value in zip(times, values, strict=True)
        ]
    )
