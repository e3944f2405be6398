"""How long the rest of a request is waited for, on a server in this process whose patience is short."""

from __future__ import annotations

import asyncio
import socket

from streamcli.engine import Engine
from streamcli.server.client import Client
from streamcli.server.server import Server
from tests.e2e.program import DEADLINE

HALF = b"*2\r\n$4\r\nXLEN\r\n"


async def heard(*sent: bytes) -> tuple[bytes, list[str]]:
    """All that a client hears that has sent this, until it is sent away, and what the operator is told."""
    log: list[str] = []
    engine = Engine()
    server = Server(engine, log.append)
    server.limits.patience = 0.02
    ours, theirs = socket.socketpair()
    loop = asyncio.get_running_loop()
    await loop.connect_accepted_socket(lambda: Client(server), theirs)
    reader, writer = await asyncio.open_connection(sock=ours)
    for data in sent:
        writer.write(data)
        await writer.drain()
    async with asyncio.timeout(DEADLINE):
        data = await reader.read()
    writer.close()
    engine.close()
    return data, [line.partition(": ")[2] for line in log]


def test_half_a_request_is_not_waited_for_for_ever() -> None:
    data, log = asyncio.run(heard(b"PING\r\n", HALF))
    assert data.startswith(b"+PONG\r\n-ERR ")
    assert log == ["it has sent half a request and nothing more"]


def test_nor_is_it_when_it_came_during_a_wait() -> None:
    data, log = asyncio.run(heard(b"XREAD BLOCK 50 STREAMS s $\r\n" + HALF))
    assert data.startswith(b"*-1\r\n-ERR ")
    assert log == ["it has sent half a request and nothing more"]
