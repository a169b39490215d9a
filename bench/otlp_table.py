"""Spans and records through the whole collector: what run.py sends, and the head of its table."""

from __future__ import annotations

from typing import NamedTuple


class OtlpCase(NamedTuple):
    name: str
    signal: str
    items: int  # of a request
    rate: int  # a second
    peer_rate: int
    renames: bool  # an attribute of each item, by the attributes processor
    target: float | None


OTLP_CASES = [
    OtlpCase("spans", "traces", 500, 800_000, 100_000, False, 3.0),
    OtlpCase("log records", "logs", 1000, 1_000_000, 150_000, False, 4.0),
    OtlpCase("log records, an attribute renamed", "logs", 1000, 500_000, 150_000, True, None),
]

OTLP_HEAD = [
    "## Collector: OTLP in, through the log, OTLP out, items per processor-second",
    "",
    "Spans of ten attributes and records of eight (some 340 bytes), at a fixed rate; processor time counts until the last has arrived.",
    "OpenTelemetry's dataflow engine, in Rust, reports 0.24 to 0.36 M a core for the last row's shape (300-byte records, no log).",
    "",
    "The Go collector keeps what it has acknowledged in memory; in the second column in a file that is synced, as ours is.",
    "",
    "| | Vigía | ratio | Go collector | ratio | its queue on disk | target | behind at the end | RSS, MiB |",
    "|---|---:|---:|---:|---:|---:|---|---:|---:|",
]
