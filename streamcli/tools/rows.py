"""Data from elsewhere: rows of CSV and plain JSON objects, as entries.

A column that holds IDs, or times, gives the entries theirs. Numbers stay as
they are written, what is nested becomes JSON text, what is null or an empty
cell is no field.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from io import TextIOWrapper
from itertools import groupby
from typing import IO, Any, Final

from streamcli.ids import U64_MAX
from streamcli.text import escaped
from streamcli.times import moment
from streamcli.tools.records import Batch, LineError

_AT_ONCE: Final = 500
_SHOWN: Final = 60  # characters of a cell that an error repeats
_TIMES: Final = ("time", "timestamp", "@timestamp", "ts", "datetime", "date")
_ID: Final = "id"
_STREAM: Final = "stream"
_CELL_MOST: Final = 2**31 - 1
_DELIMITERS: Final = ",;\t|"
_SECONDS_BELOW, _MS_BELOW, _US_BELOW = 10**11, 10**14, 10**17  # what a bare number counts, by how great it is


class _Number(str):
    """A number as it was written."""

    __slots__ = ()


_decoder: Final = json.JSONDecoder(parse_int=_Number, parse_float=_Number, parse_constant=_Number)


class Rows:
    """How rows become entries.

    `id` and `time` name the columns that were asked for; with `new_ids` neither is looked for.
    """

    def __init__(self, now_ms: int, *, id: str | None = None, time: str | None = None, new_ids: bool = False) -> None:
        self.decoder = _decoder
        self._now_ms = now_ms
        self._id, self._time = id, time
        self._looks = not new_ids and id is None and time is None
        self._last = (-1, -1)

    # -- JSON ----------------------------------------------------------------------------

    def batch(self, objects: list[Any], numbers: Sequence[int]) -> Batch:
        """The objects of plain JSON as entries. Raises LineError."""
        rows = []
        for value, number in zip(objects, numbers, strict=True):
            if not isinstance(value, dict):
                raise LineError(number, "it is no object: an entry is {name: value, ...}")
            rows.append([(name, _cell(one)) for name, one in value.items() if one is not None])
        return self._batch(rows, numbers)

    def _batch(self, rows: list[list[tuple[str, str]]], numbers: Sequence[int]) -> Batch:
        if self._looks and rows:
            self._look(rows[0])
        ids: list[bytes] = []
        words: list[list[bytes] | None] = []
        for row, number in zip(rows, numbers, strict=True):
            if self._id is not None or self._time is not None:
                ids.append(self._place(row, number))
            fields = self._fields(row)
            if not fields:
                raise LineError(number, "an entry needs a field")
            try:
                words.append([word.encode("utf-8", "surrogateescape") for pair in fields for word in pair])
            except UnicodeEncodeError:
                raise LineError(number, "half of a surrogate pair is no character") from None
        return Batch(None, numbers, ids if ids else None, words)

    def _fields(self, row: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """What is left of a row without its ID; a name that comes again is a field."""
        at = next((at for at, (name, _) in enumerate(row) if name == self._id), None)
        return row if self._id is None or at is None else row[:at] + row[at + 1 :]

    def _look(self, row: list[tuple[str, str]]) -> None:
        """Find the column of IDs, or else of times, by the first row."""
        self._looks = False
        for name, value in row:
            ms, _, seq = value.partition("-")
            if name.lower() == _ID and ms.isdecimal() and seq.isdecimal() and value.isascii():
                self._id = name
                return
        for wanted in _TIMES:
            for name, value in row:
                if name.lower() == wanted and self._ms(value) is not None:
                    self._time = name
                    return

    def _place(self, row: list[tuple[str, str]], number: int) -> bytes:
        """The ID of an entry, by the column that has it. Raises LineError."""
        column = self._id if self._id is not None else self._time
        value = next((value for name, value in row if name == column), None)
        if value is None:
            raise LineError(number, f"it has no {_shown(column)}")
        if self._id is not None:
            if not value.isascii():
                raise LineError(number, f"{_shown(value)} is no ID")
            return value.encode()
        ms = self._ms(value)
        if ms is None:
            raise LineError(number, f"{_shown(column)} is no time: {_shown(value)}")
        last_ms, last_seq = self._last
        if ms < last_ms:
            raise LineError(
                number, f"its {_shown(column)} is before that of the line before; sort the file, or use --new-ids"
            )
        self._last = (ms, last_seq + 1 if ms == last_ms else 0)
        return b"%d-%d" % self._last

    def _ms(self, value: str) -> int | None:
        """Unix time in ms of a date, or of a number of seconds, ms, us or ns since 1970."""
        whole, _, part = value.partition(".")
        if whole.isdecimal() and whole.isascii() and (not part or part.isdecimal()) and len(whole) <= len(str(U64_MAX)):
            number = int(whole)
            if number < _SECONDS_BELOW:
                return number * 1000 + int(f"{part[:3]:0<3}" if part else 0)
            return number if number < _MS_BELOW else number // (1000 if number < _US_BELOW else 10**6)
        return moment(value, self._now_ms)

    # -- CSV -----------------------------------------------------------------------------

    def csv(self, file: IO[bytes]) -> Iterator[Batch]:
        """The rows of a CSV file with a header. Bytes that are no UTF-8 stay as they are. Raises LineError."""
        csv.field_size_limit(_CELL_MOST)
        text = TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
        first = text.readline()
        delimiter = max(_DELIMITERS, key=first.count)
        reader = csv.reader(_chained(first, text), delimiter=delimiter, strict=True)
        names: list[str] | None = None
        rows: list[list[tuple[str, str]]] = []
        numbers: list[int] = []
        number = 1
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                break
            except csv.Error as error:
                raise LineError(number, f"it is no CSV: {error}") from None
            here, number = number, reader.line_num + 1
            if not cells:
                continue
            if names is None:
                names = _names(cells, here)
                continue
            if len(cells) > len(names):
                raise LineError(here, f"it has {len(cells)} cells, and the header {len(names)}")
            row = [(name, cell) for name, cell in zip(names, cells, strict=False) if cell]
            if row:
                rows.append(row)
                numbers.append(here)
            if len(rows) >= _AT_ONCE:
                yield from self._of_streams(names, rows, numbers)
                rows, numbers = [], []
        if rows and names:
            yield from self._of_streams(names, rows, numbers)

    def _of_streams(self, names: list[str], rows: list[list[tuple[str, str]]], numbers: list[int]) -> Iterator[Batch]:
        """The rows; those of a file that an export of several streams has made, stream by stream."""
        if names[:2] != [_STREAM, _ID]:
            yield self._batch(rows, numbers)
            return
        for stream, run in groupby(range(len(rows)), lambda at: rows[at][0]):
            some = list(run)
            if stream[0] != _STREAM:
                raise LineError(numbers[some[0]], "it has no stream")
            batch = self._batch([rows[at][1:] for at in some], [numbers[at] for at in some])
            yield batch._replace(stream=stream[1].encode("utf-8", "surrogateescape"))


def _chained(first: str, rest: TextIOWrapper) -> Iterator[str]:
    yield first
    yield from rest


def _names(cells: list[str], number: int) -> list[str]:
    """The columns' names; `city (2)` behind a `city` is that name again, as an export writes it. Raises LineError."""
    if not any(cells):
        raise LineError(number, "the first line of a CSV file names its columns")
    names = []
    for cell in cells:
        name, _, rest = cell.rpartition(" (")
        again = rest.removesuffix(")")
        names.append(name if name in cells and again.isdecimal() and rest.endswith(")") else cell)
    return names


def _shown(text: str | None) -> str:
    return escaped((text or "")[:_SHOWN].encode("utf-8", "surrogateescape"))


def _cell(value: Any) -> str:
    """A value as text: what is nested as JSON."""
    if isinstance(value, str):
        return str(value)
    return _json(value)


def _json(value: Any) -> str:
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict):
        members = [f"{json.dumps(name, ensure_ascii=False)}:{_json(one)}" for name, one in value.items()]
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"
    return "null" if value is None else "true" if value else "false"
