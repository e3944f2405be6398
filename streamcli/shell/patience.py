"""Look-ups before a command is sent, for somebody who waits for that: soon over, whatever the server does.

A thread asks, so that Ctrl-C and the end of one's patience count at once. After
that nothing more is asked for this command, and every answer is an Error.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Final

from streamcli.backend import Backend, Server, Waiting
from streamcli.reply import Error, Reply

SECONDS: Final = 2.0  # for all the look-ups of one command
_LOOK_SECONDS: Final = 0.05  # between two looks at whether Ctrl-C was pressed
_NOT_KNOWN: Final = Error("ERR the server did not say in time")


class Patient:
    """Asks a backend by `browse`; `is_stopped` says that the user wants no more.

    `shows` is told while there is no answer, and `hides` when that is over.
    """

    def __init__(
        self,
        backend: Backend,
        is_stopped: Callable[[], bool],
        shows: Callable[[Waiting], None],
        hides: Callable[[], None],
        seconds: float = SECONDS,
    ) -> None:
        self._backend, self._is_stopped, self._seconds = backend, is_stopped, seconds
        self._shows, self._hides = shows, hides
        self._until: float | None = None
        self._is_over = False
        self._asker: _Asker | None = None

    @property
    def server(self) -> Server | None:
        return self._backend.server

    def begin(self) -> None:
        """Another command: there is patience again."""
        self._until, self._is_over = None, False

    def browse(self, argv: Sequence[bytes]) -> Reply:
        """The backend's reply; an Error when there is none in time, and for every question after that one."""
        if self._backend.server is None:
            return self._backend.browse(argv)
        if self._is_over:
            return _NOT_KNOWN
        until = self._until = self._until or monotonic() + self._seconds
        try:
            asker = self._asker = self._asker or _Asker(self._backend)
        except RuntimeError:  # there is no thread to be had
            return self._backend.browse(argv)
        try:
            reply = asker.ask(argv, lambda: self._is_over_now(until))
        finally:
            self._hides()
        if reply is None:
            self._is_over = True
            self.close()
            return _NOT_KNOWN
        return reply[0]

    def _is_over_now(self, until: float) -> bool:
        now = monotonic()
        if self._is_stopped() or now >= until:
            return True
        self._shows(Waiting(int(1000 * (now - until + self._seconds)), None))
        return False

    def close(self) -> None:
        """End the thread, as soon as it has its last reply."""
        if self._asker is not None:
            self._asker.close()
            self._asker = None


class _Asker:
    """A thread that asks one question after the other. Raises RuntimeError."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._questions: SimpleQueue[Sequence[bytes] | None] = SimpleQueue()
        self._replies: SimpleQueue[tuple[Reply]] = SimpleQueue()
        threading.Thread(target=self._run, name="look-ups", daemon=True).start()

    def _run(self) -> None:
        while (argv := self._questions.get()) is not None:
            self._replies.put((self._backend.browse(argv),))

    def ask(self, argv: Sequence[bytes], is_over: Callable[[], bool]) -> tuple[Reply] | None:
        """The reply; None when it is over before there is one, and then nothing more may be asked."""
        self._questions.put(argv)
        while True:
            try:
                return self._replies.get(timeout=_LOOK_SECONDS)
            except Empty:
                if is_over():
                    return None

    def close(self) -> None:
        self._questions.put(None)
