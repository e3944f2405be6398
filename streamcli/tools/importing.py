"""`streamcli import FILE`: entries of a file into streams, with their IDs or new ones, and whole streams with --groups.

A file is read to its end before anything is written, so that nothing is written
when something is wrong with it. What can be read only once, a pipe, is looked
at as it goes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from streamcli.backend import LostError, UnreachableError
from streamcli.flags import Flag, UsageError
from streamcli.text import bare, counted
from streamcli.tools.imported import Import, Plan
from streamcli.tools.infile import STDIN, InFile
from streamcli.tools.job import INTERRUPTED, OK, UNREACHABLE, Given, Job, Tool, ToolError, now_ms
from streamcli.tools.marks import Mark, place_of
from streamcli.tools.readers import array, jsonl
from streamcli.tools.resuming import ChangedError, Course
from streamcli.tools.rows import Rows
from streamcli.tools.stopping import stopping

if TYPE_CHECKING:
    from streamcli.tools.records import Record
    from streamcli.tools.stopping import Stop

_SUFFIXES: Final = {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".csv": "csv", ".tsv": "csv"}
_BLANKS: Final = b"\xef\xbb\xbf \t\r\n"


def run(job: Job, given: Given) -> int:
    """Bring the entries in: 0, or 130 when it was stopped before its end."""
    path = os.fsdecode(given.words[0])
    if path == STDIN and job.prompt:
        raise UsageError("at the prompt there is no standard input to read: name a file")
    plan = _plan(given)
    file = InFile(path)
    course = _course(job, given, path) if file.twice and path != STDIN else None
    one = Import(job.backend, plan, course)
    try:
        with stopping() as stop:
            return _run(job, given, file, one, stop)
    except (LostError, UnreachableError) as error:
        raise ToolError(f"{error}; {one.where()}", UNREACHABLE) from None
    finally:
        one.close()


def _course(job: Job, given: Given, path: str) -> Course | None:
    """Where the same command stopped, if it did. Raises ToolError when the file is another since then."""
    words = [given.text(key) for key in ("to", "as", "id", "time")]
    flags = [given.on(key) for key in ("new_ids", "append", "groups")]
    place = place_of(job.backend)
    mark = Mark(
        job.environment,
        "import",
        place,
        os.path.realpath(path),
        repr(words),
        repr(flags),
        given.number("from_line") or 1,
    )
    status = os.stat(path)
    course = Course(mark, [status.st_size, status.st_mtime_ns])
    if given.on("again"):
        return course
    try:
        note = course.read(job.backend)
    except ChangedError as error:
        raise ToolError(
            f"{path} was changed since the same command stopped behind line {error.line}: "
            f"--from-line {error.line + 1} goes on there, --again begins anew"
        ) from None
    if note is not None:
        job.say(f"import: {note}")
    return course


def _plan(given: Given) -> Plan:
    to = given.text("to")
    plan = Plan(
        to=None if to is None else os.fsencode(to),
        new_ids=given.on("new_ids"),
        append=given.on("append"),
        groups=given.on("groups"),
        batch=given.number("batch"),
        from_line=given.number("from_line") or 1,
    )
    if plan.groups and (plan.new_ids or plan.append):
        raise UsageError("--groups restores a stream as it was: with its own IDs, and by itself")
    if plan.new_ids and (given.text("id") or given.text("time")):
        raise UsageError("--new-ids takes no IDs from the file: leave out --id and --time")
    return plan


def _run(job: Job, given: Given, file: InFile, one: Import, stop: Stop) -> int:
    dry = given.dry_run
    new: int | None = None
    if file.twice or dry:
        with job.progress(f"check {file.name}", None) as progress, _records(file, given) as records:
            new = one.look(records, stop, progress)
        if one.stopped:
            job.say("import: stopped; nothing was done")
            return INTERRUPTED
    if not dry:
        total = None if new is None else one.entries
        with job.progress(f"import {file.name}", total) as progress, _records(file, given) as records:
            one.apply(records, stop, progress)
        if one.course is not None and not one.stopped:
            one.course.ended()
    for line in one.notes.lines:
        job.say(f"import: {line}")
    if one.notes.left_out:
        job.say(f"import: {one.notes.left_out} pending entries are gone from the stream, and could not be made pending")
    if one.left_out_groups:
        job.say("import: the groups of the file were left out; --groups restores them")
    if one.stopped:
        job.say(f"import: stopped; {one.where()}")
        return INTERRUPTED
    _tell(job, one, new if dry else None)
    return OK


@contextmanager
def _records(file: InFile, given: Given) -> Iterator[Iterator[Record]]:
    """The records of a file, in the format that was said, or that its name or its beginning says."""
    rows = Rows(now_ms(), id=given.text("id"), time=given.text("time"), new_ids=given.on("new_ids"))
    with file.opened() as (data, beginning):
        form = given.text("as") or _SUFFIXES.get(os.path.splitext(file.name.removesuffix(".gz"))[1].lower())
        first = beginning.lstrip(_BLANKS)[:1]
        if form in ("json", "jsonl"):
            form = "json" if first == b"[" else "jsonl"  # one is often called the other
        elif form is None:
            form = "json" if first == b"[" else "jsonl" if first == b"{" else "csv"
        yield rows.csv(data) if form == "csv" else array(data, rows) if form == "json" else jsonl(data, rows)


def _tell(job: Job, one: Import, would: int | None) -> None:
    names = [bare(landing.key) for landing in one.landings.values()]
    where = names[0] if len(names) == 1 else f"{len(names):,} streams" if names else "any stream"
    added = one.added if would is None else would
    text = f"{counted(added, 'entry')} {'would be ' if would is not None else ''}added to {where}"
    if one.skipped:
        text += f"; {one.skipped:,} {'was' if one.skipped == 1 else 'were'} there already"
    if one.groups:
        text += f"; {counted(one.groups, 'group')} restored, with {one.pending:,} pending"
    job.did(
        text,
        [
            ("streams", [landing.key for landing in one.landings.values()]),
            ("added", added),
            ("skipped", one.skipped),
            ("groups", one.groups),
            ("pending", one.pending),
            ("dry_run", would is not None),
        ],
    )


TOOL: Final = Tool(
    usage="FILE|-",
    run=run,
    least=1,
    most=1,
    roles=("file",),
    flags=(
        Flag(("--to",), "to", "The stream; by default the one that the file names.", "STREAM"),
        Flag(("--new-ids",), "new_ids", "Give the entries new IDs, in the order of the file."),
        Flag(("--append",), "append", "Add to a stream that has other entries, too."),
        Flag(("--groups", "--all"), "groups", "Restore settings, groups and what is pending, too."),
        Flag(
            ("--format",),
            "as",
            "What the file is; by its name and its beginning if not given.",
            "FORMAT",
            ("jsonl", "json", "csv"),
        ),
        Flag(("--id",), "id", "The column of CSV or plain JSON that has the IDs.", "COLUMN"),
        Flag(("--time",), "time", "The column whose times make the IDs.", "COLUMN"),
        Flag(
            ("--from-line",),
            "from_line",
            "Pass over the entries before this line of the file.",
            "N",
            number=(1, 9_999_999_999),
        ),
        Flag(("--again",), "again", "Begin anew, though the same command was stopped before its end."),
        Flag(("--batch",), "batch", "How many commands are sent ahead of their replies.", "N", number=(1, 100_000)),
    ),
    writes=True,
    about="""Reads what streamcli export writes, and CSV or plain JSON from elsewhere: an array of objects, or an object
        a line. It may be compressed by gzip. Entries that the stream has already are passed over, so that the same
        command goes on where it stopped; a stream that holds others is refused.""",
    examples=(
        "import weather.jsonl.gz",
        "import weather.jsonl --groups --to weather2",
        "import readings.csv --to weather --new-ids",
        "import - --to weather < weather.jsonl",
    ),
)
