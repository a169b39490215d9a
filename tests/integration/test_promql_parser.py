"""libs/promql beside Prometheus' own parser; `./vigia test compliance` asks it fifty times as many queries."""

from __future__ import annotations

from promql_differential import compare, made

CASES = 2_000
SEED = 20261130


def test_what_is_promql_here_is_promql_there_and_means_the_same() -> None:
    queries = made(CASES, SEED)
    assert len(queries) == CASES
    counts = compare(queries)
    print(dict(counts))
    assert counts["taken by both"] > CASES * 0.4, counts
    assert counts["refused by both"] > CASES * 0.2, counts
