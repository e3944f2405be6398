"""Pending entries as rows: who holds each, for how long, and what is in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from streamcli.render.shape import ID, SPAN_MS
from streamcli.reply import Reply
from streamcli.text import bare
from streamcli.tools.job import OK
from streamcli.tools.pending.held import RELEASED
from streamcli.tools.report import COUNT, Column, report

if TYPE_CHECKING:
    from streamcli.tools.job import Job
    from streamcli.tools.pending.held import Held, Pending

DELETED: Final = "(deleted)"
_PART: Final = 100  # entries whose payloads are fetched at once: the first rows are not to wait for the last
_FOR_PROGRAMS: Final = ("json", "jsonl")


def show(job: Job, pending: Pending, pages: Iterable[list[Held]], *, payload: bool) -> int:
    """Show them, each with its payload; the exit code."""
    columns = [
        Column("id", ID),
        Column("consumer", none=RELEASED),
        Column("idle", SPAN_MS),
        Column("deliveries", COUNT),
    ]
    if payload:
        columns.append(Column("fields", none=DELETED, people=_told))
    shown = 0

    def rows() -> Iterator[list[Reply]]:
        nonlocal shown
        for part in _parts(pages):
            payloads = pending.payloads([held.id for held in part]) if payload else [None] * len(part)
            for held, fields in zip(part, payloads, strict=True):
                shown += 1
                kept = (None, None) if held.is_released else (held.consumer, held.idle_ms)
                row: list[Reply] = [held.id, *kept, held.deliveries]
                yield [*row, _pairs(fields)] if payload else row

    report(job, columns, rows())
    if not shown and job.format not in _FOR_PROGRAMS:
        job.say("nothing is pending, or not as it was asked for")
    return OK


def _parts(pages: Iterable[list[Held]]) -> Iterator[list[Held]]:
    for page in pages:
        for at in range(0, len(page), _PART):
            yield page[at : at + _PART]


def _pairs(fields: list[bytes] | None) -> Reply:
    """An array of names and values; null when the entry is no longer in the stream."""
    if fields is None:
        return None
    return [[name, value] for name, value in zip(fields[::2], fields[1::2], strict=False)]


def _told(pairs: Reply) -> str:
    """`temp=21 city="New York"`."""
    assert isinstance(pairs, list)
    return " ".join("=".join(bare(word) for word in pair) for pair in pairs)  # type: ignore[union-attr, arg-type]
