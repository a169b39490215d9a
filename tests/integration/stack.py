"""A whole Vigía for one test: real programs, real Prometheus and Alertmanager, a loopback address of its own, a temporary
folder.

A part is started, stopped, killed and started again by name. What it printed lies in folder/log/NAME.log and is shown
when it does not become ready. conftest.py looks into all those logs after each test: a fault of ours fails it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
import requests
from launcher import commands, configuration, demo, parts
from launcher.commands import Command
from launcher.layout import AgentPlace, Layout, beside, demo_agents, own_host
from launcher.paths import PORTAL, ROOT, VENV

READY_SECONDS = 30
FAULT = "a fault of this program, please report it"  # libs/service/program.cpp
T = TypeVar("T")

# Of every program that a test has started, all its lives: how far its log was looked through.
_looked_through: dict[Path, int] = {}


def new_faults() -> list[str]:
    """What our programs have said of faults of their own since the last call."""
    found = []
    for log, begin in _looked_through.items():
        if not log.exists():
            continue
        with log.open("rb") as file:
            file.seek(begin)
            text = file.read()
        whole = text.rfind(b"\n") + 1
        _looked_through[log] = begin + whole
        lines = text[:whole].decode(errors="replace").splitlines()
        found += [f"{log.name}: {line}" for line in lines if FAULT in line]
    return found


def binaries() -> Path:
    """Where the programs under test lie: VIGIA_BIN, or the release build."""
    return Path(os.environ.get("VIGIA_BIN") or ROOT / "build" / "release" / "bin")


def wait_for(what: str, probe: Callable[[], T | None], seconds: float = 30, every: float = 0.1) -> T:
    """The first value of `probe` that is true. Fails, naming `what` and the last error, when the time is over.

    What lets itself wait is asked less and less often: ten times a second for a minute or two would cost more than what
    is waited for, and what is found then is later by a thirtieth at most.
    """
    began = time.monotonic()
    deadline = began + seconds
    last: object = None
    while True:
        try:
            last = probe()
            if last:
                return last
        except (requests.RequestException, AssertionError, KeyError, IndexError) as error:
            last = error
        now = time.monotonic()
        if now > deadline:
            raise AssertionError(f"{what}: not within {seconds} s (last: {last!r})")
        time.sleep(max(every, min(1.0, (now - began) / 30)))


class Running:
    """One started program."""

    def __init__(self, command: Command, log: Path) -> None:
        self.command = command
        self.log = log
        _looked_through.setdefault(log, 0)
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                command.words,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                env={**os.environ, **command.env},
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_until_ready(self, seconds: float = READY_SECONDS) -> None:
        def is_ready_or_ended() -> bool:
            return not self.is_running() or requests.get(self.command.ready_url, timeout=2).status_code == 200

        try:
            wait_for(f"{self.command.name} is ready", is_ready_or_ended, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.tail()}") from error
        assert self.is_running(), f"{self.command.name} ended: {self.tail()}"

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-3000:]

    def end(self, number: int = signal.SIGTERM, seconds: float = 20) -> int:
        """Sends a signal and waits; the exit code."""
        if self._process.poll() is None:
            self._process.send_signal(number)
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise AssertionError(f"{self.command.name} did not end within {seconds} s of signal {number}") from None

    def is_running(self) -> bool:
        return self._process.poll() is None


class Stack:
    """Everything of one Vigía under a folder. Use as a context manager; at its end every program is killed."""

    def __init__(self, folder: Path, layout: Layout | None = None, agents: list[AgentPlace] | None = None) -> None:
        self.folder = folder
        self.layout = layout or quick_layout(folder)
        self.agents = _moved(agents if agents is not None else demo_agents(), self.layout.host)
        self.secrets = demo.load_secrets(folder / "secrets.json")
        self.running: dict[str, Running] = {}
        self.hot_program: Path | None = None
        (folder / "log").mkdir(parents=True, exist_ok=True)
        portal = PORTAL / "dist"
        configuration.write_all(self.layout, self.agents, self.secrets["internal_token"], portal)

    def __enter__(self) -> Stack:
        return self

    def __exit__(self, *_: object) -> None:
        for running in reversed(list(self.running.values())):
            if running.is_running():
                running.end(signal.SIGKILL)

    # Starting and stopping

    def command(self, name: str) -> Command:
        """The command line of a part, central, agent or demo."""
        if name == "prometheus-hot":
            return commands.hot(self.layout, self.hot_program)
        if name == "webhook":
            return commands.webhook(self.layout)
        if name == "shop":
            return commands.shop(self.layout, VENV / "bin" / "python", self.agents[0].relay_host)
        for command in commands.central(self.layout, binaries(), self.secrets):
            if command.name == name:
                return command
        place = next(agent for agent in self.agents if agent.name == name)
        return commands.agent(self.layout, place, binaries(), self.token(place.customer_id, "ingest"))

    def start(self, *names: str) -> None:
        """Starts parts in the given order, each ready before the next begins."""
        for name in names:
            running = Running(self.command(name), self.folder / "log" / f"{name}.log")
            self.running[name] = running
            running.wait_until_ready()

    def start_central(self) -> None:
        """All of the provider's side, then the demo's customers, users and tokens."""
        self.start("webhook")
        for command in commands.central(self.layout, binaries(), self.secrets):
            self.start(command.name)
        demo.create(self.layout, self.agents, self.secrets, self.folder / "secrets.json")
        self.wait_for_tokens()

    def wait_for_tokens(self) -> None:
        """Waits until the collector takes every ingest token and the router every token that reads."""

        def is_sendable(token: str) -> bool:
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-protobuf"}
            url = f"{self.layout.url('collector_http')}/v1/metrics"
            return requests.post(url, data=b"", headers=headers, timeout=2).status_code == 200

        def is_readable(token: str) -> bool:
            return self.ask("/api/v1/query", token, query="1").status_code == 200

        def are_known() -> bool:
            customers = self.secrets["customers"].values()
            readers = [self.secrets["operator_token"], *(customer["read_token"] for customer in customers)]
            senders = [customer["ingest_token"] for customer in customers]
            return all(map(is_sendable, senders)) and all(map(is_readable, readers))

        wait_for("collector and router know the tokens", are_known, 10)

    def stop(self, *names: str) -> None:
        for name in names:
            self.running[name].end()

    def kill(self, *names: str) -> None:
        """kill -9."""
        for name in names:
            self.running[name].end(signal.SIGKILL)

    # Asking

    def token(self, customer_id: str, scope: str) -> str:
        token: str = self.secrets["customers"][customer_id][f"{scope}_token"]
        return token

    def ask(self, path: str, token: str | None = None, **parameters: object) -> requests.Response:
        """GET at the router with a token (default: the operator's)."""
        headers = {"Authorization": f"Bearer {token or self.secrets['operator_token']}"}
        return requests.get(
            f"{self.layout.url('router')}{path}",
            params={key: str(value) for key, value in parameters.items()},
            headers=headers,
            timeout=30,
        )

    def query(self, expression: str, token: str | None = None, **parameters: object) -> list[dict[str, Any]]:
        """The result of an instant query at the router; fails on anything but success."""
        answer = self.ask("/api/v1/query", token, query=expression, **parameters)
        assert answer.status_code == 200, answer.text
        result: list[dict[str, Any]] = answer.json()["data"]["result"]
        return result

    def alerts(self) -> list[dict[str, Any]]:
        """What the real Alertmanager holds as active."""
        answer = requests.get(f"{self.layout.url('alertmanager')}/api/v2/alerts", timeout=5)
        found: list[dict[str, Any]] = answer.json()
        return found

    def own_metrics(self, part: str) -> dict[str, float]:
        """Samples of a part's own metrics, keyed as they are written: name{label="value"}."""
        text = requests.get(f"{self.layout.url(part)}/metrics", timeout=5).text
        samples = {}
        for line in text.splitlines():
            if line and not line.startswith("#"):
                key, _, value = line.rpartition(" ")
                samples[key] = float(value)
        return samples


def quick_layout(folder: Path) -> Layout:
    """An address of its own and short waits. Only waits are shortened; what is shipped keeps the seed's."""
    return Layout(
        config=folder / "config",
        data=folder / "data",
        host=own_host(),
        scrape_interval="1s",
        agent_interval="1s",
        node_down_for="2s",
        collector_unreachable_for="5s",
        outage_grace="5s",
    )


def _moved(agents: list[AgentPlace], stack_host: str) -> list[AgentPlace]:
    """The same agents on addresses beside the stack's, so that they meet neither a running demo nor another stack."""
    moved = []
    for index, place in enumerate(agents):
        host = beside(stack_host, 11 + index)
        moved.append(replace(place, host=host, relay_host=host))
    return moved


def with_more_of(version: str) -> list[Any]:
    """For parametrised tests: that version of the hot store in every run, the others in a thorough one."""
    others = pytest.mark.thorough
    return [
        pytest.param(found, id=found[0], marks=() if found[0] == version else others) for found in prometheus_programs()
    ]


def prometheus_programs() -> list[tuple[str, Path]]:
    """The Prometheus versions that serve as hot store, for parametrised tests."""
    return [("2.42", parts.program("prometheus-2")), ("3.x", parts.program("prometheus-3"))]
