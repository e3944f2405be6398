"""Replies that are too long, or that nobody reads: whoever asked for them is closed, everybody else is served."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.program import until
from tests.server.served import Served, argv, heard, sent
from tests.server.test_bad_clients import MEGABYTE, beside, resident
from tests.server.test_faults import Talk, with_server

DEFAULT = "normal 256mb 0 0"


@contextlib.contextmanager
def limited(server: Served, limits: str) -> Iterator[None]:
    server.call("CONFIG", "SET", "client-output-buffer-limit", limits)
    try:
        yield
    finally:
        server.call("CONFIG", "SET", "client-output-buffer-limit", DEFAULT)


def closed_for_their_output(server: Served) -> str:
    return server.info("stats")["client_output_buffer_limit_disconnections"]


def test_one_reply_that_is_too_long_closes_its_client(server: Served) -> None:
    for number in range(1, 4):
        server.call("XADD", "s", f"{number}-1", "f", "v" * 40_000)
    with limited(server, "normal 100000 0 0"), beside(server):
        closed = closed_for_their_output(server)
        with server.socket() as connection:
            connection.sendall(sent("XRANGE s - +", "XADD s * f v"))
            assert heard(connection, until_closed=True) == b""
        assert server.call("XLEN", "s") == b":3\r\n"  # nothing behind it was run
        assert closed_for_their_output(server) == str(int(closed) + 1)
    said = "its replies are more than client-output-buffer-limit allows (100000 bytes)"
    until(lambda: any(said in line for line in server.log), "the operator is told")


def test_replies_that_are_too_long_together_close_their_client(server: Served) -> None:
    server.call("XADD", "s", "1-1", "f", "v" * 40_000)
    with limited(server, "normal 100000 0 0"), beside(server), server.socket() as connection:
        connection.sendall(sent(*["XRANGE s - +"] * 3))
        assert heard(connection, until_closed=True) == b""


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_a_transaction_with_replies_that_are_too_long_is_carried_out_and_not_answered(
    kind: str, server: Served, on_file: Served
) -> None:
    served = server if kind == "memory" else on_file
    served.call("XADD", "s", "1-1", "f", "v" * MEGABYTE)
    with limited(served, "normal 8mb 0 0"), beside(served), served.socket() as connection:
        before = resident(served)
        reads = ["XRANGE s - +"] * 400
        connection.sendall(sent("MULTI", "SET before 1", *reads, "SELECT 1", "XADD t 1-1 f v", "EXEC", "SET behind 1"))
        answered = heard(connection, until_closed=True)
        assert answered.removeprefix(b"+OK\r\n").replace(b"+QUEUED\r\n", b"") == b""
        assert resident(served) - before < 60 * MEGABYTE
    assert (served.call("EXISTS", "before"), served.call("EXISTS", "behind")) == (b":1\r\n", b":0\r\n")
    with served.socket() as connection:
        connection.sendall(sent("SELECT 1", "XLEN t"))
        assert heard(connection, size=9) == b"+OK\r\n:1\r\n"


@pytest.mark.parametrize("line", ["XRANGE s - +", "XREVRANGE s + -", "XREAD STREAMS s s s 0 0 0"])
def test_a_reply_that_is_too_long_is_not_put_together_to_its_end(line: str, server: Served) -> None:
    pipeline = server.client().pipeline(transaction=False)
    for number in range(1, 201):
        pipeline.xadd("s", {"f": "v" * 500_000}, id=f"{number}-1")
    pipeline.execute()
    with limited(server, "normal 4mb 0 0"), beside(server), server.socket() as connection:
        before = resident(server)
        connection.sendall(sent(line))
        assert heard(connection, until_closed=True) == b""
        assert resident(server) - before < 40 * MEGABYTE


def test_without_a_limit_any_reply_is_sent(server: Served) -> None:
    server.call("XADD", "s", "1-1", "f", "v" * MEGABYTE)
    with limited(server, "normal 0 0 0"), contextlib.closing(server.connect()) as connection:
        assert connection.call(argv("MULTI")) == b"+OK\r\n"
        for _ in range(20):
            assert connection.call(argv("XRANGE", "s", "-", "+")) == b"+QUEUED\r\n"
        reply = connection.call(argv("EXEC"))
        assert not isinstance(reply, bytes)
        assert len(reply.items) == 20


def test_a_client_that_stays_above_the_soft_limit_for_its_time_is_closed(server: Served) -> None:
    server.call("XADD", "s", "1-1", "f", "v" * MEGABYTE)
    with limited(server, "normal 0 100000 1"), beside(server), server.socket() as connection:
        closed = closed_for_their_output(server)
        connection.sendall(sent(*["XRANGE s - +"] * 10))
        until(lambda: closed_for_their_output(server) == str(int(closed) + 1), "it is closed")
    said = "more than 100000 bytes of replies have waited for it for 1 s"
    until(lambda: any(said in line for line in server.log), "the operator is told")


def test_a_client_that_reads_before_the_time_of_the_soft_limit_is_over_gets_all(server: Served) -> None:
    server.call("XADD", "s", "1-1", "f", "v" * MEGABYTE)
    with limited(server, "normal 0 100000 1000"), server.socket() as slow:
        slow.sendall(sent(*["XRANGE s - +"] * 10, "ECHO end"))
        until(lambda: "omem=0 " not in line_of(server, slow), "replies wait")
        one = len(server.call("XRANGE", "s", "-", "+"))
        assert heard(slow, size=10 * one + 9).endswith(b"$3\r\nend\r\n")


def line_of(server: Served, connection: Any) -> str:
    """What CLIENT LIST says of a connection."""
    host, port = connection.getsockname()
    lines = server.call("CLIENT", "LIST").decode().splitlines()
    return next(line for line in lines if f" addr={host}:{port} " in line)


@pytest.mark.parametrize("lines", [("XADD s * f v",), ("CLIENT REPLY OFF", "XADD s * f v")])
def test_a_long_pipeline_lets_others_go_between(
    lines: tuple[str, ...], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamcli.server.client._TURN_SECONDS", 0)

    async def test(server: Any, talk: Talk) -> None:
        reader, writer = await asyncio.open_unix_connection(str(tmp_path / "s"))
        while not server.clients:
            await asyncio.sleep(0)
        client = next(iter(server.clients.values()))
        client.heard(sent(*lines[:-1]) + sent(lines[-1]) * 5000 + sent("CLIENT REPLY ON", "ECHO end"))
        at_once = server.engine.execute([b"XLEN", b"s"], 0)
        assert 0 < at_once < 5000
        assert await talk(sent("PING"), b"\r\n") == b"+PONG\r\n"
        while await asyncio.wait_for(reader.readline(), 30) != b"end\r\n":
            pass
        assert server.engine.execute([b"XLEN", b"s"], 0) == 5000
        writer.close()

    assert with_server(tmp_path, test) == []
