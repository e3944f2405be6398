"""What a user can say on the command line, and what comes of it.

OPTIONS is the one list of flags: `read` takes a command line by it, the help
and the shell completions are made from it. A `Settings` is what was said, over
the environment, over the config file (`with_profile`), over the defaults; it is
never changed.

`read` is small because every start pays for it (click alone takes longer to
import than the whole of Python): it knows flags, values and words. Help, and
the wording of what is wrong, are click's, in `cli`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from streamcli.render import FORMATS

if TYPE_CHECKING:
    from streamcli.shell.config import Config

DURABILITY = ("normal", "full")
_NUMBERS = (0, 15)  # of databases
SOURCE = "md"  # a format of help pages alone


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
    Flag(("-n",), "number", "Use this database number.", "N", number=_NUMBERS),
    Flag(("-2",), "protocol", "Answer as in RESP2 (the default).", sets=2),
    Flag(("-3",), "protocol", "Answer as in RESP3: maps are maps.", sets=3),
    Flag(
        ("--format",), "format", "How replies are shown (default: tree on a terminal, else raw).", "FORMAT",
        choices=(*FORMATS, SOURCE),
    ),
    Flag(("--continue-on-error",), "continue_on_error", "Go on after a command that fails."),
    Flag(
        ("--durability",), "durability", "What an acknowledged write survives: the process, or the machine.",
        "LEVEL", choices=DURABILITY,
    ),
    Flag(("--read-only",), "read_only", "Refuse commands that write."),
    Flag(("-y", "--yes"), "yes", "Do not ask before what cannot be undone."),
    Flag(("--no-config",), "no_config", "Do not read the config file."),
)  # fmt: skip

VERBS = (  # words that the program runs itself, and does not send: name and help
    ("help", "Show a page of the help: help xread, help ids, help @stream."),
    ("explain", "Say what each word of a command line means."),
)


class Settings(NamedTuple):
    """What a run is to do. Bytes are words of commands; `db` None is the default file; `profile` has no `@`."""

    execute: tuple[bytes, ...] = ()
    file: tuple[str, ...] = ()
    words: tuple[bytes, ...] = ()
    last_from_stdin: bool = False
    db: str | None = None
    memory: bool = False
    number: int | None = None
    protocol: int = 2
    format: str | None = None
    continue_on_error: bool = False
    durability: str = "normal"
    read_only: bool = False
    yes: bool = False
    no_config: bool = False
    profile: str | None = None

    @property
    def verb(self) -> str | None:
        """The one of VERBS that the words begin with."""
        first = self.words[0].decode("latin-1").lower() if self.words else ""
        return first if any(first == name for name, _ in VERBS) else None


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
    if words and words[0][:1] == "@" and len(words[0]) > 1:  # no command begins so
        given["profile"], words = words[0][1:], words[1:]
        if words and words[0][:1] == "-" and len(words[0]) > 1:
            raise UsageError(f"options come before @{given['profile']}")
        if given.get("no_config"):
            raise UsageError(f"give @{given['profile']} or --no-config, not both")
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
    if settings.format == SOURCE and settings.verb != "help":
        raise UsageError(f"--format {SOURCE} is for help pages: streamcli --format {SOURCE} help xread")
    if settings.last_from_stdin and not settings.words:
        raise UsageError("-x needs a command, whose last word is read from standard input")
    return settings


def with_profile(settings: Settings, config: Config) -> Settings:
    """The settings with what their profile says put under what the command line says.

    Raises UsageError when there is no such profile, and when it cannot be gone to.
    """
    name = settings.profile
    if name is None:
        return settings
    profile = config.profiles.get(name)
    if profile is None:
        raise UsageError(_no_profile(name, config))
    if profile.fault is not None:
        raise UsageError(f"profile {name} cannot be used: {profile.fault}")
    if profile.url is not None:
        raise UsageError(f"profile {name} is a server, and servers cannot be reached yet")
    if settings.number is None and profile.number > _NUMBERS[1]:
        raise UsageError(f"profile {name} cannot be used: number must be {_NUMBERS[0]} to {_NUMBERS[1]}")
    changed = settings._replace(
        number=(profile.number or None) if settings.number is None else settings.number,
        read_only=settings.read_only or profile.read_only,
    )
    if settings.memory or settings.db is not None:
        return changed
    return changed._replace(db=profile.db, memory=profile.memory)


def _no_profile(name: str, config: Config) -> str:
    from difflib import get_close_matches

    if not config.profiles:
        return f"there is no profile {name}: {config.path or 'the config file'} has none"
    near = get_close_matches(name, list(config.profiles), 1, 0.6)
    hint = (
        f"did you mean @{near[0]}?" if near else f"it has {', '.join(f'@{each}' for each in sorted(config.profiles))}"
    )
    return f"there is no profile {name} in {config.path} ({hint})"


def data_file(environment: Mapping[str, str]) -> str:
    """The default database, in the user's data folder (XDG Base Directory); the folder is made if it is missing."""
    from streamcli.folders import folder

    ours = folder(environment, "XDG_DATA_HOME", ".local", "share")
    os.makedirs(ours, mode=0o700, exist_ok=True)
    return os.path.join(ours, "default.db")
