"""What wakes a blocked read, and what it then answers: on the engine, and on a real server when there is one.

A case is: what is done first, the read that blocks, what someone else does meanwhile, and the answer (RESP2), or
NOTHING when the read goes on waiting.
"""

from __future__ import annotations

import contextlib
from typing import Final

import pytest

from streamcli.engine import Engine, Wait
from streamcli.resp import encode
from tests.conformance.live import Server
from tests.conformance.wire import Argv, join

START_MS: Final = 1_767_225_600_000
NOTHING: Final = b"*-1\r\n"  # a BLOCK that ran out
_BLOCK_MS = 150  # as long as the live server is given to answer nothing

_STREAM = "XADD s 1-1 f v"
_GROUP = "XGROUP CREATE s g $"
_READ = f"XREAD BLOCK {_BLOCK_MS} STREAMS s $"
_READ_GROUP = f"XREADGROUP GROUP g c BLOCK {_BLOCK_MS} STREAMS s >"
_GONE = b"-NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option\r\n"
_WRONG = b"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n"


def _entries(*ids: str, key: str = "s") -> bytes:
    listed = b"".join(b"*2\r\n$%d\r\n%b\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n" % (len(one), one.encode()) for one in ids)
    return b"*1\r\n*2\r\n$%d\r\n%b\r\n*%d\r\n%b" % (len(key), key.encode(), len(ids), listed)


CASES: Final[dict[str, tuple[list[str], str, list[str], bytes]]] = {
    "xread: an entry": ([_STREAM], _READ, ["XADD s 2-1 f v"], _entries("2-1")),
    "xread: an entry of a stream that was not there": ([], _READ, ["XADD s 0-1 f v"], _entries("0-1")),
    "xread: nothing but time": ([_STREAM], _READ, ["XLEN s"], NOTHING),
    "xread: $ is resolved once": (
        [_STREAM], _READ, ["MULTI", "XADD s 2-1 f v", "XADD s 3-1 f v", "EXEC"], _entries("2-1", "3-1"),
    ),
    "xread: + of an empty stream": (
        [_STREAM, "XDEL s 1-1"], f"XREAD BLOCK {_BLOCK_MS} STREAMS s +", ["XADD s 2-1 f v"], _entries("2-1"),
    ),
    "xread: the second of two streams": (
        [_STREAM, "XADD t 1-1 f v"], f"XREAD BLOCK {_BLOCK_MS} STREAMS s t $ $", ["XADD t 2-1 f v"],
        _entries("2-1", key="t"),
    ),
    "xread: an entry that is deleted at once": (
        [_STREAM], _READ, ["MULTI", "XADD s 2-1 f v", "XDEL s 2-1", "EXEC"], NOTHING,
    ),
    "xread: an entry that is trimmed at once": ([_STREAM], _READ, ["XADD s MAXLEN 0 2-1 f v"], NOTHING),
    "xread: the key is deleted": ([_STREAM], _READ, ["DEL s"], NOTHING),
    "xread: the key is overwritten": ([_STREAM], _READ, ["SET s x"], NOTHING),
    "xread: deleted, and added to below the ID": ([_STREAM], _READ, ["DEL s", "XADD s 0-5 f v"], NOTHING),
    "xread: deleted, and added to above the ID": ([_STREAM], _READ, ["DEL s", "XADD s 1-2 f v"], _entries("1-2")),
    "xread: a stream with newer entries is renamed to it": (
        [_STREAM, "XADD t 5-1 f v"], _READ, ["RENAME t s"], _entries("5-1"),
    ),
    "xread: a stream with newer entries is copied over it": (
        [_STREAM, "XADD t 5-1 f v"], _READ, ["COPY t s REPLACE"], _entries("5-1"),
    ),
    "xread: a group is made with its stream": ([], _READ, ["XGROUP CREATE s g $ MKSTREAM"], NOTHING),
    "xread: COUNT holds": (
        [_STREAM], f"XREAD COUNT 1 BLOCK {_BLOCK_MS} STREAMS s $",
        ["MULTI", "XADD s 2-1 f v", "XADD s 3-1 f v", "EXEC"], _entries("2-1"),
    ),
    "xread: another stream of the command has become a string": (
        [_STREAM, "XADD t 1-1 f v"], f"XREAD BLOCK {_BLOCK_MS} STREAMS s t $ $", ["SET s x", "XADD t 2-1 f v"], _WRONG,
    ),
    "xread: + is looked up again": (
        [_STREAM, "XDEL s 1-1"], f"XREAD BLOCK {_BLOCK_MS} STREAMS s +",
        ["MULTI", "XADD s 2-1 f v", "XADD s 3-1 f v", "EXEC"], _entries("3-1"),
    ),
    "xread: + of a stream that is renamed to it": (
        ["XADD t 4-1 f v", "XADD t 5-1 f v"], f"XREAD BLOCK {_BLOCK_MS} STREAMS s +", ["RENAME t s"], _entries("5-1"),
    ),
    "xread: the last ID is set, and another stream of the command has become a string": (
        [_STREAM, "XADD t 1-1 f v"], f"XREAD BLOCK {_BLOCK_MS} STREAMS s t $ $", ["SET s x", "XSETID t 9-9"], NOTHING,
    ),
    "xreadgroup: the group is set back, and the last ID is set": (
        [_STREAM, _GROUP], _READ_GROUP, ["XGROUP SETID s g 0", "XSETID s 9-9"], NOTHING,
    ),
    "xreadgroup: an entry": ([_STREAM, _GROUP], _READ_GROUP, ["XADD s 2-1 f v"], _entries("2-1")),
    "xreadgroup: the key is deleted": ([_STREAM, _GROUP], _READ_GROUP, ["DEL s"], _GONE),
    "xreadgroup: everything is deleted": ([_STREAM, _GROUP], _READ_GROUP, ["FLUSHALL"], _GONE),
    "xreadgroup: the key is renamed away": ([_STREAM, _GROUP], _READ_GROUP, ["RENAME s t"], _GONE),
    "xreadgroup: the key is overwritten": ([_STREAM, _GROUP], _READ_GROUP, ["SET s x"], _WRONG),
    "xreadgroup: the group is destroyed": ([_STREAM, _GROUP], _READ_GROUP, ["XGROUP DESTROY s g"], _GONE),
    "xreadgroup: another group is destroyed": (
        [_STREAM, _GROUP, "XGROUP CREATE s h $"], _READ_GROUP, ["XGROUP DESTROY s h"], NOTHING,
    ),
    "xreadgroup: the group is set back": ([_STREAM, _GROUP], _READ_GROUP, ["XGROUP SETID s g 0"], NOTHING),
    "xreadgroup: the group is set back, then an entry": (
        [_STREAM, _GROUP], _READ_GROUP, ["XGROUP SETID s g 0", "XADD s 2-1 f v"], _entries("1-1", "2-1"),
    ),
    "xreadgroup: the consumer is deleted": (
        [_STREAM, _GROUP], _READ_GROUP, ["XGROUP DELCONSUMER s g c"], NOTHING,
    ),
    "xreadgroup: the last ID is set": ([_STREAM, _GROUP], _READ_GROUP, ["XSETID s 9-9"], NOTHING),
    "xreadgroup: an entry that is deleted at once": (
        [_STREAM, _GROUP], _READ_GROUP, ["MULTI", "XADD s 2-1 f v", "XDEL s 2-1", "EXEC"], NOTHING,
    ),
    "xreadgroup: a stream without the group is renamed to it": (
        [_STREAM, _GROUP, "XADD t 5-1 f v"], _READ_GROUP, ["RENAME t s"], _GONE,
    ),
    "xreadgroup: a stream with the group is renamed to it": (
        [_STREAM, _GROUP, "XADD t 5-1 f v", "XGROUP CREATE t g 0"], _READ_GROUP, ["RENAME t s"], _entries("5-1"),
    ),
    "xreadgroup: databases are swapped": ([_STREAM, _GROUP], _READ_GROUP, ["SWAPDB 0 1"], _GONE),
    "xreadgroup: NOACK": (
        [_STREAM, _GROUP], _READ_GROUP.replace(" STREAMS", " NOACK STREAMS"), ["XADD s 2-1 f v"], _entries("2-1"),
    ),
}  # fmt: skip


def _words(line: str) -> Argv:
    return [word.encode() for word in line.split()]


@pytest.mark.parametrize("name", CASES)
def test_engine_wakes_and_answers(name: str) -> None:
    before, waiting, meanwhile, expected = CASES[name]
    engine = Engine()
    reader, other = engine.session(), engine.session()
    for line in before:
        other.execute(_words(line), START_MS)
    reply = reader.execute(_words(waiting), START_MS)
    assert isinstance(reply, Wait), "it does not block at all"
    assert reply.deadline_ms == START_MS + _BLOCK_MS
    for line in meanwhile:
        other.execute(_words(line), START_MS + 1)
    reply = reader.resume(reply, START_MS + 2)
    if expected == NOTHING:
        assert isinstance(reply, Wait), f"woken with {reply!r}"
        reply = reader.resume(reply, START_MS + _BLOCK_MS)
    assert not isinstance(reply, Wait)
    assert encode(reply) == expected


@pytest.mark.parametrize("name", CASES)
def test_a_real_server_wakes_and_answers_so(name: str, redis_8_0: Server | None) -> None:
    before, waiting, meanwhile, expected = CASES[name]
    if redis_8_0 is None:  # the cases hold what a server said; they can only be looked at
        assert expected.endswith(b"\r\n")
        return
    redis_8_0.reset()
    with contextlib.closing(redis_8_0.connect()) as reader, contextlib.closing(redis_8_0.connect()) as other:
        for line in before:
            other.call(_words(line))
        reader.send(_words(waiting))
        while b"blocked_clients:0\r" in join(other.call([b"INFO", b"clients"])):
            pass  # as soon as the server has it
        for line in meanwhile:
            other.call(_words(line))
        assert join(reader.receive()) == expected
