"""redis-py's client, for threads: its connections are sessions of an engine in this process."""

from __future__ import annotations

import os
import threading
from typing import Any

import redis
from redis.connection import AbstractConnection, ConnectionPool
from redis.exceptions import ConnectionError, ResponseError

from streamcli.client.greeting import PUSHED, no_pushes, unmaintained, unpacked
from streamcli.client.sending import Sender
from streamcli.client.shared import CLOSED, Shared, Talk
from streamcli.client.values import Values, Words, decoder

_MAIN_SECONDS = 0.1  # the main thread waits no longer at a stretch


class Connection(Sender, AbstractConnection):
    """A session in place of a socket. One thread at a time uses it, as any connection of redis-py."""

    def __init__(self, *, shared: Shared, **settings: Any) -> None:
        self._shared = shared
        self._talk: Talk | None = None
        self._event = threading.Event()
        super().__init__(**settings)
        self._words = Words(self.encoder)
        self._raw = Values(self.protocol, None)
        self._values = Values(self.protocol, decoder(self.encoder))

    # -- beginning and end --------------------------------------------------------------

    def connect(self) -> None:
        """Open a session, unless there is one. Raises OpenError."""
        if self._talk is None:
            self.open()

    def connect_check_health(self, check_health: bool = True, retry_socket_connect: bool = True) -> None:
        self.connect()

    def _nudge(self) -> None:
        self._event.set()

    def _drop(self) -> None:
        talk, self._talk = getattr(self, "_talk", None), None
        if talk is not None and self.pid == os.getpid():
            talk.close()

    def disconnect(self, *args: Any, **kwargs: Any) -> None:
        """End the session, see `Sender`; after a fork it is the other process's."""
        self._drop()

    def check_health(self) -> None:
        """There is nothing between the two ends that could break."""

    # -- commands and replies ------------------------------------------------------------

    def send_command(self, *args: Any, **kwargs: Any) -> None:
        """Run a command line. Its reply, or the wait for it, is for `read_response`."""
        if args[0] in PUSHED:
            raise no_pushes(args[0])
        self._send((self._words.argv(args),))

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        """Run command lines, as one transaction of the file."""
        self._send(unpacked(command))

    def can_read(self, timeout: float | None = 0) -> bool:
        """Is there a reply? Waits for one, `timeout` seconds at most, None: without an end."""
        talk = self._talk
        if talk is not None and talk.wait is not None:
            self._event.clear()
            self._shared.tend(talk)
            if not talk.replies and timeout != 0:
                self._event.wait(timeout)
                self._shared.tend(talk)
        return talk is not None and bool(talk.replies)

    def read_response(
        self,
        disable_decoding: bool = False,
        *,
        disconnect_on_error: bool = True,
        push_request: bool | None = False,
        **others: Any,
    ) -> Any:
        """The next reply as a value; waits for it. Raises the exception that redis-py has for an error."""
        talk = self._talk
        if talk is None:
            raise ConnectionError("there is no session to read from")
        try:
            if not talk.replies:
                self._wait(talk)
            values = self._raw if disable_decoding else self._values
            value = values.value(talk.replies.popleft())
        except BaseException:
            if disconnect_on_error:
                self.disconnect()
            raise
        if isinstance(value, ResponseError):
            try:
                raise value
            finally:
                del value  # an exception that knows its frame, and is known by it, would live until the next collection
        return value

    def _wait(self, talk: Talk) -> None:
        event = self._event
        # An interruption that is no signal (`_thread.interrupt_main`, a debugger's) does not end a wait for a lock.
        most = _MAIN_SECONDS if threading.current_thread() is threading.main_thread() else None
        while True:
            event.clear()
            seconds = self._shared.tend(talk)
            if talk.replies:
                return
            if talk.wait is None:
                raise ConnectionError(CLOSED if talk.closed else "nothing was asked, so there is nothing to read")
            event.wait(most if seconds is None else seconds if most is None else min(seconds, most))


class Pool(ConnectionPool):
    """Connections that are sessions of one engine. Threads may share it."""

    def __init__(self, shared: Shared, **settings: Any) -> None:
        self._shared = shared
        super().__init__(connection_class=Connection, shared=shared, **settings, **unmaintained())

    # As redis-py's, without the measuring and the probing of sockets, which cost more than most commands.

    def get_connection(self, command_name: Any = None, *keys: Any, **options: Any) -> Any:
        if self.pid != os.getpid():
            self._checkpid()
        with self._lock:
            free: list[Any] = self._available_connections
            connection: Any = free.pop() if free else self.make_connection()
            self._in_use_connections.add(connection)
        if not connection.is_ready:
            try:
                connection.disconnect()
                connection.connect()
            except BaseException:
                self.release(connection)
                raise
        return connection

    def release(self, connection: Any) -> None:
        if self.pid != os.getpid():
            self._checkpid()
        with self._lock:
            if connection in self._in_use_connections:
                self._in_use_connections.remove(connection)
                if connection.pid == self.pid:
                    self._available_connections.append(connection)

    def disconnect(self, inuse_connections: bool = True) -> None:
        """End the sessions. A file is closed; a memory stays, for whoever goes on with the client."""
        super().disconnect(inuse_connections)
        self._shared.rest()


class Client(redis.Redis):
    """redis-py's client; a command takes no detour over retries, which there is no use for."""

    def execute_command(self, *args: Any, **options: Any) -> Any:
        if self.connection is not None:
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        pool: Any = self.connection_pool
        connection = pool.get_connection()
        try:
            connection.send_command(*args)
            if options:
                return self.parse_response(connection, args[0], **options)  # type: ignore[no-untyped-call]
            value = connection.read_response()
        finally:
            pool.release(connection)
        callbacks: Any = self.response_callbacks
        callback = callbacks.get(args[0])  # as parse_response does without options
        return value if callback is None else callback(value)
