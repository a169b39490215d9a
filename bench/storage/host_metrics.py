"""The same recorded host metrics into Vigía's cold store, Prometheus and VictoriaMetrics; what each takes for it.

Stores run one after the other, each with its defaults, alone beside the sender. Prints a line of JSON for each.

    PYTHONPATH=tools:tests/integration:bench/storage .vigia/venv/bin/python bench/storage/host_metrics.py [--hosts 40]
"""

from __future__ import annotations

import argparse
import http.client
import json
import signal
import statistics
import tempfile
import threading
import time
import urllib.parse
from dataclasses import asdict, dataclass
from pathlib import Path

from hosts import Hosts
from recording import RECORDED, read
from stores import Store, clear, present

SENDERS = 4
READS = 20
READ_METRIC = "node_network_receive_bytes_total"


@dataclass
class Taken:
    """What a store took for the samples."""

    store: str
    samples: int
    series: int
    samples_per_cpu_s: float
    rss_mib: float
    cpu_ms_a_read: float
    read_ms: float  # the median by the clock
    read_bytes: int
    restart_s: float  # after a kill -9, until it is ready
    bytes_a_sample: float


def send(store: Store, hosts: Hosts, numbers: range) -> int:
    """The bodies of some hosts over one connection; how many samples were taken. Anything but a success is an end."""
    url = urllib.parse.urlsplit(store.write_url)
    connection = http.client.HTTPConnection(url.netloc, timeout=120)
    headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy", **store.headers}
    taken = 0
    for bodies in zip(*(hosts.bodies(number) for number in numbers), strict=True):
        for body in bodies:
            while True:
                connection.request("POST", url.path, body.content, headers)
                answer = connection.getresponse()
                said = answer.read()
                if answer.status != 503:  # it wants to be asked again
                    break
                time.sleep(0.05)
            if answer.status not in (200, 204):
                raise RuntimeError(f"{store.name} answered {answer.status}: {said[:300]!r}")
            taken += body.samples
    return taken


def send_all(store: Store, hosts: Hosts) -> None:
    taken: list[int] = []
    threads = [
        threading.Thread(
            target=lambda first=first: taken.append(send(store, hosts, range(first, hosts.count, SENDERS)))
        )
        for first in range(SENDERS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if sum(taken) != hosts.samples:
        raise RuntimeError(f"{store.name} took {sum(taken)} of {hosts.samples} samples")


def read_cost(store: Store, hosts: Hosts, metric: str) -> tuple[float, float, int]:
    """Processor milliseconds and the median by the clock of a read; bytes of the answer."""
    began_cpu, times, size = store.cpu_seconds(), [], 0
    for _ in range(READS):
        began = time.perf_counter()
        size = store.read(metric, hosts.begin_ms, hosts.end_ms + hosts.recording.step_ms)
        times.append(time.perf_counter() - began)
    return (store.cpu_seconds() - began_cpu) / READS * 1000, statistics.median(times) * 1000, size


def measure(store: Store, hosts: Hosts, metric: str) -> Taken:
    store.start()
    before = store.cpu_seconds()
    send_all(store, hosts)
    store.wait_until_idle()
    cpu, rss = store.cpu_seconds() - before, store.resident_bytes()
    read_cpu_ms, read_ms, read_bytes = read_cost(store, hosts, metric)
    store.end(signal.SIGKILL)
    began = time.perf_counter()
    store.start()
    restart_s = time.perf_counter() - began
    if store.read(metric, hosts.begin_ms, hosts.end_ms + hosts.recording.step_ms) == 0:
        raise RuntimeError(f"{store.name} has nothing after its restart")
    size = store.settled_bytes()
    return Taken(
        store.name,
        hosts.samples,
        hosts.series,
        hosts.samples / cpu,
        rss / 2**20,
        read_cpu_ms,
        read_ms,
        read_bytes,
        restart_s,
        size / hosts.samples,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=40)
    parser.add_argument("--recording", type=Path, default=RECORDED)
    parser.add_argument("--metric", default=READ_METRIC, help="which is read")
    parser.add_argument("--only", default="", help="stores to measure, all where it is not given")
    options = parser.parse_args()
    hosts = Hosts(read(options.recording), options.hosts, int(time.time() * 1000))
    with tempfile.TemporaryDirectory(prefix="vigia-bench-") as folder:
        for kind in present():
            if options.only and kind.name not in options.only.split(","):
                continue
            store = kind(Path(folder))
            try:
                print(json.dumps(asdict(measure(store, hosts, options.metric))), flush=True)
            finally:
                clear(store)


if __name__ == "__main__":
    main()
