"""The file: its tables, how it is made, opened and recognised, and what can be wrong with it.

The only module that knows where a database comes from. Every fault becomes an
OpenError or one sentence by `explain`; nothing here asks what the rows mean.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import suppress

APPLICATION_ID = 0x73744C49  # "stLI", at byte 68 of the file
SCHEMA_VERSION = 2
MEMORY = ":memory:"
Failed = sqlite3.Error  # what any read or write may raise
FAULTS = (Failed, UnicodeDecodeError)  # SQLite quotes a damaged page in its messages, and it may be no text

_MEMORY_PAGE = 8192
_HEADER = b"SQLite format 3\0"
_NOT_SQLITE = "it is not a SQLite file"
_BUSY_SECONDS = 0.2  # a wait inside SQLite ...
_TRIES = 50  # ... and how often; see `patiently`
_WAL_PAGES = 4000  # 16 MB between checkpoints
_CACHE = f"PRAGMA cache_size=-{32 * 1024}"  # KiB

# Made when it is first asked for: only CLAIM needs it, and it costs every XREADGROUP and XACK on a file some 4 us.
BY_DELIVERY = "CREATE INDEX IF NOT EXISTS pending_by_delivery ON pending (grp, delivered_ms, turn)"
_SINCE_2 = """\
-- What producers have added, so that it is not added again: `placed` and `place` count, `oldest` is the entry of the
-- first row that is left.
CREATE TABLE producers (
  id INTEGER PRIMARY KEY AUTOINCREMENT, stream INTEGER NOT NULL, name BLOB NOT NULL,
  held INTEGER NOT NULL, placed INTEGER NOT NULL, oldest BLOB NOT NULL, UNIQUE (stream, name)
);
CREATE INDEX producers_by_age ON producers (stream, oldest);
CREATE TABLE iids (
  producer INTEGER NOT NULL, iid BLOB NOT NULL, place INTEGER NOT NULL, id BLOB NOT NULL, added_ms INTEGER NOT NULL,
  PRIMARY KEY (producer, iid)
) WITHOUT ROWID;
CREATE INDEX iids_by_place ON iids (producer, place);
"""
_TABLES = f"""
CREATE TABLE keys (
  id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used again, so a key made anew is seen to be another
  db INTEGER NOT NULL,
  name BLOB NOT NULL,
  kind INTEGER NOT NULL,
  expires_ms INTEGER,
  UNIQUE (db, name)
);
-- By db and so by id: the order of SCAN.
CREATE INDEX keys_by_db ON keys (db);
CREATE INDEX keys_by_expiry ON keys (expires_ms) WHERE expires_ms IS NOT NULL;
CREATE TABLE strings (key INTEGER PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE streams (
  key INTEGER PRIMARY KEY,
  length INTEGER NOT NULL,
  last_id BLOB NOT NULL,                 -- IDs are 16 big-endian bytes: they sort as IDs do
  max_deleted_id BLOB NOT NULL,
  entries_added INTEGER NOT NULL,
  appended INTEGER NOT NULL,             -- counts XADDs whatever XSETID says, for those who wait
  large INTEGER NOT NULL,                -- counts its rows of the table large
  version INTEGER NOT NULL,              -- counts changes, for WATCH
  full_nodes INTEGER NOT NULL, full_bytes INTEGER NOT NULL,  -- of the table nodes
  tail_first BLOB, tail_last BLOB, tail_live INTEGER, tail_deleted INTEGER, tail_bytes INTEGER, tail_names BLOB,
  idmp_duration INTEGER NOT NULL DEFAULT 100, idmp_maxsize INTEGER NOT NULL DEFAULT 100,
  producers INTEGER NOT NULL DEFAULT 0, iids INTEGER NOT NULL DEFAULT 0,  -- count its rows of these tables
  iids_added INTEGER NOT NULL DEFAULT 0, iids_duplicates INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE entries (
  stream INTEGER NOT NULL, id BLOB NOT NULL, fields BLOB NOT NULL, PRIMARY KEY (stream, id)
) WITHOUT ROWID;
CREATE TABLE large (stream INTEGER NOT NULL, id BLOB NOT NULL, fields BLOB NOT NULL, UNIQUE (stream, id));
CREATE TABLE nodes (                     -- full macro nodes; the one still being filled is in its stream's row
  stream INTEGER NOT NULL, first BLOB NOT NULL, last BLOB NOT NULL,
  live INTEGER NOT NULL, deleted INTEGER NOT NULL, bytes INTEGER NOT NULL, names BLOB NOT NULL,
  PRIMARY KEY (stream, first)
) WITHOUT ROWID;
CREATE TABLE groups (
  id INTEGER PRIMARY KEY AUTOINCREMENT, stream INTEGER NOT NULL, name BLOB NOT NULL,
  last_id BLOB NOT NULL, entries_read INTEGER, pending INTEGER NOT NULL,
  released INTEGER NOT NULL DEFAULT 0,   -- of what is pending, what no consumer holds
  turns INTEGER NOT NULL DEFAULT 0,      -- counts deliveries
  nacks INTEGER NOT NULL DEFAULT 0,      -- counts XNACKs, for those who wait
  UNIQUE (stream, name)
);
CREATE TABLE consumers (
  id INTEGER PRIMARY KEY AUTOINCREMENT, grp INTEGER NOT NULL, name BLOB NOT NULL,
  seen_ms INTEGER NOT NULL, active_ms INTEGER NOT NULL, pending INTEGER NOT NULL, UNIQUE (grp, name)
);
CREATE TABLE pending (
  grp INTEGER NOT NULL, id BLOB NOT NULL, consumer INTEGER NOT NULL,
  delivered_ms INTEGER NOT NULL, deliveries INTEGER NOT NULL,
  turn INTEGER NOT NULL DEFAULT 0,       -- which of its group's deliveries: orders those of one ms
  PRIMARY KEY (grp, id)
) WITHOUT ROWID;
CREATE INDEX pending_by_consumer ON pending (consumer, id);
{_SINCE_2}"""

# From each older version to the next: what its tables lack. What comes of it is what _TABLES makes; a test holds it so.
_ADDED_2 = """\
streams ADD COLUMN idmp_duration INTEGER NOT NULL DEFAULT 100
streams ADD COLUMN idmp_maxsize INTEGER NOT NULL DEFAULT 100
streams ADD COLUMN producers INTEGER NOT NULL DEFAULT 0
streams ADD COLUMN iids INTEGER NOT NULL DEFAULT 0
streams ADD COLUMN iids_added INTEGER NOT NULL DEFAULT 0
streams ADD COLUMN iids_duplicates INTEGER NOT NULL DEFAULT 0
groups ADD COLUMN released INTEGER NOT NULL DEFAULT 0
groups ADD COLUMN turns INTEGER NOT NULL DEFAULT 0
groups ADD COLUMN nacks INTEGER NOT NULL DEFAULT 0
pending ADD COLUMN turn INTEGER NOT NULL DEFAULT 0
"""
_UPGRADES = {1: [*(f"ALTER TABLE {added}" for added in _ADDED_2.splitlines()), *_SINCE_2.split(";\n")]}


class DamagedError(sqlite3.DatabaseError):
    """The tables hold what streamcli does not write."""


class GoneError(sqlite3.OperationalError):
    """The file that is open is not the one at its place any more."""


class OpenError(Exception):
    """The file cannot be used; the text is one sentence for the user."""


def open_memory() -> sqlite3.Connection:
    """A database of its own that ends with the connection."""
    connection = _connect(MEMORY)
    connection.execute(_CACHE)
    connection.execute(f"PRAGMA page_size={_MEMORY_PAGE}")  # fewer splits; each of them walks all pages there are
    _fill(connection)
    return connection


def open_file(path: str, *, durable: bool = False) -> sqlite3.Connection:
    """The database at `path`, made if it is missing (mode 0600).

    `durable`: an acknowledged write survives the machine, not just the process.
    Raises OpenError.
    """
    if not path or "\0" in path:
        raise OpenError("cannot open a database without a name" if not path else "a database's name cannot hold a NUL")
    real = os.path.realpath(path)  # absolute, so that SQLite sees no name with a meaning of its own
    connection: sqlite3.Connection | None = None
    try:
        _make_or_check(real)
        connection = opened = _connect(real)
        patiently(lambda: _set_up(opened, durable=durable))
    except (OSError, OpenError, *FAULTS) as error:
        if connection is not None:
            connection.close()
        raise OpenError(f"cannot open {path}: {_reason(error)}") from None
    return connection


def patiently(act: Callable[[], None]) -> None:
    """Do what another process may keep us from for a while.

    SQLite waits 0.2 s at a time, so that a Ctrl-C in between is heard. `act`
    leaves nothing behind when it fails.
    """
    for attempt in range(_TRIES):
        try:
            act()
        except Failed as error:
            if attempt == _TRIES - 1 or "locked" not in str(error):
                raise
        else:
            return


def explain(error: Exception) -> str:
    """What went wrong, in words for the user (SQLite's own are for its programmers)."""
    text = str(error)
    if isinstance(error, GoneError):
        return (
            "the database file was removed or replaced while it was in use; nothing was changed; "
            "put the file back, or start again with the one that is there"
        )
    if isinstance(error, DamagedError) or not isinstance(error, Failed):
        text = "malformed"  # rows that say what no row of ours says
    if "not a database" in text:
        return _NOT_SQLITE
    if "malformed" in text or "corrupt" in text:
        return "the database file is damaged; restore it from a copy, or try `sqlite3 FILE .recover`"
    if "disk is full" in text or "database or disk is full" in text:
        return "the disk is full; nothing was changed"
    if "locked" in text or "busy" in text:
        return "another process has kept the database file locked; try again"
    if "readonly" in text or "read-only" in text:
        return "the database file cannot be written"
    if "disk I/O" in text or "unable to open" in text:
        return f"the database file cannot be read or written ({text})"
    return f"the database failed: {text}"


def _connect(path: str) -> sqlite3.Connection:
    return sqlite3.connect(
        path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=256
    )


def _set_up(connection: sqlite3.Connection, *, durable: bool) -> None:
    """Every one of these reads the file, and may have to wait for another process."""
    connection.execute(_CACHE)
    _recognise(connection)
    connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
    connection.execute(f"PRAGMA wal_autocheckpoint={_WAL_PAGES}")


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    return str(error) if isinstance(error, OpenError) else explain(error)


def _make_or_check(path: str) -> None:
    """A missing file is made, empty; what is there must be a file that may be ours.

    Empty, and filled under SQLite's lock: it then throws away what a file of that name has left behind in its
    write-ahead log, and of two processes that start at once one fills it and the other finds it filled.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        pass
    else:
        return
    found = os.stat(path)
    if stat.S_ISDIR(found.st_mode):
        raise OpenError("it is a folder; name a file in it")
    if not stat.S_ISREG(found.st_mode):
        raise OpenError("it is not a regular file")
    if not os.access(path, os.R_OK | os.W_OK):
        raise OpenError("it may not be read and written")
    if found.st_size and not _has_header(path):  # SQLite would take a byte or two for an empty file
        raise OpenError(_NOT_SQLITE)


def _has_header(path: str) -> bool:
    with open(path, "rb", buffering=0) as file:
        return file.read(len(_HEADER)) == _HEADER


def _recognise(connection: sqlite3.Connection) -> None:
    """Is it ours, and do we understand it? An empty file becomes ours."""
    if _pragma(connection, "application_id") != APPLICATION_ID:
        _fill(connection)
    version = _pragma(connection, "user_version")
    if version in _UPGRADES:
        version = _upgrade(connection)
    if version > SCHEMA_VERSION:
        raise OpenError(
            f"it was written by a newer streamcli (schema {version}, this one knows {SCHEMA_VERSION}); "
            "upgrade streamcli"
        )
    if version < SCHEMA_VERSION:
        raise OpenError(f"its schema version is {version}, which no streamcli has written")
    if connection.execute("PRAGMA journal_mode").fetchone()[0] == "delete":
        # Whoever finds others at work leaves it to the next one: it is a matter of speed, not of safety.
        with suppress(Failed):
            connection.execute("PRAGMA journal_mode=WAL")


def _fill(connection: sqlite3.Connection) -> None:
    """Make the tables, unless someone else has just done so."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _pragma(connection, "application_id") != APPLICATION_ID:
            if _pragma(connection, "page_count") > 1 or _pragma(connection, "schema_version") > 0:
                raise OpenError("it is a SQLite file of another program, not streamcli's")
            for statement in _TABLES.split(";\n"):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _upgrade(connection: sqlite3.Connection) -> int:
    """Bring an older file to this version, all or nothing, unless someone else has just done so: its version then."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        while (version := _pragma(connection, "user_version")) in _UPGRADES:
            for statement in _UPGRADES[version]:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version={version + 1}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    return version


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    value: int = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return value
