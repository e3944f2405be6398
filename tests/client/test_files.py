"""Files: processes that share one, forks, and what cannot be opened."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import redis

import streamcli
from tests.e2e.test_faulty_files import DAMAGED, FAULTY, KINDS


@pytest.mark.parametrize(("make", "why"), FAULTY, ids=KINDS)
def test_a_file_that_is_not_ours_is_named_with_the_reason_and_left_alone(make: Any, why: str, tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    make(path)
    before = path.read_bytes()
    with pytest.raises(streamcli.OpenError) as raised:
        streamcli.connect(path)
    assert str(raised.value) == f"cannot open {path}: {why}"
    assert isinstance(raised.value, redis.ConnectionError)
    assert raised.value.__suppress_context__
    assert path.read_bytes() == before


def test_a_folder_and_an_empty_name_are_no_files(tmp_path: Path) -> None:
    with pytest.raises(streamcli.OpenError, match="it is a folder; name a file in it"):
        streamcli.connect(tmp_path)
    with pytest.raises(streamcli.OpenError, match="cannot open a database without a name"):
        streamcli.connect("")


def test_a_file_that_gets_damaged_is_an_error_of_the_command(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with streamcli.connect(path) as r:
        for _ in range(2000):
            r.xadd("a", {"f": "v" * 100})
    with path.open("r+b") as file:
        file.seek(40 * 4096)  # behind the tables' first pages: entries, and nothing else
        file.write(b"\xa5" * (path.stat().st_size - 40 * 4096))
    with streamcli.connect(path) as r, pytest.raises(redis.ResponseError) as raised:
        r.xrange("a")
    assert str(raised.value) == DAMAGED


def test_a_file_that_is_removed_under_a_client_is_an_error_and_not_a_write_that_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with streamcli.connect(path) as client:
        client.xadd("s", {"f": "v"}, id="1-1")
        path.unlink()
        with pytest.raises(redis.ResponseError, match="the database file was removed or replaced"):
            client.xadd("s", {"f": "v"})
        with pytest.raises(redis.ResponseError, match="the database file was removed or replaced"):
            client.pipeline().xadd("s", {"f": "v"}).xadd("s", {"f": "v"}).execute()
        assert client.xlen("s") == 1


def test_a_client_goes_on_when_the_working_directory_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with streamcli.connect("a.db") as client:
        client.xadd("s", {"f": "v"}, id="1-1")
        monkeypatch.chdir("/")
        assert client.xadd("s", {"f": "v"}, id="1-2") == b"1-2"


def test_close_lets_go_of_the_file_and_the_next_command_opens_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    r = streamcli.connect("a.db")
    r.set("k", "v")
    assert sorted(os.listdir(tmp_path)) == ["a.db", "a.db-shm", "a.db-wal"]
    r.close()
    assert os.listdir(tmp_path) == ["a.db"]
    monkeypatch.chdir("/")
    assert r.get("k") == b"v"
    r.close()
    (tmp_path / "a.db").write_text("not a database\n" * 100)
    with pytest.raises(streamcli.OpenError, match="it is not a SQLite file"):
        r.get("k")


def test_a_client_that_is_dropped_lets_go_of_the_file_too(tmp_path: Path) -> None:
    streamcli.connect(tmp_path / "a.db").set("k", "v")
    assert os.listdir(tmp_path) == ["a.db"]


def test_another_process_wakes_a_wait_and_the_command_line_reads_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with streamcli.connect(path) as r:
        words = [sys.executable, "-m", "streamcli", "--db", str(path), "XADD", "a", "1-1", "f", "v"]
        with subprocess.Popen(words, stdout=subprocess.DEVNULL):
            assert r.xread({"a": "0"}, block=30_000) == [[b"a", [(b"1-1", {b"f": b"v"})]]]


def _add_one(r: Any, told: Any) -> None:
    try:
        told.put(r.xadd("a", {"f": "child"}, id="2-1"))
    except redis.RedisError as error:
        told.put((type(error).__name__, str(error)))


def test_a_child_of_a_fork_opens_the_file_for_itself(tmp_path: Path) -> None:
    fork = multiprocessing.get_context("fork")
    told = fork.SimpleQueue()
    with streamcli.connect(tmp_path / "a.db") as r:
        r.xadd("a", {"f": "parent"}, id="1-1")
        child = fork.Process(target=_add_one, args=(r, told))
        child.start()
        child.join(30)
        assert told.get() == b"2-1"
        assert [id for id, _ in r.xrange("a")] == [b"1-1", b"2-1"]
        assert r.xadd("a", {"f": "parent"}, id="3-1") == b"3-1"


def test_a_memory_stays_with_the_process_that_made_it() -> None:
    fork = multiprocessing.get_context("fork")
    told = fork.SimpleQueue()
    r = streamcli.connect()
    child = fork.Process(target=_add_one, args=(r, told))
    child.start()
    child.join(30)
    assert told.get() == (
        "OpenError",
        "a memory belongs to the process that made it; for several processes name a file",
    )
    assert r.xlen("a") == 0
