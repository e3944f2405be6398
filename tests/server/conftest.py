"""Servers that tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.served import Served, serving


@pytest.fixture(scope="module")
def _server() -> Iterator[Served]:
    with serving() as server:
        yield server


@pytest.fixture
def server(_server: Served) -> Served:
    """A server that keeps its streams in memory, emptied."""
    assert _server.process.poll() is None, f"it has ended: {_server.log}"
    _server.reset()
    return _server


@pytest.fixture
def on_file(tmp_path: Path) -> Iterator[Served]:
    """A server of its own on the file `served.db`."""
    with serving("--db", tmp_path / "served.db") as server:
        yield server
