"""The prompt on a server: what is seen when the connection, the server or the user does not go along."""

from __future__ import annotations

import pytest

from tests.e2e.program import Program
from tests.e2e.screen import Terminal
from tests.remote.conftest import Servers
from tests.remote.processes import Server


@pytest.fixture
def own(servers: Servers) -> Server:
    """A server that may be stopped and killed."""
    return servers.start()


def at(program: Program, server: Server) -> Terminal:
    return Terminal(program, "-p", str(server.port), db=False, columns=140)


def test_a_write_without_an_answer_can_be_left_and_is_said_to_be_open(program: Program, own: Server) -> None:
    here = f"127.0.0.1:{own.port}"
    with at(program, own) as terminal:
        terminal.prompts(f"{here}> ")
        own.pause()
        try:
            terminal.enter("XADD a 1-1 f v")
            terminal.shows("waiting 0s; Ctrl-C ends it")
            terminal.type("\x03")
            terminal.shows(f"interrupted: the connection to {here} was dropped after the command was sent;")
            terminal.prompts(f"{here}> ")
        finally:
            own.resume()
        terminal.enter("ECHO after")
        terminal.shows('"after"')
        assert "had been lost" not in terminal.text


def test_a_read_without_an_answer_can_be_left_and_its_answer_never_comes(program: Program, own: Server) -> None:
    with at(program, own) as terminal:
        terminal.prompts(f"127.0.0.1:{own.port}> ")
        own.pause()
        try:
            terminal.enter("ECHO before")
            terminal.shows("waiting 0s; Ctrl-C ends it")
            terminal.type("\x03")
            terminal.prompts(f"127.0.0.1:{own.port}> ")
        finally:
            own.resume()
        terminal.enter("ECHO after")
        terminal.shows('"after"')
        assert '"before"' not in terminal.text


def test_look_ups_before_a_command_end_with_ctrl_c_and_it_is_not_sent(program: Program, own: Server) -> None:
    here = f"127.0.0.1:{own.port}"
    with at(program, own) as terminal:
        terminal.prompts(f"{here}> ")
        own.pause()
        try:
            terminal.enter("XREAD BLOCK 1 STREAMS a b c d e f $ $ $ $ $ $")
            terminal.shows("waiting 0s; Ctrl-C ends it")
            terminal.type("\x03")
            terminal.prompts(f"{here}> ")
            terminal.enter("FLUSHALL")
            terminal.shows("FLUSHALL deletes all keys of all databases. Go on? [y/N]")
            terminal.type("n\r")
            terminal.shows("not done")
        finally:
            own.resume()
        terminal.enter("ECHO after")
        terminal.shows('"after"')
        assert not {"cmdstat_xread", "cmdstat_flushall"} & own.info("commandstats").keys()


def test_after_a_login_the_server_tells_what_it_has(program: Program, servers: Servers) -> None:
    own = servers.guarded()
    here = f"127.0.0.1:{own.port}"
    with at(program, own) as terminal:
        terminal.prompts(f"{here}> ")
        terminal.enter("PING")
        terminal.shows("NOAUTH")
        terminal.type(f"AUTH {own.guard}\r")
        terminal.shows("\nOK")
        terminal.type("zadd k ")
        terminal.shows("ZADD key [NX | XX]")


def test_a_blocked_read_is_ended_on_the_server_too_and_the_session_stays(program: Program, server: Server) -> None:
    with at(program, server) as terminal:
        terminal.prompts(f"127.0.0.1:{server.port}> ")
        terminal.enter("SELECT 3")
        terminal.prompts(f"127.0.0.1:{server.port}[3]> ")
        terminal.enter("WATCH a")
        terminal.enter("XREAD BLOCK 0 STREAMS a $")
        terminal.shows("waiting 0s; Ctrl-C ends it")
        terminal.type("\x03")
        terminal.prompts(f"127.0.0.1:{server.port}[3]> ")
        terminal.enter("CLIENT INFO")
        terminal.shows(" watch=1 ")  # the same connection as before
        assert server.info("clients")["blocked_clients"] == "0"


def test_a_transaction_that_is_lost_is_said_to_be_and_what_follows_is_not_sent(
    program: Program, server: Server
) -> None:
    here = f"127.0.0.1:{server.port}"
    with at(program, server) as terminal:
        terminal.prompts(f"{here}> ")
        terminal.enter("MULTI")
        terminal.prompts(f"{here}(MULTI)> ")
        terminal.enter("XADD a 1-1 f v")
        terminal.prompts(f"{here}(MULTI 1)> ")
        server.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        terminal.enter("XADD a 2-1 f v")
        terminal.shows(f"the connection to {here} had been lost: the transaction with its 1 command is gone;")
        terminal.prompts(f"{here}> ")
        assert server.call("EXISTS", "a") == 0
        terminal.enter("XADD a 3-1 f v")
        terminal.shows(f"the connection to {here} had been lost; there is a new one")
        terminal.shows('"3-1"')


def test_a_server_that_comes_back_is_found_again(program: Program, own: Server) -> None:
    here = f"127.0.0.1:{own.port}"
    with at(program, own) as terminal:
        terminal.prompts(f"{here}> ")
        own.kill()
        terminal.enter("PING")
        terminal.shows(f"nothing listens at {here} (connection refused)")
        terminal.prompts(f"{here}> ")
        own.start()
        terminal.enter("PING")
        terminal.shows("PONG")


def test_connect_goes_from_a_file_to_a_server_and_back(program: Program, server: Server) -> None:
    server.call("XADD", "there", "1-1", "f", "v")
    with Terminal(program, columns=140) as terminal:
        terminal.prompts("streams.db> ")
        terminal.enter(".connect redis://127.0.0.1:1")
        terminal.shows("nothing listens at 127.0.0.1:1 (connection refused)")
        terminal.prompts("streams.db> ")
        terminal.type(f".connect redis://alice:wrong@127.0.0.1:{server.port}")
        terminal.shows("redis://alice:*****@127.0.0.1")
        terminal.type("\r")
        terminal.shows("does not let user alice in with this password")
        terminal.enter(f".connect redis://127.0.0.1:{server.port}/2")
        terminal.prompts(f"127.0.0.1:{server.port}[2]> ")
        terminal.enter("SELECT 0")
        terminal.enter("XLEN there")
        terminal.shows("\n1\n")
        terminal.enter(".connect :memory:")
        terminal.prompts("memory> ")
        assert "wrong" not in (program.home / ".local/state/streamcli/history").read_text()


def test_names_are_those_of_the_server(program: Program, server: Server) -> None:
    server.call("XADD", "harbours", "1-1", "f", "v")
    with at(program, server) as terminal:
        terminal.prompts(f"127.0.0.1:{server.port}> ")
        terminal.type("XLEN har")
        terminal.until(lambda: _completes(terminal), "the name of the stream")


def _completes(terminal: Terminal) -> bool:
    terminal.type("\t")
    return "XLEN harbours" in terminal.text
