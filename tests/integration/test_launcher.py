"""./vigia itself: what it refuses at once, and what it never touches."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from docker.utils.build import exclude_paths
from launcher import build, commands, demo, log_keeper, log_view, processes, up
from launcher.control import Control, is_sendable
from launcher.layout import Layout, check_port_base, demo_agents, last_port_base, own_host, with_port_base
from launcher.paths import ROOT
from launcher.settings import Settings
from launcher.shell import Failure
from stack import Stack, wait_for


def _vigia(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """As ./vigia runs it, without the look for a Python that comes before."""
    return subprocess.run(
        [sys.executable, "-m", "launcher", *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "tools"), **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


class TestPortBase:
    """D-F5: the collector's own outgoing connection took the port that an agent was to listen on."""

    @pytest.mark.parametrize("base", [34000, 32750, 60999, 32768])
    def test_among_outgoing_ports_it_is_refused(self, base: int) -> None:
        with pytest.raises(Failure, match=r"--port-base .* outgoing connections .* Choose a number from 1024 to 32749"):
            check_port_base(base, (32768, 60999))

    @pytest.mark.parametrize("base", [None, 0, 1024, 20000, 32749, 61000, 65517])
    def test_anywhere_else_it_is_taken(self, base: int | None) -> None:
        check_port_base(base, (32768, 60999))

    @pytest.mark.parametrize("base", [-1, 80, 65518, 70000])
    def test_without_room_it_is_refused(self, base: int) -> None:
        with pytest.raises(Failure, match=r"leaves no room .* Choose a number from 1024 to 32749"):
            check_port_base(base, (32768, 60999))

    def test_up_refuses_before_it_installs_or_builds(self) -> None:
        first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
        done = _vigia("up", "--port-base", str(first + 100))
        assert done.returncode == 1
        assert "outgoing connections" in done.stderr
        assert done.stdout == ""


class TestSettings:
    def test_a_choice_stays_though_that_up_failed_before_it_started_anything(self, tmp_path: Path) -> None:
        settings = Settings(tmp_path / "settings.json")
        settings.choose({"port_base": 20000})
        settings.start()
        settings.choose({"port_base": 21000})  # and then the build fails
        again = Settings(tmp_path / "settings.json")
        assert again.chosen() == {"port_base": 21000}
        assert again.running() == {"port_base": 20000}, "what runs has to be stopped by its own settings"
        again.start()
        assert again.running() == {"port_base": 21000}

    def test_a_file_of_before_is_read(self, tmp_path: Path) -> None:
        file = tmp_path / "settings.json"
        file.write_text('{"port_base": 20000, "node_down_for": "30s"}')
        assert Settings(file).chosen() == Settings(file).running() == {"port_base": 20000, "node_down_for": "30s"}


class TestStatus:
    @staticmethod
    def _start(*names: str) -> None:
        for name in names:
            processes.start(name, ["sleep", "120"])

    def test_of_nothing_says_how_to_start(self, folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert up.status() == 3
        assert capsys.readouterr().out == "Vigía is not running: ./vigia up starts it\n"

    def test_after_an_up_that_was_ended_midway_names_what_never_started(
        self, folders: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Three of twelve ran, and it said "Vigía is running" with 0."""
        (folders / "demo_file.json").write_text("{}")  # of an `up` before
        self._start("webhook", "storage", "alertmanager")
        assert up.status() == 3
        shown = capsys.readouterr().out
        missing = "log-keeper, monitor, prometheus-hot, prometheus-query, router, collector, agent-a1, agent-b1, agent-b2, shop"
        assert f"Vigía is not whole: {missing} do not run; ./vigia up starts them" in shown
        assert "🔴 not started  monitor" in shown
        assert "Vigía is running" not in shown

    def test_a_part_that_ended_is_named_and_the_node_of_an_agent(
        self, folders: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self._start(*commands.names(demo_agents()))
        monitor = processes.find("monitor")
        assert monitor is not None
        os.kill(monitor.pid, signal.SIGKILL)
        wait_for("it has ended", lambda: not processes.is_running(monitor))
        assert up.status() == 3
        shown = capsys.readouterr().out
        assert f"🔴 ended        monitor            pid {monitor.pid}\n" in shown
        assert "Vigía is not whole: monitor does not run; ./vigia up starts it" in shown
        agent = processes.find("agent-b2")
        assert agent is not None
        assert f"agent-b2           pid {agent.pid}  node b-db-01 of cliente-b\n" in shown

    def test_without_log_ins_the_last_up_did_not_come_to_its_end(
        self, folders: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self._start(*commands.names(demo_agents()))
        assert up.status() == 3
        assert "The last ./vigia up did not come to its end" in capsys.readouterr().out


def test_a_wipe_keeps_what_up_was_asked_for(folders: Path) -> None:
    """README: --port-base holds from now on."""
    Settings(up.SETTINGS_FILE).choose({"port_base": 20000})
    (folders / "data" / "monitor.db").touch()
    (folders / "secrets_file.json").touch()
    up.down(wipe=True)
    assert Settings(up.SETTINGS_FILE).chosen() == {"port_base": 20000}
    assert not (folders / "data").exists()
    assert not (folders / "secrets_file.json").exists()


def test_log_ins_that_a_restored_copy_does_not_have_are_told_and_made_again(
    stack: Stack, folders: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.start("monitor")
    copies = stack.layout.data / "monitor.db.state" / "backups"
    wait_for("there is a copy", lambda: list(copies.glob("*.db")))
    file = stack.folder / "secrets.json"
    demo.create(stack.layout, stack.agents, stack.secrets, file)
    content = demo.description(stack.layout, stack.agents, stack.secrets, {})
    demo.save_private(folders / "demo_file.json", content)
    assert demo.gone_log_ins(content) == set()

    stack.stop("monitor")
    command = stack.command("monitor")
    words = [command.words[0], "restore", *command.words[1:], "--from", str(min(copies.glob("*.db")))]
    subprocess.run(words, env={**os.environ, **command.env}, check=True, timeout=60)
    stack.start("monitor")
    assert demo.gone_log_ins(content) == {"cliente-a", "cliente-b"}
    monkeypatch.setattr(up, "_layout", lambda settings: stack.layout)
    TestStatus._start("monitor")  # as far as `status` looks at processes
    up.status()
    shown = capsys.readouterr().out
    assert "user cliente-a    is not there any more: ./vigia up makes it again" in shown
    assert stack.secrets["customers"]["cliente-a"]["password"] not in shown

    demo.create(stack.layout, stack.agents, stack.secrets, file)
    assert demo.gone_log_ins(content) == set()
    customer = content["customers"][0]
    with Control(stack.layout.url("monitor"), customer["user"], customer["password"]) as control:
        assert control.request("GET", "/session")["customer_id"] == customer["id"]


class TestLogs:
    def test_of_several_parts_are_one_by_time(self) -> None:
        router = [
            "ts=2026-11-27T23:58:07.312Z level=info msg=listening",
            "ts=2026-11-27T23:59:00.000Z msg=late",
            "  more of it",
        ]
        hot = ["time=2026-11-27T23:58:08.000Z level=INFO msg=ready"]
        assert log_view.merged({"router": router, "hot": hot, "shop": ["no time"]}) == [
            f"router | {router[0]}",
            f"hot    | {hot[0]}",
            f"router | {router[1]}",
            f"router | {router[2]}",
            "shop   | no time",
        ]

    def test_of_the_webhook_say_that_nothing_came_and_have_a_time_when_it_did(
        self, stack: Stack, folders: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        stack.start("webhook")
        monkeypatch.setattr(up, "LOG", stack.folder / "log")
        up.logs(["webhook"], follow=False, lines=40)
        assert capsys.readouterr().out == "no alert has arrived yet\n"
        labels = {"severity": "critical", "alertname": "CustomerNodeDown", "customer_id": "a", "node_id": "n"}
        alert = {"status": "firing", "labels": labels, "annotations": {"summary": "caído", "summary_en": "is down"}}
        requests.post(stack.layout.url("webhook"), json={"alerts": [alert]}, timeout=5).raise_for_status()
        (stack.folder / "log" / "later.log").write_text("ts=9999-01-01T00:00:00.000Z later\n")
        up.logs([], follow=False, lines=40)
        first, second = capsys.readouterr().out.splitlines()
        assert re.fullmatch(
            r"webhook \| ts=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z firing   critical CustomerNodeDown a/n: is down",
            first,
        )
        assert second.startswith("later")

    def test_end_where_they_end(self, tmp_path: Path) -> None:
        file = tmp_path / "a.log"
        file.write_text("1\n2\n3\n")
        assert log_view.tail(file, 2) == ["2", "3"]
        assert log_view.tail(file, 0) == []


class TestLogsAreBounded:
    """7 MB of one customer's duplicates made 836 MB of hot's log in two minutes."""

    def test_of_a_large_one_the_end_is_kept_and_what_is_written_next_stands_alone(self, tmp_path: Path) -> None:
        file = tmp_path / "prometheus-hot.log"
        with file.open("ab", buffering=0) as part:  # as processes.start opens it
            part.write(b"".join(b"line %02d\n" % n for n in range(20)))
            assert not log_keeper.cut_if_large(file, 8 * 20)
            part.write(b"line 20\n")
            assert log_keeper.cut_if_large(file, 8 * 3 + 2)
            assert file.stat().st_size == 0
            assert log_keeper.earlier(file).read_text() == "line 18\nline 19\nline 20\n"
            part.write(b"next\n")
        assert file.read_text() == "next\n"

    def test_where_nothing_can_be_kept_it_is_cut_all_the_same(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        large, small = tmp_path / "a.log", tmp_path / "b.log"
        large.write_text("x" * 100)
        small.write_text("x" * 10)
        log_keeper.earlier(large).mkdir()  # in the way, as on a full disk
        log_keeper.look(tmp_path, 50)
        assert large.stat().st_size == 0
        assert small.stat().st_size == 10
        assert "a.log is cut without a copy" in capsys.readouterr().err
        assert sorted(file.name for file in tmp_path.iterdir()) == ["a.log", "a.log.1", "b.log"]

    def test_of_a_running_part_by_the_process_that_up_starts(self, folders: Path) -> None:
        script = f"import sys, time\nfor n in range({log_keeper.FILE_BYTES_MAX >> 10} + 100): print(n, 'x' * 1024)\n"
        script += "sys.stdout.flush(); time.sleep(120)"
        up._keep_logs()
        up._keep_logs()
        assert [process.name for process in processes.known()] == [log_keeper.NAME]
        processes.start("flood", [sys.executable, "-c", script])
        file = folders / "log" / "flood.log"
        wait_for("it is cut", lambda: log_keeper.earlier(file).exists() and file.stat().st_size < 1 << 20)
        assert log_keeper.earlier(file).stat().st_size <= log_keeper.FILE_BYTES_MAX + (1 << 20)


class TestTokensOfAFreshUp:
    """Two agents warned at each first `up`: they were there before the collector knew their customers."""

    def test_are_waited_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[str] = []

        def is_sendable(collector: str, token: str) -> bool:
            assert collector == "http://127.0.0.1:4318"
            asked.append(token)
            return token == "a" or asked.count(token) > 2

        monkeypatch.setattr(demo, "is_sendable", is_sendable)
        layout = Layout(config=Path("config"), data=Path("data"))
        kept = {"customers": {"cliente-a": {"ingest_token": "a"}, "cliente-b": {"ingest_token": "b"}}}
        assert demo.wait_for_tokens(layout, kept)
        assert asked == ["a", "b", "b", "b"]
        assert not demo.wait_for_tokens(layout, {"customers": {"c": {"ingest_token": "c"}}}, seconds=0)

    def test_that_the_collector_takes_is_asked_by_an_export_of_nothing(self, stack: Stack) -> None:
        stack.start("storage", "monitor", "collector")
        assert not is_sendable(stack.layout.url("collector_http"), "nobody's")
        demo.create(stack.layout, stack.agents, stack.secrets, stack.folder / "secrets.json")
        assert demo.wait_for_tokens(stack.layout, stack.secrets)


def test_the_help_names_the_ports_that_are_taken() -> None:
    words = " ".join(_vigia("up", "--help").stdout.split())
    assert f"a number from 1024 to {last_port_base()}" in words


def test_an_environment_that_is_a_link_to_nowhere_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = tmp_path / "venv"
    link.symlink_to(tmp_path / "gone")
    monkeypatch.setattr(build, "VENV", link)
    with pytest.raises(Failure, match=r"venv is a link to .*gone, which is not there: remove the link"):
        build.python_environment()


def test_a_build_folder_whose_programs_are_gone_is_configured_anew(tmp_path: Path) -> None:
    """ninja had moved: every `up` failed at the cache that still named its old place."""
    ninja = tmp_path / "ninja"
    cache = (
        f"//Program used to build from build.ninja files.\nCMAKE_MAKE_PROGRAM:FILEPATH={ninja}\n"
        f"CMAKE_CXX_COMPILER:FILEPATH={sys.executable}\nCMAKE_GENERATOR:INTERNAL=Ninja\n"
    )
    assert build.gone_tools(cache) == [str(ninja)]
    ninja.touch()
    assert build.gone_tools(cache) == []


def test_a_check_is_done_again_where_it_failed_or_a_file_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "STATE", tmp_path)
    file = tmp_path / "page.tsx"
    file.write_text("one")

    def fails() -> None:
        raise Failure("a fault in page.tsx")

    for _ in range(2):
        with pytest.raises(Failure):
            build.unless_unchanged("checked", [file], fails)
    done: list[str] = []

    def look() -> bool:
        return build.unless_unchanged("checked", [file], lambda: done.append(file.read_text()))

    assert [look(), look()] == [True, False]
    file.write_text("two")
    with pytest.raises(Failure):
        build.unless_unchanged("checked", [file], fails)
    assert [look(), look()] == [True, False]
    assert done == ["one", "two"]


def test_checks_of_the_portal_hang_on_its_sources_rules_and_contract() -> None:
    names = {str(file.relative_to(ROOT)) for file in build.portal_files()}
    tracked = subprocess.run(["git", "ls-files", "portal"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert names >= {*tracked.stdout.split(), "docs/api/openapi.yaml"}
    assert not [name for name in names if "node_modules" in name or "/dist/" in name or name.endswith("schema.d.ts")]


def test_an_unknown_step_is_named_at_once() -> None:
    done = _vigia("test", "unti")
    assert done.returncode == 1
    assert "no such step: unti; there are lint, unit, portal, integration, browser" in done.stderr
    assert done.stdout == "", "nothing is installed for it"


@pytest.mark.parametrize("words", [["--version"], ["version"]])
def test_the_version_is_the_programs(words: list[str]) -> None:
    shown = _vigia(*words).stdout.strip()
    program = subprocess.run(
        [ROOT / "build" / "release" / "bin" / "vigia-router", "--version"], capture_output=True, text=True, check=True
    ).stdout
    assert shown.startswith("Vigía ")
    assert shown.removeprefix("Vigía ") in program


def test_parts_end_in_reverse_of_their_order_whenever_they_were_started() -> None:
    names = ["agent-a1", "collector", "shop", "storage", "router", "webhook", "agent-b1", "prometheus-hot", "monitor"]
    ended = sorted(names, key=commands.rank, reverse=True)
    assert ended[0] == "shop"
    assert ended.index("agent-a1") < ended.index("collector") < ended.index("router") < ended.index("prometheus-hot")
    assert ended[-2:] == ["storage", "webhook"]


def test_programs_that_a_person_started_on_our_files_are_seen(tmp_path: Path) -> None:
    """`down --wipe` deleted the buffer under an agent that went on running."""
    words = [sys.executable, "-c", "import sys; sys.stdin.read()", "--config", "agent-a2.yaml"]
    with subprocess.Popen(words, cwd=tmp_path, stdin=subprocess.PIPE) as agent:
        wait_for("it is seen", lambda: list(processes.strangers_with(tmp_path)) == [agent.pid])
        assert processes.strangers_with(tmp_path / "elsewhere") == {}
        agent.kill()


def test_addresses_of_stacks_differ() -> None:
    hosts = {own_host() for _ in range(20)}
    assert len(hosts) > 15
    assert all(host.startswith("127.") for host in hosts)
    assert with_port_base(None)["monitor"] == 8090


class TestBuildContext:
    """C-B12: what `docker compose build` sends to a daemon."""

    PATTERNS = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]

    @staticmethod
    def _plant(folder: Path, *names: str) -> None:
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("x")

    def _sent(self, folder: Path) -> set[str]:
        return {name for name in exclude_paths(str(folder), self.PATTERNS) if (folder / name).is_file()}

    def test_no_secret_or_state_goes_along(self, tmp_path: Path) -> None:
        self._plant(
            tmp_path,
            *(".vigia/secrets.json", "agent-a2.yaml", "x.env", "deploy/y.env", "customers.yaml", "data/monitor.db"),
            *(
                "build/release/log/0001.segment",
                "build/dev/bin/vigia-agent",
                "services/monitor/monitor.db.state/anchor",
            ),
            *("build/release/bin/secrets.json", "portal/node_modules/a/index.js", "id_rsa"),
        )
        assert self._sent(tmp_path) == set()

    def test_all_that_the_dockerfiles_copy_goes_along(self, tmp_path: Path) -> None:
        copied = []
        for dockerfile in ROOT.glob("services/*/Dockerfile"):
            copied += re.findall(r"^COPY (?!--from)(\S+) ", dockerfile.read_text(), re.MULTILINE)
        assert len(copied) > 3
        files = {name if Path(name).name.startswith("vigia-") else f"{name}/assets/index.js" for name in copied}
        self._plant(tmp_path, *files)
        assert self._sent(tmp_path) == files
