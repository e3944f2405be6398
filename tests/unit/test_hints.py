"""The hint lines: the syntax with the part under the cursor marked, and what stands there."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli.grammar.commands import COMMANDS
from streamcli.shell.hints import Hint, fit, hint
from streamcli.shell.line import ANALYSED_MAX, Line, read
from tests.unit.test_lexer import TEXTS, marked

PROFILE = settings(derandomize=True, deadline=None, max_examples=400)
NOW_MS: Final = 1_800_000_000_000
XADD = (
    "XADD key [NOMKSTREAM] [KEEPREF | DELREF | ACKED] [IDMPAUTO pid | IDMP pid iid] "
    "[<MAXLEN | MINID> [= | ~] threshold [LIMIT count]] <* | id> field value [field value ...]"
)
XREAD = (
    "XREAD [COUNT count] [MAXCOUNT maxcount] [MAXSIZE maxsize] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]"
)
XGROUP = "XGROUP <CREATE | SETID | DESTROY | CREATECONSUMER | DELCONSUMER | HELP>"
INVALID = "Invalid stream ID specified as stream command argument"


def hinted(text: str) -> Hint:
    line, cursor = marked(text)
    found = hint(line, cursor, NOW_MS)
    assert found is not None
    return found


def usage(found: Hint) -> str:
    return "".join(text for _, text in found.usage)


def marks(text: str) -> list[str]:
    """The marked pieces of the syntax line."""
    return [part for style, part in hinted(text).usage if style == "class:hint.mark"]


# -- the syntax line --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("XADD‸ s * f v", ["XADD"]),
        ("XADD s‸ * f v", ["key"]),
        ("XADD s *‸ f v", ["<* | id>"]),
        ("XADD s ‸* f v", ["<* | id>"]),
        ("XADD s MAXLEN‸ ~ 5 * f v", ["MAXLEN"]),
        ("XADD s MAXLEN ~‸ 5 * f v", ["[= | ~]"]),
        ("XADD s MAXLEN ~ 5‸ * f v", ["threshold"]),
        ("XADD s MAXLEN ~ 5 LIMIT 7‸ * f v", ["count"]),
        ("XREAD COUNT 5‸ STREAMS s 0", ["count"]),
        ("XREAD STREAMS‸ s 0", ["STREAMS"]),
        ("XREAD STREAMS a b‸ 0 0", ["key [key ...]"]),
        ("XREAD STREAMS a b 0 0‸", ["id [id ...]"]),
        ("XGROUP‸ CREATE s g $", ["XGROUP CREATE"]),
        ("XGROUP CREATE‸ s g $", ["XGROUP CREATE"]),
        ("XGROUP‸", ["XGROUP"]),
        ("PING a b‸", []),
    ],
)
def test_the_piece_of_the_word_under_the_cursor_is_marked(text: str, pieces: list[str]) -> None:
    assert marks(text) == pieces


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("XADD ‸", ["key"]),
        ("XTRIM s ‸", ["MAXLEN", "MINID", "LIMIT", "KEEPREF", "DELREF", "ACKED"]),
        ("XDELEX s IDS ‸", ["numids"]),
        ("XDELEX s IDS 2 1-1‸", ["id [id ...]"]),
        ("XNACK s g ‸", ["SILENT", "FAIL", "FATAL"]),
        ("XADD s M‸", ["MAXLEN", "MINID"]),
        ("XADD s MAXLEN ‸", ["[= | ~]", "threshold"]),
        ("XADD s MAXLEN ~ ‸", ["threshold"]),
        ("XREAD COUNT 5 ‸", ["MAXCOUNT", "MAXSIZE", "BLOCK", "STREAMS"]),
        ("XREAD STREAMS a ‸", ["key [key ...]", "id [id ...]"]),
        ("XREAD STREAMS a b 0 ‸", ["id [id ...]"]),
        ("XREAD STREAMS a b 0 x‸", ["key [key ...]"]),
        ("XGROUP ‸", ["CREATE", "SETID", "DESTROY", "CREATECONSUMER", "DELCONSUMER", "HELP"]),
        ("XGROUP D‸", ["DESTROY", "DELCONSUMER"]),
        ("XPENDING s g I‸", ["IDLE"]),
        ("XADD ‸ s * f v", ["key"]),
        ("XLEN s ‸", []),
    ],
)
def test_the_pieces_of_what_may_come_are_marked(text: str, pieces: list[str]) -> None:
    assert marks(text) == pieces


def test_of_a_word_that_the_syntax_line_shows_twice_it_is_the_one_whose_turn_it_is() -> None:
    def around(text: str) -> str:
        """The last marked piece, in braces, and what follows it."""
        (_, piece), (_, rest) = hinted(text).usage[-2:]
        return f"{{{piece}}}{rest}"

    assert around("XADD s * f‸") == "{field} value [field value ...]"
    assert around("XADD s * f v‸") == "{value} [field value ...]"
    assert around("XADD s * f v ‸") == "{field} value ...]"
    assert around("XADD s * f v g‸") == "{field} value ...]"
    assert around("XADD s * f v g w h x‸") == "{value} ...]"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("XADD s‸", XADD),
        ("xadd s * f v‸", XADD),
        ("XREAD ‸", XREAD),
        ("XREA‸", ""),
        ("XREADG‸", COMMANDS["XREADGROUP"].usage()),
        ("XGROUP‸", XGROUP),
        ("XGROUP CX‸", XGROUP),
        ("XGROUP CR‸", XGROUP),
        ("XGROUP SE‸", COMMANDS["XGROUP SETID"].usage()),
        ("XLEN s | wc‸", "XLEN key"),
        ("ZADD k‸", ""),
    ],
)
def test_the_syntax_line_is_the_tables(text: str, line: str) -> None:
    assert usage(hinted(text)) == line


# -- what it means --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("XDE‸", "a command: XDEL, XDELEX"),
        ("XA‸", "a command: XADD, XACK, XACKDEL, XAUTOCLAIM"),
        ("XADD‸", "append an entry to a stream, and trim the stream if asked"),
        ("XADD ‸", "a stream's key"),
        (
            "XADD s ‸",
            "NOMKSTREAM, KEEPREF, DELREF, ACKED, IDMPAUTO, IDMP, MAXLEN, MINID, LIMIT or "
            "the new entry's ID; * makes one",
        ),
        ("XADD s MAX‸", "MAXLEN: keep at most so many entries"),
        ("XADD s 1526-‸", "the new entry's ID; * makes one"),
        ("XADD s * city ‸", "the value of city"),
        ("XADD s * city Rome‸", "the value of city"),
        ("XREAD BLOCK 0‸", "wait for ever"),
        ("XREAD STREAMS a $‸", "only what is added after this call"),
        ("XREAD STREAMS a b 0‸ $", "a: the whole stream from its first entry"),
        ("XREAD STREAMS a 1526984818136-0‸", "entries after this ID: 2018-05-22 10:26:58.136 UTC, 8 years ago"),
        ("XREAD MAXSIZE 9 MAXCOUNT 2 COUNT 1 BLOCK 0 ‸", "STREAMS: the streams' keys, then one ID for each of them"),
        ("XREAD STREAMS a ‸", "a stream's key or entries after this ID; $ only new ones, + the last one"),
        ("XGROUP D‸", "a subcommand: DESTROY, DELCONSUMER"),
        ("XLEN s ‸", "nothing more is needed: Enter sends it"),
        ("XREAD STREAMS a b 0 $ ‸", "nothing more is needed: Enter sends it"),
        ("PING a b‸", "Redis does not look at this word"),
        ("ZADD k 1‸", "a command of Redis whose words are not known here"),
        ("XLEN s | ‸", "the reply goes to the shell command that comes next"),
        ("XLEN s | wc -l‸", "the reply goes to the shell command wc -l"),
        ("XLEN s > ‸", "the reply is written to the file that is named next"),
        ("XLEN s > out.txt‸", "the reply is written to the file out.txt"),
        ("XLEN s >> out.txt‸", "the reply is appended to the file out.txt"),
        ("XLEN s‸ > out.txt", "a stream's key"),
        ('XADD s * city "New Yo‸', "the quote is open: Enter goes on in the next line"),
        ('XADD s‸ * city "New Yo', "a stream's key"),
        ("XADD s * f \\‸", "the line goes on: Enter begins the next one"),
    ],
)
def test_what_stands_under_the_cursor(text: str, meaning: str) -> None:
    found = hinted(text)
    assert (found.meaning, found.problem) == (meaning, False)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("XADD s abc‸", INVALID),
        ("XADD s ab‸c f v", INVALID),
        ("XLEN a b‸", "syntax error"),
        ("XLEN a b ‸", "syntax error"),
        ("FOO‸", "unknown command 'FOO'"),
        ("FOO x‸", "unknown command 'FOO'"),
        ("XGROUP CX‸", "unknown subcommand 'CX'. Try XGROUP HELP."),
        ('XADD "a"b‸ *', "a closing quote must be followed by a blank"),
    ],
)
def test_what_is_wrong_is_said_instead(text: str, sentence: str) -> None:
    found = hinted(text)
    assert (found.meaning, found.problem) == (sentence, True)


def test_what_is_wrong_before_the_cursor_is_added_at_the_end_of_the_line() -> None:
    assert hinted("XADD s abc f v‸") == hinted("XADD s * f v‸")._replace(meaning=f"the value of f; abc: {INVALID}")
    assert hinted("XADD s abc f‸ v").meaning == "a field's name"
    assert hinted("XREADGROUP GROUP g c STREAMS a $ ‸").problem  # too long to be added, and there is nothing else


def test_a_line_that_is_no_command_has_no_hint() -> None:
    for text in ("", "   ", "# XADD", ".format json", "help XADD", "f v " * ANALYSED_MAX):
        assert hint(read(text), len(text), NOW_MS) is None


# -- narrow terminals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "width", "cut"),
    [
        ("XLEN ‸", 20, "XLEN key"),
        ("XREAD‸", 40, "XREAD [COUNT count] [MAXCOUNT …"),
        ("XREAD COUNT 5‸", 40, "XREAD [COUNT count] [MAXCOUNT …"),
        ("XREAD STREAMS a 0‸", 40, "… STREAMS key [key ...] id [id ...]"),
        ("XREAD STREAMS a‸", 40, "… STREAMS key [key ...] id [id ...]"),
        ("XREAD STREAMS a‸", 20, "… key [key ...] …"),
        ("XADD s MAXLEN‸", 40, "… pid iid] [<MAXLEN | MINID> [= | …"),
        ("XADD s ACKED‸", 50, "XADD key [NOMKSTREAM] [KEEPREF | DELREF | ACKED] …"),
        ("XADD s MAXLEN ~‸", 40, "… | MINID> [= | ~] threshold …"),
        ("XADD s MAXLEN‸", 10, "…<MAXLEN …"),
    ],
)
def test_a_syntax_line_is_cut_around_its_mark(text: str, width: int, cut: str) -> None:
    assert "".join(part for _, part in fit(hinted(text).usage, width)) == cut


def test_without_unicode_dots_say_that_something_is_left_out() -> None:
    assert (
        "".join(part for _, part in fit(hinted("XREAD‸").usage, 36, ascii=True)) == "XREAD [COUNT count] [MAXCOUNT ..."
    )


@pytest.mark.parametrize("width", [10, 11, 12, 15, 20, 30, 40, 60, 80, 100])
def test_the_mark_is_visible_at_any_width(width: int) -> None:
    for command in COMMANDS.values():
        for _, roles in command.pieces():
            for role in roles:
                pieces = tuple(
                    ("class:hint.mark" if role in of else "class:hint.usage", text) for text, of in command.pieces()
                )
                for ascii in (False, True):
                    shown = fit(pieces, width, ascii)
                    assert len("".join(text for _, text in shown)) <= width
                    assert any(style == "class:hint.mark" for style, _ in shown)


# -- any text --------------------------------------------------------------------------------------------


@PROFILE
@given(TEXTS, st.integers(-2, 60), st.integers(10, 100))
def test_any_text_has_a_hint_or_none(text: str, cursor: int, width: int) -> None:
    found = hint(Line(text), cursor, NOW_MS)
    if found is not None:
        assert found.meaning.isprintable()
        assert len("".join(part for _, part in fit(found.usage, width))) <= width
