"""Fixtures of the integration tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from cassandra_server import OwnCassandra
from cold_neighbour import ColdStore
from launcher import processes, up
from rest import Caller
from stack import Stack, new_faults


@pytest.fixture(autouse=True)
def no_fault_of_ours(request: pytest.FixtureRequest) -> Iterator[None]:
    """No program may have caught a fault of its own (vigia_faults_total), in any of its lives, killed ones too."""
    yield
    found = new_faults()
    if request.node.get_closest_marker("provokes_faults") is None:
        assert not found, "\n".join(found[:5])


@pytest.fixture(autouse=True, scope="module")
def nor_at_the_end_of_a_module() -> Iterator[None]:
    """The same of programs that a module's tests share, while they end."""
    yield
    found = new_faults()
    assert not found, "\n".join(found[:5])


@pytest.fixture
def cold(tmp_path: Path) -> Iterator[ColdStore]:
    """A cold store that runs, and nothing beside it."""
    store = ColdStore(tmp_path)
    try:
        store.start()
        yield store
    finally:
        store.end()


@pytest.fixture(scope="session")
def cassandra(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnCassandra]:
    """A node for all tests of a process, each with keyspaces of its own. Nobody kills it."""
    with OwnCassandra(tmp_path_factory.mktemp("cassandra"), is_killed=False) as made:
        yield made


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """A Vigía that is not started yet, for tests that stop and break parts."""
    with Stack(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def running_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A whole Vigía with its agents, shared by the tests of a module that only look."""
    folder = tmp_path_factory.mktemp("stack")
    with Stack(folder) as made:
        made.start_central()
        made.start(*(place.name for place in made.agents))
        yield made


@pytest.fixture(scope="module")
def stack_of_one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Only vigia-monitor runs; its neighbours do not answer."""
    with Stack(tmp_path_factory.mktemp("monitor")) as made:
        made.start("monitor")
        yield made


@pytest.fixture(scope="module")
def operator(stack_of_one: Stack) -> Caller:
    return Caller(stack_of_one.layout.url("monitor")).log_in("admin", stack_of_one.secrets["admin_password"])


@pytest.fixture(scope="module")
def inside(stack_of_one: Stack) -> Callable[..., requests.Response]:
    """GET on the internal port with the internal token."""
    url = stack_of_one.layout.url("monitor_internal")
    token = stack_of_one.secrets["internal_token"]

    def get(path: str, timeout: float = 10, **headers: str) -> requests.Response:
        sent = {"Authorization": f"Bearer {token}"} | {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.get(url + path, headers=sent, timeout=timeout)

    return get


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """What lies in .vigia otherwise; what a test starts there ends with it."""
    for module in (up, processes):
        for name in ("RUN", "LOG", "DATA", "CONFIG"):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, tmp_path / name.lower())
                (tmp_path / name.lower()).mkdir(exist_ok=True)
    for name in ("DEMO_FILE", "SECRETS_FILE", "SETTINGS_FILE"):
        monkeypatch.setattr(up, name, tmp_path / f"{name.lower()}.json")
    yield tmp_path
    for process in processes.known():
        processes.stop(process)
