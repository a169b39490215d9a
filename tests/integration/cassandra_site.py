"""A cold store on a real Cassandra node, as a walk moves it: its node is killed, its log or its whole disk is lost."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import requests
from cassandra_server import OwnCassandra
from cold_shim import POINTS
from cold_site import ColdSite
from stack import wait_for

# The lease is the shortest there is: so long a machine must be gone until its samples are taken over. It names itself
# among the peers, so an answer says whether somebody has left something that nobody has taken over yet.
CONFIG = """
listen: {host}:9096
metrics: {{listen: "{host}:9196"}}
internal_token: secret
store:
  cassandra:
    {{directory: "{folder}", contact_points: ["{node}"], keyspace: {keyspace}, replication_factor: 1,
      lease: 3s, gather: {gather}, peers: ["{url}"]}}
exemplars_per_minute: 10000
retention: {{raw: {raw}d, rollup_5m: off, rollup_1h: off, rollup_1d: off, traces: {traces}d, logs: {logs}d, interval: {interval}s}}
"""
_REFUSED = (503, 504)


class CassandraSite(ColdSite):
    # What lies on its own disk.
    points = {name: point for name, point in POINTS.items() if "/wal/" in point.path or "retention" in point.path}

    def __init__(self, folder: Path, cassandra: OwnCassandra, keyspace: str, gather: str) -> None:
        super().__init__(folder)
        self.cassandra, self.keyspace, self.gather = cassandra, keyspace, gather
        self.storage.ready_seconds = 150  # the first start makes some forty tables
        # What was not acknowledged has a copy all the same, perhaps, and comes when that is taken over.
        self.ask.may_come_later = True

    def configuration(self, interval: int) -> str:
        words = {"host": self.storage.host, "url": self.storage.url, "folder": self.folder, "keyspace": self.keyspace}
        node = self.cassandra.node.contact_point
        return CONFIG.format(**words, **self.keep, node=node, gather=self.gather, interval=interval)

    def answered(self, send: Callable[[], requests.Response], taken: Sequence[int] = (200, 204, 400)) -> bool:
        """Refused is not answered; it may be so while the node is away."""
        status = 0

        def sent() -> requests.Response:
            nonlocal status
            answer = send()
            status = answer.status_code
            return answer

        is_answered = super().answered(sent, (*taken, *_REFUSED) if self.is_doomed else taken)
        return is_answered and status not in _REFUSED

    def pass_minutes(self, minutes: int) -> None:
        """A lease ends with the time that passes; until the next sign of life nothing is acknowledged."""
        was_doomed, self.is_doomed = self.is_doomed, True
        super().pass_minutes(minutes)
        if was_doomed:  # it may have ended by now
            return
        wait_for("it holds its lease", lambda: self.storage.metrics().get("vigia_storage_lease_held") == 1)
        self.is_doomed = False
        self.tell_time()

    def lose_disk(self) -> None:
        """Of the program that was killed. It begins in an empty folder, as another one that takes over who was there."""
        shutil.rmtree(self.folder)
        for known in self.folder.parent.glob(f"{self.folder.name}.known*"):  # else it waits for the disk
            known.unlink()
        self.is_expiring = True

    def lose_log(self) -> None:
        shutil.rmtree(self.folder / "wal", ignore_errors=True)

    def kill_node(self) -> None:
        self.is_doomed = True
        self.cassandra.kill()

    def start_node(self) -> None:
        """Where the program lives, until it takes something again."""
        self.cassandra.start()
        if self.storage.running is not None:
            self.storage.write("clock-0", [(self.now_ms(), 1.0)])
            self.is_doomed = False

    def check_stopped(self) -> None:
        """Its folder has nothing that the cluster has not: there is nothing to look at."""
