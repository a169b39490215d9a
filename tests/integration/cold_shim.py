"""Ends a program by kill -9 at a point with a name, moves its steady clock, and takes away what it has not synced (cold_shim.c). The
program itself knows nothing of it."""

from __future__ import annotations

import mmap
import os
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

_CONTROL = struct.Struct("=qqq16s88s16s")
_BEFORE, _BEHIND, _TORN = range(3)


@dataclass(frozen=True)
class Point:
    """A call on a file whose path matches, before or behind which the program ends, or within it."""

    operation: str  # sync, write, rename, unlink
    path: str
    is_behind: bool = False
    is_torn: bool = False  # half of a write is done
    first: str = ""  # of a write of RocksDB's log what its first row is: "windows", "done", "note", "mark"


# What storage does on its way, in the order in which it does it.
POINTS = {
    "log record written": Point("write", "*/wal/segment-*", is_behind=True),
    "log record before its sync": Point("sync", "*/wal/segment-*"),
    "log record synced": Point("sync", "*/wal/segment-*", is_behind=True),
    "row before it is written": Point("write", "*/storage/[0-9]*.log"),
    "row written before its sync": Point("sync", "*/storage/[0-9]*.log"),
    "row synced": Point("sync", "*/storage/[0-9]*.log", is_behind=True),
    "mark of what is synced": Point("write", "*/vigia-mark", is_behind=True),
    "table before its sync": Point("sync", "*.sst"),
    "table synced": Point("sync", "*.sst", is_behind=True),
    "manifest before its sync": Point("sync", "*/MANIFEST-*"),
    "manifest synced": Point("sync", "*/MANIFEST-*", is_behind=True),
    "copy of the manifest written": Point("write", "*/vigia-manifest-*", is_behind=True),
    "copy of the manifest synced": Point("sync", "*/vigia-manifest-*", is_behind=True),
    "sweep: before the log's cursor is kept": Point("sync", "*/wal/cursors*"),
    "sweep: the log's cursor is kept": Point("sync", "*/wal/cursors*", is_behind=True),
    "sweep: a segment of the log goes": Point("unlink", "*/wal/segment-*"),
    "expiry: before its time is kept": Point("rename", "*/vigia-retention"),
    "expiry: its time is kept": Point("rename", "*/vigia-retention", is_behind=True),
    "expiry: days have gone": Point("write", "*/storage/[0-9]*.log", is_behind=True),
}


class ColdShim:
    """Of the programs that get its environment, one at a time."""

    def __init__(self, folder: Path) -> None:
        self._library, self._file = folder / "cold_shim.so", folder / "cold_shim"
        source = Path(__file__).with_name("cold_shim.c")
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", str(self._library), str(source), "-ldl"], check=True)
        self._file.write_bytes(bytes(_CONTROL.size))
        self._synced = folder / "cold_synced"
        self._steady_ahead = 0

    def environment(self, *others: str) -> dict[str, str]:
        """`others`: further libraries that are loaded before the program's."""
        libraries = ":".join([str(self._library), *others])
        return {"LD_PRELOAD": libraries, "VIGIA_COLD_SHIM": str(self._file), "VIGIA_COLD_SYNCED": str(self._synced)}

    def arm(self, point: Point, count: int) -> None:
        """The program ends with the `count`th such call from now on."""
        self._put(0, point)
        self._put(count, point)

    def disarm(self) -> None:
        self._put(0, Point("", ""))

    def left(self) -> int:
        """Calls until it ends."""
        with self._file.open("r+b") as file, mmap.mmap(file.fileno(), _CONTROL.size) as mapped:
            return int(_CONTROL.unpack(mapped[:])[1])

    def pass_time(self, seconds: int) -> None:
        """The steady clock is ahead by so much more; what is waited for still is."""
        self._steady_ahead += seconds
        with self._file.open("r+b") as file, mmap.mmap(file.fileno(), _CONTROL.size) as mapped:
            mapped[:8] = struct.pack("=q", self._steady_ahead)

    def lose_power(self, folder: Path) -> int:
        """Cuts the folder's files to what was synced of them, as when the machine has lost its power; names stay, and what was
        written over. How many bytes went. No program may run there, and none may have written there without this."""
        synced: dict[int, int] = {}
        for line in self._synced.read_text().splitlines():
            inode, size = map(int, line.split())
            synced[inode] = max(size, synced.get(inode, 0)) if size >= 0 else 0
        lost = 0
        for path in (path for path in folder.rglob("*") if path.is_file()):
            status = path.stat()
            kept = min(status.st_size, synced.get(status.st_ino, 0))
            lost += status.st_size - kept
            os.truncate(path, kept)
        return lost

    def _put(self, left: int, point: Point) -> None:
        moment = _TORN if point.is_torn else _BEHIND if point.is_behind else _BEFORE
        texts = [text.encode() for text in (point.operation, point.path, point.first)]
        packed = _CONTROL.pack(self._steady_ahead, left, moment, *texts)
        with self._file.open("r+b") as file, mmap.mmap(file.fileno(), _CONTROL.size) as mapped:
            mapped[:] = packed
