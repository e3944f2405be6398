"""One database: its transactions, its keys, and what is remembered between commands.

A Store is one SQLite connection. Rows read are kept as objects (Key, Stream,
Group, Consumer) and written back once, when their transaction commits; what
another process has written since is seen by `PRAGMA data_version` and forgets
them all. Times are arguments; nothing here looks at a clock or waits, but
inside SQLite for a lock.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from streamcli.storage.rows import Row
from streamcli.storage.schema import (
    BY_DELIVERY,
    FAULTS,
    MEMORY,
    DamagedError,
    GoneError,
    OpenError,
    explain,
    open_file,
    open_memory,
    patiently,
)
from streamcli.storage.single import Single
from streamcli.storage.streams import Stream

if TYPE_CHECKING:
    import sqlite3

STREAM, STRING = 1, 2  # a key's kind

_TABLES = (
    "keys", "strings", "streams", "entries", "large", "nodes", "groups", "consumers", "pending", "producers", "iids",
)  # fmt: skip
_REMEMBERED_MAX = 20_000  # keys; a scan of millions must not fill the memory


class Key:
    """A key and what it holds; `expires_ms` is Unix time or None."""

    __slots__ = ("db", "expires_ms", "id", "kind", "name", "stream")

    def __init__(self, id: int, db: int, name: bytes, kind: int, expires_ms: int | None) -> None:
        self.id, self.db, self.name, self.kind, self.expires_ms = id, db, name, kind, expires_ms
        self.stream: Stream | None = None


def _identity(path: str) -> tuple[int, int] | None:
    """What tells a file from another one of that name; None when there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


class Transaction:
    """See `Store.transaction`."""

    __slots__ = ("_now_ms", "_single", "_store", "_write")

    def __init__(self, store: Store, write: bool, now_ms: int, single: bool) -> None:
        self._store, self._write, self._now_ms, self._single = store, write, now_ms, single

    def __enter__(self) -> None:
        try:
            self._store._begin(self._write, self._now_ms, self._single)
        except BaseException:
            self._store._rollback()
            raise

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        store = self._store
        if kind is not None:
            store._rollback()
            return
        try:
            store._commit()
        except BaseException:
            store._rollback()
            raise


class Store:
    """Opens the file at `path`; None or ":memory:" is a memory of its own. Raises OpenError."""

    def __init__(self, path: str | None = None, *, durable: bool = False) -> None:
        self.path = None if path == MEMORY else path
        self.shared = self.path is not None  # other processes may write it
        self.connection = open_memory() if self.path is None else open_file(self.path, durable=durable)
        self.run: Callable[..., sqlite3.Cursor] = self.connection.execute
        self.run_many = self.connection.executemany
        self._keys: dict[tuple[int, bytes], Key] = {}
        self._unwritten: list[Row] = []
        self.single = Single(self, self._start_memory)
        self._begun = False  # in the memory of one process, which needs no transaction to be read
        self._data_version = -1
        self._depth = 0
        self._writing = False
        self._next_expiry_ms: int | None = None
        self._by_delivery = False
        self.durable = self.shared and durable
        self._durable_now = self.durable
        self._place = os.path.abspath(self.path) if self.path is not None else ""  # the working directory may change
        self._file = _identity(self._place)
        self.expired = 0  # keys that were deleted because their time was over
        try:
            patiently(self._look)
        except FAULTS as error:
            self.connection.close()
            raise OpenError(f"cannot open {path}: {explain(error)}") from None

    def close(self) -> None:
        self.connection.close()

    def stop(self) -> None:
        """End the statement that runs, with a fault; from any thread, or a signal handler."""
        with suppress(*FAULTS):  # closed already
            self.connection.interrupt()

    def recover(self) -> None:
        """Undo a transaction that was left open: only an exception at a moment that nothing can guard does that."""
        if self._depth or self.connection.in_transaction:
            self._rollback()

    # -- transactions --------------------------------------------------------------

    def transaction(self, *, write: bool, now_ms: int, single: bool = False) -> Transaction:
        """`with store.transaction(...):` keeps all that is done in it, or, after an exception, none of it.

        Inside another one it is part of that, and an exception must go on to
        the outermost: by then everything is undone. `single`: it will probably do nothing but add an entry
        by `Single.add`, and changes no row before its first statement.
        """
        return Transaction(self, write, now_ms, single)

    @property
    def in_transaction(self) -> bool:
        return self._depth > 0

    def _begin(self, write: bool, now_ms: int, single: bool) -> None:
        if self._depth == 0:
            if self.durable is not self._durable_now:
                self._become_durable()
            if self.shared or self._data_version < 0:
                patiently(self._start_write if write else self._start_read)
            elif single:
                self.single.begin()
            elif write:
                self._start_memory()
            elif self.single.ahead:
                self.single.catch_up()
            self._writing = write
        self._depth += 1
        if write and self._next_expiry_ms is not None and self._next_expiry_ms < now_ms:
            self._expire(now_ms)

    def _start_memory(self) -> None:
        """Nobody else is in the memory of one process."""
        if self.single.ahead:
            self.single.catch_up()
        self.run("BEGIN IMMEDIATE")
        self._begun = True

    def _start_write(self) -> None:
        self.run("BEGIN IMMEDIATE")
        self._begun = True
        self._look_or_leave()

    def _start_read(self) -> None:
        """The memory of one process needs no snapshot."""
        if self.shared:
            self.run("BEGIN")
        self._look_or_leave()

    def _look_or_leave(self) -> None:
        try:
            if self.shared or self._data_version < 0:
                self._look()
        except BaseException:
            self._rollback()
            raise

    def _commit(self) -> None:
        assert self._depth > 0
        if self.single.late and self._depth == 1:
            self.single.end()
            self._writing, self._depth = False, 0
            return
        if self._depth == 1:
            if self._unwritten:
                self._write_back()
            if self._writing:
                if self.shared:
                    self._look_for_file()
                self.run("COMMIT")
                self._writing = self._begun = False
            elif self.shared:
                self.run("COMMIT")
            if len(self._keys) > _REMEMBERED_MAX:
                self._keys.clear()
        self._depth -= 1

    def _rollback(self) -> None:
        """Undo the whole transaction, however deep, and forget what was read in it."""
        if self.single.late:
            self.single.undo()
        if not (self.shared or self._begun or self.connection.in_transaction):
            self._writing, self._depth = False, 0  # what is remembered is true, and may be ahead of the tables
            return
        if self.connection.in_transaction:
            with suppress(*FAULTS):
                self.run("ROLLBACK")
        self._unwritten.clear()
        self._keys.clear()
        self._data_version = -1  # look again before the next command
        self._by_delivery = False
        self._writing = self._begun = False
        self._depth = 0

    def be_durable(self, wanted: bool) -> None:
        """From the next transaction on: does an acknowledged write survive the machine, or just the process?"""
        self.durable = self.shared and wanted

    def _become_durable(self) -> None:
        """SQLite changes it between transactions alone."""
        self.run(f"PRAGMA synchronous={'FULL' if self.durable else 'NORMAL'}")
        self._durable_now = self.durable

    def _look_for_file(self) -> None:
        """Raises a fault when it has been removed or replaced: what is written would be lost with it."""
        if _identity(self._place) != self._file:
            raise GoneError

    def remembers(self, db: int, name: bytes) -> bool:
        """Was the key there when it was last looked up, lately?"""
        return (db, name) in self._keys

    @property
    def next_expiry_ms(self) -> int | None:
        """When the next key expires, in Unix time; None when none does."""
        return self._next_expiry_ms

    @property
    def version(self) -> int:
        """Of what other processes have committed, as last read: another number whenever that has changed."""
        return self._data_version

    def changed(self) -> bool:
        """True when another process has committed since this one last read. Outside transactions only.

        True as well when that cannot be told: whoever reads next meets the fault.
        """
        if not self.shared:
            return False
        try:
            return bool(self.run("PRAGMA data_version").fetchone()[0] != self._data_version)
        except FAULTS:
            return True

    def damaged(self) -> bool:
        """Does SQLite find fault with the file? Slow: for after something that cannot be."""
        try:
            return self.shared and self.run("PRAGMA quick_check(1)").fetchone()[0] != "ok"
        except FAULTS:
            return True

    def later(self, row: Row) -> None:
        """Write the row back when the transaction commits."""
        self._unwritten.append(row)

    def _look(self) -> None:
        """Forget everything if another process has written."""
        version = self.run("PRAGMA data_version").fetchone()[0]
        if version != self._data_version:
            self._forget()
            self._data_version = version  # last, so that after a fault it is done again

    def _forget(self) -> None:
        self._keys.clear()
        self._next_expiry_ms = self.run("SELECT min(expires_ms) FROM keys WHERE expires_ms IS NOT NULL").fetchone()[0]

    def _write_back(self) -> None:
        unwritten, self._unwritten = self._unwritten, []
        for row in unwritten:
            row.write()

    def flush(self) -> None:
        """Write rows back now, for a statement that reads them from the tables."""
        if self._unwritten:
            self._write_back()

    def order_deliveries(self) -> None:
        """From now on what is pending is found in the order of delivery without a search; for writers."""
        if not self._by_delivery:
            self.run(BY_DELIVERY)
            self._by_delivery = True

    # -- keys ------------------------------------------------------------------------

    def key(self, db: int, name: bytes, now_ms: int) -> Key | None:
        """The key, unless it is missing or has expired."""
        key = self._keys.get((db, name))
        if key is None:
            row = self.run("SELECT id, kind, expires_ms FROM keys WHERE db=? AND name=?", (db, name)).fetchone()
            if row is None:
                return None
            key = self._keys[db, name] = Key(row[0], db, name, row[1], row[2])
        if key.expires_ms is not None and key.expires_ms < now_ms:
            return None
        return key

    def stream(self, key: Key) -> Stream:
        """What a key of kind STREAM holds."""
        if key.stream is None:
            key.stream = Stream.load(self, key.id)
        return key.stream

    def make_key(self, db: int, name: bytes, kind: int, expires_ms: int | None = None) -> Key:
        """A new key; there must be none of that name."""
        cursor = self.run(
            "INSERT INTO keys (db, name, kind, expires_ms) VALUES (?,?,?,?)", (db, name, kind, expires_ms)
        )
        assert cursor.lastrowid is not None
        key = self._keys[db, name] = Key(cursor.lastrowid, db, name, kind, expires_ms)
        self._expires(expires_ms)
        return key

    def make_stream(self, db: int, name: bytes) -> Stream:
        """A new key with an empty stream."""
        key = self.make_key(db, name, STREAM)
        key.stream = Stream.make(self, key.id)
        return key.stream

    def delete_key(self, key: Key) -> None:
        if key.kind == STREAM:
            self.stream(key).destroy()
        else:
            self.run("DELETE FROM strings WHERE key=?", (key.id,))
        self.run("DELETE FROM keys WHERE id=?", (key.id,))
        self._keys.pop((key.db, key.name), None)

    def set_expiry(self, key: Key, expires_ms: int | None) -> None:
        """Unix time in ms, or None to keep the key."""
        self.run("UPDATE keys SET expires_ms=? WHERE id=?", (expires_ms, key.id))
        key.expires_ms = expires_ms
        self._expires(expires_ms)

    def rename(self, key: Key, db: int, name: bytes) -> None:
        """There must be no key of the new name."""
        self.run("UPDATE keys SET db=?, name=? WHERE id=?", (db, name, key.id))
        self._keys.pop((key.db, key.name), None)
        key.db, key.name = db, name
        self._keys[db, name] = key

    def forget(self, key: Key) -> None:
        """What was read of a key is not true any more."""
        self._keys.pop((key.db, key.name), None)

    def copy(self, key: Key, db: int, name: bytes) -> None:
        """There must be no key of the new name."""
        self.flush()
        new = self.make_key(db, name, key.kind, key.expires_ms)
        if key.kind == STREAM:
            self.stream(key).copy_rows(new.id)
        else:
            self.run("INSERT INTO strings SELECT ?, value FROM strings WHERE key=?", (new.id, key.id))

    def swap(self, db: int, other: int) -> None:
        """Exchange the keys of two databases."""
        for old, new in ((db, -1 - db), (other, db), (-1 - db, other)):
            self.run("UPDATE keys SET db=? WHERE db=?", (new, old))
        self.flush()
        self._keys.clear()

    def _expires(self, at_ms: int | None) -> None:
        if at_ms is not None and (self._next_expiry_ms is None or at_ms < self._next_expiry_ms):
            self._next_expiry_ms = at_ms

    def _expire(self, now_ms: int) -> None:
        """Delete what has expired; writers do this first, so that they meet no expired key."""
        rows = self.run("SELECT db, name FROM keys WHERE expires_ms < ?", (now_ms,)).fetchall()
        for db, name in rows:
            key = self.key(db, name, -1)
            if key is not None:
                self.delete_key(key)
                self.expired += 1
        self._next_expiry_ms = self.run("SELECT min(expires_ms) FROM keys WHERE expires_ms IS NOT NULL").fetchone()[0]

    # -- many keys ---------------------------------------------------------------------

    def count(self, db: int, now_ms: int) -> int:
        """Keys of a database."""
        expired = "SELECT count(*) FROM keys WHERE expires_ms < ?2 AND db=?1"
        sql = f"SELECT (SELECT count(*) FROM keys INDEXED BY keys_by_db WHERE db=?1) - ({expired})"
        count: int = self.run(sql, (db, now_ms)).fetchone()[0]
        return count

    def counts(self, now_ms: int) -> list[tuple[int, int, int]]:
        """For each database with keys: its number, its keys, how many of them expire."""
        sql = (
            "SELECT db, count(*), count(expires_ms) FROM keys WHERE expires_ms IS NULL OR expires_ms >= ? "
            "GROUP BY db ORDER BY db"
        )
        return self.run(sql, (now_ms,)).fetchall()

    def names(self, db: int, now_ms: int) -> Iterator[bytes]:
        """Every key of a database, in no order that means anything."""
        sql = "SELECT name FROM keys WHERE db=? AND (expires_ms IS NULL OR expires_ms >= ?)"
        return (row[0] for row in self.run(sql, (db, now_ms)))

    def scan(self, db: int, after: int, most: int, now_ms: int) -> tuple[int, list[tuple[bytes, int]]]:
        """The next `most` keys made after the one with ID `after`.

        Answers where to go on (0: done), and the name and kind of each.
        """
        sql = (
            "SELECT id, name, kind FROM keys INDEXED BY keys_by_db WHERE db=? AND id>? "
            "AND (expires_ms IS NULL OR expires_ms >= ?) ORDER BY id LIMIT ?"
        )
        rows = self.run(sql, (db, min(after, 2**63 - 1), now_ms, min(most, 2**31) + 1)).fetchall()
        more = len(rows) > most
        rows = rows[:most]
        return (rows[-1][0] if more else 0), [(name, kind) for _, name, kind in rows]

    def random_name(self, db: int, now_ms: int) -> bytes | None:
        """Any key of a database: the one at or after a random place."""
        end = "(SELECT {0}(id) FROM keys INDEXED BY keys_by_db WHERE db=?1)"  # apart, each is a single look-up
        ends = self.run(f"SELECT {end.format('min')}, {end.format('max')}", (db,)).fetchone()
        if ends[0] is None:
            return None
        sql = (
            "SELECT name FROM keys INDEXED BY keys_by_db WHERE db=?1 AND id>=?2 + abs(random()) % ?3 "
            "AND (expires_ms IS NULL OR expires_ms >= ?4) ORDER BY id LIMIT 1"
        )
        width = ends[1] - ends[0] + 1
        found = self.run(sql, (db, ends[0], width, now_ms)).fetchone() or self.run(sql, (db, 0, 1, now_ms)).fetchone()
        return found[0] if found else None

    def delete_all(self, db: int | None = None) -> None:
        """Delete the keys of one database, or of all."""
        self.flush()
        if db is not None and self.run("SELECT 1 FROM keys WHERE db!=? LIMIT 1", (db,)).fetchone():
            mine = "SELECT id FROM keys WHERE db=?"
            groups = f"SELECT id FROM groups WHERE stream IN ({mine})"
            for table in ("pending", "consumers"):
                self.run(f"DELETE FROM {table} WHERE grp IN ({groups})", (db,))
            producers = f"SELECT id FROM producers WHERE stream IN ({mine})"
            self.run(f"DELETE FROM iids WHERE producer IN ({producers})", (db,))
            for table in ("entries", "large", "nodes", "groups", "producers"):
                self.run(f"DELETE FROM {table} WHERE stream IN ({mine})", (db,))
            for table in ("streams", "strings"):
                self.run(f"DELETE FROM {table} WHERE key IN ({mine})", (db,))
            self.run("DELETE FROM keys WHERE db=?", (db,))
            self._forget()
            return
        for table in _TABLES:
            self.run(f"DELETE FROM {table}")  # without WHERE, SQLite drops the pages whole
        self._keys.clear()
        self._next_expiry_ms = None

    # -- strings -------------------------------------------------------------------------

    def string(self, key: Key) -> bytes:
        row = self.run("SELECT value FROM strings WHERE key=?", (key.id,)).fetchone()
        if row is None:
            raise DamagedError
        value: bytes = row[0]
        return value

    def set_string(self, key: Key, value: bytes) -> None:
        self.run("INSERT OR REPLACE INTO strings VALUES (?,?)", (key.id, value))
