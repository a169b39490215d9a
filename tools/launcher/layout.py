"""Which address every part listens on and where its data lie: the contract's ports, or all of them moved."""

from __future__ import annotations

import secrets
import socket
from dataclasses import dataclass, field
from pathlib import Path

from launcher.shell import Failure

# The order is what `--port-base N` counts by; only ever append.
_PORTS = {
    "monitor": 8090,
    "monitor_internal": 8190,
    "router": 9095,
    "router_metrics": 9195,
    "storage": 9096,
    "storage_metrics": 9196,
    "hot": 9090,
    "query": 9091,
    "alertmanager": 9093,
    "collector_grpc": 4317,
    "collector_http": 4318,
    "collector_exporter": 8889,
    "collector_metrics": 8888,
    "collector_health": 13133,
    "agent_health": 8080,
    "shop": 8088,
    "webhook": 8089,
    "cassandra": 9042,
    "cassandra_nodes": 7000,
}

_CASSANDRA = ("cassandra", "cassandra_nodes")  # nobody listens there unless one was asked for


@dataclass(frozen=True)
class AgentPlace:
    """One agent of the demo: whose node it is and which loopback address it uses."""

    name: str
    customer_id: str
    customer_name: str
    node_id: str
    region: str
    host: str  # of /health
    relay_host: str
    is_scraped: bool  # asked by the monitor; otherwise it only pushes


@dataclass(frozen=True)
class Layout:
    """Addresses, folders and waits of one whole Vigía on one machine."""

    config: Path
    data: Path
    ports: dict[str, int] = field(default_factory=lambda: dict(_PORTS))
    host: str = "127.0.0.1"  # every part but the agents listens on it
    scrape_interval: str = "30s"
    agent_interval: str = "15s"
    node_down_for: str = "2m"  # the seed's; a demo or a test may shorten it and says so
    collector_unreachable_for: str = "5m"
    outage_grace: str = "3m"
    resend_delay: str = "1m"  # how often Prometheus tells Alertmanager again what stands
    edge: str = "30d"
    with_cassandra: bool = False  # a node of its own, and the cold store on it

    def address(self, part: str) -> str:
        return f"{self.host}:{self.ports[part]}"

    def url(self, part: str) -> str:
        return f"http://{self.address(part)}"


def with_port_base(base: int | None) -> dict[str, int]:
    """The contract's ports for none or 0, or base, base + 1, … in the order above."""
    if not base:
        return dict(_PORTS)
    return {name: base + index for index, name in enumerate(_PORTS)}


def check_port_base(base: int | None, outgoing: tuple[int, int] | None = None) -> None:
    """Refuses a base whose ports could not be listened on, now or at the next start.

    `outgoing` is the system's own range (Linux: ip_local_port_range): out of it any program's outgoing connection gets a
    port at any moment, the collector's to Prometheus for instance before the agent listens.
    """
    if not base:
        return
    last = base + len(_PORTS) - 1
    first_outgoing, last_outgoing = outgoing or _outgoing_ports()
    choice = f"Choose a number from 1024 to {last_port_base(outgoing)}, or 0 for the standard ports"
    if base < 1024 or last > 65535:
        raise Failure(f"--port-base {base} leaves no room for {len(_PORTS)} ports from 1024 to 65535. {choice}")
    if base <= last_outgoing and last >= first_outgoing:
        raise Failure(
            f"--port-base {base} lies among the ports that this system gives to outgoing connections "
            f"({first_outgoing} to {last_outgoing}): one of them could be taken at any start. {choice}"
        )


def last_port_base(outgoing: tuple[int, int] | None = None) -> int:
    """The highest base below the ports for outgoing connections; above them there may be room too."""
    return (outgoing or _outgoing_ports())[0] - len(_PORTS)


def _outgoing_ports() -> tuple[int, int]:
    try:
        first, last = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    except (OSError, ValueError):
        return 32768, 60999  # what Linux starts with
    return int(first), int(last)


def own_host() -> str:
    """A loopback address of one's own, drawn by chance from 16 million: for tests and benches.

    On it the contract's ports are free and stay so while a program is stopped and started again. A port that was free a
    moment ago on 127.0.0.1 may meanwhile belong to anybody's outgoing connection.
    """
    while True:
        host = f"127.{secrets.randbelow(254) + 1}.{secrets.randbelow(254) + 1}.1"
        if not any(_is_taken(host, port) for port in _PORTS.values()):
            return host


def beside(host: str, number: int) -> str:
    """Another address of the same /24."""
    return f"{host.rpartition('.')[0]}.{number}"


def demo_agents() -> list[AgentPlace]:
    """This host as a node of cliente-a, and two simulated nodes of cliente-b: one scraped, one that only pushes."""
    return [
        AgentPlace("agent-a1", "cliente-a", "Empresa XYZ", "prod-web-01", "us-east-1", "127.0.0.1", "127.0.0.11", True),
        AgentPlace("agent-b1", "cliente-b", "Comercial ABC", "b-web-01", "sa-east-1", "127.0.0.12", "127.0.0.12", True),
        AgentPlace("agent-b2", "cliente-b", "Comercial ABC", "b-db-01", "sa-east-1", "127.0.0.13", "127.0.0.13", False),
    ]


def taken_addresses(layout: Layout, agents: list[AgentPlace]) -> list[str]:
    """Which of the addresses somebody listens on already."""
    others = {"agent_health"} if layout.with_cassandra else {"agent_health", *_CASSANDRA}
    wanted = [(layout.host, port, part) for part, port in layout.ports.items() if part not in others]
    wanted += [(agent.host, layout.ports["agent_health"], agent.name) for agent in agents]
    return [f"{host}:{port} ({part})" for host, port, part in wanted if _is_taken(host, port)]


def _is_taken(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False
