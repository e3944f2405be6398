"""Clients as they are: redis-py in both protocols and with asyncio, redis-cli, this shell; and a kill."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import redis
import redis.asyncio

from streamcli.engine import Engine
from tests.conformance import live
from tests.e2e.program import DEADLINE, ROOT
from tests.server.served import Served, serving

WRITERS = 40


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("kind", ["memory", "file"])
def test_redis_py_walks_through_a_streams_life(kind: str, protocol: int, server: Served, on_file: Served) -> None:
    client = (server if kind == "memory" else on_file).client(protocol=protocol)
    ids = [client.xadd("s", {"n": str(number)}, id=f"{number}-1") for number in range(1, 6)]
    assert ids == ["1-1", "2-1", "3-1", "4-1", "5-1"]
    assert client.xrange("s", count=2) == [("1-1", {"n": "1"}), ("2-1", {"n": "2"})]
    assert client.xrevrange("s", count=1) == [("5-1", {"n": "5"})]
    read = client.xread({"s": "3-1"})
    assert (read["s"][0] if protocol == 3 else read[0][1]) == [("4-1", {"n": "4"}), ("5-1", {"n": "5"})]
    assert client.xgroup_create("s", "g", "0")
    with pytest.raises(redis.ResponseError, match="BUSYGROUP"):
        client.xgroup_create("s", "g", "0")
    client.xreadgroup("g", "ann", {"s": ">"}, count=2)
    assert client.xpending("s", "g")["pending"] == 2
    assert client.xack("s", "g", "1-1") == 1
    assert client.xautoclaim("s", "g", "bob", 0)[1] == [("2-1", {"n": "2"})]
    assert client.xinfo_consumers("s", "g")[1]["name"] == "bob"
    assert client.xinfo_stream("s")["length"] == 5
    assert client.xtrim("s", maxlen=2, approximate=False) == 3
    with client.pipeline() as pipe:
        pipe.xadd("s", {"n": "6"}, id="6-1").xlen("s")
        assert pipe.execute() == ["6-1", 3]
    assert client.xread({"s": "$"}, block=10) in ([], {})
    assert client.command_count() == len(client.command_list()) > 60
    assert client.client_info()["lib-name"] == "redis-py"
    assert client.memory_usage("s") > 0


def test_redis_py_with_asyncio_reads_while_it_writes(server: Served) -> None:
    async def both() -> list[object]:
        client: Any = redis.asyncio.Redis(port=server.port, decode_responses=True)
        waiting = asyncio.create_task(client.xread({"s": "$"}, block=0))
        while (await client.info("clients"))["blocked_clients"] != 1:
            await asyncio.sleep(0)
        await client.xadd("s", {"f": "v"}, id="1-1")
        found = await waiting
        await client.aclose()
        return list(found)

    assert asyncio.run(both()) == [["s", [("1-1", {"f": "v"})]]]


def test_redis_cli_finds_a_server(server: Served) -> None:
    command = live.unpacked("redis-cli")
    if command is None:
        command = ["redis-cli"]
        if subprocess.run(["sh", "-c", "command -v redis-cli"], capture_output=True, check=False).returncode:
            pytest.skip("no redis-cli here")
    lines = "XADD s 1-1 f v\nXRANGE s - +\nXINFO STREAM nosuch\nMULTI\nXLEN s\nEXEC\n"
    done = subprocess.run(
        [*command, "-p", str(server.port)], input=lines, capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    assert (done.stdout, done.returncode) == (
        "1-1\n1-1\nf\nv\nERR no such key\n\nOK\nQUEUED\n1\n",
        0,
    )
    stat = subprocess.run(
        [*command, "-3", "-p", str(server.port), "XINFO", "STREAM", "s"],
        capture_output=True, text=True, timeout=DEADLINE, check=True,
    )  # fmt: skip
    assert stat.stdout.startswith("length\n1\n") or "length" in stat.stdout


def test_this_shell_finds_a_server(server: Served) -> None:
    def shell(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "streamcli", *words],
            cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE, check=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return done.stdout

    assert shell("-p", str(server.port), "XADD", "s", "1-1", "f", "v") == "1-1\n"
    assert shell("-s", server.path, "XLEN", "s") == "1\n"
    assert shell("-3", "-p", str(server.port), "--format", "tree", "XRANGE", "s", "-", "+").startswith("1-1")


def test_a_server_and_other_processes_share_a_file(on_file: Served, tmp_path: Path) -> None:
    """Both write at once; nothing is lost, and both see all of it."""
    there = Engine(str(tmp_path / "served.db"))
    failed: list[object] = []

    def write() -> None:
        for number in range(300):
            reply = there.execute([b"XADD", b"s", b"*", b"from", b"there", b"n", b"%d" % number], 1)
            if not isinstance(reply, bytes):
                failed.append(reply)

    thread = threading.Thread(target=write)
    thread.start()
    client = on_file.client()
    for number in range(300):
        client.xadd("s", {"from": "here", "n": number})
    thread.join()
    assert failed == []
    entries = client.xrange("s")
    for side in ("here", "there"):
        assert [fields["n"] for _, fields in entries if fields["from"] == side] == [str(n) for n in range(300)]
    assert there.execute([b"XLEN", b"s"], 1) == 600
    there.close()


def _place(id: str) -> tuple[int, ...]:
    return tuple(map(int, id.split("-")))


@pytest.mark.parametrize("pipelined", [1, 20])
def test_what_was_acknowledged_survives_a_kill(pipelined: int, tmp_path: Path) -> None:
    path = tmp_path / "served.db"
    acknowledged: list[list[str]] = [[] for _ in range(WRITERS)]
    with serving("--db", path) as server:
        enough = threading.Event()

        def write(who: int) -> None:
            client = server.client()
            try:
                for number in range(10**6):
                    pipe = client.pipeline(transaction=False)
                    for each in range(pipelined):
                        pipe.xadd("s", {"who": who, "n": number * pipelined + each})
                    acknowledged[who] += pipe.execute()
                    if sum(map(len, acknowledged)) > 4000:
                        enough.set()
            except (redis.ConnectionError, OSError):
                pass

        threads = [threading.Thread(target=write, args=(who,)) for who in range(WRITERS)]
        for thread in threads:
            thread.start()
        assert enough.wait(DEADLINE)
        server.process.kill()
        for thread in threads:
            thread.join()
    with serving("--db", path) as server:
        there = [id for id, _ in server.client().xrange("s")]
        by_writer: dict[str, list[int]] = {}
        for _, fields in server.client().xrange("s"):
            by_writer.setdefault(fields["who"], []).append(int(fields["n"]))
    assert set(there) >= {id for ids in acknowledged for id in ids}
    assert all(ids == sorted(ids, key=_place) for ids in acknowledged)
    assert all(numbers == list(range(len(numbers))) for numbers in by_writer.values())
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
