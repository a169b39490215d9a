"""What of this Vigía runs, said part by part: for `./vigia status`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from launcher import commands
from launcher.layout import AgentPlace
from launcher.processes import Process


@dataclass(frozen=True)
class Part:
    """A part that `up` starts, or one that it once started; `process` is none where it was never started or was stopped."""

    name: str
    process: Process | None
    is_running: bool
    node: str = ""  # of an agent: whose node it is, as the portal calls it

    def line(self) -> str:
        if self.process is None:
            return f"  🔴 not started  {self.name}"
        state = "🟢 running    " if self.is_running else "🔴 ended      "
        node = f"  node {self.node}" if self.node else ""
        return f"  {state}  {self.name:<18} pid {self.process.pid}{node}"


def survey(
    agents: Sequence[AgentPlace],
    known: Sequence[Process],
    is_running: Callable[[Process], bool],
    *,
    with_cassandra: bool = False,
) -> list[Part]:
    """Every part in the order of starting. An `up` that was ended midway leaves some that no process is known of."""
    nodes = {place.name: f"{place.node_id} of {place.customer_id}" for place in agents}
    processes = {process.name: process for process in known}
    expected = commands.names(agents, with_cassandra=with_cassandra)
    others = [process.name for process in known if process.name not in expected]
    found = []
    for name in [*expected, *others]:
        process = processes.get(name)
        found.append(Part(name, process, process is not None and is_running(process), nodes.get(name, "")))
    return found


def verdict(parts: Sequence[Part]) -> str | None:
    """What is wrong with the whole and what helps; none where every part runs."""
    missing = [part.name for part in parts if not part.is_running]
    if not missing:
        return None
    if len(missing) == len(parts):
        return "Vigía is not running: ./vigia up starts it"
    some, them = ("does", "it") if len(missing) == 1 else ("do", "them")
    return (
        f"Vigía is not whole: {', '.join(missing)} {some} not run; ./vigia up starts {them}, "
        "./vigia logs NAME tells why one has ended"
    )
