"""What an entry can be asked, as functions: the parts that an expression of `where` is put together from.

Each of them ends, whatever the data: its time grows as the entry does.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from streamcli.engine.glob import matches
from streamcli.ids import StreamID, parse_id

Test: TypeAlias = "Callable[[bytes, StreamID, list[bytes]], bool]"
"""Of a stream's name, an ID, and names and values in turns: is the entry wanted?"""

Number: TypeAlias = "int | float"

_PAIRS_MOST: Final = 100  # values of a repeated field that are compared with another field's
_NUMBER_LONGEST: Final = 64  # bytes


def number_of(data: bytes) -> Number | None:
    """A decimal number, exact when it is whole; None for anything else, and for one of more than 64 bytes."""
    if not data or len(data) > _NUMBER_LONGEST or data[-1:] in b" \t\n\r\v\f_" or data[:1].isspace():
        return None
    try:
        if data.lstrip(b"+-").isdigit():
            return int(data)
        number = float(data)
    except ValueError:
        return None
    return number if data.lstrip(b"+-")[:1] in b"0123456789." and b"_" not in data else None


def values_of(fields: list[bytes], name: bytes) -> list[bytes]:
    """Every value that a field has in an entry; none when it is missing."""
    return [fields[index + 1] for index in range(0, len(fields), 2) if fields[index] == name]


_HOLDS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
"""Of two strings, or two numbers."""


def any_of(tests: list[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]
    return lambda stream, at, fields: any(test(stream, at, fields) for test in tests)


def all_of(tests: list[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]
    return lambda stream, at, fields: all(test(stream, at, fields) for test in tests)


def negated(test: Test) -> Test:
    return lambda stream, at, fields: not test(stream, at, fields)


def existing(name: bytes) -> Test:
    return lambda stream, at, fields: name in fields[::2]


def field_is_text(name: bytes, comparison: str, wanted: bytes) -> Test:
    holds = _HOLDS[comparison]
    return lambda stream, at, fields: any(holds(value, wanted) for value in values_of(fields, name))


def field_is_number(name: bytes, comparison: str, wanted: Number) -> Test:
    holds, differs = _HOLDS[comparison], comparison == "!="

    def test(stream: bytes, at: StreamID, fields: list[bytes]) -> bool:
        for value in values_of(fields, name):
            number = number_of(value)
            if differs if number is None else holds(number, wanted):
                return True
        return False

    return test


def fields_compare(left: bytes, comparison: str, right: bytes) -> Test:
    compare = _HOLDS[comparison]

    def holds(a: bytes, b: bytes) -> bool:
        number, other = number_of(a), number_of(b)
        return compare(a, b) if number is None or other is None else compare(number, other)

    def test(stream: bytes, at: StreamID, fields: list[bytes]) -> bool:
        others = values_of(fields, right)[:_PAIRS_MOST]
        return any(holds(a, b) for a in values_of(fields, left)[:_PAIRS_MOST] for b in others)

    return test


def stream_is(comparison: str, wanted: bytes) -> Test:
    holds = _HOLDS[comparison]
    return lambda stream, at, fields: holds(stream, wanted)


def id_is(comparison: str, first: StreamID, last: StreamID) -> Test:
    """Of the IDs from `first` to `last` as one."""
    tests: dict[str, Test] = {
        "=": lambda stream, at, fields: first <= at <= last,
        "!=": lambda stream, at, fields: not first <= at <= last,
        "<": lambda stream, at, fields: at < first,
        "<=": lambda stream, at, fields: at <= last,
        ">": lambda stream, at, fields: at > last,
        ">=": lambda stream, at, fields: at >= first,
    }
    return tests[comparison]


def id_and_field(subject: str, comparison: str, name: bytes) -> Test:
    """With the ID, or the Unix time in ms, that a field holds; false for a field that holds none."""

    def test(stream: bytes, at: StreamID, fields: list[bytes]) -> bool:
        for value in values_of(fields, name):
            other = parse_id(value) if subject == "id" else None
            if other is not None and id_is(comparison, other, other)(stream, at, fields):
                return True
            number = number_of(value) if subject == "time" else None
            if number is not None and _HOLDS[comparison](at.ms, number):
                return True
        return False

    return test


# -- patterns ----------------------------------------------------------------------------------


def field_like(name: bytes, pattern: bytes) -> Test:
    like = like_pattern(pattern)
    return lambda stream, at, fields: any(like(value) for value in values_of(fields, name))


def stream_like(pattern: bytes) -> Test:
    like = like_pattern(pattern)
    return lambda stream, at, fields: like(stream)


def like_pattern(pattern: bytes) -> Callable[[bytes], bool]:
    """Does a value match as a name does for KEYS? Fast for patterns with no mark but `*`, as most are."""
    if not pattern or any(mark in pattern for mark in (b"?", b"[", b"\\")) or b"*" not in pattern:
        return lambda value: matches(pattern, value)
    first, *middle, last = pattern.split(b"*")
    middle = [part for part in middle if part]

    def like(value: bytes) -> bool:
        end = len(value) - len(last)
        if end < len(first) or not value.startswith(first) or not value.endswith(last):
            return False
        at = len(first)
        for part in middle:
            at = value.find(part, at, end)
            if at < 0:
                return False
            at += len(part)
        return True

    return like
