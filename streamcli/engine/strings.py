"""SET, GET, GETDEL, STRLEN: as much of strings as scripts around streams need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streamcli import errors
from streamcli.engine.engine import Context, handles
from streamcli.engine.keyspace import expiry_ms, remove
from streamcli.reply import OK, Reply, ReplyError
from streamcli.storage.store import STRING

if TYPE_CHECKING:
    from streamcli.reply import Error

_UNITS = ((1000, True), (1, True), (1000, False), (1, False))  # of EX, PX, EXAT, PXAT: ms, and relative to now


@handles("SET")
def set_(
    ctx: Context, *, key: bytes, value: bytes, nx: bool = False, xx: bool = False, get: bool = False,
    keepttl: bool = False, ex: int | Error | None = None, px: int | Error | None = None,
    exat: int | Error | None = None, pxat: int | Error | None = None,
) -> Reply:  # fmt: skip
    """OK, or null when NX or XX forbids it; with GET the string that was there, or null."""
    ctx.call.check_late()
    expires_ms: int | None = None
    for given, (unit_ms, relative) in zip((ex, px, exat, pxat), _UNITS, strict=True):
        if given is not None:
            assert isinstance(given, int)
            if given <= 0:
                raise ReplyError(errors.bad_expire_time("set"))
            expires_ms = expiry_ms("set", given, unit_ms, ctx.now_ms if relative else 0)
    found = ctx.key(key)
    before = _string(ctx, key) if get else None
    if (nx and found is not None) or (xx and found is None):
        return before
    if keepttl and found is not None:
        expires_ms = found.expires_ms
    if found is not None:
        ctx.store.delete_key(found)
    if expires_ms is None or expires_ms > ctx.now_ms:
        ctx.store.set_string(ctx.store.make_key(ctx.db, key, STRING, expires_ms), value)
    ctx.touch(key)
    return before if get else OK


def _string(ctx: Context, name: bytes) -> bytes | None:
    """A string, None for a missing key. Raises WRONGTYPE."""
    key = ctx.key(name)
    if key is None:
        return None
    if key.kind != STRING:
        raise ReplyError(errors.WRONGTYPE)
    return ctx.store.string(key)


@handles("GET")
def get(ctx: Context, *, key: bytes) -> Reply:
    return _string(ctx, key)


@handles("GETDEL")
def getdel(ctx: Context, *, key: bytes) -> Reply:
    value = _string(ctx, key)
    found = ctx.key(key)
    if found is not None:
        remove(ctx, found)
    return value


@handles("STRLEN")
def strlen(ctx: Context, *, key: bytes) -> Reply:
    return len(_string(ctx, key) or b"")
