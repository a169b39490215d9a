"""What tools/tidy.py reads in C++ and holds between files (tools/house), on small trees and on this one."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from house import functions
from house.cpp_text import code_only, count_lines
from house.declarations import Unbalanced, defined_types
from house.folders import Folders
from house.functions import KEPT, LizardMissing, check_functions, check_python_functions
from house.known import FILE, check_known, check_rooms
from house.names import TypeNames
from house.pages import check_pages
from house.parts import check_parts
from house.product import Product
from house.readmes import check_readmes
from house.requirements import OWED, check_requirements
from house.requirements import PAGE as REQUIREMENTS
from house.tree import Tree
from pictures.journey import draw

LIBRARY = "vigia_library(NAME {0} SOURCES {1} TESTS {2} DEPENDS vigia_base)\n"


def _tree(folder: Path, files: dict[str, str]) -> Tree:
    subprocess.run(["git", "init", "-q", folder], check=True)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return Tree(folder)


def _names(text: str) -> list[str]:
    return [each.qualified() for each in defined_types(text)]


def test_comments_and_literals_are_no_code() -> None:
    text = 'int a = 1\'000;  // "{"\nchar b = \'"\'; /* } \n } */ auto c = "// {";\nauto d = R"x({)" {)x";\n'
    code = code_only(text)
    assert [len(line) for line in code.splitlines()] == [len(line) for line in text.splitlines()]
    assert "{" not in code
    assert "}" not in code
    assert "auto c" in code


def test_lines_are_counted_by_what_they_hold() -> None:
    counts = count_lines('/// What it is.\n/* And\n\n why. */\nint a;  // trailing\n\nauto b = R"(\n// text\n)";\n')
    assert (counts.comment, counts.code) == (3, 4)
    assert counts.comment_share() == pytest.approx(3 / 7)


def test_types_have_the_namespaces_round_them() -> None:
    text = """
#define OPENS {
namespace vigia::net {
class Forward;
class [[nodiscard]] CAPABILITY("mutex") Lock final : public Base<int> {
 public:
  struct Inner { int a{1}; };
  Lock() : b_{2} { struct Local { int c; }; }
  void go();
};
enum class Kind : std::uint8_t { kOne, kTwo };
template <class T, template <class> class U> struct Box { T t; };
template <> struct Box<int> {};
using Text = std::string;
using net::Kept;
struct stat status{};
struct stat look(struct stat* at) { return *at; }
namespace { union Bits { int i; }; }
}
struct vigia::net::Lock::Parts {};
extern "C" { struct Plain {}; }
"""
    found = list(defined_types(text))
    assert [each.qualified() for each in found] == [
        *("vigia::net::Lock", "vigia::net::Lock::Inner", "vigia::net::Kind", "vigia::net::Box", "vigia::net::Text"),
        *("vigia::net::Bits", "vigia::net::Lock::Parts", "Plain"),
    ]
    assert [each.own() for each in found if each.is_unnamed] == ["Bits"]
    assert [each.own() for each in found if each.is_nested] == ["Inner", "Parts"]
    assert [(each.line, each.same_as) for each in found if each.same_as] == [(14, "std::string")]


@pytest.mark.parametrize("text", ["namespace a {", "namespace a {}}", "void f() {"])
def test_braces_that_do_not_balance_are_told(text: str) -> None:
    with pytest.raises(Unbalanced):
        _names(text)


def test_the_product_is_what_is_built_and_what_it_includes(tmp_path: Path) -> None:
    tree = _tree(
        tmp_path,
        {
            "libs/base/CMakeLists.txt": LIBRARY.format("base", "a.cpp # not.cpp\n", "a_test.cpp double.cpp"),
            "libs/base/a.cpp": '#include "libs/base/a.hpp"\n#include "libs/base/only.hpp"\n',
            "libs/base/a.hpp": "",
            "libs/base/only.hpp": "",
            "libs/base/not.cpp": "",
            "libs/base/a_test.cpp": '#include "libs/base/double.hpp"\n',
            "libs/base/double.cpp": "",
            "libs/base/double.hpp": '#include "libs/base/a.hpp"\n',
            "libs/base/testing/CMakeLists.txt": LIBRARY.format("base_testing", "fake.cpp", ""),
            "libs/base/testing/fake.cpp": "",
        },
    )
    product = Product(tree)
    assert product.files == ["libs/base/a.cpp", "libs/base/a.hpp", "libs/base/only.hpp"]
    assert "libs/base/double.hpp" in product.others
    assert "libs/base/testing/fake.cpp" in product.others


def _program(folder: Path, **texts: str) -> Tree:
    """A service `one` of the parts a and b with library `base`, and a service `two` beside it."""
    places = {
        "base": "libs/base/base.hpp",
        "a": "services/one/a/a.hpp",
        "b": "services/one/b/b.hpp",
        "two": "services/two/two.hpp",
    }
    start = '#include "libs/base/base.hpp"\n#include "services/one/a/a.hpp"\n#include "services/one/b/b.hpp"\n'
    return _tree(
        folder,
        {
            **{place: texts.get(name, "") for name, place in places.items()},
            "services/one/CMakeLists.txt": LIBRARY.format("one", "one.cpp", "one_test.cpp"),
            "services/one/one.cpp": start,
            "services/one/one_test.cpp": texts.get("test", ""),
            "services/two/CMakeLists.txt": LIBRARY.format("two", "two.cpp", ""),
            "services/two/two.cpp": '#include "services/two/two.hpp"\n',
        },
    )


def test_a_name_is_looked_for_in_one_program(tmp_path: Path) -> None:
    tree = _program(
        tmp_path,
        base="namespace v { struct Thing {}; struct Settings {}; }",
        a="namespace v { class Thing {}; class Word { struct Walk {}; }; struct Settings {}; }",
        b="namespace v { namespace { class Thing {}; } namespace b { class Word {}; using Thing = v::Thing; } }",
        two="namespace v { struct Thing {}; struct Walk {}; }",
    )
    names = TypeNames(Product(tree))
    twice = {name: [place.file for place in places] for name, places in names.defined_twice().items()}
    assert twice == {
        "v::Settings": ["libs/base/base.hpp", "services/one/a/a.hpp"],
        "v::Thing": ["libs/base/base.hpp", "services/one/a/a.hpp"],
    }
    words = {word: [place.file for place in places] for word, places in names.homonyms().items()}
    assert words == {
        "Thing": ["libs/base/base.hpp", "services/one/a/a.hpp", "services/one/b/b.hpp"],
        "Word": ["services/one/a/a.hpp", "services/one/b/b.hpp"],
    }


def test_words_in_classes_count_where_others_may_say_them(tmp_path: Path) -> None:
    own = "class A { struct Own {}; public: enum class Seen { kOne }; using Done = int; struct Parts {}; };"
    other = "struct B { struct Seen {}; struct Done {}; struct Parts {}; private: struct Own {}; }; struct Own {};"
    names = TypeNames(Product(_program(tmp_path, a=f"namespace v {{ {own} }}", b=f"namespace v::b {{ {other} }}")))
    words = {word: [str(place) for place in places] for word, places in names.homonyms().items()}
    assert words == {"Seen": ["services/one/a/a.hpp:1", "services/one/b/b.hpp:1"]}
    assert [each.text for each in names.findings()] == [
        "the program has another Seen at services/one/a/a.hpp:1: rename the one whose name says less",
    ]


def test_a_tests_name_is_one_of_its_program(tmp_path: Path) -> None:
    thing = "namespace v { struct Thing {}; }"
    names = TypeNames(Product(_program(tmp_path, a=thing, test=thing, two=thing)))
    assert [place.file for place in names.defined_twice()["v::Thing"]] == [
        *("services/one/a/a.hpp", "services/one/one_test.cpp"),
    ]
    assert names.homonyms() == {}


def test_folders_that_include_each_other(tmp_path: Path) -> None:
    tree = _program(tmp_path, a='#include "services/one/b/b.hpp"\n', b='// none\n#include "services/one/a/a.hpp"\n')
    folders = Folders(Product(tree))
    assert folders.two_way_rooms() == {}
    found = folders.two_way_folders()
    assert list(found) == [("services/one/a", "services/one/b")]
    arrow = found["services/one/a", "services/one/b"]
    assert (arrow.file, arrow.line) == ("services/one/b/b.hpp", 2)


def _told_of_parts(tree: Tree, allowed: dict[str, str]) -> list[str]:
    found = check_parts(tree, Folders(Product(tree)), {"services/one": allowed})
    return [f"{each.file.relative_to(tree.root)}:{each.line}: {each.text}" for each in found]


def test_a_part_knows_those_below_it_alone(tmp_path: Path) -> None:
    page = "| folder | what | knows |\n|---|---|---|\n| `b` | – | – |\n| `a` | – | `b` |\n"
    (tmp_path / "services/one").mkdir(parents=True)
    (tmp_path / "services/one/README.md").write_text(page)
    tree = _program(tmp_path, a='#include "services/one/b/b.hpp"\n')
    assert _told_of_parts(tree, {"b": "", "a": "b"}) == []
    assert _told_of_parts(tree, {"b": "", "a": ""}) == [
        "services/one/a/a.hpp:1: services/one/a must not know b (tools/house/parts.py)",
        "services/one/README.md:4: `a` does not know `b`",
    ]
    assert _told_of_parts(tree, {"a": "b", "b": ""}) == [
        "tools/house/parts.py:1: services/one: a stands before b, which has to come first",
    ]
    assert _told_of_parts(tree, {"c": "", "b": "c", "a": "b"}) == [
        "tools/house/parts.py:1: services/one: b knows c no more: take it out",
        "services/one/README.md:1: it says nothing of the part `c/`",
        "services/one/README.md:3: `b` knows `c`",
    ]
    (tmp_path / "services/one/one.hpp").write_text("")
    (tmp_path / "services/one/b/b.hpp").write_text('\n#include "services/one/one.hpp"\n')
    assert _told_of_parts(Tree(tmp_path), {"b": "", "a": "b"}) == [
        "services/one/b/b.hpp:2: services/one/b must not know the folder that puts the parts together"
        " (tools/house/parts.py)",
    ]


def test_rooms_that_include_each_other(tmp_path: Path) -> None:
    tree = _program(tmp_path, base='#include "services/one/a/a.hpp"\n')
    assert list(Folders(Product(tree)).two_way_rooms()) == [("libs/base", "services/one")]


def test_the_report_is_the_same_for_the_same_files(tmp_path: Path) -> None:
    pytest.importorskip("lizard", reason="an environment older than tests/requirements.txt")
    from house.report import report

    long = "int b() {\n" + "  g();\n" * 40 + "}\n"
    branches = "int c(int a, int b, int c, int d, int e, int f) { return " + "a ? b : " * 11 + "0; }\n"
    tree = _program(tmp_path, a="// why\nint a() { return 1; }\n" + long, b=branches, test="int t;\n")
    (tmp_path / "services/one/README.md").write_text("one\n")
    lines = list(report(tree))
    assert lines == list(report(Tree(tmp_path)))
    row = next(line for line in lines if line.startswith("services/one "))
    assert row.split()[1:4] == ["3", "48", "3/44/44"]
    assert row.split()[7:] == ["2%", "0.0%", "3", "1/42/42", "33.3%", "0", "33.3%", "6,", "1", "0.02"]
    assert any(line.endswith("rooms with a README: 1 of 3") for line in lines)
    assert "two-way pairs of folders in a room: 0" in lines
    worst = [line for line in lines if line.startswith("  services/one/")]
    assert worst == [
        "  services/one/a/a.hpp:3 b: 42 lines, ccn 1, 0 parameters",
        "  services/one/b/b.hpp:1 c: 1 lines, ccn 12, 6 parameters",
    ]


def _long(name: str, lines: int) -> str:
    return f"int {name}() {{\n" + "  g();\n" * (lines - 2) + "}\n"


def _told_of_functions(folder: Path) -> list[str]:
    found = check_functions(Tree(folder), ["libs/a.cpp"])
    return [f"{each.file.relative_to(folder)}:{each.line}: {each.text}" for each in found]


def test_a_function_that_is_too_long_is_told(tmp_path: Path) -> None:
    pytest.importorskip("lizard", reason="an environment older than tests/requirements.txt")
    _tree(tmp_path, {"libs/a.cpp": "// why\n" + _long("a", 70) + _long("b", 71)})
    told = ["libs/a.cpp:72: b has 71 lines; stop at 70"]
    assert _told_of_functions(tmp_path) == told
    assert _told_of_functions(tmp_path) == told, "of what was kept"
    (tmp_path / KEPT).write_text("{")
    assert _told_of_functions(tmp_path) == told
    (tmp_path / "libs/a.cpp").write_text(_long("b", 70))
    assert _told_of_functions(tmp_path) == []


def test_a_file_that_stayed_is_not_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("lizard", reason="an environment older than tests/requirements.txt")
    _tree(tmp_path, {"libs/a.cpp": _long("a", 71)})
    told = _told_of_functions(tmp_path)
    monkeypatch.setattr(functions, "functions_of", lambda *_: [])
    assert _told_of_functions(tmp_path) == told
    (tmp_path / KEPT).unlink()
    assert _told_of_functions(tmp_path) == []


def test_without_lizard_nothing_passes_for_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lizard", None)
    _tree(tmp_path, {"libs/a.cpp": ""})
    with pytest.raises(LizardMissing, match="./vigia test lint"):
        _told_of_functions(tmp_path)


def test_functions_of_scripts_have_the_same_bound(tmp_path: Path) -> None:
    def written(lines: int) -> str:
        return "class A:\n    async def a(self) -> None:\n" + "        b()\n" * (lines - 1)

    tree = _tree(tmp_path, {"a.py": written(70), "tools/b.py": written(71)})
    assert [(each.line, each.text) for each in check_python_functions(tree)] == [(2, "a has 71 lines; stop at 70")]


def _owed(tree: Tree) -> list[str]:
    product = Product(tree)
    folders = Folders(product)
    found = [*check_rooms(tree, folders), *check_known(tree, folders, TypeNames(product))]
    return [f"{each.file.relative_to(tree.root)}:{each.line}: {each.text}" for each in found]


def test_what_is_new_fails(tmp_path: Path) -> None:
    tree = _program(
        tmp_path,
        base="namespace v { struct Thing {}; }\n",
        a='#include "services/one/b/b.hpp"\n',
        b='#include "services/one/a/a.hpp"\nnamespace v { struct Thing {}; }\n',
    )
    folders, name = _owed(tree)
    assert folders.startswith("services/one/b/b.hpp:1: services/one/a and services/one/b include each other")
    assert name.startswith("services/one/b/b.hpp:2: v::Thing is defined in the same program by libs/base/base.hpp:1")


def test_what_is_known_passes_and_may_only_shrink(tmp_path: Path) -> None:
    _program(tmp_path, a='#include "services/one/b/b.hpp"\n', b='#include "services/one/a/a.hpp"\n')
    known = tmp_path / FILE
    known.parent.mkdir(parents=True)
    known.write_text("# owed\n\nfolders services/one/a services/one/b\n")
    assert _owed(Tree(tmp_path)) == []
    (tmp_path / "services/one/b/b.hpp").write_text("")
    (gone,) = _owed(Tree(tmp_path))
    assert gone.startswith(f'{FILE}:3: "folders services/one/a services/one/b" is mended')
    known.write_text("type v::Thing\n")
    (gone,) = _owed(Tree(tmp_path))
    assert gone.startswith(f'{FILE}:1: "type v::Thing" is mended')


def test_for_libraries_there_is_no_list(tmp_path: Path) -> None:
    tree = _tree(
        tmp_path,
        {
            "libs/a/CMakeLists.txt": LIBRARY.format("a", "a.cpp", ""),
            "libs/a/a.cpp": '#include "libs/b/b.hpp"\n',
            "libs/a/a.hpp": "",
            "libs/b/CMakeLists.txt": LIBRARY.format("b", "b.cpp", ""),
            "libs/b/b.cpp": '#include "libs/a/a.hpp"\n',
            "libs/b/b.hpp": "",
            FILE: "folders libs/a libs/b\n",
        },
    )
    pair, gone = _owed(tree)
    assert pair.startswith("libs/b/b.cpp:1: libs/a and libs/b include each other")
    assert "is mended" in gone


PAGE = """# libs/base

**Read first**: `base.hpp`, `libs/base/base.hpp`,
[one](base.hpp).

**May include**: nothing.

**Used by**: `services/one`, not tools.
"""


def _said(tree: Tree) -> list[str]:
    found = check_readmes(Product(tree), {"libs/base": set()})
    return [f"{each.file.relative_to(tree.root)}:{each.line}: {each.text}" for each in found]


def _with_pages(folder: Path, page: str) -> Tree:
    _program(folder)
    (folder / "libs/base/README.md").write_text(page)
    (folder / "services/one/README.md").write_text(
        "`a/a.hpp`, [b](b/b.hpp), `services/two/two.hpp`, `no file`, `*.hpp`\n"
    )
    (folder / "services/two/README.md").write_text("[elsewhere](https://example.org/a.md), [here](#read-first)\n")
    return Tree(folder)


def test_a_true_page_passes(tmp_path: Path) -> None:
    assert _said(_with_pages(tmp_path, PAGE)) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("`base.hpp`, ", "`gone.hpp`, ", "libs/base/README.md:3: there is no gone.hpp"),
        ("[one](base.hpp)", "[one](../gone.md)", "libs/base/README.md:4: there is no ../gone.md"),
        ("`base.hpp`, ", "", "libs/base/README.md:1: **Read first**: names 2 files, not 3"),
        ("nothing.", "`libs/x`.", "libs/base/README.md:6: **May include** wrongly names libs/x"),
        ("`services/one`", "nobody", "libs/base/README.md:8: **Used by** lacks services/one"),
        ("**Used by**", "Used by", "libs/base/README.md:1: it has no paragraph **Used by**:"),
        ("# libs/base", "# libs/base" + "\n" * 80, "libs/base/README.md:80: 88 lines are more than a page"),
    ],
)
def test_an_untrue_page_is_told(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert _said(_with_pages(tmp_path, PAGE.replace(old, new))) == [told]


def test_a_room_without_a_page_is_told(tmp_path: Path) -> None:
    tree = _with_pages(tmp_path, PAGE)
    (tmp_path / "libs/base/README.md").unlink()
    (tmp_path / "services/two/README.md").unlink()
    assert [each.partition(":")[0] for each in _said(tree)] == ["libs/base/README.md", "services/two/README.md"]


_PICTURE = """title = "A way"
[[bands]]
room = "{room}"
[[bands.stations]]
title = "One"
does = "something"
files = ["{file}"]
"""


def test_what_a_page_or_a_picture_names_is_there(tmp_path: Path) -> None:
    files = {
        "libs/base/a.cpp": "int first();\n",
        "libs/base/a_test.cpp": "TEST_F(Some, WorksWell) {}\n",
        "docs/one.md": "`base/a.cpp: first` `a.cpp` `Some.WorksWell` `Some.Works…`\n`x_fuzz.cpp`\n",
        "docs/two.md": "`base/b.cpp`\n`a.cpp: second`\n`Some.Works`\n`Other.WorksWell`\n`Some.Fails…`\n`se/a.cpp`\n",
        "docs/pictures/p.toml": _PICTURE.format(room="base", file="base/a.cpp"),
        "docs/pictures/p.svg": draw(tomllib.loads(_PICTURE.format(room="base", file="base/a.cpp"))),
        "docs/pictures/q.toml": _PICTURE.format(room="base", file="gone.hpp"),
        "docs/pictures/q.svg": draw(tomllib.loads(_PICTURE.format(room="older", file="gone.hpp"))),
    }
    tree = _tree(tmp_path, files)
    assert [f"{each.file.relative_to(tmp_path)}:{each.line}: {each.text}" for each in check_pages(tree)] == [
        "docs/two.md:1: there is no base/b.cpp",
        "docs/two.md:2: a.cpp does not hold second",
        "docs/two.md:6: there is no se/a.cpp",
        "docs/two.md:3: there is no test Some.Works",
        "docs/two.md:4: there is no test Other.WorksWell",
        "docs/two.md:5: there is no test Some.Fails…",
        "docs/pictures/q.toml:7: there is no gone.hpp",
        "docs/pictures/q.svg:1: it is not what docs/pictures/q.toml says: python3 tools/pictures/journey.py",
    ]


def _required(folder: Path, **files: str) -> list[str]:
    places = {"page": REQUIREMENTS, "owed": OWED, "test": "libs/a/a_test.cpp", "python": "tests/integration/test_a.py"}
    tree = _tree(folder, {places[name]: text for name, text in files.items()})
    return [f"{each.file.relative_to(folder)}:{each.line}: {each.text}" for each in check_requirements(tree)]


ROWS = "| id | must |\n|---|---|\n| R-X-1 | stand |\n| C01 | hold |\n"


def test_what_is_required_is_tested_or_owed(tmp_path: Path) -> None:
    test = "//R-X-1 is no comment's word\n// R-X-1, as it stands\nTEST(A, B) {}\n"
    owed = "# owed\n\nR-X-2 router: not met: x\n"
    rows = ROWS + "| R-X-2 | wait |\n"
    assert _required(tmp_path, page=rows, owed=owed, test=test, python='    """C01: holds."""\n') == []


@pytest.mark.parametrize("test", ["", 'auto a = "R-X-1";', 'get("http://x/ R-X-1");', "// R-X-12, BR-X-1 and R-X-1b"])
def test_what_no_comment_names_is_told(tmp_path: Path, test: str) -> None:
    told = _required(tmp_path, page=ROWS, owed="C01 router\n", test=test)
    assert f"{REQUIREMENTS}:3: no test names R-X-1 in a comment, and {OWED} does not owe it" in told


def test_ids_that_nobody_requires_are_told(tmp_path: Path) -> None:
    told = _required(
        tmp_path, page=ROWS, owed="D09 router\n", test="// C01: x\n", python="a = 1  #" + " R-X-1, R-X-2\n"
    )
    assert told == [
        f"tests/integration/test_a.py:1: R-X-2 is no requirement of {REQUIREMENTS}",
        f"{OWED}:1: D09 is no requirement of {REQUIREMENTS}",
    ]


@pytest.mark.parametrize(
    ("owed", "told"),
    [
        ("R-X-1 router", f"{OWED}:1: R-X-1 has a test: take its line out, the list only shrinks"),
        ("C01", f'{OWED}:1: C01: write "C01 ROOM" or "C01 ROOM: what is missing"'),
        ("C01 router:", f'{OWED}:1: C01: write "C01 ROOM" or "C01 ROOM: what is missing"'),
    ],
)
def test_the_owed_list_only_shrinks_and_says_who(tmp_path: Path, owed: str, told: str) -> None:
    assert told in _required(tmp_path, page=ROWS, owed=owed + "\n", test="// R-X-1\n")


def test_an_id_is_given_once(tmp_path: Path) -> None:
    told = _required(tmp_path, page=ROWS + "| C01 | another |\n", test="// R-X-1, C01\n")
    assert told == [f"{REQUIREMENTS}:5: C01 is required in line 4 too: an id means one thing"]


def test_every_file_of_this_tree_is_read() -> None:
    names = TypeNames(Product(Tree()))
    assert names.unread == []
    assert len(names.defined()) > 1000
