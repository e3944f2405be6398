"""Words as redis-py's callers give them, and replies as its parsers read them off the wire.

What the engine answers is turned into values directly, without bytes in
between; a test holds every kind of reply to redis-py's own parsers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from redis._parsers import Encoder
from redis._parsers.base import BaseParser
from redis.exceptions import ConnectionError

from streamcli.reply import Error, Map, Nil, Push, Reply, Set, Simple, Verbatim

Decode: TypeAlias = Callable[[bytes], Any]

_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")  # Redis: an error is one line
_heads: dict[str, list[bytes]] = {}
_HEADS_MAX = 1000


class _Parser(BaseParser):
    """For what all parsers of redis-py share; since its 8.0 that has to have these."""

    def on_connect(self, connection: Any) -> None:
        """It has none."""

    def on_disconnect(self) -> None:
        """It has none."""


_error: Callable[[str], Exception] = _Parser().parse_error


class Words:
    """Turns the arguments of redis-py's methods into command lines; `encoder` is redis-py's own."""

    def __init__(self, encoder: Encoder) -> None:
        self._encode: Callable[[Any], Any] = encoder.encode
        self._plain = is_plain(encoder)

    def argv(self, args: Sequence[Any]) -> list[bytes]:
        """The command line; the first of `args` may hold several words (`"XGROUP CREATE"`).

        Raises redis-py's DataError for what is no word.
        """
        head, *rest = args
        if isinstance(head, str):
            found = _heads.get(head)
            if found is None:
                found = head.encode().split()
                if len(_heads) < _HEADS_MAX:
                    _heads[head] = found
        else:
            found = bytes(head).split()
        encode = self._encode
        if self._plain:  # what nearly all words are, without a call
            return found + [
                word if type(word) is bytes else word.encode() if type(word) is str else bytes(encode(word))
                for word in rest
            ]
        return found + [word if type(word) is bytes else bytes(encode(word)) for word in rest]


def is_plain(encoder: Encoder) -> bool:
    """UTF-8 without exceptions, which Python does fastest."""
    return encoder.encoding.lower() in ("utf-8", "utf8") and encoder.encoding_errors == "strict"


def decoder(encoder: Encoder) -> Decode | None:
    """Bytes to text as the connection was told to; None when they stay bytes."""
    if not encoder.decode_responses:
        return None
    return bytes.decode if is_plain(encoder) else lambda data: data.decode(encoder.encoding, encoder.encoding_errors)


class Values:
    """Turns replies into values; `decode` None leaves strings as bytes. `protocol` is 2 or 3."""

    def __init__(self, protocol: int, decode: Decode | None) -> None:
        self._protocol, self._decode = protocol, decode

    def value(self, reply: Reply) -> Any:
        """What redis-py's parser gives for the reply; for an error the exception.

        It is not raised, but for those that are a `redis.ConnectionError` (WRONGPASS, say), wherever they are.
        """
        kind = type(reply)
        if kind is bytes:
            return reply if self._decode is None else self._decode(reply)  # type: ignore[arg-type]
        if kind is int or reply is None:
            return reply
        if kind is list:
            return self._items(reply)  # type: ignore[arg-type]
        return self._rarer(reply)

    def _items(self, items: list[Reply]) -> list[Any]:
        decode, value = self._decode, self.value
        if decode is None:
            return items if _is_bare(items) else [item if type(item) is bytes else value(item) for item in items]
        own = self._items
        return [
            decode(item)  # type: ignore[arg-type]
            if (kind := type(item)) is bytes
            else own(item)  # type: ignore[arg-type]
            if kind is list
            else value(item)
            for item in items
        ]

    def _rarer(self, reply: Reply) -> Any:
        match reply:
            case Simple(text=text):
                return self.value(text.encode(errors="surrogateescape").translate(_ONE_LINE))
            case Error(text=text):
                error = _error(text.encode(errors="surrogateescape").translate(_ONE_LINE).decode(errors="replace"))
                if isinstance(error, ConnectionError):
                    raise error
                return error
            case Nil():
                return None
            case Map(pairs=pairs):
                if self._protocol == 2:
                    return [self.value(item) for pair in pairs for item in pair]
                return {self.value(name): self.value(value) for name, value in pairs}
            case Set(items=items) | Push(items=items):
                return self._items(items)
            case Verbatim(data=data):
                return self.value(data)
            case bool():
                return reply if self._protocol == 3 else int(reply)
            case float():
                return reply if self._protocol == 3 else self.value(f"{reply:.17g}".encode())
        return reply


def _is_bare(items: list[Reply]) -> bool:
    """Nothing but strings and integers, however deep: its own value, as nearly all long replies are."""
    for item in items:
        kind = type(item)
        if kind is list:
            if not _is_bare(item):  # type: ignore[arg-type]
                return False
        elif kind is not bytes and kind is not int:
            return False
    return True
