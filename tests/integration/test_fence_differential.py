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

    def __init__(self, folder: Path, program: Path, address: str) -> None:
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


@pytest.fixture(params=prometheus_programs(), ids=lambda version: version[0])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Store, Store]]:
    version, program = request.param
    host = own_host()
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


def _cases(version: str) -> Iterator[tuple[str, str]]:
    words = [str(binaries() / "vigia-promql-fences"), "cliente-a", version[0], str(CASES)]
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
