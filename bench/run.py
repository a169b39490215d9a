"""Runs the whole-system loads and writes docs/benchmarks.md: ours, and the peers beside them in the same run.

    cmake --preset release && ninja -C build/release       # and bench/peers/build.sh, once, for the Go collector
    python3 bench/run.py [--seconds 5] [--only collector,path,...] [--out docs/benchmarks.md] [--against OLD.json]

The receiver is bound to core 0, the load to core 1. Figures are items per processor-second of the process measured
(utime + stime), since a machine shared with others disturbs them less than items per second. A part whose program is
not built is left out, and the page says so. The figures stand in a JSON file beside the page too; --against compares them with
those of an earlier run. Ends with 1 where a part failed, a neighbour felt too much, or a figure is worse and bench/reasons.toml
does not say why.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import router_table
import storage_table
import stores_table
from configurations import (
    CUSTOMERS,
    OTLP_PATH,
    OUR_PATH,
    PEER_OTLP_DISK_PATH,
    PEER_OTLP_PATH,
    PEER_PATH,
    PEER_RECEIVE,
    RENAME,
)
from figures import Figure, compare, load_average, million, read_figures, verdict
from otlp_table import OTLP_CASES, OTLP_HEAD, OtlpCase
from page import Page, measured_now
from programs import GRPC_PORT, ROOT, cpu_seconds, drained, google_benchmark, own_host, running, seen, wait_for_port

PEER = ROOT / ".vigia" / "peers" / "otelcol" / "otelcol-peer"
PROXY = ROOT / ".vigia" / "peers" / "prom-label-proxy"
WARM_UP_SECONDS = 2
FLAT_THOUSANDS = (1, 10, 100, 1000)
FLAT_CACHE_MIB = 1024
REASONS = ROOT / "bench" / "reasons.toml"


class Case(NamedTuple):
    name: str
    arguments: list[str]
    unit: str
    target: float | None  # millions per processor-second without the log; None where none is set
    target_logged: float | None


CASES = [
    Case("metrics, plain", ["--signal", "metrics"], "points", 6.0, 3.0),
    Case("metrics, plain, 100 a request", ["--signal", "metrics", "--items", "100"], "points", None, None),
    Case("metrics, gzip", ["--signal", "metrics", "--compression", "gzip"], "points", 2.5, 1.5),
    Case("metrics, zstd", ["--signal", "metrics", "--compression", "zstd"], "points", None, None),
    Case("spans, plain, 500 a request", ["--signal", "traces", "--items", "500"], "spans", 3.0, None),
    Case("log records, plain", ["--signal", "logs"], "records", 4.0, None),
]


@dataclass
class Measured:
    per_cpu: float = 0
    rss_mib: float = 0
    failed: int = 0
    more: dict[str, float] = field(default_factory=dict)


class Bench:
    def __init__(self, bin_folder: Path, seconds: int, neighbour_seconds: int = 20) -> None:
        self.bin = bin_folder
        self.seconds = seconds
        self.neighbour_seconds = neighbour_seconds
        self.figures: dict[str, Figure] = {}
        self.failures: list[str] = []  # what a part found wrong although it has a table to show

    def rate(self, name: str, value: float) -> None:
        """Of this figure more is better."""
        self.figures[name] = Figure(value, True)

    def cost(self, name: str, value: float) -> None:
        """Of this figure less is better."""
        self.figures[name] = Figure(value, False)

    def load(self, pid: int, host: str, port: int, *arguments: str) -> Measured:
        words = ["taskset", "-c", "1", str(self.bin / "vigia-bench-load"), "--pid", str(pid)]
        words += ["--host", host, "--port", str(port)]
        words += ["--warm-up", str(WARM_UP_SECONDS), "--seconds", str(self.seconds), *arguments]
        line = subprocess.run(words, text=True, capture_output=True, check=False).stdout
        values = dict(re.findall(r"(\S+)=([\d.]+)", line))
        print("   ", line.strip(), flush=True)
        return Measured(float(values["items/cpu-s"]), float(values["rss"]), int(values["failed"]))

    def receive(self, keep_log: bool) -> dict[str, Measured]:
        results = {}
        for case in CASES:
            with tempfile.TemporaryDirectory(prefix="vigia-bench-") as folder:
                words = ["taskset", "-c", "0", str(self.bin / "vigia-bench-receiver")]
                if keep_log:
                    words.append(folder + "/log")
                with running(words) as receiver:
                    assert receiver.stdout
                    port = int(receiver.stdout.readline())
                    results[case.name] = self.load(receiver.pid, "127.0.0.1", port, *case.arguments)
        return results

    def receive_peer(self) -> dict[str, Measured]:
        results = {}
        for case in CASES:
            with tempfile.TemporaryDirectory(prefix="vigia-bench-") as folder:
                host = own_host()
                config = Path(folder) / "config.yaml"
                config.write_text(PEER_RECEIVE.format(host=host))
                words = ["taskset", "-c", "0", str(PEER), "--config", str(config)]
                with running(words, env={**os.environ, "GOMAXPROCS": "1"}) as peer:
                    wait_for_port(host, peer)
                    results[case.name] = self.load(peer.pid, host, GRPC_PORT, *case.arguments)
        return results

    def path(self, rate: int, is_peer: bool) -> Measured:
        """OTLP in at a fixed rate, remote write out; processor time counts until the sink has seen the last sample."""
        with (
            tempfile.TemporaryDirectory(prefix="vigia-bench-") as folder,
            running([str(self.bin / "vigia-bench-sink")]) as sink,
        ):
            assert sink.stdout
            host, sink_port = own_host(), int(sink.stdout.readline())
            values = {"folder": folder, "host": host, "sink": sink_port}
            config = Path(folder) / "config.yaml"
            (Path(folder) / "customers.yaml").write_text(CUSTOMERS)
            config.write_text((PEER_PATH if is_peer else OUR_PATH).format(**values))
            program = str(PEER) if is_peer else str(self.bin / "vigia-collector")
            environment = {**os.environ, "GOMAXPROCS": "2"}
            output = (Path(folder) / "output").open("w")
            with output, running([program, "--config", str(config)], env=environment, stderr=output) as collector:
                wait_for_port(host, collector)
                self.send(collector.pid, host, 1, rate)  # the series are known then
                drained(sink_port)
                cpu_before, before = cpu_seconds(collector.pid), seen(sink_port)
                rss = self.send(collector.pid, host, self.seconds, rate)
                seconds_behind, is_drained = drained(sink_port)
                cpu = cpu_seconds(collector.pid) - cpu_before
                after = seen(sink_port)
        samples = after[2] - before[2]
        result = Measured(samples / cpu, rss)
        result.more = {"rate": samples / self.seconds, "bytes": (after[1] - before[1]) / samples}
        result.more |= {"behind": seconds_behind, "drained": float(is_drained)}
        print(f"    {'peer' if is_peer else 'vigia'} {samples} samples {cpu:.2f} CPU-s {result}", flush=True)
        return result

    def otlp_path(self, case: OtlpCase, *, peer: str = "") -> Measured:
        """OTLP in at a fixed rate, through log and processors, OTLP out; until the sink has seen the last item.

        `peer` is the Go collector's configuration; "" is ours.
        """
        with (
            tempfile.TemporaryDirectory(prefix="vigia-bench-") as folder,
            running([str(self.bin / "vigia-bench-otlp-sink")]) as sink,
        ):
            assert sink.stdout
            host, sink_port = own_host(), int(sink.stdout.readline())
            values = {"folder": folder, "host": host, "sink": sink_port}
            values |= {"first": RENAME if case.renames else "", "names": "attributes/rename, " if case.renames else ""}
            (Path(folder) / "customers.yaml").write_text(CUSTOMERS)
            config = Path(folder) / "config.yaml"
            config.write_text((peer or OTLP_PATH).format(**values))
            program = str(PEER) if peer else str(self.bin / "vigia-collector")
            output = (Path(folder) / "output").open("w")
            rate = case.peer_rate if peer else case.rate
            more = ["--signal", case.signal, "--items", str(case.items)]
            environment = {**os.environ, "GOMAXPROCS": "2"}
            with output, running([program, "--config", str(config)], env=environment, stderr=output) as collector:
                wait_for_port(host, collector)
                self.send(collector.pid, host, 1, rate, *more)
                drained(sink_port)
                cpu_before, before = cpu_seconds(collector.pid), seen(sink_port)
                rss = self.send(collector.pid, host, self.seconds, rate, *more)
                seconds_behind, is_drained = drained(sink_port)
                cpu = cpu_seconds(collector.pid) - cpu_before
                after = seen(sink_port)
        items = after[2] - before[2]
        result = Measured(items / cpu, rss)
        result.more = {"rate": items / self.seconds, "behind": seconds_behind, "drained": float(is_drained)}
        print(f"    {'peer' if peer else 'vigia'} {case.name} {items} items {cpu:.2f} CPU-s {result}", flush=True)
        return result

    def send(self, pid: int, host: str, seconds: int, rate: int, *more: str) -> float:
        words = [str(self.bin / "vigia-bench-load"), "--pid", str(pid), "--host", host, "--port", str(GRPC_PORT)]
        words += ["--warm-up", "0", "--seconds", str(seconds), "--rate", str(rate), *more]
        line = subprocess.run(words, text=True, capture_output=True, check=True).stdout
        return float(re.findall(r"rss=(\d+)", line)[0])


def receive_table(ours: dict[str, Measured], peer: dict[str, Measured], *, is_logged: bool) -> list[str]:
    lines = ["| case | ratio | Vigía | Go collector | target | RSS, MiB |", "|---|---:|---:|---:|---|---:|"]
    for case in CASES:
        name, unit = case.name, case.unit
        target = case.target_logged if is_logged else case.target
        mine, other = ours[name], peer.get(name)
        ratio = f"{mine.per_cpu / other.per_cpu:.1f} ×" if other else "not run"
        beside = million(other.per_cpu) if other else ""
        sizes = f"{mine.rss_mib:.0f}" + (f" / {other.rss_mib:.0f}" if other else "")
        lines.append(
            f"| {name} | {ratio} | {million(mine.per_cpu)} {unit} | {beside} | {verdict(mine.per_cpu, target)} | {sizes} |"
        )
        if mine.failed:
            raise RuntimeError(f"{name}: {mine.failed} requests failed")
    return lines


def unit_of(name: str) -> str:
    return next(case.unit for case in CASES if case.name == name)


def flat_section(bench: Bench) -> list[str]:
    """The same load over a thousand series and over a million."""
    print("cost by the number of series", flush=True)
    text = ["## Collector: a point's cost by how many series there are", ""]
    text += [
        f"Checked and series resolved, no log, the cache of series up to {FLAT_CACHE_MIB} MiB (256 where no memory limit is set).",
        "Each series has eight attributes, some 340 bytes with all that it takes. The aim is the same cost, 10 % more or less.",
        "",
    ]
    text += ["| series | points per CPU-s | of a thousand series' | RSS, MiB |", "|---:|---:|---:|---:|"]
    first = 0.0
    for payloads in FLAT_THOUSANDS:
        words = ["taskset", "-c", "0", str(bench.bin / "vigia-bench-receiver"), "", str(FLAT_CACHE_MIB)]
        with running(words) as receiver:
            assert receiver.stdout
            port = int(receiver.stdout.readline())
            one = bench.load(receiver.pid, "127.0.0.1", port, "--payloads", str(payloads))
        first = first or one.per_cpu
        share = f"{one.per_cpu / first:.2f}"
        text.append(f"| {payloads * 1000:,} | {million(one.per_cpu)} | {share} | {one.rss_mib:.0f} |")
        bench.rate(f"collector: {payloads * 1000} series, points per CPU-s", one.per_cpu)
    return text


def collector_section(bench: Bench) -> list[str]:
    print("collector without a log", flush=True)
    plain = bench.receive(keep_log=False)
    peer: dict[str, Measured] = {}
    if PEER.exists():
        print("Go collector", flush=True)
        peer = bench.receive_peer()
    print("collector with its log", flush=True)
    logged = bench.receive(keep_log=True)
    text = ["## Collector: OTLP/gRPC in, items per processor-second", ""]
    text += [
        "Checked and series resolved, nothing kept. Go collector: batch processor and nop exporter, GOMAXPROCS=1.",
        "",
    ]
    for name, results in (("plain", plain), ("with its log", logged)):
        for case, one in results.items():
            bench.rate(f"collector {name}: {case}, {unit_of(case)} per CPU-s", one.per_cpu)
            bench.cost(f"collector {name}: {case}, RSS MiB", one.rss_mib)
    text += receive_table(plain, peer, is_logged=False)
    text += [
        "",
        "With the disk log, every request on disk (fdatasync) before its answer. The Go collector is that of the table above,",
    ]
    text += ["which keeps nothing and answers before it has sent anything.", ""]
    return text + receive_table(logged, peer, is_logged=True)


def path_section(bench: Bench) -> list[str]:
    print("the whole path", flush=True)
    rows = [("Vigía, log and fdatasync", bench.path(500_000, is_peer=False))]
    if PEER.exists():
        rows.append(("Go collector, queue in memory", bench.path(100_000, is_peer=True)))
    mine = rows[0][1]
    bench.rate("path: points per CPU-s", mine.per_cpu)
    bench.cost("path: bytes a sample", mine.more["bytes"])
    bench.cost("path: RSS MiB", mine.rss_mib)
    text = ["## Collector: OTLP in, remote write out, points per processor-second", ""]
    text += [
        "At a fixed rate, to a destination that takes all; processor time counts until the last sample has arrived.",
        "",
    ]
    text += [
        "| | ratio | points per CPU-s | arrived per second | behind at the end | bytes a sample | RSS, MiB | target |"
    ]
    text += ["|---|---:|---:|---:|---:|---:|---:|---|"]
    for name, one in rows:
        ratio = f"{one.per_cpu / rows[-1][1].per_cpu:.1f} ×" if len(rows) > 1 else "not run"
        behind = f"{one.more['behind']:.1f} s" + ("" if one.more["drained"] else ", not drained")
        goal = verdict(one.per_cpu, 2.0) if one is rows[0][1] else ""
        text.append(
            f"| {name} | {ratio} | {million(one.per_cpu)} | {one.more['rate']:,.0f} | {behind} | "
            f"{one.more['bytes']:.0f} | {one.rss_mib:.0f} | {goal} |"
        )
    return text


def otlp_path_section(bench: Bench) -> list[str]:
    print("OTLP in, OTLP out", flush=True)
    text = list(OTLP_HEAD)
    for case in OTLP_CASES:
        mine = bench.otlp_path(case)
        columns = ["not run | "] * 2
        if PEER.exists():
            peers = [bench.otlp_path(case, peer=peer) for peer in (PEER_OTLP_PATH, PEER_OTLP_DISK_PATH)]
            columns = [f"{mine.per_cpu / peer.per_cpu:.1f} × | {million(peer.per_cpu)}" for peer in peers]
        behind = f"{mine.more['behind']:.1f} s" + ("" if mine.more["drained"] else ", not drained")
        text.append(
            f"| {case.name} | {million(mine.per_cpu)} | {' | '.join(columns)} | "
            f"{verdict(mine.per_cpu, case.target)} | {behind} | {mine.rss_mib:.0f} |"
        )
        bench.rate(f"OTLP out: {case.name}, items per CPU-s", mine.per_cpu)
        bench.cost(f"OTLP out: {case.name}, RSS MiB", mine.rss_mib)
    return text


def export_section(bench: Bench) -> list[str]:
    found = google_benchmark(bench.bin / "vigia_collector_exporters_bench")[0]
    bench.rate("export: points per CPU-s", float(str(found["points_a_cpu_second"])))
    text = ["## Collector: from the log to a compressed remote write, no sockets", ""]
    return [*text, f"{million(float(str(found['points_a_cpu_second'])))} points per processor-second."]


def storage_section(bench: Bench) -> list[str]:
    program = bench.bin / "vigia_storage_service_bench"
    text, found = storage_table.measured(lambda *words: google_benchmark(program, *words))
    bench.figures |= found
    return text


def printed(bench: Bench, folder: str, name: str, *arguments: str) -> list[dict[str, Any]]:
    """What a program of bench/FOLDER prints: a line of JSON for each thing measured."""
    words = [str(ROOT / ".vigia/venv/bin/python"), str(ROOT / "bench" / folder / name), *arguments]
    paths = ":".join(str(ROOT / place) for place in ("tools", "tests/integration", f"bench/{folder}"))
    environment = {**os.environ, "PYTHONPATH": paths, "VIGIA_BIN": str(bench.bin)}
    run = subprocess.run(words, check=True, env=environment, text=True, stdout=subprocess.PIPE)
    return [json.loads(line) for line in run.stdout.splitlines()]


def stores_section(bench: Bench) -> list[str]:
    measured = printed(bench, "storage", "host_metrics.py")
    bench.figures |= stores_table.figures(measured[0])
    rolled = printed(bench, "storage", "rolled_bytes.py")[0]
    bench.figures |= stores_table.rolled_figures(rolled)
    return [*stores_table.lines(measured), "", *stores_table.rolled_lines(rolled)]


def router_section(bench: Bench) -> list[str]:
    text = ["## Router: reading", ""]
    beside = ["--proxy", str(PROXY)] if PROXY.exists() else []
    tables = [
        router_table.overhead(printed(bench, "router", "query_overhead.py", "--json", *beside)),
        router_table.parsing(google_benchmark(bench.bin / "vigia_promql_bench")),
        router_table.years(printed(bench, "router", "years.py", "--json")),
        router_table.traces(printed(bench, "router", "trace_search.py", "--json")),
        router_table.panels(printed(bench, "router", "panels.py", "--json")),
    ]
    for lines, figures in tables:
        text += [*lines, ""]
        bench.figures |= figures
    return text


def chunk_section(bench: Bench) -> list[str]:
    text = ["## Chunks", "", "| benchmark | bytes a sample | ns a sample |", "|---|---:|---:|"]
    for one in google_benchmark(bench.bin / "vigia_chunk_bench", "--benchmark_min_time=0.2"):
        size = f"{float(str(one['bytes_per_sample'])):.2f}" if "bytes_per_sample" in one else ""
        rate = float(str(one.get("items_per_second", 0)))
        if size:
            bench.cost(f"chunk {one['name']}: bytes a sample", float(str(one["bytes_per_sample"])))
        if rate:
            bench.cost(f"chunk {one['name']}: ns a sample", 1e9 / rate)
        text.append(f"| {one['name']} | {size} | {1e9 / rate if rate else 0:.1f} |")
    return text


def agent_section(bench: Bench) -> list[str]:
    with tempfile.NamedTemporaryFile() as answer:
        words = [
            sys.executable,
            str(ROOT / "bench/agent_at_rest.py"),
            "--minutes",
            "1",
            "--bin",
            str(bench.bin),
            "--json",
            answer.name,
        ]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        found = json.loads(Path(answer.name).read_text())
    for name in ("rss_kib", "anonymous_kib", "cpu_seconds_per_minute", "bytes_up_per_second"):
        bench.cost(f"agent: {name}", found[name])
    text = ["## Agent at rest", "", "All host metrics every 15 s, gRPC over TLS, one minute after 65 s of warm-up.", ""]
    text += ["| figure | measured |", "|---|---:|"]
    return text + [f"| {name} | {value} |" for name, value in found.items()]


def neighbour_section(bench: Bench) -> list[str]:
    words = [str(ROOT / ".vigia/venv/bin/python"), str(ROOT / "bench/neighbour.py")]
    words += ["--seconds", str(bench.neighbour_seconds)]
    paths = ":".join(str(ROOT / folder) for folder in ("tools", "tests/integration", "bench"))
    environment = {**os.environ, "PYTHONPATH": paths, "VIGIA_BIN": str(bench.bin)}
    run = subprocess.run(words, check=False, env=environment, text=True, stdout=subprocess.PIPE)
    shown = run.stdout.splitlines()
    begins = [index for index, line in enumerate(shown) if line.startswith("| what A does")]
    if not begins:
        raise RuntimeError(f"bench/neighbour.py ended with {run.returncode} and shows no table")
    if run.returncode != 0:
        bench.failures.append("neighbour: " + "; ".join(line.strip("-* ") for line in shown if line.startswith("- **")))
    text = ["## Neighbours: what one customer feels of another", ""]
    text += [
        f"B sends a point and asks a query five times a second and has one alert and a page open; A does each of these for "
        f"{bench.neighbour_seconds} s.",
        "B's times are the 99th percentile and, in brackets, the worst, in milliseconds. Bold: more than twice the calm runs' before",
        "and after it (or than 25 ms, a lag of 200 ms, an alert after 1 s, where those were below), never, or lost. What is bold has a",
        "reason below the table, or the bench fails. A's own process has the lowest priority; programs and load share the two cores.",
        "",
    ]
    return text + shown[begins[-1] :]


SECTIONS = {
    "collector": (collector_section, ["vigia-bench-load", "vigia-bench-receiver"]),
    "path": (path_section, ["vigia-bench-load", "vigia-bench-sink", "vigia-collector"]),
    "otlp": (otlp_path_section, ["vigia-bench-load", "vigia-bench-otlp-sink", "vigia-collector"]),
    "flat": (flat_section, ["vigia-bench-load", "vigia-bench-receiver"]),
    "export": (export_section, ["vigia_collector_exporters_bench"]),
    "storage": (storage_section, ["vigia_storage_service_bench"]),
    "stores": (stores_section, ["vigia-storage"]),
    "router": (router_section, ["vigia-router", "vigia-storage", "vigia_promql_bench"]),
    "chunk": (chunk_section, ["vigia_chunk_bench"]),
    "agent": (agent_section, ["vigia-agent", "vigia-collector"]),
    "neighbour": (neighbour_section, ["vigia-collector", "vigia-storage", "vigia-router", "vigia-monitor"]),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=5, help="of each load, after the warm-up")
    parser.add_argument("--only", default=",".join(SECTIONS), help="parts to run: " + ", ".join(SECTIONS))
    parser.add_argument("--neighbour-seconds", type=int, default=20, help="of each load of the neighbours' part")
    parser.add_argument("--bin", type=Path, default=ROOT / "build" / "release" / "bin")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "benchmarks.md")
    parser.add_argument("--json", type=Path, help="the figures; default: beside --out")
    parser.add_argument("--against", type=Path, help="figures of an earlier run, to be compared with")
    options = parser.parse_args()
    earlier = (
        read_figures(options.against) if options.against else None
    )  # now, since it may be the file that is written
    bench = Bench(options.bin, options.seconds, options.neighbour_seconds)
    page = Page.open(options.out, options.json or options.out.with_suffix(".json"))
    peers = {"the Go collector": PEER, "prom-label-proxy": PROXY}
    page.left_out = [f"{name} (not built: bench/peers/build.sh)" for name, file in peers.items() if not file.exists()]
    for name, (section, programs) in SECTIONS.items():
        if name not in options.only.split(","):
            continue
        missing = [program for program in programs if not (options.bin / program).exists()]
        if missing:
            page.left_out.append(f"{name} (not built: {', '.join(missing)})")
            continue
        before, known = load_average(), set(bench.figures)
        try:
            lines = section(bench)
            figures = {title: bench.figures[title] for title in bench.figures.keys() - known}
            page.parts[name] = measured_now(lines, figures, before)
        except Exception as error:  # a section's fault costs that section, not the minutes of the others
            traceback.print_exc()
            page.left_out.append(f"**{name}, which failed** ({type(error).__name__}: {error})".replace("\n", " "))
            bench.failures.append(f"{name} failed")
        page.write(list(SECTIONS))  # a run that ends early has lost nothing that it had
    if earlier is not None:
        text, unexcused = compare(earlier, bench.figures, tomllib.loads(REASONS.read_text()).get("worse", {}))
        page.more = [f"## Against {options.against.name}", "", *text, ""]
        bench.failures += unexcused
    page.write(list(SECTIONS))
    for failure in bench.failures:
        print(failure, file=sys.stderr)
    if bench.failures:
        sys.exit(1)


if __name__ == "__main__":
    main()
