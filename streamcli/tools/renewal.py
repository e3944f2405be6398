"""Streams that are no longer what they were: deleted, made anew, or set back to how they were some time ago.

Their IDs begin again below those that were read, which nobody who reads behind
them would ever see.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from streamcli.ids import MIN_ID, StreamID
from streamcli.reply import Error, Reply
from streamcli.text import bare
from streamcli.tools.enduring import Enduring
from streamcli.tools.entries import id_of
from streamcli.tools.replies import record

_AT_ONCE: Final = 100  # streams of one look


class _State(NamedTuple):
    """What XINFO STREAM says; `added` and `removed` are None on servers before 7.0."""

    last: StreamID
    first: Reply
    added: int | None
    removed: int | None


class Renewals:
    """Looks at `streams`, some at a time, and says by the link what has become of one."""

    def __init__(self, link: Enduring, streams: Sequence[bytes]) -> None:
        self._link, self._streams = link, streams
        self._known: dict[int, _State | None] = {}  # None: there is no such key
        self._new: set[int] = set()
        self._next = 0
        self._is_allowed = True

    def is_new(self, place: int) -> bool:
        """After `look`: is it another stream, all of which is unread?"""
        return place in self._new

    def last(self, place: int) -> StreamID:
        """After `look`: the last ID of a stream that has been set back."""
        state = self._known.get(place)
        return MIN_ID if state is None else state.last

    def look(self, seen: Sequence[StreamID]) -> Iterator[int]:
        """The streams that have to be read from elsewhere. `seen`: the last ID that was read of each, 0-0 for none."""
        count = len(self._streams)
        for _ in range(min(count, _AT_ONCE)):
            place, self._next = self._next % count, (self._next + 1) % count
            if not self._is_allowed:
                return
            reply = self._link.ask((b"XINFO", b"STREAM", self._streams[place]))
            if isinstance(reply, Error):
                if reply.code == "NOPERM":
                    self._is_allowed = False  # then nobody can tell
                if "no such key" not in reply.text:
                    continue
            now = None if isinstance(reply, Error) else _state(reply)
            if (now is not None or isinstance(reply, Error)) and self._became(place, now, seen[place]):
                yield place

    def _became(self, place: int, now: _State | None, seen: StreamID) -> bool:
        """Keep what a stream is now; has it to be read from elsewhere?"""
        before = self._known.get(place)
        self._known[place] = now
        self._new.discard(place)
        name = bare(self._streams[place])
        if now is None:
            if before is not None:
                self._link.say(f"{name} was deleted; it is followed again when it is made anew")
                self._new.add(place)
            return before is not None
        last = seen if before is None else max(before.last, seen)
        if now.last < last:
            if before is not None and _is_set_back(before, now):
                self._link.say(f"{name} has lost its last entries: its last ID was {last} and is {now.last}")
            else:
                self._link.say(f"{name} was deleted and made anew; it is followed from its start")
                self._new.add(place)
            return True
        if before is not None and (now.added or 0) < (before.added or 0):
            self._link.say(f"{name} was deleted and made anew")
        return False


def _is_set_back(before: _State, now: _State) -> bool:
    """The same stream, some time ago: a server has come back with less than it had.

    It begins as it did; or more was ever added to it than had been removed, which
    one that is new would first have to catch up with.
    """
    if now.first is not None and now.first == before.first:
        return True
    if now.added is None or before.removed is None:
        return False
    return bool(now.removed) and now.added >= before.removed > 0


def _state(reply: Reply) -> _State | None:
    """What XINFO STREAM has said; None for what cannot be understood."""
    named = record(reply)
    last, added, length = named.get(b"last-generated-id"), named.get(b"entries-added"), named.get(b"length")
    if not isinstance(last, bytes):
        return None
    count = added if isinstance(added, int) else None
    removed = count - length if count is not None and isinstance(length, int) else None
    return _State(id_of(last), named.get(b"first-entry"), count, removed)
