"""Writes what came out of test_promql.py into docs/compliance.md, from the files that it has left; the test compares the two.

PYTHONPATH=tools:tests/integration .vigia/venv/bin/python tests/compliance/promql_page.py
"""

from __future__ import annotations

from pathlib import Path

from launcher.paths import ROOT, STATE
from promql_cases import DIFFERENT, DIFFERENT_AT_OLD_HOT

PAGE = ROOT / "docs" / "compliance.md"
PLACES = ("hot", "hot 2.42", "cold", "rolled up")
BEGIN = "<!-- by tests/compliance/promql_page.py -->\n"
END = "<!-- end -->\n"


def file_of(place: str) -> Path:
    """Where a run leaves what it has found, its first line the one that the page tells."""
    return STATE / "compliance" / f"promql-{place.replace(' ', '-')}.txt"


def parts_of_page(page: str) -> tuple[str, str, str]:
    """Before, between and behind the marks, which stay outside of all three."""
    before, _, rest = page.partition(BEGIN)
    between, _, behind = rest.partition(END)
    assert rest, f"{PAGE} has no line {BEGIN.strip()}"
    return before, between, behind


def main() -> None:
    lines = "".join(f"    {file_of(place).read_text().splitlines()[0]}\n" for place in PLACES)
    different = "".join(f"| `{query}` | {why} |\n" for query, why in {**DIFFERENT, **DIFFERENT_AT_OLD_HOT}.items())
    before, _, behind = parts_of_page(PAGE.read_text())
    PAGE.write_text(f"{before}{BEGIN}{lines}\n| what differs | why |\n|---|---|\n{different}{END}{behind}")


if __name__ == "__main__":
    main()
