"""`--template`: a line for each entry, with what stands in braces filled in.

    {time} {id} {stream} {city}: {temp:>6}

`{id}`, `{time}`, `{ms}`, `{stream}` and `{fields}` (all of them, as name="value")
are of the entry; any other name, and these in backticks, is a field: its
values, joined by ", " when it is repeated, nothing when it is missing. Behind a
colon stands an alignment (`<`, `>` or `^`), a width, and behind a dot how much
is shown at most. `{{` and `}}` are braces, `\\n`, `\\t` and `\\\\` what they are
elsewhere. Knows how values are made safe for a terminal; not where a line goes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple, TypeAlias

from streamcli.ids import StreamID
from streamcli.text import bare, clipped, columns, plain, quoted
from streamcli.times import date_text
from streamcli.tools.conditions import values_of
from streamcli.tools.pointing import PointedError

Piece: TypeAlias = "Callable[[bytes, StreamID, list[bytes]], str]"

LONGEST: Final = 4096
_OPTION: Final = "--template"
_WIDEST: Final = 1000
_WIDTH_DIGITS: Final = 4
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\"}
_ALIGNMENTS: Final = "<>^"


class _Layout(NamedTuple):
    alignment: str
    width: int
    most: int | None

    def of(self, text: str) -> str:
        """The text in its columns, as a terminal counts them."""
        if self.most is not None:
            text = clipped(text, self.most, "")
        missing = self.width - columns(text)
        if missing <= 0:
            return text
        left = {"<": 0, ">": missing, "^": missing // 2}[self.alignment]
        return " " * left + text + " " * (missing - left)


def compiled(source: str, *, terminal: bool) -> Piece:
    """What makes the line of an entry; with `terminal` nothing of the entry steers one. Raises PointedError."""
    if len(source) > LONGEST:
        raise PointedError(_OPTION, f"a template has {LONGEST} characters at most", source, LONGEST)
    pieces: list[Piece | str] = []
    text = ""
    at = 0
    while at < len(source):
        character = source[at]
        double = source[at + 1 : at + 2]
        if character in "{}" and double == character:
            text, at = text + character, at + 2
        elif character == "\\" and double in _ESCAPES and double:
            text, at = text + _ESCAPES[double], at + 2
        elif character == "{":
            piece, at = _piece(source, at, terminal)
            pieces += (text, piece)
            text = ""
        elif character == "}":
            raise PointedError(_OPTION, "this } closes nothing; a brace itself is }}", source, at)
        else:
            text, at = text + character, at + 1
    pieces.append(text)
    return _joined(pieces)


def _joined(pieces: list[Piece | str]) -> Piece:
    parts = [piece for piece in pieces if piece != ""]

    def line(stream: bytes, id: StreamID, fields: list[bytes]) -> str:
        return "".join([part if isinstance(part, str) else part(stream, id, fields) for part in parts])

    return line


def _piece(source: str, start: int, terminal: bool) -> tuple[Piece, int]:
    """What stands in the braces that open at `start`, and where they are closed."""
    at = start + 1
    if source[at : at + 1] == "`":
        end = source.find("`", at + 1)
        if end < 0:
            raise PointedError(_OPTION, "this name has no closing `", source, at)
        name, is_field, at = source[at + 1 : end], True, end + 1
    else:
        end = at
        while end < len(source) and source[end] not in ":{}`":
            end += 1
        name, is_field, at = source[at:end].strip(), False, end
        if not name:
            raise PointedError(_OPTION, "a name is wanted in the braces; a brace itself is {{", source, start)
    layout, at = _layout(source, at)
    if source[at : at + 1] != "}":
        what = "this { is not closed" if at >= len(source) else f"}} is wanted here, not {source[at]}"
        raise PointedError(_OPTION, what, source, start if at >= len(source) else at)
    show = plain if terminal else _as_it_is
    piece = _ABOUT_THE_ENTRY[name](show) if not is_field and name in _ABOUT_THE_ENTRY else _field(name, show)
    return (piece if layout is None else _laid_out(piece, layout)), at + 1


def _layout(source: str, at: int) -> tuple[_Layout | None, int]:
    """`:>8.3`: an alignment, a width, and the most that is shown; each may be left out."""
    if source[at : at + 1] != ":":
        return None, at
    at += 1
    alignment = "<"
    if source[at : at + 1] in tuple(_ALIGNMENTS):
        alignment, at = source[at], at + 1
    width, at = _number(source, at)
    most: int | None = None
    if source[at : at + 1] == ".":
        most, at = _number(source, at + 1)
    return _Layout(alignment, width, most), at


def _number(source: str, at: int) -> tuple[int, int]:
    start = at
    while at < len(source) and source[at] in "0123456789":
        at += 1
    if at - start > _WIDTH_DIGITS or int(source[start:at] or "0") > _WIDEST:
        raise PointedError(_OPTION, f"a width is {_WIDEST} at most", source, start)
    return int(source[start:at] or "0"), at


def _laid_out(piece: Piece, layout: _Layout) -> Piece:
    return lambda stream, at, fields: layout.of(piece(stream, at, fields))


# -- what may stand in braces -----------------------------------------------------------------

Show: TypeAlias = "Callable[[bytes], str]"


def _as_it_is(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def fields_text(fields: list[bytes]) -> str:
    """`city="Oslo" temp="31"`, whatever is in it."""
    return " ".join([f"{bare(fields[at])}={quoted(fields[at + 1])}" for at in range(0, len(fields), 2)])


def _field(name: str, show: Show) -> Piece:
    wanted = name.encode("utf-8", "surrogateescape")
    return lambda stream, at, fields: ", ".join([show(value) for value in values_of(fields, wanted)])


_ABOUT_THE_ENTRY: Final[dict[str, Callable[[Show], Piece]]] = {
    "id": lambda show: lambda stream, at, fields: str(at),
    "ms": lambda show: lambda stream, at, fields: str(at.ms),
    "time": lambda show: lambda stream, at, fields: date_text(at.ms),
    "stream": lambda show: lambda stream, at, fields: show(stream),
    "fields": lambda show: lambda stream, at, fields: fields_text(fields),
}
