"""Everything in the cold store that makes much out of little, driven to its bound on the real program.

Each test loads storage as customer A at its limits, looks at the most memory that the program ever held, and at what
customer B waits meanwhile. docs/architecture.md, "Where one thing becomes many", names the bounds.
"""

from __future__ import annotations

import random
import socket
import struct
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from cold_neighbour import MIB, A, ColdStore, Load, bounded, costing, of_a, sample_bytes
from cold_store import TOKEN
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otlp import attributes, resource_of
from protobuf_bytes import attribute, fixed64, message
from remote_read import CHUNKS, SAMPLES, post_read, read_request
from remote_write import histogram, series_of_histogram, write_bytes
from stack import wait_for

pytestmark = pytest.mark.two_at_a_time  # memory, and another who is served within seconds

# Of the longest label value that the collector takes; in JSON each letter becomes six.
VALUE_BYTES = 2048
TOO_MUCH = (422, 429, 503)


@pytest.fixture
def cold(tmp_path: Path) -> Iterator[ColdStore]:
    store = ColdStore(tmp_path)
    try:
        store.start()
        yield store
        assert store.own_metric("vigia_faults_total") == 0
    finally:
        store.end()


def in_parallel(count: int, work: object) -> list[object]:
    """The answers' states, or what was raised."""
    states: list[object] = []

    def run() -> None:
        try:
            states.append(work())  # type: ignore[operator]
        except requests.RequestException as error:
            states.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return states


def state_of(cold: ColdStore, path: str) -> int:
    return requests.get(f"{cold.url}{path}", headers=A, timeout=60).status_code


def write_wide_series(load: Load, count: int, now_ms: int) -> None:
    """Series of 30 labels with 2 KiB each; remote write takes no more than 64 KiB of labels a series."""
    fixed = {f"l{n:02}": chr(1) * VALUE_BYTES for n in range(30)}
    sample = sample_bytes(now_ms, 1, [1.0])
    for first in range(0, count, 64):
        body = [of_a("wide", {**fixed, "n": str(n)}, sample) for n in range(first, min(first + 64, count))]
        load.write(b"".join(body), len(body))


@pytest.mark.thorough
def test_wide_labels_times_the_series_of_an_answer(cold: ColdStore) -> None:
    """16 queries of one request, each with 60 MiB of labels, were a GiB; the same labels in JSON six times theirs."""
    now_ms = int(time.time() * 1000)
    load = Load(cold)
    write_wide_series(load, 960, now_ms)
    same = "&next=1".join(["&matcher=__name__%3Dwide"] * 8)
    with bounded(cold) as neighbour:
        for path in ("/api/v1/series?" + same[1:], "/api/v1/labels?" + same[1:], "/api/v1/label/n/values?" + same[1:]):
            states = in_parallel(4, lambda path=path: state_of(cold, path))
            assert set(states) <= {200, *TOO_MUCH}, states
        wide = read_request([("wide", 0, 2**62)] * 16)
        for kind in (CHUNKS, SAMPLES):
            states = in_parallel(4, lambda kind=kind: post_read(cold.url, wide, kind, A).status_code)
            assert set(states) <= {200, *TOO_MUCH}, states
        # What is within the bounds is answered.
        few = "/api/v1/series?matcher=__name__%3Dwide&matcher=n%3D~4."
        assert state_of(cold, few) == 200
        assert post_read(cold.url, read_request([("wide", 0, 2**62)]), CHUNKS, A).status_code == 200
        neighbour.may_fail.set()
        cold.kill_and_start()
        neighbour.may_fail.clear()
    load.assert_all_there(neighbour)


def test_label_values_of_many_series(cold: ColdStore) -> None:
    """30,000 values of 2 KiB were 360 MiB of JSON, there three times, for each of the readers."""
    now_ms = int(time.time() * 1000)
    load = Load(cold)
    sample = sample_bytes(now_ms, 1, [1.0])
    for first in range(0, 30_000, 2_000):
        values = (f"{n:06}" + chr(1) * (VALUE_BYTES - 6) for n in range(first, first + 2_000))
        load.write(b"".join(of_a("many", {"value": value}, sample) for value in values), 2_000)
    with bounded(cold) as neighbour:
        for path in (
            "/api/v1/label/value/values",
            "/api/v1/label/value/values?matcher=__name__%3Dmany",
            "/api/v1/series?matcher=__name__%3Dmany",
        ):
            states = in_parallel(4, lambda path=path: state_of(cold, path))
            assert set(states) <= {200, *TOO_MUCH}, states
        answer = requests.get(f"{cold.url}/api/v1/label/value/values?limit=1000", headers=A, timeout=60)
        assert answer.status_code == 200
        assert len(answer.json()["data"]) == 1_000
        neighbour.may_fail.set()
        cold.kill_and_start()
        neighbour.may_fail.clear()
    load.assert_all_there(neighbour)


# R-RR-5.
def test_samples_of_one_series(cold: ColdStore) -> None:
    """One series of 4 M samples, late ones over each of its chunks, read at once by four."""
    step_ms = 1_000
    start_ms = int(time.time() * 1000) - 4_000_000 * step_ms
    load = Load(cold)
    values = random.Random(1)
    for first in range(0, 4_000_000, 250_000):
        samples = [values.random() for _ in range(250_000)]
        load.write(of_a("dense", {}, sample_bytes(start_ms + first * step_ms, step_ms, samples)), len(samples))
        late = sample_bytes(start_ms + first * step_ms + 500, 100 * step_ms, samples[:2_500])
        load.write(of_a("dense", {}, late), 2_500)
    with bounded(cold) as neighbour:
        dense = read_request([("dense", 0, 2**62)])
        for kind in (CHUNKS, SAMPLES):
            states = in_parallel(4, lambda kind=kind: post_read(cold.url, dense, kind, A).status_code)
            assert set(states) <= {200, *TOO_MUCH}, states
        day = read_request([("dense", start_ms, start_ms + 86_400_000)])
        assert post_read(cold.url, day, CHUNKS, A).status_code == 200
        neighbour.may_fail.set()
        cold.kill_and_start()
        neighbour.may_fail.clear()
        assert post_read(cold.url, day, CHUNKS, A).status_code == 200
    load.bodies = load.bodies[-4:]
    load.assert_all_there(neighbour)


def test_readers_that_do_not_read(cold: ColdStore) -> None:
    """An answer left its share when it was sent, whoever took it: 40 clients that read nothing held 40 answers."""
    now_ms = int(time.time() * 1000)
    load = Load(cold)
    write_wide_series(load, 640, now_ms)
    path = "/api/v1/series?matcher=__name__%3Dwide&matcher=n%3D~%5B0-9%5D%7C%5B0-9%5D%5B0-9%5D"
    sockets = []
    with bounded(cold, rss_max=500 * MIB) as neighbour:  # it was 708 MiB
        for _ in range(40):
            connection = socket.create_connection((cold.host, 9096))
            sockets.append(connection)
            head = "".join(f"{name}: {value}\r\n" for name, value in A.items())
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode())
        time.sleep(8)  # what is watched, not a wait
        neighbour.may_fail.set()
        cold.kill_and_start()
        neighbour.may_fail.clear()
        for connection in sockets:
            connection.close()
    load.assert_all_there(neighbour)


def _post_until_taken(url: str, body: bytes) -> None:
    """As the collector does: what is over the customer's share for the moment (503) is sent again."""
    last: list[requests.Response] = []

    def is_taken() -> bool:
        last[:] = [requests.post(url, data=body, headers={**A, "Content-Type": "application/x-protobuf"}, timeout=60)]
        assert last[0].status_code in (200, 503), last[0].text
        return last[0].status_code == 200

    wait_for("it is taken", is_taken, 60)


def test_large_log_records_and_wide_scopes(cold: ColdStore) -> None:
    """A record of 60 MiB of control letters alone was more than a GiB of JSON."""
    now = time.time_ns()
    with bounded(cold) as neighbour:
        for size in (4, 4, 4, 20, 60):
            logs = ExportLogsServiceRequest()
            entry = logs.resource_logs.add()
            entry.resource.attributes.extend(attributes(resource_of("cliente-a")))
            record = entry.scope_logs.add().log_records.add(time_unix_nano=now)
            record.body.string_value = chr(1) * (size * MIB)
            _post_until_taken(f"{cold.url}/v1/logs", logs.SerializeToString())
        traces = ExportTraceServiceRequest()
        spans = traces.resource_spans.add()
        spans.resource.attributes.extend(attributes(resource_of("cliente-a")))
        scope = spans.scope_spans.add()
        scope.scope.name = chr(1) * (60 << 10)
        for n in range(5_000):
            scope.spans.add(trace_id=b"\x0b" * 16, span_id=(n + 1).to_bytes(8, "big"), start_time_unix_nano=now)
        _post_until_taken(f"{cold.url}/v1/traces", traces.SerializeToString())
        seconds = now // 1_000_000_000
        for path in (f"/api/v1/logs?start={seconds - 5}&end={seconds + 5}", f"/api/v1/traces/{'0b' * 16}"):
            states = in_parallel(4, lambda path=path: state_of(cold, path))
            assert set(states) <= {200, *TOO_MUCH}, states
        neighbour.may_fail.set()
        cold.kill_and_start()
        neighbour.may_fail.clear()
        found = requests.get(f"{cold.url}/api/v1/logs?start={seconds - 5}&end={seconds + 5}", headers=A, timeout=60)
        assert found.status_code == 200, found.text
        assert found.json()["warnings"]


def test_empty_elements_of_spans_and_records(cold: ColdStore) -> None:
    """D2: links, events and entries of lists of two bytes each, which become twenty to fifty of JSON, read many at once.
    As the door lets none of them in any more, they are given to storage itself."""
    now = time.time_ns()
    trace_id = bytes(range(1, 17))
    resource = message(1, attribute(1, "customer.id", "cliente-a"))
    for number, field in enumerate((9, 11, 13)):
        head = message(1, trace_id) + message(2, struct.pack(">Q", number + 1)) + fixed64(7, now) + fixed64(8, now)
        span = head + message(field) * (3 * MIB // 2)
        _post_until_taken(f"{cold.url}/v1/traces", message(1, resource, message(2, message(2, span))))
    lists = message(5, message(6, message(1) * (3 * MIB // 2)))
    _post_until_taken(f"{cold.url}/v1/logs", message(1, resource, message(2, message(2, fixed64(1, now), lists))))
    window = {"start": str(now // 10**9 - 60), "end": str(now // 10**9 + 60)}
    calls: list[tuple[str, dict[str, str]]] = [(f"/api/v1/traces/{trace_id.hex()}", {}), ("/api/v1/logs", window)] * 3

    def read(call: tuple[str, dict[str, str]]) -> tuple[int, str]:
        answer = requests.get(f"{cold.url}{call[0]}", params=call[1], headers=A, timeout=60)
        return answer.status_code, answer.text

    with bounded(cold, rss_max=256 * MIB), ThreadPoolExecutor(len(calls)) as pool:
        answers = list(pool.map(read, calls))
    for status, text in answers:
        assert status in (200, *TOO_MUCH), text[:200]
        assert status != 200 or "more spans than are shown" in text or "too large to be shown" in text, text[:200]


EMPTY = 100_000
SPANS_OF_A_TRACE = 20_000  # as many as an answer has
EMPTY_RSS_MAX = 96 * MIB  # beside what a program holds that has just begun
EMPTY_DISK_MAX = 32 * MIB  # with the log; a span has some hundred bytes of keys, and rows of its index


def disk_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("signal", ["traces", "logs"])
def test_empty_items_under_a_resource_of_a_mebibyte(cold: ColdStore, signal: str) -> None:
    """D-F3: items x resource were 100 GiB of rows. Of a span no more than its ids and time, of a log record nothing at all."""
    now = time.time_ns()
    big = attribute(1, "big", random.Random(1).randbytes(MIB // 2).hex())
    resource = message(1, attribute(1, "customer.id", "cliente-a"), attribute(1, "service.name", "shop"), big)
    items = [message(2)] * EMPTY
    if signal == "traces":
        ids = (struct.pack(">QQQ", 7, n // SPANS_OF_A_TRACE, n + 1) for n in range(EMPTY))
        items = [message(2, message(1, one[:16]), message(2, one[16:]), fixed64(7, now)) for one in ids]
    body = message(1, resource, message(2, *items))
    assert len(body) < 5 * MIB
    cold.note_rss()
    rss, disk = cold.peak_rss, disk_bytes(cold.folder)
    with bounded(cold):
        _post_until_taken(f"{cold.url}/v1/{signal}", body)
        cold.note_rss()
        rss, disk = cold.peak_rss - rss, disk_bytes(cold.folder) - disk
        print(f"{signal}: {len(body)} bytes became {rss // MIB} MiB of memory and {disk} bytes on disk")
        assert rss < EMPTY_RSS_MAX
        assert len(body) < disk < EMPTY_DISK_MAX
    assert cold.own_metric(f"vigia_storage_{'spans' if signal == 'traces' else 'log_records'}_stored_total") == EMPTY
    cold.kill_and_start()
    day = 86_400  # what has no time is filed under the day on which it came
    window = {"start": str(now // 10**9 - day), "end": str(now // 10**9 + 60), "limit": "5"}
    paths = {"traces": f"/api/v1/traces/{7:016x}{3:016x}", "logs": "/api/v1/logs"}
    with costing(cold, 5):  # each span had its resource hashed, which took 20 s
        found = requests.get(f"{cold.url}{paths[signal]}", params=window, headers=A, timeout=60)
    assert found.status_code == 200, found.text[:200]
    data = found.json()["data"]
    assert len(data[0]["spans"] if signal == "traces" else data) == (SPANS_OF_A_TRACE if signal == "traces" else 5)


def test_a_trace_that_no_answer_holds_is_cut(cold: ColdStore) -> None:
    """D11: nobody can ask for less of a trace."""
    now = time.time_ns()
    resource = message(1, attribute(1, "customer.id", "cliente-a"))
    trace_id = bytes(range(1, 17))
    for first in range(1, 1400, 40):
        spans = (
            message(1, trace_id)
            + message(2, struct.pack(">Q", number))
            + fixed64(7, now)
            + fixed64(8, now)
            + attribute(9, "big", "v" * 60_000)
            for number in range(first, first + 40)
        )
        _post_until_taken(
            f"{cold.url}/v1/traces", message(1, resource, message(2, *(message(2, span) for span in spans)))
        )
    with bounded(cold):
        answer = requests.get(f"{cold.url}/api/v1/traces/{trace_id.hex()}", headers=A, timeout=60)
    assert answer.status_code == 200, answer.text[:200]
    trace = answer.json()["data"][0]
    assert trace["warnings"] == ["the trace has more spans than are shown"]
    assert 1000 < len(trace["spans"]) < 1400
    assert 60 * MIB < len(answer.content) < 65 * MIB


SMALL = "memory_max: 256MiB\nlog: {bytes_max: 256MiB}"
SMALL_RSS_MAX = 307 * MIB  # as 1.2 GiB is to 1 GiB


def test_open_series_of_one_customer(cold: ColdStore) -> None:
    """Open series stood beside memory_max, 1.5 KiB each: 300,000 of one customer are closed early, the other's are not."""
    cold.end(15)
    cold.configure(SMALL)
    cold.start()
    now_ms = int(time.time() * 1000)
    load = Load(cold)
    values = random.Random(2)
    samples = sample_bytes(now_ms - 60_000, 1_000, [values.random() for _ in range(40)])
    with bounded(cold, rss_max=SMALL_RSS_MAX, longest_s=10) as neighbour:
        for first in range(0, 300_000, 1_000):
            body = b"".join(of_a("open", {"n": str(n)}, samples) for n in range(first, first + 1_000))
            load.write(body, 1_000 * 40)
            if first == 200_000:
                neighbour.may_fail.set()
                cold.kill_and_start()
                neighbour.may_fail.clear()
        assert cold.own_metric("vigia_storage_chunks_closed_for_memory_total") > 10_000
        assert cold.own_metric("vigia_storage_open_series_bytes") < 256 * MIB * 3 / 8 * 1.25
    load.bodies = values.sample(load.bodies, 20)
    load.assert_all_there(neighbour)
    assert cold.own_metric("vigia_faults_total") == 0


@pytest.mark.thorough
def test_series_that_come_once(cold: ColdStore) -> None:
    """What is known of series stood beside memory_max, up to 800 MiB, and was forgotten all at once."""
    cold.end(15)
    cold.configure(SMALL)
    cold.start()
    load = Load(cold)
    sample = sample_bytes(int(time.time() * 1000), 1_000, [1.0])
    with bounded(cold, rss_max=SMALL_RSS_MAX, longest_s=10) as neighbour:
        for first in range(0, 600_000, 10_000):
            body = b"".join(of_a("once", {"n": str(n)}, sample) for n in range(first, first + 10_000))
            load.write(body, 10_000)
            assert cold.own_metric("vigia_storage_index_memory_bytes") <= 256 * MIB / 16
            if first == 300_000:
                neighbour.may_fail.set()
                cold.kill_and_start()
                neighbour.may_fail.clear()
    load.bodies = random.Random(5).sample(load.bodies, 10)
    load.assert_all_there(neighbour)


@pytest.mark.thorough
def test_a_full_log_is_replayed(cold: ColdStore) -> None:
    """Past three quarters of its cap the log is emptied by closing chunks; what it holds at a kill is read again."""
    cold.end(15)
    cold.configure(SMALL)
    cold.start()
    now_ms = int(time.time() * 1000)
    load = Load(cold)
    values = random.Random(3)
    start_ms = now_ms - 100_000_000
    samples = sample_bytes(start_ms, 1_000, [values.random() for _ in range(100_000)])
    with bounded(cold, rss_max=SMALL_RSS_MAX, longest_s=10) as neighbour:
        for series in range(260):  # some 260 MiB of log
            load.write(of_a("full", {"n": str(series)}, samples), 100_000)
            assert cold.own_metric("vigia_storage_log_bytes") < 256 * MIB
        neighbour.may_fail.set()
        cold.kill_and_start()
        neighbour.may_fail.clear()
        assert cold.own_metric("vigia_storage_samples_replayed_total") > 0
    load.bodies = values.sample(load.bodies, 20)
    load.assert_all_there(neighbour)


def test_a_sweep_over_many_days(cold: ColdStore) -> None:
    """Two years of days, all but the last ones over at once when the retention is made shorter."""
    cold.end(15)
    cold.configure("retention: {raw: 800d, rollup_5m: off, rollup_1h: off, rollup_1d: off}")
    cold.start()
    now_ms = int(time.time() * 1000)
    load = Load(cold)
    days = sample_bytes(now_ms - 730 * 86_400_000, 86_400_000, [float(n) for n in range(731)])
    for first in range(0, 100, 10):
        load.write(b"".join(of_a("days", {"n": str(n)}, days) for n in range(first, first + 10)), 731 * 10)
    cold.end(15)
    cold.configure("retention: {raw: 30d, rollup_5m: 30d, rollup_1h: 30d, rollup_1d: 30d, interval: 1s}")
    cold.start()
    old = (now_ms - 700 * 86_400_000) // 1000
    question = {"matcher": "__name__=days", "start": str(old), "end": str(old + 400 * 86_400)}

    def is_gone() -> bool:
        requests.post(f"{cold.url}/api/v1/retention/confirm", headers=TOKEN, timeout=20)  # so large a step waits for it
        answer = requests.get(f"{cold.url}/api/v1/series", params=question, headers=A, timeout=30)
        return answer.status_code == 200 and answer.json()["data"] == []

    with bounded(cold) as neighbour:
        assert not is_gone()
        wait_for("the sweep has been", is_gone, 60)
        neighbour.may_fail.set()
        cold.kill_and_start()
        neighbour.may_fail.clear()
        recent = read_request([("days", now_ms - 20 * 86_400_000, now_ms)])
        assert post_read(cold.url, recent, CHUNKS, A).status_code == 200


def test_histograms_of_256_kib(cold: ColdStore) -> None:
    """Native ones of 32,000 buckets, open in the heads: two hundred of them are close to what all heads may hold."""
    now_ms = int(time.time() * 1000)
    load = Load(cold)
    with bounded(cold) as neighbour:
        for first in range(0, 600, 20):
            large = histogram(now_ms + first, [1.0 + first] * 32_000, is_float=True)
            rows = (series_of_histogram({"__name__": "large", "n": str(n)}, large) for n in range(first, first + 20))
            body = b"".join(rows)
            with costing(cold, 1):
                load.write(body, 20)
        neighbour.may_fail.set()
        cold.kill_and_start()
        neighbour.may_fail.clear()
    load.bodies = load.bodies[::6]
    load.assert_all_there(neighbour)


@pytest.mark.thorough
@pytest.mark.timeout(400)
def test_one_histogram_in_each_of_many_series(cold: ColdStore) -> None:
    """5 KiB each: the first one of each series was in no bound, nor was what a replay makes of them. 200,000 active series
    are a customer's by default: they were 1.3 GB, and so was the restart after it."""
    large = histogram(int(time.time() * 1000), [float(n) for n in range(1, 641)], is_float=True)
    load = Load(cold)
    series, step = 200_000, 1_000
    with bounded(cold, longest_s=10) as neighbour:
        for first in range(0, series, step):
            body = b"".join(
                series_of_histogram({"__name__": "lat", "n": str(n)}, large) for n in range(first, first + step)
            )
            load.write(body, step)
            if first == series // 2:
                neighbour.may_fail.set()
                cold.kill_and_start()
                neighbour.may_fail.clear()
        assert cold.own_metric("vigia_storage_chunks_closed_for_memory_total") > 0
        neighbour.may_fail.set()
        cold.kill_and_start()
        neighbour.may_fail.clear()
        assert cold.own_metric("vigia_storage_samples_replayed_total") > 0
    load.bodies = random.Random(4).sample(load.bodies, 20)
    load.assert_all_there(neighbour)


@pytest.mark.thorough
def test_the_largest_write_requests_at_once(cold: ColdStore) -> None:
    """16 MiB each: 900,000 samples of one series, or 150,000 series; four at once."""
    now_ms = int(time.time() * 1000)
    load = Load(cold)
    long = of_a("long", {}, sample_bytes(now_ms - 800_000, 1, [1.0] * 800_000))
    one = sample_bytes(now_ms, 1, [1.0])
    many = b"".join(of_a("short", {"n": f"{n:06}"}, one) for n in range(150_000))
    assert 12 * MIB < len(long) < 16 * MIB
    assert 10 * MIB < len(many) < 16 * MIB
    too_large = of_a("over", {}, sample_bytes(now_ms - 1_000_000, 1, [1.0] * 1_000_000))
    assert write_bytes(cold.url, too_large, A).status_code == 413
    with bounded(cold) as neighbour:
        with costing(cold, 5, 4):
            bodies = [(long, 800_000), (many, 150_000)] * 2
            turn = iter(bodies)
            in_parallel(4, lambda: load.write(*next(turn)))
        neighbour.may_fail.set()
        cold.kill_and_start()
        neighbour.may_fail.clear()
    assert len(load.bodies) == 4, "each was taken in the end"
    load.bodies = [bodies[0], bodies[1]]
    load.assert_all_there(neighbour)
