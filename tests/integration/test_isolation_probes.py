"""I2 to I6: no byte of another customer's in anything that the router answers or writes down, whatever is asked, however it is
spelled. Probes are made from a seed (VIGIA_SEED tries another): 6,000 requests in every run, 65,000, which are 20,000 questions, in a
thorough one.

Each question is asked with the tokens of three customers, whose every name and value has a secret word in it (canaries.py), some
of them twice: an answer that was kept must be its customer's. What names another's data by names that one may guess is answered
as what nobody has. That the search would find a leak is shown on stores that are asked without the router.
"""

from __future__ import annotations

import itertools
import json
import math
import os
import random
import re
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import requests
import yaml
from canaries import CUSTOMERS, SECRETS, Canaries, leaks_in, trace_of
from launcher.commands import Command
from launcher.paths import ROOT
from probe_wire import Shown, Wire
from probes import TRICKS, Probe, Probes
from stack import Running, Stack, with_more_of
from tree_kinds import logql_kinds, promql_kinds

SEED = 20261130
CONTRACT = yaml.safe_load((ROOT / "docs" / "api" / "router.yaml").read_text())
OPERATIONS = [
    (method.upper(), path)
    for path, item in CONTRACT["paths"].items()
    for method in item
    if method != "parameters" and path != "/api/v1/cold/confirm"
]
# Paths that have nothing of a customer's to show.
WITHOUT_DATA = re.compile(
    r"/|/health|/ready|/-/.*|/loki/api/v1/(detected_)?labels?|/api/v1/status/.*|.*/status/buildinfo|.*/tail|.*/(parse|format)_query|.*/targets|.*/index/stats"
)
MAKES_LABELS = re.compile(
    "label_replace|label_join|label_format|line_format|count_values|absent|regexp|pattern|json|logfmt|unpack"
)
STATUSES = {0, 200, 204, 400, 401, 403, 404, 405, 411, 413, 414, 415, 417, 422, 426, 429, 431, 501, 503, 504, 505}


@pytest.fixture(scope="module", params=with_more_of("3.x"))
def router(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Canaries]:
    with Stack(tmp_path_factory.mktemp("probes")) as stack:
        stack.hot_program = request.param[1]
        made = Canaries(stack)
        stack.start("storage", "prometheus-hot", "prometheus-query")
        command = stack.command("router")
        talkative = Command(command.name, [*command.words, "--log-level", "debug"], command.ready_url, command.env)
        stack.running["router"] = Running(talkative, stack.folder / "log" / "router.log")
        stack.running["router"].wait_until_ready()
        made.fill()
        yield made


@dataclass
class Found:
    """What a run has seen."""

    requests: int = 0
    leaks: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    own: set[str] = field(default_factory=set)  # routes that have shown a customer's own words

    def look(self, probe: Probe, customer: str, shown: Shown) -> None:
        self.requests += 1
        self.statuses[shown.status] += 1
        text = shown.all()
        for word in leaks_in(customer, text):
            self.leaks.append(f"{customer} was shown {word}: {probe.shown()}: {text[:2000]!r}")
        if shown.status == 200 and SECRETS[customer].encode() in text:
            self.own.add(probe.route)
        if foreign := _foreign_ids(probe, customer, shown):
            self.leaks.append(f"{customer} was shown {foreign}: {probe.shown()}")


def _foreign_ids(probe: Probe, customer: str, shown: Shown) -> set[str]:
    """Other values of customer_id in an answer's own labels, where the question makes none."""
    if shown.status != 200 or MAKES_LABELS.search(str(probe.pairs) + str(probe.raw_query) + str(probe.raw_body)):
        return set()
    # A tree and a text show what was asked.
    if probe.route.endswith(("parse_query", "format_query")):
        return set()
    ids = set(re.findall(rb'"?customer_id"?[:=]"([^"]*)"', shown.body))
    return {one.decode() for one in ids} - {customer}


def _run(router: Canaries, seed: int, count: int) -> tuple[Found, Probes]:
    """So many requests: each question by three customers, in an order of its own, one of five asked again by the first."""
    found, probes = Found(), Probes(seed, OPERATIONS, router.now_ms)
    chance = random.Random(seed)
    layout = router.stack.layout
    wire = Wire(layout.host, layout.ports["router"])
    for probe in probes:
        order = chance.sample(list(CUSTOMERS), 3)
        if chance.random() < 0.2:
            order.append(order[0])
        for customer in order:
            found.look(probe, customer, wire.send(probe.wired(CUSTOMERS[customer])))
        if found.requests >= count:
            break
    wire.close()
    return found, probes


# R-SEC-7, R-SEC-11, R-SEC-15.
@pytest.mark.long(40)
@pytest.mark.parametrize(
    "count", [6_000, pytest.param(65_000, marks=[pytest.mark.thorough, pytest.mark.timeout(1200)])]
)
def test_no_byte_of_another_customers(router: Canaries, count: int) -> None:
    usual = SEED if count == 6_000 else int(time.time())
    seed = int(os.environ.get("VIGIA_SEED", usual))
    began = time.monotonic()
    found, probes = _run(router, seed, count)
    print(f"seed {seed}: {found.requests} requests in {time.monotonic() - began:.1f} s, {dict(found.statuses)}")
    assert not found.leaks, f"VIGIA_SEED={seed}: {len(found.leaks)} leaks:\n" + "\n".join(found.leaks[:3])
    assert set(found.statuses) <= STATUSES, f"VIGIA_SEED={seed}: {dict(found.statuses)}"
    # What it has tried is everything there is.
    assert promql_kinds() - probes.promql.made == set()
    assert logql_kinds() - probes.logql.made == set()
    assert set(OPERATIONS) - probes.asked == set()
    assert set(TRICKS) - probes.tricks == set()
    # And it has seen something: else a router that refuses all would pass.
    assert found.statuses[200] > found.requests / 3
    blind = {path for _, path in OPERATIONS if not WITHOUT_DATA.fullmatch(path)} - found.own
    assert not blind, f"VIGIA_SEED={seed}: these showed nobody's own: {blind}"
    log = (router.stack.folder / "log" / "router.log").read_bytes()
    assert b"listening" in log
    written = [secret for secret in SECRETS.values() if secret.encode() in log.lower()]
    assert not written, "the log tells of customers' data"


def test_a_leak_would_be_found(router: Canaries) -> None:
    """The same questions, asked of hot without a fence, and of storage in another's name."""
    hot, found = router.stack.layout.url("hot"), Found()
    metric_routes = [
        ("GET", path) for path in ("/api/v1/query", "/api/v1/series", "/api/v1/labels", "/api/v1/query_exemplars")
    ]
    for probe in itertools.islice(Probes(SEED, metric_routes, router.now_ms), 700):
        if probe.trick != "plain":
            continue
        answer = requests.get(f"{hot}{probe.path}", params=probe.pairs, timeout=30)
        found.look(probe, "cliente-a", Shown(answer.status_code, str(answer.headers).encode(), answer.content))
    assert len(found.leaks) > 50, f"{len(found.leaks)} of {found.requests}"
    assert any("zqbx" in leak for leak in found.leaks)
    storage, now_s = router.stack.layout.url("storage"), router.now_ms // 1000
    for path in (
        "/api/v1/services",
        f'/api/v1/logs?query={{service_name="shop"}}&start={now_s - 3600}&end={now_s + 60}',
        f"/jaeger/api/traces/{trace_of('cliente-b')}",
    ):
        found = Found()
        answer = requests.get(f"{storage}{path}", headers=router.headers_of("cliente-b"), timeout=30)
        assert answer.status_code == 200, answer.text
        found.look(Probe(path, "GET", path, []), "cliente-a", Shown(200, b"", answer.content))
        assert found.leaks, path


def _with_nobody(probe: Probe) -> Probe:
    """The same of a customer, a metric, a service and a trace that nobody has."""

    def put(text: str) -> str:
        text = text.replace("cliente-b", "cliente-y").replace("cliente-c", "cliente-z")
        text = text.replace("guess_b", "guess_y").replace("guess_c", "guess_z")
        text = text.replace("guess-b", "guess-y").replace("guess-c", "guess-z")
        return text.replace("b" * 32, "d" * 32).replace("c" * 32, "e" * 32)

    return replace(probe, path=put(probe.path), pairs=[(key, put(value)) for key, value in probe.pairs])


def _comparable(shown: Shown) -> Any:
    """Status and body without what tells of the moment, and with nobody's names in the place of the others'."""
    text = shown.body.decode(errors="replace")
    for foreign, nobodys in (
        ("cliente-b", "cliente-y"),
        ("cliente-c", "cliente-z"),
        ("guess_b", "guess_y"),
        ("guess_c", "guess_z"),
        ("guess-b", "guess-y"),
        ("guess-c", "guess-z"),
        ("b" * 32, "d" * 32),
        ("c" * 32, "e" * 32),
    ):
        text = text.replace(foreign, nobodys)
    try:
        body = json.loads(text)
    except ValueError:
        return shown.status, text
    if isinstance(body, dict):
        body.pop("infos", None)
        if isinstance(data := body.get("data"), dict):
            data.pop("stats", None)
            data.get("alerts", []).sort(key=str)  # hot has them in no order
    return shown.status, body


def test_anothers_names_are_nobodys(router: Canaries) -> None:
    """No oracle: a question about what another has is answered as one about what is not there."""
    chance, wire = random.Random(SEED), Wire(router.stack.layout.host, router.stack.layout.ports["router"])
    compared, different = 0, []
    for probe in itertools.islice(Probes(SEED + 1, OPERATIONS, router.now_ms), 3000):
        twin = _with_nobody(probe)
        # An order by hash or by name may differ with the names; what is not ordered is what is compared.
        if (
            probe.trick != "plain"
            or twin == probe
            or re.search("limitk|limit_ratio|topk|bottomk|sort", str(probe.pairs))
        ):
            continue
        first, second = (probe, twin) if chance.random() < 0.5 else (twin, probe)
        answers = [_comparable(wire.send(one.wired("read-a"))) for one in (first, second)]
        compared += 1
        if answers[0] != answers[1]:
            different.append(f"{probe.shown()}\n  {answers[0]}\n  {answers[1]}"[:3000])
        if compared == 150:
            break
    wire.close()
    assert compared > 100, compared
    assert not different, f"{len(different)} of {compared}:\n" + "\n".join(different[:3])


@pytest.mark.thorough
@pytest.mark.alone
@pytest.mark.parametrize("kind", ["metric", "labels", "trace", "logs"])
def test_what_is_anothers_takes_as_long_as_what_is_nobodys(router: Canaries, kind: str) -> None:
    """I6: of many questions about another's data and about what nobody has, asked in turns, neither kind is quicker.

    A rank test (Mann and Whitney's): with no difference z lies within ±4 but once in 15,000 times."""
    targets = {
        "metric": ("/api/v1/query?query=guess_b_total", "/api/v1/query?query=guess_y_total"),
        "labels": (
            '/api/v1/labels?match[]={customer_id="cliente-b"}',
            '/api/v1/labels?match[]={customer_id="cliente-y"}',
        ),
        "trace": (f"/jaeger/api/traces/{'b' * 32}", f"/jaeger/api/traces/{'d' * 32}"),
        "logs": (
            '/loki/api/v1/query_range?query={service_name="guess-b"}',
            '/loki/api/v1/query_range?query={service_name="guess-y"}',
        ),
    }[kind]
    took: tuple[list[float], list[float]] = ([], [])
    chance = random.Random(SEED)
    with requests.Session() as session:
        session.headers["Authorization"] = "Bearer read-a"
        for _ in range(1500):
            for which in chance.sample((0, 1), 2):
                began = time.perf_counter()
                session.get(router.url + targets[which], timeout=30)
                took[which].append(time.perf_counter() - began)
    z = _rank_difference(*took)
    medians = [statistics.median(one) * 1000 for one in took]
    print(f"{kind}: medians {medians[0]:.3f} and {medians[1]:.3f} ms, z {z:.2f}")
    assert abs(z) < 4, f"{kind}: medians {medians} ms, z {z}"


def _rank_difference(first: list[float], second: list[float]) -> float:
    ranked = sorted([(value, 0) for value in first] + [(value, 1) for value in second])
    ranks = sum(rank for rank, (_, which) in enumerate(ranked, 1) if which == 0)
    n, m = len(first), len(second)
    mean, deviation = n * (n + m + 1) / 2, math.sqrt(n * m * (n + m + 1) / 12)
    return (ranks - mean) / deviation


def test_the_rank_test_sees_a_difference() -> None:
    chance = random.Random(1)
    same = [[chance.lognormvariate(0, 0.3) for _ in range(1500)] for _ in range(2)]
    assert abs(_rank_difference(*same)) < 4
    assert abs(_rank_difference(same[0], [value * 1.1 for value in same[1]])) > 6
