"""What the contract of the REST interface lets anybody ask is answered as the contract says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from contract_checks import CHECKS
from hypothesis import HealthCheck, Phase, given, settings
from launcher.paths import ROOT
from rest import Caller, with_token
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from stack import Stack

SCHEMA = schemathesis.openapi.from_path(ROOT / "docs" / "api" / "openapi.yaml")


def _operations() -> Iterator[APIOperation[Any, Any, Any, Any]]:
    for one in SCHEMA.get_all_operations():
        assert isinstance(one, Ok), f"the contract cannot be read: {one}"
        yield one.ok()


OPERATIONS = {f"{one.method.upper()} {one.path}": one for one in _operations()}


# A log-in that fails slows down who tries next; the others want a session, which a token is not.
OF_SESSIONS = {"POST /session", "DELETE /session", "POST /session/password"}
EACH = settings(
    max_examples=30,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def manager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """An operator's token that may do everything, at a monitor whose neighbours do not answer."""
    with Stack(tmp_path_factory.mktemp("contract")) as made:
        made.start("monitor")
        url = made.layout.url("monitor")
        operator = Caller(url).log_in("admin", made.secrets["admin_password"])
        operator.good("POST", "/customers", {"id": "cliente-a", "name": "A"})
        token = operator.good("POST", "/operator-tokens", {"name": "contract", "scope": "manage"})
        yield with_token(url, token["token"])


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - OF_SESSIONS))
def test_an_operation_answers_as_the_contract_says(manager: Caller, name: str) -> None:
    """Bodies and parameters of the contract's own types, with a customer that is there and ids that are not."""

    @EACH
    @given(case=OPERATIONS[name].as_strategy())
    def ask(case: schemathesis.Case[Any]) -> None:
        if "customer_id" in case.path_parameters:
            case.path_parameters["customer_id"] = "cliente-a"
        case.call_and_validate(
            base_url=f"{manager.url}/api/v1",
            headers={"Authorization": manager.http.headers["Authorization"]},
            checks=CHECKS,
            timeout=10,
        )

    ask()
