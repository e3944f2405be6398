"""JSON: one document a reply, indented by two, written as it is read.

| reply | document |
|---|---|
| integer, double, null, boolean | the same; `inf`, `-inf` and `nan` as strings |
| string, status, verbatim | a string; `{"base64": "..."}` when it is not UTF-8 |
| error within a reply, or alone | `{"error": "ERR ..."}` |
| array, set, push | an array |
| map | an object when its keys are distinct strings, else an array of pairs |
| entry | `{"id": "1-1", "fields": [["name", "value"], ...]}`; fields null when deleted |
| entry of a CLAIM | the same, and `idle`, `deliveries` |
| XREAD, XREADGROUP | `[{"stream": "a", "entries": [...]}, ...]`, as a stream can come twice |
| XINFO, XPENDING, XAUTOCLAIM | objects by name |

Characters that are hard to see (DEL, C1, bidi, zero-width) are `\\uXXXX`.
"""

from __future__ import annotations

from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Final

from streamcli.render.flow import run
from streamcli.render.shape import (
    Batch,
    Counts,
    Entries,
    Entry,
    Ids,
    Record,
    Records,
    Streams,
    Value,
    read_entry,
    shape_of,
)
from streamcli.reply import Error, Map, Nil, Push, Set, Simple, Verbatim
from streamcli.text import escaped_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from streamcli.render import Call, Options
    from streamcli.render.flow import Flow
    from streamcli.render.shape import EntryParts, Shape
    from streamcli.reply import Reply

_STEP: Final = "  "
_TEMPLATES_KEPT: Final = 256


class _Table(dict[int, str]):
    """A table for `str.translate`: what is printable to itself, the rest to JSON's escape for it."""

    def __missing__(self, code: int) -> str:
        if chr(code).isprintable() or code == 0x3000:
            return chr(code)
        if code < 0x10000:
            return f"\\u{code:04x}"
        high, low = divmod(code - 0x10000, 0x400)
        return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"


_escapes: Final = _Table()


def render(reply: Reply, call: Call | None, options: Options) -> Iterator[str]:
    """Chunks of one document."""
    return run(_Document().write(shape_of(reply, call), "", "", ""))


def item(shape: Shape, tail: str) -> Iterator[str]:
    """Chunks of an element of an array that somebody else begins and ends; `tail` is its comma, or nothing."""
    return run(_Document().write(shape, _STEP, "", tail))


def whole(shape: Shape) -> Iterator[str]:
    """Chunks of one document."""
    return run(_Document().write(shape, "", "", ""))


def string(data: bytes, colon: str = ": ") -> str:
    """A string, or an object with its base64 when it is not UTF-8; `colon` stands between name and value."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        from binascii import b2a_base64

        return f'{{"base64"{colon}"{b2a_base64(data, newline=False).decode()}"}}'
    return _string(text)


def _string(text: str) -> str:
    quoted = encode_basestring(text)
    return quoted if quoted.isprintable() else quoted.translate(_escapes)


def _text(text: str, colon: str = ": ") -> str:
    return string(text.encode("utf-8", "surrogateescape"), colon)


def scalar(reply: Reply, colon: str = ": ") -> str | None:
    """A leaf, or a container without items, in JSON; None for one with items."""
    if isinstance(reply, bytes):
        return string(reply, colon)
    if isinstance(reply, bool):
        return "true" if reply else "false"
    if isinstance(reply, int):
        return str(reply)
    if isinstance(reply, float):
        finite = reply - reply == 0
        return repr(reply) if finite else f'"{reply}"'
    if isinstance(reply, Simple):
        return _text(reply.text, colon)
    if isinstance(reply, Error):
        return f'{{"error"{colon}{_text(reply.text, colon)}}}'
    if isinstance(reply, Verbatim):
        return string(reply.data, colon)
    if reply is None or isinstance(reply, Nil):
        return "null"
    if isinstance(reply, Map):
        return None if reply.pairs else "{}"
    items = reply.items if isinstance(reply, (Set, Push)) else reply
    return None if items else "[]"


def names_of(pairs: Map) -> list[str] | None:
    """The keys of an object, in JSON; None unless they are distinct UTF-8 strings."""
    names: list[str] = []
    for key, _ in pairs:
        if not isinstance(key, (bytes, Simple, Verbatim)):
            return None
        name = scalar(key)
        if name is None or not name.startswith('"'):
            return None
        names.append(name)
    return names if len(set(names)) == len(names) else None


def members(shape: Record | Map) -> list[tuple[str, Shape]] | None:
    """The members of an object, names in JSON; None for a map which has to be pairs."""
    if isinstance(shape, Record):
        return [(_text(name), value) for name, value in shape.parts]
    names = names_of(shape)
    if names is None:
        return None
    return [(name, Value(value)) for name, (_, value) in zip(names, shape.pairs, strict=True)]


def elements(shape: Shape) -> tuple[Iterable[Shape], int]:
    """The elements of what JSON calls an array, and how many."""
    if isinstance(shape, Records):
        return shape, len(shape.items)
    if isinstance(shape, Ids):
        return (Value(item) for item in shape.items), len(shape.items)
    if isinstance(shape, Streams):
        return (Record([("stream", Value(name)), ("entries", Entries(items))]) for name, items in shape.pairs), len(
            shape.pairs
        )
    if isinstance(shape, Counts):
        return (Record([("name", Value(name)), ("pending", Value(count))]) for name, count in shape.pairs), len(
            shape.pairs
        )
    if isinstance(shape, Batch):
        return (answer for _, answer in shape.parts), len(shape.parts)
    reply = shape.reply if isinstance(shape, Value) else None
    if isinstance(reply, Map):
        return (Value([key, value]) for key, value in reply), len(reply)
    items = reply.items if isinstance(reply, (Set, Push)) else reply
    return ((Value(item) for item in items), len(items)) if isinstance(items, list) else ((), 0)


class _Document:
    """The writing of one document.

    `gap` stands left of every line, `head` begins the first one (a member's
    name) and `tail` ends the last one (a comma).
    """

    def __init__(self) -> None:
        self._templates: dict[tuple[str, tuple[bytes, ...]], str] = {}

    def write(self, shape: Shape, gap: str, head: str, tail: str) -> Flow:
        """The chunks of a value."""
        if isinstance(shape, Value):
            text = scalar(shape.reply)
            if text is not None:
                yield gap + head + text + tail
                return
        if isinstance(shape, Entries):
            yield self._entries(shape, gap, head, tail)
            return
        if isinstance(shape, Entry):
            entry = read_entry(shape.item)
            yield self._entry(entry, gap, head) + tail if entry else gap + head + "null" + tail
            return
        named = shape if isinstance(shape, Record) else shape.reply if isinstance(shape, Value) else None
        parts = members(named) if isinstance(named, (Record, Map)) else None
        if parts is not None:
            yield self._object(parts, gap, head, tail)
            return
        items, count = elements(shape)
        if not count:
            yield f"{gap}{head}[]{tail}"
            return
        yield f"{gap}{head}["
        for number, item in enumerate(items, 1):
            yield self.write(item, gap + _STEP, "", "," if number < count else "")
        yield f"{gap}]{tail}"

    def _object(self, parts: list[tuple[str, Shape]], gap: str, head: str, tail: str) -> Flow:
        yield f"{gap}{head}{{"
        for number, (name, value) in enumerate(parts, 1):
            yield self.write(value, gap + _STEP, f"{name}: ", "," if number < len(parts) else "")
        yield f"{gap}}}{tail}"

    def _entries(self, shape: Entries, gap: str, head: str, tail: str) -> Flow:
        count = len(shape.items)
        if not count:
            yield f"{gap}{head}[]{tail}"
            return
        yield f"{gap}{head}["
        inner = gap + _STEP
        for number, item in enumerate(shape.items, 1):
            entry = read_entry(item)
            comma = "," if number < count else ""
            if entry is None:
                yield self.write(Value(item), inner, "", comma)
            else:
                yield self._entry(entry, inner, "") + comma
        yield f"{gap}]{tail}"

    def _entry(self, entry: EntryParts, gap: str, head: str) -> str:
        id, fields, claim = entry
        lines = [f'{gap}{head}{{\n{gap}  "id": {string(id)},\n{gap}  "fields": ']
        lines.append("null" if fields is None else self._fields(fields, gap) if fields else "[]")
        if claim is not None:
            lines.append(f',\n{gap}  "idle": {scalar(claim[0])},\n{gap}  "deliveries": {scalar(claim[1])}')
        lines.append(f"\n{gap}}}")
        return "".join(lines)

    def _fields(self, fields: list[bytes], gap: str) -> str:
        """The pairs, each on its line; entries of the same names share one template."""
        names = tuple(fields[::2])
        texts = escaped_all(fields[1::2])
        if texts is None:
            pairs = [f"{gap}    [{string(name)}, {string(value)}]" for name, value in _paired(fields)]
            return "[\n" + ",\n".join(pairs) + f"\n{gap}  ]"
        template = self._templates.get((gap, names))
        if template is None:
            pairs = [f'{gap}    [{string(name).replace("%", "%%")}, "%s"]' for name in names]
            template = "[\n" + ",\n".join(pairs) + f"\n{gap}  ]"
            if len(self._templates) >= _TEMPLATES_KEPT:
                self._templates.clear()
            self._templates[gap, names] = template
        return template % tuple(texts)


def _paired(fields: list[bytes]) -> Iterable[tuple[bytes, bytes]]:
    return zip(fields[::2], fields[1::2], strict=True)
