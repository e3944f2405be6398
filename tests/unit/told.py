"""What a server would say of a few commands: COMMAND DOCS and COMMAND as replies of RESP2 and of RESP3."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from streamcli.backend import Server
from streamcli.grammar.commands import BY_WORD
from streamcli.grammar.foreign import Facts, facts
from streamcli.reply import Error, Map, Reply, Set, Simple
from streamcli.shell.vocabulary import Vocabulary

REDIS_7, VALKEY_9, REDIS_6 = Server("redis", "7.0.15"), Server("valkey", "9.1.2"), Server("redis", "6.2.14")


def word(name: str, type: str = "string", flags: str = "", **more: Any) -> dict[str, Any]:
    """One argument of COMMAND DOCS."""
    return {"name": name, "type": type, **({"flags": set(flags.split())} if flags else {}), **more}


def token(name: str, flags: str = "", **more: Any) -> dict[str, Any]:
    return word(name.lower(), "pure-token", flags, token=name, **more)


def several(name: str, *inner: dict[str, Any], type: str = "block", flags: str = "", **more: Any) -> dict[str, Any]:
    return word(name, type, flags, arguments=list(inner), **more)


def about(summary: str, *arguments: dict[str, Any], group: str = "generic", since: str = "1.0.0") -> dict[str, Any]:
    said: dict[str, Any] = {"summary": summary, "since": since, "group": group, "complexity": "O(1)"}
    return {**said, **({"arguments": list(arguments)} if arguments else {})}


KEY = word("key", "key", key_spec_index=0)
KEYS = word("key", "key", "multiple", key_spec_index=0)
SIDE = [several(name, token("LEFT"), token("RIGHT"), type="oneof") for name in ("wherefrom", "whereto")]

DOCS: dict[str, Any] = {
    "zadd": about(
        "Adds members to a sorted set.",
        KEY,
        several("condition", token("NX"), token("XX"), type="oneof", flags="optional", since="3.0.2"),
        token("CH", "optional", since="3.0.2"),
        several("data", word("score", "double"), word("member"), flags="multiple"),
        group="sorted-set",
        since="1.2.0",
    ),
    "sort": about(
        "Sorts",
        KEY,
        word("by-pattern", "pattern", "optional", token="BY"),
        several("limit", word("offset", "integer"), word("count", "integer"), flags="optional", token="LIMIT"),
        word("get-pattern", "pattern", "optional multiple multiple_token", token="GET"),
        several("order", token("ASC"), token("DESC"), type="oneof", flags="optional"),
    ),
    "eval": about(
        "Runs a script",
        word("script"),
        word("numkeys", "integer"),
        word("key", "key", "optional multiple"),
        word("arg", "string", "optional multiple"),
        group="scripting",
    ),
    "blpop": about("Waits", KEYS, word("timeout", "double"), group="list"),
    "lmove": about("Moves", word("source", "key"), word("destination", "key"), *SIDE, group="list"),
    "lpop": about("Pops", KEY, word("count", "integer", "optional", since="6.2.0"), group="list"),
    "zunion": about(
        "Adds up",
        word("numkeys", "integer"),
        KEYS,
        word("weight", "integer", "optional multiple", token="WEIGHTS"),
        several(
            "aggregate", token("SUM"), token("MIN"), type="oneof", flags="optional", token="AGGREGATE"
        ),
        token("WITHSCORES", "optional"),
    ),
    "getex": about(
        "Reads",
        KEY,
        several(
            "expiration",
            word("seconds", "integer", token="EX"),
            word("unix-time-milliseconds", "unix-time", token="PXAT"),
            token("PERSIST"),
            type="oneof",
            flags="optional",
        ),
    ),
    "json.get": about("Reads a document", KEY, word("path", "string", "optional multiple"), group="module"),
    "failover": about("Stops", token("ABORT", "optional"), group="server"),
    "cluster": {
        **about("About the cluster", group="cluster"),
        "subcommands": {
            "cluster|slots": about("The slots", group="cluster"),
            "cluster|reset": about(
                "Leaves", several("how", token("HARD"), token("SOFT"), type="oneof", flags="optional"), group="cluster"
            ),
        },
    },
    "client": {
        **about("About clients", group="connection"),
        "subcommands": {
            "client|pause": about("Stops", word("ip:port"), group="connection"),
            "client|id": about("Mine", group="connection"),
        },
    },
    "xadd": about("Adds", KEY, token("NOMKSTREAM", "optional"), group="stream", since="5.0.0"),
    "set": about("Sets", KEY, word("value"), token("GET", "optional"), word("comparison", token="IFEQ"), since="1.0.0"),
    "migrate": about("Moves", word("host"), word("password", "string", "optional", token="AUTH")),
    "debug": about("Helps to test"),
    "vadd": {"module": "vectorset"},
}  # fmt: skip

ROWS: dict[str, tuple[int, str, tuple[int, int, int], str]] = {
    "zadd": (-4, "write denyoom fast", (1, 1, 1), "@write @sortedset @fast"),
    "sort": (-2, "write denyoom", (1, 1, 1), "@write @dangerous"),
    "eval": (-3, "noscript stale", (0, 0, 0), "@slow @scripting"),
    "blpop": (-3, "write blocking", (1, -2, 1), "@write @list"),
    "lmove": (5, "write denyoom", (1, 2, 1), "@write @list"),
    "lpop": (-2, "write fast", (1, 1, 1), "@write @list"),
    "zunion": (-3, "readonly movablekeys", (0, 0, 0), "@read"),
    "getex": (-2, "write fast", (1, 1, 1), "@write @string"),
    "json.get": (-2, "readonly module", (1, 1, 1), ""),
    "failover": (-1, "admin noscript", (0, 0, 0), "@admin @dangerous"),
    "cluster": (-2, "", (0, 0, 0), "@slow"),
    "cluster|slots": (2, "loading stale", (0, 0, 0), "@slow"),
    "cluster|reset": (-2, "admin noscript", (0, 0, 0), "@admin @dangerous"),
    "client": (-2, "", (0, 0, 0), "@slow"),
    "client|pause": (-3, "admin noscript", (0, 0, 0), "@admin @dangerous"),
    "client|id": (2, "noscript", (0, 0, 0), "@slow"),
    "xadd": (-5, "write denyoom fast", (1, 1, 1), "@write @stream"),
    "set": (-3, "write denyoom", (1, 1, 1), "@write @string"),
    "migrate": (-6, "write movablekeys", (3, 3, 1), "@write @dangerous"),
    "debug": (-2, "admin", (0, 0, 0), "@admin @dangerous"),
    "vadd": (-1, "write module", (1, 1, 1), ""),
    "msetx": (-3, "write", (1, -1, 2), "@write"),
}

# A server of today has what the table has; of it only the names matter here.
_TABLE = [one.name for container in BY_WORD.values() for one in (container, *container.subcommands.values())]


def flat(value: Any) -> Reply:
    """As RESP2 says it."""
    if isinstance(value, dict):
        return [part for name, inner in value.items() for part in (name.encode(), flat(inner))]
    if isinstance(value, set):
        return [Simple(one) for one in sorted(value)]
    if isinstance(value, (list, tuple)):
        return [flat(one) for one in value]
    return value.encode() if isinstance(value, str) else int(value)


def maps(value: Any) -> Reply:
    """As RESP3 says it."""
    if isinstance(value, dict):
        return Map([(name.encode(), maps(inner)) for name, inner in value.items()])
    if isinstance(value, set):
        return Set([Simple(one) for one in sorted(value)])
    if isinstance(value, (list, tuple)):
        return [maps(one) for one in value]
    return value.encode() if isinstance(value, str) else int(value)


def row(name: str, say: Callable[[Any], Reply] = flat) -> list[Reply]:
    """A row of COMMAND, with those of its subcommands."""
    arity, flags, keys, acl = ROWS[name]
    inner: list[Reply] = [row(one, say) for one in ROWS if one.startswith(f"{name}|")]
    return [name.encode(), arity, say(set(flags.split())), *keys, say(set(acl.split())), [], [], inner]


def rows(say: Callable[[Any], Reply] = flat) -> list[Reply]:
    return [row(name, say) for name in ROWS if "|" not in name]


def told(*, with_table: bool = False) -> Facts:
    """The facts of these commands; `with_table`: and that the server has every command of the table."""
    known = facts(flat(DOCS), rows())
    for name in _TABLE if with_table else ():
        container, _, subcommand = name.partition(" ")
        fact = known.setdefault(container, {"documented": True})
        if subcommand:
            fact.setdefault("subcommands", {}).setdefault(subcommand, {"documented": True})
    return known


def vocabulary(server: Server = REDIS_7) -> Vocabulary:
    return Vocabulary(server, told(with_table=True))


class Told:
    """A backend as far as learning goes: it answers questions about commands, and counts them."""

    def __init__(self, server: Server | None = REDIS_7, *, docs: bool = True, target: str = "127.0.0.1:6379") -> None:
        self.server, self.docs, self.target = server, docs, target
        self.user: str | None = None
        self.asked: list[tuple[bytes, ...]] = []

    def browse(self, argv: Sequence[bytes]) -> Reply:
        self.asked.append(tuple(argv))
        match tuple(argv):
            case (b"COMMAND",):
                return rows() if self.docs else [one[:7] for one in rows() if isinstance(one, list)]
            case (b"COMMAND", b"COUNT"):
                return len(ROWS)
            case (b"COMMAND", b"LIST") if self.docs:
                return [name.encode() for name in ROWS]
            case (b"COMMAND", b"DOCS", *names) if self.docs:
                return flat({name: doc for name, doc in DOCS.items() if name.encode() in names})
            case (b"COMMAND", b"INFO", name):
                known = name.decode("latin-1").lower()
                return [row(known) if known in ROWS else None]
            case (b"MODULE", b"LIST"):
                return []
        return Error("ERR unknown subcommand or wrong number of arguments")
