"""The engine in this process, on a file or in memory, and the waiting that the engine leaves to others."""

from __future__ import annotations

import os
import time
from _thread import allocate_lock
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from itertools import islice

from streamcli import errors
from streamcli.backend import LostError, Server, Waiting
from streamcli.engine import Engine, Session, Wait
from streamcli.grammar.commands import BY_WORD
from streamcli.reply import Error, Push, Reply
from streamcli.storage.schema import FAULTS, DamagedError, explain

_POLL_SECONDS = 0.004  # how long another process's write may stay unseen
_TOGETHER_BYTES = 4 * 1024 * 1024  # of words that are waiting to be carried out together
_CLOCK_SECONDS = 0.1  # how long an expired key may


def now_ms() -> int:
    """Unix time in ms."""
    return time.time_ns() // 1_000_000


class Embedded:
    """`path` None is a memory of its own; see `Engine`. Raises OpenError."""

    def __init__(self, path: str | None = None, *, durable: bool = False) -> None:
        self._lock = allocate_lock()  # an engine runs one command at a time
        self._owns = True
        self._begin(Engine(path, durable=durable))
        self.path = None if path == ":memory:" else path
        self.target = "memory" if self.path is None else os.path.basename(self.path)

    def _begin(self, engine: Engine) -> None:
        """A session that nobody has used."""
        self.engine = engine
        self.session = engine.session()
        self.on_wait: Callable[[Waiting], None] | None = None
        self.on_push: Callable[[Push], None] | None = None
        self.on_note: Callable[[str], None] | None = None
        self.user: str | None = None
        self.server: Server | None = None
        self._aside: Session | None = None

    def execute(self, argv: Sequence[bytes], *, arriving: bool = False) -> Reply:
        with self._lock:
            self.engine.store.recover()
            reply = self.session.execute(argv, now_ms())
        return self._wait(reply) if isinstance(reply, Wait) else reply

    def pipelined(self, argvs: Iterable[Sequence[bytes]], *, window: int = 512) -> Generator[Reply, None, None]:
        rest = iter(argvs)
        while together := list(_some(rest, window)):
            with self._lock:
                self.engine.store.recover()
                replies = self._together(together)
            yield from replies

    def _together(self, argvs: list[Sequence[bytes]]) -> list[Reply]:
        """The replies; commands that write are one transaction. A fault of the file undoes, and answers, them all."""
        from streamcli.engine.adding import add_all, plain_ids

        now = now_ms()
        execute = self.session.execute
        ids = plain_ids(argvs) if self.session.plain else None
        try:
            if ids is not None:
                with self.engine.batch(now):
                    return add_all(self.session, argvs, ids, now)
            with self.engine.batch(now) if any(map(_writes, argvs)) else nullcontext():
                replies = [execute(argv, now) for argv in argvs]
        except FAULTS as error:
            return [errors.storage(explain(error))] * len(argvs)
        except Exception as error:
            if not self.engine.store.damaged():
                raise
            return [errors.storage(explain(DamagedError(str(error))))] * len(argvs)  # rows that make no sense
        return [reply.timed_out if isinstance(reply, Wait) else reply for reply in replies]

    @contextmanager
    def undivided(self) -> Iterator[Callable[[Sequence[bytes]], Reply]]:
        """What runs commands, each seeing what those before it did: all of them are one transaction of the file.

        Nobody else writes meanwhile, so that a look at what is there holds for what
        is done by it. No command that waits. An exception undoes it all; a fault of
        the file does so, too, and is raised as LostError.
        """
        with self._lock:
            self.engine.store.recover()
            now = now_ms()

            def run(argv: Sequence[bytes]) -> Reply:
                reply = self.session.execute(argv, now)
                return reply.timed_out if isinstance(reply, Wait) else reply

            try:
                with self.engine.batch(now):
                    yield run
            except FAULTS as error:
                raise LostError(f"{explain(error)}; nothing of it was kept") from None

    def beside(self) -> Embedded:
        other = Embedded.__new__(Embedded)
        other._lock, other._owns, other.path, other.target = self._lock, False, self.path, self.target
        other._begin(self.engine)
        other.session.db, other.session.protocol = self.session.db, self.session.protocol
        return other

    def browse(self, argv: Sequence[bytes]) -> Reply:
        try:
            with self._lock:
                if self._aside is None:
                    self._aside = Session(self.engine, 0)  # no client that CLIENT LIST should show
                self._aside.db = self.session.db
                reply = self._aside.execute(argv, now_ms())
        except Exception as error:  # whoever looks for names to show must not fall over a database that has gone
            return errors.storage(str(error))
        return reply.timed_out if isinstance(reply, Wait) else reply

    @property
    def db(self) -> int:
        return self.session.db

    @property
    def queued(self) -> int | None:
        return None if self.session.queue is None else len(self.session.queue)

    def listen(self, argv: Sequence[bytes]) -> Iterator[Reply]:
        reply = self.execute(argv)
        yield reply if isinstance(reply, Error) else errors.storage("the embedded engine has nothing to listen to")

    def stop(self, *, writes: bool) -> None:
        if not writes:
            self.engine.store.stop()

    def close(self) -> None:
        with self._lock:
            if self._owns:
                self.engine.close()
            else:
                self.session.close()

    def _wait(self, wait: Wait) -> Reply:
        """Only other processes, and the clock, can end it: nothing in this process writes meanwhile."""
        store = self.engine.store
        began_ms = looked_ms = now_ms()
        while True:
            now = now_ms()
            if self.on_wait is not None:
                left_ms = None if wait.deadline_ms is None else max(0, wait.deadline_ms - now)
                self.on_wait(Waiting(now - began_ms, left_ms))
            with self._lock:
                if store.changed() or now - looked_ms >= _CLOCK_SECONDS * 1000 or now >= _next_ms(wait, now + 1):
                    looked_ms = now
                    reply = self.session.resume(wait, now)
                    if not isinstance(reply, Wait):
                        return reply
                    wait = reply
            left = (_next_ms(wait, now + round(_CLOCK_SECONDS * 1000)) - now) / 1000
            time.sleep(max(0.0, min(_POLL_SECONDS if store.shared else _CLOCK_SECONDS, left)))


def _some(argvs: Iterator[Sequence[bytes]], most: int) -> Iterator[Sequence[bytes]]:
    """The next commands, `most` at most, and fewer when they are large."""
    left = _TOGETHER_BYTES
    for argv in islice(argvs, most):
        yield argv
        left -= sum(map(len, argv))
        if left <= 0:
            return


def _next_ms(wait: Wait, other_ms: int) -> int:
    """When time alone may change something; `other_ms` if never."""
    return other_ms if wait.next_ms is None else wait.next_ms


def _writes(argv: Sequence[bytes]) -> bool:
    command = BY_WORD.get(argv[0].upper()) if argv else None
    return command is not None and (command.writes or any(one.writes for one in command.subcommands.values()))
