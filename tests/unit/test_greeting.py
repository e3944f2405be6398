"""The first words on a connection, against servers that are written down."""

from __future__ import annotations

import pytest

from streamcli.backend import Server, UnreachableError
from streamcli.backend.address import Address
from streamcli.backend.remote.greeting import Greeting, greet, who
from streamcli.reply import OK, Error, Map, Reply

HELLO: Reply = Map([(b"server", b"redis"), (b"version", b"8.0.6"), (b"proto", 3), (b"id", 7), (b"mode", b"cluster")])
REDIS = Server("redis", "8.0.6", "cluster", "")
UNKNOWN = Error("ERR unknown command 'HELLO', with args beginning with: '3' ")


class Played:
    """Answers as it is told to, and keeps what it was asked."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.asked: list[str] = []

    def __call__(self, *words: str) -> Reply:
        self.asked.append(" ".join(words))
        return self.replies.pop(0)


def test_hello_says_it_all_at_once() -> None:
    server = Played(HELLO)
    assert greet(Address(user="ann", password="pw"), server) == Greeting(3, REDIS, 7)
    assert server.asked == ["HELLO 3 AUTH ann pw"]


def test_a_password_alone_is_the_default_users() -> None:
    server = Played([b"server", b"redis", b"version", b"6.2", b"id", 1], OK)
    assert greet(Address(password="pw", protocol=2, db=4), server) == Greeting(2, Server("redis", "6.2"), 1)
    assert server.asked == ["HELLO 2 AUTH default pw", "SELECT 4"]


def test_a_server_without_the_protocol_is_spoken_to_in_resp2() -> None:
    server = Played(Error("NOPROTO unsupported protocol version"), HELLO)
    assert greet(Address(), server).protocol == 2
    assert server.asked == ["HELLO 3", "HELLO 2"]


def test_a_server_without_hello_gets_auth() -> None:
    server = Played(UNKNOWN, OK, OK)
    assert greet(Address(password="pw", db=1), server) == Greeting(2, None, None)
    assert server.asked == ["HELLO 3 AUTH default pw", "AUTH pw", "SELECT 1"]


def test_who_has_no_password_gets_in_and_is_refused_later() -> None:
    server = Played(Error("NOAUTH HELLO must be called with the client already authenticated"))
    assert greet(Address(db=1), server) == Greeting(2, None, None, welcome=False)
    needed = Error("NOAUTH Authentication required.")
    assert greet(Address(db=1), Played(UNKNOWN, needed)) == Greeting(2, None, None, welcome=False)


@pytest.mark.parametrize(
    ("replies", "text"),
    [
        (
            [Error("WRONGPASS invalid username-password pair or user is disabled.")],
            "127.0.0.1:6379 does not let user ann in with this password: "
            "WRONGPASS invalid username-password pair or user is disabled.",
        ),
        ([UNKNOWN, Error("ERR max clients")], "127.0.0.1:6379 does not let user ann in: ERR max clients"),
        ([HELLO, Error("ERR DB index")], "127.0.0.1:6379 has no database 99: ERR DB index"),
    ],
)  # fmt: skip
def test_who_is_not_let_in_hears_why_and_no_password(replies: list[Reply], text: str) -> None:
    with pytest.raises(UnreachableError) as raised:
        greet(Address(user="ann", password="geheim", db=99), Played(*replies))
    assert str(raised.value) == text


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ("ERR SELECT is not allowed in cluster mode", "has no database 3: ERR SELECT is not allowed in cluster mode"),
        ("NOPERM no permissions", "does not let us use database 3: NOPERM no permissions"),
    ],
)
def test_nobody_is_left_in_another_database_than_the_one_that_was_named(error: str, text: str) -> None:
    with pytest.raises(UnreachableError) as raised:
        greet(Address(db=3, cluster=True), Played(HELLO, Error(error)))
    assert str(raised.value) == f"127.0.0.1:6379 {text}"


@pytest.mark.parametrize("reply", [None, 7, [], [b"server"], Map([]), [1, 2], Map([([], b"x")]), [b"server", 3]])
def test_whatever_hello_is_answered_it_is_no_reason_to_fall_over(reply: Reply) -> None:
    assert who(reply) == (None, None)
