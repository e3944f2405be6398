"""Run command lines on a store. No sockets, threads or clocks.

The caller passes the time in and waits on the engine's behalf: a command that
would block answers with a Wait. Handlers are functions of a Context and the
table's argument names; each file of this package registers its family.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from streamcli import errors
from streamcli.engine.config import Config
from streamcli.engine.host import Host
from streamcli.grammar.parse import Call
from streamcli.reply import Map, Reply, ReplyError, Set, Verbatim
from streamcli.storage.groups import Group
from streamcli.storage.store import STREAM, Key, Store
from streamcli.storage.streams import Stream

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from streamcli.engine.session import Session


_LOOK_AGAIN_MS = 100  # how long what another reader was given may stay unseen by who would claim it at once


class Mark(NamedTuple):
    """What a key looked like when someone began to wait for it."""

    key: int
    appended: int
    group: int | None
    nacks: int = 0


class Wait(NamedTuple):
    """Instead of a reply: ask again when a key changes, until the deadline.

    `deadline_ms` is Unix time, None for ever. `argv` is what to ask again,
    with `$` already resolved (Redis looks `+` up once more). Who reads for a `group` is told when the
    key or the group goes, too. Who would take over what has been pending for `claim_ms` is told of XNACK as well,
    and at `again_ms`, when the first of it may be due.
    """

    keys: tuple[bytes, ...]
    deadline_ms: int | None
    argv: tuple[bytes, ...]
    timed_out: Reply
    group: bytes | None = None
    marks: tuple[Mark | None, ...] = ()
    claim_ms: int | None = None
    again_ms: int | None = None

    @property
    def next_ms(self) -> int | None:
        """When time alone may change something; None for never."""
        if self.deadline_ms is None or self.again_ms is None:
            return self.again_ms if self.deadline_ms is None else self.deadline_ms
        return min(self.deadline_ms, self.again_ms)


Handler = Callable[..., "Reply | Wait"]


class _Entry:
    __slots__ = ("run", "single", "store")

    def __init__(self, run: Handler, store: bool, single: int) -> None:
        self.run, self.store, self.single = run, store, single


HANDLERS: dict[str, _Entry] = {}


def handles(name: str, *, store: bool = True, single: int = -1) -> Callable[[Handler], Handler]:
    """Register a function as a command.

    Its keyword parameters are the command's argument names (a test holds them
    to it). `store=False`: it neither reads nor writes keys. `single`: with just so many arguments it does what
    `Store.transaction` calls single.
    """

    def register(handler: Handler) -> Handler:
        HANDLERS[name] = _Entry(handler, store, single)
        return handler

    return register


class Context:
    """What one command may touch; `now_ms` is one reading of the clock for all of it."""

    __slots__ = ("call", "db", "engine", "now_ms", "session", "store")

    def __init__(self, engine: Engine, session: Session, call: Call, now_ms: int) -> None:
        self.engine, self.session, self.call, self.now_ms = engine, session, call, now_ms
        self.store, self.db = engine.store, session.db

    def key(self, name: bytes) -> Key | None:
        return self.store.key(self.db, name, self.now_ms)

    def stream(self, name: bytes) -> Stream | None:
        """The stream of that name, None if there is no key. Raises WRONGTYPE."""
        key = self.store.key(self.db, name, self.now_ms)
        if key is None:
            return None
        if key.kind != STREAM:
            raise ReplyError(errors.WRONGTYPE)
        return key.stream or self.store.stream(key)

    def need_stream(self, name: bytes) -> Stream:
        """The stream of that name. Raises "no such key" and WRONGTYPE."""
        stream = self.stream(name)
        if stream is None:
            raise ReplyError(errors.NO_SUCH_KEY)
        return stream

    def make_stream(self, name: bytes) -> Stream:
        """A new key with an empty stream."""
        stream = self.store.make_stream(self.db, name)
        producers, settings = stream.producers, self.engine.config.idmp
        if (producers.duration, producers.maxsize) != settings:
            producers.duration, producers.maxsize = settings
            producers.changed()
        return stream

    def group(self, name: bytes, group: bytes, context: str = "") -> tuple[Stream, Group]:
        """A stream and one of its groups. Raises WRONGTYPE and NOGROUP, which ends in `context`."""
        stream = self.stream(name)
        found = stream.group(group) if stream is not None else None
        if stream is None or found is None:
            raise ReplyError(errors.no_group(name, group, context))
        return stream, found

    def touch(self, name: bytes, stream: Stream | None = None) -> None:
        """Tell those who WATCH the key that it has changed."""
        if stream is not None:
            stream.version += 1
            stream.changed()
        self.engine.touched(self.db, name)

    # Redis answers with RESP3's richer types only to those who chose RESP3.

    def map(self, pairs: list[tuple[Reply, Reply]]) -> Reply:
        """A map; in RESP2 a flat array."""
        return Map(pairs) if self.session.protocol == 3 else [word for pair in pairs for word in pair]

    def set(self, items: list[Reply]) -> Reply:
        """A set; in RESP2 an array."""
        return Set(items) if self.session.protocol == 3 else items

    def text(self, data: bytes) -> Reply:
        """Text for people; in RESP2 a bulk string."""
        return Verbatim("txt", data) if self.session.protocol == 3 else data

    def may_wait(self) -> bool:
        """Redis: nothing blocks inside a transaction."""
        return not self.session.executing


class Engine:
    """The commands of one database file, or of a memory of its own. Raises OpenError.

    `execute` runs lines for one session that is made at once; `session` makes more.
    """

    def __init__(self, path: str | None = None, *, durable: bool = False) -> None:
        self.store = Store(path, durable=durable)
        self.config = Config()
        self.host = Host()
        self.on_touch: Callable[[int | None, bytes], None] | None = None
        self.sessions: dict[int, Session] = {}
        self._next_session = 1
        self._watchers: dict[tuple[int, bytes], set[Session]] = {}
        self._own: Session | None = None

    def execute(self, argv: Sequence[bytes], now_ms: int) -> Reply | Wait:
        """Run one command line at a time given as Unix time in ms."""
        if self._own is None:
            self._own = self.session()
        return self._own.execute(argv, now_ms)

    def session(self) -> Session:
        """A new session: database 0, RESP2, no transaction."""
        from streamcli.engine.session import Session

        session = Session(self, self.next_session())
        self.sessions[session.id] = session
        return session

    def next_session(self) -> int:
        """A number for a session; none is given twice."""
        self._next_session += 1
        return self._next_session - 1

    def batch(self, now_ms: int) -> AbstractContextManager[None]:
        """What is executed in this context is one transaction of the file: all of it is kept, or nothing.

        A fault of the file is raised in it, for `explain`, and not answered: by then nothing is left.
        """
        return self.store.transaction(write=True, now_ms=now_ms)

    def close(self) -> None:
        self.store.close()

    # -- what changed ------------------------------------------------------------------

    def mark(self, db: int, name: bytes, group: bytes | None, now_ms: int, *, claiming: bool = False) -> Mark | None:
        """What to compare later; None for a key that is no stream."""
        key = self.store.key(db, name, now_ms)
        if key is None or key.kind != STREAM:
            return None
        stream = self.store.stream(key)
        found = stream.group(group) if group is not None else None
        return Mark(key.id, stream.appended, found.id if found else None, found.nacks if found and claiming else 0)

    def ready(self, db: int, wait: Wait, now_ms: int) -> bool:
        """Has something happened to the keys that may change the answer?"""
        with self.store.transaction(write=False, now_ms=now_ms):
            for name, before in zip(wait.keys, wait.marks, strict=True):
                mark = self.mark(db, name, wait.group, now_ms, claiming=wait.claim_ms is not None)
                if mark != before and (mark is not None or wait.group is not None):
                    return True
            return False

    def due_ms(self, db: int, wait: Wait, now_ms: int) -> int | None:
        """When the first pending entry will have been so for long enough; None for who claims nothing.

        With nothing pending, the time from now: what others are given meanwhile is not due before that.
        """
        if wait.claim_ms is None or wait.group is None:
            return None
        due = None
        with self.store.transaction(write=False, now_ms=now_ms):
            for name in wait.keys:
                key = self.store.key(db, name, now_ms)
                found = self.store.stream(key).group(wait.group) if key is not None and key.kind == STREAM else None
                first_ms = found.first_delivered_ms() if found is not None and found.pending else None
                if first_ms is not None:
                    at_ms = max(first_ms, 0) + wait.claim_ms
                    due = at_ms if due is None else min(due, at_ms)
        return now_ms + max(wait.claim_ms, _LOOK_AGAIN_MS) if due is None else due

    def watch(self, session: Session, db: int, name: bytes) -> None:
        self._watchers.setdefault((db, name), set()).add(session)

    def unwatch(self, session: Session, watched: Sequence[tuple[int, bytes]]) -> None:
        for key in watched:
            sessions = self._watchers.get(key)
            if sessions is not None:
                sessions.discard(session)
                if not sessions:
                    del self._watchers[key]

    def touched(self, db: int, name: bytes) -> None:
        """A key changed: transactions that watch it will not run, and whoever waits for it is to be asked again."""
        self.roused(db, name)
        if self._watchers:
            for session in self._watchers.get((db, name), ()):
                session.dirty = True

    def roused(self, db: int, name: bytes) -> None:
        """Whoever waits for a key is to be asked again; transactions that watch it do not mind."""
        if self.on_touch is not None:
            self.on_touch(db, name)

    def touch_watched(self, now_ms: int, db: int | None = None, other: int | None = None) -> None:
        """A database, or all, is about to be emptied, or to get the keys of another one: what is watched
        and is there, or will be, changes.
        """
        if self.on_touch is not None:
            self.on_touch(None, b"")
        for (watched_db, name), sessions in self._watchers.items():
            if db in (None, watched_db) and any(
                self.store.key(one, name, now_ms) is not None for one in (watched_db, other) if one is not None
            ):
                for session in sessions:
                    session.dirty = True
