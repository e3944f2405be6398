"""DUMP and RESTORE: a value as bytes that another streamcli can take."""

from __future__ import annotations

from streamcli import errors
from streamcli.engine.engine import Context, handles
from streamcli.engine.keyspace import expiry_ms, remove
from streamcli.reply import OK, Error, Reply, ReplyError
from streamcli.storage import payload


@handles("DUMP")
def dump(ctx: Context, *, key: bytes) -> Reply:
    """The value; null for a missing key."""
    found = ctx.key(key)
    return None if found is None else payload.dump(ctx.store, found)


@handles("RESTORE")
def restore(
    ctx: Context, *, key: bytes, ttl: int | Error, serialized_value: bytes, replace: bool = False,
    absttl: bool = False, idletime: int | None = None, freq: int | None = None,
) -> Reply:  # fmt: skip
    """OK. IDLETIME and FREQ are for servers that throw keys away; here they change nothing."""
    old = ctx.key(key)
    if old is not None and not replace:
        raise ReplyError(errors.BUSYKEY)
    ctx.call.check_late()
    assert isinstance(ttl, int)
    if ttl < 0:
        raise ReplyError(errors.INVALID_TTL)
    try:
        payload.check(serialized_value)
    except payload.PayloadError:
        raise ReplyError(errors.BAD_PAYLOAD) from None
    expires_ms = expiry_ms("restore", ttl, 1, 0 if absttl else ctx.now_ms) if ttl else None
    try:
        new = payload.restore(ctx.store, serialized_value)
    except payload.RowsError:
        raise ReplyError(errors.BAD_DATA) from None
    if old is not None:
        remove(ctx, old)
    if expires_ms is not None and expires_ms < ctx.now_ms:  # Redis: it has expired on the way
        ctx.store.delete_key(new)
        return OK
    ctx.store.rename(new, ctx.db, key)
    if expires_ms is not None:
        ctx.store.set_expiry(new, expires_ms)
    ctx.engine.touched(ctx.db, key)
    return OK
