"""The cold store on real Cassandra nodes of one machine: what it writes and reads a second, and what a sample is on disk.

Starts one node, or three with three copies, runs vigia-cassandra-node-bench, -event-bench and -rolled-bench on them, and then
vigia-storage with the recorded host metrics of many hosts of one customer, so many times as fast as they came, gathering as much less
long: so blocks are those of its default of ten minutes.

    PYTHONPATH=tools:tests/integration:bench/storage .vigia/venv/bin/python bench/storage/cassandra.py [--nodes 3] [--only disk]
"""

from __future__ import annotations

import argparse
import os
import struct
import subprocess
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from cassandra_cluster import Cluster, query
from cassandra_server import OwnCassandra
from cold_store import TOKEN, StorageAlone
from hosts import Hosts
from launcher.shell import Failure
from recording import RECORDED, Recording, read
from remote_read import CHUNKS, post_read, read_request
from stack import binaries, wait_for
from streamed_chunks import chunks_of

BENCHES = ("node", "event", "rolled")
GATHER_S = 600  # as it is by default
SENDERS = 2
KEYSPACE = "disk"
QUORUM = 4
CONFIG = """
listen: {host}:9096
metrics: {{listen: "{host}:9196"}}
internal_token: secret
store:
  cassandra:
    {{directory: "{folder}", contact_points: {points}, keyspace: {keyspace}, replication_factor: {copies}, lease: 1h, gather: {gather}ms}}
retention: {{raw: 400d, rollup_5m: off, rollup_1h: off, rollup_1d: off}}
"""


class Fleet(Hosts):
    """Hosts of one customer, for as long as is asked for."""

    def __init__(self, recording: Recording, count: int, minutes: int, end_ms: int) -> None:
        super().__init__(recording, count, end_ms)
        self.steps = minutes * 60_000 // recording.step_ms
        self.begin_ms = end_ms - self.steps * recording.step_ms

    @staticmethod
    def customer(host: int) -> str:
        return "customer-0" if host >= 0 else ""


@contextmanager
def nodes(folder: Path, count: int) -> Iterator[list[OwnCassandra]]:
    if count == 1:
        with OwnCassandra(folder / "node-1") as one:
            yield [one]
        return
    with Cluster(folder) as cluster:
        yield cluster.nodes


class Instance(StorageAlone):
    ready_seconds = 240  # the first start makes some forty tables, on three nodes one after the other

    def __init__(self, folder: Path, at: list[OwnCassandra], gather_s: float) -> None:
        folder.mkdir()
        super().__init__(folder)
        points = "[" + ", ".join(f'"{one.node.contact_point}"' for one in at) + "]"
        words = {"host": self.host, "folder": self.folder, "points": points, "keyspace": KEYSPACE, "copies": len(at)}
        self.config.write_text(CONFIG.format(**words, gather=round(gather_s * 1000)))


class Sender(threading.Thread):
    """Some hosts over one connection, in the order of time, no step before its turn."""

    def __init__(self, url: str, fleet: Fleet, numbers: range, speed: float, began: float) -> None:
        super().__init__()
        self.url, self.fleet, self.numbers, self.speed, self.began = url, fleet, numbers, speed, began
        self.taken = 0
        self.behind_s = 0.0
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            self._send_all()
        except Exception as error:  # noqa: BLE001 (told by whoever waits for the end)
            self.error = error

    def _send_all(self) -> None:
        place = urllib.parse.urlsplit(self.url)
        connection = HTTPConnection(place.netloc, timeout=120)
        headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy", **TOKEN}
        bodies = [self.fleet.bodies(number) for number in self.numbers]
        for step, scrapes in enumerate(zip(*bodies, strict=True)):
            due = self.began + step * self.fleet.recording.step_ms / 1000 / self.speed
            self.behind_s = max(self.behind_s, time.monotonic() - due)
            time.sleep(max(0.0, due - time.monotonic()))
            for body in scrapes:
                while True:
                    connection.request("POST", "/api/v1/write", body.content, headers)
                    answer = connection.getresponse()
                    said = answer.read()
                    if answer.status != 503:  # it wants to be asked again
                        break
                    time.sleep(0.05)
                if answer.status != 204:
                    raise Failure(f"vigia-storage answered {answer.status}: {said[:300]!r}")
                self.taken += body.samples


@dataclass
class Stored:
    """What another instance finds, which sees closed chunks alone."""

    samples: int = 0
    chunks: int = 0
    packed: int = 0  # bytes of them


def stored(instance: StorageAlone, fleet: Fleet) -> Stored:
    found = Stored()
    for metric in sorted({series.labels["__name__"] for series in fleet.recording.series}):
        answer = post_read(
            instance.url, read_request([(metric, 0, 2**62)]), CHUNKS, {**TOKEN, "X-Vigia-Customer": fleet.customer(0)}
        )
        if answer.status_code != 200:
            raise Failure(f"{metric}: {answer.status_code} {answer.text}")
        for _, chunk in (one for all_ in chunks_of(answer.content).values() for one in all_):
            found.samples += struct.unpack(">H", chunk[:2])[0]
            found.chunks += 1
            found.packed += len(chunk)
    return found


def table_bytes(at: list[OwnCassandra]) -> dict[str, int]:
    """On disk, of all nodes, by table: what Cassandra's files are long, indexes and filters among them."""
    sizes: dict[str, int] = {}
    for one in at:
        for table in (one.node.folder / "data" / "data" / KEYSPACE).iterdir():
            size = sum(file.stat().st_size for file in table.glob("*") if file.is_file())
            name = table.name.rpartition("-")[0]
            sizes[name] = sizes.get(name, 0) + size
    return sizes


def flush(at: list[OwnCassandra]) -> None:
    """Killed and started: what a node reads from its commit log it writes into tables before it answers."""
    for one in at:
        one.kill()
    for one in at:
        one.start()


def measure_disk(folder: Path, at: list[OwnCassandra], fleet: Fleet, speed: float) -> None:
    storage = Instance(folder / "writer", at, GATHER_S / speed)
    other = Instance(folder / "reader", at, 0)
    try:
        storage.start()
        began = time.monotonic()
        senders = [Sender(storage.url, fleet, range(i, fleet.count, SENDERS), speed, began) for i in range(SENDERS)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
            if sender.error is not None:
                raise sender.error
        took = time.monotonic() - began
        behind = max(sender.behind_s for sender in senders) * speed / 60
        wait_for(
            "what is gathered is written",
            lambda: storage.metrics()["vigia_storage_closed_chunks_waiting_bytes"] == 0,
            GATHER_S / speed + 60,
        )
        other.start()
        found = stored(other, fleet)
    finally:
        storage.kill()
        other.kill()
    flush(at)
    taken = sum(sender.taken for sender in senders)
    rows = query(at[0].node.host, f"SELECT count(*) FROM {KEYSPACE}.chunks_400d", QUORUM)
    blocks = int.from_bytes(rows[0][0], "big")
    print(f"{taken} samples of {fleet.series} series in {took:.0f} s, at most {behind:.1f} min of theirs behind")
    print(
        f"in closed chunks {found.samples} samples, {found.chunks} chunks, {found.packed / found.samples:.3f} bytes a sample packed; "
        f"{blocks} blocks of {found.chunks / blocks:.1f} chunks"
    )
    tell(table_bytes(at), len(at), taken, found.samples, fleet.series)


def tell(sizes: dict[str, int], copies: int, taken: int, closed: int, series: int) -> None:
    for name, size in sorted(sizes.items(), key=lambda item: -item[1]):
        if size < 10_000:
            continue
        one = size / copies
        of = {"chunks_400d": f", {one / closed:.3f} a sample", "head_rows": f", {one / taken:.1f} a sample"}
        print(f"{name}: {size} bytes, a copy {one:.0f}{of.get(name, f', {one / series:.0f} a series')}")


def run_benches(only: list[str], at: list[OwnCassandra]) -> None:
    environment = {"VIGIA_CASSANDRA": at[0].node.contact_point, "VIGIA_COPIES": str(len(at))}
    for name in BENCHES:
        if name not in only:
            continue
        print(f"{name}: load {os.getloadavg()[0]:.1f}", flush=True)
        subprocess.run(
            [str(binaries() / f"vigia-cassandra-{name}-bench")], check=True, env={**os.environ, **environment}
        )
        print(f"load {os.getloadavg()[0]:.1f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, choices=(1, 3), default=1)
    parser.add_argument("--only", default=",".join([*BENCHES, "disk"]))
    parser.add_argument("--hosts", type=int, default=100)
    parser.add_argument("--minutes", type=int, default=150, help="of samples")
    parser.add_argument("--speed", type=float, default=30, help="so many times as fast as they came")
    options = parser.parse_args()
    only = options.only.split(",")
    with tempfile.TemporaryDirectory(prefix="vigia-bench-") as name, nodes(Path(name), options.nodes) as at:
        run_benches(only, at)
        if "disk" in only:
            fleet = Fleet(read(RECORDED), options.hosts, options.minutes, int(time.time() * 1000))
            print(f"disk: load {os.getloadavg()[0]:.1f}", flush=True)
            measure_disk(Path(name), at, fleet, options.speed)


if __name__ == "__main__":
    main()
