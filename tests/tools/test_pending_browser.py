"""The browser of pending entries: what its keys do, what it draws, and the whole of it on a terminal."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from streamcli.text import columns
from streamcli.tools.pending.browsing import FIRST_LIMIT, HELP, INPUT, LIST, PAYLOAD, QUESTION, Browsing, Wish
from streamcli.tools.pending.drawing import Look, draw
from streamcli.tools.pending.held import Held, Wanted
from tests.e2e.program import Program
from tests.e2e.screen import Terminal
from tests.tools.desk import There

ROWS = [
    Held(b"1-1", b"alice", 5_000, 1),
    Held(b"1-2", b"bob", 90_000, 7),
    Held(b"1-3", b"alice", 60_000, 2),
    Held(b"1-4", b"", -1, 3),
]


@pytest.fixture
def state() -> Browsing:
    made = Browsing(b"a", b"g", Wanted())
    made.resized(10)
    made.take(4, ROWS)
    return made


def keys(state: Browsing, *names: str) -> None:
    for name in names:
        state.key(name)


def order(state: Browsing) -> list[str]:
    return [held.id.decode() for held in state.rows]


def drawn(state: Browsing, width: int = 80, height: int = 24, payload: list[bytes] | bool | None = False) -> list[str]:
    lines = draw(state, Look(width, height, unicode=True, payload=payload))
    return ["".join(text for _, text in line).rstrip() for line in lines]


# -- keys ----------------------------------------------------------------------------------------


def test_the_cursor_moves_and_stays_inside(state: Browsing) -> None:
    keys(state, "down", "down")
    assert state.current == ROWS[2]
    keys(state, "pagedown", "down", "j")
    assert state.current == ROWS[3]
    keys(state, "home", "up", "k")
    assert state.current == ROWS[0]
    keys(state, "end")
    assert state.current == ROWS[3]


def test_space_marks_and_goes_on_and_unmarks(state: Browsing) -> None:
    keys(state, "space", "space", "up", "space")
    assert list(state.marked) == [b"1-1"]
    keys(state, "*")
    assert len(state.marked) == 4
    keys(state, "u")
    assert state.marked == {}


def test_sorting_puts_what_needs_a_look_first(state: Browsing) -> None:
    keys(state, "s")
    assert (state.sort, order(state)) == ("idle", ["1-2", "1-3", "1-1", "1-4"])
    keys(state, "s")
    assert (state.sort, order(state)) == ("deliveries", ["1-2", "1-4", "1-3", "1-1"])
    keys(state, "I")
    assert order(state) == ["1-1", "1-3", "1-4", "1-2"]
    keys(state, "S", "S")
    assert (state.sort, order(state)) == ("id", ["1-1", "1-2", "1-3", "1-4"])


def test_the_cursor_stays_at_its_entry_when_others_come_and_go(state: Browsing) -> None:
    keys(state, "down", "down")
    state.take(3, [ROWS[2], ROWS[3], Held(b"1-5", b"bob", 1, 1)])
    assert state.current == ROWS[2]
    state.take(1, [ROWS[3]])
    assert state.current == ROWS[3]
    state.take(0, [])
    assert state.current is None
    keys(state, "down", "space", "enter", "a", "d", "end")
    assert (state.mode, state.wish) == (LIST, None)


def test_marks_go_with_their_entries(state: Browsing) -> None:
    keys(state, "*")
    state.take(1, [ROWS[1]._replace(deliveries=8)])
    assert state.marked == {b"1-2": ROWS[1]._replace(deliveries=8)}


def test_words_filter_what_is_listed_and_the_rest_is_asked_of_the_server(state: Browsing) -> None:
    keys(state, "/", *"ALI", "enter")
    assert order(state) == ["1-1", "1-3"]
    assert not state.changed
    keys(state, "/", "c-u", *"consumer:bob", "space", *"idle:1m", "space", *"deliveries:3", "enter")
    assert state.wanted == Wanted(consumer=b"bob", idle_ms=60_000, deliveries=3)
    assert state.changed
    assert state.words == ""
    keys(state, "escape")
    assert (state.wanted, state.filter) == (Wanted(), "")


def test_a_filter_that_cannot_be_read_is_said_and_changes_nothing(state: Browsing) -> None:
    keys(state, "/", *"idle:soon", "enter")
    assert (state.message, state.alarm) == ("idle:soon? It is idle:5m, deliveries:3", True)
    assert state.wanted == Wanted()


@pytest.mark.parametrize(("key", "name"), [("a", "ack"), ("n", "nack"), ("r", "requeue")])
def test_a_deed_is_asked_about_with_its_number(state: Browsing, key: str, name: str) -> None:
    keys(state, key)
    assert state.mode == QUESTION
    assert state.question.endswith(" 1 entry?")
    keys(state, "n")
    assert (state.mode, state.wish, state.message) == (LIST, None, "nothing was changed")
    keys(state, "space", "space", key)
    assert state.question.endswith(" 2 entries?")
    keys(state, "y")
    assert state.wish == Wish(name, ROWS[:2])


def test_a_claim_is_for_a_consumer_who_is_typed(state: Browsing) -> None:
    keys(state, "down", "c", *"caroll", "backspace", "enter")
    assert state.wish == Wish("claim", [ROWS[1]], "carol")


def test_a_dead_letter_has_a_stream_proposed(state: Browsing) -> None:
    keys(state, "d")
    assert (state.mode, state.typed) == (INPUT, "a:dead")
    keys(state, "enter")
    assert state.wish == Wish("dead-letter", [ROWS[0]], "a:dead")


def test_nothing_typed_is_nothing_done(state: Browsing) -> None:
    keys(state, "d", "c-u", "enter")
    assert (state.wish, state.message) == (None, "nothing was changed")
    keys(state, "c", "x", "escape")
    assert (state.wish, state.mode) == (None, LIST)


def test_a_read_only_session_changes_nothing() -> None:
    state = Browsing(b"a", b"g", Wanted(), read_only=True)
    state.take(4, ROWS)
    keys(state, "a")
    assert (state.mode, state.message) == (LIST, "this session is read-only")


def test_while_something_is_under_way_escape_stops_it_and_nothing_else_begins(state: Browsing) -> None:
    state.busy = True
    keys(state, "r")
    assert (state.mode, state.alarm) == (LIST, True)
    keys(state, "escape")
    assert (state.stop, state.leaving) == (True, False)


def test_escape_takes_one_step_back_before_it_leaves(state: Browsing) -> None:
    keys(state, "enter", "enter")
    assert state.mode == PAYLOAD
    keys(state, "escape", "?")
    assert state.mode == HELP
    keys(state, "x", "enter")
    assert state.pane
    keys(state, "escape")
    assert (state.pane, state.leaving) == (False, False)
    keys(state, "escape")
    assert state.leaving


def test_going_down_behind_the_last_row_asks_for_more() -> None:
    state = Browsing(b"a", b"g", Wanted())
    state.take(5000, [Held(b"1-%d" % number, b"x", 1, 1) for number in range(FIRST_LIMIT)])
    keys(state, "end")
    assert not state.changed
    keys(state, "down")
    assert (state.changed, state.limit) == (True, 2 * FIRST_LIMIT)


# -- the drawing ---------------------------------------------------------------------------------


def test_the_screen_has_its_size_whatever_there_is(state: Browsing) -> None:
    state.take(
        4, [*ROWS, Held(b"18446744073709551615-18446744073709551615", "漢字\x1b[31m".encode() * 50, 10**15, 2**63)]
    )
    fields = [b"n" * 300, b"v" * 3000, "名".encode(), "値".encode() * 500, b"", b""]
    for setting in ((), ("enter",), ("enter",), ("escape", "?"), ("x", "/"), ("escape", "d"), ("escape", "a")):
        keys(state, *setting)
        for width, height in ((80, 24), (40, 12), (20, 5), (8, 3), (1, 1), (200, 60)):
            for payload in (fields, None, False):
                lines = drawn(state, width, height, payload)
                assert len(lines) == height
                assert all(columns(line) <= width for line in lines)
                assert not any("\x1b" in line for line in lines)


def test_the_title_says_what_is_not_listed(state: Browsing) -> None:
    assert drawn(state)[0] == " a  g  4 pending"
    keys(state, "space", "/", *"bob", "enter")
    assert drawn(state)[0] == " a  g  4 pending  1 marked  1 listed  only bob"
    keys(state, "escape", "u")
    state.limit = 4
    state.take(5000, ROWS)
    assert drawn(state)[0] == " a  g  5,000 pending  the first 4"
    keys(state, "/", *"bob", "enter")
    assert drawn(state)[0] == " a  g  5,000 pending  1 of the first 4 listed  only bob"


def test_a_row_says_who_how_long_and_how_often(state: Browsing) -> None:
    lines = drawn(state)
    assert lines[0] == " a  g  4 pending"
    assert lines[1].split() == ["id▲", "consumer", "idle", "deliveries"]
    assert [line.split() for line in lines[2:6]] == [
        ["1-1", "alice", "5.0s", "1"],
        ["1-2", "bob", "1m", "30s", "7"],
        ["1-3", "alice", "1m", "2"],
        ["1-4", "(released)", "3"],
    ]


def test_the_pane_shows_the_fields_of_the_entry_at_the_cursor(state: Browsing) -> None:
    keys(state, "down", "enter")
    lines = drawn(state, payload=[b"temp", b"21", b"city", b"New\nYork"])
    assert "held by bob for 1m 30s, delivered 7 times" in lines
    assert "temp  21" in lines
    assert "city  New\\nYork" in lines


def test_nothing_of_a_long_value_is_lost_where_it_goes_on_in_the_next_line(state: Browsing) -> None:
    keys(state, "enter", "enter")
    value = "値段xé" * 40
    lines = drawn(state, 30, 60, [b"n", value.encode()])
    assert "".join(line.removeprefix("n").strip() for line in lines[3:]).startswith(value)


def test_what_was_deleted_is_said(state: Browsing) -> None:
    keys(state, "enter")
    assert "(deleted) from the stream: it can be acknowledged, and no more" in drawn(state, payload=None)


def test_a_long_payload_scrolls_on_the_whole_screen(state: Browsing) -> None:
    keys(state, "enter")
    fields = [word for number in range(50) for word in (b"n%d" % number, b"v")]
    assert any("more lines: Enter shows all" in line for line in drawn(state, payload=fields))
    keys(state, "enter", "end")
    assert drawn(state, payload=fields)[-4:-2] == ["n48  v", "n49  v"]


# -- on a terminal ---------------------------------------------------------------------------------


@pytest.fixture
def filled(there: There) -> There:
    there.call("XGROUP", "CREATE", "a", "g", 0, "MKSTREAM")
    for number in range(1, 31):
        there.call("XADD", "a", f"1-{number}", "n", number, "what", b"a \x1b[31mline")
    there.call("XREADGROUP", "GROUP", "g", "alice", "COUNT", 20, "STREAMS", "a", ">")
    there.call("XREADGROUP", "GROUP", "g", "bob", "STREAMS", "a", ">")
    there.call("XCLAIM", "a", "g", "bob", 0, "1-25", "RETRYCOUNT", 9)
    return there


@pytest.fixture
def browser(filled: There, program: Program) -> Iterator[Terminal]:
    with Terminal(program, *filled.args, "pending", "a", "g", "--browse", db=False) as terminal:
        terminal.shows("30 pending")
        yield terminal


def test_marked_entries_are_acknowledged_after_a_question(browser: Terminal, filled: There) -> None:
    browser.type("  a")
    browser.shows("Acknowledge 2 entries?")
    browser.type("y")
    browser.shows("acknowledged 2 entries")
    browser.shows("28 pending")
    assert filled.call("XPENDING", "a", "g")[0] == 28
    browser.type("q")
    assert browser.leave() == 0


def test_sorted_by_deliveries_the_worst_is_first_and_becomes_a_dead_letter(browser: Terminal, filled: There) -> None:
    browser.type("ss")
    browser.until(lambda: browser.lines[2].split()[:2] == ["1-25", "bob"], "1-25 first")
    browser.type("d")
    browser.shows("dead-letter 1 entry to stream: a:dead")
    browser.type("\r")
    browser.shows("dead-lettered 1 entry")
    ((_, fields),) = filled.call("XRANGE", "a:dead", "-", "+")
    assert fields[fields.index(b"dead-letter:deliveries") + 1] == b"9"
    assert fields[-1] == b"chosen by hand"


def test_claim_and_requeue_by_key(browser: Terminal, filled: There) -> None:
    browser.type("c")
    browser.shows("for consumer:")
    browser.type("carol\r")
    browser.shows("claimed 1 entry")
    browser.shows("carol")
    browser.type("jry")
    browser.shows("requeued 1 entry")
    assert filled.call("XPENDING", "a", "g", "1-1", "1-1", 1)[0][1] == b"carol"
    assert filled.call("XLEN", "a") == 31


def test_the_payload_is_shown_and_cannot_steer_the_terminal(browser: Terminal) -> None:
    browser.type("\x1b[B\r")
    browser.shows("what  a \\x1b[31mline")
    browser.shows("n     2")
    browser.type("\x1b[F")
    browser.shows("n     30")
    browser.type("\r")
    browser.hides("1-29")
    browser.type("\x1b")
    browser.shows("1-29")


def test_a_filter_by_consumer(browser: Terminal) -> None:
    browser.type("/consumer:bob\r")
    browser.shows("10 listed")
    browser.hides("alice")
    browser.type("\x1b")
    browser.shows("alice")


def test_what_changes_elsewhere_is_seen_without_a_key(browser: Terminal, filled: There) -> None:
    filled.call("XACK", "a", "g", "1-1")
    browser.shows("29 pending")
    browser.hides("1-1 ")


def test_help_and_a_smaller_terminal(browser: Terminal) -> None:
    browser.type("?")
    browser.shows("a copy in another stream, then ack")
    browser.type("x")
    browser.hides("a copy in another stream, then ack")
    browser.resize(40, 10)
    browser.until(lambda: browser.lines[-1].startswith(" ? help") and "1-6" in browser.text, "the list in 40 columns")
    browser.type("\x03")
    assert browser.leave() == 0


def test_a_group_that_is_not_there_is_one_line(filled: There, program: Program) -> None:
    with Terminal(program, *filled.args, "pending", "a", "none", "--browse", db=False) as terminal:
        terminal.shows("streamcli pending: XPENDING: NOGROUP No such key 'a' or consumer group 'none'")
        assert terminal.leave() == 1


def test_at_the_prompt_it_is_the_browser_and_the_prompt_comes_back(filled: There, program: Program) -> None:
    with Terminal(program, *filled.args, db=False) as terminal:
        terminal.until(lambda: "> " in terminal.cursor_line, "a prompt")
        terminal.enter(".pending a g")
        terminal.shows("30 pending")
        terminal.type(" ")
        terminal.shows("1 marked")
        terminal.type("q")
        terminal.hides("30 pending")
        terminal.enter(".pending a g -n 1")
        terminal.shows("deliveries")
        terminal.enter(".pending a g ack --consumer bob")
        terminal.shows("10 entries of group g in a will be acknowledged. Go on?")
        terminal.type("y\r")
        terminal.shows("acknowledged 10 entries of group g in a")
