"""One connection to a server: bytes out, replies in.

redis-py opens it (`door`), our Reader reads it, because redis-py's parsers lose
what a shell has to show. A Link knows how to greet a server and that a
connection can break; not what a command means. After it broke it is closed, and
says so; nothing is ever sent again by itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Iterator
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from streamcli.backend import LostError, Server, UnreachableError
from streamcli.backend.address import Address
from streamcli.reply import Push, Reply
from streamcli.resp import ProtocolError, Reader, encode_command

if TYPE_CHECKING:
    import socket

_TICK_SECONDS = 0.1
_READ_BYTES = 256 * 1024
_READS_MOST = 64
_ARRIVING = 1000  # items; an array of fewer comes whole
NOTHING: Final = object()


class Link:
    """`at` is where it is open: of an address behind Sentinel, the one that was found."""

    def __init__(self, address: Address) -> None:
        self.address = self.at = address
        self.protocol = 2
        self.server: Server | None = None
        self.id: int | None = None  # the server's number for it
        self.strange = False  # it wants a password before it says anything
        self.on_push: Callable[[Push], None] | None = None
        self.is_open = False
        self._carrier: Any = None
        self._socket: socket.socket | None = None
        self._reader = Reader()
        self._read = 0  # bytes, ever

    # -- opening and closing ------------------------------------------------------------

    def open(self, tick: Callable[[int], None] | None = None) -> None:
        """Connect and greet. `tick` hears how many ms it has taken. Raises UnreachableError, and what `tick` raises."""
        if not self.address.sentinels:
            self.open_at(self.address, tick)
            return
        from streamcli.backend.remote.sentinel import open_through

        open_through(self, tick)

    def open_at(self, at: Address, tick: Callable[[int], None] | None = None) -> None:
        """The same, at the address that was found."""
        from streamcli.backend.remote import door

        self.close()
        began = time.monotonic()
        self.at = at
        self._reader = Reader()
        self._carrier, self._socket = door.opened(
            self.at, None if tick is None else lambda: tick(int((time.monotonic() - began) * 1000))
        )
        self._socket.settimeout(_TICK_SECONDS)
        self.is_open = True
        try:
            self._greet(tick)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Nothing more comes from it. It may be opened again."""
        carrier, self._carrier, self._socket, self.is_open = self._carrier, None, None, False
        if carrier is not None:
            from streamcli.backend.remote import door

            door.close(carrier)

    def _greet(self, tick: Callable[[int], None] | None) -> None:
        from streamcli.backend.remote.greeting import greet

        limit = self.at.connect_timeout
        try:
            greeting = greet(self.at, lambda *words: self._ask(words, tick, limit))
        except _SilentError:
            from streamcli.backend.remote.faults import no_answer

            raise UnreachableError(no_answer(str(self.at), limit, tls=False)) from None
        except _BrokenError as error:
            from streamcli.backend.remote import faults

            broken = error.cause
            if self.at.tls is not None and not isinstance(broken, ProtocolError):
                raise UnreachableError(faults.unwelcome(str(self.at))) from None
            reason = faults.closed(str(self.at), self.at) if broken is None else _garbled(self.at, broken)
            raise UnreachableError(reason) from None
        self.protocol, self.server, self.id = greeting.protocol, greeting.server, greeting.id
        self.strange = not greeting.welcome

    def introduce(self, address: Address, tick: Callable[[int], None] | None = None) -> None:
        """Greet once more, after an AUTH that was the user's own. Raises UnreachableError, and is closed then."""
        self.at = self.at._replace(user=None, password=None, db=address.db, protocol=address.protocol)
        try:
            self._greet(tick)
        except BaseException:
            self.close()
            raise

    def _ask(self, words: tuple[str, ...], tick: Callable[[int], None] | None, limit: float | None) -> Reply:
        self._send(encode_command([word.encode("utf-8", "surrogateescape") for word in words]))
        return self._receive(tick, limit)

    def role(self) -> str:
        """What it says that it is: "master", "slave" or "replica"; "" for nothing. Raises UnreachableError."""
        if self.server is not None and self.server.role:
            return self.server.role
        try:
            reply = self._ask(("ROLE",), None, self.at.connect_timeout)
        except (_BrokenError, _SilentError) as error:
            raise UnreachableError(str(self._lost(error))) from None
        word = reply[0] if isinstance(reply, list) and reply else b""
        return word.decode("ascii", "replace") if isinstance(word, bytes) else ""

    # -- the session's part ---------------------------------------------------------------

    def is_alive(self) -> bool:
        """True when a command can be sent; what the server has said meanwhile is heard first."""
        if self._socket is None:
            return False
        try:
            self._socket.settimeout(0)
            for _ in range(_READS_MOST):  # whoever floods us does not keep us from sending
                data = self._socket.recv(_READ_BYTES)
                if not data:
                    self.close()
                    return False
                self._reader.feed(data)
        except OSError as error:
            from ssl import SSLWantReadError

            if not isinstance(error, (BlockingIOError, SSLWantReadError)):
                self.close()
                return False
        self._socket.settimeout(_TICK_SECONDS)
        try:
            for reply in self._reader:
                if not isinstance(reply, Push):
                    raise ProtocolError("an answer to nothing")
                self._pushed(reply)
        except ProtocolError:
            self.close()
            return False
        return True

    def send(self, data: bytes) -> None:
        """Send all of it; what arrives meanwhile is kept for `receive`. Raises LostError."""
        try:
            self._send(data)
        except (_BrokenError, _SilentError) as error:
            with suppress(_BrokenError):  # what it has said before that is heard
                for _ in range(_READS_MOST):
                    if not self._fill_now():
                        break
            raise self._lost(error) from None

    def receive(
        self,
        tick: Callable[[int], None] | None = None,
        *,
        limit: float | None = None,
        arriving: bool = False,
        pushes: Container[bytes] = (),
        most: int | None = None,
    ) -> Reply:
        """The next reply. `tick` hears some ten times a second how many ms it has taken; what it raises comes out.

        A push is told to `on_push`, unless its kind is one of `pushes`: then it
        is the reply. After `limit` seconds or `most` bytes, and whenever the
        connection breaks, the link is closed. Raises LostError.
        """
        try:
            return self._receive(tick, limit, arriving, pushes, most)
        except (_BrokenError, _SilentError) as error:
            raise self._lost(error) from None

    def next_arrived(self, *, arriving: bool = False) -> object:
        """The next reply if it is here, as `receive` gives it; else NOTHING. Raises LostError."""
        try:
            return self._next(arriving, ())
        except ProtocolError as error:
            raise self._lost(_BrokenError(error)) from None

    def arrived(self) -> Iterator[Reply]:
        """The replies that are here, each whole. Raises LostError."""
        try:
            for reply in self._reader:
                if isinstance(reply, Push):
                    self._pushed(reply)
                else:
                    yield reply
        except ProtocolError as error:
            raise self._lost(_BrokenError(error)) from None

    def receive_these(self, expected: bytes, tick: Callable[[int], None] | None = None, *, limit: float | None) -> bool:
        """Is this what comes next, byte for byte? Then it is taken; else nothing is. As `receive` in all else."""
        if not expected:
            return False

        def look() -> object:
            comes = self._reader.take(expected)
            return NOTHING if comes is None else comes

        try:
            return bool(self._wait(look, tick, limit, None))
        except (_BrokenError, _SilentError) as error:
            raise self._lost(error) from None

    def left(self, most: int) -> list[Reply]:
        """The replies, so many at most, that had come before the connection was lost."""
        replies: list[Reply] = []
        with suppress(ProtocolError):
            replies.extend(islice((reply for reply in self._reader if not isinstance(reply, Push)), most))
        return replies

    def arrived_strings(self, most: int) -> list[bytes]:
        """The next replies, `most` at most, if they are here and all are strings; else none."""
        return self._reader.strings(most)

    def glance(self) -> object:
        """The next reply if all of it is here or has reached this machine; else NOTHING. Raises LostError."""
        try:
            found = self._next(False, ())
            while found is NOTHING and self._fill_now():
                found = self._next(False, ())
        except ProtocolError as error:
            raise self._lost(_BrokenError(error)) from None
        except _BrokenError as error:
            raise self._lost(error) from None
        return found

    def fileno(self) -> int:
        """For `select`, after `glance` has found nothing; -1 when it is closed."""
        return -1 if self._socket is None else self._socket.fileno()

    # -- bytes ----------------------------------------------------------------------------

    def _lost(self, error: _BrokenError | _SilentError) -> LostError:
        from streamcli.backend.remote import faults

        self.close()
        if isinstance(error, _SilentError):
            return LostError(f"no reply from {self.at} within {error.seconds:g} s")
        if isinstance(error.cause, ProtocolError):
            return LostError(f"{self.at} sent something that is no reply ({faults.one_line(error.cause)})")
        reason = "closed by the server" if error.cause is None else faults.lost(error.cause)
        return LostError(f"the connection to {self.at} was lost ({reason})")

    def _send(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            if self._socket is None:
                raise _BrokenError(None)
            try:
                left = left[self._socket.send(left) :]
            except TimeoutError:  # the server does not read; it may be that it waits for us to
                self._fill()
            except OSError as error:
                raise _BrokenError(error) from None

    def _fill(self) -> bool:
        """Read what is there, waiting a moment for it; False when there was nothing."""
        if self._socket is None:
            raise _BrokenError(None)
        try:
            data = self._socket.recv(_READ_BYTES)
        except TimeoutError:
            return False
        except OSError as error:
            raise _BrokenError(error) from None
        if not data:
            raise _BrokenError(None)
        self._reader.feed(data)
        self._read += len(data)
        return True

    def _fill_now(self) -> bool:
        """The same without waiting."""
        if self._socket is None:
            raise _BrokenError(None)
        from ssl import SSLWantReadError

        self._socket.settimeout(0)
        try:
            data = self._socket.recv(_READ_BYTES)
        except (BlockingIOError, SSLWantReadError):
            return False
        except OSError as error:
            raise _BrokenError(error) from None
        finally:
            self._socket.settimeout(_TICK_SECONDS)
        if not data:
            raise _BrokenError(None)
        self._reader.feed(data)
        return True

    def _receive(
        self,
        tick: Callable[[int], None] | None,
        limit: float | None,
        arriving: bool = False,
        pushes: Container[bytes] = (),
        most: int | None = None,
    ) -> Reply:
        return self._wait(lambda: self._next(arriving, pushes), tick, limit, most)  # type: ignore[return-value]

    def _wait(
        self, look: Callable[[], object], tick: Callable[[int], None] | None, limit: float | None, most: int | None
    ) -> object:
        """What `look` finds, as soon as it is not NOTHING."""
        began = ticked = 0.0
        while True:
            try:
                found = look()
            except ProtocolError as error:
                raise _BrokenError(error) from None
            if found is not NOTHING:
                return found
            if not began:
                began = ticked = time.monotonic()
                last = self._read + most if most is not None else None
            self._fill()
            now = time.monotonic()  # looked at even when something came: a trickle is no reply
            if limit is not None and now - began >= limit:
                raise _SilentError(limit)
            if last is not None and self._read > last:
                raise _BrokenError(ProtocolError(f"more than {most} bytes"))
            if tick is not None and now - ticked >= _TICK_SECONDS * 0.9:
                ticked = now
                tick(int((now - began) * 1000))

    def _next(self, arriving: bool, pushes: Container[bytes]) -> object:
        """A reply that is complete, or that may be taken as it arrives; NOTHING when there is none yet."""
        if arriving:
            long = self._reader.arriving(_ARRIVING, self._more, lambda error: self._lost(_BrokenError(error)))
            if long is not None:
                return long
        for reply in self._reader:
            if not isinstance(reply, Push) or (reply.items and reply.items[0] in pushes):
                return reply
            self._pushed(reply)
        return NOTHING

    def _more(self) -> None:
        """For an Arriving. Raises LostError."""
        limit = self.at.timeout
        began = time.monotonic()
        try:
            while not self._fill():
                if limit is not None and time.monotonic() - began >= limit:
                    raise _SilentError(limit)
        except (_BrokenError, _SilentError) as error:
            raise self._lost(error) from None

    def _pushed(self, push: Push) -> None:
        if self.on_push is not None:
            self.on_push(push)


class _BrokenError(Exception):
    """The connection is of no use any more; `cause` None is the other side hanging up."""

    def __init__(self, cause: Exception | None) -> None:
        super().__init__()
        self.cause = cause


class _SilentError(Exception):
    """Nothing came in time."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


def _garbled(address: Address, error: Exception) -> str:
    from streamcli.backend.remote import faults

    if not isinstance(error, ProtocolError):
        return faults.unreachable(error, address)
    if "\\x15\\x03" in str(error):  # a TLS alert
        return f"{address} speaks TLS: use --tls, or rediss:// for redis://"
    return f"{address} does not speak the Redis protocol ({faults.one_line(error)})"
