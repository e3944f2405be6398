"""Transactions that add one entry and do nothing else, in a memory: what they add is put into the tables later.

Nobody else reads a memory. So an entry may stay beside its stream, and the
stream's row behind its object, until another transaction begins, which finds
the tables as if they had never been behind. Nothing in SQLite has to be undone
then, and what comes in a row is put into the tables at once.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from streamcli.storage.schema import FAULTS

if TYPE_CHECKING:
    import sqlite3

    from streamcli.storage.store import Store
    from streamcli.storage.streams import Stream

_AHEAD_MAX = 500  # entries of all streams: who reads next waits for them, some 2 us each


class Single:
    """Belongs to one store. `late`: such a transaction has begun, and no statement has been run in it.

    When a statement is run after all, it becomes a transaction like any other, before anything in it was done.
    """

    __slots__ = ("_begin", "_count", "_run", "_store", "_undo", "ahead", "late")

    def __init__(self, store: Store, begin: Callable[[], None]) -> None:
        self._store, self._begin = store, begin
        self._run = store.run
        self._undo: tuple[Stream, tuple[Any, ...]] | None = None  # what was added to, as it was before
        self.ahead: list[Stream] = []  # of the tables
        self._count = 0  # entries that are, or were for a moment
        self.late = False

    def begin(self) -> None:
        store = self._store
        self._run, store.run = store.run, self._run_late
        self.late = True

    def _run_late(self, *statement: Any) -> sqlite3.Cursor:
        """For `Store.run`."""
        if self.late:
            assert self._undo is None, "a single transaction runs no statement once it has added"
            self._leave()
            self._begin()
        return self._run(*statement)

    def may_add(self) -> bool:
        """Is this a single transaction still, and room for another entry?"""
        return self.late and self._count < _AHEAD_MAX

    def add(self, stream: Stream, id: bytes, fields: bytes) -> None:
        """Add an entry above the last one. Whoever calls this changes the stream's fields, and runs no statement."""
        self._undo = stream, stream.state()
        if not stream.ahead:
            self.ahead.append(stream)
        self._count += 1
        stream.get_ahead(id, fields)

    def end(self) -> None:
        """It is kept."""
        self._undo = None
        self._leave()

    def undo(self) -> None:
        """All is as before. (A stream that has nothing ahead may stay among those that have.)"""
        if self._undo is not None:
            stream, state = self._undo
            stream.restore(state)
        self.end()

    def catch_up(self) -> None:
        """Bring the tables up to date, outside transactions. After a fault nothing is lost: it is done again."""
        run = self._store.run
        try:
            run("BEGIN IMMEDIATE")
            for stream in self.ahead:
                stream.catch_up()
            run("COMMIT")
        except BaseException:
            with suppress(*FAULTS):
                run("ROLLBACK")
            raise
        for stream in self.ahead:
            stream.caught_up()
        self.ahead.clear()
        self._count = 0

    def _leave(self) -> None:
        self.late = False
        self._store.run = self._run
