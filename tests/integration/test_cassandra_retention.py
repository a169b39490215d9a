"""Retention by customer and resolution on a real Cassandra node: each sees just what he keeps, on whichever instance."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import requests
from cassandra_server import OwnCassandra
from cold_store import DAY_MS, TOKEN, StorageAlone
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otlp import log_request, post, resource_of, span_request
from remote_read import SAMPLES, post_read, read_request, rolled_request, samples_of
from remote_write import write
from stack import wait_for

pytestmark = pytest.mark.cassandra

CUSTOMERS = ("long", "plain", "short")
AGES = (45, 20)  # days
STEP_MS = 600_000
_STORAGE = """
listen: {host}:9096
metrics: {{listen: "{host}:9196"}}
internal_token: secret
store:
  cassandra: {{directory: "{folder}", contact_points: ["{node}"], keyspace: classes, replication_factor: 1, gather: 1s}}
retention: {{raw: 30d, rollup_5m: 2y, rollup_1h: 2y, rollup_1d: 2y, traces: 30d, logs: 30d, interval: 1s}}
retention_classes:
  long: {{raw: 2y, traces: 90d, logs: 90d}}
  short: {{raw: 10d, rollup_5m: 15d, rollup_1h: 15d, rollup_1d: 15d, traces: 10d, logs: 10d}}
retention_customers_file: {customers}
"""
# What of the two days is there, of each kind: by customer, where all that is over has gone.
KINDS = ("raw", "1h:sum", "1d:count", "spans", "logs", "names")
KEPT: dict[str, dict[str, list[int]]] = {
    "long": {kind: [45, 20] for kind in KINDS},
    "plain": {"raw": [20], "1h:sum": [45, 20], "1d:count": [45, 20], "spans": [20], "logs": [20], "names": [45, 20]},
    "short": {kind: [] for kind in KINDS},
}


def begin_ms(age: int) -> int:
    return (int(time.time()) // 86_400 - age) * DAY_MS


class Classed(StorageAlone):
    ready_seconds = 150  # the first start on a keyspace makes some forty tables

    def __init__(self, folder: Path, node: str, customers: Path) -> None:
        folder.mkdir()
        super().__init__(folder)
        words = {"host": self.host, "folder": self.folder, "node": node, "customers": customers}
        self.config.write_text(_STORAGE.format(**words))

    def send(self, customer: str, metric: str, samples: list[tuple[int, float]]) -> None:
        write(self.url, [({"__name__": metric, "customer_id": customer}, samples)], self.headers(customer))

    @staticmethod
    def headers(customer: str) -> dict[str, str]:
        return {**TOKEN, "X-Vigia-Customer": customer}

    def write_day(self, age: int) -> None:
        """A day of samples, a span and a log record of each customer; by the records it is then so long ago."""
        begin = begin_ms(age)
        for first in range(begin + STEP_MS, begin + DAY_MS, 7_200_000):
            for customer in CUSTOMERS:
                times = range(first, min(first + 7_200_000, begin + DAY_MS), STEP_MS)
                self.send(customer, f"probe_{age}", [(ms, 1.0) for ms in times])
        for customer in CUSTOMERS:
            self.send(customer, f"probe_{age}", [(begin + DAY_MS + 6 * 3_600_000, 1.0)])  # what lies before is closed
            self.send_items(customer, age)

    def send_items(self, customer: str, age: int) -> None:
        time_ns = (begin_ms(age) + 6 * 3_600_000) * 1_000_000
        span: ExportTraceServiceRequest = span_request(resource_of(customer), trace_of(age), b"\x01" * 8, "op")
        span.resource_spans[0].scope_spans[0].spans[0].start_time_unix_nano = time_ns
        span.resource_spans[0].scope_spans[0].spans[0].end_time_unix_nano = time_ns + 1
        record: ExportLogsServiceRequest = log_request(resource_of(customer), f"text {age}")
        record.resource_logs[0].scope_logs[0].log_records[0].time_unix_nano = time_ns
        headers = {"X-Vigia-Customer": customer}
        bodies = {"traces": bytes(span.SerializeToString()), "logs": bytes(record.SerializeToString())}
        for signal, body in bodies.items():
            answer = post(self.url, "secret", body, signal=signal, headers=headers)
            assert answer.status_code == 200, answer.text

    def write_now(self) -> None:
        """By the records it is now."""
        for customer in CUSTOMERS:
            self.send(customer, "probe_0", [(int(time.time() * 1000), 1.0)])

    def get(self, customer: str, path: str, **asked: str) -> requests.Response:
        return requests.get(f"{self.url}{path}", params=asked, headers=self.headers(customer), timeout=30)

    def has(self, customer: str, kind: str, age: int) -> bool:
        """Whether there is anything of the kind of that day."""
        first, last = begin_ms(age), begin_ms(age) + DAY_MS
        if kind == "spans":
            answer = self.get(customer, f"/api/v1/traces/{trace_of(age).hex()}")
            assert answer.status_code in {200, 404}, answer.text
            return answer.status_code == 200
        asked = {"start": str(first / 1000), "end": str(last / 1000)}
        if kind == "logs":
            return f"text {age}" in self.get(customer, "/api/v1/logs", **asked).text
        if kind == "names":
            return f"probe_{age}" in self.get(customer, "/api/v1/label/__name__/values", **asked).json()["data"]
        metric = f"probe_{age}"
        is_raw = kind == "raw"
        request = read_request([(metric, first, last)]) if is_raw else rolled_request(metric, kind, first, last - 1)
        answer = post_read(self.url, request, SAMPLES, self.headers(customer))
        assert answer.status_code == 200, answer.text
        return any(samples for samples in samples_of(answer).values())

    def kept(self, customer: str) -> dict[str, list[int]]:
        return {kind: [age for age in AGES if self.has(customer, kind, age)] for kind in KINDS}

    def confirm(self, query: str = "") -> int:
        return int(self.post(f"/api/v1/retention/confirm{query}").status_code)

    def expects(self, customer: str, wanted: dict[str, list[int]]) -> None:
        """Once a sweep has gone by the time that a person says is right."""

        def is_so() -> bool:
            self.confirm()
            return self.kept(customer) == wanted

        try:
            wait_for(f"{customer} sees what is kept", is_so, 60)
        except AssertionError as error:
            raise AssertionError(f"{customer}: {self.kept(customer)}, not {wanted}") from error

    def wait_for_sweeps(self) -> None:
        name = "vigia_storage_expiry_sweeps_total"
        ended = self.metrics()[name]
        wait_for("it has looked for what is over", lambda: self.metrics()[name] >= ended + 3, 60)

    def held(self) -> float:
        return self.metrics()["vigia_storage_retention_held_customers"]


def trace_of(age: int) -> bytes:
    return age.to_bytes(16, "big")


def say(file: Path, classes: dict[str, str]) -> None:
    draft = file.with_suffix(".new")
    draft.write_text(json.dumps({"customers": [{"id": who, "class": name} for who, name in classes.items()]}))
    draft.rename(file)


def test_each_customer_sees_what_he_keeps_on_all_instances(cassandra: OwnCassandra, tmp_path: Path) -> None:
    """Raw goes and its roll-ups stay; one keeps all of it, one nothing; over a restart, and by a second instance."""
    customers = tmp_path / "customers.yaml"
    say(customers, {"long": "long"})
    one, two = (Classed(tmp_path / name, cassandra.node.contact_point, customers) for name in ("one", "two"))
    try:
        one.start()
        for age in AGES:
            one.write_day(age)
        one.write_now()
        days = len(CUSTOMERS) * len(AGES)
        wait_for("roll-ups are made", lambda: one.metrics().get("vigia_storage_rollup_days_total", 0) >= days, 180)
        wait_for("none is due", lambda: one.metrics()["vigia_storage_rollup_days_due"] == 0, 60)
        for customer in ("plain", "short"):  # he has no class yet
            one.expects(customer, KEPT["plain"])
        one.expects("long", KEPT["long"])
        say(customers, {"long": "long", "short": "short"})
        wait_for("it is announced", lambda: one.held() == 1, 20)
        one.wait_for_sweeps()
        assert one.kept("short") == KEPT["plain"], "to be kept shorter waits for a person or an hour"
        assert one.confirm("?customer=short") == 200
        for customer in CUSTOMERS:
            one.expects(customer, KEPT[customer])
        one.wait_for_sweeps()
        one.kill()
        one.start()
        one.write_now()
        for customer in CUSTOMERS:
            one.expects(customer, KEPT[customer])
        # Nothing has expired by its own looks: what it gives is what the other one has left.
        two.start()
        wait_for("a folder that is new asks for him again", lambda: two.held() == 1, 20)
        assert two.confirm("?customer=short") == 200
        for customer in CUSTOMERS:
            assert two.kept(customer) == KEPT[customer], customer
    finally:
        one.kill()
        two.kill()
