"""Streams read as a member of a group: what is pending for it first, then what nobody was given yet.

What the group has delivered to this consumer, but a broken connection has
swallowed, is asked for again by the consumer's history: all of it comes behind
the last entry that did arrive. Nothing is acknowledged that was not shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import ge
from typing import Final

from streamcli.backend import LostError, UnreachableError
from streamcli.ids import MIN_ID, StreamID
from streamcli.reply import Error, Reply
from streamcli.text import bare
from streamcli.tools.enduring import Enduring
from streamcli.tools.entries import id_of
from streamcli.tools.follow import page_size
from streamcli.tools.job import RefusedError, ToolError, accepted
from streamcli.tools.merging import Merging, Row, by_stream, read, rows_of
from streamcli.tools.replies import items as items_of
from streamcli.tools.replies import record

_BLOCK_MS: Final = 2000
_DELIVERED_MOST: Final = 100  # entries of a stream at once: what was not shown when it ends stays pending
_ACKED_MOST: Final = 1000  # by one XACK


class Member:
    """Rows that a group delivers to a consumer, in batches.

    `begins_with_pending`: with what was delivered to it before, and not
    acknowledged. Without `follows` it ends when there is nothing new.
    """

    def __init__(
        self,
        link: Enduring,
        streams: Sequence[bytes],
        group: bytes,
        consumer: bytes,
        *,
        begins_with_pending: bool,
        follows: bool,
    ) -> None:
        self._link, self._streams, self._group, self._consumer = link, streams, group, consumer
        self._begins_with_pending, self._follows = begins_with_pending, follows
        self._after = [MIN_ID] * len(streams)  # the last entry that was delivered, and has arrived
        self.most: int | None = None
        """How many entries are still wanted, None for any number."""

    def batches(self) -> Iterator[list[Row]]:
        """Rows as they are delivered, those of an answer in their order; none is empty.

        Raises as `Following.batches` does.
        """
        ends = None if self._follows else self._tops()
        if self._begins_with_pending:
            yield from self._history()
        else:
            self._after = [self._delivered(stream) for stream in self._streams]
        while True:
            losses = self._link.losses
            reply = self._new()
            if self._link.losses != losses:
                yield from self._history()  # some may have been delivered to nobody
                continue
            rows = rows_of(reply, self._streams)
            for row in rows:
                self._after[row.place] = max(self._after[row.place], row.id)
            if rows:
                yield rows
            if ends is not None and (not rows or all(map(ge, self._after, ends))):
                return

    def acknowledge(self, rows: Iterable[Row]) -> None:
        """They were shown. Raises RefusedError, EndedError."""
        for argv in self._acks(rows):
            self._link.checked(argv)

    def acknowledge_at_last(self, rows: Sequence[Row]) -> None:
        """The same for who does not wait any more; says so when it cannot be done."""
        try:
            for argv in self._acks(rows):
                accepted(self._link.backend.execute(argv), argv)
        except (LostError, UnreachableError, RefusedError) as error:
            what = "an entry was" if len(rows) == 1 else f"{len(rows)} entries were"
            self._link.say(f"{what} shown, and may not be acknowledged: {error}")

    def _acks(self, rows: Iterable[Row]) -> Iterator[list[bytes]]:
        ids: dict[bytes, list[bytes]] = {}
        for row in rows:
            ids.setdefault(row.stream, []).append(row.id.text)
        for stream, all in ids.items():
            for at in range(0, len(all), _ACKED_MOST):
                yield [b"XACK", stream, self._group, *all[at : at + _ACKED_MOST]]

    def _page(self) -> int:
        """Entries of each stream, so that all together are no more than are wanted: what is delivered is taken."""
        each = self.most and self.most // len(self._streams)
        return min(_DELIVERED_MOST, page_size(len(self._streams), each))

    def _new(self) -> Reply:
        """What is delivered. When less is wanted than there are streams, some of them are asked after the others."""
        at_once = self.most
        if at_once is not None and at_once < len(self._streams):
            for at in range(0, len(self._streams), at_once):
                reply = self._ask_for_new(self._streams[at : at + at_once], block=False)
                if by_stream(reply):
                    return reply
            if not self._follows:
                return None
        return self._ask_for_new(self._streams, block=self._follows)  # blocked, a server answers of one of them

    def _ask_for_new(self, streams: Sequence[bytes], *, block: bool) -> Reply:
        argv = self._argv(self._page(), block=block)
        return self._checked([*argv, *streams, *(b">" for _ in streams)], again=False)

    def _history(self) -> Iterator[list[Row]]:
        """What is pending for this consumer behind what has arrived, in order."""
        merging = Merging(self._streams)
        done = [False] * len(self._streams)
        while True:
            asked = [place for place, is_done in enumerate(done) if not is_done and not merging.holds(place)]
            if asked:
                page = self._page()
                names = [self._streams[place] for place in asked]
                argv = self._argv(page, block=False)
                found = by_stream(self._checked([*argv, *names, *(self._after[place].text for place in asked)]))
                for place in asked:
                    items = found.get(self._streams[place], [])
                    done[place] = len(items) < page
                    self._after[place] = _last_id(items) or self._after[place]
                    merging.add(place, read(items), more=not done[place])
            rows = merging.take()
            if rows:
                yield rows
            elif all(done):
                return

    def _tops(self) -> list[StreamID]:
        """The last entry's ID of each stream; 0-0 when it has none."""
        found = [
            read(items_of(self._link.checked((b"XREVRANGE", stream, b"+", b"-", b"COUNT", b"1"))))
            for stream in self._streams
        ]
        return [id_of(page[0][0]) if page else MIN_ID for page in found]

    def _delivered(self, stream: bytes) -> StreamID:
        """The last ID that the group has delivered; 0-0 when nobody can say."""
        groups = self._link.ask((b"XINFO", b"GROUPS", stream))
        for group in items_of(groups):
            parts = record(group)
            id = parts.get(b"last-delivered-id")
            if parts.get(b"name") == self._group and isinstance(id, bytes):
                return id_of(id)
        return MIN_ID

    def _argv(self, page: int, *, block: bool) -> list[bytes]:
        wait = [b"BLOCK", b"%d" % _BLOCK_MS] if block else []
        return [b"XREADGROUP", b"GROUP", self._group, self._consumer, b"COUNT", b"%d" % page, *wait, b"STREAMS"]

    def _checked(self, argv: Sequence[bytes], *, again: bool = True) -> Reply:
        reply = self._link.ask(argv, block_ms=_BLOCK_MS if b"BLOCK" in argv[6:7] else 0, again=again)
        if isinstance(reply, Error):
            if reply.code in ("NOGROUP", "UNBLOCKED"):
                raise self._groupless(reply, argv)
            raise RefusedError(reply, argv)
        return reply

    def _groupless(self, error: Error, argv: Sequence[bytes]) -> ToolError:
        """The group is missing: where, and how one is made."""
        for stream in self._streams:
            groups = self._link.ask((b"XINFO", b"GROUPS", stream))
            missing = isinstance(groups, Error) and "no such key" in groups.text
            if missing or (
                isinstance(groups, list) and self._group not in [record(one).get(b"name") for one in groups]
            ):
                what = f"there is no stream {bare(stream)}" if missing else f"{bare(stream)} has no such group"
                command = f"XGROUP CREATE {bare(stream)} {bare(self._group)} $ MKSTREAM"
                return ToolError(f"NOGROUP {what}: {command} makes group and stream; 0 for $ to begin at the start")
        return RefusedError(error, argv)


def _last_id(items: list[Reply]) -> StreamID | None:
    """Of history, where entries that are gone still stand by their ID."""
    last = items[-1] if items else None
    return id_of(last[0]) if isinstance(last, list) and last and isinstance(last[0], bytes) else None
