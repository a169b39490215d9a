"""A router over real stores that hold data of three customers, all that a customer can have, with a secret word in each name
and value that is his alone. What shows a word of another's is a leak.

Beside the secrets, which no request names, there are names that one may guess: `guess_b_total`, the service `guess-b`,
the trace BBBB…: a request may name another's, and is told what it is told of what nobody has.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

import requests
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from otlp import PROTOBUF, attributes
from reading import MINUTE_MS, Reading
from remote_write import Histogram, one_histogram, sample_with_exemplar, series_bytes, sized, write_bytes
from stack import Stack, wait_for

DAY_MS = 86_400_000
OLD_MS = 10 * DAY_MS
CUSTOMERS = {"cliente-a": "read-a", "cliente-b": "read-b", "cliente-c": "read-c"}
SECRETS = {customer: f"zq{customer[-1]}x" for customer in CUSTOMERS}


def letter_of(customer: str) -> str:
    return customer[-1]


def trace_of(customer: str) -> str:
    """The id that others may guess."""
    return letter_of(customer) * 32


def secret_trace_of(customer: str) -> str:
    return SECRETS[customer].encode().hex() + "0" * 24


def secrets_of_others(customer: str) -> dict[str, bytes]:
    """What may stand in no answer to this customer, each in the spellings that an answer might give it."""
    words = {}
    for other, secret in SECRETS.items():
        if other != customer:
            words[secret] = secret.encode()
            words[f"{secret} (hex)"] = secret.encode().hex().encode()
    return words


def leaks_in(customer: str, shown: bytes) -> list[str]:
    """The words of others that stand there, in whatever case."""
    lower = shown.lower()
    return [name for name, word in secrets_of_others(customer).items() if word in lower]


def _rules() -> str:
    groups = ["groups:"]
    for customer, secret in SECRETS.items():
        groups += [
            f"  - name: {secret}-group",
            "    interval: 1s",
            "    rules:",
            f"      - alert: {secret}_alert",
            f"        expr: 'shared{{customer_id=\"{customer}\"}} > 0'",
            f"        labels: {{customer_id: {customer}, why: {secret}_label}}",
            f"        annotations: {{summary: {secret}_words}}",
            f"      - record: {secret}:recorded",
            f"        expr: 'sum by (customer_id) (shared{{customer_id=\"{customer}\"}})'",
            f"        labels: {{customer_id: {customer}}}",
        ]
    return "\n".join(groups) + "\n"


def _said(family: str, text: str) -> bytes:
    """What remote write says of a metric: a gauge."""
    return sized(3, b"\x08\x02" + sized(2, family.encode()) + sized(4, text.encode()))


class Canaries(Reading):
    """Start it, then fill it."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(stack)
        (stack.layout.data / "rules" / "hot-0" / "test.yml").write_text(_rules())

    def headers_of(self, customer: str) -> dict[str, str]:
        """For storage."""
        return {"Authorization": f"Bearer {self.stack.secrets['internal_token']}", "X-Vigia-Customer": customer}

    def fill(self) -> None:
        for customer in CUSTOMERS:
            self._fill_metrics(customer)
            self._fill_traces(customer)
            self._fill_logs(customer)
        self.beat(56)
        wait_for("hot covers the last minutes", self._is_hot, 90)
        wait_for("each has his alert", self._have_alerts, 20)

    def _is_hot(self) -> bool:
        answer = self.ask("/api/v1/query", query="shared")
        return answer.headers.get("X-Vigia-Served", "").startswith("hot=") and "warnings" not in answer.json()

    def _have_alerts(self) -> bool:
        return all(self.ask("/api/v1/alerts", token).json()["data"]["alerts"] for token in CUSTOMERS.values())

    def _fill_metrics(self, customer: str) -> None:
        secret, letter = SECRETS[customer], letter_of(customer)
        own = {"customer_id": customer, "node_id": f"{secret}_node", f"{secret}_label": f"{secret}_value"}
        new = [(self.now_ms - n * MINUTE_MS, 100.0 - n) for n in reversed(range(60))]
        old = [(self.now_ms - OLD_MS + n * MINUTE_MS, float(n)) for n in range(60)]
        for name in ("shared", "shared_total", f"guess_{letter}_total", f"{secret}_total"):
            for job in ("shop", f"{secret}_job"):
                self.to_both({"__name__": name, "job": job, **own}, new)
        for number, le in enumerate(("0.1", "1", "+Inf")):
            bucket = {"__name__": "shared_seconds_bucket", "job": "shop", "le": le, **own}
            self.to_both(bucket, [(at, value * (number + 1)) for at, value in new])
        self.to_cold({"__name__": "shared_old_total", "job": "shop", **own}, old)
        self.to_cold({"__name__": f"{secret}_old_total", "job": f"{secret}_job", **own}, old)
        self._fill_beside_samples(customer, own)

    def _fill_beside_samples(self, customer: str, own: Mapping[str, str]) -> None:
        """Exemplars, native histograms, metadata."""
        secret = SECRETS[customer]
        hot, cold = self.stack.layout.url("hot"), self.stack.layout.url("storage")
        for at, stores in ((self.now_ms, (hot, cold)), (self.now_ms - OLD_MS, (cold,))):
            traced = sample_with_exemplar(at, 1.0, f"{secret}trace")
            body = series_bytes({"__name__": "shared_traced_total", "job": "shop", **own}, traced)
            native = one_histogram(
                {"__name__": "shared_native", "job": "shop", **own},
                Histogram(3, 4.0, 0, 0.001, 1, (0, (1, 1)), (0, ())),
                at,
            )
            for store in stores:
                headers = self.headers_of(customer) if store == cold else None
                assert write_bytes(store, body, headers).ok
                assert write_bytes(store, native, headers).ok
        said = _said("shared", f"{secret} help") + _said(f"{secret}_total", f"{secret} help")
        assert write_bytes(cold, said, self.headers_of(customer)).ok

    def post(self, path: str, customer: str, body: bytes) -> None:
        url = f"{self.stack.layout.url('storage')}/v1/{path}"
        answer = requests.post(url, data=body, headers={**PROTOBUF, **self.headers_of(customer)}, timeout=10)
        assert answer.status_code == 200, answer.text

    def _fill_traces(self, customer: str) -> None:
        secret, letter = SECRETS[customer], letter_of(customer)
        for number, (service, trace) in enumerate(
            (
                ("shop", trace_of(customer)),
                ("shop", secret_trace_of(customer)),
                (f"guess-{letter}", "12" * 16),
                (f"{secret}-service", "12" * 16),
            )
        ):
            request = ExportTraceServiceRequest()
            origin = request.resource_spans.add()
            named = {"customer.id": customer, "service.name": service, f"{secret}.place": f"{secret}-place"}
            origin.resource.attributes.extend(attributes(named))
            begin_ns = (self.now_ms - 60_000) * 1_000_000
            origin.scope_spans.add().spans.add(
                trace_id=bytes.fromhex(trace),
                span_id=bytes([letter.encode()[0], number + 1] * 4),
                parent_span_id=bytes([letter.encode()[0], number] * 4) if number == 3 else b"",
                name="GET /" if number == 0 else f"{secret} operation",
                kind=2,
                start_time_unix_nano=begin_ns,
                end_time_unix_nano=begin_ns + 5_000_000,
                attributes=attributes({"http.method": "GET", f"{secret}.tag": f"{secret}-value"}),
            )
            self.post("traces", customer, request.SerializeToString())

    def _fill_logs(self, customer: str) -> None:
        secret, letter = SECRETS[customer], letter_of(customer)
        at_ns = (int(time.time()) - 600) * 1_000_000_000
        for service, node in (("shop", f"{secret}-node"), (f"guess-{letter}", "n1"), (f"{secret}-service", "n1")):
            request = ExportLogsServiceRequest()
            entry = request.resource_logs.add()
            named = {"customer.id": customer, "service.name": service, "node.id": node, "environment": "test"}
            entry.resource.attributes.extend(attributes({**named, f"{secret}.place": f"{secret}-place"}))
            scope = entry.scope_logs.add()
            for number, text in enumerate(
                (
                    f"{secret} order 1 taken by 10.0.0.1 in 5ms of 2KB",
                    f'{{"level":"error","code":500,"way":"/{secret}","took":"7ms","size":"3KB"}}',
                    f"level=warn code=404 way=/{secret} took=9ms size=1KB",
                    f"\x1b[31m{secret} red\x1b[0m",
                )
            ):
                record = scope.log_records.add(
                    time_unix_nano=at_ns + number * 10_000_000_000, body=AnyValue(string_value=text)
                )
                record.attributes.extend(attributes({"http.route": f"/{secret}", "attempt": str(number)}))
                record.severity_text = ("INFO", "ERROR", "WARN", "INFO")[number]
                record.trace_id = bytes.fromhex(trace_of(customer))
            self.post("logs", customer, request.SerializeToString())
