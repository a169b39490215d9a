"""One collector with a directory file of its own, for tests of its doors: what it takes waits in its log."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import requests
from launcher.commands import Command
from launcher.layout import own_host
from stack import Running, binaries

CUSTOMER, TOKEN = "cliente-a", "token-a"
DIRECTORY = f"""
customers:
  - {{id: {CUSTOMER}, tokens: [{{token: {TOKEN}, scope: ingest}}, {{token: reader, scope: read}}]}}
  - {{id: cliente-b, tokens: [{{token: token-b, scope: ingest}}]}}
"""
CONFIG = """
extensions:
  health_check: {{endpoint: "{host}:13133"}}
  vigia_auth: {{directory: {directory}}}
  file_storage: {{directory: "{folder}/log"{storage}}}
receivers:
  otlp:
    protocols:
      grpc: {{endpoint: "{host}:4317", auth: {{authenticator: vigia_auth}}{door}}}
      http: {{endpoint: "{host}:4318", auth: {{authenticator: vigia_auth}}{door}{http}}}
  prometheusremotewrite: {{endpoint: "{host}:9201", auth: {{authenticator: vigia_auth}}}}
processors: {{memory_limiter: {{limit_mib: 512}}}}
exporters: {{{exporters}}}
service:
  extensions: [health_check, vigia_auth, file_storage]
  telemetry: {{metrics: {{address: "{host}:8888"}}}}
  pipelines:
    metrics: {{receivers: [otlp, prometheusremotewrite], processors: [memory_limiter], exporters: [{exporter}]}}
    traces: {{receivers: [otlp], processors: [memory_limiter], exporters: [{exporter}]}}
    logs: {{receivers: [otlp], processors: [memory_limiter], exporters: [{exporter}]}}
"""


class CollectorAlone:
    """`words` go into the configuration: door (both doors), http, storage, directory, exporters and exporter."""

    def __init__(self, folder: Path, host: str | None = None, **words: str) -> None:
        self.folder = folder
        self.host = host or own_host()
        (folder / "customers.yaml").write_text(DIRECTORY)
        standard: Mapping[str, str] = {
            "door": "",
            "http": "",
            "storage": "",
            "directory": f'{{file: "{folder}/customers.yaml"}}',
            "exporters": "debug: {}",
            "exporter": "debug",
        }
        text = CONFIG.format(folder=folder, host=self.host, **{**standard, **words})
        (folder / "collector.yaml").write_text(text)
        self.start()

    def start(self) -> None:
        words = [str(binaries() / "vigia-collector"), "--config", str(self.folder / "collector.yaml")]
        command = Command("collector", words, f"http://{self.host}:13133/health")
        self.running = Running(command, self.folder / "collector.log")
        self.running.wait_until_ready()

    def __enter__(self) -> CollectorAlone:
        return self

    def __exit__(self, *_: object) -> None:
        self.running.end()

    @property
    def http(self) -> str:
        return f"http://{self.host}:4318"

    def log(self) -> str:
        return (self.folder / "collector.log").read_text(errors="replace")

    def exposition(self) -> str:
        return requests.get(f"http://{self.host}:8888/metrics", timeout=5).text

    def metric(self, name: str) -> float:
        """The sum over its series whose line begins so."""
        lines = [line for line in self.exposition().splitlines() if line.startswith(name)]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines)


def now_ms() -> int:
    return time.time_ns() // 1_000_000
