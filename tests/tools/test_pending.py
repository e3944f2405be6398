"""`pending`: what it lists and what it does, on a file and on a server."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

import streamcli
from streamcli.flags import UsageError
from streamcli.ids import StreamID
from streamcli.tools.job import RefusedError, ToolError
from streamcli.tools.pending.deeds import Deed
from streamcli.tools.pending.held import Held, Pending, Wanted
from tests.e2e.program import Program, said
from tests.tools.desk import Desk, There

ODD = b'\x00\xff"\n\x1b[31m'


def deliver(there: There, consumer: str | bytes, count: int) -> None:
    there.call("XREADGROUP", "GROUP", "g", consumer, "COUNT", count, "STREAMS", "a", ">")


@pytest.fixture
def five(there: There) -> There:
    """1-1 to 1-5 in `a`: alice has the first three, the third delivered four times, bob the fourth; 1-2 is deleted."""
    there.call("XGROUP", "CREATE", "a", "g", 0, "MKSTREAM")
    for number in range(1, 6):
        there.call("XADD", "a", f"1-{number}", "n", number, "n", ODD, "", "")
    deliver(there, "alice", 3)
    deliver(there, "bob", 1)
    for _ in range(3):
        there.call("XCLAIM", "a", "g", "alice", 0, "1-3")
    there.call("XDEL", "a", "1-2")
    return there


def listed(there: There, *words: str) -> list[dict[str, Any]]:
    desk = Desk(there.backend())
    assert desk.run("pending", "a", "g", *words, "--json") == 0
    found: list[dict[str, Any]] = json.loads(desk.text)
    return found


def ids(there: There, *words: str) -> list[str]:
    return [row["id"] for row in listed(there, *words)]


def pending(there: There) -> list[tuple[bytes, bytes, int]]:
    """What is truly pending: ID, consumer, deliveries."""
    return [(row[0], row[1], row[3]) for row in there.call("XPENDING", "a", "g", "-", "+", 100)]


def run(there: There, *words: str | bytes, format: str | None = None) -> tuple[int, str, list[str]]:
    desk = Desk(there.backend(), format)
    return desk.run("pending", "a", "g", *words), desk.text, desk.said


# -- the list ------------------------------------------------------------------------------------


def test_the_list_says_who_holds_what_and_how_often_it_was_delivered_with_its_fields(five: There) -> None:
    rows = listed(five)
    assert [(row["id"], row["consumer"], row["deliveries"]) for row in rows] == [
        ("1-1", "alice", 1),
        ("1-2", "alice", 1),
        ("1-3", "alice", 4),
        ("1-4", "bob", 1),
    ]
    assert rows[0]["fields"] == [["n", "1"], ["n", {"base64": "AP8iChtbMzFt"}], ["", ""]]
    assert all(isinstance(row["idle"], int) for row in rows)


def test_an_entry_that_was_deleted_has_null_for_its_fields_and_people_are_told(five: There) -> None:
    assert listed(five, "1-2")[0]["fields"] is None
    assert "(deleted)" in run(five, "1-2")[1]


def test_without_payload_there_are_no_fields(five: There) -> None:
    assert list(listed(five, "--no-payload")[0]) == ["id", "consumer", "idle", "deliveries"]


def test_filters_are_all_to_be_passed(five: There) -> None:
    assert ids(five, "--consumer", "alice") == ["1-1", "1-2", "1-3"]
    assert ids(five, "--consumer", "nobody") == []
    assert ids(five, "--deliveries", "2") == ["1-3"]
    assert ids(five, "--deliveries", "4", "--consumer", "bob") == []
    assert ids(five, "--from", "1-2", "--until", "1-3") == ["1-2", "1-3"]
    assert ids(five, "--from", "(1-2", "--until", "1") == ["1-3", "1-4"]
    assert ids(five, "--idle", "1h") == []
    assert ids(five, "--limit", "2") == ["1-1", "1-2"]
    assert ids(five, "-n", "1", "--deliveries", "4") == ["1-3"]


def test_idle_is_a_length_of_time(there: There) -> None:
    there.call("XGROUP", "CREATE", "a", "g", 0, "MKSTREAM")
    for number in (1, 2):
        there.call("XADD", "a", f"1-{number}", "n", number)
    deliver(there, "alice", 2)
    there.call("XCLAIM", "a", "g", "alice", 0, "1-1", "IDLE", 3_700_000)
    assert ids(there, "--idle", "1h") == ["1-1"]
    assert ids(there, "--idle", "0") == ["1-1", "1-2"]
    assert ids(there, "--idle", "2h") == []


def test_ids_alone_are_listed_those_that_are_not_pending_left_out(five: There) -> None:
    assert ids(five, "1-4", "1-1", "1-5", "1-4") == ["1-4", "1-1"]
    assert ids(five, "list", "1-4") == ["1-4"]


def test_nothing_pending_is_an_empty_array_and_for_people_a_sentence(there: There) -> None:
    there.call("XGROUP", "CREATE", "a", "g", 0, "MKSTREAM")
    assert listed(there) == []
    assert run(there)[2] == ["nothing is pending, or not as it was asked for"]


def test_a_group_that_does_not_exist_is_one_line(there: There) -> None:
    with pytest.raises(RefusedError, match="XPENDING: NOGROUP No such key 'a' or consumer group 'g'"):
        run(there)


def test_pages_go_on_behind_one_another_and_read_no_more_than_is_wanted(there: There) -> None:
    there.call("XGROUP", "CREATE", "a", "g", 0, "MKSTREAM")
    for number in range(1, 26):
        there.call("XADD", "a", f"1-{number}", "n", number)
    deliver(there, "alice", 25)
    group = Pending(there.backend(), b"a", b"g")
    assert [len(page) for page in group.pages(Wanted(), size=10)] == [10, 10, 5]
    assert [len(page) for page in group.pages(Wanted(), 12, size=10)] == [10, 2]
    assert [held.id for page in group.pages(Wanted(StreamID(1, 3), StreamID(1, 4))) for held in page] == [
        b"1-3",
        b"1-4",
    ]
    assert group.count(Wanted()) == 25
    assert group.count(Wanted(idle_ms=10**9)) == 0


@pytest.mark.parametrize("format", ["table", "tree", "classic", "json", "jsonl", "csv", "raw"])
def test_every_format_shows_every_entry(five: There, format: str) -> None:
    code, text, _ = run(five, format=format)
    assert code == 0
    assert all(id in text for id in ("1-1", "1-2", "1-3", "1-4"))


# -- actions ---------------------------------------------------------------------------------------


def test_ack_is_for_the_ids_that_are_given(five: There) -> None:
    code, text, said = run(five, "ack", "1-1", "1-4")
    assert (code, text, said) == (0, "acknowledged 2 entries of group g in a\n", [])
    assert [row[0] for row in pending(five)] == [b"1-2", b"1-3"]


def test_ack_of_what_is_not_pending_fails_and_says_which(five: There) -> None:
    code, text, said = run(five, "ack", "1-1", "1-5")
    assert (code, text) == (1, "acknowledged 1 entry of group g in a\n")
    assert said == ["1-5 is not pending, or not as it was asked for"]


def test_ack_without_ids_is_for_all_that_pass_the_filters(five: There) -> None:
    assert run(five, "ack", "--consumer", "alice")[1] == "acknowledged 3 entries of group g in a\n"
    assert [row[0] for row in pending(five)] == [b"1-4"]
    assert run(five, "ack", "--consumer", "alice")[:2] == (0, "acknowledged 0 entries of group g in a\n")


def test_claim_gives_entries_to_a_consumer_and_counts_no_delivery(five: There) -> None:
    assert run(five, "claim", "--to", "carol", "1-1", "1-3")[:2] == (
        0,
        "claimed 2 entries of group g in a to carol\n",
    )
    assert pending(five) == [
        (b"1-1", b"carol", 1),
        (b"1-2", b"alice", 1),
        (b"1-3", b"carol", 4),
        (b"1-4", b"bob", 1),
    ]


def test_claim_of_a_deleted_entry_fails_and_its_record_goes(five: There) -> None:
    code, text, said = run(five, "claim", "--to", "carol", "1-2")
    assert (code, text) == (1, "claimed 0 entries of group g in a; 1 not in the stream any more\n")
    assert said == ["1-2 is not in the stream any more"]
    assert [row[0] for row in pending(five)] == [b"1-1", b"1-3", b"1-4"]


def test_requeue_adds_the_same_fields_at_the_end_and_acknowledges(five: There) -> None:
    before = five.call("XRANGE", "a", "1-1", "1-1")[0][1]
    code, text, _ = run(five, "requeue", "1-1")
    assert (code, text) == (0, "requeued 1 entry of group g in a\n")
    entries = five.call("XRANGE", "a", "-", "+")
    assert [fields for _, fields in entries[-1:]] == [before]
    assert entries[0][0] == b"1-1"
    assert [row[0] for row in pending(five)] == [b"1-2", b"1-3", b"1-4"]


def test_requeue_of_a_deleted_entry_leaves_it_pending_and_fails(five: There) -> None:
    code, text, said = run(five, "requeue")
    assert (code, text) == (1, "requeued 3 entries of group g in a; 1 not in the stream any more\n")
    assert said == ["1-2 is not in the stream any more"]
    assert [row[0] for row in pending(five)] == [b"1-2"]


def test_requeue_of_all_does_not_run_after_its_own_copies(five: There) -> None:
    """Even when a consumer takes them at once."""

    class Greedy(Desk):
        def agrees(self, question: str) -> bool:
            deliver(five, "dave", 10)
            return True

    deliver(five, "alice", 10)
    desk = Greedy(five.backend())
    five.call("XADD", "a", "2-1", "late", "")
    assert desk.run("pending", "a", "g", "requeue") == 1
    assert [row[0] for row in pending(five)] == [b"1-2", b"2-1"]


def test_dead_letter_says_behind_the_fields_where_an_entry_came_from_and_why(five: There) -> None:
    before = five.call("XRANGE", "a", "1-3", "1-3")[0][1]
    code, text, _ = run(five, "dead-letter", "--deliveries", "4", "--to", "a:dead")
    assert (code, text) == (0, "dead-lettered 1 entry of group g in a to a:dead\n")
    ((_, fields),) = five.call("XRANGE", "a:dead", "-", "+")
    assert fields == [
        *before,
        *(b"dead-letter:stream", b"a"),
        *(b"dead-letter:group", b"g"),
        *(b"dead-letter:id", b"1-3"),
        *(b"dead-letter:consumer", b"alice"),
        *(b"dead-letter:deliveries", b"4"),
        *(b"dead-letter:reason", b"deliveries >= 4"),
    ]
    assert [row[0] for row in pending(five)] == [b"1-1", b"1-2", b"1-4"]
    assert five.call("XLEN", "a") == 4


def test_the_reason_is_the_users_when_there_is_one(five: There) -> None:
    run(five, "dead-letter", "--to", "a:dead", "--reason", "cannot be parsed", "1-1")
    assert five.call("XRANGE", "a:dead", "-", "+")[0][1][-1] == b"cannot be parsed"


def test_a_target_of_another_type_is_refused_and_nothing_is_acknowledged(five: There) -> None:
    five.call("SET", "a:dead", "x")
    with pytest.raises(ToolError, match="WRONGTYPE"):
        run(five, "dead-letter", "--to", "a:dead", "1-1")
    assert len(pending(five)) == 4


def test_nack_releases_or_says_what_can_be_done_instead(five: There) -> None:
    if five.kind == "engine":
        assert run(five, "nack", "1-3")[:2] == (0, "released 1 entry of group g in a\n")
        assert pending(five)[2] == (b"1-3", b"", 4)
        assert run(five, "nack", "--mode", "fatal", "1-4")[0] == 0
        assert listed(five, "1-4")[0] | {"fields": None} == {
            "id": "1-4",
            "consumer": None,
            "idle": None,
            "deliveries": 2**63 - 1,
            "fields": None,
        }
        assert ids(five, "--idle", "1h") == ["1-3", "1-4"]
        assert ids(five, "--consumer", "") == ["1-3", "1-4"]
        assert run(five, "dead-letter", "--to", "a:dead", "--deliveries", "100", "1-4")[0] == 0
        assert five.call("XRANGE", "a:dead", "-", "+")[0][1][-5:-2] == [
            b"",
            b"dead-letter:deliveries",
            b"9223372036854775807",
        ]
    else:
        with pytest.raises(ToolError, match=r"^this server has no XNACK"):
            run(five, "nack", "1-3")
        assert len(pending(five)) == 4


def test_a_dry_run_lists_and_changes_nothing(five: There) -> None:
    code, text, said = run(five, "dead-letter", "--to", "a:dead", "--consumer", "alice", "--dry-run")
    assert code == 0
    assert "1-3" in text
    assert "1-4" not in text
    assert said == ["3 entries would be dead-lettered; nothing was changed"]
    assert len(pending(five)) == 4
    assert five.call("EXISTS", "a:dead") == 0


def test_the_question_tells_the_number_and_no_means_no(five: There) -> None:
    desk = Desk(five.backend(), answers=[False])
    assert desk.run("pending", "a", "g", "ack", "--consumer", "alice") == 1
    assert desk.asked == ["3 entries of group g in a will be acknowledged"]
    assert len(pending(five)) == 4


def test_ids_are_not_asked_about(five: There) -> None:
    desk = Desk(five.backend(), answers=[False])
    assert desk.run("pending", "a", "g", "ack", "1-1") == 0
    assert desk.asked == []


def test_the_record_is_for_programs(five: There) -> None:
    _, text, _ = run(five, "claim", "--to", "carol", "--consumer", "alice", format="json")
    assert json.loads(text) == {
        "action": "claim",
        "stream": "a",
        "group": "g",
        "to": "carol",
        "done": 2,
        "gone": 0,
        "changed": 0,
        "deleted": 1,
        "not_pending": 0,
        "last": "1-3",
        "last_copy": None,
    }


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["akc"], "there is no action 'akc'; did you mean ack?"),
        (["ack", "x"], "'x' is no ID of an entry, such as 1526984818136-0"),
        (["99999999999999999999999"], "'99999999999999999999999' is no ID of an entry, such as 1526984818136-0"),
        (["claim"], "claim needs --to CONSUMER"),
        (["dead-letter"], "dead-letter needs --to STREAM"),
        (["dead-letter", "--to", "a"], "--to is the stream itself; requeue puts a copy at its end"),
        (["--to", "5"], "--to is for claim and dead-letter; a range of IDs goes --until one"),
        (["ack", "--mode", "fail"], "--mode is for nack"),
        (["--dry-run"], "--dry-run is for what changes something"),
        (["--idle", "soon"], "--idle takes a length of time such as 5m, 1h30m, 250ms, not 'soon'"),
        (["--browse"], "--browse needs a terminal for stdin and stdout"),
    ],
)
def test_wrong_words_are_one_line_and_touch_nothing(five: There, words: list[str], line: str) -> None:
    with pytest.raises(UsageError) as wrong:
        run(five, *words)
    assert str(wrong.value) == line
    assert len(pending(five)) == 4


def test_a_range_filter_takes_what_is_idle_enough_or_was_released() -> None:
    wanted = Wanted(idle_ms=100)
    assert wanted.takes(Held(b"1-1", b"x", 100, 1))
    assert not wanted.takes(Held(b"1-1", b"x", 99, 1))
    assert wanted.takes(Held(b"1-1", b"", -1, 1))


def test_all_that_is_pending_is_acknowledged_only_when_that_is_said(five: There, program: Program) -> None:
    told = "name IDs or a filter; to acknowledge all that is pending, say --all (see streamcli pending --help)"
    words = [*five.args, "pending", "a", "g", "ack"]
    assert program.run(*words) == said("", f"streamcli pending: {told}\n", 2)
    assert program.run(*words, "--dry-run").code == 0
    assert len(pending(five)) == 4
    told = "--all leaves nothing to choose: it goes without IDs, filters and --limit"
    for more in (["1-1"], ["--consumer", ""], ["--limit", "1"]):
        assert program.run(*words, "--all", *more).err.decode().startswith(f"streamcli pending: {told} (")
    assert program.run(*words, "-n", "1") == said("acknowledged 1 entry of group g in a\n")
    assert program.run(*words, "--all") == said("acknowledged 3 entries of group g in a\n")
    assert pending(five) == []


def test_at_the_prompt_it_is_asked_instead(five: There) -> None:
    desk = Desk(five.backend(), prompt=True, answers=[False])
    assert desk.run("pending", "a", "g", "ack") == 1
    assert desk.asked == ["4 entries of group g in a will be acknowledged"]
    assert len(pending(five)) == 4


def test_a_read_only_session_lists_and_changes_nothing(five: There, program: Program, tmp_path: Path) -> None:
    """Whether it is so by a flag or by its profile."""
    place = f'db = "{five.args[1]}"' if five.kind == "engine" else f'url = "redis://127.0.0.1:{five.args[3]}"'
    config = tmp_path / "config.toml"
    config.write_text(f"[profiles.prod]\n{place}\nread-only = true\n")
    for words, env in ((["--read-only", *five.args], {}), (["@prod"], {"STREAMCLI_CONFIG": str(config)})):
        assert program.run(*words, "pending", "a", "g", "-n", "1", env=env).code == 0
        assert program.run(*words, "pending", "a", "g", "ack", "--dry-run", env=env).code == 0
        assert program.run(*words, "pending", "a", "g", "ack", env=env) == said(
            "", "streamcli pending: it writes, and this session is read-only; --dry-run is allowed\n", 1
        )
    assert len(pending(five)) == 4


# -- the help page ---------------------------------------------------------------------------------

PAGE = (Path(streamcli.__file__).parent / "data" / "topics" / "recovery.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("line", [line for line in PAGE.splitlines() if line.startswith("streamcli pending")])
def test_the_lines_of_the_help_page_can_be_typed(there: There, line: str) -> None:
    there.call("XGROUP", "CREATE", "jobs", "workers", 0, "MKSTREAM")
    _, name, *words = shlex.split(line)
    Desk(there.backend()).run(name, *("--all" if word == "1795176000000-0" else word for word in words))


def test_the_help_page_names_every_field_of_a_dead_letter() -> None:
    names = Deed("dead-letter", b"a", b"g", b"dead").origin(Held(b"1-1", b"x", 1, 1))[::2]
    assert all(f"`{name.decode()}`" in PAGE for name in names)
