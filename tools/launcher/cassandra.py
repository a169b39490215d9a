"""A Cassandra node of one's own: its jars by Maven (tools/cassandra/pom.xml), its configuration, its command.

One node, small: for tests, and for whoever wants to see the cold store on it. Not a pattern for production.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from launcher.paths import ROOT
from launcher.shell import Failure, run, say

POM = ROOT / "tools" / "cassandra" / "pom.xml"
CQL_PORT = 9042
NODES_PORT = 7000
TOKENS = 16
JAVA_VERSIONS = ("17", "11")  # what Cassandra 5.0 runs on
# Ready after 5 to 10 s alone, and after a kill when the log has been replayed; a loaded machine takes its time.
READY_SECONDS_MAX = 150

_EXPORTS = """java.base/jdk.internal.misc java.base/jdk.internal.ref java.base/sun.nio.ch java.base/java.lang.ref
java.management.rmi/com.sun.jmx.remote.internal.rmi java.rmi/sun.rmi.registry java.rmi/sun.rmi.server java.sql/java.sql
jdk.unsupported/sun.misc jdk.attach/sun.tools.attach"""
_OPENS = """java.base/java.lang java.base/java.lang.module java.base/java.lang.reflect java.base/java.io java.base/java.nio
java.base/java.util java.base/java.util.concurrent java.base/java.util.concurrent.atomic java.base/jdk.internal.loader
java.base/jdk.internal.ref java.base/jdk.internal.reflect java.base/jdk.internal.math java.base/jdk.internal.module
java.base/jdk.internal.util.jar java.base/sun.nio.ch jdk.management/com.sun.management.internal"""
# The heap's floor: with less it died under 256 requests of 4 KiB. One compiler, the quick one: half the time to start.
_MEMORY = """-Xms128m -XX:MaxDirectMemorySize=128m -Xss256k -XX:+UseSerialGC -XX:TieredStopAtLevel=1
-XX:CICompilerCount=1 -XX:+PerfDisableSharedMem -XX:+ExitOnOutOfMemoryError"""
_PROPERTIES = """java.net.preferIPv4Stack=true java.awt.headless=true jna.nosys=true jdk.attach.allowAttachSelf=true
io.netty.tryReflectionSetAccessible=true io.netty.allocator.useCacheForAllThreads=true io.netty.allocator.maxOrder=11
cassandra-foreground=yes cassandra.available_processors=2 cassandra.skip_wait_for_gossip_to_settle=0
cassandra.ring_delay_ms=15000 cassandra.superuser_setup_delay_ms=1000 cassandra.shutdown_announce_in_ms=0"""
# commitlog_sync: the default, periodic, loses what it acknowledged in the last tenth of a second when it is killed.
_YAML = """cluster_name: vigia
num_tokens: {tokens}
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
endpoint_snitch: SimpleSnitch
auto_bootstrap: {auto_bootstrap}
seed_provider: [{{class_name: org.apache.cassandra.locator.SimpleSeedProvider, parameters: [{{seeds: "{seed}:{nodes_port}"}}]}}]
listen_address: {host}
rpc_address: {host}
storage_port: {nodes_port}
native_transport_port: {port}
native_transport_max_threads: 32
commitlog_sync: group
commitlog_sync_group_window: 2ms
commitlog_segment_size: 8MiB
commitlog_total_space: 128MiB
memtable_heap_space: 64MiB
memtable_offheap_space: 32MiB
memtable_allocation_type: heap_buffers
file_cache_size: 32MiB
networking_cache_size: 32MiB
key_cache_size: 4MiB
counter_cache_size: 0MiB
row_cache_size: 0MiB
concurrent_reads: 8
concurrent_writes: 32
concurrent_compactors: 1
hinted_handoff_enabled: true
auto_snapshot: false
"""
_LOGBACK = """<configuration>
  <appender name="FILE" class="ch.qos.logback.core.FileAppender">
    <file>{log}</file>
    <encoder><pattern>ts=%d{{yyyy-MM-dd'T'HH:mm:ss.SSS'Z',UTC}} %-5level %logger{{0}} %msg%n</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="FILE"/></root>
</configuration>
"""


def version() -> str:
    """Of Cassandra, as the pom pins it."""
    found = re.search(r"<artifactId>cassandra-all</artifactId>\s*<version>([\d.]+)</version>", POM.read_text())
    if found is None:
        raise Failure(f"{POM} names no version of cassandra-all")
    return found[1]


def _cache() -> Path:
    """Outside of the checkout, so that the next one need not fetch the same."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vigia" / "cassandra"


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Who comes second waits, and finds what the first one fetched."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def jars() -> Path:
    """The folder of the node's jars, fetched where they are not there yet: some 70 MB."""
    folder = _cache() / version()
    with _locked(_cache()):
        if not folder.exists():
            if shutil.which("mvn") is None:
                raise Failure("a Cassandra node needs Maven (Debian: maven) to fetch its jars: there is no mvn")
            say(f"fetching Cassandra {version()}")
            fresh = _cache() / f"{version()}.new"
            shutil.rmtree(fresh, ignore_errors=True)
            goal = ["dependency:copy-dependencies", f"-DoutputDirectory={fresh}", "-DincludeScope=runtime"]
            run(["mvn", "-B", "-q", "-f", POM, *goal], what="fetching Cassandra by Maven")
            fresh.rename(folder)
    return folder


def java() -> Path:
    """A Java that Cassandra runs on: VIGIA_JAVA, that of the PATH, or one of Debian's."""
    named = os.environ.get("VIGIA_JAVA") or shutil.which("java")
    places = [Path(named)] if named else []
    places += [Path(f"/usr/lib/jvm/java-{major}-openjdk-amd64/bin/java") for major in JAVA_VERSIONS]
    for place in places:
        if place.exists() and _major(place) in JAVA_VERSIONS:
            return place
    wanted = " or ".join(JAVA_VERSIONS)
    raise Failure(
        f"a Cassandra node needs Java {wanted} (Debian: openjdk-17-jre-headless; VIGIA_JAVA names another place): none found"
    )


def _major(place: Path) -> str:
    said = subprocess.run([str(place), "-version"], check=False, capture_output=True, text=True).stderr
    found = re.search(r'version "(\d+)', said)
    return found[1] if found else ""


@dataclasses.dataclass
class Membership:
    """A node's place in a cluster of several."""

    seed: str  # the host of the first one
    tokens: list[int]  # spread by hand, so that nodes need not wait for each other's choice
    heap_mib: int
    replaces_itself: bool = False  # its disk was lost: it fetches from the others what is its own


HEAP_MIB = 512


def even_tokens(nodes: int) -> list[list[int]]:
    """TOKENS for each of so many nodes, by turns around the ring."""
    step = 2**64 // (TOKENS * nodes)
    return [[(i * nodes + node) * step - 2**63 + 1 for i in range(TOKENS)] for node in range(nodes)]


class CassandraNode:
    """Where one node lies and how it is started. Whoever starts it owns the process.

    `log`: a file that others may append to as well, and cut; none: one in its own folder. Without a membership it is alone.
    """

    def __init__(
        self,
        folder: Path,
        host: str,
        port: int = CQL_PORT,
        nodes_port: int = NODES_PORT,
        log: Path | None = None,
        membership: Membership | None = None,
    ) -> None:
        self.membership = membership
        self.folder = folder
        self.host = host
        self.port = port
        self.nodes_port = nodes_port
        self.log = log or folder / "log" / "system.log"

    @property
    def contact_point(self) -> str:
        return f"{self.host}:{self.port}"

    def write_configuration(self) -> None:
        conf = self.folder / "conf"
        for place in (conf, self.folder / "data", self.log.parent):
            place.mkdir(parents=True, exist_ok=True)
        (conf / "cassandra.yaml").write_text(self._yaml())
        (conf / "logback.xml").write_text(_LOGBACK.format(log=self.log))

    def _yaml(self) -> str:
        member = self.membership
        text = _YAML.format(
            host=self.host,
            port=self.port,
            nodes_port=self.nodes_port,
            tokens=TOKENS,
            seed=member.seed if member else self.host,
            auto_bootstrap=str(bool(member and member.replaces_itself)).lower(),
        )
        # Whoever replaces a node takes its tokens by itself.
        if member and not member.replaces_itself:
            text += f"initial_token: '{','.join(map(str, member.tokens))}'\n"
        return text

    def command(self) -> list[str]:
        """To be run in its folder."""
        lib, conf = jars(), self.folder / "conf"
        properties = [
            *_PROPERTIES.split(),
            f"java.io.tmpdir={self.folder}",
            f"cassandra.config=file://{conf}/cassandra.yaml",
            f"logback.configurationFile={conf}/logback.xml",
            f"cassandra.storagedir={self.folder}/data",
            f"cassandra.logdir={self.log.parent}",
        ]
        if self.membership and self.membership.replaces_itself:
            properties.append(f"cassandra.replace_address_first_boot={self.host}")
        heap = self.membership.heap_mib if self.membership else HEAP_MIB
        return [
            str(java()),
            f"-Xmx{heap}m",
            *_MEMORY.split(),
            *(f"--add-exports={name}=ALL-UNNAMED" for name in _EXPORTS.split()),
            *(f"--add-opens={name}=ALL-UNNAMED" for name in _OPENS.split()),
            *(f"-D{name}" for name in properties),
            f"-javaagent:{next(lib.glob('jamm-*.jar'))}",
            "-cp",
            f"{conf}:{lib}/*",
            "org.apache.cassandra.service.CassandraDaemon",
        ]

    def environment(self) -> dict[str, str]:
        return {"MALLOC_ARENA_MAX": "2"}

    def wait_until_ready(self, is_running: Callable[[], bool]) -> None:
        """Until it answers CQL. A start that fails ends by itself, and is told with the end of its log."""
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not self._answers():
            if not is_running() or time.monotonic() > deadline:
                reason = "has ended" if not is_running() else f"does not answer within {READY_SECONDS_MAX} s"
                lines = self.log.read_text(errors="replace").splitlines()[-15:] if self.log.exists() else ["(no log)"]
                raise Failure(f"the Cassandra node at {self.contact_point} {reason}:\n" + "\n".join(lines))
            time.sleep(0.1)

    def _answers(self) -> bool:
        """OPTIONS in version 4 of the protocol, which every client may send first, answered by SUPPORTED."""
        try:
            with socket.create_connection((self.host, self.port), timeout=5) as connection:
                connection.sendall(bytes([4, 0, 0, 0, 5, 0, 0, 0, 0]))
                return connection.recv(9)[4:5] == b"\x06"
        except OSError:
            return False
