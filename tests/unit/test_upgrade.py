"""A file of an older version of the schema becomes one of this version when it is opened, or stays what it was."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest

from streamcli.engine import Engine
from streamcli.reply import Error, Reply
from streamcli.storage import schema

OLD: Final = Path(__file__).with_name("fixtures") / "schema-1.sql"
NOW: Final = 1_767_225_700_000


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A file of version 1."""
    path = tmp_path / "x.db"
    connection = sqlite3.connect(path)
    connection.executescript(OLD.read_text(encoding="utf-8"))
    connection.close()
    return path


def run(engine: Engine, line: str) -> object:
    return engine.execute(line.encode().split(), NOW)


def shape(path: Path) -> dict[str, object]:
    """Its version, and every table and index with its columns."""
    connection = sqlite3.connect(path)
    names = connection.execute("SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name").fetchall()
    found: dict[str, object] = {"version": connection.execute("PRAGMA user_version").fetchone()}
    for (name,) in names:
        columns = connection.execute(f"PRAGMA table_xinfo({name})").fetchall()
        found[name] = columns or connection.execute(f"PRAGMA index_xinfo({name})").fetchall()
    connection.close()
    return found


def test_what_comes_of_an_upgrade_is_what_a_new_file_is(old: Path, tmp_path: Path) -> None:
    Engine(str(old)).close()
    Engine(str(tmp_path / "new.db")).close()
    assert shape(old) == shape(tmp_path / "new.db")


def test_what_was_in_it_is_in_it(old: Path) -> None:
    engine = Engine(str(old))
    assert run(engine, "XLEN s") == 3
    assert run(engine, "GET w") == b"text"
    assert run(engine, "XPENDING s g - + 9") == [
        [b"1-1", b"ann", 99_993, 1],
        [b"1-2", b"ann", 99_993, 1],
        [b"1-3", b"bob", 99_992, 1],
    ]
    full = run(engine, "XINFO STREAM s FULL")
    assert isinstance(full, list)
    told = dict(zip(full[::2], full[1::2], strict=True))
    assert (told[b"idmp-duration"], told[b"idmp-maxsize"], told[b"iids-tracked"]) == (100, 100, 0)
    engine.close()


def test_it_does_what_only_this_version_can(old: Path) -> None:
    engine = Engine(str(old))
    entries = [[b"1-1", [b"f", b"a"], 99_993, 1], [b"1-3", [b"f", b"c"], 99_992, 1], [b"1-4", [b"f", b"d"], 0, 0]]
    assert run(engine, "XREADGROUP GROUP g carl CLAIM 99992 STREAMS s >") == [[b"s", entries]]
    assert run(engine, "XNACK s g FAIL IDS 1 1-3") == 1
    assert run(engine, "XADD s IDMP p i * f v") == run(engine, "XADD s IDMP p i * f v")
    engine.close()
    again = Engine(str(old))
    assert run(again, "XPENDING s g - + 9 carl") == [[b"1-1", b"carl", 0, 2], [b"1-4", b"carl", 0, 1]]
    again.close()


def test_of_many_that_open_it_at_once_one_does_it(old: Path) -> None:
    def length(_: int) -> Reply | object:
        engine = Engine(str(old))
        try:
            return run(engine, "XLEN s")
        finally:
            engine.close()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(length, range(16))) == [3] * 16


def test_an_upgrade_that_fails_leaves_the_file_as_it_was(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = shape(old)
    broken = {1: [*schema._UPGRADES[1], "CREATE TABLE keys (x)"]}
    monkeypatch.setattr(schema, "_UPGRADES", broken)
    with pytest.raises(schema.OpenError):
        Engine(str(old))
    assert shape(old) == before
    monkeypatch.undo()
    engine = Engine(str(old))
    assert not isinstance(run(engine, "XINFO STREAM s"), Error)
    engine.close()


def test_a_process_of_the_older_version_that_has_it_open_writes_nothing_wrong(old: Path) -> None:
    """Its statements are these. What has become another table refuses them; the others do what they did."""
    older = sqlite3.connect(old, isolation_level=None)
    before = older.execute("SELECT * FROM pending ORDER BY id").fetchall()
    engine = Engine(str(old))
    assert run(engine, "XADD s IDMP p i * f v") == b"%d-0" % NOW
    older.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError, match="table pending has 6 columns but 5 values were supplied"):
        older.execute("INSERT INTO pending VALUES(?,?,?,?,?)", before[0])
    older.execute("ROLLBACK")
    older.execute("DELETE FROM pending WHERE grp=? AND id=?", before[0][:2])
    assert run(engine, "XPENDING s g - + 9") == [[b"1-2", b"ann", 99_993, 1], [b"1-3", b"bob", 99_992, 1]]
    assert run(engine, "XADD s IDMP p i * f v") == b"%d-0" % NOW
    assert older.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    older.close()
    engine.close()
