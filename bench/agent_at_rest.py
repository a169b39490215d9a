"""What the agent costs on a node where nothing happens: memory, CPU and bytes on the wire.

The release binaries, all host metrics every 15 s, gRPC over TLS with a check of the certificate, through a proxy on
loopback that counts bytes. Peers' figures for the same work stand in the design: the Go collector with hostmetrics has
46 MiB of RSS (14 anonymous) and 0.110 CPU-seconds a minute, node_exporter 20 MiB (7) and 0.030.

    python3 bench/agent_at_rest.py [--minutes 5] [--bin build/release/bin] [--json FILE]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))
from launcher.layout import beside, own_host  # noqa: E402  # found by the line above, whoever starts this file

WARM_UP_SECONDS = 65
GRPC_PORT, HEALTH_PORT = 4317, 8080
TICKS = os.sysconf("SC_CLK_TCK")


class CountingProxy:
    """Passes TCP on and counts what goes in either direction, as the payload of TCP."""

    def __init__(self, host: str, target: int) -> None:
        self.bytes_up = 0
        self.bytes_down = 0
        self._target = (host, target)
        self._listener = socket.create_server((host, 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            server = socket.create_connection(self._target)
            for source, sink, is_up in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._pump, args=(source, sink, is_up), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, is_up: bool) -> None:
        with contextlib.suppress(OSError):  # either end may reset at the end of the run
            while data := source.recv(65536):
                if is_up:
                    self.bytes_up += len(data)
                else:
                    self.bytes_down += len(data)
                sink.sendall(data)
            sink.close()


def write_certificate(folder: Path, host: str) -> None:
    words = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={host} -addext subjectAltName=IP:{host}"
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run(words.split() + files, check=True, capture_output=True)


def write_configurations(folder: Path, host: str, proxy: int) -> None:
    (folder / "customers.yaml").write_text(
        "customers: [{id: cliente-a, name: A, hot_shard: hot-0, tokens: [{token: t, scope: ingest}]}]\n"
    )
    (folder / "collector.yaml").write_text(f"""\
extensions:
  health_check: {{endpoint: "{host}:13133"}}
  vigia_auth: {{directory: {{file: {folder}/customers.yaml}}}}
  file_storage: {{directory: {folder}/collector}}
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: "{host}:{GRPC_PORT}"
        tls: {{cert_file: {folder}/cert.pem, key_file: {folder}/key.pem}}
        auth: {{authenticator: vigia_auth}}
exporters:
  prometheus: {{endpoint: "{host}:8889"}}
service:
  extensions: [health_check, vigia_auth, file_storage]
  telemetry: {{metrics: {{address: "{host}:8888"}}}}
  pipelines:
    metrics: {{receivers: [otlp], exporters: [prometheus]}}
""")
    (folder / "agent.yaml").write_text(f"""\
customer: {{id: cliente-a, name: Empresa XYZ}}
node: {{id: prod-web-01, region: us-east-1}}
environment: production
collector: {{endpoint: "https://{host}:{proxy}", token: t, tls: {{ca_file: {folder}/cert.pem}}}}
interval: 15s
health: {{listen: "{host}:{HEALTH_PORT}"}}
relay: {{grpc: "{beside(host, 2)}:4317", http: "{beside(host, 2)}:4318"}}
buffer: {{directory: {folder}/buffer}}
""")


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def precise_cpu_seconds(pid: int) -> float:
    """Run time of all threads in nanoseconds, where the kernel tells; ticks are too coarse for so little."""
    try:
        tasks = Path(f"/proc/{pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9
    except OSError:
        return cpu_seconds(pid)


def memory_kib(pid: int) -> dict[str, int]:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    names = {"rss_kib": "Rss", "anonymous_kib": "Anonymous", "pss_kib": "Pss"}
    return {key: int(re.search(rf"^{name}:\s+(\d+)", rollup, re.M)[1]) for key, name in names.items()}  # type: ignore[index]


def sent_points(host: str) -> float:
    request = urllib.request.Request(
        f"http://{host}:{HEALTH_PORT}/health", headers={"Accept": "text/plain;version=0.0.4"}
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        text = answer.read().decode()
    return float(re.search(r'agent_items_sent_total{signal="metrics"} (\S+)', text)[1])  # type: ignore[index]


def wait_until_taken(host: str, port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Returns once somebody listens there."""
    deadline = time.monotonic() + 20
    while True:
        with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=1):
            return
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{process.args!r} does not listen on {host}:{port}:\n{log.read_text()}")
        time.sleep(0.05)


def measure(folder: Path, binaries: Path, minutes: float) -> dict[str, float]:
    host = own_host()
    proxy = CountingProxy(host, GRPC_PORT)
    write_certificate(folder, host)
    write_configurations(folder, host, proxy.port)
    started: list[subprocess.Popen[bytes]] = []
    try:
        for name in ("collector", "agent"):
            words = [str(binaries / f"vigia-{name}"), "--config", str(folder / f"{name}.yaml")]
            with (folder / f"{name}.log").open("wb") as log:
                started.append(subprocess.Popen(words, stdout=log, stderr=log))
            # An agent that finds nobody waits before it tries again, and would be measured while it waits.
            wait_until_taken(
                host, {"collector": GRPC_PORT, "agent": HEALTH_PORT}[name], started[-1], folder / f"{name}.log"
            )
        pid = started[1].pid
        time.sleep(WARM_UP_SECONDS)
        before = (time.monotonic(), precise_cpu_seconds(pid), proxy.bytes_up, proxy.bytes_down, sent_points(host))
        time.sleep(minutes * 60)
        after = (time.monotonic(), precise_cpu_seconds(pid), proxy.bytes_up, proxy.bytes_down, sent_points(host))
        seconds, cpu, up, down, points = (b - a for a, b in zip(before, after, strict=True))
        assert points > 0, (folder / "agent.log").read_text()
        return {
            **memory_kib(pid),
            "cpu_seconds_per_minute": round(cpu / seconds * 60, 4),
            "bytes_up_per_second": round(up / seconds, 1),
            "bytes_down_per_second": round(down / seconds, 1),
            "points_per_sample": round(points / (seconds / 15), 1),
            "minutes": round(seconds / 60, 2),
        }
    finally:
        for process in started:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--bin", type=Path, default=ROOT / "build" / "release" / "bin")
    parser.add_argument("--json", type=Path, help="write the result here, too")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vigia-agent-") as folder:
        result = measure(Path(folder), chosen.bin, chosen.minutes)
    for key, value in result.items():
        print(f"{key:26} {value}")
    if chosen.json:
        chosen.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
