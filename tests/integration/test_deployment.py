"""What docs/deployment.md tells to install: units, example files and templates, as they lie in deploy/."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import requests
import yaml
from launcher import commands, configuration
from launcher.layout import Layout
from launcher.paths import PORTAL, ROOT
from stack import Stack, binaries

PROGRAMS = ("agent", "collector", "monitor", "router", "storage")


def _unit(program: str) -> dict[str, str]:
    """The keys of a unit; each stands once in ours."""
    lines = (ROOT / "deploy" / "systemd" / f"vigia-{program}.service").read_text().splitlines()
    pairs = [line.partition("=") for line in lines if re.match(r"\w+=", line)]
    assert len({key for key, _, _ in pairs}) == len(pairs)
    return {key: value for key, _, value in pairs}


def _state_folders(program: str) -> list[str]:
    """The first is where the program works."""
    return [f"/var/lib/{folder}" for folder in _unit(program)["StateDirectory"].split()]


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
        assert unit["WorkingDirectory"] == f"%S/{unit['StateDirectory'].split()[0]}", "%S is /var/lib"

    # R-SEC-16.
    @pytest.mark.parametrize("program", PROGRAMS)
    def test_nobody_runs_with_privileges_or_gains_any(self, program: str) -> None:
        unit = _unit(program)
        assert unit["User"] == "vigia"
        assert unit["NoNewPrivileges"] == "true"
        assert not {"AmbientCapabilities", "CapabilityBoundingSet", "PermissionsStartOnly"} & unit.keys()
        assert "+" not in unit["ExecStart"].split("/")[0]

    def test_so_the_file_that_the_portal_shows_works_as_it_is(self) -> None:
        shown = (PORTAL / "src" / "features" / "tokens" / "commands.ts").read_text()
        folder = re.search(r"buffer: \{directory: (\S+)\}", shown)
        assert folder is not None
        assert not Path(folder[1]).is_absolute(), "the working directory of the unit decides where it lies"


@pytest.mark.parametrize(
    "file", sorted(ROOT.glob("services/*/docker-compose*.y*ml")), ids=lambda file: file.parent.name
)
def test_no_containers_log_fills_the_disk(file: Path) -> None:
    for name, service in yaml.safe_load(file.read_text())["services"].items():
        options = service.get("logging", {}).get("options", {})
        assert {"max-size", "max-file"} <= options.keys(), name


def _dropped_in(file: str) -> list[str]:
    """The words of the command that a unit or drop-in of ours starts."""
    text = (ROOT / "deploy" / "systemd" / file).read_text().replace("\\\n", " ")
    started: list[str] = re.findall(r"^ExecStart=(.+)$", text, re.MULTILINE)
    return started[-1].split()


def _flags(words: list[str], without: set[str]) -> dict[str, str]:
    pairs = [word.partition("=") for word in words[1:]]
    return {name: value for name, _, value in pairs if name not in without}


class TestExamples:
    def test_write_only_where_their_unit_may(self) -> None:
        for program in ("collector", "monitor", "router", "storage"):
            text = (ROOT / "deploy" / "config" / f"{program}.yaml").read_text()
            written = re.findall(r"/var/lib/[\w/.-]+", text)
            assert written, program
            assert all(
                f"{path}/".startswith(tuple(f"{folder}/" for folder in _state_folders(program))) for path in written
            ), written

    def test_run_together_as_they_are(self, stack: Stack) -> None:
        """But for the address, the folder, the pages' place and certificates, which no test has at those places."""
        token = stack.secrets["internal_token"]
        for program in ("storage", "monitor", "router", "collector"):
            text = (ROOT / "deploy" / "config" / f"{program}.yaml").read_text()
            text = re.sub(r"127\.0\.0\.1|0\.0\.0\.0", stack.layout.host, text)
            text = re.sub(r"\n +tls: \{cert_file: /etc/vigia/collector.*\}", "", text)
            text = text.replace("/var/lib/vigia", str(stack.folder)).replace("/usr/share/vigia", str(PORTAL.parent))
            text = text.replace(f"{PORTAL.parent}/portal", str(PORTAL / "dist"))
            (stack.layout.config / f"{program}.yaml").write_text(text)
            for folder in _state_folders(program):
                (stack.folder / Path(folder).name).mkdir()  # as StateDirectory= does
            stack.start(program)
        for part in ("collector", "router"):
            ready = {
                "collector": f"{stack.layout.url('collector_health')}/health",
                "router": f"{stack.layout.url('router')}/ready",
            }
            assert requests.get(ready[part], timeout=5).status_code == 200
        assert token not in "".join(file.read_text() for file in (stack.folder / "log").iterdir())
        assert (stack.folder / "router" / "directory.json").exists()
        written = {entry.name for entry in stack.folder.iterdir()}
        folders = {Path(folder).name for program in PROGRAMS for folder in _state_folders(program)} - {"vigia-agent"}
        assert written == {"config", "data", "log", "secrets.json", *folders}

    def test_templates_have_no_name_that_the_page_does_not_give(self) -> None:
        page = (ROOT / "docs" / "deployment.md").read_text()
        for template in (ROOT / "deploy" / "prometheus").glob("*.yml"):
            for name in set(re.findall(r"\$\{(\w+)\}", template.read_text())):
                assert re.search(rf"^ +export .*\b{name}=\S", page, re.MULTILINE), name

    # R-RR-4: a matcher on such a label would be dropped, and every result would carry it.
    def test_no_prometheus_has_a_label_of_its_own_for_all(self, tmp_path: Path) -> None:
        layout = Layout(config=tmp_path, data=tmp_path)
        written = [configuration.prometheus_hot(layout), configuration.prometheus_query(layout)]
        templates = sorted((ROOT / "deploy" / "prometheus").glob("prometheus-*.yml"))
        assert len(templates) >= 2
        for text in [*written, *(file.read_text() for file in templates)]:
            assert "external_labels" not in yaml.safe_load(text).get("global", {})

    def test_flags_of_neighbours_are_those_of_the_launcher(self, tmp_path: Path) -> None:
        layout = Layout(config=tmp_path, data=tmp_path)
        places = {"--config.file", "--storage.tsdb.path", "--storage.path", "--web.external-url"}
        for file, command in (
            ("prometheus.service.d/vigia.conf", commands.hot(layout)),
            ("prometheus-query.service", commands.query(layout)),
            ("prometheus-alertmanager.service.d/vigia.conf", commands.alertmanager(layout)),
        ):
            assert _flags(_dropped_in(file), places) == _flags(command.words, places), file
            unit = (ROOT / "deploy" / "systemd" / file).read_text()
            assert set(re.findall(r"^Environment=(\w+)=", unit, re.MULTILINE)) == set(command.env), file

    def test_the_container_of_alertmanager_has_them_too(self) -> None:
        text = (ROOT / "services" / "monitor" / "docker-compose.yaml").read_text()
        version = re.search(r"image: prom/alertmanager:v0\.(\d+)\.\d+", text)
        assert version is not None
        assert int(version[1]) >= 26, "counters of mails name their receiver"
        assert '"--enable-feature=receiver-name-in-metrics"' in text
        assert '"--web.external-url=' in text
        assert '"--web.route-prefix=/"' in text
