"""Each malformed request of malformed.py has its exact status, on both transports, and the next good one is served."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
import requests
from collector_alone import TOKEN, CollectorAlone
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import BadRequest
from google.rpc.status_pb2 import Status
from malformed import JSON, PROTOBUF, SIGNALS, Case, cases, good
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse

TABLE = Path(__file__).parent.parent / "golden" / "malformed" / "statuses.tsv"
METHODS = {
    "metrics": "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    "traces": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "logs": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
}
# R-OTLP-11: what one refusal is on either transport. 503: a time far ahead, while nobody has shown the collector that its
# own clock is right, as nobody does here.
SAME = {200: 0, 400: 3, 403: 7, 413: 8, 503: 14}
PROTOBUF_HEADERS = {"Authorization": f"Bearer {TOKEN}", "Content-Type": PROTOBUF}
# What a bomb of 1 GiB may cost, the megabyte in which it comes counted.
BOMB_KIB_MAX, BOMB_CPU_MS_MAX = 4_096, 40


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorAlone]:
    with CollectorAlone(tmp_path_factory.mktemp("malformed")) as made:
        yield made


def _rejected(body: bytes, content_type: str, answer: requests.Response | None = None) -> int:
    if content_type == JSON:
        assert answer is not None
        partial = answer.json().get("partialSuccess", {})
        return sum(int(value) for key, value in partial.items() if key.startswith("rejected"))
    # The counts of all signals have one number.
    return int(ExportMetricsServiceResponse.FromString(body).partial_success.rejected_data_points)


def _with_count(code: int, rejected: int) -> str:
    return f"{code}/{rejected}" if rejected else str(code)


class Sender:
    def __init__(self, collector: CollectorAlone) -> None:
        self.http = collector.http
        self.session = requests.Session()
        self.channel = grpc.insecure_channel(f"{collector.host}:4317")
        self.calls = {
            signal: self.channel.unary_unary(method, request_serializer=None, response_deserializer=None)
            for signal, method in METHODS.items()
        }

    def by_http(self, case: Case) -> str:
        headers = {"Authorization": f"Bearer {TOKEN}", **case.headers}
        if case.content_type:
            headers["Content-Type"] = case.content_type
        answer = self.session.post(f"{self.http}/v1/{case.signal}", data=case.body, headers=headers, timeout=10)
        if answer.status_code == 200:
            return _with_count(200, _rejected(answer.content, case.content_type, answer))
        self._check_error(case, answer)
        return str(answer.status_code)

    # R-OTLP-7: every error is a Status in the encoding of the request, a 400 with what is wrong.
    def _check_error(self, case: Case, answer: requests.Response) -> None:
        if answer.status_code == 415 and case.content_type not in (PROTOBUF, JSON):
            assert answer.json()["message"]
            return
        assert answer.headers["Content-Type"] == case.content_type, case.name
        assert len(answer.content) < 4_096, case.name  # R-OTLP-4
        if case.content_type == JSON:
            told = answer.json()
            assert told["code"] == SAME[answer.status_code], case.name
            if answer.status_code == 400:
                assert told["details"][0]["fieldViolations"][0]["description"], case.name
            return
        status = Status.FromString(answer.content)
        assert status.message, case.name
        if answer.status_code == 400:
            bad = BadRequest()
            assert status.details[0].Unpack(bad), case.name
            assert bad.field_violations[0].description, case.name

    def by_grpc(self, case: Case) -> str:
        try:
            answer = self.calls[case.signal](case.body, metadata=(("authorization", f"Bearer {TOKEN}"),), timeout=10)
        except grpc.RpcError as error:
            code = int(error.code().value[0])
            if code == 3:
                trailers = dict(error.trailing_metadata())
                status = Status.FromString(trailers["grpc-status-details-bin"])
                assert status.details[0].Is(BadRequest.DESCRIPTOR), case.name
            return str(code)
        return _with_count(0, _rejected(answer, PROTOBUF))


def _table() -> dict[str, tuple[str, str]]:
    rows = (line.split("\t") for line in TABLE.read_text().splitlines() if line and not line.startswith("#"))
    return {name: (http, over_grpc) for name, http, over_grpc in rows}


def _write(found: dict[str, tuple[str, str]]) -> None:
    head = "# name, status over HTTP, code over gRPC; behind a slash how many items were refused of a request that was taken\n"
    TABLE.write_text(head + "".join(f"{name}\t{http}\t{over_grpc}\n" for name, (http, over_grpc) in found.items()))


# What the reference refuses as a whole and we take apart (bad UTF-8 costs its item alone, C24), or bound otherwise.
OTHERWISE = ("bad UTF-8", " deep", "byte ")


# A delta counts once: what comes again by the other transport is told as a repeat.
ONCE = ("metrics/histogram: delta", "metrics/a delta sum")


def test_each_has_its_exact_status_on_both_transports(collector: CollectorAlone) -> None:
    sender = Sender(collector)
    found: dict[str, tuple[str, str]] = {}
    for case in cases():
        assert case.name not in found
        http = sender.by_http(case)
        over_grpc = sender.by_grpc(case) if case.over_grpc else "-"
        found[case.name] = (http, over_grpc)
        if case.name in ONCE:
            assert (http, over_grpc) == ("200", "0/1"), case.name
        elif case.over_grpc:
            status, _, rejected = http.partition("/")
            assert over_grpc == _with_count(SAME[int(status)], int(rejected or 0)), case.name
            if not any(word in case.name for word in OTHERWISE):
                _beside_the_reference(case, status)
    assert len(found) >= 500
    if os.environ.get("WRITE_GOLDEN"):
        _write(found)
    assert found == _table()
    for signal in SIGNALS:
        whole = Case("good", signal, good(signal).SerializeToString())
        assert (sender.by_http(whole), sender.by_grpc(whole)) == ("200", "0")


def _beside_the_reference(case: Case, status: str) -> None:
    try:
        type(good(case.signal)).FromString(case.body)
    except DecodeError:
        assert status == "400", case.name


def _resident_kib(collector: CollectorAlone, what: str) -> int:
    for line in Path(f"/proc/{collector.running.pid}/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1])
    raise AssertionError(what)


def _cpu_ms(collector: CollectorAlone) -> float:
    fields = Path(f"/proc/{collector.running.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def _bomb(coding: str, mib: int, folder: Path) -> bytes:
    """Zeros, as many MiB."""
    made = folder / f"{coding}-{mib}"
    if not made.exists():
        pack = {"gzip": "gzip -9", "zstd": "zstd -q -19 --long=27"}[coding]
        subprocess.run(f"head -c {mib}M /dev/zero | {pack} > {made}", shell=True, check=True)
    return made.read_bytes()


def _chunks(body: bytes) -> Iterator[bytes]:
    for at in range(0, len(body), 4_096):
        yield body[at : at + 4_096]


def _by_curl(collector: CollectorAlone, coding: str, bomb: Path) -> int:
    """Over gRPC, compressed as gRPC does it: the code of its trailers."""
    body = bomb.read_bytes()
    framed = bomb.with_suffix(".grpc")
    framed.write_bytes(b"\1" + len(body).to_bytes(4, "big") + body)
    words = [
        "curl", "-sS", "--http2-prior-knowledge", "-m", "20", "-D", "-", "-o", "/dev/null",
        "-H", f"Authorization: Bearer {TOKEN}", "-H", "content-type: application/grpc", "-H", "te: trailers",
        "-H", f"grpc-encoding: {coding}", "--data-binary", f"@{framed}",
        f"http://{collector.host}:4317{METHODS['metrics']}",
    ]  # fmt: skip
    told = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False).stdout
    (code,) = (line.split(":")[1] for line in told.splitlines() if line.lower().startswith("grpc-status:"))
    return int(code)


# C21, R-SEC-1: each way in, and the next good request is served.
@pytest.mark.parametrize("coding", ["gzip", "zstd"])
@pytest.mark.parametrize("way", ["length", "chunked", "grpc"])
def test_a_bomb_is_refused_before_it_is_held(collector: CollectorAlone, coding: str, way: str, tmp_path: Path) -> None:
    sender = Sender(collector)
    whole = Case("good", "metrics", good("metrics").SerializeToString())
    headers = {**PROTOBUF_HEADERS, "Content-Encoding": coding}

    def send(bomb: bytes) -> int:
        if way == "grpc":
            return _by_curl(collector, coding, tmp_path / f"{coding}-1024")
        body = bomb if way == "length" else _chunks(bomb)
        return requests.post(f"{collector.http}/v1/metrics", data=body, headers=headers, timeout=30).status_code

    bomb = _bomb(coding, 1_024, tmp_path)
    assert len(bomb) < 2 << 20
    assert sender.by_http(whole) == "200"
    peak, cpu = _resident_kib(collector, "VmHWM:"), _cpu_ms(collector)
    begin = time.monotonic()
    assert send(bomb) == (8 if way == "grpc" else 413)
    grown = _resident_kib(collector, "VmHWM:") - peak
    spent = _cpu_ms(collector) - cpu
    print(
        f"\n{coding} {way}: {grown} KiB more at the peak, {spent:.0f} ms of processor, {time.monotonic() - begin:.3f} s"
    )
    assert grown <= BOMB_KIB_MAX
    assert spent <= BOMB_CPU_MS_MAX
    assert (sender.by_http(whole), sender.by_grpc(whole)) == ("200", "0")
