"""What one query of a customer's may take, by its own limits, beside real stores; and what the log says of slow ones."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
import test_loki
from reading import MINUTE_MS, Reading, is_cold
from remote_write import write
from stack import Stack, wait_for

SERIES = 20
MINUTES = 50
# Of customers that have the same samples, each with one limit.
LIMITS = {
    "range": "query_range_seconds: 7200",
    "steps": "query_steps: 60",
    "series": "query_series: 10",
    "samples": "query_samples: 400",
    "bytes": "query_bytes: 1000",
    "seconds": "query_seconds: 1",
    "none": "",
}
SLOW_SERIES = 400
# Some seconds of one core of a Prometheus, and little memory (test_router_load.py).
SLOW = " + ".join(["sum(last_over_time(slow[3h]))"] * 12)


def directory(limits: dict[str, str]) -> str:
    rows = [
        f"  - {{id: {name}, limits: {{{limit}}}, tokens: [{{token: read-{name}, scope: read}}]}}"
        for name, limit in limits.items()
    ]
    return "\n".join(["customers:", *rows, "operators: [{token: op, scope: read}]", ""])


class Limited(Reading):
    """Each customer of LIMITS has 20 series of 50 minutes in both stores, and of an hour ten days ago in cold."""

    def fill(self) -> None:
        self.beat(60 * 24)
        self.old_ms = self.now_ms - 10 * 86_400_000
        for customer in LIMITS:
            token = self.stack.secrets["internal_token"]
            headers = {"Authorization": f"Bearer {token}", "X-Vigia-Customer": customer}
            young = self.rows(customer, "load", SERIES, self.now_ms)
            write(self.stack.layout.url("hot"), young)
            write(self.stack.layout.url("storage"), young, headers)
            write(self.stack.layout.url("storage"), self.rows(customer, "load", SERIES, self.old_ms), headers)
        write(self.stack.layout.url("hot"), self.rows("seconds", "slow", SLOW_SERIES, self.now_ms, minutes=1))
        wait_for("hot covers", lambda: self.good("none", "load").headers["x-vigia-served"][:3] == "hot")

    def rows(
        self, customer: str, name: str, count: int, end_ms: int, minutes: int = MINUTES
    ) -> list[tuple[dict[str, str], list[tuple[int, float]]]]:
        times = [end_ms - n * MINUTE_MS for n in reversed(range(minutes))]
        return [
            ({"__name__": name, "customer_id": customer, "n": str(n)}, [(time_ms, float(n)) for time_ms in times])
            for n in range(count)
        ]

    def good(self, customer: str, query: str, **form: Any) -> requests.Response:
        answer = self.ask("/api/v1/query", f"read-{customer}", query=query, **form)
        assert answer.status_code == 200, answer.text
        return answer

    def over_time(self, customer: str, query: str, end_ms: int, minutes: int = 40) -> requests.Response:
        times: dict[str, Any] = {"start": end_ms // 1000 - minutes * 60, "end": end_ms // 1000, "step": 60}
        return self.ask("/api/v1/query_range", f"read-{customer}", query=query, **times)

    def count(self, name: str, **labels: str) -> float:
        total = 0.0
        for key, value in self.stack.own_metrics("router_metrics").items():
            if key.startswith(name) and all(f'{label}="{said}"' in key for label, said in labels.items()):
                total += value
        return total

    def refused(self, customer: str, limit: str, path: str, **form: Any) -> str:
        """The reason, in Prometheus' form; the refusal is counted."""
        before = self.count("vigia_router_queries_refused_total", limit=limit)
        answer = self.ask(path, f"read-{customer}", **form)
        assert answer.status_code == 422, (answer.status_code, answer.text)
        body = answer.json()
        assert (body["status"], body["errorType"]) == ("error", "execution")
        assert body["error"].startswith(f"over the limit {limit} ("), body
        assert self.count("vigia_router_queries_refused_total", limit=limit) == before + 1
        return str(body["error"])


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Limited]:
    with Stack(tmp_path_factory.mktemp("limits"), agents=[]) as stack:
        reading = Limited(stack)
        (stack.layout.config / "customers.yaml").write_text(directory(LIMITS))
        file = stack.layout.config / "router.yaml"
        file.write_text(file.read_text() + "query_limits: {steps: 1000}\n")
        reading.start()
        reading.fill()
        yield reading


@pytest.mark.parametrize("where", ["hot", "cold"])
def test_samples_are_refused_once_after_and_then_before(limited: Limited, where: str) -> None:
    end_ms = limited.now_ms if where == "hot" else limited.old_ms
    # 20 series at 41 steps are 820 samples, of two series 82.
    few = limited.over_time("samples", 'load{n=~"1|2"}', end_ms)
    assert few.status_code == 200, few.text
    assert len(few.json()["data"]["result"]) == 2
    assert is_cold(few) == (where == "cold")
    times: dict[str, Any] = {"start": end_ms // 1000 - 2400, "end": end_ms // 1000, "step": 60}
    upstream = "hot-0" if where == "hot" else "query"

    def sent() -> float:
        return limited.count("vigia_router_upstream_lane_requests_total", upstream=upstream)

    before = sent()
    reason = limited.refused("samples", "query_samples", "/api/v1/query_range", query="load", **times)
    # Prometheus counts what it reads and what it answers with at once.
    assert re.search(r"\(400\): the query holds \d{3,4} samples", reason), reason
    once = sent()
    assert once > before, "nobody could know"
    limited.refused("samples", "query_samples", "/api/v1/query_range", query="load", **times)
    assert sent() == once, "now it is known"
    # Nobody else's is.
    assert limited.over_time("none", "load", end_ms).status_code == 200


@pytest.mark.parametrize("where", ["hot", "cold"])
def test_series_of_an_answer(limited: Limited, where: str) -> None:
    at = (limited.now_ms if where == "hot" else limited.old_ms) / 1000
    assert len(limited.good("series", 'load{n!~"1."}', time=at).json()["data"]["result"]) == 10
    reason = limited.refused("series", "query_series", "/api/v1/query", query="load", time=at)
    assert "(10): there are at least 20 series" in reason
    assert limited.good("series", "sum(load)", time=at).json()["data"]["result"][0]["value"][1] == "190"


def test_series_of_lists_and_of_a_federated_page(limited: Limited) -> None:
    limited.refused("series", "query_series", "/api/v1/series", match="load")
    asked_for_less = limited.ask("/api/v1/series", "read-series", match="load", limit=5).json()
    assert len(asked_for_less["data"]) == 5
    page = limited.ask("/federate", "read-series", match="load")
    assert (page.status_code, page.headers["content-type"]) == (422, "text/plain; charset=utf-8")
    assert page.text.startswith("over the limit query_series (10): there are at least 20 series")
    assert limited.ask("/federate", "read-none", match="load").text.count("load{") == SERIES


def test_the_time_that_is_touched(limited: Limited) -> None:
    limit = "query_range_seconds"
    limited.good("range", "sum_over_time(load[2h])")
    limited.refused("range", limit, "/api/v1/query", query="sum_over_time(load[2h1s])")
    limited.good("range", "load offset 10d")
    limited.refused("range", limit, "/api/v1/query", query="load - load offset 10d")
    limited.refused("range", limit, "/api/v1/query", query="max_over_time(load[2h:1m])")
    now = limited.now_ms // 1000
    for path, form in (
        ("/api/v1/query_range", {"query": "load", "step": 60}),
        ("/api/v1/series", {"match": "load"}),
        ("/api/v1/labels", {}),
        ("/api/v1/label/n/values", {}),
        ("/api/v1/query_exemplars", {"query": "load"}),
    ):
        limited.refused("range", limit, path, start=now - 7201, end=now, **form)
    # Of no begin it is as early as it may be, and that is said: the ten days old ones are not there.
    names = limited.ask("/api/v1/series", "read-range", match="load").json()
    assert len(names["data"]) == SERIES
    assert "query_range_seconds" in names["warnings"][0]
    answer = limited.ask("/jaeger/api/traces", "read-range", service="x", start=(now - 7201) * 10**6, end=now * 10**6)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["msg"].startswith(f"over the limit {limit} (7200): ")
    answer = limited.ask("/jaeger/api/traces", "read-range", service="x")
    assert answer.status_code == 200
    assert answer.json()["errors"][0]["msg"].startswith("this is of the time since ")


def test_steps_of_customers_and_of_the_router(limited: Limited) -> None:
    now = limited.now_ms // 1000

    def form(steps: int) -> dict[str, Any]:
        return {"query": "load", "start": now - steps + 1, "end": now, "step": 1}

    assert limited.ask("/api/v1/query_range", "read-steps", **form(60)).status_code == 200
    limited.refused("steps", "query_steps", "/api/v1/query_range", **form(61))
    limited.refused("none", "query_steps", "/api/v1/query_range", **form(1001))
    for headers, steps, expected in (({}, 1000, 200), ({}, 1001, 422), ({"X-Vigia-Customer": "steps"}, 61, 422)):
        answer = limited.ask("/api/v1/query_range", "op", headers=headers, **form(steps))
        assert answer.status_code == expected, answer.text
    assert limited.ask("/api/v1/query_range", "read-none", **form(11_002)).status_code == 400


def test_bytes_of_an_answer(limited: Limited) -> None:
    limited.good("bytes", "sum(load)")
    now = limited.now_ms // 1000
    times: dict[str, Any] = {"start": now - 2400, "end": now, "step": 60}
    limited.refused("bytes", "query_bytes", "/api/v1/query_range", query="load", **times)
    limited.refused("bytes", "query_bytes", "/api/v1/query_range", query="load offset 10d", **times)
    limited.refused("bytes", "query_bytes", "/api/v1/query", query='label_replace(load, "x", "y", "", "")')
    assert limited.ask("/federate", "read-bytes", match="load").status_code == 422
    assert limited.ask("/federate", "read-none", match="load").status_code == 200


def test_seconds_of_a_query(limited: Limited) -> None:
    end = int(time.time())
    times: dict[str, Any] = {"start": end - 999, "end": end, "step": 1}
    slow = " + ".join([SLOW] * 8)
    began = time.monotonic()
    reason = limited.refused("seconds", "query_seconds", "/api/v1/query_range", query=slow, **times)
    assert 1 <= time.monotonic() - began < 6
    assert "(1): the query was not done by then" in reason
    # A time-out of the caller's own, which is shorter, is none.
    answer = limited.ask("/api/v1/query_range", "read-seconds", query=slow, timeout="200ms", **times)
    assert (answer.status_code, answer.json()["errorType"]) == (504, "timeout")
    limited.good("seconds", "sum(load)")


def test_log_queries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = "{log_query_lines: 4, query_range_seconds: 3600, query_steps: 10}"
    monkeypatch.setattr(
        test_loki,
        "DIRECTORY",
        test_loki.DIRECTORY.replace("{id: cliente-a,", f"{{id: cliente-a, limits: {limits},").replace(
            "{id: cliente-b,", "{id: cliente-b, limits: {log_query_bytes: 30},"
        ),
    )
    with Stack(tmp_path, agents=[]) as stack:
        logs = test_loki.Logs(stack)

        def told(token: str, path: str, **form: Any) -> str:
            answer = logs.ask(path, token, **form)
            assert answer.status_code == 400, (answer.status_code, answer.text)
            assert answer.headers["content-type"].startswith("text/plain")
            return answer.text

        everything = '{service_name=~".+"}'
        since = {"start": logs.start_ns}
        assert told("read-a", "query_range", query=everything + ' |= "x"', **since).startswith(
            "over the limit log_query_lines (4): the query looked at too many lines: it looked at 6 lines"
        )
        assert "log_query_lines (4)" in told("read-a", "query", query=f"count_over_time({everything}[15m])")
        assert "log_query_bytes (30)" in told("read-b", "query_range", query=everything + ' |= "x"', **since)
        assert len(logs.streams(everything, limit=3)) > 0
        assert len(logs.streams(everything, "read-c")) > 0
        long_ago = {"start": logs.start_ns - 3600 * 10**9}
        limit = "over the limit query_range_seconds (3600)"
        assert told("read-a", "query_range", query=everything, **long_ago).startswith(limit)
        assert told("read-a", "query", query=f"rate({everything}[61m])").startswith(limit)
        for path in ("labels", "label/level/values", "series", "index/stats"):
            assert told("read-a", path, query=everything, **{"match": everything}, **long_ago).startswith(limit)
        steps = told("read-a", "query_range", query=f"rate({everything}[1m])", step=60, **since)
        assert steps.startswith("over the limit query_steps (10): the query has 11 steps")
        # What the language refuses is 400, as PromQL's, and no limit of a customer's.
        deep = told("read-c", "query", query="(" * 2000 + "1" + ")" * 2000)
        assert "over the limit" not in deep


# Some ten milliseconds of a Prometheus.
BUSY = "sum_over_time(vector(1)[10m:20ms])"


def test_slow_queries_are_in_the_log(tmp_path: Path) -> None:
    with Stack(tmp_path, agents=[]) as stack:
        reading = Limited(stack)
        (stack.layout.config / "customers.yaml").write_text(directory(LIMITS))
        file = stack.layout.config / "router.yaml"
        file.write_text(file.read_text() + "slow_query: 1ms\n")
        reading.start()
        log = stack.running["router"].log

        def lines(customer: str) -> list[str]:
            told = log.read_text(errors="strict").splitlines()
            return [one for one in told if 'msg="slow query"' in one and f"customer={customer} " in one]

        query = BUSY + " or up{a='" + "ñ" * 3000 + "'}"
        reading.ask("/api/v1/query", "read-none", query=query, time=5, access_token="read-none", x="read-none")
        [line] = wait_for("it is told", lambda: lines("none"))
        assert " owner=customer route=/api/v1/query seconds=0." in line
        assert " status=200 " in line
        assert ' times="time=5" ' in line
        text = line.partition(" text=")[2]
        assert text.startswith("\"sum_over_time(vector(1)[10m:20ms]) or up{a='ñññ")
        assert 2040 < len(text.encode()) <= 2048 + 2, "two quotation marks"
        # Control characters are escaped, so a line stays one.
        reading.ask("/api/v1/query", "read-none", query=BUSY + " # \x1b[31m\u009b\n", time=6)
        [second] = wait_for("it is told", lambda: [one for one in lines("none") if "time=6" in one])
        assert "\x1b" not in second
        assert "\u009b" not in second
        assert "\\u001b[31m" in second

        def told(customer: str, path: str, **form: Any) -> str:
            """What there is nothing of is answered within a millisecond, unless others ask for as little meanwhile."""

            def ask(_: int) -> int:
                return reading.ask(path, f"read-{customer}", **form).status_code

            def probe() -> list[str]:
                with ThreadPoolExecutor(16) as many:
                    assert set(many.map(ask, range(48))) == {200}
                return lines(customer)

            return wait_for(path, probe)[-1]

        assert "service=shop" in told("range", "/jaeger/api/traces", service="shop", tags='{"a":"b"}')
        assert "service_name" in told("seconds", "/loki/api/v1/query_range", query='{service_name="shop"}')
        answer = reading.ask("/api/v1/query", "op", headers={"X-Vigia-Customer": "bytes"}, query=BUSY)
        assert answer.status_code == 200
        assert " owner=operator " in wait_for("it is told", lambda: lines("bytes"))[0]
        # One that floods has a share, the next one has its own.
        before = reading.count("vigia_router_slow_queries_left_out_total")
        for _ in range(60):
            assert reading.ask("/api/v1/query", "read-steps", query=BUSY).status_code == 200
        reading.ask("/api/v1/query", "read-samples", query=BUSY)
        wait_for("the other is told", lambda: lines("samples"))
        assert 10 <= len(lines("steps")) <= 16
        left_out = 60 - len(lines("steps"))  # but for one that was quick, on a machine with nothing else to do
        counted = reading.count("vigia_router_slow_queries_left_out_total") - before
        assert left_out - 3 <= counted <= left_out
        said = log.read_text()
        for secret in ("read-none", "read-steps", "Bearer", *map(str, stack.secrets.values())):
            assert secret not in said
