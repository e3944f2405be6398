"""Through a cluster: commands on the nodes of their keys, slots that move, nodes that die, reading several slots."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from streamcli.backend import LostError, Waiting
from streamcli.backend.address import Address
from streamcli.backend.remote import connect
from streamcli.backend.remote.cluster import Cluster as Shell
from streamcli.reply import NIL_ARRAY, OK, QUEUED, Error, Map, Reply, Simple
from tests.remote.client import RefusedError
from tests.remote.cluster import Cluster, slot
from tests.remote.processes import until

pytestmark = pytest.mark.xdist_group("cluster")


class User:
    """A session in the cluster, with what it was told."""

    def __init__(self, address: Address) -> None:
        backend = connect(address)
        assert isinstance(backend, Shell)
        self.backend = backend
        self.notes: list[str] = []
        self.waits: list[Waiting] = []
        self.on_wait: Callable[[], None] | None = None
        backend.on_note = self.notes.append
        backend.on_wait = self._waits

    def _waits(self, waiting: Waiting) -> None:
        self.waits.append(waiting)
        if self.on_wait is not None:
            self.on_wait()

    def __call__(self, line: str | bytes) -> Reply:
        return self.backend.execute(_words(line))

    def browse(self, line: str | bytes) -> Reply:
        return self.backend.browse(_words(line))

    def close(self) -> None:
        self.backend.close()


def _words(line: str | bytes) -> list[bytes]:
    return (line.encode() if isinstance(line, str) else line).split()


@pytest.fixture
def user(cluster: Cluster) -> Iterator[User]:
    made = User(cluster.address())
    yield made
    made.close()


@pytest.fixture
def names(cluster: Cluster) -> list[str]:
    """A stream of each of the three primaries."""
    return [cluster.key(node).decode() for node in cluster.primaries()]


def add(cluster: Cluster, name: str, id_: str) -> None:
    assert cluster.owner(name.encode()).call("XADD", name, id_, "f", "v") == id_.encode()


def entry(id_: str) -> list[Reply]:
    return [id_.encode(), [b"f", b"v"]]


def soon(user: User, act: Callable[[], object]) -> None:
    """Once the command waits, it is done, in a thread of its own."""
    done: list[threading.Thread] = []

    def once() -> None:
        if not done:
            done.append(threading.Thread(target=act))
            done[0].start()

    user.on_wait = once


# -- one key ---------------------------------------------------------------------------------------------


def test_a_cluster_is_found_by_itself_and_says_so(cluster: Cluster) -> None:
    user = User(cluster.address(cluster=False))
    try:
        assert user.backend.target == f"cluster 127.0.0.1:{cluster.nodes[0].port}"
        assert user.backend.server is not None
        assert (user.backend.server.mode, user.backend.db, user.backend.user) == ("cluster", 0, None)
    finally:
        user.close()


def test_each_key_goes_to_its_node(cluster: Cluster, user: User, names: list[str]) -> None:
    for name in names:
        assert user(f"XADD {name} 1-1 f v") == b"1-1"
        assert user(f"XLEN {name}") == 1
        assert user(f"SET {{{name}}}s x") == OK
    assert [node.call("DBSIZE") for node in cluster.primaries()] == [2, 2, 2]
    assert user.notes == []


def test_keys_of_a_command_that_is_not_in_the_table_are_found_too(user: User, names: list[str]) -> None:
    for name in names:
        assert user(f"ZADD {name} 1 a") == 1
        assert user("EVAL redis.call('INCR',KEYS[1]) 1 n".replace("n", f"n{name}")) is None
    assert user("MSET a 1 b 2") == Error("CROSSSLOT Keys in request don't hash to the same slot")


def test_a_replica_or_a_primary_will_do_to_get_in(cluster: Cluster, names: list[str]) -> None:
    for node in cluster.nodes:
        user = User(cluster.address(node))
        try:
            assert [user(f"XADD {name} * f v") for name in names] != []
            assert [isinstance(user(f"XLEN {name}"), int) for name in names] == [True] * 3
        finally:
            user.close()


def test_in_resp2_all_the_same(cluster: Cluster, names: list[str]) -> None:
    user = User(cluster.address(protocol=2))
    try:
        for name in names:
            assert user(f"XADD {name} 1-1 f v") == b"1-1"
        expected: list[Reply] = [[name.encode(), [entry("1-1")]] for name in names]
        assert user(f"XREAD STREAMS {' '.join(names)} 0 0 0") == expected
        assert user(f"XREAD STREAMS {' '.join(names)} 1-1 1-1 1-1") == NIL_ARRAY
        assert user(f"XREAD BLOCK 20 STREAMS {' '.join(names)} $ $ $") == NIL_ARRAY
    finally:
        user.close()


def test_select_is_the_servers_to_refuse(user: User) -> None:
    reply = user("SELECT 1")
    assert isinstance(reply, Error)
    assert user.backend.db == 0


# -- all keys --------------------------------------------------------------------------------------------


def test_what_is_about_all_keys_asks_every_primary(cluster: Cluster, user: User, names: list[str]) -> None:
    assert user("RANDOMKEY") is None
    for name in names:
        add(cluster, name, "1-1")
    assert user("DBSIZE") == 3
    assert user("DBSIZE") == 3
    assert user("KEYS *") == [name.encode() for name in names]
    assert user("RANDOMKEY") in [name.encode() for name in names]
    assert user("FLUSHALL") == OK
    assert [node.call("DBSIZE") for node in cluster.primaries()] == [0, 0, 0]
    assert user.notes == [
        "RANDOMKEY asks one of the 3 primaries, any that has keys",
        "DBSIZE asks all 3 primaries and adds up",
        "KEYS asks all 3 primaries",
        "FLUSHALL was sent to all 3 primaries",
    ]


@pytest.mark.parametrize("beside", [False, True])
def test_scan_goes_through_all_primaries(cluster: Cluster, user: User, beside: bool) -> None:
    expected = set()
    for node in cluster.primaries():
        with node.client() as client:
            keys = [cluster.key(node) + b"-%d" % number for number in range(50)]
            client.pipeline([[b"SET", key, b"1"] for key in keys])
            client.pipeline([[b"XADD", key + b"s", b"1-1", b"f", b"v"] for key in keys])
        expected |= {key + b"s" for key in keys}
    found: list[Reply] = []
    cursor = b"0"
    while True:
        reply: Any = (user.browse if beside else user)(b"SCAN %b COUNT 7 TYPE stream" % cursor)
        cursor = reply[0]
        found += reply[1]
        if cursor == b"0":
            break
    assert sorted(found) == sorted(expected)  # type: ignore[type-var]
    assert len(user.notes) == (not beside)


def test_keys_of_several_slots_are_counted_together(cluster: Cluster, user: User, names: list[str]) -> None:
    for name in names:
        add(cluster, name, "1-1")
    line = " ".join(names)
    assert user(f"EXISTS {line} nothing") == 3
    assert user(f"TOUCH {line}") == 3
    assert user(f"UNLINK {names[0]} {names[1]}") == 2
    assert user(f"DEL {line}") == 1
    assert len(user.notes) == 1


# -- slots that move -------------------------------------------------------------------------------------


def test_a_slot_that_has_moved_is_followed(cluster: Cluster, user: User, names: list[str]) -> None:
    old, new, _ = cluster.primaries()
    add(cluster, names[0], "1-1")
    assert user(f"XLEN {names[0]}") == 1
    number = slot(names[0].encode())
    cluster.move_slot(number, new)
    try:
        assert user(f"XADD {names[0]} 2-1 f v") == b"2-1"
        assert user(f"XLEN {names[0]}") == 2
        assert new.call("XLEN", names[0]) == 2
    finally:
        cluster.move_slot(number, old)


def test_a_slot_on_its_way_is_asked_for_on_both_sides(cluster: Cluster, user: User, names: list[str]) -> None:
    old, new, _ = cluster.primaries()
    pair = [names[0], f"more{names[0][1:]}"]
    number = slot(names[0].encode())
    for name in pair:
        add(cluster, name, "1-1")
    moving = cluster.moving(number, new)
    moving.begin()
    gone = moving.carry(1)
    try:
        assert len(gone) == 1
        for name in pair:
            assert user(f"XLEN {name}") == 1
            assert user(f"XADD {name} 2-1 f v") == b"2-1"
            assert user.browse(f"XLEN {name}") == 2
        (there,) = [name.decode() for name in gone]
        assert user(f"XREAD STREAMS {names[1]} {there} 0 2-0") == Map([(there.encode(), [entry("2-1")])])
        both = user(f"XREAD STREAMS {pair[0]} {pair[1]} 0 0")
        assert isinstance(both, Error)
        assert both.code == "TRYAGAIN"
        assert user(f"EXISTS nothing{names[0][1:]}") == 0
    finally:
        moving.carry()
        moving.finish()
    assert [user(f"XLEN {name}") for name in pair] == [2, 2]
    cluster.move_slot(number, old)


def test_a_slot_that_moves_while_it_is_read_loses_nothing(cluster: Cluster, user: User, names: list[str]) -> None:
    old, new, _ = cluster.primaries()
    number = slot(names[0].encode())

    def move() -> None:
        cluster.move_slot(number, new)
        new.call("XADD", names[0], "7-1", "f", "v")

    soon(user, move)
    try:
        reply = user(f"XREAD BLOCK 0 STREAMS {names[1]} {names[0]} $ $")
        assert reply == Map([(names[0].encode(), [entry("7-1")])])
    finally:
        cluster.move_slot(number, old)


def test_one_stream_that_moves_while_it_is_waited_for(cluster: Cluster, user: User, names: list[str]) -> None:
    old, new, _ = cluster.primaries()
    number = slot(names[0].encode())
    add(cluster, names[0], "1-1")

    def move() -> None:
        cluster.move_slot(number, new)
        new.call("XADD", names[0], "7-1", "f", "v")

    soon(user, move)
    try:
        assert user(f"XREAD BLOCK 0 STREAMS {names[0]} $") == Map([(names[0].encode(), [entry("7-1")])])
    finally:
        cluster.move_slot(number, old)


# -- streams in several slots --------------------------------------------------------------------------------


def test_streams_of_several_slots_are_read_in_the_order_named(cluster: Cluster, user: User, names: list[str]) -> None:
    for name in names:
        add(cluster, name, "1-1")
        add(cluster, name, "1-2")
    for order in ([2, 0, 1], [1, 2, 0]):
        named = [names[number] for number in order]
        reply = user(f"XREAD COUNT 1 STREAMS {' '.join(named)} 0 1-1 0")
        assert reply == Map(
            [
                (named[0].encode(), [entry("1-1")]),
                (named[1].encode(), [entry("1-2")]),
                (named[2].encode(), [entry("1-1")]),
            ]
        )
    assert user(f"XREAD STREAMS {' '.join(names)} 2 2 2") is None
    assert user.notes == ["the streams are in 3 slots: read node by node, and put together"]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_wait_on_several_nodes_is_ended_by_any(cluster: Cluster, user: User, names: list[str], number: int) -> None:
    add(cluster, names[number], "1-1")
    soon(user, lambda: add(cluster, names[number], "5-1"))
    reply = user(f"XREAD BLOCK 0 STREAMS {' '.join(names)} $ $ $")
    assert reply == Map([(names[number].encode(), [entry("5-1")])])
    assert user(f"XLEN {names[number]}") == 2
    assert [user.waits[0].left_ms, user.notes] == [
        None,
        ["the streams are in 3 slots: read node by node, and put together"],
    ]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_group_is_read_on_several_nodes(cluster: Cluster, user: User, names: list[str], number: int) -> None:
    for name in names:
        assert user(f"XGROUP CREATE {name} g $ MKSTREAM") == OK
    add(cluster, names[0], "1-1")
    reply = user(f"XREADGROUP GROUP g c STREAMS {' '.join(names)} > > >")
    assert reply == Map([(names[0].encode(), [entry("1-1")])])
    soon(user, lambda: add(cluster, names[number], "5-1"))
    reply = user(f"XREADGROUP GROUP g c COUNT 10 BLOCK 20000 STREAMS {' '.join(names)} > > >")
    assert reply == Map([(names[number].encode(), [entry("5-1")])])
    history = user(f"XREADGROUP GROUP g c BLOCK 0 STREAMS {' '.join(names)} 0 0 0")
    assert isinstance(history, Map)
    assert [name for name, _ in history] == [name.encode() for name in names]


def test_nothing_is_lost_when_several_nodes_have_something_at_once(
    cluster: Cluster, user: User, names: list[str]
) -> None:
    """Three writers go on while a group is read: what was delivered is what was shown, each entry once."""
    for name in names:
        assert user(f"XGROUP CREATE {name} g $ MKSTREAM") == OK
    each = 150
    seen: list[Any] = []

    def write(name: str) -> None:
        with cluster.owner(name.encode()).client() as client:
            for number in range(1, each + 1):
                client.call("XADD", name, f"{number}-1", "f", "v")

    writers = [threading.Thread(target=write, args=(name,)) for name in names]
    for writer in writers:
        writer.start()
    while len(seen) < 3 * each:
        reply = user(f"XREADGROUP GROUP g c BLOCK 5000 STREAMS {' '.join(names)} > > >")
        assert isinstance(reply, Map)
        read: Any = reply.pairs
        for name, entries in read:
            seen += [(name, entry_[0]) for entry_ in entries]
    for writer in writers:
        writer.join()
    assert sorted(seen) == sorted((of.encode(), b"%d-1" % number) for of in names for number in range(1, each + 1))
    assert [cluster.owner(name.encode()).call("XPENDING", name, "g")[0] for name in names] == [each] * 3


def test_a_wait_on_several_nodes_can_be_interrupted(cluster: Cluster, user: User, names: list[str]) -> None:
    for name in names:
        assert user(f"XGROUP CREATE {name} g $ MKSTREAM") == OK
    user.on_wait = lambda: user.backend.stop(writes=True)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            user(f"XREADGROUP GROUP g c BLOCK 0 STREAMS {' '.join(names)} > > >")
    user.on_wait = None
    add(cluster, names[1], "1-1")
    reply = user(f"XREADGROUP GROUP g c STREAMS {' '.join(names)} > > >")
    assert reply == Map([(names[1].encode(), [entry("1-1")])])
    assert [_blocked(node) for node in cluster.primaries()] == ["0", "0", "0"]


def _blocked(node: Any) -> str:
    return str(node.info("clients")["blocked_clients"])


def test_a_wait_that_times_out_answers_as_one_server_does(user: User, names: list[str]) -> None:
    assert user(f"XREAD BLOCK 150 STREAMS {' '.join(names)} $ $ $") is None
    assert user.waits[0].left_ms is not None


def test_an_error_of_one_slot_is_the_answer(user: User, names: list[str]) -> None:
    assert user(f"SET {names[1]} x") == OK
    wrong = Error("WRONGTYPE Operation against a key holding the wrong kind of value")
    assert user(f"XREAD STREAMS {' '.join(names)} 0 0 0") == wrong
    reply = user(f"XREADGROUP GROUP g c STREAMS {names[0]} {names[2]} > >")
    assert isinstance(reply, Error)
    assert reply.code == "NOGROUP"


def test_what_a_group_has_delivered_is_shown_although_another_slot_has_an_error(
    cluster: Cluster, user: User, names: list[str]
) -> None:
    assert user(f"XGROUP CREATE {names[0]} g 0 MKSTREAM") == OK
    add(cluster, names[0], "1-1")
    reply = user(f"XREADGROUP GROUP g c STREAMS {names[0]} {names[2]} > >")
    assert reply == Map([(names[0].encode(), [entry("1-1")])])
    assert [note.partition(":")[0] for note in user.notes] == ["the streams are in 2 slots", "of another slot"]


# -- transactions -----------------------------------------------------------------------------------------


def test_a_transaction_runs_on_the_node_of_its_first_key(cluster: Cluster, user: User, names: list[str]) -> None:
    for name in names:
        assert user.backend.queued is None
        assert user("MULTI") == OK
        assert user.backend.queued == 0
        assert user("PING") == QUEUED
        assert user("MULTI") == Error("ERR MULTI calls can not be nested")
        assert user(f"XADD {name} 1-1 f v") == QUEUED
        assert user(f"XLEN {name}") == QUEUED
        assert user.backend.queued == 3
        assert user("EXEC") == [Simple("PONG"), b"1-1", 1]
    assert user.backend.queued is None
    assert user("EXEC") == Error("ERR EXEC without MULTI")
    assert user("MULTI") == OK
    assert user("EXEC") == []
    assert user("MULTI") == OK
    assert user("DISCARD") == OK
    assert user.backend.queued is None


def test_a_transaction_on_two_nodes_is_refused_as_a_whole(user: User, names: list[str]) -> None:
    assert user("MULTI") == OK
    assert user(f"XADD {names[0]} 1-1 f v") == QUEUED
    reply = user(f"XADD {names[1]} 1-1 f v")
    assert isinstance(reply, Error)
    assert (reply.code, user.backend.queued) == ("MOVED", 1)
    assert user("EXEC") == Error("EXECABORT Transaction discarded because of previous errors.")
    assert user(f"EXISTS {names[0]}") == 0


def test_a_transaction_on_a_slot_that_has_moved_goes_after_it(cluster: Cluster, user: User, names: list[str]) -> None:
    old, new, _ = cluster.primaries()
    number = slot(names[0].encode())
    cluster.move_slot(number, new)
    try:
        assert user("MULTI") == OK
        assert user("PING") == QUEUED
        assert user(f"XADD {names[0]} 1-1 f v") == QUEUED
        assert user.backend.queued == 2
        assert user("EXEC") == [Simple("PONG"), b"1-1"]
    finally:
        cluster.move_slot(number, old)


def test_a_slot_that_moves_before_exec_ends_the_transaction(cluster: Cluster, user: User, names: list[str]) -> None:
    old, new, _ = cluster.primaries()
    number = slot(names[0].encode())
    assert user("MULTI") == OK
    assert user(f"XADD {names[0]} 1-1 f v") == QUEUED
    cluster.move_slot(number, new)
    try:
        assert user("EXEC") == Error(f"MOVED {number} 127.0.0.1:{new.port}")
        assert user.backend.queued is None
        assert user(f"XADD {names[0]} 1-1 f v") == b"1-1"
    finally:
        cluster.move_slot(number, old)


def test_all_keys_are_those_of_one_node_in_a_transaction(user: User, names: list[str]) -> None:
    assert user("MULTI") == OK
    assert user("DBSIZE") == QUEUED
    assert user(f"XADD {names[1]} 1-1 f v") == QUEUED
    assert user("RESET") == Simple("RESET")
    assert user.backend.queued is None
    assert user(f"XLEN {names[1]}") == 0
    assert user.notes[0] == "in a transaction DBSIZE is about one node only"


def test_a_wait_on_a_slot_that_is_on_its_way(cluster: Cluster, user: User, names: list[str]) -> None:
    old, new, _ = cluster.primaries()
    number = slot(names[0].encode())
    moving = cluster.moving(number, new)
    moving.begin()

    def finish() -> None:
        moving.finish()
        new.call("XADD", names[0], "7-1", "f", "v")

    soon(user, finish)
    try:
        reply = user(f"XREAD BLOCK 0 STREAMS {names[1]} {names[0]} $ $")
        assert reply == Map([(names[0].encode(), [entry("7-1")])])
    finally:
        cluster.move_slot(number, old)


def test_a_watched_key_binds_the_transaction_to_its_node(cluster: Cluster, user: User, names: list[str]) -> None:
    assert user(f"WATCH {names[2]}") == OK
    assert user(f"XLEN {names[0]}") == 0
    add(cluster, names[2], "1-1")
    assert user("MULTI") == OK
    assert user(f"XADD {names[2]} 2-1 f v") == QUEUED
    assert user("EXEC") is None
    assert user(f"XLEN {names[2]}") == 1
    assert user(f"WATCH {names[1]}") == OK
    assert user("MULTI") == OK
    assert user(f"XADD {names[1]} 2-1 f v") == QUEUED
    assert user("EXEC") == [b"2-1"]


def test_whoever_one_becomes_after_watch_is_who_executes(cluster: Cluster, user: User, names: list[str]) -> None:
    for node in cluster.nodes:
        node.call("ACL", "SETUSER", "bob", "on", ">swordfish", "~*", "+@all")
    for name in names:
        assert user(f"WATCH {name}") == OK
        assert user("AUTH bob swordfish") == OK
        assert user.backend.user == "bob"
        assert user("MULTI") == OK
        assert user(f"XLEN {name}") == QUEUED
        assert user("ACL WHOAMI") == QUEUED
        assert user("EXEC") == [0, b"bob"]
        assert user(f"WATCH {name}") == OK
        wrong = user("AUTH nobody at-all")
        assert isinstance(wrong, Error)
        assert user("HELLO 2") != []
        assert user(f"XADD {name} 1-1 f v") == b"1-1"
        assert user("MULTI") == OK
        assert user(f"XLEN {name}") == QUEUED
        assert user("EXEC") == NIL_ARRAY  # what was watched has changed
        assert user("ACL WHOAMI") == b"bob"
        assert user("RESET") == Simple("RESET")
        assert user("ACL WHOAMI") == b"default"


# -- nodes that die ----------------------------------------------------------------------------------------


def test_after_a_failover_the_next_command_finds_the_new_primary(
    cluster: Cluster, user: User, names: list[str]
) -> None:
    (old, *_) = cluster.primaries()
    assert user(f"XADD {names[0]} 1-1 f v") == b"1-1"
    assert old.call("WAIT", 1, 5000) == 1
    new = cluster.fail_over(old)
    assert user(f"XADD {names[0]} 2-1 f v") == b"2-1"
    assert new.call("XLEN", names[0]) == 2


@pytest.mark.parametrize("seed", [True, False])
def test_a_node_that_dies_is_replaced_by_its_replica(cluster: Cluster, names: list[str], seed: bool) -> None:
    old = cluster.primaries()[1]
    user = User(cluster.address(old if seed else cluster.primaries()[0]))
    try:
        assert user(f"XADD {names[1]} 1-1 f v") == b"1-1"
        until(lambda: cluster.replicas(old)[0].info("keyspace").get("db0", "").startswith("keys=1"), "it is copied")
        cluster.kill(old)
        assert user(f"XADD {names[1]} 2-1 f v") == b"2-1"
        assert user(f"XLEN {names[1]}") == 2
        assert user("DBSIZE") == 1
        assert user("PING") == Simple("PONG")
        assert user.browse(f"XLEN {names[1]}") == 2
    finally:
        user.close()


def test_a_node_that_dies_under_a_command_is_said_and_the_next_goes_on(
    cluster: Cluster, user: User, names: list[str]
) -> None:
    old = cluster.primaries()[2]
    assert user(f"XADD {names[2]} 1-1 f v") == b"1-1"
    soon(user, lambda: cluster.kill(old, wait=False))
    with pytest.raises(LostError) as lost:
        user(f"XREAD BLOCK 0 STREAMS {' '.join(names)} $ $ $")
    assert str(lost.value).endswith("the command only reads and may be sent again")
    assert str(old.port) in str(lost.value)
    until(lambda: cluster._has_recovered(old), "the cluster goes on")
    assert user(f"XADD {names[2]} 2-1 f v") == b"2-1"
    assert user(f"XREAD STREAMS {names[0]} {names[2]} 0 1-1") == Map([(names[2].encode(), [entry("2-1")])])


# -- beside the session, replicas, feeds ------------------------------------------------------------------------


def test_names_are_looked_up_on_every_node(cluster: Cluster, user: User, names: list[str]) -> None:
    for name in names:
        add(cluster, name, "1-1")
    assert user("MULTI") == OK
    assert [user.browse(f"XLEN {name}") for name in names] == [1, 1, 1]
    assert user.browse("DBSIZE") == 3
    assert user.browse(f"XREAD STREAMS {' '.join(names)} 0 0 0") == Map(
        [(name.encode(), [entry("1-1")]) for name in names]
    )
    assert user.backend.queued == 0
    assert user("DISCARD") == OK


def test_reading_from_replicas(cluster: Cluster, names: list[str]) -> None:
    user = User(cluster.address(replica=True))
    try:
        for name in names:
            assert user(f"XADD {name} 1-1 f v") == b"1-1"
        for name in names:
            (replica, *_) = cluster.replicas(cluster.owner(name.encode()))
            until(lambda: replica.info("keyspace").get("db0", "").startswith("keys=1"), "it is copied")  # noqa: B023
            before = _calls(replica, "xlen")
            assert user(f"XLEN {name}") == 1
            assert _calls(replica, "xlen") == before + 1
        reply = user(f"XREAD STREAMS {' '.join(names)} 0 0 0")
        assert reply == Map([(name.encode(), [entry("1-1")]) for name in names])
        soon(user, lambda: add(cluster, names[1], "5-1"))
        reply = user(f"XREAD BLOCK 0 STREAMS {' '.join(names)} $ $ $")
        assert reply == Map([(names[1].encode(), [entry("5-1")])])
    finally:
        user.close()


def _calls(server: Any, command: str) -> int:
    told = server.info("commandstats").get(f"cmdstat_{command}", "calls=0")
    return int(told.partition("calls=")[2].partition(",")[0])


def test_a_sharded_channel_is_heard_on_its_node(cluster: Cluster, user: User, names: list[str]) -> None:
    for name in names:
        feed = user.backend.listen([b"SSUBSCRIBE", name.encode()])
        assert next(feed) is not None
        assert user(f"SPUBLISH {name} hello") == 1
        message: Any = next(feed)
        assert list(message.items)[-1] == b"hello"
        feed.close()  # type: ignore[attr-defined]


def test_a_user_is_the_same_on_every_node(cluster: Cluster, user: User, names: list[str]) -> None:
    for node in cluster.nodes:
        node.call("ACL", "SETUSER", "bob", "on", ">swordfish", "~*", "+@all")
    for name in names:
        assert user(f"XLEN {name}") == 0
    assert user("AUTH bob swordfish") == OK
    assert user.backend.user == "bob"
    for name in names:
        assert user(f"XADD {name} 1-1 f v") == b"1-1"
        assert user("ACL WHOAMI") == b"bob"
    assert {
        client.partition(b"user=")[2].partition(b" ")[0]
        for node in cluster.primaries()
        for client in node.call("CLIENT", "LIST").splitlines()
        if b"cmd=xadd" in client
    } == {b"bob"}
    with pytest.raises(RefusedError):
        cluster.nodes[0].call("NOTHING")
    assert user(f"XREAD STREAMS {' '.join(names)} 0 0 0") is not None
