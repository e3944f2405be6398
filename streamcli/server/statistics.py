"""What a server counts, for INFO."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streamcli.reply import Error

if TYPE_CHECKING:
    from streamcli.grammar.spec import Command

_CODES_MAX = 128  # Redis, too, stops to tell errors apart when there are too many kinds


class Use:
    """How often a command was called, and for how long; `rejected` before it ran, `failed` when it did."""

    __slots__ = ("calls", "failed", "nanoseconds", "rejected")

    def __init__(self) -> None:
        self.calls = self.nanoseconds = self.rejected = self.failed = 0


class Statistics:
    """Counts since the start, or since CONFIG RESETSTAT."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.commands = 0
        self.connections = self.rejected_connections = 0
        self.bytes_in = self.bytes_out = 0
        self.reads = self.writes = 0
        self.hits = self.misses = 0
        self.too_long_queries = self.too_long_outputs = 0
        self.error_replies = 0
        self.uses: dict[str, Use] = {}
        self.errors: dict[str, int] = {}
        self._second = 0
        self._counts = (0, 0, 0)
        self.rates = (0, 0, 0)  # commands, bytes in and bytes out of the last whole second

    def tick(self, now_ms: int) -> None:
        """Time goes on; called before commands are run, and before INFO."""
        second = now_ms // 1000
        if second != self._second:
            counts = self.commands, self.bytes_in, self.bytes_out
            passed = second - self._second
            one = passed == 1 or not self._second
            before = self._counts
            self.rates = (counts[0] - before[0], counts[1] - before[1], counts[2] - before[2]) if one else (0, 0, 0)
            self._second, self._counts = second, counts

    def _use(self, name: str) -> Use:
        """Of a command, by its name in the table."""
        found = self.uses.get(name)
        if found is None:
            found = self.uses[name] = Use()
        return found

    def ran(self, command: Command, reply: object, nanoseconds: int) -> None:
        """A command was carried out."""
        self.commands += 1
        use = self.uses.get(command.name) or self._use(command.name)
        use.calls += 1
        use.nanoseconds += nanoseconds
        if type(reply) is Error:
            use.failed += 1
            self._error(reply)

    def refused(self, command: Command | None, error: Error) -> None:
        """A command was answered with an error and not carried out."""
        if command is not None:
            self._use(command.name).rejected += 1
        self._error(error)

    def _error(self, error: Error) -> None:
        self.error_replies += 1
        code = error.code
        if code in self.errors or len(self.errors) < _CODES_MAX:
            self.errors[code] = self.errors.get(code, 0) + 1
