"""What the pages of `top` are made of: sections of rows, and the cells that stand in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple, Protocol

from streamcli.times import span_text
from streamcli.tools.report import ago_text, rate_text
from streamcli.tools.survey import is_time
from streamcli.tools.top.model import GROWS, SHRINKS, GroupState, Model, Subject
from streamcli.tools.top.paint import Field, Look, Span

BARS: Final = 10


class Section(NamedTuple):
    """Rows of one kind. `id_of` tells a row from all others, `open` what Enter leads to; `mark` stands before it."""

    fields: tuple[Field, ...]
    rows: list[Any]
    id_of: Callable[[Any], object]
    open: Callable[[Any], Page | None]
    title: str = ""
    mark: Callable[[Any, Look], Span] = lambda row, look: ("", " ")


class Page(Protocol):
    """`sorts` are the names of what it can be sorted by, `subject` what has to be asked for."""

    sorts: tuple[str, ...]
    sort: str
    reverse: bool
    subject: Subject | None
    fixed: bool  # the first heading stays where it is

    def title(self, look: Look) -> str: ...
    def info(self, model: Model, look: Look, step: float) -> list[list[Span]]: ...
    def sections(self, model: Model, look: Look, step: float, filter: str) -> list[Section]: ...


# -- cells ------------------------------------------------------------------------------------


def number_cell(value: int | None) -> Span:
    return ("dim", "unknown") if value is None else ("", short(value))


def short(value: int) -> str:
    """`12,345`, and from a million on `1.2M`."""
    if value < 1_000_000:
        return f"{value:,}"
    for unit in "MGTPE":
        value_in = value / 1_000_000
        if value_in < 999.5:
            return f"{value_in:.1f}{unit}" if value_in < 99.95 else f"{value_in:.0f}{unit}"
        value //= 1000
    return f"{value:,}"


def rate_cell(rate: float | None) -> Span:
    return ("dim", "...") if rate is None else ("dim" if not rate else "", rate_text(rate))


def reads_cell(state: GroupState) -> Span:
    """How many entries it reads in a second; not known after deletions, nor before 7.0."""
    return ("dim", "-") if state.facts.read is None else rate_cell(state.reads.rate())


def ago_cell(ms: int | None, now_ms: int) -> Span:
    if ms is None:
        return "dim", "-"
    if not is_time(ms):
        return "dim", "no time"
    return "", ago_text(now_ms - ms).removesuffix(" ago")


def span_cell(ms: int | None) -> Span:
    return ("dim", "-") if ms is None else ("", span_text(ms) or f"{ms}ms")


def trend_mark(trend: str, look: Look) -> Span:
    """What stands before a row: it falls behind, or catches up."""
    if trend == GROWS:
        return "alarm", "▲" if look.unicode else "!"
    if trend == SHRINKS:
        return "good", "▼" if look.unicode else "v"
    return "", " "


def lag_cell(lag: int | None, trend: str, groups: int = 1) -> Span:
    if not groups:
        return "dim", "-"
    if lag is None:
        return "warn", "unknown"
    return ("alarm" if trend == GROWS else "warn" if lag else "dim"), short(lag)
