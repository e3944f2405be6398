"""The Python door as a side: its connections are asked as redis-py's commands and pipelines ask them.

A side answers in wire bytes, and the door in values: each value is held to what redis-py's own parser reads from the
bytes of the same reply, which are what is handed on.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import redis

import streamcli
from streamcli.resp import encode
from tests.client.parsed import encoder_of, parsed, shape
from tests.conformance.masks import Masks
from tests.conformance.older import of_8_0
from tests.conformance.wire import Argv, read


class Door:
    """A client of threads; of tasks with `tasks`. It answers as Redis 8.0 does, unless as the `newest`."""

    def __init__(
        self, protocol: int, *, path: str = ":memory:", decode: bool = False, tasks: bool = False, newest: bool = False
    ) -> None:
        self._runner = asyncio.Runner() if tasks else None
        made: Any = streamcli.aconnect if tasks else streamcli.connect
        errors = "surrogateescape" if decode else "strict"
        self._client = made(path, protocol=protocol, decode_responses=decode, encoding_errors=errors)
        self._encoder = encoder_of("utf-8", errors, decode)
        self._protocol, self._newest = protocol, newest
        self._open: dict[str, tuple[Any, Masks]] = {}

    def _done(self, given: Any) -> Any:
        """What a method gave, or what its coroutine does."""
        return given if self._runner is None else self._runner.run(given)

    def _connection(self, who: str) -> tuple[Any, Masks]:
        if who not in self._open:
            connection = self._done(self._client.connection_pool.get_connection())
            self._open[who] = (connection, Masks(newest=self._newest))
        return self._open[who]

    def call(self, argv: Argv, who: str = "") -> bytes:
        connection, masks = self._connection(who)
        with nullcontext() if self._newest else of_8_0():
            self._done(connection.send_packed_command([list(argv)]))
            return masks.apply(argv, read(io.BytesIO(self._reply(connection, argv))))

    def run(self, log: Sequence[Argv]) -> list[bytes]:
        """As a pipeline: sent at once."""
        connection, masks = self._connection("")
        with nullcontext() if self._newest else of_8_0():
            self._done(connection.send_packed_command([list(argv) for argv in log]))
            return [masks.apply(argv, read(io.BytesIO(self._reply(connection, argv)))) for argv in log]

    def _reply(self, connection: Any, argv: Argv) -> bytes:
        talk = connection._talk
        if not talk.replies:
            self._done(connection._wait(talk))
        wire = encode(talk.replies[0], talk.session.protocol)
        value: Any
        try:
            value = self._done(connection.read_response(disconnect_on_error=False))
        except redis.RedisError as error:
            value = error
        if talk.session.protocol == self._protocol:  # a client that says HELLO behind redis-py's back is on its own
            assert shape(value) == shape(parsed(wire, self._protocol, self._encoder)), argv
        return wire

    def close(self) -> None:
        if self._runner is None:
            self._client.close()
        else:
            self._runner.run(self._client.aclose())
            self._runner.close()
