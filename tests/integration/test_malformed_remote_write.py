"""Each malformed request of malformed_remote_write.py has its exact status, and what of it is taken and counted; the next
good one is served. C21, R-RW-2, R-RW-5, R-RW-6."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from collector_alone import TOKEN, CollectorAlone
from malformed_remote_write import Case, cases, good
from remote_write import snappy

TABLE = Path(__file__).parent.parent / "golden" / "malformed" / "remote_write.tsv"
HEAD = "# name, status, samples/histograms/exemplars written, what was counted: items refused by reason, requests refused whole\n"
WRITTEN = "X-Prometheus-Remote-Write-{}-Written"
COUNTED = re.compile(r"^vigia_(items_rejected|requests_refused)_total(\{.*\})? (\d+)$", re.MULTILINE)


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorAlone]:
    with CollectorAlone(tmp_path_factory.mktemp("malformed_remote_write")) as made:
        yield made


class Sender:
    def __init__(self, collector: CollectorAlone) -> None:
        self.collector = collector
        self.session = requests.Session()
        self.before = self._counted()

    def _counted(self) -> Counter[str]:
        counts: Counter[str] = Counter()
        text = self.session.get(f"http://{self.collector.host}:8888/metrics", timeout=5).text
        for kind, labels, count in COUNTED.findall(text):
            reason = re.search(r'reason="([^"]*)"', labels)
            counts[reason.group(1) if reason else kind] += int(count)
        return counts

    def send(self, case: Case) -> tuple[str, str, str]:
        headers = {
            "Authorization": f"Bearer {TOKEN}",
            "Content-Type": case.form,
            "Content-Encoding": "snappy",
            **case.headers,
        }
        url = f"http://{self.collector.host}:9201/api/v1/write"
        answer = self.session.post(url, data=case.body, headers=headers, timeout=10)
        written = "/".join(
            answer.headers.get(WRITTEN.format(kind), "-") for kind in ("Samples", "Histograms", "Exemplars")
        )
        if answer.status_code != 204:
            assert answer.text, case.name
            assert len(answer.content) < 4_096, case.name
        counted = self._counted()
        more = counted - self.before
        self.before = counted
        return str(answer.status_code), written, " ".join(f"{key}={more[key]}" for key in sorted(more)) or "-"


def _table() -> dict[str, tuple[str, str, str]]:
    rows = (line.split("\t") for line in TABLE.read_text().splitlines() if line and not line.startswith("#"))
    return {name: (status, written, counted) for name, status, written, counted in rows}


def test_each_has_its_exact_status_and_count(collector: CollectorAlone) -> None:
    sender = Sender(collector)
    found: dict[str, tuple[str, str, str]] = {}
    for case in cases():
        assert case.name not in found
        found[case.name] = sender.send(case)
    assert len(found) >= 300
    if os.environ.get("WRITE_GOLDEN"):
        TABLE.write_text(HEAD + "".join("\t".join((name, *row)) + "\n" for name, row in found.items()))
    assert found == _table()
    for version in (1, 2):
        whole = Case("good", version, snappy(good(version)))
        assert sender.send(whole) == ("204", "1/0/1", "-")


# One bad row costs one row: what stands beside it is taken, whatever it is refused for.
def test_a_bad_series_costs_no_other() -> None:
    table = _table()
    beside = {name: row for name, row in table.items() if name.endswith(", beside a good one")}
    assert len(beside) >= 80
    for name, (status, written, counted) in beside.items():
        alone = table[name.removesuffix(", beside a good one")]
        if "503" in (status, alone[0]):
            continue  # all of it waits for our clock
        items, items_alone = (re.sub(r" ?requests_refused=1", "", one[2]) for one in (table[name], alone))
        # Counted as it is counted alone.
        assert items == items_alone, name
        if items not in ("", "-") and "request_size" not in items:
            samples, _, exemplars = written.split("/")
            assert (status, int(samples) >= 1, exemplars) == ("400", True, "1"), (name, counted)


# R-RW-5: the sender is told of what leads nowhere, and the rest is kept.
def test_a_reference_that_leads_nowhere_is_told(collector: CollectorAlone) -> None:
    [case] = [one for one in cases() if one.name == "2.0/series: a reference to nothing, beside a good one"]
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": case.form, "Content-Encoding": "snappy"}
    answer = requests.post(f"http://{collector.host}:9201/api/v1/write", data=case.body, headers=headers, timeout=10)
    assert (answer.status_code, answer.headers[WRITTEN.format("Samples")]) == (400, "1")
    assert "1 of 3 data points refused: 1 invalid (a reference leads to no symbol); the rest is kept" in answer.text
