"""Questions about names, and what the replies to them say; each is one or two commands that only read.

Replies come from anywhere and in RESP2's and RESP3's shapes: what is not as it
should be names nothing. Does not know when to ask; that is `names`' business.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import islice
from typing import Any, NamedTuple

from streamcli import errors
from streamcli.grammar.parse import Call
from streamcli.ids import parse_id
from streamcli.render.shape import Batch, Entries, Ids, Items, Record, Streams, read_entry, shape_of
from streamcli.reply import Error, Reply
from streamcli.shell.lookup import Browse, record

NAME_MAX = 512  # bytes; nobody picks a longer name from a menu
NAMES_MAX = 1000  # groups of a stream, consumers of a group
STREAMS_MAX = 256  # whose IDs are remembered
SEEN_MAX = 10  # IDs of each
_FIELDS_MAX = 100
_SAMPLE, _SAMPLE_BYTES_MAX = b"20", 1 << 20  # entries to learn fields from


class Topic(NamedTuple):
    """One thing to ask about; `type` is that of the keys which are looked for, empty for any."""

    kind: str
    key: bytes = b""
    group: bytes = b""
    type: bytes = b"stream"


class StreamIds(NamedTuple):
    """What is known of a stream's IDs; `seen` are those on the screen, latest first, `generated` the last ever."""

    seen: tuple[bytes, ...] = ()
    first: bytes | None = None
    last: bytes | None = None
    generated: bytes | None = None


class Held(NamedTuple):
    """An entry that is pending: who holds it, for how long, and how often it was delivered."""

    id: bytes
    consumer: bytes
    idle_ms: int
    deliveries: int


def seen_in(call: Call, reply: Reply) -> list[tuple[bytes, list[bytes]]]:
    """The streams that a reply shows entries of, each with some of their IDs, the lowest on the screen first."""
    if call.command is None or isinstance(reply, Error):
        return []
    shape = shape_of(reply, call)
    if isinstance(shape, Batch) and isinstance(reply, list):
        return [seen for one, answer in zip(call.queued, reply, strict=False) for seen in seen_in(one, answer)]
    if isinstance(shape, Streams):
        return [(name, ids) for name, entries in shape.pairs[:STREAMS_MAX] if (ids := _last_ids(entries))]
    key = next((word for role, word in zip(call.roles, call.argv, strict=False) if role and role.kind == "key"), None)
    ids = []
    if call.command.name == "XADD" and isinstance(reply, bytes):
        ids = _last_ids([reply])
    elif isinstance(shape, Items):
        ids = _last_ids(shape.items)
    elif isinstance(shape, Record):
        ids = [id for _, part in shape.parts if isinstance(part, Entries | Ids) for id in _last_ids(part.items)]
    return [(key, ids)] if key is not None and ids else []


def _last_ids(items: list[Reply]) -> list[bytes]:
    """IDs of the last items: bare ones, entries or rows."""
    firsts = (item[0] if isinstance(item, list) and item else item for item in reversed(items[-SEEN_MAX:]))
    return [id for id in firsts if isinstance(id, bytes) and _whole_id(id)]


def _whole_id(id: bytes) -> bool:
    return len(id) < 42 and b"-" in id and parse_id(id) is not None


class RefusedError(Exception):
    """No answer, or not one to this question."""


def _ask(browse: Browse, *argv: bytes) -> Reply:
    """The reply; None when the key or group is not there, is none, or cannot be asked about. Raises RefusedError."""
    reply = browse(argv)
    if isinstance(reply, Error):
        if reply.code in ("WRONGTYPE", "NOGROUP") or reply in (errors.NO_SUCH_KEY, errors.SYNTAX):
            return None  # a syntax error: servers before 6.0 do not know SCAN's TYPE
        raise RefusedError(reply.text)
    return reply


def _named(reply: Reply) -> tuple[bytes, ...]:
    """The `name` of each record of a list."""
    if reply is not None and not isinstance(reply, list):
        raise RefusedError
    names = [record(row).get(b"name") for row in (reply or [])[:NAMES_MAX]]
    return tuple(sorted([name for name in names if isinstance(name, bytes) and len(name) <= NAME_MAX]))


def _ask_groups(browse: Browse, topic: Topic) -> tuple[bytes, ...]:
    return _named(_ask(browse, b"XINFO", b"GROUPS", topic.key))


def _ask_consumers(browse: Browse, topic: Topic) -> tuple[bytes, ...]:
    return _named(_ask(browse, b"XINFO", b"CONSUMERS", topic.key, topic.group))


def _ask_ids(browse: Browse, topic: Topic) -> StreamIds:
    parts = record(_ask(browse, b"XINFO", b"STREAM", topic.key))
    found: list[bytes | None] = []
    for name in (b"first-entry", b"last-entry", b"last-generated-id"):
        part = parts.get(name)
        id = part[0] if isinstance(part, list) and part else part
        found.append(id if isinstance(id, bytes) and _whole_id(id) else None)
    return StreamIds((), *found)


def _ask_fields(browse: Browse, topic: Topic) -> tuple[bytes, ...]:
    """The fields of the last entries, most common first; of the last one alone when it is large."""
    found: Counter[bytes] = Counter()
    for count in (b"1", _SAMPLE):
        reply = _ask(browse, b"XREVRANGE", topic.key, b"+", b"-", b"COUNT", count)
        if not isinstance(reply, list):
            break
        found.clear()
        size = 0
        for item in reply[:50]:
            entry = read_entry(item)
            for name in dict.fromkeys(islice(entry[1] or (), 0, 2 * _FIELDS_MAX, 2)) if entry else ():
                if len(name) <= NAME_MAX:
                    found[name] += 1
            size += sum(map(len, entry[1] or ())) if entry else 0
        if not reply or size * int(_SAMPLE) > _SAMPLE_BYTES_MAX:
            break
    return tuple([name for name, _ in found.most_common(_FIELDS_MAX)])


def _ask_pending(browse: Browse, topic: Topic) -> tuple[Held, ...]:
    """The group's oldest pending entries."""
    reply = _ask(browse, b"XPENDING", topic.key, topic.group, b"-", b"+", _SAMPLE)
    rows = [row for row in reply if isinstance(row, list) and len(row) == 4] if isinstance(reply, list) else []
    return tuple(
        Held(id, consumer, idle, count)
        for id, consumer, idle, count in rows
        if isinstance(id, bytes) and isinstance(consumer, bytes) and isinstance(idle, int) and isinstance(count, int)
    )


def ask_page(browse: Browse, cursor: bytes, pattern: bytes, count: bytes, type: bytes) -> tuple[bytes, list[bytes]]:
    """Where to go on (`0`: at the end), and some of the keys of the type. Raises RefusedError."""
    match = (b"MATCH", pattern) if pattern else ()
    typed = (b"TYPE", type) if type else ()
    reply = _ask(browse, b"SCAN", cursor, *match, b"COUNT", count, *typed)
    if reply is None:
        return b"0", []
    if not isinstance(reply, list) or len(reply) != 2 or not isinstance(reply[1], list):
        raise RefusedError
    following = b"%d" % reply[0] if isinstance(reply[0], int) else reply[0]
    if not isinstance(following, bytes):
        raise RefusedError
    return following, [name for name in reply[1] if isinstance(name, bytes) and len(name) <= NAME_MAX]


ASK: dict[str, Callable[[Browse, Topic], Any]] = {
    "groups": _ask_groups,
    "consumers": _ask_consumers,
    "ids": _ask_ids,
    "fields": _ask_fields,
    "pending": _ask_pending,
}
