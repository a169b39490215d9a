"""Three Cassandra nodes on loopback, and what a node says of itself when it is asked by hand."""

from __future__ import annotations

import shutil
import socket
import struct
from pathlib import Path
from typing import Self

from cassandra_server import OwnCassandra
from launcher.cassandra import CassandraNode, Membership, even_tokens
from launcher.layout import beside, own_host
from stack import wait_for

NODES = 3
HEAP_MIB = 400  # 384 MiB bore every load that was tried, 256 did not
ONE, QUORUM = 1, 4  # consistency, as the protocol numbers it


class Cluster:
    """Started by `with`, one node after the other; killed at its end."""

    def __init__(self, folder: Path) -> None:
        first = own_host()
        self.nodes: list[OwnCassandra] = []
        for number, tokens in enumerate(even_tokens(NODES), start=1):
            place = folder / f"node-{number}"
            member = Membership(seed=first, tokens=tokens, heap_mib=HEAP_MIB)
            node = CassandraNode(place, beside(first, number), membership=member)
            self.nodes.append(OwnCassandra(place, node))

    def __enter__(self) -> Self:
        try:
            for node in self.nodes:
                node.start()
            self.await_whole()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for node in self.nodes:
            node.kill()

    @property
    def contact_points(self) -> list[str]:
        return [node.node.contact_point for node in self.nodes]

    def await_whole(self) -> None:
        """Until each node knows the others, and all have one schema."""
        wait_for(
            "the cluster is whole", lambda: all(self._is_whole(node.node.host) for node in self.nodes), 180, every=1
        )

    @staticmethod
    def _is_whole(host: str) -> bool:
        peers = query(host, "SELECT schema_version FROM system.peers_v2", ONE)
        own = query(host, "SELECT schema_version FROM system.local", ONE)
        return len(peers) == NODES - 1 and len({row[0] for row in [*peers, *own]}) == 1

    def lose_disk(self, number: int) -> None:
        """Of a node that was killed; it starts again as one that replaces itself."""
        node = self.nodes[number].node
        shutil.rmtree(node.folder)
        assert node.membership is not None
        node.membership.replaces_itself = True
        node.write_configuration()


def _frame(opcode: int, body: bytes) -> bytes:
    return struct.pack(">BBhBi", 4, 0, 0, opcode, len(body)) + body


def _receive(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise AssertionError("the node has closed the connection")
        data += more
    return data


def _ask(connection: socket.socket, opcode: int, body: bytes) -> tuple[int, bytes]:
    connection.sendall(_frame(opcode, body))
    head = _receive(connection, 9)
    body = _receive(connection, struct.unpack(">i", head[5:])[0])
    return head[4], _without_warnings(body) if head[1] & 0x08 else body


def _without_warnings(body: bytes) -> bytes:
    """A list of texts before the answer: that a count looks at many partitions, for instance."""
    at = 2
    for _ in range(struct.unpack_from(">H", body)[0]):
        at += 2 + int(struct.unpack_from(">H", body, at)[0])
    return body[at:]


def query(host: str, cql: str, consistency: int) -> list[list[bytes]]:
    """The rows of one page, cells as they come, of the node at `host`: version 4 of the protocol, by hand."""
    try:
        with socket.create_connection((host, 9042), timeout=20) as connection:
            key, value = b"CQL_VERSION", b"3.0.0"
            words = struct.pack(">HH", 1, len(key)) + key + struct.pack(">H", len(value)) + value
            assert _ask(connection, 0x01, words)[0] == 0x02, "READY"
            text = cql.encode()
            opcode, body = _ask(
                connection, 0x07, struct.pack(">i", len(text)) + text + struct.pack(">HB", consistency, 0)
            )
    except OSError as error:
        raise AssertionError(f"{host} does not answer: {error}") from error
    assert opcode == 0x08, body
    return _rows(body)


def _rows(body: bytes) -> list[list[bytes]]:
    at = 0

    def number(shape: str) -> int:
        nonlocal at
        found: int = struct.unpack_from(shape, body, at)[0]
        at += struct.calcsize(shape)
        return found

    assert number(">i") == 2, "rows"
    flags, columns = number(">i"), number(">i")
    assert flags == 1, "one page, and one table for all columns"

    def text() -> None:
        nonlocal at
        size = number(">H")
        at += size

    text()  # keyspace
    text()  # table
    for _ in range(columns):
        text()  # its name
        assert number(">H") < 0x20, "no type of types"
    rows = []
    for _ in range(number(">i")):
        row = []
        for _ in range(columns):
            size = number(">i")
            row.append(body[at : at + max(size, 0)])
            at += max(size, 0)
        rows.append(row)
    return rows


def count(host: str, table: str, consistency: int) -> int:
    cell = query(host, f"SELECT count(*) FROM {table}", consistency)[0][0]
    return int.from_bytes(cell, "big")
