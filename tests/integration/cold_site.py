"""A cold store whose clocks, kills and retention a walk moves; what it has acknowledged goes into the model."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import requests
from cold_model import DAY_MS, Model, Request, Value
from cold_questions import Questions, check_folder, headers_of
from cold_shim import ColdShim
from cold_store import TOKEN, StorageAlone
from cold_values import Native, sample_message
from remote_write import series_bytes, write_bytes
from stack import binaries, wait_for
from wall_clock import WallClock

CUSTOMERS = ("cliente-a", "cliente-b", "cliente-c")
ENDED_SECONDS = 20
CONFIG = """
listen: {host}:9096
metrics: {{listen: "{host}:9196"}}
internal_token: secret
store: {{rocksdb: {{directory: "{folder}"}}}}
exemplars_per_minute: 10000
retention: {{raw: {raw}d, traces: {traces}d, logs: {logs}d, interval: 1s{more}}}
"""


class ColdSite:
    """The program, its clocks and its model. While it is `doomed` a request need not be answered."""

    def __init__(self, folder: Path, more: str = "") -> None:
        folder.mkdir(exist_ok=True)
        self.wall, self.shim = WallClock(folder), ColdShim(folder)
        environment = self.wall.env | self.shim.environment(self.wall.env["LD_PRELOAD"])
        self.storage = StorageAlone(folder, environment)
        self.folder, self.more = self.storage.folder, more
        self.model = Model()
        self.ask = Questions(self.storage.url, self.model)
        self.begin_ms = int(time.time()) * 1000
        self.ahead_s = 0  # of the wall clock
        self.keep = {"raw": 12, "traces": 10, "logs": 11}  # days
        self.is_doomed = False

    def now_ms(self) -> int:
        return int(time.time() * 1000) + self.ahead_s * 1000

    def day_ms(self, days_ago: int) -> tuple[int, int]:
        """A stretch of 18 hours, so many days before the walk's begin. No day that is kept ends in it."""
        start = self.begin_ms - days_ago * DAY_MS
        return start + DAY_MS // 8, start + DAY_MS // 8 * 7

    # Its life

    def start(self) -> None:
        text = CONFIG.format(host=self.storage.host, folder=self.folder, more=self.more, **self.keep)
        self.storage.config.write_text(text)
        self.shim.disarm()
        self.storage.start()
        self.is_doomed = False
        self.tell_time()

    def first_start(self) -> None:
        self.start()
        self._await_expiry()

    def settle(self) -> None:
        """What was never answered is there now, or never will be."""
        self.ask.all(CUSTOMERS, is_settled=True)

    def kill(self) -> None:
        self.storage.kill()

    def await_end(self) -> None:
        """Of one that is to end by itself, at a named point."""
        running = self.storage.running
        assert running is not None
        wait_for("it ends at its point", lambda: not running.is_running(), ENDED_SECONDS, every=0.01)
        self.storage.kill()

    def stop(self) -> None:
        assert self.storage.stop() == 0

    def move_on(self, days: int, keep: dict[str, int]) -> None:
        """Starts it so many days later, with another retention: what is too old is gone then. It must be stopped."""
        self.ahead_s += days * (DAY_MS // 1000)
        self.wall.set_ahead(self.ahead_s)
        self.keep = keep
        self.start()
        self._await_expiry()

    def pass_minutes(self, minutes: int) -> None:
        """Of both clocks: what waits so long in memory goes into the store."""
        self.ahead_s += minutes * 60
        self.wall.set_ahead(self.ahead_s)
        self.shim.pass_time(minutes * 60)
        self.tell_time()

    def tell_time(self) -> None:
        """What time it is, it believes by what comes in, too."""
        for customer in CUSTOMERS:
            labels = (("__name__", "clock"), ("customer_id", customer))
            self.write([(customer, [(labels, [(self.now_ms(), 0)])])])

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
        for kind, days in self.keep.items():
            self.model.kept_ms[kind] = max(self.model.kept_ms[kind], began_ms - days * DAY_MS)

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

    def write(self, requests_: Sequence[tuple[str, Request]]) -> None:
        """One after the other, each model by the answer."""
        for customer, request in requests_:
            self.model.take([(customer, request, self.send(customer, request))])

    def send(self, customer: str, request: Request, more: bytes = b"") -> bool:
        """One remote write; `more` are further series, encoded."""
        body = b"".join(series_bytes(dict(labels), _encoded(samples)) for labels, samples in request) + more
        return self.answered(lambda: write_bytes(self.storage.url, body, headers_of(customer)))

    # What lies there

    def check_stopped(self) -> None:
        command = [str(binaries() / "vigia-storage"), "verify", "--config", str(self.storage.config)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        check_folder(self.folder, self.model)

    def delete(self, customer: str) -> None:
        """Everything of it; what lies in the log of all others is in the store then."""
        command = [str(binaries() / "vigia-storage"), "delete", str(self.folder), "--customer", customer, "--yes"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        expected = 0 if customer in self.model.customers else 2
        assert done.returncode == expected, done.stdout + done.stderr
        self.model.customers.pop(customer, None)

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
