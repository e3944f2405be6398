"""The help on a command that only the server knows, made of what the server says of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from streamcli.grammar.commands import COMMANDS
from streamcli.grammar.foreign import Foreign
from streamcli.grammar.parse import Call
from streamcli.grammar.spec import Command, Option
from streamcli.shell.vocabulary import Vocabulary, in_force

_NEAR_MOST, _NEAR = 5, 0.75  # names, and how much of them must be alike


def server_page(words: Sequence[str]) -> str | None:
    """CommonMark on the command that the words name; None when the vocabulary in force has no such command."""
    known = in_force()
    call = known.parse([word.encode("utf-8", "replace") for word in words])
    command = _named(call)
    if command is None or len(words) > command.words or not (isinstance(command, Foreign) or command.open):
        return None
    return "\n".join(_lines(command, known)) + "\n"


def beside(topic: str) -> str:
    """CommonMark on the server's command that is called as a topic is; empty when there is none."""
    known = in_force()
    command = known.theirs.get(topic.upper().encode())
    if command is None:
        return ""
    what = f"{_literal(known.name)} has a command {_literal(command.name)}, too"
    inner = [_literal(word.decode().lower()) for word in command.subcommands]
    if not inner:
        return f"{what}{f': {_literal(command.summary)}' if command.summary else ''}."
    return f"{what}. **help {_literal(topic)} {inner[0]}** is about one of its subcommands: {', '.join(inner)}."


def beginning(word: str) -> list[str]:
    """Lines of a list, in CommonMark: the server's own commands whose names begin with the word, or nearly are it."""
    names = {command.name.lower(): command for command in in_force().theirs.values() if _is_own(command)}
    low = word.lower()
    found = sorted(name for name in names if name.startswith(low)) if len(low) > 1 else []
    found = found or get_close_matches(low, list(names), _NEAR_MOST, _NEAR)
    return [
        f"- **help {_literal(name)}**{f' {_literal(names[name].summary)}.' if names[name].summary else ''}"
        for name in found[:_NEAR_MOST]
    ]


def _is_own(command: Command) -> bool:
    """Has it no page?"""
    return command.name not in COMMANDS


def _named(call: Call) -> Command | None:
    """The command; a container without a subcommand is one, too."""
    role = call.roles[0] if call.roles else None
    return call.command or (role.part if role is not None and isinstance(role.part, Command) else None)


def _lines(command: Command, known: Vocabulary) -> Iterator[str]:
    yield f"# {_title(command.name)}\n"
    if command.summary:
        yield f"{_literal(command.summary)}.\n"
    if not command.subcommands:
        yield _fenced(command.usage())
    if command.since != "0":
        yield f"Since {command.since}.\n"
    for one in command.subcommands.values():
        yield f"- **{_literal(one.name)}**{f' {_literal(one.summary)}' if one.summary else ''}"
    if command.subcommands:
        yield ""
    yield from _options(command)
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


def _options(command: Command) -> Iterator[str]:
    """Its keywords, each once, with what the server says of them."""
    parts = [role.part for _, roles in command.pieces() for role in roles]
    options = {part.token: part for part in reversed(parts) if isinstance(part, Option)}
    if options:
        yield "## Options\n"
    for option in reversed(options.values()):
        note = f" {_literal(option.note)}" if option.note else ""
        since = f" (since {option.since})" if option.since else ""
        yield f"- **{_literal(option.usage())}**{note}{since}"
    if options:
        yield "\n## Facts\n"


def _title(name: str) -> str:
    """A name in a heading; of most there is nothing to escape."""
    return name if all(one.isalnum() or one in " .-" for one in name) else _literal(name)


def _fenced(usage: str) -> str:
    """A syntax line between fences longer than any that it has itself."""
    longest = max(map(len, re.findall("`+", usage)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}syntax\n{usage}\n{fence}\n"


def _literal(text: str) -> str:
    """Words of a server's, which are no CommonMark."""
    return "".join(f"\\{one}" if one in "\\`*_{}[]()#+-.!|<>&~" else one for one in text)
