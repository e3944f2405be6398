"""The browser as lines of so many columns: fragments of a style and a text. Draws what `Browsing` holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final, TypeAlias

from streamcli.text import bare, columns, escaped
from streamcli.times import id_date, span_text
from streamcli.tools.pending.browsing import HELP, INPUT, PAYLOAD, QUESTION, Browsing
from streamcli.tools.pending.held import RELEASED, Held
from streamcli.tools.pending.listing import DELETED

Line: TypeAlias = list[tuple[str, str]]

STYLES: Final = {
    "title": "bold reverse",
    "head": "bold underline",
    "sorted": "bold underline ansicyan",
    "cursor": "reverse",
    "marked": "bold ansiyellow",
    "marked-cursor": "bold reverse ansiyellow",
    "often": "bold ansired",
    "dim": "ansibrightblack",
    "name": "ansicyan",
    "key": "bold",
    "message": "bold",
    "alarm": "bold ansired",
}
_OFTEN: Final = 5  # deliveries that catch the eye
_KEYS: Final = (
    ("?", "help"), ("q", "leave"), ("Space", "mark"), ("a", "ack"), ("c", "claim"), ("n", "nack"), ("r", "requeue"),
    ("d", "dead-letter"), ("/", "filter"), ("s", "sort"), ("Enter", "payload"),
)  # fmt: skip
_HELP: Final = (
    ("Up Down PgUp PgDn Home End", "move; j and k, too"),
    ("Space", "mark the entry, and go on to the next"),
    ("*  u", "mark all that are listed; mark none"),
    ("a", "ack: acknowledge"),
    ("c", "claim for another consumer"),
    ("n", "nack: release, for anybody to claim (Redis 8.8)"),
    ("r", "requeue: a copy at the end of the stream, then ack"),
    ("d", "dead-letter: a copy in another stream, then ack"),
    ("", "each asks first, and is for what is marked,"),
    ("", "or for the entry at the cursor"),
    ("/", "filter: words of IDs and consumers, and"),
    ("", "consumer:NAME  idle:5m  deliveries:3"),
    ("s S I", "sort by the next column, the one before; invert"),
    ("Enter", "the entry's payload; twice: on the whole screen"),
    ("Esc", "one step back; stops what is under way"),
    ("q  Ctrl-C", "leave"),
)
_LEAST_PANE: Final = 4
_NAME_MOST, _VALUE_MOST = 200, 64 * 1024  # bytes that are shown
_LINES_MOST: Final = 5000  # of a payload


class Look:
    """What a drawing needs to know of the terminal, and of the payload of the entry at the cursor.

    `payload`: its names and values; None when it is deleted, False as long as it has not come.
    """

    def __init__(self, width: int, height: int, *, unicode: bool, payload: list[bytes] | bool | None = False) -> None:
        self.width, self.height, self.unicode, self.payload = max(1, width), max(1, height), unicode, payload


def draw(state: Browsing, look: Look) -> list[Line]:
    """`look.height` lines; tells the state how many rows its list has."""
    if state.mode == HELP:
        body = _help()
        state.resized(look.height - 3)
    elif state.mode == PAYLOAD:
        body = _scrolled(state, look, list(islice(_payload(state, look), _LINES_MOST)))
    else:
        body = _listed(state, look)
    body = body[: max(0, look.height - 3)]
    body += [[] for _ in range(look.height - 3 - len(body))]
    lines = [_title(state), *body, _message(state, look), _keys(state)]
    return [_fitted(line, look.width) for line in lines[: look.height]]


def _title(state: Browsing) -> Line:
    total = "..." if state.total is None else f"{state.total:,} pending"
    parts = [f" {bare(state.stream)}  {bare(state.group)}  {total}"]
    if state.marked:
        parts.append(f"{len(state.marked):,} marked")
    first = f"the first {len(state.loaded):,}"
    if len(state.rows) < len(state.loaded):
        parts.append(f"{len(state.rows):,}{f' of {first}' if state.has_more else ''} listed")
    elif state.has_more and len(state.loaded) != state.total:
        parts.append(first)
    elif len(state.rows) != state.total:
        parts.append(f"{len(state.rows):,} listed")
    if state.filter:
        parts.append(f"only {_plain(state.filter)}")
    return [("title", "  ".join(parts)), ("title", " " * 500)]


def _listed(state: Browsing, look: Look) -> list[Line]:
    room = look.height - 3
    pane: list[Line] = []
    if state.pane and room >= 2 * _LEAST_PANE:
        height = max(_LEAST_PANE, room // 2)
        pane = [[("dim", ("─" if look.unicode else "-") * look.width)]]
        pane += _cut(list(islice(_payload(state, look), _LINES_MOST)), height - 1)
        pane += [[] for _ in range(height - len(pane))]
        room -= height
    state.resized(room - 1)
    rows = state.rows[state.top : state.top + state.page]
    widths = _widths(rows, look.width)
    lines = [_heads(state, look, widths)]
    for number, held in enumerate(rows, state.top):
        lines.append(_row(state, held, widths, look.width, at_cursor=number == state.cursor))
    if not rows:
        why = "looking ..." if state.total is None else "nothing is pending" if not state.filter else "nothing like it"
        lines.append([("dim", f"  {why}")])
    lines += [[] for _ in range(room - len(lines))]
    return lines[:room] + pane


def _widths(rows: Sequence[Held], width: int) -> tuple[int, int, int, int]:
    """Of ID, consumer, idle, deliveries; the consumer gets what is left."""
    id = max([15, *(len(held.id) for held in rows)])
    idle, deliveries = (8, 11) if width >= 60 else (6, 4)
    longest = max([9, *(columns(_consumer(held)) for held in rows)])
    return id, max(4, min(longest, width - id - idle - deliveries - 9)), idle, deliveries


def _heads(state: Browsing, look: Look, widths: tuple[int, int, int, int]) -> Line:
    up, down = ("▲", "▼") if look.unicode else ("^", "v")
    id, consumer, idle, deliveries = widths
    line: Line = [("head", "  ")]
    for name, width, right in (
        ("id", id, False), ("consumer", consumer, False), ("idle", idle, True), ("deliveries", deliveries, True)
    ):  # fmt: skip
        text, style = name[: width - 1], "head"
        if name == state.sort:
            falls = state.reverse == (name in ("id", "consumer"))
            text, style = text + (down if falls else up), "sorted"
        line += [(style, _padded(text, width, right=right)), ("head", "  ")]
    return [*line, ("head", " " * look.width)]


def _row(state: Browsing, held: Held, widths: tuple[int, int, int, int], width: int, *, at_cursor: bool) -> Line:
    id, consumer, idle, deliveries = widths
    marked = held.id in state.marked
    style = "marked" * marked + "-" * (marked and at_cursor) + "cursor" * at_cursor
    often = "often" if held.deliveries >= _OFTEN and not style else style
    count = f"{held.deliveries:,}" if held.deliveries < 10**9 else ">=10^9"
    return [
        (style, "* " if marked else "  "),
        (style, _padded(held.id.decode(), id)),
        (style, "  "),
        (style or ("dim" if held.is_released else ""), _padded(_consumer(held), consumer)),
        (style, "  "),
        (style, _padded("" if held.is_released else _span(held.idle_ms), idle, right=True)),
        (style, "  "),
        (often, _padded(count, deliveries, right=True)),
        (style, " " * width if at_cursor else ""),
    ]


def _consumer(held: Held) -> str:
    return RELEASED if held.is_released else bare(held.consumer[:_NAME_MOST])


def _span(ms: int) -> str:
    return span_text(ms) or f"{ms}ms"


def _payload(state: Browsing, look: Look) -> Iterator[Line]:
    """The entry at the cursor, a field a line, wrapped."""
    held = state.current
    if held is None:
        return
    date = id_date(held.id)
    yield [("key", held.id.decode()), ("dim", f"  {date}" if date else "")]
    if held.is_released:
        yield [("dim", f"released, delivered {held.deliveries:,} times")]
    else:
        times = "once" if held.deliveries == 1 else f"{held.deliveries:,} times"
        yield [("", f"held by {_consumer(held)} for {_span(held.idle_ms)}, delivered {times}")]
    fields = look.payload
    if fields is False:
        yield [("dim", "reading ...")]
    elif fields is None or fields is True:
        yield [("alarm", DELETED), ("", " from the stream: it can be acknowledged, and no more")]
    else:
        names = [bare(name[:_NAME_MOST]) for name in fields[::2]]
        indent = min(max(map(columns, names), default=0) + 2, max(3, look.width // 3))
        for name, value in zip(names, fields[1::2], strict=False):
            more = len(value) - _VALUE_MOST
            after = f" ... and {more:,} bytes more" if more > 0 else ""
            yield from _field(_padded(name, indent - 2), escaped(value[:_VALUE_MOST]) + after, look.width - indent)


def _field(name: str, value: str, room: int) -> Iterator[Line]:
    """`name  value`, going on in the next line."""
    room = max(2, room)  # a wide character takes two
    first = _begun(value, room)
    yield [("name", f"{name}  "), ("", first)]
    at, indent = len(first), " " * (columns(name) + 2)
    while at < len(value):
        part = _begun(value[at : at + 4 * room], room)
        yield [("", indent + part)]
        at += len(part)


def _cut(lines: list[Line], room: int) -> list[Line]:
    if len(lines) <= room:
        return lines
    return [*lines[: room - 1], [("dim", f"{len(lines) - room + 1:,} more lines: Enter shows all")]]


def _scrolled(state: Browsing, look: Look, lines: list[Line]) -> list[Line]:
    state.scroll = max(0, min(state.scroll, len(lines) - (look.height - 3)))
    return lines[state.scroll :]


def _help() -> list[Line]:
    return [[("", " "), ("key", f"{keys:13}" if len(keys) < 14 else f"{keys}  "), ("", what)] for keys, what in _HELP]


def _message(state: Browsing, look: Look) -> Line:
    if state.mode == QUESTION:
        return [("message", f" {state.question} "), ("key", "y"), ("", " yes  "), ("key", "n"), ("", " no")]
    if state.mode == INPUT:
        typed = _plain(state.typed)
        room = max(8, look.width - columns(state.question) - 4)
        return [("message", f" {state.question}: "), ("", typed[-room:]), ("cursor", " ")]
    return [("alarm" if state.alarm else "message", f" {_plain(state.message)}")] if state.message else []


def _keys(state: Browsing) -> Line:
    if state.mode == INPUT:
        keys: Sequence[tuple[str, str]] = (("Enter", "do it"), ("Esc", "back"))
    elif state.mode == QUESTION:
        keys = (("y", "do it"), ("any other key", "back"))
    elif state.mode == PAYLOAD:
        keys = (("Up Down", "scroll"), ("Esc", "back"))
    elif state.mode == HELP:
        keys = (("any key", "back"),)
    elif state.busy:
        keys = (("Esc", "stop"),)
    else:
        keys = _KEYS
    return [part for key, what in keys for part in ((("key"), f" {key} "), ("dim", f"{what} "))]


def _plain(text: str) -> str:
    return escaped(text.encode("utf-8", "surrogateescape")).replace('\\"', '"').replace("\\\\", "\\")


def _padded(text: str, width: int, *, right: bool = False) -> str:
    """Of just this width; what is longer ends in `~`."""
    if columns(text) > width:
        text = f"{_begun(text, width - 1)}~"
    blanks = " " * (width - columns(text))
    return blanks + text if right else text + blanks


def _fitted(line: Line, width: int) -> Line:
    """Cut at the edge of the screen."""
    fitted: Line = []
    left = width
    for style, text in line:
        begun = _begun(text, left)
        left -= columns(begun)
        if begun:
            fitted.append((style, begun))
    return fitted


def _begun(text: str, width: int) -> str:
    """As much of the beginning as fits."""
    text = text[: 4 * width]  # marks that stand upon a letter take no room, and may be any number
    if text.isascii():
        return text[:width]
    used = 0
    for at, character in enumerate(text):
        used += columns(character)
        if used > width:
            return text[:at]
    return text
