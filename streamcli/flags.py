"""Options as a table, and reading a row of words by it: for the command line, for verbs, for the shell's own commands.

What is wrong is left to whoever has the words for it (`UnreadError`): a start
pays for this, and not for the wording of mistakes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from streamcli.times import seconds

_NUMBER_LONGEST = 10  # digits
_ALIKE = (  # what other programs, and Redis, call an option
    ("--until", "--to", "--before"),
    ("--from", "--since", "--after", "--start"),
    ("--count", "--limit", "--most", "--max", "--lines"),
    ("--every", "--interval"),
    ("--older-than", "--idle", "--age", "--min-idle-time"),
    ("--output", "--file", "--out"),
    ("--sort", "--sort-by", "--order"),
    ("--where", "--filter", "--grep"),
)


class Flag(NamedTuple):
    """An option of the command line; `value` names what it takes, None for nothing."""

    names: tuple[str, ...]
    key: str  # what the value is kept under
    help: str
    value: str | None = None
    choices: tuple[str, ...] = ()
    repeats: bool = False
    number: tuple[int, int] | None = None  # least and most
    seconds: bool = False
    sets: object = True  # what a flag without a value puts into its field


class UsageError(Exception):
    """The command line is wrong; the text is one line for the user."""


class UnreadError(UsageError):
    """The words cannot be taken by the flags; where click is at hand it says so in its own words."""


def take(flags: Sequence[Flag], args: Sequence[str], *, anywhere: bool = False) -> tuple[dict[str, object], list[str]]:
    """The values of the flags that a row of words begins with, and the rest of it. Raises UnreadError.

    `anywhere`: flags may stand between and behind the other words, up to `--`;
    what looks like a negative number, or a time ago (`-10m`), is a word then.
    """
    by_name = {name: flag for flag in flags for name in flag.names}
    values: dict[str, object] = {}
    plain: list[str] = []
    rest = list(args)
    while rest:
        name = rest[0]
        if name[:1] != "-" or name == "-" or (anywhere and name[1:2].isdigit() and name not in by_name):
            if not anywhere:
                break
            plain.append(rest.pop(0))
            continue
        del rest[0]
        if name == "--":
            break
        attached: str | None = None
        if name.startswith("--") and "=" in name:
            name, _, attached = name.partition("=")
        elif not name.startswith("--") and len(name) > 2:
            name, attached = name[:2], name[2:]
        flag = by_name.get(name)
        if flag is None:
            raise UnreadError(f"there is no option {name}{_near(name, by_name)}")
        if flag.value is None:
            if attached is not None:
                raise UnreadError(f"{name} takes no value")
            values[flag.key] = flag.sets
            continue
        if attached is None and not rest:
            raise UnreadError(f"{name} needs a value: {flag.value}")
        _put(values, flag, name, rest.pop(0) if attached is None else attached)
    return values, plain + rest


def _near(name: str, names: Collection[str]) -> str:
    from difflib import get_close_matches

    alike = [other for row in _ALIKE if name in row for other in row if other in names][:1]
    near = alike or get_close_matches(name, [one for one in names if one.startswith("--")], 1, 0.6)
    return f"; did you mean {near[0]}?" if near else ""


def _put(values: dict[str, object], flag: Flag, name: str, given: str) -> None:
    value: object = given
    if flag.number is not None:
        least, most = flag.number
        if (
            len(given) > _NUMBER_LONGEST
            or not given.isascii()
            or not given.isdigit()
            or not least <= int(given) <= most
        ):
            raise UnreadError(f"{name} takes a number from {least} to {most}, not {given!r}")
        value = int(given)
    if flag.seconds and (value := seconds(given)) is None:
        raise UnreadError(f"{name} takes a number of seconds such as 2.5, not {given!r}")
    if flag.choices and given not in flag.choices:
        raise UnreadError(f"{name} takes {', '.join(flag.choices)}, not {given!r}")
    if flag.repeats:
        earlier = values.setdefault(flag.key, [])
        assert isinstance(earlier, list)
        earlier.append(value)
    else:
        values[flag.key] = value
