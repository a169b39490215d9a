"""Writes the table of the router's paths in docs/api.md, from docs/api/router.yaml: the file is where a path is described.

    .vigia/venv/bin/python tools/api_page.py

A test compares the two (tests/integration/test_router_contract.py)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
CONTRACT = ROOT / "docs" / "api" / "router.yaml"
PAGE = ROOT / "docs" / "api.md"
BEGIN = "<!-- from docs/api/router.yaml, by tools/api_page.py -->\n"
END = "<!-- end -->\n"


def _parameters(contract: dict[str, Any], path: dict[str, Any], operation: dict[str, Any]) -> Iterator[str]:
    for entry in [*path.get("parameters", []), *operation.get("parameters", [])]:
        name = entry["$ref"].rpartition("/")[2]
        parameter = contract["components"]["parameters"][name]
        if parameter["in"] == "query":
            yield f"**`{parameter['name']}`**" if parameter.get("required") else f"`{parameter['name']}`"


def _row(contract: dict[str, Any], path: str, item: dict[str, Any]) -> str:
    methods = [method for method in ("get", "post") if method in item]
    first = item[methods[0]]
    names = ", ".join(_parameters(contract, item, first))
    statuses = ", ".join(sorted(first["responses"]))
    return (
        f"| `{path}` | {', '.join(methods).upper()} | {first['summary']} | {names or '–'} | {statuses} |".replace(
            "  ", " "
        )
        + "\n"
    )


def page_of(contract: dict[str, Any]) -> str:
    """What stands between the marks."""
    rows = "".join(_row(contract, path, item) for path, item in contract["paths"].items())
    return f"| path | methods | what | parameters (needed ones bold) | statuses |\n|---|---|---|---|---|\n{rows}"


def parts_of_page(page: str) -> tuple[str, str, str]:
    """Before, between and behind the marks, which stay outside of all three."""
    before, _, rest = page.partition(BEGIN)
    between, _, behind = rest.partition(END)
    assert rest, f"{PAGE} has no line {BEGIN.strip()}"
    return before, between, behind


def main() -> None:
    before, _, behind = parts_of_page(PAGE.read_text())
    PAGE.write_text(before + BEGIN + page_of(yaml.safe_load(CONTRACT.read_text())) + END + behind)


if __name__ == "__main__":
    main()
