"""XCLAIM, XAUTOCLAIM and XREADGROUP's CLAIM: taking over what another consumer has not acknowledged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streamcli import errors
from streamcli.engine.engine import Context, handles
from streamcli.grammar.types import I64_MAX
from streamcli.ids import StreamID, id_text
from streamcli.reply import Reply, ReplyError
from streamcli.storage.encoding import unpack_words
from streamcli.storage.groups import DELIVERIES_MAX

if TYPE_CHECKING:
    from streamcli.engine.budget import Budget
    from streamcli.storage.groups import Consumer, Group

_COUNT = 100
_LOOKS_FOR_EACH = 10  # Redis: rows looked at for each entry asked for
_CHUNK = 256
_ID_BYTES = 16
_MEMORY_MAX = 2**47  # no allocator has more to give; Redis asks for COUNT x 16 bytes at once


def _entry(id: bytes, fields: bytes, justid: bool) -> Reply:
    return id_text(id) if justid else [id_text(id), unpack_words(fields)]  # type: ignore[list-item]


@handles("XCLAIM")
def xclaim(
    ctx: Context,
    *,
    key: bytes,
    group: bytes,
    consumer: bytes,
    min_idle_time: int,
    id: list[StreamID],
    idle: int | None = None,
    time: int | None = None,
    retrycount: int | None = None,
    force: bool = False,
    justid: bool = False,
    lastid: StreamID | None = None,
) -> Reply:
    """The entries that were taken over, or their IDs; what is gone from the stream is dropped from the group."""
    stream, found = ctx.group(key, group)
    ctx.call.check()
    if lastid is not None and lastid.packed > found.last_id:
        found.last_id = lastid.packed
        found.changed()
    delivered_ms = _delivery_time(ctx, idle, time)
    claimer = found.mention(consumer, ctx.now_ms)
    claimed: list[Reply] = []
    for one in id:
        packed = one.packed
        fields = stream.fields(packed)
        if fields is None:
            found.acknowledge((packed,))
            continue
        row = found.row(packed)
        if row is None and not force:
            continue
        if row is not None and not row.released and 0 < min_idle_time > ctx.now_ms - row.delivered_ms:
            continue
        deliveries = _deliveries(row.deliveries if row else 1, retrycount, justid)
        if row is None:
            found.force(packed, claimer, delivered_ms, deliveries)
        else:
            found.assign(row, claimer, delivered_ms, deliveries)
        _was_given(claimer, ctx.now_ms)
        claimed.append(_entry(packed, fields, justid))
    return claimed


def _delivery_time(ctx: Context, idle: int | None, time: int | None) -> int:
    """Redis: a time that is not in the past is now."""
    given = ctx.now_ms - idle if idle is not None else time
    return given if given is not None and 0 <= given <= ctx.now_ms else ctx.now_ms


def _deliveries(before: int, retrycount: int | None, justid: bool) -> int:
    if retrycount is not None and retrycount >= 0:
        return retrycount
    return before if justid else min(before + 1, DELIVERIES_MAX)


def _was_given(consumer: Consumer, now_ms: int) -> None:
    consumer.active_ms = now_ms
    consumer.changed()


@handles("XAUTOCLAIM")
def xautoclaim(
    ctx: Context,
    *,
    key: bytes,
    group: bytes,
    consumer: bytes,
    min_idle_time: int,
    start: StreamID,
    count: int = _COUNT,
    justid: bool = False,
) -> Reply:
    """Where to go on (`0-0`: at the end), the entries taken over or their IDs, and the IDs that were
    dropped because their entries are gone."""
    _, found = ctx.group(key, group)
    if count * _ID_BYTES > _MEMORY_MAX:
        raise ReplyError(errors.COUNT_TOO_HIGH)
    claimer = found.mention(consumer, ctx.now_ms)
    by_ms = ctx.now_ms - min_idle_time if min_idle_time > 0 else I64_MAX
    claimed: list[Reply] = []
    dropped: list[Reply] = []
    looks, left = count * _LOOKS_FOR_EACH, count
    low: StreamID | None = start
    while low is not None:
        rows = found.rows_with_fields(low.packed, min(left + 1, _CHUNK), delivered_by_ms=by_ms)
        for row, there, fields in rows:
            if not looks or not left:
                return [id_text(row.id), claimed, dropped]
            looks -= 1
            if not there:
                found.acknowledge((row.id,))
                dropped.append(id_text(row.id))
                left -= 1
            elif fields is not None:
                found.assign(row, claimer, ctx.now_ms, _deliveries(row.deliveries, None, justid))
                _was_given(claimer, ctx.now_ms)
                claimed.append(_entry(row.id, fields, justid))
                left -= 1
        low = StreamID.unpack(rows[-1][0].id).next() if rows else None
    return [b"0-0", claimed, dropped]


def claim_overdue(ctx: Context, group: Group, consumer: Consumer, min_idle: int, budget: Budget) -> list[Reply]:
    """CLAIM: what has been pending for at least so many ms, in the order of delivery, what was given back first.

    Each with how long it had been pending, and its deliveries, before. Source: streamReplyWithRange and its walk of the
    list by time. Redis: what is gone from the stream is passed over, and stays pending.
    """
    by_ms = ctx.now_ms - min_idle
    claimed: list[Reply] = []
    before = group.turns + 1  # what is claimed is delivered anew, and not met again
    while most := budget.at_once():
        rows = group.overdue(by_ms, before, most)
        for row, fields in rows:
            idle_ms = ctx.now_ms - max(row.delivered_ms, 0)
            if not budget.take(row.id, fields, idle_ms, row.deliveries):
                return claimed
            group.assign(row, consumer, ctx.now_ms, _deliveries(row.deliveries, None, justid=False))
            _was_given(consumer, ctx.now_ms)
            words: list[Reply] = [*unpack_words(fields)]
            claimed.append([id_text(row.id), words, idle_ms, row.deliveries])
        if most < 0 or len(rows) < most:
            break
    return claimed
