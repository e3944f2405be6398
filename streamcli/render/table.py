"""Table: a header, then a row an entry or record, fitted to the terminal; whole when a file or pipe takes it.

Entries have a column a field, records a column a name, in order of first
appearance; what first comes behind the rows that the layout is made by stands
at the end of its row, as `name=value`. A null is `(nil)`, an empty value `""`,
a field that an entry does not have is blank; what is nested is JSON. What is
neither entries nor records is shown as a tree.

For reading: values stand bare, so that one may look like another; the other
formats tell them apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streamcli.render import grid, tree
from streamcli.render.fields import Columns, distinct, with_streams
from streamcli.render.grid import Aside, Head
from streamcli.render.raw import answers_text
from streamcli.render.shape import ID, Entries, Record, Records, Streams, Told, Value, read_entry, shape_of
from streamcli.reply import Error, Map, Push, Set, Simple, Verbatim, leaves
from streamcli.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streamcli.render import Call, Options
    from streamcli.render.grid import Row
    from streamcli.render.shape import EntryParts, Shape
    from streamcli.reply import Reply


def render(reply: Reply, call: Call | None, options: Options) -> Iterator[str]:
    """Chunks of one row each."""
    if answers_text(call):
        return tree.render(reply, call, options)
    shape = shape_of(reply, call)
    if isinstance(shape, Told):
        shape = shape.form()
    if isinstance(shape, Entries):
        return _entries(shape, options) if shape.items else tree.lines(shape, options)
    if isinstance(shape, Streams):
        return _entries(shape, options) if any(items for _, items in shape.pairs) else tree.lines(shape, options)
    if isinstance(shape, Records):
        return records(shape, options) if shape.items else tree.lines(shape, options)
    maps = _maps(shape)
    return records(maps, options) if maps is not None else tree.lines(shape, options)


# -- entries ---------------------------------------------------------------------------------


def _entries(shape: Entries | Streams, options: Options) -> Iterator[str]:
    sheet = _Entries(isinstance(shape, Streams))
    return grid.lines(with_streams(shape), sheet.heads, sheet.row, options, weight=_weight)


def _weight(item: tuple[bytes | None, Reply]) -> int:
    """About how many bytes it holds."""
    return sum([len(leaf) + 50 if isinstance(leaf, bytes) else 50 for leaf in leaves(item[1])])


class _Entries:
    """Which column each field of an entry has; `named` when the entries come under the names of streams."""

    def __init__(self, named: bool) -> None:
        self._named, self._claimed = named, False
        self._columns = Columns()

    def heads(self, items: list[tuple[bytes | None, Reply]]) -> list[Head]:
        for _, item in items:
            entry = read_entry(item)
            if entry is not None:
                self._claimed = self._claimed or entry[2] is not None
                self._columns.learn(tuple((entry[1] or ())[::2]))
        own = [Head("stream", right=False)] if self._named else []
        own.append(Head("id", key=True, right=False, rigid=True))
        own += [Head("idle", right=True), Head("deliveries", right=True)] if self._claimed else []
        titles = distinct([head.name for head in own], [plain(name) for name in self._columns.names()])
        return own + [Head(title) for title in titles[len(own) :]]

    def row(self, item: tuple[bytes | None, Reply]) -> Row:
        stream, reply = item
        entry = read_entry(reply)
        if entry is None:
            return _json(Value(reply))
        row = [plain(entry[0])] if stream is None else [plain(stream), plain(entry[0])]
        if self._claimed:
            row += ["", ""] if entry[2] is None else [cell(part) for part in entry[2]]
        return row + self._cells(entry)

    def _cells(self, entry: EntryParts) -> list[str]:
        cells = [""] * len(self._columns)
        fields = entry[1]
        if fields is None:
            return _put_first(cells, Aside("(deleted)"))
        if not fields:
            return _put_first(cells, Aside("(empty)"))
        names, behind = fields[::2], []
        for name, place, value in zip(names, self._columns.places(tuple(names)), fields[1::2], strict=True):
            if place < 0:
                behind.append(f"{plain(name)}={plain(value)}")
            else:
                cells[place] = plain(value) or Aside('""')
        return cells + behind


def _put_first(cells: list[str], text: str) -> list[str]:
    return [text, *cells[1:]]


# -- records ---------------------------------------------------------------------------------


def records(shape: Records, options: Options) -> Iterator[str]:
    """A row a record, a column a name."""
    sheet = _Records()
    return grid.lines(shape, sheet.heads, sheet.row, options)


class _Records:
    """Which column each part of a record has."""

    def __init__(self) -> None:
        self._columns: dict[str, int] = {}

    def heads(self, items: list[Record | Value]) -> list[Head]:
        for item in items:
            for name, _ in _parts(item):
                self._columns.setdefault(name, len(self._columns))
        ids = {name for item in items for name, value in _parts(item) if isinstance(value, Value) and value.unit == ID}
        return [
            Head(plain(_bytes(name)), key=not at, right=False if name in ids else None, rigid=name in ids)
            for name, at in self._columns.items()
        ]

    def row(self, item: Record | Value) -> Row:
        if not isinstance(item, Record):
            return _json(item)
        cells = [""] * len(self._columns)
        behind: list[str] = []
        for name, value in item.parts:
            place = self._columns.get(name)
            text = cell(value.reply) if isinstance(value, Value) else _json(value)
            if place is None:
                behind.append(f"{plain(_bytes(name))}={text}")
            else:
                cells[place] = text
        return cells + behind


def _parts(item: Record | Value) -> list[tuple[str, Shape]]:
    return item.parts if isinstance(item, Record) else []


def _maps(shape: Shape) -> Records | None:
    """A list of maps as records; the first item tells, each is read again when it is drawn."""
    items = shape.reply if isinstance(shape, Value) else None
    if not isinstance(items, list) or not items or _record(items[0]) is None:
        return None
    return Records(items, _record)


def _record(reply: Reply) -> Record | None:
    """A map as a record, when its names are distinct strings."""
    if not isinstance(reply, Map) or not reply.pairs:
        return None
    parts: list[tuple[str, Shape]] = []
    for key, value in reply:
        if not isinstance(key, (bytes, Simple)):
            return None
        name = key.text if isinstance(key, Simple) else key.decode("utf-8", "surrogateescape")
        parts.append((name, Value(value)))
    return Record(parts) if len({name for name, _ in parts}) == len(parts) else None


# -- cells -----------------------------------------------------------------------------------


def cell(reply: Reply) -> str:
    """A leaf as people read it, in one line; what has something inside is JSON."""
    if isinstance(reply, bytes):
        return plain(reply) or Aside('""')
    if isinstance(reply, bool):
        return "true" if reply else "false"
    if isinstance(reply, (int, float)):
        return str(reply)
    if isinstance(reply, Simple):
        return plain(_bytes(reply.text))
    if isinstance(reply, Error):
        return grid.Alarm(f"(error) {plain(_bytes(reply.text))}")
    if isinstance(reply, Verbatim):
        return plain(reply.data)
    if isinstance(reply, (list, Map, Set, Push)):
        return _json(Value(reply))
    return Aside("(nil)")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _json(shape: Shape) -> str:
    from streamcli.render.jsonl import compact

    return compact(shape)
