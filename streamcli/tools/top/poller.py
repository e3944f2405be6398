"""Keeps the model current, in a thread of its own, at a price that is kept low.

What is on the screen is asked for at every refresh. The rest takes turns, in
small bites with pauses between them (`Purse`): names (SCAN), which streams have
entries that we have not seen (one XREAD for hundreds of them), what is known to
have changed or to have groups, and in the end everything. So what lies still
costs next to nothing, and what moves is seen soon.

On a server the purse counts what the server may have worked for us; with the
engine in this process, what we worked ourselves.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from threading import Condition, Thread
from typing import TYPE_CHECKING, Final, NamedTuple

from streamcli.backend import LostError, UnreachableError
from streamcli.reply import Error, Reply
from streamcli.tools import survey
from streamcli.tools.job import RefusedError, ToolError
from streamcli.tools.merging import by_stream
from streamcli.tools.replies import record
from streamcli.tools.top.details import detail_of, oldest_of
from streamcli.tools.top.model import Model, OfEntry, OfStream, StreamState, Subject

if TYPE_CHECKING:
    from streamcli.backend import Backend

_SERVER_SHARE, _OWN_SHARE, _ENGINE_SHARE = 0.03, 0.15, 0.025  # of one core
_FIRST_SHARE: Final = 0.5  # as long as most is not known at all
_PROBED, _ASKED, _FIRST_ASKED = 500, 50, 200  # names in a bite
_SCAN_SECONDS: Final = 10.0  # between two looks for new streams
_ALL_AT_ONCE: Final = 8  # bites of the round over all that lies still, in each turn
_MEMORY_SECONDS: Final = 10.0
_HEAVY_BYTES: Final = 64 * 1024  # of the first and last entry
_EARLY: Final = 0.9  # of the interval: what is shown is never older than that, the asking and drawing included
_STILL_SECONDS: Final = 5.0  # between two looks at what hardly changes
_AGAIN_SECONDS: Final = 1.0
_BACK_SECONDS: Final = 5.0


class Focus(NamedTuple):
    """What is on the screen: streams, groups of streams, and one thing that is looked at closely."""

    streams: tuple[bytes, ...] = ()
    groups: tuple[tuple[bytes, bytes], ...] = ()
    subject: Subject | None = None


class Purse:
    """How much may be spent. `pause` says for how long nothing may be, after a bite."""

    def __init__(self, on_server: bool) -> None:
        self._on_server = on_server
        self._way = 1.0  # the shortest time that a question took: not the server's work

    def way(self, seconds: float) -> None:
        """A question that is no work took so long."""
        self._way = min(self._way * 1.1, seconds)

    def pause(self, wall: float, cpu: float, *, first: bool = False) -> float:
        """Seconds to wait after a bite that took `wall`, of which this thread worked `cpu`."""
        if first:
            return wall * (1 - _FIRST_SHARE) / _FIRST_SHARE if self._on_server else 0.0
        if not self._on_server:
            return max(0.0, cpu / _ENGINE_SHARE - wall)
        there = max(0.0, wall - cpu - self._way)
        return max(0.0, there / _SERVER_SHARE - wall, cpu / _OWN_SHARE - wall)


class Poller:
    """`wake` is called, from the thread, when there is something new to draw."""

    def __init__(self, backend: Backend, model: Model, wake: Callable[[], None], interval: float) -> None:
        self.interval = interval
        self._backend, self._model, self._wake = backend, model, wake
        self._changed = Condition()
        self._focus = Focus()
        self._fresh = True  # the focus has not been asked for yet
        self._ended = self._paused = False
        self._purse = Purse(backend.server is not None)
        self._rounds = self._turns()
        self._not_before = 0.0
        self._scan_at = self._asked_at = -1e9
        self._asked: object = None  # the subject that was asked for last, and how its stream was then
        self._dirty: dict[bytes, None] = {}
        self._probes = backend.server is None or backend.server.mode != "cluster"
        self._thread = Thread(target=self._run, name="top", daemon=True)

    # -- from the thread that draws --------------------------------------------------------------

    def start(self) -> None:
        self._thread.start()

    def look_at(self, focus: Focus) -> None:
        """What is on the screen now; what is new there is asked for at once."""
        with self._changed:
            if focus != self._focus:
                self._fresh = bool(focus.subject != self._focus.subject or set(focus[0]) - set(self._focus[0]))
                self._fresh = self._fresh or bool(set(focus.groups) - set(self._focus.groups))
                self._focus = focus
                if self._fresh:
                    self._changed.notify()

    def pause(self, paused: bool) -> None:
        with self._changed:
            self._paused = paused
            self._changed.notify()

    def end(self, seconds: float = 1.0) -> None:
        """End soon, with what is under way cut short."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        self._backend.stop(writes=False)
        self._thread.join(seconds)

    # -- the thread --------------------------------------------------------------------------------

    def _run(self) -> None:
        with suppress(KeyboardInterrupt):  # out of `Backend.stop`
            self._poll()

    def _poll(self) -> None:
        self._try((b"CLIENT", b"NO-TOUCH", b"ON"))  # so that looking does not keep keys from being evicted
        while not self._ended:
            began = time.monotonic()
            try:
                self._refresh()
                self._spend(began + _EARLY * self.interval)
                self._not_lost()
            except ToolError as error:
                self._lost(str(error))
            except (LostError, UnreachableError) as error:
                self._lost(str(error))
            except Exception as error:
                self._lost(f"{type(error).__name__}: {error}")

    def _try(self, argv: Sequence[bytes]) -> None:
        """What may be refused, and may go wrong: the next command will tell."""
        try:
            self._backend.execute(argv)
        except (LostError, UnreachableError):
            return

    def _lost(self, text: str) -> None:
        self._rounds = self._turns()  # what was begun is begun again
        with self._model.lock:
            self._model.trouble = text
            self._model.back_at = self._model.asked_at = None
        self._wake()
        with self._changed:
            if not self._ended:
                self._changed.wait(_AGAIN_SECONDS)

    def _not_lost(self) -> None:
        with self._model.lock:
            if self._model.trouble is not None:
                self._model.trouble, self._model.back_at = None, time.monotonic()
            elif self._model.back_at is not None and time.monotonic() - self._model.back_at > _BACK_SECONDS:
                self._model.back_at = None

    def _spend(self, until: float) -> None:
        """Use the time until the next refresh, as far as the purse allows; a new focus ends it."""
        while True:
            now = time.monotonic()
            with self._changed:
                if self._ended or (self._fresh and not self._paused) or (now >= until and not self._paused):
                    return
                wait = max(self._not_before, 0.0) - now
                if wait > 0 or self._paused:
                    self._changed.wait(None if self._paused else min(wait, until - now))
                    continue
            self._model.asked_at = began = now
            worked = time.thread_time()
            first = next(self._rounds)
            self._model.asked_at, ended = None, time.monotonic()
            if first is None:
                self._not_before = ended + self.interval / 4
                continue
            self._not_before = ended + self._purse.pause(ended - began, time.thread_time() - worked, first=first)
            if first:
                self._wake()

    # -- what is on the screen ---------------------------------------------------------------------

    def _refresh(self) -> None:
        with self._changed:
            focus, self._fresh = self._focus, False
        self._model.asked_at = began = time.monotonic()
        now_ms = survey.clock(self._backend)
        self._purse.way(time.monotonic() - began)
        if focus.subject is not None and self._is_due(focus.subject, began):
            detail = detail_of(self._backend, focus.subject, self._known(focus.subject.stream))
            with self._model.lock:
                self._model.detail = detail
        names = list(dict.fromkeys((*focus.streams, *(stream for stream, _ in focus.groups))))
        if names:
            self._ask(names, groups=True)
            self._memory(names)
        self._oldest(focus, now_ms)
        with self._model.lock:
            self._model.now_ms, self._model.asked_at = now_ms, None
        self._not_lost()
        self._wake()

    def _is_due(self, subject: Subject, now: float) -> bool:
        """Is it to be asked for (again)? An entry does not change, nor do those of a stream that lies still."""
        seen: object = None
        if isinstance(subject, OfStream):
            state = self._known(subject.stream)
            seen = state.facts[:4] if state is not None and state.facts is not None else now
        elif not isinstance(subject, OfEntry):
            return True
        asked = (subject, seen)
        if asked == self._asked and now - self._asked_at < _STILL_SECONDS:
            return False
        self._asked, self._asked_at = asked, now
        return True

    def _known(self, name: bytes) -> StreamState | None:
        return self._model.streams.get(name)

    def _memory(self, names: list[bytes]) -> None:
        now = time.monotonic()
        states = [state for state in map(self._known, names) if state and now - state.memory_at > _MEMORY_SECONDS]
        replies = self._each([(b"MEMORY", b"USAGE", state.name) for state in states])
        for state, reply in zip(states, replies, strict=True):
            state.memory, state.memory_at = reply if isinstance(reply, int) else None, now

    def _oldest(self, focus: Focus, now_ms: int) -> None:
        states = [
            (stream, group)
            for stream, name in focus.groups
            if (state := self._known(stream)) and (group := state.groups.get(name)) and group.facts.pending
        ]
        replies = self._each([
            (b"XPENDING", stream, group.facts.name, b"-", b"+", b"1") for stream, group in states
        ])  # fmt: skip
        for (_, group), reply in zip(states, replies, strict=True):
            group.oldest_ms = oldest_of(reply, now_ms)

    def _each(self, argvs: list[tuple[bytes, ...]]) -> list[Reply]:
        return list(self._backend.pipelined(argvs)) if argvs else []

    # -- questions ---------------------------------------------------------------------------------

    def _ask(self, names: Sequence[bytes], *, groups: bool) -> None:
        """XINFO STREAM of each; XINFO GROUPS of those that have groups."""
        replies = self._each([(b"XINFO", b"STREAM", name) for name in names])
        at = time.monotonic()
        grouped: list[StreamState] = []
        with self._model.lock:
            for name, reply in zip(names, replies, strict=True):
                state = self._put(name, reply, at)
                if state is not None and state.facts is not None and state.facts.groups:
                    grouped.append(state)
        if groups and grouped:
            self._ask_groups(grouped)

    def _put(self, name: bytes, reply: Reply, at: float) -> StreamState | None:
        streams = self._model.streams
        self._dirty.pop(name, None)
        state = streams.get(name)
        if isinstance(reply, Error):
            if reply.code in ("NOPERM", "MOVED", "ASK", "CLUSTERDOWN"):
                if state is not None:
                    state.refused = reply.code
                return None
            if not survey.is_gone(reply):  # it is loading, a script runs: that says nothing of the stream
                raise RefusedError(reply, (b"XINFO", b"STREAM"))
            streams.pop(name, None)
            return None
        facts = survey.stream(reply)
        if facts is None:
            return None
        if state is None:
            state = streams[name] = StreamState(name)
        state.refused = ""
        state.heavy = _weight(reply) > _HEAVY_BYTES
        state.put(facts, at)
        if state.rate is None and facts.last_ms is not None and self._model.now_ms - facts.last_ms > 60_000:
            state.rate = 0.0
        elif state.rate is None:
            self._dirty[name] = None  # it takes two looks to know a rate
        return state

    def _ask_groups(self, states: Sequence[StreamState]) -> None:
        replies = self._each([(b"XINFO", b"GROUPS", state.name) for state in states])
        at = time.monotonic()
        with self._model.lock:
            for state, reply in zip(states, replies, strict=True):
                if not isinstance(reply, Error):
                    state.put_groups(survey.groups(reply), at)

    # -- what takes turns --------------------------------------------------------------------------

    def _turns(self) -> Iterator[bool | None]:
        """A bite each time it is asked for one: True when it was one of the first, which are in a hurry.

        None when all has been looked at a moment ago.
        """
        everything = self._all()
        while True:
            began = time.monotonic()
            if began - self._scan_at >= _SCAN_SECONDS:
                for _ in self._scan():
                    yield not self._model.scanned
                self._scan_at = time.monotonic()
                self._model.scanned = True
            for _ in self._load():
                yield True
            for turn in (self._changes(), self._probe(), self._with_groups(), islice(everything, _ALL_AT_ONCE)):
                for _ in turn:
                    yield False
            while time.monotonic() < began + self.interval:
                yield None

    def _scan(self) -> Iterator[None]:
        """New names; those that have gone are noticed when they are asked for."""
        for names in survey.streams(self._backend):
            with self._model.lock:
                for name in names:
                    if name not in self._model.streams:
                        self._model.streams[name] = StreamState(name)
                        self._model.unloaded += 1
            yield

    def _load(self) -> Iterator[None]:
        """Streams of which nothing is known yet."""
        with self._model.lock:
            names = [state.name for state in self._model.streams.values() if state.facts is None and not state.refused]
        names = survey.in_order_of_slots(self._backend, names)
        for at in range(0, len(names), _FIRST_ASKED):
            self._model.unloaded = len(names) - at
            self._ask(names[at : at + _FIRST_ASKED], groups=True)
            yield
        self._model.unloaded = 0

    def _states(self, wanted: Callable[[StreamState], object]) -> list[StreamState]:
        with self._model.lock:
            found = {state.name: state for state in self._model.streams.values() if wanted(state)}
        return [found[name] for name in survey.in_order_of_slots(self._backend, found)]

    def _probe(self) -> Iterator[None]:
        """Which of the streams have new entries? These are asked for in the next turn."""
        states = self._states(lambda state: state.facts is not None and not state.heavy and not state.refused)
        for at in range(0, len(states), _PROBED):
            bite = states[at : at + _PROBED]
            found = self._with_news(bite) if self._probes else None
            if found is None:
                found = self._of_other_length(bite)
            now = time.monotonic()
            with self._model.lock:
                for state in bite:
                    if state.name in found:
                        self._dirty[state.name] = None
                    elif state.rate:
                        state.unchanged(now)
            yield

    def _with_news(self, states: list[StreamState]) -> set[bytes] | None:
        """By one XREAD that does not wait; None when it is refused."""
        known = [state for state in states if state.facts is not None]
        names = [state.name for state in known]
        ids = [state.facts.last_id for state in known if state.facts is not None]
        reply = self._backend.execute((b"XREAD", b"COUNT", b"1", b"STREAMS", *names, *ids))
        if isinstance(reply, Error):
            return None
        return set(by_stream(reply))

    def _of_other_length(self, states: list[StreamState]) -> set[bytes]:
        replies = self._each([(b"XLEN", state.name) for state in states])
        return {
            state.name
            for state, reply in zip(states, replies, strict=True)
            if state.facts is not None and reply != state.facts.length
        }

    def _changes(self) -> Iterator[None]:
        names = survey.in_order_of_slots(self._backend, self._dirty)
        for at in range(0, len(names), _ASKED):
            self._ask(names[at : at + _ASKED], groups=False)
            yield

    def _with_groups(self) -> Iterator[None]:
        states = self._states(lambda state: state.facts is not None and state.facts.groups and not state.refused)
        for at in range(0, len(states), _ASKED):
            self._ask_groups(states[at : at + _ASKED])
            yield

    def _all(self) -> Iterator[None]:
        """What was trimmed, deleted, given its first group: nothing else tells of it. For ever, a part in each turn."""
        while True:
            states = self._states(lambda state: state.facts is not None and not state.heavy and not state.refused)
            for at in range(0, len(states), _ASKED):
                self._ask([state.name for state in states[at : at + _ASKED]], groups=False)
                yield
            yield


def _weight(reply: Reply) -> int:
    """Bytes of the entries that XINFO STREAM shows."""
    found = record(reply)
    size = 0
    for name in (b"first-entry", b"last-entry"):
        entry = found.get(name)
        fields = entry[1] if isinstance(entry, list) and len(entry) > 1 else None
        size += sum([len(word) for word in fields if isinstance(word, bytes)]) if isinstance(fields, list) else 0
    return size
