"""The browser on a terminal: prompt_toolkit's part, and a thread that asks the backend.

The thread alone touches the backend; what is held is touched by the screen's
own thread alone, which is told what has come.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final

from prompt_toolkit.application import Application
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import FormattedTextControl, Layout, Window
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.styles import Style

from streamcli.backend import LostError, UnreachableError
from streamcli.tools.entries import so_many
from streamcli.tools.job import OK, ToolError
from streamcli.tools.pending.acting import PAST, Tally, act, doer
from streamcli.tools.pending.browsing import Browsing, Wish
from streamcli.tools.pending.deeds import DEAD_LETTER, Deed
from streamcli.tools.pending.drawing import STYLES, Look, draw
from streamcli.tools.pending.held import Held, Pending, Wanted

if TYPE_CHECKING:
    from prompt_toolkit.formatted_text import StyleAndTextTuples

    from streamcli.tools.job import Job

_EVERY_SECONDS: Final = 2.0
_SHARE: Final = 10  # a look that took long is followed by a pause so many times as long
_PAYLOADS_KEPT: Final = 64
_PATIENCE_SECONDS: Final = 1.0
_ESCAPE_SECONDS: Final = 0.05
_NAMES: Final = {
    "up": Keys.Up, "down": Keys.Down, "pageup": Keys.PageUp, "pagedown": Keys.PageDown, "home": Keys.Home,
    "end": Keys.End, "insert": Keys.Insert, "enter": Keys.ControlM, "escape": Keys.Escape, "f1": Keys.F1,
    "backspace": Keys.ControlH, "c-u": Keys.ControlU, "c-w": Keys.ControlW, "c-c": Keys.ControlC,
}  # fmt: skip


def browse(job: Job, pending: Pending, wanted: Wanted, *, read_only: bool = False, not_atomic: bool = False) -> int:
    """Browse until the user leaves. Raises RefusedError, LostError, UnreachableError when it cannot begin."""
    total = pending.summary().total
    state = Browsing(pending.stream, pending.group, wanted, read_only=read_only)
    screen = _Screen(job, pending, state, not_atomic=not_atomic)
    state.take(total, screen.look())
    screen.run()
    if screen.unsaid is not None:
        job.say(screen.unsaid)
    return OK


class _Screen:
    def __init__(self, job: Job, pending: Pending, state: Browsing, *, not_atomic: bool) -> None:
        self._pending, self._state, self._not_atomic = pending, state, not_atomic
        self._unicode, self._color = job.options.unicode, job.options.color
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._payloads: dict[bytes, list[bytes] | None] = {}
        self._fetching: bytes | None = None
        self._app = self._application()
        self.unsaid: str | None = None  # what became of a deed that the user did not wait for

    def run(self) -> None:
        backend, thread = self._pending.backend, threading.Thread(target=self._see_to_it, daemon=True)
        note, backend.on_note = backend.on_note, self._note  # a line in the midst of the screen would spoil it
        thread.start()
        try:
            self._app.run()
        finally:
            self._state.stop = True
            self._work.put(None)
            thread.join(_PATIENCE_SECONDS)
            if thread.is_alive():  # it waits for a server that says nothing
                backend.stop(writes=True)
                thread.join()
            backend.on_note = note

    # -- the terminal ------------------------------------------------------------------------

    def _application(self) -> Application[None]:
        keys = KeyBindings()
        for name, key in _NAMES.items():
            keys.add(key, eager=name == "escape")(self._presses(name))
        keys.add(Keys.Any)(lambda event: self._pressed("space" if event.data == " " else event.data, event))
        keys.add(Keys.BracketedPaste)(lambda event: self._state.paste(event.data))
        app: Application[None] = Application(
            layout=Layout(Window(FormattedTextControl(self._text, show_cursor=False), always_hide_cursor=True)),
            key_bindings=keys,
            style=Style.from_dict(STYLES),
            full_screen=True,
            color_depth=None if self._color else ColorDepth.DEPTH_1_BIT,
            enable_page_navigation_bindings=False,
        )
        app.ttimeoutlen = _ESCAPE_SECONDS
        return app

    def _presses(self, name: str) -> Callable[[KeyPressEvent], None]:
        return lambda event: self._pressed(name, event)

    def _pressed(self, key: str, event: KeyPressEvent) -> None:
        state = self._state
        state.key(key)
        if state.leaving:
            event.app.exit()
            return
        wish, state.wish = state.wish, None
        if wish is not None:
            state.busy, state.stop = True, False
            self._work.put(lambda: self._carry_out(wish))
        elif state.changed:
            state.changed = False
            self._work.put(self._refresh)

    def _text(self) -> StyleAndTextTuples:
        size = self._app.output.get_size()
        state, payload = self._state, False
        look = Look(size.columns, size.rows, unicode=self._unicode, payload=payload)
        current = state.current
        if current is not None and current.id in self._payloads:
            look.payload = self._payloads[current.id]
        lines = draw(state, look)
        if current is not None and state.shows_payload:
            self._fetch(current.id)
        fragments: StyleAndTextTuples = []
        for number, line in enumerate(lines):
            fragments += [("", "\n")] if number else []
            fragments += [(f"class:{style}" if style else "", text) for style, text in line]
        return fragments

    def _fetch(self, id: bytes) -> None:
        """Have the payload read, unless it is here or on its way."""
        if id in self._payloads or self._fetching == id:
            return
        self._fetching = id
        self._work.put(lambda: self._read(id))

    # -- the thread ----------------------------------------------------------------------------

    def _see_to_it(self) -> None:
        """Do what is to be done, and look again every now and then."""
        pause = _EVERY_SECONDS
        while True:
            try:
                work = self._work.get(timeout=pause)
            except Empty:
                work = self._refresh
            if work is None:
                return
            began = time.monotonic()
            try:
                work()
            except KeyboardInterrupt:  # out of `Backend.stop`
                return
            except (LostError, UnreachableError, ToolError) as error:
                self._note(str(error), alarm=True)
            pause = max(_EVERY_SECONDS, _SHARE * (time.monotonic() - began))

    def _note(self, line: str, *, alarm: bool = False) -> None:
        self._tell(lambda: self._state.tell(line, alarm=alarm))

    def _tell(self, what: Callable[[], None]) -> None:
        """Have it done by the screen's thread, and drawn."""
        loop = self._app.loop
        if loop is None or self._state.leaving:
            return

        def done() -> None:
            what()
            self._app.invalidate()

        with suppress(RuntimeError):  # the screen has gone in this moment
            loop.call_soon_threadsafe(done)

    def look(self) -> list[Held]:
        """What there is to list now."""
        state = self._state
        return [held for page in self._pending.pages(state.wanted, state.limit) for held in page]

    def _refresh(self) -> None:
        total, loaded = self._pending.summary().total, self.look()
        self._tell(lambda: self._state.take(total, loaded))

    def _read(self, id: bytes) -> None:
        if self._fetching != id:
            return  # the cursor is elsewhere by now
        try:
            payload = self._pending.payloads([id])[0]
        finally:
            self._fetching = None

        def take() -> None:
            while len(self._payloads) >= _PAYLOADS_KEPT:
                del self._payloads[next(iter(self._payloads))]
            self._payloads[id] = payload

        self._tell(take)

    def _carry_out(self, wish: Wish) -> None:
        state, pending = self._state, self._pending
        to = wish.to.encode("utf-8", "surrogateescape")
        deed = Deed(wish.name, pending.stream, pending.group, to, reason=b"chosen by hand")
        of = so_many(len(wish.helds))
        what = f"{PAST[wish.name]} {{:,}} of {of} ..."

        def at(done: int) -> None:
            self._tell(lambda: state.tell(what.format(done)))

        at(0)
        seen = 0
        try:
            if wish.name == DEAD_LETTER and to == pending.stream:
                raise ToolError("that is the stream itself; r puts a copy at its end")
            tally = act(
                doer(deed, pending.backend, not_atomic=self._not_atomic).do, [wish.helds], lambda: state.stop, at
            )
            seen, text, wrong = tally.seen, _told(wish, tally), tally.refusal is not None or tally.seen > tally.done
        except (LostError, UnreachableError, ToolError) as error:
            text, wrong = str(error), True
        if state.leaving:
            self.unsaid = text
            return
        self._tell(lambda: state.finish(wish.helds[:seen], text, alarm=wrong))
        self._refresh()


def _told(wish: Wish, tally: Tally) -> str:
    """What became of it."""
    text = f"{PAST[wish.name]} {so_many(tally.done)}{tally.rest_text()}"
    if tally.stopped:
        text += "; stopped"
    return f"{text}; {tally.refusal}" if tally.refusal is not None else text
