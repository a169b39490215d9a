"""PromQL through the router beside a plain Prometheus that holds the same as one of its customers: over hot, over the long-term store's samples,
and over its roll-ups.

Each case of promql_cases.py is asked as a range query and at one time, of the router for one of two customers whose data lies in the
same stores, and of a Prometheus that has that one's alone. Whole answers are compared, remarks too.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import remote_write
import requests
from launcher.commands import Command
from launcher.layout import own_host
from promql_cases import NEAR, WHOLE_HOURS, Case, Times, data, histograms
from reading import Reading
from stack import Running, Stack, wait_for

DAY_S = 86_400
CONFIGURATION = "global: {scrape_interval: 1h}\nstorage: {tsdb: {out_of_order_time_window: 960h}}\n"
RANGE, INSTANT = "range", "instant"


@dataclass(frozen=True)
class Place:
    """Where what is asked lies: until when, and what X-Vigia-Served begins with."""

    name: str
    times: Times
    days_ago: int
    after_midnight_s: int
    served: tuple[str, ...]


HOT = Place("hot", NEAR, 0, 0, ("hot=",))
COLD = Place("cold", NEAR, 10, 40_007, ("cold:raw=",))
ROLLED = Place("rolled up", WHOLE_HOURS, 20, 0, ("cold:",))


def _plain(program: Path, folder: Path) -> Running:
    """A Prometheus without anything around it."""
    address = f"{own_host()}:9090"
    (folder / "plain.yml").write_text(CONFIGURATION)
    words = [
        str(program),
        f"--config.file={folder}/plain.yml",
        f"--storage.tsdb.path={folder}/plain",
        f"--web.listen-address={address}",
        "--web.enable-remote-write-receiver",
        "--enable-feature=native-histograms",
        "--storage.tsdb.retention.time=100y",
    ]
    running = Running(Command("plain", words, f"http://{address}/-/ready", {}), folder / "plain.log")
    running.wait_until_ready()
    return running


@dataclass
class Site:
    """A router with its stores, and the plain Prometheus' URL."""

    reading: Reading
    plain: str

    def end_s(self, place: Place) -> int:
        if place.days_ago == 0:
            return self.reading.now_ms // 1000
        return (self.reading.now_ms // 1000 // DAY_S - place.days_ago) * DAY_S + place.after_midnight_s

    def ask(self, url: str, query: str, place: Place, way: str = RANGE, **headers: str) -> requests.Response:
        end, times = self.end_s(place), place.times
        form = {"query": query, "time": str(end)}
        if way == RANGE:
            form = {"query": query, "start": str(end - times.length), "end": str(end), "step": str(times.step)}
        path = "query_range" if way == RANGE else "query"
        return requests.post(f"{url}/api/v1/{path}", data=form, headers=headers, timeout=60)

    def ask_router(self, query: str, place: Place, way: str = RANGE, token: str = "read-a") -> requests.Response:
        return self.ask(self.reading.url, query, place, way, Authorization=f"Bearer {token}")

    def fill(self, place: Place) -> None:
        token, end = self.reading.stack.secrets["internal_token"], self.end_s(place)
        for customer in ("cliente-a", "cliente-b"):
            headers = {"Authorization": f"Bearer {token}", "X-Vigia-Customer": customer}
            stores = [(self.reading.stack.layout.url("storage"), headers)]
            stores += [(self.reading.stack.layout.url("hot"), {})] if place is HOT else []
            stores += [(self.plain, {})] if customer == "cliente-a" else []
            own = {"customer_id": customer}
            natives = histograms(place.times, end)[customer == "cliente-b" :]
            body = b"".join(remote_write.series_bytes({**labels, **own}, text) for labels, text in natives)
            for url, named in stores:
                answer = remote_write.write_bytes(url, body, named)
                assert answer.ok, answer.text
            for labels, samples in data(place.times, end):
                if customer == "cliente-b":
                    samples = [(at, 2 * value + 1) for at, value in samples]
                for url, named in stores:
                    remote_write.write(url, [({**labels, **own}, samples)], named)

    def is_covered(self) -> bool:
        answer = self.ask_router("max_over_time(node_cpus[1h])", HOT)
        return answer.headers.get("X-Vigia-Served", "").startswith("hot=")


@contextmanager
def site_of(folder: Path, program: Path, places: Sequence[Place]) -> Iterator[Site]:
    """With that Prometheus as hot store and as the plain one."""
    (folder / "stack").mkdir()
    plain = _plain(program, folder)
    try:
        with Stack(folder / "stack") as stack:
            stack.hot_program = program
            made = Site(Reading(stack), plain.command.ready_url.removesuffix("/-/ready"))
            made.reading.start()
            for place in places:
                made.fill(place)
            made.reading.beat(120)
            wait_for("hot covers two hours", partial(Site.is_covered, made), 30)
            yield made
    finally:
        plain.end()


def result_of(answer: requests.Response) -> Any:
    """What is compared: the kind of an error, or every series with its samples, and the remarks."""
    body = answer.json()
    if body["status"] != "success":
        return body["errorType"]
    result = body["data"]["result"]
    if body["data"]["resultType"] in ("matrix", "vector"):
        result = {
            json.dumps(one["metric"], sort_keys=True): [
                one.get(part) for part in ("value", "values", "histogram", "histograms")
            ]
            for one in result
        }
    return [result, sorted(_remarks(body))]


def _remarks(body: dict[str, Any]) -> set[str]:
    """Without the place in the text, which is another where the fence stands in it."""
    infos = [text for text in body.get("infos", []) if text.startswith("PromQL ")]  # others are the router's own
    return {re.sub(r" \(\d+:\d+\)", "", text) for text in [*body.get("warnings", []), *infos]}


def is_same(ours: Any, theirs: Any) -> bool:
    """Values to 1e-9 of themselves: sums may be made in another order; all else exactly."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(is_same(ours[key], theirs[key]) for key in ours)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(is_same(one, other) for one, other in zip(ours, theirs, strict=True))
    if isinstance(ours, str) and isinstance(theirs, str) and ours != theirs:
        try:
            return math.isclose(float(ours), float(theirs), rel_tol=1e-9, abs_tol=1e-12)
        except ValueError:
            return False
    return bool(ours == theirs)


@dataclass
class Verdict:
    """Of all cases in one place."""

    place: str
    asked: int = 0
    same: int = 0
    with_answer: int = 0
    failing: int = 0
    of_windows: int = 0  # answered from roll-ups
    different: dict[str, str] = field(default_factory=dict)  # by query
    close: list[str] = field(default_factory=list)  # the same, but not to the last bit
    elsewhere: list[str] = field(default_factory=list)  # served by another store than was meant

    def line(self) -> str:
        windows = f", {self.of_windows} from roll-ups" if self.of_windows else ""
        return f"{self.place}: {self.same} of {self.asked} the same{windows}"

    def kept(self) -> str:
        """All that differs, and what is only close."""
        different = [f"{query}\n  {why}" for query, why in self.different.items()]
        return "\n".join([self.line(), *different, f"{len(self.close)} not to the last bit:", *self.close]) + "\n"


def compare(
    site: Site, place: Place, name: str, cases: Sequence[Case], ways: Sequence[str] = (RANGE, INSTANT)
) -> Verdict:
    found = Verdict(name)
    for case in cases:
        for way in ways:
            ours = site.ask_router(case.query, place, way)
            mine, plain = result_of(ours), result_of(site.ask(site.plain, case.query, place, way))
            found.asked += 1
            found.failing += case.fails and isinstance(plain, str)
            found.with_answer += not isinstance(plain, str) and bool(plain[0])
            if is_same(mine, plain):
                found.same += 1
                found.close += [] if mine == plain else [f"{way} {case.query}"]
            else:
                found.different[case.query] = f"{way}\n  ours {str(mine)[:900]}\n  theirs {str(plain)[:900]}"
            served = ours.headers.get("X-Vigia-Served", "")
            found.of_windows += bool(re.match(r"cold:[^r]", served))
            if served and not served.startswith(place.served):
                found.elsewhere.append(f"{way} {case.query}: {served}")
    return found
