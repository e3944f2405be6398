"""Redis's patterns: `*`, `?`, `[a-z]`, `[^x]` and a backslash. Bytes, case-sensitive.

Linear in pattern times name, whatever the pattern: a star goes back only to
the last one, never to those before.
"""

from __future__ import annotations


def matches(pattern: bytes, name: bytes) -> bool:
    """Does the whole name match? Source: stringmatchlen in Redis's util.c."""
    if not name:  # Redis: no pattern but these matches the empty name
        return pattern in (b"", b"*")
    at = place = 0
    star, resume = -1, 0
    while place < len(name):
        if at < len(pattern) and pattern[at] == 42:
            star, resume = at, place
            at += 1
            continue
        step = _one(pattern, at, name[place]) if at < len(pattern) else 0
        if step:
            at, place = at + step, place + 1
        elif star >= 0:
            resume += 1
            at, place = star + 1, resume
        else:
            return False
    return pattern[at:].strip(b"*") == b""


def _one(pattern: bytes, at: int, byte: int) -> int:
    """How many bytes of the pattern take this byte; 0 when it does not match."""
    mark = pattern[at]
    if mark == 63:
        return 1
    if mark == 91:
        return _class(pattern, at, byte)
    if mark == 92 and at + 1 < len(pattern):
        return 2 if pattern[at + 1] == byte else 0
    return 1 if mark == byte else 0


def _class(pattern: bytes, at: int, byte: int) -> int:
    """`[...]`; one that is not closed ends with the pattern."""
    place = at + 1
    negated = pattern[place : place + 1] == b"^"
    place += negated
    found = False
    while place < len(pattern) and pattern[place] != 93:
        if pattern[place] == 92 and place + 1 < len(pattern):
            place += 1
            found |= pattern[place] == byte
        elif place + 2 < len(pattern) and pattern[place + 1] == 45:
            low, high = sorted((pattern[place], pattern[place + 2]))
            found |= low <= byte <= high
            place += 2
        else:
            found |= pattern[place] == byte
        place += 1
    return min(place + 1, len(pattern)) - at if found != negated else 0
