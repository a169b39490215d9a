"""The agent alone, against a real collector: host metrics, buffer, relay, /health, and what it does in bad times."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from agent_site import Site, sample
from launcher.commands import Command
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality
from otlp import gauge, log_request, metrics_request, post, resource_of
from stack import Running, binaries, wait_for
from wall_clock import WallClock

OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"


def _value(line: str) -> float:
    return float(re.sub(r"^[^{ ]+({.*})?", "", line).split()[0])


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    try:
        yield made
    finally:
        made.close()


class Wire:
    """Passes TCP on, until it goes dead: then connections stay open and nothing passes, as with a firewall that has
    forgotten them. New connections pass."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._pairs: list[threading.Event] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def go_dead(self) -> int:
        """How many connections have gone dead."""
        dead, self._pairs = self._pairs, []
        for event in dead:
            event.set()
        return len(dead)

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            try:
                server = socket.create_connection(self._target)
            except ConnectionRefusedError:
                client.close()
                continue
            is_dead = threading.Event()
            self._pairs.append(is_dead)
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(source, sink, is_dead), daemon=True).start()

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket, is_dead: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not is_dead.is_set():
                    sink.sendall(data)
            if not is_dead.is_set():
                sink.close()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _numbered_log(number: int) -> bytes:
    body: bytes = log_request({"service.name": "tienda"}, f"record {number}").SerializeToString()
    return body


# R-SC-1.
@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_host_metrics_arrive_with_their_labels(site: Site, protocol: str) -> None:
    site.configure_agent(protocol=protocol)
    site.start("collector")
    site.start("agent")
    labels = ('customer_id="cliente-a"', 'node_id="web-01"', 'node_region="us-east-1"', 'environment="production"')
    usage = wait_for("system_cpu_usage", lambda: site.series("system_cpu_usage", *labels))
    assert len(usage) == 1
    assert 0 <= _value(usage[0]) <= 100
    (percent,) = site.series("system_memory_usage_percent", *labels)
    assert 0 < _value(percent) <= 100
    (reachable,) = site.series("agent_collector_reachable", 'job="vigia-agent"')
    assert _value(reachable) == 1
    for name in ("system_cpu_time_seconds_total", "system_memory_usage_bytes", "system_uptime_seconds"):
        assert site.series(name, *labels), name
    (limit,) = site.series("system_memory_limit_bytes")
    total_kib = int(re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())[1])  # type: ignore[index]
    assert _value(limit) == total_kib * 1024


def test_health_in_all_its_forms(site: Site) -> None:
    site.start("collector")
    site.start("agent")
    wait_for("healthy", lambda: site.health()["status"] == "healthy")
    health = site.health()
    assert health["collector_reachable"] is True
    assert re.fullmatch(r"\d+%", str(health["buffer_usage"]))
    assert re.fullmatch(r"\d+[hms](\d+[ms])?", str(health["uptime"]))
    url = f"http://{site.address('health')}"
    scraped = requests.get(f"{url}/health", headers={"Accept": OPENMETRICS}, timeout=5)
    assert scraped.headers["Content-Type"].startswith("application/openmetrics-text")
    assert scraped.text.endswith("# EOF\n")
    assert sample(scraped.text, "agent_collector_reachable") == 1
    assert sample(scraped.text, 'agent_buffer_dropped_total{reason="cap"}') == 0
    assert requests.get(f"{url}/ready", timeout=5).status_code == 200
    assert requests.get(f"{url}/metrics", timeout=5).status_code == 404
    assert requests.post(f"{url}/health", timeout=5).status_code == 405


def test_health_asks_for_its_token(site: Site) -> None:
    address = site.address("health")
    text = (site.folder / "agent.yaml").read_text()
    (site.folder / "agent.yaml").write_text(text.replace(f'listen: "{address}"', f'listen: "{address}", token: abc'))
    agent = Running(
        Command(
            "agent",
            [str(binaries() / "vigia-agent"), "--config", str(site.folder / "agent.yaml")],
            "",
            {"VIGIA_TOKEN": "token-a"},
        ),
        site.folder / "agent.log",
    )
    site.parts["agent"] = agent
    url = f"http://{address}/health"
    wait_for("the port", lambda: requests.get(url, timeout=2).status_code == 401)
    assert requests.get(url, headers={"Authorization": "Bearer wrong"}, timeout=5).status_code == 401
    assert requests.get(url, headers={"Authorization": "bearer abc"}, timeout=5).status_code == 200


# C30, C41.
def test_nothing_is_lost_while_the_collector_is_away_and_over_a_restart(site: Site) -> None:
    site.start("agent")
    wait_for("degraded", lambda: site.health()["status"] == "degraded")
    assert site.health()["collector_reachable"] is False
    for number in range(200):
        assert site.relay(_numbered_log(number), "logs").status_code == 200
    site.end("agent")  # SIGTERM with everything still in the buffer
    site.start("agent")
    site.start("collector")
    wait_for("all 200 records", lambda: site.received("logs") == 200, 60)
    wait_for("healthy", lambda: site.health()["status"] == "healthy", 40)
    wait_for("an empty buffer", lambda: site.own("agent_buffer_bytes") < 100_000)
    assert site.own('agent_items_refused_total{signal="logs"}') == 0
    assert site.received("logs") == 200


def test_a_clock_that_is_a_day_ahead_for_a_moment_drops_nothing(site: Site, tmp_path: Path) -> None:
    """The whole buffer went as too old."""
    clock = WallClock(tmp_path)
    site.environment["agent"] = clock.env
    agent = site.start("agent")
    for number in range(50):
        assert site.relay(_numbered_log(number), "logs").status_code == 200
    clock.set_ahead(25 * 3600)
    wait_for("the jump is seen", lambda: site.own("agent_clock_jumps_total") == 1)
    for number in range(50, 60):
        assert site.relay(_numbered_log(number), "logs").status_code == 200
    time.sleep(2)
    agent.end(9)  # in the middle of it, and started while the clock is still ahead
    site.start("agent")
    clock.set_ahead(0)
    for number in range(60, 100):
        assert site.relay(_numbered_log(number), "logs").status_code == 200
    site.start("collector")
    wait_for("all 100 records", lambda: site.received("logs") == 100, 60)
    assert site.own('agent_buffer_dropped_total{reason="too_old"}') == 0
    assert site.own('agent_items_refused_total{signal="logs"}') == 0
    assert "the wall clock" in (site.folder / "agent.log").read_text()


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_a_node_with_a_wrong_clock_says_so(site: Site, tmp_path: Path, protocol: str) -> None:
    """Its points were rejected as future, for good, and it said healthy."""
    site.configure_agent(protocol=protocol)
    clock = WallClock(tmp_path)
    clock.set_ahead(360)
    site.environment["agent"] = clock.env
    site.start("collector")
    site.start("agent")
    wait_for("the reason", lambda: "360 s ahead of the collector's" in site.reasons())
    assert site.health()["status"] == "degraded"
    assert site.health()["clock_offset_seconds"] == pytest.approx(360, abs=2)
    assert site.own("agent_clock_offset_seconds") == pytest.approx(360, abs=2)
    warnings = (site.folder / "agent.log").read_text().count("the clocks of node and collector differ")
    assert warnings == 1


def test_a_killed_agent_keeps_what_it_has_acknowledged(site: Site) -> None:
    agent = site.start("agent")
    for number in range(50):
        assert site.relay(_numbered_log(number), "logs").status_code == 200
    agent.end(9)
    site.start("collector")
    site.start("agent")
    wait_for("all 50 records", lambda: site.received("logs") >= 50, 40)


def test_a_refused_token_is_tried_again(site: Site) -> None:
    site.token = "not-yet-known"
    site.start("collector")
    site.start("agent")
    assert site.relay(_numbered_log(1), "logs").status_code == 200
    wait_for("degraded", lambda: site.health()["status"] == "degraded")
    customers = site.folder / "customers.yaml"
    customers.write_text(customers.read_text().replace("token-a", "not-yet-known"))
    wait_for("the record, once the token is known", lambda: site.received("logs") == 1, 60)
    wait_for("healthy", lambda: site.health()["status"] == "healthy", 40)


def _with_tls(site: Site, wire: Wire, protocol: str) -> None:
    """Puts TLS on the collector's doors, and sends the agent to it through the wire."""
    words = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=x",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
    ]
    files = ["-keyout", str(site.folder / "key.pem"), "-out", str(site.folder / "cert.pem")]
    subprocess.run(words + files, check=True, capture_output=True)
    tls = f"tls: {{cert_file: {site.folder}/cert.pem, key_file: {site.folder}/key.pem}}"
    collector = site.folder / "collector.yaml"
    collector.write_text(collector.read_text().replace("auth: {auth", f"{tls}, auth: {{auth"))
    site.configure_agent(protocol=protocol)
    agent = site.folder / "agent.yaml"
    text = agent.read_text().replace(f"http://{site.address(protocol)}", f"https://127.0.0.1:{wire.port}")
    agent.write_text(text.replace("protocol:", f"timeout: 2s, tls: {{ca_file: {site.folder}/cert.pem}}, protocol:"))


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_a_connection_that_silently_died_is_left(site: Site, protocol: str) -> None:
    wire = Wire((site.host, site.ports[protocol]))
    _with_tls(site, wire, protocol)
    site.start("collector")
    site.start("agent")
    wait_for("healthy", lambda: site.health()["status"] == "healthy")
    assert wire.go_dead() >= 1
    wait_for("degraded", lambda: site.health()["status"] == "degraded", 20)
    wait_for("healthy on another connection", lambda: site.health()["status"] == "healthy", 40)


def test_a_mistyped_customer_is_told_and_its_data_kept_apart(site: Site) -> None:
    right = (site.folder / "agent.yaml").read_text()
    (site.folder / "agent.yaml").write_text(right.replace("id: cliente-a", "id: cliente-z"))  # not the token's
    site.start("collector")
    site.start("agent")
    assert site.relay(_numbered_log(1), "logs").status_code == 200
    wait_for("the reason", lambda: "customer.id names another customer" in site.reasons())
    assert site.own('agent_items_refused_total{signal="logs"}') == 0  # it can be mended on either side
    site.end("agent")
    (site.folder / "agent.yaml").write_text(right)
    site.start("agent")
    assert site.relay(_numbered_log(2), "logs").status_code == 200
    wait_for("what is this customer's", lambda: site.own('agent_items_sent_total{signal="logs"}') == 1)
    assert site.own('agent_items_refused_total{signal="logs"}') == 1
    (kept,) = sorted((site.folder / "buffer" / "refused").glob("*-logs.otlp"))
    assert b"record 1" in kept.read_bytes()
    assert "cliente-z" in kept.with_suffix(".txt").read_text()


# C31.
def test_a_damaged_buffer_is_read_around(site: Site) -> None:
    site.configure_agent(interval="1h")
    site.start("agent")
    for number in range(60):
        assert site.relay(_numbered_log(number), "logs").status_code == 200
    site.parts["agent"].end(9)
    segment = max((site.folder / "buffer").glob("*"), key=lambda path: path.stat().st_size)
    damage = random.Random(7).randbytes(64)
    with segment.open("r+b") as file:
        file.seek(segment.stat().st_size // 2)
        file.write(damage)
    site.start("collector")
    site.start("agent")
    wait_for("what can be read", lambda: site.received("logs") >= 55, 40)
    assert site.received("logs") < 60
    assert site.own("agent_buffer_damaged_records_total") >= 1
    health = site.health()
    assert health["status"] == "degraded"
    assert "damaged" in json.dumps(health["reasons"])


# C32, C41, D22.
@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_full_disk_is_told_to_applications_and_passes(site: Site) -> None:
    folder = site.folder / "buffer"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], check=True)
    try:
        site.start("agent")
        (folder / "filler").write_bytes(os.urandom(7 << 20))
        noise = os.urandom(200_000).hex()
        body = log_request({"service.name": "tienda"}, noise).SerializeToString()
        answers = [site.relay(body, "logs") for _ in range(20)]
        refused = [answer for answer in answers if answer.status_code != 200]
        assert refused
        assert {answer.status_code for answer in refused} == {503}
        assert all("Retry-After" in answer.headers for answer in refused)
        assert site.health()["status"] == "degraded"
        (folder / "filler").unlink()
        wait_for("it takes data again", lambda: site.relay(_numbered_log(1), "logs").status_code == 200)
        site.start("collector")
        taken = len(answers) - len(refused) + 1
        wait_for("all that was acknowledged", lambda: site.received("logs") >= taken, 40)
    finally:
        site.close()
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_the_relay_stamps_the_customer_whatever_an_application_says(site: Site) -> None:
    site.start("collector")
    site.start("agent")
    forged = {"service.name": "tienda", "customer.id": "cliente-b", "customer-id": "cliente-b", "node.id": "x"}
    body = metrics_request(forged, gauge("orders_open", [(_now_ms(), 7.0)])).SerializeToString()
    assert site.relay(body).status_code == 200
    (line,) = wait_for("the point", lambda: site.series("orders_open"))
    assert 'customer_id="cliente-a"' in line
    assert 'node_id="web-01"' in line
    assert "cliente-b" not in line


def test_the_relay_takes_json_and_refuses_the_rest(site: Site) -> None:
    site.start("collector")
    site.start("agent")
    record = {"timeUnixNano": str(time.time_ns()), "body": {"stringValue": "hola"}}
    content = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
    answer = site.relay(json.dumps(content).encode(), "logs", "application/json")
    assert (answer.status_code, answer.json()) == (200, {})
    assert site.relay(b"{}", "logs", "text/plain").status_code == 415
    assert site.relay(b"\xff\xff", "logs").status_code == 400
    assert site.relay(b"", "other").status_code == 404
    wait_for("the record", lambda: site.received("logs") == 1)


def _durations(count: int, total: float, *, is_delta: bool) -> bytes:
    request = ExportMetricsServiceRequest()
    entry = request.resource_metrics.add()
    entry.CopyFrom(metrics_request({"service.name": "tienda"}).resource_metrics[0])
    metric = entry.scope_metrics[0].metrics.add(name="http.server.request.duration", unit="s")
    metric.histogram.aggregation_temporality = (
        AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
        if is_delta
        else AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    )
    now = time.time_ns()
    metric.histogram.data_points.add(
        start_time_unix_nano=now - 1_000_000_000,
        time_unix_nano=now,
        count=count,
        sum=total,
        bucket_counts=[0, count],
        explicit_bounds=[0.001],
    )
    body: bytes = request.SerializeToString()
    return body


def test_deltas_add_up_and_give_the_average_duration(site: Site) -> None:
    site.start("collector")
    site.start("agent")
    for _ in range(3):
        assert site.relay(_durations(4, 1.0, is_delta=True)).status_code == 200
    average = wait_for("the average", lambda: site.series("http_request_duration_seconds", 'job="tienda"'))
    assert _value(average[0]) == pytest.approx(0.25)
    assert 'customer_id="cliente-a"' in average[0]
    count = "http_server_request_duration_seconds_count"
    wait_for("the sum of all reports", lambda: [_value(line) for line in site.series(count)] == [12])


def _delta(value: int, seconds_ahead: int = 0) -> bytes:
    request = metrics_request({"service.name": "tienda"})
    metric = request.resource_metrics[0].scope_metrics[0].metrics.add(name="orders")
    metric.sum.is_monotonic = True
    metric.sum.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
    at = time.time_ns() + seconds_ahead * 1_000_000_000
    metric.sum.data_points.add(start_time_unix_nano=at - 1_000_000, time_unix_nano=at, as_int=value)
    body: bytes = request.SerializeToString()
    return body


def test_a8_one_delta_point_ahead_does_not_silence_its_series(site: Site) -> None:
    """It silenced the series until that time: the right ones after it got its time, and were refused."""
    directory = site.folder / "customers.yaml"
    b = "{id: cliente-b, name: B, hot_shard: hot-0, tokens: [{token: token-b, scope: ingest}]}]\n"
    directory.write_text(directory.read_text().replace("]}]\n", f"]}}, {b}"))
    site.configure_agent(interval="1h")
    site.start("collector")
    # While one customer's word stands against the collector's clock alone it would decide nothing.
    now_ms = time.time_ns() // 1_000_000
    right = metrics_request(resource_of("cliente-b"), gauge("right", [(now_ms, 1.0)])).SerializeToString()
    assert post(f"http://{site.address('http')}", "token-b", right).status_code == 200
    site.start("agent")
    assert site.relay(_delta(100, seconds_ahead=7200)).status_code == 200
    for _ in range(20):
        assert site.relay(_delta(1)).status_code == 200
    sent, rejected = 'agent_items_sent_total{signal="metrics"}', 'agent_items_rejected_total{signal="metrics"}'
    wait_for("all were sent", lambda: site.own(sent) + site.own(rejected) >= 21)
    assert site.own(rejected) == 1
    # What the refused one counted is in the sum of those after it.
    wait_for("the sum", lambda: [_value(line) for line in site.series("orders_total", 'job="tienda"')] == [120])


def _exponential_delta(count: int) -> bytes:
    request = ExportMetricsServiceRequest()
    entry = request.resource_metrics.add()
    entry.CopyFrom(metrics_request({"service.name": "tienda"}).resource_metrics[0])
    metric = entry.scope_metrics[0].metrics.add(name="latency", unit="s")
    histogram = metric.exponential_histogram
    histogram.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
    now = time.time_ns()
    point = histogram.data_points.add(
        start_time_unix_nano=now - 1_000_000_000, time_unix_nano=now, count=count, sum=1.0, scale=3
    )
    point.positive.bucket_counts.append(count)
    body: bytes = request.SerializeToString()
    return body


def test_exponential_deltas_do_not_vanish_at_the_collector(site: Site) -> None:
    site.configure_agent(interval="1h")
    site.start("collector")
    site.start("agent")
    for _ in range(3):
        assert site.relay(_exponential_delta(4)).status_code == 200
    wait_for("all three points", lambda: site.own('agent_items_sent_total{signal="metrics"}') >= 3)
    assert site.own('agent_items_rejected_total{signal="metrics"}') == 0


def _run(site: Site) -> subprocess.CompletedProcess[str]:
    words = [str(binaries() / "vigia-agent"), "--config", str(site.folder / "agent.yaml")]
    environment = {**os.environ, "VIGIA_TOKEN": "x"}
    return subprocess.run(words, capture_output=True, text=True, timeout=20, env=environment, check=False)


def test_an_endpoint_that_is_its_own_relay_is_refused(site: Site) -> None:
    file = site.folder / "agent.yaml"
    port = site.ports["relay_grpc"]
    text = file.read_text().replace(site.address("grpc"), f"localhost:{port}")
    file.write_text(text.replace(site.address("relay_grpc"), f"127.0.0.1:{port}"))
    done = _run(site)
    assert done.returncode == 2
    assert "agent.yaml:4: collector.endpoint" in done.stderr


# D21.
def test_second_copies_are_named(site: Site) -> None:
    site.start("agent")
    done = _run(site)
    assert done.returncode == 2
    assert f"{site.folder}/buffer" in done.stderr
    file = site.folder / "agent.yaml"
    file.write_text(file.read_text().replace(f"{site.folder}/buffer", f"{site.folder}/other"))
    done = _run(site)
    assert done.returncode == 2
    assert site.address("health") in done.stderr
