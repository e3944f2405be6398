"""The same random commands, in memory and on a file: the same answers; and a file opened again is what it was."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli.engine import Engine, Wait
from streamcli.reply import Error, Reply

PROFILE = settings(derandomize=True, deadline=None, max_examples=100)
START_MS = 1_700_000_000_000

PLACES: dict[str, list[bytes]] = {
    "{key}": [b"a", b"a", b"a", b"b", b"c", b""],
    "{new}": [b"*", b"*", b"*", b"1-*", b"1-1", b"1-2", b"2-1", b"5-5", b"9-*", b"2000000000000-*"],
    "{id}": [b"1-1", b"1-2", b"2-1", b"5-5", b"9-0", b"9-1", b"0-1", b"1"],
    "{from}": [b"-", b"0", b"1-1", b"(1-1", b"5"],
    "{to}": [b"+", b"9", b"5-5", b"(9-1"],
    "{group}": [b"g", b"g", b"h", b"\xff\0"],
    "{one}": [b"alice", b"bob", b"\0"],
    "{n}": [b"0", b"1", b"2", b"3", b"10"],
    "{ms}": [b"0", b"0", b"1", b"50", b"1000"],
    "{word}": [b"", b"f", b"v", b"7", b"-12345678901", b"\0", b"x" * 70, b"y" * 1500],
    "{strategy}": [b"MAXLEN", b"MINID"],
    "{mark}": [b"=", b"~"],
    "{references}": [b"KEEPREF", b"DELREF", b"ACKED"],
    "{mode}": [b"SILENT", b"FAIL", b"FATAL"],
    "{seconds}": [b"1", b"1", b"86400"],
    "{few}": [b"1", b"2", b"100"],
}
TEMPLATES = """
XADD {key} {new} f {word}
XADD {key} {new} f {word}
XADD {key} {new} f {word} {word} {word}
XADD {key} NOMKSTREAM {strategy} {mark} {n} {new} f {word}
XADD {key} MAXLEN ~ {n} LIMIT {n} {new} f {word}
XTRIM {key} {strategy} {mark} {n}
XDEL {key} {id} {id}
XLEN {key}
XRANGE {key} {from} {to} COUNT {n}
XREVRANGE {key} {to} {from}
XREAD COUNT {n} STREAMS {key} {key} {id} 0
XREAD BLOCK {ms} STREAMS {key} $
XGROUP CREATE {key} {group} {id} MKSTREAM
XGROUP CREATE {key} {group} $ ENTRIESREAD {n}
XGROUP CREATE {key} {group} 0
XGROUP SETID {key} {group} {id}
XGROUP DESTROY {key} {group}
XGROUP CREATECONSUMER {key} {group} {one}
XGROUP DELCONSUMER {key} {group} {one}
XREADGROUP GROUP {group} {one} COUNT {n} STREAMS {key} >
XREADGROUP GROUP {group} {one} STREAMS {key} >
XREADGROUP GROUP {group} {one} NOACK COUNT {n} STREAMS {key} >
XREADGROUP GROUP {group} {one} COUNT {n} STREAMS {key} {id}
XACK {key} {group} {id} {id} {id}
XADD {key} {references} {strategy} {mark} {n} {new} f {word}
XADD {key} IDMP {one} {word} * f {word}
XADD {key} IDMPAUTO {one} MAXLEN 2 * f {word}
XTRIM {key} {strategy} {mark} {n} {references}
XDELEX {key} {references} IDS 2 {id} {id}
XACKDEL {key} {group} {references} IDS 2 {id} {id}
XNACK {key} {group} {mode} IDS 2 {id} {id}
XNACK {key} {group} {mode} IDS 1 {id} FORCE RETRYCOUNT {n}
XREADGROUP GROUP {group} {one} CLAIM {ms} STREAMS {key} >
XREADGROUP GROUP {group} {one} CLAIM {ms} MAXCOUNT {n} MAXSIZE 90 STREAMS {key} {key} > >
XREADGROUP GROUP {group} {one} MAXSIZE 60 STREAMS {key} {id}
XREADGROUP GROUP {group} {one} BLOCK {ms} CLAIM {ms} STREAMS {key} >
XREAD MAXSIZE 80 STREAMS {key} {key} 0 0
XCFGSET {key} IDMP-DURATION {seconds} IDMP-MAXSIZE {few}
XIDMPRECORD {key} {one} {word} {id}
XPENDING {key} {group}
XPENDING {key} {group} IDLE {ms} {from} {to} {n} {one}
XCLAIM {key} {group} {one} {ms} {id} {id}
XCLAIM {key} {group} {one} {ms} {id} IDLE {ms} RETRYCOUNT {n} FORCE JUSTID LASTID {id}
XAUTOCLAIM {key} {group} {one} {ms} {from} COUNT {n}
XINFO STREAM {key}
XINFO GROUPS {key}
XINFO CONSUMERS {key} {group}
XSETID {key} 9-9 ENTRIESADDED {n} MAXDELETEDID {id}
SET {key} {word} PX 100
SET {key} {word} NX GET
GETDEL {key}
DEL {key}
EXPIRE {key} {n} NX
PEXPIRE {key} 60
PERSIST {key}
PTTL {key}
TYPE {key}
COPY {key} {key} REPLACE
COPY {key} {key} DB 1
RENAME {key} {key}
RENAMENX {key} {key}
SWAPDB 0 1
SELECT {n}
SELECT 0
FLUSHDB
SCAN 0 COUNT {n}
KEYS *
DBSIZE
WATCH {key}
MULTI
MULTI
EXEC
EXEC
DISCARD
"""

words_of = {word: st.sampled_from(choices) for word, choices in PLACES.items()}
commands = st.sampled_from(TEMPLATES.strip().splitlines()).flatmap(
    lambda line: st.tuples(*(words_of[word] if word in words_of else st.just(word.encode()) for word in line.split()))
)
# A command, the ms since the one before, and whether the file is closed and opened again before it.
steps = st.lists(
    st.tuples(commands, st.sampled_from([0, 1, 1, 20, 70]), st.sampled_from([False] * 7 + [True])),
    min_size=20,
    max_size=60,
)

Answer: TypeAlias = "Reply | Wait"


def everything(engine: Engine, now_ms: int) -> list[Answer]:
    """All that can be asked of every key of every database."""
    session = engine.session()
    told: list[Answer] = []
    for db in (b"0", b"1", b"2", b"3"):
        session.execute([b"SELECT", db], now_ms)
        names = session.execute([b"KEYS", b"*"], now_ms)
        assert isinstance(names, list)
        for name in sorted(name for name in names if isinstance(name, bytes)):
            questions = ([b"XINFO", b"STREAM", name, b"FULL", b"COUNT", b"0"], [b"XINFO", b"STREAM", name])
            told += [db, name]
            told += [session.execute(argv, now_ms) for argv in questions]
            told += [session.execute([word, name], now_ms) for word in (b"PTTL", b"GET", b"TYPE", b"XLEN")]
    session.close()
    return told


@PROFILE
@given(steps)
def test_memory_and_file_answer_the_same(run: list[tuple[tuple[bytes, ...], int, bool]]) -> None:
    now_ms = START_MS
    with tempfile.TemporaryDirectory() as folder:
        memory, file = Engine(), Engine(str(Path(folder) / "x.db"))
        for argv, passed, _ in run:
            now_ms += passed
            assert file.execute(argv, now_ms) == memory.execute(argv, now_ms), argv
        assert everything(file, now_ms) == everything(memory, now_ms)
        memory.close()
        file.close()


@PROFILE
@given(steps)
def test_a_file_opened_again_and_again_answers_as_one_that_stays_open(
    run: list[tuple[tuple[bytes, ...], int, bool]],
) -> None:
    now_ms = START_MS
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "x.db")
        memory, file = Engine(), Engine(path)
        for argv, passed, reopened in run:
            if argv[0] in (b"SELECT", b"MULTI", b"EXEC", b"DISCARD", b"WATCH"):
                continue  # they belong to a session, which ends with its engine
            now_ms += passed
            if reopened:
                before = everything(file, now_ms)
                file.close()
                file = Engine(path)
                assert everything(file, now_ms) == before
            assert file.execute(argv, now_ms) == memory.execute(argv, now_ms), argv
        memory.close()
        file.close()


@PROFILE
@given(steps)
def test_two_engines_on_one_file_take_turns_and_answer_as_one(
    run: list[tuple[tuple[bytes, ...], int, bool]],
) -> None:
    now_ms = START_MS
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "x.db")
        memory, files = Engine(), [Engine(path), Engine(path)]
        for turn, (argv, passed, other) in enumerate(run):
            if argv[0] in (b"SELECT", b"MULTI", b"EXEC", b"DISCARD", b"WATCH"):
                continue
            now_ms += passed
            assert files[(turn + other) % 2].execute(argv, now_ms) == memory.execute(argv, now_ms), argv
        for file in files:
            assert everything(file, now_ms) == everything(memory, now_ms)
            file.close()
        memory.close()


@PROFILE
@given(steps)
def test_counts_that_are_kept_are_those_that_would_be_counted(
    run: list[tuple[tuple[bytes, ...], int, bool]],
) -> None:
    engine = Engine()
    now_ms = START_MS
    for argv, passed, _ in run:
        now_ms += passed
        reply = engine.execute(argv, now_ms)
        assert not (isinstance(reply, Error) and reply.code == "ERR" and "database" in reply.text), argv
    engine.execute([b"DISCARD"], now_ms)
    engine.store.single.catch_up()
    select = engine.store.run
    for kept, counted in (
        ("SELECT key, length FROM streams", "SELECT count(*) FROM entries WHERE stream=?"),
        ("SELECT id, pending FROM groups", "SELECT count(*) FROM pending WHERE grp=?"),
        ("SELECT id, released FROM groups", "SELECT count(*) FROM pending WHERE consumer=0 AND grp=?"),
        ("SELECT id, pending FROM consumers", "SELECT count(*) FROM pending WHERE consumer=?"),
        ("SELECT key, producers FROM streams", "SELECT count(*) FROM producers WHERE stream=?"),
        ("SELECT id, held FROM producers", "SELECT count(*) FROM iids WHERE producer=?"),
        (
            "SELECT key, iids FROM streams",
            "SELECT count(*) FROM iids WHERE producer IN (SELECT id FROM producers WHERE stream=?)",
        ),
    ):
        for id, number in select(kept).fetchall():
            assert number == select(counted, (id,)).fetchone()[0], kept
    for orphans in (
        "SELECT count(*) FROM streams WHERE key NOT IN (SELECT id FROM keys)",
        "SELECT count(*) FROM strings WHERE key NOT IN (SELECT id FROM keys)",
        "SELECT count(*) FROM entries WHERE stream NOT IN (SELECT key FROM streams)",
        "SELECT count(*) FROM nodes WHERE stream NOT IN (SELECT key FROM streams)",
        "SELECT count(*) FROM groups WHERE stream NOT IN (SELECT key FROM streams)",
        "SELECT count(*) FROM consumers WHERE grp NOT IN (SELECT id FROM groups)",
        "SELECT count(*) FROM pending WHERE consumer!=0 AND consumer NOT IN (SELECT id FROM consumers)",
        "SELECT count(*) FROM pending WHERE (consumer=0) != (delivered_ms=-1)",
        "SELECT count(*) FROM pending WHERE grp NOT IN (SELECT id FROM groups)",
        "SELECT count(*) FROM producers WHERE stream NOT IN (SELECT key FROM streams) OR held=0",
        "SELECT count(*) FROM iids WHERE producer NOT IN (SELECT id FROM producers)",
    ):
        assert select(orphans).fetchone()[0] == 0, orphans
    engine.close()
