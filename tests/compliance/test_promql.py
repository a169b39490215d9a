"""PromQL through the router beside a plain Prometheus that holds the same: every case, everywhere, `./vigia test compliance`.

docs/compliance.md says what came out, by promql_page.py, and which differences there are. A part of it is in every run of the
integration tests (test_promql_beside.py).
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from launcher import parts
from promql_beside import COLD, HOT, ROLLED, Place, Site, Verdict, compare, site_of
from promql_cases import GAUGE, cases, different_at
from promql_page import PAGE, file_of, parts_of_page
from tree_kinds import functions


@pytest.fixture(scope="module", params=["prometheus-2", "prometheus-3"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Site]]:
    places = [HOT] if request.param == "prometheus-2" else [HOT, COLD, ROLLED]
    with site_of(tmp_path_factory.mktemp("promql"), parts.program(request.param), places) as made:
        yield request.param, made


def _verdict(site: Site, place: Place, name: str) -> Verdict:
    found = compare(site, place, name, cases(place.times))
    kept = file_of(name)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(found.kept())
    print(f"{found.line()}; all that differs: {kept}")
    return found


@pytest.fixture(scope="module")
def verdicts(site: tuple[str, Site]) -> list[tuple[Place, Verdict]]:
    version, made = site
    if version == "prometheus-2":
        return [(HOT, _verdict(made, HOT, "hot 2.42"))]
    return [(place, _verdict(made, place, place.name)) for place in (HOT, COLD, ROLLED)]


def test_only_the_known_differences_are_there(verdicts: list[tuple[Place, Verdict]]) -> None:
    for _, found in verdicts:
        known = different_at(found.place)
        unknown = {query: why for query, why in found.different.items() if query not in known}
        assert not unknown, found.place + "\n".join(f"\n{query}\n  {why}" for query, why in list(unknown.items())[:5])
        assert set(found.different) == set(known), "what is the same now is known as different"


def test_it_was_compared(verdicts: list[tuple[Place, Verdict]]) -> None:
    """Or two servers that say nothing would be alike."""
    for place, found in verdicts:
        made = cases(place.times)
        assert found.asked == 2 * len(made) > 1_000
        assert found.with_answer > found.asked * 0.75
        assert found.failing == 2 * sum(case.fails for case in made), "what must be refused is, by Prometheus"
        assert len(found.elsewhere) < found.asked / 10, found.elsewhere
        assert place is not ROLLED or found.of_windows > 50


def test_the_page_says_what_is_so(verdicts: list[tuple[Place, Verdict]]) -> None:
    _, told, _ = parts_of_page(PAGE.read_text())
    assert [found.line() for _, found in verdicts if f"    {found.line()}\n" not in told] == []
    assert [query for _, found in verdicts for query in different_at(found.place) if query not in told] == []


def test_every_function_of_this_prometheus_is_asked(site: tuple[str, Site]) -> None:
    """All that libs/promql has, but what this version does not know or has behind a flag that nobody sets."""
    _, made = site
    queries = " ".join(case.query for case in cases())
    for name in functions():
        if f"{name}(" in queries:
            continue
        answer = requests.get(f"{made.plain}/api/v1/query", params={"query": f"{name}({GAUGE})"}, timeout=10)
        # `start(` is no call of a function before 3.12.
        assert any(words in answer.text for words in ("unknown function", "not enabled", "unexpected")), (
            f"{name} is asked nowhere: {answer.text}"
        )
