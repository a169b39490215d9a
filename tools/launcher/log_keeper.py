"""Keeps what `./vigia up` logs from filling the disk: a process of its own, for the parts outlive ./vigia.

What customers send makes others write: Prometheus writes a line, with all labels, of each request that it refuses. Parts
append to files that are opened so (processes.start), so that a file can be cut under them: what they write next is at its
new end. A pipe into a writer would do without the look each second, and would stop every part where the writer ends.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import time
from pathlib import Path

FILE_BYTES_MAX = 16 << 20
LOOK_SECONDS = 1.0
NAME = "log-keeper"


def earlier(file: Path) -> Path:
    """Where what was cut from a log lies: one such file of each."""
    return file.with_name(f"{file.name}.1")


def _draft(file: Path) -> Path:
    return file.with_name(f"{file.name}.draft")


def cut_if_large(file: Path, bytes_max: int = FILE_BYTES_MAX) -> bool:
    """Cuts a log that has grown over its bound; of what it held the last `bytes_max` are kept beside it.

    What is written between copy and cut is lost, some lines at most of a log that is flooded anyway.
    """
    size = file.stat().st_size
    if size <= bytes_max:
        return False
    draft = _draft(file)
    with file.open("rb") as source, draft.open("wb") as target:
        source.seek(size - bytes_max)
        source.readline()  # the rest of one
        shutil.copyfileobj(source, target)
    draft.replace(earlier(file))
    os.truncate(file, 0)
    return True


def look(folder: Path, bytes_max: int = FILE_BYTES_MAX) -> None:
    """One look at all logs."""
    for file in folder.glob("*.log"):
        try:
            cut_if_large(file, bytes_max)
        except OSError as problem:
            # Room before history: on a full disk there is none for the copy.
            print(f"{file.name} is cut without a copy: {problem}", file=sys.stderr, flush=True)
            with contextlib.suppress(OSError):  # gone, by a wipe
                os.truncate(file, 0)
                _draft(file).unlink(missing_ok=True)


def main() -> None:
    folder = Path(sys.argv[1])
    while folder.is_dir():
        look(folder)
        time.sleep(LOOK_SECONDS)


if __name__ == "__main__":
    main()
