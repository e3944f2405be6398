"""One stream copied from one place to another, by commands alone.

A copy is made under a name of its own (`draft_name`) and gets its name when it is
whole, so that nobody meets half a stream, and what had that name before is there
until then. What was copied is found again: `Copy.bring` goes on from there, and
brings an old copy up to date in the same way. Whether it is right, `comparing`
tells; which streams, and what is said of it, is `clone`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from streamcli.ids import MAX_ID, MIN_ID, StreamID
from streamcli.reply import Error, Reply
from streamcli.text import bare
from streamcli.tools import state as states
from streamcli.tools.entries import Entry, entries, id_of, pages
from streamcli.tools.job import RefusedError, ToolError, accepted
from streamcli.tools.state import Group, Notes, Pending, State

if TYPE_CHECKING:
    from streamcli.backend import Backend

DRAFT: Final = b":cloning"
_SLOTS: Final = 16384
_ROUNDS: Final = 4  # for which a source that moves is followed
_TOGETHER: Final = 256  # IDs in one command
_ENDS: Final = 8  # entries
_NOMKSTREAM_SINCE: Final = [6, 2]
_STAND_IN: Final = [b"streamcli", b"stands for an entry that is gone"]


class StoppedError(Exception):
    """Somebody has asked to stop; what was copied by then is there, and certain."""


def draft_name(name: bytes, *, cluster: bool) -> bytes:
    """What a copy is called while it is made; in a cluster it is a name of the same slot."""
    if not cluster or _has_tag(name):
        return name + DRAFT
    from binascii import crc_hqx  # the CRC16 of Redis

    slot, number = crc_hqx(name, 0) % _SLOTS, 0
    before = crc_hqx(name + DRAFT + b":", 0)
    while crc_hqx(b"%d" % number, before) % _SLOTS != slot:
        number += 1
    return b"%s%s:%d" % (name, DRAFT, number)


def _has_tag(name: bytes) -> bool:
    """Does a part in braces alone decide about the slot?"""
    inside, brace, _ = name.partition(b"{")[2].partition(b"}")
    return bool(brace and inside)


class _Feed:
    """Commands for `pipelined`. What goes wrong in making them ends them, and is kept as `fault`.

    Were it raised there, the replies to what was sent would be taken for others.
    """

    def __init__(self, items: Iterable[Entry], head: Sequence[bytes]) -> None:
        self.fault: Exception | None = None
        self.ended = False
        self._items, self._head = items, head

    def __iter__(self) -> Iterator[list[bytes]]:
        head = self._head
        try:
            for id, fields in self._items:
                if self.ended:
                    return
                yield [*head, id, *fields]
        except Exception as error:
            self.fault = error


class Copy:
    """`key` of the source, and its copy `name` of the target.

    `heard` is told between pages how many entries are there. Once `stopped` is
    true nothing more is begun, and StoppedError is raised. `added` counts the
    entries that were written, up to `last_id`.
    """

    def __init__(
        self,
        source: Backend,
        key: bytes,
        target: Backend,
        name: bytes,
        *,
        groups: bool = True,
        heard: Callable[[int], None] = lambda done: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self.source, self.key, self.target, self.name = source, key, target, name
        self.notes = Notes()
        self.left_out: dict[bytes, int] = {}
        """By group: pending entries that could not be made so."""
        self.added = self.removed = 0
        self.last_id = MIN_ID
        self.has_hole = False
        """An entry was refused and a later one was not: this copy cannot be completed any more."""
        self.heard = heard
        self._groups, self._stopped = groups, stopped
        self._stand_ins: list[StreamID] = []
        self._there = 0
        self._carried: State | None = None

    def bring(self) -> State | None:
        """Make the copy what the source is: the state it has then; None when the source is gone.

        A source that changes all the time is followed for some rounds. Raises
        ToolError, StoppedError, LostError, UnreachableError; the same again goes on then.
        """
        for _ in range(_ROUNDS):
            state = self.read()
            if state is None or state == self._carried:
                return state
            if self._carried is None and self.ask(b"EXISTS", self.name) == 0:
                states.make_stream(self.target, self.name)
            self._add(state)
            self._carry(state)
        return self._carried

    def read(self) -> State | None:
        """What is to be copied of the source, by now."""
        state = states.read_state(self.source, self.key)
        return state if state is None or self._groups else state._replace(groups=())

    def again(self) -> None:
        """Whoever has lost a connection does not know what has arrived: look."""
        self._carried = None
        self._stand_ins = []
        self.resume(is_ours=True)

    # -- entries ---------------------------------------------------------------------------

    def resume(self, *, is_ours: bool = False) -> None:
        """Find what is there already. Raises ToolError when that is no part of the source; `is_ours`: it is, surely."""
        length = self.ask(b"XLEN", self.name)
        self._there = length if isinstance(length, int) else 0
        ends = [*self._end(b"XRANGE", b"-", b"+"), *self._end(b"XREVRANGE", b"+", b"-")]
        self.last_id = max((id_of(id) for id, _ in ends), default=MIN_ID)
        alike = gone = 0
        for id, fields in ends:
            if is_ours and fields != _STAND_IN:
                continue
            found = entries(self.ask(b"XRANGE", self.key, id, id, backend=self.source))
            if fields == _STAND_IN and not found:  # or somebody has copied an entry that says so
                self._stand_ins.append(id_of(id))
                continue
            if found and found[0][1] != fields:
                raise ToolError(f"{bare(self.name)} is no copy of {bare(self.key)}: they differ in {id.decode()}")
            alike, gone = alike + bool(found), gone + (not found)
        if gone and not alike:
            raise ToolError(
                f"{bare(self.name)} is no copy of {bare(self.key)}, or a very old one: it has other entries"
            )

    def _end(self, command: bytes, start: bytes, end: bytes) -> list[Entry]:
        return entries(self.ask(command, self.name, start, end, b"COUNT", b"%d" % _ENDS))

    def follow(self) -> int:
        """Add the entries that the source has got since: how many."""
        before, start = self.added, self.last_id.next()
        if start is not None:
            self._write(self._plain(pages(self.source, self.key, start)))
        return self.added - before

    def _add(self, state: State) -> None:
        """Add what the copy has not, up to the state's last ID, and stand-ins for pending entries that are gone."""
        start = self.last_id.next()
        if start is not None and start <= state.last_id:
            self._write(self._with_stand_ins(start, state))
        if not state.length and state.groups:
            self._write(iter(self._gone_beyond(state)))

    def _gone_beyond(self, state: State) -> list[Entry]:
        """Stand-ins for pending entries behind the last ID, which was set back (XSETID), of an empty stream.

        In one with entries they cannot be made: what is taken out behind the top keeps the last ID from going back.
        """
        start = max(self.last_id, state.last_id).next()
        gone = [] if start is None else self._gone(start, MAX_ID, set(), state)
        now = self.read() if gone else None
        if now is not None and (now.length, now.last_id) == (0, state.last_id):
            return sorted(gone, key=_by_id)
        self._stand_ins = [id for id in self._stand_ins if id <= state.last_id]  # there are entries again
        return []

    def _plain(self, read: Iterator[list[Entry]]) -> Iterator[Entry]:
        for page in read:
            yield from page
            if self._pauses():
                return

    def _with_stand_ins(self, start: StreamID, state: State) -> Iterator[Entry]:
        """The entries up to the state's last ID, with stand-ins for those that are pending and gone.

        What is pending is asked after the entries of the same IDs were read, so that
        one that goes meanwhile is either copied or stood in for.
        """
        at: StreamID | None = start
        for page in pages(self.source, self.key, start, state.last_id):
            last = id_of(page[-1][0])
            gone = self._gone(at or start, last, {id for id, _ in page}, state)
            yield from sorted([*page, *gone], key=_by_id) if gone else page
            at = last.next()
            if self._pauses():
                return
        if at is not None and at <= state.last_id:
            yield from sorted(self._gone(at, state.last_id, set(), state), key=_by_id)

    def _gone(self, start: StreamID, end: StreamID, there: set[bytes], state: State) -> list[Entry]:
        """Stand-ins for what is pending from `start` to `end`, and not `there`."""
        found: set[bytes] = set()
        for group in state.groups:
            at = start.text
            while group.pending:
                head = (b"XPENDING", self.key, group.name)
                rows = self.ask(*head, at, end.text, b"%d" % states.PAGE, backend=self.source)
                ids = [row[0] for row in rows] if isinstance(rows, list) else []  # type: ignore[index]
                found |= {id for id in ids if isinstance(id, bytes)} - there
                if len(ids) < states.PAGE:
                    break
                at = b"(%s" % ids[-1]
        return [self._stand_in(id_of(id)) for id in found]

    def _stand_in(self, id: StreamID) -> Entry:
        self._stand_ins.append(id)
        return id.text, _STAND_IN

    def _pauses(self) -> bool:
        """Between two pages: tell how far it is; has it to end?"""
        self.heard(self._there)
        return self._stopped()

    def _write(self, new: Iterator[Entry]) -> None:
        """XADD all, ahead of the replies. The first that is refused ends it, once what was sent is answered."""
        # Never a stream that is gone: another clone may have finished it.
        head = (b"XADD", self.name, *((b"NOMKSTREAM",) if _has_nomkstream(self.target) else ()))
        feed = _Feed(new, head)
        refused: list[Reply] = []
        last = b""
        try:
            for reply in self.target.pipelined(feed):
                if type(reply) is not bytes:
                    feed.ended = True
                    refused.append(reply)
                elif feed.ended:
                    self.has_hole = True
                else:
                    last = reply
                    self.added += 1
                    self._there += 1
        finally:
            if last:
                self.last_id = id_of(last)
        if refused:
            self._refused(refused[0])
        if feed.fault is not None:
            raise feed.fault
        self.check_stop()

    def check_stop(self) -> None:
        """Raises StoppedError if it is wanted."""
        if self._stopped():
            raise StoppedError

    def _refused(self, reply: Reply) -> None:
        if isinstance(reply, Error) and "equal or smaller" in reply.text:
            what = (
                f"somebody else adds entries to {bare(self.name)}, another clone maybe, or XSETID set its source back"
            )
            raise ToolError(f"{what}: it is left as it is")
        if isinstance(reply, Error):
            raise RefusedError(reply, (b"XADD",))
        if reply is None:
            raise ToolError(f"{bare(self.name)} is gone: it was removed, or another clone has finished it")
        raise ToolError("XADD was answered with something that is no ID")

    # -- all but the entries -------------------------------------------------------------------

    def _carry(self, state: State) -> None:
        target, name = self.target, self.name
        roomy = _with_room(state, max(self._stand_ins, default=MIN_ID))
        states.settle(target, name, roomy, Notes() if self._stand_ins else self.notes)
        there = states.read_state(target, name)
        groups = {group.name: group for group in there.groups} if there else {}
        before = {group.name: group for group in self._carried.groups} if self._carried else {}
        for group in state.groups:
            if group != before.get(group.name) or group.name not in groups:
                self._carry_group(group, groups.get(group.name))
        for gone in groups.keys() - {group.name for group in state.groups} if self._groups else ():
            self.ask(b"XGROUP", b"DESTROY", name, gone)
        if self._take_out(state) or roomy != state:
            states.settle(target, name, state, self.notes)
        self._carried = state

    def _take_out(self, state: State) -> bool:
        """The stand-ins, and what the source has trimmed; were there stand-ins?

        XDEL leaves a greatest deleted ID, which cannot be unset, and XTRIM does not: what was trimmed at the source,
        maybe after it was read, is trimmed here.
        """
        stand_ins, self._stand_ins = sorted(set(self._stand_ins)), []
        first = ((self.read() if stand_ins else state) or state).first_id
        self.trim(first)
        left = [id for id in stand_ins if first is not None and id > first]
        states.finish(self.target, self.name, state, left, self.notes)
        self.removed -= len(stand_ins) - len(left)
        self._there -= len(stand_ins)
        return bool(stand_ins)

    def _carry_group(self, group: Group, there: Group | None) -> None:
        states.make_groups(self.target, self.name, (group,), self.notes)
        rows = self._possible(states.pending(self.source, self.key, group))
        if there is not None and there.pending:
            rows = self._changed(rows, there)
        notes = Notes()
        states.claim(self.target, self.name, group.name, rows, notes)
        for line in notes.lines:
            self.notes.add(line)
        self.left_out[group.name] = notes.left_out
        self.check_stop()
        names = {consumer.name for consumer in group.consumers} | {states.NOBODY}
        for consumer in there.consumers if there is not None else ():
            if consumer.name not in names:
                self.ask(b"XGROUP", b"DELCONSUMER", self.name, group.name, consumer.name)

    def _possible(self, rows: Iterator[list[Pending]]) -> Iterator[Pending]:
        for page in rows:
            yield from page
            if self._pauses():
                return

    def _changed(self, rows: Iterator[Pending], there: Group) -> Iterator[Pending]:
        """The rows that the copy has not, or has otherwise. What the copy alone has is acknowledged there."""
        theirs = (row for page in states.pending(self.target, self.name, there) for row in page)
        changed: list[Pending] = []
        over: list[bytes] = []
        other = next(theirs, None)
        for row in rows:
            while other is not None and other.id < row.id:
                over.append(other.id.text)
                other = next(theirs, None)
            if other is None or other.id > row.id:
                changed.append(row)
                continue
            if other != row:
                changed.append(row)
                if (other.consumer is None) != (row.consumer is None):
                    over.append(row.id.text)  # XNACK's way back is a row of its own
            other = next(theirs, None)
        self.check_stop()  # or what was not read would be taken for gone
        while other is not None:
            over.append(other.id.text)
            other = next(theirs, None)
        for at in range(0, len(over), _TOGETHER):
            self.ask(b"XACK", self.name, there.name, *over[at : at + _TOGETHER])
        return iter(changed)

    # -- what the source has no more ----------------------------------------------------------

    def trim(self, first_id: StreamID | None) -> None:
        """Take out all before this ID; None: all."""
        how = (b"MAXLEN", b"=", b"0") if first_id is None else (b"MINID", b"=", first_id.text)
        removed = self.ask(b"XTRIM", self.name, *how)
        self.removed += removed if isinstance(removed, int) else 0

    def remove(self, ids: list[bytes], state: State) -> None:
        """Take out entries; the counters are what they were. What was trimmed is trimmed: see `_take_out`."""
        first = (self.read() or state).first_id
        self.trim(first)
        ids = [id for id in ids if first is not None and id_of(id) > first]
        for at in range(0, len(ids), _TOGETHER):
            removed = self.ask(b"XDEL", self.name, *ids[at : at + _TOGETHER])
            self.removed += removed if isinstance(removed, int) else 0
        states.settle(self.target, self.name, state, self.notes)

    def ask(self, *argv: bytes, backend: Backend | None = None) -> Reply:
        """The target's reply, or another's. Raises RefusedError."""
        return accepted((backend or self.target).execute(argv), argv)


def _has_nomkstream(backend: Backend) -> bool:
    """Redis 6.2 has."""
    version = backend.server.version.split(".") if backend.server is not None else []
    numbers = [int(part) for part in version[:2] if part.isdigit()]
    return len(numbers) < 2 or numbers >= _NOMKSTREAM_SINCE


def _by_id(entry: Entry) -> StreamID:
    return id_of(entry[0])


def _with_room(state: State, last_id: StreamID) -> State:
    """With room for stand-ins, and with as many entries added as a group has read (Redis: no more, from 8.2)."""
    roomy = state._replace(last_id=max(state.last_id, last_id))
    if state.entries_added is None:
        return roomy
    most = max((group.entries_read or 0 for group in state.groups), default=0)
    return roomy._replace(entries_added=max(state.entries_added, most))
