"""The pages of `top` that list all streams and all groups; pure, but for the model's lock.

A page does not know which row is chosen, nor how large the screen is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from streamcli.tools.report import size_text
from streamcli.tools.top.cells import BARS, Section, ago_cell, lag_cell, number_cell, rate_cell, trend_mark
from streamcli.tools.top.close import GroupRow, StreamPage, section_of_groups
from streamcli.tools.top.model import GROWS, Model, StreamState, Subject, rates, spark
from streamcli.tools.top.paint import Field, Look, Span


def _sorted(
    rows: list[Any], name: Callable[[Any], Any], value: Callable[[Any], Any] | None, reverse: bool
) -> list[Any]:
    """By name, or by value with the greatest first; what has none comes last."""
    rows.sort(key=name)
    if value is None:
        return rows[::-1] if reverse else rows
    known = [row for row in rows if value(row) is not None]
    known.sort(key=value, reverse=not reverse)
    return known + [row for row in rows if value(row) is None]


class StreamsPage:
    """All streams."""

    sorts: tuple[str, ...] = ("name", "length", "rate", "lag", "groups", "memory", "last")
    subject: Subject | None = None
    fixed = True

    def __init__(self) -> None:
        self.sort, self.reverse = "rate", False

    def title(self, look: Look) -> str:
        return "streams"

    def info(self, model: Model, look: Look, step: float) -> list[list[Span]]:
        return []

    def sections(self, model: Model, look: Look, step: float, filter: str) -> list[Section]:
        with model.lock:
            now_ms = model.now_ms
            rows = list(model.streams.values())
            if filter:
                rows = [row for row in rows if filter in look.text(row.name).lower()]
            rows = _sorted(rows, lambda row: row.name, _VALUES_OF_STREAMS.get(self.sort), self.reverse)
        return [
            Section(
                _fields_of_streams(now_ms, step),
                rows,
                lambda row: row.name,
                lambda row: StreamPage(row.name),
                mark=lambda row, look: trend_mark(GROWS if row.falls_behind else "", look),
            )
        ]


_VALUES_OF_STREAMS: Final[dict[str, Callable[[StreamState], Any]]] = {
    "length": lambda row: row.facts and row.facts.length,
    "rate": lambda row: row.rate,
    "lag": lambda row: row.lag,
    "groups": lambda row: row.facts and row.facts.groups,
    "memory": lambda row: row.memory,
    "last": lambda row: row.facts and row.facts.last_ms,
}


def _fields_of_streams(now_ms: int, step: float) -> tuple[Field, ...]:
    def facts(cell: Callable[[StreamState], Span]) -> Callable[[StreamState, Look], Span]:
        return lambda row, look: cell(row) if row.facts is not None else ("dim", row.refused or "...")

    return (
        Field("STREAM", 0, lambda row, look: ("", look.text(row.name)), key="name", least=18),
        Field("LENGTH", 8, facts(lambda row: number_cell(row.facts and row.facts.length)), True, 1, "length"),
        Field("RATE", 8, facts(lambda row: rate_cell(row.rate)), True, 2, "rate"),
        Field("", BARS, lambda row, look: ("name", spark(rates(row.added, BARS, step), look.unicode)), rank=6),
        Field("LAG", 7, facts(_lag_of), True, 3, "lag"),
        Field("GRPS", 4, facts(_groups_of), True, 7, "groups"),
        Field("MEMORY", 7, lambda row, look: _memory(row.memory), True, 8, "memory"),
        Field(
            "LAST", 7, facts(lambda row: ago_cell(row.facts.last_ms if row.facts else None, now_ms)), True, 5, "last"
        ),
    )


def _groups_of(row: StreamState) -> Span:
    count = row.facts.groups if row.facts is not None else 0
    return ("" if count else "dim"), f"{count:,}"


def _lag_of(row: StreamState) -> Span:
    groups = row.facts.groups if row.facts is not None else 0
    return lag_cell(row.lag, GROWS if row.falls_behind else "", groups)


def _memory(size: int | None) -> Span:
    return ("dim", "...") if size is None else ("", size_text(size))


class GroupsPage:
    """All groups of all streams."""

    sorts: tuple[str, ...] = ("name", "lag", "reads", "pending", "consumers")
    subject: Subject | None = None
    fixed = True

    def __init__(self) -> None:
        self.sort, self.reverse = "lag", False

    def title(self, look: Look) -> str:
        return "groups"

    def info(self, model: Model, look: Look, step: float) -> list[list[Span]]:
        return []

    def sections(self, model: Model, look: Look, step: float, filter: str) -> list[Section]:
        with model.lock:
            rows = [GroupRow(stream, group) for stream in model.streams.values() for group in stream.groups.values()]
            if filter:
                rows = [row for row in rows if any(filter in look.text(name).lower() for name in row.name)]
            rows = _sorted(rows, lambda row: row.name, _VALUES_OF_GROUPS.get(self.sort), self.reverse)
            if self.sort == "lag" and not self.reverse:  # what nobody knows may be the worst
                rows.sort(key=lambda row: row.state.facts.lag is not None)
        stream = Field("STREAM", 0, lambda row, look: ("", look.text(row.stream.name)), key="name")
        return [section_of_groups(rows, step, stream)]


_VALUES_OF_GROUPS: Final[dict[str, Callable[[GroupRow], Any]]] = {
    "lag": lambda row: row.state.facts.lag,
    "reads": lambda row: row.state.reads.rate(),
    "pending": lambda row: row.state.facts.pending,
    "consumers": lambda row: row.state.facts.consumers,
}
