"""`streamcli export a b`: streams as lines of JSON, lossless, or as JSON or CSV for others to read.

A file has its name when it is whole. An export ends where its stream ended when
it began, so that it comes to an end on a busy stream as well; what is trimmed or
deleted meanwhile is not in it.
"""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Final

from streamcli.backend import LostError, UnreachableError
from streamcli.flags import Flag, UsageError
from streamcli.ids import MAX_ID, MIN_ID, StreamID
from streamcli.render import Options
from streamcli.reply import Error
from streamcli.text import bare, counted
from streamcli.tools.entries import entries, id_of
from streamcli.tools.exported import Export
from streamcli.tools.job import INTERRUPTED, OK, UNREACHABLE, Given, Job, RefusedError, Tool, ToolError, now_ms
from streamcli.tools.outfile import OutFile
from streamcli.tools.stopping import stopping
from streamcli.tools.survey import by_clock

if TYPE_CHECKING:
    from streamcli.tools.progress import Progress
    from streamcli.tools.stopping import Stop

_SUFFIXES: Final = {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".csv": "csv"}
_STDOUT: Final = "-"


def run(job: Job, given: Given) -> int:
    """Write the streams: 0, or 130 when it was stopped before its end."""
    name = given.text("output") or _STDOUT
    form = given.text("as") or ("json" if job.format == "json" else None) or _format_of(name)
    if given.on("groups") and form != "jsonl":
        raise UsageError(f"--groups needs the format jsonl: {form} has entries alone")
    if given.on("plain") and (given.on("groups") or form != "jsonl"):
        raise UsageError("--plain is for jsonl without --groups")
    start, end = by_clock(lambda: job.backend, partial(_bounds, given))
    keys = list(dict.fromkeys(given.words))
    ends = [_last(job, key, start, end) for key in keys]
    export = Export(job.backend, keys, start, end, ends, groups=given.on("groups"), plain=given.on("plain"))
    whole = (start, end) == (MIN_ID, MAX_ID)
    total = sum(int(str(job.ask("XLEN", key))) for key in keys) if whole else None
    with stopping() as stop, job.progress(f"export {_names(export)}", total) as progress:
        if name == _STDOUT:
            return _to_stdout(job, export, form, stop, progress)
        now = now_ms()
        same = "" if _bounds(given, now) == _bounds(given, now + 1) else _said(start, end)
        return _to_file(job, export, form, name, stop, progress, same)


def _format_of(name: str) -> str:
    return _SUFFIXES.get(os.path.splitext(name.removesuffix(".gz"))[1].lower(), "jsonl")


def _bounds(given: Given, now: int) -> tuple[StreamID, StreamID]:
    first, last = given.text("from"), given.text("until")
    if first is None and last is None:
        return MIN_ID, MAX_ID
    from streamcli.tools.places import place

    start = MIN_ID if first is None else place(first, now)
    end = MAX_ID if last is None else place(last, now, last=True)
    if start > end:
        raise UsageError(f"--from {first} is behind --until {last}")
    return start, end


def _said(start: StreamID, end: StreamID) -> str:
    """The options that mean the same bounds at any time."""
    parts = ["" if start == MIN_ID else f" --from {start}", "" if end == MAX_ID else f" --until {end}"]
    return f" with{''.join(parts)}"


def _last(job: Job, key: bytes, start: StreamID, end: StreamID) -> StreamID | None:
    """The last entry that there is between the bounds; None for none. Raises ToolError when there is no such stream."""
    argv = (b"XREVRANGE", key, end.text, start.text, b"COUNT", b"1")
    reply = job.backend.execute(argv)
    if isinstance(reply, Error):
        if reply.code == "WRONGTYPE":
            raise ToolError(f"{bare(key)} is no stream")
        raise RefusedError(reply, argv)
    found = entries(reply)
    if not found and not job.ask("EXISTS", key):
        raise ToolError(f"there is no stream {bare(key)}")
    return id_of(found[0][0]) if found else None


def _names(export: Export) -> str:
    first = bare(export.keys[0])
    return first if len(export.keys) == 1 else f"{len(export.keys)} streams"


def _to_stdout(job: Job, export: Export, form: str, stop: Stop, progress: Progress) -> int:
    chunks = export.chunks(form, stop, progress, job.options)
    try:
        job.show(chunks)
    except (LostError, UnreachableError) as error:
        raise ToolError(f"{error}; {_where(export)}", UNREACHABLE) from None
    if export.stopped:
        job.say(f"export: stopped; {_where(export)}")
        return INTERRUPTED
    _note(job, export)
    return OK


def _note(job: Job, export: Export) -> None:
    for line in export.notes.lines:
        job.say(f"export: {line}")


def _where(export: Export) -> str:
    at = export.at
    if at.id is None:
        return "nothing was written of its entries"
    among = f" of {bare(export.keys[at.stream])}" if len(export.keys) > 1 else ""
    return f"the last entry written is {at.id}{among}: --from {at.id.next() or at.id} goes on from there"


def _to_file(job: Job, export: Export, form: str, name: str, stop: Stop, progress: Progress, same: str) -> int:
    part = f"{name}.part"
    goes_on = form == "jsonl" and not export.plain  # the first line says whose the part is
    size = os.path.getsize(part) if goes_on and os.path.isfile(part) else 0
    before = export.found_in(part) if size else None
    if before is not None:
        export.go_on(before)
        job.say(f"export: {before.entries:,} entries are in {part} already; going on from there")
    elif os.path.exists(name) and os.path.isfile(name) and not job.agrees(f"{name} is there, and will be replaced"):
        raise ToolError(f"{name} is there, and stays as it is")
    with OutFile(name, go_on=None if before is None else size) as file:
        try:
            for chunk in export.chunks(form, stop, progress, Options()):
                file.write(chunk)
        except (LostError, UnreachableError) as error:
            if goes_on and export.may_go_on and export.at.entries:
                file.keep()
            raise ToolError(f"{error}; {_kept(file, export, same)}", UNREACHABLE) from None
        if export.stopped:
            if goes_on and export.at.entries:
                file.keep()
            job.say(f"export: stopped; {_kept(file, export, same)}")
            return INTERRUPTED
        file.done()
    _note(job, export)
    at = export.at
    job.did(
        f"{counted(at.entries, 'entry')} of {_names(export)} exported to {name}"
        + (f", with {counted(at.groups, 'group')} and {at.pending:,} pending" if export.groups else ""),
        [
            ("streams", list(export.keys)),
            ("entries", at.entries),
            ("groups", at.groups),
            ("pending", at.pending),
            ("file", os.fsencode(name)),
        ],
    )
    return OK


def _kept(file: OutFile, export: Export, same: str) -> str:
    if not file.kept:
        return "nothing was written"
    return f"{export.at.entries:,} entries are in {file.part}, and the same command{same} goes on behind {export.at.id}"


TOOL: Final = Tool(
    usage="STREAM...",
    run=run,
    least=1,
    roles=("key",),
    flags=(
        Flag(("--from",), "from", "Begin at this ID or time: 1526984818136-0, -10m, yesterday.", "PLACE"),
        Flag(("--until",), "until", "End with this ID or time.", "PLACE"),
        Flag(("-o", "--output"), "output", "Write to this file, compressed if it ends in .gz; - is stdout.", "FILE"),
        Flag(("--groups", "--all"), "groups", "With the settings, the groups, and what is pending."),
        Flag(("--plain",), "plain", "Entries alone, without the first and the last line."),
        Flag(
            ("--format",),
            "as",
            "What to write; by the file's name if not given, or jsonl.",
            "FORMAT",
            ("jsonl", "json", "csv"),
        ),
    ),
    about="""Writes the entries of streams, one a line, as JSON that loses nothing: any bytes, repeated
        fields, empty ones. streamcli import reads it. With --groups a stream is restored as it was.

        A file has its name when it is whole. What was stopped is kept beside it, and the same command goes on.""",
    examples=(
        "export weather -o weather.jsonl.gz",
        "export weather --groups -o weather.jsonl",
        "export weather --from yesterday --plain | jq .fields",
        "export weather --format csv -o weather.csv",
    ),
)
