"""XDELEX and XACKDEL: entries deleted with an eye on the groups, and what became of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streamcli.engine.engine import Context, handles
from streamcli.engine.trimming import ACKED, DELREF, references
from streamcli.reply import Reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streamcli.ids import StreamID
    from streamcli.storage.streams import Stream

_UNKNOWN, _DELETED, _NEEDED = -1, 1, 2


@handles("XDELEX")
def xdelex(
    ctx: Context,
    *,
    key: bytes,
    numids: int = 0,
    id: Sequence[StreamID] = (),
    keepref: bool = False,
    delref: bool = False,
    acked: bool = False,
) -> Reply:
    """For each ID 1 (deleted), 2 (ACKED: a group needs it) or -1 (no such entry)."""
    stream = ctx.stream(key)
    ctx.call.check()
    if stream is None:
        return [_UNKNOWN] * numids  # Redis: the IDs are not even read
    ctx.call.check_late()
    how = references(keepref, delref, acked)
    told: list[Reply] = []
    for one in id:
        packed = one.packed
        if how == ACKED and stream.referenced(packed):
            told.append(_NEEDED)
            continue
        if how == DELREF:
            _unreference(stream, packed)
        told.append(_DELETED if _delete(stream, packed) else _UNKNOWN)
    if _DELETED in told:
        ctx.touch(key, stream)
    return told


@handles("XACKDEL")
def xackdel(
    ctx: Context,
    *,
    key: bytes,
    group: bytes,
    numids: int = 0,
    id: Sequence[StreamID] = (),
    keepref: bool = False,
    delref: bool = False,
    acked: bool = False,
) -> Reply:
    """For each ID 1 (acknowledged, and gone), 2 (acknowledged; ACKED: a group needs it) or -1 (not pending)."""
    stream = ctx.stream(key)
    ctx.call.check()
    found = stream.group(group) if stream is not None else None
    if stream is None or found is None:
        return [_UNKNOWN] * numids
    ctx.call.check_late()
    how = references(keepref, delref, acked)
    told: list[Reply] = []
    for one in id:
        packed = one.packed
        if not found.acknowledge((packed,)):
            told.append(_UNKNOWN)  # Redis: DELREF does not look at other groups either
            continue
        if how == ACKED and stream.referenced(packed):
            told.append(_NEEDED)
            continue
        if how == DELREF:
            _unreference(stream, packed)
        _delete(stream, packed)
        told.append(_DELETED)
    if _DELETED in told:
        ctx.touch(key, stream)
    return told


def _unreference(stream: Stream, packed: bytes) -> None:
    """Not pending any more, in any group, whether there is such an entry or not."""
    for group in stream.groups():
        if group.pending:
            group.acknowledge((packed,))


def _delete(stream: Stream, packed: bytes) -> bool:
    """Was it there? Then it is the greatest ID that was ever deleted, unless a greater one was."""
    deleted = stream.delete(packed)
    if deleted:
        stream.max_deleted_id = max(stream.max_deleted_id, packed)
    return deleted
