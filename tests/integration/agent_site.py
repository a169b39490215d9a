"""One agent and one collector alone, as the tests of the agent use them."""

from __future__ import annotations

from pathlib import Path

import requests
from launcher.commands import Command
from launcher.layout import own_host
from otlp import post
from stack import Running, binaries


class Site:
    """One agent and one collector on an address of their own, each started and ended by the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host = own_host()
        self.ports = {
            "grpc": 4317,
            "http": 4318,
            "exporter": 8889,
            "metrics": 8888,
            "collector_health": 13133,
            "health": 8080,
            "relay_grpc": 14317,
            "relay_http": 14318,
        }
        self.parts: dict[str, Running] = {}
        self.token = "token-a"
        self.environment: dict[str, dict[str, str]] = {}  # by part, beside the token
        (folder / "customers.yaml").write_text(
            "customers: [{id: cliente-a, name: A, hot_shard: hot-0, tokens: [{token: token-a, scope: ingest}]}]\n"
        )
        (folder / "collector.yaml").write_text(f"""\
extensions:
  health_check: {{endpoint: "{self.address("collector_health")}"}}
  vigia_auth: {{directory: {{file: {folder}/customers.yaml}}}}
  file_storage: {{directory: {folder}/collector}}
receivers:
  otlp:
    protocols:
      grpc: {{endpoint: "{self.address("grpc")}", auth: {{authenticator: vigia_auth}}}}
      http: {{endpoint: "{self.address("http")}", auth: {{authenticator: vigia_auth}}}}
exporters:
  prometheus: {{endpoint: "{self.address("exporter")}"}}
  debug: {{}}
service:
  extensions: [health_check, vigia_auth, file_storage]
  telemetry: {{metrics: {{address: "{self.address("metrics")}"}}}}
  pipelines:
    metrics: {{receivers: [otlp], exporters: [prometheus]}}
    traces: {{receivers: [otlp], exporters: [debug]}}
    logs: {{receivers: [otlp], exporters: [debug]}}
""")
        self.configure_agent()

    def address(self, port: str) -> str:
        return f"{self.host}:{self.ports[port]}"

    def configure_agent(self, interval: str = "1s", protocol: str = "grpc", extra: str = "") -> None:
        endpoint = self.address("grpc" if protocol == "grpc" else "http")
        (self.folder / "agent.yaml").write_text(f"""\
customer: {{id: cliente-a, name: Empresa XYZ}}
node: {{id: web-01, region: us-east-1}}
environment: production
collector: {{endpoint: "http://{endpoint}", protocol: {protocol}, token: "${{env:VIGIA_TOKEN}}"}}
interval: {interval}
health: {{listen: "{self.address("health")}"}}
relay: {{grpc: "{self.address("relay_grpc")}", http: "{self.address("relay_http")}"}}
buffer: {{directory: {self.folder}/buffer}}
{extra}
""")

    def start(self, name: str) -> Running:
        ready = "collector_health" if name == "collector" else "health"
        words = [str(binaries() / f"vigia-{name}"), "--config", str(self.folder / f"{name}.yaml")]
        environment = {"VIGIA_TOKEN": self.token, **self.environment.get(name, {})}
        command = Command(name, words, f"http://{self.address(ready)}/health", environment)
        self.parts[name] = Running(command, self.folder / f"{name}.log")
        self.parts[name].wait_until_ready()
        return self.parts[name]

    def end(self, name: str) -> None:
        assert self.parts[name].end() == 0

    def close(self) -> None:
        for part in self.parts.values():
            if part.is_running():
                part.end(9)

    def health(self) -> dict[str, object]:
        answer = requests.get(f"http://{self.address('health')}/health", timeout=5)
        assert answer.status_code == 200
        content: dict[str, object] = answer.json()
        return content

    def reasons(self) -> str:
        """Why it is degraded; "[]" while it is healthy."""
        return str(self.health()["reasons"])

    def own(self, name: str) -> float:
        """One of the agent's own metrics, as Prometheus would scrape it."""
        headers = {"Accept": "text/plain;version=0.0.4"}
        text = requests.get(f"http://{self.address('health')}/health", headers=headers, timeout=5).text
        return sample(text, name)

    def relay(self, body: bytes, signal: str = "metrics", kind: str = "application/x-protobuf") -> requests.Response:
        return post(f"http://{self.address('relay_http')}", None, body, signal=signal, headers={"Content-Type": kind})

    def exported(self) -> list[str]:
        """Samples of the collector's pull endpoint."""
        text = requests.get(f"http://{self.address('exporter')}/metrics", timeout=5).text
        return [line for line in text.splitlines() if line and not line.startswith("#")]

    def series(self, name: str, *labels: str) -> list[str]:
        return [
            line
            for line in self.exported()
            if line.startswith((name + "{", name + " ")) and all(label in line for label in labels)
        ]

    def received(self, signal: str) -> float:
        text = requests.get(f"http://{self.address('metrics')}/metrics", timeout=5).text
        return sample(text, f'vigia_items_received_total{{customer_id="cliente-a",signal="{signal}"}}')


def sample(text: str, name: str) -> float:
    for line in text.splitlines():
        key, _, value = line.rpartition(" ")
        if key == name:
            return float(value)
    raise AssertionError(f"no {name} in:\n{text}")
