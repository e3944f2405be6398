"""`tail`: what is there, in one order and every format; and what is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamcli.backend.embedded import Embedded
from streamcli.backend.remote import connect
from streamcli.flags import UsageError
from streamcli.render import Options
from streamcli.tools import follow
from streamcli.tools.job import ToolError
from tests.e2e.program import Program, said
from tests.remote.processes import Server
from tests.remote.proxy import Proxy
from tests.tools.desk import Desk, There
from tests.tools.tailing import fill, ids, shown

Proxied = Callable[[int | str], Proxy]


# -- what is there --------------------------------------------------------------------------


def test_streams_are_merged_by_id(there: There) -> None:
    fill(there, "a 1-1", "b 1-2", "a 2-0", "b 2-0", "c 1-0", "a 3-0")
    assert shown(there, "a", "b", "c", "gone", "--from", "start", "--no-follow") == [
        "c 1-0", "a 1-1", "b 1-2", "a 2-0", "b 2-0", "a 3-0",
    ]  # fmt: skip


def test_a_stream_that_is_named_twice_is_shown_once(there: There) -> None:
    fill(there, "a 1-1")
    assert shown(there, "a", "a", "--no-follow") == ["a 1-1"]


def test_the_last_ten_of_all_streams_are_shown(there: There) -> None:
    fill(there, *(f"a {number}-0" for number in range(1, 9)), *(f"b {number}-0" for number in range(5, 12)))
    found = shown(there, "a", "b", "--no-follow")
    assert found == [
        "b 5-0", "a 6-0", "b 6-0", "a 7-0", "b 7-0", "a 8-0", "b 8-0", "b 9-0", "b 10-0", "b 11-0",
    ]  # fmt: skip
    assert shown(there, "b", "a", "--no-follow", "--from", "-4") == ["a 8-0", "b 9-0", "b 10-0", "b 11-0"]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["--from", "start"], [1, 2, 3, 4]),
        (["--from", "-"], [1, 2, 3, 4]),
        (["--from", "2-0"], [2, 3, 4]),
        (["--from", "(2-0"], [3, 4]),
        (["--from", "-2"], [3, 4]),
        (["--from", "-9"], [1, 2, 3, 4]),
        (["--from", "-0"], []),
        (["--from", "end"], []),
        (["--from", "start", "--until", "3"], [1, 2, 3]),
        (["--from", "start", "--until", "(3-0"], [1, 2]),
        (["--from", "-2", "--until", "3-0"], [2, 3]),
        (["--from", "5-0"], []),
        (["--from", "3-0", "--until", "2-0"], []),
        (["--from", "1970-01-01T00:00:00.003Z"], [3, 4]),
        (["--from", "start", "-n", "2"], [1, 2]),
        (["-n", "2"], [3, 4]),
        (["-n", "2147483647"], [1, 2, 3, 4]),
        (["-n", "1", "--where", "n < 4"], [1]),
        (["--from", "start", "--where", "n > 1", "-n", "2"], [2, 3]),
        (["--from", "start", "--where", "id = 2-0 or time > 1970-01-01T00:00:00.003Z"], [2, 4]),
    ],
)
def test_where_it_begins_and_ends(there: There, words: list[str], wanted: list[int]) -> None:
    fill(there, *(f"a {number}-0 n {number}" for number in range(1, 5)))
    assert shown(there, "a", "--no-follow", *words) == [f"a {number}-0" for number in wanted]


def test_it_ends_where_it_was_to_end_without_being_told_not_to_follow(there: There) -> None:
    fill(there, *(f"a {number}-0 n {number}" for number in range(1, 5)))
    assert shown(there, "a", "--from", "start", "--until", "end") == ["a 1-0", "a 2-0", "a 3-0", "a 4-0"]
    assert shown(there, "a", "--from", "start", "--until", "3-0") == ["a 1-0", "a 2-0", "a 3-0"]
    assert shown(there, "a", "--from", "start", "--until", "now") == ["a 1-0", "a 2-0", "a 3-0", "a 4-0"]
    assert shown(there, "a", "--from", "start", "-n", "1") == ["a 1-0"]


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3)).filter(any), unique=True),
        max_size=4,
    ),
    st.integers(1, 12),
    st.integers(0, 40),
)
def test_whatever_the_pages_all_of_it_comes_in_order(
    streams: list[list[tuple[int, int]]], page: int, last: int
) -> None:
    backend = Embedded()
    before = follow.page_size
    follow.page_size = lambda streams, most: page
    try:
        for number, stream in enumerate(streams):
            for ms, seq in sorted(stream):
                backend.execute((b"XADD", b"%d" % number, b"%d-%d" % (ms, seq), b"n", b""))
        every = sorted((id, number) for number, stream in enumerate(streams) for id in stream)
        wanted = [f"{number} {ms}-{seq}" for (ms, seq), number in every]
        names = [str(number) for number in range(max(1, len(streams)))]
        for begin, those in (("start", wanted), (f"-{last}", wanted[-last:] if last else [])):
            desk = Desk(backend, "jsonl")
            assert desk.run("tail", *names, "--from", begin, "--no-follow") == 0
            assert ids(desk.shown) == those
    finally:
        follow.page_size = before
        backend.close()


# -- how it looks ---------------------------------------------------------------------------

TREE = """\
a
  1526984818136-0  2018-05-22 10:26:58.136 UTC
    city  "Oslo"
    temp  "31"
b
  1526984818136-0  2018-05-22 10:26:58.136 UTC
    city  "a\\tb"
  1526984818136-1  2018-05-22 10:26:58.136 UTC
    temp  "1"
    temp  "2"
    odd   "\\xff"
"""
JSONL = """\
{"stream":"a","id":"1526984818136-0","fields":[["city","Oslo"],["temp","31"]]}
{"stream":"b","id":"1526984818136-0","fields":[["city","a\\tb"]]}
{"stream":"b","id":"1526984818136-1","fields":[["temp","1"],["temp","2"],["odd",{"base64":"/w=="}]]}
"""
CSV = """\
stream,id,city,temp,other
a,1526984818136-0,Oslo,31,
b,1526984818136-0,a\tb,,
b,1526984818136-1,,1,"[[""temp"",""2""],[""odd"",{""base64"":""/w==""}]]"
"""
CLASSIC = """\
1) "a"
2) "1526984818136-0"
3) 1) "city"
   2) "Oslo"
   3) "temp"
   4) "31"
1) "b"
2) "1526984818136-0"
3) 1) "city"
   2) "a\\tb"
1) "b"
2) "1526984818136-1"
3) 1) "temp"
   2) "1"
   3) "temp"
   4) "2"
   5) "odd"
   6) "\\xff"
"""
RAW = """\
a
1526984818136-0
city
Oslo
temp
31
b
1526984818136-0
city
a\tb
b
1526984818136-1
temp
1
temp
2
odd
\udcff
"""
TABLE = """\
id               time                         stream  city  temp  temp (2)  odd
───────────────  ───────────────────────────  ──────  ────  ────  ────────  ────
1526984818136-0  2018-05-22 10:26:58.136 UTC  a       Oslo    31
1526984818136-0  2018-05-22 10:26:58.136 UTC  b       a\\tb
1526984818136-1  2018-05-22 10:26:58.136 UTC  b                1         2  \\xff
"""
CHOSEN_TABLE = """\
id               time                         stream  temp  city
───────────────  ───────────────────────────  ──────  ────  ────
1526984818136-0  2018-05-22 10:26:58.136 UTC  a       31    Oslo
1526984818136-0  2018-05-22 10:26:58.136 UTC  b             a\\tb
1526984818136-1  2018-05-22 10:26:58.136 UTC  b       1, 2
"""
CHOSEN = ["--fields", "temp,city"]


@pytest.mark.parametrize(
    ("format", "words", "text"),
    [
        ("tree", [], TREE),
        ("json", [], JSONL),
        ("jsonl", [], JSONL),
        (None, [], JSONL),
        ("csv", [], CSV),
        ("classic", [], CLASSIC),
        ("raw", [], RAW),
        ("table", [], TABLE),
        ("table", CHOSEN, CHOSEN_TABLE),
        ("raw", CHOSEN, "a\t1526984818136-0\t31\tOslo\nb\t1526984818136-0\t\ta\tb\nb\t1526984818136-1\t1, 2\t\n"),
        (
            "csv",
            CHOSEN,
            'stream,id,temp,city\na,1526984818136-0,31,Oslo\nb,1526984818136-0,,a\tb\nb,1526984818136-1,"1, 2",\n',
        ),
        (
            "json",
            ["--fields", "odd", "--from", "start", "-n", "1"],
            '{"stream":"a","id":"1526984818136-0","fields":[]}\n',
        ),
        (
            "tree",
            ["--fields", "temp", "--from", "start", "-n", "1"],
            "\n".join(TREE.splitlines()[:2]) + '\n    temp  "31"\n',
        ),
        ("tree", ["--template", "{stream} {city:>5} {temp}"], "a  Oslo 31\nb   a\tb \nb       1, 2\n"),
    ],
)
def test_every_format(there: There, format: str | None, words: list[str], text: str) -> None:
    there.call("XADD", "a", "1526984818136-0", "city", "Oslo", "temp", 31)
    there.call("XADD", "b", "1526984818136-0", "city", "a\tb")
    there.call("XADD", "b", "1526984818136-1", "temp", 1, "temp", 2, "odd", b"\xff")
    desk = Desk(there.backend(), format)
    assert desk.run("tail", "a", "b", "--no-follow", *words) == 0
    assert desk.text == text


def test_one_stream_is_not_named_by_every_entry(there: There) -> None:
    fill(there, "a 1-1 n 1", "a 1-2 n 2")
    for format, text in (
        ("tree", '1-1\n  n  "1"\n1-2\n  n  "2"\n'),
        ("raw", "1-1\nn\n1\n1-2\nn\n2\n"),
        ("classic", '1) "1-1"\n2) 1) "n"\n   2) "1"\n1) "1-2"\n2) 1) "n"\n   2) "2"\n'),
    ):
        desk = Desk(there.backend(), format)
        assert desk.run("tail", "a", "--no-follow") == 0
        assert desk.text == text


@pytest.mark.parametrize("format", ["tree", "json", "csv", "classic", "raw", "table"])
@pytest.mark.parametrize("words", [[], ["--fields", "\x1b[2J,n"], ["--template", "{n} {fields} {stream}"]])
def test_nothing_steers_a_terminal(format: str, words: list[str]) -> None:
    backend = Embedded()
    hostile = b"\x1b[2J\r\n\x9b31m\x00\xe2\x80\xae\xff"
    backend.execute((b"XADD", hostile, b"1-1", b"n", hostile, b"\x1b[2J", hostile))
    desk = Desk(backend, format, options=Options(terminal=True, width=80))
    assert desk.run("tail", hostile, b"b", "--no-follow", *words) == 0
    assert all(character.isprintable() or character in "\n\t" for character in desk.text)
    backend.close()


def test_on_a_terminal_it_is_a_tree_and_chosen_fields_are_a_table(there: There) -> None:
    fill(there, "a 1-1 n 1")
    for words, text in (((), '1-1\n  n  "1"\n'), (("--fields", "n"), "id   time  n\n───  ────  ─\n1-1        1\n")):
        desk = Desk(there.backend(), options=Options(terminal=True))
        assert desk.run("tail", "a", "--no-follow", *words) == 0
        assert desk.text == text


MEMBER = ("--group", "g", "--consumer", "c")


def test_on_a_narrow_terminal_a_table_has_room_for_the_fields() -> None:
    backend = Embedded()
    backend.execute((b"XADD", b"a", b"1526984818136-0", b"city", b"Oslo", b"temp", b"31"))
    desk = Desk(backend, options=Options(terminal=True, width=40))
    assert desk.run("tail", "a", "--no-follow", "--fields", "city,temp") == 0
    assert desk.text == ("id               city  temp\n───────────────  ────  ────\n1526984818136-0  Oslo    31\n")
    backend.close()


# -- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--from", "soon"], '--from: "soon" is no place in a stream: '),
        (["--until", "soon"], '--until: "soon" is no place in a stream: '),
        (["--ack"], "--ack goes with --group"),
        (["--consumer", "c"], "--consumer goes with --group"),
        (["--group", "g"], "--group needs --consumer: who of the group reads"),
        ([*MEMBER, "--from", "-10m"], "with --group, --from is start (what is pending for the consumer first) or end"),
        ([*MEMBER, "--until", "end"], "--until does not go with --group"),
        (["--fields", "a", "--template", "{a}"], "--template names its fields itself, without --fields"),
        (["--where", "a >"], "--where, column 4: "),
        (["--template", "{a"], "--template, column 1: "),
        (["-n", "0"], "-n takes a number from 1 to "),
    ],
)
def test_wrong_words_are_refused_in_one_line(words: list[str], text: str) -> None:
    backend = Embedded()
    desk = Desk(backend)
    with pytest.raises(UsageError) as raised:
        desk.run("tail", "a", *words)
    assert str(raised.value).startswith(text)
    assert desk.shown == []
    backend.close()


def test_a_mistake_in_an_expression_is_pointed_at(program: Program) -> None:
    assert program.on("tail", "a", "--where", "temp > 30 city") == said(
        err="  temp > 30 city\n            ^\n"
        "streamcli tail: --where, column 11: and, or, or the end is wanted here, not city"
        " (see streamcli tail --help)\n",
        code=2,
    )


def test_a_key_that_is_no_stream_is_named(there: There) -> None:
    there.call("SET", "word", "x")
    for words in (["--no-follow"], ["--from", "start"], ["--from", "end"]):
        with pytest.raises(ToolError, match=r": WRONGTYPE word is no stream but a string$"):
            Desk(there.backend()).run("tail", "a", "word", *words)


def test_a_read_only_session_is_no_member(program: Program) -> None:
    program.on("XADD", "a", "1-1", "n", "1")
    assert program.on("--read-only", "tail", "a", *MEMBER) == said(
        err="streamcli tail: --group marks entries as delivered, and this session is read-only\n", code=1
    )


def test_who_may_not_read_a_stream_is_told_so_in_one_line(server: Server) -> None:
    server.call("ACL", "SETUSER", "few", "reset", "on", "nopass", "~a*", "+xread", "+xrevrange")
    server.call("XADD", "a", "1-1", "n", "1")
    backend = connect(server.address(user="few", password="x"))
    desk = Desk(backend, "jsonl")
    assert desk.run("tail", "a", "-n", "1") == 0
    assert ids(desk.shown) == ["a 1-1"]
    with pytest.raises(ToolError, match=r"^XREVRANGE: NOPERM "):
        Desk(backend).run("tail", "secret", "--no-follow")
    backend.close()


@pytest.mark.xdist_group("cluster")
def test_streams_of_several_nodes_of_a_cluster(on_cluster: There, program: Program) -> None:
    fill(on_cluster, "a 1-1", "b 2-1", "c 3-1")
    running = program.start(*on_cluster.args, "tail", "a", "b", "c", "--json")
    heard = [ids([running.hear().decode()])[0] for _ in range(3)]
    for entry in ("c 4-1", "a 5-1", "b 6-1"):
        fill(on_cluster, entry)
        heard += ids([running.hear().decode()])
    running.interrupt()
    result = running.finish()
    assert (result.out, result.code) == (b"", 0)
    assert result.err == b"the streams are in 3 slots: read node by node, and put together\n"
    assert heard == ["a 1-1", "b 2-1", "c 3-1", "c 4-1", "a 5-1", "b 6-1"]
