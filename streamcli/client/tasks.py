"""redis-py's asyncio client: its connections are sessions of an engine in this process.

A command is run where it is called, without giving up the loop; only a wait
lets other tasks run.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import redis.asyncio
from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.exceptions import ConnectionError, ResponseError

from streamcli.client.greeting import PUSHED, no_pushes, unpacked
from streamcli.client.sending import Sender
from streamcli.client.shared import CLOSED, Shared, Talk
from streamcli.client.values import Values, Words, decoder


class Connection(Sender, AbstractConnection):  # type: ignore[misc]
    """A session in place of a stream. One task at a time uses it, as any connection of redis-py."""

    def __init__(self, *, shared: Shared, **settings: Any) -> None:
        self._shared = shared
        self._talk: Talk | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._event: asyncio.Event | None = None  # while a task waits
        super().__init__(**settings)
        self._words = Words(self.encoder)
        self._raw = Values(self.protocol, None)
        self._values = Values(self.protocol, decoder(self.encoder))

    # -- beginning and end --------------------------------------------------------------

    @property
    def is_connected(self) -> bool:
        return self._talk is not None

    async def connect(self) -> None:
        """Open a session, unless there is one. Raises OpenError."""
        if self._talk is None:
            self.open()

    async def connect_check_health(self, check_health: bool = True, retry_socket_connect: bool = True) -> None:
        await self.connect()

    def _drop(self) -> None:
        talk, self._talk = getattr(self, "_talk", None), None
        if talk is not None:
            talk.close()

    async def disconnect(self, *args: Any, **others: Any) -> None:
        self._drop()

    def __del__(self, *_: Any) -> None:
        self._drop()

    async def check_health(self) -> None:
        """There is nothing between the two ends that could break."""

    # -- commands and replies ------------------------------------------------------------

    async def send_command(self, *args: Any, **kwargs: Any) -> None:
        """Run a command line. Its reply, or the wait for it, is for `read_response`."""
        if args[0] in PUSHED:
            raise no_pushes(args[0])
        self._send((self._words.argv(args),))

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        """Run command lines, as one transaction of the file."""
        self._send(unpacked(command))

    async def can_read_destructive(self) -> bool:
        return self._talk is not None and bool(self._talk.replies)

    async def read_response(
        self,
        disable_decoding: bool = False,
        timeout: float | None = None,
        *,
        disconnect_on_error: bool = True,
        push_request: bool | None = False,
        **others: Any,
    ) -> Any:
        """The next reply as a value; waits for it. Raises the exception that redis-py has for an error.

        None when there is none after `timeout` seconds.
        """
        talk = self._talk
        if talk is None:
            raise ConnectionError("there is no session to read from")
        try:
            if not talk.replies:
                try:
                    async with asyncio.timeout(timeout):
                        await self._wait(talk)
                except TimeoutError:
                    return None
            values = self._raw if disable_decoding else self._values
            value = values.value(talk.replies.popleft())
        except BaseException:
            if disconnect_on_error:
                self._drop()
            raise
        if isinstance(value, ResponseError):
            try:
                raise value
            finally:
                del value  # an exception that knows its frame, and is known by it, would live until the next collection
        return value

    async def _wait(self, talk: Talk) -> None:
        self._loop = asyncio.get_running_loop()
        event = self._event = asyncio.Event()
        try:
            while True:
                event.clear()
                seconds = self._shared.tend(talk)
                if talk.replies:
                    return
                if talk.wait is None:
                    raise ConnectionError(CLOSED if talk.closed else "nothing was asked, so there is nothing to read")
                with suppress(TimeoutError):
                    async with asyncio.timeout(seconds):
                        await event.wait()
        finally:
            self._event = None

    def _nudge(self) -> None:
        """From any thread: whoever waits is to look again. Whoever does not yet will look anyway."""
        event, loop = self._event, self._loop
        if event is not None and loop is not None:
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(event.set)


class Pool(ConnectionPool):
    """Connections that are sessions of one engine."""

    def __init__(self, shared: Shared, **settings: Any) -> None:
        self._shared = shared
        connections: Any = Connection
        super().__init__(connection_class=connections, shared=shared, **settings)

    # As redis-py's, without the measuring and the probing of streams, which cost more than most commands.

    def take(self) -> Any:
        """A connection that is ready. Raises OpenError."""
        connection = self.get_available_connection()  # type: ignore[no-untyped-call]
        if not connection.is_ready:
            try:
                connection._drop()
                connection.open()
            except BaseException:
                self.put_back(connection)
                raise
        return connection

    def put_back(self, connection: Any) -> None:
        if connection in self._in_use_connections:  # else it was put back when the client was closed
            self._in_use_connections.remove(connection)
            self._available_connections.append(connection)

    async def get_connection(self, command_name: Any = None, *keys: Any, **options: Any) -> Any:
        return self.take()

    async def release(self, connection: Any) -> None:
        self.put_back(connection)

    async def disconnect(self, inuse_connections: bool = True) -> None:
        """End the sessions. A file is closed; a memory stays, for whoever goes on with the client."""
        await super().disconnect(inuse_connections)
        self._shared.rest()


class Client(redis.asyncio.Redis):
    """redis-py's client; a command takes no detour over retries, which there is no use for."""

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        pool = self.connection_pool
        if self.single_connection_client or not isinstance(pool, Pool):
            return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        connection = pool.take()
        try:
            await connection.send_command(*args)
            return await self.parse_response(connection, args[0], **options)
        finally:
            pool.put_back(connection)
