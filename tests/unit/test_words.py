"""A typed line to words and back, by the rules of sdssplitargs, which redis-cli uses."""

from __future__ import annotations

import time

import pytest

from streamcli.words import Fault, SplitError, Word, argv, quote, split

CLOSING = "a closing quote must be followed by a blank"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"", []),
        (b" \t\r\n\v\f", []),
        (b"XADD s * f v", [b"XADD", b"s", b"*", b"f", b"v"]),
        (b"  a\t\tb\r\nc  ", [b"a", b"b", b"c"]),
        (b"a\vb", [b"a\vb"]),  # \v and \f are skipped between words, but end none
        (b"a \vb", [b"a", b"b"]),
        (b"a\fb \f c", [b"a\fb", b"c"]),
        (b"'a'\vb", [b"a", b"b"]),
        (b'""', [b""]),
        (b"''", [b""]),
        (b"'' \"\" x", [b"", b"", b"x"]),
        (b'"a b" c', [b"a b", b"c"]),
        (b"'a b' c", [b"a b", b"c"]),
        (b'a"b c"', [b"ab c"]),  # a quote may open inside a word
        (b"a'b c' d", [b"ab c", b"d"]),
        (b'"it\'s"', [b"it's"]),
        (b"'say \"hi\"'", [b'say "hi"']),
        (rb'"\n\r\t\b\a"', [b"\n\r\t\b\a"]),
        (rb'"\\ \""', [b'\\ "']),
        (rb'"\x41\x7a\xFf"', [b"Az\xff"]),
        (rb'"\x4"', [b"x4"]),
        (rb'"\xZZ"', [b"xZZ"]),
        (rb'"\x"', [b"x"]),
        (rb'"\x00"', [b"\0"]),
        (rb'"\v\f\q\0"', [b"vfq0"]),  # any other escaped character is itself
        (rb"'\n\x41\\x'", [rb"\n\x41\\x"]),  # in single quotes nothing is an escape ...
        (rb"'it\'s'", [b"it's"]),  # ... but this
        (rb"a\nb", [rb"a\nb"]),  # and outside of quotes nothing at all
        (rb"a\ b", [b"a\\", b"b"]),
        (b"a\0b", [b"a\0b"]),
        ("gr\u00fc\u00df \u2603".encode(), ["gr\u00fc\u00df".encode(), "\u2603".encode()]),
        (b"\x85 \xa0", [b"\x85", b"\xa0"]),  # no blanks: isspace is asked in the C locale
        (b"a# #b", [b"a#", b"#b"]),
    ],
)
def test_a_line_is_split_as_redis_cli_splits_it(line: bytes, words: list[bytes]) -> None:
    assert argv(line) == words
    assert [word.value for word in split(line)[0]] == words
    assert split(line)[1] is None


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b'a "b c', Fault(2, 'the " here is never closed')),
        (b"a 'b c", Fault(2, "the ' here is never closed")),
        (b'a b"c', Fault(3, 'the " here is never closed')),
        (b'"', Fault(0, 'the " here is never closed')),
        (b"'", Fault(0, "the ' here is never closed")),
        (rb'"a\"', Fault(0, 'the " here is never closed')),
        (rb"'a\\'", Fault(0, "the ' here is never closed")),  # a backslash, and an escaped quote
        (rb"'a\'", Fault(0, "the ' here is never closed")),
        (b'"a\\', Fault(0, 'the " here is never closed')),
        (b'"a"b', Fault(3, CLOSING)),
        (b"'a'b", Fault(3, CLOSING)),
        (b"'a''b'", Fault(3, CLOSING)),
        (b'a"b"c', Fault(4, CLOSING)),
        (b'"a"b "c', Fault(3, CLOSING)),  # the first of two
        (b'"a"\0', Fault(3, CLOSING)),
    ],
)
def test_a_line_that_redis_cli_refuses_has_its_first_fault_named(line: bytes, fault: Fault) -> None:
    assert split(line)[1] == fault
    with pytest.raises(SplitError) as raised:
        argv(line)
    assert (raised.value.fault, raised.value.line, str(raised.value)) == (fault, line, fault.text)


def test_words_know_where_they_stand() -> None:
    assert split(b'  XADD \'a b\'  "\\x41" x"y"') == (
        [Word(b"XADD", 2, 6), Word(b"a b", 7, 12), Word(b"A", 14, 20), Word(b"xy", 21, 25)],
        None,
    )


def test_a_faulty_line_has_words_too() -> None:
    assert split(b"XADD 'a b")[0] == [Word(b"XADD", 0, 4), Word(b"a b", 5, 9, "'")]
    assert split(b'XADD x"a b')[0] == [Word(b"XADD", 0, 4), Word(b"xa b", 5, 10, '"')]
    assert split(b"'a'b c")[0] == [Word(b"a", 0, 3), Word(b"b", 3, 4), Word(b"c", 5, 6)]


@pytest.mark.parametrize(
    ("word", "quoted"),
    [
        (b"abc", b"abc"),
        (b"mystream:1-1", b"mystream:1-1"),
        (b"*", b"*"),
        (b"", b'""'),
        (b"a b", b'"a b"'),
        (b"it's", b'"it\'s"'),
        (b'say "hi"', rb'"say \"hi\""'),
        (b"back\\slash", rb'"back\\slash"'),
        (b"\n\r\t\b\a", rb'"\n\r\t\b\a"'),
        (b"\0\x1b\x7f", rb'"\x00\x1b\x7f"'),
        (b"\xff\xc3", rb'"\xff\xc3"'),
        ("gr\u00fc\u00df".encode(), '"gr\u00fc\u00df"'.encode()),
        ("\u2603 \U0001f600".encode(), '"\u2603 \U0001f600"'.encode()),
        ("\u200b".encode(), rb'"\xe2\x80\x8b"'),  # not to be seen, so it is spelt out
        ("\u00a0".encode(), rb'"\xc2\xa0"'),
        (b"\xc3\xbc\xff", b'"\xc3\xbc\\xff"'),
    ],
)
def test_a_word_is_quoted_only_when_it_has_to_be(word: bytes, quoted: bytes) -> None:
    assert quote(word) == quoted
    assert argv(quoted) == [word]


@pytest.mark.parametrize("piece", [b"a ", b"'a' ", b'"\\x41" ', b"\\'", b'\\"', b"'", b'"', b'""', b"'a'b "])
def test_splitting_is_linear_in_the_length_of_the_line(piece: bytes) -> None:
    """A long line would take hours if it were not."""
    line = piece * (400_000 // len(piece))
    started = time.process_time()
    split(line)
    split(b'"' + line)
    split(b"'" + line)
    assert time.process_time() - started < 20
