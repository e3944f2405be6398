"""Files and pipes to a real server: many lines on their way at once, answered in their order."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.program import Program, said, until
from tests.remote.conftest import Servers
from tests.remote.processes import Server

ZERO = "ERR The ID specified in XADD must be greater than 0-0"


def at(server: Server, *words: str) -> tuple[str, ...]:
    return ("-h", "127.0.0.1", "-p", str(server.port), *words)


def adds(first: int, last: int) -> str:
    return "".join(f"XADD s {number}-1 f {number}\n" for number in range(first, last + 1))


def ids(first: int, last: int) -> str:
    return "".join(f"{number}-1\n" for number in range(first, last + 1))


def test_ten_thousand_lines_are_answered_in_order(program: Program, standalone: Server) -> None:
    assert program.run(*at(standalone), stdin=adds(1, 10_000).encode()) == said(ids(1, 10_000))
    assert standalone.call("XLEN", "s") == 10_000


@pytest.mark.parametrize("format", ["raw", "json", "jsonl", "csv", "classic", "tree"])
def test_every_format_shows_what_one_line_after_the_other_shows(program: Program, server: Server, format: str) -> None:
    lines = [
        "XADD s 1-1 f v", "XADD s 1-2 f 'a b'", "XRANGE s - +", "XLEN s", "XREAD STREAMS s 0", "XGROUP CREATE s g 0",
        "XREADGROUP GROUP g me COUNT 1 STREAMS s >", "XPENDING s g", "XACK s g 1-1", "MULTI", "XLEN s",
        "XRANGE s - + COUNT 1", "EXEC", "GET nothing", "XADD s 0-0 f v", "NOSUCH", "SELECT 3",
        "XLEN s", "SELECT 0", "HGETALL nothing",
    ]  # fmt: skip
    together = program.run(*at(server), "--continue-on-error", "--format", format, stdin="\n".join(lines).encode())
    server.empty()
    with_flags = [word for line in lines for word in ("-e", line)]
    apart = program.run(*at(server), "--continue-on-error", "--format", format, *with_flags)
    assert together.out == apart.out
    assert together.code == apart.code == 1
    assert [line.split(b": ", 1)[1] for line in together.err.splitlines()] == apart.err.splitlines()
    assert [line.split(b": ", 1)[0] for line in together.err.splitlines()] == [b"line 15", b"line 16"]


def test_a_line_is_answered_before_the_next_one_is_typed(program: Program, server: Server) -> None:
    running = program.start(*at(server))
    for number in range(1, 6):
        running.say(f"XADD s {number}-1 f v")
        assert running.hear() == f"{number}-1\n".encode()
    running.say("PING", "PING", "PING")
    assert running.hear(3) == b"PONG\nPONG\nPONG\n"
    assert running.finish() == said()


def test_a_line_that_fails_ends_a_producer_that_waits(program: Program, server: Server) -> None:
    running = program.start(*at(server))
    running.say("XADD s 0-0 f v")
    assert running.process.wait(30) == 1
    assert running.finish().err == f"line 1: {ZERO}\n".encode()


def test_files_say_which_of_them_and_which_line(program: Program, server: Server, tmp_path: Path) -> None:
    (tmp_path / "one").write_text(adds(1, 3) + "XADD s 0-0 f v\n")
    (tmp_path / "two").write_text("# nothing\n\nXADD s 0-0 f v\n" + adds(4, 5))
    files = ("-f", "one", "-f", "two")
    assert program.run(*at(server), "--continue-on-error", *files) == said(
        ids(1, 5), f"one:4: {ZERO}\ntwo:3: {ZERO}\n", 1
    )
    server.empty()
    assert program.run(*at(server), *files) == said(ids(1, 3), f"one:4: {ZERO}\n", 1)


def test_what_was_on_its_way_behind_an_error_is_named(program: Program, server: Server) -> None:
    done = program.run(*at(server), stdin=f"XADD s 0-0 f v\n{adds(1, 3)}".encode())
    note = "line 1 failed; lines 2 to 4 had been sent already and were run, the rest was not sent"
    assert done == said(ids(1, 3), f"line 1: {ZERO}\n{note}\n", 1)


def test_a_key_is_not_deleted_behind_an_error(program: Program, server: Server) -> None:
    done = program.run(*at(server), stdin=b"XADD s 1-1 f v\nCOPY s t DB x\nDEL s\n")
    assert done.code == 1
    assert done.err.splitlines()[0].startswith(b"line 2: ERR")
    assert server.call("XLEN", "s") == 1


def test_a_transaction_that_stays_open_is_said_to_be(program: Program, server: Server) -> None:
    done = program.run(*at(server), stdin=b"MULTI\nXADD s 1-1 f v\n")
    assert done == said("OK\nQUEUED\n", "streamcli: the transaction was not run: EXEC is missing\n", 1)
    assert server.call("XLEN", "s") == 0


def test_a_run_that_an_error_stops_does_not_say_that_exec_is_missing(program: Program, server: Server) -> None:
    done = program.run(*at(server), stdin=b"MULTI\nSET a 1\nLPUSH\nSET d 5\nEXEC\nPING\n")
    assert (done.out, done.code) == (b"OK\nQUEUED\nQUEUED\n", 1)  # what had been sent already is answered
    line, _, last = done.err.decode().splitlines()
    assert line.startswith("line 3: ERR wrong number of arguments for 'lpush' command")
    assert last == "streamcli: the transaction was not run"
    assert server.call("EXISTS", "a") == 0


def test_long_replies_among_others_come_whole_and_in_order(program: Program, server: Server) -> None:
    program.run(*at(server), stdin=adds(1, 5000).encode())
    shown = "".join(f"{number}-1\nf\n{number}\n" for number in range(1, 5001))
    lines = "PING\nXRANGE s - +\nXLEN s\nXRANGE s - +\nXADD s 6000-1 f v\n"
    assert program.run(*at(server), stdin=lines.encode()) == said(f"PONG\n{shown}5000\n{shown}6000-1\n")


def test_commands_larger_than_any_buffer_go_through(program: Program, server: Server) -> None:
    big = "x" * 700_000
    lines = "".join(f"XADD s {number}-1 f {big}\n" for number in range(1, 21))
    assert program.run(*at(server), stdin=lines.encode()) == said(ids(1, 20))
    assert program.run(*at(server), stdin=f"ECHO {big}\n".encode() * 20) == said(f"{big}\n" * 20)


def test_a_server_that_goes_away_is_told_of_in_one_line(program: Program, servers: Servers) -> None:
    server = servers.start()
    running = program.start(*at(server), "--continue-on-error")
    running.say("XADD s 1-1 f v")
    assert running.hear() == b"1-1\n"
    server.pause()
    running.feed(adds(2, 9).encode())
    until(running.has_read_all, "the lines were read")
    server.kill()
    done = running.finish()
    assert done.code == 3
    assert done.out == b""
    (line,) = done.err.decode().splitlines()
    if line.startswith("line 2: nothing listens"):  # it had read them, and sent none yet
        return
    assert line.startswith(f"line 2: the connection to 127.0.0.1:{server.port} was lost (")
    assert line.endswith("; lines 2 to 9 were sent and may have been applied")


def test_ctrl_c_says_what_was_sent(program: Program, servers: Servers) -> None:
    server = servers.start()
    running = program.start(*at(server))
    running.say("XADD s 1-1 f v")
    assert running.hear() == b"1-1\n"
    server.pause()
    running.feed(adds(2, 9).encode())
    until(running.has_read_all, "the lines were read")
    until(lambda: is_asleep(running.process.pid), "it waits for the replies")
    running.interrupt()
    done = running.finish()
    server.resume()
    dropped = f"interrupted: the connection to 127.0.0.1:{server.port} was dropped"
    assert done == said("", f"line 2: {dropped}; lines 2 to 9 were sent and may have been applied\n", 130)


def is_asleep(pid: int) -> bool:
    """Does it wait for something?"""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"


def test_over_a_unix_socket_it_is_the_same(program: Program, server: Server) -> None:
    assert program.run("-s", server.path, stdin=adds(1, 300).encode()) == said(ids(1, 300))
