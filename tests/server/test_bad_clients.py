"""Clients that do what they should not: each gets an error or is closed, everybody else goes on, nothing is lost."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamcli.engine import Engine
from tests.e2e.program import until
from tests.server.served import Served, argv, heard, sent, serving

MEGABYTE = 1024**2


@contextlib.contextmanager
def beside(server: Served) -> Iterator[None]:
    """Somebody who behaves works before and after, on the same connection."""
    with contextlib.closing(server.connect()) as connection:
        before = connection.call(argv("XADD", "beside", "*", "f", "v"))
        assert isinstance(before, bytes)
        assert before[:1] == b"$"
        yield
        assert connection.call(argv("XLEN", "beside")) == b":1\r\n"
        assert connection.call(argv("PING")) == b"+PONG\r\n"
    assert not any("internal error" in line for line in server.log), server.log


def resident(server: Served) -> int:
    """Bytes of memory that the server has."""
    pages = int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize()


@pytest.mark.parametrize(
    "data",
    [
        b"*1\r\n$9223372036854775808\r\n",
        b"*9223372036854775808\r\n",
        b"*-9223372036854775809\r\n",
        b"*1\r\n$-5\r\n",
        b"*1\r\n" * 1_000_000,
        b"*3\r\n$3\r\nSET\r\n*1\r\n",
        b"x" * 100_000,
        b'SET "a\r\n',
        bytes(range(1, 256)) * 10 + b"\r\n",
        b"\xff" * 70_000,
        b"+OK\r\n$5\r\n",
        b"*1\r\n$4\r\nPING\r\n*1\r\n+PING\r\n",
    ],
    ids=lambda data: repr(data[:24]),
)
def test_what_is_no_request_gets_an_error_and_the_end(data: bytes, server: Served) -> None:
    with beside(server), server.socket() as connection:
        with contextlib.suppress(OSError):
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        answers = heard(connection, until_closed=True)
        last = answers.rstrip(b"\r\n").rpartition(b"\n")[2]
        assert last == b"" or last.startswith((b"-ERR Protocol error: ", b"-ERR unknown command"))


@pytest.mark.parametrize(
    "data", [b"POST / HTTP/1.1\r\nHost: a\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n\r\nFLUSHALL\r\n"]
)
def test_a_web_page_is_sent_away(data: bytes, server: Served) -> None:
    with beside(server), server.socket() as connection:
        connection.sendall(data)
        assert b"OK" not in heard(connection, until_closed=True)
    until(lambda: any("speaks HTTP" in line for line in server.log), "the operator is told")


def test_half_a_request_and_silence_holds_nobody_up(server: Served) -> None:
    with beside(server), contextlib.ExitStack() as stack:
        for data in (b"*2\r\n$4\r\nECHO\r\n$1000\r\nabc", b"*", b"*2\r\n$4", b"PIN", b"*1\r\n$536870912\r\n"):
            stack.enter_context(server.socket()).sendall(data)
        until(lambda: server.info("clients")["connected_clients"] == "7", "all are there")


def test_promises_of_much_cost_nothing(server: Served) -> None:
    before = resident(server)
    with beside(server), contextlib.ExitStack() as stack:
        for _ in range(50):
            connection = stack.enter_context(server.socket())
            connection.sendall(b"*2147483647\r\n$536870912\r\nabc")
        until(lambda: server.info("clients")["connected_clients"] == "52", "all are there")
        assert resident(server) - before < 30 * MEGABYTE


def test_a_query_that_is_too_long_ends_its_client_alone(server: Served) -> None:
    server.call("CONFIG", "SET", "client-query-buffer-limit", "1mb")
    try:
        with beside(server), server.socket() as connection:
            connection.sendall(b"*2\r\n$4\r\nECHO\r\n$500000000\r\n")
            with contextlib.suppress(ConnectionError):
                for _ in range(50):
                    connection.sendall(b"x" * 65536)
            assert heard(connection, until_closed=True) == b""
        assert server.info("stats")["client_query_buffer_limit_disconnections"] == "1"
    finally:
        server.call("CONFIG", "SET", "client-query-buffer-limit", "1gb")


def test_a_client_that_never_reads_costs_one_batch_of_replies(server: Served) -> None:
    value = "v" * 100_000
    server.call("XADD", "s", "1-1", "f", value)
    before = resident(server)
    with beside(server), server.socket() as connection:
        connection.settimeout(0.5)
        with contextlib.suppress(TimeoutError):
            for _ in range(5000):  # 500 MB of replies
                connection.sendall(sent("XRANGE s - +") * 10)
        assert resident(server) - before < 40 * MEGABYTE
        connection.settimeout(30)
        assert heard(connection, size=100_000).startswith(b"*1\r\n")  # and gets them all the same, once it reads


def test_a_monitor_that_never_reads_is_closed(server: Served) -> None:
    server.call("CONFIG", "SET", "client-output-buffer-limit", "normal 1mb 0 0")
    try:
        with beside(server), server.socket() as connection, server.socket() as busy:
            connection.sendall(sent("MONITOR"))
            heard(connection, size=5)
            until(lambda: _shout(server, busy), "it is closed")
    finally:
        server.call("CONFIG", "SET", "client-output-buffer-limit", "normal 256mb 0 0")


def _shout(server: Served, connection: socket.socket) -> bool:
    connection.sendall(sent("ECHO " + "x" * 100_000) * 5)
    heard(connection, size=500_000)
    return server.info("stats")["client_output_buffer_limit_disconnections"] != "0"


def test_a_client_that_leaves_in_a_transaction_leaves_nothing(server: Served) -> None:
    with beside(server):
        for lines in (("MULTI", "XADD s * f v"), ("WATCH s", "MULTI", "XADD s * f v"), ("XREAD BLOCK 0 STREAMS s $",)):
            with server.socket() as connection:
                connection.sendall(sent("PING", *lines))
                assert heard(connection, size=7).startswith(b"+PONG\r\n")
        until(lambda: server.info("clients")["connected_clients"] == "2", "they are gone")
        assert server.call("EXISTS", "s") == b":0\r\n"
        assert server.info("clients")["watching_clients"] == "0"


def test_the_operator_is_not_told_of_each_reply_to_a_client_that_has_gone(server: Served) -> None:
    """asyncio would, from the sixth on."""
    told = len(server.log)
    server.process.send_signal(signal.SIGSTOP)
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(server.path)
            connection.sendall(b"PING\r\n" * 10_000)  # twenty turns, of which the server finds the first one unheard
    finally:
        server.process.send_signal(signal.SIGCONT)
    with beside(server):
        until(lambda: server.info("clients")["connected_clients"] == "2", "it is gone")
    assert server.log[told:] == []


def test_a_silent_client_is_closed_after_its_time(server: Served) -> None:
    server.call("CONFIG", "SET", "timeout", "1")
    try:
        with server.socket() as silent, server.socket() as waiting:
            waiting.sendall(sent("XREAD BLOCK 0 STREAMS s $"))
            assert heard(silent, until_closed=True) == b""
            assert server.info("clients")["blocked_clients"] == "1"
    finally:
        server.call("CONFIG", "SET", "timeout", "0")


# -- the file ----------------------------------------------------------------------------------


def test_a_file_that_is_removed_takes_no_more_writes(on_file: Served, tmp_path: Path) -> None:
    on_file.call("XADD", "s", "1-1", "f", "v")
    path = tmp_path / "served.db"
    moved = tmp_path / "moved.db"
    for name in ("", "-wal", "-shm"):
        os.rename(f"{path}{name}", f"{moved}{name}")
    said = (
        b"-ERR the database file was removed or replaced while it was in use; nothing was changed; "
        b"put the file back, or start again with the one that is there\r\n"
    )
    assert on_file.call("XADD", "s", "1-2", "f", "v") == said
    assert on_file.call("XLEN", "s") == b":1\r\n"
    with on_file.socket() as connection:
        connection.sendall(sent("PING", "XADD s * f v", "XLEN s", "ECHO on"))
        expected = b"+PONG\r\n" + said * 2 + b"$2\r\non\r\n"
        assert heard(connection, size=len(expected)) == expected
    Engine(str(path)).close()  # another one in its place is not taken for it
    assert on_file.call("XADD", "s", "1-2", "f", "v") == said
    assert on_file.call("XLEN", "s") == b":1\r\n"
    assert len([line for line in on_file.log if "removed or replaced" in line]) == 1
    for name in ("", "-wal", "-shm"):
        (tmp_path / f"served.db{name}").unlink(missing_ok=True)
    for name in ("", "-wal", "-shm"):
        os.rename(f"{moved}{name}", f"{path}{name}")
    assert on_file.call("XADD", "s", "1-3", "f", "v") == b"$3\r\n1-3\r\n"


@pytest.mark.skipif(sys.platform != "linux", reason="how a full disk is made here")
def test_a_full_disk_is_an_error_and_no_loss(tmp_path: Path) -> None:
    """A limit on the size of its files is to SQLite what a full disk is."""
    with serving("--db", tmp_path / "served.db") as server:
        for number in range(1, 50):
            server.call("XADD", "s", f"{number}-1", "f", "v" * 100)
        size = os.path.getsize(tmp_path / "served.db-wal")
        limits = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size + 20_000, limits[1]))
        with beside_reader(server):
            replies = [server.call("XADD", "s", f"{number}-1", "f", "v" * 100) for number in range(50, 70)]
            assert replies[-1].startswith(b"-ERR ")
            kept = sum(reply.startswith(b"$") for reply in replies)
            with server.socket() as connection:
                connection.sendall(sent("PING", "XADD s * f v", "MULTI", "XADD s * f v", "EXEC", "PING"))
                data = b""
                while not data.endswith(b"+PONG\r\n") or len(data) < 20:
                    data += heard(connection, size=1)
            lines = data.split(b"\r\n")
            assert (lines[0], lines[2], lines[3]) == (b"+PONG", b"+OK", b"+QUEUED")
            assert lines[1].startswith(b"-ERR ")
            assert lines[4].startswith(b"-ERR ")
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, limits)
        assert server.call("XLEN", "s") == b":%d\r\n" % (49 + kept)
        assert server.call("XADD", "s", "100-1", "f", "v") == b"$5\r\n100-1\r\n"
        server.end(signal.SIGKILL)
    with serving("--db", tmp_path / "served.db") as server:
        assert server.call("XLEN", "s") == b":%d\r\n" % (50 + kept)


@contextlib.contextmanager
def beside_reader(server: Served) -> Iterator[None]:
    with contextlib.closing(server.connect()) as connection:
        yield
        assert connection.call(argv("PING")) == b"+PONG\r\n"
        reply = connection.call(argv("XRANGE", "s", "1", "1"))
        assert not isinstance(reply, bytes)


# -- and those who do nothing --------------------------------------------------------------------


def test_time_goes_on_for_others_while_somebody_sleeps(server: Served) -> None:
    with server.socket() as sleeper:
        sleeper.sendall(sent("DEBUG SLEEP 20"))
        began = time.monotonic()
        assert server.call("PING") == b"+PONG\r\n"
        assert time.monotonic() - began < 10
