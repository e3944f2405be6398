"""Help from the command line and at the prompt, on terminals of all kinds."""

from __future__ import annotations

import pytest

from streamcli.docs import pages
from streamcli.text import columns
from tests.e2e.program import Program, said
from tests.e2e.screen import Terminal
from tests.e2e.terminal import on_terminal

XLEN_HEAD = "XLEN\n====\n\nCounts the entries of a stream.\n\n  XLEN key\n\nSince 5.0.0. O(1).\n"


def test_a_page_is_plain_text_when_it_is_piped(program: Program) -> None:
    got = program.run("help", "XLEN")
    assert got.out.decode().startswith(XLEN_HEAD)
    assert (got.err, got.code) == (b"", 0)
    assert not program.default_db.exists()


def test_a_subcommand_has_its_own_page(program: Program) -> None:
    assert program.run("help", "xgroup", "create").out.startswith(b"XGROUP CREATE\n=============\n")


@pytest.mark.parametrize("words", [["--format", "md", "help", "xlen"], ["help", "xlen", "--format", "md"]])
def test_the_source_of_a_page(program: Program, words: list[str]) -> None:
    page = pages.command("XLEN")
    assert page is not None
    assert program.run(*words) == said(page.text)


def test_the_source_is_for_pages_only(program: Program) -> None:
    assert program.run("--format", "md", "PING").code == 2


def test_a_page_that_is_not_there_is_one_line_with_the_nearest(program: Program) -> None:
    got = program.run("help", "nosuch")
    assert (got.out, got.code) == (b"", 1)
    assert got.err.decode().startswith("no page, heading or text of the help has nosuch; ")
    assert got.err.count(b"\n") == 1
    assert b"xread" in program.run("help", "xreed").err


def test_a_heading_that_is_not_there_is_answered_with_those_that_are(program: Program) -> None:
    got = program.run("help", "xread", "nosuch")
    assert got.out.startswith(b"XREAD\n=====\n\nThe page `help xread` has no heading nosuch. It has:\n")
    assert (got.err, got.code) == (b"", 0)


@pytest.mark.parametrize("words", [["help"], ["help", "xread"], ["help", "ids"], ["help", "@stream"]])
def test_twenty_columns_are_enough(program: Program, words: list[str]) -> None:
    screen = on_terminal(program, *words, columns=20, env={"TERM": "xterm-256color", "NO_COLOR": "1", "PAGER": "cat"})
    assert screen.code == 0
    assert max(columns(line) for line in screen.text.splitlines()) <= 20
    assert "\x1b" not in screen.text


@pytest.mark.parametrize("words", [["help"], ["help", "xread"], ["explain", "XREAD BLOCK 0 STREAMS a b $ 0"]])
def test_a_pipe_is_as_wide_as_columns_says(program: Program, words: list[str]) -> None:
    got = program.run(*words, env={"COLUMNS": "24"})
    assert got.code == 0
    assert 20 < max(columns(line) for line in got.out.decode().splitlines()) <= 24
    assert program.run(*words, env={"COLUMNS": "many"}) == program.run(*words)


@pytest.mark.parametrize(
    "env",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "C"},
        {"LC_ALL": "", "LANG": "C"},
        {"LC_ALL": "", "LANG": "de_DE.ISO-8859-1"},
    ],
    ids=str,
)
def test_a_terminal_that_takes_no_utf_8_gets_ascii(program: Program, env: dict[str, str]) -> None:
    env = {**env, "PAGER": "cat"}
    screen = on_terminal(program, "help", "ids", env=env)
    assert screen.code == 0
    assert screen.text.isascii()
    assert "-+-" in screen.text
    screen = on_terminal(program, "help", "xinfo", "stream", env=env)
    assert screen.text.isascii()
    assert "\\xe2" not in screen.text
    assert "\n  |- " in screen.text


def test_where_nobody_names_a_locale_there_are_lines(program: Program) -> None:
    screen = on_terminal(program, "help", "ids", env={"LC_ALL": "", "LC_CTYPE": "", "LANG": "", "PAGER": "cat"})
    assert "─┼─" in screen.text


def test_a_page_goes_through_the_pager_on_a_terminal(program: Program) -> None:
    screen = on_terminal(program, "help", "xread", env={"TERM": "xterm", "PAGER": "head -n 1"})
    assert screen.code == 0
    assert screen.text == "\x1b[1;4mXREAD\x1b[0m\n"


def test_explain_says_what_each_word_means(program: Program) -> None:
    got = program.run("explain", "XREAD COUNT 2 STREAMS a 1-1")
    assert got == said(
        "XREAD  read entries newer than an ID from one or more streams, waiting for them if asked\n"
        "├─ COUNT 2   at most 2 entries per stream\n"
        "├─ STREAMS   the streams' keys, then one ID for each of them\n"
        "├─ a 1-1     entries after this ID\n"
        "└─ together  answers at once, with nil when there is nothing\n"
    )
    assert program.run("explain", "XREAD", "COUNT", "2", "STREAMS", "a", "1-1") == got
    assert program.run("--format", "tree", "explain", "XREAD COUNT 2 STREAMS a 1-1") == got
    assert program.run("explain").code == 2
    assert program.run("explain", "XADD 'a").code == 2
    refused = program.run("--format", "json", "explain", "XLEN a")
    assert refused == said(
        err="streamcli: an explanation is always a tree: leave out --format json (see streamcli --help)\n", code=2
    )


def test_help_and_explain_have_help_as_the_other_verbs(program: Program) -> None:
    assert program.run("help", "--help") == program.run("help")
    assert program.run("explain", "--help") == program.run("help", "explain")


@pytest.mark.parametrize("line", ["XREAD COUNT", "XADD a 0-0 f v", "NOSUCH a", "XRANGE a x +"])
def test_explain_of_a_line_that_would_be_refused_ends_with_1(program: Program, line: str) -> None:
    got = program.run("explain", line)
    assert (got.code, got.err) == (1, b"")
    assert b"ERR " in got.out


def test_help_examples_and_explanations_at_the_prompt(program: Program) -> None:
    with Terminal(program, env={"PAGER": ""}, rows=60) as terminal:
        terminal.prompts("streams.db> ")
        terminal.enter("help xlen errors")
        terminal.shows("WRONGTYPE")
        terminal.enter(".try xlen")
        terminal.shows("  1  XADD cities 1-1 city Oslo ; ")
        terminal.enter(".try xlen 1")
        terminal.shows('> XADD cities 1-2 city Lima\n"1-2"')
        terminal.enter("EXISTS cities")
        terminal.shows("\n0\n")
        terminal.enter(".explain XREADGROUP GROUP g c STREAMS a b > 0")
        terminal.shows("└─ together   this one never blocks: b asks for history, which is always")
        terminal.enter("help nosuch")
        terminal.shows("no page, heading or text of the help has nosuch")


def test_f1_is_help_on_the_word_at_the_cursor(program: Program) -> None:
    with Terminal(program, env={"PAGER": ""}, rows=60) as terminal:
        terminal.prompts("streams.db> ")
        terminal.type("XREAD COUNT")
        terminal.shows("> XREAD COUNT")
        terminal.type("\x1bOP")
        terminal.shows("(help xread is the whole page)")
        terminal.until(lambda: terminal.cursor_line.startswith("streams.db> XREAD COUNT"), "the line as it was")
