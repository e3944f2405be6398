"""The engine's side: its sessions answer in wire bytes, as a server's connections do.

A command that would wait is answered as if its time had run out: scripts use a BLOCK of a few milliseconds, so that
the server's answer is the same. The clock is this module's own, so that a run is the same every time.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from typing import Final

from streamcli.engine import Engine, Wait
from streamcli.engine.session import Session
from streamcli.resp import encode
from tests.conformance.masks import Masks
from tests.conformance.older import of_8_0
from tests.conformance.wire import Argv, read

START_MS: Final = 1_767_225_600_000  # the clock starts here, in 2026, and moves a millisecond with each command


class Embedded:
    """The engine, new and in memory. It answers as Redis 8.0 does, unless as the `newest`."""

    def __init__(self, protocol: int, *, newest: bool = False) -> None:
        self._newest = newest
        self._engine = Engine()
        self._protocol = protocol
        self._now_ms = START_MS
        self._open: dict[str, tuple[Session, Masks]] = {}

    def _session(self, who: str) -> tuple[Session, Masks]:
        if who not in self._open:
            session = self._engine.session()
            if self._protocol == 3:
                session.execute([b"HELLO", b"3"], self._now_ms)
            self._open[who] = (session, Masks(newest=self._newest))
        return self._open[who]

    def call(self, argv: Argv, who: str = "") -> bytes:
        session, masks = self._session(who)
        self._now_ms += 1
        with contextlib.nullcontext() if self._newest else of_8_0():
            reply = session.execute(list(argv), self._now_ms)
        if isinstance(reply, Wait):
            reply = reply.timed_out
        wire = encode(reply, session.protocol)
        stream = io.BytesIO(wire)
        framed = read(stream)
        assert stream.tell() == len(wire), f"more than one reply: {wire!r}"
        return masks.apply(argv, framed)

    def run(self, log: Sequence[Argv]) -> list[bytes]:
        return [self.call(argv) for argv in log]

    def close(self) -> None:
        self._engine.close()
