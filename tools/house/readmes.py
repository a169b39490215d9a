"""Every room has a page that says what it is for, and what the page says of files and arrows is so."""

from __future__ import annotations

import re
from collections.abc import Iterator

from house.product import Product
from house.tree import Finding, Tree, folder_of

README_LINES_MAX = 80
_FILES_FIRST = 3
_NAMED = re.compile(r"`([\w./-]+\.(?:hpp|cpp|md|py))`|\]\(([^)#:\s]+)\)")
_ROOM = re.compile(r"`((?:libs|services|shims)/\w+)`")
Arrows = dict[str, set[str]]


def _paragraph(text: str, title: str) -> str | None:
    """What stands after **title**: up to the next empty line."""
    found = re.search(rf"^\*\*{title}\*\*:(.*?)(?:\n\n|\Z)", text, re.MULTILINE | re.DOTALL)
    return found[1] if found else None


def _check_files(tree: Tree, readme: str) -> Iterator[Finding]:
    """Names are taken from the page's own folder, or from the root."""
    text = tree.text(readme)
    for found in _NAMED.finditer(text):
        name = found[1] or found[2]
        beside = tree.root / folder_of(readme) / name
        if not beside.exists() and not (tree.root / name).exists():
            yield tree.finding(readme, text.count("\n", 0, found.start()) + 1, f"there is no {name}")


def _check_rooms(tree: Tree, readme: str, title: str, expected: set[str]) -> Iterator[Finding]:
    text = tree.text(readme)
    said = _paragraph(text, title)
    if said is None:
        yield tree.finding(readme, 1, f"it has no paragraph **{title}**:")
        return
    rooms = set(_ROOM.findall(said))
    line = text.count("\n", 0, text.index(f"**{title}**")) + 1
    for room in sorted(expected ^ rooms):
        yield tree.finding(readme, line, f"**{title}** {'lacks' if room in expected else 'wrongly names'} {room}")


def _check_library(product: Product, readme: str, arrows: Arrows) -> Iterator[Finding]:
    tree, library = product.tree, folder_of(readme)
    if len(tree.lines(readme)) > README_LINES_MAX:
        yield tree.finding(readme, README_LINES_MAX, f"{len(tree.lines(readme))} lines are more than a page")
    first = _NAMED.findall(_paragraph(tree.text(readme), "Read first") or "")
    if len(first) != _FILES_FIRST:
        yield tree.finding(readme, 1, f"**Read first**: names {len(first)} files, not {_FILES_FIRST}")
    users = {room for room in tree.rooms() if library in product.used_rooms(room)}
    yield from _check_rooms(tree, readme, "May include", arrows.get(library, set()))
    yield from _check_rooms(tree, readme, "Used by", users)


def check_readmes(product: Product, arrows: Arrows) -> Iterator[Finding]:
    """`arrows`: which rooms a room may include."""
    tree = product.tree
    for room in tree.rooms():
        readme = f"{room}/README.md"
        if not tree.exists(readme):
            yield tree.finding(readme, 1, "every library and every service has a README.md")
        elif room.startswith("libs/"):
            yield from _check_library(product, readme, arrows)
    for readme in tree.tracked("libs/*README.md", "services/*README.md"):
        yield from _check_files(tree, readme)
