"""The founding document's queries, with a customer's token and with the operator's, on real data."""

from __future__ import annotations

import http.client

import pytest
from stack import Stack, wait_for


@pytest.fixture(scope="module")
def fed(running_stack: Stack) -> Stack:
    running_stack.start("shop")

    def has_everything() -> bool:
        up = running_stack.query('up{job="customer-agents"} == 1')
        assert len(up) == 3, up
        for customer in ("cliente-a", "cliente-b"):
            assert running_stack.query("system_cpu_usage", running_stack.token(customer, "read"))
        assert running_stack.query("http_request_duration_seconds", running_stack.token("cliente-a", "read"))
        return True

    wait_for("data of both customers", has_everything, 60)
    return running_stack


def test_cpu_by_node(fed: Stack) -> None:
    query = 'avg(system_cpu_usage{customer_id="cliente-a"}) by (node_id)'
    for token in (fed.token("cliente-a", "read"), None):
        result = fed.query(query, token)
        assert [entry["metric"] for entry in result] == [{"node_id": "prod-web-01"}]
        assert 0 <= float(result[0]["value"][1]) <= 100
    assert fed.query(query, fed.token("cliente-b", "read")) == [], "another customer's matcher: 200, empty"


def test_nodes_down(fed: Stack) -> None:
    for token in (fed.token("cliente-b", "read"), None):
        assert fed.query('up{customer_id="cliente-b"} == 0', token) == []
        assert len(fed.query('up{customer_id="cliente-b"} == 1', token)) == 2


def test_latency(fed: Stack) -> None:
    query = 'avg(http_request_duration_seconds{customer_id="cliente-a"})'
    for token in (fed.token("cliente-a", "read"), None):
        assert 0 < float(fed.query(query, token)[0]["value"][1]) < 5
    assert fed.query(query, fed.token("cliente-b", "read")) == []


def test_active_nodes_by_customer(fed: Stack) -> None:
    query = 'count(up{job="customer-agents"} == 1) by (customer_id)'

    def counts(token: str | None) -> dict[str, str]:
        return {entry["metric"]["customer_id"]: entry["value"][1] for entry in fed.query(query, token)}

    assert counts(None) == {"cliente-a": "1", "cliente-b": "2"}
    assert counts(fed.token("cliente-a", "read")) == {"cliente-a": "1"}
    assert counts(fed.token("cliente-b", "read")) == {"cliente-b": "2"}


def test_full_buffers(fed: Stack) -> None:
    assert fed.query("agent_buffer_usage_percent > 80") == []
    assert len(fed.query('agent_buffer_usage_percent{job="customer-agents"} <= 80')) == 3


def test_every_series_carries_its_customer_and_node(fed: Stack) -> None:
    for customer, nodes in {"cliente-a": {"prod-web-01"}, "cliente-b": {"b-web-01", "b-db-01"}}.items():
        result = fed.query('{__name__=~"system_.+"}', fed.token(customer, "read"))
        assert len({entry["metric"]["__name__"] for entry in result}) > 10
        for entry in result:
            metric = entry["metric"]
            assert metric["customer_id"] == customer
            assert metric["node_id"] in nodes
            assert metric["environment"] == "production"
            assert metric["node_region"] in ("us-east-1", "sa-east-1")


PATHS = (
    '/api/v1/query?query={__name__=~".%2B"}',
    '/api/v1/series?match[]={__name__=~".%2B"}',
    "/api/v1/labels",
    "/api/v1/label/customer_id/values",
    "/api/v1/label/node_id/values",
    "/api/v1/rules",
    "/api/v1/alerts",
    "/api/v1/targets",
    "/api/v1/metadata",
    "/api/v1/status/config",
    "/api/v1/status/flags",
    '/federate?match[]={__name__=~".%2B"}',
    "/jaeger/api/services",
    "/loki/api/v1/labels",
    "/loki/api/v1/series",
)


@pytest.mark.parametrize("path", PATHS)
def test_cliente_b_never_shows_cliente_a(fed: Stack, path: str) -> None:
    answer = fed.ask(path, fed.token("cliente-b", "read"))
    assert answer.status_code == 200, answer.text
    for canary in ("cliente-a", "prod-web-01", "us-east-1", "Empresa XYZ", "tienda"):
        assert canary not in answer.text
        assert all(canary not in value for value in answer.headers.values())


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/admin/tsdb/snapshot",
        "/api/v1/write",
        "/metrics",
        "//api/v1/query",
        "/api/v1/../v1/query",
        "/api/v1/%71uery",
    ],
)
def test_unlisted_paths_are_unknown(fed: Stack, path: str) -> None:
    # http.client sends the path as it stands; requests would tidy it first.
    connection = http.client.HTTPConnection(fed.layout.host, fed.layout.ports["router"], timeout=10)
    connection.request("GET", path, headers={"Authorization": f"Bearer {fed.token('cliente-a', 'read')}"})
    assert connection.getresponse().status == 404


def test_an_operator_may_look_through_one_customers_eyes(fed: Stack) -> None:
    import requests

    headers = {"Authorization": f"Bearer {fed.secrets['operator_token']}", "X-Vigia-Customer": "cliente-b"}
    url = f"{fed.layout.url('router')}/api/v1/label/customer_id/values"
    assert requests.get(url, headers=headers, timeout=10).json()["data"] == ["cliente-b"]
    headers["Authorization"] = f"Bearer {fed.token('cliente-a', 'read')}"
    assert requests.get(url, headers=headers, timeout=10).json()["data"] == ["cliente-a"], "no customer may"


def test_no_query_holds_a_store_that_all_share(fed: Stack) -> None:
    # Prometheus repeats a constant over a subquery's steps in a loop that no time-out ends.
    for query in ("count_over_time(vector(1)[50y:1ms])", "sum(count_over_time(vector(1)[1d:1s]))[2y:1d]"):
        answer = fed.ask("/api/v1/query", fed.token("cliente-b", "read"), query=query)
        assert answer.status_code == 400, answer.text
        assert "longer step" in answer.json()["error"]
    assert fed.query("max_over_time(up[1m:1s])", fed.token("cliente-b", "read"))


def test_metadata_of_one_metric(fed: Stack) -> None:
    """D-F3: what is asked for by name was 503, for everybody."""
    for token in (fed.token("cliente-a", "read"), None):
        everything = fed.ask("/api/v1/metadata", token).json()["data"]
        assert "agent_healthy" in everything
        answer = fed.ask("/api/v1/metadata", token, metric="agent_healthy")
        assert answer.status_code == 200, answer.text
        assert answer.json()["data"] == {"agent_healthy": everything["agent_healthy"]}
        assert fed.ask("/api/v1/metadata", token, metric="nope").json()["data"] == {}
