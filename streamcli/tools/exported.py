"""What an export is made of: chunks of lines, and where it is. Does not know where they go."""

from __future__ import annotations

import json
import zlib
from binascii import a2b_base64
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from streamcli.ids import MAX_ID, StreamID, parse_id
from streamcli.render.json import string
from streamcli.render.jsonl import entry_line
from streamcli.text import bare
from streamcli.tools import records
from streamcli.tools.entries import entries, id_of, pages
from streamcli.tools.expiry import expires_ms, note_messages
from streamcli.tools.job import ToolError, accepted
from streamcli.tools.outfile import whole_lines
from streamcli.tools.state import Notes, gone, pending, read_state

if TYPE_CHECKING:
    from streamcli.backend import Backend
    from streamcli.render import Options
    from streamcli.tools.entries import Entry
    from streamcli.tools.progress import Progress
    from streamcli.tools.state import Group, Pending
    from streamcli.tools.stopping import Stop

_LOOKS: Final = 32  # replies of any size that may be here at once
_DAMAGED: Final = (OSError, EOFError, ValueError, KeyError, TypeError, zlib.error)


class Place(NamedTuple):
    """How far an export is: the stream's number, its last entry, and how many lines of each kind there are.

    `last_id` is the stream's, as the line of its settings has it.
    """

    stream: int = 0
    id: StreamID | None = None
    entries: int = 0
    groups: int = 0
    pending: int = 0
    last_id: StreamID | None = None


class Export:
    """The streams `keys` from `start` to `end`; `ends` has the last entry of each now, None where there is none.

    `groups`: with settings, groups and what is pending. `plain`: without the
    first line and the last.
    """

    def __init__(
        self,
        backend: Backend,
        keys: list[bytes],
        start: StreamID,
        end: StreamID,
        ends: list[StreamID | None],
        *,
        groups: bool = False,
        plain: bool = False,
    ) -> None:
        self.keys, self.ends, self.groups, self.plain = keys, ends, groups, plain
        self.at = Place()
        self.stopped = False
        self.may_go_on = True
        self.notes = Notes()
        self._backend, self._start, self._end = backend, start, end
        self._before: Place | None = None  # what was written by an earlier run

    def chunks(self, form: str, stop: Stop, progress: Progress, options: Options) -> Iterator[str]:
        """Chunks of lines, each without its last line end. Ends early when somebody asks it to: `stopped`."""
        if form == "csv":
            from streamcli.render.csv import written

            return written(self._csv(stop, progress), options)
        return self._json(stop, progress) if form == "json" else self._jsonl(stop, progress)

    def go_on(self, before: Place) -> None:
        """Write what comes behind that."""
        self._before = self.at = before

    def _header(self) -> str:
        return records.header(self.keys, groups=self.groups, start=self._start, end=self._end)

    # -- entries -----------------------------------------------------------------------

    def _pages(self, number: int, end: StreamID | None, stop: Stop, progress: Progress) -> Iterator[list[Entry]]:
        """The entries of a stream up to `end`, page by page, until somebody wants it to stop."""
        start: StreamID | None = self._from(number)
        if self._before is None or self._before.stream != number:
            self.at = self.at._replace(stream=number, id=None)
        if end is None or start is None:
            return
        for page in pages(self._backend, self.keys[number], start, end):
            yield page
            self.at = self.at._replace(id=id_of(page[-1][0]), entries=self.at.entries + len(page))
            progress.at(self.at.entries)
            if stop.asked:
                self.stopped = True
                return

    def _from(self, number: int) -> StreamID | None:
        """Where a stream begins, behind what was written before; None when nothing can follow that."""
        before = self._before
        return before.id.next() if before is not None and before.stream == number and before.id else self._start

    def _head(self, number: int) -> str:
        """What an entry's line begins with: its stream when there are several."""
        return "{" if len(self.keys) == 1 else f'{{"stream":{string(self.keys[number], ":")},'

    def _json(self, stop: Stop, progress: Progress) -> Iterator[str]:
        held = "["
        comma = ""
        for number in range(len(self.keys)):
            head = self._head(number)
            for page in self._pages(number, self.ends[number], stop, progress):
                yield held + comma
                held, comma = ",\n".join([entry_line((id, fields, None), head) for id, fields in page]), ","
            if self.stopped:
                break
        yield held
        if not self.stopped:
            yield "]"

    def _csv(self, stop: Stop, progress: Progress) -> Iterator[list[str]]:
        """Rows with a column for each name that some entry has: all entries are read twice."""
        from streamcli.render.csv import cell
        from streamcli.render.fields import Columns, distinct

        columns = Columns()
        numbers = range(len(self.keys))
        for number in numbers:
            for page in self._pages(number, self.ends[number], stop, progress):
                for _, fields in page:
                    columns.learn(tuple(fields[::2]))
        if self.stopped:
            return
        self.at = Place()
        several = len(self.keys) > 1
        yield distinct(["stream", "id"] if several else ["id"], map(cell, columns.names()))
        for number in numbers:
            first = [cell(self.keys[number])] if several else []
            for page in self._pages(number, self.ends[number], stop, progress):
                for id, fields in page:
                    cells = [""] * len(columns)
                    for place, value in zip(columns.places(tuple(fields[::2])), fields[1::2], strict=True):
                        cells[place] = cell(value)
                    yield [*first, cell(id), *cells]
            if self.stopped:
                return

    # -- jsonl, with all that a stream is ----------------------------------------------

    def _jsonl(self, stop: Stop, progress: Progress) -> Iterator[str]:
        before = self._before
        if before is None and not self.plain:
            yield self._header()
        for number in range(before.stream if before is not None else 0, len(self.keys)):
            if not self.groups:
                yield from self._lines(number, self._pages(number, self.ends[number], stop, progress), iter(()))
            else:
                yield from self._whole(number, stop, progress)
            if self.stopped:
                return
        if not self.plain:
            yield records.end(self.at.entries, self.at.groups, self.at.pending)

    def _lines(self, number: int, found: Iterator[list[Entry]], missing: Iterator[StreamID]) -> Iterator[str]:
        """Entries, and what is missing among them, by their IDs."""
        head = self._head(number)
        stream = self.keys[number] if len(self.keys) > 1 else None
        next_gone = next(missing, None)
        for page in found:
            if next_gone is None:
                yield "\n".join([entry_line((id, fields, None), head) for id, fields in page])
                continue
            lines = []
            for id, fields in page:
                while next_gone is not None and next_gone < id_of(id):
                    lines.append(records.gone(stream, str(next_gone)))
                    next_gone = next(missing, None)
                lines.append(entry_line((id, fields, None), head))
            yield "\n".join(lines)
        while next_gone is not None and not self.stopped:
            yield records.gone(stream, str(next_gone))
            next_gone = next(missing, None)

    def _whole(self, number: int, stop: Stop, progress: Progress) -> Iterator[str]:
        """A stream with its settings before its entries, and its groups behind them: as it is when this begins."""
        key, before = self.keys[number], self._before
        state = read_state(self._backend, key)
        if state is None:
            raise ToolError(f"there is no stream {bare(key)} any more")
        last = state.last_id
        if before is not None and before.stream == number and before.last_id is not None:
            last = min(last, before.last_id)
        else:
            yield records.settings(key, state, expires_ms(self._backend, key, self.notes))
            note_messages(self._backend, key, self.notes)
        first, end = self._from(number), min(self._end, last)
        if first is not None:
            missing = gone(self._backend, key, state, first, end)
            yield from self._lines(number, self._pages(number, end, stop, progress), missing)
        if self.stopped:
            return
        self.may_go_on = False  # a part of a group's lines is nothing to go on from
        for group in state.groups:
            ahead = last < state.last_id and group.last_id > last  # how many it had read by then nobody knows any more
            yield records.group(key, group._replace(last_id=last, entries_read=None) if ahead else group)
            self.at = self.at._replace(groups=self.at.groups + 1)
            for rows in chain(pending(self._backend, key, group, self._start, end), self._beyond(key, group, last)):
                yield "\n".join(records.pending(key, group.name, rows))
                self.at = self.at._replace(pending=self.at.pending + len(rows))
        self.may_go_on = True

    def _beyond(self, key: bytes, group: Group, last: StreamID) -> Iterator[list[Pending]]:
        """What is pending behind the last ID and no entry: the last ID was set back (XSETID). Entries there are new."""
        start = last.next()
        if start is None or self._end != MAX_ID:
            return
        for rows in pending(self._backend, key, group, start):
            looks = [(b"XRANGE", key, row.id.text, row.id.text, b"COUNT", b"1") for row in rows]
            replies = self._backend.pipelined(looks, window=_LOOKS)
            if gone := [row for row, reply in zip(rows, replies, strict=True) if reply == []]:
                yield gone

    def found_in(self, part: str) -> Place | None:
        """How far an export of the same has come in a file that was not finished; None when it is none.

        The same: of these streams between these bounds, and the first and the last
        entry of the stream at which it stopped are, if they are still there, this stream's.
        """
        try:
            lines = whole_lines(part)
            if next(lines, b"").rstrip(b"\n").decode() != self._header():
                return None
            place = Place()
            first: dict[str, Any] | None = None
            last: dict[str, Any] | None = None
            for line in lines:
                record = json.loads(line)
                before, place = place, self._behind(place, record)
                if place.stream != before.stream:
                    first = last = None
                if record.get("fields") is not None:
                    first, last = first or record, record
            if not place.entries or not self._holds(place.stream, first, last):
                return None
        except _DAMAGED:
            return None
        return place

    def _holds(self, number: int, first: dict[str, Any] | None, last: dict[str, Any] | None) -> bool:
        """May a stream be the one that had these as its first and last entry? They may have been trimmed since."""
        if first is None or last is None:
            return True
        start, end = _id(first["id"]), _id(last["id"])
        top = self.ends[number]
        if top is None or end > top:
            return False
        for at, until, line in ((self._start, start, first), (end, end, last)):
            argv = (b"XRANGE", self.keys[number], at.text, until.text, b"COUNT", b"1")
            for id, fields in entries(accepted(self._backend.execute(argv), argv)):
                if id_of(id) < until or fields != [_bytes(word) for pair in line["fields"] for word in pair]:
                    return False
        return True

    def _behind(self, place: Place, line: dict[str, Any]) -> Place:
        """The place behind one more line."""
        number = place.stream
        if "stream" in line:
            number = self.keys.index(_bytes(line["stream"]), number)
        if number != place.stream:
            place = place._replace(stream=number, id=None, last_id=None)
        if "settings" in line:
            return place._replace(last_id=_id(line["settings"]["last-generated-id"]))
        if "group" in line:
            return (
                place._replace(groups=place.groups + 1)
                if "consumers" in line
                else place._replace(pending=place.pending + 1)
            )
        return place._replace(id=_id(line["id"]), entries=place.entries + (line["fields"] is not None))


def _id(text: str) -> StreamID:
    id = parse_id(text.encode())
    if id is None:
        raise ValueError
    return id


def _bytes(value: str | dict[str, str]) -> bytes:
    """A string of ours. Raises ValueError, KeyError, TypeError."""
    if isinstance(value, str):
        return value.encode()
    return a2b_base64(value["base64"], strict_mode=True)
