"""kill -9 at named points: the program kills itself at a write of RocksDB's log whose first row is of a certain kind."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple

# A record of the log (7 bytes before it, 11 where its file is used again) is a batch: 12 bytes, then rows of a tag, the number
# of the family and the key. Families have their numbers from docs/formats/cold-store.md.
_SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
enum { kPut = 5, kDelete = 4, kDue = 8 };
static const char *kind_of(const unsigned char *bytes, size_t size) {
  if (size < 32) return "";
  const unsigned char *batch = bytes + (bytes[6] >= 5 ? 11 : 7);
  unsigned tag = batch[12], family = batch[13];
  if (tag == kPut && family == 5) return "windows_5m";
  if (tag == kPut && family == 6) return "windows_1h";
  if (tag == kPut && family == 7) return "windows_1d";
  if (tag == kDelete && family == kDue) return "done";
  if (tag != kPut || family != kDue) return "";
  return memcmp(batch + 15, "\0\0\0\0note", 8) == 0 ? "note" : "mark";
}
static int is_log(int file) {
  char name[64], path[4096];
  snprintf(name, sizeof name, "/proc/self/fd/%d", file);
  ssize_t size = readlink(name, path, sizeof path - 1);
  if (size < 4) return 0;
  path[size] = 0;
  return strstr(path, "/wal/") == 0 && strcmp(path + size - 4, ".log") == 0;  // in wal/ lies another
}
static void die(const char *told) {
  int file = open(getenv("STOP_TOLD"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  syscall(SYS_write, file, told, strlen(told));
  kill(getpid(), SIGKILL);
  for (;;) pause();
}
ssize_t write(int file, const void *bytes, size_t size) {
  static int left = -1;
  static char kind[32], moment[32];
  if (left < 0) sscanf(getenv("STOP_AT"), "%31[^:]:%31[^:]:%d", kind, moment, &left);
  int is_it = strcmp(kind_of(bytes, size), kind) == 0 && is_log(file) && left > 0 && --left == 0;
  if (is_it && strcmp(moment, "before") == 0) die(getenv("STOP_AT"));
  if (is_it && strcmp(moment, "torn") == 0) size /= 2;
  ssize_t written = syscall(SYS_write, file, bytes, size);
  if (is_it) die(getenv("STOP_AT"));
  return written;
}
"""


class Stop(NamedTuple):
    kind: str  # "windows_5m", "windows_1h", "windows_1d", "done", "note", "mark": what the record holds first
    moment: str  # "before", "torn" (half of the record is written), "after"
    number: int = 1  # of such records, this one

    def __str__(self) -> str:
        return f"{self.kind}:{self.moment}:{self.number}"


class Stops:
    """Programs that get its environment die where they are told to, and leave word of it."""

    def __init__(self, folder: Path) -> None:
        source, self.library, self.told_file = folder / "stops.c", folder / "stops.so", folder / "stop-told"
        source.write_text(_SHIM)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", str(self.library), str(source), "-ldl"], check=True)

    def environment(self, stop: Stop) -> dict[str, str]:
        self.told_file.unlink(missing_ok=True)
        return {"LD_PRELOAD": str(self.library), "STOP_AT": str(stop), "STOP_TOLD": str(self.told_file)}

    def told(self) -> str:
        """Where the program died by its own hand; "" where it did not."""
        return self.told_file.read_text() if self.told_file.exists() else ""
