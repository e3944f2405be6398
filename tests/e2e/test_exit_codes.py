"""0 ok; 1 a command answered with an error; 2 wrong usage; 3 cannot open; 130 interrupted; 141 the pipe is closed."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.e2e.program import DEADLINE, Program, said, until
from tests.e2e.test_disk_full import at_most

SEE = "(see streamcli --help)"


def test_replies_go_to_stdout_and_errors_to_stderr(program: Program) -> None:
    assert program.on("--continue-on-error", "-e", "ECHO one", "-e", "XADD a 0-0 f v", "-e", "ECHO two") == said(
        "one\ntwo\n", "ERR The ID specified in XADD must be greater than 0-0\n", 1
    )


def test_the_first_error_of_an_e_ends_the_run(program: Program) -> None:
    assert program.on("-e", "ECHO one", "-e", "XADD a 0-0 f v", "-e", "ECHO two") == said(
        "one\n", "ERR The ID specified in XADD must be greater than 0-0\n", 1
    )


@pytest.mark.parametrize("format", ["tree", "classic", "json", "jsonl", "csv", "raw"])
def test_an_error_is_one_line_of_stderr_in_every_format(program: Program, format: str) -> None:
    assert program.on("--format", format, "XADD", "a", "0-0", "f", "v") == said(
        "", "ERR The ID specified in XADD must be greater than 0-0\n", 1
    )


WRONG_USAGE = [
    (("--nope",), "No such option '--nope'"),
    (("-e",), "Option '-e' requires an argument"),
    (("--db",), "Option '--db' requires an argument"),
    (("-e", "PING", "PING"), "give -e or a command, not both; a line after -e is one word, in quotes"),
    (("-f", "x", "PING"), "give -f or a command, not both"),
    (("-e", "PING", "-f", "x"), "give -e or -f, not both"),
    (("--memory", "--db", "x", "PING"), "give --db or --memory, not both"),
    (("-x",), "-x needs a command, whose last word is read from standard input"),
    (("-x", "-e", "PING"), "-x needs a command, whose last word is read from standard input"),
    (("-n", "16", "PING"), "the embedded engine has the databases 0 to 15; number 16 needs a server"),
    (("-n", "-1", "PING"), "Invalid value for '-n': -1 is not in the range 0<=x<=2147483647"),
    (("-n", "x", "PING"), "Invalid value for '-n': 'x' is not a valid integer range"),
    (("--format", "yaml", "PING"),
     "Invalid value for '--format': 'yaml' is not one of "
     "'tree', 'classic', 'json', 'jsonl', 'csv', 'table', 'raw', 'md'"),
    (("--durability", "none", "PING"), "Invalid value for '--durability': 'none' is not one of 'normal', 'full'"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "text"), WRONG_USAGE)
def test_wrong_usage_is_one_line_and_exits_2(program: Program, words: tuple[str, ...], text: str) -> None:
    assert program.run(*words, stdin=b"PING\n") == said("", f"streamcli: {text} {SEE}\n", 2)


def test_a_number_of_five_thousand_digits_is_wrong_usage_too(program: Program) -> None:
    got = program.run("-n", "9" * 5000, "PING")
    assert (got.out, got.code, got.err.count(b"\n")) == (b"", 2, 1)
    assert got.err.startswith(b"streamcli: Invalid value for '-n': ")


def test_options_that_contradict_themselves_do_nothing_before_they_are_refused(program: Program) -> None:
    assert program.on("-e", "XADD a 1-1 f v", "XLEN", "a").code == 2
    assert not program.db.exists()


def test_an_unclosed_quote_of_an_e_is_pointed_at_and_exits_2(program: Program) -> None:
    assert program.on("-e", "ECHO one", "-e", 'XADD a 1-1 city "New York', "-e", "ECHO two") == said(
        "one\n",
        "not sent, column 17: the \" here is never closed\n"
        '  XADD a 1-1 city "New York\n'
        "                  ^\n",
        2,
    )  # fmt: skip


def test_a_quote_that_is_closed_in_the_middle_of_a_word_is_pointed_at(program: Program) -> None:
    assert program.on("-e", "ECHO 'a'b") == said(
        "", "not sent, column 9: a closing quote must be followed by a blank\n  ECHO 'a'b\n          ^\n", 2
    )


def test_the_caret_of_a_long_line_stays_near(program: Program) -> None:
    line = f"XADD a 1-1 {'é' * 5000} 'x"
    got = program.on("-e", line)
    assert (got.out, got.code) == (b"", 2)
    first, shown, caret = got.err.decode().splitlines()
    assert first == f"not sent, column {len(line.encode()) - 1}: the ' here is never closed"
    assert len(shown) < 80
    assert shown[caret.index("^")] == "'"


@pytest.mark.parametrize(
    ("file", "why"),
    [
        ("missing.redis", "no such file or directory"),
        (".", "it is a folder"),
        ("", "no such file or directory"),
        ("a-file/below", "not a directory"),
    ],
)
def test_a_file_of_commands_that_cannot_be_read_is_named_and_exits_2(program: Program, file: str, why: str) -> None:
    (program.home / "a-file").write_text("")
    assert program.on("-f", file) == said("", f"streamcli: cannot read {file}: {why} {SEE}\n", 2)


def test_a_file_of_commands_that_fails_while_it_is_read_is_named_and_exits_2(program: Program) -> None:
    assert program.on("-f", "/proc/self/mem") == said(
        "", f"streamcli: cannot read /proc/self/mem: input/output error {SEE}\n", 2
    )


def test_a_second_file_that_is_missing_is_told_after_the_first_has_run(program: Program) -> None:
    (program.home / "one").write_text("ECHO one\n")
    assert program.on("-f", "one", "-f", "two") == said(
        "one\n", f"streamcli: cannot read two: no such file or directory {SEE}\n", 2
    )


def test_ctrl_c_while_standard_input_is_waited_for_exits_130_and_keeps_what_was_written(program: Program) -> None:
    running = program.start("--db", program.db)
    running.say("XADD a 1-1 f v")
    assert running.hear() == b"1-1\n"
    running.interrupt()
    until(lambda: running.process.poll() is not None, "the program ends")
    assert running.finish() == said(code=130)
    assert program.on("XLEN", "a") == said("1\n")


def pipeline(program: Program, left: str, right: str) -> subprocess.CompletedProcess[bytes]:
    """`left | streamcli | right` with the codes of all three on the last line of stdout."""
    command = " ".join(f"'{word}'" for word in map(os.fsdecode, program.command("--db", program.db)))
    script = f'{left} | {command} | {right}\necho "${{PIPESTATUS[@]}}"\n'
    return subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        env=program.environment,
        cwd=program.home,
        timeout=DEADLINE,
        check=False,
    )


def test_a_pipe_that_closes_early_ends_the_run_quietly(program: Program) -> None:
    done = pipeline(program, "yes PING", "head -1")
    assert (done.stdout, done.stderr) == (b"PONG\n141 141 0\n", b"")


def test_a_pipe_that_closes_in_the_middle_of_a_long_reply_ends_the_run_quietly(program: Program) -> None:
    values = "".join(f"XADD a {number}-1 f {'v' * 100}\n" for number in range(1, 10_001))
    assert program.on(stdin=values.encode()).code == 0
    done = pipeline(program, "echo XRANGE a - +", "head -1")
    assert (done.stdout, done.stderr) == (b"1-1\n0 141 0\n", b"")


def test_a_full_disk_below_stdout_is_said_and_exits_1(program: Program) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            program.command("--memory", "PING"),
            stdout=full,
            stderr=subprocess.PIPE,
            env=program.environment,
            timeout=DEADLINE,
            check=False,
        )
    assert (done.stderr, done.returncode) == (b"streamcli: cannot write the output: no space left on device\n", 1)


def closed_stdout() -> None:
    os.close(1)


def closed_stderr() -> None:
    os.close(2)


def test_without_a_stdout_a_command_still_runs(program: Program) -> None:
    assert program.run("--db", program.db, "XADD", "a", "1-1", "f", "v", before=closed_stdout) == said()
    assert program.on("XLEN", "a") == said("1\n")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_an_output_file_that_may_not_grow_is_said_and_exits_1(program: Program, unbuffered: str) -> None:
    assert program.on("XADD", "a", "1-1", "f", "v" * 100_000) == said("1-1\n")
    with (program.home / "output").open("wb") as output:
        done = subprocess.run(
            program.command("--db", program.db, "XRANGE", "a", "-", "+"),
            stdout=output,
            stderr=subprocess.PIPE,
            env={**program.environment, "PYTHONUNBUFFERED": unbuffered},
            preexec_fn=at_most(50_000),
            timeout=DEADLINE,
            check=False,
        )
    assert (done.stderr, done.returncode) == (b"streamcli: cannot write the output: file too large\n", 1)


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_pipe_that_does_not_block_loses_nothing_unsaid(program: Program, unbuffered: str) -> None:
    assert program.on(stdin=b"XADD a 1-1 f " + b"v" * 1_000_000) == said("1-1\n")
    read, write = os.pipe()
    os.set_blocking(write, False)
    process = subprocess.Popen(
        program.command("--db", program.db, "XRANGE", "a", "-", "+"),
        stdout=write,
        stderr=subprocess.PIPE,
        env={**program.environment, "PYTHONUNBUFFERED": unbuffered},
    )
    os.close(write)
    with open(read, "rb") as pipe:
        out = pipe.read()
    _, err = process.communicate(timeout=DEADLINE)
    assert (out == b"1-1\nf\n" + b"v" * 1_000_000 + b"\n") == (process.returncode == 0)
    assert err.count(b"\n") == process.returncode


def test_without_a_stderr_the_exit_code_still_tells(program: Program) -> None:
    assert program.run("--memory", "-e", "ECHO one", "-e", "NOPE", before=closed_stderr) == said("one\n", "", 1)
