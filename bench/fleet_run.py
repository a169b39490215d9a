"""A collector between vigia-bench-fleet and two vigia-bench-sinks, hot and cold: what it costs, and that nothing is lost."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from programs import ROOT, cpu_seconds, own_host, resident_mib, running, seen, wait_for_port

CONFIG = """\
extensions:
  vigia_auth: {{directory: {{file: "{folder}/customers.yaml"}}}}
  file_storage: {{directory: "{folder}/log"}}
receivers:
  otlp: {{protocols: {{grpc: {{endpoint: "{host}:4317", auth: {{authenticator: vigia_auth}}}}}}}}
processors: {{memory_limiter: {{limit_mib: 1536, spike_limit_mib: 256}}}}
exporters:
  prometheusremotewrite/hot-0: {{endpoint: "http://127.0.0.1:{hot}/api/v1/write"}}
  prometheusremotewrite/cold: {{endpoint: "http://127.0.0.1:{cold}/api/v1/write", required: true}}
service:
  extensions: [vigia_auth, file_storage]
  telemetry: {{metrics: {{address: "{host}:8888"}}}}
  pipelines:
    metrics:
      receivers: [otlp]
      processors: [memory_limiter]
      exporters: [prometheusremotewrite/hot-0, prometheusremotewrite/cold]
"""


def customers(count: int) -> str:
    rows = (
        f"  - {{id: customer-{n:04}, hot_shard: hot-0, tokens: [{{token: token-of-customer-{n:04}, scope: ingest}}]}}\n"
        for n in range(count)
    )
    return "customers:\n" + "".join(rows)


def books(host: str) -> dict[str, dict[str, float]]:
    """By exporter: items sent, dropped and waiting; under "" how old the oldest waiting is, in seconds."""
    with urllib.request.urlopen(f"http://{host}:8888/metrics", timeout=10) as answer:
        text = answer.read().decode()
    found: dict[str, dict[str, float]] = {"": {"waiting_s": 0}}
    pattern = r"^vigia_items_(sent|dropped|queued)(?:_total)?\{([^}]*)\} (\S+)$"
    for what, labels, value in re.findall(pattern, text, re.MULTILINE):
        exporter = re.search(r'exporter="([^"]*)"', labels)
        one = found.setdefault(exporter[1] if exporter else "?", {})
        one[what] = one.get(what, 0) + float(value)
    for value in re.findall(r"^vigia_exporter_oldest_waiting_seconds\{[^}]*\} (\S+)$", text, re.MULTILINE):
        found[""]["waiting_s"] = max(found[""]["waiting_s"], float(value))
    return found


@dataclass
class Watched:
    """What a process took while it was looked at, each second."""

    rss_mib: list[float] = field(default_factory=list)
    waiting_s: list[float] = field(default_factory=list)


@contextlib.contextmanager
def watched(pid: int, host: str) -> Iterator[Watched]:
    found, is_over = Watched(), threading.Event()

    def look() -> None:
        while not is_over.wait(1):
            found.rss_mib.append(resident_mib(pid))
            with contextlib.suppress(OSError):
                found.waiting_s.append(books(host)[""]["waiting_s"])

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield found
    finally:
        is_over.set()
        thread.join()


def wait_until_sent(host: str, points: int, patience_s: float) -> float:
    """Seconds until both exporters have sent all points, by the books."""
    begin = time.monotonic()
    while time.monotonic() < begin + patience_s:
        sent = [one.get("sent", 0) + one.get("dropped", 0) for name, one in books(host).items() if name]
        if sent and min(sent) >= points:
            return time.monotonic() - begin
        time.sleep(0.2)
    raise RuntimeError(f"not all is sent after {patience_s} s: {books(host)}, of {points}")


def measure(bin_folder: Path, *, customer_count: int, patience_s: float, fleet_words: list[str]) -> dict[str, Any]:
    """Runs the fleet once. What it said, with the collector's and the sinks' processor time, memory and books."""
    with (
        tempfile.TemporaryDirectory(prefix="vigia-fleet-", dir=os.environ.get("VIGIA_BENCH_FOLDER")) as folder,
        running([str(bin_folder / "vigia-bench-sink")]) as hot,
        running([str(bin_folder / "vigia-bench-sink")]) as cold,
    ):
        assert hot.stdout
        assert cold.stdout
        ports = int(hot.stdout.readline()), int(cold.stdout.readline())
        host = own_host()
        (Path(folder) / "customers.yaml").write_text(customers(customer_count))
        config = Path(folder) / "config.yaml"
        config.write_text(CONFIG.format(folder=folder, host=host, hot=ports[0], cold=ports[1]))
        output = (Path(folder) / "output").open("w")
        words = [str(bin_folder / "vigia-collector"), "--config", str(config)]
        with output, running(words, stderr=output) as collector:
            wait_for_port(host, collector)
            at_rest = resident_mib(collector.pid)
            before, began = cpu_seconds(collector.pid), time.monotonic()
            fleet = [str(bin_folder / "vigia-bench-fleet"), "--host", host, *fleet_words]
            with watched(collector.pid, host) as taken:
                run = subprocess.run(fleet, text=True, stdout=subprocess.PIPE, check=False)
                said: dict[str, Any] = json.loads(run.stdout)
                behind = wait_until_sent(host, said["points"], patience_s)
            wall = time.monotonic() - began
            said |= {
                "cpu": cpu_seconds(collector.pid) - before,
                "sink_cpu": [cpu_seconds(hot.pid), cpu_seconds(cold.pid)],
                "wall": wall,
                "rss_at_rest_mib": at_rest,
                "rss_mib": max(taken.rss_mib, default=0),
                "waiting_s": max(taken.waiting_s, default=0),
                "behind_s": behind,
                "dropped": sum(one.get("dropped", 0) for name, one in books(host).items() if name),
                "samples": [seen(port)[2] for port in ports],
                "bytes_a_sample": [seen(port)[1] / max(1, seen(port)[2]) for port in ports],
                "log": (Path(folder) / "output").read_text()[-4000:],
            }
    return said


def check(said: dict[str, Any]) -> list[str]:
    """What was lost or refused for good; nothing where all is well."""
    wrong = [f"{said[what]} {what}" for what in ("partly", "failed", "unanswered", "left", "dropped") if said[what]]
    short = [samples for samples in said["samples"] if samples < said["points"]]
    return [*wrong, *(f"a store has {samples} samples of {said['points']} points" for samples in short)]


def default_bin() -> Path:
    return ROOT / "build/release/bin"
