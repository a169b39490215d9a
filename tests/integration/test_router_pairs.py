"""A hot shard that is a pair: failed over, coverage by member, and nothing of it twice."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from launcher.commands import Command
from otlp import gauge, metrics_request, post, resource_of
from pairs import MEMBERS, Pair, sent_of
from reading import MINUTE_MS, fill, is_cold, is_hot
from stack import Stack, prometheus_programs, wait_for

READERS = {"read-a": "a_own_total", "read-b": "b_secret_total"}


@pytest.fixture(params=prometheus_programs(), ids=lambda program: program[0])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    with Stack(tmp_path) as stack:
        stack.hot_program = request.param[1]
        made = Pair(stack)
        made.start()
        fill(made)
        made.wait_for_coverage(*MEMBERS)
        yield made


def other(name: str) -> str:
    return MEMBERS[1 - MEMBERS.index(name)]


class Load:
    """Dashboards of two customers, which ask the same again and again; every answer is kept."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.answers: list[tuple[str, requests.Response]] = []
        self._is_over = threading.Event()
        self._threads = [
            threading.Thread(target=self._ask, args=(token, name)) for token, name in READERS.items() for _ in range(4)
        ]
        for token, name in READERS.items():
            for _ in range(2):  # until it is known what they cost
                assert is_hot(pair.ask("/api/v1/query_range", token, **pair.hour(name)))

    def _ask(self, token: str, name: str) -> None:
        while not self._is_over.is_set():
            self.answers.append((token, self.pair.ask("/api/v1/query_range", token, **self.pair.hour(name))))

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def since(self, count: int) -> bool:
        return len(self.answers) > count


@pytest.mark.parametrize("victim", MEMBERS)
def test_a_member_that_is_killed_under_load_costs_no_query(pair: Pair, victim: str) -> None:
    """kill -9: no failed query, no gap in an answer, and the long-term store is not needed."""
    expected = {
        token: pair.ask("/api/v1/query_range", token, **pair.hour(name)).json()["data"]
        for token, name in READERS.items()
    }
    with Load(pair) as load:
        wait_for("the load runs", lambda: load.since(50))
        pair.stack.kill(victim)
        killed_at = len(load.answers)
        wait_for("the other member answers", lambda: load.since(killed_at + 200))
        pair.start_member(victim)
        pair.wait_for_coverage(victim)
        back_at = len(load.answers)
        wait_for("both answer", lambda: load.since(back_at + 100))
    assert {token for token, _ in load.answers} == set(READERS)
    for token, answer in load.answers:
        assert answer.status_code == 200, answer.text
        assert is_hot(answer), (answer.headers, answer.text)
        assert answer.json()["data"] == expected[token]


def test_whoever_asks_again_asks_the_same_member(pair: Pair) -> None:
    first = {token: pair.own_member(token) for token in ("read-a", "read-b", "read-c")}
    assert {token: pair.own_member(token) for token in first} == first
    pair.stack.kill(first["read-a"])
    assert is_hot(pair.ask("/api/v1/query", query="up"))
    assert pair.own_member("read-a") == other(first["read-a"])


def test_a_member_that_came_back_empty_is_not_asked_for_what_it_lacks(pair: Pair) -> None:
    own = pair.own_member("read-a")
    form = pair.hour()
    before = pair.ask("/api/v1/query_range", **form)
    assert is_hot(before)
    pair.wipe(own)
    for _ in range(20):
        answer = pair.ask("/api/v1/query_range", **form)
        assert is_hot(answer), answer.headers
        assert answer.json()["data"] == before.json()["data"]
    # It has heartbeats again, from now on: what lies before is still the other's.
    pair.beat_at(own, 2)
    wait_for("it covers again", lambda: 5 < pair.covered(own) < 300)
    for _ in range(20):
        answer = pair.ask("/api/v1/query_range", **form)
        assert is_hot(answer), answer.headers
        assert answer.json()["data"] == before.json()["data"]
    now = int(time.time())
    asked = pair.asked_of(other(own))
    for _ in range(50):
        assert is_hot(pair.ask("/api/v1/query", query="last_over_time(vigia_x[1s])", time=now))
    assert pair.asked_of(other(own)) - asked < 50, "the newest it answers itself"
    # With the other one gone, it does not stand in for the past.
    pair.stack.kill(other(own))
    answer = pair.ask("/api/v1/query_range", **form)
    assert is_cold(answer), answer.headers
    assert answer.json()["data"] == before.json()["data"]


def test_where_nobody_holds_all_the_pair_says_so(pair: Pair) -> None:
    """One member empty, the other and the long-term store away."""
    pair.wipe("hot-0-a")
    pair.beat_at("hot-0-a", 2)
    wait_for("it covers again", lambda: 0 < pair.covered("hot-0-a") < 300)
    pair.stack.kill("hot-0-b", "storage", "prometheus-query")
    answer = pair.ask("/api/v1/query_range", **pair.hour())
    assert answer.status_code == 200, answer.text
    (warning,) = answer.json()["warnings"]
    assert warning.startswith("cold part missing: the long-term store does not answer, so samples before "), warning
    assert answer.json()["data"]["result"] == []


def test_a_gap_in_a_members_own_scrapes_is_the_others_to_fill(pair: Pair) -> None:
    """What is pushed the collector brings afterwards, with heartbeats over the time away; `up` nobody does."""
    name = "hot-0-a"
    pair.wipe(name)
    newest_ms = int(time.time() * 1000) // MINUTE_MS * MINUTE_MS
    times = [(newest_ms - n * MINUTE_MS, 1.0) for n in reversed(range(56))]
    hole = [sample for sample in times if not newest_ms - 30 * MINUTE_MS < sample[0] < newest_ms - 10 * MINUTE_MS]
    # The heartbeats last: what is there when they are seen is what counts.
    pair.to_member(name, [({"__name__": "up", "job": "otel-collector", "instance": "before"}, hole)])
    pair.to_member(name, [({"__name__": "vigia_hot_heartbeat", "shard": "hot-0"}, times)])
    # From the end of the gap on, though the heartbeats have none; before it was wiped it covered more.
    wait_for("it covers again", lambda: 300 < pair.covered(name) < 12 * 60)
    assert pair.covered(other(name)) > 1800


def test_both_away_is_the_long_term_stores_turn(pair: Pair) -> None:
    form = pair.hour()
    before = pair.ask("/api/v1/query_range", **form)
    assert is_hot(before)
    pair.stack.kill(*MEMBERS)
    answer = pair.ask("/api/v1/query_range", **form)
    assert is_cold(answer), answer.headers
    assert "warnings" not in answer.json()
    assert answer.json()["data"] == before.json()["data"]
    for query, value in (("1+1", "2"), ("vector(1)", None), ("time()", None)):
        constant = pair.ask("/api/v1/query", query=query)
        assert constant.status_code == 200, constant.text
        if value:
            assert constant.json()["data"]["result"][1] == value
    labels = pair.ask("/api/v1/labels")
    assert labels.json()["warnings"] == [
        "hot part missing: the hot store does not answer, so what is only there is missing here"
    ]
    pair.stack.kill("storage", "prometheus-query")
    nothing = pair.ask("/api/v1/query_range", **form)
    assert nothing.status_code == 503
    assert pair.stack.layout.host not in nothing.text
    assert pair.layouts["hot-0-b"].host not in nothing.text


# What is asked of one member, and must neither be doubled nor be gone with the other.
LISTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("/api/v1/labels", {}),
    ("/api/v1/label/__name__/values", {}),
    ("/api/v1/series", {"match": "{__name__=~'a_own.*'}"}),
    ("/api/v1/metadata", {}),
    ("/api/v1/rules", {}),
    ("/api/v1/alerts", {}),
    ("/api/v1/targets", {}),
    ("/api/v1/format_query", {"query": "sum  (up)"}),
    ("/api/v1/parse_query", {"query": "sum  (up)"}),
)


def _lists(pair: Pair) -> dict[str, Any]:
    """What each gives, without what differs from evaluation to evaluation."""
    found: dict[str, Any] = {}
    for path, form in LISTS:
        answer = pair.ask(path, **form)
        assert answer.status_code == 200, (path, answer.text)
        assert "warnings" not in answer.json(), (path, answer.text)
        found[path] = answer.json()["data"]
    found["/api/v1/alerts"] = sorted(alert["labels"]["alertname"] for alert in found["/api/v1/alerts"]["alerts"])
    found["/api/v1/rules"] = [group["name"] for group in found["/api/v1/rules"]["groups"]]
    return found


def test_lists_are_of_one_member(pair: Pair) -> None:
    def alerts_of(member: str) -> set[str]:
        found = requests.get(f"{pair.member_url(member)}/api/v1/alerts", timeout=5).json()["data"]["alerts"]
        return {alert["labels"]["alertname"] for alert in found}

    def has_alert() -> bool:
        return all({"OwnOfA", "general_alert"} <= alerts_of(name) for name in MEMBERS)

    wait_for("both evaluate the rules", has_alert)
    whole = _lists(pair)
    assert sorted(whole["/api/v1/alerts"]) == ["OwnOfA", "general_alert"]
    assert whole["/api/v1/rules"] == ["of-cliente-a"]
    of_all = [group["name"] for group in pair.ask("/api/v1/rules", "op").json()["data"]["groups"]]
    assert sorted(of_all) == ["canary-group", "of-cliente-a"]
    for victim in MEMBERS:
        pair.stack.kill(victim)
        assert _lists(pair) == whole, victim
        pair.start_member(victim)
        wait_for("it evaluates the rules again", has_alert)


def test_federate_is_of_one_member(pair: Pair) -> None:
    def page() -> list[str]:
        answer = pair.ask("/federate", match='{__name__=~"a_own_total|up"}')
        assert answer.status_code == 200, answer.text
        assert "# warning" not in answer.text
        return sorted(line for line in answer.text.splitlines() if not line.startswith("#"))

    whole = page()
    assert len(whole) == 2, whole
    for victim in MEMBERS:
        pair.stack.kill(victim)
        assert page() == whole
        pair.start_member(victim)
        pair.wait_for_coverage(victim)


def test_what_a_member_may_not_have_survived_is_not_asked_of_the_other(pair: Pair) -> None:
    """A query like which none was seen is at one member when that is killed."""
    own = pair.own_member("read-a")
    os.kill(pair.stack.running[own].pid, signal.SIGSTOP)
    answers: list[requests.Response] = []
    query = "max_over_time(a_own_total[7m])"
    thread = threading.Thread(target=lambda: answers.append(pair.ask("/api/v1/query", query=query)))
    asked = pair.asked_of(own)
    thread.start()
    wait_for("it is asked", lambda: pair.asked_of(own) > asked)
    time.sleep(0.5)  # so that the request is out
    pair.stack.kill(own)
    thread.join()
    (answer,) = answers
    assert answer.status_code == 503, answer.text
    assert "no other store is asked the same" in answer.json()["error"]
    assert is_hot(pair.ask("/api/v1/query", query=query)), "asked again, by whoever wants to"


class Mixed(Pair):
    """Its members are of the versions that are named for them, while one after the other is replaced by a newer."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(stack)
        self.versions = dict(zip(MEMBERS, ("3.x", "2.42"), strict=True))

    def _command(self, name: str) -> Command:
        self.stack.hot_program = dict(prometheus_programs())[self.versions[name]]
        return super()._command(name)


def test_a_pair_speaks_the_language_of_its_older_member(tmp_path: Path) -> None:
    with Stack(tmp_path) as stack:
        pair = Mixed(stack)
        pair.start()
        fill(pair)
        pair.wait_for_coverage(*MEMBERS)

        def version() -> str:
            return str(pair.ask("/api/v1/status/buildinfo").json()["data"]["version"])

        def is_read(query: str) -> bool:
            answer = pair.ask("/api/v1/query", query=query)
            assert answer.status_code == 200 or "parse error" in answer.json()["error"], answer.text
            return answer.status_code == 200

        wait_for("the older one's version", lambda: version().startswith("2.42"))
        new, old = "histogram_avg(vigia_x)", "holt_winters(vigia_x[5m], 0.5, 0.5)"
        wait_for("what 3.0 brought is refused", lambda: not is_read(new))
        assert "a store here is older" in pair.ask("/api/v1/query", query=new).json()["error"]
        wait_for("so is what 3.0 took out", lambda: not is_read(old))
        # The older one away is the older one still: it comes back.
        stack.kill(MEMBERS[1])
        log = stack.folder / "log" / "router.log"
        wait_for("the router sees that it is gone", lambda: "cannot be reached" in log.read_text())
        assert not is_read(new)
        pair.versions[MEMBERS[1]] = "3.x"
        pair.start_member(MEMBERS[1])
        wait_for("both are new", lambda: is_read(new), 60)
        wait_for("both are new", lambda: version().startswith("3."), 90)


class Collected:
    """The pair behind a real collector, which writes both members, each by an exporter of its own."""

    def __init__(self, stack: Stack) -> None:
        self.pair = Pair(stack)
        layout = stack.layout
        file = layout.config / "collector.yaml"
        text = file.read_text()
        begin, end = text.index("    directory:\n"), text.index("  file_storage")
        text = f"{text[:begin]}    directory: {{file: {layout.config}/customers.yaml}}\n{text[end:]}"
        one = next(line for line in text.splitlines() if line.startswith("  prometheusremotewrite/hot-0:"))
        two = [
            f"  prometheusremotewrite/{name}: {{endpoint: {self.pair.member_url(name)}/api/v1/write, hot_shard: hot-0,"
            " retry_on_failure: {initial_interval: 100ms, max_interval: 1s}}"
            for name in MEMBERS
        ]
        text = text.replace(one, "\n".join(two))
        text = text.replace(
            "prometheusremotewrite/hot-0,", ", ".join(f"prometheusremotewrite/{n}" for n in MEMBERS) + ","
        )
        file.write_text(text)
        self.pair.start()
        stack.start("collector")
        self.sent = 0

    def send(self) -> None:
        """One more point, of now."""
        point = gauge("pushed", [(int(time.time() * 1000), float(self.sent))])
        body = metrics_request(resource_of("cliente-a"), point).SerializeToString()
        answer = post(self.pair.stack.layout.url("collector_http"), "ingest-a", body)
        assert answer.status_code == 200, answer.text
        self.sent += 1
        time.sleep(0.01)  # the next one is of another millisecond

    def count_at(self, name: str) -> int:
        answer = requests.get(
            f"{self.pair.member_url(name)}/api/v1/query",
            params={"query": 'count_over_time(pushed{customer_id="cliente-a"}[1h])'},
            timeout=10,
        )
        result = answer.json()["data"]["result"]
        return int(result[0]["value"][1]) if result else 0

    def beats_at(self, name: str) -> list[dict[str, str]]:
        answer = requests.get(
            f"{self.pair.member_url(name)}/api/v1/query", params={"query": "vigia_hot_heartbeat[1h]"}, timeout=10
        )
        return [series["metric"] for series in answer.json()["data"]["result"]]


def test_a_collector_writes_both_and_each_has_its_own_heartbeat(tmp_path: Path) -> None:
    with Stack(tmp_path) as stack:
        made = Collected(stack)
        pair = made.pair
        for _ in range(5):
            made.send()
        wait_for("both have all", lambda: [made.count_at(name) for name in MEMBERS] == [5, 5])
        # Within their first minute.
        wait_for("both have heartbeats", lambda: all(made.beats_at(name) for name in MEMBERS), 90)
        for name in MEMBERS:
            assert [beat["shard"] for beat in made.beats_at(name)] == ["hot-0"]
        # A minute after their first heartbeats both cover.
        wait_for("both cover", lambda: all(pair.covered(name) > 5 for name in MEMBERS), 150)
        assert is_hot(pair.ask("/api/v1/query", query="vigia_x[1s]"))
        pair.stack.kill("hot-0-b")
        for _ in range(5):
            made.send()
        wait_for("the other one has all", lambda: made.count_at("hot-0-a") == 10)
        assert is_hot(pair.ask("/api/v1/query", query="vigia_x[1s]"))
        pair.start_member("hot-0-b")
        wait_for("what was sent meanwhile is brought", lambda: made.count_at("hot-0-b") == 10)
        wait_for("it covers again", lambda: pair.covered("hot-0-b") > 5, 150)
        sent = {name: sent_of(stack, name) for name in MEMBERS}
        assert sent == dict.fromkeys(MEMBERS, 10.0)
