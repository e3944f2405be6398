"""While a command runs at the prompt: what a wait looks like, and what Ctrl-C does.

Nothing is ever torn out of a command: Ctrl-C is noted, and the backend is told.
A command that only reads is asked to come to its end. One that writes is let
finish by the engine, so that nobody is left to guess whether it has; it can be
ended only while it waits, when nothing has happened yet. Of a server that does
not answer nobody can know, so the backend says so. That holds however often
Ctrl-C is pressed.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from streamcli.backend import Waiting
from streamcli.times import span_text

_SHOWN_AFTER_MS = 250


class Watch:
    """`descriptor` is the terminal's; without `redraw` it is one that cannot go back in a line.

    `before` is called before anything is written, so that what was answered stands above it.
    """

    def __init__(self, descriptor: int, *, redraw: bool, color: bool, before: Callable[[], None]) -> None:
        self._descriptor, self._redraw, self._color, self._before = descriptor, redraw, color, before
        self._shown = ""
        self._noted = False

    @contextmanager
    def over(self, *, writes: bool, stop: Callable[[], None]) -> Iterator[None]:
        """Run a command in here; `stop` is told of Ctrl-C. Raises KeyboardInterrupt when it ended one that reads."""
        self._noted, self._shown = False, ""

        def interrupt(number: int, frame: FrameType | None) -> None:
            self._noted = True
            stop()

        before = signal.signal(signal.SIGINT, interrupt)
        try:
            yield
        finally:
            self._erase()
            signal.signal(signal.SIGINT, before)
        if self._noted and not writes:
            raise KeyboardInterrupt

    @property
    def interrupted(self) -> bool:
        """Was Ctrl-C pressed while the last command ran, even if it was let finish?"""
        return self._noted

    def waits(self, waiting: Waiting) -> None:
        """For `Backend.on_wait`."""
        if self._noted:
            raise KeyboardInterrupt
        self.shows(waiting)

    def shows(self, waiting: Waiting) -> None:
        """Show a wait, when it is one to speak of; until `hide`."""
        if waiting.elapsed_ms < _SHOWN_AFTER_MS:
            return
        text = waiting_text(waiting) if self._redraw else "waiting; Ctrl-C ends it"
        if text != self._shown:
            self._before()
            shown = f"\x1b[2m{text}\x1b[0m" if self._color else text
            self._write(f"\r\x1b[K{shown}" if self._redraw else f"{text}\n")
            self._shown = text

    def hide(self) -> None:
        """Make room for a line; what is shown of a wait comes again below it."""
        if self._redraw:
            self._erase()

    def _erase(self) -> None:
        if self._shown and self._redraw:
            self._write("\r\x1b[K")
        self._shown = ""

    def _write(self, text: str) -> None:
        with suppress(OSError):  # nobody looks
            os.write(self._descriptor, text.encode())


def waiting_text(waiting: Waiting) -> str:
    """`waiting 3s of 30s; Ctrl-C ends it`."""
    spent = _seconds(waiting.elapsed_ms)
    if waiting.left_ms is None:
        return f"waiting {spent}; Ctrl-C ends it"
    return f"waiting {spent} of {_seconds(waiting.elapsed_ms + waiting.left_ms)}; Ctrl-C ends it"


def _seconds(ms: int) -> str:
    """Whole seconds below a minute, so that the line changes once a second."""
    return f"{ms // 1000}s" if ms < 60_000 else span_text(ms)
