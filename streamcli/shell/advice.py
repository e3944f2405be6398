"""What to do about an error, in one line: never a second telling of the error itself.

An error is known by how its text begins, so that an older or newer server's is
known too; the word it is about by the parser's problem of the same text. Looks
at the data, by one or two commands that only read, where the answer lies there.
Never raises, whatever a server answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streamcli import errors
from streamcli.grammar.commands import BY_WORD, COMMANDS
from streamcli.grammar.parse import Call
from streamcli.grammar.spec import Command, Option
from streamcli.reply import Error
from streamcli.shell.advising import (
    ABOUT,
    COMPARED_MAX,
    LINE_MAX,
    Advice,
    Case,
    about,
    listed,
    nearest,
    stem,
    subcommands_of,
    words_of,
)
from streamcli.shell.lookup import Browse, commands_of_redis, is_missing, kind, named, record, records
from streamcli.tools import TOOLS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from streamcli.backend import Server
    from streamcli.shell.line import Line

_KEYS_MAX = 4  # of a line, whose types are asked for
_SCANNED = b"1000"
_NAMED_MAX = 3


def advise(
    call: Call,
    error: Error,
    browse: Browse,
    line: Line | None = None,
    indent: int = 0,
    server: Server | None = None,
) -> str | None:
    """One line on what to do about the error; None when there is nothing better to say than the error itself.

    `call` is the strict parse of what was sent; `line`, which begins `indent`
    columns from the left, what was typed for it, to be pointed into; `server`
    who answered, None for the engine in this process.
    """
    from streamcli.shell import wrong_words  # not for the suffix of a one-shot; registers what it has to say

    case = Case(call, error, browse, line, indent, server)
    known = max([start for start in ABOUT if error.text.startswith(start)], key=len, default=None)
    said = ABOUT[known](case) if known is not None else wrong_words.by_the_word(case)
    if said is None:
        return None
    return said if len(said) <= LINE_MAX else f"{said[: LINE_MAX - 3]}..."


def suffix(call: Call, server: Server | None = None, browse: Browse | None = None) -> str:
    """What stands behind the error for a command that nobody knows: ` (did you mean XADD?)`, or nothing."""
    said = _about_unknown(call) if server is None else _about_unknown_there(call, server, browse)
    return f" ({said})" if said else ""


# -- commands that nobody knows ------------------------------------------------------------


_ELSEWHERE = "not in the embedded engine"


def _about_unknown(call: Call) -> str | None:
    if call.command is not None or not call.argv or call.rejected is None:
        return None
    if _is_a_line(call.argv[0]):
        return "that is one word; a whole line goes after -e"
    container = BY_WORD.get(call.argv[0].upper())
    given = call.argv[1 if container else 0].upper()[:COMPARED_MAX]
    if container is None and given in commands_of_redis():
        return _ELSEWHERE
    if container is None and (tool := _tool(given, BY_WORD)) is not None:
        return tool
    near = nearest(given, container.subcommands if container else BY_WORD)
    if near:
        return f"did you mean {near.decode()}?"
    return None if container else "no command of Redis; see COMMAND LIST"


def _tool(given: bytes, commands: Iterable[bytes]) -> str | None:
    """What is said of a tool's name where commands stand, or of a slip in one; None when it is nearer to a command."""
    names = {name.upper().encode(): name for name in TOOLS}
    if given in names:
        return f"it is a tool: .{names[given]} at the prompt, streamcli {names[given]} in your shell"
    near = nearest(given, [*commands, *names])
    return f"did you mean the tool {names[near]} (.{names[near]} at the prompt)?" if near in names else None


def _about_unknown_there(call: Call, server: Server, browse: Browse | None) -> str | None:
    """Of a server: what it lacks, or the nearest of the names that it has."""
    from streamcli.shell.vocabulary import Vocabulary, in_force

    words = in_force()
    if call.command is not None:
        return Vocabulary(server).came_later(call.command)
    if not call.argv:
        return None
    if _is_a_line(call.argv[0]):
        return "that is one word; a whole line goes after -e"
    given = call.argv[0].upper()[:COMPARED_MAX]
    container: Command | None = words.commands.get(given)
    if not words.facts and browse is not None:
        from streamcli.shell.elsewhere import told

        container = told(call, browse).get(given) or container
    if container is None and given in commands_of_redis():
        return Vocabulary(server).has_no(given.decode())
    if container is None:
        there = list(_names_there(browse))
        if (tool := _tool(given, there)) is not None:
            return tool
        near = nearest(given, there)
        return f"did you mean {named(near)}?" if near else "COMMAND LIST names those that the server has"
    near = nearest(call.argv[1].upper()[:COMPARED_MAX], container.subcommands) if call.argv[1:] else None
    return f"did you mean {container.name} {near.decode()}?" if near else None


def _names_there(browse: Browse | None) -> Iterable[bytes]:
    """The names of the server's commands, as far as they are known or may be asked for."""
    from streamcli.shell.vocabulary import in_force, names_of

    words = in_force()
    if words.facts:
        return (word for word, command in words.commands.items() if not words.lacks(command))
    return names_of(browse) if browse is not None else ()


def _is_a_line(word: bytes) -> bool:
    """Is it a command with its words, quoted into one?"""
    first, *rest = word.split(None, 1) or [b""]
    return bool(rest) and first.upper() in BY_WORD


@about(stem(errors.unknown_command((b"",))))
def _unknown_command(case: Case) -> str | None:
    argv = case.call.argv
    if argv and _is_a_line(argv[0]):
        return f"{named(argv[0])} is one word: leave out the quotes around it"
    if case.server is not None:
        return _about_unknown_there(case.call, case.server, case.browse)
    said = _about_unknown(case.call)
    return f"{said}; connect to a server that has it" if said == _ELSEWHERE else said


@about(stem(errors.unknown_subcommand((b"", b""))))
def _unknown_subcommand(case: Case) -> str | None:
    if case.server is not None:
        return _about_unknown_there(case.call, case.server, case.browse)
    container = BY_WORD.get(case.call.argv[0].upper()) if case.call.argv[1:] else None
    if container is None:
        return None
    near = nearest(case.call.argv[1].upper(), container.subcommands)
    return f"did you mean {container.name} {near.decode()}?" if near else subcommands_of(container)


# -- what the data says --------------------------------------------------------------------


def _create(key: bytes, group: bytes, *, with_stream: bool = False) -> str:
    """The line that makes a group."""
    command = COMMANDS["XGROUP CREATE"]
    flag = next(option for option in words_of(command.parts) if isinstance(option, Option) and not option.args)
    line = f"{command.name} {named(key)} {named(group)} $"
    return f"{line} {flag.token}" if with_stream else line


@about("BUSYGROUP ")
def _busygroup(case: Case) -> str | None:
    key = case.first("key")
    if key is None:
        return None
    return f"the group exists already: use it, move it with XGROUP SETID, or look with XINFO GROUPS {named(key)}"


@about("NOGROUP ")
def _no_group(case: Case) -> str | None:
    group, keys = case.first("group"), case.words("key")
    if group is None or not keys:
        return None
    key = next((key for key in keys if f"'{errors.shown(key)}'" in case.error.text), keys[0])
    reply = case.browse((b"XINFO", b"GROUPS", key))
    if isinstance(reply, Error):
        if not is_missing(reply):
            return f"make it: {_create(key, group)}"
        near = nearest(key, _some_keys(case) or ())
        if near is not None and near != key:
            return f"there is no key {named(key)}; did you mean {named(near)}?"
        return f"there is no key {named(key)}: {_create(key, group, with_stream=True)} makes both"
    names = [name for one in records(reply) if isinstance(name := one.get(b"name"), bytes)]
    near = nearest(group, names)
    if near is not None and near != group:
        return f"{named(key)} has no group {named(group)}; did you mean {named(near)}?"
    if not names:
        return f"{named(key)} has no groups: make it with {_create(key, group)}, or with 0 for what is there already"
    shown = [named(name) for name in names]
    if len(names) > _NAMED_MAX:
        shown[_NAMED_MAX - 1 :] = [f"{len(names) - _NAMED_MAX + 1} more"]
    said = f"{named(key)} has the group{'s' if len(names) > 1 else ''} {listed(shown)}"
    more = f"; make this one with {_create(key, group)}"
    return said + more if len(said + more) <= LINE_MAX else said


_READERS = {"hash": ("HGETALL",), "list": ("LRANGE",), "set": ("SMEMBERS",), "zset": ("ZRANGE",)}  # not in the table


@about("WRONGTYPE ")
def _wrongtype(case: Case) -> str | None:
    command = case.command
    if command is None:
        return None
    for key in case.words("key")[:_KEYS_MAX]:
        holds = kind(case.browse, key)
        if not holds or holds in ("none", command.group):
            continue
        known = [one.name for one in COMMANDS.values() if one.group == holds and one.keys.first and not one.writes]
        readers = known[:_NAMED_MAX] or _READERS.get(holds)
        said = f"{named(key)} is a {'sorted set' if holds == 'zset' else holds}"
        if not readers:
            return said
        return f"{said}: {listed(readers)} {'read it' if len(readers) > 1 else 'reads it'}"
    return None


def _of_stream(case: Case, name: bytes) -> str | None:
    """A value of XINFO STREAM, as a sentence shows it."""
    key = case.first("key")
    value = record(case.browse((b"XINFO", b"STREAM", key))).get(name) if key is not None else None
    if isinstance(value, list) and value:  # an entry: its ID
        value = value[0]
    if isinstance(value, int):
        return str(value)
    return named(value) if isinstance(value, bytes) else None


def _key(case: Case) -> str:
    return named(case.first("key") or b"")


@about(errors.ID_TOO_SMALL)
def _id_too_small(case: Case) -> str | None:
    last = _of_stream(case, b"last-generated-id")
    if last is None:
        return "give an ID above the stream's last one, or * to have one made"
    return f"the last ID of {_key(case)} is {last}: give a greater one, or * to have one made"


@about(errors.ID_ZERO)
def _id_zero(case: Case) -> str | None:
    return "the lowest ID is 0-1; * has one made"


@about(errors.EXHAUSTED)
def _exhausted(case: Case) -> str | None:
    return f"{_key(case)} has the greatest ID there is, and takes no more entries: go on in another stream"


@about(errors.SETID_BELOW_TOP)
def _below_top(case: Case) -> str | None:
    top = _of_stream(case, b"last-entry")
    return f"the newest entry of {_key(case)} is {top}: give that ID or a greater one" if top else None


@about(errors.SETID_BELOW_DELETED)
def _below_deleted(case: Case) -> str | None:
    deleted = _of_stream(case, b"max-deleted-entry-id")
    return f"{_key(case)} has had the ID {deleted}, now deleted: give that ID or a greater one" if deleted else None


@about(errors.SETID_BELOW_LENGTH)
def _below_length(case: Case) -> str | None:
    length = _of_stream(case, b"length")
    return f"it counts all entries ever added, and {_key(case)} has {length} now" if length else None


def _some_keys(case: Case) -> list[bytes] | None:
    """Names of the database's keys, one page of them; None when that is not known, or not all of an empty one."""
    page = case.browse((b"SCAN", b"0", b"COUNT", _SCANNED))
    if not isinstance(page, list) or len(page) != 2 or not isinstance(page[1], list):
        return None
    names = [name for name in page[1] if isinstance(name, bytes)]
    return names if names or page[0] == b"0" else None


@about(errors.NO_SUCH_KEY, errors.XGROUP_NEEDS_KEY)
def _no_such_key(case: Case) -> str | None:
    """The name it may have been meant for; else how there comes to be such a key."""
    key = case.first("key")
    if key is None:
        return None
    names = _some_keys(case)
    near = nearest(key, names or ())
    if near is not None and near != key:
        return f"there is no key {named(key)}; did you mean {named(near)}?"
    group = case.first("group")
    if case.command is COMMANDS["XGROUP CREATE"] and group is not None:
        return f"there is no key {named(key)}: {_create(key, group, with_stream=True)} makes it too"
    if names == []:
        return "this database is empty; SELECT goes to another one"
    return f"there is no key {named(key)}: XADD makes one, SCAN 0 lists what there is"


# -- sentences that need no look ------------------------------------------------------------

_LOGIN = COMMANDS["AUTH"].usage()

_SENTENCES: dict[Error | str, str] = {
    errors.NESTED_MULTI: "a transaction is open already: EXEC runs it, DISCARD forgets it",
    errors.EXEC_WITHOUT_MULTI: "MULTI begins a transaction, EXEC runs what was queued since",
    errors.DISCARD_WITHOUT_MULTI: "no transaction is open: there is nothing to forget",
    errors.WATCH_IN_MULTI: "WATCH goes before MULTI; DISCARD leaves this transaction",
    "EXECABORT ": "nothing of it was run: begin again with MULTI, and leave out what was refused",
    errors.DB_OUT_OF_RANGE: "databases count from 0; CONFIG GET databases says how many there are",
    errors.INVALID_FIRST_DB: "databases count from 0; CONFIG GET databases says how many there are",
    errors.INVALID_SECOND_DB: "databases count from 0; CONFIG GET databases says how many there are",
    errors.INVALID_CURSOR: "begin at 0, and go on with the number that the last reply began with",
    errors.NOPROTO: "2 and 3 are the protocols there are",
    errors.ENTRIESREAD_NEGATIVE: "-1 says that it is not known",
    errors.COUNT_NOT_POSITIVE: "it must be a whole number from 1 on",
    errors.COUNT_TOO_HIGH: "give a smaller one: memory for all of them is set aside before the first is read",
    errors.TOO_LARGE: "an entry holds no more than 1 GiB: make several of it",
    errors.SAME_OBJECT: "name another key, or another database",
    errors.NO_PASSWORD_SET: "no password is asked for here: go on without",
    stem(errors.bad_expire_time("")): "as milliseconds since 1970 the time must fit into 64 bits",
    errors.bad_expire_time("SET"): "a time to live starts at 1 and, in milliseconds, fits into 64 bits",
    stem(errors.unknown_setting(b"")): "CONFIG GET * lists the settings",
    "UNBLOCKED ": "the key went away while the command waited for it",
    # What only a server answers.
    "NOAUTH ": f"say first who you are: {_LOGIN}",
    "WRONGPASS ": f"no such user, or another password: {_LOGIN}",
    "NOPERM ": f"this user may not do that; another one logs in with {_LOGIN}",
    "READONLY ": "this is a replica: writes go to its master, which INFO replication names",
    "LOADING ": "the server is still reading its data: try again in a moment",
    "OOM ": "the server's memory is full: delete or trim something, or raise maxmemory",
    "MISCONF ": "the server cannot save its data, and so takes no writes: look at its disk and its log",
    "MASTERDOWN ": "this replica has lost its master and does not answer with old data: ask the master",
    "NOREPLICAS ": "too few replicas are connected for a write to be safe",
    "CROSSSLOT ": "the keys are on different nodes: keys with one {tag} in their names stay together",
    "CLUSTERDOWN ": "the cluster is not whole; CLUSTER INFO says what is missing",
    "TRYAGAIN ": "the keys are being moved between nodes: try again in a moment",
    "NOSCRIPT ": "load it with SCRIPT LOAD, or send its text with EVAL",
    "BUSY ": "a script is running; SCRIPT KILL ends it if it has not written yet",
    "BUSYKEY ": "the key exists already: choose another one, or delete it first",
}


def _saying(sentence: str) -> Advice:
    return lambda case: sentence


for _error, _sentence in _SENTENCES.items():
    about(_error)(_saying(_sentence))


@about("MOVED ", "ASK ")
def _moved(case: Case) -> str | None:
    """`MOVED 3999 127.0.0.1:6381`. Who is connected to a cluster is sent on by itself, but for a transaction."""
    if case.server is not None and case.server.mode == "cluster":
        return "all keys of a transaction must be in one slot; names with the same {tag} are: help cluster"
    parts = case.error.text.split()
    return f"the key is on another node of the cluster: connect to {named(parts[2].encode())}" if parts[2:] else None
