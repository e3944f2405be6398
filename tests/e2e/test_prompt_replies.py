"""At the prompt: where replies go, what is asked before, what is said after, and waiting."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.program import Program
from tests.e2e.screen import Terminal

PROMPT = "streams.db> "


@pytest.fixture
def filled(program: Program) -> Program:
    lines = [f"XADD a {number}-1 n {number}" for number in range(1, 6)]
    assert program.lines(*lines, "XGROUP CREATE a g 0", "XREADGROUP GROUP g ann COUNT 2 STREAMS a >").code == 0
    return program


@pytest.fixture
def terminal(filled: Program) -> Iterator[Terminal]:
    with Terminal(filled, env={"PAGER": ""}) as terminal:
        terminal.prompts(PROMPT)
        yield terminal


def test_a_reply_goes_to_a_shell_command(terminal: Terminal) -> None:
    terminal.enter("XRANGE a - + COUNT 2 | tr -d '\\n' | rev")
    terminal.shows("\n2n1-21n1-1")
    terminal.prompts(PROMPT)


def test_what_jq_gets_is_json(terminal: Terminal, filled: Program) -> None:
    (filled.home / "jq").write_text("#!/bin/sh\ncat; echo seen\n")
    (filled.home / "jq").chmod(0o755)
    terminal.type("\x04")
    with Terminal(filled, env={"PATH": f"{filled.home}:{filled.environment['PATH']}"}) as other:
        other.prompts(PROMPT)
        other.enter("XRANGE a - + COUNT 1 | jq .")
        other.shows('    "id": "1-1",')
        other.shows("]\nseen")


def test_a_reply_goes_into_a_file_or_behind_what_is_there(terminal: Terminal, filled: Program) -> None:
    terminal.enter("XLEN a > 'my file'")
    terminal.prompts(PROMPT)
    assert (filled.home / "my file").read_text() == "5\n"
    terminal.enter("XRANGE a 1 1 >> 'my file'")
    terminal.prompts(PROMPT)
    assert (filled.home / "my file").read_text() == "5\n1-1\nn\n1\n"
    terminal.enter("XRANGE a 1 1 > one.jsonl")
    terminal.prompts(PROMPT)
    assert (filled.home / "one.jsonl").read_text() == '{"id":"1-1","fields":[["n","1"]]}\n'


def test_an_error_writes_no_file(terminal: Terminal, filled: Program) -> None:
    terminal.enter("XRANGE a x + > out")
    terminal.shows("ERR Invalid stream ID")
    assert not (filled.home / "out").exists()
    terminal.enter("XLEN a > no/such/folder")
    terminal.shows("cannot write no/such/folder: no such file or directory")


def test_two_ids_are_two_ids(terminal: Terminal, filled: Program) -> None:
    terminal.enter("XREADGROUP GROUP g ann STREAMS a a > 0")
    terminal.shows("5-1")
    assert not (filled.home / "0").exists()


def test_what_is_taller_than_the_screen_goes_through_the_pager(filled: Program) -> None:
    pager = filled.home / "pager"
    pager.write_text("#!/bin/sh\nwc -l\necho paged\n")
    pager.chmod(0o755)
    with Terminal(filled, env={"PAGER": str(pager)}, rows=10) as terminal:
        terminal.prompts(PROMPT)
        terminal.enter("XRANGE a 1 2")
        terminal.shows('n  "2"')
        terminal.enter("XRANGE a - +")
        terminal.shows("paged")
        terminal.enter(".pager off")
        terminal.shows("pager off")
        terminal.enter("XRANGE a - +")
        terminal.shows('n  "5"')


def test_less_shows_the_first_screen_and_leaves_with_q(filled: Program) -> None:
    with Terminal(filled, env={"PAGER": "less"}, rows=10) as terminal:
        terminal.prompts(PROMPT)
        terminal.enter("XRANGE a - +")
        terminal.shows("1-1")
        terminal.until(lambda: terminal.lines[-1].startswith(":"), "less's own prompt")
        terminal.type("q")
        terminal.prompts(PROMPT)


def test_a_wait_is_shown_and_ctrl_c_ends_it(terminal: Terminal) -> None:
    terminal.enter("XREAD BLOCK 0 STREAMS a $")
    terminal.shows("waiting 0s; Ctrl-C ends it")
    terminal.shows("waiting 1s; Ctrl-C ends it")
    terminal.type("\x03")
    terminal.prompts(PROMPT)
    terminal.hides("waiting")
    terminal.enter("PING")
    terminal.shows("PONG")


def test_a_wait_says_how_long_it_will_be(terminal: Terminal) -> None:
    terminal.enter("XREAD BLOCK 900 STREAMS a $")
    terminal.shows("waiting 0s of 0s")
    terminal.shows("(nil)")


def test_another_process_ends_a_wait(terminal: Terminal, filled: Program) -> None:
    terminal.enter("XREAD BLOCK 0 STREAMS a $")
    terminal.shows("waiting")
    assert filled.on("XADD", "a", "9-9", "n", "9").code == 0
    terminal.shows("9-9")
    terminal.hides("waiting")
    terminal.shows("> XREAD BLOCK 0 STREAMS a 9-9")


def test_ctrl_c_in_a_transaction_leaves_it_open(terminal: Terminal, filled: Program) -> None:
    terminal.enter("MULTI")
    terminal.prompts("streams.db(MULTI)> ")
    terminal.enter("XADD a 7-1 n 7")
    terminal.prompts("streams.db(MULTI 1)> ")
    terminal.type("XLEN\x03\x03")
    terminal.prompts("streams.db(MULTI 1)> ")
    terminal.enter("EXEC")
    terminal.prompts(PROMPT)
    assert filled.on("XLEN", "a").out == b"6\n"


def test_leaving_says_that_a_transaction_was_not_run(terminal: Terminal) -> None:
    terminal.enter("MULTI")
    terminal.prompts("streams.db(MULTI)> ")
    terminal.type("\x04")
    terminal.shows("the transaction was not run: EXEC is missing")
    assert terminal.leave() == 0


def test_the_prompt_shows_the_database(terminal: Terminal) -> None:
    terminal.enter("SELECT 3")
    terminal.prompts("streams.db[3]> ")


@pytest.mark.parametrize(
    ("line", "question", "length"),
    [
        ("XTRIM a MAXLEN 1", "XTRIM removes 4 of the 5 entries of a. Go on? [y/N]", 1),
        ("XADD a MAXLEN 2 9-1 n 9", "XADD removes 4 entries of a and adds 1. Go on? [y/N]", 2),
        ("DEL a", "DEL deletes a (5 entries, 1 group). Go on? [y/N]", 0),
        ("FLUSHDB", "FLUSHDB deletes the only key of database 0 (5 entries). Go on? [y/N]", 0),
        ("FLUSHALL", "FLUSHALL deletes the only key (5 entries). Go on? [y/N]", 0),
    ],
)
def test_what_cannot_be_undone_is_asked_about_first(
    terminal: Terminal, filled: Program, line: str, question: str, length: int
) -> None:
    terminal.enter(line)
    terminal.shows(question)
    terminal.type("\r")
    terminal.shows("not done")
    assert filled.on("XLEN", "a").out == b"5\n"
    terminal.enter(line)
    terminal.until(lambda: terminal.text.count(question) == 2, "the question again")
    terminal.type("y\r")
    terminal.prompts(PROMPT)
    assert filled.on("XLEN", "a").out == b"%d\n" % length


def test_a_group_with_pending_entries_is_asked_about(terminal: Terminal) -> None:
    terminal.enter("XGROUP DESTROY a g")
    terminal.shows("XGROUP DESTROY deletes the group g of a: 1 consumer, 2 pending entries. Go on? [")
    terminal.type("\x03")
    terminal.shows("not done")


def test_nothing_is_asked_when_nothing_is_at_stake_nor_with_yes(terminal: Terminal, filled: Program) -> None:
    terminal.enter("DEL nosuch")
    terminal.shows("\n0\n")
    with Terminal(filled, "--yes") as other:
        other.prompts(PROMPT)
        other.enter("DEL a")
        other.shows("\n1\n")


def test_a_read_only_prompt_says_so_and_refuses_to_write(filled: Program) -> None:
    with Terminal(filled, "--read-only") as terminal:
        terminal.prompts("streams.db(read-only)> ")
        terminal.enter("XADD a * f v")
        terminal.shows("XADD writes, and this session is read-only")
        terminal.enter("XLEN a")
        terminal.shows("\n5\n")


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ("XGROUP CREATE a g $", "XGROUP SETID"),
        ("XREADGROUP GROUP nosuch ann STREAMS a >", "XGROUP CREATE a nosuch"),
        ("XADD a 1-1 n 1", "the last ID of a is 5-1"),
        ("XREED STREAMS a 0", "XREAD"),
    ],
)
def test_an_error_is_followed_by_one_line_of_advice(filled: Program, line: str, advice: str) -> None:
    with Terminal(filled, columns=160) as terminal:
        terminal.prompts(PROMPT)
        terminal.type(f"{line}\r")
        terminal.shows(advice)
        terminal.prompts(PROMPT)
        shown = [one for one in terminal.lines if one]
        after = shown[shown.index(f"{PROMPT}{line}") + 1 :]
        assert len(after[: after.index(PROMPT.rstrip())]) == 2


def test_the_words_of_an_unbalanced_read_are_marked(terminal: Terminal) -> None:
    terminal.enter("XREAD STREAMS a b 0")
    terminal.shows("                          ^ ^ ^  3 words after STREAMS")


def test_hints_and_advice_can_be_turned_off(terminal: Terminal) -> None:
    terminal.enter(".hints off")
    terminal.shows("hints off")
    terminal.type("XADD a 1-1 n 1\r")
    terminal.shows("equal or smaller")
    terminal.prompts(PROMPT)
    assert "the last ID" not in terminal.text
    terminal.type("XADD ")
    terminal.until(lambda: terminal.cursor_line.startswith("streams.db> XADD a 1-1"), "the suggestion")
    assert "XADD key" not in terminal.text


def test_the_shells_own_commands(terminal: Terminal, filled: Program) -> None:
    terminal.enter(".format json")
    terminal.shows("format json")
    terminal.enter("XRANGE a 1 1")
    terminal.shows('["n", "1"]')
    terminal.enter(".timing on")
    terminal.shows("timing on")
    terminal.enter("XLEN a")
    terminal.shows(" ms\n")
    terminal.enter(".formt")
    terminal.shows("no such command of the shell: .formt (did you mean .format?)")
    terminal.enter(".format jsn")
    terminal.shows(".format takes tree, classic, json, jsonl, csv, table, raw, not jsn")
    terminal.enter(".history 2")
    terminal.shows("  .history 2\n")
    terminal.enter("help xlen errors")
    terminal.shows("WRONGTYPE: the key holds something that is no stream.")
    terminal.enter(".help .timing")
    terminal.shows("Show how long a command took.")


def test_a_file_is_run_and_its_faults_are_named_by_line(terminal: Terminal, filled: Program) -> None:
    (filled.home / "more").write_text("# two\nXADD a 8-1 n 8\nXADD a \\\n  9-1 n 9\nXADD a 1-1 n 1\nXADD a 10-1 n 10\n")
    terminal.enter(".source more")
    terminal.shows("more:5: ERR The ID specified in XADD is equal or smaller")
    assert filled.on("XLEN", "a").out == b"7\n"
    terminal.enter(".source nosuch")
    terminal.shows("cannot read nosuch: no such file or directory")


def test_other_streams_can_be_gone_to(terminal: Terminal, filled: Program) -> None:
    terminal.enter(".connect other.db")
    terminal.prompts("other.db> ")
    terminal.enter("XLEN a")
    terminal.shows("\n0\n")
    terminal.enter(".connect :memory:")
    terminal.prompts("memory> ")
    terminal.enter(".connect @nosuch")
    terminal.shows("there is no profile nosuch")
    terminal.prompts("memory> ")


def test_hostile_data_does_not_reach_the_terminal(terminal: Terminal, filled: Program) -> None:
    assert filled.on("XADD", b"x\x1b]0;evil\x07y", "1-1", b"f\x1b[31m", b"v\x1b[2J").code == 0
    terminal.enter("KEYS *")
    terminal.shows("x1b]0;evil")
    terminal.type("XLEN x")
    terminal.until(lambda: terminal.text.count("]0;evil") == 2, "the name in the menu")
    terminal.type("\t\r")
    terminal.shows('> XLEN "x')
    terminal.shows("\n1\n")
    assert b"\x1b]0;evil" not in terminal.raw


def test_a_file_that_is_run_may_send_all_its_replies_elsewhere(terminal: Terminal, filled: Program) -> None:
    (filled.home / "more").write_text("XLEN a\nXRANGE a 1 1\n")
    terminal.enter(".source more > all.txt")
    terminal.shows("written to all.txt as raw")
    assert (filled.home / "all.txt").read_text() == "5\n1-1\nn\n1\n"


@pytest.mark.parametrize(
    ("target", "reason"), [("nosuch/x", "no such file or directory"), (".", "is a directory"), ("more/x", "not a dir")]
)
def test_a_command_is_not_run_when_its_reply_has_nowhere_to_go(
    terminal: Terminal, filled: Program, target: str, reason: str
) -> None:
    (filled.home / "more").write_text("here\n")
    terminal.enter(f"XADD a 99-1 f v > {target}")
    terminal.shows(f"cannot write {target}: {reason}")
    terminal.prompts(PROMPT)
    assert filled.on("XRANGE", "a", "99-1", "99-1").out == b"\n"
    assert (filled.home / "more").read_text() == "here\n"


def test_the_next_page_goes_behind_the_last_one_in_a_file(terminal: Terminal, filled: Program) -> None:
    terminal.enter("XRANGE a - + COUNT 2 > page.txt")
    terminal.shows("XRANGE a (2-1 + COUNT 2 >> page.txt")
    terminal.type("\x1b[C\r")
    terminal.shows("(4-1 + COUNT 2 >> page.txt")
    assert (filled.home / "page.txt").read_text().count("-1\n") == 4


def test_a_transaction_that_was_left_does_not_name_the_replies_of_the_next(terminal: Terminal) -> None:
    for line in ("MULTI", "XADD a 8-1 n 8", "XLEN a"):
        terminal.enter(line)
    terminal.enter(".connect :memory:")
    terminal.prompts("memory> ")
    for line in ("MULTI", "XADD b 1-1 f v", "XRANGE b - +", "EXEC"):
        terminal.enter(line)
    terminal.shows("└─ 1-1")
