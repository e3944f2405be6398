"""A connection between a client and a server that can be spoiled on purpose, at an exact byte."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

from tests.remote.processes import Port

_CHUNK = 1 << 16


class Proxy:
    """Passes everything on, until told otherwise; listens on `port` of 127.0.0.1.

    `up` and `down` count the bytes passed on to the server and to the client, `sent` keeps those to the server,
    `connections` counts how often a client has come. What is arranged holds for connections to come as well.
    """

    def __init__(self, target: int | str) -> None:
        self._target = target  # a port, or the path of a unix socket
        self._place = Port()
        self.port = self._place.number
        self.connections = 0
        self.up = self.down = 0
        self.sent = bytearray()
        self._lock = threading.Lock()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._cut: tuple[bool, int] | None = None  # down or up, and how many bytes still pass
        self._stall: tuple[bool, int] | None = None
        self._flows = threading.Event()
        self._flows.set()
        self._delay = 0.0
        self._instead: bytes | None = None
        self.was_cut = threading.Event()
        self._door: socket.socket | None = None
        self.admit()

    # -- what can be arranged ---------------------------------------------------------------

    def cut(self, after: int = 0, *, down: bool) -> None:
        """Ends the connection when that many more bytes have passed to the client (down) or to the server.

        0: with the next bytes that come, none of which pass. `was_cut` is set when it has happened; it happens once.
        """
        with self._lock:
            self.was_cut.clear()
            self._cut = (down, after)

    def stall(self, after: int = 0, *, down: bool) -> None:
        """Holds everything back, in both directions, when that many more bytes have passed; until `release`."""
        with self._lock:
            self._stall = (down, after)

    def delay(self, seconds: float) -> None:
        """Every piece to the client waits so long. 0: no more."""
        self._delay = seconds

    def garble(self, instead: bytes) -> None:
        """The next piece to the client is replaced by this."""
        with self._lock:
            self._instead = instead

    def release(self) -> None:
        """Nothing is arranged any more: no cut, stall, delay or replacement."""
        with self._lock:
            self._cut = self._stall = self._instead = None
            self._delay = 0.0
        self._flows.set()

    def drop(self) -> None:
        """Ends every connection there is, now."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            _shut(*pair)

    def refuse(self) -> None:
        """Ends every connection and lets none in: the port is closed. `admit` opens it again."""
        if self._door is not None:
            _shut(self._door)
            self._door.close()
            self._door = None
        self.drop()

    def admit(self) -> None:
        """Listens (again)."""
        if self._door is None:
            door = socket.socket()
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            door.bind(("127.0.0.1", self.port))
            door.listen(64)
            self._door = door
            threading.Thread(target=self._let_in, args=(door,), daemon=True).start()

    def close(self) -> None:
        self.refuse()
        self.release()
        self._place.release()

    # -- how it works ---------------------------------------------------------------------------

    def _let_in(self, door: socket.socket) -> None:
        while True:
            try:
                client, _ = door.accept()
            except OSError:
                return
            try:
                server = _to(self._target)
            except OSError:
                client.close()
                continue
            with self._lock:
                self.connections += 1
                self._pairs.append((client, server))
            for down in (False, True):
                threading.Thread(target=self._pass, args=(client, server, down), daemon=True).start()

    def _pass(self, client: socket.socket, server: socket.socket, down: bool) -> None:
        """One direction of one connection, to its end; the last of the two to end closes the sockets."""
        source, sink = (server, client) if down else (client, server)
        with contextlib.suppress(OSError):
            while data := source.recv(_CHUNK):
                if down and self._delay:
                    time.sleep(self._delay)
                if not self._hand_on(data, sink, down):
                    break
        _shut(client, server)
        with self._lock:
            if (client, server) in self._pairs:
                self._pairs.remove((client, server))

    def _hand_on(self, data: bytes, sink: socket.socket, down: bool) -> bool:
        """Passes on what may pass; False when this connection is to end."""
        self._flows.wait()
        with self._lock:
            if down and self._instead is not None:
                data, self._instead = self._instead, None
            ends, self._cut, data, _ = _divided(self._cut, data, down)
            holds, self._stall, data, rest = _divided(self._stall, data, down)
            if holds:
                self._flows.clear()
        self._count(data, down)
        sink.sendall(data)
        if rest:
            self._flows.wait()
            self._count(rest, down)
            sink.sendall(rest)
        if ends:
            self.was_cut.set()
        return not ends

    def _count(self, data: bytes, down: bool) -> None:
        with self._lock:
            if down:
                self.down += len(data)
            else:
                self.up += len(data)
                self.sent += data


def _divided(
    arranged: tuple[bool, int] | None, data: bytes, down: bool
) -> tuple[bool, tuple[bool, int] | None, bytes, bytes]:
    """Is it time, what is arranged from now on, and the data on both sides of that moment."""
    if arranged is None or arranged[0] != down:
        return False, arranged, data, b""
    left = arranged[1]
    if len(data) < left:
        return False, (down, left - len(data)), data, b""
    return True, None, data[:left], data[left:]


def _to(target: int | str) -> socket.socket:
    if isinstance(target, int):
        return socket.create_connection(("127.0.0.1", target))
    server = socket.socket(socket.AF_UNIX)
    server.connect(target)
    return server


def _shut(*sockets: socket.socket) -> None:
    """Both ends learn of it; a thread that waits in recv or accept wakes up."""
    for one in sockets:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
