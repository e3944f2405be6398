"""What `top` makes of what it sees: rates, trends, sparklines, columns that fit, and how much it may spend."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import suppress
from threading import Event

import pytest

from streamcli.backend.embedded import Embedded
from streamcli.reply import Error, Reply
from streamcli.text import columns
from streamcli.tools.job import RefusedError
from streamcli.tools.pending.held import Held
from streamcli.tools.survey import Group, Stream
from streamcli.tools.top.cells import short
from streamcli.tools.top.details import oldest_of
from streamcli.tools.top.model import (
    GROWS,
    SHRINKS,
    STEADY,
    Detail,
    GroupState,
    Model,
    OfGroup,
    OfStream,
    Samples,
    StreamState,
    levels,
    rates,
    spark,
)
from streamcli.tools.top.paint import Field, Look, laid_out, line, padded
from streamcli.tools.top.poller import Poller, Purse
from streamcli.tools.top.screen import Screen

LOOK = Look(color=False, unicode=True, columns=60, lines=12)


def samples(*pairs: tuple[float, int]) -> Samples:
    made = Samples()
    for at, value in pairs:
        made.add(at, value)
    return made


def test_a_rate_takes_two_samples_and_is_about_the_last_ten_seconds() -> None:
    assert samples((1, 5)).rate() is None
    assert samples((1, 5), (3, 9)).rate() == 2
    assert samples((0, 0), (1, 1000), (11, 1010)).rate() == 1
    assert samples((0, 0), (100, 50)).rate() == 0.5  # nothing nearer is known


@pytest.mark.parametrize(
    ("values", "trend"),
    [
        ([5, 6, 7, 8], GROWS), ([0, 1, 2, 3], GROWS), ([8, 7, 6], SHRINKS), ([5, 5, 5], STEADY), ([0, 0, 0], STEADY),
        ([0, 20, 0, 20], STEADY), ([20, 0, 1, 25], STEADY), ([5], STEADY), ([5, 3, 9], GROWS), ([3, 2, 0], STEADY),
    ],
)  # fmt: skip
def test_a_group_falls_behind_when_its_lag_grows_and_never_was_nothing(values: list[int], trend: str) -> None:
    assert samples(*((2.0 * at, value) for at, value in enumerate(values))).trend() == trend


def test_a_trend_takes_two_seconds_and_forgets_after_fifteen() -> None:
    assert samples((0, 1), (1.9, 5)).trend() == STEADY
    assert samples((0, 1), (2, 5)).trend() == GROWS
    assert samples((0, 9), (20, 5), (25, 7)).trend() == GROWS


def test_bars_are_in_proportion_to_the_greatest() -> None:
    assert spark([0, 1, 2, 4], unicode=True) == "▁▃▅█"
    assert spark([None, 0, 8], unicode=False) == " _#"
    assert spark([0, 0], unicode=True) == "  "
    assert spark([3, 3], unicode=True) == "██"
    assert spark([None, 3, 3], unicode=True, level=True) == " ▁▁"


def test_bars_are_a_step_each_whenever_the_samples_came() -> None:
    assert rates(samples((0, 0), (2, 10), (3, 10), (5, 30)), 4, 1.0) == [5.0, 0.0, 10.0, 10.0]
    assert rates(samples((0, 0), (1, 4)), 3, 1.0) == [None, None, 4.0]
    assert levels(samples((0, 1), (2, 5)), 3, 1.0) == [1.0, 3.0, 5.0]
    assert rates(Samples(), 2, 1.0) == [None, None]


def facts(length: int, added: int | None, groups: int = 0) -> Stream:
    return Stream(length, 1, 2, b"2-0", added, groups)


def test_what_was_added_counts_even_when_as_much_was_trimmed() -> None:
    state = StreamState(b"s")
    state.put(facts(100, 100), 0.0)
    state.put(facts(100, 150), 1.0)
    assert state.rate == 50
    state.unchanged(11.0)
    assert state.rate == 0


def test_a_stream_that_was_made_anew_begins_anew() -> None:
    state = StreamState(b"s")
    state.put(facts(100, 100), 0.0)
    state.put(facts(1, 1), 1.0)
    assert state.rate is None
    state.put(facts(3, 3), 2.0)
    assert state.rate == 2


def test_an_old_server_tells_the_length_alone() -> None:
    state = StreamState(b"s")
    state.put(facts(10, None), 0.0)
    state.put(facts(30, None), 1.0)
    assert state.rate == 20


def test_the_greatest_lag_is_unknown_when_one_is() -> None:
    state = StreamState(b"s")
    state.put_groups([Group(b"a", 1, 0, b"0-0", 3, 7), Group(b"b", 1, 0, b"0-0", None, None)], 0.0)
    assert state.lag is None
    state.put_groups([Group(b"a", 1, 0, b"0-0", 3, 7)], 1.0)
    assert state.lag == 7
    assert list(state.groups) == [b"a"]


def test_a_lag_that_becomes_unknown_has_no_trend() -> None:
    state = GroupState(Group(b"g", 0, 0, b"0-0", 0, 1))
    for at, lag in enumerate((1, 5, 9)):
        state.put(Group(b"g", 0, 0, b"0-0", 0, lag), 2.0 * at)
    assert state.falls_behind
    state.put(Group(b"g", 0, 0, b"0-0", None, None), 8.0)
    assert not state.falls_behind


FIELDS = (
    Field("NAME", 0, lambda row, look: ("", row), key="name"),
    Field("A", 5, lambda row, look: ("", "1"), True, 1, "a"),
    Field("B", 5, lambda row, look: ("", "2"), True, 2, "b"),
)


def test_columns_of_less_worth_go_first_and_what_is_sorted_by_last() -> None:
    def shown(width: int, sort: str = "") -> list[tuple[str, int]]:
        return [(field.title, given) for field, given in laid_out(FIELDS, width, sort)]

    assert shown(40) == [("NAME", 26), ("A", 5), ("B", 5)]
    assert shown(25) == [("NAME", 18), ("A", 5)]
    assert shown(25, "b") == [("NAME", 18), ("B", 5)]
    assert shown(5) == [("NAME", 5)]


def test_lines_are_never_wider_than_the_screen() -> None:
    for width in range(1, 30):
        look = LOOK._replace(columns=width)
        assert columns(line([("", "東京"), ("", "x" * 20)], look)) <= width
        assert columns(padded("東京都東京都", width, look)) == width
    assert line([("", "ab")], LOOK._replace(columns=4, color=True), "bar") == "\x1b[30;42mab  \x1b[0m"


@pytest.mark.parametrize("columns_", [1, 5, 17, 40, 80, 200])
@pytest.mark.parametrize("lines_", [1, 2, 4, 24])
def test_every_page_fits_every_screen(columns_: int, lines_: int) -> None:
    model = Model()
    for n in range(30):
        state = model.streams[b"s%d" % n] = StreamState(b"s%d" % n)
        state.put(facts(n, n, 1), 0.0)
        state.put_groups([Group(b"g\x1b[2J", 1, 2, b"1-1", 3, n)], 0.0)
    for unicode in (True, False):
        screen = Screen(model, Look(False, unicode, columns_, lines_), 1.0)
        for key in (
            "",
            "f5",
            "down",
            "pagedown",
            "end",
            "f6",
            "escape",
            "f1",
            "x",
            "c-m",
            "c-m",
            "escape",
            "/",
            "s",
            "c-m",
        ):
            assert screen.press(key)
            screen.refresh()
            screen.focus()
            shown = screen.lines()
            assert len(shown) <= lines_
            assert all(columns(text.replace("\x1b[7m", "").replace("\x1b[0m", "")) <= columns_ for text in shown)
            assert unicode or all(text.isascii() for text in shown)


def chosen(screen: Screen) -> str:
    """The name in the row that is chosen."""
    return next(text for text in screen.lines() if "›" in text).split()[1]


def test_the_chosen_row_stays_chosen_when_the_order_changes() -> None:
    model = Model()
    for n in range(5):
        model.streams[b"s%d" % n] = state = StreamState(b"s%d" % n)
        state.put(facts(n, n), 0.0)
    screen = Screen(model, LOOK, 1.0)
    for key in ("<", "<", "down"):  # by name
        screen.press(key)
    assert chosen(screen) == "s1"
    screen.press(">")  # by length: s1 is the last but one
    assert chosen(screen) == "s1"
    del model.streams[b"s1"]
    screen.refresh()
    assert chosen(screen) == "s0"


def test_what_is_spent_on_a_server_is_what_it_may_have_worked() -> None:
    purse = Purse(on_server=True)
    purse.way(0.001)
    assert purse.pause(wall=0.002, cpu=0.001) == pytest.approx(0.001 / 0.15 - 0.002)  # its work is hidden in the way
    assert purse.pause(wall=0.0311, cpu=0.0001) == pytest.approx(0.03 / 0.03 - 0.0311)
    assert purse.pause(wall=0.2, cpu=0.1, first=True) == pytest.approx(0.2)
    assert Purse(on_server=False).pause(wall=0.001, cpu=0.001) == pytest.approx(0.039)


def test_long_numbers_are_short() -> None:
    assert [short(n) for n in (0, 999_999, 1_234_567, 123_456_789, 5_000_000_000, 9_300_000_000_000_000_000)] == [
        "0", "999,999", "1.2M", "123M", "5.0G", "9.3E",
    ]  # fmt: skip


@pytest.mark.parametrize("unicode", [True, False])
def test_what_a_server_says_does_not_steer_the_terminal(unicode: bool) -> None:
    said = "NOPERM \x1b]0;owned\x07 \udcff é"
    model = Model()
    screen = Screen(model, Look(False, unicode, 90, 12), 1.0)
    model.streams[b"a"] = StreamState(b"a")
    model.streams[b"a"].put(facts(1, 1, 0), 0.0)
    screen.refresh()
    screen.press("c-m")
    model.detail = Detail(OfStream(b"a"), refused=said)
    model.trouble = said
    screen.place = said
    shown = "\n".join(screen.lines())
    assert r"NOPERM \x1b]0;owned\a \xff" in shown
    assert shown.replace("\x1b[7m", "").replace("\x1b[0m", "").replace("\n", "").isprintable()
    assert unicode or shown.isascii()


class CountingLock:
    """A lock that counts who has it."""

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> None:
        self.count += 1

    def __exit__(self, *fault: object) -> None:
        self.count -= 1


def test_nothing_of_the_model_is_read_without_its_lock() -> None:
    lock = CountingLock()

    class Watched(Samples):
        __slots__ = ()

        def within(self, seconds: float) -> list[tuple[float, int]]:
            assert lock.count
            return super().within(seconds)

        def at(self, when: float) -> float | None:
            assert lock.count
            return super().at(when)

    model = Model()
    model.lock = lock  # type: ignore[assignment]
    for name in (b"a", b"b"):
        model.streams[name] = state = StreamState(name)
        state.added = Watched()
        state.put(facts(5, 5, 1), 0.0)
        state.put_groups([Group(b"g", 1, 2, b"1-1", 3, 4)], 0.0)
        state.groups[b"g"].lags = state.groups[b"g"].reads = Watched()
        state.put_groups([Group(b"g", 1, 2, b"1-1", 3, 5)], 1.0)
    screen = Screen(model, LOOK, 1.0)
    for key in ("down", "f3", "b", "c-m", "c-m", "down", "c-m", "escape", "escape", "f5", "end", "<", "c-m", "f6", "q"):
        screen.press(key)
        screen.refresh()
        screen.focus()
        screen.lines()
    assert not lock.count


def test_what_was_released_is_held_by_nobody_and_not_idle() -> None:
    model = Model()
    state = model.streams[b"a"] = StreamState(b"a")
    state.put(facts(1, 1, 1), 0.0)
    state.put_groups([Group(b"g", 0, 1, b"1-1", 1, 0)], 0.0)
    screen = Screen(model, LOOK, 1.0)
    for _ in range(2):
        screen.refresh()
        screen.press("c-m")
    model.detail = Detail(OfGroup(b"a", b"g"), pending=[Held(b"1-1", b"", -1, 3)])
    screen.refresh()
    row = next(text for text in screen.lines() if "released" in text)
    assert row.removeprefix("\x1b[7m").removesuffix("\x1b[0m").split() == ["›", "1-1", "(released)", "-", "3"]
    assert oldest_of([[b"1795176000000-1", b"", -1, 3]], 1_795_176_005_000) == 5000
    assert oldest_of([[b"1-1", b"", -1, 3]], 1_795_176_005_000) is None


@pytest.mark.parametrize("error", ["BUSY a script runs", "LOADING the dataset", "NOPERM no", "ERR odd"])
def test_an_error_of_the_server_is_no_reason_to_forget_a_stream(error: str) -> None:
    class Busy(Embedded):
        def pipelined(self, argvs: Iterable[Sequence[bytes]], *, window: int = 512) -> Generator[Reply, None, None]:
            yield from [Error(error) for _ in argvs]

    model = Model()
    model.streams[b"a"] = StreamState(b"a")
    poller = Poller(Busy(), model, lambda: None, 1.0)
    with suppress(RefusedError):
        poller._ask([b"a"], groups=False)
    assert list(model.streams) == [b"a"]


@pytest.mark.filterwarnings("error")
def test_who_leaves_while_an_answer_is_waited_for_ends_the_wait_quietly() -> None:
    asked, ended = Event(), Event()

    class Silent(Embedded):
        def execute(self, argv: Sequence[bytes], *, arriving: bool = False) -> Reply:
            asked.set()
            ended.wait()
            raise KeyboardInterrupt

        def stop(self, *, writes: bool) -> None:
            ended.set()

    poller = Poller(Silent(), Model(), lambda: None, 1.0)
    poller.start()
    asked.wait()
    poller.end()
    assert not poller._thread.is_alive()
