"""A walk through the stream commands, as redis-py's notebook on streams goes it, by every way to a server.

The replies are those of the engine in this process: it is held to Redis elsewhere, byte for byte.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Final

import pytest

from streamcli.backend import Backend, Waiting
from streamcli.backend.embedded import Embedded
from streamcli.backend.remote import connect
from streamcli.reply import Error
from streamcli.resp import encode
from tests.conformance.masks import Masks
from tests.conformance.script import words
from tests.conformance.wire import read
from tests.remote.cluster import slot
from tests.remote.conftest import Servers
from tests.remote.ways import NAMES, Way, way

ONE, TWO = b"alpha", b"aurora"  # alice may use them; in a cluster they live on different nodes
WALK: Final = """
    # the first stream, its length, and from where it can be read
    XADD alpha 1-1 v 0
    XADD alpha 1-2 v 1
    XADD alpha 2-* v 2
    XADD alpha 3-1 v 3 n "three, \\x00 and \\r\\n"
    XADD alpha 4-1 v 4
    XADD alpha 5-1 v 5 v again
    XADD alpha 5-1 v "not again"
    XLEN alpha
    XREAD COUNT 2 BLOCK 10 STREAMS alpha 0
    XREAD COUNT 2 STREAMS alpha 1-2
    XREAD BLOCK 5 STREAMS alpha $
    XREAD STREAMS alpha 5-1
    XRANGE alpha - +
    XRANGE alpha (1-2 4 COUNT 2
    XREVRANGE alpha + - COUNT 1

    # a second one, and both at once
    XADD aurora 1-1 name Virginia
    XADD aurora 2-1 name Jane
    XLEN aurora
    XREAD STREAMS alpha aurora 4-1 0
    XREAD COUNT 1 STREAMS aurora alpha 0 0
    XREAD BLOCK 5 STREAMS alpha aurora $ $

    # a group of two consumers
    XGROUP CREATE alpha g 0
    XGROUP CREATE alpha g 0
    XGROUP CREATE aurora g $
    XINFO GROUPS alpha
    XREADGROUP GROUP g ann COUNT 2 BLOCK 10 STREAMS alpha >
    XREADGROUP GROUP g bob COUNT 2 STREAMS alpha >
    XREADGROUP GROUP g ann STREAMS alpha 0
    XPENDING alpha g
    XPENDING alpha g - + 10
    XPENDING alpha g - + 10 bob
    XACK alpha g 1-1 2-0 9-9
    XPENDING alpha g
    XREADGROUP GROUP g bob STREAMS alpha aurora > >
    XCLAIM alpha g ann 0 2-0 3-1
    XAUTOCLAIM alpha g bob 0 0 COUNT 1
    XREADGROUP GROUP nobody bob STREAMS alpha >
    XGROUP DELCONSUMER alpha g bob
    XGROUP SETID alpha g 1-2
    XINFO GROUPS alpha

    # taking away
    XDEL alpha 1-2 9-9
    XLEN alpha
    XTRIM alpha MAXLEN 3
    XTRIM alpha MINID ~ 4-1
    XRANGE alpha - +
    XINFO STREAM aurora
    XINFO STREAM absent
    XGROUP DESTROY alpha g
    XLEN absent

    # in a transaction, on the first stream alone
    MULTI
    XADD alpha 9-1 f v
    XLEN alpha
    XINFO
    XREAD STREAMS alpha 8
    EXEC
    MULTI
    XADD alpha 9-2 f v
    XRANGE alpha 9 +
    XREAD BLOCK 0 STREAMS alpha $
    EXEC
"""

every_way = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.xdist_group(name.split()[0])) for name in NAMES]
)
in_both = pytest.mark.parametrize("protocol", [2, 3])


@pytest.fixture
def place(name: str, servers: Servers) -> Way:
    return way(name, servers)


@pytest.fixture
def remote(place: Way, protocol: int) -> Iterator[Backend]:
    backend = connect(place.at._replace(protocol=protocol))
    yield backend
    backend.close()


def steps() -> list[list[bytes]]:
    lines = [line.strip() for line in WALK.splitlines()]
    return [words(line.encode()) for line in lines if line and not line.startswith("#")]


@every_way
@in_both
def test_the_walk_is_answered_as_by_the_engine(remote: Backend, protocol: int) -> None:
    engine = Embedded()
    engine.execute((b"HELLO", b"%d" % protocol))
    here, there = Masks(), Masks()
    for argv in steps():
        wanted = here.apply(argv, read(io.BytesIO(encode(engine.execute(argv), protocol))))
        got = there.apply(argv, read(io.BytesIO(encode(remote.execute(argv), protocol))))
        assert (b" ".join(argv), got) == (b" ".join(argv), wanted)


@every_way
@in_both
def test_a_blocked_read_gets_what_is_added_elsewhere(place: Way, remote: Backend, protocol: int) -> None:
    def write(_: Waiting) -> None:
        place.holder(TWO).call("XADD", TWO, "7-1", "f", "v")
        remote.on_wait = None

    remote.on_wait = write
    reply = remote.execute((b"XREAD", b"BLOCK", b"0", b"STREAMS", ONE, TWO, b"$", b"$"))
    head = b"*1\r\n*2\r\n" if protocol == 2 else b"%1\r\n"
    assert encode(reply, protocol) == head + b"$6\r\naurora\r\n*1\r\n*2\r\n$3\r\n7-1\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n"


@every_way
@in_both
def test_it_can_be_browsed_and_says_who_it_is(place: Way, remote: Backend, protocol: int) -> None:
    assert remote.browse((b"XLEN", ONE)) == 0
    assert not isinstance(remote.execute((b"XADD", ONE, b"1-1", b"f", b"v")), Error)
    assert remote.browse((b"XLEN", ONE)) == 1
    server = place.holder(ONE)
    told = server.info("server")
    assert remote.server is not None
    assert remote.server.version in (server.version, told["redis_version"])


def test_the_two_streams_live_on_different_nodes() -> None:
    assert slot(ONE) * 3 // 16384 != slot(TWO) * 3 // 16384
