"""Faults of the program or of the file under a server in this process: the one is answered, the others go on."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from streamcli.engine import Engine
from streamcli.engine.engine import HANDLERS, Context
from streamcli.reply import Reply
from streamcli.server.client import Client
from streamcli.server.server import Server
from tests.server.served import sent

Talk = Callable[[bytes, bytes], Coroutine[Any, Any, bytes]]


def with_server(tmp_path: Any, test: Callable[[Server, Talk], Coroutine[Any, Any, None]]) -> list[str]:
    """Run a test beside a server on a file, and give what that has logged."""
    log: list[str] = []

    async def run() -> None:
        engine = Engine(str(tmp_path / "faults.db"))
        server = Server(engine, log.append)
        path = str(tmp_path / "s")
        listener = await asyncio.get_running_loop().create_unix_server(lambda: Client(server), path)

        async def talk(data: bytes, end: bytes) -> bytes:
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(data)
            answer = await asyncio.wait_for(reader.readuntil(end), 30)
            writer.close()
            return answer

        try:
            await test(server, talk)
        finally:
            listener.close()
            server.stop()
            await asyncio.sleep(0)
            engine.close()

    asyncio.run(run())
    return log


def broken(ctx: Context, **args: object) -> Reply:
    raise RuntimeError("this is a bug")


def faulty(ctx: Context, **args: object) -> Reply:
    raise sqlite3.OperationalError("database or disk is full")


INTERNAL = b"-ERR internal error, please report it: RuntimeError: this is a bug\r\n"
FULL = b"-ERR the disk is full; nothing was changed\r\n"


@pytest.mark.parametrize(("handler", "error"), [(broken, INTERNAL), (faulty, FULL)])
def test_a_fault_undoes_and_answers_all_that_was_sent_with_it(
    handler: Any, error: bytes, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HANDLERS["XTRIM"], "run", handler)

    async def test(server: Server, talk: Talk) -> None:
        lines = ("SELECT 1", "XADD s 1-1 f v", "MULTI", "XADD s 1-2 f v", "EXEC", "CLIENT GETNAME", "XTRIM s MAXLEN 0")
        answer = await talk(sent(*lines, "XLEN s", "ECHO end"), b"end\r\n")
        fine = b"+OK\r\n" + error + b"+OK\r\n+QUEUED\r\n" + error + b"$-1\r\n" + error
        assert answer == fine + b":0\r\n$3\r\nend\r\n"
        assert (
            await talk(sent("XADD s 1-1 f v", "XLEN s", "ECHO end"), b"end\r\n") == b"$3\r\n1-1\r\n:1\r\n$3\r\nend\r\n"
        )
        assert await talk(sent("XTRIM s MAXLEN 0"), b"\r\n") == error
        assert await talk(sent("XLEN s"), b"\r\n") == b":1\r\n"

    log = with_server(tmp_path, test)
    assert len(log) == (2 if handler is broken else 0)


@pytest.mark.parametrize(("handler", "error"), [(broken, INTERNAL), (faulty, FULL)])
def test_a_fault_in_what_somebody_waits_for_is_answered_to_him(
    handler: Any, error: bytes, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(server: Server, talk: Talk) -> None:
        first = asyncio.create_task(talk(sent("XREAD BLOCK 0 STREAMS s $"), b"v\r\n"))
        while len(server.blocked) < 1:
            await asyncio.sleep(0)
        await talk(sent("XGROUP CREATE s g $ MKSTREAM"), b"\r\n")
        second = asyncio.create_task(talk(sent("XREADGROUP GROUP g c BLOCK 0 STREAMS s >"), b"\r\n"))
        while sum(map(len, server.blocked.values())) < 2:
            await asyncio.sleep(0)
        monkeypatch.setattr(HANDLERS["XREADGROUP"], "run", handler)
        assert await talk(sent("XADD s 1-1 f v"), b"1-1\r\n") == b"$3\r\n1-1\r\n"
        assert b"1-1" in await first
        assert await second == error
        assert server.blocked == {}

    assert len(with_server(tmp_path, test)) == 1


def test_a_connection_that_is_lost_while_it_is_answered_harms_nobody(tmp_path: Any) -> None:
    async def test(server: Server, talk: Talk) -> None:
        for _ in range(50):
            _, writer = await asyncio.open_unix_connection(str(tmp_path / "s"))
            writer.write(sent("XADD s * f v", "XRANGE s - +", "XREAD BLOCK 0 STREAMS s $"))
            writer.transport.abort()
        assert await talk(sent("PING"), b"\r\n") == b"+PONG\r\n"
        for _ in range(10):
            await asyncio.sleep(0)
        assert server.sleepers == set()

    assert with_server(tmp_path, test) == []


def test_half_a_request_and_silence_is_an_error_and_the_end(tmp_path: Any) -> None:
    said = b"-ERR Protocol error: half a request, and nothing more for too long\r\n"

    async def test(server: Server, talk: Talk) -> None:
        server.limits.patience = 0
        for data in (b"*2\r\n$4\r\nECHO\r\n$1000\r\nabc", b"*", b"PIN", b"*1\r\n$536870912\r\n"):
            reader, writer = await asyncio.open_unix_connection(str(tmp_path / "s"))
            writer.write(data)
            assert await asyncio.wait_for(reader.read(), 30) == said
            writer.close()

    log = with_server(tmp_path, test)
    assert [line.rpartition(": ")[2] for line in log] == ["it has sent half a request and nothing more"] * 4


def test_half_a_request_behind_a_wait_is_an_error_when_the_wait_is_over(tmp_path: Any) -> None:
    async def test(server: Server, talk: Talk) -> None:
        server.limits.patience = 0
        reader, writer = await asyncio.open_unix_connection(str(tmp_path / "s"))
        writer.write(sent("XREAD BLOCK 0 STREAMS s $") + b"*1\r\n$4\r\nPI")
        while not server.blocked:
            await asyncio.sleep(0)
        for _ in range(20):  # it is left in peace as long as it waits
            await asyncio.sleep(0.001)
        assert server.blocked
        await talk(sent("XADD s 1-1 f v"), b"1-1\r\n")
        heard = await asyncio.wait_for(reader.read(), 30)
        assert heard.startswith(b"*1\r\n")
        assert heard.endswith(b"half a request, and nothing more for too long\r\n")
        writer.close()

    assert len(with_server(tmp_path, test)) == 1
