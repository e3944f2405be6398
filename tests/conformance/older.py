"""What the newest Redis, and so the engine, answers otherwise than Redis 8.0. This is the whole list:

* XINFO STREAM tells of idempotency, and FULL of what XNACK gave back: masks.py takes those fields out
* ENTRIESREAD of XGROUP CREATE and SETID is no more than what was ever added; 8.0 keeps what it is given
* XSETID with a lower ENTRIESADDED lowers each group's entries-read to it; in 8.0 the lag goes negative
* an exact MINID that leaves no live entry in a node removes it, as MAXLEN does; 8.0 keeps the node when a deleted entry
  of it is not below the ID
* CONFIG GET knows stream-idmp-duration and stream-idmp-maxsize: no script asks for all settings

`of_8_0` lets the engine answer as 8.0, so that all else is still compared byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from streamcli.engine import entries, groups
from streamcli.storage.streams import Node, Stream

_drop, _lose = Stream.drop_from_first_node, Stream._lose


def _as_given(count: int | None, stream: Stream) -> int | None:
    return None if count == -1 else count


def _as_it_was(stream: Stream, entries_added: int) -> None:
    """A group's count stays."""


def _drop_but_keep_the_node(stream: Stream, node: Node, *, most: int | None = None, below: bytes | None = None) -> int:
    with _replaced(Stream, "_lose", _lose_but_keep_the_node):
        return _drop(stream, node, most=most, below=below)


def _lose_but_keep_the_node(stream: Stream, node: Node, count: int) -> None:
    if node.live > count:
        _lose(stream, node, count)
        return
    node.live -= count
    node.deleted += count
    if node is not stream.tail:
        sql = "UPDATE nodes SET live=?, deleted=? WHERE stream=? AND first=?"
        stream._store.run(sql, (node.live, node.deleted, stream.id, node.first))


@contextmanager
def _replaced(owner: object, name: str, value: object) -> Iterator[None]:
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


@contextmanager
def of_8_0() -> Iterator[None]:
    """Inside, the engine answers as Redis 8.0 does."""
    with (
        _replaced(groups, "_known", _as_given),
        _replaced(entries, "_read_no_more_than", _as_it_was),
        _replaced(Stream, "drop_from_first_node", _drop_but_keep_the_node),
    ):
        yield
