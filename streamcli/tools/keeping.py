"""`clone --follow`: copies kept current, new entries at once and all else now and then."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from streamcli.backend import LostError, UnreachableError
from streamcli.reply import Map, Reply
from streamcli.text import counted
from streamcli.tools.clone import set_expiry
from streamcli.tools.comparing import compared
from streamcli.tools.copying import Copy, StoppedError
from streamcli.tools.job import ToolError, accepted

if TYPE_CHECKING:
    from streamcli.backend import Backend
    from streamcli.tools.job import Job
    from streamcli.tools.stopping import Stop

_WAIT_MS: Final = 250  # so long Ctrl-C may go unnoticed
_SHARE: Final = 5  # of the time, one part goes into looking for changes
_RETRY_SECONDS: Final = 1.0
_SLICE_SECONDS: Final = 0.05
_KEYS: Final = 64  # streams in one XREAD


class Kept:
    """A copy, and when it is to be looked at again."""

    def __init__(self, title: str, key: bytes, copy: Copy) -> None:
        self.title, self.key, self.copy = title, key, copy
        self.due = 0.0
        self.gone = False

    def look(self, every: float) -> None:
        """Bring all of it up to date. Looks that take long are made less often."""
        began = time.monotonic()
        state = self.copy.bring()
        if state is None:
            self.gone = True
            return
        if self.copy.ask(b"XLEN", self.copy.name) != state.length:
            verdict = compared(self.copy, state, full=True)
            if verdict.differences and not verdict.moved:
                raise ToolError(f"{self.title} differs: {verdict.differences[0]}")
        set_expiry(self.copy, self.key)
        now = time.monotonic()
        self.due = now + max(every, _SHARE * (now - began))


def keep(job: Job, stop: Stop, copies: Sequence[tuple[str, bytes, Copy]], every: float) -> None:
    """Follow until Ctrl-C. What a lost connection has left open is looked for when there is one again."""
    kept = [Kept(*one) for one in copies]
    names = ", ".join(one.title for one in kept)
    job.say(f"clone: following {names}; Ctrl-C ends it")
    for one in kept:
        one.copy.added = one.copy.removed = 0
    lost = False
    ours: list[Backend] = []
    while not stop.asked and kept:
        try:
            if lost:
                _reconnect(kept, ours)
                job.say("clone: connected again")
                lost = False
            _round(kept, every, stop)
        except StoppedError:
            break
        except (LostError, UnreachableError) as error:
            if not lost:
                job.say(f"clone: {error}; trying again")
            lost = True
            _pause(stop, _RETRY_SECONDS)
        for one in [one for one in kept if one.gone]:
            job.say(f"clone: {one.title} is gone from the source; the copy is left as it is")
            kept.remove(one)
    _close(ours)
    for title, _, copy in copies:
        at = f"up to {copy.last_id}"
        job.say(
            f"clone: {title}: {counted(copy.added, 'entry')} added and {copy.removed:,} removed while following, {at}"
        )


def _round(kept: Sequence[Kept], every: float, stop: Stop) -> None:
    """Wait a moment for new entries, and add them; look at what is due."""
    new: set[Reply] = set()
    alone = len(kept) <= _KEYS
    if not alone:
        _pause(stop, _WAIT_MS / 1000)
    for at in range(0, len(kept), _KEYS):
        new |= _with_new(kept[at : at + _KEYS], waits=alone)
    for one in kept:
        one.copy.check_stop()
        if one.due <= time.monotonic():
            one.look(every)
        elif one.key in new:
            one.copy.follow()


def _with_new(kept: Sequence[Kept], *, waits: bool) -> set[Reply]:
    """The streams that have new entries."""
    block = (b"BLOCK", b"%d" % _WAIT_MS) if waits else ()
    ids = (one.copy.last_id.text for one in kept)
    argv = (b"XREAD", b"COUNT", b"1", *block, b"STREAMS", *(one.key for one in kept), *ids)
    reply = accepted(kept[0].copy.source.execute(argv), argv)
    pairs = reply.pairs if isinstance(reply, Map) else reply if isinstance(reply, list) else []
    return {pair[0] for pair in pairs if isinstance(pair, (list, tuple)) and isinstance(pair[0], bytes)}


def _reconnect(kept: Sequence[Kept], ours: list[Backend]) -> None:
    """Sessions on which no reply is due; `ours` are those made here before. Raises UnreachableError, LostError."""
    new: list[Backend] = []
    try:
        for backend in (kept[0].copy.source, kept[0].copy.target):
            new.append(backend.beside())
            new[-1].execute((b"PING",))
        for one in kept:
            one.copy.source, one.copy.target = new
            one.copy.again()
    except (LostError, UnreachableError):
        _close(new)
        raise
    _close(ours)
    ours[:] = new


def _close(backends: Sequence[Backend]) -> None:
    for backend in backends:
        backend.close()


def _pause(stop: Stop, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and not stop.asked:
        time.sleep(_SLICE_SECONDS)
