"""`streams` and `groups` on a file, a server, a cluster, old servers, and for those who may not see all."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from streamcli.backend import Backend
from streamcli.backend.embedded import Embedded
from streamcli.backend.remote import connect
from streamcli.flags import UsageError
from streamcli.reply import Error, Reply
from streamcli.tools import survey
from streamcli.tools.job import RefusedError
from streamcli.tools.streams import rate
from tests.e2e.program import Program
from tests.remote.conftest import Servers
from tests.tools.desk import Desk, There

BASE = 1795000000000


def fill(there: There) -> None:
    for n in range(10):
        there.call("XADD", "orders", f"{BASE + n}-0", "city", "Oslo")
    for n in range(3):
        there.call("XADD", b"t\xff", f"{BASE + n}-0", "n", n)
    there.call("XADD", "by-hand", "1-1", "a", "b")
    there.call("XGROUP", "CREATE", "empty", "g", "0", "MKSTREAM")
    there.call("SET", "no-stream", "x")
    there.call("XGROUP", "CREATE", "orders", "billing", "0")
    there.call("XGROUP", "CREATE", "orders", "mail", f"{BASE + 9}-0", "ENTRIESREAD", 10)
    there.call("XREADGROUP", "GROUP", "billing", "alice", "COUNT", 2, "STREAMS", "orders", ">")
    there.call("XREADGROUP", "GROUP", "billing", "bob", "COUNT", 1, "STREAMS", "orders", ">")


def records(desk: Desk) -> list[dict[str, Any]]:
    found = json.loads(desk.text)
    assert isinstance(found, list)
    return found


def test_streams_are_told_with_all_that_is_known(there: There) -> None:
    fill(there)
    desk = Desk(there.backend())
    assert desk.run("streams", "--json") == 0
    found = {str(one["stream"]): one for one in records(desk)}
    assert [one["stream"] for one in records(desk)] == ["by-hand", "empty", "orders", {"base64": "dP8="}]
    orders = found["orders"]
    assert orders.pop("memory") == there.call("MEMORY", "USAGE", "orders")
    assert orders == {
        "stream": "orders", "length": 10, "rate": 0.0, "last_ms": BASE + 9, "first_ms": BASE, "groups": 2, "lag": 7,
        "last_id": f"{BASE + 9}-0",
    }  # fmt: skip
    assert (found["empty"]["length"], found["empty"]["last_ms"], found["empty"]["lag"]) == (0, None, 0)
    assert (found["by-hand"]["first_ms"], found["by-hand"]["rate"], found["by-hand"]["lag"]) == (None, None, None)


def test_a_table_says_unknown_and_none_apart(there: There) -> None:
    fill(there)
    desk = Desk(there.backend())
    assert desk.run("streams", "by-hand") == 0
    assert desk.text.splitlines()[2].split()[:5] == ["by-hand", "1", "unknown", "-", "0"]
    assert desk.text.splitlines()[2].split()[-2:] == ["unknown", "unknown"]


def test_a_pattern_a_sort_and_a_limit(there: There) -> None:
    fill(there)

    def names(*words: str | bytes) -> list[object]:
        desk = Desk(there.backend())
        assert desk.run("streams", "--json", *words) == 0
        return [one["stream"] for one in records(desk)]

    assert names("*e*") == ["empty", "orders"]
    assert names(b"t\xff") == [{"base64": "dP8="}]
    assert names("nothing*") == []
    assert names("--sort", "length") == ["orders", {"base64": "dP8="}, "by-hand", "empty"]
    assert names("--sort", "length", "--reverse", "--limit", "2") == ["empty", "by-hand"]
    assert names("--sort", "lag") == ["orders", "empty", "by-hand", {"base64": "dP8="}]
    assert names("--sort", "last", "--limit", "1") == ["orders"]
    assert names("--limit", "2") == ["by-hand", "empty"]
    assert names("--sort", "memory")[0] in ("orders", {"base64": "dP8="})
    with pytest.raises(UsageError):
        names("--sort", "size")


class Counted(Embedded):
    """Remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[bytes] = []

    def pipelined(self, argvs: Any, *, window: int = 512) -> Any:
        argvs = [*argvs]
        self.asked += [b" ".join(argv[:2]) for argv in argvs]
        return super().pipelined(argvs, window=window)


def test_what_is_not_shown_is_not_asked_for() -> None:
    backend = Counted()
    for n in range(50):
        backend.execute((b"XADD", b"s:%02d" % n, b"%d-0" % (BASE + n), b"a", b"b"))
    assert Desk(backend).run("streams", "--limit", "3") == 0
    assert backend.asked == [b"XINFO STREAM"] * 3 + [b"MEMORY USAGE"] * 3
    backend.asked.clear()
    assert Desk(backend).run("streams", "--limit", "3", "--sort", "length") == 0
    assert backend.asked == [b"XINFO STREAM"] * 50 + [b"MEMORY USAGE"] * 3
    backend.close()


def test_the_rate_is_that_of_the_last_minute(there: There, monkeypatch: pytest.MonkeyPatch) -> None:
    now = survey.clock(there.backend())
    monkeypatch.setattr(survey, "clock", lambda backend: now)
    for n in range(12):
        there.call("XADD", "quiet", f"{now - 30_000 + n}-0", "a", "b")
    for n in range(2000):
        there.call("XADD", "busy", f"{now - 20_000 + 10 * n}-0", "a", "b")
    there.call("XADD", "still", f"{now - 61_000}-0", "a", "b")
    desk = Desk(there.backend())
    assert desk.run("streams", "--json") == 0
    busy, quiet, still = (one["rate"] for one in records(desk))
    assert quiet == 0.2
    assert still == 0
    assert busy == 100


def test_a_rate_is_by_the_latest_that_were_asked_for() -> None:
    assert rate([], 50, BASE) == 0
    assert rate([b"%d-0" % (BASE - n) for n in range(30)], 50, BASE) == 0.5
    assert rate([b"%d-0" % (BASE - 1000 * n) for n in range(5)], 5, BASE) == 1.25
    assert rate([b"%d-%d" % (BASE, n) for n in range(5)], 5, BASE) == 5000


def test_groups_are_told_with_all_that_is_known(there: There) -> None:
    fill(there)
    desk = Desk(there.backend())
    assert desk.run("groups", "--json") == 0
    empty, billing, mail = records(desk)
    assert (empty["stream"], empty["group"], empty["lag"], empty["delivered_ms"]) == ("empty", "g", 0, None)
    now = time.time_ns() // 1_000_000
    assert now - BASE - 60_000 < billing.pop("oldest_age_ms") < now - BASE + 60_000
    members = billing.pop("members")
    assert [(one["name"], one["pending"]) for one in members] == [("alice", 2), ("bob", 1)]
    assert all(0 <= one["idle"] < 60_000 and 0 <= one["inactive"] < 60_000 for one in members)
    assert billing == {
        "stream": "orders", "group": "billing", "lag": 7, "pending": 3, "delivered_ms": BASE + 2, "consumers": 2,
        "oldest_id": f"{BASE}-0", "last_delivered_id": f"{BASE + 2}-0",
    }  # fmt: skip
    assert mail == {
        "stream": "orders", "group": "mail", "lag": 0, "pending": 0, "oldest_age_ms": None, "delivered_ms": BASE + 9,
        "consumers": 0, "members": [], "oldest_id": None, "last_delivered_id": f"{BASE + 9}-0",
    }  # fmt: skip


def test_groups_in_a_table(there: There) -> None:
    fill(there)
    desk = Desk(there.backend())
    assert desk.run("groups", "orders") == 0
    head, _, billing, mail = desk.text.splitlines()
    assert head.split() == ["stream", "group", "lag", "pending", "oldest", "age", "delivered", "consumers", "members"]
    assert billing.split()[:4] == ["orders", "billing", "7", "3"]
    assert "alice 2 pending, idle" in billing
    assert "; bob 1 pending, idle" in billing
    assert mail.split()[:5] == ["orders", "mail", "0", "0", "-"]


def test_a_lag_that_nobody_knows_is_unknown(there: There) -> None:
    for n in range(1, 6):
        there.call("XADD", "s", f"{n}-1", "n", n)
    there.call("XGROUP", "CREATE", "s", "g", "3-1")
    there.call("XDEL", "s", "4-1")
    desk = Desk(there.backend())
    assert desk.run("groups", "s") == 0
    assert desk.text.splitlines()[2].split()[:3] == ["s", "g", "unknown"]
    desk = Desk(there.backend(), "jsonl")
    assert desk.run("groups", "s") == 0
    assert json.loads(desk.text)["lag"] is None
    desk = Desk(there.backend(), "csv")
    assert desk.run("streams", "s") == 0
    assert desk.text.splitlines()[1].split(",")[3:5] == ["", "1"]


def test_what_is_no_stream_is_said(there: There) -> None:
    fill(there)
    desk = Desk(there.backend(), "raw")
    assert desk.run("groups", "no-stream", "orders", "not\x07here") == 1
    assert [line.split("\t")[:2] for line in desk.shown] == [["orders", "billing"], ["orders", "mail"]]
    assert desk.said == ["there is no stream no-stream", 'there is no stream "not\\ahere"']


def test_the_program_runs_them(program: Program, there: There) -> None:
    fill(there)
    result = program.run(*there.args, "streams", "orders", "--format", "raw")
    assert (result.code, result.out.split(b"\t")[:2]) == (0, [b"orders", b"10"])
    result = program.run(*there.args, "groups", "--sort", "lag", "--limit", "1", "--format", "csv")
    assert result.code == 0
    assert [line.split(b",")[:3] for line in result.out.splitlines()] == [
        [b"stream", b"group", b"lag"], [b"orders", b"billing", b"7"],
    ]  # fmt: skip
    result = program.run(*there.args, "streams", "--sort", "nonsense")
    assert result.code == 2
    assert result.err.count(b"\n") == 1


def test_who_may_not_see_all_is_told_so(servers: Servers) -> None:
    server = servers.standalone()
    server.empty()
    server.call("XADD", "mine", f"{BASE}-0", "a", "b")
    server.call("XADD", "theirs", f"{BASE}-0", "a", "b")
    server.call("ACL", "SETUSER", "limited", "on", ">x", "~mine", "+@all")
    server.call("ACL", "SETUSER", "nobody", "on", ">x", "~*", "+@all", "-scan")
    try:
        backend = connect(server.address(user="limited", password="x"))
        desk = Desk(backend, "raw")
        assert desk.run("streams") == 1
        assert [line.partition("\t")[0] for line in desk.shown] == ["mine"]
        assert desk.said == ["not all is known: XINFO STREAM: NOPERM No permissions to access a key"]
        backend.close()
        backend = connect(server.address(user="nobody", password="x"))
        with pytest.raises(RefusedError, match="SCAN: NOPERM"):
            Desk(backend).run("streams")
        backend.close()
    finally:
        server.call("ACL", "DELUSER", "limited", "nobody")


@pytest.mark.xdist_group("cluster")
def test_on_a_cluster_every_stream_is_found(on_cluster: There) -> None:
    for n in range(30):
        on_cluster.call("XADD", f"s:{n:02}", f"{BASE + n}-0", "n", n)
        on_cluster.call("XGROUP", "CREATE", f"s:{n:02}", "g", "0")
    desk = Desk(on_cluster.backend())
    assert desk.run("streams", "s:*", "--json") == 0
    assert [(one["stream"], one["last_ms"], one["lag"]) for one in records(desk)] == [
        (f"s:{n:02}", BASE + n, 1) for n in range(30)
    ]
    desk = Desk(on_cluster.backend())
    assert desk.run("groups", "--json") == 0
    assert [one["stream"] for one in records(desk)] == [f"s:{n:02}" for n in range(30)]


@pytest.mark.parametrize("kind", ["redis7", "redis8", "valkey9"])
def test_older_servers_and_others_say_what_they_can(servers: Servers, kind: str) -> None:
    server = servers.standalone(kind)
    server.empty()
    server.call("XADD", "s", f"{BASE}-0", "a", "b")
    server.call("XGROUP", "CREATE", "s", "g", "0")
    for protocol in (2, 3):
        backend = connect(server.address(protocol=protocol))
        desk = Desk(backend, "raw")
        assert desk.run("groups") == 0
        assert desk.shown[0].split("\t")[:4] == ["s", "g", "1", "0"]
        backend.close()


class Old(Embedded):
    """Answers as a server before 6.0 (SCAN without TYPE) and 7.0 (XINFO without what came then)."""

    def execute(self, argv: Any, *, arriving: bool = False) -> Reply:
        if argv[0] == b"SCAN" and b"TYPE" in argv:
            return Error("ERR syntax error")
        return super().execute(argv, arriving=arriving)

    def pipelined(self, argvs: Any, *, window: int = 512) -> Any:
        for reply in super().pipelined(argvs, window=window):
            yield self._older(reply)

    def _older(self, reply: Reply) -> Reply:
        new = (b"lag", b"entries-read", b"entries-added", b"max-deleted-entry-id", b"recorded-first-entry-id")
        if isinstance(reply, list) and reply and isinstance(reply[0], list):
            return [self._older(one) for one in reply]
        if isinstance(reply, list) and (b"length" in reply or b"name" in reply):
            pairs = zip(reply[::2], reply[1::2], strict=True)
            return [word for name, value in pairs if name not in new for word in (name, value)]
        return reply


def test_what_an_old_server_does_not_say_is_unknown() -> None:
    backend: Backend = Old()
    for argv in ("XADD s 1-1 a b", "XGROUP CREATE s g 0", "SET x y"):
        backend.execute(argv.encode().split())
    desk = Desk(backend, "jsonl")
    assert desk.run("streams") == 0
    found = json.loads(desk.text)
    assert (found["stream"], found["length"], found["groups"], found["lag"]) == ("s", 1, 1, None)
    desk = Desk(backend)
    assert desk.run("groups") == 0
    assert desk.text.splitlines()[2].split()[:3] == ["s", "g", "unknown"]
    backend.close()


def test_entries_of_the_future_are_no_rate(there: There) -> None:
    now = survey.clock(there.backend())
    for n in range(100):
        there.call("XADD", "a", f"{now + 3_600_000 + n}-0", "n", n)
    desk = Desk(there.backend(), "jsonl")
    assert desk.run("streams") == 0
    assert json.loads(desk.text)["rate"] == 0


def test_patterns_name_the_streams_of_groups_too(there: There) -> None:
    for stream in ("jobs:1", "jobs:2", "other"):
        there.call("XGROUP", "CREATE", stream, "g", 0, "MKSTREAM")
    desk = Desk(there.backend(), "csv")
    assert desk.run("groups", "jobs:*", "jobs:2") == 0
    assert [line.split(",")[0] for line in desk.text.splitlines()] == ["stream", "jobs:1", "jobs:2"]
    both = Desk(there.backend(), "csv")
    assert both.run("streams", "jobs:?", "oth*") == 0
    assert [line.split(",")[0] for line in both.text.splitlines()] == ["stream", "jobs:1", "jobs:2", "other"]


def test_nothing_at_all_is_no_error_and_a_person_is_told_so(there: There) -> None:
    for words, text in (
        (["streams"], "there are no streams"),
        (["streams", "x*"], "there are no streams of such names"),
        (["groups"], "there are no groups"),
    ):
        desk = Desk(there.backend())
        assert (desk.run(*words), desk.shown, desk.said) == (0, [], [text])
        program = Desk(there.backend(), "json")
        assert (program.run(*words), program.shown, program.said) == (0, ["[]"], [])
