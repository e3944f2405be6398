"""What a tool is, what it is given, and what it may use of the world: nothing here knows any tool.

A tool talks to a Backend, shows chunks of lines, says a line beside them. It
does not know whether a prompt or a command line has called it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from streamcli.flags import Flag, UsageError
from streamcli.reply import Error, Reply

if TYPE_CHECKING:
    from streamcli.backend import Backend
    from streamcli.render import Options
    from streamcli.tools.progress import Progress

OK: Final = 0
FAILED: Final = 1  # it was refused, it failed, or what was compared differs
UNREACHABLE: Final = 3  # a server, or a file
INTERRUPTED: Final = 130

JSON: Final = Flag(("--json",), "format", "The same as --format json.", sets="json")
DRY_RUN: Final = Flag(("--dry-run",), "dry_run", "Say what would be done, and change nothing.")


class ToolError(Exception):
    """A tool cannot go on: the text is one line for the user, `code` the exit code."""

    def __init__(self, text: str, code: int = FAILED) -> None:
        super().__init__(text)
        self.code = code


class RefusedError(ToolError):
    """A command was answered with an error."""

    def __init__(self, error: Error, argv: Sequence[bytes]) -> None:
        names = b" ".join(argv[: 2 if argv[0].upper() in _CONTAINERS else 1]).decode("latin-1").upper()
        super().__init__(f"{names}: {error.text}")
        self.error = error


def accepted(reply: Reply, argv: Sequence[bytes]) -> Reply:
    """What a command was answered. Raises RefusedError when that is an error."""
    if isinstance(reply, Error):
        raise RefusedError(reply, argv)
    return reply


_CONTAINERS: Final = frozenset((b"XINFO", b"XGROUP", b"CONFIG", b"CLIENT", b"MEMORY", b"OBJECT", b"COMMAND"))


class Given:
    """What was said to a tool: its words, and its flags by their keys."""

    def __init__(self, words: Sequence[bytes], values: Mapping[str, object]) -> None:
        self.words: Final = tuple(words)
        self._values: Final = values

    @property
    def dry_run(self) -> bool:
        return self.on(DRY_RUN.key)

    def on(self, key: str) -> bool:
        """Was a flag without a value given?"""
        return bool(self._values.get(key))

    def text(self, key: str) -> str | None:
        value = self._values.get(key)
        assert value is None or isinstance(value, str)
        return value

    def number(self, key: str) -> int | None:
        value = self._values.get(key)
        assert value is None or isinstance(value, int)
        return value

    def seconds(self, key: str) -> float | None:
        value = self._values.get(key)
        assert value is None or isinstance(value, float)
        return value

    def texts(self, key: str) -> list[str]:
        """What a flag that may be repeated was given."""
        value = self._values.get(key)
        assert value is None or isinstance(value, list)
        return [str(one) for one in value or ()]


class Tool(NamedTuple):
    """One tool, as its module describes it.

    `usage` is what stands behind its name; `roles` say what each of its words
    is ("key", "group", "consumer", "id", "file", "target", or words to choose
    from, as in "list|ack"), the last of them for all that follow. With `writes`
    it takes --dry-run, and a read-only session runs it with that alone, or when
    what is asked of it only `reads`.
    """

    usage: str
    run: Callable[[Job, Given], int]
    flags: tuple[Flag, ...] = ()
    least: int = 0
    most: int | None = None
    roles: tuple[str, ...] = ()
    about: str = ""
    examples: tuple[str, ...] = ()
    writes: bool = False
    reads: Callable[[Given], bool] | None = None

    def changes(self, given: Given) -> bool:
        """May it change anything, as it was called?"""
        return self.writes and not given.dry_run and (self.reads is None or not self.reads(given))

    @property
    def own_flags(self) -> tuple[Flag, ...]:
        """Its flags, with those that every tool has."""
        more = (DRY_RUN,) if self.writes and not any(flag.key == DRY_RUN.key for flag in self.flags) else ()
        return (*self.flags, *more, JSON)

    def check(self, words: Sequence[bytes]) -> None:
        """Raises UsageError when there are too few words, or too many."""
        if len(words) < self.least or (self.most is not None and len(words) > self.most):
            few = len(words) < self.least
            raise UsageError(f"{'it needs' if few else 'it takes'}: {self.usage}{'' if few else ', and no more'}")


class World(Protocol):
    """Who calls tools: a command line, or a prompt."""

    def backend(self) -> Backend:
        """A session for one tool, asked for once, when it is needed. Raises UnreachableError, UsageError."""
        ...

    def show(self, chunks: Iterable[str], *, live: bool) -> None:
        """Write chunks of lines where answers go; `live` ones each at once, as they may come for ever."""
        ...

    def unread(self) -> bool:
        """Has whoever reads what is shown live gone? Asked while there is nothing to write, which would tell."""
        ...

    def say(self, line: str) -> None:
        """One line beside the answers; made safe for a terminal here."""
        ...

    def open(self, target: str, *, writes: bool) -> Backend:
        """Another place, by FILE, :memory:, URL, HOST:PORT or @PROFILE. Raises ToolError."""
        ...

    def agrees(self, question: str) -> bool:
        """Ask a person yes or no; True where nobody is asked."""
        ...


class Job:
    """The world of one run of a tool.

    `format` is what the user has chosen, None when it is the tool's to choose;
    `options` are how answers are to look. `screen`: it may draw on the whole
    terminal. `prompt`: it was called from the prompt. `read_only`: nothing may be
    changed, for a tool that only sometimes does. `errors` is where progress is
    drawn, None for nowhere.
    """

    def __init__(
        self,
        world: World,
        format: str | None,
        options: Options,
        environment: Mapping[str, str],
        *,
        screen: bool = False,
        prompt: bool = False,
        read_only: bool = False,
        errors: int | None = None,
    ) -> None:
        self.format: Final = format
        self.options: Final = options
        self.environment: Final = environment
        self.screen: Final = screen
        self.prompt: Final = prompt
        self.read_only: Final = read_only
        self._world, self._errors = world, errors
        self._backend: Backend | None = None
        self._opened: list[Backend] = []
        self._progress: Progress | None = None

    @property
    def backend(self) -> Backend:
        """The place the tool works at, in a session of its own. Raises UnreachableError, UsageError."""
        if self._backend is None:
            self._backend = self._world.backend()
            self._opened.append(self._backend)
        return self._backend

    def open(self, target: str, *, writes: bool = False) -> Backend:
        """Another place, closed with the job; `writes`: it is to be changed. Raises ToolError."""
        backend = self._world.open(target, writes=writes)
        self._opened.append(backend)
        return backend

    def close(self) -> None:
        """Close what was opened, all of it even when one of them cannot be."""
        opened, self._opened, self._backend = self._opened, [], None
        with ExitStack() as closing:
            for backend in reversed(opened):
                closing.callback(backend.close)

    def ask(self, *words: bytes | str | int, backend: Backend | None = None) -> Reply:
        """The reply. Raises RefusedError for an error, LostError, UnreachableError."""
        argv = [word if isinstance(word, bytes) else str(word).encode("utf-8", "surrogateescape") for word in words]
        return accepted((backend or self.backend).execute(argv), argv)

    def show(self, chunks: Iterable[str], *, live: bool = False) -> None:
        """Write chunks of lines where answers go; `live` ones each at once, as they may come for ever."""
        self._make_room()
        self._world.show(chunks, live=live)

    def unread(self) -> bool:
        """Has whoever reads what is shown live gone?"""
        return self._world.unread()

    def say(self, line: str) -> None:
        """One line beside the answers."""
        self._make_room()
        self._world.say(line)

    def agrees(self, question: str) -> bool:
        """Ask whether to go on; True where nobody is asked: in a script, and with --yes."""
        self._make_room()
        return self._world.agrees(question)

    def progress(self, what: str, total: int | None) -> Progress:
        """How far it is, for whoever looks; use it as a context."""
        from streamcli.tools.progress import Progress

        self._progress = Progress(self._errors, what, total, unicode=self.options.unicode)
        return self._progress

    def _make_room(self) -> None:
        if self._progress is not None:
            self._progress.hide()

    def did(self, sentence: str, record: Sequence[tuple[str, Reply]]) -> None:
        """Tell what was done: in a sentence, or where a format was chosen as the record."""
        if self.format is None:
            from streamcli.text import visible

            self.show([visible(sentence)])
            return
        if self.format in ("csv", "raw", "table"):  # a row, as of what is a list
            from streamcli.tools.report import Column, report

            report(self, [Column(name) for name, _ in record], [[value for _, value in record]])
            return
        from streamcli.render import renderer
        from streamcli.reply import Map

        pairs: list[tuple[Reply, Reply]] = [(name.encode(), value) for name, value in record]
        self.show(renderer(self.format)(Map(pairs), None, self.options))


@contextmanager
def also_telling(what: Callable[[], str]) -> Iterator[None]:
    """A fault in here tells, too, `what` was done before it; nothing when that is empty."""
    from streamcli.backend import LostError, UnreachableError

    try:
        yield
    except (LostError, UnreachableError, ToolError) as error:
        if before := what():
            error.args = (f"{error} ({before})",)
        raise


def is_new_file(target: str) -> bool:
    """Is a place a file that is not there yet, and would be made by opening it?"""
    is_file = "://" not in target and target[:1] != "@" and target != ":memory:"
    is_file = is_file and not target.rpartition(":")[2].isdigit()
    return is_file and not os.path.exists(os.path.expanduser(target))


def now_ms() -> int:
    """Unix time in ms."""
    return time.time_ns() // 1_000_000


def span_ms(text: str) -> int | None:
    """A length of time such as `5m`, `1h30m`, `7d`, `250ms`; None when it is none.

    A bare number is none, but for 0: Redis's own are ms (IDLE 5), a person's seconds.
    """
    from streamcli.times import span

    return 0 if text == "0" else span(text)
