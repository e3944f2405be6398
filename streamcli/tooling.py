"""`streamcli tail a`, `streamcli groups` ...: how the command line runs a tool.

The tool's own options stand behind its name; so may those of the program itself
that say where the streams are, and how answers are to look.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from streamcli import opening
from streamcli import settings as options
from streamcli.backend import LostError, UnreachableError
from streamcli.flags import Flag, UsageError, take
from streamcli.render import FORMATS
from streamcli.settings import OPTIONS, Settings
from streamcli.shell.output import Live
from streamcli.tools import tool as tool_of
from streamcli.tools.job import OK, UNREACHABLE, Given, Job, Tool, ToolError

if TYPE_CHECKING:
    from streamcli.backend import Backend
    from streamcli.render import Options
    from streamcli.shell.config import Config
    from streamcli.shell.output import Output

_USAGE = 2
_NOT_BEHIND = ("execute", "file", "last_from_stdin", "continue_on_error")  # options that no tool has a use for
_HELP = ("--help", "-?")


def run(name: str, settings: Settings, output: Output, look: Options, complain: Callable[[str], None]) -> int:
    """Run the tool that the settings' words begin with: its exit code. `complain` takes a line for the user."""
    tool = tool_of(name)
    words = [os.fsdecode(word) for word in settings.words[1:]]
    if any(word in _HELP for word in words[: words.index("--") if "--" in words else None]):
        from streamcli.tools.usage import usage

        output.lines(usage(name, tool, width=look.width))
        return OK
    try:
        given, settings = read(tool, words, settings)
        if settings.profile is not None:
            settings = options.with_profile(settings, _config(settings, os.environ))
        if settings.read_only and tool.changes(given):
            raise ToolError("it writes, and this session is read-only; --dry-run is allowed")
        with _closing(_job(settings, output, look, complain)) as job:
            return tool.run(job, given)
    except UsageError as error:
        complain(f"streamcli {name}: {error} (see streamcli {name} --help)")
        return _USAGE
    except ToolError as error:
        output.flush()
        complain(f"streamcli {name}: {error}")
        return error.code
    except (LostError, UnreachableError) as error:
        output.flush()
        complain(f"streamcli {name}: {error}")
        if isinstance(error, LostError) and error.interrupted:
            raise KeyboardInterrupt from None
        return UNREACHABLE


def flags_of(tool: Tool) -> tuple[Flag, ...]:
    """The options that may stand behind a tool's name: its own, and the program's that are not called the same."""
    own = tool.own_flags
    names = {name for flag in own for name in flag.names}
    more = [
        flag._replace(choices=FORMATS) if flag.key == "format" else flag
        for flag in OPTIONS
        if flag.key not in _NOT_BEHIND and not names.intersection(flag.names)
    ]
    return (*own, *more)


def read(tool: Tool, words: list[str], settings: Settings) -> tuple[Given, Settings]:
    """What the words behind a tool's name say to it, and to the program. Raises UsageError."""
    own = {flag.key for flag in tool.own_flags} - {"format"}
    values, plain = take(flags_of(tool), words, anywhere=True)
    given = Given([os.fsencode(word) for word in plain], {key: values[key] for key in values if key in own})
    tool.check(given.words)
    said = {name: getattr(settings, name) for name in settings.said() if name != "words"}
    said |= {key: value for key, value in values.items() if key not in own}
    first = os.fsdecode(settings.words[0])
    return given, options.make(said, [first])


@contextmanager
def _closing(job: Job) -> Iterator[Job]:
    try:
        yield job
    finally:
        job.close()


def _job(settings: Settings, output: Output, look: Options, complain: Callable[[str], None]) -> Job:
    terminal = look.terminal and os.environ.get("TERM") not in (None, "", "dumb")
    errors = sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") not in (None, "", "dumb")
    return Job(
        _CommandLine(settings, output, complain, os.environ),
        settings.format,
        look,
        os.environ,
        screen=terminal and sys.stdin is not None and sys.stdin.isatty(),
        read_only=settings.read_only,
        errors=sys.stderr.fileno() if errors else None,
    )


def _config(settings: Settings, environment: Mapping[str, str]) -> Config:
    from streamcli.shell import config as files

    return files.Config() if settings.no_config else files.of(environment)


class _CommandLine:
    """The World of a tool that is run once."""

    def __init__(
        self, settings: Settings, output: Output, complain: Callable[[str], None], environment: Mapping[str, str]
    ) -> None:
        self._settings, self._output, self._complain, self._environment = settings, output, complain, environment
        self._live: Live | None = None

    def backend(self) -> Backend:
        backend = opening.backend(self._settings, opening.address_of(self._settings))
        backend.on_note = self.say
        return backend

    def show(self, chunks: Iterable[str], *, live: bool) -> None:
        self._live = Live(iter(chunks)) if live else None
        self._output.lines(self._live or chunks)

    def unread(self) -> bool:
        return self._live is not None and self._live.unread

    def say(self, line: str) -> None:
        self._output.flush()
        self._complain(line)

    def open(self, target: str, *, writes: bool) -> Backend:
        from streamcli.shell.jobs import opened

        return opened(
            target,
            writes,
            partial(opening.go_to, asked=self._settings, config=_config(self._settings, self._environment)),
        )

    def agrees(self, question: str) -> bool:
        return True
