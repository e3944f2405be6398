"""One engine that several connections of this process take turns on, and the line of those who wait.

Knows nothing of redis-py, nor how anybody waits: whoever waits is nudged, and
asks `tend` what there is to do. Any thread may call any method; one command
runs at a time.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import get_ident
from typing import Any, TypeAlias

from streamcli import errors
from streamcli.backend.embedded import now_ms
from streamcli.engine import Engine, OpenError, Session, Wait
from streamcli.reply import Reply
from streamcli.storage.schema import FAULTS, explain
from streamcli.storage.store import Store

Argv: TypeAlias = list[bytes]

CLOSED = "the client was closed while this waited for its reply"
_POLL_SECONDS = 0.004  # how long another process's write may stay unseen
_CLOCK_SECONDS = 0.1  # how long an expired key may
_FORK_SECONDS = 5.0  # how long a fork waits for the command that runs
_ENDED = "a memory belongs to the process that made it; for several processes name a file"


class BusyError(Exception):
    """Called out of the command that runs, by a finalizer or a signal handler: it cannot be waited for."""


class _Engine(Engine):
    """An engine that notes which of the keys that somebody waits for were touched."""

    def __init__(self, path: str | None, *, durable: bool) -> None:
        super().__init__(path, durable=durable)
        self.awaited: dict[tuple[int, bytes], int] = {}  # how many wait for it
        self.touched_keys: set[tuple[int, bytes]] = set()
        self.touched_all = False

    @property
    def concerned(self) -> bool:
        """Has anything happened that somebody may have waited for?"""
        return self.touched_all or bool(self.touched_keys)

    def roused(self, db: int, name: bytes) -> None:
        if self.awaited and (db, name) in self.awaited:
            self.touched_keys.add((db, name))

    def touch_watched(self, now_ms: int, db: int | None = None, other: int | None = None) -> None:
        self.touched_all = bool(self.awaited)
        super().touch_watched(now_ms, db, other)


class Talk:
    """One connection's session: commands in, replies out in the same order.

    `nudge` is called, from any thread and with the engine locked, when the
    talk had better be tended: it has its reply, or is the first in line now.
    """

    def __init__(self, shared: Shared, session: Session, nudge: Callable[[], None]) -> None:
        self.shared, self.session, self.nudge = shared, session, nudge
        self.replies: deque[Reply] = deque()
        self.wait: Wait | None = None  # what the command that runs is waiting for
        self.rest: Sequence[Argv] = ()  # what comes after that
        self.closed = False

    def send(self, commands: Sequence[Argv]) -> None:
        """Run commands; several at once are one transaction of the file.

        The replies are appended to `replies`, up to the first command that has to wait (`wait`).
        """
        self.shared.run(self, commands)

    def close(self) -> None:
        """Its transaction and what it watches are forgotten; a wait ends, and nothing has changed."""
        self.shared.leave(self)


class Shared:
    """The engine on a file, or on a memory of its own (`path` None).

    A file is open while a connection is; a memory lasts as long as this object. Raises OpenError.
    """

    def __init__(self, path: str | None, *, durable: bool) -> None:
        self._path, self._durable = path, durable
        self._lock = threading.Lock()
        self._holder = 0  # the thread that has it
        self._left: deque[Talk] = deque()  # closed when they could not be looked after
        self._line: dict[Talk, None] = {}  # who waits, in the order in which they began to
        self._looked_ms = 0
        self._seen = 0  # the store's version when those in line were last asked,
        self._due: int | None = None  # and its next expiry
        self._engine: _Engine | None = _Engine(path, durable=durable)
        if path is not None:
            self._path = os.path.abspath(path)  # the working directory may change before it is opened again
        _alive.add(self)

    def __del__(self) -> None:
        engine = getattr(self, "_engine", None)
        if engine is not None:
            with suppress(*FAULTS):
                engine.close()

    def __repr__(self) -> str:
        return f"Shared({self._path or ':memory:'})"

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """For what is not done often; `run` and `tend`, where most interruptions fall, have the same in themselves."""
        if self._holder == get_ident():
            raise BusyError
        with self._lock:
            try:
                self._holder = get_ident()
                yield
            finally:
                self._holder = 0

    def talk(self, nudge: Callable[[], None]) -> Talk:
        """A new session. Raises OpenError."""
        with self._turn():
            if self._engine is None:
                if self._path is None:
                    raise OpenError(_ENDED)
                self._engine = _Engine(self._path, durable=self._durable)
            return Talk(self, self._engine.session(), nudge)

    def leave(self, talk: Talk) -> None:
        """End a session."""
        try:
            with self._turn():
                self._end(talk)
        except BusyError:
            self._left.append(talk)

    def _end(self, talk: Talk) -> None:
        if not talk.closed:
            talk.closed = True
            self._leave_line(talk)
            talk.nudge()  # closed by another thread or task: whoever waits hears of it
            talk.rest = ()
            talk.session.close()

    def rest(self) -> None:
        """If nobody talks, the file is closed until somebody does."""
        with suppress(BusyError), self._turn():
            engine = self._engine
            if engine is not None and self._path is not None and not engine.sessions:
                self._engine = None
                engine.close()

    # -- commands -----------------------------------------------------------------------

    def run(self, talk: Talk, commands: Sequence[Argv]) -> None:
        """See `Talk.send`. Raises BusyError."""
        if self._holder == get_ident():
            raise BusyError
        with self._lock:
            try:
                self._holder = get_ident()
                while self._left:
                    self._end(self._left.popleft())
                if talk.wait is not None:
                    talk.rest = [*talk.rest, *commands]
                else:
                    self._run(talk, commands)
            finally:
                self._holder = 0

    def _run(self, talk: Talk, commands: Sequence[Argv]) -> None:
        engine: Any = talk.session.engine
        engine.store.recover()
        if len(commands) == 1:
            reply = talk.session.execute(commands[0], now_ms())
            if isinstance(reply, Wait):
                self._enter_line(talk, reply)
            else:
                talk.replies.append(reply)
            if self._line:
                self._look_round(engine)
            return
        at = 0
        while at < len(commands) and talk.wait is None:
            at = self._some(engine, talk, commands, at)
            if self._line:
                self._look_round(engine)
        talk.rest = commands[at:]

    def _one(self, talk: Talk, argv: Argv) -> None:
        reply = talk.session.execute(argv, now_ms())
        if isinstance(reply, Wait):
            self._enter_line(talk, reply)
        else:
            talk.replies.append(reply)

    def _some(self, engine: _Engine, talk: Talk, commands: Sequence[Argv], at: int) -> int:
        """Run commands from a place on as one transaction of the file; where to go on.

        It ends early when one has to wait, or has done what another one waits for: who waits is served
        behind the command that was waited for, not behind the last.
        """
        if _is_transaction(commands, at):  # EXEC is one already, and its fault is its own
            for done, argv in enumerate(commands, 1):
                self._one(talk, argv)
                if talk.wait is not None:
                    return done
            return len(commands)
        session, open_before = talk.session, talk.session.queue is not None
        replies: list[Reply] = []
        wait: Wait | None = None
        try:
            with engine.batch(now_ms()):
                for argv in commands[at:]:
                    reply = session.execute(argv, now_ms())
                    if isinstance(reply, Wait):
                        wait = reply
                        break
                    replies.append(reply)
                    if engine.concerned:
                        break
        except FAULTS as error:  # nothing of it is left, so this is the answer to all of it
            replies, wait = [errors.storage(explain(error))] * (len(commands) - at), None
            if session.queue is not None and not open_before:
                session.discard()
        talk.replies.extend(replies)
        at += len(replies)
        if wait is None:
            return at
        self._enter_line(talk, wait)
        return at + 1

    # -- the line of those who wait --------------------------------------------------------

    def tend(self, talk: Talk) -> float | None:
        """Look after a talk that waits; called by whoever waits for its reply, in turns with waiting for a nudge.

        After how many seconds to call again, None: when nudged. Nothing more is to be done once `talk.wait` is None.
        """
        if self._holder == get_ident():
            raise BusyError
        with self._lock:
            try:
                self._holder = get_ident()
                return self._tend(talk)
            finally:
                self._holder = 0

    def _tend(self, talk: Talk) -> float | None:
        wait = talk.wait
        if wait is None:
            return None
        engine: Any = talk.session.engine
        now = now_ms()
        first = next(iter(self._line)) is talk  # it looks out for all of them
        store = engine.store
        if first and (store.changed() or self._has_expired(store, now)):
            engine.touched_all = True
            self._look_round(engine)
        over = talk.wait is wait and wait.next_ms is not None and now >= wait.next_ms
        if over and self._ask_again(talk, now):
            self._go_on([talk])
        wait = talk.wait
        if wait is None:
            return None
        left = None if wait.next_ms is None else max(0.0, (wait.next_ms - now) / 1000)
        if not first or not (store.shared or store.next_expiry_ms is not None):
            return left
        pause = _POLL_SECONDS if store.shared else _CLOCK_SECONDS
        return pause if left is None else min(pause, left)

    def _has_expired(self, store: Store, now: int) -> bool:
        """A key, perhaps one that somebody waits for; it is not looked into more often than need be."""
        due = store.next_expiry_ms
        return due is not None and due < now and now - self._looked_ms >= _CLOCK_SECONDS * 1000

    def _look_round(self, engine: _Engine) -> None:
        """Ask again for those whom what has happened concerns, in the order in which they wait."""
        if engine.store.version != self._seen:  # another process's commit; a command has read it just now
            engine.touched_all = True
        due, self._due = self._due, engine.store.next_expiry_ms
        if due != self._due:
            engine.touched_all |= due is not None and due < now_ms()  # a command has deleted what had expired
            next(iter(self._line)).nudge()  # it has another time to look at the clock
        while engine.concerned:
            keys, all_ = engine.touched_keys, engine.touched_all
            engine.touched_keys, engine.touched_all = set(), False
            now = now_ms()
            if all_:
                self._looked_ms = now
            served = []
            for talk in list(self._line):
                wait = talk.wait
                concerned = wait is not None and (all_ or any((talk.session.db, key) in keys for key in wait.keys))
                if concerned and self._ask_again(talk, now):
                    served.append(talk)
            self._seen = engine.store.version
            self._go_on(served)

    def _ask_again(self, talk: Talk, now: int) -> bool:
        """Has it got its reply?"""
        wait = talk.wait
        assert wait is not None
        reply = talk.session.resume(wait, now)
        if isinstance(reply, Wait):
            talk.wait = reply
            return False
        self._leave_line(talk)
        talk.replies.append(reply)
        return True

    def _go_on(self, served: Sequence[Talk]) -> None:
        """Run what the served have sent meanwhile, and tell them."""
        for talk in served:
            rest, talk.rest = talk.rest, ()
            if rest:
                self._run(talk, rest)
            talk.nudge()

    def _enter_line(self, talk: Talk, wait: Wait) -> None:
        engine = talk.session.engine
        assert isinstance(engine, _Engine)
        if not self._line:
            self._looked_ms, self._seen, self._due = now_ms(), engine.store.version, engine.store.next_expiry_ms
        talk.wait = wait
        self._line[talk] = None
        for name in wait.keys:
            key = talk.session.db, name
            engine.awaited[key] = engine.awaited.get(key, 0) + 1

    def _leave_line(self, talk: Talk) -> None:
        wait, talk.wait = talk.wait, None
        if wait is None:
            return
        first = next(iter(self._line)) is talk
        del self._line[talk]
        engine = talk.session.engine
        assert isinstance(engine, _Engine)
        for name in wait.keys:
            key = talk.session.db, name
            engine.awaited[key] -= 1
            if not engine.awaited[key]:
                del engine.awaited[key]
        if first and self._line:
            next(iter(self._line)).nudge()

    # -- forks ---------------------------------------------------------------------------------

    def before_fork(self) -> bool:
        """No command is under way from now on."""
        return self._holder != get_ident() and self._lock.acquire(timeout=_FORK_SECONDS)

    def after_fork(self, held: bool, *, child: bool) -> None:
        """A child must not use what its parent has open. A file it opens anew; a memory has stayed with the parent."""
        if child:
            engine, self._engine = self._engine, None
            self._line.clear()
            if engine is not None and held:
                with suppress(*FAULTS):
                    engine.close()
            elif engine is not None:
                _parents.append(engine)  # never to be touched again, not even to be closed
        if held:
            self._lock.release()


def _is_transaction(commands: Sequence[Argv], at: int) -> bool:
    """From MULTI to its EXEC, and nothing else."""
    return (
        at == 0
        and commands[0] == [b"MULTI"]
        and commands[-1] == [b"EXEC"]
        and sum(argv == [b"EXEC"] for argv in commands) == 1
    )


_alive: weakref.WeakSet[Shared] = weakref.WeakSet()
_forking: list[tuple[Shared, bool]] = []
_parents: list[Engine] = []


def _before_fork() -> None:
    _forking.extend((shared, shared.before_fork()) for shared in list(_alive))


def _after_fork(*, child: bool) -> None:
    for shared, held in _forking:
        shared.after_fork(held, child=child)
    _forking.clear()


os.register_at_fork(
    before=_before_fork,
    after_in_parent=lambda: _after_fork(child=False),
    after_in_child=lambda: _after_fork(child=True),
)
