"""What a real Prometheus says of its metrics, by remote write 1.0 and 2.0, given back by the cold store: to its customer alone,
the same as Prometheus gives it, and over a kill -9."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from cold_neighbour import TOKEN, A, B, ColdStore
from launcher.commands import Command
from remote_write import sized, write_bytes
from stack import Running, prometheus_programs, wait_for

Metadata = dict[str, list[dict[str, str]]]
# No counters: Prometheus calls them by their family, without _total, or by their series, as it is asked.
NAMES = ("vigia_storage_chunk_disk_bytes", "vigia_storage_open_series", "vigia_build_info")


def _start_prometheus(program: Path, folder: Path, cold: ColdStore, writes: list[dict[str, Any]]) -> Running:
    """It scrapes the store as a node of cliente-a's, and writes what it scrapes."""
    url = f"http://{cold.host}:9090"
    shared = {
        "url": f"{cold.url}/api/v1/write",
        "authorization": {"credentials": "secret"},
        "queue_config": {"batch_send_deadline": "200ms"},
        "metadata_config": {"send_interval": "1s"},
    }
    target = {"targets": [f"{cold.host}:9196"], "labels": {"customer_id": "cliente-a"}}
    config = {
        "global": {"scrape_interval": "1s"},
        "scrape_configs": [{"job_name": "node", "static_configs": [target]}],
        "remote_write": [{**shared, **write} for write in writes],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    words = [
        str(program),
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/hot",
        f"--web.listen-address={cold.host}:9090",
    ]
    if any("protobuf_message" in write for write in writes):
        words.append("--enable-feature=metadata-wal-records")
    running = Running(Command("prometheus", words, f"{url}/-/ready", {}), folder / "prometheus.log")
    running.wait_until_ready()
    return running


def _metadata(url: str, headers: dict[str, str], **parameters: str) -> Metadata:
    answer = requests.get(f"{url}/api/v1/metadata", params=parameters, headers=headers, timeout=10)
    assert answer.status_code == 200, answer.text
    found: Metadata = answer.json()["data"]
    return found


def _own(metadata: Metadata) -> Metadata:
    return {name: said for name, said in metadata.items() if name in NAMES}


def _said(family: str, text: str) -> bytes:
    return sized(3, b"\x08\x02" + sized(2, family.encode()) + sized(4, text.encode()))


def _check(cold: ColdStore, expected: Metadata) -> None:
    """`expected` is cliente-a's and nobody else's, and a kill takes none of it."""
    assert set(expected) == set(NAMES)
    assert write_bytes(cold.url, _said(NAMES[0], "what another says"), B).status_code == 204
    for _ in range(2):
        wait_for("what Prometheus says", lambda: _own(_metadata(cold.url, A)) == expected)
        assert _metadata(cold.url, B) == {NAMES[0]: [{"type": "gauge", "help": "what another says", "unit": ""}]}
        assert _metadata(cold.url, A, metric=NAMES[1]) == {NAMES[1]: expected[NAMES[1]]}
        of_all = _metadata(cold.url, TOKEN, metric=NAMES[0])[NAMES[0]]
        assert {one["help"] for one in of_all} >= {"what another says", expected[NAMES[0]][0]["help"]}
        cold.end(9)
        cold.start()


# R-RW-6: a receiver that keeps what it is told of metrics.
def test_what_prometheus_says_of_its_metrics_each_minute_is_whose_the_header_names(
    cold: ColdStore, tmp_path: Path
) -> None:
    program = dict(prometheus_programs())["3.x"]
    running = _start_prometheus(program, tmp_path, cold, [{"headers": {"X-Vigia-Customer": "cliente-a"}}])
    try:
        hot = f"http://{cold.host}:9090"
        wait_for("a scrape", lambda: set(_own(_metadata(hot, {}))) == set(NAMES))
        expected = _own(_metadata(hot, {}))
        wait_for("it has come", lambda: set(_own(_metadata(cold.url, A))) == set(NAMES))
    finally:
        running.end()
    _check(cold, expected)


# Prometheus 2.42 sends none of the headers that its remote write is given.
@pytest.mark.parametrize("version", [version for version, _ in prometheus_programs()])
def test_without_a_header_it_is_the_providers_own(version: str, cold: ColdStore, tmp_path: Path) -> None:
    running = _start_prometheus(dict(prometheus_programs())[version], tmp_path, cold, [{}])
    try:
        wait_for("it has come", lambda: set(_own(_metadata(cold.url, TOKEN))) == set(NAMES))
    finally:
        running.end()
    assert _metadata(cold.url, A) == {}


def test_what_it_says_with_each_series_is_of_the_series_owner(cold: ColdStore, tmp_path: Path) -> None:
    program = dict(prometheus_programs())["3.x"]
    message = {"protobuf_message": "io.prometheus.write.v2.Request"}
    running = _start_prometheus(program, tmp_path, cold, [message])
    try:
        hot = f"http://{cold.host}:9090"
        wait_for("a scrape", lambda: set(_own(_metadata(hot, {}))) == set(NAMES))
        expected = _own(_metadata(hot, {}))
        wait_for("it has come", lambda: set(_own(_metadata(cold.url, A))) == set(NAMES))
    finally:
        running.end()
    _check(cold, expected)
