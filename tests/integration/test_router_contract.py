"""docs/api/router.yaml against the router that it describes: what it lets anybody ask is answered as it says, and its
examples are what is answered. That it has every path of the gateway and no other is GatewayContract's."""

from __future__ import annotations

import copy
import json
import os
import subprocess
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
import requests
import schemathesis
import yaml
from api_page import page_of, parts_of_page
from canaries import CUSTOMERS, Canaries, trace_of
from contract_checks import CHECKS
from hypothesis import HealthCheck, Phase, given, settings
from launcher.paths import ROOT
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from stack import Stack, prometheus_programs

FILE = ROOT / "docs" / "api" / "router.yaml"
CONTRACT = yaml.safe_load(FILE.read_text())
SCHEMA = schemathesis.openapi.from_path(FILE)
TOKENS = {"read": "read-a", "operator": "op", "ingest": "ingest-a"}


def _operations() -> Iterator[APIOperation[Any, Any, Any, Any]]:
    for one in SCHEMA.get_all_operations():
        assert isinstance(one, Ok), f"the contract cannot be read: {one}"
        yield one.ok()


OPERATIONS = {f"{one.method.upper()} {one.path}": one for one in _operations()}
# What is there to be found: with these each operation has something to say. Without parameters where none stands here.
FOUND: dict[str, dict[str, Any]] = {
    "/api/v1/query": {"query": "shared"},
    "/api/v1/query_range": {"query": "rate(shared_total[5m])", "start": "NOW-600", "end": "NOW", "step": "60"},
    "/api/v1/query_exemplars": {"query": "shared_traced_total", "start": "NOW-600", "end": "NOW+60"},
    "/api/v1/format_query": {"query": "up"},
    "/api/v1/parse_query": {"query": "up"},
    "/api/v1/series": {"match[]": ["shared", "shared_total"]},
    "/federate": {"match[]": "shared"},
    "/jaeger/api/operations": {"service": "shop"},
    "/jaeger/api/traces": {"service": "shop"},
    "/loki/api/v1/query_range": {"query": '{service_name="shop"}'},
    "/loki/api/v1/query": {"query": 'count_over_time({service_name="shop"}[1h])'},
    "/loki/api/v1/series": {"match[]": '{service_name="shop"}'},
    "/loki/api/v1/detected_fields": {"query": '{service_name="shop"}'},
    "/loki/api/v1/detected_field/{name}/values": {"query": '{service_name="shop"}'},
    "/loki/api/v1/format_query": {"query": 'rate({service_name="shop"}[5m])'},
}
IN_PATH = {"{service}": "shop", "{id}": trace_of("cliente-a")}
NO_JSON = {"POST /api/v1/read"}  # test_remote_read_clients.py asks it
NOTHING_TO_SAY = {"/api/v1/targets"}  # nothing is scraped in the customer's name here
EMPTY: tuple[Any, ...] = ([], {}, "", None)


@pytest.fixture(scope="module", params=prometheus_programs(), ids=lambda program: program[0])
def router(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Canaries]:
    """For tests that only look."""
    with Stack(tmp_path_factory.mktemp("contract")) as stack:
        stack.hot_program = request.param[1]
        made = Canaries(stack)
        made.start()
        made.fill()
        yield made


def _examples(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if "x-asked" in node:
            yield node
        for value in node.values():
            yield from _examples(value)
    elif isinstance(node, list):
        for value in node:
            yield from _examples(value)


def _distinct_examples() -> list[dict[str, Any]]:
    """GET and POST of a path share their answers."""
    return list({json.dumps(example["x-asked"], sort_keys=True): example for example in _examples(CONTRACT)}.values())


def _shape(value: Any) -> Any:
    """Names and types."""
    if isinstance(value, dict):
        return {key: _shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_shape(inner) for inner in value]
    return "number" if isinstance(value, int | float) else type(value).__name__


class TestTheFile:
    def test_it_is_openapi(self) -> None:
        SCHEMA.validate()
        broken = copy.deepcopy(CONTRACT)
        broken["paths"]["/api/v1/query"]["get"]["parameters"].append({"name": 3})
        with pytest.raises(jsonschema_rs.ValidationError):
            schemathesis.openapi.from_dict(broken).validate()

    def test_every_operation_says_who_may_not(self) -> None:
        for path, item in CONTRACT["paths"].items():
            for method, operation in item.items():
                if method == "parameters" or operation.get("security") == []:
                    continue
                assert {"400", "401", "403", "429", "503"} <= set(operation["responses"]), (method, path)

    def test_every_part_is_used(self) -> None:
        text = FILE.read_text()
        for kind in ("parameters", "schemas", "headers"):
            for name in CONTRACT["components"][kind]:
                assert f"#/components/{kind}/{name}" in text, name

    def test_the_page_has_its_table(self) -> None:
        """docs/api.md: between its marks stands what tools/api_page.py makes of the file."""
        page = (ROOT / "docs" / "api.md").read_text()
        assert parts_of_page(page)[1] == page_of(CONTRACT), "run .vigia/venv/bin/python tools/api_page.py"


class TestExamples:
    @pytest.mark.parametrize("example", _distinct_examples(), ids=lambda one: str(one["x-asked"]["target"]))
    def test_each_is_what_is_answered(self, router: Canaries, example: dict[str, Any]) -> None:
        asked = example["x-asked"]
        token = asked.get("token", "read")
        headers = {} if token == "none" else {"Authorization": f"Bearer {TOKENS[token]}"}
        answer = requests.request(asked["method"], router.url + asked["target"], headers=headers, timeout=30)
        found: Any = answer.text.rstrip("\n")
        if answer.headers["Content-Type"] == "application/json":
            found = answer.json()
        if example.get("x-shape"):
            assert _shape(found) == _shape(example["value"])
        else:
            assert found == example["value"], answer.text

    def test_each_of_the_page_is_answered(self, router: Canaries) -> None:
        """docs/api.md, "Reading in five minutes": every line of its shell block, as it stands there."""
        shell = (ROOT / "docs" / "api.md").read_text().split("## Reading in five minutes")[1].split("```")[1]
        lines = shell.removeprefix("sh\n").splitlines()
        asked = [line.replace("TRACE_ID", trace_of("cliente-a")) for line in lines if line.startswith("ask ")]
        assert len(asked) >= 10
        function = next(line for line in lines if line.startswith("ask()"))
        given = {"ROUTER": router.url, "READ_TOKEN": "read-a", "PATH": os.environ["PATH"]}
        for line in asked:
            script = function + "\n" + line.replace("ask ", "ask -w '\\n%{http_code}' ", 1)
            told = subprocess.run(["bash", "-c", script], env=given, capture_output=True, text=True, check=True).stdout
            assert told.splitlines()[-1] == "200", (line, told)


EACH = settings(
    max_examples=12,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


class TestOperations:
    @pytest.mark.parametrize("name", sorted(OPERATIONS))
    def test_what_is_there_has_the_form_that_is_written(self, router: Canaries, name: str) -> None:
        """A real answer with something in it: else any schema of a list would do."""
        method, path = name.split()
        operation = OPERATIONS[name]
        if name in ("POST /api/v1/cold/confirm", "GET /loki/api/v1/tail", *NO_JSON):
            pytest.skip("it has no answer of data")
        target = path.replace("{name}", "service_name" if path.startswith("/loki/") else "job")
        for written, value in IN_PATH.items():
            target = target.replace(written, value)
        form = {key: _at(router, value) for key, value in FOUND.get(path, {}).items()}
        headers = {"Authorization": "Bearer read-a", "X-Loki-Response-Encoding-Flags": "categorize-labels"}
        sent = {"params": form} if method == "GET" else {"data": form}
        answer = requests.request(method, router.url + target, headers=headers, timeout=30, **sent)  # type: ignore[arg-type]
        assert answer.status_code == 200, answer.text
        operation.validate_response(answer)
        if answer.headers["Content-Type"] != "application/json":
            assert answer.text
        elif path not in NOTHING_TO_SAY and not path.startswith("/api/v1/status/"):
            body = answer.json()
            data = body.get("data", body)
            inner = data.get("result", data.get("groups", data)) if isinstance(data, dict) else data
            assert inner not in EMPTY, answer.text

    @pytest.mark.parametrize("name", sorted(set(OPERATIONS) - NO_JSON))
    def test_an_operation_answers_as_the_contract_says(self, router: Canaries, name: str) -> None:
        """Parameters of the contract's own types, each customer in turn."""
        tokens = iter([*CUSTOMERS.values(), "op"] * 1000)

        @EACH
        @given(case=OPERATIONS[name].as_strategy())
        def ask(case: schemathesis.Case[Any]) -> None:
            case.call_and_validate(
                base_url=router.url,
                headers={"Authorization": f"Bearer {next(tokens)}"},
                checks=CHECKS,
                timeout=30,
            )

        ask()


def _at(router: Canaries, value: Any) -> Any:
    """NOW-600: seconds."""
    if not isinstance(value, str) or not value.startswith("NOW"):
        return value
    return str(router.now_ms // 1000 + int(value[3:] or 0))
