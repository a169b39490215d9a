"""What one customer's heavy reads cost the router, the stores and the others: turns, clients that leave, memory."""

from __future__ import annotations

import socket
import threading
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from reading import MINUTE_MS, Reading
from remote_write import histogram, write, write_mixed
from stack import Stack, prometheus_programs, wait_for, with_more_of

of_two = pytest.mark.two_at_a_time  # counts and memory, of queries that take a core
times = pytest.mark.alone  # what another customer waits, others on the machine would change

SERIES = 400
# Some seconds of one core of Prometheus each, and little memory: 10,000 steps of 400 series, several times.
SLOW = " + ".join(["sum(last_over_time(load[3h]))"] * 12)


class Loaded(Reading):
    """Two customers' samples in hot, and requests that nobody waits for to the end."""

    def fill(self) -> None:
        self.beat(60 * 24)
        at_ms = int(time.time() * 1000) - MINUTE_MS
        rows = [
            ({"__name__": "load", "customer_id": "cliente-a", "n": str(n)}, [(at_ms, float(n))]) for n in range(SERIES)
        ]
        write(self.stack.layout.url("hot"), rows)
        self.to_both({"__name__": "light", "customer_id": "cliente-b"}, [(at_ms, 1.0)])
        wait_for("hot covers", lambda: self.ask("/api/v1/query", query="load").headers["x-vigia-served"][:3] == "hot")

    def sent_to(self, upstream: str) -> float:
        key = f'vigia_router_upstream_requests_total{{upstream="{upstream}"}}'
        return self.stack.own_metrics("router_metrics").get(key, 0)

    def answered(self, route: str) -> dict[str, float]:
        """Requests of a route that are over, by status."""
        found = {}
        for key, count in self.stack.own_metrics("router_metrics").items():
            if key.startswith("vigia_router_requests_total") and f'route="{route}"' in key:
                found[key.partition('code="')[2][:3]] = count
        return found

    def open_slow(self) -> socket.socket:
        """A range query of cliente-a, sent and not read."""
        host, _, port = self.stack.layout.address("router").partition(":")
        end = int(time.time())
        query = urllib.parse.urlencode({"query": SLOW, "start": end - 9_999, "end": end, "step": 1})
        client = socket.create_connection((host, int(port)), timeout=10)
        client.sendall(
            f"GET /api/v1/query_range?{query} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer read-a\r\n\r\n".encode()
        )
        return client

    def open_lists(self) -> socket.socket:
        """A look-up of all wide series of cliente-a, sent and not read."""
        host, _, port = self.stack.layout.address("router").partition(":")
        form = urllib.parse.urlencode({"match[]": "wide", "start": "0"})
        client = socket.create_connection((host, int(port)), timeout=10)
        client.sendall(
            f"GET /api/v1/series?{form} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer read-a\r\n\r\n".encode()
        )
        return client

    def at_hot(self) -> float:
        """Queries that hot works on or keeps waiting."""
        text = requests.get(f"{self.stack.layout.url('hot')}/metrics", timeout=10).text
        lines = [line for line in text.splitlines() if line.startswith("prometheus_engine_queries ")]
        return float(lines[0].split()[1])


KEYS = """\
at_store: {slow_per_customer_max: 1}
answer_bytes_max: 64MiB
answers_bytes_total_max: 128MiB
"""


@pytest.fixture
def loaded(tmp_path: Path) -> Iterator[Loaded]:
    with Stack(tmp_path, agents=[]) as stack:
        reading = Loaded(stack)
        file = stack.layout.config / "router.yaml"
        file.write_text(file.read_text() + KEYS)
        reading.start()
        reading.fill()
        yield reading


@of_two
def test_b5_slow_queries_of_one_customer_leave_the_stores_cores_to_the_others(loaded: Loaded) -> None:
    clients = [loaded.open_slow() for _ in range(30)]
    wait_for("one of them is at hot", lambda: loaded.at_hot() >= 1)
    seen = []
    for _ in range(20):
        assert loaded.result("light", "read-b")[0]["value"][1] == "1"
        seen.append(loaded.at_hot())
    # The router's own questions about heartbeats are among them now and then.
    assert sorted(seen)[len(seen) // 2] <= 1, seen
    assert max(seen) <= 2, seen
    for client in clients:
        client.close()


@times
def test_texts_that_are_dear_to_read_leave_the_loops_to_the_others(loaded: Loaded) -> None:
    """A kilobyte of regexes takes ten milliseconds of an event loop, and is refused then: on 400 connections nobody else
    was answered for eight seconds."""
    host, _, port = loaded.stack.layout.address("router").partition(":")
    dear = "x{" + ",".join(f'a{n}=~"\\\\pL\\\\pN"' for n in range(32)) + "}"
    form = urllib.parse.urlencode({"query": dear})
    request = f"GET /api/v1/query?{form} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer read-a\r\n\r\n".encode()
    clients = [socket.create_connection((host, int(port)), timeout=10) for _ in range(400)]
    for client in clients:
        client.sendall(request * 10)
    began = time.monotonic()
    for _ in range(20):
        assert loaded.ask("/api/v1/query", "read-b", query="light").status_code == 200
    took = time.monotonic() - began
    assert took < 8, f"{took:.1f} s for 20 queries of another customer"
    assert loaded.stack.own_metrics("router_metrics")['vigia_router_requests_apart_total{why="costly"}'] > 0
    for client in clients:
        client.close()
    assert set(loaded.answered("/api/v1/query")) <= {"200", "400", "429", "499"}


@of_two
def test_a_router_killed_among_slow_queries_leaves_nothing_behind(loaded: Loaded) -> None:
    clients = [loaded.open_slow() for _ in range(30)]
    wait_for("one of them is at hot", lambda: loaded.at_hot() >= 1)
    loaded.stack.kill("router")
    wait_for("hot has stopped", lambda: loaded.at_hot() < 1, 5)
    loaded.stack.start("router")
    clients += [loaded.open_slow() for _ in range(30)]
    for _ in range(5):
        assert loaded.result("light", "read-b")[0]["value"][1] == "1"
        assert loaded.at_hot() <= 2
    for client in clients:
        client.close()
    wait_for("hot has stopped again", lambda: loaded.at_hot() < 1, 5)


# R-RR-5: its work ends at the store too.
@of_two
def test_whoever_leaves_takes_its_work_along(loaded: Loaded) -> None:
    """As many as one customer may have under way: the next one would be 429 as long as any was worked on."""
    clients = [loaded.open_slow() for _ in range(64)]
    wait_for("one of them is at hot", lambda: loaded.at_hot() >= 1)
    wait_for("all places are taken", lambda: loaded.ask("/api/v1/query", query="1").status_code == 429)
    for client in clients:
        client.close()
    wait_for("the places are given back", lambda: loaded.ask("/api/v1/query", query="1").status_code == 200, 5)
    wait_for("hot has stopped", lambda: loaded.at_hot() < 1, 5)
    assert len(loaded.result("load")) == SERIES
    metrics = loaded.stack.own_metrics("router_metrics")
    assert metrics['vigia_router_requests_total{code="499",route="/api/v1/query_range"}'] == 64
    assert metrics.get('vigia_router_upstream_errors_total{upstream="hot-0"}', 0) == 0, "none of the store's"


@of_two
def test_whoever_leaves_and_comes_again_holds_nothing(loaded: Loaded) -> None:
    """What waits in the row of a store goes with its client, too."""
    slow = loaded.open_slow()
    wait_for("it is at hot", lambda: loaded.at_hot() >= 1)
    for _ in range(300):
        loaded.open_slow().close()
    slow.close()
    wait_for("hot has stopped, and nothing came after it", lambda: loaded.at_hot() < 1, 5)
    assert len(loaded.result("load")) == SERIES


@of_two
def test_whoever_leaves_takes_its_look_ups_along(loaded: Loaded) -> None:
    """Of two stores each; what has not been answered by then ends at once, whatever the length of the row."""
    _fill_wide(loaded, "cliente-a", 15_000)
    clients = [loaded.open_lists() for _ in range(48)]
    # All are in: cliente-a has so many places, and the others are free.
    wait_for("requests of cliente-a are under way", lambda: loaded.sent_to("cold") >= 1)
    for client in clients:
        client.close()

    def are_over() -> bool:
        return sum(loaded.answered("/api/v1/series").values()) == len(clients)

    wait_for("all are over", are_over, 5)
    answered = loaded.answered("/api/v1/series")
    assert answered.get("499", 0) >= len(clients) - 8, answered


@of_two
def test_what_a_store_does_not_survive_is_asked_of_no_other(loaded: Loaded) -> None:
    """One query ended prometheus-query by its memory, and then, asked again there, hot."""
    end = int(time.time())
    form: dict[str, Any] = {"query": SLOW, "start": end - 9_999, "end": end, "step": 1}
    answers: list[requests.Response] = []
    asking = threading.Thread(target=lambda: answers.append(loaded.ask("/api/v1/query_range", **form)))
    before = loaded.sent_to("query")
    asking.start()
    wait_for("it is at hot", lambda: loaded.at_hot() >= 1)
    loaded.stack.kill("prometheus-hot")
    asking.join()
    assert answers[0].status_code == 503, answers[0].text
    assert answers[0].headers["Retry-After"]
    assert "broke off while it worked on this query" in answers[0].json()["error"]
    assert loaded.sent_to("query") == before, "prometheus-query was not asked the same"
    metrics = loaded.stack.own_metrics("router_metrics")
    assert metrics['vigia_router_upstream_lost_total{upstream="hot-0"}'] == 1
    # Where no connection can be made, nothing was asked, and the other store answers as ever.
    light = loaded.ask("/api/v1/query", "read-b", query="light")
    assert light.status_code == 200, light.text
    assert light.headers["x-vigia-served"].startswith("cold")
    assert light.json()["data"]["result"]
    assert loaded.stack.running["prometheus-query"].is_running()


class Resident:
    """The most memory that a program had while the block ran."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.most_mib = 0.0
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._look)

    def __enter__(self) -> Resident:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self.thread.join()

    def now_mib(self) -> float:
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * 4096 / 2**20

    def _look(self) -> None:
        while not self.stopping.wait(0.005):
            self.most_mib = max(self.most_mib, self.now_mib())


def _fill_wide(loaded: Loaded, customer: str, count: int) -> None:
    """So many series of 700 bytes, as an answer shows them, in hot and in storage."""
    labels = {f"label_{n:02}": f"{n:02}" + "v" * 48 for n in range(10)}
    at_ms = int(time.time() * 1000) - MINUTE_MS
    own = {"__name__": "wide", "customer_id": customer, **labels}
    token = {"Authorization": f"Bearer {loaded.stack.secrets['internal_token']}", "X-Vigia-Customer": customer}
    for first in range(0, count, 2_000):
        rows = [({**own, "n": str(n)}, [(at_ms, 1.0)]) for n in range(first, min(count, first + 2_000))]
        write(loaded.stack.layout.url("hot"), rows)
        write(loaded.stack.layout.url("storage"), rows, token)


@of_two
@pytest.mark.thorough
def test_memory_of_large_answers_is_bounded_and_given_back(loaded: Loaded) -> None:
    """Lists that two stores give and ranges, 10 MB and more each; 128 MiB of answers may be under way."""
    for customer in ("cliente-a", "cliente-b"):
        _fill_wide(loaded, customer, 15_000)
    asked = [
        ("/api/v1/series", {"match[]": "wide", "start": "0"}),
        (
            "/api/v1/query_range",
            {"query": "wide", "start": f"{time.time() - 60}", "end": f"{time.time()}", "step": "10"},
        ),
    ]
    until = time.monotonic() + 20
    sizes: list[int] = []
    statuses: set[int] = set()

    def ask(token: str, path: str, form: dict[str, str]) -> None:
        while time.monotonic() < until:
            headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"}
            answer = requests.get(f"{loaded.url}{path}", form, headers=headers, timeout=60)
            statuses.add(answer.status_code)
            if answer.status_code == 200:
                sizes.append(len(answer.content))

    with Resident(loaded.stack.running["router"].pid) as resident:
        threads = [
            threading.Thread(target=ask, args=(token, path, form))
            for token in ("read-a", "read-b")
            for path, form in asked
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print(f"router: {resident.most_mib:.0f} MiB at most, {len(sizes)} answers", statuses)
        assert len(sizes) >= 8, sizes
        assert min(sizes) > 10_000_000, sizes
        assert statuses <= {200, 429}
        wait_for(f"memory goes back: {resident.now_mib()}", lambda: resident.now_mib() < 60, 10)
    # 128 MiB of what arrives, is merged or waits to be read, and what two threads need to read two answers.
    assert resident.most_mib < 256, resident.most_mib


# Of a Prometheus beyond what it takes at rest, while a customer asks for as much as it may, and for more.
PROMETHEUS_MIB_MAX = 1_200
NEIGHBOUR_SECONDS_MAX = 2.0
STEPS = 10_000
STEP_SECONDS = 0.025  # all within the lookback of one sample a series


class Tiny(Reading):
    """4,500 series of one sample each, young ones in hot and old ones in cold."""

    def fill(self) -> None:
        self.beat(60)
        self.young_ms = int(time.time() * 1000)
        self.old_ms = self.young_ms - 10 * 86_400_000
        internal = {"Authorization": f"Bearer {self.stack.secrets['internal_token']}", "X-Vigia-Customer": "cliente-a"}
        for first in range(0, 4_500, 500):
            names = [{"__name__": "tiny", "customer_id": "cliente-a", "n": str(n)} for n in range(first, first + 500)]
            write(self.stack.layout.url("hot"), [(labels, [(self.young_ms, 1.5)]) for labels in names])
            both = [(self.old_ms, 1.5), (self.young_ms, 1.5)]
            write(self.stack.layout.url("storage"), [(labels, both) for labels in names], internal)
        self.to_hot({"__name__": "light", "customer_id": "cliente-b"}, [(self.young_ms, 1.0)])
        self.to_cold({"__name__": "light", "customer_id": "cliente-b"}, [(self.old_ms, 1.0)])
        wait_for("hot covers", lambda: self.ask("/api/v1/query", query="tiny").headers["x-vigia-served"][:3] == "hot")

    def raw(self, query: str, begin_ms: int) -> requests.Response:
        start = begin_ms / 1000
        form: dict[str, Any] = {
            "query": query,
            "start": start,
            "end": start + (STEPS - 1) * STEP_SECONDS,
            "step": STEP_SECONDS,
        }
        return self.ask("/api/v1/query_range", **form)


def _rss_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))


@times
@pytest.mark.parametrize("program", with_more_of("3.x"))
def test_series_times_steps_have_a_bound_in_prometheus(tmp_path: Path, program: tuple[str, Path]) -> None:
    """4,500 series x 10,000 steps took 9 GB of a Prometheus that all customers share, and it kept them."""
    with Stack(tmp_path, agents=[]) as stack:
        stack.hot_program = program[1]
        reading = Tiny(stack)
        reading.start()
        reading.fill()
        pids = {name: stack.running[name].pid for name in ("prometheus-hot", "prometheus-query")}
        rest = {name: _rss_mib(pid) for name, pid in pids.items()}
        most, slowest, neighbours = dict(rest), [0.0], [0]
        is_over = threading.Event()

        def look() -> None:
            while not is_over.wait(0.02):
                for name, pid in pids.items():
                    most[name] = max(most[name], _rss_mib(pid))

        def neighbour(at_ms: int) -> None:
            while not is_over.wait(0.1):
                begin = time.monotonic()
                answer = reading.ask("/api/v1/query", "read-b", query="light", time=at_ms / 1000)
                slowest[0] = max(slowest[0], time.monotonic() - begin)
                neighbours[0] += answer.status_code == 200 and len(answer.json()["data"]["result"])

        watchers = [threading.Thread(target=look)]
        watchers += [threading.Thread(target=neighbour, args=(at,)) for at in (reading.young_ms, reading.old_ms)]
        for watcher in watchers:
            watcher.start()
        try:
            for store, begin_ms in (("hot=", reading.young_ms), ("cold:raw=", reading.old_ms)):
                largest = reading.raw('tiny{n=~"[1-4]?.?."}', begin_ms)  # 490 or so: what a query may have
                assert largest.status_code == 200, largest.text[:300]
                # 2.x does not count what native histograms hold: what is not known goes to a 3.x.
                is_asked_elsewhere = program[0] == "2.42" and store == "hot="
                served = "cold:raw=" if is_asked_elsewhere else store
                assert largest.headers["x-vigia-served"].startswith(served)
                # Counted, since reading 100 MB of JSON here would hold the threads that measure.
                assert largest.content.count(b'{"metric":') > 400
                for _ in range(3):
                    before = stack.own_metrics("router_metrics")
                    answer = reading.raw("tiny", begin_ms)
                    assert answer.status_code == 422, answer.text[:300]
                    assert answer.json()["errorType"] == "execution"
                    for words in ("too many samples", "series times", "fewer series", "longer step"):
                        assert words in answer.json()["error"]
                    asked = [
                        stack.own_metrics("router_metrics")[key] - before[key]
                        for key in before
                        if key.startswith("vigia_router_upstream_errors_total")
                    ]
                    assert sum(asked) == 0, "it is no fault of the store's"
        finally:
            is_over.set()
            for watcher in watchers:
                watcher.join()
        grown = {name: most[name] - rest[name] for name in most}
        print(f"grown by MiB: {grown}, neighbour's slowest {slowest[0]:.2f} s of {neighbours[0]}")
        assert max(grown.values()) < PROMETHEUS_MIB_MAX, grown
        assert slowest[0] < NEIGHBOUR_SECONDS_MAX
        assert neighbours[0] > 20


def _ask_at_once(reading: Tiny, queries: list[str], begin_ms: int) -> list[int]:
    """All of them by range, at once; their statuses."""
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda query=query: statuses.append(reading.raw(query, begin_ms).status_code))
        for query in queries
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses


@times
def test_maximal_queries_of_one_customer_do_not_add_up(tmp_path: Path) -> None:
    """Eight of 4.9 million samples each at once, by whom eight slow ones are allowed: hot grew by 2,158 MiB."""
    with Stack(tmp_path, agents=[]) as stack:
        reading = Tiny(stack)
        file = stack.layout.config / "router.yaml"
        file.write_text(file.read_text() + "at_store: {per_customer_max: 8, slow_per_customer_max: 8}\n")
        reading.start()
        reading.fill()
        reading.ask("/api/v1/query", "read-b", query="light", time=reading.young_ms / 1000)
        with Resident(stack.running["prometheus-hot"].pid) as resident:
            rest = resident.now_mib()
            waits: list[float] = []
            is_over = threading.Event()

            def neighbour() -> None:
                while not is_over.wait(0.05):
                    begin = time.monotonic()
                    answer = reading.ask("/api/v1/query", "read-b", query="light", time=reading.young_ms / 1000)
                    waits.append(time.monotonic() - begin)
                    assert answer.status_code == 200

            watcher = threading.Thread(target=neighbour)
            watcher.start()
            # Each of its own text: nothing like it was seen before.
            statuses = _ask_at_once(reading, [f'tiny{{n=~"[1-4]?.?.",x!="{n}"}}' for n in range(8)], reading.young_ms)
            is_over.set()
            watcher.join()
        print(f"hot: {resident.most_mib - rest:.0f} MiB more; neighbour's slowest {max(waits):.2f} s of {len(waits)}")
        assert set(statuses) <= {200, 429}, statuses
        assert resident.most_mib - rest < 1_500
        assert max(waits) < NEIGHBOUR_SECONDS_MAX
        lanes = {
            lane: stack.own_metrics("router_metrics")[
                f'vigia_router_upstream_lane_requests_total{{lane="{lane}",upstream="hot-0"}}'
            ]
            for lane in ("usual", "unknown", "heavy")
        }
        assert lanes["unknown"] + lanes["heavy"] >= 8
        assert lanes["usual"] > 0, "a query that was light before waits behind none of them"


@of_two
def test_native_histograms_are_bounded_where_hot_does_not_count_them(tmp_path: Path) -> None:
    """2.42 counts one as a sample, whatever its buckets: 100 series x 10,000 steps took 8 GB of it and 107 s."""
    with Stack(tmp_path, agents=[]) as stack:
        stack.hot_program = dict(prometheus_programs())["2.42"]
        reading = Tiny(stack)
        reading.start()
        reading.fill()
        internal = {"Authorization": f"Bearer {stack.secrets['internal_token']}", "X-Vigia-Customer": "cliente-a"}
        # Of 8 buckets each, so that a router without the bound does not take the machine with it.
        sample = histogram(reading.young_ms, [float(n % 7 + 1) for n in range(8)], is_float=False)
        for n in range(400):
            labels = {"__name__": "native", "customer_id": "cliente-a", "n": str(n)}
            write_mixed(stack.layout.url("hot"), labels, [], [sample])
            write_mixed(stack.layout.url("storage"), labels, [], [sample], internal)
        with Resident(stack.running["prometheus-hot"].pid) as hot:
            rest = hot.now_mib()
            answer = reading.raw("native", reading.young_ms)
            assert answer.status_code == 422, answer.text[:300]
            assert "too many samples" in answer.json()["error"]
        assert hot.most_mib - rest < 300
