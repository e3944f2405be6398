"""A deed where no script may be run, or between two slots of a cluster: single commands, one after another.

An XACK, an XCLAIM, an XNACK is atomic by itself; all that may happen between
the look and the command is that the entry is delivered anew. A copy is added
first and acknowledged then: what dies in between leaves both. Who acknowledges
the entry in that moment has the copy taken back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from streamcli.reply import Error
from streamcli.tools.job import ToolError
from streamcli.tools.pending.deeds import (
    CHANGED,
    CLAIM,
    DELETED,
    DONE,
    GONE,
    NACK,
    NO_XNACK,
    REFUSED,
    Deed,
    Doer,
    Outcome,
    in_turn,
    looked,
    payload,
    refused,
    simply,
)
from streamcli.tools.pending.held import Held

if TYPE_CHECKING:
    from streamcli.backend import Backend


class Singles(Doer):
    """On any server."""

    def __init__(self, deed: Deed, backend: Backend) -> None:
        super().__init__(deed)
        self._run = backend.execute

    def do(self, helds: Sequence[Held]) -> list[Outcome]:
        self.may_acknowledge(self._run)
        return in_turn(helds, self._one)

    def _one(self, held: Held) -> Outcome:
        kept = looked(self._run, self.deed, held)
        if kept is not None:
            return kept
        return self._copied(held) if self.deed.copies else self._simply(held)

    def _simply(self, held: Held) -> Outcome:
        deed = self.deed
        outcome = simply(self._run, deed, held, deed.idle_ms)
        if deed.name == NACK and b"nknown command" in outcome.detail:
            raise ToolError(NO_XNACK)
        if deed.name == CLAIM and outcome.kind == DELETED:  # or idle no longer: then it is still pending
            return outcome if looked(self._run, deed, held) == Outcome(GONE) else Outcome(CHANGED)
        return outcome

    def _copied(self, held: Held) -> Outcome:
        deed = self.deed
        fields = payload(self._run, deed, held)
        if fields is None:
            return Outcome(DELETED)
        added = self._run((b"XADD", deed.target, b"*", *fields, *deed.origin(held)))
        if not isinstance(added, bytes):
            return refused(added)
        acked = self._run((b"XACK", deed.stream, deed.group, held.id))
        if acked == 1:
            return Outcome(DONE, added)
        if isinstance(self._run((b"XDEL", deed.target, added)), Error):
            return Outcome(REFUSED, b"ERR %s was acknowledged meanwhile; its copy %s stays" % (held.id, added))
        return refused(acked) if isinstance(acked, Error) else Outcome(GONE)
