"""A wall clock for one program under test, which the test sets while it runs; the steady clock goes on as it does."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path


class WallClock:
    """Use: start a program with `env` and call `set_ahead`. Needs the C compiler that the build needs."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "wall-clock"
        library = folder / "wall_clock.so"
        source = Path(__file__).with_name("wall_clock.c")
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True)
        self.set_ahead(0)
        self.env = {"LD_PRELOAD": str(library), "VIGIA_WALL_CLOCK": str(self._file)}

    def set_ahead(self, seconds: int) -> None:
        """By how much the program's wall clock is ahead of the system's from now on. It has the file mapped."""
        with self._file.open("r+b" if self._file.exists() else "wb") as file:
            file.write(struct.pack("=q", seconds))
