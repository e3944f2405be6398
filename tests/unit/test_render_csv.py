"""CSV, cell for cell."""

from __future__ import annotations

from streamcli.render import Options
from streamcli.reply import NIL_ARRAY, Error, Map, Reply, Set, Simple, Verbatim
from tests.unit.test_render_support import Asked, entry, show


def test_entries_have_a_column_a_name_in_order_of_first_appearance() -> None:
    reply: Reply = [entry("1-1", "b", "1", "a", "2"), entry("2-1", "c", "3", "a", "4"), [b"3-1", None]]
    assert show("csv", reply, Asked("XRANGE")) == "id,b,a,c\n1-1,1,2,\n2-1,,4,3\n3-1,,,\n"


def test_a_name_that_comes_twice_in_an_entry_has_two_columns() -> None:
    reply: Reply = [entry("1-1", "a", "1"), entry("2-1", "a", "1", "b", "2", "a", "3")]
    assert show("csv", reply, Asked("XRANGE")) == "id,a,b,a (2)\n1-1,1,,\n2-1,1,2,3\n"
    reply = [entry("1-1", "id", "1", "stream", "2", "id (2)", "3", "id", "4")]
    assert show("csv", reply, Asked("XRANGE")) == "id,id (2),stream,id (2) (2),id (3)\n1-1,1,2,3,4\n"


def test_streams_come_first_and_claims_after_the_id() -> None:
    reply: Reply = [[b"s", [entry("1-1", "a", "1")]], [b"t", [[*entry("2-1", "a", "2"), 500, 3]]]]
    assert show("csv", reply, Asked("XREADGROUP")) == "stream,id,idle,deliveries,a\ns,1-1,,,1\nt,2-1,500,3,2\n"


def test_no_entries_leave_the_header() -> None:
    assert show("csv", [], Asked("XRANGE")) == "id\n"
    assert show("csv", NIL_ARRAY, Asked("XREAD")) == "stream,id\n"
    assert show("csv", NIL_ARRAY, Asked("XRANGE")) == "id\n"


def test_cells_are_quoted_as_rfc_4180_says() -> None:
    reply: Reply = [entry("1-1", "a,b", 'say "x"', "c", "1\n2", "d", "1\r2", "e", b"\xff", "f", "")]
    assert show("csv", reply, Asked("XRANGE")) == 'id,"a,b",c,d,e,f\n1-1,"say ""x""","1\n2","1\r2",\\xff,\n'


def test_records_and_rows_have_their_names_for_a_header() -> None:
    groups: Reply = [[b"name", b"g", b"lag", None], [b"name", b"h", b"lag", 3, b"more", 1]]
    assert show("csv", groups, Asked("XINFO GROUPS")) == "name,lag,more\ng,,\nh,3,1\n"
    assert show("csv", [[b"1-1", b"a", 5, 1]], Asked("XPENDING", start="-")) == (
        "id,consumer,idle,deliveries\n1-1,a,5,1\n"
    )
    assert show("csv", [b"1-1", b"2-1"], Asked("XCLAIM", justid=True)) == "id\n1-1\n2-1\n"


def test_a_part_that_is_nested_is_json_in_its_cell() -> None:
    assert show("csv", [1, b"1-1", b"1-1", [[b"a", b"1"]]], Asked("XPENDING")) == (
        'total,min-id,max-id,consumers\n1,1-1,1-1,"[{""name"":""a"",""pending"":""1""}]"\n'
    )


def test_anything_else_is_rows_of_what_is_nested_laid_flat() -> None:
    nest: Reply = [
        1,
        [2, [b"a", Map([(b"k", None)])]],
        Set([True]),
        Error("ERR x"),
        Simple("OK"),
        Verbatim("txt", b"v"),
    ]
    assert show("csv", nest) == "1\n2,a,k,\ntrue\nERR x\nOK\nv\n"
    assert show("csv", Map([(b"a", 1), (b"b", [2, 3])])) == "a,1\nb,2,3\n"
    assert show("csv", None) == '""\n'
    assert show("csv", 1.5) == "1.5\n"
    assert show("csv", [entry("1-1", "a", "1"), [b"x", 1]], Asked("XRANGE")) == "1-1,a,1\nx,1\n"


def test_on_a_terminal_no_control_character_passes_but_the_newline() -> None:
    assert show("csv", b"a\x1b[2J\r\nb\x7f", None, Options(terminal=True)) == '"a\\x1b[2J\nb\\x7f"\n'
