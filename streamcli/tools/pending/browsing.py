"""The browser of pending entries, without a terminal: what it holds, and what a key does.

A key changes what is held, and may leave a `Wish`, which the screen sees to.
Knows neither a backend nor how anything is drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from streamcli.text import escaped
from streamcli.tools.entries import so_many
from streamcli.tools.job import span_ms
from streamcli.tools.pending.acting import PLAN
from streamcli.tools.pending.deeds import ACK, CLAIM, DEAD_LETTER, NACK, REQUEUE
from streamcli.tools.pending.held import Held, Wanted

LIST, PAYLOAD, HELP, QUESTION, INPUT = "list", "payload", "help", "question", "input"
FIRST_LIMIT: Final = 1000
SORTS: Final = ("id", "idle", "deliveries", "consumer")
DEEDS: Final = {"a": ACK, "c": CLAIM, "n": NACK, "r": REQUEUE, "d": DEAD_LETTER}
_FILTERS: Final = "words, consumer:NAME, idle:5m, deliveries:3"
_ASKED: Final = {CLAIM: "for consumer", DEAD_LETTER: "to stream"}


class Wish(NamedTuple):
    """A deed to be done to these, `to` a consumer or a stream."""

    name: str
    helds: list[Held]
    to: str = ""


class Browsing:
    """One browser. `page` is how many rows the list has on the screen."""

    def __init__(self, stream: bytes, group: bytes, wanted: Wanted, *, read_only: bool = False) -> None:
        self.stream, self.group, self.read_only = stream, group, read_only
        self.base = self.wanted = wanted
        self.limit = FIRST_LIMIT
        self.total: int | None = None
        self.loaded: list[Held] = []
        self.rows: list[Held] = []
        self.marked: dict[bytes, Held] = {}
        self.cursor = self.top = 0
        self.page = 1
        self.sort, self.reverse = SORTS[0], False
        self.filter = self.words = ""
        self.mode = LIST
        self.pane = False
        self.scroll = 0
        self.message, self.alarm = "", False
        self.busy = self.leaving = self.stop = False
        self.question = self.typed = ""
        self.wish: Wish | None = None
        self._offered: Wish | None = None  # what a question is about
        self.changed = False  # the filters or the limit: look again now
        self._asked: Callable[[str], None] = self._filtered

    # -- what is held -----------------------------------------------------------------------

    def take(self, total: int, loaded: list[Held]) -> None:
        """What is pending now; the cursor stays at its entry, or where that was."""
        self.total, self.loaded = total, loaded
        there = {held.id: held for held in loaded}
        if not self.has_more:  # all of them are known
            self.marked = {id: there[id] for id in self.marked if id in there}
        else:
            self.marked = {id: there.get(id, held) for id, held in self.marked.items()}
        self.arrange()

    def arrange(self) -> None:
        """Put the rows in their order again."""
        at = self.current
        words = self.words.lower().split()
        rows = [held for held in self.loaded if _matches(held, words)] if words else list(self.loaded)
        if self.sort == "idle":
            rows.sort(key=lambda held: held.idle_ms, reverse=not self.reverse)
        elif self.sort == "deliveries":
            rows.sort(key=lambda held: held.deliveries, reverse=not self.reverse)
        elif self.sort == "consumer":
            rows.sort(key=lambda held: held.consumer, reverse=self.reverse)
        elif self.reverse:
            rows.reverse()
        self.rows = rows
        if at is not None and self.current != at:
            places = [number for number, held in enumerate(rows) if held.id == at.id]
            self.cursor = places[0] if places else self.cursor
        self._keep_inside()

    @property
    def current(self) -> Held | None:
        """The entry that the cursor is at."""
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    @property
    def has_more(self) -> bool:
        """May there be more than was loaded? Going down behind the last row loads it."""
        return len(self.loaded) >= self.limit

    @property
    def shows_payload(self) -> bool:
        return self.pane or self.mode == PAYLOAD

    def resized(self, page: int) -> None:
        """The list has so many rows on the screen."""
        self.page = max(1, page)
        self._keep_inside()

    def _keep_inside(self) -> None:
        self.cursor = max(0, min(self.cursor, len(self.rows) - 1))
        self.top = max(0, min(self.top, self.cursor, len(self.rows) - 1), self.cursor - self.page + 1)

    def finish(self, helds: list[Held], message: str, *, alarm: bool) -> None:
        """A deed has come to its end; these were dealt with."""
        self.busy = False
        for held in helds:
            self.marked.pop(held.id, None)
        self.tell(message, alarm=alarm)

    def tell(self, message: str, *, alarm: bool = False) -> None:
        self.message, self.alarm = message, alarm

    # -- keys --------------------------------------------------------------------------------

    def key(self, key: str) -> None:
        """A key by its name (`up`, `pageup`, `space`, `enter`, `escape`, `c-c`), or the character that it types."""
        if key == "c-c" and self.mode not in (INPUT, QUESTION):
            key = "escape" if self.busy or self.mode != LIST else "q"
        if self.mode == INPUT:
            self._type(key)
        elif self.mode == QUESTION:
            self._answer(key)
        elif self.mode == HELP:
            self.mode = LIST
        elif self.mode == PAYLOAD:
            self._look(key)
        else:
            self._list(key)

    def paste(self, text: str) -> None:
        if self.mode == INPUT:
            self.typed += "".join(character for character in text if character.isprintable())

    def _list(self, key: str) -> None:
        moves = {
            "up": -1, "k": -1, "down": 1, "j": 1, "pageup": -self.page, "pagedown": self.page,
            "home": -len(self.rows), "end": len(self.rows),
        }  # fmt: skip
        if key in moves:
            self._move(moves[key])
        elif key == "escape" and self.busy:
            self.stop = True
        elif key in ("q", "escape"):
            if key == "escape" and (self.pane or self.filter):
                self._less()
            else:
                self.leaving = self.stop = True
        elif key in ("space", "insert"):
            self._mark()
        elif key == "*":
            self.marked |= {held.id: held for held in self.rows}
        elif key == "u":
            self.marked.clear()
        elif key in ("s", "S"):
            self._sort(1 if key == "s" else -1)
        elif key == "I":
            self.reverse = not self.reverse
            self.arrange()
        elif key == "/":
            self._ask(f"show only ({_FILTERS})", self.filter, self._filtered)
        elif key == "enter" and self.current is not None:
            self.mode, self.pane, self.scroll = (PAYLOAD, False, 0) if self.pane else (LIST, True, 0)
        elif key in ("?", "h", "f1"):
            self.mode = HELP
        elif key in DEEDS:
            self._deed(DEEDS[key])

    def _less(self) -> None:
        """Escape takes back one thing at a time before it leaves."""
        if self.pane:
            self.pane = False
        else:
            self._filtered("")

    def _move(self, by: int) -> None:
        at_end = self.cursor >= len(self.rows) - 1
        if by > 0 and at_end and self.has_more:
            self.limit += FIRST_LIMIT
            self.changed = True
        self.cursor += by
        self._keep_inside()

    def _mark(self) -> None:
        held = self.current
        if held is None:
            return
        if self.marked.pop(held.id, None) is None:
            self.marked[held.id] = held
        self._move(1)

    def _sort(self, by: int) -> None:
        self.sort, self.reverse = SORTS[(SORTS.index(self.sort) + by) % len(SORTS)], False
        self.arrange()
        self.cursor = 0
        self._keep_inside()

    def _look(self, key: str) -> None:
        steps = {"up": -1, "k": -1, "down": 1, "j": 1, "pageup": -10, "pagedown": 10, "space": 10, "home": -(10**9)}
        if key in steps:
            self.scroll = max(0, self.scroll + steps[key])
        elif key == "end":
            self.scroll = 10**9  # whoever draws knows how far that is
        elif key in ("q", "escape", "enter"):
            self.mode = LIST

    # -- questions -----------------------------------------------------------------------------

    @property
    def targets(self) -> list[Held]:
        """What a deed is for: what is marked, or else the entry at the cursor."""
        if self.marked:
            return list(self.marked.values())
        return [self.current] if self.current is not None else []

    def _deed(self, name: str) -> None:
        helds = self.targets
        if self.read_only:
            self.tell("this session is read-only", alarm=True)
        elif self.busy:
            self.tell("something is under way; Esc stops it", alarm=True)
        elif helds and name in _ASKED:
            before = f"{escaped(self.stream)}:dead" if name == DEAD_LETTER else ""
            text = f"{PLAN[name]} {so_many(len(helds))} {_ASKED[name]}"
            self._ask(text, before, lambda to: self._wished(Wish(name, helds, to)))
        elif helds:
            self.mode, self.question = QUESTION, f"{PLAN[name].capitalize()} {so_many(len(helds))}?"
            self._offered = Wish(name, helds)

    def _wished(self, wish: Wish) -> None:
        if wish.to:
            self.wish = wish
        else:
            self.tell("nothing was changed")

    def _answer(self, key: str) -> None:
        self.mode = LIST
        if key in ("y", "Y"):
            self.wish = self._offered
        else:
            self.tell("nothing was changed")

    def _ask(self, question: str, typed: str, then: Callable[[str], None]) -> None:
        self.mode, self.question, self.typed, self._asked = INPUT, question, typed, then

    def _type(self, key: str) -> None:
        if key == "enter":
            self.mode = LIST
            self._asked(self.typed.strip())
        elif key in ("escape", "c-c"):
            self.mode = LIST
        elif key == "backspace":
            self.typed = self.typed[:-1]
        elif key == "c-u":
            self.typed = ""
        elif key == "c-w":
            self.typed = self.typed.rstrip().rpartition(" ")[0]
        elif key == "space":
            self.typed += " "
        elif len(key) == 1 and key.isprintable():
            self.typed += key

    def _filtered(self, text: str) -> None:
        """Take a filter as it was typed; what the server can filter by is asked of it."""
        wanted, words = self.base, []
        for word in text.split():
            name, colon, value = word.partition(":")
            idle_ms = span_ms(value) if name == "idle" and colon else None
            if name == "consumer" and colon:
                wanted = wanted._replace(consumer=value.encode("utf-8", "surrogateescape"))
            elif idle_ms is not None:
                wanted = wanted._replace(idle_ms=idle_ms)
            elif name == "deliveries" and value.isascii() and value.isdigit() and len(value) < 10:
                wanted = wanted._replace(deliveries=int(value))
            elif colon and name in ("idle", "deliveries"):
                self.tell(f"{word}? It is idle:5m, deliveries:3", alarm=True)
                return
            else:
                words.append(word)
        self.filter, self.words = text, " ".join(words)
        self.changed = self.changed or wanted != self.wanted
        self.wanted = wanted
        self.message = ""
        self.cursor = self.top = 0
        self.arrange()


def _matches(held: Held, words: list[str]) -> bool:
    text = f"{held.id.decode()} {escaped(held.consumer)}".lower()
    return all(word in text for word in words)
