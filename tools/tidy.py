"""House rules that a script can check: arrows between folders, heavy headers, sizes, banned words and names.

Prints one line a finding, file:line: rule, and ends with 1 if there is any. Runs in `./vigia test`. With --report it
prints instead how the house stands, room by room (house/report.py).

Where the Python that runs has no lizard it goes on with that of .vigia/venv; where that has none either, all but the
functions of C++ is checked and the end is 2, so that half a check is never taken for a whole one.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from house.folders import Folders
from house.functions import LizardMissing, check_functions, check_python_functions
from house.known import check_known, check_rooms
from house.names import TypeNames
from house.namespaces import check_namespaces
from house.pages import check_pages
from house.parts import check_parts
from house.product import Product
from house.readmes import check_readmes
from house.report import report
from house.requirements import check_requirements
from house.tree import ROOT, Finding, Tree, layer_of

LINE_COLUMNS_MAX = 100
FILE_LINES_MAX = 500
MAIN_LINES_MAX = 80
TRACKED_BYTES_MAX = 1_000_000

# A folder may include itself and what stands here; services may use every library that their line names.
LAYERS = {
    "libs/base": set(),
    "libs/json": {"libs/base"},
    "libs/model": {"libs/base"},
    "libs/wire": {"libs/model", "libs/base"},
    "libs/deltas": {"libs/wire", "libs/base"},
    "libs/series": {"libs/wire", "libs/model", "libs/base"},
    "libs/chunk": {"libs/model", "libs/base"},
    "libs/rollup": {"libs/chunk", "libs/model", "libs/base"},
    "libs/promql": {"libs/model", "libs/base"},
    "libs/logql": {"libs/model", "libs/base", "libs/promql"},
    "libs/ottl": {"libs/wire", "libs/model", "libs/base"},
    "libs/disk_log": {"libs/base"},
    "libs/net": {"libs/base"},
    "libs/otlp": {"libs/wire", "libs/model", "libs/base", "libs/net"},
    "libs/delivery": {"libs/disk_log", "libs/base"},
    "libs/service": {"libs/base", "libs/net"},
    "libs/tenancy": {"libs/model", "libs/base", "libs/net", "libs/service"},
    "libs/cassandra": {"libs/base", "shims/cassandra"},
}
_EVERY_SERVICE = {"libs/base", "libs/model", "libs/net", "libs/service", "libs/wire"}
LAYERS |= {
    "services/agent": _EVERY_SERVICE | {"libs/deltas", "libs/delivery", "libs/disk_log", "libs/otlp"},
    "services/collector": _EVERY_SERVICE
    | {
        "libs/deltas",
        "libs/delivery",
        "libs/disk_log",
        "libs/json",
        "libs/otlp",
        "libs/ottl",
        "libs/series",
        "libs/tenancy",
    },
    "services/storage": _EVERY_SERVICE
    | {"libs/cassandra", "libs/disk_log", "libs/chunk", "libs/logql", "libs/otlp", "libs/rollup"},
    "services/router": _EVERY_SERVICE | {"libs/disk_log", "libs/json", "libs/logql", "libs/promql", "libs/tenancy"},
    "services/monitor": _EVERY_SERVICE | {"libs/json", "libs/tenancy"},
}
# These cost seconds a file, so they stand in sources of their wrapper only, never in a header.
HEAVY_HEADERS = re.compile(r"#include <(boost/beast|spdlog/|CLI/|soci/|rocksdb/|opentelemetry/|yaml-cpp/|simdjson)")
BANNED = {
    re.compile(r"(?<![\w.])new\s+[A-Za-z_:]"): "new: use a value, make_unique or make_shared",
    re.compile(r"(?<![\w.=])\s*\bdelete\s+[a-z_]\w*\s*;"): "delete: owners are values or unique_ptr",
    re.compile(
        r"\busing namespace (?!std::chrono_literals|std::string_literals|std::string_view_literals)"
    ): "using namespace",
}
PROTOBUF_READER = "libs/base/protobuf_reader.hpp"
# Why their threads need no containment.
UNCONTAINED_THREADS = {
    "libs/net/testing/scripted_peer.cpp": "a double of tests: its throw has to end them",
}
CPP = ("libs/*.cpp", "libs/*.hpp", "services/*.cpp", "services/*.hpp", "bench/*.cpp", "tools/*.cpp")
SCRIPTS = ("*.py", "*.ts", "*.tsx", "*.mjs")
VENV_PYTHON = ROOT / ".vigia" / "venv" / "bin" / "python"
BANNED_FILE_NAMES = re.compile(r"(^|_)(utils?|helpers?|common|misc|manager)(_|\.|$)")


TREE = Tree()


def tracked(*patterns: str) -> list[Path]:
    return [ROOT / name for name in TREE.tracked(*patterns)]


def check_includes(file: Path, lines: list[str]) -> Iterator[Finding]:
    layer = layer_of(str(file.relative_to(ROOT)))
    for number, line in enumerate(lines, 1):
        # What lies in testing/ is included by some tests alone, which need those headers anyway.
        if file.suffix == ".hpp" and file.parent.name != "testing" and HEAVY_HEADERS.match(line):
            yield Finding(file, number, "heavy header: include it in the wrapper's .cpp only")
        included = re.match(r'#include "([^"]+)"', line)
        if not included:
            continue
        target = layer_of(included[1])
        if target is None:
            if (ROOT / included[1]).is_file() and "/" in included[1]:
                continue
            yield Finding(file, number, f'"{included[1]}": write the path from the root of the repository')
        elif layer is not None and target != layer:
            if target not in LAYERS.get(layer, set()):
                yield Finding(file, number, f"{layer} must not know {target}")
            if "/internal/" in included[1]:
                yield Finding(file, number, f"{included[1]} is internal to {target}")


def check_length(file: Path, lines: list[str]) -> Iterator[Finding]:
    if len(lines) > FILE_LINES_MAX:
        yield Finding(file, len(lines), f"{len(lines)} lines; stop at {FILE_LINES_MAX}")


def check_text(file: Path, lines: list[str]) -> Iterator[Finding]:
    yield from check_length(file, lines)
    if file.name == "main.cpp" and len(lines) > MAIN_LINES_MAX:
        yield Finding(file, len(lines), f"main.cpp has {len(lines)} lines; stop at {MAIN_LINES_MAX}")
    for number, line in enumerate(lines, 1):
        if len(line) > LINE_COLUMNS_MAX and '"' not in line and "http" not in line:
            yield Finding(file, number, f"{len(line)} columns; stop at {LINE_COLUMNS_MAX}")
        code = re.sub(r'"(\\.|[^"\\])*"', '""', line.split("//")[0])
        for pattern, what in BANNED.items():
            if pattern.search(code):
                yield Finding(file, number, what)


def check_repository() -> Iterator[Finding]:
    for file in tracked():
        if BANNED_FILE_NAMES.search(file.name.lower()) and file.suffix in (".cpp", ".hpp", ".py", ".ts", ".tsx"):
            yield Finding(file, 1, "a file is named for what it holds, not utils, helpers, common, misc or manager")
        if file.stat().st_size > TRACKED_BYTES_MAX:
            yield Finding(file, 1, f"{file.stat().st_size} bytes; stop at {TRACKED_BYTES_MAX}")


def check_sources_are_built() -> Iterator[Finding]:
    """A source that no CMakeLists.txt names is dead."""
    for folder in ("libs", "services"):
        for file in tracked(f"{folder}/*.cpp"):
            names = []
            for parent in file.parents:
                if parent == ROOT:
                    break
                if (parent / "CMakeLists.txt").exists():
                    names.append((parent, (parent / "CMakeLists.txt").read_text()))
            if not any(str(file.relative_to(parent)) in text for parent, text in names):
                yield Finding(file, 1, "no CMakeLists.txt above names this file")


def check_threads(file: Path, text: str) -> Iterator[Finding]:
    """What a thread of ours runs is contained: a throw ends the program for everybody."""
    header = file.with_suffix(".hpp")
    both = text + (header.read_text() if header.exists() else "")
    runs_one = re.search(r"\bstd::j?thread\b(?!::)", both)
    if runs_one and "contain_faults" not in text and str(file.relative_to(ROOT)) not in UNCONTAINED_THREADS:
        yield Finding(file, 1, "has a thread whose work is not inside contain_faults (libs/base/fault.hpp)")


def check_protobuf(file: Path, text: str) -> Iterator[Finding]:
    """protozero asserts that a field has the wire type that it is read as, and strangers choose that; of lengths it
    keeps 32 bits."""
    asks = re.search(r"\bwire_type\b|\btag_and_type\b", text)
    if "ProtobufReader" in text and re.search(r"\.tag\(\)", text) and not asks:
        yield Finding(file, 1, "reads protobuf by number alone: FieldReader and CheckedReader know the wire type, too")
    if "pbf_reader" in text and str(file.relative_to(ROOT)) != PROTOBUF_READER:
        yield Finding(file, 1, f"protozero's own reader cuts lengths to 32 bits: {PROTOBUF_READER} does not")


def check_between_files() -> Iterator[Finding]:
    product = Product(TREE)
    folders, names = Folders(product), TypeNames(product)
    yield from check_rooms(TREE, folders)
    yield from names.findings()
    yield from check_namespaces(TREE)
    yield from check_known(TREE, folders, names)
    yield from check_readmes(product, LAYERS)
    yield from check_parts(TREE, folders)
    yield from check_requirements(TREE)
    yield from check_pages(TREE)


def check_each_file() -> Iterator[Finding]:
    for file in tracked(*CPP):
        lines = file.read_text().splitlines()
        yield from check_includes(file, lines)
        yield from check_text(file, lines)
        if not layer_of(str(file.relative_to(ROOT))) or file.stem.endswith("_test") or file.parent.name == "testing":
            continue
        yield from check_protobuf(file, "\n".join(lines))
        if file.suffix == ".cpp":
            yield from check_threads(file, "\n".join(lines))
    for file in tracked(*SCRIPTS):
        yield from check_length(file, file.read_text().splitlines())
    yield from check_python_functions(TREE)


def check() -> int:
    """0: nothing found; 1: findings; 2: none, but not all was checked."""
    findings = [*check_repository(), *check_sources_are_built(), *check_between_files(), *check_each_file()]
    end = 0
    try:
        findings += check_functions(TREE, TREE.tracked(*CPP))
    except LizardMissing as missing:
        print(f"tidy: {missing}", file=sys.stderr)
        end = 2
    for finding in findings:
        print(finding)
    print(f"tidy: {len(findings)} findings" if findings else "tidy: nothing found")
    return 1 if findings else end


def go_on_where_lizard_is() -> None:
    """Replaces this process by one of the project's environment, unless this one has lizard or is of it."""
    has_lizard = importlib.util.find_spec("lizard") is not None
    if not has_lizard and VENV_PYTHON.exists() and not VENV_PYTHON.parents[1].samefile(sys.prefix):
        os.execv(VENV_PYTHON, [str(VENV_PYTHON), *sys.argv])


def main() -> int:
    arguments = argparse.ArgumentParser(description="Checks the rules of the house.")
    arguments.add_argument("--report", action="store_true", help="print how the house stands, and check nothing")
    is_report = arguments.parse_args().report
    go_on_where_lizard_is()
    if not is_report:
        return check()
    try:
        print("\n".join(report(TREE)))
    except LizardMissing as missing:
        print(f"tidy: {missing}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
