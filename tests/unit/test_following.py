"""The line that comes next: what stays in it, what changes, and that it reads everything once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import pytest

from streamcli.backend.embedded import Embedded
from streamcli.grammar.parse import parse
from streamcli.reply import NIL_ARRAY, QUEUED, Error, Map, Reply
from streamcli.shell.following import following, last_ids, marks
from streamcli.shell.line import read
from streamcli.words import argv


def after(text: str, reply: Reply, started: Mapping[bytes, bytes] | None = None) -> str | None:
    return following(read(text), reply, started or {})


def entry(id: str) -> list[Reply]:
    return [id.encode(), [b"f", b"v"]]


def entries(*ids: str) -> list[Reply]:
    return [entry(id) for id in ids]


def streams(**by_name: list[Reply]) -> list[Reply]:
    return [[name.encode(), found] for name, found in by_name.items()]


# -- XREAD ---------------------------------------------------------------------------------


def test_each_stream_goes_on_after_the_last_entry_read_of_it() -> None:
    text = "xread  COUNT 2\tSTREAMS a b 0 5"
    assert after(text, streams(a=entries("1-1", "1-2"), b=entries("6-0"))) == "xread  COUNT 2\tSTREAMS a b 1-2 6-0"


def test_a_reply_of_resp3_is_read_like_one_of_resp2() -> None:
    assert after("XREAD STREAMS a b 0 0", Map([(b"b", entries("6-0"))])) == "XREAD STREAMS a b 0 6-0"


def test_a_stream_without_entries_keeps_its_id() -> None:
    assert after("XREAD STREAMS a b c 0 5 7", streams(b=entries("6-0"))) == "XREAD STREAMS a b c 0 6-0 7"


def test_a_dollar_becomes_the_id_that_was_the_last_when_the_read_began() -> None:
    started = {b"a": b"3-0", b"b": b"0-0"}
    assert after("XREAD BLOCK 9 STREAMS a b $ $", streams(b=entries("6-0")), started) == (
        "XREAD BLOCK 9 STREAMS a b 3-0 6-0"
    )
    assert after("XREAD BLOCK 9 STREAMS a b $ $", NIL_ARRAY, started) == "XREAD BLOCK 9 STREAMS a b 3-0 0-0"
    assert after("XREAD STREAMS a $", None, started) == "XREAD STREAMS a 3-0"


def test_a_dollar_that_nobody_has_looked_up_stays() -> None:
    assert after("XREAD BLOCK 9 STREAMS a b $ $", streams(b=entries("6-0"))) == "XREAD BLOCK 9 STREAMS a b $ 6-0"


def test_the_top_entry_is_followed_by_what_comes_after_it() -> None:
    assert after("XREAD STREAMS a b + +", streams(a=entries("4-4"))) == "XREAD STREAMS a b 4-4 +"


def test_a_wait_in_vain_goes_on_as_it_was() -> None:
    assert after("XREAD BLOCK 5000 STREAMS a 5-0", NIL_ARRAY) == "XREAD BLOCK 5000 STREAMS a 5-0"


def test_a_read_that_found_nothing_and_did_not_wait_is_over() -> None:
    assert after("XREAD STREAMS a 5-0", NIL_ARRAY) is None


def test_the_same_stream_twice_goes_on_in_both_places() -> None:
    reply: list[Reply] = [[b"a", entries("1-1")], [b"a", entries("6-1")]]
    assert after("XREAD COUNT 1 STREAMS a a 0 6-0", reply) == "XREAD COUNT 1 STREAMS a a 1-1 6-1"
    assert after("XREAD COUNT 1 STREAMS a a 6-0 0", reply[:1]) == "XREAD COUNT 1 STREAMS a a 6-0 1-1"


def test_the_tail_and_the_quotes_of_other_words_stay() -> None:
    assert after("XREAD STREAMS 'my key' 0 | jq .", [[b"my key", entries("1-1")]]) == (
        "XREAD STREAMS 'my key' 1-1 | jq ."
    )
    assert after('XREAD STREAMS ключ "0" > out.txt', [["ключ".encode(), entries("1-1")]]) == (
        "XREAD STREAMS ключ 1-1 >> out.txt"
    )


def test_a_line_typed_in_pieces_goes_on_in_one() -> None:
    assert after("XRANGE cities - +\nCOUNT 1", [entry("1-1")]) == "XRANGE cities (1-1 + COUNT 1"


def test_a_key_that_is_called_streams_is_no_trouble() -> None:
    assert after("XREAD COUNT 1 STREAMS STREAMS 0 0 0", streams()) is None
    reply: list[Reply] = [[b"STREAMS", entries("1-1")], [b"0", entries("2-1")]]
    assert after("XREAD STREAMS STREAMS 0 0 0", reply) == "XREAD STREAMS STREAMS 0 1-1 2-1"


# -- XREADGROUP ------------------------------------------------------------------------------


def test_history_goes_on_until_it_is_empty_and_then_with_new_entries() -> None:
    text = "XREADGROUP GROUP g c COUNT 1 STREAMS a b c 0 0 >"
    reply = streams(a=entries("1-1"), b=[])
    assert after(text, reply) == "XREADGROUP GROUP g c COUNT 1 STREAMS a b c 1-1 > >"
    assert after(text, Map([(b"a", entries("1-1")), (b"b", [])])) == (
        "XREADGROUP GROUP g c COUNT 1 STREAMS a b c 1-1 > >"
    )


def test_deleted_entries_of_the_history_are_passed() -> None:
    assert after("XREADGROUP GROUP g c STREAMS a 0", streams(a=[[b"1-1", NIL_ARRAY]])) == (
        "XREADGROUP GROUP g c STREAMS a 1-1"
    )


def test_new_entries_alone_are_asked_for_by_the_same_line_again() -> None:
    assert after("XREADGROUP GROUP g c STREAMS a >", streams(a=entries("1-1"))) is None
    assert after("XREADGROUP GROUP g c STREAMS a >", NIL_ARRAY) is None


def test_a_line_that_would_lose_its_last_words_to_a_file_is_quoted() -> None:
    assert after("XREADGROUP GROUP g c STREAMS a 0 | cat", streams(a=[])) == "XREADGROUP GROUP g c STREAMS a > | cat"
    assert after("XREADGROUP GROUP g c STREAMS a b 0 +5", streams(a=[], b=entries("7-0"))) == (
        "XREADGROUP GROUP g c STREAMS a b > 7-0"
    )
    assert after("XREADGROUP GROUP g c STREAMS a b 0 '>'", streams(a=[])) == (
        "XREADGROUP GROUP g c STREAMS a b \">\" '>'"
    )


# -- the others --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reply", "next_text"),
    [
        ("XRANGE a - + COUNT 2", entries("1-1", "1-2"), "XRANGE a (1-2 + COUNT 2"),
        ("XRANGE a (0-5 + count 2 > f.txt", entries("1-1", "1-2"), "XRANGE a (1-2 + count 2 >> f.txt"),
        ("XRANGE a - + COUNT 2", entries("1-1"), None),
        ("XRANGE a - +", entries("1-1"), None),
        ("XRANGE a - + COUNT 0", [], None),
        ("XRANGE a - + COUNT 9 COUNT 1", entries("1-1"), "XRANGE a (1-1 + COUNT 9 COUNT 1"),
        ("XRANGE a - + COUNT 1", entries(f"{2**64 - 1}-{2**64 - 1}"), None),
        ("XREVRANGE a + - COUNT 2", entries("1-2", "1-1"), "XREVRANGE a (1-1 - COUNT 2"),
        ("XREVRANGE a + - COUNT 1", entries("0-0"), None),
        ("XPENDING a g - + 1", [[b"1-1", b"c", 5, 1]], "XPENDING a g (1-1 + 1"),
        ("XPENDING a g IDLE 9 - + 1 c", [[b"1-1", b"c", 5, 1]], "XPENDING a g IDLE 9 (1-1 + 1 c"),
        ("XPENDING a g - + 2", [[b"1-1", b"c", 5, 1]], None),
        ("XPENDING a g", [1, b"1-1", b"1-1", [[b"c", b"1"]]], None),
        ("XAUTOCLAIM a g c 0 - COUNT 1", [b"1-2", entries("1-1"), []], "XAUTOCLAIM a g c 0 1-2 COUNT 1"),
        ("XAUTOCLAIM a g c 0 - JUSTID", [b"1-2", [b"1-1"]], "XAUTOCLAIM a g c 0 1-2 JUSTID"),
        ("XAUTOCLAIM a g c 0 1-2", [b"0-0", [], []], None),
        ("SCAN 0 TYPE stream", [b"17", [b"a"]], "SCAN 17 TYPE stream"),
        ("SCAN 17", [b"0", []], None),
        ("XLEN a", 5, None),
        ("GET a", b"1-1", None),
    ],
)
def test_where_others_go_on(text: str, reply: Reply, next_text: str | None) -> None:
    assert after(text, reply) == next_text


CONTINUED = (
    "XREAD STREAMS a 0",
    "XREADGROUP GROUP g c STREAMS a 0",
    "XRANGE a - + COUNT 1",
    "XREVRANGE a + - COUNT 1",
    "XPENDING a g - + 1",
    "XAUTOCLAIM a g c 0 0",
    "SCAN 0",
)
NONSENSE: tuple[Reply, ...] = (
    5, b"x", b"\xff", [], [1], [None], [[]], [[b"x"]], [[b"a", b"b"]], [[b"z", entries("1-1")]], [[b"a", [5]]],
    [[b"a", [[b"nonsense", []]]]], [b"nonsense", []], [[b"nonsense", [b"f", b"v"]]], Map([]), Map([(b"a", 5)]),
    Map([(None, None)]), [[b"9" * 200, [b"f", b"v"]]],
)  # fmt: skip


@pytest.mark.parametrize("text", CONTINUED)
@pytest.mark.parametrize("reply", [Error("ERR no"), QUEUED, *NONSENSE])
def test_nothing_follows_an_error_or_nonsense(text: str, reply: Reply) -> None:
    assert after(text, reply) is None


@pytest.mark.parametrize(
    "text", ["", "XRANGE a - + COUNT x", "XRANGE 'a", ".format json", "NOPE 1", "XGROUP", "# XREAD"]
)
def test_nothing_follows_what_is_no_command(text: str) -> None:
    assert after(text, entries("1-1")) is None


# -- $ -----------------------------------------------------------------------------------------


def test_the_streams_whose_last_id_must_be_known_are_those_with_a_dollar() -> None:
    def of(text: str) -> list[bytes]:
        return marks(parse(argv(text.encode())))

    assert of("XREAD BLOCK 0 STREAMS a b c a $ 0 $ $") == [b"a", b"c"]
    assert of("XREAD BLOCK 0 STREAMS a b + 5-0") == []
    assert of("XREADGROUP GROUP g c STREAMS a >") == []
    assert of("XGROUP CREATE a g $") == []
    assert of("XREAD STREAMS") == []
    assert of("") == []


def test_last_ids_are_those_that_a_stream_has_given() -> None:
    backend = Embedded()
    for line in ("XADD a 5-1 f v", "XADD a 5-2 f v", "XDEL a 5-2", "SET s v"):
        backend.execute(line.encode().split())
    assert last_ids(backend.browse, [b"a", b"none", b"s"]) == {b"a": b"5-2", b"none": b"0-0"}
    backend.execute([b"HELLO", b"3"])
    assert last_ids(backend.execute, [b"a", b"none", b"s"]) == {b"a": b"5-2", b"none": b"0-0"}


def test_last_ids_of_a_backend_that_talks_nonsense_are_none() -> None:
    nonsense: list[Reply] = [Error("ERR gone"), 5, None, [b"last-generated-id"], [b"last-generated-id", b"x"], Map([])]
    for reply in nonsense:
        assert last_ids(partial(said, reply), [b"a"]) == {}


def said(reply: Reply, argv: Sequence[bytes]) -> Reply:
    return reply


# -- walks through a real stream -------------------------------------------------------------------


@pytest.fixture(params=["2", "3"])
def backend(request: pytest.FixtureRequest) -> Embedded:
    backend = Embedded()
    backend.execute([b"HELLO", request.param.encode()])
    for n in range(1, 8):
        for key in (b"a", b"b"):
            backend.execute([b"XADD", key, b"%d-%d" % (n, n), b"n", b"%d" % n])
    return backend


IDS = [b"%d-%d" % (n, n) for n in range(1, 8)]


def replies(backend: Embedded, text: str) -> Iterator[Reply]:
    """The replies to a line and to all that follow it."""
    next_text: str | None = text
    for _ in range(50):
        if next_text is None:
            return
        line = read(next_text)
        started = last_ids(backend.browse, marks(parse(line.argv)))
        reply = backend.execute(line.argv)
        yield reply
        next_text = following(line, reply, started)
    raise AssertionError("it never ends")


def ids_of(reply: Reply, key: bytes) -> list[bytes]:
    pairs = reply.pairs if isinstance(reply, Map) else reply if isinstance(reply, list) else []
    return [entry[0] for name, found in pairs if name == key for entry in found]  # type: ignore


@pytest.mark.parametrize("text", ["XREAD COUNT 2 STREAMS a b 0 3-3", "XREAD STREAMS a b 0 3"])
def test_xread_shows_each_entry_once(backend: Embedded, text: str) -> None:
    seen = list(replies(backend, text))
    assert [id for reply in seen for id in ids_of(reply, b"a")] == IDS
    assert [id for reply in seen for id in ids_of(reply, b"b")] == (IDS[3:] if "3-3" in text else IDS[2:])


def test_xread_from_the_end_misses_nothing_that_comes_between_two_reads(backend: Embedded) -> None:
    line = read("XREAD BLOCK 1 STREAMS a $")
    started = last_ids(backend.browse, marks(line.call))
    reply = backend.execute(line.argv)
    assert reply in (NIL_ARRAY, None)
    backend.execute([b"XADD", b"a", b"8-1", b"f", b"v"])
    next_text = following(line, reply, started)
    assert next_text == "XREAD BLOCK 1 STREAMS a 7-7"
    assert ids_of(backend.execute(read(next_text).argv), b"a") == [b"8-1"]


@pytest.mark.parametrize(("text", "expected"), [
    ("XRANGE a - + COUNT 3", IDS),
    ("XRANGE a - + COUNT 7", IDS),
    ("XRANGE a (2-2 5-5 COUNT 1", IDS[2:5]),
    ("XREVRANGE a + - COUNT 3", IDS[::-1]),
    ("XREVRANGE a (6-6 2 COUNT 2", IDS[1:5][::-1]),
])  # fmt: skip
def test_a_range_in_pieces_shows_each_entry_once(backend: Embedded, text: str, expected: list[bytes]) -> None:
    assert [entry[0] for reply in replies(backend, text) for entry in reply] == expected  # type: ignore


def test_the_history_of_a_consumer_shows_each_entry_once_and_ends_with_new_ones(backend: Embedded) -> None:
    for key in (b"a", b"b"):
        backend.execute([b"XGROUP", b"CREATE", key, b"g", b"0"])
    backend.execute(b"XREADGROUP GROUP g c COUNT 5 STREAMS a >".split())
    backend.execute(b"XREADGROUP GROUP g c COUNT 3 STREAMS b >".split())
    seen = list(replies(backend, "XREADGROUP GROUP g c COUNT 2 STREAMS a b 0 0"))
    assert [id for reply in seen for id in ids_of(reply, b"a")] == IDS[:5] + IDS[5:]
    assert [id for reply in seen for id in ids_of(reply, b"b")] == IDS


def test_xautoclaim_and_xpending_in_pieces_show_each_entry_once(backend: Embedded) -> None:
    backend.execute([b"XGROUP", b"CREATE", b"a", b"g", b"0"])
    backend.execute(b"XREADGROUP GROUP g c STREAMS a >".split())
    rows = [row[0] for reply in replies(backend, "XPENDING a g - + 2") for row in reply]  # type: ignore
    assert rows == IDS
    claimed = [id for reply in replies(backend, "XAUTOCLAIM a g d 0 0 COUNT 2 JUSTID") for id in reply[1]]  # type: ignore
    assert claimed == IDS


def test_scan_names_each_key_once(backend: Embedded) -> None:
    for n in range(30):
        backend.execute([b"SET", b"s%d" % n, b"v"])
    names: list[bytes] = [name for reply in replies(backend, "SCAN 0 COUNT 7") for name in reply[1]]  # type: ignore
    assert sorted(names) == sorted([b"a", b"b", *[b"s%d" % n for n in range(30)]])
