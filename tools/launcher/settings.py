"""What `./vigia up` was asked for and keeps to until it is asked for something else, and what runs by it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_RUNNING = "running"


class Settings:
    """A file with the choices. Those that what runs was started with are kept apart: an `up` may fail between the two."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def _content(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self._file.read_text()) if self._file.exists() else {}
        return content

    def _write(self, chosen: dict[str, Any], running: dict[str, Any]) -> None:
        self._file.write_text(json.dumps({**chosen, _RUNNING: running}))

    def chosen(self) -> dict[str, Any]:
        return {name: value for name, value in self._content().items() if name != _RUNNING}

    def running(self) -> dict[str, Any]:
        """As the last `up` started the parts; a file of before knew no difference."""
        content = self._content()
        running: dict[str, Any] = content.get(_RUNNING, content)
        return running

    def choose(self, chosen: dict[str, Any]) -> None:
        self._write(chosen, self.running())

    def start(self) -> None:
        """From here on what was chosen is what runs."""
        self._write(self.chosen(), self.chosen())
