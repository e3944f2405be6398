"""A terminal with a screen that can be looked at: streamcli on a pty, and pyte to read what it draws.

Nothing here sleeps: a test says what it waits to see. The terminal answers
what terminals are asked (where the cursor is).
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping
from typing import Any

import pyte

from tests.e2e.program import DEADLINE, Program, Word
from tests.e2e.terminal import own_terminal


class _Screen(pyte.HistoryScreen):
    """pyte's screen, which also answers."""

    answers = b""

    def write_process_input(self, data: str) -> None:
        self.answers += data.encode()


class Cell:
    """How one character looks."""

    def __init__(self, character: Any) -> None:
        self.text: str = character.data
        self.color: str = character.fg
        self.bold: bool = character.bold
        self.underlined: bool = character.underscore

    def __repr__(self) -> str:
        return f"Cell({self.text!r}, {self.color}{' bold' * self.bold}{' underlined' * self.underlined})"


class Terminal:
    """streamcli on a terminal of so many columns and rows; a context manager that leaves nothing running."""

    def __init__(
        self,
        program: Program,
        *words: Word,
        columns: int = 80,
        rows: int = 24,
        env: Mapping[str, str] | None = None,
        db: bool = True,
    ) -> None:
        self.screen = _Screen(columns, rows, history=5000)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self._master, slave = pty.openpty()
        self._set_size(columns, rows)
        environment = {**program.environment, "TERM": "xterm-256color", **(env or {})}
        self.process = subprocess.Popen(
            program.command(*(("--db", program.db) if db else ()), *words),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            cwd=program.home,
            start_new_session=True,
            preexec_fn=own_terminal,  # noqa: PLW1509 - there are no threads here
        )
        os.close(slave)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *what: object) -> None:
        self.process.kill()
        self.process.wait(DEADLINE)
        os.close(self._master)

    # -- the keyboard ------------------------------------------------------------------

    def type(self, text: str | bytes) -> None:
        """Keys, as a terminal sends them."""
        self._write(text.encode() if isinstance(text, str) else text)

    def enter(self, line: str) -> None:
        """Type a line, see it, send it."""
        self.type(line)
        end = line[-20:]
        self.until(lambda: end in self.text or end in "".join(self.screen.display), f"{end!r} on the screen")
        self.type("\r")

    def paste(self, text: str) -> None:
        """As a terminal with bracketed paste does."""
        self.type(f"\x1b[200~{text}\x1b[201~")

    def resize(self, columns: int, rows: int) -> None:
        self.screen.resize(rows, columns)
        self._set_size(columns, rows)
        self.process.send_signal(signal.SIGWINCH)

    # -- the screen --------------------------------------------------------------------

    @property
    def lines(self) -> list[str]:
        """What stands on the screen, without the blanks at the ends."""
        return [line.rstrip() for line in self.screen.display]

    @property
    def text(self) -> str:
        return "\n".join(self.lines).rstrip("\n")

    def shows(self, text: str) -> None:
        """Wait until it stands somewhere on the screen."""
        self.until(lambda: text in self.text, f"{text!r} on the screen")

    def hides(self, text: str) -> None:
        """Wait until it stands nowhere on the screen."""
        self.until(lambda: text not in self.text, f"no {text!r} on the screen")

    def prompts(self, prompt: str) -> None:
        """Wait until the line with the cursor is an empty prompt."""
        self.until(
            lambda: self.cursor_line.startswith(prompt) and self.screen.cursor.x == len(prompt), f"prompt {prompt!r}"
        )

    @property
    def cursor_line(self) -> str:
        display: list[str] = self.screen.display
        return display[self.screen.cursor.y]

    def until(self, condition: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + DEADLINE
        while not condition():
            if not self._read(max(0.0, end - time.monotonic())):
                raise AssertionError(f"wanted {what}; the screen was:\n{self.text}")

    def cell(self, text: str, offset: int = 0) -> Cell:
        """The look of a character of a text that stands on the screen (the last place where it does)."""
        for row in range(len(self.lines) - 1, -1, -1):
            column = self.screen.display[row].rfind(text)
            if column >= 0:
                return Cell(self.screen.buffer[row][column + offset])
        raise AssertionError(f"no {text!r} on the screen:\n{self.text}")

    def leave(self) -> int:
        """Wait for the end: the exit code."""
        self.until(lambda: self._ended, "the end")
        return self.process.wait(DEADLINE)

    # -- the pty -----------------------------------------------------------------------

    _ended = False

    def _read(self, seconds: float) -> bool:
        """Take what comes next; False when nothing does."""
        if self._ended:
            return False
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return False
        try:
            chunk = os.read(self._master, 65536)
        except OSError:  # Linux: the other end is closed
            chunk = b""
        if not chunk:
            self._ended = True
            return True
        self.raw += chunk
        self._stream.feed(chunk)
        answers, self.screen.answers = self.screen.answers, b""
        if answers:
            self._write(answers)
        return True

    def _write(self, data: bytes) -> None:
        """All of it, reading meanwhile what is drawn for it."""
        view = memoryview(data)
        while view:
            readable, writable, _ = select.select([self._master], [self._master], [], DEADLINE)
            if not readable and not writable:
                raise AssertionError(f"it takes no more keys; the screen was:\n{self.text}")
            if readable:
                self._read(0)
            if writable:
                view = view[os.write(self._master, view[:1024]) :]

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
