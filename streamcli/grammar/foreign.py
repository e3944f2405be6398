"""A server's own account of its commands, and the Commands that are made of it.

`facts` puts the replies of COMMAND DOCS and COMMAND together as what JSON can
hold: `{"GET": {"summary": ..., "arity": 2, "arguments": [...], "subcommands":
{...}}}`. `commands` makes Commands of that, `vocabulary` puts them beside the
table, which wins. Replies may be flat as in RESP2 or maps as in RESP3, and both
they and the facts may be anything at all: what is odd is left out, and nothing
here raises. A server without COMMAND DOCS (before Redis 7) gives names, numbers
of words and the places of keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from operator import itemgetter
from typing import Any, Final, TypeAlias

from streamcli.grammar import types as t
from streamcli.grammar.commands import BY_WORD
from streamcli.grammar.loose import Keyword, Node, part
from streamcli.grammar.spec import Arg, Command, Keys, Role
from streamcli.grammar.types import Type
from streamcli.reply import Map, Reply, Set, Simple, Verbatim
from streamcli.text import visible

Facts: TypeAlias = "dict[str, Any]"

COMMANDS_MAX = 4000  # with subcommands
_NAME_MAX, _TEXT_MAX = 64, 200  # characters
_DEPTH_MAX, _ARGUMENTS_MAX, _GENERIC_MAX = 8, 100, 20
_NUMBER_MAX = 10_000  # words of a command
_UNKNOWN_SINCE = "0"

_BY_KIND: Final[dict[str, Type]] = {
    "key": t.KEY,
    "pattern": t.PATTERN,
    "integer": t.INTEGER,
    "double": Type("integer", None),
    "unix-time": t.UNIX_SECONDS,
}
_BY_NAME: Final[dict[str, Type]] = {
    "seconds": t.SECONDS,
    "milliseconds": t.MILLISECONDS,
    "count": t.COUNT,
    "field": t.FIELD,
    "value": t.VALUE,
    "element": t.VALUE,
    "pattern": t.PATTERN,
}
_ALSO: Final = {"key": "a key", "integer": "a number", "count": "a number", "pattern": "a pattern"}
_SECRETS: Final = ("password", "passwd", "secret")


class Foreign(Command):
    """A command as a server describes it: one that the table does not have. It writes if it may."""

    __slots__ = ()

    def may_write(self) -> bool:
        """Does it write, or run a script that may?"""
        runs_scripts = "scripting" in self.acl.split() and "readonly" not in self.flags
        return "write" in self.flags or (runs_scripts and self.words == 1)


# -- replies to facts --------------------------------------------------------------------


def facts(docs: Reply, info: Reply) -> Facts:
    """What the two replies say, by the commands' names in capitals; empty when they say nothing."""
    found: Facts = {}
    for row in _items(info):
        _add_row(found, row)
    for name, doc in _pairs(docs):
        _add_doc(found, name, doc)
    return found


def _items(reply: Reply) -> list[Reply]:
    return reply if isinstance(reply, list) else reply.items if isinstance(reply, Set) else []


def _pairs(reply: Reply) -> list[tuple[str, Reply]]:
    """The pairs of a map, or of the flat array that stands for one."""
    if isinstance(reply, Map):
        pairs = reply.pairs
    else:
        flat = _items(reply)
        pairs = list(zip(flat[::2], flat[1::2], strict=False))
    named = ((_word(name), value) for name, value in pairs)
    return [(name, value) for name, value in named if name]


def _word(reply: Reply) -> str:
    """A string of any sort; empty for anything else."""
    if isinstance(reply, Verbatim):
        reply = reply.data
    if isinstance(reply, bytes):
        return reply.decode("utf-8", "replace")
    return reply.text if isinstance(reply, Simple) else ""


def _words(reply: Reply) -> list[str]:
    return [word for word in map(_word, _items(reply)) if word]


def _place(found: Facts, name: str) -> Facts | None:
    """The facts of a command, or of the subcommand that `config|get` names."""
    for index, word in enumerate(name.upper().split("|")[:2]):
        if not _is_name(word):
            return None
        if index:
            found = found.setdefault("subcommands", {})
        found = found.setdefault(word, {})
    return found


def _add_row(found: Facts, row: Reply) -> None:
    """One of COMMAND's rows: name, arity, flags, places of keys, categories, tips, specs, subcommands."""
    parts = _items(row)
    fact = _place(found, _word(parts[0])) if len(parts) >= 6 else None
    if fact is None:
        return
    fact["arity"] = parts[1] if isinstance(parts[1], int) else 0
    fact["flags"] = _words(parts[2])
    fact["keys"] = [number if isinstance(number, int) else 0 for number in parts[3:6]]
    fact["acl"] = _words(parts[6]) if len(parts) > 6 else []
    for inner in _items(parts[9]) if len(parts) > 9 else ():
        if "|" in _word((_items(inner) or [None])[0]):
            _add_row(found, inner)


def _add_doc(found: Facts, name: str, doc: Reply) -> None:
    fact = _place(found, name)
    if fact is None:
        return
    said = dict(_pairs(doc))
    for field in ("summary", "since", "group", "complexity", "module"):
        if field in said:
            fact[field] = _word(said[field])
    fact["documented"] = True
    if "arguments" in said:
        fact["arguments"] = [_argument(one, 0) for one in _items(said["arguments"])]
    for inner, its in _pairs(said.get("subcommands")):
        _add_doc(found, inner if "|" in inner else f"{name}|{inner}", its) if "|" not in name else None


def _argument(reply: Reply, depth: int) -> Facts:
    said = dict(_pairs(reply))
    argument: Facts = {
        field: _word(said[field]) for field in ("name", "type", "token", "since", "summary") if field in said
    }
    if "flags" in said:
        argument["flags"] = _words(said["flags"])
    if "arguments" in said and depth < _DEPTH_MAX:
        argument["arguments"] = [_argument(one, depth + 1) for one in _items(said["arguments"])]
    return argument


# -- facts to commands ---------------------------------------------------------------------


def commands(known: object) -> dict[bytes, Foreign]:
    """Every command that the facts tell of, by its first word; a container holds its subcommands by their second."""
    found: dict[bytes, Foreign] = {}
    count = 0
    for name, fact in _named(known):
        if count >= COMMANDS_MAX:
            break
        command = _command(name, fact)
        for word, inner in sorted(_named(fact.get("subcommands")), key=itemgetter(0)):
            command.subcommands[word.encode()] = _command(f"{name} {word}", inner)
        count += 1 + len(command.subcommands)
        found[name.encode()] = command
    return found


def vocabulary(theirs: Mapping[bytes, Foreign]) -> dict[bytes, Command]:
    """The table, and what a server has besides; a container of the table gets the subcommands that only it has."""
    every: dict[bytes, Command] = {**theirs, **BY_WORD}
    for word, ours in BY_WORD.items():
        other = theirs.get(word)
        if other is not None and ours.subcommands:
            both = copy(ours)
            both.role = Role("command", ours.name, both)
            both.subcommands = {**other.subcommands, **ours.subcommands}
            both.open = not other.subcommands  # it does not say which it has
            every[word] = both
    return every


def tokens(fact: object) -> frozenset[str]:
    """Every token in a command's arguments, in capitals."""
    found: set[str] = set()
    todo: list[tuple[object, int]] = [(fact, 0)]
    while todo:
        one, depth = todo.pop()
        if isinstance(one, dict):
            token = one.get("token")
            if isinstance(token, str):
                found.add(token.upper())
            inner = one.get("arguments")
            if isinstance(inner, list) and depth <= _DEPTH_MAX:
                todo += [(argument, depth + 1) for argument in inner]
    return frozenset(found)


def fact_of(known: object, name: str) -> Facts | None:
    """What the facts say of a command, or of the subcommand that two words name."""
    fact = known
    for index, word in enumerate(name.upper().split(" ")[:2]):
        fact = fact.get("subcommands") if index and isinstance(fact, dict) else fact
        fact = fact.get(word) if isinstance(fact, dict) else None
    return fact if isinstance(fact, dict) else None


def _named(known: object) -> Iterator[tuple[str, Facts]]:
    """Names that are plain words, with facts that are facts."""
    if isinstance(known, dict):
        for name, fact in list(known.items())[:COMMANDS_MAX]:
            if isinstance(name, str) and _is_name(name) and isinstance(fact, dict):
                yield name.upper(), fact


def _is_name(name: str) -> bool:
    return 0 < len(name) <= _NAME_MAX and name.isascii() and name.isprintable() and not set(" '\"\\|") & set(name)


def _text(value: object, most: int = _TEXT_MAX) -> str:
    """One line that is safe to look at."""
    text = " ".join(visible(value[: 2 * most]).split()) if isinstance(value, str) else ""
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _sentence(value: object) -> str:
    """Without its full stop, as the table's."""
    text = _text(value)
    return text if text.endswith("...") else text.rstrip(".")


def _numbers(value: object) -> list[int]:
    if not isinstance(value, list):
        return []
    return [one if isinstance(one, int) and abs(one) <= _NUMBER_MAX else 0 for one in value[:3]]


def _strings(value: object) -> list[str]:
    return [one for one in value[:_ARGUMENTS_MAX] if isinstance(one, str)] if isinstance(value, list) else []


def version(value: object) -> tuple[int, ...] | None:
    """`7.0.15` as numbers; None for anything else."""
    if not isinstance(value, str) or len(value) > 40:
        return None
    numbers = value.split(".")
    return tuple(map(int, numbers)) if all(one.isascii() and one.isdigit() for one in numbers) else None


def _command(name: str, fact: Facts) -> Foreign:
    arity = ([*_numbers([fact.get("arity")]), 0])[0]
    first, last, step = [*_numbers(fact.get("keys")), 0, 0, 0][:3]
    keys = Keys(first, last, step)
    nodes = _nodes(fact.get("arguments"), 0)
    words = name.count(" ") + 1
    takes_more = arity != words if arity else not fact.get("documented")  # modules describe little
    if not nodes and not fact.get("subcommands") and takes_more:
        nodes = _generic(arity, keys, words)
    since = fact.get("since")
    command = Foreign(
        name, arity, part(nodes), summary=_sentence(fact.get("summary")),
        since=since if isinstance(since, str) and version(since) else _UNKNOWN_SINCE,
        group=_text(fact.get("group"), _NAME_MAX) or "module", complexity=_text(fact.get("complexity")),
        flags=" ".join(_text(flag, _NAME_MAX) for flag in _strings(fact.get("flags"))),
        acl=" ".join(_text(one, _NAME_MAX).removeprefix("@") for one in _strings(fact.get("acl"))), keys=keys,
    )  # fmt: skip
    command.writes = command.may_write()
    return command


def _nodes(arguments: object, depth: int, since: str | None = None) -> tuple[Node, ...]:
    if not isinstance(arguments, list) or depth > _DEPTH_MAX:
        return ()
    made = (_node(one, depth, since) for one in arguments[:_ARGUMENTS_MAX] if isinstance(one, dict))
    return tuple(node for node in made if node is not None)


def _node(argument: Facts, depth: int, since: str | None) -> Node | None:
    """One argument of COMMAND DOCS; None when it stands for no word. `since`: when what it is part of came."""
    since = said if isinstance(said := argument.get("since"), str) and version(said) else since
    kind, flags = argument.get("type"), set(_strings(argument.get("flags")))
    name = _text(argument.get("name"), _NAME_MAX) or "arg"
    inner = _nodes(argument.get("arguments"), depth + 1, since) if kind in ("block", "oneof") else ()
    token = argument.get("token")
    if not isinstance(token, str) or not _is_name(token):
        token = None
    if kind in ("block", "oneof") and not inner and token is None:
        return None
    word = None
    if kind not in ("block", "oneof", "pure-token"):
        type = _type(name, kind, token)
        word = Arg(name, type, note=_note(name, type))
    keyword = None
    if token is not None:
        args = [word] if word is not None else [arg for node in inner for arg in node.args()]
        keyword = Keyword(token, args, since, _text(argument.get("summary")))
    elif kind == "pure-token":
        return None
    return Node(
        keyword=keyword, word=word, inner=inner, choice=kind == "oneof", optional="optional" in flags,
        many="multiple" in flags or "multiple_token" in flags, again="multiple_token" in flags and token is not None,
    )  # fmt: skip


def _type(name: str, kind: object, token: str | None) -> Type:
    """How a word is coloured and explained, and what is offered for it."""
    low = name.lower()
    if low == "auth" or any(secret in low for secret in _SECRETS):
        return t.SECRET
    if kind == "unix-time" and ("milli" in low or (token or "").startswith("PX")):
        return t.UNIX_MILLISECONDS
    if kind in ("integer", "string"):
        named = _BY_NAME.get(low)
        if named is not None and (named.read is None) == (kind == "string"):
            return named
    return _BY_KIND.get(kind, t.TEXT) if isinstance(kind, str) else t.TEXT


def _note(name: str, type: Type) -> str:
    """What its name says of a word, where its type says less."""
    if type.name in name or type.name in ("secret", "unix-time", "unix-time-ms"):
        return ""
    said = name.replace("-", " ").replace("_", " ")
    return f"{said}, {_ALSO[type.name]}" if type.name in _ALSO else said


def _generic(arity: int, keys: Keys, words: int) -> tuple[Node, ...]:
    """Words of which nothing is known but how many there are, and where keys stand."""
    if not arity:
        return (_generic_word(False, many=True, optional=True),)
    step = max(1, min(keys.step, _GENERIC_MAX))
    if arity < 0 and keys.first >= words and -_GENERIC_MAX <= keys.last < 0:
        head = [_generic_word(False) for _ in range(words, min(keys.first, words + _GENERIC_MAX))]
        row = tuple(_generic_word(index == 0) for index in range(step))
        return (*head, Node(inner=row, many=True), *(_generic_word(False) for _ in range(-1 - keys.last)))
    last = keys.last if keys.last >= 0 else _NUMBER_MAX
    least = max(abs(arity), 0 if arity > 0 else keys.first + 1)
    nodes = tuple(
        _generic_word(0 < keys.first <= at <= last and (at - keys.first) % step == 0)
        for at in range(words, min(least, words + _GENERIC_MAX))
    )
    if arity > 0:
        return nodes
    if nodes and nodes[-1].word is not None and nodes[-1].word.type is not t.KEY:
        return (*nodes[:-1], _generic_word(False, many=True))
    return (*nodes, _generic_word(False, many=True, optional=True))


def _generic_word(key: bool, *, many: bool = False, optional: bool = False) -> Node:
    return Node(word=Arg("key", t.KEY) if key else Arg("arg", t.TEXT), many=many, optional=optional)
