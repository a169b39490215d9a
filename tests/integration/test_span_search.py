"""Traces are found without their ids, also through kill -9 of storage in the middle of writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import span_finding
from cold_store import StorageAlone


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[StorageAlone]:
    alone = StorageAlone(tmp_path)
    alone.start()
    yield alone
    alone.kill()


def test_every_acknowledged_span_is_found_after_kills(storage: StorageAlone) -> None:
    span_finding.find_after_kills(storage)
