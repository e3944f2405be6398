"""The table, character for character."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from streamcli.render import Options, grid, renderer
from streamcli.render.grid import Either, Head
from streamcli.reply import NIL_ARRAY, Arriving, Error, Map, Reply
from streamcli.text import columns
from tests.unit.test_render_support import Asked, entry, show

ASCII = Options(unicode=False)


def screen(width: int, *, unicode: bool = True, color: bool = False) -> Options:
    return Options(unicode=unicode, width=width, terminal=True, color=color)


def lines(*rows: str) -> str:
    return "".join([f"{row}\n" for row in rows])


CITIES: Reply = [
    entry("1526984818136-0", "city", "Oslo", "temp", "9"),
    entry("1526984818136-1", "city", "Bergen", "temp", "12"),
]


def test_entries_have_a_column_a_field_and_numbers_stand_right() -> None:
    assert show("table", CITIES, Asked("XRANGE")) == lines(
        "id               city    temp",
        "───────────────  ──────  ────",
        "1526984818136-0  Oslo       9",
        "1526984818136-1  Bergen    12",
    )


def test_what_takes_no_utf_8_gets_ascii() -> None:
    assert show("table", CITIES, Asked("XRANGE"), ASCII).splitlines()[1] == "---------------  ------  ----"


def test_a_field_that_an_entry_lacks_is_blank_and_an_empty_one_is_quotes() -> None:
    reply: Reply = [entry("1-1", "a", ""), entry("2-1", "b", "x"), [b"3-1", None], [b"4-1", []]]
    assert show("table", reply, Asked("XRANGE")) == lines(
        "id   a          b",
        "───  ─────────  ─",
        '1-1  ""',
        "2-1             x",
        "3-1  (deleted)",
        "4-1  (empty)",
    )


def test_a_name_that_comes_twice_has_two_columns_and_streams_come_first() -> None:
    reply: Reply = [[b"s", [[*entry("1-1", "a", "x", "a", "y"), 500, 3]]], [b"t", [entry("2-1", "id", "z")]]]
    assert show("table", reply, Asked("XREADGROUP")) == lines(
        "stream  id   idle  deliveries  a  a (2)  id (2)",
        "──────  ───  ────  ──────────  ─  ─────  ──────",
        "s       1-1   500           3  x  y",
        "t       2-1                              z",
    )


def test_wide_characters_count_twice_and_marks_not_at_all() -> None:
    reply: Reply = [entry("1-1", "city", "東京", "b", "x"), entry("1-2", "city", "Bogota\u0301", "b", "y")]
    assert show("table", reply, Asked("XRANGE")).splitlines()[2:] == ["1-1  東京    x", "1-2  Bogota\u0301  y"]


def test_what_a_terminal_could_obey_is_escaped_and_a_row_is_a_line() -> None:
    reply: Reply = [entry("1-1", b"f\x1b[2J", b"one\ntwo\xff\x07\xe2\x80\xae")]
    for options in (Options(), screen(200)):
        assert show("table", reply, Asked("XRANGE"), options).splitlines()[::2] == [
            "id   f\\x1b[2J",
            "1-1  one\\ntwo\\xff\\a\\xe2\\x80\\xae",
        ]


def test_records_have_a_row_each_and_nulls_are_said() -> None:
    groups: Reply = [[b"name", b"g", b"lag", None], Map([(b"name", b"h"), (b"lag", 13), (b"more", 1)])]
    assert show("table", groups, Asked("XINFO GROUPS")) == lines(
        "name    lag  more",
        "────  ─────  ────",
        "g     (nil)",
        "h        13     1",
    )
    assert show("table", [[b"1-1", b"a", 5, 1]], Asked("XPENDING", start="-")) == lines(
        "id   consumer  idle  deliveries",
        "───  ────────  ────  ──────────",
        "1-1  a            5           1",
    )
    maps: Reply = [Map([(b"a", [1, b"x"]), (b"b", Error("ERR no"))])]
    assert show("table", maps, None) == lines("a        b", "───────  ──────────────", '[1,"x"]  (error) ERR no')


@pytest.mark.parametrize(
    ("reply", "call"),
    [
        (7, Asked("XLEN")), (None, None), (NIL_ARRAY, Asked("XREAD")), ([], Asked("XRANGE")),
        ([], Asked("XINFO GROUPS")), ([b"1-1"], Asked("XCLAIM", justid=True)), ([b"length", 3], Asked("XINFO STREAM")),
        (b"# Server\r\n", Asked("INFO")), ([1, [2, 3]], None), ([Map([(1, 2)])], None),
    ],
)  # fmt: skip
def test_what_is_neither_entries_nor_records_is_a_tree(reply: Reply, call: Asked | None) -> None:
    assert show("table", reply, call) == show("tree", reply, call)


def test_an_item_that_is_no_entry_is_a_line_of_its_own() -> None:
    reply: Reply = [entry("1-1", "a", "x"), [b"x", [1, b"y"]]]
    assert show("table", reply, Asked("XRANGE")).splitlines()[2:] == ["1-1  x", '["x",[1,"y"]]']


def test_a_field_that_comes_late_stands_behind_its_row() -> None:
    reply: Reply = [
        entry(f"{at}-1", "a", "x" if at < 150 else "xyz", *(["b", "late"] * (at == 150))) for at in range(152)
    ]
    shown = show("table", reply, Asked("XRANGE")).splitlines()
    assert shown[0] == "id    a"
    assert shown[-2:] == ["150-1  xyz  b=late", "151-1  xyz"]


def test_a_long_value_does_not_widen_every_row() -> None:
    reply: Reply = [entry("1-1", "a", "x" * 1000, "b", "y"), entry("2-1", "a", "x", "b", "y")]
    shown = show("table", reply, Asked("XRANGE")).splitlines()
    assert shown[2] == f"1-1  {'x' * 1000}  y"
    assert shown[3] == f"2-1  x{' ' * 63}  y"


def test_a_terminal_gets_narrower_texts_then_fewer_columns_but_ids_and_numbers_whole() -> None:
    reply: Reply = [entry("1526984818136-0", "temp", "1234567890", "text", "words and words", "more", "and more words")]
    assert show("table", reply, Asked("XRANGE"), screen(50)) == lines(
        "id                     temp  text       more",
        "───────────────  ──────────  ─────────  ─────────",
        "1526984818136-0  1234567890  words an…  and more…",
    )
    assert show("table", reply, Asked("XRANGE"), screen(41, unicode=False)) == lines(
        "id                     temp  text ...",
        "---------------  ----------  --------",
        "1526984818136-0  1234567890  words...",
    )
    assert show("table", reply, Asked("XRANGE"), screen(9)) == lines("id …", "───────", "152698…")


@pytest.mark.parametrize("width", range(1, 60))
def test_no_row_of_the_first_is_wider_than_the_terminal(width: int) -> None:
    reply: Reply = [entry("1526984818136-0", "a", "東京" * 9, "b", "x" * 30, "c", "\u0301y" * 30)]
    for line in show("table", reply, Asked("XRANGE"), screen(width)).splitlines():
        assert columns(line) <= max(width, 4)


def test_a_file_gets_the_values_whole() -> None:
    reply: Reply = [entry("1-1", "a", "x" * 50, "b", "y" * 50)]
    assert f"1-1  {'x' * 50}  {'y' * 50}\n" in show("table", reply, Asked("XRANGE"), Options(width=20))


def test_colours_are_for_names_ids_and_what_is_no_data() -> None:
    reply: Reply = [entry("1-1", "a", "x", "b", "")]
    assert show("table", reply, Asked("XRANGE"), Options(color=True)) == lines(
        "\x1b[36mid\x1b[0m   \x1b[36ma\x1b[0m  \x1b[36mb\x1b[0m",
        "\x1b[2m───  ─  ──\x1b[0m",
        '\x1b[1m1-1\x1b[0m  x  \x1b[2m""\x1b[0m',
    )


def test_the_first_hundred_are_enough_to_begin_with() -> None:
    taken = 0

    def pieces() -> Iterator[list[Reply]]:
        nonlocal taken
        for at in range(1000):
            taken += 1
            yield [entry(f"{at}-1", "a", "x")]

    chunks = renderer("table")(Arriving(1000, pieces()), Asked("XRANGE"), Options())
    assert next(chunks) == "id    a"
    assert taken == 100


def test_a_megabyte_is_enough_to_begin_with() -> None:
    taken = 0

    def pieces() -> Iterator[list[Reply]]:
        nonlocal taken
        for at in range(1000):
            taken += 1
            yield [entry(f"{at}-1", "a", "x" * 300_000)]

    next(renderer("table")(Arriving(1000, pieces()), Asked("XRANGE"), Options()))
    assert taken == 4


def test_a_short_form_stands_in_when_the_row_is_too_long() -> None:
    heads = [Head("name"), Head("last")]
    rows = [["a", Either("2026-11-20 12:00:00.000 UTC", "3s ago")]]

    def drawn(width: int) -> list[str]:
        return list(grid.lines(rows, lambda _: heads, lambda row: row, screen(width)))

    assert drawn(40)[2] == "a     2026-11-20 12:00:00.000 UTC"
    assert drawn(20)[2] == "a     3s ago"
