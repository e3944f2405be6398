"""XADD, XLEN, XRANGE, XREVRANGE, XDEL and XSETID: entries, one by one and in ranges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streamcli import errors
from streamcli.engine.engine import Context, handles
from streamcli.engine.idempotency import digest
from streamcli.engine.trimming import Trim, references, trim
from streamcli.ids import MAX_ID, MIN_ID, U64_MAX, StreamID, id_text, pack_pair, unpack_pair
from streamcli.reply import NIL_ARRAY, OK, Reply, ReplyError
from streamcli.storage.encoding import unpack_words

if TYPE_CHECKING:
    from streamcli.grammar.types import NewID
    from streamcli.storage.streams import Entry, Stream

_WORDS_MAX = 2**30  # Redis: STREAM_LISTPACK_MAX_SIZE, 1 GiB


def entry_replies(entries: list[Entry]) -> list[Reply]:
    """Entries as every reply shows them: `[id, [field, value, ...]]`."""
    # What `id_text` and `unpack_words` do for most, written out: this is where most of a long reply's time goes.
    return [
        [b"%d-%d" % unpack_pair(id), unpack_words(fields) if fields[0] else fields[1:].split(b"\0")]  # type: ignore[list-item]
        for id, fields in entries
    ]


@handles("XADD", single=3)
def xadd(
    ctx: Context,
    *,
    key: bytes,
    id: NewID,
    fields: list[bytes],
    nomkstream: bool = False,
    keepref: bool = False,
    delref: bool = False,
    acked: bool = False,
    idmpauto: bytes | None = None,
    pid: bytes | None = None,
    iid: bytes | None = None,
    maxlen: int | None = None,
    maxlen_mark: str | None = None,
    minid: StreamID | None = None,
    minid_mark: str | None = None,
    limit: int | None = None,
) -> Reply:
    """The new entry's ID; null for NOMKSTREAM when there is no such key.

    Redis adds first and trims then, so that the reply may name an entry that is gone already. IDMP and IDMPAUTO: the
    ID of the entry that was added for the same message before.
    """
    stream = ctx.stream(key)
    if stream is None and nomkstream:
        return None
    if idmpauto is not None:
        pid, iid = idmpauto, digest(fields)
    if pid is not None and iid is not None and stream is not None:
        stream.producers.sweep(ctx.now_ms)
        before = stream.producers.entry_of(pid, iid)
        if before is not None:
            stream.producers.duplicates += 1
            stream.producers.changed()
            return id_text(before)
    stream, new = add(ctx, key, stream, id, fields)
    if maxlen is not None or minid is not None:
        how = Trim(maxlen, minid, maxlen_mark or minid_mark, limit, references(keepref, delref, acked))
        trim(stream, how, ctx.engine.config)
    if pid is not None and iid is not None:
        stream.producers.remember(pid, iid, pack_pair(*new), ctx.now_ms)
    ctx.touch(key, stream)
    return b"%d-%d" % new


def add(
    ctx: Context, key: bytes, stream: Stream | None, id: NewID, fields: list[bytes]
) -> tuple[Stream, tuple[int, int]]:
    """The stream, made when there is none, and the ID of the entry that was added. Raises what XADD answers then."""
    new = _new_id(id, unpack_pair(stream.last_id) if stream else MIN_ID, ctx.now_ms)
    packed = pack_pair(*new)
    if sum(map(len, fields)) > _WORDS_MAX:
        raise ReplyError(errors.TOO_LARGE)
    if stream is None:
        stream = ctx.make_stream(key)
    stream.append(packed, fields, ctx.engine.config.node)
    return stream, new


def _new_id(given: NewID, last: tuple[int, int], now_ms: int) -> tuple[int, int]:
    """The ID of an entry to be added. Raises what XADD answers when there is none."""
    if last == MAX_ID:
        raise ReplyError(errors.EXHAUSTED)
    last_ms, last_seq = last
    new: tuple[int, int] | None
    if given.ms is None:
        new = (now_ms, 0) if now_ms > last_ms else StreamID(*last).next()
    elif given.seq is None:
        # Redis: `ms-*` does not carry into the next millisecond, as `*` does.
        new = (given.ms, 0 if given.ms > last_ms else last_seq + 1)
        if given.ms < last_ms or new[1] > U64_MAX:
            new = None
    else:
        new = (given.ms, given.seq)
    if new is None or new <= last:
        raise ReplyError(errors.ID_TOO_SMALL)
    return new


@handles("XLEN")
def xlen(ctx: Context, *, key: bytes) -> Reply:
    """How many entries there are; 0 for a missing key."""
    stream = ctx.stream(key)
    return stream.length if stream else 0


@handles("XRANGE")
def xrange(ctx: Context, *, key: bytes, start: StreamID, end: StreamID, count: int | None = None) -> Reply:
    """The entries from `start` to `end`, both included, oldest first."""
    return _range(ctx, key, start, end, count, backwards=False)


@handles("XREVRANGE")
def xrevrange(ctx: Context, *, key: bytes, end: StreamID, start: StreamID, count: int | None = None) -> Reply:
    """The entries from `end` down to `start`, both included."""
    return _range(ctx, key, start, end, count, backwards=True)


def _range(ctx: Context, key: bytes, start: StreamID, end: StreamID, count: int | None, *, backwards: bool) -> Reply:
    stream = ctx.stream(key)
    if stream is None:
        return []
    if count is not None and count <= 0:
        return NIL_ARRAY  # Redis: not an empty array
    if start > end:
        return []
    most = -1 if count is None else count
    return entry_replies(
        stream.range(start.packed, end.packed, most, backwards=backwards, most_bytes=ctx.session.reply_most)
    )


@handles("XDEL")
def xdel(ctx: Context, *, key: bytes, id: list[StreamID]) -> Reply:
    """How many of the entries were there. What is pending stays pending."""
    stream = ctx.stream(key)
    if stream is None:
        return 0
    ctx.call.check()
    deleted = 0
    for one in id:
        packed = one.packed
        if stream.delete(packed):
            deleted += 1
            stream.max_deleted_id = max(stream.max_deleted_id, packed)
    if deleted:
        ctx.touch(key, stream)
    return deleted


@handles("XSETID")
def xsetid(
    ctx: Context,
    *,
    key: bytes,
    last_id: StreamID,
    entriesadded: int | None = None,
    maxdeletedid: StreamID | None = None,
) -> Reply:
    """OK once the stream's last ID and counters are set; refused where they would lie about its entries."""
    stream = ctx.need_stream(key)
    packed = last_id.packed
    if packed < stream.max_deleted_id:
        raise ReplyError(errors.SETID_BELOW_DELETED)
    if stream.length:
        if packed < (stream.top_id() or packed):
            raise ReplyError(errors.SETID_BELOW_TOP)
        if entriesadded is not None and entriesadded < stream.length:
            raise ReplyError(errors.SETID_BELOW_LENGTH)
    stream.last_id = packed
    if entriesadded is not None:
        stream.entries_added = entriesadded
        _read_no_more_than(stream, entriesadded)
    if maxdeletedid is not None and maxdeletedid != MIN_ID:  # Redis: 0-0 means "not given"
        stream.max_deleted_id = maxdeletedid.packed
    stream.changed()
    return OK


def _read_no_more_than(stream: Stream, entries_added: int) -> None:
    """Redis (since 8.10.1, or later): no group has read more entries than were ever added; its lag was negative."""
    for group in stream.groups():
        if group.entries_read is not None and group.entries_read > entries_added:
            group.entries_read = entries_added
            group.changed()
