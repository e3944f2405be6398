"""Requests: what a client's bytes are, however they arrive."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamcli.resp import encode_command
from streamcli.server.requests import RequestError, Requests

WORDS = st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([b"\r\n", b"a\r\nb", b"", b"*1\r\n"])), min_size=1)
TYPED = st.lists(st.from_regex(rb"[a-zA-Z0-9]{1,10}", fullmatch=True), min_size=1, max_size=5)


def parts(data: bytes, cuts: list[int]) -> list[bytes]:
    """The bytes, cut at these places."""
    places = sorted({cut % (len(data) + 1) for cut in cuts})
    return [data[low:high] for low, high in zip([0, *places], [*places, len(data)], strict=True)]


def read(*pieces: bytes, requests: Requests | None = None) -> list[list[bytes]]:
    """Every command, each piece read before the next one comes."""
    requests = requests or Requests()
    found = []
    for piece in pieces:
        requests.feed(piece)
        found += list(requests)
    return found


def fault(*pieces: bytes, requests: Requests | None = None) -> tuple[list[list[bytes]], str]:
    """The commands before the fault, and what it says."""
    requests = requests or Requests()
    found: list[list[bytes]] = []
    try:
        for piece in pieces:
            requests.feed(piece)
            while (request := requests.next()) is not None:
                found.append(request)
    except RequestError as error:
        return found, str(error).removeprefix("ERR Protocol error: ")
    return found, "nothing"


@given(st.lists(st.one_of(WORDS, TYPED.map(tuple)), max_size=12), st.lists(st.integers(0, 10**6), max_size=20))
def test_commands_are_the_same_however_they_are_cut(commands: list[list[bytes]], cuts: list[int]) -> None:
    data = b"".join(
        b" ".join(words) + b"\r\n" if isinstance(words, tuple) else encode_command(words) for words in commands
    )
    expected = [list(words) for words in commands]
    requests = Requests()
    assert read(*parts(data, cuts), requests=requests) == expected
    assert requests.size == 0
    assert read(data) == expected
    assert read(*(data[at : at + 1] for at in range(len(data)))) == expected


@given(st.binary(max_size=300), st.lists(st.integers(0, 10**6), max_size=10))
def test_any_bytes_are_read_the_same_however_they_are_cut(data: bytes, cuts: list[int]) -> None:
    assert fault(*parts(data, cuts)) == fault(data)


@given(
    st.lists(st.sampled_from([b"*", b"$", b"\r\n", b"1", b"2", b"3", b"-1", b"PING", b" ", b'"', b"0"]), max_size=40)
)
def test_what_looks_like_a_request_is_read_the_same_however_it_is_cut(pieces: list[bytes]) -> None:
    assert fault(*pieces) == fault(b"".join(pieces))


def test_many_commands_at_once_are_read_one_by_one() -> None:
    one = [b"XADD", b"s", b"*", b"field", b"value"]
    assert read(encode_command(one) * 5000) == [one] * 5000


@pytest.mark.parametrize("size", [1, 7, 1000, 65536])
def test_many_commands_in_pieces_are_read_one_by_one(size: int) -> None:
    one = [b"XADD", b"s", b"*", b"field", b"va\r\nlue"]
    data = encode_command(one) * 300
    assert read(*(data[at : at + size] for at in range(0, len(data), size))) == [one] * 300


def test_a_long_word_is_put_together() -> None:
    word = bytes(range(256)) * 40_000
    data = encode_command([b"SET", b"k", word])
    requests = Requests()
    assert read(*(data[at : at + 65536] for at in range(0, len(data), 65536)), requests=requests) == [
        [b"SET", b"k", word]
    ]


def test_the_size_is_what_waits_for_its_rest() -> None:
    requests = Requests()
    requests.feed(b"*2\r\n$4\r\nECHO\r\n$10\r\nabc")
    assert list(requests) == []
    assert requests.size == len(b"ECHO") + len(b"abc")
    requests.feed(b"defghij\r\n")
    assert list(requests) == [[b"ECHO", b"abcdefghij"]]
    assert requests.size == 0


@pytest.mark.parametrize(
    ("data", "commands"),
    [
        (b"*0\r\n*-1\r\n*-10\r\nPING\r\n", [[b"PING"]]),
        (b"\r\n\n  \r\nPING\r\n", [[b"PING"]]),
        (b"PING\nPING\r\n", [[b"PING"], [b"PING"]]),
        (b'PING "a b"\r\n', [[b"PING", b"a b"]]),
        (b"PING 'a\\'b' \"\\x41\\n\"\r\n", [[b"PING", b"a'b", b"A\n"]]),
        (b"*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n", [[b"PING"], [b"PING"]]),  # Redis: whatever ends a word
        (b"*1\r\n$4\r\nPING\r\n\r\nPING\r\n", [[b"PING"], [b"PING"]]),
        (b"*1\r\n$0\r\n\r\n", [[b""]]),
        (b"*2147483647\r\n$4\r\n", []),
        (b"*1\n$4\nPING\n", []),
        (b"*", []),
        (b"*1\r\n$4", []),
    ],
)
def test_what_redis_takes_is_taken(data: bytes, commands: list[list[bytes]]) -> None:
    assert fault(data) == (commands, "nothing")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"*2147483648\r\n", "invalid multibulk length"),
        (b"*9223372036854775808\r\n", "invalid multibulk length"),
        (b"*a\r\n", "invalid multibulk length"),
        (b"*\r\n", "invalid multibulk length"),
        (b"*+1\r\n", "invalid multibulk length"),
        (b"*01\r\n", "invalid multibulk length"),
        (b"*-0\r\n", "invalid multibulk length"),
        (b"* 1\r\n", "invalid multibulk length"),
        (b"*1\nfoo\r\n", "invalid multibulk length"),
        (b"*1\r\nPING\r\n", "expected '$', got 'P'"),
        (b"*1\r\n*1\r\n", "expected '$', got '*'"),
        (b"*1\r\n\r\n", "expected '$', got '\r'"),
        (b"*1\r\n\xff\r\n", "expected '$', got '\udcff'"),
        (b"*1\r\n$-1\r\n", "invalid bulk length"),
        (b"*1\r\n$x\r\n", "invalid bulk length"),
        (b"*1\r\n$\r\n", "invalid bulk length"),
        (b"*1\r\n$04\r\n", "invalid bulk length"),
        (b"*1\r\n$9223372036854775808\r\n", "invalid bulk length"),
        (b"*1\r\n$536870913\r\n", "invalid bulk length"),
        (b"*" + b"1" * 70_000, "too big mbulk count string"),
        (b"*1\r\n$" + b"1" * 70_000, "too big bulk count string"),
        (b"a" * 70_000, "too big inline request"),
        (b'PING "a\r\n', "unbalanced quotes in request"),
        (b'PING "a"b\r\n', "unbalanced quotes in request"),
    ],
)
def test_what_redis_refuses_is_refused_in_its_words(data: bytes, said: str) -> None:
    before = encode_command([b"PING", b"first"])
    assert fault(before + data) == ([[b"PING", b"first"]], said)


def test_after_a_fault_nothing_is_read_any_more() -> None:
    requests = Requests()
    assert fault(b"*1\r\nfoo\r\n", requests=requests)[1] == "expected '$', got 'f'"
    assert fault(encode_command([b"PING"]), requests=requests) == ([], "expected '$', got 'f'")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"*11\r\n", "unauthenticated multibulk length"),
        (b"*1\r\n$16385\r\n", "unauthenticated bulk length"),
        (b"*10\r\n$16384\r\n", "nothing"),
    ],
)
def test_a_stranger_is_not_listened_to_for_long(data: bytes, said: str) -> None:
    requests = Requests()
    requests.stranger = True
    assert fault(data, requests=requests) == ([], said)


def test_who_was_let_in_is_listened_to() -> None:
    requests = Requests()
    requests.stranger = True
    many = [b"%d" % number for number in range(20)]
    requests.feed(encode_command([b"AUTH", b"secret"]) + encode_command(many))
    assert requests.next() == [b"AUTH", b"secret"]
    requests.stranger = False
    assert requests.next() == many


@given(st.lists(WORDS, min_size=1, max_size=3), st.lists(st.integers(0, 10**6), max_size=4))
def test_a_command_that_comes_alone_is_one(commands: list[list[bytes]], cuts: list[int]) -> None:
    requests = Requests()
    found: list[list[bytes]] = []
    for piece in parts(b"".join(map(encode_command, commands)), cuts):
        alone = requests.alone(piece)
        found += [alone] if alone is not None else list(requests)
    assert found == commands
    assert requests.size == 0
