"""`top` in a terminal with a screen model, on a file and on a server: what is seen, what keys do, what goes wrong."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.program import Program
from tests.e2e.screen import Terminal
from tests.remote.conftest import Servers
from tests.tools.desk import There

Top = Callable[..., Terminal]
F1, F3, F4, F5, F6, F10 = "\x1bOP", "\x1bOR", "\x1bOS", "\x1b[15~", "\x1b[17~", "\x1b[21~"
UP, DOWN, END, HOME, PAGE_DOWN = "\x1b[A", "\x1b[B", "\x1b[F", "\x1b[H", "\x1b[6~"
QUICK = ("--interval", "0.2")


@contextmanager
def top(program: Program, there: There, *words: str, **more: object) -> Iterator[Terminal]:
    with Terminal(program, *there.args, "top", *(words or QUICK), db=False, **more) as terminal:  # type: ignore[arg-type]
        yield terminal


def fill(there: There) -> None:
    """`orders` with a group of two consumers, `ticks` with one that never reads, `zz` with neither."""
    for n in range(20):
        there.call("XADD", "orders", f"{1795000000000 + n}-0", "city", "Oslo", "n", n)
    for n in range(5):
        there.call("XADD", "ticks", f"{1795000000000 + n}-0", "temp", n)
    there.call("XADD", "zz", "1-1", "a\x1b[2J", "b\nc")
    there.call("XGROUP", "CREATE", "orders", "billing", "0")
    there.call("XGROUP", "CREATE", "ticks", "idlers", "0")
    there.call("XREADGROUP", "GROUP", "billing", "alice", "COUNT", 3, "STREAMS", "orders", ">")
    there.call("XREADGROUP", "GROUP", "billing", "bob", "COUNT", 1, "STREAMS", "orders", ">")


def row(terminal: Terminal, name: str) -> str:
    """The line in which a stream or a group stands."""
    return next((line for line in terminal.lines if name in line), "")


def cells(terminal: Terminal, name: str) -> list[str]:
    """What stands in that line, without its marks."""
    return row(terminal, name).lstrip("›▲>! ").split()


def quits(terminal: Terminal, key: str = "q") -> None:
    terminal.type(key)
    assert terminal.leave() == 0
    assert terminal.raw.endswith(b"\x1b[?1049l")


def test_streams_are_listed_with_what_is_known_of_them(program: Program, there: There) -> None:
    fill(there)
    with top(program, there) as terminal:
        terminal.until(lambda: " 20 " in row(terminal, " orders"), "the length of orders")
        terminal.shows("3 streams  2 groups")
        assert terminal.lines[2].split() == ["STREAM", "LENGTH", "RATE▼", "LAG", "GRPS", "LAST"]
        assert cells(terminal, " orders")[1:4] == ["20", "0/s", "16"]
        assert cells(terminal, " ticks")[1:4] == ["5", "0/s", "5"]
        terminal.until(lambda: "no time" in row(terminal, " zz"), "an ID that is no time")
        quits(terminal)


def test_what_is_added_is_seen_with_its_rate(program: Program, there: There) -> None:
    fill(there)
    with top(program, there) as terminal:
        terminal.until(lambda: " 20 " in row(terminal, " orders"), "the length of orders")
        there.call("XADD", "orders", "*", "n", 1)
        terminal.until(lambda: " 21 " in row(terminal, " orders"), "the new length")
        terminal.until(lambda: "0/s" not in row(terminal, " orders").split(), "a rate")
        there.call("XADD", "fresh", "*", "n", 1)
        there.call("DEL", "zz")
        terminal.hides(" zz ")
        quits(terminal, F10)


def test_a_stream_that_nobody_shows_is_noticed_too(program: Program, there: There) -> None:
    for n in range(60):
        there.call("XADD", f"s:{n:02}", f"{1795000000000 + n}-0", "n", n)
    with top(program, there) as terminal:
        terminal.shows("60 streams")
        terminal.hides("to look at")
        assert "s:55" not in terminal.text
        for _ in range(5):
            there.call("XADD", "s:55", "*", "n", 1)
        terminal.until(lambda: "s:55" in terminal.lines[3], "what has a rate comes first")
        quits(terminal)


def test_groups_are_listed_and_the_one_whose_lag_grows_is_marked(program: Program, there: There) -> None:
    fill(there)
    with top(program, there) as terminal:
        terminal.shows("orders")
        terminal.type(F5)
        terminal.until(lambda: "billing" in terminal.text and "idlers" in terminal.text, "both groups")
        assert terminal.lines[2].split() == ["STREAM", "GROUP", "LAG▼", "READ", "PENDING", "OLDEST"]
        assert cells(terminal, "billing")[:3] == ["orders", "billing", "16"]
        assert "▲" not in row(terminal, "idlers")
        terminal.type(DOWN + UP)  # orders stays the chosen one, even if ticks comes to stand above it

        def grows() -> bool:
            there.call("XADD", "ticks", "*", "n", 1)
            terminal._read(0.1)
            return "▲" in row(terminal, "idlers")

        terminal.until(grows, "a mark")
        terminal.shows("▲ 1 behind")
        assert terminal.cell("▲ ticks").color == "red"
        assert terminal.cell("▲ ticks").bold
        quits(terminal)


def test_the_unknown_is_never_nothing(program: Program, there: There) -> None:
    for n in range(1, 6):
        there.call("XADD", "s", f"{n}-1", "n", n)
    there.call("XGROUP", "CREATE", "s", "g", "3-1")  # in the middle: nobody has counted
    there.call("XDEL", "s", "4-1")
    with top(program, there, "--view", "groups") as terminal:
        terminal.until(lambda: "unknown" in row(terminal, " g "), "an unknown lag")
        quits(terminal)


def test_enter_goes_down_to_an_entry_and_escape_up_again(program: Program, there: There) -> None:
    fill(there)
    with top(program, there) as terminal:
        terminal.shows("orders")
        terminal.type("/orders\r\r")
        terminal.shows("stream orders")
        terminal.shows("LATEST ENTRIES")
        terminal.shows("1795000000019-0")
        terminal.shows("city Oslo  n 19")
        terminal.type("\r")  # its group
        terminal.shows("stream orders  group billing")
        terminal.until(lambda: cells(terminal, "alice")[1:2] == ["3"], "what alice holds")
        terminal.shows("1795000000003-0")
        terminal.type("\r")  # alice
        terminal.shows("consumer alice")
        terminal.hides("1795000000003-0")
        terminal.shows("1795000000002-0")
        terminal.type("\r")  # her first entry
        terminal.shows("entry 1795000000000-0")
        terminal.until(lambda: cells(terminal, "city") == ["city", "Oslo"], "its fields")
        for title in ("consumer alice", "group billing", "LATEST ENTRIES", "3 streams  2 groups"):
            terminal.type("\x1b")
            terminal.shows(title)
        quits(terminal)


def test_what_data_holds_does_not_reach_the_terminal(program: Program, there: There) -> None:
    fill(there)
    there.call("XADD", b"evil\x1b]0;x\x07\xff", "1-1", b"\x1b[31m", b"\x9b2J\xe2\x80\xae")
    with top(program, there) as terminal:
        terminal.shows("evil\\x1b]0;x\\a\\xff")
        terminal.type("/evil\r\r")
        terminal.shows("\\x1b[31m \\x9b2J\\xe2\\x80\\xae")
        terminal.type("\r")
        terminal.shows("entry 1-1")
        assert b"\x1b]0" not in terminal.raw
        assert b"\x1b[31m\x9b" not in terminal.raw
        quits(terminal)


def test_keys_filter_sort_and_choose(program: Program, there: There) -> None:
    fill(there)
    with top(program, there) as terminal:
        terminal.until(lambda: " 20 " in row(terminal, " orders"), "the streams")
        terminal.type(F4 + "tic")
        terminal.until(lambda: "orders" not in terminal.text and "ticks" in terminal.text, "the filter")
        terminal.type("\r")
        terminal.shows("filter: tic")
        terminal.type("\x1b")
        terminal.shows("orders")
        terminal.type(F6)
        terminal.shows("Sort by")
        terminal.type(UP + "\r")  # length
        terminal.until(lambda: "LENGTH▼" in terminal.text and "orders" in terminal.lines[3], "sorted by length")
        terminal.type("I")
        terminal.until(lambda: "LENGTH▲" in terminal.text and "zz" in terminal.lines[3], "the other way round")
        terminal.type("<")
        terminal.shows("STREAM▲")
        terminal.type(END)
        terminal.until(lambda: row(terminal, " zz").startswith("›"), "the last is chosen")
        terminal.type(HOME + DOWN)
        terminal.until(lambda: row(terminal, " ticks").startswith("›"), "the second is chosen")
        terminal.type("p")
        terminal.shows("PAUSED")
        terminal.type(" -")
        terminal.until(lambda: "PAUSED" not in terminal.text, "no pause")
        terminal.type("+++")
        terminal.shows("every 2s")
        terminal.type(F1)
        terminal.shows("look closer")
        terminal.type("x")
        terminal.hides("look closer")
        quits(terminal, "\x03")


def test_the_screen_can_be_any_size(program: Program, there: There) -> None:
    fill(there)
    with top(program, there, columns=40, rows=8) as terminal:
        terminal.shows("orders")
        assert terminal.lines[2].split() == ["STREAM", "RATE▼"]
        terminal.type("<")
        terminal.until(lambda: terminal.lines[2].split() == ["STREAM", "LENGTH▼"], "what it is sorted by is shown")
        terminal.resize(120, 30)
        terminal.shows("MEMORY")
        terminal.resize(20, 4)
        terminal.until(lambda: "STREAM" in terminal.lines[2] and "MEMORY" not in terminal.text, "a small screen")
        terminal.resize(5, 2)
        terminal.resize(80, 24)
        terminal.shows("GRPS")
        quits(terminal)


def test_without_colour_and_without_utf_8_the_marks_remain(program: Program, there: There) -> None:
    fill(there)
    there.call("XADD", "日本", "*", "n", 1)
    with top(
        program, there, "--view", "groups", *QUICK, env={"NO_COLOR": "1", "LC_ALL": "C", "PYTHONUTF8": "0"}
    ) as terminal:
        terminal.shows("idlers")
        assert "LAG-" in terminal.lines[2]
        assert row(terminal, "billing").startswith(">  ")

        def grows() -> bool:
            there.call("XADD", "ticks", "*", "n", 1)
            terminal._read(0.1)
            return "! ticks" in terminal.text

        terminal.until(grows, "a mark")
        terminal.type(F5)
        terminal.shows("\\u65e5\\u672c")
        assert terminal.raw.isascii()
        assert not re.search(rb"\x1b\[[0-9;]*3[0-9]m", terminal.raw)
        quits(terminal)


def test_a_signal_gives_the_terminal_back(program: Program, there: There) -> None:
    fill(there)
    with top(program, there) as terminal:
        terminal.shows("orders")
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.leave() == -signal.SIGTERM
        assert terminal.raw.endswith(b"\x1b[?1049l")


def test_a_server_that_dies_is_said_and_so_is_that_it_is_back(program: Program, servers: Servers) -> None:
    server = servers.start()
    try:
        server.call("XADD", "orders", "*", "n", 1)
        args = ["-h", "127.0.0.1", "-p", str(server.port)]
        with Terminal(program, *args, "top", *QUICK, db=False) as terminal:
            terminal.shows("orders")
            server.kill()
            terminal.shows("trying again")
            terminal.type(DOWN + F1)  # keys go on working
            terminal.shows("look closer")
            terminal.type("x")
            server.start()
            server.call("XADD", "other", "*", "n", 1)
            terminal.shows("back again")
            terminal.hides("trying again")
            terminal.shows("other")
            quits(terminal)
    finally:
        server.close()


def test_a_server_that_does_not_answer_is_said_and_one_can_leave(program: Program, servers: Servers) -> None:
    server = servers.start()
    try:
        server.call("XADD", "orders", "*", "n", 1)
        with Terminal(program, "-h", "127.0.0.1", "-p", str(server.port), "top", *QUICK, db=False) as terminal:
            terminal.shows("orders")
            server.pause()
            terminal.shows("no answer from")
            server.resume()
            terminal.hides("no answer from")
            server.pause()
            terminal.shows("no answer from")
            quits(terminal)
            server.resume()
    finally:
        server.close()


@pytest.mark.xdist_group("cluster")
def test_on_a_cluster_streams_of_all_nodes_are_watched(program: Program, on_cluster: There) -> None:
    for n in range(12):
        on_cluster.call("XADD", f"s:{n:02}", f"{1795000000000 + n}-0", "n", n)
    on_cluster.call("XGROUP", "CREATE", "s:07", "g", "0")
    with top(program, on_cluster) as terminal:
        terminal.shows("12 streams  1 group ")
        on_cluster.call("XADD", "s:11", "*", "n", 1)
        terminal.until(lambda: "s:11" in terminal.lines[3], "what has a rate comes first")
        terminal.type(F5)
        terminal.until(lambda: cells(terminal, "s:07")[:3] == ["s:07", "g", "1"], "the group")
        quits(terminal)


def test_what_may_not_be_seen_is_said_and_the_rest_is_shown(program: Program, servers: Servers) -> None:
    server = servers.start()
    try:
        for name in ("mine", "theirs"):
            server.call("XADD", name, "*", "n", 1)
        server.call("ACL", "SETUSER", "limited", "on", ">x", "~mine", "+@all")
        args = ["-u", f"redis://limited:x@127.0.0.1:{server.port}"]
        with Terminal(program, *args, "top", *QUICK, db=False) as terminal:
            terminal.until(lambda: cells(terminal, " mine")[1:2] == ["1"], "the stream that may be seen")
            terminal.until(lambda: cells(terminal, " theirs")[1:2] == ["NOPERM"], "the one that may not")
            server.call("XADD", "mine", "*", "n", 1)
            terminal.until(lambda: cells(terminal, " mine")[1:2] == ["2"], "it goes on")
            quits(terminal)
    finally:
        server.close()


def test_when_everything_is_flushed_nothing_is_shown(program: Program, there: There) -> None:
    fill(there)
    with top(program, there) as terminal:
        terminal.shows("orders")
        terminal.type("\r")
        terminal.shows("LATEST ENTRIES")
        there.call("FLUSHALL")
        terminal.shows("it is gone")
        terminal.type("\x1b")
        terminal.shows("0 streams")
        terminal.shows("no streams")
        there.call("XADD", "again", "*", "n", 1)
        terminal.shows("again")
        quits(terminal)


def test_without_a_terminal_it_says_so(program: Program, there: There) -> None:
    result = program.run(*there.args, "top")
    assert result.code == 2
    assert result.err.startswith(b"streamcli top: it needs a terminal to draw on; --once shows")


def test_once_is_the_first_screen_as_a_report(program: Program, there: There) -> None:
    fill(there)
    result = program.run(*there.args, "top", "--once", "--format", "raw")
    assert [line.split(b"\t")[0] for line in result.out.splitlines()] == [b"orders", b"ticks", b"zz"]
    result = program.run(*there.args, "top", "--once", "--view", "groups", "--format", "raw")
    assert [line.split(b"\t")[:3] for line in result.out.splitlines()] == [
        [b"orders", b"billing", b"16"],
        [b"ticks", b"idlers", b"5"],
    ]


@pytest.mark.parametrize("interval", ["0", "0.01", "x", "4000"])
def test_an_interval_must_make_sense(program: Program, interval: str) -> None:
    result = program.run("top", "--once", "--interval", interval)
    assert result.code == 2
    assert b"--interval takes" in result.err
