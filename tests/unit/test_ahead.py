"""Commands sent ahead of their replies, and sessions beside others: the engine's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from streamcli.backend.embedded import Embedded
from streamcli.reply import OK, QUEUED, Error


def test_replies_come_in_order_and_errors_among_them() -> None:
    backend = Embedded()
    argvs = [(b"XADD", b"a", b"1-1", b"f", b"v"), (b"XADD", b"a", b"1-1", b"f", b"v"), (b"XLEN", b"a")]
    assert list(backend.pipelined(argvs)) == [
        b"1-1",
        Error("ERR The ID specified in XADD is equal or smaller than the target stream top item"),
        1,
    ]


def test_what_is_sent_together_is_one_transaction_of_the_file(tmp_path: Path) -> None:
    backend, other = Embedded(str(tmp_path / "a.db")), Embedded(str(tmp_path / "a.db"))
    replies = backend.pipelined(((b"XADD", b"a", b"%d-1" % number, b"f", b"v") for number in range(1, 101)), window=10)
    assert other.execute((b"XLEN", b"a")) == 0
    assert next(replies) == b"1-1"
    assert other.execute((b"XLEN", b"a")) == 10
    replies.close()
    assert other.execute((b"XLEN", b"a")) == 10


def test_no_more_is_taken_than_a_window() -> None:
    taken = []

    def argvs() -> Iterator[tuple[bytes, ...]]:
        for number in range(1, 100):
            taken.append(number)
            yield (b"ECHO", b"%d" % number)

    replies = Embedded().pipelined(argvs(), window=5)
    assert [next(replies) for _ in range(5)] == [b"1", b"2", b"3", b"4", b"5"]
    assert len(taken) == 5


def test_a_session_beside_has_its_own_transaction_and_the_same_database() -> None:
    backend = Embedded()
    backend.execute((b"SELECT", b"3"))
    backend.execute((b"MULTI",))
    beside = backend.beside()
    assert beside.db == 3
    assert beside.execute((b"SET", b"k", b"v")) == OK
    beside.close()
    assert backend.execute((b"GET", b"k")) == QUEUED
    assert backend.execute((b"EXEC",)) == [b"v"]
