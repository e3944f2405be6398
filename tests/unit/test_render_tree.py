"""The tree, line for line."""

from __future__ import annotations

from itertools import islice

from streamcli.render import Options, renderer
from streamcli.reply import NIL_ARRAY, OK, Arriving, Error, Map, Push, Reply, Set, Simple, Verbatim
from tests.unit.test_render_support import Asked, Unknown, entry, show

FIRST = entry("1526984818136-0", "duration", "1532", "event-id", "5", "user-id", "7782813")
SECOND = entry("1526985676425-0", "name", "Virginia", "surname", "Woolf")
READ: list[Reply] = [[b"mystream", [FIRST, entry("5-1", "a", "1")]], [b"writers", [SECOND]]]
READ_LINES = """\
mystream
├─ 1526984818136-0  2018-05-22 10:26:58.136 UTC
│    duration  "1532"
│    event-id  "5"
│    user-id   "7782813"
└─ 5-1
     a  "1"
writers
└─ 1526985676425-0  2018-05-22 10:41:16.425 UTC
     name     "Virginia"
     surname  "Woolf"
"""


def test_a_read_names_each_stream_and_hangs_its_entries_below() -> None:
    assert show("tree", READ, Asked("XREAD")) == READ_LINES


def test_resp3_reads_look_the_same_and_a_stream_may_come_twice() -> None:
    as_map = Map([(b"mystream", READ[0][1]), (b"writers", READ[1][1])])  # type: ignore[index]
    assert show("tree", as_map, Asked("XREADGROUP")) == READ_LINES
    twice = Map([(b"s", [entry("1-1", "a", "1")]), (b"s", [])])
    assert show("tree", twice, Asked("XREAD")) == 's\n└─ 1-1\n     a  "1"\ns  (empty)\n'


def test_ascii_connectors_stand_in_for_boxes() -> None:
    boxes = {"├─ ": "|- ", "└─ ": "`- ", "│": "|"}
    expected = READ_LINES
    for box, plain in boxes.items():
        expected = expected.replace(box, plain)
    assert show("tree", READ, Asked("XREAD"), Options(unicode=False)) == expected


def test_colours_mark_the_kinds_and_dim_what_is_not_data() -> None:
    shown = show("tree", [entry("1526984818136-0", "a", "1")], Asked("XRANGE"), Options(color=True))
    assert shown == (
        "\x1b[1m1526984818136-0\x1b[0m  \x1b[2m2018-05-22 10:26:58.136 UTC\x1b[0m\n"
        '  \x1b[36ma\x1b[0m  \x1b[32m"1"\x1b[0m\n'
    )
    assert show("tree", [[b"5-1", None]], Asked("XRANGE"), Options(color=True)) == (
        "\x1b[1m5-1\x1b[0m  \x1b[2m(deleted)\x1b[0m\n"
    )


def test_a_range_stands_at_the_margin_with_its_fields_two_columns_in() -> None:
    reply: Reply = [FIRST, [b"5-1", NIL_ARRAY], [b"6-1", []]]
    assert show("tree", reply, Asked("XRANGE")) == (
        "1526984818136-0  2018-05-22 10:26:58.136 UTC\n"
        '  duration  "1532"\n  event-id  "5"\n  user-id   "7782813"\n'
        "5-1  (deleted)\n"
        "6-1  (empty)\n"
    )


def test_an_item_that_is_no_entry_is_drawn_as_the_nest_it_is() -> None:
    reply: Reply = [entry("1-1", "a", "1"), [b"x", 1], None, [b"2-1", [b"odd"]]]
    assert show("tree", reply, Asked("XRANGE")) == (
        '1-1\n  a  "1"\n(array of 2)\n├─ "x"\n└─ 1\n(nil)\n(array of 2)\n├─ "2-1"\n└─ (array of 1)\n   └─ "odd"\n'
    )


def test_a_claiming_read_shows_idle_time_and_deliveries_beside_the_id() -> None:
    reply: Reply = [[b"s", [[*entry("1-1", "a", "1"), 81500, 2]]]]
    assert show("tree", reply, Asked("XREADGROUP")) == 's\n└─ 1-1  idle 81500  1m 21s  deliveries 2\n     a  "1"\n'


def test_names_align_by_display_width_up_to_24_columns() -> None:
    long = "a-name-of-more-than-24-columns"
    reply: Reply = [entry("1-1", "日本", "x", "city", "y", long, "z")]
    assert show("tree", reply, Asked("XRANGE")) == (f'1-1\n  日本{" " * 22}"x"\n  city{" " * 22}"y"\n  {long}  "z"\n')


def test_names_are_bare_when_they_are_plain_words() -> None:
    reply: Reply = [entry("1-1", "", "1", "a b", "2", "it's", "3", "b\\", "4", "100%", "5%s", b"\xff", "6", "ö", "7")]
    assert show("tree", reply, Asked("XRANGE")) == (
        '1-1\n  ""      "1"\n  "a b"   "2"\n  "it\'s"  "3"\n  "b\\\\"   "4"\n'
        '  100%    "5%s"\n  "\\xff"  "6"\n  ö       "7"\n'
    )


def test_values_show_utf8_as_text_and_escape_all_that_could_steer_a_terminal() -> None:
    hostile = 'é"\\\n\r\t\a\b\x1b[2J\x7f\x9b\u200b\u202e日\u3000本'.encode() + b"\xff"
    assert show("tree", hostile) == (
        '"é\\"\\\\\\n\\r\\t\\a\\b\\x1b[2J\\x7f\\xc2\\x9b\\xe2\\x80\\x8b\\xe2\\x80\\xae日\u3000本\\xff"\n'
    )


def test_scalars_and_empty_replies_take_one_line() -> None:
    cases: list[tuple[Reply, str]] = [
        (OK, "OK"),
        (Simple(""), "(empty)"),
        (Error("ERR no\x1b"), "(error) ERR no\\x1b"),
        (b"x", '"x"'),
        (3, "3"),
        (1.5, "1.5"),
        (3.0, "3.0"),
        (True, "(true)"),
        (False, "(false)"),
        (None, "(nil)"),
        (NIL_ARRAY, "(nil)"),
        ([], "(empty)"),
        (Map([]), "(empty)"),
        (Set([]), "(empty)"),
        (Verbatim("txt", b"one\r\ntwo\x1b\r\n"), "one\ntwo\\x1b"),
    ]
    for reply, line in cases:
        assert show("tree", reply) == line + "\n"


def test_a_read_of_nothing_is_nil_and_an_empty_range_is_empty() -> None:
    assert show("tree", NIL_ARRAY, Asked("XREAD")) == "(nil)\n"
    assert show("tree", [], Asked("XRANGE")) == "(empty)\n"


def test_a_page_of_text_is_shown_as_lines_and_not_quoted() -> None:
    assert show("tree", b"# Server\r\nversion:8\r\n", Asked("INFO")) == "# Server\nversion:8\n"
    assert show("tree", b"# Server\r\nversion:8\r\n", Unknown(b"info")) == "# Server\nversion:8\n"


def test_nests_of_any_kind_hang_on_connectors_and_say_their_size() -> None:
    deep = Map([(b"k", [1, 2]), (3, b"x"), (b"m", Map([(b"a", 1)])), ([1, Set([b"z"])], None)])
    reply: Reply = [1, [2, [], deep], Set([1.5]), Push([b"p"])]
    assert show("tree", reply) == (
        "├─ 1\n├─ (array of 3)\n│  ├─ 2\n│  ├─ (empty)\n│  └─ (map of 4)\n"
        '│       k\n│       ├─ 1\n│       └─ 2\n│       3           "x"\n│       m\n│         a  1\n'
        '│       [1, ["z"]]  (nil)\n├─ (set of 1)\n│  └─ 1.5\n└─ (push of 1)\n   └─ "p"\n'
    )


def test_an_array_of_short_arrays_has_a_row_for_each_and_the_outer_one_is_seen() -> None:
    assert show("tree", [[b"a", 1.0], [b"b c", 22.5]], Unknown(b"ZRANGE")) == '├─ "a"  1.0\n└─ "b c"  22.5\n'
    assert show("tree", [[b"13.36", b"38.11"]]) == '└─ "13.36"  "38.11"\n'
    assert show("tree", [[b"a"], [1, None, True], []]) == (
        '├─ (array of 1)\n│  └─ "a"\n├─ 1  (nil)  (true)\n└─ (empty)\n'
    )
    assert show("tree", [b"k", [b"x", [b"y", 2]]]) == '├─ "k"\n└─ (array of 2)\n   ├─ "x"\n   └─ "y"  2\n'
    assert show("tree", [[b"a", 1]], None, Options(unicode=False)) == '`- "a"  1\n'


def test_what_is_too_much_for_a_row_stands_below_each_other() -> None:
    assert show("tree", [list(range(9))]).startswith("└─ (array of 9)\n   ├─ 0\n   ├─ 1\n")
    assert show("tree", [[b"x" * 60, b"y" * 60]]).startswith('└─ (array of 2)\n   ├─ "xxx')
    assert show("tree", [[b"x", Error("ERR a  b")]]) == '└─ (array of 2)\n   ├─ "x"\n   └─ (error) ERR a  b\n'


def test_colours_do_not_count_for_the_width_of_a_row() -> None:
    for wide in (47, 48):
        reply: Reply = [[b"x" * 47, b"y" * wide]]
        lines = len(show("tree", reply, None, Options(color=True)).splitlines())
        assert lines == len(show("tree", reply).splitlines()) == (1 if wide == 47 else 3)


def test_an_array_of_arrays_comes_row_by_row() -> None:
    pieces: list[list[Reply]] = [[[b"a", 1.0]], [[b"b", 2.0]]]
    chunks = renderer("tree")(Arriving(2, iter(pieces)), None, Options())
    assert next(chunks) == '├─ "a"  1.0'
    assert pieces.pop() == [[b"b", 2.0]]
    assert list(chunks) == []


def test_a_cursor_and_what_a_scan_has_found_are_named() -> None:
    assert show("tree", [b"7", [b"a", b"b"]], Unknown(b"scan", b"0")) == 'cursor  "7"\nkeys\n├─ "a"\n└─ "b"\n'
    assert show("tree", [b"0", []], Unknown(b"SSCAN", b"s", b"0")) == 'cursor   "0"\nmembers  (empty)\n'
    pairs: Reply = [b"0", [b"a", b"1", b"b", b"2"]]
    assert show("tree", pairs, Unknown(b"HSCAN", b"h", b"0")) == 'cursor  "0"\nfields\n  a  "1"\n  b  "2"\n'
    assert show("tree", pairs, Unknown(b"HSCAN", b"h", b"0", b"novalues")) == (
        'cursor  "0"\nfields\n├─ "a"\n├─ "1"\n├─ "b"\n└─ "2"\n'
    )
    assert show("tree", pairs, Unknown(b"ZSCAN", b"z", b"0")) == ('cursor  "0"\nmembers\n├─ "a"  "1"\n└─ "b"  "2"\n')
    assert show("tree", [b"0", 5], Unknown(b"SCAN", b"0")) == '"0"\n5\n'


def test_flat_pairs_are_pairs_where_the_command_answers_pairs() -> None:
    for call in (Unknown(b"HGETALL", b"h"), Asked("CONFIG GET"), Unknown(b"hello", b"2")):
        assert show("tree", [b"a", b"1", b"long", 2], call) == 'a     "1"\nlong  2\n'
        assert show("tree", [b"a", b"1", b"long"], call) == '"a"\n"1"\n"long"\n'
        assert show("tree", Error("ERR x"), call) == "(error) ERR x\n"
    scores: list[Reply] = [b"a", b"1", b"b", b"2"]
    rows = '├─ "a"  "1"\n└─ "b"  "2"\n'
    assert show("tree", scores, Unknown(b"ZRANGE", b"z", b"0", b"-1", b"withscores")) == rows
    assert show("tree", Arriving(4, iter([scores[:3], scores[3:]])), Unknown(b"ZPOPMIN", b"z", b"2")) == rows
    assert show("tree", scores, Unknown(b"ZRANGE", b"z", b"0", b"-1")) == '"a"\n"1"\n"b"\n"2"\n'
    assert show("tree", [[b"id", 1]], Unknown(b"ACL", b"LOG")) == "└─ (map of 1)\n     id  1\n"
    assert show("json", scores, Unknown(b"HGETALL", b"h")) == '[\n  "a",\n  "1",\n  "b",\n  "2"\n]\n'


def test_known_answers_within_a_transaction_are_shown_alike() -> None:
    call = Asked("EXEC", queued=[Unknown(b"SCAN", b"0"), Unknown(b"HGETALL", b"h")])  # type: ignore[list-item]
    assert show("tree", [[b"0", [b"a"]], [b"f", b"v"]], call) == (
        'SCAN\n  cursor  "0"\n  keys\n  └─ "a"\nHGETALL\n  f  "v"\n'
    )


def test_xautoclaim_names_its_three_parts() -> None:
    reply: Reply = [b"0-0", [entry("1-1", "a", "1")], [b"1526985676425-0"]]
    assert show("tree", reply, Asked("XAUTOCLAIM")) == (
        'next  0-0\nentries\n└─ 1-1\n     a  "1"\ndeleted\n└─ 1526985676425-0  2018-05-22 10:41:16.425 UTC\n'
    )
    assert show("tree", [b"1-2", [b"1-1"], []], Asked("XAUTOCLAIM", justid=True)) == (
        "next     1-2\nids\n└─ 1-1\ndeleted  (empty)\n"
    )


def test_xclaim_justid_lists_ids_with_their_time() -> None:
    assert show("tree", [b"1526984818136-0", b"5-1"], Asked("XCLAIM", justid=True)) == (
        "1526984818136-0  2018-05-22 10:26:58.136 UTC\n5-1\n"
    )


def test_xpending_sums_up_by_consumer() -> None:
    reply: Reply = [3, b"1-1", b"5-1", [[b"alice", b"2"], [b"bo", b"1"]]]
    assert show("tree", reply, Asked("XPENDING")) == (
        'total   3\nmin-id  1-1\nmax-id  5-1\nconsumers\n├─ alice  "2"\n└─ bo     "1"\n'
    )
    assert show("tree", [0, None, None, NIL_ARRAY], Asked("XPENDING")) == (
        "total      0\nmin-id     (nil)\nmax-id     (nil)\nconsumers  (nil)\n"
    )


def test_xpending_rows_say_idle_time_as_people_do() -> None:
    assert show("tree", [[b"5-1", b"alice", 81500, 1]], Asked("XPENDING", start="-")) == (
        '5-1\n  consumer    "alice"\n  idle        81500  1m 21s\n  deliveries  1\n'
    )


def test_xinfo_stream_shows_its_first_and_last_entry() -> None:
    flat: list[Reply] = [b"length", 1, b"last-generated-id", b"1526984818136-0"]
    flat += [b"first-entry", entry("5-1", "a", "1"), b"last-entry", None]
    expected = (
        "length             1\nlast-generated-id  1526984818136-0  2018-05-22 10:26:58.136 UTC\n"
        'first-entry\n└─ 5-1\n     a  "1"\nlast-entry         (nil)\n'
    )
    assert show("tree", flat, Asked("XINFO STREAM")) == expected
    as_map = Map(list(zip(flat[::2], flat[1::2], strict=True)))
    assert show("tree", as_map, Asked("XINFO STREAM")) == expected


def test_xinfo_stream_full_nests_groups_consumers_and_what_is_pending() -> None:
    consumer: Reply = [b"name", b"alice", b"seen-time", 1526984818136, b"active-time", -1, b"pending", [[b"5-1", 1, 2]]]
    group: Reply = [b"name", b"g", b"lag", None, b"pending", [[b"5-1", b"alice", 1, 2]], b"consumers", [consumer]]
    reply: Reply = [b"length", 1, b"entries", [entry("5-1", "a", "1")], b"groups", [group]]
    assert (
        show("tree", reply, Asked("XINFO STREAM", full=True))
        == """\
length  1
entries
└─ 5-1
     a  "1"
groups
└─ g
     lag  (nil)
     pending
     └─ 5-1
          consumer       "alice"
          delivery-time  1
          deliveries     2
     consumers
     └─ alice
          seen-time    1526984818136  2018-05-22 10:26:58.136 UTC
          active-time  -1  never
          pending
          └─ 5-1
               delivery-time  1
               deliveries     2
"""
    )


def test_xinfo_groups_and_consumers_put_each_record_under_its_name() -> None:
    groups: Reply = [[b"name", b"a b", b"consumers", 2], [b"name", b"z", b"consumers", 0, b"lag", None]]
    assert (
        show("tree", groups, Asked("XINFO GROUPS")) == '"a b"\n  consumers  2\nz\n  consumers  0\n  lag        (nil)\n'
    )
    consumers: Reply = [Map([(b"name", b"x"), (b"idle", 9104628), (b"inactive", -1)])]
    assert (
        show("tree", consumers, Asked("XINFO CONSUMERS")) == "x\n  idle      9104628  2h 31m\n  inactive  -1  never\n"
    )


def test_exec_shows_each_answer_under_its_command() -> None:
    call = Asked("EXEC", queued=[Asked("XADD"), Asked("XRANGE"), Asked("XINFO STREAM")])
    reply: Reply = [b"1-1", [entry("1-1", "a", "1")], Error("ERR no such key")]
    assert show("tree", reply, call) == (
        'XADD          "1-1"\nXRANGE\n└─ 1-1\n     a  "1"\nXINFO STREAM  (error) ERR no such key\n'
    )
    assert show("tree", reply, Asked("EXEC")).splitlines()[0] == '├─ "1-1"'


def test_what_does_not_fit_the_command_is_drawn_plainly() -> None:
    cases: list[tuple[Asked, Reply, str]] = [
        (Asked("XREAD"), [[b"s"]], '└─ (array of 1)\n   └─ "s"\n'),
        (Asked("XREAD"), 7, "7\n"),
        (Asked("XPENDING"), [1, 2, 3, 4], "1\n2\n3\n4\n"),
        (Asked("XPENDING", start="-"), [[b"1-1", 1]], '└─ "1-1"  1\n'),
        (Asked("XAUTOCLAIM"), [b"0-0"], '"0-0"\n'),
        (Asked("XINFO STREAM"), [b"a", 1, b"a", 2], '"a"\n1\n"a"\n2\n'),
        (Asked("XINFO STREAM"), [b"\xff", 1], '"\\xff"\n1\n'),
        (Asked("XCLAIM", justid=True), [1], "1\n"),
        (Asked("XINFO GROUPS"), Error("ERR no such key"), "(error) ERR no such key\n"),
    ]
    for call, reply, shown in cases:
        assert show("tree", reply, call) == shown


def test_the_first_entry_comes_before_the_second_is_looked_at() -> None:
    items: list[Reply] = [entry("1-1", "a", "1"), entry("2-1", "a", "2")]
    chunks = renderer("tree")(items, Asked("XRANGE"), Options())
    assert list(islice(chunks, 1)) == ['1-1\n  a  "1"']
    items[1] = b"changed"
    assert list(chunks) == ['"changed"']
