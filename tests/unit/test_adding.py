"""Many XADDs at once answer as they do one by one, and leave the same."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from streamcli.backend.embedded import Embedded
from streamcli.engine import Engine
from streamcli.engine.adding import plain_ids
from streamcli.reply import Error, Reply
from tests.tools.carried import ask


def _commands(seed: int) -> list[list[bytes]]:
    dice = random.Random(seed)
    return [
        [
            b"XADD",
            dice.choice([b"a", b"a", b"a", b"b", b"text"]),
            b"%d-%d" % (dice.randrange(1, 7), dice.randrange(3)),
            *(dice.randbytes(dice.randrange(5)) for _ in range(2 * dice.randrange(1, 3))),
        ]
        for _ in range(dice.randrange(1, 40))
    ]


def _whole(backend: Embedded) -> list[Reply]:
    told: list[Reply] = []
    for key in ("a", "b", "text"):
        told += [ask(backend, "XRANGE", key, "-", "+"), ask(backend, "XINFO", "STREAM", key)]
    return told


@pytest.mark.parametrize("seed", range(60))
def test_they_answer_and_leave_what_they_do_one_by_one(seed: int) -> None:
    commands = _commands(seed)
    together, alone = Embedded(None), Embedded(None)
    for backend in (together, alone):
        ask(backend, "SET", "text", "1")
    assert plain_ids(commands) is not None
    assert list(together.pipelined(commands, window=7)) == [alone.execute(argv) for argv in commands]
    assert _whole(together) == _whole(alone)
    together.close()
    alone.close()


@pytest.mark.parametrize(
    "argv",
    [
        (b"XADD", b"a", b"*", b"f", b"v"),
        (b"XADD", b"a", b"1-*", b"f", b"v"),
        (b"XADD", b"a", b"1", b"f", b"v"),
        (b"XADD", b"a", b"1-1", b"f"),
        (b"XADD", b"a", b"1-1", b"f", b"v", b"f"),
        (b"XADD", b"a", b"1-99999999999999999999", b"f", b"v"),
        (b"XADD", b"a", b"NOMKSTREAM", b"1-1", b"f", b"v", b"x"),
        (b"xadd", b"a", b"1-1", b"f", b"v"),
        (b"XADD",),
        (b"XLEN", b"a", b"1-1", b"f", b"v"),
    ],
)
def test_any_other_command_is_left_to_the_parser(argv: tuple[bytes, ...]) -> None:
    assert plain_ids([(b"XADD", b"a", b"1-1", b"f", b"v"), argv]) is None
    together, alone = Embedded(None), Embedded(None)
    replies = list(together.pipelined([argv])), [alone.execute(argv)]
    if argv[2:3] != (b"*",):
        assert replies[0] == replies[1]
    together.close()
    alone.close()


def test_in_a_transaction_they_are_queued() -> None:
    backend = Embedded(None)
    ask(backend, "MULTI")
    assert [str(reply) for reply in backend.pipelined([(b"XADD", b"a", b"1-1", b"f", b"v")])] == ["Simple('QUEUED')"]
    assert ask(backend, "EXEC") == [b"1-1"]
    backend.close()


def test_who_watches_the_key_is_told() -> None:
    backend = Embedded(None)
    other = backend.beside()
    ask(other, "WATCH", "a")
    list(backend.pipelined([(b"XADD", b"a", b"1-1", b"f", b"v")]))
    ask(other, "MULTI")
    ask(other, "PING")
    assert repr(ask(other, "EXEC")) == "NIL_ARRAY"
    backend.close()


def test_who_watches_the_key_is_not_told_of_what_was_refused() -> None:
    backend = Embedded(None)
    ask(backend, "XADD", "a", "5-1", "f", "v")
    other = backend.beside()
    ask(other, "WATCH", "a")
    list(backend.pipelined([(b"XADD", b"a", b"1-1", b"f", b"v")]))
    ask(other, "MULTI")
    ask(other, "PING")
    assert len(ask(other, "EXEC")) == 1
    backend.close()


def test_who_waits_for_the_key_is_told() -> None:
    engine = Engine()
    told: list[bytes] = []
    engine.on_touch = lambda db, key: told.append(key)
    from streamcli.engine.adding import add_all

    argvs = [(b"XADD", key, b"1-1", b"f", b"v") for key in (b"a", b"b")]
    ids = plain_ids(argvs)
    assert ids is not None
    with engine.batch(0):
        add_all(engine.session(), argvs, ids, 0)
    assert told == [b"a", b"b"]
    engine.close()


def test_large_ones_are_not_collected_before_they_are_added() -> None:
    backend = Embedded(None)
    asked = []

    def commands() -> Iterator[list[bytes]]:
        for number in range(1, 41):
            asked.append(ask(backend, "XLEN", "a"))
            yield [b"XADD", b"a", b"%d-1" % number, b"f", b"v" * 1_000_000]

    assert len(list(backend.pipelined(commands()))) == 40
    assert max(number - there for number, there in enumerate(asked)) == 4
    backend.close()


def test_a_damaged_file_is_an_error_for_each_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    from streamcli.storage.streams import Stream

    def damaged(*_: object) -> None:
        raise IndexError("a row makes no sense")

    backend = Embedded(None)
    monkeypatch.setattr(Stream, "append", damaged)
    monkeypatch.setattr(type(backend.engine.store), "damaged", lambda store: True)
    replies = list(backend.pipelined([(b"XADD", b"a", b"1-1", b"f", b"v")] * 2))
    monkeypatch.undo()
    assert len(replies) == 2
    assert all(isinstance(reply, Error) for reply in replies)
    assert ask(backend, "EXISTS", "a") == 0
    backend.close()
