"""XINFO: what there is to know of streams, groups and consumers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streamcli import errors
from streamcli.engine.engine import Context, handles
from streamcli.engine.entries import entry_replies
from streamcli.engine.progress import lag
from streamcli.ids import id_text
from streamcli.reply import Reply, ReplyError
from streamcli.storage.groups import NEVER_MS
from streamcli.storage.streams import TOP_ID, ZERO_ID

if TYPE_CHECKING:
    from streamcli.storage.groups import Consumer, Group
    from streamcli.storage.streams import Stream

_FULL_COUNT = 10


def _pairs(**values: Reply) -> list[tuple[Reply, Reply]]:
    """Names are Redis's, with hyphens."""
    return [(name.replace("_", "-").encode(), value) for name, value in values.items()]


@handles("XINFO STREAM")
def xinfo_stream(ctx: Context, *, key: bytes, full: bool = False, count: int = _FULL_COUNT) -> Reply:
    """The stream as one record; FULL lists entries, groups, consumers and what is pending too."""
    stream = ctx.need_stream(key)
    ctx.call.check_late()
    nodes = stream.node_count()
    pairs = _pairs(
        length=stream.length,
        radix_tree_keys=nodes,
        radix_tree_nodes=nodes + 1,  # Redis counts the nodes of a tree that we do not have
        last_generated_id=id_text(stream.last_id),
        max_deleted_entry_id=id_text(stream.max_deleted_id),
        entries_added=stream.entries_added,
        recorded_first_entry_id=id_text(stream.first_id() or ZERO_ID),
    ) + _idempotency(stream, ctx.now_ms)
    if not full:
        ends = [stream.range(ZERO_ID, TOP_ID, 1, backwards=backwards) for backwards in (False, True)]
        first, last = ((entry_replies(end) or [None])[0] for end in ends)
        return ctx.map(pairs + _pairs(groups=stream.group_count(), first_entry=first, last_entry=last))
    if count < 0:
        count = _FULL_COUNT
    most = count or -1
    entries: list[Reply] = entry_replies(stream.range(ZERO_ID, TOP_ID, most))
    groups: list[Reply] = [_group_in_full(ctx, stream, group, most) for group in stream.groups()]
    return ctx.map(pairs + _pairs(entries=entries, groups=groups))


def _idempotency(stream: Stream, now_ms: int) -> list[tuple[Reply, Reply]]:
    producers = stream.producers
    names, messages = producers.tracked(now_ms)
    return _pairs(
        idmp_duration=producers.duration,
        idmp_maxsize=producers.maxsize,
        pids_tracked=names,
        iids_tracked=messages,
        iids_added=producers.added,
        iids_duplicates=producers.duplicates,
    )


def _group_in_full(ctx: Context, stream: Stream, group: Group, most: int) -> Reply:
    pending: list[Reply] = [
        [id_text(row.id), b"", 0, row.deliveries]
        if row.released
        else [id_text(row.id), group.consumer_by_id(row.consumer).name, row.delivered_ms, row.deliveries]
        for row in group.rows(ZERO_ID, TOP_ID, most)
    ]
    consumers: list[Reply] = [_consumer_in_full(ctx, group, consumer, most) for consumer in group.consumers()]
    return ctx.map(
        _pairs(
            name=group.name,
            last_delivered_id=id_text(group.last_id),
            entries_read=group.entries_read,
            lag=lag(stream, group),
            pel_count=group.pending,
            nacked_count=group.released,
            pending=pending,
            consumers=consumers,
        )
    )


def _consumer_in_full(ctx: Context, group: Group, consumer: Consumer, most: int) -> Reply:
    pending: list[Reply] = [
        [id_text(row.id), row.delivered_ms, row.deliveries]
        for row in group.rows(ZERO_ID, TOP_ID, most, consumer=consumer)
    ]
    return ctx.map(
        _pairs(
            name=consumer.name,
            seen_time=consumer.seen_ms,
            active_time=consumer.active_ms,
            pel_count=consumer.pending,
            pending=pending,
        )
    )


@handles("XINFO GROUPS")
def xinfo_groups(ctx: Context, *, key: bytes) -> Reply:
    """One record a group."""
    stream = ctx.need_stream(key)
    return [
        ctx.map(
            _pairs(
                name=group.name,
                consumers=group.consumer_count(),
                pending=group.pending,
                last_delivered_id=id_text(group.last_id),
                entries_read=group.entries_read,
                lag=lag(stream, group),
            )
        )
        for group in stream.groups()
    ]


@handles("XINFO CONSUMERS")
def xinfo_consumers(ctx: Context, *, key: bytes, group: bytes) -> Reply:
    """One record a consumer; `idle` and `inactive` are ms since the last attempt and the last success."""
    found = ctx.need_stream(key).group(group)
    if found is None:
        raise ReplyError(errors.no_group_for_key(group, key))
    return [
        ctx.map(
            _pairs(
                name=consumer.name,
                pending=consumer.pending,
                idle=max(0, ctx.now_ms - consumer.seen_ms),
                inactive=-1 if consumer.active_ms == NEVER_MS else max(0, ctx.now_ms - consumer.active_ms),
            )
        )
        for consumer in found.consumers()
    ]
