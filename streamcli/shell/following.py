"""What comes next: the line that goes on where a reply has stopped.

The same text with other IDs or another cursor in it; blanks, options and the
tail stay as they were typed. Which word that is, the parser's roles say. Knows
which commands are read on, and how their replies are read; a reply that is not
as it should be has nothing after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from streamcli import errors
from streamcli.grammar.parse import Call, parse
from streamcli.grammar.spec import Arg, Role
from streamcli.grammar.types import LAST, NEW
from streamcli.ids import MIN_ID, StreamID, parse_id
from streamcli.render.shape import Entries, Records, Streams, is_null, shape_of
from streamcli.reply import QUEUED, Error, Reply
from streamcli.shell.line import Line, read, shown
from streamcli.shell.lookup import Browse, record

_MARKS_MAX = 64
Changes: TypeAlias = "dict[int, bytes]"
"""Words to be replaced: by their index, what they become."""


def following(line: Line, reply: Reply, started: Mapping[bytes, bytes]) -> str | None:
    """The next line's text; None when there is nothing more, or nobody can say.

    `started` are the IDs that `marks` asked for, by key.
    """
    if line.fault is not None or line.meta or isinstance(reply, Error) or reply == QUEUED:
        return None
    call = parse(line.argv)
    if call.command is None or call.problems:
        return None
    continued = _CONTINUED.get(call.command.name)
    changes = continued(call, reply, started) if continued is not None else None
    return None if changes is None else _replaced(line, changes)


def marks(call: Call) -> list[bytes]:
    """The keys whose `$` has to be known before the command is sent: afterwards nobody can tell what it was.

    Not more than 64; each costs a question.
    """
    halves = call.halves
    if halves is None:
        return []
    keys, ids = call.args.get(halves.left.key) or (), call.args.get(halves.right.key) or ()
    return list(dict.fromkeys([key for key, id in zip(keys, ids, strict=False) if id == LAST]))[:_MARKS_MAX]


def last_ids(browse: Browse, keys: Sequence[bytes]) -> dict[bytes, bytes]:
    """The last ID that each stream has given: what `$` means there now; a key that is no stream is left out."""
    found = {}
    for key in keys:
        reply = browse((b"XINFO", b"STREAM", key))
        id = record(reply).get(b"last-generated-id")
        if isinstance(id, bytes) and parse_id(id) is not None:
            found[key] = id
        elif reply == errors.NO_SUCH_KEY:
            found[key] = MIN_ID.text
    return found


# -- reading on: which words become what -------------------------------------------------


def _streams(call: Call, reply: Reply, started: Mapping[bytes, bytes]) -> Changes | None:
    """XREAD: each stream after its last entry. A wait that was in vain goes on, with `$` as it was."""
    found = _by_position(call, reply, started)
    halves = call.halves
    if found is None or halves is None:
        return None
    changes: Changes = {}
    for at, (key, id) in enumerate(zip(call.args[halves.left.key], call.args[halves.right.key], strict=True)):
        place = _places(call, halves.right.role)[at]
        if entries := found.get(at):
            changes[place] = entries[-1]
        elif id == LAST and key in started:
            changes[place] = started[key]
    return changes if changes or call.args.get("block") is not None else None


def _history(call: Call, reply: Reply, started: Mapping[bytes, bytes]) -> Changes | None:
    """XREADGROUP: one's pending entries after the last of them; `>` when there are no more."""
    found = _by_position(call, reply, started)
    halves = call.halves
    if found is None or halves is None:
        return None
    places = _places(call, halves.right.role)
    changes: Changes = {}
    for at, id in enumerate(call.args[halves.right.key]):
        if id != NEW and is_null(reply):  # behind the greatest ID of all
            changes[places[at]] = NEW.mark
        elif id != NEW and at in found:
            changes[places[at]] = found[at][-1] if found[at] else NEW.mark
    return changes or None


def _by_position(call: Call, reply: Reply, started: Mapping[bytes, bytes]) -> dict[int, list[bytes]] | None:
    """The IDs read at each position of STREAMS that the reply speaks of.

    Streams come in the order in which they were asked for, and some are left
    out; of a stream that was asked for twice, entries belong to the first
    position that they are after.
    """
    shape = shape_of(reply, call)
    halves = call.halves
    if halves is None or not (isinstance(shape, Streams) or is_null(reply)):
        return None
    asked = [
        (key, parse_id(started[key]) if id is LAST and key in started else id)
        for key, id in zip(call.args[halves.left.key], call.args[halves.right.key], strict=True)
    ]
    found: dict[int, list[bytes]] = {}
    at = 0
    for name, entries in shape.pairs if isinstance(shape, Streams) else ():
        ids = _ids(entries[:1] + entries[-1:])
        if ids is None:
            return None
        while at < len(asked) and not (asked[at][0] == name and _may_begin(ids, asked[at][1])):
            at += 1
        if at == len(asked):
            return None
        found[at] = ids
        at += 1
    return found


def _may_begin(ids: list[bytes], after: Any) -> bool:
    first = parse_id(ids[0]) if ids else None
    if not isinstance(after, StreamID):
        return first is not None  # `>` and `$` are left out when there is nothing
    return first is None or first > after


def _range(call: Call, reply: Reply, started: Mapping[bytes, bytes]) -> Changes | None:
    """XRANGE, XREVRANGE and XPENDING with a count that was reached: from behind the last one."""
    shape = shape_of(reply, call)
    count = call.args.get("count")
    if not isinstance(shape, Entries | Records) or not isinstance(count, int) or len(shape.items) != count or not count:
        return None
    ids = _ids(shape.items[-1:])
    return _bound(call, b"(" + ids[0]) if ids else None


def _claimed(call: Call, reply: Reply, started: Mapping[bytes, bytes]) -> Changes | None:
    """XAUTOCLAIM: from where it has come to; 0-0 is the end."""
    cursor = reply[0] if isinstance(reply, list) and reply else None
    if not isinstance(cursor, bytes) or parse_id(cursor) in (None, MIN_ID):
        return None
    return _bound(call, cursor)


def _scanned(call: Call, reply: Reply, started: Mapping[bytes, bytes]) -> Changes | None:
    """SCAN: likewise; 0 is the end."""
    cursor = reply[0] if isinstance(reply, list) and reply else None
    return _bound(call, cursor) if isinstance(cursor, bytes) and cursor.strip(b"0") else None


def _bound(call: Call, word: bytes) -> Changes | None:
    """The command's first ID or cursor becomes `word`, if it may."""
    for index, role in enumerate(call.roles):
        if role is not None and role.kind in ("id", "cursor") and isinstance(role.part, Arg):
            fits = role.part.read is not None and not isinstance(role.part.read(word), Error)
            return {index: word} if fits else None
    return None


_CONTINUED: Final[dict[str, Callable[[Call, Reply, Mapping[bytes, bytes]], Changes | None]]] = {
    "XREAD": _streams,
    "XREADGROUP": _history,
    "XRANGE": _range,
    "XREVRANGE": _range,
    "XPENDING": _range,
    "XAUTOCLAIM": _claimed,
    "SCAN": _scanned,
}

# -- small things --------------------------------------------------------------------------


def _places(call: Call, wanted: Role) -> list[int]:
    return [index for index, role in enumerate(call.roles) if role is wanted]


def _ids(items: Iterable[Reply]) -> list[bytes] | None:
    """The IDs of entries or rows; None when one of them is neither."""
    ids = [item[0] if isinstance(item, list) and item else item for item in items]
    known = [id for id in ids if isinstance(id, bytes) and len(id) < 42 and parse_id(id) is not None]
    return known if len(known) == len(ids) else None


def _replaced(line: Line, changes: Changes) -> str | None:
    """The line with other words in it. A `>` stays bare where it is not taken for a way out."""
    argv = tuple(changes.get(index, word) for index, word in enumerate(line.argv))
    for quote in (_bare, shown):
        text, at = [], 0
        for index, word in enumerate(line.words):
            gap = line.text[at : word.start]
            text.append(" " if "\n" in gap else gap)  # of many lines it makes one: a suggestion has no room for more
            text.append(quote(changes[index]) if index in changes else line.text[word.start : word.end])
            at = word.end
        text.append(line.text[at:])
        result = "".join(text)
        again = read(result)
        if again.argv == argv and (again.tail and again.tail[:2]) == (line.tail and line.tail[:2]):
            return _behind(again)
    return None


def _behind(line: Line) -> str:
    """The line with `>>` for `>`: the next page goes behind the last one, not over it."""
    tail = line.tail
    return f"{line.text[: tail.start]}>{line.text[tail.start :]}" if tail and tail.kind == ">" else line.text


def _bare(value: bytes) -> str:
    return NEW.mark.decode() if value == NEW.mark else shown(value)
