"""Entries of several streams in one order, that of their IDs, as far as it is known while more is to come."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from streamcli.ids import StreamID
from streamcli.render.shape import read_entry
from streamcli.reply import Map, Nil, Reply
from streamcli.tools.entries import Entry, id_of
from streamcli.tools.job import ToolError


class Row(NamedTuple):
    """An entry and where it is from; rows sort by ID, then as the streams were named."""

    id: StreamID
    place: int  # of the stream among those that were named
    stream: bytes
    fields: list[bytes]


class Merging:
    """What was read of each stream and not yet taken.

    A stream that may have more behind what is held of it bounds what can be taken.
    """

    def __init__(self, streams: Sequence[bytes]) -> None:
        self._streams = streams
        self._held: list[list[Row]] = [[] for _ in streams]
        self._more = [False] * len(streams)

    @property
    def is_empty(self) -> bool:
        return not any(self._held)

    def holds(self, place: int) -> bool:
        return bool(self._held[place])

    def add(self, place: int, entries: Sequence[Entry], *, more: bool) -> None:
        """What was read next of a stream that holds nothing; `more`: there was as much as was asked for."""
        stream = self._streams[place]
        self._held[place] = [Row(id_of(id), place, stream, fields) for id, fields in entries]
        self._more[place] = more and bool(entries)

    def take(self) -> list[Row]:
        """All rows that nothing can come before: those up to the last of a stream that may have more."""
        bounds = [held[-1].id for held, more in zip(self._held, self._more, strict=True) if more and held]
        if not bounds:
            rows = [row for held in self._held for row in held]
            self._held = [[] for _ in self._held]
        else:
            bound = min(bounds)
            rows = [row for held in self._held for row in held if row.id <= bound]
            self._held = [[row for row in held if row.id > bound] for held in self._held]
        rows.sort(key=_order)
        return rows


def _order(row: Row) -> tuple[StreamID, int]:
    return row[:2]


def read(items: Iterable[Reply]) -> list[Entry]:
    """Entries, every part of them looked at; those that are gone are left out. Raises ToolError for what is none."""
    found: list[Entry] = []
    for item in items:
        entry = read_entry(item)
        if entry is None:
            raise ToolError("the server has answered with something that is no entry")
        if entry[1] is not None:
            found.append((entry[0], entry[1]))
    return found


def by_stream(reply: Reply) -> dict[bytes, list[Reply]]:
    """What XREAD and XREADGROUP answer, in either protocol. Raises ToolError for what is none of it."""
    if reply is None or isinstance(reply, Nil):
        return {}
    pairs = reply.pairs if isinstance(reply, Map) else reply
    try:
        return {name: list(items) for name, items in pairs}  # type: ignore[union-attr, misc, arg-type]
    except (TypeError, ValueError):
        raise ToolError("the server has answered with something that is no list of streams") from None


def rows_of(reply: Reply, streams: Sequence[bytes]) -> list[Row]:
    """The rows of an answer, in their order; entries that are gone are left out."""
    found = by_stream(reply)
    rows = [
        Row(id_of(id), place, stream, fields)
        for place, stream in enumerate(streams)
        for id, fields in read(found.get(stream, []))
    ]
    rows.sort(key=_order)
    return rows
