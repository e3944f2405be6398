"""The words random wrong lines are made of: for each command what may stand first, and what may follow.

Every option of every stream command is here, and the ways to get a word wrong that Redis tells apart: integers with
a sign, a zero or a blank in front, IDs it reads leniently, the borders of 64 bits, bytes that no terminal shows. What
came after 8.0 (KEEPREF, CLAIM, IDMP ...) is not: the engine knows it, the server it is compared with does not.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Pool(NamedTuple):
    """`start`: choices for each of the first words. `rest`: what the words after them are drawn from."""

    start: tuple[tuple[bytes, ...], ...]
    rest: tuple[bytes, ...]


def _w(text: str) -> tuple[bytes, ...]:
    return tuple(text.encode().split())


_INTEGERS = (*_w("0 1 2 5 -1 10 01 +5 -0 x 1.0 1e3 0x10"), b"", b" 5", b"5 ", b"5\x00")
_BORDERS = _w(
    "9223372036854775807 9223372036854775808 -9223372036854775808 -9223372036854775809 18446744073709551615 "
    "18446744073709551616 576460752303423487 576460752303423488"
)
_IDS = (
    *_w("0 1 1-1 2-0 3-* 7-1 0-0 0-1 1- -1 1-1-1 01-01 +5 7-+1 ++1 1--1 1-x x * $ > - +"),
    *_w("18446744073709551615 18446744073709551615-18446744073709551615 18446744073709551616 1-18446744073709551616"),
    b"",
    b" 5",
    b"5 ",
    b"\t9- 2",
    b"1-1\x00",
    b"0" * 126 + b"1",
    b"0" * 127 + b"1",
    b"\xff\xfe",
)
_BOUNDS = (*_IDS, *_w("( (1 (1-1 (- (+ (0 (0-0 (18446744073709551615-18446744073709551615 (18446744073709551615 ((1"))
KEYS: Final = _w("s t e w none")  # streams with groups, an empty stream, a string, and nothing
_KEYS = KEYS
_GROUPS = (*_w("g h nogroup G"), b"", b"g\x00h", b"g\r\nh", b"\xe9\xff")
_CONSUMERS = (*_w("c d new"), b"")
_TRIM = _w("MAXLEN MINID LIMIT maxlen Minid limit ~ = ~ = 5 0 -1 x 7-1")

STREAMS: Final[dict[str, Pool]] = {
    "XADD": Pool((_KEYS,), (*_w("NOMKSTREAM nomkstream f v * 7-* 8-1 0-0* f v"), *_TRIM, *_IDS, *_INTEGERS)),
    "XTRIM": Pool((_KEYS,), (*_TRIM, *_TRIM, *_IDS, *_INTEGERS, *_BORDERS)),
    "XLEN": Pool((), _KEYS),
    "XDEL": Pool((_KEYS,), _IDS),
    "XACK": Pool((_KEYS, _GROUPS), _IDS),
    "XRANGE": Pool((_KEYS,), (*_BOUNDS, *_w("COUNT count COUNT 3"), *_INTEGERS)),
    "XREVRANGE": Pool((_KEYS,), (*_BOUNDS, *_w("COUNT count COUNT 3"), *_INTEGERS)),
    "XREAD": Pool((), (*_w("COUNT BLOCK STREAMS streams count GROUP NOACK 1 -1 x s t 0 0 $ + >"), *_INTEGERS, *_IDS)),
    "XREADGROUP": Pool(
        (), (*_w("GROUP g c GROUP g c COUNT BLOCK NOACK STREAMS noack 1 -1 s t 0 0 > >"), *_INTEGERS, *_IDS, *_GROUPS)
    ),
    "XGROUP": Pool(
        ((b"CREATE", b"SETID", b"DESTROY", b"CREATECONSUMER", b"DELCONSUMER", b"HELP", b"X"),), (*_KEYS, *_IDS)
    ),
    "XGROUP CREATE": Pool((_KEYS, _GROUPS, _IDS), (*_w("MKSTREAM ENTRIESREAD mkstream entriesread 5"), *_INTEGERS)),
    "XGROUP SETID": Pool((_KEYS, _GROUPS, _IDS), (*_w("MKSTREAM ENTRIESREAD entriesread ENTRIESREAD 5"), *_INTEGERS)),
    "XGROUP DESTROY": Pool((_KEYS,), _GROUPS),
    "XGROUP CREATECONSUMER": Pool((_KEYS, _GROUPS), _CONSUMERS),
    "XGROUP DELCONSUMER": Pool((_KEYS, _GROUPS), _CONSUMERS),
    "XGROUP HELP": Pool((), (b"x",)),
    "XINFO": Pool(((b"STREAM", b"GROUPS", b"CONSUMERS", b"HELP", b"x", b"\x00\xff"),), (*_KEYS, *_GROUPS)),
    "XINFO STREAM": Pool((_KEYS,), (*_w("FULL COUNT full count FULL COUNT 5"), *_INTEGERS)),
    "XINFO GROUPS": Pool((), _KEYS),
    "XINFO CONSUMERS": Pool((_KEYS,), _GROUPS),
    "XPENDING": Pool((_KEYS, _GROUPS), (*_w("IDLE idle IDLE - + - + 10 c"), *_BOUNDS, *_INTEGERS)),
    "XCLAIM": Pool(
        (_KEYS, _GROUPS, _CONSUMERS),
        (*_w("IDLE TIME RETRYCOUNT FORCE JUSTID LASTID justid force 0 0 1-1 2-0 FOO"), *_INTEGERS, *_IDS),
    ),
    "XAUTOCLAIM": Pool(
        (_KEYS, _GROUPS, _CONSUMERS, _INTEGERS),
        (*_w("0 0-0 - + COUNT JUSTID count justid 5"), *_BOUNDS, *_INTEGERS, *_BORDERS),
    ),
    "XSETID": Pool((_KEYS,), (*_w("ENTRIESADDED MAXDELETEDID entriesadded 9-9 5"), *_IDS, *_INTEGERS)),
}
_TIMES = (*_w("100 1000 NX XX GT LT nx gt 99999999999 9223372036854775 -9223372036854775 1"), *_INTEGERS, *_BORDERS)
_DB = (*_w("0 1 15 16 -1 x 999999999999"), b"", b" 1")
_SET = _w("NX XX GET KEEPTTL EX PX EXAT PXAT nx get ex 100 100000 9999999999 9999999999999")

# AUTH is left to the scripts: after a failed one Redis 8.0 does not look at what the client had already sent.
OTHERS: Final[dict[str, Pool]] = {
    "DEL": Pool((), _KEYS),
    "UNLINK": Pool((), _KEYS),
    "EXISTS": Pool((), _KEYS),
    "TOUCH": Pool((), _KEYS),
    "TYPE": Pool((), _KEYS),
    "RENAME": Pool((_KEYS,), (*_KEYS, b"u")),
    "RENAMENX": Pool((_KEYS,), (*_KEYS, b"u")),
    "COPY": Pool((_KEYS, (*_KEYS, b"u")), (*_w("DB REPLACE db replace DB REPLACE"), *_DB)),
    "MOVE": Pool((_KEYS,), _DB),
    "EXPIRE": Pool((_KEYS,), _TIMES),
    "PEXPIRE": Pool((_KEYS,), _TIMES),
    "EXPIREAT": Pool((_KEYS,), (b"9999999999", *_TIMES)),
    "PEXPIREAT": Pool((_KEYS,), (b"9999999999999", *_TIMES)),
    "TTL": Pool((), _KEYS),
    "PTTL": Pool((), _KEYS),
    "EXPIRETIME": Pool((), _KEYS),
    "PEXPIRETIME": Pool((), _KEYS),
    "PERSIST": Pool((), _KEYS),
    "DBSIZE": Pool((), (b"x",)),
    "FLUSHDB": Pool(((b"SYN", b"x", b"ASYNCSYNC", b""),), (b"x",)),
    "FLUSHALL": Pool(((b"SYN", b"x", b"ASYNCSYNC", b""),), (b"x",)),
    "SELECT": Pool((), (b"0", *_DB)),
    "SWAPDB": Pool((_DB,), _DB),
    "OBJECT": Pool(((b"ENCODING", b"REFCOUNT", b"FREQ", b"IDLETIME", b"HELP", b"x", b"encoding"),), _KEYS),
    "SET": Pool(((b"w", b"u", b"s"), (b"v", b"")), (*_SET, *_SET, *_INTEGERS, *_BORDERS)),
    "GET": Pool((), _KEYS),
    "GETDEL": Pool((), _KEYS),
    "STRLEN": Pool((), _KEYS),
    "MULTI": Pool((), (b"x",)),
    "EXEC": Pool((), (b"x",)),
    "DISCARD": Pool((), (b"x",)),
    "WATCH": Pool((), _KEYS),
    "UNWATCH": Pool((), (b"x",)),
    "PING": Pool((), (b"hello", b"\x00\xff")),
    "ECHO": Pool((), (b"hello", b"\r\n")),
    "HELLO": Pool((), (*_w("1 4 x SETNAME setname 2.0"), b"", b"a b")),
    "CLIENT": Pool(
        ((b"SETNAME", b"GETNAME", b"SETINFO", b"ID", b"x", b"getname"),), (b"a b", b"", b"x", b"LIB-NAME", b"y\n")
    ),
    "SCAN": Pool((_w("0 -1 x 18446744073709551616"),), (*_w("COUNT MATCH TYPE * stream 1000 count"), *_INTEGERS)),
    "KEYS": Pool((), (*_w("* s [st] ? x* [^s] \\s"), b"")),
    "XFOO": Pool((), (b"a", b"b\x00", b"\xff\r\n", b"x" * 200, b"")),
    "xréad": Pool((), (b"a" * 130, b"'", b"b")),
    "": Pool((), (b"a",)),
}
