"""A real server's own commands: told in both protocols, shown at the prompt, and judged before they are sent."""

from __future__ import annotations

from streamcli.backend.remote import connect
from streamcli.grammar.commands import COMMANDS
from streamcli.grammar.foreign import Foreign, commands, facts, vocabulary
from streamcli.grammar.parse import parse
from streamcli.grammar.spec import Option
from streamcli.shell.advising import words_of
from streamcli.shell.lexer import problems
from streamcli.shell.line import Line
from streamcli.shell.vocabulary import Vocabulary, ask
from tests.e2e.program import Program
from tests.e2e.screen import Terminal
from tests.remote.conftest import Servers
from tests.remote.processes import Server

# Lines that every server takes, 7.0 too.
LINES = """
ZADD z GT CH 1 a 2 b
ZRANGE z 0 -1 REV WITHSCORES
ZRANGE z (1 +inf BYSCORE LIMIT 0 5
SORT l BY w_* LIMIT 0 5 GET # GET o_* DESC ALPHA STORE dst
EVAL "return 1" 2 a b c d
BLMPOP 0.1 2 a b LEFT COUNT 2
LMOVE a b LEFT RIGHT
HSET h f v f2 v2
GEOSEARCH g FROMLONLAT 1 2 BYRADIUS 3 km ASC COUNT 3 ANY WITHCOORD
BITFIELD b GET u8 0 OVERFLOW SAT INCRBY u8 0 1
CLIENT KILL TYPE normal SKIPME yes
CLIENT TRACKING on PREFIX a PREFIX b BCAST
CONFIG RESETSTAT
ACL SETUSER ann on >secret ~* +@all
CLUSTER SLOTS
MEMORY DOCTOR
DEBUG JMAP
LPOS l e RANK 1 COUNT 2 MAXLEN 3
ZUNION 2 a b WEIGHTS 1 2 AGGREGATE MAX WITHSCORES
MIGRATE h 1 "" 0 10 COPY AUTH2 u p KEYS a b
SHUTDOWN NOSAVE FORCE
FUNCTION LOAD REPLACE code
XRANGE s - +
SET k v EX 10 NX
"""


def learned(server: Server, protocol: int | None = None) -> Vocabulary:
    backend = connect(server.address(protocol=protocol))
    try:
        known, whole = ask(backend.browse)
        assert whole
        return Vocabulary(backend.server, known)
    finally:
        backend.close()


def test_both_protocols_tell_the_same(standalone: Server) -> None:
    assert learned(standalone, 2).facts == learned(standalone, 3).facts


def test_every_command_of_the_server_is_known_with_a_syntax_line(standalone: Server) -> None:
    known = learned(standalone)
    count = standalone.call("COMMAND", "COUNT")
    assert isinstance(count, int)
    assert len(known.facts) == count
    assert len(known.theirs) == count
    for command in known.theirs.values():
        for one in (command, *command.subcommands.values()):
            assert isinstance(one, Foreign)
            assert one.summary or "module" in one.flags
            assert one.usage().startswith(one.name)
            assert one.usage().isprintable()


def test_lines_that_the_server_takes_are_not_marked_as_wrong(standalone: Server) -> None:
    known = learned(standalone)
    for text in LINES.strip().splitlines():
        for end in range(1, len(text) + 1):
            typed = text[:end]
            line = Line(typed, known)
            assert problems(line, len(typed)) == [], typed
        call = line.strict()
        assert call.problems == []
        assert call.command is not None
        if not call.command.open:
            assert None not in call.roles, text


def test_the_table_says_of_its_own_commands_what_the_server_says(standalone: Server) -> None:
    """What came after the servers is said to be missing; nothing else of the table is."""
    known = learned(standalone)

    def newer(since: str | None) -> bool:
        return since is not None and tuple(map(int, since.split("."))) >= (8, 2)

    lacks = {name for name, command in COMMANDS.items() if known.lacks(command) and not newer(command.since)}
    assert all(known.lacks(command) for command in COMMANDS.values() if newer(command.since))
    options = {
        option.token
        for command in COMMANDS.values()
        for option in words_of(command.parts)
        if isinstance(option, Option) and not known.lacks(command) and known.lacks(command, option)
        if not newer(option.since) and not option.refused
    }
    old = known.server is not None and known.server.version.startswith("7.0.")
    assert options == ({"MAXAGE"} if old else set())
    assert lacks == ({"CLIENT SETINFO", "CLIENT NO-TOUCH"} if old else set())


def test_a_server_without_documentation_tells_names_and_keys(standalone: Server) -> None:
    backend = connect(standalone.address())
    try:
        info = backend.browse((b"COMMAND",))
    finally:
        backend.close()
    every = vocabulary(commands(facts(None, info)))
    call = parse([b"LMOVE", b"a", b"b", b"LEFT", b"RIGHT"], commands=every)
    assert [role and role.kind for role in call.roles] == ["command", "key", "key", "string", "string"]


# -- the program ----------------------------------------------------------------------------------


def at(program: Program, server: Server) -> Terminal:
    return Terminal(program, "-p", str(server.port), db=False, columns=120, rows=50)


def ready(terminal: Terminal, server: Server) -> None:
    """Wait until the server's commands are known: one of them is offered."""
    terminal.prompts(f"127.0.0.1:{server.port}> ")
    terminal.type("zadd k ")
    terminal.shows("ZADD key [NX | XX]")
    terminal.type("\x15")
    terminal.prompts(f"127.0.0.1:{server.port}> ")


def test_a_servers_commands_are_coloured_hinted_and_completed(program: Program, standalone: Server) -> None:
    with at(program, standalone) as terminal:
        ready(terminal, standalone)
        terminal.type("ZADD board NX 1 ann")
        terminal.shows("ZADD board NX 1 ann")
        terminal.shows("member")
        assert [terminal.cell(word).color for word in ("ZADD board", "board NX", "NX 1 ann")] == [
            "blue",
            "cyan",
            "magenta",
        ]
        terminal.type("\x15CLUSTER KEYS")
        terminal.shows("KEYSLOT")
        terminal.type("\x15help lmove\r")
        terminal.shows("LMOVE source destination <LEFT | RIGHT> <LEFT | RIGHT>")
        terminal.shows("there is no page on it")


def test_the_cache_is_there_the_next_time_and_for_the_user_alone(program: Program, server: Server) -> None:
    for _ in range(2):
        with at(program, server) as terminal:
            ready(terminal, server)
        (kept,) = (program.home / ".cache" / "streamcli").iterdir()
        assert kept.name.startswith(f"commands-redis-{server.version}")
        assert kept.stat().st_mode & 0o777 == 0o600


def test_what_an_old_server_lacks_is_marked_and_sent_all_the_same(program: Program, servers: Servers) -> None:
    old = servers.standalone("redis7")
    with at(program, old) as terminal:
        ready(terminal, old)
        terminal.type("CLIENT NO-TOUCH on")
        terminal.shows(f"this server is {old.version}; CLIENT NO-TOUCH needs 7.2")
        cell = terminal.cell("NO-TOUCH on")
        assert (cell.color, cell.underlined) == ("brown", True)
        terminal.type("\r")
        terminal.shows("ERR unknown subcommand 'NO-TOUCH'")


def test_leaving_a_server_leaves_its_commands(program: Program, server: Server) -> None:
    with at(program, server) as terminal:
        ready(terminal, server)
        terminal.enter(".connect memory.db")
        terminal.prompts("memory.db> ")
        terminal.enter("ZADD a 1 b")
        terminal.shows("not in the embedded engine; connect to a server")


def test_a_command_that_would_stop_the_server_is_asked_about(program: Program, server: Server) -> None:
    with at(program, server) as terminal:
        ready(terminal, server)
        terminal.enter("SHUTDOWN NOSAVE")
        terminal.shows("SHUTDOWN stops the server. Go on? [y/N]")
        terminal.type("n\r")
        terminal.shows("not done")
    assert server.call("DBSIZE") == 0


def one(program: Program, server: Server, line: str, *flags: str) -> tuple[bytes, bytes, int]:
    return program.run("-p", str(server.port), *flags, "-e", line)


def test_a_read_only_one_shot_sends_what_the_server_says_only_reads(program: Program, standalone: Server) -> None:
    standalone.call("ZADD", "z", "1", "a")
    standalone.call("XADD", "s", "1-1", "f", "v")
    assert one(program, standalone, "ZRANGE z 0 -1", "--read-only") == (b"a\n", b"", 0)
    assert one(program, standalone, "ZRANGE nosuch 0 -1", "--read-only")[2] == 0
    refused = {
        "ZADD z 1 b": "ZADD writes",
        "EVAL 'return 1' 0": "EVAL may write",
        "XDEL s 1-1": "XDEL writes",
        "CONFIG RESETSTAT": "CONFIG RESETSTAT changes the server",
        "FLOOP": "FLOOP is not known to be a reading command",
    }
    for line, said in refused.items():
        expected = f"{said}, and this session is read-only\n".encode()
        assert one(program, standalone, line, "--read-only") == (b"", expected, 1), line
    assert standalone.call("ZCARD", "z") == 1


def test_an_error_does_not_repeat_a_secret_that_was_typed(program: Program, standalone: Server) -> None:
    for line in ("AUHT hunter2", "CONFIG SET nosuch-pass hunter2", "CLIENT KILL PASSWORD hunter2"):
        out, err, code = one(program, standalone, line)
        assert (out, code) == (b"", 1), line
        assert b"hunter2" not in err, line
    assert b"'***'" in one(program, standalone, "AUHT hunter2")[1]


def test_a_slip_in_a_one_shot_gets_the_nearest_name_that_the_server_has(program: Program, standalone: Server) -> None:
    assert one(program, standalone, "ZADDD z")[1].endswith(b" (did you mean ZADD?)\n")
    assert one(program, standalone, "CLUSTER SLOST")[1].endswith(b" (did you mean CLUSTER SLOTS?)\n")
    assert b"embedded" not in one(program, standalone, "XACKDEL a g 1-1")[1]
    wrong = one(program, standalone, "ZADD z")
    assert wrong == (b"", b"ERR wrong number of arguments for 'zadd' command\n", 1)
