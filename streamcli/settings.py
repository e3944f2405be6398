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
from typing import TYPE_CHECKING, Any, NamedTuple

from streamcli.flags import Flag, UsageError, take
from streamcli.render import FORMATS
from streamcli.tools import TOOLS

if TYPE_CHECKING:
    from streamcli.backend.address import Address, Tls
    from streamcli.shell.config import Config

DURABILITY = ("normal", "full")
READ_FROM = ("primary", "replica")
SOURCE = "md"  # a format of help pages alone
_EXPLAINED = "tree"  # and the only one of explanations
_NUMBER_MAX, _EMBEDDED_MAX = 2**31 - 1, 15  # of databases: a server's, ours
_PORTS = (1, 65535)


GROUPS: tuple[tuple[str, tuple[Flag, ...]], ...] = (  # the options, as the help shows them
    ("What to run", (
        Flag(("-e", "--execute"), "execute", "Run a command line; may be given more than once.", "COMMAND",
             repeats=True),
        Flag(("-f", "--file"), "file", "Run the lines of a file; - is standard input.", "FILE", repeats=True),
        Flag(("-x",), "last_from_stdin", "Take the last word of the command from standard input."),
        Flag(("--continue-on-error",), "continue_on_error", "Go on after a command that fails."),
        Flag(("--read-only",), "read_only", "Refuse commands that write."),
        Flag(("-y", "--yes"), "yes", "Do not ask before what cannot be undone."),
    )),
    ("Streams of your own", (
        Flag(("--db",), "db", "Keep streams in this file (default: default.db in the user's data folder).", "FILE"),
        Flag(("--memory",), "memory", "Keep streams in memory, for this run only."),
        Flag(("--durability",), "durability", "What an acknowledged write survives: the process, or the machine.",
             "LEVEL", choices=DURABILITY),
    )),
    ("A server", (
        Flag(("-u", "--url"), "url", "Go to a server: redis://, rediss://, unix:// ... (default: STREAMCLI_URL).",
             "URL"),
        Flag(("-h", "--host"), "host", "Go to this host (default: 127.0.0.1).", "HOST"),
        Flag(("-p", "--port"), "port", "Its port (default: 6379).", "PORT", number=_PORTS),
        Flag(("-s", "--socket"), "socket", "Go to the server at a unix socket.", "FILE"),
        Flag(("-c", "--cluster"), "cluster", "The server is a node of a cluster: follow keys to their nodes."),
        Flag(("--sentinel",), "sentinel", "Ask these Sentinels, host:port,..., where the master is.", "HOSTS"),
        Flag(("--master",), "master", "The name that Sentinels know the master by.", "NAME"),
        Flag(("--read-from",), "read_from", "Which server answers commands that only read.", "WHICH",
             choices=READ_FROM),
        Flag(("--connect-timeout",), "connect_timeout", "Seconds to wait for a connection (default: 10; 0: no limit).",
             "SECONDS", seconds=True),
        Flag(("--timeout",), "timeout", "Seconds to wait for a reply (default: 0, no limit).", "SECONDS", seconds=True),
    )),
    ("Who you are to a server", (
        Flag(("--user",), "user", "Log in as this user.", "USER"),
        Flag(("-a", "--pass"), "password", "The password; safer in REDISCLI_AUTH, or by --askpass.", "PASSWORD"),
        Flag(("--askpass",), "askpass", "Ask for the password."),
        Flag(("--sentinel-user",), "sentinel_user", "Log in to Sentinels as this user.", "USER"),
        Flag(("--sentinel-pass",), "sentinel_password", "The password for Sentinels.", "PASSWORD"),
    )),
    ("TLS", (
        Flag(("--tls",), "tls", "Secure the connection."),
        Flag(("--cacert",), "cacert", "Trust the certificates of this file instead of the system's.", "FILE"),
        Flag(("--cert",), "cert", "Show the server this certificate.", "FILE"),
        Flag(("--key",), "key", "The certificate's private key.", "FILE"),
        Flag(("--sni",), "sni", "Expect, and ask for, this name instead of the host's.", "NAME"),
        Flag(("--insecure",), "insecure", "Accept any certificate: nobody checks who answers."),
    )),
    ("Everywhere", (
        Flag(("-n",), "number", "Use this database number.", "N", number=(0, _NUMBER_MAX)),
        Flag(("-2",), "protocol", "Answer as in RESP2 (the default here; on a server, of raw and classic).", sets=2),
        Flag(("-3",), "protocol", "Answer as in RESP3: maps are maps.", sets=3),
        Flag(("--format",), "format", "How replies are shown (default: tree on a terminal, else raw).", "FORMAT",
             choices=(*FORMATS, SOURCE)),
        Flag(("--json",), "format", "The same as --format json.", sets="json"),
        Flag(("--no-config",), "no_config", "Do not read the config file."),
    )),
)  # fmt: skip
OPTIONS = tuple(flag for _, flags in GROUPS for flag in flags)

_PLACE = ("url", "host", "port", "socket", "sentinel")  # fields that name a server
_ACCESS = (  # fields that only a server has a use for
    "master", "user", "password", "askpass", "sentinel_user", "sentinel_password", "tls", "cacert", "cert", "key",
    "sni", "insecure", "cluster", "read_from",
)  # fmt: skip
_TIMES = ("connect_timeout", "timeout")
_URL, _AUTH = "STREAMCLI_URL", "REDISCLI_AUTH"  # of the environment
_SECRETS = ("url", "password", "sentinel_password")

VERBS = (  # words that the program runs itself, and does not send: name and help
    *((name, f"{named.summary}.") for name, named in TOOLS.items()),
    ("help", "Show a page of the help: help xread, help ids, help @stream."),
    ("explain", "Say what each word of a command line means."),
    ("serve", "Serve streams to any Redis client: serve --help."),
)


class Settings(NamedTuple):
    """What a run is to do. Bytes are words of commands; `db` None is the default file; `profile` has no `@`."""

    execute: tuple[bytes, ...] = ()
    file: tuple[str, ...] = ()
    words: tuple[bytes, ...] = ()
    last_from_stdin: bool = False
    db: str | None = None
    memory: bool = False
    durability: str | None = None
    url: str | None = None
    host: str | None = None
    port: int | None = None
    socket: str | None = None
    cluster: bool = False
    sentinel: str | None = None
    master: str | None = None
    read_from: str | None = None
    connect_timeout: float | None = None
    timeout: float | None = None
    user: str | None = None
    password: str | None = None
    askpass: bool = False
    sentinel_user: str | None = None
    sentinel_password: str | None = None
    tls: bool = False
    cacert: str | None = None
    cert: str | None = None
    key: str | None = None
    sni: str | None = None
    insecure: bool = False
    number: int | None = None
    protocol: int | None = None
    format: str | None = None
    continue_on_error: bool = False
    read_only: bool = False
    yes: bool = False
    no_config: bool = False
    profile: str | None = None

    def __repr__(self) -> str:
        """What was said, without the secrets in it."""
        said = [f"{name}={'***' if name in _SECRETS else repr(getattr(self, name))}" for name in self.said()]
        return f"Settings({', '.join(said)})"

    def said(self) -> list[str]:
        """The names of the fields that were given a value."""
        return [name for name, default in self._field_defaults.items() if getattr(self, name) != default]

    def elsewhere(self) -> Settings:
        """The same without the place: what stays when somebody goes to another one."""
        changed = dict.fromkeys(("db", "memory", "number", "profile", *_PLACE, *_ACCESS))
        return self._replace(**{name: self._field_defaults[name] for name in changed})

    @property
    def verb(self) -> str | None:
        """The one of VERBS that the words begin with."""
        first = self.words[0].decode("latin-1").lower() if self.words else ""
        return first if any(first == name for name, _ in VERBS) else None


def read(args: Sequence[str]) -> Settings:
    """The settings of a command line.

    Raises UnreadError for help and for what is wrong, UsageError for a contradiction.
    """
    return make(*take(OPTIONS, args))


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
    _check_server(settings)
    if settings.format == SOURCE and settings.verb != "help":
        raise UsageError(f"--format {SOURCE} is for help pages: streamcli --format {SOURCE} help xread")
    if settings.verb == "explain" and settings.format not in (None, _EXPLAINED):
        raise UsageError(f"an explanation is always a tree: leave out --format {settings.format}")
    if settings.last_from_stdin and not settings.words:
        raise UsageError("-x needs a command, whose last word is read from standard input")
    return settings


def _check_server(settings: Settings) -> None:
    """Raises UsageError when what was said of a server contradicts itself, or what was said of a file."""
    said = [name for name in settings.said() if name in (*_PLACE, *_ACCESS, *_TIMES)]
    if not said:
        return
    from streamcli.backend import address as addresses

    if settings.memory or settings.db is not None:
        raise UsageError(f"give {'--memory' if settings.memory else '--db'} or {_spelled(said[0])}, not both")
    if pair := addresses.clash(said):
        raise UsageError(f"give {_spelled(pair[0])} or {_spelled(pair[1])}, not both")
    if pair := addresses.missing(said):
        raise UsageError(f"{_spelled(pair[0])} needs {_spelled(pair[1])}")
    if settings.host is not None and (wrong := addresses.host_fault(settings.host)):
        raise UsageError(f"-h {wrong}")
    for name in ("socket", "master"):
        if getattr(settings, name) == "":
            raise UsageError(f"{_spelled(name)} needs a value")


def _spelled(key: str) -> str:
    return next(flag.names[0] for flag in OPTIONS if flag.key == key)


# -- what is under the command line -------------------------------------------------------------


def with_profile(settings: Settings, config: Config) -> Settings:
    """The settings with what their profile says put under what the command line says.

    A place that the command line names replaces the profile's with all that
    belongs to it: nobody's password goes to another server. Nor is it another
    user's: a user that the command line names has no password from the profile.
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
    changed = settings._replace(
        number=(profile.number or None) if settings.number is None else settings.number,
        read_only=settings.read_only or profile.read_only,
    )
    said = settings.said()
    if any(each in said for each in ("db", "memory", "url", "host", "socket", "sentinel")):
        return changed
    ours = [each for each in said if each in (*_PLACE, *_ACCESS)]
    if profile.db is not None or profile.memory:
        if ours:
            raise UsageError(f"{_spelled(ours[0])} is for a server, and profile {name} is none")
        return changed._replace(db=profile.db, memory=profile.memory)
    theirs = {each: getattr(profile, each) for each in (*_PLACE, *_ACCESS)}
    if not any(value not in (None, False) for value in theirs.values()):
        return changed  # it names no place
    if not any(theirs[each] for each in _PLACE):
        theirs["host"] = "127.0.0.1"
    if settings.user is not None and settings.user != (theirs["user"] or "default"):
        theirs["password"] = None
    if settings.password is not None:
        theirs["askpass"] = False
    more = {each: getattr(profile, each) for each in ("protocol", *_TIMES)}
    kept = {*said, *(("password",) if settings.askpass else ())}
    return changed._replace(**{each: value for each, value in (theirs | more).items() if each not in kept})


def _no_profile(name: str, config: Config) -> str:
    from difflib import get_close_matches

    if not config.profiles:
        return f"there is no profile {name}: {config.path or 'the config file'} has none"
    near = get_close_matches(name, list(config.profiles), 1, 0.6)
    hint = (
        f"did you mean @{near[0]}?" if near else f"it has {', '.join(f'@{each}' for each in sorted(config.profiles))}"
    )
    return f"there is no profile {name} in {config.path} ({hint})"


def place(settings: Settings, environment: Mapping[str, str]) -> Address | None:
    """Where a run goes: the server, or None for the engine in this process. Raises UsageError."""
    if settings.db is None and not settings.memory:
        said = settings.said()
        url, whose = settings.url, "the URL"
        if not any(name in said for name in _PLACE):
            url, whose = environment.get(_URL) or None, _URL
        if url is not None or any(name in said for name in (*_PLACE, *_ACCESS)):
            return _server(settings, url, whose, environment)
    if settings.number is not None and settings.number > _EMBEDDED_MAX:
        raise UsageError(
            f"the embedded engine has the databases 0 to {_EMBEDDED_MAX}; number {settings.number} needs a server"
        )
    return None


def check_place(settings: Settings, address: Address | None) -> None:
    """Raises UsageError for a flag that means nothing where the run goes."""
    if address is not None and settings.durability is not None:
        raise UsageError(f"--durability is for streams of your own, and {address} is a server")
    times = [name for name in settings.said() if name in _TIMES]
    if address is None and times and settings.profile is None:
        raise UsageError(f"{_spelled(times[0])} is for a server; name one, by -h or -u")


def _server(settings: Settings, url: str | None, whose: str, environment: Mapping[str, str]) -> Address:
    from streamcli.backend import address as addresses

    try:
        if url is not None:
            there = addresses.address(url)
        elif settings.sentinel is not None:
            there = addresses.Address(sentinels=addresses.nodes(settings.sentinel), master=settings.master)
        else:
            there = addresses.Address(path=settings.socket)
    except addresses.AddressError as error:
        raise UsageError(f"{whose if url is not None else '--sentinel'} cannot be used: {error}") from None
    changed: dict[str, Any] = {
        name: value
        for name in ("host", "port", "user", "password", "sentinel_user", "sentinel_password", "protocol")
        if (value := getattr(settings, name)) is not None
    }
    changed |= {name: value or None for name in _TIMES if (value := getattr(settings, name)) is not None}
    if settings.number is not None:
        changed["db"] = settings.number
    if settings.read_from is not None:
        changed["replica"] = settings.read_from == "replica"
    changed["cluster"] = there.cluster or settings.cluster
    if settings.user is not None and settings.user != (there.user or ("default" if whose == _URL else settings.user)):
        there = there._replace(password=None)  # it is another user's
    if there.password is None and environment.get(_AUTH):
        changed.setdefault("password", environment[_AUTH])
    if there.password is None and changed.get("user", there.user) is not None:
        changed.setdefault("password", "")  # a user who needs none: nobody is to go on as the default user unnoticed
    alone = [name for name in ("port", "cluster") if changed.get(name)]
    if alone and (there.path is not None or there.sentinels):
        raise UsageError(f"{_spelled(alone[0])} does not go with {'a unix socket' if there.path else 'Sentinels'}")
    if not there.sentinels and (settings.sentinel_user is not None or settings.sentinel_password is not None):
        raise UsageError("--sentinel-user and --sentinel-pass need --sentinel")
    return there._replace(**changed, tls=_tls(settings, there))


def _tls(settings: Settings, there: Address) -> Tls | None:
    """How the connection is secured: what the address says, with the flags over it."""
    from streamcli.backend.address import Tls

    tls = there.tls or (Tls() if settings.tls else None)
    parts: dict[str, Any] = {
        name: value for name in ("cacert", "cert", "key", "sni") if (value := getattr(settings, name)) is not None
    }
    if settings.insecure:
        parts["verify"] = False
    if tls is None:
        if parts:
            raise UsageError(f"{_spelled('insecure' if 'verify' in parts else next(iter(parts)))} needs --tls")
        return None
    if there.path is not None:
        raise UsageError(f"there is no TLS over a unix socket, and {there} is one")
    return tls._replace(**parts)


def data_file(environment: Mapping[str, str]) -> str:
    """The default database, in the user's data folder (XDG Base Directory); the folder is made if it is missing."""
    from streamcli.folders import folder

    ours = folder(environment, "XDG_DATA_HOME", ".local", "share")
    os.makedirs(ours, mode=0o700, exist_ok=True)
    return os.path.join(ours, "default.db")
