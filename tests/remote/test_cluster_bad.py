"""Clusters that cannot be: nodes that are not there, send us round in circles, answer half, or refuse."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from streamcli.backend import Backend, LostError, UnreachableError
from streamcli.backend.address import Address
from streamcli.backend.remote import connect
from streamcli.backend.remote.cluster import Cluster as Shell
from streamcli.backend.remote.one import Remote
from streamcli.reply import OK, Error
from tests.remote.cluster import SLOTS, slot
from tests.remote.fake import CLOSE, SILENCE, Fake
from tests.remote.processes import Port

MakeFake = Callable[..., Fake]
LOW, HIGH = "b", "a"  # keys of slots in the lower and in the upper half
assert slot(LOW.encode()) < SLOTS // 2 <= slot(HIGH.encode())


def entries(key: str, id_: str = "1-1") -> bytes:
    """What XREAD answers in RESP2: one entry of one stream."""
    return b"*1\r\n*2\r\n%b\r\n*1\r\n*2\r\n%b\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n" % (_bulk(key), _bulk(id_))


def _bulk(text: str) -> bytes:
    return b"$%d\r\n%b" % (len(text), text.encode())


def layout(*ports: int) -> bytes:
    """CLUSTER SLOTS: as many equal parts as there are ports."""
    rows = b""
    for number, port in enumerate(ports):
        first, last = SLOTS * number // len(ports), SLOTS * (number + 1) // len(ports) - 1
        rows += b"*3\r\n:%d\r\n:%d\r\n*3\r\n$9\r\n127.0.0.1\r\n:%d\r\n$2\r\nid\r\n" % (first, last, port)
    return b"*%d\r\n%b" % (len(ports), rows)


def pair(fake: MakeFake, low: dict[str, Any], high: dict[str, Any]) -> tuple[Fake, Fake]:
    """Two nodes, each with half of the slots."""
    second = fake(high)
    ports: list[int] = []
    first = fake({"CLUSTER SLOTS": lambda _: layout(*ports), **low})
    ports += [first.port, second.port]
    return first, second


def session(seed: Fake, **parts: Any) -> tuple[Backend, list[str]]:
    backend = connect(Address(port=seed.port, cluster=True, protocol=2, **parts))
    notes: list[str] = []
    backend.on_note = notes.append
    return backend, notes


def run(backend: Backend, line: str) -> Any:
    return backend.execute(line.encode().split())


def test_a_node_that_is_announced_and_cannot_be_reached_is_named(fake: MakeFake) -> None:
    port = Port()
    port.release()
    seed = fake({"CLUSTER SLOTS": layout(port.number)})
    backend, _ = session(seed)
    with pytest.raises(UnreachableError) as error:
        run(backend, "XLEN a")
    assert str(error.value) == (
        f"nothing listens at 127.0.0.1:{port.number} (connection refused); "
        f"slot {slot(b'a')} is there, as the cluster says"
    )
    with pytest.raises(UnreachableError) as error:
        run(backend, "XREAD STREAMS a b 0 0")
    assert str(port.number) in str(error.value)
    assert isinstance(backend.browse([b"XLEN", b"a"]), Error)
    backend.close()


def test_nodes_that_send_us_round_in_circles_are_left_in_the_end(fake: MakeFake) -> None:
    circle: list[bytes] = []
    seed = fake({"CLUSTER SLOTS": b"*0\r\n", "XADD": lambda _: circle[0]})
    circle.append(b"-MOVED 5 127.0.0.1:%d\r\n" % seed.port)
    backend, _ = session(seed)
    assert run(backend, "XADD a * f v") == Error(f"MOVED 5 127.0.0.1:{seed.port}")
    assert seed.names().count("XADD") == 16
    assert isinstance(backend.browse([b"XADD", b"a", b"*", b"f", b"v"]), Error)
    backend.close()


@pytest.mark.parametrize(
    "told", ["MOVED", "MOVED 1 nowhere", "ASK 99999 127.0.0.1:1", "CLUSTERDOWN Hash slot not served"]
)
def test_what_is_no_redirection_is_the_answer(fake: MakeFake, told: str) -> None:
    seed = fake({"CLUSTER SLOTS": b"*0\r\n", "XADD": b"-%b\r\n" % told.encode()})
    backend, _ = session(seed)
    assert run(backend, "XADD a * f v") == Error(told)
    assert seed.names().count("XADD") == 1
    backend.close()


@pytest.mark.parametrize(
    "told", [b"-ERR no\r\n", b"*1\r\n*2\r\n:1\r\n:2\r\n", b":3\r\n", b"*1\r\n$-1\r\n", b"$2\r\nhi\r\n"]
)
def test_without_slots_the_node_that_was_named_is_asked(fake: MakeFake, told: bytes) -> None:
    seed = fake({"CLUSTER SLOTS": told, "XLEN": b":3\r\n", "DBSIZE": b":7\r\n"})
    backend, notes = session(seed)
    assert [run(backend, "XLEN a"), run(backend, "DBSIZE"), notes] == [3, 7, []]
    backend.close()


def test_a_server_too_old_to_say_what_it_is_is_asked_for_its_slots(fake: MakeFake) -> None:
    seed = fake({"CLUSTER SLOTS": layout(1)}, resp3=False)
    assert isinstance(connect(Address(port=seed.port)), Shell)
    alone = fake({"CLUSTER SLOTS": b"-ERR This instance has cluster support disabled\r\n"}, resp3=False)
    assert isinstance(connect(Address(port=alone.port)), Remote)


def test_whoever_is_sent_elsewhere_without_a_cluster_is_told_of_the_flag(fake: MakeFake) -> None:
    seed = fake({"XLEN": b"-MOVED 5 127.0.0.1:1\r\n"})
    backend = connect(Address(port=seed.port))
    notes: list[str] = []
    backend.on_note = notes.append
    assert [run(backend, "XLEN a"), run(backend, "XLEN a")] == [Error("MOVED 5 127.0.0.1:1")] * 2
    assert notes == ["this is a node of a cluster, whose other nodes are asked when you connect with -c"]
    backend.close()


def test_asking_is_said_on_the_connection_that_is_asked(fake: MakeFake) -> None:
    other = fake({"XADD": b"$3\r\n1-1\r\n"})
    seed = fake({"CLUSTER SLOTS": b"*0\r\n", "XADD": b"-ASK 5 127.0.0.1:%d\r\n" % other.port})
    backend, _ = session(seed)
    assert run(backend, "XADD a * f v") == b"1-1"
    assert other.names() == ["HELLO", "ASKING", "XADD"]
    backend.close()


def test_a_wait_that_is_sent_elsewhere_is_for_the_time_that_is_left(fake: MakeFake) -> None:
    def late(_: list[bytes]) -> bytes:
        time.sleep(0.01)  # what is left is less than it was, by however little
        return b"-MOVED 5 127.0.0.1:%d\r\n" % other.port

    other = fake({"XREAD": entries(HIGH)})
    seed = fake({"CLUSTER SLOTS": b"*0\r\n", "XREAD": late})
    backend, _ = session(seed)
    assert run(backend, f"XREAD BLOCK 5000 COUNT 1 STREAMS {HIGH} 0") == [[HIGH.encode(), [[b"1-1", [b"f", b"v"]]]]]
    *head, left_ms, streams, key, id_ = other.commands[-1]
    assert (head, streams, key, id_) == ([b"XREAD", b"COUNT", b"1", b"BLOCK"], b"STREAMS", HIGH.encode(), b"0")
    assert 0 < int(left_ms) < 5000
    backend.close()


def test_a_feed_is_sent_on_to_the_node_of_its_channel(fake: MakeFake) -> None:
    said = b"*3\r\n$10\r\nssubscribe\r\n$1\r\na\r\n:1\r\n"
    other = fake({"SSUBSCRIBE": said})
    seed = fake({"CLUSTER SLOTS": b"*0\r\n", "SSUBSCRIBE": b"-MOVED 5 127.0.0.1:%d\r\n" % other.port})
    backend, notes = session(seed)
    assert next(backend.listen([b"SSUBSCRIBE", b"a"])) == [b"ssubscribe", b"a", 1]
    next(backend.listen([b"MONITOR"]))
    assert notes == [f"MONITOR shows what 127.0.0.1:{seed.port} does, one node of the cluster"]
    backend.close()


@pytest.mark.parametrize("line", ["MONITOR", "SSUBSCRIBE a", "SUBSCRIBE a"])
def test_a_feed_is_ended_by_the_user(fake: MakeFake, line: str) -> None:
    name = line.partition(" ")[0]
    low, _high = pair(fake, {name: SILENCE}, {name: SILENCE})
    backend, _ = session(low)
    backend.on_wait = lambda _: backend.stop(writes=False)
    with pytest.raises(KeyboardInterrupt):
        next(backend.listen(line.encode().split()))
    backend.close()


def test_a_write_is_not_sent_again(fake: MakeFake) -> None:
    low, high = pair(fake, {"XADD": CLOSE, "DEL": b":1\r\n"}, {"XADD": CLOSE, "DEL": CLOSE})
    backend, _ = session(low)
    for key in (LOW, HIGH):
        with pytest.raises(LostError) as lost:
            run(backend, f"XADD {key} * f v")
        assert str(lost.value).endswith("after the command was sent; it may have been applied")
    assert (low.names().count("XADD"), high.names().count("XADD")) == (1, 1)
    with pytest.raises(LostError) as lost:
        run(backend, f"DEL {LOW} {HIGH}")
    assert str(lost.value).endswith("it may have been applied; 1 of its 2 keys had been dealt with")
    assert (low.names().count("DEL"), high.names().count("DEL")) == (1, 1)
    backend.close()


def test_what_one_node_has_delivered_is_shown_although_another_is_lost(fake: MakeFake) -> None:
    low, high = pair(fake, {"XREADGROUP": entries(LOW)}, {"XREADGROUP": CLOSE})
    backend, notes = session(low)
    expected = [[LOW.encode(), [[b"1-1", [b"f", b"v"]]]]]
    assert run(backend, f"XREADGROUP GROUP g c STREAMS {HIGH} {LOW} > >") == expected
    assert notes == [
        "the streams are in 2 slots: read node by node, and put together",
        f"the connection to 127.0.0.1:{high.port} was lost (closed by the server); "
        "what it may have delivered is pending; this is what the other nodes had delivered",
    ]
    backend.close()


@pytest.mark.parametrize(("noack", "fate"), [("", "pending"), ("NOACK ", "gone (NOACK)")])
def test_what_nobody_could_show_is_told(fake: MakeFake, noack: str, fate: str) -> None:
    low, high = pair(fake, {"XREADGROUP": b"*-1\r\n"}, {"XREADGROUP": CLOSE})
    backend, _ = session(low)
    with pytest.raises(LostError) as lost:
        run(backend, f"XREADGROUP GROUP g c {noack}STREAMS {HIGH} {LOW} > >")
    assert str(lost.value) == (
        f"the connection to 127.0.0.1:{high.port} was lost (closed by the server) after the command was sent; "
        f"what it may have delivered is {fate}"
    )
    backend.close()


def test_a_wait_that_may_not_be_ended_is_dropped_and_that_is_said(fake: MakeFake) -> None:
    no = b"-NOPERM this user has no permissions to run the 'client|unblock' command\r\n"
    low, high = pair(
        fake,
        {"XREADGROUP": [b"*-1\r\n", entries(LOW)]},
        {"XREADGROUP": [b"*-1\r\n", SILENCE, entries(HIGH)], "CLIENT UNBLOCK": no},
    )
    backend, notes = session(low)
    line = f"XREADGROUP GROUP g c BLOCK 0 STREAMS {LOW} {HIGH} > >"
    assert run(backend, line) == [[LOW.encode(), [[b"1-1", [b"f", b"v"]]]]]
    assert notes[1:] == [
        f"the wait at 127.0.0.1:{high.port} could not be ended: the connection was dropped; "
        "what it may have delivered is pending"
    ]
    # Nothing that was due on the dropped connection is taken for an answer.
    both = [[key.encode(), [[b"1-1", [b"f", b"v"]]]] for key in (LOW, HIGH)]
    assert run(backend, line) == both
    backend.close()


@pytest.mark.parametrize("block", ["", "BLOCK 0 "])
def test_what_was_delivered_is_shown_although_the_user_gave_up_on_another_node(fake: MakeFake, block: str) -> None:
    first = [b"*-1\r\n"] if block else []

    def late(_: list[bytes]) -> bytes:
        backend.stop(writes=True)  # with the delivery on its way, and the other node silent
        return entries(LOW)

    low, high = pair(
        fake, {"XREADGROUP": [*first, late], "CLIENT UNBLOCK": b":0\r\n"}, {"XREADGROUP": [*first, SILENCE]}
    )
    backend, notes = session(low)
    assert run(backend, f"XREADGROUP GROUP g c {block}STREAMS {HIGH} {LOW} > >") == [
        [LOW.encode(), [[b"1-1", [b"f", b"v"]]]]
    ]
    assert notes[-1] == f"no reply from 127.0.0.1:{high.port} within 1 s; what it may have delivered is pending"
    interrupted = ["interrupted; this is what the other nodes had delivered"]
    # Of a read that blocks the delivery itself may end the wait, before anybody sees the interruption.
    assert notes[1:-1] in ([interrupted, []] if block else [interrupted])
    backend.close()


def test_what_was_delivered_is_shown_although_the_user_gave_up_where_a_slot_has_moved(fake: MakeFake) -> None:
    other = fake({"XREADGROUP": SILENCE})
    low, _high = pair(
        fake, {"XREADGROUP": entries(LOW)}, {"XREADGROUP": b"-MOVED %d 127.0.0.1:%d\r\n" % (slot(b"a"), other.port)}
    )
    backend, notes = session(low)
    backend.on_wait = lambda _: backend.stop(writes=True)
    assert run(backend, f"XREADGROUP GROUP g c STREAMS {HIGH} {LOW} > >") == [[LOW.encode(), [[b"1-1", [b"f", b"v"]]]]]
    assert notes[1:] == [
        "interrupted; this is what the other nodes had delivered",
        f"no reply from 127.0.0.1:{other.port} within 1 s; what it may have delivered is pending",
    ]
    backend.close()


def test_what_was_delivered_is_shown_although_the_node_that_a_slot_has_moved_to_is_lost(fake: MakeFake) -> None:
    other = fake({"XREADGROUP": CLOSE})
    low, _high = pair(
        fake, {"XREADGROUP": entries(LOW)}, {"XREADGROUP": b"-MOVED %d 127.0.0.1:%d\r\n" % (slot(b"a"), other.port)}
    )
    backend, notes = session(low)
    line = f"XREADGROUP GROUP g c STREAMS {HIGH} {LOW} > >"
    assert run(backend, line) == [[LOW.encode(), [[b"1-1", [b"f", b"v"]]]]]
    assert notes[1:] == [
        f"the connection to 127.0.0.1:{other.port} was lost (closed by the server); "
        "what it may have delivered is pending; this is what the other nodes had delivered"
    ]
    backend.close()


def test_reading_is_given_up_at_once(fake: MakeFake) -> None:
    low, _ = pair(fake, {"XREAD": entries(LOW)}, {"XREAD": [SILENCE, entries(HIGH)]})
    backend, _ = session(low)
    backend.on_wait = lambda _: backend.stop(writes=False)
    with pytest.raises(KeyboardInterrupt):
        run(backend, f"XREAD STREAMS {HIGH} {LOW} 0 0")
    backend.on_wait = None
    assert run(backend, f"XREAD STREAMS {HIGH} {LOW} 0 0") == [
        [key.encode(), [[b"1-1", [b"f", b"v"]]]] for key in (HIGH, LOW)
    ]
    backend.close()


@pytest.mark.parametrize("flag", [True, False])
def test_a_server_that_does_not_say_its_slots_is_not_waited_for_for_ever(fake: MakeFake, flag: bool) -> None:
    old = fake({"CLUSTER SLOTS": SILENCE, "XLEN": b":3\r\n"}, resp3=False)
    backend = connect(Address(port=old.port, cluster=flag, connect_timeout=0.3))
    assert isinstance(backend, Shell if flag else Remote)
    backend.close()


def test_asking_for_the_slots_can_be_interrupted(fake: MakeFake) -> None:
    old = fake({"CLUSTER SLOTS": SILENCE}, resp3=False)

    def tick(_: int) -> None:
        if "CLUSTER" in old.names():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        connect(Address(port=old.port, connect_timeout=None), tick)


def test_a_node_that_answers_nonsense_is_left(fake: MakeFake) -> None:
    low, high = pair(fake, {"XREAD": entries(LOW)}, {"XREAD": b"?what\r\n"})
    backend, _ = session(low)
    with pytest.raises(LostError) as lost:
        run(backend, f"XREAD STREAMS {LOW} {HIGH} 0 0")
    assert str(lost.value).startswith(f"127.0.0.1:{high.port} sent something that is no reply")
    backend.close()


def test_a_node_that_does_not_answer_in_time_is_left(fake: MakeFake) -> None:
    low, high = pair(fake, {"XREAD": entries(LOW)}, {"XREAD": SILENCE})
    backend, _ = session(low, timeout=0.2)
    with pytest.raises(LostError) as lost:
        run(backend, f"XREAD STREAMS {LOW} {HIGH} 0 0")
    assert str(lost.value) == (
        f"no reply from 127.0.0.1:{high.port} within 0.2 s; the command only reads and may be sent again"
    )
    backend.close()


def test_some_primaries_may_have_done_it(fake: MakeFake) -> None:
    low, high = pair(fake, {"FLUSHALL": b"+OK\r\n"}, {"FLUSHALL": [b"-NOPERM no\r\n", CLOSE]})
    backend, _ = session(low)
    assert run(backend, "FLUSHALL") == Error(f"NOPERM no (127.0.0.1:{high.port}; 1 of 2 primaries had done it before)")
    with pytest.raises(LostError) as lost:
        run(backend, "FLUSHALL")
    assert str(lost.value).endswith("it may have been applied; 1 of 2 primaries had done it before")
    backend.close()


def test_a_transaction_that_is_lost_with_its_node_is_over(fake: MakeFake) -> None:
    low, _ = pair(fake, {"MULTI": b"+OK\r\n", "XADD": [b"+QUEUED\r\n", CLOSE]}, {"XLEN": b":0\r\n"})
    backend, _notes = session(low)
    assert run(backend, "MULTI") == OK
    run(backend, f"XADD {LOW} * f v")
    assert backend.queued == 1
    with pytest.raises(LostError) as lost:
        run(backend, f"XADD {LOW} * f v")
    assert str(lost.value).endswith("the transaction with its 1 command is gone, and nothing of it was applied")
    after: list[object] = [backend.queued, run(backend, f"XLEN {HIGH}")]
    assert after == [None, 0]
    backend.close()
