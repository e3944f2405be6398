"""Several processes on one file at once: nothing is lost, nothing is locked out, transactions are whole."""

from __future__ import annotations

import sqlite3
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.program import Program, Result, Running, said, until
from tests.e2e.test_blocking import waiting


def number_of(id: bytes) -> tuple[int, int]:
    ms, seq = id.split(b"-")
    return int(ms), int(seq)


def ids_of(program: Program, key: str) -> list[bytes]:
    got = program.on("XRANGE", key, "-", "+")
    assert (got.err, got.code) == (b"", 0)
    return got.out.splitlines()[::3]


def sound(program: Program) -> bool:
    connection = sqlite3.connect(program.db)
    verdict = connection.execute("PRAGMA integrity_check").fetchall()
    connection.close()
    return verdict == [("ok",)]


def test_four_writers_at_once_lose_nothing_while_others_read(program: Program) -> None:
    reader = waiting(program, "XREAD BLOCK 0 STREAMS end $")
    counter = program.start("--db", program.db)

    def write(name: str) -> Result:
        return program.on(stdin=f"XADD a * from {name}\n".encode() * 500)

    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(write, name) for name in "wxyz"]
        seen = [0]
        while not all(writer.done() for writer in writers):
            counter.say("XLEN a", "XREVRANGE a + - COUNT 1", "XLEN a")
            seen.append(int(counter.hear()))
            first = counter.hear()
            if first != b"\n":
                counter.hear(2)
            seen.append(int(counter.hear()))
        results = [writer.result() for writer in writers]
    assert [(result.err, result.code) for result in results] == [(b"", 0)] * 4
    assert seen == sorted(seen)
    assert counter.finish() == said()
    every = ids_of(program, "a")
    assert len(every) == 2000
    assert [number_of(id) for id in every] == sorted({number_of(id) for id in every})
    written = [result.out.split() for result in results]
    assert [[number_of(id) for id in ids] == sorted(map(number_of, ids)) for ids in written] == [True] * 4
    assert sorted(id for ids in written for id in ids) == sorted(every)
    assert program.on("XADD", "end", "1-1", "f", "v").code == 0
    assert reader.finish() == said("end\n1-1\nf\nv\n")
    assert sound(program)


def test_consumers_of_a_group_in_four_processes_share_its_entries_out_once_each(program: Program) -> None:
    assert program.lines(*[f"XADD a {number}-1 f v" for number in range(1, 401)], "XGROUP CREATE a g 0").code == 0

    def read(name: str) -> list[bytes]:
        got = program.on(stdin=f"XREADGROUP GROUP g {name} COUNT 1 STREAMS a >\n".encode() * 100)
        assert (got.err, got.code) == (b"", 0)
        return got.out.splitlines()[1::4]

    with ThreadPoolExecutor(4) as pool:
        shares = list(pool.map(read, "wxyz"))
    assert sorted(number_of(id) for share in shares for id in share) == [(number, 1) for number in range(1, 401)]
    assert program.on("XPENDING", "a", "g").out.splitlines()[:3] == [b"400", b"1-1", b"400-1"]


@pytest.mark.parametrize("there", ["no file", "an empty file"])
def test_eight_processes_that_make_one_file_at_the_same_time_all_write_to_it(program: Program, there: str) -> None:
    for round in range(3):
        db = program.home / f"{round}.db"
        if there == "an empty file":
            db.touch()
        processes = [
            subprocess.Popen(
                program.command("--db", db, "XADD", "a", "*", "f", "v"),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=program.environment,
            )
            for _ in range(8)
        ]
        ends = [(*process.communicate(), process.returncode) for process in processes]
        assert [(err, code) for _, err, code in ends] == [(b"", 0)] * 8
        assert program.run("--db", db, "XLEN", "a") == said("8\n")
    assert sorted(path.name for path in program.home.iterdir()) == ["0.db", "1.db", "2.db"]


def a_writer_that_waits(program: Program) -> tuple[Running, sqlite3.Connection]:
    """A process with an XADD in hand, and who holds the lock that it waits for."""
    assert program.on("XADD", "a", "1-1", "f", "v") == said("1-1\n")
    holder = sqlite3.connect(program.db, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    running = program.start("--db", program.db)
    running.say("XLEN a")
    assert running.hear() == b"1\n"
    running.say("XADD a 1-2 f v")
    until(running.has_read_all, "the line is read")
    return running, holder


def test_a_writer_waits_for_a_lock_that_another_program_holds_for_a_while(program: Program) -> None:
    running, holder = a_writer_that_waits(program)
    holder.execute("COMMIT")
    holder.close()
    assert running.hear() == b"1-2\n"
    assert running.finish() == said()


def test_ctrl_c_ends_the_wait_for_a_lock(program: Program) -> None:
    running, holder = a_writer_that_waits(program)
    running.interrupt()
    assert running.finish() == said(code=130)
    holder.close()
    assert program.on("XLEN", "a") == said("1\n")


# -- WATCH ---------------------------------------------------------------------------------


CHANGES = [
    "XADD a 2-1 f theirs", "XDEL a 1-1", "DEL a", "XTRIM a MAXLEN 0", "EXPIRE a 100", "RENAME a b", "FLUSHALL",
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_transaction_does_not_run_when_another_process_has_changed_a_watched_key(
    program: Program, change: str
) -> None:
    running = program.start("--db", program.db)
    running.say("XADD a 1-1 f v", "WATCH a", "MULTI", "XADD log 1-1 f ours")
    assert running.hear(4) == b"1-1\nOK\nOK\nQUEUED\n"
    assert program.on("-e", change).code == 0
    running.say("EXEC", "EXISTS log", "MULTI", "XADD log 1-1 f ours", "EXEC")
    assert running.hear(2) == b"\n0\n"
    assert running.finish() == said("OK\nQUEUED\n1-1\n")


@pytest.mark.parametrize(("first", "change"), [
    ("SET s v", "SET s w"), ("SET s v", "SET s v"), ("SET s v", "DEL s"), ("PING", "SET s v"),
])  # fmt: skip
def test_a_watched_string_that_another_process_has_set_stops_the_transaction(
    program: Program, first: str, change: str
) -> None:
    running = program.start("--db", program.db)
    running.say(first, "WATCH s", "MULTI", "PING")
    running.hear(4)
    assert program.on("-e", change).code == 0
    running.say("EXEC")
    assert running.finish() == said("\n")


@pytest.mark.parametrize("other", [
    "XADD b 1-1 f v", "XLEN a", "XRANGE a - +", "XREAD STREAMS a 0", "TYPE a", "DEL b",
    "XGROUP CREATE a g 0", "XSETID a 1-9",  # Redis: these change a key and do not tell those who watch it
])  # fmt: skip
def test_a_transaction_runs_when_another_process_has_left_the_watched_key_alone(program: Program, other: str) -> None:
    running = program.start("--db", program.db)
    running.say("XADD a 1-1 f v", "WATCH a", "MULTI", "XADD a 2-1 f ours")
    assert running.hear(4) == b"1-1\nOK\nOK\nQUEUED\n"
    assert program.on("-e", other).code == 0
    running.say("EXEC")
    assert running.finish() == said("2-1\n")


def test_a_watch_that_was_taken_back_does_not_stop_the_transaction(program: Program) -> None:
    running = program.start("--db", program.db)
    running.say("WATCH a", "UNWATCH", "MULTI", "PING")
    assert running.hear(4) == b"OK\nOK\nOK\nQUEUED\n"
    assert program.on("XADD", "a", "1-1", "f", "v").code == 0
    running.say("EXEC")
    assert running.finish() == said("PONG\n")


# -- MULTI and EXEC --------------------------------------------------------------------------


def test_a_transaction_spans_the_es_of_a_command_line(program: Program) -> None:
    assert program.on("-e", "MULTI", "-e", "XADD a 1-1 f v", "-e", "XLEN a", "-e", "EXEC") == said(
        "OK\nQUEUED\nQUEUED\n1-1\n1\n"
    )


def test_a_transaction_spans_two_files(program: Program) -> None:
    (program.home / "one").write_text("MULTI\nXADD a 1-1 f v\n")
    (program.home / "two").write_text("EXEC\n")
    assert program.on("-f", "one", "-f", "two") == said("OK\nQUEUED\n1-1\n")


@pytest.mark.parametrize("way", ["-e", "pipe"])
def test_a_transaction_without_its_exec_is_not_run_and_that_is_said(program: Program, way: str) -> None:
    lines = ("MULTI", "XADD a 1-1 f v")
    got = program.lines(*lines) if way == "pipe" else program.on(*(part for line in lines for part in ("-e", line)))
    assert got == said("OK\nQUEUED\n", "streamcli: the transaction was not run: EXEC is missing\n", 1)
    assert program.on("EXISTS", "a") == said("0\n")


def test_a_run_that_an_error_stops_does_not_say_that_exec_is_missing(program: Program) -> None:
    lines = ("MULTI", "SET a 1", "NOPE", "EXEC")
    wrong = "ERR unknown command 'NOPE', with args beginning with: (no command of Redis; see COMMAND LIST)"
    got = program.lines(*lines)
    assert got == said("OK\nQUEUED\n", f"line 3: {wrong}\nstreamcli: the transaction was not run\n", 1)
    got = program.lines(*lines[:3], words=("--continue-on-error",))
    last = "streamcli: the transaction was not run: EXEC is missing"
    assert got == said("OK\nQUEUED\n", f"line 3: {wrong}\n{last}\n", 1)


def test_nobody_sees_a_transaction_before_its_exec(program: Program) -> None:
    running = program.start("--db", program.db)
    running.say("MULTI", "XADD a 1-1 f v")
    assert running.hear(2) == b"OK\nQUEUED\n"
    assert program.on("XADD", "b", "1-1", "f", "v") == said("1-1\n")
    assert program.on("XLEN", "a") == said("0\n")
    running.say("EXEC")
    assert running.finish() == said("1-1\n")
    assert program.on("XLEN", "a") == said("1\n")


def test_a_transaction_with_a_refused_command_is_discarded(program: Program) -> None:
    words = ["--continue-on-error"]
    assert program.lines("MULTI", "XADD a 1-1 f v", "XADD a", "EXEC", "EXISTS a", words=words) == said(
        "OK\nQUEUED\n0\n",
        "line 3: ERR wrong number of arguments for 'xadd' command\n"
        "line 4: EXECABORT Transaction discarded because of previous errors.\n",
        1,
    )


def test_a_command_that_fails_inside_a_transaction_leaves_the_others_done_and_exits_1(program: Program) -> None:
    got = program.lines("SET s v", "MULTI", "XADD s * f v", "XADD a 1-1 f v", "EXEC", "ECHO never")
    assert got == said(
        "OK\nOK\nQUEUED\nQUEUED\n"
        "WRONGTYPE Operation against a key holding the wrong kind of value\n\n1-1\n",
        "line 5: a command of the transaction failed: "
        "WRONGTYPE Operation against a key holding the wrong kind of value\n",
        1,
    )  # fmt: skip
    assert program.on("XLEN", "a") == said("1\n")
