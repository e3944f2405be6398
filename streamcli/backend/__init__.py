"""Where a command line goes. One small Protocol; the shell knows nothing else of it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from streamcli.reply import Push, Reply


class UnreachableError(Exception):
    """There is no connection, or no database; nothing was sent. The text is one line."""


class LostError(Exception):
    """The connection broke, or was dropped, with a command under way. The text is one line.

    `interrupted`: it was dropped because the user wanted the wait to end.
    """

    def __init__(self, text: str, *, interrupted: bool = False) -> None:
        super().__init__(text)
        self.interrupted = interrupted


class Waiting(NamedTuple):
    """How long a command has been waiting, and for how much longer it will; None: for ever."""

    elapsed_ms: int
    left_ms: int | None


class Server(NamedTuple):
    """Who answers: `name` is "redis", "valkey" ...; `mode` "standalone", "cluster" or "sentinel"; "" when unknown."""

    name: str
    version: str
    mode: str = ""
    role: str = ""


class Ready(NamedTuple):
    """As many `commands` as a client sends them, with what a server answers to them all when nothing is amiss.

    `replies` b"": nobody knows beforehand.
    """

    data: bytes
    replies: bytes
    commands: int


@runtime_checkable
class Pouring(Protocol):
    """A backend that takes commands in the bytes of the wire."""

    def poured(
        self, blocks: Iterable[Ready], *, window: int, still: Callable[[], bool] | None = None
    ) -> Generator[int | list[Reply], None, None]:
        """Like `Backend.pipelined`; for each block how many were answered as was expected, or else their replies.

        Before a fault come the replies that have arrived, however many. With
        `still` up to `window` commands are done together or not at all, where the
        server can do that, and none is sent behind those unless it says True.
        """
        ...


@runtime_checkable
class OnFile(Protocol):
    """A backend whose streams are in a file: `path` is which; None when they are in memory."""

    path: str | None


class Backend(Protocol):
    """Runs command lines, one after another, for one user."""

    on_wait: Callable[[Waiting], None] | None
    """Called when a command begins to wait, then some ten times a second or more; what it raises ends the wait."""

    on_push: Callable[[Push], None] | None
    """Hears what a server says without being asked."""

    on_note: Callable[[str], None] | None
    """Hears, in one line, what became of the connection."""

    @property
    def target(self) -> str:
        """What a prompt calls it: the name of a file, a host and a port."""
        ...

    @property
    def db(self) -> int:
        """The number of the database in use."""
        ...

    @property
    def user(self) -> str | None:
        """Whose rights the commands have; None is the default user."""
        ...

    @property
    def queued(self) -> int | None:
        """How many commands the open transaction has collected; None when there is no transaction."""
        ...

    @property
    def server(self) -> Server | None:
        """The server that answers; None when it is the engine in this process."""
        ...

    def execute(self, argv: Sequence[bytes], *, arriving: bool = False) -> Reply:
        """The reply. A command that blocks is waited for; a KeyboardInterrupt ends the wait and changes nothing.

        With `arriving` a long array may come as an `Arriving`, whose items are
        taken while others are on their way; what is not taken before the next
        command is lost. Raises LostError, UnreachableError.
        """
        ...

    def pipelined(self, argvs: Iterable[Sequence[bytes]], *, window: int = 512) -> Generator[Reply, None, None]:
        """The replies, in order, of commands that are sent ahead of them: `window` at most are without one.

        For commands that neither wait nor begin a transaction, of keys that this
        backend serves. On a file what is sent together is kept together; on a
        server each is a command of its own. A reply that was given is certain.
        When the connection breaks, nothing is known of the commands behind it,
        and none is sent again. Whoever takes no more replies waits for those
        that are due. Nothing else is run meanwhile. Raises LostError, UnreachableError.
        """
        ...

    def beside(self) -> Backend:
        """Another session at the same place, of the same database and user: whoever asks closes it.

        Raises UnreachableError.
        """
        ...

    def browse(self, argv: Sequence[bytes]) -> Reply:
        """The reply to a command that only reads and does not wait, run beside the user's own session.

        Of the same database, never part of its transaction; from any thread.
        Never raises: what goes wrong is an Error.
        """
        ...

    def listen(self, argv: Sequence[bytes]) -> Iterator[Reply]:
        """What comes after MONITOR, SUBSCRIBE and their like, one by one, beside the user's own session.

        An Error when the command is refused; no end otherwise. Raises LostError, UnreachableError.
        """
        ...

    def stop(self, *, writes: bool) -> None:
        """Let what runs come to its end soon, with an error if need be; for a signal handler.

        `writes`: it may be changing something, and nobody should be left to guess whether it has.
        """
        ...

    def close(self) -> None: ...
