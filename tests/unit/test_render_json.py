"""JSON and JSON lines, character for character."""

from __future__ import annotations

import json

from streamcli.reply import NIL_ARRAY, OK, Error, Map, Push, Reply, Set, Simple, Verbatim
from tests.unit.test_render_support import Asked, entry, show

ENTRY = entry("1-1", "city", "Oslo", "city", 'a"b')


def test_a_read_is_an_array_of_streams_with_ordered_pairs() -> None:
    assert (
        show("json", [[b"s", [ENTRY, [b"2-1", None]]], [b"t", []]], Asked("XREAD"))
        == """\
[
  {
    "stream": "s",
    "entries": [
      {
        "id": "1-1",
        "fields": [
          ["city", "Oslo"],
          ["city", "a\\"b"]
        ]
      },
      {
        "id": "2-1",
        "fields": null
      }
    ]
  },
  {
    "stream": "t",
    "entries": []
  }
]
"""
    )


def test_both_protocols_give_the_same_document() -> None:
    flat: list[Reply] = [b"length", 1, b"first-entry", ENTRY, b"last-entry", None]
    as_map = Map(list(zip(flat[::2], flat[1::2], strict=True)))
    assert show("json", flat, Asked("XINFO STREAM")) == show("json", as_map, Asked("XINFO STREAM"))
    assert show("json", [[b"s", [ENTRY]]], Asked("XREAD")) == show("json", Map([(b"s", [ENTRY])]), Asked("XREAD"))


def test_each_kind_of_reply_keeps_its_type() -> None:
    cases: list[tuple[Reply, str]] = [
        (3, "3"),
        (1.5, "1.5"),
        (3.0, "3.0"),
        (float("inf"), '"inf"'),
        (float("-inf"), '"-inf"'),
        (float("nan"), '"nan"'),
        (True, "true"),
        (False, "false"),
        (None, "null"),
        (NIL_ARRAY, "null"),
        (OK, '"OK"'),
        (b"O\xc3\xb6", '"Oö"'),
        (b"\xff\x00", '{"base64": "/wA="}'),
        (Verbatim("txt", b"a\nb"), '"a\\nb"'),
        (Error("ERR no"), '{"error": "ERR no"}'),
        (Error("ERR \udcff"), '{"error": {"base64": "RVJSIP8="}}'),
        ([], "[]"),
        (Map([]), "{}"),
        (Set([1]), "[\n  1\n]"),
        (Push([b"a", []]), '[\n  "a",\n  []\n]'),
    ]
    for reply, text in cases:
        assert show("json", reply) == text + "\n"


def test_a_map_is_an_object_only_when_its_keys_are_distinct_strings() -> None:
    assert show("json", Map([(b"a", 1), (Simple("b"), [2])])) == '{\n  "a": 1,\n  "b": [\n    2\n  ]\n}\n'
    assert show("json", Map([(b"a", 1), (b"a", 2)])) == '[\n  [\n    "a",\n    1\n  ],\n  [\n    "a",\n    2\n  ]\n]\n'
    assert show("jsonl", Map([(1, 2)])) == "[[1,2]]\n"
    assert show("jsonl", Map([(b"\xff", 2)])) == '[[{"base64":"/w=="},2]]\n'


def test_what_is_hard_to_see_is_escaped_and_reads_back() -> None:
    text = 'é\x00\x1b\x7f\x9b\u200b\u202e\U000e0001日\u3000本"\\'
    assert show("json", text.encode()) == (
        '"é\\u0000\\u001b\\u007f\\u009b\\u200b\\u202e\\udb40\\udc01日\u3000本\\"\\\\"\n'
    )
    assert json.loads(show("json", text.encode())) == text


def test_fields_that_are_no_text_or_hold_newlines_are_told_apart() -> None:
    reply: Reply = [entry("1-1", "a\n", "1\n2", "b%", b"\xff", "c", "100%s")]
    assert json.loads(show("json", reply, Asked("XRANGE"))) == [
        {"id": "1-1", "fields": [["a\n", "1\n2"], ["b%", {"base64": "/w=="}], ["c", "100%s"]]}
    ]
    assert show("jsonl", reply, Asked("XRANGE")) == (
        '{"id":"1-1","fields":[["a\\n","1\\n2"],["b%",{"base64":"/w=="}],["c","100%s"]]}\n'
    )


def test_a_claiming_read_adds_idle_and_deliveries() -> None:
    reply: Reply = [[b"s", [[*entry("1-1", "a", "1"), 81500, 2]]]]
    assert json.loads(show("json", reply, Asked("XREADGROUP")))[0]["entries"] == [
        {"id": "1-1", "fields": [["a", "1"]], "idle": 81500, "deliveries": 2}
    ]
    assert show("jsonl", reply, Asked("XREADGROUP")) == (
        '{"stream":"s","id":"1-1","fields":[["a","1"]],"idle":81500,"deliveries":2}\n'
    )


def test_xpending_and_xautoclaim_are_objects_by_name() -> None:
    summary: Reply = [2, b"1-1", b"5-1", [[b"alice", b"2"]]]
    assert show("jsonl", summary, Asked("XPENDING")) == (
        '{"total":2,"min-id":"1-1","max-id":"5-1","consumers":[{"name":"alice","pending":"2"}]}\n'
    )
    assert json.loads(show("json", [0, None, None, NIL_ARRAY], Asked("XPENDING"))) == {
        "total": 0,
        "min-id": None,
        "max-id": None,
        "consumers": None,
    }
    assert show("jsonl", [[b"1-1", b"a", 5, 1], [b"2-1", b"", -1, 3]], Asked("XPENDING", start="-")) == (
        '{"id":"1-1","consumer":"a","idle":5,"deliveries":1}\n{"id":"2-1","consumer":"","idle":-1,"deliveries":3}\n'
    )
    assert show("jsonl", [b"0-0", [ENTRY], [b"3-1"]], Asked("XAUTOCLAIM")) == (
        '{"next":"0-0","entries":[{"id":"1-1","fields":[["city","Oslo"],["city","a\\"b"]]}],"deleted":["3-1"]}\n'
    )
    assert show("jsonl", [b"0-0", [b"1-1"]], Asked("XAUTOCLAIM", justid=True)) == '{"next":"0-0","ids":["1-1"]}\n'


def test_jsonl_puts_each_entry_or_record_on_a_line_and_nothing_for_no_entries() -> None:
    assert show("jsonl", [[b"s", [ENTRY, [b"2-1", None]]]], Asked("XREAD")) == (
        '{"stream":"s","id":"1-1","fields":[["city","Oslo"],["city","a\\"b"]]}\n'
        '{"stream":"s","id":"2-1","fields":null}\n'
    )
    assert show("jsonl", [[b"name", b"g", b"lag", None]], Asked("XINFO GROUPS")) == '{"name":"g","lag":null}\n'
    assert show("jsonl", NIL_ARRAY, Asked("XREAD")) == ""
    assert show("jsonl", [[b"s", []]], Asked("XREADGROUP")) == ""
    assert show("jsonl", [], Asked("XRANGE")) == ""
    assert show("jsonl", None) == "null\n"
    assert show("jsonl", [1, [b"a"]]) == '[1,["a"]]\n'


def test_an_answer_of_exec_is_shaped_by_its_own_command() -> None:
    call = Asked("EXEC", queued=[Asked("XADD"), Asked("XRANGE")])
    assert show("jsonl", [b"1-1", [entry("1-1", "a", "1")]], call) == '["1-1",[{"id":"1-1","fields":[["a","1"]]}]]\n'
    assert json.loads(show("json", [b"1-1", Error("ERR x")], call)) == ["1-1", {"error": "ERR x"}]
