"""The store on an encrypted folder (docs/encryption.md): what a thief of the disk sees, kills, and a start without the key."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from cold_store import TOKEN, StorageAlone
from encrypted_folder import EncryptedFolder
from otlp import post
from protobuf_bytes import attribute, fixed64, message
from remote_read import SAMPLES, post_read, read_request, samples_of
from remote_write import write
from stack import wait_for

CUSTOMER = "cliente-a"
HEADERS = {**TOKEN, "X-Vigia-Customer": CUSTOMER}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[EncryptedFolder]:
    if os.geteuid() != 0:
        pytest.skip("mounting an image needs root")
    try:
        made = EncryptedFolder(tmp_path)
    except OSError as error:
        subprocess.run(["umount", "-l", str(tmp_path / "mounted")], check=False)
        if error.errno in (errno.EOPNOTSUPP, errno.ENOTTY):
            pytest.skip("this kernel encrypts no folders (CONFIG_FS_ENCRYPTION)")
        raise
    try:
        yield made
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):
            made.unmount()


@pytest.fixture
def started(disk: EncryptedFolder) -> Iterator[contextlib.ExitStack]:
    """Whose programs end before their disk goes."""
    with contextlib.ExitStack() as programs:
        yield programs


def store_in(folder: Path, tmp_path: Path, started: contextlib.ExitStack) -> StorageAlone:
    beside = tmp_path / f"store-of-{folder.name}"
    beside.mkdir()
    store = StorageAlone(beside)
    store.config.write_text(store.config.read_text().replace(str(store.folder), str(folder)))
    store.folder = folder
    started.callback(store.kill)
    return store


def fill(store: StorageAlone, word: str) -> int:
    """A series named by the word and a log line with it; when."""
    now_ms = int(time.time() * 1000)
    labels = {"__name__": f"metric_{word}", "customer_id": CUSTOMER}
    write(store.url, [(labels, [(now_ms - 1000 * step, float(step)) for step in range(100, 0, -1)])], HEADERS)
    record = fixed64(1, now_ms * 1_000_000) + message(5, message(1, f"line {word}".encode()))
    resource = message(1, attribute(1, "customer.id", CUSTOMER))
    body = message(1, resource + message(2, message(2, record)))
    assert post(store.url, None, body, signal="logs", headers=HEADERS).status_code == 200
    return now_ms


def assert_all_is_there(store: StorageAlone, word: str, now_ms: int) -> None:
    request = read_request([(f"metric_{word}", now_ms - 3_600_000, now_ms)])
    (samples,) = samples_of(post_read(store.url, request, SAMPLES, HEADERS)).values()
    assert samples == {now_ms - 1000 * step: float(step) for step in range(1, 101)}
    parameters = {"start": str(now_ms / 1000 - 60), "end": str(now_ms / 1000 + 60)}
    logs = requests.get(f"{store.url}/api/v1/logs", params=parameters, headers=HEADERS, timeout=10)
    assert logs.text.count(f"line {word}") == 1, logs.text


@pytest.mark.parametrize(
    ("below", "said", "is_waiting"),
    [
        pytest.param("", "is its disk mounted, and its key given where it is encrypted", True, id="the folder itself"),
        pytest.param("storage", os.strerror(errno.ENOKEY), False, id="a folder in it"),
    ],
)
def test_a_stolen_disk_shows_nothing_and_a_start_without_the_key_harms_nothing(
    disk: EncryptedFolder, started: contextlib.ExitStack, tmp_path: Path, below: str, said: str, is_waiting: bool
) -> None:
    sealed = store_in(disk.sealed / below, tmp_path, started)
    plain = store_in(disk.plain, tmp_path, started)
    told = {}
    for store, word in ((sealed, "tiefgeheim"), (plain, "weltbekannt")):
        store.start()
        told[word] = fill(store, word)
        store.kill()
        store.start()  # what the log held lies in tables
        assert_all_is_there(store, word, told[word])
        assert store.stop() == 0
    disk.unmount()
    assert disk.holds(b"weltbekannt"), "the words would not be found anyway"
    assert not disk.holds(b"tiefgeheim")

    disk.mount()
    sealed.launch()
    assert sealed.running is not None
    wait_for("the start says what it lacks", lambda: said in sealed.log.read_text(), 20)
    with contextlib.suppress(requests.ConnectionError):
        assert requests.get(f"{sealed.url}/ready", timeout=5).status_code == 503
    if is_waiting:
        disk.give_key()
        sealed.running.wait_until_ready()
    else:
        sealed.kill()
        disk.give_key()
        sealed.start()
    assert_all_is_there(sealed, "tiefgeheim", told["tiefgeheim"])
    assert sealed.stop() == 0
