"""Stream IDs: how they are written, read, ordered, packed, and what comes before and after."""

from __future__ import annotations

import pytest

from streamcli import errors
from streamcli.grammar import types as t
from streamcli.ids import MAX_ID, MIN_ID, U64_MAX, StreamID, c_string, id_text, parse_id, parse_u64
from streamcli.reply import Error

INVALID = errors.INVALID_ID


@pytest.mark.parametrize(
    ("text", "id"),
    [
        (b"5-1", (5, 1)),
        (b"5", (5, 0)),
        (b"0-0", (0, 0)),
        (b"0005-001", (5, 1)),
        (b"18446744073709551615-18446744073709551615", (U64_MAX, U64_MAX)),
        (b"18446744073709551615", (U64_MAX, 0)),
        (b" 7- 8", (7, 8)),
        (b"\t\n\v\f\r5-3", (5, 3)),
        (b"1-+5", (1, 5)),
        (b"+5-3", (5, 3)),
        (b"5--03", (5, 2**64 - 3)),  # strtoull, because string2ll does not read a leading zero
        (b"5- -3", (5, 2**64 - 3)),
        (b"5--0", (5, 0)),
        (b"5--9223372036854775809", (5, 9223372036854775807)),
        (b"0" * 125 + b"5-", None),
        (b"0" * 126 + b"5", (5, 0)),
        (b"0" * 127 + b"5", None),  # 128 characters
        (b"1-1\0anything", (1, 1)),
        (b"1-1\0" + b"x" * 124, None),  # the length is looked at before the NUL is
        (b"", None),
        (b"-", None),
        (b"+", None),
        (b"*", None),
        (b"$", None),
        (b">", None),
        (b"5-", None),
        (b"-5-1", None),
        (b"5--3", None),
        (b"5--9223372036854775808", None),
        (b"5-3-1", None),
        (b"5 -3", None),
        (b"5-- 1", None),
        (b"5-+-1", None),
        (b"x-1", None),
        (b"1-x", None),
        (b"1_0-1", None),
        (b"\xd9\xa1-1", None),  # an Arabic digit
        (b"\xa05-1", None),
        (b"18446744073709551616", None),
        (b"1-18446744073709551616", None),
        (b"99999999999999999999-1", None),
        (b"5-*", None),
    ],
)
def test_what_is_an_id(text: bytes, id: tuple[int, int] | None) -> None:
    assert parse_id(text) == id


def test_a_missing_sequence_number_is_what_the_caller_says() -> None:
    assert parse_id(b"5", U64_MAX) == (5, U64_MAX)
    assert parse_id(b"5-1", U64_MAX) == (5, 1)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (b"0", 0),
        (b"007", 7),
        (b" +007", 7),
        (b"18446744073709551615", U64_MAX),
        (b"18446744073709551616", None),
        (b"-03", 2**64 - 3),
        (b" -3", 2**64 - 3),
        (b"-3", None),
        (b"-0", 0),
        (b"-18446744073709551615", 1),
        (b"-18446744073709551616", None),
        (b"", None),
        (b"+", None),
        (b"1 ", None),
        (b"0x10", None),
        (b"1e3", None),
    ],
)
def test_unsigned_numbers_are_read_as_redis_reads_them(text: bytes, number: int | None) -> None:
    assert parse_u64(text) == number


def test_ids_sort_as_pairs_of_numbers_and_so_do_their_packed_bytes() -> None:
    ids = [StreamID(*pair) for pair in ((0, 0), (0, 1), (0, U64_MAX), (1, 0), (255, 1), (256, 0), (2**63, 5))]
    assert sorted(ids) == ids
    assert sorted(id.packed for id in ids) == [id.packed for id in ids]


def test_an_id_is_packed_into_sixteen_big_endian_bytes() -> None:
    assert StreamID(1, 258).packed == bytes([0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 2])
    assert StreamID.unpack(StreamID(1, 258).packed) == (1, 258)
    assert MAX_ID.packed == b"\xff" * 16


def test_an_id_is_written_with_a_hyphen() -> None:
    assert str(StreamID(5, 1)) == "5-1"
    assert StreamID(5, 1).text == b"5-1"
    assert id_text(MAX_ID.packed) == b"18446744073709551615-18446744073709551615"


def test_the_next_id_carries_into_the_milliseconds() -> None:
    assert StreamID(5, 1).next() == (5, 2)
    assert StreamID(5, U64_MAX).next() == (6, 0)
    assert MAX_ID.next() is None


def test_the_previous_id_borrows_from_the_milliseconds() -> None:
    assert StreamID(5, 1).previous() == (5, 0)
    assert StreamID(5, 0).previous() == (4, U64_MAX)
    assert MIN_ID.previous() is None


def test_a_word_ends_at_a_nul_as_c_reads_it() -> None:
    assert c_string(b"a\0b\0c") == b"a"
    assert c_string(b"abc") == b"abc"
    assert c_string(b"\0") == b""


# -- an ID in its position ---------------------------------------------------------------------

_LONG = b"\0" + b"x" * 130  # Redis: too long for an ID, whatever stands before the NUL


@pytest.mark.parametrize(
    ("type", "word", "value"),
    [
        (t.ID, b"-", INVALID),
        (t.ID, b"5", StreamID(5, 0)),
        (t.NEW_ID, b"*", t.AUTO_ID),
        (t.NEW_ID, b"*\0x", t.AUTO_ID),
        (t.NEW_ID, b"5-*", t.NewID(5, None)),
        (t.NEW_ID, b"5-*\0x", t.NewID(5, None)),
        (t.NEW_ID, b"+5-*", t.NewID(5, None)),
        (t.NEW_ID, b"0" * 124 + b"5-*", t.NewID(5, None)),
        (t.NEW_ID, b"0" * 125 + b"5-*", INVALID),
        (t.NEW_ID, b"1-1" + _LONG, INVALID),
        (t.NEW_ID, b"*-1", INVALID),
        (t.NEW_ID, b"-*", INVALID),
        (t.NEW_ID, b"5-3-*", INVALID),
        (t.NEW_ID, b"5-**", INVALID),
        (t.NEW_ID, b"$", INVALID),
        (t.START, b"-", MIN_ID),
        (t.START, b"+", MAX_ID),
        (t.START, b"-\0x", MIN_ID),
        (t.START, b"-" + _LONG, INVALID),
        (t.START, b"5", StreamID(5, 0)),
        (t.START, b"(5", StreamID(5, 1)),
        (t.START, b"(5-18446744073709551615", StreamID(6, 0)),
        (t.START, b"(18446744073709551615-18446744073709551615", errors.INVALID_START),
        (t.START, b"(" + b"0" * 126 + b"5", StreamID(5, 1)),
        (t.START, b"(" + b"0" * 127 + b"5", INVALID),
        (t.START, b"(", INVALID),
        (t.START, b"(-", INVALID),
        (t.START, b"(+", INVALID),
        (t.START, b"((5", INVALID),
        (t.END, b"-", MIN_ID),
        (t.END, b"+", MAX_ID),
        (t.END, b"5", StreamID(5, U64_MAX)),
        (t.END, b"(5", StreamID(5, U64_MAX - 1)),
        (t.END, b"(5-0", StreamID(4, U64_MAX)),
        (t.END, b"(0-0", errors.INVALID_END),
        (t.LAST_ID, b"$", t.LAST),
        (t.LAST_ID, b"-", INVALID),
        (t.LAST_ID, b"+", INVALID),
        (t.GROUP_ID, b"$", t.LAST),
        (t.GROUP_ID, b"-", MIN_ID),
        (t.GROUP_ID, b"+", MAX_ID),
        (t.GROUP_ID, b"(5", INVALID),
        (t.AFTER, b"$", t.LAST),
        (t.AFTER, b"+", t.TOP),
        (t.AFTER, b">", errors.NEW_NEEDS_GROUP),
        (t.AFTER, b"-", INVALID),
        (t.AFTER, b"*", INVALID),
        (t.AFTER, b"(5", INVALID),
        (t.AFTER, b"5", StreamID(5, 0)),
        (t.AFTER, b"1" + _LONG, INVALID),
        (t.GROUP_AFTER, b">", t.NEW),
        (t.GROUP_AFTER, b"5", StreamID(5, 0)),
        (t.GROUP_AFTER, b"-", INVALID),
    ],
    ids=lambda value: repr(value)[:24] if isinstance(value, bytes) else "",
)
def test_an_id_is_read_in_the_dialect_of_its_position(type: t.Type, word: bytes, value: object) -> None:
    assert type.read is not None
    assert type.read(word) == value


@pytest.mark.parametrize(
    ("word", "value"),
    [
        (b"0", 0),
        (b"-1", -1),
        (b"9223372036854775807", 2**63 - 1),
        (b"-9223372036854775808", -(2**63)),
        (b"9223372036854775808", None),
        (b"-9223372036854775809", None),
        (b"-0", None),
        (b"01", None),
        (b"-01", None),
        (b"+1", None),
        (b" 1", None),
        (b"1 ", None),
        (b"1\0", None),
        (b"", None),
        (b"-", None),
        (b"1_0", None),
        (b"1" * 500, None),
    ],
)
def test_integers_are_strict(word: bytes, value: int | None) -> None:
    assert t.read_integer(word) == value
    assert t.INTEGER.read is not None
    assert t.INTEGER.read(word) == (errors.NOT_AN_INTEGER if value is None else value)


def test_an_integer_type_says_which_side_of_its_range_a_word_is_on() -> None:
    low, high, bad = Error("ERR low"), Error("ERR high"), Error("ERR bad")
    read = t.integer("count", bad, 1, low, 5, high).read
    assert read is not None
    assert [read(word) for word in (b"x", b"0", b"1", b"5", b"6")] == [bad, low, 1, 5, high]
