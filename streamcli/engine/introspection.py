"""INFO, TIME, COMMAND, CONFIG, MEMORY, DEBUG and every HELP: what the engine says of itself.

All that is said of commands comes from the table.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamcli
from streamcli import errors
from streamcli.engine.connection import REFERENCE_VERSION
from streamcli.engine.engine import Context, Wait, handles
from streamcli.engine.glob import matches
from streamcli.grammar.commands import BY_WORD, COMMANDS
from streamcli.grammar.parse import parse
from streamcli.reply import OK, Reply, ReplyError, Simple
from streamcli.storage.store import STREAM

if TYPE_CHECKING:
    from streamcli.engine.host import Lines
    from streamcli.grammar.spec import Command

# Redis: in RESP2, where a set is an array, the flags have this order
_FLAGS = (
    *("write", "readonly", "denyoom", "admin", "blocking", "noscript", "loading", "stale", "fast", "skip_slowlog"),
    *("no_auth", "no_multi", "movablekeys", "allow_busy"),
)
_ENTRY_BYTES = 40  # what an entry's row takes beside its fields


# -- INFO, TIME --------------------------------------------------------------------------


@handles("INFO")
def info(ctx: Context, *, section: list[bytes]) -> Reply:
    """Lines of `name:value` under section titles; all sections, or those that are named."""
    wanted = {name.decode("latin-1").lower() for name in section}
    everything = wanted & {"all", "everything"}
    default = not wanted or "default" in wanted
    blocks = []
    for title, values in _SECTIONS.items():
        if everything or title.lower() in wanted or (default and title not in _ON_REQUEST):
            more = ctx.engine.host.information(title)
            if values is not None or more is not None:
                lines = dict(values(ctx) if values is not None else []) | dict(more or [])
                blocks.append(f"# {title}\r\n" + "".join(f"{name}:{value}\r\n" for name, value in lines.items()))
    return ctx.text("\r\n".join(blocks).encode(errors="surrogateescape"))


def _server(ctx: Context) -> Lines:
    return [
        ("redis_version", REFERENCE_VERSION),
        ("redis_mode", "standalone"),
        ("server_name", "streamcli"),
        ("streamcli_version", streamcli.__version__),
        ("tcp_port", 0),
        ("server_time_usec", ctx.now_ms * 1000),
    ]


def _clients(ctx: Context) -> Lines:
    sessions = ctx.engine.sessions.values()
    waiting = sum(session.queue is not None for session in sessions)
    return [("connected_clients", len(sessions)), ("clients_in_multi", waiting)]


def _persistence(ctx: Context) -> Lines:
    path = ctx.store.path or "(memory)"
    return [("loading", 0), ("database_file", path.replace("\r", " ").replace("\n", " "))]


def _keyspace(ctx: Context) -> Lines:
    counts = ctx.store.counts(ctx.now_ms)
    return [(f"db{db}", f"keys={keys},expires={expires},avg_ttl=0") for db, keys, expires in counts]


_SECTIONS: dict[str, Callable[[Context], Lines] | None] = {  # None: only a host has anything to say of it
    "Server": _server,
    "Clients": _clients,
    "Memory": None,
    "Persistence": _persistence,
    "Stats": None,
    "Replication": lambda _: [("role", "master"), ("connected_slaves", 0)],
    "CPU": None,
    "Commandstats": None,
    "Errorstats": None,
    "Cluster": lambda _: [("cluster_enabled", 0)],
    "Keyspace": _keyspace,
}
_ON_REQUEST = ("Commandstats",)  # Redis: not among what INFO shows by itself


@handles("TIME", store=False)
def time(ctx: Context) -> Reply:
    """Unix seconds, and the microseconds beyond them."""
    return [b"%d" % (ctx.now_ms // 1000), b"%d" % (ctx.now_ms % 1000 * 1000)]


# -- COMMAND --------------------------------------------------------------------------------


def _full_name(command: Command) -> bytes:
    return command.name.lower().replace(" ", "|").encode()


def _listed() -> list[Command]:
    return list(BY_WORD.values())


def _named(name: bytes) -> Command | None:
    return COMMANDS.get(name.decode("latin-1").upper().replace("|", " "))


def _categories(command: Command) -> list[Reply]:
    """ACL categories: some follow from the flags, as in Redis."""
    flags, named = command.flags, command.acl.split()
    categories = [name for name in named if name in ("keyspace",)]
    categories += [name for flag, name in (("readonly", "read"), ("write", "write")) if flag in flags]
    categories += [name for name in ("string", "stream", "admin") if name in named]
    categories.append("fast" if "fast" in flags else "slow")
    categories += ["blocking"] if "blocking" in flags else []
    categories += [name for name in ("dangerous", "connection", "transaction") if name in named]
    return [Simple(f"@{name}") for name in categories]


def _key_specs(ctx: Context, command: Command) -> list[Reply]:
    flags: list[Reply] = [Simple(flag) for flag in command.access.split()]
    if "movablekeys" in command.flags:
        start: Reply = ctx.map(
            [(b"keyword", b"STREAMS"), (b"startfrom", 4 if command.writes else 1)],
        )
        spec, find = b"keyword", (-1, 1, 2)
    elif command.keys.first:
        start = ctx.map([(b"index", command.keys.first)])
        last = command.keys.last - command.keys.first if command.keys.last > 0 else command.keys.last
        spec, find = b"index", (last, command.keys.step, 0)
    else:
        return []
    last_key, step, limit = find
    keys = ctx.map([(b"lastkey", last_key), (b"keystep", step), (b"limit", limit)])
    pairs: list[tuple[Reply, Reply]] = [(b"notes", command.note.encode())] if command.note else []
    pairs += [
        (b"flags", ctx.set(flags)),
        (b"begin_search", ctx.map([(b"type", spec), (b"spec", start)])),
        (b"find_keys", ctx.map([(b"type", b"range"), (b"spec", keys)])),
    ]
    return [ctx.map(pairs)]


def _describe(ctx: Context, command: Command) -> Reply:
    """As COMMAND INFO shows it."""
    first, last, step = command.keys
    return [
        _full_name(command),
        command.arity,
        ctx.set([Simple(flag) for flag in sorted(command.flags, key=_FLAGS.index)]),
        first,
        last,
        step,
        ctx.set(_categories(command)),
        ctx.set([tip.encode() for tip in command.tips]),
        ctx.set(_key_specs(ctx, command)),
        ctx.set([_describe(ctx, subcommand) for subcommand in command.subcommands.values()]),
    ]


@handles("COMMAND", store=False)
def command_(ctx: Context) -> Reply:
    return [_describe(ctx, command) for command in _listed()]


@handles("COMMAND INFO", store=False)
def command_info(ctx: Context, *, command_name: list[bytes]) -> Reply:
    """A description a name, null for an unknown one; without names, all commands."""
    if not command_name:
        return [_describe(ctx, command) for command in _listed()]
    found = [_named(name) for name in command_name]
    return [None if command is None else _describe(ctx, command) for command in found]


@handles("COMMAND COUNT", store=False)
def command_count(ctx: Context) -> Reply:
    return len(_listed())


@handles("COMMAND LIST", store=False)
def command_list(
    ctx: Context,
    *,
    filterby: bool = False,
    module: bytes | None = None,
    aclcat: bytes | None = None,
    pattern: bytes | None = None,
) -> Reply:
    """Names; FILTERBY picks those of an ACL category, of a pattern, or (none here) of a module."""
    everything = [command for top in _listed() for command in (top, *top.subcommands.values())]
    if pattern is not None:
        return [name for name in map(_full_name, everything) if matches(pattern.lower(), name)]
    if aclcat is not None:
        wanted = Simple("@" + aclcat.decode("latin-1").lower())
        return [_full_name(command) for command in everything if wanted in _categories(command)]
    return [] if filterby else [_full_name(command) for command in _listed()]


@handles("COMMAND DOCS", store=False)
def command_docs(ctx: Context, *, command_name: list[bytes]) -> Reply:
    """A map from names to what is known of them; unknown names are left out."""
    from streamcli.engine.command_docs import describe

    commands = [_named(name) for name in command_name] if command_name else [*_listed()]
    return ctx.map([(_full_name(command), describe(ctx, command)) for command in commands if command is not None])


@handles("COMMAND GETKEYS", store=False)
def command_getkeys(ctx: Context, *, command: list[bytes]) -> Reply:
    """The words that the parser takes for keys."""
    call = parse(command)
    if call.command is None:
        raise ReplyError(errors.BAD_COMMAND)
    keys: list[Reply] = [
        word for word, role in zip(command, call.roles, strict=True) if role is not None and role.kind == "key"
    ]
    if not call.command.keys.first and "movablekeys" not in call.command.flags:
        raise ReplyError(errors.NO_KEY_ARGUMENTS)
    if call.rejected is not None:
        raise ReplyError(errors.BAD_ARGUMENT_COUNT)
    if not keys:
        raise ReplyError(errors.BAD_KEYS)
    return keys


# -- CONFIG, MEMORY, DEBUG ------------------------------------------------------------------


@handles("CONFIG GET", store=False)
def config_get(ctx: Context, *, parameter: list[bytes]) -> Reply:
    """A map of the settings that match any of the patterns."""
    settings = ctx.engine.config.items()
    found: dict[bytes, bytes] = {}
    for pattern in parameter:
        plain = not any(mark in pattern for mark in (b"*", b"?", b"["))
        # Redis: a name that is no pattern comes back as it was typed.
        found |= {
            pattern if plain else name: value
            for name, value in settings
            if (name == pattern.lower() if plain else matches(pattern.lower(), name))
        }
    return ctx.map([(name, value) for name, value in found.items()])


@handles("CONFIG SET", store=False)
def config_set(ctx: Context, *, settings: list[bytes]) -> Reply:
    error = ctx.engine.config.set(list(zip(settings[::2], settings[1::2], strict=True)))
    return error or OK


@handles("MEMORY USAGE")
def memory_usage(ctx: Context, *, key: bytes, samples: int = 5) -> Reply:
    """An estimate, in bytes of the file; null for a missing key."""
    if samples < 0:
        raise ReplyError(errors.SYNTAX)
    found = ctx.key(key)
    if found is None:
        return None
    size = 64 + len(key)
    if found.kind != STREAM:
        return size + len(ctx.store.string(found))
    stream = ctx.store.stream(found)
    return size + stream.size() + stream.length * _ENTRY_BYTES


@handles("DEBUG SLEEP", store=False)
def debug_sleep(ctx: Context, *, seconds: float) -> Reply | Wait:
    """OK, so many seconds later."""
    if not ctx.may_wait():
        return OK
    return Wait((), ctx.now_ms + round(seconds * 1000), ctx.call.argv, OK)


# -- HELP --------------------------------------------------------------------------------------


def _help(ctx: Context) -> Reply:
    """Two lines a subcommand: how it is written, and what it does."""
    container = ctx.call.argv[0].upper()
    lines = [f"{container.decode()} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"]
    for subcommand in BY_WORD[container].subcommands.values():
        lines += [subcommand.usage().split(" ", 1)[1], f"    {subcommand.summary}."]
    return [Simple(line) for line in lines]


for _name in COMMANDS:
    if _name.endswith(" HELP"):
        handles(_name, store=False)(_help)
