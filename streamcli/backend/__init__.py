"""Where a command line goes. One small Protocol; the shell knows nothing else of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from streamcli.reply import Reply


class Waiting(NamedTuple):
    """How long a command has been waiting, and for how much longer it will; None: for ever."""

    elapsed_ms: int
    left_ms: int | None


class Backend(Protocol):
    """Runs command lines, one after another, for one user."""

    on_wait: Callable[[Waiting], None] | None
    """Called when a command begins to wait, then some ten times a second or more; what it raises ends the wait."""

    @property
    def target(self) -> str:
        """What a prompt calls it: the name of a file, a host and a port."""
        ...

    @property
    def db(self) -> int:
        """The number of the database in use."""
        ...

    @property
    def queued(self) -> int | None:
        """How many commands the open transaction has collected; None when there is no transaction."""
        ...

    def execute(self, argv: Sequence[bytes]) -> Reply:
        """The reply. A command that blocks is waited for; a KeyboardInterrupt ends the wait and changes nothing."""
        ...

    def browse(self, argv: Sequence[bytes]) -> Reply:
        """The reply to a command that only reads and does not wait, run beside the user's own session.

        Of the same database, never part of its transaction; from any thread.
        Never raises: what goes wrong is an Error.
        """
        ...

    def stop(self) -> None:
        """Let what runs come to its end soon, with an error if need be; for a signal handler."""
        ...

    def close(self) -> None: ...
