"""What a server counts, for INFO."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streamcli.reply import Error

if TYPE_CHECKING:
    from streamcli.engine import Session



class Use:
    """How often a command was called, and for how long; `rejected` before it ran, `failed` when it did."""

    __slots__ = ("calls", "failed", "rejected", "usec")

    def __init__(self) -> None:
        self.calls = self.usec = self.rejected = self.failed = 0


class Statistics:
    """Counts since the start, or since CONFIG RESETSTAT."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.commands = 0
        self.connections = 0
        self.rejected_connections = 0
        self.bytes_in = self.bytes_out = 0
        self.uses: dict[str, Use] = {}
        self.errors: dict[str, int] = {}
        self.unblocked = 0

    def use(self, name: str) -> Use:
        """Of a command, by its full name (`xgroup|create`)."""
        found = self.uses.get(name)
        if found is None:
            found = self.uses[name] = Use()
        return found

    def error(self, code: str) -> None:
        self.errors[code] = self.errors.get(code, 0) + 1

    def count(self, session: Session, argv: list[bytes], reply: object, nanoseconds: int) -> None:
        """A command was run, or refused."""
        name = session.last_command.lower().replace(" ", "|")
        use = self.use(name)
        use.calls += 1
        use.usec += nanoseconds // 1000
        if isinstance(reply, Error):
            use.failed += 1
            self.error(reply.code)
