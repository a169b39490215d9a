"""The OTLP exporters, over gRPC and HTTP, with the Go collector as the far end, where what has come is counted.

The far end is built by `./vigia test compliance` (minutes); what it cannot be made to answer is in test_otlp_out_answers.py.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from certificates import make_authority, make_certificate
from collector_alone import CollectorAlone
from go_collector import PORTS, GoCollector, Wire
from launcher.compliance import built_go_collector
from launcher.layout import own_host
from otlp_items import KINDS, SIGNALS, books, exporter_of, send
from stack import wait_for

pytestmark = pytest.mark.skipif(
    not built_go_collector().exists(), reason="the Go collector is not built: ./vigia test compliance does it"
)
WIRE_PORT = 15317


@contextmanager
def beside(folder: Path, transport: str, more: str = "", **far: str) -> Iterator[tuple[CollectorAlone, GoCollector]]:
    host = own_host()
    with (
        GoCollector(folder, host, **far) as end,  # type: ignore[arg-type]
        CollectorAlone(folder, host, **exporter_of(transport, "http", host, PORTS[transport], more)) as collector,
    ):
        yield collector, end


# R-EXP-1, R-EXP-3.
@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
@pytest.mark.parametrize("transport", ["grpc", "http"])
def test_all_signals_arrive_once(tmp_path: Path, transport: str, compression: str) -> None:
    with beside(tmp_path, transport, f", compression: {compression}") as (collector, end):
        sent = {signal: [f"{signal}_{n}" for n in range(60)] for signal in SIGNALS}
        for n in range(0, 60, 20):
            for signal in SIGNALS:
                send(collector, signal, sent[signal][n : n + 20])
        for signal in SIGNALS:
            wait_for(f"all {signal}", lambda s=signal: len(end.names(s)) == 60, 20)  # type: ignore[misc]
            assert end.names(signal) == Counter(sent[signal])
        wait_for("all is booked", lambda: books(collector, "sent_total") == 180)
        assert books(collector, "dropped_total") == 0


@pytest.mark.parametrize("transport", ["grpc", "http"])
def test_connections_over_cleartext_are_kept(tmp_path: Path, transport: str) -> None:
    host = own_host()
    wire = Wire(host, WIRE_PORT, PORTS[transport])
    words = exporter_of(transport, "http", host, WIRE_PORT)
    with GoCollector(tmp_path, host) as end, CollectorAlone(tmp_path, host, **words) as collector:
        for n in range(40):
            send(collector, "logs", [f"line_{n}"])
            wait_for("the line", lambda n=n: end.names("logs")[f"line_{n}"] == 1, every=0.01)  # type: ignore[misc]
        assert 1 <= wire.accepted <= 2
    wire.close()


@pytest.mark.parametrize("transport", ["grpc", "http"])
def test_whose_certificate_nobody_signed_is_taken_by_its_key_alone(tmp_path: Path, transport: str) -> None:
    host = own_host()
    make_authority(tmp_path, "authority")
    make_certificate(tmp_path, "far", "authority", host)
    with GoCollector(tmp_path, host, certificate=tmp_path / "far") as end:
        words = exporter_of(transport, "https", host, PORTS[transport])
        with CollectorAlone(tmp_path, host, **words) as collector:
            send(collector, "logs", ["kept"])
            wait_for("it says why", lambda: "certificate" in collector.log())
            assert not end.names("logs")
        for number, tls in enumerate(("insecure_skip_verify: true", f'ca_file: "{tmp_path}/authority.pem"')):
            words = exporter_of(transport, "https", host, PORTS[transport], f", tls: {{{tls}}}")
            with CollectorAlone(tmp_path, host, **words) as collector:
                send(collector, "logs", [f"line_{number}"])
                wait_for("the line", lambda n=number: end.names("logs")[f"line_{n}"] == 1)  # type: ignore[misc]
        assert end.names("logs") == Counter({"kept": 1, "line_0": 1, "line_1": 1})


@pytest.mark.parametrize("transport", ["grpc", "http"])
def test_what_is_too_large_for_the_far_end_is_halved(tmp_path: Path, transport: str) -> None:
    """gRPC's RESOURCE_EXHAUSTED without a wait, and 400 over HTTP: that is what the Go collector says of too large a body."""
    far = {"grpc_more": ", max_recv_msg_size_mib: 1", "http_more": ", max_request_body_size: 1048576"}
    with beside(tmp_path, transport, ", compression: none", **far) as (collector, end):
        names = [f"line_{n}" for n in range(300)]
        send(collector, "logs", names, tail=" " * 10_000)
        send(collector, "logs", ["alone", "huge"], tail=" " * 600_000)
        send(collector, "logs", ["too_huge"], tail=" " * 1_200_000)
        send(collector, "logs", ["behind"])
        wait_for("what comes behind", lambda: "behind" in end.names("logs"), 20)

        def all_done() -> bool:
            return books(collector, "sent_total") == 303 and books(collector, "dropped_total") == 1

        wait_for("all is sent but one", all_done, 60)
        found = Counter({name.rstrip(): count for name, count in end.names("logs").items()})
        assert found == Counter([*names, "alone", "huge", "behind"])
        letters = (tmp_path / "log" / "dead-letters" / f"{KINDS[transport]}.jsonl").read_text()
        assert letters.count("\n") == 1


class Flow:
    """Sends numbered lines and spans, each until it is acknowledged, as a patient client."""

    def __init__(self, collector: CollectorAlone) -> None:
        self.collector = collector
        self.acknowledged: dict[str, list[str]] = {"logs": [], "traces": [], "metrics": []}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        number = 0
        while not self._stop.wait(0.005):
            signal = SIGNALS[number % 3]
            names = [f"n{number}_{k}" for k in range(5)]
            try:
                send(self.collector, signal, names)
            except (OSError, AssertionError):
                continue  # sent again under the same numbers: it may have been kept
            self.acknowledged[signal] += names
            number += 1

    def stop(self) -> dict[str, list[str]]:
        self._stop.set()
        self._thread.join(30)
        return self.acknowledged


# R-EXP-6; kill -9 of the far end: what was answered is not sent again, what was not is.
@pytest.mark.parametrize("transport", ["grpc", "http"])
def test_a_far_end_that_is_killed_costs_nothing(tmp_path: Path, transport: str) -> None:
    host = own_host()
    wire = Wire(host, WIRE_PORT, PORTS[transport])
    words = exporter_of(transport, "http", host, WIRE_PORT)
    end = GoCollector(tmp_path, host)
    end.start()
    try:
        with CollectorAlone(tmp_path, host, **words) as collector:
            flow = Flow(collector)
            for round_number in range(3):
                reached = len(flow.acknowledged["logs"]) + 100
                wait_for("some more", lambda r=reached: len(flow.acknowledged["logs"]) >= r, 30)  # type: ignore[misc]
                if round_number == 1:
                    wire.cut()  # what is answered now is never heard
                end.end(9)
                wire.mend()
                end.start()
            acknowledged = flow.stop()
            total = sum(map(len, acknowledged.values()))
            wait_for("all is sent", lambda: books(collector, "sent_total") == total, 60)
            assert books(collector, "dropped_total") == 0
    finally:
        end.end(9)
        wire.close()
    doubled = 0
    for signal, names in acknowledged.items():
        found = end.names(signal)
        assert set(found) == set(names)
        doubled += sum(count - 1 for count in found.values())
    # Once for each request that was under way: a connection that ends before its answer forces that.
    assert doubled <= total * 0.2, f"{doubled} of {total}"


# R-EXP-6; kill -9 of the collector: from its log, which knows what was answered but for the last moment.
@pytest.mark.parametrize("transport", ["grpc", "http"])
def test_a_collector_that_is_killed_costs_nothing(tmp_path: Path, transport: str) -> None:
    with beside(tmp_path, transport) as (collector, end):
        flow = Flow(collector)
        for _ in range(3):
            reached = len(flow.acknowledged["logs"]) + 100
            wait_for("some more", lambda r=reached: len(flow.acknowledged["logs"]) >= r, 30)  # type: ignore[misc]
            collector.running.end(9)
            collector.start()
        acknowledged = flow.stop()
        for signal, names in acknowledged.items():
            wait_for(f"all {signal}", lambda s=signal, n=names: set(end.names(s)) >= set(n), 60)  # type: ignore[misc]
            found = end.names(signal)
            # What was kept and not answered was sent under the same number again: twice, and it is no fault of the exporter.
            assert set(found) == set(names)
            assert sum(found.values()) <= len(names) * 1.5
        wait_for("nothing waits", lambda: books(collector, "queued") == 0)
        assert books(collector, "dropped_total") == 0
