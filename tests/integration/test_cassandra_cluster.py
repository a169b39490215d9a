"""Three nodes with three copies: what one that dies costs, what two cost, and a disk that is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from cassandra_cluster import ONE, QUORUM, Cluster, count
from cold_store import TOKEN, StorageAlone
from launcher.commands import Command
from launcher.layout import own_host
from otlp import NumberedSender, value_of
from remote_read import SAMPLES, post_read, read_request, samples_of
from remote_write import write
from stack import Running, binaries, wait_for

pytestmark = [pytest.mark.thorough, pytest.mark.alone]  # three Java machines, some 2 GB

CUSTOMER = "cliente-a"
HEADERS = {**TOKEN, "X-Vigia-Customer": CUSTOMER}
TABLES = ("head_rows", "series", "chunks_90d")

_STORAGE = """
listen: {host}:9096
metrics: {{listen: "{host}:9196"}}
internal_token: secret
store: {{cassandra: {{directory: "{folder}", contact_points: {points}, keyspace: copies, replication_factor: 3}}}}
retention: {{raw: 30d}}
"""


_CUSTOMERS = "customers: [{id: cliente-a, tokens: [{token: token-a, scope: ingest}]}]\n"
_COLLECTOR = """
extensions:
  health_check: {{endpoint: "{host}:13133"}}
  vigia_auth: {{directory: {{file: "{folder}/customers.yaml"}}}}
  file_storage: {{directory: "{folder}/log"}}
receivers:
  otlp: {{protocols: {{http: {{endpoint: "{host}:4318", auth: {{authenticator: vigia_auth}}}}}}}}
exporters:
  prometheusremotewrite/cold:
    {{endpoint: "{storage}/api/v1/write", required: true, headers: {{Authorization: "Bearer secret"}}}}
service:
  extensions: [health_check, vigia_auth, file_storage]
  telemetry: {{metrics: {{address: "{host}:8888"}}}}
  pipelines: {{metrics: {{receivers: [otlp], exporters: [prometheusremotewrite/cold]}}}}
"""


class Collector:
    """A real one with its disk log, and the storage of a site behind it."""

    def __init__(self, folder: Path, storage: StorageAlone) -> None:
        self.host = own_host()
        (folder / "customers.yaml").write_text(_CUSTOMERS)
        config = folder / "collector.yaml"
        config.write_text(_COLLECTOR.format(folder=folder, host=self.host, storage=storage.url))
        words = [str(binaries() / "vigia-collector"), "--config", str(config)]
        self._command = Command("collector", words, f"http://{self.host}:13133/health")
        self._log = folder / "collector.log"
        self.start()

    def start(self) -> None:
        self._running = Running(self._command, self._log)
        self._running.wait_until_ready()

    def kill(self) -> None:
        self._running.end(9)

    def metric(self, name: str) -> float:
        text = requests.get(f"http://{self.host}:8888/metrics", timeout=10).text
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name + "{"))


class Sender(threading.Thread):
    """As a collector sends: each request until it is acknowledged, one after the other."""

    def __init__(self, url: str, begin: int) -> None:
        super().__init__(daemon=True)
        self.url, self.begin = url, begin
        self.acknowledged: dict[int, float] = {}
        self.refused: list[str] = []
        self.is_ending = False

    def run(self) -> None:
        number = 0
        while not self.is_ending:
            ms = self.begin + number * 15_000
            try:
                write(self.url, [({"__name__": "probe", "customer_id": CUSTOMER}, [(ms, float(number))])], HEADERS)
            except (requests.RequestException, AssertionError) as error:
                self.refused.append(str(error))
                time.sleep(0.1)
                continue
            self.acknowledged[ms] = float(number)
            number += 1

    def await_more(self, number: int, seconds: float = 60) -> None:
        before = len(self.acknowledged)
        wait_for("more is acknowledged", lambda: len(self.acknowledged) >= before + number, seconds)


class Site:
    def __init__(self, folder: Path, cluster: Cluster) -> None:
        self.cluster = cluster
        self.storage = StorageAlone(folder)
        points = "[" + ", ".join(f'"{point}"' for point in cluster.contact_points) + "]"
        text = _STORAGE.format(host=self.storage.host, folder=self.storage.folder, points=points)
        self.storage.config.write_text(text)
        try:
            self.start_storage()
        except BaseException:
            self.storage.kill()
            raise
        begin = (int(time.time()) // 86_400 - 1) * 86_400_000 + 6 * 3_600_000
        self.sender = Sender(self.storage.url, begin)
        self.sender.start()

    def start_storage(self) -> None:
        """Three nodes agree on some thirty tables one after the other: a minute and more, the first time."""
        self.storage.launch()
        url = f"{self.storage.url}/ready"
        wait_for("storage is ready", lambda: requests.get(url, timeout=2).status_code == 200, 240)

    def end(self) -> None:
        self.sender.is_ending = True
        self.sender.join(30)
        self.storage.kill()

    def expect_all(self) -> None:
        acknowledged = dict(self.sender.acknowledged)
        answer = post_read(self.storage.url, read_request([("probe", 0, 2**62)]), SAMPLES, HEADERS)
        assert answer.status_code == 200, answer.text
        assert acknowledged.items() <= next(iter(samples_of(answer).values())).items()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    with Cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        made = Site(folder, cluster)
        try:
            yield made
        finally:
            made.end()


def test_of_one_node_that_is_killed_nobody_hears(site: Site) -> None:
    site.sender.await_more(200)
    site.cluster.nodes[1].kill()
    site.sender.await_more(400, 120)
    assert site.sender.refused == []
    site.expect_all()
    site.cluster.nodes[1].start()
    site.cluster.await_whole()
    assert site.sender.refused == []


def test_a_node_that_hangs_costs_neither_an_acknowledgement_nor_a_start(site: Site) -> None:
    """It takes connections and answers nothing: requests to it are asked of a second node, and it is passed over soon."""
    hung = site.cluster.nodes[2]
    site.sender.await_more(100)
    hung.hang()
    try:
        site.sender.await_more(300, 120)
        assert site.sender.refused == []
        site.expect_all()
        second = site.storage.metrics()
        assert second["vigia_storage_second_requests_total"] > 0
        assert second["vigia_storage_second_requests_answered_first_total"] > 0
        assert second["vigia_storage_lease_held"] == 1
        site.storage.kill()
        site.start_storage()
        site.sender.await_more(100, 120)
        site.expect_all()
    finally:
        hung.go_on()
    site.cluster.await_whole()
    site.expect_all()


def test_while_two_are_away_senders_keep_what_they_have_and_nothing_is_lost(site: Site) -> None:
    for number in (0, 2):
        site.cluster.nodes[number].kill()
    wait_for("writes are refused", lambda: site.sender.refused, 60)
    assert all("503" in text or "timed out" in text.lower() for text in site.sender.refused), site.sender.refused[-1]
    for number in (0, 2):
        site.cluster.nodes[number].start()
    site.sender.await_more(100, 120)
    site.cluster.await_whole()
    site.expect_all()
    # A machine that had it all in memory proves nothing.
    site.storage.kill()
    site.start_storage()
    site.sender.await_more(100, 120)
    site.expect_all()


def test_what_a_collector_has_acknowledged_meanwhile_waits_in_its_log(site: Site, tmp_path: Path) -> None:
    """With two of three away storage takes nothing: the collector goes on taking, is killed, and delivers all of it in the end."""
    collector = Collector(tmp_path, site.storage)
    start_ms = int(time.time() * 1000) - 3_600_000
    sender = NumberedSender(f"http://{collector.host}:4318", "token-a", CUSTOMER, start_ms)
    try:
        sender.start()
        wait_for("some is acknowledged", lambda: sender.acknowledged > 100, 60)
        for number in (0, 1):
            site.cluster.nodes[number].kill()
        before = sender.acknowledged
        wait_for("it goes on taking", lambda: sender.acknowledged > before + 500, 120)
        wait_for("which waits", lambda: collector.metric("vigia_items_queued") > 1000, 60)
        collector.kill()
        collector.start()
        wait_for("and takes more", lambda: sender.acknowledged > before + 700, 60)
        sender.stop(60)
        assert sender.refused == []
        for number in (0, 1):
            site.cluster.nodes[number].start()
        wait_for("all is delivered", lambda: collector.metric("vigia_items_queued") == 0, 240)
        assert collector.metric("vigia_items_rejected_total") == 0
        assert collector.metric("vigia_items_dropped_total") == 0
        site.cluster.await_whole()
        for is_restarted in (False, True):
            if is_restarted:  # a machine that had it all in memory proves nothing
                site.storage.kill()
                site.start_storage()
            answer = post_read(site.storage.url, read_request([("probe_numbered", 0, 2**62)]), SAMPLES, HEADERS)
            assert answer.status_code == 200, answer.text
            found = {int(dict(labels)["series"]): samples for labels, samples in samples_of(answer).items()}
            numbers = range(sender.acknowledged)
            assert found == {
                n: {start_ms + number * sender.step_ms: value_of(CUSTOMER, n, number) for number in numbers}
                for n in range(sender.series)
            }
    finally:
        collector.kill()


def test_a_node_whose_disk_is_lost_gets_its_copies_from_the_others(site: Site) -> None:
    site.sender.is_ending = True
    site.sender.join(30)
    lost, others = site.cluster.nodes[2], site.cluster.nodes[:2]
    wanted = {table: count(others[0].node.host, f"copies.{table}", QUORUM) for table in TABLES}
    assert all(number > 0 for number in wanted.values()), wanted
    lost.kill()
    site.cluster.lose_disk(2)
    lost.start()
    wait_for("it is in the ring", lambda: count(lost.node.host, "copies.head_rows", ONE) > 0, 180, every=1)
    # Alone it answers with what it has itself.
    for node in others:
        node.kill()
    host = lost.node.host
    wait_for("all is there", lambda: {table: count(host, f"copies.{table}", ONE) for table in TABLES} == wanted, 60)
    for node in others:
        node.start()
    site.expect_all()
