"""Files and pipes of commands: line ends, comments, quotes, and where an error is said to be."""

from __future__ import annotations

import pytest

from tests.e2e.program import Program, said, until

BOM = b"\xef\xbb\xbf"
TOO_FEW = "ERR wrong number of arguments for 'xadd' command"


def test_blank_lines_and_comments_are_nothing(program: Program) -> None:
    assert program.lines("", "# a comment", "  # another", "   ", "\t", "ECHO a", "#", "#ECHO b") == said("a\n")


@pytest.mark.parametrize("comment", ["# don't do this", '  # 5" wide', "#'", "# it's \"open"])
def test_a_comment_may_hold_any_quote(program: Program, comment: str) -> None:
    assert program.lines(comment, "ECHO a") == said("a\n")


def test_a_word_that_is_a_quoted_number_sign_begins_no_comment(program: Program) -> None:
    assert program.lines("XADD a 1-1 # '#'", "XRANGE a - +") == said("1-1\n1-1\n#\n#\n")


def test_lines_may_end_as_on_windows(program: Program) -> None:
    assert program.on(stdin=b"XADD a 1-1 f v\r\n\r\n# c\r\nXADD a 1-2 f 'v w'\r\nXRANGE a - +\r\n") == said(
        "1-1\n1-2\n1-1\nf\nv\n1-2\nf\nv w\n"
    )


def test_the_last_line_needs_no_line_end(program: Program) -> None:
    assert program.on(stdin=b"ECHO a\nECHO b") == said("a\nb\n")


@pytest.mark.parametrize("way", ["file", "pipe"])
def test_a_byte_order_mark_is_skipped(program: Program, way: str) -> None:
    data = BOM + b"ECHO a\n"
    (program.home / "bom.redis").write_bytes(data)
    got = program.on("-f", "bom.redis") if way == "file" else program.on(stdin=data)
    assert got == said("a\n")


def test_a_byte_order_mark_that_comes_in_pieces_is_skipped(program: Program) -> None:
    running = program.start("--db", program.db)
    for byte in BOM + b"ECHO a\n":
        running.feed(bytes([byte]))
        until(running.has_read_all, "the byte is read")
    assert running.finish() == said("a\n")


def test_a_file_that_is_only_a_byte_order_mark_is_empty(program: Program) -> None:
    assert program.on(stdin=BOM) == said()


def test_a_byte_order_mark_elsewhere_is_part_of_a_word(program: Program) -> None:
    got = program.on(stdin=b"ECHO " + BOM + b"a\n")
    assert got == (BOM + b"a\n", b"", 0)


def test_lines_that_come_in_pieces_are_put_together(program: Program) -> None:
    running = program.start("--db", program.db)
    for piece in (b"ECHO 'a", b" b'", b"\nEC", b"HO c\n"):
        running.feed(piece)
        until(running.has_read_all, "the piece is read")
    assert running.hear(2) == b"a b\nc\n"
    assert running.finish() == said()


def test_the_escapes_of_double_quotes_are_redis_clis(program: Program) -> None:
    line = rb'''ECHO "\x00\xff\n\r\t\a\b\\\"\q"''' + b"\n" + rb"""ECHO 'a\n\'b'""" + b"\n"
    assert program.on(stdin=line) == (b"\x00\xff\n\r\t\a\b\\\"q\na\\n'b\n", b"", 0)


def test_an_error_in_a_pipe_names_the_line_and_ends_the_run(program: Program) -> None:
    assert program.lines("ECHO a", "", "# c", "XADD a 1-1", "ECHO b") == said("a\n", f"line 4: {TOO_FEW}\n", 1)


def test_an_error_in_a_file_names_the_file_and_the_line_and_ends_the_run(program: Program) -> None:
    (program.home / "setup.redis").write_text("ECHO a\nXADD a 1-1\nECHO b\n")
    assert program.on("-f", "setup.redis") == said("a\n", f"setup.redis:2: {TOO_FEW}\n", 1)


def test_an_error_in_the_first_of_two_files_leaves_the_second_alone(program: Program) -> None:
    (program.home / "one").write_text("XADD a 1-1\n")
    (program.home / "two").write_text("ECHO two\n")
    assert program.on("-f", "one", "-f", "two") == said("", f"one:1: {TOO_FEW}\n", 1)


def test_going_on_after_errors_runs_every_line_and_still_exits_1(program: Program) -> None:
    assert program.lines("XADD a 1-1", "ECHO a", "NOPE", "ECHO b", words=["--continue-on-error"]) == said(
        "a\nb\n",
        f"line 1: {TOO_FEW}\n"
        "line 3: ERR unknown command 'NOPE', with args beginning with: (no command of Redis; see COMMAND LIST)\n",
        1,
    )


def test_going_on_after_errors_runs_the_second_file_too(program: Program) -> None:
    (program.home / "one").write_text("XADD a 1-1\n")
    (program.home / "two").write_text("ECHO two\n")
    assert program.on("--continue-on-error", "-f", "one", "-f", "two") == said("two\n", f"one:1: {TOO_FEW}\n", 1)


def test_going_on_after_a_file_that_is_missing_runs_the_others_and_exits_2(program: Program) -> None:
    (program.home / "two").write_text("ECHO two\n")
    assert program.on("--continue-on-error", "-f", "one", "-f", "two") == said(
        "two\n", "streamcli: cannot read one: no such file or directory (see streamcli --help)\n", 2
    )


def test_an_unclosed_quote_names_the_line_points_and_exits_2(program: Program) -> None:
    (program.home / "setup.redis").write_text("ECHO a\nECHO 'b\nECHO c\n")
    assert program.on("-f", "setup.redis") == said(
        "a\n",
        "setup.redis:2: not sent, column 6: the ' here is never closed\n"
        "setup.redis:2:   ECHO 'b\n"
        "setup.redis:2:        ^\n",
        2,
    )  # fmt: skip


def test_going_on_after_an_unclosed_quote_runs_the_rest_and_exits_2(program: Program) -> None:
    got = program.lines("ECHO 'b", "ECHO c", words=["--continue-on-error"])
    assert (got.out, got.code) == (b"c\n", 2)
    assert got.err.splitlines()[0] == b"line 1: not sent, column 6: the ' here is never closed"


def test_what_ran_before_an_error_stays(program: Program) -> None:
    assert program.lines("XADD a 1-1 f v", "NOPE").code == 1
    assert program.on("XLEN", "a") == said("1\n")


def test_a_hundred_thousand_lines_are_run_each_once_and_in_order(program: Program) -> None:
    count = 100_000
    got = program.on(stdin=b"".join(b"ECHO %d\n" % n for n in range(count)))
    assert got.out == b"".join(b"%d\n" % n for n in range(count))
    assert (got.err, got.code) == (b"", 0)


def test_a_line_of_ten_megabytes_keeps_its_value_byte_for_byte(program: Program) -> None:
    value = b"0123456789abcdef" * (10 * 1024 * 1024 // 16)
    assert program.on(stdin=b"XADD a 1-1 f " + value + b"\nXLEN a\n") == said("1-1\n1\n")
    assert program.on("XRANGE", "a", "-", "+") == (b"1-1\nf\n" + value + b"\n", b"", 0)


def test_a_value_of_ten_megabytes_of_every_byte_comes_back_from_the_last_word(program: Program) -> None:
    value = bytes(range(256)) * (10 * 1024 * 1024 // 256)
    assert program.on("-x", "XADD", "a", "1-1", "f", stdin=value) == said("1-1\n")
    assert program.on("XRANGE", "a", "-", "+") == (b"1-1\nf\n" + value + b"\n", b"", 0)


def test_ten_megabytes_in_quotes_are_read_in_no_time_to_speak_of(program: Program) -> None:
    value = b"\\x00\\\"'" * (1024 * 1024)
    assert program.on(stdin=b'STRLEN a\nSET a "' + value + b'"\nSTRLEN a\n') == said(f"0\nOK\n{3 * 1024 * 1024}\n")


def test_ten_megabytes_in_a_pipe_that_nobody_closed_a_quote_in_are_not_repeated(program: Program) -> None:
    got = program.on(stdin=b"ECHO '" + b"a" * (10 * 1024 * 1024))
    assert (got.out, got.code) == (b"", 2)
    assert got.err == (
        b"line 1: not sent, column 6: the ' here is never closed\n"
        b"line 1:   ECHO '" + b"a" * 54 + b"...\n"
        b"line 1:        ^\n"
    )


def test_nul_and_other_bytes_are_bytes_like_any_in_a_line(program: Program) -> None:
    assert program.on(stdin=b"XADD \x00k 1-1 f\x00 \xff\xfe\x00\nXRANGE \x00k - +\n") == (
        b"1-1\n1-1\nf\x00\n\xff\xfe\x00\n",
        b"",
        0,
    )
