"""What there is to see of one stream, group, consumer or entry: asked for, and read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from streamcli.render.shape import read_entry
from streamcli.reply import Error, Reply
from streamcli.tools import survey
from streamcli.tools.groups import CONSUMERS_MOST
from streamcli.tools.pending.held import rows
from streamcli.tools.survey import is_time
from streamcli.tools.top.model import Detail, OfConsumer, OfGroup, OfStream, StreamState, Subject

if TYPE_CHECKING:
    from streamcli.backend import Backend

ENTRIES_MOST, PENDING_MOST = 50, 100
_ENTRIES_BYTES: Final = 256 * 1024


def detail_of(backend: Backend, subject: Subject, state: StreamState | None) -> Detail:
    """What is there now. Raises LostError, UnreachableError."""
    if isinstance(subject, OfStream):
        return _stream(backend, subject, state)
    if isinstance(subject, OfGroup):
        return _group(backend, subject, state)
    if isinstance(subject, OfConsumer):
        reply = backend.execute((
            b"XPENDING", subject.stream, subject.group, b"-", b"+", b"%d" % PENDING_MOST, subject.consumer,
        ))  # fmt: skip
        return _failed(subject, reply) or Detail(subject, pending=rows(reply))
    reply = backend.execute((b"XRANGE", subject.stream, subject.id, subject.id))
    entries = _entries(reply)
    return _failed(subject, reply) or Detail(subject, entries=entries, gone=not entries)


def _stream(backend: Backend, subject: OfStream, state: StreamState | None) -> Detail:
    """The latest entries, fewer where they are large."""
    count = ENTRIES_MOST
    if state is not None and state.memory and state.facts is not None and state.facts.length:
        count = max(1, min(count, _ENTRIES_BYTES * state.facts.length // state.memory))
    elif state is not None and state.heavy:
        count = 2
    reply = backend.execute((b"XREVRANGE", subject.stream, b"+", b"-", b"COUNT", b"%d" % count))
    entries = _entries(reply)
    return _failed(subject, reply) or Detail(subject, entries=entries, gone=not entries and state is None)


def _group(backend: Backend, subject: OfGroup, state: StreamState | None) -> Detail:
    group = state.groups.get(subject.group) if state is not None else None
    consumers: list[survey.Consumer] = []
    if group is None or group.facts.consumers <= CONSUMERS_MOST:
        reply = backend.execute((b"XINFO", b"CONSUMERS", subject.stream, subject.group))
        failed = _failed(subject, reply)
        if failed is not None:
            return failed
        consumers = survey.consumers(reply)
    reply = backend.execute((b"XPENDING", subject.stream, subject.group, b"-", b"+", b"%d" % PENDING_MOST))
    return _failed(subject, reply) or Detail(subject, consumers=consumers, pending=rows(reply))


def _failed(subject: Subject, reply: Reply) -> Detail | None:
    """A stream or a group that has gone, or that may not be seen; None when all is well."""
    if not isinstance(reply, Error):
        return None
    if reply.code in ("NOGROUP", "WRONGTYPE") or "no such key" in reply.text:
        return Detail(subject, gone=True)
    return Detail(subject, refused=reply.text)


def _entries(reply: Reply) -> list[tuple[bytes, list[bytes]]]:
    found = [read_entry(item) for item in reply] if isinstance(reply, list) else []
    return [(entry[0], entry[1]) for entry in found if entry is not None and entry[1] is not None]


def oldest_of(reply: Reply, now_ms: int) -> int | None:
    """The age of the first pending entry, by its ID; for how long it is idle when its ID is no time."""
    if not reply or not isinstance(reply, list):
        return None
    first = rows(reply)[0]
    ms = survey.id_ms(first.id)
    if ms is not None and is_time(ms):
        return max(0, now_ms - ms)
    return None if first.is_released else first.idle_ms
