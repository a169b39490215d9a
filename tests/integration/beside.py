"""What runs beside a test's own work."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self


class Beside:
    """Functions in threads of their own while the block runs. Each has to end soon after `ends` is set."""

    def __init__(self, *functions: Callable[[], None]) -> None:
        self.ends = threading.Event()
        self._threads = [threading.Thread(target=function) for function in functions]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.ends.set()
        for thread in self._threads:
            thread.join()
