"""How things are timed, and how figures are shown.

The machine is taken to be busy: what is compared runs in turns within one run,
many short rounds each, and the best round counts. A noisy neighbour makes a
round slower, never faster. Knows nothing of what is measured.
"""

from __future__ import annotations

import gc
import os
import platform
import sqlite3
import statistics
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

Round: TypeAlias = Callable[[], float]  # seconds for each call; what it does outside the clock is its own business


class Row(NamedTuple):
    """One line of the table; `ok` is None where there is no bar."""

    operation: str
    ours: str
    peer: str
    ratio: str
    bar: str
    ok: bool | None


def race(rounds: int, *sides: Round) -> list[float]:
    """The best seconds a call of each side, after one round that does not count."""
    times: list[list[float]] = [[] for _ in sides]
    gc.collect()
    gc.disable()
    try:
        for turn in range(rounds + 1):
            for side, seconds in zip(sides, times, strict=True):
                taken = side()
                if turn:
                    seconds.append(taken)
    finally:
        gc.enable()
    return [min(seconds) for seconds in times]


def medians(rounds: int, *sides: Round) -> list[float]:
    """As `race`, with the median of each side: for what starts a process, where the best is luck."""
    times: list[list[float]] = [[] for _ in sides]
    for turn in range(rounds + 1):
        for side, seconds in zip(sides, times, strict=True):
            taken = side()
            if turn:
                seconds.append(taken)
    return [statistics.median(seconds) for seconds in times]


def clocked(calls: int, call: Callable[[], object]) -> float:
    """Seconds a call, of `calls` in a row."""
    start = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - start) / calls


def microseconds(seconds: float) -> str:
    value = seconds * 1e6
    return f"{value:.1f} µs" if value < 1000 else f"{value / 1000:.1f} ms"


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:.1f} ms"


# -- one line for each kind of bar -------------------------------------------------------


def faster(operation: str, ours: float, peer: float, least: float | None) -> Row:
    """How many times as fast as the peer."""
    ratio = peer / ours
    bar = f"≥ {least:g}x" if least else ""
    return Row(
        operation, microseconds(ours), microseconds(peer), f"{ratio:.2f}x", bar, ratio >= least if least else None
    )


def flat(operation: str, large: float, small: float, most: float) -> Row:
    """How much more it costs when there is more of it: large against small, both ours."""
    ratio = large / small
    ours, peer = microseconds(large), f"{microseconds(small)} (ours)"
    return Row(operation, ours, peer, f"{ratio:.2f}x", f"≤ {most:g}x", ratio <= most)


def bounded(operation: str, value: float, shown: str, most: float, unit: str) -> Row:
    """A figure that is a bar by itself."""
    return Row(operation, shown, "", "", f"≤ {most:g} {unit}", value <= most)


# -- the table and what it was measured on -------------------------------------------------

_HEADINGS = ("Operation", "Ours", "Peer's", "Ratio", "Bar", "Verdict")
_WORDS = (0, 5)  # columns that are not figures


def table(rows: Sequence[Row]) -> list[str]:
    """The rows as a Markdown table."""
    cells = [[*row[:5], "" if row.ok is None else "ok" if row.ok else "**MISSED**"] for row in rows]
    widths = [max(map(len, column)) for column in zip(_HEADINGS, *cells, strict=True)]

    def line(words: Sequence[str]) -> str:
        padded = [
            word.ljust(w) if i in _WORDS else word.rjust(w)
            for i, (word, w) in enumerate(zip(words, widths, strict=True))
        ]
        return f"| {' | '.join(padded)} |"

    rule = [("-" * w) if i in _WORDS else "-" * (w - 1) + ":" for i, w in enumerate(widths)]
    return [line(_HEADINGS), line(rule), *map(line, cells)]


def machine() -> str:
    """The processor, and the versions of Python and SQLite."""
    return (
        f"{_processor()}, {os.cpu_count()} cores; Python {platform.python_version()}; "
        f"SQLite {sqlite3.sqlite_version}; {platform.system()} {platform.machine()}"
    )


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or "unknown processor"
