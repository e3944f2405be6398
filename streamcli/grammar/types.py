"""Argument types: how one word becomes a value, and what the shell calls it.

A type's `read` returns the value, or the Error Redis gives for that word; it
never raises. Which words a position takes is the table's business.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from streamcli import errors
from streamcli.ids import ID_TEXT_MAX, MAX_ID, MIN_ID, U64_MAX, StreamID, c_string, parse_id, parse_u64
from streamcli.reply import Error

DATABASES = 16
I64_MIN, I64_MAX = -(2**63), 2**63 - 1
_SECONDS_MAX = 1e9  # some thirty years
_I64_DIGITS = 20  # with its sign; a longer word is not worth reading


class Type(NamedTuple):
    """One kind of word; `name` is also its style class: key, group, id ..."""

    name: str
    read: Callable[[bytes], Any] | None  # bytes -> value | Error; None: the bytes are the value


def read_integer(word: bytes) -> int | None:
    """A strict signed 64-bit number, or None.

    Redis (string2ll): no blanks, no plus, no leading zeros, no -0.
    """
    digits = word[1:] if word[:1] == b"-" else word
    if not digits.isdigit() or len(word) > _I64_DIGITS or (digits[:1] == b"0" and word != b"0"):
        return None
    value = int(word)
    return value if I64_MIN <= value <= I64_MAX else None


def integer(
    name: str = "integer",
    error: Error = errors.NOT_AN_INTEGER,
    least: int = I64_MIN,
    below: Error | None = None,
    most: int = I64_MAX,
    above: Error | None = None,
) -> Type:
    """A strict integer; outside least..most it answers `below`, `above` or `error`."""

    def read(word: bytes) -> int | Error:
        value = read_integer(word)
        if value is None:
            return error
        if value < least:
            return below or error
        return value if value <= most else above or error

    return Type(name, read)


def _read_id(word: bytes) -> StreamID | Error:
    return parse_id(word) or errors.INVALID_ID


INT = range(-(2**31), 2**31)  # C's int, which Redis keeps database numbers in


def _read_int(word: bytes) -> int | Error:
    value = read_integer(word)
    if value is None:
        return errors.NOT_AN_INTEGER
    return value if value in INT else errors.INT_OUT_OF_RANGE


class NewID(NamedTuple):
    """What XADD may be given: `*` (no parts), `<ms>-*` (no seq) or a whole ID."""

    ms: int | None = None
    seq: int | None = None


AUTO_ID = NewID()
_ENDS = {b"-": MIN_ID, b"+": MAX_ID}


def _read_new_id(word: bytes) -> NewID | Error:
    text = c_string(word)
    if text == b"*":
        return AUTO_ID
    if text.endswith(b"-*"):
        given = parse_id(text[:-2]) if len(word) <= ID_TEXT_MAX and b"-" not in text[:-2] else None
        return NewID(given.ms) if given else errors.INVALID_ID
    given = parse_id(word)
    return NewID(*given) if given else errors.INVALID_ID


def _read_end_of_all(word: bytes) -> StreamID | None:
    """`-` and `+`, where an ID may be one of them."""
    return _ENDS.get(c_string(word)) if len(word) <= ID_TEXT_MAX else None


def _read_bound(word: bytes, missing_seq: int) -> tuple[StreamID, bool] | None:
    """An end of a range and whether it is left out itself."""
    if end := _read_end_of_all(word):
        return end, False
    exclusive = len(word) > 1 and word[:1] == b"("
    whole = parse_id(word[1:] if exclusive else word, missing_seq)
    return None if whole is None else (whole, exclusive)


def _read_start(word: bytes) -> StreamID | Error:
    bound = _read_bound(word, 0)
    if bound is None:
        return errors.INVALID_ID
    id, exclusive = bound
    return (id.next() or errors.INVALID_START) if exclusive else id


def _read_end(word: bytes) -> StreamID | Error:
    bound = _read_bound(word, U64_MAX)
    if bound is None:
        return errors.INVALID_ID
    id, exclusive = bound
    return (id.previous() or errors.INVALID_END) if exclusive else id


class Special(NamedTuple):
    """A special ID whose meaning the engine resolves: `$`, `+` or `>`."""

    mark: bytes


LAST, NEW, TOP = Special(b"$"), Special(b">"), Special(b"+")
SPECIAL_IDS = (b"$", b">", b"+", b"-", b"*")  # words that may stand where an ID does, by the position
_SPECIALS = {special.mark: special for special in (LAST, NEW, TOP)}


def _read_last_id(word: bytes) -> StreamID | Special | Error:
    return LAST if c_string(word) == LAST.mark else _read_id(word)


def _read_group_id(word: bytes) -> StreamID | Special | Error:
    """Redis: XGROUP SETID alone also takes the ends of a range."""
    return _read_end_of_all(word) or _read_last_id(word)


def _read_after(word: bytes) -> StreamID | Special | Error:
    """XREAD's position: `>` is XREADGROUP's."""
    special = _SPECIALS.get(c_string(word))
    return errors.NEW_NEEDS_GROUP if special is NEW else special or _read_id(word)


def _read_group_after(word: bytes) -> StreamID | Special | Error:
    """XREADGROUP's position: `$` and `+` would never find anything."""
    special = _SPECIALS.get(c_string(word))
    if special in (LAST, TOP):
        return errors.meaningless_id(special.mark.decode())
    return special or _read_id(word)


def _read_cursor(word: bytes) -> int | Error:
    """SCAN's place, read as leniently as an ID."""
    value = parse_u64(word)
    return errors.INVALID_CURSOR if value is None else value


def _read_db(word: bytes) -> int | Error:
    value = _read_int(word)
    return value if isinstance(value, Error) or 0 <= value < DATABASES else errors.DB_OUT_OF_RANGE


def read_client_name(word: bytes) -> bytes | Error:
    """Redis: printable ASCII without blanks."""
    return word if all(33 <= byte <= 126 for byte in word) else errors.CLIENT_NAME_CHARACTERS


def _read_seconds(word: bytes) -> float | Error:
    """A number of seconds with a fraction, as DEBUG SLEEP takes it."""
    try:
        return min(max(0.0, float(word)), _SECONDS_MAX)
    except ValueError:
        return 0.0  # Redis: strtod, so no number is no time


def some_text(empty: Error) -> Type:
    """Any word but an empty one."""
    return Type("string", lambda word: word or empty)


_KILL_OPTIONS = (b"ID", b"TYPE", b"USER", b"ADDR", b"LADDR", b"SKIPME", b"MAXAGE")


def _read_address(word: bytes) -> bytes | Error:
    """A client's address in CLIENT KILL: what is none of its options."""
    return errors.SYNTAX if word.upper() in _KILL_OPTIONS else word


def _read_yes_or_no(word: bytes) -> bool | Error:
    return {b"yes": True, b"no": False}.get(word.lower(), errors.SYNTAX)


KEY = Type("key", None)
GROUP = Type("group", None)
CONSUMER = Type("consumer", None)
FIELD = Type("field", None)
VALUE = Type("value", None)
TEXT = Type("string", None)
PATTERN = Type("pattern", None)
SECRET = Type("secret", None)  # never shown, never kept
COMMAND_WORD = Type("word", None)  # a word of a command line that is itself an argument

INTEGER = integer()
COUNT = integer("count")
SECONDS = integer("seconds")
MILLISECONDS = integer("milliseconds")
UNIX_SECONDS = integer("unix-time")
UNIX_MILLISECONDS = integer("unix-time-ms")
DB = Type("db", _read_db)
ADDRESS = Type("string", _read_address)
YES_OR_NO = Type("string", _read_yes_or_no)
CLIENT_NAME = Type("string", read_client_name)
PROTOCOL = integer("protocol", errors.PROTOCOL_NOT_INTEGER, 2, errors.NOPROTO, 3, errors.NOPROTO)
# Redis adds the clock to it and refuses what overflows; the clock is not known here, but its size is.
TIMEOUT = integer(
    "milliseconds",
    errors.NOT_A_TIMEOUT,
    0,
    errors.NEGATIVE_TIMEOUT,
    I64_MAX - 2**41,
    errors.TIMEOUT_OUT_OF_RANGE,
)
FRACTION = Type("seconds", _read_seconds)
CURSOR = Type("cursor", _read_cursor)

ID = Type("id", _read_id)
NEW_ID = Type("id", _read_new_id)
START = Type("id", _read_start)
END = Type("id", _read_end)
LAST_ID = Type("id", _read_last_id)
GROUP_ID = Type("id", _read_group_id)
AFTER = Type("id", _read_after)
GROUP_AFTER = Type("id", _read_group_after)
