"""A typed line to words, and back, as redis-cli does it. Bytes in, bytes out.

Bare words; `'...'` in which only `\\'` is an escape; `"..."` with `\\n \\r \\t \\b
\\a \\\\ \\" \\xHH`. A closing quote must be followed by a blank. Linear in the
length of the line. What the words mean is the grammar's business.

Source: sdssplitargs in Redis's sds.c; there a NUL ends the line, here it is a
character like any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import re

_BLANKS = b" \n\r\t"  # end a word
_SPACES = b" \n\r\t\v\f"  # are skipped before one
_ESCAPES = {0x6E: b"\n", 0x72: b"\r", 0x74: b"\t", 0x62: b"\b", 0x61: b"\a"}
_QUOTED = {value[0]: b"\\" + bytes([letter]) for letter, value in _ESCAPES.items()} | {34: b'\\"', 92: b"\\\\"}
_HEX = b"0123456789abcdefABCDEF"
_DOUBLE, _SINGLE, _BACKSLASH = 34, 39, 92
_new = tuple.__new__


class Word(NamedTuple):
    """One word and where it stands; `open_quote` is the quote that was never closed."""

    value: bytes
    start: int
    end: int
    open_quote: str = ""


class Fault(NamedTuple):
    """Why a line is no list of words: what is wrong at which byte."""

    at: int
    text: str


class SplitError(ValueError):
    """Raised by `argv`."""

    def __init__(self, line: bytes, fault: Fault) -> None:
        super().__init__(fault.text)
        self.line, self.fault = line, fault


def argv(line: bytes) -> list[bytes]:
    """The words' values. Raises SplitError."""
    if b'"' not in line and b"'" not in line and b"\v" not in line and b"\f" not in line:
        return line.split()
    words, fault = split(line)
    if fault is not None:
        raise SplitError(line, fault)
    return [word.value for word in words]


def split(line: bytes) -> tuple[list[Word], Fault | None]:
    """The words with their places, and the first fault. Total: a faulty line has words too."""
    import re  # not at the top: a line without quotes does not need it

    if b'"' not in line and b"'" not in line and b"\v" not in line and b"\f" not in line:
        found = re.finditer(rb"[^ \n\r\t]+", line)
        return [_new(Word, (one.group(), one.start(), one.end(), "")) for one in found], None  # twice as fast
    skip = re.compile(rb"[ \n\r\t\v\f]+")
    bare, double, single = (re.compile(pattern) for pattern in (rb"[^ \n\r\t\"']+", rb'[^"\\]+', rb"[^'\\]+"))
    words: list[Word] = []
    fault: Fault | None = None
    at, size = 0, len(line)
    while True:
        if blank := skip.match(line, at):
            at = blank.end()
        if at >= size:
            return words, fault
        start, pieces, open_quote = at, [], ""
        while at < size and line[at] not in _BLANKS:
            quote = line[at]
            if quote not in (_DOUBLE, _SINGLE):
                run = bare.match(line, at)
                assert run is not None
                pieces.append(run.group())
                at = run.end()
                continue
            opened = at
            at, closed = _quoted(line, at + 1, quote, double if quote == _DOUBLE else single, pieces)
            if not closed:
                open_quote = chr(quote)
                fault = fault or Fault(opened, f"the {open_quote} here is never closed")
            elif at < size and line[at] not in _SPACES:
                fault = fault or Fault(at, "a closing quote must be followed by a blank")
                break
            else:
                break
        words.append(Word(b"".join(pieces), start, at, open_quote))


def _quoted(line: bytes, at: int, quote: int, plain: re.Pattern[bytes], pieces: list[bytes]) -> tuple[int, bool]:
    """Read on from behind an opening quote: where it ends, and whether it was closed."""
    size = len(line)
    while at < size:
        byte = line[at]
        if byte == quote:
            return at + 1, True
        if byte != _BACKSLASH:
            run = plain.match(line, at)
            assert run is not None
            pieces.append(run.group())
            at = run.end()
        elif quote == _SINGLE:
            escaped = line[at + 1 : at + 2] == b"'"
            pieces.append(b"'" if escaped else b"\\")
            at += 2 if escaped else 1
        else:
            piece, at = _escape(line, at)
            pieces.append(piece)
    return at, False


def _escape(line: bytes, at: int) -> tuple[bytes, int]:
    """What a backslash inside double quotes stands for, and where to go on."""
    if line[at + 1 : at + 2] == b"x" and len(line) > at + 3 and line[at + 2] in _HEX and line[at + 3] in _HEX:
        return bytes([int(line[at + 2 : at + 4], 16)]), at + 4
    if at + 1 >= len(line):
        return b"\\", at + 1
    return _ESCAPES.get(line[at + 1], line[at + 1 : at + 2]), at + 2


def quote(word: bytes) -> bytes:
    """The word so that `argv` reads it back: bare when it can be, else in double quotes.

    Printable ASCII and whole UTF-8 characters stay readable, other bytes become `\\xHH`.
    """
    if word and word.isalnum():
        return word
    if word and not any(byte <= 32 or byte >= 127 or byte in (_DOUBLE, _SINGLE, _BACKSLASH) for byte in word):
        return word
    out = [b'"']
    for character in word.decode("utf-8", "surrogateescape"):
        if character.isprintable():
            byte = character.encode()
            out.append(_QUOTED.get(byte[0], byte) if len(byte) == 1 else byte)
        else:
            raw = character.encode("utf-8", "surrogateescape")
            out.append(_QUOTED[raw[0]] if raw[0] in _QUOTED else b"".join(b"\\x%02x" % byte for byte in raw))
    return b"".join([*out, b'"'])
