"""`tail` while the world goes on: what comes, what breaks, groups, and the prompt."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from streamcli.reply import Reply
from streamcli.tools import follow, member
from streamcli.tools.job import ToolError
from tests.e2e.program import Program, said, until
from tests.e2e.screen import Terminal
from tests.remote.conftest import Servers
from tests.remote.processes import Server
from tests.remote.proxy import Proxy
from tests.tools.desk import Desk, There
from tests.tools.tailing import fill, ids, shown

Proxied = Callable[[int | str], Proxy]


class Scripted(Desk):
    """A desk where the world goes on: a step after each thing that is shown or said, then Ctrl-C."""

    def __init__(self, backend: Any, steps: Iterable[Callable[[], object]], format: str | None = "jsonl") -> None:
        super().__init__(backend, format)
        self._steps = iter(steps)

    def _step(self) -> None:
        step = next(self._steps, None)
        if step is None:
            raise KeyboardInterrupt
        step()

    def show(self, chunks: Iterable[str], *, live: bool) -> None:
        for chunk in chunks:
            self.shown.append(chunk)
            self._step()

    def say(self, line: str) -> None:
        super().say(line)
        self._step()


# -- what comes -----------------------------------------------------------------------------


def test_what_comes_is_shown_at_once_and_ctrl_c_ends_it_with_0(there: There, program: Program) -> None:
    fill(there, "a 1-1")
    running = program.start(*there.args, "tail", "a", "b", "--format", "raw", "--fields", "n")
    assert running.hear() == b"a\t1-1\t1-1\n"
    for entry in ("b 1-1", "a 2-1", "b 3-1"):  # b does not exist yet
        fill(there, entry)
        stream, id = entry.split()
        assert running.hear() == f"{stream}\t{id}\t{id}\n".encode()
    running.interrupt()
    assert running.finish() == said("")


def test_from_the_end_nothing_is_shown_of_what_is_there(there: There, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(there, "a 1-1", "a 2-1")
    backend = there.backend()
    ask, new = backend.execute, iter(["a 3-1"])

    def execute(argv: Sequence[bytes], **more: bool) -> Reply:
        if argv[0] == b"XREAD":
            fill(there, *new)
        return ask(argv, **more)

    monkeypatch.setattr(backend, "execute", execute)
    desk = Desk(backend, "jsonl")
    assert desk.run("tail", "a", "b", "--from", "end", "-n", "1") == 0
    assert ids(desk.shown) == ["a 3-1"]


def test_a_stream_that_is_deleted_and_made_anew_is_followed(there: There, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "_LOOK_SECONDS", 0.0)
    monkeypatch.setattr(follow, "_BLOCK_MS", 20)
    fill(there, "a 5-1", "b 5-1")

    def made_anew() -> None:
        there.call("DEL", "a")
        fill(there, "a 1-0")

    running = Scripted(there.backend(), [
        lambda: None,
        lambda: fill(there, "b 6-1"),
        lambda: there.call("DEL", "a"),
        lambda: fill(there, "a 1-1"),
        made_anew,
        lambda: None,
        lambda: fill(there, "a 1-2"),
    ])  # fmt: skip
    assert running.run("tail", "a", "b") == 0
    assert ids(running.shown) == ["a 5-1", "b 5-1", "b 6-1", "a 1-1", "a 1-0", "a 1-2"]
    assert running.said == [
        "a was deleted; it is followed again when it is made anew",
        "a was deleted and made anew; it is followed from its start",
    ]


def test_a_stream_that_lost_its_last_entries_is_not_shown_again(there: There, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "_LOOK_SECONDS", 0.0)
    monkeypatch.setattr(follow, "_BLOCK_MS", 20)
    fill(there, "a 1-1", "a 2-1")
    there.call("COPY", "a", "before")
    fill(there, "a 3-1")
    running = Scripted(there.backend(), [
        lambda: None,
        lambda: fill(there, "a 4-1"),
        lambda: None,
        lambda: there.call("RENAME", "before", "a"),
        lambda: fill(there, "a 2-2"),
    ])  # fmt: skip
    assert running.run("tail", "a") == 0
    assert ids(running.shown) == ["a 1-1", "a 2-1", "a 3-1", "a 4-1", "a 2-2"]
    assert running.said == ["a has lost its last entries: its last ID was 4-1 and is 2-1"]


def test_nothing_is_missed_and_nothing_comes_twice_however_often_the_connection_breaks(
    server: Server, proxied: Proxied, program: Program
) -> None:
    proxy = proxied(server.port)
    server.call("XADD", "a", "0-1", "n", "first")
    running = program.start("-h", "127.0.0.1", "-p", str(proxy.port), "tail", "a", "b", "--json")
    wanted = ["a 0-1"]
    heard = ids([running.hear().decode()])
    for number in range(1, 13):
        if number % 3 == 0:
            proxy.drop()
        elif number % 3 == 1:
            proxy.cut(number % 5, down=True)
        stream = "ab"[number % 2]
        for part in range(number % 4 + 1):
            server.call("XADD", stream, f"{number}-{part + 1}", "n", "x" * 100)
            wanted.append(f"{stream} {number}-{part + 1}")
        while len(heard) < len(wanted):
            heard += ids([running.hear().decode()])
    running.interrupt()
    result = running.finish()
    assert (result.out, result.code) == (b"", 0)
    assert heard == wanted
    assert b"is lost; trying until it is back\n" in result.err
    assert b"Traceback" not in result.err


def test_a_server_that_is_away_for_a_while_is_waited_for_and_said_once(servers: Servers, program: Program) -> None:
    server = servers.start()
    server.call("XADD", "a", "1-1", "n", "1")
    running = program.start("-h", "127.0.0.1", "-p", str(server.port), "tail", "a", "--json")
    assert ids([running.hear().decode()]) == ["a 1-1"]
    server.kill()
    server.start()
    server.call("XADD", "a", "2-1", "n", "1")
    assert ids([running.hear().decode()]) == ["a 2-1"]
    running.interrupt()
    result = running.finish()
    assert result.code == 0
    assert result.err.count(b"; trying until it is back\n") == 1
    assert result.err.count(b"\n") == 2  # and that it is back


def test_ctrl_c_ends_the_wait_for_a_server_that_is_away(servers: Servers, program: Program) -> None:
    server = servers.start()
    server.call("XADD", "a", "1-1", "n", "1")
    running = program.start("-h", "127.0.0.1", "-p", str(server.port), "tail", "a", "--json")
    running.hear()
    server.kill()
    running.interrupt()
    assert running.finish().code == 0


def test_a_server_that_is_not_there_at_first_is_no_reason_to_wait(program: Program, proxied: Proxied) -> None:
    proxy = proxied(1)
    proxy.refuse()
    result = program.run("-h", "127.0.0.1", "-p", str(proxy.port), "tail", "a")
    assert (result.out, result.code) == (b"", 3)
    assert result.err.startswith(b"streamcli tail: ")
    assert result.err.count(b"\n") == 1


def test_who_does_not_follow_does_not_wait_for_a_lost_connection(
    server: Server, proxied: Proxied, program: Program
) -> None:
    server.call("XADD", "a", "1-1", "n", "x" * 10_000)
    proxy = proxied(server.port)
    proxy.cut(5_000, down=True)
    result = program.run("-h", "127.0.0.1", "-p", str(proxy.port), "tail", "a", "--no-follow")
    assert (result.out, result.code) == (b"", 3)
    assert result.err.count(b"\n") == 1


def test_whoever_reads_may_leave(there: There, program: Program) -> None:
    fill(there, "a 1-1", "a 2-1")
    command = [os.fsdecode(word) for word in program.command(*there.args, "tail", "a", "--json")]
    tail = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=program.environment)
    assert tail.stdout is not None
    assert ids([tail.stdout.readline().decode()]) == ["a 1-1"]
    tail.stdout.close()  # nothing more comes, and still it ends
    _, err = tail.communicate(timeout=30)
    assert (tail.returncode, err) == (141, b"")


# -- as a member of a group -------------------------------------------------------------------


def grouped(there: There, *entries: str) -> None:
    fill(there, *entries)
    for stream in sorted({entry.split()[0] for entry in entries}):
        there.call("XGROUP", "CREATE", stream, "g", 0)


def pending(there: There, stream: str = "a") -> list[tuple[bytes, int]]:
    """IDs and deliveries of what the consumer has."""
    return [(row[0], row[3]) for row in there.call("XPENDING", stream, "g", "-", "+", 100)]


MEMBER = ("--group", "g", "--consumer", "c")


def test_a_member_is_given_what_is_new_and_acknowledges_nothing(there: There) -> None:
    grouped(there, "a 1-1", "b 1-0", "a 2-1")
    assert shown(there, "a", "b", *MEMBER, "--no-follow") == ["b 1-0", "a 1-1", "a 2-1"]
    assert pending(there) == [(b"1-1", 1), (b"2-1", 1)]
    assert pending(there, "b") == [(b"1-0", 1)]


def test_what_is_pending_for_it_comes_first(there: There, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(member, "page_size", lambda streams, most: 2)
    grouped(there, *(f"a {number}-0" for number in range(1, 7)))
    there.call("XREADGROUP", "GROUP", "g", "c", "COUNT", 5, "STREAMS", "a", ">")
    there.call("XREADGROUP", "GROUP", "g", "other", "COUNT", 1, "STREAMS", "a", ">")
    there.call("XDEL", "a", "2-0")
    fill(there, "a 7-0")
    assert shown(there, "a", *MEMBER, "--no-follow") == ["a 1-0", "a 3-0", "a 4-0", "a 5-0", "a 7-0"]
    assert shown(there, "a", *MEMBER, "--no-follow", "--from", "end") == []


def test_with_ack_what_was_shown_is_acknowledged_and_no_more(there: There) -> None:
    grouped(there, "a 1-1 n 1", "a 2-1 n 2", "a 3-1 n 3", "a 4-1 n 4")
    assert shown(there, "a", *MEMBER, "--ack", "-n", "2") == ["a 1-1", "a 2-1"]
    assert pending(there) == []
    assert shown(there, "a", *MEMBER, "--ack", "--no-follow", "--where", "n = 4") == ["a 4-1"]
    assert pending(there) == [(b"3-1", 1)]


def test_what_was_shown_when_ctrl_c_comes_is_acknowledged(there: There) -> None:
    grouped(there, "a 1-1", "a 2-1", "a 3-1")
    running = Scripted(there.backend(), [lambda: None])
    assert running.run("tail", "a", *MEMBER, "--ack") == 0
    assert ids(running.shown) == ["a 1-1", "a 2-1"]
    assert [id for id, _ in pending(there)] == [b"2-1", b"3-1"]  # the second was interrupted while it was written


def test_a_process_that_is_interrupted_has_acknowledged_what_it_showed(there: There, program: Program) -> None:
    grouped(there, "a 1-1")
    running = program.start(*there.args, "tail", "a", *MEMBER, "--ack", "--json")
    running.hear()
    fill(there, "a 2-1")
    running.hear()
    running.interrupt()
    assert running.finish() == said("")
    assert pending(there) == []


def test_what_a_broken_connection_has_swallowed_is_asked_for_again(
    server: Server, proxied: Proxied, program: Program
) -> None:
    proxy = proxied(server.port)
    server.call("XADD", "a", "1-1", "n", "1")
    server.call("XGROUP", "CREATE", "a", "g", 0)
    args = ("-h", "127.0.0.1", "-p", str(proxy.port))
    running = program.start(*args, "tail", "a", *MEMBER, "--json")
    wanted, heard = ["a 1-1"], ids([running.hear().decode()])
    for number in range(2, 8):
        proxy.cut(number, down=True)
        for part in (1, 2):
            server.call("XADD", "a", f"{number}-{part}", "n", "1")
            wanted.append(f"a {number}-{part}")
        until(proxy.was_cut.is_set, "the answer is lost on its way")
        while len(heard) < len(wanted):
            heard += ids([running.hear().decode()])
    running.interrupt()
    assert running.finish().code == 0
    assert heard == wanted
    assert [row[0].decode() for row in server.call("XPENDING", "a", "g", "-", "+", 100)] == [
        id.split()[1] for id in wanted
    ]


def test_without_a_group_it_is_said_how_to_make_one(there: There) -> None:
    fill(there, "a 1-1")
    there.call("XGROUP", "CREATE", "a", "g", 0)
    fill(there, "b 1-1")
    for streams, text in (
        (["a", "b"], "NOGROUP b has no such group: XGROUP CREATE b g $ MKSTREAM makes group and stream; 0 for $"),
        (["a", "c d"], 'NOGROUP there is no stream "c d": XGROUP CREATE "c d" g $ MKSTREAM makes group and stream'),
    ):
        with pytest.raises(ToolError) as raised:
            Desk(there.backend()).run("tail", *streams, *MEMBER)
        assert str(raised.value).startswith(text)


# -- at the prompt --------------------------------------------------------------------------------


def test_ctrl_c_gives_the_prompt_back(program: Program) -> None:
    program.on("XADD", "a", "1-1", "n", "1")
    with Terminal(program) as terminal:
        terminal.shows(">")
        terminal.enter(".tail a")
        terminal.shows('n  "1"')
        program.on("XADD", "a", "2-1", "n", "second")
        terminal.shows('n  "second"')
        terminal.type("\x03")
        terminal.enter("PING")
        terminal.shows("PONG")
        terminal.enter(".tail a | grep second")
        terminal.shows('["n","second"]')
        terminal.type("\x03")
        terminal.enter("ECHO still-here")
        terminal.shows('"still-here"')


def test_it_goes_into_a_file(program: Program, tmp_path: Path) -> None:
    program.on("XADD", "a", "1-1", "n", "1")
    file = tmp_path / "out.csv"
    with Terminal(program) as terminal:
        terminal.shows(">")
        terminal.enter(f".tail a --no-follow > {file}")
        terminal.shows("written to")
    assert file.read_text() == "stream,id,n,other\na,1-1,1,\n"


@pytest.mark.parametrize("follows", [[], ["--no-follow"]])
@pytest.mark.parametrize("count", [1, 2, 4, 7])
def test_a_group_delivers_no_more_than_is_shown(there: There, count: int, follows: list[str]) -> None:
    for stream in ("a", "b", "c"):
        there.call("XGROUP", "CREATE", stream, "g", "0", "MKSTREAM")
    for number in range(1, 6):
        for stream in ("b", "c"):
            there.call("XADD", stream, f"{number}-0", "n", number)
    desk = Desk(there.backend(), "jsonl")
    words = ["--group", "g", "--consumer", "me", "-n", str(count), *follows]
    assert desk.run("tail", "a", "b", "c", *words) == 0
    assert len(desk.shown) == count
    assert sum(there.call("XPENDING", stream, "g")[0] for stream in ("a", "b", "c")) == count
