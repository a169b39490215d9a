"""vigia-storage alone, for tests of what it does with damaged files and wrong clocks."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import requests
from launcher.commands import Command
from launcher.layout import own_host
from remote_write import write
from stack import READY_SECONDS, Running, binaries, wait_for

TOKEN = {"Authorization": "Bearer secret"}
DAY_MS = 86_400_000

_STORAGE = """
listen: {host}:9096
metrics: {{listen: "{host}:9196"}}
internal_token: secret
store: {{rocksdb: {{directory: "{folder}"}}}}
retention: {{raw: 30d, rollup_5m: 30d, rollup_1h: 30d, rollup_1d: 30d, interval: 1s}}
"""


class StorageAlone:
    ready_seconds: float = READY_SECONDS  # a start may take

    def __init__(self, folder: Path, environment: dict[str, str] | None = None) -> None:
        self.folder = folder / "storage"
        self.host = own_host()
        self.url = f"http://{self.host}:9096"
        self.log = folder / "storage.log"
        self.environment = environment or {}
        self.config = folder / "storage.yaml"
        self.config.write_text(_STORAGE.format(host=self.host, folder=self.folder))
        self.running: Running | None = None

    def start(self) -> None:
        self.launch()
        assert self.running is not None
        self.running.wait_until_ready(self.ready_seconds)

    def launch(self) -> None:
        words = [str(binaries() / "vigia-storage"), "--config", str(self.config)]
        command = Command("storage", words, f"{self.url}/ready", self.environment)
        self.running = Running(command, self.log)

    def kill(self) -> None:
        if self.running is not None:
            self.running.end(9)
        self.running = None

    def stop(self) -> int:
        """Asks it to end; the exit code."""
        assert self.running is not None
        code = self.running.end()
        self.running = None
        return code

    def write(self, customer: str, samples: list[tuple[int, float]], series: int = 0) -> None:
        """Until it is acknowledged."""
        labels = {"__name__": "probe", "customer_id": customer, "series": str(series)}

        def is_taken() -> bool:
            try:
                write(self.url, [(labels, samples)], {**TOKEN, "X-Vigia-Customer": customer})
            except (requests.RequestException, AssertionError):
                return False
            return True

        wait_for(f"a write of {customer} is taken", is_taken, 60)

    def has_samples(self, customer: str, from_ms: int, to_ms: int) -> bool:
        """Whether the customer's series have samples in a range; asked until there is an answer."""
        return self.count_series(customer, from_ms, to_ms) > 0

    def count_series(self, customer: str, from_ms: int, to_ms: int) -> int:
        """How many of its series have samples in a range; asked until there is an answer."""
        parameters = {"matcher": "__name__=probe", "start": f"{from_ms / 1000}", "end": f"{to_ms / 1000}"}
        deadline = time.monotonic() + 60
        while True:
            answer = requests.get(
                f"{self.url}/api/v1/series",
                params=parameters,
                headers={**TOKEN, "X-Vigia-Customer": customer},
                timeout=30,
            )
            if answer.status_code == 200:
                return len(answer.json()["data"])
            assert answer.status_code == 503, answer.text
            assert time.monotonic() < deadline, answer.text
            time.sleep(0.1)

    def metrics(self) -> dict[str, float]:
        text = requests.get(f"http://{self.host}:9196/metrics", timeout=10).text
        pairs = (line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
        return {key: float(value) for key, value in pairs}

    def post(self, path: str) -> Any:
        return requests.post(f"{self.url}{path}", headers=TOKEN, timeout=10)
