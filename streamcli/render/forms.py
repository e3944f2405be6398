"""What the answers of commands beside the streams' look like: pairs, records, a cursor and what it has found.

By the words of the command, for most of these are none of the table's. Only for
reading: formats that keep wire types pass it by.
"""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Final

from streamcli.render.shape import Record, Value
from streamcli.reply import Arriving, Map, Simple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from streamcli.render import Call
    from streamcli.render.shape import Shape
    from streamcli.reply import Reply

_WORDS_MOST: Final = 100  # of a line, that are looked at for an option
_PAIRS: Final = frozenset({
    ("HELLO",), ("HGETALL",), ("CONFIG", "GET"), ("ACL", "GETUSER"), ("MEMORY", "STATS"), ("FUNCTION", "STATS"),
    ("CLIENT", "TRACKINGINFO"), ("PUBSUB", "NUMSUB"), ("PUBSUB", "SHARDNUMSUB"),
})  # fmt: skip
_RECORDS: Final = frozenset({
    ("ACL", "LOG"), ("MODULE", "LIST"), ("FUNCTION", "LIST"), ("CLUSTER", "LINKS"),
    ("SENTINEL", "MASTERS"), ("SENTINEL", "REPLICAS"), ("SENTINEL", "SENTINELS"),
})  # fmt: skip
_ROWS: Final = {  # and the option that makes them so; none where they are so in any case
    **dict.fromkeys(
        ("ZRANGE", "ZREVRANGE", "ZRANGEBYSCORE", "ZREVRANGEBYSCORE", "ZINTER", "ZUNION", "ZDIFF", "ZRANDMEMBER"),
        b"WITHSCORES",
    ),
    "HRANDFIELD": b"WITHVALUES", "ZPOPMIN": b"", "ZPOPMAX": b"",
}  # fmt: skip
_SCANS: Final = {"SCAN": "keys", "SSCAN": "members", "HSCAN": "fields", "ZSCAN": "members"}


def form_of(reply: Reply, call: Call) -> Callable[[], Shape] | None:
    """What makes the form that the answer to a command is best read in; None when it has none."""
    if not isinstance(reply, list) or not reply:
        return None
    argv: tuple[bytes, ...] = getattr(call, "argv", ())
    names = tuple([word.decode("latin-1").upper() for word in argv[:2]])
    one, two = names[:1], names
    if not one:
        return None
    if one in _PAIRS or two in _PAIRS:
        return partial(_map, reply) if _is_flat(reply) else None
    if two in _RECORDS:
        return partial(_maps, reply) if isinstance(reply[0], list) else None
    if one[0] in _ROWS:
        option = _ROWS[one[0]]
        asked = not option or any(word.upper() == option for word in argv[2:_WORDS_MOST])
        return partial(_twos, reply) if asked and _is_flat(reply) else None
    if one[0] in _SCANS and len(reply) == 2 and isinstance(reply[1], list):
        values = not any(word.upper() == b"NOVALUES" for word in argv[2:_WORDS_MOST])
        return partial(_scan, one[0], reply[0], reply[1], values)
    return None


def _is_flat(items: list[Reply]) -> bool:
    """Do names and values take turns in it? The first item tells of all."""
    return len(items) % 2 == 0 and isinstance(items[0], (bytes, Simple))


def _paired(items: list[Reply]) -> Iterator[tuple[Reply, Reply]]:
    each = iter(items)
    return zip(each, each, strict=True)


def _map(items: list[Reply]) -> Shape:
    return Value(Map(list(_paired(items))))


def _maps(items: list[Reply]) -> Shape:
    return Value([Map(list(_paired(one))) if isinstance(one, list) and one and _is_flat(one) else one for one in items])


def _twos(items: list[Reply]) -> Shape:
    """A row for each pair, as soon as it is there."""
    rows: Iterator[list[Reply]] = map(list, _paired(items))
    if not isinstance(items, Arriving):
        return Value([*rows])
    return Value(Arriving(len(items) // 2, iter(lambda: [*islice(rows, 1)], [])))


def _scan(name: str, cursor: Reply, found: list[Reply], values: bool) -> Shape:
    form: Shape = Value(found)
    if found and _is_flat(found) and values:
        form = _map(found) if name == "HSCAN" else _twos(found) if name == "ZSCAN" else form
    return Record([("cursor", Value(cursor)), (_SCANS[name], form)])
