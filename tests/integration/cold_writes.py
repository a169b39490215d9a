"""Steps of a walk that write; the model takes what was sent, answered or not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import requests
from cold_draws import SERVICES, Draws
from cold_model import DAY_MS, Exemplar, Labels, LogLine, Request, Span, Value
from cold_questions import headers_of
from cold_site import CUSTOMERS
from cold_values import Native, bits_of, kept_bits
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otlp import attributes, post
from remote_write import histogram, sample_with_exemplar, series_bytes

Sent = list[tuple[str, Request, bool]]


class Writes(Draws):
    def write(self) -> None:
        customer = self.customer()
        self.take(customer, [self.request(customer)])

    def write_burst(self) -> None:
        customer = self.customer()
        self.take(customer, [self.burst(customer)])

    def take(self, customer: str, sent: Sequence[Request]) -> None:
        self.note(
            f"{customer} {[[(dict(labels), len(samples), min(t for t, _ in samples) / DAY_MS, max(t for t, _ in samples) / DAY_MS) for labels, samples in one] for one in sent]}"
        )
        for request in sent:
            is_answered = self.site.send(customer, request)
            self.site.model.take([(customer, _kept(request), is_answered)])

    def write_again(self) -> None:
        """What is there, with its value and with another: the first one stays."""
        customer = self.customer()
        own = self.site.model.of(customer).series
        request = []
        for labels, at in self.known(customer, 60):
            value = own[labels].cells[at].values[0] if self.chance.random() < 0.6 else self.value()
            request.append((labels, [(at, value)]))
        if request:
            self.take(customer, [request])

    def write_histograms(self) -> None:
        customer, is_float = self.customer(), self.chance.random() < 0.5
        labels = self.labels(customer, "hf" if is_float else "hi")
        first, last = self.site.day_ms(self.chance.choice([1, 1, 2, 4]))
        start = self.chance.randrange(first, last)
        samples: list[tuple[int, Value]] = []
        for number in range(self.chance.choice([1, 8, 90])):
            at = start + number * 15_000 if self.chance.random() < 0.9 else self.chance.randrange(first, last)
            buckets = [self.chance.randrange(50) + (0.5 if is_float else 0) for _ in range(self.chance.randrange(1, 6))]
            offset = self.chance.randrange(-3, 4)
            if at <= last:
                samples.append((at, Native.of(histogram(at, buckets, is_float=is_float, offset=offset))))
        self.take(customer, [[(labels, samples)]])

    def write_exemplars(self) -> None:
        customer, more = self.customer(), b""
        exemplars: list[Exemplar] = []
        sent: list[tuple[Labels, list[tuple[int, Value]]]] = []
        for _ in range(self.chance.randrange(1, 5)):
            labels, at, value = self.labels(customer), self.time_in(self.days_ago()), self.chance.randrange(99) + 0.25
            trace = f"{self.chance.randrange(1 << 60):032x}"
            more += series_bytes(dict(labels), sample_with_exemplar(at, value, trace))
            exemplars.append(Exemplar(labels, at, str(value), trace))
            sent.append((labels, [(at, bits_of(value))]))
        self.note(f"{customer} {len(exemplars)}")
        is_answered = self.site.send(customer, [], more)
        self.site.model.take([(customer, sent, is_answered)])
        self.site.model.take_exemplars(customer, exemplars, is_answered)

    def write_at_once(self, kill_after: float | None = None, kill: Callable[[], None] | None = None) -> None:
        """Some clients at once, of all customers, also of the same samples. Meanwhile the program is killed, or what `kill` says."""
        clients = [(customer := self.customer(), [self.request(customer) for _ in range(6)]) for _ in range(4)]
        same = clients[0][1][0]
        clients.append((clients[0][0], [[(labels, [(at, self.value()) for at, _ in some]) for labels, some in same]]))
        results: list[Sent] = [[] for _ in clients]
        threads = [
            threading.Thread(target=self._send_all, args=(*client, into))
            for client, into in zip(clients, results, strict=True)
        ]
        for thread in threads:
            thread.start()
        if kill_after is not None:
            time.sleep(kill_after)  # the fault's moment, not a wait
            (kill or self.site.kill)()
        for thread in threads:
            thread.join()
        assert (
            kill_after is not None
            or self.site.is_doomed
            or all(len(one) == len(sent) for one, (_, sent) in zip(results, clients, strict=True))
        )
        self.site.model.take([one for sent in results for one in sent])

    def _send_all(self, customer: str, sent: Sequence[Request], into: Sent) -> None:
        for request in sent:
            into.append((customer, _kept(request), False))
            is_answered = self.site.send(customer, request)
            into[-1] = (customer, _kept(request), is_answered)
            if not is_answered:
                return

    def write_logs(self) -> None:
        customer = self.customer()
        service, node = self.chance.choice(SERVICES), f"n{self.chance.randrange(3)}"
        at_ns = self.time_in(self.days_ago()) * 1_000_000
        lines: list[LogLine] = []
        for _ in range(self.chance.choice([1, 7, 60])):
            # Some at one time, some equal to the one before: their order is that of their coming.
            at_ns += self.chance.choice([0, 0, 1, 700_000_000]) if not self.site.is_doomed else 1
            if lines and self.chance.random() < 0.1 and not self.site.is_doomed:
                at_ns = lines[-1].time_ns
                equal = [line for line in lines if line.time_ns == at_ns and line.text == lines[-1].text]
                lines.append(LogLine(at_ns, service, node, lines[-1].text, len(equal)))
            else:
                lines.append(LogLine(at_ns, service, node, f"line {self.next_number(customer, 'line')}"))
        self.send_logs(customer, lines)
        if self.site.is_doomed:
            return  # what is not answered has a time of its own: its place among others would not be known
        if self.chance.random() < 0.6:  # of one time, what came first is first
            some = self.chance.sample(lines, min(5, len(lines)))
            texts = [f"line {self.next_number(customer, 'line')}" for _ in some]
            others = [LogLine(one.time_ns, service, node, text) for one, text in zip(some, texts, strict=True)]
            self.send_logs(customer, others)
        if self.chance.random() < 0.3:
            self.send_logs(customer, lines)  # stores nothing

    def send_logs(self, customer: str, lines: Sequence[LogLine]) -> None:
        self.note(f"{customer} {len(lines)} lines of {lines[0].service}")
        request = ExportLogsServiceRequest()
        entry = request.resource_logs.add()
        resource = {"customer.id": customer, "service.name": lines[0].service, "node.id": lines[0].node}
        entry.resource.attributes.extend(attributes(resource))
        records = entry.scope_logs.add().log_records
        for line in lines:
            records.add(time_unix_nano=line.time_ns).body.string_value = line.text
        self.site.model.take_lines(customer, lines, self.send_otlp(customer, request, "logs"))

    def write_spans(self) -> None:
        customer, at_ns = self.customer(), self.time_in(self.days_ago()) * 1_000_000
        own = self.site.model.of(customer).spans
        traces = [span.trace for span in own][-20:]
        spans = []
        for _ in range(self.chance.choice([1, 5, 40])):
            is_new = not traces or self.chance.random() < 0.5
            trace = (
                self.next_number(customer, "trace") + (1 << 64) * (1 + CUSTOMERS.index(customer))
                if is_new
                else self.chance.choice(traces)
            )
            traces.append(trace)
            number = self.next_number(customer, "span")
            name = f"op-{self.chance.randrange(3)}"
            spans.append(Span(trace, number, self.chance.choice(SERVICES), name, at_ns + number * 5_000_000))
        self.send_spans(customer, spans)
        if self.chance.random() < 0.3:
            self.send_spans(customer, spans)

    def send_spans(self, customer: str, spans: Sequence[Span]) -> None:
        self.note(f"{customer} {len(spans)} spans")
        request = ExportTraceServiceRequest()
        for span in spans:
            entry = request.resource_spans.add()
            entry.resource.attributes.extend(attributes({"customer.id": customer, "service.name": span.service}))
            entry.scope_spans.add().spans.add(
                trace_id=span.trace.to_bytes(16, "big"),
                span_id=span.span.to_bytes(8, "big"),
                name=span.name,
                start_time_unix_nano=span.start_ns,
                end_time_unix_nano=span.start_ns + 1_000,
            )
        self.site.model.take_spans(customer, spans, self.send_otlp(customer, request, "traces"))

    def send_otlp(
        self, customer: str, request: ExportLogsServiceRequest | ExportTraceServiceRequest, signal: str
    ) -> bool:
        def send() -> requests.Response:
            body = request.SerializeToString()
            return post(self.site.storage.url, None, body, signal=signal, headers=headers_of(customer))

        return self.site.answered(send, (200,))


def _kept(request: Request) -> Request:
    return [
        (labels, [(at, kept_bits(value) if isinstance(value, int) else value) for at, value in samples])
        for labels, samples in request
    ]
