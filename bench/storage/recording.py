"""Host metrics as a real host gave them, kept in bench/data, and how such a file is made.

python3 bench/storage/recording.py --prometheus URL --query '{job="node"}' --minutes 60 --out FILE --about TEXT
"""

from __future__ import annotations

import argparse
import json
import lzma
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RECORDED = ROOT / "bench" / "data" / "host_metrics.json.xz"


@dataclass(frozen=True)
class Series:
    labels: dict[str, str]
    values: list[float]


@dataclass(frozen=True)
class Recording:
    """Of one host: a value of each series at each scrape."""

    about: str
    step_ms: int
    series: list[Series]

    @property
    def steps(self) -> int:
        return len(self.series[0].values)


def read(file: Path = RECORDED) -> Recording:
    content = json.loads(lzma.decompress(file.read_bytes()))
    series = [Series(one["labels"], [float(value) for value in one["values"]]) for one in content["series"]]
    return Recording(content["about"], content["step_ms"], series)


def whole_series(prometheus: str, query: str, from_s: float, to_s: float) -> dict[str, dict[float, str]]:
    """Samples as they were scraped (a range selector, not steps), by the labels' JSON."""
    asked = urllib.parse.urlencode({"query": f"{query}[{int(to_s - from_s)}s]", "time": to_s})
    with urllib.request.urlopen(f"{prometheus}/api/v1/query?{asked}", timeout=60) as answer:
        found = json.load(answer)["data"]["result"]
    return {json.dumps(one["metric"], sort_keys=True): dict(one["values"]) for one in found}


def record(prometheus: str, query: str, minutes: int, about: str, file: Path) -> None:
    """Writes the last minutes. A series that lacks a scrape is left out, and said."""
    to_s = time.time()
    found = whole_series(prometheus, query, to_s - minutes * 60, to_s)
    times = sorted({at for values in found.values() for at in values})
    steps = [round((after - before) * 1000) for before, after in zip(times, times[1:], strict=False)]
    step_ms = sorted(steps)[len(steps) // 2]
    series = [
        {"labels": json.loads(labels), "values": [values[at] for at in times]}
        for labels, values in sorted(found.items())
        if len(values) == len(times)
    ]
    print(f"{len(series)} series of {len(found)}, {len(times)} scrapes, {step_ms} ms apart")
    content = {"about": about, "step_ms": step_ms, "series": series}
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(lzma.compress(json.dumps(content, separators=(",", ":")).encode(), preset=9 | lzma.PRESET_EXTREME))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prometheus", required=True)
    parser.add_argument("--query", required=True)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--about", required=True, help="which host, doing what, when: a sentence of the file")
    parser.add_argument("--out", type=Path, default=RECORDED)
    options = parser.parse_args()
    record(options.prometheus, options.query, options.minutes, options.about, options.out)


if __name__ == "__main__":
    main()
