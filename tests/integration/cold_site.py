"""A cold store whose clocks, kills and retention a walk moves; what it has acknowledged goes into the model."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import requests
from cold_model import DAY_MS, Customer, Model, Request, Value
from cold_questions import Questions, check_folder, headers_of
from cold_shim import POINTS, ColdShim
from cold_store import TOKEN, StorageAlone
from cold_values import Native, sample_message
from otlp import log_request, post
from remote_write import series_bytes, write_bytes
from stack import binaries, wait_for
from wall_clock import WallClock

CUSTOMERS = ("cliente-a", "cliente-b", "cliente-c")
CLOCKS = 5  # more than half of all who write
ENDED_SECONDS = 20
CONFIG = """
listen: {host}:9096
metrics: {{listen: "{host}:9196"}}
internal_token: secret
store: {{rocksdb: {{directory: "{folder}"}}}}
exemplars_per_minute: 10000
retention: {{raw: {raw}d, rollup_5m: off, rollup_1h: off, rollup_1d: off, traces: {traces}d, logs: {logs}d, interval: {interval}s}}
"""


class ColdSite:
    """The program, its clocks and its model. While it is `doomed` a request need not be answered."""

    points = POINTS  # of its way

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.wall, self.shim = WallClock(folder), ColdShim(folder)
        environment = self.wall.env | self.shim.environment(self.wall.env["LD_PRELOAD"])
        self.storage = StorageAlone(folder, environment)
        self.folder = self.storage.folder
        self.model = Model()
        self.ask = Questions(self.storage.url, self.model)
        self.begin_ms = int(time.time()) * 1000
        self.ahead_s = 0  # of the wall clock
        self.keep = {"raw": 12, "traces": 10, "logs": 11}  # days
        self.is_doomed = False
        self.is_expiring = True  # from the next start on time or retention is another

    def now_ms(self) -> int:
        return int(time.time() * 1000) + self.ahead_s * 1000

    def day_ms(self, days_ago: int) -> tuple[int, int]:
        """A stretch of 18 hours, so many days before the walk's begin. No day that is kept ends in it."""
        start = self.begin_ms - days_ago * DAY_MS
        return start + DAY_MS // 8, start + DAY_MS // 8 * 7

    # Its life

    def start(self, interval: int = 1) -> None:
        """Expiry is looked for so often, in seconds."""
        self.storage.config.write_text(self.configuration(interval))
        self.shim.disarm()
        self.storage.start()
        wait_for("answers are whole", self.is_whole)
        self.is_doomed = False
        self.tell_time()
        if self.is_expiring and interval == 1:
            self._await_expiry()

    def configuration(self, interval: int) -> str:
        return CONFIG.format(host=self.storage.host, folder=self.folder, interval=interval, **self.keep)

    def is_whole(self) -> bool:
        """A kill may leave tables that nothing leads to (of a compaction that was not ended): until their rows, and those of the
        index, are written anew answers warn."""
        answers = [requests.get(f"{self.storage.url}/health", headers=headers_of(one), timeout=10) for one in CUSTOMERS]
        return not any("X-Vigia-Incomplete" in answer.headers for answer in answers)

    def settle(self) -> None:
        """What was never answered is there now, or never will be."""
        self.ask.all(CUSTOMERS, is_settled=True)

    def kill(self) -> None:
        self.storage.kill()

    def lose_power(self) -> int:
        """After a kill: what was not synced is gone, too."""
        return self.shim.lose_power(self.folder)

    def await_end(self) -> None:
        """Of one that is to end by itself, at a named point."""
        running = self.storage.running
        assert running is not None
        wait_for("it ends at its point", lambda: not running.is_running(), ENDED_SECONDS, every=0.01)
        self.storage.kill()

    def await_ready_or_end(self) -> None:
        running = self.storage.running
        assert running is not None
        ready = f"{self.storage.url}/ready"

        def is_so() -> bool:
            return not running.is_running() or requests.get(ready, timeout=2).status_code == 200

        wait_for("it is ready, or has ended", is_so, ENDED_SECONDS, every=0.02)

    def await_point(self, seconds: float) -> None:
        """Whether it comes to it or not; what has no point to come to gets the time for its turns."""
        deadline = time.monotonic() + seconds
        while (not self.is_doomed or self.shim.left() > 0) and time.monotonic() < deadline:
            time.sleep(0.02)

    def stop(self) -> None:
        assert self.storage.stop() == 0

    def move_on(self, days: int, keep: dict[str, int]) -> None:
        """From the next start on it is so many days later, with another retention: what is too old is gone then."""
        self.ahead_s += days * (DAY_MS // 1000)
        self.wall.set_ahead(self.ahead_s)
        self.keep, self.is_expiring = keep, True
        self._note_kept(self.now_ms())

    def begin_day(self, keep: dict[str, int]) -> None:
        """Starts it a day later, in the seconds before its first look for what has expired."""
        self.kill()
        self.move_on(1, keep)
        self.start(interval=4)

    def pass_minutes(self, minutes: int) -> None:
        """Of both clocks: what waits so long in memory goes into the store."""
        self.ahead_s += minutes * 60
        self.wall.set_ahead(self.ahead_s)
        self.shim.pass_time(minutes * 60)
        self.tell_time()

    def tell_time(self) -> None:
        """What time it is, it believes by what comes in, too: by log records of customers whom nobody asks for."""
        for number in range(CLOCKS):
            line = log_request({"customer.id": f"clock-{number}", "service.name": "clock"}, str(self.now_ms()))
            line.resource_logs[0].scope_logs[0].log_records[0].time_unix_nano = self.now_ms() * 1_000_000
            headers = headers_of(f"clock-{number}")
            body = line.SerializeToString()
            self.answered(partial(post, self.storage.url, None, body, signal="logs", headers=headers), (200,))

    def _await_expiry(self) -> None:
        """Until it goes by the time of now; a doubt is taken away as a person would."""
        began_ms = self.now_ms()
        state = self.folder / "vigia-retention"

        def is_sure() -> bool:
            if state.exists() and int.from_bytes(state.read_bytes()[8:16], "little") >= began_ms - 1000:
                return True
            self.storage.post("/api/v1/retention/confirm")
            return False

        wait_for("the time of now is believed", is_sure, 30, every=0.05)
        self.is_expiring = False
        self._note_kept(began_ms)

    def _note_kept(self, now_ms: int) -> None:
        for kind, days in self.keep.items():
            self.model.kept_ms[kind] = max(self.model.kept_ms[kind], now_ms - days * DAY_MS)

    # What comes in

    def answered(self, send: Callable[[], requests.Response], taken: Sequence[int] = (200, 204, 400)) -> bool:
        """Whether it was; a program that is to live must answer."""
        try:
            answer = send()
        except requests.RequestException:
            assert self.is_doomed, "the program did not answer"
            return False
        assert answer.status_code in taken, f"{answer.status_code} {answer.text}"
        return True

    def send(self, customer: str, request: Request, more: bytes = b"") -> bool:
        """One remote write; `more` are further series, encoded."""
        body = b"".join(series_bytes(dict(labels), _encoded(samples)) for labels, samples in request) + more
        return self.answered(lambda: write_bytes(self.storage.url, body, headers_of(customer)))

    # What lies there

    def check_stopped(self) -> None:
        """By verify, and by what inspect finds."""
        command = [str(binaries() / "vigia-storage"), "verify", "--config", str(self.storage.config)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        check_folder(self.folder, self.model)

    def delete(self, customer: str, *, was_begun: bool = False) -> None:
        """Everything of it; what lies in the log of all others is in the store then. Begun: an earlier one may have ended it."""
        done = self.run_delete(customer)
        is_nobody = done.returncode == 2 and f"no customer {customer}" in done.stderr
        assert done.returncode == 0 or is_nobody, done.stdout + done.stderr
        gone = self.model.customers.pop(customer, Customer())
        assert not is_nobody or was_begun or gone == Customer(), f"{customer} was there: {done.stderr}"

    def run_delete(self, customer: str) -> subprocess.CompletedProcess[str]:
        command = [str(binaries() / "vigia-storage"), "delete", str(self.folder), "--customer", customer, "--yes"]
        environment = {**os.environ, **self.storage.environment}
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)

    def checkpoint(self) -> Path:
        answer = requests.post(f"{self.storage.url}/api/v1/checkpoint", headers=TOKEN, timeout=60)
        assert answer.status_code == 200, answer.text
        return self.folder.with_name("storage.checkpoints") / str(answer.json()["data"]["name"])


def _encoded(samples: Sequence[tuple[int, Value]]) -> bytes:
    return b"".join(
        value.message if isinstance(value, Native) else sample_message(time_ms, _whole(value))
        for time_ms, value in samples
    )


def _whole(value: Value) -> int:
    assert isinstance(value, int)
    return value
