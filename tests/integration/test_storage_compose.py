"""services/storage/docker-compose.yaml, its names and ports as the founding document has them, and what it mounts."""

from __future__ import annotations

import os
import re
import string
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from launcher import cassandra, commands, parts
from launcher.layout import Layout
from launcher.paths import ROOT
from stack import binaries

FOLDER = ROOT / "services" / "storage"
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "docker-compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
NODES = [name for name in SERVICES if name.startswith("cassandra-")]


def published() -> dict[str, list[str]]:
    return {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}


def test_names_and_ports_are_those_of_the_founding_document() -> None:
    """`docker exec -it cassandra-cold-1 nodetool status`, `docker exec prometheus …`, `curl http://localhost:9090/-/healthy`."""
    assert NODES == ["cassandra-1", "cassandra-2", "cassandra-3"]
    assert [SERVICES[name]["container_name"] for name in NODES] == [f"cassandra-cold-{n}" for n in (1, 2, 3)]
    assert SERVICES["prometheus"]["container_name"] == "prometheus"
    layout = Layout(config=Path("config"), data=Path("data"))
    own = {"cassandra-1": "cassandra", "storage": "storage", "prometheus": "hot", "alertmanager": "alertmanager"}
    # Nothing of it has a log-in of its own: it listens on this machine alone.
    assert published() == {name: [f"127.0.0.1:{layout.ports[part]}:{layout.ports[part]}"] for name, part in own.items()}
    assert layout.ports["hot"] == 9090
    assert layout.ports["cassandra"] == 9042


def test_images_are_of_the_versions_that_are_tested() -> None:
    monitor = yaml.safe_load((ROOT / "services" / "monitor" / "docker-compose.yaml").read_text())["services"]
    assert SERVICES["alertmanager"]["image"] == monitor["alertmanager"]["image"]
    tags = {SERVICES[name]["image"].partition(":")[2] for name in NODES}
    assert len(tags) == 1
    assert cassandra.version().startswith(f"{tags.pop()}.")
    assert re.fullmatch(r"prom/prometheus:v3\.\d+\.\d+", SERVICES["prometheus"]["image"])


def test_no_node_acknowledges_what_it_has_not_on_disk() -> None:
    window = re.search(r"^commitlog_sync_group_window: (\S+)$", cassandra._YAML, re.MULTILINE)
    assert window is not None
    for name in NODES:
        options = set(SERVICES[name]["environment"]["JVM_EXTRA_OPTS"].split())
        assert options == {
            "-Dcassandra.config.allow_system_properties=true",
            "-Dcassandra.settings.commitlog_sync=group",
            f"-Dcassandra.settings.commitlog_sync_group_window={window[1]}",
            "-Dcassandra.settings.commitlog_sync_period=0ms",
        }


def test_nodes_have_a_volume_each_and_join_one_after_the_other() -> None:
    volumes = [SERVICES[name]["volumes"] for name in NODES]
    assert volumes == [[f"{name}:/var/lib/cassandra"] for name in NODES]
    waits = {name: list(SERVICES[name].get("depends_on", {})) for name in [*NODES, "storage"]}
    assert waits == {
        "cassandra-1": [],
        "cassandra-2": ["cassandra-1"],
        "cassandra-3": ["cassandra-2"],
        "storage": NODES[2:],
    }


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_what_is_mounted_is_there(name: str) -> None:
    for volume in SERVICES[name]["volumes"]:
        source = volume.partition(":")[0]
        assert (FOLDER / source).is_file() if source.startswith(".") else source in COMPOSE["volumes"], volume


def test_storages_file_is_sound_and_names_these_nodes() -> None:
    file = FOLDER / "storage.yaml"
    words = [str(binaries() / "vigia-storage"), "--config", str(file), "--check-config"]
    env = {**os.environ, "VIGIA_INTERNAL_TOKEN": "secret"}
    done = subprocess.run(words, env=env, check=False, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    settings = yaml.safe_load(file.read_text())
    store = settings["store"]["cassandra"]
    assert store["contact_points"] == [f"{name}:9042" for name in NODES]
    assert store["replication_factor"] == len(NODES)
    assert store["keyspace"] == "observability", "the founding document: nodetool repair -pr observability"
    assert {store["datacenter"]} == {SERVICES[name]["environment"]["CASSANDRA_DC"] for name in NODES}
    assert settings["retention"]["raw"] == "2y", "the founding document: two years"
    kept = [settings["store"]["known_file"], store["directory"]]
    mounted = [volume.split(":")[1] for volume in SERVICES["storage"]["volumes"][1:]]
    assert all(any(f"{place}/".startswith(f"{folder}/") for folder in mounted) for place in kept)


def test_storages_image_has_every_library_that_it_needs() -> None:
    program = binaries() / "vigia-storage"
    linked = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    places = dict(re.findall(r"(\S+) => (/\S+)", linked))
    # What it asks for itself: what those need in their turn comes with their packages.
    asked = subprocess.run(["objdump", "-p", program], check=True, capture_output=True, text=True).stdout
    files = [str(Path(places[name]).resolve()) for name in re.findall(r"NEEDED\s+(\S+)", asked) if name in places]
    # Where /lib is a link dpkg knows a file by the other name as well.
    owners = subprocess.run(["dpkg", "-S", *files], check=False, capture_output=True, text=True).stdout
    packages = {line.partition(":")[0] for line in owners.splitlines()} - {"libc6", "libgcc-s1", "zlib1g", "libbz2-1.0"}
    assert len(packages) > 8
    assert packages <= set((FOLDER / "Dockerfile").read_text().split())


def _flags(words: list[str]) -> set[str]:
    places = ("--config.file", "--storage.tsdb.path", "--storage.path", "--web.external-url", "--web.listen-address")
    return {word for word in words if not word.startswith(places)}


def test_neighbours_are_started_as_the_launcher_starts_them() -> None:
    layout = Layout(config=Path("config"), data=Path("data"))
    for name, command in (("prometheus", commands.hot(layout)), ("alertmanager", commands.alertmanager(layout))):
        assert _flags(SERVICES[name]["command"]) == _flags(command.words[1:]), name
        assert set(SERVICES[name].get("environment", {})) == set(command.env), name


def test_prometheus_has_the_file_of_every_other_hot_one(tmp_path: Path) -> None:
    text = (FOLDER / "prometheus" / "prometheus.yml").read_text()
    head, _, rest = text.partition("\n")
    assert "deploy/prometheus/prometheus-hot.yml" in head
    template = string.Template((ROOT / "deploy" / "prometheus" / "prometheus-hot.yml").read_text())
    names = {
        "HOT_ADDRESS": "localhost:9090",
        "QUERY_ADDRESS": "prometheus-query:9091",
        "STORAGE_ADDRESS": "storage:9096",
        "STORAGE_METRICS_ADDRESS": "storage:9196",
        "ROUTER_METRICS_ADDRESS": "router:9195",
        "MONITOR_INTERNAL_ADDRESS": "monitor:8190",
        "COLLECTOR_METRICS_ADDRESS": "otel-collector:8888",
        "ALERTMANAGER_ADDRESS": "alertmanager:9093",
        "RULES_DIRECTORY": "/rules",
        "INTERNAL_TOKEN_FILE": "/run/secrets/internal_token",
    }
    assert rest == template.substitute(names)
    token = tmp_path / "token"
    token.touch()
    file = tmp_path / "prometheus.yml"
    file.write_text(text.replace("/run/secrets/internal_token", str(token)))
    done = subprocess.run([parts.promtool(), "check", "config", file], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert SERVICES["prometheus"]["secrets"] == list(COMPOSE["secrets"])
