"""`pending` on servers of every kind and temper: old ones, clusters, without scripts, out of memory, lying."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from streamcli.backend import LostError
from streamcli.backend.address import Address
from streamcli.backend.remote import connect
from streamcli.resp import encode
from streamcli.tools.job import RefusedError, ToolError
from streamcli.tools.pending.deeds import NO_XNACK
from streamcli.tools.pending.held import Pending, Wanted
from tests.e2e.program import Program
from tests.e2e.screen import Terminal
from tests.remote.conftest import Servers
from tests.remote.fake import Fake
from tests.remote.processes import ALICE, Server
from tests.remote.proxy import Proxy
from tests.tools.desk import Desk, There, on_server


def fill(call: Callable[..., Any], count: int, key: bytes = b"a") -> None:
    """Entries 1-1 ... of a key, all of them pending for bob."""
    call("XGROUP", "CREATE", key, "g", 0, "MKSTREAM")
    for number in range(1, count + 1):
        call("XADD", key, f"1-{number}", "n", number)
    call("XREADGROUP", "GROUP", "g", "bob", "STREAMS", key, ">")


def left(call: Callable[..., Any], key: bytes = b"a") -> list[bytes]:
    return [row[0] for row in call("XPENDING", key, "g", "-", "+", 1000)]


def run(backend: Any, *words: str, key: bytes = b"a") -> tuple[int, str, list[str]]:
    desk = Desk(backend)
    return desk.run("pending", key, "g", *words), desk.text, desk.said


def test_every_deed_on_every_server(standalone: Server) -> None:
    there = on_server(standalone)
    fill(there.call, 6)
    backend = there.backend()
    assert run(backend, "ack", "1-1")[0] == 0
    assert run(backend, "claim", "--to", "carol", "1-2")[0] == 0
    assert run(backend, "requeue", "1-3")[0] == 0
    assert run(backend, "dead-letter", "--to", "dead", "1-4")[0] == 0
    with pytest.raises(ToolError) as none:
        run(backend, "nack", "1-5")
    assert str(none.value) == NO_XNACK
    assert left(there.call) == [b"1-2", b"1-5", b"1-6"]
    assert there.call("XRANGE", "dead", "-", "+")[0][1][:2] == [b"n", b"4"]
    assert there.call("XRANGE", "a", "-", "+")[-1][1] == [b"n", b"3"]
    assert run(backend, "--consumer", "carol")[1].count("1-2") == 1
    there.close()


@pytest.mark.xdist_group("cluster")
def test_in_a_cluster_two_slots_are_no_one_step(on_cluster: There) -> None:
    fill(on_cluster.call, 3)
    with pytest.raises(ToolError) as apart:
        run(on_cluster.backend(), "dead-letter", "--to", "b")
    assert apart.value.code == 2
    assert str(apart.value) == (
        "the two streams are in different slots of the cluster, so that no entry can be moved in one step: "
        "--not-atomic copies it, then acknowledges it"
    )
    assert len(left(on_cluster.call)) == 3
    assert run(on_cluster.backend(), "dead-letter", "--to", "b", "--not-atomic", "1-1")[0] == 0
    assert run(on_cluster.backend(), "dead-letter", "--to", "{a}:dead", "1-2")[0] == 0
    assert run(on_cluster.backend(), "requeue", "1-3")[0] == 0
    assert left(on_cluster.call) == []
    assert len(on_cluster.call("XRANGE", "b", "-", "+")) == len(on_cluster.call("XRANGE", "{a}:dead", "-", "+")) == 1


@pytest.fixture
def guarded(servers: Servers) -> Server:
    """A server whose alice may run no scripts, and use streams named a... alone."""
    server = servers.guarded()
    server.empty()
    return server


def test_a_user_who_may_run_no_scripts_can_do_what_is_one_command(guarded: Server) -> None:
    fill(guarded.call, 3)
    backend = connect(guarded.address(user="alice", password=ALICE))
    assert run(backend, "ack", "1-1")[:2] == (0, "acknowledged 1 entry of group g in a\n")
    assert run(backend, "claim", "--to", "carol", "--consumer", "bob")[0] == 0
    with pytest.raises(ToolError, match=r"^EVAL: NOPERM .*: --not-atomic copies it, then acknowledges it$"):
        run(backend, "requeue")
    assert run(backend, "requeue", "--not-atomic", "1-2")[:2] == (0, "requeued 1 entry of group g in a\n")
    assert left(guarded.call) == [b"1-3"]
    with pytest.raises(ToolError, match="NOPERM"):
        run(backend, "dead-letter", "--not-atomic", "--to", "secret")
    assert left(guarded.call) == [b"1-3"]
    backend.close()


def test_a_user_who_may_not_acknowledge_has_nothing_copied(guarded: Server) -> None:
    fill(guarded.call, 2)
    guarded.call("ACL", "SETUSER", "carl", "on", ">x", "~*", "+@all", "-xack")
    backend = connect(guarded.address(user="carl", password="x"))
    for words in (["requeue"], ["requeue", "--not-atomic"]):
        with pytest.raises(ToolError, match=r"(?i)permissions|NOPERM|ACL"):
            run(backend, *words)
    guarded.call("ACL", "SETUSER", "carl", "-eval")
    with pytest.raises(ToolError, match="NOPERM"):
        run(backend, "requeue", "--not-atomic")
    assert guarded.call("XLEN", "a") == 2
    guarded.call("ACL", "DELUSER", "carl")
    backend.close()


def test_a_user_who_may_see_nothing_is_told_in_one_line(guarded: Server) -> None:
    backend = connect(guarded.address(user="alice", password=ALICE))
    for words in ([], ["ack", "--all"], ["requeue", "1-1"]):
        with pytest.raises(RefusedError, match="XPENDING: NOPERM"):
            run(backend, *words, key=b"b")
    backend.close()


def test_what_a_script_cannot_carry_is_said_and_copied_apart(there: There) -> None:
    there.call("XGROUP", "CREATE", "a", "g", 0, "MKSTREAM")
    for id, count in (("1-1", 2), ("1-2", 9000), ("1-3", 2)):
        there.call("XADD", "a", id, *range(count))
    there.call("XREADGROUP", "GROUP", "g", "bob", "STREAMS", "a", ">")
    if there.kind == "server":
        with pytest.raises(ToolError, match=r"^1-2 has too many fields .*: --not-atomic .* \(1 entry before"):
            run(there.backend(), "requeue")
        assert left(there.call) == [b"1-2", b"1-3"]
    assert run(there.backend(), "requeue", "--not-atomic")[0] == 0
    assert left(there.call) == []
    assert sorted(len(fields) for _, fields in there.call("XRANGE", "a", "2", "+")) == [2, 2, 9000]


def test_a_script_carries_as_much_as_it_says(standalone: Server) -> None:
    there = on_server(standalone)
    there.call("XGROUP", "CREATE", "a", "g", 0, "MKSTREAM")
    there.call("XADD", "a", "1-1", *range(7900))
    there.call("XADD", "a", "1-2", *range(7888))
    there.call("XREADGROUP", "GROUP", "g", "bob", "STREAMS", "a", ">")
    assert run(there.backend(), "requeue", "1-1")[0] == 0
    assert run(there.backend(), "dead-letter", "--to", "dead", "1-2")[0] == 0
    assert left(there.call) == []
    there.close()


def test_a_server_without_memory_refuses_and_nothing_is_acknowledged(servers: Servers) -> None:
    full = servers.start(options={"maxmemory": "3mb"})
    fill(full.call, 3)
    full.call("CONFIG", "SET", "maxmemory", "1kb")
    with pytest.raises(ToolError, match="OOM"):
        run(connect(full.address()), "requeue")
    assert len(left(full.call)) == 3
    full.close()


def test_a_connection_that_breaks_says_how_far_it_was_and_the_same_command_goes_on(
    server: Server, proxied: Callable[[int], Proxy]
) -> None:
    fill(server.call, 900)
    proxy = proxied(server.port)
    backend = connect(server.address()._replace(port=proxy.port))
    run(backend, "list", "-n", "1")
    proxy.cut(45_000, down=True)
    with pytest.raises(
        LostError, match=r"entr(y|ies) before, the last was 1-\d+; the same command goes on from there\)$"
    ):
        run(backend, "requeue")
    proxy.release()
    done = server.call("XLEN", "a") - 900
    assert len(left(server.call)) == 900 - done
    assert run(connect(server.address()), "requeue")[0] == 0
    assert sorted(int(fields[1]) for _, fields in server.call("XRANGE", "a", "2", "+")) == list(range(1, 901))


def test_the_browser_can_be_left_while_the_server_says_nothing(server: Server, program: Program) -> None:
    fill(server.call, 3)
    with Terminal(program, "-h", "127.0.0.1", "-p", str(server.port), "pending", "a", "g", "--browse", db=False) as at:
        at.shows("3 pending")
        server.pause()
        try:
            at.type("ay")
            at.shows("acknowledged 0 of 1 entry ...")
            at.type("q")
            assert at.leave() == 0
            assert "it may have been applied" in " ".join(at.text.split())
        finally:
            server.resume()


SUMMARY = encode([2, b"1-1", b"1-2", [[b"bob", b"2"]]])
ROW = encode([[b"1-1", b"bob", 5, 1]])


@pytest.mark.parametrize(
    "answers",
    [
        {"XPENDING": b":7\r\n"},
        {"XPENDING": encode([[b"1-1", b"bob", 5]])},
        {"XPENDING": encode([[b"x", b"bob", 5, 1]])},
        {"XPENDING": encode([[b"1-1", b"bob", b"x", 1]])},
        {"XPENDING": [SUMMARY, SUMMARY, ROW], "EVAL": b"$1\r\nx\r\n"},
        {"XPENDING": [SUMMARY, SUMMARY, ROW], "EVAL": encode([b"done"])},
        {"XPENDING": [SUMMARY, SUMMARY, ROW], "EVAL": encode([b"\x1b[31m", b""])},
        {"XPENDING": [SUMMARY, SUMMARY, ROW], "EVAL": encode([b"done", b"", b"done", b""])},
        {"XPENDING": [SUMMARY, SUMMARY, ROW], "EVAL": encode([])},
    ],
)
def test_a_server_that_says_what_cannot_be_is_one_line(fake: Callable[..., Fake], answers: dict[str, Any]) -> None:
    backend = connect(_at(fake(answers)))
    with pytest.raises(ToolError, match=r"^the server has answered"):
        run(backend, *(["ack", "--all"] if "EVAL" in answers else []))
    backend.close()


def test_a_server_that_cannot_filter_by_idle_time_is_asked_without(fake: Callable[..., Fake]) -> None:
    def answer(words: list[bytes]) -> bytes:
        if b"IDLE" in words:
            return b"-ERR syntax error\r\n"
        return encode([[b"1-1", b"bob", 5, 1], [b"1-2", b"bob", 500, 1]])

    backend = connect(_at(fake({"XPENDING": answer})))
    pages = list(Pending(backend, b"a", b"g").pages(Wanted(idle_ms=100)))
    assert [[held.id for held in page] for page in pages] == [[b"1-2"]]
    backend.close()


def _at(fake: Fake) -> Address:
    return Address(host="127.0.0.1", port=fake.port)
