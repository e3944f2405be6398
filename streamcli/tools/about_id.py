"""`id [ID|TIME] [STREAM]`: an ID explained, a time turned into an ID, and where in a stream that is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from streamcli.ids import MAX_ID, MIN_ID, StreamID
from streamcli.render.shape import ID
from streamcli.reply import Error, Map, Reply, Simple
from streamcli.text import bare
from streamcli.times import date_text
from streamcli.tools.entries import id_of
from streamcli.tools.job import OK, Given, Job, RefusedError, Tool, ToolError, now_ms
from streamcli.tools.merging import read
from streamcli.tools.places import is_id, place
from streamcli.tools.replies import items, record, string
from streamcli.tools.report import UNKNOWN, Column, ago_text, single
from streamcli.tools.survey import by_clock

_AGE: Final = "age"  # a unit of our own: a span that may lie ahead
THERE: Final = "there"
BEYOND: Final = "not added yet: beyond the last ID"
DELETED: Final = "deleted"
GONE: Final = "not there: deleted, trimmed, or never added"

_GROUPS_MOST: Final = 1000  # that are asked what they have pending


def run(job: Job, given: Given) -> int:
    """Tell what an ID means, by itself or in a stream."""
    text = given.words[0].decode("utf-8", "surrogateescape") if given.words else "now"
    now, id = _placed(job, text, of_stream=len(given.words) > 1)
    is_one = is_id(text.strip()) and "-" in text
    columns = [Column("id", ID), Column("ms"), Column("seq"), Column("time"), Column("age", _AGE, people=_ago)]
    date = date_text(id.ms)
    row: list[Reply] = [id.text, id.ms, id.seq, Simple(date) if date else None, now - id.ms if date else None]
    if len(given.words) > 1:
        stream = given.words[1]
        for column, value in _in_stream(job, stream, id, is_one):
            columns.append(column)
            row.append(value)
    single(job, columns, row, "tree")
    return OK


def _placed(job: Job, text: str, *, of_stream: bool) -> tuple[int, StreamID]:
    """Now, and the ID: by the clock of where the stream is, by ours when there is none. Raises UsageError."""

    def read(now: int) -> tuple[int, StreamID]:
        return now, place(text, now)

    return by_clock(lambda: job.backend, read) if of_stream else read(now_ms())


def _ago(age: Reply) -> str:
    assert isinstance(age, int)
    return ago_text(age)


def _in_stream(job: Job, stream: bytes, id: StreamID, is_one: bool) -> Iterator[tuple[Column, Reply]]:
    """What the stream has at an ID; `is_one`: that ID is meant, and not the first one at or after it."""
    info = record(_info(job, stream))
    last, deleted = info.get(b"last-generated-id"), info.get(b"max-deleted-entry-id")
    yield Column("stream"), stream
    found = _one(job, stream, "XRANGE", id, MAX_ID)
    is_there = found is not None and found == id
    groups = list(_groups(job, stream, id, is_there=is_there)) if is_one else []
    if is_one:
        state = THERE
        if not is_there and isinstance(last, bytes) and id > id_of(last):
            state = BEYOND
        elif not is_there:
            state = DELETED if groups or (deleted == id.text and id != MIN_ID) else GONE  # 0-0: nothing was deleted
        yield Column("state"), Simple(state)
        yield from _neighbours(job, stream, id, found, is_there)
        if groups:
            yield Column("groups"), [*groups]
    else:
        yield Column("first_from_here", ID), None if found is None else found.text
        before = id.previous()
        behind = None if before is None else _one(job, stream, "XREVRANGE", before, MIN_ID)
        yield Column("last_before", ID), None if behind is None else behind.text
    yield Column("last_id", ID), last if isinstance(last, bytes) else UNKNOWN


def _neighbours(
    job: Job, stream: bytes, id: StreamID, found: StreamID | None, is_there: bool
) -> Iterator[tuple[Column, Reply]]:
    before, behind = id.previous(), id.next()
    previous = None if before is None else _one(job, stream, "XREVRANGE", before, MIN_ID)
    after = found
    if is_there:
        after = None if behind is None else _one(job, stream, "XRANGE", behind, MAX_ID)
    yield Column("previous", ID), None if previous is None else previous.text
    yield Column("next", ID), None if after is None else after.text


def _one(job: Job, stream: bytes, command: str, start: StreamID, end: StreamID) -> StreamID | None:
    """The first entry's ID of a range."""
    found = read(items(job.ask(command, stream, start.text, end.text, "COUNT", 1)))
    return id_of(found[0][0]) if found else None


def _info(job: Job, stream: bytes) -> Reply:
    try:
        return job.ask("XINFO", "STREAM", stream)
    except RefusedError as error:
        if "no such key" in error.error.text:
            raise ToolError(f"there is no stream {bare(stream)}") from None
        raise


def _groups(job: Job, stream: bytes, id: StreamID, *, is_there: bool) -> Iterator[Map]:
    """What each group has of the entry; of one that is not there only where it is pending."""
    try:
        groups = [record(group) for group in items(job.ask("XINFO", "GROUPS", stream))[:_GROUPS_MOST]]
    except RefusedError as error:
        if error.error.code == "NOPERM":
            return
        raise
    names = [string(group.get(b"name")) for group in groups]
    rows = job.backend.pipelined([(b"XPENDING", stream, name, id.text, id.text, b"1") for name in names])
    for name, group, row in zip(names, groups, rows, strict=True):
        parts = items(items(row)[0]) if items(row) else []
        if len(parts) == 4:
            state = b"pending"
        elif not is_there:
            continue
        elif isinstance(row, Error):
            state = b"unknown"
        else:
            state = b"done" if id_of(string(group.get(b"last-delivered-id"))) >= id else b"not delivered yet"
        held = zip((b"consumer", b"idle", b"deliveries"), parts[1:], strict=False)
        yield Map([(b"group", name), (b"state", state), *held])


TOOL: Final = Tool(
    usage="[ID|TIME] [STREAM]",
    run=run,
    most=2,
    roles=("id", "key"),
    about="""An ID is a time in ms and a number; a time becomes the first ID of its millisecond, ready for XRANGE and
        XREAD. Without one it is now. With a stream: whether the entry is there, its neighbours, and which groups have
        it pending; for a time the first entry from there on.""",
    examples=(
        "id 1526984818136-0",
        "id 'yesterday 10:00'",
        "id 1526984818136-0 orders",
        "id -10m orders",
    ),
)
