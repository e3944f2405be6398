"""What a case of advice is made of: the error, the call it answers, and the words to speak of them.

`about` collects who has something to say about which error: `wrong_words` and
`advice` do. What a command takes is said in the table's words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from streamcli.grammar.parse import Call
from streamcli.grammar.spec import Arg, Command, Halves, Maybe, Option, Options, Part
from streamcli.reply import Error
from streamcli.shell.lookup import Browse, named

if TYPE_CHECKING:
    from streamcli.backend import Server
    from streamcli.shell.line import Line

LINE_MAX = 160  # characters of an advice
COMPARED_MAX = 60  # characters of a word that is compared with names, or read as a number


class Case:
    """An error, the call it answers, and `at`: the index of the word it is about, None when that is not known.

    `server` is who answered; None for the engine in this process.
    """

    __slots__ = ("at", "browse", "call", "command", "error", "indent", "line", "server")

    def __init__(
        self, call: Call, error: Error, browse: Browse, line: Line | None, indent: int, server: Server | None = None
    ) -> None:
        self.call, self.error, self.browse, self.line, self.indent = call, error, browse, line, indent
        self.command, self.server = call.command, server
        self.at = next((problem.at for problem in call.problems if problem.error == error), None)

    @property
    def word(self) -> str | None:
        """The word it is about, as a sentence shows it."""
        return None if self.at is None or self.at >= len(self.call.argv) else named(self.call.argv[self.at])

    @property
    def arg(self) -> Arg | None:
        """The argument that the word is read as."""
        roles = self.call.roles
        role = roles[self.at] if self.at is not None and self.at < len(roles) else None
        return role.part if role is not None and isinstance(role.part, Arg) else None

    @property
    def option(self) -> Option | None:
        """The option that the argument belongs to."""
        for role in reversed(self.call.roles[: self.at]):
            if role is not None and isinstance(role.part, Option):
                return role.part if self.arg in role.part.args else None
        return None

    def words(self, kind: str) -> list[bytes]:
        """The words of a kind: keys, groups."""
        pairs = zip(self.call.argv, self.call.roles, strict=False)
        return [word for word, role in pairs if role is not None and role.kind == kind]

    def first(self, kind: str) -> bytes | None:
        return next(iter(self.words(kind)), None)


Advice: TypeAlias = Callable[[Case], str | None]
ABOUT: dict[str, Advice] = {}


def about(*errors_or_codes: Error | str) -> Callable[[Advice], Advice]:
    """Register advice for errors that begin so."""

    def register(advice: Advice) -> Advice:
        ABOUT.update({one.text if isinstance(one, Error) else one: advice for one in errors_or_codes})
        return advice

    return register


# -- the words of sentences ------------------------------------------------------------


def stem(error: Error) -> str:
    """How a text begins that goes on with a user's word."""
    return error.text.partition("'")[0]


def listed(words: Iterable[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    *before, final = words
    return f"{', '.join(before)} {last} {final}" if before else final


def with_usage(said: str, command: Command | None) -> str:
    """The sentence, and as much of the syntax line as there is room for: without its options, if it is too long."""
    usage = command.usage() if command is not None else ""
    room = LINE_MAX - len(said) - 2
    if len(usage) > room:
        usage = _in_brief(usage)
    if len(usage) > room:
        usage = usage[: max(0, room - 4)].rpartition(" ")[0]
        usage += " ..." if " " in usage else ""
    return f"{said}: {usage}" if " " in usage else said


def _in_brief(usage: str) -> str:
    """The syntax line with `[...]` in place of options that may be left out."""
    parts: list[str] = []
    depth = 0
    for word in usage.split(" "):
        parts[-1:] = [f"{parts[-1]} {word}"] if depth else [*parts[-1:], word]
        depth += word.count("[") - word.count("]")
    brief = ["[...]" if part.startswith("[") and part.lstrip("[<")[:1].isupper() else part for part in parts]
    return " ".join([part for at, part in enumerate(brief) if part != "[...]" or brief[at - 1] != part])


def nearest(word: bytes, names: Iterable[bytes]) -> bytes | None:
    """The name that the word may have been meant for."""
    from difflib import get_close_matches

    texts = {name[:COMPARED_MAX].decode("latin-1"): name for name in names}
    near = get_close_matches(word[:COMPARED_MAX].decode("latin-1"), texts, 1, 0.7)
    return texts[near[0]] if near else None


def words_of(parts: Iterable[Part]) -> Iterator[Option | Halves]:
    """Everything in the parts that begins with a keyword."""
    for part in parts:
        if isinstance(part, Options):
            for option in part.options:
                yield option
                if option.then:
                    yield from words_of([option.then])
        elif isinstance(part, Halves):
            yield part
        elif isinstance(part, Maybe):
            yield from words_of(part.parts)


def keywords_of(command: Command) -> dict[bytes, Option | Halves]:
    found = [one for one in words_of(command.parts) if not (isinstance(one, Option) and one.refused)]
    return {one.token.encode(): one for one in found}


def needs_one_of(command: Command) -> list[Option]:
    """The options one of which must be given."""
    needs = {part.needs for part in command.parts if isinstance(part, Options)} - {None}
    return [one for one in words_of(command.parts) if isinstance(one, Option) and {one.token, one.one_of} & needs]


def given_options(case: Case) -> list[Option]:
    """The options of the line, in order."""
    parts = [role.part for role in case.call.roles if role is not None and role.kind == "token"]
    return [part for part in parts if isinstance(part, Option)]


def subcommands_of(container: Command) -> str | None:
    """`XINFO goes on with STREAM, GROUPS, CONSUMERS or HELP`."""
    names = [name.decode() for name in container.subcommands]
    return f"{container.name} goes on with {listed(names, 'or')}" if names else None
