"""How a command comes in: by -e, as words, from a file, from a pipe; and what is said without one."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.e2e.program import Program, said
from tests.e2e.terminal import Screen, on_terminal

HELP_HEAD = "Usage: streamcli [OPTIONS] [COMMAND [WORD]...]\n"


def test_lines_given_by_e_run_one_after_another_on_one_database(program: Program) -> None:
    assert program.on("-e", "XADD a 1-1 city Oslo", "-e", "XREAD COUNT 2 STREAMS a 0") == said(
        "1-1\na\n1-1\ncity\nOslo\n"
    )


def test_what_one_run_has_written_the_next_one_reads(program: Program) -> None:
    assert program.run("-e", "XADD a 1-1 city Oslo") == said("1-1\n")
    assert program.run("-e", "XREAD COUNT 2 STREAMS a 0") == said("a\n1-1\ncity\nOslo\n")


def test_a_read_of_two_streams_is_an_indented_tree_when_that_is_asked_for(program: Program) -> None:
    setup = (
        "XADD mystream 1526984818136-0 duration 1532 event-id 5 user-id 7782813",
        "XADD mystream 1526999352406-0 duration 812 event-id 9 user-id 388234",
        "XADD writers 1526985676425-0 name Virginia surname Woolf",
        "XADD writers 1526985685298-0 name Jane surname Austen",
    )
    assert program.lines(*setup).code == 0
    read = "XREAD COUNT 2 STREAMS mystream writers 0-0 0-0"
    tree = """\
mystream
├─ 1526984818136-0  2018-05-22 10:26:58.136 UTC
│    duration  "1532"
│    event-id  "5"
│    user-id   "7782813"
└─ 1526999352406-0  2018-05-22 14:29:12.406 UTC
     duration  "812"
     event-id  "9"
     user-id   "388234"
writers
├─ 1526985676425-0  2018-05-22 10:41:16.425 UTC
│    name     "Virginia"
│    surname  "Woolf"
└─ 1526985685298-0  2018-05-22 10:41:25.298 UTC
     name     "Jane"
     surname  "Austen"
"""
    assert program.on("--format", "tree", "-e", read) == said(tree)


def test_words_keep_the_outer_shells_quotes_and_nothing_is_split_again(program: Program) -> None:
    assert program.on("XADD", "a", "1-1", "city", "New York") == said("1-1\n")
    assert program.on("XADD", "a", "1-2", "", '"open') == said("1-2\n")
    assert program.on("XADD", "a", "1-3", "#x", "a\\nb\n\tc ") == said("1-3\n")
    assert program.on("XRANGE", "a", "-", "+") == said('1-1\ncity\nNew York\n1-2\n\n"open\n1-3\n#x\na\\nb\n\tc \n')


def test_words_may_be_any_bytes(program: Program) -> None:
    every = bytes(range(1, 256))
    assert program.on("XADD", every, "1-1", every, every) == said("1-1\n")
    assert program.on("XRANGE", every, "-", "+") == (b"1-1\n" + every + b"\n" + every + b"\n", b"", 0)


def test_what_looks_like_an_option_behind_the_first_word_is_a_word(program: Program) -> None:
    assert program.on("XADD", "a", "1-1", "--memory", "-e") == said("1-1\n")
    assert program.on("XRANGE", "a", "-", "+") == said("1-1\n--memory\n-e\n")


def test_a_double_dash_ends_the_options(program: Program) -> None:
    assert program.on("--", "ECHO", "--") == said("--\n")


def test_an_option_may_bear_its_value_behind_an_equals_sign(program: Program) -> None:
    assert program.run(f"--db={program.db}", "--format=json", "-eECHO a") == said('"a"\n')


def test_a_first_word_that_is_empty_is_a_command_that_nobody_knows(program: Program) -> None:
    got = program.on("")
    assert (got.out, got.code) == (b"", 1)
    assert got.err.startswith(b"ERR unknown command '', with args beginning with:")
    assert got.err.count(b"\n") == 1


def test_an_e_without_words_is_nothing(program: Program) -> None:
    assert program.on("-e", "", "-e", "  \t ", "-e", "# PING") == said()


def test_a_file_of_commands_runs_from_its_first_line_to_its_last(program: Program) -> None:
    file = program.home / "setup.redis"
    file.write_text("XADD a 1-1 city Oslo\nXGROUP CREATE a g 0\nXLEN a\n")
    assert program.on("-f", file) == said("1-1\nOK\n1\n")


def test_two_files_run_in_the_order_given(program: Program) -> None:
    for name in ("one", "two"):
        (program.home / name).write_text(f"ECHO {name}\n")
    assert program.on("-f", "two", "-f", "one") == said("two\none\n")


def test_a_dash_as_file_is_standard_input(program: Program) -> None:
    (program.home / "one").write_text("ECHO one\n")
    assert program.on("-f", "one", "-f", "-", stdin=b"ECHO two\n") == said("one\ntwo\n")


def test_a_fifo_may_be_the_file_of_commands(program: Program) -> None:
    fifo = program.home / "fifo"
    os.mkfifo(fifo)
    running = program.start("--db", program.db, "-f", fifo)
    with fifo.open("wb", buffering=0) as writer:
        writer.write(b"ECHO one\n")
        assert running.hear() == b"one\n"
        writer.write(b"ECHO two\n")
        assert running.hear() == b"two\n"
    assert running.finish() == said()


def test_a_pipe_of_commands_answers_in_the_format_asked_for(program: Program) -> None:
    assert program.lines(
        "XADD a 1-1 city Oslo", "XADD a 1-2 city Rome", "XRANGE a - +", words=["--format", "jsonl"]
    ) == (said('"1-1"\n"1-2"\n{"id":"1-1","fields":[["city","Oslo"]]}\n{"id":"1-2","fields":[["city","Rome"]]}\n'))


def test_a_line_is_answered_before_the_next_one_is_waited_for(program: Program) -> None:
    running = program.start("--db", program.db)
    for number in range(3):
        running.say(f"XADD a {number + 1}-1 f v")
        assert running.hear() == b"%d-1\n" % (number + 1)
    assert running.finish() == said()


def test_an_empty_pipe_is_no_error(program: Program) -> None:
    assert program.on() == said()


@pytest.mark.parametrize("words", [("-e", "PING"), ("PING",), ("-f", "ping.redis")])
def test_a_command_runs_without_a_terminal_and_leaves_standard_input_unread(
    program: Program, words: tuple[str, ...]
) -> None:
    (program.home / "ping.redis").write_text("PING\n")
    read, write = os.pipe()
    os.write(write, b"FLUSHALL\n")
    os.close(write)
    assert program.run(*words, stdin=read) == said("PONG\n")
    assert os.read(read, 100) == b"FLUSHALL\n"
    os.close(read)


def test_a_command_does_not_wait_for_a_standard_input_that_stays_open(program: Program) -> None:
    read, write = os.pipe()
    assert program.run("PING", stdin=read) == said("PONG\n")
    os.close(read)
    os.close(write)


def test_a_command_runs_when_standard_input_is_closed(program: Program) -> None:
    assert program.run("PING", stdin=subprocess.DEVNULL, before=lambda: os.close(0)) == said("PONG\n")


def test_on_a_terminal_without_a_command_there_is_the_prompt(program: Program) -> None:
    assert on_terminal(program, types=b"PING\nexit\n", after="streams.db> ") == Screen(
        "streams.db> PING\nexit\nPONG\nstreams.db> ", 0
    )
    assert program.db.exists()


def test_the_help_names_every_exit_code_and_fits_eighty_columns(program: Program) -> None:
    got = program.run("--help")
    assert (got.err, got.code) == (b"", 0)
    text = got.out.decode()
    assert max(map(len, text.splitlines())) <= 80
    assert text.endswith(
        "\n  Exit codes: 0 ok, 1 a command failed, 2 wrong usage, 3 cannot connect or\n"
        "  open, 130 interrupted, 141 nobody reads the output.\n"
    )


def test_the_version_is_the_packages(program: Program) -> None:
    import streamcli

    assert program.run("--version") == said(f"streamcli {streamcli.__version__}\n")


def test_x_reads_the_last_word_from_standard_input_byte_for_byte(program: Program) -> None:
    value = b"two\nlines \xff\x00 and a last one\n"
    assert program.on("-x", "XADD", "a", "1-1", "f", stdin=value) == said("1-1\n")
    assert program.on("XRANGE", "a", "-", "+") == (b"1-1\nf\n" + value + b"\n", b"", 0)


def test_x_reads_an_empty_word_from_an_empty_standard_input(program: Program) -> None:
    assert program.on("-x", "XADD", "a", "1-1", "f") == said("1-1\n")
    assert program.on("XRANGE", "a", "-", "+") == said("1-1\nf\n\n")


@pytest.mark.parametrize("words", [("-x", "ECHO"), ("-f", "-")])
def test_a_closed_standard_input_is_read_as_an_empty_one_or_refused_in_one_line(
    program: Program, words: tuple[str, ...]
) -> None:
    got = program.run("--memory", *words, stdin=subprocess.DEVNULL, before=lambda: os.close(0))
    assert b"Traceback" not in got.err
    assert (got.code, got.err.count(b"\n")) in ((0, 0), (2, 1))


def test_a_number_chooses_the_database(program: Program) -> None:
    assert program.on("-n", "3", "XADD", "a", "1-1", "f", "v") == said("1-1\n")
    assert program.on("XLEN", "a") == said("0\n")
    assert program.on("-n3", "XLEN", "a") == said("1\n")
    assert program.on("-e", "SELECT 3", "-e", "XLEN a") == said("OK\n1\n")


def test_maps_are_maps_in_the_third_protocol_and_lists_in_the_second(program: Program) -> None:
    setup = ("-e", "XADD a 1-1 f v", "-e", "XREAD STREAMS a 0")
    assert program.run("--memory", "-3", "--format", "classic", *setup) == said(
        '"1-1"\n1# "a" => \n   1) 1) "1-1"\n      2) 1) "f"\n         2) "v"\n'
    )
    assert program.run("--memory", "-2", "--format", "classic", *setup) == said(
        '"1-1"\n1) 1) "a"\n   2) 1) 1) "1-1"\n         2) 1) "f"\n            2) "v"\n'
    )


def test_nothing_is_read_from_the_working_directory(program: Program, tmp_path: Path) -> None:
    for name in ("streamcli.toml", ".streamcli.toml", "streamcli.py", "sqlite3.py", "click.py"):
        (tmp_path / name).write_text("raise SystemExit('read from the working directory')\n")
    # `python -m` itself puts the working directory on the path; an installed command does not.
    got = program.run("--memory", "PING", env={"PYTHONSAFEPATH": "1"})
    assert got == said("PONG\n")
