"""Keys of any type: find, move, copy, expire, delete."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from streamcli import errors
from streamcli.engine.engine import Context, handles
from streamcli.engine.glob import matches
from streamcli.grammar.types import DATABASES, I64_MAX
from streamcli.reply import OK, Reply, ReplyError, Simple
from streamcli.storage.store import STREAM

if TYPE_CHECKING:
    from streamcli.reply import Error
    from streamcli.storage.store import Key

KIND_NAMES = {STREAM: "stream"}  # everything else is a string
_SCAN_COUNT = 10


def kind_name(kind: int) -> str:
    return KIND_NAMES.get(kind, "string")


def remove(ctx: Context, key: Key) -> None:
    """Delete a key and say so to those who watch it."""
    ctx.store.delete_key(key)
    ctx.engine.touched(key.db, key.name)


@handles("DEL")
@handles("UNLINK")
def delete(ctx: Context, *, key: list[bytes]) -> Reply:
    """How many of the keys were there."""
    deleted = 0
    for name in key:
        found = ctx.key(name)
        if found is not None:
            remove(ctx, found)
            deleted += 1
    return deleted


@handles("EXISTS")
@handles("TOUCH")
def exists(ctx: Context, *, key: list[bytes]) -> Reply:
    """How many of the keys are there; one named twice counts twice."""
    return sum(ctx.key(name) is not None for name in key)


@handles("TYPE")
def type_(ctx: Context, *, key: bytes) -> Reply:
    """`stream`, `string` or `none`."""
    found = ctx.key(key)
    return Simple(kind_name(found.kind) if found else "none")


@handles("KEYS")
def keys(ctx: Context, *, pattern: bytes) -> Reply:
    """The names that match, in no order that means anything."""
    return [name for name in ctx.store.names(ctx.db, ctx.now_ms) if matches(pattern, name)]


@handles("SCAN")
def scan(
    ctx: Context, *, cursor: int, match: bytes | None = None,
    count: int = _SCAN_COUNT, type: bytes | None = None,
) -> Reply:  # fmt: skip
    """Where to go on (`0`: at the end), and some names. A key that is there all the time is named once."""
    following, rows = ctx.store.scan(ctx.db, cursor, count, ctx.now_ms)
    names: list[Reply] = [
        name
        for name, kind in rows
        if (match is None or matches(match, name)) and (type is None or kind_name(kind).encode() == type.lower())
    ]
    return [b"%d" % following, names]


@handles("RANDOMKEY")
def randomkey(ctx: Context) -> Reply:
    """Any key, or null."""
    return ctx.store.random_name(ctx.db, ctx.now_ms)


@handles("DBSIZE")
def dbsize(ctx: Context) -> Reply:
    return ctx.store.count(ctx.db, ctx.now_ms)


@handles("FLUSHDB")
def flushdb(ctx: Context, **_: object) -> Reply:
    ctx.engine.touch_watched(ctx.now_ms, ctx.db)
    ctx.store.delete_all(ctx.db)
    return OK


@handles("FLUSHALL")
def flushall(ctx: Context, **_: object) -> Reply:
    ctx.engine.touch_watched(ctx.now_ms)
    ctx.store.delete_all()
    return OK


@handles("SWAPDB")
def swapdb(ctx: Context, *, index1: int, index2: int) -> Reply:
    """OK. Every session goes on in the database of the same number."""
    if not (0 <= index1 < DATABASES and 0 <= index2 < DATABASES):
        raise ReplyError(errors.DB_OUT_OF_RANGE)
    if index1 != index2:
        ctx.engine.touch_watched(ctx.now_ms, index1, index2)
        ctx.engine.touch_watched(ctx.now_ms, index2, index1)
        ctx.store.swap(index1, index2)
    return OK


# -- names -------------------------------------------------------------------------


@handles("RENAME")
def rename(ctx: Context, *, key: bytes, newkey: bytes) -> Reply:
    """OK. What had the new name is gone."""
    _rename(ctx, key, newkey, replace=True)
    return OK


@handles("RENAMENX")
def renamenx(ctx: Context, *, key: bytes, newkey: bytes) -> Reply:
    """1, or 0 when the new name is taken."""
    return int(_rename(ctx, key, newkey, replace=False))


def _rename(ctx: Context, name: bytes, new: bytes, *, replace: bool) -> bool:
    key = ctx.key(name)
    if key is None:
        raise ReplyError(errors.NO_SUCH_KEY)
    if name == new:
        return False
    other = ctx.key(new)
    if other is not None:
        if not replace:
            return False
        remove(ctx, other)
    ctx.store.rename(key, ctx.db, new)
    ctx.touch(name)
    ctx.touch(new)
    return True


@handles("COPY")
def copy(ctx: Context, *, source: bytes, destination: bytes, db: int | None = None, replace: bool = False) -> Reply:
    """1, or 0 when there is no such key or the other name is taken."""
    target = ctx.db if db is None else db
    if source == destination and target == ctx.db:
        raise ReplyError(errors.SAME_OBJECT)
    key = ctx.key(source)
    if key is None:
        return 0
    other = ctx.store.key(target, destination, ctx.now_ms)
    if other is not None:
        if not replace:
            return 0
        remove(ctx, other)
    ctx.store.copy(key, target, destination)
    ctx.engine.touched(target, destination)
    return 1


@handles("MOVE")
def move(ctx: Context, *, key: bytes, db: int) -> Reply:
    """1, or 0 when there is no such key or the other database has one of that name."""
    if db == ctx.db:
        raise ReplyError(errors.SAME_OBJECT)
    found = ctx.key(key)
    if found is None or ctx.store.key(db, key, ctx.now_ms) is not None:
        return 0
    ctx.touch(key)
    ctx.store.rename(found, db, key)
    ctx.engine.touched(db, key)
    return 1


# -- expiry ------------------------------------------------------------------------------


def expiry_ms(command: str, value: int, unit_ms: int, base_ms: int) -> int:
    """A time to live, or a Unix time when `base_ms` is 0, as Unix time in ms. Raises "invalid expire time"."""
    if not -(2**63 // unit_ms) <= value <= I64_MAX // unit_ms or value * unit_ms > I64_MAX - base_ms:
        raise ReplyError(errors.bad_expire_time(command))
    return value * unit_ms + base_ms


def _expire_handler(argument: str, unit_ms: int, *, relative: bool) -> Callable[..., Reply]:
    def expire(
        ctx: Context, *, key: bytes, nx: bool = False, xx: bool = False, gt: bool = False, lt: bool = False,
        **value: int | Error,
    ) -> Reply:  # fmt: skip
        """1, or 0 when there is no such key or the condition does not hold. A time in the past deletes the key."""
        ctx.call.check_late()
        command = ctx.call.command
        given = value[argument]
        assert command is not None
        assert isinstance(given, int)
        at_ms = expiry_ms(command.name, given, unit_ms, ctx.now_ms if relative else 0)
        found = ctx.key(key)
        if found is None or not _condition(found.expires_ms, at_ms, nx=nx, xx=xx, gt=gt, lt=lt):
            return 0
        if at_ms <= ctx.now_ms:
            remove(ctx, found)
        else:
            ctx.store.set_expiry(found, at_ms)
            ctx.touch(key)
        return 1

    return expire


def _condition(before: int | None, at_ms: int, *, nx: bool, xx: bool, gt: bool, lt: bool) -> bool:
    """Redis: for GT and LT, a key that does not expire expires at the end of time."""
    if (nx and before is not None) or (xx and before is None):
        return False
    if gt and (before is None or at_ms <= before):
        return False
    return not (lt and before is not None and at_ms >= before)


for _name, _argument, _unit_ms, _relative in (
    ("EXPIRE", "seconds", 1000, True),
    ("PEXPIRE", "milliseconds", 1, True),
    ("EXPIREAT", "unix_time_seconds", 1000, False),
    ("PEXPIREAT", "unix_time_milliseconds", 1, False),
):
    handles(_name)(_expire_handler(_argument, _unit_ms, relative=_relative))


@handles("PERSIST")
def persist(ctx: Context, *, key: bytes) -> Reply:
    """1, or 0 when the key is missing or was not to expire."""
    found = ctx.key(key)
    if found is None or found.expires_ms is None:
        return 0
    ctx.store.set_expiry(found, None)
    ctx.touch(key)
    return 1


def _expires_handler(unit_ms: int, *, relative: bool) -> Callable[..., Reply]:
    def expires(ctx: Context, *, key: bytes) -> Reply:
        """The time, -1 for a key that does not expire, -2 for none."""
        found = ctx.key(key)
        if found is None:
            return -2
        if found.expires_ms is None:
            return -1
        left = max(0, found.expires_ms - ctx.now_ms) if relative else found.expires_ms
        return (left + unit_ms // 2) // unit_ms  # Redis: to the nearest second

    return expires


for _name, _unit_ms, _relative in (
    ("TTL", 1000, True),
    ("PTTL", 1, True),
    ("EXPIRETIME", 1000, False),
    ("PEXPIRETIME", 1, False),
):
    handles(_name)(_expires_handler(_unit_ms, relative=_relative))


# -- how values are kept --------------------------------------------------------------------


@handles("OBJECT ENCODING")
def object_encoding(ctx: Context, *, key: bytes) -> Reply:
    """The name Redis has for it; null for a missing key."""
    found = ctx.key(key)
    if found is None:
        return None
    if found.kind == STREAM:
        return b"stream"
    value = ctx.store.string(found)
    text = value.decode("latin-1")
    if len(value) <= 20 and text.removeprefix("-").isdigit() and str(int(text)) == text and abs(int(text)) < 2**63:
        return b"int"
    return b"embstr" if len(value) <= 44 else b"raw"


@handles("OBJECT REFCOUNT")
def object_refcount(ctx: Context, *, key: bytes) -> Reply:
    return None if ctx.key(key) is None else 1


@handles("OBJECT IDLETIME")
def object_idletime(ctx: Context, *, key: bytes) -> Reply:
    """0: the engine does not write down when a key was read."""
    return None if ctx.key(key) is None else 0


@handles("OBJECT FREQ")
def object_freq(ctx: Context, *, key: bytes) -> Reply:
    if ctx.key(key) is None:
        return None
    raise ReplyError(errors.NO_LFU)
