"""The stores that are measured: Vigía's, and beside it Prometheus and VictoriaMetrics with the same samples.

Each is started with its defaults on an address of its own, takes remote write 1.0, and gives raw samples of a metric in
the packed form that it has for other programs.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
import urllib.parse
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

import requests
from hosts import CUSTOMERS
from launcher import parts
from launcher.commands import Command
from launcher.layout import own_host
from launcher.paths import STATE
from remote_read import CHUNKS, read_request
from remote_write import snappy, write
from stack import Running, binaries, wait_for

VICTORIA_METRICS = STATE / "peers" / "victoria-metrics" / "usr" / "bin" / "victoria-metrics"
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGESIZE")
SETTLE_SECONDS = 120
ROLLER_SECONDS = 60  # between two of its rounds
GONE = "customer-gone"  # of one sample; it is deleted, which has Vigía's store written as it lies there in the end


def folder_bytes(folder: Path) -> int:
    """On disk, as du tells it: blocks, not lengths; what is linked twice counts once."""
    seen = set()
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # a merge may end meanwhile
            state = path.lstat()
            if path.is_file() and state.st_ino not in seen:
                seen.add(state.st_ino)
                total += state.st_blocks * 512
    return total


class Store(ABC):
    """One store under measurement, in a folder of its own."""

    name: str

    def __init__(self, folder: Path) -> None:
        self.folder = folder / self.name
        self.folder.mkdir()
        self.host = own_host()
        self.running: Running | None = None

    @abstractmethod
    def command(self) -> Command: ...

    @property
    @abstractmethod
    def write_url(self) -> str: ...

    headers: dict[str, str] = {}

    def start(self) -> None:
        self.running = Running(self.command(), self.folder.parent / f"{self.name}.log")
        self.running.wait_until_ready()

    def end(self, number: int = 15) -> None:
        if self.running is not None:
            self.running.end(number, SETTLE_SECONDS)
        self.running = None

    def cpu_seconds(self) -> float:
        assert self.running is not None
        fields = Path(f"/proc/{self.running.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def resident_bytes(self) -> int:
        assert self.running is not None
        return int(Path(f"/proc/{self.running.pid}/statm").read_text().split()[1]) * PAGE

    def wait_until_idle(self) -> None:
        """Until a second has passed in which it did nothing worth mention."""
        before = self.cpu_seconds()

        def is_idle() -> bool:
            nonlocal before
            time.sleep(1)
            now = self.cpu_seconds()
            before, spent = now, now - before
            return spent <= 0.03

        wait_for(f"{self.name} is idle", is_idle, SETTLE_SECONDS)

    @abstractmethod
    def read(self, metric: str, begin_ms: int, end_ms: int) -> int:
        """All raw samples of a metric, of all customers; the bytes of the answer."""

    @abstractmethod
    def settled_bytes(self) -> int:
        """On disk, with index, once all is written as it lies there in the end. Nothing is asked of the store then."""


class Vigia(Store):
    name = "vigia"
    headers = {"Authorization": "Bearer secret"}
    retention = "{raw: 400d, rollup_5m: off, rollup_1h: off, rollup_1d: off}"

    def command(self) -> Command:
        config = self.folder.parent / "vigia.yaml"
        config.write_text(
            f'{{listen: "{self.host}:9096", metrics: {{listen: "{self.host}:9196"}}, internal_token: secret,\n'
            f' store: {{rocksdb: {{directory: "{self.folder}"}}}},\n'
            f" retention: {self.retention}}}\n"
        )
        words = [str(binaries() / "vigia-storage"), "--config", str(config)]
        return Command("vigia-storage", words, f"http://{self.host}:9096/ready", {})

    @property
    def write_url(self) -> str:
        return f"http://{self.host}:9096/api/v1/write"

    def read(self, metric: str, begin_ms: int, end_ms: int) -> int:
        return remote_read(f"http://{self.host}:9096/api/v1/read", metric, begin_ms, end_ms, self.headers)

    def settled_bytes(self) -> int:
        gone = {"__name__": "gone", "customer_id": GONE}
        write(f"http://{self.host}:9096", [(gone, [(int(time.time() * 1000), 1.0)])], self.headers)
        self.end()
        words = [str(binaries() / "vigia-storage"), "delete", str(self.folder), "--customer", GONE, "--yes"]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        return folder_bytes(self.folder)


class RolledVigia(Vigia):
    """With roll-ups, of days that are over."""

    name = "vigia-rolled"
    retention = "{raw: 400d, rollup_5m: 2y, rollup_1h: 2y, rollup_1d: 5y}"

    def own_metrics(self) -> dict[str, float]:
        """Those without labels."""
        answer = requests.get(f"http://{self.host}:9196/metrics", timeout=SETTLE_SECONDS)
        answer.raise_for_status()
        lines = (line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, value in lines if "{" not in name}

    def tell_time(self, customers: set[str]) -> None:
        """A sample of now: by a wall clock that is ahead of all samples alone no day is over."""
        for customer in sorted(customers):
            alive = {"__name__": "alive", "customer_id": customer}
            write(f"http://{self.host}:9096", [(alive, [(int(time.time() * 1000), 1.0)])], self.headers)

    def wait_until_rolled(self, windows: int, seconds: float) -> None:
        """Until all chunks are closed and stored, so many windows are made, and the roller then finds nothing to make."""
        rounds: set[float] = set()

        def is_rolled() -> bool:
            found = self.own_metrics()
            waiting = ("closed_chunks_waiting_bytes", "rollup_days_due")
            # what has told the time stays open: a block a customer
            is_closed = found["vigia_storage_open_chunk_bytes"] <= CUSTOMERS * 64
            is_closed = is_closed and all(found[f"vigia_storage_{name}"] == 0 for name in waiting)
            made = found["vigia_storage_rollup_windows_total"]
            if not is_closed or made < windows or found["vigia_storage_rollup_resting"] != 1:
                rounds.clear()
                return False
            rounds.add(time.monotonic())
            return max(rounds) - min(rounds) > 2 * ROLLER_SECONDS

        wait_for(f"{self.name} has made its roll-ups", is_rolled, seconds, every=5)


class Prometheus(Store):
    name = "prometheus"

    def command(self) -> Command:
        config = self.folder.parent / "prometheus.yml"
        config.write_text("global: {scrape_interval: 15s}\n")
        address = f"{self.host}:9090"
        words = [str(parts.hot_prometheus()), f"--config.file={config}", f"--storage.tsdb.path={self.folder}"]
        words += [f"--web.listen-address={address}", "--web.enable-remote-write-receiver", "--web.enable-admin-api"]
        return Command("prometheus", words, f"http://{address}/-/ready", {})

    @property
    def write_url(self) -> str:
        return f"http://{self.host}:9090/api/v1/write"

    def read(self, metric: str, begin_ms: int, end_ms: int) -> int:
        return remote_read(f"http://{self.host}:9090/api/v1/read", metric, begin_ms, end_ms, {})

    def settled_bytes(self) -> int:
        """A snapshot: its head as the block that it becomes."""
        answer = requests.post(f"http://{self.host}:9090/api/v1/admin/tsdb/snapshot", timeout=SETTLE_SECONDS)
        answer.raise_for_status()
        return folder_bytes(self.folder / "snapshots")


class VictoriaMetrics(Store):
    name = "victoriametrics"

    def command(self) -> Command:
        address = f"{self.host}:8428"
        words = [str(VICTORIA_METRICS), f"-storageDataPath={self.folder}", f"-httpListenAddr={address}"]
        words += ["-retentionPeriod=400d", "-loggerLevel=WARN"]
        return Command("victoria-metrics", words, f"http://{address}/health", {})

    @property
    def write_url(self) -> str:
        return f"http://{self.host}:8428/api/v1/write"

    def read(self, metric: str, begin_ms: int, end_ms: int) -> int:
        asked = {"match[]": metric, "start": begin_ms / 1000, "end": end_ms / 1000}
        url = f"http://{self.host}:8428/api/v1/export/native?{urllib.parse.urlencode(asked)}"
        answer = requests.get(url, timeout=SETTLE_SECONDS)
        answer.raise_for_status()
        return len(answer.content)

    def settled_bytes(self) -> int:
        for path in ("force_flush", "force_merge"):
            requests.get(f"http://{self.host}:8428/internal/{path}", timeout=SETTLE_SECONDS).raise_for_status()
            self.wait_until_idle()
        self.end()
        return folder_bytes(self.folder)


def remote_read(url: str, metric: str, begin_ms: int, end_ms: int, headers: dict[str, str]) -> int:
    answer = requests.post(
        url,
        data=snappy(read_request([(metric, begin_ms, end_ms)]) + CHUNKS),
        headers={"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy", **headers},
        timeout=SETTLE_SECONDS,
    )
    answer.raise_for_status()
    return len(answer.content)


def present() -> Iterator[type[Store]]:
    yield from (Vigia, Prometheus)
    if VICTORIA_METRICS.exists():
        yield VictoriaMetrics


def clear(store: Store) -> None:
    store.end(9)
    shutil.rmtree(store.folder)
