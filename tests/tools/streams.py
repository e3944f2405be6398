"""Streams for tests of tools that move them: made at random, and looked at as a whole."""

from __future__ import annotations

from typing import Any, Final

from hypothesis import strategies as st

from streamcli.backend import Backend
from streamcli.reply import Error, Map

# What no command can set: the clock of a consumer, the nodes of a tree, what idempotent producers have sent.
_NOT_CARRIED: Final = (
    "radix-tree-keys", "radix-tree-nodes", "seen-time", "active-time",
    "pids-tracked", "iids-tracked", "iids-added", "iids-duplicates",
)  # fmt: skip
_OF_SOME: Final = (
    "idmp-duration",
    "idmp-maxsize",
    "nacked-count",
    "lag",
)  # that not every server tells, or tells alike
_NAMES: Final = {"pel": "pending"}

_ID: Final = st.sampled_from([b"1-1", b"1-2", b"2-1", b"3-0", b"5-5", b"7-1", b"9-0", b"9-1"])
_GROUP: Final = st.sampled_from([b"g", b"h", b"\xff\0 "])
_ONE: Final = st.sampled_from([b"alice", b"bob", b"", b"\0\xfe"])
_COUNT: Final = st.sampled_from([b"0", b"1", b"2", b"3", b"8"])
_DELIVERIES: Final = st.sampled_from([b"0", b"1", b"5", b"9223372036854775807"])
_TIME: Final = st.sampled_from([b"1", b"1000", b"1700000000000", b"1700000000001"])
_FIELDS: Final = st.lists(st.binary(max_size=12), min_size=1, max_size=3).map(lambda words: [*words, *words])


def _line(*parts: Any) -> st.SearchStrategy[list[bytes]]:
    """A command: words, and strategies for words or lists of words."""
    made = [st.just([part]) if isinstance(part, bytes) else part for part in parts]
    return st.tuples(*made).map(
        lambda words: [one for word in words for one in ([word] if isinstance(word, bytes) else word)]
    )


_BEGINNING: Final = [
    *([b"XADD", b"a", id, b"f", b"v"] for id in (b"1-1", b"1-2", b"2-1", b"3-0")),
    [b"XGROUP", b"CREATE", b"a", b"g", b"0"],
    [b"XGROUP", b"CREATE", b"a", b"h", b"1-1"],
    [b"XREADGROUP", b"GROUP", b"g", b"alice", b"COUNT", b"3", b"STREAMS", b"a", b">"],
]
LINES: Final = st.tuples(
    st.sampled_from([0, 4, 6, 7, 7, 7]).map(lambda most: _BEGINNING[:most]),
    st.lists(
        st.one_of(
            _line(b"XADD", b"a", _ID, _FIELDS),
            _line(b"XADD", b"a", b"9-*", _FIELDS),
            _line(b"XADD", b"a", b"MAXLEN", _COUNT, _ID, _FIELDS),
            _line(b"XGROUP", b"CREATE", b"a", _GROUP, _ID, b"MKSTREAM"),
            _line(b"XGROUP", b"CREATE", b"a", _GROUP, b"0", b"ENTRIESREAD", _COUNT),
            _line(b"XGROUP", b"SETID", b"a", _GROUP, _ID, b"ENTRIESREAD", _COUNT),
            _line(b"XGROUP", b"CREATECONSUMER", b"a", _GROUP, _ONE),
            _line(b"XREADGROUP", b"GROUP", _GROUP, _ONE, b"COUNT", _COUNT, b"STREAMS", b"a", b">"),
            _line(b"XCLAIM", b"a", _GROUP, _ONE, b"0", _ID, b"TIME", _TIME, b"RETRYCOUNT", _DELIVERIES, b"FORCE"),
            _line(b"XACK", b"a", _GROUP, _ID),
            _line(b"XDEL", b"a", _ID),
            _line(b"XTRIM", b"a", b"MAXLEN", _COUNT),
            _line(b"XTRIM", b"a", b"MINID", _ID),
            _line(b"XSETID", b"a", _ID, b"ENTRIESADDED", _COUNT, b"MAXDELETEDID", _ID),
            _line(b"XNACK", b"a", _GROUP, b"FAIL", b"IDS", b"1", _ID),
            _line(b"XCFGSET", b"a", b"IDMP-DURATION", b"77"),
        ),
        min_size=1,
        max_size=40,
    ),
).map(lambda both: [*both[0], *both[1]])
"""Command lines about a stream `a`; those that are refused do no harm."""


def run(backend: Backend, lines: list[list[bytes]]) -> None:
    for line in lines:
        backend.execute(line)


def look(backend: Backend, key: bytes = b"a", *, exact: bool = False) -> Any:
    """All that can be known of a stream and has to be the same in a copy; `exact`: of one engine in another."""
    reply = backend.execute((b"XINFO", b"STREAM", key, b"FULL", b"COUNT", b"0"))
    assert not isinstance(reply, Error), reply
    return _plain(reply, _NOT_CARRIED if exact else (*_NOT_CARRIED, *_OF_SOME))


def _plain(reply: Any, without: tuple[str, ...], name: str = "") -> Any:
    """Maps and flat arrays by name as dicts."""
    if isinstance(reply, Map):
        pairs: list[Any] = list(reply.pairs)
    elif isinstance(reply, list) and reply and reply[0] in (b"length", b"name") and len(reply) % 2 == 0:
        pairs = list(zip(reply[::2], reply[1::2], strict=True))
    elif isinstance(reply, list) and name not in ("entries", "pending"):
        return [_plain(one, without) for one in reply]
    else:
        return reply
    named = {_NAMES.get(key.decode(), key.decode()): value for key, value in pairs}
    return {key: _plain(value, without, key) for key, value in named.items() if key not in without}
