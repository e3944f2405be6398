"""On a terminal: the tree as it is drawn, colour, locales, keys; and data that would like to steer it."""

from __future__ import annotations

import pytest

from tests.e2e.program import Program, said
from tests.e2e.terminal import Screen, on_terminal

READ = "XREAD COUNT 2 STREAMS mystream writers 0-0 0-0"
TREE = """\
mystream
├─ 1526984818136-0  2018-05-22 10:26:58.136 UTC
│    duration  "1532"
│    event-id  "5"
└─ 1526999352406-0  2018-05-22 14:29:12.406 UTC
     duration  "812"
writers
└─ 1526985676425-0  2018-05-22 10:41:16.425 UTC
     name     "Virginia"
     surname  "Woolf"
"""
# bold, dim, name, string, back to normal
B, D, N, S, R = "\x1b[1m", "\x1b[2m", "\x1b[36m", "\x1b[32m", "\x1b[0m"
COLOURED = f"""\
{B}mystream{R}
{D}├─ {R}{B}1526984818136-0{R}  {D}2018-05-22 10:26:58.136 UTC{R}
{D}│{R}    {N}duration{R}  {S}"1532"{R}
{D}│{R}    {N}event-id{R}  {S}"5"{R}
{D}└─ {R}{B}1526999352406-0{R}  {D}2018-05-22 14:29:12.406 UTC{R}
     {N}duration{R}  {S}"812"{R}
{B}writers{R}
{D}└─ {R}{B}1526985676425-0{R}  {D}2018-05-22 10:41:16.425 UTC{R}
     {N}name{R}     {S}"Virginia"{R}
     {N}surname{R}  {S}"Woolf"{R}
"""
ASCII = TREE.replace("├─", "|-").replace("└─", "`-").replace("│", "|")
XTERM = {"TERM": "xterm-256color"}
NOT_UTF_8 = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.fixture
def filled(program: Program) -> Program:
    lines = (
        "XADD mystream 1526984818136-0 duration 1532 event-id 5",
        "XADD mystream 1526999352406-0 duration 812",
        "XADD writers 1526985676425-0 name Virginia surname Woolf",
    )
    assert program.lines(*lines).code == 0
    return program


def test_a_reply_on_a_terminal_is_an_indented_tree(filled: Program) -> None:
    assert on_terminal(filled, "-e", READ) == Screen(TREE, 0)


def test_the_same_reply_off_a_terminal_is_raw(filled: Program) -> None:
    assert filled.on("-e", READ) == said(
        "mystream\n1526984818136-0\nduration\n1532\nevent-id\n5\n1526999352406-0\nduration\n812\n"
        "writers\n1526985676425-0\nname\nVirginia\nsurname\nWoolf\n"
    )


def test_words_on_a_terminal_run_at_once(filled: Program) -> None:
    assert on_terminal(filled, *READ.split()) == Screen(TREE, 0)


def test_a_format_that_is_asked_for_is_used_on_a_terminal(filled: Program) -> None:
    assert on_terminal(filled, "--format", "raw", "XLEN", "mystream") == Screen("2\n", 0)
    assert on_terminal(filled, "--format", "jsonl", "XRANGE", "writers", "-", "+") == Screen(
        '{"id":"1526985676425-0","fields":[["name","Virginia"],["surname","Woolf"]]}\n', 0
    )


def test_a_terminal_that_knows_colours_gets_them(filled: Program) -> None:
    assert on_terminal(filled, "-e", READ, env=XTERM) == Screen(COLOURED, 0)


@pytest.mark.parametrize("env", [{**XTERM, "NO_COLOR": "1"}, {"TERM": "dumb"}, {"TERM": ""}])
def test_there_is_no_colour_where_it_is_not_wanted_or_not_known(filled: Program, env: dict[str, str]) -> None:
    assert on_terminal(filled, "-e", READ, env=env) == Screen(TREE, 0)


def test_an_empty_no_color_counts_as_none(filled: Program) -> None:
    assert on_terminal(filled, "-e", READ, env={**XTERM, "NO_COLOR": ""}) == Screen(COLOURED, 0)


def test_colour_can_be_forced_into_a_pipe_and_no_color_is_stronger(filled: Program) -> None:
    words = ("--db", filled.db, "--format", "tree", "-e", READ)
    assert filled.run(*words, env={"CLICOLOR_FORCE": "1"}) == said(COLOURED)
    assert filled.run(*words, env={"CLICOLOR_FORCE": "0"}) == said(TREE)
    assert filled.run(*words, env={"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}) == said(TREE)


@pytest.mark.parametrize("columns", [1, 20, 500])
def test_a_narrow_terminal_cuts_nothing(filled: Program, columns: int) -> None:
    assert on_terminal(filled, "-e", READ, columns=columns) == Screen(TREE, 0)


def test_a_locale_without_utf_8_draws_with_ascii(filled: Program) -> None:
    assert on_terminal(filled, "-e", READ, env=NOT_UTF_8) == Screen(ASCII, 0)


@pytest.mark.parametrize("format", ["tree", "classic", "json", "jsonl", "csv", "raw"])
def test_a_terminal_without_utf_8_is_sent_ascii_alone_in_every_format(program: Program, format: str) -> None:
    # The UTF-8 of U+00DB ends in 0x9b, which an 8-bit terminal takes for the start of an escape sequence.
    assert program.on("XADD", "ké", "1-1", "naïve", "\u00db31m").code == 0
    screen = on_terminal(program, "--format", format, "XREAD", "STREAMS", "ké", "0", env=NOT_UTF_8)
    assert (screen.code, [character for character in screen.text if not character.isascii()]) == (0, [])


def test_an_error_shows_the_same_bytes_in_every_locale(program: Program) -> None:
    tail = "', with args beginning with: (no command of Redis; see COMMAND LIST)\n"
    assert on_terminal(program, b"\xc3\xa9\xff") == Screen(f"ERR unknown command 'é\\xff{tail}", 1)
    assert on_terminal(program, b"\xc3\xa9\xff", env=NOT_UTF_8) == Screen(
        f"ERR unknown command '\\xc3\\xa9\\xff{tail}", 1
    )


def test_any_bytes_can_be_written_and_read_in_a_locale_without_utf_8(program: Program) -> None:
    every = bytes(range(1, 256))
    words = ("--db", program.db)
    assert program.run(*words, "XADD", every, "1-1", every, every, env=NOT_UTF_8) == said("1-1\n")
    assert program.run(*words, "XRANGE", every, "-", "+", env=NOT_UTF_8) == (
        b"1-1\n" + every + b"\n" + every + b"\n",
        b"",
        0,
    )


def test_ctrl_c_ends_a_blocking_read_with_130(program: Program) -> None:
    screen = on_terminal(program, "-e", "PING", "-e", "XREAD BLOCK 0 STREAMS a $", types=b"\x03", after="PONG\n")
    assert screen == Screen("PONG\n^C\n", 130)


def test_an_error_on_a_terminal_is_one_line(program: Program) -> None:
    assert on_terminal(program, "XADD", "a") == Screen("ERR wrong number of arguments for 'xadd' command\n", 1)


def test_nothing_found_and_nothing_come_are_told_apart(program: Program) -> None:
    assert on_terminal(program, "XRANGE", "a", "-", "+") == Screen("(empty)\n", 0)
    assert on_terminal(program, "XREAD", "STREAMS", "a", "0") == Screen("(nil)\n", 0)
    assert on_terminal(program, "XADD", "a", "NOMKSTREAM", "1-1", "f", "v") == Screen("(nil)\n", 0)


# -- data that would steer a terminal ---------------------------------------------------------

# A title, a colour, C1's CSI in UTF-8 and bare, backspace, a right-to-left override, DEL, line ends, a tab.
HOSTILE = b"\x1b]0;t\x07\x1b[31m\xc2\x9b5m\x9b\r\b\xe2\x80\xae\x7f\n\t"
ESCAPED = r"\x1b]0;t\a\x1b[31m\xc2\x9b5m\x9b\r\b\xe2\x80\xae\x7f\n\t"
IN_LINES = ESCAPED.replace(r"\n", "\n")
IN_ERRORS = ESCAPED.replace(r"\r", " ").replace(r"\n", " ")
BASE64 = '{"base64": "G10wO3QHG1szMW3CmzVtmw0I4oCufwoJ"}'
SHOWN = {
    "tree": f'"{ESCAPED}"\n└─ 1-1\n     "{ESCAPED}"  "{ESCAPED}"\n',
    "classic": f'1) 1) "{ESCAPED}"\n   2) 1) 1) "1-1"\n         2) 1) "{ESCAPED}"\n            2) "{ESCAPED}"\n',
    "json": f"""\
[
  {{
    "stream": {BASE64},
    "entries": [
      {{
        "id": "1-1",
        "fields": [
          [{BASE64}, {BASE64}]
        ]
      }}
    ]
  }}
]
""",
    "jsonl": f'{{"stream":{BASE64},"id":"1-1","fields":[[{BASE64},{BASE64}]]}}\n'.replace(": ", ":"),
    "csv": f'stream,id,"{IN_LINES}"\n"{IN_LINES}",1-1,"{IN_LINES}"\n',
    "raw": f"{IN_LINES}\n1-1\n{IN_LINES}\n{IN_LINES}\n",
}


@pytest.mark.parametrize("format", SHOWN)
def test_hostile_keys_fields_and_values_reach_a_terminal_as_escapes(program: Program, format: str) -> None:
    assert program.on("XADD", HOSTILE, "1-1", HOSTILE, HOSTILE) == said("1-1\n")
    words = ("--format", format, "XREAD", "STREAMS", HOSTILE, "0")
    assert on_terminal(program, *words, env={"NO_COLOR": "1", **XTERM}) == Screen(SHOWN[format], 0)


@pytest.mark.parametrize("format", ["json", "jsonl"])
def test_hostile_text_that_is_utf_8_reaches_a_terminal_as_the_escapes_of_json(program: Program, format: str) -> None:
    text = HOSTILE.replace(b"m\x9b", b"m")
    escapes = r"\u001b]0;t\u0007\u001b[31m\u009b5m\r\b\u202e\u007f\n\t"
    assert on_terminal(program, "--format", format, "ECHO", text) == Screen(f'"{escapes}"\n', 0)


@pytest.mark.parametrize("format", SHOWN)
def test_hostile_words_in_an_error_reach_a_terminal_as_escapes(program: Program, format: str) -> None:
    words = ("--format", format, "XREADGROUP", "GROUP", HOSTILE, "c", "STREAMS", HOSTILE, ">")
    assert on_terminal(program, *words, env=XTERM) == Screen(
        f"NOGROUP No such key '{IN_ERRORS}' or consumer group '{IN_ERRORS}' in XREADGROUP with GROUP option\n", 1
    )


@pytest.mark.parametrize("format", SHOWN)
def test_a_hostile_error_inside_a_transaction_reaches_a_terminal_as_escapes(program: Program, format: str) -> None:
    file = program.home / "hostile.redis"
    file.write_bytes(b'MULTI\nXPENDING "\\x1b[31m\\r\\x9b" "\\x1b]0;t\\a"\nEXEC\n')
    screen = on_terminal(program, "--format", format, "-f", file, env={"NO_COLOR": "1", **XTERM})
    assert screen.code == 1
    assert [character for character in screen.text if character != "\n" and not character.isprintable()] == []
    said_of_it, in_the_reply = 1, 0 if format in ("json", "jsonl") else 1  # JSON has no bytes: it takes base64
    assert screen.text.count(r"\x1b[31m") == said_of_it + in_the_reply


def test_hostile_file_names_reach_a_terminal_as_escapes(program: Program) -> None:
    name = b"/missing/\x1b[31m\xc2\x9b\xff.redis"
    shown = r"/missing/\x1b[31m\xc2\x9b\xff.redis"
    assert on_terminal(program, "-f", name) == Screen(
        f"streamcli: cannot read {shown}: no such file or directory (see streamcli --help)\n", 2
    )
    assert on_terminal(program, "--db", name, "PING") == Screen(
        f"streamcli: cannot open {shown}: no such file or directory\n", 3
    )


def test_a_hostile_file_name_in_the_place_of_an_error_is_escaped(program: Program) -> None:
    (program.home / "\x1b[31m.redis").write_text("XADD a\n")
    assert on_terminal(program, "-f", "\x1b[31m.redis") == Screen(
        "\\x1b[31m.redis:1: ERR wrong number of arguments for 'xadd' command\n", 1
    )


@pytest.mark.parametrize("words", [(b"--\x1b[31m\xff",), ("-n", b"\x1b[31m\xff"), ("--format", b"\x1b[31m\xff")])
def test_hostile_options_reach_a_terminal_as_escapes_of_their_bytes(program: Program, words: tuple[bytes, ...]) -> None:
    screen = on_terminal(program, *words)
    assert (screen.code, screen.text.count("\n")) == (2, 1)
    assert r"\x1b[31m\xff" in screen.text


def test_a_hostile_line_with_an_open_quote_is_shown_as_escapes_with_the_caret_in_its_place(program: Program) -> None:
    assert on_terminal(program, "-e", b"ECHO \x1b[31m\xff 'open") == Screen(
        "not sent, column 13: the ' here is never closed\n  ECHO \\x1b[31m\\xff 'open\n" + " " * 20 + "^\n", 2
    )


def test_off_a_terminal_raw_is_byte_for_byte(program: Program) -> None:
    assert program.on("XADD", "a", "1-1", "f", HOSTILE) == said("1-1\n")
    assert program.on("--format", "raw", "XRANGE", "a", "-", "+") == (b"1-1\nf\n" + HOSTILE + b"\n", b"", 0)
