"""What the router keeps of past steps is what the stores would answer now: beside it a router that keeps nothing is asked the same.

Real storage, prometheus-query and hot; samples of some days lie in storage, which answers but where a test says so.
"""

from __future__ import annotations

import random
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from reading import Reading
from remote_write import histogram, write_mixed
from stack import Running, Stack, binaries, prometheus_programs, wait_for

MINUTE = 60
HOUR = 3600
DAY = 86_400
DAYS = 6
PATH = "/api/v1/query_range"

Form = dict[str, Any]


def data_of(answer: requests.Response) -> str:
    """All of the answer but for what is said beside it."""
    assert answer.status_code == 200, answer.text
    return re.split(r',"(?:infos|warnings)":\[', answer.text)[0].rstrip("}")


def served(answer: requests.Response) -> str:
    return str(answer.headers["X-Vigia-Served"])


class Kept(Reading):
    """Two routers over the same stores: one keeps past steps, `plain` does not."""

    def __init__(self, stack: Stack, gap_max: str = "150s") -> None:
        super().__init__(stack, gap_max)
        self.now = int(time.time())
        self.begin = (self.now - DAYS * DAY) // DAY * DAY
        self.plain_url = f"http://{self.stack.layout.host}:19095"

    def start(self) -> None:
        super().start()
        config = self.stack.layout.config / "router.yaml"
        plain = self.stack.layout.config / "router-plain.yaml"
        lines = [line for line in config.read_text().splitlines() if not line.startswith(("listen", "metrics"))]
        host = self.stack.layout.host
        lines += [f"listen: {host}:19095", f"metrics: {{listen: {host}:19195}}", "cache: {bytes_total_max: 0}"]
        plain.write_text("\n".join(lines) + "\n")
        command = self.stack.command("router")
        words = [word.replace(str(config), str(plain)) for word in command.words]
        command = replace(command, name="router-plain", words=words, ready_url=f"{self.plain_url}/ready")
        self.stack.running["router-plain"] = Running(command, self.stack.folder / "log" / "router-plain.log")
        self.stack.running["router-plain"].wait_until_ready()

    def fill(self, spacing: int = 5 * MINUTE) -> None:
        """A gauge, a counter, what comes and goes, and native histograms, up to now; of each customer others."""
        for customer in ("cliente-a", "cliente-b"):
            chance = random.Random(customer)
            for node in ("one", "two", "three"):
                labels = {"customer_id": customer, "node_id": node, "canary": f"of-{customer}"}
                times = [at * 1000 + chance.randrange(1000) for at in range(self.begin, self.now, spacing)]
                gauge = [(at, chance.choice([1.0, 0.25, 1e-7, 123456.75, 1e21, float("inf")])) for at in times]
                self.to_cold({"__name__": "gauge", **labels}, gauge)
                self.to_cold({"__name__": "counter_total", **labels}, [(at, i * 3.0) for i, at in enumerate(times)])
                some = [(at, float(i)) for i, at in enumerate(times) if (i // 40) % 3 != len(node) % 3]
                self.to_cold({"__name__": "coming", **labels}, some)
            labels = {"__name__": "latency", "customer_id": customer, "node_id": "one"}
            self.histograms_to_cold(labels, list(range(self.begin, self.now, 10 * MINUTE)))

    def histograms_to_cold(self, labels: dict[str, str], times: list[int]) -> None:
        token = self.stack.secrets["internal_token"]
        headers = {"Authorization": f"Bearer {token}", "X-Vigia-Customer": labels["customer_id"]}
        made = [histogram(at * 1000, [1, 2, 3 + i % 5], is_float=True) for i, at in enumerate(times)]
        write_mixed(self.stack.layout.url("storage"), labels, [], made, headers)

    def plain(self, token: str = "read-a", **form: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return requests.get(f"{self.plain_url}{PATH}", params=form, headers=headers, timeout=30)

    def kept(self, token: str = "read-a", **form: Any) -> requests.Response:
        return self.ask(PATH, token, **form)

    def is_whole(self, **form: Any) -> bool:
        """Both have seen that storage is back; asked for other steps than those of the form."""
        other = {**form, "step": 301}
        return all("warnings" not in answer.json() for answer in (self.plain(**other), self.kept(**other)))

    def both(self, token: str = "read-a", **form: Any) -> requests.Response:
        """The answer of the one that keeps, which is that of the other."""
        ours = self.kept(token, **form)
        theirs = self.plain(token, **form)
        assert data_of(ours) == data_of(theirs), f"{form} {served(ours)}"
        assert "cache=" not in served(theirs)
        return ours

    def count(self, name: str) -> float:
        return self.stack.own_metrics("router_metrics")[name]

    def joined(self) -> float:
        return self.count("vigia_router_queries_joined_total")

    def asked_unknown(self) -> float:
        """Of prometheus-query, but for what the router itself looks at."""
        own = self.stack.own_metrics("router_metrics")
        names = [name for name in own if "upstream_lane_requests" in name and '"query"' in name and '"unknown"' in name]
        return sum(own[name] for name in names)


def make(stack: Stack) -> Kept:
    made = Kept(stack)
    made.start()
    made.fill()
    return made


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    with Stack(tmp_path_factory.mktemp("cache")) as stack:
        yield make(stack)


QUERIES = (
    "gauge",
    "coming",
    "latency",
    "-gauge",
    "coming > 100",
    "rate(counter_total[10m])",
    "increase(counter_total[1h] offset 2h)",
    "sum by (node_id) (rate(counter_total[15m]))",
    "avg(coming)",
    "topk(2, coming)",
    "count_values('v', gauge)",
    "max_over_time(coming[1h])",
    "max_over_time(rate(counter_total[10m])[1h:5m])",
    "coming / on (node_id) gauge",
    "gauge or coming",
    "absent(coming{node_id='one'})",
    "histogram_quantile(0.9, rate(latency[20m]))",
    "histogram_count(latency)",
    "coming @ MIDNIGHT",
    "coming offset -1h",
    "quantile_over_time(0.5, coming[30m])",
    "sum(gauge) / count(gauge)",
    "timestamp(coming)",
    "hour(timestamp(coming))",
    "gauge * 0 + time()",
)
# Their steps are not had apart.
WHOLE = ("coming @ end()", "sum({canary=~'of.*'})", "label_replace(coming, 'a', '$1', 'node_id', '(.*)')")


class TestWhatIsKept:
    @pytest.mark.parametrize("query", QUERIES)
    def test_is_what_the_stores_would_answer(self, kept: Kept, query: str) -> None:
        chance = random.Random(query)
        query = query.replace("MIDNIGHT", str(kept.begin + DAY))
        before = kept.count('vigia_router_cache_queries_total{found="some"}')
        before += kept.count('vigia_router_cache_queries_total{found="all"}')
        for step in (300, 420, 3600):
            start = kept.begin + chance.randrange(2 * step)
            for _ in range(5):  # as a page that goes on, looks further back, and at less
                end = min(start + chance.randrange(2 * DAY, 7 * DAY), kept.now)
                kept.both(query=query, start=start, end=end, step=step)
                start = max(start + chance.randrange(-2, 6) * step, kept.begin)
        after = kept.count('vigia_router_cache_queries_total{found="some"}')
        after += kept.count('vigia_router_cache_queries_total{found="all"}')
        assert after > before, "nothing came from what is kept"

    @pytest.mark.parametrize("query", WHOLE)
    def test_is_nothing_of_which_steps_are_not_had_apart(self, kept: Kept, query: str) -> None:
        form: Form = {"query": query, "start": kept.begin, "end": kept.now, "step": 3600}
        assert all("cache=" not in served(kept.both(**form)) for _ in range(2))

    def test_is_told(self, kept: Kept) -> None:
        form: Form = {"query": "max(coming) + 1", "start": kept.begin + HOUR, "end": kept.begin + 2 * DAY, "step": 300}
        first = kept.both(**form)
        again = kept.both(**form)
        assert "cache=" not in served(first)
        begin = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(kept.begin + HOUR))
        end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(kept.begin + 2 * DAY))
        assert served(again) == f"{served(first)}, cache={begin}/{end}"
        assert data_of(first) == data_of(again)
        longer = kept.both(**{**form, "end": kept.now})
        assert f"cache={begin}/{end}" in served(longer)

    def test_of_the_last_two_days_nothing_is_kept(self, kept: Kept) -> None:
        form: Form = {"query": "min(coming)", "start": kept.now - 47 * HOUR, "end": kept.now, "step": 300}
        assert all("cache=" not in served(kept.both(**form)) for _ in range(2))
        form["start"] = kept.now - 3 * DAY
        kept.both(**form)
        last = served(kept.both(**form)).split("cache=")[1].split("/")[1]
        assert last <= time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 2 * DAY)), last

    def test_other_parameters_are_other_answers(self, kept: Kept) -> None:
        form: Form = {"query": "sum(coming)", "start": kept.begin, "end": kept.begin + 2 * DAY, "step": 600}
        kept.both(**form)
        for other in (
            {"step": 300},
            {"start": kept.begin + 7},
            {"lookback_delta": "30s"},
            {"limit": "1"},
            {"stats": "all"},
            {"query": "sum(coming) + 0"},
        ):
            answer = kept.kept(**{**form, **other})
            assert "cache=" not in served(answer), other
            if "stats" not in other:
                assert data_of(answer) == data_of(kept.plain(**{**form, **other}))

    def test_nobody_gets_anothers(self, kept: Kept) -> None:
        for query in ("gauge", "count by (canary) (coming)", 'coming{customer_id="cliente-a"}'):
            form: Form = {"query": query, "start": kept.begin, "end": kept.begin + 3 * DAY, "step": 1200}
            for _ in range(2):
                kept.both("read-a", **form)
            theirs = kept.both("read-b", **form)
            assert "cache=" not in served(theirs)
            assert "of-cliente-a" not in theirs.text
            assert "of-cliente-a" not in kept.both("read-b", **form).text
            assert "cache=" not in served(kept.both("op", **form)), "an operator over all customers"
            named = kept.ask(PATH, "op", headers={"X-Vigia-Customer": "cliente-b"}, **form)
            assert data_of(named) == data_of(theirs)


class TestWhatIsWrittenLate:
    FORM: Form = {"query": "count(late) or count(gauge)", "step": 300}

    def warm(self, kept: Kept, token: str = "read-a") -> Form:
        form: Form = {**self.FORM, "start": kept.begin, "end": kept.now}
        kept.both(token, **form)
        assert "cache=" in served(kept.both(token, **form))
        return form

    def test_is_in_the_next_answer(self, kept: Kept) -> None:
        for i in range(20):
            form = self.warm(kept)
            other = self.warm(kept, "read-b")
            at = kept.begin + DAY + 10 * HOUR + i * 300
            kept.to_cold({"__name__": "late", "customer_id": "cliente-a", "n": str(i)}, [(at * 1000, 1.0)])
            answer = kept.both(**form)
            assert "cache=" not in served(answer)
            values = dict(answer.json()["data"]["result"][0]["values"])
            assert values[at] == "1" if i == 0 else values[at] != "3"
            assert "cache=" in served(kept.both("read-b", **other)), "the other customer's is not touched"

    def test_between_samples_that_are_there_too(self, kept: Kept) -> None:
        form: Form = {"query": "count_over_time(counter_total{node_id='one'}[1h])", "start": kept.begin, "step": 300}
        form["end"] = kept.now
        kept.both(**form)
        labels = {"__name__": "counter_total", "customer_id": "cliente-a", "node_id": "one", "canary": "of-cliente-a"}
        at = (kept.begin + 30 * HOUR) * 1000 + 17
        before = data_of(kept.both(**form))
        kept.to_cold(labels, [(at, 1e6)])
        assert data_of(kept.both(**form)) != before

    def test_a_repeat_and_what_is_new_leave_it(self, kept: Kept) -> None:
        labels = {"__name__": "repeated", "customer_id": "cliente-a"}
        sample = [((kept.begin + DAY) * 1000, 1.0)]
        kept.to_cold(labels, sample)
        form = self.warm(kept)
        kept.to_cold(labels, sample)
        kept.to_cold({"__name__": "fresh", "customer_id": "cliente-a"}, [(int(time.time() * 1000), 1.0)])
        assert "cache=" in served(kept.both(**form))

    def test_while_others_ask(self, kept: Kept) -> None:
        """Whoever has been told that his sample is stored sees it, whatever is asked meanwhile."""
        form: Form = {"query": "sum(racing)", "start": kept.begin, "end": kept.begin + 2 * DAY, "step": 300}
        is_over = threading.Event()

        def ask() -> None:
            while not is_over.is_set():
                assert kept.kept(**form).status_code == 200

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            for i in range(25):
                at = kept.begin + HOUR + i * 600
                kept.to_cold({"__name__": "racing", "customer_id": "cliente-a"}, [(at * 1000, 1.0 + i)])
                time.sleep(1.1)  # whoever asks sooner may join a query that was sent before
                values = dict(kept.kept(**form).json()["data"]["result"][0]["values"])
                assert values[at] == str(1 + i)
        finally:
            is_over.set()
            for thread in threads:
                thread.join()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Kept]:
    """For tests that stop stores."""
    with Stack(tmp_path) as stack:
        yield make(stack)


class TestWhatHappensToStorage:
    def test_a_restart_and_a_kill_void_what_is_kept(self, own: Kept) -> None:
        form: Form = {"query": "sum by (node_id) (coming)", "start": own.begin, "end": own.now, "step": 300}
        for end in (own.stack.stop, own.stack.kill):
            # What time it is storage believes of samples alone, and it has had none since its start.
            own.to_cold({"__name__": "fresh", "customer_id": "cliente-a"}, [(int(time.time() * 1000), 1.0)])
            own.both(**form)
            assert "cache=" in served(own.both(**form))
            end("storage")
            without = own.kept(**form)
            assert "cold part missing" in without.text, without.text
            assert "cache=" not in without.headers.get("X-Vigia-Served", "")
            own.stack.start("storage")
            wait_for("storage answers", lambda: own.is_whole(**form), 30)
            assert "cache=" not in served(own.both(**form))

    def test_a_customer_who_is_deleted_is_gone(self, own: Kept) -> None:
        form: Form = {"query": "coming", "start": own.begin, "end": own.begin + 3 * DAY, "step": 300}
        for token in ("read-a", "read-b"):
            for _ in range(2):
                own.both(token, **form)
        own.stack.stop("storage")
        folder = own.stack.layout.data / "storage"
        found = next(iter(folder.rglob("CURRENT"))).parent
        words = [str(binaries() / "vigia-storage"), "delete", str(found), "--customer", "cliente-b", "--yes"]
        assert subprocess.run(words, check=False, timeout=60).returncode == 0
        own.stack.start("storage")
        wait_for("storage answers", lambda: own.is_whole(**form), 30)
        gone = own.both("read-b", **form)
        assert gone.json()["data"]["result"] == []
        assert own.both("read-a", **form).json()["data"]["result"] != []


@pytest.fixture
def hot(tmp_path: Path) -> Iterator[Kept]:
    """Hot, a 3.x, and storage hold the same, and hot covers all of it."""
    with Stack(tmp_path) as stack:
        stack.hot_program = dict(prometheus_programs())["3.x"]
        made = Kept(stack, gap_max="2h")
        made.start()
        labels = {"__name__": "seen", "customer_id": "cliente-a"}
        beat = {"__name__": "vigia_hot_heartbeat", "shard": "hot-0"}
        for begin in range(made.begin, made.now, DAY):
            times = range(begin, min(begin + DAY, made.now), 10 * MINUTE)
            for node in ("one", "two"):
                made.to_both({**labels, "node_id": node}, [(at * 1000, at % 977 + 0.5) for at in times])
            made.to_hot(beat, [(at * 1000, 1.0) for at in times])
        made.beat(2)
        yield made


class TestWhatHotHasAnswered:
    FORM: Form = {"query": "sum by (node_id) (seen)", "step": 600}

    def test_is_kept_as_well_and_apart(self, hot: Kept) -> None:
        form: Form = {**self.FORM, "start": hot.begin + DAY, "end": hot.now}
        # Of both routers, and by another query: what is asked here of cold would be kept.
        other: Form = {**form, "query": "count(seen)"}
        wait_for("hot covers it", lambda: served(hot.plain(**other)).startswith("hot="), 20)
        wait_for("hot covers it", lambda: served(hot.kept(**other)).startswith("hot="), 20)
        hot.both(**form)
        again = hot.both(**form)
        assert served(again).startswith("hot="), served(again)
        assert "cache=" in served(again)
        hot.stack.kill("prometheus-hot")
        wait_for("cold answers", lambda: hot.plain(**form).status_code == 200, 20)
        cold = hot.kept(**form)
        assert served(cold).startswith("cold:"), served(cold)
        assert "cache=" not in served(cold)
        hot.kept(**form)  # which is asked of cold at first, and may read roll-ups
        assert "cache=" in served(hot.both(**form)), "cold's own"


class TestQueriesThatAreJoined:
    def test_are_asked_once_and_left_by_anybody(self, own: Kept) -> None:
        own.kept(query="sum(coming)", start=own.now - HOUR, end=own.now, step=60)
        storage = own.stack.running["storage"]
        joined, asked = own.joined(), own.asked_unknown()
        form: Form = {"query": "sum(coming) + 7", "start": own.now - HOUR, "end": own.now, "step": 60}
        answers: list[str] = []

        def ask(timeout: float) -> None:
            try:
                headers = {"Authorization": "Bearer read-a"}
                answers.append(requests.get(f"{own.url}{PATH}", params=form, headers=headers, timeout=timeout).text)
            except requests.Timeout:
                answers.append("left")

        storage_pid = storage.pid
        subprocess.run(["kill", "-STOP", str(storage_pid)], check=True)
        try:
            # The first one leaves.
            threads = [threading.Thread(target=ask, args=(2 if i == 0 else 25,)) for i in range(8)]
            for thread in threads:
                thread.start()
            wait_for("all are there", lambda: own.joined() >= joined + 7, 10)
            threads[0].join()
        finally:
            subprocess.run(["kill", "-CONT", str(storage_pid)], check=True)
        for thread in threads:
            thread.join()
        assert answers[0] == "left"
        assert len(set(answers[1:])) == 1, answers
        assert '"status":"success"' in answers[1]
        assert own.asked_unknown() == asked + 1
