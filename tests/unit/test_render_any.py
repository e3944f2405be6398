"""Whatever a server answers to whatever was asked: no renderer raises, and none lets a terminal be steered."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli.render import FORMATS, Options, renderer
from streamcli.reply import NIL_ARRAY, Arriving, Error, Map, Push, Reply, Set, Simple, Verbatim
from tests.unit.test_render_support import Asked, Unknown, entry, show

SGR = re.compile(r"\x1b\[[0-9;]*m")

names = st.sampled_from([b"length", b"entries", b"groups", b"name", b"pending", b"first-entry", b"idle", b"consumers"])
ids = st.sampled_from([b"1526984818136-0", b"1-1", b"-", b"18446744073709551615-1"])
strings = st.binary(max_size=12) | names | ids | st.text(max_size=8).map(lambda text: text.encode("utf-8", "replace"))
texts = strings.map(lambda data: data.decode("utf-8", "surrogateescape"))
leaves: st.SearchStrategy[Reply] = st.one_of(
    strings,
    st.integers(-(2**63), 2**63 - 1),
    st.none(),
    st.just(NIL_ARRAY),
    st.booleans(),
    st.floats(),
    texts.map(Simple),
    texts.map(Error),
    strings.map(lambda data: Verbatim("txt", data)),
)
fields = st.lists(strings, max_size=6)
entries = st.tuples(ids | strings, fields | leaves).map(list) | st.tuples(ids, fields, leaves, leaves).map(list)


def arriving(items: list[Reply]) -> Arriving:
    """The items in pieces of two."""
    return Arriving(len(items), iter([items[at : at + 2] for at in range(0, len(items), 2)]))


def nests(inner: st.SearchStrategy[Reply]) -> st.SearchStrategy[Reply]:
    lists = st.lists(inner, max_size=4)
    maps = st.lists(st.tuples(strings | inner, inner), max_size=3).map(Map)
    return st.one_of(lists, maps, lists.map(Set), lists.map(Push), st.lists(entries, max_size=3))


replies: st.SearchStrategy[Reply] = st.recursive(leaves, nests, max_leaves=15)
commands = ["XREAD", "XREADGROUP", "XRANGE", "XREVRANGE", "XCLAIM", "XAUTOCLAIM", "XPENDING", "INFO", "PING"]
commands += ["XINFO STREAM", "XINFO GROUPS", "XINFO CONSUMERS"]
asked = st.sampled_from(commands).flatmap(
    lambda name: st.sampled_from([Asked(name), Asked(name, justid=True, start=b"-")])
)
calls = st.one_of(
    asked,
    st.lists(asked, max_size=4).map(lambda queued: Asked("EXEC", queued=queued)),
    st.just(None),
    st.just(Unknown(b"\xff\x1b")),
)


@pytest.mark.parametrize("format", FORMATS)
@settings(derandomize=True, deadline=None, max_examples=300)
@given(reply=replies, call=calls, color=st.booleans(), unicode=st.booleans())
def test_no_reply_breaks_a_renderer_or_steers_a_terminal(
    format: str, reply: Reply, call: Asked | Unknown | None, color: bool, unicode: bool
) -> None:
    shown = show(format, reply, call, Options(color=color, unicode=unicode, terminal=True))
    words = SGR.sub("", shown) if color else shown
    assert [c for c in words if not (c.isprintable() or c in "\n\u3000")] == []
    show(format, reply, call, Options()).encode("utf-8", "surrogateescape")


@pytest.mark.parametrize("format", FORMATS)
@settings(derandomize=True, deadline=None, max_examples=300)
@given(reply=st.lists(replies | entries, min_size=1, max_size=8) | st.lists(strings, min_size=1), call=calls)
def test_a_reply_that_arrives_looks_as_it_does_whole(
    format: str, reply: list[Reply], call: Asked | Unknown | None
) -> None:
    nested = [isinstance(item, (list, Map, Set, Push)) for item in reply]
    if format in ("tree", "table") and any(nested) and not nested[0]:
        return  # of what arrives the first item alone says whether there are lists inside
    options = Options(color=True, terminal=True)
    assert show(format, arriving(reply), call, options) == show(format, reply, call, options)


class GoneError(Exception):
    pass


ROWS: list[Reply] = [[b"1-1", b"consumer", 1, 1]] * 3
ENTRIES: list[Reply] = [
    entry("1526984818136-0", "city", "Rome"),
    entry("1-1"),
    entry("1526984818137-0", "a", "b", "c", "d"),
]
NAMES: list[Reply] = [b"one", b"two", b"three"]
LONG: list[tuple[list[Reply], Asked]] = [
    (ENTRIES, Asked("XRANGE")),
    (ENTRIES, Asked("XREVRANGE")),
    (NAMES, Asked("KEYS")),
    (ROWS, Asked("XPENDING", start=b"-")),
]  # fmt: skip


@pytest.mark.parametrize(("reply", "call"), LONG, ids=lambda one: "" if isinstance(one, list) else one.command.name)
@pytest.mark.parametrize("format", sorted(set(FORMATS) - {"csv"}))
def test_what_has_arrived_is_drawn_before_a_connection_is_lost(format: str, reply: list[Reply], call: Asked) -> None:
    def pieces() -> Iterator[list[Reply]]:
        for item in reply:
            yield [item]
        raise GoneError

    whole = list(renderer(format)([*reply, reply[0]], call, Options()))
    chunks = renderer(format)(Arriving(len(reply) + 1, pieces()), call, Options())
    shown: list[str] = []
    with pytest.raises(GoneError):
        shown.extend(chunks)
    if format == "jsonl" and call.command.name == "KEYS":
        assert shown == []  # it is one line
    else:
        assert len(shown) >= len(reply) - 1
        assert "\n".join(whole).startswith("\n".join(shown))


@settings(derandomize=True, deadline=None, max_examples=300)
@given(reply=replies, call=calls)
def test_json_is_one_document_and_each_line_of_jsonl_is_one(reply: Reply, call: Asked | Unknown | None) -> None:
    json.loads(show("json", reply, call))
    for line in show("jsonl", reply, call).splitlines():
        json.loads(line)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(reply=replies, call=calls, color=st.booleans())
def test_no_line_of_a_tree_ends_in_blanks(reply: Reply, call: Asked | Unknown | None, color: bool) -> None:
    if isinstance(reply, Verbatim) or (call is not None and call.argv == (b"INFO",)):
        return  # a page of text is the server's own layout
    for line in SGR.sub("", show("tree", reply, call, Options(color=color))).split("\n"):
        assert line == line.rstrip()


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("kind", ["list", "set", "value", "key", "record"])
def test_a_nest_deeper_than_python_calls_is_drawn(format: str, kind: str) -> None:
    reply: Reply = b"core"
    for _ in range(2000):
        if kind == "list":
            reply = [reply, 1]
        elif kind == "set":
            reply = Set([reply])
        elif kind == "value":
            reply = Map([(b"k", reply)])
        elif kind == "key":
            reply = Map([(reply, 1)])
        else:
            reply = [b"name", b"g", b"groups", [reply]]
    assert show(format, reply, Asked("XINFO STREAM")).count("core") == 1
