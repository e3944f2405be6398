"""Keys of the prompt that prompt_toolkit does not have already."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NamedTuple

from prompt_toolkit.application import get_app, run_in_terminal
from prompt_toolkit.completion import CompleteEvent, get_common_complete_suffix
from prompt_toolkit.document import Document
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import (
    Condition,
    Filter,
    emacs_insert_mode,
    emacs_mode,
    has_completions,
    has_focus,
    vi_insert_mode,
    vi_navigation_mode,
)
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys

from streamcli.shell.editor import EditorError, edited
from streamcli.shell.line import ANALYSED_MAX, commands, continues
from streamcli.text import visible


class Paste(NamedTuple):
    """A text of several commands: to be asked about before any of it is run."""

    text: str


def bindings(asking: Callable[[], bool], help: Callable[[str, int], None]) -> KeyBindings:
    """The bindings; `asking`: a question is on the screen, to which Enter is an answer; `help` prints help."""
    keys = KeyBindings()
    in_line = has_focus(DEFAULT_BUFFER)
    typing = in_line & Condition(lambda: not asking())

    @keys.add("enter", filter=in_line)
    def _enter(event: KeyPressEvent) -> None:
        """Send. An open quote, or a backslash at the end, goes on in the next line, unless that was left empty."""
        buffer = event.current_buffer
        text = buffer.text
        if not asking() and continues(text) and not text.endswith("\n"):
            buffer.cursor_position = len(text)
            buffer.newline(copy_margin=False)
        else:
            event.app.exit(result=text)  # not through the buffer: what is kept of it is not the buffer's business

    _add_paste(keys, asking)
    _add_editor(keys, typing)
    _add_menu(keys, typing)

    @keys.add("escape", "enter", filter=typing & (vi_insert_mode | emacs_insert_mode))
    def _new_line(event: KeyPressEvent) -> None:
        """Go on in the next line. A backslash says so, where no quote does."""
        buffer = event.current_buffer
        before = buffer.document.text_before_cursor
        buffer.insert_text("\n" if continues(before) else "\\\n" if before.endswith(" ") or not before else " \\\n")

    @keys.add("c-c", filter=in_line)
    @keys.add("<sigint>")
    def _drop(event: KeyPressEvent) -> None:
        event.app.exit(exception=KeyboardInterrupt())

    @keys.add("c-d", filter=in_line & Condition(lambda: not get_app().current_buffer.text))
    def _leave(event: KeyPressEvent) -> None:
        event.app.exit(exception=EOFError())

    @keys.add("f1", filter=typing)
    def _help(event: KeyPressEvent) -> None:
        document = event.current_buffer.document
        run_in_terminal(lambda: help(document.text, document.cursor_position))

    @keys.add("c-z")
    def _suspend(event: KeyPressEvent) -> None:
        event.app.suspend_to_background()

    return keys


def _add_paste(keys: KeyBindings, asking: Callable[[], bool]) -> None:
    @keys.add(Keys.BracketedPaste, filter=has_focus(DEFAULT_BUFFER), save_before=_worth_undoing)
    def _paste(event: KeyPressEvent) -> None:
        """Put it in; when it makes several commands of the line, ask."""
        pasted = event.data.replace("\r\n", "\n").replace("\r", "\n")
        buffer = event.current_buffer
        if "\n" not in pasted or asking():
            buffer.insert_text(pasted.split("\n", 1)[0] if asking() else pasted)
            return
        document = buffer.document
        whole = document.text_before_cursor + pasted + document.text_after_cursor
        if len(commands(whole)) > 1:
            event.app.exit(result=Paste(whole))
        else:
            buffer.insert_text(pasted.strip("\n"))


def _add_menu(keys: KeyBindings, typing: Filter) -> None:
    @keys.add("tab", filter=typing & (vi_insert_mode | emacs_insert_mode))
    def _complete(event: KeyPressEvent) -> None:
        """Complete at once what can be, so that keys that follow find it done; else open the menu, or go down in it."""
        buffer = event.current_buffer
        if buffer.complete_state is not None:
            buffer.complete_next()
            return
        offers = list(buffer.completer.get_completions(buffer.document, CompleteEvent(completion_requested=True)))
        if len(offers) == 1:
            buffer.apply_completion(offers[0])
        elif offers:
            buffer.insert_text(get_common_complete_suffix(buffer.document, offers))
            buffer.start_completion(select_first=False)

    @keys.add("escape", filter=typing & emacs_insert_mode & has_completions)
    def _close_menu(event: KeyPressEvent) -> None:
        """Put the menu away, and what it has put in. Not at once: Escape may be the beginning of another key."""
        event.current_buffer.cancel_completion()


def _add_editor(keys: KeyBindings, typing: Filter) -> None:
    @keys.add("c-x", "c-e", filter=typing & emacs_mode)
    @keys.add("v", filter=typing & vi_navigation_mode)
    def _edit(event: KeyPressEvent) -> None:
        """Edit the line in the user's editor; Enter sends what comes back."""
        buffer = event.current_buffer

        def edit() -> None:
            try:
                text = edited(buffer.text, os.environ)
            except EditorError as error:
                event.app.output.write(f"{visible(str(error))}\n")
                event.app.output.flush()
                return
            buffer.document = Document(text, len(text))

        run_in_terminal(edit)


def _worth_undoing(event: KeyPressEvent) -> bool:
    """What is endless comes in many pieces; to keep the text before each would take the square of it."""
    return len(event.current_buffer.text) + len(event.data) <= ANALYSED_MAX
