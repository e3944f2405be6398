"""Streams to be carried about: made at random, and compared whole."""

from __future__ import annotations

import random
from typing import Any

from streamcli.backend import Backend
from streamcli.reply import Error, Map

_TIMES = (b"seen-time", b"active-time")  # no command sets them
_OF_THE_PLACE = (b"radix-tree-keys", b"radix-tree-nodes", b"lag", b"nacked-count", b"pids-tracked", b"iids-tracked")
_OF_NEWER_ONES = (b"idmp-duration", b"idmp-maxsize", b"iids-added", b"iids-duplicates")


def ask(backend: Backend, *words: bytes | str | int) -> Any:
    """The reply."""
    return backend.execute([word if isinstance(word, bytes) else str(word).encode() for word in words])


def whole(backend: Backend, key: bytes) -> Any:
    """All that XINFO STREAM FULL says of a stream, but what no command can set; None when there is none."""
    reply = ask(backend, "XINFO", "STREAM", key, "FULL", "COUNT", 0)
    return None if isinstance(reply, Error) else _plain(reply)


def _plain(reply: Any) -> Any:
    pairs = list(reply) if isinstance(reply, Map) else None
    if isinstance(reply, list) and len(reply) > 4 and reply[0] in (b"length", b"name"):
        pairs = list(zip(reply[::2], reply[1::2], strict=True))
    if pairs is not None:
        left_out = (*_TIMES, *_OF_THE_PLACE, *_OF_NEWER_ONES)
        return {name: _plain(value) for name, value in pairs if name not in left_out}
    return [_plain(one) for one in reply] if isinstance(reply, list) else reply


def make(backend: Backend, key: bytes, seed: int, *, nacks: bool = False) -> None:
    """A stream of some twenty commands of all kinds: there may be trimmed, deleted, and forced pending entries."""
    dice = random.Random(seed)
    ask(backend, "DEL", key)
    top = 0
    for _ in range(dice.randrange(1, 80)):
        what = dice.random()
        group, id = dice.choice("gh"), f"{dice.randrange(top + 1)}-{dice.randrange(3)}"
        if what < 0.5 or not top:
            top += dice.randrange(1, 4)
            words = [dice.randbytes(dice.randrange(4)) for _ in range(2 * dice.randrange(1, 3))]
            ask(backend, "XADD", key, f"{top}-{dice.randrange(3)}", *words)
        elif what < 0.56:
            ask(backend, "XGROUP", "CREATE", key, group, dice.choice(["0", "$", "3"]))
        elif what < 0.76:
            count = dice.randrange(1, 9)
            ask(backend, "XREADGROUP", "GROUP", group, dice.choice("abc"), "COUNT", count, "STREAMS", key, ">")
        elif what < 0.81:
            ask(backend, "XDEL", key, *(f"{dice.randrange(top + 1)}-{seq}" for seq in range(3)))
        elif what < 0.85:
            ask(backend, "XTRIM", key, "MAXLEN", "=", dice.randrange(20))
        elif what < 0.9:
            ask(backend, "XACK", key, group, id)
        elif what < 0.95:
            time, count = dice.randrange(10**12), dice.randrange(9)
            ask(backend, "XCLAIM", key, group, "d", 0, id, "FORCE", "TIME", time, "RETRYCOUNT", count)
        elif what < 0.97 and nacks:
            ask(backend, "XNACK", key, group, "FAIL", "IDS", 1, id)
        else:
            ask(backend, "XGROUP", "CREATECONSUMER", key, group, "z")
