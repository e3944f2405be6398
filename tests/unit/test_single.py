"""A memory keeps an XADD by one statement; whatever happens to it, nothing is half done."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from streamcli.engine import Engine, Wait
from streamcli.reply import OK, Error, Reply

NOW = 1_700_000_000_000
FULL = Error("ERR the disk is full; nothing was changed")


def run(engine: Engine, line: str) -> Reply | Wait:
    return engine.execute([word.encode() for word in line.split()], NOW)


def picture(engine: Engine) -> object:
    """All that can be told of the stream."""
    return [run(engine, line) for line in ("XINFO STREAM s FULL COUNT 0", "XRANGE s - +", "XLEN s", "MEMORY USAGE s")]


def on_disk(engine: Engine) -> object:
    """What the tables say."""
    with engine.store.transaction(write=False, now_ms=NOW):
        pass
    tables = ("streams", "entries", "nodes", "groups", "consumers", "pending")
    return [engine.store.run(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in tables]


@contextmanager
def statements(engine: Engine, meet: Callable[[str], None], *, after: bool) -> Iterator[None]:
    """Call `meet` before or after each statement."""
    true_run = engine.store.run

    def met(sql: str, *values: Any) -> sqlite3.Cursor:
        if not after:
            meet(sql)
        cursor = true_run(sql, *values)
        if after:
            meet(sql)
        return cursor

    engine.store.run = met
    yield
    engine.store.run = true_run


def full(sql: str) -> None:
    if sql.startswith("INSERT INTO entries"):
        raise sqlite3.OperationalError("database or disk is full")


def filled(engine: Engine, entries: int) -> None:
    for number in range(1, entries + 1):
        run(engine, f"XADD s {number}-1 temperature {number}")


@pytest.mark.parametrize("where", ["memory", "file"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("entries", [0, 1, 99, 100, 101])
def test_a_fault_around_the_insert_leaves_the_stream_as_it_was(
    tmp_path: Path, where: str, after: bool, entries: int
) -> None:
    engine = Engine(None if where == "memory" else str(tmp_path / "x.db"))
    filled(engine, entries)
    before, below = picture(engine), on_disk(engine)
    with statements(engine, full, after=after):
        assert run(engine, "XADD s MAXLEN 1000 1000-1 temperature 1000") == FULL
        assert picture(engine) == before
        if where == "file" or entries in (0, 100):  # else it runs no statement
            assert run(engine, "XADD s 1000-1 temperature 1000") == FULL
            assert picture(engine) == before
    assert not engine.store.in_transaction
    assert picture(engine) == before
    assert on_disk(engine) == below
    assert run(engine, "XADD s 1000-1 temperature 1000") == b"1000-1"
    assert run(engine, "XLEN s") == entries + 1


def test_an_xadd_in_a_memory_runs_no_statement_but_for_a_full_node() -> None:
    engine = Engine()
    run(engine, "XADD s 1-1 f v")
    run(engine, "XADD t 1-1 f v")
    seen: list[str] = []
    with statements(engine, seen.append, after=False):
        for number in range(2, 101):
            assert run(engine, f"XADD s {number}-1 f v") == b"%d-1" % number
            assert run(engine, f"XADD t {number}-1 f v") == b"%d-1" % number
        assert not seen
        assert run(engine, "XADD s 101-1 f v") == b"101-1"
    assert seen[0] == "BEGIN IMMEDIATE"
    assert seen[-1] == "COMMIT"
    for name in ("s", "t"):
        run(engine, f"XADD {name} 102-1 f v")
    assert run(engine, "XLEN s") == len(run(engine, "XRANGE s - +")) == 102  # type: ignore[arg-type]
    assert run(engine, "XLEN t") == len(run(engine, "XRANGE t - +")) == 101  # type: ignore[arg-type]


def test_who_reads_never_waits_for_more_than_a_bounded_number_of_entries() -> None:
    engine = Engine()
    for turn in range(9):
        for number in range(200):
            run(engine, f"XADD s{number} {turn + 1}-1 f v")
            assert sum(len(stream.ahead) for stream in engine.store.single.ahead) <= 500
    assert [run(engine, f"XLEN s{number}") for number in range(200)] == [9] * 200
    assert engine.store.run("SELECT count(*) FROM entries").fetchone() == (1800,)


@pytest.mark.parametrize("refused", ["BEGIN", "UPDATE streams", "COMMIT"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("line", ["XRANGE s - +", "XDEL s 3-1", "XADD s MAXLEN 9 9-9 f v"])
def test_a_fault_while_the_tables_catch_up_loses_nothing(refused: str, after: bool, line: str) -> None:
    engine, sound = Engine(), Engine()
    for one in (engine, sound):
        filled(one, 5)
        run(one, "XLEN s")
        for number in (6, 7):
            run(one, f"XADD s {number}-1 humidity {number}")

    def meet(sql: str) -> None:
        if sql.startswith(refused):
            raise sqlite3.OperationalError("database or disk is full")

    with statements(engine, meet, after=after):
        assert run(engine, line) == FULL
        assert run(engine, "XADD s 8-1 f v") == b"8-1"
        assert run(engine, line) == FULL
    run(sound, "XADD s 8-1 f v")
    assert picture(engine) == picture(sound)
    assert on_disk(engine) == on_disk(sound)
    assert run(engine, line) == run(sound, line)
    assert on_disk(engine) == on_disk(sound)


def test_an_interrupt_behind_the_insert_leaves_the_stream_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine()
    filled(engine, 3)
    before = picture(engine)

    def interrupted(db: int, name: bytes) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(engine, "touched", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(engine, "XADD s * f v")
    monkeypatch.undo()
    assert picture(engine) == before
    assert on_disk(engine)[0][0][1] == 3  # type: ignore[index]
    assert run(engine, "XADD s 9-9 f v") == b"9-9"


def test_a_rollback_behind_single_adds_keeps_them() -> None:
    engine = Engine()
    filled(engine, 5)
    before = picture(engine)

    def broken_off() -> None:
        with engine.batch(NOW):
            assert run(engine, "XADD s 7-7 f v") == b"7-7"
            assert run(engine, "XTRIM s MAXLEN 1") == 5
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken_off()
    assert picture(engine) == before


def test_a_fault_while_a_transaction_begins_keeps_what_single_adds_left() -> None:
    engine = Engine()
    filled(engine, 5)
    before = picture(engine)
    for refused in ("UPDATE streams", "BEGIN"):

        def meet(sql: str, refused: str = refused) -> None:
            if sql.startswith(refused):
                raise sqlite3.OperationalError("database or disk is full")

        with statements(engine, meet, after=False):
            assert run(engine, "XDEL s 1-1") == FULL
        assert picture(engine) == before
    assert run(engine, "XDEL s 1-1") == 1
    assert on_disk(engine)[0][0][1] == 4  # type: ignore[index]


def test_a_fault_while_a_memory_looks_again_after_another_one_forgets_no_expiry() -> None:
    engine = Engine()
    run(engine, f"SET s v PXAT {NOW + 5}")

    def fails(refused: str, line: str, at_ms: int) -> None:
        def meet(sql: str) -> None:
            if sql.startswith(refused):
                raise sqlite3.OperationalError("database or disk is full")

        with statements(engine, meet, after=True):
            assert engine.execute([word.encode() for word in line.split()], at_ms) == FULL

    with pytest.raises(KeyboardInterrupt), engine.batch(NOW + 6):  # by now it has been deleted; and then it has not
        raise KeyboardInterrupt
    fails("SELECT min(expires_ms)", "GET s", NOW + 6)
    assert engine.execute([b"SET", b"s", b"w", b"NX"], NOW + 6) == OK
    assert engine.execute([b"DBSIZE"], NOW + 6) == 1


def test_a_fault_of_a_reader_keeps_what_single_adds_left() -> None:
    engine = Engine()
    filled(engine, 5)

    def meet(sql: str) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with statements(engine, meet, after=False):
        assert run(engine, "XRANGE s - +") == FULL
    assert run(engine, "XLEN s") == 5
    assert len(run(engine, "XRANGE s - +")) == 5  # type: ignore[arg-type]


def test_what_reads_the_tables_meets_rows_that_are_not_behind() -> None:
    def of(*lines: str) -> list[Reply | Wait]:
        engine = Engine()
        run(engine, "XGROUP CREATE s g $ MKSTREAM")
        filled(engine, 120)
        return [run(engine, line) for line in lines]

    assert of("COPY s t", "XLEN t", "XADD t 121-1 f v", "XLEN s") == [1, 120, b"121-1", 120]
    assert of("RENAME s t", "XLEN t", "XADD t 121-1 f v", "XLEN t", "XLEN s") == [OK, 120, b"121-1", 121, 0]
    assert of("SWAPDB 0 1", "XLEN s", "SELECT 1", "XLEN s", "XADD s 121-1 f v") == [OK, 0, OK, 120, b"121-1"]
    assert of("DEL s", "XLEN s", "XADD s 1-1 f v", "XLEN s") == [1, 0, b"1-1", 1]
    assert of("FLUSHALL", "XLEN s", "XADD s 1-1 f v", "XLEN s") == [OK, 0, b"1-1", 1]
    engine = Engine()
    filled(engine, 120)
    payload = engine.execute([b"DUMP", b"s"], NOW)
    assert isinstance(payload, bytes)
    assert engine.execute([b"RESTORE", b"t", b"0", payload], NOW) == OK
    assert run(engine, "XLEN t") == 120
    assert run(engine, "XADD t 120-2 f v") == b"120-2"


def test_an_expired_stream_is_not_added_to() -> None:
    engine = Engine()
    filled(engine, 2)
    run(engine, f"PEXPIREAT s {NOW + 5}")
    assert engine.execute([b"XADD", b"s", b"9-9", b"f", b"v"], NOW + 5) == b"9-9"
    assert engine.execute([b"XADD", b"s", b"1-1", b"f", b"v"], NOW + 6) == b"1-1"
    assert engine.execute([b"XLEN", b"s"], NOW + 6) == 1


def test_keys_beyond_what_is_remembered_are_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamcli.storage.store._REMEMBERED_MAX", 3)
    engine = Engine()
    for number in range(9):
        for id in ("1-1", "2-1", "3-1"):
            run(engine, f"XADD s{number} {id} f v")
        assert [run(engine, f"XLEN s{one}") for one in range(number + 1)] == [3] * (number + 1)


def test_an_add_with_a_fault_in_a_transaction_of_the_client_undoes_all_of_it() -> None:
    engine = Engine()
    filled(engine, 2)
    before = picture(engine)
    for line in ("MULTI", "XADD s 5-5 f v", "XADD s 6-6 f v"):
        run(engine, line)
    count = 0

    def second(sql: str) -> None:
        nonlocal count
        count += sql.startswith("INSERT INTO entries")
        if count == 2:
            full(sql)

    with statements(engine, second, after=False):
        assert run(engine, "EXEC") == FULL
    assert picture(engine) == before
