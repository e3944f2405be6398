"""A deed done to many: a batch at a time, counted, with the progress shown, and an end between two entries."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

from streamcli.tools.entries import so_many
from streamcli.tools.job import ToolError, also_telling
from streamcli.tools.pending.deeds import (
    ACK,
    CHANGED,
    CLAIM,
    DEAD_LETTER,
    DELETED,
    DONE,
    GONE,
    NACK,
    REFUSED,
    REQUEUE,
    Deed,
    Doer,
    Outcome,
    Undivided,
)
from streamcli.tools.pending.held import Held
from streamcli.tools.pending.script import LARGE, NoScriptError, Script
from streamcli.tools.pending.singles import Singles

if TYPE_CHECKING:
    from streamcli.backend import Backend

_FIRST, _MOST = 16, 256  # entries in a batch
_SOON_SECONDS, _LONG_SECONDS = 0.015, 0.06  # nobody else is served while a batch is done
_APART: Final = "--not-atomic copies it, then acknowledges it"
_TOLD = 10  # problems that are named one by one

PAST: Final = {
    ACK: "acknowledged",
    CLAIM: "claimed",
    NACK: "released",
    REQUEUE: "requeued",
    DEAD_LETTER: "dead-lettered",
}
PLAN: Final = {
    ACK: "acknowledge",
    CLAIM: "claim",
    NACK: "release",
    REQUEUE: "requeue",
    DEAD_LETTER: "dead-letter",
}
_WHY: Final = {
    GONE: "pending no more",
    CHANGED: "delivered or claimed anew meanwhile, and left alone",
    DELETED: "not in the stream any more",
}


class Tally:
    """What became of the entries so far; `last` is the ID of the one that was dealt with last, `copy` of its copy."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys((DONE, GONE, CHANGED, DELETED), 0)
        self.last = self.copy = b""
        self.problems: list[tuple[Held, str]] = []
        self.stopped = False
        self.refusal: str | None = None

    @property
    def done(self) -> int:
        return self.counts[DONE]

    @property
    def seen(self) -> int:
        return sum(self.counts.values())

    def add(self, held: Held, outcome: Outcome) -> None:
        if outcome.kind == REFUSED:
            self.refusal = outcome.detail.decode("utf-8", "surrogateescape")
            return
        self.counts[outcome.kind] += 1
        self.last = held.id
        if outcome.kind == DONE:
            self.copy = outcome.detail
        elif len(self.problems) < _TOLD:
            self.problems.append((held, _WHY.get(outcome.kind, outcome.kind)))

    def rest_text(self) -> str:
        """`; 2 pending no more`: what was not done, or nothing."""
        return "".join(f"; {self.counts[kind]:,} {why}" for kind, why in _WHY.items() if self.counts[kind])


def doer(deed: Deed, backend: Backend, *, not_atomic: bool) -> Doer:
    """Who does it here. Raises ToolError when it cannot be one step, and `not_atomic` does not allow two."""
    server = backend.server
    if server is None:
        return Undivided(deed, backend)
    if server.mode == "cluster" and _are_apart(deed.stream, deed.target):
        if not not_atomic:
            raise ToolError(
                "the two streams are in different slots of the cluster, so that no entry can be moved in one step: "
                f"{_APART}",
                2,
            )
        return Singles(deed, backend)
    return _Found(deed, backend, not_atomic=not_atomic)


def _are_apart(stream: bytes, target: bytes) -> bool:
    from streamcli.backend.remote.slots import key_slot

    return bool(key_slot(stream) != key_slot(target))


class _Found(Doer):
    """By a script; by single commands, if that may be, when the server runs none, or what one cannot carry."""

    def __init__(self, deed: Deed, backend: Backend, *, not_atomic: bool) -> None:
        super().__init__(deed)
        self._script, self._singles = Script(deed, backend), Singles(deed, backend)
        self._may = not_atomic or not deed.copies
        self._runs_scripts = True

    def do(self, helds: Sequence[Held]) -> list[Outcome]:
        if self._runs_scripts:
            try:
                return self._without_large(helds, self._script.do(helds))
            except NoScriptError as error:
                if not self._may:
                    raise ToolError(f"{error}; without a script no entry can be moved in one step: {_APART}") from None
                self._runs_scripts = False
        return self._singles.do(helds)

    def _without_large(self, helds: Sequence[Held], outcomes: list[Outcome]) -> list[Outcome]:
        if not outcomes or outcomes[-1].kind != LARGE:
            return outcomes
        held = helds[len(outcomes) - 1]
        if not self._may:
            text = f"{held.id.decode()} has too many fields to be moved in one step: {_APART}"
            return [*outcomes[:-1], Outcome(REFUSED, text.encode())]
        return [*outcomes[:-1], *self._singles.do([held])]


def act(
    do: Callable[[Sequence[Held]], list[Outcome]],
    pages: Iterable[list[Held]],
    stopped: Callable[[], bool],
    at: Callable[[int], None],
) -> Tally:
    """Do it to all of them, or until `stopped`; `at` hears how many have been dealt with.

    Of a fault on the way the tally so far is told by what is raised: LostError,
    UnreachableError, ToolError.
    """
    tally = Tally()
    size = _Size()
    try:
        with also_telling(lambda: so_far(tally) if tally.seen else ""):
            for page in pages:
                rest = page
                while rest:
                    if stopped():
                        tally.stopped = True
                        return tally
                    began = time.monotonic()
                    outcomes = do(rest[: size.now])
                    size.took(time.monotonic() - began)
                    for held, outcome in zip(rest, outcomes, strict=False):
                        tally.add(held, outcome)
                    at(tally.seen)
                    if tally.refusal is not None:
                        return tally
                    rest = rest[len(outcomes) :]
    except KeyboardInterrupt:
        tally.stopped = True
    return tally


def so_far(tally: Tally) -> str:
    """Where it ended, and how it goes on."""
    last = tally.last.decode()
    return f"{so_many(tally.seen)} before, the last was {last}; the same command goes on from there"


class _Size:
    """How many are done at once: few at first, then as many as take neither too long nor too many round trips."""

    def __init__(self) -> None:
        self.now = _FIRST

    def took(self, seconds: float) -> None:
        if seconds < _SOON_SECONDS:
            self.now = min(_MOST, self.now * 2)
        elif seconds > _LONG_SECONDS:
            self.now = max(1, self.now // 2)
