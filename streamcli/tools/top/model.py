"""What `top` knows of streams and groups at the moment, and how it came about: rates, trends, sparklines.

Written by the poller, read by what is drawn, each under `lock`. Times here are
seconds of a clock that never goes back. Knows neither servers nor screens.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import islice, pairwise
from threading import RLock
from typing import Final, NamedTuple, TypeAlias

from streamcli.tools.pending.held import Held
from streamcli.tools.survey import Consumer, Group, Stream

KEPT: Final = 24  # samples
WINDOW: Final = 10.0  # seconds that a rate is about
TREND: Final = 15.0  # seconds that a trend is about
_TREND_LEAST: Final = 2.0
_BARS: Final = ("▁▂▃▄▅▆▇█", "_.-:=+*#")

GROWS, SHRINKS, STEADY = "grows", "shrinks", ""


class Samples:
    """A number at different times, the latest KEPT of them."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: deque[tuple[float, int]] = deque(maxlen=KEPT)

    def add(self, at: float, value: int) -> None:
        """A value that never shrinks otherwise has begun anew when it does."""
        self._kept.append((at, value))

    def begin_anew(self) -> None:
        self._kept.clear()

    @property
    def last(self) -> tuple[float, int] | None:
        return self._kept[-1] if self._kept else None

    def rate(self) -> float | None:
        """How much it grows in a second, over the last WINDOW; None as long as there is but one sample."""
        if len(self._kept) < 2:
            return None
        end, last = self._kept[-1]
        begin, first = self._kept[-2]
        for at, value in islice(reversed(self._kept), 1, None):
            if end - at > WINDOW:
                break
            begin, first = at, value
        return max(0, last - first) / (end - begin) if end > begin else None

    def at(self, when: float) -> float | None:
        """The value then, between two samples in proportion; None before the first and behind the last."""
        before: tuple[float, int] | None = None
        for at, value in self._kept:
            if at == when:
                return float(value)
            if at > when:
                if before is None:
                    return None
                return before[1] + (value - before[1]) * (when - before[0]) / (at - before[0])
            before = (at, value)
        return None

    def within(self, seconds: float) -> list[tuple[float, int]]:
        """The samples of the last seconds, oldest first."""
        return [each for each in self._kept if self._kept[-1][0] - each[0] <= seconds]

    def trend(self) -> str:
        """GROWS when it has, and was not 0 in between; SHRINKS likewise; STEADY when nobody can tell."""
        recent = self.within(TREND) if self._kept else []
        if len(recent) < 2 or recent[-1][0] - recent[0][0] < _TREND_LEAST:
            return STEADY
        values = [value for _, value in recent]
        if min(values[1:]) <= 0:
            return STEADY  # it gets to the end now and then
        return GROWS if values[-1] > values[0] else SHRINKS if values[-1] < values[0] else STEADY


def spark(values: Sequence[float | None], unicode: bool, *, level: bool = False) -> str:
    """A bar for each value, the greatest of them full; blank where nothing is known, and when all are 0.

    `level`: what stays as it is lies low.
    """
    bars = _BARS[0] if unicode else _BARS[1]
    most = max([value for value in values if value is not None], default=0.0)
    if most <= 0:
        return " " * len(values)
    top = len(bars) - 1
    if level and all(value is None or value == most for value in values):
        return "".join([" " if value is None else bars[0] for value in values])
    return "".join([" " if value is None else bars[min(top, round(max(0.0, value) / most * top))] for value in values])


def rates(samples: Samples, count: int, step: float) -> list[float | None]:
    """The growth in each of `count` steps, the last of which ends with the last sample."""
    if samples.last is None:
        return [None] * count
    end = samples.last[0]
    points = [samples.at(end - step * back) for back in range(count, -1, -1)]
    return [None if before is None or after is None else max(0.0, after - before) for before, after in pairwise(points)]


def levels(samples: Samples, count: int, step: float) -> list[float | None]:
    """The value at the end of each of `count` steps."""
    if samples.last is None:
        return [None] * count
    end = samples.last[0]
    return [samples.at(end - step * back) for back in range(count - 1, -1, -1)]


class GroupState:
    """A group: `facts` of now, and how its lag and what it has read went."""

    __slots__ = ("facts", "lags", "oldest_ms", "reads")

    def __init__(self, facts: Group) -> None:
        self.facts = facts
        self.lags, self.reads = Samples(), Samples()
        self.oldest_ms: int | None = None  # the age of its oldest pending entry

    def put(self, facts: Group, at: float) -> None:
        self.facts = facts
        if facts.lag is not None:
            self.lags.add(at, facts.lag)
        else:
            self.lags.begin_anew()
        if facts.read is not None:
            if self.reads.last is not None and facts.read < self.reads.last[1]:
                self.reads.begin_anew()
            self.reads.add(at, facts.read)
        if not facts.pending:
            self.oldest_ms = None

    @property
    def trend(self) -> str:
        return self.lags.trend()

    @property
    def falls_behind(self) -> bool:
        return self.trend == GROWS


class StreamState:
    """A stream: `facts` of now, its groups by name, and how many were added when.

    `heavy`: its entries are so large that asking for it is dear.
    """

    __slots__ = ("added", "facts", "groups", "heavy", "memory", "memory_at", "name", "rate", "refused")

    def __init__(self, name: bytes) -> None:
        self.name = name
        self.facts: Stream | None = None
        self.groups: dict[bytes, GroupState] = {}
        self.added = Samples()
        self.rate: float | None = None
        self.memory: int | None = None
        self.memory_at = -1e9
        self.heavy = False
        self.refused = ""

    def put(self, facts: Stream, at: float) -> None:
        self.facts = facts
        value = facts.length if facts.added is None else facts.added
        if self.added.last is not None and value < self.added.last[1]:
            self.added.begin_anew()
        self.added.add(at, value)
        self.rate = self.added.rate()
        if not facts.groups:
            self.groups.clear()

    def unchanged(self, at: float) -> None:
        """Nothing was added since it was last asked for."""
        last = self.added.last
        if last is not None:
            self.added.add(at, last[1])
            self.rate = self.added.rate()

    def put_groups(self, found: Sequence[Group], at: float) -> None:
        groups: dict[bytes, GroupState] = {}
        for facts in found:
            state = self.groups.get(facts.name) or GroupState(facts)
            state.put(facts, at)
            groups[facts.name] = state
        self.groups = groups

    @property
    def lag(self) -> int | None:
        """The greatest; None when one is not known, or there is no group."""
        lags = [group.facts.lag for group in self.groups.values()]
        known = [lag for lag in lags if lag is not None]
        return max(known) if known and len(known) == len(lags) else None

    @property
    def falls_behind(self) -> bool:
        return any(group.falls_behind for group in self.groups.values())


class OfStream(NamedTuple):
    """Look at one stream: its groups, and its latest entries."""

    stream: bytes


class OfGroup(NamedTuple):
    """Look at one group: its consumers, and what is pending."""

    stream: bytes
    group: bytes


class OfConsumer(NamedTuple):
    """Look at what one consumer holds."""

    stream: bytes
    group: bytes
    consumer: bytes


class OfEntry(NamedTuple):
    """Look at one entry."""

    stream: bytes
    id: bytes


Subject: TypeAlias = OfStream | OfGroup | OfConsumer | OfEntry


class Detail(NamedTuple):
    """What was found of a subject; what it has not is empty. `gone`: it is not there. `refused`: it may not be seen."""

    subject: Subject
    entries: list[tuple[bytes, list[bytes]]] = []  # noqa: RUF012  never written to
    consumers: list[Consumer] = []  # noqa: RUF012
    pending: list[Held] = []  # noqa: RUF012
    gone: bool = False
    refused: str = ""


class Model:
    """All of it. `trouble` is why nothing comes, None when all is well: the server's own words, perhaps."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.streams: dict[bytes, StreamState] = {}
        self.detail: Detail | None = None
        self.trouble: str | None = None
        self.back_at: float | None = None
        self.asked_at: float | None = None  # since when an answer is waited for
        self.unloaded = 0  # streams of which nothing is known yet
        self.scanned = False  # all names have been seen once
        self.now_ms = 0  # by the server's clock
        self.notice = ""

    def group_count(self) -> int:
        return sum([len(state.groups) for state in self.streams.values()])

    def total_rate(self) -> float:
        return sum([state.rate or 0.0 for state in self.streams.values()])
