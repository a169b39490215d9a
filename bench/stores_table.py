"""The page's table of the stores that took the same samples (bench/storage/host_metrics.py): ratios, and the figures beside them."""

from __future__ import annotations

from typing import Any, NamedTuple

from figures import Figure


class Row(NamedTuple):
    key: str
    title: str
    more_is_better: bool
    digits: int
    target: float | None = None


ROWS = [
    Row("samples_per_cpu_s", "samples in a CPU-second", True, 0, 1.5e6),
    Row("rss_mib", "memory behind it, MiB", False, 0),
    Row("bytes_a_sample", "bytes on disk a sample, with index", False, 2, 1.0),
    Row("cpu_ms_a_read", "CPU of reading a metric of all hosts, ms", False, 1),
    Row("read_ms", "the same by the clock, ms", False, 1),
    Row("restart_s", "ready after a kill -9, s", False, 2),
]


def figures(ours: dict[str, Any]) -> dict[str, Figure]:
    return {f"stores: {row.title}": Figure(ours[row.key], row.more_is_better) for row in ROWS}


def _verdict(row: Row, value: float) -> str:
    if row.target is None:
        return ""
    reached = value / row.target if row.more_is_better else row.target / value
    return f"{row.target:,.{1 if row.target < 10 else 0}f}: " + ("met" if reached >= 1 else f"**{reached:.0%}**")


ROLLED_TARGET = 1.4


def rolled_figures(rolled: dict[str, Any]) -> dict[str, Figure]:
    return {"stores: bytes on disk a sample, with roll-ups": Figure(rolled["rolled_bytes_a_sample"], False)}


def rolled_lines(rolled: dict[str, Any]) -> list[str]:
    with_rollups = rolled["rolled_bytes_a_sample"]
    reached = "met" if with_rollups <= ROLLED_TARGET else f"**{ROLLED_TARGET / with_rollups:.0%}**"
    return [
        f"With roll-ups of 5 min, 1 h and 1 d, {rolled['samples']:,} samples of {rolled['series']:,} series over a whole day that is past",
        f"(`bench/storage/rolled_bytes.py`): {with_rollups:.2f} bytes on disk a sample, of raw alone {rolled['raw_bytes_a_sample']:.2f}. Target {ROLLED_TARGET}: {reached}.",
    ]


def lines(measured: list[dict[str, Any]]) -> list[str]:
    """Ours is the first."""
    ours, *peers = measured
    names = ["Vigía", "target", *(one["store"] for one in peers)]
    text = ["## Cold store beside others: recorded host metrics by remote write", ""]
    text += [
        f"{ours['samples']:,} samples of {ours['series']:,} series; all stores with their defaults, one after the other. In brackets how many",
        "times better (above 1) or worse (below) Vigía is.",
        "",
        "| | " + " | ".join(names) + " |",
        "|---|" + "---:|" * len(names),
    ]
    for row in ROWS:
        cells = [f"{ours[row.key]:,.{row.digits}f}", _verdict(row, ours[row.key])]
        for peer in peers:
            better, worse = (ours, peer) if row.more_is_better else (peer, ours)
            cells.append(f"{peer[row.key]:,.{row.digits}f} ({better[row.key] / max(worse[row.key], 1e-9):.1f} ×)")
        text.append(f"| {row.title} | " + " | ".join(cells) + " |")
    return text
