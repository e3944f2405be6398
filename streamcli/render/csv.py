"""CSV (RFC 4180, but lines end in "\\n"): a header, then a row an entry or record.

Entries have a column a field name, in order of first appearance over the whole
reply; a name that an entry repeats has as many columns. Records have a column
a name, a part that is itself nested being JSON. Anything else is rows without
a header, what is nested deeper laid flat. Bytes that are not UTF-8 are `\\xHH`;
a null is an empty cell.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Final

from streamcli.render.fields import Columns, distinct, with_streams
from streamcli.render.shape import (
    Entries,
    Ids,
    NoEntries,
    Record,
    Records,
    Streams,
    Value,
    is_null,
    read_entry,
    shape_of,
)
from streamcli.reply import Arriving, Error, Map, Push, Set, Simple, Verbatim, leaves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from streamcli.render import Call, Options
    from streamcli.render.shape import EntryParts, Shape
    from streamcli.reply import Reply

_LINE_END: Final = "\r\n"  # the csv module quotes a cell that holds a character of its line end


class _Returning:
    """A file whose `write` gives the line back."""

    def write(self, line: str) -> str:
        return line


def render(reply: Reply, call: Call | None, options: Options) -> Iterator[str]:
    """Chunks of one row each."""
    if isinstance(reply, Arriving):
        reply = list(reply)
    return written(_rows(shape_of(reply, call), reply), options)


def written(rows: Iterable[list[str]], options: Options) -> Iterator[str]:
    """Rows of cells as lines."""
    writerow: Callable[[list[str]], str] = csv.writer(_Returning(), lineterminator=_LINE_END).writerow
    lines = (writerow(row).removesuffix(_LINE_END) for row in rows)
    if not options.terminal:
        return lines
    from streamcli.text import visible

    return (visible(line.replace("\r\n", "\n")) for line in lines)


def _rows(shape: Shape, reply: Reply) -> Iterator[list[str]]:
    if isinstance(shape, NoEntries):
        return iter([["stream", "id"] if shape.named else ["id"]])
    if isinstance(shape, (Entries, Streams)):
        return _entry_rows(shape) if _all_entries(shape) else _plain_rows(reply)
    if isinstance(shape, Records):
        return _record_rows(shape)
    if isinstance(shape, Record):
        return iter([[name for name, _ in shape.parts], [_cell(value) for _, value in shape.parts]])
    if isinstance(shape, Ids):
        return iter([["id"], *([_leaf(item)] for item in shape.items)])
    return _plain_rows(reply)


def _all_entries(shape: Entries | Streams) -> bool:
    return all(read_entry(item) is not None for _, item in with_streams(shape))


def _entry_rows(shape: Entries | Streams) -> Iterator[list[str]]:
    """The header needs one look at all the names; the values are read a row at a time."""
    columns = Columns()
    claimed = False
    for _, item in with_streams(shape):
        entry = read_entry(item)
        if entry is None:
            continue
        claimed = claimed or entry[2] is not None
        columns.learn(tuple((entry[1] or ())[::2]))
    head = ["stream"] if isinstance(shape, Streams) else []
    head += ["id", "idle", "deliveries"] if claimed else ["id"]
    yield distinct(head, map(_text, columns.names()))
    for stream, item in with_streams(shape):
        entry = read_entry(item)
        if entry is not None:
            yield _entry_row(stream, entry, claimed, columns)


def _entry_row(stream: bytes | None, entry: EntryParts, claimed: bool, columns: Columns) -> list[str]:
    id, fields, claim = entry
    row = [_text(id)] if stream is None else [_text(stream), _text(id)]
    if claimed:
        row += ["", ""] if claim is None else [_leaf(claim[0]), _leaf(claim[1])]
    cells = [""] * len(columns)
    fields = fields or []
    for place, value in zip(columns.places(tuple(fields[::2])), fields[1::2], strict=True):
        cells[place] = _text(value)
    return row + cells


def _record_rows(records: Records) -> Iterator[list[str]]:
    """The names of all records in order of first appearance, as an older server may leave some out."""
    columns: dict[str, int] = {}
    for record in records:
        for name, _ in record.parts if isinstance(record, Record) else ():
            columns.setdefault(name, len(columns))
    if columns:
        yield list(columns)
    for record in records:
        if not isinstance(record, Record):
            yield _flat(record.reply)
            continue
        row = [""] * len(columns)
        for name, value in record.parts:
            row[columns[name]] = _cell(value)
        yield row


def cell(reply: Reply) -> str:
    """A leaf as text, empty for a null; what is nested in JSON."""
    return _cell(Value(reply))


def _cell(shape: Shape) -> str:
    """A leaf as text; a nested part in JSON."""
    if isinstance(shape, Value) and not isinstance(shape.reply, (list, Map, Set, Push)):
        return _leaf(shape.reply)
    from streamcli.render.jsonl import compact

    return compact(shape)


def _plain_rows(reply: Reply) -> Iterator[list[str]]:
    if isinstance(reply, Map):
        for key, value in reply:
            yield _flat(key) + _flat(value)
        return
    items = reply.items if isinstance(reply, (Set, Push)) else reply
    if not isinstance(items, list):
        yield [_leaf(items)]
        return
    for item in items:
        yield _flat(item)


def _flat(reply: Reply) -> list[str]:
    """The leaves of a reply, in order."""
    return [_leaf(leaf) for leaf in leaves(reply)]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")


def _leaf(reply: Reply) -> str:
    if isinstance(reply, bytes):
        return _text(reply)
    if isinstance(reply, (Simple, Error)):
        return _text(reply.text.encode("utf-8", "surrogateescape"))
    if isinstance(reply, Verbatim):
        return _text(reply.data)
    if isinstance(reply, bool):
        return "true" if reply else "false"
    return "" if is_null(reply) else str(reply)
