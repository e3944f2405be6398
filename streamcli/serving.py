"""`streamcli serve`: its flags, which follow the word, and what comes of them.

As `settings` is for the rest of the command line: FLAGS is the one list, `read`
takes words by it, and click is asked only for help and for what is wrong.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from streamcli import settings as options
from streamcli.flags import Flag, UnreadError, UsageError, take
from streamcli.settings import DURABILITY, Settings

PASSWORD = "STREAMCLI_PASSWORD"  # of the environment
_HOST, _PORT = "127.0.0.1", 6379
_OK, _USAGE, _UNREACHABLE = 0, 2, 3

FLAGS = (
    Flag(("--host",), "host", "Listen on this address (default: 127.0.0.1); any that other machines can reach "
         "needs a password.", "HOST"),
    Flag(("--port",), "port", "Listen on this port (default: 6379); 0 takes a free one.", "PORT", number=(0, 65535)),
    Flag(("--unixsocket",), "unixsocket", "Listen on a unix socket; alone, it is in place of the port.", "FILE"),
    Flag(("--db",), "db", "Keep streams in this file (default: default.db in the user's data folder).", "FILE"),
    Flag(("--memory",), "memory", "Keep streams in memory, until the server ends."),
    Flag(("--durability",), "durability", "What an acknowledged write survives: the process, or the machine.",
         "LEVEL", choices=DURABILITY),
    Flag(("--password",), "password", f"Ask clients for this password; safer in {PASSWORD}, or by --askpass.",
         "PASSWORD"),
    Flag(("--askpass",), "askpass", "Ask for that password here."),
    Flag(("--maxclients",), "maxclients", "Serve at most so many clients at once (default: 10000).", "N",
         number=(1, 1_000_000)),
)  # fmt: skip
_BEFORE = ("words", "db", "memory", "durability", "no_config")  # what may be said before the word, too


class Serve(NamedTuple):
    """What was said."""

    host: str | None = None
    port: int | None = None
    unixsocket: str | None = None
    db: str | None = None
    memory: bool = False
    durability: str | None = None
    password: str | None = None
    askpass: bool = False
    maxclients: int | None = None

    def __repr__(self) -> str:
        return f"Serve({', '.join(name for name in self._fields if getattr(self, name))})"  # no password


def run(settings: Settings, complain: Callable[[str], None]) -> int:
    """Serve until somebody ends it: the exit code. `complain` takes a line for the user."""
    words = [os.fsdecode(word) for word in settings.words[1:]]
    try:
        strange = [name for name in settings.said() if name not in _BEFORE]
        if strange:
            raise UsageError("the flags of serve stand behind it: streamcli serve --port 6379")
        try:
            given = read(words)
        except UnreadError:
            made = _with_click(words)
            if isinstance(made, int):
                return made
            given = made
        return _serve(_over(given, settings), complain)
    except UsageError as error:
        complain(f"streamcli serve: {error} (see streamcli serve --help)")
        return _USAGE


def read(words: Sequence[str]) -> Serve:
    """What the words behind `serve` say. Raises UnreadError for help and what is wrong, UsageError."""
    values, rest = take(FLAGS, words)
    if rest:
        raise UsageError(f"serve takes flags alone, and {rest[0]!r} is none")
    return Serve(**values)  # type: ignore[arg-type]


def _over(given: Serve, settings: Settings) -> Serve:
    """With what was said before the word."""
    if given.db is None and not given.memory:
        given = given._replace(db=settings.db, memory=settings.memory)
    if given.db is not None and given.memory:
        raise UsageError("give --db or --memory, not both")
    if given.memory and (given.durability or settings.durability):
        raise UsageError("--durability is for streams in a file, and --memory keeps none")
    if given.password is not None and given.askpass:
        raise UsageError("give --password or --askpass, not both")
    for name in ("host", "unixsocket", "password", "db"):
        if getattr(given, name) == "":
            raise UsageError(f"--{name} needs a value")
    return given._replace(durability=given.durability or settings.durability)


def _serve(given: Serve, complain: Callable[[str], None]) -> int:
    from streamcli.server.serve import OpenToAllError, Place, ServeError, serve

    tcp = given.unixsocket is None or given.host is not None or given.port is not None
    host, port = given.host or _HOST, _PORT if given.port is None else given.port
    try:
        path = None if given.memory else given.db or options.data_file(os.environ)
        place = Place(
            host,
            port if tcp else None,
            given.unixsocket,
            path,
            given.durability == "full",
            _password(given, os.environ, host, port),
            given.maxclients,
        )
        serve(place)
    except OpenToAllError as error:
        raise UsageError(str(error)) from None
    except ServeError as error:
        complain(f"streamcli: {error}")
        return _UNREACHABLE
    except OSError as error:
        complain(f"streamcli: cannot serve: {(error.strerror or str(error)).lower()}")
        return _UNREACHABLE
    return _OK


def _password(given: Serve, environment: Mapping[str, str], host: str, port: int) -> str | None:
    if given.askpass:
        from streamcli.backend.address import Address
        from streamcli.opening import ask_password

        password = ask_password(Address(host, port))
        if not password:
            raise UsageError("no password was given")
        return password
    if given.password is not None:
        from streamcli import title

        title.hide([given.password])
        return given.password
    return environment.get(PASSWORD) or None


def _with_click(words: Sequence[str]) -> Serve | int:
    """Help, and saying what is wrong; what click understands all the same is what was said."""
    import click

    from streamcli.cli import click_option, plain

    command = click.Command(
        "serve",
        params=[click_option(flag) for flag in FLAGS],
        context_settings={"help_option_names": ["--help"]},
        help=(
            "Serve the streams of a file, or of memory, to any Redis client.\n\n"
            "One line on standard output says where, as soon as clients can connect; what else there is to say goes "
            "to standard error. SIGTERM, Ctrl-C and SHUTDOWN end it.\n\n"
            "\b\n"
            "  streamcli serve --db orders.db\n"
            "  streamcli serve --memory --port 0\n"
            "  streamcli serve --unixsocket /tmp/streams.sock\n"
            "  STREAMCLI_PASSWORD=... streamcli serve --host 0.0.0.0"
        ),
        epilog="Exit codes: 0 ended, 2 wrong usage, 3 cannot listen, or open the database.",
    )
    try:
        with command.make_context("streamcli serve", list(words)) as context:
            return Serve(**{name: value for name, value in context.params.items() if value is not None})
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.ClickException as error:
        raise UsageError(plain(error.format_message())) from None
