"""What the pages of docs/, the README and the pictures name is there: files, what stands in them, and tests.

Moves leave a page behind more easily than an include line, which the compiler holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pictures.journey import draw, read

from house.tree import Finding, Tree

PAGES = ("README*.md", "CONTRIBUTING.md", "docs/*.md")
PICTURES = ("docs/pictures/*.toml",)
# Names of a kind, not of one.
PLACEHOLDERS = {"x.cpp", "Suite", "x_fuzz.cpp", "x_bench.cpp", "docs/specification.md"}
_ENDING = r"\.(?:hpp|cpp|py|mjs|tsx|ts|sh|md)\b"
_FILE = re.compile(rf"`([\w./-]+{_ENDING})(?:`|: (\w+))")
_FILE_IN_PICTURE = re.compile(rf'"([\w/-]+{_ENDING})"')
# `Suite.Start…` or `Suite.WholeName`, as --gtest_filter takes it.
_TEST = re.compile(r"`([A-Z]\w+)\.([A-Z]\w+)(…?)`")
_DEFINED_TEST = re.compile(r"\bTEST(?:_[FP])?\(\s*(\w+),\s*(\w+)\s*\)|TYPED_TEST(?:_P)?\(\s*(\w+),\s*(\w+)\s*\)")


def _tests(tree: Tree) -> list[tuple[str, str]]:
    found = []
    for file in tree.tracked("libs/*.cpp", "services/*.cpp", "libs/*_suite.hpp", "services/*_suite.hpp"):
        for test in _DEFINED_TEST.finditer(tree.text(file)):
            found.append((test[1] or test[3], test[2] or test[4]))
    return found


def _check_files(tree: Tree, page: str, pattern: re.Pattern[str], files: list[str]) -> Iterator[Finding]:
    text = tree.text(page)
    for named in pattern.finditer(text):
        name = named[1].removeprefix("./")
        if name in PLACEHOLDERS:
            continue
        line = text.count("\n", 0, named.start()) + 1
        hits = [file for file in files if file == name or file.endswith(f"/{name}")]
        word = named[2] if pattern.groups > 1 else None
        if not hits:
            yield tree.finding(page, line, f"there is no {name}")
        elif word and not any(word in tree.text(hit) for hit in hits):
            yield tree.finding(page, line, f"{name} does not hold {word}")


def _check_tests(tree: Tree, page: str, tests: list[tuple[str, str]]) -> Iterator[Finding]:
    text = tree.text(page)
    for named in _TEST.finditer(text):
        suite, start, open_end = named[1], named[2], bool(named[3])
        if suite in PLACEHOLDERS:
            continue
        if not any(of == suite and (test.startswith(start) if open_end else test == start) for of, test in tests):
            line = text.count("\n", 0, named.start()) + 1
            yield tree.finding(page, line, f"there is no test {suite}.{start}{named[3]}")


def check_pages(tree: Tree) -> Iterator[Finding]:
    """A file is named by its path or by the end of it."""
    files, tests = tree.tracked(), _tests(tree)
    for page in tree.tracked(*PAGES):
        yield from _check_files(tree, page, _FILE, files)
        yield from _check_tests(tree, page, tests)
    for picture in tree.tracked(*PICTURES):
        yield from _check_files(tree, picture, _FILE_IN_PICTURE, files)
        drawn = picture.replace(".toml", ".svg")
        if not tree.exists(drawn) or tree.text(drawn) != draw(read(tree.root / picture)):
            yield tree.finding(drawn, 1, f"it is not what {picture} says: python3 tools/pictures/journey.py")
