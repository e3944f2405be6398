"""An import that gives new IDs goes on: which lines of the file are there already, and what is kept when it stops."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from streamcli.ids import MIN_ID, StreamID, parse_id
from streamcli.tools.entries import id_of
from streamcli.tools.marks import Mark, behind, found, last_id, number_in

if TYPE_CHECKING:
    from streamcli.backend import Backend
    from streamcli.tools.entries import Entry
    from streamcli.tools.landing import Landing
    from streamcli.tools.records import Batch


class Course:
    """Up to `line` all is there, and of the lines up to `sent` some may be. `file` tells its state from a later one."""

    def __init__(self, mark: Mark, file: list[int]) -> None:
        self.line = self.sent = 0
        self._mark, self._file = mark, file
        self._newest: dict[bytes, StreamID] = {}
        self._there: dict[bytes, list[Entry]] = {}
        self._found: set[int] = set()

    def read(self, backend: Backend) -> str | None:
        """Take up what was kept. What is to be said of it; None when nothing was. Raises ChangedError, RefusedError."""
        facts = self._mark.read()
        if not facts:
            return None
        line = number_in(facts, "line")
        if facts.get("file") != self._file:
            raise ChangedError(line)
        newest = _newest(facts)
        for name, id in newest.items():
            if (last_id(backend, name) or MIN_ID) < id:
                return "it begins anew: the stream is not the one at which the same command stopped"
        self.line, self.sent, self._newest = line, number_in(facts, "sent"), newest
        self._found = _lines(facts)
        where = f"behind line {line}" if line else "from the first line"
        return f"it goes on {where}, where the same command stopped; --again begins anew"

    def left(self, batch: Batch, landing: Landing, *, looks: bool) -> Batch:
        """The entries that are not there; `looks`: it was not asked about these lines before."""
        if batch.lines[0] > self.sent:
            return batch
        if looks:
            self._look(batch, landing)
        rest = [at for at, line in enumerate(batch.lines) if line > self.line and line not in self._found]
        if looks:
            landing.skipped += len(batch.lines) - len(rest)
        return batch._replace(lines=[batch.lines[at] for at in rest], words=[batch.words[at] for at in rest])

    def _look(self, batch: Batch, landing: Landing) -> None:
        lines = [at for at, line in enumerate(batch.lines) if self.line < line <= self.sent and line not in self._found]
        if not lines:
            return
        there = self._there.get(landing.key)
        if there is None:
            there = list(behind(landing.backend, landing.key, self._newest.get(landing.key, MIN_ID)))
            if there:  # what of it is ours is known by its line from now on
                self._newest[landing.key] = id_of(there[-1][0])
        places = found([tuple(batch.words[at] or ()) for at in lines], (tuple(words) for _, words in there))
        self._found.update(batch.lines[at] for at, place in zip(lines, places, strict=True) if place is not None)
        last = max((place for place in places if place is not None), default=-1)
        self._there[landing.key] = there[last + 1 :]

    def keep(self, line: int, sent: int, landings: Iterable[Landing]) -> bool:
        """Keep how far it came; is the same command going to go on?"""
        newest = {**self._newest, **{one.key: one.newest for one in landings if one.newest is not None}}
        line = max(line, self.line)
        facts = {
            "line": line,
            "sent": max(sent, self.sent),
            "newest": {name.hex(): str(id) for name, id in newest.items()},
            "there": [one for one in sorted(self._found) if one > line],
            "file": self._file,
        }
        return self._mark.keep(facts)

    def ended(self) -> None:
        self._mark.forget()


class ChangedError(Exception):
    """The file is not as it was when an import of it stopped behind `line`."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line: Final = line


def _newest(facts: Mapping[str, Any]) -> dict[bytes, StreamID]:
    kept = facts.get("newest")
    pairs = kept.items() if isinstance(kept, dict) else ()
    try:
        return {bytes.fromhex(name): parse_id(str(id).encode()) or MIN_ID for name, id in pairs}
    except ValueError:  # somebody has written in the file
        return {}


def _lines(facts: Mapping[str, Any]) -> set[int]:
    """The lines behind the last one of which all is there that were found, though one before them was not."""
    kept = facts.get("there")
    return {line for line in kept if isinstance(line, int)} if isinstance(kept, list) else set()
