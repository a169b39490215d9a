"""Which C++ files are the product's: what CMake builds for programs and libraries, and every header that this reaches.

Tests, fuzzers, benchmarks, fixtures and doubles are what is left; so a double that is built into a library is product.
"""

from __future__ import annotations

import re

from house.tree import Tree, folder_of, layer_of

_COMMAND = re.compile(r"\b(vigia_library|vigia_program|add_library|add_executable)\s*\(([^()]*)\)")
_KEYWORD = re.compile(r"[A-Z][A-Z_]+")
_INCLUDE = re.compile(r'^#include "([^"]+)"', re.MULTILINE)
CPP = ("libs/*.cpp", "libs/*.hpp", "services/*.cpp", "services/*.hpp")


def built_sources(tree: Tree) -> set[str]:
    """What stands after SOURCES in any CMakeLists.txt, outside of folders named testing."""
    found = set()
    for file in tree.tracked("libs/*CMakeLists.txt", "services/*CMakeLists.txt"):
        for command in _COMMAND.finditer(re.sub(r"#[^\n]*", "", tree.text(file))):
            keyword = ""
            for word in command[2].split():
                if _KEYWORD.fullmatch(word):
                    keyword = word
                elif keyword == "SOURCES":
                    found.add(f"{folder_of(file)}/{word}")
    return {name for name in found if "/testing/" not in name and tree.exists(name)}


def includes(tree: Tree, name: str) -> list[tuple[int, str]]:
    """Line and file of what it includes of ours."""
    text = tree.text(name)
    found = ((text.count("\n", 0, match.start()) + 1, match[1]) for match in _INCLUDE.finditer(text))
    return [(line, target) for line, target in found if tree.exists(target)]


class Product:
    """The product's files, who includes whom among them, and the rest beside them."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        everything = tree.tracked(*CPP)
        waiting = sorted(built_sources(tree))
        self.includes: dict[str, list[tuple[int, str]]] = {}
        while waiting:
            name = waiting.pop()
            if name in self.includes or layer_of(name) is None:
                continue
            self.includes[name] = includes(tree, name)
            waiting += [target for _, target in self.includes[name]]
            header = name.removesuffix(".cpp") + ".hpp"
            waiting += [header] if header != name and tree.exists(header) else []
        self.files = sorted(self.includes)
        self.others = [name for name in everything if name not in self.includes]
        self._uses = {room: self.used_rooms(room) for room in tree.rooms()}

    def of(self, room: str) -> list[str]:
        return [name for name in self.files if layer_of(name) == room]

    def used_rooms(self, room: str) -> set[str]:
        """The rooms that its files include, itself left out."""
        found = {layer_of(target) for name in self.of(room) for _, target in self.includes[name]}
        return {used for used in found if used is not None and used != room}

    def programs(self) -> dict[str, list[str]]:
        """Each service with its own files and those of every library that it reaches, through others too."""
        return {room: self._reached(room) for room in self.tree.rooms() if room.startswith("services/")}

    def test_programs(self) -> dict[str, list[str]]:
        """Each room with all that its tests link: what it reaches, and what lies beside its product."""
        beside = {room: [name for name in self.others if layer_of(name) == room] for room in self.tree.rooms()}
        return {room: sorted(self._reached(room) + names) for room, names in beside.items()}

    def _reached(self, room: str) -> list[str]:
        reached: set[str] = set()
        waiting = [room]
        while waiting:
            current = waiting.pop()
            if current not in reached:
                reached.add(current)
                waiting += self._uses.get(current, ())  # a shim includes nothing of ours
        return [name for name in self.files if layer_of(name) in reached]
