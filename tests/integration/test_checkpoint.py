"""A copy of the running store: made while it takes samples, whole by `verify`, and a store of its own when it is started."""

from __future__ import annotations

import subprocess
import threading
import time
from pathlib import Path

import requests
from cold_neighbour import TOKEN, A, B, ColdStore
from remote_read import SAMPLES, post_read, read_request, samples_of
from remote_write import write
from stack import binaries

STEP_MS = 15_000


def checkpoint(cold: ColdStore, headers: dict[str, str] | None = None) -> requests.Response:
    return requests.post(f"{cold.url}/api/v1/checkpoint", headers=headers or TOKEN, timeout=60)


class Writer:
    """Writes sample after sample, in order and late, and notes what was acknowledged."""

    def __init__(self, url: str, start_ms: int) -> None:
        self.url, self.start_ms = url, start_ms
        self.acknowledged: dict[int, float] = {}
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.failed = ""

    def _run(self) -> None:
        labels = {"__name__": "kept", "customer_id": "cliente-a"}
        number = 0
        while not self.over.is_set():
            at_ms = self.start_ms + number * STEP_MS
            try:
                write(self.url, [(labels, [(at_ms, float(number)), (at_ms - 7, 0.5)])], A)
            except (requests.RequestException, AssertionError) as error:
                self.failed = str(error)
                return
            self.acknowledged |= {at_ms: float(number), at_ms - 7: 0.5}
            number += 1


def test_a_checkpoint_of_a_store_that_takes_samples_is_a_store_with_all_of_them(
    cold: ColdStore, tmp_path: Path
) -> None:
    now_ms = int(time.time() * 1000) // STEP_MS * STEP_MS
    writer = Writer(cold.url, now_ms - 86_400_000)
    write(cold.url, [({"__name__": "kept", "customer_id": "cliente-b"}, [(now_ms, 7.0)])], B)
    writer.thread.start()
    before: dict[int, float] = {}
    names = []
    for _ in range(5):  # three are kept
        time.sleep(0.3)
        before = dict(writer.acknowledged)
        answer = checkpoint(cold)
        assert answer.status_code == 200, answer.text
        names.append(answer.json()["data"]["name"])
    writer.over.set()
    writer.thread.join(30)
    assert not writer.failed
    assert len(before) > 20
    folder = cold.folder / "storage.checkpoints"
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)[-3:]

    assert checkpoint(cold, A).status_code == 403  # no customer's
    assert checkpoint(cold, {"Authorization": "Bearer wrong"}).status_code == 401
    cold.end(9)

    copy = tmp_path / "copy"
    copy.mkdir()
    (folder / names[-1]).rename(copy / "storage")
    second = ColdStore(copy)
    verified = subprocess.run(
        [str(binaries() / "vigia-storage"), "verify", "--config", str(copy / "storage.yaml")],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr
    try:
        second.start()
        request = read_request([("kept", 0, now_ms + STEP_MS)])
        (found,) = samples_of(post_read(second.url, request, SAMPLES, A)).values()
        assert {at: found.get(at) for at in before} == before
        assert found.items() <= writer.acknowledged.items()
        (of_b,) = samples_of(post_read(second.url, request, SAMPLES, B)).values()
        assert of_b == {now_ms: 7.0}
        for kind in ("damage_total", "log_damaged_records_total", "quarantined_files"):
            assert second.own_metric(f"vigia_storage_{kind}") == 0
        # It takes further samples, and what it was made of is as it was.
        write(second.url, [({"__name__": "kept", "customer_id": "cliente-a"}, [(now_ms, 1.0)])], A)
    finally:
        second.end()
    cold.start()
    (own,) = samples_of(post_read(cold.url, request, SAMPLES, A)).values()
    assert own == writer.acknowledged
