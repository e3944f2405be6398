"""How far a group has come: `entries-read`, and the lag that follows from it.

Redis 8's rules (t_stream.c: streamEstimateDistanceFromFirstEverEntry,
streamRangeHasTombstones, and the reply of XINFO). Deleted entries make a count
uncertain; None says that it is not known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streamcli.storage.encoding import signed
from streamcli.storage.streams import ZERO_ID

if TYPE_CHECKING:
    from streamcli.storage.groups import Group
    from streamcli.storage.streams import Stream


def _estimate(stream: Stream, id: bytes, first: bytes) -> int | None:
    """How many entries were ever added up to `id`; `first` is the oldest live ID."""
    if not stream.entries_added:
        return 0
    if not stream.length and id <= stream.last_id:
        return stream.entries_added
    if id not in (ZERO_ID,) and id < stream.max_deleted_id:
        return None
    if id >= stream.last_id:
        return stream.entries_added if id == stream.last_id else None
    if stream.max_deleted_id == ZERO_ID or stream.max_deleted_id < first:
        if id < first:
            return signed(stream.entries_added - stream.length)
        if id == first:
            return signed(stream.entries_added - stream.length + 1)
    return None


def _tombstones_after(stream: Stream, id: bytes) -> bool:
    """Was anything at or above `id` deleted by name?"""
    return bool(stream.length) and stream.max_deleted_id != ZERO_ID and id <= stream.max_deleted_id


def advance(stream: Stream, group: Group, ids: list[bytes]) -> None:
    """Move a group past entries that were delivered to it, in order."""
    first = stream.first_id() or ZERO_ID
    for place, id in enumerate(ids):
        if id <= group.last_id:
            continue
        if group.entries_read is not None and group.last_id >= first and not _tombstones_after(stream, group.last_id):
            group.entries_read = signed(
                group.entries_read + len(ids) - place
            )  # nothing on the way can make the rest uncertain
            group.last_id = ids[-1]
            break
        if stream.entries_added:
            group.entries_read = _estimate(stream, id, first)
        group.last_id = id
    group.changed()


def lag(stream: Stream, group: Group) -> int | None:
    """How many entries the group has still to read."""
    if not stream.entries_added or not stream.length:
        return 0
    first = stream.first_id() or ZERO_ID
    if group.last_id < first and stream.max_deleted_id < first:
        return stream.length
    read = group.entries_read
    if read is None or _tombstones_after(stream, group.last_id):
        read = _estimate(stream, group.last_id, first)
    return None if read is None else signed(stream.entries_added - read)
