"""Commands that only a server has: which a read-only session sends, what is asked about, what a slip was meant for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from gc import collect
from weakref import ref

import pytest

from streamcli import errors
from streamcli.grammar.parse import Call, parse
from streamcli.reply import Error, Reply, Simple
from streamcli.shell.advice import advise, suffix
from streamcli.shell.elsewhere import stakes_there
from streamcli.shell.readonly import refusal
from streamcli.shell.vocabulary import TABLE, in_force, put_in_force
from tests.unit.told import REDIS_6, REDIS_7, Told, vocabulary

READ_ONLY = "and this session is read-only"


@pytest.fixture(autouse=True)
def _the_table_is_in_force_again() -> Iterator[None]:
    yield
    put_in_force(TABLE)


@pytest.fixture(params=["asked", "learned"])
def learned(request: pytest.FixtureRequest) -> bool:
    """Are the server's commands known beforehand, or asked for one by one?"""
    if request.param == "learned":
        put_in_force(vocabulary())
    return bool(request.param == "learned")


def call(line: str) -> Call:
    return in_force().parse(line.encode().split())


# -- sessions that only read --------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "CONFIG GET *",
        "CLIENT LIST",
        "ZUNION 1 a",
        "JSON.GET a",
        "CLUSTER SLOTS",
        "CLUSTER",
        "XLEN a",
        "CLIENT ID",
        "EXEC",
    ],
)
def test_what_the_server_says_only_reads_is_sent(learned: bool, line: str) -> None:
    assert refusal(call(line), Told().browse) is None


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ZADD a 1 b", f"ZADD writes, {READ_ONLY}"),
        ("zadd", f"ZADD writes, {READ_ONLY}"),
        ("XADD a * f v", f"XADD writes, {READ_ONLY}"),
        ("EVAL s 0", f"EVAL may write, {READ_ONLY}"),
        ("SHUTDOWN", f"SHUTDOWN changes the server, {READ_ONLY}"),
        ("CLUSTER RESET", f"CLUSTER RESET is not known to be a reading command, {READ_ONLY}"),
        ("CLIENT KILL a:1", f"CLIENT KILL changes the server, {READ_ONLY}"),
        ("CLUSTER NOSUCH", f"CLUSTER NOSUCH is not known to be a reading command, {READ_ONLY}"),
        ("NO.SUCH a", f"NO.SUCH is not known to be a reading command, {READ_ONLY}"),
        ("CONFIG SET maxmemory 100mb", f"CONFIG SET changes the server, {READ_ONLY}"),
        ("DEBUG JMAP", f"DEBUG is not known to be a reading command, {READ_ONLY}"),
    ],
)
def test_what_writes_may_write_or_is_not_known_is_not_sent(learned: bool, line: str, said: str) -> None:
    assert refusal(call(line), Told().browse) == said


def test_a_server_that_does_not_say_what_a_command_does_is_not_sent_it() -> None:
    assert refusal(call("ZUNION 1 a"), lambda argv: Error("NOPERM no")) is not None


class Liar(Told):
    """Says that whatever it is asked about only reads."""

    def browse(self, argv: Sequence[bytes]) -> Reply:
        self.asked.append(tuple(argv))
        return [[argv[2].lower(), -2, [Simple("readonly")], 1, 1, 1, [Simple("@read")]]]


@pytest.mark.parametrize("line", ["ZADD a 1 b", "EVAL s 0", "FAILOVER", "NO.SUCH a"])
def test_a_server_that_lies_decides_for_no_other_one(line: str) -> None:
    lies = vocabulary()
    for command in lies.theirs.values():
        command.flags, command.acl, command.writes = frozenset(("readonly",)), "read", False
    put_in_force(lies)
    assert refusal(call(line), Liar().browse) is None
    assert refusal(call(line), Told().browse) is not None


def test_what_is_no_table_command_is_asked_about_at_the_server_itself() -> None:
    known = vocabulary()
    known.theirs[b"SORT"].flags = frozenset(("readonly",))
    put_in_force(known)
    said = "SORT writes, and the server counts it among the dangerous commands"
    assert stakes_there(call("SORT a"), Told().browse) == said
    assert stakes_there(call("SHUTDOWN NOSAVE"), lambda argv: Error("NOPERM no")) == "SHUTDOWN stops the server"


def test_another_server_in_the_place_of_the_first_is_asked_again() -> None:
    backend = Told()
    for server in (REDIS_7, REDIS_7, REDIS_6):
        backend.server = server
        refusal(call("ZUNION 1 a"), backend.browse)
    assert backend.asked == [(b"COMMAND", b"INFO", b"ZUNION")] * 2


def test_what_a_backend_has_said_goes_with_it() -> None:
    backend = Told()
    refusal(call("ZUNION 1 a"), backend.browse)
    gone = ref(backend)
    del backend
    collect()
    assert gone() is None


def test_the_server_is_asked_once_and_only_about_what_is_not_known() -> None:
    backend = Told()
    for _ in range(3):
        refusal(call("ZUNION 1 a"), backend.browse)
    refusal(call("XADD a * f v"), backend.browse)
    assert backend.asked == [(b"COMMAND", b"INFO", b"ZUNION")]


# -- what would be lost ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("shutdown", "SHUTDOWN stops the server"),
        ("SHUTDOWN NOSAVE", "SHUTDOWN stops the server"),
        ("SHUTDOWN ABORT", None),
        ("SCRIPT FLUSH", "SCRIPT FLUSH forgets every script that was loaded"),
        ("FUNCTION FLUSH ASYNC", "FUNCTION FLUSH deletes every library of functions"),
        ("CLUSTER RESET", "CLUSTER RESET takes the node out of its cluster"),
        ("ACL DELUSER ann", "ACL DELUSER deletes the user ann and closes their connections"),
        ("ACL DELUSER ann bob", "ACL DELUSER deletes 2 users and closes their connections"),
        ("ACL DELUSER", None),
        ("REPLICAOF host 1", "REPLICAOF makes this server a replica: all its data gives way to its master's"),
        ("REPLICAOF NO ONE", None),
        ("CONFIG RESETSTAT", "CONFIG RESETSTAT sets the server's statistics back to zero"),
        ("DEBUG SEGFAULT", "DEBUG SEGFAULT brings the server down"),
        ("DEBUG SLEEP 1", None),
        ("RESTORE \x1b[2J 0 x REPLACE", 'RESTORE replaces "\\x1b[2J", whatever it holds'),
        ("RESTORE a 0 x", None),
        ("RESTORE", None),
        ("ZADD a 1 b", None),
        ("XADD a * f v", None),
        ("", None),
    ],
)
def test_a_dangerous_command_of_a_server_is_asked_about(learned: bool, line: str, said: str | None) -> None:
    assert stakes_there(call(line), Told().browse) == said


def test_a_module_that_calls_its_own_writing_command_dangerous_is_believed() -> None:
    put_in_force(vocabulary())
    assert (
        stakes_there(call("SORT a"), Told().browse)
        == "SORT writes, and the server counts it among the dangerous commands"
    )


# -- a slip ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ZADDD a", " (did you mean ZADD?)"),
        ("CLUSTER SLOST", " (did you mean CLUSTER SLOTS?)"),
        ("CLIENT PAUS", " (did you mean CLIENT PAUSE?)"),
        ("HGETDEL a", " (this server is 7.0.15, which has no HGETDEL)"),
        ("XACKDEL a g IDS 1 1-1", " (this server is 7.0.15; XACKDEL needs 8.2)"),
        ("XLEN a", ""),
        ("BLAHBLAH", " (COMMAND LIST names those that the server has)"),
    ],
)
def test_the_nearest_name_that_the_server_has_is_said(learned: bool, line: str, said: str) -> None:
    assert suffix(call(line), REDIS_7, Told().browse) == said


def test_without_a_server_it_is_the_engine_that_lacks_the_command() -> None:
    assert suffix(parse([b"ZADD", b"a"])) == " (not in the embedded engine)"


def test_a_servers_error_is_never_told_as_the_engines() -> None:
    error = errors.unknown_command((b"HGETDEL",))
    said = advise(call("HGETDEL a"), error, Told().browse, server=REDIS_7)
    assert said == "this server is 7.0.15, which has no HGETDEL"


def test_advice_on_a_servers_command_comes_from_its_own_account() -> None:
    put_in_force(vocabulary())
    error = Error("ERR wrong number of arguments for 'lmove' command")
    assert advise(call("LMOVE a b LEFT"), error, Told().browse, server=REDIS_7) == (
        "it is written so: LMOVE source destination <LEFT | RIGHT> <LEFT | RIGHT>"
    )
    assert advise(call("ZADD k 1"), errors.arity("ZADD"), Told().browse, server=REDIS_7) == (
        "member is missing: ZADD key [NX | XX] [CH] score member [score member ...]"
    )


class Holds(Told):
    """A server that has every key, or none."""

    def __init__(self, there: int) -> None:
        super().__init__()
        self._there = there

    def browse(self, argv: Sequence[bytes]) -> Reply:
        return self._there if argv[0] == b"EXISTS" else super().browse(argv)


@pytest.mark.parametrize(
    ("line", "key"),
    [("SUNIONSTORE l a b", "l"), ("BITOP NOT l s", "l"), ("ZRANGESTORE l z 0 1", "l"), ("SETEX l 1 x", "l")],
)
def test_a_key_that_gives_way_to_a_result_is_asked_about(line: str, key: str) -> None:
    name = line.partition(" ")[0]
    assert stakes_there(call(line), Holds(1).browse) == f"{name} replaces {key}, whatever it holds"
    assert stakes_there(call(line), Holds(0).browse) is None


def test_ranges_that_are_removed_are_asked_about() -> None:
    assert stakes_there(call("LTRIM l 5 6"), Told().browse) == "LTRIM removes all but a range of a list"
    said = stakes_there(call("ZREMRANGEBYSCORE z -inf +inf"), Told().browse)
    assert said == "ZREMRANGEBYSCORE removes every member of a range"
