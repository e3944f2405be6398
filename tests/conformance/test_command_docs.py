"""The table is held to what Redis 8.0 says of its own commands: COMMAND INFO and COMMAND DOCS, recorded.

Both ways: every token of Redis's is in the table with its version, and the table has none that Redis has not.
What came after 8.0 is left out of the comparison.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from streamcli.grammar.commands import COMMANDS
from streamcli.grammar.spec import Command, Halves, Maybe, Option, Options, Part
from tests.conformance import table
from tests.conformance.live import Server

KNOWN = table.read()
AS_OF = (8, 0, 99)

# Subcommands of containers that are there for other things than streams; the engine answers them as unknown.
_NO_CLIENT = "CACHING GETREDIR PAUSE TRACKING TRACKINGINFO UNPAUSE"
LEFT_OUT = {
    *(f"CLIENT {name}" for name in _NO_CLIENT.split()),
    *(f"MEMORY {name}" for name in ("DOCTOR", "MALLOC-STATS", "PURGE", "STATS")),
    *("COMMAND GETKEYSANDFLAGS", "CONFIG REWRITE"),
}
# Tokens that stand for a value, not for an option: they are read by a type in the table, not by a keyword.
VALUES = {
    "XADD": {"*"},
    "XGROUP CREATE": {"$"},
    "XGROUP SETID": {"$"},
    "CLIENT NO-EVICT": {"ON", "OFF"},
    "CLIENT NO-TOUCH": {"ON", "OFF"},
    "CLIENT SETINFO": {"LIB-NAME", "LIB-VER"},
    "CLIENT KILL": {"NORMAL", "MASTER", "SLAVE", "REPLICA", "PUBSUB", "YES", "NO"},
    "CLIENT LIST": {"NORMAL", "MASTER", "REPLICA", "PUBSUB"},
}
ADDED = {"DEBUG SLEEP"}  # DEBUG does not list its subcommands


def _version(since: str) -> tuple[int, ...]:
    return tuple(map(int, since.split(".")))


def _recent(since: str | None) -> bool:
    return since is not None and _version(since) > AS_OF


def _tokens(parts: tuple[Part, ...] | tuple[Option, ...]) -> Iterator[tuple[str, str | None]]:
    """Each keyword the table knows for a command, with the version it came in when that is not the command's."""
    for part in parts:
        if isinstance(part, Options):
            yield from _tokens(part.options)
        elif isinstance(part, Maybe):
            yield from _tokens(part.parts)
        elif isinstance(part, Halves):
            yield part.token, None
        elif isinstance(part, Option) and not part.refused:
            yield part.token, part.since
            yield from ((mark, None) for mark in part.marks)
            if part.then is not None:
                yield from _tokens((part.then,))


def _of_8_0() -> dict[str, Command]:
    return {name: command for name, command in COMMANDS.items() if not _recent(command.since) and name not in ADDED}


def test_the_table_has_every_command_and_no_other() -> None:
    assert set(_of_8_0()) == set(KNOWN) - LEFT_OUT


@pytest.mark.parametrize("name", sorted(set(KNOWN) - LEFT_OUT))
def test_arity_flags_and_since_are_those_of_redis(name: str) -> None:
    ours, theirs = COMMANDS[name], KNOWN[name]
    assert (ours.arity, sorted(ours.flags), ours.since) == (theirs.arity, theirs.flags, theirs.since)


@pytest.mark.parametrize("name", sorted(set(KNOWN) - LEFT_OUT))
def test_tokens_are_those_of_redis_with_the_version_they_came_in(name: str) -> None:
    command = COMMANDS[name]
    ours = {token: since or command.since for token, since in _tokens(command.parts) if not _recent(since)}
    theirs = {token: since for token, since in KNOWN[name].tokens.items() if token not in VALUES.get(name, set())}
    # Where Redis names no version (ENTRIESREAD, FULL), the table may know better.
    assert ours == {token: since or ours.get(token) for token, since in theirs.items()}


def test_the_recording_is_what_the_server_says(redis_8_0: Server | None) -> None:
    assert KNOWN.keys() >= {"XADD", "XREADGROUP", "XGROUP CREATE", "SET", "CONFIG GET"}
    if redis_8_0 is not None:
        assert {known.name: known for known in table.ask(redis_8_0)} == KNOWN
