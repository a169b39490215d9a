"""The router beside real stores: which of them answers, what is said when one is away, and that it speaks Prometheus' language.

As in test_router.py samples and heartbeats are written into hot and storage directly, with Prometheus 2.42 and 3.x as hot.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from launcher.paths import ROOT
from reading import MINUTE_MS, Reading, fill, is_cold, is_hot
from stack import Stack, prometheus_programs, wait_for

# Taken, or refused, by 2.42 and 3.x alike.
PARSED = (
    "absent(up)",
    'sum by (a) (rate(x{b="c"}[5m] offset 1m)) > 1',
    "foo bar",
    "",
    "1",
    "-1",
    "--1e21",
    "+0x1f",
    "-(1)",
    "-up ^ 2",
    "-1 ^ 2",
    "NaN",
    "-Inf",
    "1e-7",
    '"text"',
    'up{a!="b",c=~"d.*",e!~"f"} @ 1.5',
    "up[5m] @ start() offset -1m",
    "max_over_time(up[1h:1m] @ end())",
    "up[1h:][5m:1m]",
    "a or b unless c and d",
    "a * on (x, y) group_left (z) b",
    "a * ignoring (x) group_right () b",
    "a > bool 1",
    "1 == bool 2",
    "a atan2 b % c",
    'count_values without (x) ("v", a)',
    "topk(5, a)",
    "quantile by (x, y) (0.5, a)",
    "round(a)",
    "round(a, 5)",
    "hour()",
    "time()",
    'label_replace(a, "b", "$1", "c", "(.*)")',
    'label_join(a, "b", ",", "c", "d")',
    "histogram_quantile(0.9, sum by (le) (rate(a[5m])))",
    "clamp(a, 1, 2)",
    "scalar(a) + vector(1)",
    "sort_desc(a)",
    "group without () (a)",
)


@pytest.fixture(scope="module", params=prometheus_programs(), ids=lambda program: program[0])
def reading(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reading]:
    """For tests that only look."""
    with Stack(tmp_path_factory.mktemp("router")) as stack:
        stack.hot_program = request.param[1]
        made = Reading(stack)
        made.start()
        fill(made)
        yield made


@pytest.fixture
def own_reading(tmp_path: Path) -> Iterator[Reading]:
    """For tests that stop stores."""
    with Stack(tmp_path) as stack:
        made = Reading(stack)
        made.start()
        fill(made)
        yield made


class TestWhatHotWouldSay:
    """D-F10: parameters that are wrong are refused as Prometheus does, and those that are right are not."""

    @pytest.mark.parametrize(
        ("path", "form", "status"),
        [
            ("/api/v1/rules", {"match": "{"}, 400),
            ("/api/v1/rules", {"exclude_alerts": "x"}, 400),
            ("/api/v1/rules", {"type": "x"}, 400),
            ("/api/v1/metadata", {"limit": "-1"}, 200),
            ("/api/v1/metadata", {"limit": "x"}, 400),
            ("/api/v1/metadata", {"limit_per_metric": "x"}, 400),
            ("/api/v1/label/a-b/values", {}, 200),
            ("/api/v1/labels", {"limit": "-1"}, 400),
            ("/api/v1/query", {"query": "up", "time": "x"}, 400),
            ("/api/v1/query_range", {"query": "up", "start": 1, "end": 0, "step": 1}, 400),
            ("/api/v1/series", {}, 400),
        ],
    )
    def test_is_said(self, reading: Reading, path: str, form: dict[str, Any], status: int) -> None:
        url = reading.stack.layout.url("hot")
        version = requests.get(f"{url}/api/v1/status/buildinfo", timeout=10).json()["data"]["version"]
        if version.startswith("2.") and "a-b" in path:
            status = 400  # no name of a label before 3.0
        ours = reading.ask(path, **form)
        assert ours.status_code == status, ours.text
        if version.startswith("2."):
            return  # it passes over parameters that came later
        pairs = [("match[]" if key == "match" else key, str(value)) for key, value in form.items()]
        hot = requests.get(f"{url}{path}", params=pairs, timeout=10)
        assert (hot.status_code, hot.json().get("errorType")) == (status, ours.json().get("errorType")), hot.text


class TestHotOrCold:
    def test_each_query_goes_to_who_holds_it(self, reading: Reading) -> None:
        now = reading.now_ms / 1000
        assert is_hot(reading.ask("/api/v1/query", query="up", time=now))
        assert is_hot(reading.ask("/api/v1/query", query="rate(a_own_total[30m])", time=now))
        assert is_cold(reading.ask("/api/v1/query", query="rate(a_own_total[2h])", time=now))
        assert is_cold(reading.ask("/api/v1/query", query="up or up offset 2h", time=now))
        assert is_cold(reading.ask("/api/v1/query", query="max_over_time(up[30m:1m] offset 40m)", time=now))
        assert is_cold(reading.ask("/api/v1/query", query="up @ 1000", time=now))
        old = reading.result("a_own_total_old", time=now - 10 * 86_400 + 59 * 60)
        assert [entry["value"][1] for entry in old] == ["59"]

    # C45: each sample lies in both stores.
    def test_both_give_the_same_numbers(self, reading: Reading) -> None:
        # Not on a sample: 2.x counts one on the left edge of a range, 3.x does not.
        now = reading.now_ms / 1000 - 7
        for query in ("a_own_total", "sum by (node_id) (rate(a_own_total[10m]))", "count_over_time(up[20m])"):
            form: dict[str, Any] = {"query": query, "start": now - 1200, "end": now, "step": 60}
            hot = reading.ask("/api/v1/query_range", **form)
            cold = reading.ask("/api/v1/query_range", **{**form, "query": f"{query} or (up offset 3h and up < 0)"})
            assert is_hot(hot)
            assert is_cold(cold)
            assert hot.json()["data"] == cold.json()["data"]
            assert hot.json()["data"]["result"][0]["values"]

    # C45, as its case is written: hot has the last five minutes, cold all ten, so that five lie in both.
    def test_where_the_stores_overlap_a_sample_is_counted_once(self, tmp_path: Path) -> None:
        with Stack(tmp_path) as stack:
            reading = Reading(stack)
            reading.start()
            end_ms = int(time.time()) // 15 * 15_000
            labels = {"__name__": "x", "customer_id": "cliente-a"}
            samples = [(end_ms - n * 15_000, (80.0 - n) * 15) for n in reversed(range(80))]
            reading.to_cold(labels, samples)
            reading.to_hot(labels, samples[-21:])
            reading.beat(5)
            wait_for("hot covers", lambda: is_hot(reading.ask("/api/v1/query", query="irate(x[1m])")), 20)
            now = end_ms / 1000 - 7  # not on a sample: 2.x counts one on the left edge of a range, 3.x does not
            counted = reading.ask("/api/v1/query", query="count_over_time(x[10m])", time=now)
            assert is_cold(counted)
            assert [one["value"][1] for one in counted.json()["data"]["result"]] == ["40"]
            equal = reading.ask("/api/v1/query", query="count_over_time(x[10m]) == 40", time=now)
            assert len(equal.json()["data"]["result"]) == 1
            for query, is_there in (("irate(x[1m])", is_hot), ("irate(x[1m]) or x offset 3h", is_cold)):
                rated = reading.ask("/api/v1/query", query=query, time=now)
                assert is_there(rated), query
                assert [one["value"][1] for one in rated.json()["data"]["result"]] == ["1"], query
            form: dict[str, Any] = {"query": "count_over_time(x[10m])", "start": now - 240, "end": now, "step": 15}
            (series,) = reading.ask("/api/v1/query_range", **form).json()["data"]["result"]
            assert [value for _, value in series["values"]] == ["40"] * 17

    def test_a_wiped_hot_store_hides_nothing(self, own_reading: Reading) -> None:
        reading = own_reading
        now = reading.now_ms / 1000
        form: dict[str, Any] = {"query": "a_own_total", "start": now - 1800, "end": now, "step": 60}
        before = reading.ask("/api/v1/query_range", **form)
        assert is_hot(before)
        reading.stack.stop("prometheus-hot")
        assert reading.ask("/api/v1/query_range", **form).json()["data"] == before.json()["data"], "hot is down"
        shutil.rmtree(reading.stack.layout.data / "prometheus-hot")
        reading.stack.start("prometheus-hot")
        after = reading.ask("/api/v1/query_range", **form)
        assert is_cold(after)
        assert after.json()["data"] == before.json()["data"]
        reading.beat(2)
        wait_for("hot covers again", lambda: is_hot(reading.ask("/api/v1/query", query="vigia_x[10s]")), 20)
        assert is_cold(reading.ask("/api/v1/query_range", **form)), "but only from the new heartbeats on"

    def test_without_storage_the_gap_is_stated(self, own_reading: Reading) -> None:
        reading = own_reading
        now = reading.now_ms / 1000
        reading.stack.kill("storage")
        form: dict[str, Any] = {"query": "a_own_total", "start": now - 7200, "end": now, "step": 60}
        answer = reading.ask("/api/v1/query_range", **form)
        assert answer.status_code == 200, answer.text
        assert any(warning.startswith("cold part missing: ") for warning in answer.json()["warnings"])
        assert answer.headers["X-Vigia-Served"].startswith("hot=")
        assert answer.json()["data"]["result"], "hot's part is owed"
        assert reading.stack.layout.host not in answer.text
        labels = reading.ask("/api/v1/labels")
        assert any(warning.startswith("cold part missing: ") for warning in labels.json()["warnings"])
        assert "mine_label" in labels.json()["data"]
        assert is_hot(reading.ask("/api/v1/query", query="up"))
        reading.stack.kill("prometheus-hot")
        nothing = reading.ask("/api/v1/query_range", **form)
        assert nothing.status_code == 503
        assert reading.stack.layout.host not in nothing.text

    def test_without_prometheus_query_the_gap_is_stated(self, own_reading: Reading) -> None:
        own_reading.stack.kill("prometheus-query")
        answer = own_reading.ask("/api/v1/query", query="up offset 2h or up")
        assert any(warning.startswith("cold part missing: ") for warning in answer.json()["warnings"])
        assert len(answer.json()["data"]["result"]) == 1

    def test_eleven_remarks_are_no_outage(self, own_reading: Reading) -> None:
        """D-F1. Prometheus shows ten warnings, of PromQL or of a store, and counts the rest."""
        reading = own_reading
        reading.stack.hot_program = None
        old = [(reading.now_ms - 3 * 3_600_000 + n * MINUTE_MS, float(n)) for n in range(180)]
        for number in range(12):
            name = f"m{number:02}"
            reading.to_cold({"__name__": name, "customer_id": "cliente-a"}, old)
        now = reading.now_ms / 1000
        broken = 'histogram_quantile(0.5, {__name__=~"m.."})'  # one warning a metric without le
        query = f"sum_over_time(m01[5m]) or {broken}"
        form: dict[str, Any] = {"query": query, "start": now - 10_000, "end": now - 4_000, "step": 60}
        answer = reading.ask("/api/v1/query_range", **form)
        assert is_cold(answer), answer.headers
        content = answer.json()
        assert len(content["data"]["result"][0]["values"]) == 101
        assert any("more warning annotations omitted" in warning for warning in content["warnings"]), content
        reading.stack.kill("storage")
        gone = reading.ask("/api/v1/query_range", **form)
        if gone.status_code == 200:
            assert any(warning.startswith("cold part missing: ") for warning in gone.json()["warnings"])
        else:
            assert gone.status_code == 503

    def test_the_youngest_hole_of_all_collectors_counts(self, own_reading: Reading) -> None:
        """A13: what one collector has delivered says nothing of another's data."""
        reading = own_reading
        now_ms = int(time.time() * 1000) // MINUTE_MS * MINUTE_MS

        def beat(collector: str, minutes: list[int]) -> None:
            labels = {"__name__": "vigia_hot_heartbeat", "shard": "hot-0", "collector": collector}
            reading.to_hot(labels, [(now_ms - n * MINUTE_MS, 1.0) for n in minutes])

        def covers(minutes: int) -> bool:
            answer = reading.ask("/api/v1/query", query=f"count_over_time(a_own_total[{minutes}m])")
            return is_hot(answer)

        beat("0a0a0a0a", list(reversed(range(56))))
        wait_for("one collector covers", lambda: covers(40), 20)
        beat("0b0b0b0b", [*range(50, 30, -1), *range(10, -1, -1)])
        reading.stack.kill("router")
        reading.stack.start("router")
        wait_for("the other's hole is over", lambda: covers(5), 20)
        assert not covers(40)

    def test_heartbeats_of_the_future_cover_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A collector's clock was hours ahead: no later loss shows under what it marked, nor that it has stopped."""
        monkeypatch.setenv("VIGIA_PROMETHEUS", str(dict(prometheus_programs())["2.42"]))  # 3.x takes none
        with Stack(tmp_path) as stack:
            reading = Reading(stack)
            reading.start()
            fill(reading)
            query = "count_over_time(a_own_total[5m])"
            wait_for("hot covers", lambda: is_hot(reading.ask("/api/v1/query", query=query)), 20)
            hour_ms = int(time.time() * 1000) // MINUTE_MS * MINUTE_MS + 60 * MINUTE_MS
            labels = {"__name__": "vigia_hot_heartbeat", "shard": "hot-0", "collector": "0a0a0a0a"}
            reading.to_hot(labels, [(hour_ms + n * MINUTE_MS, 1.0) for n in range(-120, 120)])
            reading.stack.kill("router")
            reading.stack.start("router")
            reading.beat(2)
            for _ in range(10):
                assert is_cold(reading.ask("/api/v1/query", query=query))
                time.sleep(0.3)

    def test_silence_of_the_collector_uncovers_hot(self, tmp_path: Path) -> None:
        with Stack(tmp_path) as stack:
            reading = Reading(stack, gap_max="3s")
            reading.start()

            def is_covered() -> bool:
                reading.beat(2, every_ms=1000)
                return is_hot(reading.ask("/api/v1/query", query="x[500ms]"))

            wait_for("hot covers the last second", is_covered, 20)
            assert stack.own_metrics("router_metrics")['vigia_router_hot_covered_seconds{shard="hot-0"}'] > 0
            wait_for("hot no longer counts", lambda: is_cold(reading.ask("/api/v1/query", query="x[500ms]")), 20)


class TestLanguage:
    """Our parser and Prometheus' agree on what is PromQL, and what we print means what was asked."""

    # Refused here on purpose, or beyond our bounds, and by which version it is taken.
    ONLY_THERE = {
        '{"a","b"}': "3.x",
        '{""="b"}': "3.x",
        '{"","a"="b"}': "3.x",
        '{x=~"(?<n>a)"}': "3.x",
        "holt_winters(x[5m],0.1,0.1)": "2.42",  # which prometheus-query, a 3.x, has no more
    }

    # 3.5 stumbles over an e among hexadecimal digits; we send the number on in decimals.
    ONLY_HERE = (("3.x", "0xfe"), ("3.x", "0XFE"))

    # Of 2.42 by the router itself, which is held to what 3.x says of the same.
    def test_parse_query_is_prometheus_own(self, reading: Reading) -> None:
        three = reading.stack.layout.url("query")
        for expression in PARSED:
            for method in ("GET", "POST"):
                ours = reading.ask("/api/v1/parse_query", method=method, query=expression)
                its = requests.get(f"{three}/api/v1/parse_query", {"query": expression}, timeout=10)
                assert ours.status_code == its.status_code, expression
                if its.status_code == 200:
                    assert ours.json() == its.json(), expression

    def test_absent_shows_what_prometheus_shows(self, reading: Reading) -> None:
        """D15: the fence's label was in it, as if the caller had written it."""
        hot = reading.stack.layout.url("hot")
        for expression in (
            'absent(nobody{a="b"})',
            'absent_over_time(nobody{a="b",c=~"d"}[5m])',
            "absent((nobody))",
            "1 - absent(nobody)",
            'sum by (a) (absent(nobody{a="b"}))',
            'absent(nobody{customer_id="cliente-b"})',
            "absent(sum(nobody))",
            'max_over_time(absent(nobody{a="b"})[5m:1m])',
        ):
            its = requests.get(f"{hot}/api/v1/query", {"query": expression}, timeout=10).json()["data"]["result"]
            expected = [entry["metric"] for entry in its]
            if "customer_id" in expression:
                expected = [{}]  # of two values for one label Prometheus shows none
            assert [entry["metric"] for entry in reading.result(expression)] == expected, expression

    def test_no_time_at_all_is_answered_by_prometheus(self, reading: Reading, request: pytest.FixtureRequest) -> None:
        hot = reading.stack.layout.url("hot")
        forms: list[dict[str, Any]] = [
            {"query": "up", "timeout": "0s"},
            {"query": "1", "timeout": "0"},
            {"query": "up", "timeout": "-1s"},
            {"query": "up", "lookback_delta": "0s"},
        ]
        for form in forms:
            ours = reading.ask("/api/v1/query", **form)
            its = requests.get(f"{hot}/api/v1/query", form, timeout=10)
            if form.get("timeout", "").startswith("0"):
                # A time-out, 503, or 400 or 422 by where the end of the time meets the query, which is not the same twice
                # (2.42 says the first alone). Of 503 proxies say 504, and so do we.
                allowed = {504} if "[2.42]" in request.node.name else {400, 422, 504}
                assert its.status_code in (400, 422, 503), its.text
                assert ours.status_code in allowed, (form, ours.text, its.text)
            else:
                assert ours.status_code == its.status_code, (form, ours.text, its.text)

    # D15.
    def test_against_prometheus_itself(self, reading: Reading, request: pytest.FixtureRequest) -> None:
        hot = reading.stack.layout.url("hot")
        version = "2.42" if "2.42" in request.node.name else "3.x"
        lines = (ROOT / "tests" / "golden" / "promql" / "expressions.txt").read_text().splitlines()
        assert len(lines) > 400
        for line in lines:
            expression = line.encode().decode("unicode_escape").encode("latin1")
            ours = reading.ask("/api/v1/format_query", method="POST", query=expression)
            its = requests.post(f"{hot}/api/v1/format_query", data={"query": expression}, timeout=10)
            assert ours.status_code in (200, 400)
            if (version, line) in self.ONLY_HERE:
                assert (ours.status_code, its.status_code) == (200, 400), line
            elif version not in self.ONLY_THERE.get(line, "").split():
                assert ours.status_code == its.status_code, (line, ours.text, its.text)
                assert ours.json().get("data") == its.json().get("data"), line
