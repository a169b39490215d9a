"""What docs/deployment.md tells to install: units, example files and templates, as they lie in deploy/."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from launcher.paths import PORTAL, ROOT
from stack import binaries

PROGRAMS = ("agent", "collector", "monitor", "router", "storage")


def _unit(program: str) -> dict[str, str]:
    """The keys of a unit; each stands once in ours."""
    lines = (ROOT / "deploy" / "systemd" / f"vigia-{program}.service").read_text().splitlines()
    pairs = [line.partition("=") for line in lines if re.match(r"\w+=", line)]
    assert len({key for key, _, _ in pairs}) == len(pairs)
    return {key: value for key, _, value in pairs}


def _state_folder(program: str) -> str:
    return f"/var/lib/{_unit(program)['StateDirectory']}"


class TestUnits:
    @pytest.mark.parametrize("program", PROGRAMS)
    def test_a_bad_configuration_ends_the_main_process_with_2_and_is_not_tried_again(
        self, program: str, tmp_path: Path
    ) -> None:
        """RestartPreventExitStatus= has no effect on an ExecStartPre= that checks the file: it was tried for ever."""
        unit = _unit(program)
        assert "--check-config" not in unit.get("ExecStartPre", "")
        assert unit["RestartPreventExitStatus"] == "2"
        file = tmp_path / "bad.yaml"
        file.write_text("no_such_key: 1\n")
        words = unit["ExecStart"].split()
        assert words == [f"/usr/bin/vigia-{program}", "--config", f"/etc/vigia/{program}.yaml"]
        done = subprocess.run(
            [binaries() / f"vigia-{program}", "--config", file], capture_output=True, text=True, timeout=20, check=False
        )
        assert done.returncode == 2, done.stderr

    @pytest.mark.parametrize("program", PROGRAMS)
    def test_relative_paths_lie_where_the_program_may_write(self, program: str) -> None:
        unit = _unit(program)
        assert unit["WorkingDirectory"] == f"%S/{unit['StateDirectory']}", "%S is /var/lib"

    def test_so_the_file_that_the_portal_shows_works_as_it_is(self) -> None:
        shown = (PORTAL / "src" / "pages" / "tokens" / "commands.ts").read_text()
        folder = re.search(r"buffer: \{directory: (\S+)\}", shown)
        assert folder is not None
        assert not Path(folder[1]).is_absolute(), "the working directory of the unit decides where it lies"
