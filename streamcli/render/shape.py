"""What a reply means, given the command it answers: the model the formats share.

A shape is a thin view: it keeps the reply's own lists and reads an item when it
is drawn, so a reply of 100,000 entries costs nothing before its first line. A
server may send anything, so every list is looked at before it is trusted, and
an item that is not what the command promises is a Value: a plain nest. RESP2's
flat arrays and RESP3's maps give the same shape.

Knows which command answers how (COMMAND pages; t_stream.c). Does not know what
any of it looks like.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from streamcli.reply import Arriving, Map, Nil, Simple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from streamcli.render import Call
    from streamcli.reply import Reply

    EntryParts: TypeAlias = "tuple[bytes, list[bytes] | None, tuple[Reply, Reply] | None]"

ID: Final = "id"
SPAN_MS: Final = "ms"
LAST_MS: Final = "last-ms"  # since the last time; -1 when there was none
UNIX_MS: Final = "unix-ms"  # likewise

_UNITS: Final = {
    "last-generated-id": ID,
    "max-deleted-entry-id": ID,
    "recorded-first-entry-id": ID,
    "last-delivered-id": ID,
    "idle": SPAN_MS,
    "inactive": LAST_MS,
    "seen-time": UNIX_MS,
    "active-time": UNIX_MS,
}
_PENDING_ROW: Final = (("id", ID), ("consumer", ""), ("idle", SPAN_MS), ("deliveries", ""))
_GROUP_ROW: Final = (("id", ID), ("consumer", ""), ("delivery-time", UNIX_MS), ("deliveries", ""))
_CONSUMER_ROW: Final = (("id", ID), ("delivery-time", UNIX_MS), ("deliveries", ""))
_STRINGS_ONLY: Final = frozenset({bytes})


class Value:
    """A reply as it is; `unit` says what a leaf counts, when that is known."""

    __slots__ = ("reply", "unit")

    def __init__(self, reply: Reply, unit: str = "") -> None:
        self.reply: Final = reply
        self.unit: Final = unit


class Items:
    """A list of entries, IDs, rows or records, read one by one."""

    __slots__ = ("items",)

    def __init__(self, items: list[Reply]) -> None:
        self.items: Final = items


class Entries(Items):
    """Entries; `read_entry` reads an item."""

    __slots__ = ()


class Entry:
    """One entry on its own, already known to be one."""

    __slots__ = ("item",)

    def __init__(self, item: Reply) -> None:
        self.item: Final = item


class Ids(Items):
    """Bare IDs: what JUSTID gives."""

    __slots__ = ()


class Records(Items):
    """Records or rows, each read as it is drawn."""

    __slots__ = ("_read",)

    def __init__(self, items: list[Reply], read: Callable[[Reply], Record | None]) -> None:
        super().__init__(items)
        self._read: Final = read

    def __iter__(self) -> Iterator[Record | Value]:
        for item in self.items:
            yield self._read(item) or Value(item)


class Record:
    """Named parts in order, the names distinct; the first names a record within Records."""

    __slots__ = ("parts",)

    def __init__(self, parts: list[tuple[str, Shape]]) -> None:
        self.parts: Final = parts


class Counts:
    """Consumers, each with the number of its pending entries as the server wrote it."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: list[tuple[bytes, Reply]]) -> None:
        self.pairs: Final = pairs


class Streams:
    """Streams with their entries; a name may come twice."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: list[tuple[bytes, list[Reply]]]) -> None:
        self.pairs: Final = pairs


class NoEntries(Value):
    """A null where entries could have come: a read that found nothing.

    `named` when the entries would have stood under stream names.
    """

    __slots__ = ("named",)

    def __init__(self, reply: Reply, named: bool) -> None:
        super().__init__(reply)
        self.named: Final = named


class Batch:
    """The answers of EXEC, each with the name of its command."""

    __slots__ = ("parts",)

    def __init__(self, parts: list[tuple[str, Shape]]) -> None:
        self.parts: Final = parts


class Told(Value):
    """A reply that can also be read in another `form`, which takes its items; where wire types count, it is a Value."""

    __slots__ = ("form",)

    def __init__(self, reply: Reply, form: Callable[[], Shape]) -> None:
        super().__init__(reply)
        self.form: Final = form


Shape: TypeAlias = "Value | Entries | Entry | Ids | Records | Record | Counts | Streams | Batch"


def shape_of(reply: Reply, call: Call | None) -> Shape:
    """The reply's shape; Value when the command is unknown or the reply is not as it promises."""
    command = call.command if call is not None else None
    reader = _READERS.get(command.name) if command is not None else None
    if call is None or command is None or reader is None:
        from streamcli.render.forms import form_of

        form = form_of(reply, call) if call is not None else None
        return Value(reply) if form is None else Told(reply, form)
    if isinstance(reply, Arriving) and not _is_told_by_its_first(command.name, call):
        reply = list(reply)
    return reader(reply, call) or Value(reply)


def _is_told_by_its_first(name: str, call: Call) -> bool:
    """Whether the reader of a command's reply looks at its first item alone, each being read again when it is drawn."""
    if name == "XPENDING":
        return call.args.get("start") is not None
    return name in ("XRANGE", "XREVRANGE", "XINFO GROUPS", "XINFO CONSUMERS") or (
        name == "XCLAIM" and not call.args.get("justid")
    )


def read_entry(item: Reply) -> EntryParts | None:
    """An entry's ID, its fields (None when deleted) and CLAIM's idle time and deliveries; None when it is none.

    The fields are the flat list `name, value, name, value`, of strings alone.
    """
    if type(item) is not list or len(item) not in (2, 4):
        return None
    id, fields = item[0], item[1]
    if type(id) is not bytes:
        return None
    claim = (item[2], item[3]) if len(item) == 4 else None
    if claim is not None and not all(isinstance(part, (int, bytes)) for part in claim):
        return None
    if type(fields) is list:
        if len(fields) % 2 or not _STRINGS_ONLY.issuperset(map(type, fields)):
            return None
        return id, fields, claim  # type: ignore[return-value]
    return (id, None, claim) if fields is None or isinstance(fields, Nil) else None


def is_null(reply: Reply) -> bool:
    """True for the null of either protocol, string or array."""
    return reply is None or isinstance(reply, Nil)


def _entries(reply: Reply) -> Entries | None:
    """Entries, if the list looks it: the first item tells, each is read again when drawn."""
    if not isinstance(reply, list) or (reply and read_entry(reply[0]) is None):
        return None
    return Entries(reply)


def _ids(reply: Reply) -> Ids | None:
    return Ids(reply) if isinstance(reply, list) and _STRINGS_ONLY.issuperset(map(type, reply)) else None


def _records(reply: Reply, read: Callable[[Reply], Record | None]) -> Records | None:
    if not isinstance(reply, list) or (reply and read(reply[0]) is None):
        return None
    return Records(reply, read)


def _pairs(reply: Reply) -> list[tuple[Reply, Reply]] | None:
    """The pairs of a map, or of the flat array which stands for one in RESP2."""
    if isinstance(reply, Map):
        return reply.pairs
    if isinstance(reply, list) and len(reply) % 2 == 0:
        return list(zip(reply[::2], reply[1::2], strict=True))
    return None


def _name(reply: Reply) -> str | None:
    if isinstance(reply, Simple):
        return reply.text
    if not isinstance(reply, bytes):
        return None
    try:
        return reply.decode()
    except UnicodeDecodeError:
        return None


def _record(reply: Reply, part: Callable[[str, Reply], Shape | None]) -> Record | None:
    """A record of XINFO; `part` gives a part its shape, or None when it is a plain value."""
    parts: list[tuple[str, Shape]] = []
    for key, value in _pairs(reply) or ():
        name = _name(key)
        if name is None:
            return None
        parts.append((name, part(name, value) or Value(value, _UNITS.get(name, ""))))
    return Record(parts) if parts and len({name for name, _ in parts}) == len(parts) else None


def record(reply: Reply) -> Record | None:
    """Names and values as a record, those that XINFO has with their units; None for anything else."""
    return _record(reply, lambda name, value: None)


def _stream(reply: Reply) -> Record | None:
    return _record(reply, _part_of_stream)


def _group(reply: Reply) -> Record | None:
    return _record(reply, _part_of_group)


def _consumer(reply: Reply) -> Record | None:
    return _record(reply, _part_of_consumer)


def _part_of_stream(name: str, value: Reply) -> Shape | None:
    if name in ("first-entry", "last-entry"):
        return Entry(value) if read_entry(value) is not None else None
    if name == "entries":
        return _entries(value)
    return _records(value, _group) if name == "groups" else None


def _part_of_group(name: str, value: Reply) -> Shape | None:
    if name == "consumers":
        return _records(value, _consumer)
    return _records(value, _group_row) if name == "pending" else None


def _part_of_consumer(name: str, value: Reply) -> Shape | None:
    return _records(value, _consumer_row) if name == "pending" else None


def _row(reply: Reply, columns: tuple[tuple[str, str], ...]) -> Record | None:
    """A pending entry: strings for its ID and consumer, integers for the rest."""
    if not isinstance(reply, list) or len(reply) != len(columns):
        return None
    for (name, _), cell in zip(columns, reply, strict=True):
        if not isinstance(cell, bytes if name in ("id", "consumer") else int):
            return None
    return Record([(name, Value(cell, unit)) for (name, unit), cell in zip(columns, reply, strict=True)])


def _pending_row(reply: Reply) -> Record | None:
    return _row(reply, _PENDING_ROW)


def _group_row(reply: Reply) -> Record | None:
    return _row(reply, _GROUP_ROW)


def _consumer_row(reply: Reply) -> Record | None:
    return _row(reply, _CONSUMER_ROW)


def _read_range(reply: Reply, call: Call) -> Shape | None:
    return NoEntries(reply, named=False) if is_null(reply) else _entries(reply)


def _read_claim(reply: Reply, call: Call) -> Shape | None:
    return _ids(reply) if call.args.get("justid") else _read_range(reply, call)


def _read_streams(reply: Reply, call: Call) -> Shape | None:
    if is_null(reply):
        return NoEntries(reply, named=True)
    found: list[tuple[bytes, list[Reply]]] = []
    pairs: list[tuple[Reply, Reply]] = []
    if isinstance(reply, Map):
        pairs = reply.pairs
    elif isinstance(reply, list):
        for item in reply:
            if not isinstance(item, list) or len(item) != 2:
                return None
            pairs.append((item[0], item[1]))
    else:
        return None
    for name, entries in pairs:
        if not isinstance(name, bytes) or not isinstance(entries, list):
            return None
        found.append((name, entries))
    return Streams(found)


def _read_autoclaim(reply: Reply, call: Call) -> Shape | None:
    if not isinstance(reply, list) or len(reply) not in (2, 3) or not isinstance(reply[0], bytes):
        return None
    just_ids = bool(call.args.get("justid"))
    claimed = _ids(reply[1]) if just_ids else _entries(reply[1])
    deleted = _ids(reply[2]) if len(reply) == 3 else None
    if claimed is None or (len(reply) == 3 and deleted is None):
        return None
    parts: list[tuple[str, Shape]] = [("next", Value(reply[0], ID)), ("ids" if just_ids else "entries", claimed)]
    return Record([*parts, ("deleted", deleted)] if deleted is not None else parts)


def _read_pending(reply: Reply, call: Call) -> Shape | None:
    if call.args.get("start") is not None:
        return _records(reply, _pending_row)
    if not isinstance(reply, list) or len(reply) != 4 or not isinstance(reply[0], int):
        return None
    total, least, greatest, consumers = reply
    if not all(is_null(bound) or isinstance(bound, bytes) for bound in (least, greatest)):
        return None
    counts: Shape = Value(consumers)
    if not is_null(consumers):
        pairs: list[tuple[bytes, Reply]] = []
        for pair in consumers if isinstance(consumers, list) else ():
            if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[0], bytes):
                return None
            pairs.append((pair[0], pair[1]))
        if not isinstance(consumers, list):
            return None
        counts = Counts(pairs)
    return Record(
        [("total", Value(total)), ("min-id", Value(least, ID)), ("max-id", Value(greatest, ID)), ("consumers", counts)]
    )


def _read_stream(reply: Reply, call: Call) -> Shape | None:
    return _stream(reply)


def _read_groups(reply: Reply, call: Call) -> Shape | None:
    return _records(reply, _group)


def _read_consumers(reply: Reply, call: Call) -> Shape | None:
    return _records(reply, _consumer)


def _read_exec(reply: Reply, call: Call) -> Shape | None:
    queued = getattr(call, "queued", None)
    if not isinstance(reply, list) or not isinstance(queued, (list, tuple)) or len(queued) != len(reply) or not reply:
        return None
    return Batch([(_title(one), shape_of(answer, one)) for one, answer in zip(queued, reply, strict=True)])


def _title(call: Call) -> str:
    if call.command is not None:
        return call.command.name
    words: list[bytes] = getattr(call, "argv", None) or [b"?"]
    return words[0].decode("utf-8", "surrogateescape").upper()


_READERS: Final[dict[str, Callable[[Reply, Call], Shape | None]]] = {
    "XRANGE": _read_range,
    "XREVRANGE": _read_range,
    "XREAD": _read_streams,
    "XREADGROUP": _read_streams,
    "XCLAIM": _read_claim,
    "XAUTOCLAIM": _read_autoclaim,
    "XPENDING": _read_pending,
    "XINFO STREAM": _read_stream,
    "XINFO GROUPS": _read_groups,
    "XINFO CONSUMERS": _read_consumers,
    "EXEC": _read_exec,
}
