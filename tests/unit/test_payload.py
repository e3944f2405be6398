"""DUMP and RESTORE: a key as bytes and back, and bytes that are no key."""

from __future__ import annotations

import random

import pytest

from streamcli.engine import Engine
from streamcli.reply import OK, Error, Reply
from streamcli.storage import payload

NOW = 1_795_176_000_000
BAD = (Error("ERR DUMP payload version or checksum are wrong"), Error("ERR Bad data format"))


def ask(engine: Engine, line: str, *more: bytes) -> Reply:
    reply = engine.execute([*(word.encode() for word in line.split(" ")), *more], NOW)
    assert not isinstance(reply, tuple)
    return reply


def full(engine: Engine) -> bytes:
    """A stream with all that a stream can have, dumped."""
    for number in range(1, 251):
        ask(engine, f"XADD s {number}-1 n {number}", b"blob", bytes([number % 256, 0, 13, 10]))
    ask(engine, "XADD s 300-1 large", b"x" * 10_000)
    ask(engine, "XDEL s 5-1 250-1")
    for group in ("g", "h"):
        ask(engine, f"XGROUP CREATE s {group} 0")
        ask(engine, f"XREADGROUP GROUP {group} ann COUNT 7 STREAMS s >")
        ask(engine, f"XREADGROUP GROUP {group} bob COUNT 3 STREAMS s >")
    ask(engine, "XACK s g 3-1")
    ask(engine, "XNACK s g FAIL IDS 2 1-1 4-1")
    for number in (1, 2, 3):
        ask(engine, f"XIDMPRECORD s p{number % 2} i{number} {number}-1")
    data = ask(engine, "DUMP s")
    assert isinstance(data, bytes)
    return data


def sealed(data: bytes) -> bytes:
    """With a checksum that is right."""
    return data + payload._checksum(data)


@pytest.mark.parametrize("where", ["memory", "file"])
def test_a_stream_comes_back_as_it_was(where: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = None if where == "memory" else str(tmp_path_factory.mktemp("d") / "a.db")
    here, there = Engine(), Engine(path)
    data = full(here)
    assert ask(there, "RESTORE t 0", data) == OK
    for line in (
        "XLEN {}", "XRANGE {} - +", "XINFO STREAM {} FULL COUNT 0", "XINFO GROUPS {}", "XINFO CONSUMERS {} g",
        "XPENDING {} g - + 100", "XPENDING {} h - + 100 bob",
    ):  # fmt: skip
        assert ask(there, line.format("t")) == ask(here, line.format("s"))
    for engine, name in ((here, "s"), (there, "t")):  # and it goes on as the other one
        ask(engine, f"XADD {name} 301-1 f v")
        ask(engine, f"XTRIM {name} MAXLEN ~ 120")
        ask(engine, f"XREADGROUP GROUP g ann COUNT 2 STREAMS {name} >")
    for line in ("XINFO STREAM {} FULL", "XPENDING {} g - + 100"):
        assert ask(there, line.format("t")) == ask(here, line.format("s"))


def test_a_string_comes_back(tmp_path_factory: pytest.TempPathFactory) -> None:
    engine = Engine()
    ask(engine, "SET a", b"\x00\r\nvalue")
    data = ask(engine, "DUMP a")
    assert isinstance(data, bytes)
    assert ask(engine, "RESTORE a 0", data) == Error("BUSYKEY Target key name already exists.")
    ask(engine, "XADD b 1-1 f v")
    assert ask(engine, "RESTORE b 5000", data, b"REPLACE") == OK
    assert ask(engine, "GET b") == b"\x00\r\nvalue"
    assert ask(engine, "PTTL b") == 5000
    assert ask(engine, f"RESTORE c {NOW + 77}", data, b"ABSTTL") == OK
    assert ask(engine, "PTTL c") == 77
    assert ask(engine, f"RESTORE d {NOW - 1}", data, b"ABSTTL") == OK
    assert ask(engine, "EXISTS d") == 0
    assert ask(engine, "DBSIZE") == 3


def test_every_table_is_in_a_payload() -> None:
    store = Engine().store
    sql = "SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%'"
    tables = {name for (name,) in store.run(sql)}
    assert {table.name for table in payload._tables(store)} == tables - {"keys"}


def test_what_was_damaged_on_the_way_is_refused() -> None:
    engine = Engine()
    data = full(engine)
    rng = random.Random(1)
    for _ in range(200):
        at = rng.randrange(len(data))
        damaged = data[:at] + bytes([data[at] ^ (1 + rng.randrange(255))]) + data[at + 1 :]
        assert ask(engine, "RESTORE t 0", damaged) == BAD[0]
        assert ask(engine, "RESTORE t 0", data[:at]) == BAD[0]
    assert ask(engine, "EXISTS t") == 0


def test_who_forges_a_checksum_gets_no_broken_key() -> None:
    """Whatever the bytes say: an error, or a key that every command can use."""
    engine = Engine()
    body = full(engine)[: -payload._CHECKSUM]
    rng = random.Random(2)
    answers = set()
    for turn in range(800):
        # Every other time not among the entries, which are most of it.
        at = rng.randrange(len(payload._MAGIC) if turn % 2 else body.index(b"nodes"), len(body) - 2)
        what = rng.randrange(4)
        if what == 0:
            forged = body[:at] + bytes([rng.randrange(256)]) + body[at + 1 :]
        elif what == 1:
            forged = body[:at] + body[at + rng.randrange(1, 30) : -2] + body[-2:]
        elif what == 2:
            forged = body[:at] + body[at - rng.randrange(1, 10) : -2] + body[-2:]
        else:
            forged = body[:at] + body[-2:]
        reply = ask(engine, "RESTORE t 0", sealed(forged), b"REPLACE")
        assert reply == OK or reply in BAD
        answers.add(str(reply))
        if reply == OK:
            for line in (
                "XINFO STREAM t FULL COUNT 0",
                "XRANGE t - +",
                "XPENDING t g",
                "XADD t * f v",
                "XADD t IDMP p1 new * f v",
                "XREADGROUP GROUP g ann CLAIM 0 COUNT 5 STREAMS t >",
                "XACKDEL t g DELREF IDS 3 1-1 2-1 4-1",
                "XCFGSET t IDMP-MAXSIZE 7",
                "XTRIM t MAXLEN ~ 3",
            ):
                assert "damaged" not in str(ask(engine, line))
            engine.execute([b"DEL", b"t"], NOW)
    assert len(answers) == 2
    assert ask(engine, "XLEN s") == 249


@pytest.mark.parametrize(
    "column",
    [
        "streams.appended", "streams.version", "streams.full_bytes", "streams.tail_bytes", "streams.iids_duplicates",
        "nodes.bytes", "groups.turns", "groups.nacks", "pending.turn", "producers.placed", "iids.place",
    ],
)  # fmt: skip
@pytest.mark.parametrize("number", [2**63 - 1, 2**61, -1, -(2**63)])
def test_who_forges_a_count_that_cannot_be_counted_on_is_refused(column: str, number: int) -> None:
    """Such a key could be read, but the next XADD to it could never be written down, nor anything behind it."""
    engine = Engine()
    data = full(engine)
    table, _, name = column.partition(".")
    assert ask(engine, "RESTORE t 0", data) == OK
    with engine.store.transaction(write=True, now_ms=NOW):
        engine.store.run(f"UPDATE {table} SET {name}=?", (number,))
    forged = ask(engine, "DUMP s")
    assert isinstance(forged, bytes)
    assert ask(engine, "RESTORE u 0", forged) == BAD[1]
    assert ask(engine, "EXISTS u") == 0


@pytest.mark.parametrize("data", [b"", b"x", b"streamcli key\0", b"\x00\x01v\x0c\x00Z~\xfar\xe3\x12\x14\x87"])
def test_what_is_no_payload_is_refused(data: bytes) -> None:
    assert ask(Engine(), "RESTORE t 0", data) == BAD[0]
    assert ask(Engine(), "RESTORE t 0", sealed(data)) in BAD


def test_another_version_is_refused() -> None:
    engine = Engine()
    body = full(engine)[: -payload._CHECKSUM]
    assert ask(engine, "RESTORE t 0", sealed(body[:-2] + b"\xff\xff")) == BAD[0]
