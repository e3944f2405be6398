"""Many commands on their way to one server at once, each with the number of the line it came from.

Bounded in commands and in bytes, so that neither side ever holds much, and so
that an error stops what comes after it soon. What was sent is never sent again;
what was not can be dropped. Replies come in the order of the lines.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

from streamcli.backend import Backend, kinds
from streamcli.backend.remote.link import NOTHING
from streamcli.backend.remote.one import Remote
from streamcli.backend.remote.state import HEEDED
from streamcli.grammar.commands import BY_WORD
from streamcli.grammar.parse import parse
from streamcli.reply import Error, Reply
from streamcli.resp import encode_command

WINDOW = 128  # commands; 64 are as fast on one machine, and half as fast on a network
BYTES = 256 * 1024
_WRITE_BYTES = 64 * 1024
SHORT = (
    frozenset(name for name, command in BY_WORD.items() if command.writes or "fast" in command.flags)
    - frozenset((b"GET", b"XREADGROUP", b"XCLAIM", b"XAUTOCLAIM"))
    - HEEDED
)
"""Commands whose replies are short, and say nothing of the session: they may be posted as `plain`."""
WEIGHT = 8 * 1024
"""Bytes that another reply is taken to have, when it may have any number."""


Line: TypeAlias = tuple[int, Sequence[bytes], int, bool]
"""A command that was posted: its line's number, its words, the bytes it counts for, and whether it is `plain`."""


class Fate(NamedTuple):
    """What is to be said of lines that got no reply. `matters`: one of them may have changed something."""

    text: str
    matters: bool


def of(backend: Backend, window: int = WINDOW, most: int = BYTES) -> Pipeline | None:
    """A pipeline to the backend, None when it has none."""
    return Pipeline(backend, window, most) if isinstance(backend, Remote) else None


class Pipeline:
    """`waiting` are the lines without a reply; the first `sent` of them have been sent."""

    def __init__(self, remote: Remote, window: int = WINDOW, most: int = BYTES) -> None:
        self.waiting: deque[Line] = deque()
        self.sent = 0
        self._remote, self._window, self._most = remote, window, most
        self._chunk = max(1, window // 2)  # the server works on one half while we are at the other
        self._bytes = self._unsent_bytes = 0
        self._unsent: list[bytes] = []
        self._others = 0  # lines that are not plain
        self._reply: Any = NOTHING  # to the first line

    @property
    def is_half_empty(self) -> bool:
        """True when there is room for a good many commands again."""
        return 2 * len(self.waiting) <= self._window and 2 * self._bytes <= self._most

    def post(self, number: int, argv: Sequence[bytes], weight: int = 0, *, plain: bool = False) -> bool:
        """Take a command, to be sent with others: False when replies must be taken before another one is posted.

        `weight`: bytes that its reply may have. `plain`: its reply is short, and
        says nothing of the session. Raises as `flush` does.
        """
        data = encode_command(argv)
        size = len(data) + weight
        self.waiting.append((number, argv, size, plain))
        self._others += not plain
        self._unsent.append(data)
        self._bytes += size
        self._unsent_bytes += size
        if len(self._unsent) >= self._chunk or self._unsent_bytes >= _WRITE_BYTES:
            self.flush()
        return len(self.waiting) < self._window and self._bytes < self._most

    def flush(self) -> None:
        """Send what was posted. Raises LostError, UnreachableError."""
        if not self._unsent:
            return
        if not self.sent:
            self._remote.ready()
        data = b"".join(self._unsent)
        self._unsent, self._unsent_bytes = [], 0
        self.sent = len(self.waiting)
        self._remote.link.send(data)

    def wait(self) -> None:
        """Until there is another reply; some line waits for one. Raises LostError, UnreachableError."""
        if not self.sent:
            self.flush()
        remote, (_, argv, _, _) = self._remote, self.waiting[0]
        self._reply = remote.link.receive(
            lambda ms: remote.tick(ms, None), limit=remote.limit(argv), arriving=remote.state.queued is None
        )

    def arrived(self) -> Iterator[tuple[Line, Reply]]:
        """The replies that are here, without waiting, each with its line. Raises LostError.

        An array may be an `Arriving`, and is to be taken to its end. A line
        counts as waiting for its reply until the next one is asked for.
        """
        remote, waiting = self._remote, self.waiting
        short = remote.link.arrived()
        while self.sent:
            line = waiting[0]
            reply, self._reply = self._reply, NOTHING
            plain = line[3]
            if reply is NOTHING:
                reply = (
                    next(short, NOTHING) if plain else remote.link.next_arrived(arriving=remote.state.queued is None)
                )
                if reply is NOTHING:
                    return
            if not plain or remote.state.queued is not None or isinstance(reply, Error):
                remote.answered(line[1], reply)
            yield line, reply
            waiting.popleft()
            self._others -= not plain
            self._bytes -= line[2]
            self.sent -= 1

    def arrived_strings(self) -> list[Reply]:
        """The replies that are here if they are strings, and no line but `plain` ones waits; else none: see `arrived`.

        Their lines wait no more.
        """
        reply = self._reply
        if not isinstance(reply, bytes) or self._others or self._remote.state.queued is not None:
            return []
        found: list[Reply] = [reply, *self._remote.link.arrived_strings(self.sent - 1)]
        for _ in found:
            self._bytes -= self.waiting.popleft()[2]
        self.sent -= len(found)
        self._reply = NOTHING
        return found

    def drop(self) -> None:
        """Forget what was not sent."""
        for _ in self._unsent:
            line = self.waiting.pop()
            self._others -= not line[3]
            self._bytes -= line[2]
        self._unsent, self._unsent_bytes = [], 0

    def interrupted(self) -> Fate:
        """The user wants no more: the connection is dropped when replies are due on it."""
        if not self.sent:
            self.drop()
            return Fate("", matters=False)
        fate = self.lost(f"interrupted: the connection to {self._remote.target} was dropped")
        self._remote.drop()
        return fate

    def lost(self, what: str) -> Fate:
        """There are no replies any more, for which `what` is the reason; no line waits for one."""
        self._remote.broken()
        self.drop()
        lines, self.sent, self._bytes, self._others, self._reply = list(self.waiting), 0, 0, 0, NOTHING
        self.waiting.clear()
        if len(lines) < 2:
            text = self._remote.after_sending(lines[0][1], what) if lines else what
            return Fate(text, matters=any(_may_write(argv) for _, argv, _, _ in lines))
        # EXEC is never sent with others: all that follows MULTI is in its queue.
        was_queueing = self._remote.state.queued is not None
        gone = self._remote.state.lost()
        if was_queueing:
            return Fate(f"{what}; {gone}, and nothing of it was applied", matters=True)
        after = f"; {gone}" if gone else ""
        writing = [number for number, argv, _, _ in lines if _may_write(argv)]
        if not writing:
            numbers = numbered([line[0] for line in lines])
            return Fate(f"{what}; {numbers} got no reply; they only read and may be sent again{after}", matters=False)
        return Fate(f"{what}; {numbered(writing)} {_were(writing)} sent and may have been applied{after}", matters=True)


def numbered(numbers: Sequence[int]) -> str:
    """`line 5`, or `lines 5 to 9`."""
    return f"line {numbers[0]}" if len(numbers) == 1 else f"lines {numbers[0]} to {numbers[-1]}"


def _were(numbers: Sequence[int]) -> str:
    return "was" if len(numbers) == 1 else "were"


def _may_write(argv: Sequence[bytes]) -> bool:
    return not kinds.only_reads(parse(argv))
