"""filter and transform beside what OpenTelemetry's own OTTL made of the same texts and requests (tests/golden/ottl); `./vigia test
compliance` asks it anew, of many more."""

from __future__ import annotations

from launcher.paths import ROOT
from ottl_differential import read_golden, run_ours

GOLDEN = ROOT / "tests" / "golden" / "ottl" / "upstream.tsv"


def test_what_becomes_of_a_request_is_what_upstream_makes_of_it() -> None:
    cases, expected = read_golden(GOLDEN)
    assert len(cases) > 1_000
    wrong = [
        f"{case.context} {case.kind} {case.text}: {ours.key()} {ours.left[:300]}, and upstream {theirs}"
        for case, ours, theirs in zip(cases, run_ours(cases), expected, strict=True)
        if ours.key() != theirs
    ]
    assert not wrong, f"{len(wrong)} of {len(cases)}:\n" + "\n".join(wrong[:10])
