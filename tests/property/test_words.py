"""Words to a line and back, whatever the bytes."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli.words import SplitError, argv, quote, split

PROFILE = settings(derandomize=True, deadline=None, max_examples=1000)
awkward = st.sampled_from(
    [b'"', b"'", b"\\", b" ", b"\n", b"\r", b"\t", b"\v", b"\f", b"\0", b"\\x4", b"\\x41", b"a", b"\xc3"]
)
pieces = st.lists(awkward | st.binary(max_size=3), max_size=12).map(b"".join)
words = pieces | st.binary(max_size=20) | st.text(max_size=8).map(lambda text: text.encode("utf-8", "surrogatepass"))


@PROFILE
@given(words)
def test_a_quoted_word_is_read_back_as_it_was(word: bytes) -> None:
    assert argv(quote(word)) == [word]


@PROFILE
@given(st.lists(words, max_size=5), st.sampled_from([b" ", b"\t", b"  \r\n "]))
def test_quoted_words_with_blanks_between_are_read_back_as_they_were(line: list[bytes], blank: bytes) -> None:
    assert argv(blank.join(map(quote, line))) == line


@PROFILE
@given(words)
def test_a_quoted_word_is_one_line_that_a_terminal_can_show(word: bytes) -> None:
    shown = quote(word).decode("utf-8")
    assert shown.isprintable()


@PROFILE
@given(pieces)
def test_both_ways_to_split_agree(line: bytes) -> None:
    found, fault = split(line)
    if fault is None:
        assert argv(line) == [word.value for word in found]
    else:
        try:
            argv(line)
        except SplitError as error:
            assert error.fault == fault  # noqa: PT017
        else:
            raise AssertionError("a faulty line was split")


@PROFILE
@given(pieces)
def test_words_stand_in_order_and_leave_only_blanks_between(line: bytes) -> None:
    found, fault = split(line)
    at = 0
    for word in found:
        assert at <= word.start < word.end <= len(line)
        assert line[at : word.start].strip(b" \n\r\t\v\f") == b""
        at = word.end
    assert line[at:].strip(b" \n\r\t\v\f") == b""
    assert fault is None or 0 <= fault.at < len(line)


@PROFILE
@given(pieces)
def test_only_the_last_word_can_have_an_open_quote(line: bytes) -> None:
    found, _ = split(line)
    assert all(not word.open_quote for word in found[:-1])
