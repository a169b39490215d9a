"""This translation of OTLP metrics beside that of Prometheus' own endpoint; `./vigia test compliance` asks it of 1,000,000 requests."""

from __future__ import annotations

from otlp_differential import compare

CASES = 10_000
SEED = 20261201


# R-PM-1 to R-PM-14.
def test_what_becomes_of_a_request_is_what_prometheus_makes_or_differs_for_a_reason() -> None:
    counts = compare(CASES, SEED)
    print(dict(counts))
    assert counts["the same"] > CASES * 0.25, counts
