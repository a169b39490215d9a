"""What the router sends in a query's place means what the customer asked, judged by real Prometheus servers.

One server holds a customer's series alone, the other those of a second customer, too, alike but for their values. Random
expressions go to the first as they were asked and to the second as libs/promql prints and fences them: equal answers. The
same expressions unfenced must differ there, or the test could not fail.
"""

from __future__ import annotations

import json
import math
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import remote_write
import requests
from launcher.commands import Command
from launcher.layout import own_host
from stack import Running, binaries, prometheus_programs

SEED = 20260601
CASES = 300
QUERIES = 1_000
NOW = 1609746000  # which the expressions name behind an @
STEP = 30
STEPS = 240
NAMES = ("up", "a:b", "sum", "by", "rate", "x_total", "offset", "start")
NEW_NAMES = ("x.y", "ñ", "bool")
VALUES = {
    "job": ("a", "b", "x1", ""),
    "node_id": ("a", "", "x"),
    "le": ("0.5", "1", "+Inf", ""),
    "by": ("a", "b", ""),
    "inf": ("b", ""),
}
CONFIGURATION = """
global: {scrape_interval: 1h}
storage: {tsdb: {out_of_order_time_window: 48h}}
"""


class Store:
    """One Prometheus."""

    def __init__(self, folder: Path, program: Path, address: str, *more: str) -> None:
        (folder / "p.yml").write_text(CONFIGURATION)
        port = address.rpartition(":")[2]
        self.url = f"http://{address}"
        words = [
            str(program),
            f"--config.file={folder}/p.yml",
            f"--storage.tsdb.path={folder}/data-{port}",
            f"--web.listen-address={address}",
            "--storage.tsdb.retention.time=100y",
            "--web.enable-remote-write-receiver",
            *more,
        ]
        self.running = Running(Command(f"prometheus-{port}", words, f"{self.url}/-/ready", {}), folder / f"{port}.log")
        self.running.wait_until_ready()

    def evaluate(self, expression: str, is_range: bool) -> Any:
        """What is equal in equal answers."""
        times = {"start": NOW - 600, "end": NOW, "step": 60} if is_range else {"time": NOW}
        path = "/api/v1/query_range" if is_range else "/api/v1/query"
        answer = requests.post(f"{self.url}{path}", data={"query": expression, **times}, timeout=30).json()
        if answer["status"] != "success":
            return answer["errorType"]
        result = answer["data"]["result"]
        if answer["data"]["resultType"] in ("scalar", "string"):
            return result
        return {json.dumps(one["metric"], sort_keys=True): one.get("values") or [one.get("value")] for one in result}


def _series(chance: random.Random, names: tuple[str, ...]) -> list[dict[str, str]]:
    """Of each name some, no two alike."""
    found = {}
    for name in names:
        for _ in range(8):
            labels = {"__name__": name, **{key: chance.choice(values) for key, values in VALUES.items()}}
            plain = {key: value for key, value in labels.items() if value}
            found[json.dumps(plain, sort_keys=True)] = plain
    return list(found.values())


def _samples(chance: random.Random) -> list[tuple[int, float]]:
    """A walk with resets and holes, and now and then a value that is no number."""
    value, samples = chance.uniform(0, 100), []
    for number in range(STEPS):
        value = 0.0 if chance.random() < 0.02 else value + chance.uniform(0, 10)
        if chance.random() < 0.05:
            continue
        shown = chance.choice((math.nan, math.inf)) if chance.random() < 0.01 else value
        samples.append(((NOW - (STEPS - number) * STEP) * 1000, shown))
    return samples


def _is_close(left: Any, right: Any) -> bool:
    """Sums may be made in another order: the last digits are not the meaning."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_is_close(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(_is_close(one, other) for one, other in zip(left, right, strict=True))
    if left == right:
        return True
    try:
        return math.isclose(float(left), float(right), rel_tol=1e-9, abs_tol=1e-9)
    except (TypeError, ValueError):
        return False


@pytest.fixture(scope="module", params=prometheus_programs(), ids=lambda version: version[0])
def stores(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Store, Store]]:
    version, program = request.param
    host = own_host()
    tmp_path = tmp_path_factory.mktemp("fenced")
    alone, shared = Store(tmp_path, program, f"{host}:9090"), Store(tmp_path, program, f"{host}:9091")
    chance = random.Random(SEED)
    mine, others = [], []
    for labels in _series(chance, NAMES if version == "2.42" else NAMES + NEW_NAMES):
        mine.append(({**labels, "customer_id": "cliente-a"}, _samples(chance)))
        others.append(({**labels, "customer_id": "cliente-b"}, _samples(chance)))
    remote_write.write(alone.url, mine)
    remote_write.write(shared.url, mine + others)
    yield version, alone, shared
    for store in (alone, shared):
        store.running.end(15)


# As these stores are started: without a feature.
LANGUAGES = {"2.42": ["2.42.0", ""], "3.x": ["3.5.0", ""]}


def _cases(version: str) -> Iterator[tuple[str, str]]:
    words = [str(binaries() / "vigia-promql-fences"), "cliente-a", *LANGUAGES[version], str(CASES)]
    for line in subprocess.run(words, check=True, capture_output=True, text=True, timeout=60).stdout.splitlines():
        case = json.loads(line)
        # absent() shows what its selector says of the customer, and there the fence is a second word on it.
        if not ("absent" in case["asked"] and "customer_id" in case["asked"]):
            yield case["asked"], case["sent"]


def test_a_fenced_query_answers_what_was_asked(stores: tuple[str, Store, Store]) -> None:
    version, alone, shared = stores
    with_answer = leaking = 0
    wrong = []
    for number, (asked, sent) in enumerate(_cases(version)):
        is_range = number % 2 == 0
        wanted = alone.evaluate(asked, is_range)
        found = shared.evaluate(sent, is_range)
        if not _is_close(wanted, found):
            wrong.append(f"{asked}\n  sent as {sent}\n  wanted {wanted}\n  found {found}")
        with_answer += isinstance(wanted, dict) and bool(wanted)
        leaking += not _is_close(wanted, shared.evaluate(asked, is_range))
    assert not wrong, f"{len(wrong)} differ:\n" + "\n".join(wrong[:5])
    assert with_answer > CASES / 5, f"{with_answer} of {CASES} say anything"
    assert leaking > CASES / 10, f"{leaking} of {CASES} would show another's data without the fence"


def _formatted(session: requests.Session, store: Store, query: str) -> str | None:
    """As Prometheus prints it; nothing where it refuses it."""
    answer = session.post(f"{store.url}/api/v1/format_query", data={"query": query}, timeout=30).json()
    return str(answer["data"]) if answer["status"] == "success" else None


def test_what_is_promql_here_is_promql_there(stores: tuple[str, Store, Store]) -> None:
    """The verdict, and what is printed in a query's place. The newest parser is asked more, by tests/integration/test_promql_parser.py."""
    version, store, _ = stores
    program = [str(binaries() / "vigia-promql-parsed")]
    made = [*program, "make", *LANGUAGES[version], str(QUERIES), str(SEED)]
    lines = subprocess.run(made, check=True, capture_output=True, text=True, timeout=60).stdout
    read = [*program, "read", *LANGUAGES[version]]
    verdicts = subprocess.run(read, input=lines, check=True, capture_output=True, text=True, timeout=60).stdout
    taken, wrong = 0, []
    session = requests.Session()
    for query, ours in zip(map(json.loads, lines.splitlines()), map(json.loads, verdicts.splitlines()), strict=True):
        theirs = _formatted(session, store, query)
        text = ours.get("text")
        taken += text is not None
        if (text is None) != (theirs is None) or (text is not None and _formatted(session, store, text) != theirs):
            wrong.append(f"{query!r}\n  here {ours}\n  there {theirs!r}")
    assert not wrong, f"{len(wrong)} differ:\n" + "\n".join(wrong[:5])
    assert QUERIES * 0.3 < taken < QUERIES * 0.8, taken


# Of cliente-a as of a store that it has for itself.
INFO = (
    'info(x, {cluster=~".+"})',
    'info(rate(x_total[5m]), {cluster="mine", zone=~".*"})',
    'sum by (cluster) (info(x, {cluster=~".+"}))',
    'info(x, {cluster="theirs"})',
    'info(x, {__name__="build_info", version=~".+"})',
    'info(x, {__name__=~"(build|target)_info", version=~".+", cluster=~".*"})',
    'info({__name__=~"x|y"}, {cluster!=""})',
    'info(sum by (customer_id, job, instance) (x), {zone=~"z1|z2"})',
    'info(topk(1, x) or y, {cluster=~".+"}) * 2',
)
INFO_REFUSED = ("info(x)", "info(x, {})", 'info(x, {cluster=~".*"})', 'info(sum by (job) (x), {cluster=~".+"})')


def _info_series(customer: str, cluster: str) -> list[tuple[dict[str, str], list[tuple[int, float]]]]:
    samples = [((NOW - age) * 1000, float(age)) for age in (600, 300, 120, 60, 30, 1)]
    series = []
    for instance in ("i1", "i2"):
        where = {"customer_id": customer, "job": "j", "instance": instance}
        series += [{"__name__": name, **where} for name in ("x", "y", "x_total")]
        series.append({"__name__": "target_info", **where, "cluster": cluster, "zone": f"z{instance[1]}"})
    where = {"customer_id": customer, "job": "j", "instance": "i1"}
    series.append({"__name__": "build_info", **where, "version": cluster})
    if customer == "cliente-a":  # the other has it, too: what is joined then is not this customer's
        series = [one for one in series if not (one["__name__"] == "target_info" and one["instance"] == "i2")]
    return [(one, samples) for one in series]


def test_info_joins_one_customers_series_alone(tmp_path: Path) -> None:
    host = own_host()
    more = "--enable-feature=promql-experimental-functions"
    program = dict(prometheus_programs())["3.x"]
    alone, shared = (Store(tmp_path, program, f"{host}:{port}", more) for port in (9401, 9402))
    try:
        remote_write.write(alone.url, _info_series("cliente-a", "mine"))
        remote_write.write(shared.url, _info_series("cliente-a", "mine") + _info_series("cliente-b", "theirs"))
        words = [str(binaries() / "vigia-promql-parsed"), "send", "3.5.0", more.partition("=")[2], "cliente-a"]
        lines = "".join(json.dumps(query) + "\n" for query in INFO + INFO_REFUSED)
        told = subprocess.run(words, input=lines, check=True, capture_output=True, text=True, timeout=60).stdout
        sent = [json.loads(line) for line in told.splitlines()]
        leaking = 0
        for query, one in zip(INFO, sent, strict=False):
            for is_range in (False, True):
                wanted = alone.evaluate(query, is_range)
                assert isinstance(wanted, dict), (query, wanted)
                assert shared.evaluate(one["text"], is_range) == wanted, (query, one)
                leaking += shared.evaluate(query, is_range) != wanted
        assert "mine" in json.dumps(alone.evaluate(INFO[0], False))
        assert leaking > len(INFO), "unfenced it would be the same"
        assert all("info() is offered" in one["error"] for one in sent[len(INFO) :]), sent
    finally:
        for store in (alone, shared):
            store.running.end(15)
