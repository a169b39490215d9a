"""Native histograms from the cold store, beside a real Prometheus that holds the same and is read the same way."""

from __future__ import annotations

import math
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from cold_model import Value
from cold_values import STALE, has_a_bucket_twice, histogram_of, sampled, streamed
from disk_log_files import change_records
from histogram_shapes import shapes
from launcher import parts
from launcher.commands import Command
from launcher.layout import own_host
from remote_read import CHUNKS, SAMPLES, post_read, read_request
from remote_write import Histogram, histogram, post_histogram, unpack, write_mixed
from stack import Running, binaries
from streamed_chunks import chunks_of

TOKEN = {"Authorization": "Bearer secret"}
STEP_MS = 15_000
BLOCK_MS = 7_200_000
SPREAD_MS = 1 << 20  # of the moments at which series begin a new window of two hours
GAUGE = 3
STORAGE = """
listen: {host}:9096
metrics: {{listen: "{host}:9196"}}
internal_token: secret
store: {{rocksdb: {{directory: "{folder}/storage"}}}}
"""
QUERY = """
global: {{}}
remote_read: [{{url: "{url}/api/v1/read", read_recent: true, authorization: {{credentials: secret}}}}]
"""
EXPRESSIONS = (
    "h[20m]",
    "resets(h[6m])",
    "resets(h[20m])",
    "changes(h[6m])",
    "rate(h[5m])",
    "increase(h[15m])",
    "delta(h[5m])",
    "sum_over_time(h[3m])",
    "histogram_count(h)",
    "histogram_sum(rate(h[5m]))",
    "histogram_quantile(0.9, rate(h[5m]))",
    "sum(h)",
)


class Reads:
    """vigia-storage and a Prometheus with the same data, and over each an empty Prometheus that evaluates."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host = own_host()
        self.running: list[Running] = []
        self.cold = f"http://{self.host}:9096"
        self.truth = f"http://{self.host}:9090"
        (folder / "storage.yaml").write_text(STORAGE.format(folder=folder, host=self.host))
        (folder / "truth.yml").write_text("global: {}\n")

    def start(self) -> None:
        words = [str(binaries() / "vigia-storage"), "--config", str(self.folder / "storage.yaml")]
        self._run(Command("storage", words, f"{self.cold}/ready", {}))
        self._prometheus("truth", 9090, "--web.enable-remote-write-receiver")
        for name, url, port in (("over-cold", self.cold, 9091), ("over-truth", self.truth, 9092)):
            (self.folder / f"{name}.yml").write_text(QUERY.format(url=url))
            self._prometheus(name, port)

    def _prometheus(self, name: str, port: int, *flags: str) -> None:
        words = [
            str(parts.program("prometheus-3")),
            f"--config.file={self.folder}/{name}.yml",
            f"--storage.tsdb.path={self.folder}/{name}",
            f"--web.listen-address={self.host}:{port}",
            "--enable-feature=native-histograms",
            *flags,
        ]
        self._run(Command(name, words, f"http://{self.host}:{port}/-/ready", {}))

    def _run(self, command: Command) -> None:
        self.running.append(Running(command, self.folder / f"{command.name}.log"))
        self.running[-1].wait_until_ready()

    def write(self, kind: str, samples: list[tuple[int, float]], histograms: list[bytes]) -> None:
        labels = {"__name__": "h", "customer_id": "cliente-a", "kind": kind}
        write_mixed(self.cold, labels, samples, histograms, {**TOKEN, "X-Vigia-Customer": "cliente-a"})
        write_mixed(self.truth, labels, samples, histograms)

    def write_to(self, url: str, kind: str, histograms: list[bytes]) -> None:
        labels = {"__name__": "h", "customer_id": "cliente-a", "kind": kind}
        write_mixed(url, labels, [], histograms, {**TOKEN, "X-Vigia-Customer": "cliente-a"})

    def evaluate(self, port: int, expression: str, at_ms: int) -> Any:
        answer = requests.get(
            f"http://{self.host}:{port}/api/v1/query",
            params={"query": expression, "time": str(at_ms / 1000)},
            timeout=30,
        )
        assert answer.status_code == 200, f"{expression}: {answer.text}"
        return sorted(answer.json()["data"]["result"], key=lambda entry: str(entry["metric"]))

    def post(self, kind: str, made: Histogram, at_ms: int) -> requests.Response:
        """To storage alone."""
        labels = {"__name__": "h", "customer_id": "cliente-a", "kind": kind}
        return post_histogram(self.cold, labels, made, at_ms, {**TOKEN, "X-Vigia-Customer": "cliente-a"})

    def start_storage_again(self, folder_while_down: Callable[[Path], None]) -> None:
        self.running[0].end(9)
        folder_while_down(self.folder / "storage" / "wal")
        self.running[0] = Running(self.running[0].command, self.running[0].log)
        self.running[0].wait_until_ready()

    def metric(self, name: str) -> float:
        lines = requests.get(f"http://{self.host}:9196/metrics", timeout=5).text.splitlines()
        (value,) = [line.rpartition(" ")[2] for line in lines if line.startswith(f"{name} ")]
        return float(value)


@pytest.fixture
def reads(tmp_path: Path) -> Iterator[Reads]:
    made = Reads(tmp_path)
    try:
        made.start()
        yield made
    finally:
        for running in made.running:
            running.end(9)


def buckets_at(number: int) -> list[float]:
    """Grows, loses everything at the twentieth step, and has one bucket more from the thirtieth on."""
    since = number if number < 20 else number - 20
    return [since * 2.0 + 1, since + 3.0, *([float(since)] if number >= 30 else [])]


def test_histograms_read_as_from_a_prometheus(reads: Reads) -> None:
    """D-F2: float histograms and mixed series failed or gave other values."""
    start_ms = (int(time.time()) // 15 - 60) * STEP_MS
    times = [start_ms + n * STEP_MS for n in range(50)]
    for is_float in (False, True):
        name = "float" if is_float else "integer"
        reads.write(name, [], [histogram(t, buckets_at(n), is_float=is_float) for n, t in enumerate(times)])
        gauges = [histogram(t, buckets_at(n), is_float=is_float, hint=GAUGE) for n, t in enumerate(times)]
        reads.write(f"{name} gauge", [], gauges)
        # Floats, then histograms, then floats: Prometheus takes a series as it comes, in the order of time.
        for part in range(5):
            some = list(enumerate(times))[part * 10 : part * 10 + 10]
            floats = [(t, float(n)) for n, t in some] if part % 2 == 0 else []
            packed = [] if floats else [histogram(t, buckets_at(n), is_float=is_float, offset=2) for n, t in some]
            reads.write(f"{name} mixed", floats, packed)
    compared = 0
    for expression in EXPRESSIONS:
        for at_ms in (*times[::7], times[-1] + 60_000):
            expected = reads.evaluate(9092, expression, at_ms)
            assert reads.evaluate(9091, expression, at_ms) == expected, f"{expression} at {at_ms - start_ms}"
            compared += len(expected)
    assert compared > 200


# Not histogram_fraction: it takes the zero bucket for another one where a chunk has an empty negative bucket, which it gets
# from whatever came later.
SHAPE_EXPRESSIONS = (
    "h[10m]",
    "resets(h[3m])",
    "changes(h[3m])",
    "rate(h[2m])",
    "increase(h[6m])",
    "delta(h[2m])",
    "avg_over_time(h[2m])",
    "histogram_count(h)",
    "histogram_avg(rate(h[2m]))",
    "histogram_quantile(0.9, rate(h[2m]))",
)


def chunks_by_kind(answer: requests.Response) -> dict[str, list[tuple[int, str]]]:
    """Encoding and bytes."""
    assert answer.status_code == 200, answer.text
    return {
        dict(labels)["kind"]: [(encoding, data.hex()) for encoding, data in chunks]
        for labels, chunks in chunks_of(answer.content).items()
    }


def of_one_window(start_ms: int, steps: int) -> int:
    """As it is or earlier: where a block of two hours begins, Prometheus begins new chunks, and storage soon after.

    There each series does so at a moment of its own."""
    behind_ms = (start_ms + steps * STEP_MS) % BLOCK_MS
    return start_ms - behind_ms - STEP_MS if behind_ms < SPREAD_MS + steps * STEP_MS else start_ms


@pytest.mark.parametrize("seed", [2, 3])
def test_chunks_are_those_of_prometheus(reads: Reads, seed: int) -> None:
    """Ten steps are fewer than Prometheus ends a chunk after for its length: all bytes are the same, of each shape."""
    start_ms = (int(time.time()) // 15 - 60) * STEP_MS
    # A chunk that is made of two no longer says that its first reset was explicit.
    start_ms = of_one_window(start_ms, 10)
    made = {name: steps[:10] for name, steps in shapes(seed, 10).items()}
    for name, steps in made.items():
        reads.write(name, [], [one.message(start_ms + n * STEP_MS) for n, one in enumerate(steps)])
    request = read_request([("h", start_ms, 2**63 - 1)])  # the last chunk too as it lies there, not packed anew
    expected = chunks_by_kind(post_read(reads.truth, request, CHUNKS, {}))
    assert expected.keys() == made.keys()
    found = chunks_by_kind(post_read(reads.cold, request, CHUNKS, TOKEN))
    for name in made:
        assert found[name] == expected[name], name
    assert sum(map(len, expected.values())) > len(made) * 5 // 4
    for expression in SHAPE_EXPRESSIONS:
        for at_ms in range(start_ms + 3 * STEP_MS, start_ms + 12 * STEP_MS, 4 * STEP_MS):
            truth = reads.evaluate(9092, expression, at_ms)
            assert reads.evaluate(9091, expression, at_ms) == truth, f"{expression} at {at_ms - start_ms}"


def test_stored_chunks_and_late_ones_read_as_from_a_prometheus(reads: Reads) -> None:
    """Each series closes chunks into the store, of which late histograms overlap some; after kill -9 and the log, too."""
    made = shapes(4, 130)
    step_ms = 5_000  # Prometheus takes nothing that is an hour older than what it has
    start_ms = (int(time.time()) // 15 - 200) * STEP_MS
    sent = {name: [one.message(start_ms + n * step_ms) for n, one in enumerate(steps)] for name, steps in made.items()}
    for name, messages in sent.items():
        reads.write_to(reads.truth, name, messages)
        reads.write_to(reads.cold, name, [one for n, one in enumerate(messages) if n % 7 != 5])
        reads.write_to(reads.cold, name, messages[5::7])
    assert reads.metric("vigia_storage_samples_stored_total") == sum(map(len, sent.values()))
    request = read_request([("h", start_ms, 2**63 - 1)])
    chunks = chunks_by_kind(post_read(reads.truth, request, CHUNKS, {}))
    kinds = {name for name in made if not any(has_a_bucket_twice(bytes.fromhex(data)) for _, data in chunks[name])}
    assert len(kinds) > len(made) * 2 // 3
    for _ in range(2):
        for expression in SHAPE_EXPRESSIONS:
            for step in (3, 66, 131, 400):
                at_ms = start_ms + step * step_ms
                truth = [one for one in reads.evaluate(9092, expression, at_ms) if one["metric"]["kind"] in kinds]
                found = [one for one in reads.evaluate(9091, expression, at_ms) if one["metric"]["kind"] in kinds]
                assert found == truth, f"{expression} at step {step}"
        reads.start_storage_again(lambda _: None)
    for name, messages in sent.items():
        reads.write_to(reads.cold, name, messages)
    assert reads.metric("vigia_storage_samples_conflicting_total") == 0


def test_samples_and_chunks_say_what_was_sent(reads: Reads) -> None:
    start_ms = (int(time.time()) // 15 - 300) * STEP_MS
    sent: dict[str, dict[int, Value]] = {}
    for name, steps in shapes(9, 30).items():
        messages = [one.message(start_ms + n * STEP_MS) for n, one in enumerate(steps)]
        reads.write_to(reads.cold, name, messages)
        sent[name] = {time_ms: value_of(said) for time_ms, said in map(histogram_of, messages)}
    request = read_request([("h", start_ms, 2**62)])
    as_samples = sampled(post_read(reads.cold, request, SAMPLES, TOKEN))
    in_chunks = streamed(post_read(reads.cold, request, CHUNKS, TOKEN).content)
    for found in (as_samples, in_chunks):
        by_kind = {dict(labels)["kind"]: values for labels, values in found.items()}
        assert {kind: {at: value_of(said) for at, said in values.items()} for kind, values in by_kind.items()} == sent


def value_of(said: Value) -> Value:
    """A stale mark says nothing else."""
    assert isinstance(said, tuple)
    return (said[0], STALE) if said[3] == STALE else said


def sound(threshold: float = 0.001, schema: int = 0) -> Histogram:
    return Histogram(6, 1.5, schema, threshold, 0, (1, (1, 2, 3)), (1, ()))


THRESHOLDS = (math.nan, math.inf, -math.inf, -1.0)


def test_a_zero_threshold_that_is_no_width_is_refused(reads: Reads) -> None:
    """Prometheus takes each of these; a query over two of them does not end, and twenty such stop all rules."""
    now_ms = int(time.time() * 1000)
    for number, threshold in enumerate(THRESHOLDS):
        answer = reads.post(f"bad {number}", sound(threshold), now_ms)
        assert answer.status_code == 400, answer.text
        assert "zero_threshold" in answer.text
    assert "schema" in reads.post("bad schema", sound(schema=100), now_ms).text
    assert reads.post("sound", sound(), now_ms).status_code == 204
    refused = reads.metric('vigia_storage_samples_refused_total{reason="invalid"}')
    assert refused == len(THRESHOLDS) + 1
    assert reads.evaluate(9091, "histogram_count(sum(h))", now_ms)[0]["value"][1] == "6"


def test_what_is_stored_with_such_a_threshold_is_left_out(reads: Reads) -> None:
    """An earlier version took them: their samples lie in its log as they would lie in its tables."""
    # What has reached a table cannot be spoiled in the log.
    now_ms = of_one_window((int(time.time()) // 15 - 3) * STEP_MS, 3) + 3 * STEP_MS
    times = [now_ms - n * STEP_MS for n in range(3, 0, -1)]
    marks = [0.123456789 + number for number in range(len(THRESHOLDS))]
    for number, mark in enumerate(marks):
        for at_ms in times:
            assert reads.post(f"stored {number}", sound(mark), at_ms).status_code == 204
        assert reads.post(f"stored {number}", sound(), now_ms).status_code == 204
    for at_ms in times:
        assert reads.post("sound", sound(0.5), at_ms).status_code == 204

    def spoil(log: Path) -> None:
        for threshold, mark in zip(THRESHOLDS, marks, strict=True):
            assert change_records(log, struct.pack("<d", mark), struct.pack("<d", threshold)) == len(times)

    reads.start_storage_again(spoil)
    for expression, count in (("sum(rate(h[2m]))", 1), ("sum(h)", 1), ("sum_over_time(h[2m])", 5), ("avg(h)", 1)):
        assert len(reads.evaluate(9091, expression, now_ms)) == count, expression
    found = reads.evaluate(9091, "count_over_time(h[2m])", now_ms)
    assert {entry["metric"]["kind"]: entry["value"][1] for entry in found} == {
        "sound": "3",
        **{f"stored {number}": "1" for number in range(len(marks))},
    }
    left_out = reads.metric("vigia_storage_damaged_histograms_total")
    assert left_out >= len(times) * len(marks)
    request = read_request([("h", times[0], now_ms)])
    for kind in (CHUNKS, SAMPLES):
        answer = post_read(reads.cold, request, kind, TOKEN)
        assert answer.status_code == 200
        content = unpack(answer.content) if kind == SAMPLES else answer.content
        assert content.count(b"stored") == len(marks)
        for threshold in THRESHOLDS:
            assert struct.pack("<d", threshold) not in content
        assert reads.metric("vigia_storage_damaged_histograms_total") > left_out
        left_out = reads.metric("vigia_storage_damaged_histograms_total")
    assert (reads.folder / "storage.log").read_text().count("no Prometheus can work with") == 1
    assert reads.metric("vigia_faults_total") == 0
