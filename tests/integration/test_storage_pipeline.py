"""Storage behind a real collector while hostile customers send wide series, large log records, spans and late samples and
read all of it at once: memory_max holds through a kill, and customer B is served."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import random
import re
import socket
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import collector_lanes
import pytest
import requests
from beside import Beside
from collector_lanes import COLD, STORAGE, Lanes
from otlp import gauge, metrics_request, resource_of
from protobuf_bytes import attribute, double, fixed64, message
from remote_read import CHUNKS, SAMPLES, post_read, read_request, samples_of
from stack import wait_for

pytestmark = pytest.mark.alone  # what it measures, others on the machine would change

MIB = 1 << 20
RSS_MAX = 1200 * MIB  # memory_max is 1 GiB
HALF_S = 20.0
WIDE, LOGS, LATE = "cliente-a", "cliente-c", "cliente-d"
TOKEN = {"Authorization": "Bearer secret"}


def of(customer: str) -> dict[str, str]:
    return {**TOKEN, "X-Vigia-Customer": customer}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lanes]:
    customers = "".join(
        f"  - {{id: {name}, name: {name}, hot_shard: hot-0, tokens: [{{token: token-{name[-1]}, scope: ingest}}]}}\n"
        for name in (WIDE, LOGS, LATE, "cliente-b")
    )
    monkeypatch.setattr(collector_lanes, "DIRECTORY", "customers:\n" + customers)
    monkeypatch.setattr(collector_lanes, "STORAGE", STORAGE + "memory_max: 1GiB\n")
    lanes = Lanes(tmp_path)
    lanes.configure(exporters=COLD, timeout="10s")
    yield lanes
    lanes.end()


def _request(customer: str, items: list[bytes], scope: bytes = b"") -> bytes:
    resource = b"".join(attribute(1, key, value) for key, value in resource_of(customer).items())
    head = message(1, message(1, scope)) if scope else b""
    return message(1, message(1, resource), message(2, head, *(message(2, item) for item in items)))


def _wide_series(number: int) -> bytes:
    """Each point of a series of its own, under 30 labels of nearly 2 KiB that are six times that in JSON."""
    labels = b"".join(attribute(7, f"l{n:02}", chr(1) * 1_900) for n in range(30))
    point = fixed64(3, time.time_ns()) + double(4, 1.0) + labels
    points = (message(1, point, attribute(7, "n", f"{number}-{n}")) for n in range(250))
    return _request(WIDE, [message(1, b"wide") + message(5, *points)])


def _large_records(number: int) -> bytes:
    now = time.time_ns()
    text = chr(1 + number % 8).encode() * (MIB // 2)
    return _request(LOGS, [fixed64(1, now + n) + message(5, message(1, text)) for n in range(20)])


def _spans(number: int) -> bytes:
    now = time.time_ns()
    first = number * 5_000
    spans = [
        message(1, b"\x0c" * 16) + message(2, (first + n + 1).to_bytes(8, "big")) + message(5, b"s") + fixed64(7, now)
        for n in range(5_000)
    ]
    return _request(LOGS, spans, chr(1).encode() * (60 << 10))


def _late_points(number: int) -> bytes:
    """Of 5,000 series, at any time of the last weeks."""
    moments = random.Random(number)
    now = time.time_ns()
    points = (
        message(1, fixed64(3, now - moments.randrange(20 * 86_400) * 10**9), double(4, 1.0), attribute(7, "n", str(n)))
        for n in range(5_000)
    )
    return _request(LATE, [message(1, b"late") + message(5, *points)])


class Hostile(Beside):
    """Everything at once, until it is ended; what the customers were told."""

    def __init__(self, site: Lanes) -> None:
        self.site = site
        self.sent: Counter[str] = Counter()
        self.read: Counter[str] = Counter()
        sends = (
            (WIDE, "metrics", _wide_series),
            (LOGS, "logs", _large_records),
            (LOGS, "traces", _spans),
            (LATE, "metrics", _late_points),
        )
        work: list[Callable[[], None]] = [
            lambda send=send: self._send(*send)  # type: ignore[misc]
            for send in sends
        ]
        work += [lambda ask=ask: self._ask(ask) for ask in self._questions() * 2]  # type: ignore[misc]
        super().__init__(*work, self._hold)

    def _questions(self) -> list[Callable[[], requests.Response]]:
        url, second = f"http://{self.site.host}:9096", int(time.time())
        paths = [
            (WIDE, "/api/v1/series?matcher=__name__%3Dwide&start=0"),
            (WIDE, "/api/v1/label/l07/values?matcher=__name__%3Dwide"),
            (LOGS, f"/api/v1/logs?start={second - 60}&end={second + 600}"),
            (LOGS, f"/api/v1/traces/{'0c' * 16}"),
            (LATE, "/api/v1/series?matcher=__name__%3D~.%2B&start=0"),
        ]
        asks: list[Callable[[], requests.Response]] = [
            lambda path=path, customer=customer: requests.get(  # type: ignore[misc]
                url + path, headers=of(customer), timeout=60
            )
            for customer, path in paths
        ]
        for customer, name in ((WIDE, "wide"), (LATE, "late")):
            body = read_request([(name, 0, 2**62)] * 4)
            asks += [
                lambda body=body, kind=kind, customer=customer: post_read(  # type: ignore[misc]
                    url, body, kind, of(customer)
                )
                for kind in (CHUNKS, SAMPLES)
            ]
        return asks

    def _send(self, customer: str, signal: str, make: Callable[[int], bytes]) -> None:
        for number in itertools.count():
            if self.ends.is_set():
                return
            body = gzip.compress(make(number), 1)
            headers = {
                "Content-Type": "application/x-protobuf",
                "Content-Encoding": "gzip",
                "Authorization": f"Bearer token-{customer[-1]}",
            }
            url = f"http://{self.site.host}:4318/v1/{signal}"
            with contextlib.suppress(requests.RequestException):
                self.sent[str(requests.post(url, data=body, headers=headers, timeout=60).status_code)] += 1

    def _ask(self, ask: Callable[[], requests.Response]) -> None:
        while not self.ends.is_set():
            try:
                self.read[str(ask().status_code)] += 1
            except requests.RequestException:
                self.ends.wait(0.2)  # killed just now

    def _hold(self) -> None:
        """Readers of large answers that read nothing."""
        while not self.ends.is_set():
            with contextlib.ExitStack() as held:
                for _ in range(20):
                    one = held.enter_context(socket.socket())
                    with contextlib.suppress(OSError):
                        one.connect((self.site.host, 9096))
                        head = "".join(f"{name}: {value}\r\n" for name, value in of(WIDE).items())
                        path = "/api/v1/series?matcher=__name__%3Dwide&start=0"
                        one.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode())
                self.ends.wait(5)


class Served(Beside):
    """Customer B: five points a second through the collector, and its series looked up."""

    def __init__(self, site: Lanes) -> None:
        super().__init__(self._send, self._look)
        self.site = site
        self.acknowledged: list[int] = []
        self.ingest: list[float] = []
        self.looks: list[float] = []
        self.failed: Counter[str] = Counter()

    def _send(self) -> None:
        while not self.ends.wait(0.2):
            now_ms = time.time_ns() // 1_000_000
            body = metrics_request(resource_of("cliente-b"), gauge("small", [(now_ms, 1.0)])).SerializeToString()
            begin = time.monotonic()
            status = self.site.send("cliente-b", body).status_code
            self.ingest.append(time.monotonic() - begin)
            if status == 200:
                self.acknowledged.append(now_ms)
            else:
                self.failed[f"send {status}"] += 1

    def _look(self) -> None:
        url = f"http://{self.site.host}:9096/api/v1/series?matcher=__name__%3Dsmall"
        while not self.ends.wait(0.2):
            begin = time.monotonic()
            try:
                answer = requests.get(url, headers=of("cliente-b"), timeout=30)
            except requests.RequestException:
                continue  # killed just now
            if answer.status_code == 503 and "storage is starting" in answer.text:
                continue  # likewise: its port is open while it replays its log
            self.looks.append(time.monotonic() - begin)
            if answer.status_code != 200:
                self.failed[f"look {answer.status_code}"] += 1


def peak_rss(site: Lanes) -> int:
    status = Path(f"/proc/{site.running['storage'].pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found
    return int(found[1]) * 1024


def faults(site: Lanes) -> list[str]:
    text = requests.get(f"http://{site.host}:9196/metrics", timeout=20).text
    return [line for line in text.splitlines() if line.startswith("vigia_faults_total") and not line.endswith(" 0")]


@pytest.mark.thorough
def test_memory_max_holds_behind_a_collector(site: Lanes) -> None:
    site.start("storage")
    site.start("collector")
    peaks = []
    with Served(site) as served, Hostile(site) as hostile:
        time.sleep(HALF_S)  # what is watched, not a wait
        peaks.append(peak_rss(site))
        site.kill("storage")
        site.start("storage")
        time.sleep(HALF_S)
        peaks.append(peak_rss(site))
    told = (
        f"RSS {[peak // MIB for peak in peaks]} MiB; A sent {dict(hostile.sent)}, read {dict(hostile.read)}; "
        f"B's ingest {statistics.median(served.ingest):.3f} s, {max(served.ingest):.2f} s at most, look-ups "
        f"{statistics.median(served.looks):.3f} s, {max(served.looks):.2f} s at most, {dict(served.failed)}"
    )
    print(told)
    question = read_request([("small", served.acknowledged[0], served.acknowledged[-1])])

    def has_all_of_b() -> bool:
        answer = post_read(f"http://{site.host}:9096", question, SAMPLES, of("cliente-b"))
        if answer.status_code != 200:
            return False
        found = set().union(*samples_of(answer).values())
        return set(served.acknowledged) <= found

    wait_for("all of B's points are stored", has_all_of_b, 60, 0.5)
    peaks.append(peak_rss(site))
    assert max(peaks) < RSS_MAX, told
    assert not served.failed, told
    assert hostile.sent["200"] > 20, told
    assert hostile.read["200"] > 20, told
    assert set(hostile.sent) <= {"200", "413", "429", "503"}, told
    assert set(hostile.read) <= {"200", "404", "422", "429", "503", "504"}, told
    assert statistics.median(served.ingest) < 0.5, told
    assert statistics.median(served.looks) < 0.5, told
    assert max(served.looks) < 5, told
    assert faults(site) == []
