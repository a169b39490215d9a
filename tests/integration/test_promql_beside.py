"""PromQL through the router beside a plain Prometheus that holds the same: one case of six, hot, cold and rolled up. All of them, and
2.42 as hot store, are `./vigia test compliance`, whose outcome docs/compliance.md tells."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from launcher import parts
from promql_beside import (
    COLD,
    HOT,
    INSTANT,
    RANGE,
    ROLLED,
    Place,
    Site,
    compare,
    is_same,
    result_of,
    site_of,
)
from promql_cases import DIFFERENT, cases

ONE_OF = 6


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_of(tmp_path_factory.mktemp("promql"), parts.program("prometheus-3"), [HOT, COLD, ROLLED]) as made:
        yield made


@pytest.mark.long(20)
@pytest.mark.parametrize("place", [HOT, COLD, ROLLED], ids=lambda place: place.name)
def test_answers_are_those_of_a_plain_prometheus(site: Site, place: Place) -> None:
    made = cases(place.times)
    found = compare(site, place, place.name, made[::ONE_OF])
    different = {query: why for query, why in found.different.items() if query not in DIFFERENT}
    assert not different, "".join(f"\n{query}\n  {why}" for query, why in list(different.items())[:5])
    assert found.with_answer > found.asked * 0.75
    assert len(found.elsewhere) < found.asked / 10, found.elsewhere
    assert place is not ROLLED or found.of_windows > 8


def test_the_comparison_sees_a_difference(site: Site) -> None:
    """The other customer's data, and a value that is off by a millionth."""
    for query in ("sum(node_bytes)", "rate(work_seconds_total[1m])", "sum(request_size_bytes)"):
        for way in (RANGE, INSTANT):
            plain = result_of(site.ask(site.plain, query, HOT, way))
            assert is_same(result_of(site.ask_router(query, HOT, way)), plain)
            assert not is_same(result_of(site.ask_router(query, HOT, way, "read-b")), plain)
    assert not is_same([[1, "1"]], [[1, "1.000001"]])
    assert not is_same("bad_data", {})
