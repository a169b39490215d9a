"""Traces through the router, as Jaeger's clients ask for them: over a real storage with three customers' spans."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import pytest
import requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otlp import PROTOBUF, attributes
from reading import Reading
from remote_write import sample_with_exemplar, series_bytes, write_bytes
from stack import Stack, wait_for

CUSTOMERS = ("cliente-a", "cliente-b", "cliente-c")
LETTERS = {"a": "alfa", "b": "bravo", "c": "charlie"}  # in every name and text that is a customer's
SHARED_ID = "0e7b69838055876fdf8b7ee0ecfc276a"  # every customer has a trace of this id (C58)
SHORT_ID = "a7890b687652000e"  # of 64 bits: cliente-a's alone
KINDS = {"": 0, "internal": 1, "server": 2, "client": 3}
NO_DATA = (400, 401, 403, 404, 405, 503)


class Traces(Reading):
    """A router and a storage that has spans of three customers."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(stack)
        lines = [
            f"  - {{id: {customer}, name: x, hot_shard: hot-0, tokens: [{{token: read-{customer[-1]}, scope: read}}]}}"
            for customer in CUSTOMERS
        ]
        lines = ["customers:", *lines, "operators: [{token: op, scope: read}]", ""]
        (stack.layout.config / "customers.yaml").write_text("\n".join(lines))

    def send(self, customer: str, service: str, *spans: Mapping[str, Any]) -> None:
        """Each: trace, id, name, at_ms; parent, kind, ms, tags, error where they are said."""
        request = ExportTraceServiceRequest()
        origin = request.resource_spans.add()
        origin.resource.attributes.extend(attributes({"customer.id": customer, "service.name": service}))
        scope = origin.scope_spans.add()
        for said in spans:
            span = scope.spans.add(
                trace_id=bytes.fromhex(said["trace"]),
                span_id=bytes.fromhex(said["id"]),
                parent_span_id=bytes.fromhex(said.get("parent", "")),
                name=said["name"],
                kind=KINDS[said.get("kind", "")],
                start_time_unix_nano=said["at_ms"] * 1_000_000,
                end_time_unix_nano=said["at_ms"] * 1_000_000 + int(said.get("ms", 1) * 1_000_000),
                attributes=attributes(said.get("tags", {})),
            )
            if said.get("error"):
                span.status.code = 2
        headers = {"Authorization": f"Bearer {self.stack.secrets['internal_token']}", "X-Vigia-Customer": customer}
        url = f"{self.stack.layout.url('storage')}/v1/traces"
        answer = requests.post(url, data=request.SerializeToString(), headers={**PROTOBUF, **headers}, timeout=10)
        assert answer.status_code == 200, answer.text

    def fill(self) -> None:
        for number, (letter, word) in enumerate(LETTERS.items()):
            customer = f"cliente-{letter}"
            at_ms = self.now_ms - 60_000
            tags = {"secret": word, "http.status_code": "500"}
            first = {"trace": SHARED_ID, "id": f"{number:015x}1", "name": f"GET /{word}", "at_ms": at_ms}
            self.send(customer, f"shop-{word}", {**first, "kind": "server", "ms": 1200, "tags": tags, "error": True})
            then = {"trace": SHARED_ID, "id": f"{number:015x}2", "parent": first["id"], "name": f"PAY {word}"}
            self.send(customer, f"team/{word}", {**then, "at_ms": at_ms + 1, "kind": "client", "ms": 0.5})
            for one in range(3):
                own = {"trace": f"{number + 1:030x}{one:02x}", "id": f"{one + 1:016x}", "at_ms": at_ms - 1000 * one}
                self.send(customer, "common", {**own, "name": f"step {word}", "ms": 100, "tags": {"of": word}})
        old = {
            "trace": SHORT_ID.zfill(32),
            "id": "00000000000000ff",
            "name": "old alfa",
            "at_ms": self.now_ms - 7_200_000,
        }
        self.send("cliente-a", "archive-alfa", old)

    def get(self, target: str, token: str = "read-a", **headers: str) -> requests.Response:
        sent = {
            "Authorization": f"Bearer {token}",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return requests.get(f"{self.url}/jaeger/api/{target}", headers=sent, timeout=30)

    def data(self, target: str, token: str = "read-a", **headers: str) -> list[Any]:
        answer = self.get(target, token, **headers)
        assert answer.status_code == 200, answer.text
        whole = answer.json()
        assert set(whole) == {"data", "total", "limit", "offset", "errors"}
        assert whole["errors"] is None, whole
        return list(whole["data"])

    def search(self, token: str = "read-a", **asked: str) -> list[str]:
        """The ids that are found in the last hour."""
        times = {"start": str((self.now_ms - 3_600_000) * 1000), "end": str((self.now_ms + 60_000) * 1000)}
        found = self.data(f"traces?{urllib.parse.urlencode({**times, **asked})}", token)
        return [trace["traceID"] for trace in found]


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traces]:
    with Stack(tmp_path_factory.mktemp("traces")) as stack:
        made = Traces(stack)
        made.start()
        made.fill()
        yield made


def calls_of_grafana(now_ms: int, word: str) -> list[str]:
    """What Grafana's Jaeger data source asks below its URL, which is ROUTER/jaeger (pkg/tsdb/jaeger/client.go of grafana/grafana,
    and public/app/plugins/datasource/jaeger/datasource.ts of versions before 11.6, which asked from the browser)."""
    start, end = (now_ms - 3_600_000) * 1000, (now_ms + 60_000) * 1000
    tags = urllib.parse.quote(json.dumps({"http.status_code": "500", "secret": word}))
    return [
        "services",  # "Save & test", and the list of the query editor
        f"services/shop-{word}/operations",
        f"traces?end={end}&limit=20&service=shop-{word}&start={start}",
        f"traces?end={end}&limit=20&maxDuration=1.2s&minDuration=100ms&operation=GET+%2F{word}&service=shop-{word}&start={start}&tags={tags}",
        f"traces?limit=20&service=shop-{word}",  # of a version that sent no times
        f"traces?service=shop-{word}&operation=GET%20%2F{word}&lookback=custom&start={start}&end={end}&limit=20",
        f"traces/{SHARED_ID}",
        f"traces/{SHARED_ID}?start={now_ms - 3_600_000}&end={now_ms}",  # "Use time range in query": milliseconds
        f"dependencies?endTs={now_ms + 60_000}&lookback=3660000",  # "Dependency graph": milliseconds
    ]


def calls_of_jaeger_ui(now_ms: int, word: str) -> list[str]:
    """packages/jaeger-ui/src/api/jaeger.js, and the search form."""
    start, end = (now_ms - 3_600_000) * 1000, (now_ms + 60_000) * 1000
    tags = urllib.parse.quote(json.dumps({"error": "true"}))
    return [
        "services",
        f"services/shop-{word}/operations",
        f"services/team%2F{word}/operations",
        f"operations?service=shop-{word}&spanKind=server",
        f"traces?end={end}&limit=20&lookback=1h&maxDuration&minDuration&service=shop-{word}&start={start}&tags={tags}",
        f"traces?end={end}&limit=1000&lookback=2d&maxDuration=2s&minDuration=1ms&service=shop-{word}&start={start}",
        f"traces/{SHARED_ID}",
        f"traces?traceID={SHARED_ID}&traceID={SHARED_ID[1:].upper()}",  # two traces beside each other
        f"dependencies?endTs={now_ms + 60_000}&lookback=604800000",
    ]


class TestCallsOfClients:
    @pytest.mark.parametrize("calls", [calls_of_grafana, calls_of_jaeger_ui])
    def test_each_is_answered_with_ones_own(self, traces: Traces, calls: Any) -> None:
        for letter, word in LETTERS.items():
            for target in calls(traces.now_ms, word):
                answer = traces.get(target, f"read-{letter}")
                assert answer.status_code == 200, (target, answer.text)
                assert answer.json()["data"], target
                assert word in answer.text, target
                assert not [other for other in LETTERS.values() if other != word and other in answer.text], target

    def test_lists(self, traces: Traces) -> None:
        assert traces.data("services") == ["archive-alfa", "common", "shop-alfa", "team/alfa"]
        assert traces.data("services/common/operations") == ["step alfa"]
        assert traces.data("operations?service=shop-alfa") == [{"name": "GET /alfa", "spanKind": "server"}]
        assert traces.data("operations?service=shop-alfa&spanKind=client") == []
        assert traces.data("operations?service=team%2Falfa") == [{"name": "PAY alfa", "spanKind": "client"}]
        assert traces.data("operations?service=nobody") == []
        assert traces.get("services").json()["total"] == 4

    def test_a_search_finds_by_each_parameter(self, traces: Traces) -> None:
        own = [f"{1:030x}{one:02x}" for one in range(3)]
        assert traces.search(service="common") == own, "the latest first"
        assert traces.search(service="common", limit="2") == own[:2]
        assert traces.search(service="shop-alfa") == [SHARED_ID]
        assert traces.search(service="team/alfa", operation="PAY alfa") == [SHARED_ID]
        assert traces.search(service="shop-alfa", operation="PAY alfa") == [], "of one span"
        for tag in ("error:true", "secret:alfa", "span.kind:server", "otel.status_code:ERROR"):
            assert traces.search(service="shop-alfa", tag=tag) == [SHARED_ID], tag
        assert traces.search(service="shop-alfa", tag="secret:bravo") == []
        assert traces.search(service="shop-alfa", tags='{"error":"true","secret":"alfa"}') == [SHARED_ID]
        assert traces.search(service="shop-alfa", tags='{"error":"true","secret":"x"}') == []
        for shortest, longest, found in (("1.2s", "", 1), ("1201ms", "", 0), ("1s200ms", "1.2s", 1), ("", "1s", 0)):
            durations = {"minDuration": shortest, "maxDuration": longest}
            assert len(traces.search(service="shop-alfa", **durations)) == found, durations
        assert len(traces.search(service="team/alfa", minDuration="500us", maxDuration="500µs")) == 1
        at_us = (traces.now_ms - 61_000) * 1000
        assert traces.search(service="common", start=str(at_us), end=str(at_us + 999)) == own[1:2]
        assert traces.data("traces?service=archive-alfa&lookback=1h") == []
        assert len(traces.data("traces?service=archive-alfa&lookback=3h")) == 1

    def test_who_calls_whom(self, traces: Traces) -> None:
        call = {"parent": "shop-alfa", "child": "team/alfa", "callCount": 1}
        end_ms = traces.now_ms + 60_000
        assert traces.data(f"dependencies?endTs={end_ms}&lookback=3600000") == [call]
        assert traces.data("dependencies") == [call], "of a day"
        assert traces.data("dependencies?service=shop-alfa") == [call]
        assert traces.data("dependencies?service=common") == []
        assert traces.data(f"dependencies?endTs={traces.now_ms - 60_000}&lookback=3600000") == [], "it began later"
        assert traces.get("dependencies?endTs=x").status_code == 400
        assert traces.get("dependencies?lookback=1h").status_code == 400

    def test_ids_in_every_spelling(self, traces: Traces) -> None:
        """C58"""
        for spelling in (SHARED_ID, SHARED_ID[1:], SHARED_ID.upper()):
            (trace,) = traces.data(f"traces/{spelling}")
            assert trace["traceID"] == SHARED_ID
        for spelling in (SHORT_ID, SHORT_ID.upper(), SHORT_ID.zfill(32)):
            (trace,) = traces.data(f"traces/{spelling}")
            assert trace["traceID"] == SHORT_ID.zfill(32)
        (found,) = traces.data("traces?service=archive-alfa")
        assert found["traceID"] == SHORT_ID.zfill(32)
        assert {span["traceID"] for span in found["spans"]} == {SHORT_ID.zfill(32)}

    def test_several_by_their_ids(self, traces: Traces) -> None:
        whole = traces.get(f"traces?traceID={SHORT_ID.upper()}&traceID={'f' * 32}&traceID={SHARED_ID}").json()
        assert [trace["traceID"] for trace in whole["data"]] == [SHORT_ID.zfill(32), SHARED_ID]
        assert whole["errors"] == [{"msg": "trace not found", "traceID": "f" * 32}]

    def test_what_is_wrong_is_said(self, traces: Traces) -> None:
        for query, name in (
            ("", "service"),
            ("service=common&start=x", "start"),
            ("service=common&limit=1001", "limit"),
            ("service=common&minDuration=5", "minDuration"),
            ("service=common&tags={", "tags"),
            ("service=common&tag=x", "tag"),
            ("service=common&lookback=x", "lookback"),
            ("service=common&service=shop-alfa", "service"),
        ):
            answer = traces.get(f"traces?{query}")
            assert answer.status_code == 400, query
            (error,) = answer.json()["errors"]
            assert error["code"] == 400
            assert name in error["msg"], query
            assert answer.json()["data"] is None
        assert traces.get("operations").status_code == 400
        assert traces.get("operations?service=common&spanKind=x").status_code == 400


class TestFence:
    """No byte of another customer's in any answer, whatever is asked; no difference between what is another's and what nobody has."""

    def _targets(self, traces: Traces, word: str) -> list[str]:
        """Each path and parameter, with the words of the customer that `word` is of."""
        start, end = (traces.now_ms - 3_600_000) * 1000, (traces.now_ms + 60_000) * 1000
        range_ = f"start={start}&end={end}"
        json_tag = urllib.parse.quote(json.dumps({"secret": word}))
        customer = f"cliente-{word[0]}"
        return [
            "services",
            f"services?customer={customer}&customer_id={customer}&X-Vigia-Customer={customer}",
            f"services/shop-{word}/operations",
            f"services/common/operations?service=shop-{word}",
            f"operations?service=shop-{word}",
            f"operations?service=team%2F{word}&spanKind=client",
            f"traces?{range_}&service=shop-{word}",
            f"traces?{range_}&service=common&operation=step%20{word}",
            f"traces?{range_}&service=common&tag=of:{word}",
            f"traces?{range_}&service=shop-{word}&tags={json_tag}",
            f"traces?{range_}&service=common&tag=customer.id:{customer}",
            f"traces?{range_}&service=common&limit=1000&minDuration=1ns&maxDuration=1h&customer={customer}",
            f"traces?service=common&lookback=2d&cursor=00&matcher=customer_id%3D{customer}",
            f"traces?{range_}&service=team%2F{word}%00",
            f"traces/{SHARED_ID}",
            f"traces/{SHARED_ID}?customer={customer}&service=shop-{word}",
            f"traces?traceID={SHARED_ID}&traceID={list(LETTERS.values()).index(word) + 1:030x}00&customer={customer}",
            f"dependencies?customer={customer}",
            f"dependencies?endTs={end // 1000}&lookback=604800000&service=shop-{word}",
        ]

    def test_no_answer_has_anything_of_anybody_elses(self, traces: Traces) -> None:
        for letter, own in LETTERS.items():
            for word in LETTERS.values():
                header = f"cliente-{word[0]}"
                for target in self._targets(traces, word):
                    for headers in (
                        {},
                        {"X_Vigia_Customer": header, "X_Scope_OrgID": header, "uber_trace_id": SHARED_ID},
                    ):
                        answer = traces.get(target, f"read-{letter}", **headers)
                        assert answer.status_code in (200, *NO_DATA), (target, answer.text)
                        told = answer.text + str(answer.headers)
                        strange = [one for one in LETTERS.values() if one != own and one in told]
                        # What the caller himself has sent may come back in words of what is wrong.
                        assert not strange or (strange == [word] and answer.status_code == 400), (letter, target, told)
                        assert not [one for one in CUSTOMERS if one[-1] != letter and one in told], (letter, target)

    def test_anothers_is_as_nobodys(self, traces: Traces) -> None:
        for target in (
            "services/X/operations",
            "operations?service=X",
            "traces?service=X",
            "traces?service=common&tag=of:X",
        ):
            anothers = traces.get(target.replace("X", "shop-bravo" if "tag" not in target else "bravo"))
            nobodys = traces.get(target.replace("X", "shop-nobody" if "tag" not in target else "nobody"))
            assert (anothers.status_code, anothers.text) == (nobodys.status_code, nobodys.text)
        only_of_b = f"{2:030x}00"
        assert traces.get(f"traces/{only_of_b}", "read-b").status_code == 200
        assert traces.get(f"traces/{only_of_b}").text == traces.get(f"traces/{'f' * 32}").text

    def test_an_operator_names_the_customer(self, traces: Traces) -> None:
        for target in (
            "services",
            "services/common/operations",
            "operations?service=common",
            "traces?service=common",
            "dependencies",
        ):
            refused = traces.get(target, "op")
            assert refused.status_code == 400
            assert "X-Vigia-Customer" in refused.json()["errors"][0]["msg"]
            for letter, word in LETTERS.items():
                found = traces.data(target, "op", X_Vigia_Customer=f"cliente-{letter}")
                assert word in str(found)
                assert not [one for one in LETTERS.values() if one != word and one in str(found)]


class TestFromMetrics:
    def _ids(self, traces: Traces, letter: str) -> list[str]:
        """Of the exemplars that a customer sees."""
        start, end = traces.now_ms // 1000 - 60, traces.now_ms // 1000 + 60
        answer = traces.ask("/api/v1/query_exemplars", f"read-{letter}", query="checkout_seconds", start=start, end=end)
        assert answer.status_code == 200, answer.text
        return [one["labels"]["trace_id"] for series in answer.json()["data"] for one in series["exemplars"]]

    def test_every_exemplar_leads_to_its_trace(self, traces: Traces) -> None:
        """Through the router alone: an exemplar's trace_id is an id by which the trace is found, by its customer alone."""
        for number, (letter, word) in enumerate(LETTERS.items()):
            labels = {"__name__": "checkout_seconds", "customer_id": f"cliente-{letter}", "node_id": f"node-{word}"}
            for one in range(3):
                sample = sample_with_exemplar(traces.now_ms + one, 0.25 + one, f"{number + 1:030x}{one:02x}")
                assert write_bytes(traces.stack.layout.url("hot"), series_bytes(labels, sample)).ok
        for letter, word in LETTERS.items():
            wait_for("the exemplars", partial(self._ids, traces, letter), 20)
            ids = self._ids(traces, letter)
            assert len(ids) == 3
            for trace_id in ids:
                (trace,) = traces.data(f"traces/{trace_id}", f"read-{letter}")
                assert trace["traceID"] == trace_id
                assert [span["operationName"] for span in trace["spans"]] == [f"step {word}"]
                others = [f"read-{other}" for other in LETTERS if other != letter]
                assert [traces.get(f"traces/{trace_id}", other).status_code for other in others] == [404, 404]
