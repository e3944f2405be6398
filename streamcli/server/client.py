"""One connection: bytes in, commands to the server, replies out, in order.

While a client waits for a stream, or does not read what it has been sent,
nothing more of it is run. Does not know what a command does.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING, cast

from streamcli.engine import Wait
from streamcli.reply import Error, Reply
from streamcli.resp import encode
from streamcli.server.requests import RequestError, Requests

if TYPE_CHECKING:
    from streamcli.engine import Session
    from streamcli.server.server import Server

_BATCH = 512  # commands that are one transaction


class Client(asyncio.Protocol):
    """Belongs to one Server; `session` is what the engine knows of it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.requests = Requests()
        self.queue: deque[list[bytes]] = deque()
        self.replies: list[bytes] = []  # of the batch that runs
        self.wait: Wait | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.place = 0  # in the row of those who wait
        self.wait_began_ms = 0
        self.no_evict = False
        self.silent = False  # CLIENT REPLY OFF
        self.skips = 0
        self.monitors = False
        self.closing = False
        self.began = self.active = time.monotonic()
        self.address = self.local = ""
        self.file = -1
        self._paused = False
        self._running = False
        self._broken: RequestError | None = None
        self._transport: asyncio.Transport | None = None
        self.session: Session | None = None

    # -- asyncio's side ----------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.address, self.local = _name(transport, "peername"), _name(transport, "sockname")
        socket = transport.get_extra_info("socket")
        self.file = socket.fileno() if socket is not None else -1
        self.server.arrived(self)

    def data_received(self, data: bytes) -> None:
        if self.closing:
            return
        self.active = time.monotonic()
        self.server.statistics.bytes_in += len(data)
        self.requests.feed(data)
        if self.requests.size > self.server.limits.query_buffer:
            self.server.complain(self, "query buffer limit")
            self.abort()
            return
        self.go_on()

    def eof_received(self) -> bool:
        return False  # what it has asked for and cannot hear any more is not run

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self.closing = True
        self.server.left(self)

    def pause_writing(self) -> None:
        self._paused = True
        if self._transport is not None and self._transport.get_write_buffer_size() > self.server.limits.output_buffer:
            self.server.complain(self, "output buffer limit")
            self.abort()

    def resume_writing(self) -> None:
        self._paused = False
        self._listen(True)
        self.go_on()

    # -- commands ------------------------------------------------------------------------

    def go_on(self) -> None:
        """Run what has arrived, as far as this client may."""
        if self._running:
            return
        self._running = True
        try:
            while not (self.closing or self._paused or self.wait is not None):
                self._fill()
                if not self.queue:
                    break
                self.server.run(self)
            if self._broken is not None and not self.queue and not self.closing and self.wait is None:
                self.send(Error(str(self._broken)))
                self.flush()
                self.close()
        finally:
            self._running = False
        self._listen(not self._paused and (self.wait is None or self.requests.size < self.server.limits.ahead))

    def _fill(self) -> None:
        """Take commands from what has arrived."""
        try:
            while len(self.queue) < _BATCH and self._broken is None:
                request = self.requests.next()
                if request is None:
                    return
                self.queue.append(request)
        except RequestError as error:
            self._broken = error

    def _listen(self, wanted: bool) -> None:
        """Read from the client, or let it wait: what it sends then stays with it."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if wanted and not transport.is_reading():
            transport.resume_reading()
        elif not wanted and transport.is_reading():
            transport.pause_reading()

    # -- replies -------------------------------------------------------------------------

    def send(self, reply: Reply) -> int:
        """Put a reply behind the others: its size. `flush` sends them."""
        if self.skips:
            self.skips -= 1
            return 0
        if self.silent:
            return 0
        data = encode(reply, self.session.protocol if self.session is not None else 2)
        self.replies.append(data)
        return len(data)

    def flush(self) -> None:
        if self.replies and self._transport is not None:
            data = b"".join(self.replies)
            self.replies.clear()
            self.server.statistics.bytes_out += len(data)
            self._transport.write(data)
            if self._transport.get_write_buffer_size() > self.server.limits.output_buffer:
                self.server.complain(self, "output buffer limit")
                self.abort()

    def forget(self) -> None:
        """What was to be sent is not true any more."""
        self.replies.clear()

    def close(self) -> None:
        """Hang up when all is sent."""
        self.closing = True
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Hang up now."""
        self.closing = True
        if self._transport is not None:
            self._transport.abort()


def _name(transport: asyncio.BaseTransport, of: str) -> str:
    """`127.0.0.1:6379`; of a unix socket its path and a nought, as Redis has it."""
    value = transport.get_extra_info(of)
    if isinstance(value, tuple):
        host, port = value[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if not value:
        value = transport.get_extra_info("sockname")
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")
    return f"{text}:0"
