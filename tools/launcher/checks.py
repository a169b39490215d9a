"""`./vigia test`: installs, builds and runs the tests; the same that CI runs."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from launcher import build, cassandra, compliance, fuzz, packages, parts, unit
from launcher.once_more import Program, judge, side_by_side
from launcher.paths import PORTAL, PYTHON, ROOT, make_state_folders
from launcher.shell import Failure, fail, output, run, say

STEPS = ("lint", "unit", "portal", "integration", "browser")
# In a whole run, from which round of the integration tests on: what waits itself beside what mostly waits, and all else in
# what is left idle by tests that measure, two at a time and then alone.
BESIDE_INTEGRATION = {"side by side": ("browser", "lint"), "two at a time": ("portal", "unit")}
SLOW_STEPS = ("thorough", "compliance", "fuzz", "clang-tidy")  # only where they are named
BROWSERS = 2  # at once

# Name, what it runs. Every step runs even if one before it failed, so that one run shows everything.
Step = tuple[str, Callable[[], None]]


def _tracked(*patterns: str) -> list[str]:
    return output(["git", "ls-files", "--", *patterns], cwd=ROOT).split()


def _lint(python: Path) -> None:
    run([python, "tools/tidy.py"], cwd=ROOT, what="tools/tidy.py (layers, sizes, names)")
    run(["clang-format-19", "--dry-run", "-Werror", *_tracked("*.hpp", "*.cpp")], cwd=ROOT, what="clang-format")
    run([python, "-m", "ruff", "check", "."], cwd=ROOT, what="ruff check")
    run([python, "-m", "ruff", "format", "--check", "."], cwd=ROOT, what="ruff format")
    run([python, "-m", "mypy"], cwd=ROOT, what="mypy")


def _programs(preset: str) -> None:
    """All that there is, Cassandra's driver too."""
    build.programs(preset, with_cassandra=True)


def _clang_tidy() -> None:
    """Every source of ours; minutes to an hour, so not among the steps of a plain run. A commit checks what it changes."""
    _programs("dev")
    sources = _tracked("libs/*.cpp", "services/*.cpp")
    run(["run-clang-tidy-19", "-p", "build/dev", "-quiet", "-j2", *sources], cwd=ROOT, what="clang-tidy")


def _unit() -> None:
    _programs("dev")
    unit.run_all("dev", {})


def _thorough(python: Path) -> None:
    """What a plain run leaves out: more rounds of chance, exhaustive walks, loads of minutes, further variants."""
    _programs("dev")
    unit.run_all("dev", {"VIGIA_THOROUGH": "1"})
    _integration(python, "--thorough")


def _compliance(python: Path) -> None:
    """Suites of others, which are fetched: what they call right, and what the Go collector takes of ours."""
    compliance.go_collector()
    _programs("release")
    run(
        [
            python,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "-rA",
            "tests/compliance",
            "tests/integration/test_otlp_out.py",
        ],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT / 'tools'}:{ROOT / 'tests' / 'integration'}"},
        what="compliance suites (pytest)",
    )


def _check_portal() -> None:
    run(["npm", "run", "check"], cwd=PORTAL, what="checks of the portal")


def _portal() -> None:
    build.portal()
    # Types reach from file to file, so what eslint and tsc say hangs on all of the files together and on nothing else.
    files = build.portal_files()
    if not build.unless_unchanged("portal-checked", files, _check_portal):
        say("the portal's files are as they were when prettier, eslint and tsc had nothing to say")
    run(["npm", "test"], cwd=PORTAL, what="tests of the portal")


def _integration(python: Path, *words: str) -> None:
    _programs("release")
    run(
        ["bash", "tests/integration/run_integration_tests.sh", *words],
        cwd=ROOT,
        env={"VIGIA_PYTHON": str(python)},
        what="integration tests (pytest)",
    )


def _integration_beside_others(python: Path) -> None:
    """Integration tests mostly wait; what the others print is shown when they end."""
    beside = [f"--beside={name}={','.join(steps)}" for name, steps in BESIDE_INTEGRATION.items()]
    _integration(python, *beside)


def _builds() -> None:
    """Before all tests: compilers would take their time. What comes from caches mostly waits, so it is fetched together."""
    fetched: list[Callable[[], object]] = [
        build.python_environment,
        build.portal,
        cassandra.jars,
        compliance.promql_parser,
        compliance.otlp_translator,
    ]
    with ThreadPoolExecutor(2) as pool:
        others = [pool.submit(one) for one in fetched]
        _programs("dev")
        _programs("release")
        for other in others:
            other.result()


def _browser(python: Path) -> None:
    _programs("release")
    build.portal()
    folder = ROOT / "tests" / "browser"
    build.node_modules(folder)
    env = {**os.environ, "VIGIA_PYTHON": str(python)}
    # Each file has a Vigía and a browser of its own, and the longest one mostly waits.
    programs = {
        file.name: Program(file.name, ["node", "--test", "--test-reporter=spec", file.name], folder, env)
        for file in sorted(folder.glob("*_test.mjs"))
    }
    failed = side_by_side(list(programs.values()), BROWSERS)
    if judge(failed, lambda names: side_by_side([programs[name] for name in names], 1)) != 0:
        raise Failure("browser tests failed, once more alone too: their output is above")


def test(only: list[str]) -> int:
    """Runs the named steps in their order, or all but the slow ones; 0 if everything passed."""
    unknown = set(only) - set(STEPS) - set(SLOW_STEPS)
    if unknown:
        raise Failure(f"no such step: {', '.join(sorted(unknown))}; there are {', '.join([*STEPS, *SLOW_STEPS])}")
    make_state_folders()
    packages.install(with_cassandra=True, for_tests=True)
    parts.install(for_tests=True)
    python = build.python_environment() if only else PYTHON  # which is made beside the builds then
    run_step: dict[str, Callable[[], None]] = {
        "lint": lambda: _lint(python),
        "unit": _unit,
        "portal": _portal,
        "integration": lambda: _integration(python),
        "browser": lambda: _browser(python),
        "thorough": lambda: _thorough(python),
        "compliance": lambda: _compliance(python),
        "fuzz": fuzz.run_all,
        "clang-tidy": _clang_tidy,
    }
    steps: list[Step] = [(name, run_step[name]) for name in only]
    if not only:
        steps = [("build", _builds), ("all tests", lambda: _integration_beside_others(python))]
    failed = _run_steps(steps)
    if shutil.which("ccache"):
        os.system("ccache -s | grep -i -m3 -E 'hit|miss' || true")
    say(f"failed: {', '.join(failed)}" if failed else "everything passed")
    return 1 if failed else 0


def _run_steps(steps: Sequence[Step]) -> list[str]:
    """Which of them failed."""
    failed = []
    for name, step in steps:
        started = time.monotonic()
        say(f"{name}: begins")
        try:
            step()
            say(f"{name}: passed in {time.monotonic() - started:.0f} s")
        except Failure as failure:
            fail(str(failure))
            failed.append(name)
    return failed
