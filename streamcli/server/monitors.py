"""Who hears of every command, and what they hear."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streamcli.grammar.parse import Call
    from streamcli.server.client import Client

_REDACTED = b'"(redacted)"'
_ESCAPES = {34: b'\\"', 92: b"\\\\", 10: b"\\n", 13: b"\\r", 9: b"\\t", 7: b"\\a", 8: b"\\b"}
_SHOWN = [_ESCAPES.get(byte) or (b"%c" % byte if 32 <= byte < 127 else b"\\x%02x" % byte) for byte in range(256)]


class Monitors:
    """Clients that have said MONITOR. What they are to hear is kept until `flush`."""

    def __init__(self) -> None:
        self._clients: dict[Client, None] = {}
        self._lines: list[bytes] = []

    def __bool__(self) -> bool:
        return bool(self._clients)

    def __contains__(self, client: object) -> bool:
        return client in self._clients

    def add(self, client: Client) -> None:
        self._clients[client] = None

    def discard(self, client: Client) -> None:
        self._clients.pop(client, None)

    def show(self, sender: Client, call: Call) -> None:
        """A command was run. Redis: those of administrators are not shown, nor are secrets."""
        command = call.command
        if command is None or "admin" in command.flags:
            return
        secret = [role is not None and role.kind == "secret" for role in call.roles]
        hidden = {at for at, hides in enumerate(secret) if hides}
        if command.name == "HELLO":
            hidden |= {at - 1 for at in hidden}  # the user's name
        words = [_REDACTED if at in hidden else quoted(word) for at, word in enumerate(call.argv)]
        whose = sender.monitored_as.encode(errors="surrogateescape")
        assert sender.session is not None
        self._lines.append(b"+%.6f [%d %b] %b\r\n" % (time.time(), sender.session.db, whose, b" ".join(words)))

    def flush(self) -> None:
        if self._lines:
            lines, self._lines = b"".join(self._lines), []
            for client in list(self._clients):
                client.push(lines)


def quoted(word: bytes) -> bytes:
    """A word in double quotes, as Redis shows it to those who monitor."""
    return b'"%b"' % b"".join([_SHOWN[byte] for byte in word])
