"""Log records are found by their stream, also through kill -9 of storage in the middle of writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import log_finding
import pytest
from cold_store import StorageAlone


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[StorageAlone]:
    alone = StorageAlone(tmp_path)
    alone.start()
    yield alone
    alone.kill()


def test_every_acknowledged_record_is_found_by_its_stream_after_kills(storage: StorageAlone) -> None:
    log_finding.find_after_kills(storage)
