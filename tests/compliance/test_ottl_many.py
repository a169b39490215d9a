"""filter and transform beside OpenTelemetry's own OTTL: 200,000 random conditions and statements over all contexts."""

from __future__ import annotations

import os
from collections import Counter

import pytest
from ottl_differential import compare

CASES = int(os.environ.get("VIGIA_OTTL_CASES", "200000"))
SEED = 50_000_000
AT_ONCE = 20_000


def test_random_texts() -> None:
    counts: Counter[str] = Counter()
    for begin in range(0, CASES, AT_ONCE):
        counts += compare(min(AT_ONCE, CASES - begin), SEED + begin)
    print(dict(counts))
    same = sum(count for kind, count in counts.items() if kind.startswith("the same"))
    assert same > CASES * 0.7, counts


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__]))
