"""What a user can say on the command line, and what comes of it.

OPTIONS is the one list of flags: `read` takes a command line by it, the help
and the shell completions are made from it. A `Settings` is what was said, over
the environment, over the defaults; it is never changed.

`read` is small because every start pays for it (click alone takes longer to
import than the whole of Python): it knows flags, values and words. Help, and
the wording of what is wrong, are click's, in `cli`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from streamcli.render import FORMATS

DURABILITY = ("normal", "full")


class Flag(NamedTuple):
    """An option of the command line; `value` names what it takes, None for nothing."""

    names: tuple[str, ...]
    key: str  # of the field of Settings
    help: str
    value: str | None = None
    choices: tuple[str, ...] = ()
    repeats: bool = False
    number: tuple[int, int] | None = None  # least and most
    sets: object = True  # what a flag without a value puts into its field


OPTIONS = (
    Flag(("-e", "--execute"), "execute", "Run a command line; may be given more than once.", "COMMAND", repeats=True),
    Flag(("-f", "--file"), "file", "Run the lines of a file; - is standard input.", "FILE", repeats=True),
    Flag(("-x",), "last_from_stdin", "Take the last word of the command from standard input."),
    Flag(("--db",), "db", "Keep streams in this file (default: default.db in the user's data folder).", "FILE"),
    Flag(("--memory",), "memory", "Keep streams in memory, for this run only."),
    Flag(("-n",), "number", "Use this database number.", "N", number=(0, 15)),
    Flag(("-2",), "protocol", "Answer as in RESP2 (the default).", sets=2),
    Flag(("-3",), "protocol", "Answer as in RESP3: maps are maps.", sets=3),
    Flag(
        ("--format",), "format", "How replies are shown (default: tree on a terminal, else raw).", "FORMAT",
        choices=FORMATS,
    ),
    Flag(("--continue-on-error",), "continue_on_error", "Go on after a command that fails."),
    Flag(
        ("--durability",), "durability", "What an acknowledged write survives: the process, or the machine.",
        "LEVEL", choices=DURABILITY,
    ),
)  # fmt: skip


class Settings(NamedTuple):
    """What a run is to do. Bytes are words of commands; `db` None is the default file."""

    execute: tuple[bytes, ...] = ()
    file: tuple[str, ...] = ()
    words: tuple[bytes, ...] = ()
    last_from_stdin: bool = False
    db: str | None = None
    memory: bool = False
    number: int = 0
    protocol: int = 2
    format: str | None = None
    continue_on_error: bool = False
    durability: str = "normal"


class UsageError(Exception):
    """The command line is wrong; the text is one line for the user."""


class UnreadError(Exception):
    """`read` leaves this command line to click."""


def read(args: Sequence[str]) -> Settings:
    """The settings of a command line.

    Raises UnreadError for help and for what is wrong, UsageError for a contradiction.
    """
    by_name = {name: flag for flag in OPTIONS for name in flag.names}
    values: dict[str, object] = {}
    rest = list(args)
    while rest and rest[0].startswith("-") and rest[0] != "-":
        name = rest.pop(0)
        if name == "--":
            break
        attached: str | None = None
        if name.startswith("--") and "=" in name:
            name, _, attached = name.partition("=")
        elif not name.startswith("--") and len(name) > 2:
            name, attached = name[:2], name[2:]
        flag = by_name.get(name)
        if flag is None or (flag.value is None and attached is not None):
            raise UnreadError
        if flag.value is None:
            values[flag.key] = flag.sets
            continue
        if attached is None and not rest:
            raise UnreadError
        _put(values, flag, rest.pop(0) if attached is None else attached)
    return make(values, rest)


def _put(values: dict[str, object], flag: Flag, given: str) -> None:
    value: object = given
    if flag.number is not None:
        if (
            len(given) > 9
            or not given.isascii()
            or not given.isdigit()
            or not flag.number[0] <= int(given) <= flag.number[1]
        ):
            raise UnreadError
        value = int(given)
    if flag.choices and given not in flag.choices:
        raise UnreadError
    if flag.repeats:
        earlier = values.setdefault(flag.key, [])
        assert isinstance(earlier, list)
        earlier.append(value)
    else:
        values[flag.key] = value


def make(values: Mapping[str, object], words: Sequence[str]) -> Settings:
    """Settings of what was given, checked as a whole. Raises UsageError."""
    given = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    given["words"] = tuple(os.fsencode(word) for word in words)
    execute = given.get("execute", ())
    assert isinstance(execute, tuple)
    given["execute"] = tuple(os.fsencode(line) for line in execute)
    settings = Settings(**given)  # type: ignore[arg-type]
    ways = [
        name for name, used in (("-e", settings.execute), ("-f", settings.file), ("a command", settings.words)) if used
    ]
    if len(ways) > 1:
        hint = "; a line after -e is one word, in quotes" if "-e" in ways and settings.words else ""
        raise UsageError(f"give {' or '.join(ways)}, not both{hint}")
    if settings.memory and settings.db is not None:
        raise UsageError("give --db or --memory, not both")
    if settings.last_from_stdin and not settings.words:
        raise UsageError("-x needs a command, whose last word is read from standard input")
    return settings


def data_file(environment: Mapping[str, str]) -> str:
    """The default database, in the user's data folder (XDG Base Directory); the folder is made if it is missing."""
    home = environment.get("XDG_DATA_HOME", "")
    if not os.path.isabs(home):  # the specification: a relative path is to be ignored
        user = environment.get("HOME", "")
        if not os.path.isabs(user):
            import pwd

            user = pwd.getpwuid(os.getuid()).pw_dir
        os.stat(user)  # a home that is not there is not to be made
        home = os.path.join(user, ".local", "share")
    folder = os.path.join(home, "streamcli")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    return os.path.join(folder, "default.db")
