"""`trim`: away with what is old, or with what every group has acknowledged.

XTRIM does it, in bites, so that no server stands still for a million entries.
Where to cut is an ID that is found first: nothing but entries before it goes.
"""

from __future__ import annotations

from functools import partial
from typing import Final, NamedTuple

from streamcli.flags import Flag, UsageError
from streamcli.ids import MAX_ID, MIN_ID, StreamID, parse_id
from streamcli.reply import Reply
from streamcli.text import bare
from streamcli.times import date_text
from streamcli.tools.entries import id_of, pages, so_many
from streamcli.tools.job import FAILED, INTERRUPTED, OK, Given, Job, Tool, ToolError, also_telling, span_ms
from streamcli.tools.places import place
from streamcli.tools.replies import items, number, record, string
from streamcli.tools.report import COUNT, Column, report
from streamcli.tools.stopping import Stop, stopping
from streamcli.tools.survey import by_clock, is_there

_BITE: Final = 100_000  # entries that one XTRIM may remove
_COUNTED_MOST: Final = 100_000  # entries that are counted for a question


def _names(groups: Reply) -> str:
    return ", ".join([bare(string(group)) for group in items(groups)]) or "-"


_COLUMNS: Final = (
    Column("stream"), Column("removed", COUNT), Column("before", "id"), Column("left", COUNT),
    Column("still_pending", people=_names), Column("dry_run", people=lambda dry: "yes" if dry else "no"),
)  # fmt: skip


class _Cut(NamedTuple):
    """Entries before `before` go; `why_not` says why there are none."""

    before: StreamID
    why_not: str = ""
    held_by: bytes = b""  # the group that has not acknowledged what is there


def run(job: Job, given: Given) -> int:
    """Trim each stream: its exit code."""
    wanted = by_clock(lambda: job.backend, partial(_wanted, given))
    rows: list[list[Reply]] = []
    sentences: list[str] = []
    code = OK
    try:
        with stopping() as stop:
            for key in dict.fromkeys(given.words):
                if stop.asked:
                    break
                cut = _cut(job, key, wanted, acked=given.on("acked"))
                if job.prompt and not given.dry_run and not _agreed(job, key, cut, stop):
                    code = FAILED
                    break
                removed = _count(job, key, cut, stop) if given.dry_run else _trim(job, key, cut, stop)
                pending = _pending_before(job, key, cut.before) if removed and not given.on("acked") else []
                left = _length(job, key) - (removed if given.dry_run else 0)
                rows.append([key, removed, cut.before.text, left, [*pending], given.dry_run])
                sentences.append(_sentence(key, removed, cut, pending, given.dry_run, stop.asked))
            if stop.asked:
                job.say("stopped; the same command goes on from there")
                code = INTERRUPTED
    finally:  # of what was done before a fault, too
        if job.format is None:
            job.show(sentences)
        elif rows:
            report(job, _COLUMNS, rows)
    return code


def _wanted(given: Given, now_ms: int) -> StreamID:
    """What is older than this may go. Raises UsageError."""
    age, before = given.text("age"), given.text("before")
    if age is not None and before is not None:
        raise UsageError("give --older-than or --before, not both")
    if age is not None:
        ms = span_ms(age)
        if ms is None:
            raise UsageError(f"--older-than takes a length of time such as 7d or 12h, not {age!r}")
        return StreamID(max(0, now_ms - ms), 0)
    if before is not None:
        return place(before, now_ms)
    if not given.on("acked"):
        raise UsageError("what is to go? --older-than 7d, --before PLACE or --acked")
    return MAX_ID


def _cut(job: Job, key: bytes, wanted: StreamID, *, acked: bool) -> _Cut:
    """Where to cut a stream. Raises RefusedError, ToolError."""
    if not is_there(job.backend, key):
        raise ToolError(f"there is no stream {bare(key)}")
    if not acked:
        return _Cut(wanted)
    groups = [record(group) for group in items(job.ask("XINFO", "GROUPS", key))]
    if not groups:
        return _Cut(MIN_ID, "it has no group, so that nothing is acknowledged")
    cut, held_by = wanted, b""
    for group in groups:
        name, delivered = string(group.get(b"name")), parse_id(string(group.get(b"last-delivered-id")))
        if delivered is None:
            raise ToolError(f"{bare(key)}: the server has not said how far {bare(name)} is")
        first = items(job.ask("XPENDING", key, name))[1:2]
        oldest = parse_id(first[0]) if first and isinstance(first[0], bytes) else None
        done = oldest or delivered.next() or MAX_ID
        if done < cut:
            cut, held_by = done, name
    return _Cut(cut, held_by=held_by)


def _agreed(job: Job, key: bytes, cut: _Cut, stop: Stop) -> bool:
    """Ask a person, with what is at stake; where nothing is, there is no question."""
    found = _count(job, key, cut, stop, _COUNTED_MOST)
    if not found or stop.asked:
        return True
    many = f"more than {_COUNTED_MOST:,} entries" if found > _COUNTED_MOST else so_many(found)
    return job.agrees(f"{many} of the {_length(job, key):,} in {bare(key)} will be removed, {_all_before(cut.before)}")


def _trim(job: Job, key: bytes, cut: _Cut, stop: Stop) -> int:
    """How many entries were removed."""
    if cut.before == MIN_ID:
        return 0
    removed = 0
    told = also_telling(lambda: f"{so_many(removed)} removed before" if removed else "")
    with told, job.progress(f"trim {bare(key)}", None) as progress:
        while not stop.asked:
            bite = job.ask("XTRIM", key, "MINID", "~", cut.before.text, "LIMIT", _BITE)
            removed += number(bite)
            progress.at(removed)
            if number(bite) <= 0:
                rest = job.ask("XTRIM", key, "MINID", cut.before.text)  # less than a node
                return removed + number(rest)
    return removed


def _count(job: Job, key: bytes, cut: _Cut, stop: Stop, most: int | None = None) -> int:
    """How many entries would be removed: they are counted, page by page, until they are more than `most`."""
    end = cut.before.previous()
    found = 0
    with job.progress(f"count {bare(key)}", None) as progress:
        for page in pages(job.backend, key, MIN_ID, end) if end is not None else ():
            found += len(page)
            progress.at(found)
            if stop.asked or (most is not None and found > most):
                break
    return found


def _pending_before(job: Job, key: bytes, before: StreamID) -> list[bytes]:
    """The groups that have entries pending that are, or were, older than the cut."""
    names = []
    for group in items(job.ask("XINFO", "GROUPS", key)):
        name = string(record(group).get(b"name"))
        first = items(job.ask("XPENDING", key, name))[1:2]
        if first and isinstance(first[0], bytes) and id_of(first[0]) < before:
            names.append(name)
    return names


def _length(job: Job, key: bytes) -> int:
    return number(job.ask("XLEN", key))


def _sentence(key: bytes, removed: int, cut: _Cut, pending: list[bytes], dry_run: bool, stopped: bool) -> str:
    name = bare(key)
    if cut.why_not:
        return f"{name}: nothing to trim; {cut.why_not}"
    if not removed and not stopped:
        why = f"; group {bare(cut.held_by)} has not acknowledged more" if cut.held_by else ""
        return f"{name}: nothing to trim before {_dated(cut.before)}{why}"
    done = "would be removed" if dry_run else "removed so far" if stopped else "removed"
    groups = _names([*pending])
    still = f"; those that were pending in {groups} {'would stay' if dry_run else 'stay'} so" if pending else ""
    return f"{name}: {so_many(removed)} {done}, {_all_before(cut.before)}{still}"


def _all_before(id: StreamID) -> str:
    return f"all before {_dated(id)}"


def _dated(id: StreamID) -> str:
    date = date_text(id.ms)
    return f"{id} ({date})" if date else str(id)


TOOL = Tool(
    "STREAM...",
    run,
    (
        Flag(("--older-than",), "age", "Remove entries older than this: 7d, 12h, 90m.", "AGE"),
        Flag(("--before",), "before", "Remove entries before this ID or time: yesterday, 1526984818136-0.", "PLACE"),
        Flag(("--acked",), "acked", "Remove only what every group has acknowledged."),
    ),
    least=1,
    roles=("key",),
    about="With --older-than or --before what is old goes, whoever may still want it; with --acked nothing goes that "
    "any group has not read and acknowledged. Both together: what is old and acknowledged.\n\n"
    "It is done in bites of 100,000 entries. Ctrl-C stops between two of them.",
    examples=("trim orders --older-than 7d", "trim orders --acked --dry-run", "trim a b c --before yesterday --acked"),
    writes=True,
)
