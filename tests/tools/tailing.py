"""What tests of `tail` have in common: streams filled in a line, and what was shown in short."""

from __future__ import annotations

import json
from collections.abc import Iterable

from tests.tools.desk import Desk, There


def ids(shown: Iterable[str]) -> list[str]:
    """`a 1-1` for each line of JSON."""
    return [f"{entry['stream']} {entry['id']}" for entry in map(json.loads, shown)]


def shown(there: There, *words: str) -> list[str]:
    desk = Desk(there.backend(), "jsonl")
    assert desk.run("tail", *words) == 0
    assert desk.said == []
    return ids(desk.shown)


def fill(there: There, *entries: str) -> None:
    """Each `stream id [name value ...]`."""
    for entry in entries:
        stream, id, *fields = entry.split()
        there.call("XADD", stream, id, *(fields or ("n", id)))
