"""Debian packages: what tools/packages.txt names and this machine lacks is installed; nothing is upgraded."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from launcher.paths import ROOT
from launcher.shell import Failure, as_root, output, run, say

BACKPORTS_FILE = Path("/etc/apt/sources.list.d/vigia-backports.sources")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def debian_mirror() -> str:
    """The address of the Debian mirror that this machine already uses."""
    lines = output(["apt-get", "indextargets", "--format", "$(SITE) $(ORIGIN) $(CODENAME)", "Created-By: Packages"])
    for line in lines.splitlines():
        words = line.split()
        if len(words) == 3 and words[1] == "Debian" and words[2] == "bookworm":
            return words[0]
    # A machine that never ran apt-get update knows no origins yet.
    for line in lines.splitlines():
        if line.split()[:1] and "debian" in line and "security" not in line:
            return line.split()[0]
    raise Failure("no Debian 12 (bookworm) package source is set up on this machine; add one and run this again")


def _wanted(*, with_cassandra: bool, for_tests: bool = False) -> tuple[list[str], list[str]]:
    """Package names from Debian itself and from backports."""
    plain: list[str] = []
    backports: list[str] = []
    wanted = {"cassandra": with_cassandra, "tests": for_tests}
    for line in (ROOT / "tools" / "packages.txt").read_text().splitlines():
        line = line.split("#")[0].strip()
        whose = line.partition(":")[0]
        if not line or not wanted.get(whose, True):
            continue
        line = line.removeprefix(f"{whose}:") if whose in wanted else line
        if line.startswith("absent-command:"):
            command, line = line.removeprefix("absent-command:").split()
            if shutil.which(command) is not None:
                continue
        if line.startswith("backports:"):
            backports.append(line.removeprefix("backports:"))
        else:
            plain.append(line)
    return plain, backports


def _missing(packages: list[str]) -> list[str]:
    shown = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Abbrev}\n", *packages],
        check=False,
        capture_output=True,
        text=True,
    ).stdout
    present = {line.split()[0] for line in shown.splitlines() if line.endswith("ii ")}
    return [name for name in packages if name not in present]


def _enable_backports() -> bool:
    """Adds bookworm-backports where apt does not know it yet. True if it was added."""
    known = output(["apt-get", "indextargets", "--format", "$(RELEASE)", "Created-By: Packages"])
    if "bookworm-backports" in known:
        return False
    text = f"Types: deb\nURIs: {debian_mirror()}\nSuites: bookworm-backports\nComponents: main\nSigned-By: {KEYRING}\n"
    say(f"adding bookworm-backports in {BACKPORTS_FILE}")
    command = as_root(["tee", str(BACKPORTS_FILE)])
    if subprocess.run(command, input=text, text=True, stdout=subprocess.DEVNULL, check=False).returncode != 0:
        raise Failure(f"{BACKPORTS_FILE} cannot be written: run this as root or with sudo")
    return True


def check() -> None:
    """For who does not install: names what is missing, where a compiler would name its first file alone. Of other systems nothing is known."""
    if shutil.which("dpkg-query") is None:
        return
    plain, backports = _wanted(with_cassandra=False)
    missing = _missing([*plain, *backports])
    if missing:
        raise Failure(
            f"{len(missing)} Debian packages are missing ({' '.join(missing)}); ./vigia up and ./vigia test install them"
        )


def install(*, with_cassandra: bool = False, for_tests: bool = False) -> None:
    """Installs what is missing. Needs root or sudo only when something is."""
    os.environ.setdefault("DEBIAN_FRONTEND", "noninteractive")
    plain, backports = _wanted(with_cassandra=with_cassandra, for_tests=for_tests)
    missing, missing_backports = _missing(plain), _missing(backports)
    if not missing and not missing_backports:
        return
    run(as_root(["apt-get", "update", "-q"]), what="apt-get update")
    if missing_backports and _enable_backports():
        run(as_root(["apt-get", "update", "-q"]), what="apt-get update")
    install_command = ["apt-get", "install", "-y", "-q", "--no-install-recommends"]
    if missing:
        say(f"installing {len(missing)} Debian packages: {' '.join(missing)}")
        run(as_root([*install_command, *missing]), what="installing packages")
    if missing_backports:
        say(f"installing from bookworm-backports: {' '.join(missing_backports)}")
        run(
            as_root([*install_command, "-t", "bookworm-backports", *missing_backports]),
            what="installing packages from backports",
        )
