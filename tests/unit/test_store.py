"""One database: how it is opened, its transactions, its keys, and two stores on one file."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from streamcli.engine import Engine
from streamcli.ids import StreamID
from streamcli.reply import OK, Error, Simple
from streamcli.storage.encoding import unpack_words
from streamcli.storage.schema import APPLICATION_ID, SCHEMA_VERSION, OpenError
from streamcli.storage.store import STREAM, STRING, Key, Store, Transaction
from streamcli.storage.streams import TOP_ID, ZERO_ID, NodeLimits, Stream

LIMITS = NodeLimits()
NOW = 1_000_000


def packed(ms: int, seq: int = 0) -> bytes:
    return StreamID(ms, seq).packed


class UndoneError(Exception):
    """Ends a transaction badly."""


def writing(store: Store, now_ms: int = NOW) -> Transaction:
    return store.transaction(write=True, now_ms=now_ms)


def fill(store: Store, name: bytes = b"s", entries: int = 5) -> Stream:
    """A stream of 1-0, 2-0 ..., with a group that has two consumers with pending entries."""
    with writing(store):
        stream = store.make_stream(0, name)
        for ms in range(1, entries + 1):
            stream.append(packed(ms), [b"f", b"%d" % ms], LIMITS)
        group = stream.make_group(b"g", packed(3), 3)
        alice, bob = group.make_consumer(b"alice", NOW), group.make_consumer(b"bob", NOW + 1)
        group.pend([packed(1), packed(2)], alice, NOW)
        group.pend([packed(3)], bob, NOW + 5)
        alice.active_ms = NOW
        stream.make_group(b"empty", ZERO_ID, None)
    return stream


def picture(store: Store, db: int = 0) -> dict[bytes, object]:
    """Everything there is in a database, as plain values."""
    seen: dict[bytes, object] = {}
    with store.transaction(write=False, now_ms=NOW):
        for name in sorted(store.names(db, NOW)):
            key = store.key(db, name, NOW)
            assert key is not None
            held = stream_picture(store.stream(key)) if key.kind == STREAM else store.string(key)
            seen[name] = (key.expires_ms, held)
    return seen


def stream_picture(stream: Stream) -> object:
    return (
        stream.length,
        stream.last_id,
        stream.max_deleted_id,
        stream.entries_added,
        stream.node_count(),
        stream.size(),
        stream.range(ZERO_ID, TOP_ID),
        [
            (
                group.name,
                group.last_id,
                group.entries_read,
                group.pending,
                [
                    (one.name, one.seen_ms, one.active_ms, one.pending, [
                        (row.id, row.delivered_ms, row.deliveries) for row in group.rows(ZERO_ID, TOP_ID, consumer=one)
                    ])
                    for one in group.consumers()
                ],
                [(row.id, row.delivered_ms, row.deliveries) for row in group.rows(ZERO_ID, TOP_ID)],
            )
            for group in stream.groups()
        ],
    )  # fmt: skip


def found(store: Store, name: bytes = b"s", db: int = 0, now_ms: int = NOW) -> Key:
    key = store.key(db, name, now_ms)
    assert key is not None
    return key


# -- opening --------------------------------------------------------------------------------------


def refusal(path: Path | str) -> str:
    with pytest.raises(OpenError) as raised:
        Store(str(path))
    return str(raised.value)


def test_a_node_ends_before_what_is_added_after_the_last_id_went_back() -> None:
    """XSETID may go back behind a deleted entry that was a node's last; trimming that node took the next one's, too."""
    engine = Engine()

    def run(line: str) -> object:
        return engine.execute(line.encode().split(), NOW)

    for id in (*range(1, 100), 900):
        run(f"XADD s {id}-1 f v")
    for line in ("XDEL s 900-1", "XSETID s 900-1 ENTRIESADDED 100 MAXDELETEDID 1-1", "XSETID s 200-1"):
        run(line)
    assert run("XADD s 201-1 f v") == b"201-1"
    assert run("XTRIM s MAXLEN ~ 1") == 99
    assert run("XRANGE s - +") == [[b"201-1", [b"f", b"v"]]]
    assert run("XINFO STREAM s FULL")[1] == 1  # type: ignore[index]


def test_a_new_file_is_for_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = Store(str(tmp_path / "x.db"))
        fill(store)
        assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}
        store.close()
    finally:
        os.umask(before)


def test_a_new_file_says_whose_it_is_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    Store(str(path)).close()
    connection = sqlite3.connect(path)
    marks = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")]
    journal = connection.execute("PRAGMA journal_mode").fetchone()[0]
    connection.close()
    assert (marks, journal) == ([APPLICATION_ID, SCHEMA_VERSION], "wal")
    assert [file.name for file in tmp_path.iterdir()] == ["x.db"]


def test_an_empty_file_becomes_ours(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.touch()
    store = Store(str(path))
    fill(store)
    store.close()
    assert list(picture(Store(str(path)))) == [b"s"]


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path) == f"cannot open {tmp_path}: it is a folder; name a file in it"


def test_a_file_in_no_folder_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "none" / "x.db"
    assert refusal(path) == f"cannot open {path}: no such file or directory"


def test_no_name_is_refused() -> None:
    assert refusal("") == "cannot open a database without a name"


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert refusal(tmp_path / "pipe") == f"cannot open {tmp_path / 'pipe'}: it is not a regular file"
    assert refusal("/dev/null") == "cannot open /dev/null: it is not a regular file"


def test_a_text_file_is_refused_and_kept_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, however long " * 100)
    assert refusal(path) == f"cannot open {path}: it is not a SQLite file"
    assert path.read_text().startswith("not a database")
    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("text", ["x", "a short note", "y" * 1000])
def test_a_short_text_file_is_refused_and_kept_as_it_is(text: str, tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    path.write_text(text)
    assert refusal(path) == f"cannot open {path}: it is not a SQLite file"
    assert path.read_text() == text


def test_a_database_of_another_program_is_refused_and_kept_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    before = path.read_bytes()
    assert refusal(path) == f"cannot open {path}: it is a SQLite file of another program, not streamcli's"
    assert path.read_bytes() == before


def mark(path: Path, version: int) -> None:
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version={version}")
    connection.close()


def test_a_newer_file_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    Store(str(path)).close()
    mark(path, SCHEMA_VERSION + 1)
    assert refusal(path) == (
        f"cannot open {path}: it was written by a newer streamcli (schema {SCHEMA_VERSION + 1}, this one knows "
        f"{SCHEMA_VERSION}); upgrade streamcli"
    )


def test_a_file_of_no_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    Store(str(path)).close()
    mark(path, 0)
    assert refusal(path) == f"cannot open {path}: its schema version is 0, which no streamcli has written"


DAMAGED = "the database file is damaged; restore it from a copy, or try `sqlite3 FILE .recover`"


def damage(path: Path, first: int) -> None:
    """Overwrite a file from a page on."""
    store = Store(str(path))
    fill(store, entries=2000)
    store.close()
    data = bytearray(path.read_bytes())
    data[4096 * first :] = b"\xa5" * (len(data) - 4096 * first)
    path.write_bytes(data)


def test_a_file_that_is_damaged_all_over_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    damage(path, 1)
    assert refusal(path) == f"cannot open {path}: {DAMAGED}"


def test_damage_that_is_met_later_is_the_answer_to_the_command_that_meets_it(tmp_path: Path) -> None:
    damage(tmp_path / "x.db", 26)
    engine = Engine(str(tmp_path / "x.db"))
    assert engine.execute([b"XRANGE", b"s", b"-", b"+"], NOW) == Error(f"ERR {DAMAGED}")
    assert engine.execute([b"PING"], NOW) == Simple("PONG")


# -- what is kept -----------------------------------------------------------------------------------


def test_a_store_opened_again_is_the_same(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "x.db"))
    fill(store, entries=250)
    with writing(store):
        store.set_string(store.make_key(0, b"string", STRING, NOW + 50), b"\0\xff")
        store.stream(found(store)).delete(packed(7))
    before = picture(store)
    store.close()
    again = Store(str(tmp_path / "x.db"))
    assert picture(again) == before
    assert sorted(before) == [b"s", b"string"]


def test_what_is_read_again_is_what_was_written() -> None:
    store = Store()
    stream = fill(store)
    assert [unpack_words(fields) for _, fields in stream.after(packed(3))] == [[b"f", b"4"], [b"f", b"5"]]
    assert [id for id, _ in stream.range(packed(2), packed(4), 2)] == [packed(2), packed(3)]
    assert [id for id, _ in stream.range(packed(2), packed(4), 2, backwards=True)] == [packed(4), packed(3)]
    assert (stream.first_id(), stream.top_id(), stream.length) == (packed(1), packed(5), 5)


def test_a_rollback_forgets_what_was_done_and_what_was_read() -> None:
    store = Store()
    fill(store)
    before = picture(store)
    with suppress(UndoneError), writing(store):
        stream = store.stream(found(store))
        stream.append(packed(9), [b"f", b"v"], LIMITS)
        group = stream.group(b"g")
        assert group is not None
        assert group.acknowledge([packed(1)]) == 1
        stream.delete_group(group)
        store.make_stream(0, b"new")
        store.delete_key(found(store, b"new"))
        raise UndoneError
    assert picture(store) == before


def test_a_rollback_inside_a_transaction_undoes_all_of_it() -> None:
    store = Store()
    with suppress(UndoneError), writing(store):
        store.make_stream(0, b"outer")
        with writing(store):
            store.make_stream(0, b"inner")
            raise UndoneError
    assert not store.in_transaction
    assert picture(store) == {}
    fill(store)  # and the store can be used again
    assert list(picture(store)) == [b"s"]


def test_a_transaction_inside_another_is_kept_when_the_outer_one_ends(tmp_path: Path) -> None:
    store, other = Store(str(tmp_path / "x.db")), Store(str(tmp_path / "x.db"))
    with writing(store):
        with writing(store):
            store.make_stream(0, b"s")
        assert picture(other) == {}
    assert list(picture(other)) == [b"s"]


# -- two stores on one file ---------------------------------------------------------------------------


def test_two_stores_on_one_file_see_each_others_writes(tmp_path: Path) -> None:
    one, two = Store(str(tmp_path / "x.db")), Store(str(tmp_path / "x.db"))
    fill(one)
    assert picture(two) == picture(one)
    for ms, (writer, reader) in enumerate([(two, one), (one, two), (two, one)], 10):
        assert not reader.changed()
        with writing(writer):
            stream = writer.stream(found(writer))
            stream.append(packed(ms), [b"f", b"v"], LIMITS)
            group = stream.group(b"g")
            assert group is not None
            group.pend([packed(ms)], group.consumer(b"bob") or group.make_consumer(b"bob", NOW), NOW)
        assert reader.changed()
        assert picture(reader) == picture(writer)
        assert not reader.changed()
    with writing(two):
        two.delete_key(found(two))
    assert picture(one) == {}


def test_a_reader_sees_one_moment_for_as_long_as_its_transaction_lasts(tmp_path: Path) -> None:
    reader, writer = Store(str(tmp_path / "x.db")), Store(str(tmp_path / "x.db"))
    fill(reader)
    with reader.transaction(write=False, now_ms=NOW):
        before = stream_picture(reader.stream(found(reader)))
        with writing(writer):
            writer.stream(found(writer)).append(packed(9), [b"f", b"v"], LIMITS)
        assert stream_picture(reader.stream(found(reader))) == before
    assert picture(reader) == picture(writer)


def test_a_store_in_memory_is_nobody_elses() -> None:
    one, two = Store(), Store()
    fill(one)
    assert (list(picture(one)), list(picture(two))) == ([b"s"], [])
    assert not one.changed()


def broken_off(engine: Engine) -> None:
    with engine.batch(NOW):
        assert engine.execute([b"XADD", b"s", b"3-3", b"f", b"v"], NOW) == b"3-3"
        assert engine.execute([b"SET", b"t", b"v"], NOW) == OK
        raise KeyboardInterrupt


def test_an_engines_batch_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    engine, other = Engine(str(tmp_path / "x.db")), Engine(str(tmp_path / "x.db"))
    with engine.batch(NOW):
        for word in (b"1-1", b"2-2"):
            assert engine.execute([b"XADD", b"s", word, b"f", b"v"], NOW) == word
        assert other.execute([b"XLEN", b"s"], NOW) == 0
    assert other.execute([b"XLEN", b"s"], NOW) == 2
    with pytest.raises(KeyboardInterrupt):
        broken_off(engine)
    for one in (engine, other):
        assert one.execute([b"XLEN", b"s"], NOW) == 2
        assert one.execute([b"EXISTS", b"t"], NOW) == 0
    assert engine.execute([b"XADD", b"s", b"3-0", b"f", b"v"], NOW) == b"3-0"


# -- moving and copying -----------------------------------------------------------------------------


def test_a_copy_has_groups_consumers_and_what_is_pending_and_lives_on_its_own() -> None:
    store = Store()
    fill(store, entries=250)
    original = picture(store)[b"s"]
    with writing(store):
        store.copy(found(store), 3, b"copy")
    assert picture(store, 3) == {b"copy": original}
    with writing(store):
        stream = store.stream(found(store, b"copy", 3))
        group = stream.group(b"g")
        assert group is not None
        assert group.acknowledge([packed(1), packed(3)]) == 2
        stream.append(packed(999), [b"f", b"v"], LIMITS)
        stream.delete(packed(2))
    assert picture(store) == {b"s": original}
    assert picture(store, 3) != {b"copy": original}
    with writing(store):
        store.delete_key(found(store))
    assert list(picture(store, 3)) == [b"copy"]


def test_a_copy_made_in_the_transaction_that_made_the_original_is_whole() -> None:
    store = Store()
    with writing(store):
        stream = store.make_stream(0, b"s")
        stream.append(packed(1), [b"f", b"v"], LIMITS)
        group = stream.make_group(b"g", packed(1), 1)
        group.pend([packed(1)], group.make_consumer(b"alice", NOW), NOW)
        store.copy(found(store), 0, b"copy")
    seen = picture(store)
    assert seen[b"copy"] == seen[b"s"]


def test_a_copy_keeps_the_expiry() -> None:
    store = Store()
    with writing(store):
        store.set_string(store.make_key(0, b"k", STRING, NOW + 5), b"v")
        store.copy(found(store, b"k"), 0, b"copy")
    assert picture(store) == {b"k": (NOW + 5, b"v"), b"copy": (NOW + 5, b"v")}


def test_renaming_moves_everything() -> None:
    store = Store()
    fill(store)
    before = picture(store)[b"s"]
    with writing(store):
        store.rename(found(store), 2, b"t")
    assert (picture(store), picture(store, 2)) == ({}, {b"t": before})


def test_swapping_databases_swaps_their_keys_and_those_alone() -> None:
    store = Store()
    fill(store)
    with writing(store):
        store.set_string(store.make_key(1, b"s", STRING), b"one")
        store.set_string(store.make_key(2, b"s", STRING), b"two")
    before = picture(store)
    with writing(store):
        store.stream(found(store)).append(packed(9), [b"f", b"v"], LIMITS)
        store.swap(0, 1)
        store.stream(found(store, db=1)).append(packed(10), [b"f", b"v"], LIMITS)
    assert picture(store) == {b"s": (None, b"one")}
    assert picture(store, 2) == {b"s": (None, b"two")}
    stream = store.stream(found(store, db=1))
    assert (stream.length, stream.last_id) == (7, packed(10))
    assert list(before) == [b"s"]


# -- expiry -----------------------------------------------------------------------------------------


def test_a_key_is_there_until_its_time_has_passed_and_gone_after_it() -> None:
    store = Store()
    fill(store)
    with writing(store):
        store.set_expiry(found(store), NOW + 10)
    for now_ms, there in ((NOW + 10, 1), (NOW + 11, 0)):
        assert (store.key(0, b"s", now_ms) is not None) == bool(there)
        assert store.count(0, now_ms) == there
        assert len(list(store.names(0, now_ms))) == there
        assert len(store.scan(0, 0, 10, now_ms)[1]) == there
        assert (store.random_name(0, now_ms) is not None) == bool(there)


def test_a_writer_meets_no_expired_key_and_leaves_no_row_of_it(tmp_path: Path) -> None:
    store, other = Store(str(tmp_path / "x.db")), Store(str(tmp_path / "x.db"))
    fill(store)
    with writing(store):
        store.set_expiry(found(store), NOW + 10)
    with writing(other, NOW + 11):
        other.make_stream(0, b"s")
    tables = ("keys", "streams", "entries", "nodes", "groups", "consumers", "pending")
    rows = {table: other.run(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}
    assert rows == {"keys": 1, "streams": 1, "entries": 0, "nodes": 0, "groups": 0, "consumers": 0, "pending": 0}


def test_a_key_that_is_persisted_does_not_expire() -> None:
    store = Store()
    fill(store)
    with writing(store):
        store.set_expiry(found(store), NOW + 10)
        store.set_expiry(found(store), None)
    with writing(store, NOW + 1000):
        pass
    assert list(picture(store)) == [b"s"]


# -- leaving nothing behind ---------------------------------------------------------------------------

TABLES = ("keys", "strings", "streams", "entries", "nodes", "groups", "consumers", "pending")


@pytest.mark.parametrize("db", [0, None])
def test_emptying_leaves_no_row_of_any_table(db: int | None) -> None:
    store = Store()
    fill(store, entries=250)
    with writing(store):
        store.set_string(store.make_key(0, b"k", STRING), b"v")
        store.delete_all(db)
    assert [store.run(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES] == [0] * len(TABLES)


def test_a_name_is_free_again_after_its_key_was_deleted() -> None:
    store = Store()
    fill(store)
    first = found(store).id
    with writing(store):
        store.delete_key(found(store))
        store.set_string(store.make_key(0, b"s", STRING), b"v")
    assert picture(store) == {b"s": (None, b"v")}
    assert found(store).id != first


class Contended(sqlite3.Connection):
    """A file that other processes use just when a setting is read or written for the first time."""

    def execute(self, sql: str, parameters: object = (), /) -> sqlite3.Cursor:
        seen = self.__dict__.setdefault("seen", set())
        if sql.startswith("PRAGMA") and sql not in seen:
            seen.add(sql)
            raise sqlite3.OperationalError("database is locked")
        return super().execute(sql, parameters)  # type: ignore[arg-type]


def test_whatever_others_lock_while_a_file_is_opened_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = sqlite3.connect
    made: list[Contended] = []

    def contended(*args: Any, **more: Any) -> sqlite3.Connection:
        made.append(connect(*args, factory=Contended, **more))
        return made[-1]

    monkeypatch.setattr(sqlite3, "connect", contended)
    store = Store(str(tmp_path / "a.db"))
    store.close()
    assert {sql.split()[1].partition("=")[0] for sql in made[0].__dict__["seen"]} >= {
        *("cache_size", "application_id", "user_version", "journal_mode", "synchronous", "wal_autocheckpoint")
    }
