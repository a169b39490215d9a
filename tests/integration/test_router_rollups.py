"""What the router reads of roll-ups is what the samples give: the same queries, answered by the router and by prometheus-query of samples.

Three kinds of series lie in storage alone: gauges with NaNs, counters that begin anew, and what comes and goes with stale
marks and gaps; at times that are on no grid, and some on the very edges of windows.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from disk_log_files import crc32c
from histogram_shapes import STALE
from reading import Reading
from remote_write import histogram, write_mixed
from stack import Stack, wait_for

MINUTE = 60
HOUR = 3600
DAY = 86_400
DAYS = 5
CLOSE = 1e-12
FENCE = 'customer_id="cliente-a"'

Samples = list[tuple[int, float]]


def _times(chance: random.Random, begin: int, end: int, spacing: int) -> list[int]:
    """Milliseconds, about `spacing` seconds from one to the next, each hour's edge among them."""
    times = {at * 1000 + chance.randrange(-4000, 4000) for at in range(begin + spacing, end, spacing)}
    return sorted(times | {at * 1000 for at in range(begin + HOUR, end, HOUR)})


def _gauge(chance: random.Random, begin: int, end: int) -> Samples:
    value = chance.uniform(10, 90)
    samples = []
    for at in _times(chance, begin, end, MINUTE):
        value = min(max(value + chance.uniform(-3, 3), 1), 100)
        samples.append((at, math.nan if chance.random() < 0.001 else value))
    return samples


def _counter(chance: random.Random, begin: int, end: int) -> Samples:
    value = 0.0
    samples = []
    for at in _times(chance, begin, end, 45):
        value = 0.0 if chance.random() < 0.002 else value + chance.randrange(50)
        samples.append((at, value))
    return samples


def _coming_and_going(chance: random.Random, begin: int, end: int) -> Samples:
    """Minutes to hours of samples, then a stale mark or none, then nothing for as long."""
    samples: Samples = []
    at = begin * 1000 + 1
    while at < end * 1000:
        spacing = chance.choice([15, 60, 290, 301, 1020]) * 1000
        until = at + chance.randrange(60, 3 * HOUR) * 1000
        while at < min(until, end * 1000):
            samples.append((at, float(chance.randrange(1, 1000))))
            at += spacing + chance.randrange(1000)
        if chance.random() < 0.5:
            samples.append((at, STALE))
        at += chance.randrange(MINUTE, 2 * HOUR) * 1000
    return samples


class Rolled(Reading):
    """The router, and storage with some days of samples that hot does not have."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(stack)
        self.end = int(time.time()) // DAY * DAY
        self.begin = self.end - DAYS * DAY

    def fill(self) -> None:
        chance = random.Random(20_261_130)
        makers = {"gauge": _gauge, "counter_total": _counter, "coming": _coming_and_going}
        for customer in ("cliente-a", "cliente-b"):
            for name, maker in makers.items():
                for node in ("one", "two"):
                    labels = {"__name__": name, "customer_id": customer, "node_id": node}
                    self.to_cold(labels, maker(chance, self.begin, self.end))

    def write_now(self) -> None:
        """What time it is storage believes of samples alone, and of clock and samples the earlier."""
        for customer in ("cliente-a", "cliente-b"):
            labels = {"__name__": "fresh", "customer_id": customer}
            self.to_cold(labels, [(int(time.time() * 1000), 1.0)])

    def samples_of(self, query: str, **form: Any) -> Any:
        """As prometheus-query answers of samples, whoever's fence stands in the query."""
        form = {**form, "query": query.replace("{", "{" + FENCE + ",")}
        answer = requests.get(f"{self.stack.layout.url('query')}/api/v1/query_range", params=form, timeout=60)
        assert answer.status_code == 200, answer.text
        assert "warnings" not in answer.json(), answer.text
        return _by_series(answer.json())

    def answered(self, query: str, served: str, **form: Any) -> Any:
        answer = self.ask("/api/v1/query_range", query=query, **form)
        assert answer.status_code == 200, answer.text
        assert answer.headers["X-Vigia-Served"].startswith(f"{served}="), f"{query}: {answer.headers}"
        assert "warnings" not in answer.json(), answer.text
        return _by_series(answer.json())


def _by_series(answer: dict[str, Any]) -> dict[tuple[tuple[str, str], ...], list[tuple[float, str]]]:
    return {
        tuple(sorted(series["metric"].items())): [(at, value) for at, value in series["values"]]
        for series in answer["data"]["result"]
    }


def _assert_close(ours: Any, theirs: Any) -> None:
    assert ours.keys() == theirs.keys()
    for key, values in theirs.items():
        assert [at for at, _ in ours[key]] == [at for at, _ in values]
        for (_, mine), (at, value) in zip(ours[key], values, strict=True):
            is_nan = math.isnan(float(value))
            assert is_nan == math.isnan(float(mine)), f"{at}: {mine}, {value}"
            assert is_nan or math.isclose(float(mine), float(value), rel_tol=CLOSE), f"{at}: {mine}, {value}"


@pytest.fixture(scope="module")
def rolled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rolled]:
    with Stack(tmp_path_factory.mktemp("rollups")) as stack:
        made = Rolled(stack)
        made.start()
        made.fill()
        yield made


def _forms(rolled: Rolled) -> list[tuple[str, dict[str, Any]]]:
    """Which windows are read, and the question's times."""
    return [
        ("5m", {"start": rolled.begin + 3 * HOUR + 300, "end": rolled.begin + 2 * DAY + 7, "step": 300}),
        ("1h", {"start": rolled.begin, "end": rolled.end, "step": HOUR}),
        ("1d", {"start": rolled.begin, "end": rolled.end + DAY, "step": DAY}),
    ]


NAMES = ("gauge", "counter_total", "coming")


class TestWhatIsReadOfRollUps:
    @pytest.mark.parametrize("function", ["max", "min", "last", "count", "present", "sum", "avg"])
    def test_a_function_of_a_range_is_that_of_the_samples(self, rolled: Rolled, function: str) -> None:
        for window, form in _forms(rolled):
            longer = {"5m": "20m", "1h": "5h", "1d": "3d"}[window]
            for name in NAMES:
                for range_ in (f"[{window}]", f"[{window}] offset {window}", f"[{longer}]"):
                    query = f"{function}_over_time({name}{{}}{range_})"
                    theirs = rolled.samples_of(query, **form)
                    ours = rolled.answered(query, f"cold:{window}", **form)
                    assert theirs, query
                    if function in ("sum", "avg"):
                        _assert_close(ours, theirs)
                    else:
                        assert ours == theirs, query

    # Of counters that began anew several times in a window, what was lost by it is added up in another order.
    @pytest.mark.parametrize("function", ["rate", "increase", "delta"])
    def test_a_change_over_one_window_is_that_of_the_samples(self, rolled: Rolled, function: str) -> None:
        for window, form in _forms(rolled):
            for name in NAMES:
                for shift in ("", f" offset {window}"):
                    query = f"sum by (node_id) ({function}({name}{{}}[{window}]{shift}))"
                    theirs = rolled.samples_of(query, **form)
                    assert theirs, query
                    _assert_close(rolled.answered(query, f"cold:{window}", **form), theirs)

    @pytest.mark.parametrize(
        "query",
        [
            "gauge{}",
            "coming{}",
            'coming{node_id=~"t.*"} offset WINDOW',
            "coming{} offset -WINDOW",
            "coming{} @ MIDNIGHT",
            "gauge{} @ end() - gauge{} @ start() offset -WINDOW",
            "sum by (node_id) (counter_total{})",
            "gauge{} > 50 or coming{}",
            "gauge{} * on (node_id) group_left () coming{}",
            "count(coming{}) + scalar(max(gauge{}))",
            "coming{} / max_over_time(coming{}[WINDOW])",
            "topk(1, -gauge{})",
        ],
    )
    def test_a_selector_is_the_newest_sample(self, rolled: Rolled, query: str) -> None:
        for window, form in _forms(rolled):
            form["end"] = form["end"] // (DAY if window == "1d" else HOUR) * (DAY if window == "1d" else HOUR)
            for extra in ({}, {"lookback_delta": "45s"}, *([] if window == "5m" else [{"lookback_delta": "40m"}])):
                midnight = str(rolled.begin + 2 * DAY)
                asked = query.replace("WINDOW", window).replace("MIDNIGHT", midnight)
                theirs = rolled.samples_of(asked, **form, **extra)
                assert rolled.answered(asked, f"cold:{window}", **form, **extra) == theirs, (asked, extra)

    def test_a_single_time_is_answered_by_a_range_alone(self, rolled: Rolled) -> None:
        at = rolled.end - 2 * DAY
        for query, served in (
            ("max_over_time(gauge[1d])", "1d"),
            ("count_over_time(gauge[3h])", "1h"),
            ("gauge", "raw"),
        ):
            answer = rolled.ask("/api/v1/query", query=query, time=at)
            assert answer.headers["X-Vigia-Served"].startswith(f"cold:{served}="), query
            fenced = query.replace("gauge", f"gauge{{{FENCE}}}")
            direct = requests.get(
                f"{rolled.stack.layout.url('query')}/api/v1/query",
                params={"query": fenced, "time": str(at)},
                timeout=30,
            )
            assert answer.json()["data"] == direct.json()["data"]
            assert len(direct.json()["data"]["result"]) == 2


class TestWhatIsReadOfSamples:
    @pytest.mark.parametrize(
        "query",
        [
            "rate(counter_total{}[2h])",
            "increase(counter_total{}[1d])",
            "irate(counter_total{}[1h])",
            "quantile_over_time(0.9, gauge{}[1h])",
            "max_over_time(gauge{}[90m])",
            "max_over_time(sum(gauge{})[1h:30m])",
            "absent(nothing{})",
            "timestamp(coming{})",
            '{__name__=~"gauge|coming", customer_id=~".+"}',
        ],
    )
    def test_what_has_no_form_in_windows(self, rolled: Rolled, query: str) -> None:
        form = {"start": rolled.begin + DAY, "end": rolled.begin + 2 * DAY, "step": HOUR}
        if "90m" in query:
            form["start"] += 60
        theirs = rolled.samples_of(query, **form)
        ours = rolled.answered(query, "cold:raw", **form)
        if not query.startswith("absent"):  # whose labels are those of the fence
            assert ours == theirs
        assert theirs

    # Storage tells that it has no windows of them, and is asked for the samples then.
    def test_what_storage_refuses(self, rolled: Rolled) -> None:
        labels = {"__name__": "native", "customer_id": "cliente-a"}
        times = [(rolled.begin + n * 60) * 1000 for n in range(1, 600)]
        token = rolled.stack.secrets["internal_token"]
        headers = {"Authorization": f"Bearer {token}", "X-Vigia-Customer": "cliente-a"}
        histograms = [histogram(at, [1, n, 2 * n], is_float=False) for n, at in enumerate(times)]
        write_mixed(rolled.stack.layout.url("storage"), labels, [], histograms, headers)
        form = {"start": rolled.begin + HOUR, "end": rolled.begin + 9 * HOUR, "step": HOUR}
        for query in ("histogram_count(native{})", "present_over_time(native{}[1h])"):
            theirs = rolled.samples_of(query, **form)
            assert theirs
            assert rolled.answered(query, "cold:raw", **form) == theirs

    def test_nobody_may_ask_for_a_part(self, rolled: Rolled) -> None:
        form: dict[str, Any] = {"start": rolled.begin, "end": rolled.end, "step": DAY}
        refused = rolled.ask("/api/v1/query_range", query='max_over_time(gauge{__rollup__="1h:max"}[1d])', **form)
        assert refused.status_code == 400
        assert "__rollup__" in refused.text


def _age(rolled: Rolled) -> None:
    """The store was made a month ago, and keeps samples for three days from now on."""
    folder = rolled.stack.layout.data
    for file in (*folder.glob("storage*/vigia-store-id*"), *folder.glob("storage*.known*")):
        name, _, _ = file.read_text().split()
        text = f"{name} {(rolled.begin - 30 * DAY) * 1000}"
        file.write_text(f"{text} {crc32c(text.encode()):08x}\n")
    config = rolled.stack.layout.config / "storage.yaml"
    config.write_text(config.read_text().replace("raw: 400d", "interval: 1s, raw: 3d"))


def _days_made(stack: Stack) -> float:
    return stack.own_metrics("storage_metrics")["vigia_storage_rollup_days_total"]


def _are_samples_gone(rolled: Rolled) -> bool:
    headers = {"Authorization": f"Bearer {rolled.stack.secrets['internal_token']}", "X-Vigia-Customer": "cliente-a"}
    url = f"{rolled.stack.layout.url('storage')}/api/v1/retention"
    requests.post(f"{url}/confirm", headers={"Authorization": headers["Authorization"]}, timeout=10)
    return bool(requests.get(url, headers=headers, timeout=10).json()["data"]["raw"] > (rolled.begin + DAY) * 1000)


class TestWhereSamplesHaveExpired:
    def test_windows_stand_in_for_them_and_it_is_said(self, tmp_path: Path) -> None:
        with Stack(tmp_path) as stack:
            rolled = Rolled(stack)
            rolled.start()
            rolled.fill()
            odd: dict[str, Any] = {"start": rolled.begin + 2 * HOUR + 61, "end": rolled.begin + DAY, "step": 601}
            even: dict[str, Any] = {"start": rolled.begin, "end": rolled.end, "step": HOUR}
            odd_queries = ["max_over_time(gauge{}[1h])", "rate(counter_total{}[10m])", "gauge{}"]
            even_queries = ["max_over_time(gauge{}[1h])", "coming{}", "rate(counter_total{}[1h])"]
            of_odd = [rolled.answered(query, "cold:raw", **odd) for query in odd_queries]
            of_even = [rolled.answered(query, "cold:1h", **even) for query in even_queries]

            made = _days_made(stack)
            stack.stop("router", "storage")
            stack.start("storage")  # which looks for days that are over at once, and then each minute
            rolled.write_now()
            wait_for("the roll-ups of days that are over", lambda: made + _days_made(stack) >= 40, 90)
            stack.stop("storage")
            _age(rolled)
            stack.start("storage", "router")
            rolled.write_now()
            wait_for("samples have expired", lambda: _are_samples_gone(rolled), 30)
            for query, before in zip(even_queries, of_even, strict=True):
                assert rolled.answered(query, "cold:1h", **even) == before, query
            for query, before in zip(odd_queries, of_odd, strict=True):
                answer = rolled.ask("/api/v1/query_range", query=query, **odd)
                assert answer.headers["X-Vigia-Served"].startswith("cold:5m="), (query, answer.text)
                assert [text.split(":")[0] for text in answer.json()["warnings"]] == ["approximate"], answer.text
                now = _by_series(answer.json())
                assert now.keys() == before.keys()
                for key, values in before.items():
                    numbers = [float(value) for _, value in now[key] if value != "NaN"]
                    exact = [float(value) for _, value in values if value != "NaN"]
                    assert len(numbers) >= len(exact)
                    assert math.isclose(sum(numbers) / len(numbers), sum(exact) / len(exact), rel_tol=0.2), query
            # What has no form in windows says so, and is not silently empty.
            answer = rolled.ask("/api/v1/query_range", query="irate(counter_total[10m])", **odd)
            assert answer.headers["X-Vigia-Served"].startswith("cold:raw=")
            assert answer.json()["data"]["result"] == []
            assert [text.split(":")[0] for text in answer.json()["warnings"]] == ["expired"], answer.text
