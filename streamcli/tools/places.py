"""Places in a stream as people name them: an ID, an end of the stream, or a time.

Knows how a place is written. Does not know which command or stream it is for,
and has no clock: `now_ms` is an argument.
"""

from __future__ import annotations

from typing import Final

from streamcli.flags import UsageError
from streamcli.ids import MAX_ID, MIN_ID, U64_MAX, StreamID
from streamcli.text import escaped
from streamcli.times import moment

_U64_DIGITS: Final = 20
_SHOWN_MOST: Final = 60  # characters of what was typed that an error repeats
_ENDS: Final = {"-": MIN_ID, "start": MIN_ID, "+": MAX_ID, "end": MAX_ID}

WANTED: Final = (
    'an ID (5-1, 1526984818136), start, end, or a time (-10m, +10m, "2 hours ago", yesterday, "2026-11-20 10:00")'
)
"""What a place may be, for errors and help."""


def place(text: str, now_ms: int, *, last: bool = False) -> StreamID:
    """The ID that `text` names, counted in; times are UTC unless they carry a zone.

    An ID without its second part, and a time, are all the entries of one
    millisecond: its first ID, with `last` its last one. A `(` before an ID or a
    time leaves out what it names, as it does in XRANGE: the ID after it, with
    `last` the one before it. `-` and `start` are 0-0, `+` and `end` the greatest
    ID. Raises UsageError.
    """
    name = text.strip()
    if name.lower() in _ENDS:
        return _ENDS[name.lower()]
    without = name.startswith("(")
    if without:
        name = name[1:].strip()
    first, final = _span(name, text, now_ms)
    if not without:
        return final if last else first
    beyond = first.previous() if last else final.next()
    if beyond is None:
        raise UsageError(f"there is no ID {'before' if last else 'after'} {_shown(name)}")
    return beyond


def is_id(text: str) -> bool:
    """Is it written as an ID: digits, or digits, `-` and digits? It may still be beyond 64 bits."""
    ms, dash, seq = text.partition("-")
    return _is_number(ms) and (not dash or _is_number(seq))


def _span(name: str, text: str, now_ms: int) -> tuple[StreamID, StreamID]:
    """The first and the last ID of what is named."""
    if is_id(name):
        ms_text, dash, seq_text = name.partition("-")
        ms = _number(ms_text, name)
        if dash:
            id = StreamID(ms, _number(seq_text, name))
            return id, id
    else:
        found = moment(name, now_ms)
        if found is None:
            raise UsageError(f"{_shown(text)} is no place in a stream: {WANTED}")
        ms = found
    return StreamID(ms, 0), StreamID(ms, U64_MAX)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _number(digits: str, name: str) -> int:
    significant = digits.lstrip("0")
    value = int(significant or "0") if len(significant) <= _U64_DIGITS else U64_MAX + 1
    if value > U64_MAX:
        raise UsageError(f"the ID {_shown(name)} is too large: both parts go to {U64_MAX}")
    return value


def _shown(text: str) -> str:
    short = text if len(text) <= _SHOWN_MOST else f"{text[:_SHOWN_MOST]}..."
    return f'"{escaped(short.encode("utf-8", "surrogateescape"))}"'
