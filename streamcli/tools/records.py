"""The lines of an exported file: what they are, and how they are written.

The topic page `export` documents the same for users. One JSON object a line.
Entries are as `--format jsonl` shows them; all else is told from them by its names:

| line | says |
|---|---|
| `{"export": 1, "streams": [...], "groups": true}` | the first line: the schema's version, and what is in the file |
| `{"stream": ..., "settings": {...}}` | before a stream's entries: its last ID and counters |
| `{"id": ..., "fields": [[name, value], ...]}` | an entry; `stream` stands first when there are several |
| `{"id": ..., "fields": null}` | a pending entry that the stream has no more |
| `{"stream": ..., "group": ..., "last-delivered-id": ...}` | a group and its consumers, behind the entries |
| `{"stream": ..., "group": ..., "id": ..., "consumer": ...}` | one pending entry |
| `{"end": {...}}` | the last line: how many of each there are |
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, TypeAlias

from streamcli.ids import MAX_ID, MIN_ID, StreamID
from streamcli.render.json import string
from streamcli.tools.job import ToolError
from streamcli.tools.state import Group, Pending, State

VERSION: Final = 1


class LineError(ToolError):
    """A line of a file cannot be taken: the text begins with its number."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(f"line {line}: {text}")
        self.line = line


class Batch(NamedTuple):
    """Entries of one stream that follow each other; None in `words` for one that is gone.

    `stream` None: the file does not say. `ids` None: the file has none.
    """

    stream: bytes | None
    lines: Sequence[int]
    ids: list[bytes] | None
    words: Sequence[list[bytes] | None]


class Header(NamedTuple):
    line: int
    streams: list[bytes]
    groups: bool


class Settings(NamedTuple):
    line: int
    stream: bytes
    state: State
    expires_ms: int | None


class GroupLine(NamedTuple):
    line: int
    stream: bytes
    group: Group


class PendingLine(NamedTuple):
    line: int
    stream: bytes
    group: bytes
    row: Pending


class End(NamedTuple):
    line: int
    entries: int
    groups: int
    pending: int


Record: TypeAlias = Batch | Header | Settings | GroupLine | PendingLine | End


# -- written ----------------------------------------------------------------------------


def header(streams: Sequence[bytes], *, groups: bool, start: StreamID = MIN_ID, end: StreamID = MAX_ID) -> str:
    """The first line; it names the bounds of an export of a part."""
    told: dict[str, object] = {"export": VERSION, "streams": list(streams), "groups": groups}
    if start != MIN_ID:
        told["from"] = start.text
    if end != MAX_ID:
        told["to"] = end.text
    return _line(told)


def settings(stream: bytes, state: State, expires_ms: int | None) -> str:
    """What a stream is beside its entries and groups; null where the server does not tell. `expires_ms`: Unix time."""
    deleted = state.max_deleted_id
    told: dict[str, object] = {
        "length": state.length,
        "last-generated-id": state.last_id.text,
        "entries-added": state.entries_added,
        "max-deleted-entry-id": None if deleted is None else deleted.text,
    }
    if state.idmp is not None:
        told["idmp-duration"], told["idmp-maxsize"] = state.idmp
    if expires_ms is not None:
        told["expires"] = expires_ms
    return _line({"stream": stream, "settings": told})


def group(stream: bytes, one: Group) -> str:
    """A group; the times of its consumers are Unix time in ms."""
    return _line({
        "stream": stream,
        "group": one.name,
        "last-delivered-id": one.last_id.text,
        "entries-read": one.entries_read,
        "consumers": [
            {"name": c.name, "seen-time": c.seen_ms, "active-time": c.active_ms, "pending": c.pending}
            for c in one.consumers
        ],
    })  # fmt: skip


def pending(stream: bytes, name: bytes, rows: Iterable[Pending]) -> list[str]:
    """A line for each entry that a group has pending; nobody's consumer is null."""
    head = f'{{"stream":{string(stream, ":")},"group":{string(name, ":")},"id":"'
    return [
        f'{head}{row.id}","consumer":{"null" if row.consumer is None else string(row.consumer, ":")},'
        f'"delivery-time":{row.delivered_ms},"deliveries":{row.deliveries}}}'
        for row in rows
    ]


def end(entries: int, groups: int, pending: int) -> str:
    """The last line: how many lines of each kind are in the file, those of gone entries not counted."""
    return _line({"end": {"entries": entries, "groups": groups, "pending": pending}})


def gone(stream: bytes | None, id: str) -> str:
    """A pending entry that its stream has no more."""
    head = "" if stream is None else f'"stream":{string(stream, ":")},'
    return f'{{{head}"id":"{id}","fields":null}}'


def _line(value: object) -> str:
    """JSON without blanks; bytes as every string of ours."""
    if isinstance(value, bytes):
        return string(value, ":")
    if isinstance(value, dict):
        return "{" + ",".join([f'"{name}":{_line(one)}' for name, one in value.items()]) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_line, value)) + "]"
    return "null" if value is None else str(value).lower()  # a number, or a truth
