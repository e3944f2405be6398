"""XNACK: pending entries given back, for any consumer to take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streamcli.engine.engine import Context, handles
from streamcli.reply import Reply
from streamcli.storage.groups import DELIVERIES_MAX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streamcli.ids import StreamID


@handles("XNACK")
def xnack(
    ctx: Context,
    *,
    key: bytes,
    group: bytes,
    silent: bool = False,
    fail: bool = False,
    fatal: bool = False,
    numids: int = 0,
    id: Sequence[StreamID] = (),
    retrycount: int | None = None,
    force: bool = False,
) -> Reply:
    """How many were given back. With FORCE also what was not pending, if there is such an entry."""
    stream, found = ctx.group(key, group)
    ctx.call.check()
    ctx.call.check_late()
    released = 0
    for one in id:
        packed = one.packed
        row = found.row(packed)
        if row is None and not (force and stream.has(packed)):
            continue
        before = row.deliveries if row is not None else 0
        if retrycount is not None:
            deliveries = retrycount
        elif fatal:
            deliveries = DELIVERIES_MAX
        else:
            deliveries = max(0, before - silent)
        found.release(packed, row, deliveries)
        released += 1
    if released:
        found.nacks += 1
        ctx.engine.roused(ctx.db, key)
    return released
