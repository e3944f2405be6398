"""Tree: the reply's parts by name, nested, with what is not data beside it, dimmed.

For reading, and still exact: strings are quoted (names only when they must be),
integers are bare, nulls say `(nil)`. Dates, spans of time and the sizes of
nested arrays are said by us, not by the server, and are dimmed.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final, TypeAlias

from streamcli.render import Options
from streamcli.render import shape as shapes
from streamcli.render.flow import run
from streamcli.render.raw import answers_text
from streamcli.render.shape import Batch, Counts, Entries, Entry, Ids, Record, Records, Streams, Told, Value, read_entry
from streamcli.reply import Arriving, Error, Map, Nil, Push, Set, Simple, Verbatim
from streamcli.text import bare, columns, escaped, escaped_all, quoted, visible
from streamcli.times import date_text, id_date, span_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streamcli.render import Call
    from streamcli.render.flow import Flow
    from streamcli.render.shape import EntryParts, Shape
    from streamcli.reply import Reply

    Parts: TypeAlias = "list[tuple[str, Shape]] | _MapParts"

_WIDEST_NAME: Final = 24
_NAMES_LOOKED_AT: Final = 1000  # of a map without end, so that its first line comes at once
_TEMPLATES_KEPT: Final = 256
_ROW_MOST, _ROW_WIDEST = 8, 100  # values, and columns of them all
_IN_A_ROW: Final = frozenset({bytes, int, float, bool, type(None)})

_RESET: Final = "\x1b[0m"
_PALETTE: Final = {
    "title": "\x1b[1m",
    "id": "\x1b[1m",
    "name": "\x1b[36m",
    "string": "\x1b[32m",
    "number": "\x1b[35m",
    "error": "\x1b[31m",
    "dim": "\x1b[2m",
}


def render(reply: Reply, call: Call | None, options: Options) -> Iterator[str]:
    """Chunks of the tree: an entry with its fields is one."""
    if answers_text(call) and isinstance(reply, (bytes, Verbatim)):
        data = reply if isinstance(reply, bytes) else reply.data
        reply = Verbatim("txt", data)
    return lines(shapes.shape_of(reply, call), options)


def lines(shape: Shape, options: Options) -> Iterator[str]:
    """Chunks of the tree of a shape."""
    return run(_Tree(options).top(_read(shape)))


class _Tree:
    """The drawing of one reply.

    `gap` is what stands left of a line; a list *under* something hangs on
    connectors, one at the top stands free.
    """

    def __init__(self, options: Options) -> None:
        palette = _PALETTE if options.color else dict.fromkeys(_PALETTE, "")
        self._reset = _RESET if options.color else ""
        self._title = palette["title"]
        self._id = palette["id"]
        self._name = palette["name"]
        self._string = palette["string"]
        self._number = palette["number"]
        self._error = palette["error"]
        self._dim = palette["dim"]
        mid, last, bar = ("├─ ", "└─ ", "│  ") if options.unicode else ("|- ", "`- ", "|  ")
        self._mid = palette["dim"] + mid + self._reset
        self._last = palette["dim"] + last + self._reset
        self._bar = palette["dim"] + bar.rstrip() + self._reset + "  "
        self._templates: dict[tuple[str, tuple[bytes, ...]], str] = {}

    def top(self, shape: Shape) -> Flow:
        """The chunks of a whole reply."""
        if isinstance(shape, Value) and isinstance(shape.reply, Verbatim):
            yield visible(_page(shape.reply.data))
            return
        line = self._line(shape)
        if line is not None:
            yield line
            return
        parts = _parts(shape)
        if parts is not None:
            yield self._named(parts, "")
        else:
            yield self._list(shape, "", hanging=_is_nested(shape))

    # One line: leaves, and containers without items.

    def _line(self, shape: Shape) -> str | None:
        """The shape in one line; None when it needs lines of its own."""
        if isinstance(shape, Value):
            return self._leaf(shape.reply, shape.unit)
        if isinstance(shape, Entry):
            return None
        if isinstance(shape, shapes.Items):
            return None if shape.items else self._say("(empty)")
        if isinstance(shape, (Streams, Counts)):
            return None if shape.pairs else self._say("(empty)")
        return None if shape.parts else self._say("(empty)")

    def _leaf(self, reply: Reply, unit: str = "") -> str | None:
        if isinstance(reply, bytes):
            if unit == shapes.ID:
                return self._id_text(reply)
            return f"{self._string}{quoted(reply)}{self._reset}"
        if isinstance(reply, bool):
            return f"{self._number}{'(true)' if reply else '(false)'}{self._reset}"
        if isinstance(reply, int):
            return f"{self._number}{reply}{self._reset}" + self._meaning(reply, unit)
        if isinstance(reply, float):
            return f"{self._number}{reply!r}{self._reset}"
        if isinstance(reply, Simple):
            return _one_line(reply.text) or self._say("(empty)")
        if isinstance(reply, Error):
            return f"{self._error}(error){self._reset} {_one_line(reply.text)}".rstrip()
        if isinstance(reply, Verbatim):
            return f"{self._string}{quoted(reply.data)}{self._reset}"
        if reply is None or isinstance(reply, Nil):
            return self._say("(nil)")
        size = len(reply.items) if isinstance(reply, (Set, Push)) else len(reply)
        return None if size else self._say("(empty)")

    def _meaning(self, number: int, unit: str) -> str:
        """What a count of milliseconds comes to, after two blanks."""
        if unit in (shapes.UNIX_MS, shapes.LAST_MS) and number == -1:
            return self._aside("never")
        if unit == shapes.UNIX_MS:
            return self._aside(date_text(number))
        return self._aside(span_text(number)) if unit else ""

    def _id_text(self, id: bytes) -> str:
        return f"{self._id}{bare(id)}{self._reset}{self._aside(id_date(id))}"

    def _say(self, words: str) -> str:
        return f"{self._dim}{words}{self._reset}"

    def _aside(self, words: str) -> str:
        return f"  {self._dim}{words}{self._reset}" if words else ""

    # Many lines.

    def _named(self, parts: Parts, gap: str) -> Flow:
        """Names with their values in a column; what needs lines of its own stands below its name."""
        width = 0
        for name, value in islice(parts, _NAMES_LOOKED_AT):
            if self._line(value) is not None:
                width = max(width, columns(name))
        width = min(width, _WIDEST_NAME)
        for name, value in parts:
            label = f"{gap}{self._name}{name}{self._reset}"
            line = self._line(value)
            if line is not None:
                padding = " " * (width - columns(name))
                yield f"{label}{padding}  {line}"
                continue
            yield label
            inner = _parts(value)
            if inner is not None:
                yield self._named(inner, gap + "  ")
            else:
                yield self._list(value, gap, hanging=True)

    def _list(self, shape: Shape, gap: str, hanging: bool) -> Flow:
        """The items of a list, each with its own lines below it."""
        if isinstance(shape, Entries):
            yield self._entries(shape.items, gap, hanging)
            return
        if isinstance(shape, Entry):
            yield self._entries([shape.item], gap, hanging)
            return
        items, count = _items(shape)
        widest = 0
        if isinstance(shape, Counts):
            widest = max([columns(bare(name)) for name, _ in shape.pairs[:_NAMES_LOOKED_AT]])
        widest = min(widest, _WIDEST_NAME)
        for number, item in enumerate(items, 1):
            head, below = self._hang(gap, number == count) if hanging else (gap, gap)
            if isinstance(item, tuple):
                padding = " " * (widest - columns(item[0]))
                yield self._titled(f"{self._title}{item[0]}{self._reset}{padding}", item[1], head, below)
            elif hanging and (row := self._row(item)) is not None:
                yield head + row
            else:
                yield self._item(item, head, below)

    def _row(self, shape: Shape) -> str | None:
        """A short array of some values in one line, as those of a member and its score; None for anything else."""
        items = shape.reply if type(shape) is Value else None
        if type(items) is not list or not 1 < len(items) <= _ROW_MOST or not _IN_A_ROW.issuperset(map(type, items)):
            return None
        row = "  ".join([self._leaf(item) or "" for item in items])
        painted = len(items) * (len(self._string) + len(self._reset))  # the codes of all kinds are about as long
        return row if columns(row) - painted <= _ROW_WIDEST else None

    def _hang(self, gap: str, last: bool) -> tuple[str, str]:
        """What stands before an item's first line, and before the others."""
        return (gap + self._last, gap + "   ") if last else (gap + self._mid, gap + self._bar)

    def _titled(self, title: str, shape: Shape, head: str, below: str) -> Flow:
        """A list under a name, or a count beside it."""
        line = self._line(shape)
        if line is not None:
            yield f"{head}{title}  {line}"
            return
        yield head + title
        yield self._list(shape, below, hanging=True)

    def _item(self, shape: Shape, head: str, below: str) -> Flow:
        """One item which has no name, or bears it itself."""
        line = self._line(shape)
        if line is not None:
            yield head + line
            return
        if isinstance(shape, Record):
            first = shape.parts[0][1]
            named = isinstance(first, Value) and isinstance(first.reply, bytes)
            yield head + (self._record_title(first) if named else self._say(f"({len(shape.parts)} fields)"))
            yield self._named(_shown(shape.parts[1:] if named else shape.parts), below + "  ")
            return
        yield head + self._say(_size(shape))
        parts = _parts(shape)
        if parts is not None:
            yield self._named(parts, below + "  ")
        else:
            yield self._list(shape, below, hanging=True)

    def _record_title(self, first: Shape) -> str:
        assert isinstance(first, Value)
        assert isinstance(first.reply, bytes)
        if first.unit == shapes.ID:
            return self._id_text(first.reply)
        return f"{self._title}{bare(first.reply)}{self._reset}"

    # Entries: the path of every long reply.

    def _entries(self, items: list[Reply], gap: str, hanging: bool) -> Flow:
        head, below = self._hang(gap, last=False) if hanging else (gap, gap)
        under = below + "  "
        final = len(items)
        for number, item in enumerate(items, 1):
            if hanging and number == final:
                head, below = self._hang(gap, last=True)
                under = below + "  "
            entry = read_entry(item)
            if entry is None:
                yield self._item(Value(item), head, below)
            elif entry[1]:
                yield f"{head}{self._entry_title(entry)}\n{self._fields(entry[1], under)}"
            else:
                yield f"{head}{self._entry_title(entry)}  {self._say('(deleted)' if entry[1] is None else '(empty)')}"

    def _entry_title(self, entry: EntryParts) -> str:
        title = self._id_text(entry[0])
        if entry[2] is None:
            return title
        idle, deliveries = entry[2]
        return (
            f"{title}  {self._name}idle{self._reset} {self._leaf(idle, shapes.SPAN_MS)}"
            f"  {self._name}deliveries{self._reset} {self._leaf(deliveries)}"
        )

    def _fields(self, fields: list[bytes], gap: str) -> str:
        """The lines of an entry's fields; entries of the same names share one template."""
        names = tuple(fields[::2])
        values = fields[1::2]
        template = self._templates.get((gap, names))
        if template is None:
            template = self._template(names, gap)
        texts = escaped_all(values)
        return template % tuple([escaped(value) for value in values] if texts is None else texts)

    def _template(self, names: tuple[bytes, ...], gap: str) -> str:
        shown = [bare(name) for name in names]
        widths = [columns(name) for name in shown]
        width = min(max(widths), _WIDEST_NAME)
        lines = [
            f'{gap}{self._name}{name}{self._reset}{" " * (width - own)}  {self._string}"'.replace("%", "%%")
            + f'%s"{self._reset}'
            for name, own in zip(shown, widths, strict=True)
        ]
        if len(self._templates) >= _TEMPLATES_KEPT:
            self._templates.clear()
        template = self._templates[gap, names] = "\n".join(lines)
        return template


def _read(shape: Shape) -> Shape:
    """In the form that is best to read."""
    return shape.form() if isinstance(shape, Told) else shape


def _is_nested(shape: Shape) -> bool:
    """Has a list lists inside? Its items then hang on connectors, or it could not be told from them."""
    if not isinstance(shape, Value):
        return False
    items = shape.reply.items if isinstance(shape.reply, (Set, Push)) else shape.reply
    if not isinstance(items, list):
        return False
    looked_at = [items[0]] if isinstance(items, Arriving) else items
    return any(isinstance(item, (list, Map, Set, Push)) for item in looked_at)


def _parts(shape: Shape) -> Parts | None:
    """Named parts, ready to be shown; None for a list."""
    if isinstance(shape, Record):
        return _shown(shape.parts)
    if isinstance(shape, Batch):
        return [(_one_line(title), _read(answer)) for title, answer in shape.parts]
    if isinstance(shape, Value) and isinstance(shape.reply, Map):
        return _MapParts(shape.reply)
    return None


def _shown(parts: list[tuple[str, Shape]]) -> list[tuple[str, Shape]]:
    return [(bare(name.encode("utf-8", "surrogateescape")), value) for name, value in parts]


class _MapParts:
    """The pairs of a map as named parts, made as they are asked for."""

    def __init__(self, map: Map) -> None:
        self._map = map

    def __len__(self) -> int:
        return len(self._map)

    def __iter__(self) -> Iterator[tuple[str, Shape]]:
        for key, value in self._map:
            yield bare(key) if isinstance(key, bytes) else _inline(key), Value(value)


def _items(shape: Shape) -> tuple[Iterator[Shape | tuple[str, Shape]], int]:
    """The items of any list but of entries, with a title where they have one; and how many."""
    if isinstance(shape, Records):
        return iter(shape), len(shape.items)
    if isinstance(shape, Ids):
        return (Value(item, shapes.ID) for item in shape.items), len(shape.items)
    if isinstance(shape, Streams):
        return ((bare(name), Entries(items)) for name, items in shape.pairs), len(shape.pairs)
    if isinstance(shape, Counts):
        return ((bare(name), Value(count)) for name, count in shape.pairs), len(shape.pairs)
    assert isinstance(shape, Value)
    items = shape.reply.items if isinstance(shape.reply, (Set, Push)) else shape.reply
    assert isinstance(items, list)
    return (Value(item) for item in items), len(items)


def _size(shape: Shape) -> str:
    """What a nested container without a name is called."""
    reply = shape.reply if isinstance(shape, Value) else None
    if isinstance(reply, Map):
        return f"(map of {len(reply)})"
    if isinstance(reply, Set):
        return f"(set of {len(reply.items)})"
    if isinstance(reply, Push):
        return f"(push of {len(reply.items)})"
    return f"(array of {len(reply)})" if isinstance(reply, list) else "(list)"


def _inline(reply: Reply) -> str:
    """A map's key that is no string, in one line whatever it is."""
    return "".join(run(_inline_pieces(reply)))


def _inline_pieces(reply: Reply) -> Flow:
    comma = ""
    if isinstance(reply, Map):
        yield "{"
        for key, value in reply:
            yield comma
            yield _inline_pieces(key)
            yield ": "
            yield _inline_pieces(value)
            comma = ", "
        yield "}"
        return
    items = reply.items if isinstance(reply, (Set, Push)) else reply
    if not isinstance(items, list):
        yield _Tree(Options())._leaf(items) or ""
        return
    yield "["
    for item in items:
        yield comma
        yield _inline_pieces(item)
        comma = ", "
    yield "]"


def _one_line(text: str) -> str:
    return visible(text).replace("\n", "\\n").rstrip()


def _page(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape").replace("\r\n", "\n").removesuffix("\n")
