"""A wait is shown, and Ctrl-C ends it; what has begun to write is let finish."""

from __future__ import annotations

import os
import signal

import pytest

from streamcli.backend import Waiting
from streamcli.shell.waiting import Watch, waiting_text


@pytest.fixture
def pipe() -> tuple[int, int]:
    return os.pipe()


def seen(reader: int) -> str:
    os.set_blocking(reader, False)
    try:
        return os.read(reader, 65536).decode()
    except BlockingIOError:
        return ""


@pytest.mark.parametrize(
    ("waiting", "text"),
    [
        (Waiting(1999, None), "waiting 1s; Ctrl-C ends it"),
        (Waiting(3000, 27_000), "waiting 3s of 30s; Ctrl-C ends it"),
        (Waiting(90_000, 3_510_000), "waiting 1m 30s of 1h; Ctrl-C ends it"),
    ],
)
def test_a_wait_says_how_long_it_is_and_will_be(waiting: Waiting, text: str) -> None:
    assert waiting_text(waiting) == text


def test_a_wait_is_drawn_once_a_second_and_erased(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    watch = Watch(writer, redraw=True, color=False, before=lambda: None)
    with watch.over(writes=False, stop=lambda: None):
        for ms in (0, 100, 300, 700, 999, 1000, 1500):
            watch.waits(Waiting(ms, None))
    assert seen(reader) == "\r\x1b[Kwaiting 0s; Ctrl-C ends it\r\x1b[Kwaiting 1s; Ctrl-C ends it\r\x1b[K"


def test_a_short_wait_is_not_drawn(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    watch = Watch(writer, redraw=True, color=True, before=lambda: None)
    with watch.over(writes=False, stop=lambda: None):
        watch.waits(Waiting(100, 50))
    assert seen(reader) == ""


def test_a_terminal_that_cannot_go_back_is_told_once(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    watch = Watch(writer, redraw=False, color=False, before=lambda: None)
    with watch.over(writes=False, stop=lambda: None):
        for ms in range(0, 5000, 500):
            watch.waits(Waiting(ms, None))
    assert seen(reader) == "waiting; Ctrl-C ends it\n"


def test_an_interrupt_ends_a_command_that_only_reads(pipe: tuple[int, int]) -> None:
    watch = Watch(pipe[1], redraw=True, color=False, before=lambda: None)
    before = signal.getsignal(signal.SIGINT)
    stopped: list[str] = []
    with pytest.raises(KeyboardInterrupt), watch.over(writes=False, stop=lambda: stopped.append("now")):
        signal.raise_signal(signal.SIGINT)
    assert stopped == ["now"]
    assert signal.getsignal(signal.SIGINT) is before


def test_a_command_that_writes_is_let_finish_however_often_it_is_interrupted(pipe: tuple[int, int]) -> None:
    watch = Watch(pipe[1], redraw=True, color=False, before=lambda: None)
    done = []
    with watch.over(writes=True, stop=lambda: None):
        for number in range(3):
            signal.raise_signal(signal.SIGINT)
            done.append(number)
    assert done == [0, 1, 2]
    assert watch.interrupted


def test_a_writing_command_that_waits_can_be_interrupted_while_it_waits(pipe: tuple[int, int]) -> None:
    watch = Watch(pipe[1], redraw=True, color=False, before=lambda: None)
    with watch.over(writes=True, stop=lambda: None):
        watch.waits(Waiting(0, None))
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            watch.waits(Waiting(4, None))
