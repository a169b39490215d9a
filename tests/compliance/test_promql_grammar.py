"""libs/promql beside Prometheus' own parser: 100,000 random queries, and those of Prometheus' own tests."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator

import pytest
from launcher.paths import STATE
from promql_differential import compare, made, of_prometheus_tests, table

CASES = int(os.environ.get("VIGIA_PROMQL_CASES", "100000"))
SEED = 20261201  # not that of the integration tests


@pytest.fixture(scope="module")
def columns() -> Iterator[dict[str, Counter[str]]]:
    """What was counted, which stands in docs/compliance.md."""
    counted: dict[str, Counter[str]] = {}
    yield counted
    (STATE / "compliance" / "promql-parser.md").write_text(table(counted))


def test_random_queries(columns: dict[str, Counter[str]]) -> None:
    queries = made(CASES, SEED)
    assert len(queries) == CASES
    counts = columns["random"] = compare(queries)
    assert counts["taken by both"] > CASES * 0.4, counts
    assert counts["refused by both"] > CASES * 0.2, counts


def test_queries_of_prometheus_own_tests(columns: dict[str, Counter[str]]) -> None:
    queries = of_prometheus_tests()
    assert len(queries) > 2_000, len(queries)
    # A line of a file is a text of bytes there.
    texts = [query for query in queries if query.isprintable() or re.search(r"[\n\t]", query)]
    counts = columns["of Prometheus' tests"] = compare(texts)
    assert counts["taken by both"] > 1_500, counts


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__]))
