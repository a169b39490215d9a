"""Folder and namespace are one word: libs/net/internal is vigia::net::internal, services/router/api is vigia::router::api.

What every room speaks (libs/base, libs/model) is vigia itself. What lies in internal/ or testing/ may belong to the room.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from house.cpp_text import code_only
from house.tree import Finding, Tree, folder_of

_OPENED = re.compile(r"^namespace (vigia[\w:]*) \{", re.MULTILINE)
_FORWARD = re.compile(r"\s*((class|struct|enum class)\s+\w+(\s*:\s*[\w:]+)?;\s*)+\}")
VOCABULARY = ("libs/base", "libs/model")
ANNEXES = ("internal", "testing")


def namespace_of(folder: str) -> str:
    """The namespace of what lies in this folder."""
    for room in VOCABULARY:
        if folder == room or folder.startswith(f"{room}/"):
            folder = folder.removeprefix(room).strip("/")
            return "::".join(["vigia", *folder.split("/")]) if folder else "vigia"
    return "::".join(["vigia", *folder.split("/")[1:]])


def _is_inside(opened: str, expected: str) -> bool:
    room = "::".join(word for word in expected.split("::") if word not in ANNEXES)
    return any(opened == each or opened.startswith(f"{each}::") for each in (expected, room))


def check_namespaces(tree: Tree) -> Iterator[Finding]:
    """Forward declarations of another room's types may stand in that room's namespace."""
    for name in tree.tracked("libs/*.cpp", "libs/*.hpp", "services/*.cpp", "services/*.hpp"):
        code = code_only(tree.text(name))
        expected = namespace_of(folder_of(name))
        for opened in _OPENED.finditer(code):
            if not _is_inside(opened[1], expected) and not _FORWARD.match(code, opened.end()):
                line = code.count("\n", 0, opened.start()) + 1
                text = f"namespace {opened[1]}: folder and namespace are one, so here it is {expected}"
                yield tree.finding(name, line, text)
