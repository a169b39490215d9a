"""What the house owed before it was a rule, in known.txt: the list may only shrink. A new fault fails, and so does a line
whose fault is gone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from house.folders import Folders
from house.names import TypeNames
from house.tree import Finding, Tree

FILE = "tools/house/known.txt"


def _known(tree: Tree) -> dict[str, int]:
    """Each entry with its line."""
    if not tree.exists(FILE):
        return {}
    stripped = ((number, line.strip()) for number, line in enumerate(tree.lines(FILE), 1))
    return {line: number for number, line in stripped if line and not line.startswith("#")}


def _found(tree: Tree, folders: Folders, names: TypeNames) -> Iterator[tuple[str, Finding]]:
    """Each fault as known.txt would name it."""
    for (first, second), arrow in folders.two_way_folders().items():
        text = f"{first} and {second} include each other; here {arrow.target}: give what both need a place below them"
        yield f"folders {first} {second}", tree.finding(arrow.file, arrow.line, text)
    for name, places in names.defined_twice().items():
        others = ", ".join(str(place) for place in places[:-1])
        text = f"{name} is defined in the same program by {others}: the linker takes one for the other; rename it"
        yield f"type {name}", tree.finding(places[-1].file, places[-1].line, text)


def check_known(tree: Tree, folders: Folders, names: TypeNames) -> Iterator[Finding]:
    known = _known(tree)
    found = list(_found(tree, folders, names))
    yield from (finding for entry, finding in found if entry not in known)
    yield from _gone(tree, known, (entry for entry, _ in found))


def _gone(tree: Tree, known: dict[str, int], found: Iterable[str]) -> Iterator[Finding]:
    there = set(found)
    for entry, line in known.items():
        if entry not in there:
            yield tree.finding(FILE, line, f'"{entry}" is mended: take the line out, the list only shrinks')


def check_rooms(tree: Tree, folders: Folders) -> Iterator[Finding]:
    """Between libraries and services there is no list."""
    for (first, second), arrow in folders.two_way_rooms().items():
        text = f"{first} and {second} include each other; here {arrow.target}: move the shared noun down"
        yield tree.finding(arrow.file, arrow.line, text)
