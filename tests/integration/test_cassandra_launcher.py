"""`./vigia up --cassandra`: its node, what that needs of the machine, and that no data seem to be gone by a choice."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cold_store import TOKEN
from launcher import build, cassandra, commands, configuration, packages, parts, processes, up
from launcher.layout import Layout, demo_agents, own_host, taken_addresses
from launcher.settings import Settings
from launcher.shell import Failure
from remote_read import SAMPLES, post_read, read_request, samples_of
from remote_write import write
from stack import binaries

SECRETS = {"internal_token": "secret", "admin_password": "unused"}


def script(place: Path, text: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f"#!/bin/sh\n{text}\n")
    place.chmod(0o755)


def test_only_who_asks_for_cassandra_gets_its_packages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # no command is there: all that are wanted where one is absent are named
    without, backports = packages._wanted(with_cassandra=False)
    with_it, same = packages._wanted(with_cassandra=True)
    assert set(with_it) - set(without) == {"cargo-web", "openjdk-17-jre-headless", "maven"}
    assert "nodejs" in without
    assert backports == same


def test_a_java_that_cassandra_does_not_run_on_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script(tmp_path / "java", "echo 'openjdk version \"25.0.1\" 2025-10-21' >&2")
    monkeypatch.setenv("VIGIA_JAVA", str(tmp_path / "java"))
    monkeypatch.setattr(cassandra, "JAVA_VERSIONS", ("9",))
    with pytest.raises(Failure, match=r"needs Java 9 .*VIGIA_JAVA"):
        cassandra.java()
    script(tmp_path / "java", "echo 'openjdk version \"9.0.15\"' >&2")
    assert cassandra.java() == tmp_path / "java"


def test_jars_without_maven_say_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(Failure, match="Debian: maven"):
        cassandra.jars()


def test_jars_that_are_there_are_not_fetched_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script(tmp_path / "bin" / "mvn", "exit 1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(Failure, match="fetching Cassandra by Maven"):
        cassandra.jars()
    (tmp_path / "vigia" / "cassandra" / cassandra.version()).mkdir()
    assert cassandra.jars().name == cassandra.version()


def test_a_node_that_ends_is_told_with_its_log(tmp_path: Path) -> None:
    node = cassandra.CassandraNode(tmp_path, "127.0.0.1", 1)
    node.write_configuration()
    node.log.write_text("first\nPort 9042 is taken\n")
    with pytest.raises(Failure, match="has ended:\nfirst\nPort 9042 is taken"):
        node.wait_until_ready(lambda: False)


@contextlib.contextmanager
def listening(host: str, port: int) -> Iterator[None]:
    with socket.create_server((host, port)):
        yield


def of_demo(folder: Path, *, with_cassandra: bool = True) -> Layout:
    config, data = folder / "config", folder / "data"
    return Layout(config=config, data=data, host=own_host(), with_cassandra=with_cassandra)


@pytest.fixture
def nothing_is_done(folders: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An `up` that comes as far as this has decided what it does."""

    def refuse(**_: object) -> None:
        raise Failure("it would be done")

    monkeypatch.setattr(up, "_prepare", refuse)
    monkeypatch.setattr(up, "_check_free", lambda *_: None)
    monkeypatch.setattr(up, "make_state_folders", lambda: None)
    return folders


class TestTheChoiceOfAStore:
    @staticmethod
    def _up(with_cassandra: bool | None) -> str:
        with pytest.raises(Failure) as failure:
            up.up(port_base=None, node_down_for=None, with_cassandra=with_cassandra)
        return str(failure.value)

    def test_stays_until_it_is_asked_for_another(self, nothing_is_done: Path) -> None:
        for asked, chosen in ((None, False), (True, True), (None, True), (False, False)):
            assert self._up(asked) == "it would be done"
            assert up._layout(Settings(up.SETTINGS_FILE).chosen()).with_cassandra is chosen

    @pytest.mark.parametrize("was_cassandra", [False, True])
    def test_that_would_leave_data_behind_is_refused_and_not_remembered(
        self, nothing_is_done: Path, was_cassandra: bool
    ) -> None:
        layout = dataclasses.replace(up._layout({}), with_cassandra=was_cassandra)
        folder = configuration.storage_folder(layout)
        folder.mkdir()
        (folder / "segment").write_text("samples")
        said = self._up(not was_cassandra)
        kept, back = ("Cassandra", "--cassandra") if was_cassandra else ("RocksDB", "--no-cassandra")
        assert f"is on {kept}, and up copies nothing" in said
        assert f"./vigia up {back} goes on with it; ./vigia down --wipe deletes all data" in said
        assert Settings(up.SETTINGS_FILE).chosen() == {}
        assert (folder / "segment").read_text() == "samples"
        assert self._up(was_cassandra) == "it would be done"
        assert self._up(None) == "it would be done", "who does not name it keeps to what there is"

    def test_of_data_whose_settings_were_lost_is_asked_for(self, nothing_is_done: Path) -> None:
        configuration.storage_folder(dataclasses.replace(up._layout({}), with_cassandra=True)).mkdir()
        assert "./vigia up --cassandra goes on with it" in self._up(None)

    @pytest.mark.parametrize("with_cassandra", [False, True])
    def test_is_read_by_storage(self, tmp_path: Path, with_cassandra: bool) -> None:
        layout = of_demo(tmp_path, with_cassandra=with_cassandra)
        configuration.write_all(layout, [], "secret", tmp_path)
        words = [str(binaries() / "vigia-storage"), "--config", str(layout.config / "storage.yaml"), "--check-config"]
        env = {**os.environ, "VIGIA_INTERNAL_TOKEN": "secret"}
        done = subprocess.run(words, env=env, check=False, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr

    def test_decides_which_ports_must_be_free_and_which_parts_there_are(self, tmp_path: Path) -> None:
        layout = of_demo(tmp_path)
        with listening(layout.host, layout.ports["cassandra"]):
            assert taken_addresses(layout, []) == [f"{layout.address('cassandra')} (cassandra)"]
            assert taken_addresses(dataclasses.replace(layout, with_cassandra=False), []) == []
        assert set(commands.names([], with_cassandra=True)) - set(commands.names([])) == {"cassandra"}
        names = ["storage", "cassandra", "log-keeper", "collector"]
        assert sorted(names, key=commands.rank, reverse=True) == ["collector", "storage", "cassandra", "log-keeper"]

    def test_is_seen_by_status(self, folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
        Settings(up.SETTINGS_FILE).choose({"with_cassandra": True})
        Settings(up.SETTINGS_FILE).start()
        for name in commands.names(demo_agents()):
            processes.start(name, ["sleep", "120"])
        assert up.status() == 3
        shown = capsys.readouterr().out
        assert "🔴 not started  cassandra" in shown
        assert "Vigía is not whole: cassandra does not run; ./vigia up starts it" in shown


def test_what_is_missing_is_said_before_the_minutes_of_a_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "install", lambda **_: None)
    monkeypatch.setattr(parts, "install", lambda: None)
    monkeypatch.setattr(cassandra, "JAVA_VERSIONS", ())

    def too_late(*_: object, **__: object) -> None:
        raise AssertionError("it builds")

    monkeypatch.setattr(build, "programs", too_late)
    with pytest.raises(Failure, match="Debian: openjdk-17-jre-headless"):
        up._prepare(with_cassandra=True)


class Demo:
    """The node and storage of an `up --cassandra`, without the rest."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.headers = {**TOKEN, "X-Vigia-Customer": "cliente-a"}

    def up(self) -> None:
        configuration.write_all(self.layout, [], "secret", self.layout.config)
        up._start_cassandra(self.layout)
        storage = next(one for one in commands.central(self.layout, binaries(), SECRETS) if one.name == "storage")
        up._start(storage)

    def write(self, times: range) -> None:
        for ms in times:
            write(
                self.layout.url("storage"),
                [({"__name__": "probe", "customer_id": "cliente-a"}, [(ms, 7.0)])],
                self.headers,
            )

    def read(self) -> dict[int, float]:
        answer = post_read(self.layout.url("storage"), read_request([("probe", 0, 2**62)]), SAMPLES, self.headers)
        assert answer.status_code == 200, answer.text
        return next(iter(samples_of(answer).values()), {})


@pytest.mark.cassandra
def test_what_is_stored_stays_over_down_and_up_and_with_other_ports(
    folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Four hours, so that chunks are closed into the cluster; down, up, on other ports."""
    demo = Demo(of_demo(folders))
    demo.up()
    now = int(time.time()) * 1000
    times = range(now - 4 * 3_600_000, now, 60_000)
    demo.write(times)
    wanted = dict.fromkeys(times, 7.0)
    assert demo.read() == wanted
    node = processes.find("cassandra")
    assert node is not None
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{node.pid}/status").read_text())
    assert peak is not None
    assert int(peak[1]) < 1300 << 10, "its memory is bounded"
    up.logs(["cassandra"], follow=False, lines=5)
    shown = capsys.readouterr().out
    assert re.search(r"^ts=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (INFO|WARN)", shown, re.MULTILINE)

    up.down(wipe=False)
    assert processes.known() == []
    ports = {name: port + 10_000 for name, port in demo.layout.ports.items()}
    again = Demo(dataclasses.replace(demo.layout, ports=ports))
    again.up()
    assert again.read() == wanted
    again.write(range(now, now + 60_000, 60_000))
    assert again.read() == wanted | {now: 7.0}


@pytest.mark.cassandra
def test_a_node_whose_port_is_taken_is_told_with_its_log(folders: Path) -> None:
    demo = Demo(of_demo(folders))
    with listening(demo.layout.host, demo.layout.ports["cassandra_nodes"]), pytest.raises(Failure, match="has ended"):
        demo.up()
