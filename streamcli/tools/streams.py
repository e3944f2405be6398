"""`streams`: every stream with its length, times, rate, memory, groups and greatest lag.

The rate is that of the last minute, by the IDs: how many entries have one of
that time, a minute's share of them. Of a stream that is busier than _LATEST
entries a minute, the latest of them alone are read, fewer when they are large:
how many there were since the oldest of these. So it is exact for quiet streams,
and good to a few per cent for busy ones, at a price that does not grow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from streamcli.render.shape import ID, UNIX_MS
from streamcli.reply import Reply
from streamcli.tools import survey
from streamcli.tools.job import FAILED, OK, Given, Job, Tool
from streamcli.tools.ordering import Order, flags
from streamcli.tools.report import BYTES, COUNT, RATE, UNKNOWN, Column, report
from streamcli.tools.survey import Asked, Group, Stream, is_time

RATE_MS: Final = 60_000
_LATEST, _LATEST_BYTES = 50, 64 * 1024  # entries, and about how much of them, that are read for a rate
_AT_ONCE: Final = 1000
_SORTS: Final = ("name", "length", "first", "last", "rate", "memory", "groups", "lag")
_COLUMNS: Final = (
    Column("stream"),
    Column("length", COUNT),
    Column("rate", RATE),
    Column("lag", COUNT),
    Column("groups", COUNT),
    Column("memory", BYTES),
    Column("last_ms", UNIX_MS),
    Column("first_ms", UNIX_MS),
    Column("last_id", ID, detail=True),
)


class _Row:
    """What is known of a stream; UNKNOWN what is not."""

    __slots__ = ("facts", "lag", "memory", "name", "rate")

    def __init__(self, name: bytes) -> None:
        self.name = name
        self.facts: Stream | None = None
        self.lag: Reply = None
        self.memory: Reply = UNKNOWN
        self.rate: Reply = 0.0

    def cells(self) -> list[Reply]:
        facts = self.facts
        assert facts is not None
        return [
            self.name, facts.length, self.rate, self.lag, facts.groups, self.memory, _time(facts.last_ms),
            _time(facts.first_ms), facts.last_id,
        ]  # fmt: skip


def _time(ms: int | None) -> Reply:
    return ms if ms is None or is_time(ms) else UNKNOWN


def greatest_lag(groups: Sequence[Group]) -> Reply:
    """The lag of the group that is furthest behind: None without groups, UNKNOWN when one of them is not known."""
    if not groups:
        return None
    lags = [group.lag for group in groups if group.lag is not None]
    return max(lags) if len(lags) == len(groups) else UNKNOWN


def rate(ids: Sequence[bytes], asked: int, now_ms: int) -> float:
    """Entries a second, of the latest IDs of the last minute; `asked`: so many of them at most were asked for."""
    times = [ms for ms in map(survey.id_ms, ids) if ms is not None]
    if len(times) < asked:
        return len(times) * 1000 / RATE_MS
    return len(times) * 1000 / max(1, now_ms - min(times))


class _Survey:
    """Fills rows, a column at a time: what decides the order first, so that the rest is asked of what is shown."""

    def __init__(self, job: Job, order: Order) -> None:
        self._job, self._order = job, order
        self._backend = job.backend
        self._asked = Asked(self._backend)
        self._now_ms = survey.clock(self._backend)

    def rows(self, names: list[bytes]) -> list[_Row]:
        rows = [_Row(name) for name in names]
        cuts: dict[str, Callable[[_Row], object]] = {
            "length": lambda row: row.facts and row.facts.length, "first": lambda row: row.facts and row.facts.first_ms,
            "last": lambda row: row.facts and row.facts.last_ms, "groups": lambda row: row.facts and row.facts.groups,
            "rate": lambda row: row.rate, "memory": lambda row: row.memory, "lag": lambda row: row.lag,
        }  # fmt: skip
        if self._order.key == "name":
            rows = self._cut(rows, lambda row: row.name)
        rows = [row for row in self._fill(rows, self._facts) if row.facts is not None]
        steps = {"rate": self._rates, "memory": self._memory, "lag": self._lags}
        first = self._order.key
        if first in steps:
            rows = self._fill(rows, steps.pop(first))
        if first in cuts:
            rows = self._cut(rows, cuts[first])
        for step in steps.values():
            rows = self._fill(rows, step)
        return rows

    def _cut(self, rows: list[_Row], value: Callable[[_Row], object]) -> list[_Row]:
        return self._order.cut(rows, value, lambda row: row.name)

    def _fill(self, rows: list[_Row], step: Callable[[list[_Row]], None]) -> list[_Row]:
        """Ask in the order of a cluster's nodes, some at a time."""
        by_name = {row.name: row for row in rows}
        ordered = [by_name[name] for name in survey.in_order_of_slots(self._backend, by_name)]
        with self._job.progress("streams", len(rows)) as progress:
            for at in range(0, len(ordered), _AT_ONCE):
                step(ordered[at : at + _AT_ONCE])
                progress.at(at)
        return rows

    def _facts(self, rows: list[_Row]) -> None:
        replies = self._asked.each([(b"XINFO", b"STREAM", row.name) for row in rows])
        for row, reply in zip(rows, replies, strict=True):
            row.facts = survey.stream(reply)

    def _lags(self, rows: list[_Row]) -> None:
        grouped = [row for row in rows if row.facts and row.facts.groups]
        replies = self._asked.each([(b"XINFO", b"GROUPS", row.name) for row in grouped])
        for row, reply in zip(grouped, replies, strict=True):
            row.lag = UNKNOWN if reply is None else greatest_lag(survey.groups(reply))

    def _memory(self, rows: list[_Row]) -> None:
        replies = self._asked.each([(b"MEMORY", b"USAGE", row.name) for row in rows])
        for row, reply in zip(rows, replies, strict=True):
            row.memory = reply if isinstance(reply, int) else UNKNOWN

    def _rates(self, rows: list[_Row]) -> None:
        """A stream without an entry of the last minute is not read at all."""
        since = self._now_ms - RATE_MS
        lively: list[tuple[_Row, int]] = []
        for row in rows:
            last_ms = row.facts.last_ms if row.facts else None
            if last_ms is not None and not is_time(last_ms):
                row.rate = UNKNOWN
            elif last_ms is not None and last_ms >= since:
                lively.append((row, self._count(row)))
        replies = self._asked.each([
            (b"XREVRANGE", row.name, b"%d" % self._now_ms, b"%d" % since, b"COUNT", b"%d" % count)
            for row, count in lively
        ])  # fmt: skip
        for (row, count), reply in zip(lively, replies, strict=True):
            row.rate = UNKNOWN
            if isinstance(reply, list):
                row.rate = rate([id for id in map(_id_of, reply) if id is not None], count, self._now_ms)

    def _count(self, row: _Row) -> int:
        """How many entries may be read: fewer where the average is large."""
        if not isinstance(row.memory, int) or row.facts is None or not row.facts.length:
            return _LATEST
        each = max(1, row.memory // row.facts.length)
        return max(2, min(_LATEST, _LATEST_BYTES // each))

    def end(self) -> int:
        """Say what could not be asked: the exit code."""
        complaint = self._asked.complaint
        if complaint is None:
            return OK
        self._job.say(complaint)
        return FAILED


def _id_of(entry: Reply) -> bytes | None:
    id = entry[0] if isinstance(entry, list) and entry else None
    return id if isinstance(id, bytes) else None


def run(job: Job, given: Given) -> int:
    order = Order(given, _SORTS[0])
    found = _Survey(job, order)
    patterns = given.words or (None,)
    names = list(dict.fromkeys(name for one in patterns for some in survey.streams(job.backend, one) for name in some))
    if names or job.format is not None:
        report(job, _COLUMNS, (row.cells() for row in found.rows(names)))
    else:
        job.say("there are no streams" + (" of such names" if given.words else ""))
    return found.end()


TOOL = Tool(
    usage="[PATTERN...]",
    run=run,
    flags=flags(_SORTS),
    roles=("pattern",),
    about="""
        The rate is entries a second over the last minute, by their IDs. Memory is MEMORY USAGE's estimate. The lag is
        that of the group that is furthest behind; unknown when the server does not know one of them.
    """,
    examples=("streams", "streams 'orders:*' --sort lag --limit 10", "streams --json"),
)
