"""Cases A3, B8: any file of the store is damaged. It starts, serves what is whole, and says what it cost."""

from __future__ import annotations

import base64
import os
import random
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests
from cold_store import DAY_MS, TOKEN, StorageAlone
from otlp import post
from protobuf_bytes import attribute, fixed64, message
from remote_read import SAMPLES, post_read, read_request, samples_of
from small_disk import fill_disk
from stack import wait_for

CUSTOMERS = ("cliente-a", "cliente-b")
SERIES = 12
HOURS = 24
SAMPLES_EACH = HOURS * 60
MUTATIONS = 14
CHUNK_SAMPLES_MAX = 272  # of a row, and of a series' samples that are in no row yet


class DamagedStore(StorageAlone):
    """What was acknowledged, and what of it is there."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.truth: dict[tuple[str, int], dict[int, float]] = {}
        self.lost = 0
        self._notes: set[Path] = set()

    def write(self, customer: str, samples: list[tuple[int, float]], series: int = 0) -> None:
        super().write(customer, samples, series)
        self.truth.setdefault((customer, series), {}).update(samples)

    def fill(self) -> None:
        """A day of every series; twice killed, so that tables and logs of RocksDB hold them."""
        random_values = random.Random(1)
        start_ms = int(time.time() * 1000) - HOURS * 3_600_000
        for customer in CUSTOMERS:
            for series in range(SERIES):
                samples = [(start_ms + step * 60_000, random_values.random()) for step in range(SAMPLES_EACH)]
                self.write(customer, samples, series)
        for _ in range(2):
            self.kill()
            self.start()

    def write_new(self, number: int) -> None:
        for customer in CUSTOMERS:
            self.write(customer, [(int(time.time() * 1000), float(number))], SERIES + number)

    def missing(self) -> int:
        """Samples that cannot be read; fails where one has another value, was never sent, or is somebody else's."""
        count = 0
        for customer in CUSTOMERS:
            found = self._read(customer)
            for (owner, series), samples in self.truth.items():
                if owner != customer:
                    continue
                got = found.pop(series, {})
                wrong = {at: value for at, value in got.items() if samples.get(at) != value}
                assert not wrong, f"series {series} of {customer}: {list(wrong.items())[:3]}"
                count += len(samples) - len(got)
            assert not found, f"{customer} never had series {list(found)}"
        return count

    def _read(self, customer: str) -> dict[int, dict[int, float]]:
        now_ms = int(time.time() * 1000)
        request = read_request([("probe", now_ms - 2 * DAY_MS, now_ms + DAY_MS)])

        def answer() -> list[requests.Response]:
            got = post_read(self.url, request, SAMPLES, {**TOKEN, "X-Vigia-Customer": customer})
            assert got.status_code in (200, 503), got.text
            return [got] if got.status_code == 200 else []  # it is being mended

        found = {}
        for labels, samples in samples_of(wait_for("an answer", answer, 60)[0]).items():
            named = dict(labels)
            assert named["customer_id"] == customer
            found[int(named["series"])] = samples
        return found

    def is_done(self) -> bool:
        """Nothing waits to be saved from a damaged file, and the index is whole."""
        health = requests.get(f"{self.url}/health", timeout=10)
        return self.metrics()["vigia_storage_unsaved_files"] == 0 and "x-vigia-incomplete" not in health.headers

    def cost(self) -> Cost:
        """Reads everything, so that what is damaged is met, and settles what it cost since the last time. The program's
        counters begin with its start, which is between two of these."""
        self.missing()
        wait_for("what can be saved is saved", self.is_done, 40)
        missing, metrics = self.missing(), self.metrics()
        cost = Cost(had=sum(map(len, self.truth.values())), lost=missing - self.lost, log_passages=0)
        self.lost = missing
        for key, value in metrics.items():
            if key.startswith("vigia_storage_damage_total") and value > 0:
                cost.kinds[key.partition('what="')[2].partition('"')[0]] = int(value)
        cost.log_passages = int(metrics["vigia_storage_log_damaged_records_total"])
        for path in sorted((self.folder / "quarantine").glob("*.note")):
            if path not in self._notes:
                lines = (line.partition(": ") for line in path.read_text().splitlines()[1:])
                cost.notes.append({name: text for name, _, text in lines})
                self._notes.add(path)
        return cost


@dataclass
class Cost:
    """Of one damage: samples that are gone, and what storage says of it."""

    had: int
    lost: int
    log_passages: int
    kinds: dict[str, int] = field(default_factory=dict)  # vigia_storage_damage_total
    notes: list[dict[str, str]] = field(default_factory=list)

    def allowed(self) -> int:
        """How many samples may be gone by what it says."""
        count = 0
        if self.log_passages > 0 or self.kinds.keys() & {"wal", "wal_end"}:
            count += len(CUSTOMERS) * SERIES * CHUNK_SAMPLES_MAX  # in no chunk yet
        for note in self.notes:
            rows = int(note.get("rows lost", 0))
            told = note.get("cost", "")  # of a file that another one's note speaks for there is none
            if "cannot be told" in told:
                return self.had
            if "of the index" not in told:  # what it lost is made again of the copies
                count += rows * CHUNK_SAMPLES_MAX
        return count


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[DamagedStore]:
    store = DamagedStore(tmp_path)
    try:
        store.start()
        store.fill()
        yield store
    finally:
        store.kill()


def tables(store: DamagedStore) -> list[Path]:
    return sorted(store.folder.glob("*.sst"), key=lambda path: path.stat().st_size)


INDEX, CHUNKS, LOGS, IDENTITY = 0, 1, 3, 4


def family_of(table: Path) -> int:
    """The number of its column family, as the table itself says."""
    mark = b"column.family.id"
    content = table.read_bytes()
    return content[content.rfind(mark) + len(mark)]


def largest_of(store: DamagedStore, family: int) -> Path:
    """Of all tables it may be one of the roll-ups, from three hours after midnight on, which no query here reads."""
    return [path for path in tables(store) if family_of(path) == family][-1]


def flip(path: Path, at: int, bits: int = 4) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ bits]))


def test_a_flipped_bit_in_a_table_stops_nobody(storage: DamagedStore) -> None:
    for number in range(3):
        storage.kill()
        largest = largest_of(storage, CHUNKS)
        flip(largest, largest.stat().st_size // 4)
        storage.start()
        storage.write_new(number)
        cost = storage.cost()
        assert cost.kinds.get("table", 0) >= 1, cost
        assert cost.lost <= min(cost.allowed(), SAMPLES_EACH), f"more than a block of the table: {cost}"
        if number == 1:  # killed while the table is taken out and its rows are written anew
            storage.kill()
            storage.start()
            assert storage.missing() == storage.lost
    quarantine = storage.folder / "quarantine"
    notes = [path.read_text() for path in quarantine.glob("*.note")]
    assert any("rows lost" in note for note in notes)
    assert storage.metrics()["vigia_storage_quarantined_files"] == len(notes) >= 3
    assert storage.metrics()["vigia_faults_total"] == 0


def test_damage_of_the_index_costs_no_series(storage: DamagedStore) -> None:
    """It cost all series of its block, with the chunks of years: nothing else says whose they are."""
    for number in range(3):
        storage.write_new(number)
        storage.kill()
        storage.start()  # what the log held lies in tables now
    seed = random.randrange(1 << 30)
    moments = random.Random(seed)
    restored = 0.0
    for family in (INDEX, IDENTITY) * 4:
        storage.kill()
        of_it = [path for path in tables(storage) if family_of(path) == family]
        if not of_it:  # what was made anew lies in the log
            storage.start()
            continue
        table = moments.choice(of_it)
        at = moments.randrange(table.stat().st_size)
        flip(table, at, 3 << moments.randrange(7))  # one alone would be put right in the file
        storage.start()
        cost = storage.cost()
        assert cost.lost == 0, f"seed {seed}, byte {at} of {table.name}, family {family}: {cost}"
        restored += storage.metrics()["vigia_storage_index_rows_restored_total"]
    print(f"seed {seed}: {restored:.0f} series' rows made again")
    assert storage.metrics()["vigia_faults_total"] == 0


def mutate(moments: random.Random, path: Path) -> str:
    size = path.stat().st_size
    kind = moments.choice(("flip", "flip", "zeros", "cut"))
    at = moments.randrange(size)
    if kind == "flip":
        flip(path, at, 1 << moments.randrange(8))
    elif kind == "zeros":
        at = at // 4096 * 4096
        with path.open("r+b") as file:
            file.seek(at)
            file.write(bytes(min(4096, size - at)))
    else:
        with path.open("r+b") as file:
            file.truncate(at)
    return f"{kind} at {at} of {size} in {path.name}"


def damageable(store: DamagedStore) -> list[Path]:
    return [
        path
        for path in store.folder.rglob("*")
        if path.is_file()
        and path.stat().st_size > 0
        and "quarantine" not in path.parts
        and not path.name.startswith(("LOG", "LOCK", "OPTIONS"))
        and path.name != "lock"
    ]


@pytest.mark.parametrize("seed", [1, 21, *(pytest.param(seed, marks=pytest.mark.thorough) for seed in (2, 3))])
def test_whatever_is_damaged_it_starts_and_serves_the_rest(storage: DamagedStore, seed: int) -> None:
    moments = random.Random(seed)
    for number in range(MUTATIONS // 2):
        storage.kill()
        path = moments.choice(damageable(storage))
        what = mutate(moments, path)
        try:
            storage.start()
            storage.write_new(number)
            cost = storage.cost()
            assert cost.lost <= cost.allowed(), cost
        except BaseException as failure:
            raise AssertionError(f"seed {seed}, mutation {number}: {what}") from failure
    assert storage.metrics()["vigia_faults_total"] == 0


@pytest.mark.parametrize("pattern", ["[0-9]*.log", "segment-*.log", "MANIFEST-*", "CURRENT"])
def test_damage_of_what_is_in_use_is_counted(storage: DamagedStore, pattern: str) -> None:
    storage.write_new(0)
    storage.kill()
    path = max(storage.folder.rglob(pattern), key=lambda found: found.stat().st_size)
    flip(path, path.stat().st_size // 2)
    storage.start()
    cost = storage.cost()
    assert cost.kinds or cost.log_passages > 0, cost
    assert cost.lost <= cost.allowed(), cost
    storage.kill()
    storage.start()
    storage.write_new(1)
    assert storage.missing() == storage.lost


def is_ready(store: DamagedStore) -> bool:
    return requests.get(f"{store.url}/ready", timeout=2).status_code == 200


def takes_anything(store: DamagedStore, signal: str) -> int:
    """As the collector asks, where one customer's data does not tell."""
    return post(store.url, None, b"", signal=signal, headers=TOKEN).status_code


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_full_disk_is_said_and_waited_for(tmp_path: Path) -> None:
    """Case B9, and a start with a log to replay."""
    store = DamagedStore(tmp_path)
    store.folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(store.folder)], check=True)
    ballast = store.folder / "ballast"
    try:
        store.start()
        store.write_new(0)
        assert [takes_anything(store, signal) for signal in ("logs", "traces")] == [200, 200]
        fill_disk(ballast)
        wait_for("it says that it takes nothing", lambda: not is_ready(store), 20)
        assert [takes_anything(store, signal) for signal in ("logs", "traces")] == [503, 503]
        assert store.missing() == 0
        store.kill()
        store.launch()
        wait_for("the start waits", lambda: "the start waits" in store.log.read_text(), 30)
        wait_for("it says so", lambda: requests.get(f"{store.url}/health", timeout=5).json() == {"status": "waiting"})
        assert requests.get(f"{store.url}/ready", timeout=5).status_code == 503
        assert [takes_anything(store, signal) for signal in ("logs", "traces")] == [503, 503]
        assert store.metrics()["vigia_storage_start_waits"] == 1
        ballast.unlink()
        wait_for("it is ready", lambda: is_ready(store), 30)
        assert requests.get(f"{store.url}/health", timeout=5).json() == {"status": "ok"}
        assert store.metrics()["vigia_storage_start_waits"] == 0
        assert store.missing() == 0
        store.write_new(1)
        wait_for("it stays ready", lambda: is_ready(store), 10)
    finally:
        store.kill()
        subprocess.run(["umount", "-l", str(store.folder)], check=True)


RECORDS = 1_000
RECORD_BYTES = 20_000


def log_records(customer: str, bodies: list[bytes]) -> bytes:
    now_ns = time.time_ns()
    records = (
        message(2, fixed64(1, now_ns + number), message(5, message(1, body))) for number, body in enumerate(bodies)
    )
    return message(1, message(1, attribute(1, "customer.id", customer)), message(2, *records))


def write_records(store: DamagedStore, customer: str, count: int) -> int:
    """Bodies that do not compress, so that a table is as large as they are."""
    bodies = [base64.b64encode(os.urandom(RECORD_BYTES * 3 // 4)) for _ in range(count)]
    headers = {**TOKEN, "X-Vigia-Customer": customer}
    return post(store.url, None, log_records(customer, bodies), signal="logs", headers=headers).status_code


def read_records(store: DamagedStore, customer: str) -> requests.Response:
    now = time.time()
    parameters = {"start": f"{now - 3600}", "end": f"{now + 3600}", "limit": "5000"}
    headers = {**TOKEN, "X-Vigia-Customer": customer}
    return requests.get(f"{store.url}/api/v1/logs", params=parameters, headers=headers, timeout=30)


def free_bytes(folder: Path) -> int:
    space = os.statvfs(folder)
    return space.f_bavail * space.f_frsize


def leave_free(ballast: Path, left: int) -> None:
    with ballast.open("ab") as file:
        while (more := free_bytes(ballast.parent) - left) > 0:
            file.write(bytes(min(more, 1 << 20)))
            file.flush()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_damaged_table_without_room_to_mend_it_waits_for_room(tmp_path: Path) -> None:
    """Nothing is written for it meanwhile, the rest is served, and the log says so once."""
    store = DamagedStore(tmp_path)
    store.folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", str(store.folder)], check=True)
    ballast = store.folder / "ballast"
    try:
        store.start()
        for customer in CUSTOMERS:
            for _ in range(RECORDS // 100):
                assert write_records(store, customer, 100) == 200
        for _ in range(2):
            store.kill()
            store.start()
        store.kill()
        table = largest_of(store, LOGS)
        flip(table, table.stat().st_size // 10)
        store.start()
        for _ in range(5):
            assert write_records(store, CUSTOMERS[1], 100) == 200
        logs = sum(path.stat().st_size for path in store.folder.glob("*.log"))
        assert logs > 500 * RECORD_BYTES
        left = logs + (5 << 20)
        leave_free(ballast, left)
        lines = len(store.log.read_text().splitlines())
        deadline = time.monotonic() + 6
        while time.monotonic() < deadline:
            answer = read_records(store, CUSTOMERS[0])
            assert answer.status_code == 503, answer.text[:200]
            assert read_records(store, CUSTOMERS[1]).status_code == 200
            assert write_records(store, CUSTOMERS[1], 1) == 200
            assert is_ready(store)
            assert free_bytes(store.folder) > left - (3 << 20)
        told = store.log.read_text().splitlines()[lines:]
        assert sum("to set a damaged file aside" in line for line in told) == 1, told
        assert len(told) < 5, told
        ballast.unlink()
        wait_for("it is mended", lambda: read_records(store, CUSTOMERS[0]).status_code == 200, 30)
        wait_for("what can be saved is saved", store.is_done, 40)
        found = len(read_records(store, CUSTOMERS[0]).json()["data"])
        assert found == RECORDS, "one flipped bit costs no row"
        assert store.metrics()['vigia_storage_damage_total{what="table"}'] == 1
        assert store.metrics()["vigia_faults_total"] == 0
    finally:
        store.kill()
        subprocess.run(["umount", "-l", str(store.folder)], check=True)
