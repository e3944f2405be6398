"""XCFGSET and XIDMPRECORD, and how IDMPAUTO names a message: what keeps an entry from being added twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streamcli import errors
from streamcli.engine.engine import Context, handles
from streamcli.reply import OK, Reply, ReplyError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streamcli.ids import StreamID

_DIGEST_BYTES = 16
_MODULUS = 2 ** (8 * _DIGEST_BYTES)


def digest(fields: Sequence[bytes]) -> bytes:
    """16 bytes that are the same for the same pairs of field and value, in whatever order they come.

    Redis makes other ones (of XXH3); they never leave a server but in a dump.
    """
    from _blake2 import blake2b  # without hashlib, whose import costs more than a one-shot's command

    total, count = 0, 0
    for at in range(0, len(fields), 2):
        field, value = fields[at], fields[at + 1]
        pair = blake2b(b"%d:" % len(field), digest_size=_DIGEST_BYTES)
        pair.update(field)
        pair.update(value)
        total += int.from_bytes(pair.digest(), "little")
        count += 1
    whole = (total % _MODULUS).to_bytes(_DIGEST_BYTES, "little") + b"%d" % count
    return bytes(blake2b(whole, digest_size=_DIGEST_BYTES).digest())


@handles("XCFGSET")
def xcfgset(ctx: Context, *, key: bytes, idmp_duration: int | None = None, idmp_maxsize: int | None = None) -> Reply:
    """OK. A setting that changes forgets all that producers have added; one that stays what it was forgets nothing."""
    producers = ctx.need_stream(key).producers
    ctx.call.check()
    duration = producers.duration if idmp_duration is None else idmp_duration
    maxsize = producers.maxsize if idmp_maxsize is None else idmp_maxsize
    if (duration, maxsize) != (producers.duration, producers.maxsize):
        producers.duration, producers.maxsize = duration, maxsize
        producers.changed()
        producers.forget_all()
    return OK


@handles("XIDMPRECORD")
def xidmprecord(ctx: Context, *, key: bytes, pid: bytes, iid: bytes, stream_id: StreamID) -> Reply:
    """OK: the entry is remembered as what the producer added under that ID."""
    stream, packed = ctx.need_stream(key), stream_id.packed
    if not stream.has(packed):
        raise ReplyError(errors.NO_SUCH_ENTRY)
    producers = stream.producers
    producers.sweep(ctx.now_ms)
    before = producers.entry_of(pid, iid)
    if before is None:
        producers.remember(pid, iid, packed, ctx.now_ms)
    elif before != packed:
        raise ReplyError(errors.IID_TAKEN)
    return OK
