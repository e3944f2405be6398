"""What redis-py's own parsers make of wire bytes: what the values of the door are held to."""

from __future__ import annotations

import io
from typing import Any

import redis
from redis._parsers import Encoder, _RESP2Parser, _RESP3Parser


class _Socket:
    """A socket from which everything has arrived already."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def recv(self, size: int) -> bytes:
        return self._data.read(size)


class _Connection:
    socket_timeout = None

    def __init__(self, data: bytes, encoder: Encoder) -> None:
        self._sock, self.encoder = _Socket(data), encoder


def parsed(wire: bytes, protocol: int, encoder: Encoder) -> Any:
    """The value of a reply; for an error the exception, raised or not."""
    parser: Any = (_RESP3Parser if protocol == 3 else _RESP2Parser)(65536)
    parser.on_connect(_Connection(wire, encoder))
    try:
        return parser.read_response()
    except redis.ConnectionError as error:
        return error


def shape(value: Any) -> Any:
    """Equal for values that a user could not tell apart: types count, and exceptions by class and words."""
    if isinstance(value, Exception):
        return type(value), str(value)
    if isinstance(value, dict):
        return dict, [(shape(name), shape(item)) for name, item in value.items()]
    if isinstance(value, (list, tuple)):
        return type(value), [shape(item) for item in value]
    return type(value), value


def encoder_of(encoding: str, errors: str, decode: bool) -> Encoder:
    """redis-py's encoder with these settings."""
    return Encoder(encoding, errors, decode)  # type: ignore[no-untyped-call]
