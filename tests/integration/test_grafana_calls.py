"""What Grafana's data sources for Prometheus and Loki ask, replayed with their methods, parameters and headers, and read as they
read it: what a page shows must be there. Jaeger's stands in test_router_traces.py.

From the public code of grafana/grafana: of Prometheus pkg/promlib (client/client.go, healthcheck.go, heuristics.go,
converter/prom.go, querydata) and packages/grafana-prometheus/src (datasource.ts, resource_clients.ts, language_provider.ts);
of Loki pkg/tsdb/loki (api.go, healthcheck.go, frame.go) and public/app/plugins/datasource/loki (LanguageProvider.ts, datasource.ts).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from canaries import CUSTOMERS, SECRETS, Canaries, leaks_in, trace_of
from stack import Stack, prometheus_programs

# What Grafana's backend adds to what a data source asks. None of it may change an answer.
GRAFANA = {
    "User-Agent": "Grafana/12.1.0",
    "Accept-Encoding": "gzip",
    "X-Grafana-Org-Id": "1",
    "X-Datasource-Uid": "prom",
    "X-Dashboard-Uid": "d1",
    "X-Panel-Id": "2",
    "X-Query-Group-Id": "q1",
    "X-Grafana-From-Expr": "true",
    "X-Scope-OrgID": "cliente-b",
    "Content-Type": "application/x-www-form-urlencoded",
}
SUGGESTIONS = "40000"  # most entries of a list, DEFAULT_SERIES_LIMIT


@pytest.fixture(scope="module", params=prometheus_programs(), ids=lambda program: program[0])
def router(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Canaries]:
    """For tests that only look."""
    with Stack(tmp_path_factory.mktemp("grafana")) as stack:
        stack.hot_program = request.param[1]
        made = Canaries(stack)
        made.start()
        made.fill()
        yield made


class Client:
    """A data source: `method` is its setting "HTTP method"."""

    def __init__(self, router: Canaries, method: str = "POST", customer: str = "cliente-a") -> None:
        self.router, self.method, self.customer = router, method, customer

    def send(self, path: str, form: dict[str, Any], method: str = "", **headers: str) -> requests.Response:
        method = method or self.method
        sent = {**GRAFANA, "Authorization": f"Bearer {CUSTOMERS[self.customer]}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        if method == "GET":
            del sent["Content-Type"]
            answer = requests.get(f"{self.router.url}/{path}", params=form, headers=sent, timeout=30)
        else:
            answer = requests.post(f"{self.router.url}/{path}", data=form, headers=sent, timeout=30)
        assert leaks_in(self.customer, answer.content) == []
        return answer

    def resource(self, path: str, form: dict[str, Any], method: str = "", **headers: str) -> Any:
        """QueryResource: after 405 or 400 to a POST the same by GET; the front end reads `data`."""
        answer = self.send(path, form, method, **headers)
        if answer.status_code in (400, 405) and (method or self.method) == "POST":
            answer = self.send(path, form, "GET", **headers)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert body["status"] == "success"
        return body["data"]

    def frames(self, path: str, form: dict[str, Any], method: str = "", **headers: str) -> list[Frame]:
        """What ReadPrometheusStyleResult makes of the answer; an error is shown in the panel."""
        answer = self.send(path, form, method, **headers)
        assert answer.status_code == 200, answer.text
        return frames_of(answer.json())

    def times(self, step: int = 15) -> dict[str, str]:
        """Of a panel of ten minutes: both ends at whole steps, as models.Query.TimeRange aligns them."""
        end = self.router.now_ms // 1000 // step * step
        return {"start": str(end - 600), "end": str(end), "step": str(step)}


Frame = tuple[dict[str, str], list[tuple[float, Any]]]


def frames_of(body: dict[str, Any]) -> list[Frame]:
    assert body["status"] == "success"
    for said in (*body.get("warnings", []), *body.get("infos", [])):
        assert isinstance(said, str)
    data = body["data"]
    if isinstance(data, list):  # exemplars
        return [
            (one["seriesLabels"], [(entry["timestamp"], float(entry["value"])) for entry in one["exemplars"]])
            for one in data
        ]
    assert list(data)[0] == "resultType", "else all of the result is kept until it comes"
    kind, result = data["resultType"], data["result"]
    if kind in ("scalar", "string"):
        return [({}, [(result[0], float(result[1]) if kind == "scalar" else result[1])])]
    if kind == "streams":
        is_by_category = "categorize-labels" in data.get("encodingFlags", [])
        assert all(len(line) == 2 + is_by_category for one in result for line in one["values"])
        return [(one["stream"], [(int(line[0]), line[1:]) for line in one["values"]]) for one in result]
    assert kind in ("matrix", "vector"), kind
    frames: list[Frame] = []
    for one in result:
        points = one.get("values") or [one["value"]] if "histogram" not in str(list(one)) else []
        points = [(at, float(value)) for at, value in points]
        points += [
            (at, value["buckets"]) for at, value in [*one.get("histograms", []), one.get("histogram", [0, 0])] if at
        ]
        frames.append((one["metric"], points))
    return frames


class TestPrometheus:
    @pytest.mark.parametrize("method", ["POST", "GET"])
    def test_save_and_test(self, router: Canaries, method: str) -> None:
        grafana = Client(router, method)
        ((labels, points),) = grafana.frames("api/v1/query", {"query": "1+1", "time": "4"})
        assert (labels, points) == ({}, [(4, 2.0)])
        info = grafana.resource("api/v1/status/buildinfo", {}, "GET")
        assert info["version"]
        assert not info.get("features"), "features would make a Mimir of it, with a ruler to write to"
        assert isinstance(grafana.resource("api/v1/status/flags", {}, "GET"), dict)

    def test_what_it_asks_first(self, router: Canaries) -> None:
        """datasource.init: names of recording rules, and whether there are exemplars, by a metric that nobody has."""
        grafana = Client(router)
        groups = grafana.resource("api/v1/rules", {}, "GET")["groups"]
        rules = {
            rule["name"]: rule["query"] for group in groups for rule in group["rules"] if rule["type"] == "recording"
        }
        assert list(rules) == [f"{SECRETS['cliente-a']}:recorded"]
        # Milliseconds where seconds are meant: a time 50,000 years ahead.
        asked = {"query": "test", "start": str(router.now_ms - 1_800_000), "end": str(router.now_ms)}
        assert grafana.resource("api/v1/query_exemplars", asked, "GET") == []

    @pytest.mark.parametrize("method", ["POST", "GET"])
    def test_the_editor(self, router: Canaries, method: str) -> None:
        """Metrics, labels and values, all and of a metric; where the data source is set to the series endpoint, by that."""
        grafana, secret = Client(router, method), SECRETS["cliente-a"]
        end = router.now_ms // 1000
        asked = {"limit": SUGGESTIONS, "start": str(end - 3600), "end": str(end)}
        metrics = grafana.resource("api/v1/label/__name__/values", asked, "GET")
        assert {"shared", f"{secret}_total", "guess_a_total"} <= set(metrics)
        assert metrics == sorted(metrics)
        labels = grafana.resource("api/v1/labels", asked)
        assert {"__name__", "job", f"{secret}_label"} <= set(labels)
        of_one = grafana.resource("api/v1/labels", {**asked, "match[]": '{__name__="shared_seconds_bucket"}'})
        assert of_one == sorted(["__name__", "customer_id", "job", "le", "node_id", f"{secret}_label"])
        matching = {**asked, "match[]": '{__name__="shared",job!=""}'}
        assert grafana.resource("api/v1/label/job/values", matching, "GET") == ["shop", f"{secret}_job"]
        assert grafana.resource("api/v1/label/U__no_2e_such/values", asked, "GET") == []
        series = grafana.resource("api/v1/series", {**asked, "match[]": '{__name__="shared"}'})
        assert [one["job"] for one in series] == ["shop", f"{secret}_job"]
        everything = grafana.resource("api/v1/series", {**asked, "match[]": '{__name__!=""}'})
        assert len(everything) > 8
        assert len(grafana.resource("api/v1/series", {**asked, "match[]": '{__name__!=""}', "limit": "3"})) == 3

    def test_types_and_help(self, router: Canaries) -> None:
        said = Client(router).resource("api/v1/metadata", {}, "GET")
        assert [(one["type"], one["help"]) for one in said["shared"]] == [("gauge", "zqax help")]

    @pytest.mark.parametrize("method", ["POST", "GET"])
    def test_a_panel_asks_over_a_time_and_at_its_end(self, router: Canaries, method: str) -> None:
        grafana = Client(router, method)
        times = grafana.times()
        query = "sum by (job) (rate(shared_total[5m0s]))"
        frames = grafana.frames("api/v1/query_range", {"query": query, **times})
        assert [labels["job"] for labels, _ in frames] == ["shop", "zqax_job"]
        for _, points in frames:
            stamps = [at for at, _ in points]
            assert stamps == sorted(stamps)
            assert all((at - float(times["start"])) % 15 == 0 for at in stamps)
        now = grafana.frames("api/v1/query", {"query": "shared", "time": f"{router.now_ms / 1000 + 0.123:.3f}"})
        assert [(labels["__name__"], points[0][1]) for labels, points in now] == [("shared", 100.0)] * 2
        # The data source's "Query timeout" goes with each query.
        assert grafana.frames("api/v1/query_range", {"query": query, **times, "timeout": "60s"}) == frames

    def test_a_heat_map_and_a_quantile(self, router: Canaries) -> None:
        grafana = Client(router)
        buckets = 'sum by (le) (increase(shared_seconds_bucket{job="shop"}[5m]))'
        frames = grafana.frames("api/v1/query_range", {"query": buckets, **grafana.times(60)})
        assert sorted(labels["le"] for labels, _ in frames) == ["+Inf", "0.1", "1"]
        quantile = f"histogram_quantile(0.95, {buckets})"
        assert grafana.frames("api/v1/query_range", {"query": quantile, **grafana.times(60)})
        native = grafana.frames("api/v1/query", {"query": "shared_native", "time": str(router.now_ms / 1000)})
        ((_, points),) = native
        ((_, cells),) = points
        assert all(len(cell) == 4 for cell in cells), "layout, both ends, count"

    def test_annotations(self, router: Canaries) -> None:
        """By a query at 60 s; of each series its labels make the words, and values over 0 the moments."""
        grafana = Client(router)
        asked = {"query": 'shared{job="shop"} > 90', **grafana.times(60)}
        ((labels, points),) = grafana.frames("api/v1/query_range", asked)
        assert labels["job"] == "shop"
        assert all(value > 0 for _, value in points)

    def test_exemplars_lead_to_traces(self, router: Canaries) -> None:
        grafana = Client(router)
        times = grafana.times()
        end = str(int(times["end"]) + 60)
        asked = {"query": 'rate(shared_traced_total{job="shop"}[1m])', "start": times["start"], "end": end}
        answer = grafana.send("api/v1/query_exemplars", asked).json()
        ((labels, points),) = frames_of(answer)
        assert labels["__name__"] == "shared_traced_total"
        assert [value for _, value in points] == [1.0]
        (exemplar,) = answer["data"][0]["exemplars"]
        assert exemplar["labels"] == {"trace_id": "zqaxtrace"}

    def test_lists_of_alerts(self, router: Canaries) -> None:
        """ "Manage alerts": the data source's rules and alerts, in Alerting's own lists."""
        grafana, secret = Client(router), SECRETS["cliente-a"]
        (group,) = grafana.resource("api/v1/rules", {"type": "alert"}, "GET")["groups"]
        assert {"name", "file", "interval"} <= set(group)
        (rule,) = group["rules"]
        assert (rule["name"], rule["state"], rule["health"]) == (f"{secret}_alert", "firing", "ok")
        assert {"query", "duration", "labels", "annotations", "alerts", "lastEvaluation", "evaluationTime"} <= set(rule)
        assert {one["labels"]["alertname"] for one in rule["alerts"]} == {f"{secret}_alert"}
        alerts = grafana.resource("api/v1/alerts", {}, "GET")["alerts"]
        assert {one["state"] for one in alerts} == {"firing"}

    def test_what_is_wrong_is_told_in_its_words(self, router: Canaries) -> None:
        grafana = Client(router)
        for query, word in (("sum(", "parse error"), ('shared{job="shop"', "parse error"), ("nope(up)", "nope")):
            answer = grafana.send("api/v1/query_range", {"query": query, **grafana.times()})
            body = answer.json()
            assert (answer.status_code, body["status"], body["errorType"]) == (400, "error", "bad_data")
            assert word in body["error"], body

    @pytest.mark.parametrize(
        "path", ["rules", "api/v1/rules/namespace", "api/v1/alertmanagers", "api/v1/notifications"]
    )
    def test_what_is_not_there_is_not_there(self, router: Canaries, path: str) -> None:
        """A ruler to write to, and others' alertmanagers: Grafana takes 404 for their absence."""
        assert Client(router).send(path, {}, "GET").status_code == 404


class TestLoki:
    FLAGS = {"X_Loki_Response_Encoding_Flags": "categorize-labels"}

    def times(self, router: Canaries) -> dict[str, str]:
        end_ns = router.now_ms * 1_000_000 + 60_000_000_000
        return {"start": str(end_ns - 3_600_000_000_000), "end": str(end_ns)}

    def ask(self, router: Canaries, path: str, form: dict[str, Any], **headers: str) -> requests.Response:
        return Client(router, "GET").send(f"loki/api/v1/{path}", form, **headers)

    def test_save_and_test(self, router: Canaries) -> None:
        asked = {"query": "vector(1)+vector(1)", "direction": "backward", "time": "4000000000"}
        ((labels, points),) = frames_of(self.ask(router, "query", asked).json())
        assert (labels, [value for _, value in points]) == ({}, [2.0]), "one frame of one row, of 2"

    def test_labels_and_values(self, router: Canaries) -> None:
        grafana, times = Client(router, "GET"), self.times(router)
        labels = grafana.resource("loki/api/v1/labels", times)
        assert {"service_name", "level", "node_id"} <= set(labels)
        narrowed = {**times, "query": '{service_name="shop"}'}
        assert set(grafana.resource("loki/api/v1/labels", narrowed)) <= set(labels)
        services = grafana.resource("loki/api/v1/label/service_name/values", times)
        assert services == ["guess-a", "shop", f"{SECRETS['cliente-a']}-service"]
        assert grafana.resource("loki/api/v1/label/level/values", narrowed) == ["error", "info", "warn"]
        series = grafana.resource("loki/api/v1/series", {**times, "match[]": '{service_name="shop"}'})
        assert {one["service_name"] for one in series} == {"shop"}

    def test_how_much_a_query_will_read(self, router: Canaries) -> None:
        """getStats: the editor shows it before a query is run."""
        stats = self.ask(router, "index/stats", {"query": '{service_name="shop"}', **self.times(router)}).json()
        assert (stats["streams"], stats["entries"]) == (3, 4)
        assert stats["bytes"] > 0
        assert stats["chunks"] == 0

    def test_lines(self, router: Canaries) -> None:
        """makeDataRequest of a range query: limit, direction and a step in milliseconds."""
        asked = {"query": '{service_name="shop"} |= ``', "direction": "backward", "limit": "1000", "step": "15000ms"}
        answer = self.ask(router, "query_range", {**asked, **self.times(router)}, **self.FLAGS).json()
        frames = frames_of(answer)
        assert len(frames) == 3
        lines = [(at, said) for _, values in frames for at, said in values]
        assert len(lines) == 4
        for labels, _ in frames:
            assert set(labels) == {"customer_id", "environment", "level", "node_id", "service_name"}
        for _, (text, beside) in lines:
            assert text
            assert beside["structuredMetadata"]["trace_id"] == trace_of("cliente-a"), "the derived field's label"
        summary = answer["data"]["stats"]["summary"]
        for name in (
            "bytesProcessedPerSecond",
            "linesProcessedPerSecond",
            "totalBytesProcessed",
            "totalLinesProcessed",
        ):
            assert isinstance(summary[name], int), name
        assert isinstance(summary["execTime"], float | int)

    def test_parsers_show_what_they_found(self, router: Canaries) -> None:
        asked = {
            "query": '{service_name="shop"} | json | drop __error__ | took > 5ms',
            "limit": "10",
            "direction": "backward",
        }
        ((_, ((_, (text, beside)),)),) = frames_of(
            self.ask(router, "query_range", {**asked, **self.times(router)}, **self.FLAGS).json()
        )
        assert text.startswith("{")
        assert beside["parsed"]["code"] == "500"
        plain = frames_of(self.ask(router, "query_range", {**asked, **self.times(router)}).json())
        assert plain[0][0]["code"] == "500", "without the header all labels are the stream's"

    def test_the_histogram_above_the_lines(self, router: Canaries) -> None:
        """The supporting query of logs volume."""
        query = 'sum by (level, detected_level) (count_over_time({service_name="shop"} | drop __error__[1m]))'
        asked = {"query": query, "direction": "backward", "step": "60000ms", **self.times(router)}
        frames = frames_of(self.ask(router, "query_range", asked, X_Query_Tags="Source=logvolhist").json())
        assert sorted(labels["level"] for labels, _ in frames) == ["error", "info", "warn"]
        assert all(points for _, points in frames)

    @pytest.mark.parametrize("direction", ["forward", "backward"])
    def test_the_lines_around_one(self, router: Canaries, direction: str) -> None:
        """LogContextProvider: two hours to one side, by the labels of the line's stream."""
        at_ns = router.now_ms * 1_000_000
        start, end = (at_ns - 7_200_000_000_000, at_ns + 1)
        asked = {"query": '{service_name="shop",level="info"}', "direction": direction, "limit": "50"}
        asked |= {"start": str(start), "end": str(end)}
        frames = frames_of(self.ask(router, "query_range", asked, X_Query_Tags="Source=logsample", **self.FLAGS).json())
        stamps = [at for _, values in frames for at, _ in values]
        assert stamps == sorted(stamps, reverse=direction == "backward")
        assert len(stamps) == 2

    def test_a_moments_number(self, router: Canaries) -> None:
        asked = {"query": 'sum(count_over_time({service_name="shop"}[1h]))', "direction": "backward"}
        asked["time"] = self.times(router)["end"]
        ((_, points),) = frames_of(self.ask(router, "query", asked).json())
        assert points[0][1] == 4

    def test_what_is_wrong_is_shown_as_it_is_told(self, router: Canaries) -> None:
        """readLokiError: a JSON object with `message`, else the whole text."""
        answer = self.ask(router, "query_range", {"query": '{service_name="shop"', **self.times(router)})
        assert answer.status_code == 400
        assert "parse error" in answer.text
        assert not answer.text.startswith("{")
