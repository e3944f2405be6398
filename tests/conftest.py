"""What several tests share: a real server, when there is one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.live import Server, running


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
