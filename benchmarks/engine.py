"""The engine's costs: against fakeredis, and against itself with a thousand times as much data.

What is measured, and the bars, are told in README.md.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from typing import NamedTuple

from benchmarks.measure import Round, Row, bounded, clocked, faster, flat, microseconds, race
from benchmarks.sides import FIELDS, GROUP, KEY, LOAD_AT_ONCE, RANGE_COUNT, READ_COUNT, Ours, Peer

_PLACES = ("memory", "file")
_COMPARED_ENTRIES = 10_000
_MEASURED_ENTRIES = 100_000
_FLAT_MOST = 1.5
_BYTES_MOST = 120


class Size(NamedTuple):
    """How much of everything."""

    rounds: int
    large_stream: int
    large_pending: int


FULL = Size(rounds=25, large_stream=1_000_000, large_pending=100_000)
QUICK = Size(rounds=7, large_stream=100_000, large_pending=20_000)


def rows(size: Size) -> Iterator[Row]:
    """Every figure of the engine."""
    with tempfile.TemporaryDirectory(prefix="streamcli-bench-") as folder:

        def path(place: str, name: str) -> str | None:
            return os.path.join(folder, name) if place == "file" else None

        for place in _PLACES:
            yield from _compared(place, path(place, "compared.db"), size)
        for place in _PLACES:
            few, many = path(place, "few.db"), path(place, "many.db")
            yield from _by_pending(place, few, many, size)
        for place in _PLACES:
            yield from _newest(place, path(place, "newest.db"), size)
        for place in _PLACES:
            few, many = path(place, "small.db"), path(place, "large.db")
            yield from _by_length(place, few, many, size)
        yield _bytes_an_entry(os.path.join(folder, "measured.db"))


# -- rounds -----------------------------------------------------------------------------


def _adding(side: Ours | Peer, calls: int) -> Round:
    def one() -> float:
        taken = clocked(calls, side.add)
        side.trim()
        return taken

    return one


def _ranging(side: Ours | Peer, calls: int) -> Round:
    return lambda: clocked(calls, side.range)


def _reading(side: Ours | Peer, calls: int) -> Round:
    calls = min(calls, side.entries // 2 // READ_COUNT)

    def one() -> float:
        side.rewind()
        return clocked(calls, side.read_and_acknowledge)

    return one


# -- against fakeredis ----------------------------------------------------------------------


def _compared(place: str, path: str | None, size: Size) -> Iterator[Row]:
    """Ours and fakeredis's, in turns. On a file a round of XADD is long enough to hold a checkpoint."""
    ours, peer = Ours(path, _COMPARED_ENTRIES), Peer(_COMPARED_ENTRIES)
    try:
        for operation, least, mine, theirs in (
            (f"XRANGE COUNT {RANGE_COUNT} at a random place", 2.5, _ranging(ours, 50), _ranging(peer, 50)),
            (f"XREADGROUP COUNT {READ_COUNT} and its XACK", 1.5, _reading(ours, 100), _reading(peer, 100)),
            ("XADD of 3 fields", 1.3 if path else 2, _adding(ours, 2_500 if path else 500), _adding(peer, 500)),
        ):
            fast, slow = race(size.rounds, mine, theirs)
            yield faster(f"{operation}, {place}", fast, slow, least)
    finally:
        ours.close()


# -- more pending -----------------------------------------------------------------------------


class _Pending:
    """An engine whose group has `count` entries pending, all of one consumer."""

    def __init__(self, path: str | None, count: int) -> None:
        self.ours = Ours(path, count)
        self.ours.run(b"XREADGROUP", b"GROUP", GROUP, b"alice", b"STREAMS", KEY, b">")
        self.claimers = [b"bob", b"carol"]

    def summary(self) -> object:
        return self.ours.run(b"XPENDING", KEY, GROUP)

    def extended(self) -> object:
        return self.ours.run(b"XPENDING", KEY, GROUP, self.ours.place(READ_COUNT), b"+", b"10")

    def claim(self) -> object:
        self.claimers.reverse()
        who, start = self.claimers[0], self.ours.place(READ_COUNT)
        return self.ours.run(b"XAUTOCLAIM", KEY, GROUP, who, b"0", start, b"COUNT", b"10")

    def acknowledging(self) -> float:
        """A round of XACKs of random entries, which are made pending again outside the clock."""
        ids = list({self.ours.place(0) for _ in range(50)})
        rest = iter(ids)
        taken = clocked(len(ids), lambda: self.ours.run(b"XACK", KEY, GROUP, next(rest)))
        self.ours.run(b"XCLAIM", KEY, GROUP, b"alice", b"0", *ids, b"FORCE", b"JUSTID")
        return taken


def _by_pending(place: str, few_path: str | None, many_path: str | None, size: Size) -> Iterator[Row]:
    few, many = _Pending(few_path, 100), _Pending(many_path, size.large_pending)
    note = f"{size.large_pending:,} pending against 100, {place}"

    def both(operation: str, call: Callable[[_Pending], object]) -> Row:
        little, much = race(
            size.rounds, lambda: clocked(50, lambda: call(few)), lambda: clocked(50, lambda: call(many))
        )
        return flat(f"{operation}, {note}", much, little, _FLAT_MOST)

    try:
        small, large = race(size.rounds, few.acknowledging, many.acknowledging)
        yield flat(f"XACK, {note}", large, small, _FLAT_MOST)
        yield both("XPENDING", _Pending.summary)
        yield both(f"XPENDING - + {READ_COUNT}", _Pending.extended)
        yield both(f"XAUTOCLAIM COUNT {READ_COUNT}", _Pending.claim)
    finally:
        few.ours.close()
        many.ours.close()


# -- what nobody else has ---------------------------------------------------------------------


def _newest(place: str, path: str | None, size: Size) -> Iterator[Row]:
    """Commands that no peer at hand knows, beside the one that each is a kind of."""
    pending = _Pending(path, _COMPARED_ENTRIES)
    ours, number = pending.ours, count()

    def idempotent() -> object:
        return ours.run(b"XADD", KEY, b"IDMP", b"producer", b"%d" % next(number), b"*", *FIELDS)

    def again() -> object:
        return ours.run(b"XADD", KEY, b"IDMP", b"producer", b"again", b"*", *FIELDS)

    def claiming() -> object:
        pending.claimers.reverse()
        words = (b"XREADGROUP", b"GROUP", GROUP, pending.claimers[0], b"COUNT", b"10", b"CLAIM", b"0")
        return ours.run(*words, b"STREAMS", KEY, b">")

    def releasing() -> float:
        """A round of XNACKs of random entries, which are taken over again outside the clock."""
        ids = list({ours.place(0) for _ in range(50)})
        rest = iter(ids)
        taken = clocked(len(ids), lambda: ours.run(b"XNACK", KEY, GROUP, b"FAIL", b"IDS", b"1", next(rest)))
        ours.run(b"XCLAIM", KEY, GROUP, b"alice", b"0", *ids, b"JUSTID")
        return taken

    try:
        for operation, one in (
            ("XADD IDMP, of a new message", lambda: clocked(300, idempotent)),
            ("XADD IDMP, of a message that is there", lambda: clocked(300, again)),
            (f"XREADGROUP COUNT {READ_COUNT} CLAIM 0, {_COMPARED_ENTRIES:,} pending", lambda: clocked(100, claiming)),
            (f"XNACK FAIL of one entry, {_COMPARED_ENTRIES:,} pending", releasing),
        ):
            (best,) = race(size.rounds, one)
            yield Row(f"{operation}, {place}", microseconds(best), "", "", "", None)
    finally:
        ours.close()


# -- longer streams ------------------------------------------------------------------------------


def _by_length(place: str, small_path: str | None, large_path: str | None, size: Size) -> Iterator[Row]:
    small, large = Ours(small_path, 1_000), Ours(large_path, size.large_stream)
    note = f"{size.large_stream:,} entries against 1,000, {place}"
    try:
        yield Row(f"XADD in a batch of {LOAD_AT_ONCE:,}, {place}", microseconds(large.loading), "", "", "", None)
        for operation, of_large, of_small in (
            (f"XRANGE COUNT {RANGE_COUNT}", _ranging(large, 50), _ranging(small, 50)),
            (f"XREADGROUP COUNT {READ_COUNT} and XACK", _reading(large, 50), _reading(small, 50)),
            ("XADD", _adding(large, 300), _adding(small, 300)),
        ):
            much, little = race(size.rounds, of_large, of_small)
            yield flat(f"{operation}, {note}", much, little, _FLAT_MOST)
    finally:
        small.close()
        large.close()


def _bytes_an_entry(path: str) -> Row:
    """The size of a closed file for each entry of three fields, values of ten bytes."""
    Ours(path, _MEASURED_ENTRIES).close()
    each = os.path.getsize(path) / _MEASURED_ENTRIES
    words = sum(map(len, FIELDS))
    return bounded(f"On disk: an entry of 3 fields, {words} bytes of words", each, f"{each:.1f} B", _BYTES_MOST, "B")
