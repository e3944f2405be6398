"""What two runs can not agree on, because it is a reading of a clock or an accident of one process.

This is the whole list; everything else is compared byte for byte:

* the idle times of XPENDING and XINFO CONSUMERS: kept to 100 s (`:<1000000>`), so that an idle time set by a
  wide margin still counts; seen-time, active-time and delivery times of XINFO STREAM FULL: `:<now>`
* an ID whose time lies between 2023 and 2049, that is, one that `*` made: `$<now>`; scripts use no other such ID
* radix-tree-nodes, which Redis does not promise
* the fields of XINFO that Redis 8.0 does not have, unless the newest is asked for (older.py has what else it lacks)
* TTL and PTTL, kept to 100 s; EXPIRETIME and PEXPIRETIME of a relative expiry, TIME, OBJECT IDLETIME and FREQ,
  MEMORY USAGE, CLIENT ID / INFO / LIST, INFO, the connection's id, the version and the modules in HELLO, COMMAND COUNT
* what DUMP gives, and the text of HELP, which are each server's own
* the order of KEYS, SCAN and CONFIG GET: sorted; SCAN's reply when COUNT may not reach all keys
"""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.conformance.wire import Aggregate, Argv, Node, integer, join, text

MADE_ID = re.compile(rb"\$\d+\r\n(?:1[7-9]|2[0-4])\d{11}-\d+\r\n")
_NOW_MS = range(1_700_000_000_000, 2_500_000_000_000)
_LONG_MS = 10**10  # an elapsed time of more than four months is now minus something
_FAR = 10**14  # a moment so far away that it was made by adding to now
_ALL_KEYS = 100  # no test has as many
NEWER_FIELDS = (
    *(b"idmp-duration", b"idmp-maxsize", b"pids-tracked", b"iids-tracked", b"iids-added", b"iids-duplicates"),
    b"nacked-count",
)
_NOW_S = range(1_700_000_000, 2_500_000_000)


class Masks:
    """The masks of one connection: it remembers what MULTI queued, so that EXEC's replies are masked too."""

    def __init__(self, *, newest: bool = False) -> None:
        self._queue: list[Argv] | None = None
        self._newest = newest

    def apply(self, argv: Argv, reply: Node) -> bytes:
        """The reply's bytes with the clock taken out."""
        name = argv[0].upper() if argv else b""
        if reply == b"+QUEUED\r\n" and self._queue is not None:
            self._queue.append(argv)
        elif name == b"MULTI" and reply == b"+OK\r\n":
            self._queue = []
        elif name == b"EXEC":
            if self._queue is not None and isinstance(reply, Aggregate):
                for at, queued in enumerate(self._queue[: len(reply.items)]):
                    reply.items[at] = self._masked(queued, reply.items[at])
            self._queue = None
        elif name in (b"DISCARD", b"RESET"):
            self._queue = None
        else:
            reply = self._masked(argv, reply)
        wire = join(reply)
        return MADE_ID.sub(b"$<now>\r\n", wire) if b"-" in wire else wire

    def _masked(self, argv: Argv, reply: Node) -> Node:
        if not self._newest and argv and argv[0].upper() == b"XINFO":
            _without_newer(reply)
        return _masked(argv, reply)


def _masked(argv: Argv, reply: Node) -> Node:
    if len(argv) == 2 and argv[1].upper() == b"HELP" and isinstance(reply, Aggregate):
        return b"*<help>\r\n"
    mask = _BY_COMMAND.get(argv[0].upper())
    if mask is None or (isinstance(reply, bytes) and reply[:1] == b"-"):
        return reply
    return mask(argv, reply)


def _elapsed(node: Node) -> Node:
    value = integer(node)
    if value is None or value < 0:
        return node
    return b":<now>\r\n" if value >= _LONG_MS else b":<%d>\r\n" % (value // 100_000 * 100_000)


def _column(rows: Node, column: int, width: int) -> None:
    for row in rows.items if isinstance(rows, Aggregate) else ():
        if isinstance(row, Aggregate) and len(row.items) == width:
            row.items[column] = _elapsed(row.items[column])


def _xpending(argv: Argv, reply: Node) -> Node:
    if len(argv) > 3:
        _column(reply, 2, 4)
    return reply


def _xinfo(argv: Argv, reply: Node) -> Node:
    _record(reply, 0)
    return reply


def _record(node: Node, depth: int) -> None:
    """Masks the records XINFO answers with, wherever they nest: stream, group, consumer."""
    if not isinstance(node, Aggregate) or depth > 6:
        return
    for name, at in node.fields():
        value = node.items[at]
        if name in (b"idle", b"inactive", b"seen-time", b"active-time"):
            node.items[at] = _elapsed(value)
        elif name == b"radix-tree-nodes":
            node.items[at] = b":<count>\r\n"
        elif name == b"pending":
            _column(value, 2, 4)
            _column(value, 1, 3)
    for item in node.items:
        if isinstance(item, Aggregate):
            _record(item, depth + 1)


def _without_newer(node: Node) -> None:
    """Takes out what Redis 8.0 does not tell, of every record."""
    if not isinstance(node, Aggregate):
        return
    gone = {at for name, at in node.fields() if name in NEWER_FIELDS}
    if gone:
        node.items = [item for at, item in enumerate(node.items) if not {at, at + 1} & gone]
        count = len(node.items) // (2 if node.head[:1] == b"%" else 1)
        node.head = b"%b%d\r\n" % (node.head[:1], count)
    for item in node.items:
        _without_newer(item)


def _clock(argv: Argv, reply: Node) -> Node:
    value = integer(reply)
    if value is not None and (value in _NOW_MS or value in _NOW_S or value > _FAR):
        return b":<now>\r\n"
    return reply


def _remaining(argv: Argv, reply: Node) -> Node:
    value, step = integer(reply), 100 if argv[0].upper() == b"TTL" else 100_000
    return reply if value is None or value < 0 else b":<%d>\r\n" % ((value + step // 2) // step * step)


def _object(argv: Argv, reply: Node) -> Node:
    hidden = len(argv) > 1 and argv[1].upper() in (b"IDLETIME", b"FREQ") and integer(reply) is not None
    return b":<count>\r\n" if hidden else reply


def _count(argv: Argv, reply: Node) -> Node:
    return reply if integer(reply) is None or len(argv) < 2 or argv[1].upper() not in _COUNTS else b":<count>\r\n"


def _client(argv: Argv, reply: Node) -> Node:
    if len(argv) > 1 and argv[1].upper() in (b"INFO", b"LIST") and isinstance(reply, bytes) and reply[:1] in b"$=":
        return b"$<clients>\r\n"
    return _count(argv, reply)


def _dump(argv: Argv, reply: Node) -> Node:
    return b"$<payload>\r\n" if isinstance(reply, bytes) and reply[:2] not in (b"$-", b"_\r") else reply


def _hello(argv: Argv, reply: Node) -> Node:
    if isinstance(reply, Aggregate):
        for name, at in reply.fields():
            if name == b"id":
                reply.items[at] = b":<count>\r\n"
            elif name == b"version":
                reply.items[at] = b"$<version>\r\n"
            elif name == b"modules":
                reply.items[at] = b"*<modules>\r\n"
    return reply


def _time(argv: Argv, reply: Node) -> Node:
    if isinstance(reply, Aggregate):
        reply.items = [b"$<now>\r\n" if text(item).isdigit() else item for item in reply.items]
    return reply


def _info(argv: Argv, reply: Node) -> Node:
    return b"$<info>\r\n" if isinstance(reply, bytes) and reply[:1] in b"$=" else reply


def _sorted(argv: Argv, reply: Node) -> Node:
    if isinstance(reply, Aggregate):
        inner = reply.items[1] if argv[0].upper() == b"SCAN" and len(reply.items) == 2 else reply
        if isinstance(inner, Aggregate):
            inner.items.sort(key=join)
    return reply


def _scan(argv: Argv, reply: Node) -> Node:
    """Which keys are on a page that does not hold all of them is each server's own business."""
    counts = [argv[at + 1] for at, word in enumerate(argv[:-1]) if word.upper() == b"COUNT"]
    if isinstance(reply, Aggregate) and counts and counts[-1].isdigit() and int(counts[-1]) < _ALL_KEYS:
        return b"*<page>\r\n"
    return _sorted(argv, reply)


def _config(argv: Argv, reply: Node) -> Node:
    if isinstance(reply, Aggregate):
        pairs = sorted((join(reply.items[at - 1]), reply.items[at]) for _, at in reply.fields())
        reply.items = [item for pair in pairs for item in pair]
    return reply


_COUNTS = (b"USAGE", b"ID", b"COUNT")
_BY_COMMAND: dict[bytes, Callable[[Argv, Node], Node]] = {
    b"XPENDING": _xpending,
    b"XINFO": _xinfo,
    b"EXPIRETIME": _clock,
    b"PEXPIRETIME": _clock,
    b"TTL": _remaining,
    b"PTTL": _remaining,
    b"OBJECT": _object,
    b"MEMORY": _count,
    b"COMMAND": _count,
    b"CLIENT": _client,
    b"CONFIG": _config,
    b"DUMP": _dump,
    b"HELLO": _hello,
    b"TIME": _time,
    b"INFO": _info,
    b"KEYS": _sorted,
    b"SCAN": _scan,
}
