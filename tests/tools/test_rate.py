"""`rate`: entries counted by time and value, and how that looks."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from streamcli.backend.embedded import Embedded
from streamcli.flags import UsageError
from streamcli.render import Options
from streamcli.reply import Reply
from streamcli.tools import rate
from streamcli.tools.rate import counted
from tests.e2e.program import Program, said
from tests.tools.desk import Desk, There

NOON = 1_795_176_000_000  # 2026-11-20 12:00 UTC


def fill(there: There) -> None:
    """Ten minutes; in the first one entry, in the second two ... none in the fifth."""
    for minute, count in enumerate((1, 2, 3, 4, 0, 6, 7, 8, 9, 10)):
        for at in range(count):
            there.call("XADD", "a", f"{NOON + minute * 60_000 + at * 1000}-0", "city", "Oslo" if at % 3 else "Quito")


def test_a_line_for_each_step(there: There, program: Program) -> None:
    fill(there)
    assert program.run(*there.args, "rate", "a", "--every", "2m", env={"COLUMNS": "60"}) == said(
        "a: 50 entries, 0.08/s on the whole, 2m a line\n"
        "2026-11-20 12:00 UTC   3  ████████▌\n"
        "2026-11-20 12:02 UTC   7  ███████████████████▉\n"
        "2026-11-20 12:04 UTC   6  █████████████████\n"
        "2026-11-20 12:06 UTC  15  ██████████████████████████████████████████▋\n"
        "2026-11-20 12:08 UTC  19  ██████████████████████████████████████████████████████\n"
    )


def test_a_line_for_each_value(there: There) -> None:
    fill(there)
    desk = Desk(there.backend(), options=Options(width=40))
    assert desk.run("rate", "a", "--by", "city", "--every", "1m") == 0
    assert desk.text == (
        "a: 50 entries, 0.08/s on the whole, 1m a character\n"
        "Oslo   30   ▁▃▃ ▅▅▇██\n"
        "Quito  20  ▁▁▁▃ ▃▄▄▄▅\n"
        "2026-11-20 12:00 to 2026-11-20 12:10\n"
    )


def test_in_ascii(there: There) -> None:
    fill(there)
    desk = Desk(there.backend(), options=Options(width=60, unicode=False))
    assert desk.run("rate", "a", "--every", "5m") == 0
    assert desk.text == (
        "a: 50 entries, 0.08/s on the whole, 5m a line\n"
        "2026-11-20 12:00 UTC  10  ########\n"
        "2026-11-20 12:05 UTC  40  ##################################\n"
    )


def test_json_has_every_step_and_value(there: There) -> None:
    fill(there)
    desk = Desk(there.backend(), "jsonl")
    assert desk.run("rate", "a", "--by", "city", "--every", "5m", "--from", f"{NOON + 180_000}") == 0
    assert [json.loads(line) for line in desk.shown] == [
        {"from": NOON, "to": NOON + 300_000, "value": "Oslo", "entries": 2, "rate": 0.006667},
        {"from": NOON, "to": NOON + 300_000, "value": "Quito", "entries": 2, "rate": 0.006667},
        {"from": NOON + 300_000, "to": NOON + 600_000, "value": "Oslo", "entries": 25, "rate": 0.083333},
        {"from": NOON + 300_000, "to": NOON + 600_000, "value": "Quito", "entries": 15, "rate": 0.05},
    ]


def test_the_newest_are_counted_and_that_is_said(there: There) -> None:
    fill(there)
    desk = Desk(there.backend())
    assert desk.run("rate", "a", "--most", "10", "--every", "1m") == 0
    assert desk.shown[0] == "a: 10 entries, 0.17/s on the whole, 1m a line"
    assert desk.said == ["these are the newest 10 of 50 entries; --all reads every one"]


def test_other_values_are_one(there: There) -> None:
    for number in range(12):
        there.call("XADD", "a", f"{NOON + number}-0", "n", number // 2 if number < 8 else number)
    there.call("XADD", "a", f"{NOON + 20}-0", "other", "x")
    desk = Desk(there.backend(), "jsonl")
    assert desk.run("rate", "a", "--by", "n", "--every", "1s") == 0
    counts = {row["value"]: row["entries"] for row in map(json.loads, desk.shown)}
    assert counts == {
        "0": 2, "1": 2, "2": 2, "3": 2, "(no such field)": 1, "10": 1, "11": 1, "8": 1, "9": 1,
    }  # fmt: skip
    for number in range(20, 30):
        there.call("XADD", "a", f"{NOON + 30 + number}-0", "n", number)
    desk = Desk(there.backend(), "jsonl")
    desk.run("rate", "a", "--by", "n", "--every", "1s")
    assert json.loads(desk.shown[-1])["value"] == "(other values)"
    assert sum(json.loads(line)["entries"] for line in desk.shown) == 23


def test_a_field_is_never_a_command_to_the_terminal(there: There) -> None:
    there.call("XADD", "a", "1-0", "f", b"\x1b[31mred\xff\n")
    desk = Desk(there.backend(), options=Options(terminal=True, width=80))
    assert desk.run("rate", "a", "--by", "f") == 0
    assert desk.shown[1].startswith('"\\x1b[31mred\\xff\\n"')


def test_nothing_there(there: There, program: Program) -> None:
    assert program.run(*there.args, "rate", "a") == said(err="streamcli rate: there is no stream a\n", code=1)
    there.call("SET", "s", "x")
    assert program.run(*there.args, "rate", "s") == said(err="streamcli rate: s is a string, no stream\n", code=1)
    there.call("XADD", "a", "5-0", "f", "v")
    assert program.run(*there.args, "rate", "a", "--from", "6") == said("a: no entries there\n")
    assert program.run(*there.args, "rate", "a", "--from", "6", "--json") == said("[]\n")


def test_too_many_steps_are_refused() -> None:
    with pytest.raises(UsageError) as wrong:
        counted([(10**9, b""), (0, b"")], 10)
    assert str(wrong.value) == "--every 10 ms makes 100,000,001 steps of this; 10,000 is the most"


def test_steps_are_found_so_that_there_are_some_thirty() -> None:
    for span in (0, 1, 5_000, 10**6, 10**9, 10**12, 10**15):
        assert counted([(span, b""), (0, b"")], None).steps <= 31


def test_a_value_of_any_size_has_its_line(there: There) -> None:
    for number in range(3):
        there.call("XADD", "a", f"{NOON + number}-0", "f", b"\xc3\xa9" * 500_000 + b"%d" % number)
    desk = Desk(there.backend(), options=Options(width=40))
    assert desk.run("rate", "a", "--by", "f", "--every", "1s") == 0
    assert desk.shown[1] == f"{'é' * 12}…  3  █"


def test_rare_values_take_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate, "_VALUES_KEPT", 20)
    backend = Embedded()
    for number in range(50):
        backend.execute((b"XADD", b"a", b"%d-0" % (NOON + number), b"f", b"%d" % number, b"g", b"(other values)"))
    for field, kept in (("f", 8), ("g", 0)):
        desk = Desk(backend, "jsonl")
        assert desk.run("rate", "a", "--by", field, "--every", "1s") == 0
        counts = {row["value"]: row["entries"] for row in map(json.loads, desk.shown)}
        assert len(counts) == kept + 1
        assert counts["(other values)"] == 50 - kept


class Counted(Embedded):
    """Remembers how many entries it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[int] = []

    def execute(self, argv: Sequence[bytes], *, arriving: bool = False) -> Reply:
        if b"COUNT" in argv:
            self.asked.append(int(argv[argv.index(b"COUNT") + 1]))
        return super().execute(argv, arriving=arriving)


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (["rate", "a", "--most", "5"], [4, 5]),
        (["rate", "a"], [4, *[8] * 15]),
        (["tail", "a", "--from", "start", "--no-follow"], [1, 4, *[8] * 15]),
        (["tail", "a", "--from", "start", "--no-follow", "-n", "5"], [1, 4, 1]),
        (["tail", "a", "--from", "-110", "--no-follow"], [1, 4, *[8] * 14, 4, *[8] * 14]),
    ],
)
def test_large_entries_are_read_a_few_at_a_time(words: list[str], asked: list[int]) -> None:
    backend = Counted()
    for number in range(120):
        backend.execute((b"XADD", b"a", b"%d-0" % (NOON + number), b"f", b"x" * 1_000_000))
    backend.asked.clear()
    assert Desk(backend, "raw").run(*words) == 0
    assert backend.asked == asked
