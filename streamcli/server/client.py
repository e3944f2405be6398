"""One connection: bytes in, commands to the server, replies out, in order.

While a client waits for a stream, or does not read what it has been sent,
nothing more of it is run. Does not know what a command does.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from streamcli import errors
from streamcli.engine import Wait
from streamcli.reply import Error, Reply
from streamcli.resp import Encoded, encode
from streamcli.server.requests import RequestError, Requests

if TYPE_CHECKING:
    from streamcli.server.server import Server
    from streamcli.server.session import ServedSession

_BATCH = 512  # commands that are one transaction
_TURN_SECONDS = 0.02  # after that others have theirs
_AHEAD = 1024**2  # bytes that are read of a client that waits
_LAST_WORDS_SECONDS = 5  # that a client has to read what it is sent before the connection is closed
_ARRIVING = memoryview(bytearray(256 * 1024))  # of all clients: each empties it at once
_BROWSERS = frozenset((b"host:", b"post"))  # Redis: a web page that was tricked into talking to us


class Client(asyncio.BufferedProtocol):
    """Belongs to one Server; `session` is what the engine knows of it, None when the server is full."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.session: ServedSession | None = None
        self.requests = Requests()
        self.queue: deque[list[bytes]] = deque()
        self.replies: list[bytes] = []  # of the batch that runs
        self.wait: Wait | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.place = 0  # in the row of those who wait
        self.silent = False  # CLIENT REPLY OFF
        self.skips = 0
        self.leaving = False  # when what it was sent is sent
        self.closing = False
        self.flooded = False  # its replies are too much: it is sent nothing more, and closed
        self.began = self.active = time.monotonic()
        self.address = self.local = ""
        self.unix = False
        self.file = -1
        self._paused = False
        self._running = False
        self._listens = True
        self._collected = 0  # bytes of replies that are not yet given to the transport
        self._kept = 0  # of those of the transaction that runs
        self._next_turn: asyncio.Handle | None = None
        self._soft: asyncio.TimerHandle | None = None  # it is above the soft limit of what it has not read
        self._broken: RequestError | None = None
        self._patience: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None

    @property
    def monitored_as(self) -> str:
        return "unix:" + self.address.removesuffix(":0") if self.unix else self.address

    @property
    def unsent(self) -> int:
        """Bytes that the client has not taken yet."""
        return self._transport.get_write_buffer_size() if self._transport is not None else 0

    @property
    def unrun(self) -> int:
        """Bytes that it has sent and that are not run yet; what waits for EXEC is not among them."""
        return self.requests.size + sum([sum(map(len, words)) for words in self.queue])

    @property
    def waiting(self) -> int:
        """Bytes of the command that waits."""
        return 0 if self.wait is None else sum(map(len, self.wait.argv))

    @property
    def memory(self) -> int:
        """Bytes that are kept for it."""
        queued = 0 if self.session is None else self.session.queue_bytes
        return self.unrun + self.waiting + queued + self.unsent

    # -- asyncio's side ----------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        connection = transport.get_extra_info("socket")
        self.unix = connection is not None and connection.family == getattr(socket, "AF_UNIX", None)
        self.file = connection.fileno() if connection is not None else -1
        self.address = _name(transport.get_extra_info("peername")) or _name(transport.get_extra_info("sockname"))
        self.local = _name(transport.get_extra_info("sockname"))
        if not self.unix:
            with suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self.limits_changed()
        self.server.arrived(self)

    def limits_changed(self) -> None:
        self.requests.bulk_max = self.server.limits.bulk
        if self._transport is not None:
            self._transport.set_write_buffer_limits(high=self.server.limits.unread)

    def get_buffer(self, sizehint: int) -> memoryview:
        return _ARRIVING  # what is in it is copied before anybody else's turn

    def buffer_updated(self, nbytes: int) -> None:
        self.heard(bytes(_ARRIVING[:nbytes]))

    def heard(self, data: bytes) -> None:
        """Some bytes have arrived."""
        if self.closing:
            return
        self.active = time.monotonic()
        statistics = self.server.statistics
        statistics.bytes_in += len(data)
        statistics.reads += 1
        requests, session = self.requests, self.session
        if session is not None and session.authenticated and not self.queue:
            request = requests.alone(data)
            if request is not None:
                if not (self._running or self._paused or self.wait is not None):
                    self._run_alone(request)
                    return
                self._take(request)
        else:
            requests.feed(data)
        kept = session.queue_bytes if session is not None else 0
        if requests.size + kept > self.server.limits.query:  # all of it, as it is before any of it is run
            statistics.too_long_queries += 1
            self.server.complain(self, "it has sent more than client-query-buffer-limit")
            self.abort()
            return
        self.go_on()

    def eof_received(self) -> bool:
        return False  # what it has asked for and cannot hear any more is not run

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self.closing = True
        for handle in (self._patience, self._soft, self._next_turn):
            if handle is not None:
                handle.cancel()
        self.server.left(self)

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._stop_soft()
        self.go_on()

    # -- commands ------------------------------------------------------------------------

    def go_on(self) -> None:
        """Run what has arrived, as far as this client may."""
        if self._running or self._next_turn is not None:
            return
        self._running = True
        ends = time.monotonic() + _TURN_SECONDS
        try:
            while not (self.closing or self._paused or self.wait is not None):
                if not self.queue:
                    self._fill()
                if not self.queue:
                    break
                self.server.run(self)
                if self.leaving:
                    self.close()
                if not (self.queue or self.requests.size):
                    break
                if time.monotonic() > ends:
                    self._next_turn = asyncio.get_running_loop().call_soon(self._have_turn)
                    break
            if self._broken is not None and not (self.queue or self.closing or self._paused or self.wait is not None):
                self.send(Error(str(self._broken)))
                self.flush()
                self.close()
        finally:
            self._running = False
        wanted = not self._paused and (self.wait is None or self.requests.size < _AHEAD) and self._next_turn is None
        if wanted is not self._listens:
            self._listen(wanted)
        if self._patience is None and self.wait is None and not (self._paused or self.closing) and self.requests.begun:
            self._be_patient()

    def _have_turn(self) -> None:
        self._next_turn = None
        self.go_on()

    def _run_alone(self, request: list[bytes]) -> None:
        """Nothing is before it, and nothing behind."""
        if request[0].lower() in _BROWSERS:
            self._take(request)
            return
        self._running = True
        try:
            self.server.run_alone(self, request)
        finally:
            self._running = False
        if self.leaving:
            self.close()
        if self._paused and self._listens:
            self._listen(False)

    def _fill(self) -> None:
        """Take commands from what has arrived."""
        requests, queue = self.requests, self.queue
        session = self.session
        if session is None or self._broken is not None:
            return
        requests.stranger = not session.authenticated
        most = 1 if requests.stranger else _BATCH  # the next one may be let in
        try:
            while len(queue) < most and not self.closing:
                request = requests.next()
                if request is None:
                    return
                self._take(request)
        except RequestError as error:
            self._broken = error

    def _take(self, request: list[bytes]) -> None:
        if len(request[0]) < 6 and request[0].lower() in _BROWSERS:  # it may be a long word
            self.server.complain(self, "it speaks HTTP, and may be a web page that attacks")
            self.abort()
        elif not self.closing:
            self.queue.append(request)

    def _listen(self, wanted: bool) -> None:
        """Read from the client, or let it wait: what it sends then stays with it."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        self._listens = wanted
        if wanted:
            transport.resume_reading()
        else:
            transport.pause_reading()

    def _be_patient(self) -> None:
        """Half a request is waited for, but not for ever."""
        self._patience = asyncio.get_running_loop().call_later(self.server.limits.patience, self._look_again)

    def _look_again(self) -> None:
        self._patience = None
        if not self.requests.begun or self.closing or self._next_turn is not None:
            return
        if self.wait is not None or self._paused:
            return
        if time.monotonic() - self.active < self.server.limits.patience:
            self._be_patient()
            return
        self.server.complain(self, "it has sent half a request and nothing more")
        self.send(errors.HALF_A_REQUEST)
        self.flush()
        self.close()

    # -- replies -------------------------------------------------------------------------

    def send(self, reply: Reply) -> int:
        """Put a reply behind the others: its size. `flush` sends them."""
        self._kept = 0
        if self.skips or self.silent or self.flooded:
            self.skips = max(0, self.skips - 1)
            self.replies.append(b"")  # one for each command, see `Server._undone`
            return 0
        data = encode(reply, self.session.protocol if self.session is not None else 2)
        self._collected += len(data)
        if self._collected >= self.server.limits.output > 0:
            self._flood()
            data = b""
        self.replies.append(data)
        return len(data)

    def encoded(self, reply: Reply) -> Encoded:
        """A reply as it will be part of another one; nothing, once they are too much."""
        data = b"" if self.flooded else encode(reply, self.session.protocol if self.session is not None else 2)
        self._kept += len(data)
        if self._collected + self._kept >= self.server.limits.output > 0:
            data = b""
            if not (self.skips or self.silent):
                self._flood()
        return Encoded(data)

    def _flood(self) -> None:
        """Redis: what a client does not get to hear is done all the same, up to the end of the transaction."""
        self.flooded = True
        self.replies[:] = [b""] * len(self.replies)

    def push(self, data: bytes) -> None:
        """Send what is no reply, whatever it is that the client wants to hear."""
        self.replies.append(data)
        self.flush()

    def flush(self) -> None:
        if not self.replies:
            return
        data = b"".join(self.replies) if len(self.replies) > 1 else self.replies[0]
        self.replies.clear()
        self._collected = 0
        if self._transport is None:
            return
        if self.flooded:
            self._drown()
            return
        if not data or self._transport.is_closing():  # asyncio would tell the operator of each write to who has gone
            return
        statistics = self.server.statistics
        statistics.bytes_out += len(data)
        statistics.writes += 1
        if self._soft is not None:
            self._look_at_unread()
        self._transport.write(data)
        if self._paused:
            self._look_at_unread()

    def _look_at_unread(self) -> None:
        """Is it more than the client may leave unread, at all or for so long?"""
        limits, unsent = self.server.limits, self.unsent
        soft, seconds = limits.soft_output
        if unsent >= limits.output > 0:
            self._drown()
        elif not unsent >= soft > 0:
            self._stop_soft()
        elif self._soft is None:
            self._soft = asyncio.get_running_loop().call_later(seconds, self._soft_is_over)

    def _stop_soft(self) -> None:
        if self._soft is not None:
            self._soft.cancel()
            self._soft = None

    def _soft_is_over(self) -> None:
        self._soft = None
        soft, seconds = self.server.limits.soft_output
        if self.unsent >= soft > 0:
            self._drown(f"more than {soft} bytes of replies have waited for it for {seconds} s")

    def _drown(self, why: str = "") -> None:
        """Close a client that would be sent more than there is room for."""
        most = self.server.limits.output
        self.server.statistics.too_long_outputs += 1
        self.server.complain(self, why or f"its replies are more than client-output-buffer-limit allows ({most} bytes)")
        self.abort()

    def close(self) -> None:
        """Hang up when all is sent, or nobody reads it."""
        self.closing = True
        transport = self._transport
        if transport is not None:
            transport.close()
            if transport.get_write_buffer_size():
                asyncio.get_running_loop().call_later(_LAST_WORDS_SECONDS, transport.abort)

    def abort(self) -> None:
        """Hang up now."""
        self.closing = True
        self.queue.clear()
        if self._transport is not None:
            self._transport.abort()


def _name(value: object) -> str:
    """`127.0.0.1:6379`; of a unix socket its path and a nought, as Redis has it."""
    if isinstance(value, tuple):
        host, port = value[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    text = value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value or "")
    return f"{text}:0" if text else ""
