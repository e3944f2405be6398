"""XREAD and XREADGROUP: new entries from many streams, with or without waiting for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streamcli.engine.budget import Budget
from streamcli.engine.claiming import claim_overdue
from streamcli.engine.engine import Context, Wait, handles
from streamcli.engine.entries import entry_replies
from streamcli.engine.progress import advance
from streamcli.grammar.types import TOP, Special
from streamcli.ids import MAX_ID, StreamID, id_text
from streamcli.reply import NIL_ARRAY, Error, Map, Reply, ReplyError
from streamcli.storage.encoding import unpack_words
from streamcli.storage.streams import ZERO_ID

if TYPE_CHECKING:
    from streamcli.storage.groups import Consumer, Group
    from streamcli.storage.streams import Stream

_IN_XREADGROUP = " in XREADGROUP with GROUP option"


@handles("XREAD")
def xread(
    ctx: Context,
    *,
    key: list[bytes],
    id: list[StreamID | Special | Error],
    count: int | None = None,
    maxcount: int | None = None,
    maxsize: int | None = None,
    block: int | None = None,
) -> Reply | Wait:
    """The entries above each stream's ID; a stream with none is left out, and null means none at all."""
    reads: list[tuple[bytes, Stream | None, bytes]] = []
    again: list[bytes] = []
    for name, position in zip(key, id, strict=True):
        stream = ctx.stream(name)
        after = _after(stream, position)
        reads.append((name, stream, after))
        again.append(TOP.mark if position is TOP else id_text(after))  # Redis: `+` is looked up again, `$` is not
    budget = Budget(count, maxcount, maxsize, ctx.session.protocol, ctx.session.reply_most)
    found: list[tuple[bytes, list[Reply]]] = []
    for name, stream, after in reads:
        if not budget.turn(name):
            break
        if stream is not None and stream.last_id > after and (entries := budget.entries(stream, after)):
            found.append((name, entry_replies(entries)))
    if found:
        return _by_stream(ctx, found)
    return _wait(ctx, key, block, again, None)


def _after(stream: Stream | None, position: StreamID | Special | Error) -> bytes:
    """The ID above which to read."""
    if isinstance(position, StreamID):
        return position.packed
    if isinstance(position, Error):
        raise ReplyError(position)
    if stream is None:
        return ZERO_ID
    if position is TOP:  # the last entry that is there, so one entry is above
        top = stream.top_id()
        below = StreamID.unpack(top).previous() if top else None
        return below.packed if below else ZERO_ID
    return stream.last_id


def _by_stream(ctx: Context, found: list[tuple[bytes, list[Reply]]]) -> Reply:
    if ctx.session.protocol == 3:
        return Map(list(found))
    return [[name, entries] for name, entries in found]


def _wait(
    ctx: Context,
    keys: list[bytes],
    block: int | None,
    ids: list[bytes],
    group: bytes | None,
    claim: int | None = None,
) -> Reply | Wait:
    """Nothing there: null, or what to wait for."""
    if block is None or not ctx.may_wait():
        return NIL_ARRAY
    argv = (*ctx.call.argv[: -len(ids)], *ids)
    claiming = claim is not None
    marks = tuple(ctx.engine.mark(ctx.db, key, group, ctx.now_ms, claiming=claiming) for key in keys)
    wait = Wait(tuple(keys), ctx.now_ms + block if block else None, argv, NIL_ARRAY, group, marks, claim)
    return wait._replace(again_ms=ctx.engine.due_ms(ctx.db, wait, ctx.now_ms)) if claiming else wait


@handles("XREADGROUP")
def xreadgroup(
    ctx: Context,
    *,
    group: bytes,
    consumer: bytes,
    key: list[bytes],
    id: list[StreamID | Special | Error],
    count: int | None = None,
    maxcount: int | None = None,
    maxsize: int | None = None,
    block: int | None = None,
    claim: int | None = None,
    noack: bool = False,
) -> Reply | Wait:
    """New entries for `>`, this consumer's pending ones above any other ID (listed even when there are none).

    CLAIM: before the new entries those that have been pending for so long, and of each entry how long it had been
    so, and its deliveries.
    """
    reads: list[tuple[bytes, Stream, Group, StreamID | Special]] = []
    for name, position in zip(key, id, strict=True):  # Redis: the group, then the ID, stream by stream
        stream, found_group = ctx.group(name, group, _IN_XREADGROUP)
        if isinstance(position, Error):
            raise ReplyError(position)
        reads.append((name, stream, found_group, position))
    budget = Budget(count, maxcount, maxsize, ctx.session.protocol)
    found: list[tuple[bytes, list[Reply]]] = []
    for name, stream, found_group, position in reads:
        if not budget.turn(name):
            break
        reader = found_group.mention(consumer, ctx.now_ms)
        # Redis: `>` is the greatest ID inside, so that ID means the same.
        if isinstance(position, StreamID) and position != MAX_ID:
            found.append((name, _history(ctx, found_group, reader, position, budget)))
            claim = None  # Redis: from here on
            continue
        entries = [] if claim is None else claim_overdue(ctx, found_group, reader, claim, budget)
        if stream.last_id > found_group.last_id:
            entries += _deliver(ctx, stream, found_group, reader, budget, noack=noack, claiming=claim is not None)
        if entries:
            found.append((name, entries))
    if found:
        return _by_stream(ctx, found)
    return _wait(ctx, key, block, list(ctx.call.argv[-len(key) :]), group, claim)


def _deliver(
    ctx: Context, stream: Stream, group: Group, consumer: Consumer, budget: Budget, *, noack: bool, claiming: bool
) -> list[Reply]:
    """Entries that no consumer of the group was given yet."""
    told = (0, 0) if claiming else ()  # Redis: idle for so long, and delivered so often, before
    entries = budget.entries(stream, group.last_id, *told)
    if not entries:
        return []
    ids = [id for id, _ in entries]
    if not noack:
        group.pend(ids, consumer, ctx.now_ms)
        consumer.active_ms = ctx.now_ms
    advance(stream, group, ids)
    replies = entry_replies(entries)
    return [[*entry, *told] for entry in replies if isinstance(entry, list)] if told else replies


def _history(ctx: Context, group: Group, consumer: Consumer, after: StreamID, budget: Budget) -> list[Reply]:
    """What the consumer holds above an ID. Entries that are gone are shown as null and not delivered again."""
    replies: list[Reply] = []
    there: list[bytes] = []
    low = after.next()
    while low is not None and (most := budget.at_once()):
        rows = group.rows_with_fields(low.packed, most, consumer=consumer)
        for row, _, fields in rows:
            if not budget.take(row.id, fields):
                break
            if fields is None:
                replies.append([id_text(row.id), NIL_ARRAY])
            else:
                there.append(row.id)
                replies.append([id_text(row.id), unpack_words(fields)])  # type: ignore[list-item]
        else:
            if 0 <= most <= len(rows):
                low = StreamID.unpack(rows[-1][0].id).next()
                continue
        break
    group.deliver_again(there, ctx.now_ms)
    return replies
