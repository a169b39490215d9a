"""Processor time of other processes, to the nanosecond: /proc counts in hundredths of a second, which is a hundred queries."""

from __future__ import annotations

import time

_WHOLE_PROCESS = 2  # CPUCLOCK_SCHED, as clock_getcpuclockid(3) makes an id of a pid


def cpu_seconds(pid: int) -> float:
    return time.clock_gettime((~pid << 3) | _WHOLE_PROCESS)
