"""`tail STREAM...`: what is at the end of streams, and what comes, merged by ID; or what a group delivers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final, TypeAlias

from streamcli.flags import Flag, UsageError
from streamcli.ids import MAX_ID, MIN_ID, StreamID
from streamcli.tools import template, where
from streamcli.tools.conditions import Test
from streamcli.tools.enduring import EndedError, Enduring
from streamcli.tools.follow import Following, Span
from streamcli.tools.job import OK, Given, Job, Tool, ToolError
from streamcli.tools.lines import TABLE, Lines, lines_of
from streamcli.tools.member import Member
from streamcli.tools.merging import Row
from streamcli.tools.places import place
from streamcli.tools.pointing import PointedError
from streamcli.tools.stopping import Stop, stopping
from streamcli.tools.survey import by_clock

Source: TypeAlias = "Following | Member"

_PIPE_CLOSED: Final = 141  # as a program that SIGPIPE has ended
_LAST: Final = 10
_MOST: Final = 2**31 - 1
_LAST_N: Final = re.compile("-([0-9]{1,10})", re.ASCII)


def run(job: Job, given: Given) -> int:
    """Follow until Ctrl-C, which is how it is meant to end, or until what was asked for has come."""
    streams = list(dict.fromkeys(given.words))
    _check(job, given)
    try:
        lines = _lines(job, given, several=len(streams) > 1)
        span, test = by_clock(lambda: job.backend, partial(_wanted, given))
    except PointedError as error:
        for line in error.picture:
            job.say(line)
        raise
    backend = job.backend  # Ctrl-C ends what is not connected yet as it ends anything
    with stopping() as stop:
        link = Enduring(backend, job.say, lambda: stop.asked, job.unread, patient=_follows(given))
        source = _source(given, link, streams, span)
        tail = _Tail(source, stop, test, lines, given.number("count"), acks=given.on("ack"))
        try:
            job.show(tail, live=True)
        except EndedError as ended:
            return _PIPE_CLOSED if ended.unread else OK
        except KeyboardInterrupt:
            return OK
        finally:
            tail.end()
    return OK


def _wanted(given: Given, now_ms: int) -> tuple[Span, Test | None]:
    """From where to where, and which of them. Raises UsageError, PointedError."""
    text = given.text("where")
    return _span(given, now_ms), None if text is None else where.compiled(text, now_ms)


def _follows(given: Given) -> bool:
    return not given.on("no_follow") and (given.text("until") or "").lower() not in ("end", "+")


def _check(job: Job, given: Given) -> None:
    """Do the words go together? Raises UsageError, ToolError."""
    if given.text("template") is not None and given.texts("fields"):
        raise UsageError("--template names its fields itself, without --fields")
    if given.text("group") is None:
        for key, is_said in (("consumer", given.text("consumer") is not None), ("ack", given.on("ack"))):
            if is_said:
                raise UsageError(f"--{key} goes with --group")
        return
    if given.text("consumer") is None:
        raise UsageError("--group needs --consumer: who of the group reads")
    if (given.text("from") or "start").lower() not in ("start", "end"):
        raise UsageError("with --group, --from is start (what is pending for the consumer first) or end (what is new)")
    if given.text("until") is not None:
        raise UsageError("--until does not go with --group, which does not take back what it delivers; -n does")
    if job.read_only:
        raise ToolError("--group marks entries as delivered, and this session is read-only")


def _source(given: Given, link: Enduring, streams: Sequence[bytes], span: Span) -> Source:
    group, consumer = given.text("group"), given.text("consumer")
    if group is None or consumer is None:
        return Following(link, streams, span, follows=_follows(given))
    return Member(
        link,
        streams,
        group.encode("utf-8", "surrogateescape"),
        consumer.encode("utf-8", "surrogateescape"),
        begins_with_pending=(given.text("from") or "start").lower() == "start",
        follows=_follows(given),
    )


def _span(given: Given, now: int) -> Span:
    until = _place("--until", given.text("until") or "end", now, last=True)
    count = given.number("count") or _LAST
    begin = given.text("from") or f"-{count if given.text('where') is None else max(count, _LAST)}"
    if last := _LAST_N.fullmatch(begin):
        return Span(MAX_ID, until, int(last[1])) if int(last[1]) else Span(MAX_ID, until)
    if begin.lower() in ("end", "+"):
        return Span(MAX_ID, until)
    return Span(_place("--from", begin, now, last=False).previous() or MIN_ID, until)


def _place(option: str, text: str, now: int, *, last: bool) -> StreamID:
    try:
        return place(text, now, last=last)
    except UsageError as error:
        raise UsageError(f"{option}: {error}") from None


def _lines(job: Job, given: Given, *, several: bool) -> Lines:
    chosen = given.texts("fields")
    names = [name.encode("utf-8", "surrogateescape") for text in chosen for name in _split(text)] if chosen else None
    text = given.text("template")
    if text is not None:
        make = template.compiled(text, terminal=job.options.terminal)
        return lambda rows: (make(row.stream, row.id, row.fields) for row in rows)
    default = "jsonl" if not job.options.terminal else "tree" if names is None else TABLE
    return lines_of(job.format or default, job.options, names, several=several)


def _split(text: str) -> Iterator[str]:
    """Names at commas; a comma of a name's own has a backslash before it."""
    for name in re.split(r"(?<!\\),", text):
        yield name.strip().replace("\\,", ",")


class _Tail:
    """The chunks of what is shown, and which of it has been."""

    def __init__(
        self, source: Source, stop: Stop, test: Test | None, lines: Lines, most: int | None, *, acks: bool
    ) -> None:
        self._source, self._stop, self._test, self._lines, self._left = source, stop, test, lines, most
        self._acks = acks
        self._shown: list[Row] = []  # and not acknowledged yet

    def __iter__(self) -> Iterator[str]:
        self._limit()
        for batch in self._source.batches():
            rows = batch if self._test is None else [row for row in batch if self._test(row.stream, row.id, row.fields)]
            if self._left is not None:
                rows = rows[: self._left]
            for row, chunk in zip(rows, self._lines(rows), strict=True):
                if self._stop.asked:
                    return
                yield chunk
                self._shown.append(row)
            if self._left is not None:
                self._left -= len(rows)
                if not self._left:
                    return
            self._limit()
            self._settle()

    def _limit(self) -> None:
        """Read no more than is shown, where it is known beforehand."""
        if self._test is None:
            self._source.most = self._left

    def _settle(self) -> None:
        """What was written is done with."""
        if self._acks and self._shown and isinstance(self._source, Member):
            self._source.acknowledge(self._shown)
        self._shown = []

    def end(self) -> None:
        """No more is wanted: what was written still is acknowledged."""
        if self._acks and self._shown and isinstance(self._source, Member):
            self._source.acknowledge_at_last(self._shown)


TOOL: Final = Tool(
    usage="STREAM...",
    run=run,
    least=1,
    roles=("key",),
    flags=(
        Flag(
            ("--from",),
            "from",
            "Where to begin: start, end (only what is new), an ID, a time (-10m, yesterday, RFC 3339), or the last N"
            " entries. Default: -10, or what -n says.",
            "PLACE|-N",
        ),
        Flag(("--until",), "until", "Where to end, counted in: end (what is there now), an ID or a time.", "PLACE"),
        Flag(
            ("-n", "--limit", "--count"),
            "count",
            "End after so many entries. Without --from it begins with the last so many.",
            "N",
            number=(1, _MOST),
        ),
        Flag(("--no-follow",), "no_follow", "Show what is there, and end."),
        Flag(("--where",), "where", "Only the entries that an expression is true of.", "EXPR"),
        Flag(("--fields",), "fields", "Only these fields, in this order, parted by commas.", "NAMES", repeats=True),
        Flag(("--template",), "template", "A line for each entry, such as '{time} {city}: {temp}'.", "TEXT"),
        Flag(("--group",), "group", "Read as a member of a group: what is pending for it, then what is new.", "GROUP"),
        Flag(("--consumer",), "consumer", "Who of the group reads.", "CONSUMER"),
        Flag(("--ack",), "ack", "Acknowledge each entry when it has been shown. Without it nothing is."),
    ),
    about="""Entries of several streams come in the order of their IDs. Streams that do not exist yet are waited for. A
        connection that is lost is waited for, too, and nothing is missed or shown twice. Ctrl-C ends it, with exit
        code 0.

        Off a terminal each entry is a line of JSON, unless --format says otherwise. `help tail` describes the
        expressions of --where, and templates.""",
    examples=(
        "tail orders",
        "tail orders payments --from -10m",
        "tail readings --where 'temp > 30 and city = \"Oslo\"' --fields city,temp",
        "tail readings --template '{time} {city:<10} {temp:>5}' --no-follow",
        "tail orders --group billing --consumer me --ack",
    ),
)
