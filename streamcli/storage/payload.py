"""A key as bytes, and back: the rows it has in every table, with a version and a checksum at the end.

What belongs to a key follows from the names of columns, so that a new table
or column needs nothing here. Rows that come from outside are not believed:
types, sizes, references and counts are looked at before they become a key.
"""

from __future__ import annotations

import sqlite3
from struct import error, pack, unpack_from
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from streamcli.storage.encoding import unpack_words
from streamcli.storage.schema import SCHEMA_VERSION, DamagedError

if TYPE_CHECKING:
    from streamcli.storage.store import Key, Store

Value: TypeAlias = "int | bytes | None"

_MAGIC = b"streamcli key\0"
_CHECKSUM = 8
_END = 2 + _CHECKSUM
_OWNERS = {"key": "keys", "stream": "keys", "grp": "groups", "consumer": "consumers", "producer": "producers"}
_NOBODY = 0  # instead of a consumer
_IDS = ("id", "first", "last", "last_id", "max_deleted_id", "tail_first", "tail_last", "oldest")  # as blobs
_ID_SIZE = 16
_ANY_NUMBER = ("entries_added", "entries_read", "deliveries", "delivered_ms", "seen_ms", "active_ms")
_NUMBER_MAX = 2**48  # of all others: they count up from 0, and must have room to go on
_STAGE = -1_000_000  # the number of a database that nobody can select
_MINE = {  # which rows of a table are those of key ?1
    "streams": "key=?1",
    "nodes": "stream=?1",
    "groups": "stream=?1",
    "producers": "stream=?1",
    "consumers": "grp IN (SELECT id FROM groups WHERE stream=?1)",
    "pending": "grp IN (SELECT id FROM groups WHERE stream=?1)",
}
_COUNTED = (  # a row's column, and the rows it counts
    ("streams", "length", "entries", "stream=o.key"),
    ("streams", "large", "large", "stream=o.key"),
    ("streams", "full_nodes", "nodes", "stream=o.key"),
    ("streams", "tail_live", "entries", "stream=o.key AND id>=o.tail_first"),
    ("streams", "producers", "producers", "stream=o.key"),
    ("streams", "iids", "iids", "producer IN (SELECT id FROM producers WHERE stream=o.key)"),
    ("nodes", "live", "entries", "stream=o.stream AND id>=o.first AND id<=o.last"),
    ("groups", "pending", "pending", "grp=o.id"),
    ("groups", "released", "pending", "grp=o.id AND consumer=0"),
    ("consumers", "pending", "pending", "consumer=o.id"),
    ("producers", "held", "iids", "producer=o.id"),
)
_NEVER = (  # a table, and what is true of no row of it
    ("streams", "last_id < (SELECT max(id) FROM entries WHERE stream=o.key)"),
    ("streams", "tail_last < (SELECT max(id) FROM entries WHERE stream=o.key)"),
    ("streams", "length != ifnull(tail_live, 0) + (SELECT total(live) FROM nodes WHERE stream=o.key)"),
    ("streams", "full_bytes != (SELECT total(bytes) FROM nodes WHERE stream=o.key)"),
    ("streams", "min(idmp_duration, idmp_maxsize) < 1"),
    ("pending", "(consumer=0) != (delivered_ms=-1)"),
    ("pending", "consumer!=0 AND grp != (SELECT grp FROM consumers WHERE id=o.consumer)"),
)


class PayloadError(Exception):
    """Its version or its checksum is wrong."""


class RowsError(Exception):
    """What it holds is no key."""


class _Table(NamedTuple):
    """`owner` is the column by which its rows belong to something; `numbered`: its rows have numbers of their own."""

    name: str
    columns: tuple[tuple[str, str, bool], ...]  # name, type, may it be null
    owner: str
    numbered: bool

    @property
    def names(self) -> str:
        return ", ".join(name for name, _, _ in self.columns)


def _tables(store: Store) -> list[_Table]:
    """Every table but that of keys; who owns stands before what is owned."""
    found = []
    sql = "SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid"
    for (name,) in store.run(sql).fetchall():
        rows = store.run(f"PRAGMA table_info({name})").fetchall()
        columns = tuple((row[1], row[2], not row[3] and not row[5]) for row in rows)
        owner = next((column for column, _, _ in columns if column in _OWNERS), None)
        if owner is not None:
            found.append(_Table(name, columns, owner, ("id", "INTEGER", False) in columns))
    return sorted(found, key=lambda table: _OWNERS[table.owner] != "keys")


# -- out ---------------------------------------------------------------------------------


def dump(store: Store, key: Key) -> bytes:
    """The key's value; not its name, nor when it expires."""
    store.flush()
    pieces = [_MAGIC, pack("<B", key.kind)]
    for table in _tables(store):
        sql = f"SELECT {table.names} FROM {table.name} WHERE {_belongs(store, table)}"
        rows = store.run(sql, (key.id,)).fetchall()
        if rows:
            pieces.append(pack(f"<B{len(table.name)}sI", len(table.name), table.name.encode(), len(rows)))
            pieces += [_packed(value) for row in rows for value in row]
    data = b"".join(pieces) + pack("<H", SCHEMA_VERSION)
    return data + _checksum(data)


def _belongs(store: Store, table: _Table) -> str:
    owner = _OWNERS[table.owner]
    if owner == "keys":
        return f"{table.owner}=?"
    return f"{table.owner} IN (SELECT id FROM {owner} WHERE stream=?)"


def _packed(value: Value) -> bytes:
    if value is None:
        return b"n"
    if isinstance(value, int):
        return b"i" + pack("<q", value)
    return b"b" + pack("<I", len(value)) + value


def _checksum(data: bytes) -> bytes:
    from hashlib import blake2b

    return blake2b(data, digest_size=_CHECKSUM).digest()


# -- and back ------------------------------------------------------------------------------


def check(payload: bytes) -> None:
    """Raises PayloadError."""
    data, sum = payload[:-_CHECKSUM], payload[-_CHECKSUM:]
    if len(payload) < len(_MAGIC) + _END or not payload.startswith(_MAGIC) or _checksum(data) != sum:
        raise PayloadError
    if unpack_from("<H", data, len(data) - 2)[0] != SCHEMA_VERSION:
        raise PayloadError


def restore(store: Store, payload: bytes) -> Key:
    """A key with that value, in no database yet: `Store.rename` puts it into one. Raises RowsError."""
    store.flush()
    store.run("SAVEPOINT restore")
    key = None
    try:
        kind, tables = _read(store, payload[len(_MAGIC) : -_END])
        key = store.make_key(_STAGE, b"", kind)
        _insert(store, key, tables)
        _look_through(store, key)
    except (RowsError, DamagedError, sqlite3.IntegrityError, error, ValueError, IndexError, KeyError):
        if key is not None:
            store.forget(key)
        store.run("ROLLBACK TO restore")
        store.run("RELEASE restore")
        raise RowsError from None
    store.run("RELEASE restore")
    return key


def _read(store: Store, data: bytes) -> tuple[int, list[tuple[_Table, list[list[Value]]]]]:
    """The kind, and each table's rows."""
    known = {table.name: table for table in _tables(store)}
    at, kind = 1, data[0]
    found = []
    while at < len(data):
        size = data[at]
        table = known.pop(data[at + 1 : at + 1 + size].decode("ascii"))
        (count,) = unpack_from("<I", data, at + 1 + size)
        at += 5 + size
        rows = []
        for _ in range(count):
            row: list[Value] = []
            for column in table.columns:
                value, at = _value(data, at)
                row.append(_believed(column, value))
            rows.append(row)
        found.append((table, rows))
    return kind, found


def _value(data: bytes, at: int) -> tuple[Value, int]:
    mark = data[at : at + 1]
    if mark == b"n":
        return None, at + 1
    if mark == b"i":
        return unpack_from("<q", data, at + 1)[0], at + 9
    (size,) = unpack_from("<I", data, at + 1)
    end = at + 5 + size
    if mark != b"b" or end > len(data):
        raise RowsError
    return data[at + 5 : end], end


def _believed(column: tuple[str, str, bool], value: Value) -> Value:
    name, kind, nullable = column
    if value is None:
        believed = nullable
    elif isinstance(value, int):
        believed = kind == "INTEGER" and (name in _ANY_NUMBER or 0 <= value < _NUMBER_MAX)
    else:
        believed = kind == "BLOB" and (name not in _IDS or len(value) == _ID_SIZE)
    if not believed:
        raise RowsError
    return value


def _insert(store: Store, key: Key, tables: list[tuple[_Table, list[list[Value]]]]) -> None:
    """Put rows in, with the numbers of what they belong to as those are here."""
    numbers: dict[str, dict[Value, int]] = {"consumers": {_NOBODY: _NOBODY}}
    for table, rows in tables:
        at = {name: index for index, (name, _, _) in enumerate(table.columns)}
        mine = numbers.setdefault(table.name, {})
        sql = f"INSERT INTO {table.name} ({table.names}) VALUES ({', '.join('?' * len(table.columns))})"
        for row in rows:
            for name, index in at.items():
                owner = _OWNERS.get(name)
                if owner == "keys":
                    row[index] = key.id
                elif owner is not None:
                    row[index] = numbers[owner][row[index]]
            if not table.numbered:
                store.run(sql, row)
                continue
            old, row[at["id"]] = row[at["id"]], None
            if old in mine:
                raise RowsError
            number = store.run(sql, row).lastrowid
            assert number is not None
            mine[old] = number


def _look_through(store: Store, key: Key) -> None:
    """Is it what the tables of a whole key hold? Raises RowsError, DamagedError."""
    from streamcli.storage.store import STREAM, STRING

    if key.kind == STRING:
        store.string(key)
        if store.run("SELECT 1 FROM streams WHERE key=?", (key.id,)).fetchone():
            raise RowsError
        return
    if key.kind != STREAM or store.run("SELECT 1 FROM strings WHERE key=?", (key.id,)).fetchone():
        raise RowsError
    wrong = [
        (table, f"{column} != (SELECT count(*) FROM {rows} WHERE {which})") for table, column, rows, which in _COUNTED
    ]
    for table, what in (*wrong, *_NEVER):
        if store.run(f"SELECT 1 FROM {table} AS o WHERE {_MINE[table]} AND {what}", (key.id,)).fetchone():
            raise RowsError
    stream = store.stream(key)
    tail = stream.tail
    if tail is not None:
        if None in (tail.last, tail.live, tail.deleted, tail.bytes, tail.names):
            raise RowsError
        unpack_words(tail.names)
    for _, fields in stream.after(b"\0" * _ID_SIZE, -1):
        words = unpack_words(fields)
        if not words or len(words) % 2:
            raise RowsError
