"""A file that may not grow: one clear line, and what was there is still there, whole and readable.

The limit on file sizes (RLIMIT_FSIZE) stands in for a full disk: it needs no
rights, and SQLite meets it at the same places.
"""

from __future__ import annotations

import resource
import signal
from collections.abc import Callable

import pytest

from tests.e2e.program import Program, said
from tests.e2e.test_blocking import contents
from tests.e2e.test_processes import ids_of, sound

LINE = f"XADD a * f {'v' * 200}\n".encode()
CANNOT = "ERR the database file cannot be read or written (disk I/O error)"


def at_most(size: int) -> Callable[[], None]:
    """No file may grow beyond `size` bytes in a process that starts with this."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


@pytest.mark.parametrize("size", [100_000, 150_000, 400_000])
def test_writing_until_the_disk_is_full_keeps_every_acknowledged_entry(program: Program, size: int) -> None:
    assert program.lines("XADD a 1-1 f v", "XADD b 1-1 f v").code == 0
    got = program.run("--db", program.db, stdin=LINE * 3000, before=at_most(size))
    acknowledged = got.out.split()
    assert 0 < len(acknowledged) < 3000
    assert (got.err.decode(), got.code) == (f"line {len(acknowledged) + 1}: {CANNOT}\n", 1)
    assert ids_of(program, "a") == [b"1-1", *acknowledged]
    assert program.on("XRANGE", "b", "-", "+") == said("1-1\nf\nv\n")
    assert sound(program)
    assert program.on(stdin=LINE * 100).code == 0  # there is room again
    assert program.on("XLEN", "a") == said(f"{len(acknowledged) + 101}\n")


def test_a_command_that_finds_no_room_changes_nothing_and_the_next_one_that_does_works(program: Program) -> None:
    assert program.on("XADD", "a", "1-1", "f", "v") == said("1-1\n")
    big = "v" * 300_000
    got = program.run(
        "--db", program.db, "--continue-on-error", before=at_most(200_000),
        stdin=f"XADD a 2-1 f {big}\nXLEN a\nXADD a 2-1 f small\nXRANGE a - +\n".encode(),
    )  # fmt: skip
    assert got == said("1\n2-1\n1-1\nf\nv\n2-1\nf\nsmall\n", f"line 1: {CANNOT}\n", 1)


def test_a_transaction_that_finds_no_room_is_undone_as_a_whole(program: Program) -> None:
    assert program.on("XADD", "a", "1-1", "f", "v") == said("1-1\n")
    before = contents(program)
    lines = f"MULTI\nXADD a 2-1 f small\nXADD b 1-1 f {'v' * 300_000}\nEXEC\n".encode()
    got = program.run("--db", program.db, stdin=lines, before=at_most(200_000))
    assert got == said("OK\nQUEUED\nQUEUED\n", f"line 4: {CANNOT}\n", 1)
    assert contents(program) == before


def test_a_full_disk_does_not_keep_anyone_from_reading(program: Program) -> None:
    lines = [f"XADD a {number}-1 n {number}" for number in range(1, 1001)]
    assert program.lines(*lines).code == 0
    whole = program.on("XRANGE", "a", "-", "+")
    assert program.run("--db", program.db, "XRANGE", "a", "-", "+", before=at_most(40_000)) == whole


@pytest.mark.parametrize("size", [0, 1000, 20_000, 50_000])
def test_a_disk_too_full_for_a_new_database_is_said_and_leaves_nothing_in_the_way(program: Program, size: int) -> None:
    got = program.run("--db", program.db, "PING", before=at_most(size))
    assert got == said(
        "",
        f"streamcli: cannot open {program.db}: the database file cannot be read or written (disk I/O error)\n",
        3,
    )
    assert program.on("DBSIZE") == said("0\n")  # what is left behind, if anything, can be used


def test_a_database_that_cannot_even_keep_its_side_files_is_said_and_left_as_it_was(program: Program) -> None:
    assert program.on("XADD", "a", "1-1", "f", "v") == said("1-1\n")
    before = program.db.read_bytes()
    got = program.run("--db", program.db, "XADD", "a", "2-1", "f", "v", before=at_most(0))
    assert got == said(
        "",
        f"streamcli: cannot open {program.db}: the database file cannot be read or written (disk I/O error)\n",
        3,
    )
    assert program.db.read_bytes() == before
    assert program.on("XRANGE", "a", "-", "+") == said("1-1\nf\nv\n")
