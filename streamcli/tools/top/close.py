"""The pages of `top` about one thing: a stream, a group, a consumer, an entry; pure, but for the model's lock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from streamcli.text import columns
from streamcli.times import date_text
from streamcli.tools.pending.held import RELEASED, Held
from streamcli.tools.report import size_text
from streamcli.tools.survey import Consumer, id_ms
from streamcli.tools.top.cells import (
    BARS,
    Section,
    lag_cell,
    number_cell,
    rate_cell,
    reads_cell,
    short,
    span_cell,
    trend_mark,
)
from streamcli.tools.top.model import (
    GROWS,
    SHRINKS,
    Detail,
    GroupState,
    Model,
    OfConsumer,
    OfEntry,
    OfGroup,
    OfStream,
    StreamState,
    Subject,
    levels,
    rates,
    spark,
)
from streamcli.tools.top.paint import Field, Look, Span

_WRAP_LEAST: Final = 16
_BESIDE: Final = 5  # columns of a row that are neither name nor value


class GroupRow(NamedTuple):
    """A group with its stream."""

    stream: StreamState
    state: GroupState

    @property
    def name(self) -> tuple[bytes, bytes]:
        return self.stream.name, self.state.facts.name


def section_of_groups(rows: list[GroupRow], step: float, *before: Field) -> Section:
    fields = (
        *before,
        Field("GROUP", 0, lambda row, look: ("", look.text(row.state.facts.name))),
        Field("LAG", 8, lambda row, look: lag_cell(row.state.facts.lag, row.state.trend), True, 1, "lag"),
        Field(
            "",
            BARS,
            lambda row, look: ("name", spark(levels(row.state.lags, BARS, step), look.unicode, level=True)),
            rank=6,
        ),
        Field("READ", 8, lambda row, look: reads_cell(row.state), True, 5, "reads"),
        Field("PENDING", 7, lambda row, look: number_cell(row.state.facts.pending), True, 2, "pending"),
        Field("OLDEST", 7, lambda row, look: span_cell(row.state.oldest_ms), True, 4),
        Field("CONS", 4, lambda row, look: ("", f"{row.state.facts.consumers:,}"), True, 7, "consumers"),
    )
    return Section(
        fields,
        rows,
        lambda row: row.name,
        lambda row: GroupPage(*row.name),
        mark=lambda row, look: trend_mark(row.state.trend, look),
    )


class _Close:
    """A page about one subject."""

    sorts: tuple[str, ...] = ()
    fixed = False

    def __init__(self, subject: Subject, *names: tuple[str, bytes]) -> None:
        self.sort, self.reverse = "", False
        self.subject: Subject | None = subject
        self._names = names

    def title(self, look: Look) -> str:
        return "  ".join([f"{what} {look.text(name)}" for what, name in self._names])

    def detail(self, model: Model) -> Detail | None:
        """What is known of the subject; None as long as nothing is."""
        found = model.detail
        return found if found is not None and found.subject == self.subject else None

    def said(self, model: Model, look: Look) -> list[list[Span]]:
        """That it is not there, or may not be seen."""
        found = self.detail(model)
        if found is None:
            return [[("dim", "...")]]
        if found.gone:
            return [[("warn", "it is gone")]]
        return [[("alarm", look.said(found.refused))]] if found.refused else []


def _facts(*pairs: tuple[str, str]) -> list[Span]:
    spans: list[Span] = []
    for name, value in pairs:
        spans += [("name", f"{name} "), ("", f"{value}   ")]
    return spans


class StreamPage(_Close):
    """One stream: its groups, and its latest entries."""

    def __init__(self, name: bytes) -> None:
        super().__init__(OfStream(name), ("stream", name))
        self._stream = name

    def info(self, model: Model, look: Look, step: float) -> list[list[Span]]:
        state = model.streams.get(self._stream)
        if state is None or state.facts is None:
            return self.said(model, look)
        facts = state.facts
        added = "unknown" if facts.added is None else f"{facts.added:,}"
        memory = "..." if state.memory is None else size_text(state.memory)
        bars = spark(rates(state.added, 2 * BARS, step), look.unicode)
        return [
            _facts(("length", f"{facts.length:,}"), ("rate", rate_cell(state.rate)[1]), ("", bars)),
            _facts(("added", added), ("memory", memory), ("groups", f"{facts.groups:,}")),
            _facts(("first", _date(facts.first_ms))),
            _facts(("last", _date(facts.last_ms)), ("last ID", look.text(facts.last_id))),
            *self.said(model, look),
        ]

    def sections(self, model: Model, look: Look, step: float, filter: str) -> list[Section]:
        state = model.streams.get(self._stream)
        found = self.detail(model)
        with model.lock:
            groups = [GroupRow(state, group) for group in state.groups.values()] if state is not None else []
        groups.sort(key=lambda row: row.name)
        entries = found.entries if found is not None else []
        return [
            *([section_of_groups(groups, step)] if groups else []),
            *([_section_of_entries(entries, self._stream)] if entries else []),
        ]


def _date(ms: int | None) -> str:
    return "-" if ms is None else date_text(ms) or f"no time ({ms})"


def _section_of_entries(entries: list[tuple[bytes, list[bytes]]], stream: bytes) -> Section:
    def fields(row: tuple[bytes, list[bytes]], look: Look) -> Span:
        pairs = zip(row[1][::2], row[1][1::2], strict=False)
        return "", "  ".join([f"{look.text(name)} {look.text(value[:200])}" for name, value in pairs])

    widest = max([len(id) for id, _ in entries])
    return Section(
        (
            Field("LATEST ENTRIES", max(14, widest), lambda row, look: ("title", look.text(row[0]))),
            Field("TIME", 27, lambda row, look: ("dim", date_text(id_ms(row[0]) or 0)), rank=2),
            Field("FIELDS", 0, fields, rank=1),
        ),
        list(entries),
        lambda row: row[0],
        lambda row: EntryPage(stream, row[0]),
    )


class GroupPage(_Close):
    """One group: its consumers, and what is pending."""

    def __init__(self, stream: bytes, group: bytes) -> None:
        super().__init__(OfGroup(stream, group), ("stream", stream), ("group", group))
        self._stream, self._group = stream, group

    def info(self, model: Model, look: Look, step: float) -> list[list[Span]]:
        state = model.streams.get(self._stream)
        group = state.groups.get(self._group) if state is not None else None
        if group is None:
            return self.said(model, look)
        lag = lag_cell(group.facts.lag, group.trend)
        behind = {GROWS: "  it falls behind", SHRINKS: "  it catches up"}.get(group.trend, "")
        mark = trend_mark(group.trend, look)
        return [
            [("name", "lag "), lag, (mark[0], f" {mark[1]}{behind}   "),
             ("name", spark(levels(group.lags, 2 * BARS, step), look.unicode, level=True))],
            _facts(("pending", f"{group.facts.pending:,}"), ("reads", reads_cell(group)[1]),
                   ("consumers", f"{group.facts.consumers:,}")),
            _facts(("delivered", look.text(group.facts.last_id)), ("", date_text(id_ms(group.facts.last_id) or 0))),
            *self.said(model, look),
        ]  # fmt: skip

    def sections(self, model: Model, look: Look, step: float, filter: str) -> list[Section]:
        found = self.detail(model)
        if found is None:
            return []
        consumers = sorted(found.consumers, key=lambda one: (-one.pending, one.name))
        return [
            *([_section_of_consumers(consumers, self._stream, self._group)] if consumers else []),
            *([_section_of_pending(found.pending, self._stream)] if found.pending else []),
        ]


def _section_of_consumers(consumers: Sequence[Consumer], stream: bytes, group: bytes) -> Section:
    def inactive(row: Consumer) -> Span:
        if row.inactive is None:
            return "dim", "unknown"
        return ("dim", "never") if row.inactive < 0 else span_cell(row.inactive)

    return Section(
        (
            Field("CONSUMER", 0, lambda row, look: ("", look.text(row.name))),
            Field("PENDING", 8, lambda row, look: number_cell(row.pending), True, 1),
            Field("IDLE", 8, lambda row, look: span_cell(row.idle), True, 2),
            Field("INACTIVE", 8, lambda row, look: inactive(row), True, 3),
        ),
        list(consumers),
        lambda row: row.name,
        lambda row: ConsumerPage(stream, group, row.name),
    )


def _holder(row: Held, look: Look) -> Span:
    return ("dim", RELEASED) if row.is_released else ("", look.text(row.consumer))


def _section_of_pending(pending: Sequence[Held], stream: bytes) -> Section:
    widest = max([len(row.id) for row in pending])
    return Section(
        (
            Field("PENDING ENTRY", max(13, widest), lambda row, look: ("title", look.text(row.id))),
            Field("CONSUMER", 0, _holder, rank=3),
            Field("IDLE", 8, lambda row, look: span_cell(None if row.is_released else row.idle_ms), True, 1),
            Field("DELIVERIES", 10, lambda row, look: ("warn" if row.deliveries > 1 else "", short(row.deliveries)),
                  True, 2),
        ),
        list(pending),
        lambda row: row.id,
        lambda row: EntryPage(stream, row.id),
    )  # fmt: skip


class ConsumerPage(_Close):
    """One consumer: what it holds."""

    def __init__(self, stream: bytes, group: bytes, consumer: bytes) -> None:
        super().__init__(
            OfConsumer(stream, group, consumer), ("stream", stream), ("group", group), ("consumer", consumer)
        )
        self._stream = stream

    def info(self, model: Model, look: Look, step: float) -> list[list[Span]]:
        found = self.detail(model)
        nothing = [[("dim", "nothing is pending")]] if found is not None and not found.pending else []
        return self.said(model, look) or nothing

    def sections(self, model: Model, look: Look, step: float, filter: str) -> list[Section]:
        found = self.detail(model)
        return [_section_of_pending(found.pending, self._stream)] if found is not None and found.pending else []


class EntryPage(_Close):
    """One entry, whole: each value wrapped to the screen."""

    def __init__(self, stream: bytes, id: bytes) -> None:
        super().__init__(OfEntry(stream, id), ("stream", stream), ("entry", id))
        self._id = id

    def info(self, model: Model, look: Look, step: float) -> list[list[Span]]:
        date = date_text(id_ms(self._id) or 0)
        return [*([_facts(("time", date))] if date else []), *self.said(model, look)]

    def sections(self, model: Model, look: Look, step: float, filter: str) -> list[Section]:
        found = self.detail(model)
        if found is None or not found.entries:
            return []
        words = found.entries[0][1]
        rows: list[tuple[int, str, str]] = []
        names = [look.text(name) for name in words[::2]]
        width = max(5, min(24, max([columns(name) for name in names], default=0)))
        for name, value in zip(names, words[1::2], strict=False):
            for text in _wrapped(look.text(value), max(_WRAP_LEAST, look.columns - width - _BESIDE)):
                rows.append((len(rows), name, text))
                name = ""  # noqa: PLW2901  once is enough
        fields = (
            Field("FIELD", width, lambda row, look: ("name", row[1])),
            Field("VALUE", 0, lambda row, look: ("", row[2])),
        )
        return [Section(fields, rows, lambda row: row[0], lambda row: None)]


def _wrapped(text: str, width: int) -> list[str]:
    """The text in lines of so many columns at most."""
    if text.isascii():
        return [text[at : at + width] for at in range(0, len(text), width)] or [""]
    lines, begin, used = [], 0, 0
    for at, character in enumerate(text):
        own = columns(character)
        if used + own > width:
            lines.append(text[begin:at])
            begin, used = at, 0
        used += own
    return [*lines, text[begin:]]
