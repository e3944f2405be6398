"""Where replies go at the prompt: to the screen through the pager, or where the line says.

While something is shown Ctrl-C ends it: what could be interrupted half-way is
over by then.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from streamcli.shell import sinks
from streamcli.shell.output import Live

if TYPE_CHECKING:
    from streamcli.render import Options
    from streamcli.shell.line import Tail
    from streamcli.shell.session import Session
    from streamcli.shell.tty import Terminal


@contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C raises KeyboardInterrupt in here."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class Replies:
    """`pager` gives the pager's command, or None; `tell` says something beside the replies.

    `dumb`: the screen cannot go back in a line.
    """

    def __init__(
        self,
        session: Session,
        terminal: Terminal,
        environment: Mapping[str, str],
        pager: Callable[[], str | None],
        tell: Callable[[str], None],
        *,
        dumb: bool,
    ) -> None:
        self._session, self._terminal, self._environment, self._pager = session, terminal, environment, pager
        self._dumb, self._tell = dumb, tell
        self._written = ""  # the format of what has gone into a file
        self._options = session.options
        self._codes: list[int] = []
        session.show = self._on_screen

    @property
    def on_screen(self) -> bool:
        """Do replies go to the screen now?"""
        return self._session.show == self._on_screen

    def run(self, tail: Tail | None, run: Callable[[], int], format: str, *, chosen: bool) -> int:
        """Run with the replies going to the tail; its code, or 1 when what they go to has failed. Raises SinkError.

        Inside a line that has a tail (`.source more > all.txt`) one without goes where that goes.
        """
        session = self._session
        before = session.show, session.options, session.format
        if tail is not None:
            if tail.kind != "|":
                sinks.check_file(tail)
            session.show, session.options = self._into(tail), self._plain()
            session.format = format if chosen else sinks.format_for(tail)
        elif self.on_screen:
            session.format = format
        try:
            code = run()
        except sinks.SinkError:
            self._written = ""
            raise
        finally:
            session.show, session.options, session.format = before
            if tail is not None:
                failed, self._codes = any(self._codes), []
                written, self._written = self._written, ""
                if written:
                    self._tell(f"written to {tail.target} as {written}")
        return code if tail is None else code or int(failed)

    def _into(self, tail: Tail) -> Callable[[Iterator[str]], None]:
        now = tail

        def show(chunks: Iterator[str]) -> None:
            nonlocal now
            self._session.output.flush()
            with interruptible():
                if now.kind == "|":
                    with self._terminal.lent():
                        self._codes.append(sinks.through(now.target, chunks))
                    self._begin_a_line()
                else:
                    if isinstance(chunks, Live):
                        self._written = self._session.format  # Ctrl-C is how that ends
                    sinks.into_file(now, chunks)
                    self._written = self._session.format
                    now = now._replace(kind=">>")  # another reply of the same line goes behind this one

        return show

    def _on_screen(self, chunks: Iterator[str]) -> None:
        command = self._pager() if self._options.terminal and not isinstance(chunks, Live) else None
        with interruptible():
            sinks.paged(self._session.output, chunks, command, self._environment, self._terminal.lent())
            self._session.output.flush()

    def _plain(self) -> Options:
        """For a pipe or a file: no colours, nothing fitted to a screen."""
        from streamcli.render import Options

        return Options(unicode=self._options.unicode)

    def _begin_a_line(self) -> None:
        """Go to the next line, unless at the beginning of one: nobody knows what another program has left."""
        if not self._dumb:
            columns = os.get_terminal_size(sys.stdout.fileno()).columns
            self._session.output.text(" " * columns + "\r\x1b[K")
