"""A whole terminal to draw on: keys in, lines out; what was on it before comes back at the end, however that comes.

Lines are compared with those drawn before, and only what has changed is
written. Keys are named as prompt_toolkit names them (`up`, `pagedown`, `f5`,
`escape`, `c-m`); a character stands for itself. Does not know what is drawn.
"""

from __future__ import annotations

import os
import select
import signal
import termios
import tty
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any, Final

_ESCAPE_SECONDS: Final = 0.05  # an escape key that nothing follows for so long is one
_READ_BYTES: Final = 4096
_ENTER: Final = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[0m\x1b[2J"
_LEAVE: Final = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l"
_ENDING: Final = (signal.SIGTERM, signal.SIGHUP)
_SIZE: Final = (80, 24)
_SUSPEND: Final = "c-z"


class FullScreen:
    """A context: in it the terminal is ours. `lines` are what is drawn now."""

    def __init__(self, source: int = 0, target: int = 1) -> None:
        self._source, self._target = source, target
        self._given: list[Any] | None = None
        self._before: dict[int, Any] = {}
        self._lines: list[str] = []
        self._size = (0, 0)
        self._keys: list[str] = []
        self._pending_escape = False
        self._parser: Any = None
        self._wakes, self._waker = -1, -1

    def __enter__(self) -> FullScreen:
        from prompt_toolkit.input.vt100_parser import Vt100Parser

        self._parser = Vt100Parser(self._pressed)
        self._wakes, self._waker = os.pipe()
        os.set_blocking(self._wakes, False)
        os.set_blocking(self._waker, False)
        self._given = termios.tcgetattr(self._source)
        self._handle(signal.SIGWINCH, lambda number, frame: self.wake())
        for number in _ENDING:
            self._handle(number, self._end)
        self._take()
        return self

    def _take(self) -> None:
        """The terminal is ours, and empty."""
        tty.setraw(self._source, termios.TCSADRAIN)
        self._write(_ENTER)
        self._lines, self._size = [], (0, 0)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._restore()
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self._wakes)
        os.close(self._waker)
        self._wakes = self._waker = -1

    def _handle(self, number: int, handler: Callable[[int, FrameType | None], None]) -> None:
        self._before[number] = signal.signal(number, handler)

    def _end(self, number: int, frame: FrameType | None) -> None:
        """Somebody ends us: give the terminal back, and die of it as if nothing had been done."""
        self._restore()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def _suspend(self) -> None:
        """Ctrl-Z: the terminal is the shell's until it lets us go on, and drawn anew then."""
        self._restore()
        os.kill(0, signal.SIGTSTP)  # all of the job, as the terminal would
        self._take()

    def _restore(self) -> None:
        with suppress(OSError, termios.error):  # the terminal may have gone
            self._write(_LEAVE)
            if self._given is not None:
                termios.tcsetattr(self._source, termios.TCSADRAIN, self._given)

    # -- out ---------------------------------------------------------------------------------

    def size(self) -> tuple[int, int]:
        """Columns and lines."""
        try:
            columns, lines = os.get_terminal_size(self._target)
        except OSError:
            return _SIZE
        return (columns, lines) if columns and lines else _SIZE

    def draw(self, lines: Sequence[str]) -> None:
        """Show the lines, one a row from the top, each no wider than the screen."""
        size = self.size()
        anew = size != self._size
        pieces = ["\x1b[2J"] if anew else []
        before = [] if anew else self._lines
        now = list(lines[: size[1]])
        for row, line in enumerate(now):
            if row >= len(before) or before[row] != line:
                pieces.append(f"\x1b[{row + 1};1H\x1b[0m\x1b[2K{line}\x1b[0m")
        pieces += [f"\x1b[{row + 1};1H\x1b[0m\x1b[2K" for row in range(len(now), len(before))]
        self._lines, self._size = now, size
        if pieces:
            self._write("".join(pieces))

    def _write(self, text: str) -> None:
        left = memoryview(text.encode("utf-8", "backslashreplace"))
        while left:
            try:
                left = left[os.write(self._target, left) :]
            except BlockingIOError:
                select.select([], [self._target], [])

    # -- in ----------------------------------------------------------------------------------

    def wake(self) -> None:
        """End a wait for keys; from any thread, and from signal handlers."""
        if self._waker >= 0:
            with suppress(OSError):  # full: it will wake in any case
                os.write(self._waker, b".")

    def keys(self, seconds: float) -> list[str]:
        """The keys that were pressed, after so long at most. Raises EOFError when there is no terminal any more."""
        wait = min(seconds, _ESCAPE_SECONDS) if self._pending_escape else seconds
        ready, _, _ = select.select([self._source, self._wakes], [], [], max(0.0, wait))
        if self._wakes in ready:
            with suppress(BlockingIOError):
                os.read(self._wakes, _READ_BYTES)
        if self._source in ready:
            try:
                data = os.read(self._source, _READ_BYTES)
            except OSError:
                data = b""
            if not data:
                raise EOFError
            self._parser.feed(data.decode("utf-8", "replace"))
            self._pending_escape = True
        elif self._pending_escape:
            self._pending_escape = False
            self._parser.flush()
        keys, self._keys = self._keys, []
        if _SUSPEND in keys:
            self._suspend()
        return [key for key in keys if key != _SUSPEND]

    def _pressed(self, press: Any) -> None:
        self._keys.append(getattr(press.key, "value", press.key))
