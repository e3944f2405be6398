"""The terminal's modes between prompts.

While a command runs, what is typed is for the next prompt: it is not echoed
over what the command shows, and Ctrl-D is a key like any other. A program that
is started gets the terminal as the user left it.
"""

from __future__ import annotations

import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

_LOCAL = 3  # index of the local modes in what tcgetattr gives


class Terminal:
    """The modes of a descriptor; one that is no terminal is left alone."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._given = self._modes()

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """No echo, and no lines: keys wait to be read."""
        if self._given is None:
            yield
            return
        modes = [*self._given]
        modes[_LOCAL] &= ~(termios.ECHO | termios.ICANON)
        self._set(modes)
        try:
            yield
        finally:
            self._set(self._given)

    @contextmanager
    def lent(self) -> Iterator[None]:
        """As it was given to us, for another program."""
        before = self._modes()
        if before is None or self._given is None:
            yield
            return
        self._set(self._given)
        try:
            yield
        finally:
            self._set(before)

    def _modes(self) -> list[Any] | None:
        try:
            return termios.tcgetattr(self._descriptor)
        except termios.error:
            return None

    def _set(self, modes: list[Any]) -> None:
        with suppress(termios.error):  # it has gone
            termios.tcsetattr(self._descriptor, termios.TCSADRAIN, modes)
