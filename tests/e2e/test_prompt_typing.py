"""At the prompt, while a line is typed: colours, problems, hints, completions, what comes next. Seen on a screen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.program import Program
from tests.e2e.screen import Terminal

PROMPT = "streams.db> "


@pytest.fixture
def filled(program: Program) -> Program:
    lines = (
        "XADD cities 1526984818136-0 city Oslo temp 12",
        "XADD cities 1526999352406-0 city Bergen temp 11",
        "XADD cities 1526999626221-0 city Lima temp 25",
        "XADD zoo 1-1 name Lea",
        "SET greeting hello",
        "XGROUP CREATE cities readers 0",
        "XGROUP CREATECONSUMER cities readers ann",
    )
    assert program.lines(*lines).code == 0
    return program


@pytest.fixture
def terminal(filled: Program) -> Iterator[Terminal]:
    with Terminal(filled) as terminal:
        terminal.prompts(PROMPT)
        yield terminal


def test_each_word_has_the_colour_of_what_it_is(terminal: Terminal) -> None:
    terminal.type("XREADGROUP GROUP readers ann COUNT 2 STREAMS cities >")
    terminal.shows("COUNT 2 STREAMS cities >")
    terminal.shows("never delivered")  # the hint: all of it is drawn
    words = ("XREADGROUP", "GROUP readers", "readers ann", "ann COUNT", "COUNT 2", "2 STREAMS", "cities >")
    colors = [terminal.cell(f"{word}").color for word in words]
    assert colors == ["blue", "magenta", "green", "green", "magenta", "brown", "cyan"]
    assert terminal.cell("XREADGROUP").bold


def test_a_problem_is_underlined_once_it_is_certain_and_a_draft_is_not(terminal: Terminal) -> None:
    terminal.type("XRANGE cities 15269")
    terminal.shows("XRANGE cities 15269")
    assert not terminal.cell("15269").underlined
    terminal.type("x")
    terminal.shows("Invalid stream ID")
    assert terminal.cell("15269x").underlined
    assert not terminal.cell("cities 15269x").underlined


def test_the_hint_marks_the_part_under_the_cursor_and_says_what_a_value_means(terminal: Terminal) -> None:
    terminal.type("XREAD BLOCK 0")
    terminal.shows("wait for ever")
    assert terminal.cell("milliseconds").underlined
    assert not terminal.cell("COUNT count").underlined
    terminal.type(" STREAMS cities $")
    terminal.shows("only what is added after this call")
    terminal.type("\x7f1526984818136-0")
    terminal.shows("2018-05-22 10:26:58.136 UTC, ")
    terminal.type("\x1b[H")  # Home: the command's own word
    terminal.hides("2018-05-22")


def test_commands_and_subcommands_are_completed(terminal: Terminal) -> None:
    terminal.type("xgr")
    terminal.shows("xgroup")
    terminal.type("\t ")
    terminal.shows("destroy")
    terminal.shows("Add a consumer to a group")


def test_only_options_that_are_still_possible_are_offered(terminal: Terminal) -> None:
    terminal.type("XADD cities ")
    for option in ("NOMKSTREAM", "IDMPAUTO ", "IDMP ", "MAXLEN ", "MINID "):
        terminal.shows(f" {option}")
    terminal.type("MAXLEN ~ 3 DELREF ")
    terminal.shows("remove at most so many entries")
    menu = [line.split()[0] for line in terminal.lines[1:9] if line]
    assert menu == ["*", "NOMKSTREAM", "IDMPAUTO", "IDMP", "LIMIT"]


def test_streams_are_offered_by_name_and_other_keys_are_not(terminal: Terminal) -> None:
    terminal.type("XLEN ")
    terminal.shows("cities")
    terminal.shows("zoo")
    assert "greeting" not in terminal.text
    terminal.type("it")  # in the middle of a name, too
    terminal.hides("zoo")
    terminal.type("\t")
    terminal.shows("XLEN cities")


def test_groups_and_consumers_are_offered(terminal: Terminal) -> None:
    terminal.type("XPENDING cities ")
    terminal.shows("readers")
    terminal.type("readers - + 10 ")
    terminal.shows("ann")


def test_pending_entries_are_offered_where_they_can_be_acknowledged(terminal: Terminal, filled: Program) -> None:
    assert filled.on("XREADGROUP", "GROUP", "readers", "ann", "COUNT", "1", "STREAMS", "cities", ">").code == 0
    terminal.type("XACK cities readers ")
    terminal.shows("1526984818136-0  ann, idle ")
    assert "1526999626221-0" not in terminal.text


def test_entry_ids_are_offered_each_with_what_it_means(terminal: Terminal) -> None:
    terminal.type("XREAD STREAMS cities ")
    terminal.shows("1526984818136-0  first entry, 2018-05-22 10:26:58.136 UTC")
    terminal.shows("1526999626221-0  last entry, 2018-05-22 14:33:46.221 UTC")
    terminal.shows("$                only what is added after this call")
    terminal.shows("10 minutes ago")


def test_a_time_becomes_an_id(terminal: Terminal) -> None:
    terminal.type("XRANGE cities 2018-05-22 10:30")
    terminal.shows("2018-05-22 10:30:00.000 UTC")
    terminal.type("\t")
    terminal.shows("XRANGE cities 1526985000000")


def test_fields_of_the_stream_are_offered(terminal: Terminal) -> None:
    terminal.type("XADD cities * ")
    terminal.shows("temp")
    terminal.type("ci\t Rome t\t 30\r")
    terminal.shows("> XADD cities * city Rome temp 30")


def test_streams_knows_when_it_wants_a_key_and_when_an_id(terminal: Terminal) -> None:
    terminal.type("XREAD STREAMS cities zoo 0 ")
    terminal.shows("1-1")
    terminal.hides("1526984818136-0")


def test_the_next_line_goes_on_where_the_reply_ended(terminal: Terminal) -> None:
    terminal.enter("XREAD COUNT 2 STREAMS cities 0")
    terminal.shows("> XREAD COUNT 2 STREAMS cities 1526999352406-0")
    terminal.type("\x1b[C\r")  # Right takes it
    terminal.shows("Lima")
    terminal.shows("> XREAD COUNT 2 STREAMS cities 1526999626221-0")


def test_a_dollar_becomes_the_real_id_in_what_comes_next(terminal: Terminal) -> None:
    terminal.enter("XREAD BLOCK 1 STREAMS cities zoo $ $")
    terminal.shows("> XREAD BLOCK 1 STREAMS cities zoo 1526999626221-0 1-1")


def test_a_range_with_a_count_goes_on_behind_its_last_entry(terminal: Terminal) -> None:
    terminal.enter("XRANGE cities - + COUNT 2")
    terminal.shows("> XRANGE cities (1526999352406-0 + COUNT 2")


def test_otherwise_the_history_makes_suggestions(terminal: Terminal) -> None:
    terminal.enter("XLEN cities")
    terminal.shows("\n3\n")
    terminal.type("XL")
    terminal.until(lambda: terminal.cursor_line.rstrip() == f"{PROMPT}XLEN cities", "the suggestion")
    terminal.type("\x1b[C\r")
    terminal.until(lambda: terminal.text.count("\n3") == 2, "the same reply again")
