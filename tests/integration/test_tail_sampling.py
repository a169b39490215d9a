"""tail_sampling from outside: traces of an SDK through a collector that is killed, to a real store; whole traces alone, by their policies."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from collector_lanes import OTLP, Lanes
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Status, StatusCode, set_span_in_context
from otlp import attributes, resource_of
from processor_site import Processing
from stack import wait_for

PROCESSORS = """
  batch: {{}}
  tail_sampling:
    decision_wait: {wait}
    num_traces: {num_traces}
    policies:
      - {{name: errors, type: status_code, status_code: {{status_codes: [ERROR]}}}}
      - {{name: slow, type: latency, latency: {{threshold_ms: 500}}}}
      - {{name: payments, type: string_attribute, string_attribute: {{key: http.route, values: [/pay]}}}}
      - {{name: some, type: probabilistic, probabilistic: {{sampling_percentage: {percentage}}}}}
"""
PIPELINES = """
    metrics: {{receivers: [otlp], exporters: [otlphttp/cold]}}
    traces: {{receivers: [otlp], processors: [memory_limiter, {sampling}batch], exporters: [otlphttp/cold]}}
"""
STORE_KEYS = (
    ', headers: {Authorization: "Bearer secret"}, retry_on_failure: {initial_interval: 100ms, max_interval: 1s}'
)


class Site(Lanes):
    def configure_sampling(
        self, wait: str = "2s", num_traces: int = 50_000, percentage: float = 0, is_on: bool = True, cold: str = ""
    ) -> None:
        processing = Processing(
            PROCESSORS.format(wait=wait, num_traces=num_traces, percentage=percentage),
            PIPELINES.format(sampling="tail_sampling, " if is_on else ""),
        )
        text = processing.text(self.folder, self.host, cold or f"http://{self.host}:9096", STORE_KEYS)
        (self.folder / "collector.yaml").write_text(text)

    def stored_spans(self, customer: str, trace: int) -> list[str]:
        headers = {"Authorization": "Bearer secret", "X-Vigia-Customer": customer}
        answer = requests.get(f"http://{self.host}:9096/api/v1/traces/{trace:032x}", headers=headers, timeout=10)
        if answer.status_code == 404:
            return []
        assert answer.status_code == 200, answer.text
        spans = [span for trace in answer.json()["data"] for span in trace["spans"]]
        return sorted(span["operationName"] for span in spans)

    def counted(self, name: str, **labels: str) -> float:
        wanted = labels.items()
        return sum(value for found, of, value in self.metrics() if found == name and wanted <= of.items())


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.end()


class Application:
    """One of a customer's, with the SDK: traces of three spans, of which the last one says what there is to say."""

    def __init__(self, site: Site, customer: str, service: str) -> None:
        exporter = OTLPSpanExporter(
            endpoint=f"http://{site.host}:4318/v1/traces",
            headers={"Authorization": f"Bearer token-{customer[-1]}"},
            timeout=30,
        )
        self.provider = TracerProvider(resource=Resource.create(resource_of(customer, service=service)))
        self.provider.add_span_processor(
            BatchSpanProcessor(exporter, schedule_delay_millis=50, max_export_batch_size=7)
        )
        self.tracer = self.provider.get_tracer("shop")

    def trace(self, kind: str) -> int:
        begin = time.time_ns()
        root = self.tracer.start_span("root", start_time=begin)
        context = set_span_in_context(root)
        for name in ("a", "b"):
            child = self.tracer.start_span(name, context=context, start_time=begin)
            if name == "b" and kind == "error":
                child.set_status(Status(StatusCode.ERROR))
            if name == "b" and kind == "pay":
                child.set_attribute("http.route", "/pay")
            child.end(end_time=begin + (900_000_000 if name == "b" and kind == "slow" else 1_000_000))
        root.end(end_time=begin + 2_000_000)
        return int(root.get_span_context().trace_id)


def test_errors_slow_ones_and_an_attribute_are_kept_whole_through_kills(site: Site) -> None:
    site.configure_sampling()
    site.start("storage")
    site.start("collector")
    applications = [Application(site, customer, service) for customer in ("cliente-a", "cliente-b") for service in "xy"]
    customers = ["cliente-a", "cliente-a", "cliente-b", "cliente-b"]
    traces: dict[tuple[str, int], str] = {}

    def kill() -> None:
        for _ in range(3):
            time.sleep(0.9)
            site.kill("collector")
            site.start("collector")

    killer = threading.Thread(target=kill)
    killer.start()
    drawn = random.Random(5)
    for _ in range(120):
        which = drawn.randrange(len(applications))
        kind = drawn.choice(["error", "slow", "pay", "plain", "plain", "plain"])
        traces[customers[which], applications[which].trace(kind)] = kind
        time.sleep(0.02)
    killer.join()
    for application in applications:
        assert application.provider.force_flush(60_000)
        application.provider.shutdown()
    for customer in ("cliente-a", "cliente-b"):
        site.settle(customer, OTLP, "traces")
    for (customer, trace), kind in traces.items():
        assert site.stored_spans(customer, trace) == ([] if kind == "plain" else ["a", "b", "root"]), kind
        other = "cliente-b" if customer == "cliente-a" else "cliente-a"
        assert site.stored_spans(other, trace) == []


def _spans(customer: str, traces: list[int], name: str) -> bytes:
    request = ExportTraceServiceRequest()
    entry = request.resource_spans.add()
    entry.resource.attributes.extend(attributes(resource_of(customer)))
    now = time.time_ns()
    spans = entry.scope_spans.add().spans
    for number, trace in enumerate(traces):
        spans.add(
            trace_id=trace.to_bytes(16, "big"),
            span_id=(number + 1 + hash(name) % 1000 * 1_000_000).to_bytes(8, "big"),
            name=name,
            start_time_unix_nano=now,
            end_time_unix_nano=now + 1,
        )
    return bytes(request.SerializeToString())


def _ids(count: int, seed: int) -> list[int]:
    drawn = random.Random(seed)
    return [drawn.getrandbits(128) | 1 for _ in range(count)]


def test_the_rest_is_kept_at_its_rate_and_the_books_have_both(site: Site) -> None:
    site.serve()
    site.configure_sampling(wait="1s", percentage=25, cold=site.destination_url)
    site.start("collector")
    ids = _ids(4000, 1)
    for name in ("one", "two"):
        assert site.send("cliente-a", _spans("cliente-a", ids, name), "traces").status_code == 200
    assert site.books("cliente-a", OTLP, "traces")["queued"] == 8000
    terms = site.settle("cliente-a", OTLP, "traces")
    assert terms["received"] == 8000
    assert terms["sent"] + terms["filtered"] == 8000
    assert 0.22 * 8000 < terms["sent"] < 0.28 * 8000
    assert site.counted("vigia_items_filtered_total", reason="tail_sampling") == terms["filtered"]
    assert site.destination is not None
    came = ExportTraceServiceRequest.FromString(site.destination.arrived("cliente-a"))
    kept: dict[bytes, set[str]] = {}
    for group in came.resource_spans:
        for span in group.scope_spans[0].spans:
            kept.setdefault(span.trace_id, set()).add(span.name)
    assert set(map(frozenset, kept.values())) == {frozenset({"one", "two"})}
    # A late span follows its trace, also behind a kill.
    site.kill("collector")
    site.start("collector")
    assert site.send("cliente-a", _spans("cliente-a", ids, "late"), "traces").status_code == 200
    terms = site.settle("cliente-a", OTLP, "traces")
    assert terms["sent"] + terms["filtered"] == terms["received"] + terms.get("queued_at_start", 0)
    came = ExportTraceServiceRequest.FromString(site.destination.arrived("cliente-a"))
    late = {
        span.trace_id
        for group in came.resource_spans
        for scope in group.scope_spans
        for span in scope.spans
        if span.name == "late"
    }
    assert late == set(kept)


def test_who_opens_a_million_traces_hurts_itself_alone(site: Site) -> None:
    site.serve()
    site.configure_sampling(wait="4s", num_traces=2000, cold=site.destination_url)
    site.start("collector")
    refused = 0
    for seed in range(40):
        # Each a trace that is kept only by what comes last.
        quiet = _ids(20, 1000 + seed)
        assert site.send("cliente-b", _spans("cliente-b", quiet, "first"), "traces").status_code == 200
        answer = site.send("cliente-a", _spans("cliente-a", _ids(10_000, seed), "flood"), "traces")
        refused += answer.status_code == 429
        time.sleep(0.05)
    assert refused > 0
    assert site.counted("vigia_tail_sampling_early_total", customer_id="cliente-b") == 0
    assert site.counted("vigia_tail_sampling_early_total", customer_id="cliente-a") > 0
    for customer in ("cliente-a", "cliente-b"):
        terms = site.settle(customer, OTLP, "traces")
        assert terms["filtered"] + terms.get("sent", 0) + terms.get("rejected", 0) == terms["received"]
    assert site.books("cliente-b", OTLP, "traces").get("rejected", 0) == 0


def test_without_the_processor_what_waits_is_kept(site: Site) -> None:
    site.serve()
    site.configure_sampling(wait="10m", cold=site.destination_url)
    site.start("collector")
    assert site.send("cliente-a", _spans("cliente-a", _ids(10, 1), "waits"), "traces").status_code == 200
    assert site.books("cliente-a", OTLP, "traces")["queued"] == 10
    site.kill("collector")
    site.configure_sampling(is_on=False, cold=site.destination_url)
    site.start("collector")
    destination = site.destination
    assert destination is not None
    wait_for("what waited arrives", lambda: destination.arrived("cliente-a").count(b"waits") == 10)
    site.settle("cliente-a", OTLP, "traces")
