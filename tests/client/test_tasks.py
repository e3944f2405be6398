"""The asyncio client: the same answers; a wait gives way to other tasks, and may be cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import redis

import streamcli

SECONDS = 30  # no test takes so long, unless it fails


def run(test: Callable[[Any], Awaitable[None]], place: Any = ":memory:", **settings: Any) -> None:
    """The test with a client of its own, in a loop of its own."""

    async def main() -> None:
        async with streamcli.aconnect(place, decode_responses=True, **settings) as client:
            await asyncio.wait_for(test(client), SECONDS)

    asyncio.run(main())


async def waiting(client: Any, call: Any) -> asyncio.Task[Any]:
    """A task that has begun to wait in line."""
    line = client.connection_pool._shared._line
    before = len(line)
    task: asyncio.Task[Any] = asyncio.create_task(call)
    while len(line) == before:
        await asyncio.sleep(0)
    return task


@pytest.fixture(params=["memory", "file"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    return ":memory:" if request.param == "memory" else tmp_path / "a.db"


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("single", [False, True])
def test_commands_and_pipelines_answer_as_redis_py_s_do(protocol: int, single: bool) -> None:
    async def test(r: Any) -> None:
        assert await r.xadd("a", {"f": "v"}, id="1-1") == "1-1"
        assert await r.xrange("a") == [("1-1", {"f": "v"})]
        async with r.pipeline() as pipe:
            assert await pipe.xlen("a").set("k", 1).get("k").execute() == [1, True, "1"]
        async with r.pipeline(transaction=False) as pipe:
            answers = await pipe.xlen("k").xlen("a").execute(raise_on_error=False)
        assert (type(answers[0]), answers[1]) == (redis.ResponseError, 1)
        assert [key async for key in r.scan_iter()] == ["a", "k"]
        with pytest.raises(redis.ResponseError, match="no such key"):
            await r.xinfo_stream("none")
        with pytest.raises(redis.DataError):
            await r.set("k", None)

    run(test, protocol=protocol, single_connection_client=single)


def test_other_tasks_run_while_one_waits(place: Any) -> None:
    async def test(r: Any) -> None:
        task = await waiting(r, r.xread({"a": "$"}, block=0))
        await r.xadd("b", {"f": "v"})
        await r.xadd("a", {"f": "v"}, id="1-1")
        assert await task == [["a", [("1-1", {"f": "v"})]]]

    run(test, place)


def test_a_wait_ends_when_its_time_is_over(place: Any) -> None:
    async def test(r: Any) -> None:
        assert await r.xread({"a": "$"}, block=20) == []

    run(test, place)


def test_consumers_are_served_in_the_order_in_which_they_began_to_wait(place: Any) -> None:
    async def test(r: Any) -> None:
        await r.xgroup_create("a", "g", mkstream=True)
        tasks = [await waiting(r, r.xreadgroup("g", name, {"a": ">"}, block=0)) for name in "abc"]
        for at in range(1, 4):
            await r.xadd("a", {"f": "v"}, id=f"{at}-1")
        assert await asyncio.gather(*tasks) == [[["a", [(f"{at}-1", {"f": "v"})]]] for at in range(1, 4)]

    run(test, place)


def test_a_cancelled_wait_changes_nothing_and_the_next_in_line_is_served(place: Any) -> None:
    async def test(r: Any) -> None:
        await r.xgroup_create("a", "g", mkstream=True)
        first = await waiting(r, r.xreadgroup("g", "ann", {"a": ">"}, block=0))
        second = await waiting(r, r.xreadgroup("g", "bob", {"a": ">"}, block=0))
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        await r.xadd("a", {"f": "v"}, id="1-1")
        assert await second == [["a", [("1-1", {"f": "v"})]]]
        assert (await r.xpending("a", "g"))["consumers"] == [{"name": "bob", "pending": 1}]
        assert not r.connection_pool._shared._line

    run(test, place)


def test_a_time_out_around_a_wait_is_a_cancellation() -> None:
    async def test(r: Any) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(r.xread({"a": "$"}, block=0), 0.01)
        assert await r.ping()
        assert not r.connection_pool._shared._line

    run(test)


def test_a_thread_that_writes_wakes_a_task_by_the_file(tmp_path: Path) -> None:
    async def test(r: Any) -> None:
        task = await waiting(r, r.xread({"a": "$"}, block=0))

        def write() -> None:
            with streamcli.connect(tmp_path / "a.db") as other:
                other.xadd("a", {"f": "v"}, id="1-1")

        await asyncio.to_thread(write)
        assert await task == [["a", [("1-1", {"f": "v"})]]]

    run(test, tmp_path / "a.db")


def test_watch_is_broken_by_another_connection() -> None:
    async def test(r: Any) -> None:
        async with r.pipeline() as pipe:
            await pipe.watch("k")
            await r.set("k", 1)
            pipe.multi()
            pipe.set("k", 2)
            with pytest.raises(redis.WatchError):
                await pipe.execute()
        assert await r.get("k") == "1"

    run(test)


def test_subscribing_is_refused_at_once() -> None:
    async def test(r: Any) -> None:
        async with r.pubsub() as pubsub:
            with pytest.raises(redis.ResponseError, match="SUBSCRIBE: the embedded engine has no pub/sub"):
                await pubsub.subscribe("news")
        assert await r.ping()

    run(test)


def test_a_client_goes_on_in_another_loop() -> None:
    client: Any = streamcli.aconnect()

    async def use() -> Any:
        return (
            await client.xread({"a": "$"}, block=5),
            await client.xadd("a", {"f": "v"}, id="*"),
            await client.xlen("a"),
        )

    assert [asyncio.run(use())[2] for _ in range(2)] == [1, 2]


def test_a_file_that_cannot_be_used_is_told_when_it_is_named(tmp_path: Path) -> None:
    with pytest.raises(streamcli.OpenError):
        streamcli.aconnect(tmp_path)


@pytest.mark.parametrize("single", [False, True])
def test_closing_the_client_ends_a_wait_of_another_task(place: Any, single: bool) -> None:
    async def test(r: Any) -> None:
        task = await waiting(r, r.xread({"a": "$"}, block=0))
        await r.aclose()
        with pytest.raises(redis.ConnectionError, match="closed while this waited"):
            await task
        assert await r.xadd("a", {"f": "v"}, id="1-1") == "1-1"

    run(test, place, single_connection_client=single)
