"""docs/requirements.md against the tests: every requirement is named by a test's comment or owed by a room that is named.

What is read of a test is its comments, not what it does: whether it would fail if the requirement were broken is judged
by whoever writes the id there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from house.tree import Finding, Tree

PAGE = "docs/requirements.md"
OWED = "tools/house/owed_requirements.txt"
TESTS = ("*_test.cpp", "*test_*.py", "tests/browser/*_test.mjs", "portal/*.test.ts", "portal/*.test.tsx")
_ID = r"(?:R-[A-Z]+-\d+|[CD]\d\d)"
_ROW = re.compile(rf"^\| ({_ID}) \|")
_OWED_LINE = re.compile(rf"^({_ID}) ([a-z]\S*[^:\s])(?:: \S.*)?$")
# A comment begins a line or stands after a blank, so that neither an address nor most literals are taken for one; the
# first line that says what a Python test is for counts as well.
_COMMENT = re.compile(r"(?:^|\s)(?:/{2,}\s|/\*+\s|#+\s|\"{3})(.*)$")
_MENTION = re.compile(rf"(?<![\w-]){_ID}(?![\w-])")


def _required(tree: Tree) -> Iterator[tuple[str, int]]:
    if tree.exists(PAGE):
        for number, line in enumerate(tree.lines(PAGE), 1):
            if found := _ROW.match(line):
                yield found[1], number


def _owed(tree: Tree) -> Iterator[tuple[str, int, bool]]:
    """Id, line, and whether the line says who owes it."""
    if tree.exists(OWED):
        for number, line in enumerate(tree.lines(OWED), 1):
            if line.strip() and not line.startswith("#"):
                yield line.split()[0], number, _OWED_LINE.match(line) is not None


def _mentions(tree: Tree) -> Iterator[tuple[str, str, int]]:
    """Id, file and line of each that a test's comment names."""
    for name in tree.tracked(*TESTS):
        for number, line in enumerate(tree.lines(name), 1):
            if comment := _COMMENT.search(line):
                yield from ((mention, name, number) for mention in _MENTION.findall(comment[1]))


def check_requirements(tree: Tree) -> Iterator[Finding]:
    required: dict[str, int] = {}
    for name, line in _required(tree):
        if name in required:
            yield tree.finding(PAGE, line, f"{name} is required in line {required[name]} too: an id means one thing")
        required[name] = line
    tested = set()
    for name, file, line in _mentions(tree):
        tested.add(name)
        if name not in required:
            yield tree.finding(file, line, f"{name} is no requirement of {PAGE}")
    owed = set()
    for name, line, says_who in _owed(tree):
        owed.add(name)
        if name not in required:
            yield tree.finding(OWED, line, f"{name} is no requirement of {PAGE}")
        elif name in tested:
            yield tree.finding(OWED, line, f"{name} has a test: take its line out, the list only shrinks")
        elif not says_who:
            yield tree.finding(OWED, line, f'{name}: write "{name} ROOM" or "{name} ROOM: what is missing"')
    for name, line in required.items():
        if name not in tested and name not in owed:
            yield tree.finding(PAGE, line, f"no test names {name} in a comment, and {OWED} does not owe it")
