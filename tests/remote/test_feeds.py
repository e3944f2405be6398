"""Live feeds on real servers: every message at once, Ctrl-C ends them, and the session is what it was."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading

import pytest

from tests.e2e.program import DEADLINE, Program, Result, said, until
from tests.e2e.screen import Terminal
from tests.remote.conftest import Servers
from tests.remote.processes import ALICE, Server


def at(program: Program, server: Server, *words: str) -> Terminal:
    return Terminal(program, "-p", str(server.port), *words, db=False, columns=160)


def prompt(server: Server, more: str = "") -> str:
    return f"127.0.0.1:{server.port}{more}> "


def secretly(terminal: Terminal, line: str, seen: str) -> None:
    """Send a line that is not seen as it is typed."""
    terminal.type(line)
    terminal.shows(seen)
    terminal.type("\r")


# -- at the prompt -------------------------------------------------------------------------------


def test_a_subscription_shows_what_is_published_until_ctrl_c(program: Program, standalone: Server) -> None:
    with at(program, standalone) as terminal:
        terminal.prompts(prompt(standalone))
        terminal.enter("SELECT 3")
        terminal.prompts(prompt(standalone, "[3]"))
        terminal.enter("WATCH a")
        terminal.enter("SUBSCRIBE news weather")
        terminal.shows("listening; Ctrl-C ends it\nsubscribed to news (1)\nsubscribed to weather (2)")
        standalone.call("PUBLISH", "weather", b"sun\x1b[31m\n\xff")
        terminal.shows(r'weather  "sun\x1b[31m\n\xff"')
        standalone.call("PUBLISH", "news", "good")
        terminal.shows('news  "good"')
        terminal.type("\x03")
        terminal.prompts(prompt(standalone, "[3]"))
        terminal.enter("CLIENT INFO")
        terminal.shows("db=3 sub=0 psub=0")
        terminal.enter("XLEN a")
        terminal.shows("\n0\n")
        assert terminal.cell('news  "').color == "cyan"


def test_patterns_say_which_channel_it_was(program: Program, server: Server) -> None:
    with at(program, server) as terminal:
        terminal.prompts(prompt(server))
        terminal.enter("PSUBSCRIBE n*")
        terminal.shows("subscribed to pattern n* (1)")
        server.call("PUBLISH", "news today", "good")
        terminal.shows('n* → "news today"  "good"')
        terminal.type("\x03")
        terminal.prompts(prompt(server))


def test_shard_channels_are_listened_to(program: Program, server: Server) -> None:
    with at(program, server) as terminal:
        terminal.prompts(prompt(server))
        terminal.enter("SSUBSCRIBE s")
        terminal.shows("subscribed to shard channel s (1)")
        server.call("SPUBLISH", "s", "x")
        terminal.shows('s  "x"')


def test_in_a_transaction_a_feed_is_not_begun_and_the_queue_is_seen(program: Program, server: Server) -> None:
    with at(program, server) as terminal:
        terminal.prompts(prompt(server))
        terminal.enter("MULTI")
        terminal.shows("a transaction is open: EXEC runs what is queued, DISCARD forgets it")
        terminal.enter("XADD a 1-1 f v")
        terminal.prompts(prompt(server, "(MULTI 1)"))
        secretly(terminal, "CONFIG SET requirepass tomato", "requirepass ******")
        terminal.shows("queued: XADD a 1-1 f v · CONFIG SET requirepass ******")
        terminal.enter("subscribe a")
        terminal.shows("not sent: SUBSCRIBE listens, and a transaction is open; EXEC or DISCARD comes first")
        terminal.prompts(prompt(server, "(MULTI 2)"))
        terminal.enter("DISCARD")
        terminal.prompts(prompt(server))
        assert "tomato" not in terminal.text


def test_monitor_shows_what_others_send(program: Program, standalone: Server) -> None:
    with at(program, standalone) as terminal:
        terminal.prompts(prompt(standalone))
        terminal.enter("MONITOR")
        terminal.shows("listening; Ctrl-C ends it\nOK")
        standalone.call("XADD", "a", "1-1", "name", b"\x1b]0;x\x07 \xd0\xbf")
        terminal.shows(r'XADD a 1-1 name "\x1b]0;x\a п"')
        assert terminal.cell("XADD a 1-1 name").bold
        assert terminal.cell("XADD a 1-1 name", 5).color == "cyan"
        terminal.type("\x03")
        terminal.prompts(prompt(standalone))


def test_a_feed_that_breaks_off_is_said_to_and_the_prompt_goes_on(program: Program, server: Server) -> None:
    with at(program, server) as terminal:
        terminal.prompts(prompt(server))
        terminal.enter("SUBSCRIBE a")
        terminal.shows("subscribed to a (1)")
        server.call("CLIENT", "KILL", "TYPE", "pubsub")
        terminal.shows(f"the connection to 127.0.0.1:{server.port} was lost (closed by the server)")
        terminal.prompts(prompt(server))
        terminal.enter("PING")
        terminal.shows("PONG")


def test_a_feed_goes_into_a_pipe_until_that_has_had_enough(program: Program, server: Server) -> None:
    with at(program, server) as terminal:
        terminal.prompts(prompt(server))
        terminal.enter("SUBSCRIBE a | grep --line-buffered good | head -1")
        terminal.shows("listening; Ctrl-C ends it")
        until(lambda: server.call("PUBSUB", "NUMSUB", "a")[1] == 1, "somebody listens")
        server.call("PUBLISH", "a", "bad")
        server.call("PUBLISH", "a", "good 1")
        terminal.shows("good 1")
        over = threading.Event()

        def go_on() -> None:
            while not over.wait(0.05):  # grep hears that head has left when it has something to say
                server.call("PUBLISH", "a", "good 2")

        more = threading.Thread(target=go_on)
        more.start()
        try:
            terminal.prompts(prompt(server))
        finally:
            over.set()
            more.join()
        assert "good 2" not in terminal.text


def test_a_pipe_that_closes_ends_the_feed_before_anything_more_comes(program: Program, server: Server) -> None:
    with at(program, server) as terminal:
        terminal.prompts(prompt(server))
        terminal.enter("SUBSCRIBE a | head -1")
        terminal.shows("\nsubscribe\n")
        terminal.prompts(prompt(server))


def test_ctrl_c_ends_a_feed_into_a_file_and_says_what_was_written(program: Program, server: Server) -> None:
    file = program.home / "feed.jsonl"
    with at(program, server) as terminal:
        terminal.prompts(prompt(server))
        terminal.enter("SUBSCRIBE a > feed.jsonl")
        until(lambda: file.exists() and file.read_bytes().count(b"\n") == 1, "the first line is in the file")
        server.call("PUBLISH", "a", "x")
        until(lambda: file.read_bytes().count(b"\n") == 2, "the second line is in the file")
        terminal.type("\x03")
        terminal.shows("written to feed.jsonl as jsonl")
        terminal.prompts(prompt(server))
    assert [json.loads(line) for line in file.read_text().splitlines()] == [
        {"type": "subscribe", "channel": "a", "count": 1},
        {"type": "message", "channel": "a", "data": "x"},
    ]


@pytest.mark.parametrize("command", ["cat", "tee -i copy"])
def test_ctrl_c_ends_a_feed_into_a_pipe_whatever_the_program_makes_of_it(
    command: str, program: Program, server: Server
) -> None:
    with at(program, server) as terminal:
        terminal.prompts(prompt(server))
        terminal.enter(f"SUBSCRIBE a | {command}")
        terminal.shows("subscribe\na\n1")
        terminal.type("\x03")
        terminal.prompts(prompt(server))
        terminal.enter("PING")
        terminal.shows("PONG")


def test_a_terminal_that_can_only_print_has_feeds_too(program: Program, server: Server) -> None:
    with Terminal(program, "-p", str(server.port), db=False, env={"TERM": "dumb"}) as terminal:
        terminal.prompts(prompt(server))
        terminal.enter("SUBSCRIBE a")
        terminal.shows("listening; Ctrl-C ends it\nsubscribed to a (1)")
        server.call("PUBLISH", "a", "x")
        terminal.shows('a  "x"')
        terminal.type("\x03")
        terminal.prompts(prompt(server))


def test_a_terminal_that_hangs_up_ends_the_feed(program: Program, server: Server) -> None:
    with at(program, server) as terminal:
        terminal.prompts(prompt(server))
        terminal.enter("SUBSCRIBE a")
        terminal.shows("subscribed to a (1)")
        terminal.process.send_signal(signal.SIGHUP)
        assert terminal.leave() == 129


def test_a_feed_that_is_taller_than_the_screen_is_not_paged_and_a_flood_can_be_ended(
    program: Program, server: Server
) -> None:
    with Terminal(program, "-p", str(server.port), db=False, rows=8, env={"PAGER": "less"}) as terminal:
        terminal.prompts(prompt(server))
        terminal.enter("SUBSCRIBE a")
        terminal.shows("subscribed to a (1)")
        with server.client() as client:
            for number in range(3000):
                client.call("PUBLISH", "a", number)
        terminal.shows('a  "2999"')
        terminal.type("\x03")
        terminal.prompts(prompt(server))


def test_a_push_that_comes_while_one_waits_stands_above_the_wait(program: Program, server: Server) -> None:
    with at(program, server) as terminal:
        terminal.prompts(prompt(server))
        terminal.enter("CLIENT TRACKING ON")
        terminal.enter("XLEN a")
        terminal.enter("XREAD BLOCK 0 STREAMS b $")
        terminal.shows("waiting 0s; Ctrl-C ends it")
        server.call("XADD", "a", "1-1", "f", "v")
        terminal.until(lambda: "push: invalidate a" in terminal.lines, "a line of its own")
        terminal.shows("s; Ctrl-C ends it")
        server.call("XADD", "b", "7-7", "f", "v")
        terminal.shows("7-7")
        terminal.prompts(prompt(server))
        assert "Ctrl-C ends it" not in terminal.text


def test_what_is_tracked_is_said_apart_from_replies(program: Program, server: Server) -> None:
    with at(program, server) as terminal:
        terminal.prompts(prompt(server))
        terminal.enter("CLIENT TRACKING ON")
        terminal.shows("OK")
        terminal.enter("XLEN a")
        terminal.enter("XLEN b")
        terminal.enter("ECHO read")
        terminal.shows('"read"')
        server.call("XADD", "a", "1-1", "f", "v")
        terminal.enter("ECHO one")
        terminal.shows('push: invalidate a\n"one"')
        server.empty()
        terminal.enter("ECHO two")
        terminal.shows('push: invalidate everything\n"two"')


def test_the_prompt_says_who_one_is(program: Program, servers: Servers) -> None:
    guarded = servers.guarded()
    guarded.empty()
    with Terminal(program, "-p", str(guarded.port), db=False, env={"REDISCLI_AUTH": str(guarded.guard)}) as terminal:
        terminal.prompts(prompt(guarded))
        secretly(terminal, "AUTH alice wrong", "AUTH ***** *****")
        terminal.shows("WRONGPASS")
        terminal.prompts(prompt(guarded))
        secretly(terminal, f"AUTH alice {ALICE}", f"AUTH ***** {'*' * len(ALICE)}")
        terminal.prompts(f"alice@{prompt(guarded)}")
        terminal.enter("SUBSCRIBE a")  # she may not
        terminal.shows("NOPERM")
        terminal.prompts(f"alice@{prompt(guarded)}")


def test_the_prompt_marks_a_replica(program: Program, servers: Servers, server: Server) -> None:
    replica = servers.start(lines=[f"replicaof 127.0.0.1 {server.port}"])
    with at(program, replica) as terminal:
        terminal.prompts(prompt(replica, "(replica)"))


# -- one-shots ----------------------------------------------------------------------------------------


def feed(program: Program, server: Server, *words: str, heard: bytes, publish: bytes, then: bytes) -> Result:
    """What a one-shot has said when it was interrupted after the second line."""
    running = program.start("-p", str(server.port), *words)
    assert running.hear(heard.count(b"\n")) == heard
    server.call("PUBLISH", "a", publish)
    assert running.hear(then.count(b"\n")) == then
    running.interrupt()
    return running.finish()


@pytest.mark.parametrize(
    ("format", "heard", "then"),
    [
        ("raw", b"subscribe\na\n1\n", b"message\na\nx y\n"),
        ("classic", b'1) "subscribe"\n2) "a"\n3) (integer) 1\n', b'1) "message"\n2) "a"\n3) "x y"\n'),
        (
            "jsonl",
            b'{"type":"subscribe","channel":"a","count":1}\n',
            b'{"type":"message","channel":"a","data":"x y"}\n',
        ),
        ("csv", b"subscribe,a,1\n", b"message,a,x y\n"),
        ("tree", b"subscribed to a (1)\n", b'a  "x y"\n'),
    ],
)
def test_a_one_shot_listens_until_it_is_interrupted(
    format: str, heard: bytes, then: bytes, program: Program, server: Server
) -> None:
    done = feed(program, server, "--format", format, "SUBSCRIBE", "a", heard=heard, publish=b"x y", then=then)
    assert done == said(code=130)


def test_monitor_in_a_one_shot_is_what_redis_cli_prints(program: Program, standalone: Server) -> None:
    running = program.start("-p", str(standalone.port), "MONITOR")
    assert running.hear() == b"OK\n"
    standalone.call("ECHO", b"\xff\n")
    lines: list[bytes] = []
    while not lines or b"ECHO" not in lines[-1]:
        lines.append(running.hear())
    assert lines[-1].split(b" ")[3:] == [b'"ECHO"', b'"\\xff\\n"\n']
    running.interrupt()
    assert running.finish() == said(code=130)


def test_a_one_shot_ends_when_nobody_reads_any_more(program: Program, server: Server) -> None:
    """No message comes that could be refused: it is seen all the same."""
    command = program.command("-p", str(server.port), "SUBSCRIBE", "a")
    reader, writer = os.pipe()
    process = subprocess.Popen(command, stdout=writer, env=program.environment, cwd=program.home)
    os.close(writer)
    assert os.read(reader, 100) == b"subscribe\na\n1\n"
    os.close(reader)
    try:
        assert process.wait(DEADLINE) == 141
    finally:
        process.kill()


@pytest.mark.parametrize("words", [("SUBSCRIBE", "a"), ("MONITOR",)])
def test_a_one_shot_whose_connection_is_lost_leaves_with_3(
    words: tuple[str, ...], program: Program, servers: Servers
) -> None:
    own = servers.start()
    running = program.start("-p", str(own.port), *words)
    heard = running.hear()
    own.kill()
    done = running.finish()
    assert (heard, done.code) in ((b"subscribe\n", 3), (b"OK\n", 3))
    assert done.err.startswith(f"the connection to 127.0.0.1:{own.port} was lost (".encode())
    assert done.err.count(b"\n") == 1


def test_a_feed_that_is_refused_is_an_error_like_any_other(program: Program, server: Server) -> None:
    done = program.run("-p", str(server.port), "SUBSCRIBE")
    assert done == said(err="ERR wrong number of arguments for 'subscribe' command\n", code=1)


def test_the_embedded_engine_has_nothing_to_listen_to(program: Program) -> None:
    done = program.on("SUBSCRIBE", "a")
    assert (done.out, done.code) == (b"", 1)
    assert done.err.startswith(b"ERR unknown command 'SUBSCRIBE'")


def test_pushes_of_a_one_shot_are_on_the_error_stream(program: Program, server: Server) -> None:
    running = program.start("-p", str(server.port), "-3")
    running.say("CLIENT TRACKING ON", "XLEN a")
    assert running.hear(2) == b"OK\n0\n"
    server.call("XADD", "a", "1-1", "f", "v")
    running.say("ECHO x")
    assert running.hear() == b"x\n"
    assert running.finish() == said(err="push: invalidate a\n")


@pytest.mark.parametrize("protocol", ["-2", "-3"])
def test_what_ends_several_subscriptions_leaves_no_reply_for_the_next_command(
    protocol: str, program: Program, standalone: Server
) -> None:
    lines = ["CLIENT ID", "UNSUBSCRIBE a b c", "ECHO x", "CLIENT ID"]
    done = program.run("-p", str(standalone.port), protocol, stdin="\n".join(lines).encode())
    here, *replies, there = done.out.decode().split()
    assert (replies, there) == (["unsubscribe", "a", "0", "x"], here)  # it is the same connection
    assert (done.err, done.code) == (b"push: unsubscribe b 0\npush: unsubscribe c 0\n", 0)


def test_a_sleeping_feed_is_ended_by_the_signal_that_ends_programs(program: Program, server: Server) -> None:
    running = program.start("-p", str(server.port), "SUBSCRIBE", "a")
    assert running.hear(3) == b"subscribe\na\n1\n"
    running.process.send_signal(signal.SIGTERM)
    assert running.finish() == said(code=-signal.SIGTERM)
