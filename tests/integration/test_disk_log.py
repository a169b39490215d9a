"""The collector's disk log while a required store is away: no customer takes it from the others (A6)."""

from __future__ import annotations

import os
import re
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from launcher.commands import Command
from launcher.layout import own_host
from otlp import resource_of
from protobuf_bytes import attribute, double, fixed64, message
from stack import Running, binaries, wait_for

TOKENS = {"greedy": "token-a", "small": "token-b"}
DIRECTORY = """
customers:
  - {id: greedy, name: A, hot_shard: hot-0, limits: {points_per_second: 1000}, tokens: [{token: token-a, scope: ingest}]}
  - {id: small, name: B, hot_shard: hot-0, tokens: [{token: token-b, scope: ingest}]}
"""
COLLECTOR = """
extensions:
  health_check: {{endpoint: "{host}:13133"}}
  vigia_auth: {{directory: {{file: "{folder}/customers.yaml"}}}}
  file_storage: {{directory: "{folder}/log", bytes_max: 512MiB}}
receivers:
  otlp: {{protocols: {{http: {{endpoint: "{host}:4318", max_request_body_size: 67108864, auth: {{authenticator: vigia_auth}}}}}}}}
processors: {{memory_limiter: {{limit_mib: 512}}}}
exporters:
  prometheusremotewrite/cold: {{endpoint: "http://{host}:9096/api/v1/write", required: true, headers: {{Authorization: "Bearer internal"}}, retry_on_failure: {{initial_interval: 100ms, max_interval: 1s}}}}
service:
  extensions: [health_check, vigia_auth, file_storage]
  telemetry: {{metrics: {{address: "{host}:8888"}}}}
  pipelines:
    metrics: {{receivers: [otlp], processors: [memory_limiter], exporters: [prometheusremotewrite/cold]}}
"""
STORAGE = """
listen: "{host}:9096"
metrics: {{listen: "{host}:9196"}}
internal_token: internal
store: {{rocksdb: {{directory: "{folder}/storage"}}}}
"""
LARGE = 60 << 20
CHUNK = 3 << 20
POINTS = LARGE // CHUNK


class Site:
    """A collector and the store that it needs, on a loopback address of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host = own_host()
        self.running: dict[str, Running] = {}
        self.held_mib = 0
        (folder / "customers.yaml").write_text(DIRECTORY)
        (folder / "collector.yaml").write_text(COLLECTOR.format(folder=folder, host=self.host))
        (folder / "storage.yaml").write_text(STORAGE.format(folder=folder, host=self.host))

    def start(self, name: str) -> None:
        words = [str(binaries() / f"vigia-{name}"), "--config", str(self.folder / f"{name}.yaml")]
        port = 13133 if name == "collector" else 9096
        self.running[name] = Running(
            Command(name, words, f"http://{self.host}:{port}/health"), self.folder / f"{name}.log"
        )
        self.running[name].wait_until_ready()

    def kill(self, name: str) -> None:
        if name == "collector":
            self.note_memory()
        self.running[name].end(9)

    def note_memory(self) -> None:
        """The most that the collector has held in this life."""
        status = Path(f"/proc/{self.running['collector'].pid}/status").read_text()
        self.held_mib = max(self.held_mib, int(status.partition("VmHWM:")[2].split()[0]) >> 10)

    def end(self) -> None:
        for running in self.running.values():
            running.end(9)

    def send(self, customer: str, padding: bytes = b"") -> requests.Response:
        """A point, or one for each CHUNK of padding, which lies in a field of theirs that OTLP does not know."""
        now = time.time_ns()
        points = [
            fixed64(3, now - begin)
            + double(4, 1.0)
            + (message(1000, padding[begin : begin + CHUNK]) if padding else b"")
            for begin in range(0, max(1, len(padding)), CHUNK)
        ]
        resource = b"".join(attribute(1, key, value) for key, value in resource_of(customer).items())
        metric = message(1, b"probe") + message(5, *(message(1, point) for point in points))
        body = message(1, message(1, resource), message(2, message(2, metric)))
        url = f"http://{self.host}:4318/v1/metrics"
        headers = {"Authorization": f"Bearer {TOKENS[customer]}", "Content-Type": "application/x-protobuf"}
        return requests.post(url, data=body, headers=headers, timeout=60)

    def own(self, name: str, *labels: str) -> float:
        """The sum of the collector's own samples of that name that carry the labels."""
        text = requests.get(f"http://{self.host}:8888/metrics", timeout=5).text
        lines = [line for line in text.splitlines() if re.match(name + r"[{ ]", line)]
        return sum(float(line.rpartition(" ")[2]) for line in lines if all(label in line for label in labels))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    try:
        yield made
    finally:
        made.end()


def test_who_fills_the_log_is_refused_alone_and_all_drains(site: Site) -> None:
    site.start("collector")
    noise = os.urandom(LARGE)  # nothing makes it smaller
    taken = 0
    while (answer := site.send("greedy", noise)).status_code == 200:
        taken += 1
        assert taken < 8, "512 MiB take no more"
    assert answer.status_code == 429
    assert b"share of the disk log" in answer.content
    assert int(answer.headers["Retry-After"]) >= 1
    assert taken >= 4, "half of the log is for whoever comes first"
    for _ in range(50):
        assert site.send("small").status_code == 200
    assert site.send("greedy", noise[: LARGE // 2]).status_code == 429
    assert site.own("vigia_items_rejected_total", 'customer_id="greedy"', 'reason="share"') == POINTS * 3 / 2
    assert site.own("vigia_items_rejected_total", 'customer_id="small"') == 0
    held = site.own("vigia_log_held_bytes", 'customer_id="greedy"')
    assert held > 200 << 20

    site.kill("collector")
    site.start("collector")
    assert site.own("vigia_log_held_bytes", 'customer_id="greedy"') == held
    assert site.send("small").status_code == 200
    assert site.send("greedy", noise[: LARGE // 2]).status_code == 429

    site.start("storage")
    wait_for("all has drained", lambda: site.own("vigia_items_queued") == 0, 90)
    sent = {
        customer: site.own("vigia_items_sent_total", f'customer_id="{customer}"') for customer in ("greedy", "small")
    }
    assert sent == {"greedy": taken * POINTS, "small": 51}
    wait_for("the share is free", lambda: site.send("greedy").status_code == 200)
    assert site.own("vigia_faults_total") == 0
    site.note_memory()
    assert 0 < site.held_mib < 640


def record_ends(segment: Path) -> list[int]:
    """Where its records end (docs/formats/disk-log.md)."""
    content = segment.read_bytes()
    ends, at = [], 64
    while content[at : at + 8] == content[16:24]:
        stored, _, _, sizes = struct.unpack_from("<IIII", content, at + 12)
        at += 56 + content[at + 55] + (sizes >> 24) + (sizes & 0xFFFFFF) + stored
        ends.append(at)
    return ends


def test_a_segment_that_lost_its_end_is_told(site: Site) -> None:
    """A file system that loses the tail of a file may cut it between two records: nothing said that some were gone."""
    site.start("collector")
    noise = os.urandom(1 << 20)
    for _ in range(40):
        assert site.send("small", noise).status_code == 200
    site.kill("collector")
    segments = sorted((site.folder / "log").glob("segment-*.log"))
    assert len(segments) >= 3
    ends = record_ends(segments[1])
    os.truncate(segments[1], ends[-4])
    site.start("collector")
    told = [line for line in (site.folder / "collector.log").read_text().splitlines() if "lost its end" in line]
    # Each reader that comes by says it once, in its own time: the deltas' looks for their sums alone.
    who = re.findall(r"exporter=(\S+)", "".join(told))
    assert "prometheusremotewrite/cold" in who
    assert len(who) == len(set(who))
    assert set(who) <= {"deltas", "prometheusremotewrite/cold"}
    for line in told:
        assert segments[1].name in line
        assert f"from_byte={ends[-4]} to_byte={ends[-1]}" in line
        assert "3 records at most" in line
    assert site.own("vigia_log_damaged_records_total") == 1
    site.start("storage")
    wait_for("all has drained", lambda: site.own("vigia_items_queued") == 0, 90)
    assert site.own("vigia_items_sent_total", 'customer_id="small"') == 40 - 3
    assert site.own("vigia_faults_total") == 0
