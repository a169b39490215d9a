"""The router beside real stores: who may read, and the fence over every endpoint.

No collector here: samples and heartbeats are written into hot and storage directly, so that each test knows what lies
where. Each runs with Prometheus 2.42 and 3.x as the hot store.
"""

from __future__ import annotations

import http.client
import itertools
import json
import time
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otlp import PROTOBUF, attributes
from reading import Reading, fill
from stack import Stack, prometheus_programs, wait_for

CANARIES = ("canary", "cliente-b", "b_secret")  # in every name and value that is cliente-b's
TOKENS = {"read_a": "read-a", "read_b": "read-b", "ingest_a": "ingest-a", "expired": "expired-a", "operator": "op"}


@pytest.fixture(scope="module", params=prometheus_programs(), ids=lambda program: program[0])
def reading(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reading]:
    """For tests that only look."""
    with Stack(tmp_path_factory.mktemp("router")) as stack:
        stack.hot_program = request.param[1]
        made = Reading(stack)
        made.start()
        fill(made)
        yield made


class TestWhoMayRead:
    def test_statuses(self, reading: Reading) -> None:
        assert reading.ask("/api/v1/query", "nobody", query="up").status_code == 401
        assert reading.ask("/api/v1/query", TOKENS["expired"], query="up").status_code == 401
        assert reading.ask("/api/v1/query", TOKENS["ingest_a"], query="up").status_code == 403
        assert requests.get(f"{reading.url}/api/v1/query?query=up", timeout=10).status_code == 401
        for header in ("Basic cmVhZC1hOg==", "Bearer", "Bearer read-a, Bearer op", "read-a", "Bearer READ-A"):
            answer = requests.get(f"{reading.url}/api/v1/query?query=up", headers={"Authorization": header}, timeout=10)
            assert answer.status_code == 401, header
        scheme = requests.get(
            f"{reading.url}/api/v1/query?query=up", headers={"Authorization": "bEaReR read-a"}, timeout=10
        )
        assert scheme.status_code == 200

    def test_basic_authentication_with_the_token_as_password(self, reading: Reading) -> None:
        """C-C 20: data sources that know no bearer tokens."""
        for user, token, status in (("token", "read-a", 200), ("", "read-a", 200), ("read-a", "x", 401)):
            answer = requests.get(f"{reading.url}/api/v1/query?query=up", auth=(user, token), timeout=10)
            assert answer.status_code == status, (user, token)
            if status == 200:
                found = answer.json()["data"]["result"]
                assert [entry["metric"]["customer_id"] for entry in found] == ["cliente-a"]
        assert (
            requests.get(f"{reading.url}/api/v1/query?query=up", auth=("x", "ingest-a"), timeout=10).status_code == 403
        )

    def test_what_prometheus_tools_look_at_first(self, reading: Reading) -> None:
        """C-C 20: a client's look at the root, promtool's at /-/healthy; one challenge, not two."""
        for path in ("/-/healthy", "/-/ready", "/health", "/ready"):
            assert requests.get(f"{reading.url}{path}", timeout=10).status_code == 200
        assert reading.ask("/").status_code == 200
        refused = requests.get(f"{reading.url}/", timeout=10)
        assert refused.status_code == 401
        assert refused.raw.headers.getlist("WWW-Authenticate") == ["Bearer"]

    def test_two_tokens_are_none(self, reading: Reading) -> None:
        connection = http.client.HTTPConnection(
            reading.stack.layout.host, reading.stack.layout.ports["router"], timeout=10
        )
        connection.putrequest("GET", "/api/v1/query?query=up")
        for token in ("read-a", "op"):
            connection.putheader("Authorization", f"Bearer {token}")
        connection.endheaders()
        assert connection.getresponse().status == 400

    def test_an_operator_sees_all_or_one(self, reading: Reading) -> None:
        assert reading.customers("up", "op") == ["cliente-a", "cliente-b"]
        one = {"X-Vigia-Customer": "cliente-b"}
        answer = reading.ask("/api/v1/query", "op", headers=one, query="up")
        assert [entry["metric"]["customer_id"] for entry in answer.json()["data"]["result"]] == ["cliente-b"]
        assert reading.ask("/api/v1/query", "op", headers={"X-Vigia-Customer": "../x"}, query="up").status_code == 400

    def test_heartbeats_are_the_operators(self, reading: Reading) -> None:
        assert reading.result("vigia_hot_heartbeat") == []
        assert len(reading.result("vigia_hot_heartbeat", "op")) == 1


class TestFence:
    def test_url_and_body_are_one(self, reading: Reading) -> None:
        """C12"""
        answer = requests.post(
            f"{reading.url}/api/v1/series?match[]=b_secret_total",
            data=[("match[]", "up"), ("match[]", '{job="canary_job"}')],
            headers={"Authorization": "Bearer read-a"},
            timeout=10,
        )
        assert answer.status_code == 200
        assert [series["customer_id"] for series in answer.json()["data"]] == ["cliente-a"]
        twice = requests.post(
            f"{reading.url}/api/v1/query?query=up",
            data={"query": "b_secret_total"},
            headers={"Authorization": "Bearer read-a"},
            timeout=10,
        )
        assert twice.status_code == 400
        assert reading.ask("/api/v1/query", query=["up", "b_secret_total"]).status_code == 400
        assert reading.ask("/api/v1/series").status_code == 400

    def test_identity_comes_from_the_token_alone(self, reading: Reading) -> None:
        """C13"""
        answer = reading.ask(
            "/api/v1/query",
            query="up",
            headers={"X-Scope-OrgID": "cliente-a|cliente-b", "X-Vigia-Customer": "cliente-b", "THANOS-TENANT": "b"},
            extra_label="customer_id=cliente-b",
            customer_id="cliente-b",
            **{"extra_filters[]": '{customer_id="cliente-b"}', "extra_filters": '{customer_id="cliente-b"}'},
        )
        assert [entry["metric"]["customer_id"] for entry in answer.json()["data"]["result"]] == ["cliente-a"]

    def test_own_matchers_stay(self, reading: Reading) -> None:
        """C14"""
        assert reading.customers('up{customer_id!="cliente-a"}') == []
        assert reading.customers('up{customer_id=~"cliente-a|cliente-b"}') == ["cliente-a"]
        assert reading.customers('up{customer_id=""}') == []
        assert reading.customers('up{customer_id="cliente-b"}') == []

    def test_every_selector_is_reached(self, reading: Reading) -> None:
        """C15"""
        query = (
            'label_replace(up,"customer_id","A","","") or max_over_time(up{job="canary_job"}[5m:1m] offset 1m) or '
            'absent(up{customer_id="cliente-b"}) or {__name__=~".+"} @ end()'
        )
        answer = reading.ask("/api/v1/query", query=query)
        assert answer.status_code == 200
        assert not any(canary in json.dumps(answer.json()["data"]) for canary in CANARIES if canary != "cliente-b")
        absent = reading.result('absent(up{customer_id="cliente-b"})')
        assert [entry["value"][1] for entry in absent] == ["1"], "no oracle: as if cliente-b did not exist"

    def test_labels_are_those_of_the_customer(self, reading: Reading) -> None:
        """C16"""
        forms: list[dict[str, Any]] = [
            {},
            {"match": '{__name__=~".+"}'},
            {"match": ["up", "a_own_total_old", "a_own_total"]},
        ]
        for form in forms:
            values = reading.ask("/api/v1/label/customer_id/values", **form)
            assert values.json()["data"] == ["cliente-a"]
            names = reading.ask("/api/v1/label/__name__/values", **form).json()["data"]
            assert {"a_own_total", "a_own_total_old", "up"} <= set(names), "hot and cold are merged"
            labels = reading.ask("/api/v1/labels", **form).json()["data"]
            assert {"customer_id", "job", "mine_label", "mine_old_label"} <= set(labels)
            for answer in (names, labels):
                assert not any(canary in text for canary in CANARIES for text in answer)
        everyone = reading.ask("/api/v1/label/customer_id/values", "op").json()["data"]
        assert everyone == ["cliente-a", "cliente-b"]

    def test_names_that_need_quotes_are_asked_for(self, reading: Reading) -> None:
        """Prometheus 3 knows such names, 2 does not, whatever lies in the long-term store."""
        old_ms = reading.now_ms - 20 * 86_400_000
        for customer, value in (("cliente-a", "mine_value"), ("cliente-b", "canary")):
            named = {"__name__": "my.metric", "my.label": value, "customer_id": customer}
            reading.to_cold(named, [(old_ms, 1.0)])
        is_new = reading.ask("/api/v1/query", query='{"up"}').status_code == 200
        for path in ("/api/v1/label/my.label/values", "/api/v1/label/U__my_2e_label/values"):
            answer = reading.ask(path)
            if is_new:
                assert (answer.status_code, answer.json()["data"]) == (200, ["mine_value"])
            else:
                assert answer.status_code == (400 if "." in path else 200)
            assert "canary" not in answer.text
        if is_new:
            found = reading.ask("/api/v1/series", match='{"my.metric","my.label"!=""}').json()["data"]
            assert [(series["__name__"], series["my.label"]) for series in found] == [("my.metric", "mine_value")]
            (one,) = reading.result('{"my.metric"}', time=str(old_ms / 1000 + 60))
            assert one["metric"]["my.label"] == "mine_value"

    def test_queries_without_selectors(self, reading: Reading) -> None:
        """C17"""
        for method in ("GET", "POST"):
            assert reading.ask("/api/v1/query", method=method, query="1+1").json()["data"]["result"][1] == "2"
            now = reading.ask("/api/v1/query", method=method, query="time()").json()["data"]["result"][1]
            assert abs(float(now) - time.time()) < 10
            vector = reading.ask("/api/v1/query", method=method, query="vector(1)").json()["data"]["result"]
            assert [(entry["metric"], entry["value"][1]) for entry in vector] == [({}, "1")]
            nothing: list[dict[str, Any]] = [{"query": ""}, {}]
            for empty in nothing:
                answer = reading.ask("/api/v1/query", method=method, **empty)
                assert (answer.status_code, answer.json()["errorType"]) == (400, "bad_data")

    @pytest.mark.parametrize(
        "query", ["up{", "nope(up)", "rate(up)", "info(up)", 'up{__rollup__="1h:sum"}', "(" * 5000, "{}", "up[5m:0s]"]
    )
    def test_what_cannot_be_read_is_refused(self, reading: Reading, query: str) -> None:
        answer = reading.ask("/api/v1/query", method="POST", query=query)
        assert answer.status_code == 400, answer.text
        assert (answer.json()["status"], answer.json()["errorType"]) == ("error", "bad_data")

    # R-AL-6.
    def test_rules_and_alerts_are_those_of_the_customer(self, reading: Reading) -> None:
        def fires() -> bool:
            return bool(reading.ask("/api/v1/alerts").json()["data"]["alerts"])

        wait_for("cliente-a's alert", fires, 20)
        alerts = reading.ask("/api/v1/alerts").json()["data"]["alerts"]
        assert {alert["labels"]["customer_id"] for alert in alerts} == {"cliente-a"}
        groups = reading.ask("/api/v1/rules").json()["data"]["groups"]
        assert [rule["name"] for group in groups for rule in group["rules"]] == ["OwnOfA"]
        assert "of-cliente-a" in reading.ask("/api/v1/rules", "op").text
        everything = reading.ask("/api/v1/rules", "op").json()["data"]["groups"]
        assert sorted(rule["name"] for group in everything for rule in group["rules"]) == [
            "OwnOfA",
            "canary_alert",
            "general_alert",
        ]


class TestTraces:
    ID = "0e7b69838055876fdf8b7ee0ecfc276a"

    def _send(self, reading: Reading, customer: str, trace_id: str, name: str) -> None:
        request = ExportTraceServiceRequest()
        spans = request.resource_spans.add()
        spans.resource.attributes.extend(attributes({"customer.id": customer, "service.name": name}))
        spans.scope_spans.add().spans.add(
            trace_id=bytes.fromhex(trace_id),
            span_id=bytes.fromhex("eee19b7ec3c1b174"),
            name=name,
            start_time_unix_nano=reading.now_ms * 1_000_000,
            end_time_unix_nano=reading.now_ms * 1_000_000 + 5_000_000,
        )
        answer = requests.post(
            f"{reading.stack.layout.url('storage')}/v1/traces",
            data=request.SerializeToString(),
            headers={
                **PROTOBUF,
                "Authorization": f"Bearer {reading.stack.secrets['internal_token']}",
                "X-Vigia-Customer": customer,
            },
            timeout=10,
        )
        assert answer.status_code == 200, answer.text

    def test_a_trace_by_id(self, reading: Reading) -> None:
        """C58, fenced: the same id at another customer is another trace."""
        self._send(reading, "cliente-a", self.ID, "pedido")
        self._send(reading, "cliente-b", self.ID, "canary_span")
        for spelling in (self.ID, self.ID[1:], self.ID.upper()):
            answer = reading.ask(f"/jaeger/api/traces/{spelling}")
            assert answer.status_code == 200, answer.text
            (trace,) = answer.json()["data"]
            assert trace["traceID"] == self.ID
            assert [span["operationName"] for span in trace["spans"]] == ["pedido"]
            assert "canary" not in answer.text
        everything = reading.ask(f"/jaeger/api/traces/{self.ID}", "op").text
        assert "pedido" in everything
        assert "canary_span" in everything

    def test_what_is_not_there(self, reading: Reading) -> None:
        self._send(reading, "cliente-b", "a" * 32, "canary_span")
        assert reading.ask(f"/jaeger/api/traces/{'a' * 32}").status_code == 404
        unknown = reading.ask(f"/jaeger/api/traces/{'b' * 32}")
        assert (unknown.status_code, unknown.json()["data"], unknown.json()["errors"]) == (
            404,
            None,
            [{"code": 404, "msg": "trace not found"}],
        )
        for bad in ("x", "0", "0" * 33, "..%2f", "a" * 31 + "g"):
            assert reading.ask(f"/jaeger/api/traces/{bad}").status_code in (400, 404)


QUERIES = (
    "up",
    '{__name__=~".+"}',
    'b_secret_total{customer_id="cliente-b"}',
    "sum by (customer_id, node_id) (up or b_secret_total)",
    'label_replace(b_secret_total, "customer_id", "cliente-a", "", "")',
    'label_join(up, "x", "", "node_id", "job")',
    'count_values("v", up) or topk(100, {job=~".*", __name__!=""})',
    "up * on () group_left (node_id) b_secret_total",
    'max_over_time({__name__=~"b.*"}[1h:1m])',
    'last_over_time({customer_id=~"cliente-b|x"}[1d] offset -1h)',
    "-(+(b_secret_total)) ^ 1 or (up unless b_secret_total)",
    '{customer_id!~"cliente-a", node_id=~".+"} or {customer_id!="", job=~".+"} or {customer_id=~".+"}',
    "absent(b_secret_total) or absent_over_time(b_secret_total[5m])",
    'b_secret_total_old @ 1 or {__name__=~".+_old"} offset 10d',
    "ALERTS",
    "vector(scalar(b_secret_total))",
)
PATHS = ("/api/v1/labels", "/api/v1/series", "/api/v1/label/customer_id/values", "/api/v1/label/node_id/values")


class TestIsolationProbes:
    """No byte of cliente-b in any answer to cliente-a, and what is not offered is unknown."""

    def _check(self, answer: requests.Response, sent: str) -> None:
        text = answer.text
        if answer.status_code == 200:
            # A query may carry the canary itself; the answer's labels may not.
            for canary in CANARIES:
                assert canary not in text, (sent, text[:500])
        assert all(canary not in value for canary in CANARIES for value in answer.headers.values())
        assert "127." not in text, "no internal address is shown"

    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_queries(self, reading: Reading, method: str) -> None:
        now = reading.now_ms / 1000
        for query in QUERIES:
            for at in (now, now - 10 * 86_400 + 1800):
                answer = reading.ask("/api/v1/query", method=method, query=query, time=at)
                assert answer.status_code in (200, 422), (query, answer.text)
                self._check(answer, query)
                answer = reading.ask("/api/v1/query_range", method=method, query=query, start=at - 600, end=at, step=60)
                assert answer.status_code in (200, 422), (query, answer.text)
                self._check(answer, query)
            answer = reading.ask("/api/v1/query_exemplars", method=method, query=query, start=now - 600, end=now)
            self._check(answer, query)
            assert answer.status_code == 200, (query, answer.text)

    # R-PM-11.
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_exemplars_are_kept_and_fenced(self, reading: Reading, method: str) -> None:
        def traces(query: str, token: str = "read-a") -> list[tuple[str, str]]:
            now = reading.now_ms / 1000
            answer = reading.ask(
                "/api/v1/query_exemplars", token, method=method, query=query, start=now - 600, end=now + 600
            )
            assert answer.status_code == 200, answer.text
            return [
                (series["seriesLabels"]["customer_id"], exemplar["labels"]["trace_id"])
                for series in answer.json()["data"]
                for exemplar in series["exemplars"]
            ]

        mine = [("cliente-a", "mine_trace")]
        assert traces("a_own_total") == mine
        assert traces("rate(a_own_total[5m]) or b_secret_total") == mine
        assert traces('{__name__=~".+"}') == mine
        assert traces('b_secret_total{customer_id="cliente-b"}') == []
        assert traces("b_secret_total", "read-b") == [("cliente-b", "canary_value_trace")]

    @pytest.mark.parametrize("query", ["time()", "1", "vector(1) + 2", '"text"'])
    def test_exemplars_of_what_selects_nothing_are_none(self, reading: Reading, query: str) -> None:
        """B9: Prometheus 3.x answers null, which clients take for a fault."""
        now = reading.now_ms / 1000
        answer = reading.ask("/api/v1/query_exemplars", query=query, start=now - 600, end=now)
        assert answer.status_code == 200, answer.text
        assert answer.json()["data"] == []

    def test_selectors(self, reading: Reading) -> None:
        selectors = [
            "up",
            '{__name__=~".+"}',
            "b_secret_total",
            '{customer_id="cliente-b"}',
            '{customer_id!="x",job!=""}',
        ]
        for path, method in itertools.product(PATHS, ("GET", "POST")):
            if method == "POST" and "/label/" in path:
                assert reading.ask(path, method=method).status_code == 405
                continue
            for size in (1, 2):
                for chosen in itertools.combinations(selectors, size):
                    answer = reading.ask(path, method=method, match=list(chosen))
                    assert answer.status_code == 200, answer.text
                    self._check(answer, str(chosen))

    @pytest.mark.parametrize(
        "path",
        [
            *(f"/api/v1/{path}" for path in ("metadata", "rules", "alerts", "targets")),
            *(f"/api/v1/status/{path}" for path in ("buildinfo", "flags", "config", "runtimeinfo", "tsdb")),
        ],
    )
    def test_what_hot_knows_beside_samples(self, reading: Reading, path: str) -> None:
        forms: list[dict[str, Any]] = [{}, {"metric": "b_secret_total"}, {"type": "alert"}]
        for form in forms:
            answer = reading.ask(path, **form)
            assert answer.status_code == 200, answer.text
            self._check(answer, path)

    # R-SEC-7, R-SEC-11, R-SEC-15.
    @pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
    def test_everything_else_is_unknown(self, reading: Reading, method: str) -> None:
        for path in (
            "/api/v1/write",
            "/metrics",
            "/api/v1/targets/metadata",
            "/api/v1/status/walreplay",
            "/api/v1/status/",
            "/api/v1/exemplars",
            "/api/v1/admin/tsdb/delete_series",
            "/api/v1/scrape_pools",
            "/api/v1/alertmanagers",
            "//api/v1/query",
            "/api/v1//query",
            "/api/v1/query/",
            "/api/v1/../v1/query",
            "/api/v1/%71uery",
            "/api/v1/label/..%2f..%2fquery/values",
            "/api/v1/label/%2e%2e/values",
            "/api/v1/query;x",
            "/API/v1/query",
            "/loki/api/v1/push",
            "/loki/api/v1/delete",
            "/jaeger/api/metrics/latencies",
        ):
            self._is_unknown(reading, path, method)

    def _is_unknown(self, reading: Reading, path: str, method: str) -> None:
        connection = http.client.HTTPConnection(
            reading.stack.layout.host, reading.stack.layout.ports["router"], timeout=10
        )
        body = urllib.parse.urlencode({"query": "up"}) if method in ("POST", "PUT", "PATCH") else None
        headers = {"Authorization": "Bearer read-a", "Content-Type": "application/x-www-form-urlencoded"}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        assert answer.status == 404, (path, method)
        assert not any(canary in text for canary in CANARIES)
        if method == "HEAD":
            return
        if path.startswith("/loki/"):
            assert text.strip() == "there is nothing at this path", (path, text)
        else:
            assert json.loads(text) == self._not_found_at(path), (path, text)

    def _not_found_at(self, path: str) -> dict[str, object]:
        words = "there is nothing at this path"
        if path.startswith("/api/v1/"):
            return {"status": "error", "errorType": "not_found", "error": words}
        if path.startswith("/jaeger/"):
            return {"data": None, "total": 0, "limit": 0, "offset": 0, "errors": [{"code": 404, "msg": words}]}
        return {"error": "not_found", "message": words}

    # R-SEC-15.
    def test_other_methods_are_refused(self, reading: Reading) -> None:
        for path in ("/api/v1/query", "/api/v1/labels", "/api/v1/rules"):
            for method in ("PUT", "DELETE", "PATCH"):
                assert reading.ask(path, method=method, query="up").status_code == 405
