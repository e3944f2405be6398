"""`generate`: demo streams with a plausible shape and rate, to try things out on.

The past is made at once, with the IDs it would have had; `--live` goes on from
now, at the pace that people and machines have. The same seed makes the same.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from random import Random
from typing import Final

from streamcli.flags import Flag, UsageError
from streamcli.ids import StreamID, parse_id
from streamcli.reply import Error
from streamcli.text import bare
from streamcli.tools import shapes
from streamcli.tools.entries import so_many
from streamcli.tools.job import (
    INTERRUPTED,
    OK,
    Given,
    Job,
    RefusedError,
    Tool,
    ToolError,
    also_telling,
    now_ms,
    span_ms,
)
from streamcli.tools.merging import rows_of
from streamcli.tools.replies import record, string
from streamcli.tools.stopping import Stop, stopping
from streamcli.tools.survey import is_there

_COUNT: Final = 1000
_SPAN: Final = "1d"
_MOST: Final = 100_000_000
_RATE_MOST: Final = 1_000_000.0
_NAP: Final = 0.05  # seconds: how long a Ctrl-C may stay unseen


def run(job: Job, given: Given) -> int:
    """Make the entries: the exit code."""
    key = given.words[0]
    shape = shapes.SHAPES[given.text("shape") or _shape_by_name(key)]
    seed = given.number("seed")
    random = Random(seed if seed is not None else time.time_ns())
    per_second = _rate(given.text("rate"))
    last = _last(job, key)
    if given.on("live"):
        if given.text("span") is not None or given.on("groups"):
            raise UsageError("--live makes entries from now on; --span and --groups are about the past")
        return _live(job, key, given, shape(random), random, per_second)
    if per_second is not None:
        raise UsageError("--rate is for --live; the past is made by -n and --span")
    count, span = given.number("count") or _COUNT, _span(given.text("span") or _SPAN)
    end = now_ms()
    begin = StreamID(max(1, end - span), 0)
    if last is not None and last >= begin:
        raise ToolError(f"{bare(key)} has newer entries (its last ID is {last}); a shorter --span, or another name")
    if given.dry_run:
        job.did(
            f"{so_many(count)} would be added to {bare(key)}, from {begin} on",
            [("stream", key), ("added", count), ("dry_run", True)],
        )
        return OK
    times = shapes.moments(random, begin.ms, end, count)
    with stopping() as stop:
        added = _add(job, key, shape(random), times, count, stop)
    if given.on("groups") and added == count:
        _groups(job, key, count)
    job.did(
        f"added {so_many(added)} to {bare(key)}"
        + (", with the groups billing, shipping and audit" if given.on("groups") and added == count else ""),
        [("stream", key), ("added", added), ("dry_run", False)],
    )
    return OK if added == count else INTERRUPTED


def _shape_by_name(key: bytes) -> str:
    """The shape that the stream is called by, else orders."""
    name = key.decode("latin-1").lower()
    return next((shape for shape in shapes.SHAPES if shape.rstrip("s") in name), "orders")


def _rate(text: str | None) -> float | None:
    """Entries a second, of `10`, `10/s`, `600/m`. Raises UsageError."""
    if text is None:
        return None
    amount, _, unit = text.partition("/")
    each = {"": 1, "s": 1, "m": 60, "h": 3600}.get(unit)
    try:
        per_second = float(amount) / each if each else 0.0
    except ValueError:
        per_second = 0.0
    if not 0 < per_second <= _RATE_MOST:
        raise UsageError(f"--rate takes entries a second, or a minute: 10/s, 600/m, not {text!r}")
    return per_second


def _span(text: str) -> int:
    ms = span_ms(text)
    if not ms:
        raise UsageError(f"--span takes a length of time such as 1d or 6h, not {text!r}")
    return ms


def _last(job: Job, key: bytes) -> StreamID | None:
    """The stream's last ID; None when there is no such key. Raises ToolError."""
    if not is_there(job.backend, key):
        return None
    return parse_id(string(record(job.ask("XINFO", "STREAM", key)).get(b"last-generated-id")))


def _add(job: Job, key: bytes, entries: Iterator[list[bytes]], times: Iterator[int], count: int, stop: Stop) -> int:
    """Add entries of the past: how many were added."""

    def argvs() -> Iterator[list[bytes]]:
        before, seq = 0, 0
        for ms in times:
            if stop.asked:
                return
            before, seq = ms, seq + 1 if ms == before else 0
            yield [b"XADD", key, b"%d-%d" % (ms, seq), *next(entries)]

    added = 0
    told = also_telling(lambda: f"{so_many(added)} added before" if added else "")
    with told, job.progress(f"generate {bare(key)}", count) as progress:
        for reply in job.backend.pipelined(argvs()):
            if isinstance(reply, Error):
                raise RefusedError(reply, [b"XADD"])
            added += 1
            progress.at(added)
    return added


def _live(
    job: Job, key: bytes, given: Given, entries: Iterator[list[bytes]], random: Random, per_second: float | None
) -> int:
    """Add entries as they happen, until Ctrl-C or the count is reached: the exit code."""
    wanted = given.number("count")
    rate = per_second or 2.0
    if given.dry_run:
        job.did(
            f"entries would be added to {bare(key)} at {rate:g} a second",
            [("stream", key), ("added", wanted), ("dry_run", True)],
        )
        return OK
    added = 0
    due = time.monotonic()
    told = also_telling(lambda: f"{so_many(added)} added before" if added else "")
    with told, stopping() as stop, job.progress(f"generate {bare(key)}", wanted) as progress:
        while not stop.asked and (wanted is None or added < wanted):
            due += random.expovariate(rate)
            while (left := due - time.monotonic()) > 0 and not stop.asked:
                time.sleep(min(left, _NAP))
            if not stop.asked:
                job.ask("XADD", key, "*", *next(entries))
                added += 1
                progress.at(added)
    job.did(f"added {so_many(added)} to {bare(key)}", [("stream", key), ("added", added), ("dry_run", False)])
    return OK


def _groups(job: Job, key: bytes, count: int) -> None:
    """Three groups that are doing well, not so well, and badly."""
    for group, read, acked in (
        ("billing", count, count),
        ("shipping", count * 9 // 10, count * 17 // 20),
        ("audit", 0, 0),
    ):
        job.ask("XGROUP", "CREATE", key, group, "0")
        for at, consumer in enumerate(("ann", "bob")):
            share = read // 2 + (read % 2 if at else 0)
            done = share - (read - acked) // 2 - ((read - acked) % 2 if at else 0)
            _read(job, key, group, consumer, share, done)


def _read(job: Job, key: bytes, group: str, consumer: str, share: int, done: int) -> None:
    """A consumer reads its share, and acknowledges the first of it."""
    while share > 0:
        count = min(share, 1000)
        reply = job.ask("XREADGROUP", "GROUP", group, consumer, "COUNT", count, "STREAMS", key, ">")
        ids = [row.id.text for row in rows_of(reply, [key])]
        if not ids:
            return
        if done > 0:
            job.ask("XACK", key, group, *ids[:done])
        share, done = share - len(ids), done - len(ids)


TOOL = Tool(
    "STREAM",
    run,
    (
        Flag(("--shape",), "shape", "What the entries are about (default: what the name says, else orders).", "SHAPE",
             choices=tuple(shapes.SHAPES)),
        Flag(("-n", "--limit", "--count"), "count", f"So many entries (default: {_COUNT:,}; --live: without end).", "N",
             number=(1, _MOST)),
        Flag(("--span",), "span", f"Spread over the time up to now: 6h, 7d (default: {_SPAN}).", "SPAN"),
        Flag(("--live",), "live", "Add them as they happen, from now on."),
        Flag(("--rate",), "rate", "With --live, so many on the average: 10/s, 600/m (default: 2/s).", "RATE"),
        Flag(("--groups",), "groups", "Make three groups as well, one of which falls behind."),
        Flag(("--seed",), "seed", "Make the same as last time with this number.", "N", number=(0, 2**31)),
    ),
    least=1,
    most=1,
    roles=("key",),
    about="The past has the rhythm of days: little at night, much in the afternoon.",
    examples=("generate orders", "generate sensors -n 100000 --span 7d", "generate clicks --live --rate 20/s"),
    writes=True,
)  # fmt: skip
