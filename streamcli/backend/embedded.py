"""The engine in this process, on a file or in memory, and the waiting that the engine leaves to others."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from streamcli.engine import Engine, Wait
from streamcli.reply import Reply

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
        self.on_wait: Callable[[], None] | None = None

    def execute(self, argv: Sequence[bytes]) -> Reply:
        reply = self.session.execute(argv, now_ms())
        return self._wait(reply) if isinstance(reply, Wait) else reply

    @property
    def in_multi(self) -> bool:
        return self.session.queue is not None

    def close(self) -> None:
        self.engine.close()

    def _wait(self, wait: Wait) -> Reply:
        """Nothing in this process writes meanwhile: only other processes, and the clock, can end it."""
        if self.on_wait is not None:
            self.on_wait()
        store = self.engine.store
        looked_ms = now_ms()
        while True:
            now = now_ms()
            if store.changed() or now - looked_ms >= _CLOCK_SECONDS * 1000 or now >= (wait.deadline_ms or now + 1):
                looked_ms = now
                reply = self.session.resume(wait, now)
                if not isinstance(reply, Wait):
                    return reply
                wait = reply
            left = _CLOCK_SECONDS if wait.deadline_ms is None else (wait.deadline_ms - now) / 1000
            time.sleep(max(0.0, min(_POLL_SECONDS if store.shared else _CLOCK_SECONDS, left)))
