"""The benches judge themselves: what a part's fault costs, what makes a run fail, what is compared with an earlier one."""

from __future__ import annotations

import importlib
import json
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from launcher.paths import ROOT
from remote_read import fields, messages, text
from remote_write import unpack


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """bench/run.py as a module, and what lies beside it can be imported."""
    monkeypatch.syspath_prepend(str(ROOT / "bench"))
    yield importlib.import_module("run")
    for name in [
        name
        for name in sys.modules
        if name in ("run", "figures", "page", "configurations") or name.startswith("neighbour")
    ]:
        del sys.modules[name]


def _run(bench: Any, monkeypatch: pytest.MonkeyPatch, folder: Path, *more: str) -> int:
    """Its exit code."""
    monkeypatch.setattr(sys, "argv", ["run.py", "--only", "good,bad", "--out", str(folder / "page.md"), *more])
    try:
        bench.main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def _good(bench: Any, rate: float, size: float = 100) -> Any:
    def section(one: Any) -> list[str]:
        one.rate("good: points per CPU-s", rate)
        one.cost("good: bytes", size)
        return ["## Good", "", "its figures"]

    return {"good": (section, [])}


def test_a_part_that_fails_costs_no_other_part_its_figures(
    bench: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A part that threw took the minutes of all others along."""

    def bad(_: Any) -> list[str]:
        raise ValueError("a line\nand another")

    monkeypatch.setattr(bench, "SECTIONS", {"bad": (bad, []), **_good(bench, 1.0)})
    assert _run(bench, monkeypatch, tmp_path) == 1
    page = (tmp_path / "page.md").read_text()
    assert "## Good" in page
    assert "its figures" in page
    assert "**bad, which failed** (ValueError: a line and another)" in page
    figures = json.loads((tmp_path / "page.json").read_text())["figures"]
    assert figures["good: points per CPU-s"] == [1.0, True]


def test_a_part_that_is_not_asked_for_stays_as_it_was(
    bench: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def other(one: Any) -> list[str]:
        one.rate("other: points per CPU-s", 7)
        return ["## Other", "", "seven"]

    def fails(_: Any) -> list[str]:
        raise ValueError

    monkeypatch.setattr(bench, "SECTIONS", {"other": (other, []), **_good(bench, 1.0)})
    assert _run(bench, monkeypatch, tmp_path, "--only", "good,other") == 0
    monkeypatch.setattr(bench, "SECTIONS", {"other": (fails, []), **_good(bench, 2.0)})
    assert _run(bench, monkeypatch, tmp_path, "--only", "good") == 0
    assert _run(bench, monkeypatch, tmp_path, "--only", "other") == 1, "what it had is worth more than nothing"
    page = (tmp_path / "page.md").read_text()
    assert page.index("seven") < page.index("## Good")
    figures = json.loads((tmp_path / "page.json").read_text())["figures"]
    assert figures == {
        "other: points per CPU-s": [7, True],
        "good: points per CPU-s": [2.0, True],
        "good: bytes": [100, False],
    }


def test_what_a_part_finds_wrong_fails_the_run_and_keeps_its_table(
    bench: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def felt(one: Any) -> list[str]:
        one.failures.append("B waited")
        return ["| table |"]

    monkeypatch.setattr(bench, "SECTIONS", {"good": (felt, [])})
    assert _run(bench, monkeypatch, tmp_path) == 1
    assert "| table |" in (tmp_path / "page.md").read_text()


def test_figures_are_compared_with_an_earlier_run(bench: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    reasons = tmp_path / "reasons.toml"
    monkeypatch.setattr(bench, "REASONS", reasons)
    reasons.write_text("")
    monkeypatch.setattr(bench, "SECTIONS", _good(bench, 1_000, 100))
    assert _run(bench, monkeypatch, tmp_path) == 0
    earlier = tmp_path / "page.json"

    monkeypatch.setattr(bench, "SECTIONS", _good(bench, 971, 102.9))
    assert _run(bench, monkeypatch, tmp_path, "--against", str(earlier), "--json", str(tmp_path / "new.json")) == 0
    assert "0 of 2 figures are more than 3% worse" in (tmp_path / "page.md").read_text()

    monkeypatch.setattr(bench, "SECTIONS", _good(bench, 900, 110))
    arguments = ("--against", str(earlier), "--json", str(tmp_path / "new.json"))
    assert _run(bench, monkeypatch, tmp_path, *arguments) == 1
    page = (tmp_path / "page.md").read_text()
    assert "| good: points per CPU-s | 1,000 | 900 | **-10.0%** | **none** |" in page
    assert "| good: bytes | 100 | 110 | **+10.0%** | **none** |" in page

    reasons.write_text('[worse]\n"good: points per CPU-s" = "a bound"\n"good: bytes" = "a label"\n')
    assert _run(bench, monkeypatch, tmp_path, *arguments) == 0
    assert "**-10.0%** | a bound |" in (tmp_path / "page.md").read_text()

    monkeypatch.setattr(bench, "SECTIONS", _good(bench, 2_000, 50))
    assert _run(bench, monkeypatch, tmp_path, *arguments) == 0, "better is not worse"


def _felt(name: str, **more: Any) -> Any:
    victim = importlib.import_module("neighbour_victim")
    usual = {"ingest": [0.01] * 100, "query": [0.02] * 100, "page": [0.03] * 20, "hot_lag": [0.15] * 100}
    return victim.Felt(name, "", **{**usual, "alert_delay": 0.5, "sent": 100, **more})


@pytest.fixture
def table(bench: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    found: Any = importlib.import_module("neighbour_table")
    assert bench
    (tmp_path / "reasons.toml").write_text('[neighbour."excused"]\nquery = "two cores"\n')
    monkeypatch.setattr(found, "REASONS", tmp_path / "reasons.toml")
    return found


@pytest.mark.parametrize(
    ("more", "cell"),
    [
        ({"query": [0.01] * 98 + [0.2, 0.2]}, "query"),
        ({"ingest": [0.2] * 100}, "ingest"),
        ({"page": []}, "page"),
        ({"alert_delay": -1.0}, "alert"),
        ({"hot_lag": [0.6] * 100}, "hot_lag"),
        ({"lost_cold": 1}, "lost"),
        ({"refused": 1}, "lost"),
        ({"rules_failed": 1}, "lost"),
        ({"is_legal": True, "of_a": {"200": 3}, "rejected_of_a": 5}, "answers"),
        ({"is_legal": True, "of_a": {"200": 3, "413": 1}}, "answers"),
    ],
)
def test_a_doubled_or_lost_cell_fails_unless_it_has_a_reason(table: Any, more: dict[str, Any], cell: str) -> None:
    calm = _felt(table.CALM)
    found = table.faults([calm, _felt("a load", **more), calm])
    assert [fault.partition(" is ")[0] for fault in found] == [f"a load: {cell}"]


def test_a_reason_excuses_its_cell_alone_and_is_shown(table: Any) -> None:
    calm, slow = _felt(table.CALM), _felt("excused", query=[0.5] * 100, ingest=[0.5] * 100)
    assert [fault.partition(" is ")[0] for fault in table.faults([calm, slow])] == ["excused: ingest"]
    shown = "\n".join(table.lines([calm, slow]))
    assert "1. excused, query: two cores" in shown
    assert "**500 (500)** (1)" in shown


def test_a_load_is_judged_by_the_calm_runs_beside_it(table: Any) -> None:
    """One slow of a hundred is no 99th percentile; a machine that others load is slow when it is calm too."""
    calm, busy = _felt(table.CALM), _felt(table.CALM, query=[0.09] * 100)
    assert table.faults([calm, _felt("a load", query=[0.01] * 99 + [9.0]), calm]) == []
    assert table.faults([calm, _felt("a load", query=[0.15] * 100), busy]) == []
    assert len(table.faults([calm, _felt("a load", query=[0.15] * 100), calm, busy])) == 1


def test_a_load_that_breaks_is_told(table: Any) -> None:
    calm = _felt(table.CALM)
    assert table.faults([calm, _felt("a load", broken="storage ended."), calm]) == ["a load: storage ended."]


def test_hosts_made_of_a_recorded_one_count_on_and_are_not_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "bench" / "storage"))
    recording, hosts_module = importlib.import_module("recording"), importlib.import_module("hosts")
    idle = recording.Series({"__name__": "idle_total"}, [0.1, 0.3, 0.35, 1.15])
    load = recording.Series({"__name__": "load"}, [2.0, 1.0, 2.5, 1.5])
    hosts = hosts_module.Hosts(recording.Recording("", 15_000, [idle, load]), 3, 1_000_000)
    assert (hosts.samples, hosts.series) == (24, 6)
    assert [body.samples for body in hosts.bodies(0)] == [2] * 4
    sent = [[_values_sent(unpack(body.content)) for body in hosts.bodies(number)] for number in range(3)]
    assert [values["idle_total"] for values in sent[0]] == [0.1, 0.3, 0.35, 1.15]
    # host 1 begins at the second scrape; behind the last one its counter goes on counting
    assert [values["idle_total"] for values in sent[1]] == [0.3, 0.35, 1.15, 1.15]
    assert [values["load"] for values in sent[2]] == [2.5, 1.5, 2.0, 1.0]


def _values_sent(body: bytes) -> dict[str, float]:
    """The value of each metric in a remote write request with one sample a series."""
    found = {}
    for series in messages(body, 1):
        labels = {text(label[1]): text(label[2]) for label in map(dict, map(fields, messages(series, 1)))}
        sample = dict(fields(next(messages(series, 2))))
        assert isinstance(sample[1], bytes)
        found[labels["__name__"]] = struct.unpack("<d", sample[1])[0]
    return found
