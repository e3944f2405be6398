"""The two that are compared: our engine, and fakeredis called through redis-py. One stream, one group.

Both do the same work through the calls their users make. IDs are one a
millisecond, as a steady producer makes them, and end a while before now.
"""

from __future__ import annotations

import random
import time
from typing import Any

from streamcli.engine import Engine
from streamcli.reply import Error

KEY, GROUP = b"measurements", b"readers"
FIELDS = (b"sensor", b"0123456789", b"pressure", b"1013.25000", b"measured", b"2024-05-17")
RANGE_COUNT, READ_COUNT = 100, 10
LOAD_AT_ONCE = 20_000


def now_ms() -> int:
    """Unix time in ms."""
    return time.time_ns() // 1_000_000


class Ours:
    """An engine, on a file or in memory, with a stream of `entries` entries and a group at its start."""

    def __init__(self, path: str | None, entries: int) -> None:
        self.engine = Engine(path)
        self.entries = entries
        self.first_ms = now_ms() - entries - 60_000
        began = time.perf_counter()
        for start in range(0, entries, LOAD_AT_ONCE):
            with self.engine.batch(self.first_ms):
                for at in range(start, min(start + LOAD_AT_ONCE, entries)):
                    self.engine.execute((b"XADD", KEY, b"*", *FIELDS), self.first_ms + at)
        self.loading = (time.perf_counter() - began) / entries  # seconds an entry
        self.run(b"XGROUP", b"CREATE", KEY, GROUP, b"0", b"MKSTREAM")

    def run(self, *argv: bytes) -> Any:
        """A reply that is no error."""
        reply = self.engine.execute(argv, now_ms())
        if isinstance(reply, Error):
            raise RuntimeError(f"{argv[:3]!r}: {reply.text}")
        return reply

    def place(self, margin: int) -> bytes:
        """A random ID with at least `margin` entries after it."""
        return b"%d" % (self.first_ms + random.randrange(max(1, self.entries - margin)))

    def add(self) -> object:
        return self.run(b"XADD", KEY, b"*", *FIELDS)

    def range(self) -> object:
        return self.run(b"XRANGE", KEY, self.place(RANGE_COUNT), b"+", b"COUNT", b"%d" % RANGE_COUNT)

    def read_and_acknowledge(self) -> object:
        reply = self.run(b"XREADGROUP", b"GROUP", GROUP, b"alice", b"COUNT", b"10", b"STREAMS", KEY, b">")
        return self.run(b"XACK", KEY, GROUP, *[entry[0] for entry in reply[0][1]])

    def trim(self) -> None:
        """Back to the length it had. (`place` does not know of it: what is added to is not read afterwards.)"""
        self.run(b"XTRIM", KEY, b"MAXLEN", b"%d" % self.entries)

    def rewind(self) -> None:
        """The group goes to a random place in the first half; it knows how many entries are before that."""
        read = random.randrange(1, self.entries // 2)
        place = b"%d" % (self.first_ms + read - 1)
        self.run(b"XGROUP", b"SETID", KEY, GROUP, place, b"ENTRIESREAD", b"%d" % read)

    def close(self) -> None:
        self.engine.close()


class Peer:
    """fakeredis with the same stream and group."""

    def __init__(self, entries: int) -> None:
        import fakeredis

        self.client: Any = fakeredis.FakeRedis()
        self.entries = entries
        self.first_ms = now_ms() - entries - 60_000
        self.fields: dict[Any, Any] = dict(zip(FIELDS[::2], FIELDS[1::2], strict=True))
        for at in range(entries):
            self.client.xadd(KEY, self.fields, id=f"{self.first_ms + at}-0")
        self.client.xgroup_create(KEY, GROUP, "0", mkstream=True)

    def place(self, margin: int) -> str:
        return str(self.first_ms + random.randrange(max(1, self.entries - margin)))

    def add(self) -> object:
        return self.client.xadd(KEY, self.fields)

    def range(self) -> object:
        return self.client.xrange(KEY, self.place(RANGE_COUNT), "+", count=RANGE_COUNT)

    def read_and_acknowledge(self) -> object:
        reply = self.client.xreadgroup(GROUP, "alice", {KEY: ">"}, count=READ_COUNT)
        return self.client.xack(KEY, GROUP, *[entry[0] for entry in reply[0][1]])

    def trim(self) -> None:
        self.client.xtrim(KEY, self.entries, approximate=False)

    def rewind(self) -> None:
        read = random.randrange(1, self.entries // 2)
        self.client.xgroup_setid(KEY, GROUP, str(self.first_ms + read - 1), entries_read=read)
