"""A stream that entries are brought to: what it holds already, and whether what comes goes with that.

Entries that are there already, equal to those of the file, are passed over, so
that an import goes on where it stopped. Knows no file.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from operator import lt
from typing import TYPE_CHECKING, Final

from streamcli.ids import MIN_ID, U64_MAX, StreamID, parse_id
from streamcli.text import bare, escaped
from streamcli.tools.entries import id_of, pages
from streamcli.tools.marks import last_id
from streamcli.tools.records import Batch, LineError
from streamcli.tools.state import State, read_state

if TYPE_CHECKING:
    from streamcli.backend import Backend
    from streamcli.tools.entries import Entry

STAND_IN: Final = [b"streamcli", b"gone"]
"""The fields of what stands for a gone entry while its groups are made."""
MARK: Final = b"streamcli:importing"
"""A group that says that an import with groups has begun, and has not ended."""
_SHOWN: Final = 60  # bytes of what is no ID that an error repeats
_DIGITS: Final = b"0123456789"
_SHORT_ID: Final = 20  # characters: no part of such an ID passes 64 bits


class Landing:
    """The stream `key`; `append`: it may hold other entries, too. `whole`: its groups are to be made.

    `skipped` counts entries that are there already; `stand_ins` are the gone
    ones that have an entry in their place, `absent` those that cannot have one.
    """

    def __init__(self, backend: Backend, key: bytes, *, append: bool, whole: bool) -> None:
        self.key, self.backend = key, backend
        self.added = self.skipped = 0
        self.stand_ins: list[StreamID] = []
        self.absent: set[StreamID] = set()
        self.state: State | None = read_state(backend, key) if whole else None
        self.last = self.state.last_id if self.state is not None else None if whole else last_id(backend, key)
        self.newest: StreamID | None = None  # of those that were given new IDs here
        self.marked = self.state is not None and any(group.name == MARK for group in self.state.groups)
        self._append = append
        self._previous = MIN_ID
        self._there = _Entries(backend, key)

    def new_ones(self, batch: Batch) -> Batch:
        """What of the entries is to be added. Raises LineError, RefusedError.

        They have to be in the order of their IDs, behind all that were asked about before.
        """
        if batch.ids is None:
            return batch
        first = self._ordered(batch, batch.ids)
        if self.last is None or first > self.last:
            self._none_left(batch.lines[0], first)
            return batch
        ids = [_id(text, line) for text, line in zip(batch.ids, batch.lines, strict=True)]
        at = sum(id <= self.last for id in ids)  # they are in order
        for line, id, words in zip(batch.lines[:at], ids[:at], batch.words[:at], strict=True):
            self._compare(line, StreamID(*id), words)
        if at < len(ids):
            self._none_left(batch.lines[at], ids[at])
        return batch._replace(lines=batch.lines[at:], ids=batch.ids[at:], words=batch.words[at:])

    def later(self, batch: Batch) -> Batch:
        """The same for entries that `new_ones` was asked about in an earlier round: nothing is looked up again."""
        if batch.ids is None or self.last is None:
            return batch
        at = 0
        while at < len(batch.ids) and (parse_id(batch.ids[at]) or self.last) <= self.last:
            at += 1
        return batch._replace(lines=batch.lines[at:], ids=batch.ids[at:], words=batch.words[at:]) if at else batch

    def _ordered(self, batch: Batch, texts: list[bytes]) -> tuple[int, int]:
        """The first ID. Raises LineError when one of them is none, or not above the one before it."""
        if _rising(texts) and (first := _id(texts[0], batch.lines[0])) > self._previous:
            self._previous = StreamID(*_id(texts[-1], batch.lines[-1]))
            return first
        ids = _numbers(texts) or [_id(text, line) for text, line in zip(texts, batch.lines, strict=True)]
        if not all(map(lt, [self._previous, *ids], ids)):
            before: tuple[int, int] = self._previous
            for line, id in zip(batch.lines, ids, strict=True):
                if id <= before:
                    text = StreamID(*id)
                    if id == MIN_ID:
                        raise LineError(line, f"{text} is no ID of an entry")
                    raise LineError(line, f"its ID {text} is not above {before[0]}-{before[1]}, the one before it")
                before = id
        self._previous = StreamID(*ids[-1])
        return ids[0]

    def _compare(self, line: int, id: StreamID, words: list[bytes] | None) -> None:
        """Is an entry there already, and the same?"""
        found = self._there.upto(id, skip=self._append)
        name = bare(self.key)
        if found is not None and found[0] != id:
            raise LineError(
                line,
                f"{name} has an entry {found[0]} that the file has not; --append adds to a stream with other entries",
            )
        if words is None:
            if found is not None and found[1] == STAND_IN:
                self.stand_ins.append(id)
            else:
                self.absent.add(id)
            return
        if found is None:
            raise LineError(line, f"{id} is not in {name}, and cannot be added below its last ID, {self.last}")
        if found[1] != words:
            raise LineError(line, f"{name} has an entry {id} with other fields")
        self.skipped += 1

    def _none_left(self, line: int, id: tuple[int, int]) -> None:
        """Without --append the stream has no entries but those of the file."""
        if self.last is None or self._append:
            return
        found = self._there.upto(StreamID(*id), skip=False)
        if found is not None:
            raise LineError(
                line,
                f"{bare(self.key)} has an entry {found[0]} that the file has not; "
                "--append adds to a stream with other entries",
            )
        self._append = True  # looked at to its end


class _Entries:
    """What a stream holds, taken in order."""

    def __init__(self, backend: Backend, key: bytes) -> None:
        self._backend, self._key = backend, key
        self._rest: Iterator[Entry] | None = None
        self._next: tuple[StreamID, list[bytes]] | None = None

    def upto(self, id: StreamID, *, skip: bool) -> tuple[StreamID, list[bytes]] | None:
        """The next entry, if it is not above `id`; with `skip` those below it are passed over."""
        if self._rest is None:
            start = id if skip else MIN_ID
            self._rest = (entry for page in pages(self._backend, self._key, start) for entry in page)
            self._advance()
        while skip and self._next is not None and self._next[0] < id:
            self._advance()
        found = self._next
        if found is None or found[0] > id:
            return None
        self._advance()
        return found

    def _advance(self) -> None:
        assert self._rest is not None
        entry = next(self._rest, None)
        self._next = None if entry is None else (id_of(entry[0]), entry[1])


def _rising(texts: list[bytes]) -> bool:
    """Are they IDs of one shape, digit for digit, so that their bytes compare as they do; and each above the last?"""
    size, dash, count = len(texts[0]), texts[0].find(b"-"), len(texts)
    joined = b"\n".join(texts)
    return (
        0 < dash < size - 1 < _SHORT_ID - 1
        and joined[size :: size + 1] == b"\n" * (count - 1)
        and joined[dash :: size + 1] == b"-" * count
        and joined.translate(None, _DIGITS) == (b"-\n" * count)[:-1]
        and all(map(lt, texts, texts[1:]))
    )


def _numbers(texts: list[bytes]) -> list[tuple[int, int]]:
    """IDs of few digits, in one sweep; none when some are others."""
    joined = b"\n".join(texts)
    if len(max(texts, key=len)) < _SHORT_ID and joined.translate(None, _DIGITS) == (b"-\n" * len(texts))[:-1]:
        with suppress(ValueError):  # a part that is empty
            parts = [*map(int, joined.replace(b"\n", b"-").split(b"-"))]
            return [*zip(parts[::2], parts[1::2], strict=True)]
    return []


def _id(text: bytes, line: int) -> tuple[int, int]:
    id = parse_id(text)
    if id is None or max(id) > U64_MAX:
        raise LineError(line, f"{escaped(text[:_SHOWN])} is no ID: two numbers of 64 bits, as in 5-1")
    return id
