"""Lines of a screen: text with styles, cut and padded to the column. What comes in is already safe to look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from streamcli.text import clipped, columns, plain

Span: TypeAlias = tuple[str, str]
"""A style's name, and a text."""

_COLORS: Final = {
    "": "",
    "title": "\x1b[1m",
    "bar": "\x1b[30;42m",
    "chosen": "\x1b[30;46m",
    "label": "\x1b[30;46m",
    "alarm": "\x1b[1;31m",
    "warn": "\x1b[33m",
    "good": "\x1b[32m",
    "name": "\x1b[36m",
    "dim": "\x1b[2m",
    "trouble": "\x1b[1;37;41m",
}
_PLAIN: Final = {"bar": "\x1b[7m", "chosen": "\x1b[7m", "label": "\x1b[7m", "trouble": "\x1b[7m"}
_RESET: Final = "\x1b[0m"
_GAP: Final = 2


class Look(NamedTuple):
    """What the screen can, and how large it is. Without colour a bar is still inverse, and an alarm has its mark."""

    color: bool
    unicode: bool
    columns: int
    lines: int

    @property
    def more(self) -> str:
        return "…" if self.unicode else "~"

    def text(self, data: bytes) -> str:
        """A name or a value in one line that the screen can show."""
        shown = plain(data)
        return shown if self.unicode or shown.isascii() else shown.encode("ascii", "backslashreplace").decode()

    def said(self, text: str) -> str:
        """The same of what a server says: an error's text."""
        return self.text(text.encode("utf-8", "surrogateescape"))


class Field(NamedTuple):
    """A column. `width` 0 takes what is left, `least` at least; those of the greatest `rank` go first for want of room.

    `cell` gives a text and its style; `key` is the name to sort by, "" for none.
    """

    title: str
    width: int
    cell: Callable[[Any, Look], Span]
    right: bool = False
    rank: int = 0
    key: str = ""
    least: int = 12


def laid_out(fields: Sequence[Field], width: int, sort: str = "") -> list[tuple[Field, int]]:
    """The fields that there is room for, in their order, each with its width; the one to `sort` by goes last."""
    kept = list(fields)

    def least() -> int:
        return sum([(field.width or field.least) + _GAP for field in kept]) - _GAP

    while len(kept) > 1 and least() > width:
        kept.remove(max(reversed(kept), key=lambda field: 0 if sort and field.key == sort else field.rank))
    flexible = [field for field in kept if not field.width]
    fixed = sum([field.width for field in kept]) + _GAP * (len(kept) - 1)
    left = max(0, width - fixed)
    shares = [left // len(flexible) + (at < left % len(flexible)) for at in range(len(flexible))] if flexible else []
    given = iter(shares)
    return [(field, field.width or next(given)) for field in kept]


def padded(text: str, width: int, look: Look, *, right: bool = False) -> str:
    """The text in exactly so many columns."""
    own = len(text) if text.isascii() else columns(text)
    if own > width:
        text = clipped(text, width, look.more)
        own = columns(text)
    space = " " * (width - own)
    return space + text if right else text + space


def line(spans: Sequence[Span], look: Look, base: str = "") -> str:
    """The spans in one line, cut to the screen; with a `base` style all of it is in that, to the right edge."""
    left = look.columns
    pieces: list[str] = []
    for style, text in spans:
        if left <= 0:
            break
        shown = text if columns(text) <= left else clipped(text, left, look.more)
        left -= columns(shown)
        pieces.append(shown if base else painted(shown, style, look))
    if not base:
        return "".join(pieces)
    return painted("".join(pieces) + " " * max(0, left), base, look)


def painted(text: str, style: str, look: Look) -> str:
    code = (_COLORS if look.color else _PLAIN).get(style, "")
    return f"{code}{text}{_RESET}" if code and text else text
