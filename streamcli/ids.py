"""Stream IDs: `<ms>-<seq>`, two unsigned 64-bit numbers compared as a pair.

Knows how an ID is written, ordered and packed. Does not know which command
takes which special ID; that is the grammar's.
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

U64_MAX = 2**64 - 1
_SAFE_DIGITS = 20  # fewer cannot pass 64 bits
ID_TEXT_MAX = 127  # Redis: a longer word is no ID, whatever it says, and were it beyond a NUL

_pair = Struct(">QQ")
unpack_pair = _pair.unpack
pack_pair = _pair.pack


class StreamID(NamedTuple):
    """One ID; compares as Redis compares it."""

    ms: int
    seq: int

    def __str__(self) -> str:
        return f"{self.ms}-{self.seq}"

    @property
    def text(self) -> bytes:
        """The ID as a reply shows it: `b"5-1"`."""
        return b"%d-%d" % self

    @property
    def packed(self) -> bytes:
        """16 big-endian bytes; they sort as the IDs do."""
        return pack_pair(*self)

    @classmethod
    def unpack(cls, packed: bytes) -> StreamID:
        """The inverse of `packed`."""
        return cls(*unpack_pair(packed))

    def next(self) -> StreamID | None:
        """The smallest ID greater than this one; None after the last."""
        if self.seq < U64_MAX:
            return StreamID(self.ms, self.seq + 1)
        return StreamID(self.ms + 1, 0) if self.ms < U64_MAX else None

    def previous(self) -> StreamID | None:
        """The greatest ID smaller than this one; None before 0-0."""
        if self.seq:
            return StreamID(self.ms, self.seq - 1)
        return StreamID(self.ms - 1, U64_MAX) if self.ms else None


_new = tuple.__new__
MIN_ID = StreamID(0, 0)
MAX_ID = StreamID(U64_MAX, U64_MAX)


def id_text(packed: bytes) -> bytes:
    """16 packed bytes to `b"5-1"`; the hot path of every reply with entries."""
    return b"%d-%d" % unpack_pair(packed)


def parse_u64(text: bytes) -> int | None:
    """An unsigned 64-bit number, or None.

    Redis (string2ull): what its strict reader refuses goes to strtoull, so
    blanks, a plus sign and zeros may come first (`" +007"` is 7), and so may a
    minus when something keeps the strict reader from seeing a negative number
    (`"-03"` is 2^64 - 3).
    """
    digits = text.lstrip(b" \t\n\v\f\r")
    negative = digits[:1] == b"-"
    if negative or digits[:1] == b"+":
        digits = digits[1:]
    significant = digits.lstrip(b"0")
    if not digits.isdigit() or len(significant) > _SAFE_DIGITS:
        return None
    value = int(significant or b"0")
    seen = text[:1] == b"-" and digits[:1] != b"0" and value <= 2**63  # by the strict reader, and refused
    if seen or value > U64_MAX:
        return None
    return -value % 2**64 if negative else value


def parse_id(text: bytes, missing_seq: int = 0) -> StreamID | None:
    """Read `<ms>` or `<ms>-<seq>`; None when Redis would call it invalid."""
    ms_text, dash, seq_text = text.partition(b"-")
    if len(ms_text) < _SAFE_DIGITS > len(seq_text) and ms_text.isdigit():
        if seq_text.isdigit():
            return _new(StreamID, (int(ms_text), int(seq_text)))  # in half the time of StreamID(...)
        if not dash:
            return _new(StreamID, (int(ms_text), missing_seq))
    if len(text) > ID_TEXT_MAX:
        return None
    ms_text, dash, seq_text = c_string(text).partition(b"-")
    ms = parse_u64(ms_text)
    if ms is None:
        return None
    if not dash:
        return StreamID(ms, missing_seq)
    seq = parse_u64(seq_text)
    return None if seq is None else StreamID(ms, seq)


def c_string(word: bytes) -> bytes:
    """The word as C reads it: it ends at a NUL."""
    return word.partition(b"\0")[0] if b"\0" in word else word
