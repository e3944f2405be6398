"""What is done with a pending entry, to one after another: each wholly, or not at all.

Between the moment in which an entry was looked at and the one in which
something is done with it, its consumer may acknowledge it, and another operator
may take it. WATCH sees neither XACK nor XCLAIM. So the look is repeated in the
same step as the deed: in one transaction of the file on the engine
(`Embedded.undivided`), in a script on a server (`script`). Where no script may
be run, `singles` are left: one command is atomic by itself, a copy takes two.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from streamcli.reply import Error, Reply
from streamcli.tools.entries import entries, id_of
from streamcli.tools.job import ToolError, accepted
from streamcli.tools.pending.held import Held, rows

if TYPE_CHECKING:
    from streamcli.backend import Backend

ACK: Final = "ack"
CLAIM: Final = "claim"
NACK: Final = "nack"
REQUEUE: Final = "requeue"
DEAD_LETTER: Final = "dead-letter"

DONE: Final = "done"
GONE: Final = "gone"  # is not pending any more
CHANGED: Final = "changed"  # was delivered anew, or claimed, after it was looked at
DELETED: Final = "deleted"  # is not in the stream any more, so that there is nothing to copy or to claim
REFUSED: Final = "refused"  # by an error; what comes behind it was not tried

ORIGIN: Final = "dead-letter:"  # what the names of the fields begin with that say where an entry came from
NO_XNACK: Final = (
    "this server has no XNACK (it came with Redis 8.8); `claim --to CONSUMER` gives the entries to somebody, "
    "`requeue` to the whole group"
)

Run: TypeAlias = Callable[[Sequence[bytes]], Reply]


class Deed(NamedTuple):
    """`to` is the consumer of a claim, the stream of a dead letter; `mode` that of XNACK."""

    name: str
    stream: bytes
    group: bytes
    to: bytes = b""
    mode: bytes = b"FAIL"
    reason: bytes = b""
    idle_ms: int = 0

    @property
    def copies(self) -> bool:
        return self.name in (REQUEUE, DEAD_LETTER)

    @property
    def target(self) -> bytes:
        """Where a copy goes."""
        return self.to if self.name == DEAD_LETTER else self.stream

    def origin(self, held: Held) -> list[bytes]:
        """The names and values that a dead letter has behind its own."""
        if self.name != DEAD_LETTER:
            return []
        parts = (
            ("stream", self.stream), ("group", self.group), ("id", held.id), ("consumer", held.consumer),
            ("deliveries", b"%d" % held.deliveries), ("reason", self.reason),
        )  # fmt: skip
        return [word for name, value in parts for word in ((ORIGIN + name).encode(), value)]


class Outcome(NamedTuple):
    """What became of one entry; `detail` is the ID of its copy, or an error."""

    kind: str
    detail: bytes = b""


class Doer:
    """Does one deed to entries that were looked at; `undivided`: each in one step."""

    def __init__(self, deed: Deed) -> None:
        self.deed: Final = deed
        self._may = not deed.copies

    def may_acknowledge(self, run: Run) -> None:
        """Ask once whether XACK is allowed, with an ID that no entry has: after the copy it would be too late.

        Not in a script: there the XADD behind it would not be refused for want of memory. Raises RefusedError.
        """
        if not self._may:
            argv = (b"XACK", self.deed.stream, self.deed.group, b"0-0")
            accepted(run(argv), argv)
            self._may = True

    def do(self, helds: Sequence[Held]) -> list[Outcome]:
        """What became of each, in their order, of one at least; behind one that was refused there are none.

        Raises RefusedError, ToolError when nothing was done, LostError, UnreachableError.
        """
        raise NotImplementedError


class Undivided(Doer):
    """On the engine: entries done together are one transaction of the file, and looked at together."""

    def __init__(self, deed: Deed, backend: Backend) -> None:
        from streamcli.backend.embedded import Embedded

        super().__init__(deed)
        assert isinstance(backend, Embedded)
        self._backend = backend

    def do(self, helds: Sequence[Held]) -> list[Outcome]:
        deed = self.deed
        with self._backend.undivided() as run:
            now = _as_they_are(run, deed, helds)
            return in_turn(helds, lambda held: _why_not(now.pop(held.id, None), deed, held) or done(run, deed, held))


def _as_they_are(run: Run, deed: Deed, helds: Sequence[Held]) -> dict[bytes, Held]:
    """Those that are pending, by ID: asked with one command where they lie close together."""
    first, last = min(id_of(held.id) for held in helds), max(id_of(held.id) for held in helds)
    most = 2 * len(helds)
    found = _rows(run, deed, first.text, last.text, most)
    if len(found) == most:
        found = [row for held in helds for row in _rows(run, deed, held.id, held.id, 1)]
    return {held.id: held for held in found}


def in_turn(helds: Sequence[Held], do: Callable[[Held], Outcome]) -> list[Outcome]:
    """The outcomes, up to the first refusal."""
    outcomes: list[Outcome] = []
    for held in helds:
        outcomes.append(do(held))
        if outcomes[-1].kind == REFUSED:
            break
    return outcomes


def done(run: Run, deed: Deed, held: Held) -> Outcome:
    """Do it to an entry that is as it was; `run` is to let nobody in between. The Lua of `script` says the same."""
    if not deed.copies:
        return simply(run, deed, held)
    fields = payload(run, deed, held)
    if fields is None:
        return Outcome(DELETED)
    added = run((b"XADD", deed.target, b"*", *fields, *deed.origin(held)))
    if not isinstance(added, bytes):
        return refused(added)
    run((b"XACK", deed.stream, deed.group, held.id))
    return Outcome(DONE, added)


def looked(run: Run, deed: Deed, held: Held) -> Outcome | None:
    """Why nothing is to be done with an entry, as it is now; None when it is as it was. Raises RefusedError."""
    found = _rows(run, deed, held.id, held.id, 1)
    return _why_not(found[0] if found else None, deed, held)


def _rows(run: Run, deed: Deed, first: bytes, last: bytes, most: int) -> list[Held]:
    argv = (b"XPENDING", deed.stream, deed.group, first, last, b"%d" % most)
    return rows(accepted(run(argv), argv))


def _why_not(now: Held | None, deed: Deed, held: Held) -> Outcome | None:
    if now is None:
        return Outcome(GONE)
    same = (now.consumer, now.deliveries) == (held.consumer, held.deliveries)
    return None if same and (now.idle_ms >= deed.idle_ms or now.idle_ms < 0) else Outcome(CHANGED)


def simply(run: Run, deed: Deed, held: Held, idle_ms: int = 0) -> Outcome:
    """What is one command. (JUSTID: a claim is no delivery, and is not counted as one.)"""
    if deed.name == CLAIM:
        reply = run((b"XCLAIM", deed.stream, deed.group, deed.to, b"%d" % idle_ms, held.id, b"JUSTID"))
        if not isinstance(reply, list):
            return refused(reply)
        return Outcome(DONE) if reply else Outcome(DELETED)
    if deed.name == NACK:
        reply = run((b"XNACK", deed.stream, deed.group, deed.mode, b"IDS", b"1", held.id))
    else:
        reply = run((b"XACK", deed.stream, deed.group, held.id))
    if not isinstance(reply, int):
        return refused(reply)
    return Outcome(DONE if reply else GONE)


def payload(run: Run, deed: Deed, held: Held) -> list[bytes] | None:
    """The entry's names and values; None when it is gone. Raises RefusedError."""
    argv = (b"XRANGE", deed.stream, held.id, held.id)
    found = entries(accepted(run(argv), argv))
    return found[0][1] if found else None


def refused(reply: Reply) -> Outcome:
    """Raises ToolError when it is no refusal either."""
    if not isinstance(reply, Error):
        raise ToolError("the server has answered with something that cannot be")
    return Outcome(REFUSED, reply.text.encode("utf-8", "surrogateescape"))
