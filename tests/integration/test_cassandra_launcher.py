"""What a Cassandra node needs of the machine is named where it is missing, and installed only for who asks."""

from __future__ import annotations

from pathlib import Path

import pytest
from launcher import cassandra, packages
from launcher.shell import Failure


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
