"""The files of a checkout, each read once, and what a rule says of one of them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Finding:
    file: Path
    line: int
    text: str

    def __str__(self) -> str:
        name = self.file.relative_to(ROOT) if self.file.is_relative_to(ROOT) else self.file
        return f"{name}:{self.line}: {self.text}"


def layer_of(path: str) -> str | None:
    """The library or service that a file is of: libs/net, services/agent; None outside of both."""
    parts = path.split("/")
    return "/".join(parts[:2]) if parts[0] in ("libs", "services", "shims") and len(parts) > 2 else None


def folder_of(path: str) -> str:
    return path.rpartition("/")[0]


class Tree:
    """Names are relative to the root, with slashes."""

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root
        self._texts: dict[str, str] = {}

    def tracked(self, *patterns: str) -> list[str]:
        """Files that git knows and those not yet added, without what is ignored; sorted."""
        words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns]
        out = subprocess.run(words, cwd=self.root, capture_output=True, check=True, text=True).stdout
        return [name for name in sorted(set(out.split("\0"))) if name and self.exists(name)]

    def exists(self, name: str) -> bool:
        return (self.root / name).is_file()

    def text(self, name: str) -> str:
        if name not in self._texts:
            self._texts[name] = (self.root / name).read_text()
        return self._texts[name]

    def lines(self, name: str) -> list[str]:
        return self.text(name).splitlines()

    def rooms(self) -> Iterator[str]:
        """Every library, then every service."""
        for kind in ("libs", "services"):
            folder = self.root / kind
            if folder.is_dir():
                yield from (f"{kind}/{room.name}" for room in sorted(folder.iterdir()) if room.is_dir())

    def finding(self, name: str, line: int, text: str) -> Finding:
        return Finding(self.root / name, line, text)
