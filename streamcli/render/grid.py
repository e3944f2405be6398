"""Rows under a header, in columns: laid out by the first of them, then written as they come.

Memory is bounded: widths come from the first rows, LOOKED_AT of them or a
megabyte. What is wider later sticks out, or is cut on a terminal. There,
columns that do not fit are made narrower, those of numbers and IDs excepted, and in
the end left out from the right, which a `…` behind the header says. A column is
padded to _WIDEST at most, so that one long value does not blow up all rows.

Does not know replies: cells are text that is safe to look at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from streamcli.text import clipped, columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from streamcli.render import Options

    Row = list[str] | str  # a str is no row, but a line for itself

LOOKED_AT: Final = 100
_LOOKED_AT_BYTES: Final = 1 << 20
_GAP: Final = "  "
_WIDEST: Final = 64
_NARROWEST: Final = 8
_RESET: Final = "\x1b[0m"
_HEAD, _RULE, _FIRST = "\x1b[36m", "\x1b[2m", "\x1b[1m"
_NUMERIC: Final = frozenset("0123456789.,+-%")

T = TypeVar("T")


class Aside(str):
    """A cell that is not data: `(nil)`, `unknown`. Dimmed."""

    __slots__ = ()
    paint = "\x1b[2m"


class Alarm(str):
    """A cell that should catch the eye."""

    __slots__ = ()
    paint = "\x1b[31m"


class Either(str):
    """A cell that has a `short` form, for where the row is too long."""

    __slots__ = ("short",)
    short: str

    def __new__(cls, text: str, short: str) -> Either:
        cell = super().__new__(cls, text)
        cell.short = short
        return cell


class Head(NamedTuple):
    """`key`: rows go by this name; `right`: None is found out from the cells; `rigid`: of no use when it is cut."""

    name: str
    key: bool = False
    right: bool | None = None
    rigid: bool = False


def lines(
    items: Iterable[T],
    head_of: Callable[[list[T]], list[Head]],
    row_of: Callable[[T], Row],
    options: Options,
    *,
    weight: Callable[[T], int] | None = None,
    looked_at: int = LOOKED_AT,
) -> Iterator[str]:
    """A header, a rule, and a line for each item; `head_of` is given the items that the layout is made by.

    When the items stop coming with an error, what has come is drawn before it is raised.
    """
    source = iter(items)
    first, fault = _begin(source, weight, looked_at)
    heads = head_of(first)
    rows = [row_of(item) for item in first]
    grid = _Grid(heads, rows, options)
    yield from grid.header()
    for row in rows:
        yield grid.line(row)
    if fault is not None:
        raise fault
    for item in source:
        yield grid.line(row_of(item))


def _begin(source: Iterator[T], weight: Callable[[T], int] | None, looked_at: int) -> tuple[list[T], Exception | None]:
    """The items to look at, and what ended them too soon."""
    first: list[T] = []
    size = 0
    try:
        for item in source:
            first.append(item)
            size += weight(item) if weight is not None else 0
            if len(first) >= looked_at or size > _LOOKED_AT_BYTES:
                break
    except Exception as fault:
        return first, fault
    return first, None


def is_number(text: str) -> bool:
    """Does it look like a number, with a unit or without? For what stands right in its column."""
    return bool(text) and _NUMERIC.issuperset(text) and text.strip(".,+-%") != ""


class _Grid:
    """The layout: a width and a side for each column that is shown."""

    def __init__(self, heads: list[Head], rows: Sequence[Row], options: Options) -> None:
        self._options = options
        self._heads = heads
        self._more = "…" if options.unicode else "..."
        self._cut = options.width if options.terminal and options.width else None
        full = [row for row in rows if not isinstance(row, str)]
        self._right = [
            head.right if head.right is not None else _is_numeric([row[at] for row in full])
            for at, head in enumerate(heads)
        ]
        self._short = [False] * len(heads)
        self._widths = self._measured(full)
        self._shown = len(heads)
        if self._cut is not None:
            self._fit(full, self._cut)

    def _measured(self, rows: list[list[str]]) -> list[int]:
        most = self._cut or _WIDEST
        return [
            min(most, max([columns(head.name), *(columns(self._text(row[at], at)) for row in rows)]))
            for at, head in enumerate(self._heads)
        ]

    def _text(self, cell: str, at: int) -> str:
        return cell.short if self._short[at] and isinstance(cell, Either) else cell

    # -- fitting a terminal ----------------------------------------------------------------

    def _fit(self, rows: list[list[str]], width: int) -> None:
        if self._total() > width and any(isinstance(cell, Either) for row in rows for cell in row):
            self._short = [True] * len(self._heads)
            self._widths = self._measured(rows)
        whole = self._widths
        for self._shown in range(len(whole), 0, -1):
            self._widths = list(whole)
            self._narrow(width)
            if self._total() <= width:
                break
        if self._shown == 1:
            self._widths[0] = max(1, min(self._widths[0], width - (len(self._heads) > 1) * (1 + len(self._more))))

    def _total(self) -> int:
        left_out = self._shown < len(self._heads)
        return sum(self._widths[: self._shown]) + len(_GAP) * (self._shown - 1) + left_out * (1 + len(self._more))

    def _narrow(self, width: int) -> None:
        """Make the widest columns of text as narrow as is needed, all of them alike."""
        texts = [at for at in range(self._shown) if not self._right[at] and not self._heads[at].rigid]
        over = self._total() - width
        most = max([self._widths[at] for at in texts], default=0)
        while over > 0 and most > _NARROWEST:
            most -= 1
            for at in texts:
                if self._widths[at] > most:
                    self._widths[at] = most
                    over -= 1

    # -- lines -------------------------------------------------------------------------------

    def header(self) -> Iterator[str]:
        """The names, and a rule below them; nothing where there are no columns."""
        if not self._heads:
            return
        yield self._joined([head.name for head in self._heads], _HEAD, self._shown < len(self._heads))
        rule = ("─" if self._options.unicode else "-") * max(self._widths)
        yield self._painted(_GAP.join([rule[:width] for width in self._widths[: self._shown]]), _RULE)

    def line(self, row: Row) -> str:
        if isinstance(row, str):
            return clipped(row, self._cut, self._more) if self._cut else row
        return self._joined(row, "", left_out=False)

    def _joined(self, row: Sequence[str], paint: str, left_out: bool) -> str:
        cells = [self._cell(row[at], at, paint) for at in range(self._shown)]
        line = _GAP.join(cells).rstrip()
        behind = row[len(self._heads) :]
        if behind and self._shown == len(self._heads):
            line = self._with_more(line, sum(self._widths) + len(_GAP) * len(self._widths), behind)
        return line + (" " + self._painted(self._more, _RULE) if left_out else "")

    def _with_more(self, line: str, at: int, cells: Sequence[str]) -> str:
        """What has no column stands behind the row."""
        text = _GAP.join(cells)
        if self._cut:
            text = clipped(text, self._cut - at, self._more)
        padding = " " * max(len(_GAP), at - columns(_without_colors(line) if self._options.color else line))
        return f"{line}{padding}{text}".rstrip()

    def _cell(self, cell: str, at: int, paint: str) -> str:
        text, width, right = self._text(cell, at), self._widths[at], self._right[at]
        own = len(text) if text.isascii() else columns(text)
        if own > width and self._cut and (self._shown == 1 or not (right or self._heads[at].rigid)):
            text = clipped(text, width, self._more)
            own = columns(text)
        if self._options.color:
            paint = paint or getattr(cell, "paint", "") or (_FIRST if self._heads[at].key else "")
            text = self._painted(text, paint)
        padding = " " * (width - own)
        return padding + text if right else text + padding

    def _painted(self, text: str, paint: str) -> str:
        return f"{paint}{text}{_RESET}" if paint and text and self._options.color else text


def _without_colors(line: str) -> str:
    import re

    return re.sub(r"\x1b\[[0-9;]*m", "", line)


def _is_numeric(cells: list[str]) -> bool:
    seen = False
    for cell in cells:
        if cell and not isinstance(cell, Aside):
            if not is_number(cell):
                return False
            seen = True
    return seen
