"""What may be typed next at a place in a line: words of the language, names, IDs and times.

A pure function of the line, the cursor and what is known. What may come is what
the parser expects behind the words before the cursor; what a special ID means
is said by `meanings`. Knows how a word of each type is found. Does not know
any command's options.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final, NamedTuple

from streamcli import words as splitter
from streamcli.grammar import types as t
from streamcli.grammar.commands import BY_WORD
from streamcli.grammar.foreign import Foreign
from streamcli.grammar.meanings import Expected, meaning
from streamcli.grammar.parse import Call
from streamcli.grammar.spec import Arg, Command, Halves, Option
from streamcli.ids import U64_MAX
from streamcli.reply import Error
from streamcli.shell.lexer import verdict
from streamcli.shell.line import ANALYSED_MAX, Line, shown
from streamcli.shell.names import Known
from streamcli.text import columns, visible
from streamcli.times import date_text, id_date, moment, span_text

MOST = 100
_WIDTH_MAX = 60  # columns of a name in the menu
_EXPLAINED_MAX = 200  # words; in a longer line a special ID is offered without its meaning
_PHRASE_MAX = 4  # words of a time: `2 hours ago`, `2018-05-22 10:26:58.136 UTC`
_SPECIALS: Final = (b"*", b">", b"$", b"0", b"-", b"+")
_TIMES: Final = ("10 minutes ago", "1 hour ago", "today", "yesterday")
_RESTS: Final = ("", " ago", "go", "o")  # what a time may still lack at its end
_TIMEOUTS: Final = (b"0", b"1000", b"5000")
_TYPES: Final = (b"stream", b"string")  # of keys; those that SCAN is most often asked for here
_TYPES_OF_KEYS: Final = {  # by the group of commands that work on them
    **{group: group.encode() for group in ("stream", "string", "hash", "list", "set")},
    "sorted-set": b"zset", "geo": b"zset", "bitmap": b"string", "hyperloglog": b"string",
}  # fmt: skip
_ORDER: Final = ("special", "mark", "id", "command", "option", "group", "consumer", "field", "value", "time", "key")


class Completion(NamedTuple):
    """Some text to stand in the line from `start` to the cursor.

    `shown` is what a menu shows of it, `note` a short explanation; `kind` is
    one of `command option mark key group consumer id special field time value
    meta`.
    """

    text: str
    start: int
    shown: str
    note: str = ""
    kind: str = ""


class _Place(NamedTuple):
    """Where the cursor is: the call before it, the word at it, and what is known."""

    line: Line
    call: Call  # of the words before that word
    after: tuple[bytes, ...]  # that word and those behind it
    start: int
    typed: str  # the word as far as the cursor, with its quotes
    value: bytes
    known: Known
    now_ms: int


def complete(
    line: Line,
    cursor: int,
    known: Known,
    now_ms: int,
    meta: Callable[[Line, int], list[Completion]] | None = None,
) -> list[Completion]:
    """At most 100, the likeliest first; none in a tail, in a comment and in a line that is too long to look at.

    `meta` answers for the lines of the shell itself (`.format json`).
    """
    if line.text.lstrip()[:1] == ".":
        return meta(line, cursor)[:MOST] if meta is not None else []
    if len(line.text) > ANALYSED_MAX or line.text.lstrip()[:1] == "#" or (line.tail and cursor > line.tail.start):
        return []
    if verdict(line, cursor).to_file >= 0 or line.text[:cursor].endswith("\\"):
        return []
    index, start = _word_at(line, cursor)
    if line.fault is not None and line.fault.at < start:
        return []
    typed = line.text[start:cursor]
    call = line.call if index == len(line.words) else line.drafted(line.argv[:index])
    place = _Place(line, call, line.argv[index:], start, typed, _value(typed), known, now_ms)
    found = [*_phrases(place, index, cursor), *_expected(place)]
    found.sort(key=lambda one: _ORDER.index(one.kind))
    distinct: dict[tuple[int, str], Completion] = {}
    for one in found:
        distinct.setdefault((one.start, one.text), one)
    return [] if list(distinct) == [(start, typed)] else list(distinct.values())[:MOST]


def _word_at(line: Line, cursor: int) -> tuple[int, int]:
    """The index of the word that ends at the cursor, or is cut by it, and where it begins; else of one to come."""
    for index, word in enumerate(line.words):
        if word.start < cursor <= word.end:
            return index, word.start
        if word.start >= cursor:
            return index, cursor
    return len(line.words), cursor


def _value(typed: str) -> bytes:
    """What the word says, whether or not its quote is closed."""
    if typed.isalnum():
        return typed.encode("utf-8", "surrogateescape")
    split, _ = splitter.split(typed.encode("utf-8", "surrogateescape"))
    return split[0].value if split else b""


def _expected(place: _Place) -> Iterator[Completion]:
    words = place.line.vocabulary
    begin = sorted(words.commands.values(), key=lambda command: (command.group != "stream", command.name))
    expected = sorted(place.call.expected, key=lambda what: _does_nothing_yet(place.call, what))
    for what in expected if place.call.argv else begin:
        if isinstance(what, Command):
            note = words.lacks(what) or what.summary
            yield from _token(place, what.name.rpartition(" ")[2], note, "command")
        elif isinstance(what, Halves):
            yield from _token(place, what.token, what.note, "option")
        elif isinstance(what, Option):
            if not what.within or _has_one_of(place.call, what.within, what.with_mark):
                lacks = place.call.command is not None and words.lacks(place.call.command, what)
                note = what.note or (what.usage() if what.args else "")
                yield from _token(place, what.token, lacks or note, "option")
        else:
            yield from _marks(place, what)
            yield from _WORDS.get(what.type.name, _nothing)(place, what)


def _does_nothing_yet(call: Call, what: Expected) -> bool:
    return isinstance(what, Option) and bool(what.beside) and not _has_one_of(call, what.beside or "")


def _has_one_of(call: Call, name: str, mark: str | None = None) -> bool:
    """Is there an option of this `one_of` in the line, with this mark if it has to be?"""
    given = {role.part for role in call.roles if role is not None and isinstance(role.part, Option)}
    return any(part.one_of == name and mark in (None, call.args.get(part.mark_key)) for part in given)


# -- words of the language ---------------------------------------------------------------


def _token(place: _Place, token: str, note: str, kind: str) -> Iterator[Completion]:
    if place.value and not token.startswith(place.value.decode("latin-1").upper()):
        return
    text = token.lower() if _in_lower_case(place) else token
    yield Completion(_in_quotes(place, text), place.start, text, note, kind)


def _in_lower_case(place: _Place) -> bool:
    """As the word at the cursor is written; where that says nothing, as the line's first word is."""
    for word in (place.value, *place.call.argv[:1]):
        if word.upper() != word.lower():
            return word == word.lower()
    return False


def _marks(place: _Place, arg: Arg) -> Iterator[Completion]:
    """`~` and `=`, right behind an option that takes them."""
    role = place.call.roles[-1] if place.call.roles else None
    if role is not None and role.kind == "token" and isinstance(role.part, Option) and arg in role.part.args:
        for mark in role.part.marks:
            if not place.value:
                yield _explained(place, mark.encode(), mark, "mark")


# -- names ---------------------------------------------------------------------------------


def _keys(place: _Place, arg: Arg) -> Iterator[Completion]:
    there = set(_words_of(place.call, "key"))
    for name in place.known.keys(place.value, _type_of_keys(place.call)).matching(place.value, MOST, there):
        yield _name(place, name, "key")


def _type_of_keys(call: Call) -> bytes:
    """The type of the keys that a command is for; empty where they may be of any."""
    group = call.command.group if call.command is not None else ""
    if group == "stream" or isinstance(call.command, Foreign):
        return _TYPES_OF_KEYS.get(group, b"")
    return b""


def _groups(place: _Place, arg: Arg) -> Iterator[Completion]:
    return _names(place, place.known.groups(_key(place)), "group")


def _consumers(place: _Place, arg: Arg) -> Iterator[Completion]:
    groups = _words_of(place.call, "group")
    return _names(place, place.known.consumers(_key(place), groups[-1]), "consumer") if groups else iter(())


def _fields(place: _Place, arg: Arg) -> Iterator[Completion]:
    key = _key(place)
    return _names(place, place.known.fields(key), "field", set(_words_of(place.call, "field"))) if key else iter(())


def _names(place: _Place, names: Sequence[bytes], kind: str, but: Collection[bytes] = ()) -> Iterator[Completion]:
    folded = place.value.lower()
    begin = [name for name in names if name.startswith(place.value)]
    hold = [name for name in names if folded in name.lower()] if place.value else ()
    for name in list(dict.fromkeys([*begin, *hold]))[: MOST + len(but)]:
        if name not in but:
            yield _name(place, name, kind)


def _words_of(call: Call, kind: str) -> list[bytes]:
    return [word for role, word in zip(call.roles, call.argv, strict=False) if role is not None and role.kind == kind]


def _key(place: _Place) -> bytes | None:
    """The key that a group is of; where keys come later, the first that is there already, else None."""
    keys = _words_of(place.call, "key")
    if keys:
        return keys[-1]
    halves = place.call.halves
    later = [word.upper() for word in place.after] if halves else []
    at = later.index(halves.token.encode()) + 1 if halves and halves.token.encode() in later else len(place.after)
    return place.after[at] if at < len(place.after) else None


def _name(place: _Place, name: bytes, kind: str, note: str = "") -> Completion:
    text = _in_quotes(place, shown(name))
    return Completion(text, place.start, _cut(text), note, kind)


def _in_quotes(place: _Place, text: str) -> str:
    """In quotes if the word at the cursor begins with one."""
    return f'"{text}"' if place.typed[:1] in ('"', "'") and text[:1] != '"' else text


def _cut(text: str) -> str:
    """What a menu has room for."""
    text = visible(text).replace("\n", "\\n")
    if columns(text) <= _WIDTH_MAX:
        return text
    text = text[: _WIDTH_MAX - 1]
    while columns(text) >= _WIDTH_MAX:
        text = text[:-1]
    return f"{text}…"


# -- IDs -------------------------------------------------------------------------------------


def _ids(place: _Place, arg: Arg) -> Iterator[Completion]:
    """Special IDs, those of the stream that the ID is for, and times; where the position takes them."""
    mark = place.value[:1] if place.value[:1] == b"(" and _fits(arg, b"(0") else b""
    value = place.value[len(mark) :]
    exact = arg.many or arg.run  # only entries that are there make sense
    if not mark:
        for special in _specials(arg, exact):
            if special.startswith(value):
                yield _explained(place, special, special.decode(), "special")
    if exact and _words_of(place.call, "group"):
        for id, note in _held(place):
            if id.startswith(value) and id not in place.call.argv:
                yield _name(place, id, "id", note)
    elif not _is_new(arg):
        for id, note in _ids_of_stream(place, exact):
            if id.startswith(value) and _fits(arg, mark + id) and not (exact and id in place.call.argv):
                yield _name(place, mark + id, "id", note)
    if not exact and not _is_new(arg):
        for phrase in _TIMES:
            if phrase.startswith(value.decode("latin-1").lower()):
                yield from _time(place, arg, mark, phrase, place.start)


def _held(place: _Place) -> Iterator[tuple[bytes, str]]:
    """What is pending for the group that the line names: nothing else can be acknowledged or claimed."""
    keys, groups = _words_of(place.call, "key"), _words_of(place.call, "group")
    for one in place.known.pending(keys[-1], groups[-1]) if keys and groups else ():
        if one.idle_ms < 0:
            yield one.id, f"given back, delivered {one.deliveries}x"
            continue
        idle = span_text(one.idle_ms) or "0s"
        yield one.id, f"{_cut(shown(one.consumer))}, idle {idle}, delivered {one.deliveries}x"


def _specials(arg: Arg, exact: bool) -> list[bytes]:
    """The special IDs that the position's dialect allows; 0 where there is no `-` for it."""
    allowed = [special for special in _SPECIALS if _fits(arg, special)]
    if len(allowed) == 1 or exact or _is_new(arg):
        return [special for special in allowed if special != b"0"]
    if b"-" in allowed and b"$" not in allowed:
        allowed.remove(b"0")
    return allowed[::-1] if _is_end(arg) else allowed


def _fits(arg: Arg, word: bytes) -> bool:
    return arg.read is not None and not isinstance(arg.read(word), Error)


def _is_new(arg: Arg) -> bool:
    """Is it the ID of an entry to be made?"""
    return _fits(arg, b"*")


def _is_end(arg: Arg) -> bool:
    """Does an incomplete ID mean the last of its millisecond there?"""
    return arg.read is not None and arg.read(b"0") == (0, U64_MAX)


def _ids_of_stream(place: _Place, exact: bool) -> Iterator[tuple[bytes, str]]:
    """Those last seen, the last and the first, each with what it is and its date; an ID comes once.

    `exact`: not the last one that was given, when no entry has it any more.
    """
    key = _key_of_id(place)
    if key is None:
        return
    ids = place.known.ids(key)
    ends = {ids.generated: "last ID", ids.first: "first entry", ids.last: "last entry"}
    for id in dict.fromkeys([*ids.seen, ids.last, None if exact else ids.generated, ids.first]):
        if id is not None:
            yield id, ", ".join(filter(None, (ends.get(id, "seen"), id_date(id))))


def _key_of_id(place: _Place) -> bytes | None:
    """Behind STREAMS the first ID is for the first key; elsewhere there is one key."""
    keys = _words_of(place.call, "key")
    halves = place.call.halves
    at = len(place.call.args.get(halves.right.key) or ()) if halves else len(keys) - 1
    return keys[at] if 0 <= at < len(keys) else None


# -- times -------------------------------------------------------------------------------------


def _phrases(place: _Place, index: int, cursor: int) -> Iterator[Completion]:
    """The words at the cursor as a time, where an ID or a Unix time may come: `10 minutes ago`, quoted or not."""
    text, split = place.line.text, place.line.words
    for first in range(max(0, index + 1 - _PHRASE_MAX), min(index + 1, len(split))):
        alone = first == index
        phrase = place.value.decode("utf-8", "replace") if alone else text[split[first].start : cursor]
        if not place.value or "'" in phrase or '"' in phrase:
            continue
        mark = phrase[:1] if phrase[:1] == "(" else ""
        if all(moment(f"{phrase[len(mark) :]}{rest}", place.now_ms) is None for rest in _RESTS):
            continue
        call = place.call if alone else place.line.drafted(place.line.argv[:first])
        for what in call.expected:
            if isinstance(what, Arg) and what.type.name in _MADE_OF_TIME:
                yield from _time(place, what, mark.encode(), phrase[len(mark) :], split[first].start)
        return  # the longest phrase is the one that is meant


def _time(place: _Place, arg: Arg, mark: bytes, phrase: str, start: int) -> Iterator[Completion]:
    """The ID, or the Unix time, that a phrase stands for; its end may still be missing."""
    for rest in _RESTS:
        ms = moment(phrase + rest, place.now_ms)
        if ms is not None:
            word = mark + b"%d" % (ms // _MADE_OF_TIME[arg.type.name])
            if _fits(arg, word):
                meant = " ".join(f"{phrase}{rest}".split())
                yield Completion(shown(word), start, _cut(meant), date_text(ms), "time")
            return


# -- numbers and other words ---------------------------------------------------------------------


def _timeouts(place: _Place, arg: Arg) -> Iterator[Completion]:
    for value in _TIMEOUTS if arg.type is t.TIMEOUT else ():
        if value.startswith(place.value):
            yield _explained(place, value, value.decode(), "value")


def _strings(place: _Place, arg: Arg) -> Iterator[Completion]:
    if place.call.command is BY_WORD[b"SCAN"] and arg.name == "type":
        yield from _names(place, _TYPES, "value")


def _nothing(place: _Place, arg: Arg) -> Iterator[Completion]:
    return iter(())


def _explained(place: _Place, value: bytes, text: str, kind: str) -> Completion:
    """With what it would mean here."""
    argv = (*place.call.argv, value)
    note = ""
    if len(argv) <= _EXPLAINED_MAX:
        note = meaning(place.line.drafted(argv), len(argv) - 1, place.now_ms)
    return Completion(_in_quotes(place, text), place.start, text, note, kind)


_MADE_OF_TIME: Final = {"id": 1, "unix-time-ms": 1, "unix-time": 1000}  # ms of a unit
_WORDS: Final[dict[str, Callable[[_Place, Arg], Iterator[Completion]]]] = {
    "key": _keys,
    "group": _groups,
    "consumer": _consumers,
    "field": _fields,
    "id": _ids,
    "milliseconds": _timeouts,
    "string": _strings,
}
