"""What every backend here has in common: somebody attends to it, hears what happens, and may have enough of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from streamcli.backend import Waiting
from streamcli.reply import Push

_SHOWN_AFTER_MS: Final = 100  # a shorter wait is none


class Attended:
    """`_busy` while something runs that `stop` can end; whoever runs it sets that, and `_stopped` back."""

    def __init__(self) -> None:
        self.on_wait: Callable[[Waiting], None] | None = None
        self.on_note: Callable[[str], None] | None = None
        self.on_push: Callable[[Push], None] | None = None
        self._stopped = self._busy = False

    def attend(self, to: Attended) -> None:
        """Be told by another one what it would tell the user, who hears it from here."""
        to.on_wait, to.on_note, to.on_push = self._waited, self._note, self._pushed

    def tick(self, elapsed_ms: int, block_ms: int | None) -> None:
        """Something takes so long by now; `block_ms` is for how long it may. Raises KeyboardInterrupt once stopped."""
        if elapsed_ms >= _SHOWN_AFTER_MS:
            self._waited(Waiting(elapsed_ms, max(0, block_ms - elapsed_ms) if block_ms else None))
        elif self._stopped:
            raise KeyboardInterrupt

    def stop(self, *, writes: bool) -> None:
        """Also ends the wait for the reply to a write: what became of it is said then."""
        if self._busy:
            self._stopped = True

    def _waited(self, waiting: Waiting) -> None:
        if self._stopped:
            raise KeyboardInterrupt
        if self.on_wait is not None:
            self.on_wait(waiting)

    def _note(self, line: str) -> None:
        if self.on_note is not None:
            self.on_note(line)

    def _pushed(self, push: Push) -> None:
        if self.on_push is not None:
            self.on_push(push)
