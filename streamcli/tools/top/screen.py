"""The screen of `top`: keys change it, `lines` draws it; knows no terminal and no server.

A stack of pages, the last of which is shown; on it the row that is chosen, a
filter, a search, a menu. Keys are those of htop where htop has them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from streamcli.text import counted
from streamcli.times import date_text
from streamcli.tools.report import rate_text
from streamcli.tools.top.cells import Page, Section
from streamcli.tools.top.close import GroupRow
from streamcli.tools.top.model import Model
from streamcli.tools.top.pages import GroupsPage, StreamsPage
from streamcli.tools.top.paint import Look, Span, laid_out, line, padded
from streamcli.tools.top.poller import Focus

_Line: TypeAlias = tuple[Section, Any, int]
"""A line of a list: a heading has no row and the number -1, a row has its number."""

INTERVALS: Final = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
_QUIT, _BACK = ("q", "f10", "c-c"), ("escape", "left", "c-h")
_GUTTER: Final = 3  # the mark of the row that is chosen, the row's own, a blank
_HELP: Final = (
    "", "Arrows, PgUp, PgDn, Home, End   choose a row", "Enter   look closer: stream, group, consumer, entry",
    "Esc     back", "F3 /    search; again: the next one", "F4 \\    filter by name; Esc takes it away",
    "F5 Tab  streams or groups", "F6      choose what to sort by", "< >     sort by the column before, behind",
    "I       the other way round", "+ -     refresh less often, more often", "Space p pause", "F10 q   quit",
)  # fmt: skip
_LEGEND: Final = "falls behind: its lag grows", "catches up", "a rate is of the last 10 s"


class Screen:
    """What is shown, and what a key does to it. `interval`: seconds between two refreshes."""

    def __init__(self, model: Model, look: Look, interval: float, view: str = "streams") -> None:
        self.look, self.interval, self.paused = look, interval, False
        self.place = ""
        self.silent = 0.0  # for so many seconds there has been no answer
        self._model = model
        self._lists: dict[str, Page] = {"streams": StreamsPage(), "groups": GroupsPage()}
        self._pages: list[Page] = [self._lists[view]]
        self._cursors: list[_Cursor] = [_Cursor()]
        self._mode, self._text = "", ""  # "search", "filter", "sort", "help"; what was typed
        self._filter = self._sought = ""
        self._menu = 0
        self._sections: list[Section] = []
        self._totals = ""
        self._behind = 0
        self.refresh()

    # -- what is shown ---------------------------------------------------------------------------

    @property
    def page(self) -> Page:
        return self._pages[-1]

    def refresh(self) -> None:
        """Read the model again."""
        filter = self._filter.lower() if self.page.fixed else ""
        with self._model.lock:
            self._sections = self.page.sections(self._model, self.look, self.interval, filter)
            self._cursors[-1].settle(self._count(), self._id_at, self._ids)
            states = list(self._model.streams.values())
            groups, rate = self._model.group_count(), self._model.total_rate()
            self._behind = sum([group.falls_behind for state in states for group in state.groups.values()])
        self._totals = f"{counted(len(states), 'stream')}  {counted(groups, 'group')}  {rate_text(rate)}"

    def _count(self) -> int:
        return sum([len(section.rows) for section in self._sections])

    def _row_at(self, at: int) -> tuple[Section, Any] | None:
        for section in self._sections:
            if at < len(section.rows):
                return section, section.rows[at]
            at -= len(section.rows)
        return None

    def _id_at(self, at: int) -> object:
        found = self._row_at(at)
        return None if found is None else found[0].id_of(found[1])

    def _ids(self) -> list[object]:
        return [section.id_of(row) for section in self._sections for row in section.rows]

    def focus(self) -> Focus:
        """What is to be asked for: the rows on the screen, and the page's own subject."""
        streams: list[bytes] = []
        groups: list[tuple[bytes, bytes]] = []
        subject = self.page.subject
        if subject is not None:
            streams.append(subject.stream)
        with self._model.lock:
            window = self._window()
        for section, row, _ in window:
            if row is None or section.id_of(row) is None:
                continue
            if isinstance(row, GroupRow):
                groups.append(row.name)
            elif self.page.fixed:
                streams.append(row.name)
        return Focus(tuple(streams), tuple(groups), subject)

    def _space(self) -> int:
        """Lines between what stands at the top and the keys."""
        info = len(self.page.info(self._model, self.look, self.interval))
        return max(1, self.look.lines - 3 - info)

    def _window(self) -> Sequence[_Line]:
        """The lines of the list that are on the screen, so that the chosen one is among them."""
        space = max(1, self._space() - self.page.fixed)
        cursor = self._cursors[-1]
        if self.page.fixed:
            section = self._sections[0]
            cursor.show(cursor.at, cursor.at, len(section.rows), space)
            rows = section.rows[cursor.top : cursor.top + space]
            return [(section, row, cursor.top + at) for at, row in enumerate(rows)]
        lines = self._with_headings()
        chosen = next((at for at, (_, _, number) in enumerate(lines) if number == cursor.at), 0)
        above = chosen - (chosen > 0 and lines[chosen - 1][2] < 0)  # its heading with it
        cursor.show(above, chosen, len(lines), space)
        return lines[cursor.top : cursor.top + space]

    def _with_headings(self) -> list[_Line]:
        lines: list[_Line] = []
        number = 0
        for section in self._sections:
            lines.append((section, None, -1))
            for row in section.rows:
                lines.append((section, row, number))
                number += 1
        return lines

    # -- drawing ---------------------------------------------------------------------------------

    def lines(self) -> list[str]:
        """Each no wider than the screen, and no more than it has."""
        with self._model.lock:
            return self._drawn()

    def _drawn(self) -> list[str]:
        look = self.look
        if self._mode == "help":
            return self._help()
        top = [self._head(), self._status(), *(line(spans, look) for spans in self._info())]
        window = self._window()
        body: list[str] = []
        if self.page.fixed:
            body.append(self._heading(self._sections[0]))
        for section, row, number in window:
            body.append(self._heading(section) if row is None else self._row(section, row, number))
        if not window:
            body.append(line([("dim", "  " + self._nothing())], look))
        if self._mode == "sort":
            body = self._menu_over(body)
        space = max(0, look.lines - len(top) - 1)
        body = (body + [""] * space)[:space]
        return [*top, *body, self._foot()][: look.lines]

    def _info(self) -> list[list[Span]]:
        return self.page.info(self._model, self.look, self.interval)

    def _nothing(self) -> str:
        if self._filter and self.page.fixed:
            return f"nothing matches {self._filter}"
        if self._model.trouble is not None or not self.page.fixed:
            return ""
        return f"no {self.page.title(self.look)}" if self._model.scanned and not self._model.unloaded else "..."

    def _head(self) -> str:
        look = self.look
        left = f"top  {look.said(self.place)}"
        right = date_text(self._model.now_ms)
        if self._model.trouble is not None:
            return line([("", f"! {look.said(self._model.trouble)}; trying again")], look, "trouble")
        if self.silent:
            return line([("", f"! no answer from {look.said(self.place)} for {self.silent:.0f}s")], look, "trouble")
        if len(left) + len(right) + 2 > look.columns:
            return line([("title", left)], look)
        return line([("title", padded(left, look.columns - len(right), look)), ("dim", right)], look)

    def _status(self) -> str:
        model, look = self._model, self.look
        if not self.page.fixed:
            spans: list[Span] = [("title", self.page.title(look))]
        else:
            spans = [("", self._totals)]
        if self._behind:
            spans.append(("alarm", f"  {'▲' if look.unicode else '!'} {self._behind:,} behind"))
        if self.paused:
            spans.append(("warn", "  PAUSED"))
        if model.back_at is not None:
            spans.append(("good", "  back again"))
        if model.unloaded:
            spans.append(("dim", f"  {model.unloaded:,} to look at"))
        if self._filter and self.page.fixed:
            spans.append(("warn", f"  filter: {self._filter}"))
        spans.append(("dim", f"  every {self.interval:g}s"))
        return line(spans, look)

    def _heading(self, section: Section) -> str:
        look = self.look
        page = self.page
        cells = []
        for field, width in laid_out(section.fields, look.columns - _GUTTER, self.page.sort):
            title = field.title
            if field.key and field.key == page.sort:
                down = (field.key != "name") != page.reverse
                title += ("▼" if down else "▲") if look.unicode else ("-" if down else "+")
            cells.append(padded(title, width, look, right=field.right))
        return line([("", "   " + "  ".join(cells))], look, "bar")

    def _row(self, section: Section, row: Any, number: int) -> str:
        look = self.look
        chosen = number == self._cursors[-1].at
        pointer = (">" if not look.unicode else "›") if chosen else " "
        spans: list[Span] = [("", pointer), section.mark(row, look), ("", " ")]
        for at, (field, width) in enumerate(laid_out(section.fields, look.columns - _GUTTER, self.page.sort)):
            style, text = field.cell(row, look)
            spans += [("", "  " if at else ""), (style, padded(text, width, look, right=field.right))]
        return line(spans, look, "chosen" if chosen else "")

    def _foot(self) -> str:
        look = self.look
        if self._mode in ("search", "filter"):
            return line([("label", f"{self._mode.capitalize()}: "), ("", f"{self._text}_")], look)
        other = "Groups" if isinstance(self.page, StreamsPage) else "Streams"
        keys = [("F1", "Help"), ("F3", "Search"), ("F4", "Filter"), ("F5", other), ("F6", "Sort"), ("F10", "Quit")]
        if not self.page.fixed:
            keys = [("F1", "Help"), ("Enter", "Closer"), ("Esc", "Back"), ("F3", "Search"), ("F10", "Quit")]
        spans: list[Span] = []
        for key, what in keys:
            spans += [("", key), ("label", f"{what} "), ("", " ")]
        return line(spans, look)

    def _menu_over(self, body: list[str]) -> list[str]:
        look = self.look
        menu = [line([("", " Sort by  ")], look._replace(columns=min(look.columns, 14)), "bar")]
        for at, name in enumerate(self.page.sorts):
            style = "chosen" if at == self._menu else ""
            pointer = ">" if at == self._menu else " "
            menu.append(line([("", f"{pointer} {name}")], look._replace(columns=min(look.columns, 14)), style))
        return menu

    def _help(self) -> list[str]:
        look = self.look
        marks = ("▲", "▼", " ") if look.unicode else ("!", "v", " ")
        lines = [line([("", " streamcli top: keys")], look, "bar")]
        lines += [line([("", f"  {text}")], look) for text in _HELP]
        lines += [
            "",
            *(line([("", f"  {mark}       {text}")], look) for mark, text in zip(marks, _LEGEND, strict=True)),
        ]
        lines += ["", line([("dim", "  Any key goes back.")], look)]
        return lines[: look.lines]

    # -- keys --------------------------------------------------------------------------------------

    def press(self, key: str) -> bool:
        """Do what the key says; False when it is to end."""
        with self._model.lock:
            return self._pressed(key)

    def _pressed(self, key: str) -> bool:
        if key == "c-c":
            return False
        if self._mode == "help":
            self._mode = ""
        elif self._mode in ("search", "filter"):
            self._typed(key)
        elif self._mode == "sort":
            self._choose(key)
        elif key in _QUIT:
            return False
        else:
            self._do(key)
        return True

    def _do(self, key: str) -> None:
        if self._move(key):
            return
        if key in ("c-m", "c-j", "right"):
            self._open()
        elif key in _BACK:
            self._leave()
        elif key in ("f1", "?", "h"):
            self._mode = "help"
        elif key in ("f3", "/"):
            self._search(key)
        elif key in ("f4", "\\") and self.page.fixed:
            self._mode, self._text = "filter", self._filter
        elif key in ("f5", "c-i"):
            self._switch()
        elif key == "f6" and self.page.sorts:
            self._mode, self._menu = "sort", self.page.sorts.index(self.page.sort)
        elif key in ("<", ">", "I"):
            self._sort(key)
        elif key in ("+", "=", "-"):
            self._pace(key)
        elif key in (" ", "p"):
            self.paused = not self.paused

    def _move(self, key: str) -> bool:
        cursor, count = self._cursors[-1], self._count()
        page = max(1, self._space() - 2)
        steps = {"up": -1, "k": -1, "down": 1, "j": 1, "pageup": -page, "pagedown": page}
        if key in steps:
            cursor.go(cursor.at + steps[key], count, self._id_at)
        elif key in ("home", "g"):
            cursor.go(0, count, self._id_at)
            cursor.id = None  # what comes first stays chosen, whatever that is
        elif key in ("end", "G"):
            cursor.go(count - 1, count, self._id_at)
        else:
            return False
        return True

    def _open(self) -> None:
        chosen = self._row_at(self._cursors[-1].at)
        page = chosen[0].open(chosen[1]) if chosen is not None else None
        if page is not None:
            self._pages.append(page)
            self._cursors.append(_Cursor())
            self.refresh()

    def _leave(self) -> None:
        """Back; in a list, the filter is taken away."""
        if len(self._pages) > 1:
            self._pages.pop()
            self._cursors.pop()
        else:
            self._filter = ""
        self.refresh()

    def _switch(self) -> None:
        other = "groups" if isinstance(self._pages[0], StreamsPage) else "streams"
        self._pages, self._cursors = [self._lists[other]], [_Cursor()]
        self.refresh()

    def _sort(self, key: str) -> None:
        page = self.page
        if not page.sorts:
            return
        if key == "I":
            page.reverse = not page.reverse
        else:
            step = 1 if key == ">" else -1
            page.sort = page.sorts[(page.sorts.index(page.sort) + step) % len(page.sorts)]
            page.reverse = False
        self.refresh()

    def _choose(self, key: str) -> None:
        sorts = self.page.sorts
        if key in ("up", "k"):
            self._menu = (self._menu - 1) % len(sorts)
        elif key in ("down", "j"):
            self._menu = (self._menu + 1) % len(sorts)
        elif key in ("c-m", "c-j"):
            self._mode = ""
            self.page.sort, self.page.reverse = sorts[self._menu], False
            self.refresh()
        elif key in ("escape", "q", "f6", "f10"):
            self._mode = ""

    def _pace(self, key: str) -> None:
        if key == "-":
            self.interval = max([each for each in INTERVALS if each < self.interval], default=self.interval)
        else:
            self.interval = min([each for each in INTERVALS if each > self.interval], default=self.interval)

    def _search(self, key: str) -> None:
        if key == "f3" and self._sought:
            self._find(self._cursors[-1].at + 1)
            return
        self._mode, self._text = "search", ""

    def _typed(self, key: str) -> None:
        if key == "escape":
            if self._mode == "filter":
                self._filter = ""
                self.refresh()
            self._mode = ""
            return
        if key in ("c-m", "c-j"):
            self._mode = ""
            return
        if self._mode == "search" and key == "f3":
            self._find(self._cursors[-1].at + 1)
            return
        if key == "c-h":
            self._text = self._text[:-1]
        elif key == "c-u":
            self._text = ""
        elif len(key) == 1 and key.isprintable():
            self._text += key
        else:
            return
        if self._mode == "filter":
            self._filter = self._text
            self.refresh()
        else:
            self._sought = self._text
            self._find(self._cursors[-1].at)

    def _find(self, begin: int) -> None:
        """Choose the next row that has what is sought in it; after the last comes the first."""
        sought = self._sought.lower()
        rows = [(section, row) for section in self._sections for row in section.rows]
        for step in range(len(rows)):
            at = (begin + step) % len(rows)
            section, row = rows[at]
            texts = [field.cell(row, self.look)[1] for field in section.fields if not field.right]
            if any(sought in text.lower() for text in texts):
                self._cursors[-1].go(at, len(rows), self._id_at)
                return


class _Cursor:
    """The chosen row: by what it is once somebody has chosen it, else by where it is. `top` is the first line shown."""

    def __init__(self) -> None:
        self.at = self.top = 0
        self.id: object = None

    def go(self, at: int, count: int, id_at: Callable[[int], object]) -> None:
        self.at = max(0, min(at, count - 1))
        self.id = id_at(self.at)

    def settle(self, count: int, id_at: Callable[[int], object], ids: Callable[[], list[object]]) -> None:
        """The rows have changed."""
        if self.id is not None and (self.at >= count or id_at(self.at) != self.id):
            try:
                self.at = ids().index(self.id)
            except ValueError:
                self.id = None
        self.at = max(0, min(self.at, count - 1))

    def show(self, first: int, last: int, count: int, space: int) -> None:
        """Move the top so that these lines, of `count`, are on the screen."""
        self.top = max(0, min(self.top, first, count - space))
        if last >= self.top + space:
            self.top = last - space + 1
