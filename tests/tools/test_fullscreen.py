"""The whole terminal: given back while somebody has put us aside."""

from __future__ import annotations

import os
import select
import signal
import termios

import pytest

from streamcli.tools.fullscreen import FullScreen


def test_ctrl_z_gives_the_terminal_back_until_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    master, slave = os.openpty()
    before = termios.tcgetattr(slave)
    seen: list[tuple[int, int, bool]] = []

    def written(ending: bytes) -> None:
        """All that was drawn up to there: a pseudo-terminal may hand it on in pieces."""
        data = b""
        while not data.endswith(ending):
            assert select.select([master], [], [], 20)[0], data
            data += os.read(master, 1)

    def stopped(process: int, number: int) -> None:
        seen.append((process, number, termios.tcgetattr(slave) == before))
        written(b"two\x1b[0m\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l")

    monkeypatch.setattr("streamcli.tools.fullscreen.os.kill", stopped)
    with FullScreen(slave, slave) as screen:
        screen.draw(["one", "two"])
        os.write(master, b"\x1ax")
        assert screen.keys(5) == ["x"]
        assert seen == [(0, signal.SIGTSTP, True)]
        assert termios.tcgetattr(slave) != before
        written(b"\x1b[?1049h")
        screen.draw(["one", "two"])  # all of it, though nothing has changed
        written(b"one\x1b[0m")
    assert termios.tcgetattr(slave) == before
    os.close(master)
    os.close(slave)
