"""The prompt on a terminal that can only print: `TERM=dumb`, an editor's shell window, output that goes elsewhere.

Lines are edited by whatever the terminal has. The same questions, the same
answers, without colours, hints or completion.
"""

from __future__ import annotations

import sys

from streamcli.shell.line import continues
from streamcli.shell.output import Output
from streamcli.shell.replies import interruptible


class PlainPrompt:
    """Asks on `screen`, and reads the lines of standard input."""

    def __init__(self, prefix: str, screen: Output) -> None:
        self.prefix = prefix
        self._screen = screen

    def ask(self, text: str = "") -> str:
        """A line, with what follows it in open quotes. Raises KeyboardInterrupt and EOFError."""
        said = f"{text}\n" if text else ""
        line = self._read(self.prefix)
        while continues(said + line):
            said += f"{line}\n"
            line = self._read("> ".rjust(len(self.prefix)))
            if not line:
                break
        return said + line

    def answer(self, question: str) -> str | None:
        """What the user says to a question; None at the end of the input, or after Ctrl-C."""
        try:
            with interruptible():
                return self._read(question)
        except (EOFError, KeyboardInterrupt):
            return None

    def remember(self, text: str) -> None:
        """There are no keys to find it again."""

    def _read(self, prefix: str) -> str:
        self._write(prefix)
        try:
            line = sys.stdin.buffer.readline()
        except KeyboardInterrupt:
            self._write("\n")
            raise
        if not line:
            self._write("\n")
            raise EOFError
        return line.decode("utf-8", "surrogateescape").rstrip("\r\n")

    def _write(self, text: str) -> None:
        self._screen.text(text)
        self._screen.flush()
