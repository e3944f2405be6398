"""The whole terminal: given back while somebody has put us aside."""

from __future__ import annotations

import os
import signal
import termios

import pytest

from streamcli.tools.fullscreen import FullScreen


def test_ctrl_z_gives_the_terminal_back_until_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    master, slave = os.openpty()
    os.set_blocking(master, False)
    before = termios.tcgetattr(slave)
    seen: list[tuple[int, int, bool, bytes]] = []

    def stopped(process: int, number: int) -> None:
        seen.append((process, number, termios.tcgetattr(slave) == before, os.read(master, 10_000)))

    monkeypatch.setattr("streamcli.tools.fullscreen.os.kill", stopped)
    with FullScreen(slave, slave) as screen:
        screen.draw(["one", "two"])
        os.write(master, b"\x1ax")
        assert screen.keys(5) == ["x"]
        ((process, number, was_given_back, written),) = seen
        assert (process, number, was_given_back) == (0, signal.SIGTSTP, True)
        assert written.endswith(b"\x1b[?1049l")
        assert termios.tcgetattr(slave) != before
        assert os.read(master, 10_000).startswith(b"\x1b[?1049h")
        screen.draw(["one", "two"])  # all of it, though nothing has changed
        assert b"one" in os.read(master, 10_000)
    assert termios.tcgetattr(slave) == before
    os.close(master)
    os.close(slave)
