"""`./vigia test unit` runs each program of cases once, and whatever else ctest knows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from launcher import unit
from launcher.once_more import Program, side_by_side
from launcher.shell import Failure


def _listed(*tests: dict[str, Any]) -> dict[str, Any]:
    """As `ctest --show-only=json-v1` writes it."""
    listed: dict[str, Any] = json.loads(json.dumps({"tests": list(tests)}))
    return listed


def _case(program: Path, name: str, folder: Path) -> dict[str, Any]:
    command = [str(program), f"--gtest_filter={name}", "--gtest_also_run_disabled_tests"]
    return {"name": name, "command": command, "properties": [{"name": "WORKING_DIRECTORY", "value": str(folder)}]}


def test_cases_of_one_program_are_one_run_and_the_largest_begins(tmp_path: Path) -> None:
    small, large = tmp_path / "small_test", tmp_path / "large_test"
    small.write_text("1")
    large.write_text("12")
    seeds = {"name": "fuzz_replay.otlp", "command": [str(tmp_path / "otlp_fuzz"), "seeds"], "properties": []}
    cases = [_case(small, "A.B", tmp_path), _case(small, "A.C", tmp_path), _case(large, "D.E", tmp_path)]
    found = unit.programs(_listed(*cases, seeds), {"SAID": "1"})
    assert [(program.name, list(program.words)) for program in found] == [
        ("large_test", [str(large), "--gtest_brief=1"]),
        ("small_test", [str(small), "--gtest_brief=1"]),
        ("fuzz_replay.otlp", [str(tmp_path / "otlp_fuzz"), "seeds"]),
    ]
    assert {program.cwd for program in found[:2]} == {tmp_path}
    assert all(program.env == {"SAID": "1"} for program in found)


def test_a_program_of_many_cases_is_dealt_out_and_each_shard_is_one_that_may_be_repeated(tmp_path: Path) -> None:
    many, few = tmp_path / "many_test", tmp_path / "few_test"
    many.write_text("12")
    few.write_text("1")
    cases = [_case(many, f"A.{number}", tmp_path) for number in range(2 * unit.CASES_MAX + 1)]
    cases += [_case(few, f"B.{number}", tmp_path) for number in range(unit.CASES_MAX)]
    found = unit.programs(_listed(*cases), {"SAID": "1"})
    assert [program.name for program in found] == ["many_test 1/3", "many_test 2/3", "many_test 3/3", "few_test"]
    assert {tuple(program.words) for program in found[:3]} == {(str(many), "--gtest_brief=1")}
    shards = [(program.env["GTEST_SHARD_INDEX"], program.env["GTEST_TOTAL_SHARDS"]) for program in found[:3]]
    assert shards == [("0", "3"), ("1", "3"), ("2", "3")], "each case in one of them"
    assert all(program.env["SAID"] == "1" for program in found)
    assert found[3].env == {"SAID": "1"}


def test_the_stacks_of_allocations_are_short_unless_somebody_says_otherwise(tmp_path: Path) -> None:
    plain = Program("plain", ["true"], tmp_path, {"SAID": "1"})
    assert unit.with_short_stacks(plain).env == {"SAID": "1", "ASAN_OPTIONS": "malloc_context_size=8"}
    said = Program("said", ["true"], tmp_path, {"ASAN_OPTIONS": "malloc_context_size=30"})
    assert unit.with_short_stacks(said).env["ASAN_OPTIONS"].endswith(":malloc_context_size=30"), "the last one holds"


def test_what_fails_is_repeated_with_whole_stacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("ASAN_OPTIONS", raising=False)
    monkeypatch.setattr(unit, "has_room", lambda _: False)
    told = [sys.executable, "-c", "import os; print('has', os.environ.get('ASAN_OPTIONS')); raise SystemExit(1)"]
    listed = json.dumps(_listed({"name": "fails", "command": told, "properties": []}))
    monkeypatch.setattr(unit, "output", lambda *_, **__: listed)
    with pytest.raises(Failure, match="once more alone too"):
        unit.run_all("dev", {})
    lines = [line for line in capfd.readouterr().out.splitlines() if line.startswith("has ")]
    assert lines == ["has malloc_context_size=8", "has None"]


def test_a_program_that_lists_nothing_is_told() -> None:
    with pytest.raises(Failure, match="vigia_net_test_NOT_BUILT is not built"):
        unit.programs(_listed({"name": "vigia_net_test_NOT_BUILT"}), {})


def test_a_program_that_hangs_is_killed_and_has_failed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    hanging = Program("hanging", [sys.executable, "-c", "import time; time.sleep(60)"], tmp_path, {}, 0.5)
    assert side_by_side([hanging], 1) == ["hanging"]
    assert "hanging: killed after 0.5 s" in capfd.readouterr().out


def test_their_files_lie_in_a_folder_of_the_run_and_what_a_killed_run_left_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unit, "has_room", lambda _: True)
    with subprocess.Popen(["true"]) as killed:
        pass
    left, others = (tmp_path / f"vigia-unit-{pid}" for pid in (killed.pid, os.getppid()))
    for folder in (left, others):
        (folder / "inside").mkdir(parents=True)
    with unit.scratch(tmp_path) as found:
        own = Path(found["TMPDIR"])
        assert sorted(tmp_path.iterdir()) == sorted([own, others])
        (own / "file").touch()
    assert list(tmp_path.iterdir()) == [others]


def test_without_room_in_memory_they_lie_where_they_would(tmp_path: Path) -> None:
    assert not unit.has_room(tmp_path), "a folder of a disk"
    with unit.scratch(tmp_path) as found:
        assert found == {}
