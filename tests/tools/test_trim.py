"""`trim`: what goes, what stays, and what is said."""

from __future__ import annotations

import json
import signal
from collections.abc import Sequence

import pytest

from streamcli.backend import LostError
from streamcli.backend.embedded import Embedded
from streamcli.flags import UsageError
from streamcli.reply import Reply, Simple
from streamcli.tools.job import ToolError, now_ms
from tests.e2e.program import Program, said
from tests.tools.desk import Desk, There


def fill(there: There, *, groups: bool = True) -> None:
    """Five old entries; group g has read four of them and acknowledged two, h has read and acknowledged three."""
    for number in range(1, 6):
        there.call("XADD", "a", f"{number}-0", "n", number)
    if groups:
        for group in ("g", "h"):
            there.call("XGROUP", "CREATE", "a", group, 0)
        there.call("XREADGROUP", "GROUP", "g", "c", "COUNT", 4, "STREAMS", "a", ">")
        there.call("XACK", "a", "g", "1-0", "2-0")
        there.call("XREADGROUP", "GROUP", "h", "c", "COUNT", 3, "STREAMS", "a", ">")
        there.call("XACK", "a", "h", "1-0", "2-0", "3-0")


def test_only_what_every_group_has_acknowledged_goes(there: There, program: Program) -> None:
    fill(there)
    assert program.run(*there.args, "trim", "a", "--acked", "--dry-run") == said(
        "a: 2 entries would be removed, all before 3-0\n"
    )
    assert there.call("XLEN", "a") == 5
    assert program.run(*there.args, "trim", "a", "--acked") == said("a: 2 entries removed, all before 3-0\n")
    assert [entry[0] for entry in there.call("XRANGE", "a", "-", "+")] == [b"3-0", b"4-0", b"5-0"]
    assert program.run(*there.args, "trim", "a", "--acked") == said(
        "a: nothing to trim before 3-0; group g has not acknowledged more\n"
    )


def test_what_a_group_has_not_read_stays_though_nothing_is_pending(there: There) -> None:
    fill(there)
    there.call("XACK", "a", "g", "3-0", "4-0")
    desk = Desk(there.backend())
    assert desk.run("trim", "a", "--acked") == 0
    assert desk.text == "a: 3 entries removed, all before 3-1\n"


def test_what_is_old_goes_and_what_is_left_pending_is_said(there: There) -> None:
    fill(there)
    there.call("XADD", "a", "*", "n", "new")
    desk = Desk(there.backend(), "json")
    assert desk.run("trim", "a", "--older-than", "7d") == 0
    row = json.loads(desk.text)[0]
    assert 0 <= now_ms() - 7 * 86_400_000 - int(row.pop("before").removesuffix("-0")) < 60_000
    assert row == {"stream": "a", "removed": 5, "left": 1, "still_pending": ["g"], "dry_run": False}


def test_what_is_old_and_acknowledged(there: There) -> None:
    fill(there)
    desk = Desk(there.backend())
    assert desk.run("trim", "a", "--before", "2", "--acked") == 0
    assert desk.text == "a: 1 entry removed, all before 2-0\n"


def test_without_a_group_nothing_is_acknowledged(there: There) -> None:
    fill(there, groups=False)
    desk = Desk(there.backend())
    assert desk.run("trim", "a", "--acked") == 0
    assert desk.text == "a: nothing to trim; it has no group, so that nothing is acknowledged\n"
    assert there.call("XLEN", "a") == 5


def test_many_entries_go_in_bites(there: There) -> None:
    backend = there.backend()
    for _ in backend.pipelined((b"XADD", b"a", b"%d-0" % number, b"f", b"v") for number in range(1, 5001)):
        pass
    desk = Desk(backend)
    assert desk.run("trim", "a", "--before", "4321-0") == 0
    assert desk.text == "a: 4,320 entries removed, all before 4321-0\n"
    assert there.call("XRANGE", "a", "-", "+", "COUNT", 1)[0][0] == b"4321-0"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["a"], "what is to go? --older-than 7d, --before PLACE or --acked"),
        (["a", "--older-than", "soon"], "--older-than takes a length of time such as 7d or 12h, not 'soon'"),
        (["a", "--older-than", "5"], "--older-than takes a length of time such as 7d or 12h, not '5'"),
        (["a", "--older-than", "1d", "--before", "5"], "give --older-than or --before, not both"),
        ([], "it needs: STREAM..."),
    ],
)
def test_wrong_usage(there: There, words: list[str], text: str) -> None:
    with pytest.raises(UsageError) as wrong:
        Desk(there.backend()).run("trim", *words)
    assert str(wrong.value) == text


def test_what_is_no_stream_is_said(there: There) -> None:
    there.call("SET", "s", "v")
    for key, text in (("nosuch", "there is no stream nosuch"), ("s", "s is a string, no stream")):
        with pytest.raises(ToolError) as wrong:
            Desk(there.backend()).run("trim", key, "--acked")
        assert str(wrong.value) == text


def test_a_read_only_session_may_look_only(there: There, program: Program) -> None:
    fill(there)
    refused = "streamcli trim: it writes, and this session is read-only; --dry-run is allowed\n"
    assert program.run("--read-only", *there.args, "trim", "a", "--acked") == said(err=refused, code=1)
    assert program.run("--read-only", *there.args, "trim", "a", "--acked", "--dry-run").code == 0
    assert there.call("XLEN", "a") == 5


def test_ctrl_c_stops_between_streams(there: There) -> None:
    fill(there)

    class Impatient(Desk):
        def say(self, line: str) -> None:
            super().say(line)

    desk = Impatient(there.backend())
    asks = desk.job.ask
    before = signal.getsignal(signal.SIGINT)

    def ask(*words: bytes | str | int, **more: object) -> object:
        if words[0] == "XINFO":
            signal.raise_signal(signal.SIGINT)
        return asks(*words)

    desk.job.ask = ask  # type: ignore[method-assign, assignment]
    assert desk.run("trim", "a", "b", "--acked") == 130
    assert desk.said == ["stopped; the same command goes on from there"]
    assert there.call("XLEN", "a") == 5
    assert signal.getsignal(signal.SIGINT) is before


def test_what_was_removed_is_told_though_another_stream_is_none(there: There, program: Program) -> None:
    fill(there)
    there.call("SET", "s", "v")
    assert program.run(*there.args, "trim", "a", "s", "b", "--before", "3") == said(
        "a: 2 entries removed, all before 3-0\n",
        "streamcli trim: s is a string, no stream\n",
        code=1,
    )


class Breaking(Embedded):
    """Removes one entry, and is gone."""

    def execute(self, argv: Sequence[bytes], *, arriving: bool = False) -> Reply:
        if argv[0] == b"XTRIM":
            if self.execute((b"XLEN", b"a")) == 4:
                raise LostError("the connection is lost")
            return super().execute((b"XTRIM", b"a", b"MAXLEN", b"4"))
        return super().execute(argv, arriving=arriving)


def test_what_was_removed_before_a_connection_broke_is_told() -> None:
    backend = Breaking()
    for number in range(1, 6):
        backend.execute((b"XADD", b"a", b"%d-0" % number, b"n", b"1"))
    with pytest.raises(LostError) as lost:
        Desk(backend).run("trim", "a", "--before", "4")
    assert str(lost.value) == "the connection is lost (1 entry removed before)"


def test_groups_that_are_left_pending_are_told_apart(there: There) -> None:
    fill(there)
    there.call("XGROUP", "CREATE", "a", "k, l", 0)
    there.call("XREADGROUP", "GROUP", "k, l", "c", "COUNT", 1, "STREAMS", "a", ">")
    desk = Desk(there.backend(), "jsonl")
    assert desk.run("trim", "a", "a", "--before", "4") == 0
    (row,) = map(json.loads, desk.shown)
    assert row["still_pending"] == ["g", "k, l"]
    assert row["removed"] == 3


@pytest.mark.parametrize("reply", [Simple("OK"), -3])
def test_a_server_that_answers_nonsense_is_not_asked_for_ever(reply: Reply) -> None:
    class Odd(Embedded):
        def execute(self, argv: Sequence[bytes], *, arriving: bool = False) -> Reply:
            return reply if argv[0] == b"XTRIM" else super().execute(argv, arriving=arriving)

    backend = Odd()
    backend.execute((b"XADD", b"a", b"1-0", b"n", b"1"))
    desk = Desk(backend)
    assert desk.run("trim", "a", "--before", "4") == 0


@pytest.mark.parametrize("words", [("trim", "a", "--before", "4", "--dry-run"), ("rate", "a")])
def test_a_server_that_gives_the_same_page_again_and_again_is_found_out(words: tuple[str, ...]) -> None:
    class Odd(Embedded):
        def execute(self, argv: Sequence[bytes], *, arriving: bool = False) -> Reply:
            again = argv[0] in (b"XRANGE", b"XREVRANGE")
            return [[b"3-0", [b"n", b"1"]]] * 1000 if again else super().execute(argv, arriving=arriving)

    backend = Odd()
    backend.execute((b"XADD", b"a", b"1-0", b"n", b"1"))
    with pytest.raises(ToolError) as wrong:
        Desk(backend).run(*words)
    assert str(wrong.value) == "the server has answered with entries that were not asked for"


def test_at_a_prompt_one_is_asked_with_what_is_at_stake(there: There) -> None:
    fill(there)
    desk = Desk(there.backend(), answers=[False], prompt=True)
    assert desk.run("trim", "a", "--before", "4") == 1
    assert desk.asked == ["3 entries of the 5 in a will be removed, all before 4-0"]
    assert (desk.text, there.call("XLEN", "a")) == ("", 5)
    agreed = Desk(there.backend(), answers=[True], prompt=True)
    assert agreed.run("trim", "a", "--before", "4") == 0
    assert there.call("XLEN", "a") == 2


def test_nobody_is_asked_where_nothing_is_at_stake(there: There) -> None:
    fill(there)
    for words in (["--before", "1-0"], ["--before", "4", "--dry-run"]):
        desk = Desk(there.backend(), prompt=True)
        assert desk.run("trim", "a", *words) == 0
        assert desk.asked == []


def test_a_trial_says_in_every_format_that_it_was_one(there: There) -> None:
    fill(there)
    desk = Desk(there.backend(), "json")
    assert desk.run("trim", "a", "--before", "4", "--dry-run") == 0
    assert json.loads(desk.text) == [
        {"stream": "a", "removed": 3, "before": "4-0", "left": 2, "still_pending": ["g"], "dry_run": True}
    ]
