"""Few samples and many series: what the results of one customer's query take of the Prometheus that all share."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from reading import Reading
from remote_write import write
from stack import Stack, wait_for, with_more_of
from test_router_load import NEIGHBOUR_SECONDS_MAX, Resident

pytestmark = pytest.mark.two_at_a_time  # memory, and another who is served within seconds

SERIES = 9_000
STEPS = 8_900
NODES = 300
# Of either Prometheus beyond its rest, while all of it is asked. Without a count of series 2 GiB and more.
GROWN_MIB_MAX = 500

# Sixty values that differ at each step, and sixty series.
TERMS = " or ".join(f'label_replace(vector(time() + {n}), "x", "{n}", "", "")' for n in range(60))
MADE_OF_NOTHING = [
    f'count_values("v", {TERMS})',
    f'sum(count_values("v", {TERMS}))',
]
MADE_OF_SERIES = [
    f"({TERMS}) * on () group_left (n) last_over_time(sparse[1ms])",
    f"last_over_time(sparse[1ms]) * on () group_right (n) ({TERMS})",
    f"count(({TERMS}) * on () group_left (n) last_over_time(sparse[1ms]))",
    'count_values by (n) ("v", last_over_time(sparse[1ms]) * time())',
    "count(last_over_time(sparse[1ms]) + 0)",
    "topk(1, last_over_time(sparse[1ms]) + 0)",
]


class Sparse(Reading):
    """9,000 series of one sample each, one a millisecond, young ones and, in cold, old ones."""

    version = ""  # of the hot store

    def fill(self) -> None:
        self.beat(60)
        self.young_ms = int(time.time() * 1000) - 2 * SERIES
        self.old_ms = self.young_ms - 10 * 86_400_000
        self.add_series("sparse")
        dense = {"__name__": "dense", "customer_id": "cliente-a", "node": "web"}
        self.to_both({**dense, "job": "a"}, [(self.young_ms - n * 15_000, float(n)) for n in reversed(range(240))])
        self.to_both({**dense, "job": "b"}, [(self.young_ms - n * 15_000, float(n)) for n in reversed(range(240))])
        self.to_hot({"__name__": "light", "customer_id": "cliente-b"}, [(self.young_ms, 1.0)])
        self.to_cold({"__name__": "light", "customer_id": "cliente-b"}, [(self.old_ms, 1.0), (self.young_ms, 1.0)])
        wait_for("hot covers", lambda: self.ask("/api/v1/query", query="dense").headers["x-vigia-served"][:3] == "hot")

    def add_series(self, name: str) -> None:
        internal = {"Authorization": f"Bearer {self.stack.secrets['internal_token']}", "X-Vigia-Customer": "cliente-a"}
        for first in range(0, SERIES, 1_000):
            for url, at_ms, headers in (
                (self.stack.layout.url("hot"), self.young_ms, None),
                (self.stack.layout.url("storage"), self.young_ms, internal),
                (self.stack.layout.url("storage"), self.old_ms, internal),
            ):
                rows: list[tuple[dict[str, str], list[tuple[int, float]]]] = [
                    ({"__name__": name, "customer_id": "cliente-a", "n": str(n)}, [(at_ms + n, 1.5)])
                    for n in range(first, first + 1_000)
                ]
                write(url, rows, headers)

    def raw(self, query: str, begin_ms: int, **form: Any) -> requests.Response:
        """At each millisecond, so that of 9,000 series each has its own step."""
        start = begin_ms / 1000
        times = {"start": start, "end": start + (STEPS - 1) / 1000, "step": 0.001}
        return self.ask("/api/v1/query_range", method="POST", **{"query": query, **times, **form})

    def counted(self) -> float:
        """Look-ups sent to any store."""
        metrics = self.stack.own_metrics("router_metrics")
        return sum(count for key, count in metrics.items() if 'lane="look_up"' in key)


class Neighbour:
    """Another customer, who asks both stores ten times a second."""

    def __init__(self, reading: Sparse) -> None:
        self.reading = reading
        self.slowest = 0.0
        self.answers = 0
        self.refused: list[str] = []
        self.is_over = threading.Event()
        self.threads = [threading.Thread(target=self._ask, args=(at,)) for at in (reading.young_ms, reading.old_ms)]

    def __enter__(self) -> Neighbour:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        for thread in self.threads:
            thread.join()

    def _ask(self, at_ms: int) -> None:
        while not self.is_over.wait(0.1):
            begin = time.monotonic()
            answer = self.reading.ask("/api/v1/query", "read-b", query="light", time=at_ms / 1000)
            self.slowest = max(self.slowest, time.monotonic() - begin)
            if answer.status_code == 200 and answer.json()["data"]["result"]:
                self.answers += 1
            else:
                self.refused.append(answer.text[:200])


@pytest.fixture(scope="module", params=with_more_of("2.42"))
def sparse(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sparse]:
    with Stack(tmp_path_factory.mktemp("room"), agents=[]) as stack:
        stack.hot_program = request.param[1]
        reading = Sparse(stack)
        reading.version = request.param[0]
        reading.start()
        reading.fill()
        yield reading


def test_series_that_come_and_go_take_no_store_from_the_others(sparse: Sparse) -> None:
    """One such query took 2.4 to 7 GB of prometheus-query, and then, since that was gone, as much of hot."""
    running = sparse.stack.running
    hot, query = running["prometheus-hot"], running["prometheus-query"]
    with Resident(hot.pid) as of_hot, Resident(query.pid) as of_query, Neighbour(sparse) as neighbour:
        rest = {"hot": of_hot.now_mib(), "query": of_query.now_mib()}
        for begin_ms in (sparse.young_ms, sparse.old_ms):
            for text in MADE_OF_NOTHING + MADE_OF_SERIES:
                answer = sparse.raw(text, begin_ms)
                said = answer.text[:600]
                grown = {"hot": of_hot.most_mib - rest["hot"], "query": of_query.most_mib - rest["query"]}
                print(f"{answer.status_code} {text[-60:]}: {grown} {said[:120]}")
                assert max(grown.values()) < GROWN_MIB_MAX, (text, grown)
                assert answer.status_code == 400, said
                for words in ("could take", "fewer series", "longer step", "shorter range"):
                    assert words in said
        wait_for("the neighbour has asked", lambda: neighbour.answers > 10)
    assert hot.is_running()
    assert query.is_running()
    print(f"neighbour: slowest {neighbour.slowest:.2f} s of {neighbour.answers}")
    assert not neighbour.refused
    assert neighbour.slowest < NEIGHBOUR_SECONDS_MAX


def test_lookback_of_a_millisecond_is_bounded_like_any_other(sparse: Sparse) -> None:
    with Resident(sparse.stack.running["prometheus-query"].pid) as of_query:
        rest = of_query.now_mib()
        answer = sparse.raw(f"({TERMS}) * on () group_left (n) sparse", sparse.old_ms, lookback_delta="1ms")
    assert answer.status_code == 400, answer.text[:300]
    assert "could take" in answer.json()["error"]
    assert of_query.most_mib - rest < GROWN_MIB_MAX


def test_what_helps_helps(sparse: Sparse) -> None:
    """A longer step, fewer series, or an aggregation that has few results: the same questions are answered."""
    # Of 2.42 a range has both its ends, and so two of them.
    text = f"count(({TERMS}) * on () group_left (n) topk(1, last_over_time(sparse[1ms])))"
    for begin_ms in (sparse.young_ms, sparse.old_ms):
        refused = sparse.raw(text, begin_ms)
        assert refused.status_code == 400, refused.text[:300]
        longer = sparse.raw(text, begin_ms, step=0.1)
        assert longer.status_code == 200, longer.text[:300]
        assert longer.json()["data"]["result"][0]["values"][0][1] == "60"
        fewer = sparse.raw(text.replace("sparse[", 'sparse{n="7"}['), begin_ms)
        assert fewer.status_code == 200, fewer.text[:300]
        grouped = sparse.raw("count(last_over_time(sparse[1ms]))", begin_ms)
        assert grouped.status_code == 200, grouped.text[:300]
        by_customer = sparse.raw("sum by (customer_id) (last_over_time(sparse[1ms]))", begin_ms)
        assert by_customer.status_code == 200, by_customer.text[:300]


def _counted(answer: requests.Response) -> int:
    found = re.search(r"with (\d+) series of one selector", answer.json()["error"])
    assert found is not None, answer.text[:300]
    return int(found[1])


def test_series_that_came_after_a_light_query_are_counted(sparse: Sparse) -> None:
    """What was light a moment ago says nothing: the hot store of 2.42 is asked itself then, and 9,000 series have come."""
    text = "count(last_over_time(young[1ms]) + 0)"
    sparse.to_both({"__name__": "young", "customer_id": "cliente-a", "n": "first"}, [(sparse.young_ms, 1.0)])
    for _ in range(2):
        light = sparse.raw(text, sparse.young_ms)
        assert light.status_code == 200, light.text[:300]
    assert light.headers["x-vigia-served"].startswith("hot=")
    sparse.add_series("young")
    with Resident(sparse.stack.running["prometheus-hot"].pid) as of_hot:
        rest = of_hot.now_mib()
        answer = sparse.raw(text, sparse.young_ms)
    assert answer.status_code == 400, answer.text[:300]
    # Prometheus 3 lists what has a sample at these times; 2.42, which has no room, hands on to cold, which counts by days.
    assert _counted(answer) == {"3.x": STEPS + 1, "2.42": SERIES + 1}[sparse.version]
    assert of_hot.most_mib - rest < GROWN_MIB_MAX


def test_ordinary_queries_cost_no_request_more(sparse: Sparse) -> None:
    end = sparse.young_ms / 1000
    for steps, text in (
        (1, "dense"),
        (1, "sum by (job) (rate(dense[5m])) / sum by (job) (rate(dense[5m]))"),
        (1, "histogram_quantile(0.9, sum by (le, job) (rate(dense[5m])))"),
        (1, "dense * on (job) group_left (node) max by (job, node) (dense)"),
        (1, "topk(3, sum by (job) (rate(dense[1h])))"),
        (1, "max_over_time(sum(rate(dense[5m]))[1h:1m])"),
        (1, 'count_values("v", dense)'),
        (60, "dense"),
        (60, "rate(dense[5m])"),
        (60, "sum by (job) (rate(dense[5m]))"),
        (60, "count(dense)"),
    ):
        looked = sparse.counted()
        form: dict[str, Any] = {"query": text, "start": end - 15 * (steps - 1), "end": end, "step": 15}
        answer = sparse.ask("/api/v1/query_range", **form)
        assert answer.status_code == 200, answer.text[:300]
        assert answer.json()["status"] == "success"
        assert sparse.counted() == looked, (text, steps)


def test_long_queries_of_few_series_are_counted_and_answered(sparse: Sparse) -> None:
    """Each selector is counted once, and no sooner than that is needed."""
    end = sparse.young_ms / 1000
    for text in (
        "dense",
        "sum by (job) (rate(dense[5m]))",
        "sum by (job) (rate(dense[5m])) / ignoring (x) sum by (job) (rate(dense[5m]))",
        'dense * on (job) group_left (node) max by (job, node) (dense{job=~"a|b"})',
        'count_values("v", dense > bool 7)',
        "max_over_time(sum(rate(dense[5m]))[10m:1m])",
        'histogram_quantile(0.9, label_replace(dense, "le", "1", "", ""))',
    ):
        # The second time it is known to be light, and the hot store of 2.42 is asked as well.
        for _ in range(2):
            looked = sparse.counted()
            answer = sparse.ask("/api/v1/query_range", query=text, start=end - 3_000, end=end, step=2)
            assert answer.status_code == 200, (text, answer.text[:300])
            assert sparse.counted() - looked <= 2, text
            assert all("PromQL" in one for one in answer.json().get("warnings", []))


def test_a_dashboard_with_labels_of_a_partner_is_answered_at_every_refresh(sparse: Sparse) -> None:
    """2.42 cannot say which series are alike: known to be light, it was asked there, and refused from the second time on."""
    end_ms = sparse.young_ms
    for first in range(0, NODES, 50):
        for name, labels in (("node_x", {}), ("node_info", {"name": "n"})):
            rows = [
                (
                    {"__name__": name, "customer_id": "cliente-a", "node_id": str(node), **labels},
                    [(end_ms - n * 10_000, 1.0) for n in reversed(range(240))],
                )
                for node in range(first, first + 50)
            ]
            write(sparse.stack.layout.url("hot"), rows)
            internal = {
                "Authorization": f"Bearer {sparse.stack.secrets['internal_token']}",
                "X-Vigia-Customer": "cliente-a",
            }
            write(sparse.stack.layout.url("storage"), rows, internal)
    end = end_ms / 1000
    for text, series in (
        ("node_x * on (node_id) group_left (name) node_info", NODES),
        ("count(node_x * on (node_id) group_left (name) node_info)", 1),
    ):
        for refresh in range(3):
            answer = sparse.ask("/api/v1/query_range", query=text, start=end - 2_390, end=end, step=10)
            assert answer.status_code == 200, (text, refresh, answer.text[:300])
            result = answer.json()["data"]["result"]
            assert [len(one["values"]) for one in result] == [240] * series, (text, refresh)


def test_a_customer_counts_its_own_series_alone(sparse: Sparse) -> None:
    """cliente-b asks what cliente-a may not: it has no such series, and nothing says that somebody has."""
    text = f"({TERMS}) * on () group_left (n) last_over_time(sparse[1ms])"
    for begin_ms in (sparse.young_ms, sparse.old_ms):
        start = begin_ms / 1000
        answer = sparse.ask("/api/v1/query_range", "read-b", query=text, start=start, end=start + 8.9, step=0.001)
        assert answer.status_code == 200, answer.text[:300]
        assert answer.json()["data"]["result"] == []
