"""Replies to small questions about the data, and the words in which answers are told.

Replies are read as servers send them: flat in RESP2, as maps in RESP3, and
anything at all from one that is not what it says. Does not know what the
answers are wanted for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import TypeAlias

from streamcli.reply import Error, Map, Reply, Simple
from streamcli.text import bare, visible

Browse: TypeAlias = Callable[[Sequence[bytes]], Reply]
"""`Backend.browse`: the reply to a command that only reads; what goes wrong is an Error."""

_NAME_MAX = 40  # characters of a name that a sentence shows


def named(word: bytes) -> str:
    """A user's word inside a sentence: safe to look at, quoted when it must be, and not too long."""
    text = bare(word[: 4 * (_NAME_MAX + 1)])  # a character takes four bytes at most
    if len(text) <= _NAME_MAX:
        return text
    return f'{text[: _NAME_MAX - 4]}..."' if text[0] == '"' else f"{text[: _NAME_MAX - 3]}..."


def counted(number: int, noun: str) -> str:
    """`1 entry`, `2,000 entries`, `no groups`."""
    if number == 1:
        return f"1 {noun}"
    plural = f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2:-1] not in "aeou" else f"{noun}s"
    return f"{number:,} {plural}" if number else f"no {plural}"


def record(reply: Reply) -> dict[bytes, Reply]:
    """The named parts of a map, or of the flat array that stands for one; empty when it is neither."""
    pairs: Iterable[tuple[Reply, Reply]] = ()
    if isinstance(reply, Map):
        pairs = reply.pairs
    elif isinstance(reply, list):
        pairs = zip(reply[::2], reply[1::2], strict=False)
    parts = (
        (name.text.encode(errors="surrogateescape") if isinstance(name, Simple) else name, value)
        for name, value in pairs
    )
    return {name: value for name, value in parts if isinstance(name, bytes)}


def records(reply: Reply) -> list[dict[bytes, Reply]]:
    """Each record of a list: groups, consumers."""
    return [record(item) for item in reply] if isinstance(reply, list) else []


def number(reply: Reply) -> int | None:
    """A whole number, as an integer or as text; None when it is none."""
    if isinstance(reply, bytes):
        return int(reply) if len(reply) < 20 and reply.isdigit() else None
    return reply if isinstance(reply, int) and not isinstance(reply, bool) else None


def kind(browse: Browse, key: bytes) -> str:
    """What TYPE says: `stream`, `string`, `none` ...; empty when it does not answer."""
    reply = browse((b"TYPE", key))
    if isinstance(reply, Simple):
        return visible(reply.text).replace("\n", "")[:_NAME_MAX]
    return named(reply) if isinstance(reply, bytes) else ""


def is_missing(error: Error) -> bool:
    """Does it say that there is no such key, or that the key is nothing for this command?"""
    return error.code in ("WRONGTYPE", "NOGROUP") or error.text.startswith("ERR no such key")


@lru_cache(maxsize=1)
def commands_of_redis() -> frozenset[bytes]:
    """The names of all of Redis's own commands, `XGROUP|CREATE` for subcommands."""
    from importlib.resources import files

    return frozenset((files("streamcli") / "data" / "redis-commands.txt").read_bytes().split())
