"""A Cassandra node of a test's own, and the program that drives our session on it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Self

from launcher.cassandra import CassandraNode
from launcher.layout import own_host
from stack import binaries

_MEMORY = Path("/dev/shm")
# A node that is never killed need not bring each change of its tables to its disk: forty tables in a quarter of the time.
# It serves many tests: each one's forty tables take some 30 MiB of its heap.
_NEVER_KILLED = ["-Dcassandra.unsafesystem=true", "-Xmx1536m"]


class OwnCassandra:
    """Started by `with`; killed at its end, and gone with all that it had but its log, which lies in `folder`.

    What it keeps lies in memory, which outlives a kill as a disk does. `is_killed`: tests kill and start it again, so that it
    has to know its tables afterwards.
    """

    def __init__(self, folder: Path, node: CassandraNode | None = None, *, is_killed: bool = True) -> None:
        self._is_killed = is_killed
        self._kept: Path | None = None
        if node is None:
            self._kept = Path(tempfile.mkdtemp(prefix="vigia-cassandra-", dir=_MEMORY if _MEMORY.is_dir() else None))
            node = CassandraNode(self._kept, own_host(), log=folder / "system.log")
        self.node = node
        self.node.write_configuration()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.__exit__()  # else it would go on: it has a process group of its own
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        if self._kept is not None:
            shutil.rmtree(self._kept)

    def start(self) -> None:
        """Returns when it answers."""
        *words, main_class = self.node.command()
        with (self.node.folder / "output").open("ab") as file:
            process = subprocess.Popen(
                [*words, *([] if self._is_killed else _NEVER_KILLED), main_class],
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
