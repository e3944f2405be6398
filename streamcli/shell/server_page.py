"""The help on a command that only the server knows, made of what the server says of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from streamcli.grammar.foreign import Foreign
from streamcli.grammar.parse import Call
from streamcli.grammar.spec import Command
from streamcli.shell.vocabulary import Vocabulary, in_force

_SYNTAX = "```syntax\n{}\n```\n"


def server_page(words: Sequence[str]) -> str | None:
    """CommonMark on the command that the words name; None when the vocabulary in force has no such command."""
    known = in_force()
    call = known.parse([word.encode("utf-8", "replace") for word in words])
    command = _named(call)
    if command is None or len(words) > command.words or not (isinstance(command, Foreign) or command.open):
        return None
    return "\n".join(_lines(command, known)) + "\n"


def _named(call: Call) -> Command | None:
    """The command; a container without a subcommand is one, too."""
    role = call.roles[0] if call.roles else None
    return call.command or (role.part if role is not None and isinstance(role.part, Command) else None)


def _lines(command: Command, known: Vocabulary) -> Iterator[str]:
    yield f"# {command.name}\n"
    if command.summary:
        yield f"{_literal(command.summary)}.\n"
    if not command.subcommands:
        yield _SYNTAX.format(command.usage())
    if command.since != "0":
        yield f"Since {command.since}.\n"
    for one in command.subcommands.values():
        yield f"- **{_literal(one.name)}**{f' {_literal(one.summary)}' if one.summary else ''}"
    if command.subcommands:
        yield ""
    facts = (
        ("Group", command.group),
        ("Complexity", command.complexity),
        ("Flags", ", ".join(sorted(command.flags))),
        ("ACL categories", ", ".join(f"@{one}" for one in command.acl.split())),
    )
    for name, text in facts:
        if text:
            yield f"- {name}: {_literal(text)}"
    yield f"\n{_literal(known.name)} says this of its own command; there is no page on it.\n"


def _literal(text: str) -> str:
    """Words of a server's, which are no CommonMark."""
    return "".join(f"\\{one}" if one in "\\`*_{}[]()#+-.!|<>&~" else one for one in text)
