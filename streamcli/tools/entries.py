"""Entries of a stream, page by page: never more is read than is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

from streamcli.ids import MAX_ID, MIN_ID, StreamID, parse_id
from streamcli.reply import Nil, Reply
from streamcli.text import counted
from streamcli.tools.job import ToolError, accepted

if TYPE_CHECKING:
    from streamcli.backend import Backend

Entry: TypeAlias = tuple[bytes, list[bytes]]
"""An ID as text, and names and values in turns."""

PAGE = 1000
FIRST: Final = 4  # entries, while nobody knows how large they are
_GROWTH: Final = 16  # and then so many times as many
_BYTES: Final = 8 * 1024 * 1024  # of words in a page, about
_EACH: Final = 8  # of so many entries one is measured


def pages(
    backend: Backend,
    key: bytes,
    start: StreamID = MIN_ID,
    end: StreamID = MAX_ID,
    size: int = PAGE,
    *,
    back: bool = False,
) -> Iterator[list[Entry]]:
    """The entries from `start` to `end`, both included, in their order; as many pages as are taken.

    `back`: the last ones first. A page has `size` entries at most, and fewer when they are large.
    What is added meanwhile is seen, what is removed is not. A key that does not
    exist has none. Raises RefusedError, LostError, UnreachableError.
    """
    command, to = (b"XREVRANGE", start) if back else (b"XRANGE", end)
    at: StreamID | None = end if back else start
    asked = min(size, FIRST)
    while at is not None and start <= at <= end:
        argv = (command, key, at.text, to.text, b"COUNT", b"%d" % asked)
        page = entries(accepted(backend.execute(argv), argv))
        if page:
            yield page
        if len(page) < asked:
            return
        last = id_of(page[-1][0])
        if last > at if back else last < at:
            raise ToolError("the server has answered with entries that were not asked for")  # and would do so for ever
        at = last.previous() if back else last.next()
        asked = min(size, fitting(page), _GROWTH * asked)


def fitting(page: Sequence[Entry]) -> int:
    """How many entries like these a page should have; there is one at least."""
    words = sum(sum(map(len, fields)) for _, fields in page[::_EACH])
    return max(1, _BYTES * len(page[::_EACH]) // max(1, words))


def entries(reply: Reply) -> list[Entry]:
    """The entries of a reply, those that are gone (null) left out. Raises ToolError for what is no list of entries."""
    try:
        return [(id, fields) for id, fields in reply or () if not (fields is None or isinstance(fields, Nil))]  # type: ignore[union-attr, misc]
    except (TypeError, ValueError):
        raise ToolError("the server has answered with something that is no entry") from None


def id_of(text: bytes) -> StreamID:
    """An ID that a server has given. Raises ToolError."""
    id = parse_id(text)
    if id is None:
        raise ToolError("the server has answered with something that is no ID")
    return id


def so_many(count: int) -> str:
    """`1 entry`, `1,204 entries`."""
    return counted(count, "entry")
