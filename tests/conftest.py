"""What several tests share: a real server, when there is one, and streamcli in a home of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.conformance.live import Server, running
from tests.e2e.program import Program

# The same examples in each run, however slow the machine is: what fails here fails there, too.
settings.register_profile("suite", derandomize=True, deadline=None)
settings.load_profile("suite")


@pytest.fixture(scope="session")
def redis_8_0() -> Iterator[Server | None]:
    """A running Redis 8.0, or None where there is none; a test compares with recordings then, it does not skip."""
    with running() as server:
        yield server


@pytest.fixture(scope="session")
def valkey_9() -> Iterator[Server | None]:
    """A running Valkey, or None."""
    with running("valkey") as server:
        yield server


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    """A program with a home of its own."""
    made = Program(tmp_path)
    yield made
    made.stop()
