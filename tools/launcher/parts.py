"""Prometheus and Alertmanager, unpacked under .vigia/parts: installing their packages would start services.

Debian 12 has Prometheus 2.42, and VictoriaMetrics for tests; 3.x and a current Alertmanager come from Debian's development suite and run unpacked.
apt is used with lists and sources of its own, so the machine's own apt is not touched.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from launcher.packages import KEYRING, debian_mirror
from launcher.paths import PARTS, STATE
from launcher.shell import Failure, as_root, output, run, say

# Folder under .vigia/parts: package, pattern of the version, program inside.
_PARTS = {
    "prometheus-2": ("prometheus", r"2\.42\.", "usr/bin/prometheus"),
    "prometheus-3": ("prometheus", r"3\.", "usr/bin/prometheus"),
    "alertmanager": ("prometheus-alertmanager", r"0\.(2[89]|[3-9]\d)\.", "usr/bin/prometheus-alertmanager"),
}
# What stands at the other end in tests alone.
_TEST_PARTS = {"victoria-metrics": ("victoria-metrics", r"1\.", "usr/bin/victoria-metrics")}
TEMPLATES = Path("/usr/share/prometheus/alertmanager")


def program(part: str) -> Path:
    """The binary of an unpacked part."""
    return PARTS / part / (_PARTS | _TEST_PARTS)[part][2]


def vmagent() -> Path:
    return program("victoria-metrics").with_name("vmagent")


def promtool() -> Path:
    return PARTS / "prometheus-2" / "usr/bin/promtool"


def hot_prometheus() -> Path:
    """The Prometheus that serves as hot store: VIGIA_PROMETHEUS, or 3.x."""
    return Path(os.environ.get("VIGIA_PROMETHEUS") or program("prometheus-3"))


def _apt_options(folder: Path) -> list[str]:
    options = {
        "Dir::State::lists": folder / "lists",
        "Dir::Cache": folder / "cache",
        "Dir::Etc::sourcelist": folder / "sources.list",
        "Dir::Etc::sourceparts": folder / "none",
        "Acquire::Languages": "none",
        "APT::Sandbox::User": "",
    }
    return [word for key, value in options.items() for word in ("-o", f"{key}={value}")]


def _prepare_apt(folder: Path) -> list[str]:
    for name in ("lists/partial", "cache/archives/partial", "none"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    mirror = debian_mirror()
    sources = "".join(f"deb [signed-by={KEYRING}] {mirror} {suite} main\n" for suite in ("bookworm", "sid"))
    (folder / "sources.list").write_text(sources)
    options = _apt_options(folder)
    run(["apt-get", *options, "-q", "update"], what="reading Debian's package lists")
    return options


def _unpack(part: str, options: list[str]) -> None:
    package, pattern, binary = (_PARTS | _TEST_PARTS)[part]
    versions = [line.split("|")[1].strip() for line in output(["apt-cache", *options, "madison", package]).splitlines()]
    version = next((v for v in versions if re.match(pattern, v)), None)
    if version is None:
        raise Failure(f"Debian offers no {package} that matches {pattern} (found: {', '.join(versions) or 'none'})")
    say(f"unpacking {package} {version}")
    target = PARTS / part
    download = PARTS / f"{part}.download"
    for folder in (target, download):
        shutil.rmtree(folder, ignore_errors=True)
    download.mkdir(parents=True)
    run(["apt-get", *options, "-q", "download", f"{package}={version}"], cwd=download, what=f"downloading {package}")
    archive = next(download.glob("*.deb"))
    unpacked = download / "unpacked"
    subprocess.run(["dpkg-deb", "-x", str(archive), str(unpacked)], check=True)
    if not (unpacked / binary).exists():
        raise Failure(f"{archive.name} holds no {binary}")
    unpacked.rename(target)
    shutil.rmtree(download)


def _share_templates() -> None:
    """Debian's Alertmanager reads its message templates from /usr/share only, wherever it was unpacked itself."""
    if (TEMPLATES / "default.tmpl").exists():
        return
    say(f"copying Alertmanager's message templates to {TEMPLATES}")
    source = PARTS / "alertmanager" / TEMPLATES.relative_to("/")
    files = sorted(str(file) for file in source.glob("*.tmpl"))
    run(as_root(["install", "-D", "-m", "0644", "-t", str(TEMPLATES), *files]), what=f"copying into {TEMPLATES}")


def install(*, for_tests: bool = False) -> None:
    """Downloads and unpacks what is not there yet."""
    wanted = [*_PARTS, *(_TEST_PARTS if for_tests else ())]
    missing = [part for part in wanted if not program(part).exists()]
    if missing:
        options = _prepare_apt(STATE / "apt")
        for part in missing:
            _unpack(part, options)
    _share_templates()
