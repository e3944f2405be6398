"""What can be held against something else, behind one face; and the live server's side of it.

A side takes a line of words and gives back the reply as masked wire bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tests.conformance.live import Connection
from tests.conformance.masks import Masks
from tests.conformance.wire import Argv


class Side(Protocol):
    """`who` names the connection: a script may use several."""

    def call(self, argv: Argv, who: str = "") -> bytes: ...

    def run(self, log: Sequence[Argv]) -> list[bytes]: ...

    def close(self) -> None: ...


class Reachable(Protocol):
    """A server: Redis's own, or ours."""

    def connect(self, protocol: int = 2) -> Connection: ...

    def reset(self) -> None: ...


class Live:
    """A server, emptied first; `newest`: what 8.0 does not tell is compared, too."""

    def __init__(self, server: Reachable, protocol: int, *, newest: bool = False) -> None:
        server.reset()
        self._newest = newest
        self._server = server
        self._protocol = protocol
        self._open: dict[str, tuple[Connection, Masks]] = {}

    def _connection(self, who: str) -> tuple[Connection, Masks]:
        if who not in self._open:
            self._open[who] = (self._server.connect(self._protocol), Masks(newest=self._newest))
        return self._open[who]

    def call(self, argv: Argv, who: str = "") -> bytes:
        connection, masks = self._connection(who)
        return masks.apply(argv, connection.call(argv))

    def run(self, log: Sequence[Argv]) -> list[bytes]:
        connection, masks = self._connection("")
        return [masks.apply(argv, reply) for argv, reply in zip(log, connection.pipeline(log), strict=True)]

    def close(self) -> None:
        for connection, _ in self._open.values():
            connection.close()
