"""Functions as lizard counts them: lines from the first to the last, branches, parameters."""

from __future__ import annotations

from dataclasses import dataclass

from house.tree import Tree


class LizardMissing(Exception):
    """The Python that runs has none."""

    def __str__(self) -> str:
        return "lizard is not there: ./vigia test lint sets up .vigia/venv, then .vigia/venv/bin/python tools/tidy.py --report"


@dataclass(frozen=True)
class Function:
    name: str
    file: str
    line: int
    lines: int
    complexity: int  # cyclomatic
    parameters: int


def functions_of(tree: Tree, file: str) -> list[Function]:
    try:
        import lizard
    except ImportError as error:
        raise LizardMissing from error
    found = lizard.analyze_file.analyze_source_code(file, tree.text(file)).function_list
    return [
        Function(each.name, file, each.start_line, each.length, each.cyclomatic_complexity, each.parameter_count)
        for each in found
    ]
