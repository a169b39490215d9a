"""This translation of OTLP metrics beside that of Prometheus' own endpoint: 1,000,000 random requests."""

from __future__ import annotations

import os
from collections import Counter

import pytest
from otlp_differential import compare

CASES = int(os.environ.get("VIGIA_OTLP_CASES", "1000000"))
SEED = 40_000_000  # not that of the integration tests
AT_ONCE = 50_000


def test_random_requests() -> None:
    counts: Counter[str] = Counter()
    for begin in range(0, CASES, AT_ONCE):
        counts += compare(min(AT_ONCE, CASES - begin), SEED + begin)
    print(dict(counts))
    assert counts["the same"] > CASES * 0.25, counts


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__]))
