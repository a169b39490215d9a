"""Prometheus and its tools as clients of the router, and what its smaller endpoints say to each of three customers.

As in test_router.py what lies in the stores is written there directly, with Prometheus 2.42 and 3.x as hot.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from launcher import parts
from launcher.commands import Command
from reading import MINUTE_MS, Reading, fill
from remote_write import sample_with_exemplar, series_bytes, sized, write_bytes
from stack import Running, Stack, prometheus_programs, wait_for

OLD_MS = 10 * 86_400_000
TOKENS = {"cliente-a": "read-a", "cliente-b": "read-b", "cliente-c": "read-c"}
# In every name and value that is the customer's, and in nobody else's.
CANARIES = {"cliente-a": ("mine_", "a_own"), "cliente-b": ("canary", "b_secret"), "cliente-c": ("third_",)}


def _traced(name: str, customer: str, time_ms: int, trace: str) -> bytes:
    labels = {"__name__": name, "customer_id": customer, "node_id": "n"}
    return series_bytes(labels, sample_with_exemplar(time_ms, 1.0, trace))


def _said(family: str, text: str) -> bytes:
    """What remote write says of a metric: a gauge."""
    return sized(3, b"\x08\x02" + sized(2, family.encode()) + sized(4, text.encode()))


def _fill_three(reading: Reading) -> None:
    fill(reading)
    labels = {"__name__": "third_total", "customer_id": "cliente-c", "node_id": "third_node"}
    reading.to_both(labels, [(reading.now_ms, 3.0)])
    storage, hot = reading.stack.layout.url("storage"), reading.stack.layout.url("hot")
    for customer, (canary, *_) in CANARIES.items():
        token = reading.stack.secrets["internal_token"]
        headers = {"Authorization": f"Bearer {token}", "X-Vigia-Customer": customer}
        old = _traced(f"{canary}traced", customer, reading.now_ms - OLD_MS, f"{canary}old")
        assert write_bytes(storage, old, headers).ok
        newest = _traced(f"{canary}traced", customer, reading.now_ms, f"{canary}both")
        assert write_bytes(hot, newest).ok
        assert write_bytes(storage, newest, headers).ok
        assert write_bytes(storage, _said("shared", f"{canary}help"), headers).ok
        assert write_bytes(storage, _said(f"{canary}only", ""), headers).ok


@pytest.fixture(scope="module", params=prometheus_programs(), ids=lambda program: program[0])
def reading(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reading]:
    """For tests that only look."""
    with Stack(tmp_path_factory.mktemp("router")) as stack:
        stack.hot_program = request.param[1]
        made = Reading(stack)
        made.start()
        _fill_three(made)
        yield made


def _check_canaries(customer: str, answer: requests.Response) -> None:
    assert answer.status_code == 200, answer.text
    shown = answer.text + json.dumps(dict(answer.headers))
    for other, canaries in CANARIES.items():
        if other != customer:
            assert not [canary for canary in (*canaries, other) if canary in shown], (customer, shown[:500])
    assert "127." not in shown, "no address inside is shown"


class TestEachOfThree:
    """Every endpoint, each customer: its own, and no byte of the others'."""

    def test_metadata(self, reading: Reading) -> None:
        for customer, (canary, *_) in CANARIES.items():
            answer = reading.ask("/api/v1/metadata", TOKENS[customer])
            _check_canaries(customer, answer)
            of_shared = [{"type": "gauge", "help": f"{canary}help", "unit": ""}]
            empty = [{"type": "gauge", "help": "", "unit": ""}]
            assert answer.json() == {"status": "success", "data": {f"{canary}only": empty, "shared": of_shared}}
            one = reading.ask("/api/v1/metadata", TOKENS[customer], metric="shared", limit=1)
            assert one.json()["data"] == {"shared": of_shared}
        everybody = reading.ask("/api/v1/metadata", "op", metric="shared").json()["data"]["shared"]
        assert {said["help"] for said in everybody} >= {f"{canary}help" for canary, *_ in CANARIES.values()}
        assert (
            len(reading.ask("/api/v1/metadata", "op", metric="shared", limit_per_metric=2).json()["data"]["shared"])
            == 2
        )

    # R-PM-11.
    def test_exemplars(self, reading: Reading) -> None:
        now = reading.now_ms / 1000
        for customer, (canary, *_) in CANARIES.items():
            for selector in (f"{canary}traced", 'rate({__name__=~".+traced"}[5m])', '{customer_id=~".*",node_id="n"}'):
                answer = reading.ask(
                    "/api/v1/query_exemplars",
                    TOKENS[customer],
                    query=selector,
                    start=now - OLD_MS / 1000 - 60,
                    end=now + 60,
                )
                _check_canaries(customer, answer)
                assert "warnings" not in answer.json(), answer.text
                (series,) = answer.json()["data"]
                assert series["seriesLabels"]["customer_id"] == customer
                traces = [exemplar["labels"]["trace_id"] for exemplar in series["exemplars"]]
                assert traces == [f"{canary}old", f"{canary}both"], "each once, by time"

    def test_federation(self, reading: Reading) -> None:
        for customer in CANARIES:
            for match in ('{__name__=~".+"}', ["up", '{node_id=~".+"}'], '{customer_id!="x",node_id!=""}'):
                answer = reading.ask("/federate", TOKENS[customer], match=match)
                _check_canaries(customer, answer)
                assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
                samples = [line for line in answer.text.splitlines() if not line.startswith("#")]
                assert all(f'customer_id="{customer}"' in line for line in samples)
                samples = [line for line in samples if not line.startswith("ALERTS")]  # hot's own, of later
                assert samples
                assert all(line.endswith(f" {reading.now_ms}") for line in samples), samples
            assert reading.ask("/federate", TOKENS[customer], match=['up{customer_id="x"}']).text == ""
        assert reading.ask("/federate").status_code == 400
        assert reading.ask("/federate", method="POST", match="up").status_code == 405

    def test_a_page_is_what_hot_itself_would_give(self, reading: Reading) -> None:
        ours = reading.ask("/federate", match='{__name__=~"a_own_total|up"}')
        fenced: dict[str, str] = {"match[]": '{__name__=~"a_own_total|up",customer_id="cliente-a"}'}
        its = requests.get(f"{reading.stack.layout.url('hot')}/federate", fenced, timeout=10)
        assert ours.text == its.text
        assert ours.text.count("# TYPE") == 2


# prometheus-query's page would be empty: a Prometheus federates what lies on its own disk.
def test_a_page_without_hot_is_none(tmp_path: Path) -> None:
    with Stack(tmp_path) as stack:
        reading = Reading(stack)
        reading.start()
        _fill_three(reading)
        whole = reading.ask("/federate", match='{__name__=~"a_own.*|up"}')
        assert whole.headers["X-Vigia-Served"].startswith("hot=")
        assert "# warning" not in whole.text
        stack.stop("prometheus-hot")
        assert reading.ask("/federate", match="up").status_code == 503
        stack.start("prometheus-hot")

        def is_whole_again() -> bool:
            answer = reading.ask("/federate", match='{__name__=~"a_own.*|up"}')
            return answer.status_code == 200 and answer.text == whole.text

        wait_for("the whole page", is_whole_again, 30)


def _start_client(program: Path, folder: Path, reading: Reading) -> tuple[Running, str]:
    """A Prometheus of cliente-a's that takes over what the router has of it."""
    host = reading.stack.layout.host
    port = reading.stack.layout.ports["monitor"]  # it does not run here
    config = {
        "global": {"scrape_interval": "1s"},
        "scrape_configs": [
            {
                "job_name": "vigia",
                "honor_labels": True,
                "metrics_path": "/federate",
                "params": {"match[]": ['{__name__=~".+"}']},
                "authorization": {"credentials": "read-a"},
                "static_configs": [{"targets": [f"{host}:{reading.stack.layout.ports['router']}"]}],
            }
        ],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    url = f"http://{host}:{port}"
    words = [
        str(program),
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/tsdb",
        f"--web.listen-address={host}:{port}",
    ]
    running = Running(Command("prometheus", words, f"{url}/-/ready", {}), folder / "prometheus.log")
    running.wait_until_ready()
    return running, url


@pytest.mark.parametrize("client", prometheus_programs(), ids=lambda program: program[0])
def test_prometheus_federates(reading: Reading, client: tuple[str, Path], tmp_path: Path) -> None:
    running, url = _start_client(client[1], tmp_path, reading)

    def result(query: str) -> list[dict[str, Any]]:
        form = {"query": query, "time": str(reading.now_ms / 1000 + 1)}
        answer = requests.get(f"{url}/api/v1/query", form, timeout=10)
        found: list[dict[str, Any]] = answer.json()["data"]["result"]
        return found

    try:
        wait_for("a scrape", lambda: result("a_own_total"), 20)
        expected = reading.result("a_own_total", time=reading.now_ms / 1000 + 1)
        for (
            series
        ) in expected:  # a scrape puts it in where there is none; of an instance the page says that there is none
            series["metric"]["job"] = "vigia"
        assert result("a_own_total") == expected, "labels and values as they are"
        (time,) = result("timestamp(a_own_total)")
        assert float(time["value"][1]) == reading.now_ms / 1000, "each sample with its own time"
        names = requests.get(f"{url}/api/v1/label/__name__/values", timeout=10).json()["data"]
        assert not [name for name in names if "secret" in name or "third" in name]
        customers = requests.get(f"{url}/api/v1/label/customer_id/values", timeout=10).json()["data"]
        assert customers == ["cliente-a"]
        targets = requests.get(f"{url}/api/v1/targets", timeout=10).json()["data"]["activeTargets"]
        assert [(target["health"], target["lastError"]) for target in targets] == [("up", "")]
    finally:
        running.end()


def _promtool(reading: Reading, *words: str) -> str:
    url = f"http://token:read-a@{reading.stack.layout.host}:{reading.stack.layout.ports['router']}"
    command = [str(parts.promtool()), "query", *(url if word == "URL" else word for word in words)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_promtool_asks(reading: Reading) -> None:
    now = reading.now_ms // 1000
    instant = _promtool(reading, "instant", f"--time={now}", "URL", 'up{customer_id!="cliente-b"}')
    assert re.fullmatch(rf'up{{customer_id="cliente-a", job="x", node_id="mine_node"}} => 1 @\[{now}\]\n', instant), (
        instant
    )
    hour = _promtool(
        reading, "range", f"--start={now - 3600}", f"--end={now}", "--step=60s", "URL", "count(a_own_total)"
    )
    assert len(re.findall(r"@\[\d+", hour)) == 60, hour
    span = (f"--start={now - MINUTE_MS // 1000}", f"--end={now}")
    series = _promtool(reading, "series", '--match={__name__=~".+"}', *span, "URL")
    assert 'customer_id="cliente-a"' in series
    assert "cliente-b" not in series
    assert _promtool(reading, "labels", *span, "URL", "customer_id").split() == ["cliente-a"]
