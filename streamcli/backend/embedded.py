"""The engine in this process, on a file or in memory, and the waiting that the engine leaves to others."""

from __future__ import annotations

import os
import time
from _thread import allocate_lock
from collections.abc import Callable, Iterator, Sequence

from streamcli import errors
from streamcli.backend import Server, Waiting
from streamcli.engine import Engine, Session, Wait
from streamcli.reply import Error, Push, Reply

_POLL_SECONDS = 0.004  # how long another process's write may stay unseen
_CLOCK_SECONDS = 0.1  # how long an expired key may


def now_ms() -> int:
    """Unix time in ms."""
    return time.time_ns() // 1_000_000


class Embedded:
    """`path` None is a memory of its own; see `Engine`. Raises OpenError."""

    def __init__(self, path: str | None = None, *, durable: bool = False) -> None:
        self.engine = Engine(path, durable=durable)
        self.session = self.engine.session()
        self.target = "memory" if path in (None, ":memory:") else os.path.basename(path or "")
        self.on_wait: Callable[[Waiting], None] | None = None
        self.on_push: Callable[[Push], None] | None = None
        self.on_note: Callable[[str], None] | None = None
        self.user: str | None = None
        self.server: Server | None = None
        self._aside: Session | None = None
        self._lock = allocate_lock()  # an engine runs one command at a time

    def execute(self, argv: Sequence[bytes], *, arriving: bool = False) -> Reply:
        with self._lock:
            self.engine.store.recover()
            reply = self.session.execute(argv, now_ms())
        return self._wait(reply) if isinstance(reply, Wait) else reply

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
            self.engine.close()

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


def _next_ms(wait: Wait, other_ms: int) -> int:
    """When time alone may change something; `other_ms` if never."""
    return other_ms if wait.next_ms is None else wait.next_ms
