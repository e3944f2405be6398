"""Entries that come one after the other as lines, in every format: one chunk an entry.

| format | an entry |
|---|---|
| tree | its ID with its time, its fields below; with several streams their names, as they take turns |
| json, jsonl | a line: `{"stream": "a", "id": "1-1", "fields": [["name", "value"], ...]}` |
| csv | `stream,id`, a column for each field of the first entry, and `other`: as JSON, what others have beside those |
| classic | as redis-cli shows an entry; with several streams with the stream's name |
| raw | ID, names and values, a line each; with several streams the stream's name first |
| table | a row: ID, time (on a terminal of 80 columns or more), the stream if there are several, and the fields |

Chosen fields are the only ones, in the order in which they were chosen: in csv
and table a column each, in raw one line with tabs in it. A field that is
repeated, or missing, has its values joined by ", " where it has one column.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from streamcli.render import Options, csv, grid, renderer
from streamcli.render.fields import Columns, distinct
from streamcli.render.grid import Either, Head
from streamcli.render.jsonl import compact
from streamcli.render.shape import Value
from streamcli.text import bare, plain
from streamcli.times import date_text
from streamcli.tools.conditions import values_of
from streamcli.tools.merging import Row

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streamcli.reply import Reply

Lines: TypeAlias = "Callable[[Sequence[Row]], Iterator[str]]"
"""One chunk for each row."""

TABLE: Final = "table"
_OTHER: Final = "other"
_HEADER_LINES: Final = 2
_ROOMY: Final = 80  # columns of a terminal from which on a table shows the time beside the ID
_OF_DAY: Final = 11  # where in a date the time of the day begins
_BOLD, _RESET = "\x1b[1m", "\x1b[0m"


class _Answered(NamedTuple):
    """A call as far as renderers look: these entries answer it."""

    command: _Named | None
    args: Mapping[str, object]


class _Named(NamedTuple):
    name: str


_XRANGE: Final = _Answered(_Named("XRANGE"), {})
_XREAD: Final = _Answered(_Named("XREAD"), {})


def lines_of(format: str, options: Options, fields: Sequence[bytes] | None, *, several: bool) -> Lines:
    """What makes lines in a format; `fields` are the chosen ones, `several` streams are shown."""
    if format == "csv":
        return _Csv(options, fields)
    if format == TABLE:
        return _Table(options, fields, several=several)
    if format == "raw" and fields is not None:
        return _tabbed(options, fields, several=several)
    if format == "tree":
        made: Lines = _Tree(options, several=several)
    elif format in ("json", "jsonl"):
        made = _jsonl(options)
    else:
        made = _plain(format, options, several=several)
    return made if fields is None else lambda rows: made(_chosen(rows, fields))


def _chosen(rows: Sequence[Row], names: Sequence[bytes]) -> list[Row]:
    return [
        row._replace(fields=[part for name in names for value in values_of(row.fields, name) for part in (name, value)])
        for row in rows
    ]


def _jsonl(options: Options) -> Lines:
    render = renderer("jsonl")

    def lines(rows: Sequence[Row]) -> Iterator[str]:
        for stream, group in _by_stream(rows):
            yield from render([[stream, _entries(group)]], _XREAD, options)

    return lines


def _plain(format: str, options: Options, *, several: bool) -> Lines:
    """classic and raw: each entry as an answer of its own."""
    render = renderer(format)

    def lines(rows: Sequence[Row]) -> Iterator[str]:
        for row in rows:
            entry: list[Reply] = [row.id.text, list(row.fields)]
            yield "\n".join(render([row.stream, *entry] if several else entry, None, options))

    return lines


def _tabbed(options: Options, fields: Sequence[bytes], *, several: bool) -> Lines:
    def lines(rows: Sequence[Row]) -> Iterator[str]:
        for row in rows:
            cells = [row.stream] * several + [row.id.text] + [_joined(row.fields, name) for name in fields]
            texts = (cell.decode("utf-8", "surrogateescape") for cell in cells)
            yield "\t".join([plain(cell) for cell in cells] if options.terminal else texts)

    return lines


def _joined(fields: list[bytes], name: bytes) -> bytes:
    return b", ".join(values_of(fields, name))


def _by_stream(rows: Iterable[Row]) -> Iterator[tuple[bytes, Iterator[Row]]]:
    return groupby(rows, key=lambda row: row.stream)


def _entries(rows: Iterable[Row]) -> list[Reply]:
    return [[row.id.text, row.fields] for row in rows]  # type: ignore[list-item]


class _Tree:
    """Remembers the stream that was shown last."""

    def __init__(self, options: Options, *, several: bool) -> None:
        self._options, self._several = options, several
        self._render = renderer("tree")
        self._shown: bytes | None = None

    def __call__(self, rows: Sequence[Row]) -> Iterator[str]:
        for stream, group in _by_stream(rows):
            chunks = self._render(_entries(group), _XRANGE, self._options)
            yield from self._under_a_name(stream, chunks) if self._several else chunks

    def _under_a_name(self, stream: bytes, chunks: Iterator[str]) -> Iterator[str]:
        for chunk in chunks:
            below = "  " + chunk.replace("\n", "\n  ")
            yield below if stream == self._shown else f"{self._title(stream)}\n{below}"
            self._shown = stream

    def _title(self, stream: bytes) -> str:
        return f"{_BOLD}{bare(stream)}{_RESET}" if self._options.color else bare(stream)


class _Fed:
    """Rows for who takes them one by one, of which some are given at a time."""

    def __init__(self) -> None:
        self._rows: deque[Row] = deque()

    def __iter__(self) -> Iterator[Row]:
        while True:
            yield self._rows.popleft()

    def lines(self, rows: Sequence[Row], chunks: Iterator[str], above: int) -> Iterator[str]:
        """A chunk for each row, the first one with so many `above` it."""
        self._rows.extend(rows)
        for _ in rows:
            yield "\n".join([next(chunks) for _ in range(above + 1)])
            above = 0


class _Csv:
    """The header stands before the first row, and says for good which columns there are."""

    def __init__(self, options: Options, fields: Sequence[bytes] | None) -> None:
        self._fields, self._fed = fields, _Fed()
        self._chunks = csv.written(self._rows(), options)
        self._above = 1

    def __call__(self, rows: Sequence[Row]) -> Iterator[str]:
        above, self._above = self._above if rows else 0, 0 if rows else self._above
        return self._fed.lines(rows, self._chunks, above)

    def _rows(self) -> Iterator[list[str]]:
        named = Columns()
        begun = False
        for row in self._fed:
            if not begun:
                begun = True
                names = row.fields[::2] if self._fields is None else self._fields
                named.learn(tuple(names))
                other = [_OTHER] if self._fields is None else []
                titles = distinct(["stream", "id", *other], map(csv.cell, names))
                yield ["stream", "id", *titles[2 + len(other) :], *other]
            cells = self._whole(row, named) if self._fields is None else [_joined(row.fields, n) for n in self._fields]
            yield [csv.cell(cell) for cell in (row.stream, row.id.text, *cells)]

    @staticmethod
    def _whole(row: Row, named: Columns) -> list[bytes]:
        cells = [b""] * len(named)
        other: list[Reply] = []
        names = tuple(row.fields[::2])
        for place, name, value in zip(named.places(names), names, row.fields[1::2], strict=True):
            if place < 0:
                other.append([name, value])
            else:
                cells[place] = value
        return [*cells, compact(Value(other)).encode() if other else b""]


class _Table:
    """Laid out by the entries that come first. A field that comes later stands behind its row, by its name."""

    def __init__(self, options: Options, fields: Sequence[bytes] | None, *, several: bool) -> None:
        self._options, self._several, self._fields = options, several, fields
        self._timed = not (options.terminal and options.width and options.width < _ROOMY)
        self._fed, self._named = _Fed(), Columns()
        self._chunks: Iterator[str] | None = None

    def __call__(self, rows: Sequence[Row]) -> Iterator[str]:
        if not rows:
            return iter(())
        if self._chunks is not None:
            return self._fed.lines(rows, self._chunks, 0)
        looked_at = min(len(rows), grid.LOOKED_AT)
        self._chunks = grid.lines(self._fed, self._heads, self._cells, self._options, looked_at=looked_at)
        return self._fed.lines(rows, self._chunks, _HEADER_LINES)

    def _heads(self, first: list[Row]) -> list[Head]:
        for row in first if self._fields is None else ():
            self._named.learn(tuple(row.fields[::2]))
        own = [Head("id", key=True, right=False, rigid=True)]
        own += [Head("time", right=False)] if self._timed else []
        own += [Head("stream", right=False)] if self._several else []
        names = list(self._named.names()) if self._fields is None else self._fields
        titles = distinct([head.name for head in own], map(plain, names))
        return [*own, *map(Head, titles[len(own) :])]

    def _cells(self, row: Row) -> list[str]:
        own = [str(row.id)]
        if self._timed:
            date = date_text(row.id.ms)
            own.append(Either(date, date[_OF_DAY:]))
        if self._several:
            own.append(plain(row.stream))
        if self._fields is not None:
            return [*own, *(plain(_joined(row.fields, name)) for name in self._fields)]
        cells = [""] * len(self._named)
        names = tuple(row.fields[::2])
        more = []
        for place, name, value in zip(self._named.places(names), names, row.fields[1::2], strict=True):
            if place < 0:
                more.append(f"{bare(name)}={bare(value)}")
            else:
                cells[place] = plain(value)
        return [*own, *cells, *more]
