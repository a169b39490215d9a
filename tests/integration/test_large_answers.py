"""Answers of over 1 MiB: the router's memory stays flat, and what they hold of its disk is bounded and given back."""

from __future__ import annotations

import http.client
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from large_answers import MIB, LargeStore, Memory, Read, files_held
from reading import MINUTE_MS, Reading
from remote_write import write
from small_disk import small_disk
from stack import Stack, wait_for

pytestmark = pytest.mark.two_at_a_time  # it measures memory, and moves a gigabyte

CUSTOMERS = ("cliente-a", "cliente-b", "cliente-c")
READERS = ("read-a", "read-b", "read-c")
SERIES = 330
STEPS = 9_999


class Large(Reading):
    """A router that keeps large answers in a folder that the test looks at."""

    def __init__(self, stack: Stack, keys: str = "") -> None:
        super().__init__(stack)
        self.spool = stack.folder / "spool"
        self.spool.mkdir(exist_ok=True)
        self.file = stack.layout.config / "router.yaml"
        self.file.write_text(self.file.read_text() + f"spool: {{dir: {self.spool}{keys}}}\n")

    def beside(self, store: LargeStore) -> None:
        """Starts it with that store alone."""
        lines = [line for line in self.file.read_text().splitlines() if not line.startswith(("hot", "query", "cold"))]
        self.file.write_text("\n".join([*lines, f'hot: {{shards: [{{name: hot-0, url: "{store.url}"}}]}}']) + "\n")
        self.stack.start("router")

    @property
    def pid(self) -> int:
        return self.stack.running["router"].pid

    def read_range(self, token: str, encoding: str = "identity") -> Read:
        end = self.now_ms // 1000
        return Read(
            f"{self.url}/api/v1/query_range",
            token,
            encoding,
            query="last_over_time(load[4h])",
            start=end - STEPS,
            end=end,
            step=1,
        )

    def own(self, name: str) -> float:
        return self.stack.own_metrics("router_metrics").get(name, 0)

    def open_unread(self, token: str = "read-a", number: int = 0) -> http.client.HTTPResponse:
        """The same of a client that has read the head alone; of another number another question."""
        host, _, port = self.stack.layout.address("router").partition(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=60)
        end = self.now_ms // 1000
        query = "last_over_time(load[4h])" + f" + {number}" * (number > 0)
        form = urlencode({"query": query, "start": end - STEPS, "end": end, "step": 1})
        connection.request("GET", f"/api/v1/query_range?{form}", headers={"Authorization": f"Bearer {token}"})
        return connection.getresponse()


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with Stack(tmp_path, agents=[]) as made:
        yield made


def read_at_once(large: Large, encoding: str = "identity") -> list[Read]:
    done: list[Read] = []
    threads = [
        threading.Thread(target=lambda token=token: done.append(large.read_range(token, encoding))) for token in READERS
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done


def test_memory_is_flat_with_a_real_prometheus(stack: Stack) -> None:
    """Over 100 MiB for each of three customers at once, plain and compressed; what it says is what the store said."""
    large = Large(stack)
    stack.start("storage", "prometheus-hot", "prometheus-query")
    at_ms = large.now_ms - (STEPS + 60) * 1000
    beats = [(large.now_ms - n * MINUTE_MS, 1.0) for n in reversed(range(60 * 24))]
    # In one request, oldest first: a Prometheus takes nothing that is much older than what it has.
    rows = [({"__name__": "vigia_hot_heartbeat", "shard": "hot-0"}, beats)]
    for customer in CUSTOMERS:
        labels = {"__name__": "load", "customer_id": customer}
        rows += [({**labels, "n": str(n)}, [(at_ms, n + 1 / 3)]) for n in range(SERIES)]
    write(stack.layout.url("hot"), rows)
    stack.start("router")
    wait_for("hot covers", lambda: large.ask("/api/v1/query", query="load[4h]").headers["x-vigia-served"][:3] == "hot")
    memory = Memory(large.pid)
    for encoding in ("identity", "gzip"):
        before = memory.forget()
        reads = read_at_once(large, encoding)
        added = memory.most() - before
        print(f"{encoding}: {[read.bytes // MIB for read in reads]} MiB, memory {before:.1f} + {added:.1f} MiB")
        assert [read.status for read in reads] == [200, 200, 200]
        assert all(read.bytes > 100 * MIB for read in reads), [read.bytes for read in reads]
        assert all(read.first.startswith(b'{"status":"success","data":{"resultType":"matrix"') for read in reads)
        assert all(b'"stats"' not in read.last for read in reads), reads[0].last
        assert all(json.loads(b"{" + read.last[read.last.rindex(b'"infos"') :]) for read in reads)
        assert added < 16, f"{added} MiB"
    assert large.own("vigia_router_spooled_answers_total") == 6
    wait_for("the disk is given back", lambda: large.own("vigia_router_spool_bytes") == 0)
    assert not files_held(large.pid, large.spool)


def test_the_largest_answer_adds_nothing(stack: Stack) -> None:
    """256 MiB but one byte less, of a store that sends as fast as it can; one MiB more is refused while it comes."""
    large = Large(stack)
    store = LargeStore(stack.layout.host, 256)
    large.beside(store)
    memory = Memory(large.pid)
    large.ask("/api/v1/query", query="1")
    before = memory.forget()
    read = large.read_range("read-a")
    added = memory.most() - before
    print(f"{read.bytes // MIB} MiB, memory {before:.1f} + {added:.1f} MiB")
    assert read.status == 200
    assert read.bytes >= 256 * MIB
    assert added < 8, f"{added} MiB"
    store.bytes = 300 * MIB
    store.sent = 0
    refused = large.read_range("read-a")
    assert refused.status == 413, refused.first
    assert store.sent < 270 * MIB, "the store is cut off, not read to its end"
    store.close()


def test_who_does_not_read_holds_disk_and_no_memory(stack: Stack) -> None:
    """Four answers of 64 MiB: two of one customer fill its share, another's still come. Whoever leaves gives back."""
    large = Large(stack, ", bytes_max: 130MiB")
    store = LargeStore(stack.layout.host, 64)
    large.beside(store)
    memory = Memory(large.pid)
    large.ask("/api/v1/query", query="1")
    before = memory.forget()
    unread = [large.open_unread() for _ in range(2)]
    refused = large.read_range("read-a")
    assert refused.status == 429
    assert b"large answers" in refused.first
    assert large.own("vigia_router_spool_refused_total") == 1
    other = large.read_range("read-b")
    assert other.status == 200
    assert other.bytes >= 64 * MIB
    # A file that nobody reads any more goes on a thread of its own, soon after its client.
    wait_for("the others are given up", lambda: len(files_held(large.pid, large.spool)) == 2)
    assert not os.listdir(large.spool), "no file has a name"
    assert memory.most() - before < 12, f"{before} {memory.most()}"
    for answer in unread:
        answer.close()
    wait_for("what was not read is given back", lambda: large.own("vigia_router_spool_bytes") == 0)
    assert large.read_range("read-a").status == 200
    store.close()


def test_a_killed_router_leaves_no_file(stack: Stack) -> None:
    large = Large(stack)
    store = LargeStore(stack.layout.host, 64)
    large.beside(store)
    unread = large.open_unread()
    assert files_held(large.pid, large.spool)
    stack.kill("router")
    assert not os.listdir(large.spool)
    unread.close()
    stack.start("router")
    assert large.read_range("read-a").status == 200
    store.close()


def test_whoever_leaves_while_it_comes_ends_it(stack: Stack) -> None:
    large = Large(stack)
    store = LargeStore(stack.layout.host, 250)
    store.hold_at = 64 * MIB  # it is still on its way when its reader leaves, however slow the machine
    large.beside(store)
    host, _, port = stack.layout.address("router").partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=60)
    form = urlencode({"query": "load", "start": 0, "end": 1000, "step": 1})
    connection.request("GET", f"/api/v1/query_range?{form}", headers={"Authorization": "Bearer read-a"})
    wait_for("it comes, and is kept", lambda: large.own("vigia_router_spool_bytes") > 0)
    connection.close()
    wait_for("what was kept is given back", lambda: large.own("vigia_router_spool_bytes") == 0)
    store.go_on.set()
    wait_for("the store is cut off", store.cut_off.is_set, 5)
    assert store.sent < store.bytes
    store.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small disk")
def test_a_full_disk_is_told_and_small_answers_go_on(stack: Stack, tmp_path: Path) -> None:
    folder = tmp_path / "small"
    with small_disk(folder, 20):
        large = Large(stack)
        large.file.write_text(large.file.read_text().replace(str(large.spool), str(folder)))
        store = LargeStore(stack.layout.host, 64)
        large.beside(store)
        refused = large.read_range("read-a")
        assert refused.status == 429, refused.first
        assert b"no room on its disk" in refused.first
        assert refused.headers["Retry-After"]
        assert large.own("vigia_router_spool_failures_total") == 1
        assert "no room for large answers" in stack.running["router"].tail()
        assert large.ask("/api/v1/query", query="1").status_code == 200
        wait_for("the disk is given back", lambda: large.own("vigia_router_spool_bytes") == 0)
        store.bytes = 8 * MIB  # alone one has half of what is free, but for the tenth that stays
        assert large.read_range("read-a").status == 200
        store.close()
        stack.stop("router")


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small disk")
def test_one_customer_leaves_room_for_another_on_a_small_disk(stack: Stack, tmp_path: Path) -> None:
    """The disk is smaller than what one may have: answers that nobody read filled it, and no other customer's came."""
    folder = tmp_path / "small"
    with small_disk(folder, 64):
        large = Large(stack)
        large.file.write_text(large.file.read_text().replace(str(large.spool), str(folder)))
        store = LargeStore(stack.layout.host, 8)
        large.beside(store)
        unread = [large.open_unread("read-a", number) for number in range(1, 9)]
        statuses = [answer.status for answer in unread]
        assert statuses.count(200) >= 3, statuses
        assert statuses.count(429) >= 4, f"alone it has half of the disk: {statuses}"
        for token in ("read-b", "read-c"):
            other = large.read_range(token)
            assert other.status == 200, other.first
            assert other.bytes > 8 * MIB - 1000
        for answer in unread:
            answer.close()
        store.close()
        stack.stop("router")


def test_a_folder_that_cannot_be_used_ends_the_start(stack: Stack) -> None:
    large = Large(stack)
    large.spool.rmdir()
    with pytest.raises(AssertionError, match=r"spool\.dir: no file can be made in"):
        stack.start("router")
