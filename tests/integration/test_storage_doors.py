"""Storage's port behind TLS with certificates on both sides, and remote write 2.0, each with a real Prometheus."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from certificates import make_authority, make_certificate
from launcher.commands import Command
from launcher.layout import own_host
from remote_read import SAMPLES, post_read, read_request, samples_of
from stack import Running, binaries, prometheus_programs, wait_for

TOKEN = {"Authorization": "Bearer secret"}
STORAGE = """
listen: {host}:9096
{tls}
metrics: {{listen: "{host}:9196"}}
internal_token: secret
store: {{rocksdb: {{directory: "{folder}/storage"}}}}
"""
ROUTER = """
listen: {host}:9095
metrics: {{listen: "{host}:9195"}}
directory: {{file: "{folder}/customers.yaml"}}
hot: {{shards: [{{name: hot-0, url: "http://{host}:9090"}}]}}
cold: {{url: "https://{host}:9096", token: secret,
       tls: {{ca_file: "{folder}/ca.pem", cert_file: "{folder}/client.pem", key_file: "{folder}/client.key"}}}}
"""
CUSTOMERS = "customers: [{id: cliente-a, name: A, hot_shard: hot-0, tokens: [{token: read-a, scope: read}]}]\n"
PROMETHEUS = """
global: {{scrape_interval: 1s, external_labels: {{customer_id: cliente-a}}}}
scrape_configs:
  - {{job_name: own, static_configs: [{{targets: ["{host}:9090"]}}]}}
remote_write:
  - url: {url}/api/v1/write
    authorization: {{credentials: secret}}
    send_native_histograms: true
    {more}
"""
MUTUAL = "tls_config: {{ca_file: {folder}/ca.pem, cert_file: {folder}/client.pem, key_file: {folder}/client.key}}"


class Site:
    def __init__(self, folder: Path) -> None:
        self.folder, self.host = folder, own_host()
        self.running: list[Running] = []

    def start(self, name: str, words: list[str], ready: str = "") -> Running:
        running = Running(Command(name, words, ready), self.folder / f"{name}.log")
        self.running.append(running)
        if ready:
            running.wait_until_ready()
        return running

    def start_storage(self, tls: str = "") -> None:
        config = self.folder / "storage.yaml"
        config.write_text(STORAGE.format(host=self.host, folder=self.folder, tls=tls))
        words = [str(binaries() / "vigia-storage"), "--config", str(config)]
        self.start("storage", words, f"http://{self.host}:9196/metrics")  # its last door is the one behind TLS
        wait_for("the port", lambda: "msg=listening" in self.log("storage"))

    def start_prometheus(self, url: str, more: str) -> None:
        config = self.folder / "prometheus.yml"
        config.write_text(PROMETHEUS.format(host=self.host, url=url, more=more))
        (program,) = (found for version, found in prometheus_programs() if version == "3.x")
        words = [
            str(program),
            f"--config.file={config}",
            f"--storage.tsdb.path={self.folder}/hot",
            f"--web.listen-address={self.host}:9090",
            "--enable-feature=native-histograms,metadata-wal-records",
        ]
        self.start("prometheus", words, f"http://{self.host}:9090/-/ready")

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def metric(self, name: str) -> float:
        text = requests.get(f"http://{self.host}:9196/metrics", timeout=5).text
        values = [line.rsplit(" ", 1)[1] for line in text.splitlines() if line.startswith(name)]
        return sum(map(float, values))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    for running in reversed(made.running):
        running.end()


def _refused(site: Site, why: str) -> bool:
    return any("no TLS connection with a client" in line and why in line for line in site.log("storage").splitlines())


# R-WEB-12: TLS with certificates on both sides inside.
def test_only_whoever_shows_a_certificate_writes_and_reads(site: Site) -> None:
    for authority in ("ca", "others"):
        make_authority(site.folder, authority)
    for name, authority in (("server", "ca"), ("client", "ca"), ("stranger", "others")):
        make_certificate(site.folder, name, authority, site.host)
    folder = site.folder
    tls = f"cert_file: {folder}/server.pem, key_file: {folder}/server.key, client_ca_file: {folder}/ca.pem"
    site.start_storage(f"tls: {{{tls}}}")
    url = f"https://{site.host}:9096"
    site.start_prometheus(url, MUTUAL.format(folder=folder))
    wait_for("samples", lambda: site.metric("vigia_storage_samples_stored_total") > 500)

    def get(ca: str, client: str | None) -> requests.Response:
        cert = (f"{folder}/{client}.pem", f"{folder}/{client}.key") if client else None
        return requests.get(f"{url}/health", verify=f"{folder}/{ca}.pem", cert=cert, timeout=5)

    assert get("ca", "client").status_code == 200
    for ca, client, why in (
        ("ca", None, "did not return a certificate"),
        ("ca", "stranger", "certificate verify failed"),
        ("others", "client", "unknown ca"),
    ):
        with pytest.raises((requests.ConnectionError, requests.exceptions.SSLError)):
            get(ca, client)
        wait_for(why, lambda why=why: _refused(site, why))  # type: ignore[misc]
    with socket.create_connection((site.host, 9096), timeout=5) as plain:
        plain.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"HTTP" not in plain.recv(100)
    wait_for("plain text", lambda: _refused(site, "does not speak TLS"))
    assert site.metric("vigia_tls_refused_total") == 4

    (folder / "customers.yaml").write_text(CUSTOMERS)
    (folder / "router.yaml").write_text(ROUTER.format(host=site.host, folder=folder))
    words = [str(binaries() / "vigia-router"), "--config", str(folder / "router.yaml")]
    site.start("router", words, f"http://{site.host}:9095/health")

    def names() -> bool:
        answer = requests.get(
            f"http://{site.host}:9095/api/v1/label/__name__/values",
            headers={"Authorization": "Bearer read-a"},
            params={"start": str(time.time() - 90 * 86_400), "end": str(time.time())},
            timeout=5,
        )
        return "up" in answer.json().get("data", []) and not answer.json().get("warnings")

    wait_for("names from cold, by the router", names)


def test_new_certificates_are_used_without_a_restart(site: Site) -> None:
    folder = site.folder
    for authority in ("ca", "others"):
        make_authority(folder, authority)
    make_certificate(folder, "server", "ca", site.host)
    make_certificate(folder, "renewed", "others", site.host)
    site.start_storage(f"tls: {{cert_file: {folder}/server.pem, key_file: {folder}/server.key}}")

    def is_trusted_by(authority: str) -> bool:
        try:
            url = f"https://{site.host}:9096/health"
            return requests.get(url, verify=f"{folder}/{authority}.pem", timeout=5).status_code == 200
        except requests.exceptions.SSLError:
            return False

    assert is_trusted_by("ca")
    until_s = site.metric("vigia_tls_certificate_expires_seconds")
    assert 86_400 < until_s - time.time() < 3 * 86_400
    for end in ("pem", "key"):
        (folder / f"renewed.{end}").rename(folder / f"server.{end}")
    wait_for("the new certificate", lambda: is_trusted_by("others"))
    assert not is_trusted_by("ca")
    assert site.metric("vigia_tls_files_read_total") == 2
    (folder / "broken.key").write_text("no key\n")
    (folder / "broken.key").rename(folder / "server.key")
    wait_for("it is told", lambda: site.metric("vigia_tls_files_refused_total") == 1)
    assert "new files of TLS cannot be used" in site.log("storage")
    assert is_trusted_by("others")


# R-RW-6.
def test_prometheus_sends_remote_write_2_and_each_sample_arrives_once(site: Site) -> None:
    site.start_storage()
    url = f"http://{site.host}:9096"
    site.start_prometheus(url, "protobuf_message: io.prometheus.write.v2.Request")
    wait_for("samples", lambda: site.metric("vigia_storage_samples_stored_total") > 3_000)
    hot = f"http://{site.host}:9090"
    end_ms = (int(time.time()) - 2) * 1000
    begin_ms = end_ms - 60_000

    def in_hot(name: str) -> dict[int, float]:
        answer = requests.get(
            f"{hot}/api/v1/query", params={"query": f"{name}[60s]", "time": str(end_ms / 1000)}, timeout=5
        )
        (series,) = answer.json()["data"]["result"]
        return {round(float(at) * 1000): float(value) for at, value in series["values"]}

    def in_cold(name: str) -> dict[int, float]:
        answer = post_read(url, read_request([(name, begin_ms, end_ms)]), SAMPLES, TOKEN)
        found = samples_of(answer)
        return next(iter(found.values())) if found else {}

    for name in ("up", "prometheus_build_info", "scrape_samples_scraped"):
        expected = in_hot(name)
        assert len(expected) > 2
        wait_for(f"{name} in cold", lambda name=name, expected=expected: expected.items() <= in_cold(name).items())  # type: ignore[misc]
    assert site.metric("vigia_storage_samples_refused_total") == 0
    assert site.metric("vigia_storage_samples_conflicting_total") == 0
    assert site.metric("vigia_storage_samples_repeated_total") == 0
    own = requests.get(f"{hot}/metrics", timeout=5).text
    failed = [line for line in own.splitlines() if line.startswith("prometheus_remote_storage_samples_failed_total")]
    assert failed
    assert all(line.endswith(" 0") for line in failed)
    assert "io.prometheus.write.v2.Request" in (site.folder / "prometheus.yml").read_text()
