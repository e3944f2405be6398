"""The language of --where: what it means, what it refuses, and that no data and no expression hurts it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamcli.engine.glob import matches
from streamcli.ids import StreamID
from streamcli.tools.conditions import like_pattern, number_of
from streamcli.tools.pointing import PointedError
from streamcli.tools.where import DEEPEST, LONGEST, compiled

NOON = 1_795_176_000_000  # 2026-11-20 12:00:00 UTC
ENTRY = [b"city", b"Oslo", b"temp", b"31", b"note", b"", b"tag", b"a", b"tag", b"b", b"odd name", b"x", b"id", b"7"]


def wanted(source: str, fields: list[bytes] | None = None, id: StreamID | None = None, stream: bytes = b"a") -> bool:
    return compiled(source, NOON)(stream, id or StreamID(NOON, 1), ENTRY if fields is None else fields)


@pytest.mark.parametrize(
    "source",
    [
        'temp > 30 and city = "Oslo"',
        "temp>30 and city='Oslo'",
        "temp = 31.0",
        "temp == 3.1e1",
        "30 < temp",
        "temp >= 31 AND NOT temp > 31",
        'temp != 30 and temp <> 29 and temp = "31"',
        'temp < "4"',
        'city in ("Bergen", "Oslo")',
        'city not in ("Bergen", "Turku")',
        "temp in (30, 31)",
        'tag = "b"',
        'tag != "b"',
        'not tag = "c"',
        "exists(note) and exists city and note exists",
        'note = ""',
        '`odd name` = "x"',
        "`id` = 7",
        'city ~ "O*"',
        'city ~ "?sl[a-z]" and city !~ "B*"',
        'stream = "a" and stream ~ "?" and stream != "b"',
        'city = "Bergen" or temp > 30',
        'city = "Bergen" and temp > 99 or temp > 30',
        '(city = "Bergen" or city = "Oslo") and (temp > 30)',
        "time > -10m and time <= now",
        'time >= "2026-11-20 12:00" and time = now',
        "time < 2026-11-21 and time > yesterday",
        "yesterday < time",
        f"id > {NOON}-0 and id <= {NOON}-1 and id = {NOON}",
        "id != 5-1 and id >= start",
        "tag > `city` and not tag < `city`",
        "temp > `id`",
        'city = "\\x4fslo"',
    ],
)
def test_an_entry_is_wanted(source: str) -> None:
    assert wanted(source) is True


@pytest.mark.parametrize(
    "source",
    [
        "gone = 1",
        "gone != 1",
        "gone < 1",
        'gone ~ "*"',
        'gone !~ "x"',
        'gone not in ("x")',
        "gone = city",
        "city = gone",
        "exists(gone)",
        "city > 30",
        "city = 30",
        'temp < "31"',
        'temp = "31.0"',
        'city = "oslo"',
        "time > now",
        "time < -1d",
        f"id > {NOON}",
        "id = `city`",
        'stream = "b"',
        "not (temp > 30 and city = 'Oslo')",
    ],
)
def test_an_entry_is_not_wanted(source: str) -> None:
    assert wanted(source) is False


def test_a_value_that_is_no_number_compares_with_no_number_but_differs_from_all() -> None:
    assert [wanted(f"temp {operator} 30", [b"temp", b"n/a"]) for operator in ("<", "=", ">", ">=", "<=")] == [False] * 5
    assert wanted("temp != 30", [b"temp", b"n/a"])


def test_two_fields_compare_as_numbers_when_both_are() -> None:
    assert wanted("low < high", [b"low", b"9", b"high", b"10"])
    assert not wanted("low < high", [b"low", b"9", b"high", b"10x"])


def test_numbers_beyond_a_double_are_exact() -> None:
    assert not wanted("n = 18446744073709551614", [b"n", b"18446744073709551615"])
    assert wanted("n > 18446744073709551614", [b"n", b"18446744073709551615"])


def test_a_field_may_hold_an_id_or_a_time() -> None:
    fields = [b"parent", b"5-1", b"due", b"1000"]
    assert wanted("id > `parent`", fields, StreamID(5, 2))
    assert not wanted("id > `parent`", fields, StreamID(5, 1))
    assert wanted("time > `due`", fields, StreamID(1001, 0))
    assert not wanted("time > `parent`", fields)


def test_any_bytes_can_be_said() -> None:
    assert wanted('`\\xff\\x00` = "\\xfe"', [b"\xff\x00", b"\xfe"])
    assert wanted('k = "é\\n\\"\\\\"', [b"k", 'é\n"\\'.encode()])
    assert wanted("straße > 1", ["straße".encode(), b"2"])


@pytest.mark.parametrize(
    ("source", "column", "text"),
    [
        ("", 1, "nothing is said"),
        ("   ", 4, "nothing is said"),
        ("temp", 5, "a comparison is wanted behind temp: = != < <= > >= ~ in, or exists"),
        ("temp > ", 8, "a field, id, time, stream, a number or a string is wanted here, not the end"),
        ("temp > 30 foo", 11, "and, or, or the end is wanted here, not foo"),
        ("temp > 30 and", 14, "a field, id, time, stream, a number or a string is wanted here, not the end"),
        ("(temp > 30", 11, ") is wanted here, not the end"),
        ('city = "Oslo', 8, 'this string has no closing "'),
        ("`city = 1", 1, "this name has no closing `"),
        ("1 = 1", 1, "nothing here is about the entry: a field's name stands bare or in backticks"),
        ("1 < temp < 3", 10, "one comparison at a time: join two with and"),
        ("city = 5-1", 8, '5-1 is no number; in quotes it is a string: "5-1"; IDs and times go with id, time'),
        ("city ~ O", 1, '~ compares a field, or stream, with a pattern in quotes: city ~ "O*"'),
        ('id ~ "5*"', 1, '~ compares a field, or stream, with a pattern in quotes: city ~ "O*"'),
        ("stream = a", 10, "a stream compares with a name in quotes"),
        ("exists(id)", 8, "exists is asked of a field"),
        ("a = 1; b = 2", 6, "; means nothing here; a string stands in quotes"),
        ("a = 1 \x1b[2J", 7, "\\x1b means nothing here; a string stands in quotes"),
        ("a in ()", 7, "a field, id, time, stream, a number or a string is wanted here, not )"),
        ("and = 1", 1, "a field, id, time, stream, a number or a string is wanted here, not and"),
    ],
)
def test_a_mistake_is_named_with_its_column(source: str, column: int, text: str) -> None:
    with pytest.raises(PointedError) as raised:
        compiled(source, NOON)
    assert str(raised.value) == f"--where, column {column}: {text}"
    line, caret = raised.value.picture
    assert line.isprintable()
    assert caret.endswith("^")


def test_the_caret_stands_below_the_mistake() -> None:
    with pytest.raises(PointedError) as raised:
        compiled('city = "東京" x', NOON)
    assert raised.value.picture == ('  city = "東京" x', "                ^")


def test_a_place_that_is_none_is_told_with_what_would_be_one() -> None:
    with pytest.raises(
        PointedError, match=r'^--where, column 8: "soon" is no place in a stream: an ID .* in backticks'
    ):
        compiled("time > soon", NOON)


def test_it_has_bounds() -> None:
    with pytest.raises(PointedError, match="4096 characters at most"):
        compiled("a=1 or " * LONGEST + "a=1", NOON)
    with pytest.raises(PointedError, match="50 deep at most"):
        compiled("(" * (DEEPEST + 1) + "a=1" + ")" * (DEEPEST + 1), NOON)
    with pytest.raises(PointedError, match="50 deep at most"):
        compiled("not " * (DEEPEST + 1) + "a=1", NOON)
    assert wanted("(" * (DEEPEST - 1) + "temp=31" + ")" * (DEEPEST - 1))
    assert wanted(" or ".join(["temp=31"] * 300))


def test_hostile_data_is_no_work() -> None:
    fields = [b"a", b"x" * 1_000_000] * 3 + [b"n", b"9" * 1_000_000, b"b", b"1"] + [b"r", b"1", b"s", b"2"] * 20_000
    assert not wanted('a ~ "*y*y*y*y*y*z" or n > 5 or r = s', fields)


def mistake(source: str) -> PointedError | None:
    try:
        assert wanted(source) in (True, False)
    except PointedError as error:
        return error
    return None


@given(st.text(max_size=60))
def test_any_text_is_an_expression_or_a_pointed_line(source: str) -> None:
    error = mistake(source)
    if error is not None:
        assert str(error).isprintable()
        assert 0 <= error.at <= len(source)
        assert all(line.isprintable() for line in error.picture)


_WORDS = [
    *("temp", "city", "id", "time", "stream", "30", "-10m", "5-1", '"Oslo"', "=", ">", "~", "and", "or", "not", "in"),
    *("exists", "(", ")", ",", "`x`"),
]


@given(st.lists(st.sampled_from(_WORDS), max_size=12))
def test_any_words_of_it_are_an_expression_or_a_pointed_line(words: list[str]) -> None:
    error = mistake(" ".join(words))
    assert error is None or str(error).isprintable()


@given(st.lists(st.binary(max_size=5), max_size=8).filter(lambda words: len(words) % 2 == 0))
def test_no_entry_is_too_odd(fields: list[bytes]) -> None:
    assert wanted('a > 1 or b ~ "*" or exists(c) or d = e or id > `f` or time > `g`', fields) in (True, False)


@given(st.binary(max_size=8).map(lambda b: b.translate(bytes(b"ab*?[]\\-"[i % 8] for i in range(256)))), st.binary())
def test_patterns_match_as_those_of_keys(pattern: bytes, name: bytes) -> None:
    name = bytes(b"ab"[byte % 2] for byte in name)
    if name:
        assert like_pattern(pattern)(name) == matches(pattern, name)


@pytest.mark.parametrize(
    ("data", "number"),
    [
        (b"1", 1), (b"-1", -1), (b"+1", 1), (b"1.5", 1.5), (b".5", 0.5), (b"5.", 5.0), (b"1e3", 1000.0), (b"007", 7),
        (b"", None), (b" 1", None), (b"1 ", None), (b"1_0", None), (b"nan", None), (b"inf", None), (b"-inf", None),
        (b"0x10", None), (b"1e", None), (b"--1", None), (b"+", None), (b".", None), (b"1" * 65, None), (b"\xff", None),
    ],
)  # fmt: skip
def test_a_number_is_decimal(data: bytes, number: float | None) -> None:
    assert number_of(data) == number
