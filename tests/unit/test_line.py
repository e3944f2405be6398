"""A typed line: where its words stand, where its reply goes, where one command ends and the next begins."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamcli.shell.line import Line, Tail, commands, continues, segments, shown
from streamcli.words import argv

TEXT = st.text(st.sampled_from("ab \n\\'\"|>#é\udc80 1-"), max_size=40)


def words_of(text: str) -> list[str]:
    line = Line(text)
    return [text[word.start : word.end] for word in line.words]


def test_words_stand_where_they_were_typed() -> None:
    assert words_of("XADD é * 'a b' ü") == ["XADD", "é", "*", "'a b'", "ü"]
    assert Line("XADD é * 'a b' ü").argv == (b"XADD", "é".encode(), b"*", b"a b", "ü".encode())


@pytest.mark.parametrize(
    ("text", "argc", "tail"),
    [
        ("XRANGE a - + | jq .", 4, ("|", "jq .")),
        ("XADD s NOMKSTREAM 1-1 f v | cat", 6, ("|", "cat")),
        ("XADD s NOMKSTREAM 1-1 f | cat", 5, ("|", "cat")),  # whatever the grammar thinks of it
        ("XRANGE a - + | grep 'x | y' | wc -l", 4, ("|", "grep 'x | y' | wc -l")),
        ("XRANGE a - + | grep it's", 4, ("|", "grep it's")),
        ("XRANGE a - + > out.txt", 4, (">", "out.txt")),
        ("XRANGE a - + >> 'my file'", 4, (">>", "my file")),
        ("XREADGROUP GROUP g c STREAMS a > > out.txt", 7, (">", "out.txt")),
        ("XREADGROUP GROUP g c STREAMS a > | jq", 7, ("|", "jq")),
        ("XRANGE a - + > ./0", 4, (">", "./0")),
        ("XRANGE a - + |", 4, ("|", "")),
    ],
)
def test_a_bare_operator_says_where_the_reply_goes(text: str, argc: int, tail: tuple[str, str]) -> None:
    line = Line(text)
    assert len(line.argv) == argc
    assert line.tail is not None
    assert (line.tail.kind, line.tail.target) == tail
    assert line.fault is None


@pytest.mark.parametrize(
    "text",
    [
        "XADD a * op '|' x y",
        'XADD a * op ">" limit',
        "XADD a * op a|b",
        "XREADGROUP GROUP g c STREAMS a >",
        "XREADGROUP GROUP g c STREAMS a b > >",
        "XREADGROUP GROUP g c STREAMS a b > 0",
        "XREADGROUP GROUP g c STREAMS a b > 1526984818136-0",
        "XREADGROUP GROUP g c STREAMS a b > $",
        "XADD a * k1 > k2 v2",
        "XADD a * f v >out",
    ],
)
def test_what_only_looks_like_an_operator_is_data(text: str) -> None:
    line = Line(text)
    assert line.tail is None
    assert list(line.argv) == argv(text.encode())


def test_the_place_of_a_tail_counts_characters() -> None:
    assert Line("XRANGE é - + > ö").tail == Tail(">", "ö", 13, 16)


@pytest.mark.parametrize(
    ("text", "open"),
    [
        ("XADD a * f 'x", True),
        ('XADD a * f "x', True),
        ('XADD a * f "x\\"', True),
        ("XADD a * f 'it\\'s", True),
        ("XADD a * f v \\", True),
        ("XADD a * f 'x'", False),
        ("XADD a * f 'x\\", True),
        ('XADD a * f "\\\\"', False),
        ("XADD a * f '\\\\'", True),  # redis-cli: in single quotes only \' is an escape
        ("", False),
    ],
)
def test_a_line_goes_on_in_open_quotes_and_behind_a_backslash(text: str, open: bool) -> None:
    assert continues(text) is open


def test_a_backslash_at_a_line_end_joins_the_lines() -> None:
    assert Line("XADD a * \\\n f v").argv == (b"XADD", b"a", b"*", b"f", b"v")
    assert Line("XADD a * \\").argv == (b"XADD", b"a", b"*")
    assert Line('XADD a * "x\\\ny" v').argv == tuple(argv(b'XADD a * "x\\\ny" v'))


def test_commands_end_at_line_ends_outside_of_quotes() -> None:
    text = "XADD a * \\\n f v\n\n# it's a comment\n  XLEN a\nXADD a * f 'x\ny'\n"
    assert commands(text) == ["XADD a * \\\n f v", "  XLEN a", "XADD a * f 'x\ny'"]
    assert [text[start:end] for start, end in segments(text)][1] == "# it's a comment"


def test_a_value_is_shown_as_it_has_to_be_typed() -> None:
    assert [shown(value) for value in (b"a", b"a b", b"|", b">", b">>", b"", b"#x", b".x", b"\xff")] == [
        "a", '"a b"', '"|"', '">"', '">>"', '""', '"#x"', '".x"', '"\\xff"',
    ]  # fmt: skip


@given(st.lists(st.binary(max_size=6), min_size=1, max_size=5))
def test_what_is_shown_is_read_back(values: list[bytes]) -> None:
    line = Line(" ".join(["X", *map(shown, values), "."]))
    assert (line.tail, line.argv) == (None, (b"X", *values, b"."))


@given(TEXT)
def test_any_text_is_a_line_whose_places_are_in_it(text: str) -> None:
    line = Line(text)
    at = 0
    for word in line.words:
        assert at <= word.start < word.end <= len(text)
        at = word.end
    if line.tail is not None:
        assert at <= line.tail.start < line.tail.end <= len(text)
    parts = segments(text)
    assert all(text[start:end].strip() for start, end in parts)
    assert "".join(text[start:end] for start, end in parts).split() == text.split() or "\n" in text
