"""Commands that are wrong, each answered with one clear line and exit code 1, and nothing changed."""

from __future__ import annotations

import pytest

from tests.e2e.program import Program, said

BAD_ID = "ERR Invalid stream ID specified as stream command argument"
NOT_INTEGER = "ERR value is not an integer or out of range"
WRONGTYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"
UNBALANCED = "ERR Unbalanced 'xread' list of streams: for each stream key an ID, '+', or '$' must be specified."

WRONG = [
    ("XREAD STREAMS a b 0", UNBALANCED),
    ("XREAD STREAMS a", "ERR wrong number of arguments for 'xread' command"),
    ("XREAD COUNT 2 STREAMS a b c", UNBALANCED),
    ("XADD a nonsense f v", BAD_ID),
    ("XADD a 1-1-1 f v", BAD_ID),
    ("XADD a -1 f v", BAD_ID),
    ("XRANGE a x +", BAD_ID),
    ("XREAD STREAMS a 0-x", BAD_ID),
    ("XADD a 18446744073709551616-0 f v", BAD_ID),
    ("XADD a 99999999999999999999999-1 f v", BAD_ID),
    ("XADD a 1-18446744073709551616 f v", BAD_ID),
    ("XRANGE a - + COUNT 9223372036854775808", NOT_INTEGER),
    ("XREAD COUNT 99999999999999999999 STREAMS a 0", NOT_INTEGER),
    ("XREAD BLOCK 99999999999999999999 STREAMS a $", "ERR timeout is not an integer or out of range"),
    ("XREAD BLOCK 9223372036854775807 STREAMS a $", "ERR timeout is out of range"),
    ("XREAD BLOCK -1 STREAMS a $", "ERR timeout is negative"),
    ("XTRIM a MAXLEN 9223372036854775808", NOT_INTEGER),
    ("XADD a 0-0 f v", "ERR The ID specified in XADD must be greater than 0-0"),
    ("XADD a 1-1 f v", "ERR The ID specified in XADD is equal or smaller than the target stream top item"),
    ("XADD a * f", "ERR wrong number of arguments for 'xadd' command"),
    ("XADD a * f v g", "ERR wrong number of arguments for 'xadd' command"),
    ("XADD", "ERR wrong number of arguments for 'xadd' command"),
    ("XADD s * f v", WRONGTYPE),
    ("XLEN s", WRONGTYPE),
    ("XREAD STREAMS a s 0 0", WRONGTYPE),
    ("XGROUP CREATE s g $", WRONGTYPE),
    ("GET a", WRONGTYPE),
    ("XREADGROUP GROUP g c STREAMS a >",
     "NOGROUP No such key 'a' or consumer group 'g' in XREADGROUP with GROUP option"),
    ("XGROUP CREATE missing g $",
     "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM "
     "option to create an empty stream automatically."),
    ("SELECT 16", "ERR DB index is out of range"),
    ("EXEC", "ERR EXEC without MULTI"),
]  # fmt: skip


@pytest.fixture
def filled(program: Program) -> Program:
    assert program.lines("XADD a 1-1 city Oslo", "SET s v") == said("1-1\nOK\n")
    return program


@pytest.mark.parametrize(("line", "error"), WRONG, ids=[line for line, _ in WRONG])
def test_a_wrong_command_is_answered_with_one_line_and_changes_nothing(filled: Program, line: str, error: str) -> None:
    before = filled.db.read_bytes()
    assert filled.on("-e", line) == said("", f"{error}\n", 1)
    assert filled.db.read_bytes() == before


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("FOO", "ERR unknown command 'FOO', with args beginning with: (no command of Redis; see COMMAND LIST)"),
        (
            "FOO b 'c d'",
            "ERR unknown command 'FOO', with args beginning with: 'b' 'c d' (no command of Redis; see COMMAND LIST)",
        ),
        ("XREDA STREAMS a 0",
         "ERR unknown command 'XREDA', with args beginning with: 'STREAMS' 'a' '0' (did you mean XREAD?)"),
        ("ZADD a 1 b",  # Redis has it: nobody meant XADD
         "ERR unknown command 'ZADD', with args beginning with: 'a' '1' 'b' (not in the embedded engine)"),
        ("XGROUP CRAETE a g 0", "ERR unknown subcommand 'CRAETE'. Try XGROUP HELP. (did you mean CREATE?)"),
        ("XGROUP zzz a g 0", "ERR unknown subcommand 'zzz'. Try XGROUP HELP."),
    ],
)  # fmt: skip
def test_an_unknown_command_is_told_with_what_may_have_been_meant(program: Program, line: str, error: str) -> None:
    assert program.on("-e", line) == said("", f"{error}\n", 1)


def test_a_command_of_ten_megabytes_that_nobody_knows_is_told_in_one_short_line(program: Program) -> None:
    got = program.on(stdin=b"a" * (10 * 1024 * 1024) + b" b\n")
    assert got == said(
        "",
        f"line 1: ERR unknown command '{'a' * 128}', with args beginning with: 'b' "
        "(no command of Redis; see COMMAND LIST)\n",
        1,
    )


def test_invalid_utf_8_and_controls_of_an_error_are_shown_as_escapes(program: Program) -> None:
    got = program.on(stdin=b"NO\xffPE \x1b[31m\xc3\xa9\xc2\x9b\n")
    assert got == said(
        "",
        "line 1: ERR unknown command 'NO\\xffPE', with args beginning with: "
        "'\\x1b[31mé\\xc2\\x9b' (no command of Redis; see COMMAND LIST)\n",
        1,
    )


def test_a_nul_ends_a_word_inside_an_error_as_in_redis(program: Program) -> None:
    assert program.on(stdin=b"NO\x00PE x\x00y\n") == said(
        "",
        "line 1: ERR unknown command 'NO', with args beginning with: 'x' (no command of Redis; see COMMAND LIST)\n",
        1,
    )


def test_a_key_of_any_bytes_in_an_error_is_escaped(program: Program) -> None:
    got = program.on("XREADGROUP", "GROUP", b"\x1b]0;g\x07", "c", "STREAMS", b"\xff\n\r", ">")
    assert got == said(
        "",
        "NOGROUP No such key '\\xff  ' or consumer group '\\x1b]0;g\\a' in XREADGROUP with GROUP option\n",
        1,
    )


def test_an_error_about_an_e_has_no_place_before_it(program: Program) -> None:
    assert program.on("-e", "ECHO a", "-e", "XLEN") == said(
        "a\n", "ERR wrong number of arguments for 'xlen' command\n", 1
    )


def test_a_line_given_as_one_word_is_told_where_lines_go(program: Program) -> None:
    assert program.on("XLEN a") == said(
        "",
        "ERR unknown command 'XLEN a', with args beginning with: (that is one word; a whole line goes after -e)\n",
        1,
    )
