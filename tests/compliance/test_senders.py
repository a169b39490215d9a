"""Senders that others made, three signals each, through a collector to the Go collector, where what has come is counted.

The Go collector itself (otlp and otlphttp, gzip and zstd) and the SDK for Node; the Python SDK and grpcurl are in
tests/integration/test_clients.py. `./vigia test compliance`.
"""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from collector_alone import CUSTOMER, TOKEN, CollectorAlone
from go_collector import PORTS, GoCollector
from launcher.commands import Command
from launcher.compliance import go_collector, node_sdk
from launcher.layout import own_host
from otlp_items import SIGNALS, exporter_of, request_of
from stack import Running, wait_for

ITEMS = 20
SENDER = """
receivers:
  otlp: {{protocols: {{http: {{endpoint: "{host}:16318"}}}}}}
exporters:
  {kind}: {{endpoint: "{endpoint}", tls: {{insecure: true}}, compression: {compression}, headers: {{authorization: "Bearer {token}"}}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    metrics: {{receivers: [otlp], exporters: [{kind}]}}
    traces: {{receivers: [otlp], exporters: [{kind}]}}
    logs: {{receivers: [otlp], exporters: [{kind}]}}
"""


@pytest.fixture
def path(tmp_path: Path) -> Iterator[tuple[CollectorAlone, GoCollector]]:
    """A collector, and the far end of what it takes."""
    go_collector()
    host = own_host()
    words = exporter_of("grpc", "http", host, PORTS["grpc"])
    with GoCollector(tmp_path, host) as end, CollectorAlone(tmp_path, host, **words) as collector:
        yield collector, end


def _assert_items(end: GoCollector) -> None:
    for signal in SIGNALS:
        wait_for(f"all {signal}", lambda s=signal: sum(end.names(s).values()) >= ITEMS)  # type: ignore[misc]
        assert end.names(signal) == Counter(f"item_{n}" for n in range(ITEMS)), signal


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
@pytest.mark.parametrize("kind", ["otlp", "otlphttp"])
def test_the_go_collector(
    path: tuple[CollectorAlone, GoCollector], tmp_path: Path, kind: str, compression: str
) -> None:
    import requests

    collector, end = path
    host = collector.host
    endpoint = f"{host}:4317" if kind == "otlp" else collector.http
    text = SENDER.format(host=host, kind=kind, endpoint=endpoint, compression=compression, token=TOKEN)
    (tmp_path / "sender.yaml").write_text(text)
    words = [str(go_collector()), "--config", str(tmp_path / "sender.yaml")]
    sender = Running(Command("sender", words, ""), tmp_path / "sender.log")
    try:
        for signal in SIGNALS:
            body = request_of(signal, [f"item_{n}" for n in range(ITEMS)])

            def is_taken(signal: str = signal, body: bytes = body) -> bool:
                url = f"http://{host}:16318/v1/{signal}"
                headers = {"Content-Type": "application/x-protobuf"}
                return requests.post(url, data=body, headers=headers, timeout=10).status_code == 200

            wait_for("the sender takes it", is_taken, 20)
        _assert_items(end)
    finally:
        sender.end(9)


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize("transport", ["grpc", "proto", "http"])
def test_the_sdk_for_node(path: tuple[CollectorAlone, GoCollector], transport: str, compression: str) -> None:
    collector, end = path
    endpoint = f"http://{collector.host}:4317" if transport == "grpc" else collector.http
    script = node_sdk() / "send.mjs"
    words = [shutil.which("node") or "node", str(script), transport, endpoint, TOKEN, CUSTOMER, str(ITEMS), compression]
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    _assert_items(end)
