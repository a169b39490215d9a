"""Folders that earlier versions left are opened by this one, which is killed at each write and sync on the way: nothing is lost."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from cold_questions import headers_of
from cold_shim import ColdShim, Point
from cold_store import StorageAlone
from cold_values import Values, read_query, sampled, streamed
from launcher.paths import ROOT
from remote_read import CHUNKS, SAMPLES, post_read
from stack import wait_for

CUSTOMER = "cliente-a"
GOLDEN = ROOT / "tests" / "golden" / "cold_store"
TRACE = "0a" * 16
LOGS = "/api/v1/logs?start=1764043200&end=1764043201"
# Series, and samples of all of them, that a folder holds; beside them all have spans and log records, or none.
HELD = {"v2": (3, 1802), "v3": (0, 0), "v4": (0, 0), "v5": (3, 1800), "v5-histograms": (2, 276)}
CALLS_MAX = 60
POINTS = {
    "row": Point("write", "*/storage/[0-9]*.log", is_behind=True),
    "sync": Point("sync", "*/storage/*"),
    "name": Point("rename", "*/storage/*", is_behind=True),
}
FOR_EVER = "retention: {raw: 0d, rollup_5m: off, rollup_1h: off, rollup_1d: off, traces: 0d, logs: 0d, interval: 1s}"  # the folders are of 2025


class Opened:
    def __init__(self, folder: Path, version: str) -> None:
        self.shim = ColdShim(folder)
        self.storage = StorageAlone(folder, self.shim.environment())
        text = self.storage.config.read_text().splitlines()
        self.storage.config.write_text(
            "\n".join([line for line in text if not line.startswith("retention")] + [FOR_EVER])
        )
        self.version = version

    def put_back(self) -> None:
        shutil.rmtree(self.storage.folder, ignore_errors=True)
        shutil.copytree(GOLDEN / self.version / "store", self.storage.folder)
        for name in ("storage.known", "storage.known.copy"):  # else it would wait for the store that was here
            self.storage.folder.with_name(name).unlink(missing_ok=True)

    def answers(self) -> tuple[Values, Any, Any, Any]:
        """Samples and histograms, and the same in chunks; a trace, what a search finds, log records."""
        query = read_query([("__name__", "=~", "golden.*")], 0, 1 << 62)
        samples, chunks = (post_read(self.storage.url, query, kind, headers_of(CUSTOMER)) for kind in (SAMPLES, CHUNKS))
        assert sampled(samples) == streamed(chunks.content)
        found = "/api/v1/traces?service=shop&start=1764043200&end=1764043300"
        return sampled(samples), *(self.json(path) for path in (f"/api/v1/traces/{TRACE}", found, LOGS))

    def json(self, path: str) -> Any:
        answer = requests.get(self.storage.url + path, headers=headers_of(CUSTOMER), timeout=30)
        if answer.status_code == 404:
            return []
        assert answer.status_code == 200, answer.text
        assert "warnings" not in answer.json(), answer.text
        return answer.json()["data"]

    def ends_at(self, point: Point, count: int) -> bool:
        """False where it is ready before it came to that."""
        self.shim.arm(point, count)
        self.storage.launch()
        running = self.storage.running
        assert running is not None
        ready = f"{self.storage.url}/ready"
        wait_for(
            "it is ready, or has ended",
            lambda: not running.is_running() or requests.get(ready, timeout=2).status_code == 200,
            every=0.02,
        )
        self.storage.kill()
        return self.shim.left() == 0


@pytest.fixture
def opened(tmp_path: Path, version: str) -> Iterator[Opened]:
    made = Opened(tmp_path, version)
    yield made
    made.storage.kill()


@pytest.mark.two_at_a_time
@pytest.mark.parametrize(
    ("version", "step"),
    [("v2", 4), ("v5-histograms", 4), *(pytest.param(version, 1, marks=pytest.mark.thorough) for version in HELD)],
)
def test_a_folder_of_an_earlier_version_survives_kills_while_it_is_opened(opened: Opened, step: int) -> None:
    opened.put_back()
    opened.storage.start()
    expected = opened.answers()
    assert (len(expected[0]), sum(map(len, expected[0].values()))) == HELD[opened.version]
    has_events = not opened.version.startswith("v5")
    assert [bool(found) for found in expected[1:]] == [has_events] * 3
    opened.storage.kill()
    kills = 0
    for point in POINTS.values():
        for count in range(1, CALLS_MAX, step):
            opened.put_back()
            if not opened.ends_at(point, count):
                break
            kills += 1
            opened.shim.disarm()
            opened.storage.start()
            assert opened.answers() == expected, f"{opened.version}: killed at the {count}th {point}"
            assert opened.storage.metrics()["vigia_storage_quarantined_files"] == 0
            opened.storage.kill()
    print(f"{opened.version}: {kills} kills")
    assert kills > 5
