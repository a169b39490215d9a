"""The command lines of the parts, in the order in which they start."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from launcher import log_keeper, parts
from launcher.cassandra import CassandraNode
from launcher.layout import AgentPlace, Layout
from launcher.paths import ROOT

# Samples that one query holds at once at most: as many take some 650 MiB, evaluated and written as JSON. The
# standard 50 million are 6 GB, of a store that all customers share.
QUERY_SAMPLES_MAX = 5_000_000
# Go runs as many goroutines at once as there are cores. What one customer's list of 50,000 series and the garbage of it
# run on is then all of a small machine, and a goroutine keeps its place while its thread waits for a core: others' requests
# of a millisecond wait for both. With more places they have threads of their own, which the system lets go first.
PROMETHEUS_PLACES = 4 * (os.cpu_count() or 1)


@dataclass(frozen=True)
class Command:
    """What to start, and the URL that answers 200 once it is ready."""

    name: str
    words: list[str]
    ready_url: str
    env: dict[str, str] = field(default_factory=dict)


def _vigia(name: str, layout: Layout, binaries: Path, ready_url: str, env: dict[str, str]) -> Command:
    words = [str(binaries / f"vigia-{name}"), "--config", str(layout.config / f"{name}.yaml")]
    return Command(name, words, ready_url, env)


def _prometheus(name: str, program: Path, layout: Layout, part: str, memory: str, extra: list[str]) -> Command:
    """`memory`: from there on it collects its garbage sooner, no bound."""
    words = [
        str(program),
        f"--config.file={layout.config}/{name}.yml",
        f"--storage.tsdb.path={layout.data}/{name}",
        f"--web.listen-address={layout.address(part)}",
        f"--query.max-samples={QUERY_SAMPLES_MAX}",
        *extra,
    ]
    env = {"GOMEMLIMIT": memory, "GOMAXPROCS": str(PROMETHEUS_PLACES)}
    return Command(name, words, f"{layout.url(part)}/-/ready", env)


def _shown_as_portal(layout: Layout) -> list[str]:
    """What stands in the messages that customers get: never the address of an inner machine."""
    return [f"--web.external-url={layout.url('monitor')}", "--web.route-prefix=/"]


def hot(layout: Layout, program: Path | None = None) -> Command:
    return _prometheus(
        "prometheus-hot",
        program or parts.hot_prometheus(),
        layout,
        "hot",
        "2GiB",
        [
            "--storage.tsdb.retention.time=30d",
            "--web.enable-remote-write-receiver",
            "--web.enable-lifecycle",
            "--enable-feature=native-histograms,exemplar-storage",
            "--alertmanager.notification-queue-capacity=100000",
            f"--rules.alert.resend-delay={layout.resend_delay}",
            *_shown_as_portal(layout),
        ],
    )


def query(layout: Layout) -> Command:
    return _prometheus("prometheus-query", parts.program("prometheus-3"), layout, "query", "1GiB", [])


def alertmanager(layout: Layout) -> Command:
    words = [
        str(parts.program("alertmanager")),
        f"--config.file={layout.data}/alertmanager.yml",
        f"--storage.path={layout.data}/alertmanager",
        f"--web.listen-address={layout.address('alertmanager')}",
        "--cluster.listen-address=",
        "--enable-feature=receiver-name-in-metrics",
        *_shown_as_portal(layout),
    ]
    return Command("alertmanager", words, f"{layout.url('alertmanager')}/-/ready")


def central(layout: Layout, binaries: Path, secrets: dict[str, str]) -> list[Command]:
    """The provider's side, in start order."""
    env = {"VIGIA_INTERNAL_TOKEN": secrets["internal_token"], "VIGIA_ADMIN_PASSWORD": secrets["admin_password"]}
    return [
        _vigia("storage", layout, binaries, f"{layout.url('storage')}/ready", env),
        alertmanager(layout),
        _vigia("monitor", layout, binaries, f"{layout.url('monitor')}/ready", env),
        hot(layout),
        query(layout),
        _vigia("router", layout, binaries, f"{layout.url('router')}/ready", env),
        _vigia("collector", layout, binaries, f"{layout.url('collector_health')}/health", env),
    ]


CASSANDRA = "cassandra"

# Whom nobody sends to first; `down` goes backwards. Agents and the shop come behind all of these.
_ORDER = (
    log_keeper.NAME,
    "webhook",
    CASSANDRA,
    "storage",
    "alertmanager",
    "monitor",
    "prometheus-hot",
    "prometheus-query",
    "router",
    "collector",
)


def names(agents: Sequence[AgentPlace], *, with_cassandra: bool = False) -> list[str]:
    """Of all parts that `up` starts, in its order."""
    central = [name for name in _ORDER if with_cassandra or name != CASSANDRA]
    return [*central, *(place.name for place in agents), "shop"]


def rank(name: str) -> int:
    """Where a part stands in the order of starting, by what it depends on."""
    if name in _ORDER:
        return _ORDER.index(name)
    return len(_ORDER) + (name == "shop")


def cassandra_node(layout: Layout, logs: Path) -> CassandraNode:
    """Its log is that of its output: `./vigia logs` shows it, and the log keeper bounds it."""
    return CassandraNode(
        layout.data / CASSANDRA,
        layout.host,
        port=layout.ports["cassandra"],
        nodes_port=layout.ports["cassandra_nodes"],
        log=logs / f"{CASSANDRA}.log",
    )


def log_keeper_words(logs: Path) -> list[str]:
    """What bounds the logs; nobody asks it whether it is ready."""
    return ["/usr/bin/python3", str(ROOT / "tools" / "launcher" / "log_keeper.py"), str(logs)]


def agent(layout: Layout, place: AgentPlace, binaries: Path, ingest_token: str) -> Command:
    words = [str(binaries / "vigia-agent"), "--config", str(layout.config / f"{place.name}.yaml")]
    ready_url = f"http://{place.host}:{layout.ports['agent_health']}/health"
    return Command(place.name, words, ready_url, {"VIGIA_TOKEN": ingest_token})


def shop(layout: Layout, python: Path, relay_host: str) -> Command:
    """The small instrumented HTTP application on cliente-a's node; it sends OTLP to the agent beside it."""
    words = [str(python), str(ROOT / "deploy" / "demo" / "shop.py"), "--listen", layout.address("shop")]
    env = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{relay_host}:{layout.ports['collector_grpc']}",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
        "OTEL_SERVICE_NAME": "tienda",
    }
    return Command("shop", words, f"{layout.url('shop')}/health", env)


def webhook(layout: Layout) -> Command:
    words = ["/usr/bin/python3", str(ROOT / "deploy" / "demo" / "webhook.py"), "--listen", layout.address("webhook")]
    return Command("webhook", words, f"{layout.url('webhook')}/health")
