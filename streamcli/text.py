"""Bytes to text which is safe to look at, and reads back as the same bytes.

One rule for all: a character is shown when Unicode calls it printable
(`str.isprintable`), which leaves out C0, DEL, C1, bidi and zero-width controls,
and every separator but the blank; the wide blank of CJK text is let through.
"""

from __future__ import annotations

from typing import Final

_WIDE_BLANK: Final = "\u3000"
_SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\a": "\\a", "\b": "\\b"}
_CHARACTERS_KEPT: Final = 4096  # so that hostile text cannot make a table of all Unicode
_WORD_BREAKERS: Final = frozenset(" \"'\\")


class _Table(dict[int, str]):
    """A table for `str.translate`: what is printable to itself, the rest to the `\\xHH` of its bytes."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        shown = character
        if not character.isprintable() and character != _WIDE_BLANK:
            shown = "".join([f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape")])
        if len(self) < _CHARACTERS_KEPT:
            self[code] = shown
        return shown


_shorts: Final = {ord(raw): shown for raw, shown in _SHORT.items()}
_visible: Final = _Table(_shorts | {10: "\n"})
_quotable: Final = _Table(_shorts | {34: '\\"', 92: "\\\\"})


def escaped(data: bytes) -> str:
    """What stands between the quotes: UTF-8 as text, all else as redis-cli's escapes."""
    text = data.decode("utf-8", "surrogateescape")
    return text if text.isprintable() and '"' not in text and "\\" not in text else text.translate(_quotable)


def quoted(data: bytes) -> str:
    """A double-quoted word: pasted into a command line it gives the same bytes."""
    return f'"{escaped(data)}"'


def visible(text: str) -> str:
    """The text with what a terminal could obey as `\\xHH`; newlines stay."""
    if text.isprintable() or text.replace("\n", "").isprintable():
        return text
    return text.translate(_visible)


def bare(data: bytes) -> str:
    """A name: as it is when it is one plain word, else quoted."""
    text = escaped(data)
    if data and len(text) == len(data) and text.isascii():
        return f'"{text}"' if _WORD_BREAKERS.intersection(text) else text
    plain = data and not _WORD_BREAKERS.intersection(text) and _WIDE_BLANK not in text
    return text if plain else f'"{text}"'


def escaped_all(values: list[bytes]) -> list[str] | None:
    """`escaped` of each, in one sweep; None when one of them is not plain UTF-8 text.

    Quotes and backslashes are escaped, which JSON writes the same way.
    """
    if not values:
        return []
    try:
        text = b"\n".join(values).decode()
    except UnicodeDecodeError:
        return None
    if not text.isprintable() and not text.replace("\n", "").isprintable():
        return None
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    if '"' in text:
        text = text.replace('"', '\\"')
    parts = text.split("\n")
    return parts if len(parts) == len(values) else None


def counted(number: int, one: str) -> str:
    """`1 entry`, `2,000 entries`."""
    many = f"{one[:-1]}ies" if one.endswith("y") else f"{one}s"
    return f"{number:,} {one if number == 1 else many}"


def columns(text: str) -> int:
    """How many columns a terminal gives to the text."""
    if text.isascii():
        return len(text)
    from unicodedata import category, east_asian_width

    width = 0
    for character in text:
        if category(character) not in ("Mn", "Me"):
            width += 2 if east_asian_width(character) in "WF" else 1
    return width


def plain(data: bytes) -> str:
    """The text of the bytes in one line, for where neither quotes nor backslashes are needed to read it back."""
    text = data.decode("utf-8", "surrogateescape")
    return text if text.isprintable() else visible(text).replace("\n", "\\n")


def clipped(text: str, width: int, more: str = "…") -> str:
    """The text in so many columns of a terminal at most, ending in `more` when something is left out."""
    if columns(text) <= width:
        return text
    left = width - columns(more)
    if left <= 0:
        return more[: max(0, width)]
    if text.isascii():
        return text[:left] + more
    kept = 0
    for at, character in enumerate(text):
        kept += columns(character)
        if kept > left:
            return text[:at] + more
    return text
