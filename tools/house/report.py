"""`tools/tidy.py --report`: how large, how branched and how well told each room is, and what the house still owes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from house.cpp_text import LineCounts, count_lines
from house.folders import Folders
from house.functions import Function, Functions
from house.names import TypeNames
from house.product import Product
from house.tree import Tree, layer_of

FILE_LINES = (300, 500, 800)
FUNCTION_LINES = (40, 70)
COMPLEXITY = 10
PARAMETERS = 5
_HEADINGS = (
    *("", "files", "lines", "med/p90/max", *(f">{limit}" for limit in FILE_LINES), "hdr %", "src %"),
    *("fn", "fn med/p90/max", *(f">{limit}" for limit in FUNCTION_LINES), f"ccn>{COMPLEXITY}"),
    *(f"par p90, >{PARAMETERS}", "tests"),
)


@dataclass
class Room:
    """What is measured of a library, a service, or of all of them together."""

    name: str
    sizes: list[int]  # lines of each file
    headers: LineCounts
    sources: LineCounts
    functions: list[Function]
    test_lines: int

    def row(self) -> list[str]:
        lengths = [each.lines for each in self.functions]
        parameters = [each.parameters for each in self.functions]
        complex_ones = sum(each.complexity > COMPLEXITY for each in self.functions)
        return [
            *(self.name, f"{len(self.sizes):,}", f"{sum(self.sizes):,}", _spread(self.sizes)),
            *(str(sum(size > limit for size in self.sizes)) for limit in FILE_LINES),
            *(f"{self.headers.comment_share():.0%}", f"{self.sources.comment_share():.1%}"),
            *(f"{len(lengths):,}", _spread(lengths)),
            *(_share(sum(length > limit for length in lengths), len(lengths)) for limit in FUNCTION_LINES),
            _share(complex_ones, len(lengths)),
            f"{_at(parameters, 0.9)}, {sum(count > PARAMETERS for count in parameters)}",
            f"{self.test_lines / max(1, sum(self.sizes)):.2f}",
        ]


def _at(values: Iterable[int], part: float) -> int:
    """The smallest value that this part of all does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -int(-part * len(ordered) // 1) - 1)] if ordered else 0


def _spread(values: Sequence[int]) -> str:
    return f"{_at(values, 0.5)}/{_at(values, 0.9)}/{max(values, default=0)}"


def _share(count: int, of: int) -> str:
    return f"{count / of:.1%}" if count else "0"


def _measured(product: Product, functions: Functions, name: str, others: list[str]) -> Room:
    tree, files = product.tree, product.of(name)
    counts = {file: count_lines(tree.text(file)) for file in files}
    tests = [file for file in others if not file.endswith(("_fuzz.cpp", "_bench.cpp"))]
    return Room(
        name,
        [len(tree.lines(file)) for file in files],
        sum((counts[file] for file in files if file.endswith(".hpp")), LineCounts()),
        sum((counts[file] for file in files if file.endswith(".cpp")), LineCounts()),
        [function for file in files for function in functions.of(file)],
        sum(len(tree.lines(file)) for file in tests),
    )


def _together(rooms: list[Room]) -> Room:
    return Room(
        "all",
        [size for room in rooms for size in room.sizes],
        sum((room.headers for room in rooms), LineCounts()),
        sum((room.sources for room in rooms), LineCounts()),
        [function for room in rooms for function in room.functions],
        sum(room.test_lines for room in rooms),
    )


def _table(rows: list[list[str]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield row[0].ljust(widths[0]) + "".join(
            "  " + cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)
        )


def _listed(heading: str, entries: Sequence[str]) -> Iterator[str]:
    yield ""
    yield f"{heading}: {len(entries)}"
    yield from (f"  {entry}" for entry in entries)


def _worst(functions: list[Function]) -> Iterator[str]:
    found = [
        each
        for each in functions
        if each.lines > FUNCTION_LINES[0] or each.complexity > 2 * COMPLEXITY or each.parameters > PARAMETERS
    ]
    for each in sorted(found, key=lambda each: (-each.lines, each.file, each.line)):
        yield f"{each.file}:{each.line} {each.name}: {each.lines} lines, ccn {each.complexity}, {each.parameters} parameters"


def _rooms(product: Product) -> list[Room]:
    names = product.tree.rooms()
    others = product.others
    functions = Functions(product.tree)
    return [
        _measured(product, functions, name, [file for file in others if layer_of(file) == name])
        for name in names
        if product.of(name)
    ]


def report(tree: Tree) -> Iterator[str]:
    """Lines of text; the same for the same files."""
    product = Product(tree)
    rooms = _rooms(product)
    whole = _together(rooms)
    folders, names = Folders(product), TypeNames(product)
    yield from _table([list(_HEADINGS), *(room.row() for room in rooms), whole.row()])
    long_files = sorted(file for file in product.files if len(tree.lines(file)) > FILE_LINES[1])
    homonyms = names.homonyms().items()
    fuzzers, benches = ([file for file in product.others if file.endswith(end)] for end in ("_fuzz.cpp", "_bench.cpp"))
    told = [room.name for room in rooms if tree.exists(f"{room.name}/README.md")]
    yield ""
    yield f"fuzzers: {len(fuzzers)}; benchmarks: {len(benches)}; rooms with a README: {len(told)} of {len(rooms)}"
    pairs = [" <-> ".join(pair) for pair in folders.two_way_rooms()]
    yield from _listed("two-way pairs between rooms", pairs)
    yield from _listed("two-way pairs of folders in a room", [" <-> ".join(pair) for pair in folders.two_way_folders()])
    twice = [f"{name}: {', '.join(map(str, places))}" for name, places in names.defined_twice().items()]
    yield from _listed("qualified type names that a program has twice", twice)
    words = [f"{word}: {', '.join(map(str, places))}" for word, places in homonyms]
    yield from _listed("words for two types of one program", words)
    yield from _listed(f"files over {FILE_LINES[1]} lines", [f"{file}: {len(tree.lines(file))}" for file in long_files])
    heading = f"functions over {FUNCTION_LINES[0]} lines, {2 * COMPLEXITY} branches or {PARAMETERS} parameters"
    yield from _listed(heading, list(_worst(whole.functions)))
