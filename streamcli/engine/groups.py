"""XGROUP, XACK and XPENDING: groups, and what they have delivered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streamcli import errors
from streamcli.engine.engine import Context, handles
from streamcli.grammar.types import Special
from streamcli.ids import id_text, pack_pair
from streamcli.reply import NIL_ARRAY, OK, Error, Reply, ReplyError
from streamcli.storage.streams import ZERO_ID

if TYPE_CHECKING:
    from streamcli.ids import StreamID
    from streamcli.storage.groups import Consumer, Group
    from streamcli.storage.streams import Stream


def _known(count: int | None, stream: Stream) -> int | None:
    """ENTRIESREAD as it is kept: -1 says that it is not known; nobody has read more than was ever added."""
    if count is None or count == -1:
        return None
    return stream.entries_added if count > stream.entries_added % 2**64 else count


def _group_place(stream: Stream | None, id: StreamID | Special | Error) -> bytes:
    """Where a group is to stand: `$` is the stream's last ID."""
    if isinstance(id, Special):
        return stream.last_id if stream else ZERO_ID
    assert not isinstance(id, Error)
    return id.packed


def _existing(ctx: Context, key: bytes) -> Stream:
    stream = ctx.stream(key)
    if stream is None:
        raise ReplyError(errors.XGROUP_NEEDS_KEY)
    return stream


def _named(ctx: Context, key: bytes, group: bytes) -> tuple[Stream, Group]:
    stream = _existing(ctx, key)
    found = stream.group(group)
    if found is None:
        raise ReplyError(errors.no_group_for_key(group, key))
    return stream, found


@handles("XGROUP CREATE")
def xgroup_create(
    ctx: Context,
    *,
    key: bytes,
    group: bytes,
    id: StreamID | Special | Error,
    mkstream: bool = False,
    entriesread: int | None = None,
) -> Reply:
    """OK. With MKSTREAM a missing stream is made, empty."""
    stream = ctx.stream(key) if mkstream else _existing(ctx, key)
    ctx.call.check_late()
    place = _group_place(stream, id)
    if stream is None:
        stream = ctx.make_stream(key)
        ctx.touch(key, stream)
    if stream.group(group) is not None:
        raise ReplyError(errors.BUSYGROUP)
    stream.make_group(group, place, _known(entriesread, stream))
    return OK


@handles("XGROUP SETID")
def xgroup_setid(
    ctx: Context, *, key: bytes, group: bytes, id: StreamID | Special | Error, entriesread: int | None = None
) -> Reply:
    """OK. What is pending stays pending."""
    stream, found = _named(ctx, key, group)
    ctx.call.check_late()
    found.last_id = _group_place(stream, id)
    found.entries_read = _known(entriesread, stream)
    found.changed()
    return OK


@handles("XGROUP DESTROY")
def xgroup_destroy(ctx: Context, *, key: bytes, group: bytes) -> Reply:
    """1, or 0 if there was no such group."""
    stream = _existing(ctx, key)
    found = stream.group(group)
    if found is None:
        return 0
    stream.delete_group(found)
    ctx.engine.roused(ctx.db, key)  # Redis: its readers are told
    return 1


@handles("XGROUP CREATECONSUMER")
def xgroup_createconsumer(ctx: Context, *, key: bytes, group: bytes, consumer: bytes) -> Reply:
    """1, or 0 if there was such a consumer."""
    _, found = _named(ctx, key, group)
    if found.consumer(consumer) is not None:
        return 0
    found.make_consumer(consumer, ctx.now_ms)
    return 1


@handles("XGROUP DELCONSUMER")
def xgroup_delconsumer(ctx: Context, *, key: bytes, group: bytes, consumer: bytes) -> Reply:
    """How many pending entries went with it; 0 for an unknown consumer."""
    _, found = _named(ctx, key, group)
    gone = found.consumer(consumer)
    if gone is None:
        return 0
    found.delete_consumer(gone)
    return gone.pending


@handles("XACK")
def xack(ctx: Context, *, key: bytes, group: bytes, id: list[StreamID]) -> Reply:
    """How many of the IDs were pending; 0 for a missing key or group, whose IDs are not even read."""
    stream = ctx.stream(key)
    found = stream.group(group) if stream else None
    if found is None:
        return 0
    ctx.call.check()
    return found.acknowledge([pack_pair(*one) for one in id])


@handles("XPENDING")
def xpending(
    ctx: Context,
    *,
    key: bytes,
    group: bytes,
    idle: int = 0,
    start: StreamID | None = None,
    end: StreamID | None = None,
    count: int = 0,
    consumer: bytes | None = None,
) -> Reply:
    """Without a range: total, smallest and greatest ID, and consumers with their counts (as strings).
    With one: `[id, consumer, ms since delivery, deliveries]` for each entry; nobody's consumer is "", its time -1.
    """
    _, found = ctx.group(key, group)
    if start is None or end is None:
        return _summary(found)
    whose: Consumer | None = None
    if consumer is not None:
        whose = found.consumer(consumer)
        if whose is None:
            return []
    if count <= 0:
        return []
    rows = found.rows(
        start.packed, end.packed, count, consumer=whose, delivered_by_ms=ctx.now_ms - idle if idle > 0 else None
    )
    return [
        [id_text(row.id), b"", -1, row.deliveries]
        if row.released
        else [
            id_text(row.id),
            (whose or found.consumer_by_id(row.consumer)).name,
            max(0, ctx.now_ms - row.delivered_ms),
            row.deliveries,
        ]
        for row in rows
    ]


def _summary(group: Group) -> Reply:
    ends = group.ends()
    if ends is None:
        return [0, None, None, NIL_ARRAY]
    consumers: list[Reply] = [[c.name, b"%d" % c.pending] for c in group.consumers() if c.pending]
    return [group.pending, id_text(ends[0]), id_text(ends[1]), consumers]
