"""Rows of a tool's own, in every format: for people, or exactly.

| format | a report |
|---|---|
| table, tree | what things come to: `5m 3s`, `1.2 MB`, `12.5/s`; `unknown`, and `-` for what is not there |
| json, jsonl | objects by the columns' names: the numbers themselves, null for what is unknown |
| csv | a header, the numbers themselves, an empty cell for what is unknown |
| raw | the same, a tab between values, no header |
| classic | as redis-cli shows an array of arrays of names and values |

Times are Unix times in ms, spans are ms, in the formats for programs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple

from streamcli.render import grid
from streamcli.render.grid import Aside, Either, Head
from streamcli.render.shape import ID, LAST_MS, SPAN_MS, UNIX_MS, Record, Records, Value, record
from streamcli.reply import NIL_ARRAY, Map, Nil, Reply, Simple
from streamcli.text import plain
from streamcli.times import date_text, span_text

if TYPE_CHECKING:
    from streamcli.render import Options
    from streamcli.render.shape import Shape
    from streamcli.tools.job import Job

BYTES, RATE, COUNT = "bytes", "rate", "count"
UNKNOWN: Final = NIL_ARRAY
"""In a row: there is a value, and nobody knows it. None: there is none."""

_SIZES: Final = ("kB", "MB", "GB", "TB", "PB", "EB")


class Column(NamedTuple):
    """`unit`: "", ID, SPAN_MS, LAST_MS, UNIX_MS, BYTES, RATE (a second) or COUNT.

    `none` is what people are told of a None; `people` makes the text of a value
    that has no unit; `alarms` says which values should catch the eye. `detail`
    is left out of tables. A name's `_ms` at the end is for programs alone.
    """

    name: str
    unit: str = ""
    none: str = "-"
    people: Callable[[Reply], str] | None = None
    alarms: Callable[[Reply], bool] | None = None
    detail: bool = False

    @property
    def title(self) -> str:
        """The name as people read it."""
        return self.name.removesuffix("_ms").replace("_", " ")


def report(
    job: Job, columns: Sequence[Column], rows: Iterable[Sequence[Reply]], default: str = "table", *, live: bool = False
) -> None:
    """Show rows in the format that the user has chosen, else in `default`; `live`: each as it comes."""
    job.show(chunks(job.format or default, columns, rows, job.options, live=live), live=live)


def single(job: Job, columns: Sequence[Column], row: Sequence[Reply], default: str) -> None:
    """Show one thing: as `report`, but in JSON it is the object itself, and no list."""
    if job.format != "json":
        report(job, columns, [row], default)
        return
    from streamcli.render.json import whole

    job.show(whole(_record(columns, row)))


def chunks(
    format: str, columns: Sequence[Column], rows: Iterable[Sequence[Reply]], options: Options, *, live: bool = False
) -> Iterator[str]:
    """The rows as chunks of lines; `live` rows are not waited for to find a layout."""
    if format == "table":
        return _table(columns, rows, options, live)
    if format == "tree":
        return _tree(columns, rows, options)
    if format == "json":
        return _json(columns, rows)
    if format == "jsonl":
        from streamcli.render.jsonl import compact

        return (compact(_record(columns, row)) for row in rows)
    if format == "csv":
        from streamcli.render import csv

        head = [column.name for column in columns]
        return csv.written(chain((head,), ([csv.cell(value) for value in row] for row in rows)), options)
    if format == "raw":
        return (_raw(row, options) for row in rows)
    from streamcli.render import classic

    listed: list[Reply] = [[word for pair in _pairs(columns, row) for word in pair] for row in rows]
    return classic.render(listed, None, options)


# -- for people ------------------------------------------------------------------------------


def text(column: Column, value: Reply) -> str:
    """A value as people read it, in one line that is safe to look at."""
    if isinstance(value, Nil):
        return Aside("unknown")
    if value is None:
        return Aside(column.none)
    if column.people is not None:
        return column.people(value)
    shown = units(column.unit, value)
    return grid.Alarm(shown) if column.alarms is not None and column.alarms(value) else shown


def units(unit: str, value: Reply) -> str:
    """A value with its unit."""
    from streamcli.render.table import cell

    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return cell(value)
    if unit == BYTES:
        return size_text(int(value))
    if unit == RATE:
        return rate_text(value)
    if unit == COUNT:
        return f"{int(value):,}"
    if unit in (SPAN_MS, LAST_MS):
        return Aside("never") if unit == LAST_MS and value < 0 else span_text(int(value)) or f"{int(value)}ms"
    if unit == UNIX_MS:
        return _date(int(value))
    return cell(value)


def _date(unix_ms: int) -> str:
    """A date, and how long ago it was for where that is too long."""
    from streamcli.tools.job import now_ms

    date = date_text(unix_ms)
    return Either(date, ago_text(now_ms() - unix_ms)) if date else Aside("no time")


def ago_text(ms: int) -> str:
    """`5m 3s ago`, `in 2h 1m`, `now` within a second."""
    span = span_text(abs(ms))
    return "now" if not span else f"{span} ago" if ms > 0 else f"in {span}"


def size_text(count: int) -> str:
    """`812 B`, `1.2 MB`: three digits at most."""
    size, unit = float(count), "B"
    for greater in _SIZES:
        if size < 999.5:
            break
        size, unit = size / 1000, greater
    return f"{size:.1f} {unit}" if size < 9.95 and unit != "B" else f"{size:.0f} {unit}"


def rate_text(rate: float) -> str:
    """`12.5/s`, `1,204/s`: as many digits as it is worth; `4.2/h`, `1.1/d` of what would be 0.00/s."""
    if rate == 0:
        return "0/s"
    if rate < 0.005:
        many, unit = (rate * 3600, "h") if rate * 3600 >= 0.95 else (rate * 86_400, "d")
        return f"{many:.0f}/{unit}" if many >= 9.95 else f"{many:.1f}/{unit}" if many >= 0.05 else "<0.1/d"
    return f"{rate:,.0f}/s" if rate >= 99.95 else f"{rate:.1f}/s" if rate >= 0.95 else f"{rate:.2f}/s"


def _table(columns: Sequence[Column], rows: Iterable[Sequence[Reply]], options: Options, live: bool) -> Iterator[str]:
    shown = [(at, column) for at, column in enumerate(columns) if not column.detail]

    def heads(first: list[Sequence[Reply]]) -> list[Head]:
        return [
            Head(column.title, at == 0, _is_right(column, [row[at] for row in first]), column.unit == ID)
            for at, column in shown
        ]

    def cells(row: Sequence[Reply]) -> list[str]:
        return [text(column, row[at]) for at, column in shown]

    return grid.lines(rows, heads, cells, options, looked_at=1 if live else grid.LOOKED_AT)


def _is_right(column: Column, values: list[Reply]) -> bool | None:
    """Numbers stand right; but a time among dates stands left as they do."""
    if column.unit in (BYTES, RATE, COUNT, SPAN_MS, LAST_MS):
        return True
    if column.unit or column.people is not None or any(isinstance(value, bytes) for value in values):
        return False
    return any(isinstance(value, (int, float)) for value in values)


def _tree(columns: Sequence[Column], rows: Iterable[Sequence[Reply]], options: Options) -> Iterator[str]:
    """A name, and below it each part in a line; the whole is one list, as its last item has another corner."""
    from streamcli.render import tree

    names = [column.title.replace(" ", "-") for column in columns]

    def read(row: Reply) -> Record | None:
        assert isinstance(row, list)
        parts = [(name, _told(column, value)) for name, column, value in zip(names, columns, row, strict=True)]
        return Record(parts)

    items: list[Reply] = [list(row) for row in rows]
    return tree.lines(Records(items, read), options)


def _told(column: Column, value: Reply) -> Shape:
    """A part of the tree: with the tree's own units, or in our words."""
    if isinstance(value, list) and value and all(isinstance(item, Map) for item in value):
        return Records(value, record)
    if isinstance(value, (bytes, list, Map)) or (
        column.unit in ("", SPAN_MS, LAST_MS, UNIX_MS) and isinstance(value, int)
    ):
        return Value(value, column.unit)
    return Value(Simple(text(column, value)))


# -- for programs -----------------------------------------------------------------------------


def _pairs(columns: Sequence[Column], row: Sequence[Reply]) -> Iterator[tuple[bytes, Reply]]:
    for column, value in zip(columns, row, strict=True):
        yield column.name.encode(), value


def _record(columns: Sequence[Column], row: Sequence[Reply]) -> Record:
    return Record([(column.name, Value(value)) for column, value in zip(columns, row, strict=True)])


def _json(columns: Sequence[Column], rows: Iterable[Sequence[Reply]]) -> Iterator[str]:
    """One array, each row written as it comes."""
    from streamcli.render.json import item

    begun = False
    before: Record | None = None
    for row in rows:
        if before is not None:
            if not begun:
                yield "["
            begun = True
            yield from item(before, ",")
        before = _record(columns, row)
    if before is None:
        yield "[]"
        return
    if not begun:
        yield "["
    yield from item(before, "")
    yield "]"


def _raw(row: Sequence[Reply], options: Options) -> str:
    from streamcli.render.jsonl import compact

    words = []
    for value in row:
        if isinstance(value, bytes):
            words.append(value.decode("utf-8", "surrogateescape"))
        elif isinstance(value, Simple):
            words.append(value.text)
        elif value is None or isinstance(value, Nil):
            words.append("")
        else:
            words.append(compact(Value(value)))
    return "\t".join([plain(word.encode("utf-8", "surrogateescape")) for word in words] if options.terminal else words)
