"""Which types a C++ file defines: class, struct, union, enum and alias, with the namespaces round them.

A scan of our own and no compiler, so it takes a second for the whole tree and needs no build. It walks namespaces and
classes and skips every other block (bodies, initializers). It relies on what the compiler has accepted: braces balance.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from house.cpp_text import code_only

_TOKEN = re.compile(r"[A-Za-z_]\w*|::|\[\[|\]\]|\S")
_BRACE = re.compile(r"[{}]")
_DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
_TYPE_WORDS = ("class", "struct", "union", "enum")
_OPENING = {"<": ">", "(": ")", "[": "]", "[[": "]]"}


class Unbalanced(Exception):
    """More closing braces than opening ones, or fewer."""


@dataclass(frozen=True)
class TypeName:
    names: tuple[str, ...]  # from the outermost namespace to the type's own
    line: int
    is_unnamed: bool  # inside of an unnamed namespace: another file may have one of the same name
    is_nested: bool  # in a class, whose name tells it apart
    same_as: str = ""  # what an alias stands for
    is_public: bool = True  # everybody may name it: no class round it keeps it to itself

    def own(self) -> str:
        return self.names[-1]

    def qualified(self) -> str:
        return "::".join(self.names)


@dataclass(frozen=True)
class _Scope:
    names: tuple[str, ...]
    is_type: bool = False
    is_unnamed: bool = False
    is_public: bool = True  # what is declared in it here


def _is_word(token: str) -> bool:
    return token[0].isalpha() or token[0] == "_"


def _after_brackets(tokens: list[str], start: int) -> int:
    """The place after the bracket that closes the one at start."""
    opening = tokens[start]
    closing = _OPENING[opening]
    depth = 0
    for place in range(start, len(tokens)):
        depth += (tokens[place] == opening) - (tokens[place] == closing)
        if depth == 0:
            return place + 1
    return len(tokens)


def _without_template(tokens: list[str]) -> list[str]:
    while tokens[:2] == ["template", "<"]:
        tokens = tokens[_after_brackets(tokens, 1) :]
    return tokens


def _type_names(tokens: list[str]) -> tuple[str, ...] | None:
    """The names of the type that these tokens begin to define; empty: it has none of its own; None: no type."""
    place = 0
    while place < len(tokens) and tokens[place] not in _TYPE_WORDS:
        if tokens[place] in ("(", "=", "operator"):
            return None
        place = _after_brackets(tokens, place) if tokens[place] in _OPENING else place + 1
    if place >= len(tokens):
        return None
    names: list[str] = []
    expects_name = True
    while place < len(tokens) and tokens[place] in _TYPE_WORDS:
        place += 1
    while place < len(tokens):
        token = tokens[place]
        following = tokens[place + 1] if place + 1 < len(tokens) else ""
        if token == "[[" or (
            expects_name and _is_word(token) and following == "("
        ):  # an attribute, or a macro that stands for one
            place = _after_brackets(tokens, place if token == "[[" else place + 1)
        elif token == "::":
            expects_name = True
            place += 1
        elif token == "<":  # a specialization: the template's own definition is the one that counts
            return ()
        elif token in (":", "final"):
            break
        elif _is_word(token) and expects_name:
            names.append(token)
            expects_name = False
            place += 1
        else:
            return None
    return tuple(names)


def _opened(statement: list[str]) -> _Scope | None:
    """What a brace opens after these tokens; None: a block that declares nothing for others."""
    if "namespace" in statement[:2]:
        names = tuple(token for token in statement[statement.index("namespace") + 1 :] if _is_word(token))
        return _Scope(names, is_unnamed=not names)
    if statement[:1] == ["extern"] and all(not _is_word(token) or set(token) == {"_"} for token in statement[1:]):
        return _Scope(())
    tokens = _without_template(statement)
    found = _type_names(tokens)
    if found is None:
        return None
    return _Scope(found, is_type=True, is_public=next(word for word in tokens if word in _TYPE_WORDS) != "class")


def _alias(statement: list[str]) -> tuple[str, str] | None:
    """Name and meaning of `using NAME = MEANING`."""
    tokens = _without_template(statement)
    if len(tokens) > 3 and tokens[0] == "using" and _is_word(tokens[1]) and tokens[2] == "=":
        return tokens[1], "".join(tokens[3:])
    return None


def _after_block(code: str, start: int) -> int:
    """The place after the brace that closes the block whose inside begins at start."""
    depth = 1
    for brace in _BRACE.finditer(code, start):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return brace.end()
    raise Unbalanced


def defined_types(text: str) -> Iterator[TypeName]:
    code = _DIRECTIVE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), code_only(text))
    scopes: list[_Scope] = []
    statement: list[str] = []
    place = 0

    def named(names: tuple[str, ...], same_as: str = "") -> TypeName:
        around = tuple(name for scope in scopes for name in scope.names)
        is_unnamed = any(scope.is_unnamed for scope in scopes)
        is_nested = any(scope.is_type for scope in scopes) or (not same_as and len(names) > 1)
        is_public = all(scope.is_public for scope in scopes) and len(names) == 1
        line = code.count("\n", 0, place) + 1
        return TypeName((*around, *names), line, is_unnamed, is_nested, same_as, is_public)

    while found := _TOKEN.search(code, place):
        token, place = found[0], found.end()
        if token == "{":
            scope = _opened(statement)
            if scope is None:
                place = _after_block(code, place)
            else:
                if scope.is_type and scope.names:
                    yield named(scope.names)
                scopes.append(scope)
        elif token == "}":
            if not scopes:
                raise Unbalanced
            scopes.pop()
        elif token == ";":
            alias = _alias(statement)
            if alias:
                yield named((alias[0],), alias[1])
        elif token != ":" or statement not in (["public"], ["private"], ["protected"]):
            statement.append(token)
            continue
        elif scopes:
            scopes[-1] = replace(scopes[-1], is_public=statement == ["public"])
        statement = []
    if scopes:
        raise Unbalanced
