"""Times are counted from the clock that gives the IDs, which may differ from ours: here it is an hour behind."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from streamcli.backend.embedded import Embedded
from streamcli.reply import Reply
from streamcli.times import date_text
from streamcli.tools.job import now_ms
from tests.tools.desk import Desk

HOUR, MINUTE = 3_600_000, 60_000


class Behind(Embedded):
    """A place whose clock is an hour behind; `later` are entries that are added one by one, as XREAD waits."""

    def __init__(self) -> None:
        super().__init__()
        self.now = now_ms() - HOUR
        self.later: list[int] = []

    def add(self, ms: int) -> None:
        super().execute((b"XADD", b"a", b"%d-1" % ms, b"n", b"1"))

    def execute(self, argv: Sequence[bytes], *, arriving: bool = False) -> Reply:
        if argv[0] == b"TIME":
            return [b"%d" % (self.now // 1000), b"%d" % (self.now % 1000 * 1000)]
        if argv[0] == b"XREAD" and b"BLOCK" in argv and self.later:
            self.add(self.later.pop(0))
        return super().execute(argv, arriving=arriving)


@pytest.fixture
def behind() -> Behind:
    backend = Behind()
    backend.add(backend.now - 10 * MINUTE)
    return backend


def test_what_is_not_yet_old_there_is_not_trimmed(behind: Behind) -> None:
    assert Desk(behind).run("trim", "a", "--older-than", "30m") == 0
    assert behind.execute((b"XLEN", b"a")) == 1
    assert Desk(behind).run("trim", "a", "--older-than", "5m") == 0
    assert behind.execute((b"XLEN", b"a")) == 0


@pytest.mark.parametrize(
    "words",
    [
        ["tail", "a", "--no-follow", "--from", "-30m"],
        ["tail", "a", "--no-follow", "--where", "time > -30m"],
        ["rate", "a", "--from", "-30m"],
        ["id", "-30m", "a"],
        ["export", "a", "--from", "-30m"],
    ],
)
def test_places_are_counted_from_it(behind: Behind, words: list[str]) -> None:
    desk = Desk(behind, "jsonl")
    assert desk.run(*words) == 0
    assert str(behind.now - 10 * MINUTE) in desk.text or '"entries":1' in desk.text


def test_an_end_is_waited_for_until_it_has_come_there(behind: Behind) -> None:
    until = behind.now + MINUTE
    behind.later = [until - 1, until, until + 1]
    desk = Desk(behind, "raw")
    assert (
        desk.run("tail", "a", "--from", "end", "--until", date_text(until).replace(" UTC", "Z").replace(" ", "T")) == 0
    )
    assert desk.text.split() == [f"{until - 1}-1", "n", "1", f"{until}-1", "n", "1"]


def test_what_is_replayed_is_counted_from_it(behind: Behind) -> None:
    desk = Desk(behind)
    assert desk.run("replay", "a", "--to", "b", "--from", "-30m", "--speed", "max") == 0
    assert behind.execute((b"XLEN", b"b")) == 1
