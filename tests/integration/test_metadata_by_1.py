"""Type, help and unit by remote write 1.0, in and out: from a customer's own Prometheus to what the cold store tells, by both
versions on the way out; and what a Prometheus that receives them keeps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from collector_lanes import METRICS, now_ms
from launcher import parts
from otlp import gauge, metrics_request, resource_of
from stack import prometheus_programs, wait_for
from test_remote_write_in import Site

KINDS = {"app_requests_total": "counter", "app_temperature": "gauge", "app_seconds": "histogram"}
BY_1 = "protobuf_message: prometheus.WriteRequest, "


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    try:
        yield made
    finally:
        made.end()


def _said(site: Site, customer: str) -> dict[str, Any]:
    headers = {"Authorization": "Bearer secret", "X-Vigia-Customer": customer}
    answer = requests.get(f"http://{site.host}:9096/api/v1/metadata", headers=headers, timeout=10)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["data"]
    return found


def _types(site: Site, customer: str) -> dict[str, str]:
    said = _said(site, customer)
    return {name: said[name][0]["type"] for name in said if name.startswith("app_")}


def _send_by_1(site: Site) -> None:
    path = site.folder / "collector.yaml"
    text = path.read_text()
    path.write_text(text.replace('/api/v1/write", ', f'/api/v1/write", {BY_1}'))


@pytest.mark.parametrize("out", ["2.0", "1.0"])
def test_what_a_prometheus_says_by_1_is_known_to_its_customer(site: Site, out: str) -> None:  # R-RW-1
    if out == "1.0":
        _send_by_1(site)
    site.start("storage")
    site.start("hot", parts.program("prometheus-2"))
    site.start("collector")
    site.start_source(
        parts.program("prometheus-2"),
        form="    metadata_config: {send: true, send_interval: 1s}\n",
    )
    # The source says it of "app_requests", as OpenMetrics does.
    wait_for("types", lambda: KINDS.items() <= _types(site, "cliente-a").items(), 60)
    assert not _types(site, "cliente-b"), "another customer's"


@pytest.mark.parametrize("hot", prometheus_programs(), ids=lambda found: found[0])
def test_what_otlp_says_goes_by_1_and_a_prometheus_keeps_none_of_it(site: Site, hot: tuple[str, str]) -> None:
    """R-RW-1. The cold store keeps it; `/api/v1/metadata` of a Prometheus is of its own targets alone, of 2.42 as of 3.x."""
    _send_by_1(site)
    site.start("storage")
    site.start("hot", Path(hot[1]))
    site.start("collector")
    level = gauge("app_level", [(now_ms(), 4.0)])
    level.description, level.unit = "how high", "m"
    body = metrics_request(resource_of("cliente-a"), level).SerializeToString()
    assert site.send("cliente-a", body, METRICS.signal).status_code == 200
    wait_for("the value in hot", lambda: site.count('{__name__=~"app_level.*"}') == 1, 30)
    wait_for("the type in cold", lambda: _types(site, "cliente-a"), 30)
    [(name, said)] = [(name, said) for name, said in _said(site, "cliente-a").items() if name.startswith("app_")]
    assert (name, said[0]["type"], said[0]["help"], said[0]["unit"]) == ("app_level_meters", "gauge", "how high", "m")
    answer = requests.get(f"http://{site.host}:9090/api/v1/metadata", timeout=10)
    assert name not in answer.json()["data"]
