"""Asking for a long time: whatever becomes of the connection, and until somebody wants it to end."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from streamcli.backend import Backend, LostError, UnreachableError, Waiting
from streamcli.reply import Error, Reply
from streamcli.tools.job import accepted

_PASSING: Final = frozenset(("LOADING", "CLUSTERDOWN", "TRYAGAIN", "MASTERDOWN", "BUSY"))  # errors that go away
_FIRST_SECONDS, _MOST_SECONDS = 0.05, 5.0  # between two attempts
_LOOK_SECONDS: Final = 0.05
_OVERDUE_MS: Final = 60_000  # of an answer, beyond the time for which it was to block: nobody is there any more


class EndedError(Exception):
    """Somebody wants no more, or nobody reads any more (`unread`)."""

    def __init__(self, *, unread: bool = False) -> None:
        super().__init__("ended")
        self.unread = unread


class Enduring:
    """A backend that is asked again until it answers.

    `is_over` is asked whether to end, `unread` whether whoever reads has gone.
    `patient`: a connection that is lost is waited for, said once by `say`;
    otherwise what breaks is raised.
    """

    def __init__(
        self,
        backend: Backend,
        say: Callable[[str], None],
        is_over: Callable[[], bool],
        unread: Callable[[], bool],
        *,
        patient: bool,
    ) -> None:
        self.backend: Final = backend
        self.say: Final = say
        self._is_over, self._unread, self._patient = is_over, unread, patient
        self._block_ms = 0
        self._has_left = self._is_overdue = False
        self.losses = 0
        """How often an answer did not come: what was asked may have been done."""
        backend.on_wait = self._waits

    def ask(self, argv: Sequence[bytes], *, block_ms: int = 0, again: bool = True) -> Reply:
        """The reply, which may be an Error. Not `again`: None when the answer was lost, and the connection is back.

        Raises EndedError; and LostError, UnreachableError when it is not patient.
        """
        wait, said = _FIRST_SECONDS, ""
        while True:
            if self._is_over():
                raise EndedError
            asked, trouble = True, ""
            self._block_ms, self._is_overdue = block_ms, False
            try:
                reply = self.backend.execute(argv)
                if not isinstance(reply, Error) or reply.code not in _PASSING:
                    return reply
                if not self._patient:
                    return reply
                trouble = reply.text
            except LostError as error:
                self.losses += 1
                asked, trouble = again, f"the connection to {self.backend.target} is lost"
                self._give_up(error)
            except UnreachableError as error:
                trouble = str(error)
                self._give_up(error)
            except KeyboardInterrupt:
                if not self._is_overdue or self._is_over():
                    raise EndedError(unread=self._has_left) from None
                self.losses += 1
                asked, trouble = again, f"{self.backend.target} answers no more"
            if not said:
                said = trouble
                self.say(f"{trouble}; trying until it is back")
            if not asked:
                self._come_back(wait)
                return None
            self._sleep(wait)
            wait = min(2 * wait, _MOST_SECONDS)

    def _give_up(self, error: LostError | UnreachableError) -> None:
        if isinstance(error, LostError) and error.interrupted and not self._is_overdue:
            raise EndedError(unread=self._has_left) from None
        if not self._patient:
            raise error

    def _come_back(self, wait: float) -> None:
        """Wait for the connection, with something that does no harm."""
        while True:
            self._sleep(wait)
            wait = min(2 * wait, _MOST_SECONDS)
            try:
                reply = self.backend.execute((b"PING",))
            except KeyboardInterrupt:
                raise EndedError(unread=self._has_left) from None
            except (LostError, UnreachableError):
                continue
            if not isinstance(reply, Error) or reply.code not in _PASSING:
                return

    def checked(self, argv: Sequence[bytes], *, block_ms: int = 0) -> Reply:
        """As `ask`, but raises RefusedError for an error."""
        return accepted(self.ask(argv, block_ms=block_ms), argv)

    def _waits(self, waiting: Waiting) -> None:
        """For `Backend.on_wait`. KeyboardInterrupt is what ends a wait there."""
        self._has_left = self._unread()
        self._is_overdue = waiting.elapsed_ms > self._block_ms + _OVERDUE_MS
        if self._has_left or self._is_overdue or self._is_over():
            raise KeyboardInterrupt

    def _sleep(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self._is_over() or self._unread():
                raise EndedError(unread=self._unread())
            time.sleep(min(left, _LOOK_SECONDS))
