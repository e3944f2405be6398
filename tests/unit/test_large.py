"""Long fields are kept apart from the entries, come back whole, and go when their entry goes."""

from __future__ import annotations

import pytest

from streamcli.engine import Engine
from streamcli.storage.large import LARGE, LARGE_BYTES

NOW = 1_767_225_600_000
LONG = b"\0long" * LARGE_BYTES


def counts(engine: Engine) -> tuple[int, int]:
    """Rows of the table of long fields, and entries that stand for one."""
    run = engine.store.run
    rows: int = run("SELECT count(*) FROM large").fetchone()[0]
    marks: int = run("SELECT count(*) FROM entries WHERE fields=?", (LARGE,)).fetchone()[0]
    return rows, marks


def filled() -> Engine:
    engine = Engine()
    for number in range(1, 7):
        value = LONG if number % 2 else b"short"
        assert engine.execute([b"XADD", b"s", b"%d-1" % number, b"f", value], NOW) == b"%d-1" % number
    return engine


def test_long_fields_come_back_whole_from_every_reader() -> None:
    engine = filled()
    entry = [b"3-1", [b"f", LONG]]
    assert counts(engine) == (3, 3)
    assert engine.execute([b"XRANGE", b"s", b"3", b"3"], NOW) == [entry]
    assert engine.execute([b"XREAD", b"COUNT", b"1", b"STREAMS", b"s", b"2-1"], NOW) == [[b"s", [entry]]]
    engine.execute([b"XGROUP", b"CREATE", b"s", b"g", b"2-1"], NOW)
    for id in (b">", b"0"):
        read = [b"XREADGROUP", b"GROUP", b"g", b"c", b"COUNT", b"1", b"STREAMS", b"s", id]
        assert engine.execute(read, NOW) == [[b"s", [entry]]]
    assert engine.execute([b"XCLAIM", b"s", b"g", b"d", b"0", b"3-1"], NOW) == [entry]
    assert engine.execute([b"XAUTOCLAIM", b"s", b"g", b"e", b"0", b"-"], NOW) == [b"0-0", [entry], []]


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("XDEL s 3-1", 2),
        ("XDEL s 2-1", 3),
        ("XTRIM s MAXLEN 3", 1),
        ("XTRIM s MINID 4", 1),
        ("XTRIM s MAXLEN 0", 0),
        ("DEL s", 0),
        ("FLUSHDB", 0),
        ("FLUSHALL", 0),
        ("RENAME s t", 3),
        ("COPY s t", 6),
        ("SET s x", 0),
    ],
)
def test_long_fields_go_when_their_entry_goes(line: str, left: int) -> None:
    engine = filled()
    engine.execute(line.encode().split(), NOW)
    assert counts(engine) == (left, left)


def test_flushing_one_database_leaves_the_others_long_fields() -> None:
    engine = filled()
    for line in ("COPY s s DB 1", "FLUSHDB", "SELECT 1"):
        engine.execute(line.encode().split(), NOW)
    assert counts(engine) == (3, 3)
    assert engine.execute([b"XRANGE", b"s", b"5", b"5"], NOW) == [[b"5-1", [b"f", LONG]]]
