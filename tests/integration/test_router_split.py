"""One customer over several hot shards: each query where everything is, each list from all of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from otlp import gauge, metrics_request, post, resource_of
from pairs import SHARDS, Split, sent_of, shard_of_node
from reading import MINUTE_MS, is_cold, is_hot
from stack import Stack, prometheus_programs, wait_for

NODES = ("prod-web-0", "prod-web-1", "prod-web-2")
RULES = """\
groups:
  - name: of-cliente-a
    interval: 1s
    rules:
      - {alert: OwnOfA, expr: 'own{customer_id="cliente-a"} >= 0', labels: {customer_id: cliente-a}}
"""


def fill(split: Split) -> None:
    """A series of each node, one without a node, and one that hot alone has."""
    times = [(split.now_ms - n * MINUTE_MS, 100.0 - n) for n in reversed(range(60))]
    for number, node in enumerate(NODES):
        values = [(time_ms, value + 1000 * number) for time_ms, value in times]
        labels = {"__name__": "own", "customer_id": "cliente-a", "node_id": node}
        split.to_both(labels, values)
        split.to_hot({**labels, "__name__": "only_hot", f"label_of_{number}": "x"}, values[-5:])
    split.to_both({"__name__": "own", "customer_id": "cliente-a"}, times)
    split.to_both({"__name__": "own", "customer_id": "cliente-b", "node_id": NODES[1]}, times)
    for name in SHARDS:
        split.beat_at(name, 56)

    def covers() -> bool:
        return all(is_hot(split.ask("/api/v1/query", query=f'own{{node_id="{node}"}}')) for node in NODES)

    wait_for("both cover", covers, 20)


@pytest.fixture(params=prometheus_programs(), ids=lambda program: program[0])
def split(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Split]:
    with Stack(tmp_path) as stack:
        stack.hot_program = request.param[1]
        made = Split(stack)
        (stack.layout.data / "rules" / "hot-0" / "test.yml").write_text(RULES)
        made.start()
        fill(made)
        yield made


def values(answer: requests.Response) -> dict[str, str]:
    """By node."""
    assert answer.status_code == 200, answer.text
    return {entry["metric"].get("node_id", ""): entry["value"][1] for entry in answer.json()["data"]["result"]}


def test_a_query_goes_where_all_that_it_reads_is(split: Split) -> None:
    assert [shard_of_node(node) for node in NODES] == ["hot-0", "hot-1", "hot-0"]
    one = split.ask("/api/v1/query", query=f'own{{node_id="{NODES[1]}"}}')
    assert is_hot(one), one.headers
    assert values(one) == {NODES[1]: "1100"}
    two = split.ask("/api/v1/query", query=f'sum(own{{node_id=~"({NODES[0]}|{NODES[2]})"}})')
    assert is_hot(two), two.headers
    assert values(two) == {"": "2200"}
    end = split.now_ms / 1000
    form: dict[str, Any] = {"start": end - 600, "end": end, "step": 60}
    both = f'own{{node_id="{NODES[0]}"}} - on () own{{node_id="{NODES[2]}"}}'
    assert is_hot(split.ask("/api/v1/query_range", query=both, **form))
    # Of several shards, and whatever may be of any.
    for query in (
        "own",
        f'own{{node_id=~"({NODES[0]}|{NODES[1]})"}}',
        f'own{{node_id="{NODES[0]}"}} - on () own{{node_id="{NODES[1]}"}}',
        'own{node_id=""}',
        'own{node_id=~"prod-.*"}',
        f'own{{node_id="{NODES[0]}"}} or own',
    ):
        assert is_cold(split.ask("/api/v1/query", query=query)), query
    assert values(split.ask("/api/v1/query", query="own")) == {
        "": "100",
        NODES[0]: "100",
        NODES[1]: "1100",
        NODES[2]: "2100",
    }
    assert split.ask("/api/v1/query", query="1+1").json()["data"]["result"][1] == "2"
    assert values(split.ask("/api/v1/query", "read-b", query="own")) == {NODES[1]: "100"}


def test_lists_are_of_all_shards_and_each_entry_once(split: Split) -> None:
    labels = split.ask("/api/v1/labels").json()
    assert "warnings" not in labels
    assert {"label_of_0", "label_of_1", "label_of_2"} <= set(labels["data"])
    series = split.ask("/api/v1/series", match="only_hot").json()["data"]
    assert sorted(entry["node_id"] for entry in series) == sorted(NODES)
    assert len(split.ask("/api/v1/series", match="own").json()["data"]) == 4, "the one without a node lies in both"

    def alerts() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = split.ask("/api/v1/alerts").json()["data"]["alerts"]
        return found

    nodes = ["", *NODES]
    wait_for("both evaluate", lambda: len(alerts()) >= len(nodes))
    assert sorted(alert["labels"].get("node_id", "") for alert in alerts()) == sorted(nodes)
    targets = split.ask("/api/v1/targets").json()
    assert targets["data"]["activeTargets"] == []
    page = split.ask("/federate", match="own")
    assert page.status_code == 200, page.text
    samples = sorted(line for line in page.text.splitlines() if not line.startswith("#"))
    assert len(samples) == 4, page.text
    assert page.text.count("# TYPE own") == 1
    assert "cliente-b" not in page.text


@pytest.mark.parametrize("victim", SHARDS)
def test_a_shard_that_is_away_is_named_and_its_nodes_are_colds(split: Split, victim: str) -> None:
    expected = {node: values(split.ask("/api/v1/query", query=f'own{{node_id="{node}"}}')) for node in NODES}
    split.stack.kill(victim)
    for node in NODES:
        answer = split.ask("/api/v1/query", query=f'own{{node_id="{node}"}}')
        assert values(answer) == expected[node]
        assert is_cold(answer) if shard_of_node(node) == victim else is_hot(answer), (node, answer.headers)
        assert "warnings" not in answer.json()
    missing = f"hot part missing: the hot store {victim} does not answer"
    lists: tuple[tuple[str, dict[str, Any]], ...] = (
        ("/api/v1/labels", {}),
        ("/api/v1/series", {"match": "own"}),
        ("/api/v1/rules", {}),
        ("/api/v1/alerts", {}),
        ("/api/v1/targets", {}),
        ("/api/v1/metadata", {}),
        ("/api/v1/query_exemplars", {"query": "own"}),
    )
    for path, form in lists:
        answer = split.ask(path, **form)
        assert answer.status_code == 200, (path, answer.text)
        assert any(warning.startswith(missing) for warning in answer.json()["warnings"]), (path, answer.text)
    page = split.ask("/federate", match="own")
    assert page.status_code == 200, page.text
    assert f"# warning: {missing}" in page.text
    left = [line for line in page.text.splitlines() if not line.startswith("#")]
    assert len(left) == 1 + sum(shard_of_node(node) != victim for node in NODES), page.text
    assert split.ask("/api/v1/query", query="1+1").json()["data"]["result"][1] == "2"


def test_without_the_long_term_store_nothing_is_silently_less(split: Split) -> None:
    split.stack.kill("storage", "prometheus-query")
    answer = split.ask("/api/v1/query", query="own")
    assert answer.status_code == 503, "no shard has all of it"
    assert is_hot(split.ask("/api/v1/query", query=f'own{{node_id="{NODES[1]}"}}'))


def test_the_collector_splits_by_node(tmp_path: Path) -> None:
    with Stack(tmp_path) as stack:
        split = Split(stack)
        layout = stack.layout
        file = layout.config / "collector.yaml"
        text = file.read_text()
        begin, end = text.index("    directory:\n"), text.index("  file_storage")
        text = f"{text[:begin]}    directory: {{file: {layout.config}/customers.yaml}}\n{text[end:]}"
        one = next(line for line in text.splitlines() if line.startswith("  prometheusremotewrite/hot-0:"))
        text = text.replace(
            one, f"{one}\n{one.replace('hot-0', 'hot-1').replace(layout.url('hot'), split.member_url('hot-1'))}"
        )
        text = text.replace("prometheusremotewrite/hot-0,", "prometheusremotewrite/hot-0, prometheusremotewrite/hot-1,")
        file.write_text(text)
        split.start()
        stack.start("collector")

        def send(*nodes: str) -> None:
            request = metrics_request(resource_of("cliente-a", nodes[0]), gauge("pushed", [(now_ms, 1.0)]))
            for node in nodes[1:]:
                more = metrics_request(resource_of("cliente-a", node), gauge("pushed", [(now_ms, 1.0)]))
                request.resource_metrics.extend(more.resource_metrics)
            answer = post(layout.url("collector_http"), "ingest-a", request.SerializeToString())
            assert answer.status_code == 200, answer.text

        def nodes_at(name: str) -> list[str]:
            answer = requests.get(f"{split.member_url(name)}/api/v1/series", params={"match[]": "pushed"}, timeout=10)
            return sorted(series.get("node_id", "") for series in answer.json()["data"])

        now_ms = int(time.time() * 1000)
        for node in NODES:
            send(node)
        own = {name: sorted(node for node in NODES if shard_of_node(node) == name) for name in SHARDS}
        wait_for("each has its nodes", lambda: {name: nodes_at(name) for name in SHARDS} == own)
        # Of one request that has nodes of both each gets all: a node is always whole in its own shard.
        mixed = ("prod-web-3", "prod-web-7")
        assert {shard_of_node(node) for node in mixed} == set(SHARDS)
        send(*mixed)
        more = {name: sorted([*own[name], *mixed]) for name in SHARDS}
        wait_for("both have the mixed ones", lambda: {name: nodes_at(name) for name in SHARDS} == more)
        sent = {name: sent_of(stack, name) for name in SHARDS}
        assert sent == {name: float(len(more[name])) for name in SHARDS}
