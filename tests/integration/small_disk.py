"""A disk that is soon full, for tests that are root."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[None]:
    """The folder is made, and lies on a disk of its own. What runs on it must have ended at the end."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill_disk(ballast: Path) -> None:
    with ballast.open("wb") as file:
        while True:
            try:
                file.write(bytes(65536))
                file.flush()
            except OSError:
                return
