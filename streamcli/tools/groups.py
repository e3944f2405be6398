"""`groups`: every group with its lag, what is pending and how old, and its consumers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Final

from streamcli.render.shape import ID, SPAN_MS, UNIX_MS
from streamcli.reply import Map, Reply
from streamcli.text import bare, plain
from streamcli.times import span_text
from streamcli.tools import survey
from streamcli.tools.job import FAILED, OK, Given, Job, Tool
from streamcli.tools.ordering import Order, flags
from streamcli.tools.replies import number, record, string
from streamcli.tools.report import COUNT, UNKNOWN, Column, report
from streamcli.tools.survey import Asked, Group, is_time

_SORTS: Final = ("name", "lag", "pending", "oldest", "consumers", "delivered")
_AT_ONCE: Final = 500
CONSUMERS_MOST: Final = 1000  # of a group, that are asked for; XINFO CONSUMERS gives them all or none
_PATTERN: Final = frozenset(b"*?")  # either makes a word a pattern
_NAMED: Final = 3  # of the consumers, in a table


def _members(reply: Reply) -> str:
    """`alice 2 pending, idle 5.1s; bob idle 3m 2s and 4 more`: first who holds most."""
    if not isinstance(reply, list):
        return plain(str(reply).encode())
    if not reply:
        return "-"
    found = sorted(map(record, reply), key=lambda one: -number(one.get(b"pending")))
    texts = []
    for one in found[:_NAMED]:
        idle, pending = number(one.get(b"idle")), number(one.get(b"pending"))
        holds = f" {pending:,} pending," if pending else ""
        texts.append(f"{bare(string(one.get(b'name')))}{holds} idle {span_text(idle) or f'{idle}ms'}")
    more = len(found) - _NAMED
    return "; ".join(texts) + (f" and {more:,} more" if more > 0 else "")


_COLUMNS: Final = (
    Column("stream"),
    Column("group"),
    Column("lag", COUNT),
    Column("pending", COUNT),
    Column("oldest_age_ms", SPAN_MS),
    Column("delivered_ms", UNIX_MS, none="nothing yet"),
    Column("consumers", COUNT),
    Column("members", people=_members),
    Column("oldest_id", ID, detail=True),
    Column("last_delivered_id", ID, detail=True),
)


class _Row:
    """A group; `oldest` is the ID of the first of its pending entries, None when none is."""

    __slots__ = ("facts", "members", "oldest", "oldest_ms", "stream")

    def __init__(self, stream: bytes, facts: Group) -> None:
        self.stream, self.facts = stream, facts
        self.members: Reply = []
        self.oldest: Reply = None
        self.oldest_ms: Reply = None

    @property
    def delivered_ms(self) -> Reply:
        """When the last of the entries that it was given was added."""
        ms = survey.id_ms(self.facts.last_id)
        return None if not ms else ms if is_time(ms) else UNKNOWN

    def cells(self) -> list[Reply]:
        facts = self.facts
        lag: Reply = UNKNOWN if facts.lag is None else facts.lag
        return [
            self.stream, facts.name, lag, facts.pending, self.oldest_ms, self.delivered_ms, facts.consumers,
            self.members, self.oldest, facts.last_id,
        ]  # fmt: skip


class _Survey:
    """Groups of streams, with their consumers."""

    def __init__(self, job: Job) -> None:
        self._job, self._backend = job, job.backend
        self.asked = Asked(self._backend)
        self._now_ms = survey.clock(self._backend)
        self.missing: list[bytes] = []

    def groups(self, names: list[bytes]) -> list[_Row]:
        """The groups of the streams; `missing` are the names that are no streams."""
        rows: list[_Row] = []
        for some in self._some(names):
            refused = self.asked.refusals
            for name, reply in zip(some, self.asked.each([(b"XINFO", b"GROUPS", name) for name in some]), strict=True):
                if reply is None and self.asked.refusals == refused:
                    self.missing.append(name)
                refused = self.asked.refusals
                rows += [_Row(name, group) for group in survey.groups(reply)]
        return rows

    def _some(self, names: list[bytes]) -> list[list[bytes]]:
        ordered = survey.in_order_of_slots(self._backend, names)
        return [ordered[at : at + _AT_ONCE] for at in range(0, len(ordered), _AT_ONCE)]

    def oldest(self, rows: list[_Row]) -> None:
        """The oldest pending entry of each group, and its age: how long ago it was added, by its ID."""
        rows = [row for row in rows if row.facts.pending]
        asks = [(b"XPENDING", row.stream, row.facts.name, b"-", b"+", b"1") for row in rows]
        for row, reply in zip(rows, self.asked.each(asks), strict=True):
            row.oldest = row.oldest_ms = UNKNOWN
            first = reply[0] if isinstance(reply, list) and reply else None
            if isinstance(first, list) and first and isinstance(first[0], bytes):
                row.oldest = first[0]
                ms = survey.id_ms(first[0])
                row.oldest_ms = max(0, self._now_ms - ms) if ms is not None and is_time(ms) else UNKNOWN

    def members(self, rows: list[_Row]) -> None:
        for row in rows:
            row.members = UNKNOWN if row.facts.consumers else []
        rows = [row for row in rows if 0 < row.facts.consumers <= CONSUMERS_MOST]
        asks = [(b"XINFO", b"CONSUMERS", row.stream, row.facts.name) for row in rows]
        for row, reply in zip(rows, self.asked.each(asks), strict=True):
            row.members = UNKNOWN
            if reply is not None:
                row.members = [
                    Map([(b"name", one.name), (b"pending", one.pending), (b"idle", one.idle),
                         (b"inactive", one.inactive)])
                    for one in survey.consumers(reply)
                ]  # fmt: skip


def _meant(job: Job, words: list[bytes]) -> Iterator[bytes]:
    """The streams of some names and patterns, of all when there is none; a name that there is not comes out, too."""
    for word in words or (None,):
        found = [word] if word is not None and not _PATTERN.intersection(word) else []
        yield from found or chain.from_iterable(survey.streams(job.backend, word))


def run(job: Job, given: Given) -> int:
    order = Order(given, _SORTS[0])
    found = _Survey(job)
    asked_for = list(dict.fromkeys(given.words))
    names = list(dict.fromkeys(_meant(job, asked_for)))
    rows = found.groups(names)
    if order.key == "oldest":
        found.oldest(rows)
    values = {
        "name": lambda row: (row.stream, row.facts.name), "lag": lambda row: row.facts.lag,
        "pending": lambda row: row.facts.pending, "oldest": lambda row: row.oldest_ms,
        "consumers": lambda row: row.facts.consumers, "delivered": lambda row: row.delivered_ms,
    }  # fmt: skip
    rows = order.cut(rows, values[order.key], values["name"])
    if order.key != "oldest":
        found.oldest(rows)
    found.members(rows)
    if rows or job.format is not None:
        report(job, _COLUMNS, (row.cells() for row in rows))
    elif not found.missing:
        job.say("there are no groups")
    for name in found.missing if asked_for else ():
        job.say(f"there is no stream {bare(name)}")
    if found.asked.complaint is not None:
        job.say(found.asked.complaint)
    return FAILED if (asked_for and found.missing) or found.asked.refused is not None else OK


TOOL = Tool(
    usage="[STREAM|PATTERN...]",
    run=run,
    flags=flags(_SORTS),
    roles=("key",),
    about="""
        The lag is what the server says; unknown when it does not know, as after deletions within the stream. The
        oldest age is how long ago the oldest pending entry was added; `delivered` is the time of the last entry that
        the group was given.
    """,
    examples=("groups", "groups orders 'jobs:*' --sort pending", "groups --sort lag --limit 10 --json"),
)
