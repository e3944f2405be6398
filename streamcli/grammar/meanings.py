"""What a word of a command line means where it stands, in words.

`meaning` is for a word that is there, `expectation` for one that may come.
What an option or an argument is for stands in the table (`note`); what a value
says by its type and its position's dialect stands here. Imported by the shell
alone: a one-shot does not pay for it. Has no clock; it is told the time.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

from streamcli import words
from streamcli.grammar import types as t
from streamcli.grammar.parse import Call
from streamcli.grammar.spec import Arg, Command, Halves, Option, Options, Pairs, Role
from streamcli.grammar.types import NewID, Special, Type
from streamcli.ids import MIN_ID, StreamID, c_string, parse_id
from streamcli.reply import Error
from streamcli.times import date_text, span_text

Expected: TypeAlias = "Arg | Option | Halves | Command"

_NAME_MAX = 32  # characters of a user's word inside a sentence
_OPTION_MAX = 3  # words that may stand between an option's last word and what is before the option
_OLD = (5, 0, 0)  # what came with streams need not be told
_MARKS: Final = {"~": "about: whole nodes only, so that more may stay; cheaper", "=": "exactly"}
_UNITS: Final = (
    (31_556_952_000, "year"),
    (2_629_746_000, "month"),
    (86_400_000, "day"),
    (3_600_000, "hour"),
    (60_000, "minute"),
    (1000, "second"),
)
_FEW = 5  # from so many of a unit on, the next smaller one says nothing

_WHOLE, _LAST, _AFTER = "the whole stream from its first entry", "the last entry", "entries after this ID"
_FROM_NOW = "only what is added from now on"

# What a position takes, where neither its argument nor its option says it in the table.
_TYPES: Final = {
    t.ID: "an entry's ID",
    t.NEW_ID: "the new entry's ID; * makes one",
    t.START: "an ID to begin at; - is the first, ( leaves it out",
    t.END: "an ID to end at; + is the last, ( leaves it out",
    t.LAST_ID: "deliver what comes after this ID; $ is the last one",
    t.GROUP_ID: "deliver what comes after this ID; $ is the last one",
    t.AFTER: "entries after this ID; $ only new ones, + the last one",
    t.GROUP_AFTER: "> for new entries; an ID for what is pending after it",
}
_KINDS: Final = {
    "key": "a key",
    "group": "a consumer group",
    "consumer": "a consumer of the group",
    "field": "a field's name",
    "value": "a value",
    "count": "how many",
    "milliseconds": "a time in milliseconds",
    "seconds": "a time in seconds",
    "unix-time": "a Unix time in seconds",
    "unix-time-ms": "a Unix time in milliseconds",
    "db": "a database's number",
    "pattern": "a pattern: * ? [a-z]",
    "string": "some text",
    "secret": "a password; it is not kept",
    "integer": "a number",
}


class _Place(NamedTuple):
    """A word, where it stands, and when it is looked at."""

    call: Call
    at: int
    arg: Arg
    option: Option | None  # that the argument belongs to
    word: bytes
    now_ms: int


def _mark(call: Call, mark: str) -> str:
    """What `=` or `~` says. Redis: with an eye on the groups `~` is exact, and only tells that there is a limit."""
    for name in ("delref", "acked"):
        if mark == "~" and name in call.args:
            limit = "" if call.args.get("limit") == 0 else "; up to a limit"
            return f"to the entry, because of {name.upper()}{limit}"
    return _MARKS.get(mark, "")


def meaning(call: Call, index: int, now_ms: int) -> str:
    """What the word says, in one line of printable text; empty when nothing is known of it."""
    role = call.roles[index] if index < len(call.roles) else None
    if role is None or role.part is None:
        return ""
    if role.kind == "mark":
        return _mark(call, c_string(call.argv[index]).decode("latin-1"))
    part = role.part
    if not isinstance(part, Arg):
        return about(part)
    place = _Place(call, index, part, _option_of(call, index, part), call.argv[index], now_ms)
    said = _BY_TYPE.get(part.type) or _BY_KIND.get(part.type.name) or _plain
    return _for_its_stream(place, said(place))


def expectation(what: Expected, call: Call) -> str:
    """What may come next in `call`: a phrase for a word of the user's, the token of one of Redis's."""
    if isinstance(what, Command):
        return what.name.rpartition(" ")[2]
    if isinstance(what, Option | Halves):
        return what.token
    option = None
    if call.roles:
        option = _option_of(call, len(call.roles), what)
    text = _value_of(call, what, len(call.argv)) or _phrase(what, option, call)
    halves = call.halves
    if halves is not None and what is halves.right:
        keys, ids = call.args.get(halves.left.key) or [], call.args.get(halves.right.key) or []
        if len(keys) > 1 and len(ids) < len(keys):
            return f"for {name(keys[len(ids)])}: {text}"
    if option is not None and option.marks and call.roles[-1] is option.role:
        return f"{text}; {' or '.join(option.marks)} may stand before it"
    return text


def name(value: bytes) -> str:
    """A user's word inside a sentence: as one would type it, and not too long."""
    text = words.quote(value[: _NAME_MAX * 4]).decode("utf-8", "replace")
    return text if len(text) <= _NAME_MAX else f"{text[: _NAME_MAX - 3]}..."


def age_text(then_ms: int, now_ms: int) -> str:
    """`8 years ago`, `in 3 minutes 20 seconds`, `now`: at most two units, the second only beside a small first."""
    distance = abs(now_ms - then_ms)
    if distance < 1000:
        return "now"
    text = ""
    for index, (size, unit) in enumerate(_UNITS):
        if distance >= size:
            number, rest = divmod(distance, size)
            text = _counted(number, unit)
            smaller = _UNITS[min(index + 1, len(_UNITS) - 1)]
            if number < _FEW and rest >= smaller[0]:
                text += f" {_counted(rest // smaller[0], smaller[1])}"
            break
    return f"{text} ago" if then_ms < now_ms else f"in {text}"


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def about(part: Option | Halves | Command) -> str:
    """What a token or a command does, and since when, if that is news."""
    text = part.note if isinstance(part, Option | Halves) else part.summary[:1].lower() + part.summary[1:]
    since = None if isinstance(part, Halves) else part.since
    if not text and isinstance(part, Option) and part.args:
        text = part.usage()
    if since is None or tuple(map(int, since.split("."))) <= _OLD:
        return text
    return f"{text} (since {since})" if text else f"since {since}"


def _option_of(call: Call, index: int, arg: Arg) -> Option | None:
    """The option whose argument a word is: that of the last token before it."""
    if call.command is None or arg.role not in _roles_in_options(call.command):
        return None
    first = 0 if arg.many else max(0, index - _OPTION_MAX)
    for role in reversed(call.roles[first:index]):
        if role is not None and role.kind == "token":
            option = role.part
            return option if isinstance(option, Option) and arg in option.args else None
    return None


@lru_cache(maxsize=64)
def _roles_in_options(command: Command) -> frozenset[Role]:
    """Roles of words that stand behind an option's token somewhere in a command; by their names."""
    shown = [role for _, roles in command.pieces() for role in roles]
    options = [role.part for role in shown if isinstance(role.part, Option)]
    hidden = [option for part in command.parts if isinstance(part, Options) for option in part.options]
    return frozenset(arg.role for option in (*options, *hidden) for arg in option.args)


def _for_its_stream(place: _Place, text: str) -> str:
    """Behind STREAMS with several keys: which of them an ID is for."""
    halves = place.call.halves
    if halves is None or place.arg is not halves.right:
        return text
    keys = place.call.args.get(halves.left.key) or []
    at = place.at - len(place.call.roles) + len(place.call.args[halves.right.key])
    return f"{name(keys[at])}: {text}" if len(keys) > 1 and at < len(keys) else text


def _phrase(arg: Arg, option: Option | None, call: Call) -> str:
    """What an argument is for, whatever its value."""
    if arg.note:
        return arg.note
    if option is not None and option.note and len(option.args) == 1:
        return option.note
    if arg.type.name == "key" and call.command is not None and call.command.group == "stream":
        return "a stream's key"
    return _TYPES.get(arg.type) or _KINDS.get(arg.type.name) or arg.name


# -- one function for each type whose values say something ---------------------------------


def _plain(place: _Place) -> str:
    return _phrase(place.arg, place.option, place.call)


def _value(place: _Place) -> str:
    return _value_of(place.call, place.arg, place.at) or _plain(place)


def _value_of(call: Call, arg: Arg, at: int) -> str:
    """What the second word of a pair is the value of; empty for any other word."""
    parts = call.command.parts if call.command is not None else ()
    if any(isinstance(part, Pairs) and part.second is arg for part in parts):
        return f"the value of {name(call.argv[at - 1])}"
    return ""


def _read(place: _Place) -> object:
    return place.arg.read(place.word) if place.arg.read is not None else place.word


def _number(place: _Place) -> str:
    value = _read(place)
    return _filled(place, value, "so many", str(value)) if isinstance(value, int) else _plain(place)


def _milliseconds(place: _Place) -> str:
    value = _read(place)
    return _filled(place, value, "so long", _span(value)) if isinstance(value, int) else _plain(place)


def _seconds(place: _Place) -> str:
    value = _read(place)
    if not isinstance(value, int | float):
        return _plain(place)
    return _filled(place, value, "so long", _span(int(value * 1000)))


def _span(ms: int) -> str:
    return span_text(ms).replace(".0s", "s") or f"{ms} ms"


def _filled(place: _Place, value: float, blank: str, text: str) -> str:
    """The phrase for this value: what it says of it, or itself with the value in its blank."""
    phrase, *clauses = _plain(place).split("; ")
    for clause in clauses:
        if clause.startswith(f"{value}: "):
            return clause.partition(": ")[2]
    if value <= 0 and f"after {blank}" in phrase:
        return phrase.replace(f"after {blank}", "at once")
    before, found, after = phrase.partition(blank)
    if not found or value < 0:
        return phrase
    if value == 1 and blank == "so many":
        noun, space, rest = after[1:].partition(" ")
        after = f" {noun[:-3]}y" if noun.endswith("ies") else f" {noun.removesuffix('s')}"
        after += space + rest
    return f"{before}{text}{after}"


def _unix_seconds(place: _Place) -> str:
    value = _read(place)
    return _dated(_plain(place), value * 1000, place.now_ms) if isinstance(value, int) else _plain(place)


def _unix_milliseconds(place: _Place) -> str:
    value = _read(place)
    return _dated(_plain(place), value, place.now_ms) if isinstance(value, int) else _plain(place)


def _dated(phrase: str, ms: int, now_ms: int) -> str:
    when = _when(ms, now_ms)
    return f"{phrase}: {when}" if when else phrase


def _when(ms: int, now_ms: int) -> str:
    """Date and age; empty for what is hardly a time."""
    date = date_text(ms)
    return f"{date}, {age_text(ms, now_ms)}" if date else ""


def _db(place: _Place) -> str:
    value = _read(place)
    return f"database {value}" if isinstance(value, int) else _plain(place)


def _protocol(place: _Place) -> str:
    return {
        2: "RESP2: flat arrays, one kind of string",
        3: "RESP3: maps, sets, doubles and booleans too",
    }.get(_as_int(_read(place)), _plain(place))


def _as_int(value: object) -> int:
    return value if isinstance(value, int) else -1


def _pattern(place: _Place) -> str:
    return "all of them" if place.word == b"*" else _plain(place)


# -- IDs, in the dialect of each position -----------------------------------------------------


def _id(place: _Place) -> str:
    value = _read(place)
    if not isinstance(value, StreamID):
        return _plain(place)
    own = bool(place.arg.note or (place.option is not None and place.option.note))
    when = _when(value.ms, place.now_ms)
    return _joined(_plain(place) if own or not when else "", when)


def _joined(*texts: str) -> str:
    return ": ".join([text for text in texts if text])


def _new_id(place: _Place) -> str:
    value = _read(place)
    if not isinstance(value, NewID):
        return _plain(place)
    if value.ms is None:
        return "a new ID, made from the clock"
    when = _when(value.ms, place.now_ms)
    if value.seq is None:
        return _joined(f"the next free ID of millisecond {value.ms}", when)
    if (value.ms, value.seq) == MIN_ID:
        return "no entry can have it: the lowest ID is 0-1"
    return _joined(f"exactly {value.ms}-{value.seq}", when)


def _start(place: _Place) -> str:
    return _bound(place, "from", "first")


def _end(place: _Place) -> str:
    return _bound(place, "up to", "last")


def _bound(place: _Place, direction: str, end: str) -> str:
    """`direction` is "from" or "up to", `end` the ID of a millisecond that an incomplete one stands for."""
    word = c_string(place.word)
    if word in (b"-", b"+"):
        return f"{direction} the {'first' if word == b'-' else 'last'} entry"
    if isinstance(_read(place), Error):
        return _plain(place)
    left_out = word[:1] == b"("
    given = parse_id(word[1:] if left_out else word)
    if given is None:
        return _plain(place)
    when = _when(given.ms, place.now_ms)
    whole = b"-" in word
    if given == MIN_ID and end == "first" and not left_out:
        return "from the first entry"
    if left_out:
        side = "after" if end == "first" else "before"
        which = "this ID" if whole else f"the {end} ID of that millisecond"
        return _joined(f"{side} {which}, itself left out", when)
    if not whole:
        return _joined(f"{direction} the {end} ID of that millisecond", when)
    return _joined(f"{direction} this ID on" if end == "first" else f"{direction} this ID", when)


def _last_id(place: _Place) -> str:
    value = _read(place)
    if isinstance(value, Special):
        return _FROM_NOW
    if not isinstance(value, StreamID):
        return _plain(place)
    if value == MIN_ID:
        return _WHOLE
    if c_string(place.word) == b"+":
        return "past every ID: nothing is delivered any more"
    return _joined("deliver what comes after this ID", _when(value.ms, place.now_ms))


def _after(place: _Place) -> str:
    value = _read(place)
    if isinstance(value, Special):
        return "only what is added after this call" if value is t.LAST else _LAST
    if not isinstance(value, StreamID):
        return _plain(place)
    return _WHOLE if value == MIN_ID else _joined(_AFTER, _when(value.ms, place.now_ms))


def _group_after(place: _Place) -> str:
    value = _read(place)
    if value is t.NEW:
        return "entries never delivered to this group"
    if not isinstance(value, StreamID):
        return _plain(place)
    who = _word_of(place.call, "consumer")
    for_whom = f" for {name(who)}" if who is not None else ""
    if value == MIN_ID:
        return f"all that is pending{for_whom}"
    return _joined(f"what is pending{for_whom} after {value}", _when(value.ms, place.now_ms))


def _word_of(call: Call, kind: str) -> bytes | None:
    """The first word of a kind."""
    return next((word for word, role in zip(call.argv, call.roles, strict=False) if role and role.kind == kind), None)


_Say: TypeAlias = Callable[[_Place], str]

_BY_TYPE: Final[dict[Type, _Say]] = {
    t.NEW_ID: _new_id,
    t.START: _start,
    t.END: _end,
    t.LAST_ID: _last_id,
    t.GROUP_ID: _last_id,
    t.AFTER: _after,
    t.GROUP_AFTER: _group_after,
}
_BY_KIND: Final[dict[str, _Say]] = {
    "id": _id,
    "value": _value,
    "string": _value,
    "count": _number,
    "milliseconds": _milliseconds,
    "seconds": _seconds,
    "unix-time": _unix_seconds,
    "unix-time-ms": _unix_milliseconds,
    "db": _db,
    "protocol": _protocol,
    "cursor": _number,
    "integer": _number,
    "pattern": _pattern,
}
