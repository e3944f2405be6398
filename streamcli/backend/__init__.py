"""Where a command line goes. One small Protocol; the shell knows nothing else of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from streamcli.reply import Reply


class Backend(Protocol):
    """Runs command lines, one after another, for one user."""

    on_wait: Callable[[], None] | None
    """Called before a command begins to wait."""

    def execute(self, argv: Sequence[bytes]) -> Reply:
        """The reply. A command that blocks is waited for; a KeyboardInterrupt ends the wait and changes nothing."""
        ...

    @property
    def in_multi(self) -> bool:
        """Is a transaction being collected?"""
        ...

    def close(self) -> None: ...
