"""Logs through the router as Loki's clients ask for them, beside a real storage: three customers, whose every name and line has
a canary in it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from otlp import PROTOBUF, attributes, span_request
from reading import Reading
from stack import Stack

CUSTOMERS = {"cliente-a": "read-a", "cliente-b": "read-b", "cliente-c": "read-c"}
CANARIES = {"cliente-a": "alpha", "cliente-b": "bravo", "cliente-c": "charlie"}
DIRECTORY = """\
customers:
  - {id: cliente-a, name: A, hot_shard: hot-0, tokens: [{token: read-a, scope: read}]}
  - {id: cliente-b, name: B, hot_shard: hot-0, tokens: [{token: read-b, scope: read}]}
  - {id: cliente-c, name: C, hot_shard: hot-0, tokens: [{token: read-c, scope: read}]}
operators: [{token: op, scope: read}]
"""
TRACE = "0e7b69838055876fdf8b7ee0ecfc276a"
CATEGORIES = {"X-Loki-Response-Encoding-Flags": "categorize-labels"}
# Of each customer, from the oldest on: service, severity as a text or a number, and the line.
LINES: list[tuple[str, str | int, str]] = [
    ("shop", "INFO", "order 1 taken"),
    ("shop", 9, "order 2 taken"),
    ("shop", "warning", "stock is low"),
    ("bank", "ERROR", "order 1 was not paid"),
    ("bank", 17, "order 2 was not paid"),
    ("bank", "", "balance"),
]


class Logs:
    """A router over a storage that holds LINES, ten seconds apart, of three customers."""

    def __init__(self, stack: Stack) -> None:
        self.reading = Reading(stack)
        (stack.layout.config / "customers.yaml").write_text(DIRECTORY)
        stack.start("storage", "router")
        self.start_ns = (int(time.time()) - 600) * 1_000_000_000
        for customer in CUSTOMERS:
            for number, (service, severity, text) in enumerate(LINES):
                self.send(customer, service, [(self.time_of(number), severity, f"{text} {CANARIES[customer]}")])

    def time_of(self, number: int) -> int:
        return self.start_ns + number * 10_000_000_000

    def post(self, path: str, customer: str, body: bytes) -> None:
        token = self.reading.stack.secrets["internal_token"]
        headers = {**PROTOBUF, "Authorization": f"Bearer {token}", "X-Vigia-Customer": customer}
        url = self.reading.stack.layout.url("storage")
        answer = requests.post(f"{url}/v1/{path}", data=body, headers=headers, timeout=10)
        assert answer.status_code == 200, answer.text

    def send(self, customer: str, service: str, lines: list[tuple[int, str | int, str]], trace: str = "") -> None:
        canary = CANARIES[customer]
        resource = {"customer.id": customer, "service.name": f"{canary}-{service}", "node.id": f"{canary}-n1"}
        request = ExportLogsServiceRequest()
        entry = request.resource_logs.add()
        entry.resource.attributes.extend(attributes({**resource, "environment": "test", "host.arch": canary}))
        scope = entry.scope_logs.add()
        for time_ns, severity, text in lines:
            record = scope.log_records.add(time_unix_nano=time_ns, body=AnyValue(string_value=text))
            record.attributes.extend(attributes({"http.route": f"/{canary}"}))
            record.trace_id = bytes.fromhex(trace)
            if isinstance(severity, int):
                record.severity_number = severity
            else:
                record.severity_text = severity
        self.post("logs", customer, request.SerializeToString())

    def ask(self, path: str, token: str = "read-a", **form: Any) -> requests.Response:
        return self.reading.ask(f"/loki/api/v1/{path}", token, **form)

    def get(self, path: str, token: str = "read-a", **form: Any) -> Any:
        answer = self.ask(path, token, **form)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def streams(self, query: str, token: str = "read-a", **form: Any) -> list[dict[str, Any]]:
        data = self.get("query_range", token, query=query, start=self.start_ns, **form)["data"]
        assert data["resultType"] == "streams"
        result: list[dict[str, Any]] = data["result"]
        return result

    def lines(self, query: str, token: str = "read-a", **form: Any) -> list[str]:
        """In the order of their times, as a client shows them."""
        backward = form.get("direction", "backward") == "backward"
        values = [value for stream in self.streams(query, token, **form) for value in stream["values"]]
        values.sort(key=lambda value: int(value[0]), reverse=backward)
        return [value[1] for value in values]


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Logs]:
    """For tests that look, and that add what none of the others asks for."""
    with Stack(tmp_path_factory.mktemp("loki")) as stack:
        yield Logs(stack)


class TestQueries:
    def test_lines_by_stream_and_filter(self, logs: Logs) -> None:
        shop = ["order 1 taken alpha", "order 2 taken alpha", "stock is low alpha"]
        query = '{service_name="alpha-shop"}'
        assert logs.lines(query, direction="forward") == shop
        assert logs.lines(query) == shop[::-1]
        assert logs.lines(query, limit=2) == shop[:0:-1]
        assert logs.lines(query + ' |= "order" != "2"') == [shop[0]]
        assert logs.lines('{service_name=~"alpha-.*"} |~ "not|low"', direction="forward") == [
            shop[2],
            "order 1 was not paid alpha",
            "order 2 was not paid alpha",
        ]
        assert logs.lines('{node_id="alpha-n1",environment="test"}', end=logs.time_of(1)) == [shop[0]]

    def test_levels_are_labels_whatever_a_sender_writes(self, logs: Logs) -> None:
        def of(matcher: str) -> list[str]:
            return logs.lines(f'{{service_name=~"alpha-(shop|bank)",{matcher}}}', direction="forward")

        assert of('level="info"') == ["order 1 taken alpha", "order 2 taken alpha"]
        assert of('level="error"') == ["order 1 was not paid alpha", "order 2 was not paid alpha"]
        assert of('level=~"warn|unknown"') == ["stock is low alpha", "balance alpha"]
        assert of('level!~"info|error|warn"') == ["balance alpha"]
        assert of('level="ERROR"') == []

    def test_streams_have_few_labels_and_lines_their_own(self, logs: Logs) -> None:
        query = '{service_name="alpha-bank"} |= "balance"'
        of_stream = {
            "customer_id": "cliente-a",
            "environment": "test",
            "level": "unknown",
            "node_id": "alpha-n1",
            "service_name": "alpha-bank",
        }
        of_line = {"host_arch": "alpha", "http_route": "/alpha"}
        (stream,) = logs.streams(query)
        assert stream["stream"] == {**of_stream, **of_line}
        assert stream["values"] == [[str(logs.time_of(5)), "balance alpha"]]
        answer = logs.ask("query_range", query=query, start=logs.start_ns, headers=CATEGORIES).json()["data"]
        assert answer["encodingFlags"] == ["categorize-labels"]
        (stream,) = answer["result"]
        assert stream["stream"] == of_stream
        assert stream["values"] == [[str(logs.time_of(5)), "balance alpha", {"structuredMetadata": of_line}]]
        assert answer["stats"]["summary"]["totalLinesProcessed"] == 3

    def test_stages_make_labels_and_lines(self, logs: Logs) -> None:
        texts = ['{"code":500,"way":"/a"}', "code=404 way=/b", "nothing"]
        at = logs.time_of(30)
        logs.send("cliente-a", "staged", [(at + number, "INFO", text) for number, text in enumerate(texts)])
        query = '{service_name="alpha-staged"}'
        assert logs.lines(query + ' |= "{" | json | code >= 500 | line_format "{{.way}}"') == ["/a"]
        assert logs.lines(query + ' | logfmt | way="/b" | label_format place=way') == [texts[1]]
        asked: dict[str, Any] = {"query": query + ' |= "code=" | logfmt | drop way', "start": logs.start_ns}
        (stream,) = logs.ask("query_range", **asked, headers=CATEGORIES).json()["data"]["result"]
        assert stream["values"][0][2]["parsed"] == {"code": "404"}
        assert logs.streams(query + ' |= "code=" | logfmt | drop way')[0]["stream"]["code"] == "404"

    def test_lines_of_one_time_by_pages(self, logs: Logs) -> None:
        """C59"""
        at = logs.time_of(20)
        numbers = ["01", "02", "03", "04", "05"]
        logs.send("cliente-a", "c59", [(at, "INFO", number) for number in numbers])
        asked: dict[str, Any] = {"query": '{service_name="alpha-c59"}', "start": at, "end": at + 1}

        def page(direction: str, cursor: str) -> tuple[list[str], str]:
            data = logs.get("query_range", **asked, direction=direction, limit=3, cursor=cursor)["data"]
            (stream,) = data["result"]
            assert {value[0] for value in stream["values"]} == {str(at)}
            return [value[1] for value in stream["values"]], data.get("cursor", "")

        for direction, wanted in (("forward", numbers), ("backward", numbers[::-1])):
            first, cursor = page(direction, "")
            assert first == wanted[:3]
            second, cursor = page(direction, cursor)
            assert (second, cursor) == (wanted[3:], "")

    def test_lines_are_counted(self, logs: Logs) -> None:
        def counted(query: str) -> dict[str, float]:
            result = logs.get("query", query=query, time=logs.time_of(6))["data"]["result"]
            return {entry["metric"].get("level", ""): float(entry["value"][1]) for entry in result}

        bank = '{service_name="alpha-bank"}'
        assert counted(f"sum by (level) (count_over_time({bank}[10m]))") == {"error": 2, "unknown": 1}
        assert counted(f'sum(count_over_time({bank} |= "order" [10m])) * 2') == {"": 4}
        assert counted(f"sum(count_over_time({bank}[15s]))") == {"": 1}
        span: dict[str, Any] = {"start": logs.time_of(0), "end": logs.time_of(6), "step": "10"}
        volume = logs.get("query_range", query=f"sum by (level) (count_over_time({bank}[10s]))", **span)["data"]
        assert volume["resultType"] == "matrix"
        assert [entry["metric"] for entry in volume["result"]] == [{"level": "error"}, {"level": "unknown"}]
        assert sum(float(value) for entry in volume["result"] for _, value in entry["values"]) == 3

    def test_a_line_leads_to_its_trace(self, logs: Logs) -> None:
        at = logs.time_of(25)
        logs.send("cliente-a", "traced", [(at, "INFO", "traced")], TRACE)
        resource = {"customer.id": "cliente-a", "service.name": "alpha-traced"}
        span = span_request(resource, bytes.fromhex(TRACE), bytes.fromhex("eee19b7ec3c1b174"), "pedido")
        logs.post("traces", "cliente-a", span.SerializeToString())
        data = logs.ask(
            "query_range", query='{service_name="alpha-traced"}', start=logs.start_ns, headers=CATEGORIES
        ).json()["data"]
        ((_, _, beside),) = data["result"][0]["values"]
        trace_id = beside["structuredMetadata"]["trace_id"]
        assert trace_id == TRACE
        trace = logs.reading.ask(f"/jaeger/api/traces/{trace_id}")
        assert [span["operationName"] for span in trace.json()["data"][0]["spans"]] == ["pedido"]

    def test_what_is_wrong_is_told_in_a_sentence(self, logs: Logs) -> None:
        for path, form, status in (
            ("query_range", {"query": '{service_name="x"'}, 400),
            ("query_range", {"query": '{service_name="x"}', "limit": 5001}, 400),
            ("query_range", {"query": '{service_name="x"}', "direction": "up"}, 400),
            ("query_range", {"query": '{service_name="x"}', "cursor": "00"}, 400),
            ("query", {"query": '{service_name="x"}'}, 400),
            ("labels", {"start": "yesterday"}, 400),
            ("tail", {"query": '{service_name="x"}'}, 426),
        ):
            answer = logs.ask(path, **form)
            assert answer.status_code == status, (path, form, answer.text)
            assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
            assert answer.text


class TestLists:
    def test_labels_values_and_series(self, logs: Logs) -> None:
        names = ["customer_id", "environment", "level", "node_id", "service_name"]
        assert logs.get("labels") == {"status": "success", "data": names}
        assert logs.get("label/level/values", query='{service_name="alpha-bank"}')["data"] == ["error", "unknown"]
        assert logs.get("label/customer_id/values")["data"] == ["cliente-a"]
        assert {"alpha-bank", "alpha-shop"} <= set(logs.get("label/service_name/values")["data"])
        assert logs.get("label/pod/values")["data"] == []
        series = logs.get("series", match=['{service_name="alpha-shop"}', '{level="warn"}'])["data"]
        assert sorted(one["level"] for one in series) == ["info", "warn"]
        assert all(one["service_name"] == "alpha-shop" for one in series)
        assert logs.get("labels", start=logs.start_ns - 10, end=logs.start_ns - 5)["data"] == []

    def test_statistics(self, logs: Logs) -> None:
        stats = logs.get("index/stats", query='{service_name="alpha-shop"}', start=logs.start_ns)
        assert (stats["streams"], stats["entries"]) == (2, 3)
        assert stats["bytes"] > 0

    def test_volumes(self, logs: Logs) -> None:
        query = '{service_name=~"alpha-(shop|bank)"}'
        asked: dict[str, Any] = {"query": query, "start": logs.start_ns, "end": logs.time_of(7)}
        sizes = {"shop": 0, "bank": 0}
        for service, _, text in LINES:
            sizes[service] += len(f"{text} alpha")
        largest = sorted(sizes, key=lambda service: -sizes[service])
        volume = logs.get("index/volume", **asked)["data"]
        assert volume["resultType"] == "vector"
        assert [one["metric"] for one in volume["result"]] == [{"service_name": f"alpha-{one}"} for one in largest]
        assert [one["value"][1] for one in volume["result"]] == [str(sizes[one]) for one in largest]
        (one,) = logs.get("index/volume", **asked, limit=1)["data"]["result"]
        assert one["metric"] == {"service_name": f"alpha-{largest[0]}"}
        by_name = logs.get("index/volume", **asked, aggregateBy="labels", targetLabels="level,environment")["data"][
            "result"
        ]
        assert [one["metric"] for one in by_name] == [{"environment": ""}, {"level": ""}]
        assert {one["value"][1] for one in by_name} == {str(sum(sizes.values()))}
        steps = logs.get("index/volume_range", **asked, step="20s", targetLabels="environment")["data"]
        assert steps["resultType"] == "matrix"
        (one,) = steps["result"]
        texts = [len(f"{text} alpha") for _, _, text in LINES]
        assert [int(value) for _, value in one["values"]] == [sum(texts[n : n + 2]) for n in (0, 2, 4)]
        assert [at for at, _ in one["values"]] == [logs.start_ns // 10**9 + n for n in (0, 20, 40)]
        for bad in ({"aggregateBy": "x"}, {"limit": "0"}, {"query": "{"}, {"step": "0"}):
            assert logs.ask("index/volume_range", **{**asked, **bad}).status_code == 400, bad

    def test_fields_are_detected(self, logs: Logs) -> None:
        at = logs.time_of(40)
        texts = ['{"code":500,"took":"1.5s"}', '{"code":404}', "way=/a ok=true", "nothing"]
        logs.send("cliente-a", "fields", [(at + number, "INFO", text) for number, text in enumerate(texts)])
        asked: dict[str, Any] = {"query": '{service_name="alpha-fields"}', "start": at}
        found = logs.get("detected_fields", **asked)
        assert found["limit"] == 1000
        fields = {one["label"]: (one["type"], one["cardinality"], one["parsers"]) for one in found["fields"]}
        assert fields == {
            "code": ("int", 2, ["json"]),
            "took": ("duration", 1, ["json"]),
            "way": ("string", 1, ["logfmt"]),
            "ok": ("boolean", 1, ["logfmt"]),
            "host_arch": ("string", 1, None),
            "http_route": ("string", 1, None),
        }
        assert logs.get("detected_field/code/values", **asked) == {"values": ["404", "500"], "limit": 1000}
        assert logs.get("detected_field/code/values", **asked, limit=1)["values"] == ["404"]
        assert logs.get("detected_field/nowhere/values", **asked)["values"] == []
        last = logs.get("detected_fields", **asked, line_limit=2)["fields"]
        assert [one["label"] for one in last] == ["host_arch", "http_route", "ok", "way"]
        assert logs.ask("detected_fields", query="vector(1)").status_code == 400
        labels = logs.get("detected_labels", query='{service_name=~"alpha-(shop|bank)"}', start=logs.start_ns)
        assert {one["label"]: one["cardinality"] for one in labels["detectedLabels"]} == {
            "customer_id": 1,
            "environment": 1,
            "level": 4,
            "node_id": 1,
            "service_name": 2,
        }

    def test_queries_are_formatted(self, logs: Logs) -> None:
        said = logs.get("format_query", query='sum( rate({ a="b"}|="x"[5m]))by(c)')
        assert said == {"status": "success", "data": 'sum by (c) (rate({a="b"} |= "x"[5m]))'}
        assert logs.ask("format_query", query="{").status_code == 400

    def test_what_grafana_asks(self, logs: Logs) -> None:
        """Its test of a data source, and what its editor asks first."""
        health = logs.get("query", query="vector(1)+vector(1)", time=4_000_000_000, direction="backward")["data"]
        assert (health["resultType"], health["result"][0]["value"][1]) == ("vector", "2")
        now = logs.start_ns + 600_000_000_000
        span: dict[str, Any] = {"start": logs.start_ns, "end": now}
        assert logs.get("labels", **span)["data"]
        assert logs.get("label/service_name/values", **span, query='{environment="test"}')["data"]
        assert logs.get("index/stats", **span, query='{service_name="alpha-shop"}')["streams"]
        asked: dict[str, Any] = {"query": '{service_name="alpha-shop"} |= ``', "limit": 1000, "step": "15000ms", **span}
        assert logs.get("query_range", **asked, direction="backward")["data"]["result"]
        assert logs.get("status/buildinfo")["version"]


class TestIsolation:
    QUERIES = (
        '{service_name=~".+"}',
        '{environment="test"} |~ "alpha|bravo|charlie"',
        '{customer_id=~"cliente-.*"}',
        '{customer_id="cliente-a"}',
        '{customer_id="cliente-b"}',
        '{customer_id="cliente-c",service_name=~".*"}',
        '({node_id=~".*n1"})',
        '{level=~".+"}',
        '{service_name!="x"}',
        '{service_name=`"} or {customer_id="cliente-b`}',
        '{environment="test"} | label_format customer_id="cliente-b"',
        '{environment="test"} | customer_id=~"cliente-.*" | line_format "{{.customer_id}} {{.node_id}}"',
    )

    def check(self, answer: requests.Response, customer: str) -> None:
        for other, canary in CANARIES.items():
            if other == customer:
                continue
            assert canary not in answer.text, answer.url
            assert all(canary not in value for value in answer.headers.values()), answer.url
        assert "127." not in answer.text

    @pytest.mark.parametrize("customer", CUSTOMERS)
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_no_byte_of_another_customer(self, logs: Logs, customer: str, method: str) -> None:
        token = CUSTOMERS[customer]
        other = next(name for name in CUSTOMERS if name != customer)
        tricks = {"X-Vigia-Customer": other, "X-Scope-OrgID": f"{customer}|{other}"}
        found = 0
        for query in self.QUERIES:
            for path, form in (
                ("query_range", {"query": query, "start": logs.start_ns, "limit": 5000}),
                ("query_range", {"query": query, "start": 1, "direction": "forward", "customer": other}),
                ("series", {"match": [query, '{service_name="x"}'], "customer_id": other}),
                ("labels", {"query": query}),
                ("label/service_name/values", {"query": query}),
                ("label/customer_id/values", {"query": query}),
                ("index/stats", {"query": query}),
                ("index/volume", {"query": query, "targetLabels": "service_name,customer_id"}),
                ("index/volume_range", {"query": query, "step": "1m", "customer": other}),
                ("detected_labels", {"query": query}),
                ("detected_fields", {"query": query}),
                ("detected_field/http_route/values", {"query": query, "customer_id": other}),
                ("query_range", {"query": f"sum by (service_name) (count_over_time({query}[1m]))", "step": "60"}),
                ("query", {"query": f"rate({query}[5m])"}),
            ):
                answer = logs.ask(path, token, method=method, headers=tricks, **form)
                # What it asks for may stand in an error, too; no probe names a canary but the second.
                if "alpha" not in query or answer.status_code == 200:
                    self.check(answer, customer)
                found += CANARIES[customer] in answer.text
        assert found > 10, "the probes find the customer's own"

    def test_a_cursor_is_of_its_customer(self, logs: Logs) -> None:
        asked: dict[str, Any] = {"query": '{environment="test"}', "start": logs.start_ns, "limit": 1}
        cursor = logs.get("query_range", "read-b", **asked, cursor="")["data"]["cursor"]
        answer = logs.ask("query_range", "read-a", **asked, cursor=cursor)
        assert answer.status_code == 400
        self.check(answer, "cliente-a")

    def test_an_operator_names_one(self, logs: Logs) -> None:
        everybody = '{environment="test"}'
        assert logs.ask("query_range", "op", query=everybody).status_code == 400
        assert logs.ask("labels", "op").status_code == 400
        for form in (
            {"query": '{environment="test",customer_id="cliente-b"}'},
            {"query": everybody, "headers": {"X-Vigia-Customer": "cliente-b"}},
        ):
            answer = logs.ask("query_range", "op", start=logs.start_ns, **form)
            assert "bravo" in answer.text
            self.check(answer, "cliente-b")

    def test_who_may_read(self, logs: Logs) -> None:
        for path in ("labels", "query_range", "series", "index/stats", "status/buildinfo"):
            assert logs.ask(path, "nobody").status_code == 401


def test_a_store_that_is_away_is_told(tmp_path_factory: pytest.TempPathFactory) -> None:
    with Stack(tmp_path_factory.mktemp("loki-away")) as stack:
        logs = Logs(stack)
        stack.stop("storage")
        for path, form in (("query_range", {"query": '{environment="test"}'}), ("labels", {})):
            answer = logs.ask(path, **form)
            assert answer.status_code == 503, answer.text
            assert "127." not in answer.text
