"""The pending entries of a group, as the server tells them: page by page, and never more than is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from streamcli.ids import MAX_ID, MIN_ID, StreamID
from streamcli.reply import Error, Reply
from streamcli.tools.entries import entries, id_of
from streamcli.tools.job import ToolError, accepted

if TYPE_CHECKING:
    from streamcli.backend import Backend

PAGE: Final = 1000
RELEASED: Final = "(released)"  # in the place of a consumer
_WINDOW: Final = 128


class Held(NamedTuple):
    """One pending entry. Who released it with XNACK has left it to nobody: `consumer` is empty, `idle_ms` -1."""

    id: bytes
    consumer: bytes
    idle_ms: int
    deliveries: int

    @property
    def is_released(self) -> bool:
        return self.idle_ms < 0 and not self.consumer


class Wanted(NamedTuple):
    """Which of them: from `start` to `end`, of one consumer or of all (None), idle and delivered at least so much."""

    start: StreamID = MIN_ID
    end: StreamID = MAX_ID
    consumer: bytes | None = None
    idle_ms: int = 0
    deliveries: int = 0

    def takes(self, held: Held) -> bool:
        """Redis: what was released passes any idle time."""
        return (
            (self.consumer is None or held.consumer == self.consumer)
            and (held.idle_ms >= self.idle_ms or held.idle_ms < 0)
            and held.deliveries >= self.deliveries
            and self.start <= id_of(held.id) <= self.end
        )

    @property
    def is_all_but_by_consumer(self) -> bool:
        return self == Wanted(consumer=self.consumer)


class Summary(NamedTuple):
    """How many there are, the greatest ID among them (None without any), and how many each consumer has."""

    total: int
    greatest: StreamID | None
    consumers: dict[bytes, int]


class Pending:
    """The pending entries of one group. Every method raises RefusedError, LostError, UnreachableError."""

    def __init__(self, backend: Backend, stream: bytes, group: bytes) -> None:
        self.backend: Final = backend
        self.stream, self.group = stream, group
        self._filters_idle = True  # does the server?

    def summary(self) -> Summary:
        """All of them in a few numbers."""
        reply = self._ask((b"XPENDING", self.stream, self.group))
        if not isinstance(reply, list) or len(reply) != 4:
            raise _strange()
        total, _, greatest, consumers = reply
        counts: dict[bytes, int] = {}
        for pair in consumers if isinstance(consumers, list) else ():
            if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[0], bytes):
                raise _strange()
            counts[pair[0]] = _number(pair[1])
        return Summary(_number(total), id_of(greatest) if isinstance(greatest, bytes) else None, counts)

    def pages(self, wanted: Wanted, most: int | None = None, size: int = PAGE) -> Iterator[list[Held]]:
        """Those that are wanted, by ID, `most` at most; what becomes pending behind the last page is seen."""
        start: StreamID | None = wanted.start
        left = most
        while start is not None and start <= wanted.end and left != 0:
            exact = wanted.deliveries <= 1 and self._filters_idle and wanted.consumer != b""
            count = size if left is None or not exact else min(size, left)
            rows = self._page(wanted, start, count)
            if not rows:
                return
            found = [held for held in rows if wanted.takes(held)][:left]
            if left is not None:
                left -= len(found)
            if found:
                yield found
            if len(rows) < count:
                return
            start = id_of(rows[-1].id).next()

    def _page(self, wanted: Wanted, start: StreamID, count: int) -> list[Held]:
        idle = (b"IDLE", b"%d" % wanted.idle_ms) if wanted.idle_ms and self._filters_idle else ()
        consumer = (wanted.consumer,) if wanted.consumer else ()
        argv = (
            b"XPENDING", self.stream, self.group, *idle, start.text, wanted.end.text, b"%d" % count, *consumer
        )  # fmt: skip
        reply = self.backend.execute(argv)
        if idle and isinstance(reply, Error) and reply.code == "ERR":
            self._filters_idle = False  # Redis before 6.2 cannot
            return self._page(wanted, start, count)
        return rows(accepted(reply, argv))

    def count(self, wanted: Wanted, most: int | None = None) -> int:
        """How many are wanted; asked of the summary where that can tell."""
        if wanted.is_all_but_by_consumer and wanted.consumer != b"":
            summary = self.summary()
            found = summary.total if wanted.consumer is None else summary.consumers.get(wanted.consumer, 0)
            return found if most is None else min(found, most)
        return sum(map(len, self.pages(wanted, most)))

    def of(self, ids: Sequence[bytes]) -> list[Held | None]:
        """For each ID what is pending under it, or None."""
        found = [
            rows(reply) for reply in self._all([(b"XPENDING", self.stream, self.group, id, id, b"1") for id in ids])
        ]
        return [some[0] if some else None for some in found]

    def payloads(self, ids: Sequence[bytes]) -> list[list[bytes] | None]:
        """For each ID the entry's names and values in turns; None when it is no longer in the stream."""
        found = [entries(reply) for reply in self._all([(b"XRANGE", self.stream, id, id) for id in ids])]
        return [some[0][1] if some else None for some in found]

    def _all(self, argvs: Sequence[Sequence[bytes]]) -> list[Reply]:
        replies = self.backend.pipelined(argvs, window=_WINDOW)
        return [accepted(reply, argv) for argv, reply in zip(argvs, list(replies), strict=True)]

    def _ask(self, argv: Sequence[bytes]) -> Reply:
        return accepted(self.backend.execute(argv), argv)


def rows(reply: Reply) -> list[Held]:
    """The rows of an XPENDING with a range. Raises ToolError for anything else."""
    if not isinstance(reply, list):
        raise _strange()
    found: list[Held] = []
    for row in reply:
        if not isinstance(row, list) or len(row) != 4 or not isinstance(row[0], bytes) or not isinstance(row[1], bytes):
            raise _strange()
        found.append(Held(id_of(row[0]).text, row[1], _number(row[2]), _number(row[3])))
    return found


def _number(reply: Reply) -> int:
    """Counts come as strings in a summary."""
    try:
        return int(reply)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise _strange() from None


def _strange() -> ToolError:
    return ToolError("the server has answered with something that is no pending entry")
