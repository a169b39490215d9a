"""The page's part of the router: what it adds to Prometheus beside prom-label-proxy, and how long the past, traces and logs take."""

from __future__ import annotations

from typing import Any

from figures import Figure

ADDED_P99_MS = 0.5
TIMES_THE_PROXY = 3.0
PARSING_US = 10.0
YEARS_MS = {"daily, a line for each node": 80.0, "of every hour, one line": 300.0}
TRACES_MS = 100.0
PANELS_MS = {"hot, up to now, nothing kept": 200.0, "hot, all past, kept": 40.0}

Rows = list[dict[str, Any]]


def _verdict(target: str, reached: bool) -> str:
    return f"{target}: " + ("met" if reached else "**missed**")


def overhead(rows: Rows) -> tuple[list[str], dict[str, Figure]]:
    """Of bench/router/query_overhead.py."""
    found = {(row["query"], row["target"]): row for row in rows}
    lines = [
        "Over one connection that is kept, Prometheus alone and each of both before it asked in turn; the mix is all four, as often each.",
        "",
        "| query | Prometheus p50, p99 ms | Vigía adds | prom-label-proxy adds | CPU a query, µs: Vigía, prom-label-proxy | ratio | targets |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    figures = {}
    for query in dict.fromkeys(row["query"] for row in rows):
        alone, ours = found[query, "prometheus"], found[query, "router"]
        proxy = found.get((query, "prom-label-proxy"))
        ratio = proxy["cpu_us"] / ours["cpu_us"] if proxy else None
        added = ours["p99_ms"] - alone["p99_ms"]
        goals = [_verdict(f"{ADDED_P99_MS} ms", added <= ADDED_P99_MS)] if query == "the mix" else []
        goals += [_verdict(f"{TIMES_THE_PROXY:g} ×", ratio >= TIMES_THE_PROXY)] if goals and ratio else []
        both = f"{ours['cpu_us']:.0f}" + (f", {proxy['cpu_us']:.0f}" if proxy else "")
        lines.append(
            f"| {query} | {alone['p50_ms']:.2f}, {alone['p99_ms']:.2f} | {_added(ours, alone)} | "
            f"{_added(proxy, alone) if proxy else 'not run'} | {both} | {f'{ratio:.1f} ×' if ratio else ''} | {'; '.join(goals)} |"
        )
        figures[f"router: {query}, ms added at p50"] = Figure(ours["p50_ms"] - alone["p50_ms"], False)
        figures[f"router: {query}, CPU µs"] = Figure(ours["cpu_us"], False)
    return lines, figures


def _added(one: dict[str, Any], alone: dict[str, Any]) -> str:
    return f"{one['p50_ms'] - alone['p50_ms']:+.2f}, {one['p99_ms'] - alone['p99_ms']:+.2f}"


def parsing(rows: Rows) -> tuple[list[str], dict[str, Figure]]:
    """Of vigia_promql_bench: typical is the middle one."""
    taken = {str(row["label"]): float(row["cpu_time"]) / 1e3 for row in rows if row["time_unit"] == "ns"}
    typical = sorted(taken.values())[len(taken) // 2]
    each = "; ".join(f"`{text}…` {value:.1f}" for text, value in taken.items())
    line = f"Parse, time range, fence and print, µs: {each}. {_verdict(f'{PARSING_US:g} µs typical', typical <= PARSING_US)}."
    return [line], {"router: parse, fence and print, µs": Figure(typical, False)}


def years(rows: Rows) -> tuple[list[str], dict[str, Figure]]:
    """Of bench/router/years.py."""
    lines = [
        "Two years of 100 nodes, a sample each half hour, through router, prometheus-query and storage, nothing kept:",
        "",
        "| query | read from | median, ms | CPU of the three, ms | target |",
        "|---|---|---:|---:|---|",
    ]
    figures = {}
    for row in rows:
        target = YEARS_MS.get(row["query"])
        goal = _verdict(f"{target:g} ms", row["p50_ms"] <= target) if target else ""
        lines.append(f"| {row['query']} | {row['served']} | {row['p50_ms']:.0f} | {row['cpu_ms']:.0f} | {goal} |")
        figures[f"router: two years, {row['query']}, ms"] = Figure(row["p50_ms"], False)
    return lines, figures


def traces(rows: Rows) -> tuple[list[str], dict[str, Figure]]:
    """Of bench/router/trace_search.py."""
    lines = [
        "Traces found by what Jaeger's clients ask, over a million spans:",
        "",
        "| question | found | first, ms | median, ms | p99, ms | target |",
        "|---|---:|---:|---:|---:|---|",
    ]
    figures = {}
    for row in rows:
        goal = _verdict(f"{TRACES_MS:g} ms", row["p50_ms"] <= TRACES_MS)
        lines.append(
            f"| {row['question']} | {row['items']} | {row['first_ms']:.1f} | {row['p50_ms']:.1f} | {row['p99_ms']:.1f} | {goal} |"
        )
        figures[f"router: traces, {row['question']}, ms"] = Figure(row["p50_ms"], False)
    return lines, figures


def panels(rows: Rows) -> tuple[list[str], dict[str, Figure]]:
    """Of bench/router/panels.py."""
    lines = [
        "A page of twenty panels over 30 days, ten nodes, a sample each ten minutes, asked over six connections:",
        "",
        "| what is asked, and what is kept of earlier answers | read from | first, ms | median, ms | CPU of all, ms | target |",
        "|---|---|---:|---:|---:|---|",
    ]
    figures = {}
    for row in rows:
        target = PANELS_MS.get(row["way"])
        goal = _verdict(f"{target:g} ms", row["p50_ms"] <= target) if target else ""
        lines.append(
            f"| {row['way']} | {row['served']} | {row['first_ms']:.0f} | {row['p50_ms']:.1f} | {row['cpu_ms']:.0f} | {goal} |"
        )
        figures[f"router: panels, {row['way']}, ms"] = Figure(row["p50_ms"], False)
    return lines, figures
