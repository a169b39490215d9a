"""One word for one thing: type names that a program has more than once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from house.declarations import TypeName, Unbalanced, defined_types
from house.product import Product
from house.tree import Finding

# Conventions of ours: every part that has settings calls them so; what a class is given, and which of its kinds something
# is, stand in the class and say nothing without it.
_SHARED_WORDS = {"Settings"}
_WORDS_OF_A_CLASS = {"Parts", "Kind"}


@dataclass(frozen=True)
class Place:
    file: str
    line: int
    type: TypeName

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def _own_word(place: Place) -> str | None:
    word = place.type.own()
    is_same = place.type.same_as.rpartition("::")[2] == word
    return None if place.type.is_nested or is_same or word in _SHARED_WORDS else word


def _word_for_all(place: Place) -> str | None:
    """What whoever includes the file may say, be it in a class of it."""
    each = place.type
    if not each.is_nested:
        return None if each.is_unnamed else _own_word(place)
    is_own = each.is_unnamed or not each.is_public or each.same_as != "" or place.file.endswith(".cpp")
    return None if is_own or each.own() in _WORDS_OF_A_CLASS else each.own()


def _grouped(places: Iterable[Place], key_of: Callable[[Place], str | None]) -> dict[str, list[Place]]:
    found = defaultdict(list)
    for place in places:
        key = key_of(place)
        if key is not None:
            found[key].append(place)
    return found


class TypeNames:
    """The types that the files of ours define."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self._places: dict[str, list[Place]] = {}
        self.unread: list[str] = []
        for name in (*product.files, *product.others):
            try:
                found = list(defined_types(product.tree.text(name)))
            except Unbalanced:
                self.unread.append(name)
                continue
            self._places[name] = [Place(name, each.line, each) for each in found]

    def defined(self) -> list[Place]:
        return list(self._of(self.product.files))

    def _of(self, files: Iterable[str]) -> Iterator[Place]:
        for name in files:
            yield from self._places.get(name, [])

    def defined_twice(self) -> dict[str, list[Place]]:
        """Qualified names that two files of one program define, of a test too: the linker keeps one and takes it for both."""
        programs = self.product.test_programs()
        return self._twice(programs, lambda place: None if place.type.is_unnamed else place.type.qualified())

    def homonyms(self) -> dict[str, list[Place]]:
        """Words that stand for two types of one program, whatever namespaces and classes they are in. Of those in a class
        only what others may name counts, and no alias; an alias of the same word is the same thing everywhere."""
        programs = self.product.programs()
        return self._twice(programs, _word_for_all) | self._twice(programs, _own_word)

    def _twice(self, programs: dict[str, list[str]], key_of: Callable[[Place], str | None]) -> dict[str, list[Place]]:
        found: dict[str, dict[str, Place]] = defaultdict(dict)
        for files in programs.values():
            for key, places in _grouped(self._of(files), key_of).items():
                if len({place.file for place in places}) > 1:
                    found[key] |= {str(place): place for place in places}
        return {key: [places[name] for name in sorted(places)] for key, places in sorted(found.items())}

    def findings(self) -> Iterator[Finding]:
        for name in self.unread:
            yield self.product.tree.finding(name, 1, "its braces do not balance for house/declarations.py")
        for word, places in self.homonyms().items():
            others = ", ".join(str(place) for place in places[:-1])
            text = f"the program has another {word} at {others}: rename the one whose name says less"
            yield self.product.tree.finding(places[-1].file, places[-1].line, text)
