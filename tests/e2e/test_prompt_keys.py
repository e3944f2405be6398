"""At the prompt: keys, lines that go on, pastes, history, and the ways out."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Iterator

import pytest

from tests.e2e.program import Program
from tests.e2e.screen import Terminal

PROMPT = "streams.db> "
MORE = "          > "


@pytest.fixture
def terminal(program: Program) -> Iterator[Terminal]:
    with Terminal(program) as terminal:
        terminal.prompts(PROMPT)
        yield terminal


def test_an_open_quote_goes_on_in_the_next_line(terminal: Terminal, program: Program) -> None:
    terminal.type("XADD a 1-1 f 'one\r")
    terminal.prompts(MORE)
    terminal.type("two'\r")
    terminal.shows('"1-1"')
    assert program.on("XRANGE", "a", "-", "+").out == b"1-1\nf\none\ntwo\n"


def test_a_backslash_at_the_end_goes_on_in_the_next_line(terminal: Terminal, program: Program) -> None:
    terminal.type("XADD a 1-1 \\\r")
    terminal.prompts(MORE)
    terminal.type("f v\r")
    terminal.shows('"1-1"')
    assert program.on("XRANGE", "a", "-", "+").out == b"1-1\nf\nv\n"


def test_alt_enter_makes_a_new_line_of_the_same_command(terminal: Terminal, program: Program) -> None:
    terminal.type("XADD a 1-1\x1b\r")
    terminal.prompts(MORE)
    terminal.type("f v\r")
    terminal.shows('"1-1"')
    assert program.on("XRANGE", "a", "-", "+").out == b"1-1\nf\nv\n"


def test_an_empty_line_sends_what_is_not_whole(terminal: Terminal) -> None:
    terminal.type("XADD a 1-1 f it's\r")
    terminal.prompts(MORE)
    terminal.type("\r")
    terminal.shows("never closed")
    terminal.prompts(PROMPT)


def test_enter_sends_what_is_underlined_too(terminal: Terminal) -> None:
    terminal.enter("XRANGE a x y")
    terminal.shows("ERR Invalid stream ID specified as stream command argument")


def test_a_paste_of_many_lines_asks_once_and_runs_them_in_order(terminal: Terminal, program: Program) -> None:
    terminal.paste("XADD a 1-1 f 1\n# a comment\nXADD a 1-2 f 2\r\nXADD a \\\n 1-3 f 3\nXLEN a\n")
    terminal.shows("Run these 4 commands? [Y/n]")
    assert program.on("XLEN", "a").out == b"0\n"
    terminal.type("y\r")
    terminal.shows("\n3\n")
    assert terminal.text.count("Run these") == 1
    assert program.on("XREVRANGE", "a", "+", "-", "COUNT", "1").out == b"1-3\nf\n3\n"


def test_a_paste_that_is_not_wanted_is_kept_to_be_edited(terminal: Terminal, program: Program) -> None:
    terminal.paste("XADD a 1-1 f 1\nXADD a 1-2 f 2\n")
    terminal.shows("[Y/n]")
    terminal.type("n\r")
    terminal.shows(f"{PROMPT}XADD a 1-1 f 1\n{MORE}XADD a 1-2 f 2")
    assert program.on("XLEN", "a").out == b"0\n"


@pytest.mark.parametrize("key", ["\x03", "\x04"])
def test_a_key_that_breaks_off_is_no_answer_to_the_question_about_a_paste(
    terminal: Terminal, program: Program, key: str
) -> None:
    terminal.paste("XADD a 1-1 f 1\nXADD a 1-2 f 2\n")
    terminal.shows("Run these 2 commands? [Y/n]")
    terminal.type(key)
    terminal.shows("not done")
    terminal.prompts(PROMPT)
    assert program.on("XLEN", "a").out == b"0\n"


def test_ctrl_c_in_a_wait_in_the_midst_of_a_paste_keeps_the_rest(terminal: Terminal, program: Program) -> None:
    terminal.paste("XADD a 1-1 f 1\nXREAD BLOCK 0 STREAMS a $\nXADD a 1-3 f 3\nXLEN a\n")
    terminal.shows("[Y/n]")
    terminal.type("\r")
    terminal.shows("Ctrl-C ends it")
    terminal.type("\x03")
    terminal.shows("command 2 of 4 was interrupted; the rest was not run")
    terminal.shows(f"\n{PROMPT}XADD a 1-3 f 3\n{MORE}XLEN a")
    assert program.on("XLEN", "a").out == b"1\n"


def test_ctrl_c_in_a_wait_in_the_midst_of_a_file_says_where_it_stopped(terminal: Terminal, program: Program) -> None:
    (program.home / "lines").write_text("XADD a 1-1 f 1\nXREAD BLOCK 0 STREAMS a $\nXADD a 1-3 f 3\n")
    terminal.enter(".source lines")
    terminal.shows("Ctrl-C ends it")
    terminal.type("\x03")
    terminal.shows("lines:2: the lines behind this one were not run")
    terminal.prompts(PROMPT)
    assert program.on("XLEN", "a").out == b"1\n"


def test_a_paste_stops_at_the_first_error_and_keeps_the_rest(terminal: Terminal, program: Program) -> None:
    terminal.paste("XADD a 1-1 f 1\nXADD a 1-1 f 2\nXADD a 1-3 f 3\n")
    terminal.shows("[Y/n]")
    terminal.type("\r")
    terminal.shows("command 2 of 3 failed; the rest was not run")
    terminal.shows(f"\n{PROMPT}XADD a 1-3 f 3")
    assert program.on("XLEN", "a").out == b"1\n"


def test_a_paste_of_one_line_is_only_typed(terminal: Terminal, program: Program) -> None:
    terminal.paste("XADD a 1-1 f 1\n")
    terminal.shows("> XADD a 1-1 f 1")
    assert program.on("XLEN", "a").out == b"0\n"
    terminal.type("\r")
    terminal.shows('"1-1"')


def test_bytes_that_are_no_text_can_be_pasted(terminal: Terminal, program: Program) -> None:
    terminal.type(b"\x1b[200~XADD a 1-1 f \xff\x00\x1b]0;title\x07\x80'\x1b[201~")
    terminal.shows("XADD a 1-1 f")
    terminal.type("\x01")
    terminal.type("\x0b")  # Ctrl-A Ctrl-K: away with it
    terminal.prompts(PROMPT)
    terminal.enter("PING")
    terminal.shows("PONG")
    assert b"\x1b]0;" not in terminal.raw


def test_a_line_of_a_megabyte_can_be_typed_and_sent(terminal: Terminal, program: Program) -> None:
    terminal.type("XADD a 1-1 f " + "x" * 1_000_000 + "\r")
    terminal.shows('"1-1"')
    assert program.on("XRANGE", "a", "-", "+").out == b"1-1\nf\n" + b"x" * 1_000_000 + b"\n"


def test_a_line_of_a_megabyte_can_be_pasted_and_sent(terminal: Terminal, program: Program) -> None:
    terminal.paste("XADD a 1-1 f '" + "x y " * 250_000 + "'")
    terminal.shows("characters)")
    terminal.type("\r")
    terminal.shows('"1-1"')
    assert program.on("XRANGE", "a", "-", "+").out == b"1-1\nf\n" + b"x y " * 250_000 + b"\n"


def test_ctrl_r_finds_a_line_of_an_earlier_session(program: Program) -> None:
    with Terminal(program) as first:
        first.prompts(PROMPT)
        first.enter("XADD a 1-1 city Oslo")
        first.shows('"1-1"')
        first.type("\x04")
        assert first.leave() == 0
    with Terminal(program) as second:
        second.prompts(PROMPT)
        second.type("\x12Oslo")
        second.shows("XADD a 1-1 city Oslo")
        second.type("\r\r")
        second.shows("equal or smaller")


def test_the_history_file_holds_no_secret_and_is_the_users_alone(program: Program) -> None:
    with Terminal(program) as terminal:
        terminal.prompts(PROMPT)
        for line in ("AUTH hunter2", "HELLO 3 AUTH ann hunter2", "CONFIG SET requirepass hunter2", "PING"):
            terminal.type(f"{line}\r")
            terminal.prompts(PROMPT)
        terminal.shows("PONG")
        assert "hunter2" not in terminal.text
        assert b"hunter2" not in terminal.raw
        terminal.type("\x04")
        assert terminal.leave() == 0
    file = program.home / ".local" / "state" / "streamcli" / "history"
    assert b"PING" in file.read_bytes()
    assert b"hunter2" not in file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"\xff\x00\xfe" * 100, b"+XLEN a\n+PING", None])
def test_a_history_file_that_is_of_no_use_is_no_obstacle(program: Program, content: bytes | None) -> None:
    file = program.home / ".local" / "state" / "streamcli" / "history"
    file.parent.mkdir(parents=True)
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)
    with Terminal(program) as terminal:
        terminal.prompts(PROMPT)
        terminal.enter("ECHO still-here")
        terminal.shows('"still-here"')
        if content is None:
            terminal.shows("history")


def test_vi_keys(terminal: Terminal) -> None:
    terminal.enter(".keys vi")
    terminal.shows("keys vi")
    terminal.type("ECHO two three")
    terminal.shows("ECHO two three")
    terminal.type("\x1b")
    terminal.type("bD")
    terminal.hides("three")
    terminal.type("ithree'\r")  # the quote is a slip
    terminal.prompts(MORE)
    terminal.type("\r")
    terminal.shows("never closed")


def test_a_line_can_be_edited_in_an_editor_of_ones_own(program: Program) -> None:
    editor = program.home / "editor"
    editor.write_text('#!/bin/sh\necho "ECHO edited" > "$1"\n')
    editor.chmod(0o755)
    with Terminal(program, env={"EDITOR": str(editor), "VISUAL": str(editor)}) as terminal:
        terminal.prompts(PROMPT)
        terminal.type("ECHO")
        terminal.shows("> ECHO")
        terminal.type("\x18\x05")
        terminal.shows("> ECHO edited")
        terminal.type("\r")
        terminal.shows('"edited"')


def test_ctrl_c_drops_the_line_and_ctrl_d_leaves(terminal: Terminal) -> None:
    terminal.type("XADD a")
    terminal.shows("XADD a")
    terminal.type("\x03")
    terminal.prompts(PROMPT)
    terminal.type("\x03")
    terminal.type("\x03")
    terminal.prompts(PROMPT)
    terminal.type("\x04")
    assert terminal.leave() == 0


@pytest.mark.parametrize("word", ["exit", "quit", ".quit", "QUIT"])
def test_words_that_leave(terminal: Terminal, word: str) -> None:
    terminal.enter(word)
    assert terminal.leave() == 0


def test_what_is_typed_while_a_command_runs_comes_to_the_next_prompt(terminal: Terminal) -> None:
    terminal.enter("XREAD BLOCK 700 STREAMS a $")
    terminal.shows("waiting")
    terminal.type("ECHO typed-ahead\r")
    terminal.shows('"typed-ahead"')


def test_a_signal_from_elsewhere_drops_the_line(terminal: Terminal) -> None:
    terminal.type("XADD a")
    terminal.shows("XADD a")
    os.kill(terminal.process.pid, signal.SIGINT)
    terminal.prompts(PROMPT)


def test_up_finds_each_line_once_and_no_answers(terminal: Terminal) -> None:
    terminal.enter("XADD a 1-1 f v")
    terminal.shows('"1-1"')
    terminal.enter("DEL a")
    terminal.shows("Go on? [y/N]")
    terminal.type("n\r")
    terminal.shows("not done")
    terminal.prompts(PROMPT)
    terminal.type("\x1b[A")
    terminal.until(lambda: terminal.cursor_line.rstrip() == f"{PROMPT}DEL a", "the last line")
    terminal.type("\x1b[A")
    terminal.until(lambda: terminal.cursor_line.rstrip() == f"{PROMPT}XADD a 1-1 f v", "the line before it")


def test_a_comment_in_a_paste_is_neither_sent_nor_does_it_swallow_anything(
    terminal: Terminal, program: Program
) -> None:
    terminal.paste("XADD a 1-1 f v\n# it's a note\n")
    terminal.shows("note")
    terminal.type("\r")
    terminal.shows('"1-1"')
    terminal.prompts(PROMPT)
    terminal.paste("# count\nXADD a 1-2 f v\n")
    terminal.shows("XADD a 1-2")
    terminal.type("\r")
    terminal.shows('"1-2"')
    assert program.on("XRANGE", "a", "-", "+").out == b"1-1\nf\nv\n1-2\nf\nv\n"


def test_several_commands_from_the_editor_are_asked_about(program: Program) -> None:
    editor = program.home / "editor"
    editor.write_text("#!/bin/sh\nprintf 'XADD a 1-1 f v\\nXADD a 1-2 f \\377\\n' > \"$1\"\n")
    editor.chmod(0o755)
    with Terminal(program, env={"EDITOR": str(editor), "VISUAL": ""}) as terminal:
        terminal.prompts(PROMPT)
        terminal.type(b"ECHO \xff")
        terminal.shows("> ECHO ")
        terminal.type(b"\x18\x05")
        terminal.shows("XADD a 1-2 f")
        terminal.type("\r")
        terminal.shows("Run these 2 commands? [Y/n]")
        terminal.type("y\r")
        terminal.shows('"1-2"')
    assert program.on("XLEN", "a").out == b"2\n"


@pytest.mark.parametrize(
    ("editor", "said"),
    [("exit 3; :", "the editor failed (exit 3; :: exit code 3)"), ("/nosuch/editor", "exit code 127); the line is")],
)
def test_an_editor_that_fails_leaves_the_line_and_says_so(program: Program, editor: str, said: str) -> None:
    with Terminal(program, env={"EDITOR": editor, "VISUAL": ""}) as terminal:
        terminal.prompts(PROMPT)
        terminal.type("ECHO alive")
        terminal.shows("> ECHO alive")
        terminal.type(b"\x18\x05")
        terminal.shows(said)
        terminal.until(lambda: terminal.cursor_line.startswith(f"{PROMPT}ECHO alive"), "the line")
        terminal.type("\r")
        terminal.shows('"alive"')


def test_escape_puts_the_menu_away_and_alt_enter_is_still_a_key(terminal: Terminal) -> None:
    terminal.type("XREAD ")
    terminal.shows("MAXCOUNT  at most")
    terminal.type("\t")
    terminal.shows("> XREAD COUNT")
    terminal.type("\x1b")
    terminal.hides("MAXCOUNT  at most")
    terminal.until(lambda: terminal.cursor_line.rstrip() == f"{PROMPT}XREAD", "the line as it was typed")
    terminal.type("\t")
    terminal.shows("MAXCOUNT  at most")
    terminal.type("\x1b\r")
    terminal.prompts(MORE)


def test_a_signal_during_a_search_leaves_a_prompt_that_works(terminal: Terminal) -> None:
    terminal.type("\x12X")
    terminal.shows("I-search")
    os.kill(terminal.process.pid, signal.SIGINT)
    terminal.hides("I-search")
    terminal.enter("ECHO alive")
    terminal.shows('"alive"')


@pytest.mark.parametrize("line", [".clear", "clear"])
def test_the_screen_can_be_cleared(terminal: Terminal, line: str) -> None:
    terminal.enter("ECHO something")
    terminal.shows('"something"')
    terminal.prompts(PROMPT)
    terminal.enter(line)
    terminal.hides("something")
    terminal.enter("ECHO else")
    terminal.shows('"else"')


def test_what_was_typed_before_a_question_is_no_answer_to_it(terminal: Terminal, program: Program) -> None:
    terminal.enter("XADD a 1-1 f v")
    terminal.shows('"1-1"')
    terminal.prompts(PROMPT)
    terminal.type("DEL a\ry\r")
    terminal.shows("Go on? [y/N]")
    terminal.type("\r")
    terminal.shows("not done")
    assert program.on("XLEN", "a").out == b"1\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize(
    ("line", "seen"), [("", ""), ("XREAD BLOCK 0 STREAMS a $\r", "waiting"), ("FLUSHALL\r", "Go on?")]
)
def test_an_end_from_outside_leaves_the_terminal_as_it_was(
    program: Program, number: signal.Signals, line: str, seen: str
) -> None:
    assert program.on("SET", "k", "v").code == 0
    with Terminal(program) as terminal:
        terminal.prompts(PROMPT)
        terminal.type(line)
        terminal.shows(seen)
        os.kill(terminal.process.pid, number)
        terminal.leave()
        assert terminal.process.returncode == 128 + number
        assert terminal.raw.rfind(b"\x1b[?2004l") > terminal.raw.rfind(b"\x1b[?2004h")


@pytest.mark.parametrize(
    "line",
    [
        "AUHT hunter2",
        "ACL SETUSER bob >hunter2",
        "FOO --pass hunter2",
        "AUTH 'hunter2",
        "HELLO AUTH u hunter2",
        "PING | true redis-cli -a hunter2",
        "PING > redis://u:hunter2@h/x",
        ".source redis://u:hunter2@h",
        "CONFIG requirepass hunter2",
    ],
)
def test_a_secret_that_was_typed_is_shown_nowhere(terminal: Terminal, program: Program, line: str) -> None:
    terminal.type(line)
    terminal.shows("*****")
    terminal.type("\r\r")
    terminal.until(lambda: terminal.cursor_line.rstrip() == PROMPT.rstrip(), "the prompt")
    terminal.enter("ECHO done")
    terminal.shows('"done"')
    assert b"hunter2" not in terminal.raw
    history = program.home / ".local" / "state" / "streamcli" / "history"
    assert b"hunter2" not in history.read_bytes()
