"""A Cassandra node of a test's own, and the program that drives our session on it."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Self

from launcher.cassandra import CassandraNode
from launcher.layout import own_host
from stack import binaries


class OwnCassandra:
    """Started by `with`; killed at its end."""

    def __init__(self, folder: Path, node: CassandraNode | None = None) -> None:
        self.node = node or CassandraNode(folder, own_host())
        self.node.write_configuration()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.kill()  # else it would go on: it has a process group of its own
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Returns when it answers."""
        with (self.node.folder / "output").open("ab") as file:
            process = subprocess.Popen(
                self.node.command(),
                cwd=self.node.folder,
                env={**os.environ, **self.node.environment()},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        self._process = process
        self.node.wait_until_ready(lambda: process.poll() is None)

    def kill(self) -> None:
        """kill -9; what it has acknowledged is on disk."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def hang(self) -> None:
        """It takes connections and answers nothing, until go_on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def exercise(self, *words: object) -> list[str]:
        """The words of libs/cassandra/testing/exercise.cpp; the program's lines."""
        done = subprocess.run(self.exercise_command(*words), check=False, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def exercise_command(self, *words: object) -> list[str]:
        program = binaries() / "vigia-cassandra-exercise"
        return [str(program), self.node.contact_point, *map(str, words)]
