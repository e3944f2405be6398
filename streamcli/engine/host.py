"""What an engine lives in, as far as a command asks for it.

This one is a program of a single user: nobody to kick out, nothing to shut
down. A server puts its own in its place (`Engine.host`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from streamcli import errors
from streamcli.reply import OK, Reply, ReplyError

if TYPE_CHECKING:
    from streamcli.engine.session import Session

Lines: TypeAlias = list[tuple[str, object]]


class Host:
    """Every answer is that of a program without clients."""

    password: bytes | None = None

    def information(self, section: str) -> Lines | None:
        """More lines for a section of INFO, named as its title; None when it has no such section."""
        return None

    def describe(self, session: Session) -> Mapping[str, object] | None:
        """A session for CLIENT LIST, if there is more to say than it knows itself."""
        return None

    def kill(self, asker: Session, sessions: Iterable[Session]) -> int:
        """Close the connections of sessions: how many. The asker's own is closed behind the reply."""
        return 0

    def unblock(self, id: int, *, error: bool) -> bool:
        """End the wait of a session; False when it does not wait."""
        return False

    def reply_mode(self, session: Session, mode: str) -> Reply:
        """ON, OFF or SKIP: which replies a session is sent."""
        if mode == "ON":
            return OK
        raise ReplyError(errors.SERVER_ONLY)

    def monitor(self, session: Session) -> Reply:
        """From now on the session hears of every command."""
        raise ReplyError(errors.SERVER_ONLY)

    def reset(self, session: Session) -> None:
        """The session goes back to how it began."""

    def leave(self, session: Session) -> None:
        """The session has said QUIT."""

    def shutdown(self, session: Session, *, now: bool) -> Reply:
        """End the server; `now`: without waiting for anybody to take what he was sent."""
        raise ReplyError(errors.SERVER_ONLY)

    def reset_statistics(self) -> None:
        """Count from nought."""
