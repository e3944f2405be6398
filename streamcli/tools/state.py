"""What a stream is beside its entries: its last ID and counters, its groups, their consumers, what is pending.

Read from one place and written at another, by commands alone, as `export`,
`import` and `clone` need it. Entries are no matter of this module, but for the
*gone* ones: a pending entry that was trimmed or deleted. XCLAIM makes nothing
pending that is not in the stream, so whoever copies adds an entry in its place
(in the order of IDs, as an older one cannot be added) and `finish` takes it out again.

In order: the entries, and those that stand for gone ones; `settle`; `make_groups`;
`claim` for each group; `finish`. Each may be done again after a fault.

What no command can set is not written: when consumers were last seen and active
(XGROUP CREATECONSUMER and XCLAIM make it the time of writing), the messages that
idempotent producers have sent, the order in which equal times were delivered.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from typing import TYPE_CHECKING, Final, NamedTuple

from streamcli.ids import MAX_ID, MIN_ID, StreamID
from streamcli.reply import Error, Reply
from streamcli.tools.entries import id_of, pages
from streamcli.tools.job import RefusedError, ToolError, accepted, now_ms
from streamcli.tools.replies import items, number, record, string

if TYPE_CHECKING:
    from streamcli.backend import Backend

PAGE: Final = 1000
_PAGE_LEAST: Final = 32
_TRIES: Final = 12
_TOGETHER: Final = 256  # IDs in one command
_IDMP_DEFAULTS: Final = (100, 100)
_NACK_COUNT: Final = -2  # where XNACK says how often
_PASSING: Final = b"streamcli:passing"  # a group that is gone at once
NOBODY: Final = b"nobody"
"""Who holds what was given back (XNACK), at a server that knows no such thing."""


class Consumer(NamedTuple):
    """Times are Unix time in ms; None where the server does not tell, or for never."""

    name: bytes
    seen_ms: int | None
    active_ms: int | None
    pending: int


class Group(NamedTuple):
    """`entries_read` None: not known. `pending` counts what was given back (XNACK), too."""

    name: bytes
    last_id: StreamID
    entries_read: int | None
    pending: int
    consumers: tuple[Consumer, ...]


class State(NamedTuple):
    """`entries_added` and `max_deleted_id` are None where a server does not tell (before Redis 7).

    `idmp`: for how many seconds, and how many, messages of idempotent producers are remembered.
    """

    length: int
    last_id: StreamID
    first_id: StreamID | None
    entries_added: int | None
    max_deleted_id: StreamID | None
    groups: tuple[Group, ...]
    idmp: tuple[int, int] | None = None

    @property
    def lost_some(self) -> bool:
        """May an entry have been trimmed or deleted?"""
        return self.entries_added is None or self.entries_added != self.length


class Pending(NamedTuple):
    """`consumer` None: nobody's, it was given back (XNACK)."""

    id: StreamID
    consumer: bytes | None
    delivered_ms: int
    deliveries: int


# -- reading ------------------------------------------------------------------------


def read_state(backend: Backend, key: bytes) -> State | None:
    """What `key` is; None when there is no such key. Raises RefusedError, for one when it is no stream."""
    reply = backend.execute((b"XINFO", b"STREAM", key, b"FULL", b"COUNT", b"1"))
    if isinstance(reply, Error):
        if "no such key" in reply.text:
            return None
        if reply.code in ("WRONGTYPE", "NOPERM", "NOAUTH"):
            raise RefusedError(reply, (b"XINFO", b"STREAM"))
        return _old_state(backend, key)
    facts = record(reply)
    entries = facts.get(b"entries")
    first = entries[0] if isinstance(entries, list) and entries else None
    return _state(facts, first, tuple(_group(record(one)) for one in items(facts.get(b"groups"))))


def _old_state(backend: Backend, key: bytes) -> State:
    """The same from Redis 5, which has no FULL."""
    facts = record(_ask(backend, b"XINFO", b"STREAM", key))
    groups = []
    now = now_ms()
    for one in items(_ask(backend, b"XINFO", b"GROUPS", key)):
        group = _group(record(one))
        consumers = [
            Consumer(string(c.get(b"name")), now - number(c.get(b"idle"), now), None, number(c.get(b"pending")))
            for c in map(record, items(_ask(backend, b"XINFO", b"CONSUMERS", key, group.name)))
        ]
        groups.append(group._replace(consumers=tuple(consumers)))
    return _state(facts, facts.get(b"first-entry"), tuple(groups))


def _state(facts: dict[bytes, Reply], first: Reply, groups: tuple[Group, ...]) -> State:
    added, deleted = facts.get(b"entries-added"), facts.get(b"max-deleted-entry-id")
    duration, most = facts.get(b"idmp-duration"), facts.get(b"idmp-maxsize")
    return State(
        length=number(facts.get(b"length")),
        last_id=id_of(string(facts.get(b"last-generated-id"))),
        first_id=id_of(string(first[0])) if isinstance(first, list) and first else None,
        entries_added=added if isinstance(added, int) else None,
        max_deleted_id=id_of(deleted) if isinstance(deleted, bytes) else None,
        groups=groups,
        idmp=(duration, most) if isinstance(duration, int) and isinstance(most, int) else None,
    )


def _group(facts: dict[bytes, Reply]) -> Group:
    read = facts.get(b"entries-read")
    pending = facts.get(b"pel-count", facts.get(b"pending"))
    consumers = facts.get(b"consumers")  # in XINFO GROUPS their number
    return Group(
        name=string(facts.get(b"name")),
        last_id=id_of(string(facts.get(b"last-delivered-id"))),
        entries_read=read if isinstance(read, int) else None,
        pending=number(pending),
        consumers=tuple(map(_consumer, items(consumers))) if isinstance(consumers, list) else (),
    )


def _consumer(reply: Reply) -> Consumer:
    facts = record(reply)
    active = number(facts.get(b"active-time"), -1)
    return Consumer(
        name=string(facts.get(b"name")),
        seen_ms=number(facts.get(b"seen-time"), -1),
        active_ms=active if active >= 0 else None,
        pending=number(facts.get(b"pel-count")),
    )


def pending(
    backend: Backend, key: bytes, group: Group, start: StreamID = MIN_ID, end: StreamID = MAX_ID
) -> Iterator[list[Pending]]:
    """What a group has pending from `start` to `end`, both included, by ID, page by page.

    Redis tells how long ago an entry was delivered, and not by which clock. The
    time is exact nevertheless: see `_Clock`. Raises RefusedError.
    """
    if not group.pending:
        return
    clock = _Clock(backend, key, group.name)
    at: StreamID | None = start
    size = PAGE
    while at is not None and at <= end:
        rows, now, size = clock.page(at, end, size)
        page = [_pending(row, now) for row in rows]
        if page:
            yield page
        if len(page) < size:
            return
        at = page[-1].id.next()


def _pending(row: Reply, now: int) -> Pending:
    if not isinstance(row, list) or len(row) != 4:
        raise ToolError("the server has answered XPENDING with something that is no pending entry")
    id, consumer, idle, deliveries = row
    whose = string(consumer)
    if not whose and number(idle) < 0:
        return Pending(id_of(string(id)), None, 0, number(deliveries))
    return Pending(id_of(string(id)), whose, now - number(idle), number(deliveries))


class _Clock:
    """The clock of the server that has a key, by an entry whose time of delivery is known.

    XINFO STREAM FULL tells when the first pending entry was delivered, XPENDING
    how long ago that is. Asked right before and right behind a page, the same
    answer means that the page, too, was written in that millisecond.
    """

    def __init__(self, backend: Backend, key: bytes, group: bytes) -> None:
        self._backend, self._key, self._group = backend, key, group
        self._anchor: tuple[bytes, int] | None = None
        self._idle = 0
        self._find()

    def page(self, start: StreamID, end: StreamID, size: int) -> tuple[list[Reply], int, int]:
        """The rows from `start` on, the time at which they were written, and the size that was asked for."""
        found: list[Reply] = []
        now = 0
        for _ in range(_TRIES):
            head = (b"XPENDING", self._key, self._group)
            page = (*head, start.text, end.text, b"%d" % size)
            if self._anchor is None:
                return items(_ask(self._backend, *page)), now_ms(), size
            own = (*head, self._anchor[0], self._anchor[0], b"1")
            before, reply, behind = _replies(self._backend, (own, page, own))
            found = items(reply)
            first, now = self._now(before), self._now(behind)
            if not first or not now:
                self._find()
            elif first == now:
                return found, now, size
            else:
                size = max(_PAGE_LEAST, size // 2)
        return found, now or now_ms(), size

    def _now(self, reply: Reply) -> int:
        """By the anchor's row; 0 when it is pending no more, or was delivered anew."""
        rows = items(reply)
        row = rows[0] if rows else None
        idle = number(row[2], -1) if isinstance(row, list) and len(row) == 4 else -1
        if self._anchor is None or idle < self._idle:
            return 0
        self._idle = idle
        return self._anchor[1] + idle

    def _find(self) -> None:
        self._anchor, self._idle = None, 0
        reply = self._backend.execute((b"XINFO", b"STREAM", self._key, b"FULL", b"COUNT", b"1"))
        if isinstance(reply, Error):
            return
        for group in map(record, items(record(reply).get(b"groups"))):
            if group.get(b"name") == self._group:
                for consumer in map(record, items(group.get(b"consumers"))):
                    rows = items(consumer.get(b"pending", consumer.get(b"pel")))
                    if rows and isinstance(rows[0], list):
                        self._anchor = string(rows[0][0]), number(rows[0][1])
                        return


def gone(
    backend: Backend, key: bytes, state: State, start: StreamID = MIN_ID, end: StreamID = MAX_ID
) -> Iterator[StreamID]:
    """The IDs from `start` to `end` that some group has pending and the stream has no more, in their order.

    Reads those entries alone of which the counters do not say that they are there.
    """
    if not state.lost_some:
        return
    last = StreamID(0, 0)
    for id in merge(*(_gone_of(backend, key, state, group, start, end) for group in state.groups if group.pending)):
        if id > last:
            last = id
            yield id


def _gone_of(
    backend: Backend, key: bytes, state: State, group: Group, start: StreamID, end: StreamID
) -> Iterator[StreamID]:
    deleted = state.max_deleted_id
    at: StreamID | None = start
    while at is not None and at <= end:
        argv = (b"XPENDING", key, group.name, at.text, end.text, b"%d" % PAGE)
        ids = [id_of(string(row[0])) for row in items(_ask(backend, *argv)) if isinstance(row, list) and row]
        doubtful = []
        for id in ids:
            if state.first_id is None or id < state.first_id:
                yield id
            elif deleted is None or id <= deleted:
                doubtful.append(id)
        there = _replies(backend, [(b"XRANGE", key, id.text, id.text, b"COUNT", b"1") for id in doubtful], brief=True)
        yield from [id for id, one in zip(doubtful, there, strict=True) if not one]
        if len(ids) < PAGE or (state.first_id is not None and deleted is not None and ids[-1] > deleted):
            return
        at = ids[-1].next()


# -- writing ------------------------------------------------------------------------


class Notes:
    """What a place could not be told, for the user: `lines`. `left_out`: pending entries that were not made."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.left_out = 0

    def add(self, line: str) -> None:
        """Once each."""
        if line not in self.lines:
            self.lines.append(line)


def make_stream(backend: Backend, key: bytes) -> None:
    """Make an empty stream; one that is there stays as it is. Raises RefusedError."""
    _ask(backend, b"XGROUP", b"CREATE", key, _PASSING, b"$", b"MKSTREAM")
    _ask(backend, b"XGROUP", b"DESTROY", key, _PASSING)


def settle(backend: Backend, key: bytes, state: State, notes: Notes) -> None:
    """Set the last ID, the counters and the settings of a stream that is there. Raises RefusedError."""
    argv = [b"XSETID", key, state.last_id.text]
    if state.entries_added is not None:
        length = number(_ask(backend, b"XLEN", key))  # with entries that stand for gone ones it can be too long for now
        argv += (b"ENTRIESADDED", b"%d" % max(state.entries_added, length))
        argv += (b"MAXDELETEDID", (state.max_deleted_id or MIN_ID).text)
    reply = backend.execute(argv)
    if isinstance(reply, Error) and argv[3:] and _is_unknown(reply):
        notes.add("this server keeps no count of the entries ever added, and no greatest deleted ID (Redis 7 does)")
        reply = backend.execute(argv[:3])
    if isinstance(reply, Error):
        if "smaller than" not in reply.text:
            raise RefusedError(reply, argv)
        below = state.last_id < (state.max_deleted_id or MIN_ID)
        why = "its last ID was set below its greatest deleted ID" if below else "it has entries that the source has not"
        notes.add(f"{why}: its last ID and counters stay as they are")
    if state.idmp is not None:
        _settle_idmp(backend, key, state.idmp, notes)


def _settle_idmp(backend: Backend, key: bytes, idmp: tuple[int, int], notes: Notes) -> None:
    facts = record(_ask(backend, b"XINFO", b"STREAM", key))
    there = facts.get(b"idmp-duration"), facts.get(b"idmp-maxsize")
    if there == idmp or (there == (None, None) and idmp == _IDMP_DEFAULTS):
        return
    argv = (b"XCFGSET", key, b"IDMP-DURATION", b"%d" % idmp[0], b"IDMP-MAXSIZE", b"%d" % idmp[1])
    reply = backend.execute(argv)
    if isinstance(reply, Error):
        if not _is_unknown(reply):
            raise RefusedError(reply, argv)
        notes.add("this server has no idempotent producers: for how long their messages are remembered is left out")


def make_groups(backend: Backend, key: bytes, groups: Iterable[Group], notes: Notes) -> None:
    """Make groups and their consumers; a group that is there is set to the same place. Raises RefusedError."""
    for group in groups:
        read = () if group.entries_read is None else (b"ENTRIESREAD", b"%d" % group.entries_read)
        reply = _placed(backend, b"CREATE", (key, group.name, group.last_id.text), read, notes)
        if isinstance(reply, Error) and reply.code == "BUSYGROUP":
            reply = _placed(backend, b"SETID", (key, group.name, group.last_id.text), read, notes)
        if isinstance(reply, Error):
            raise RefusedError(reply, (b"XGROUP", b"CREATE"))
        makes = [(b"XGROUP", b"CREATECONSUMER", key, group.name, one.name) for one in group.consumers]
        for reply in _replies(backend, makes, check=False):
            if isinstance(reply, Error):
                if not _is_unknown(reply):
                    raise RefusedError(reply, (b"XGROUP", b"CREATECONSUMER"))
                notes.add("this server makes no consumers that have nothing pending (Redis 6.2 does)")


def _placed(backend: Backend, how: bytes, where: tuple[bytes, ...], read: tuple[bytes, ...], notes: Notes) -> Reply:
    reply = backend.execute((b"XGROUP", how, *where, *read))
    if read and isinstance(reply, Error) and _is_unknown(reply):
        notes.add("this server does not count what a group has read (Redis 7 does)")
        return backend.execute((b"XGROUP", how, *where))
    return reply


def claim(backend: Backend, key: bytes, group: bytes, rows: Iterable[Pending], notes: Notes) -> int:
    """Make entries pending as the rows say: how many are. Raises RefusedError.

    What is not in the stream cannot be made pending, and stops being so where it
    was: it is counted in `notes`.
    """
    sent: deque[tuple[list[bytes], list[bytes]]] = deque()
    refused: list[tuple[int, list[bytes]]] = []  # IDs that were to be given back, and how often they were delivered
    made = 0
    for reply in backend.pipelined(_noting(_claims(key, group, rows), sent)):
        argv, ids = sent.popleft()
        if isinstance(reply, Error):
            if argv[0] != b"XNACK" or not _is_unknown(reply):
                raise RefusedError(reply, argv)
            refused.append((int(argv[_NACK_COUNT]), ids))
            continue
        done = len(reply) if isinstance(reply, list) else number(reply)
        made += done
        notes.left_out += len(ids) - done
    for deliveries, ids in refused:
        notes.add(f'this server knows no XNACK: what was given back is held by a consumer "{NOBODY.decode()}"')
        argv = _claim(key, group, (NOBODY, 0, deliveries), ids)
        done = len(items(_ask(backend, *argv)))
        made += done
        notes.left_out += len(ids) - done
    return made


def _noting(
    commands: Iterable[tuple[list[bytes], list[bytes]]], sent: deque[tuple[list[bytes], list[bytes]]]
) -> Iterator[list[bytes]]:
    for command in commands:
        sent.append(command)
        yield command[0]


def _claims(key: bytes, group: bytes, rows: Iterable[Pending]) -> Iterator[tuple[list[bytes], list[bytes]]]:
    """Commands, each with its IDs: rows that follow each other and differ by ID alone share one."""
    same: tuple[bytes | None, int, int] | None = None
    ids: list[bytes] = []
    for id, consumer, delivered_ms, deliveries in rows:
        if same != (consumer, delivered_ms, deliveries) or len(ids) >= _TOGETHER:
            if same is not None:
                yield _claim(key, group, same, ids), ids
            same, ids = (consumer, delivered_ms, deliveries), []
        ids.append(id.text)
    if same is not None:
        yield _claim(key, group, same, ids), ids


def _claim(key: bytes, group: bytes, row: tuple[bytes | None, int, int], ids: Sequence[bytes]) -> list[bytes]:
    consumer, delivered_ms, deliveries = row
    count = b"%d" % deliveries
    if consumer is None:
        return [b"XNACK", key, group, b"FAIL", b"IDS", b"%d" % len(ids), *ids, b"RETRYCOUNT", count, b"FORCE"]
    time = b"%d" % delivered_ms
    return [
        b"XCLAIM", key, group, consumer, b"0", *ids, b"TIME", time, b"RETRYCOUNT", count, b"FORCE", b"JUSTID"
    ]  # fmt: skip


def finish(backend: Backend, key: bytes, state: State, stand_ins: Sequence[StreamID], notes: Notes) -> None:
    """Take out the entries that stood for gone ones, and set the counters to what they were. Raises RefusedError."""
    if not stand_ins:
        return
    if state.max_deleted_id in (None, MIN_ID) and _are_first(backend, key, stand_ins):
        # Nothing was ever deleted there, only trimmed; XDEL would leave a greatest deleted ID that cannot be unset.
        _ask(backend, b"XTRIM", key, b"MINID", b"=", (stand_ins[-1].next() or MAX_ID).text)
    else:
        for at in range(0, len(stand_ins), _TOGETHER):
            _ask(backend, b"XDEL", key, *(id.text for id in stand_ins[at : at + _TOGETHER]))
    settle(backend, key, state, notes)


def _are_first(backend: Backend, key: bytes, ids: Sequence[StreamID]) -> bool:
    """Are these the first entries of the stream, and no others among them?"""
    at = 0
    for page in pages(backend, key, MIN_ID, ids[-1]):
        if [id for id, _ in page] != [id.text for id in ids[at : at + len(page)]]:
            return False
        at += len(page)
    return at == len(ids)


# -- replies ------------------------------------------------------------------------


def _ask(backend: Backend, *argv: bytes) -> Reply:
    """The reply. Raises RefusedError."""
    return accepted(backend.execute(argv), argv)


def _replies(
    backend: Backend, argvs: Sequence[Sequence[bytes]], *, check: bool = True, brief: bool = False
) -> list[Reply]:
    """The replies to all, or only whether they have items (`brief`), as entries may be large. Raises RefusedError."""
    found = backend.pipelined(argvs, window=_PAGE_LEAST if brief else PAGE)
    replies = [bool(reply) if brief and isinstance(reply, list) else reply for reply in found]
    for reply, argv in zip(replies, argvs, strict=True):
        if check and isinstance(reply, Error):
            raise RefusedError(reply, argv)
    return replies


def _is_unknown(error: Error) -> bool:
    """Is it a command, or an option, that the server does not have?"""
    text = error.text.lower()
    return "unknown" in text or "syntax error" in text or "wrong number of arguments" in text
