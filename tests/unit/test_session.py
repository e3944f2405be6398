"""A session carries out commands whole or not at all, whatever interrupts it."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from streamcli.engine import Engine, Session, Wait
from streamcli.reply import OK, Error, Simple

NOW = 1_767_225_600_000


def run(session: Session, line: str, now_ms: int = NOW) -> object:
    return session.execute(line.encode().split(), now_ms)


def waiting(session: Session) -> Wait:
    wait = run(session, "XREAD BLOCK 0 STREAMS s $")
    assert isinstance(wait, Wait)
    return wait


@pytest.mark.parametrize("statement", ["BEGIN", "PRAGMA data_version", "COMMIT"])
def test_an_interrupt_while_a_read_is_resumed_leaves_a_store_that_works(tmp_path: Path, statement: str) -> None:
    engine, other = Engine(str(tmp_path / "x.db")), Engine(str(tmp_path / "x.db"))
    session = engine.session()
    wait = waiting(session)
    run(other.session(), "XADD s 1-1 f v")
    true_run = engine.store.run

    def interrupted(sql: str, *values: Any) -> sqlite3.Cursor:
        cursor = true_run(sql, *values)
        if sql == statement:
            raise KeyboardInterrupt
        return cursor

    engine.store.run = interrupted
    with pytest.raises(KeyboardInterrupt):
        session.resume(wait, NOW + 1)
    engine.store.run = true_run
    assert not engine.store.in_transaction
    assert run(session, "XADD s 5-1 f v") == b"5-1"
    assert run(other.session(), "XLEN s") == 2
    assert run(other.session(), "XRANGE s 2 +") == [[b"5-1", [b"f", b"v"]]]


def test_a_fault_inside_a_batch_undoes_all_of_it_and_is_raised() -> None:
    engine = Engine()
    session = engine.session()
    true_run = engine.store.run

    def full(sql: str, *values: Any) -> sqlite3.Cursor:
        if sql.startswith("INSERT INTO entries") and values[0][1].endswith(b"\2"):
            raise sqlite3.OperationalError("database or disk is full")
        return true_run(sql, *values)

    engine.store.run = full

    def three() -> None:
        with engine.batch(NOW):
            for line in ("XADD s 1-1 f v", "XADD s 1-2 f v", "XADD s 1-3 f v"):
                run(session, line)

    with pytest.raises(sqlite3.OperationalError):
        three()
    engine.store.run = true_run
    assert run(session, "EXISTS s") == 0
    assert run(session, "XADD s 1-2 f v") == b"1-2"
    assert run(session, "XLEN s") == 1


def test_a_fault_outside_a_batch_is_answered_and_nothing_is_changed() -> None:
    engine = Engine()
    session = engine.session()
    run(session, "XADD s 1-1 f v")
    true_run = engine.store.run

    def full(sql: str, *values: Any) -> sqlite3.Cursor:
        if sql.startswith("INSERT INTO entries"):
            raise sqlite3.OperationalError("database or disk is full")
        return true_run(sql, *values)

    engine.store.run = full
    said = Error("ERR the disk is full; nothing was changed")
    assert run(session, "XADD s MAXLEN 9 2-1 f v") == said
    assert [run(session, line) for line in ("MULTI", "SET a b", "XADD s 2-1 f v")] == [OK, *[Simple("QUEUED")] * 2]
    assert run(session, "EXEC") == said
    engine.store.run = true_run
    assert run(session, "EXISTS a") == 0
    assert run(session, "XLEN s") == 1
