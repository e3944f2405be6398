"""Where streams are kept: the file named, the default one, or memory; and who may read it."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
from pathlib import Path

import pytest

from tests.e2e.program import DEADLINE, Program, said


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def open_to_all() -> None:
    os.umask(0)


def test_the_default_file_is_in_the_data_folder_and_nobody_else_may_read_it(program: Program) -> None:
    assert program.run("XADD", "a", "1-1", "f", "v", before=open_to_all) == said("1-1\n")
    assert [path.name for path in program.data.iterdir()] == ["streamcli"]
    assert [path.name for path in program.default_db.parent.iterdir()] == ["default.db"]
    assert mode(program.default_db) == 0o600
    assert mode(program.default_db.parent) == 0o700


def test_the_side_files_of_an_open_database_are_closed_to_others_too(program: Program) -> None:
    running = program.start("--db", program.db)
    running.say("XADD a 1-1 f v")
    assert running.hear() == b"1-1\n"
    assert {path.name: mode(path) for path in program.home.glob("streams.db*")} == {
        "streams.db": 0o600,
        "streams.db-wal": 0o600,
        "streams.db-shm": 0o600,
    }
    assert running.finish() == said()


@pytest.mark.parametrize("value", ["", "relative/folder"])
def test_without_a_usable_data_folder_the_default_file_is_below_the_home(program: Program, value: str) -> None:
    assert program.run("XADD", "a", "1-1", "f", "v", env={"XDG_DATA_HOME": value}) == said("1-1\n")
    default = program.home / ".local" / "share" / "streamcli" / "default.db"
    assert mode(default) == 0o600
    assert mode(default.parent) == 0o700
    assert not (program.home / "relative").exists()


def test_a_data_folder_that_cannot_be_made_is_said_and_exits_3(program: Program) -> None:
    (program.home / "file").write_text("")
    place = program.home / "file" / "data"
    assert program.run("PING", env={"XDG_DATA_HOME": str(place)}) == said(
        "", f"streamcli: cannot make the data folder: not a directory: {place}\n", 3
    )


def test_a_named_file_is_made_for_its_owner_alone_and_no_default_beside_it(program: Program) -> None:
    assert program.run("--db", program.db, "XADD", "a", "1-1", "f", "v", before=open_to_all) == said("1-1\n")
    assert mode(program.db) == 0o600
    assert [path.name for path in program.home.iterdir()] == ["streams.db"]
    assert program.on("XLEN", "a") == said("1\n")


def test_a_relative_name_is_below_the_working_directory(program: Program) -> None:
    assert program.run("--db", "here.db", "XADD", "a", "1-1", "f", "v") == said("1-1\n")
    assert mode(program.home / "here.db") == 0o600


@pytest.mark.parametrize("name", ["a b'\".db", "naïve é☃.db", "file:x?mode=memory", "-e", "?", "%41.db"])
def test_any_file_name_is_a_file_name(program: Program, name: str) -> None:
    assert program.run("--db", name, "XADD", "a", "1-1", "f", "v") == said("1-1\n")
    assert program.run("--db", name, "XLEN", "a") == said("1\n")
    assert [path.name for path in program.home.iterdir()] == [name]


def test_the_name_that_means_memory_to_sqlite_is_memory_and_no_file(program: Program) -> None:
    assert program.run("--db", ":memory:", "-e", "XADD a 1-1 f v", "-e", "XLEN a") == said("1-1\n1\n")
    assert list(program.home.iterdir()) == []


def test_a_file_name_need_not_be_utf_8(program: Program) -> None:
    assert program.run("--db", b"\xff\xfe.db", "XADD", "a", "1-1", "f", "v") == said("1-1\n")
    assert os.listdir(os.fsencode(program.home)) == [b"\xff\xfe.db"]
    assert program.run("--db", b"\xff\xfe.db", "XLEN", "a") == said("1\n")


def test_an_empty_file_name_is_wrong_and_does_not_mean_the_default_file(program: Program) -> None:
    assert program.run("--db", "", "XADD", "a", "1-1", "f", "v") == said(
        "", "streamcli: cannot open a database without a name\n", 3
    )
    assert not program.data.exists()


def test_a_link_to_a_database_is_that_database(program: Program) -> None:
    assert program.on("XADD", "a", "1-1", "f", "v") == said("1-1\n")
    link = program.home / "link.db"
    link.symlink_to(program.db)
    assert program.run("--db", link, "XLEN", "a") == said("1\n")
    assert link.is_symlink()


def test_a_link_to_a_file_that_is_yet_to_be_made_makes_it_for_its_owner_alone(program: Program) -> None:
    link = program.home / "link.db"
    link.symlink_to(program.db)
    assert program.run("--db", link, "XADD", "a", "1-1", "f", "v", before=open_to_all) == said("1-1\n")
    assert link.is_symlink()
    assert mode(program.db) == 0o600


def test_an_empty_file_becomes_a_database(program: Program) -> None:
    program.db.touch(0o600)
    assert program.on("XADD", "a", "1-1", "f", "v") == said("1-1\n")
    assert program.on("XLEN", "a") == said("1\n")


def test_memory_ends_with_the_run_and_touches_no_file(program: Program) -> None:
    assert program.run("--memory", "-e", "XADD a 1-1 f v", "-e", "XLEN a") == said("1-1\n1\n")
    assert program.run("--memory", "XLEN", "a") == said("0\n")
    assert list(program.home.iterdir()) == []


@pytest.mark.parametrize("words", [("--help",), ("--version",), ("--nope",), ("-e", "PING", "PING"), ("-n", "99")])
def test_what_runs_nothing_makes_no_file(program: Program, words: tuple[str, ...]) -> None:
    assert program.run(*words).code in (0, 2)
    assert list(program.home.iterdir()) == []


@pytest.mark.parametrize("level", ["normal", "full"])
def test_either_durability_keeps_what_was_written(program: Program, level: str) -> None:
    assert program.on("--durability", level, "XADD", "a", "1-1", "f", "v") == said("1-1\n")
    assert program.on("XLEN", "a") == said("1\n")


def test_the_file_is_a_sound_sqlite_database_with_streamclis_mark(program: Program) -> None:
    assert program.on("XADD", "a", "1-1", "f", "v") == said("1-1\n")
    assert program.db.read_bytes()[68:72] == b"stLI"
    connection = sqlite3.connect(program.db)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


def test_a_copy_of_the_closed_file_is_a_whole_copy(program: Program) -> None:
    assert program.on("XADD", "a", "1-1", "f", "v") == said("1-1\n")
    copy = program.home / "copy.db"
    copy.write_bytes(program.db.read_bytes())
    assert program.run("--db", copy, "XRANGE", "a", "-", "+") == said("1-1\nf\nv\n")


def test_what_a_removed_file_left_behind_does_not_come_back(program: Program) -> None:
    """A killed process leaves a write-ahead log; who removes the file alone wants the data gone."""
    running = program.start("--db", program.db)
    running.say(*(f"XADD old {number}-1 f v" for number in range(1, 51)))
    running.hear(50)
    running.stop()
    assert program.db.with_name("streams.db-wal").stat().st_size > 0
    program.db.unlink()
    assert program.on("KEYS", "*") == said("\n")
    assert program.on("XADD", "new", "1-1", "f", "v") == said("1-1\n")
    assert program.on("KEYS", "*") == said("new\n")


def test_an_empty_file_is_taken_by_several_processes_at_once(program: Program) -> None:
    for round in range(4):
        db = program.home / f"{round}.db"
        db.touch()
        command = program.command("--db", db, "XADD", "s", "*", "f", "v")
        starts = [subprocess.Popen(command, env=program.environment, stdout=subprocess.DEVNULL) for _ in range(5)]
        assert [start.wait(DEADLINE) for start in starts] == [0] * 5
        assert program.run("--db", db, "XLEN", "s") == said("5\n")
