"""What one customer's data takes of the collector's disk while a store is sick for it, and what the others see of it."""

from __future__ import annotations

import contextlib
import gzip
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from collector_lanes import COLD, LOGS, Lanes, log_lines, now_ms
from otlp import gauge, metrics_request, post, resource_of
from stack import wait_for

ALIKE = " GET /index.html 200 " + "y" * 300  # lines that gzip makes forty times less of

pytestmark = [
    pytest.mark.two_at_a_time,  # bytes of a disk of its own
    pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root"),
]


@contextlib.contextmanager
def _lanes_on_disk(folder: Path, mib: int, storage: str, share: str = "16MiB") -> Iterator[Lanes]:
    """The log and what lies beside it have a disk of so many MiB; `storage`: more keys of file_storage."""
    disk = folder / "log"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", str(disk)], check=True)
    lanes = Lanes(folder)
    lanes.serve()
    lanes.configure(
        hot=lanes.destination_url,
        cold=lanes.destination_url,
        exporters=COLD,
        side_share=share,
        otlp_side_share=share,
        storage=storage,
    )
    try:
        yield lanes
    finally:
        try:
            lanes.end()
        finally:
            subprocess.run(["umount", "-l", str(disk)], check=True)


def _used(lanes: Lanes) -> int:
    room = os.statvfs(lanes.folder / "log")
    return (room.f_blocks - room.f_bavail) * room.f_frsize


def _send_lines(lanes: Lanes, packed: bytes) -> int:
    headers = {"Content-Encoding": "gzip"}
    return post(f"http://{lanes.host}:4318", "token-a", packed, signal="logs", headers=headers).status_code


@pytest.mark.thorough
def test_what_goes_aside_takes_no_more_of_the_disk_than_the_log_did(tmp_path: Path) -> None:
    """A fills its share of the log with packed requests; the store comes back and answers 500 to A. Its data becomes
    960 MiB unpacked, on a disk of 256. B is there within seconds, what lies aside is as large as it was in the log."""
    with _lanes_on_disk(tmp_path, 256, "bytes_max: 64MiB, segment_bytes: 4MiB") as lanes:
        destination = lanes.destination
        assert destination is not None
        destination.script = lambda customer, path, body: 503
        destination.keeps = False
        lanes.start("collector")
        packed, taken = gzip.compress(log_lines("cliente-a", 9000, ALIKE), 6), 0
        for _ in range(300):
            taken += _send_lines(lanes, packed) == 200
        assert taken > 200
        for n in range(20):
            lanes.send_items(LOGS, "cliente-b", [f"line_b{n}"])
        filled = _used(lanes)
        arrived: list[bytes] = []
        asked: list[int] = []

        def script(customer: str, path: str, body: bytes) -> int:
            if customer == "cliente-a" and sick:
                asked.append(len(body))
                return 500
            if customer == "cliente-b":
                arrived.append(body)
            return 200

        sick, began = True, time.monotonic()
        destination.script = script
        wait_for("B's first line is there", lambda: any(b"line_b" in body for body in arrived), 8)
        seconds, requests = time.monotonic() - began, len(asked)
        wait_for("all of B's lines are", lambda: all(f"line_b{n}".encode() in b"".join(arrived) for n in range(20)), 8)
        highest = 0
        until = time.monotonic() + 12
        while time.monotonic() < until:
            highest = max(highest, _used(lanes))
            time.sleep(0.05)
        print(f"B after {seconds:.1f} s, {requests} requests of A by then; {filled >> 20} MiB, {highest >> 20} at most")
        assert highest < 2 * filled + (16 << 20)  # both places for a while, and half of the share as it is sent
        for _ in range(2):
            assert lanes.books("cliente-a", "otlphttp/cold", "logs").get("dropped", 0) == 0
            lanes.kill("collector")  # it lies there and is read again
            lanes.start("collector")
        sick = False
        book = lanes.settle("cliente-a", "otlphttp/cold", "logs", seconds=180)
        assert book.get("dropped", 0) == 0
        assert book["sent"] >= taken * 9000 * 0.5  # of this life


def _values(customer: str, name: str, count: int) -> bytes:
    """Series that nothing makes less of."""
    series = [gauge(f"{name}_{n}", [(now_ms(), 1.0)], {"r": os.urandom(200).hex()}) for n in range(count)]
    body: bytes = metrics_request(resource_of(customer), *series).SerializeToString()
    return body


@pytest.mark.parametrize(
    ("mib", "storage"),
    [
        (24, "segment_bytes: 16MiB"),
        pytest.param(64, "segment_bytes: 4MiB", marks=pytest.mark.thorough),
    ],
)
def test_on_a_full_disk_one_customer_answered_500_stops_nobody(tmp_path: Path, mib: int, storage: str) -> None:
    """While the store is away the log fills the disk, A's data and B's by turns. Then the store answers 500 to A. B's
    data arrives all the same; with a reserve of a segment B is taken anew too. When the store takes all, A's arrives."""
    with _lanes_on_disk(tmp_path, mib, storage) as lanes:
        destination = lanes.destination
        assert destination is not None
        destination.script = lambda customer, path, body: 503
        lanes.start("collector")
        taken = {"a": 0, "b": 0}
        refused = 0
        while refused < 10:
            for customer in taken:
                name = f"full_{customer}_{taken[customer]}"
                answer = post(
                    f"http://{lanes.host}:4318", f"token-{customer}", _values(f"cliente-{customer}", name, 300)
                )
                taken[customer] += answer.status_code == 200
                refused += answer.status_code == 503
        assert min(taken.values()) > 20

        def arrived(customer: str) -> int:
            sent = destination.arrived(f"cliente-{customer}")
            found = set(map(int, re.findall(rf"full_{customer}_(\d+)_299".encode(), sent)))
            return len(found & set(range(taken[customer])))

        began = time.monotonic()
        destination.script = lambda customer, path, body: 500 if customer == "cliente-a" else 204
        wait_for("all of B's is there", lambda: arrived("b") == taken["b"], 60)
        print(f"{mib} MiB: all of B's {taken['b']} after {time.monotonic() - began:.1f} s")
        if mib > 24:
            wait_for("B is taken again", lambda: lanes.send("cliente-b", _values("cliente-b", "b", 1)).ok, 60)
            wait_for(
                "A's lies aside", lambda: lanes.gauge_of("vigia_exporter_side_items", COLD) >= taken["a"] * 300, 60
            )
            wait_for("there is room", lambda: lanes.gauge_of("vigia_exporter_side_is_full", COLD) == 0, 30)
        else:
            assert lanes.gauge_of("vigia_exporter_side_is_full", COLD) == 1
        for _ in range(2):
            lanes.books("cliente-a", COLD)
            lanes.kill("collector")
            lanes.start("collector")
        destination.script = lambda customer, path, body: 204
        wait_for("all of A's is there", lambda: arrived("a") == taken["a"], 60)
        assert lanes.settle("cliente-a", COLD).get("dropped", 0) == 0
        assert lanes.settle("cliente-b", COLD).get("dropped", 0) == 0
        wait_for("the gauge ends", lambda: lanes.gauge_of("vigia_exporter_side_is_full", COLD) == 0, 10)
        for customer in taken:
            body = _values(f"cliente-{customer}", "n", 1)
            until = time.monotonic() + 30
            while not lanes.send(f"cliente-{customer}", body).ok:
                assert time.monotonic() < until, f"{customer} is refused"
                time.sleep(0.2)


def test_on_a_disk_smaller_than_its_share_one_customer_answered_500_leaves_the_others_room(tmp_path: Path) -> None:
    """256 MiB are a customer's share, the disk has 64. A gets 500 and goes on sending: B was refused for as long as that
    went on, with an empty log beside 50 MiB of A's."""
    with _lanes_on_disk(tmp_path, 64, "segment_bytes: 4MiB", "256MiB") as lanes:
        destination = lanes.destination
        assert destination is not None
        destination.keeps = False
        destination.script = lambda customer, path, body: 500 if customer == "cliente-a" and body else 204
        lanes.start("collector")
        url = f"http://{lanes.host}:4318"
        refused = {"a": 0, "b": 0}
        sent = 0
        until = time.monotonic() + 120
        while time.monotonic() < until:
            for _ in range(4):
                body = _values("cliente-a", f"room_a_{sent}", 2000)
                is_refused = post(url, "token-a", body).status_code != 200
                if is_refused and not refused["a"]:
                    until = time.monotonic() + 8  # of all that a full disk lasts
                refused["a"] += is_refused
                sent += 1
            refused["b"] += post(url, "token-b", _values("cliente-b", f"room_b_{sent}", 10)).status_code != 200
        print(f"{sent} of A's sent, refused {refused}, {_used(lanes) >> 20} MiB of the disk used")
        assert refused["a"] > 0, "A is at its share of this disk"
        assert refused["b"] == 0
        assert _used(lanes) < 48 << 20
