"""The embedded backend: beside the user's session, and after what nothing could guard against."""

from __future__ import annotations

from pathlib import Path

from streamcli.backend.embedded import Embedded
from streamcli.reply import OK, QUEUED, Error


def test_a_transaction_that_was_left_open_is_undone_before_the_next_command(tmp_path: Path) -> None:
    backend, other = Embedded(str(tmp_path / "x.db")), Embedded(str(tmp_path / "x.db"))
    backend.engine.store.transaction(write=False, now_ms=0).__enter__()  # as an exception before __exit__ leaves it
    assert backend.execute((b"XADD", b"a", b"1-1", b"f", b"v")) == b"1-1"
    assert other.execute((b"XLEN", b"a")) == 1


def test_browsing_is_no_part_of_the_users_transaction_and_follows_their_database() -> None:
    backend = Embedded(None)
    assert backend.execute((b"XADD", b"a", b"1-1", b"f", b"v")) == b"1-1"
    assert backend.execute((b"MULTI",)) == OK
    assert backend.execute((b"XLEN", b"a")) == QUEUED
    assert backend.browse((b"XLEN", b"a")) == 1
    assert backend.queued == 1
    assert backend.execute((b"EXEC",)) == [1]
    assert backend.execute((b"SELECT", b"3")) == OK
    assert backend.browse((b"XLEN", b"a")) == 0
    assert b"id=0 " not in bytes(str(backend.execute((b"CLIENT", b"LIST"))), "utf-8")


def test_browsing_a_closed_database_is_an_error_and_no_exception(tmp_path: Path) -> None:
    backend = Embedded(str(tmp_path / "x.db"))
    backend.close()
    assert isinstance(backend.browse((b"XLEN", b"a")), Error)
    backend.stop(writes=False)


def test_what_waits_is_answered_at_once_when_browsing() -> None:
    assert Embedded(None).browse((b"XREAD", b"BLOCK", b"0", b"STREAMS", b"a", b"$")) is not None
