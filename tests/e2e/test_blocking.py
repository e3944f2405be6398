"""Reads that wait: woken by another process, ended by their timeout, by Ctrl-C, or by what becomes of their key."""

from __future__ import annotations

import sqlite3

import pytest

from tests.e2e.program import Program, Running, said, until


def waiting(program: Program, line: str, *options: str) -> Running:
    """A process that waits in `line`: what was answered before is shown when the wait begins."""
    running = program.start("--db", program.db, *options, "-e", "ECHO ready", "-e", line)
    assert running.hear() == b"ready\n"
    return running


def contents(program: Program) -> dict[str, list[object]]:
    """Every row of every table."""
    connection = sqlite3.connect(program.db)
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")]
    rows: dict[str, list[object]] = {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in tables}
    connection.close()
    return rows


def test_a_read_that_waits_is_woken_by_another_process(program: Program) -> None:
    assert program.on("XADD", "a", "1-1", "city", "Rome") == said("1-1\n")
    waiter = waiting(program, "XREAD BLOCK 0 STREAMS a $")
    assert program.on("XADD", "a", "2-1", "city", "Oslo") == said("2-1\n")
    assert waiter.finish() == said("a\n2-1\ncity\nOslo\n")


def test_a_read_waits_for_a_stream_that_is_yet_to_be_made(program: Program) -> None:
    waiter = waiting(program, "XREAD BLOCK 0 STREAMS a b 0 0")
    assert program.on("XADD", "b", "1-1", "city", "Oslo") == said("1-1\n")
    assert waiter.finish() == said("b\n1-1\ncity\nOslo\n")


def test_a_read_sleeps_on_while_other_streams_are_written(program: Program) -> None:
    waiter = waiting(program, "XREAD BLOCK 0 STREAMS a $")
    for number in range(1, 6):
        assert program.on("XADD", "b", f"{number}-1", "f", "v").code == 0
    assert waiter.process.poll() is None
    assert program.on("XADD", "a", "9-1", "f", "v") == said("9-1\n")
    assert waiter.finish() == said("a\n9-1\nf\nv\n")


def test_a_read_of_another_database_is_not_woken(program: Program) -> None:
    waiter = waiting(program, "XREAD BLOCK 0 STREAMS a $", "-n", "1")
    assert program.on("-n", "0", "XADD", "a", "1-1", "f", "zero") == said("1-1\n")
    assert program.on("-n", "1", "XADD", "a", "2-1", "f", "one") == said("2-1\n")
    assert waiter.finish() == said("a\n2-1\nf\none\n")


def test_every_reader_of_a_stream_is_woken_by_one_entry(program: Program) -> None:
    waiters = [waiting(program, "XREAD BLOCK 0 STREAMS a $") for _ in range(4)]
    assert program.on("XADD", "a", "1-1", "f", "v") == said("1-1\n")
    assert [waiter.finish() for waiter in waiters] == [said("a\n1-1\nf\nv\n")] * 4


def test_one_entry_goes_to_one_consumer_of_a_group(program: Program) -> None:
    assert program.on("XGROUP", "CREATE", "a", "g", "$", "MKSTREAM") == said("OK\n")
    waiters = [waiting(program, f"XREADGROUP GROUP g c{number} BLOCK 0 STREAMS a >") for number in range(2)]
    assert program.on("XADD", "a", "1-1", "f", "v") == said("1-1\n")
    until(lambda: any(waiter.process.poll() is not None for waiter in waiters), "one of them is woken")
    assert sum(waiter.process.poll() is None for waiter in waiters) == 1
    assert program.on("XADD", "a", "2-1", "f", "v") == said("2-1\n")
    assert sorted(waiter.finish().out for waiter in waiters) == [b"a\n1-1\nf\nv\n", b"a\n2-1\nf\nv\n"]


def test_a_read_that_waits_sees_a_whole_transaction_at_once(program: Program) -> None:
    waiter = waiting(program, "XREAD BLOCK 0 STREAMS a $")
    assert program.lines("MULTI", "XADD a 1-1 f v", "XADD a 1-2 f v", "EXEC").code == 0
    assert waiter.finish() == said("a\n1-1\nf\nv\n1-2\nf\nv\n")


def test_a_reader_that_follows_misses_nothing(program: Program) -> None:
    follower = program.start("--db", program.db)
    last = "0-0"
    for number in range(1, 21):
        follower.say(f"XREAD BLOCK 0 STREAMS a {last}")
        assert program.on("XADD", "a", f"{number}-1", "n", str(number)) == said(f"{number}-1\n")
        last = f"{number}-1"
        assert follower.hear(4) == f"a\n{last}\nn\n{number}\n".encode()
    assert follower.finish() == said()


@pytest.mark.parametrize(
    ("format", "nil"), [("raw", "\n"), ("tree", "(nil)\n"), ("classic", "(nil)\n"), ("json", "null\n"), ("jsonl", "")]
)
def test_a_timeout_answers_nil(program: Program, format: str, nil: str) -> None:
    assert program.on("--format", format, "XREAD", "BLOCK", "1", "STREAMS", "a", "$") == said(nil)


def test_a_timeout_in_memory_answers_nil_too(program: Program) -> None:
    assert program.run("--memory", "-e", "XREAD BLOCK 1 STREAMS a $", "-e", "ECHO after") == said("\nafter\n")


def test_a_blocking_read_of_a_group_answers_nil_at_its_timeout(program: Program) -> None:
    assert program.on("XGROUP", "CREATE", "a", "g", "$", "MKSTREAM") == said("OK\n")
    assert program.on("XREADGROUP", "GROUP", "g", "c", "BLOCK", "1", "STREAMS", "a", ">") == said("\n")


def test_nothing_waits_inside_a_transaction(program: Program) -> None:
    assert program.lines("MULTI", "XREAD BLOCK 0 STREAMS a $", "PING", "EXEC") == said("OK\nQUEUED\nQUEUED\n\nPONG\n")


def test_ctrl_c_ends_a_wait_with_130_says_nothing_and_changes_nothing(program: Program) -> None:
    assert program.lines("XADD a 1-1 f v", "XGROUP CREATE a g 0").code == 0
    before = contents(program)
    waiter = waiting(program, "XREAD BLOCK 0 STREAMS a $")
    waiter.interrupt()
    assert waiter.finish() == said(code=130)
    assert contents(program) == before


def test_ctrl_c_ends_a_groups_wait_and_delivers_nothing(program: Program) -> None:
    assert program.lines("XADD a 1-1 f v", "XGROUP CREATE a g $").code == 0
    waiter = waiting(program, "XREADGROUP GROUP g c BLOCK 0 STREAMS a >")
    waiter.interrupt()
    assert waiter.finish() == said(code=130)
    assert program.on("-e", "XPENDING a g", "-e", "XADD a 2-1 f v", "-e", "XREADGROUP GROUP g c STREAMS a >") == said(
        "0\n\n\n\n2-1\na\n2-1\nf\nv\n"
    )


def test_ctrl_c_in_a_wait_of_a_pipe_leaves_with_130_though_errors_are_to_be_passed_over(program: Program) -> None:
    running = program.start("--db", program.db, "--continue-on-error")
    running.say("NOPE", "ECHO ready", "XREAD BLOCK 0 STREAMS a $", "ECHO never")
    assert running.hear() == b"ready\n"
    running.interrupt()
    got = running.finish()
    assert (got.out, got.code, got.err.count(b"\n")) == (b"", 130, 1)


def test_a_group_that_is_destroyed_ends_the_wait_with_an_error(program: Program) -> None:
    assert program.on("XGROUP", "CREATE", "a", "g", "$", "MKSTREAM") == said("OK\n")
    waiter = waiting(program, "XREADGROUP GROUP g c BLOCK 0 STREAMS a >")
    assert program.on("XGROUP", "DESTROY", "a", "g") == said("1\n")
    got = waiter.finish()
    assert (got.out, got.code, got.err.count(b"\n")) == (b"", 1, 1)
    assert got.err.startswith(b"NOGROUP ")


def test_a_key_that_is_deleted_ends_a_groups_wait_with_an_error(program: Program) -> None:
    assert program.on("XGROUP", "CREATE", "a", "g", "$", "MKSTREAM") == said("OK\n")
    waiter = waiting(program, "XREADGROUP GROUP g c BLOCK 0 STREAMS a >")
    assert program.on("DEL", "a") == said("1\n")
    got = waiter.finish()
    assert (got.out, got.code, got.err.count(b"\n")) == (b"", 1, 1)
    assert got.err.startswith(b"NOGROUP ")


def test_a_plain_read_outlives_its_streams_deletion(program: Program) -> None:
    assert program.on("XADD", "a", "5-1", "f", "v") == said("5-1\n")
    waiter = waiting(program, "XREAD BLOCK 0 STREAMS a $")
    assert program.on("DEL", "a") == said("1\n")
    assert program.on("XADD", "a", "6-1", "f", "v") == said("6-1\n")
    assert waiter.finish() == said("a\n6-1\nf\nv\n")


def test_a_reader_that_waits_hinders_no_writer(program: Program) -> None:
    waiter = waiting(program, "XREAD BLOCK 0 STREAMS never $")
    lines = [f"XADD a {number}-1 f v" for number in range(1, 201)]
    assert program.lines(*lines) == said("".join(f"{number}-1\n" for number in range(1, 201)))
    waiter.interrupt()
    assert waiter.finish() == said(code=130)
