"""redis-py's methods give through the door what they give on a real server: values, types and exceptions.

What the server gave is recorded beside this file (`python -m tests.client.test_walk` records it again), so that
there is something to compare with where there is no server.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry

import streamcli
from tests.client.parsed import shape
from tests.client.walk import walk
from tests.conformance.live import Server, running

RECORDING = Path(__file__).with_name("walk.recorded")
KINDS = [(protocol, decode) for protocol in (2, 3) for decode in (False, True)]


def lines(seen: list[tuple[str, Any]]) -> list[str]:
    """A line a call."""
    return [f"{name}: {shape(value)!r}" for name, value in seen]


def on_server(server: Server, protocol: int, decode: bool) -> list[str]:
    server.reset()
    quiet = MaintNotificationsConfig(enabled=False)
    with redis.Redis(
        "127.0.0.1",
        server.port,
        protocol=protocol,
        decode_responses=decode,
        retry=Retry(NoBackoff(), 0),
        maint_notifications_config=quiet if protocol == 3 else None,
    ) as client:
        return lines(walk(client))


def through_door(protocol: Any, decode: bool) -> list[str]:
    with streamcli.connect(protocol=protocol, decode_responses=decode) as client:
        return lines(walk(client))


def recorded(protocol: int, decode: bool) -> list[str]:
    mark = f"{protocol}{'t' if decode else 'b'} "
    text = RECORDING.read_text(encoding="utf-8").splitlines()
    return [line.removeprefix(mark) for line in text if line.startswith(mark)]


@pytest.mark.parametrize(("protocol", "decode"), KINDS)
def test_the_door_gives_what_the_server_gave(protocol: int, decode: bool) -> None:
    assert through_door(protocol, decode) == recorded(protocol, decode)


@pytest.mark.parametrize(("protocol", "decode"), KINDS)
def test_the_recording_is_what_the_server_gives(protocol: int, decode: bool, redis_8_0: Server | None) -> None:
    expected = recorded(protocol, decode)
    assert len(expected) > 90
    if redis_8_0 is not None:
        assert on_server(redis_8_0, protocol, decode) == expected


def main() -> int:
    with running() as server:
        if server is None:
            print("no Redis 8.0 found: run make servers", file=sys.stderr)
            return 2
        with RECORDING.open("w", encoding="utf-8") as out:
            for protocol, decode in KINDS:
                mark = f"{protocol}{'t' if decode else 'b'} "
                out.writelines(f"{mark}{line}\n" for line in on_server(server, protocol, decode))
    return 0


if __name__ == "__main__":
    sys.exit(main())
