"""`id`: what an ID means, by itself and in a stream."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streamcli.backend.embedded import Embedded
from streamcli.backend.remote import connect
from streamcli.flags import UsageError
from streamcli.tools import about_id
from streamcli.tools.job import ToolError
from tests.e2e.program import Program
from tests.remote.processes import Server
from tests.tools.desk import Desk, There

NOON = 1_795_176_000_000  # 2026-11-20 12:00:00 UTC


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(about_id, "now_ms", lambda: NOON)


def told(there: There, *words: str) -> dict[str, Any]:
    desk = Desk(there.backend(), "json")
    assert desk.run("id", *words) == 0
    row = json.loads(desk.text)
    assert isinstance(row, dict)
    return {name: value for name, value in row.items() if name not in ("ms", "seq", "time", "age", "stream")}


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], "1795176000000-0  2026-11-20 12:00:00.000 UTC\n  ms    1795176000000\n  seq   0\n"
             "  time  2026-11-20 12:00:00.000 UTC\n  age   now\n"),
        (["1526984818136-7"], "1526984818136-7  2018-05-22 10:26:58.136 UTC\n  ms    1526984818136\n  seq   7\n"
                              "  time  2018-05-22 10:26:58.136 UTC\n  age   8y 184d ago\n"),
        (["2026-11-21"], "1795219200000-0  2026-11-21 00:00:00.000 UTC\n  ms    1795219200000\n  seq   0\n"
                         "  time  2026-11-21 00:00:00.000 UTC\n  age   in 12h\n"),
        (["5-1"], "5-1\n  ms    5\n  seq   1\n  time  -\n  age   -\n"),
    ],
)  # fmt: skip
def test_an_id_by_itself(words: list[str], text: str) -> None:
    desk = Desk(Embedded())
    assert desk.run("id", *words) == 0
    assert desk.text == text


def test_without_a_stream_no_database_is_opened(program: Program) -> None:
    result = program.on("id", "1526984818136-0", "--format", "raw")
    assert (result.code, result.err) == (0, b"")
    assert result.out.startswith(b"1526984818136-0\t1526984818136\t0\t2018-05-22 10:26:58.136 UTC\t")
    assert not program.db.exists()


def test_an_id_in_a_stream(there: There) -> None:
    for number in range(1, 6):
        there.call("XADD", "a", f"{number}-0", "n", number)
    for group in ("g", "h"):
        there.call("XGROUP", "CREATE", "a", group, 0)
    there.call("XREADGROUP", "GROUP", "g", "me", "COUNT", 4, "STREAMS", "a", ">")
    there.call("XACK", "a", "g", "1-0")
    there.call("XDEL", "a", "3-0", "2-0")
    waiting = {"group": "h", "state": "not delivered yet"}
    assert told(there, "1-0", "a") == {
        "id": "1-0", "state": "there", "previous": None, "next": "4-0",
        "groups": [{"group": "g", "state": "done"}, waiting], "last_id": "5-0",
    }  # fmt: skip
    found = told(there, "4-0", "a")
    assert 0 <= found["groups"][0].pop("idle") < 60_000
    assert found == {
        "id": "4-0", "state": "there", "previous": "1-0", "next": "5-0",
        "groups": [{"group": "g", "state": "pending", "consumer": "me", "deliveries": 1}, waiting], "last_id": "5-0",
    }  # fmt: skip
    found = told(there, "2-0", "a")
    assert (found["state"], found["previous"], found["next"]) == ("deleted", "1-0", "4-0")
    assert [group["group"] for group in found["groups"]] == ["g"]
    there.call("XACK", "a", "g", "2-0", "3-0")
    assert told(there, "3-0", "a")["state"] == "deleted"  # the greatest that was
    assert told(there, "2-0", "a")["state"] == "not there: deleted, trimmed, or never added"
    assert told(there, "9-0", "a") == {
        "id": "9-0", "state": "not added yet: beyond the last ID", "previous": "5-0", "next": None, "last_id": "5-0",
    }  # fmt: skip


def test_a_time_in_a_stream_is_the_entries_around_it(there: There) -> None:
    there.call("XADD", "a", "5-1", "n", 1)
    there.call("XADD", "a", "7-1", "n", 1)
    assert told(there, "6", "a") == {"id": "6-0", "first_from_here": "7-1", "last_before": "5-1", "last_id": "7-1"}
    assert told(there, "start", "a")["last_before"] is None
    assert told(there, "yesterday", "a")["first_from_here"] is None
    assert told(there, f"{2**64 - 1}-{2**64 - 1}", "a")["next"] is None


def test_the_id_that_no_entry_has_was_not_deleted(there: There) -> None:
    there.call("XADD", "a", "5-1", "n", 1)
    assert told(there, "0-0", "a")["state"] == "not there: deleted, trimmed, or never added"


def test_a_time_may_lie_ahead() -> None:
    for word, ms in (("tomorrow", NOON + 43_200_000), ("+10m", NOON + 600_000)):
        desk = Desk(Embedded(), "json")
        assert desk.run("id", word) == 0
        assert json.loads(desk.text)["id"] == f"{ms}-0"


def test_what_is_no_id_and_what_is_no_stream_is_told_in_one_line(there: There) -> None:
    there.call("SET", "word", "x")
    for words, kind, text in (
        (("soon",), UsageError, '"soon" is no place in a stream: '),
        (("5-1", "gone\n"), ToolError, 'there is no stream "gone\\n"'),
        (("5-1", "word"), ToolError, "XINFO STREAM: WRONGTYPE "),
    ):
        with pytest.raises(kind) as raised:
            Desk(there.backend()).run("id", *words)
        assert str(raised.value).startswith(text)


def test_who_may_not_see_the_groups_is_told_the_rest(server: Server) -> None:
    server.call("ACL", "SETUSER", "few", "reset", "on", "nopass", "~*", "+xinfo|stream", "+xrange", "+xrevrange")
    server.call("XADD", "a", "1-1", "n", "1")
    server.call("XGROUP", "CREATE", "a", "g", 0)
    backend = connect(server.address(user="few", password="x"))
    desk = Desk(backend, "json")
    assert desk.run("id", "1-1", "a") == 0
    assert json.loads(desk.text)["state"] == "there"
    backend.close()
