"""prometheus/compliance's tests of receivers of remote write 2.0, against vigia-storage: `./vigia test compliance`.

The suite takes any 4xx for a good answer to many valid requests, "since some receivers do not support them". So its verdict is
half of the result; the other half, which requests were not answered 204, is held here by name.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass, field

import pytest
from cold_store import StorageAlone
from launcher.compliance import VERSION, remote_write_receiver
from launcher.paths import ROOT, STATE

NAME = "vigia-storage"
CONFIG = """
remote_write:
  - name: {name}
    url: {url}/api/v1/write
    authorization: {{credentials: secret}}
"""
# Level MAY. It wants no X-Prometheus-Remote-Write-…-Written where the request is of 1.0; here each answer says what was written.
DEVIATIONS = {"TestRW1BasicCompatibility"}
# Not 204, of what is wrong.
REFUSED = {
    r"TestExemplarValidation/exemplar_(without_name_label|with_empty_name)": 400,
    r"TestHistograms/bad_count_histogram": 400,
    r"TestMetadataValidation/metadata_(without_name_label|with_empty_name)": 400,
    r"TestSingleMetric/[^/]+/(simple_metric_without_name_label|empty_metric)": 400,
    r"TestMultipleMetrics/[^/]+/multiple_metrics,_(1_)?without_name_label": 400,
    r"TestCorruptRequestBody": 400,
    r"TestRW1ErrorHandling": 400,
    r"TestBadContentTypes/(application_json|image_png)": 415,
    r"TestBadContentEncodings/(gzip|deflate)": 415,
}


@dataclass
class Verdicts:
    passed: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    levels: dict[str, str] = field(default_factory=dict)  # MUST, SHOULD, MAY
    codes: dict[str, int] = field(default_factory=dict)

    def table(self) -> str:
        """How many of each level passed, of the cases that have one."""
        lines = []
        for level in ("MUST", "SHOULD", "MAY"):
            cases = {name for name, own in self.levels.items() if own == level}
            lines.append(f"{level}: {len(cases & self.passed)} of {len(cases)} passed")
        return "\n".join(lines)


def read_verdicts(text: str) -> Verdicts:
    """What `go test -v` printed. A case's name ends with the receiver's."""
    verdicts = Verdicts()
    current = ""
    for line in text.splitlines():
        if begun := re.match(r"=== (?:RUN|NAME|CONT)\s+(\S+)", line):
            current = begun[1].removesuffix(f"/{NAME}")
        elif level := re.match(r"=== ATTR\s+(\S+) rfcLevel (\w+)", line):
            verdicts.levels[level[1]] = level[2]
        elif code := re.search(rf'Response code from "{NAME}": (\d+)', line):
            verdicts.codes[current] = int(code[1])
        elif ended := re.match(r"\s*--- (PASS|FAIL|SKIP): (\S+)", line):
            into = verdicts.passed if ended[1] == "PASS" else verdicts.failed
            into.add(ended[2].removesuffix(f"/{NAME}"))
    return verdicts


def expected_code(case: str) -> int:
    return next((code for pattern, code in REFUSED.items() if re.fullmatch(pattern, case)), 204)


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> Verdicts:
    folder = tmp_path_factory.mktemp("compliance")
    suite = remote_write_receiver()
    storage = StorageAlone(folder)
    storage.start()
    config = folder / "receivers.yaml"
    config.write_text(CONFIG.format(name=NAME, url=storage.url))
    environment = {**os.environ, "PROMETHEUS_RW2_COMPLIANCE_CONFIG_FILE": str(config)}
    done = subprocess.run(
        [str(suite), "-test.v", "-test.timeout=4m"],
        cwd=suite.parent,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert storage.stop() == 0
    found = read_verdicts(done.stdout)
    kept = STATE / "compliance" / "remote-write-receiver.txt"
    kept.write_text(f"{VERSION}\n{found.table()}\n\n{done.stdout}{done.stderr}")
    print(f"{found.table()}\nall of it: {kept}")
    assert found.codes, done.stdout + done.stderr
    return found


def test_only_the_known_deviations_fail(verdicts: Verdicts) -> None:
    failed = {name.split("/")[0] for name in verdicts.failed}
    assert failed == DEVIATIONS
    assert len(verdicts.passed) > 150


def test_each_request_is_answered_as_it_should_be(verdicts: Verdicts) -> None:
    others = {case: code for case, code in verdicts.codes.items() if code != expected_code(case)}
    assert not others
    unseen = [pattern for pattern in REFUSED if not any(re.fullmatch(pattern, case) for case in verdicts.codes)]
    assert not unseen


def test_what_must_be_is(verdicts: Verdicts) -> None:
    owed = {name for name, level in verdicts.levels.items() if level in ("MUST", "SHOULD")}
    assert owed
    assert not owed & verdicts.failed


def test_the_page_says_what_is_so(verdicts: Verdicts) -> None:
    page = (ROOT / "docs" / "compliance.md").read_text()
    said = [VERSION, *verdicts.table().splitlines(), *DEVIATIONS]
    said.append(f"each of its {len(verdicts.codes)} requests")
    said.append(f"{list(verdicts.codes.values()).count(204)} are answered 204")
    assert [words for words in said if words not in page] == []


def test_the_reader_of_verdicts() -> None:
    """It would else pass on an output of another form."""
    text = (
        "=== RUN   TestA\n=== ATTR  TestA/x rfcLevel MUST\n=== RUN   TestA/x/vigia-storage\n"
        '    main_test.go:1: Response code from "vigia-storage": 400\n'
        "--- FAIL: TestA (0.01s)\n    --- FAIL: TestA/x (0.00s)\n        --- FAIL: TestA/x/vigia-storage (0.00s)\n"
    )
    found = read_verdicts(text)
    assert found.codes == {"TestA/x": 400}
    assert found.levels == {"TestA/x": "MUST"}
    assert found.failed == {"TestA", "TestA/x"}
    assert "MUST: 0 of 1" in found.table()
