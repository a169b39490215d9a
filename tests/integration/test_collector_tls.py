"""TLS at the collector's doors: clients that must show a certificate, and files that change under load."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import requests
from certificates import make_authority, make_certificate
from collector_alone import CUSTOMER, TOKEN, CollectorAlone, now_ms
from launcher.layout import own_host
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import MetricsServiceStub
from otlp import PROTOBUF, gauge, metrics_request, resource_of
from stack import wait_for

Certificate = tuple[str, str]


def _tls(folder: Path) -> str:
    return (
        f', tls: {{cert_file: "{folder}/server.pem", key_file: "{folder}/server.key",'
        f' client_ca_file: "{folder}/ca.pem", client_ca_file_reload: true, min_version: "1.2"}}'
    )


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[CollectorAlone]:
    host = own_host()
    for authority in ("ca", "others"):
        make_authority(tmp_path, authority)
    for name, authority in (("server", "ca"), ("client", "ca"), ("stranger", "others")):
        make_certificate(tmp_path, name, authority, host)
    make_certificate(tmp_path, "expired", "ca", host, days=-1)
    with CollectorAlone(tmp_path, host, door=_tls(tmp_path)) as made:
        yield made


def _session() -> requests.Session:
    """One whose authority no variable of the environment takes the place of."""
    session = requests.Session()
    session.trust_env = False
    return session


def _points(count: int = 1) -> Any:
    return metrics_request(resource_of(CUSTOMER), gauge("tls", [(now_ms(), 1.0)] * count))


def _by_http(collector: CollectorAlone, name: str | None, ca: str = "ca") -> int:
    folder = collector.folder
    cert = (f"{folder}/{name}.pem", f"{folder}/{name}.key") if name else None
    headers = {**PROTOBUF, "Authorization": f"Bearer {TOKEN}"}
    url = f"https://{collector.host}:4318/v1/metrics"
    body = _points().SerializeToString()
    verify = f"{folder}/{ca}.pem"
    return requests.post(url, data=body, headers=headers, cert=cert, verify=verify, timeout=5).status_code


def _by_grpc(collector: CollectorAlone, name: str | None) -> grpc.StatusCode:
    folder = collector.folder
    parts = [(folder / f"{name}.{end}").read_bytes() if name else None for end in ("key", "pem")]
    credentials = grpc.ssl_channel_credentials((folder / "ca.pem").read_bytes(), *parts)
    with grpc.secure_channel(f"{collector.host}:4317", credentials) as channel:
        try:
            metadata = (("authorization", f"Bearer {TOKEN}"),)
            MetricsServiceStub(channel).Export(_points(), metadata=metadata, timeout=5)
        except grpc.RpcError as error:
            code: grpc.StatusCode = error.code()
            return code
    return grpc.StatusCode.OK


def _is_told(collector: CollectorAlone, why: str) -> bool:
    lines = collector.log().splitlines()
    return any("no TLS connection with a client" in line and why in line for line in lines)


def _rejected(collector: CollectorAlone, name: str | None) -> bool:
    try:
        _by_http(collector, name)
    except (requests.ConnectionError, requests.exceptions.SSLError):
        return True
    return False


# R-WEB-12: a client without a good certificate is refused in the handshake, whatever its token, told and counted.
def test_only_clients_with_a_good_certificate_are_let_in(collector: CollectorAlone) -> None:
    assert _by_http(collector, "client") == 200
    assert _by_grpc(collector, "client") == grpc.StatusCode.OK
    for count, (name, why) in enumerate(
        (
            (None, "did not return a certificate"),
            ("stranger", "certificate verify failed"),
            ("expired", "certificate has expired"),
        )
    ):
        assert _rejected(collector, name), name
        wait_for(why, lambda why=why: _is_told(collector, why))  # type: ignore[misc]
        assert collector.metric('vigia_tls_refused_total{door="collector otlp http"}') == count + 1
        assert _by_grpc(collector, name) == grpc.StatusCode.UNAVAILABLE
        assert collector.metric('vigia_tls_refused_total{door="collector otlp grpc"}') >= count + 1
    assert collector.metric("otelcol_receiver_accepted_metric_points") == 2
    expires = collector.metric('vigia_tls_certificate_expires_seconds{door="collector otlp grpc"}')
    assert 86_400 < expires - time.time() < 3 * 86_400


def test_the_sdk_sends_with_a_certificate(collector: CollectorAlone) -> None:
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpans
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpans
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor

    folder = collector.folder
    headers = {"authorization": f"Bearer {TOKEN}"}
    ca, key, chain = ((folder / name).read_bytes() for name in ("ca.pem", "client.key", "client.pem"))
    over_grpc = GrpcSpans(
        endpoint=f"https://{collector.host}:4317",
        credentials=grpc.ssl_channel_credentials(ca, key, chain),
        headers=headers,
    )
    over_http = HttpSpans(
        endpoint=f"https://{collector.host}:4318/v1/traces",
        headers=headers,
        certificate_file=str(folder / "ca.pem"),
        client_certificate_file=str(folder / "client.pem"),
        client_key_file=str(folder / "client.key"),
        session=_session(),
    )
    for exporter in (over_grpc, over_http):
        tracers = TracerProvider(resource=Resource.create(resource_of(CUSTOMER)))
        tracers.add_span_processor(SimpleSpanProcessor(exporter))
        tracers.get_tracer("test").start_span("a").end()
        tracers.shutdown()
    wait_for("both spans", lambda: collector.metric("otelcol_receiver_accepted_spans") == 2)


def _replace(folder: Path, made: str, name: str) -> None:
    for end in ("key", "pem"):
        (folder / f"{made}.{end}").rename(folder / f"{name}.{end}")


class Load:
    """Requests on a connection that was opened before anything changed, and its answers."""

    def __init__(self, collector: CollectorAlone) -> None:
        self.codes: list[int] = []
        self.is_over = threading.Event()
        self.session = _session()
        folder = collector.folder
        # Read now: what stands there later is another one.
        for end in ("pem", "key"):
            (folder / f"loader.{end}").write_bytes((folder / f"client.{end}").read_bytes())
        (folder / "loader-ca.pem").write_bytes((folder / "ca.pem").read_bytes())
        self.session.cert = (f"{folder}/loader.pem", f"{folder}/loader.key")
        self.session.verify = f"{folder}/loader-ca.pem"
        self.session.headers.update({**PROTOBUF, "Authorization": f"Bearer {TOKEN}"})
        self.url = f"https://{collector.host}:4318/v1/metrics"
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        wait_for("the first answers", lambda: len(self.codes) > 5)

    def _run(self) -> None:
        while not self.is_over.is_set():
            try:
                answer = self.session.post(self.url, data=_points().SerializeToString(), timeout=5)
                self.codes.append(answer.status_code)
            except requests.RequestException:
                self.codes.append(0)

    def end(self) -> list[int]:
        self.is_over.set()
        self.thread.join()
        return self.codes


def test_files_change_under_load_and_no_connection_is_broken(collector: CollectorAlone) -> None:
    folder = collector.folder
    load = Load(collector)
    make_certificate(folder, "renewed", "ca", collector.host)
    _replace(folder, "renewed", "server")
    door = '{door="collector otlp http"}'
    wait_for("the new pair", lambda: collector.metric(f"vigia_tls_files_read_total{door}") == 2)
    (folder / "broken.pem").write_text("no certificate\n")
    (folder / "broken.pem").rename(folder / "server.pem")
    wait_for("it is told", lambda: collector.metric(f"vigia_tls_files_refused_total{door}") == 1)
    assert "new files of TLS cannot be used, the old ones stay" in collector.log()
    assert _by_http(collector, "client") == 200, "the pair before it is still used"
    # Another authority: clients of the old one are let in no more, and those that are in go on.
    make_certificate(folder, "renewed", "others", collector.host)
    _replace(folder, "renewed", "server")
    (folder / "new-ca.pem").write_bytes((folder / "others.pem").read_bytes())
    (folder / "new-ca.pem").rename(folder / "ca.pem")
    wait_for("the other authority", lambda: collector.metric(f"vigia_tls_files_read_total{door}") >= 3)
    wait_for("its client is let in", lambda: not _rejected(collector, "stranger"))
    assert _rejected(collector, "client")
    codes = load.end()
    assert set(codes) == {200}, codes
    assert collector.metric("otelcol_receiver_accepted_metric_points") >= len(codes)
