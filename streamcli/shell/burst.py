"""Keys from the terminal; what comes in faster than anyone types is taken as one piece.

A terminal without bracketed paste, or a program that types, sends a pasted line
as single keys. Handled one by one they cost what keys cost: a drawing and a
look at the line each. What is in one read together is put in as one.
"""

from __future__ import annotations

import sys
import termios
from contextlib import suppress

from prompt_toolkit.input import Input
from prompt_toolkit.input.typeahead import clear_typeahead
from prompt_toolkit.input.vt100 import Vt100Input
from prompt_toolkit.key_binding import KeyPress
from prompt_toolkit.keys import Keys

_BURST = 32  # keys in one read; people send one or two


class _BurstInput(Vt100Input):
    def read_keys(self) -> list[KeyPress]:
        keys = super().read_keys()
        return keys if len(keys) < _BURST else _together(keys)


def _together(keys: list[KeyPress]) -> list[KeyPress]:
    """Long runs of printable keys as one paste; all others as they are."""
    merged: list[KeyPress] = []
    run: list[KeyPress] = []
    for key in [*keys, KeyPress(Keys.Ignore, "")]:
        if len(key.key) == 1 and (key.data.isprintable() or "\ud800" <= key.data <= "\udfff"):
            run.append(key)
            continue
        if len(run) >= _BURST:
            merged.append(KeyPress(Keys.BracketedPaste, "".join([one.data for one in run])))
        else:
            merged += run
        run = []
        merged.append(key)
    return merged[:-1]


def flush_typed(input: Input) -> None:
    """Forget what was typed and not read yet."""
    clear_typeahead(input)
    with suppress(termios.error):
        termios.tcflush(input.fileno(), termios.TCIFLUSH)


def terminal_input() -> Input:
    """The input of this process's terminal."""
    return _BurstInput(sys.stdin)
