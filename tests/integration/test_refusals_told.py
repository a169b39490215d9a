"""The table of refusals in docs/api.md, held to what a collector answers over HTTP and gRPC."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
import requests
from launcher.paths import ROOT
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import MetricsServiceStub
from otlp import gauge, metrics_request, post
from rest import Caller, unique
from stack import Running, Stack, wait_for


def _table() -> dict[str, tuple[int, str]]:
    """By the sentence: HTTP status and gRPC code."""
    page = (ROOT / "docs" / "api.md").read_text()
    rows = re.findall(r"^\| (\d{3}) \| (\w+|–) \| `([^`]+)` \|", page, re.MULTILINE)
    return {sentence: (int(status), code) for status, code, sentence in rows}


def _request(customer: str | None, points: int = 1) -> ExportMetricsServiceRequest:
    now = time.time_ns() // 1_000_000
    resource = {} if customer is None else {"customer.id": customer}
    return metrics_request(resource, gauge("vigia_refusal", [(now - at, 1.0) for at in range(points)]))


def _grpc_answer(address: str, token: str | None, request: ExportMetricsServiceRequest) -> tuple[str, str]:
    metadata = [] if token is None else [("authorization", f"Bearer {token}")]
    with grpc.insecure_channel(address) as channel:
        try:
            MetricsServiceStub(channel).Export(request, metadata=metadata, timeout=10)
        except grpc.RpcError as error:
            return error.code().name, error.details()
    return "OK", ""


def _text(answer: requests.Response) -> str:
    return answer.content.decode(errors="replace")


class Sending:
    """Two customers, one of them with a rate of one point a second, and tokens of every kind."""

    def __init__(self, stack: Stack) -> None:
        stack.start("monitor", "collector")
        self.url, self.address = stack.layout.url("collector_http"), stack.layout.address("collector_grpc")
        operator = Caller(stack.layout.url("monitor")).log_in("admin", stack.secrets["admin_password"])
        self.customer, self.slow = unique("one"), unique("slow")
        operator.good("POST", "/customers", {"id": self.customer, "name": "One"})
        operator.good("POST", "/customers", {"id": self.slow, "name": "Slow", "limits": {"points_per_second": 1}})

        def token(customer: str, scope: str) -> str:
            value: str = operator.good("POST", f"/customers/{customer}/tokens", {"name": "t", "scope": scope})["token"]
            return value

        self.reading, self.slow_token = token(self.customer, "read"), token(self.slow, "ingest")
        self.token = token(self.customer, "ingest")  # the last one: when it is known, all are
        wait_for("the tokens are known", lambda: post(self.url, self.token, b"").status_code == 200, 10)


@pytest.fixture(scope="module")
def sending(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sending]:
    with Stack(tmp_path_factory.mktemp("refusals")) as stack:
        yield Sending(stack)


def _told(sentence: str, answer: requests.Response) -> None:
    assert sentence in _text(answer)
    assert answer.status_code == _table()[sentence][0]


def test_each_sentence_of_the_table_has_its_test() -> None:
    tests = Path(__file__).read_text().partition("class Sending")[2]
    assert len(_table()) == 14
    assert [sentence for sentence in _table() if f'"{sentence}"' not in tests] == []


@pytest.mark.parametrize(
    ("sentence", "token", "customer"),
    [
        ("header is needed", None, "own"),
        ("the token is not known or has expired", "vgi_unknown", "own"),
        ("the token's scope is not ingest", "reading", "own"),
        ("names another customer than the token", "own", "another"),
        ("customer.id is missing", "own", None),
    ],
)
def test_of_token_and_customer(sending: Sending, sentence: str, token: str | None, customer: str | None) -> None:
    tokens = {"own": sending.token, "reading": sending.reading}
    sent = token and tokens.get(token, token)
    request = _request({"own": sending.customer, "another": sending.slow}.get(customer or ""))
    _told(sentence, post(sending.url, sent, request.SerializeToString()))
    code, details = _grpc_answer(sending.address, sent, request)
    assert code == _table()[sentence][1]
    assert sentence in details


@pytest.mark.parametrize(
    ("sentence", "method", "path", "headers"),
    [
        ("not an OTLP metrics request", "POST", "/v1/metrics", {}),
        ("no such path", "POST", "/v1/metric", {}),
        ("OTLP requests are POST", "GET", "/v1/metrics", {}),
        ("content-type must be", "POST", "/v1/metrics", {"Content-Type": "text/plain"}),
        ("is not known; use gzip", "POST", "/v1/metrics", {"Content-Encoding": "br"}),
    ],
)
def test_of_the_request(sending: Sending, sentence: str, method: str, path: str, headers: dict[str, str]) -> None:
    sent = {"Authorization": f"Bearer {sending.token}", "Content-Type": "application/x-protobuf", **headers}
    _told(sentence, requests.request(method, f"{sending.url}{path}", data=b"\xff\xff\xff", headers=sent, timeout=10))


def test_of_a_body_that_is_too_large(sending: Sending) -> None:
    _told("the body is larger than", post(sending.url, sending.token, b"\0" * (33 << 20)))


def test_of_more_items_than_a_rate_could_ever_let_through(sending: Sending) -> None:
    sentence = "send them in smaller requests"
    request = _request(sending.slow, 3000)
    _told(sentence, post(sending.url, sending.slow_token, request.SerializeToString()))
    assert _grpc_answer(sending.address, sending.slow_token, request)[0] == _table()[sentence][1]


def test_of_a_rate(sending: Sending) -> None:
    sentence = "over the customer's"
    request = _request(sending.slow, 1500)
    answers = [post(sending.url, sending.slow_token, request.SerializeToString()) for _ in range(3)]
    _told(sentence, answers[-1])
    assert "Retry-After" in answers[-1].headers
    assert _grpc_answer(sending.address, sending.slow_token, request)[0] == _table()[sentence][1]


def test_of_a_collector_that_knows_no_directory_yet(stack: Stack) -> None:
    sentence = "customers and tokens are not loaded yet"
    stack.running["collector"] = Running(stack.command("collector"), stack.folder / "log" / "collector.log")
    url = stack.layout.url("collector_http")
    wait_for("it answers", lambda: post(url, "vgi_any", b"").status_code)
    _told(sentence, post(url, "vgi_any", b""))
    assert _grpc_answer(stack.layout.address("collector_grpc"), "vgi_any", _request("any"))[0] == _table()[sentence][1]
