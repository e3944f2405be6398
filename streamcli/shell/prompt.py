"""The prompt on a terminal: prompt_toolkit's part.

Draws what the painter, the hints and the completer say of the line, and gives
back what was typed. Knows nothing of commands, backends or files: all of that
is behind the `Guide`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

from prompt_toolkit.application import Application
from prompt_toolkit.auto_suggest import AutoSuggest, Suggestion
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.cursor_shapes import ModalCursorShapeConfig, SimpleCursorShapeConfig
from prompt_toolkit.document import Document
from prompt_toolkit.enums import DEFAULT_BUFFER, EditingMode
from prompt_toolkit.filters import Condition, has_focus, is_done
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.key_binding import merge_key_bindings
from prompt_toolkit.key_binding.bindings.auto_suggest import load_auto_suggest_bindings
from prompt_toolkit.layout import (
    BufferControl,
    CompletionsMenu,
    ConditionalContainer,
    Dimension,
    Float,
    FloatContainer,
    FormattedTextControl,
    HSplit,
    Layout,
    Window,
)
from prompt_toolkit.layout.processors import (
    AppendAutoSuggestion,
    ConditionalProcessor,
    HighlightIncrementalSearchProcessor,
    HighlightSelectionProcessor,
)
from prompt_toolkit.lexers import Lexer
from prompt_toolkit.widgets import SearchToolbar

from streamcli.shell.burst import flush_typed, terminal_input
from streamcli.shell.keys import Paste, bindings
from streamcli.shell.processors import Elided, Masked

if TYPE_CHECKING:
    from prompt_toolkit.output import ColorDepth
    from prompt_toolkit.styles import BaseStyle

    from streamcli.shell.completer import Completion as Offer

_MENU_ROWS = 8  # kept free below the line, so that a menu does not push it about
_HINT_ROWS = 2
_ROWS_FOR_HINTS = 6  # a terminal lower than this has better uses for them

Fragments = list[tuple[str, str]]


class Guide(Protocol):
    """What the prompt shows beside the keys that are typed. All of it is asked for at a keystroke: no I/O."""

    def prefix(self) -> Fragments:
        """What stands before the line."""
        ...

    def painted(self, text: str, cursor: int) -> Fragments:
        """The text in its colours."""
        ...

    def hints(self, text: str, cursor: int, width: int) -> list[Fragments]:
        """The lines below, at most two."""
        ...

    def offers(self, text: str, cursor: int, *, asked: bool) -> Iterable[Offer]:
        """What the word at the cursor may become; `asked`: by a key, so that it may look at files."""
        ...

    def suggestion(self, text: str) -> str | None:
        """A whole line that begins with the text."""
        ...

    def show_help(self, text: str, cursor: int) -> None:
        """Print the help on the word at the cursor. The one that is not silent: the prompt is out of the way."""
        ...


class _Painter(Lexer):
    def __init__(self, guide: Guide, cursor: Callable[[], int]) -> None:
        self._guide, self._cursor = guide, cursor

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        lines: list[StyleAndTextTuples] | None = None

        def line(number: int) -> StyleAndTextTuples:
            nonlocal lines
            if lines is None:
                lines = _by_line(self._guide.painted(document.text, document.cursor_position))
            return lines[number] if number < len(lines) else []

        return line

    def invalidation_hash(self) -> int:
        return self._cursor()  # what is certain depends on where the cursor is


def _by_line(fragments: Fragments) -> list[StyleAndTextTuples]:
    lines: list[StyleAndTextTuples] = [[]]
    for style, text in fragments:
        first, *rest = text.split("\n")
        lines[-1].append((style, first))
        lines.extend([(style, part)] for part in rest)
    return lines


class _Offers(Completer):
    def __init__(self, guide: Guide) -> None:
        self._guide = guide

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        if not document.text.strip() and not complete_event.completion_requested:
            return
        cursor = document.cursor_position
        for offer in self._guide.offers(document.text, cursor, asked=complete_event.completion_requested):
            yield Completion(offer.text, offer.start - cursor, offer.shown, offer.note)


class _Suggestions(AutoSuggest):
    def __init__(self, guide: Guide) -> None:
        self._guide = guide

    def get_suggestion(self, buffer: Buffer, document: Document) -> Suggestion | None:
        text = document.text
        found = self._guide.suggestion(text)
        return Suggestion(found[len(text) :]) if found else None


class Prompt:
    """Asks for lines on this process's terminal. `entries` are the history, oldest first."""

    def __init__(self, guide: Guide, entries: Iterable[str], style: BaseStyle, depth: ColorDepth | None) -> None:
        self._guide = guide
        self.history = InMemoryHistory(list(entries))
        self.show_hints = True
        self._question: str | None = None
        asking = Condition(lambda: self._question is not None)
        self._suggestions = _Suggestions(guide)
        self.buffer = Buffer(
            name=DEFAULT_BUFFER,
            completer=_Offers(guide),
            complete_while_typing=~asking,
            history=self.history,
            auto_suggest=self._suggestions,
        )
        self._search = SearchToolbar(ignore_case=True)
        self.app: Application[str | Paste] = Application(
            layout=self._layout(asking),
            style=style,
            include_default_pygments_style=False,
            color_depth=depth,
            key_bindings=merge_key_bindings(
                [
                    load_auto_suggest_bindings(),
                    bindings(lambda: self._question is not None, guide.show_help),
                ]
            ),
            input=terminal_input(),
        )
        self.app.renderer.cpr_not_supported_callback = None  # a terminal that says nothing is none of a user's worries
        self.app.ttimeoutlen = 0.1

    # -- asking -------------------------------------------------------------------------

    def ask(self, text: str = "") -> str | Paste:
        """A line; it begins as `text`. Raises KeyboardInterrupt for Ctrl-C, EOFError for Ctrl-D."""
        self._question = None
        return self._run(text)

    def answer(self, question: str) -> str | None:
        """What the user says to a question; None for Ctrl-C and Ctrl-D, which are no answer.

        What was typed before it could be read is no answer to it, and is dropped.
        """
        self._question = question
        flush_typed(self.app.input)
        try:
            said = self._run("")
        except (KeyboardInterrupt, EOFError):
            return None
        finally:
            self._question = None
        return said if isinstance(said, str) else None

    def _run(self, text: str) -> str | Paste:
        self.buffer.reset(Document(text))
        self.app.layout.focus(self.buffer)  # a search that was broken off would keep it
        return self.app.run(pre_run=self._suggest_at_once, handle_sigint=False)

    def end(self, error: Exception) -> bool:
        """Give up asking: `ask` raises the error. For a signal handler; False when nothing is asked."""
        loop = self.app.loop
        if loop is None or not self.app.is_running:
            return False

        def leave() -> None:
            if self.app.is_running and not self.app.is_done:
                self.app.exit(exception=error)

        loop.call_soon_threadsafe(leave)
        return True

    def interrupt(self) -> None:
        """SIGINT came, as Ctrl-C does where keys are not read one by one: for a signal handler."""
        loop = self.app.loop
        if loop is not None and self.app.is_running:
            loop.call_soon_threadsafe(self.app.key_processor.send_sigint)

    def _suggest_at_once(self) -> None:
        """What comes next is shown before anything is typed."""
        if self._question is None:
            self.buffer.suggestion = self._suggestions.get_suggestion(self.buffer, self.buffer.document)

    def remember(self, text: str) -> None:
        """Let Up and Ctrl-R find it."""
        self.history.append_string(text)

    def keys(self, name: str) -> None:
        """`emacs` or `vi`."""
        vi = name == "vi"
        self.app.editing_mode = EditingMode.VI if vi else EditingMode.EMACS
        self.app.cursor = ModalCursorShapeConfig() if vi else SimpleCursorShapeConfig()

    def names_came(self) -> None:
        """Completions may have changed. For any thread."""
        loop = self.app.loop
        if loop is not None and self.app.is_running:
            loop.call_soon_threadsafe(self._offer_again)

    def _offer_again(self) -> None:
        state = self.buffer.complete_state
        typing = bool(self.buffer.text.strip()) and self.buffer.document.is_cursor_at_the_end
        if self._question is None and (typing if state is None else state.current_completion is None):
            self.buffer.cancel_completion()  # a menu that is open would stay as it is
            self.buffer.start_completion(select_first=False)
        self.app.invalidate()

    # -- drawing ------------------------------------------------------------------------

    def _layout(self, asking: Condition) -> Layout:
        control = BufferControl(
            self.buffer,
            input_processors=[
                Elided(),
                HighlightIncrementalSearchProcessor(),
                HighlightSelectionProcessor(),
                Masked(),
                ConditionalProcessor(AppendAutoSuggestion(), has_focus(self.buffer) & ~is_done & ~asking),
            ],
            include_default_input_processors=False,
            lexer=_Painter(self._guide, lambda: self.buffer.cursor_position),
            search_buffer_control=self._search.control,
            preview_search=True,
        )
        line = Window(control, height=self._height, get_line_prefix=self._prefix, wrap_lines=True)
        menu = Float(
            CompletionsMenu(max_height=_MENU_ROWS, scroll_offset=1, extra_filter=has_focus(self.buffer)),
            xcursor=True,
            ycursor=True,
            transparent=True,
        )
        hints = ConditionalContainer(
            Window(FormattedTextControl(self._hints), height=_HINT_ROWS, style="class:hint", dont_extend_height=True),
            Condition(lambda: self.show_hints and self._rows() >= _ROWS_FOR_HINTS) & ~is_done & ~asking,
        )
        search = ConditionalContainer(self._search, ~is_done)
        return Layout(HSplit([FloatContainer(line, [menu]), search, hints]), line)

    def _rows(self) -> int:
        return self.app.output.get_size().rows

    def _height(self) -> Dimension:
        """Room for the menu below the line, as far as the terminal has it."""
        if self.app.is_done or self._question is not None:
            return Dimension()
        return Dimension(min=max(1, min(_MENU_ROWS + 1, self._rows() - _HINT_ROWS - 1)))

    def _prefix(self, number: int, wrapped: int) -> StyleAndTextTuples:
        if wrapped:
            return []
        fragments = [("class:prompt", self._question)] if self._question is not None else self._guide.prefix()
        if number:
            width = sum(len(text) for _, text in fragments)
            return [("class:prompt.more", "> ".rjust(width))]
        return list(fragments)

    def _hints(self) -> StyleAndTextTuples:
        document = self.buffer.document
        columns = self.app.output.get_size().columns
        shown: StyleAndTextTuples = []
        for index, fragments in enumerate(self._guide.hints(document.text, document.cursor_position, columns)):
            if index:
                shown.append(("", "\n"))
            shown += fragments
        return shown
