"""A plugin of pytest: --failures-to FILE gets the node ids of the tests that failed, a line each."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--failures-to", type=Path, help="write the node ids of what failed into this file")


def pytest_configure(config: pytest.Config) -> None:
    file: Path | None = config.getoption("--failures-to")
    is_worker = hasattr(config, "workerinput")  # of xdist; who started the workers hears all of them
    if file is not None and not is_worker:
        config.pluginmanager.register(_Kept(file))


class _Kept:
    def __init__(self, file: Path) -> None:
        self._file = file
        self._ids: dict[str, None] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._ids[report.nodeid] = None

    def pytest_sessionfinish(self) -> None:
        self._file.write_text("".join(f"{node_id}\n" for node_id in self._ids))
