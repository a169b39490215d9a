"""One large customer and a store that is far away: how fast it is sent by one request at a time, and by several.

    python3 bench/far_store.py [--after-ms 20] [--rate 500000] [--seconds 5]

The whole collector, its log included, at a fixed rate; the store (vigia-bench-sink) takes all and answers each request so much later.
Counted is until the last sample has come. The load's 16,000 series are one customer's.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from configurations import CUSTOMERS, OUR_PATH
from programs import drained, own_host, running, seen, wait_for_port
from run import Bench


def measure(bench: Bench, shards: int, after_ms: int, rate: int) -> float:
    """Samples a second."""
    with (
        tempfile.TemporaryDirectory(prefix="vigia-bench-") as folder,
        running([str(bench.bin / "vigia-bench-sink"), f"after-ms={after_ms}"]) as sink,
    ):
        assert sink.stdout
        host, port = own_host(), int(sink.stdout.readline())
        (Path(folder) / "customers.yaml").write_text(CUSTOMERS)
        config = OUR_PATH.replace("required: true", f"required: true, max_shards: {shards}")
        (Path(folder) / "config.yaml").write_text(config.format(folder=folder, host=host, sink=port))
        words = [str(bench.bin / "vigia-collector"), "--config", folder + "/config.yaml"]
        with (Path(folder) / "output").open("w") as output, running(words, stderr=output) as collector:
            wait_for_port(host, collector)
            bench.send(collector.pid, host, 1, rate)  # the series are known then
            drained(port)
            before, began = seen(port)[2], time.monotonic()
            bench.send(collector.pid, host, bench.seconds, rate)
            sent = time.monotonic() - began
            behind, is_drained = drained(port)
            samples = seen(port)[2] - before
    if not is_drained:
        raise RuntimeError("not all had come after a minute")
    print(f"max_shards {shards}: {samples} samples, {samples / (sent + behind):,.0f} a second, {behind:.2f} s behind")
    return samples / (sent + behind)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--after-ms", type=int, default=20)
    parser.add_argument("--rate", type=int, default=500_000)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--bin", type=Path, default=Path("build/release/bin"))
    options = parser.parse_args()
    bench = Bench(options.bin, options.seconds)
    one, four = (measure(bench, shards, options.after_ms, options.rate) for shards in (1, 4))
    print(f"{four / one:.2f} x")


if __name__ == "__main__":
    main()
