"""JSON lines: one compact object a line, for `jq`, `grep` and friends.

An entry is a line, with its stream when the reply names streams; a read that
found nothing is no line at all. A record or a pending row is a line. Any other
reply is one line. The values are those of `json`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streamcli.render.flow import run
from streamcli.render.json import elements, members, scalar, string
from streamcli.render.shape import Entries, Entry, NoEntries, Record, Records, Streams, Value, read_entry, shape_of
from streamcli.reply import Map
from streamcli.text import escaped_all

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streamcli.render import Call, Options
    from streamcli.render.flow import Flow
    from streamcli.render.shape import EntryParts, Shape
    from streamcli.reply import Reply


def render(reply: Reply, call: Call | None, options: Options) -> Iterator[str]:
    """One chunk an entry, a record or a reply."""
    shape = shape_of(reply, call)
    if isinstance(shape, NoEntries):
        return
    if isinstance(shape, Entries):
        yield from _entry_lines(shape, "{")
    elif isinstance(shape, Streams):
        for name, items in shape.pairs:
            yield from _entry_lines(Entries(items), f'{{"stream":{string(name, ":")},')
    elif isinstance(shape, Records):
        for record in shape:
            yield compact(record)
    else:
        yield compact(shape)


def _entry_lines(entries: Entries, head: str) -> Iterator[str]:
    for item in entries.items:
        entry = read_entry(item)
        yield compact(Value(item)) if entry is None else entry_line(entry, head)


def entry_line(entry: EntryParts, head: str = "{") -> str:
    """An entry as one line; `head` is what stands before its ID."""
    id, fields, claim = entry
    more = "" if claim is None else f',"idle":{scalar(claim[0], ":")},"deliveries":{scalar(claim[1], ":")}'
    return f'{head}"id":{string(id, ":")},"fields":{_fields(fields)}{more}}}'


def _fields(fields: list[bytes] | None) -> str:
    if fields is None:
        return "null"
    if not fields:
        return "[]"
    texts = escaped_all(fields)
    if texts is None:
        words = [string(word, ":") for word in fields]
        return f"[{','.join([f'[{a},{b}]' for a, b in zip(words[::2], words[1::2], strict=True)])}]"
    halves = iter(texts)
    return '[["' + '"],["'.join([f'{name}","{value}' for name, value in zip(halves, halves, strict=True)]) + '"]]'


def compact(shape: Shape) -> str:
    """Any shape in one line of JSON without blanks."""
    return "".join(run(_pieces(shape)))


def _pieces(shape: Shape) -> Flow:
    text = scalar(shape.reply, ":") if isinstance(shape, Value) else None
    if text is not None:
        yield text
        return
    if isinstance(shape, Entries):
        yield f"[{','.join(_entry_lines(shape, '{'))}]"
        return
    if isinstance(shape, Entry):
        entry = read_entry(shape.item)
        yield entry_line(entry) if entry else "null"
        return
    named = shape if isinstance(shape, Record) else shape.reply if isinstance(shape, Value) else None
    parts = members(named) if isinstance(named, (Record, Map)) else None
    comma = ""
    if parts is not None:
        yield "{"
        for name, value in parts:
            yield f"{comma}{name}:"
            yield _pieces(value)
            comma = ","
        yield "}"
        return
    yield "["
    for item in elements(shape)[0]:
        yield comma
        yield _pieces(item)
        comma = ","
    yield "]"
