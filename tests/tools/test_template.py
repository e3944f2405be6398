"""Templates: what stands in braces, columns, and what a mistake is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamcli.ids import StreamID
from streamcli.tools.pointing import PointedError
from streamcli.tools.template import compiled

ID = StreamID(1_526_984_818_136, 0)
FIELDS = [b"city", b"Oslo", b"temp", b"31", b"tag", b"a", b"tag", b"b", b"odd:name", b"x", b"id", b"7"]


def line(source: str, fields: list[bytes] | None = None, *, terminal: bool = False) -> str:
    return compiled(source, terminal=terminal)(b"readings", ID, FIELDS if fields is None else fields)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{time} {id} {stream} {city}: {temp}", "2018-05-22 10:26:58.136 UTC 1526984818136-0 readings Oslo: 31"),
        ("", ""),
        ("plain", "plain"),
        ("{{{city}}}", "{Oslo}"),
        ("{ms} {gone}|", "1526984818136 |"),
        ("{tag}", "a, b"),
        ("{`odd:name`} {`id`}", "x 7"),
        ("[{city:>8}] [{city:<8}] [{city:^8}] [{city:8}]", "[    Oslo] [Oslo    ] [  Oslo  ] [Oslo    ]"),
        ("[{city:.2}] [{city:>4.2}] [{city:2}]", "[Os] [  Os] [Oslo]"),
        ("a\\tb\\nc\\\\d\\e", "a\tb\nc\\d\\e"),
        ("{ city }", "Oslo"),
    ],
)
def test_what_stands_in_braces_is_filled_in(source: str, text: str) -> None:
    assert line(source) == text


def test_all_fields_are_shown_as_words() -> None:
    assert line("{fields}", [b"a b", b'"\x00', b"", b"\xff"]) == '"a b"="\\"\\x00" ""="\\xff"'


def test_columns_are_those_of_a_terminal() -> None:
    fields = [b"k", "東京".encode()]
    assert line("[{k:>6}] [{k:.3}]", fields) == "[  東京] [東]"


def test_nothing_of_an_entry_steers_a_terminal() -> None:
    fields = [b"k", b"\x1b[2J\r\n\xff"]
    assert line("{k}", fields, terminal=True) == "\\x1b[2J\\r\\n\\xff"
    assert line("{k}", fields).encode("utf-8", "surrogateescape") == b"\x1b[2J\r\n\xff"


@pytest.mark.parametrize(
    ("source", "column", "text"),
    [
        ("{", 1, "a name is wanted in the braces; a brace itself is {{"),
        ("{}", 1, "a name is wanted in the braces; a brace itself is {{"),
        ("ab {city", 4, "this { is not closed"),
        ("ab}", 3, "this } closes nothing; a brace itself is }}"),
        ("{city:x}", 7, "} is wanted here, not x"),
        ("{city:>99999}", 8, "a width is 1000 at most"),
        ("{city:>1001}", 8, "a width is 1000 at most"),
        ("{`city}", 2, "this name has no closing `"),
        ("{a{b}}", 3, "} is wanted here, not {"),
    ],
)
def test_a_mistake_is_named_with_its_column(source: str, column: int, text: str) -> None:
    with pytest.raises(PointedError) as raised:
        line(source)
    assert str(raised.value) == f"--template, column {column}: {text}"


@given(st.text(alphabet="{}`:<>.^0123abc\\n \x1b\udcff", max_size=30), st.binary(max_size=6))
def test_any_text_is_a_template_or_a_pointed_line(source: str, value: bytes) -> None:
    told = ""
    try:
        shown = line(source, [b"a", value, b"abc", value], terminal=True)
    except PointedError as error:
        told, shown = str(error), ""
    assert told.isprintable()
    assert len(shown) <= 8000
