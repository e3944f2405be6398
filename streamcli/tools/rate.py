"""`rate`: how many entries came when, as a plot in the terminal; by what a field says, if asked.

Redis counts no range, so the entries are read, page by page: the newest 100,000
unless more is asked for, and what could not be looked at is said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Final, NamedTuple

from streamcli.flags import Flag, UsageError
from streamcli.ids import StreamID
from streamcli.reply import Reply
from streamcli.text import bare, clipped, columns
from streamcli.times import date_text
from streamcli.tools.entries import PAGE, id_of, pages, so_many
from streamcli.tools.job import INTERRUPTED, OK, Given, Job, Tool, ToolError, span_ms
from streamcli.tools.places import WANTED, place
from streamcli.tools.replies import number
from streamcli.tools.report import COUNT, RATE, Column, rate_text, report
from streamcli.tools.stopping import stopping
from streamcli.tools.survey import by_clock, is_there

_MOST: Final = 100_000
_ROWS: Final = 30  # of a plot, about
_ROWS_MOST: Final = 10_000
_VALUES: Final = 8  # of a field, that have a row of their own
_VALUES_KEPT: Final = 10_000  # that are told apart at all, the first of them that come
_VALUE_BYTES: Final = 1000  # by which they are
_STEPS: Final = tuple(
    size * unit
    for unit, sizes in (
        (1, (10, 20, 50, 100, 200, 500)),
        (1000, (1, 2, 5, 10, 15, 30)),
        (60_000, (1, 2, 5, 10, 15, 30)),
        (3_600_000, (1, 2, 3, 6, 12)),
        (86_400_000, (1, 2, 7, 14, 28, 91, 182, 364, 3640, 36400)),
    )
    for size in sizes
)
_BLOCKS: Final = (" ▁▂▃▄▅▆▇█", " .:-=+*#@")
_PARTS: Final = ("▏▎▍▌▋▊▉█", "#")
_OTHER: Final = b"(other values)"
_NONE: Final = b"(no such field)"


class Counts(NamedTuple):
    """Entries by step and by value: `by[value][step]`. Without a field, all are of the value empty."""

    first: int  # ms of the first step
    every: int  # ms
    steps: int
    by: dict[bytes, list[int]]


def run(job: Job, given: Given) -> int:
    """Count and plot: the exit code."""
    key = given.words[0]
    field = given.text("by")
    found = _read(job, key, given, None if field is None else field.encode("utf-8", "surrogateescape"))
    if not found.seen:
        if job.format is None:
            job.show([f"{bare(key)}: no entries there"])
        else:
            report(job, (Column("from"), Column("entries")), [])
        return INTERRUPTED if found.stopped else OK
    counts = counted(found.seen, _every(given))
    if job.format is None:
        job.show(_plot(job, key, counts, by=field is not None))
        for line in found.notes:
            job.say(line)
    else:
        _report(job, counts, field)
    return INTERRUPTED if found.stopped else OK


class _Found(NamedTuple):
    seen: list[tuple[int, bytes]]  # ms, and the field's value, newest first
    notes: list[str]
    stopped: bool


def _read(job: Job, key: bytes, given: Given, field: bytes | None) -> _Found:
    """The times of the entries that are to be counted, the newest first. Raises ToolError."""
    start, end = by_clock(lambda: job.backend, partial(_range, given))
    most = given.number("most") or (_MOST if not given.on("all") else 0)
    if not is_there(job.backend, key):
        raise ToolError(f"there is no stream {bare(key)}")
    length = number(job.ask("XLEN", key))
    seen: list[tuple[int, bytes]] = []
    notes: list[str] = []
    values: dict[bytes, bytes] = {}
    stopped = False
    size = min(PAGE, most) if most else PAGE
    with stopping() as stop, job.progress(f"read {bare(key)}", min(length, most or length)) as progress:
        for page in pages(job.backend, key, start, end, size, back=True):
            for id, fields in page[: most - len(seen)] if most else page:
                value = b"" if field is None else _value(fields, field)
                kept = values.get(value)
                if kept is None:
                    kept = value if len(values) < _VALUES_KEPT else _OTHER
                    values.setdefault(kept, kept)
                seen.append((id_of(id).ms, kept))
            progress.at(len(seen))
            if stop.asked:
                notes.append(f"stopped: these are the newest {len(seen):,} of them")
                stopped = True
                break
            if most and len(seen) >= most:
                if length > most:
                    notes.append(f"these are the newest {most:,} of {length:,} entries; --all reads every one")
                break
    return _Found(seen, notes, stopped)


def _range(given: Given, now_ms: int) -> tuple[StreamID, StreamID]:
    """The first and the last place to look at. Raises UsageError."""
    start, end = given.text("start") or "start", given.text("end") or "end"
    return place(start, now_ms), place(end, now_ms, last=True)


def _value(fields: list[bytes], field: bytes) -> bytes:
    """The field's first value, as far as values are told apart."""
    for at in range(0, len(fields) - 1, 2):
        if fields[at] == field:
            return fields[at + 1][:_VALUE_BYTES]
    return _NONE


def _every(given: Given) -> int | None:
    """The length of a step in ms; None when it is to be found. Raises UsageError."""
    text = given.text("every")
    if text is None:
        return None
    ms = span_ms(text)
    if not ms:
        raise UsageError(f"--every takes a length of time such as 1m or 6h, not {text!r}")
    return ms


def counted(seen: Sequence[tuple[int, bytes]], every: int | None) -> Counts:
    """Entries by step and value, the most frequent ones apart. Raises UsageError when there would be too many steps."""
    newest, oldest = seen[0][0], seen[-1][0]
    if every is None:
        every = next((step for step in _STEPS if (newest - oldest) // step < _ROWS), (newest - oldest) // _ROWS + 1)
    first = oldest - oldest % every
    steps = (newest - first) // every + 1
    if steps > _ROWS_MOST:
        raise UsageError(f"--every {every} ms makes {steps:,} steps of this; {_ROWS_MOST:,} is the most")
    by = {value: [0] * steps for value in _frequent(seen)}
    rest = by.get(_OTHER, [])
    for ms, value in seen:
        by.get(value, rest)[(ms - first) // every] += 1
    return Counts(first, every, steps, by)


def _frequent(seen: Iterable[tuple[int, bytes]]) -> list[bytes]:
    """The values that have a row of their own, the most frequent first; in the end that of all others, if need be."""
    counts = Counter(value for _, value in seen)
    others = counts.pop(_OTHER, 0)
    ordered = sorted(counts, key=lambda value: (-counts[value], value))
    if not others and len(ordered) <= _VALUES + 1:  # one more takes no more room than "others"
        return ordered
    return [*ordered[:_VALUES], _OTHER]


# -- how it looks ------------------------------------------------------------------------------------


def _plot(job: Job, key: bytes, counts: Counts, *, by: bool) -> Iterator[str]:
    total = sum(map(sum, counts.by.values()))
    span = counts.steps * counts.every
    rate, step = rate_text(total * 1000 / span), _step_text(counts.every)
    yield f"{bare(key)}: {so_many(total)}, {rate} on the whole, {step} a {'character' if by else 'line'}"
    width = job.options.width or 80
    if by:
        yield from _by_value(counts, width, unicode=job.options.unicode)
    else:
        yield from _over_time(counts, width, unicode=job.options.unicode)


def _over_time(counts: Counts, width: int, *, unicode: bool) -> Iterator[str]:
    """A line for each step: when, a bar, how many."""
    rows = next(iter(counts.by.values()))
    most = max(rows)
    labels = [_when(counts.first + at * counts.every, counts.every, width) for at in range(counts.steps)]
    numbers = max(len(f"{most:,}"), 1)
    room = max(5, width - max(map(len, labels)) - numbers - 4)
    for label, row in zip(labels, rows, strict=True):
        yield f"{label}  {row:>{numbers},}  {_bar(row / most, room, unicode=unicode)}".rstrip()


def _by_value(counts: Counts, width: int, *, unicode: bool) -> Iterator[str]:
    """A line for each value: its name, how it went, how many. All have the same scale."""
    names = {value: bare(value) for value in counts.by}
    name_width = min(max(map(columns, names.values())), max(8, width // 3))
    numbers = max(len(f"{sum(row):,}") for row in counts.by.values())
    room = max(5, width - name_width - numbers - 4)
    merged = {value: _merged(row, room) for value, row in counts.by.items()}
    most = max(max(row) for row in merged.values())
    for value, row in merged.items():
        name = clipped(names[value], name_width, "…" if unicode else "~")
        total = sum(counts.by[value])
        line = "".join(_block(step, most, unicode=unicode) for step in row)
        yield f"{name}{' ' * (name_width - columns(name))}  {total:>{numbers},}  {line}".rstrip()
    low, high = counts.first, counts.first + counts.steps * counts.every
    yield f"{_when(low, counts.every, width)} to {_when(high, counts.every, width)}"


def _merged(row: list[int], room: int) -> list[int]:
    """As many steps as there is room for, several taken together where there are more."""
    together = -(-len(row) // room)
    return [sum(row[at : at + together]) for at in range(0, len(row), together)]


def _bar(share: float, room: int, *, unicode: bool) -> str:
    parts = _PARTS[0] if unicode else _PARTS[1]
    eighths = round(share * room * len(parts))
    if share > 0 and not eighths:
        eighths = 1
    full, part = divmod(eighths, len(parts))
    return parts[-1] * full + (parts[part - 1] if part else "")


def _block(count: int, most: int, *, unicode: bool) -> str:
    blocks = _BLOCKS[0] if unicode else _BLOCKS[1]
    return blocks[0] if not count else blocks[max(1, round(count / most * (len(blocks) - 1)))]


def _when(ms: int, every: int, width: int) -> str:
    """The time of a step, no more exact than the steps are; with its zone where there is room."""
    date = date_text(ms) or f"{ms} ms"
    if not date.endswith(" UTC"):
        return date
    exact = date[:10] if every % 86_400_000 == 0 else date[:16] if every % 60_000 == 0 else date[:19]
    if every % 1000:
        exact = date[:23]
    return exact if width < 60 else f"{exact} UTC"


def _step_text(ms: int) -> str:
    for size, unit in ((86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s")):
        if ms % size == 0:
            return f"{ms // size}{unit}"
    return f"{ms}ms"


def _report(job: Job, counts: Counts, field: str | None) -> None:
    """A row for each step, and for each value when they are told apart."""
    head: tuple[Column, ...] = (Column("from", "unix-ms"), Column("to", "unix-ms"))
    if field is not None:
        head = (*head, Column("value"))
    report(job, (*head, Column("entries", COUNT), Column("rate", RATE)), _rows(counts, by=field is not None))


def _rows(counts: Counts, *, by: bool) -> Iterable[Sequence[Reply]]:
    for at in range(counts.steps):
        low = counts.first + at * counts.every
        for value, row in counts.by.items():
            rate = round(row[at] * 1000 / counts.every, 6)
            named: tuple[Reply, ...] = (value,) if by else ()
            yield (low, low + counts.every, *named, row[at], rate)


TOOL = Tool(
    "STREAM",
    run,
    (
        Flag(("--from",), "start", f"The first place to look at: {WANTED}.", "PLACE"),
        Flag(("--until",), "end", "The last one, counted in.", "PLACE"),
        Flag(("--every",), "every", "How long a step is: 10s, 1m, 6h (default: so that there are some 30).", "SPAN"),
        Flag(("--by",), "by", "A line for each value of this field.", "FIELD"),
        Flag(
            ("--limit", "--most"),
            "most",
            f"Count so many entries, the newest (default: {_MOST:,}).",
            "N",
            number=(1, 10**9),
        ),
        Flag(("--all",), "all", "Count every entry there is in the range."),
    ),
    least=1,
    most=1,
    roles=("key",),
    about="Redis counts no range, so that the entries are read; Ctrl-C shows what has been counted by then.",
    examples=("rate orders", "rate orders --from -6h --every 10m", "rate orders --by country"),
)
