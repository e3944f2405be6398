"""Replies to bytes and back, in any pieces; and any bytes at all."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli.reply import NIL_ARRAY, Error, Map, Push, Reply, Set, Simple, Verbatim
from streamcli.resp import ProtocolError, Reader, encode, encode_command

PROFILE = settings(derandomize=True, deadline=None, max_examples=400)

lines = st.binary(max_size=12).map(
    lambda data: data.replace(b"\r", b"").replace(b"\n", b"").decode("utf-8", "surrogateescape")
)
strings = st.binary(max_size=12) | st.sampled_from([b"\r\n", b"$-1\r\n", b"*1\r\n"])
of_two: st.SearchStrategy[Reply] = st.one_of(
    lines.map(Simple), lines.map(Error), st.integers(-(2**63), 2**63 - 1), strings, st.none(), st.just(NIL_ARRAY)
)
of_three: st.SearchStrategy[Reply] = st.one_of(
    lines.map(Simple),
    lines.map(Error),
    st.integers(),
    strings,
    st.none(),
    st.booleans(),
    st.floats(allow_nan=False),
    st.builds(Verbatim, st.sampled_from(["txt", "mkd"]), strings),
)


def nested(inner: st.SearchStrategy[Reply]) -> st.SearchStrategy[Reply]:
    items = st.lists(inner, max_size=4)
    pairs = st.lists(st.tuples(inner, inner), max_size=3)
    return st.one_of(items, pairs.map(Map), items.map(Set), items.map(Push))


replies_2 = st.recursive(of_two, lambda inner: st.lists(inner, max_size=4), max_leaves=12)
replies_3 = st.recursive(of_three, nested, max_leaves=12)


def read(data: bytes, cuts: list[int]) -> list[Reply]:
    """Feed data in pieces that end at the cuts, and at the end."""
    reader, got, at = Reader(), [], 0
    for cut in sorted({min(cut, len(data)) for cut in cuts} | {len(data)}):
        reader.feed(data[at:cut])
        got += list(reader)
        at = cut
    return got


def exactly(replies: list[Reply]) -> list[str]:
    """To compare by: 1, 1.0 and True are equal, but not the same reply."""
    return [repr(reply) for reply in replies]


@PROFILE
@given(st.lists(replies_2, max_size=4), st.lists(st.integers(0, 300), max_size=8))
def test_replies_of_resp2_arrive_as_they_were_sent(replies: list[Reply], cuts: list[int]) -> None:
    data = b"".join([encode(reply, 2) for reply in replies])
    assert exactly(read(data, cuts)) == exactly(replies)


@PROFILE
@given(st.lists(replies_3, max_size=4), st.lists(st.integers(0, 300), max_size=8))
def test_replies_of_resp3_arrive_as_they_were_sent(replies: list[Reply], cuts: list[int]) -> None:
    data = b"".join([encode(reply, 3) for reply in replies])
    assert exactly(read(data, cuts)) == exactly(replies)


@PROFILE
@given(replies_3)
def test_a_reply_that_is_cut_short_is_waited_for(reply: Reply) -> None:
    data = encode(reply, 3)
    for cut in range(len(data)):
        assert read(data[:cut], []) == []


@PROFILE
@given(replies_3)
def test_a_reply_of_resp3_is_still_one_reply_in_resp2(reply: Reply) -> None:
    assert len(read(encode(reply, 2), [])) == 1


@PROFILE
@given(st.lists(st.binary(max_size=8), min_size=1, max_size=5))
def test_a_command_is_read_as_the_list_of_its_words(argv: list[bytes]) -> None:
    assert read(encode_command(argv), []) == [argv]


# Most of what arrives is arrays of strings, and entries, which the reader takes whole: strings that look like RESP.

awkward = st.sampled_from(
    [b"", b"\r", b"\n", b"\r\n", b"$", b"$1", b"$0\r\n", b"*2", b"a\r\nb", b"a\r\n$1\r\nb", b"\r\n\r\n"]
)
huge = st.just(b"x" * 70_000)
words = strings | awkward
string_lists = st.lists(words, max_size=12)
entries = st.tuples(words, string_lists).map(list) | st.tuples(words, string_lists, words, words).map(list)
long_replies = st.lists(entries | string_lists | words | replies_2, min_size=1, max_size=20)
huge_replies = st.lists(entries | huge | st.lists(huge | words, max_size=3), max_size=4)
many_cuts = st.lists(st.integers(0, 150_000) | st.integers(0, 400), max_size=12)


@PROFILE
@given(st.lists(long_replies | huge_replies, min_size=1, max_size=3), many_cuts)
def test_strings_that_look_like_replies_stay_strings(replies: list[Reply], cuts: list[int]) -> None:
    data = b"".join([encode(reply, 2) for reply in replies])
    assert exactly(read(data, cuts)) == exactly(replies)


@PROFILE
@given(long_replies)
def test_a_reply_byte_by_byte_is_the_reply_at_once(reply: list[Reply]) -> None:
    data = encode(reply, 2)
    assert exactly(read(data, list(range(len(data))))) == exactly(read(data, [])) == exactly([reply])


@PROFILE
@given(long_replies, replies_3, many_cuts, st.booleans())
def test_items_are_taken_as_they_arrive(reply: list[Reply], after: Reply, cuts: list[int], late: bool) -> None:
    data = encode(reply, 2) + encode(after, 3)
    ends = sorted({min(cut, len(data)) for cut in cuts} | {len(data)})
    pieces = [data[at:end] for at, end in zip([0, *ends], ends, strict=False)]
    reader = Reader()

    def more() -> None:
        reader.feed(pieces.pop(0))

    arriving = None
    while arriving is None:
        more()
        if late:  # the reader had begun already, and cannot have come to the end of `after`
            got = list(reader)
            if got:
                assert exactly(got[:1]) == exactly([reply])
                return
        arriving = reader.arriving(len(reply), more)
    assert len(arriving) == len(reply)
    assert exactly(list(arriving)) == exactly(reply)
    assert exactly(arriving.tail) == exactly(reply)
    assert arriving.whole
    while pieces:
        more()
    assert exactly(list(reader)) == exactly([after])


@PROFILE
@given(st.lists(words, min_size=1, max_size=8), st.integers(0, 8), st.integers(0, 8), replies_3, many_cuts)
def test_what_is_expected_is_taken_and_nothing_else_is(
    expected: list[bytes], same: int, held: int, after: Reply, cuts: list[int]
) -> None:
    """`held` of the replies are read before; the first `same` of the rest are as expected."""
    block = b"".join(map(encode, expected))
    first, different = expected[:held], [*expected[:same], *expected[same + 1 :]]
    for comes in (expected, different):
        data = b"".join(map(encode, [*first, *comes])) + encode(after, 3)
        ends = sorted({min(cut, len(data)) for cut in cuts} | {len(data)})
        reader = Reader()
        pieces = [data[at:end] for at, end in zip([0, *ends], ends, strict=False)]
        got: list[Reply] = []
        while len(got) < len(first):
            if (found := next(iter(reader), reader)) is reader:
                reader.feed(pieces.pop(0))
            else:
                got.append(found)  # type: ignore[arg-type]
        while (taken := reader.take(block)) is None and pieces:
            reader.feed(pieces.pop(0))
        if taken:
            assert data.startswith(b"".join(map(encode, first)) + block)
            got += expected
        for piece in pieces:
            reader.feed(piece)
        got += list(reader)
        assert exactly(got) == exactly([*first, *comes, after])


noise = st.sampled_from(
    [b"\r\n", b"*", b"$", b"%", b"|", b"~", b">", b"=", b"!", b"-1", b"2", b":", b"+", b"_", b"#t", b","]
)


@settings(PROFILE, max_examples=2000)
@given(st.lists(noise | st.binary(max_size=4), max_size=30).map(b"".join), st.lists(st.integers(0, 60), max_size=4))
def test_any_bytes_are_replies_or_a_protocol_error(data: bytes, cuts: list[int]) -> None:
    def outcome(cuts: list[int]) -> object:
        try:
            return exactly(read(data, cuts))
        except ProtocolError:
            return ProtocolError

    assert outcome(cuts) == outcome([])
