"""What the collector tells of itself: stock names at 8888, reasons at 13133, whom it refuses in its log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import requests
from collector_alone import CUSTOMER, TOKEN, CollectorAlone, now_ms
from otlp import gauge, log_request, metrics_request, post, resource_of, span_request
from stack import wait_for

ITEMS = ("spans", "metric_points", "log_records")
# What the queries of Grafana's dashboards 15983 and 12553 for OpenTelemetry Collectors read, without the suffix that they
# look up first (here it is ""). Left out, since no part of ours has them: otelcol_otelsvc_k8s_* of the processor
# k8sattributes, and otelcol_rpc_*, which Go's gRPC library counts at its level "detailed".
DASHBOARD_SERIES = (
    *(f"otelcol_receiver_{what}_{items}" for what in ("accepted", "refused") for items in ITEMS),
    *(f"otelcol_processor_{what}_{items}" for what in ("accepted", "refused", "dropped") for items in ITEMS),
    *(f"otelcol_exporter_{what}_{items}" for what in ("sent", "send_failed", "enqueue_failed") for items in ITEMS),
    "otelcol_processor_batch_batch_send_size_bucket",
    "otelcol_processor_batch_batch_send_size_sum",
    "otelcol_processor_batch_batch_send_size_count",
    "otelcol_processor_batch_batch_size_trigger_send",
    "otelcol_processor_batch_timeout_trigger_send",
    "otelcol_exporter_queue_size",
    "otelcol_exporter_queue_capacity",
    "otelcol_process_uptime",
    "otelcol_process_cpu_seconds",
    "otelcol_process_memory_rss",
    "otelcol_process_runtime_heap_alloc_bytes",
    "otelcol_process_runtime_total_sys_memory_bytes",
)


def _send_all(collector: CollectorAlone, token: str = TOKEN, customer: str = CUSTOMER) -> list[int]:
    resource = resource_of(customer)
    bodies: dict[str, Any] = {
        "metrics": metrics_request(resource, gauge("told", [(now_ms(), 1.0)])),
        "traces": span_request(resource, b"t" * 16, b"s" * 8, "told"),
        "logs": log_request(resource, "told"),
    }
    return [
        post(collector.http, token, body.SerializeToString(), signal=signal).status_code
        for signal, body in bodies.items()
    ]


def test_every_series_that_the_common_dashboards_ask_for_is_there(tmp_path: Path) -> None:
    for name in ("far", "near"):
        (tmp_path / name).mkdir()
    with CollectorAlone(tmp_path / "far") as far:
        exporters = (
            f'otlp: {{endpoint: "{far.host}:4317", tls: {{insecure: true}},'
            f' headers: {{Authorization: "Bearer {TOKEN}"}}}}'
        )
        with CollectorAlone(tmp_path / "near", exporters=exporters, exporter="otlp") as near:
            page = near.exposition()
            missing = [name for name in DASHBOARD_SERIES if f"\n{name}{{" not in page and f"\n{name} " not in page]
            assert missing == [], "from the start on, before anything was sent"
            assert _send_all(near) == [200, 200, 200]
            for items in ITEMS:
                wait_for(items, lambda items=items: near.metric(f"otelcol_exporter_sent_{items}") == 1)  # type: ignore[misc]
                assert far.metric(f"otelcol_receiver_accepted_{items}") == 1
            assert near.metric("otelcol_processor_batch_batch_send_size_count") == 3
            assert near.metric("otelcol_processor_batch_batch_send_size_sum") == 3
            assert near.metric("otelcol_processor_batch_timeout_trigger_send") == 3
            assert near.metric('otelcol_processor_accepted_spans{processor="memory_limiter"}') == 1
            assert near.metric("otelcol_process_uptime") > 0
            assert near.metric("otelcol_process_runtime_heap_alloc_bytes") > 100_000


def test_health_says_why_and_is_503_only_while_nothing_is_taken(tmp_path: Path) -> None:
    with CollectorAlone(tmp_path, directory=f'{{file: "{tmp_path}/customers.yaml", max_stale: 3s}}') as collector:

        def health() -> tuple[int, dict[str, Any]]:
            answer = requests.get(f"http://{collector.host}:13133/", timeout=5)
            return answer.status_code, answer.json()

        assert health() == (200, {"status": "ok"})
        kept = (tmp_path / "customers.yaml").read_text()
        (tmp_path / "customers.yaml").unlink()
        # R-OTLP-12, F16: a directory that could not be refreshed for max_stale is a passing fault.
        wait_for("the directory is too old", lambda: _send_all(collector) == [503, 503, 503], 20)
        status, told = health()
        assert status == 503
        assert [reason["reason"] for reason in told["reasons"]] == ["directory"]
        (tmp_path / "customers.yaml").write_text(kept)
        wait_for("it is served again", lambda: _send_all(collector) == [200, 200, 200], 20)
        assert health() == (200, {"status": "ok"})


# By default a directory is never too old: what was known goes on.
def test_without_max_stale_a_directory_that_is_gone_stays_in_force(tmp_path: Path) -> None:
    with CollectorAlone(tmp_path) as collector:
        (tmp_path / "customers.yaml").unlink()
        wait_for("refreshes have failed", lambda: collector.metric("vigia_directory_refresh_failures_total") > 3)
        assert _send_all(collector) == [200, 200, 200]


def test_who_is_refused_has_a_line_a_minute_in_the_log(tmp_path: Path) -> None:
    with CollectorAlone(tmp_path) as collector:
        for _ in range(5):
            assert _send_all(collector, "token-b") == [403, 403, 403]
        wait_for("a line", lambda: "data of a customer is refused" in collector.log())
        for _ in range(5):
            answer = post(collector.http, TOKEN, b"\xff", signal="logs")
            assert answer.status_code == 400
        lines = [line for line in collector.log().splitlines() if "data of a customer is refused" in line]
        assert len(lines) == 2, lines
        assert "customer_id=cliente-b" in lines[0]
        assert "reason=foreign" in lines[0]
        assert f"customer_id={CUSTOMER}" in lines[1]
        assert "reason=invalid" in lines[1]
