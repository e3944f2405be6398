"""A server that says what it is told to say: errors, nonsense, half a reply, nothing at all."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import BinaryIO, Final, TypeAlias

from tests.conformance.wire import Aggregate, read, text


class Last(bytes):
    """An answer after which the connection is closed; an empty one closes it without a word."""


class Endless(bytes):
    """An answer that is said again and again until the client goes away.

    `first` is said before it; `pause` is in seconds, after each.
    """

    first: bytes
    pause: float

    def __new__(cls, data: bytes, *, first: bytes = b"", pause: float = 0.0) -> Endless:
        made = super().__new__(cls, data)
        made.first, made.pause = first, pause
        return made


CLOSE: Final = Last()
SILENCE: Final = b""  # no answer, and the connection stays

Answer: TypeAlias = "bytes | Callable[[list[bytes]], bytes]"

VERSION: Final = b"7.4.0"
_HELLO = (
    (b"server", b"$5\r\nredis\r\n"), (b"version", b"$%d\r\n%b\r\n" % (len(VERSION), VERSION)), (b"proto", b":%d\r\n"),
    (b"id", b":7\r\n"), (b"mode", b"$10\r\nstandalone\r\n"), (b"role", b"$6\r\nmaster\r\n"), (b"modules", b"*0\r\n"),
)  # fmt: skip
_INFO = b"# Server\r\nredis_version:%b\r\nredis_mode:standalone\r\n# Replication\r\nrole:master\r\n" % VERSION


class Fake:
    """Listens on `port` of 127.0.0.1 and answers each command by its first words, in upper case.

    `answers`: by name, such as `XADD` or `XINFO STREAM` (the longest that fits); one answer, or several, of which each
    is given once and the last for ever. `otherwise` is said to what is not among them; without it a small ordinary
    server answers: HELLO (an unknown command, if not `resp3`), AUTH, PING, ECHO, INFO, and `+OK` to all else.
    `banner` is said to whoever connects. `commands` lists all that has come in.
    """

    def __init__(
        self,
        answers: Mapping[str, Answer | Sequence[Answer]] | None = None,
        *,
        otherwise: Answer | None = None,
        banner: bytes = b"",
        resp3: bool = True,
    ) -> None:
        self._answers = {
            name.encode(): [answer] if isinstance(answer, bytes) or callable(answer) else list(answer)
            for name, answer in (answers or {}).items()
        }
        self._otherwise, self._banner, self._resp3 = otherwise, banner, resp3
        self.commands: list[list[bytes]] = []
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._door = socket.socket()
        self._door.bind(("127.0.0.1", 0))
        self._door.listen(64)
        self.port: int = self._door.getsockname()[1]
        threading.Thread(target=self._let_in, daemon=True).start()

    def names(self) -> list[str]:
        """The first word of each command that has come in."""
        return [command[0].decode(errors="replace").upper() for command in self.commands if command]

    def close(self) -> None:
        with self._lock:
            everything = [self._door, *self._open]
        for one in everything:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _let_in(self) -> None:
        while True:
            try:
                client, _ = self._door.accept()
            except OSError:
                return
            with self._lock:
                self._open.append(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError, ValueError), client, client.makefile("rb") as file:
            client.sendall(self._banner)
            while (argv := _command(file)) is not None:
                with self._lock:
                    self.commands.append(argv)
                    answer = self._answer(argv)
                if not _say(client, answer(argv) if callable(answer) else answer):
                    return

    def _answer(self, argv: list[bytes]) -> Answer:
        for words in (2, 1):
            several = self._answers.get(b" ".join(argv[:words]).upper())
            if several:
                return several.pop(0) if len(several) > 1 else several[0]
        return self._ordinary if self._otherwise is None else self._otherwise

    def _ordinary(self, argv: list[bytes]) -> bytes:
        match [argv[0].upper(), *argv[1:]]:
            case [b"HELLO", *_] if not self._resp3:
                return b"-ERR unknown command 'HELLO', with args beginning with: \r\n"
            case [b"HELLO", *rest]:
                return _hello(3 if rest[:1] == [b"3"] else 2)
            case [b"PING"]:
                return b"+PONG\r\n"
            case [b"PING" | b"ECHO", word]:
                return b"$%d\r\n%b\r\n" % (len(word), word)
            case [b"INFO", *_]:
                return b"$%d\r\n%b\r\n" % (len(_INFO), _INFO)
            case [b"COMMAND", *_]:
                return b"*0\r\n"
        return b"+OK\r\n"


def _command(file: BinaryIO) -> list[bytes] | None:
    """The next command's words; what is no command is one of a single word. None at the end."""
    try:
        node = read(file)
    except EOFError:
        return None
    return [text(item) for item in node.items] if isinstance(node, Aggregate) else [node]


def _say(client: socket.socket, answer: bytes) -> bool:
    """False when the connection is to be closed."""
    if isinstance(answer, Endless):
        client.sendall(answer.first)
        while True:
            client.sendall(answer)
            time.sleep(answer.pause)
    client.sendall(answer)
    return not isinstance(answer, Last)


def _hello(protocol: int) -> bytes:
    head = b"%%%d\r\n" % len(_HELLO) if protocol == 3 else b"*%d\r\n" % (2 * len(_HELLO))
    body = b"".join(b"$%d\r\n%b\r\n%b" % (len(name), name, value) for name, value in _HELLO)
    return head + body.replace(b":%d", b":%d" % protocol)
