"""The words a command's grammar is written in.

A command is a row of parts, in the order in which Redis looks at them. Each
part knows how many words it takes, what they are called and how help prints
them; nothing here knows what they mean. Plain classes, because the table is
built at every start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

from streamcli import errors
from streamcli.grammar.types import Type
from streamcli.reply import Error

Args: TypeAlias = Mapping[str, Any]
Argv: TypeAlias = tuple[bytes, ...]
Rule: TypeAlias = Callable[[Args, int], Error | None]  # what was read so far, number of words


class Role:
    """What one word is: `kind` is "command", "token", "mark" or a type's name.

    `part` is what of the table it is a word of. Roles are equal when kind and
    name are; whoever needs to know which of two equal ones it is asks with `is`.
    """

    __slots__ = ("kind", "name", "part")

    def __init__(self, kind: str, name: str, part: Arg | Option | Halves | Command | None = None) -> None:
        self.kind, self.name, self.part = kind, name, part

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Role) and (self.kind, self.name) == (other.kind, other.name)

    def __hash__(self) -> int:
        return hash((self.kind, self.name))

    def __repr__(self) -> str:
        return f"Role({self.kind!r}, {self.name!r})"


Piece: TypeAlias = "tuple[str, tuple[Role, ...]]"
"""Some text of a syntax line, and the roles of the words it stands for."""


def _text(pieces: Iterable[Piece]) -> str:
    return "".join([text for text, _ in pieces])


def _key(name: str) -> str:
    return name.lower().replace("-", "_")


class Arg:
    """A positional word.

    `many` takes every word to the end of the line, `run` every word up to the
    first that does not read as its type, `optional` none or one. `late`: Redis
    reads it after other checks, so that its value may be an Error, for the
    handler to raise in its turn. `shown` is how a syntax line writes it, when
    its name does not say enough. `note` says in a short phrase what it is for,
    where neither its name nor its option's note does. "so many" and "so long"
    in it stand for the value; behind a semicolon stands what one value means
    ("0: no limit"), or what holds without it ("else 10").
    """

    __slots__ = ("key", "late", "many", "name", "note", "optional", "read", "role", "run", "shown", "type")

    def __init__(
        self,
        name: str,
        type: Type,
        *,
        many: bool = False,
        run: bool = False,
        late: bool = False,
        optional: bool = False,
        shown: str | None = None,
        note: str = "",
    ) -> None:
        self.name, self.type, self.read, self.shown, self.note = name, type, type.read, shown, note
        self.many, self.run, self.late, self.optional = many, run, late, optional
        self.key = _key(name)
        self.role = Role(type.name, name, self)

    def usage(self) -> str:
        if self.shown:
            return self.shown
        if self.many or self.run:
            return f"{self.name} [{self.name} ...]"
        return f"[{self.name}]" if self.optional else self.name

    def pieces(self) -> Iterator[Piece]:
        yield self.usage(), (self.role,)


class Option:
    """A keyword, and the words that must follow it; no words makes a flag.

    A handler is given one word by the token's name, several by their own.

    Options that share `one_of` exclude each other with the answer `clash`
    (None: a later Check decides; with `replaces` the last one counts); `again`
    lets the same one come twice all the same. `within` names the `one_of` it
    belongs to, in syntax lines, and without which it is an error; `with_mark`
    the mark that this must have; `beside` the one without which it does nothing.
    `single`: once one of its `one_of` is there, it is a word like any other.
    `fewer` makes it counted: its first word says how many of its second it
    takes, and fewer answer that. `refused` makes it known only to be turned
    down. `rule` is looked at as soon as its words are read. `then` are options
    that may only follow this one. `since` is the version of Redis that brought
    it; None: as old as its command. `note` says in a short phrase what it does,
    in the same manner as an Arg's.
    """

    __slots__ = (
        "again", "args", "beside", "clash", "counted", "fewer", "first", "key", "mark_key", "mark_role", "marks",
        "note", "one_of", "refused", "replaces", "role", "rule", "since", "single", "then", "token", "with_mark",
        "within",
    )  # fmt: skip

    def __init__(
        self,
        token: str,
        *args: Arg,
        marks: tuple[str, ...] = (),
        one_of: str | None = None,
        clash: Error | None = errors.SYNTAX,
        again: bool = False,
        replaces: bool = False,
        single: bool = False,
        fewer: Error | None = None,
        within: str | None = None,
        with_mark: str | None = None,
        beside: str | None = None,
        refused: Error | None = None,
        rule: Rule | None = None,
        then: Options | None = None,
        since: str | None = None,
        note: str = "",
    ) -> None:
        self.token, self.args, self.marks, self.one_of, self.clash = token, args, marks, one_of, clash
        self.within, self.with_mark, self.replaces, self.note = within, with_mark, replaces, note
        self.beside = beside
        self.again, self.refused, self.rule, self.then, self.since = again, refused, rule, then, since
        self.single, self.fewer, self.counted = single, fewer, fewer is not None
        self.key = _key(token)
        self.first = args[0].key if len(args) > 1 else self.key  # what it is known by, once it is read
        self.mark_key = f"{self.key}_mark"
        self.role = Role("token", token, self)
        self.mark_role = Role("mark", token, self)

    def usage(self) -> str:
        return _text(self.pieces())

    def words_pieces(self) -> Iterator[Piece]:
        """What follows the keyword: ` [= | ~] threshold`."""
        if self.marks:
            yield f" [{' | '.join(self.marks)}]", (self.mark_role,)
        for arg in self.args:
            yield " ", ()
            yield from arg.pieces()

    def pieces(self) -> Iterator[Piece]:
        yield self.token, (self.role,)
        yield from self.words_pieces()
        if self.then:
            yield " ", ()
            yield from self.then.pieces()


class Options:
    """Options in any order. One given twice counts the last time, as in Redis.

    `unknown` makes the error for a word that is none of them; without it such
    a word ends the options. `once` takes at most one option. `needs` names the
    option, or the `one_of`, that a Check will miss.
    """

    __slots__ = ("by_token", "needs", "once", "options", "unknown")

    def __init__(
        self,
        *options: Option,
        unknown: Callable[[Argv, int], Error] | None = None,
        once: bool = False,
        needs: str | None = None,
    ) -> None:
        self.options, self.unknown, self.once, self.needs = options, unknown, once, needs
        self.by_token = {option.token.encode(): option for option in options}

    def rooms(self) -> dict[str, list[Option]]:
        """The options that exclude each other, with what belongs to them, under their common name."""
        rooms: dict[str, list[Option]] = {}
        for option in self.options:
            if not option.refused:
                rooms.setdefault(option.one_of or option.within or option.token, []).append(option)
        return rooms

    def pieces(self) -> Iterator[Piece]:
        """Options that exclude each other stand in one pair of brackets, as in Redis's syntax lines."""
        for index, (name, options) in enumerate(self.rooms().items()):
            if index:
                yield " ", ()
            yield from _room(options, needed=True) if name == self.needs else _in_brackets(_room(options))


def _in_brackets(pieces: Iterable[Piece]) -> Iterator[Piece]:
    yield "[", ()
    yield from pieces
    yield "]", ()


def _room(options: list[Option], *, needed: bool = False) -> Iterator[Piece]:
    """`A | B`; `<A | B> words [C word]` when A and B take the same words and C belongs to them.

    Where one is `needed`, `<A | B>` all the same.
    """
    choices = [option for option in options if not option.within]
    words = {_text(option.words_pieces()) for option in choices}
    together = len(choices) > 1 and len(words) == 1 and words != {""}
    angles = together or (needed and len(choices) > 1)
    if angles:
        yield "<", ()
    for index, option in enumerate(choices):
        if index:
            yield " | ", ()
        yield from [(option.token, (option.role,))] if together else option.pieces()
    if angles:
        yield ">", ()
    if together:
        for same in zip(*(option.words_pieces() for option in choices), strict=True):
            yield same[0][0], tuple(role for _, roles in same for role in roles)
    for option in options:
        if option.within:
            yield " ", ()
            yield from _in_brackets(option.pieces())


class Pairs:
    """Two words at a time to the end of the line, at least once: handed on as one flat list."""

    __slots__ = ("first", "key", "second")

    def __init__(self, key: str, first: Arg, second: Arg) -> None:
        self.key, self.first, self.second = key, first, second

    def pieces(self) -> Iterator[Piece]:
        first, second = (self.first.name, (self.first.role,)), (self.second.name, (self.second.role,))
        yield from (first, (" ", ()), second, (" [", ()), first, (" ", ()), second, (" ...]", ()))


class Halves:
    """`STREAMS key ... id ...`: the first half names, the second pairs up with it. `note`: what the token is for."""

    __slots__ = ("left", "missing", "note", "right", "role", "token", "unbalanced")

    def __init__(
        self, token: str, left: Arg, right: Arg, unbalanced: Error, missing: Error = errors.SYNTAX, note: str = ""
    ) -> None:
        self.token, self.left, self.right, self.unbalanced, self.missing = token, left, right, unbalanced, missing
        self.note = note
        self.role = Role("token", token, self)

    def pieces(self) -> Iterator[Piece]:
        yield self.token, (self.role,)
        for side in (self.left, self.right):
            yield f" {side.name} [{side.name} ...]", (side.role,)


class Ordered:
    """Positional words that Redis reads in another order than they stand in: `order` lists their indexes."""

    __slots__ = ("args", "order")

    def __init__(self, *args: Arg, order: tuple[int, ...]) -> None:
        self.args, self.order = args, order

    def pieces(self) -> Iterator[Piece]:
        return _row(self.args)


class Maybe:
    """Parts that may be missing all together."""

    __slots__ = ("parts",)

    def __init__(self, *parts: Part) -> None:
        self.parts = parts

    def pieces(self) -> Iterator[Piece]:
        return _in_brackets(_row(self.parts))


class Check:
    """No word: the place in the row where Redis looks at the words so far."""

    __slots__ = ("rule",)

    def __init__(self, rule: Rule) -> None:
        self.rule = rule

    def pieces(self) -> Iterator[Piece]:
        return iter(())


class Ignored:
    """Words that Redis takes and never looks at."""

    __slots__ = ()

    def pieces(self) -> Iterator[Piece]:
        return iter(())


class Loose:
    """Words as a server describes them: `match` names those it can, and finds nothing wrong with the others.

    It is given the whole line, where its own words begin in it, and whether
    the line is a draft; it gives a role for each of them, and what may come
    behind the last one.
    """

    __slots__ = ("match", "pieces")

    def __init__(
        self,
        match: Callable[[Argv, int, bool], tuple[list[Role | None], list[Arg | Option]]],
        pieces: Callable[[], Iterator[Piece]],
    ) -> None:
        self.match, self.pieces = match, pieces


def _row(parts: Iterable[Part]) -> Iterator[Piece]:
    """Pieces of parts that stand beside each other, a blank between those that have any."""
    first = True
    for part in parts:
        pieces = list(part.pieces())
        if pieces:
            if not first:
                yield " ", ()
            first = False
            yield from pieces


Part: TypeAlias = "Arg | Options | Pairs | Halves | Ordered | Maybe | Check | Ignored | Loose"


class Keys(NamedTuple):
    """Where a command's keys stand, as COMMAND INFO counts: first, last, step."""

    first: int = 0
    last: int = 0
    step: int = 0


NO_KEYS, ONE_KEY, ALL_KEYS, SUB_KEY = Keys(), Keys(1, 1, 1), Keys(1, -1, 1), Keys(2, 2, 1)


class Command:
    """A command, or a subcommand: a name of two words.

    `arity` is COMMAND INFO's: negative means "at least". `lookup_first`: Redis
    looks keys up before it reads the rest, so the handler says when the first
    problem is due. `access` is what its key spec says of its keys: RW or RO, and
    what more of it is known, `note` what it adds. `most` words, `too_many`
    answers (late). `queued` is False for what runs at once inside MULTI. `open`:
    a container that may have more subcommands than those that are known.
    """

    __slots__ = (
        "access", "acl", "arity", "complexity", "flags", "group", "keys", "lookup_first", "most", "name", "note",
        "open", "parts", "queued", "role", "since", "subcommands", "summary", "tips", "too_many", "words", "writes",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        arity: int,
        *parts: Part,
        summary: str,
        since: str,
        group: str = "stream",
        complexity: str = "O(1)",
        flags: str = "",
        acl: str = "",
        keys: Keys = NO_KEYS,
        access: str = "",
        note: str = "",
        tips: tuple[str, ...] = (),
        lookup_first: bool = False,
        most: int | None = None,
        too_many: Callable[[Argv], Error] = errors.bad_subcommand,
        queued: bool = True,
    ) -> None:
        self.name, self.arity, self.parts, self.summary, self.since = name, arity, parts, summary, since
        self.group, self.complexity, self.keys, self.tips = group, complexity, keys, tips
        self.flags = frozenset(flags.split())
        self.writes = "write" in self.flags
        self.access, self.note = access or ("RW" if self.writes else "RO"), note
        self.acl, self.lookup_first, self.most, self.too_many, self.queued = acl, lookup_first, most, too_many, queued
        self.words = name.count(" ") + 1
        self.role = Role("command", name, self)
        self.subcommands: dict[bytes, Command] = {}
        self.open = False

    def usage(self) -> str:
        """The syntax line: `XADD key [NOMKSTREAM] ...`."""
        return _text(self.pieces())

    def pieces(self) -> Iterator[Piece]:
        """The syntax line in pieces, each with the roles of the words that it stands for."""
        yield self.name, (self.role,)
        row = list(_row(self.parts))
        if row:
            yield " ", ()
            yield from row

    def arity_ok(self, argc: int) -> bool:
        return argc == self.arity if self.arity > 0 else argc >= -self.arity
