"""The benches of the cold store on Cassandra, on real nodes of this machine: one, or three with three copies.

PYTHONPATH=tools:tests/integration:bench/storage .vigia/venv/bin/python bench/storage/cassandra.py [--nodes 3] [--only node]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cassandra_cluster import Cluster
from cassandra_server import OwnCassandra
from stack import binaries

BENCHES = ("node", "event", "rolled")


@contextmanager
def nodes(folder: Path, count: int) -> Iterator[list[OwnCassandra]]:
    if count == 1:
        with OwnCassandra(folder / "node-1") as one:
            yield [one]
        return
    with Cluster(folder) as cluster:
        yield cluster.nodes


def run_benches(only: list[str], at: list[OwnCassandra]) -> None:
    environment = {"VIGIA_CASSANDRA": at[0].node.contact_point, "VIGIA_COPIES": str(len(at))}
    for name in BENCHES:
        if name not in only:
            continue
        print(f"{name}: load {os.getloadavg()[0]:.1f}", flush=True)
        subprocess.run(
            [str(binaries() / f"vigia-cassandra-{name}-bench")], check=True, env={**os.environ, **environment}
        )
        print(f"load {os.getloadavg()[0]:.1f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, choices=(1, 3), default=1)
    parser.add_argument("--only", default=",".join(BENCHES))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vigia-bench-") as name, nodes(Path(name), options.nodes) as at:
        run_benches(options.only.split(","), at)


if __name__ == "__main__":
    main()
