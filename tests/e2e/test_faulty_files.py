"""A database file that cannot be used: one clear line, exit code 3 (1 once it is open), nothing lost, no traceback."""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.program import Program, Result, said

PAGE = 4096
DAMAGED = "the database file is damaged; restore it from a copy, or try `sqlite3 FILE .recover`"


def of_another_program(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.executescript("CREATE TABLE t (a); INSERT INTO t VALUES ('theirs');")
    connection.close()


def of_another_program_with_its_own_mark(path: Path) -> None:
    of_another_program(path)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA application_id=1196444487")  # "GPKG", a GeoPackage
    connection.close()


def random_bytes(path: Path) -> None:
    path.write_bytes(random.Random(1).randbytes(10_000))


FAULTY: list[tuple[Callable[[Path], object], str]] = [
    (random_bytes, "it is not a SQLite file"),
    (lambda path: path.write_text("XADD a 1-1 f v\n" * 1000), "it is not a SQLite file"),
    (lambda path: path.write_text("a"), "it is not a SQLite file"),
    (lambda path: path.write_text("\n"), "it is not a SQLite file"),
    (lambda path: path.write_bytes(b"SQLite format 3\0"), "it is not a SQLite file"),
    (lambda path: path.write_bytes(b"SQLite format 3\0" + bytes(84)), "it is not a SQLite file"),
    (lambda path: path.write_bytes(bytes(3 * PAGE)), "it is not a SQLite file"),
    (of_another_program, "it is a SQLite file of another program, not streamcli's"),
    (of_another_program_with_its_own_mark, "it is a SQLite file of another program, not streamcli's"),
]
KINDS = [
    "random bytes",
    "text",
    "one byte",
    "a line end",
    "a cut header",
    "a header of nothing",
    "zeros",
    "SQLite",
    "marked",
]


@pytest.mark.parametrize(("make", "why"), FAULTY, ids=KINDS)
def test_a_file_that_is_not_ours_is_refused_and_left_as_it_was(
    program: Program, make: Callable[[Path], object], why: str
) -> None:
    make(program.db)
    before = program.db.read_bytes()
    assert program.on("XADD", "a", "1-1", "f", "v") == said("", f"streamcli: cannot open {program.db}: {why}\n", 3)
    assert program.db.read_bytes() == before
    assert [path.name for path in program.home.iterdir()] == ["streams.db"]


def make_folder(program: Program) -> str:
    program.db.mkdir()
    return str(program.db)


def make_fifo(program: Program) -> str:
    os.mkfifo(program.db)
    return str(program.db)


PLACES: list[tuple[Callable[[Program], str], str]] = [
    (make_folder, "it is a folder; name a file in it"),
    (make_fifo, "it is not a regular file"),
    (lambda program: "/dev/null", "it is not a regular file"),
    (lambda program: "/dev/full", "it is not a regular file"),
    (lambda program: str(program.home / "missing" / "a.db"), "no such file or directory"),
    (lambda program: "/proc/a.db", "no such file or directory"),
    (lambda program: "/proc/self/nothing/a.db", "no such file or directory"),
    (lambda program: str(program.home / ("n" * 300)), "file name too long"),
]


@pytest.mark.parametrize(("make", "why"), PLACES, ids=[
    "a folder", "a FIFO", "a device", "another device", "a missing folder", "a folder of the kernel's",
    "a missing folder of the kernel's", "a name too long",
])  # fmt: skip
def test_a_place_where_no_database_can_be_is_said_and_exits_3(
    program: Program, make: Callable[[Program], str], why: str
) -> None:
    place = make(program)
    assert program.run("--db", place, "PING") == said("", f"streamcli: cannot open {place}: {why}\n", 3)


def test_a_file_that_not_even_root_may_write_is_said_and_exits_3(program: Program) -> None:
    got = program.run("--db", "/proc/version", "PING")
    assert (got.out, got.code, got.err.count(b"\n")) == (b"", 3, 1)
    assert got.err.startswith(b"streamcli: cannot open /proc/version: ")


def test_a_link_that_leads_to_itself_is_said_and_exits_3(program: Program) -> None:
    program.db.symlink_to(program.db)
    assert program.on("PING") == said(
        "", f"streamcli: cannot open {program.db}: too many levels of symbolic links\n", 3
    )


def test_controls_in_a_file_name_are_shown_as_escapes(program: Program) -> None:
    assert program.run("--db", "/missing/\x1b[31mred\n", "PING") == said(
        "", "streamcli: cannot open /missing/\\x1b[31mred\\n: no such file or directory\n", 3
    )
    assert program.run("--memory", "-f", "\x1b]0;title\x07") == said(
        "", "streamcli: cannot read \\x1b]0;title\\a: no such file or directory (see streamcli --help)\n", 2
    )


def test_a_file_of_a_newer_streamcli_is_refused_and_left_as_it_was(program: Program) -> None:
    assert program.on("XADD", "a", "1-1", "f", "v").code == 0
    connection = sqlite3.connect(program.db)
    connection.execute("PRAGMA user_version=7")
    connection.close()
    before = program.db.read_bytes()
    assert program.on("XADD", "a", "1-2", "f", "v") == said(
        "",
        f"streamcli: cannot open {program.db}: it was written by a newer streamcli (schema 7, this one knows 2); "
        "upgrade streamcli\n",
        3,
    )
    assert program.db.read_bytes() == before


def test_a_file_with_our_mark_but_no_tables_is_refused(program: Program) -> None:
    connection = sqlite3.connect(program.db)
    connection.executescript("PRAGMA application_id=1937001545; PRAGMA user_version=1;")
    connection.close()
    got = program.on("-e", "XADD a 1-1 f v", "-e", "XLEN a")
    assert (got.out, got.err.count(b"\n"), got.code in (1, 3)) == (b"", 1, True)


# -- damage ------------------------------------------------------------------------------


def fill(program: Program) -> None:
    """Two streams of some forty pages each, a group with pending entries, a string."""
    lines = [f"XADD {key} {number}-1 n {number} f {key * 400}" for number in range(1, 301) for key in "ab"]
    lines += ["XGROUP CREATE a g 0", "XREADGROUP GROUP g c COUNT 50 STREAMS a >", "SET s v"]
    assert program.lines(*lines).code == 0


def no_traceback(got: Result) -> None:
    """Either it went well, or one line says what is wrong."""
    for word in (b"Traceback", b"internal error"):
        assert word not in got.err, got.err.decode()
    assert (got.code, got.err.count(b"\n")) in ((0, 0), (1, 1), (3, 1)), got.err.decode()


READS: tuple[tuple[str, ...], ...] = (
    ("XRANGE", "a", "-", "+"),
    ("XRANGE", "b", "-", "+"),
    ("XLEN", "a"),
    ("KEYS", "*"),
    ("XINFO", "STREAM", "a", "FULL"),
    ("XPENDING", "a", "g"),
    ("GET", "s"),
    ("XREAD", "BLOCK", "10", "STREAMS", "a", "$"),
)
WRITES: tuple[tuple[str, ...], ...] = (
    ("XADD", "a", "*", "f", "v"),
    ("XADD", "new", "*", "f", "v"),
    ("XREADGROUP", "GROUP", "g", "c", "STREAMS", "a", ">"),
    ("XACK", "a", "g", "1-1"),
    ("XTRIM", "b", "MAXLEN", "10"),
    ("XDEL", "a", "150-1"),
    ("DEL", "b"),
    ("FLUSHALL",),
)


def all_at_once(words: tuple[tuple[str, ...], ...]) -> list[str]:
    return [part for command in words for part in ("-e", " ".join(command))]


@pytest.mark.parametrize("seed", range(12))
def test_bytes_overwritten_anywhere_never_end_in_a_traceback_and_reading_changes_nothing(
    program: Program, seed: int
) -> None:
    fill(program)
    chance = random.Random(seed)
    data = bytearray(program.db.read_bytes())
    for _ in range(chance.choice((1, 5, 20))):
        at = chance.randrange(100, len(data))
        length = chance.choice((1, 8, 200, PAGE))
        data[at : at + length] = chance.randbytes(min(length, len(data) - at))
    program.db.write_bytes(data)
    for command in READS:
        no_traceback(program.on(*command))
    assert program.db.read_bytes() == data
    for command in WRITES:
        no_traceback(program.on(*command))


@pytest.mark.parametrize("page", range(1, 16))
def test_a_page_of_rubbish_never_ends_in_a_traceback(program: Program, page: int) -> None:
    fill(program)
    data = bytearray(program.db.read_bytes())
    data[page * PAGE : (page + 1) * PAGE] = random.Random(page).randbytes(PAGE)
    program.db.write_bytes(data)
    for words in (READS, WRITES):
        got = program.on("--continue-on-error", *all_at_once(words))
        for word in (b"Traceback", b"internal error"):
            assert word not in got.err, got.err.decode()
        assert got.err.count(b"\n") <= len(words)
        assert got.code in ((1, 3) if got.err else (0,))  # 3: it is seen as soon as the file is opened


def test_a_file_cut_in_half_is_damaged_and_keeps_what_it_has(program: Program) -> None:
    fill(program)
    data = program.db.read_bytes()
    half = data[: len(data) // 2 // PAGE * PAGE]
    program.db.write_bytes(half)
    got = program.on("XRANGE", "b", "-", "+")
    assert (got.out, got.code in (1, 3)) == (b"", True)
    assert got.err.decode().endswith(f"{DAMAGED}\n")
    assert program.db.read_bytes() == half


def test_what_is_outside_the_damage_can_still_be_read(program: Program) -> None:
    fill(program)
    whole = program.on("XRANGE", "a", "-", "+", "COUNT", "20")
    data = bytearray(program.db.read_bytes())
    at = data.rindex(b"b" * 400) // PAGE * PAGE  # a leaf of b's
    data[at : at + PAGE] = b"\xff" * PAGE
    program.db.write_bytes(data)
    got = program.on("XRANGE", "b", "-", "+")
    assert got == said("", f"ERR {DAMAGED}\n", 1)
    assert program.on("XRANGE", "a", "-", "+", "COUNT", "20") == whole
    assert program.on("XLEN", "b") == said("300\n")


def test_a_write_ahead_log_of_rubbish_loses_nothing_that_was_in_the_file(program: Program) -> None:
    fill(program)
    whole = program.on("XRANGE", "a", "-", "+")
    Path(f"{program.db}-wal").write_bytes(random.Random(1).randbytes(50_000))
    assert program.on("XRANGE", "a", "-", "+") == whole
    assert program.on("XADD", "a", "301-1", "f", "v") == said("301-1\n")


def test_a_file_that_vanishes_while_it_is_waited_on_is_no_traceback(program: Program) -> None:
    fill(program)
    running = program.start("--db", program.db, "-e", "PING", "-e", "XREAD BLOCK 100 STREAMS a $")
    assert running.hear() == b"PONG\n"
    for path in program.home.glob("streams.db*"):
        path.unlink()
    no_traceback(running.finish())


def test_a_file_that_is_damaged_while_it_is_waited_on_is_no_traceback(program: Program) -> None:
    fill(program)
    running = program.start("--db", program.db, "-e", "PING", "-e", "XREAD BLOCK 3000 STREAMS a $")
    assert running.hear() == b"PONG\n"
    data = bytearray(program.db.read_bytes())
    data[100:] = random.Random(3).randbytes(len(data) - 100)
    program.db.write_bytes(data)
    no_traceback(running.finish())
