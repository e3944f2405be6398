"""The Python door against fakeredis in the same process, and against a real Redis over loopback: redis-py on all.

What is measured, and the bar, are told in README.md.
"""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.measure import Round, Row, clocked, faster, race
from benchmarks.sides import FIELDS, GROUP, KEY, RANGE_COUNT, READ_COUNT, now_ms

_ENTRIES = 10_000
_LEAST = 2.0


class _Client:
    """Any redis-py client, with a stream of 10,000 entries and a group."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.first_ms = now_ms() - _ENTRIES - 60_000
        self.fields = dict(zip(FIELDS[::2], FIELDS[1::2], strict=True))
        client.flushall()
        with client.pipeline(transaction=False) as pipe:
            for at in range(_ENTRIES):
                pipe.xadd(KEY, self.fields, id=f"{self.first_ms + at}-0")
            pipe.execute()
        client.xgroup_create(KEY, GROUP, "0")

    def add(self) -> object:
        return self.client.xadd(KEY, self.fields)

    def range(self) -> object:
        place = str(self.first_ms + random.randrange(_ENTRIES - RANGE_COUNT))
        return self.client.xrange(KEY, place, "+", count=RANGE_COUNT)

    def read_and_acknowledge(self) -> object:
        reply = self.client.xreadgroup(GROUP, "alice", {KEY: ">"}, count=READ_COUNT)
        return self.client.xack(KEY, GROUP, *[entry[0] for entry in reply[0][1]])

    def adding(self) -> float:
        taken = clocked(500, self.add)
        self.client.xtrim(KEY, _ENTRIES, approximate=False)
        return taken

    def ranging(self) -> float:
        return clocked(50, self.range)

    def reading(self) -> float:
        read = random.randrange(1, _ENTRIES // 2)
        self.client.xgroup_setid(KEY, GROUP, str(self.first_ms + read - 1), entries_read=read)
        return clocked(100, self.read_and_acknowledge)


_OPERATIONS: tuple[tuple[str, Callable[[_Client], Round]], ...] = (
    (f"XRANGE COUNT {RANGE_COUNT} at a random place", lambda side: side.ranging),
    (f"XREADGROUP COUNT {READ_COUNT} and its XACK", lambda side: side.reading),
    ("XADD of 3 fields", lambda side: side.adding),
)


def rows(rounds: int) -> Iterator[Row]:
    """The door in memory and on a file, against fakeredis, and against Redis where there is one."""
    import fakeredis
    import redis

    import streamcli
    from tests.conformance.live import running

    with tempfile.TemporaryDirectory(prefix="streamcli-bench-") as folder, running() as server:
        for place in ("memory", "file"):
            path = os.path.join(folder, "door.db") if place == "file" else ":memory:"
            with streamcli.connect(path) as door:
                ours, fake = _Client(door), _Client(fakeredis.FakeRedis())
                for operation, turn in _OPERATIONS:
                    fast, slow = race(rounds, turn(ours), turn(fake))
                    least = _LEAST if place == "memory" else None
                    yield faster(f"The Python door, {operation}, {place}, against fakeredis", fast, slow, least)
                if server is None:
                    continue
                with redis.Redis("127.0.0.1", server.port) as client:
                    real = _Client(client)
                    for operation, turn in _OPERATIONS:
                        fast, slow = race(rounds, turn(ours), turn(real))
                        yield faster(f"The Python door, {operation}, {place}, against Redis", fast, slow, None)
