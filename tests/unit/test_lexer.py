"""The painter: the style of every word, and what is certainly wrong while a line is typed."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from streamcli import errors
from streamcli.reply import Error
from streamcli.shell.lexer import paint, problems
from streamcli.shell.line import ANALYSED_MAX, Line, read

PROFILE = settings(derandomize=True, deadline=None, max_examples=400)
CURSOR = "‸"


def marked(text: str) -> tuple[Line, int]:
    """A line in which `‸` says where the cursor is; without one it is far away."""
    at = text.find(CURSOR)
    return read(text.replace(CURSOR, "")), at if at >= 0 else len(text) + 1


def painted(text: str) -> str:
    """`style:word` for all but the blanks; `!` behind the style of what is wrong, `-` for no style."""
    line, cursor = marked(text)
    fragments = paint(line, cursor)
    assert "".join(part for _, part in fragments) == line.text
    found = []
    for style, part in fragments:
        if part.strip():
            name = style.replace("class:problem", "!").replace("class:", "").replace(" ", "")
            found.append(f"{name or '-'}:{part}")
    return " ".join(found)


def wrong(text: str) -> list[tuple[str, str]]:
    """The words that are wrong, and what is said of them."""
    line, cursor = marked(text)
    return [(line.text[start:end], sentence) for start, end, sentence in problems(line, cursor)]


def says(error: Error) -> str:
    return error.text.removeprefix("ERR ")


# -- styles ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "styles"),
    [
        ("XADD s * f v", "command:XADD key:s special:* field:f value:v"),
        ("xadd s 1-1 f v", "command:xadd key:s id:1-1 field:f value:v"),
        ("XADD s 5-* f v", "command:XADD key:s special:5-* field:f value:v"),
        (
            "XADD s NOMKSTREAM MAXLEN ~ 10 LIMIT 5 * f v",
            "command:XADD key:s option:NOMKSTREAM option:MAXLEN option:~ number:10 option:LIMIT number:5 special:* "
            "field:f value:v",
        ),
        ("XGROUP CREATE s g $", "command:XGROUP command:CREATE key:s group:g special:$"),
        (
            "XREADGROUP GROUP g ann BLOCK 0 STREAMS a b > 5",
            "command:XREADGROUP option:GROUP group:g consumer:ann option:BLOCK number:0 option:STREAMS key:a key:b "
            "special:> id:5",
        ),
        ("XRANGE s - (5", "command:XRANGE key:s special:- id:(5"),
        ("XREVRANGE s + -", "command:XREVRANGE key:s special:+ special:-"),
        ("EXPIREAT k 5", "command:EXPIREAT key:k number:5"),
        ("SCAN 0 MATCH a*", "command:SCAN number:0 option:MATCH pattern:a*"),
        ("PING hello", "command:PING string:hello"),
        ("AUTH ann secret", "command:AUTH secret:ann secret:secret"),
        ("HELLO 3 AUTH ann secret", "command:HELLO number:3 option:AUTH string:ann secret:secret"),
        ("COMMAND GETKEYS GET a", "command:COMMAND command:GETKEYS string:GET string:a"),
        ('XADD s * "a field" v', 'command:XADD key:s special:* field:"a field" value:v'),
        ("ZADD k 1 m", "-:ZADD -:k -:1 -:m"),
        ("  XLEN   s  ", "command:XLEN key:s"),
        ("XLEN s | jq . ", "command:XLEN key:s pipe:| jq . "),
        ("XLEN s > out.txt ", "command:XLEN key:s pipe:> out.txt"),
        ("XLEN s >> out.txt", "command:XLEN key:s pipe:>> out.txt"),
        (" # XADD s", "comment: # XADD s"),
        (".format json", "meta:.format json"),
        ("help XADD", "meta:help XADD"),
        ("exit", "meta:exit"),
        ("", ""),
        ("   ", ""),
    ],
)
def test_the_style_of_every_word(text: str, styles: str) -> None:
    assert painted(text) == styles


def test_what_is_not_utf8_is_painted_like_any_word() -> None:
    assert painted("XADD s * \udcff \udc80") == "command:XADD key:s special:* field:\udcff value:\udc80"


def test_places_count_characters() -> None:
    assert painted("XADD ключ nö f ‸") == "command:XADD key:ключ id!:nö field:f"


def test_a_word_over_two_lines_is_one_fragment() -> None:
    assert painted('XADD s * f "one\ntwo"') == 'command:XADD key:s special:* field:f value:"one\ntwo"'


def test_a_line_that_is_too_long_is_plain() -> None:
    text = f"XADD s nope {'f v ' * ANALYSED_MAX}"
    assert paint(read(text), 0) == [("", text)]
    assert problems(read(text), 0) == []


# -- a draft is not an error -------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "X‸", "XRE‸", "XGROUP CRE‸", "XGROUP‸", "XADD s‸", "XADD s ‸",
        "XADD s MAX‸", "XADD s maxl‸", "XADD s 15269-‸", "XADD s 5-‸", "XADD s MAXLEN ~‸", "XADD s MINID ~ 5-‸",
        "XADD s * f‸", "XADD s * f ‸", 'XADD s * f "a val‸', 'XADD s * f "‸',
        "XRANGE s (‸", "XRANGE s - (‸", "XRANGE s - + CO‸", "XRANGE s - + COUNT‸", "XRANGE s - + COUNT -‸",
        "XRANGE s - + COUNT 5 COU‸", "XREAD ST‸", "XREAD COUNT 5 COU‸", "XREAD COUNT 5 ‸",
        "XREAD STREAMS‸", "XREAD STREAMS a b‸", "XREAD STREAMS a b 0‸", "XREAD STREAMS a b 0 15269-‸",
        "XREAD STREAMS a 0 b‸",  # `0` may be a key
        "XCLAIM s g c 0 15269-‸", "XCLAIM s g c 0 1 FOR‸", "XPENDING s g I‸", "XPENDING s g IDLE‸",
        "XINFO STREAM s FU‸", "XINFO STREAM s FULL CO‸", "HELLO 3 AU‸", "SELECT 1‸", "COMMAND LIST FILTERBY PAT‸",
        "XLEN s |‸", "XLEN s >‸", "XLEN s >> ‸", "XLEN s > 5‸",  # 5 may become 5.json
        "XRANGE s - + COU‸ 5",  # what follows a draft hangs on it
        "hel‸", "cle‸",
    ],
)  # fmt: skip
def test_a_draft_is_not_an_error(text: str) -> None:
    assert wrong(text) == []


@pytest.mark.parametrize(
    ("text", "word", "error"),
    [
        ("XADD s abc‸", "abc", errors.INVALID_ID),
        ("XADD s 1-1-1‸", "1-1-1", errors.INVALID_ID),
        ("XADD s 5-x‸", "5-x", errors.INVALID_ID),
        ('XADD s "15269-"‸', '"15269-"', errors.INVALID_ID),  # nothing can follow a closing quote
        ("XADD s MAXLEN 5 MIN‸", "MIN", errors.INVALID_ID),  # there is one strategy already
        ("XADD s MAXLEN x‸", "x", errors.NOT_AN_INTEGER),
        ("XADD s MAXLEN -1‸", "-1", errors.MAXLEN_NEGATIVE),
        ("XRANGE s - + CA‸", "CA", errors.SYNTAX),
        ("XREAD BLOCK -‸", "-", errors.NOT_A_TIMEOUT),  # whatever follows, it is negative
        ("XREAD BLOCK 5s‸", "5s", errors.NOT_A_TIMEOUT),
        ("XREAD NOACK‸", "NOACK", errors.group_only("NOACK")),
        ("XREAD STREAMS a >‸", ">", errors.NEW_NEEDS_GROUP),
        ("XREADGROUP GROUP g c STREAMS a $‸", "$", errors.meaningless_id("$")),
        ("XCLAIM s g c 0 1 FX‸", "FX", errors.bad_xclaim_option(b"FX")),
        ("XGROUP CREATE s g $ ENTRIESREAD -2‸", "-2", errors.ENTRIESREAD_NEGATIVE),
        ("XGROUP CX‸", "CX", errors.unknown_subcommand((b"XGROUP", b"CX"))),
        ("XLEN a b‸", "b", errors.SYNTAX),
        ("SCAN 0 COUNT 0‸", "0", errors.SYNTAX),
        ("SELECT 16‸", "16", errors.DB_OUT_OF_RANGE),
    ],
)
def test_what_nothing_can_make_right_is_wrong_at_once(text: str, word: str, error: Error) -> None:
    assert wrong(text) == [(word, says(error))]


@pytest.mark.parametrize(
    ("text", "word", "error"),
    [
        ("XADD s MAX ‸", "MAX", errors.INVALID_ID),
        ("XADD s 15269- ‸", "15269-", errors.INVALID_ID),
        ("XADD s 15269- f v‸", "15269-", errors.INVALID_ID),
        ("‸XADD s 15269- f v", "15269-", errors.INVALID_ID),
        ("XRANGE s ( ‸", "(", errors.INVALID_ID),
        ("XRANGE s - + COUNT - ‸", "-", errors.NOT_AN_INTEGER),
        ("XREAD STREAMS a b 0 x ‸", "x", errors.INVALID_ID),
        ("XGROUP CREAT ‸", "CREAT", errors.unknown_subcommand((b"XGROUP", b"CREAT"))),
        ("XGROUP CREATE s g $ MKSTREAM ENTRIESREAD 5 x‸", "x", errors.bad_subcommand((b"XGROUP", b"CREATE"))),
        ("SCAN 0 COUNT 0 MATCH x‸", "0", errors.SYNTAX),
        ("XLEN a > 5 ‸", ">", errors.SYNTAX),
    ],
)
def test_what_the_cursor_has_left_is_certain(text: str, word: str, error: Error) -> None:
    assert wrong(text)[0] == (word, says(error))


def test_an_option_that_is_half_typed_has_no_style_yet() -> None:
    assert painted("XADD s MAX‸") == "command:XADD key:s -:MAX"
    assert painted("XADD s MAXLEN‸") == "command:XADD key:s option:MAXLEN"


def test_an_id_that_is_half_typed_is_one() -> None:
    assert painted("XADD s 15269-‸") == "command:XADD key:s id:15269-"


def test_what_is_wrong_keeps_its_style() -> None:
    assert painted("XADD s abc f v‸") == "command:XADD key:s id!:abc field:f value:v"


def test_a_file_that_is_not_named_yet_is_part_of_the_tail() -> None:
    assert painted("XLEN s > ‸") == "command:XLEN key:s pipe:>"
    assert painted('XLEN s ">" ‸') == 'command:XLEN key:s !:">"'
    assert painted("XREAD STREAMS a > ‸") == "command:XREAD option:STREAMS key:a special!:>"


# -- commands that are not in the table ------------------------------------------------------------


def test_a_command_that_nobody_knows_is_wrong() -> None:
    assert wrong("FOO‸") == [("FOO", "unknown command 'FOO'")]
    assert wrong("AUHT ann secret‸") == [("AUHT", "unknown command 'AUHT'")]


def test_a_command_that_a_server_may_know_is_not_wrong() -> None:
    assert wrong("ZADD k 1 m ‸") == []
    assert wrong("zrange‸") == []
    assert wrong("ZRAN‸") == []
    assert wrong("CONFIG REWRITE ‸") == []
    assert wrong("CONFIG REW‸") == []
    assert wrong("ZRAN ‸") == [("ZRAN", "unknown command 'ZRAN'")]


def test_what_is_wrong_is_told_safely() -> None:
    ((_, sentence),) = wrong("\x1b[2J\udcff x")
    assert sentence == r"unknown command '\x1b[2J\xff'"


# -- quotes -------------------------------------------------------------------------------------------


def test_what_follows_a_closing_quote_without_a_blank_is_wrong() -> None:
    assert wrong('XADD s * "f"v w‸') == [("v", "a closing quote must be followed by a blank")]
    assert wrong('XADD s * "f"v‸') == [("v", "a closing quote must be followed by a blank")]


def test_an_open_quote_is_not_wrong() -> None:
    assert wrong('XADD s * f "New Yo‸') == []
    assert wrong("XLEN '‸") == []


# -- any text -------------------------------------------------------------------------------------------

WORDS = st.sampled_from(
    [
        *("XADD", "XREAD", "XREADGROUP", "XGROUP", "CREATE", "XCLAIM", "XPENDING", "XRANGE", "SET", "HELLO", "AUTH"),
        *("SCAN", "CONFIG", "ZADD", "FOO", "GROUP", "STREAMS", "COUNT", "BLOCK", "MAXLEN", "~", "=", "*", "$", ">"),
        *("+", "-", "(", "0", "5-1", "5-", "abc", "|", ">>", "#", ".keys", "help", '"', "'", '"a"', '"a"b', "\\"),
        *("\n", "é", "\udcff"),
    ]
)
TEXTS = st.lists(WORDS, max_size=9).map(" ".join) | st.text(
    st.characters(codec="utf-8") | st.sampled_from("\udc80\udcff\"'\\ \n|>"), max_size=40
)


@PROFILE
@given(TEXTS, st.integers(-2, 60))
@example("XGROUP ", 7)
@example('"" ', 2)
def test_any_text_is_painted_whole_and_its_problems_lie_within_it(text: str, cursor: int) -> None:
    line = Line(text)
    assert "".join(part for _, part in paint(line, cursor)) == text
    for start, end, sentence in problems(line, cursor):
        assert 0 <= start <= end <= len(text)
        assert sentence
        assert sentence.isprintable()
