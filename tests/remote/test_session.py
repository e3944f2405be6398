"""A session on a server: logging in late, transactions that change it, trickles, floods, and questions beside it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from streamcli.backend import LostError, UnreachableError, Waiting
from streamcli.backend.remote.one import Remote
from streamcli.reply import OK, QUEUED, Error
from tests.remote.conftest import Servers
from tests.remote.fake import Endless, Fake
from tests.remote.processes import PASSWORD, Server

MakeFake = Callable[..., Fake]


def run(remote: Remote, line: str) -> Any:
    return remote.execute([word.encode() for word in line.split()])


def test_who_logs_in_late_is_then_where_and_who_was_asked_for(servers: Servers) -> None:
    guarded = servers.guarded()
    guarded.empty()
    remote = Remote(guarded.address(password=None, db=3))
    assert (remote.db, remote.link.protocol) == (0, 2)
    assert run(remote, "XLEN a") == Error("NOAUTH Authentication required.")
    assert run(remote, f"AUTH {PASSWORD}") == OK
    assert (remote.db, remote.link.protocol) == (3, 3)
    assert remote.server is not None
    assert remote.server.version == guarded.version
    assert remote.link.id is not None
    run(remote, "XADD a 1-1 f v")
    assert run(remote, "SELECT 0") == OK
    assert run(remote, "XLEN a") == 0
    remote.close()


def test_who_may_not_select_is_not_left_in_another_database(server: Server) -> None:
    server.call("ACL", "SETUSER", "bob", "on", ">word", "~*", "+@all", "-select")
    with pytest.raises(UnreachableError, match="does not let us use database 3: NOPERM"):
        Remote(server.address(user="bob", password="word", db=3))
    server.call("ACL", "DELUSER", "bob")


def test_what_a_transaction_did_to_the_session_holds_on_the_next_connection(server: Server) -> None:
    remote = Remote(server.address())
    for line in ("MULTI", "SELECT 5", "XLEN a"):
        run(remote, line)
    assert run(remote, "EXEC") == [OK, 0]
    assert remote.db == 5
    server.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    run(remote, "XADD a 1-1 f v")
    assert run(remote, "SELECT 0") == OK
    assert run(remote, "EXISTS a") == 0
    assert run(remote, "MULTI") == OK
    assert run(remote, "HELLO 2") == QUEUED
    run(remote, "EXEC")
    assert remote.link.protocol == 2
    remote.close()


class Interrupt:
    """Ctrl-C, when the wait has lasted so long."""

    def __init__(self, remote: Remote, after_ms: int) -> None:
        self._remote, self._after_ms = remote, after_ms
        remote.on_wait = self

    def __call__(self, waiting: Waiting) -> None:
        if waiting.elapsed_ms >= self._after_ms:
            self._remote.stop(writes=False)


TRICKLE = b"*100000\r\n"


def test_a_reply_that_trickles_in_can_be_left(fake: MakeFake) -> None:
    remote = Remote(_address(fake({"XLEN": Endless(b":1\r\n", first=TRICKLE, pause=0.02)})))
    Interrupt(remote, 300)
    with pytest.raises(KeyboardInterrupt):
        run(remote, "XLEN a")
    remote.close()


def test_a_reply_that_trickles_in_comes_too_late(fake: MakeFake) -> None:
    server = fake({"XLEN": Endless(b":1\r\n", first=TRICKLE, pause=0.02)})
    remote = Remote(_address(server)._replace(timeout=0.3))
    with pytest.raises(LostError, match=r"no reply from .* within 0\.3 s"):
        run(remote, "XLEN a")
    remote.close()


def test_a_question_beside_the_session_takes_only_so_much(fake: MakeFake) -> None:
    remote = Remote(_address(fake({"COMMAND": Endless(b"$65536\r\n" + b"x" * 65536 + b"\r\n", first=TRICKLE)})))
    reply = remote.browse((b"COMMAND",))
    assert isinstance(reply, Error)
    assert "more than 16777216 bytes" in reply.text
    remote.close()
    assert remote.browse((b"PING",)) == Error("ERR closed")


def test_a_question_that_was_interrupted_leaves_no_reply_behind(server: Server) -> None:
    remote = Remote(server.address())
    assert remote.browse((b"ECHO", b"zero")) == b"zero"
    assert remote._aside is not None
    receive = remote._aside.receive

    def interrupted(*arguments: Any, **more: Any) -> Any:
        raise KeyboardInterrupt

    remote._aside.receive = interrupted  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        remote.browse((b"ECHO", b"one"))
    remote._aside.receive = receive  # type: ignore[method-assign]
    assert remote.browse((b"ECHO", b"two")) == b"two"
    remote.close()


@pytest.mark.parametrize(("line", "seconds"), [("HGETALL h", 2.0), ("XREAD BLOCK 500 STREAMS a $", 2.5)])
def test_a_reply_has_its_time_and_a_read_that_blocks_its_own_on_top(server: Server, line: str, seconds: float) -> None:
    remote = Remote(server.address(timeout=2.0))
    assert remote.limit([word.encode() for word in line.split()]) == seconds
    for forever in ("BLPOP l 0", "XREAD BLOCK 0 STREAMS a $"):
        assert remote.limit([word.encode() for word in forever.split()]) is None
    remote.close()


@pytest.mark.parametrize(
    ("line", "ends"),
    [
        ("XLEN a", "; the command only reads and may be sent again"),
        ("CONFIG SET maxmemory 0", " after the command was sent; it may have been applied"),
        ("HSET h f v", " after the command was sent; it may have been applied"),
        ("PING", "; the command only reads and may be sent again"),
    ],
)
def test_only_of_what_only_reads_it_is_said_that_it_may_be_sent_again(server: Server, line: str, ends: str) -> None:
    remote = Remote(server.address())
    assert remote.after_sending([word.encode() for word in line.split()], "lost") == f"lost{ends}"
    remote.close()


@pytest.mark.parametrize("line", ["REPLCONF ACK 5", "SYNC", "PSYNC ? -1", "CLIENT REPLY OFF", "client reply skip"])
def test_what_is_never_answered_is_not_sent(server: Server, line: str) -> None:
    remote = Remote(server.address())
    assert "it was not sent" in run(remote, line).text
    assert run(remote, "ECHO next") == b"next"
    remote.close()


def test_a_flood_of_pushes_does_not_keep_anybody_from_sending(server: Server) -> None:
    remote = Remote(server.address())
    pushes: list[object] = []
    remote.on_push = pushes.append
    assert run(remote, "CLIENT TRACKING ON BCAST") == OK
    writer = threading.Thread(target=lambda: [server.call("SET", f"k{number}", "v") for number in range(300)])
    writer.start()
    end = time.monotonic() + 20
    while writer.is_alive() and time.monotonic() < end:
        assert run(remote, "ECHO x") == b"x"
    writer.join()
    assert run(remote, "ECHO y") == b"y"
    assert run(remote, "ECHO z") == b"z"
    assert len(pushes) > 0
    remote.close()


def _address(server: Fake) -> Any:
    from streamcli.backend.address import Address

    return Address(port=server.port)
