"""Bytes: an entry's fields as one blob, and how many bytes Redis would take for them.

The blob starts with 0 and joins the words by 0 when no word holds a 0 (the
usual case: one C call each way), else with 1 and the words' lengths. The sizes
are those of Redis's listpack, because nodes fill, and `~` trims, by them.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import error, pack, unpack_from

from streamcli.ids import unpack_pair
from streamcli.storage.schema import DamagedError

_JOINED, _COUNTED = b"\0", b"\1"


def pack_words(words: Sequence[bytes]) -> bytes:
    """At least one word to one blob."""
    blob = b"\0".join(words)
    if blob.count(b"\0") == len(words) - 1:
        return _JOINED + blob
    return _COUNTED + pack(f"<I{len(words)}I", len(words), *map(len, words)) + b"".join(words)


def unpack_words(blob: bytes) -> list[bytes]:
    """The inverse of `pack_words`."""
    if blob[0] == 0:
        return blob[1:].split(b"\0")
    try:
        (count,) = unpack_from("<I", blob, 1)
        lengths = unpack_from(f"<{count}I", blob, 5)
    except error:
        raise DamagedError from None
    at = 5 + 4 * count
    words = []
    for length in lengths:
        words.append(blob[at : at + length])
        at += length
    return words


# -- sizes in a listpack -------------------------------------------------------------
# Redis: listpack.c. Each element is its data and then its own length, backwards.

_NODE_OVERHEAD = 7
_I64 = 2**63
_INTEGER_TEXT_MAX = 20
COUNTS_MAX = 20  # bytes of a node's two counts


def integer_size(value: int) -> int:
    """Bytes an integer takes, its trailer included; kept as C keeps it, see `signed`."""
    if 0 <= value <= 127:
        return 2
    if -4096 <= value <= 4095:
        return 3
    if -(2**15) <= value < 2**15:
        return 4
    if -(2**23) <= value < 2**23:
        return 5
    if -(2**31) <= value < 2**31:
        return 6
    wrapped = signed(value)
    return 10 if wrapped == value else integer_size(wrapped)


def string_size(word: bytes) -> int:
    """Bytes a string takes; one that is the text of an integer is kept as that."""
    length = len(word)
    if 0 < length <= _INTEGER_TEXT_MAX and 48 <= word[-1] <= 57:
        digits = word[1:] if word[0] == 45 else word
        if digits.isdigit() and (digits[0] != 48 or word == b"0"):
            value = int(word)
            if -_I64 <= value < _I64:
                return integer_size(value)
    if length < 64:
        return length + 2
    size = length + (2 if length < 4096 else 5)
    if size <= 127:
        return size + 1
    if size < 16383:
        return size + 2
    return size + (3 if size < 2097151 else 4 if size < 268435455 else 5)


def header_size(names: Sequence[bytes]) -> int:
    """Bytes of a node's fixed part, but for its two counts of entries."""
    return _NODE_OVERHEAD + integer_size(len(names)) + sum(map(string_size, names)) + integer_size(0)


def counts_size(live: int, deleted: int) -> int:
    """Bytes of a node's two counts of entries."""
    return integer_size(live) + integer_size(deleted)


def entry_size(id: bytes, first: bytes, words: Sequence[bytes], same_names: bool) -> int:
    """Bytes of one entry in the node whose first entry was `first`."""
    ms, seq = unpack_pair(id)
    first_ms, first_seq = unpack_pair(first)
    size = 2 + integer_size(ms - first_ms) + integer_size(seq - first_seq)
    pairs = len(words) // 2
    if same_names:
        return size + sum(map(string_size, words[1::2])) + integer_size(pairs + 3)
    return size + integer_size(pairs) + sum(map(string_size, words)) + integer_size(2 * pairs + 4)


def signed(value: int) -> int:
    """The value as C keeps it in 64 bits and reads it as a signed number."""
    return value if -_I64 <= value < _I64 else (value + _I64) % (2 * _I64) - _I64
