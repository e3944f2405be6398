"""Slots, redirections, lines taken apart and answers put together: a cluster's part that needs no server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from streamcli.backend import LostError, UnreachableError
from streamcli.backend.remote import replicas, splitting, whole
from streamcli.backend.remote.slots import SLOTS, Place, Redirect, Slots, key_slot, redirect
from streamcli.grammar.parse import Call, parse
from streamcli.reply import NIL_ARRAY, OK, Error, Map, Reply, Verbatim

SEED = Place("10.0.0.1", 7000)
A, B, C = (Place("10.0.0.1", port) for port in (7001, 7002, 7003))


def call(line: str) -> Call:
    return parse(line.encode().split())


def node(place: Place) -> list[Reply]:
    return [place.host.encode(), place.port, b"an id", []]


# -- slots ---------------------------------------------------------------------------------------------


def test_a_slot_is_that_of_what_stands_in_the_first_braces() -> None:
    assert [key_slot(key) for key in (b"foo", b"{foo}bar", b"x{foo}", b"{}foo", b"")] == [12182, 12182, 12182, 9500, 0]


def test_slots_are_learnt_from_a_node() -> None:
    slots = Slots()
    assert (slots.primaries, slots.owner(5)) == ((), None)
    assert slots.learn([[101, SLOTS - 1, node(B)], [0, 100, node(A), node(C)]], SEED)
    assert [slots.owner(slot) for slot in (0, 100, 101, SLOTS - 1)] == [A, A, B, B]
    assert (slots.primaries, slots.replicas(A), slots.replicas(B)) == ((A, B), (C,), ())
    assert slots.places() == [A, B, C]


@pytest.mark.parametrize("host", [b"", None, b"?"])
def test_a_node_that_does_not_know_its_host_is_where_the_one_asked_is(host: Reply) -> None:
    slots = Slots()
    assert slots.learn([[0, 9, [host, 7001]]], SEED)
    assert slots.owner(0) == Place(SEED.host, 7001)


@pytest.mark.parametrize(
    "reply",
    [
        Error("ERR This instance has cluster support disabled"),
        None,
        b"",
        [],
        [[]],
        [[0, 5]],
        [[0, 5, []]],
        [[0, 5, [b"h"]]],
        [[0, 5, [b"h", 0]]],
        [[0, 5, [b"h", 70000]]],
        [[0, 5, [b"h", b"7000"]]],
        [[0, 5, [7, 7000]]],
        [[0, 5, [b"h\x1b[2J", 7000]]],
        [[0, 5, [b"h" * 300, 7000]]],
        [[-1, 5, [b"h", 7000]]],
        [[5, 4, [b"h", 7000]]],
        [[0, SLOTS, [b"h", 7000]]],
        [[b"0", 5, [b"h", 7000]]],
        7,
    ],
)
def test_what_makes_no_sense_is_not_learnt(reply: Reply) -> None:
    slots = Slots()
    assert slots.learn([[0, 9, node(A)]], SEED)
    assert not slots.learn(reply, SEED)
    assert slots.owner(0) == A


def test_a_slot_that_moves_takes_nothing_with_it() -> None:
    slots = Slots()
    slots.learn([[0, 9, node(A)], [10, 19, node(B)]], SEED)
    assert not slots.move(5, B)
    assert [slots.owner(slot) for slot in (4, 5, 6)] == [A, B, A]
    assert slots.move(0, C)
    assert slots.primaries == (C, A, B)


def test_a_redirection_is_read() -> None:
    assert redirect(Error("MOVED 3999 127.0.0.1:6381"), SEED) == Redirect(3999, Place("127.0.0.1", 6381), False)
    assert redirect(Error("ASK 3999 node.example:6381"), SEED) == Redirect(3999, Place("node.example", 6381), True)
    assert redirect(Error("MOVED 0 :6381"), SEED) == Redirect(0, Place(SEED.host, 6381), False)
    assert redirect(Error("MOVED 0 ::1:6381"), SEED) == Redirect(0, Place("::1", 6381), False)
    assert str(Place("::1", 6381)) == "[::1]:6381"


@pytest.mark.parametrize(
    "text",
    [
        "MOVED",
        "MOVED 1",
        "MOVED 16384 h:1",
        "MOVED -1 h:1",
        "MOVED \u0663 h:1",
        "MOVED 1 h",
        "MOVED 1 h:0",
        "MOVED 1 h:65536",
        "MOVED 1 h:x",
        "MOVED 1 h:1 more",
        "MOVED 1 h\x1b:1",
        "MOVEDX 1 h:1",
        "ERR MOVED 1 h:1",
    ],
)
def test_what_is_no_redirection_is_shown_as_it_is(text: str) -> None:
    assert redirect(Error(text), SEED) is None


# -- taken apart ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "keys"),
    [
        ("XADD a * f v", "a"),
        ("XREAD COUNT 1 STREAMS a b 0 0", "a b"),
        ("XREADGROUP GROUP g c STREAMS a b > >", "a b"),
        ("XGROUP CREATE a g $", "a"),
        ("XINFO STREAM a FULL", "a"),
        ("DEL a b c", "a b c"),
        ("COPY a b REPLACE", "a b"),
        ("OBJECT ENCODING a", "a"),
        ("PING", ""),
        ("XADD", ""),
    ],
)
def test_the_keys_of_a_line(line: str, keys: str) -> None:
    assert splitting.keys_of(call(line)) == keys.encode().split()


def test_of_a_command_that_nobody_knows_the_keys_are_not_known() -> None:
    assert splitting.keys_of(call("ZADD a 1 b")) is None


def apart(line: str) -> splitting.Reading:
    reading = splitting.reading(call(line))
    assert reading is not None
    return reading


def test_a_reading_is_taken_apart_by_slot() -> None:
    reading = apart("XREAD BLOCK 5 COUNT 2 STREAMS a b {a}c 0 1 $")
    assert [b" ".join(reading.argv(part)) for part in reading.parts] == [
        b"XREAD COUNT 2 STREAMS a {a}c 0 $",
        b"XREAD COUNT 2 STREAMS b 1",
    ]
    assert b" ".join(reading.argv(reading.parts[1], 7)) == b"XREAD COUNT 2 BLOCK 7 STREAMS b 1"
    assert (reading.block_ms, reading.consumes, reading.waits_for_new) == (5, False, True)
    reading.parts[0].ids[1] = b"9-9"
    assert b" ".join(reading.whole()) == b"XREAD COUNT 2 BLOCK 5 STREAMS a b {a}c 0 1 9-9"


def test_options_that_come_twice_stay_but_for_the_blocking() -> None:
    reading = apart("XREADGROUP block 1 GROUP g BLOCK NOACK BLOCK 0 COUNT 1 STREAMS a b > >")
    assert b" ".join(reading.argv(reading.parts[0])) == b"XREADGROUP GROUP g BLOCK NOACK COUNT 1 STREAMS a >"
    assert (reading.block_ms, reading.consumes) == (0, True)


@pytest.mark.parametrize(
    "line", ["XREAD STREAMS a b 0", "XREAD COUNT x STREAMS a b 0 0", "XREAD STREAMS a b 0 x", "XRANGE a - +", "XREAD"]
)
def test_what_a_server_finds_wrong_is_not_taken_apart(line: str) -> None:
    assert splitting.reading(call(line)) is None


def test_answers_are_put_together_in_the_order_named() -> None:
    reading = apart("XREAD STREAMS a b {a}c a 0 0 0 5")
    of_a: list[Reply] = [[b"a", [1]], [b"{a}c", [2]], [b"a", [3]]]
    of_b: list[Reply] = [[b"b", [4]]]
    together: list[Reply] = [[b"a", [1]], [b"b", [4]], [b"{a}c", [2]], [b"a", [3]]]
    assert reading.together([of_a, of_b], 2) == together
    pairs: Any = together
    maps = [Map([(name, entries) for name, entries in part]) for part in ([*of_a], [*of_b])]  # type: ignore[misc]
    assert reading.together(maps, 3) == Map([(name, entries) for name, entries in pairs])
    assert reading.together([NIL_ARRAY, NIL_ARRAY], 2) is NIL_ARRAY
    assert reading.together([None, None], 3) is None
    assert reading.together([None, Map([(b"b", [4])])], 3) == Map([(b"b", [4])])


# -- all keys --------------------------------------------------------------------------------------------


class Nodes:
    """Answers by place, and what was asked."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {Place("h", number): list(said) for number, said in enumerate(answers.values(), 1)}
        self.asked: list[tuple[int, bytes]] = []

    def run(self, place: Place, argv: Sequence[bytes]) -> Reply:
        self.asked.append((place.port, b" ".join(argv)))
        reply = self.answers[place].pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply  # type: ignore[no-any-return]

    def ask(self, line: str) -> Reply:
        return whole.ask(call(line), list(self.answers), self.run)


def test_a_scans_cursor_says_which_node_goes_on() -> None:
    nodes = Nodes(one=[[b"17", [b"a"]], [b"0", [b"b"]]], two=[[b"0", [b"c"]]])
    assert nodes.ask("SCAN 0 COUNT 5") == [b"170000", [b"a"]]
    assert nodes.ask("SCAN 170000 COUNT 5") == [b"1", [b"b"]]
    assert nodes.ask("SCAN 1 COUNT 5") == [b"0", [b"c"]]
    assert nodes.asked == [(1, b"SCAN 0 COUNT 5"), (1, b"SCAN 17 COUNT 5"), (2, b"SCAN 0 COUNT 5")]
    assert nodes.ask("SCAN 2") == [b"0", []]


def test_an_error_of_one_node_is_the_answer() -> None:
    down = Error("CLUSTERDOWN The cluster is down")
    assert Nodes(one=[3], two=[down]).ask("DBSIZE") == down
    assert Nodes(one=[[b"a"]], two=[down]).ask("KEYS *") == down
    assert Nodes(one=[down], two=[]).ask("FLUSHALL") == down
    text = "CLUSTERDOWN The cluster is down (h:2; 1 of 2 primaries had done it before)"
    assert Nodes(one=[OK], two=[down]).ask("FLUSHALL") == Error(text)


def test_a_node_that_is_lost_is_said_with_what_was_done_before() -> None:
    with pytest.raises(UnreachableError):
        Nodes(one=[UnreachableError("nobody")], two=[]).ask("FLUSHALL")
    with pytest.raises(LostError) as lost:
        Nodes(one=[OK], two=[UnreachableError("nobody")]).ask("FLUSHALL")
    assert str(lost.value) == "nobody; 1 of 2 primaries had done it before"


@pytest.mark.parametrize(
    ("line", "about"), [("DBSIZE", True), ("DBSIZE x", False), ("SCAN x", False), ("XLEN a", False)]
)
def test_what_is_about_all_keys(line: str, about: bool) -> None:
    assert whole.is_about_all(call(line)) is about


# -- replicas ------------------------------------------------------------------------------------------------


def test_replicas_are_read_from_info() -> None:
    info = (
        b"# Replication\r\nrole:master\r\nconnected_slaves:4\r\n"
        b"slave0:ip=10.0.0.2,port=7001,state=online,offset=10,lag=0\r\n"
        b"slave1:ip=10.0.0.3,port=7002,state=online,offset=14,lag=0\r\n"
        b"slave2:ip=10.0.0.4,port=7003,state=wait_bgsave,offset=14,lag=0\r\n"
        b"slave3:ip=,port=70030,state=online,offset=14,lag=0\r\nslave_repl_offset:3\r\n"
    )
    expected = [("10.0.0.3", 7002), ("10.0.0.2", 7001)]
    assert replicas.replicas(info) == expected
    assert replicas.replicas(Verbatim("txt", info)) == expected
    assert replicas.replicas(Error("NOPERM")) == []
