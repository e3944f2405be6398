"""A plain client for the tests' own use: what is truly on a server, asked past everything that is being tested.

It speaks RESP2 and reads by `tests.conformance.wire`, which shares no code with streamcli.
"""

from __future__ import annotations

import socket
import ssl
from typing import Any

from tests.conformance.wire import Aggregate, Node, command, read

Said = bytes | str | int


class RefusedError(Exception):
    """The server answered with this error; or it cannot be reached, with the system's word for why."""


class Client:
    """One connection. `call` gives bytes, int, None or a list of them; raises RefusedError."""

    def __init__(
        self,
        port: int = 0,
        *,
        path: str | None = None,
        user: str = "default",
        password: str | None = None,
        tls: ssl.SSLContext | None = None,
        timeout: float = 20.0,
    ) -> None:
        try:
            self._socket = _opened(port, path, tls, timeout)
        except OSError as error:
            raise RefusedError(str(error)) from None
        self._file = self._socket.makefile("rb", 1 << 16)
        if password is not None:
            self.call("AUTH", user, password)

    def call(self, *words: Said) -> Any:
        try:
            self._socket.sendall(command([_bytes(word) for word in words]))
            return plain(read(self._file))
        except (OSError, EOFError) as error:
            raise RefusedError(str(error)) from None

    def pipeline(self, lines: list[list[bytes]]) -> list[Any]:
        """The replies to all lines, sent at once; an error is an exception among them."""
        self._socket.sendall(b"".join(command(line) for line in lines))
        return [_kept(read(self._file)) for _ in lines]

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _opened(port: int, path: str | None, tls: ssl.SSLContext | None, timeout: float) -> socket.socket:
    opened = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
    opened.settimeout(timeout)
    opened.connect(path or ("127.0.0.1", port))
    return tls.wrap_socket(opened, server_hostname="127.0.0.1") if tls else opened


def _bytes(word: Said) -> bytes:
    return word if isinstance(word, bytes) else str(word).encode()


def _kept(node: Node) -> Any:
    try:
        return plain(node)
    except RefusedError as error:
        return error


def plain(node: Node) -> Any:
    """A reply as Python has it: statuses and bulk strings are bytes, both nulls None, arrays lists."""
    if isinstance(node, Aggregate):
        return [_kept(item) for item in node.items]
    kind, rest = node[:1], node[1:-2]
    if kind == b"-":
        raise RefusedError(rest.decode(errors="replace"))
    if kind == b":":
        return int(rest)
    if kind in b"$*":
        return None if rest[:2] == b"-1" else node[node.index(b"\n") + 1 : -2]
    return rest


def info(text: bytes) -> dict[str, str]:
    """The fields of an INFO or CLUSTER INFO reply."""
    pairs = (line.partition(":") for line in text.decode(errors="replace").splitlines())
    return {name: value.strip() for name, colon, value in pairs if colon}
