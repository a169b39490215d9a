"""Building: the programs by CMake, the portal by npm, the Python environment by pip. Each only where it has changed."""

from __future__ import annotations

import hashlib
import re
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from launcher.paths import PORTAL, PYTHON, ROOT, STATE, VENV
from launcher.shell import Failure, run, say

PROGRAMS = ("agent", "collector", "storage", "router", "monitor")
REQUIREMENTS = (ROOT / "deploy" / "demo" / "requirements.txt", ROOT / "tests" / "requirements.txt")


def version() -> str:
    """As CMakeLists.txt says it."""
    found = re.search(r"^project\(vigia VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text(), re.MULTILINE)
    if found is None:
        raise Failure("CMakeLists.txt names no version")
    return found[1]


def gone_tools(cache: str) -> list[str]:
    """Which programs a CMakeCache.txt names that are there no more: with them every build fails until it is forgotten."""
    named = re.findall(r"^(?:CMAKE_MAKE_PROGRAM|CMAKE_COMMAND|CMAKE_C(?:XX)?_COMPILER):\w+=(/.*)$", cache, re.MULTILINE)
    return [path for path in named if not Path(path).exists()]


def programs(preset: str, targets: Iterable[str] = (), *, with_cassandra: bool = False) -> None:
    """Configures and builds a preset; without targets, all of it. With Cassandra's driver it needs cargo, and keeps it
    from then on."""
    started = time.monotonic()
    cache = ROOT / "build" / preset / "CMakeCache.txt"
    gone = gone_tools(cache.read_text()) if cache.exists() else []
    if gone:
        say(f"{', '.join(gone)} is gone: configuring the preset {preset} anew")
    fresh = ["--fresh"] if gone else []
    asked = ["-DWITH_CASSANDRA=ON"] if with_cassandra else []
    words = ["cmake", "--preset", preset, "--log-level=WARNING", *asked, *fresh]
    run(words, cwd=ROOT, what=f"configuring the preset {preset}")
    wanted = [word for target in targets for word in ("--target", target)]
    run(["cmake", "--build", "--preset", preset, *wanted], cwd=ROOT, what=f"building the preset {preset}")
    say(f"built the preset {preset} in {time.monotonic() - started:.0f} s")
    link = ROOT / "compile_commands.json"
    if not link.exists():
        link.unlink(missing_ok=True)
        link.symlink_to(ROOT / "build" / preset / "compile_commands.json")


def _fingerprint(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(f"{file}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _is_fresh(stamp: Path, fingerprint: str) -> bool:
    return stamp.exists() and stamp.read_text() == fingerprint


def node_modules(folder: Path) -> None:
    """npm ci, where the lock file is not the one that was installed last."""
    fingerprint = _fingerprint([folder / "package-lock.json"])
    stamp = folder / "node_modules" / ".vigia-stamp"
    if _is_fresh(stamp, fingerprint):
        return
    say(f"installing npm packages of {folder.relative_to(ROOT)}")
    run(["npm", "ci", "--no-audit", "--no-fund"], cwd=folder, what="npm ci")
    stamp.write_text(fingerprint)


def unless_unchanged(name: str, files: Iterable[Path], work: Callable[[], None]) -> bool:
    """Does `work`, where these files are not as they were when it went well last. Whether it was done."""
    stamp = STATE / f"{name}-stamp"
    fingerprint = _fingerprint(files)
    if _is_fresh(stamp, fingerprint):
        return False
    work()
    stamp.write_text(fingerprint)
    return True


def portal_files() -> list[Path]:
    """All that says how the portal's sources are to be and what they are; what is made of them is not among it."""
    made = {"node_modules", "dist"}
    inside = [file for entry in PORTAL.iterdir() if entry.name not in made for file in _files_under(entry)]
    # The contract's types are made of it by `npm run api`.
    files = [file for file in inside if file.name != "schema.d.ts"]
    return [*files, ROOT / "docs" / "api" / "openapi.yaml", ROOT / ".editorconfig"]


def _files_under(entry: Path) -> list[Path]:
    return [entry] if entry.is_file() else [file for file in entry.rglob("*") if file.is_file()]


def portal() -> Path:
    """The folder of the built portal."""
    node_modules(PORTAL)
    # The contract's types are made of it by `npm run api`, which checks and tests do first; the pages have none of them.
    sources = [file for file in (PORTAL / "src").rglob("*") if file.is_file() and file.name != "schema.d.ts"]
    sources += [PORTAL / "package-lock.json", PORTAL / "index.html", ROOT / "docs" / "api" / "openapi.yaml"]
    fingerprint = _fingerprint(sources)
    dist = PORTAL / "dist"
    stamp = STATE / "portal-stamp"
    if not (dist / "index.html").exists() or not _is_fresh(stamp, fingerprint):
        say("building the portal")
        run(["npm", "run", "build"], cwd=PORTAL, what="building the portal")
        stamp.write_text(fingerprint)
    return dist


def python_environment() -> Path:
    """A Python with the OpenTelemetry SDK and what the tests need; its path."""
    if VENV.is_symlink() and not VENV.exists():
        raise Failure(
            f"{VENV} is a link to {VENV.readlink()}, which is not there: remove the link, or make that folder"
        )
    fingerprint = _fingerprint(REQUIREMENTS)
    stamp = VENV / "stamp"
    if not _is_fresh(stamp, fingerprint):
        say("setting up the Python environment")
        shutil.rmtree(VENV, ignore_errors=True)
        run(["/usr/bin/python3", "-m", "venv", VENV], what="python3 -m venv")
        files = [word for file in REQUIREMENTS for word in ("-r", str(file))]
        run([PYTHON, "-m", "pip", "install", "-q", "--disable-pip-version-check", *files], what="pip install")
        stamp.write_text(fingerprint)
    return PYTHON
