"""What belongs to a stream and its counters do not tell: when it expires, what idempotent producers have sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streamcli.reply import Error, Map
from streamcli.tools.job import now_ms
from streamcli.tools.state import Notes

if TYPE_CHECKING:
    from streamcli.backend import Backend


def expires_ms(backend: Backend, key: bytes, notes: Notes | None = None) -> int | None:
    """Unix time in ms; None for never, or not known, which `notes` are told."""
    reply = backend.execute((b"PEXPIRETIME", key))
    if isinstance(reply, Error):  # before Redis 7
        reply = backend.execute((b"PTTL", key))
        if isinstance(reply, int) and reply > 0:
            return reply + now_ms()
        if isinstance(reply, Error) and notes is not None:
            notes.add(f"whether it expires is not known, and is left out: {reply.text}")
    return reply if isinstance(reply, int) and reply > 0 else None


def expire(backend: Backend, key: bytes, at_ms: int, notes: Notes) -> None:
    """Let it expire then, unless that is over already; what hinders it is noted."""
    if at_ms <= now_ms():
        notes.add("the time at which the stream was to expire is over: it does not expire now")
        return
    reply = backend.execute((b"PEXPIREAT", key, b"%d" % at_ms))
    if isinstance(reply, Error):  # no reason to leave the stream half made
        notes.add(f"it could not be made to expire: {reply.text}")


def note_messages(backend: Backend, key: bytes, notes: Notes) -> None:
    """Say that what idempotent producers have sent is not carried, if there is any."""
    reply = backend.execute((b"XINFO", b"STREAM", key))
    words = [word for pair in reply for word in pair] if isinstance(reply, Map) else reply
    if isinstance(words, list):
        told = dict(zip(words[::2], words[1::2], strict=False)) if len(words) % 2 == 0 else {}
        if told.get(b"iids-tracked"):
            notes.add("what idempotent producers have sent is not carried: a message sent again would be added again")
