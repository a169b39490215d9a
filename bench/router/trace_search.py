"""What a search for traces takes through the router, over a million spans in a real storage.

Sends the spans to storage as a collector would (traces of six spans, of a gateway, a shop and a bank with four instances each; twelve
attributes a span, one trace in a hundred fails; 2,000 spans a second), then asks the router as Jaeger's clients do, over one connection
that is kept. Prints latencies, the size of the answer and the machine's load, one line for each question, or with --json an object each.

    PYTHONPATH=tools:tests/integration .vigia/venv/bin/python bench/router/trace_search.py [--spans 1000000]
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import statistics
import tempfile
import time
import urllib.parse
from pathlib import Path
from typing import NamedTuple

import requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otlp import PROTOBUF, attributes
from query_overhead import prepare
from stack import Stack

SERVICES = ("gateway", "shop", "bank")
INSTANCES = 4
SPANS_A_TRACE = 6
TRACES_A_REQUEST = 333
REQUEST_NS = 1_000_000_000


class Load:
    """Requests of a second each, made by rule from a fixed seed."""

    def __init__(self, begin_ns: int) -> None:
        self.now_ns, self.random = begin_ns, random.Random(42)
        self.traces = 0

    def next_request(self) -> bytes:
        request = ExportTraceServiceRequest()
        scopes = {}
        for service in SERVICES:
            for instance in range(INSTANCES):
                entry = request.resource_spans.add()
                names = {
                    "customer.id": "cliente-a",
                    "service.name": service,
                    "service.instance.id": f"{service}-{instance}",
                }
                entry.resource.attributes.extend(attributes(names | {f"host.fact-{i}": f"value-{i}" for i in range(8)}))
                scopes[service, instance] = entry.scope_spans.add()
        for _ in range(TRACES_A_REQUEST):
            self._add_trace(scopes)
        self.now_ns += REQUEST_NS
        return bytes(request.SerializeToString())

    def _add_trace(self, scopes: dict[tuple[str, int], object]) -> None:
        draw = self.random
        trace, parent = draw.randbytes(16), b""
        begin, fails = self.now_ns + draw.randrange(REQUEST_NS), draw.randrange(100) == 0
        self.traces += 1
        for depth in range(SPANS_A_TRACE):
            scope = scopes[SERVICES[depth // 2], draw.randrange(INSTANCES)]
            start, route, own = begin + depth * 100_000, draw.randrange(20), draw.randbytes(8)
            said = {
                "http.request.method": "GET" if depth % 2 == 0 else "POST",
                "url.scheme": "https",
                "server.address": f"host-{draw.randrange(4)}.example.net",
                "server.port": "8443",
                "http.route": f"/api/v1/thing-{route}",
                "network.protocol.version": "1.1",
                "user_agent.original": f"okhttp/4.{draw.randrange(10)}",
                "http.response.status_code": "500" if fails and depth >= 4 else "200",
                "url.path": f"/api/v1/thing-{route}/{draw.randrange(1_000_000)}",
                "client.port": str(draw.randrange(60_000)),
                "thread.id": str(draw.randrange(64)),
                "enduser.id": f"user-{draw.randrange(100_000)}",
            }
            span = scope.spans.add(  # type: ignore[attr-defined]
                trace_id=trace,
                span_id=own,
                parent_span_id=parent,
                name=f"{said['http.request.method']} /api/v1/thing-{route}",
                kind=2 if depth % 2 == 0 else 3,
                start_time_unix_nano=start,
                end_time_unix_nano=start + ((500_000 + draw.randrange(20_000_000)) >> depth),
                attributes=attributes(said),
            )
            if fails and depth >= 4:
                span.status.code = 2
            parent = own


def fill(stack: Stack, load: Load, spans: int) -> None:
    headers = {
        **PROTOBUF,
        "Authorization": f"Bearer {stack.secrets['internal_token']}",
        "X-Vigia-Customer": "cliente-a",
    }
    with requests.Session() as session:
        while load.traces * SPANS_A_TRACE < spans:
            url = f"{stack.layout.url('storage')}/v1/traces"
            answer = session.post(url, data=load.next_request(), headers=headers, timeout=60)
            assert answer.status_code == 200, answer.text


def questions(begin_ns: int, end_ns: int) -> dict[str, str]:
    times = {"start": str(begin_ns // 1000), "end": str(end_ns // 1000)}
    middle = {"start": times["start"], "end": str((begin_ns + end_ns) // 2000)}

    def search(asked: dict[str, str]) -> str:
        return "traces?" + urllib.parse.urlencode(asked)

    return {
        "latest 20 of a service": search({**times, "service": "shop"}),
        "latest 100 of a service": search({**times, "service": "shop", "limit": "100"}),
        "20 of the middle": search({**middle, "service": "gateway"}),
        "an operation": search({**times, "service": "shop", "operation": "GET /api/v1/thing-7"}),
        "failed and slow": search({**times, "service": "bank", "tag": "error:true", "minDuration": "500us"}),
        "one user": search({**times, "service": "shop", "tag": "enduser.id:user-7"}),
        "nobody": search({**times, "service": "shop", "tags": json.dumps({"enduser.id": "nobody"})}),
        "services": "services",
        "operations": "services/shop/operations",
        "calls of a minute": f"dependencies?endTs={end_ns // 1_000_000}&lookback=60000",
    }


class Row(NamedTuple):
    question: str
    items: int
    size: int  # bytes of the answer
    first_ms: float
    p50_ms: float
    p99_ms: float
    load: float  # of the machine

    def text(self) -> str:
        times = f"{self.first_ms:9.1f} {self.p50_ms:8.1f} {self.p99_ms:8.1f} {self.load:5.1f}"
        return f"{self.question:26} {self.items:6} {self.size:9} {times}"


def measure(connection: http.client.HTTPConnection, name: str, target: str, count: int) -> Row:
    times, content = [], b""
    for _ in range(count):
        began = time.perf_counter()
        connection.request("GET", f"/jaeger/api/{target}", headers={"Authorization": "Bearer read-a"})
        answer = connection.getresponse()
        content = answer.read()
        times.append((time.perf_counter() - began) * 1e3)
        assert answer.status == 200, content[:300]
    cuts = statistics.quantiles(times, n=100)
    return Row(name, len(json.loads(content)["data"]), len(content), times[0], cuts[49], cuts[98], os.getloadavg()[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spans", type=int, default=1_000_000)
    parser.add_argument("--count", type=int, default=50, help="times each question is asked")
    parser.add_argument("--json", action="store_true", help="an object a line, for bench/run.py")
    options = parser.parse_args()
    seconds = options.spans // (TRACES_A_REQUEST * SPANS_A_TRACE) + 1
    begin_ns = time.time_ns() - (seconds + 60) * REQUEST_NS
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        prepare(stack)
        stack.start("storage", "router")
        load = Load(begin_ns)
        fill(stack, load, options.spans)
        if not options.json:
            print(f"{load.traces * SPANS_A_TRACE} spans of {load.traces} traces")
            print(f"{'question':26} {'items':>6} {'bytes':>9} {'first ms':>9} {'p50 ms':>8} {'p99 ms':>8} {'load':>5}")
        connection = http.client.HTTPConnection(stack.layout.host, stack.layout.ports["router"], timeout=60)
        for name, target in questions(begin_ns, load.now_ns).items():
            row = measure(connection, name, target, options.count)
            print(json.dumps(row._asdict()) if options.json else row.text(), flush=True)


if __name__ == "__main__":
    main()
