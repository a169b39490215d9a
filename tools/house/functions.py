"""Functions from their first line to their last: C++ as lizard counts them, Python as its own parser does.

Lizard takes seconds for the tree, so what it found in a file is kept beside the environment by the file's content.
TypeScript is left out: lizard takes one piece of a page's markup for a function and the next for none.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from house.tree import Finding, Tree

KEPT = ".vigia/tidy_functions.json"
LINES_MAX = 70


class LizardMissing(Exception):
    """The Python that runs has none."""

    def __str__(self) -> str:
        return "functions of C++ are not measured: lizard is not there; ./vigia test lint sets up .vigia/venv, which has it"


@dataclass(frozen=True)
class Function:
    name: str
    file: str
    line: int
    lines: int
    complexity: int  # cyclomatic
    parameters: int


def _lizard() -> Any:  # noqa: ANN401
    """Has no types."""
    try:
        import lizard
    except ImportError as error:
        raise LizardMissing from error
    return lizard


def functions_of(tree: Tree, file: str) -> list[Function]:
    found = _lizard().analyze_file.analyze_source_code(file, tree.text(file)).function_list
    return [
        Function(each.name, file, each.start_line, each.length, each.cyclomatic_complexity, each.parameter_count)
        for each in found
    ]


class Functions:
    """Of many files, those that have not changed since the last run not read again."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._place = tree.root / KEPT
        self._version = str(_lizard().version)
        self._kept = self._read()
        self._used: dict[str, list[dict[str, Any]]] = {}

    def _read(self) -> dict[str, list[dict[str, Any]]]:
        """What cannot be read or is of another lizard is measured anew."""
        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            kept = json.loads(self._place.read_text())
            if kept["version"] == self._version:
                return {str(key): list(value) for key, value in kept["files"].items()}
        return {}

    def of(self, file: str) -> list[Function]:
        key = hashlib.sha256(f"{file}\0{self._tree.text(file)}".encode()).hexdigest()
        with suppress(KeyError, TypeError):
            self._used[key] = self._kept[key]
            return [Function(**each) for each in self._kept[key]]
        found = functions_of(self._tree, file)
        self._used[key] = [asdict(each) for each in found]
        return found

    def keep(self) -> None:
        """What was not asked for is forgotten; where nothing can be written, the next run measures anew."""
        if self._used == self._kept:
            return
        with suppress(OSError):
            self._place.parent.mkdir(exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._place.parent, prefix="tidy_")
            with os.fdopen(handle, "w") as out:
                json.dump({"version": self._version, "files": self._used}, out)
            Path(name).replace(self._place)


def python_functions(tree: Tree, file: str) -> Iterator[tuple[str, int, int]]:
    """Name, first line and lines."""
    for node in ast.walk(ast.parse(tree.text(file))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node.lineno, (node.end_lineno or node.lineno) - node.lineno + 1


def _too_long(tree: Tree, file: str, name: str, line: int, lines: int) -> Iterator[Finding]:
    if lines > LINES_MAX:
        yield tree.finding(file, line, f"{name} has {lines} lines; stop at {LINES_MAX}")


def check_python_functions(tree: Tree) -> Iterator[Finding]:
    for file in tree.tracked("*.py"):
        for name, line, lines in python_functions(tree, file):
            yield from _too_long(tree, file, name, line, lines)


def check_functions(tree: Tree, files: Iterable[str]) -> Iterator[Finding]:
    """Of C++ files. Throws LizardMissing before the first."""
    functions = Functions(tree)
    for file in files:
        for each in functions.of(file):
            yield from _too_long(tree, file, each.name, each.line, each.lines)
    functions.keep()
