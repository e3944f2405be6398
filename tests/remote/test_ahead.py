"""Commands sent ahead of their replies, to one server and to a cluster; sessions beside others."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator

import pytest

from streamcli.backend import Backend, LostError, Pouring, Ready, UnreachableError
from streamcli.backend.remote import connect
from streamcli.reply import OK, Error, Push, Reply
from streamcli.resp import encode, encode_command
from tests.remote.cluster import Cluster, slot
from tests.remote.processes import Server
from tests.remote.proxy import Proxy


def test_replies_come_in_order_and_errors_among_them(standalone: Server) -> None:
    backend = connect(standalone.address())
    argvs: list[tuple[bytes, ...]] = [(b"XADD", b"a", b"%d-1" % number, b"f", b"v") for number in range(1, 2001)]
    argvs[1000:1000] = [(b"XADD", b"a", b"1-1", b"f", b"v"), (b"XRANGE", b"a", b"-", b"2"), (b"PING",)]
    replies = list(backend.pipelined(argvs))
    assert replies[1000] == Error("ERR The ID specified in XADD is equal or smaller than the target stream top item")
    assert replies[1001] == [[b"1-1", [b"f", b"v"]], [b"2-1", [b"f", b"v"]]]
    assert replies[:1000] + replies[1003:] == [b"%d-1" % number for number in range(1, 2001)]
    backend.close()


def test_what_was_sent_is_waited_for_when_nobody_takes_the_rest(server: Server) -> None:
    backend = connect(server.address())
    replies = backend.pipelined(((b"ECHO", b"%d" % number) for number in range(10_000)), window=64)
    assert next(replies) == b"0"
    replies.close()
    assert backend.execute((b"ECHO", b"after")) == b"after"
    backend.close()


def test_what_was_answered_before_the_connection_broke_is_given(
    server: Server, proxied: Callable[[int | str], Proxy]
) -> None:
    proxy = proxied(server.port)
    backend = connect(server.address(port=proxy.port))
    replies = backend.pipelined((b"XADD", b"a", b"%d-1" % number, b"f", b"v") for number in range(1, 10_000))
    proxy.cut(1000, down=True)
    taken: list[Reply] = []
    with pytest.raises(LostError):
        taken.extend(replies)
    assert taken == [b"%d-1" % number for number in range(1, len(taken) + 1)]
    assert 0 < len(taken) <= server.call("XLEN", "a") < 9_999
    backend.close()


def test_a_session_beside_has_its_own_transaction(server: Server) -> None:
    backend = connect(server.address(db=2))
    backend.execute((b"MULTI",))
    beside = backend.beside()
    assert beside.db == 2
    assert beside.execute((b"SET", b"k", b"v")) == OK
    backend.execute((b"GET", b"k"))
    assert backend.execute((b"EXEC",)) == [b"v"]
    beside.close()
    backend.close()


def _block(*ids: bytes, key: bytes = b"a", value: bytes = b"v", known: bool = True) -> Ready:
    data = b"".join(encode_command((b"XADD", key, id, b"f", value)) for id in ids)
    return Ready(data, b"".join(map(encode, ids)) if known else b"", len(ids))


def _pour(backend: Backend, blocks: Iterable[Ready], *, window: int) -> Generator[int | list[Reply], None, None]:
    assert isinstance(backend, Pouring)
    return backend.poured(blocks, window=window)


def _blocks(first: int, last: int, size: int) -> list[Ready]:
    return [_block(*(b"%d-1" % id for id in range(at, at + size))) for at in range(first, last + 1, size)]


_BELOW = Error("ERR The ID specified in XADD is equal or smaller than the target stream top item")


@pytest.mark.parametrize("window", [1, 100, 250, 100_000])
def test_blocks_are_answered_by_their_number_when_nothing_is_amiss(server: Server, window: int) -> None:
    backend = connect(server.address())
    assert list(_pour(backend, _blocks(1, 2000, 100), window=window)) == [100] * 20
    assert server.call("XLEN", "a") == 2000
    assert backend.execute((b"ECHO", b"after")) == b"after"
    backend.close()


def test_a_block_with_another_answer_has_its_replies(server: Server) -> None:
    backend = connect(server.address())
    blocks = [
        _block(b"1-1", b"2-1"), _block(b"3-1", b"2-1", b"4-1"), _block(b"5-1", known=False), _block(b"06-1", b"7-1"),
        *_blocks(11, 510, 100),
    ]  # fmt: skip
    answers = list(_pour(backend, blocks, window=8))
    assert answers[:4] == [2, [b"3-1", _BELOW, b"4-1"], [b"5-1"], [b"6-1", b"7-1"]]
    assert [100 if isinstance(one, int) else len(one) for one in answers[4:]] == [100] * 5
    assert backend.execute((b"XLEN", b"a")) == 507
    backend.close()


def test_a_push_among_the_answers_is_none_of_them(server: Server) -> None:
    backend, other = connect(server.address(protocol=3)), connect(server.address())
    pushes: list[Push] = []
    backend.on_push = pushes.append
    assert backend.execute((b"CLIENT", b"TRACKING", b"ON", b"BCAST", b"PREFIX", b"x")) == OK

    def blocks() -> Iterator[Ready]:
        for block in _blocks(1, 1000, 100):
            other.execute((b"SET", b"x", b"1"))
            yield block

    answers = list(_pour(backend, blocks(), window=100))
    assert [one if isinstance(one, int) else len(one) for one in answers] == [100] * 10
    assert pushes
    other.close()
    backend.close()


def test_blocks_that_were_sent_are_waited_for_when_nobody_takes_the_rest(server: Server) -> None:
    backend = connect(server.address())
    answers = _pour(backend, _blocks(1, 10_000, 10), window=64)
    assert next(answers) == 10
    answers.close()
    assert backend.execute((b"ECHO", b"after")) == b"after"
    backend.close()


def test_the_answers_that_came_before_the_connection_broke_are_given(
    server: Server, proxied: Callable[[int | str], Proxy]
) -> None:
    proxy = proxied(server.port)
    backend = connect(server.address(port=proxy.port))
    proxy.cut(1005, down=True)
    answers: list[int | list[Reply]] = []
    with pytest.raises(LostError):
        answers.extend(_pour(backend, _blocks(1, 100_000, 100), window=1000))
    taken = sum(answer if isinstance(answer, int) else len(answer) for answer in answers)
    assert 100 < taken <= server.call("XLEN", "a") < 99_999
    lengths = [len(encode(b"%d-1" % id)) for id in range(1, taken + 2)]
    assert sum(lengths[:-1]) <= 1005 < sum(lengths)
    backend.close()


def test_what_is_no_reply_to_a_block_is_a_lost_connection(
    server: Server, proxied: Callable[[int | str], Proxy]
) -> None:
    proxy = proxied(server.port)
    backend = connect(server.address(port=proxy.port))
    proxy.garble(b"$3\r\n1-1\r\nwhat\r\n")
    answers = _pour(backend, [_block(b"1-1", b"2-1")], window=10)
    assert next(answers) == [b"1-1"]
    with pytest.raises(LostError, match="sent something that is no reply"):
        next(answers)
    backend.close()


@pytest.mark.parametrize("error", [UnreachableError("nobody there"), LostError("it went away"), ValueError("what")])
def test_whoever_makes_the_blocks_may_fail_and_the_next_reply_is_the_next_commands(
    server: Server, error: Exception
) -> None:
    backend = connect(server.address())

    def blocks() -> Iterator[Ready]:
        yield from _blocks(1, 1000, 100)
        raise error

    with pytest.raises(type(error), match=str(error)):
        list(_pour(backend, blocks(), window=10_000))
    assert backend.execute((b"ECHO", b"after")) == b"after"
    backend.close()


def test_a_block_of_many_megabytes_goes_through(server: Server) -> None:
    backend = connect(server.address())
    blocks = [_block(b"%d-1" % id, value=b"x" * 3_000_000) for id in range(1, 6)]
    assert list(_pour(backend, blocks, window=1000)) == [1] * 5
    assert server.call("XLEN", "a") == 5
    backend.close()


@pytest.mark.xdist_group("cluster")
def test_a_cluster_answers_in_order_whatever_the_nodes_and_while_a_slot_moves(cluster: Cluster) -> None:
    backend = connect(cluster.address())
    keys = [cluster.key(node, b"ahead") for node in cluster.primaries()]
    argvs = [(b"XADD", keys[number // 7 % len(keys)], b"%d-1" % number, b"f", b"v") for number in range(1, 500)]
    assert list(backend.pipelined(argvs[:250])) == [b"%d-1" % number for number in range(1, 251)]
    number, home = slot(keys[0]), cluster.owner(keys[0])
    cluster.move_slot(number, next(node for node in cluster.primaries() if node is not home))
    try:
        assert list(backend.pipelined(argvs[250:])) == [b"%d-1" % number for number in range(251, 500)]
        beside = backend.beside()
        lengths = [beside.execute((b"XLEN", key)) for key in keys]
        assert sum(length for length in lengths if isinstance(length, int)) == 499
        beside.close()
    finally:
        cluster.move_slot(number, home)
    backend.close()


@pytest.mark.xdist_group("cluster")
def test_what_is_sent_elsewhere_does_not_take_the_replies_of_what_was_sent_behind_it(cluster: Cluster) -> None:
    here, there, *_ = dict.fromkeys(cluster.primaries())
    stays = cluster.key(here, b"stays")
    moves = next(key for key in (b"moves{%d}" % n for n in range(999)) if _is_on(cluster, key, stays))
    backend = connect(cluster.address())
    long = b"x" * 50_000  # so that replies are still on their way when the first that says MOVED is read
    backend.execute((b"XADD", stays, b"1-1", b"f", long))

    def argvs() -> Iterator[tuple[bytes, ...]]:
        for number in range(1, 401):
            if number == 200:
                cluster.move_slot(slot(moves), there)
            yield (b"XADD", moves, b"%d-1" % number, b"f", b"v")
            yield (b"XRANGE", stays, b"-", b"+")

    try:
        replies = list(backend.pipelined(argvs()))
        assert replies[::2] == [b"%d-1" % number for number in range(1, 401)]
        assert replies[1::2] == [[[b"1-1", [b"f", long]]]] * 400
        assert backend.execute((b"XLEN", moves)) == 400
    finally:
        cluster.move_slot(slot(moves), here)
        backend.close()


def _is_on(cluster: Cluster, key: bytes, other: bytes) -> bool:
    """Is a key on the same node as another one, in another slot?"""
    return slot(key) != slot(other) and cluster.owner(key) is cluster.owner(other)
