"""The debug exporter: how much, a line an item, or all of it; and of one customer no more than its share of the log."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from collector_alone import CollectorAlone
from otlp_items import SIGNALS, send
from stack import wait_for

NAMES = {"metrics": "data point", "traces": "span", "logs": "log record"}


def _lines(collector: CollectorAlone, message: str, customer: str = "cliente-a") -> list[str]:
    lines = collector.log().splitlines()
    return [
        line
        for line in lines
        if f'msg="{message}"' in line or f"msg={message} " in line
        if f"customer_id={customer}" in line
    ]


def _counts(collector: CollectorAlone) -> dict[str, int]:
    """Of the lines that say how much."""
    found: dict[str, int] = {}
    for key, number in re.findall(r"(data_points|spans|log_records)=(\d+)", collector.log()):
        found[key] = found.get(key, 0) + int(number)
    return found


def test_by_itself_it_says_how_much_and_nothing_of_what(tmp_path: Path) -> None:
    with CollectorAlone(tmp_path) as collector:
        for signal in SIGNALS:
            send(collector, signal, ["private", "more"])
        wait_for("all is counted", lambda: _counts(collector) == {"data_points": 2, "spans": 2, "log_records": 2})
        assert "private" not in collector.log()


@pytest.mark.parametrize("verbosity", ["normal", "detailed"])
def test_each_item_has_a_line(tmp_path: Path, verbosity: str) -> None:
    with CollectorAlone(tmp_path, exporters=f"debug: {{verbosity: {verbosity}}}") as collector:
        for signal in SIGNALS:
            send(collector, signal, ["one", "two"])
            wait_for(f"lines of {signal}", lambda s=signal: len(_lines(collector, NAMES[s])) == 2)  # type: ignore[misc]
            lines = _lines(collector, NAMES[signal])
            assert "one" in lines[0]
            assert "two" in lines[1]
            assert all(("service.name" in line) == (verbosity == "detailed") for line in lines)
        wait_for("all is counted", lambda: _counts(collector) == {"data_points": 2, "spans": 2, "log_records": 2})


def test_a_flood_of_one_customer_leaves_the_others_their_lines(tmp_path: Path) -> None:
    with CollectorAlone(tmp_path, exporters="debug: {verbosity: normal}") as collector:
        send(collector, "logs", [f"flood_{n}" for n in range(3000)])
        send(collector, "logs", ["mine"], customer="cliente-b")
        wait_for("the other's line", lambda: len(_lines(collector, "log record", "cliente-b")) == 1)
        assert len(_lines(collector, "log record")) == 100
        wait_for("what is left out is told", lambda: "items=2900" in collector.log())


def test_sampling_is_by_customer_and_second(tmp_path: Path) -> None:
    keys = "{verbosity: normal, sampling_initial: 1, sampling_thereafter: 0}"
    with CollectorAlone(tmp_path, exporters=f"debug: {keys}") as collector:
        for number in range(30):
            send(collector, "logs", [f"line_{number}"])
        send(collector, "logs", ["mine"], customer="cliente-b")
        wait_for("the other's line", lambda: len(_lines(collector, "log record", "cliente-b")) == 1)
        wait_for("all is counted", lambda: _counts(collector)["log_records"] == 31)
        assert 1 <= len(_lines(collector, "log record")) < 30
