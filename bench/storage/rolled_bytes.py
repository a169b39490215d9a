"""What the recorded host metrics take on disk with their roll-ups: of a day that is over, in Vigía's store alone.

Each host goes through the recording again and again until a day is full. Prints a line of JSON, after a quarter of an
hour: what is open is closed ten minutes after its last sample, and rolled up then.

    PYTHONPATH=tools:tests/integration:bench/storage .vigia/venv/bin/python bench/storage/rolled_bytes.py [--hosts 4]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

from host_metrics import send_all
from hosts import Hosts
from recording import RECORDED, read
from stores import RolledVigia, Store, Vigia, clear

DAY_MS = 86_400_000
FIVE_MINUTES_MS = 300_000
DAYS_AGO = 3  # a day is rolled up hours after its end
WAIT_SECONDS = 1800


def settled(store: Store, hosts: Hosts) -> tuple[float, float]:
    """Bytes a sample, and CPU seconds until all was made."""
    store.start()
    before = store.cpu_seconds()
    send_all(store, hosts)
    if isinstance(store, RolledVigia):
        store.tell_time({hosts.customer(host) for host in range(hosts.count)})
        of_a_series = (hosts.end_ms - hosts.begin_ms) // FIVE_MINUTES_MS  # and fewer of the coarser ones
        store.wait_until_rolled(hosts.series * of_a_series, WAIT_SECONDS)
    else:
        store.wait_until_idle()
    cpu = store.cpu_seconds() - before
    return store.settled_bytes() / hosts.samples, cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=4)
    parser.add_argument("--recording", type=Path, default=RECORDED)
    options = parser.parse_args()
    recording = read(options.recording)
    turns = -(-DAY_MS // (recording.steps * recording.step_ms))
    midnight = int(time.time() * 1000) // DAY_MS * DAY_MS
    end_ms = midnight - (DAYS_AGO - 1) * DAY_MS
    hosts = Hosts(recording, options.hosts, end_ms, turns)
    found: dict[str, float] = {"samples": hosts.samples, "series": hosts.series}
    with tempfile.TemporaryDirectory(prefix="vigia-bench-") as folder:
        for name, kind in (("raw", Vigia), ("rolled", RolledVigia)):
            store = kind(Path(folder))
            try:
                found[f"{name}_bytes_a_sample"], found[f"{name}_cpu_s"] = settled(store, hosts)
            finally:
                clear(store)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
