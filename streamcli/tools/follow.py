"""Streams followed from a place: what is there, then what comes, in one order; none is missed, and none comes twice.

Everything is read by XREAD behind the last ID that was read, so that a
connection that breaks costs nothing: the same is asked again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from heapq import merge
from itertools import islice
from typing import Final, NamedTuple

from streamcli.ids import MAX_ID, MIN_ID, StreamID
from streamcli.reply import Error, Reply
from streamcli.text import bare
from streamcli.times import date_text
from streamcli.tools.enduring import Enduring
from streamcli.tools.entries import FIRST, PAGE, Entry, fitting, id_of
from streamcli.tools.job import RefusedError, now_ms
from streamcli.tools.merging import Merging, Row, by_stream, read
from streamcli.tools.renewal import Renewals
from streamcli.tools.replies import items
from streamcli.tools.survey import unix_ms

_BLOCK_MS: Final = 2000
_HELD_MOST: Final = 20_000  # entries of all streams together, of one reading
_PAGE_LEAST: Final = 10
_LOOK_SECONDS: Final = 2.0  # between two looks at whether a stream was made anew


class Span(NamedTuple):
    """What is wanted: what comes behind `after`, up to `until`, counted in.

    With `last` the last so many entries of that.
    """

    after: StreamID = MIN_ID
    until: StreamID = MAX_ID
    last: int = 0


def page_size(streams: int, most: int | None) -> int:
    """How many entries of each stream are read at once; `most`: more of them are not wanted at all."""
    page = max(_PAGE_LEAST, min(PAGE, _HELD_MOST // max(1, streams)))
    return page if most is None else max(1, min(page, most))


class Following:
    """Rows of `streams` in batches. Without `follows` it ends with what was there when it began."""

    def __init__(self, link: Enduring, streams: Sequence[bytes], span: Span, *, follows: bool) -> None:
        self._link, self._streams, self._span, self._follows = link, streams, span, follows
        self._merging = Merging(streams)
        self._after: list[StreamID] = [MIN_ID] * len(streams)
        self._until: list[StreamID] = [span.until] * len(streams)
        self._seen = [MIN_ID] * len(streams)  # as far as something was read
        self._done = [False] * len(streams)
        self._renewals = Renewals(link, streams)
        self._looked: float | None = None
        self._ahead_ms = 0  # the clock there of ours
        self._fitting = FIRST  # entries of a page, as large as they were last
        self.most: int | None = None
        """How many entries are still wanted, None for any number."""

    def batches(self) -> Iterator[list[Row]]:
        """Rows in their order, as soon as they are certain; none is empty.

        Raises EndedError, RefusedError, ToolError; LostError and
        UnreachableError when the link is not patient.
        """
        self._begin()
        while True:
            asked = [
                place for place, done in enumerate(self._done) if not done and not self._merging.holds(place)
            ]  # what holds something is asked when that is taken
            if asked:
                self._read(asked)
            rows = self._merging.take()
            if rows:
                yield rows
            elif all(self._done):
                return

    # -- where it begins, and ends ----------------------------------------------------------------

    def _begin(self) -> None:
        if self._ends_in_time:
            there = unix_ms(self._link.ask((b"TIME",)))
            self._ahead_ms = 0 if there is None else there - now_ms()
        from_end = self._span.after == MAX_ID and not self._span.last
        tops = self._tops() if from_end or not self._follows else None
        if tops is not None and not self._follows:
            self._until = [min(self._span.until, top or MIN_ID) for top in tops]
            self._done = [top is None for top in tops]
        if self._span.last:
            self._after = self._before_the_last(self._span.last)
        elif from_end and tops is not None:
            self._after = [top or MIN_ID for top in tops]
        else:
            self._after = [self._span.after] * len(self._streams)
        for place, (after, until) in enumerate(zip(self._after, self._until, strict=True)):
            self._done[place] |= after >= until and after != MIN_ID

    def _tops(self) -> list[StreamID | None]:
        """The last entry's ID of each stream; None when it has none."""
        found = [self._back(stream, MAX_ID, 1) for stream in self._streams]
        return [id_of(page[0][0]) if page else None for page in found]

    def _before_the_last(self, count: int) -> list[StreamID]:
        """What the last so many entries of all streams together come behind, for each stream."""
        found = merge(*(self._ids_back(place, min(PAGE, count)) for place in range(len(self._streams))), reverse=True)
        first, first_place = next(islice(found, count - 1, None), (MIN_ID, 0))
        before = first.previous() or MIN_ID
        return [first if place < first_place else before for place in range(len(self._streams))]

    def _ids_back(self, place: int, size: int) -> Iterator[tuple[StreamID, int]]:
        at: StreamID | None = self._span.until
        asked = min(size, FIRST)
        while at is not None:
            page = self._back(self._streams[place], at, asked)
            yield from ((id_of(id), place) for id, _ in page)
            at = id_of(page[-1][0]).previous() if len(page) == asked else None
            asked = min(size, fitting(page))

    def _back(self, stream: bytes, start: StreamID, size: int) -> list[Entry]:
        argv = (b"XREVRANGE", stream, start.text, b"-", b"COUNT", b"%d" % size)
        return read(items(self._checked(argv, [stream])))

    # -- reading --------------------------------------------------------------------------------------

    def _read(self, asked: list[int]) -> None:
        block_ms = self._patience_ms() if self._merging.is_empty else 0
        over = not self._follows or self._is_past()
        if block_ms and not over:
            self._look_for_renewals()
        page = min(self._fitting, page_size(len(self._streams), self.most))
        argv = [b"XREAD", b"COUNT", b"%d" % page]
        if block_ms and not over:
            argv += (b"BLOCK", b"%d" % block_ms)
        names = [self._streams[place] for place in asked]
        argv += (b"STREAMS", *names, *(self._after[place].text for place in asked))
        found = by_stream(self._checked(argv, names, block_ms=block_ms))
        pages = [read(found.get(name, [])) for name in names]
        for place, entries in zip(asked, pages, strict=True):
            self._add(place, entries, page, over)
        if any(pages):
            self._fitting = max(1, min(map(fitting, filter(None, pages))) // len(asked))

    def _add(self, place: int, found: list[Entry], page: int, over: bool) -> None:
        until = self._until[place]
        if found:
            self._after[place] = self._seen[place] = id_of(found[-1][0])
        wanted = found if not found or self._after[place] <= until else [one for one in found if id_of(one[0]) <= until]
        self._done[place] = self._after[place] >= until or (over and len(found) < page)
        self._merging.add(place, wanted, more=len(found) == page and not self._done[place])

    @property
    def _ends_in_time(self) -> bool:
        return bool(date_text(self._span.until.ms))

    def _left_ms(self) -> int:
        """Until the end, by the clock that gives the IDs."""
        return self._span.until.ms - now_ms() - self._ahead_ms

    def _is_past(self) -> bool:
        """Is the end a time, and over? A server gives no new ID of that time, then."""
        return self._ends_in_time and self._left_ms() < 0

    def _patience_ms(self) -> int:
        return max(1, min(_BLOCK_MS, self._left_ms() + 1)) if self._ends_in_time else _BLOCK_MS

    def _look_for_renewals(self) -> None:
        now = time.monotonic()
        if self._looked is not None and now - self._looked < _LOOK_SECONDS:
            return
        self._looked = now
        for place in self._renewals.look(self._seen):
            is_new = self._renewals.is_new(place)
            self._after[place] = self._seen[place] = MIN_ID if is_new else self._renewals.last(place)

    def _checked(self, argv: Sequence[bytes], streams: Sequence[bytes], *, block_ms: int = 0) -> Reply:
        reply = self._link.ask(argv, block_ms=block_ms)
        if isinstance(reply, Error):
            raise self._named(reply, argv, streams)
        return reply

    def _named(self, error: Error, argv: Sequence[bytes], streams: Sequence[bytes]) -> RefusedError:
        """The error, with the key that is no stream by its name."""
        if error.code == "WRONGTYPE":
            for stream in streams:
                kind = getattr(self._link.ask((b"TYPE", stream)), "text", "stream")
                if kind not in ("stream", "none"):
                    return RefusedError(Error(f"WRONGTYPE {bare(stream)} is no stream but a {kind}"), argv)
        return RefusedError(error, argv)
