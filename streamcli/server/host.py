"""What commands ask of the server: its clients, its counts, its end."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from streamcli import errors
from streamcli.engine.host import Host, Lines
from streamcli.reply import OK, Reply

if TYPE_CHECKING:
    from streamcli.engine import Session
    from streamcli.server.client import Client
    from streamcli.server.server import Server


class ServerHost(Host):
    """See `Host`."""

    def __init__(self, server: Server, password: bytes | None) -> None:
        self._server = server
        self.password = password or None
        self.port = 0
        self.bind = ""
        self.socket = ""
        self.public = False  # it can be reached from other machines

    def _client(self, session: Session) -> Client:
        return self._server.clients[session.id]

    # -- the password ----------------------------------------------------------------------

    def password_fault(self, value: bytes) -> str | None:
        """What is wrong with a new password."""
        if not value and self.public:
            return "other machines can reach this server, so it must keep a password"
        return None

    def set_password(self, value: bytes) -> None:
        self.password = value or None

    # -- CLIENT ----------------------------------------------------------------------------

    def describe(self, session: Session) -> dict[str, object] | None:
        client = self._server.clients.get(session.id)
        if client is None:
            return None
        now = time.monotonic()
        return {
            "id": session.id,
            "addr": client.address,
            "laddr": client.local,
            "fd": client.file,
            "name": session.name.decode("latin-1"),
            "age": int(now - client.began),
            "idle": int(now - client.active),
            "flags": self._flags(client, session),
            "db": session.db,
            "sub": 0,
            "psub": 0,
            "ssub": 0,
            "multi": -1 if session.collected is None else session.collected,
            "watch": session.watching,
            "qbuf": client.unrun,
            "qbuf-free": 0,
            "argv-mem": client.waiting,
            "multi-mem": session.queue_bytes,
            "rbs": 0,
            "rbp": 0,
            "obl": 0,
            "oll": 1 if client.unsent else 0,
            "omem": client.unsent,
            "tot-mem": client.memory,
            "events": "rw" if client.unsent else "r",
            "cmd": session.last_command.lower().replace(" ", "|") or "NULL",
            "user": "default",
            "redir": -1,
            "resp": session.protocol,
            "lib-name": session.library.get("lib-name", b"").decode("latin-1"),
            "lib-ver": session.library.get("lib-ver", b"").decode("latin-1"),
            "io-thread": 0,
        }

    def _flags(self, client: Client, session: Session) -> str:
        flags = (
            ("O", client in self._server.monitors),
            ("x", session.collected is not None),
            ("b", client.wait is not None),
            ("d", session.dirty),
            ("c", client.leaving),
            ("U", client.unix),
        )
        return "".join(letter for letter, is_so in flags if is_so) or "N"

    def kill(self, asker: Session, sessions: Iterable[Session]) -> int:
        killed = 0
        for session in sessions:
            client = self._server.clients.get(session.id)
            if client is None:
                continue
            killed += 1
            if session is asker:
                client.leaving = True
            else:
                client.abort()
                self._server.left(client)
        return killed

    def unblock(self, id: int, *, error: bool) -> bool:
        client = self._server.clients.get(id)
        if client is None or client.wait is None or not client.wait.keys:
            return False
        self._server.answer(client, errors.UNBLOCKED if error else client.wait.timed_out)
        return True

    def reply_mode(self, session: Session, mode: str) -> Reply:
        client = self._client(session)
        if mode == "SKIP":
            if not client.silent:
                client.skips = 2  # this command's, and the next one's
            return OK
        client.silent = mode == "OFF"
        client.skips = 0
        return OK

    # -- the session -------------------------------------------------------------------------

    def monitor(self, session: Session) -> Reply:
        self._server.monitors.add(self._client(session))
        return OK

    def reset(self, session: Session) -> None:
        client = self._server.clients.get(session.id)
        if client is not None:
            self._server.monitors.discard(client)
            client.silent, client.skips = False, 0

    def leave(self, session: Session) -> None:
        self._client(session).leaving = True

    # -- the server ----------------------------------------------------------------------------

    def shutdown(self, session: Session, *, now: bool) -> Reply:
        client = self._client(session)
        self._server.patient = not now
        client.silent = client.leaving = True  # Redis: the end of the connection is the answer
        self._server.ending = True
        return OK

    def reset_statistics(self) -> None:
        self._server.statistics.reset()
        self._server.engine.store.expired = 0

    def information(self, section: str) -> Lines | None:
        from streamcli.server.information import SECTIONS

        lines = SECTIONS.get(section)
        return None if lines is None else lines(self._server)
