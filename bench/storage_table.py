"""The page's table of vigia_storage_service_bench: the cold store without its network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from figures import Figure, million, verdict

STORAGE_READS = {  # of vigia_storage_service_bench: what is read, and the target in ms
    "two_years/of_1d": ("two years of 100 nodes by days, from 1 d", 80),
    "two_years/of_1h": ("two years of 100 nodes by days, from 1 h", 300),
    "two_years/one_day_raw": ("a day of 100 nodes, raw", 100),
    "raw_of/a_day/30": ("a day of 100 nodes at 5 min, beside a month of it", None),
    "raw_of/a_day/730": ("the same beside two years of it", None),
    "raw_of/an_hour/30": ("an hour, beside a month", None),
    "raw_of/an_hour/730": ("the same beside two years", None),
}


def met(reached: bool) -> str:
    return "met" if reached else "**missed**"


def measured(run: Callable[..., list[dict[str, Any]]]) -> tuple[list[str], dict[str, Figure]]:
    """`run` gives what the bench prints with these words. The table's lines, and the figures in it."""

    def taken(load: str) -> tuple[float, float, float]:
        found = run(f"--benchmark_filter=host_metrics/{load}/marks:0")[0]
        rate, memory, disk = (
            float(str(found[name])) for name in ("samples_per_cpu_s", "head_books_per_series", "disk_per_sample")
        )
        return rate, memory, disk

    rate, memory, disk = taken("nodes:100/steps:1920")
    rate_of_many = taken("nodes:1000/steps:120")[0]
    figures = {
        "storage: samples per CPU-s": Figure(rate, True),
        "storage: samples per CPU-s, 300,000 series": Figure(rate_of_many, True),
        "storage: bytes of memory an open series": Figure(memory, False),
        "storage: bytes on disk a sample": Figure(disk, False),
    }
    text = ["## Cold store: remote write in, chunks on disk, without the network", ""]
    text += ["| figure | measured | target |", "|---|---:|---|"]
    text.append(f"| samples per processor-second, 30,000 series, 8 h | {million(rate)} | {verdict(rate, 1.5)} |")
    text.append(f"| the same, 300,000 series, half an hour | {million(rate_of_many)} | {verdict(rate_of_many, 1.0)} |")
    text.append(f"| bytes of memory an open series, by its books | {memory:.0f} | 600: {met(memory <= 600)} |")
    text.append(f"| bytes on disk a sample, raw with index | {disk:.2f} | |")
    text += [
        "",
        "Reads in chunks, CPU and by the clock:",
        "",
        "| what | CPU, ms | clock, ms | target |",
        "|---|---:|---:|---|",
    ]
    for found in run("--benchmark_filter=two_years|raw_of", "--benchmark_min_time=1"):
        title, target = STORAGE_READS[str(found["name"])]
        cpu, clock = (float(str(found[name])) for name in ("cpu_time", "real_time"))
        figures[f"storage: {title}, ms of CPU"] = Figure(cpu, False)
        text.append(f"| {title} | {cpu:.1f} | {clock:.1f} | {f'{target}: {met(clock <= target)}' if target else ''} |")
    return text, figures
