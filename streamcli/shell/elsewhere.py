"""Commands that only a server has: what they would destroy, and which of them a read-only session sends.

What that server itself says of its commands (flags, ACL categories) decides, asked
for when it is wanted: what a cache has kept may be another server's lie. For
Redis's own what is known of them by name counts first: flags do not tell a look
at the server from a change of it. Does not look at the data.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias
from weakref import WeakKeyDictionary

from streamcli.grammar.foreign import Foreign, commands, facts
from streamcli.grammar.parse import Call, parse
from streamcli.shell.lookup import Browse, commands_of_redis, counted, named

_Say: TypeAlias = Callable[[tuple[bytes, ...]], str | None]
"""What is said of some words in capitals; None when there is nothing to ask."""


# -- what would be lost --------------------------------------------------------------------


def stakes_there(call: Call, browse: Browse) -> str | None:
    """What the command would destroy, as a sentence safe for a terminal; None when there is nothing to ask."""
    if not call.argv:
        return None
    argv = tuple(word.upper() for word in call.argv[:2])
    named_here = next((name for name in (b" ".join(argv), argv[0]) if name in _STAKES), None)
    if is_ours(call) and named_here is None:  # some of the table's are named, too, for the engine as a server
        return None
    asked = parse(call.argv, commands=told(call, browse))
    command = asked.command
    if asked.problems[:1] and command is not None:
        return None
    if named_here is not None:
        said = _STAKES[named_here](call.argv)
        return said and f"{named_here.decode()} {said}"
    if (replaced := _replaced(call, browse)) is not None:
        return replaced
    if isinstance(command, Foreign) and "write" in command.flags and "dangerous" in command.acl.split():
        return f"{command.name} writes, and the server counts it among the dangerous commands"
    return None


def is_ours(call: Call) -> bool:
    """Is it a command of the table, of which no server has to say anything?"""
    command = call.command
    return command is not None and not command.open and not isinstance(command, Foreign)


def _always(sentence: str) -> _Say:
    return lambda argv: sentence


def _unless(*words: bytes, then: str) -> _Say:
    return lambda argv: None if {word.upper() for word in argv[1:]} & set(words) else then


def _only_with(word: bytes, then: Callable[[Sequence[bytes]], str]) -> _Say:
    return lambda argv: then(argv) if word in {one.upper() for one in argv[1:]} else None


def _users(argv: Sequence[bytes]) -> str | None:
    users = argv[2:]
    if not users:
        return None
    who = f"the user {named(users[0])}" if len(users) == 1 else counted(len(users), "user")
    return f"deletes {who} and closes their connections"


_REPLICA: Final = _unless(b"NO", then="makes this server a replica: all its data gives way to its master's")
_RANGE: Final = _always("removes every member of a range")
_ENDS: Final = _always("brings the server down")
_STAKES: Final[dict[bytes, _Say]] = {
    b"SHUTDOWN": _unless(b"ABORT", then="stops the server"),
    b"FUNCTION FLUSH": _always("deletes every library of functions"),
    b"FUNCTION RESTORE": _only_with(b"FLUSH", lambda argv: "deletes every library of functions first"),
    b"SCRIPT FLUSH": _always("forgets every script that was loaded"),
    b"CLUSTER RESET": _always("takes the node out of its cluster"),
    b"CLUSTER FLUSHSLOTS": _always("takes all its slots from the node"),
    b"CLUSTER FLUSHSLOT": _always("deletes every key of a slot"),
    b"CLUSTER FAILOVER": _always("makes this replica the master"),
    b"FAILOVER": _unless(b"ABORT", then="hands the master's place to a replica"),
    b"REPLICAOF": _REPLICA,
    b"SLAVEOF": _REPLICA,
    b"ACL DELUSER": _users,
    b"ACL LOAD": _always("replaces all users by those of the ACL file"),
    b"CONFIG RESETSTAT": _always("sets the server's statistics back to zero"),
    b"CONFIG REWRITE": _always("writes over the server's configuration file"),
    b"MODULE UNLOAD": lambda argv: f"takes the module {named(argv[2])} out of the server" if argv[2:] else None,
    b"LTRIM": _always("removes all but a range of a list"),
    b"ZREMRANGEBYRANK": _RANGE,
    b"ZREMRANGEBYSCORE": _RANGE,
    b"ZREMRANGEBYLEX": _RANGE,
    b"MIGRATE": _unless(b"COPY", then="moves keys to another server and deletes them here"),
    b"RESTORE": _only_with(b"REPLACE", lambda argv: f"replaces {named(argv[1])}, whatever it holds"),
    **{
        b"DEBUG " + word: _ENDS
        for word in b"SEGFAULT PANIC OOM ASSERT RESTART CRASH-AND-RECOVER CRASH-AND-ABORT".split()
    },
}


# Where the key stands that gives way to a result, whatever it held.
_REPLACES: Final = {
    **dict.fromkeys(b"SUNIONSTORE SINTERSTORE SDIFFSTORE ZUNIONSTORE ZINTERSTORE ZDIFFSTORE".split(), 1),
    **dict.fromkeys(b"ZRANGESTORE GEOSEARCHSTORE SETEX PSETEX".split(), 1),
    b"BITOP": 2,
}


def _replaced(call: Call, browse: Browse) -> str | None:
    """What of a key is lost to a result; None when there is no such key."""
    at = _REPLACES.get(call.argv[0].upper())
    if at is None or len(call.argv) <= at or browse((b"EXISTS", call.argv[at])) == 0:
        return None
    return f"{call.argv[0].upper().decode()} replaces {named(call.argv[at])}, whatever it holds"


# -- sessions that only read -----------------------------------------------------------------

# Redis's own that are no plain readers by their flags, and yet only look.
_READERS: Final = frozenset(
    b"""ACL|DRYRUN ACL|GETUSER ACL|LIST ACL|USERS CLUSTER|COUNT-FAILURE-REPORTS CLUSTER|GETSLOTMIGRATIONS
    CLUSTER|REPLICAS CLUSTER|SLAVES COMMANDLOG|GET COMMANDLOG|LEN FUNCTION|DUMP FUNCTION|LIST FUNCTION|STATS
    LASTSAVE LATENCY|DOCTOR LATENCY|GRAPH LATENCY|HISTOGRAM LATENCY|HISTORY LATENCY|LATEST MODULE|LIST MONITOR
    ROLE SCRIPT|EXISTS SCRIPT|SHOW SLOWLOG|GET SLOWLOG|LEN""".split()
)
_SENDERS: Final = frozenset((b"PUBLISH", b"SPUBLISH"))  # what they change is elsewhere, and no flag says so


def refusal_there(call: Call, browse: Browse) -> str | None:
    """Why a read-only session does not send a command that the table does not have; None when it may."""
    asked = parse(call.argv, commands=told(call, browse), draft=True)  # a wrong number of words may be sent
    command = asked.command if isinstance(asked.command, Foreign) else None
    words = [word.upper() for word in call.argv[: 1 if command is None else command.words]]
    if command is None:
        return not_known_to_read([word.upper() for word in call.argv[: 1 if asked.roles[0] is None else 2]])
    if (command.subcommands and len(call.argv) == 1) or _reads(command, b"|".join(words)):
        return None
    if command.writes:
        does = "writes" if "write" in command.flags else "may write"
        return f"{command.name} {does}, and this session is read-only"
    return not_known_to_read(words)


_Said: TypeAlias = "dict[tuple[object, bytes], dict[bytes, Foreign]]"
_SAID: Final[WeakKeyDictionary[object, _Said]] = WeakKeyDictionary()
_SAID_MAX = 256  # commands of one backend


def told(call: Call, browse: Browse) -> dict[bytes, Foreign]:
    """What the server says of the command that a line names: nothing but that one.

    It is asked once, and again when another server has taken its place.
    """
    name = call.argv[0].upper()
    backend = getattr(browse, "__self__", browse)
    said = _SAID.setdefault(backend, {})
    key = (getattr(backend, "server", None), name)
    if key not in said:
        found = commands(facts(None, browse((b"COMMAND", b"INFO", name))))
        if name not in found:
            return {}  # it has not said anything, this time
        if len(said) >= _SAID_MAX:
            said.clear()
        said[key] = {name: found[name]}
    return said[key]


def _reads(command: Foreign, name: bytes) -> bool:
    if command.may_write() or name in _SENDERS:
        return False
    if "readonly" in command.flags or name in _READERS or name.endswith(b"|HELP"):
        return True
    changes = "admin" in command.flags or "scripting" in command.acl.split()
    return name in commands_of_redis() and not changes


def not_known_to_read(words: Sequence[bytes]) -> str:
    name = " ".join(named(word) for word in words)
    return f"{name} is not known to be a reading command, and this session is read-only"
