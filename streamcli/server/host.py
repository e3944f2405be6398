"""What commands ask of the server: its clients, its counts, its end."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from streamcli import errors
from streamcli.engine.host import Host, Lines
from streamcli.grammar.parse import parse
from streamcli.reply import OK, Error, Reply, ReplyError, Simple

if TYPE_CHECKING:
    from streamcli.engine import Session
    from streamcli.server.client import Client
    from streamcli.server.server import Server

UNBLOCKED = Error("UNBLOCKED client unblocked via CLIENT UNBLOCK")


class ServerHost(Host):
    """See `Host`."""

    def __init__(self, server: Server, password: bytes | None) -> None:
        self._server = server
        self.password = password
        self.port = 0
        self.socket = ""

    # -- CLIENT ----------------------------------------------------------------------------

    def line(self, session: Session) -> dict[str, object]:
        client = self._server.clients.get(session.id)
        if client is None:
            return {}
        now = time.monotonic()
        flags = "O" if client.monitors else "b" if client.wait is not None else "N"
        return {
            "addr": client.address,
            "laddr": client.local,
            "fd": client.file,
            "age": int(now - client.began),
            "idle": int(now - client.active),
            "flags": flags,
            "qbuf": client.requests.size,
        }

    def kill(self, asker: Session, wanted: Callable[[Session], bool], *, skip_me: bool) -> int:
        found = [
            client
            for client in list(self._server.clients.values())
            if client.session is not None and wanted(client.session) and not (skip_me and client.session is asker)
        ]
        for client in found:
            if client.session is asker:
                client.hang_up_after_reply = True
            else:
                client.abort()
                self._server.left(client)
        return len(found)

    def unblock(self, id: int, *, error: bool) -> bool:
        client = self._server.clients.get(id)
        if client is None or client.wait is None or not client.wait.keys:
            return False
        self._server.answer(client, UNBLOCKED if error else client.wait.timed_out)
        return True

    def reply_mode(self, session: Session, mode: str) -> Reply:
        client = self._server.clients[session.id]
        client.silent = mode == "OFF"
        if mode == "SKIP":
            client.skips = 2  # this command's, and the next one's
        return OK

    # -- MONITOR ---------------------------------------------------------------------------

    def monitor(self, session: Session) -> Reply:
        client = self._server.clients[session.id]
        client.monitors = True
        self._server.monitors[client] = None
        return OK

    def show(self, sender: Client, argv: list[bytes]) -> None:
        """Tell those who monitor of a command; secrets are left out."""
        call = parse(argv)
        if call.command is None or "admin" in call.command.flags or call.rejected is not None:
            return
        secret = any(role is not None and role.kind == "secret" for role in call.roles)
        words = [b'"(redacted)"' if secret else _quoted(word) for word in argv[:1]]
        words = [_quoted(argv[0]), b'"(redacted)"'] if secret else [_quoted(word) for word in argv]
        assert sender.session is not None
        seconds = time.time()
        line = b"%.6f [%d %s] %s" % (seconds, sender.session.db, sender.address.encode(), b" ".join(words))
        for client in list(self._server.monitors):
            client.send(Simple(line.decode("latin-1")))
            client.flush()

    # -- the server ----------------------------------------------------------------------------

    def shutdown(self) -> Reply:
        self._server.stop()
        return OK

    def reset_statistics(self) -> None:
        self._server.statistics.reset()

    def information(self, section: str) -> Lines:
        from streamcli.server.information import SECTIONS

        lines = SECTIONS.get(section)
        return [] if lines is None else lines(self._server)


def _quoted(word: bytes) -> bytes:
    """As Redis's sdscatrepr writes it."""
    return words_quote(word)


def words_quote(word: bytes) -> bytes:
    out = bytearray(b'"')
    for byte in word:
        if byte in (34, 92):
            out += b"\\" + bytes((byte,))
        elif byte in _ESCAPES:
            out += _ESCAPES[byte]
        elif 32 <= byte < 127:
            out.append(byte)
        else:
            out += b"\\x%02x" % byte
    out += b'"'
    return bytes(out)


_ESCAPES = {10: b"\\n", 13: b"\\r", 9: b"\\t", 7: b"\\a", 8: b"\\b"}
__all__ = ["ServerHost", "ReplyError", "errors"]
