"""Threads that share a client: waits, who is served first, interruptions."""

from __future__ import annotations

import _thread
import queue
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import redis

import streamcli

SECONDS = 30  # no test takes so long, unless it fails


@pytest.fixture(params=["memory", "file"])
def r(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    place = ":memory:" if request.param == "memory" else tmp_path / "a.db"
    with streamcli.connect(place, decode_responses=True) as client:
        yield client


class Waiting:
    """A thread with a command that blocks; started, and waiting in line, when this is made."""

    def __init__(self, r: Any, call: Any, results: queue.Queue[Any] | None = None) -> None:
        self.results: queue.Queue[Any] = results or queue.Queue()
        line = r.connection_pool._shared._line
        before = len(line)
        self.thread = threading.Thread(target=self._run, args=(call,), daemon=True)
        self.thread.start()
        until(lambda: len(line) == before + 1)

    def _run(self, call: Any) -> None:
        try:
            self.results.put(call())
        except Exception as error:
            self.results.put(error)

    def result(self) -> Any:
        return self.results.get(timeout=SECONDS)


def until(true: Any) -> None:
    """Wait for a condition."""
    end = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_a_read_is_woken_by_another_thread_s_entry(r: Any) -> None:
    reader = Waiting(r, lambda: r.xread({"a": "$"}, block=0))
    r.xadd("b", {"f": "v"}, id="1-1")
    r.xadd("a", {"f": "v"}, id="1-1")
    assert reader.result() == [["a", [("1-1", {"f": "v"})]]]


def test_consumers_are_served_in_the_order_in_which_they_began_to_wait(r: Any) -> None:
    r.xgroup_create("a", "g", mkstream=True)
    results: queue.Queue[Any] = queue.Queue()
    for name in "abcde":

        def read(name: str = name) -> Any:
            return name, r.xreadgroup("g", name, {"a": ">"}, block=0)[0][1]

        Waiting(r, read, results)
    with r.pipeline(transaction=False) as pipe:
        for at in range(1, 6):
            pipe.xadd("a", {"f": "v"}, id=f"{at}-1")
        pipe.execute()
    got = dict(results.get(timeout=SECONDS) for _ in "abcde")
    assert got == {name: [(f"{at}-1", {"f": "v"})] for at, name in enumerate("abcde", 1)}


def test_a_pipeline_serves_who_waits_between_its_commands_and_a_transaction_behind_them(r: Any) -> None:
    for transaction, expected in ((False, ["1-1"]), (True, ["2-1", "2-2"])):
        reader = Waiting(r, lambda: r.xread({"a": "$"}, block=0))
        first = 2 if transaction else 1
        r.pipeline(transaction).xadd("a", {"f": "v"}, id=f"{first}-1").xadd("a", {"f": "v"}, id=f"{first}-2").execute()
        assert [id for id, _ in reader.result()[0][1]] == expected


def test_a_wait_in_a_pipeline_holds_up_its_rest_and_nobody_else(r: Any) -> None:
    pipe = r.pipeline(transaction=False)
    pipe.xadd("a", {"f": "v"}, id="1-1").xread({"a": "$"}, block=0).xlen("a").xread({"a": "1-2"}, block=0).xlen("b")
    reader = Waiting(r, pipe.execute)
    assert r.xlen("a") == 1
    r.xadd("a", {"f": "v"}, id="1-2")
    until(lambda: len(r.connection_pool._shared._line) == 1)
    r.xadd("b", {"f": "v"}, id="1-1")
    r.xadd("a", {"f": "v"}, id="1-3")
    entry = {"f": "v"}
    assert reader.result() == ["1-1", [["a", [("1-2", entry)]]], 2, [["a", [("1-3", entry)]]], 1]


def test_a_wait_ends_when_its_time_is_over(r: Any) -> None:
    assert r.xread({"a": "$"}, block=20) == []
    assert not r.connection_pool._shared._line


def test_a_wait_behind_another_one_has_its_own_time(r: Any) -> None:
    first = Waiting(r, lambda: r.xread({"a": "$"}, block=0))
    assert r.xread({"a": "$"}, block=20) == []
    r.xadd("a", {"f": "v"}, id="1-1")
    assert first.result() == [["a", [("1-1", {"f": "v"})]]]


def test_who_waits_for_a_group_is_told_when_it_goes_or_its_key_expires(r: Any) -> None:
    for end in (lambda: r.xgroup_destroy("a", "g"), lambda: r.delete("a"), lambda: r.pexpire("a", 20), r.flushall):
        r.xgroup_create("a", "g", mkstream=True)
        reader = Waiting(r, lambda: r.xreadgroup("g", "c", {"a": ">"}, block=0))
        end()
        assert "NOGROUP" in str(reader.result())


def test_ctrl_c_ends_a_wait_and_changes_nothing(r: Any) -> None:
    r.xgroup_create("a", "g", mkstream=True)
    line = r.connection_pool._shared._line

    def interrupt() -> None:
        until(lambda: line)
        _thread.interrupt_main()

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        r.xreadgroup("g", "ann", {"a": ">"}, block=0)
    thread.join()
    assert not line
    r.xadd("a", {"f": "v"}, id="1-1")
    assert r.xpending("a", "g")["pending"] == 0
    assert r.xreadgroup("g", "ann", {"a": ">"}) == [["a", [("1-1", {"f": "v"})]]]


def test_when_the_first_in_line_goes_the_next_one_looks_out_for_other_processes(tmp_path: Path) -> None:
    """Two clients of one file in one process are to each other what two processes are."""
    with streamcli.connect(tmp_path / "a.db") as r, streamcli.connect(tmp_path / "a.db") as other:
        first = Waiting(r, lambda: r.xread({"a": "$"}, block=60))
        second = Waiting(r, lambda: r.xread({"b": "$"}, block=0))
        assert first.result() == []
        other.xadd("b", {"f": "v"}, id="1-1")
        assert second.result() == [[b"b", [(b"1-1", {b"f": b"v"})]]]


def test_another_process_s_entry_is_not_missed_by_who_waits_when_someone_else_reads_it_first(tmp_path: Path) -> None:
    with streamcli.connect(tmp_path / "a.db") as r, streamcli.connect(tmp_path / "a.db") as other:
        reader = Waiting(r, lambda: r.xread({"a": "$"}, block=0))
        other.xadd("a", {"f": "v"}, id="1-1")
        assert r.xlen("a") == 1
        assert reader.result() == [[b"a", [(b"1-1", {b"f": b"v"})]]]


def test_threads_that_write_at_once_lose_nothing(r: Any) -> None:
    def work(name: str) -> None:
        for at in range(100):
            r.xadd("a", {name: at})

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    seen: dict[str, list[int]] = {name: [] for name in "abcd"}
    for _, fields in r.xrange("a"):
        for name, at in fields.items():
            seen[name].append(int(at))
    assert seen == {name: list(range(100)) for name in "abcd"}


def test_workers_of_a_group_share_the_work_without_an_entry_lost_or_given_twice(r: Any) -> None:
    r.xgroup_create("a", "g", mkstream=True)
    done: queue.Queue[str] = queue.Queue()

    def work(name: str) -> None:
        while True:
            ((_, entries),) = r.xreadgroup("g", name, {"a": ">"}, count=3, block=0)
            for id, fields in entries:
                r.xack("a", "g", id)
                if "end" in fields:
                    return
                done.put(id)

    workers = [threading.Thread(target=work, args=(f"w{at}",), daemon=True) for at in range(3)]
    for worker in workers:
        worker.start()
    ids = [r.xadd("a", {"n": at}) for at in range(200)]
    assert sorted(done.get(timeout=SECONDS) for _ in ids) == sorted(ids)
    while any(worker.is_alive() for worker in workers):
        r.xadd("a", {"end": 1})
        for worker in workers:
            worker.join(0.01)
    assert done.empty()


def test_who_waits_for_a_group_is_told_when_a_command_of_another_one_meets_its_key_expired(r: Any) -> None:
    """A writer deletes what has expired before it does anything else; nothing but that tells of the key."""
    r.xgroup_create("a", "g", mkstream=True)
    reader = Waiting(r, lambda: r.xreadgroup("g", "c", {"a": ">"}, block=0))
    r.pexpire("a", 5)
    until(lambda: r.set("b", 1) and not r.exists("a"))
    assert "NOGROUP" in str(reader.result())


@pytest.mark.parametrize("single", [False, True])
def test_closing_the_client_ends_a_wait_of_another_thread(single: bool, tmp_path: Path) -> None:
    for place in (":memory:", tmp_path / "a.db"):
        r = streamcli.connect(place, single_connection_client=single)
        reader = Waiting(r, lambda: r.xread({"a": "$"}, block=0))  # noqa: B023
        r.close()
        error = reader.result()
        assert isinstance(error, redis.ConnectionError)
        assert "closed while this waited" in str(error)
        assert r.xadd("a", {"f": "v"}, id="1-1") == b"1-1"
        r.close()


def test_closing_the_client_ends_a_pipeline_that_waits(r: Any) -> None:
    pipe = (
        r.pipeline(transaction=False).xadd("a", {"f": "v"}, id="1-1").xread({"a": "$"}, block=0).xadd("a", {"f": "w"})
    )
    reader = Waiting(r, pipe.execute)
    r.close()
    assert isinstance(reader.result(), redis.ConnectionError)
