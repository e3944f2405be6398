"""Every kind of reply becomes what redis-py's own parser reads from its bytes."""

from __future__ import annotations

from typing import Any

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st
from redis._parsers import Encoder

from streamcli.client.values import Values, Words, decoder
from streamcli.reply import NIL_ARRAY, Error, Map, Reply, Set, Simple, Verbatim
from streamcli.resp import encode
from tests.client.parsed import encoder_of, parsed, shape

BYTES = encoder_of("utf-8", "strict", False)
TEXT = encoder_of("utf-8", "surrogateescape", True)
LATIN = encoder_of("latin-1", "strict", True)
REPLIES: list[Reply] = [
    Simple("OK"),
    Simple("two\r\nlines"),
    b"",
    b"\x00\xff\r\n",
    None,
    NIL_ARRAY,
    0,
    -(2**63),
    True,
    False,
    1.5,
    float("inf"),
    -0.0,
    3.0,
    Verbatim("txt", b"a text"),
    [],
    [b"a", 1, [b"b", [NIL_ARRAY, None]]],
    [Simple("OK"), [b"1-1", [b"f", b"v"]]],
    Map([(b"a", 1), (b"b", [Map([(b"c", None)])]), (b"a", 2)]),
    Map([]),
    Set([b"a", Simple("b"), [1]]),
    [[Error("NOAUTH Authentication required.")], 1],
    [Error("WRONGTYPE Operation"), b"x", Error("ERR unknown")],
    Error("ERR no such key"),
    Error("NOGROUP No such key 'a'"),
    Error("EXECABORT Transaction discarded"),
    Error("WRONGPASS invalid"),
    Error("NOAUTH Authentication required."),
    Error("NOSCRIPT No matching script"),
    Error("READONLY You can't write"),
    Error("OOM command not allowed"),
    Error("NOPERM no"),
    Error("ERR a byte that is no text: \udcff"),
    Error("ERR two\r\nlines"),
    Error("ERR"),
]


def value(reply: Reply, protocol: int, encoder: Encoder) -> Any:
    try:
        return Values(protocol, decoder(encoder)).value(reply)
    except redis.ConnectionError as error:
        return error


@pytest.mark.parametrize("encoder", [BYTES, TEXT, LATIN], ids=["bytes", "text", "latin-1"])
@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("reply", REPLIES, ids=repr)
def test_a_reply_has_the_value_that_redis_py_reads(reply: Reply, protocol: int, encoder: Encoder) -> None:
    assert shape(value(reply, protocol, encoder)) == shape(parsed(encode(reply, protocol), protocol, encoder))


LEAVES = st.one_of(
    st.binary(max_size=8),
    st.integers(-(2**63), 2**63 - 1),
    st.none(),
    st.just(NIL_ARRAY),
    st.builds(Simple, st.text("abc ", max_size=4)),
    st.builds(Error, st.text("ABC ", min_size=1, max_size=6)),
)
NESTED: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.builds(Map, st.lists(st.tuples(st.binary(max_size=3), inner), max_size=3)),
        st.builds(Set, st.lists(inner, max_size=3)),
    ),
    max_leaves=12,
)


@given(NESTED, st.sampled_from([2, 3]), st.sampled_from([BYTES, TEXT]))
def test_so_has_any_reply_however_it_is_nested(reply: Reply, protocol: int, encoder: Encoder) -> None:
    assert shape(value(reply, protocol, encoder)) == shape(parsed(encode(reply, protocol), protocol, encoder))


def test_an_error_becomes_the_exception_of_its_code() -> None:
    assert type(value(Error("EXECABORT no"), 2, BYTES)) is redis.exceptions.ExecAbortError
    assert type(value(Error("NOSCRIPT no"), 2, BYTES)) is redis.exceptions.NoScriptError
    assert type(value(Error("NOGROUP no"), 2, BYTES)) is redis.ResponseError


def test_text_that_is_none_cannot_be_decoded_strictly() -> None:
    with pytest.raises(UnicodeDecodeError):
        value([b"\xff"], 2, encoder_of("utf-8", "strict", True))


@pytest.mark.parametrize("encoder", [BYTES, LATIN], ids=["utf-8", "latin-1"])
def test_words_are_what_redis_py_packs(encoder: Encoder) -> None:
    from redis.connection import PythonRespSerializer

    from streamcli.resp import encode_command

    words = Words(encoder)
    serializer: Any = PythonRespSerializer(6000, encoder.encode)
    for args in (
        ("XGROUP CREATE", "a", b"g", "$"),
        ("XADD", memoryview(b"key"), "*", "é", 1, "f", 1.5, -0.0, float("inf")),
        (b"CONFIG GET", "x" * 9000),
        ("PING",),
    ):
        wire = b"".join(bytes(piece) for piece in serializer.pack(*args))
        assert encode_command(words.argv(args)) == wire


@pytest.mark.parametrize("wrong", [None, True, object(), [1], {}], ids=lambda word: type(word).__name__)
def test_what_is_no_word_is_redis_py_s_data_error(wrong: object) -> None:
    with pytest.raises(redis.DataError):
        Words(BYTES).argv(("GET", wrong))
