"""Places: IDs, ends and times as one way to say where in a stream."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamcli.flags import UsageError
from streamcli.ids import MAX_ID, MIN_ID, U64_MAX, StreamID
from streamcli.tools.places import place

NOON = 1_795_176_000_000  # 2026-11-20 12:00:00 UTC


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("5-1", StreamID(5, 1), StreamID(5, 1)),
        ("5", StreamID(5, 0), StreamID(5, U64_MAX)),
        ("0", StreamID(0, 0), StreamID(0, U64_MAX)),
        ("007-0", StreamID(7, 0), StreamID(7, 0)),
        (f"{U64_MAX}-{U64_MAX}", MAX_ID, MAX_ID),
        ("-", MIN_ID, MIN_ID),
        ("+", MAX_ID, MAX_ID),
        ("start", MIN_ID, MIN_ID),
        ("END", MAX_ID, MAX_ID),
        ("now", StreamID(NOON, 0), StreamID(NOON, U64_MAX)),
        ("-10m", StreamID(NOON - 600_000, 0), StreamID(NOON - 600_000, U64_MAX)),
        ("+10m", StreamID(NOON + 600_000, 0), StreamID(NOON + 600_000, U64_MAX)),
        ("tomorrow", StreamID(NOON + 43_200_000, 0), StreamID(NOON + 43_200_000, U64_MAX)),
        (" 2 hours ago ", StreamID(NOON - 7_200_000, 0), StreamID(NOON - 7_200_000, U64_MAX)),
        ("yesterday", StreamID(NOON - 129_600_000, 0), StreamID(NOON - 129_600_000, U64_MAX)),
        ("2026-11-20 10:00", StreamID(NOON - 7_200_000, 0), StreamID(NOON - 7_200_000, U64_MAX)),
        ("2026-11-20T10:00:00.250+01:00", StreamID(NOON - 10_799_750, 0), StreamID(NOON - 10_799_750, U64_MAX)),
        ("(5-1", StreamID(5, 2), StreamID(5, 0)),
        ("(5", StreamID(6, 0), StreamID(4, U64_MAX)),
        ("(now", StreamID(NOON + 1, 0), StreamID(NOON - 1, U64_MAX)),
    ],
)
def test_a_place_is_the_first_or_the_last_id_of_what_it_names(text: str, first: StreamID, last: StreamID) -> None:
    assert place(text, NOON) == first
    assert place(text, NOON, last=True) == last


@pytest.mark.parametrize(
    "text", ["", " ", "-5", "soon", "5-", "-5-1", "5-1-1", "$", ">", "*", "5-*", "٣", "\x1b[2J", "("]
)
def test_what_is_no_place_is_named_with_what_would_be_one(text: str) -> None:
    with pytest.raises(UsageError) as raised:
        place(text, NOON)
    told = str(raised.value)
    assert " is no place in a stream: an ID (5-1, 1526984818136), start, end, or a time (-10m, +10m, " in told
    assert told.isprintable()


def test_an_id_beyond_64_bits_is_told_so() -> None:
    with pytest.raises(UsageError) as raised:
        place("18446744073709551616-0", NOON)
    assert str(raised.value) == 'the ID "18446744073709551616-0" is too large: both parts go to 18446744073709551615'


def test_a_very_long_number_is_no_work() -> None:
    with pytest.raises(UsageError):
        place("9" * 100_000, NOON)


@pytest.mark.parametrize(("text", "last"), [("(0-0", True), (f"({U64_MAX}-{U64_MAX}", False)])
def test_beyond_the_ends_there_is_no_place(text: str, last: bool) -> None:
    with pytest.raises(UsageError, match=r"there is no ID (before|after)"):
        place(text, NOON, last=last)


@given(st.integers(0, U64_MAX), st.integers(0, U64_MAX))
def test_an_id_names_itself(ms: int, seq: int) -> None:
    assert place(str(StreamID(ms, seq)), NOON) == place(str(StreamID(ms, seq)), NOON, last=True) == StreamID(ms, seq)


@given(st.text(max_size=70), st.booleans())
def test_any_text_is_a_place_or_one_printable_line(text: str, last: bool) -> None:
    told, found = "", MIN_ID
    try:
        found = place(text, NOON, last=last)
    except UsageError as error:
        told = str(error)
    assert told.isprintable()
    assert MIN_ID <= found <= MAX_ID
